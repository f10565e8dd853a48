"""Small frames, ticks and logs for the tests of what carries them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from sensors.clock import HOUR_MS
from sensors.frames import Frame, FrameHead, Origin, Tick, encode_frame, encode_tick, frame_schema

T0 = 1_480_000_000_000 // HOUR_MS * HOUR_MS
FACTORS = ("PM2.5", "O3")
Item = Frame | Tick


def packet(site: str = "S1", start: int = T0, value: int | None = 100, **more: Any) -> dict[str, Any]:
    """Return one row: PM2.5 with a value, O3 that says nothing, unless told otherwise."""
    row: dict[str, Any] = {"site": site, "start": start, "received": start + 1, "correction": 0, "other": None}
    row |= {"PM2.5": value, "PM2.5.flag": ord("N"), "O3": None, "O3.flag": None}
    return row | more


def batch(*rows: dict[str, Any], factors: Sequence[str] = FACTORS) -> pa.RecordBatch:
    """Return rows with the columns of a frame."""
    return pa.RecordBatch.from_pylist(list(rows), schema=frame_schema(factors))


def head(**more: Any) -> FrameHead:
    """Return the head of hourly air readings."""
    given: dict[str, Any] = {"kind": "air", "period_ms": HOUR_MS, "source": "test", "sequence": 0}
    return FrameHead(**(given | more))


def frame(*rows: dict[str, Any], factors: Sequence[str] = FACTORS, **more: Any) -> Frame:
    """Return rows as a frame; more words go to its head."""
    return Frame(head=head(**more), rows=batch(*rows, factors=factors))


def message(item: Item) -> bytes:
    """Return an item as it travels."""
    return encode_tick(item.at) if isinstance(item, Tick) else encode_frame(item)


def told(items: Iterable[Item]) -> list[Any]:
    """Return what items say, row by row: how frames are cut makes no difference."""
    return [said for item in items for said in _told(item)]


def _told(item: Item) -> Iterator[Any]:
    if isinstance(item, Tick):
        yield ("tick", item.at)
        return
    plain = item.rows.schema.names
    columns = {
        name: (column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).to_pylist()
        for name, column in zip(plain, item.rows.columns, strict=True)
    }
    for place in range(item.rows.num_rows):
        said = {name: cells[place] for name, cells in columns.items() if cells[place] is not None}
        yield (item.head.kind, item.head.period_ms, Origin(item.head.origin), item.head.synthetic, said)
