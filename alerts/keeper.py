"""The keeper: messages of results in, changed events out; what it holds can be dropped at any time.

It holds the recent part of every series that it met, so that messages are judged one by one, as they were
made, and saved many at a time. After a transaction that failed it is told to forget and loads again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from alerts.columns import Columns
from alerts.events import Change, Changed, Event, Fact, Moment, recurring
from alerts.periods import Cadence
from alerts.rules import Rule, Rules
from alerts.series import Series, counting_of
from alerts.verdicts import Judge, Judged, SeriesKey

FIRST_REACH: Final = 72
"""Three days of hours: late data mostly find their neighbours loaded."""
POINTS_HELD: Final = 200_000
"""Points in memory above which the keeper lets all series go after a save."""


class Shelf(Protocol):
    """Where series are kept: the journal's open transaction."""

    def load(self, floors: Mapping[SeriesKey, int], floor_ms: int) -> Sequence[Series]:
        """Return what is kept of these series from ``floor_ms`` on; ``floors`` are the same as periods."""

    def with_before(self, keys: Collection[SeriesKey], floor_ms: int) -> Collection[SeriesKey]:
        """Return which of these series have rows before an instant that are not fine."""

    def earlier(self, key: SeriesKey, start_ms: int, end_ms: int) -> Mapping[str, int]:
        """Return the live events of a series that start within a span: id → start."""

    def save(self, series: Iterable[Series], steps: Sequence[Step]) -> None:
        """Write what is fresh of the series, and the steps with their events, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change of an event and the tick at which the rule made it."""

    changed: Changed
    at: int


class Keeper:
    """All series of one worker.

    Parameters
    ----------
    judge, rules
        What makes verdicts of results.
    first_reach
        Periods before the first row of interest that are loaded at first; doubled until the cut is clean.
    """

    def __init__(self, judge: Judge, rules: Rules, first_reach: int = FIRST_REACH) -> None:
        self._judge, self._rules, self._first_reach = judge, rules, first_reach
        self._held: dict[SeriesKey, Series] = {}
        self._touched: dict[SeriesKey, Series] = {}
        self._steps: list[Step] = []
        self._unsaved: dict[SeriesKey, dict[str, Event]] = {}
        self._saved = 0
        self._points = 0

    def take(self, columns: Columns, shelf: Shelf) -> None:
        """Judge one message; what it changes waits for `save`."""
        judged: dict[SeriesKey, list[Judged]] = {}
        for part in self._judge.judge(columns):
            judged.setdefault(part.key, []).append(part)
        self._hold(judged, shelf)
        for key, parts in judged.items():
            series = self._held[key]
            before = len(series.points)
            for part in parts:
                series.take(part)
            self._touched[key] = series
            self._evaluate(series, parts, shelf)
            self._points += len(series.points) - before

    def save(self, shelf: Shelf) -> int:
        """Write everything that changed since the last save, and return how many steps of events there were."""
        self._flush(shelf)
        if self._points > POINTS_HELD:
            self._held.clear()
            self._points = 0
        saved, self._saved = self._saved, 0
        return saved

    def _flush(self, shelf: Shelf) -> None:
        shelf.save(self._touched.values(), self._steps)
        for series in self._touched.values():
            series.fresh_points.clear()
            series.fresh_through = False
        self._saved += sum(step.changed.change is not None for step in self._steps)
        self._touched.clear()
        self._steps.clear()
        self._unsaved.clear()

    def forget(self) -> None:
        """Let go of everything: what was not saved comes again with the messages."""
        self._held.clear()
        self._points = 0
        self._touched.clear()
        self._steps.clear()
        self._unsaved.clear()
        self._saved = 0

    def _size_of(self, key: SeriesKey) -> int:
        held = self._held.get(key)
        return 0 if held is None else len(held.points)

    def _evaluate(self, series: Series, parts: Sequence[Judged], shelf: Shelf) -> None:
        tick = max(int(part.columns.at[part.rows].max()) for part in parts)
        rule = parts[-1].rule
        after = rule.backfill_after_ms or self._rules.backfill_after_ms
        moment = Moment(key=series.key, rule=rule, tick=tick, backfill_after_ms=after)
        for changed in series.evaluate(moment):
            told = changed
            if rule.recurs_within_ms and changed.change is Change.RAISED:
                told = replace(changed, event=self._linked(changed.event, rule, shelf))
                series.events[told.event.id] = told.event
            self._unsaved.setdefault(series.key, {})[told.event.id] = told.event
            self._steps.append(Step(changed=told, at=tick))

    def _linked(self, event: Event, rule: Rule, shelf: Shelf) -> Event:
        """Return a new event with the one that it repeats, as far as events are known when it is raised."""
        since = event.start - rule.recurs_within_ms
        found = dict(shelf.earlier(event.key, since, event.start))
        for name, one in self._unsaved.get(event.key, {}).items():
            found.pop(name, None)
            if one.fact in {Fact.GOING_ON, Fact.CLEARED} and since <= one.start < event.start:
                found[name] = one.start
        return recurring(event, found)

    def _hold(self, judged: Mapping[SeriesKey, Sequence[Judged]], shelf: Shelf) -> None:
        """Load what is not held, or not held far enough back."""
        wanted: dict[Cadence, dict[SeriesKey, int]] = {}
        for key, parts in judged.items():
            held = self._held.get(key)
            if held is not None and all(held.reaches(part) for part in parts):
                continue
            first = min(int(part.starts.min()) for part in parts)
            cadence = parts[0].rule.cadence
            rule = parts[0].rule
            # at least so far back that what is held suffices for these rows: see `Series.reaches`
            needed = counting_of(rule).reach + (0 if rule.look is None else rule.look.back)
            wanted.setdefault(cadence, {})[key] = cadence.number(first) - max(self._first_reach, needed)
        if any(key in self._touched for keys in wanted.values() for key in keys):
            self._flush(shelf)
        for cadence, firsts in wanted.items():
            self._load(cadence, firsts, {key: judged[key][0].rule for key in firsts}, shelf)

    def _load(
        self, cadence: Cadence, firsts: Mapping[SeriesKey, int], rules: Mapping[SeriesKey, Rule], shelf: Shelf
    ) -> None:
        floor, waiting = min(firsts.values()), set(firsts)
        back = self._first_reach
        while waiting:
            floor_ms = cadence.start_ms(floor)
            found = shelf.load(dict.fromkeys(waiting, floor), floor_ms)
            clean = {series.key for series in found if series.is_clean(rules[series.key])}
            cut = shelf.with_before([series.key for series in found if series.key not in clean], floor_ms)
            for series in found:
                if series.key in cut:
                    continue
                series.whole = series.key not in clean
                self._points += len(series.points) - self._size_of(series.key)
                self._held[series.key] = series
                waiting.remove(series.key)
            back *= 2
            floor -= back
