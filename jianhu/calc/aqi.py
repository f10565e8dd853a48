"""``jianhu calc aqi``: a table of concentrations in, the same table with its index out.

A cell that cannot be used is a missing item, and the row's reason names it; a file that cannot be
read as a table is an error with file and line, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from jianhu.calc.cells import CELL_WORDS, PLAN, Cell
from jianhu.calc.items import TIME, ItemColumn, Period, bad_cells_text, item_columns, read_items, unusable
from jianhu.calc.times import STAMP_WORDS, Stamp, read_times
from jianhu.sheet import read_sheet, write_sheet
from sensors.clock import BEIJING_OFFSET_MS, DAY_MS
from sensors.factors import load_factors
from sensors.layouts import Label
from streams.air import index
from streams.judging import reasons
from streams.results import AQI
from streams.standards import IndexEdition, Standards, load_standards

AUTO: Final = "auto"
"""The edition of each row's own date."""
NA: Final = "NA"
"""What stands for an index that is not given (HJ 633-2026, note of tables 4 and 5)."""
ADDED_AFTER: Final = (AQI, "level", "primary", "edition", "reason")


_REASON_OF_CELL: Final = np.array(
    [
        reasons.OK, reasons.NOT_IN_PLAN, reasons.SILENT, *[reasons.INVALID] * 3, reasons.OVER_TABLE,
        reasons.INCOMPLETE, reasons.OK,
    ],
    dtype=np.uint8,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcReport:
    """What a run made, for the person who started it."""

    rows: int
    indexed: int
    """Rows that have an AQI."""
    bad_cells: Mapping[str, int]
    """Column → cells with text that is neither a usable number, empty nor ``/``."""
    bad_times: int
    editions: Mapping[str, int]
    """Edition → rows that it judged."""
    pack: str
    """Hash of the standards pack."""

    def __str__(self) -> str:
        """Return the report as one line for the screen."""
        judged = ", ".join(f"{count} by {name}" for name, count in self.editions.items())
        parts = [
            f"{self.rows} rows, {self.indexed} with an AQI",
            judged,
            bad_cells_text(self.bad_cells),
            f"times that could not be used: {self.bad_times}" if self.bad_times else "",
            f"standards pack {self.pack}",
        ]
        return "; ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What a table says; ``I`` items in the order of the factor table, ``N`` rows."""

    values: NDArray[np.int64]
    """``[I, N]`` fixed point at the factors' digits, rounded to the standard's last digit."""
    cells: NDArray[np.uint8]
    """``[I, N]`` of `Cell`."""
    days: NDArray[np.int64]
    """``[N]`` Beijing day number of the interval's start, where the stamp is a time."""
    stamps: NDArray[np.uint8]
    """``[N]`` of `Stamp`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """By which rules the rows are indexed."""

    period: Period
    edition: IndexEdition | None
    """For all rows; None: the edition of each row's day."""
    profile: index.Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """The index of the rows of a table; ``I`` items in the order of the factor table, ``N`` rows."""

    iaqi: NDArray[np.int16]
    """``[I, N]``; -1 where there is none."""
    cells: NDArray[np.uint8]
    """``[I, N]`` of `Cell`."""
    stamps: NDArray[np.uint8]
    """``[N]`` of `Stamp`."""
    aqi: NDArray[np.int16]
    level: NDArray[np.int8]
    primary: NDArray[np.uint8]
    edition: NDArray[np.int8]
    """Position in the standards' index editions; -1 where none judged."""
    reason: NDArray[np.uint8]
    """Position in `reasons.REASONS`."""


def calc_aqi(
    in_path: Path, out_path: Path, *, period: Period, edition: str, profile: index.Profile, label: Label
) -> CalcReport:
    """Write a table of concentrations again, with its IAQIs, AQI, level, primary pollutants, edition and reason.

    Parameters
    ----------
    in_path
        CSV with ``time, site, PM2.5, PM10, SO2, NO2, CO`` and ``O3`` (for `Period.DAY` ``O3_8h``); other
        columns are kept. UTF-8, with or without a byte order mark, or GBK. A header may name the
        unit: ``CO(µg/m³)``; without it µg/m³, CO mg/m³.
    out_path
        Replaced only when everything went well.
    period
        What the values are means of.
    edition
        ``auto``, or the name of an edition for all rows.
    profile
        The rule for rows with a missing item.
    label
        Which end of its hour ``time`` names; for days ``time`` is the date.

    Raises
    ------
    ConfigError
        When the file is empty, no table, or lacks a column.
    UnknownName
        When there is no such edition.
    EdgeError
        When a file cannot be read or written.
    """
    standards = load_standards()
    chosen = None if edition == AUTO else standards.index_named(edition)
    request = Request(period=period, edition=chosen, profile=profile)
    table = read_sheet(in_path)
    columns = item_columns(table.column_names, period, str(in_path), added_names())
    days, stamps = read_days(table[TIME].combine_chunks(), period, label)
    values, cells = read_items(table, columns)
    result = index_rows(Rows(values=values, cells=cells, days=days, stamps=stamps), request, standards)
    symbols = tuple(column.factor.symbol for column in columns)
    added = index_texts(result, symbols, standards)
    write_sheet(out_path, {name: table[name].combine_chunks() for name in table.column_names} | added)
    return _report(result, columns, standards)


def index_rows(rows: Rows, request: Request, standards: Standards) -> Indexed:
    """Return the index of each row by the edition of its day, or by the one that is requested."""
    count = len(rows.days)
    result = Indexed(
        iaqi=np.full(rows.cells.shape, index.NA, dtype=np.int16),
        cells=rows.cells.copy(),
        stamps=rows.stamps.copy(),
        aqi=np.full(count, index.NA, dtype=np.int16),
        level=np.zeros(count, dtype=np.int8),
        primary=np.zeros(count, dtype=np.uint8),
        edition=np.full(count, -1, dtype=np.int8),
        reason=np.zeros(count, dtype=np.uint8),
    )
    if request.edition is None:
        timed = rows.stamps == Stamp.TIME
        groups = [(edition, mask & timed) for edition, mask in standards.index_groups(rows.days)]
    else:
        groups = [(request.edition, np.ones(count, dtype=np.bool_))]
    for edition, mask in groups:
        _index_group(result, rows.values, np.flatnonzero(mask), edition, request)
        result.edition[mask] = standards.index_editions.index(edition)
    result.stamps[(result.stamps == Stamp.TIME) & (result.edition < 0)] = Stamp.NO_EDITION
    return result


def _index_group(
    result: Indexed, values: NDArray[np.int64], at: NDArray[np.int64], edition: IndexEdition, request: Request
) -> None:
    daily = request.period is Period.DAY
    table = index.daily_table(edition) if daily else index.real_time_table(edition)
    iaqis, state = index.iaqi(values[:, at], _REASON_OF_CELL[result.cells[:, at]], table)
    combined = index.combine(iaqis, state, edition, request.profile)
    result.iaqi[:, at] = iaqis
    result.cells[:, at] = np.where(state == reasons.OVER_TABLE, Cell.OVER_TABLE, result.cells[:, at])
    result.aqi[at], result.level[at] = combined.aqi, combined.level
    result.primary[at], result.reason[at] = combined.primary, combined.reason


def read_days(texts: pa.Array, period: Period, label: Label) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return the Beijing day number of each row's interval start, and what its time text was.

    Parameters
    ----------
    texts
        As for `read_times`. Days need no clock time.
    period, label
        As for `calc_aqi`.
    """
    starts, stamps = read_times(texts, label, hours=period is Period.HOUR)
    return np.where(stamps == Stamp.TIME, (starts + BEIJING_OFFSET_MS) // DAY_MS, 0), stamps


def added_names() -> list[str]:
    """Return the names of the columns that an index adds, in their order."""
    return [f"IAQI_{symbol}" for symbol in load_factors("air")] + list(ADDED_AFTER)


def index_texts(result: Indexed, symbols: tuple[str, ...], standards: Standards) -> dict[str, pa.Array]:
    """Return the columns of `added_names` with an index's texts."""
    # One place more than the index has: position -1 is its last.
    numbers = pa.array([*map(str, range(501)), NA])
    absent = result.aqi == index.NA

    def number(values: NDArray[np.int16]) -> pa.Array:
        return numbers.take(pa.array(np.where(values < 0, 501, values)))

    added = {
        f"IAQI_{symbol}": pc.if_else(pa.array(cells == Cell.PLAN), PLAN, number(iaqi))
        for symbol, iaqi, cells in zip(symbols, result.iaqi, result.cells, strict=True)
    }
    names = pa.array(index.primary_names(symbols)).take(pa.array(result.primary))
    editions = pa.array([*(edition.name for edition in standards.index_editions), ""])
    added[AQI] = number(result.aqi)
    added["level"] = pc.if_else(pa.array(absent), NA, pc.cast(pa.array(result.level), pa.utf8()))
    added["primary"] = pc.if_else(pa.array(absent), NA, names)
    added["edition"] = editions.take(pa.array(np.where(result.edition < 0, len(editions) - 1, result.edition)))
    added["reason"] = _reasons(result, symbols)
    return added


def _reasons(result: Indexed, symbols: Sequence[str]) -> pa.Array:
    """Return per row: the reason, the items it is about, and what is wrong with the time."""
    details, detail_of = np.unique(
        index.name_states(result.cells, symbols, CELL_WORDS).astype(str), return_inverse=True
    )
    key = (detail_of * len(reasons.REASONS) + result.reason) * len(Stamp) + result.stamps
    keys, place = np.unique(key, return_inverse=True)
    texts = []
    for value in keys.tolist():
        rest, stamp = divmod(value, len(Stamp))
        detail, reason = divmod(rest, len(reasons.REASONS))
        item = ": ".join(part for part in (reasons.REASONS[reason].value, str(details[detail])) if part)
        texts.append("; ".join(part for part in (STAMP_WORDS[stamp], item) if part))
    return pa.array(texts, pa.utf8()).take(pa.array(place))


def _report(result: Indexed, columns: Sequence[ItemColumn], standards: Standards) -> CalcReport:
    judged = np.bincount(result.edition[result.edition >= 0], minlength=len(standards.index_editions))
    return CalcReport(
        rows=len(result.aqi),
        indexed=int((result.aqi != index.NA).sum()),
        bad_cells={column.name: int(n) for column, n in zip(columns, unusable(result.cells), strict=True) if n},
        bad_times=int(np.isin(result.stamps, (Stamp.NO_TIME, Stamp.NO_HOUR)).sum()),
        editions={e.name: int(n) for e, n in zip(standards.index_editions, judged, strict=True) if n},
        pack=standards.pack,
    )
