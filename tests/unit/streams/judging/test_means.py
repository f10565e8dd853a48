from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from streams.air.means import MDA8_WINDOWS, mda8, o3_8h_platform
from streams.judging.means import day_mean, divide_half_even, round_to_step, running_mean

STEP = 100


def hours(*values: int | None) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return one site's hours in whole units and which are there; an absent one holds junk."""
    numbers = np.array([[99_999 if value is None else value * STEP for value in values]], dtype=np.int64)
    return numbers, np.array([[value is not None for value in values]])


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(5, 2, 2), (7, 2, 4), (-5, 2, -2), (-7, 2, -4), (1, 3, 0), (2, 3, 1), (-2, 3, -1), (0, 7, 0), (10, 4, 2)],
)
def test_a_quotient_is_rounded_half_to_even(numerator: int, denominator: int, expected: int) -> None:
    assert divide_half_even(numerator, denominator) == expected


@pytest.mark.parametrize("denominator", [0, -1])
def test_a_denominator_that_is_not_positive_is_refused(denominator: int) -> None:
    with pytest.raises(ValueError, match="not positive"):
        divide_half_even([1, 2], [1, denominator])


def test_values_are_rounded_to_the_standards_last_digit() -> None:
    assert round_to_step([6050, 6150, 6149, 6051], STEP).tolist() == [6000, 6200, 6100, 6100]


def test_rounding_of_nothing_is_nothing() -> None:
    assert round_to_step(np.zeros((0, 5), dtype=np.int64), STEP).shape == (0, 5)


def test_a_running_mean_crosses_midnight_and_is_rounded_half_to_even() -> None:
    values, present = hours(*[10] * 7, 14, 18)
    found = running_mean(values, present, span=8, at_least=6, step=STEP)
    assert found.value[0, 7:].tolist() == [1000, 1200]  # 84 / 8 = 10.5 and 92 / 8 = 11.5
    assert found.valid[0].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 8]


def test_six_of_eight_hours_are_enough_and_five_are_not() -> None:
    values, present = hours(None, None, 10, 10, 10, 10, 10, 10, None)
    found = running_mean(values, present, span=8, at_least=6, step=STEP)
    assert found.ok[0].tolist() == [False] * 7 + [True, True]
    values, present = hours(None, None, None, 10, 10, 10, 10, 10)
    found = running_mean(values, present, span=8, at_least=6, step=STEP)
    assert not found.ok.any()
    assert found.value[0, -1] == 0
    assert found.valid[0, -1] == 5


def test_an_absent_hour_does_not_weigh_on_the_mean_whatever_it_holds() -> None:
    values, present = hours(10, None, 20)
    assert running_mean(values, present, span=3, at_least=2, step=STEP).value[0, 2] == 1500


def test_a_window_of_no_valid_hour_has_no_mean_even_where_none_is_needed() -> None:
    values, present = hours(None, None)
    assert not running_mean(values, present, span=2, at_least=0, step=STEP).ok.any()


def test_running_means_of_many_sites_and_factors_are_those_of_each() -> None:
    generator = np.random.default_rng(7)
    values = generator.integers(0, 300, (3, 6, 40)) * STEP
    present = generator.random((3, 6, 40)) < 0.8
    whole = running_mean(values, present, span=24, at_least=20, step=STEP)
    for site in range(3):
        for factor in range(6):
            one = running_mean(values[site, factor], present[site, factor], span=24, at_least=20, step=STEP)
            assert (whole.value[site, factor] == one.value).all()
            assert (whole.ok[site, factor] == one.ok).all()


def test_inputs_are_left_as_they_were() -> None:
    values, present = hours(10, None, 20)
    before = values.copy(), present.copy()
    running_mean(values, present, span=2, at_least=1, step=STEP)
    day_mean(values, present, at_least=1, step=STEP)
    assert (values == before[0]).all()
    assert (present == before[1]).all()


def test_the_platforms_ozone_mean_begins_anew_after_midnight() -> None:
    values, present = hours(*range(10, 34), 100, 50)
    of_day = np.arange(26) % 24
    found = o3_8h_platform(values, present, of_day, at_least=6, step=STEP)
    assert found.value[0, 0] == 1000
    assert found.value[0, 3] == 1200  # mean of 10, 11, 12, 13 is 11.5
    assert found.value[0, 23] == 3000  # mean of 26 to 33 is 29.5
    assert found.value[0, 24:].tolist() == [10000, 7500]


def test_the_platforms_mean_needs_no_more_hours_than_its_window_has() -> None:
    values, present = hours(10, None, 30)
    found = o3_8h_platform(values, present, np.arange(3), at_least=6, step=STEP)
    assert found.ok[0].tolist() == [True, False, False]


@pytest.mark.parametrize(("lacking", "valid"), [(0, True), (4, True), (5, False), (24, False)])
def test_a_day_needs_twenty_hours(lacking: int, valid: bool) -> None:  # noqa: FBT001  an expected value
    values, present = hours(*[30] * (24 - lacking), *[None] * lacking)
    found = day_mean(values, present, at_least=20, step=STEP)
    assert found.ok.tolist() == [valid]
    assert found.value.tolist() == [3000 if valid else 0]
    assert found.valid.tolist() == [24 - lacking]


def test_a_day_mean_is_rounded_half_to_even_at_the_factors_own_digit() -> None:
    values = np.array([[400] * 12 + [500] * 12], dtype=np.int64)  # CO: 0.4 and 0.5 mg/m³ at three digits
    assert day_mean(values, np.ones((1, 24), dtype=np.bool_), at_least=20, step=100).value.tolist() == [400]


def windows(count: int, value: int = 50) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    means = np.full((1, MDA8_WINDOWS), 99_900, dtype=np.int64)
    present = np.arange(MDA8_WINDOWS)[None, :] < count
    means[present] = value * STEP
    return means, present


@pytest.mark.parametrize(("count", "valid"), [(17, True), (14, True), (13, False), (0, False)])
def test_the_largest_ozone_mean_needs_fourteen_windows(count: int, valid: bool) -> None:  # noqa: FBT001  expected
    found = mda8(*windows(count), at_least=14)
    assert found.ok.tolist() == [valid]
    assert found.value.tolist() == [5000 if valid else 0]
    assert found.valid.tolist() == [count]


@pytest.mark.parametrize(("value", "valid"), [(161, True), (160, False)])
def test_fewer_windows_are_enough_when_the_largest_is_over_the_limit(value: int, valid: bool) -> None:  # noqa: FBT001
    assert mda8(*windows(3, value), at_least=14, limit=16_000).ok.tolist() == [valid]


def test_the_limit_may_differ_from_site_to_site() -> None:
    means, present = windows(3, 120)
    both = mda8(np.repeat(means, 2, axis=0), np.repeat(present, 2, axis=0), at_least=14, limit=[10_000, 16_000])
    assert both.ok.tolist() == [True, False]


def test_no_window_is_no_value_whatever_the_limit() -> None:
    found = mda8(*windows(0), at_least=14, limit=-1)
    assert not found.ok.any()
    assert found.value.tolist() == [0]


def test_an_ozone_mean_of_zero_is_a_value() -> None:
    found = mda8(*windows(17, 0), at_least=14)
    assert found.ok.all()
    assert found.value.tolist() == [0]
