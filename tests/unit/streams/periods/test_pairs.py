from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from streams.periods.members import Reach
from streams.periods.pairs import Pairs, pairs_of


def reach(*entries: tuple[int, int, int, bool]) -> Reach:
    """Return entries: row, first and last day, whether the site counts."""
    row, first, last, counts = zip(*entries, strict=True) if entries else ((), (), (), ())
    return Reach(
        row=np.array(row, np.intp),
        first_day=np.array(first, np.int64),
        last_day=np.array(last, np.int64),
        counts=np.array(counts, np.bool_),
    )


@pytest.fixture
def pairs() -> Pairs:
    """Three areas: two sites, none that counts, and three, one of which counts twice in turn."""
    two = reach((4, 0, 99, True), (1, 5, 9, True))
    none = reach((2, 0, 99, False))
    three = reach((1, 0, 4, True), (3, 0, 99, True), (1, 8, 9, True), (0, 0, 2, True), (2, 0, 99, False))
    return pairs_of([two, none, three])


def column(*numbers: int) -> NDArray[np.int64]:
    return np.array(numbers, np.int64)[:, None]


def test_pairs_stand_by_area_and_then_by_row_and_an_area_without_a_site_that_counts_has_none(pairs: Pairs) -> None:
    assert pairs.area.tolist() == [0, 2]
    assert pairs.row.tolist() == [1, 4, 0, 1, 3]
    assert [pairs.of(place) for place in (0, 1)] == [slice(0, 2), slice(2, 5)]


def test_a_site_counts_within_any_of_its_entries(pairs: Pairs) -> None:
    counted = pairs.counted(np.array([2, 5, 8]))
    assert counted.tolist() == [
        [False, True, True], [True, True, True], [True, False, False], [True, False, True], [True, True, True],
    ]  # fmt: skip


def test_what_pairs_have_is_reduced_over_their_areas(pairs: Pairs) -> None:
    numbers = column(1, 2, 4, 8, 16)
    assert pairs.sum(numbers).ravel().tolist() == [3, 28]
    assert pairs.total(numbers.astype(np.uint64) << np.uint64(63)).ravel().tolist() == [2**63, 0]
    assert pairs.bits(column(1, 3, 4, 4, 2).astype(np.int32)).ravel().tolist() == [3, 6]
    there = column(1, 0, 0, 0, 1) > 0
    assert pairs.count(there).ravel().tolist() == [1, 1]
    assert pairs.some(column(0, 0, 0, 1, 0) > 0).ravel().tolist() == [False, True]
    assert pairs.greatest(numbers, there).ravel().tolist() == [1, 16]
    assert pairs.each(column(7, 9)).ravel().tolist() == [7, 7, 9, 9, 9]


def test_the_first_true_pair_is_told_by_its_row_and_where_none_is_that_of_the_first_pair(pairs: Pairs) -> None:
    assert pairs.first(column(0, 1, 0, 0, 0) > 0).ravel().tolist() == [4, 0]
    assert pairs.first(column(1, 1, 0, 1, 1) > 0).ravel().tolist() == [1, 1]


def test_some_areas_keep_their_own_pairs_and_entries(pairs: Pairs) -> None:
    one = pairs.only(np.array([False, True, True]))
    assert (one.area.tolist(), one.begin.tolist(), one.row.tolist()) == ([2], [0], [0, 1, 3])
    assert one.counted(np.array([2, 8])).tolist() == [[True, False], [True, True], [True, True]]
    assert pairs.only(np.array([True, False, True])) is pairs
    assert pairs.only(np.array([False, True, False])).row.size == 0


def test_no_area_at_all_has_no_pairs() -> None:
    assert pairs_of([]).area.size == 0
