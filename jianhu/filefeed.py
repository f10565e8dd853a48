"""``jianhu feed``: real files through Kafka, in the order of their times, with back-pressure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from time import time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jianhu.feeding import Feeder, Packets, replay_rows
from sensors.clock import HOUR_MS
from sensors.deadletters import DeadLetter
from sensors.errors import ConfigError
from sensors.factors import Factor
from sensors.files import read_table
from sensors.frames import START, Origin
from sensors.intake import Delivery, TextBlock, take
from sensors.layouts import CSV, PRSA, Layout
from sensors.registry import Registry

REMEMBER_EVERY = 24


class Format(StrEnum):
    """Forms of files that can be fed."""

    PRSA = "prsa"
    """Beijing's twelve-station record of 2013 to 2017."""
    CSV = "csv"
    """``time, site, <factors>``, hour ends in Beijing time."""


LAYOUTS: dict[Format, Layout] = {Format.PRSA: PRSA, Format.CSV: CSV}


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedReport:
    """What a feed did."""

    rows: int
    refused: int
    hours: int
    resumed_at: int | None
    """Where it went on after an earlier run, ms; None when it began at the beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPlan:
    """What is fed, and how."""

    files: tuple[Path, ...]
    format: Format
    source: str
    registry: Registry
    factors: Mapping[str, Mapping[str, Factor]]
    """Factor tables by kind; a file's kind is that of its sites, the first kind where it names none that is known."""
    memory: Path
    """Folder in which an interrupted feed remembers how far it came."""
    settle_ms: int
    """The clock moves on by this at the end, so that the last hour is closed: the judge's grace."""
    durable_to: Mapping[str, int] | None = None
    """On a broker that forgets: by kind, up to when the archive holds all. A feed goes on no later than there."""
    start_ms: int | None = None
    end_ms: int | None = None
    """Only intervals that start in [start, end)."""


def feed_files(
    plan: FeedPlan,
    feeder: Feeder,
    *,
    on_read: Callable[[int], None] = lambda _: None,
    on_hours: Callable[[int, int], None] = lambda _done, _all: None,
) -> FeedReport:
    """Read files, publish their rows hour by hour, and remember the place.

    Parameters
    ----------
    on_read
        Called with the rows of each block read.
    on_hours
        Called with hours done and hours in all.

    Raises
    ------
    EdgeError
        When a file or the broker does not answer.
    ConfigError
        When what an earlier run remembered cannot be read.
    """
    layout = LAYOUTS[plan.format]
    tables, letters = _read(plan, layout, on_read)
    place = plan.memory / f"{_fingerprint(plan)}.json"
    resumed = _remembered(place)
    if resumed is not None and plan.durable_to is not None:
        resumed = min(resumed, *(plan.durable_to[kind] for kind in tables))
    if resumed is None:  # else the earlier run sent them before its first hour
        feeder.refuse(letters)
    hours = list(_hours_of(tables, layout, resumed))

    def blocks() -> Iterator[tuple[Sequence[Packets], int]]:
        for done, (packets, end) in enumerate(hours, start=1):
            yield packets, end
            on_hours(done, len(hours))
            if done % REMEMBER_EVERY == 0:
                _remember(place, end)

    sent = replay_rows(feeder.of(tables), blocks(), settle_ms=plan.settle_ms)
    if not feeder.stop.is_set():
        place.unlink(missing_ok=True)
    return FeedReport(rows=sent, refused=len(letters), hours=len(hours), resumed_at=resumed)


def _read(
    plan: FeedPlan, layout: Layout, on_read: Callable[[int], None]
) -> tuple[dict[str, pa.Table], list[DeadLetter]]:
    """Return the rows by kind, and what could not be used."""
    delivery = Delivery(source=plan.source, received_ms=int(time() * 1000))
    batches: dict[str, list[pa.RecordBatch]] = {}
    letters: list[DeadLetter] = []
    for path in plan.files:
        kind = ""
        for block in read_table(path, delivery):
            kind = _kind_of(block, layout, plan, kind)
            taken = take(block, layout, registry=plan.registry, factors=plan.factors[kind], delivery=delivery)
            letters += taken.letters
            batches.setdefault(kind, []).append(_within(taken.rows, plan))
            on_read(block.columns.num_rows)
    held = {kind: [b for b in parts if b.num_rows] for kind, parts in batches.items()}
    return {kind: pa.Table.from_batches(parts) for kind, parts in held.items() if parts}, letters


def _kind_of(block: TextBlock, layout: Layout, plan: FeedPlan, known: str) -> str:
    """Return the kind of a file's sites, as far as it was read.

    Raises
    ------
    ConfigError
        When its sites are of several kinds, or of one that this system does not carry.
    """
    names = block.columns.column(layout.site).unique().to_pylist() if layout.site in block.columns.schema.names else []
    entries = {entry.id: entry.kind for entry in plan.registry.sites}
    found = {entries[name] for name in names if name in entries} | ({known} if known else set())
    if len(found) > 1 or not found <= plan.factors.keys():
        raise ConfigError(
            file=block.file, line=None, key=layout.site,
            problem=f"sites of the kinds {', '.join(sorted(found))}; this system carries {', '.join(plan.factors)}",
            mend="feed one file for each kind, and name the kind in JIANHU_KINDS where that is set",
        )  # fmt: skip
    return next(iter(found), next(iter(plan.factors)))


def _hours_of(
    tables: Mapping[str, pa.Table], layout: Layout, resumed: int | None
) -> Iterator[tuple[Sequence[Packets], int]]:
    """Yield the packets of each hour, of every kind, and the hour's end, in order."""
    hours: dict[int, list[Packets]] = {}
    for kind, rows in tables.items():
        for batch, end in _by_hour(rows, resumed):
            packets = Packets(kind=kind, period_ms=layout.period_ms, rows=batch, origin=Origin.REPORTED)
            hours.setdefault(end, []).append(packets)
    for end in sorted(hours):
        yield hours[end], end


def _within(rows: pa.RecordBatch, plan: FeedPlan) -> pa.RecordBatch:
    start = rows.column(START).cast(pa.int64())
    if plan.start_ms is not None:
        rows = rows.filter(pc.greater_equal(start, plan.start_ms))
        start = rows.column(START).cast(pa.int64())
    return rows if plan.end_ms is None else rows.filter(pc.less(start, plan.end_ms))


def _by_hour(rows: pa.Table, resumed: int | None) -> Iterator[tuple[pa.RecordBatch, int]]:
    """Yield the rows of each hour and the hour's end, in order; rows of one hour keep their order."""
    rows = rows.unify_dictionaries().combine_chunks()
    hours = rows.column(START).cast(pa.int64()).to_numpy() // HOUR_MS
    order = np.argsort(hours, kind="stable")
    rows, hours = rows.take(pa.array(order)).combine_chunks(), hours[order]
    cuts = [0, *(np.flatnonzero(np.diff(hours)) + 1).tolist(), hours.size]
    for begin, stop in pairwise(cuts):
        end = (int(hours[begin]) + 1) * HOUR_MS
        if resumed is None or end >= resumed:  # the last one again: its closing tick may not have been sent
            yield rows.slice(begin, stop - begin).to_batches()[0], end


def _fingerprint(plan: FeedPlan) -> str:
    parts: Sequence[str] = [f"{p.resolve()}:{p.stat().st_size}:{p.stat().st_mtime_ns}" for p in plan.files]
    what = json.dumps([*parts, plan.format, plan.start_ms, plan.end_ms])
    return hashlib.sha256(what.encode()).hexdigest()[:24]


def _remembered(place: Path) -> int | None:
    if not place.exists():
        return None
    try:
        return int(json.loads(place.read_text())["end"])
    except (OSError, ValueError, KeyError, TypeError) as cause:
        raise ConfigError(
            file=str(place), line=None, key="", problem="what an earlier feed remembered cannot be read",
            mend="delete the file: the feed then begins at the beginning, and nothing is counted twice",
        ) from cause  # fmt: skip


def _remember(place: Path, end: int) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_suffix(".new")
    draft.write_text(json.dumps({"end": end}))
    draft.replace(place)
