"""Result rows as the pages use them, and numbers as people read them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import pyarrow as pa

from sensors.flags import Mark
from streams.results import Reason

EditionOf: TypeAlias = Callable[[int], str | None]
"""Name of the index edition in force at a time of data in milliseconds UTC; None before the first."""
_COLUMNS: Final = (
    "site", "factor", "window", "start", "edition", "value", "digits", "valid", "expected", "reason",
    "detail", "flags", "iaqi", "level", "primary", "revision", "at",
)  # fmt: skip


_START, _EDITION = _COLUMNS.index("start"), _COLUMNS.index("edition")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One result, see ``streams.results.RESULT_SCHEMA``; times in milliseconds UTC."""

    site: str
    factor: str
    window: str
    start: int
    edition: str
    value: int | None
    digits: int
    valid: int
    expected: int
    reason: str
    detail: str
    flags: int
    iaqi: int | None
    level: int | None
    primary: str
    revision: int
    at: int

    @property
    def whole(self) -> int | None:
        """The value as a whole number, for an index; None when there is none."""
        return None if self.value is None else self.value // 10**self.digits

    @property
    def suspect(self) -> bool:
        """Whether a test or a missing flag casts doubt on it."""
        return bool(self.flags & Mark.SUSPECT)

    @property
    def came(self) -> bool:
        """Whether the source said anything at all, valid or not."""
        return self.value is not None or self.reason not in (Reason.SILENT, Reason.NOT_IN_PLAN)


def rows_of(table: pa.Table, edition_of: EditionOf) -> list[Row]:
    """Return the rows of a table that were judged by the edition in force at their own time, or by none.

    Other editions are kept for comparison and are not what a page shows. Before the first edition
    every row stays.
    """
    columns: dict[str, list[Any]] = {name: _plain(table.column(name)) for name in _COLUMNS}
    editions = {start: edition_of(start) for start in set(columns["start"])}
    found = []
    for cells in zip(*columns.values(), strict=True):
        edition, in_force = cells[_EDITION], editions[cells[_START]]
        if in_force in (edition, None) or not edition:
            found.append(Row(**dict(zip(_COLUMNS, cells, strict=True))))
    return found


def _plain(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    return column.to_pylist()  # type: ignore[no-any-return]


def written(value: int | None, digits: int, decimals: int) -> str:
    """Return a fixed-point number with ``decimals`` digits, rounded half to even; empty for None.

    Parameters
    ----------
    value
        The number times 10 to the power of ``digits``.
    digits
        Digits after the point that ``value`` holds.
    decimals
        Digits after the point to write: those of the standard.
    """
    if value is None:
        return ""
    if digits > decimals:
        step: int = 10 ** (digits - decimals)
        whole, rest = divmod(value, step)
        value = whole + (2 * rest > step or (2 * rest == step and whole % 2 == 1))
    else:
        value *= 10 ** (decimals - digits)
    if not decimals:
        return str(value)
    sign, number = ("-" if value < 0 else ""), str(abs(value)).zfill(decimals + 1)
    return f"{sign}{number[:-decimals]}.{number[-decimals:]}"


def marks_of(flags: int) -> tuple[str, ...]:
    """Return the names of the marks in a result's flags, in the order of their bits."""
    return tuple(mark.name for mark in Mark if flags & mark and mark.name)


def by_factor(rows: Iterable[Row]) -> dict[str, dict[str, Row]]:
    """Return rows of one window start as site → factor → row."""
    found: dict[str, dict[str, Row]] = {}
    for row in rows:
        found.setdefault(row.site, {})[row.factor] = row
    return found
