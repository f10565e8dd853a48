"""How values become one of a longer time; the numbers are worked out by hand beside each."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from sensors.factors import Factor, Form
from sensors.windows import Statistic
from streams.judging.forms import formed, grown, increments, statistic_of
from streams.judging.reasons import CALM, INCOMPLETE, NO_FLOW

MEAN = Factor(
    symbol="f", code="", name_zh="", name_en="", unit="1", decimals=0, low=Fraction(0), high=Fraction(1000),
    units={"1": Fraction(1)}, extra=2,
)  # fmt: skip


def of(form: Form, decimals: int = 0) -> Factor:
    return replace(MEAN, form=form, by="w" if form in {Form.FLOW_WEIGHTED, Form.VECTOR} else "", decimals=decimals)


def column(*values: int | None) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return one site's values in time; what is not there holds junk."""
    numbers = np.array([[-999_999 if v is None else v] for v in values], np.int64)
    return numbers, np.array([[v is not None] for v in values])


def one(factor: Factor, *values: int | None, step: int = 1) -> tuple[int | None, int]:
    found = formed(factor, *column(*values), step=step)
    return (int(found.value[0]) if found.has[0] else None), int(found.number[0])


def weighted(
    factor: Factor, values: list[int | None], weights: list[int | None], step: int = 1
) -> tuple[int | None, int]:
    by, weighed = column(*weights)
    found = formed(factor, *column(*values), step=step, weights=by, weighed=weighed)
    return (int(found.value[0]) if found.has[0] else None), int(found.number[0])


@pytest.mark.parametrize(
    ("form", "values", "expected"),
    [
        (Form.MEAN, (1, 2, None, 2), (2, 3)),  # 5/3
        (Form.MEAN, (1, 2), (2, 2)),  # 1.5 to even
        (Form.MEAN, (2, 3), (2, 2)),  # 2.5 to even
        (Form.SUM, (1, None, 4), (5, 2)),
        (Form.COUNTER, (1, None, 4), (5, 2)),  # of increments
        (Form.MAX, (3, None, 7, 5), (7, 3)),
        (Form.STATE, (3, 0, None), (0, 2)),  # the last that is there
        (Form.MEAN, (None, None), (None, 0)),
        (Form.STATE, (None,), (None, 0)),
    ],
)
def test_exact_forms_give_what_the_hand_gives(
    form: Form, values: tuple[int | None, ...], expected: tuple[int | None, int]
) -> None:
    assert one(of(form), *values) == expected


def test_a_mean_is_rounded_once_to_its_step() -> None:
    assert one(of(Form.MEAN), 150, 250, step=100) == (200, 2)
    assert one(of(Form.MEAN), 250, 250, step=100) == (200, 2)  # 2.5 to even


def test_the_mean_of_ph_is_that_of_hydrogen_ions() -> None:
    # pH 6 and 8: (1e-6 + 1e-8)/2 = 5.05e-7, minus its logarithm 6.29671 at four digits.
    assert one(of(Form.HYDROGEN_ION, decimals=2), 60_000, 80_000) == (62_967, 2)
    assert one(of(Form.HYDROGEN_ION, decimals=2), 70_000, None) == (70_000, 1)


def test_the_mean_level_is_that_of_energies() -> None:
    # 60 and 70 dB: 10 lg((1e6 + 1e7)/2) = 67.4036.
    assert one(of(Form.ENERGY, decimals=1), 60_000, 70_000) == (67_404, 2)


def test_a_concentration_is_weighted_by_flow() -> None:
    assert weighted(of(Form.FLOW_WEIGHTED), [10, 40], [3, 1]) == (18, 2)  # 70/4 = 17.5 to even
    assert weighted(of(Form.FLOW_WEIGHTED), [10, 40], [1, None]) == (10, 1)
    assert weighted(of(Form.FLOW_WEIGHTED), [10, None], [1, 5]) == (10, 1)


def test_where_nothing_flows_no_concentration_is_needed_and_none_is_made() -> None:
    factor = of(Form.FLOW_WEIGHTED)
    assert weighted(factor, [None, 40], [0, 0]) == (None, 2)
    found = formed(factor, *column(1), step=1, weights=np.array([[0]]), weighed=np.array([[True]]))
    assert found.why == NO_FLOW
    assert weighted(factor, [10, 40], [-5, 1]) == (40, 2)  # against the stream weighs nothing


def test_products_of_great_numbers_are_exact() -> None:
    great = 2**31 - 1
    assert weighted(of(Form.FLOW_WEIGHTED), [great] * 5, [great] * 5) == (great, 5)
    assert weighted(of(Form.FLOW_WEIGHTED), [great, great - 1], [great, great]) == (great - 1, 2)  # .5 to even


def test_a_direction_is_that_of_the_mean_wind() -> None:
    factor = of(Form.VECTOR)
    assert weighted(factor, [35_000, 1_000], [1, 1]) == (0, 2)  # 350° and 10°: north, not 180°
    assert weighted(factor, [0, 9_000], [1, 1]) == (4_500, 2)
    assert weighted(factor, [0, 9_000], [0, 3]) == (9_000, 2)
    assert weighted(factor, [35_998], [1], step=100) == (0, 1)  # 360 is 0


def test_winds_that_cancel_have_no_direction() -> None:
    factor = of(Form.VECTOR)
    assert weighted(factor, [0, 18_000], [2, 2]) == (None, 2)
    assert weighted(factor, [100], [0]) == (None, 1)
    assert formed(factor, *column(1), step=1, weights=np.array([[0]]), weighed=np.array([[True]])).why == CALM


def test_a_weighted_form_without_weights_is_refused() -> None:
    with pytest.raises(ValueError, match="no weights"):
        formed(of(Form.VECTOR), *column(1), step=1)


def test_too_few_values_are_incomplete_in_every_plain_form() -> None:
    assert formed(of(Form.MEAN), *column(None), step=1).why == INCOMPLETE


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [(Statistic.MAX, 7), (Statistic.MIN, 3), (Statistic.SUM, 15), (Statistic.COUNT, 3)],
)
def test_statistics_are_of_what_counts(statistic: Statistic, expected: int) -> None:
    assert statistic_of(statistic, *column(3, None, 7, 5)).tolist() == [expected]
    assert statistic_of(statistic, *column(None)).tolist() == [0]


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ((10, 12, 15), (5, 10, 15)),
        ((10, None, 15), (5, 10, 15)),
        ((10, 3, 5), (5, 10, 5)),  # began again at zero: 3 and 2
        ((10,), (0, 10, 10)),
        ((None, None), (0, 0, 0)),
    ],
)
def test_a_counter_adds_from_reading_to_reading(
    readings: tuple[int | None, ...], expected: tuple[int, int, int]
) -> None:
    assert tuple(int(part[0]) for part in increments(*column(*readings))) == expected


def test_a_counter_that_stands_still_adds_nothing() -> None:
    assert grown(np.array([5]), np.array([5])).tolist() == [0]
