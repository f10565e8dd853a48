"""Covering: a lesser event is no matter of its own while a graver one of its site and factor holds.

A rule names what it covers (`Rule.covers`). The lesser event is raised, followed and kept like any other; it only does
not wait for anybody beside the graver one: while that goes on, and for good when it ended no later. The two must be of
one factor; the rows of a class and of what is over a target are one matter. Asked of the tables as they stand, so that
it is right after any revision, and no order of the two matters.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from alerts import tables as t
from alerts.events import Event, Fact
from alerts.rules import OVER_TARGET, WATER_CLASS

_LIVE: Final = (Fact.GOING_ON, Fact.CLEARED)
_ONE_MATTER: Final = frozenset({WATER_CLASS, OVER_TARGET})


def covers(graver: Event, lesser: Event) -> bool:
    """Return whether a lesser event is no matter of its own beside a graver one, as both stand now."""
    if lesser.key.rule not in graver.covers or graver.key.site != lesser.key.site or graver.fact not in _LIVE:
        return False
    if graver.key.factor != lesser.key.factor and not {graver.key.factor, lesser.key.factor} <= _ONE_MATTER:
        return False
    overlap = graver.start < lesser.last and lesser.start < graver.last
    return overlap and (graver.fact is Fact.GOING_ON or graver.last >= lesser.last)


def covered() -> sa.ColumnElement[bool]:
    """Return the condition on a row of ``alert_event`` that `covers` holds for it beside some other event."""
    c, other = t.event.c, t.event.alias("graver")
    g = other.c
    pair = sa.and_(c.factor.in_(sorted(_ONE_MATTER)), g.factor.in_(sorted(_ONE_MATTER)))
    named = sa.literal(",").concat(c.rule).concat(",")
    conditions: tuple[Any, ...] = (
        g.site == c.site,
        g.covers != "",
        g.covers.contains(named),
        g.fact.in_([fact.value for fact in _LIVE]),
        (g.factor == c.factor) | pair,
        g.start < c.last,
        c.start < g.last,
        (g.fact == Fact.GOING_ON.value) | (g.last >= c.last),
    )
    return sa.select(sa.literal(1)).select_from(other).where(*conditions).correlate(t.event).exists()
