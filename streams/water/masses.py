"""Masses over periods: the days summed, their gaps, and the change against the year before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final

import numpy as np

from streams.judging.reasons import INCOMPLETE, OK
from streams.periods.plan import Period, PeriodMeans, PeriodRow, Series
from streams.standards import calendar_date, day_number
from streams.water.evaluation import FLUX
from streams.water.flux import growth
from streams.water.rows import Teller

GROWTH: Final = "growth"
"""Factors of the change of a mass against the same period of the year before end so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A mass over a period."""

    total: int
    """Of the days that have one, at the flux's digits."""
    days: int
    due: int

    @property
    def gaps(self) -> Fraction:
        """Share of the days without a mass."""
        return Fraction(self.due - self.days, self.due) if self.due else Fraction(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Masses:
    """Masses of many members over a period."""

    total: Sequence[int]
    days: Sequence[int]
    came: Sequence[bool]
    due: int

    def at(self, place: int) -> Amount:
        """Return the mass of one member."""
        return Amount(total=self.total[place], days=self.days[place], due=self.due)


def masses(means: PeriodMeans, factor: str, period: Period) -> Masses:
    """Return the masses of the days of a period that are over, summed; gaps stay gaps."""
    if not period.due:
        none = [0] * len(means.members)
        return Masses(total=none, days=none, came=[False] * len(none), due=0)
    series = Series(f"{factor}.{FLUX}", "24h")
    found = means.past.days(means.members, series, period.first_day, period.through_day)
    return Masses(
        total=np.where(found.present, found.value, 0).sum(axis=1).tolist(),
        days=np.count_nonzero(found.present, axis=1).tolist(),
        came=(np.count_nonzero(found.came, axis=1) > 0).tolist(),
        due=period.due,
    )


def flux_rows(say: Teller, name: str, factor: str, now: Amount, before: Amount) -> Iterator[PeriodRow]:
    """Yield a mass and its change against the year before (零增长).

    Parameters
    ----------
    say
        Makes the rows.
    name
        Id of the site or area.
    factor
        What is carried.
    now, before
        The masses of the period and of the same days a year earlier; below the set share of days there is none.
    """
    rule, gap = say.rules.rules.flux, say.rules.rules.growth_gap
    value, earlier = (
        amount.total if amount.due and Fraction(amount.days, amount.due) >= rule.at_least else None
        for amount in (now, before)
    )
    detail = f"gaps {float(100 * now.gaps):.1f} %" if now.gaps else ""
    yield say.row(
        name, f"{factor}.{FLUX}", value=value, digits=rule.digits, valid=now.days, expected=now.due,
        reason=INCOMPLETE if value is None else OK, detail=detail, edition="",
    )  # fmt: skip
    if before.days:
        known = value is not None and earlier is not None
        yield say.row(
            name, f"{factor}.{FLUX}.{GROWTH}",
            value=value - earlier if value is not None and earlier is not None else None, digits=rule.digits,
            valid=now.days, expected=now.due, reason=OK if known else INCOMPLETE,
            detail=growth(value, earlier, (now.gaps, before.gaps), gap), edition="",
        )  # fmt: skip


def year_before(period: Period) -> Period:
    """Return the same days of the year before, as far as this period has gone; 29 February becomes the 28th."""
    first, last, through = (_year_earlier(day) for day in (period.first_day, period.last_day, period.through_day))
    return Period(window=period.window, span=period.span, first_day=first, last_day=last, through_day=through)


def _year_earlier(day: int) -> int:
    here = calendar_date(day)
    last_of_february = (here.month, here.day) == (2, 29)
    return day_number(date(here.year - 1, here.month, 28 if last_of_february else here.day))
