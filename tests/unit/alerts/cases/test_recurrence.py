"""Recurrence raises the level, parties acknowledge for themselves, places come near the black-list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from alerts.cases.deadlines import Tier
from alerts.cases.evidence import Lack
from alerts.cases.life import ActIncomplete
from alerts.cases.record import Need, Role, StepKind
from alerts.cases.states import CaseAct, CaseReason, CaseState, WrongCaseAct
from alerts.events import Change, Fact
from alerts.states import State
from tests.unit.alerts.cases.building import DAY_MS, POLICY, Town

LIFE = (CaseAct.ACKNOWLEDGE, CaseAct.VERIFY, CaseAct.HAND_OVER, CaseAct.RECTIFY, CaseAct.REPORT, CaseAct.WRITE_OFF)
SIDES = ("area:county-1", "area:shengzhou")


@pytest.fixture
def town() -> Iterator[Town]:
    made = Town()
    yield made
    made.close()


def live_through(town: Town, hour: int, factor: str = "PM2.5") -> str:
    raised = town.raise_event("A", hour=hour, factor=factor)
    case = town.desk.of_event(raised.id)
    assert case is not None
    town.become(raised, Change.CLEARED, Fact.CLEARED)
    for act in LIFE:
        town.act(case.id, act)
    return case.id


def test_the_third_case_of_an_incident_in_90_days_raises_its_level_and_names_the_earlier_ones(town: Town) -> None:
    first = live_through(town, 0)
    town.later(40 * DAY_MS)
    second = live_through(town, 5)
    town.later(40 * DAY_MS)
    town.raise_event("A", hour=10)
    third = town.desk.cases().cases[0]
    assert (third.priority, third.occurrence) == (2, 3)
    step = next(step for step in town.desk.case(third.id).steps if step.kind is StepKind.RECURRED)
    assert step.evidence == {"earlier": [first, second], "occurrence": 3, "priority": [3, 2]}
    assert (step.notify, step.tier) == (True, Tier.DISTRICT)
    assert third.due_at == third.opened_at + 30 * 60_000  # as priority 2


def test_what_lies_farther_back_than_the_period_does_not_count(town: Town) -> None:
    live_through(town, 0)
    town.later(50 * DAY_MS)
    live_through(town, 5)
    town.later(50 * DAY_MS)
    town.raise_event("A", hour=10)
    third = town.desk.cases().cases[0]
    assert (third.priority, third.occurrence) == (3, 2)


def test_an_office_may_count_only_occurrences_of_the_same_factor() -> None:
    town = Town(policy=replace(POLICY, recurrence=replace(POLICY.recurrence, same_factor=True, count=2)))
    live_through(town, 0, "PM2.5")
    town.later(40 * DAY_MS)
    live_through(town, 5, "PM10")
    assert town.desk.cases().cases[0].occurrence == 1
    town.later(40 * DAY_MS)
    live_through(town, 10, "PM10")
    assert town.desk.cases().cases[0].occurrence == 2
    town.close()


def test_recurrence_raises_no_further_than_the_policy_says() -> None:
    town = Town(policy=replace(POLICY, recurrence=replace(POLICY.recurrence, highest=3, count=2)))
    live_through(town, 0)
    town.later(40 * DAY_MS)
    live_through(town, 5)
    assert town.desk.cases().cases[0].priority == 3
    town.close()


def test_both_sides_of_a_handover_section_acknowledge_independently_and_the_case_waits_for_both(town: Town) -> None:
    town.sides, town.departments = ("shengzhou", "county-1"), ("water",)
    raised = town.raise_event("H", "water-target", factor="over_target")
    (case,) = town.desk.cases().cases
    file = town.desk.case(case.id)
    assert case.need is Need.SIDES
    assert {(party.id, party.role) for party in file.parties} == {
        *((side, Role.SIDE) for side in SIDES), ("department:water", Role.JOINT),
    }  # fmt: skip
    with pytest.raises(ActIncomplete) as lacking:
        town.act(case.id, CaseAct.ACKNOWLEDGE)
    assert lacking.value.lacks is Lack.PARTY
    town.now += 1000
    one = town.act(case.id, CaseAct.ACKNOWLEDGE, party=SIDES[1], author="嵊州值班")
    assert one.state is CaseState.RAISED
    assert town.events.event(raised.id).event.state is State.RAISED
    with pytest.raises(WrongCaseAct) as again:
        town.act(case.id, CaseAct.ACKNOWLEDGE, party=SIDES[1])
    assert again.value.reason is CaseReason.ALREADY_ACKNOWLEDGED
    town.now += 1000
    both = town.act(case.id, CaseAct.ACKNOWLEDGE, party=SIDES[0])
    assert both.state is CaseState.ACKNOWLEDGED
    signed = {party.id: (party.acknowledged_by, party.acknowledged_at) for party in town.desk.case(case.id).parties}
    assert signed == {
        SIDES[0]: ("王芳", town.now), SIDES[1]: ("嵊州值班", town.now - 1000), "department:water": ("", None),
    }  # fmt: skip
    assert town.events.event(raised.id).event.state is State.ACKNOWLEDGED


def test_acknowledging_an_event_alone_does_not_speak_for_both_sides(town: Town) -> None:
    raised = town.raise_event("H", "water-target", factor="over_target")
    town.events.acknowledge(raised.id, "李强", town.now)
    town.settle()
    assert town.desk.cases().cases[0].state is CaseState.RAISED


def test_several_departments_acknowledge_the_same_case_independently(town: Town) -> None:
    town.departments = ("emergency", "water")
    town.raise_event("S", "source-class", factor="class")
    (case,) = town.desk.cases().cases
    first = town.act(case.id, CaseAct.ACKNOWLEDGE, party="department:water")
    assert first.state is CaseState.ACKNOWLEDGED  # of a case that needs anybody's
    second = town.act(case.id, CaseAct.ACKNOWLEDGE, party="department:emergency", author="消防")
    assert second.state is CaseState.ACKNOWLEDGED
    file = town.desk.case(case.id)
    assert {party.id: party.acknowledged_by for party in file.parties} == {
        "department:water": "王芳", "department:emergency": "消防",
    }  # fmt: skip
    assert [step.kind for step in file.steps][-2:] == [StepKind.ACKNOWLEDGED, StepKind.PARTY_ACKNOWLEDGED]


def test_who_gets_a_case_handed_over_becomes_a_party_and_signs_for_it(town: Town) -> None:
    town.raise_event()
    (case,) = town.desk.cases().cases
    for act in LIFE[:3]:
        town.act(case.id, act)
    file = town.desk.case(case.id)
    assert [(party.id, party.role, party.acknowledged_at) for party in file.parties] == [
        ("department:park", Role.OWNER, None)
    ]
    assert CaseAct.ACKNOWLEDGE in file.acts
    town.act(case.id, CaseAct.ACKNOWLEDGE, party="department:park", author="园区")
    assert town.desk.case(case.id).parties[0].acknowledged_by == "园区"


def test_who_is_no_party_cannot_sign_as_one(town: Town) -> None:
    town.raise_event()
    (case,) = town.desk.cases().cases
    with pytest.raises(ActIncomplete) as lacking:
        town.act(case.id, CaseAct.ACKNOWLEDGE, party="department:fire")
    assert lacking.value.lacks is Lack.PARTY


def test_a_place_is_proposed_for_the_black_list_when_what_was_put_right_was_not_enough(town: Town) -> None:
    town.raise_event()
    (case,) = town.desk.cases().cases
    for act in (*LIFE[:4], CaseAct.HAND_OVER):
        town.act(case.id, act)
    (once,) = town.desk.black_list(town.now)
    assert (once.place, once.points, once.listed) == ("A", 2, False)
    for act in (CaseAct.RECTIFY, CaseAct.HAND_OVER):
        town.act(case.id, act)
    (twice,) = town.desk.black_list(town.now)
    assert (twice.counts, twice.points, twice.listed) == ({"sent_back": 2}, 4, True)
    assert town.desk.black_list(town.now + 366 * DAY_MS) == ()


def test_an_event_that_its_rule_made_more_pressing_for_coming_often_does_not_count_twice() -> None:
    town = Town(policy=replace(POLICY, recurrence=replace(POLICY.recurrence, count=2)))
    live_through(town, 0)
    town.later(40 * DAY_MS)
    town.raise_event("A", hour=9, priority=2, recurrence=3)
    newest = town.desk.cases().cases[0]
    assert (newest.priority, newest.occurrence) == (2, 2)
    assert StepKind.RECURRED in {step.kind for step in town.desk.case(newest.id).steps}
    town.close()
