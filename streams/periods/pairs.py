"""Areas with the sites that count in them, as pairs: what many areas have at once is reduced over these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.judging.hashing import Hash
from streams.judging.means import Flags, Ints
from streams.periods.members import Reach

_LEAST: Final = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Pairs of area and site, ordered by area, then by the site's row; every area has one at least."""

    area: NDArray[np.intp]
    """Places of the areas, each once, ascending, [areas]."""
    begin: NDArray[np.intp]
    """The first pair of each area, [areas]."""
    row: NDArray[np.intp]
    """The site's row in the pages, [pairs]."""
    entry: NDArray[np.intp]
    """The first registry entry of each pair, [pairs]."""
    first_day: NDArray[np.int64]
    """[entries]."""
    last_day: NDArray[np.int64]
    """[entries]."""

    def counted(self, days: NDArray[np.int64]) -> Flags:
        """Return which sites count on which days, [pairs, days]."""
        within = (days >= self.first_day[:, None]) & (days <= self.last_day[:, None])
        return np.logical_or.reduceat(within, self.entry, axis=0)

    def of(self, place: int) -> slice:
        """Return the pairs of one area, by its place among these areas."""
        end = self.begin[place + 1] if place + 1 < self.begin.size else self.row.size
        return slice(int(self.begin[place]), int(end))

    def only(self, wanted: NDArray[np.bool_]) -> Pairs:
        """Return the pairs of some of the areas, [areas of the partition]; those without a site are not among them."""
        chosen = wanted[self.area]
        if chosen.all():
            return self
        ends = np.append(self.begin[1:], self.row.size)
        pairs = np.repeat(chosen, ends - self.begin)
        entries = np.repeat(pairs, np.diff(np.append(self.entry, self.first_day.size)))
        sizes = (ends - self.begin)[chosen]
        counts = np.diff(np.append(self.entry, self.first_day.size))[pairs]
        return Pairs(
            area=self.area[chosen],
            begin=_begins(sizes),
            row=self.row[pairs],
            entry=_begins(counts),
            first_day=self.first_day[entries],
            last_day=self.last_day[entries],
        )

    def sum(self, numbers: Ints) -> Ints:
        """Return the sum over each area's pairs, [areas, times], of numbers [pairs, times]."""
        return np.add.reduceat(numbers, self.begin, axis=0)

    def count(self, flags: Flags) -> Ints:
        """Return how many of each area's pairs are true."""
        return np.add.reduceat(flags, self.begin, axis=0, dtype=np.int64)

    def total(self, numbers: Hash) -> Hash:
        """Return the wrapped sum of hashes over each area's pairs."""
        return np.add.reduceat(numbers, self.begin, axis=0, dtype=np.uint64)

    def some(self, flags: Flags) -> Flags:
        """Return whether any of each area's pairs is true."""
        return np.logical_or.reduceat(flags, self.begin, axis=0)

    def bits(self, numbers: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the bits that any of each area's pairs has."""
        return np.bitwise_or.reduceat(numbers, self.begin, axis=0)

    def greatest(self, values: Ints, present: Flags) -> Ints:
        """Return the greatest of each area's present values; the least integer where there is none."""
        return np.maximum.reduceat(np.where(present, values, _LEAST), self.begin, axis=0)

    def each(self, of_areas: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return what is said of areas [areas, times] for every pair [pairs, times]."""
        ends = np.append(self.begin[1:], self.row.size)
        return np.repeat(of_areas, ends - self.begin, axis=0)

    def first(self, flags: Flags) -> NDArray[np.intp]:
        """Return the row of the first pair of each area that is true; of its first pair where none is."""
        number = np.where(flags, np.arange(self.row.size)[:, None], self.row.size)
        found = np.minimum.reduceat(number, self.begin, axis=0)
        return self.row[np.where(found < self.row.size, found, self.begin[:, None])]


def pairs_of(reach: Sequence[Reach]) -> Pairs:
    """Return the pairs of areas, one `Reach` for each."""
    rows = [each.rows for each in reach]
    areas = np.array([place for place, found in enumerate(rows) if found.size], np.intp)
    entry: list[int] = []
    first: list[NDArray[np.int64]] = []
    last: list[NDArray[np.int64]] = []
    at = 0
    for place in areas.tolist():
        each = reach[place]
        mine = np.nonzero(each.counts)[0]
        ordered = mine[np.argsort(each.row[mine], kind="stable")]
        counts = np.unique(each.row[ordered], return_counts=True)[1]
        entry += (at + _begins(counts)).tolist()
        first.append(each.first_day[ordered])
        last.append(each.last_day[ordered])
        at += ordered.size
    none, empty = np.zeros(0, np.int64), np.zeros(0, np.intp)
    return Pairs(
        area=areas,
        begin=_begins(np.array([rows[place].size for place in areas.tolist()], np.int64)),
        row=np.concatenate([empty, *(rows[place] for place in areas.tolist())]),
        entry=np.array(entry, np.intp),
        first_day=np.concatenate([none, *first]),
        last_day=np.concatenate([none, *last]),
    )


def _begins(sizes: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return where parts of these sizes begin, one after the other."""
    return (np.cumsum(sizes) - sizes).astype(np.intp)
