"""Forms: how the values of a factor become one value of a longer time.

Arrays have time on the first axis. Sums, counts and quotients are exact integers, rounded half to even once.
Where no exact form exists (directions, pH, decibels) floats are added in the order of time and rounded half
to even to the stored digits.

References
----------
.. [1] HJ 212-2017 annex D: mean concentration weighted by flow.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sensors.factors import WEIGHTED, Factor, Form
from sensors.windows import Statistic
from streams.judging.means import Flags, Ints, divide_exact, divide_half_even
from streams.judging.reasons import CALM, INCOMPLETE, NO_FLOW

FLOATING: Final = frozenset({Form.HYDROGEN_ION, Form.VECTOR, Form.ENERGY})
"""Forms without an exact result."""
_CANCELS: Final = 1e-6
"""A mean wind below this share of the mean speed has no direction."""
_EXACT_SUMS: Final = 2**61
"""Sums below this are made in int64."""
_LEAST: Final = np.iinfo(np.int64).min


class Formed(NamedTuple):
    """One value of a longer time, arrays without the time axis."""

    value: Ints
    """0 where there is none."""
    has: Flags
    """Whether the values that count make a value."""
    number: Ints
    """How many values count."""
    why: int
    """Reason where enough values count and make none."""


def formed(
    factor: Factor, values: Ints, ok: Flags, *, step: int, weights: Ints | None = None, weighed: Flags | None = None
) -> Formed:
    """Return the value of a longer time by the factor's form.

    Parameters
    ----------
    factor
        Its form, and for floats its digits.
    values
        Stored units, ``[T, ...]``.
    ok
        Which of them count; the others take part in nothing.
    step
        The result is rounded to a multiple of this.
    weights, weighed
        For weighted forms the flow or speed and where it counts. A flow of 0 or against the stream
        weighs nothing, and a value is not needed beside it.
    """
    if factor.form in WEIGHTED and (weights is None or weighed is None):
        raise ValueError(f"{factor.symbol} is weighted and there are no weights")
    by = None if weights is None or weighed is None else (weights, weighed)
    return formed_by(factor.form, values, ok, digits=factor.digits, step=step, by=by)


def formed_by(
    form: Form, values: Ints, ok: Flags, *, digits: int, step: int, by: tuple[Ints, Flags] | None = None
) -> Formed:
    """Return the value of a longer time, or of several sites, by a form; see `formed`.

    Parameters
    ----------
    digits
        Digits after the point of the values and of the result.
    by
        Weights and where they count; without them a weighted form has no value.
    """
    if form in WEIGHTED:
        if by is None:
            by = np.zeros_like(values), np.zeros_like(ok)
        return (
            _flow_weighted(values, ok, step, *by)
            if form is Form.FLOW_WEIGHTED
            else _vector(values, ok, digits, step, by)
        )
    count = np.count_nonzero(ok, axis=0).astype(np.int64)
    has = count > 0
    value = _EXACT[form](values, ok, count, step) if form in _EXACT else _floating(form, values, ok, digits, step)
    return Formed(np.where(has, value, 0), has, count, INCOMPLETE)


def statistic_of(statistic: Statistic, values: Ints, ok: Flags) -> Ints:
    """Return the greatest, least, sum or number of values, 0 where there is none."""
    if statistic is Statistic.COUNT:
        number: Ints = np.count_nonzero(ok, axis=0).astype(np.int64)
        return number
    if statistic is Statistic.SUM:
        total: Ints = np.where(ok, values, 0).sum(axis=0, dtype=np.int64)
        return total
    return np.where(ok.any(axis=0), (greatest if statistic is Statistic.MAX else least)(values, ok), 0)


def greatest(values: Ints, ok: Flags) -> Ints:
    """Return the greatest value that counts; where none does, anything."""
    found: Ints = np.where(ok, values, _LEAST).max(axis=0)
    return found


def least(values: Ints, ok: Flags) -> Ints:
    """Return the least value that counts; where none does, anything."""
    found: Ints = np.where(ok, values, -(_LEAST + 1)).min(axis=0)
    return found


def _mean(values: Ints, ok: Flags, count: Ints, step: int) -> Ints:
    total = np.where(ok, values, 0).sum(axis=0, dtype=np.int64)
    return divide_half_even(total, np.maximum(count, 1) * step) * step


def _sum(values: Ints, ok: Flags, _: Ints, step: int) -> Ints:
    total = np.where(ok, values, 0).sum(axis=0, dtype=np.int64)
    return divide_half_even(total, step) * step


def _max(values: Ints, ok: Flags, _: Ints, step: int) -> Ints:
    return divide_half_even(np.where(ok.any(axis=0), greatest(values, ok), 0), step) * step


def _last(values: Ints, ok: Flags, _: Ints, step: int) -> Ints:
    place = values.shape[0] - 1 - np.argmax(ok[::-1], axis=0)
    return divide_half_even(np.take_along_axis(values, place[None], axis=0)[0], step) * step


_EXACT: Final = {Form.MEAN: _mean, Form.SUM: _sum, Form.COUNTER: _sum, Form.MAX: _max, Form.STATE: _last}
"""A counter's values are increments here."""


def _floating(form: Form, values: Ints, ok: Flags, digits: int, step: int) -> Ints:
    """Return minus the logarithm of the mean of 10**-pH, or ten times the logarithm of the mean of 10**(L/10)."""
    sign, scale = (-1.0, 1.0) if form is Form.HYDROGEN_ION else (1.0, 10.0)
    unit = 10.0**digits
    exponent = np.where(ok, sign * values / (unit * scale), 0.0)
    total, count = _in_order(np.where(ok, np.power(10.0, exponent), 0.0)), np.count_nonzero(ok, axis=0)
    mean = np.where(count > 0, total / np.maximum(count, 1), 1.0)
    return _to_step(sign * scale * np.log10(mean) * unit, step)


def _in_order(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum over time, one after the other and never in pairs, so that it is the same on every machine."""
    total: NDArray[np.float64] = np.cumsum(numbers, axis=0)[-1]
    return total


def _flow_weighted(values: Ints, ok: Flags, step: int, weights: Ints, weighed: Flags) -> Formed:
    """Return the sum of value times flow over the sum of flows, where both are there."""
    flowing = weighed & (weights > 0)
    counted = weighed & (ok | ~flowing)
    flows = np.where(ok & flowing, weights, 0)
    flow = flows.sum(axis=0, dtype=np.int64)
    has = flow > 0
    most = int(np.abs(values).max(initial=0)) * int(flows.max(initial=0)) * max(values.shape[0], 1)
    exact = most < _EXACT_SUMS and int(flow.max(initial=0)) * step < _EXACT_SUMS
    kind: type[np.int64 | object] = np.int64 if exact else object  # whole numbers without end, but slow
    total = (np.where(ok, values, 0).astype(kind) * flows.astype(kind)).sum(axis=0)
    divide = divide_half_even if kind is np.int64 else divide_exact
    value = divide(total, np.where(has, flow, 1).astype(kind) * step) * step
    return Formed(np.where(has, value, 0), has, np.count_nonzero(counted, axis=0).astype(np.int64), NO_FLOW)


def _vector(values: Ints, ok: Flags, digits: int, step: int, by: tuple[Ints, Flags]) -> Formed:
    """Return the direction of the mean wind in degrees from 0 to below 360, by speed and direction."""
    weights, weighed = by
    counted = ok & weighed
    unit = 10.0**digits
    angle = np.deg2rad(np.where(counted, values / unit, 0.0))
    strength = np.where(counted, weights.astype(np.float64), 0.0)
    north, east = _in_order(strength * np.cos(angle)), _in_order(strength * np.sin(angle))
    speed = _in_order(strength)
    has = (speed > 0) & (np.hypot(north, east) > _CANCELS * speed)
    round_ = round(360 * unit)
    value = _to_step(np.rad2deg(np.arctan2(east, north)) * unit, step) % round_
    return Formed(np.where(has, value, 0), has, np.count_nonzero(counted, axis=0).astype(np.int64), CALM)


def _to_step(numbers: NDArray[np.float64], step: int) -> Ints:
    rounded: Ints = np.rint(numbers / step).astype(np.int64) * step
    return rounded


def increments(values: Ints, ok: Flags) -> tuple[Ints, Ints, Ints]:
    """Return what a cumulative count added between its first and last reading, and these two.

    Parameters
    ----------
    values, ok
        Readings ``[T, ...]`` in the order of time. A reading below the one before is a count that began again
        at zero.

    Returns
    -------
    tuple
        Added, first reading, last reading; 0 where there is no reading.
    """
    added, first, last = (np.zeros(values.shape[1:], np.int64) for _ in range(3))
    seen = np.zeros(values.shape[1:], np.bool_)
    for moment, there in zip(values, ok, strict=True):
        added += np.where(there & seen, grown(last, moment), 0)
        first = np.where(there & ~seen, moment, first)
        last = np.where(there, moment, last)
        seen |= there
    return added, first, last


def grown(before: Ints, now: Ints) -> Ints:
    """Return what a cumulative count added from one reading to the next."""
    return np.where(now < before, now, now - before)
