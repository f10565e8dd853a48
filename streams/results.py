"""Results: what the stream says of a site, a factor and a window; the columns of the results topics.

One row is one revision of one window. Below completeness ``value`` is null and ``reason`` says
why; that row takes an older number away.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec
import pyarrow as pa

from sensors.errors import BadFrame
from sensors.frames import Tick, decode_batch, write_options

SCHEMA_VERSION: Final = 1
AQI: Final = "AQI"
"""The factor name of index rows."""
PACKETS: Final = "packets"
"""The factor name of rows that account for what came: value received, and in ``detail`` where the others are."""


class Window(StrEnum):
    """Over which time a value was taken, and by which rule."""

    HOUR = "1h"
    """1 h mean; with factor AQI the real-time index. Stamped with its start."""
    O3_8H = "8h"
    """The 8 hours ending with the newest hour, across midnight. Stamped with the newest hour's start."""
    O3_8H_PLATFORM = "8h_platform"
    """The hours since midnight, at most 8; for comparison, never judged. Stamped likewise."""
    RUNNING_24H = "24h_running"
    """The 24 hours ending with the newest hour. Stamped likewise."""
    DAY = "24h"
    """Natural day in Beijing time; with factor AQI the daily index. Stamped with the day's start."""
    MDA8 = "MDA8"
    """Largest 8 h mean ending 08:00 to 24:00 of the natural day. Stamped with the day's start."""


class Reason(StrEnum):
    """Why there is no value, or what must be known beside it; ``OK`` is the empty text."""

    OK = ""
    SILENT = "silent"
    """Nothing came from the source."""
    CALIBRATING = "calibrating"
    """Too few valid values because of a zero, span or other calibration."""
    INVALID = "invalid"
    """Too few valid values because flags left the others out."""
    INCOMPLETE = "incomplete"
    """Too few valid values in the window."""
    NOT_IN_PLAN = "not_in_plan"
    """The site does not measure this factor by plan; written ``/``."""
    OVER_TABLE = "over_table"
    """Over 800 µg/m³: HJ 633-2012 gives no IAQI for this window and refers to another."""
    MISSING_ITEM = "missing_item"
    """An index with an item missing; ``detail`` names the items and why."""
    NO_ITEM = "no_item"
    """An index of which no item is valid."""
    NO_FLOW = "no_flow"
    """Nothing flowed, so there is no concentration weighted by flow."""
    CALM = "calm"
    """No wind, or winds that cancel, so there is no direction."""
    NO_TEMPERATURE = "no_temperature"
    """The rule needs the temperature and there is none."""
    UNSET = "unset"
    """The target, permit or minimum that this is held against was never set."""
    TOO_FEW_SITES = "too_few_sites"
    """Too few sites of the area are valid."""
    NOT_JUDGED = "not_judged"
    """The value is shown and held against nothing; ``detail`` says why."""


RESULT_SCHEMA: Final = pa.schema(
    [
        pa.field("site", pa.dictionary(pa.int32(), pa.utf8()), nullable=False),
        pa.field("factor", pa.dictionary(pa.int8(), pa.utf8()), nullable=False),
        pa.field("window", pa.dictionary(pa.int8(), pa.utf8()), nullable=False),
        pa.field("start", pa.timestamp("ms", "UTC"), nullable=False),
        pa.field("edition", pa.dictionary(pa.int8(), pa.utf8()), nullable=False),  # of the index, e.g. HJ633-2026
        pa.field("value", pa.int64()),  # fixed point: value / 10**digits in the canonical unit
        pa.field("digits", pa.int8(), nullable=False),
        pa.field("valid", pa.int16(), nullable=False),  # minutes of an hour, hours of a mean, 8 h means of an MDA8
        pa.field("expected", pa.int16(), nullable=False),
        pa.field("reason", pa.dictionary(pa.int8(), pa.utf8()), nullable=False),
        pa.field("detail", pa.utf8(), nullable=False),
        pa.field("flags", pa.int32(), nullable=False),  # sensors.flags.Mark
        pa.field("iaqi", pa.int16()),  # of this value where the edition's table has this window
        pa.field("level", pa.int8()),  # 1 to 6, of the AQI
        pa.field("primary", pa.utf8(), nullable=False),  # joined by ";", of the AQI
        pa.field("revision", pa.int32(), nullable=False),  # from 1
        pa.field("inputs", pa.uint64(), nullable=False),  # hash of what went in
        pa.field("at", pa.timestamp("ms", "UTC"), nullable=False),  # the tick that made this revision
    ]
)
KEY_COLUMNS: Final = ("site", "factor", "window", "start", "edition")
CONTENT_COLUMNS: Final = (
    "value", "digits", "valid", "expected", "reason", "detail", "flags", "iaqi", "level", "primary", "inputs",
)  # fmt: skip
"""What two results must share to be equal (rulings, "Equal"); not the revision and not the tick."""
_HEAD: Final = b"jianhu.results"


class ResultHead(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for every row of a results message."""

    kind: str
    pack: str
    """Hash of the standards pack that judged."""
    version: int = SCHEMA_VERSION


def encode_results(head: ResultHead, rows: pa.RecordBatch) -> bytes:
    """Return result rows as bytes for a topic."""
    rows = rows.replace_schema_metadata({_HEAD: msgspec.json.encode(head)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema, options=write_options("lz4")) as writer:
        writer.write_batch(rows)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def decode_results(data: bytes) -> tuple[ResultHead, pa.RecordBatch] | Tick:
    """Return the results of a message, or the judge's tick when it is one.

    Raises
    ------
    BadFrame
        When it is neither, or of another schema version.
    """
    if data[:1] == b"{":
        try:
            return msgspec.json.decode(data, type=Tick)
        except (msgspec.DecodeError, UnicodeDecodeError) as cause:
            raise BadFrame(f"a tick that cannot be read: {cause}") from cause
    metadata, rows = decode_batch(data)
    try:
        head = msgspec.json.decode(metadata[_HEAD], type=ResultHead)
    except (KeyError, msgspec.DecodeError, UnicodeDecodeError) as cause:
        raise BadFrame(f"results without a readable head: {cause}") from cause
    if head.version != SCHEMA_VERSION or not rows.schema.equals(RESULT_SCHEMA):
        raise BadFrame(f"results of version {head.version} with columns {rows.schema.names}")
    return head, rows
