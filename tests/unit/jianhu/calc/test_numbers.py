from __future__ import annotations

from fractions import Fraction

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jianhu.calc.cells import Cell
from jianhu.calc.numbers import SCALE, read_exact
from sensors.factors import load_factors

FACTORS = load_factors("water")
ONE = Fraction(1)


def read(text: str | None, symbol: str = "TP", scale: Fraction = ONE) -> tuple[Fraction, Cell]:
    values, cells = read_exact(pa.array([text], pa.utf8()), FACTORS[symbol], scale)
    return Fraction(int(values[0]), SCALE), Cell(cells[0])


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.2", "0.2"), (" 0.025 ", "0.025"), ("7", "7"), ("+1.5", "1.5"), ("1e-3", "0.001"), (".5", "0.5"), ("3.", "3")],
)
def test_a_number_is_what_it_says(text: str, value: str) -> None:
    assert read(text) == (Fraction(value), Cell.VALUE)


@pytest.mark.parametrize("text", ["", " ", None, "-", "--", "*", "/", "—", "NA", "null", "无"])
def test_what_stands_for_nothing_is_missing(text: str | None) -> None:
    assert read(text) == (Fraction(0), Cell.EMPTY)


@pytest.mark.parametrize(
    ("text", "cell"),
    [("abc", Cell.NO_NUMBER), ("1,5", Cell.NO_NUMBER), ("inf", Cell.NO_NUMBER), ("1e99", Cell.BOUNDS),
     ("=1+1", Cell.NO_NUMBER), ("-999", Cell.SENTINEL), ("-9999.0", Cell.SENTINEL), ("-0.01", Cell.BOUNDS),
     ("1000.01", Cell.BOUNDS), ("<", Cell.NO_NUMBER), ("L", Cell.NO_NUMBER), ("<1.2.3", Cell.NO_NUMBER)],
)  # fmt: skip
def test_what_is_no_value_says_why(text: str, cell: Cell) -> None:
    assert read(text) == (Fraction(0), cell)


@pytest.mark.parametrize("text", ["<0.01", "＜0.01", "< 0.01", "0.01L", "0.01 l"])
def test_below_detection_is_half_of_the_limit_and_says_so(text: str) -> None:
    assert read(text) == (Fraction("0.005"), Cell.BELOW)


def test_a_column_in_another_unit_is_brought_to_ours_exactly() -> None:
    assert read("200", "NH3-N", Fraction(1, 1000)) == (Fraction("0.2"), Cell.VALUE)
    assert read("<10", "NH3-N", Fraction(1, 1000)) == (Fraction("0.005"), Cell.BELOW)


@pytest.mark.parametrize("text", ["0.2000000000000000001", "0.20000000000000000000000001"])
def test_a_tail_too_long_to_keep_still_lies_above_its_limit(text: str) -> None:
    value, cell = read(text)
    assert (value > Fraction("0.2"), cell) == (True, Cell.VALUE)
    assert value < Fraction("0.200000001")


@given(st.decimals(0, 999, places=12), st.decimals(0, 999, places=9))
def test_a_number_lies_on_the_same_side_of_every_limit_as_its_text(number: object, limit: object) -> None:
    value, _ = read(f"{number:f}")
    exact, bound = Fraction(str(number)), Fraction(str(limit))
    assert (value > bound, value < bound) == (exact > bound, exact < bound)
