"""Many periods at once: spans of days over the same days, and what running sums say of each.

A late day touches up to 366 running years. Their days are read once, and each is the difference of two running sums.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_DAYS: Final = 800
"""At most so many days are read at once, unless one period is longer."""
_CELLS: Final = 1 << 18
"""At most so many days of members are read at once."""


class DaySpan(NamedTuple):
    """Days, both inside."""

    first: int
    last: int


class Cluster(NamedTuple):
    """Spans that are made of the same days."""

    first: int
    last: int
    which: NDArray[np.intp]
    """Their places in the sequence given."""
    begin: NDArray[np.intp]
    """Where each begins, counted from `first`."""
    end: NDArray[np.intp]
    """The place after its last day."""

    def only(self, some: NDArray[np.bool_]) -> Cluster:
        """Return some of the spans, over the same days."""
        return self._replace(which=self.which[some], begin=self.begin[some], end=self.end[some])


def clusters(spans: Sequence[DaySpan]) -> Iterator[Cluster]:
    """Yield spans by the days that they share, in order of time."""
    order = sorted(range(len(spans)), key=lambda place: spans[place])
    found: list[int] = []
    newest = 0
    for place in order:
        newest = max(newest, spans[place].last)
        if found and newest - spans[found[0]].first >= _DAYS:
            yield _cluster(spans, found)
            found, newest = [], spans[place].last
        found.append(place)
    if found:
        yield _cluster(spans, found)


def _cluster(spans: Sequence[DaySpan], which: Sequence[int]) -> Cluster:
    first, last = min(spans[p].first for p in which), max(spans[p].last for p in which)
    begin = np.array([spans[p].first - first for p in which], np.intp)
    end = np.array([spans[p].last + 1 - first for p in which], np.intp)
    return Cluster(first, last, np.array(which, np.intp), begin, end)


def blocks(rows: int, days: int) -> Iterator[slice]:
    """Yield parts of rows that are read at once."""
    size = max(1, _CELLS // max(1, days))
    for begin in range(0, rows, size):
        yield slice(begin, min(begin + size, rows))


def running(numbers: NDArray[Any], kind: type[np.generic] = np.int64) -> NDArray[Any]:
    """Return running sums of numbers [rows, days], wrapped, with 0 before the first day: [rows, days + 1]."""
    total = np.zeros((numbers.shape[0], numbers.shape[1] + 1), kind)
    np.cumsum(numbers, axis=-1, dtype=kind, out=total[:, 1:])
    return total


def between(sums: NDArray[Any], of: Cluster) -> NDArray[Any]:
    """Return what running sums say of each span, [rows, spans]."""
    return np.asarray(sums[:, of.end] - sums[:, of.begin])


def bits_between(numbers: NDArray[np.int32], of: Cluster) -> NDArray[np.int32]:
    """Return the bits that any day of each span has, [rows, spans]."""
    used = int(np.bitwise_or.reduce(numbers, axis=None)) if numbers.size else 0
    found = np.zeros((numbers.shape[0], of.which.size), np.int32)
    for bit in (1 << place for place in range(used.bit_length()) if used >> place & 1):
        found |= np.where(between(running((numbers & bit) != 0, np.int32), of) > 0, np.int32(bit), np.int32(0))
    return found
