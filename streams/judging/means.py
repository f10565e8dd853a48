"""Means in exact integers.

Values are int64 fixed point; a mean is the exact rational of its inputs, rounded half to even once
(GB/T 8170; rulings, "Rounding chain"). A position that is not present holds 0 and takes part in nothing.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]
Unbounded = NDArray[np.object_]
"""Python integers, which cannot overflow; slow."""
Flags = NDArray[np.bool_]
Number = TypeVar("Number", np.int64, np.uint64)
_FEW: Final = 4
"""Up to so many positions are summed one by one."""


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


def divide_exact(numerator: Unbounded, denominator: Unbounded) -> Ints:
    """Return quotients of Python integers of any size, rounded half to even; denominators are positive."""
    quotient = numerator // denominator
    twice = 2 * (numerator - quotient * denominator)
    up = (twice > denominator) | ((twice == denominator) & (quotient % 2 == 1))
    rounded: Ints = (quotient + up.astype(object)).astype(np.int64)
    return rounded


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
    sums, counts = window_sums(values, present, np.full(values.shape[-1], span))
    return rounded_means(sums, counts, at_least, step)


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
    return rounded_means(sums, counts, at_least, step)


def window_sums(values: Ints, present: Flags, spans: NDArray[np.integer]) -> tuple[Ints, Ints]:
    """Return sum and count of the ``spans[h]`` hours that end with hour ``h``."""
    first = np.maximum(np.arange(values.shape[-1]) + 1 - spans, 0)
    sums = _running_total(np.where(present, values, 0))
    counts = _running_total(present)
    return sums[..., 1:] - sums[..., first], counts[..., 1:] - counts[..., first]


def _running_total(values: NDArray[np.generic]) -> Ints:
    total = np.zeros((*values.shape[:-1], values.shape[-1] + 1), dtype=np.int64)
    np.cumsum(values, axis=-1, dtype=np.int64, out=total[..., 1:])
    return total


def tail_sums(values: NDArray[Number], spans: NDArray[np.int64], begin: int) -> NDArray[Number]:
    """Return the sums over the last ``spans[h]`` positions of each position ``h`` from ``begin`` on.

    Parameters
    ----------
    values
        ``[..., H]`` of int64, or of uint64, whose sums wrap.
    spans
        ``[H]``; a position that has fewer before it sums what is there.
    begin
        The first position asked for. A stream asks for the newest alone, and then nothing else is summed.
    """
    size = values.shape[-1]
    if size - begin <= _FEW:
        few = [values[..., max(0, h + 1 - spans[h]) : h + 1].sum(axis=-1) for h in range(begin, size)]
        return np.stack(few, axis=-1)
    total = np.zeros((*values.shape[:-1], size + 1), values.dtype)
    np.cumsum(values, axis=-1, out=total[..., 1:])
    first = np.maximum(np.arange(1, size + 1) - spans, 0)
    sums: NDArray[Number] = total[..., begin + 1 :] - total[..., first[begin:]]
    return sums


def rounded_means(sums: Ints, counts: Ints, at_least: ArrayLike, step: ArrayLike) -> Means:
    """Return means from sums and counts: rounded half to even to ``step``, valid where the counts are enough."""
    ok = counts >= np.maximum(at_least, 1)
    unit = np.asarray(step, np.int64)
    mean = divide_half_even(sums, np.maximum(counts, 1) * unit) * unit
    return Means(np.where(ok, mean, 0), ok, counts)
