"""Segments: the columns in which the archive keeps what went over a topic.

A readings or results segment has the columns of its frames, so pandas and DuckDB read it as it is,
and before them where each row came from. A tick is a row with ``tick`` set; bytes that nobody can
read stand in ``raw``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sensors.errors import BadFrame
from sensors.frames import SITE, Frame, FrameHead, Origin, Tick, decode
from streams.areas import AreaTick, decode_area
from streams.results import RESULT_SCHEMA, decode_results

OFFSET: Final = "offset"
TICK: Final = "tick"
RAW: Final = "raw"
TICK_SOURCE: Final = "tick_source"
"""Of a tick on an areas topic: the partition of the readings whose clock it is."""
ItemT_co = TypeVar("ItemT_co", covariant=True)
HEAD_FIELDS: Final = {
    "kind": pa.utf8(),
    "period_ms": pa.int64(),
    "source": pa.utf8(),
    "sequence": pa.int64(),
    "origin": pa.int8(),
    "synthetic": pa.bool_(),
}


_OWN: Final = {OFFSET, TICK, RAW, *HEAD_FIELDS}


def rows_of(topic_kind: str, offset: int, data: bytes) -> pa.Table:
    """Return one message as archive rows; what does not go into columns is kept as it came.

    Parameters
    ----------
    topic_kind
        ``readings``, ``results``, ``areas`` or anything else, which is kept as raw bytes.
    offset
        The message's offset.
    data
        The message's value.
    """
    try:
        if topic_kind == "readings":
            said = decode(data)
            if isinstance(said, Tick):
                return _tick_row(offset, said)
            if _OWN.isdisjoint(said.rows.schema.names):
                return _frame_rows(offset, said)
        if topic_kind == "results":
            answer = decode_results(data)
            return _tick_row(offset, answer) if isinstance(answer, Tick) else _located(offset, _plain(answer[1]))
        if topic_kind == "areas":
            sent = decode_area(data)
            return _area_tick_row(offset, sent) if isinstance(sent, AreaTick) else _located(offset, _plain(sent))
    except BadFrame:
        return _raw_row(offset, data)
    return _raw_row(offset, data)


def _tick_row(offset: int, tick: Tick) -> pa.Table:
    return pa.table({OFFSET: pa.array([offset], pa.int64()), TICK: pa.array([tick.at], pa.timestamp("ms", "UTC"))})


def _area_tick_row(offset: int, tick: AreaTick) -> pa.Table:
    source = pa.array([tick.source], pa.int32())
    return _tick_row(offset, Tick(tick.at)).append_column(TICK_SOURCE, source)


def _raw_row(offset: int, data: bytes) -> pa.Table:
    return pa.table({OFFSET: pa.array([offset], pa.int64()), RAW: pa.array([data], pa.binary())})


def _plain(rows: pa.RecordBatch) -> pa.Table:
    """Return rows with text in place of dictionaries, which differ from message to message.

    Every column may be null, as it is in a row that is a tick.
    """
    kinds = {f.name: f.type.value_type if pa.types.is_dictionary(f.type) else f.type for f in rows.schema}
    return pa.table({name: rows.column(name).cast(kind) for name, kind in kinds.items()})


def _located(offset: int, table: pa.Table) -> pa.Table:
    return table.add_column(0, OFFSET, pa.array(np.full(table.num_rows, offset, np.int64)))


def _frame_rows(offset: int, frame: Frame) -> pa.Table:
    table = _located(offset, _plain(frame.rows))
    head = msgspec.structs.asdict(frame.head)
    for name, kind in HEAD_FIELDS.items():
        table = table.append_column(name, pa.repeat(pa.scalar(head[name], kind), table.num_rows))
    return table


def joined(tables: list[pa.Table]) -> pa.Table:
    """Return archive rows of many messages as one table; columns that one lacks are null there."""
    return pa.concat_tables(tables, promote_options="permissive").combine_chunks()


def items_of(table: pa.Table) -> Iterator[Frame | Tick]:
    """Yield the ticks and frames of readings rows in order; frames between two ticks are cut together.

    Folding is a maximum, so one large frame says the same as the small ones it is made of. Bytes that
    could not be read when they were archived are left out, unless this program can read them.
    """
    begin = 0
    for place, item in _whole_items(table):
        if place > begin:
            yield from _frames_of(table.slice(begin, place - begin))
        if item is not None:
            yield item
        begin = place + 1
    if begin < table.num_rows:
        yield from _frames_of(table.slice(begin))


def _whole_items(table: pa.Table) -> Iterator[tuple[int, Frame | Tick | None]]:
    """Yield row and content of the rows that are a message each; None for bytes that cannot be read."""
    nothing = pa.nulls(table.num_rows)
    ticks, raw = (table.column(name) if name in table.schema.names else nothing for name in (TICK, RAW))
    timed = pc.is_valid(ticks).to_numpy(zero_copy_only=False)
    moments = ticks.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    for place in np.flatnonzero(timed | pc.is_valid(raw).to_numpy(zero_copy_only=False)).tolist():
        yield place, Tick(int(moments[place])) if timed[place] else _readable(raw[place].as_py())


def _readable(data: bytes) -> Frame | Tick | None:
    try:
        return decode(data)
    except BadFrame:
        return None


def _frames_of(table: pa.Table) -> Iterator[Frame]:
    """Yield rows between two ticks as frames, one for each kind, period and origin among them."""
    if SITE not in table.schema.names:
        return
    table = table.filter(pc.is_valid(table.column(SITE)))
    drop = [name for name in (OFFSET, TICK, RAW, *HEAD_FIELDS) if name in table.schema.names]
    while table.num_rows:
        head = {name: table.column(name)[0] for name in ("kind", "period_ms", "origin", "synthetic")}
        same = pc.equal(table.column("kind"), head["kind"])
        for name in ("period_ms", "origin", "synthetic"):
            same = pc.and_(same, pc.equal(table.column(name), head[name]))
        mine, table = table.filter(same), table.filter(pc.invert(same))
        rows = mine.drop_columns(drop).combine_chunks()
        rows = rows.set_column(0, SITE, rows.column(SITE).cast(pa.dictionary(pa.int32(), pa.utf8())))
        yield Frame(
            head=FrameHead(
                kind=head["kind"].as_py(),
                period_ms=head["period_ms"].as_py(),
                source=mine.column("source")[0].as_py(),
                sequence=mine.column("sequence")[0].as_py(),
                origin=Origin(head["origin"].as_py()),
                synthetic=head["synthetic"].as_py(),
            ),
            rows=rows.combine_chunks().to_batches()[0],
        )


def area_items_of(table: pa.Table) -> Iterator[pa.RecordBatch | AreaTick]:
    """Yield the ticks and result rows of an areas segment in order; rows between two ticks come together.

    Bytes that could not be read when they were archived are left out, unless this program can read them.
    """
    begin = 0
    for place, item in _whole_area_items(table):
        if place > begin:
            yield from _results_of(table.slice(begin, place - begin))
        if item is not None:
            yield item
        begin = place + 1
    if begin < table.num_rows:
        yield from _results_of(table.slice(begin))


def _whole_area_items(table: pa.Table) -> Iterator[tuple[int, pa.RecordBatch | AreaTick | None]]:
    nothing = pa.nulls(table.num_rows)
    names = table.schema.names
    ticks, raw, sources = (table.column(name) if name in names else nothing for name in (TICK, RAW, TICK_SOURCE))
    timed = pc.is_valid(ticks).to_numpy(zero_copy_only=False)
    moments = ticks.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    partitions = sources.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    for place in np.flatnonzero(timed | pc.is_valid(raw).to_numpy(zero_copy_only=False)).tolist():
        if timed[place]:
            yield place, AreaTick(at=int(moments[place]), source=int(partitions[place]))
        else:
            yield place, _readable_area(raw[place].as_py())


def _readable_area(data: bytes) -> pa.RecordBatch | AreaTick | None:
    try:
        return decode_area(data)
    except BadFrame:
        return None


def _results_of(table: pa.Table) -> Iterator[pa.RecordBatch]:
    """Yield archived result rows with the types in which they travel."""
    if SITE not in table.schema.names:
        return
    table = table.filter(pc.is_valid(table.column(SITE))).combine_chunks()
    columns = [_as(table.column(field.name).combine_chunks(), field.type) for field in RESULT_SCHEMA]
    yield pa.RecordBatch.from_arrays(columns, schema=RESULT_SCHEMA)


def _as(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if not pa.types.is_dictionary(kind):
        return column.cast(kind)
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    return pa.DictionaryArray.from_arrays(coded.indices.cast(kind.index_type), coded.dictionary)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form(Generic[ItemT_co]):
    """How a topic's records are read, as they travel and as they were archived."""

    decode: Callable[[bytes], ItemT_co]
    """Raises `BadFrame` for bytes that nobody can read."""
    items: Callable[[pa.Table], Iterator[ItemT_co]]
    """Archived rows → items in order."""


READINGS: Final[Form[Frame | Tick]] = Form(decode=decode, items=items_of)
AREAS: Final[Form[pa.RecordBatch | AreaTick]] = Form(decode=decode_area, items=area_items_of)
