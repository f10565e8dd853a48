"""The evaluation ``air_year``: what HJ 663 and the plans say of a month, season or year of air.

Of a site or area: good days and their share, days by level, the bad days that are left, marks of broken promises,
composite index in both forms, changes on the year and on the base, distance to targets, trend of ozone. Of an area also
joint hours, double control and the ranks of the areas below it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sensors.kinds import Kind
from sensors.registry import Site
from sensors.windows import Needs, Span
from streams.air.index import FACTORS
from streams.judging.reasons import INCOMPLETE, MISSING_ITEM, OK, UNSET
from streams.periods.air_days import AirDays, Concentrations, absences, air_days, concentrations
from streams.periods.areamaking import JOINT_HOURS
from streams.periods.calendar import day_date, shifted
from streams.periods.comparing import (
    Trend,
    allowed_bad_days,
    change_percent,
    falling,
    half_even,
    ranks,
    trend,
)
from streams.periods.composite import composite_index
from streams.periods.past import mean_spec
from streams.periods.plan import ALL_SPANS, AreaView, Period, PeriodMeans, PeriodRow, Series
from streams.periods.registered import PeriodContext
from streams.periods.rules import PeriodRules, complete
from streams.periods.statistics import percentile
from streams.periods.targets import Direction, Judged, Standing, Targets, judge_target
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
    """What is compared of one member over one period, in canonical units; None where it is not complete."""

    values: Mapping[str, Fraction | None]
    """Item → mean; of CO the 95th, of O3 the 90th percentile."""
    valid: Mapping[str, int]
    """Item → valid days."""


@dataclass(slots=True, kw_only=True)
class _Rows:
    """Rows of one member."""

    period: Period
    site: str
    complete: bool
    """Whether the days with an index are as many as a share of good days needs."""
    found: list[PeriodRow] = field(default_factory=list)

    def add(self, factor: str, value: int | None, **more: Any) -> None:
        """Add a row; without a value ``reason`` says why."""
        period = self.period
        columns = {"digits": 0, "valid": 0, "expected": 0, "reason": OK if value is not None else INCOMPLETE} | more
        self.found.append(
            PeriodRow(
                site=self.site, factor=factor, window=period.window, start_day=period.start_day, value=value, **columns
            )
        )

    def add_count(self, factor: str, count: int, detail: str = "", **more: Any) -> None:
        """Add a count of days; where too few are known there is none, and the detail tells what was counted."""
        if self.complete:
            self.add(factor, count, detail=detail, **more)
        else:
            told = f"{count} of {more['valid']}" if more["valid"] else ""
            self.add(factor, None, detail=detail or told, **more)

    def add_exact(self, factor: str, value: Fraction | None, digits: int, **more: Any) -> None:
        """Add a row of an exact number, rounded half to even."""
        self.add(factor, None if value is None else half_even(value, digits), digits=digits, **more)


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

    def site(self, period: Period, means: PeriodMeans, sites: tuple[Site, ...]) -> list[PeriodRow]:
        """Return what is said of sites over a period."""
        days = np.arange(period.first_day, period.through_day + 1)
        where = [Where(areas=site.areas, zone=site.zone or _URBAN_ZONE) for site in sites]
        return self._rows(period, means, absences(sites, days), where)

    def area(self, period: Period, members: PeriodMeans, area: AreaView, sites: tuple[Site, ...]) -> list[PeriodRow]:
        """Return what is said of an area over a period, and the ranks of the areas below it."""
        rows: list[PeriodRow] = []
        if members.own is not None:
            days = np.arange(period.first_day, period.through_day + 1)
            absent = np.logical_and.reduce(absences(sites, days), axis=0, keepdims=True) if sites else None
            rows += self._rows(period, members.own, absent, [Where(areas=(area.id,), zone=_URBAN_ZONE)], control=True)
            rows += self._joint_hours(period, members.own, area)
        if members.children is not None and period.span in _COMPOSED:
            rows += self._ranks(period, members.children)
        return rows

    def _rows(
        self,
        period: Period,
        means: PeriodMeans,
        absent: NDArray[np.bool_] | None,
        where: Sequence[Where],
        *,
        control: bool = False,
    ) -> list[PeriodRow]:
        found = concentrations(means, absent)
        index = air_days(found, self._standards)
        now = self._statistics(period, found)
        earlier = shifted(period, -1)
        past = concentrations(means, over=earlier)
        before = self._statistics(earlier, past)
        shares = self._shares(period, index)
        enough = self._enough(period, index).tolist()
        recalculated = self._recalculated(period, found, past, earlier)
        trends = self._trends(period, means, now) if period.span in _WATCHED else [None] * len(now)
        rows: list[PeriodRow] = []
        for place, member in enumerate(means.members):
            said = _Rows(period=period, site=member, complete=enough[place])
            self._say_days(said, index, place, shares[place])
            self._say_recalculated(said, [(name, pairs[place]) for name, pairs in recalculated])
            self._say_changes(said, now[place], before[place])
            if period.span in _COMPOSED:
                self._say_composite(said, now[place], before[place])
            if control and period.span in _WATCHED:
                self._say_control(said, now[place], before[place])
            if (slope := trends[place]) is not None:
                self._say_trend(said, slope)
            if period.span is Span.YEAR:
                self._say_year(said, index, place, where[place].areas)
                self._say_limits(said, now[place], where[place].zone)
                self._say_targets(said, now[place], shares[place], where[place].areas)
            rows += said.found
        return rows

    def _needs(self, period: Period, item: str) -> Needs | None:
        spec = mean_spec(self._kind, item, period.window) or mean_spec(self._kind, "PM2.5", "month")
        return None if spec is None else spec.needs_on(period.last_day)

    def _statistics(self, period: Period, found: Concentrations) -> list[Statistics]:
        """Return the statistics of each member."""
        columns: dict[str, list[Fraction | None]] = {}
        counts = found.present.sum(axis=-1)
        for place, item in enumerate(FACTORS):
            present, value = found.present[:, place], found.value[:, place]
            scale = 10 ** self._kind.factors[item].digits
            enough = complete(present, self._needs(period, item), period, self._rules)
            if item in _PERCENTILES:
                numbers = percentile(value, present, _PERCENTILES[item]).value
                column = [Fraction(number, scale) for number in numbers.tolist()]
            else:
                sums = np.where(present, value, 0).sum(axis=-1).tolist()
                column = [
                    Fraction(total, max(count, 1) * scale)
                    for total, count in zip(sums, counts[:, place].tolist(), strict=True)
                ]
            columns[item] = [value if ok else None for value, ok in zip(column, enough.tolist(), strict=True)]
        return [
            Statistics(
                values={item: columns[item][row] for item in FACTORS},
                valid=dict(zip(FACTORS, counts[row].tolist(), strict=True)),
            )
            for row in range(counts.shape[0])
        ]

    def _enough(self, period: Period, index: AirDays) -> NDArray[np.bool_]:
        """Return which members have as many days with an index as a share of good days needs."""
        return complete(index.valid, self._needs(period, "PM2.5"), period, self._rules)

    def _shares(self, period: Period, index: AirDays) -> list[Fraction | None]:
        """Return the share of good days in percent over valid days, where these are enough."""
        enough = self._enough(period, index).tolist()
        good = index.good(self._rules.air_year.good_level).sum(axis=-1).tolist()
        valid = index.valid.sum(axis=-1).tolist()
        return [Fraction(100 * g, v) if ok and v else None for g, v, ok in zip(good, valid, enough, strict=True)]

    def _say_days(self, said: _Rows, index: AirDays, place: int, share: Fraction | None) -> None:
        levels = index.level[place]
        valid, due = int((levels > 0).sum()), said.period.due
        counts: dict[str, Any] = {"valid": valid, "expected": due}
        said.add_exact(GOOD_SHARE, share, SHARE_DIGITS, **counts)
        said.add_count("good_days", int(index.good(self._rules.air_year.good_level)[place].sum()), **counts)
        for level in range(1, 7) if said.period.span is not Span.SEASON else ():
            said.add_count(f"days_{level}", int((levels == level).sum()), **counts)
        for item in _NAMED:
            row = FACTORS.index(item)
            said.add_count(f"{item}.over_days", int(index.over[place, row].sum()), **counts)
            said.add_count(f"{item}.primary_days", int(index.primary[place, row].sum()), **counts)

    def _recalculated(
        self, period: Period, found: Concentrations, past: Concentrations, earlier: Period
    ) -> list[tuple[str, list[tuple[Fraction | None, Fraction | None, int]]]]:
        """Return per edition each member's share, that of the year before, and valid days: all days by one edition."""
        if period.span is not Span.YEAR:
            return []
        made = []
        for edition in self._standards.index_editions:
            index, older = air_days(found, self._standards, edition), air_days(past, self._standards, edition)
            pairs = zip(
                self._shares(period, index),
                self._shares(earlier, older),
                index.valid.sum(axis=-1).tolist(),
                strict=True,
            )
            made.append((edition.name, list(pairs)))
        return made

    def _say_recalculated(
        self, said: _Rows, editions: Sequence[tuple[str, tuple[Fraction | None, Fraction | None, int]]]
    ) -> None:
        for name, (share, before, valid) in editions:
            more: dict[str, Any] = {"edition": name, "valid": valid, "expected": said.period.due}
            said.add_exact(GOOD_SHARE, share, SHARE_DIGITS, **more)
            change = None if share is None or before is None else share - before
            said.add_exact(f"{GOOD_SHARE}.yoy", change, SHARE_DIGITS, **more)

    def _say_changes(self, said: _Rows, now: Statistics, before: Statistics) -> None:
        for item in FACTORS:
            change = change_percent(now.values[item], before.values[item])
            more = {"valid": now.valid[item], "expected": said.period.due}
            said.add_exact(f"{item}.yoy", change, SHARE_DIGITS, **more)

    def _say_composite(self, said: _Rows, now: Statistics, before: Statistics) -> None:
        for form in self._rules.air_year.composite:
            found, older = composite_index(now.values, form), composite_index(before.values, form)
            missing = [item for item in FACTORS if now.values[item] is None]
            more: dict[str, Any] = {
                "edition": form.name,
                "valid": len(FACTORS) - len(missing),
                "expected": len(FACTORS),
            }
            digits = form.index_decimals
            if self._rules.air_year.runs_out(form, said.period.last_day):
                said.add(COMPOSITE, None, digits=digits, reason=UNSET, detail=f"no limits after {form.last}", **more)
                continue
            if found is None:
                said.add(COMPOSITE, None, digits=digits, reason=MISSING_ITEM, detail="; ".join(missing), **more)
                continue
            parts = "; ".join(f"{item} {_decimal(part, digits)}" for item, part in found.parts.items())
            said.add(COMPOSITE, found.value, digits=digits, detail=parts, primary=";".join(found.largest), **more)
            if older is not None:
                change = change_percent(Fraction(found.value), Fraction(older.value))
                said.add_exact(f"{COMPOSITE}.yoy", change, SHARE_DIGITS, **more)

    def _trends(self, period: Period, means: PeriodMeans, now: Sequence[Statistics]) -> list[Trend | None]:
        """Return the trend of the ozone statistic of each member over the years up to this one."""
        year = day_date(period.first_day).year
        values: list[dict[int, Fraction | None]] = [{} if period.open else {year: s.values["O3"]} for s in now]
        for back in range(1, _TREND_YEARS):
            earlier = shifted(period, -back)
            if earlier.open:
                earlier = Period(
                    window=earlier.window, span=earlier.span, first_day=earlier.first_day,
                    last_day=earlier.last_day, through_day=earlier.last_day,
                )  # fmt: skip
            days = means.past.days(means.members, _O3_DAYS, earlier.first_day, earlier.last_day)
            enough = complete(days.present, self._needs(period, "O3"), earlier, self._rules).tolist()
            numbers = percentile(days.value, days.present, _PERCENTILES["O3"]).value.tolist()
            for known, number, ok in zip(values, numbers, enough, strict=True):
                if ok:
                    known[year - back] = Fraction(number, 10 ** self._kind.factors["O3"].digits)
        rule = self._rules.air_year.trend
        slope = Fraction(str(rule.curbed_slope))
        return [trend(known, least_years=rule.least_years, curbed_slope=slope) for known in values]

    def _say_trend(self, said: _Rows, found: Trend) -> None:
        reason = OK if found.slope is not None else INCOMPLETE
        more: dict[str, Any] = {"valid": found.years, "expected": self._rules.air_year.trend.least_years}
        said.add_exact("O3.trend", found.slope, SHARE_DIGITS, reason=reason, detail=found.verdict.value, **more)

    def _say_year(self, said: _Rows, index: AirDays, place: int, areas: tuple[str, ...]) -> None:
        """Say the remaining bad days, and the marks of broken promises."""
        period, levels = said.period, index.level[place]
        good = self._rules.air_year.good_level
        valid, bad = int((levels > 0).sum()), int((levels > good).sum())
        counts: dict[str, Any] = {"valid": valid, "expected": period.due}
        for target in self._targets.of(areas, GOOD_SHARE) or (None,):
            share = None if target is None else target.value
            if target is None or share is None:
                label = "" if target is None else target.id
                said.add("bad_days_left", None, reason=UNSET, edition=label, **counts)
                continue
            to_come = period.length - period.due
            allowed = allowed_bad_days(valid + to_come, share / 100, strictly=target.direction is Direction.ABOVE)
            said.add_count("bad_days_left", allowed - bad, detail=f"{bad} of {allowed}", edition=target.id, **counts)
        for mark in self._rules.air_year.broken:
            hit = np.nonzero(levels >= mark.level)[0]
            named = [day_date(period.first_day + day).isoformat() for day in hit[:_DATES_NAMED].tolist()]
            said.add_count(f"broken.{mark.mark}", int(hit.size), detail="; ".join(named), level=mark.level, **counts)

    def _say_limits(self, said: _Rows, now: Statistics, zone: int) -> None:
        """Say how far each year's statistic is from its limit, by the limits of the period's last day."""
        for item, value in now.values.items():
            limit = self._standards.limit(item, _YEAR_LIMITS.get(item, "annual"), zone, said.period.last_day)
            if limit is None:
                continue
            gap = None if value is None else value - limit.quantity
            said.add_exact(
                f"{item}.year_limit",
                gap,
                SHARE_DIGITS,
                valid=now.valid[item],
                expected=said.period.due,
                level=None if gap is None else int(gap <= 0),
                detail=f"{limit.quantity} {limit.unit}",
                edition=limit.edition,
            )

    def _say_targets(self, said: _Rows, now: Statistics, share: Fraction | None, areas: tuple[str, ...]) -> None:
        """Say the distance to each target and to its base; unset and looser than the base are states of their own."""
        for measure, value in (*now.values.items(), (GOOD_SHARE, share)):
            valid = now.valid.get(measure, 0)
            for target in self._targets.of(areas, measure):
                more: dict[str, Any] = {"edition": target.id, "valid": valid, "expected": said.period.due}
                self._say_target(said, measure, judge_target(target, value), more)
                base = change_percent(value, target.base)
                reason = OK if base is not None else UNSET if target.base is None else INCOMPLETE
                said.add_exact(f"{measure}.base", base, SHARE_DIGITS, reason=reason, **more)

    def _say_target(self, said: _Rows, measure: str, judged: Judged, more: Mapping[str, Any]) -> None:
        words = [judged.standing.value, *(["regression"] if judged.regression else [])]
        level = {Standing.MET: 1, Standing.MISSED: 0}.get(judged.standing)
        reason = {Standing.UNSET: UNSET, Standing.NO_VALUE: INCOMPLETE}.get(judged.standing, OK)
        said.add_exact(
            f"{measure}.target", judged.gap, SHARE_DIGITS, reason=reason, detail=";".join(words), level=level, **more
        )

    def _joint_hours(self, period: Period, own: PeriodMeans, area: AreaView) -> list[PeriodRow]:
        """Return the hours of an area in which PM2.5 and ozone are high together."""
        hours = own.days(*JOINT_HOURS)
        enough = complete(hours.present, self._needs(period, "PM2.5"), period, self._rules)
        said = _Rows(period=period, site=area.id, complete=bool(enough[0]))
        if hours.came.any():
            total = int(np.where(hours.present, hours.value, 0).sum())
            said.add_count("joint_hours", total, valid=int(hours.present.sum()), expected=period.due)
        return said.found

    def _say_control(self, said: _Rows, now: Statistics, before: Statistics) -> None:
        """Say how many of PM2.5 and ozone fall on the year (双控), with what NO2 did beside them (双减)."""
        changes = {item: change_percent(now.values[item], before.values[item]) for item in ("PM2.5", "O3", "NO2")}
        told = "; ".join(
            f"{item} {'?' if change is None else _decimal(half_even(change, SHARE_DIGITS), SHARE_DIGITS)} %"
            for item, change in changes.items()
        )
        count = falling([changes["PM2.5"], changes["O3"]])
        known = sum(change is not None for change in changes.values())
        said.add("double_control", count, valid=known, expected=len(changes), detail=f"{told}; {CONTROL_GAP}")

    def _ranks(self, period: Period, children: PeriodMeans) -> list[PeriodRow]:
        """Return the ranks of areas among their equals; one without a value has none and takes nobody's place."""
        earlier = shifted(period, -1)
        found = concentrations(children)
        now = self._statistics(period, found)
        before = self._statistics(earlier, concentrations(children, over=earlier))
        shares = self._shares(period, air_days(found, self._standards))
        rows = [*self._ranked(period, children.members, "PM2.5", [s.values["PM2.5"] for s in now])]
        rows += self._ranked(period, children.members, GOOD_SHARE, [None if s is None else -s for s in shares])
        for form in self._rules.air_year.composite:
            if self._rules.air_year.runs_out(form, period.last_day):
                continue
            made = [composite_index(s.values, form) for s in now]
            older = [composite_index(s.values, form) for s in before]
            values = [None if m is None else Fraction(m.value) for m in made]
            change = [
                change_percent(v, None if o is None else Fraction(o.value)) for v, o in zip(values, older, strict=True)
            ]
            rows += self._ranked(period, children.members, COMPOSITE, values, form.name)
            rows += self._ranked(period, children.members, f"{COMPOSITE}.yoy", change, form.name)
        return rows

    def _ranked(
        self, period: Period, names: Sequence[str], measure: str, values: Sequence[Fraction | None], edition: str = ""
    ) -> Iterator[PeriodRow]:
        placed = ranks(dict(zip(names, values, strict=True)))
        known = sum(value is not None for value in values)
        for name, rank in placed.items():
            said = _Rows(period=period, site=name, complete=rank is not None)
            said.add(f"rank.{measure}", rank, valid=known, expected=len(names), edition=edition)
            yield from said.found


def air_year(context: PeriodContext) -> AirYear:
    """Return the evaluation for a kind that has the six items."""
    return AirYear(context.kind, context.standards, context.rules, context.targets)


def _decimal(fixed: int, digits: int) -> str:
    """Return a fixed-point number as text."""
    sign, number = "-" if fixed < 0 else "", abs(fixed)
    return f"{sign}{number // 10**digits}.{number % 10**digits:0{digits}d}"
