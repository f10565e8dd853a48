"""What is held of members: their days, and the kind's own windows made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensors.factors import Factor, Form
from sensors.kinds import Kind
from sensors.windows import LONG, Span, Statistic, WindowSpec
from streams.judging.hashing import Hash
from streams.judging.means import Flags, Ints
from streams.judging.reasons import CALM, INCOMPLETE, NO_FLOW, NOT_IN_PLAN, OK, SILENT, States
from streams.periods.pages import Pages, Stretch
from streams.periods.plan import DayValues, Period, PeriodMeans, Series
from streams.periods.rules import PeriodRules, complete
from streams.periods.statistics import Taken, greatest, least, percentile, take

NOTHING_WEIGHS: Final[Mapping[Form, int]] = {Form.FLOW_WEIGHTED: NO_FLOW, Form.VECTOR: CALM}
"""Form that weighs by another factor → the reason where that was known and nothing: such a day or site is known, and
weighs nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One window of one factor: arrays [rows]."""

    value: Ints
    present: Flags
    valid: Ints
    expected: int
    reason: States
    marks: NDArray[np.int32]
    inputs: Hash
    due: Flags
    """Some day came, so the window is said."""


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

    def window(self, rows: NDArray[np.intp], spec: WindowSpec, factor: Factor, period: Period) -> Found:
        """Return one of the kind's own windows for some rows of the pages."""
        statistic = spec.statistic
        step = factor.step if spec.step == "factor" else 1
        stretch = self._stretch(rows, base_series(self._kind, factor.symbol, spec), period)
        values, present = stretch.values.value, stretch.values.present
        match statistic:
            case Statistic.MAX:
                taken = greatest(values, present)
            case Statistic.MIN:
                taken = least(values, present)
            case Statistic.SUM:
                taken = take(Form.SUM, values, present, digits=factor.digits, step=step)
            case Statistic.COUNT:
                counts = present.sum(axis=-1).astype(np.int64)
                taken = Taken(counts, counts > 0)
            case Statistic.PERCENTILE if spec.percentile is not None:
                taken = percentile(values, present, spec.percentile, step)
            case _:
                taken = self._form(rows, factor, stretch, period, step)
        return self._judged(spec, factor, period, stretch, taken)

    def _mean(self, rows: NDArray[np.intp], factor: Factor, period: Period) -> Found:
        spec = mean_spec(self._kind, factor.symbol, period.window)
        series = None if spec is None else base_series(self._kind, factor.symbol, spec)
        # Most of a kind's optional factors never come: nothing need be looked up for them.
        if spec is None or series is None or series not in self._pages.series:
            nothing = np.zeros(rows.size, np.int64)
            return Found(
                value=nothing,
                present=nothing > 0,
                valid=nothing,
                expected=period.due,
                reason=np.full(rows.size, SILENT, np.uint8),
                marks=nothing.astype(np.int32),
                inputs=nothing.astype(np.uint64),
                due=nothing > 0,
            )
        stretch = self._stretch(rows, series, period)
        return self._judged(spec, factor, period, stretch, self._form(rows, factor, stretch, period, 1))

    def _form(self, rows: NDArray[np.intp], factor: Factor, stretch: Stretch, period: Period, step: int) -> Taken:
        weights = None
        if factor.form in NOTHING_WEIGHS:
            by = self._stretch(rows, base_series(self._kind, factor.by, None), period).values
            weights = by.value, by.present
        return take(
            factor.form, stretch.values.value, stretch.values.present, digits=factor.digits, step=step, weights=weights
        )

    def _stretch(self, rows: NDArray[np.intp], series: Series, period: Period) -> Stretch:
        return self._pages.stretch(series, rows, period.first_day, period.through_day)

    def _judged(self, spec: WindowSpec, factor: Factor, period: Period, stretch: Stretch, taken: Taken) -> Found:
        """Return a window with its value taken away where it is not complete, and the reason for that."""
        days = stretch.values
        known = days.present
        if (none := NOTHING_WEIGHS.get(factor.form)) is not None:
            known = known | (days.came & (days.reason == none))
        enough = complete(known, spec.needs_on(period.last_day), period, self._rules)
        present = enough & taken.ok
        came = np.logical_or.reduce(days.came, axis=-1)
        unplanned = came & np.logical_and.reduce(~days.came | (days.reason == NOT_IN_PLAN), axis=-1)
        silent = np.logical_and.reduce(days.reason == SILENT, axis=-1)
        why = np.where(unplanned, NOT_IN_PLAN, np.where(silent, SILENT, INCOMPLETE))
        if none is not None:
            why = np.where(enough & ~taken.ok, none, why)
        return Found(
            value=np.where(present, taken.value, 0),
            present=present,
            valid=known.sum(axis=-1).astype(np.int64),
            expected=period.due,
            reason=np.where(present, OK, why).astype(np.uint8),
            marks=np.bitwise_or.reduce(stretch.marks, axis=-1),
            inputs=stretch.content.sum(axis=-1, dtype=np.uint64) | came.astype(np.uint64),
            due=came,
        )


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
