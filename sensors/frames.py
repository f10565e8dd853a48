"""Frames and ticks: what travels on the readings topics.

A frame is an Arrow IPC stream of one record batch: one row per packet, per factor of the kind a
value column ``<factor>`` (int32, fixed point at the factor's ``digits``) and a flag column
``<factor>.flag`` (uint8, the letter's byte, 0 = unflagged). A null value with a null flag says
nothing about the factor; a null value with a flag says that there is none. A tick is the JSON
object ``{"at": ms}``: the stream's clock. A third record, ``{"recompute": …}``, asks that days
long past be judged again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache, lru_cache
from typing import Annotated, Final, Literal

import msgspec
import pyarrow as pa

from sensors.errors import BadFrame

SCHEMA_VERSION: Final = 1
SITE, START, RECEIVED, CORRECTION, OTHER = "site", "start", "received", "correction", "other"
_PREFIX: Final = b"jianhu."
# Threads cost more than they bring for messages of a few hundred kB (measured: three times the CPU for reading).
_READ: Final = pa.ipc.IpcReadOptions(use_threads=False)


_Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""What the columns of the archive can hold."""


class Origin(IntEnum):
    """Who made a value, weakest first; of two readings of one slot the greater origin stays."""

    DEVICE = 1
    """The instrument or its logger."""
    REPORTED = 2
    """A platform's published value or an enterprise's return."""
    LABORATORY = 3
    """A sample measured in a laboratory."""
    PERSON = 4
    """A named correction."""


class FrameHead(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for every row of a frame."""

    kind: str
    period_ms: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
    """Length of each reading's interval: 60 000 for a minute, 3 600 000 for an hour."""
    source: str
    """Name of the feed or gateway that published it."""
    sequence: _Int64
    """The source's own count of frames, so that a repeat is known for one."""
    origin: Origin = Origin.DEVICE
    synthetic: bool = False
    version: int = SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Many packets of one kind, period and origin."""

    head: FrameHead
    rows: pa.RecordBatch


_TICK_BOUND: Final = 8_000_000_000_000
"""Ticks before 1716 or after 2223 are no clock: nothing beyond can be put on a day of the standards."""


class Tick(msgspec.Struct, frozen=True):
    """The stream's clock: nothing is closed, judged or emitted but at a tick."""

    at: Annotated[int, msgspec.Meta(ge=-_TICK_BOUND, le=_TICK_BOUND)]
    """Milliseconds UTC."""


_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Day = Annotated[int, msgspec.Meta(ge=-90_000, le=90_000)]


class Recompute(msgspec.Struct, frozen=True, kw_only=True):
    """A person's request to judge past days of some sites again, from all that the log holds of them.

    It is a slice that a worker does at once; who asks for more sends slice after slice.
    """

    id: _Name
    """Chosen by who asks, so that a repeat is known for one."""
    sites: tuple[_Name, ...]
    """Sites of the partition; none means all of them."""
    first_day: _Day
    """Beijing day number, inside."""
    last_day: _Day
    """Beijing day number, inside."""
    author: _Name
    why: _Name


class _Word(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    recompute: Recompute


_REQUEST: Final = b'{"recompute":'
"""How a request begins; what follows is checked when it is read."""


def flag_column(factor: str) -> str:
    """Return the name of a factor's flag column."""
    return f"{factor}.flag"


def frame_schema(factors: Iterable[str]) -> pa.Schema:
    """Return the Arrow schema of a frame whose kind has these factors."""
    fields = [
        pa.field(SITE, pa.dictionary(pa.int32(), pa.utf8()), nullable=False),
        pa.field(START, pa.timestamp("ms", "UTC"), nullable=False),
        pa.field(RECEIVED, pa.timestamp("ms", "UTC"), nullable=False),
        pa.field(CORRECTION, pa.int16(), nullable=False),
        pa.field(OTHER, pa.map_(pa.utf8(), pa.utf8())),
    ]
    for factor in factors:
        fields += [pa.field(factor, pa.int32()), pa.field(flag_column(factor), pa.uint8())]
    return pa.schema(fields)


@cache
def write_options(compression: Literal["lz4", "zstd"] | None) -> pa.ipc.IpcWriteOptions:
    """Return how a message is written: without threads, as it is read."""
    return pa.ipc.IpcWriteOptions(compression=compression, use_threads=False)


def encode_frame(frame: Frame, compression: Literal["lz4", "zstd"] | None = "lz4") -> bytes:
    """Return a frame as bytes for a topic."""
    head = msgspec.json.encode(frame.head)
    rows = frame.rows.replace_schema_metadata({_PREFIX + b"frame": head})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema, options=write_options(compression)) as writer:
        writer.write_batch(rows)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def encode_tick(at_ms: int) -> bytes:
    """Return a tick as bytes for a topic."""
    return msgspec.json.encode(Tick(at_ms))


def encode_recompute(request: Recompute) -> bytes:
    """Return a request as bytes for a topic."""
    return msgspec.json.encode(_Word(request))


def is_request(data: bytes) -> bool:
    """Tell whether a message of a readings topic is meant as a request; `request_of` reads it."""
    return data.startswith(_REQUEST)


def request_of(data: bytes) -> Recompute:
    """Return the request that a message of a readings topic is.

    Raises
    ------
    BadFrame
        When it is none.
    """
    try:
        return msgspec.json.decode(data, type=_Word).recompute
    except (msgspec.DecodeError, UnicodeDecodeError) as cause:
        raise BadFrame(f"a request to recompute that cannot be read: {cause}") from cause


def decode(data: bytes) -> Frame | Tick:
    """Return the readings or the tick that a message of a readings topic holds.

    Raises
    ------
    BadFrame
        When it is neither a tick nor a frame of a known schema version; requests are for `request_of`.
    """
    if data[:1] == b"{":
        try:
            return msgspec.json.decode(data, type=Tick)
        except (msgspec.DecodeError, UnicodeDecodeError) as cause:
            raise BadFrame(f"a tick that cannot be read: {cause}") from cause
    metadata, rows = decode_batch(data)
    try:
        head = msgspec.json.decode(metadata[_PREFIX + b"frame"], type=FrameHead)
    except (KeyError, msgspec.DecodeError, UnicodeDecodeError) as cause:
        raise BadFrame(f"a frame without a readable head: {cause}") from cause
    if head.version != SCHEMA_VERSION:
        raise BadFrame(f"frame schema version {head.version}; this program reads {SCHEMA_VERSION}")
    _check_columns(rows)
    return Frame(head=head, rows=rows)


def decode_batch(data: bytes) -> tuple[Mapping[bytes, bytes], pa.RecordBatch]:
    """Return the metadata and the one batch of an Arrow IPC stream.

    Raises
    ------
    BadFrame
        When the bytes are no Arrow stream, or not one whole batch.
    """
    try:
        with pa.ipc.open_stream(pa.py_buffer(data), options=_READ) as reader:
            batches = list(reader)
        if len(batches) != 1:
            raise BadFrame(f"{len(batches)} batches in one message instead of 1")
        batches[0].validate(full=True)
        _ = batches[0].schema.names  # damaged names show only when they are read
    except (pa.ArrowException, OSError, ValueError) as cause:
        raise BadFrame(f"bytes that are no Arrow stream: {cause}") from cause
    return batches[0].schema.metadata or {}, batches[0]


@lru_cache(maxsize=64)
def _expected_schema(names: tuple[str, ...]) -> pa.Schema:
    return frame_schema(name for name in names if flag_column(name) in names)


def _check_columns(rows: pa.RecordBatch) -> None:
    names = rows.schema.names
    expected = _expected_schema(tuple(names))
    if not rows.schema.equals(expected):
        raise BadFrame(f"columns {names} instead of {expected.names}, or other types")
    for name in (SITE, START, RECEIVED, CORRECTION):
        if rows.column(name).null_count:
            raise BadFrame(f"column {name} has {rows.column(name).null_count} nulls")
