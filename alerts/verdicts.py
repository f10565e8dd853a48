"""Verdicts: what each rule says of each result row, in columns; only what is not fine becomes a record.

A row without a value is *unknown*: neither over nor a clear (rulings, "Air": NA is a state). An hour in
which a device was over its range is over, to be verified, whatever its mean (rulings, "Flags"). A window
for which the edition gives no limit is not judged; a factor that is not in plan is owed by nobody and fine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alerts.bounds import Bound, level_bound, limit_bound
from alerts.columns import Columns
from alerts.periods import Cadence
from alerts.rules import Kind, Rule, Rules
from sensors.clock import BEIJING_OFFSET_H, DAY_HOURS, HOUR_MS, first_hour_of_day
from sensors.factors import load_factors
from sensors.flags import Mark
from sensors.registry import Registry
from streams.results import Reason, Window
from streams.standards import Standards

FIRST_8H_OF_DAY: Final = 7
"""Beijing hour in which the first 8 h mean of a day ends, the one labelled 08:00."""
DOUBT: Final = Mark.SUSPECT | Mark.UNFLAGGED
"""Marks of a window that make its alert 待核实."""


class Verdict(IntEnum):
    """What a rule says of one row or period; of several rows of a period the greater stands."""

    OK = 0
    UNKNOWN = 1
    """No value: keeps an open episode open and raises nothing."""
    OVER = 2


class Cause(StrEnum):
    """What made a row over."""

    NONE = ""
    VALUE = "value"
    """The value or level is over the bound."""
    OVER_RANGE = "over_range"
    """A device was over its range within the hour: the truth is at least the range."""
    SILENT = "silent"
    """The site owed the hour and sent nothing."""


class SeriesKey(NamedTuple):
    """One series of verdicts: one rule at one site for one factor."""

    rule: str
    site: str
    factor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The verdict on one result row, with all that "why" needs."""

    window: Window
    start: int
    """Milliseconds UTC of the row."""
    period: int
    """Number of the rule's period that it belongs to."""
    verdict: Verdict
    cause: Cause
    to_verify: bool
    """Whether it rests on doubtful or unflagged inputs."""
    revision: int
    at: int
    """The tick that made the row."""
    value: int | None
    digits: int
    bound: Bound | None
    """What it was held against; None for levels and for no data."""
    level: int | None
    edition: str
    """Index edition of the row."""
    valid: int
    expected: int
    reason: str
    detail: str
    flags: int
    inputs: str
    """Hash of what went in, 16 hexadecimal digits."""
    pack: str
    """Hash of the standards pack that judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What one batch says to one series: which rows, which verdicts."""

    key: SeriesKey
    rule: Rule
    columns: Columns
    rows: NDArray[np.int64]
    """Row numbers in the batch, ``(n,)``."""
    verdicts: NDArray[np.int8]
    """`Verdict` of each row, ``(n,)``."""
    bounds: tuple[Bound | None, ...]
    which_bound: NDArray[np.int64]
    """Place in ``bounds`` of each row, ``(n,)``."""
    early: bool
    """Whether the rows are parts of a period: they can make it over, but do not settle it."""

    @property
    def starts(self) -> NDArray[np.int64]:
        """Starts of the rows, milliseconds UTC, ``(n,)``."""
        return self.columns.start[self.rows]

    def point(self, index: int) -> Point:
        """Return one row as a record."""
        columns, row = self.columns, int(self.rows[index])
        verdict, start, flags = Verdict(int(self.verdicts[index])), int(columns.start[row]), int(columns.flags[row])
        bound = self.bounds[int(self.which_bound[index])]
        cause = _cause(self.rule, columns, row, bound) if verdict is Verdict.OVER else Cause.NONE
        return Point(
            window=Window(columns.windows[columns.window[row]]),
            start=start,
            period=Cadence.of(self.rule.window).number(start),
            verdict=verdict,
            cause=cause,
            to_verify=bool(flags & DOUBT) or cause is Cause.OVER_RANGE,
            revision=int(columns.revision[row]),
            at=int(columns.at[row]),
            value=int(columns.value[row]) if columns.has_value[row] else None,
            digits=int(columns.digits[row]),
            bound=bound,
            level=int(columns.level[row]) if columns.level[row] > 0 else None,
            edition=columns.editions[columns.edition[row]],
            valid=int(columns.valid[row]),
            expected=int(columns.expected[row]),
            reason=columns.reasons[columns.reason[row]],
            detail=columns.detail(row),
            flags=flags,
            inputs=f"{int(columns.inputs[row]):016x}",
            pack=columns.pack,
        )


def _cause(rule: Rule, columns: Columns, row: int, bound: Bound | None) -> Cause:
    if rule.kind is Kind.NO_DATA:
        return Cause.SILENT
    if bound is None:
        return Cause.VALUE
    over = columns.has_value[row] and int(columns.value[row]) > bound.at_digits(int(columns.digits[row]))
    return Cause.VALUE if over else Cause.OVER_RANGE


class Judge:
    """Rules, registry and standards together: result rows in, verdicts out."""

    def __init__(self, rules: Rules, registry: Registry, standards: Standards) -> None:
        self._rules, self._standards = rules, standards
        self._factors = load_factors("air")
        self._sites: dict[str, list[tuple[int, int | None, int]]] = {}
        for site in registry.sites:
            self._sites.setdefault(site.id, []).append((site.start, site.end, site.zone))
        self._limit: dict[tuple[str, Window, int, int], Bound | None] = {}

    def judge(self, columns: Columns) -> Iterator[Judged]:
        """Return the verdicts on a batch, series by series, in the rules' order and then by site.

        Rows of an edition that is not in force at the time of the data are left out, and windows that are
        only for comparison; rows of a site that the registry does not hold meet no limit.
        """
        in_force = self._in_force(columns)
        for rule in self._rules.rules:
            holds = in_force & (columns.start >= rule.start)
            if rule.end is not None:
                holds &= columns.start < rule.end
            if rule.sites:
                holds &= np.isin(columns.sites, list(rule.sites))[columns.site]
            for factor in rule.factors:
                yield from self._of_window(rule, factor, columns, holds, rule.window)
                if rule.kind is Kind.LIMIT and rule.window is Window.MDA8:
                    yield from self._of_window(rule, factor, columns, holds, Window.O3_8H)

    def _of_window(
        self, rule: Rule, factor: str, columns: Columns, holds: NDArray[np.bool_], window: Window
    ) -> Iterator[Judged]:
        rows = np.flatnonzero(holds & columns.of(factor, window))
        early = window is not rule.window
        if early:
            hour = (columns.start[rows] // HOUR_MS + BEIJING_OFFSET_H) % DAY_HOURS
            rows = rows[hour >= FIRST_8H_OF_DAY]
        bounds, which = self._bounds(rule, factor, columns, rows)
        if rule.kind in {Kind.LIMIT, Kind.THRESHOLD}:
            bounded = np.array([bound is not None for bound in bounds], dtype=np.bool_)[which]
            rows, which = rows[bounded], which[bounded]
        if not len(rows):
            return
        order = np.argsort(columns.site[rows], kind="stable")
        rows, which = rows[order], which[order]
        verdicts = _verdicts(rule, columns, rows, bounds, which)
        site = columns.site[rows]
        cuts = np.flatnonzero(np.diff(site)) + 1
        for part in np.split(np.arange(len(rows)), cuts):
            yield Judged(
                key=SeriesKey(rule.id, columns.sites[site[part[0]]], factor),
                rule=rule,
                columns=columns,
                rows=rows[part],
                verdicts=verdicts[part],
                bounds=bounds,
                which_bound=which[part],
                early=early,
            )

    def _in_force(self, columns: Columns) -> NDArray[np.bool_]:
        """Return which rows are of the index edition of their day; before the first edition all are."""
        mine = np.ones(len(columns.start), dtype=np.bool_)
        for edition, days in self._standards.index_groups(columns.day):
            mine[days] = columns.edition[days] == columns.edition_code(edition.name)
        return mine

    def _bounds(
        self, rule: Rule, factor: str, columns: Columns, rows: NDArray[np.int64]
    ) -> tuple[tuple[Bound | None, ...], NDArray[np.int64]]:
        """Return the different bounds of the rows and which of them each row has."""
        if rule.kind is Kind.LEVEL:
            levels = tuple(self._level(name, rule.level) for name in columns.editions)
            return levels, columns.edition[rows].astype(np.int64)
        if rule.kind is not Kind.LIMIT or not len(rows):
            bound = self._threshold(rule, factor) if rule.kind is Kind.THRESHOLD else None
            return (bound,), np.zeros(len(rows), dtype=np.int64)
        first = int(columns.day[rows].min())
        span = int(columns.day[rows].max()) - first + 1
        combined = columns.site[rows].astype(np.int64) * span + (columns.day[rows] - first)
        different, which = np.unique(combined, return_inverse=True)
        found = [
            self._limit_at(factor, rule.window, columns.sites[code // span], int(code % span) + first)
            for code in different.tolist()
        ]
        return tuple(found), which.astype(np.int64)

    def _limit_at(self, factor: str, window: Window, site: str, day: int) -> Bound | None:
        start = first_hour_of_day(day) * HOUR_MS
        zone = next((z for lo, hi, z in self._sites.get(site, ()) if lo <= start and (hi is None or start < hi)), None)
        if zone is None:
            return None
        key = (factor, window, zone, day)
        if key not in self._limit:
            limit = self._standards.limit(factor, window, zone, day)
            self._limit[key] = None if limit is None else limit_bound(limit)
        return self._limit[key]

    def _level(self, edition: str, level: int | None) -> Bound | None:
        known = next((one for one in self._standards.index_editions if one.name == edition), None)
        return None if known is None or level is None else level_bound(known, level)

    def _threshold(self, rule: Rule, factor: str) -> Bound | None:
        if rule.threshold is None:
            return None
        digits = self._factors[factor].digits
        scaled = rule.threshold * 10**digits
        digits, scaled = (digits, scaled) if scaled.denominator == 1 else (digits + 6, scaled * 10**6)
        return Bound(
            value=round(scaled), digits=digits, standard="", table="", clause=rule.why, edition="", author=rule.author
        )


def _verdicts(
    rule: Rule, columns: Columns, rows: NDArray[np.int64], bounds: tuple[Bound | None, ...], which: NDArray[np.int64]
) -> NDArray[np.int8]:
    reason = columns.reason[rows]
    if rule.kind is Kind.NO_DATA:
        over = reason == columns.reason_code(Reason.SILENT)
        return np.where(over, np.int8(Verdict.OVER), np.int8(Verdict.OK))
    known = columns.has_value[rows]
    if rule.kind is Kind.LEVEL:
        known = known & (columns.level[rows] > 0)
        over = known & (columns.level[rows] >= (rule.level or 0))
    else:
        over = known & _over(columns, rows, bounds, which)
        if rule.window is Window.HOUR:
            over |= (columns.flags[rows] & int(Mark.OVER_RANGE)) != 0
    owed = reason != columns.reason_code(Reason.NOT_IN_PLAN)
    verdicts = np.where(known | ~owed, np.int8(Verdict.OK), np.int8(Verdict.UNKNOWN))
    return np.where(over, np.int8(Verdict.OVER), verdicts)


def _over(
    columns: Columns, rows: NDArray[np.int64], bounds: tuple[Bound | None, ...], which: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return which values are over: an integer is over a fraction when it is over the fraction's floor."""
    digits = columns.digits[rows]
    over = np.zeros(len(rows), dtype=np.bool_)
    value = columns.value[rows]
    for places in np.unique(digits).tolist():
        floors = [0 if bound is None else int(bound.at_digits(places) // 1) for bound in bounds]
        here = digits == places
        over[here] = value[here] > np.array(floors, dtype=np.int64)[which[here]]
    return over
