"""Published days: a city's daily index of 2023, and what the national platform gave for 8 stations in 2019."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from jianhu.calc.aqi import AUTO, Request, Rows, calc_aqi, index_rows
from jianhu.calc.cells import Cell
from jianhu.calc.items import Period
from sensors.layouts import Label
from streams.air.index import NA, Profile, primary_names
from streams.results import Reason
from streams.standards import day_number, load_standards
from tests.published.record import FACTORS, NONE, SYMBOLS, fixed, rows

STANDARDS = load_standards()
CITY = {"PM2.5": "pm2_5", "PM10": "pm10", "SO2": "so2", "NO2": "no2", "CO": "co", "O3": "o3_8h_max"}
STATION = {"PM2.5": "pm2_5_24h", "PM10": "pm10_24h", "SO2": "so2_24h", "NO2": "no2_24h", "CO": "co_24h", "O3": "mda8"}
HOURLY = {
    "pm2_5_24h": "PM2.5_24h", "pm10_24h": "PM10_24h", "so2_24h": "SO2_24h", "no2_24h": "NO2_24h",
    "co_24h": "CO_24h", "o3_1h_max24": "O3_24h", "mda8": "O3_8h_24h",
}  # fmt: skip
REQUEST = Request(period=Period.DAY, edition=None, profile=Profile.STANDARD)


def days_of(table: list[dict[str, str]], names: dict[str, str]) -> Rows:
    values = np.array([[fixed(row[names[s]], FACTORS[s].digits) for row in table] for s in SYMBOLS])
    return Rows(
        values=np.maximum(values, 0),
        cells=np.where(values == NONE, Cell.EMPTY, Cell.VALUE).astype(np.uint8),
        days=np.array([day_number(date.fromisoformat(row["date"])) for row in table]),
        stamps=np.zeros(len(table), dtype=np.uint8),
    )


@pytest.fixture(scope="module")
def city() -> list[dict[str, str]]:
    return rows("air_daily/city_daily_2023.csv")


@pytest.fixture(scope="module")
def stations() -> list[dict[str, str]]:
    return rows("air_daily/station_days_2019.csv.gz")


def test_every_published_day_of_the_city_has_its_index_and_its_word(city: list[dict[str, str]]) -> None:
    found = index_rows(days_of(city, CITY), REQUEST, STANDARDS)
    levels = STANDARDS.index_named("HJ633-2012").levels
    words = [levels[level - 1].name_zh for level in found.level]
    assert len(city) == 109
    assert found.aqi.tolist() == [int(row["aqi"]) for row in city]
    assert words == [row["quality"] for row in city]
    assert not found.reason.any()


def test_the_platforms_days_are_what_its_last_hour_showed(stations: list[dict[str, str]]) -> None:
    hours = {(row["station"], row["time"]): row for row in rows("air_hourly/sites_2019.csv.gz")}
    compared: Counter[str] = Counter()
    for row in stations:
        label = f"{date.fromisoformat(row['date']) + timedelta(days=1)} 00:00"
        hour = hours.get((row["station"], label))
        compared["no hours here to compare with"] += hour is None
        if hour is not None:
            assert {name: row[name] for name in HOURLY} == {name: hour[source] for name, source in HOURLY.items()}
            compared["equal in all seven values"] += 1
    assert compared == {"equal in all seven values": 192, "no hours here to compare with": 2646}


def test_every_station_day_has_an_index_or_names_what_is_missing(stations: list[dict[str, str]]) -> None:
    """No daily index is published for these; the rule of 2012 gives that of the rest."""
    given = days_of(stations, STATION)
    found = index_rows(given, REQUEST, STANDARDS)
    reasons = Counter(list(Reason)[code] for code in found.reason)
    assert reasons == {Reason.OK: 2819, Reason.MISSING_ITEM: 12, Reason.NO_ITEM: 7}
    empty = (given.cells == Cell.EMPTY).sum(axis=0)
    assert ((found.reason != 0) == (empty > 0)).all()
    assert ((found.aqi == NA) == (empty == 6)).all()
    names = primary_names(SYMBOLS)
    assert all((names[mask] != "") == (aqi > 50) for mask, aqi in zip(found.primary, found.aqi, strict=True))


def test_the_same_days_in_the_edition_of_2026_differ_only_by_particles_and_missing_items(
    stations: list[dict[str, str]],
) -> None:
    """Computed again in a common edition (回算): only two breakpoints and the missing-item rule moved."""
    given = days_of(stations, STATION)
    old = index_rows(given, REQUEST, STANDARDS)
    again = Request(period=Period.DAY, edition=STANDARDS.index_named("HJ633-2026"), profile=Profile.STANDARD)
    new = index_rows(given, again, STANDARDS)
    both = (old.iaqi != NA) & (new.iaqi != NA)
    assert (new.iaqi[:2] >= old.iaqi[:2])[both[:2]].all()
    assert (new.iaqi[2:] == old.iaqi[2:]).all()
    assert ((new.aqi == NA) == ((old.reason != 0) & (new.iaqi.max(axis=0) <= 100))).all()


def test_an_8_h_maximum_is_never_over_the_largest_hour(stations: list[dict[str, str]]) -> None:
    pairs = [(row["mda8"], row["o3_1h_max24"]) for row in stations]
    assert all(int(eight) <= int(one) for eight, one in pairs if eight and one)


def test_the_command_gives_the_citys_published_days(city: list[dict[str, str]], tmp_path: Path) -> None:
    header = ["time", "site", "PM2.5", "PM10", "SO2", "NO2", "CO", "O3_8h"]
    lines = [[row["date"], "city", *(row[CITY[symbol]] for symbol in SYMBOLS)] for row in city]
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("\n".join(",".join(line) for line in [header, *lines]), encoding="utf-8")
    report = calc_aqi(source, target, period=Period.DAY, edition=AUTO, profile=Profile.STANDARD, label=Label.END)
    assert (report.rows, report.indexed, report.bad_cells) == (109, 109, {})
    with target.open(encoding="utf-8", newline="") as stream:
        assert [row["AQI"] for row in csv.DictReader(stream)] == [row["aqi"] for row in city]
