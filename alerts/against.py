"""What the rows of a message are held against: the bound of each rule by site, day and zone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from alerts.bounds import Bound, level_bound, limit_bound
from alerts.columns import Columns
from alerts.modes import NO_MODES, Mode, Modes, Side
from alerts.rules import Kind, Rule
from sensors.clock import HOUR_MS, first_hour_of_day
from sensors.factors import Factor
from sensors.registry import Registry, Site
from streams.discharge.applied import Verdict as Worth
from streams.discharge.applied import is_night
from streams.discharge.judgement import Level, read_detail
from streams.discharge.quotas import Outlook
from streams.standards import Standards

TARGETS: Final[Mapping[str, int]] = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5}
"""Rank of a target class; a class row's level is of the same count, 6 for worse than V."""
_FINER: Final = 6
_LATE: Final = re.compile(r"\blate ([0-9]{1,9})\b")
_KG_DIGITS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """The registry's entries that the rows of a message are of."""

    sites: tuple[Site | None, ...]
    """Each different one; None for what the registry does not hold at that time."""
    days: tuple[int, ...]
    """Beijing day of each."""
    which: NDArray[np.int64]
    """Place of each row's, ``(n,)``."""

    def where(self, holds: Callable[[Site | None], bool]) -> NDArray[np.bool_]:
        """Return which rows have an entry of which something holds."""
        return np.array([holds(one) for one in self.sites], dtype=np.bool_)[self.which]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The different bounds of some rows, and which of them each row has."""

    bounds: tuple[Bound | None, ...]
    which: NDArray[np.int64]
    """Place in ``bounds``, ``(n,)``."""

    def part(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Held:
        """Return the bounds of some of the rows."""
        return Held(bounds=self.bounds, which=self.which[chosen])


class Against:
    """Registry and standards together: gives every row of a rule its bound."""

    def __init__(self, registry: Registry, standards: Standards, modes: Modes = NO_MODES) -> None:
        self._standards, self._modes = standards, modes
        self._entries: dict[str, list[Site]] = {}
        for site in registry.sites:
            self._entries.setdefault(site.id, []).append(site)
        self._limits: dict[tuple[str, str, int, int], Bound | None] = {}

    def entries(self, columns: Columns) -> Entries:
        """Return the registry's entries of all rows of a message."""
        if not len(columns.start):
            return Entries(sites=(), days=(), which=np.zeros(0, dtype=np.int64))
        first = int(columns.day.min())
        span = int(columns.day.max()) - first + 1
        codes = columns.site.astype(np.int64) * span + (columns.day - first)
        different, which = np.unique(codes, return_inverse=True)
        places = [(columns.sites[code // span], code % span + first) for code in different.tolist()]
        return Entries(
            sites=tuple(self._entry(site, day) for site, day in places),
            days=tuple(day for _, day in places),
            which=which.astype(np.int64),
        )

    def _entry(self, site: str, day: int) -> Site | None:
        start = first_hour_of_day(day) * HOUR_MS
        return next((entry for entry in self._entries.get(site, ()) if entry.holds_at(start)), None)

    def bounds(
        self, rule: Rule, factor: Factor | None, columns: Columns, rows: NDArray[np.int64], entries: Entries
    ) -> Held:
        """Return the bounds of the rows of one rule; None where a row is held against nothing."""
        match rule.kind:
            case Kind.LEVEL:
                levels = tuple(self._level(name, rule.level) for name in columns.editions)
                return Held(bounds=levels, which=columns.edition[rows].astype(np.int64))
            case Kind.LIMIT | Kind.CLASS:
                return self._by_entry(rule, factor, rows, entries)
            case Kind.MINIMUM | Kind.THRESHOLD | Kind.PROJECTION:
                return self._by_mode(rule, factor, columns, rows, entries)
            case Kind.ZONE:
                return self._by_zone(rule, factor, columns, rows, entries)
            case Kind.FINDING:
                return _findings(factor, columns, rows)
        return Held(bounds=(None,), which=np.zeros(len(rows), dtype=np.int64))

    def clear_bounds(self, rule: Rule, held: Held) -> Held:
        """Return from where on the rows are fine again: their bounds, by the rule's share or at its value."""
        return Held(bounds=tuple(None if one is None else _cleared(rule, one) for one in held.bounds), which=held.which)

    def _by_entry(self, rule: Rule, factor: Factor | None, rows: NDArray[np.int64], entries: Entries) -> Held:
        different, which = np.unique(entries.which[rows], return_inverse=True)
        found = [self._of(rule, factor, entries.sites[place], entries.days[place]) for place in different.tolist()]
        return Held(bounds=(*found, None), which=which.astype(np.int64))

    def _by_mode(
        self, rule: Rule, factor: Factor | None, columns: Columns, rows: NDArray[np.int64], entries: Entries
    ) -> Held:
        """Return thresholds and minimums, which modes tighten: from their first moment to their last."""
        if not len(rows) or not self._modes.modes:
            return self._by_entry(rule, factor, rows, entries)
        start = columns.start[rows]
        changes = self._modes.changes(int(start.min()), int(start.max()) + 1)
        part = np.searchsorted(np.asarray(changes, dtype=np.int64), start, side="right")
        codes = entries.which[rows] * (len(changes) + 1) + part
        different, which = np.unique(codes, return_inverse=True)
        first = (int(start.min()), *changes)
        found = []
        for code in different.tolist():
            place, time = divmod(code, len(changes) + 1)
            site = entries.sites[place]
            usual = self._of(rule, factor, site, entries.days[place])
            found.append(self._tightened(rule, factor, usual, site, first[time]))
        return Held(bounds=(*found, None), which=which.astype(np.int64))

    def _tightened(
        self, rule: Rule, factor: Factor | None, usual: Bound | None, site: Site | None, at_ms: int
    ) -> Bound | None:
        if usual is None or factor is None or site is None or (rule.kind is Kind.PROJECTION and rule.threshold is None):
            return usual
        side = Side.BELOW if usual.below else Side.ABOVE
        before = Fraction(usual.value, 10**usual.digits)
        given, mode = self._modes.threshold(rule.id, before, factor.units, site.areas, at_ms, side=side)
        return usual if mode is None else _of_mode(usual, given, mode, factor)

    def _of(self, rule: Rule, factor: Factor | None, site: Site | None, day: int) -> Bound | None:
        if rule.threshold is not None:
            return _threshold(rule, factor)
        if site is None:
            return None
        if rule.kind is Kind.CLASS:
            return _class_bound(rule, site)
        if rule.kind is Kind.MINIMUM:
            return _minimum(rule, factor, site)
        window = rule.window if rule.look is None else rule.look.projects
        return None if factor is None or not site.zone else self._limit(factor.symbol, window, site.zone, day)

    def _limit(self, factor: str, window: str, zone: int, day: int) -> Bound | None:
        key = (factor, window, zone, day)
        if key not in self._limits:
            limit = self._standards.limit(factor, window, zone, day)
            self._limits[key] = None if limit is None else limit_bound(limit)
        return self._limits[key]

    def _level(self, edition: str, level: int | None) -> Bound | None:
        known = next((one for one in self._standards.index_editions if one.name == edition), None)
        return None if known is None or level is None else level_bound(known, level)

    @staticmethod
    def _by_zone(
        rule: Rule, factor: Factor | None, columns: Columns, rows: NDArray[np.int64], entries: Entries
    ) -> Held:
        night = is_night(columns.start[rows] // HOUR_MS)
        different, which = np.unique(entries.which[rows] * 2 + night, return_inverse=True)
        found = [_zone(rule, factor, entries.sites[code // 2], night=bool(code % 2)) for code in different.tolist()]
        return Held(bounds=(*found, None), which=which.astype(np.int64))


def _findings(factor: Factor | None, columns: Columns, rows: NDArray[np.int64]) -> Held:
    """Return the limits that decided judgements: of rows that are over or near one, from their details."""
    which = np.zeros(len(rows), dtype=np.int64)
    bounds: list[Bound | None] = [None]
    known: dict[str, int] = {}
    for place in np.flatnonzero(columns.level[rows] >= Level.WARNING_80).tolist():
        row = int(rows[place])
        value = Fraction(int(columns.value[row]), 10 ** int(columns.digits[row]))
        detail = columns.detail(row)
        if detail not in known:
            known[detail] = len(bounds)
            bounds.append(_deciding(factor, detail, value))
        which[place] = known[detail]
    return Held(bounds=tuple(bounds), which=which)


def _deciding(factor: Factor | None, detail: str, value: Fraction) -> Bound | None:
    if not detail.startswith(("[", "{")):  # an outcome, not a limit
        return None
    said = read_detail(detail)
    if said.decides is None:
        return None
    limit = said.limits[said.decides]
    scale = Fraction(1) if factor is None else factor.units.get(limit.unit, Fraction(1))
    low, high = (None if text is None else Fraction(text) * scale for text in (limit.low, limit.high))
    below = low is not None and value < low
    given = low if below or high is None else high
    if given is None:
        return None
    number, digits = _fixed(given, 0 if factor is None else factor.digits)
    return Bound(
        value=number, digits=digits, standard=limit.standard, table=limit.table, clause=limit.column,
        edition="", author=limit.author, ranged=low is not None, below=below,
        why=limit.why.value if limit.verdict is Worth.HINT else "",
    )  # fmt: skip


def used_of(detail: str) -> tuple[int, int]:
    """Return what is used of a quota and the quota, in grams, of the detail of its row."""
    told = msgspec.json.decode(detail, type=_QuotaSaid)
    return told.used_g, told.quota_g


def outlook_of(detail: str) -> Outlook:
    """Return what is projected of a quota, of the detail of its row."""
    return Outlook(msgspec.json.decode(detail, type=_OutlookSaid).outlook)


def late_of(detail: str) -> int:
    """Return how many packets were late, of the detail of a row of packets."""
    found = _LATE.search(detail)
    return 0 if found is None else int(found[1])


class _OutlookSaid(msgspec.Struct, frozen=True, kw_only=True):
    outlook: str


class _QuotaSaid(msgspec.Struct, frozen=True, kw_only=True):
    used_g: int
    quota_g: int


def has_used(used: int, quota: int, share: Fraction) -> bool:
    """Return whether so much of a quota is used: all of it is within; a part of it warns once something is used."""
    return used > quota if share == 1 else 0 < used >= share * quota


def quota_bound(quota_g: int, share: Fraction) -> Bound:
    """Return a share of a quota as a bound of what is left: the row's value, in kg."""
    left = quota_g - share * quota_g
    number, digits = _fixed(left / 1000, _KG_DIGITS)
    return Bound(
        value=number, digits=digits, standard="", table="", clause=f"{float(share * 100):g} %",
        edition="", below=True, ranged=True,
    )  # fmt: skip


def _class_bound(rule: Rule, site: Site) -> Bound | None:
    rank = (rule.level or 0) - 1 if not rule.setting else TARGETS.get(str(site.setting.get(rule.setting)))
    if rank is None:
        return None
    return Bound(value=rank, digits=0, standard="GB 3838-2002", table="1", clause="", edition="")


def _minimum(rule: Rule, factor: Factor | None, site: Site) -> Bound | None:
    given = site.setting.get(rule.setting)
    if given is None or factor is None:
        return None
    value, digits = _fixed(Fraction(str(given)), factor.digits)
    return Bound(value=value, digits=digits, standard="", table="", clause="", edition="", below=True)


def _zone(rule: Rule, factor: Factor | None, site: Site | None, *, night: bool) -> Bound | None:
    zones = rule.zones
    if site is None or zones is None or factor is None:
        return None
    given = (zones.night if night else zones.day).get(str(site.setting.get(zones.setting)))
    if given is None:
        return None
    value, digits = _fixed(given, factor.digits)
    return Bound(
        value=value, digits=digits, standard=zones.standard, table=zones.table, clause=zones.clause, edition=""
    )


def _threshold(rule: Rule, factor: Factor | None) -> Bound | None:
    if rule.threshold is None or factor is None:
        return None
    value, digits = _fixed(rule.threshold, factor.digits)
    return Bound(
        value=value, digits=digits, standard="", table="", clause=rule.why, edition="", author=rule.author,
        author_en=rule.author_en, clause_en=rule.why_en,
    )  # fmt: skip


def _of_mode(usual: Bound, given: Fraction, mode: Mode, factor: Factor) -> Bound:
    value, digits = _fixed(given, factor.digits)
    return replace(
        usual, value=value, digits=digits, author=mode.author, author_en="", clause=f"{mode.name_zh}：{mode.why}",
        clause_en=mode.name_en,
    )  # fmt: skip


def _cleared(rule: Rule, bound: Bound) -> Bound:
    clear = rule.clear
    if clear is None:
        return bound
    back = clear.value if clear.value is not None else (clear.share or 1) * Fraction(bound.value, 10**bound.digits)
    value, digits = _fixed(back, bound.digits)
    return replace(bound, value=value, digits=digits)


def _fixed(number: Fraction, digits: int) -> tuple[int, int]:
    """Return a number as an integer and its digits, finer than the factor's own where it must be."""
    scaled = number * 10**digits
    return (int(scaled), digits) if scaled.denominator == 1 else (round(scaled * 10**_FINER), digits + _FINER)
