"""Results as InfluxDB's line protocol, in columns; and the form in which text is written there.

Line protocol cannot carry every text: no line breaks or trailing backslashes in tags, no empty
tags. So ASCII control characters, backslash and ``%`` are written as ``%`` and two hex digits, and
an empty name as a lone ``%``; reading undoes it. Ordinary names are untouched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streams.results import ResultHead
from streams.store.schema import (
    FIELD_OF_COLUMN,
    RECORD_CELLS,
    TAG_OF_COLUMN,
    ClockName,
    Field,
    Measurement,
    Tag,
    measurement_of,
)

_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f\\%]")
_TAG_SPECIAL: Final = re.compile(r"([,= ])")
_EMPTY: Final = "%"
BETWEEN: Final = "\t"
"""What parts the cells of a record; encoded text never holds it."""
_TEXT_COLUMNS: Final = ("reason", "detail", "primary")


def encode_text(text: str) -> str:
    """Return a text in the form in which a field holds it."""
    return _UNSAFE.sub(lambda found: f"%{ord(found.group()):02X}", text)


def encode_name(name: str) -> str:
    """Return a name in the form in which a tag holds it; never empty."""
    return encode_text(name) or _EMPTY


def decode_text(held: str) -> str:
    """Return the text or name that was encoded."""
    return "" if held == _EMPTY else unquote(held)


def _tag(name: str) -> str:
    return _TAG_SPECIAL.sub(r"\\\1", encode_name(name))


def _quoted(text: str) -> str:
    return encode_text(text).replace('"', '\\"')


def lines_of(rows: pa.RecordBatch, head: ResultHead) -> list[str]:
    """Return one line per row, times in ms; rows as `contract.sift` lets them pass."""
    tags = [pa.scalar(f",{Tag.KIND}={_tag(head.kind)}")]
    tags += [_joined(f",{tag}=", _each(rows.column(column), _tag)) for column, tag in TAG_OF_COLUMN.items()]
    cells = {name: _cell(rows.column(name)) for name in RECORD_CELLS[:-1]}
    value = rows.column("value")
    fields = [
        _joined(f" {Field.VALID}=", pc.if_else(value.is_valid(), "1i", "0i")),
        _optional(_joined(f",{Field.VALUE}=", _decimal(value, rows.column("digits")).cast(pa.utf8()))),
        *[_field(name, cells[column], column) for column, name in FIELD_OF_COLUMN.items()],
        pa.scalar(f',{Field.RECORD}="'),
        *[_joined(_optional(cell), BETWEEN) for cell in cells.values()],
        pa.scalar(f'{_quoted(head.pack)}" '),
    ]
    measurements = _each(rows.column("factor"), measurement_of)
    return _joined(measurements, *tags, *fields, _cell(rows.column("start"))).to_pylist()  # type: ignore[no-any-return]


def _cell(cells: pa.Array) -> pa.Array:
    """Return cells as text: numbers and times as integers, texts escaped for a string field."""
    if pa.types.is_dictionary(cells.type) or pa.types.is_string(cells.type):
        return _each(cells, _quoted)
    return (cells.cast(pa.int64()) if pa.types.is_timestamp(cells.type) else cells).cast(pa.utf8())


def _field(name: Field, cells: pa.Array, column: str) -> pa.Array:
    if column in _TEXT_COLUMNS:
        return _joined(f',{name}="', cells, '"')
    return _optional(_joined(f",{name}=", cells, "i"))


def _joined(*parts: Any) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")


def _optional(cells: pa.Array) -> pa.Array:
    return pc.coalesce(cells, "")


def _each(cells: pa.Array, change: Callable[[str], str]) -> pa.Array:
    """Apply a change to every distinct text once."""
    coded = cells if pa.types.is_dictionary(cells.type) else cells.dictionary_encode()
    return pa.array([change(text) for text in coded.dictionary.to_pylist()], pa.utf8()).take(coded.indices)


def _decimal(value: pa.Array, digits: pa.Array) -> pa.Array:
    numbers = value.fill_null(0).to_numpy() / np.power(10.0, digits.to_numpy())
    return pc.if_else(value.is_valid(), pa.array(numbers), None)


def clock_line(kind: str, partition: int, at_ms: int, wall_ms: int) -> str:
    """Return the line that notes the tick of a kind's partition."""
    name = f"{Measurement.CLOCK},{Tag.KIND}={_tag(kind)},{ClockName.PARTITION}={partition}"
    return f"{name} {ClockName.AT}={at_ms}i,{ClockName.WALL}={wall_ms}i 0"


def point_predicate(site: str, kind: str, factor: str, window: str, edition: str) -> str:
    """Return the predicate that names one series to the delete API."""
    tags: Iterable[tuple[str, str]] = [
        ("_measurement", measurement_of(factor)),
        (Tag.SITE, site),
        (Tag.KIND, kind),
        (Tag.FACTOR, factor),
        (Tag.PERIOD, window),
        (Tag.EDITION, edition),
    ]
    return " AND ".join(f'{tag}="{_quoted(name) or _EMPTY}"' for tag, name in tags)
