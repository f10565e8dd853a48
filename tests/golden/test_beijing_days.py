"""Ten real days of two Beijing stations, judged by our columns and, value by value, by the text of the standards.

The second way is written out here with exact fractions and its own tables, so that nothing is tested
against itself. The record is `tests/data/beijing`.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from streams.air import index
from streams.air.means import O3_SPAN, mda8
from streams.judging import reasons
from streams.judging.means import day_mean, running_mean
from streams.results import Reason
from streams.standards import day_number, load_standards

FOLDER = Path(__file__).resolve().parents[1] / "data" / "beijing"
STATIONS = ("Aotizhongxin", "Wanliu")
SYMBOLS = ("PM2.5", "PM10", "SO2", "NO2", "CO", "O3")
FIRST = datetime(2016, 12, 14, 23)  # noqa: DTZ001  Beijing wall clock, start of the first hour of the record
DAYS = 9
"""Whole days, 2016-12-15 to 23: the record ends before the last hour of the 24th."""
TABLE = {
    "PM2.5": [0, 35, 75, 115, 150, 250, 350, 500],
    "PM10": [0, 50, 150, 250, 350, 420, 500, 600],
    "SO2": [0, 50, 150, 475, 800, 1600, 2100, 2620],
    "NO2": [0, 40, 80, 180, 280, 565, 750, 940],
    "CO": [0, 2, 4, 14, 24, 36, 48, 60],
    "O3": [0, 100, 160, 215, 265, 800],
}
IAQI = [0, 50, 100, 150, 200, 300, 400, 500]


@dataclass(frozen=True)
class Day:
    """One day by the text."""

    values: dict[str, Fraction | None]
    iaqis: dict[str, int]

    @property
    def aqi(self) -> int:
        return max(self.iaqis.values())

    @property
    def primary(self) -> str:
        return ";".join(symbol for symbol in SYMBOLS if self.iaqis.get(symbol) == self.aqi) if self.aqi > 50 else ""


def hours(station: str) -> list[dict[str, Fraction | None]]:
    """Return the record hour by hour from FIRST, each rounded half to even; CO in mg/m³."""
    path = FOLDER / f"PRSA_Data_{station}_20161215-20161224.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    found: list[dict[str, Fraction | None]] = []
    for number, row in enumerate(rows):
        label = datetime(int(row["year"]), int(row["month"]), int(row["day"]), int(row["hour"]))  # noqa: DTZ001  as above
        assert label - timedelta(hours=1) == FIRST + timedelta(hours=number)
        read = {symbol: None if row[symbol] == "NA" else Fraction(row[symbol]) for symbol in SYMBOLS}
        found.append({symbol: rounded(symbol, value, 1000) for symbol, value in read.items()})
    return found


def rounded(symbol: str, value: Fraction | None, per_unit: int = 1) -> Fraction | None:
    if value is None:
        return None
    return Fraction(round(value / per_unit * 10), 10) if symbol == "CO" else Fraction(round(value))


def mean(symbol: str, hours_: Sequence[Fraction | None], at_least: int) -> Fraction | None:
    there = [hour for hour in hours_ if hour is not None]
    return rounded(symbol, Fraction(sum(there), len(there))) if len(there) >= at_least else None


def day_by_text(record: Sequence[dict[str, Fraction | None]], day: int) -> Day:
    start = 1 + 24 * day
    hours_ = record[start : start + 24]
    values = {symbol: mean(symbol, [hour[symbol] for hour in hours_], 20) for symbol in SYMBOLS if symbol != "O3"}
    ozone = [hour["O3"] for hour in hours_]
    eight = [mean("O3", ozone[end - 8 : end], 6) for end in range(8, 25)]
    valid = [each for each in eight if each is not None]
    values["O3"] = max(valid) if len(valid) >= 14 or (valid and max(valid) > 160) else None
    return Day(values, {symbol: formula(symbol, value) for symbol, value in values.items() if value is not None})


def formula(symbol: str, value: Fraction) -> int:
    points = TABLE[symbol]
    high = max(1, next(k for k, point in enumerate(points) if value <= point))
    rise = Fraction(IAQI[high] - IAQI[high - 1], points[high] - points[high - 1])
    return math.ceil(rise * (value - points[high - 1]) + IAQI[high - 1])


def fixed(symbol: str, value: Fraction | None) -> int:
    return -7 if value is None else int(value * (1000 if symbol == "CO" else 100))


@pytest.fixture(scope="module", params=STATIONS)
def record(request: pytest.FixtureRequest) -> list[dict[str, Fraction | None]]:
    return hours(request.param)


def test_every_day_of_the_record_is_judged_as_the_text_says(record: list[dict[str, Fraction | None]]) -> None:
    values = np.array([[fixed(symbol, hour[symbol]) for hour in record] for symbol in SYMBOLS])
    present = np.array([[hour[symbol] is not None for hour in record] for symbol in SYMBOLS])
    inside = slice(1, 1 + 24 * DAYS)
    days = (6, DAYS, 24)
    means = day_mean(values[:, inside].reshape(days), present[:, inside].reshape(days), at_least=20, step=100)
    eight = running_mean(values[5], present[5], span=O3_SPAN, at_least=6, step=100)
    windows, there = eight.value[inside].reshape(DAYS, 24)[:, 7:], eight.ok[inside].reshape(DAYS, 24)[:, 7:]
    largest = mda8(windows, there, at_least=14, limit=16_000)
    value, ok = means.value.copy(), means.ok.copy()
    value[5], ok[5] = largest.value, largest.ok
    edition = load_standards().index_edition(day_number(date(2016, 12, 15)))
    state = np.where(ok, reasons.OK, reasons.code(Reason.INCOMPLETE)).astype(np.uint8)
    iaqis, state = index.iaqi(value, state, index.daily_table(edition))
    found = index.combine(iaqis, state, edition)
    names = index.primary_names(SYMBOLS)
    for day in range(DAYS):
        text = day_by_text(record, day)
        assert {s: int(iaqis[k, day]) for k, s in enumerate(SYMBOLS) if ok[k, day]} == text.iaqis
        assert {s: int(value[k, day]) for k, s in enumerate(SYMBOLS) if ok[k, day]} == {
            symbol: fixed(symbol, each) for symbol, each in text.values.items() if each is not None
        }
        assert (int(found.aqi[day]), names[found.primary[day]]) == (text.aqi, text.primary)


def test_the_episode_is_what_it_was_known_for() -> None:
    days = [day_by_text(hours("Aotizhongxin"), day) for day in range(DAYS)]
    assert [(day.aqi, day.primary) for day in days] == [
        (60, "NO2"), (119, "PM2.5"), (271, "PM2.5"), (274, "PM2.5"), (279, "PM2.5"),
        (392, "PM2.5"), (414, "PM2.5"), (72, "PM2.5"), (67, "NO2"),
    ]  # fmt: skip
