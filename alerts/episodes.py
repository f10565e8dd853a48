"""Episodes: when a series was over, from first to last; a pure function of what is known of it.

The same points give the same episodes whatever the order in which they came. Periods of which no point is
kept are fine up to ``through`` and pending after it. An unknown period neither raises nor clears: on the way
to a raise it is passed over, on the way to a clear it breaks the row. A period *between* (not over, but not
back below the point at which the rule clears) is known: it breaks both rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from operator import attrgetter
from typing import Final

from alerts.counting import Counting, Crossing, Flap
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
    crossings: tuple[Crossing, ...] = ()
    """Of a series that flaps: each raise and clear that was put together to this episode; else empty."""

    @property
    def flapping(self) -> bool:
        """Whether it is more crossings, in a shorter time, than the rule lets stand for themselves."""
        return bool(self.crossings)


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
    floors: tuple[int, ...] = ()
    """Periods at which an episode begins that nothing before touches."""


def find_episodes(points: Iterable[Point], through: int | None, counting: Counting) -> tuple[Episode, ...]:
    """Return the episodes of one series in order of time; see `walk`."""
    return walk(points, through, counting).episodes


def walk(points: Iterable[Point], through: int | None, counting: Counting) -> Walk:
    """Walk along one series.

    Parameters
    ----------
    points
        Every row that is over, between or unknown, in any order, one of a window and start; fine rows say nothing
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
                run.over[-1].rows.append(point)
            continue
        if run.over and previous is not None and through is not None:
            found += run.fine(min(number - 1, through) - previous, min(number - 1, through))
        if point.verdict is Verdict.OVER:
            idle_from = None
            run.count_over(point)
        elif run.over:
            run.count_other(point.verdict)
        elif idle_from is None:
            idle_from = number
        previous = number
    if run.over and previous is not None and through is not None:
        found += run.fine(through - previous, through)
        idle_from = None if run.over else through + 1
    episodes = _put_together([*found, *run.going_on()], through, counting)
    return Walk(episodes=episodes, idle_from=idle_from, floors=_floors(episodes, counting))


def _floors(episodes: Sequence[Episode], counting: Counting) -> tuple[int, ...]:
    """Return where episodes begin that no earlier one can draw into a flap."""
    within = 0 if counting.flap is None else counting.flap.within
    number, found, before = counting.cadence.number, [], None
    for episode in episodes:
        start = number(episode.start)
        if before is None or start - before > within or not within:
            found.append(start)
        before = number(episode.last - 1)
    return tuple(found)


def _put_together(episodes: Sequence[Episode], through: int | None, counting: Counting) -> tuple[Episode, ...]:
    """Return the episodes with those of a series that flaps as one.

    It flaps from the first of more than ``more_than`` crossings that begin within so many periods. Each further
    crossing that begins within as many periods after the one before belongs to it; it ends when none does.
    """
    flap, number = counting.flap, counting.cadence.number
    if flap is None:
        return tuple(episodes)
    groups: list[list[Episode]] = []
    for episode in episodes:
        start = number(episode.start)
        if groups and len(groups[-1]) > 1 and start - number(groups[-1][-1].last - 1) <= flap.within:
            groups[-1].append(episode)
            continue
        groups.append([episode])
        recent = groups[-flap.more_than - 1 :]
        if len(recent) > flap.more_than and start - number(recent[0][0].start) < flap.within:
            groups[-flap.more_than - 1 :] = [[one for group in recent for one in group]]
    return tuple(group[0] if len(group) == 1 else _one_of(group, through, counting, flap) for group in groups)


def _one_of(group: Sequence[Episode], through: int | None, counting: Counting, flap: Flap) -> Episode:
    first, last = group[0], group[-1]
    calm = through is not None and through - counting.cadence.number(last.last - 1) >= flap.within
    return replace(
        first,
        last=last.last,
        end=last.end if calm else None,
        peak=min((one.peak for one in group), key=_badness),
        over=sum(one.over for one in group),
        unknown=sum(one.unknown for one in group),
        to_verify=all(one.to_verify for one in group),
        hint=all(one.hint for one in group),
        unconfirmed=all(one.unconfirmed for one in group),
        crossings=tuple(Crossing(start=one.start, last=one.last, cleared=one.end is not None) for one in group),
    )


_RANK: Final = {Verdict.OVER: 0, Verdict.BETWEEN: 1, Verdict.UNKNOWN: 2}
"""Of several rows of a period the first of these stands."""


def _in_order(points: Iterable[Point]) -> list[Point]:
    """Return the points that are not fine by period, those over first in each, the earliest first of them."""
    ordered = [point for point in points if point.verdict in _RANK]
    ordered.sort(key=attrgetter("start", "window"))
    ordered.sort(key=lambda point: _RANK[point.verdict])
    ordered.sort(key=attrgetter("period"))
    return ordered


@dataclass(slots=True)
class _Over:
    """One period over."""

    place: int
    """Its number among the known periods of the walk."""
    unknown: int
    """Periods without a value between it and the one over before it."""
    rows: list[Point]


@dataclass(slots=True)
class _Run:
    """The walk along one series; plain state of one call of `walk`."""

    counting: Counting
    over: list[_Over] = field(default_factory=list)
    """Periods over of the candidate or episode."""
    known: int = 0
    unknown_since: int = 0
    raised_by: Point | None = None
    fine_row: int = 0

    def fine(self, count: int, until: int) -> list[Episode]:
        """Walk so many fine periods, the last of them numbered ``until``; return the episode that they clear."""
        if count <= 0:
            return []
        self.known += count
        self.fine_row += count
        if self.raised_by is None:
            self._drop()
            return []
        held = until - self.over[-1].rows[0].period >= self.counting.hold_for
        return self._close(self.raised_by) if held and self.fine_row >= self.counting.clear_after else []

    def count_other(self, verdict: Verdict) -> None:
        """Walk a period that is neither over nor fine, after one that was over."""
        self.fine_row = 0
        if verdict is Verdict.UNKNOWN:
            self.unknown_since += 1
            return
        self.known += 1
        self._drop()

    def count_over(self, point: Point) -> None:
        """Walk a period that is over, from its first row over."""
        self.fine_row = 0
        self.known += 1
        self.over.append(_Over(self.known, self.unknown_since, [point]))
        self.unknown_since = 0
        self._drop()
        if self.raised_by is None and len(self.over) >= self.counting.raise_after:
            self.raised_by = point

    def going_on(self) -> list[Episode]:
        """Return the episode that is still open at the end of the walk."""
        return [] if self.raised_by is None else [self._episode(self.raised_by, cleared=False)]

    def _drop(self) -> None:
        """Forget what is over too long ago to raise anything."""
        if self.raised_by is None:
            oldest = self.known - self.counting.known_for_raise
            self.over = [one for one in self.over if one.place > oldest]
            self.unknown_since = self.unknown_since if self.over else 0

    def _close(self, raised_by: Point) -> list[Episode]:
        closed = self._episode(raised_by, cleared=True)
        self.over, self.unknown_since, self.raised_by, self.fine_row = [], 0, None, 0
        return [closed]

    def _episode(self, raised_by: Point, *, cleared: bool) -> Episode:
        cadence = self.counting.cadence
        last = cadence.end_ms(self.over[-1].rows[0].period)
        rows = [row for period in self.over for row in period.rows]
        return Episode(
            start=cadence.start_ms(self.over[0].rows[0].period),
            last=last,
            end=last if cleared else None,
            raised_by=raised_by,
            raised_until=cadence.end_ms(raised_by.period),
            peak=min(rows, key=_badness),
            over=len(self.over),
            unknown=sum(period.unknown for period in self.over[1:]),
            to_verify=all(all(row.to_verify for row in period.rows) for period in self.over),
            hint=all(row.hint for row in rows),
            unconfirmed=len(self.over) < self.counting.confirm_after,
        )


def _badness(row: Point) -> tuple[int, int, str]:
    return (-_size(row), row.start, row.window)


def _size(row: Point) -> int:
    """Return how bad a value is as an integer that compares across digits; less than any value when there is none."""
    if row.value is None:
        return _LEAST
    size: int = row.value * 10 ** (_MOST_DIGITS - row.digits)
    return -size if row.bound is not None and row.bound.below else size
