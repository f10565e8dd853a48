from __future__ import annotations

from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest

from sensors.decimals import SENTINELS, Reading, fixed_point, read_decimals
from sensors.factors import load_factors

FINE, CARBON = load_factors("air")["PM2.5"], load_factors("air")["CO"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("-0", 0), ("35", 3500), ("35.004", 3500), ("35.005", 3500), ("35.015", 3502), ("35.0050001", 3501),
     ("0.35e2", 3500), ("3500E-2", 3500), (".5", 50), ("10000", 1_000_000)],
)  # fmt: skip
def test_a_number_is_rounded_half_to_even_at_the_digits_of_its_factor(text: str, value: int) -> None:
    assert fixed_point(text, FINE, Fraction(1)) == (value, Reading.VALUE)


@pytest.mark.parametrize(
    ("text", "kept", "reported"),
    [
        ("1.4994", 149, 1),  # found in Beijing's record of 2013
        ("1.495001", 149, 1),
        ("1.5", 150, 2),
        ("2.5", 250, 2),
        ("2.5003", 251, 3),
        ("2.504999", 251, 3),
        ("2.505", 251, 3),
        ("1.4949", 149, 1),
    ],
)
def test_a_number_of_many_digits_is_not_rounded_twice(text: str, kept: int, reported: int) -> None:
    value, _ = fixed_point(text, FINE, Fraction(1))
    assert value == kept
    assert round(Fraction(value, 100)) == round(Fraction(text)) == reported


def test_a_unit_is_applied_before_rounding() -> None:
    assert fixed_point("300.5", CARBON, Fraction(1, 1000)) == (300, Reading.VALUE)
    assert fixed_point("301.5", CARBON, Fraction(1, 1000)) == (302, Reading.VALUE)


@pytest.mark.parametrize("text", ["", " 1", "1 ", "1..2", "--1", "e5", "1e", "1e+", "nan", "∞", "٣", "1\n", "1,0"])
def test_what_is_no_decimal_number_is_none(text: str) -> None:
    assert fixed_point(text, FINE, Fraction(1)) == (0, Reading.NOT_A_NUMBER)


def test_sentinels_are_told_from_other_impossible_numbers_in_any_unit() -> None:
    for number in SENTINELS:
        assert fixed_point(f"{number}.0", CARBON, Fraction(1, 1000)) == (0, Reading.SENTINEL)
    assert fixed_point("-998", CARBON, Fraction(1)) == (0, Reading.IMPOSSIBLE)


@pytest.mark.parametrize(("text", "state"), [("0", 0), ("150", 0), ("150.0001", 4), ("-0.0001", 4)])
def test_both_bounds_lie_inside(text: str, state: int) -> None:
    assert fixed_point(text, CARBON, Fraction(1))[1] == state


def test_a_column_keeps_its_order_and_knows_what_is_missing() -> None:
    texts = pa.array(["1", None, "", "NA", "x", "1", "2"], pa.utf8())
    found = read_decimals(texts, FINE, Fraction(1), frozenset({"NA"}))
    assert found.values.tolist() == [100, 0, 0, 0, 0, 100, 200]
    assert found.state.tolist() == [0, 1, 1, 1, 2, 0, 0]
    assert (found.values.dtype, found.state.dtype) == (np.dtype(np.int32), np.dtype(np.uint8))


def test_an_empty_column_stays_empty() -> None:
    assert read_decimals(pa.array([], pa.utf8()), FINE, Fraction(1), frozenset()).values.tolist() == []
