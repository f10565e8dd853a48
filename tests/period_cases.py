"""Small logs for the second stage: rows of days and hours, registries with areas, and what judges say of them."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from sensors.areas import Area
from sensors.clock import BEIJING_OFFSET_MS, DAY_MS, HOUR_MS, MINUTE_MS
from sensors.kinds import Kind, load_kind
from sensors.registry import Absence, Registry, Site
from sensors.registryfile import AreaType
from sensors.windows import Span
from streams.periods.judge import PeriodJudge
from streams.periods.registered import PeriodContext
from streams.periods.targets import NO_TARGETS, Targets
from streams.results import CONTENT_COLUMNS, KEY_COLUMNS, RESULT_SCHEMA
from streams.standards import load_standards

_CODED = ("factor", "window", "edition", "reason")
AIR_DAYS = {"PM2.5": "24h", "PM10": "24h", "SO2": "24h", "NO2": "24h", "CO": "24h", "O3": "MDA8"}


def day_no(text: str) -> int:
    """Return the Beijing day number of an ISO date."""
    return (dt.date.fromisoformat(text) - dt.date(1970, 1, 1)).days


def day_ms(day: int) -> int:
    """Return the start of a Beijing day."""
    return day * DAY_MS - BEIJING_OFFSET_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One result of the first stage."""

    site: str
    factor: str
    window: str
    start: int
    value: int | None
    """Stored units."""
    reason: str = ""
    revision: int = 1
    edition: str = ""
    digits: int = 2
    flags: int = 0
    level: int | None = None
    inputs: int | None = None
    """Of the hash; None: made of the content."""


def day_row(kind: Kind, site: str, factor: str, day: int, value: float | None, *, window: str = "", **more: Any) -> Row:
    """Return a day value in the canonical unit; None is a day that is not valid."""
    digits = kind.factors[factor].digits if factor in kind.factors else 0
    stored = None if value is None else round(value * 10**digits)
    window = window or (AIR_DAYS.get(factor, "24h") if kind.name == "air" else "24h")
    reason = more.pop("reason", "incomplete" if value is None else "")
    return Row(
        site=site, factor=factor, window=window, start=day_ms(day), value=stored, digits=digits, reason=reason, **more
    )


def batch(rows: Sequence[Row]) -> pa.RecordBatch:
    """Return rows as the first stage says them."""

    def coded(texts: Sequence[str], index: pa.DataType) -> pa.Array:
        names = list(dict.fromkeys(texts))
        codes = pa.array([names.index(text) for text in texts], index)
        return pa.DictionaryArray.from_arrays(codes, pa.array(names, pa.utf8()))

    count = len(rows)
    made: dict[str, Any] = {
        "site": coded([r.site for r in rows], pa.int32()),
        **{name: coded([getattr(r, name) for r in rows], pa.int8()) for name in _CODED},
        "start": pa.array([r.start for r in rows], pa.int64()).cast(pa.timestamp("ms", "UTC")),
        "value": pa.array([r.value for r in rows], pa.int64()),
        "digits": pa.array([r.digits for r in rows], pa.int8()),
        "valid": pa.array([0 if r.value is None else 24 for r in rows], pa.int16()),
        "expected": pa.array([24] * count, pa.int16()),
        "detail": pa.array([""] * count, pa.utf8()),
        "flags": pa.array([r.flags for r in rows], pa.int32()),
        "iaqi": pa.nulls(count, pa.int16()),
        "level": pa.array([r.level for r in rows], pa.int8()),
        "primary": pa.array([""] * count, pa.utf8()),
        "revision": pa.array([r.revision for r in rows], pa.int32()),
        "inputs": pa.array(
            [zlib.crc32(f"{r.value} {r.reason}".encode()) if r.inputs is None else r.inputs for r in rows], pa.uint64()
        ),
        "at": pa.array([0] * count, pa.int64()).cast(pa.timestamp("ms", "UTC")),
    }  # fmt: skip
    return pa.RecordBatch.from_arrays([made[f.name] for f in RESULT_SCHEMA], schema=RESULT_SCHEMA)


def site(
    name: str, *, kind: str = "air", areas: tuple[str, ...] = (), assessment: bool = True, start: int = 0,
    end: int | None = None, absent: Sequence[str] = (), **more: Any,
) -> Site:  # fmt: skip
    """Return a registry entry; ``areas`` is the whole closure."""
    return Site(
        id=name, kind=kind, name_zh=name, name_en=name, station_class="urban", lon=120.0, lat=30.0, county="",
        township="", zone=2, period_ms=HOUR_MS, synthetic=True, source="test", start=start, end=end,
        not_in_plan=tuple(Absence(factor=f, start=0, end=None, author="test", why="test") for f in absent),
        assessment=assessment, areas=areas, **more,
    )  # fmt: skip


def area(name: str, kind: str, parent: str | None = None) -> Area:
    """Return an area."""
    return Area(id=name, type=AreaType(kind), name_zh=name, name_en=name, parent=parent, synthetic=True, source="test")


def registry(sites: Iterable[Site], areas: Iterable[Area] = ()) -> Registry:
    """Return a registry."""
    return Registry(
        region_zh="某地", region_en="somewhere", synthetic=True, areas=tuple(areas),
        sites=tuple(sorted(sites, key=lambda s: (s.id, s.start))),
    )  # fmt: skip


def air(*, evaluations: tuple[str, ...] = ("air_year",), running: bool = True) -> Kind:
    """Return the delivered kind, with some of its period evaluations, and with the running years or without."""
    kind = load_kind("air")
    windows = tuple(w for w in kind.windows if running or w.span is not Span.RUNNING_YEAR)
    return replace(kind, windows=windows, period_evaluations=evaluations)


def judge(
    made: Registry, kind: Kind, *, partition: int = 0, partitions: int = 1, targets: Targets = NO_TARGETS
) -> PeriodJudge:
    """Return a judge."""
    context = PeriodContext(kind=kind, standards=load_standards(), registry=made, targets=targets)
    return PeriodJudge(partition=partition, partitions=partitions, kind=kind, registry=made, context=context)


def after(day: int) -> int:
    """Return a tick at which a day is over, with the grace."""
    return day_ms(day + 1) + 5 * MINUTE_MS


def records(batches: Iterable[pa.RecordBatch | None]) -> list[dict[str, Any]]:
    """Return result rows as mappings, times in ms."""
    found: list[dict[str, Any]] = []
    for rows in batches:
        if rows is None:
            continue
        assert rows.schema.equals(RESULT_SCHEMA)
        table = pa.table(rows)
        for name in ("start", "at"):
            table = table.set_column(table.schema.get_field_index(name), name, table.column(name).cast(pa.int64()))
        found += table.to_pylist()
    return found


def final(batches: Iterable[pa.RecordBatch | None]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return the last revision of each window by key; revisions must follow one by one."""
    table: dict[tuple[Any, ...], dict[str, Any]] = {}
    for record in records(batches):
        key = tuple(record[name] for name in KEY_COLUMNS)
        assert record["revision"] == table.get(key, {"revision": 0})["revision"] + 1
        table[key] = record
    return table


def contents(batches: Iterable[pa.RecordBatch | None]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Return what must be equal for any order: key → content."""
    return {key: tuple(record[name] for name in CONTENT_COLUMNS) for key, record in final(batches).items()}


def one(batches: Iterable[pa.RecordBatch | None], name: str, factor: str, window: str, day: str) -> dict[str, Any]:
    """Return the last revision of one window that starts on a day."""
    start = day_ms(day_no(day))
    found = [r for key, r in final(batches).items() if key[:4] == (name, factor, window, start)]
    assert len(found) == 1, f"{name} {factor} {window} {day}: {len(found)} rows"
    return found[0]


def year_of_days(
    kind: Kind, name: str, first: str, last: str, values: Mapping[str, float], *, skip: Iterable[str] = ()
) -> list[Row]:
    """Return the same day values for every day from one date to another, but for some days that are not valid."""
    left_out = {day_no(text) for text in skip}
    return [
        day_row(kind, name, factor, day, None if day in left_out else value)
        for day in range(day_no(first), day_no(last) + 1)
        for factor, value in values.items()
    ]
