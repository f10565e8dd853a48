"""One message of results as numpy columns: decoded once, looked at by every rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sensors.clock import BEIJING_OFFSET_MS, DAY_MS
from sensors.errors import BadFrame

NO_LEVEL: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The columns of `streams.results.RESULT_SCHEMA` that alerts read, ``(n,)`` each."""

    network: str
    """The kind of readings that the rows were made of, for example ``water``."""
    sites: tuple[str, ...]
    """What the codes in ``site`` mean; likewise the other tuples."""
    site: NDArray[np.int32]
    factors: tuple[str, ...]
    factor: NDArray[np.int32]
    windows: tuple[str, ...]
    window: NDArray[np.int32]
    editions: tuple[str, ...]
    edition: NDArray[np.int32]
    reasons: tuple[str, ...]
    reason: NDArray[np.int32]
    start: NDArray[np.int64]
    """Milliseconds UTC."""
    day: NDArray[np.int64]
    """Beijing day number of the start."""
    value: NDArray[np.int64]
    """Fixed point; 0 where there is none."""
    has_value: NDArray[np.bool_]
    digits: NDArray[np.int64]
    level: NDArray[np.int64]
    """Of an index, a class or a judgement; -1 where there is none."""
    valid: NDArray[np.int64]
    expected: NDArray[np.int64]
    flags: NDArray[np.int64]
    revision: NDArray[np.int64]
    inputs: NDArray[np.uint64]
    at: NDArray[np.int64]
    """Milliseconds UTC of the tick."""
    details: pa.Array
    primaries: pa.Array
    pack: str
    """Hash of the standards pack, of all rows."""

    def of(self, factor: str, window: str) -> NDArray[np.bool_]:
        """Return which rows are of a factor and window."""
        mine = (self.factor == _code(self.factors, factor)) & (self.window == _code(self.windows, window))
        return np.asarray(mine, dtype=np.bool_)

    def reason_code(self, reason: str) -> int:
        """Return the code of a reason; one that no row has when it does not occur."""
        return _code(self.reasons, reason)

    def window_code(self, window: str) -> int:
        """Return the code of a window; one that no row has when it does not occur."""
        return _code(self.windows, window)

    def edition_code(self, edition: str) -> int:
        """Return the code of an index edition; one that no row has when it does not occur."""
        return _code(self.editions, edition)

    def detail(self, row: int) -> str:
        """Return the detail of one row."""
        return str(self.details[row].as_py())

    def primary(self, row: int) -> str:
        """Return what decides one row: the primary pollutants of an index, the deciding items of a class."""
        return str(self.primaries[row].as_py())


def columns_of(rows: pa.RecordBatch, pack: str, network: str) -> Columns:
    """Return the rows of one results message as columns; ``network`` and ``pack`` stand in its head.

    Raises
    ------
    BadFrame
        When a column that must not has nulls.
    """
    for wanted in rows.schema:
        if not wanted.nullable and rows.column(wanted.name).null_count:
            raise BadFrame(f"column {wanted.name} has {rows.column(wanted.name).null_count} nulls")
    sites, site = _coded(rows, "site")
    factors, factor = _coded(rows, "factor")
    windows, window = _coded(rows, "window")
    editions, edition = _coded(rows, "edition")
    reasons, reason = _coded(rows, "reason")
    start = _numbers(rows, "start")
    return Columns(
        network=network,
        sites=sites, site=site, factors=factors, factor=factor, windows=windows, window=window,
        editions=editions, edition=edition, reasons=reasons, reason=reason,
        start=start,
        day=(start + BEIJING_OFFSET_MS) // DAY_MS,
        value=_numbers(rows, "value"),
        has_value=np.asarray(rows.column("value").is_valid().to_numpy(zero_copy_only=False), dtype=np.bool_),
        digits=_numbers(rows, "digits"),
        level=_numbers(rows, "level", NO_LEVEL),
        valid=_numbers(rows, "valid"),
        expected=_numbers(rows, "expected"),
        flags=_numbers(rows, "flags"),
        revision=_numbers(rows, "revision"),
        inputs=rows.column("inputs").to_numpy(zero_copy_only=False),
        at=_numbers(rows, "at"),
        details=rows.column("detail"),
        primaries=rows.column("primary"),
        pack=pack,
    )  # fmt: skip


def _coded(rows: pa.RecordBatch, name: str) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Return the names of a column, each once, and the code of every row: a dictionary may name one thing twice."""
    column: Any = rows.column(name)
    names = column.dictionary.to_pylist()
    place = {one: number for number, one in enumerate(dict.fromkeys(names))}
    codes = np.array([place[one] for one in names], dtype=np.int32)
    return tuple(place), codes[column.indices.to_numpy(zero_copy_only=False)]


def _numbers(rows: pa.RecordBatch, name: str, none: int = 0) -> NDArray[np.int64]:
    column: Any = rows.column(name).cast(pa.int64())
    return np.asarray(column.fill_null(none).to_numpy(zero_copy_only=False), dtype=np.int64)


def _code(names: tuple[str, ...], name: str) -> int:
    return names.index(name) if name in names else -1
