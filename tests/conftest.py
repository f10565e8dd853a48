"""What every test may use, and what is told at the end of a run."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.services import chromium, influx, kafka, own_influx, own_kafka, postgres

__all__ = ["chromium", "influx", "kafka", "own_influx", "own_kafka", "postgres"]


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
