"""Hours, days and labels: the only module that knows the zone and the hour convention.

Inside, a time is an integer of milliseconds since 1970-01-01 UTC and means the *start* of its
interval. An hour number is whole hours since then; a day number is whole Beijing days. China
has kept UTC+8 without summer time since 1991-09-15, so days are plain arithmetic.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

HoursT = TypeVar("HoursT", int, NDArray[np.int64])
"""One hour or day number, or many."""
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
DAY_HOURS = 24
BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")
"""The zone of every label that people see."""
BEIJING_OFFSET_MS = 8 * HOUR_MS
BEIJING_OFFSET_H = 8
_EPOCH_DAY = date(1970, 1, 1).toordinal()


def hour_of(ms: int) -> int:
    """Return the number of the hour that holds the instant ``ms``."""
    return ms // HOUR_MS


def day_of_hour(hour: HoursT) -> HoursT:
    """Return the Beijing day number of an hour number; works on arrays as well."""
    return (hour + BEIJING_OFFSET_H) // DAY_HOURS


def day_number(day: date) -> int:
    """Return the Beijing day number of a calendar day."""
    return day.toordinal() - _EPOCH_DAY


def day_of(ms: int) -> int:
    """Return the Beijing day number that holds the instant ``ms``."""
    return (ms + BEIJING_OFFSET_MS) // DAY_MS


def first_hour_of_day(day: HoursT) -> HoursT:
    """Return the hour number of 00:00-01:00 of a Beijing day; works on arrays as well."""
    return day * DAY_HOURS - BEIJING_OFFSET_H


def ms_of(moment: datetime) -> int:
    """Return an aware moment as milliseconds.

    Raises
    ------
    ValueError
        When ``moment`` has no zone: a guess would be wrong by eight hours.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no zone")
    return round(moment.timestamp() * 1000)


def moment_of(ms: int) -> datetime:
    """Return milliseconds as an aware moment in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def beijing(ms: int) -> datetime:
    """Return milliseconds as an aware moment in Beijing time."""
    return datetime.fromtimestamp(ms / 1000, BEIJING)


def hour_ending(start_ms: int) -> str:
    """Return the label of an air hour: its end in Beijing time, ``2016-12-20 08:00``.

    The last hour of a day carries 00:00 of the next, as the national platform writes it.
    """
    return beijing(start_ms + HOUR_MS).strftime("%Y-%m-%d %H:%M")
