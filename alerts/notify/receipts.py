"""Receipts: who holds the token of a message has the message.

A token is made for each attempt that can carry a link; the database keeps its hash alone, so that who can
read the database cannot say in somebody's name that he was told.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from alerts.journal import Journal
from alerts.notices.tables import delivery
from alerts.notify.pauses import Delivered
from alerts.notify.tables import receipt
from sensors.errors import UnknownName

PATH: Final = "/receipts/"
"""Under which a console answers tokens."""
_LONGEST: Final = 100


class Receipt(StrEnum):
    """What came of a token."""

    TAKEN = "taken"
    AGAIN = "again"
    """It was known already that the message is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message that somebody has."""

    delivery: str
    recipient: str
    what: Receipt
    at: int
    """When it was first known, milliseconds UTC."""


def new_token(journal: Journal, delivery_id: str, now: int) -> str:
    """Return a token for one message, to be sent in it and kept nowhere.

    Raises
    ------
    StoreError
        When the database does not take it.
    """
    token = secrets.token_urlsafe(24)
    with journal.noting() as turn:
        row = {"token": _hash(token), "delivery": delivery_id, "made_at": now, "used_at": None}
        turn.connection.execute(sa.insert(receipt).values(**row))
    return token


def receive(journal: Journal, token: str, now: int) -> Received:
    """Note that the holder of a token has the message; a second time changes nothing.

    Parameters
    ----------
    journal
        Where it is noted.
    token
        As it came; anything else than a token of ours is unknown.
    now
        Milliseconds UTC.

    Raises
    ------
    UnknownName
        When no message has this token; the token is not in the text.
    StoreError
        When the database does not answer.
    """
    c = receipt.c
    with journal.noting() as turn:
        used = sa.update(receipt).where(c.token == _hash(token[:_LONGEST]))
        turn.connection.execute(used.values(used_at=sa.func.coalesce(c.used_at, now)))
        found = turn.connection.execute(sa.select(c.delivery).where(c.token == _hash(token[:_LONGEST]))).scalar()
        if found is None:
            raise UnknownName("the table of receipts", "this token")
        return _note(turn.connection, delivery.c.id == found, "", now)[0]


def receive_reported(journal: Journal, channel: str, name: str, now: int) -> list[Received]:
    """Note what a channel reports of a message that it took earlier, by its own name for it (SMS: 状态报告).

    Returns
    -------
    list
        The messages; empty when the channel knows one that we do not.

    Raises
    ------
    StoreError
        When the database does not answer.
    """
    if not name:
        return []
    with journal.noting() as turn:
        return _note(turn.connection, (delivery.c.channel == channel) & (delivery.c.receipt == name), name, now)


def _note(connection: sa.Connection, which: sa.ColumnElement[bool], name: str, now: int) -> list[Received]:
    c = delivery.c
    values = {"state": Delivered.RECEIVED.value, "received_at": sa.func.coalesce(c.received_at, now), "next_at": None}
    connection.execute(sa.update(delivery).where(which).values(**values, receipt=name or c.receipt))
    return [
        Received(
            delivery=row.id, recipient=row.recipient, at=row.received_at,
            what=Receipt.TAKEN if row.received_at == now else Receipt.AGAIN,
        )
        for row in connection.execute(sa.select(c.id, c.recipient, c.received_at).where(which))
    ]  # fmt: skip


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
