"""The rules of long windows as dated data (`streams/data/periods.yaml`), and when a period is complete."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Final

import msgspec
import numpy as np
import yaml
from numpy.typing import NDArray

from sensors.errors import ConfigError
from sensors.windows import Needs
from streams.periods.calendar import day_date, day_of_date, in_february, month_length, months_of
from streams.periods.plan import Period
from streams.periods.spans import Cluster, between, running
from streams.periods.statistics import least_count

_FILE: Final = "periods.yaml"
MONTH_DAYS: Final = "month_days"
"""Rule of a kind file: the days that a month needs."""
YEAR_DAYS: Final = "year_days"
"""Rule of a kind file: the days that a year needs, and those of each of its months."""


class DayCounts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Least counts of valid days for periods whose last day lies in [from, to]."""

    name: str
    standard: str
    table: str
    clause: str = ""
    start: dt.date = msgspec.field(name="from")
    last: dt.date | None = msgspec.field(name="to")
    month_days: int
    february_days: int
    year_days: int
    year_needs_months: bool
    source: str
    confidence: str


class AreaRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When an area's value is valid."""

    least_share: str | float
    source: str
    confidence: str

    @property
    def share(self) -> Fraction:
        """The share of sites as an exact number."""
        return Fraction(str(self.least_share))


class Broken(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A mark of a year: the level of the index from which a day breaks what a plan says."""

    mark: str
    level: int
    name_zh: str
    source: str


class JointHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Management thresholds (管控值) of the hours that PM2.5 and O3 exceed together."""

    fine: int = msgspec.field(name="PM2.5")
    ozone: int = msgspec.field(name="O3")
    unit: str
    author: str
    source: str
    confidence: str


class TrendRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When the growth of ozone counts as curbed."""

    least_years: int
    curbed_slope: float
    source: str
    confidence: str


class Composite(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One form of the composite index of air."""

    name: str
    standard: str
    start: dt.date = msgspec.field(name="from")
    last: dt.date | None = msgspec.field(name="to")
    weights: dict[str, int]
    limits: dict[str, int]
    decimals: dict[str, int]
    """Of each concentration before it is divided by its limit."""
    index_decimals: int
    source: str
    confidence: str


class AirYearRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of the evaluation ``air_year``."""

    good_level: int
    broken: tuple[Broken, ...]
    joint_hours: JointHours
    trend: TrendRule
    composite: tuple[Composite, ...]

    def runs_out(self, form: Composite, day: int) -> bool:
        """Return whether a form is over on a day and no other follows it: its limits are those of nobody then.

        A form that another one follows is said on beside it, so that years can be compared.
        """
        last = form.last
        followed = any(last is not None and other.start > last for other in self.composite)
        return last is not None and not followed and day > day_of_date(last)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    completeness: tuple[DayCounts, ...]
    areas: AreaRule
    air_year: AirYearRule


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodRules:
    """All rules of long windows."""

    completeness: tuple[DayCounts, ...]
    areas: AreaRule
    air_year: AirYearRule

    def counts_at(self, day: int) -> DayCounts:
        """Return the least counts for periods that end on a day; before the first edition those of the first."""
        found = [counts for counts in self.completeness if day_of_date(counts.start) <= day]
        return found[-1] if found else self.completeness[0]


def parse_rules(mapping: Mapping[str, Any]) -> PeriodRules:
    """Return the rules that a mapping says.

    Raises
    ------
    ConfigError
        When a key is unknown or missing, or a value is of a wrong kind.
    """
    try:
        file = msgspec.convert(mapping, _File)
    except msgspec.ValidationError as cause:
        mend = "compare it with the file as delivered"
        raise ConfigError(file=_FILE, line=None, key="", problem=str(cause), mend=mend) from cause
    _check_spans("completeness", file.completeness)
    _check_spans("air_year.composite", file.air_year.composite)
    if not file.completeness or file.completeness[-1].last is not None:
        raise _wrong("completeness", "the newest counts end, and later periods would have none", "leave its to empty")
    return PeriodRules(completeness=file.completeness, areas=file.areas, air_year=file.air_year)


def _wrong(key: str, problem: str, mend: str) -> ConfigError:
    return ConfigError(file=_FILE, line=None, key=key, problem=problem, mend=mend)


def _check_spans(key: str, editions: Sequence[DayCounts | Composite]) -> None:
    """Check that editions follow each other day by day."""
    for earlier, later in pairwise(editions):
        if earlier.last is None or earlier.last + dt.timedelta(days=1) != later.start:
            problem = f"{earlier.name} ends {earlier.last or 'never'} and {later.name} begins {later.start}"
            raise _wrong(key, problem, f"let {earlier.name} end (to) on the day before {later.name} begins")


@cache
def load_rules() -> PeriodRules:
    """Read the packaged rules.

    Raises
    ------
    ConfigError
        When the file is wrong.
    """
    return parse_rules(yaml.safe_load(files("streams").joinpath("data", _FILE).read_text(encoding="utf-8")))


def complete(present: NDArray[np.bool_], needs: Needs | None, period: Period, rules: PeriodRules) -> NDArray[np.bool_]:
    """Return which rows have enough valid days for a value.

    Of a period that is not over, the same share is asked of the days that are: of a count n for a period of N days,
    ceil(n · due / N). (The standards speak of whole periods only; this is the project's rule for the year to date.)

    Parameters
    ----------
    present
        Valid days, [rows, due days].
    needs
        What the kind asks for at the period's last day; None: one day is enough.
    period
        Its length, and how much of it is over.
    rules
        What the counts ``month_days`` and ``year_days`` are at that date.
    """
    least, dated = _least(needs, period, rules)
    enough = np.asarray(present.sum(axis=-1) >= least)
    return enough if dated is None else enough & _months_enough(present, period, dated)


def complete_over(
    sums: NDArray[np.int32], of: Cluster, periods: Sequence[tuple[Period, Needs | None]], rules: PeriodRules
) -> NDArray[np.bool_]:
    """Return which rows have enough valid days in each of many periods, as `complete` says of one: [rows, periods].

    Parameters
    ----------
    sums
        Running sums of valid days (`streams.periods.spans.running`), [rows, days + 1].
    of
        Where each period stands among these days.
    periods
        With what the kind asks of it.
    rules
        See `complete`.
    """
    asked = [_least(needs, period, rules) for period, needs in periods]
    enough: NDArray[np.bool_] = between(sums, of) >= np.array([least for least, _ in asked], np.int64)
    by_name = {dated.name: dated for _, dated in asked if dated is not None}
    for name, dated in by_name.items():
        months = list(_whole_months(of.first, of.last))
        begin = np.array([first - of.first for first, _ in months], np.intp)
        end = np.array([last + 1 - of.first for _, last in months], np.intp)
        least = np.array([dated.february_days if in_february(first) else dated.month_days for first, _ in months])
        short = running((sums[:, end] - sums[:, begin]) < least, np.int32)
        for place, ((period, _), (_, mine)) in enumerate(zip(periods, asked, strict=True)):
            if mine is not None and mine.name == name:
                inside = [n for n, (f, e) in enumerate(months) if f >= period.first_day and e <= period.through_day]
                if inside:
                    enough[:, place] &= short[:, inside[-1] + 1] == short[:, inside[0]]
    return enough


def _whole_months(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield first and last day of the months that lie wholly within some days."""
    day = first if day_date(first).day == 1 else first - day_date(first).day + 1 + month_length(first)
    while day + month_length(day) - 1 <= last:
        yield day, day + month_length(day) - 1
        day += month_length(day)


def _least(needs: Needs | None, period: Period, rules: PeriodRules) -> tuple[int, DayCounts | None]:
    """Return how many valid days a period needs, and the counts that its months need; None: nothing of months."""
    if needs is None:
        return 1, None
    if needs.share is not None:
        return least_count(needs.share, period.due), None
    if needs.at_least is not None:
        return _so_far(needs.at_least, period.due, period.length), None
    dated = rules.counts_at(period.last_day)
    if needs.rule == MONTH_DAYS:
        whole = dated.february_days if in_february(period.first_day) else dated.month_days
        return _so_far(whole, period.due, period.length), None
    if needs.rule != YEAR_DAYS:
        raise ConfigError(
            file=_FILE, line=None, key="rule", problem=f"no count of days is called {needs.rule!r}",
            mend=f"name {MONTH_DAYS} or {YEAR_DAYS}",
        )  # fmt: skip
    return _so_far(dated.year_days, period.due, period.length), dated if dated.year_needs_months else None


def _so_far(count: int, due: int, length: int) -> int:
    return max(1, math.ceil(Fraction(count * due, length)))


def _months_enough(present: NDArray[np.bool_], period: Period, dated: DayCounts) -> NDArray[np.bool_]:
    """Return which rows have the monthly minimum in every month that lies wholly in the period and is over."""
    months = months_of(period.first_day, period.through_day)
    begins = np.nonzero(np.diff(months, prepend=-1))[0]
    counts = np.add.reduceat(present.astype(np.int64), begins, axis=-1)
    least = [_month_minimum(period, period.first_day + begin, dated) for begin in begins.tolist()]
    enough: NDArray[np.bool_] = np.logical_and.reduce(counts >= np.array(least), axis=-1)
    return enough


def _month_minimum(period: Period, first: int, dated: DayCounts) -> int:
    """Return the least count of the month of a day; 0 for a month that is not over or reaches out of the period."""
    whole = day_date(first).day == 1 and first + month_length(first) - 1 <= period.through_day
    return (dated.february_days if in_february(first) else dated.month_days) if whole else 0
