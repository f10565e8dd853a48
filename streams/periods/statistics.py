"""From day values to one value of a longer time, and from the values of several sites to one of their area.

Values are int64 fixed point, arrays [rows, n] that are taken together over the last axis. Sums, maxima, means and
percentiles are exact rationals, rounded half to even once; only pH, direction and decibels need floats, whose
addends stand in order of time or members.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from sensors.factors import Form
from streams.judging.forms import formed_by
from streams.judging.means import Flags, Ints, divide_half_even


class Taken(NamedTuple):
    """One value per row, and whether it is there."""

    value: Ints
    """0 where not `ok`."""
    ok: Flags


def take(
    form: Form, values: Ints, present: Flags, *, digits: int, step: int, weights: tuple[Ints, Flags] | None = None
) -> Taken:
    """Return what the valid values of each row make by the factor's form, as `streams.judging.forms` makes it.

    Parameters
    ----------
    form
        How values of this factor become one.
    values, present
        Fixed point at ``digits``, [rows, n], and which are valid; a row without a valid one gives none.
    digits
        Digits after the point of the values and of the result.
    step
        The result is rounded half to even to multiples of this; 1 keeps all digits.
    weights
        Flow or speed of the same rows, for `Form.FLOW_WEIGHTED` and `Form.VECTOR`. A value whose weight is missing
        takes no part; without flow there is no value.
    """
    if values.shape[-1] == 0:
        return Taken(np.zeros(values.shape[:-1], np.int64), np.zeros(values.shape[:-1], np.bool_))
    by = None if weights is None else (np.moveaxis(weights[0], -1, 0), np.moveaxis(weights[1], -1, 0))
    made = formed_by(form, np.moveaxis(values, -1, 0), np.moveaxis(present, -1, 0), digits=digits, step=step, by=by)
    return Taken(made.value, made.has)


def mean(values: Ints, present: Flags, step: int | Ints) -> Taken:
    """Return the mean of each row's valid values, rounded half to even to multiples of ``step``, one or one per row."""
    return quotient(np.where(present, values, 0).sum(axis=-1), present.sum(axis=-1), step)


def greatest(values: Ints, present: Flags) -> Taken:
    """Return the greatest valid value of each row."""
    ok = _any(present)
    best = np.where(present, values, np.iinfo(np.int64).min).max(axis=-1, initial=np.iinfo(np.int64).min)
    return Taken(np.where(ok, best, 0), ok)


def least(values: Ints, present: Flags) -> Taken:
    """Return the least valid value of each row."""
    found = greatest(-values, present)
    return Taken(-found.value, found.ok)


def percentile(values: Ints, present: Flags, share: Fraction, step: int = 1) -> Taken:
    """Return a percentile of each row's valid values.

    Sorted ascending, k = 1 + (n - 1) p; between the neighbours of k by straight line, in whole numbers.

    Parameters
    ----------
    share
        0 to 1; 9/10 for the 90th.
    step
        The result is rounded half to even to multiples of this.

    References
    ----------
    .. [1] HJ 663-2013, percentile; {3, 4, 8, 2, 5, 4} has 6.5 as its 90th.
    """
    counts = present.sum(axis=-1).astype(np.int64)
    ok = counts > 0
    if values.shape[-1] == 0:
        return Taken(np.zeros(counts.shape, np.int64), ok)
    ordered = np.sort(np.where(present, values, np.iinfo(np.int64).max), axis=-1)
    whole, part = np.divmod(np.maximum(counts - 1, 0) * share.numerator, share.denominator)
    below = np.take_along_axis(ordered, whole[..., None], axis=-1)[..., 0]
    above = np.take_along_axis(ordered, np.minimum(whole + 1, np.maximum(counts - 1, 0))[..., None], axis=-1)[..., 0]
    below, above = np.where(ok, below, 0), np.where(ok, above, 0)
    exact = below * share.denominator + (above - below) * part
    return quotient(exact, np.where(ok, share.denominator, 0), step)


def _any(present: Flags) -> Flags:
    found: Flags = np.logical_or.reduce(present, axis=-1)
    return found


def quotient(sums: Ints, counts: Ints, step: int | Ints) -> Taken:
    """Return sums over counts, rounded half to even to multiples of ``step``; none where the count is 0."""
    ok = counts > 0
    mean = divide_half_even(sums, np.where(ok, counts, 1) * step) * step
    return Taken(np.where(ok, mean, 0), ok)


def least_count(share: Fraction, due: int) -> int:
    """Return how many of ``due`` values a share asks for: never less than it, and at least one."""
    return max(1, math.ceil(share * due))
