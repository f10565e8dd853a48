"""Acts of people on many events at once, in the transaction of what made them: a case is acknowledged or closed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from alerts import tables as t
from alerts.journal import Turn
from alerts.states import Act, Deed, State, next_state

_AT_ONCE: Final = 500
_DEEDS: Final[Mapping[Act, Deed]] = {Act.ACKNOWLEDGE: Deed.ACKNOWLEDGED, Act.CLOSE: Deed.CLOSED}


def sign_events(
    turn: Turn, events: Sequence[str], act: Act, *, author: str, at: int, note: str = "", evidence: Mapping[str, Any]
) -> int:
    """Acknowledge or close events, each with a step of its own; return how many.

    An event whose state does not allow it is left as it is. To close is to acknowledge first where nobody has.
    """
    done = 0
    for some in (events[place : place + _AT_ONCE] for place in range(0, len(events), _AT_ONCE)):
        if act is Act.CLOSE:
            _sign(turn, some, Act.ACKNOWLEDGE, author=author, at=at, note="", evidence=evidence)
        done += _sign(turn, some, act, author=author, at=at, note=note, evidence=evidence)
    return done


def _sign(
    turn: Turn, events: Sequence[str], act: Act, *, author: str, at: int, note: str, evidence: Mapping[str, Any]
) -> int:
    c = t.event.c
    rows = turn.connection.execute(sa.select(c.id, c.state, c.revision).where(c.id.in_(events)).order_by(c.number))
    moved = [(row, found) for row in rows if (found := next_state(State(row.state), act)).allowed]
    if not moved:
        return 0
    numbers = turn.next_numbers(len(moved))
    told = msgspec.json.encode(evidence).decode()
    steps = [
        {
            "number": number, "event": row.id, "revision": row.revision, "kind": _DEEDS[act].value, "author": author,
            "at": at, "noticed_at": turn.wall_ms, "reason": note or found.reason.value, "evidence": told,
        }
        for number, (row, found) in zip(numbers, moved, strict=True)
    ]  # fmt: skip
    signed = dict(_signature(act, author, at, note))
    changed = (
        sa.update(t.event)
        .where(c.id == sa.bindparam("b_id"))
        .values(state=moved[0][1].state.value, changed=sa.bindparam("b_changed"), **signed)
    )
    turn.connection.execute(changed, [{"b_id": step["event"], "b_changed": step["number"]} for step in steps])
    turn.connection.execute(sa.insert(t.event_step), steps)
    return len(moved)


def _signature(act: Act, author: str, at: int, note: str) -> Iterator[tuple[str, Any]]:
    name = _DEEDS[act].value
    yield f"{name}_by", author
    yield f"{name}_at", at
    if act is Act.CLOSE:
        yield "note", note
