"""One series of verdicts in memory: rows come in, episodes and what changed of its events come out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from alerts.episodes import Counting, Walk, walk
from alerts.events import Changed, Event, Moment, match
from alerts.periods import Cadence
from alerts.rules import Rule
from alerts.verdicts import Judged, Point, SeriesKey, Verdict

POINTS_WALKED: Final = 100
"""A series with more points than this lets old ones go."""
PERIODS_HELD: Final = 72
"""Periods before the newest that are not let go: late data mostly find their neighbours held."""
PointKey = tuple[int, str]
"""Start and window of a row."""


def counting_of(rule: Rule) -> Counting:
    """Return how a rule counts its periods."""
    return Counting(
        cadence=rule.cadence,
        raise_after=rule.raise_after,
        clear_after=rule.clear_after,
        confirm_after=rule.confirm_after,
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

    def is_clean(self, clear_after: int) -> bool:
        """Return whether nothing before the floor can touch what the points from there on make.

        So it is when enough periods from the floor on are fine, and were settled before: then whatever was
        open before the floor is cleared, in the events too.
        """
        clear = self.floor + clear_after
        grave = (point.period for point in self.points.values() if point.verdict is not Verdict.OK)
        return self.through is not None and self.through >= clear - 1 and min(grave, default=clear) >= clear

    def reaches(self, judged: Judged) -> bool:
        """Return whether rows lie so far from the floor that what is held suffices to judge them."""
        first = judged.rule.cadence.number(int(judged.starts.min()))
        return first >= self.floor + judged.rule.clear_after

    def take(self, judged: Judged) -> None:
        """Take the rows of one batch; a row of a lower revision than the one held is ignored."""
        fine = judged.verdicts == int(Verdict.OK)
        revised = judged.columns.revision[judged.rows] > 1
        starts = judged.starts
        if self.points:
            held = {start for start, _ in self.points}
            revised |= np.fromiter((start in held for start in starts.tolist()), np.bool_, len(starts))
        for index in np.flatnonzero(~fine | revised).tolist():
            self._hold(judged.point(index))
        if not judged.early:
            self._settle(judged.rule.cadence.number(int(starts.max())))

    def _hold(self, point: Point) -> None:
        place = (point.start, point.window)
        held = self.points.get(place)
        if held is not None and (point.revision, point.at) <= (held.revision, held.at):
            return
        self.points[place] = self.fresh_points[place] = point
        self.stale = True

    def _settle(self, period: int) -> None:
        if self.through is None or period > self.through:
            self.through, self.fresh_through = period, True
            self.stale = self.stale or bool(self.points)

    def evaluate(self, moment: Moment) -> tuple[Changed, ...]:
        """Return what changed of the events; nothing when nothing came that could change them."""
        if not self.stale:
            return ()
        self.stale = False
        found = walk(self.points.values(), self.through, counting_of(moment.rule))
        changes = match(found.episodes, tuple(self.events.values()), moment)
        self.events.update((changed.event.id, changed.event) for changed in changes)
        if len(self.points) > POINTS_WALKED:
            self._let_go(found, moment.rule.cadence, max(PERIODS_HELD, moment.rule.clear_after))
        return changes

    def _let_go(self, found: Walk, cadence: Cadence, held: int) -> None:
        """Drop what lies before the newest old place at which nothing was over: the start of an episode, or idle."""
        if self.through is None:
            return
        limit = self.through - held
        floors = [cadence.number(episode.start) for episode in found.episodes]
        floors += [limit] if found.idle_from is not None and found.idle_from <= limit else []
        floor = max((one for one in floors if one <= limit), default=self.floor)
        if floor > self.floor:
            self.floor = floor
            self.points = {place: point for place, point in self.points.items() if point.period >= floor}
            before = cadence.start_ms(floor)
            self.events = {name: event for name, event in self.events.items() if event.last > before}
