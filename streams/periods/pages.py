"""Pages of day values by year, and of shorter windows by day: the state of the second stage, a fold of result rows.

Of each cell the row with the greatest rank stays (its revision, then a hash of its content), so order, cuts and
duplicates do not matter.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.judging.hashing import Hash, placed
from streams.judging.reasons import SILENT
from streams.periods.calendar import day_date, year_first
from streams.periods.plan import DayValues, Series
from streams.periods.spans import DaySpan, between, blocks, clusters, running

PRESENT: Final = np.uint8(0x80)
"""Bit of a cell's state beside the reason's code: there is a value."""
_REASON: Final = np.uint8(0x7F)
_REVISION_BITS: Final = np.uint64(32)
_CONTENT: Final = np.uint64(0xFFFFFFFF)


@dataclass(slots=True)
class Page:
    """The cells of one series in one block: arrays [members, places]."""

    value: NDArray[np.int64]
    rank: NDArray[np.uint64]
    """0 where nothing came."""
    state: NDArray[np.uint8]
    marks: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """New contents of cells, one per row: all arrays [n]."""

    member: NDArray[np.int64]
    block: NDArray[np.int64]
    """Year, or day number of the pages of slots."""
    place: NDArray[np.int64]
    value: NDArray[np.int64]
    present: NDArray[np.bool_]
    reason: NDArray[np.uint8]
    marks: NDArray[np.int32]
    rank: NDArray[np.uint64]

    def where(self, mask: NDArray[np.bool_] | NDArray[np.intp]) -> Cells:
        """Return some of the rows."""
        return Cells(**{name: getattr(self, name)[mask] for name in self.__slots__})

    def placed_at(self, block: NDArray[np.int64], place: NDArray[np.int64]) -> Cells:
        """Return the same contents in other cells."""
        return replace(self, block=block, place=place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What is held of some members over some days: arrays [members, days]."""

    values: DayValues
    marks: NDArray[np.int32]
    rank: NDArray[np.uint64]

    @property
    def content(self) -> Hash:
        """Hash of each cell with its day; 0 where nothing came."""
        first, count = self.values.first_day, self.rank.shape[1]
        return np.where(self.rank != 0, placed(self.rank & _CONTENT, np.arange(first, first + count)), np.uint64(0))


def rank_of(revision: NDArray[np.int32], content: Hash) -> NDArray[np.uint64]:
    """Return what decides between two rows of one window: the greater revision, then a hash that is never 0."""
    rank: NDArray[np.uint64] = (revision.astype(np.uint64) << _REVISION_BITS) | (content & _CONTENT) | np.uint64(1)
    return rank


class Pages:
    """Cells by series, block and place.

    Parameters
    ----------
    members
        Rows of every page.
    width
        Places of a block.
    """

    def __init__(self, members: int, width: int) -> None:
        self._shape = (members, width)
        self._pages: dict[tuple[Series, int], Page] = {}

    @property
    def nbytes(self) -> int:
        """Bytes of all pages."""
        return sum(p.value.nbytes + p.rank.nbytes + p.state.nbytes + p.marks.nbytes for p in self._pages.values())

    @property
    def series(self) -> frozenset[Series]:
        """Of which something came."""
        return frozenset(series for series, _ in self._pages)

    def blocks(self) -> frozenset[int]:
        """Years, or days, of which something came."""
        return frozenset(block for _, block in self._pages)

    def fold(self, series: Series, cells: Cells) -> NDArray[np.bool_]:
        """Fold rows in and return which of them changed a cell's content."""
        changed = np.zeros(cells.member.size, np.bool_)
        order = np.argsort(cells.rank, kind="stable")
        for block in np.unique(cells.block):
            mine = order[cells.block[order] == block]
            page = self._page(series, int(block))
            at = (cells.member[mine], cells.place[mine])
            newer = cells.rank[mine] > page.rank[at]
            mine, at = mine[newer], (at[0][newer], at[1][newer])
            changed[mine] = (cells.rank[mine] & _CONTENT) != (page.rank[at] & _CONTENT)
            page.rank[at] = cells.rank[mine]  # ascending, so of several rows for one cell the greatest stays
            page.value[at] = np.where(cells.present[mine], cells.value[mine], 0)
            page.state[at] = cells.reason[mine] | np.where(cells.present[mine], PRESENT, np.uint8(0))
            page.marks[at] = cells.marks[mine]
        return changed

    def put(self, series: Series, cells: Cells) -> None:
        """Set cells whatever they held: for what is made here and not received."""
        for block in np.unique(cells.block):
            mine = cells.where(cells.block == block)
            page, at = self._page(series, int(block)), (mine.member, mine.place)
            page.rank[at], page.value[at], page.marks[at] = mine.rank, np.where(mine.present, mine.value, 0), mine.marks
            page.state[at] = mine.reason | np.where(mine.present, PRESENT, np.uint8(0))

    def cells(self, series: Series, block: int, members: NDArray[np.intp], places: NDArray[np.intp]) -> Page | None:
        """Return a copy of some cells of one block, [members, places]; None where the block holds nothing."""
        page = self._pages.get((series, block))
        if page is None:
            return None
        at = (members[:, None], places)
        return Page(value=page.value[at], rank=page.rank[at], state=page.state[at], marks=page.marks[at])

    def forget(self, before: int) -> None:
        """Drop the blocks before one."""
        for key in [key for key in self._pages if key[1] < before]:
            del self._pages[key]

    def stretch(self, series: Series, members: NDArray[np.intp], first_day: int, last_day: int) -> Stretch:
        """Return days of a series from pages of years; where nothing came the reason is ``SILENT``."""
        count = max(0, last_day - first_day + 1)
        shape = (members.size, count)
        value, rank = np.zeros(shape, np.int64), np.zeros(shape, np.uint64)
        state, marks = np.full(shape, SILENT, np.uint8), np.zeros(shape, np.int32)
        for year in range(day_date(first_day).year, day_date(last_day).year + 1) if count else ():
            page = self._pages.get((series, year))
            if page is None:
                continue
            begin = year_first(year)
            low, high = max(first_day, begin), min(last_day, year_first(year + 1) - 1)
            there, here = slice(low - begin, high - begin + 1), slice(low - first_day, high - first_day + 1)
            value[:, here], rank[:, here] = page.value[members, there], page.rank[members, there]
            marks[:, here] = page.marks[members, there]
            came = rank[:, here] != 0
            state[:, here] = np.where(came, page.state[members, there], state[:, here])
        came = rank != 0
        return Stretch(
            values=DayValues(
                first_day=first_day, value=value, present=(state & PRESENT) != 0, reason=state & _REASON, came=came
            ),
            marks=marks,
            rank=rank,
        )

    def contents(self, members: NDArray[np.intp], spans: Sequence[DaySpan]) -> Hash:
        """Return a hash of everything that is held of some members over spans of days, [members, spans].

        It is 0 where nothing came.
        """
        total = np.zeros((members.size, len(spans)), np.uint64)
        for cluster in clusters(spans):
            years = range(day_date(cluster.first).year, day_date(cluster.last).year + 1)
            for series in sorted({series for series, year in self._pages if year in years}):
                name = np.int64(zlib.crc32("\0".join(series).encode()))
                for part in blocks(members.size, cluster.last - cluster.first + 1):
                    stretch = self.stretch(series, members[part], cluster.first, cluster.last)
                    found = between(running(stretch.content, np.uint64), cluster)
                    named = np.where(found != 0, placed(found, np.broadcast_to(name, found.shape)), np.uint64(0))
                    total[part, cluster.which] += named
        return total

    def _page(self, series: Series, block: int) -> Page:
        page = self._pages.get((series, block))
        if page is None:
            page = self._pages[series, block] = empty_cells(*self._shape)
        return page


def empty_cells(members: int, places: int) -> Page:
    """Return cells of which nothing came."""
    shape = (members, places)
    return Page(
        value=np.zeros(shape, np.int64),
        rank=np.zeros(shape, np.uint64),
        state=np.zeros(shape, np.uint8),
        marks=np.zeros(shape, np.int32),
    )


def reason_of(state: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the reason codes of cells' states."""
    return state & _REASON


def present_of(state: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which cells have a value."""
    present: NDArray[np.bool_] = (state & PRESENT) != 0
    return present
