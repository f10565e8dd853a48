"""The items of the index in a sheet: the same reading for hours and for days."""

from __future__ import annotations

from fractions import Fraction

import pyarrow as pa
import pytest

from jianhu.calc.cells import Cell
from jianhu.calc.items import Period, bad_cells_text, item_columns, read_items, unusable
from sensors.errors import ConfigError

HOURS = ["time", "site", "PM2.5", "PM10", "SO2", "NO2", "CO", "O3"]
DAYS = [*HOURS[:-1], "O3_8h"]


def test_items_come_in_the_order_of_the_factor_table_whatever_the_order_of_the_columns() -> None:
    found = item_columns(HOURS[::-1], Period.HOUR, "in.csv")
    assert [column.factor.symbol for column in found] == HOURS[2:]
    assert {column.scale for column in found} == {Fraction(1)}


def test_ozone_of_days_stands_in_a_column_of_its_own() -> None:
    assert item_columns(DAYS, Period.DAY, "in.csv")[-1].name == "O3_8h"
    with pytest.raises(ConfigError, match="O3_8h"):
        item_columns(HOURS, Period.DAY, "in.csv")


def test_a_unit_in_the_header_scales_and_an_unknown_one_is_refused() -> None:
    carbon = item_columns([*HOURS[:6], "CO(ug/m³)", "O3"], Period.HOUR, "in.csv")[4]
    assert (carbon.name, carbon.scale) == ("CO(ug/m³)", Fraction(1, 1000))
    with pytest.raises(ConfigError, match="unit 'ppm' is not known"):
        item_columns([*HOURS[:6], "CO(ppm)", "O3"], Period.HOUR, "in.csv")


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ([*HOURS, "CO(mg/m³)"], "the header has CO and CO"),
        ([name for name in HOURS if name != "SO2"], "the column is missing"),
        ([*HOURS, "AQI"], "twice"),
    ],
)
def test_a_column_that_is_there_twice_or_not_at_all_is_named(names: list[str], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        item_columns(names, Period.HOUR, "in.csv", added=["AQI"])


def test_a_piece_is_read_item_by_item_and_what_cannot_be_used_is_counted() -> None:
    cells = {name: ["12", "/", "", "about ten"] for name in HOURS}
    columns = item_columns(HOURS, Period.HOUR, "in.csv")
    values, found = read_items(pa.table(cells), columns)
    assert values.shape == found.shape == (6, 4)
    assert found[0].tolist() == [Cell.VALUE, Cell.PLAN, Cell.EMPTY, Cell.NO_NUMBER]
    fine = columns[0].factor
    assert values[0, 0] == 12 * 10**fine.digits
    assert unusable(found).tolist() == [1] * 6


def test_what_cannot_be_used_is_told_by_column_and_otherwise_nothing() -> None:
    assert bad_cells_text({"CO": 2, "O3": 1}) == "cells that could not be used: 2 in CO, 1 in O3"
    assert bad_cells_text({"CO": 0}) == ""
