"""The desk of cases over a journal: acts, the queue, events in step with their case."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from alerts.cases.desk import CaseFilters
from alerts.cases.evidence import Lack
from alerts.cases.life import ActIncomplete
from alerts.cases.record import StepKind
from alerts.cases.states import CaseAct, CaseReason, CaseState, Verdict, WrongCaseAct
from alerts.events import Change, Fact
from alerts.journal import MACHINE
from alerts.states import Deed, State
from sensors.errors import UnknownName
from tests.unit.alerts.cases.building import DAY_MS, HOUR_MS, MINUTE_MS, Town, ask

LIFE = (CaseAct.ACKNOWLEDGE, CaseAct.VERIFY, CaseAct.HAND_OVER, CaseAct.RECTIFY, CaseAct.REPORT, CaseAct.WRITE_OFF)


@pytest.fixture
def town() -> Iterator[Town]:
    made = Town()
    yield made
    made.close()


def only_case(town: Town) -> str:
    (case,) = town.desk.cases().cases
    return case.id


def finish(town: Town, case: str) -> None:
    for act in LIFE:
        town.act(case, act)


def test_an_event_opens_a_case_that_runs_from_raised_to_written_off_with_author_time_reason_and_evidence(
    town: Town,
) -> None:
    raised = town.raise_event()
    case = only_case(town)
    town.become(raised, Change.CLEARED, Fact.CLEARED)
    finish(town, case)
    file = town.desk.case(case)
    assert file.case.state is CaseState.WRITTEN_OFF
    assert [step.kind for step in file.steps] == [
        StepKind.OPENED, StepKind.CLEARED, StepKind.ACKNOWLEDGED, StepKind.VERIFIED, StepKind.HANDED_OVER,
        StepKind.RECTIFIED, StepKind.REPORTED, StepKind.WRITTEN_OFF,
    ]  # fmt: skip
    by_people = file.steps[2:]
    assert {step.author for step in by_people} == {"王芳"}
    assert all(step.at == town.now and step.code is not None for step in by_people)
    rectified = next(step for step in by_people if step.kind is StepKind.RECTIFIED)
    assert rectified.evidence["references"] == [{"kind": "file", "value": "photo.jpg", "sha256": "a" * 64}]
    assert [one.alert.id for one in file.events] == [raised.id]


def test_acknowledging_a_case_acknowledges_its_events_and_writing_it_off_closes_them(town: Town) -> None:
    raised = town.raise_event()
    case = only_case(town)
    town.act(case, CaseAct.ACKNOWLEDGE)
    alert = town.events.event(raised.id)
    assert (alert.event.state, alert.acknowledged and alert.acknowledged.author) == (State.ACKNOWLEDGED, "王芳")
    town.become(raised, Change.CLEARED, Fact.CLEARED)
    for act in LIFE[1:]:
        town.act(case, act)
    alert = town.events.event(raised.id)
    assert (alert.event.state, alert.note) == (State.CLOSED, "现场核实")
    assert [step.kind for step in town.events.why(raised.id).steps][-2:] == [Change.CLEARED, Deed.CLOSED]
    assert town.desk.case(case).steps[-1].kind is StepKind.WRITTEN_OFF


def test_acknowledging_an_event_acknowledges_its_case_and_the_other_events_of_it(town: Town) -> None:
    first, second = town.raise_event(hour=0), town.raise_event(hour=5)
    town.events.acknowledge(second.id, "李强", town.now)
    town.settle()
    case = town.desk.case(only_case(town)).case
    assert (case.state, case.acknowledged_by) == (CaseState.ACKNOWLEDGED, "李强")
    assert town.events.event(first.id).event.state is State.ACKNOWLEDGED


def test_a_refused_act_says_why_and_leaves_no_trace(town: Town) -> None:
    town.raise_event()
    case = only_case(town)
    with pytest.raises(WrongCaseAct, match="not_acknowledged") as caught:
        town.desk.act(case, ask(CaseAct.WRITE_OFF))
    assert (caught.value.reason, caught.value.state) == (CaseReason.NOT_ACKNOWLEDGED, CaseState.RAISED)
    with pytest.raises(ActIncomplete) as lacking:
        town.desk.act(case, ask(CaseAct.ACKNOWLEDGE, author=" "))
    assert lacking.value.lacks is Lack.NAME
    with pytest.raises(UnknownName):
        town.desk.act("nothing", ask(CaseAct.NOTE))
    assert [step.kind for step in town.desk.case(case).steps] == [StepKind.OPENED]


def test_withdrawn_events_are_said_and_the_case_may_be_written_off_as_a_data_fault(town: Town) -> None:
    raised = town.raise_event()
    case = only_case(town)
    town.act(case, CaseAct.ACKNOWLEDGE)
    town.become(raised, Change.WITHDRAWN, Fact.WITHDRAWN)
    assert town.desk.case(case).case.withdrawn
    done = town.act(case, CaseAct.WRITE_OFF)
    assert (done.state, done.verdict) == (CaseState.WRITTEN_OFF, Verdict.DATA_FAULT)


def test_a_written_off_case_is_opened_again_on_relapse(town: Town) -> None:
    raised = town.raise_event()
    case = only_case(town)
    town.become(raised, Change.CLEARED, Fact.CLEARED)
    finish(town, case)
    town.later(29 * DAY_MS)
    town.raise_event(hour=9)
    file = town.desk.case(case)
    assert (file.case.state, file.case.reopened, file.case.verdict) == (CaseState.RAISED, 1, Verdict.OPEN)
    assert file.case.occurrence == 2
    assert StepKind.REOPENED in {step.kind for step in file.steps}


def test_an_event_after_the_time_of_relapse_opens_a_new_case_that_names_the_earlier_one(town: Town) -> None:
    raised = town.raise_event()
    case = only_case(town)
    town.become(raised, Change.CLEARED, Fact.CLEARED)
    finish(town, case)
    town.later(31 * DAY_MS)
    town.raise_event(hour=9)
    newest = town.desk.cases().cases[0]
    assert newest.id != case
    assert [one.id for one in town.desk.case(newest.id).earlier] == [case]


def test_an_event_that_comes_back_itself_opens_its_written_off_case_again(town: Town) -> None:
    raised = town.raise_event()
    case = only_case(town)
    cleared = town.become(raised, Change.CLEARED, Fact.CLEARED)
    finish(town, case)
    town.become(cleared, Change.WENT_ON, Fact.GOING_ON)
    assert town.desk.case(case).case.state is CaseState.RAISED


def test_a_repeat_of_an_acknowledged_case_counts_as_acknowledged_with_it_and_says_by_whom(town: Town) -> None:
    town.raise_event()
    case = only_case(town)
    town.act(case, CaseAct.ACKNOWLEDGE)
    repeat = town.raise_event(hour=7)
    alert = town.events.event(repeat.id)
    assert alert.event.state is State.ACKNOWLEDGED
    assert alert.acknowledged is not None
    assert alert.acknowledged.author == MACHINE
    assert town.events.why(repeat.id).steps[-1].evidence == {"case": case}
    assert town.desk.case(case).case.events == 2


def test_a_more_urgent_repeat_is_left_for_a_person_and_makes_the_case_urgent(town: Town) -> None:
    town.raise_event()
    case = only_case(town)
    town.act(case, CaseAct.ACKNOWLEDGE)
    urgent = town.raise_event(hour=7, priority=1)
    assert town.events.event(urgent.id).event.state is State.RAISED
    after = town.desk.case(case)
    assert after.case.priority == 1
    assert after.steps[-1].kind is StepKind.PRIORITY_RAISED


def test_the_queue_has_urgent_cases_first_then_the_overdue_then_the_newest(town: Town) -> None:
    town.raise_event("A")
    town.later(2 * HOUR_MS)  # overdue: an ordinary case is to be acknowledged in two hours
    source = town.raise_event("S", "source-class", factor="class")
    town.later(MINUTE_MS)
    newest = town.raise_event("B")
    queue = town.desk.open_cases(town.now)
    assert [case.site for case in queue] == ["S", "A", "B"]
    assert queue[0].opened_by == source.id
    assert queue[2].opened_by == newest.id
    assert town.desk.count_open(town.now) == {
        "raised": 3, "acknowledged": 0, "verified": 0, "handed_over": 0, "urged": 0, "rectified": 0, "reported": 0,
        "overdue": 1,
    }  # fmt: skip


def test_no_case_starves_behind_ever_newer_ones(town: Town) -> None:
    town.raise_event("A")
    for hour in range(1, 4):
        town.later(HOUR_MS)
        town.raise_event("B", hour=hour)
    assert next(case.site for case in town.desk.open_cases(town.now)) == "A"


def test_of_many_events_the_file_tells_the_one_that_opened_it_and_the_newest(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alerts.cases.desk.FILE_EVENTS", 4)
    first = town.raise_event("A")
    for hour in range(5, 11):
        town.now += MINUTE_MS
        town.raise_event("A", hour=hour)
    file = town.desk.case(only_case(town))
    assert (len(file.events), file.more_events) == (4, 3)
    assert file.events[0].alert.id == first.id
    assert [one.alert.noticed_at for one in file.events[1:]] == [town.now - MINUTE_MS * n for n in (2, 1, 0)]


def test_lists_are_filtered_and_paged(town: Town) -> None:
    for place in ("A", "B", "S"):
        town.raise_event(place)
    page = town.desk.cases(limit=2)
    assert [case.site for case in page.cases] == ["S", "B"]
    rest = town.desk.cases(limit=2, cursor=page.cursor)
    assert ([case.site for case in rest.cases], rest.cursor) == (["A"], None)
    assert [case.site for case in town.desk.cases(CaseFilters(sites=("B",))).cases] == ["B"]
    assert town.desk.cases(CaseFilters(states=(CaseState.URGED,))).cases == ()


def test_a_person_opens_a_case_of_an_event_for_which_the_policy_opens_none(town: Town) -> None:
    hint = town.raise_event("V1", "voc-hour", factor="NMHC", hint=True)
    assert town.desk.cases().cases == ()
    made = town.desk.open(hint.id, "王芳", "多次投诉", town.now)
    assert (made.site, made.events) == ("V1", 1)
    assert town.desk.of_event(hint.id) == made
    assert town.desk.open(hint.id, "王芳", "再次", town.now) == made
    with pytest.raises(ActIncomplete):
        town.desk.open(hint.id, "王芳", "", town.now)
    with pytest.raises(UnknownName):
        town.desk.open("nothing", "王芳", "多次投诉", town.now)
