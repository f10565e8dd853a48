"""From day values to one value of a longer time, and from the values of several sites to one of their area.

Values are int64 fixed point, arrays [rows, n] that are taken together over the last axis. Sums, maxima, means and
percentiles are exact rationals, rounded half to even once; only pH, direction and decibels need floats, whose
addends stand in order of time or members.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sensors.factors import Form
from streams.judging.means import Flags, Ints, divide_half_even

_EXACT: Final = 2**62
"""Products of numbers below this are added in int64."""
_CIRCLE: Final = 360


class Taken(NamedTuple):
    """One value per row, and whether it is there."""

    value: Ints
    """0 where not `ok`."""
    ok: Flags


def take(  # noqa: PLR0911  one way for each form
    form: Form, values: Ints, present: Flags, *, digits: int, step: int, weights: tuple[Ints, Flags] | None = None
) -> Taken:
    """Return what the valid values of each row make by the factor's form.

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
    match form:
        case Form.MEAN:
            return mean(values, present, step)
        case Form.SUM | Form.COUNTER:
            return _rounded(np.where(present, values, 0).sum(axis=-1), _any(present), step)
        case Form.MAX:
            return greatest(values, present)
        case Form.FLOW_WEIGHTED:
            return _weighted(values, present, weights, step)
        case Form.HYDROGEN_ION:
            acid = _mean_of(10.0 ** (-values / 10**digits), present)
            return _from_float(-np.log10(np.where(acid > 0, acid, 1.0)), acid > 0, digits, step)
        case Form.ENERGY:
            energy = _mean_of(10.0 ** (values / 10**digits / 10), present)
            return _from_float(10 * np.log10(np.where(energy > 0, energy, 1.0)), energy > 0, digits, step)
        case Form.VECTOR:
            return _direction(values, present, weights, digits, step)
        case Form.STATE:
            return Taken(np.zeros(values.shape[:-1], np.int64), np.zeros(values.shape[:-1], np.bool_))


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


def _rounded(sums: Ints, ok: Flags, step: int) -> Taken:
    return quotient(sums, ok.astype(np.int64), step)


def _weighted(values: Ints, present: Flags, weights: tuple[Ints, Flags] | None, step: int) -> Taken:
    """Return sum(c q) / sum(q); HJ 212-2017 annex D."""
    if weights is None:
        return Taken(np.zeros(values.shape[:-1], np.int64), np.zeros(values.shape[:-1], np.bool_))
    flow, measured = weights
    both = present & measured & (flow > 0)
    quantity, share = np.where(both, values, 0), np.where(both, flow, 0)
    total = share.sum(axis=-1)
    largest = int(np.abs(quantity).max(initial=0)) * int(share.max(initial=0)) * values.shape[-1]
    if largest < _EXACT and int(total.max(initial=0)) * step < _EXACT:
        return quotient((quantity * share).sum(axis=-1), total, step)
    rows = zip(
        quantity.tolist(), share.tolist(), total.tolist(), strict=True
    )  # too large for int64: one area, one year
    found = [
        round(Fraction(sum(c * q for c, q in zip(row, flows, strict=True)), all_of * step)) * step if all_of else 0
        for row, flows, all_of in rows
    ]
    return Taken(np.array(found, np.int64), total > 0)


def _direction(values: Ints, present: Flags, weights: tuple[Ints, Flags] | None, digits: int, step: int) -> Taken:
    speed, measured = (np.ones_like(values), present) if weights is None else weights
    both = present & measured
    angle = np.deg2rad(values / 10**digits)
    east = np.cumsum(np.where(both, speed * np.sin(angle), 0.0), axis=-1)[..., -1]
    north = np.cumsum(np.where(both, speed * np.cos(angle), 0.0), axis=-1)[..., -1]
    ok = np.hypot(east, north) > 1e-9 * np.maximum(np.where(both, speed, 0).sum(axis=-1), 1)
    found = _from_float(np.rad2deg(np.arctan2(east, north)) % _CIRCLE, ok, digits, step)
    return Taken(found.value % (_CIRCLE * 10**digits), found.ok)


def _mean_of(numbers: NDArray[np.float64], present: Flags) -> NDArray[np.float64]:
    """Return the mean of the valid numbers of each row, added in their order; 0 where there is none."""
    if numbers.shape[-1] == 0:
        return np.zeros(numbers.shape[:-1])
    total = np.cumsum(np.where(present, numbers, 0.0), axis=-1)[..., -1]  # one after the other, never in pairs
    mean: NDArray[np.float64] = total / np.maximum(present.sum(axis=-1), 1)
    return mean


def _from_float(numbers: NDArray[np.float64], ok: Flags, digits: int, step: int) -> Taken:
    scaled = np.rint(np.where(ok, numbers, 0.0) * 10**digits / step).astype(np.int64) * step
    return Taken(np.where(ok, scaled, 0), ok)


def least_count(share: Fraction, due: int) -> int:
    """Return how many of ``due`` values a share asks for: never less than it, and at least one."""
    return max(1, math.ceil(share * due))
