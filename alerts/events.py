"""Events: episodes as people know them, with an id that never changes.

Episodes are computed again after each revision and matched to the events of their series by overlap
(design, "Alert ids"). An episode keeps its event when start, peak or end move; the first event of an episode
goes on and further ones are joined to it; of a split the earlier part keeps the event; an event of which
nothing is left is withdrawn, and comes back under its id when its episode does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from alerts.counting import Crossing
from alerts.episodes import Episode
from alerts.grades import OFTEN, priority_of
from alerts.rules import Kind, Rule
from alerts.states import Act, State, next_state
from alerts.verdicts import Point, SeriesKey


class Fact(StrEnum):
    """What has become of an event's episode."""

    GOING_ON = "going_on"
    CLEARED = "cleared"
    """It has an end."""
    JOINED = "joined"
    """It turned out to be part of an earlier event's episode."""
    WITHDRAWN = "withdrawn"
    """Revised data leave nothing of it."""


class Change(StrEnum):
    """What one evaluation did to an event; each is a step of its history."""

    RAISED = "raised"
    REVISED = "revised"
    """Start, end or peak moved, or doubt came or went: no second notice."""
    CONFIRMED = "confirmed"
    """What was to be re-measured (待复测) was over in a further valid period."""
    WORSENED = "worsened"
    """Its priority grew with it (`Rule.grades`): a further share of a quota, a multiple, a length."""
    CLEARED = "cleared"
    WENT_ON = "went_on"
    """It was cleared, and revised or later data show that it goes on."""
    JOINED = "joined"
    PARTED = "parted"
    """It was joined, and revised data give it an episode of its own again."""
    WITHDRAWN = "withdrawn"
    RAISED_AGAIN = "raised_again"
    """It was withdrawn, and revised data give it back."""


_GONE: Final = {Fact.WITHDRAWN: Change.RAISED_AGAIN, Fact.JOINED: Change.PARTED}
"""What it is when an event that had no episode has one again."""
NOTIFIED = frozenset(
    {Change.RAISED, Change.RAISED_AGAIN, Change.CONFIRMED, Change.WORSENED, Change.WITHDRAWN, Change.CLEARED}
)
"""Changes of which people are told, unless the event is 补录."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event as it stands."""

    id: str
    """Hash of rule, site, factor and start as first raised; never changes."""
    key: SeriesKey
    kind: Kind
    window: str
    """The rule's; a row of 8 h can raise a rule on MDA8."""
    start: int
    """Milliseconds UTC; likewise the times below."""
    last: int
    """End of the last period over so far."""
    end: int | None
    raised_at: int
    """The tick at which it was raised."""
    raised_by: Point
    peak: Point
    to_verify: bool
    """待核实: it rests on doubtful or unflagged inputs alone."""
    backfilled: bool
    """补录: its data were older than the set age when it was raised."""
    fact: Fact
    fact_at: int
    """The tick since which the fact holds."""
    joined_to: str
    """The event that goes on in its place; empty unless joined."""
    state: State
    revision: int
    """From 1; counts what moved."""
    hint: bool = False
    """提示: nothing of it is held against the limit of its own period."""
    unconfirmed: bool = False
    """待复测: one valid value so far; the next one, a re-measurement or a person confirms it."""
    priority: int = 3
    """1 (urgent) to 4 (early warning): the rule's, or that of the grade it has reached; one more pressing for what
    comes again and again."""
    crossings: tuple[Crossing, ...] = ()
    """Of a series that flaps: every raise and clear that this event stands for."""
    covers: tuple[str, ...] = ()
    """Rules of which an event of the site and factor is no matter of its own while this one holds."""
    recurs: str = ""
    """The event of the same series before it, within the rule's time; empty when it is the first."""
    recurrence: int = 1
    """Which of the events of its series within that time it is."""

    @property
    def flapping(self) -> bool:
        """频繁波动: it stands for more crossings than the rule lets stand for themselves."""
        return bool(self.crossings)

    @property
    def duration_ms(self) -> int:
        """From its start to its end, or as far as it goes by now."""
        return (self.last if self.end is None else self.end) - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """An event after an evaluation, and what was done to it."""

    event: Event
    change: Change | None
    """None when only ``last`` moved on: no step, no revision."""
    before: Event | None
    """None for a new event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Of which series an evaluation is, when it happens, and what counts as old."""

    key: SeriesKey
    rule: Rule
    tick: int
    """Milliseconds UTC: the judge's clock."""
    backfill_after_ms: int

    def is_backfill(self, episode: Episode) -> bool:
        """Return whether the data that raise an episode are older than the set age (补录)."""
        return self.tick - episode.raised_until > self.backfill_after_ms


def event_id(key: SeriesKey, start: int, attempt: int = 0) -> str:
    """Return the id of an event first raised with this start; ``attempt`` when an older event has it."""
    text = "\x1f".join((*key, str(start), *([str(attempt)] if attempt else [])))
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def match(episodes: Sequence[Episode], events: Sequence[Event], moment: Moment) -> tuple[Changed, ...]:
    """Return what has to change so that the events of a series say what its episodes say.

    Parameters
    ----------
    episodes
        The episodes of the series in order of time, all that overlap any of the events among them.
    events
        Its events, withdrawn and joined ones too.
    moment
        The series, and the tick of the evaluation.
    """
    kept = _keepers(episodes, events)
    taken = {event.id for event in kept if event is not None}
    ids = {event.id for event in events}
    standing: list[Event] = []
    changes: list[Changed] = []
    for episode, event in zip(episodes, kept, strict=True):
        after = _raise(episode, ids, moment) if event is None else _follow(event, episode, moment)
        ids.add(after.event.id)
        parts = _told_apart(after)
        standing.append(parts[-1].event)
        changes += parts
    changes += [_leave(event, standing, moment) for event in events if event.id not in taken]
    return tuple(changed for changed in changes if changed.event != changed.before)


def recurring(event: Event, earlier: Mapping[str, int]) -> Event:
    """Return a new event linked to the newest of the earlier events of its series (id → start), and how many it makes.

    From the third on it is one more pressing (`alerts.grades.OFTEN`); 重发复发.
    """
    if not earlier:
        return event
    newest = max(earlier, key=lambda name: (earlier[name], name))
    count = len(earlier) + 1
    priority = event.priority - 1 if count >= OFTEN else event.priority
    return replace(event, recurs=newest, recurrence=count, priority=max(1, priority))


def _keepers(episodes: Sequence[Episode], events: Sequence[Event]) -> list[Event | None]:
    """Return the event that each episode keeps: the earliest free one that it overlaps, live ones first."""
    free = sorted(events, key=lambda event: (_rank(event), event.start, event.raised_at, event.id))
    kept: list[Event | None] = []
    for episode in episodes:
        found = next((event for event in free if _overlap(event, episode)), None)
        if found is not None:
            free.remove(found)
        kept.append(found)
    return kept


def _rank(event: Event) -> int:
    return {Fact.JOINED: 1, Fact.WITHDRAWN: 2}.get(event.fact, 0)


def _overlap(event: Event, other: Episode | Event) -> bool:
    return event.start < other.last and other.start < event.last


def _raise(episode: Episode, ids: set[str], moment: Moment) -> Changed:
    attempt = 0
    while event_id(moment.key, episode.start, attempt) in ids:
        attempt += 1
    event = Event(
        id=event_id(moment.key, episode.start, attempt),
        key=moment.key,
        kind=moment.rule.kind,
        window=moment.rule.told_window,
        start=episode.start,
        last=episode.last,
        end=episode.end,
        raised_at=moment.tick,
        raised_by=episode.raised_by,
        peak=episode.peak,
        to_verify=episode.to_verify,
        backfilled=moment.is_backfill(episode),
        fact=Fact.GOING_ON if episode.end is None else Fact.CLEARED,
        fact_at=moment.tick,
        joined_to="",
        state=State.RAISED,
        revision=1,
        hint=episode.hint,
        unconfirmed=episode.unconfirmed,
        priority=priority_of(moment.rule, episode),
        crossings=episode.crossings,
        covers=tuple(sorted(moment.rule.covers)),
    )
    return Changed(event=event, change=Change.RAISED, before=None)


def _follow(event: Event, episode: Episode, moment: Moment) -> Changed:
    """Return an event that has an episode, as that episode is now."""
    fact = Fact.GOING_ON if episode.end is None else Fact.CLEARED
    moved = replace(
        event, start=episode.start, last=episode.last, end=episode.end, peak=episode.peak,
        to_verify=episode.to_verify, hint=episode.hint, unconfirmed=episode.unconfirmed, fact=fact, joined_to="",
        crossings=episode.crossings, priority=priority_of(moment.rule, episode, event.recurrence),
        fact_at=event.fact_at if fact is event.fact else moment.tick,
    )  # fmt: skip
    change = _change(event, moved)
    if change is None:
        return Changed(event=moved, change=None, before=event)
    if change is Change.RAISED_AGAIN:
        moved = replace(
            moved, state=next_state(event.state, Act.RAISE_AGAIN).state, raised_at=moment.tick,
            raised_by=episode.raised_by,
            backfilled=moment.is_backfill(episode),
        )  # fmt: skip
    return Changed(event=replace(moved, revision=event.revision + 1), change=change, before=event)


def _told_apart(changed: Changed) -> tuple[Changed, ...]:
    """Return a change as steps: one that went on and is more pressing worsened besides, and of that people are told."""
    before, event = changed.before, changed.event
    if changed.change is not Change.WENT_ON or before is None or event.priority >= before.priority:
        return (changed,)
    back = replace(event, priority=before.priority)
    worse = replace(event, revision=event.revision + 1)
    return Changed(event=back, change=Change.WENT_ON, before=before), Changed(
        event=worse, change=Change.WORSENED, before=back
    )


def _change(before: Event, after: Event) -> Change | None:
    if before.fact in _GONE:
        return _GONE[before.fact]
    if before.fact is not after.fact:
        return Change.CLEARED if after.fact is Fact.CLEARED else Change.WENT_ON
    if before.unconfirmed and not after.unconfirmed:
        return Change.CONFIRMED
    if after.priority < before.priority:
        return Change.WORSENED
    return Change.REVISED if _moving(before) != _moving(after) else None


def _moving(event: Event) -> tuple[object, ...]:
    peak = event.peak
    doubts = (event.to_verify, event.hint, event.unconfirmed, event.priority, len(event.crossings))
    return (event.start, event.end, peak.start, peak.window, peak.value, peak.digits, *doubts)


def _leave(event: Event, standing: Sequence[Event], moment: Moment) -> Changed:
    """Return an event that no episode keeps: joined to the one that covers it, else withdrawn."""
    covering = [other for other in standing if _overlap(event, other)]
    over = covering[0] if covering else None
    if event.fact is Fact.WITHDRAWN or event.joined_to in {other.id for other in covering}:
        return Changed(event=event, change=None, before=event)
    gone = Fact.WITHDRAWN if over is None else Fact.JOINED
    left = replace(
        event, fact=gone, fact_at=moment.tick, joined_to="" if over is None else over.id, revision=event.revision + 1
    )
    change = Change.WITHDRAWN if over is None else Change.JOINED
    return Changed(event=left, change=change, before=event)
