"""What every test may use, and what is told at the end of a run."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.services import alertmanager, chromium, influx, kafka, own_influx, own_kafka, postgres
from tests.sharing import ByFile, services_first

__all__ = ["alertmanager", "chromium", "influx", "kafka", "own_influx", "own_kafka", "postgres"]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let a worker begin with what lasts long; where there is one process only the order stays random."""
    if hasattr(config, "workerinput"):
        services_first(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Share tests out by file."""
    config.option.loadscopereorder = False
    return ByFile(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in a few lines what this machine could not run; nothing when it ran everything."""
    reasons: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        told = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[told.removeprefix("Skipped: ")] += 1
    if not reasons:
        return
    terminalreporter.section("could not be run here")
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"{count:4d} tests: {reason}")
