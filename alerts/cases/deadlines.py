"""Deadlines: until when each state of a case is to be left, and who is told when it is not.

A span is wall time, or whole work days of a calendar: those end at its closing time on the n-th work day after the
day of the start, which is not counted itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from alerts.cases.states import CaseState
from sensors.clock import DAY_MS, HOUR_MS, day_of, first_hour_of_day

_EPOCH: Final = dt.date(1970, 1, 1).toordinal()
_SATURDAY: Final = 5
_MOST_DAYS: Final = 4000
"""No deadline is farther away; a calendar without a work day in so many days is an error of whoever wrote it."""


class Tier(StrEnum):
    """Who is to be told, from near to far."""

    OWN = "own"
    """Whoever the case was with."""
    PARK = "park"
    DISTRICT = "district"
    CITY = "city"
    PROVINCE = "province"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Which Beijing days are work days."""

    holidays: frozenset[int]
    """Day numbers of days off that would be work days."""
    working: frozenset[int]
    """Day numbers of Saturdays and Sundays that are worked (调休)."""
    closes_ms: int = DAY_MS
    """When a work day ends, milliseconds after its midnight."""

    def works(self, day: int) -> bool:
        """Return whether a day is a work day; of years that nobody entered, Monday to Friday are."""
        if day in self.working:
            return True
        return day not in self.holidays and dt.date.fromordinal(day + _EPOCH).weekday() < _SATURDAY

    def after(self, start_ms: int, days: int) -> int:
        """Return the end of the n-th work day after the day of an instant.

        Raises
        ------
        ValueError
            When the calendar has not so many work days.
        """
        first = day_of(start_ms)
        for day in range(first + 1, first + _MOST_DAYS):
            days -= self.works(day)
            if days == 0:
                return first_hour_of_day(day) * HOUR_MS + self.closes_ms
        raise ValueError("the calendar has too few work days")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapse:
    """A span of time: wall time, or whole work days."""

    ms: int = 0
    work_days: int = 0
    """When not 0, it is meant and ``ms`` is not."""

    def after(self, start_ms: int, calendar: Calendar) -> int:
        """Return when it is over that starts at an instant."""
        return calendar.after(start_ms, self.work_days) if self.work_days else start_ms + self.ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One step of the overdue escalation."""

    after_ms: int
    """Since the case was due."""
    tier: Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Of the cases of one priority."""

    due: Mapping[CaseState, Lapse]
    """State → how long a case may stay in it. Every state but written off has one: no case starves."""
    ladder: tuple[Rung, ...]
    """In order of time."""
    repeat_ms: int
    """How often the last rung is told again."""

    def rung(self, number: int) -> Rung:
        """Return a rung of the ladder, which goes on with its last one."""
        if number < len(self.ladder):
            return self.ladder[number]
        last = self.ladder[-1]
        return Rung(after_ms=last.after_ms + (number - len(self.ladder) + 1) * self.repeat_ms, tier=last.tier)

    def newest_rung(self, number: int, late_ms: int) -> int:
        """Return the rung that is to be told now: of repeats that were missed only the newest."""
        while number >= len(self.ladder) and self.rung(number + 1).after_ms <= late_ms:
            number += 1
        return number
