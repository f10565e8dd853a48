"""Tally: on how many days of the last 30 a series was over, and for how many in a row; of what is known now.

Counted are Beijing days with a row over, the day on which the event was over last among them. A rule whose periods are
months or longer, and one whose rows say something only with their neighbours, has no tally.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from alerts.events import Event
from alerts.rules import Kind
from sensors.clock import DAY_MS, day_of

DAYS: Final = 30
_NONE: Final = frozenset({Kind.QUOTA, Kind.EXHAUSTION, Kind.CHANGE, Kind.RATE, Kind.PROJECTION})
_LONG: Final = frozenset({"month", "quarter", "year", "running_year"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How often a series was over, up to the last day of an event."""

    days: int
    """Days over among the last `DAYS`."""
    streak: int
    """Days over in a row, the last one included; it may be longer than those."""


def is_tallied(event: Event) -> bool:
    """Return whether days are counted for an event."""
    return event.kind not in _NONE and event.window not in _LONG


def tally(starts: Iterable[int], last_ms: int) -> Tally:
    """Count days over.

    Parameters
    ----------
    starts
        Starts of rows over, milliseconds UTC, in any order; those after ``last_ms`` do not count.
    last_ms
        End of the last period over, milliseconds UTC.
    """
    newest = day_of(last_ms - 1)
    days = {day_of(start) for start in starts if start < last_ms}
    streak = 0
    while newest - streak in days:
        streak += 1
    return Tally(days=sum(newest - DAYS < day <= newest for day in days), streak=streak)


def since(last_ms: int) -> int:
    """Return from when on rows are wanted for `tally`: a streak is told up to a year."""
    return last_ms - 366 * DAY_MS
