"""Verdicts: what each rule says of each result row, in columns; only what is not fine becomes a record.

A row without a value is *unknown*: neither over nor a clear (rulings, "Air": NA is a state). An hour in
which a device was over its range is over, to be verified, whatever its mean (rulings, "Flags"). A window
for which the edition gives no limit is not judged; a factor that is not in plan is owed by nobody and fine.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from fractions import Fraction
from operator import attrgetter
from typing import Final, NamedTuple

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from alerts.against import Against, Entries, Held, has_used, late_of, outlook_of, quota_bound, used_of
from alerts.bounds import Bound
from alerts.columns import NO_LEVEL, Columns
from alerts.derived import derived_factors
from alerts.meaning import in_time, meant_for
from alerts.modes import NO_MODES, Modes
from alerts.rules import ANY_FACTOR, Kind, NetworkOf, Reach, Rule, Rules
from sensors.clock import BEIJING_OFFSET_H, DAY_HOURS, HOUR_MS
from sensors.flags import Mark
from sensors.kinds import load_kind
from sensors.registry import Registry
from streams.discharge.judgement import Level
from streams.discharge.limiting import SUFFIX
from streams.discharge.periods import EXHAUSTION, QUOTA
from streams.discharge.quotas import Outlook
from streams.results import PACKETS, Reason, Window
from streams.standards import Standards

FIRST_8H_OF_DAY: Final = 7
"""Beijing hour in which the first 8 h mean of a day ends, the one labelled 08:00."""
DOUBT: Final = Mark.SUSPECT | Mark.UNFLAGGED
"""Marks of a window that make its alert 待核实."""


_BY_LEVEL: Final = frozenset({Kind.LEVEL, Kind.CLASS})
_WITH_LEVEL: Final = _BY_LEVEL | {Kind.CHANGE}
_BOUNDED: Final = frozenset({Kind.LIMIT, Kind.THRESHOLD, Kind.CLASS, Kind.MINIMUM, Kind.ZONE, Kind.PROJECTION})
"""Kinds of rules that judge nothing where they have no bound."""
_AIR: Final = "air"
_OPEN_PERIODS: Final = frozenset({Kind.QUOTA, Kind.EXHAUSTION})
"""Kinds of rules that look at a year that is not over, and at areas too."""
_ENDLESS: Final = 10**6
_SHARE_80: Final = Fraction(80, 100)


class Verdict(IntEnum):
    """What a rule says of one row or period; of several rows of a period the greater stands."""

    OK = 0
    UNKNOWN = 1
    """No value: keeps an open episode open and raises nothing."""
    OVER = 2
    BETWEEN = 3
    """Not over, and not back below the point at which the rule clears: neither raises nor clears."""
    KEPT = 4
    """A value that is judged with its neighbours (`alerts.looks`), not by itself."""


class Cause(StrEnum):
    """What made a row over."""

    NONE = ""
    VALUE = "value"
    """The value or level is over the bound."""
    OVER_RANGE = "over_range"
    """A device was over its range within the hour: the truth is at least the range."""
    SILENT = "silent"
    """The site owed the hour and sent nothing."""
    SUSPECT = "suspect"
    """An automatic test holds it suspect, or it was impossible: the data are doubted, and nothing else is said."""
    LATE = "late"
    """Packets came later than they may."""
    CHANGED = "changed"
    """It is that much worse, or that far away, than what it is held against: the value before."""
    PROJECTED = "projected"
    """预测: it will be over if the last hours go on; never measured."""
    CERTAIN = "certain"
    """预测: it will be over whatever the rest of the day brings."""


class SeriesKey(NamedTuple):
    """One series of verdicts: one rule at one site for one factor."""

    rule: str
    site: str
    factor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The verdict on one result row, with all that "why" needs."""

    window: str
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
    network: str = "air"
    """The kind of readings."""
    primary: str = ""
    """What decides it: primary pollutants, or the deciding items of a class."""
    hint: bool = False
    """提示: the window is not the one for which the limit is written."""


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

    def as_fine(self) -> Judged:
        """Return the same rows as fine ones."""
        return replace(self, verdicts=np.full_like(self.verdicts, int(Verdict.OK)))

    def point(self, index: int) -> Point:
        """Return one row as a record."""
        columns, row = self.columns, int(self.rows[index])
        verdict, start, flags = Verdict(int(self.verdicts[index])), int(columns.start[row]), int(columns.flags[row])
        bound = self.bounds[int(self.which_bound[index])]
        cause = _cause(self.rule, columns, row, bound) if verdict is Verdict.OVER else Cause.NONE
        return Point(
            window=columns.windows[columns.window[row]],
            start=start,
            period=self.rule.cadence.number(start),
            verdict=verdict,
            cause=cause,
            to_verify=bool(flags & DOUBT) or cause is Cause.OVER_RANGE,
            revision=int(columns.revision[row]),
            at=int(columns.at[row]),
            value=int(columns.value[row]) if columns.has_value[row] else None,
            digits=int(columns.digits[row]),
            bound=bound,
            level=int(columns.level[row]) if columns.level[row] > 0 and self.rule.kind in _WITH_LEVEL else None,
            edition=columns.editions[columns.edition[row]],
            valid=int(columns.valid[row]),
            expected=int(columns.expected[row]),
            reason=columns.reasons[columns.reason[row]],
            detail=columns.detail(row),
            flags=flags,
            inputs=f"{int(columns.inputs[row]):016x}",
            pack=columns.pack,
            network=columns.network,
            primary=columns.primary(row),
            hint=_is_hint(self.rule, columns, row),
        )


def _is_hint(rule: Rule, columns: Columns, row: int) -> bool:
    if rule.kind is Kind.FINDING:
        return int(columns.level[row]) == Level.HINT
    return rule.zones is not None and rule.zones.hint


_ALWAYS: Final[Mapping[Kind, Cause]] = {
    Kind.NO_DATA: Cause.SILENT, Kind.LATE: Cause.LATE, Kind.EXHAUSTION: Cause.PROJECTED, Kind.QUOTA: Cause.VALUE,
    Kind.DATA_QUALITY: Cause.SUSPECT,
}  # fmt: skip
"""Kinds of rules of which a row is over for one cause alone."""


def _cause(rule: Rule, columns: Columns, row: int, bound: Bound | None) -> Cause:
    if rule.kind in _ALWAYS:
        return _ALWAYS[rule.kind]
    if rule.kind is Kind.FINDING:
        return Cause.VALUE if int(columns.level[row]) >= Level.WARNING_80 else Cause.OVER_RANGE
    if bound is None:
        return Cause.VALUE
    if rule.kind is Kind.CLASS:
        return Cause.VALUE if int(columns.level[row]) > bound.value else Cause.OVER_RANGE
    value, against = int(columns.value[row]), bound.at_digits(int(columns.digits[row]))
    over = columns.has_value[row] and (value < against if bound.below else value > against)
    return Cause.VALUE if over else Cause.OVER_RANGE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One rule and the rows of a message that it is meant for."""

    rule: Rule
    columns: Columns
    holds: NDArray[np.bool_]
    entries: Entries


class Judge:
    """Rules, registry and standards together: result rows in, verdicts out."""

    def __init__(
        self,
        rules: Rules,
        registry: Registry,
        standards: Standards,
        network_of: NetworkOf = load_kind,
        modes: Modes = NO_MODES,
    ) -> None:
        self._standards, self._modes = standards, modes
        self._against = Against(registry, standards, modes)
        self._rules: dict[str, list[Rule]] = {}
        for rule in rules.rules:
            self._rules.setdefault(rule.network, []).append(rule)
        kinds = {name: network_of(name) for name in self._rules}
        self._measured = {name: list(kind.factors) for name, kind in kinds.items()}
        self._factors = {name: dict(kind.factors) | dict(derived_factors(kind)) for name, kind in kinds.items()}
        self._areas = sorted(area.id for area in registry.areas)
        versions = {rule.id: rules.versions(rule.id) for rule in rules.rules if _ends(rule)}
        self._ending = {name: sorted(held, key=attrgetter("start")) for name, held in versions.items()}

    def judge(self, columns: Columns) -> Iterator[Judged]:
        """Return the verdicts on a batch, series by series, in the rules' order and then by site.

        Left out are rows of an edition that is not in force at the time of the data, windows that are only
        for comparison, rows of areas, and periods that are not over; rows of a site that the registry does
        not hold meet no limit.
        """
        rules = self._rules.get(columns.network, ())
        if not rules:
            return
        every = self._in_force(columns)
        rows = every & ((columns.flags & int(Mark.OPEN)) == 0)
        if self._areas:
            rows &= ~np.isin(columns.sites, self._areas)[columns.site]
        entries = self._against.entries(columns)
        for rule in rules:
            meant = (every if rule.kind in _OPEN_PERIODS else rows) & meant_for(rule, columns, entries)
            if not meant.any():
                continue
            holds = meant & in_time(rule, columns, entries, self._modes)
            yield from self._of_rule(_Look(rule=rule, columns=columns, holds=holds, entries=entries))
            over = self._after(rule, meant, columns, entries)
            if over is not None:
                look = _Look(rule=rule, columns=columns, holds=over, entries=entries)
                yield from (part.as_fine() for part in self._of_rule(look))

    def _after(
        self, rule: Rule, meant: NDArray[np.bool_], columns: Columns, entries: Entries
    ) -> NDArray[np.bool_] | None:
        """Return the rows that a version of a rule was meant for, and which no version judges any more.

        They are fine for it, so that what is open when a mode, a season or a rule ends is cleared; likewise at sites
        that a later version leaves out. Of versions that end the latest that had begun speaks.
        """
        versions = self._ending.get(rule.id)
        if versions is None:
            return None
        out = meant & (columns.start >= rule.start)
        for version in versions:
            theirs = meant_for(version, columns, entries) & _looks_at(version, columns)
            out &= ~(theirs & in_time(version, columns, entries, self._modes))
            if version.start > rule.start:
                out &= ~(theirs & (columns.start >= version.start))
        return out if out.any() else None

    def _of_rule(self, look: _Look) -> Iterator[Judged]:
        rule = look.rule
        if not look.holds.any():
            return
        match rule.kind:
            case Kind.QUOTA:
                yield from _of_quotas(look)
            case Kind.EXHAUSTION:
                yield from _of_exhaustions(look)
            case Kind.LATE:
                yield from _of_packets(look)
            case Kind.FINDING:
                yield from self._of_findings(look)
            case _:
                yield from self._of_factors(look)

    def _of_factors(self, look: _Look) -> Iterator[Judged]:
        rule = look.rule
        for factor in rule.factors:
            if factor == ANY_FACTOR:
                yield from self._of_sites(look)
                continue
            if factor not in look.columns.factors:  # of most of what a kind can measure a message says nothing
                continue
            yield from self._of_window(look, factor, rule.window)
            if rule.kind is Kind.LIMIT and rule.window == Window.MDA8:
                yield from self._of_window(look, factor, Window.O3_8H)

    def _of_window(self, look: _Look, factor: str, window: str) -> Iterator[Judged]:
        rule, columns = look.rule, look.columns
        rows = np.flatnonzero(look.holds & columns.of(factor, window))
        early = window != rule.window
        if early:
            hour = (columns.start[rows] // HOUR_MS + BEIJING_OFFSET_H) % DAY_HOURS
            rows = rows[hour >= FIRST_8H_OF_DAY]
        held = self._against.bounds(rule, self._factors[rule.network].get(factor), columns, rows, look.entries)
        if rule.kind in _BOUNDED:
            bounded = np.array([bound is not None for bound in held.bounds], dtype=np.bool_)[held.which]
            rows, held = rows[bounded], held.part(bounded)
        if not len(rows):
            return
        order = np.argsort(columns.site[rows], kind="stable")
        rows, held = rows[order], held.part(order)
        said = _Said(rule=rule, factor=factor, rows=rows, held=held, early=early)
        yield from _by_site(columns, said, self._verdicts(rule, columns, rows, held))

    def _of_findings(self, look: _Look) -> Iterator[Judged]:
        """Yield the judgements of discharge, factor by factor; a row that was held against nothing says nothing."""
        rule, columns = look.rule, look.columns
        seen = look.holds & np.isin(columns.windows, list(rule.windows))[columns.window]
        seen &= columns.reason != columns.reason_code(Reason.NOT_IN_PLAN)
        seen &= (
            (columns.level != NO_LEVEL)
            | ~columns.has_value
            | (columns.reason == columns.reason_code(Reason.NOT_JUDGED))
        )
        held_against = np.asarray(pc.not_equal(columns.details, "").to_numpy(zero_copy_only=False), dtype=np.bool_)
        for name in columns.factors:
            if not (name in rule.factors if rule.factors else name.endswith(SUFFIX)):
                continue
            mine = seen & (columns.factor == columns.factors.index(name))
            if name.endswith(SUFFIX):  # a limit was held against it, or shown
                mine &= held_against
            rows = np.flatnonzero(mine)
            if not len(rows):
                continue
            rows = rows[np.argsort(columns.site[rows], kind="stable")]
            factor = name.removesuffix(SUFFIX)
            held = self._against.bounds(rule, self._factors[rule.network].get(factor), columns, rows, look.entries)
            said = _Said(rule=rule, factor=factor, rows=rows, held=held, early=False)
            yield from _by_site(columns, said, self._verdicts(rule, columns, rows, held))

    def _of_sites(self, look: _Look) -> Iterator[Judged]:
        """Yield one verdict for each site and slot: no data when every factor of the plan is silent."""
        rule, columns = look.rule, look.columns
        measured = np.isin(columns.factors, self._measured[rule.network])[columns.factor]
        owed = columns.reason != columns.reason_code(Reason.NOT_IN_PLAN)
        slot = columns.window == columns.window_code(rule.window)
        rows = np.flatnonzero(look.holds & measured & owed & slot)
        silent = columns.reason[rows] == columns.reason_code(Reason.SILENT)
        order = np.lexsort((silent, columns.start[rows], columns.site[rows]))
        rows, silent = rows[order], silent[order]
        first = np.ones(len(rows), dtype=np.bool_)
        first[1:] = (np.diff(columns.site[rows]) != 0) | (np.diff(columns.start[rows]) != 0)
        rows, silent = rows[first], silent[first]
        if len(rows):
            nothing = Held(bounds=(None,), which=np.zeros(len(rows), dtype=np.int64))
            said = _Said(rule=rule, factor=ANY_FACTOR, rows=rows, held=nothing, early=False)
            yield from _by_site(columns, said, np.where(silent, np.int8(Verdict.OVER), np.int8(Verdict.OK)))

    def _verdicts(self, rule: Rule, columns: Columns, rows: NDArray[np.int64], held: Held) -> NDArray[np.int8]:
        reason = columns.reason[rows]
        if rule.kind is Kind.NO_DATA:
            over = reason == columns.reason_code(Reason.SILENT)
            return np.where(over, np.int8(Verdict.OVER), np.int8(Verdict.OK))
        if rule.kind is Kind.DATA_QUALITY:
            return _doubted(columns, rows)
        known = columns.has_value[rows]
        between = np.zeros(len(rows), dtype=np.bool_)
        level = columns.level[rows]
        owed = reason != columns.reason_code(Reason.NOT_IN_PLAN)
        if rule.look is not None:
            kept = known & ((level > 0) | (rule.kind is not Kind.CHANGE))
            fine = np.where(owed, np.int8(Verdict.UNKNOWN), np.int8(Verdict.OK))
            return np.where(kept, np.int8(Verdict.KEPT), fine)
        if rule.kind in _BY_LEVEL:
            known = known & (level > 0)
            most = np.array([0 if bound is None else bound.value for bound in held.bounds], dtype=np.int64)
            against = (rule.level or 0) - 1 if rule.kind is Kind.LEVEL else most[held.which]
            over = known & (level > against)
        elif rule.kind is Kind.FINDING:
            known = known & (level != NO_LEVEL) & ((rule.reach is Reach.OVER) | (level < Level.HINT))
            over = known & (level >= (Level.HINT if rule.reach is Reach.OVER else Level.WARNING_80))
            if rule.clear is not None:
                between = known & (level >= (Level.WARNING_80 if rule.clear.share == _SHARE_80 else Level.WARNING_90))
        else:
            over = known & _over(columns, rows, held)
            if rule.clear is not None:
                between = known & _reaches(columns, rows, self._against.clear_bounds(rule, held))
        if rule.kind is not Kind.LEVEL and rule.judges_slots and rule.reach is Reach.OVER:
            over |= (columns.flags[rows] & int(Mark.OVER_RANGE)) != 0
        verdicts = np.where(known | ~owed, np.int8(Verdict.OK), np.int8(Verdict.UNKNOWN))
        verdicts = np.where(between & owed, np.int8(Verdict.BETWEEN), verdicts)
        return np.where(over, np.int8(Verdict.OVER), verdicts)

    def _in_force(self, columns: Columns) -> NDArray[np.bool_]:
        """Return which rows are of the index edition of their day, or of none; before the first edition all are."""
        mine = np.ones(len(columns.start), dtype=np.bool_)
        if columns.network != _AIR:
            return mine
        for edition, days in self._standards.index_groups(columns.day):
            mine[days] = columns.edition[days] == columns.edition_code(edition.name)
        return np.asarray(mine | (columns.edition == columns.edition_code("")), dtype=np.bool_)


def _ends(rule: Rule) -> bool:
    """Return whether a rule may stop judging while something of it is open."""
    return rule.end is not None or rule.season is not None or bool(rule.mode)


def _looks_at(rule: Rule, columns: Columns) -> NDArray[np.bool_]:
    """Return which rows are of the factors of a rule; all, where it names none or is about sites as a whole."""
    if not rule.factors or ANY_FACTOR in rule.factors:
        return np.ones(len(columns.start), dtype=np.bool_)
    return np.asarray(np.isin(columns.factors, list(rule.factors))[columns.factor], dtype=np.bool_)


def _of_quotas(look: _Look) -> Iterator[Judged]:
    """Yield what is used of yearly quotas, of sites and of firms and parks; the year need not be over."""
    rule, columns = look.rule, look.columns
    shares = (rule.threshold or Fraction(1), *(grade.share for grade in rule.grades if grade.share is not None))
    for name in (name for name in columns.factors if name.endswith(QUOTA)):
        known = columns.reason != columns.reason_code(Reason.UNSET)
        rows = np.flatnonzero(look.holds & columns.of(name, rule.window) & known)
        if not len(rows):
            continue
        rows = rows[np.argsort(columns.site[rows], kind="stable")]
        told = [used_of(columns.detail(row)) for row in rows.tolist()]
        # What is known of a year with gaps is a lower bound.
        reached = [[one for one in shares if has_used(*pair, one)] for pair in told]
        over = np.array([bool(one) for one in reached])
        fine = np.where(columns.has_value[rows], np.int8(Verdict.OK), np.int8(Verdict.UNKNOWN))
        bounds = tuple(
            quota_bound(quota, max(one, default=shares[0])) for one, (_, quota) in zip(reached, told, strict=True)
        )
        held = Held(bounds=bounds, which=np.arange(len(rows), dtype=np.int64))
        said = _Said(rule=rule, factor=name.removesuffix(QUOTA), rows=rows, held=held, early=False)
        yield from _by_site(columns, said, np.where(over, np.int8(Verdict.OVER), fine))


def _of_exhaustions(look: _Look) -> Iterator[Judged]:
    """Yield which yearly quotas will run out within the year, or within the rule's days; those used up too."""
    rule, columns = look.rule, look.columns
    for name in (name for name in columns.factors if name.endswith(EXHAUSTION)):
        known = columns.reason != columns.reason_code(Reason.UNSET)
        rows = np.flatnonzero(look.holds & columns.of(name, rule.window) & known)
        if not len(rows):
            continue
        rows = rows[np.argsort(columns.site[rows], kind="stable")]
        told = [outlook_of(columns.detail(row)) for row in rows.tolist()]
        days = _ENDLESS if rule.threshold is None else int(rule.threshold)
        near = columns.has_value[rows] & (columns.value[rows] <= days * 10 ** columns.digits[rows])
        over = np.array([one is Outlook.USED_UP for one in told]) | (
            np.array([one is Outlook.ON for one in told]) & near
        )
        unknown = np.array([one is Outlook.UNKNOWN for one in told])
        nothing = Held(bounds=(None,), which=np.zeros(len(rows), dtype=np.int64))
        said = _Said(rule=rule, factor=name.removesuffix(EXHAUSTION), rows=rows, held=nothing, early=False)
        fine = np.where(unknown, np.int8(Verdict.UNKNOWN), np.int8(Verdict.OK))
        yield from _by_site(columns, said, np.where(over, np.int8(Verdict.OVER), fine))


def _of_packets(look: _Look) -> Iterator[Judged]:
    """Yield the periods of which so many packets came late; of one in which nothing came nothing is known."""
    rule, columns = look.rule, look.columns
    rows = np.flatnonzero(look.holds & columns.of(PACKETS, rule.window))
    if not len(rows):
        return
    rows = rows[np.argsort(columns.site[rows], kind="stable")]
    most = int(rule.threshold or 1)
    over = np.array([late_of(columns.detail(row)) >= most for row in rows.tolist()])
    fine = np.where(columns.has_value[rows], np.int8(Verdict.OK), np.int8(Verdict.UNKNOWN))
    nothing = Held(bounds=(None,), which=np.zeros(len(rows), dtype=np.int64))
    said = _Said(rule=rule, factor=PACKETS, rows=rows, held=nothing, early=False)
    yield from _by_site(columns, said, np.where(over, np.int8(Verdict.OVER), fine))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """Rows of one rule and factor that lie by site."""

    rule: Rule
    factor: str
    rows: NDArray[np.int64]
    held: Held
    early: bool


def _by_site(columns: Columns, said: _Said, verdicts: NDArray[np.int8]) -> Iterator[Judged]:
    """Cut rows that lie by site into one part for each."""
    site = columns.site[said.rows]
    for part in np.split(np.arange(len(said.rows)), np.flatnonzero(np.diff(site)) + 1):
        yield Judged(
            key=SeriesKey(said.rule.id, columns.sites[site[part[0]]], said.factor),
            rule=said.rule,
            columns=columns,
            rows=said.rows[part],
            verdicts=verdicts[part],
            bounds=said.held.bounds,
            which_bound=said.held.which[part],
            early=said.early,
        )


def _doubted(columns: Columns, rows: NDArray[np.int64]) -> NDArray[np.int8]:
    """Return what tests of quality say of rows: over where one of them doubts a value, unknown where there is none.

    A value without a flag, and one that is a copy by its source's rule, are suspect as well, but no test said so.
    """
    flags = columns.flags[rows]
    tested = ((flags & int(Mark.SUSPECT)) != 0) & ((flags & int(Mark.UNFLAGGED | Mark.COPIED)) == 0)
    over = tested | ((flags & int(Mark.IMPOSSIBLE | Mark.DIFFERS)) != 0)
    owed = columns.reason[rows] != columns.reason_code(Reason.NOT_IN_PLAN)
    fine = np.where(columns.has_value[rows] | ~owed, np.int8(Verdict.OK), np.int8(Verdict.UNKNOWN))
    return np.where(over, np.int8(Verdict.OVER), fine)


def _over(columns: Columns, rows: NDArray[np.int64], held: Held) -> NDArray[np.bool_]:
    """Return which values are over, or below a minimum.

    An integer is over a fraction when it is over the fraction's floor, and below it when below its ceiling.
    """
    return _beyond(columns, rows, held, strictly=True)


def _reaches(columns: Columns, rows: NDArray[np.int64], held: Held) -> NDArray[np.bool_]:
    """Return which values are at their bounds or over them; at a minimum or below it."""
    return _beyond(columns, rows, held, strictly=False)


def _beyond(columns: Columns, rows: NDArray[np.int64], held: Held, *, strictly: bool) -> NDArray[np.bool_]:
    digits, value, which = columns.digits[rows], columns.value[rows], held.which
    over = np.zeros(len(rows), dtype=np.bool_)
    below = np.array([bound is not None and bound.below for bound in held.bounds], dtype=np.bool_)[which]
    for places in np.unique(digits).tolist():
        exact = [Fraction(0) if bound is None else bound.at_digits(places) for bound in held.bounds]
        most = np.array([math.floor(one) for one in exact], dtype=np.int64)[which]
        least = np.array([math.ceil(one) for one in exact], dtype=np.int64)[which]
        if strictly:
            beyond = np.where(below, value < least, value > most)
        else:
            beyond = np.where(below, value <= most, value >= least)
        over |= (digits == places) & beyond
    return over
