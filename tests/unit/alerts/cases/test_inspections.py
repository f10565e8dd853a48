"""Inspections: draws that anybody can repeat, results that end a task once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from alerts.cases.evidence import Evidence, EvidenceKind, Lack
from alerts.cases.inspectiondesk import InspectionDesk, Order
from alerts.cases.inspections import (
    Outcome,
    TaskIncomplete,
    TaskReason,
    TaskState,
    WrongTaskAct,
    draw,
    weights_of,
)
from alerts.cases.record import StepKind
from alerts.cases.states import CaseAct
from sensors.errors import UnknownName
from tests.unit.alerts.cases.building import DAY_MS, NOW, POLICY, Town

ORDER = Order(author="王芳", at=NOW, note="专项检查", due_at=NOW + DAY_MS)
WEIGHTS = {f"site-{number}": 1 + number % 3 for number in range(30)}


@pytest.fixture
def town() -> Iterator[Town]:
    made = Town()
    yield made
    made.close()


@pytest.fixture
def desk(town: Town) -> InspectionDesk:
    return InspectionDesk(town.journal, POLICY)


def test_the_same_seed_draws_the_same_list_whatever_the_order_of_sites() -> None:
    turned = dict(reversed(WEIGHTS.items()))
    assert draw(WEIGHTS, 5, "2026-11") == draw(turned, 5, "2026-11")
    assert draw(WEIGHTS, 5, "2026-11") != draw(WEIGHTS, 5, "2026-12")


def test_a_longer_list_goes_on_where_the_shorter_ends_and_names_nobody_twice() -> None:
    assert draw(WEIGHTS, 9, "x")[:5] == draw(WEIGHTS, 5, "x")
    assert sorted(draw(WEIGHTS, 99, "x")) == sorted(WEIGHTS)
    assert draw({}, 5, "x") == draw(WEIGHTS, 0, "x") == ()


def test_a_site_is_drawn_as_often_as_it_has_lots() -> None:
    found = Counter(draw({"a": 1, "b": 3, "never": 0}, 1, str(seed))[0] for seed in range(4000))
    assert set(found) == {"a", "b"}
    assert 0.72 < found["b"] / 4000 < 0.78  # 3 of 4; five standard deviations are 0.034


def test_a_weight_out_of_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="weight -1"):
        draw({"a": -1}, 1, "x")


def test_true_cases_and_the_black_list_give_more_lots() -> None:
    assert weights_of(["A", "B", "C"], {"A": 2}, ["C"]) == {"A": 3, "B": 1, "C": 6}


def test_a_list_is_ordered_once(desk: InspectionDesk) -> None:
    first = desk.draw(WEIGHTS, 3, "2026-11", ORDER)
    assert [task.site for task in first] == list(draw(WEIGHTS, 3, "2026-11"))
    assert [task.weight for task in first] == [WEIGHTS[task.site] for task in first]
    again = desk.draw(WEIGHTS, 3, "2026-11", replace(ORDER, at=NOW + 5))
    assert again == first
    assert desk.tasks(state=TaskState.ORDERED) == first


def test_a_result_closes_the_task_and_is_told_in_its_case(town: Town, desk: InspectionDesk) -> None:
    town.raise_event()
    (case,) = town.desk.cases().cases
    task = desk.order(case.id, ORDER)
    assert (task.site, task.case) == ("A", case.id)
    photo = Evidence(kind=EvidenceKind.FILE, value="现场.jpg", sha256="c" * 64)
    done = desk.end(task.id, Outcome.VIOLATION, author="执法一队", at=NOW + 9, result="设施未运行", evidence=(photo,))
    assert (done.state, done.outcome) == (TaskState.DONE, Outcome.VIOLATION)
    assert desk.tasks(case=case.id) == (done,)
    first, last = town.desk.case(case.id).steps[-2:]
    assert (first.kind, first.author, first.reason) == (StepKind.INSPECTION, "王芳", "专项检查")
    assert (last.kind, last.author, last.reason) == (StepKind.INSPECTION, "执法一队", "设施未运行")
    assert last.evidence["outcome"] == "violation"
    assert last.evidence["references"] == [photo.told()]
    with pytest.raises(WrongTaskAct) as caught:
        desk.end(task.id, Outcome.CLEAN, author="执法二队", at=NOW + 10, result="再次")
    assert caught.value.reason is TaskReason.ALREADY_DONE
    assert desk.tasks(case=case.id) == (done,)


def test_a_task_that_was_called_off_takes_no_result(desk: InspectionDesk) -> None:
    (task,) = desk.draw({"A": 1}, 1, "x", ORDER)
    assert desk.end(task.id, None, author="王芳", at=NOW + 1, result="重复").state is TaskState.CALLED_OFF
    with pytest.raises(WrongTaskAct) as caught:
        desk.end(task.id, Outcome.CLEAN, author="王芳", at=NOW + 2, result="无")
    assert caught.value.reason is TaskReason.ALREADY_CALLED_OFF


@pytest.mark.parametrize(
    ("changed", "lack"),
    [({"author": " "}, Lack.NAME), ({"note": ""}, Lack.NOTE), ({"due_at": NOW}, Lack.DUE)],
)
def test_an_order_that_lacks_something_says_what(desk: InspectionDesk, changed: dict[str, Any], lack: Lack) -> None:
    with pytest.raises(TaskIncomplete) as caught:
        desk.draw({"A": 1}, 1, "x", replace(ORDER, **changed))
    assert caught.value.lacks is lack
    assert desk.tasks() == ()


def test_unknown_tasks_and_cases_are_told(desk: InspectionDesk) -> None:
    with pytest.raises(UnknownName):
        desk.order("nothing", ORDER)
    with pytest.raises(UnknownName):
        desk.end("nothing", None, author="王芳", at=NOW, result="x")


def test_weights_come_from_the_true_cases_of_a_site(town: Town, desk: InspectionDesk) -> None:
    town.raise_event()
    (case,) = town.desk.cases().cases
    assert desk.true_cases(NOW - DAY_MS) == {}
    for act in (CaseAct.ACKNOWLEDGE, CaseAct.VERIFY):
        town.act(case.id, act)
    assert desk.true_cases(NOW - DAY_MS) == {"A": 1}
