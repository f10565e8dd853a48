"""Answers of InfluxDB: CSV as records."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from types import MappingProxyType
from typing import Any, Final

import pyarrow as pa
from pyarrow import csv

from sensors.errors import StoreError
from streams.results import RESULT_SCHEMA
from streams.store.contract import RECORD, Record
from streams.store.lines import decode_text
from streams.store.schema import FIELD_OF_COLUMN, TAG_OF_COLUMN, ClockName, Field, Tag

_TIME: Final = "_time"
_MOMENT: Final = pa.timestamp("ms", "UTC")


def _type_of(column: str) -> pa.DataType:
    kind = RESULT_SCHEMA.field(column).type
    if pa.types.is_dictionary(kind):
        return pa.utf8()
    return pa.int64() if pa.types.is_timestamp(kind) else kind  # the tick is an integer field


LATEST_COLUMNS: Final[Mapping[str, pa.DataType]] = MappingProxyType({_TIME: _MOMENT})
CLOCK_COLUMNS: Final[Mapping[str, pa.DataType]] = MappingProxyType(
    {str(name): pa.int64() for name in (ClockName.AT, ClockName.PARTITION, ClockName.WALL)}
)
RESULT_COLUMNS: Final[Mapping[str, pa.DataType]] = MappingProxyType(
    {_TIME: _MOMENT, str(Tag.KIND): pa.utf8(), str(Field.PACK): pa.utf8()}
    | {str(tag): pa.utf8() for tag in TAG_OF_COLUMN.values()}
    | {str(name): _type_of(column) for column, name in FIELD_OF_COLUMN.items()}
)
_NAME_OF: Final[Mapping[str, str]] = MappingProxyType(
    {"start": _TIME, "kind": Tag.KIND, "pack": Field.PACK, **TAG_OF_COLUMN, **FIELD_OF_COLUMN}
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


def latest_in(table: pa.Table) -> int | None:
    """Return the one time of an answer in ms, or None."""
    times = table.column(_TIME).cast(pa.int64()).to_pylist()
    return times[0] if times else None


def records_in(table: pa.Table) -> list[Record]:
    """Return an answer about results as records."""
    return list(zip(*(_cells(table.column(_NAME_OF[name])) for name in RECORD), strict=True))


def _cells(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_string(column.type):
        return [decode_text(text) for text in column.to_pylist()]
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    elif column.type == pa.uint64():
        column = pa.chunked_array([chunk.view(pa.int64()) for chunk in column.chunks], pa.int64())
    return column.to_pylist()  # type: ignore[no-any-return]
