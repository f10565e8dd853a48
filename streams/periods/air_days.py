"""The air index of every day of a period, by the edition of its date or by one edition for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensors.clock import BEIJING_OFFSET_MS, DAY_MS
from sensors.registry import Site
from streams.air.index import FACTORS, combine, daily_table, iaqi
from streams.judging.plan import NO_NUMBER
from streams.judging.reasons import NO_ITEM, NOT_IN_PLAN, OK, States
from streams.periods.plan import Period, PeriodMeans, Series
from streams.results import Window
from streams.standards import IndexEdition, Standards

WINDOWS: Final = dict.fromkeys(FACTORS, Window.DAY.value) | {"O3": Window.MDA8.value}
"""Factor → the day value that counts."""
_OVER: Final = 100
"""An IAQI above this is over the class 2 limit of the edition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concentrations:
    """Day values of the six items: arrays [members, items, days]."""

    days: NDArray[np.int64]
    value: NDArray[np.int64]
    present: NDArray[np.bool_]
    states: States


@dataclass(frozen=True, slots=True, kw_only=True)
class AirDays:
    """The index of days: arrays [members, days]."""

    level: NDArray[np.int8]
    """1 to 6; 0 where there is no AQI: such a day is not valid."""
    over: NDArray[np.bool_]
    """Items over the class 2 limit, [members, items, days]."""
    primary: NDArray[np.bool_]
    """Primary pollutants, [members, items, days]."""

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Days with an AQI."""
        return self.level > 0

    def good(self, level: int) -> NDArray[np.bool_]:
        """Return the days that are at most of a level."""
        return self.valid & (self.level <= level)


def concentrations(
    means: PeriodMeans, absent: NDArray[np.bool_] | None = None, over: Period | None = None
) -> Concentrations:
    """Return the six day values on the days of a period that are over.

    Parameters
    ----------
    means
        Of the members.
    absent
        [members, items, days]: not measured by plan, where no row says so; None: nothing is.
    over
        Another period of the same members; None: that of the means.
    """
    period = means.period if over is None else over
    found = [
        means.past.days(means.members, Series(name, window), period.first_day, period.through_day)
        for name, window in WINDOWS.items()
    ]
    states = np.stack([np.where(f.present, OK, f.reason) for f in found], axis=1).astype(np.uint8)
    present = np.stack([f.present for f in found], axis=1)
    if absent is not None:
        states = np.where(absent & ~present, np.uint8(NOT_IN_PLAN), states)
    return Concentrations(
        days=found[0].days, value=np.stack([f.value for f in found], axis=1), present=present, states=states
    )


def absences(sites: Sequence[Site], days: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which items sites do not measure by plan, [sites, items, days]."""
    absent = np.zeros((len(sites), len(FACTORS), days.size), np.bool_)
    start = days * DAY_MS - BEIJING_OFFSET_MS
    for row, site in enumerate(sites):
        for entry in site.not_in_plan:
            if entry.factor in FACTORS:
                holds = (start >= entry.start) & (start < (entry.end if entry.end is not None else 2**62))
                absent[row, FACTORS.index(entry.factor)] |= holds
    return absent


def air_days(found: Concentrations, standards: Standards, edition: IndexEdition | None = None) -> AirDays:
    """Return the index of days.

    Parameters
    ----------
    found
        From `concentrations`.
    standards
        Editions of HJ 633.
    edition
        One edition for all days, to compare years (回算); None: each day by its own.
    """
    members, items, count = found.value.shape
    level = np.zeros((members, count), np.int8)
    over, primary = np.zeros((members, items, count), np.bool_), np.zeros((members, items, count), np.bool_)
    everything = np.ones(count, np.bool_)
    for by, mask in standards.index_groups(found.days) if edition is None else ((edition, everything),):
        iaqis, after = iaqi(found.value[..., mask], found.states[..., mask], daily_table(by))
        index = combine(iaqis, after, by)
        given = (index.aqi != NO_NUMBER) & (index.reason != NO_ITEM)
        level[:, mask] = np.where(given, index.level, 0)
        over[..., mask] = iaqis > _OVER
        bits = np.arange(items, dtype=np.uint8)[:, None]
        primary[..., mask] = (index.primary[:, None, :] >> bits & 1).astype(np.bool_)
    return AirDays(level=level, over=over, primary=primary)
