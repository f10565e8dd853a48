"""The outbox: writes the rows of deliveries, so that a recipient's messages keep their order."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from alerts.journal import Turn
from alerts.notices import tables as n

WAITING: Final = "waiting"
HELD: Final = "held"
"""Not to be sent yet: quiet hours; the planner lets it go at ``due_at``."""


def hash_of(*parts: object) -> str:
    """Return the id of what these parts say; equal parts, equal id."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:32]


def put(turn: Turn, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add deliveries in the order given; each gets its ``order_key``, and an ``id`` of notice, recipient and channel.

    Rows whose id is there already are left out: a notice is owed once.
    """
    if not rows:
        return
    c = n.delivery.c
    made = {hash_of(row["notice"], row["recipient"], row["channel"], row["address"]): row for row in rows}
    ids, held = list(made), set()
    for place in range(0, len(ids), _AT_ONCE):
        held |= set(turn.connection.execute(sa.select(c.id).where(c.id.in_(ids[place : place + _AT_ONCE]))).scalars())
    newest = turn.connection.execute(sa.select(sa.func.max(c.order_key))).scalar() or 0
    fresh = [
        {**_EMPTY, **row, "id": key, "order_key": newest + count}
        for count, (key, row) in enumerate(((key, row) for key, row in made.items() if key not in held), start=1)
    ]
    if fresh:
        turn.connection.execute(sa.insert(n.delivery), fresh)


_AT_ONCE: Final = 500
_EMPTY: Final[Mapping[str, Any]] = {
    "state": WAITING, "held_by": "", "raised_at": None, "noticed_at": None, "attempts": 0, "synthetic": True,
}  # fmt: skip
