"""What one case goes through, as tables: acts and what they must bring, deadlines, the overdue ladder, parties."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from alerts.cases.evidence import Evidence, EvidenceKind, Lack
from alerts.cases.life import MACHINE, ActIncomplete, act, allowed_acts, overdue, pressed, reopen, timed, waited_for
from alerts.cases.policy import Owed
from alerts.cases.record import Case, Need, Party, Role, StepKind
from alerts.cases.states import CaseAct, CaseReason, CaseState, Verdict, WrongCaseAct
from tests.unit.alerts.cases.building import DAY_MS, HOUR_MS, MINUTE_MS, NOW, POLICY, ask

A, S, K, V = CaseAct, CaseState, StepKind, Verdict
SIDES = (Party(id="area:up", role=Role.SIDE, since=NOW), Party(id="area:down", role=Role.SIDE, since=NOW))
JOINT = Party(id="department:water", role=Role.JOINT, since=NOW)


def case(state: CaseState = S.RAISED, **other: Any) -> Case:
    made: dict[str, Any] = {
        "id": "c", "key": "k", "network": "water", "place": "H", "site": "H", "rule": "r", "factor": "COD",
        "kind": "limit", "synthetic": True, "priority": 2, "need": Need.ANY, "opened_at": NOW, "opened_by": "e",
        "entered_at": NOW, "state": state, "events": 1, "live": 1, "going_on": 0,
    }  # fmt: skip
    if state in {S.VERIFIED, S.HANDED_OVER, S.URGED, S.RECTIFIED, S.REPORTED, S.WRITTEN_OFF}:
        made["verdict"] = V.TRUE
    one = Case(**(made | other))
    return timed(one, POLICY.due_at(one.state, one.priority, NOW), POLICY)


@pytest.mark.parametrize(
    ("state", "what", "then", "kind", "notify"),
    [
        (S.RAISED, A.ACKNOWLEDGE, S.ACKNOWLEDGED, K.ACKNOWLEDGED, False),
        (S.ACKNOWLEDGED, A.VERIFY, S.VERIFIED, K.VERIFIED, False),
        (S.VERIFIED, A.HAND_OVER, S.HANDED_OVER, K.HANDED_OVER, True),
        (S.HANDED_OVER, A.URGE, S.URGED, K.URGED, True),
        (S.URGED, A.RECTIFY, S.RECTIFIED, K.RECTIFIED, True),
        (S.RECTIFIED, A.HAND_OVER, S.HANDED_OVER, K.SENT_BACK, True),
        (S.RECTIFIED, A.REPORT, S.REPORTED, K.REPORTED, False),
        (S.REPORTED, A.WRITE_OFF, S.WRITTEN_OFF, K.WRITTEN_OFF, True),
        (S.WRITTEN_OFF, A.REOPEN, S.RAISED, K.REOPENED, True),
        (S.URGED, A.NOTE, S.URGED, K.NOTED, False),
    ],
)
def test_an_act_moves_a_case_and_tells_it_in_one_step(
    state: CaseState, what: CaseAct, then: CaseState, kind: StepKind, *, notify: bool
) -> None:
    moved = act(case(state), (), ask(what, NOW + HOUR_MS), POLICY)
    (step,) = moved.steps
    assert (moved.case.state, step.state, step.kind, step.notify) == (then, then, kind, notify)
    assert (step.author, step.at) == ("王芳", NOW + HOUR_MS)
    assert (moved.case.due_at is None) is (then is S.WRITTEN_OFF)
    assert (moved.case.next_at is None) is (then is S.WRITTEN_OFF)


@pytest.mark.parametrize(
    ("what", "other", "lacks"),
    [
        (A.VERIFY, {"author": "  "}, Lack.NAME),
        (A.VERIFY, {"author": "x" * 201}, Lack.NAME),
        (A.VERIFY, {"note": " "}, Lack.NOTE),
        (A.VERIFY, {"note": "x" * 4001}, Lack.NOTE),
        (A.VERIFY, {"verdict": None}, Lack.VERDICT),
        (A.VERIFY, {"verdict": V.OPEN}, Lack.VERDICT),
        (A.VERIFY, {"evidence": (Evidence(kind=EvidenceKind.FILE, value="../x", sha256="a" * 64),)}, Lack.BAD_EVIDENCE),
        (A.VERIFY, {"evidence": (Evidence(kind=EvidenceKind.TEXT, value="x"),) * 51}, Lack.BAD_EVIDENCE),
        (A.NOTE, {"party": "x" * 121}, Lack.PARTY),
        (A.NOTE, {"party": "a\nb"}, Lack.PARTY),
        (A.ACKNOWLEDGE, {"party": "department:fire"}, Lack.PARTY),
    ],
)
def test_an_act_without_what_it_must_bring_is_refused(what: CaseAct, other: dict[str, Any], lacks: Lack) -> None:
    state = S.RAISED if what is A.ACKNOWLEDGE else S.ACKNOWLEDGED
    with pytest.raises(ActIncomplete) as told:
        act(case(state), (), ask(what, **other), POLICY)
    assert told.value.lacks is lacks


@pytest.mark.parametrize(
    ("other", "lacks"),
    [
        ({"to": ""}, Lack.PARTY), ({"to": "park"}, Lack.PARTY), ({"to": "other:"}, Lack.PARTY),
        ({"to": "other:a\nb"}, Lack.PARTY), ({"due_at": NOW}, Lack.DUE), ({"due_at": NOW - 1}, Lack.DUE),
    ],
)  # fmt: skip
def test_a_handover_says_to_whom_and_until_when_ahead(other: dict[str, Any], lacks: Lack) -> None:
    with pytest.raises(ActIncomplete) as told:
        act(case(S.VERIFIED), (), ask(A.HAND_OVER, **other), POLICY)
    assert told.value.lacks is lacks


def test_rectifying_owes_evidence_but_not_where_the_caller_says_nothing_is_owed() -> None:
    bare = ask(A.RECTIFY, evidence=(), note="")
    with pytest.raises(ActIncomplete):
        act(case(S.URGED), (), bare, POLICY)
    assert act(case(S.URGED), (), bare, POLICY, owed=Owed()).case.state is S.RECTIFIED


@pytest.mark.parametrize("going_on", [0, 1])
@pytest.mark.parametrize("kind", ["limit", "quota"])
def test_a_case_is_written_off_when_nothing_goes_on_or_its_kind_may(going_on: int, kind: str) -> None:
    one = case(S.REPORTED, going_on=going_on, kind=kind)
    if going_on and kind not in POLICY.may_go_on:
        with pytest.raises(WrongCaseAct) as told:
            act(one, (), ask(A.WRITE_OFF), POLICY)
        assert told.value.reason is CaseReason.STILL_GOING_ON
    else:
        assert act(one, (), ask(A.WRITE_OFF), POLICY).case.written_off_at == NOW


@pytest.mark.parametrize(
    ("state", "other", "verdict"),
    [
        (S.VERIFIED, {"verdict": V.PLANNED}, V.PLANNED),
        (S.VERIFIED, {"verdict": V.DATA_FAULT}, V.DATA_FAULT),
        (S.ACKNOWLEDGED, {"live": 0}, V.DATA_FAULT),
        (S.URGED, {"live": 0}, V.DATA_FAULT),
        (S.REPORTED, {}, V.TRUE),
    ],
)
def test_what_is_written_off_keeps_what_it_was_or_was_nothing(
    state: CaseState, other: dict[str, Any], verdict: Verdict
) -> None:
    assert act(case(state, **other), (), ask(A.WRITE_OFF), POLICY).case.verdict is verdict


@pytest.mark.parametrize(
    ("need", "waited"), [(Need.ANY, ()), (Need.SIDES, SIDES), (Need.ALL, (*SIDES, JOINT))]
)  # fmt: skip
def test_whose_acknowledgement_is_waited_for(need: Need, waited: tuple[Party, ...]) -> None:
    assert waited_for(case(need=need), (*SIDES, JOINT)) == waited


def test_both_sides_sign_for_themselves_and_only_then_the_case_is_acknowledged() -> None:
    one = case(need=Need.SIDES)
    with pytest.raises(ActIncomplete):
        act(one, SIDES, ask(A.ACKNOWLEDGE), POLICY)
    first = act(one, SIDES, ask(A.ACKNOWLEDGE, party="area:up"), POLICY)
    assert (first.case.state, first.steps[0].kind) == (S.RAISED, K.PARTY_ACKNOWLEDGED)
    with pytest.raises(WrongCaseAct):
        act(first.case, first.parties, ask(A.ACKNOWLEDGE, party="area:up"), POLICY)
    both = act(first.case, first.parties, ask(A.ACKNOWLEDGE, party="area:down"), POLICY)
    assert both.case.state is S.ACKNOWLEDGED
    assert A.ACKNOWLEDGE not in allowed_acts(both.case, both.parties, POLICY)


@pytest.mark.parametrize("by", ["person", "event"])
def test_of_a_case_that_comes_back_everybody_signs_anew(by: str) -> None:
    signed = tuple(replace(one, acknowledged_by="x", acknowledged_at=NOW) for one in (*SIDES, JOINT))
    owner = Party(id="department:park", role=Role.OWNER, since=NOW)
    one = case(S.WRITTEN_OFF, need=Need.SIDES, owner=owner.id, acknowledged_by="x", acknowledged_at=NOW)
    parties = (*signed, owner)
    if by == "person":
        moved = act(one, parties, ask(A.REOPEN, NOW + 1), POLICY)
    else:
        moved = reopen(one, parties, "e2", NOW + 1, POLICY)
    assert {(party.id, party.acknowledged_at) for party in moved.parties} == {
        ("area:up", None), ("area:down", None), ("department:water", None),
    }  # fmt: skip
    again = moved.case
    assert (again.state, again.verdict, again.owner, again.acknowledged_by, again.reopened) == (
        S.RAISED, V.OPEN, "", "", 1,
    )  # fmt: skip
    for side in ("area:up", "area:down"):  # it can be acknowledged again, and so goes on
        moved = act(moved.case, moved.parties, ask(A.ACKNOWLEDGE, NOW + 2, party=side), POLICY)
    assert moved.case.state is S.ACKNOWLEDGED


def test_who_gets_it_handed_over_is_the_owner_and_signs_anew_each_time() -> None:
    first = act(case(S.VERIFIED), (JOINT,), ask(A.HAND_OVER), POLICY)
    signed = act(first.case, first.parties, ask(A.ACKNOWLEDGE, party="department:park"), POLICY)
    assert signed.case.state is S.HANDED_OVER
    again = act(signed.case, signed.parties, ask(A.HAND_OVER, due_at=NOW + DAY_MS), POLICY)
    assert [(one.id, one.role, one.acknowledged_at) for one in again.parties] == [
        (JOINT.id, Role.JOINT, None), ("department:park", Role.OWNER, None),
    ]  # fmt: skip
    assert (again.case.due_at, again.steps[0].evidence["due_at"]) == (NOW + DAY_MS, NOW + DAY_MS)


@pytest.mark.parametrize(
    ("priority", "state", "late", "steps"),
    [
        (1, S.RAISED, -1, []),
        (1, S.RAISED, 0, [("overdue", "own")]),
        (1, S.RAISED, 15 * MINUTE_MS, [("overdue", "own"), ("overdue", "park")]),
        (1, S.RAISED, HOUR_MS, [("overdue", one) for one in ("own", "park", "district", "city")]),
        (2, S.HANDED_OVER, 0, [("urged", "own")]),
        (2, S.HANDED_OVER, 2 * HOUR_MS, [("urged", "own"), ("overdue", "park")]),
        (4, S.URGED, 7 * DAY_MS, [("overdue", "own"), ("overdue", "district")]),
        (4, S.URGED, 200 * DAY_MS, [("overdue", "own"), ("overdue", "district"), ("overdue", "district")]),
    ],
)
def test_an_overdue_case_climbs_the_ladder_by_its_own_times(
    priority: int, state: CaseState, late: int, steps: list[tuple[str, str]]
) -> None:
    one = case(state, priority=priority, owner="department:park")
    assert one.due_at is not None
    moved = overdue(one, POLICY, one.due_at + late)
    assert [(str(step.kind), str(step.tier)) for step in moved.steps] == steps
    assert all(step.author == MACHINE and step.at <= one.due_at + late for step in moved.steps)
    assert all(step.evidence["to"] == ["department:park"] for step in moved.steps)
    assert moved.case.next_at is not None
    assert moved.case.next_at > one.due_at + late
    assert overdue(moved.case, POLICY, one.due_at + late).steps == ()


@pytest.mark.parametrize(("priority", "then"), [(1, 1), (2, 2), (3, 2)])
def test_a_case_is_only_ever_pressed_further(priority: int, then: int) -> None:
    one = case(priority=2)
    after = pressed(one, priority, NOW + MINUTE_MS, POLICY)
    assert after.priority == then
    assert one.due_at is not None
    assert after.due_at is not None
    assert after.due_at <= one.due_at


def test_a_case_that_is_late_already_keeps_its_place_on_the_ladder_when_it_is_pressed() -> None:
    one = case(priority=2)
    assert one.due_at is not None
    late = overdue(one, POLICY, one.due_at).case
    after = pressed(late, 1, one.due_at + 1, POLICY)
    assert (after.priority, after.due_at, after.rungs) == (1, one.due_at, 1)
