"""Episodes: when a series was over, from first to last; a pure function of what is known of it.

The same points give the same episodes whatever the order in which they came. Periods of which no point is
kept are fine up to ``through`` and pending after it. An unknown period neither raises nor clears: on the way
to a raise it is passed over, on the way to a clear it breaks the row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from operator import attrgetter
from typing import Final

from alerts.periods import Cadence
from alerts.verdicts import Point, Verdict

_MOST_DIGITS: Final = 12
_LEAST: Final = -(10**40)


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
    hint: bool = False
    """Whether no row over is a finding: each was held against a limit that is written for another period (提示)."""
    unconfirmed: bool = False
    """Whether too few periods are over for the rule to call it confirmed (待复测)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """How a rule counts periods."""

    cadence: Cadence
    raise_after: int
    clear_after: int
    confirm_after: int = 1


def multiple_of(point: Point) -> Fraction | None:
    """Return by how much a value is over its bound, as a part of the bound (超标倍数).

    None without a value or a bound, and for an index, a class, a range or a minimum, of which none is made.
    """
    if point.value is None or point.bound is None or point.bound.value <= 0 or point.level is not None:
        return None
    if point.bound.ranged or point.bound.below:
        return None
    bound = point.bound.at_digits(point.digits)
    return (point.value - bound) / bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What a walk along a series found."""

    episodes: tuple[Episode, ...]
    """In order of time."""
    idle_from: int | None
    """Period from which on nothing was over or on the way to a clear; None when something is at the end."""


def find_episodes(points: Iterable[Point], through: int | None, counting: Counting) -> tuple[Episode, ...]:
    """Return the episodes of one series in order of time; see `walk`."""
    return walk(points, through, counting).episodes


def walk(points: Iterable[Point], through: int | None, counting: Counting) -> Walk:
    """Walk along one series.

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
    idle_from: int | None = None
    for point in _in_order(points):
        number = point.period
        if number == previous:
            if point.verdict is Verdict.OVER:
                run.over[-1].append(point)
            continue
        if run.over and previous is not None and through is not None:
            found += run.fine(min(number - 1, through) - previous)
        if point.verdict is Verdict.OVER:
            idle_from = None
            run.count_over(point)
        elif run.over:
            run.count_unknown()
        elif idle_from is None:
            idle_from = number
        previous = number
    if run.over and previous is not None and through is not None:
        found += run.fine(through - previous)
        idle_from = None if run.over else through + 1
    return Walk(episodes=(*found, *run.going_on()), idle_from=idle_from)


def _in_order(points: Iterable[Point]) -> list[Point]:
    """Return the points that are not fine by period, those over first in each, the earliest first of them."""
    ordered = [point for point in points if point.verdict is not Verdict.OK]
    ordered.sort(key=attrgetter("start", "window"))
    ordered.sort(key=attrgetter("verdict"), reverse=True)
    ordered.sort(key=attrgetter("period"))
    return ordered


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

    def fine(self, count: int) -> list[Episode]:
        """Walk so many fine periods; return the episode that they clear."""
        if count <= 0:
            return []
        self.fine_row += count
        if self.raised_by is None or self.fine_row >= self.counting.clear_after:
            return self._close()
        return []

    def count_unknown(self) -> None:
        """Walk an unknown period after one that was over."""
        self.fine_row = 0
        self.unknown_since += 1

    def count_over(self, point: Point) -> None:
        """Walk a period that is over, from its first row over."""
        self.fine_row = 0
        self.over.append([point])
        self.unknown, self.unknown_since = self.unknown + self.unknown_since, 0
        if self.raised_by is None and len(self.over) >= self.counting.raise_after:
            self.raised_by = point

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
            hint=all(row.hint for row in rows),
            unconfirmed=len(self.over) < self.counting.confirm_after,
        )


def _size(row: Point) -> int:
    """Return how bad a value is as an integer that compares across digits; less than any value when there is none."""
    if row.value is None:
        return _LEAST
    size: int = row.value * 10 ** (_MOST_DIGITS - row.digits)
    return -size if row.bound is not None and row.bound.below else size
