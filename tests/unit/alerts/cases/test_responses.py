"""Warning response: 启动 → 响应 → 解除, episodes of heavy pollution, emergencies and drills."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from alerts.cases.evidence import Evidence, EvidenceKind, Lack
from alerts.cases.policy import CasePolicy
from alerts.cases.record import StepKind
from alerts.cases.responsedesk import ResponseDesk
from alerts.cases.responses import (
    Condition,
    PlantList,
    Proposal,
    Purpose,
    ResponseAct,
    ResponseAsk,
    ResponseIncomplete,
    ResponseKind,
    ResponsePolicy,
    ResponseReason,
    ResponseState,
    WrongResponseAct,
    may_lift,
    next_response,
    proposal_of,
)
from alerts.cases.states import CaseState
from alerts.journal import Journal, open_journal
from sensors.errors import UnknownName
from tests.unit.alerts.cases.building import NOW, POLICY, Town

HEAVY = POLICY.responses[ResponseKind.HEAVY_POLLUTION]
A, S, R = ResponseAct, ResponseState, ResponseReason


@pytest.fixture
def journal() -> Iterator[Journal]:
    opened = open_journal("sqlite://", lambda: NOW)
    yield opened
    opened.close()


@pytest.fixture
def desk(journal: Journal) -> ResponseDesk:
    return ResponseDesk(journal, POLICY)


def said(act: ResponseAct, at: int = NOW, **other: Any) -> ResponseAsk:
    made: dict[str, Any] = {"act": act, "author": "赵敏", "at": at, "note": "会商决定"}
    if act is A.START:
        made |= {"level": 3, "areas": ("shangyu",)}
    return ResponseAsk(**(made | other))


@pytest.mark.parametrize(
    ("state", "act", "then", "reason"),
    [
        (None, A.START, S.STARTED, R.STARTED),
        (S.STARTED, A.RESPOND, S.RESPONDING, R.FIRST_RESPONSE),
        (S.STARTED, A.ADJUST, S.STARTED, R.ADJUSTED),
        (S.STARTED, A.LIFT, S.LIFTED, R.LIFTED),
        (S.RESPONDING, A.RESPOND, S.RESPONDING, R.FURTHER_RESPONSE),
        (S.RESPONDING, A.ADJUST, S.RESPONDING, R.ADJUSTED),
        (S.RESPONDING, A.LIFT, S.LIFTED, R.LIFTED),
        (S.LIFTED, A.NOTE, S.LIFTED, R.ADDED),
    ],
)
def test_the_table_of_responses_is_complete_in_what_it_allows(
    state: ResponseState | None, act: ResponseAct, then: ResponseState, reason: ResponseReason
) -> None:
    found = next_response(state, act)
    assert (found.allowed, found.state, found.reason) == (True, then, reason)


@pytest.mark.parametrize(
    ("state", "act", "reason"),
    [
        *((None, act, R.NOT_STARTED) for act in A if act is not A.START),
        (S.STARTED, A.START, R.ALREADY_STARTED),
        (S.RESPONDING, A.START, R.ALREADY_STARTED),
        *((S.LIFTED, act, R.ALREADY_LIFTED) for act in A if act is not A.NOTE),
    ],
)
def test_what_it_refuses_has_a_reason(state: ResponseState | None, act: ResponseAct, reason: ResponseReason) -> None:
    found = next_response(state, act)
    assert (found.allowed, found.state, found.reason) == (False, state, reason)


def test_a_response_starts_is_answered_and_lifted_with_level_times_person_reason_evidence_and_response_time(
    desk: ResponseDesk,
) -> None:
    paper = Evidence(kind=EvidenceKind.FILE, value="通知.pdf", sha256="b" * 64)
    made = desk.start(ResponseKind.WARNING, said(A.START, evidence=(paper,)), synthetic=True)
    desk.act(made.id, said(A.RESPOND, NOW + 60_000, author="钱进", note=""))
    lifted = desk.act(made.id, said(A.LIFT, NOW + 3_600_000))
    assert (lifted.state, lifted.level, lifted.areas) == (S.LIFTED, 3, ("shangyu",))
    assert (lifted.started_by, lifted.responded_by, lifted.lifted_by) == ("赵敏", "钱进", "赵敏")
    assert lifted.response_ms == 60_000
    file = desk.response(made.id)
    assert [step.kind for step in file.steps] == [A.START, A.RESPOND, A.LIFT]
    assert file.steps[0].evidence["references"] == [paper.told()]
    assert file.steps[0].reason == "会商决定"
    assert [step.number for step in file.steps] == sorted(step.number for step in file.steps)


def test_several_parties_respond_each_once_and_each_has_its_own_time(desk: ResponseDesk) -> None:
    made = desk.start(ResponseKind.WARNING, said(A.START, areas=("shangyu", "other:嵊州市")), synthetic=True)
    desk.act(made.id, said(A.RESPOND, NOW + 1000, party="department:emergency"))
    desk.act(made.id, said(A.RESPOND, NOW + 9000, party="department:water"))
    with pytest.raises(WrongResponseAct) as caught:
        desk.act(made.id, said(A.RESPOND, NOW + 9999, party="department:water"))
    assert caught.value.reason is R.ALREADY_RESPONDED
    file = desk.response(made.id)
    assert file.response_ms == {"department:emergency": 1000, "department:water": 9000}
    assert file.response.response_ms == 1000


@pytest.mark.parametrize(
    ("days", "level"),
    [
        ([], None),
        ([150, 200], None),  # neither is above
        ([201], 3),
        ([151, 151], 3),
        ([151, 151, 151], 2),
        ([201, 201], 2),
        ([201, 201, 301], 1),
        ([201, 301, None, 201], 2),  # an unknown day breaks a run and meets nothing
        ([None, None, None], None),
        ([301, 150, 301, 150, 301], 3),
    ],
)
def test_an_episode_is_proposed_from_a_forecast_series(days: list[int | None], level: int | None) -> None:
    found = proposal_of(days, HEAVY)
    assert (found.level, found.unknown) == (level, days.count(None))


def test_a_lowered_threshold_proposes_earlier() -> None:
    lower = {
        name: replace(
            one,
            starts=tuple(tuple(Condition(above=each.above - 50, days=each.days) for each in row) for row in one.starts),
        )
        for name, one in HEAVY.levels.items()
    }
    assert proposal_of([151], HEAVY) == Proposal(level=None)
    assert proposal_of([151], replace(HEAVY, levels=lower)).level == 3


@pytest.mark.parametrize(
    ("coming", "expected"),
    [([150, 150], True), ([150, 151], False), ([150], False), ([150, None], False), ([], False)],
)
def test_a_level_may_be_lifted_when_the_coming_days_are_known_to_stay_below_its_start(
    coming: list[int | None],
    expected: bool,  # noqa: FBT001 - a table of cases
) -> None:
    assert may_lift(coming, 3, HEAVY) is expected


def test_a_kind_without_starts_proposes_no_lift() -> None:
    assert not may_lift([10, 10], 4, POLICY.responses[ResponseKind.WARNING])


def test_an_episode_is_adjusted_with_the_lists_and_measures_of_its_level_as_they_were(journal: Journal) -> None:
    plants = PlantList(id="a-grade", version="2026-10", members=("firm-1", "firm-2"))
    measured = {name: replace(one, measures=(f"措施{name}",)) for name, one in HEAVY.levels.items()}
    policy = with_heavy(replace(HEAVY, levels=measured, lists=(plants,)))
    made = ResponseDesk(journal, policy).start(ResponseKind.HEAVY_POLLUTION, said(A.START), synthetic=True)
    newer = with_heavy(
        replace(HEAVY, levels=measured, lists=(replace(plants, version="2026-12", members=("firm-3",)),))
    )
    desk = ResponseDesk(journal, newer)
    after = desk.act(made.id, said(A.ADJUST, NOW + 5, level=2))
    assert (after.level, after.attached["measures"]) == (2, ["措施2"])
    first, second = desk.response(made.id).steps
    assert first.evidence["attached"]["lists"] == [
        {"id": "a-grade", "version": "2026-10", "members": ["firm-1", "firm-2"]}
    ]
    assert second.evidence["attached"]["lists"][0]["version"] == "2026-12"
    with pytest.raises(WrongResponseAct) as caught:
        desk.act(made.id, said(A.ADJUST, NOW + 6, level=2))
    assert caught.value.reason is R.NOTHING_NEW


def with_heavy(heavy: ResponsePolicy) -> CasePolicy:
    return replace(POLICY, responses={**POLICY.responses, ResponseKind.HEAVY_POLLUTION: heavy})


def test_a_drill_takes_the_same_path_and_is_marked_in_every_step(desk: ResponseDesk) -> None:
    made = desk.start(ResponseKind.EMERGENCY, said(A.START), purpose=Purpose.DRILL, synthetic=True)
    desk.act(made.id, said(A.RESPOND, NOW + 1))
    desk.act(made.id, said(A.LIFT, NOW + 2))
    file = desk.response(made.id)
    assert file.response.purpose is Purpose.DRILL
    assert [step.evidence["drill"] for step in file.steps] == [True, True, True]


def test_an_emergency_has_contacts_and_plan_attached(journal: Journal) -> None:
    kind = ResponseKind.EMERGENCY
    plan = replace(POLICY.responses[kind], contacts=("值班室 0",), plan=("预案第4章",))
    desk = ResponseDesk(journal, replace(POLICY, responses={**POLICY.responses, kind: plan}))
    made = desk.start(kind, said(A.START), synthetic=True)
    assert made.attached == {"contacts": ["值班室 0"], "plan": ["预案第4章"]}
    assert desk.response(made.id).response == made


def test_a_response_to_a_case_stands_in_its_file() -> None:
    town = Town()
    raised = town.raise_event("S", "source-class", factor="class")
    case = town.desk.of_event(raised.id)
    assert case is not None
    desk = ResponseDesk(town.journal, POLICY)
    made = desk.start(ResponseKind.WARNING, said(A.START), synthetic=True, case=case.id)
    file = town.desk.case(case.id)
    assert [one.response.id for one in file.responses] == [made.id]
    told = file.steps[-1]
    assert (told.kind, told.author, told.notify) == (StepKind.RESPONSE, "赵敏", True)
    assert told.evidence == {"response": made.id, "act": "start", "level": 3, "areas": ["shangyu"]}
    assert file.case.state is CaseState.RAISED
    with pytest.raises(UnknownName):
        desk.start(ResponseKind.WARNING, said(A.START), synthetic=True, case="nothing")
    town.close()


@pytest.mark.parametrize(
    ("changed", "lack"),
    [
        ({"author": " "}, Lack.NAME),
        ({"note": ""}, Lack.NOTE),
        ({"level": None}, Lack.LEVEL),
        ({"level": 9}, Lack.LEVEL),
        ({"areas": ()}, Lack.AREA),
        ({"party": "x" * 121}, Lack.PARTY),
        ({"party": "a\nb"}, Lack.PARTY),
        ({"evidence": (Evidence(kind=EvidenceKind.FILE, value="../x", sha256="b" * 64),)}, Lack.BAD_EVIDENCE),
    ],
)
def test_a_start_that_lacks_something_says_what(desk: ResponseDesk, changed: dict[str, Any], lack: Lack) -> None:
    with pytest.raises(ResponseIncomplete) as caught:
        desk.start(ResponseKind.HEAVY_POLLUTION, said(A.START, **changed), synthetic=True)
    assert caught.value.lacks is lack
    assert desk.responses() == ()


def test_responses_are_listed_by_level_and_state(desk: ResponseDesk) -> None:
    mild = desk.start(ResponseKind.WARNING, said(A.START, level=4), synthetic=True)
    severe = desk.start(ResponseKind.WARNING, said(A.START, level=1), synthetic=True)
    desk.act(mild.id, said(A.LIFT))
    assert [one.id for one in desk.responses()] == [severe.id, mild.id]
    assert [one.id for one in desk.responses((S.STARTED, S.RESPONDING))] == [severe.id]
    with pytest.raises(UnknownName):
        desk.response("nothing")
    with pytest.raises(UnknownName):
        desk.act("nothing", said(A.LIFT))
