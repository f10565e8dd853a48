"""Months, quarters, years, running years and seasons in Beijing day numbers: plain arithmetic of dates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sensors.kinds import DayRange, Season
from sensors.windows import Span
from streams.periods.plan import Period

EPOCH: Final = date(1970, 1, 1)
_DAYS_KEPT: Final = 1 << 14
LEAP: Final = 366
"""Places of a page: the days of the longest year."""
_MONTHS: Final = 12
_FEBRUARY: Final = 2


class Bounds(NamedTuple):
    """A stretch of days, both inside, and its place among those of its window in a year."""

    first: int
    last: int
    year: int
    """Of the day that it is stamped with."""
    slot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """One window of periods: ``month``, ``season.warm`` and so on."""

    window: str
    span: Span
    season: Season | None = None

    @property
    def slots(self) -> int:
        """How many there can be in a year."""
        ranges = 0 if self.season is None else len(self.season.ranges)
        return {Span.MONTH: _MONTHS, Span.QUARTER: 4, Span.YEAR: 1, Span.RUNNING_YEAR: LEAP, Span.DAY: LEAP}.get(
            self.span, ranges
        )

    def holding(self, days: Iterable[int], through: int) -> list[Bounds]:
        """Return the periods that hold any of these days, in order of time.

        Parameters
        ----------
        days
            Day numbers.
        through
            Running years that end after this day are not yet there.
        """
        found = {bounds for day in days for bounds in self._holding(day, through)}
        return sorted(found)

    def period(self, bounds: Bounds, through: int) -> Period:
        """Return the period of these bounds as it is on the evening of the day ``through``."""
        return Period(
            window=self.window,
            span=self.span,
            first_day=bounds.first,
            last_day=bounds.last,
            through_day=min(bounds.last, through),
        )

    def later(self, bounds: Bounds, through: int) -> Iterator[Bounds]:
        """Yield the same period of all later years that have begun; none of a running year or a day."""
        if self.span in {Span.RUNNING_YEAR, Span.DAY}:
            return
        for years in range(1, day_date(through).year - bounds.year + 1):
            moved = self.moved(bounds, years)
            if moved.first <= through:
                yield moved

    def following(self, bounds: Bounds, days: int, through: int) -> Iterator[Bounds]:
        """Yield the periods that begin up to ``days`` days after these bounds and not after ``through``, in order.

        None of a running year: no evaluation of these looks back beyond its own days.
        """
        day, last = bounds.last + 1, min(bounds.last + days, through)
        while day <= last and self.span is not Span.RUNNING_YEAR:
            begun = [found for found in self._holding(day, through) if found.first >= day]
            yield from begun
            day = 1 + max((found.last for found in begun), default=day)

    def moved(self, bounds: Bounds, years: int) -> Bounds:
        """Return the same period some years later, or earlier where ``years`` is negative."""
        if self.span is Span.RUNNING_YEAR:
            end = day_date(bounds.last)
            last = day_of_date(_dated(end.year + years, end.month, end.day))
            return Bounds(running_first(last), last, end.year + years, day_of_year(last))
        begun = day_date(bounds.first)
        for found in self._holding(day_of_date(_dated(begun.year + years, begun.month, begun.day)), _NEVER):
            if found.slot == bounds.slot or self.span is Span.DAY:
                return found
        raise AssertionError(f"{self.window} has no place {bounds.slot}")

    def _holding(self, day: int, through: int) -> Iterator[Bounds]:
        here = day_date(day)
        match self.span:
            case Span.DAY:
                yield Bounds(day, day, here.year, day_of_year(day))
            case Span.MONTH:
                yield _months(here.year, here.month, 1, here.month - 1)
            case Span.QUARTER:
                quarter = (here.month - 1) // 3
                yield _months(here.year, 3 * quarter + 1, 3, quarter)
            case Span.YEAR:
                yield _months(here.year, 1, _MONTHS, 0)
            case Span.RUNNING_YEAR:
                for end in range(day, min(day + LEAP - 1, through) + 1):
                    first = running_first(end)
                    if first <= day:
                        yield Bounds(first, end, day_date(end).year, day_of_year(end))
            case _:
                for slot, days in enumerate(() if self.season is None else self.season.ranges):
                    yield from _season(days, slot, day, here.year)


def shifted(period: Period, years: int) -> Period:
    """Return the same period of another year, as far as it had come on the same date.

    Of a period that is not over this is the same stretch of days, so the two can be compared.
    """

    def moved_end(last: int) -> int:
        after = day_date(last + 1)
        return day_of_date(_dated(after.year + years, after.month, after.day)) - 1

    first = day_date(period.first_day)
    last = moved_end(period.last_day)
    return Period(
        window=period.window,
        span=period.span,
        first_day=day_of_date(_dated(first.year + years, first.month, first.day)),
        last_day=last,
        through_day=moved_end(period.through_day) if period.open else last,
    )


_NEVER: Final = 10**7


@lru_cache(maxsize=_DAYS_KEPT)
def day_date(day: int) -> date:
    """Return the date of a Beijing day number."""
    return EPOCH + timedelta(days=day)


def day_of_date(day: date) -> int:
    """Return the Beijing day number of a date."""
    return (day - EPOCH).days


@lru_cache(maxsize=_DAYS_KEPT)
def day_of_year(day: int) -> int:
    """Return a day's place in its year, from 0."""
    return day_date(day).timetuple().tm_yday - 1


@lru_cache(maxsize=_DAYS_KEPT)
def year_first(year: int) -> int:
    """Return the day number of 1 January."""
    return day_of_date(date(year, 1, 1))


def years_of(days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the years of day numbers."""
    years: NDArray[np.int64] = days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + EPOCH.year
    return years


def months_of(first: int, last: int) -> NDArray[np.int64]:
    """Return for each day between two days, both inside, the number of its month since the first day's, from 0."""
    days = np.arange(first, last + 1, dtype=np.int64).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    months: NDArray[np.int64] = days - days[0] if days.size else days
    return months


def month_length(day: int) -> int:
    """Return the length of the month that holds a day."""
    here = day_date(day)
    whole = _months(here.year, here.month, 1, 0)
    return whole.last - whole.first + 1


def in_february(day: int) -> bool:
    """Return whether a day lies in February."""
    return day_date(day).month == _FEBRUARY


@lru_cache(maxsize=_DAYS_KEPT)
def running_first(last: int) -> int:
    """Return the first day of the running year that ends with a day: the day after the same date a year before.

    It has 365 days, or 366 when it holds a 29 February; that of 31 December is the calendar year.
    """
    end = day_date(last)
    return day_of_date(_dated(end.year - 1, end.month, end.day)) + 1


def _dated(year: int, month: int, day: int) -> date:
    """Return a date; 28 February for the 29th of a year that has none."""
    if (month, day) == (_FEBRUARY, 29) and not _is_leap(year):
        return date(year, month, 28)
    return date(year, month, day)


def _is_leap(year: int) -> bool:
    return (date(year, _MONTHS, 31) - date(year, 1, 1)).days + 1 == LEAP


def _months(year: int, month: int, count: int, slot: int) -> Bounds:
    first = date(year, month, 1)
    after = date(year + (month + count > _MONTHS), (month + count - 1) % _MONTHS + 1, 1)
    return Bounds(day_of_date(first), day_of_date(after) - 1, year, slot)


def _season(days: DayRange, slot: int, day: int, year: int) -> Iterator[Bounds]:
    """Yield the occurrence of a range that holds a day; it bears the year in which it begins."""
    wraps = days.first > days.last
    for begin in (year - 1, year) if wraps else (year,):
        first, last = day_of_date(_dated(begin, *days.first)), day_of_date(_dated(begin + wraps, *days.last))
        if days.last == (_FEBRUARY, 28) and _is_leap(begin + wraps):
            last += 1  # to the end of February, in every year
        if first <= day <= last:
            yield Bounds(first, last, begin, slot)
