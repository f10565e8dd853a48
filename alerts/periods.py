"""Periods: the steps in which a rule counts, minutes to years of the Beijing calendar, as consecutive numbers."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import ClassVar, Final

from sensors.clock import BEIJING_OFFSET_MS, DAY_MS, HOUR_MS, MINUTE_MS, beijing, first_hour_of_day
from streams.results import Window

_EPOCH: Final = dt.date(1970, 1, 1)
_YEAR: Final = 12
_PLAIN: Final = re.compile(r"([1-9][0-9]{0,3})(min|h)")
_RUNNING: Final = frozenset({"8h", "8h_platform", "24h_running"})
_DAYS: Final = frozenset({Window.DAY.value, Window.MDA8.value})
_STATISTIC: Final = re.compile(r"_(max|min|sum|count|p[0-9]{2})$")
_MONTHS: Final = {"month": 1, "quarter": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """How often a rule has a period: a length that divides a Beijing day, or so many calendar months."""

    length_ms: int = 0
    """Length of one period; 0 for calendar periods."""
    months: int = 0
    """Calendar months of one period, 1, 3 or 12; 0 for periods of a fixed length."""

    HOUR: ClassVar[Cadence]
    DAY: ClassVar[Cadence]

    @classmethod
    def of(cls, window: str, slot_ms: int = HOUR_MS) -> Cadence:
        """Return the cadence of a window.

        Parameters
        ----------
        window
            Name of a window; running windows step by the slot, other statistics as what they are taken of.
        slot_ms
            Length of the kind's slot.
        """
        if window in _RUNNING:
            return cls._known(cls(length_ms=slot_ms))
        window = _STATISTIC.sub("", window)
        if window in _DAYS:
            return cls.DAY
        plain = _PLAIN.fullmatch(window)
        if plain is not None:
            return cls._known(cls(length_ms=int(plain[1]) * (MINUTE_MS if plain[2] == "min" else HOUR_MS)))
        return cls(months=_MONTHS.get(window, 1 if window == "running_year" else _YEAR))

    @staticmethod
    def is_mean(window: str) -> bool:
        """Return whether a window is a plain stretch of minutes or hours, neither running nor a day."""
        return window not in _RUNNING | _DAYS and _PLAIN.fullmatch(window) is not None

    @classmethod
    def _known(cls, cadence: Cadence) -> Cadence:
        return next((one for one in (cls.HOUR, cls.DAY) if one == cadence), cadence)

    def number(self, ms: int) -> int:
        """Return the number of the period that holds an instant."""
        if self.months:
            day = beijing(ms)
            return (day.year * _YEAR + day.month - 1) // self.months
        return (ms + self._offset) // self.length_ms

    def start_ms(self, number: int) -> int:
        """Return the first instant of a period."""
        if self.months:
            year, month = divmod(number * self.months, _YEAR)
            return first_hour_of_day((dt.date(year, month + 1, 1) - _EPOCH).days) * HOUR_MS
        return number * self.length_ms - self._offset

    def end_ms(self, number: int) -> int:
        """Return the first instant after a period."""
        return self.start_ms(number + 1)

    @property
    def _offset(self) -> int:
        """What aligns periods to the Beijing day; 0 for an hour and shorter, whose numbers are those of UTC."""
        return BEIJING_OFFSET_MS % self.length_ms


Cadence.HOUR = Cadence(length_ms=HOUR_MS)
Cadence.DAY = Cadence(length_ms=DAY_MS)
