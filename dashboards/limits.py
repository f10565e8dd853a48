"""Limits as the pages draw them: on the windows they judge, by the time of the data."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from dashboards.rows import EditionOf
from sensors.clock import day_of
from sensors.errors import UnknownName
from streams.standards import Limit, Standards

LimitOf: TypeAlias = Callable[[int, str, str, int], Limit | None]
"""(time of data in ms, factor, window, zone) → the limit that judges this window, or None."""


def limit_of(standards: Standards) -> LimitOf:
    """Return the look-up of limits by the time of the data."""
    return lambda ms, factor, window, zone: standards.limit(factor, window, zone, day_of(ms))


def edition_of(standards: Standards) -> EditionOf:
    """Return the look-up of the index edition by the time of the data; None before the first."""

    def find(ms: int) -> str | None:
        try:
            return standards.index_edition(day_of(ms)).name
        except UnknownName:
            return None

    return find


def over(value: int | None, digits: int, limit: Limit | None) -> bool:
    """Return whether a value is over its limit; never without a value or a limit."""
    return value is not None and limit is not None and value * 10**limit.digits > limit.value * 10**digits
