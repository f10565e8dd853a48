"""The planner of notices: a follower that makes deliveries of steps, and wakes when time has come.

What is urgent is written at once. Everything else goes into groups of its recipients, and is told when they look at
themselves. A step is told, waits with a time, or stands in ``alert_muted`` with what held it back.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import sqlalchemy as sa

from alerts import tables as t
from alerts.desk import step_of
from alerts.events import NOTIFIED, Change, Event, Fact
from alerts.journal import Turn, event_of
from alerts.modes import NO_MODES, Modes
from alerts.notices import store
from alerts.notices.escalation import Stop, begin, resume, stop_of
from alerts.notices.flushing import Flusher
from alerts.notices.grouping import Item, put
from alerts.notices.inhibition import Source, sources_of
from alerts.notices.lines import look_at_lines
from alerts.notices.mutes import item_labels
from alerts.notices.outbox import hash_of
from alerts.notices.owners import look_for_owners
from alerts.notices.policy import Held, Policy
from alerts.notices.quiet import WorkDays
from alerts.notices.store import Head, HeldGroup
from alerts.notices.telling import Teller, tos
from alerts.people import Duty, People
from alerts.routing import Recipient, Route, route
from alerts.rules import Rules
from alerts.states import State
from alerts.steward import Noted
from alerts.subjects import URGENT, Subject, subject_of
from sensors.clock import HOUR_MS
from sensors.registry import Registry

NAME: Final = "notices"
OWNERS_EACH_MS: Final = HOUR_MS
_STARTS: Final = 10
"""So many planners at one journal know of each other that they said what inhibits."""
_AHEAD: Final = 200
"""So many urgent steps are told before their turn."""
_MARKING: Final = frozenset({Change.RAISED, Change.RAISED_AGAIN, Change.CONFIRMED, Change.WORSENED})
_ENDING: Final = frozenset({Change.CLEARED, Change.WITHDRAWN})
_LATER: Final = frozenset({Stop.OVER, Stop.JOINED, Stop.WITHDRAWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeSetup:
    """What the planner works by."""

    policy: Policy
    people: People
    """Without people nobody is told, and each step says so."""
    rules: Rules
    registry: Registry
    calendar: WorkDays
    """Of the office, for quiet hours and digests."""
    modes: Modes = NO_MODES
    """What is raised under a drill is marked."""
    channels: Collection[str] | None = None
    """Names of the channels that there are; None: all that people name."""


class NoticePlanner:
    """The follower "notices"."""

    def __init__(self, setup: NoticeSetup) -> None:
        self._policy, self._people, self._rules, self._registry = (
            setup.policy,
            setup.people,
            setup.rules,
            setup.registry,
        )
        self._modes = setup.modes
        teller = Teller(setup.policy, setup.people, setup.calendar, setup.channels)
        self._flusher = Flusher(setup.policy, setup.people, teller, self._subject, setup.registry)
        self._start, self._owners = secrets.token_hex(8), _owners_mark(setup.people, setup.registry)

    @property
    def name(self) -> str:
        """Key of its cursor."""
        return NAME

    def take(self, turn: Turn, steps: Sequence[Noted], now: int) -> None:
        """Take new steps of events; see `alerts.steward.Follower`."""
        events = {noted.event.id: noted.event for noted in steps}
        subjects = {name: self._subject(event, now) for name, event in events.items()}
        self._move_sources(turn, subjects.values())
        self._move_climbs(turn, steps)
        self._overtake(turn, steps[-1].step.number, now)
        _Batch(self, turn, subjects, now).plan(steps)
        if self._policy.lines is not None:
            look_at_lines(turn, self._policy.lines, self._registry, list(subjects.values()), now)

    def _overtake(self, turn: Turn, newest: int, now: int) -> None:
        """Tell urgent steps beyond these before their turn: a flood of others holds them up by no more than one turn.

        When their turn comes their deliveries are there already, by the same ids.
        """
        s, e = t.event_step.c, t.event.c
        query = sa.select(s.number).join(t.event, s.event == e.id).where(s.number > newest, e.priority <= URGENT)
        query = query.where(s.kind.in_(sorted(NOTIFIED)), e.backfilled.is_(False)).order_by(s.number).limit(_AHEAD)
        numbers = list(turn.connection.execute(query).scalars())
        rows = turn.connection.execute(sa.select(t.event_step).where(s.number.in_(numbers)).order_by(s.number))
        steps = [step_of(row) for row in rows] if numbers else []
        events = store.load_events(turn.connection, {step.event for step in steps})
        subjects = {name: self._subject(event, now) for name, event in events.items()}
        _Batch(self, turn, subjects, now).plan([Noted(step=step, event=events[step.event]) for step in steps])

    def due(self, turn: Turn, now: int) -> int | None:
        """Do what is due; see `alerts.steward.Follower`."""
        self._begin(turn, now)
        looked_at, mark = store.read_mark(turn.connection, "owners")
        if not looked_at <= now < looked_at + OWNERS_EACH_MS or mark != self._owners:
            look_for_owners(turn, self._people, self._registry, now)
            store.write_mark(turn, "owners", now, self._owners)
            looked_at = now
        if self._flusher.due(turn, now):
            return now
        waits = store.next_due(turn.connection)
        return min(looked_at + OWNERS_EACH_MS, waits if waits is not None else looked_at + OWNERS_EACH_MS)

    def route(self, subject: Subject, now: int) -> Route:
        """Return who is told first of a subject."""
        return route(subject, self._people, now)

    def head(self, handle: str, labels: dict[str, str]) -> Head:
        """Return the group of a recipient that an event of these labels belongs to."""
        place, grouping = self._policy.grouping(labels)
        key = grouping.key(labels)
        if labels.get("drill"):
            key = (*key, ("drill", labels["drill"]))  # never in one message with what is meant
        return Head(id=hash_of("group", handle, place, *key), recipient=handle, place=place, labels=dict(key))

    @property
    def policy(self) -> Policy:
        """The policy."""
        return self._policy

    @property
    def flusher(self) -> Flusher:
        """What tells."""
        return self._flusher

    def _subject(self, event: Event, now: int) -> Subject:
        return subject_of(event, self._rules, self._registry, now, self._modes)

    def _begin(self, turn: Turn, now: int) -> None:
        """Say once after each start what inhibits; that it was said stands in the database, where it can be undone."""
        _, starts = store.read_mark(turn.connection, "sources")
        if self._start not in starts.split():
            self._rebuild_sources(turn, now)
            store.write_mark(turn, "sources", now, " ".join([*starts.split(), self._start][-_STARTS:]))

    def _move_sources(self, turn: Turn, subjects: Iterable[Subject]) -> None:
        found: list[Source] = []
        ids = []
        for subject in subjects:
            ids.append(subject.id)
            if is_going_on(subject.event) and not subject.event.backfilled:
                found += sources_of(self._policy.inhibitions, subject.id, item_labels(subject, self._policy))
        store.move_sources(turn, ids, found)

    def _rebuild_sources(self, turn: Turn, now: int) -> None:
        """Say anew what inhibits: the policy may be another one than before the start."""
        store.forget_sources(turn.connection)
        c = t.event.c
        query = sa.select(t.event).where(c.fact == Fact.GOING_ON.value, c.state != State.CLOSED.value)
        query = query.where(c.backfilled.is_(False))
        events = [event_of(row) for row in turn.connection.execute(query)]
        self._move_sources(turn, (self._subject(event, now) for event in events))

    def _move_climbs(self, turn: Turn, steps: Sequence[Noted]) -> None:
        held = store.load_climbs(turn.connection, {noted.event.id for noted in steps})
        before = dict(held)
        for noted in steps:
            event, kind = noted.event, noted.step.kind
            escalation = self._policy.escalation(event.priority)
            if event.backfilled or escalation is None:
                continue
            if kind in {Change.RAISED, Change.RAISED_AGAIN}:
                climb = begin(escalation, event.id, noted.step.noticed_at)
                if climb is not None:
                    held[event.id] = climb, event.priority
            elif kind is Change.WORSENED or (event.id in held and held[event.id][1] != event.priority):
                climb = begin(escalation, event.id, noted.step.noticed_at)  # another ladder, from now on
                if climb is not None:
                    held[event.id] = climb, event.priority
            if event.id not in held:
                continue
            climb, priority = held[event.id]
            stop = stop_of(event, escalation)
            if stop is not None and climb.stopped is None:
                held[event.id] = replace(climb, stopped=stop, due_at=None), priority
            elif stop is None and climb.stopped in _LATER:
                held[event.id] = resume(climb, escalation, noted.step.noticed_at), priority
        store.save_climbs(turn, [one for name, one in held.items() if before.get(name) != one])


class _Batch:
    """Steps that are planned in one turn."""

    def __init__(self, planner: NoticePlanner, turn: Turn, subjects: dict[str, Subject], now: int) -> None:
        self._planner, self._turn, self._subjects, self._now = planner, turn, subjects, now
        self._labels = {name: item_labels(subject, planner.policy) for name, subject in subjects.items()}
        self._routes: dict[tuple[str, str, int, str], Route] = {}
        self._muted: list[tuple[int, str, Held, str, str]] = []
        self._groups: dict[str, HeldGroup] = {}
        self._of_event: dict[str, list[str]] = {}

    def plan(self, steps: Sequence[Noted]) -> None:
        connection = self._turn.connection
        ordinary = [noted for noted in steps if not self._subjects[noted.event.id].urgent]
        every = {noted.event.id for noted in steps}
        self._of_event = store.groups_of(connection, every)
        heads = {
            head.id: head
            for noted in ordinary
            if _is_owed(noted)
            for head in self._heads(noted.event.id)
        }  # fmt: skip
        wanted = {*heads, *(one for ids in self._of_event.values() for one in ids)}
        self._groups = store.load_groups(connection, wanted, every)
        for name, head in heads.items():
            self._groups.setdefault(name, HeldGroup(head=head, group=None))
        for noted in steps:
            if self._subjects[noted.event.id].urgent:
                self._leave_groups(noted.event.id, Held.NOTHING_NEW, "")
                self._tell_at_once(noted)
            elif _is_owed(noted):
                self._group(noted)
            else:
                self._update(noted)
        store.save_groups(self._turn, [one for one in self._groups.values() if one.touched])
        store.note_muted(self._turn, self._muted)

    def _route(self, event: str) -> Route:
        subject = self._subjects[event]
        key = (subject.event.key.site, subject.event.key.rule, subject.priority, subject.network)
        if key not in self._routes:
            self._routes[key] = self._planner.route(subject, self._now)
        return self._routes[key]

    def _heads(self, event: str) -> list[Head]:
        handles = dict.fromkeys(handle_of(one) for one in self._route(event).recipients)
        return [self._planner.head(handle, self._labels[event]) for handle in handles]

    def _tell_at_once(self, noted: Noted) -> None:
        if not _is_owed(noted):
            return
        found = self._route(noted.event.id)
        if not found.recipients:
            self._muted.append((noted.step.number, "", Held.NOBODY, "", noted.event.id))
            return
        lost = self._planner.flusher.tell_step(
            self._turn, self._subjects[noted.event.id], noted.step, tos(found.recipients), self._now
        )
        self._muted += [(noted.step.number, one, Held.NO_ADDRESS, "", noted.event.id) for one in lost]

    def _group(self, noted: Noted) -> None:
        event, kind, number = noted.event, noted.step.kind, noted.step.number
        held = self._of_event.setdefault(event.id, [])
        # an end is told to those who were told of the beginning, whoever is responsible by now
        ids = list(held) if held and kind in _ENDING else [*held, *(head.id for head in self._heads(event.id))]
        if not ids:
            self._muted.append((number, "", Held.NOBODY, "", event.id))
        for name in dict.fromkeys(ids):
            one = self._groups[name]
            before = None if one.group is None else one.group.items.get(event.id)
            mark = number if before is None or kind in _MARKING else before.mark
            since = noted.step.noticed_at if before is None or kind in _MARKING else before.since
            item = Item(
                id=event.id, mark=mark, firing=is_going_on(event), since=since, labels=self._labels[event.id],
                pending=(number,), acknowledged=event.state is not State.RAISED,
            )  # fmt: skip
            timing = self._planner.policy.groupings[one.head.place].timing
            one.group = put(one.group, item, timing, self._now)
            one.touched.add(event.id)
            if name not in held:
                held.append(name)

    def _leave_groups(self, event: str, reason: Held, by: str) -> None:
        """Take an event out of its groups, and account for what was not told yet."""
        for name in self._of_event.get(event, ()):
            one = self._groups[name]
            item = None if one.group is None else one.group.items.get(event)
            if one.group is None or item is None:
                continue
            self._muted += [(step, one.head.recipient, reason, by, event) for step in item.pending]
            items = {held: other for held, other in one.group.items.items() if held != event}
            one.group = replace(one.group, items=items)
            one.touched.add(event)

    def _update(self, noted: Noted) -> None:
        """Bring the event in its groups up to date; a step of which nobody is told starts nothing."""
        event = noted.event
        gone = Held.JOINED if event.fact is Fact.JOINED else Held.CLOSED if event.state is State.CLOSED else None
        if gone is not None:
            self._leave_groups(event.id, gone, event.joined_to)
            return
        for name in self._of_event.get(event.id, ()):
            one = self._groups[name]
            item = None if one.group is None else one.group.items.get(event.id)
            if one.group is None or item is None:
                continue
            one.touched.add(event.id)
            moved = replace(
                item,
                firing=is_going_on(event),
                labels=self._labels[event.id],
                acknowledged=event.state is not State.RAISED,
            )
            one.group = replace(one.group, items={**one.group.items, event.id: moved})


def _owners_mark(people: People, registry: Registry) -> str:
    """Return what tells whether sites or duties are others than at the last look."""
    sites = ((site.id, site.areas, site.start, site.end) for site in registry.sites)
    duties = ((duty.role, *map(sorted, _scopes(duty))) for duty in people.duties)
    return hash_of(*sites, *duties)


def _scopes(duty: Duty) -> tuple[frozenset[str], ...]:
    scope = duty.scope
    return scope.sites, scope.areas, scope.kinds, scope.classes, scope.rules


def is_going_on(event: Event) -> bool:
    """Return whether an event counts as firing: it goes on, and nobody closed it."""
    return event.fact is Fact.GOING_ON and event.state is not State.CLOSED


def handle_of(recipient: Recipient) -> str:
    """Return whose group it is: a rota's, where the person is told for being on duty, so that the next one goes on."""
    rotas = {why.rota for why in recipient.why}
    return f"rota:{rotas.pop()}" if len(rotas) == 1 and "" not in rotas else recipient.person.id


def _is_owed(noted: Noted) -> bool:
    return noted.step.kind in NOTIFIED and not noted.event.backfilled
