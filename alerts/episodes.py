"""Episodes: when a series was over, from first to last; a pure function of what is known of it.

The same points give the same episodes whatever the order in which they came. Periods of which no point is
kept are fine up to ``through`` and pending after it. An unknown period neither raises nor clears: on the way
to a raise it is passed over, on the way to a clear it breaks the row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby
from typing import Final

from alerts.periods import Cadence
from alerts.verdicts import Point, Verdict

_MOST_DIGITS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One crossing: a stretch of periods over the bound."""

    start: int
    """Start of the first period over, milliseconds UTC."""
    last: int
    """End of the last period over so far."""
    end: int | None
    """Equal to ``last`` once cleared; None while it goes on."""
    raised_by: Point
    """The row with which enough periods in a row were over."""
    raised_until: int
    """End of the period with which it was raised, milliseconds UTC."""
    peak: Point
    """The row with the greatest value, the earliest of equals."""
    over: int
    """Periods over."""
    unknown: int
    """Periods without a value between the first and the last over."""
    to_verify: bool
    """Whether every period over rests on doubtful or unflagged inputs (待核实)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """How a rule counts periods."""

    cadence: Cadence
    raise_after: int
    clear_after: int


def multiple_of(point: Point) -> Fraction | None:
    """Return by how much a value is over its bound, as a part of the bound (超标倍数).

    None without a value or a bound, and for an index, of which no multiple is made.
    """
    if point.value is None or point.bound is None or point.bound.value <= 0 or point.level is not None:
        return None
    bound = point.bound.at_digits(point.digits)
    return (point.value - bound) / bound


def find_episodes(points: Iterable[Point], through: int | None, counting: Counting) -> tuple[Episode, ...]:
    """Return the episodes of one series in order of time.

    Parameters
    ----------
    points
        Every row that is over or unknown, in any order, one of a window and start; fine rows say nothing
        beyond ``through``.
    through
        Number of the newest period that was judged as a whole; None when none was.
    counting
        The rule's periods, and how many of them raise and clear.
    """
    run = _Run(counting)
    found: list[Episode] = []
    previous: int | None = None
    for number, rows in _by_period(points):
        if previous is not None:
            found += run.pass_over(previous, number, through)
        run.step(rows)
        previous = number
    if previous is not None and through is not None:
        found += run.fine(max(0, through - previous))
    return (*found, *run.going_on())


def _by_period(points: Iterable[Point]) -> Iterable[tuple[int, list[Point]]]:
    grave = (point for point in points if point.verdict is not Verdict.OK)
    ordered = sorted(grave, key=lambda point: (point.period, point.start, point.window))
    return ((number, list(rows)) for number, rows in groupby(ordered, key=lambda point: point.period))


@dataclass(slots=True)
class _Run:
    """The walk along one series; plain state of one call of `find_episodes`."""

    counting: Counting
    over: list[list[Point]] = field(default_factory=list)
    """Rows over of each period over of the candidate or episode."""
    unknown: int = 0
    unknown_since: int = 0
    raised_by: Point | None = None
    fine_row: int = 0

    def pass_over(self, previous: int, number: int, through: int | None) -> list[Episode]:
        """Walk the periods between two that have points: fine up to ``through``, pending after it."""
        settled = previous if through is None else min(number - 1, through)
        return self.fine(max(0, settled - previous))

    def fine(self, count: int) -> list[Episode]:
        """Walk so many fine periods; return the episode that they clear."""
        if not count or not self.over:
            return []
        self.fine_row += count
        if self.raised_by is None or self.fine_row >= self.counting.clear_after:
            return self._close()
        return []

    def step(self, rows: Sequence[Point]) -> None:
        """Walk one period that has rows over or unknown: one row over makes it over."""
        over = [row for row in rows if row.verdict is Verdict.OVER]
        self.fine_row = 0
        if not over:
            self.unknown_since += bool(self.over)
            return
        self.over.append(over)
        self.unknown, self.unknown_since = self.unknown + self.unknown_since, 0
        if self.raised_by is None and len(self.over) >= self.counting.raise_after:
            self.raised_by = over[0]

    def going_on(self) -> list[Episode]:
        """Return the episode that is still open at the end of the walk."""
        return [] if self.raised_by is None else [self._episode(self.raised_by, cleared=False)]

    def _close(self) -> list[Episode]:
        closed = [] if self.raised_by is None else [self._episode(self.raised_by, cleared=True)]
        self.over, self.unknown, self.unknown_since, self.raised_by, self.fine_row = [], 0, 0, None, 0
        return closed

    def _episode(self, raised_by: Point, *, cleared: bool) -> Episode:
        cadence = self.counting.cadence
        last = cadence.end_ms(self.over[-1][0].period)
        rows = [row for period in self.over for row in period]
        return Episode(
            start=cadence.start_ms(self.over[0][0].period),
            last=last,
            end=last if cleared else None,
            raised_by=raised_by,
            raised_until=cadence.end_ms(raised_by.period),
            peak=min(rows, key=lambda row: (-_size(row), row.start, row.window)),
            over=len(self.over),
            unknown=self.unknown,
            to_verify=all(all(row.to_verify for row in period) for period in self.over),
        )


def _size(row: Point) -> int:
    """Return a value as an integer that compares across digits; less than any value when there is none."""
    return -1 if row.value is None else row.value * 10 ** (_MOST_DIGITS - row.digits)
