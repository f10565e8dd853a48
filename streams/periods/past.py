"""What is held of members: their days, and the kind's own windows made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensors.factors import Factor, Form
from sensors.kinds import Kind
from sensors.windows import LONG, Span, Statistic, WindowSpec
from streams.judging.hashing import Hash
from streams.judging.means import Flags, Ints
from streams.judging.reasons import CALM, INCOMPLETE, NO_FLOW, NOT_IN_PLAN, OK, SILENT, States
from streams.periods.pages import Pages
from streams.periods.plan import DayValues, Period, PeriodMeans, Series
from streams.periods.rules import PeriodRules, complete_over
from streams.periods.spans import Cluster, DaySpan, between, bits_between, clusters, running
from streams.periods.statistics import Taken, greatest, least, percentile, quotient, take

NOTHING_WEIGHS: Final[Mapping[Form, int]] = {Form.FLOW_WEIGHTED: NO_FLOW, Form.VECTOR: CALM}
"""Form that weighs by another factor → the reason where that was known and nothing: such a day or site is known, and
weighs nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One window of one factor: arrays [rows, periods]."""

    value: Ints
    present: Flags
    valid: Ints
    expected: Ints
    """[periods]."""
    reason: States
    marks: NDArray[np.int32]
    inputs: Hash
    due: Flags
    """Some day came, so the window is said."""

    def column(self, place: int) -> Found:
        """Return what was found of one period: arrays [rows]."""
        every = {name: getattr(self, name) for name in self.__slots__}
        return Found(**{name: array if name == "expected" else array[:, place] for name, array in every.items()})


class Held:
    """The day values that a partition holds; implements `streams.periods.plan.Past`.

    Parameters
    ----------
    kind
        Its windows say what is made of which days, and what they need.
    rules
        What the kind's rules of completeness stand for.
    members
        Ids in the order of the pages' rows.
    pages
        The day values.
    """

    def __init__(self, kind: Kind, rules: PeriodRules, members: Sequence[str], pages: Pages) -> None:
        self._kind, self._rules, self._pages = kind, rules, pages
        self._row = {name: row for row, name in enumerate(members)}
        self._none = np.zeros(0, np.intp)

    def rows(self, members: Sequence[str]) -> NDArray[np.intp]:
        """Return the pages' rows of members."""
        return np.array([self._row[name] for name in members], np.intp)

    def days(self, members: Sequence[str], series: Series, first_day: int, last_day: int) -> DayValues:
        """Return the days from ``first_day`` to ``last_day``, both inside; of an unknown series nothing came."""
        return self._pages.stretch(series, self.rows(members), first_day, last_day).values

    def means(self, members: Sequence[str], period: Period, factors: Sequence[str] | None = None) -> PeriodMeans:
        """Return the form-aware mean of every factor, or of those named, over a period, with all stored digits.

        A factor for which the kind has no window of this span has none here either.
        """
        kind = self._kind
        rows = self.rows(members)
        names = tuple(kind.factors if factors is None else factors)
        found = [self._mean(rows, kind.factors[name], period) for name in names]
        return PeriodMeans(
            period=period,
            members=tuple(members),
            factors=names,
            digits=tuple(kind.factors[name].digits for name in names),
            value=np.stack([f.value for f in found], axis=1),
            present=np.stack([f.present for f in found], axis=1),
            valid=np.stack([f.valid for f in found], axis=1),
            expected=np.full((rows.size, len(found)), period.due, np.int64),
            reason=np.stack([f.reason for f in found], axis=1),
            past=self,
        )

    def bare(self, members: Sequence[str], period: Period) -> PeriodMeans:
        """Return means without a factor, for evaluations that only look at the days."""
        none = np.zeros((len(members), 0), np.int64)
        return PeriodMeans(
            period=period,
            members=tuple(members),
            factors=(),
            digits=(),
            value=none,
            present=none > 0,
            valid=none,
            expected=none,
            reason=none.astype(np.uint8),
            past=self,
        )

    def sums(self, rows: NDArray[np.intp], series: Series, cluster: Cluster) -> Sums:
        """Return the days that periods share, of some rows of the pages."""
        return Sums(self._pages, rows, series, cluster)

    def windows(self, sums: Sums, spec: WindowSpec, factor: Factor, periods: Sequence[Period], of: Cluster) -> Found:
        """Return one of the kind's own windows over many periods: arrays [rows, periods].

        Parameters
        ----------
        sums
            The days of `base_series` that these periods share.
        spec, factor
            The window.
        periods
            Each with a day that is over.
        of
            Where each period stands among the days.
        """
        return self._judged((spec, factor), periods, sums, of, self._taken(sums, spec, factor, of))

    def _mean(self, rows: NDArray[np.intp], factor: Factor, period: Period) -> Found:
        spec = mean_spec(self._kind, factor.symbol, period.window)
        series = None if spec is None else base_series(self._kind, factor.symbol, spec)
        # Most of a kind's optional factors never come: nothing need be looked up for them.
        if spec is None or series is None or period.due == 0 or series not in self._pages.series:
            nothing = np.zeros(rows.size, np.int64)
            return Found(
                value=nothing,
                present=nothing > 0,
                valid=nothing,
                expected=np.array([period.due]),
                reason=np.full(rows.size, SILENT, np.uint8),
                marks=nothing.astype(np.int32),
                inputs=nothing.astype(np.uint64),
                due=nothing > 0,
            )
        (cluster,) = clusters([DaySpan(period.first_day, period.through_day)])
        sums = self.sums(rows, series, cluster)
        return self._judged((spec, factor), [period], sums, cluster, self._formed(sums, factor, cluster, 1)).column(0)

    def _taken(self, sums: Sums, spec: WindowSpec, factor: Factor, of: Cluster) -> Taken:
        """Return what a window's statistic makes of each period: arrays [rows, periods]."""
        step = factor.step if spec.step == "factor" else 1
        match spec.statistic:
            case Statistic.MAX:
                return _each(of, lambda days: greatest(sums.value[:, days], sums.present[:, days]))
            case Statistic.MIN:
                return _each(of, lambda days: least(sums.value[:, days], sums.present[:, days]))
            case Statistic.SUM:
                counts = between(sums.counts, of)
                return quotient(between(sums.totals, of), (counts > 0).astype(np.int64), step)
            case Statistic.COUNT:
                counts = between(sums.counts, of).astype(np.int64)
                return Taken(counts, counts > 0)
            case Statistic.PERCENTILE if (share := spec.percentile) is not None:
                return _each(of, lambda days: percentile(sums.value[:, days], sums.present[:, days], share, step))
            case _:
                return self._formed(sums, factor, of, step)

    def _formed(self, sums: Sums, factor: Factor, of: Cluster, step: int) -> Taken:
        """Return what a factor's form makes of each period."""
        if factor.form in _SUMMED:
            counts = between(sums.counts, of).astype(np.int64)
            by = counts if factor.form is Form.MEAN else (counts > 0).astype(np.int64)
            return quotient(between(sums.totals, of), by, step)
        flow = None
        if factor.form in NOTHING_WEIGHS:
            flow = self.sums(sums.rows, base_series(self._kind, factor.by, None), sums.cluster)

        def made(days: slice) -> Taken:
            weights = None if flow is None else (flow.value[:, days], flow.present[:, days])
            values, present = sums.value[:, days], sums.present[:, days]
            return take(factor.form, values, present, digits=factor.digits, step=step, weights=weights)

        return _each(of, made)

    def _judged(
        self, window: tuple[WindowSpec, Factor], periods: Sequence[Period], sums: Sums, of: Cluster, taken: Taken
    ) -> Found:
        """Return a window with its value taken away where it is not complete, and the reason for that."""
        spec, factor = window
        none = NOTHING_WEIGHS.get(factor.form)
        known = sums.counts if none is None else sums.known(none)
        needs = [(period, spec.needs_on(period.last_day)) for period in periods]
        enough = complete_over(known, of, needs, self._rules)
        present = enough & taken.ok
        came = between(sums.came, of) > 0
        unplanned = came & (between(sums.planned, of) == 0)
        silent = between(sums.loud, of) == 0
        why = np.where(unplanned, NOT_IN_PLAN, np.where(silent, SILENT, INCOMPLETE))
        if none is not None:
            why = np.where(enough & ~taken.ok, none, why)
        return Found(
            value=np.where(present, taken.value, 0),
            present=present,
            valid=between(known, of).astype(np.int64),
            expected=np.array([period.due for period in periods]),
            reason=np.where(present, OK, why).astype(np.uint8),
            marks=bits_between(sums.marks, of),
            inputs=np.bitwise_or(between(sums.content, of), came.astype(np.uint64)),
            due=came,
        )


class Sums:
    """Days of one series of some members, and running sums over them; each is made when it is first asked for.

    Parameters
    ----------
    pages
        The day values.
    rows
        Of the pages.
    series
        What is summed.
    cluster
        The days.
    """

    def __init__(self, pages: Pages, rows: NDArray[np.intp], series: Series, cluster: Cluster) -> None:
        self.rows, self.cluster = rows, cluster
        self._stretch = pages.stretch(series, rows, cluster.first, cluster.last)
        self._days = self._stretch.values
        self.value, self.present, self.marks = self._days.value, self._days.present, self._stretch.marks

    @cached_property
    def totals(self) -> Ints:
        """Of values, [rows, days + 1]."""
        return running(np.where(self.present, self.value, 0))

    @cached_property
    def counts(self) -> NDArray[np.int32]:
        """Of valid days."""
        return running(self.present, np.int32)

    @cached_property
    def came(self) -> NDArray[np.int32]:
        """Of days of which a row came."""
        return running(self._days.came, np.int32)

    @cached_property
    def planned(self) -> NDArray[np.int32]:
        """Of days of which a row came that does not say that nothing is measured by plan."""
        return running(self._days.came & (self._days.reason != NOT_IN_PLAN), np.int32)

    @cached_property
    def loud(self) -> NDArray[np.int32]:
        """Of days that are not silent."""
        return running(self._days.reason != SILENT, np.int32)

    @cached_property
    def content(self) -> Hash:
        """Of the hashes of the days."""
        return running(self._stretch.content, np.uint64)

    def known(self, none: int) -> NDArray[np.int32]:
        """Return the running sums of days that are valid, or known to weigh nothing for this reason."""
        return running(self.present | (self._days.came & (self._days.reason == none)), np.int32)


_SUMMED: Final = frozenset({Form.MEAN, Form.SUM, Form.COUNTER})
"""Forms that only need the sum and the count of the days."""


def _each(of: Cluster, made: Callable[[slice], Taken]) -> Taken:
    """Return what is made of the days of each span, one after the other: arrays [rows, spans]."""
    found = [made(slice(begin, end)) for begin, end in zip(of.begin.tolist(), of.end.tolist(), strict=True)]
    return Taken(np.stack([one.value for one in found], axis=1), np.stack([one.ok for one in found], axis=1))


def mean_spec(kind: Kind, factor: str, window: str) -> WindowSpec | None:
    """Return the kind's window that makes a factor's mean over a period; another statistic's where it has none."""
    of_span = [spec for spec in kind.windows if factor in spec.factors and calendar_name(spec) == window]
    return min(of_span, key=lambda spec: spec.statistic is not Statistic.FORM, default=None)


def calendar_name(spec: WindowSpec) -> str:
    """Return the window's name without its statistic: ``year`` of ``year_p98``; empty if it is not made of days."""
    if spec.span not in LONG:
        return ""
    return f"season.{spec.season}" if spec.span is Span.SEASON else spec.span.value


def base_series(kind: Kind, factor: str, spec: WindowSpec | None) -> Series:
    """Return the day values that a longer window of a factor is made of.

    What ``of`` names; else for a maximum, minimum or sum the day's own one where the kind has it; else the day by
    the factor's form.
    """
    if spec is not None and spec.of:
        return Series(factor, spec.of)
    wanted = Statistic.FORM if spec is None else spec.statistic
    days: Mapping[Statistic, str] = {
        day.statistic: day.name for day in reversed(kind.of_span(Span.DAY)) if factor in day.factors
    }
    return Series(factor, days.get(wanted) or days.get(Statistic.FORM) or next(iter(days.values()), "24h"))
