"""The plan of the second stage: periods, what is known of their members, and what an evaluation adds.

The judge of the second stage says a kind's own long windows itself (means, sums, maxima, percentiles);
a `PeriodEvaluation` says what needs a standard: shares, classes, composite indices, quotas. It is pure, sees
many members at once, and knows no clock and no revision.

A *member* is a site or an area; an area's day values are made of those of the sites that count in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sensors.registry import Site
from sensors.windows import Span
from streams.judging.plan import NO_NUMBER
from streams.judging.reasons import States

ALL_SPANS: Final = frozenset({Span.MONTH, Span.QUARTER, Span.YEAR, Span.SEASON})
"""The calendar spans. With ``RUNNING_YEAR`` an evaluation says its rows once for every day."""


class AreaView(Protocol):
    """What an evaluation needs to know of an area; `sensors.registry` has the whole."""

    @property
    def id(self) -> str:
        """Its id in the registry."""
        ...

    @property
    def type(self) -> str:
        """``township``, ``county``, ``city``, ``province``, ``park``, ``firm``, ``river``, ``basin``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """One stretch of Beijing days for which something is said."""

    window: str
    """``month``, ``quarter``, ``year``, ``running_year``, ``season.<id>``, or ``24h`` for a single day."""
    span: Span
    first_day: int
    """Day number; the result is stamped with it, but of a running year with `last_day`."""
    last_day: int
    """Inclusive."""
    through_day: int
    """The newest day of it that is over by the members' clock; before `last_day` while the period is open."""

    @property
    def open(self) -> bool:
        """Whether some of its days are not over: what is said is provisional."""
        return self.through_day < self.last_day

    @property
    def length(self) -> int:
        """Days of the whole period."""
        return self.last_day - self.first_day + 1

    @property
    def due(self) -> int:
        """Days that are over: as many values are due."""
        return max(0, self.through_day - self.first_day + 1)

    @property
    def start_day(self) -> int:
        """The day that a result is stamped with."""
        return self.last_day if self.span is Span.RUNNING_YEAR else self.first_day


@dataclass(frozen=True, slots=True, kw_only=True)
class DayValues:
    """Day values of one factor and window: arrays [members, days], in order of time and without gaps."""

    first_day: int
    value: NDArray[np.int64]
    """Fixed point as the first stage said it; 0 where not `present`."""
    present: NDArray[np.bool_]
    reason: States
    """Codes of `streams.judging.reasons`; ``SILENT`` where no row ever came."""
    came: NDArray[np.bool_]
    """Whether a row came at all."""

    @property
    def days(self) -> NDArray[np.int64]:
        """Day numbers, [days]."""
        return np.arange(self.first_day, self.first_day + self.value.shape[1], dtype=np.int64)


class Series(NamedTuple):
    """One thing that is said of every day."""

    factor: str
    window: str
    edition: str = ""
    """Only of what an evaluation says; the means of the kind's factors have none here."""


class Past(Protocol):
    """The day values that are held of members, and means over any stretch of them."""

    def days(self, members: Sequence[str], series: Series, first_day: int, last_day: int) -> DayValues:
        """Return the days from ``first_day`` to ``last_day``, both inside; of an unknown series nothing came."""
        ...

    def means(self, members: Sequence[str], period: Period, factors: Sequence[str] | None = None) -> PeriodMeans:
        """Return the kind's means of the same members over another period; of some factors, or of all."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodMeans:
    """The form-aware mean of every factor over a period (`sensors.factors.Form`): arrays [members, factors].

    Below the completeness that the kind asks for there is a reason and no value; of an open period the
    value is that of the days so far, if they are complete as far as they are due.
    """

    period: Period
    members: tuple[str, ...]
    """Ids of sites or areas."""
    factors: tuple[str, ...]
    """The kind's factors in its order."""
    digits: tuple[int, ...]
    """Per factor: value / 10**digits in its unit."""
    value: NDArray[np.int64]
    """All stored digits; 0 where not `present`."""
    present: NDArray[np.bool_]
    valid: NDArray[np.int64]
    """Valid days."""
    expected: NDArray[np.int64]
    """Days that are over."""
    reason: States
    past: Past
    own: PeriodMeans | None = None
    """In `PeriodEvaluation.area`: the area itself as the one member, of its own day values; None where none came."""
    children: PeriodMeans | None = None
    """In `PeriodEvaluation.area`: the areas directly below as members; None where there are none."""

    def days(self, factor: str, window: str, edition: str = "") -> DayValues:
        """Return the day values of the members on the days of the period that are over."""
        first, last = self.period.first_day, self.period.through_day
        return self.past.days(self.members, Series(factor, window, edition), first, last)

    def over(self, period: Period, factors: Sequence[str] | None = None) -> PeriodMeans:
        """Return the means of the same members over another period, of some factors or of all."""
        return self.past.means(self.members, period, factors)

    def at(self, factor: str) -> int:
        """Return the place of a factor on the factor axis."""
        return self.factors.index(factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodRow:
    """One thing that an evaluation says of one site or area over one period."""

    site: str
    """Id of the site or area."""
    factor: str
    """Name of what is said, for example ``good_share`` or ``class``."""
    window: str
    """`Period.window`, or with a suffix of its own."""
    start_day: int
    """`Period.start_day`."""
    value: int | None
    """Fixed point; None: `reason` says why."""
    digits: int
    valid: int
    """What counted: days, sites."""
    expected: int
    reason: int
    """Code of `streams.judging.reasons`; 0 beside a value that needs no remark."""
    detail: str = ""
    level: int | None = None
    primary: str = ""
    """Names joined by ``;``."""
    edition: str = ""
    """Names the rule where several are said side by side; part of the key."""
    flags: int = 0
    """`sensors.flags.Mark`; the judge adds ``OPEN`` while the period is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodBlock:
    """One result of many sites or areas over one period: what as many `PeriodRow` would say, in columns [members].

    A single number or text stands for all of them.
    """

    sites: Sequence[str]
    """Ids."""
    factor: str
    window: str
    start_day: int
    digits: int
    edition: str = ""
    value: ArrayLike
    """Fixed point."""
    present: ArrayLike
    """Where there is a value; elsewhere `reason` says why not."""
    valid: ArrayLike
    expected: ArrayLike
    reason: ArrayLike
    detail: Sequence[str] | str = ""
    level: ArrayLike = NO_NUMBER
    """`NO_NUMBER`: none."""
    primary: Sequence[str] | str = ""
    flags: ArrayLike = 0


Told = Sequence[PeriodRow | PeriodBlock]
"""What an evaluation says: by rows, in columns, or both; each key once."""


class PeriodEvaluation(Protocol):
    """What a standard says of periods; without state.

    One that has ``days_only = True`` is given means without a factor: it looks at `PeriodMeans.days` alone.
    One that looks at days before the period's own has ``looks_back``, a mapping of `Span` to how many days before the
    first one: a late day makes the periods again that begin up to so many days after it. The same period of earlier
    years need not be counted: whatever an evaluation, that of all later years is made again too.
    """

    @property
    def name(self) -> str:
        """``air_year``, ``water_period``, ``load_period``."""
        ...

    @property
    def spans(self) -> frozenset[Span]:
        """For which periods it is asked; mostly `ALL_SPANS`. With ``DAY`` also for every single day."""
        ...

    def site(self, period: Period, means: PeriodMeans, sites: tuple[Site, ...]) -> Told:
        """Return what is said of sites over one period.

        ``sites`` are the registry entries in force on the newest day that is over (else the entry's last), one per
        member of ``means``.
        """
        ...

    def area(self, period: Period, members: PeriodMeans, area: AreaView, sites: tuple[Site, ...]) -> Told:
        """Return what is said of one area over one period.

        ``members`` are the sites that count in the area, with or without data; ``sites`` their registry entries.
        `PeriodMeans.own` holds the means of the area's own day values, `PeriodMeans.children` those of the areas
        below it. Rows may name the area or, for ranks, the areas below it; each key is said by one area only.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaMembers:
    """One area and who belongs to it in a period."""

    area: AreaView
    sites: tuple[Site, ...]
    """The registry entries of the sites that count."""
    children: tuple[str, ...]
    """Ids of the areas directly below it."""


@runtime_checkable
class AreasEvaluation(Protocol):
    """An evaluation that says all areas of a partition at once."""

    def areas(self, period: Period, own: PeriodMeans, members: Sequence[AreaMembers]) -> tuple[Told, Told]:
        """Return what is said of areas over one period, and what of the areas below them.

        ``own`` are the means of the areas' own day values, one member for each of ``members``.
        """
        ...
