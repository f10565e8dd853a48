"""Months and years of Beijing's record 2013-2017 against pandas: twelve stations and the city they make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from streams.periods.judge import PeriodJudge
from tests.period_cases import after, air, area, batch, day_ms, day_row, final, judge, registry, site
from tests.published.record import shared

AIR = air(evaluations=(), running=False)
FACTORS = ("PM2.5", "PM10", "SO2", "NO2", "CO")
MONTH = Path(__file__).parents[1] / "data" / "beijing"
STATIONS = (
    "Aotizhongxin", "Changping", "Dingling", "Dongsi", "Guanyuan", "Gucheng", "Huairou", "Nongzhanguan", "Shunyi",
    "Tiantan", "Wanliu", "Wanshouxigong",
)  # fmt: skip
EPOCH = pd.Timestamp("1970-01-01")


def station_days(path: Path) -> pd.DataFrame:
    """Return a station's days: hours rounded, then the mean of at least 20 of them rounded; columns by factor."""
    hours = pd.read_csv(path)
    day = pd.to_datetime(hours[["year", "month", "day"]])
    values = hours[list(FACTORS)].copy()
    values["CO"] = np.rint(values["CO"] / 100)  # µg/m³ to 0.1 mg/m³
    grouped = np.rint(values).groupby(day)
    # a half is exact in binary, so rint rounds it to even
    return np.rint(grouped.mean()).where(grouped.count() >= 20)


def unit(factor: str) -> float:
    return 10.0 if factor == "CO" else 1.0


def told(stations: dict[str, pd.DataFrame]) -> tuple[PeriodJudge, dict[tuple[Any, ...], dict[str, Any]]]:
    """Return what the second stage says of these days, month by month."""
    made = judge(registry([site(name, areas=("city",)) for name in stations], [area("city", "city")]), AIR)
    everything = pd.concat(stations, names=["station", "day"]).reset_index()
    said = []
    for _, month in everything.groupby(everything["day"].dt.to_period("M")):
        numbers = (month["day"] - EPOCH).dt.days
        rows = [
            day_row(AIR, name, factor, int(day), None if pd.isna(value) else value / unit(factor))
            for factor in FACTORS
            for name, day, value in zip(month["station"], numbers, month[factor], strict=True)
        ]
        made.fold(batch(rows))
        said.append(made.tick(after(int(numbers.max())), 0))
    return made, final(said)


def city_days(stations: dict[str, pd.DataFrame], factor: str) -> pd.Series[float]:
    """Return the city's days: the rounded mean where at least 9 of the 12 stations are valid."""
    table = pd.DataFrame({name: days[factor] for name, days in stations.items()})
    return np.rint(table.mean(axis=1)).where(table.count(axis=1) >= 9)


def complete(days: pd.Series[float], *, year: bool) -> bool:
    months = days.groupby(days.index.to_period("M")).count()
    enough = all(count >= (25 if month.month == 2 else 27) for month, count in months.items())
    return enough and (not year or (len(months) == 12 and int(days.count()) >= 324))


def compare(found: dict[tuple[Any, ...], dict[str, Any]], name: str, factor: str, days: pd.Series[float]) -> int:
    """Compare the months and whole years of one factor of one member; return how many windows were compared."""
    digits = AIR.factors[factor].digits
    count = 0
    for period, letter in (("month", "M"), ("year", "Y")):
        for label, part in days.groupby(days.index.to_period(letter)):
            start = day_ms((label.start_time - EPOCH).days)
            row = found[name, factor, period, start, ""]
            if period == "year" and (part.index[-1] != label.end_time.normalize()):
                continue  # the record ends in February 2017
            whole = period == "month" or part.index[0] == label.start_time
            assert row["valid"] == part.count()
            if not (whole and complete(part, year=period == "year")):
                assert row["value"] is None
                continue
            expected = float(np.rint(part.mean())) / unit(factor)
            assert row["value"] == round(expected * 10**digits), (name, factor, label)
            count += 1
            high = found.get((name, factor, f"{period}_p{98 if factor in {'SO2', 'NO2'} else 95}", start, ""))
            if high is not None:
                share = 98 if factor in {"SO2", "NO2"} else 95
                exact = np.percentile(part.dropna(), share)
                assert abs(high["value"] / 10**digits - exact / unit(factor)) <= 0.5 / unit(factor) + 1e-9
    return count


def compared(stations: dict[str, pd.DataFrame]) -> int:
    _, found = told(stations)
    count = 0
    for factor in FACTORS:
        for name, days in stations.items():
            count += compare(found, name, factor, days[factor])
        count += compare(found, "city", factor, city_days(stations, factor))
    return count


def test_december_2016_equals_pandas() -> None:
    stations = {name: station_days(MONTH / f"PRSA_{name}_2016-12.csv.gz") for name in STATIONS}
    # of 13 × 5 months almost all are complete
    assert compared(stations) >= 55


@pytest.mark.slow
def test_the_whole_record_equals_pandas() -> None:
    stations = {name: station_days(shared(f"beijing/PRSA_Data_{name}_20130301-20170228.csv.gz")) for name in STATIONS}
    assert compared(stations) > 2000
