"""Coverage: of each notice who should have it, who has it, when and by which channel; and where the gaps are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from alerts.notices.tables import delivery
from alerts.notify.pauses import REACHED, Delivered
from alerts.notify.tables import attempt

_SHOWN: Final = [
    delivery.c[name]
    for name in (
        "id", "notice", "kind", "recipient", "department", "channel", "state", "priority", "due_at", "noticed_at",
        "sent_at", "received_at", "attempts", "error",
    )
]  # fmt: skip
"""Not what was said: that is long, and no part of the count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One message to one person on one channel."""

    delivery: str
    notice: str
    kind: str
    recipient: str
    department: str
    channel: str
    state: Delivered
    priority: int
    due_at: int
    """Milliseconds UTC; likewise the times below."""
    noticed_at: int | None
    """When the system noticed what it tells; None where it tells of nothing noticed."""
    sent_at: int | None
    received_at: int | None
    attempts: int
    error: str

    @property
    def reached(self) -> bool:
        """Whether the channel took it, or more."""
        return self.state in REACHED

    @property
    def delay_ms(self) -> int | None:
        """From when it was due until the channel took it; None when it did not."""
        return None if self.sent_at is None else max(0, self.sent_at - self.due_at)

    @property
    def whole_delay_ms(self) -> int | None:
        """From when it was noticed until the channel took it, waits of groups and quiet hours included."""
        if self.sent_at is None or self.noticed_at is None:
            return None
        return max(0, self.sent_at - self.noticed_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What one person has of a notice, over all channels."""

    recipient: str
    department: str
    ways: tuple[Way, ...]

    @property
    def reached_at(self) -> int | None:
        """When the first channel took it; None when none did."""
        return min((way.sent_at for way in self.ways if way.reached and way.sent_at is not None), default=None)

    @property
    def received_at(self) -> int | None:
        """When it was first known that the person has it; None when it is not."""
        return min((way.received_at for way in self.ways if way.received_at is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Who should have a notice, and who has it."""

    people: tuple[Person, ...]

    @property
    def missing(self) -> tuple[Person, ...]:
        """Who should have it, and no channel took it."""
        return tuple(one for one in self.people if one.reached_at is None)

    @property
    def reached(self) -> int:
        """How many people one channel at least took it for."""
        return len(self.people) - len(self.missing)

    @property
    def received(self) -> int:
        """How many people are known to have it."""
        return sum(one.received_at is not None for one in self.people)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """How one channel did in a time: counts of messages, and delays of those that it took."""

    channel: str
    owed: int
    reached: int
    received: int
    given_up: int
    waiting: int
    attempts: int
    median_ms: int | None
    """Delay that half of what was taken did not exceed; None when nothing was taken."""
    p99_ms: int | None
    whole_p99_ms: int | None
    """The same from when each was noticed."""


def coverage_of_notice(connection: sa.Connection, notice: str) -> Coverage:
    """Return who should have a notice, and who has it."""
    return _coverage(connection, delivery.c.notice == notice)


def coverage_of_event(connection: sa.Connection, event: str) -> Coverage:
    """Return the same for everything that was owed of an event; its id is plain letters and digits."""
    if not event.isalnum():
        return Coverage(people=())
    return _coverage(connection, delivery.c.subjects.contains(f'"{event}"', autoescape=True))


def measures(connection: sa.Connection, start_ms: int, end_ms: int) -> tuple[Measure, ...]:
    """Return how each channel did with what was due in a time, by name.

    Parameters
    ----------
    connection
        Of the journal.
    start_ms, end_ms
        Milliseconds UTC; the end is not in.
    """
    ways = _ways(connection, (delivery.c.due_at >= start_ms) & (delivery.c.due_at < end_ms))
    return tuple(_measure(name, [way for way in ways if way.channel == name]) for name in _names(ways))


def attempts_of(connection: sa.Connection, delivery_id: str) -> list[Mapping[str, Any]]:
    """Return every attempt at a message, oldest first: number, at, took_ms, outcome, detail."""
    query = sa.select(attempt).where(attempt.c.delivery == delivery_id).order_by(attempt.c.number)
    return [dict(row) for row in connection.execute(query).mappings()]


def _coverage(connection: sa.Connection, which: sa.ColumnElement[bool]) -> Coverage:
    people: dict[tuple[str, str], list[Way]] = {}
    for way in _ways(connection, which):
        people.setdefault((way.recipient, way.department), []).append(way)
    return Coverage(
        people=tuple(
            Person(recipient=recipient, department=department, ways=tuple(ways))
            for (recipient, department), ways in sorted(people.items())
        )
    )


def _ways(connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[Way]:
    query = sa.select(*_SHOWN).where(which).order_by(delivery.c.order_key)
    return [
        Way(
            delivery=row.id, notice=row.notice, kind=row.kind, recipient=row.recipient, department=row.department,
            channel=row.channel, state=Delivered(row.state), priority=row.priority, due_at=row.due_at,
            noticed_at=row.noticed_at, sent_at=row.sent_at, received_at=row.received_at, attempts=row.attempts,
            error=row.error or "",
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def _names(ways: Iterable[Way]) -> list[str]:
    return sorted({way.channel for way in ways})


def _measure(name: str, ways: list[Way]) -> Measure:
    delays = sorted(way.delay_ms for way in ways if way.reached and way.delay_ms is not None)
    whole = sorted(way.whole_delay_ms for way in ways if way.reached and way.whole_delay_ms is not None)
    return Measure(
        channel=name,
        owed=len(ways),
        reached=sum(way.reached for way in ways),
        received=sum(way.received_at is not None for way in ways),
        given_up=sum(way.state is Delivered.GIVEN_UP for way in ways),
        waiting=sum(not way.reached and way.state is not Delivered.GIVEN_UP for way in ways),
        attempts=sum(way.attempts for way in ways),
        median_ms=_at(delays, 50),
        p99_ms=_at(delays, 99),
        whole_p99_ms=_at(whole, 99),
    )


def _at(delays: list[int], percent: int) -> int | None:
    """Return the nearest-rank percentile: the smallest value that so many per cent do not exceed."""
    return delays[-(-len(delays) * percent // 100) - 1] if delays else None
