"""Cumulated totals against what may be let out in a year: balance, level, and the day on which it will be used up.

Pure arithmetic of grams and Beijing days. A quota that was assigned and not yet set is *unset*: it has no share,
and is never 0 %.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import accumulate
from typing import Final

from streams.discharge.judgement import WARNINGS, Level
from streams.discharge.permits import Cut

METHOD: Final = "mean_of_last_30_known_days"
"""The name of the projection: shown wherever its date is."""
_DAYS: Final = 30
_EPOCH: Final = dt.date(1970, 1, 1).toordinal()


class Standing(StrEnum):
    """How a total stands to its quota."""

    UNSET = "unset"
    """Assigned from above, not yet set."""
    WITHIN = "within"
    USED_UP = "used_up"


class Outlook(StrEnum):
    """What a projection says."""

    ON = "on"
    """It will be used up on a day of the year."""
    USED_UP = "used_up"
    """It was used up on a day that is over."""
    NOT_THIS_YEAR = "not_this_year"
    UNKNOWN = "unknown"
    """No day's load is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """A total against a quota."""

    standing: Standing
    left: int | None
    """Grams; negative when used up; None while unset."""
    share: Fraction | None
    level: Level


def balance(used: int, quota: int | None) -> Balance:
    """Return what is left of a quota.

    Parameters
    ----------
    used
        Cumulated grams since the year began.
    quota
        Grams of the year; None: not yet set. A quota of 0 is used up by the first gram.

    Returns
    -------
    Balance
        A total that equals its quota is within it; early warning as for concentrations, at 80 and 90 %.
    """
    if quota is None:
        return Balance(standing=Standing.UNSET, left=None, share=None, level=Level.NOT_JUDGED)
    share = Fraction(used, quota) if quota else Fraction(1 if used else 0)
    if used > quota:
        return Balance(standing=Standing.USED_UP, left=quota - used, share=share, level=Level.FINDING)
    level = Level(sum(used > 0 and share >= warning for warning in WARNINGS))
    return Balance(standing=Standing.WITHIN, left=quota - used, share=share, level=level)


def used_up_at(loads: Sequence[int], quota: int, before: int = 0) -> int | None:
    """Return the place in a row of loads (hours, days) at which a quota is passed; None when it is not.

    Parameters
    ----------
    loads
        Grams of each hour or day, in order; unknown ones are 0.
    quota
        Grams.
    before
        Grams let out before the first of them.
    """
    totals = accumulate(loads, initial=before)
    return next((place - 1 for place, total in enumerate(totals) if place and total > quota), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """When a quota will be used up."""

    outlook: Outlook
    day: int | None
    """Beijing day on which the total passes the quota."""
    method: str = METHOD

    @property
    def date(self) -> str:
        """The day as ``2026-11-03``; empty where there is none."""
        return "" if self.day is None else dt.date.fromordinal(self.day + _EPOCH).isoformat()


def project(loads: Sequence[int | None], first_day: int, last_day: int, quota: int) -> Projection:
    """Return the day on which a quota is or will be passed, if the days to come are like those that were.

    Parameters
    ----------
    loads
        Grams of each day from ``first_day`` on, as far as days are over; None where the load is not known.
    first_day, last_day
        Of the year.
    quota
        Grams of the year.

    Returns
    -------
    Projection
        By the mean of the last 30 days whose load is known; of fewer, of those there are.
    """
    passed = used_up_at([load or 0 for load in loads], quota)
    if passed is not None:
        return Projection(outlook=Outlook.USED_UP, day=first_day + passed)
    known = [load for load in loads if load is not None][-_DAYS:]
    if not known:
        return Projection(outlook=Outlook.UNKNOWN, day=None)
    left, newest = quota - sum(load or 0 for load in loads), first_day + len(loads) - 1
    if not sum(known):
        return Projection(outlook=Outlook.NOT_THIS_YEAR, day=None)
    # The least n with n x mean > left.
    day = newest + left * len(known) // sum(known) + 1
    return (
        Projection(outlook=Outlook.ON, day=day)
        if day <= last_day
        else Projection(outlook=Outlook.NOT_THIS_YEAR, day=None)
    )


def reached(total: int, cut: Cut) -> tuple[Fraction | None, Level]:
    """Return by which share a year's total lies below the base year's, and how that stands to the cut.

    Parameters
    ----------
    total
        Grams of the whole year.
    cut
        What was promised; without a base, or before a share was set, nothing is judged.

    Returns
    -------
    tuple
        Share (negative: more than in the base year; None without a base) and level: `Level.WITHIN` where
        the promise is kept, `Level.FINDING` where the year by which it was promised falls short.
    """
    if not cut.base_grams:
        return None, Level.NOT_JUDGED
    share = 1 - Fraction(total, cut.base_grams)
    if cut.share is None:
        return share, Level.NOT_JUDGED
    return share, Level.WITHIN if share >= cut.share else Level.FINDING
