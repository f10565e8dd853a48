"""What every store promises: which of two results stands, what a write reports, what can be read.

A *record* is a result row as a plain tuple, in the order of `RECORD`: first the key, then what
ranks it. Of two records of one key the greater rank stands: the greater revision; of equal
revisions the greater tick; of equal ticks the greater content, column by column, nothing below
anything. So the final table does not depend on the order or the number of deliveries.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from sensors.clock import MINUTE_MS
from streams.results import CONTENT_COLUMNS, KEY_COLUMNS, RESULT_SCHEMA, ResultHead

Record: TypeAlias = tuple[Any, ...]
"""One result as a tuple in the order of `RECORD`."""
KEY: Final = (*KEY_COLUMNS, "kind")
"""An area has results of several kinds that share factor and window: ammonia of its rivers, and of its outfalls."""
RECORD: Final = (*KEY, "revision", "at", *CONTENT_COLUMNS, "pack")
KEY_WIDTH: Final = len(KEY)
REVISION: Final = RECORD.index("revision")
EARLIEST_MS: Final = -9_223_372_036_854 + MINUTE_MS
LATEST_MS: Final = 9_223_372_036_854 - MINUTE_MS
"""First and last start that a store takes: what fits 64 bits of nanoseconds."""
NAME_BYTES: Final = 1_024
TEXT_BYTES: Final = 32_768
"""Longest name and longest free text, in bytes of UTF-8."""
_FREE_TEXT: Final = ("detail", "primary")
_SIGNED: Final = pa.int64()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A row that no later attempt would bring into the store."""

    row: pa.RecordBatch
    """The row alone, as it came."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteReport:
    """What became of the rows of a write; the three numbers add up to the rows."""

    accepted: int = 0
    """Rows that stand in the store now, those that already stood included."""
    kept: int = 0
    """Rows left out: a greater one of their key is held, or a greater or equal one is in the same batch."""
    rejected: tuple[Rejected, ...] = ()
    conflicts: int = 0
    """Rows, accepted or kept, that met another content of the same revision: the engine never makes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """How far the stream has come."""

    kind: str
    at_ms: int
    """Greatest tick of the slowest partition."""
    wall_ms: int
    """Wall time when that tick was noted."""
    partition: int


class ResultStore(Protocol):
    """A place for results; the final table is equal for any order and repetition of writes.

    Every read returns the columns of `RESULT_SCHEMA`, sorted by key. Any method raises
    `StoreError` when the store does not answer; a write may then be given again as it is.
    """

    def write(self, rows: pa.RecordBatch, head: ResultHead) -> WriteReport:
        """Take results; when it returns they are durable.

        Raises
        ------
        StoreError
            When the store is down. Some of the rows may be in it.
        ValueError
            When the columns are not those of `RESULT_SCHEMA`.
        """

    def series(self, site: str, factor: str, window: str, start_ms: int, end_ms: int) -> pa.Table:
        """Return one window of one factor of a site, in every edition, for start_ms ≤ start < end_ms."""

    def site_rows(
        self, site: str, start_ms: int, end_ms: int, windows: Sequence[str] = (), kind: str | None = None
    ) -> pa.Table:
        """Return every factor of a site or area for start_ms ≤ start < end_ms.

        Of some windows or, with none named, of all; of one kind of readings or, with None, of all.
        """

    def slice(self, window: str, start_ms: int, kind: str | None = None) -> pa.Table:
        """Return every site and factor of one window, of one kind of readings or, with None, of all."""

    def latest(self, window: str) -> int | None:
        """Return the newest start that has rows; None when there is none."""

    def head_of(self, site: str, factor: str, window: str, start_ms: int, edition: str) -> ResultHead | None:
        """Return the kind and the standards pack of a result that stands; None when there is none."""

    def note_tick(self, kind: str, partition: int, at_ms: int, wall_ms: int) -> None:
        """Remember the tick of a kind's partition; one that is not greater than the noted one changes nothing."""

    def note_ticks(self, ticks: Iterable[Clock]) -> None:
        """Remember many ticks at once, each as `note_tick` does."""

    def clock(self) -> Clock | None:
        """Return the tick of the slowest of all partitions that have ticked; None before the first tick."""

    def clocks(self) -> tuple[Clock, ...]:
        """Return the tick of the slowest partition of each kind that has ticked, by kind."""

    def refresh(self) -> None:
        """Forget what this process remembers of held rows: another process may have written."""

    def close(self) -> None:
        """Let go of files and connections."""


def slowest(ticks: Iterable[Clock]) -> Clock | None:
    """Return the clock of the slowest partition, None of none."""
    return min(ticks, key=lambda tick: (tick.at_ms, tick.kind, tick.partition), default=None)


def slowest_of_each(ticks: Iterable[Clock]) -> tuple[Clock, ...]:
    """Return the clock of each kind's slowest partition, by kind."""
    found: dict[str, Clock] = {}
    for tick in sorted(ticks, key=lambda tick: (tick.kind, tick.at_ms, tick.partition)):
        found.setdefault(tick.kind, tick)
    return tuple(found.values())


def outranks(record: Record, held: Record) -> bool:
    """Say whether a record takes the place of the one that is held."""
    if record[REVISION] != held[REVISION]:
        return bool(record[REVISION] > held[REVISION])
    return _rank(record) > _rank(held)


def _rank(record: Record) -> list[tuple[bool, Any]]:
    return [(cell is not None, cell) for cell in record[KEY_WIDTH:]]


def columns_of(rows: pa.RecordBatch, head: ResultHead) -> list[list[Any]]:
    """Return the columns of `RECORD` as lists: times in ms, ``inputs`` as signed 64 bits."""
    of_head = {"kind": head.kind, "pack": head.pack}
    return [[of_head[name]] * rows.num_rows if name in of_head else _plain(rows.column(name)) for name in RECORD]


def _plain(column: pa.Array) -> list[Any]:
    if pa.types.is_dictionary(column.type):
        names = column.dictionary.to_pylist()
        return [names[index] for index in column.indices.to_pylist()]
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    elif column.type == pa.uint64():
        column = column.view(_SIGNED)
    return column.to_pylist()  # type: ignore[no-any-return]


def records_of(rows: pa.RecordBatch, head: ResultHead) -> list[Record]:
    """Return the rows as records."""
    return list(zip(*columns_of(rows, head), strict=True))


def table_of(records: Iterable[Record]) -> pa.Table:
    """Return records as a table of `RESULT_SCHEMA`, sorted by key; none give an empty table."""
    ordered = sorted(records, key=lambda record: record[:KEY_WIDTH])
    columns: Sequence[Sequence[Any]] = list(zip(*ordered, strict=True)) or [[] for _ in RECORD]
    held = dict(zip(RECORD, columns, strict=True))
    arrays = [_column(held[field.name], field.type) for field in RESULT_SCHEMA]
    return pa.Table.from_arrays(arrays, schema=RESULT_SCHEMA)


def _column(cells: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if kind == pa.uint64():
        return pa.array(cells, _SIGNED).view(kind)
    if pa.types.is_timestamp(kind):
        return pa.array(cells, pa.int64()).cast(kind)
    return pa.array(cells, kind)


def sift(rows: pa.RecordBatch) -> tuple[pa.RecordBatch, tuple[Rejected, ...]]:
    """Part the rows that a store can hold from those that none can.

    Rejected are: nothing in a column that must have something, a start or tick that 64 bits of
    nanoseconds cannot hold, names and texts beyond `NAME_BYTES` and `TEXT_BYTES`.

    Raises
    ------
    ValueError
        When the columns are not those of `RESULT_SCHEMA`.
    """
    if not rows.schema.equals(RESULT_SCHEMA):
        raise ValueError(f"columns {rows.schema.names} are not those of a result, or of other types")
    rows = _tidy(rows)
    faults = [(why, bad) for why, bad in _faults(rows) if pc.any(bad).as_py()]
    if not faults:
        return rows, ()
    reasons: dict[int, str] = {}
    for why, bad in faults:
        for index in pc.indices_nonzero(bad).to_pylist():
            reasons.setdefault(index, why)
    rejected = tuple(Rejected(row=rows.slice(index, 1), why=reasons[index]) for index in sorted(reasons))
    good = [index for index in range(rows.num_rows) if index not in reasons]
    return rows.take(pa.array(good, pa.int64())), rejected


def _tidy(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Encode anew the columns whose dictionary holds a name twice or a null: Arrow lets both pass."""
    for place, field in enumerate(RESULT_SCHEMA):
        names = rows.column(place).dictionary if pa.types.is_dictionary(field.type) else None
        if names is not None and pc.count_distinct(names, mode="only_valid").as_py() != len(names):
            cells = pc.dictionary_decode(rows.column(place))
            rows = rows.set_column(place, field, pa.array(cells.to_pylist(), field.type))
    return rows


def _faults(rows: pa.RecordBatch) -> Iterable[tuple[str, pa.Array]]:
    for field in RESULT_SCHEMA:
        column = rows.column(field.name)
        if not field.nullable and column.null_count:
            yield f"{field.name} is missing", column.is_null()
        if pa.types.is_timestamp(field.type):
            ms = column.cast(pa.int64())
            yield (
                f"{field.name} is outside of what a store can hold",
                pc.or_(pc.less(ms, EARLIEST_MS), pc.greater(ms, LATEST_MS)).fill_null(False),  # noqa: FBT003 - Arrow's argument
            )
        elif pa.types.is_dictionary(field.type):
            longest = pc.greater(pc.binary_length(column.dictionary), NAME_BYTES)
            if pc.any(longest).as_py():
                yield f"{field.name} is longer than {NAME_BYTES} bytes", longest.take(column.indices).fill_null(False)  # noqa: FBT003 - Arrow's argument
        elif field.name in _FREE_TEXT:
            yield f"{field.name} is longer than {TEXT_BYTES} bytes", pc.greater(pc.binary_length(column), TEXT_BYTES)


def greatest(rows: pa.RecordBatch, head: ResultHead) -> tuple[pa.RecordBatch, int]:
    """Return the rows without those that another row of the same batch outranks or equals.

    The number tells how many of all met another content of their own revision.
    """
    keys = pa.table({name: rows.column(name) for name in KEY_COLUMNS})
    if keys.group_by(list(KEY_COLUMNS), use_threads=False).aggregate([]).num_rows == rows.num_rows:
        return rows, 0
    stands: dict[Record, tuple[int, Record]] = {}
    conflicts = 0
    for index, record in enumerate(records_of(rows, head)):
        key = record[:KEY_WIDTH]
        _, held = stands.setdefault(key, (index, record))
        conflicts += in_conflict(record, held)
        if outranks(record, held):
            stands[key] = (index, record)
    return rows.take(pa.array(sorted(index for index, _ in stands.values()), pa.int64())), conflicts


def in_conflict(record: Record, held: Record) -> bool:
    """Say whether two records of one key have the same revision and different contents."""
    return record[REVISION] == held[REVISION] and record[REVISION + 2 :] != held[REVISION + 2 :]
