"""C5: class V or worse and black odour are severe; a cleared body that fails again a year later is a relapse."""

from __future__ import annotations

from typing import Any

import pytest

from alerts.desk import Desk
from alerts.events import Event
from alerts.journal import open_journal
from alerts.keeper import Keeper
from alerts.recheck import cleared_since, recheck_list, relapse_rules
from alerts.rules import Rules, load_rules
from alerts.verdicts import Judge
from sensors.clock import DAY_MS, HOUR_MS
from sensors.kinds import load_kind
from sensors.registry import Registry
from sensors.tables import TableOutcome, Truth
from streams.discharge.judgement import Level
from streams.standards import load_standards
from tests.unit.alerts.building import T0, columns, row, site

SLOT = 4 * HOUR_MS
YEAR = 366 * DAY_MS
CLEARED_AT = T0 + 2 * DAY_MS
WATERS = ("water-v", "relapse", "relapse-black-odour", "black-odour")
N, Y, U = Truth


def body(name: str = "A", *, cleared: str | None = None, **more: Any) -> Any:
    setting = {"water": "river", "target": "III"} | ({"cleared": cleared} if cleared else {})
    return site(name, kind="water", station_class="river_section", zone=0, setting=setting, **more)


def registry(*more: Any) -> Registry:
    return Registry(
        region_zh="r", region_en="r", synthetic=True,
        sites=(body(end=CLEARED_AT), body(cleared="inferior_v", start=CLEARED_AT), body("B"), *more),
    )  # fmt: skip


def rules() -> Rules:
    found = tuple(rule for rule in load_rules().rules if rule.id in WATERS)
    assert {rule.id for rule in found} == set(WATERS)
    return Rules(rules=found, backfill_after_ms=10**13)


def class_at(start: int, level: int, name: str = "A") -> dict[str, Any]:
    made = {"site": name, "start": start, "at": start + SLOT + 60_000, "edition": "", "digits": 0, "level": level}
    return row("class", "4h") | made | {"value": level, "primary": "NH3-N"}


def odour_at(start: int, level: Level, name: str = "A") -> dict[str, Any]:
    made = {"site": name, "start": start, "at": start + SLOT + 60_000, "edition": "", "digits": 0, "level": int(level)}
    return (
        row("black_odour", "4h") | made | {"value": int(level >= Level.HINT), "detail": "row=4;oxygen=yes;ammonia=yes"}
    )


def events(*rows: dict[str, Any], of: Registry | None = None) -> list[Event]:
    given = rules()
    keeper = Keeper(Judge(given, of or registry(), load_standards()), given)
    journal = open_journal("sqlite://", lambda: 0)
    with journal.writing() as turn:
        for one in sorted(rows, key=lambda each: each["at"]):
            keeper.take(columns(one, network="water"), turn)
        keeper.save(turn)
    desk = Desk(journal)
    return [desk.event(name).event for name in dict.fromkeys(step.event for step in desk.changes_since(0).steps)]


def test_a_cleared_body_that_fails_again_after_a_year_is_a_relapse_and_is_checked_again() -> None:
    again = CLEARED_AT + YEAR
    found = events(class_at(T0, 6), class_at(CLEARED_AT, 3), class_at(again, 6), class_at(again + SLOT, 6))
    assert {event.key.rule for event in found if event.start >= again} >= {"relapse"}
    (entry,) = recheck_list(found, rules(), registry())
    assert (entry.site, entry.cleared, entry.cleared_at, entry.days_cleared) == ("A", "inferior_v", CLEARED_AT, 366)
    assert (entry.relapsed_at, entry.open) == (again, True)


def test_before_it_was_cleared_and_where_none_was_cleared_nothing_is_a_relapse() -> None:
    found = events(class_at(T0, 6), class_at(CLEARED_AT + YEAR, 6, "B"))
    assert {event.key.rule for event in found} == {"water-v"}
    assert recheck_list(found, rules(), registry()) == ()


@pytest.mark.parametrize(("level", "relapses"), [(4, 0), (5, 1), (6, 1)])
def test_class_v_or_worse_is_severe(level: int, relapses: int) -> None:
    found = events(class_at(CLEARED_AT, level))
    assert len([event for event in found if event.key.rule == "relapse"]) == relapses
    assert all(event.priority <= 2 for event in found)


def test_a_black_odour_finding_of_a_cleared_body_is_a_relapse_too() -> None:
    found = events(odour_at(CLEARED_AT, Level.FINDING))
    (entry,) = recheck_list(found, rules(), registry())
    assert {event.key.rule for event in entry.relapses} == {"relapse-black-odour"}
    assert {event.key.rule for event in events(odour_at(CLEARED_AT, Level.FINDING, "B"))} == {"black-odour"}


def test_several_relapses_of_one_clearing_are_one_entry_the_oldest_first() -> None:
    at = [CLEARED_AT + days * DAY_MS for days in (10, 20, 30)]
    bad = [class_at(start, 6) for start in at]
    fine = [class_at(start + SLOT, 2) for start in at]
    (entry,) = recheck_list(events(*bad, *fine), rules(), registry())
    assert [event.start for event in entry.relapses] == at
    assert not entry.open


def test_what_turned_out_to_be_nothing_leaves_the_list() -> None:
    revised = class_at(CLEARED_AT, 2) | {"revision": 2, "at": CLEARED_AT + DAY_MS}
    assert recheck_list(events(class_at(CLEARED_AT, 6), revised), rules(), registry()) == ()


def test_a_clearing_is_dated_by_the_first_of_entries_that_follow_one_another() -> None:
    moved = Registry(
        region_zh="r", region_en="r", synthetic=True,
        sites=(
            body(end=T0), body(cleared="class_v", start=T0, end=T0 + DAY_MS), body(cleared="class_v", start=T0 + DAY_MS,
            end=T0 + 5 * DAY_MS), body(start=T0 + 5 * DAY_MS, end=T0 + 6 * DAY_MS),
            body(cleared="zero_goal", start=T0 + 6 * DAY_MS),
        ),
    )  # fmt: skip
    found = [cleared_since(moved, "A", T0 + day * DAY_MS) for day in (-1, 0, 3, 5, 7)]
    assert found == [None, ("class_v", T0), ("class_v", T0), None, ("zero_goal", T0 + 6 * DAY_MS)]
    assert cleared_since(moved, "unknown", T0) is None


def test_the_delivered_rules_for_cleared_bodies_are_known_as_such() -> None:
    assert relapse_rules(load_rules()) == {"relapse", "relapse-black-odour"}


BLACK = {
    (N, N): "fine", (N, Y): "suspicion", (N, U): "unknown", (Y, N): "suspicion", (Y, Y): "finding", (Y, U): "unknown",
    (U, N): "unknown", (U, Y): "unknown", (U, U): "unknown",
}  # fmt: skip


@pytest.mark.parametrize(("truths", "outcome"), BLACK.items())
def test_every_cell_of_black_odour_means_what_it_should(truths: tuple[Truth, Truth], outcome: str) -> None:
    (table,) = load_kind("water").tables
    oxygen, ammonia = truths
    assert table.decide({"oxygen": oxygen, "ammonia": ammonia})[0] is TableOutcome(outcome)
