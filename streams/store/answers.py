"""Answers of InfluxDB: CSV as records."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from types import MappingProxyType
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from sensors.errors import StoreError
from streams.results import RESULT_SCHEMA
from streams.store.contract import RECORD, Clock, Record
from streams.store.lines import BETWEEN, decode_text
from streams.store.schema import RECORD_CELLS, TAG_OF_COLUMN, ClockName, Tag

_TIME: Final = "_time"
_VALUE: Final = "_value"
_MOMENT: Final = pa.timestamp("ms", "UTC")


LATEST_COLUMNS: Final[Mapping[str, pa.DataType]] = MappingProxyType({_TIME: _MOMENT})
CLOCK_COLUMNS: Final[Mapping[str, pa.DataType]] = MappingProxyType(
    {str(Tag.KIND): pa.utf8()} | {str(name): pa.int64() for name in (ClockName.AT, ClockName.PARTITION, ClockName.WALL)}
)
RESULT_COLUMNS: Final[Mapping[str, pa.DataType]] = MappingProxyType(
    {_TIME: _MOMENT, _VALUE: pa.utf8(), str(Tag.KIND): pa.utf8()}
    | {str(tag): pa.utf8() for tag in TAG_OF_COLUMN.values()}
)


def read_answer(answer: bytes, columns: Mapping[str, pa.DataType]) -> pa.Table:
    """Return these columns of an answer that is one table; a column that it lacks is all null.

    Raises
    ------
    StoreError
        When the answer tells of an error, was cut short, or is of other types.
    """
    if not answer.strip():
        return pa.table({name: pa.array([], kind) for name, kind in columns.items()})
    if answer.startswith((b",error", b"error")):
        raise StoreError(f"InfluxDB broke off its answer: {answer[:300]!r}")
    wanted = csv.ConvertOptions(
        column_types=dict(columns),
        include_columns=list(columns),
        include_missing_columns=True,
        timestamp_parsers=[csv.ISO8601],
    )
    try:
        return csv.read_csv(
            BytesIO(answer), parse_options=csv.ParseOptions(newlines_in_values=True), convert_options=wanted
        )
    except pa.ArrowInvalid as cause:
        raise StoreError(f"an answer of InfluxDB cannot be read: {cause}") from cause


def clocks_in(table: pa.Table) -> list[Clock]:
    """Return an answer about ticks; a tick that an earlier version noted without its kind is passed over."""
    names = (Tag.KIND, ClockName.PARTITION, ClockName.AT, ClockName.WALL)
    return [
        Clock(kind=decode_text(kind), partition=partition, at_ms=at, wall_ms=wall)
        for kind, partition, at, wall in zip(*(table.column(name).to_pylist() for name in names), strict=True)
        if kind
    ]


def latest_in(table: pa.Table) -> int | None:
    """Return the one time of an answer in ms, or None."""
    times = table.column(_TIME).cast(pa.int64()).to_pylist()
    return times[0] if times else None


def records_in(table: pa.Table) -> list[Record]:
    """Return an answer about results as records.

    Raises
    ------
    StoreError
        When a point holds something else than a record.
    """
    names = {column: _texts(table.column(tag)) for column, tag in TAG_OF_COLUMN.items()}
    names["kind"] = _texts(table.column(Tag.KIND))
    start = table.column(_TIME).cast(pa.int64()).to_pylist()
    try:
        columns = names | {"start": start} | _cells(table.column(_VALUE))
    except pa.ArrowInvalid as cause:
        raise StoreError(f"InfluxDB holds a point whose record is not one of ours: {cause}") from cause
    return list(zip(*(columns[name] for name in RECORD), strict=True))


def _texts(column: pa.ChunkedArray) -> list[str]:
    return [decode_text(text) for text in column.to_pylist()]


def _cells(records: pa.ChunkedArray) -> dict[str, list[Any]]:
    parts = pc.split_pattern(records.combine_chunks(), BETWEEN)
    if not pc.all(pc.equal(pc.list_value_length(parts), len(RECORD_CELLS)), min_count=0).as_py():
        raise StoreError("InfluxDB holds a point whose record is not one of ours")
    return {name: _cell(pc.list_element(parts, place), name) for place, name in enumerate(RECORD_CELLS)}


def _cell(cells: pa.Array, name: str) -> list[Any]:
    kind = pa.utf8() if name == "pack" else RESULT_SCHEMA.field(name).type
    if pa.types.is_string(kind) or pa.types.is_dictionary(kind):
        return [decode_text(text) for text in cells.to_pylist()]
    numbers = pc.if_else(pc.equal(cells, ""), None, cells).cast(pa.uint64() if kind == pa.uint64() else pa.int64())
    return (numbers.view(pa.int64()) if kind == pa.uint64() else numbers).to_pylist()  # type: ignore[no-any-return]
