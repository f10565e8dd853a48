"""Seasons: stretches of the year, as data, in which a rule judges; a change by date needs nothing to be started."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from alerts.rulefile import SeasonEntry
from sensors.errors import Problems
from sensors.yamlfile import Document

_EPOCH: Final = dt.date(1970, 1, 1)
_LEAP_YEAR: Final = 2000
MonthDay = tuple[int, int]
"""Month and day of a year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """A season of control, for example 秋冬季; two may share days."""

    id: str
    name_zh: str
    name_en: str
    spans: tuple[tuple[MonthDay, MonthDay], ...]
    """First and last days, both inside; a span whose last day comes before its first goes over the turn of the year."""
    factors: tuple[str, ...] = ()
    """What is controlled in it."""
    trades: tuple[str, ...] = ()
    """On which trades."""
    source: str = ""
    confidence: str = ""

    def holds(self, day: int) -> bool:
        """Return whether a Beijing day (since 1970-01-01) lies in it."""
        date = dt.date.fromordinal(_EPOCH.toordinal() + day)
        given = (date.month, date.day)
        return any(
            first <= given <= last if first <= last else given >= first or given <= last for first, last in self.spans
        )


def parse_seasons(document: Document, entries: Mapping[str, SeasonEntry], problems: Problems) -> dict[str, Season]:
    """Return the seasons of a rules file by id; those with a day that no calendar has are told to ``problems``."""
    found: dict[str, Season] = {}
    for name, entry in entries.items():
        with problems.kept():
            found[name] = Season(
                id=name,
                name_zh=entry.name.zh,
                name_en=entry.name.en,
                spans=tuple(
                    (
                        _month_day(document, ("seasons", name, "spans", place, "from"), span.start),
                        _month_day(document, ("seasons", name, "spans", place, "to"), span.last),
                    )
                    for place, span in enumerate(entry.spans)
                ),
                factors=entry.factors,
                trades=entry.trades,
                source=entry.source,
                confidence=entry.confidence,
            )
    return found


def _month_day(document: Document, path: tuple[str | int, ...], text: str) -> MonthDay:
    month, day = int(text[:2]), int(text[3:])
    try:
        dt.date(_LEAP_YEAR, month, day)
    except ValueError as cause:
        raise document.error(path, f"{text} is no day of a year", "write month and day, for example 11-01") from cause
    return month, day
