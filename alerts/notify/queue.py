"""The queue of deliveries in SQL: who is next, claimed before the attempt, marked after it.

A lane is one recipient on one channel. In a lane messages go in their order, one at a time; a message that
waits for its next attempt keeps those behind it waiting, and nobody else. What is urgent has lanes of its own
beside them, so that it overtakes everything.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from alerts.notices.tables import delivery as table
from alerts.notify.channels import Answer
from alerts.notify.pauses import OPEN, Delivered, Next
from alerts.notify.tables import attempt
from alerts.subjects import URGENT

_ERROR_LENGTH: Final = 400


class Lane(NamedTuple):
    """One recipient on one channel."""

    channel: str
    recipient: str
    urgent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One row of the queue."""

    id: str
    lane: Lane
    attempts: int
    due_at: int
    next_at: int | None
    leased_until: int | None
    state: Delivered
    row: Any
    """The whole row, for the message."""

    def is_free(self, now: int) -> bool:
        """Return whether it may be tried at an instant: nobody tries, and no pause runs."""
        if self.state is Delivered.SENDING:
            return self.leased_until is None or self.leased_until <= now
        return self.next_at is None or self.next_at <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One attempt, and what follows from it."""

    answer: Answer
    then: Next
    began: int
    """Milliseconds UTC."""
    ended: int


def heads(connection: sa.Connection, now: int, busy: Collection[Lane] = ()) -> list[Delivery]:
    """Return the first message of every lane that is not busy, urgent ones first, as far as they may be tried now."""
    c, urgent = table.c, table.c.priority <= URGENT
    place = sa.func.row_number().over(partition_by=(c.channel, c.recipient, urgent), order_by=c.order_key)
    ranked = sa.select(c.id, place.label("place")).where(_open(now)).subquery()
    query = sa.select(table).join(ranked, ranked.c.id == c.id).where(ranked.c.place == 1)
    found = [_delivery(row) for row in connection.execute(query.order_by(c.priority, c.order_key))]
    return [one for one in found if one.lane not in busy and one.is_free(now)]


def head(connection: sa.Connection, lane: Lane, now: int) -> Delivery | None:
    """Return the first message of one lane, if it may be tried now."""
    c = table.c
    urgent = c.priority <= URGENT if lane.urgent else c.priority > URGENT
    query = sa.select(table).where(_open(now), c.channel == lane.channel, c.recipient == lane.recipient, urgent)
    row = connection.execute(query.order_by(c.order_key).limit(1)).first()
    found = None if row is None else _delivery(row)
    return found if found is not None and found.is_free(now) else None


def claim(connection: sa.Connection, one: Delivery, now: int, lease_ms: int) -> bool:
    """Take a message before the attempt; return whether it was still there to be taken."""
    c = table.c
    held = sa.update(table).where(c.id == one.id, c.attempts == one.attempts, c.state == one.state.value)
    done = connection.execute(
        held.values(state=Delivered.SENDING.value, attempts=one.attempts + 1, leased_until=now + lease_ms)
    )
    return done.rowcount == 1


def mark(connection: sa.Connection, one: Delivery, tried: Tried) -> None:
    """Write down what an attempt brought; a receipt that was quicker stands."""
    c, number, answer, then, now = table.c, one.attempts + 1, tried.answer, tried.then, tried.ended
    sent = then.state in {Delivered.SENT, Delivered.RECEIVED}
    received = sa.case((c.state == Delivered.RECEIVED.value, Delivered.RECEIVED.value), else_=then.state.value)
    connection.execute(
        sa.update(table)
        .where(c.id == one.id, c.attempts == number)
        .values(
            state=received,
            next_at=then.at,
            leased_until=None,
            sent_at=sa.func.coalesce(c.sent_at, now) if sent else c.sent_at,
            received_at=sa.func.coalesce(c.received_at, now if then.state is Delivered.RECEIVED else None),
            receipt=answer.receipt or c.receipt,
            error="" if sent else answer.detail[:_ERROR_LENGTH],
        )
    )
    tried_row = {"at": tried.began, "took_ms": max(0, now - tried.began), "outcome": answer.outcome.value}
    connection.execute(sa.insert(attempt).values(delivery=one.id, number=number, detail=answer.detail, **tried_row))


def _open(now: int) -> sa.ColumnElement[bool]:
    c = table.c
    return c.state.in_([state.value for state in OPEN]) & (c.due_at <= now)


def _delivery(row: sa.Row[Any]) -> Delivery:
    return Delivery(
        id=row.id, lane=Lane(row.channel, row.recipient, row.priority <= URGENT), attempts=row.attempts,
        due_at=row.due_at, next_at=row.next_at, leased_until=row.leased_until, state=Delivered(row.state), row=row,
    )  # fmt: skip
