"""Golden cases of rules: results as they came, and every step that must follow, in order."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from alerts.desk import Desk
from alerts.journal import open_journal
from alerts.keeper import Keeper
from alerts.rules import load_rules
from alerts.texts import title
from sensors.clock import HOUR_MS
from tests.unit.alerts.building import RULES_FILE, T0, columns, judge, row

GOLDEN = Path(__file__).parents[2] / "golden"
CASES = sorted(path.name for path in GOLDEN.glob("rules*") if path.is_dir())


def read(case: str, name: str) -> list[dict[str, str]]:
    with (GOLDEN / case / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def result(given: Mapping[str, str]) -> dict[str, Any]:
    return row(
        given["factor"], given["window"], hour=int(given["hour"]),
        value=int(given["value"]) if given["value"] else None,
        level=int(given["level"]) if given["level"] else None, reason=given["reason"], flags=int(given["flags"]),
        revision=int(given["revision"]), at=T0 + int(given["tick"]) * HOUR_MS,
    )  # fmt: skip


def test_there_are_golden_cases() -> None:
    assert CASES


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_the_steps_of_a_golden_case_follow_from_its_results(case: str, *, together: bool) -> None:
    rules = load_rules(RULES_FILE)
    keeper, journal = Keeper(judge(rules), rules), open_journal("sqlite://", lambda: 0)
    with journal.writing() as turn:
        for _, rows in groupby(read(case, "results.csv"), key=lambda given: given["tick"]):
            keeper.take(columns(*map(result, rows)), turn)
            if not together:
                keeper.save(turn)
                keeper.forget()
        keeper.save(turn)
    desk = Desk(journal)
    told = [(step, desk.event(step.event)) for step in desk.changes_since(0).steps]
    found = [
        (
            (step.at - T0) // HOUR_MS,
            alert.event.key.rule,
            (alert.event.start - T0) // HOUR_MS,
            step.kind.value,
            title(alert.event),
        )
        for step, alert in told
    ]
    journal.close()
    expected = [
        (int(one["tick"]), one["rule"], int(one["first_hour"]), one["kind"], one["title"])
        for one in read(case, "steps.csv")
    ]
    assert sorted(found) == sorted(expected)
    assert [tick for tick, *_ in found] == [tick for tick, *_ in expected]
