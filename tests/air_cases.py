"""Small air logs for tests: sites, readings as rows, frames cut from them, and what judges make of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.frames import Frame, FrameHead, Origin, Tick, frame_schema
from sensors.kinds import load_kind
from sensors.registry import Absence, Site, StationClass
from streams.air.index import FACTORS
from streams.judging.judge import KindJudge
from streams.judging.registered import JudgingContext, judge_of
from streams.judging.state import JudgeSettings
from streams.results import CONTENT_COLUMNS, KEY_COLUMNS
from streams.standards import load_standards

CONTEXT = JudgingContext(kind=replace(load_kind("air"), quality=()), standards=load_standards())
"""Without tests of quality: the same value all day is no fault in a test."""
AIR = CONTEXT.kind.factors
T0 = 1_782_000_000_000 // (24 * HOUR_MS) * 24 * HOUR_MS - 8 * HOUR_MS
"""A Beijing midnight in June 2026."""


def site(name: str, *, period_ms: int = HOUR_MS, zone: int = 2, absent: Sequence[str] = (), start: int = 0) -> Site:
    """Return a registry entry."""
    return Site(
        id=name,
        kind="air",
        name_zh=name,
        name_en=name,
        station_class=StationClass.URBAN,
        lon=120.0,
        lat=30.0,
        county="",
        township="",
        zone=zone,
        period_ms=period_ms,
        synthetic=True,
        source="test",
        start=start,
        end=None,
        not_in_plan=tuple(Absence(factor=f, start=0, end=None, author="test", why="test") for f in absent),
        assessment=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One packet: values in stored units, flags as letters; None says nothing."""

    site: str
    start: int
    values: tuple[int | None, ...]
    flags: tuple[str | None, ...] = ("N",) * 6
    correction: int = 0
    received: int | None = None


def row(
    name: str, start: int, *, flags: str | None = "N", correction: int = 0, received: int | None = None, **values: float
) -> Row:
    """Return a packet from values in the canonical unit, named without the point: ``PM25=35``."""
    named = {key.replace("PM25", "PM2.5"): value for key, value in values.items()}
    stored = tuple(None if f not in named else round(named[f] * 10 ** AIR[f].digits) for f in FACTORS)
    letters = tuple(None if v is None else flags for v in stored)
    return Row(site=name, start=start, values=stored, flags=letters, correction=correction, received=received)


def frame(rows: Sequence[Row], *, period_ms: int = HOUR_MS, origin: Origin = Origin.DEVICE) -> Frame:
    """Return packets as a frame."""
    names = sorted({r.site for r in rows})
    columns: list[Any] = [
        pa.DictionaryArray.from_arrays(
            pa.array([names.index(r.site) for r in rows], pa.int32()), pa.array(names, pa.utf8())
        ),
        pa.array([r.start for r in rows], pa.int64()).cast(pa.timestamp("ms", "UTC")),
        pa.array([r.start + period_ms if r.received is None else r.received for r in rows], pa.int64()).cast(
            pa.timestamp("ms", "UTC")
        ),
        pa.array([r.correction for r in rows], pa.int16()),
        pa.nulls(len(rows), pa.map_(pa.utf8(), pa.utf8())),
    ]
    for i in range(len(FACTORS)):
        columns.append(pa.array([r.values[i] for r in rows], pa.int32()))
        columns.append(
            pa.array([None if flag is None else ord(flag) for flag in (r.flags[i] for r in rows)], pa.uint8())
        )
    head = FrameHead(kind="air", period_ms=period_ms, source="test", sequence=0, origin=origin)
    return Frame(head=head, rows=pa.RecordBatch.from_arrays(columns, schema=frame_schema(FACTORS)))


def judge(sites: Iterable[Site], **settings: Any) -> KindJudge:
    """Return a judge of one partition that holds all sites."""
    return judge_of(sites, CONTEXT, partition=0, partitions=1, settings=JudgeSettings(**settings))


def run(made: KindJudge, log: Iterable[Frame | Tick]) -> list[pa.RecordBatch]:
    """Return everything that a judge says of a log."""
    said = []
    for item in log:
        if isinstance(item, Frame):
            made.fold(item)
        elif (rows := made.tick(item.at)) is not None:
            said.append(rows)
    return said


def records(batches: Iterable[pa.RecordBatch]) -> list[dict[str, Any]]:
    """Return result rows as mappings, times in ms."""
    found: list[dict[str, Any]] = []
    for batch in batches:
        table = pa.table(batch)
        for name in ("start", "at"):
            table = table.set_column(table.schema.get_field_index(name), name, table.column(name).cast(pa.int64()))
        found += table.to_pylist()
    return found


def final(batches: Iterable[pa.RecordBatch]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return the last revision of each window by key."""
    table: dict[tuple[Any, ...], dict[str, Any]] = {}
    for record in records(batches):
        key = tuple(record[name] for name in KEY_COLUMNS)
        assert record["revision"] == table.get(key, {"revision": 0})["revision"] + 1
        table[key] = record
    return table


def contents(batches: Iterable[pa.RecordBatch]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Return what must be equal for any order: key → content."""
    return {key: tuple(record[name] for name in CONTENT_COLUMNS) for key, record in final(batches).items()}


def one(batches: Iterable[pa.RecordBatch], factor: str, window: str, start: int, name: str = "A") -> dict[str, Any]:
    """Return the last revision of one window."""
    found = [r for key, r in final(batches).items() if key[:4] == (name, factor, window, start)]
    assert len(found) == 1, f"{factor} {window} at {start}: {len(found)} rows"
    return found[0]


def hours(name: str, count: int, *, begin: int = T0, **values: Any) -> list[Row]:
    """Return the same hour values ``count`` times."""
    return [row(name, begin + i * HOUR_MS, **values) for i in range(count)]


ALL: dict[str, Any] = {"PM25": 30, "PM10": 50, "SO2": 8, "NO2": 35, "CO": 0.8, "O3": 90}
"""A valid value of every item."""


def hourly_log(rows: Sequence[Row], *, until: int, period_ms: int = HOUR_MS) -> list[Frame | Tick]:
    """Return a log in which each hour's rows come in the hour's own frame, followed by the tick of its end."""
    log: list[Frame | Tick] = [Tick(min(r.start for r in rows) // HOUR_MS * HOUR_MS)]
    by_hour: dict[int, list[Row]] = {}
    for r in rows:
        by_hour.setdefault(r.start // HOUR_MS, []).append(r)
    for hour in sorted(by_hour):
        log += [frame(by_hour[hour], period_ms=period_ms), Tick((hour + 1) * HOUR_MS + 6 * MINUTE_MS)]
    return [*log, Tick(until)]


def random_rows(seed: int, sites: Sequence[Site], count_h: int) -> list[Row]:
    """Return plausible rows with gaps, flags, corrections and repeats."""
    chance = np.random.default_rng(seed)
    rows: list[Row] = []
    for one_site in sites:
        for start in range(T0, T0 + count_h * HOUR_MS, one_site.period_ms):
            if chance.random() < 0.08:
                continue
            values = tuple(None if chance.random() < 0.05 else int(chance.integers(0, 30_000)) for _ in FACTORS)
            flags = tuple(str(chance.choice(["N", "N", "N", "N", "C", "D", "T"])) for _ in FACTORS)
            rows.append(Row(site=one_site.id, start=start, values=values, flags=flags))
            if chance.random() < 0.1:
                again = tuple(None if v is None else v + 100 for v in values)
                rows.append(
                    Row(site=one_site.id, start=start, values=again, flags=flags, correction=int(chance.integers(0, 3)))
                )
    return rows
