"""Marks of enterprises that are late, frequent or contradicted by what flowed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from streams.discharge.marks import LATE_MS, OFTEN, Flows, Remark, excluded_hours, remarks, touched
from streams.discharge.permitfile import State
from streams.discharge.permits import EnterpriseMark
from tests.discharge_cases import HOUR_MS


def _mark(first: int, last: int, *, state: State = State.STOPPED, late_ms: int = 0) -> EnterpriseMark:
    return EnterpriseMark(
        state=state, start=first * HOUR_MS, end=last * HOUR_MS, author="甲", sent=first * HOUR_MS + late_ms, evidence=""
    )


def _flows(*values: int | None) -> Flows:
    return Flows(
        start=np.arange(len(values), dtype=np.int64) * HOUR_MS,
        slot_ms=HOUR_MS,
        value=np.array([value or 0 for value in values], np.int64),
        present=np.array([value is not None for value in values]),
        least=10,
    )


def _said(marks: Sequence[EnterpriseMark], flows: Flows) -> list[tuple[Remark, ...]]:
    return [found.remarks for found in remarks(marks, flows)]


def test_a_mark_sent_in_time_that_nothing_contradicts_is_only_counted() -> None:
    (found,) = remarks([_mark(1, 3)], _flows(50, 0, 0, 50))
    assert (found.remarks, found.excluded) == ((), 2)


def test_a_mark_sent_two_hours_after_it_began_is_late() -> None:
    assert _said([_mark(1, 3, late_ms=LATE_MS)], _flows(0)) == [()]
    assert _said([_mark(1, 3, late_ms=LATE_MS + 1)], _flows(0)) == [(Remark.LATE,)]


def test_flow_contradicts_a_plant_that_is_said_to_stand_still() -> None:
    assert _said([_mark(1, 3)], _flows(0, 0, 10, 0)) == [(Remark.CONTRADICTED,)]
    assert _said([_mark(1, 3)], _flows(0, 0, 9, 50)) == [()]
    assert _said([_mark(1, 3, state=State.MAINTENANCE)], _flows(0, 50, 50)) == [()]


def test_what_is_not_known_contradicts_nothing() -> None:
    (found,) = remarks([_mark(1, 3)], _flows(0, None, None, 0))
    assert (found.remarks, found.excluded) == ((), 0)


def test_many_marks_within_a_month_are_frequent() -> None:
    marks = [_mark(day * 24, day * 24 + 1) for day in range(OFTEN + 1)]
    assert _said(marks, _flows(0)) == [()] * OFTEN + [(Remark.FREQUENT,)]
    spread = [_mark(day * 24 * 10, day * 24 * 10 + 1) for day in range(OFTEN + 1)]
    assert _said(spread, _flows(0)) == [()] * (OFTEN + 1)


def test_the_order_in_which_marks_are_written_does_not_matter() -> None:
    marks = [_mark(5, 6), _mark(1, 3, late_ms=LATE_MS + 1)]
    assert remarks(marks, _flows(0)) == remarks(marks[::-1], _flows(0))


def test_hours_are_counted_once_for_each_state() -> None:
    marks = [_mark(1, 3), _mark(2, 4), _mark(2, 3, state=State.MAINTENANCE)]
    assert excluded_hours(marks) == {State.STOPPED: 3, State.MAINTENANCE: 1}
    assert excluded_hours([]) == {}


def test_an_hour_that_a_mark_only_touches_is_excluded_and_counted_but_contradicts_nothing() -> None:
    half = HOUR_MS // 2
    mark = EnterpriseMark(
        state=State.STOPPED, start=HOUR_MS + half, end=3 * HOUR_MS, author="甲", sent=HOUR_MS, evidence=""
    )
    flows = _flows(50, 50, 0, 50)
    assert touched(mark, flows.start, flows.slot_ms).tolist() == [False, True, True, False]
    (found,) = remarks([mark], flows)
    assert (found.remarks, found.excluded) == ((), 2)
