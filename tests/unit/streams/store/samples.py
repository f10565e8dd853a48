"""Result rows for the tests of the stores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

import pyarrow as pa

from sensors.clock import HOUR_MS
from streams.results import RESULT_SCHEMA, ResultHead

HEAD = ResultHead(kind="air", pack="pack-1")
T0 = 1_480_000_000_000 // HOUR_MS * HOUR_MS
HOUR = "1h"
EDITION = "HJ633-2012"


def row(**cells: Any) -> dict[str, Any]:
    """Return one result; without a value unless one is named."""
    result = {
        "site": "S1",
        "factor": "PM2.5",
        "window": HOUR,
        "start": T0,
        "edition": EDITION,
        "value": None,
        "digits": 2,
        "valid": 60,
        "expected": 60,
        "reason": "",
        "detail": "",
        "flags": 0,
        "iaqi": None,
        "level": None,
        "primary": "",
        "revision": 1,
        "inputs": 2**64 - 5,
        "at": T0 + HOUR_MS,
    }
    assert not cells.keys() - result.keys()
    return result | cells


def batch(*rows: Mapping[str, Any]) -> pa.RecordBatch:
    """Return rows as a record batch of results."""
    columns = [pa.array([cells[field.name] for cells in rows], field.type) for field in RESULT_SCHEMA]
    return pa.RecordBatch.from_arrays(columns, schema=RESULT_SCHEMA)


def listed(table: pa.Table | pa.RecordBatch) -> list[dict[str, Any]]:
    """Return a table as rows with times in milliseconds."""
    columns = {
        field.name: (column.cast(pa.int64()) if pa.types.is_timestamp(field.type) else column).to_pylist()
        for field, column in zip(table.schema, table.columns, strict=True)
    }
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def numbered(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows with revisions counted from 1, each at a later tick."""
    return [{**cells, "revision": n, "at": T0 + n * HOUR_MS} for n, cells in zip(count(1), rows, strict=False)]
