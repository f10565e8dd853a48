"""Periods: the steps in which a rule counts, hours or Beijing days, as consecutive numbers."""

from __future__ import annotations

from enum import Enum

from sensors.clock import DAY_MS, HOUR_MS, day_of, first_hour_of_day, hour_of
from streams.results import Window


class Cadence(Enum):
    """How often a rule has a period."""

    HOUR = "hour"
    DAY = "day"

    @classmethod
    def of(cls, window: Window) -> Cadence:
        """Return the cadence of a window: running windows step by the hour."""
        return cls.DAY if window in {Window.DAY, Window.MDA8} else cls.HOUR

    @property
    def length_ms(self) -> int:
        """Length of one period."""
        return DAY_MS if self is Cadence.DAY else HOUR_MS

    def number(self, ms: int) -> int:
        """Return the number of the period that holds an instant."""
        return day_of(ms) if self is Cadence.DAY else hour_of(ms)

    def start_ms(self, number: int) -> int:
        """Return the first instant of a period."""
        return (first_hour_of_day(number) if self is Cadence.DAY else number) * HOUR_MS

    def end_ms(self, number: int) -> int:
        """Return the first instant after a period."""
        return self.start_ms(number + 1)
