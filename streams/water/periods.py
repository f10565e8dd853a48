"""``water_period``: months, quarters and years of sections and of areas.

A section gets its class by the evaluation method, what is over its own target, trophic index, stability, watch
list, bay-entry nitrogen and masses; an area its shares, its rating, its drinking sources and its masses
(`streams.water.areas`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from sensors.kinds import Kind
from sensors.registry import Site
from sensors.windows import Span
from streams.judging.reasons import INCOMPLETE, INVALID, MISSING_ITEM, NO_ITEM, OK, SILENT, UNSET
from streams.periods.plan import AreaView, Period, PeriodMeans, PeriodRow, Series
from streams.periods.registered import PeriodContext
from streams.periods.targets import NO_TARGETS, Targets
from streams.standards import calendar_date, day_number
from streams.water.areas import BAY_NITROGEN, Areas, evaluated, is_bay_entry
from streams.water.classes import BODIES
from streams.water.classing import CLASS, OVER_TARGET, body_of, target_of
from streams.water.evaluation import TLI
from streams.water.masses import flux_rows, masses, year_before
from streams.water.rating import BayVerdict, bay_verdict
from streams.water.rows import Teller
from streams.water.sections import Sections, classed, day_means, least_items, rules_of, sections
from streams.water.stability import Month, steadiness, watched
from streams.water.standards import Body, Profile, WaterStandards, load_water_standards
from streams.water.trophic import grades, trophic_index, unit_factor

STABILITY: Final = "stability"
WATCH: Final = "watch"
"""Factor of the months that fail although the year passes; 0: not on the watch list."""
_MONTHS: Final = 12
_LONGEST_MONTH: Final = 31


def water_period(context: PeriodContext) -> WaterPeriod:
    """Return the evaluation of periods of water."""
    return WaterPeriod(context.kind, load_water_standards(), context.targets)


class WaterPeriod:
    """What the evaluation method says of sections and of areas over a period."""

    name: Final = "water_period"
    spans: Final = frozenset({Span.DAY, Span.MONTH, Span.QUARTER, Span.YEAR})

    def __init__(self, kind: Kind, standards: WaterStandards, targets: Targets = NO_TARGETS) -> None:
        self._kind, self._standards = kind, standards
        months = max((rules.stability.months for rules in standards.evaluations), default=1)
        self.looks_back: Final = {Span.MONTH: (months - 1) * _LONGEST_MONTH}
        """The stability of a month is that of the months up to it."""
        self._areas = Areas(kind, targets)

    def site(self, period: Period, means: PeriodMeans, sites: tuple[Site, ...]) -> list[PeriodRow]:
        """Return what is said of sections over a period."""
        rules = rules_of(self._standards, period.last_day)
        if rules is None or not sites:
            return []
        found = sections(means, sites, rules)
        say = Teller(period=period, rules=rules)
        rows = [*_class_rows(say, found), *_apart(say, means, sites)]
        rows += self._trophic(say, means, sites)
        rows += _fluxes(say, means)
        if period.span is Span.MONTH:
            rows += _stability(say, found, means, sites)
        if period.span is Span.YEAR:
            rows += _watch(say, found, means, sites)
            rows += _bay(say, means, sites)
        return rows

    def area(self, period: Period, members: PeriodMeans, area: AreaView, sites: tuple[Site, ...]) -> list[PeriodRow]:
        """Return what is said of an area over a period."""
        rules = rules_of(self._standards, period.last_day)
        if rules is None or not sites:
            return []
        if period.span is Span.DAY:
            members = day_means(members)
        return self._areas.rows(Teller(period=period, rules=rules), members, area, sites)

    def _trophic(self, say: Teller, means: PeriodMeans, sites: tuple[Site, ...]) -> Iterator[PeriodRow]:
        """Yield the trophic index of lakes, from the period's means."""
        rule = self._standards.trophic_at(say.period.last_day)
        names = [item.factor for item in rule.items]
        if not set(names) <= set(means.factors):
            return
        at = [means.at(name) for name in names]
        units = [
            unit_factor(item.unit, self._kind.factors[item.factor].unit) / 10 ** means.digits[place]
            for item, place in zip(rule.items, at, strict=True)
        ]
        found = trophic_index(means.value[:, at, None], means.present[:, at, None], units, rule)
        grade = grades(found, rule)
        for place, site in enumerate(sites):
            if BODIES[body_of(site)] is not Body.LAKE:
                continue
            there, usable = bool(found.present[place, 0]), found.usable[place, :, 0]
            lacking = [name for name, good in zip(names, usable, strict=True) if not good]
            zero = bool((means.present[place, at] & ~usable).any())
            none = NO_ITEM if len(lacking) == len(names) else INVALID if zero else MISSING_ITEM
            yield say.row(
                site.id, TLI, value=int(found.value[place, 0]) if there else None, digits=rule.digits,
                valid=len(names) - len(lacking), expected=len(names), reason=OK if there else none,
                detail=f"missing: {', '.join(lacking)}" if lacking else "",
                level=int(grade[place, 0]) if there else None, edition=rule.name,
            )  # fmt: skip


def _apart(say: Teller, means: PeriodMeans, sites: tuple[Site, ...]) -> Iterator[PeriodRow]:
    """Yield the classes of what enters no class of a section."""
    for item in say.rules.rules.apart:
        if item not in means.factors:
            continue
        found = sections(means, sites, say.rules, (item,))
        for place, site in enumerate(sites):
            level = found.class_of(place)
            if level is not None:
                yield say.row(site.id, f"{CLASS}.{item}", value=level, valid=1, expected=1, level=level)


def _fluxes(say: Teller, means: PeriodMeans) -> Iterator[PeriodRow]:
    for factor in say.rules.rules.flux.factors:
        now = masses(means, factor, say.period)
        before = masses(means, factor, year_before(say.period))
        for place, name in enumerate(means.members):
            if now.came[place]:
                yield from flux_rows(say, name, factor, now.at(place), before.at(place))


def _class_rows(say: Teller, found: Sections) -> Iterator[PeriodRow]:
    """Yield the class of each section, and how many items are over its own target."""
    rules = found.rules.rules
    of = rules.profiles[Profile.EVALUATION].of
    for place, name in enumerate(found.members):
        worst, reason = found.class_of(place), found.reason(place)
        target, counted = int(found.target[place]), int(found.counted[place])
        detail, deciding = found.detail(place, rules.multiples_over), found.deciding(place)
        yield say.row(
            name, CLASS, value=worst, valid=counted, expected=of, reason=reason, detail=detail, level=worst,
            primary=deciding,
        )  # fmt: skip
        over = found.over(place, target) if target and worst else []
        yield say.row(
            name, OVER_TARGET, value=len(over) if target and worst else None, valid=counted, expected=of,
            reason=reason if target else UNSET, detail="; ".join(over), level=worst,
            primary=";".join(item.partition(" ")[0] for item in over),
        )  # fmt: skip


def _months(period: Period, count: int) -> list[Period]:
    """Return the ``count`` months that end with the one that holds the newest day that is over, oldest first."""
    newest = calendar_date(period.through_day)
    found = []
    for back in range(count - 1, -1, -1):
        number = newest.year * _MONTHS + newest.month - 1 - back
        first = day_number(date(number // _MONTHS, number % _MONTHS + 1, 1))
        last = day_number(date((number + 1) // _MONTHS, (number + 1) % _MONTHS + 1, 1)) - 1
        through = min(last, period.through_day)
        found.append(Period(window="month", span=Span.MONTH, first_day=first, last_day=last, through_day=through))
    return found


def _by_month(
    found: Sections, means: PeriodMeans, sites: Sequence[Site], months: Sequence[Period]
) -> list[list[Month]]:
    """Return the months of each section with their classes."""
    items = _measured(found, means, months[0].first_day, months[-1].through_day)
    classes = [
        classed(
            means.over(month, items),
            found.body,
            found.target,
            found.rules,
            items,
            least_items(month, sites, means.factors, found.rules),
        )
        for month in months
    ]
    return [
        [
            Month(last_day=month.through_day, water_class=part.class_of(place))
            for month, part in zip(months, classes, strict=True)
        ]
        for place in range(len(found.members))
    ]


def _measured(found: Sections, means: PeriodMeans, first_day: int, last_day: int) -> tuple[str, ...]:
    """Return the items of which something came; one at least. The others need no means."""
    came = [
        item
        for item in found.items
        if means.past.days(found.members, Series(item, "24h"), first_day, last_day).came.any()
    ]
    return tuple(came or found.items[:1])


def _stability(say: Teller, found: Sections, means: PeriodMeans, sites: tuple[Site, ...]) -> Iterator[PeriodRow]:
    """Yield the stability index of the months up to this one."""
    rule = say.rules.rules.stability
    months = _by_month(found, means, sites, _months(say.period, rule.months))
    for site, row in zip(sites, months, strict=True):
        target = target_of(site) or None
        steady = steadiness(row, target, rule)
        told = [
            f"passed {steady.passed} of {steady.months}" if target else "",
            f"fluctuation {float(steady.fluctuation):.2f}" if steady.fluctuation is not None else "",
            f"{steady.days_since_fail} days since the last failed month" if steady.days_since_fail is not None else "",
        ]
        yield say.row(
            site.id, STABILITY, value=steady.index, digits=steady.digits, valid=steady.months, expected=rule.months,
            reason=OK if steady.index is not None else INCOMPLETE if target else UNSET,
            detail="; ".join(part for part in told if part), edition=steady.formula,
        )  # fmt: skip


def _watch(say: Teller, found: Sections, means: PeriodMeans, sites: tuple[Site, ...]) -> Iterator[PeriodRow]:
    """Yield how many months of the year fail although the year passes."""
    months = _by_month(found, means, sites, _months(say.period, calendar_date(say.period.through_day).month))
    for place, (site, row) in enumerate(zip(sites, months, strict=True)):
        target, year_class = target_of(site) or None, found.class_of(place)
        failed = watched(year_class, row, target)
        known = target is not None and year_class is not None
        yield say.row(
            site.id, WATCH, value=len(failed) if known else None,
            valid=sum(month.water_class is not None for month in row), expected=len(row),
            reason=OK if known else UNSET if target is None else NO_ITEM,
            detail=", ".join(f"{calendar_date(day):%Y-%m}" for day in failed), level=year_class,
        )  # fmt: skip


def _bay(say: Teller, means: PeriodMeans, sites: tuple[Site, ...]) -> Iterator[PeriodRow]:
    """Yield the year's nitrogen of bay entries against its step and the year before."""
    rule = say.rules.rules.bay
    if rule.factor not in means.factors:
        return
    place = means.at(rule.factor)
    digits = means.digits[place]
    earlier = means.over(year_before(say.period), means.factors)
    for at, site in enumerate(sites):
        if not is_bay_entry(site):
            continue
        now, before = (evaluated(part, at, place, say.rules) for part in (means, earlier))
        verdict = bay_verdict(calendar_date(say.period.first_day).year, now, before, rule)
        yield say.row(
            site.id, BAY_NITROGEN, value=None if now is None else round(now * 10**digits), digits=digits,
            valid=int(means.valid[at, place]), expected=int(means.expected[at, place]),
            reason=int(means.reason[at, place] or SILENT) if now is None else OK, detail=_bay_text(verdict),
        )  # fmt: skip


def _bay_text(verdict: BayVerdict) -> str:
    limit = "unset" if verdict.limit is None else f"{float(verdict.limit):g} mg/L"
    return f"{verdict.verdict}: step {limit}; declining: {verdict.declining}"
