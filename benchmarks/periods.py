"""What the second stage costs: days and hours of a city through one `PeriodJudge`, day by day, in this process."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from time import process_time
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.cost import machine
from benchmarks.packets import site_names
from benchmarks.year import YEAR_DAYS, kind_text
from sensors.areas import Area
from sensors.clock import BEIJING_OFFSET_MS, DAY_HOURS, DAY_MS, HOUR_MS, MINUTE_MS
from sensors.kinds import Kind, parse_kind
from sensors.registry import Registry, Site
from sensors.registryfile import AreaType
from sensors.yamlfile import parse_yaml
from streams.judging.hashing import mix
from streams.periods.judge import PeriodJudge
from streams.periods.registered import PeriodContext
from streams.results import RESULT_SCHEMA, Window
from streams.standards import load_standards

FIRST_DAY: Final = 20_454
"""2026-01-01."""
_SITES_IN_TOWNSHIP: Final = 10
_TOWNSHIPS_IN_COUNTY: Final = 10
_GRACE_MS: Final = 5 * MINUTE_MS


@dataclass(slots=True, kw_only=True)
class Cost:
    """Seconds of CPU, and what they were spent on."""

    days: int
    rows: int = 0
    said: int = 0
    fold_s: float = 0.0
    tick_s: float = 0.0
    dearest_s: float = 0.0
    """The dearest day."""
    bytes: int = 0

    def lines(self) -> Iterator[str]:
        """Say it, one figure a line."""
        both = self.fold_s + self.tick_s
        yield f"rows in      {self.rows:>12,}"
        yield f"rows said    {self.said:>12,}"
        yield f"fold         {self.fold_s:>10.2f} s"
        yield f"tick         {self.tick_s:>10.2f} s"
        yield f"a day        {both / self.days:>10.3f} s, the dearest {self.dearest_s:.3f} s"
        yield f"a year       {both / self.days * YEAR_DAYS / 60:>10.2f} min" + (
            "" if self.days == YEAR_DAYS else f" (by rule of three from {self.days} days)"
        )
        yield f"state        {self.bytes / 1e6:>10.1f} MB"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("--sites", type=int, default=500)
    parser.add_argument("--days", type=int, default=YEAR_DAYS)
    parser.add_argument("--no-hours", action="store_true", help="leave the hours of areas out")


def run(given: argparse.Namespace) -> int:
    """Measure and print; return the exit code."""
    print(machine())
    print(f"{given.sites:,} sites in townships, counties and a city, {given.days} days from 1 January, second stage")
    for line in measure(given.sites, given.days, hours=not given.no_hours).lines():
        print("  " + line)
    return 0


def city(count: int, kind: Kind) -> Registry:
    """Return so many sites, ten to a township and ten townships to a county, in one city."""
    townships = -(-count // _SITES_IN_TOWNSHIP)
    counties = -(-townships // _TOWNSHIPS_IN_COUNTY)
    areas = [_area("CITY", AreaType.CITY, None)]
    areas += [_area(f"C{n:03d}", AreaType.COUNTY, "CITY") for n in range(counties)]
    areas += [_area(f"T{n:04d}", AreaType.TOWNSHIP, f"C{n // _TOWNSHIPS_IN_COUNTY:03d}") for n in range(townships)]
    sites = [
        Site(
            id=name, kind=kind.name, name_zh=name, name_en=name, station_class="urban", lon=120.8, lat=30.0, county="",
            township="", zone=2, period_ms=MINUTE_MS, synthetic=True, source="benchmark", start=0, end=None,
            not_in_plan=(), assessment=True,
            areas=(f"T{n // 10:04d}", f"C{n // 100:03d}", "CITY"),
        )
        for n, name in enumerate(site_names(count))
    ]  # fmt: skip
    return Registry(
        region_zh="测速（模拟）",
        region_en="benchmark (simulated)",
        synthetic=True,
        areas=tuple(areas),
        sites=tuple(sites),
    )


def _area(name: str, kind: AreaType, parent: str | None) -> Area:
    return Area(id=name, type=kind, name_zh=name, name_en=name, parent=parent, synthetic=True, source="benchmark")


def rows_of(sites: tuple[str, ...], kind: Kind, window: str, start: int, chance: int) -> pa.RecordBatch:
    """Return a result of every factor of every site for one window that starts at a time; one in fifty is not valid."""
    factors = tuple(kind.factors)
    count = len(sites) * len(factors)
    lot = mix(np.arange(count, dtype=np.uint64) + np.uint64(chance) * np.uint64(1_000_003))
    valid = (lot >> np.uint64(40)) % np.uint64(50) != 0
    steps = np.array([factor.step for factor in kind.factors.values()], np.int64)
    value = (lot % np.uint64(150)).astype(np.int64) * np.tile(steps, len(sites))
    windows = [Window.MDA8 if name == "O3" and window == Window.DAY else window for name in factors]
    names = list(dict.fromkeys(windows))
    codes: NDArray[np.int8] = np.array([names.index(name) for name in windows], np.int8)
    repeated = np.arange(len(factors), dtype=np.int8)
    made = {
        "site": pa.DictionaryArray.from_arrays(
            pa.array(np.repeat(np.arange(len(sites), dtype=np.int32), len(factors))), pa.array(sites, pa.utf8())
        ),
        "factor": pa.DictionaryArray.from_arrays(pa.array(np.tile(repeated, len(sites))), pa.array(factors, pa.utf8())),
        "window": pa.DictionaryArray.from_arrays(pa.array(np.tile(codes, len(sites))), pa.array(names, pa.utf8())),
        "start": pa.array(np.full(count, start)).cast(pa.timestamp("ms", "UTC")),
        "edition": pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int8)), pa.array(["hj"], pa.utf8())),
        "value": pa.array(value, mask=~valid),
        "digits": pa.array(np.full(count, 2, np.int8)),
        "valid": pa.array(np.where(valid, 24, 3).astype(np.int16)),
        "expected": pa.array(np.full(count, 24, np.int16)),
        "reason": pa.DictionaryArray.from_arrays(
            pa.array(np.where(valid, 0, 1).astype(np.int8)), pa.array(["", "incomplete"], pa.utf8())
        ),
        "detail": pa.array([""] * count, pa.utf8()),
        "flags": pa.array(np.zeros(count, np.int32)),
        "iaqi": pa.nulls(count, pa.int16()),
        "level": pa.nulls(count, pa.int8()),
        "primary": pa.array([""] * count, pa.utf8()),
        "revision": pa.array(np.ones(count, np.int32)),
        "inputs": pa.array(lot),
        "at": pa.array(np.full(count, start)).cast(pa.timestamp("ms", "UTC")),
    }
    return pa.RecordBatch.from_arrays([made[field.name] for field in RESULT_SCHEMA], schema=RESULT_SCHEMA)


def measure(count: int, days: int, *, hours: bool) -> Cost:
    """Let one judge live through so many days; what makes the rows is not counted."""
    kind, sites, cost = parse_kind(parse_yaml(kind_text(), "city.yaml")), site_names(count), Cost(days=days)
    registry = city(count, kind)
    context = PeriodContext(kind=kind, standards=load_standards(), registry=registry)
    judge = PeriodJudge(partition=0, partitions=1, kind=kind, registry=registry, context=context)
    for day in range(FIRST_DAY, FIRST_DAY + days):
        begin = day * DAY_MS - BEIJING_OFFSET_MS
        before = cost.fold_s + cost.tick_s
        for hour in range(DAY_HOURS if hours else 0):
            start = begin + hour * HOUR_MS
            _take(judge, rows_of(sites, kind, Window.HOUR, start, start // HOUR_MS), cost)
            if hour < DAY_HOURS - 1:
                _tick(judge, start + HOUR_MS + _GRACE_MS, cost)
        _take(judge, rows_of(sites, kind, Window.DAY, begin, day), cost)
        _tick(judge, begin + DAY_MS + _GRACE_MS, cost)
        cost.dearest_s = max(cost.dearest_s, cost.fold_s + cost.tick_s - before)
    cost.bytes = judge.nbytes
    return cost


def _take(judge: PeriodJudge, rows: pa.RecordBatch, cost: Cost) -> None:
    begun = process_time()
    judge.fold(rows)
    cost.fold_s += process_time() - begun
    cost.rows += rows.num_rows


def _tick(judge: PeriodJudge, at: int, cost: Cost) -> None:
    begun = process_time()
    rows = judge.tick(at, 0)
    cost.tick_s += process_time() - begun
    cost.said += 0 if rows is None else rows.num_rows
