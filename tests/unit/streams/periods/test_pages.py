from __future__ import annotations

import numpy as np

from streams.judging.reasons import INCOMPLETE, OK, SILENT
from streams.periods.pages import Cells, Pages, rank_of
from streams.periods.plan import Series
from streams.periods.spans import DaySpan
from streams.periods.touched import Touched
from tests.period_cases import day_no

PM = Series("PM2.5", "24h")
LAST = day_no("2024-12-31")


def cells(member: int, year: int, place: int, value: int | None, *, revision: int = 1, content: int = 0) -> Cells:
    hashed = np.array([content or (value or 0) * 2 + 3], np.uint64)
    return Cells(
        member=np.array([member]),
        block=np.array([year]),
        place=np.array([place]),
        value=np.array([value or 0]),
        present=np.array([value is not None]),
        reason=np.array([OK if value is not None else INCOMPLETE], np.uint8),
        marks=np.array([4], np.int32),
        rank=rank_of(np.array([revision], np.int32), hashed),
    )


def test_a_stretch_runs_over_the_new_year() -> None:
    pages = Pages(2, 366)
    pages.fold(PM, cells(1, 2024, 365, 10))
    pages.fold(PM, cells(1, 2025, 0, 20))
    found = pages.stretch(PM, np.array([0, 1]), LAST - 1, LAST + 2)
    assert found.values.value.tolist() == [[0, 0, 0, 0], [0, 10, 20, 0]]
    assert found.values.present.tolist()[1] == [False, True, True, False]
    assert found.values.reason.tolist()[1] == [SILENT, OK, OK, SILENT]
    assert found.marks.tolist()[1] == [0, 4, 4, 0]
    assert found.values.days.tolist() == [LAST - 1, LAST, LAST + 1, LAST + 2]


def test_the_greatest_revision_stays_whatever_the_order() -> None:
    for order in ((1, 2, 3), (3, 1, 2), (2, 3, 1)):
        pages = Pages(1, 366)
        for revision in order:
            pages.fold(PM, cells(0, 2024, 0, 10 * revision, revision=revision))
        first = day_no("2024-01-01")
        assert pages.stretch(PM, np.array([0]), first, first).values.value.tolist() == [[30]]


def test_of_two_rows_of_one_revision_the_same_one_stays_in_any_order() -> None:
    found = []
    for order in ((10, 20), (20, 10)):
        pages = Pages(1, 366)
        for value in order:
            pages.fold(PM, cells(0, 2024, 0, value))
        first = day_no("2024-01-01")
        found.append(pages.stretch(PM, np.array([0]), first, first).values.value.tolist())
    assert found[0] == found[1]


def test_the_same_content_again_is_no_change() -> None:
    pages = Pages(1, 366)
    assert pages.fold(PM, cells(0, 2024, 0, 10)).tolist() == [True]
    assert pages.fold(PM, cells(0, 2024, 0, 10)).tolist() == [False]
    assert pages.fold(PM, cells(0, 2024, 0, 10, revision=2)).tolist() == [False]
    assert pages.fold(PM, cells(0, 2024, 0, 11, revision=1)).tolist() == [False]
    assert pages.fold(PM, cells(0, 2024, 0, 11, revision=3)).tolist() == [True]


def test_a_day_that_is_not_valid_takes_the_value_away() -> None:
    pages = Pages(1, 366)
    pages.fold(PM, cells(0, 2024, 0, 10))
    pages.fold(PM, cells(0, 2024, 0, None, revision=2))
    first = day_no("2024-01-01")
    found = pages.stretch(PM, np.array([0]), first, first).values
    assert (found.value.tolist(), found.present.tolist(), found.came.tolist()) == ([[0]], [[False]], [[True]])
    assert found.reason.tolist() == [[INCOMPLETE]]


def test_blocks_are_forgotten_and_memory_is_told() -> None:
    pages = Pages(1, 24)
    pages.fold(PM, cells(0, 100, 5, 10))
    pages.fold(PM, cells(0, 101, 5, 10))
    assert pages.nbytes == 2 * 24 * 21
    pages.forget(101)
    assert pages.blocks() == {101}
    assert pages.cells(PM, 100, np.array([0]), np.array([5])) is None


def test_the_content_of_a_period_is_that_of_its_days() -> None:
    pages = Pages(2, 366)
    pages.fold(PM, cells(0, 2024, 10, 10))
    first = day_no("2024-01-01")
    both, spans = (
        np.array([0, 1]),
        [DaySpan(first, first + 20), DaySpan(first, first + 9), DaySpan(first + 10, first + 10)],
    )
    whole = pages.contents(both, spans)
    assert whole[1].tolist() == [0, 0, 0]
    assert whole[0, 0] == whole[0, 2] != 0
    assert whole[0, 1] == 0
    pages.fold(PM, cells(0, 2024, 10, 11, revision=2))
    assert pages.contents(both[:1], spans[:1])[0, 0] != whole[0, 0]


def test_touched_days_wait_until_they_are_over() -> None:
    touched = Touched(2)
    assert not touched
    touched.mark(np.array([0, 1, 0]), np.array([LAST, LAST, LAST + 1]))
    members, days = touched.take(np.array([LAST, LAST - 1]))
    assert (members.tolist(), days.tolist()) == ([0], [LAST])
    assert touched
    members, days = touched.take(np.array([LAST + 1, LAST + 1]))
    assert (members.tolist(), days.tolist()) == ([1, 0], [LAST, LAST + 1])
    assert not touched


def test_a_span_over_the_new_year_touches_each_of_its_days() -> None:
    touched = Touched(3)
    touched.mark_span(np.array([0, 2]), LAST, LAST + 1)
    members, days = touched.take(np.full(3, LAST + 5))
    assert (members.tolist(), days.tolist()) == ([0, 2, 0, 2], [LAST, LAST, LAST + 1, LAST + 1])
