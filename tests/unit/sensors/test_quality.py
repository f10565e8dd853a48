from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from sensors.kinds import Kind, load_kind, parse_kind
from sensors.quality import Reach, flat_line, greater_than, gross_range, rate_of_change, reach_of, spike, suspects
from sensors.yamlfile import parse_yaml

GAP = None
KIND = """\
kind: tank
name: {zh: 罐, en: tank}
slot: 1h
fine: 1h
classes: [tank]
factors:
  a: {name: {zh: 甲, en: a}, unit: mg/L, decimals: 0, low: 0, high: 1000, units: {mg/L: 1, µg/L: 1/1000}}
  b: {name: {zh: 乙, en: b}, unit: mg/L, decimals: 1, low: 0, high: 1000, units: {mg/L: 1}}
windows: [{name: 1h}]
quality:
  - {test: gross_range, factors: [a], numbers: {low: 1 mg/L, high: 500 mg/L}, source: a test}
  - {test: spike, factors: [a], numbers: {height: 100 mg/L}, source: a test}
  - {test: rate_of_change, factors: [b], numbers: {per_slot: 50 mg/L}, source: a test}
  - {test: flat_line, factors: [b], numbers: {slots: 3, within: 0.1 mg/L}, source: a test}
  - {test: greater_than, factors: [a, b], numbers: {by: 2 mg/L}, source: a test}
"""


def series(*values: int | None) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    present = np.array([value is not None for value in values], np.bool_)
    return np.array([0 if value is None else value for value in values], np.int64), present


def marked(found: NDArray[np.bool_]) -> list[int]:
    return [int(place) for place in np.flatnonzero(found)]


@pytest.fixture(name="tank")
def _tank() -> Kind:
    return parse_kind(parse_yaml(KIND, "tank.yaml"))


@pytest.mark.parametrize(
    ("values", "expected"),
    [((), []), ((0,), [0]), ((10, 20), []), ((9, 21), [0, 1]), ((GAP, 15, 99), [2]), ((10, 10, 10), [])],
)
def test_gross_range_marks_what_lies_outside_and_not_its_bounds(
    values: tuple[int | None, ...], expected: list[int]
) -> None:
    assert marked(gross_range(*series(*values), 10, 20)) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((), []),
        ((500,), []),
        ((1, 500), []),
        ((10, 111, 10), [1]),  # 101 over the mean of its neighbours
        ((10, 110, 10), []),  # 100: not more than the height
        ((10, 111, 11), [1]),  # 100.5, exactly
        ((200, 10, 200), [1]),  # downwards as well
        ((0, 300, 600), []),  # a steep but steady rise
        ((10, 500, GAP, 10), []),
        ((GAP, 500, 10), []),
    ],
)
def test_spike_marks_what_stands_out_from_both_neighbours(values: tuple[int | None, ...], expected: list[int]) -> None:
    assert marked(spike(*series(*values), 200)) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [((), []), ((7,), []), ((0, 50), []), ((0, 51), [1]), ((51, 0), [1]), ((0, GAP, 99), []), ((0, 99, 99), [1])],
)
def test_rate_of_change_marks_the_newer_of_two_neighbours(values: tuple[int | None, ...], expected: list[int]) -> None:
    assert marked(rate_of_change(*series(*values), 50)) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((), []),
        ((5, 5), []),
        ((5, 5, 5), [2]),
        ((5, 5, 5, 5, 9), [2, 3]),
        ((5, 5, GAP, 5, 5), []),
        ((5, 6, 7), []),
        ((5, 6, 5), [2]),  # moved by 1, which is not moving
        ((0, 0, 0), [2]),
    ],
)
def test_flat_line_marks_the_newest_of_a_run_that_hardly_moved(
    values: tuple[int | None, ...], expected: list[int]
) -> None:
    assert marked(flat_line(*series(*values), 3, 1)) == expected


def test_a_run_that_the_instrument_can_hardly_see_is_no_flat_line() -> None:
    values, present = series(2, 2, 2, 2, 6, 6, 6, 5, 5, 5)
    assert marked(flat_line(values, present, 3, 0)) == [2, 3, 6, 9]
    assert marked(flat_line(values, present, 3, 0, 5)) == [6]
    assert marked(flat_line(values, present, 3, 0, 1)) == [2, 3, 6, 9]


def test_greater_than_marks_a_part_that_is_more_than_the_whole_where_both_are_there() -> None:
    part, whole = np.array([10, 12, 13, 99], np.int64), np.array([10, 10, 10, 10], np.int64)
    both = np.array([True, True, True, False])
    assert marked(greater_than(part, whole, both, 2)) == [2]


def test_suspects_reads_numbers_in_canonical_units_and_scales_them_to_each_factors_digits(tank: Kind) -> None:
    # a: 2 stored digits, b: 3. Slots: fine; a over 500; a over b by 3 mg/L; a under 1.
    a = [10_000, 50_001, 30_000, 99]
    b = [200_000, 600_000, 297_000, 400_000]
    values = np.array([[a, b]], np.int64)
    found = suspects(tank, values, np.ones(values.shape, np.bool_))
    assert marked(found[0, 0]) == [1, 2, 3]  # 1: range, and a spike; 2: more than b; 3: range
    assert marked(found[0, 1]) == [1, 2, 3]  # rates of 400, 303 and 103 mg/L an hour; 2 also with a


def test_a_difference_that_two_instruments_may_have_is_none(tank: Kind) -> None:
    values = np.array([[[10_200], [100_000]]], np.int64)  # 102.00 and 100.000 mg/L
    assert not suspects(tank, values, np.ones(values.shape, np.bool_)).any()
    values[0, 0] += 1
    assert suspects(tank, values, np.ones(values.shape, np.bool_)).all()


def test_pm25_over_pm10_is_suspect_in_both_and_in_nothing_else() -> None:
    air = load_kind("air")
    values = np.full((2, 6, 1), 4000, np.int64)
    values[0, :2, 0] = 5001, 5000
    values[1, :2, 0] = 5000, 5000
    found = suspects(air, values, np.ones(values.shape, np.bool_))
    assert found[0, :, 0].tolist() == [True, True, False, False, False, False]
    assert not found[1].any()


def test_a_run_of_equal_hours_is_suspect_from_the_sixth_on() -> None:
    air = load_kind("air")
    values = np.zeros((1, 6, 8), np.int64)
    values[0, 0], values[0, 1] = 3500, np.arange(8) * 100 + 4000
    found = suspects(air, values, np.array([[[True]] * 2 + [[False]] * 4]) & np.ones(values.shape, np.bool_))
    assert marked(found[0, 0]) == [5, 6, 7]
    assert not found[0, 1:].any()


def test_the_reach_is_that_of_the_test_that_looks_farthest(tank: Kind) -> None:
    assert reach_of(tank) == Reach(2, 1)
    assert reach_of(load_kind("ecoflow")) == Reach(23, 0)


@pytest.mark.parametrize("name", ["air", "voc", "water", "outfall", "noise", "ecoflow", "meteo", "operation"])
def test_every_delivered_kind_can_be_tested_and_nothing_absent_is_suspect(name: str) -> None:
    kind = load_kind(name)
    shape = (3, len(kind.factors), 60)
    assert not suspects(kind, np.zeros(shape, np.int64), np.zeros(shape, np.bool_)).any()
    assert suspects(kind, np.zeros(shape, np.int64), np.ones(shape, np.bool_)).shape == shape


@pytest.mark.parametrize("test", [gross_range, spike, rate_of_change, flat_line])
def test_no_site_and_no_slot_are_no_error(test: Callable[..., NDArray[np.bool_]]) -> None:
    numbers = (1,) if test in {spike, rate_of_change} else (3, 9)
    for shape in ((0, 5), (4, 0), (0, 0)):
        assert test(np.zeros(shape, np.int64), np.zeros(shape, np.bool_), *numbers).shape == shape
