"""Limits of many sites as arrays: what a column of values is held against on each day, kept while nothing changes."""

from __future__ import annotations

import datetime as dt
import hashlib
from bisect import bisect_right
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensors.registry import Site
from streams.discharge.applied import AppliedLimit, LimitBook, Warmth, When, Why, limits_for
from streams.discharge.judgement import THRESHOLDS, thresholds
from streams.discharge.limits import Limit, Season
from streams.judging.reasons import NO_TEMPERATURE, NOT_JUDGED, UNSET

NIGHTS: Final = 2
"""Day and night: a *case* is ``warmth * NIGHTS + night``."""
CASES: Final = len(Warmth) * NIGHTS
PROFILE_BITS: Final = 27
"""Low bits of a profile that name its set of limits; above them stands why nothing may be judged."""
_Ints = NDArray[np.int64]
_Key = tuple[str, int, int, tuple[bool, ...]]


class HeldLimits:
    """What values are held against.

    Parameters
    ----------
    book
        Standards, permits and factors of the kind.
    pairs
        The factors and windows that are asked for.
    """

    def __init__(self, book: LimitBook, pairs: tuple[tuple[str, str], ...]) -> None:
        self._book, self._pairs = book, pairs
        self._profiles = _Profiles()
        self._cells: dict[_Key, tuple[_Ints, _Ints]] = {}

    def limits_of(self, profile: int) -> tuple[AppliedLimit, ...]:
        """Return the limits of a profile."""
        return self._profiles.of(profile & ((1 << PROFILE_BITS) - 1))

    def held(self, sites: tuple[Site, ...], days: _Ints, places: range) -> tuple[_Ints, _Ints]:
        """Return thresholds [sites, times, outputs, cases, numbers] and profiles [sites, times, outputs, cases]."""
        different, place = np.unique(days, return_inverse=True)
        cells = [[self._cell(site, int(day)) for day in different] for site in sites]
        rows = np.stack([np.stack([row[places.start : places.stop] for row, _ in line]) for line in cells])
        profiles = np.stack([np.stack([codes[places.start : places.stop] for _, codes in line]) for line in cells])
        return rows[:, place], profiles[:, place]

    def _cell(self, site: Site, day: int) -> tuple[_Ints, _Ints]:
        """Return thresholds and profiles of one site and day for all outputs and cases; kept while nothing changes."""
        changes, seasons = self._changes
        date = dt.date.fromordinal(dt.date(1970, 1, 1).toordinal() + day)
        key = (site.id, site.start, bisect_right(changes, day), tuple(season.holds_on(date) for season in seasons))
        if key not in self._cells:
            self._cells[key] = self._made_cell(site, day)
        return self._cells[key]

    def _made_cell(self, site: Site, day: int) -> tuple[_Ints, _Ints]:
        rows = np.zeros((len(self._pairs), CASES, THRESHOLDS), np.int64)
        profiles = np.zeros((len(self._pairs), CASES), np.int64)
        for place, (factor, window) in enumerate(self._pairs):
            for case in range(CASES):
                when = When(day=day, warmth=Warmth(case // NIGHTS), night=bool(case % NIGHTS))
                found = limits_for(self._book, site, factor, window, when)
                rows[place, case] = thresholds(found, self._book.factors[factor].digits)
                profiles[place, case] = self._profiles.code(found) | _why(found) << PROFILE_BITS
        return rows, profiles

    @cached_property
    def _changes(self) -> tuple[list[int], tuple[Season, ...]]:
        """Days on which some limit begins or has ended, and the seasons that matter."""
        book = self._book
        holders = (*book.permits.sites.values(), *book.permits.areas.values())
        limits = known_limits(book)
        spans = [
            *((limit.start_day, limit.end_day) for limit in limits),
            *((one.start_day, one.end_day) for holder in holders for one in holder.applies),
            *((one.start_day, one.end_day) for one in book.permits.decisions),
        ]
        days = {day for start, end in spans for day in (start, None if end is None else end + 1) if day is not None}
        return sorted(days), tuple(dict.fromkeys(limit.season for limit in limits if limit.season is not None))


class _Profiles:
    """Codes of sets of limits: by content, so that the same set has the same code in every process."""

    def __init__(self) -> None:
        self._by_code: dict[int, tuple[AppliedLimit, ...]] = {0: ()}
        self._codes: dict[tuple[AppliedLimit, ...], int] = {(): 0}

    def of(self, code: int) -> tuple[AppliedLimit, ...]:
        """Return the limits of a code."""
        return self._by_code[code]

    def code(self, limits: tuple[AppliedLimit, ...]) -> int:
        """Return the code of limits; 0 for none."""
        if limits not in self._codes:
            digest = hashlib.sha256(repr(limits).encode()).digest()
            code = int.from_bytes(digest[:8], "big") % (1 << PROFILE_BITS)
            while code in self._by_code:  # another set with the same digits of its hash
                code = (code + 1) % (1 << PROFILE_BITS)
            self._codes[limits], self._by_code[code] = code, limits
        return self._codes[limits]


def _why(limits: tuple[AppliedLimit, ...]) -> int:
    """Return the reason of a window that none of these limits is held against."""
    if not limits:
        return UNSET
    return NO_TEMPERATURE if any(applied.why is Why.NO_TEMPERATURE for applied in limits) else NOT_JUDGED


def known_limits(book: LimitBook) -> tuple[Limit, ...]:
    """Return every limit of the kind's standards, and of permits."""
    holders = (*book.permits.sites.values(), *book.permits.areas.values())
    standards = tuple(limit for found in book.sets for limit in found.limits)
    return (*standards, *(limit for holder in holders for limit in holder.limits))
