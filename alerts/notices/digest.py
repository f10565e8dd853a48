"""Digests: messages of little urgency, gathered for a recipient and sent as one at set times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from alerts.notices.policy import Digest
from alerts.notices.quiet import Hold, WorkDays, holds_on, minute_of
from alerts.people import Person
from alerts.subjects import URGENT
from sensors.clock import day_of

_AHEAD: Final = 60
"""So many days are looked through for the next time: longer than any run of days off."""


def gather(digests: Sequence[Digest], person: Person, priority: int, now: int, calendar: WorkDays) -> Hold | None:
    """Return with which digest a message goes, and when; None when it goes by itself.

    The first digest that is meant decides. A message that comes at a digest's very time goes with the next one. What
    is urgent goes by itself.
    """
    if priority <= URGENT:
        return None
    found = next((one for one in digests if one.whom.fits(person, priority)), None)
    if found is None:
        return None
    today = day_of(now)
    times = (
        minute_of(day, minute)
        for day in range(today, today + _AHEAD)
        if holds_on(found.days, day, calendar)
        for minute in found.at
    )
    at = next((time for time in times if time > now), None)
    return None if at is None else Hold(until=at, by=found.id)
