"""Standing events: what is wrong with the system itself, in the same journal, acknowledged and told like any other."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import sqlalchemy as sa

from alerts import tables as t
from alerts.events import Change, Changed, Event, Fact, event_id
from alerts.journal import Turn, event_of
from alerts.keeper import Step
from alerts.rules import ANY_FACTOR, Kind
from alerts.standings import PRIORITIES, SYSTEM, Standing
from alerts.states import State
from alerts.verdicts import Cause, Point, SeriesKey, Verdict

_LENGTH: Final = 400


def raise_standing(turn: Turn, standing: Standing, site: str, reason: str, at: int) -> str:
    """Raise an event about the system, if it is not raised already; return its id.

    Parameters
    ----------
    turn
        The open transaction.
    standing
        What is wrong.
    site
        The site, area or channel that it is about.
    reason
        What was seen, for people.
    at
        Wall clock, milliseconds UTC.
    """
    key = SeriesKey(standing.value, site, ANY_FACTOR)
    held = _going_on(turn, key)
    if held is not None:
        return held.id
    point = _point(reason[:_LENGTH], at)
    event = Event(
        id=_free_id(turn, key, at), key=key, kind=Kind.STANDING, window="", start=at, last=at, end=None, raised_at=at,
        raised_by=point, peak=point, to_verify=False, backfilled=False, fact=Fact.GOING_ON, fact_at=at, joined_to="",
        state=State.RAISED, revision=1, priority=PRIORITIES[standing],
    )  # fmt: skip
    turn.save((), [Step(changed=Changed(event=event, change=Change.RAISED, before=None), at=at)])
    return event.id


def clear_standing(turn: Turn, standing: Standing, site: str, at: int) -> str | None:
    """End an event about the system; return its id, or None when none goes on."""
    held = _going_on(turn, SeriesKey(standing.value, site, ANY_FACTOR))
    if held is None:
        return None
    end = max(at, held.start)
    after = replace(held, fact=Fact.CLEARED, fact_at=end, end=end, last=end, revision=held.revision + 1)
    turn.save((), [Step(changed=Changed(event=after, change=Change.CLEARED, before=held), at=at)])
    return held.id


def standing_sites(turn: Turn, standing: Standing) -> frozenset[str]:
    """Return the sites about which an event of this sort goes on."""
    c = t.event.c
    query = sa.select(c.site).where(c.rule == standing.value, c.fact == Fact.GOING_ON.value)
    return frozenset(turn.connection.execute(query).scalars())


def _going_on(turn: Turn, key: SeriesKey) -> Event | None:
    c = t.event.c
    query = sa.select(t.event).where(
        c.rule == key.rule, c.site == key.site, c.factor == key.factor, c.fact == Fact.GOING_ON.value
    )
    row = turn.connection.execute(query.order_by(c.number.desc()).limit(1)).first()
    return None if row is None else event_of(row)


def _free_id(turn: Turn, key: SeriesKey, at: int) -> str:
    attempt = 0
    while True:
        made = event_id(key, at, attempt)
        if turn.connection.execute(sa.select(t.event.c.id).where(t.event.c.id == made)).first() is None:
            return made
        attempt += 1


def _point(reason: str, at: int) -> Point:
    return Point(
        window="", start=at, period=0, verdict=Verdict.OVER, cause=Cause.NONE, to_verify=False, revision=1, at=at,
        value=None, digits=0, bound=None, level=None, edition="", valid=0, expected=0, reason="", detail=reason,
        flags=0, inputs="", pack="", network=SYSTEM,
    )  # fmt: skip
