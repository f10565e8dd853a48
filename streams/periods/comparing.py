"""Comparing periods and areas: changes, ranks, trends, budgets; exact numbers in, exact numbers out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple


class Verdict(StrEnum):
    """What a trend over years says of growth."""

    CURBED = "curbed"
    NOT_CURBED = "not_curbed"
    TOO_FEW_YEARS = "too_few_years"


class Trend(NamedTuple):
    """A trend over years."""

    verdict: Verdict
    slope: Fraction | None
    """Per year; None with too few years."""
    years: int


def change_percent(now: Fraction | None, before: Fraction | None) -> Fraction | None:
    """Return the change in percent of the earlier value; None where one is missing or the earlier is zero."""
    if now is None or before is None or before == 0:
        return None
    return (now - before) * 100 / before


def ranks(values: Mapping[str, Fraction | None], *, smallest_first: bool = True) -> dict[str, int | None]:
    """Return each one's rank from 1; equals share the better rank and the next ones follow after them (1, 1, 3).

    Those without a value have no rank and take nobody's place.
    """
    known = [value for value in values.values() if value is not None]
    return {
        name: None if value is None else 1 + sum(other < value if smallest_first else other > value for other in known)
        for name, value in values.items()
    }


def scores(
    parts: Mapping[str, Mapping[str, Fraction | None]], weights: Mapping[str, Mapping[str, Fraction]]
) -> dict[str, Fraction | None]:
    """Return the weighted mean of each area's parts, by its own weights; None where a weighted part is missing.

    Parameters
    ----------
    parts
        Area → part → points.
    weights
        Area → part → weight; an area without weights, or with none above zero, has no score.
    """
    found: dict[str, Fraction | None] = {}
    for area, points in parts.items():
        given = {part: weight for part, weight in weights.get(area, {}).items() if weight > 0}
        values = [(points.get(part), weight) for part, weight in given.items()]
        total = sum(given.values(), Fraction(0))
        known = [value * weight for value, weight in values if value is not None]
        found[area] = sum(known, Fraction(0)) / total if total and len(known) == len(values) else None
    return found


def trend(by_year: Mapping[int, Fraction | None], *, least_years: int, curbed_slope: Fraction) -> Trend:
    """Return the least-squares slope of yearly values, and whether growth is curbed.

    Parameters
    ----------
    by_year
        Year → value, None where the year is not complete; such years take no part.
    least_years
        Years with a value that a verdict needs.
    curbed_slope
        Growth is curbed when the slope is at most this.
    """
    known = [(Fraction(year), value) for year, value in sorted(by_year.items()) if value is not None]
    if len(known) < max(least_years, 2):
        return Trend(Verdict.TOO_FEW_YEARS, None, len(known))
    middle = sum((year for year, _ in known), Fraction(0)) / len(known)
    level = sum((value for _, value in known), Fraction(0)) / len(known)
    spread = sum(((year - middle) ** 2 for year, _ in known), Fraction(0))
    slope = sum(((year - middle) * (value - level) for year, value in known), Fraction(0)) / spread
    return Trend(Verdict.CURBED if slope <= curbed_slope else Verdict.NOT_CURBED, slope, len(known))


def allowed_bad_days(days: int, share: Fraction, *, strictly: bool) -> int:
    """Return how many days may miss a target share of good days.

    Parameters
    ----------
    days
        Valid days of the whole period; of an open one those so far and all that are to come.
    share
        0 to 1.
    strictly
        Whether the share must be exceeded (``> 96 %``) or only reached (``≥ 95 %``).
    """
    least = math.floor(share * days) + 1 if strictly else math.ceil(share * days)
    return days - least


def falling(changes: Sequence[Fraction | None]) -> int | None:
    """Return how many changes are below zero; None where one is not known."""
    return None if None in changes else sum(change < 0 for change in changes if change is not None)


def half_even(number: Fraction, digits: int) -> int:
    """Return a number as fixed point, rounded half to even."""
    return round(number * Fraction(10**digits))
