"""Deadlines in wall time and work days, and the ladder of the overdue escalation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import pytest

from alerts.cases.deadlines import Calendar, Deadlines, Lapse, Rung, Tier
from alerts.cases.life import overdue
from alerts.cases.record import StepKind
from alerts.cases.states import CaseAct, CaseState
from sensors.clock import BEIJING, ms_of
from tests.unit.alerts.cases.building import DAY_MS, HOUR_MS, MINUTE_MS, POLICY, Town

CALENDAR = POLICY.calendar


def at(text: str) -> int:
    return ms_of(dt.datetime.fromisoformat(text).replace(tzinfo=BEIJING))


@pytest.fixture
def town() -> Iterator[Town]:
    made = Town()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-11-20T09:00", 1, "2026-11-23T17:30"),  # a Friday: the weekend does not count
        ("2026-11-21T09:00", 1, "2026-11-23T17:30"),
        ("2026-11-23T00:00", 1, "2026-11-24T17:30"),
        ("2026-11-23T23:59", 3, "2026-11-26T17:30"),
        ("2026-09-30T12:00", 1, "2026-10-08T17:30"),  # the seven days of the National Day
        ("2026-09-30T12:00", 3, "2026-10-10T17:30"),  # 10 October is a worked Saturday
        ("2026-02-13T12:00", 1, "2026-02-14T17:30"),  # so is 14 February
        ("2026-02-14T12:00", 1, "2026-02-24T17:30"),  # then the Spring Festival
        ("2027-10-01T12:00", 1, "2027-10-04T17:30"),  # nobody has entered 2027: weekends alone
    ],
)
def test_work_days_end_at_closing_time_and_leave_out_weekends_and_holidays(start: str, days: int, end: str) -> None:
    assert Lapse(work_days=days).after(at(start), CALENDAR) == at(end)


def test_wall_time_is_added_as_it_is() -> None:
    assert Lapse(ms=15 * MINUTE_MS).after(at("2026-10-01T12:00"), CALENDAR) == at("2026-10-01T12:15")


def test_a_calendar_without_work_days_is_an_error() -> None:
    idle = Calendar(holidays=frozenset(range(20_000, 30_000)), working=frozenset())
    with pytest.raises(ValueError, match="too few"):
        idle.after(at("2026-11-20T09:00"), 1)


def test_the_ladder_goes_on_with_its_last_step() -> None:
    ladder = (Rung(after_ms=0, tier=Tier.OWN), Rung(after_ms=10, tier=Tier.CITY))
    made = Deadlines(due={}, ladder=ladder, repeat_ms=100)
    assert [made.rung(number) for number in (1, 2, 3)] == [
        Rung(after_ms=10, tier=Tier.CITY), Rung(after_ms=110, tier=Tier.CITY), Rung(after_ms=210, tier=Tier.CITY),
    ]  # fmt: skip
    assert [made.newest_rung(2, late) for late in (110, 209, 210, 500)] == [2, 2, 3, 5]
    assert made.newest_rung(0, 500) == 0  # those of the ladder itself are all told


def test_an_overdue_case_escalates_own_park_district_city_province(town: Town) -> None:
    town.raise_event("S", "source-class", factor="class")
    (case,) = town.desk.cases().cases
    due = case.opened_at + 15 * MINUTE_MS
    assert case.due_at == due
    town.later(15 * MINUTE_MS - 1)
    assert len(town.desk.case(case.id).steps) == 1
    for ms in (1, 15 * MINUTE_MS, 15 * MINUTE_MS, 30 * MINUTE_MS, 3 * HOUR_MS):
        town.later(ms)
    steps = town.desk.case(case.id).steps[1:]
    assert [(step.kind, step.tier, step.notify) for step in steps] == [
        (StepKind.OVERDUE, tier, True) for tier in (Tier.OWN, Tier.PARK, Tier.DISTRICT, Tier.CITY, Tier.PROVINCE)
    ]
    assert [step.at - due for step in steps] == [0, 15 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS, 4 * HOUR_MS]


def test_an_act_in_time_stops_the_escalation_and_starts_the_next_deadline(town: Town) -> None:
    town.raise_event("S", "source-class", factor="class")
    (case,) = town.desk.cases().cases
    town.later(10 * MINUTE_MS)
    after = town.act(case.id, CaseAct.ACKNOWLEDGE)
    assert after.due_at == town.now + HOUR_MS
    town.later(30 * MINUTE_MS)
    assert all(step.kind is not StepKind.OVERDUE for step in town.desk.case(case.id).steps)


def test_what_was_handed_over_and_is_not_put_right_in_time_is_urged(town: Town) -> None:
    town.raise_event("S", "source-class", factor="class")
    (case,) = town.desk.cases().cases
    for act in (CaseAct.ACKNOWLEDGE, CaseAct.VERIFY, CaseAct.HAND_OVER):
        town.act(case.id, act)
    town.later(DAY_MS)
    file = town.desk.case(case.id)
    assert file.case.state is CaseState.URGED
    assert file.steps[-1].kind is StepKind.URGED
    assert file.steps[-1].evidence["to"] == ["department:park"]


def test_a_deadline_set_with_the_handover_holds_and_a_past_one_is_refused(town: Town) -> None:
    town.raise_event("S", "source-class", factor="class")
    (case,) = town.desk.cases().cases
    for act in (CaseAct.ACKNOWLEDGE, CaseAct.VERIFY):
        town.act(case.id, act)
    after = town.act(case.id, CaseAct.HAND_OVER, due_at=town.now + 5 * DAY_MS)
    assert after.due_at == town.now + 5 * DAY_MS


def test_timers_go_on_after_a_stop_and_each_step_is_dated_by_when_it_was_due(town: Town) -> None:
    town.raise_event("S", "source-class", factor="class")
    (case,) = town.desk.cases().cases
    town.now += 2 * HOUR_MS  # nobody runs
    town.start()
    town.later(0)
    steps = town.desk.case(case.id).steps[1:]
    assert [step.tier for step in steps] == [Tier.OWN, Tier.PARK, Tier.DISTRICT, Tier.CITY]
    assert [step.at - case.opened_at for step in steps] == [ms * MINUTE_MS for ms in (15, 30, 45, 75)]
    assert {step.noticed_at for step in steps} == {town.now}


def test_of_repeats_that_nobody_was_there_to_tell_only_the_newest_is_told(town: Town) -> None:
    town.raise_event("S", "source-class", factor="class")
    (case,) = town.desk.cases().cases
    town.later(10 * DAY_MS)
    steps = town.desk.case(case.id).steps[1:]
    assert [step.tier for step in steps] == [
        Tier.OWN,
        Tier.PARK,
        Tier.DISTRICT,
        Tier.CITY,
        Tier.PROVINCE,
        Tier.PROVINCE,
    ]
    assert steps[-1].at == case.opened_at + 15 * MINUTE_MS + 4 * HOUR_MS + 9 * DAY_MS


def test_what_is_written_off_is_never_due(town: Town) -> None:
    town.raise_event("S", "source-class", factor="class")
    (case,) = town.desk.cases().cases
    written = replace(case, state=CaseState.WRITTEN_OFF, due_at=None, next_at=None)
    assert overdue(written, POLICY, town.now + 900 * DAY_MS).steps == ()


def test_the_steward_knows_when_the_next_step_is_due(town: Town) -> None:
    town.raise_event("S", "source-class", factor="class")
    (case,) = town.desk.cases().cases
    town.raise_event("A")
    with town.journal.writing() as turn:
        assert town.keeper.due(turn, town.now) == case.due_at
