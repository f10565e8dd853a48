"""Recompute: past days judged again from all that the log holds of them, and what differs said as a new revision.

For readings that came later than the live judge takes them, and after a change of standards, permits or registry.
A request is a slice of days; a worker does it at once, between two records of its partition, with a judge of its own
that lives through these days in virtual time. Only days that the live judge can no longer change are taken, so that the
two never speak of the same window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from sensors.clock import DAY_MS, HOUR_MS, day_of, first_hour_of_day
from sensors.frames import START, Frame, Recompute
from streams.results import CONTENT_COLUMNS, KEY_COLUMNS, RESULT_SCHEMA

BEFORE_DAYS: Final = 3
"""Days of readings before the first one, which its windows reach back to."""
AFTER_DAYS: Final = 1
"""Days after the last one whose running windows reach back to it."""
_KEYS: Final = list(KEY_COLUMNS)


class Judge(Protocol):
    """What judges the past: it takes frames and speaks at ticks."""

    def fold(self, frame: Frame) -> Sequence[object]:
        """Take readings; return those that have no place."""
        ...

    def tick(self, at: int) -> pa.RecordBatch | None:
        """Move the clock and say what is new."""
        ...


def day_start_ms(day: int) -> int:
    """Return when a Beijing day begins, ms UTC."""
    return first_hour_of_day(day) * HOUR_MS


def last_settled_day(clock_ms: int, late_h: int) -> int:
    """Return the last Beijing day that readings within the late span cannot change any more.

    Its dependents, running windows of the day after it, are settled as well.
    """
    return day_of(clock_ms - late_h * HOUR_MS) - 1 - AFTER_DAYS


def slices(first_day: int, last_day: int, days: int) -> tuple[tuple[int, int], ...]:
    """Return a span of days cut into spans of at most ``days``, first and last day inside."""
    return tuple((day, min(day + days - 1, last_day)) for day in range(first_day, last_day + 1, days))


def span_ms(request: Recompute) -> tuple[int, int]:
    """Return from when to before when readings are needed for a request, ms UTC."""
    return day_start_ms(request.first_day - BEFORE_DAYS), day_start_ms(request.last_day + 1 + AFTER_DAYS)


def judged_again(
    judge: Judge, frames: Iterable[Frame], request: Recompute, *, grace_ms: int
) -> tuple[pa.RecordBatch, ...]:
    """Return what a judge with an empty state says of the days of a request and of what depends on them.

    Parameters
    ----------
    judge
        With the sites of the request and no others.
    frames
        Readings of the span of the request (`span_ms`), in any order, any of them several times.
    request
        First and last day.
    grace_ms
        How long the judge waits after an hour's end.
    """
    held = list(frames)
    begin, end = span_ms(request)
    judge.tick(begin)
    said: list[pa.RecordBatch] = []
    for start in range(begin, end, DAY_MS):
        for frame in held:
            if part := _within(frame, start, start + DAY_MS):
                judge.fold(part)
        if (rows := judge.tick(start + DAY_MS + grace_ms)) is not None:
            said.append(rows)
    first = day_start_ms(request.first_day)
    asked = (_rows_between(rows, first, end) for rows in said)
    return tuple(rows for rows in asked if rows.num_rows)


def _within(frame: Frame, start: int, stop: int) -> Frame | None:
    starts = frame.rows.column(START).cast(pa.int64())
    mine = frame.rows.filter(pc.and_(pc.greater_equal(starts, start), pc.less(starts, stop)))
    return Frame(head=frame.head, rows=mine) if mine.num_rows else None


def _rows_between(rows: pa.RecordBatch, start: int, stop: int) -> pa.RecordBatch:
    starts = rows.column("start").cast(pa.int64())
    return rows.filter(pc.and_(pc.greater_equal(starts, start), pc.less(starts, stop)))


def newest(rows: pa.Table) -> pa.Table:
    """Return of each window the row of its greatest revision; columns of `RESULT_SCHEMA`, names as text."""
    rows = _plain(rows)
    greatest = rows.group_by(_KEYS).aggregate([("revision", "max")])
    stands = rows.join(greatest, _KEYS, join_type="inner")
    stands = stands.filter(pc.equal(stands.column("revision"), stands.column("revision_max")))
    unique = stands.group_by(_KEYS, use_threads=False).aggregate(
        [(name, "first") for name in rows.schema.names if name not in KEY_COLUMNS]
    )
    return unique.rename_columns([name.removesuffix("_first") for name in unique.schema.names]).select(
        rows.schema.names
    )


def revised(made: Iterable[pa.RecordBatch], held: pa.Table, at: int) -> pa.RecordBatch | None:
    """Return the rows whose content differs from what stands, each as the revision after it; None when none does.

    Parameters
    ----------
    made
        What was judged again; of a window said more than once the last counts.
    held
        What was said of these windows before, in any order and number of revisions.
    at
        The tick at which this is said.
    """
    batches = [_plain(pa.Table.from_batches([rows])) for rows in made]
    if not batches:
        return None
    new, old = newest(pa.concat_tables(batches)), newest(held)
    compared = [*CONTENT_COLUMNS, "revision"]
    renamed = old.select([*_KEYS, *compared]).rename_columns([*_KEYS, *(f"held_{name}" for name in compared)])
    both = new.join(renamed, _KEYS, join_type="left outer")
    unknown = pc.is_null(both.column("held_revision"))
    differs = unknown
    for name in CONTENT_COLUMNS:
        differs = pc.or_(differs, _unequal(both.column(name), both.column(f"held_{name}")))
    both = both.filter(differs)
    if not both.num_rows:
        return None
    order = pc.sort_indices(both, sort_keys=[(name, "ascending") for name in _KEYS])
    both = both.take(order)  # a join gives no order, and the same log must give the same bytes
    revision = pc.add(pc.fill_null(both.column("held_revision"), 0), 1).cast(pa.int32())
    columns = {name: both.column(name) for name in RESULT_SCHEMA.names}
    columns |= {"revision": revision, "at": pa.repeat(pa.scalar(at, pa.timestamp("ms", "UTC")), both.num_rows)}
    arrays = [
        pa.chunked_array([columns[f.name]]) if isinstance(columns[f.name], pa.Array) else columns[f.name]
        for f in RESULT_SCHEMA
    ]
    encoded = [array.combine_chunks().cast(f.type) for array, f in zip(arrays, RESULT_SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(encoded, schema=RESULT_SCHEMA)


def _unequal(new: pa.ChunkedArray, old: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return where two columns differ; nothing equals nothing."""
    differs = pc.not_equal(new, old)
    return pc.if_else(pc.is_null(differs), pc.xor(pc.is_null(new), pc.is_null(old)), differs)


def _plain(rows: pa.Table) -> pa.Table:
    """Return rows with text in place of dictionaries, whose indices mean nothing outside of their batch."""
    kinds = [f.type.value_type if pa.types.is_dictionary(f.type) else f.type for f in RESULT_SCHEMA]
    fields = zip(RESULT_SCHEMA.names, kinds, strict=True)
    return pa.table({name: rows.column(name).cast(kind) for name, kind in fields})


MakeJudge = Callable[[int, frozenset[str] | None], Judge]
"""Partition and sites (None: all of it) → a judge with an empty state."""
