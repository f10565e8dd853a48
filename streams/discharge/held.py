"""Limits of many sites as arrays: what a column of values is held against on each day, kept while nothing changes."""

from __future__ import annotations

import datetime as dt
import hashlib
from bisect import bisect_right
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensors.registry import Site
from streams.discharge.applied import AppliedLimit, LimitBook, Warmth, When, Why, binding, limits_among
from streams.discharge.judgement import THRESHOLDS, thresholds
from streams.discharge.limits import Limit
from streams.judging.reasons import NO_TEMPERATURE, NOT_JUDGED, UNSET

NIGHTS: Final = 2
"""Day and night: a *case* is ``warmth * NIGHTS + night``."""
CASES: Final = len(Warmth) * NIGHTS
PROFILE_BITS: Final = 22
"""Low bits of a profile that name its set of limits; above them stands why nothing may be judged."""
_Ints = NDArray[np.int64]
_Key = tuple[tuple[str, ...], tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]
_EPOCH: Final = dt.date(1970, 1, 1).toordinal()


class HeldLimits:
    """What values are held against.

    Sites of one firm with equal settings share a *cell*: thresholds and profiles of all outputs and cases over
    a time in which nothing changes. Cells are made once and kept.

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
        self._keys: dict[int, tuple[Site, _Key]] = {}
        self._changes: dict[_Key, list[int]] = {}
        self._cells: dict[tuple[_Key, int, tuple[bool, ...]], int] = {}
        self._made: list[tuple[_Ints, _Ints]] = []
        self._rows = np.zeros((0, len(pairs), CASES, THRESHOLDS), np.int64)
        self._codes = np.zeros((0, len(pairs), CASES), np.int64)
        self._limits = known_limits(book)
        self._seasons = tuple(dict.fromkeys(limit.season for limit in self._limits if limit.season is not None))

    def limits_of(self, profile: int) -> tuple[AppliedLimit, ...]:
        """Return the limits of a profile."""
        return self._profiles.of(profile & ((1 << PROFILE_BITS) - 1))

    def cells(self, sites: tuple[Site, ...], days: _Ints) -> _Ints:
        """Return the cell of each site and time, [sites, times]; ``days`` are the Beijing days of the times."""
        different, place = np.unique(days, return_inverse=True)
        keys = [self._key(site) for site in sites]
        found = {key: self._cells_of(key, site, different) for key, site in dict(zip(keys, sites, strict=True)).items()}
        if len(self._made) > len(self._codes):
            self._rows, self._codes = (np.stack(parts) for parts in zip(*self._made, strict=True))
        return np.array([found[key] for key in keys], np.int64)[:, place]

    def rows(self, output: int, cells: _Ints, cases: _Ints) -> _Ints:
        """Return the thresholds of an output, [sites, times, numbers]."""
        found: _Ints = self._rows[cells, output, cases]
        return found

    def profiles(self, output: int, cells: _Ints, cases: _Ints) -> _Ints:
        """Return the profiles of an output, [sites, times]."""
        found: _Ints = self._codes[cells, output, cases]
        return found

    def _key(self, site: Site) -> _Key:
        """Return what of a site decides which limits bind it."""
        known = self._keys.get(id(site))
        if known is not None and known[0] is site:  # the entry is held, so its id stays its own
            return known[1]
        holders = tuple(holder.id for holder in self._book.permits.holders(site.id, site.areas))
        asked = {"layer", "basis", *(found.column_setting for found in self._book.sets)}
        setting = [(name, str(site.setting.get(name))) for name in sorted(asked)]
        methods = sorted((site.setting.get("method") or {}).items())
        key = (holders, tuple(setting), tuple(methods))
        self._keys[id(site)] = (site, key)
        return key

    def _cells_of(self, key: _Key, site: Site, days: _Ints) -> list[int]:
        if key not in self._changes:
            self._changes[key] = self._days_of_change(site)
        changes = self._changes[key]
        found = []
        for day in days.tolist():
            date = dt.date.fromordinal(_EPOCH + day)
            place = (key, bisect_right(changes, day), tuple(season.holds_on(date) for season in self._seasons))
            if place not in self._cells:
                self._cells[place] = self._made_cell(site, day)
            found.append(self._cells[place])
        return found

    def _made_cell(self, site: Site, day: int) -> int:
        """Make the cell of a site and day, and return its number."""
        book, shape = self._book, (len(self._pairs), CASES)
        rows, codes = np.zeros((*shape, THRESHOLDS), np.int64), np.zeros(shape, np.int64)
        limits = binding(book, site, day)
        for place, pair in enumerate(self._pairs):
            for case in range(CASES):
                when = When(day=day, warmth=Warmth(case // NIGHTS), night=bool(case % NIGHTS))
                found = limits_among(book, site, limits, pair, when)
                rows[place, case] = thresholds(found, book.factors[pair[0]].digits)
                codes[place, case] = self._profiles.code(found) | _why(found) << PROFILE_BITS
        self._made.append((rows, codes))
        return len(self._made) - 1

    def _days_of_change(self, site: Site) -> list[int]:
        """Return the days on which some limit that could bind a site begins or has ended."""
        holders = self._book.permits.holders(site.id, site.areas)
        standards = [limit for found in self._book.sets for limit in found.limits]
        spans = [
            *((limit.start_day, limit.end_day) for limit in standards),
            *((limit.start_day, limit.end_day) for holder in holders for limit in holder.limits),
            *((one.start_day, one.end_day) for holder in holders for one in holder.applies),
            *((one.start_day, one.end_day) for one in self._book.permits.decisions),
        ]
        ends = {end + 1 for _, end in spans if end is not None}
        return sorted(ends | {start for start, _ in spans})


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
