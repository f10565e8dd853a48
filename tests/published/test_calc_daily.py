"""Days that ``jianhu calc daily`` makes: of the platform's hours of 2019, and of Beijing's record by pandas."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest

from jianhu.calc.daily import calc_daily
from sensors.factors import load_factors
from sensors.layouts import Label
from tests import independent_air
from tests.published.record import rows, shared

HEADER = ["time", "site", "PM2.5", "PM10", "SO2", "NO2", "CO", "O3"]
MEANS = {"PM2.5": "pm2_5_24h", "PM10": "pm10_24h", "SO2": "so2_24h", "NO2": "no2_24h", "CO": "co_24h"}
BEIJING = ("Aotizhongxin", "Changping", "Dingling", "Dongsi", "Guanyuan", "Gucheng", "Huairou", "Nongzhanguan",
           "Shunyi", "Tiantan", "Wanliu", "Wanshouxigong")  # fmt: skip


def days(folder: Path, header: list[str], table: list[list[str]]) -> list[dict[str, str]]:
    source, target = folder / "in.csv", folder / "out.csv"
    with source.open("w", encoding="utf-8", newline="") as sink:
        csv.writer(sink).writerows([header, *table])
    calc_daily(source, target, label=Label.END)
    with target.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_whole_days_are_those_that_the_platform_published(tmp_path: Path) -> None:
    """What differs has a cause in its inputs: an hour that was not published, or CO hours whose mean is a tie."""
    hours = rows("air_hourly/sites_2019.csv.gz")
    made = days(tmp_path, HEADER, [[row["time"], row["station"], *(row[name] for name in HEADER[2:])] for row in hours])
    told = {(row["station"], row["date"]): row for row in rows("air_daily/station_days_2019.csv.gz")}
    monoxide: dict[tuple[str, str], list[Fraction]] = {}
    for row in hours:
        begun = datetime.fromisoformat(f"{row['time']}+08:00") - timedelta(hours=1)
        if row["CO"]:
            monoxide.setdefault((row["station"], f"{begun:%Y-%m-%d}"), []).append(Fraction(row["CO"]))
    counts: Counter[str] = Counter()
    for row in made:
        day = told.get((row["site"], row["time"]))
        if day is None:
            continue
        for factor, name in (*MEANS.items(), ("O3_8h", "mda8"), ("O3_1h_max", "o3_1h_max24")):
            item = "O3" if factor.startswith("O3") else factor
            if row[factor] and day[name] and Fraction(row[factor]) == Fraction(day[name]):
                counts["equal"] += 1
            elif row[f"{item}_hours"] != "24":
                counts["an hour was not published"] += 1
            else:
                # The platform takes the mean of hours that it shows rounded: a tie of these may fall either way.
                mean = sum(monoxide[row["site"], row["time"]], Fraction(0)) / 24 if factor == "CO" else Fraction(0)
                counts["a tie of CO" if mean * 10 % 1 == Fraction(1, 2) else f"unexplained: {factor} {row}"] += 1
    assert counts == {"equal": 1041, "an hour was not published": 300, "a tie of CO": 3}


def beijing(folder: Path, station: str, months: tuple[str, ...] | None) -> tuple[Counter[str], list[str]]:
    """Compare every day of a station, or of some months of it, with pandas and fractions."""
    path = shared(f"beijing/PRSA_Data_{station}_20130301-20170228.csv.gz")
    raw = pd.read_csv(path, dtype=str, keep_default_na=False)
    label = pd.to_datetime(raw[["year", "month", "day", "hour"]].astype(int))
    begun = (label - pd.Timedelta(hours=1)).dt.strftime("%Y-%m")
    chosen = raw if months is None else raw[begun.isin(months)]
    table = [
        [f"{time:%Y-%m-%d %H:%M}", station, *cells]
        for time, *cells in zip(label[chosen.index], *(chosen[name] for name in HEADER[2:]), strict=True)
    ]
    header = [name if name != "CO" else "CO(µg/m³)" for name in HEADER]
    made = {row["time"]: row for row in days(folder, header, table)}
    hours = independent_air.read(path)
    if months is not None:
        local = (hours.index + pd.Timedelta(hours=8)).strftime("%Y-%m")
        hours = hours[local.isin(months)]
    found = independent_air.of_days(hours)
    counts: Counter[str] = Counter()
    wrong = []
    for (factor, window, start), value in found.items():
        day = f"{start + pd.Timedelta(hours=8):%Y-%m-%d}"
        if day not in made:
            continue
        row = made[day]
        equal = (
            (row["AQI"], row["primary"]) == (("NA", "NA") if value[0] is None else (str(value[0]), value[1]))
            if factor == "AQI"
            else (Fraction(row[name]) if row[name := "O3_8h" if factor == "O3" else factor] else None) == value[0]
        )
        counts[window if factor != "AQI" else "AQI"] += 1
        if not equal:
            wrong.append(f"{factor} {day}: {value} {row}")
    return counts, wrong


def test_a_month_of_beijing_is_that_of_pandas(tmp_path: Path) -> None:
    counts, wrong = beijing(tmp_path, "Aotizhongxin", ("2016-12",))
    assert wrong == []
    assert counts == {"24h": 5 * 31, "MDA8": 31, "AQI": 31}


@pytest.mark.slow
@pytest.mark.parametrize("station", BEIJING)
def test_every_day_of_beijing_is_that_of_pandas(tmp_path: Path, station: str) -> None:
    counts, wrong = beijing(tmp_path, station, None)
    assert wrong == []
    assert counts["MDA8"] == counts["AQI"] == counts["24h"] // 5
    assert counts["AQI"] >= 1460


def test_the_factors_are_those_of_the_index() -> None:
    assert list(load_factors("air"))[:6] == HEADER[2:]
