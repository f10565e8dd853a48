"""Windows: over which time values are taken together, by which statistic, and how much must be there.

A window's name says what it is; nothing else in a kind file does:

========================================  ======================================================
``10min``                                 finest values taken together within the slot (any minutes or hours of it)
``1h``, ``4h``                            the slot itself; ``1h_max``, ``1h_min`` of its finest values
``8h``, ``24h_running``                   slots up to and with the newest, across midnight
``24h``                                   the natural day in Beijing time
``month`` ``quarter`` ``year``            calendar; ``running_year`` the 365 days up to a day
``season.<id>``                           one of the kind's seasons
``…_max`` ``…_min`` ``…_sum`` ``…_count``  another statistic of the same span
``…_p98``                                 percentile by HJ 663 of the days of a longer span
========================================  ======================================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

from sensors.clock import DAY_MS, HOUR_MS, MINUTE_MS

_NAME: Final = re.compile(
    r"(?:(?P<minutes>[1-9][0-9]?)min|(?P<hours>[1-9][0-9]?)h(?P<running>_running)?|season\.(?P<season>[a-z0-9][a-z0-9-]*)"
    r"|(?P<calendar>month|quarter|year|running_year))(?:_(?:(?P<statistic>max|min|sum|count)|p(?P<percentile>[1-9][0-9]?)))?"
)


class Statistic(StrEnum):
    """What is taken of the values in a window."""

    FORM = "form"
    """By the factor's own `Form`."""
    MAX = "max"
    MIN = "min"
    SUM = "sum"
    PERCENTILE = "percentile"
    """Of day values, by HJ 663."""
    COUNT = "count"


class Span(StrEnum):
    """How long a window is, and where it begins."""

    FINE = "fine"
    """Minutes within the slot, aligned to it."""
    SLOT = "slot"
    RUNNING = "running"
    """Slots up to and with the newest."""
    DAY = "day"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    RUNNING_YEAR = "running_year"
    SEASON = "season"


class Confidence(StrEnum):
    """How well a figure is founded."""

    CONFIRMED = "confirmed"
    """The official text was seen, or two independent sources agree."""
    SINGLE_SOURCE = "single_source"
    NOT_SEEN = "not_seen"
    """General knowledge, or a setting of this project where no text was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """The least data that make a window valid; exactly one of the three is given."""

    start_day: int | None
    """First Beijing day on which it holds; None from ever."""
    at_least: int | None
    """Count of valid values of the next shorter time."""
    share: Fraction | None
    """Share of the values due."""
    rule: str
    """Row of the kind's rule pack that gives the dated count, for example ``day_hours`` of hj663."""
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSpec:
    """One window in which values are taken together."""

    name: str
    span: Span
    length: int
    """Minutes of FINE, slots of RUNNING, 1 of all others."""
    statistic: Statistic
    percentile: Fraction | None
    """0 to 1; None unless the statistic is PERCENTILE."""
    factors: tuple[str, ...]
    needs: tuple[Needs, ...]
    """In order of time; empty: one value is enough."""
    step: str
    """``factor``: rounded to the digit the standard reports; ``none``: all stored digits."""
    season: str = ""
    """Id of the season; empty for all other spans."""
    of: str = ""
    """Of spans longer than a day: the day window whose values it is made of, for example ``MDA8``; else empty."""

    def needs_on(self, day: int) -> Needs | None:
        """Return what holds on a Beijing day number, or None when one value is enough."""
        found = [needs for needs in self.needs if needs.start_day is None or needs.start_day <= day]
        return found[-1] if found else None


def parse_window(name: str, slot_ms: int, fine_ms: int) -> tuple[Span, int, Statistic, Fraction | None, str]:
    """Return span, length, statistic, percentile and season that a window's name says.

    Raises
    ------
    ValueError
        When it says none that a kind of this slot and finest period can have; the text says why.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise ValueError("no window")
    span, length = _span(found, slot_ms, fine_ms)
    percentile = None if found["percentile"] is None else Fraction(int(found["percentile"]), 100)
    if percentile is not None and span not in LONG:
        raise ValueError("a percentile is taken of the days of a longer window")
    statistic = Statistic(found["statistic"] or "form") if percentile is None else Statistic.PERCENTILE
    return span, length, statistic, percentile, found["season"] or ""


LONG: Final = frozenset({Span.MONTH, Span.QUARTER, Span.YEAR, Span.RUNNING_YEAR, Span.SEASON})
"""Spans that are made of days."""


def _span(found: re.Match[str], slot_ms: int, fine_ms: int) -> tuple[Span, int]:
    if found["calendar"]:
        return Span(found["calendar"]), 1
    if found["season"]:
        return Span.SEASON, 1
    length_ms = int(found["minutes"]) * MINUTE_MS if found["minutes"] else int(found["hours"]) * HOUR_MS
    if length_ms == DAY_MS and not found["running"]:
        return Span.DAY, 1
    if length_ms == slot_ms and not found["running"]:
        return Span.SLOT, 1
    if length_ms > slot_ms and length_ms % slot_ms == 0 and (length_ms == DAY_MS) == bool(found["running"]):
        return Span.RUNNING, length_ms // slot_ms
    if length_ms < slot_ms and slot_ms % length_ms == 0 and length_ms % fine_ms == 0 and not found["running"]:
        return Span.FINE, length_ms // MINUTE_MS
    raise ValueError("it fits neither the slot nor the finest period of this kind")
