"""The period evaluation ``load_period``: totals of months, quarters and years, quotas, cuts; of sites, firms, parks.

======================  =========  ===========================================================================
factor                  window     value
======================  =========  ===========================================================================
``COD.load``            all        kg let out; days that are not effective by the rule of HJ 356, which is told
``flow.volume``         all        m³ let out
``COD.quota``           ``year``   kg left of the quota (below 0: used up); ``level`` as for limits; what is known
                                   to be used stands in the detail, also where too few days are known for a value
``COD.exhaustion``      ``year``   days until the quota is used up; the date and the method are told
``COD.cut``             ``year``   % below the base year, of a closed year
======================  =========  ===========================================================================

A total of which fewer days are known than the share of HJ 356 (of an area, days of its outlets) has no value. One with
enough, but not all, is a lower bound: it stands beside the reason ``incomplete`` and says so in its detail. The total
of an area is that of its outlets without rain-water outlets, those whose water goes through another outlet of the area,
and those that do not measure the factor by plan. A row of a site counts days, one of an area the outlets of which every
day is known.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from sensors.clock import BEIJING_OFFSET_MS, DAY_MS
from sensors.factors import Factor, Form
from sensors.flags import Mark
from sensors.registry import Site
from sensors.windows import Span
from streams.discharge.effective import EffectiveRule, LoadHistory, Method, day_load, load_effective_rule
from streams.discharge.judgement import Level
from streams.discharge.loads import DIGITS, LOAD, VOLUME
from streams.discharge.permits import Cut, EnterpriseMark, Holder, Permits, Quota
from streams.discharge.quotas import METHOD, Outlook, Projection, Standing, balance, project, reached
from streams.judging.reasons import INCOMPLETE, NOT_IN_PLAN, NOT_JUDGED, OK, SILENT, UNSET
from streams.periods.plan import AreaView, Period, PeriodMeans, PeriodRow, Series
from streams.periods.registered import PeriodContext

QUOTA: Final = ".quota"
EXHAUSTION: Final = ".exhaustion"
CUT: Final = ".cut"
_DAY: Final = "24h"
_LOOK_BACK: Final = 400
"""Days before a calibration in which 30 effective ones are looked for."""
_ALL_PAST: Final = 10**6
"""Days."""
_PERCENT_DIGITS: Final = 2
LOWER_BOUND: Final = "lower_bound"
"""In the detail of a sum of which some days are not known: how many of how many are."""
_Ints = NDArray[np.int64]


def load_period(context: PeriodContext) -> LoadPeriod:
    """Return the period evaluation of a kind that has loads."""
    permits = context.permits if isinstance(context.permits, Permits) else Permits()
    return LoadPeriod(context.kind.factors, permits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Loads of the days of a period that are over, of one factor: arrays [members, days]."""

    grams: _Ints
    """0 where not known."""
    known: NDArray[np.bool_]
    methods: NDArray[np.uint8]
    """Places in `METHODS`."""
    area: bool = False
    """Whether the members are the outlets of an area."""

    @property
    def valid(self) -> int:
        """Days that are known; of an area, outlets of which all are."""
        return int(self.known.all(axis=1).sum() if self.area else self.known.sum())

    @property
    def expected(self) -> int:
        """Days that are over; of an area, its outlets."""
        return len(self.known) if self.area else self.known.size


_REASONS: Final = {
    Outlook.ON: OK,
    Outlook.USED_UP: OK,
    Outlook.NOT_THIS_YEAR: NOT_JUDGED,
    Outlook.UNKNOWN: INCOMPLETE,
}
METHODS: Final = tuple(Method)
_MEASURED: Final = METHODS.index(Method.MEASURED)
_NONE: Final = METHODS.index(Method.NONE)


class LoadPeriod:
    """Totals, quotas and cuts.

    Parameters
    ----------
    factors
        Of the kind: those weighted by flow have loads.
    permits
        Quotas, cuts, calibrations, samples and marks.
    rule
        The figures of HJ 356.
    """

    name = "load_period"
    spans = frozenset({Span.MONTH, Span.QUARTER, Span.YEAR})

    def __init__(self, factors: Mapping[str, Factor], permits: Permits, rule: EffectiveRule | None = None) -> None:
        weighted = [factor for factor in factors.values() if factor.form is Form.FLOW_WEIGHTED]
        self._loads = tuple((factor.symbol, factor.by) for factor in weighted)
        self._flows = tuple(dict.fromkeys(factor.by for factor in weighted))
        self._permits = permits
        calibrated = any(holder.calibrations for holder in permits.sites.values())
        self.looks_back: Mapping[Span, int] = dict.fromkeys(self.spans, _ALL_PAST) if calibrated else {}
        """What stands in for a day comes from before the last calibration, however long ago that was."""
        self._rule = rule or load_effective_rule()

    def site(self, period: Period, means: PeriodMeans, sites: tuple[Site, ...]) -> list[PeriodRow]:
        """Return totals, and of years balances, of sites."""
        rows: list[PeriodRow] = []
        for flow in self._flows:
            volume = self._volumes(means, flow)
            for place, site in enumerate(sites):
                rows.append(_total(period, site.id, flow + VOLUME, _row(volume, place), self._rule))
        for factor, flow in self._loads:
            days = self._days(means, factor, flow, sites)
            for place, site in enumerate(sites):
                holder, mine = self._permits.site(site.id), _row(days, place)
                rows += self._said(period, site.id, factor, mine, holder)
        return rows

    def area(self, period: Period, members: PeriodMeans, area: AreaView, sites: tuple[Site, ...]) -> list[PeriodRow]:
        """Return totals, and of years balances and cuts, of a firm, park or other area."""
        counted = np.array(counts(sites), np.bool_)
        if not counted.any():
            return []
        holder = self._permits.area(area.id)
        rows = [
            _total(period, area.id, flow + VOLUME, _rows(self._volumes(members, flow), counted), self._rule)
            for flow in self._flows
        ]
        for factor, flow in self._loads:
            planned = (members.days(factor + LOAD, _DAY).reason != NOT_IN_PLAN).any(axis=1) & counted
            days = _rows(self._days(members, factor, flow, sites), planned if planned.any() else counted)
            rows += self._said(period, area.id, factor, days, holder)
        return rows

    def _said(self, period: Period, name: str, factor: str, days: Days, holder: Holder) -> Iterator[PeriodRow]:
        yield _total(period, name, factor + LOAD, days, self._rule)
        if period.span is not Span.YEAR:
            return
        year = dt.date.fromordinal(dt.date(1970, 1, 1).toordinal() + period.first_day).year
        quota = holder.quota(factor, year)
        if quota is not None:
            yield from _quota_rows(period, name, days, quota, self._rule)
        for cut in holder.cuts:
            if cut.factor == factor and year <= cut.year and not period.open:
                yield _cut_row(period, name, days, cut, self._rule)

    def _volumes(self, means: PeriodMeans, flow: str) -> Days:
        found = means.days(flow + VOLUME, _DAY)
        return Days(
            grams=np.where(found.present, found.value, 0),
            known=found.present,
            methods=np.where(found.present, _MEASURED, _NONE).astype(np.uint8),
        )

    def _days(self, means: PeriodMeans, factor: str, flow: str, sites: Sequence[Site]) -> Days:
        """Return the loads that count for each day, those of HJ 356 where a day is not effective."""
        found = means.days(factor + LOAD, _DAY)
        grams, known = np.where(found.present, found.value, 0), found.present.copy()
        methods = np.where(known, _MEASURED, _NONE).astype(np.uint8)
        for place, site in enumerate(sites):
            gaps = np.flatnonzero(~known[place])
            holder = self._permits.site(site.id)
            days = found.days
            if gaps.size and (holder.calibrations.get(factor) or holder.samples):
                history = _history(means, site, (factor, flow), holder, (int(days[0]), int(days[-1])))
                for gap in gaps.tolist():
                    load = day_load(int(days[gap]), history, self._rule)
                    methods[place, gap] = METHODS.index(load.method)
                    known[place, gap] = load.grams is not None
                    grams[place, gap] = load.grams or 0
        return Days(grams=grams, known=known, methods=methods)


def counts(sites: Sequence[Site]) -> list[bool]:
    """Return which outlets add to the total of their area.

    Rain-water outlets do not, nor outlets whose water is received by another of the sites: it would be counted
    twice.
    """
    here = {site.id for site in sites}
    return [site.setting.get("use") != "rain" and site.setting.get("receives") not in here for site in sites]


def _history(
    means: PeriodMeans, site: Site, names: tuple[str, str], holder: Holder, days: tuple[int, int]
) -> LoadHistory:
    """Return what is known of the loads of one outlet, up to the last of some days."""
    factor, flow = names
    passed = [day for day in holder.calibrations.get(factor, ()) if day <= days[1]]
    first = min([days[0], *passed]) - _LOOK_BACK
    loads = means.past.days((site.id,), Series(factor + LOAD, _DAY), first, days[1])
    volumes = means.past.days((site.id,), Series(flow + VOLUME, _DAY), days[0], days[1])
    return LoadHistory(
        grams=_by_day(loads.days, loads.value[0], loads.present[0]),
        litres=_by_day(volumes.days, volumes.value[0], volumes.present[0]),
        calibrations=tuple(holder.calibrations.get(factor, ())),
        samples={sample.day: sample for sample in holder.samples if sample.factor == factor},
        abnormal=frozenset(day for mark in holder.marks for day in _days_of(mark)),
    )


def _by_day(days: _Ints, values: _Ints, present: NDArray[np.bool_]) -> dict[int, int]:
    return dict(zip(days[present].tolist(), values[present].tolist(), strict=True))


def _days_of(mark: EnterpriseMark) -> range:
    return range((mark.start + BEIJING_OFFSET_MS) // DAY_MS, (mark.end - 1 + BEIJING_OFFSET_MS) // DAY_MS + 1)


def _row(days: Days, place: int) -> Days:
    one = slice(place, place + 1)
    return Days(grams=days.grams[one], known=days.known[one], methods=days.methods[one])


def _rows(days: Days, mask: NDArray[np.bool_]) -> Days:
    return Days(grams=days.grams[mask], known=days.known[mask], methods=days.methods[mask], area=True)


def _enough(days: Days, rule: EffectiveRule) -> bool:
    """Return whether so many days are known that their sum may be said; of an area, days of its outlets."""
    return rule.enough(int(days.known.sum()), days.known.size)


def _total(period: Period, name: str, factor: str, days: Days, rule: EffectiveRule) -> PeriodRow:
    """Return the total of a period; of days that are not all known it is a lower bound, of too few there is none."""
    known = bool(days.known.any())
    told = _lower_bound(days) if _enough(days, rule) else {}
    count = {method.value: int((days.methods == place).sum()) for place, method in enumerate(METHODS)}
    stood_in = count[Method.MANUAL] + count[Method.LARGEST]
    return _made(
        period,
        name,
        factor,
        value=int(days.grams.sum()) if _enough(days, rule) else None,
        digits=DIGITS,
        valid=days.valid,
        expected=days.expected,
        reason=(OK if days.valid == days.expected else INCOMPLETE) if known else SILENT,
        detail=_json({method: number for method, number in count.items() if number and stood_in} | told)
        if stood_in or told
        else "",
        flags=int(Mark.SUBSTITUTED) if stood_in else 0,
    )


def _lower_bound(days: Days) -> dict[str, object]:
    """Return what is said of a sum some days of which are not known."""
    return {} if days.known.all() else {LOWER_BOUND: f"{int(days.known.sum())}/{days.known.size}"}


def _quota_rows(period: Period, name: str, days: Days, quota: Quota, rule: EffectiveRule) -> Iterator[PeriodRow]:
    """Yield what is left of a quota and when it will be used up.

    With too few days known nothing is said to be left. What is known to be used is a lower bound: it may prove that a
    quota is used up, or nearly, but never that it is not.
    """
    used, enough = int(days.grams.sum()), _enough(days, rule)
    found = balance(used, quota.grams)
    flags = int(Mark.SUBSTITUTED) if np.isin(days.methods, (_MEASURED, _NONE), invert=True).any() else 0
    counts_of = {"digits": DIGITS, "valid": days.valid, "expected": days.expected, "flags": flags}
    if quota.grams is None:
        detail = _json({"standing": Standing.UNSET, "used_g": used, "source": quota.source} | _lower_bound(days))
        yield _made(period, name, quota.factor + QUOTA, value=None, reason=UNSET, detail=detail, **counts_of)
        return
    told = {
        "standing": found.standing,
        "quota_g": quota.grams,
        "used_g": used,
        "percent": _percent(found.share),
        "source": quota.source,
    } | _lower_bound(days)
    yield _made(
        period,
        name,
        quota.factor + QUOTA,
        value=found.left if enough else None,
        reason=OK if days.valid == days.expected else INCOMPLETE,
        detail=_json(told),
        level=int(found.level) if enough or found.level > Level.WITHIN else None,
        **counts_of,
    )
    yield _exhaustion_row(period, name, days, (quota, quota.grams), rule)


def _exhaustion_row(period: Period, name: str, days: Days, held: tuple[Quota, int], rule: EffectiveRule) -> PeriodRow:
    """Return when a quota (and its grams) will be used up; with too few days known no number and no new date."""
    (quota, grams), enough = held, _enough(days, rule)
    together = days.grams.sum(axis=0)
    whole: list[bool] = np.asarray(days.known.any(axis=0)).tolist()
    loads = [load if there else None for load, there in zip(together.tolist(), whole, strict=True)]
    found = project(loads, period.first_day, period.last_day, grams)
    if not enough and found.outlook is not Outlook.USED_UP:
        found = Projection(outlook=Outlook.UNKNOWN, day=None)
    return _made(
        period,
        name,
        quota.factor + EXHAUSTION,
        value=found.day - period.through_day if enough and found.day is not None else None,
        digits=0,
        valid=sum(whole),
        expected=len(whole),
        reason=_REASONS[found.outlook] if enough else INCOMPLETE,
        detail=_json({"outlook": found.outlook, "date": found.date, "method": METHOD}),
    )


def _cut_row(period: Period, name: str, days: Days, cut: Cut, rule: EffectiveRule) -> PeriodRow:
    whole = days.valid == days.expected
    share, level = reached(int(days.grams.sum()), cut)
    unset = share is None or cut.share is None
    told = {
        "base_year": cut.base_year,
        "by": cut.year,
        "percent": None if cut.share is None else _percent(cut.share),
        "source": cut.source,
    } | _lower_bound(days)
    return _made(
        period,
        name,
        cut.factor + CUT,
        value=None if share is None or not _enough(days, rule) else round(share * 100 * 10**_PERCENT_DIGITS),
        digits=_PERCENT_DIGITS,
        valid=days.valid,
        expected=days.expected,
        reason=UNSET if unset else OK if whole else INCOMPLETE,
        detail=_json(told),
        level=int(level) if whole and level >= 0 else None,
    )


def _made(period: Period, name: str, factor: str, **columns: Any) -> PeriodRow:
    return PeriodRow(site=name, factor=factor, window=period.window, start_day=period.start_day, **columns)


def _percent(share: Fraction | None) -> str | None:
    return None if share is None else f"{float(round(share * 100, 1)):.1f}"


def _json(told: Mapping[str, object]) -> str:
    return msgspec.json.encode(told).decode()
