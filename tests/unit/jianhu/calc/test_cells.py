from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest

from jianhu.calc.cells import CELL_WORDS, Cell, read_cells
from sensors.factors import load_factors

FACTORS = load_factors("air")


def read(symbol: str, *texts: str | None, scale: Fraction = Fraction(1)) -> list[tuple[int, Cell]]:
    values, cells = read_cells(pa.array(texts, pa.utf8()), FACTORS[symbol], scale)
    return [(int(value), Cell(cell)) for value, cell in zip(values, cells, strict=True)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0), ("75", 7500), ("75.", 7500), (" 75 ", 7500), ("+75", 7500), ("7.5e1", 7500), ("007", 700),
        ("60.5", 6000), ("61.5", 6200), ("60.50000000000001", 6100), ("61.49999999999999999", 6100),
        ("60.500000000000000000000000000001", 6100), ("61.4951", 6100), (".5", 0), ("1.5", 200), ("0.499", 0),
    ],
)  # fmt: skip
def test_a_number_is_rounded_half_to_even_once_from_its_text(text: str, value: int) -> None:
    assert read("PM2.5", text) == [(value, Cell.VALUE)]


@pytest.mark.parametrize(("text", "value"), [("4.05", 4000), ("4.15", 4200), ("0.45", 400), ("0.4500001", 500)])
def test_carbon_monoxide_has_one_decimal(text: str, value: int) -> None:
    assert read("CO", text) == [(value, Cell.VALUE)]


@pytest.mark.parametrize(("text", "value"), [("450", 400), ("451", 500), ("550", 600), ("4050.01", 4100)])
def test_a_unit_is_brought_over_before_the_rounding(text: str, value: int) -> None:
    assert read("CO", text, scale=Fraction(1, 1000)) == [(value, Cell.VALUE)]
    assert read("CO", f"{text}e0", scale=Fraction(1, 1000)) == [(value, Cell.VALUE)]


def test_a_coarser_unit_is_brought_over_as_well() -> None:
    assert read("PM2.5", "0.0605", "0.0615", scale=Fraction(1000)) == [(6000, Cell.VALUE), (6200, Cell.VALUE)]


@pytest.mark.parametrize("text", ["", "  ", "NA", "NaN", "nan", "null", "None", "-", "--", "—", None])
def test_texts_for_nothing_are_empty_cells(text: str | None) -> None:
    assert read("PM2.5", text) == [(0, Cell.EMPTY)]


@pytest.mark.parametrize("text", ["abc", "1,5", "12µg", "1.2.3", "inf", "-inf", "1e999", "0x10", "１２", "=1+1"])
def test_texts_that_are_no_number_are_said_to_be_none(text: str) -> None:
    assert read("PM2.5", text) == [(0, Cell.NO_NUMBER)]


@pytest.mark.parametrize("text", ["-999", "-999.0", "-9999", "-99999"])
def test_logger_codes_are_no_values(text: str) -> None:
    assert read("NO2", text) == [(0, Cell.SENTINEL)]


@pytest.mark.parametrize(
    ("symbol", "text", "cell"),
    [
        ("PM2.5", "-1", Cell.BOUNDS), ("PM2.5", "-0.01", Cell.BOUNDS), ("PM2.5", "10000", Cell.VALUE),
        ("PM2.5", "10000.0001", Cell.BOUNDS), ("PM2.5", "99999999", Cell.BOUNDS), ("CO", "150", Cell.VALUE),
        ("CO", "150.000000000000000001", Cell.BOUNDS), ("CO", "400", Cell.BOUNDS),
    ],
)  # fmt: skip
def test_a_number_outside_the_physical_bounds_is_refused_and_not_guessed(symbol: str, text: str, cell: Cell) -> None:
    assert read(symbol, text)[0][1] is cell


def test_a_slash_is_not_in_plan() -> None:
    assert read("O3", "/", " / ") == [(0, Cell.PLAN)] * 2


def test_plain_and_odd_texts_stand_side_by_side() -> None:
    found = read("SO2", "5", "x", "5", "/", "1e1", "", "5.5")
    assert found == [
        (500, Cell.VALUE), (0, Cell.NO_NUMBER), (500, Cell.VALUE), (0, Cell.PLAN), (1000, Cell.VALUE),
        (0, Cell.EMPTY), (600, Cell.VALUE),
    ]  # fmt: skip


def test_a_column_of_nothing_is_read() -> None:
    assert read("SO2") == []


def test_a_column_of_floats_is_rounded_as_exact_decimals() -> None:
    texts = [repr(float(number)) for number in np.random.default_rng(5).random(2000) * 500]
    values, _ = read_cells(pa.array(texts), FACTORS["PM2.5"], Fraction(1))
    assert values.tolist() == [int(Decimal(text).quantize(Decimal(1), ROUND_HALF_EVEN)) * 100 for text in texts]


def test_every_kind_of_cell_has_a_word() -> None:
    assert len(CELL_WORDS) == len(Cell)
    assert [word == "" for word in CELL_WORDS] == [cell in {Cell.VALUE, Cell.PLAN} for cell in Cell]
