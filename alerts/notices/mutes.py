"""Mutes: what holds an event back as the database stands: a silence, another event, or a rule that covers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from alerts import tables as t
from alerts.covering import covers
from alerts.events import Event, Fact
from alerts.journal import event_of
from alerts.notices import store
from alerts.notices.inhibition import Source, inhibited
from alerts.notices.lines import line_of
from alerts.notices.policy import Held, Policy
from alerts.notices.silencedesk import load_silences
from alerts.notices.silences import silencing
from alerts.subjects import Subject

COVERS = "covers"
"""What stands for a graver event whose rule covers the lesser one."""
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class By:
    """What mutes an event."""

    reason: Held
    by: str
    """Id of the silence; rule of inhibition and event."""


def item_labels(subject: Subject, policy: Policy) -> dict[str, str]:
    """Return the labels that groups, silences and inhibitions see: the subject's, and its line."""
    line = line_of(subject.labels, policy.lines)
    return {**subject.labels, **({"line": line} if line else {})}


class Mutes:
    """What mutes some events, asked of the database once for all of them."""

    def __init__(
        self, connection: sa.Connection, policy: Policy, events: Mapping[str, Mapping[str, str]], now: int
    ) -> None:
        self._connection, self._policy, self._now = connection, policy, now
        self._silences = load_silences(connection, now) if events else ()
        self._book: dict[tuple[str, str], Sequence[Source]] = {}
        self._covered = _covered(connection, events)

    def by(self, event: str, labels: Mapping[str, str]) -> By | None:
        """Return what mutes an event of these labels; None when nothing does."""
        silence = silencing(self._silences, labels, self._now)
        if silence is not None:
            return By(Held.SILENCED, silence.id)
        found = inhibited(self._policy.inhibitions, labels, self._sources)
        if found is not None:
            return By(Held.INHIBITED, f"{found.inhibition}:{found.event}")
        return By(Held.INHIBITED, COVERS) if event in self._covered else None

    def _sources(self, inhibition: str, key: str) -> Sequence[Source]:
        if (inhibition, key) not in self._book:
            self._book[inhibition, key] = store.sources(self._connection, inhibition, key)
        return self._book[inhibition, key]


def _covered(connection: sa.Connection, events: Mapping[str, Mapping[str, str]]) -> frozenset[str]:
    """Return which of some events are no matter of their own beside a graver one of their site."""
    sites = sorted({labels.get("site", "") for labels in events.values()})
    gravers: dict[str, list[Event]] = {}
    c, since = t.event.c, _earliest(connection, sorted(events))
    for place in range(0, len(sites), _AT_ONCE):
        query = sa.select(t.event).where(c.site.in_(sites[place : place + _AT_ONCE]), c.covers != "", c.last > since)
        for row in connection.execute(query.where(c.fact.in_([Fact.GOING_ON.value, Fact.CLEARED.value]))):
            graver = event_of(row)
            gravers.setdefault(graver.key.site, []).append(graver)
    lesser = [
        name
        for name, labels in events.items()
        if any(labels.get("rule") in graver.covers for graver in gravers.get(labels.get("site", ""), ()))
    ]
    found = store.load_events(connection, lesser)
    return frozenset(
        name for name, event in found.items() if any(covers(graver, event) for graver in gravers[event.key.site])
    )


def _earliest(connection: sa.Connection, events: Sequence[str]) -> int:
    """Return when the first of some events starts: what was over before covers none of them."""
    c = t.event.c
    parts = (events[place : place + _AT_ONCE] for place in range(0, len(events), _AT_ONCE))
    found = (connection.execute(sa.select(sa.func.min(c.start)).where(c.id.in_(some))).scalar() for some in parts)
    return min((int(start) for start in found if start is not None), default=0)
