"""Which events open a case, which join one, and what is told apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from alerts.cases.incidents import KeyRow, Opening, OpeningRow, Selector, incident_of, opening_of
from alerts.cases.policy import Repeats
from alerts.cases.record import StepKind
from alerts.cases.states import CaseAct, CaseState
from alerts.events import Change, Fact
from alerts.states import State
from alerts.subjects import Subject, subject_of
from tests.unit.alerts.cases.building import POLICY, RULES, Town, event, sites

REGISTRY = sites()


@pytest.fixture
def town() -> Iterator[Town]:
    made = Town()
    yield made
    made.close()


def about(site: str = "A", rule: str = "pm25-1h", **other: Any) -> Subject:
    made = event(site, rule, **other)
    return subject_of(made, RULES, REGISTRY, made.start)


@pytest.mark.parametrize(
    ("what", "key"),
    [
        (about("A"), "air::site:A"),
        (about("A", "no-data", factor="AQI"), "air:silent:site:A"),
        (about("S", "source-class", factor="class"), "water::site:S"),
        (about("V1", "voc-hour", factor="NMHC"), "voc::firm:firm-1"),
        (about("V2", "voc-hour", factor="benzene"), "voc::firm:firm-1"),
        (about("O", "discharge-day", factor="COD"), "outfall::firm:firm-1"),
        (about("O", "dry-weather", factor="dry_weather"), "outfall:rain_outlet:site:O"),
        (about("firm-1", "quota", factor="COD"), "outfall:quota:firm:firm-1"),
    ],
)
def test_an_incident_is_told_by_network_theme_and_place(what: Subject, key: str) -> None:
    assert incident_of(what, POLICY.keys).key == key


@pytest.mark.parametrize(
    ("what", "then"),
    [
        (about(), Opening.OPEN),
        (about(priority=4), Opening.JOIN),
        (about(backfilled=True), Opening.JOIN),
        (about(hint=True), Opening.JOIN),
        (about(unconfirmed=True), Opening.JOIN),
        (about("A", "no-data", factor="AQI"), Opening.JOIN),
        (about("S", "source-class", factor="class"), Opening.OPEN),
    ],
)
def test_the_delivered_policy_says_which_events_open_a_case(what: Subject, then: Opening) -> None:
    assert opening_of(what, POLICY.openings) is then


def test_the_first_row_that_takes_an_event_decides_and_none_ignores_it() -> None:
    rows = (
        OpeningRow(events=Selector(classes=frozenset({"urban"}), rules=frozenset({"pm25-1h"})), then=Opening.JOIN),
        OpeningRow(events=Selector(factors=frozenset({"PM2.5"})), then=Opening.OPEN),
    )
    assert opening_of(about(), rows) is Opening.JOIN
    assert opening_of(about("S", "source-class", factor="class"), rows) is Opening.IGNORE
    assert incident_of(about(), ()).key == "air::site:A"
    none = KeyRow(events=Selector(), by="park")
    assert incident_of(about(), (none,)).key == "air::site:A"  # it lies in no park


def test_an_event_about_the_system_itself_opens_nothing() -> None:
    strange = replace(about(), network="", site=None, rule=None)
    assert opening_of(strange, POLICY.openings) is Opening.IGNORE


def test_two_points_of_one_firm_are_one_incident_and_two_firms_or_networks_are_not(town: Town) -> None:
    town.raise_event("V1", "voc-hour", factor="NMHC")
    town.raise_event("V2", "voc-hour", factor="NMHC")
    town.raise_event("O", "discharge-day", factor="COD")
    town.raise_event("A")
    cases = town.desk.cases().cases
    assert [(case.place, case.network, case.events) for case in reversed(cases)] == [
        ("firm-1", "voc", 2), ("firm-1", "outfall", 1), ("A", "air", 1),
    ]  # fmt: skip


def test_two_simultaneous_incidents_and_many_repeats_make_two_files_and_both_are_served(town: Town) -> None:
    for hour in range(0, 120, 2):
        town.change(*(raised(place, hour) for place in ("A", "B")))
    town.settle()
    assert [case.events for case in town.desk.cases().cases] == [60, 60]
    assert [case.site for case in town.desk.open_cases(town.now)] == ["B", "A"]


def raised(place: str, hour: int) -> Any:
    from alerts.events import Changed  # noqa: PLC0415

    return Changed(event=event(place, hour=hour), change=Change.RAISED, before=None)


def test_a_single_value_opens_its_case_when_it_is_confirmed(town: Town) -> None:
    first = town.raise_event("S", "source-class", factor="class", unconfirmed=True)
    assert town.desk.cases().cases == ()
    town.become(replace(first, unconfirmed=False), Change.CONFIRMED, Fact.GOING_ON)
    assert [case.opened_by for case in town.desk.cases().cases] == [first.id]


def test_backfilled_events_open_no_case_but_join_the_one_of_their_incident(town: Town) -> None:
    town.raise_event("A", hour=0, backfilled=True)
    assert town.desk.cases().cases == ()
    town.raise_event("A", hour=4)
    town.raise_event("A", hour=8, backfilled=True)
    (case,) = town.desk.cases().cases
    assert case.events == 2


def test_an_office_may_let_backfilled_events_open_cases() -> None:
    rows = (OpeningRow(events=Selector(backfilled=True), then=Opening.OPEN),)
    town = Town(policy=replace(POLICY, openings=rows))
    town.raise_event("A", backfilled=True)
    assert len(town.desk.cases().cases) == 1
    town.close()


def test_an_office_may_have_each_repeat_acknowledged_by_a_person() -> None:
    town = Town(policy=replace(POLICY, repeats=Repeats.LEAVE))
    town.raise_event()
    town.act(town.desk.cases().cases[0].id, CaseAct.ACKNOWLEDGE)
    repeat = town.raise_event(hour=7)
    assert town.events.event(repeat.id).event.state is State.RAISED
    town.close()


def test_a_step_tells_when_all_events_have_ended_and_when_one_goes_on_again(town: Town) -> None:
    first, second = town.raise_event(hour=0), town.raise_event(hour=5)
    first = town.become(first, Change.CLEARED, Fact.CLEARED)
    second = town.become(second, Change.CLEARED, Fact.CLEARED)
    town.become(second, Change.WENT_ON, Fact.GOING_ON)
    (case,) = town.desk.cases().cases
    kinds = [step.kind for step in town.desk.case(case.id).steps]
    assert kinds == [StepKind.OPENED, StepKind.EVENT_ADDED, StepKind.CLEARED, StepKind.WENT_ON]


def test_a_merged_event_is_no_longer_one_of_its_own(town: Town) -> None:
    first, second = town.raise_event(hour=0), town.raise_event(hour=5)
    town.become(replace(second, joined_to=first.id), Change.JOINED, Fact.JOINED)
    (case,) = town.desk.cases().cases
    assert (case.events, case.live, case.going_on, case.withdrawn) == (2, 1, 1, False)
    town.become(first, Change.WITHDRAWN, Fact.WITHDRAWN)
    (case,) = town.desk.cases().cases
    assert (case.live, case.withdrawn) == (0, True)


def test_a_withdrawn_case_says_so_and_takes_it_back_when_the_event_returns(town: Town) -> None:
    raised_event = town.raise_event()
    gone = town.become(raised_event, Change.WITHDRAWN, Fact.WITHDRAWN)
    town.become(gone, Change.RAISED_AGAIN, Fact.GOING_ON)
    (case,) = town.desk.cases().cases
    steps = town.desk.case(case.id).steps
    assert [step.kind for step in steps] == [StepKind.OPENED, StepKind.WITHDRAWN, StepKind.RESTORED]
    assert [step.notify for step in steps] == [False, True, True]
    assert case.state is CaseState.RAISED


def test_a_step_of_a_closed_event_is_told_in_its_case(town: Town) -> None:
    raised_event = town.raise_event()
    town.events.acknowledge(raised_event.id, "李强", town.now)
    town.events.close(raised_event.id, "李强", "误报", town.now)
    town.settle()
    (case,) = town.desk.cases().cases
    last = town.desk.case(case.id).steps[-1]
    assert (last.kind, last.author, last.reason) == (StepKind.EVENT_CLOSED, "李强", "误报")


def test_an_event_that_worsens_makes_its_case_as_urgent(town: Town) -> None:
    before = town.raise_event()
    town.become(replace(before, priority=2), Change.WORSENED, Fact.GOING_ON)
    (case,) = town.desk.cases().cases
    assert case.priority == 2
    assert town.desk.case(case.id).steps[-1].kind is StepKind.PRIORITY_RAISED


def test_a_hint_never_makes_a_case_more_urgent(town: Town) -> None:
    town.raise_event()
    town.raise_event(hour=5, hint=True, priority=1)
    (case,) = town.desk.cases().cases
    assert (case.events, case.priority) == (2, 3)


def test_a_case_does_not_rest_on_hints_and_early_warnings(town: Town) -> None:
    raised_event = town.raise_event()
    town.raise_event(hour=5, priority=4)
    (case,) = town.desk.cases().cases
    assert (case.events, case.live, case.going_on) == (2, 1, 1)
    gone = town.become(raised_event, Change.CLEARED, Fact.CLEARED)
    for act in (CaseAct.ACKNOWLEDGE, CaseAct.VERIFY, CaseAct.HAND_OVER, CaseAct.RECTIFY, CaseAct.REPORT):
        town.act(case.id, act)
    assert town.act(case.id, CaseAct.WRITE_OFF).state is CaseState.WRITTEN_OFF  # though the warning goes on
    town.become(gone, Change.WITHDRAWN, Fact.WITHDRAWN)
    assert town.desk.cases().cases[0].withdrawn


def test_a_case_rests_on_an_event_once_it_is_confirmed(town: Town) -> None:
    town.raise_event("S", "source-class", factor="class")
    second = town.raise_event("S", "source-class", hour=5, factor="class", unconfirmed=True)
    (case,) = town.desk.cases().cases
    assert (case.live, case.events) == (1, 2)
    town.become(replace(second, unconfirmed=False), Change.CONFIRMED, Fact.GOING_ON)
    (case,) = town.desk.cases().cases
    assert (case.live, case.events) == (2, 2)
