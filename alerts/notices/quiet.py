"""Quiet hours: until when a message is held that is not urgent; by Beijing time and the office's calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from alerts.notices.policy import Days, Quiet
from alerts.people import Person
from alerts.subjects import URGENT
from sensors.clock import HOUR_MS, MINUTE_MS, day_of, first_hour_of_day

_DAY_MIN: Final = 1440
_CHAIN: Final = 8
"""Quiet hours that follow on one another are one hold; so many at most."""


class WorkDays(Protocol):
    """The office's calendar."""

    def works(self, day: int) -> bool:
        """Return whether a Beijing day is a work day."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Until when something waits, and by what."""

    until: int
    by: str


def hold(quiets: Sequence[Quiet], person: Person, priority: int, now: int, calendar: WorkDays) -> Hold | None:
    """Return until when a message to a person is held; None when it may go at once.

    Hours that begin where others end hold on; what is urgent is never held.
    """
    if priority <= URGENT:
        return None
    meant = [one for one in quiets if one.whom.fits(person, priority)]
    until, by = now, ""
    for _ in range(_CHAIN):
        ends = [(end, one.id) for one in meant if (end := _end(one, until, calendar)) is not None]
        if not ends:
            break
        until, last = max(ends)
        by = by or last
    return Hold(until=until, by=by) if by else None


def holds_on(days: Days, day: int, calendar: WorkDays) -> bool:
    """Return whether something that is for some days is for this one."""
    return days is Days.ALL or calendar.works(day) is (days is Days.WORK_DAYS)


def minute_of(day: int, minute: int) -> int:
    """Return a minute of a Beijing day as milliseconds UTC."""
    return first_hour_of_day(day) * HOUR_MS + minute * MINUTE_MS


def _end(quiet: Quiet, at: int, calendar: WorkDays) -> int | None:
    """Return the end of the hours that hold an instant; None when none do."""
    length = (quiet.end - quiet.start) % _DAY_MIN or _DAY_MIN
    today = day_of(at)
    for day in (today, today - 1):
        start = minute_of(day, quiet.start)
        if start <= at < start + length * MINUTE_MS and holds_on(quiet.days, day, calendar):
            return start + length * MINUTE_MS
    return None
