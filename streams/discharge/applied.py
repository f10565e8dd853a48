"""Which limits are held against a value, and what each judgement is worth.

A judgement is a *finding* when the value was taken over the time that the limit is written for, by a
method that it takes; else a *hint*. Some limits are only *shown*: nothing can be held against them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from fractions import Fraction
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensors.clock import BEIJING_OFFSET_H, DAY_HOURS, day_of, hour_of
from sensors.factors import Factor
from sensors.registry import Site
from streams.discharge.limitfile import Period, Temperature
from streams.discharge.limits import Limit, LimitPack, LimitSet
from streams.discharge.permits import Applied, Permits

OUTLET: Final = "outlet"
"""The place of a site whose setting names no layer."""


class Verdict(StrEnum):
    """What a judgement is worth."""

    FINDING = "finding"
    HINT = "hint"
    SHOWN = "shown"
    """Not judged."""


class Why(StrEnum):
    """Why a judgement is worth what it is."""

    WRITTEN_FOR = "written_for"
    """The value is what the limit is written for."""
    DECIDED = "decided"
    """A named person decided that the hour counts as such."""
    SHORTER = "shorter_period"
    """The value was taken over a shorter time than the limit is written for."""
    AUTOMATIC = "automatic_value"
    """The limit is written for a grab sample."""
    PROXY = "proxy"
    """Another factor than that of the limit (TVOC for NMHC)."""
    METHOD = "method"
    """Measured by a method that the limit does not take, or by an unknown one."""
    BASIS = "basis_unknown"
    """On an unknown basis (not as carbon)."""
    NOT_DETECTABLE = "not_detectable"
    """Nothing may be found; without a detection limit no number can be held against that."""
    UNIT = "unit"
    """The limit's unit cannot be brought to that of the factor."""
    NO_TEMPERATURE = "no_temperature"
    """Which of two limits holds depends on the water temperature, and there is none."""


class Warmth(IntEnum):
    """The mean water temperature of the judged period."""

    UNKNOWN = 0
    WARM = 1
    """Over 12 °C."""
    COLD = 2


_WARMTH: Final = {Temperature.OVER_12: Warmth.WARM, Temperature.TO_12: Warmth.COLD}
_FINDS: Final[Mapping[Period, tuple[str, ...]]] = {
    Period.DAILY_MEAN: ("24h",),
    Period.HOUR_MEAN: ("1h",),
    Period.HIGHEST_BOUNDARY_POINT: ("1h",),
    Period.ANY_VALUE: ("1h_max",),
}
"""Windows whose values are what a limit is written for."""
_HINTS: Final[Mapping[Period, tuple[str, ...]]] = {
    Period.INSTANTANEOUS: ("1h", "2h", "4h"),
    Period.DAY_LEVEL: ("1h",),
    Period.NIGHT_LEVEL: ("1h",),
    Period.NIGHT_BURST: ("1h",),
}
_BY_NIGHT: Final[Mapping[Period, bool]] = {
    Period.DAY_LEVEL: False,
    Period.NIGHT_LEVEL: True,
    Period.NIGHT_BURST: True,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedLimit:
    """A limit as it is held against one value."""

    limit: Limit
    verdict: Verdict
    why: Why
    low: Fraction | None
    """In the canonical unit of the factor that is judged."""
    high: Fraction | None
    author: str = ""
    """Who decided, where somebody did."""


@dataclass(frozen=True, kw_only=True)
class LimitBook:
    """Everything that decides which limits are held against the values of one kind."""

    kind: str
    factors: Mapping[str, Factor]
    pack: LimitPack
    permits: Permits

    @cached_property
    def sets(self) -> tuple[LimitSet, ...]:
        """The standards that judge the kind."""
        return self.pack.of_kind(self.kind)

    @cached_property
    def methods(self) -> Mapping[str, tuple[str, ...]]:
        """Factor → the methods that some of its limits take; of none that is known here the tuple is empty."""
        factors = dict.fromkeys(factor for found in self.sets for factor in found.methods)
        return {
            factor: tuple(dict.fromkeys(name for found in self.sets for name in found.methods.get(factor, ())))
            for factor in factors
        }

    @cached_property
    def bases(self) -> Mapping[str, tuple[str, ...]]:
        """Factor → the bases on which its limits are written."""
        return {factor: names for found in self.sets for factor, names in found.bases.items()}

    @cached_property
    def proxies(self) -> Mapping[str, tuple[str, ...]]:
        """Factor of a limit → factors that may hint at it."""
        return {factor: names for found in self.sets for factor, names in found.proxies.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """What of a value's time decides between limits."""

    day: int
    """Beijing day."""
    warmth: Warmth = Warmth.UNKNOWN
    """By the mean water temperature of the judged period; unknown: limits that depend on it are shown only."""
    night: bool = False
    """Whether it was taken between 22:00 and 06:00 (noise)."""

    @classmethod
    def at(cls, ms: int, warmth: Warmth = Warmth.UNKNOWN) -> When:
        """Return this of the interval that starts at an instant."""
        return cls(day=day_of(ms), warmth=warmth, night=bool(is_night(np.asarray(hour_of(ms)))))


def is_night(hours: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which hour numbers lie between 22:00 and 06:00, Beijing time (GB 3096; the hours were not seen)."""
    of_day = (hours + BEIJING_OFFSET_H) % DAY_HOURS
    night: NDArray[np.bool_] = (of_day >= 22) | (of_day < 6)  # noqa: PLR2004  as the text has them
    return night


def limits_for(book: LimitBook, site: Site, factor: str, window: str, when: When) -> tuple[AppliedLimit, ...]:
    """Return every limit that is held against, or shown beside, one value; nothing is *unset*.

    Parameters
    ----------
    book
        Standards, permits and factors of the kind.
    site
        The registry entry in force.
    factor, window
        Of the value: ``COD`` and ``24h``; of a range (pH) ``24h_min`` and ``24h_max``.
    when
        The value's time, `When.at`.

    Returns
    -------
    tuple
        In the order of the standards, the permit's own last.
    """
    return limits_among(book, site, binding(book, site, when.day), (factor, window), when)


def limits_among(
    book: LimitBook, site: Site, limits: Iterable[Limit], pair: tuple[str, str], when: When
) -> tuple[AppliedLimit, ...]:
    """Return what `limits_for` does, of limits that are known to bind the site; ``pair`` is factor and window."""
    factor, window = pair
    return tuple(
        applied
        for limit in limits
        if _means(book, limit, factor) and _BY_NIGHT.get(limit.period, when.night) == when.night
        for worth in _worth(book, site, _Asked(factor=factor, window=window, day=when.day), limit)
        for applied in _applied(book, factor, limit, worth, when.warmth)
    )


def binding(book: LimitBook, site: Site, day: int) -> tuple[Limit, ...]:
    """Return the limits that bind a site on a day, whatever the factor: of standards, then the permit's own."""
    place = str(site.setting.get("layer", OUTLET))
    standards = tuple(
        limit
        for found in book.sets
        for entry in _entries(book, found, site, day)
        for limit in found.limits
        if limit.column == entry.column
        and limit.holds_on(day)
        and limit.takes(entry.built)
        and (not limit.trades or entry.trade in limit.trades)
        and (not limit.place or place in limit.place)
    )
    holders = book.permits.holders(site.id, site.areas)
    return (*standards, *(limit for holder in holders for limit in holder.limits if limit.holds_on(day)))


def _entries(book: LimitBook, found: LimitSet, site: Site, day: int) -> Iterator[Applied]:
    """Yield the entries by which a standard binds a site on a day: its setting's, or those of permits."""
    column = site.setting.get(found.column_setting) if found.column_setting else None
    if column is not None:
        yield Applied(
            standard=found.standard, column=found.column(str(column)), trade="", built=None, start_day=day, end_day=None
        )
        return
    for holder in book.permits.holders(site.id, site.areas):
        mine = [one for one in holder.applies if one.standard == found.standard and one.holds_on(day)]
        yield from mine
        if mine:
            return  # a site's own entry goes before its firm's, a firm's before its park's


def _means(book: LimitBook, limit: Limit, factor: str) -> bool:
    """Return whether a limit is written for a factor, or for one that the factor hints at."""
    return limit.factor == factor or factor in book.proxies.get(limit.factor, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    factor: str
    window: str
    day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Worth:
    verdict: Verdict
    why: Why
    author: str = ""


def _worth(book: LimitBook, site: Site, asked: _Asked, limit: Limit) -> Iterator[_Worth]:
    """Yield what a judgement by a limit is worth; nothing where the window is none of the limit's."""
    worth = _by_window(book, asked, limit)
    factor = asked.factor
    if worth is None:
        return
    if limit.not_detectable:
        yield _Worth(verdict=Verdict.SHOWN, why=Why.NOT_DETECTABLE)
    elif factor != limit.factor:
        yield _Worth(verdict=Verdict.HINT, why=Why.PROXY)
    elif factor in book.bases and site.setting.get("basis") not in book.bases[factor]:
        yield _Worth(verdict=Verdict.SHOWN, why=Why.BASIS)
    elif factor in book.methods and _method(site, factor) not in book.methods[factor]:
        yield _Worth(verdict=Verdict.HINT, why=Why.METHOD)
    else:
        yield worth


def _by_window(book: LimitBook, asked: _Asked, limit: Limit) -> _Worth | None:
    if asked.window in _windows(limit, _FINDS):
        return _Worth(verdict=Verdict.FINDING, why=Why.WRITTEN_FOR)
    if asked.window in _windows(limit, _HINTS):
        author = _decided(book, limit, asked.day)
        if author:
            return _Worth(verdict=Verdict.FINDING, why=Why.DECIDED, author=author)
        why = Why.AUTOMATIC if limit.period is Period.INSTANTANEOUS else Why.SHORTER
        return _Worth(verdict=Verdict.HINT, why=why)
    if asked.window in _ranged(limit, limit.hints):
        return _Worth(verdict=Verdict.HINT, why=Why.SHORTER)
    return None


def windows_of(limit: Limit) -> tuple[str, ...]:
    """Return every window that a limit judges, as a finding or as a hint."""
    return (*_windows(limit, _FINDS), *_windows(limit, _HINTS), *_ranged(limit, limit.hints))


def _windows(limit: Limit, table: Mapping[Period, tuple[str, ...]]) -> tuple[str, ...]:
    return _ranged(limit, table.get(limit.period, ()))


def _ranged(limit: Limit, windows: tuple[str, ...]) -> tuple[str, ...]:
    """Return the windows of a limit; a range (pH) is held against the least and the greatest of the window."""
    return windows if limit.low is None else tuple(f"{name}_{end}" for name in windows for end in ("min", "max"))


def _decided(book: LimitBook, limit: Limit, day: int) -> str:
    for decision in book.permits.decisions:
        if (decision.standard, decision.table) == (limit.standard, limit.table) and decision.holds_on(day):
            return decision.author
    return ""


def _method(site: Site, factor: str) -> str:
    methods = site.setting.get("method") or {}
    return str(methods.get(factor, ""))


def _applied(book: LimitBook, factor: str, limit: Limit, worth: _Worth, warmth: Warmth) -> Iterator[AppliedLimit]:
    verdict, why = worth.verdict, worth.why
    if limit.temperature is not Temperature.ANY:
        if warmth is Warmth.UNKNOWN:
            verdict, why = Verdict.SHOWN, Why.NO_TEMPERATURE
        elif _WARMTH[limit.temperature] is not warmth:
            return
    scale = book.factors[factor].units.get(limit.unit) if factor in book.factors else None
    if scale is None and not limit.not_detectable:
        verdict, why = Verdict.SHOWN, Why.UNIT
    scale = Fraction(1) if scale is None else scale
    yield AppliedLimit(
        limit=limit,
        verdict=verdict,
        why=why,
        low=None if limit.low is None else limit.low * scale,
        high=None if limit.high is None else limit.high * scale,
        author=worth.author,
    )
