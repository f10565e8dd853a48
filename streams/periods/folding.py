"""Result rows as cells: which series each row belongs to, and where in the pages it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sensors.clock import BEIJING_OFFSET_MS, DAY_MS
from sensors.kinds import Kind
from streams.judging.hashing import joined
from streams.judging.reasons import INVALID, REASONS
from streams.periods.calendar import years_of
from streams.periods.pages import Cells, rank_of
from streams.periods.plan import Series
from streams.periods.routing import is_day_window

_REASON_NAMES: Final = pa.array([reason.value for reason in REASONS], pa.utf8())


LEVEL: Final = "#level"
"""Ends the window of a series that holds levels: ``24h#level``."""
LIMIT: Final = ".limit"
"""Ends the factor of rows that hold a value against its limits; of them the level is kept too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The rows of one series in a batch."""

    series: Series
    daily: bool
    """Whether they are days; else slots of an area window."""
    cells: Cells
    day: NDArray[np.int64]
    """Beijing day of each row."""


def parts_of(rows: pa.RecordBatch, kind: Kind, member: Mapping[str, int]) -> Iterator[Part]:
    """Yield the rows of a batch by series; those of unknown sites and of other windows are left out.

    Parameters
    ----------
    rows
        Of `streams.results.RESULT_SCHEMA`.
    kind
        Its ``area_windows`` are kept besides the days, of its own factors; its slot is the width of their places.
    member
        Row of each site in the pages.
    """
    names = rows.column("site").dictionary.to_pylist()
    at = np.array([member.get(name, -1) for name in names], np.int64)[rows.column("site").indices.to_numpy()]
    start = rows.column("start").cast(pa.int64()).to_numpy()
    day = (start + BEIJING_OFFSET_MS) // DAY_MS
    cells = _cells(rows, at)
    for series, daily, mine in _series(rows, kind):
        chosen = np.nonzero(mine & (at >= 0))[0]
        if chosen.size == 0:
            continue
        found, days = cells.where(chosen), day[chosen]
        if daily:
            years = years_of(days)
            begins = (years - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
            block, place = years, days - begins
        else:
            block, place = days, (start[chosen] + BEIJING_OFFSET_MS) % DAY_MS // kind.slot_ms
        placed = found.placed_at(block, place)
        yield Part(series=series, daily=daily, cells=placed, day=days)
        if daily and series.factor.endswith(LIMIT):
            yield Part(series=level_of(series), daily=True, cells=_levels(rows, placed, chosen), day=days)


def level_of(series: Series) -> Series:
    """Return the series that holds the levels of what an evaluation says of days."""
    return series._replace(window=series.window + LEVEL)


def _levels(rows: pa.RecordBatch, cells: Cells, chosen: NDArray[np.intp]) -> Cells:
    level = rows.column("level")
    return replace(
        cells,
        value=level.fill_null(0).to_numpy().astype(np.int64)[chosen],
        present=level.is_valid().to_numpy(zero_copy_only=False)[chosen],
    )


def _series(rows: pa.RecordBatch, kind: Kind) -> Iterator[tuple[Series, bool, NDArray[np.bool_]]]:
    """Yield each series that is kept, whether it is of days, and the mask of its rows."""
    columns = [rows.column(name) for name in ("factor", "window", "edition")]
    texts = [column.dictionary.to_pylist() for column in columns]
    codes = [column.indices.to_numpy().astype(np.int64) for column in columns]
    combined = (codes[0] * (len(texts[1]) + 1) + codes[1]) * (len(texts[2]) + 1) + codes[2]
    masks: dict[tuple[Series, bool], NDArray[np.bool_]] = {}
    for number, first in zip(*np.unique(combined, return_index=True), strict=True):
        factor, window, edition = (text[code[first]] for text, code in zip(texts, codes, strict=True))
        own = factor in kind.factors
        daily = is_day_window(window)
        if daily or (own and window in kind.area_windows):
            key = (Series(factor, window, "" if own else edition), daily)
            masks[key] = masks.get(key, np.zeros(rows.num_rows, np.bool_)) | (combined == number)
    for (series, daily), mask in masks.items():
        yield series, daily, mask


def _cells(rows: pa.RecordBatch, member: NDArray[np.int64]) -> Cells:
    value = rows.column("value")
    numbers = value.fill_null(0).to_numpy()
    present = value.is_valid().to_numpy(zero_copy_only=False)
    reasons = rows.column("reason")
    known = (
        pc.index_in(reasons.dictionary, value_set=_REASON_NAMES)
        .fill_null(INVALID)
        .to_numpy(zero_copy_only=False)
        .astype(np.uint8)
    )
    reason = known[reasons.indices.to_numpy()]
    marks = rows.column("flags").to_numpy()
    valid, inputs = rows.column("valid").to_numpy(), rows.column("inputs").to_numpy()
    level = rows.column("level").fill_null(-1).to_numpy()
    content = joined(numbers, present, valid, reason, marks, level, inputs)
    nowhere = np.zeros(rows.num_rows, np.int64)
    return Cells(
        member=member,
        block=nowhere,
        place=nowhere,
        value=numbers,
        present=present,
        reason=reason,
        marks=marks,
        rank=rank_of(rows.column("revision").to_numpy(), content),
    )
