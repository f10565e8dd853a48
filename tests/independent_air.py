"""The air rules once more, by pandas and fractions and nothing of ours: what the stream is held against.

Numbers are typed from GB 3095-2012, HJ 633-2012 and HJ 663-2013, not read from the project's tables.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from math import ceil
from pathlib import Path

import numpy as np
import pandas as pd

FACTORS = ["PM2.5", "PM10", "SO2", "NO2", "CO", "O3"]
INDEX = (0, 50, 100, 150, 200, 300, 400, 500)
PM25 = (0, 35, 75, 115, 150, 250, 350, 500)
PM10 = (0, 50, 150, 250, 350, 420, 500, 600)
HOURLY = {
    "PM2.5": PM25,
    "PM10": PM10,
    "SO2": (0, 150, 500, 650, 800),
    "NO2": (0, 100, 200, 700, 1200, 2340, 3090, 3840),
    "CO": (0, 5, 10, 35, 60, 90, 120, 150),
    "O3": (0, 160, 200, 300, 400, 800, 1000, 1200),
}
DAILY = {
    "PM2.5": PM25,
    "PM10": PM10,
    "SO2": (0, 50, 150, 475, 800, 1600, 2100, 2620),
    "NO2": (0, 40, 80, 180, 280, 565, 750, 940),
    "CO": (0, 2, 4, 14, 24, 36, 48, 60),
    "O3": (0, 100, 160, 215, 265, 800),
}
O3_DAY_LIMIT = 160
Found = dict[tuple[str, str, pd.Timestamp], tuple[object, ...]]


def read(path: Path) -> pd.DataFrame:
    """Return one station's hours, index = the start of the hour in UTC, values rounded by the standard."""
    raw = pd.read_csv(path, na_values=["NA"])
    label = pd.to_datetime(raw[["year", "month", "day", "hour"]])
    hours = raw[FACTORS].copy()
    hours["CO"] /= 1000
    hours.index = label - pd.Timedelta(hours=1) - pd.Timedelta(hours=8)
    hours = hours.reindex(pd.date_range(hours.index.min(), hours.index.max(), freq="h"))
    columns = {f: [None if pd.isna(v) else _hour(v, f) for v in hours[f].tolist()] for f in FACTORS}
    return pd.DataFrame(columns, index=hours.index, dtype=object)


@cache
def _hour(value: float, factor: str) -> Fraction:
    return rounded(Fraction(str(value)), factor)


@cache
def rounded(value: Fraction, factor: str) -> Fraction:
    """Round half to even: whole µg/m³, CO 0.1 mg/m³."""
    scale = 10 if factor == "CO" else 1
    return Fraction(round(value * scale), scale)


def mean(values: list[Fraction | None], factor: str, at_least: int) -> Fraction | None:
    """Return the rounded mean of what is there, or None."""
    return _mean([_tenths(value) for value in values], factor, at_least)


def running(column: list[Fraction | None], factor: str, span: int, at_least: int) -> list[Fraction | None]:
    """Return the mean of the ``span`` hours that end with each hour."""
    tenths = [_tenths(value) for value in column]
    return [_mean(tenths[max(0, i + 1 - span) : i + 1], factor, at_least) for i in range(len(tenths))]


@cache
def _tenths(value: Fraction | None) -> int | None:
    """Return an hour in tenths: sums of integers are exact, and ten times as quick as sums of fractions."""
    if value is None:
        return None
    assert (value * 10).denominator == 1, f"{value} has more than one decimal"
    return (value * 10).numerator


def _mean(tenths: list[int | None], factor: str, at_least: int) -> Fraction | None:
    there = [v for v in tenths if v is not None]
    return _quotient(sum(there), len(there), factor) if len(there) >= at_least else None


@cache
def _quotient(tenths: int, count: int, factor: str) -> Fraction:
    return rounded(Fraction(tenths, 10 * count), factor)


@cache
def iaqi(value: Fraction | None, points: tuple[int, ...]) -> int | None:
    """Return the IAQI, rounded up; None where the table ends."""
    if value is None:
        return None
    for k in range(1, len(points)):
        if value <= points[k]:
            low, high = points[k - 1], points[k]
            return ceil(Fraction(INDEX[k] - INDEX[k - 1], high - low) * (value - low) + INDEX[k - 1])
    return 500 if len(points) == len(INDEX) else None


def aqi(parts: dict[str, int | None]) -> tuple[int | None, str]:
    """Return the AQI of the rest (HJ 633-2012) and the primaries."""
    there = {factor: part for factor, part in parts.items() if part is not None}
    if not there:
        return None, ""
    top = max(there.values())
    return top, ";".join(f for f in FACTORS if there.get(f) == top) if top > 50 else ""


def mda8(running_8h: list[Fraction | None]) -> Fraction | None:
    """Return the MDA8 of a day from its 24 hours' running means inside the day."""
    windows = [v for v in running_8h[7:24] if v is not None]
    if not windows:
        return None
    top = max(windows)
    return top if len(windows) >= 14 or top > O3_DAY_LIMIT else None


def results(hours: pd.DataFrame) -> Found:
    """Return (factor, window, start) → value; for AQI (value, primaries)."""
    return of_hours(hours) | of_days(hours)


def of_hours(hours: pd.DataFrame) -> Found:
    """Return what is said of each hour."""
    found: Found = {}
    columns = {f: list(hours[f]) for f in FACTORS}
    o3 = running(columns["O3"], "O3", 8, 6)
    day_runs = {f: running(columns[f], f, 24, 20) for f in FACTORS[:5]}
    since_midnight = (hours.index + pd.Timedelta(hours=8)).hour + 1
    for i, start in enumerate(hours.index):
        for f in FACTORS:
            found[f, "1h", start] = (columns[f][i],)
        for f in FACTORS[:5]:
            found[f, "24h_running", start] = (day_runs[f][i],)
        found["O3", "8h", start] = (o3[i],)
        today = columns["O3"][max(0, i + 1 - min(8, since_midnight[i])) : i + 1]
        found["O3", "8h_platform", start] = (mean(today, "O3", 1),)
        found["AQI", "1h", start] = aqi({f: iaqi(columns[f][i], HOURLY[f]) for f in FACTORS})
    return found


def of_days(hours: pd.DataFrame) -> Found:
    """Return what is said of each day whose hours are all listed."""
    found: Found = {}
    columns = {f: list(hours[f]) for f in FACTORS}
    midnights = np.flatnonzero((hours.index + pd.Timedelta(hours=8)).hour == 0)
    for first in (int(at) for at in midnights if at + 24 <= len(hours)):
        start = hours.index[first]
        day = {f: columns[f][first : first + 24] for f in FACTORS}
        means = {f: mean(day[f], f, 20) for f in FACTORS[:5]}
        inside = running(day["O3"], "O3", 8, 6)
        means["O3"] = mda8(inside)
        for f in FACTORS:
            found[f, "MDA8" if f == "O3" else "24h", start] = (means[f],)
        found["AQI", "24h", start] = aqi({f: iaqi(means[f], DAILY[f]) for f in FACTORS})
    return found
