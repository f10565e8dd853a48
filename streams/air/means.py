"""Means of air hours in exact integers.

Values are int64 fixed point; hours are already whole steps of the standard's last digit, and a
mean is rounded half to even once more at that digit (GB/T 8170; rulings, "Rounding chain").
A position that is not present holds 0 and takes part in nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

O3_SPAN = 8
"""Hours of a running ozone mean."""
DAY_SPAN = 24
"""Hours of a day."""
FIRST_MDA8_END = 8
"""The first running mean of a day's MDA8 ends at 08:00, the last at 24:00 (HJ 663)."""
MDA8_WINDOWS = 17
"""Running means that lie wholly inside one day."""


class Means(NamedTuple):
    """Means, where they are valid, and how many inputs each had."""

    value: Ints
    """0 where not `ok`."""
    ok: Flags
    valid: Ints
    """Number of valid inputs, whether they were enough or not."""


def divide_half_even(numerator: ArrayLike, denominator: ArrayLike) -> Ints:
    """Return the quotient of integers, rounded half to even, exactly.

    Parameters
    ----------
    numerator
        Integers, of either sign.
    denominator
        Positive integers; broadcast against the numerator.

    Raises
    ------
    ValueError
        When a denominator is not positive.
    """
    num, den = np.asarray(numerator, dtype=np.int64), np.asarray(denominator, dtype=np.int64)
    if (den <= 0).any():
        raise ValueError("a denominator is not positive")
    quotient: Ints = num // den
    twice = 2 * (num - quotient * den)
    quotient += (twice > den) | ((twice == den) & (quotient & 1 == 1))
    return quotient


def round_to_step(values: ArrayLike, step: ArrayLike) -> Ints:
    """Return values rounded half to even to whole multiples of ``step``, in the same fixed point."""
    return divide_half_even(values, step) * np.asarray(step, dtype=np.int64)


def running_mean(values: Ints, present: Flags, *, span: int, at_least: ArrayLike, step: int) -> Means:
    """Return the means of the ``span`` hours that end with each hour.

    Parameters
    ----------
    values
        Rounded hours ``[..., H]``, fixed point, one per hour without gaps on the last axis.
    present
        Which of them are valid, same shape.
    span
        Hours in a window. The first ``span - 1`` windows hold what the array has.
    at_least
        Valid hours that a window needs; one figure, or one for each hour.
    step
        The standard's last digit in fixed-point units; the mean is rounded to it.
    """
    sums, counts = _window_sums(values, present, np.full(values.shape[-1], span))
    return _means(sums, counts, at_least, step)


def o3_8h_platform(values: Ints, present: Flags, hour_of_day: Ints, *, at_least: int, step: int) -> Means:
    """Return the ozone means that the national platform publishes: hours since midnight, at most 8.

    For comparison only; never judged.

    Parameters
    ----------
    values, present
        As in `running_mean`, ``[..., H]``.
    hour_of_day
        ``[H]``: 0 for the hour from 00:00 to 01:00 Beijing time, 23 for the last.
    at_least
        Valid hours that a window needs, at most as many as it has hours.
    step
        As in `running_mean`.
    """
    spans = np.minimum(np.asarray(hour_of_day) + 1, O3_SPAN)
    sums, counts = _window_sums(values, present, spans)
    return _means(sums, counts, np.minimum(spans, at_least), step)


def day_mean(values: Ints, present: Flags, *, at_least: int, step: int) -> Means:
    """Return the mean of the hours of whole days.

    Parameters
    ----------
    values
        Rounded hours ``[..., 24]``.
    present
        Which are valid.
    at_least
        Valid hours that a day needs (GB 3095 table 4: 20).
    step
        As in `running_mean`.
    """
    counts = np.count_nonzero(present, axis=-1).astype(np.int64)
    sums = np.where(present, values, 0).sum(axis=-1, dtype=np.int64)
    return _means(sums, counts, at_least, step)


def mda8(o3_8h: Ints, present: Flags, *, at_least: int, limit: ArrayLike | None = None) -> Means:
    """Return the largest of a day's running ozone means.

    Parameters
    ----------
    o3_8h
        ``[..., 17]``: the running means that end 08:00 to 24:00 of the day.
    present
        Which are valid.
    at_least
        Valid windows that the day needs (HJ 663-2013: 14).
    limit
        Limit of the site's zone, same fixed point, broadcast over the leading axes. A largest mean
        above it is valid with fewer windows. None: no such exception.

    Returns
    -------
    Means
        ``value`` is the largest valid running mean, ``valid`` the number of valid windows.
    """
    counts = np.count_nonzero(present, axis=-1).astype(np.int64)
    largest = np.where(present, o3_8h, np.int64(-1)).max(axis=-1)
    ok = counts >= max(at_least, 1)
    if limit is not None:
        ok |= (counts > 0) & (largest > np.asarray(limit, dtype=np.int64))
    return Means(np.where(ok, largest, 0), ok, counts)


def _window_sums(values: Ints, present: Flags, spans: NDArray[np.integer]) -> tuple[Ints, Ints]:
    """Return sum and count of the ``spans[h]`` hours that end with hour ``h``."""
    first = np.maximum(np.arange(values.shape[-1]) + 1 - spans, 0)
    sums = _running_total(np.where(present, values, 0))
    counts = _running_total(present)
    return sums[..., 1:] - sums[..., first], counts[..., 1:] - counts[..., first]


def _running_total(values: NDArray[np.generic]) -> Ints:
    total = np.zeros((*values.shape[:-1], values.shape[-1] + 1), dtype=np.int64)
    np.cumsum(values, axis=-1, dtype=np.int64, out=total[..., 1:])
    return total


def _means(sums: Ints, counts: Ints, at_least: ArrayLike, step: int) -> Means:
    ok = counts >= np.maximum(at_least, 1)
    mean = divide_half_even(sums, np.maximum(counts, 1) * step) * step
    return Means(np.where(ok, mean, 0), ok, counts)
