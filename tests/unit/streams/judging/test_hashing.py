from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from streams.judging.hashing import joined, mix, placed, windowed


def numbers(*values: int) -> NDArray[np.uint64]:
    return np.array(values, dtype=np.uint64)


def test_mixing_gives_the_published_numbers_of_splitmix64() -> None:
    # Output of the reference generator for seed 0: the finaliser of one, two and three golden steps.
    step = 0x9E3779B97F4A7C15
    seeds = numbers(*((step * n) % 2**64 for n in (1, 2, 3)))
    assert mix(seeds).tolist() == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


def test_mixing_is_one_to_one_on_what_was_tried() -> None:
    assert np.unique(mix(np.arange(10_000, dtype=np.uint64))).size == 10_000


def test_a_sum_of_placed_numbers_knows_which_stood_where() -> None:
    places = np.arange(3)
    sums = {int(placed(numbers(*row), places).sum(dtype=np.uint64)) for row in ((1, 2, 3), (3, 2, 1), (1, 3, 2))}
    assert len(sums) == 3


def test_an_empty_place_is_not_the_same_as_no_place() -> None:
    assert placed(numbers(0), np.array([5]))[0] != 0


def test_joined_columns_know_their_order_and_negative_numbers() -> None:
    a, b = np.array([1, -1], np.int64), np.array([2, 2], np.int64)
    found = {*joined(a, b).tolist(), *joined(b, a).tolist()}
    assert len(found) == 4


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.int64, np.uint8, np.uint16, np.bool_])
def test_the_width_of_a_column_does_not_matter(kind: type[np.generic]) -> None:
    wide = np.array([0, 1], np.int64)
    assert (joined(wide.astype(kind)) == joined(wide)).all()


def test_a_whole_unsigned_column_is_taken_as_it_is() -> None:
    top = numbers(2**64 - 1, 2**63)
    assert np.unique(joined(top)).size == 2


def test_a_window_sums_what_it_reaches_and_what_is_there() -> None:
    row = numbers(1, 10, 100, 1000)[None]
    assert windowed(row, np.full(4, 2)).tolist() == [[1, 11, 110, 1100]]


def test_each_window_has_a_reach_of_its_own() -> None:
    row = numbers(1, 10, 100, 1000)[None]
    assert windowed(row, np.array([8, 8, 1, 2])).tolist() == [[1, 11, 100, 1100]]


def test_sums_that_pass_the_top_go_round_alike_wherever_the_row_begins() -> None:
    row = mix(np.arange(1, 31, dtype=np.uint64))
    whole, part = windowed(row, np.full(30, 8)), windowed(row[10:], np.full(20, 8))
    assert (whole[17:] == part[7:]).all()
