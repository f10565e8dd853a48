"""One series of verdicts in memory: rows come in, episodes and what changed of its events come out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from alerts.counting import Counting
from alerts.episodes import Walk, walk
from alerts.events import Changed, Event, Moment, match
from alerts.looks import judge_with_neighbours
from alerts.rules import Rule
from alerts.verdicts import Judged, Point, SeriesKey, Verdict

POINTS_WALKED: Final = 100
"""A series with more points than this lets old ones go."""
PERIODS_HELD: Final = 72
"""Periods before the newest that are not let go: late data mostly find their neighbours held."""
_ALL: Final = frozenset({-1})
"""Every period."""
PointKey = tuple[int, str]
"""Start and window of a row."""


def counting_of(rule: Rule) -> Counting:
    """Return how a rule counts its periods."""
    return Counting(
        cadence=rule.cadence,
        raise_after=rule.raise_after,
        clear_after=rule.clear_after,
        confirm_after=rule.confirm_after,
        raise_of=rule.raise_of,
        hold_for=rule.hold_for,
        flap=rule.flap,
    )


@dataclass(slots=True)
class Series:
    """The part of a series from period ``floor`` on; the database holds all of it.

    Kept are rows that are not fine, and fine rows that were revised; every other row up to ``through`` is
    fine in its first revision, so that an older revision of it cannot come.
    """

    key: SeriesKey
    floor: int
    """First period held; what lies before cannot touch it."""
    through: int | None
    points: dict[PointKey, Point]
    events: dict[str, Event]
    fresh_points: dict[PointKey, Point] = field(default_factory=dict)
    """Not saved yet; likewise the two below."""
    fresh_through: bool = False
    stale: bool = False
    """Whether something came since the last evaluation that can change an episode."""
    whole: bool = False
    """Whether nothing lies before the floor."""
    _said: dict[int, Point] = field(default_factory=dict)
    """Of a rule that looks at neighbours: the periods that are not fine, as they are judged."""
    _touched: frozenset[int] = _ALL
    """Periods that came since they were judged with their neighbours."""

    def since(self, rule: Rule) -> int:
        """Return the first period that is judged: before it a rule that looks back does not see enough."""
        return self.floor if self.whole or rule.look is None else self.floor + rule.look.back

    def is_clean(self, rule: Rule) -> bool:
        """Return whether nothing before the floor can touch what the points from there on make.

        So it is when enough of the first periods that are judged (`Counting.reach`) are fine, and were settled before:
        then whatever was open before is cleared, in the events too.
        """
        clear = self.since(rule) + counting_of(rule).reach
        grave = (point.period for point in self._judged(rule) if point.verdict is not Verdict.OK)
        return self.through is not None and self.through >= clear - 1 and min(grave, default=clear) >= clear

    def reaches(self, judged: Judged) -> bool:
        """Return whether rows lie so far from the floor that what is held suffices to judge them."""
        first = judged.rule.cadence.number(int(judged.starts.min()))
        return first >= self.since(judged.rule) + counting_of(judged.rule).reach

    def _judged(self, rule: Rule) -> Iterator[Point]:
        """Yield the points that are not fine, from the first period on of which that can be said."""
        if rule.look is None:
            return iter(self.points.values())
        self._judge_again(rule, rule.look.back)
        since = self.since(rule)
        return (point for period, point in self._said.items() if period >= since)

    def _judge_again(self, rule: Rule, back: int) -> None:
        """Judge the periods that came since the last time with their neighbours, and those that look back on them."""
        if not self._touched:
            return
        if self._touched is _ALL:
            wanted = {point.period for point in self.points.values()}
        else:
            wanted = {period + ahead for period in self._touched for ahead in range(back + 1)}
        known = {point.period: point for point in self.points.values()}
        kept = {period: point for period, point in known.items() if point.verdict is Verdict.KEPT}
        for period in wanted & known.keys():
            point = known[period]
            said = judge_with_neighbours(point, kept, rule) if point.verdict is Verdict.KEPT else point
            if said is None or said.verdict is Verdict.OK:
                self._said.pop(period, None)
            else:
                self._said[period] = said
        self._touched = frozenset()

    def take(self, judged: Judged) -> None:
        """Take the rows of one batch; a row of a lower revision than the one held is ignored."""
        columns, rows = judged.columns, judged.rows
        windows, window = columns.windows, columns.window
        told = zip(
            judged.verdicts.tolist(), columns.revision[rows].tolist(), judged.starts.tolist(), window[rows].tolist(),
            strict=True,
        )  # fmt: skip
        for index, (verdict, revision, start, code) in enumerate(told):
            if verdict != Verdict.OK or revision > 1 or (start, windows[code]) in self.points:
                self._hold(judged.point(index))
        if not judged.early:
            self._settle(judged.rule.cadence.number(int(judged.starts.max())))

    def _hold(self, point: Point) -> None:
        place = (point.start, point.window)
        held = self.points.get(place)
        if held is not None and (point.revision, point.at) <= (held.revision, held.at):
            return
        self.points[place] = self.fresh_points[place] = point
        self.stale = True
        if self._touched is not _ALL:
            self._touched |= {point.period}

    def _settle(self, period: int) -> None:
        if self.through is None or period > self.through:
            self.through, self.fresh_through = period, True
            self.stale = self.stale or bool(self.points)

    def evaluate(self, moment: Moment) -> tuple[Changed, ...]:
        """Return what changed of the events; nothing when nothing came that could change them."""
        if not self.stale:
            return ()
        self.stale = False
        rule = moment.rule
        found = walk(self._judged(rule), self.through, counting_of(rule))
        before = rule.cadence.start_ms(self.since(rule))
        changes = match(found.episodes, tuple(event for event in self.events.values() if event.last > before), moment)
        self.events.update((changed.event.id, changed.event) for changed in changes)
        if len(self.points) > POINTS_WALKED:
            self._let_go(found, rule)
        return changes

    def _let_go(self, found: Walk, rule: Rule) -> None:
        """Drop what lies before the newest old place at which nothing was over: the start of an episode, or idle."""
        if self.through is None:
            return
        counting = counting_of(rule)
        limit = self.through - max(PERIODS_HELD, counting.reach)
        quiet = 0 if counting.flap is None else counting.flap.within
        floors = list(found.floors)
        floors += [limit] if found.idle_from is not None and found.idle_from + quiet <= limit else []
        back = 0 if rule.look is None else rule.look.back
        floor = max((one for one in floors if one <= limit), default=self.since(rule)) - back
        if floor > self.floor:
            self.floor, self.whole = floor, False
            self.points = {place: point for place, point in self.points.items() if point.period >= floor}
            self._said = {period: point for period, point in self._said.items() if period >= floor}
            before = counting.cadence.start_ms(self.since(rule))
            self.events = {name: event for name, event in self.events.items() if event.last > before}
