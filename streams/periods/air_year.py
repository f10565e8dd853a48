"""The evaluation ``air_year``: what HJ 663 and the plans say of a month, season or year of air.

Of a site or area: good days and their share, days by level, the bad days that are left, marks of broken promises,
composite index in both forms, changes on the year and on the base, distance to targets, trend of ozone. Of an area also
joint hours, double control and the ranks of the areas below it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sensors.kinds import Kind
from sensors.registry import Site
from sensors.windows import Needs, Span
from streams.air.index import FACTORS, primary_names
from streams.judging.plan import NO_NUMBER
from streams.judging.reasons import INCOMPLETE, MISSING_ITEM, OK, UNSET
from streams.periods.air_days import AirDays, Concentrations, absences, air_days, concentrations
from streams.periods.areamaking import JOINT_HOURS
from streams.periods.calendar import day_date, shifted
from streams.periods.comparing import allowed_bad_days, change_percent, half_even, ranks, trend
from streams.periods.composite import Composites, composite_indices
from streams.periods.past import mean_spec
from streams.periods.plan import (
    ALL_SPANS,
    AreaMembers,
    AreaView,
    Period,
    PeriodBlock,
    PeriodMeans,
    PeriodRow,
    Series,
    Told,
)
from streams.periods.ratios import Ratios, same, whole
from streams.periods.registered import PeriodContext
from streams.periods.rules import PeriodRules, complete
from streams.periods.statistics import percentile
from streams.periods.targets import Direction, Standing, Target, Targets, judge_target
from streams.results import Window
from streams.standards import Standards

GOOD_SHARE: Final = "good_share"
COMPOSITE: Final = "composite"
SHARE_DIGITS: Final = 2
"""Of percentages."""
CONTROL_GAP: Final = "VOCs: not joined across kinds; NO2 stands for NOx"
"""What 双减 asks for and air does not have: said beside every double control."""
_PERCENTILES: Final[Mapping[str, Fraction]] = {"CO": Fraction(95, 100), "O3": Fraction(90, 100)}
_URBAN_ZONE: Final = 2
_YEAR_LIMITS: Final[Mapping[str, str]] = {"CO": Window.DAY, "O3": Window.MDA8}
"""Items whose yearly percentile is held against the limit of a day; the others have an annual one."""
_NAMED: Final = ("PM2.5", "O3")
"""Items whose days over the limit and days as primary pollutant are counted."""
_TREND_YEARS: Final = 10
_COMPOSED: Final = frozenset({Span.MONTH, Span.QUARTER, Span.YEAR})
_WATCHED: Final = frozenset({Span.YEAR, Span.SEASON})
_O3_DAYS: Final = Series("O3", Window.MDA8)
_DATES_NAMED: Final = 10
"""A mark's detail names at most so many of its days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What a member's targets and limits depend on."""

    areas: tuple[str, ...]
    """Itself, or those that it lies in."""
    zone: int
    """Function class of GB 3095; areas are held against class 2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """What is compared over one period, in canonical units; none where a member is not complete."""

    values: Mapping[str, Ratios]
    """Item → means; of CO the 95th, of O3 the 90th percentiles."""
    valid: Mapping[str, NDArray[np.int64]]
    """Item → valid days, [members]."""


@dataclass(slots=True, kw_only=True)
class _Said:
    """What is said of the members of one period."""

    period: Period
    sites: tuple[str, ...]
    complete: NDArray[np.bool_]
    """Whether the days with an index are as many as a share of good days needs, [members]."""
    found: list[PeriodRow | PeriodBlock] = field(default_factory=list)

    def add(self, factor: str, value: ArrayLike, present: ArrayLike, **more: Any) -> None:
        """Add a result of all members, or of those at the places ``only``; without a value ``reason`` says why."""
        period, only = self.period, more.pop("only", None)
        given: dict[str, Any] = {"digits": 0, "valid": 0, "expected": 0, "reason": np.where(present, OK, INCOMPLETE)}
        columns = given | more
        sites: Sequence[str] = self.sites
        if only is not None:
            sites = [self.sites[place] for place in only.tolist()]
            columns = {name: _picked(column, only) for name, column in columns.items()}
            value, present = _picked(value, only), _picked(present, only)
        if sites:
            self.found.append(
                PeriodBlock(
                    sites=sites, factor=factor, window=period.window, start_day=period.start_day, value=value,
                    present=present, **columns,
                )
            )  # fmt: skip

    def add_count(
        self, factor: str, count: NDArray[np.int64], detail: Sequence[str] | None = None, **more: Any
    ) -> None:
        """Add counts of days; where too few are known there is none, and the detail tells what was counted."""
        told: Sequence[str] | str = ""
        if detail is not None or not self.complete.all():
            given = [""] * len(self.sites) if detail is None else detail
            places = zip(given, count.tolist(), more["valid"].tolist(), self.complete.tolist(), strict=True)
            told = [text or ("" if enough or not of else f"{number} of {of}") for text, number, of, enough in places]
        self.add(factor, count, self.complete, detail=told, **more)

    def add_exact(self, factor: str, value: Ratios, digits: int, **more: Any) -> None:
        """Add exact numbers, rounded half to even."""
        self.add(factor, value.fixed(digits), value.ok, digits=digits, **more)


def _picked(column: Any, only: NDArray[np.intp]) -> Any:
    """Return some places of a column; what stands for all stays."""
    if isinstance(column, np.ndarray) and column.ndim:
        return column[only]
    return [column[place] for place in only.tolist()] if isinstance(column, list) else column


class AirYear:
    """HJ 663 and the plans' statistics of air.

    Parameters
    ----------
    kind
        Its windows say which days a period needs.
    standards
        Editions of HJ 633.
    rules
        Levels, thresholds and forms of the composite index.
    targets
        What plans promise.
    """

    name = "air_year"
    spans = ALL_SPANS
    days_only = True
    """It makes its own statistics of the days."""

    def __init__(self, kind: Kind, standards: Standards, rules: PeriodRules, targets: Targets) -> None:
        self._kind, self._standards, self._rules, self._targets = kind, standards, rules, targets

    def site(self, period: Period, means: PeriodMeans, sites: tuple[Site, ...]) -> Told:
        """Return what is said of sites over a period."""
        where = [Where(areas=site.areas, zone=site.zone or _URBAN_ZONE) for site in sites]
        return self._told(period, means, self._absent(period, [[site] for site in sites]), where).found

    def area(self, period: Period, members: PeriodMeans, area: AreaView, sites: tuple[Site, ...]) -> Told:
        """Return what is said of an area over a period, and the ranks of the areas below it."""
        if members.own is None:
            return []
        children = () if members.children is None else members.children.members
        own, below = self.areas(period, members.own, [AreaMembers(area=area, sites=sites, children=children)])
        return [*own, *below]

    def areas(self, period: Period, own: PeriodMeans, members: Sequence[AreaMembers]) -> tuple[Told, Told]:
        """Return what is said of areas over a period, and the ranks of the areas below them."""
        where = [Where(areas=(each.area.id,), zone=_URBAN_ZONE) for each in members]
        absent = self._absent(period, [each.sites for each in members])
        said = self._told(period, own, absent, where, control=True)
        self._say_joint_hours(said, own)
        return said.found, self._ranks(period, own, members) if period.span in _COMPOSED else []

    def _absent(self, period: Period, of: Sequence[Sequence[Site]]) -> NDArray[np.bool_] | None:
        """Return which items all sites of each member do not measure by plan, [members, items, days]; None: none."""
        days = np.arange(period.first_day, period.through_day + 1)
        found = {row: sites for row, sites in enumerate(of) if sites and all(site.not_in_plan for site in sites)}
        if not found:
            return None
        absent = np.zeros((len(of), len(FACTORS), days.size), np.bool_)
        for row, sites in found.items():
            absent[row] = np.logical_and.reduce(absences(sites, days), axis=0)
        return absent

    def _told(
        self,
        period: Period,
        means: PeriodMeans,
        absent: NDArray[np.bool_] | None,
        where: Sequence[Where],
        *,
        control: bool = False,
    ) -> _Said:
        found = concentrations(means, absent)
        index = air_days(found, self._standards)
        now = self._statistics(period, found)
        earlier = shifted(period, -1)
        past = concentrations(means, over=earlier)
        before = self._statistics(earlier, past)
        shares = self._shares(period, index)
        said = _Said(period=period, sites=means.members, complete=self._enough(period, index))
        self._say_days(said, index, shares)
        if period.span is Span.YEAR:
            self._say_recalculated(said, found, past, earlier)
        for item in FACTORS:
            change = now.values[item].change(before.values[item])
            said.add_exact(f"{item}.yoy", change, SHARE_DIGITS, valid=now.valid[item], expected=period.due)
        if period.span in _COMPOSED:
            self._say_composite(said, now, before)
        if period.span in _WATCHED:
            if control:
                self._say_control(said, now, before)
            self._say_trends(said, means, now)
        if period.span is Span.YEAR:
            self._say_year(said, index, where)
            self._say_limits(said, now, np.array([each.zone for each in where]))
            self._say_targets(said, now, shares, where)
        return said

    def _needs(self, period: Period, item: str) -> Needs | None:
        spec = mean_spec(self._kind, item, period.window) or mean_spec(self._kind, "PM2.5", "month")
        return None if spec is None else spec.needs_on(period.last_day)

    def _statistics(self, period: Period, found: Concentrations) -> Statistics:
        """Return the statistics of all members."""
        values: dict[str, Ratios] = {}
        counts = found.present.sum(axis=-1).astype(np.int64)
        for place, item in enumerate(FACTORS):
            present, value = found.present[:, place], found.value[:, place]
            enough = complete(present, self._needs(period, item), period, self._rules)
            scale = 10 ** self._kind.factors[item].digits
            if not enough.any():
                none = np.zeros(enough.size, np.int64)
                values[item] = Ratios(none, none + 1, enough)
            elif item in _PERCENTILES:
                numbers = percentile(value, present, _PERCENTILES[item]).value
                values[item] = Ratios(numbers, np.full(numbers.size, scale), enough)
            else:
                sums = np.where(present, value, 0).sum(axis=-1)
                values[item] = Ratios(sums, np.maximum(counts[:, place], 1) * scale, enough)
        return Statistics(values=values, valid={item: counts[:, place] for place, item in enumerate(FACTORS)})

    def _enough(self, period: Period, index: AirDays) -> NDArray[np.bool_]:
        """Return which members have as many days with an index as a share of good days needs."""
        return complete(index.valid, self._needs(period, "PM2.5"), period, self._rules)

    def _shares(self, period: Period, index: AirDays) -> Ratios:
        """Return the share of good days in percent over valid days, where these are enough."""
        good = index.good(self._rules.air_year.good_level).sum(axis=-1).astype(np.int64)
        valid = index.valid.sum(axis=-1).astype(np.int64)
        return Ratios(100 * good, np.maximum(valid, 1), self._enough(period, index) & (valid > 0))

    def _say_days(self, said: _Said, index: AirDays, shares: Ratios) -> None:
        levels = index.level
        counts: dict[str, Any] = {"valid": (levels > 0).sum(axis=-1).astype(np.int64), "expected": said.period.due}
        said.add_exact(GOOD_SHARE, shares, SHARE_DIGITS, **counts)
        said.add_count("good_days", _count(index.good(self._rules.air_year.good_level)), **counts)
        for level in range(1, 7) if said.period.span is not Span.SEASON else ():
            said.add_count(f"days_{level}", _count(levels == level), **counts)
        for item in _NAMED:
            row = FACTORS.index(item)
            said.add_count(f"{item}.over_days", _count(index.over[:, row]), **counts)
            said.add_count(f"{item}.primary_days", _count(index.primary[:, row]), **counts)

    def _say_recalculated(self, said: _Said, found: Concentrations, past: Concentrations, earlier: Period) -> None:
        """Say per edition the share, and its change from that of the year before: all days by one edition."""
        for edition in self._standards.index_editions:
            index, older = air_days(found, self._standards, edition), air_days(past, self._standards, edition)
            share, before = self._shares(said.period, index), self._shares(earlier, older)
            valid = index.valid.sum(axis=-1).astype(np.int64)
            more: dict[str, Any] = {"edition": edition.name, "valid": valid, "expected": said.period.due}
            said.add_exact(GOOD_SHARE, share, SHARE_DIGITS, **more)
            said.add_exact(f"{GOOD_SHARE}.yoy", share.minus(before), SHARE_DIGITS, **more)

    def _say_composite(self, said: _Said, now: Statistics, before: Statistics) -> None:
        names = primary_names(FACTORS)
        weights = 1 << np.arange(len(FACTORS))[:, None]
        there = np.stack([now.values[item].ok for item in FACTORS])
        missing = (np.where(there, 0, weights)).sum(axis=0).tolist()
        for form in self._rules.air_year.composite:
            found, older = composite_indices(now.values, form), composite_indices(before.values, form)
            digits = form.index_decimals
            more: dict[str, Any] = {
                "edition": form.name, "valid": there.sum(axis=0).astype(np.int64), "expected": len(FACTORS),
                "digits": digits,
            }  # fmt: skip
            if self._rules.air_year.runs_out(form, said.period.last_day):
                said.add(COMPOSITE, 0, present=False, reason=UNSET, detail=f"no limits after {form.last}", **more)
                continue
            order = [FACTORS.index(item) for item in found.items]
            top = np.where(found.largest & found.ok, weights[order], 0).sum(axis=0).tolist()
            parts = _parts_told(found, digits)
            detail = [
                part if ok else names[lost].replace(";", "; ")
                for part, ok, lost in zip(parts, found.ok.tolist(), missing, strict=True)
            ]
            reason = np.where(found.ok, OK, MISSING_ITEM)
            primary = [names[bits] for bits in top]
            said.add(COMPOSITE, found.value, found.ok, reason=reason, detail=detail, primary=primary, **more)
            both = np.nonzero(found.ok & older.ok)[0]
            change = whole(found.value, found.ok).change(whole(older.value, older.ok))
            said.add_exact(f"{COMPOSITE}.yoy", change, **(more | {"digits": SHARE_DIGITS}), only=both)

    def _say_trends(self, said: _Said, means: PeriodMeans, now: Statistics) -> None:
        """Say the trend of the ozone statistic of each member over the years up to this one."""
        period = said.period
        year = day_date(period.first_day).year
        known: dict[int, Ratios] = {} if period.open else {year: now.values["O3"]}
        scale = 10 ** self._kind.factors["O3"].digits
        for back in range(1, _TREND_YEARS):
            earlier = shifted(period, -back)
            if earlier.open:
                earlier = replace(earlier, through_day=earlier.last_day)
            days = means.past.days(means.members, _O3_DAYS, earlier.first_day, earlier.last_day)
            enough = complete(days.present, self._needs(period, "O3"), earlier, self._rules)
            if enough.any():
                numbers = percentile(days.value, days.present, _PERCENTILES["O3"]).value
                known[year - back] = Ratios(numbers, np.full(numbers.size, scale), enough)
        rule = self._rules.air_year.trend
        slope = Fraction(str(rule.curbed_slope))
        found = [
            trend(
                {number: values.fraction(place) for number, values in known.items() if values.ok[place]},
                least_years=rule.least_years, curbed_slope=slope,
            )
            for place in range(len(said.sites))
        ]  # fmt: skip
        said.add(
            "O3.trend",
            np.array([0 if t.slope is None else half_even(t.slope, SHARE_DIGITS) for t in found], np.int64),
            np.array([t.slope is not None for t in found], np.bool_),
            digits=SHARE_DIGITS,
            valid=np.array([t.years for t in found], np.int64),
            expected=rule.least_years,
            detail=[t.verdict.value for t in found],
        )

    def _say_year(self, said: _Said, index: AirDays, where: Sequence[Where]) -> None:
        """Say the remaining bad days, and the marks of broken promises."""
        period, levels = said.period, index.level
        valid, bad = _count(levels > 0), _count(levels > self._rules.air_year.good_level)
        counts: dict[str, Any] = {"valid": valid, "expected": period.due}
        for targets, places in self._with_targets(where, GOOD_SHARE):
            for target in targets or (None,):
                share = None if target is None else target.value
                label = "" if target is None else target.id
                if target is None or share is None:
                    more = {"reason": UNSET, "edition": label, "only": places}
                    said.add("bad_days_left", 0, present=False, **counts, **more)
                    continue
                to_come, strictly = period.length - period.due, target.direction is Direction.ABOVE
                allowed = [allowed_bad_days(v + to_come, share / 100, strictly=strictly) for v in valid.tolist()]
                told = [f"{b} of {a}" for b, a in zip(bad.tolist(), allowed, strict=True)]
                left = np.array(allowed, np.int64) - bad
                said.add_count("bad_days_left", left, detail=told, edition=label, **counts, only=places)
        for mark in self._rules.air_year.broken:
            hit = levels >= mark.level
            detail = [""] * len(said.sites)
            for place in np.nonzero(hit.any(axis=-1))[0].tolist():
                named = np.nonzero(hit[place])[0][:_DATES_NAMED].tolist()
                detail[place] = "; ".join(day_date(period.first_day + day).isoformat() for day in named)
            said.add_count(f"broken.{mark.mark}", _count(hit), detail=detail, level=mark.level, **counts)

    def _with_targets(
        self, where: Sequence[Where], measure: str
    ) -> Iterator[tuple[tuple[Target, ...], NDArray[np.intp]]]:
        """Yield the targets of a measure, with the members that they are of; none is a case of its own."""
        known: dict[tuple[str, ...], tuple[Target, ...]] = {}
        found: dict[tuple[str, ...], tuple[tuple[Target, ...], list[int]]] = {}
        for place, each in enumerate(where):
            if each.areas not in known:
                known[each.areas] = self._targets.of(each.areas, measure)
            targets = known[each.areas]
            found.setdefault(tuple(target.id for target in targets), (targets, []))[1].append(place)
        for targets, places in found.values():
            yield targets, np.array(places, np.intp)

    def _say_limits(self, said: _Said, now: Statistics, zones: NDArray[np.int64]) -> None:
        """Say how far each year's statistic is from its limit, by the limits of the period's last day."""
        for item, value in now.values.items():
            for zone in np.unique(zones).tolist():
                limit = self._standards.limit(item, _YEAR_LIMITS.get(item, "annual"), zone, said.period.last_day)
                if limit is None:
                    continue
                gap = value.minus(same(limit.quantity, len(said.sites)))
                said.add_exact(
                    f"{item}.year_limit",
                    gap,
                    SHARE_DIGITS,
                    valid=now.valid[item],
                    expected=said.period.due,
                    level=np.where(gap.ok, np.asarray(gap.num <= 0, np.int64), NO_NUMBER),
                    detail=f"{limit.quantity} {limit.unit}",
                    edition=limit.edition,
                    only=np.nonzero(zones == zone)[0],
                )

    def _say_targets(self, said: _Said, now: Statistics, share: Ratios, where: Sequence[Where]) -> None:
        """Say the distance to each target and to its base; unset and looser than the base are states of their own."""
        valid = {item: counts.tolist() for item, counts in now.valid.items()}
        for measure, values in (*now.values.items(), (GOOD_SHARE, share)):
            for targets, places in self._with_targets(where, measure):
                for target, place in product(targets, places.tolist()):
                    given = {"valid": valid[measure][place] if measure in valid else 0, "site": said.sites[place]}
                    said.found += self._against(said.period, measure, target, values.fraction(place), given)

    def _against(
        self, period: Period, measure: str, target: Target, value: Fraction | None, given: Mapping[str, Any]
    ) -> Iterator[PeriodRow]:
        judged = judge_target(target, value)
        words = [judged.standing.value, *(["regression"] if judged.regression else [])]
        level = {Standing.MET: 1, Standing.MISSED: 0}.get(judged.standing)
        reason = {Standing.UNSET: UNSET, Standing.NO_VALUE: INCOMPLETE}.get(judged.standing, OK)
        more: dict[str, Any] = {
            "window": period.window, "start_day": period.start_day, "digits": SHARE_DIGITS, "edition": target.id,
            "expected": period.due, **given,
        }  # fmt: skip
        gap = None if judged.gap is None else half_even(judged.gap, SHARE_DIGITS)
        detail = ";".join(words)
        yield PeriodRow(factor=f"{measure}.target", value=gap, reason=reason, detail=detail, level=level, **more)
        base = change_percent(value, target.base)
        reason = OK if base is not None else UNSET if target.base is None else INCOMPLETE
        fixed = None if base is None else half_even(base, SHARE_DIGITS)
        yield PeriodRow(factor=f"{measure}.base", value=fixed, reason=reason, **more)

    def _say_joint_hours(self, said: _Said, own: PeriodMeans) -> None:
        """Say the hours of areas in which PM2.5 and ozone are high together."""
        hours = own.days(*JOINT_HOURS)
        enough = complete(hours.present, self._needs(said.period, "PM2.5"), said.period, self._rules)
        of_hours = _Said(period=said.period, sites=said.sites, complete=enough)
        total = np.where(hours.present, hours.value, 0).sum(axis=-1)
        came = np.nonzero(hours.came.any(axis=-1))[0]
        of_hours.add_count("joint_hours", total, valid=_count(hours.present), expected=said.period.due, only=came)
        said.found += of_hours.found

    def _say_control(self, said: _Said, now: Statistics, before: Statistics) -> None:
        """Say how many of PM2.5 and ozone fall on the year (双控), with what NO2 did beside them (双减)."""
        changes = {item: now.values[item].change(before.values[item]) for item in ("PM2.5", "O3", "NO2")}
        shown = [(item, change.fixed(SHARE_DIGITS).tolist(), change.ok.tolist()) for item, change in changes.items()]
        told = [
            "; ".join(f"{item} {_decimal(fixed[n], SHARE_DIGITS) if ok[n] else '?'} %" for item, fixed, ok in shown)
            for n in range(len(said.sites))
        ]
        pair = [changes["PM2.5"], changes["O3"]]
        count = sum((np.asarray(change.num < 0, np.int64) for change in pair), np.zeros(len(told), np.int64))
        known = sum((change.ok.astype(np.int64) for change in changes.values()), np.zeros(len(told), np.int64))
        detail = [f"{text}; {CONTROL_GAP}" for text in told]
        both = pair[0].ok & pair[1].ok
        said.add("double_control", count, both, valid=known, expected=len(changes), detail=detail)

    def _ranks(self, period: Period, own: PeriodMeans, members: Sequence[AreaMembers]) -> list[PeriodRow]:
        """Return the ranks of areas among their equals; one without a value has none and takes nobody's place."""
        names = [child for each in members for child in each.children]
        if not names:
            return []
        children = replace(own, members=tuple(names), own=None, children=None)  # the same pages hold these areas
        earlier = shifted(period, -1)
        found = concentrations(children)
        now = self._statistics(period, found)
        before = self._statistics(earlier, concentrations(children, over=earlier))
        shares = self._shares(period, air_days(found, self._standards))
        measures = [("PM2.5", "", now.values["PM2.5"].fractions())]
        measures.append((GOOD_SHARE, "", [None if share is None else -share for share in shares.fractions()]))
        for form in self._rules.air_year.composite:
            if self._rules.air_year.runs_out(form, period.last_day):
                continue
            made, older = composite_indices(now.values, form), composite_indices(before.values, form)
            values = whole(made.value, made.ok)
            change = values.change(whole(older.value, older.ok))
            measures.append((COMPOSITE, form.name, values.fractions()))
            measures.append((f"{COMPOSITE}.yoy", form.name, change.fractions()))
        rows: list[PeriodRow] = []
        begin = 0
        for each in members:
            mine = slice(begin, begin + len(each.children))
            for measure, edition, numbers in measures:
                rows += _ranked(period, each.children, (measure, edition), numbers[mine])
            begin = mine.stop
        return rows


def _ranked(
    period: Period, names: Sequence[str], of: tuple[str, str], values: Sequence[Fraction | None]
) -> Iterator[PeriodRow]:
    """Yield the rank of each of some areas by a measure."""
    measure, edition = of
    known = sum(value is not None for value in values)
    for name, rank in ranks(dict(zip(names, values, strict=True))).items():
        yield PeriodRow(
            site=name, factor=f"rank.{measure}", window=period.window, start_day=period.start_day, value=rank, digits=0,
            valid=known, expected=len(names), reason=OK if rank is not None else INCOMPLETE, edition=edition,
        )  # fmt: skip


def _count(days: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return how many days are true, [members]."""
    counts: NDArray[np.int64] = days.sum(axis=-1).astype(np.int64)
    return counts


def _parts_told(found: Composites, digits: int) -> list[str]:
    """Return for each member the weighted single indices as text."""
    columns = found.parts.T.tolist()
    return ["; ".join(f"{i} {_decimal(p, digits)}" for i, p in zip(found.items, row, strict=True)) for row in columns]


def air_year(context: PeriodContext) -> AirYear:
    """Return the evaluation for a kind that has the six items."""
    return AirYear(context.kind, context.standards, context.rules, context.targets)


def _decimal(fixed: int, digits: int) -> str:
    """Return a fixed-point number as text."""
    sign, number = "-" if fixed < 0 else "", abs(fixed)
    return f"{sign}{number // 10**digits}.{number % 10**digits:0{digits}d}"
