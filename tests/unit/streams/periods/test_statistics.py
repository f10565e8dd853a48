from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from sensors.factors import Form
from streams.periods.statistics import greatest, least, least_count, percentile, take


def row(*values: int | None) -> tuple[Any, Any]:
    present = np.array([[v is not None for v in values]])
    return np.array([[0 if v is None else v for v in values]], np.int64), present


def taken(form: Form, *values: int | None, digits: int = 2, step: int = 1, weights: Any = None) -> int | None:
    numbers, present = row(*values)
    by = None if weights is None else row(*weights)
    found = take(form, numbers, present, digits=digits, step=step, weights=by)
    return int(found.value[0]) if found.ok[0] else None


def test_the_90th_percentile_of_the_sources_six_numbers_is_six_and_a_half() -> None:
    numbers, present = row(300, 400, 800, 200, 500, 400)
    assert percentile(numbers, present, Fraction(9, 10)).value.tolist() == [650]


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ((700,), Fraction(98, 100), 700),
        ((100, 200), Fraction(1, 2), 150),
        ((100, None, 200, None), Fraction(1, 2), 150),
        ((5, 1, 4, 2, 3), Fraction(1), 5),
        ((5, 1, 4, 2, 3), Fraction(0), 1),
        # 1 + 364 × 0.95 = 346.8: between the 346th and 347th of 1 … 365, in hundredths
        (tuple(100 * n for n in range(1, 366)), Fraction(95, 100), 34680),
        # 1 + 365 × 0.98 = 358.7
        (tuple(100 * n for n in range(1, 367)), Fraction(98, 100), 35870),
    ],
)
def test_a_percentile_lies_on_the_line_between_its_neighbours(
    values: tuple[int | None, ...], share: Fraction, expected: int
) -> None:
    found = percentile(*row(*values), share)
    assert found.ok.tolist() == [True]
    assert found.value.tolist() == [expected]


def test_a_percentile_is_rounded_half_to_even_once() -> None:
    numbers, present = row(200, 300)
    assert percentile(numbers, present, Fraction(1, 2), step=100).value.tolist() == [200]  # 2.5 to 2
    numbers, present = row(300, 400)
    assert percentile(numbers, present, Fraction(1, 2), step=100).value.tolist() == [400]  # 3.5 to 4


def test_nothing_has_no_percentile() -> None:
    assert percentile(*row(None, None), Fraction(1, 2)).ok.tolist() == [False]
    assert percentile(np.zeros((1, 0), np.int64), np.zeros((1, 0), np.bool_), Fraction(1, 2)).ok.tolist() == [False]


def test_a_mean_leaves_out_what_is_not_valid() -> None:
    assert taken(Form.MEAN, 100, None, 200) == 150
    assert taken(Form.MEAN, None, None) is None
    assert taken(Form.MEAN, 0, 0) == 0


def test_a_mean_is_rounded_half_to_even_at_the_step() -> None:
    assert taken(Form.MEAN, 200, 300, step=100) == 200
    assert taken(Form.MEAN, 300, 400, step=100) == 400
    assert taken(Form.MEAN, 100, 101, 101, step=1) == 101  # 100.67


def test_amounts_are_added_and_maxima_taken() -> None:
    assert taken(Form.SUM, 100, None, 250) == 350
    assert taken(Form.COUNTER, 7, 8, digits=0) == 15
    assert taken(Form.MAX, -5, -3, None) == -3
    numbers, present = row(-5, None, -3)
    assert greatest(numbers, present).value.tolist() == [-3]
    assert least(numbers, present).value.tolist() == [-5]
    assert not least(*row(None)).ok[0]


def test_a_state_of_a_longer_time_is_the_last_one_that_is_known() -> None:
    assert taken(Form.STATE, 1, 0) == 0
    assert taken(Form.STATE, 1, 100, None) == 100
    assert taken(Form.STATE, None) is None


def test_what_is_weighted_and_has_no_weights_has_no_value() -> None:
    assert taken(Form.FLOW_WEIGHTED, 1000) is None
    assert taken(Form.VECTOR, 9000) is None


def test_a_flow_weighted_mean_weighs_each_day_with_its_flow() -> None:
    # (10 × 1 + 20 × 3) / 4 = 17.5
    assert taken(Form.FLOW_WEIGHTED, 1000, 2000, weights=(100, 300)) == 1750


def test_a_day_without_flow_takes_no_part_and_none_has_no_mean() -> None:
    assert taken(Form.FLOW_WEIGHTED, 1000, 9900, 2000, weights=(100, None, 300)) == 1750
    assert taken(Form.FLOW_WEIGHTED, 1000, 9900, weights=(100, 0)) == 1000
    assert taken(Form.FLOW_WEIGHTED, 1000, weights=(0,)) is None
    assert taken(Form.FLOW_WEIGHTED, 1000) is None


def test_a_flow_weighted_mean_of_very_large_numbers_is_exact() -> None:
    large = 3_000_000_000
    values, flows = (large, large + 2, None), (large, large, large)
    assert taken(Form.FLOW_WEIGHTED, *values, weights=flows) == large + 1


def test_acidity_is_averaged_as_hydrogen_ions() -> None:
    # 10^-6 and 10^-8: mean 5.05e-7, pH 6.2967
    assert taken(Form.HYDROGEN_ION, 600, 800) == 630
    assert taken(Form.HYDROGEN_ION, 700, 700) == 700
    assert taken(Form.HYDROGEN_ION, None) is None


def test_levels_are_averaged_as_energy() -> None:
    # 60 and 70 dB: 10 lg((10^6 + 10^7) / 2) = 67.404
    assert taken(Form.ENERGY, 6000, 7000) == 6740
    assert taken(Form.ENERGY, None, 7000) == 7000


def test_north_lies_between_350_and_10_degrees() -> None:
    assert taken(Form.VECTOR, 35000, 1000, weights=(100, 100)) == 0
    assert taken(Form.VECTOR, 9000, 18000, weights=(100, 100)) == 13500
    assert taken(Form.VECTOR, 0, 18000, weights=(100, 100)) is None  # they cancel
    assert taken(Form.VECTOR, 9000, 18000, weights=(100, None)) == 9000


def test_a_share_asks_for_no_less_than_itself() -> None:
    assert least_count(Fraction(3, 4), 31) == 24  # 23.25
    assert least_count(Fraction(3, 4), 4) == 3
    assert least_count(Fraction(3, 4), 0) == 1


def test_rows_are_taken_apart() -> None:
    values = np.array([[100, 200], [300, 500]], np.int64)
    present = np.array([[True, True], [False, True]])
    found = take(Form.MEAN, values, present, digits=2, step=1)
    assert found.value.tolist() == [150, 500]
