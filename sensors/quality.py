"""Automatic quality tests, each named as the manuals name it. They only ever mark suspect.

A suspect value stays in its windows, and its alert goes out as 待核实 (rulings, "Flags"): the worst
pollution must never become silence. Every test takes fixed-point values and which of them are present,
and returns booleans of the same shape; it changes nothing that it was given. What is not present is
never suspect and never evidence.

References
----------
.. [1] The form of the tests follows QARTOD; their numbers stand in the kind files, with whose they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sensors.kinds import Kind, QualityTest

Values: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Reach:
    """How many slots around a value its verdict depends on."""

    before: int
    after: int


def reach_of(kind: Kind) -> Reach:
    """Return how far the tests of a kind look: a change in one slot may alter verdicts as far away as this."""
    before = after = 0
    for test in kind.quality:
        match test.test:
            case "spike":
                before, after = max(before, 1), 1
            case "rate_of_change":
                before = max(before, 1)
            case "flat_line":
                before = max(before, int(test.numbers["slots"]) - 1)
            case _:
                pass
    return Reach(before, after)


def suspects(kind: Kind, values: Values, present: Mask) -> Mask:
    """Return which values of a kind at least one of its tests holds suspect.

    Parameters
    ----------
    kind
        Names the tests and their numbers.
    values
        Fixed point at each factor's digits, [sites, factors, slots], factors in the kind's order, slots in time.
    present
        Which of them are values; the same shape.

    Returns
    -------
    numpy.ndarray
        Booleans of the same shape; False wherever nothing is present.
    """
    order = {symbol: place for place, symbol in enumerate(kind.factors)}
    found = np.zeros(values.shape, np.bool_)
    for test in kind.quality:
        places = [order[symbol] for symbol in test.factors]
        if test.test == "greater_than":
            part, whole = places
            digits = [kind.factors[symbol].digits for symbol in test.factors]
            scaled = [values[:, place] * 10 ** (max(digits) - own) for place, own in zip(places, digits, strict=True)]
            both = present[:, part] & present[:, whole]
            over = greater_than(scaled[0], scaled[1], both, math.floor(test.numbers["by"] * 10 ** max(digits)))
            found[:, part] |= over
            found[:, whole] |= over
            continue
        for symbol, place in zip(test.factors, places, strict=True):
            found[:, place] |= _alone(test, values[:, place], present[:, place], 10 ** kind.factors[symbol].digits)
    return found


def _alone(test: QualityTest, values: Values, present: Mask, scale: int) -> Mask:
    """Run one test on one factor, [sites, slots]; ``scale`` is stored units in one canonical unit."""

    def stored(name: str) -> Fraction:
        return test.numbers[name] * scale

    match test.test:
        case "gross_range":
            return gross_range(values, present, math.ceil(stored("low")), math.floor(stored("high")))
        case "spike":
            return spike(values, present, math.floor(2 * stored("height")))
        case "rate_of_change":
            return rate_of_change(values, present, math.floor(stored("per_slot")))
        case "flat_line":
            above = math.floor(stored("above")) if "above" in test.numbers else None
            return flat_line(values, present, int(test.numbers["slots"]), math.floor(stored("within")), above)
        case name:
            raise ValueError(name)


def gross_range(values: Values, present: Mask, low: int, high: int) -> Mask:
    """Return which values lie outside the usual range; both bounds are inside it.

    Parameters
    ----------
    values, present
        [..., slots].
    low, high
        In stored units. The physical bounds, which refuse a value, are others and wider.
    """
    return present & ((values < low) | (values > high))


def spike(values: Values, present: Mask, double_height: int) -> Mask:
    """Return which values stand out from the mean of their two neighbours by more than a height.

    Parameters
    ----------
    values, present
        [..., slots] in order of time; a value without both neighbours is no spike.
    double_height
        Twice the height in stored units, so that the mean of two needs no halves.
    """
    found = np.zeros(values.shape, np.bool_)
    if values.shape[-1] > 2:  # noqa: PLR2004  a value and its two neighbours
        away = np.abs(2 * values[..., 1:-1] - values[..., :-2] - values[..., 2:])
        found[..., 1:-1] = present[..., 1:-1] & present[..., :-2] & present[..., 2:] & (away > double_height)
    return found


def rate_of_change(values: Values, present: Mask, per_slot: int) -> Mask:
    """Return which values differ from the slot before by more than is usual.

    Parameters
    ----------
    values, present
        [..., slots] in order of time; without a value in the slot before there is no rate.
    per_slot
        In stored units.
    """
    found = np.zeros(values.shape, np.bool_)
    changed = np.abs(np.diff(values, axis=-1)) > per_slot
    found[..., 1:] = present[..., 1:] & present[..., :-1] & changed
    return found


def flat_line(values: Values, present: Mask, slots: int, within: int, above: int | None = None) -> Mask:
    """Return which values end a run that hardly moved.

    Parameters
    ----------
    values, present
        [..., slots] in order of time; a slot without a value ends every run.
    slots
        Length of the run, its newest value inside.
    within
        Greatest less least value of the run, in stored units, that counts as not moving.
    above
        A run whose least value is not above this is none, because what an instrument can hardly see stands still
        for days: of Beijing's hours of SO2 a sixth did, at 2 to 5 µg/m³. None: every run counts.
    """
    found = np.zeros(values.shape, np.bool_)
    if values.shape[-1] >= slots:
        runs = sliding_window_view(values, slots, axis=-1)
        whole = sliding_window_view(present, slots, axis=-1).all(axis=-1)
        least = runs.min(axis=-1)
        still = runs.max(axis=-1) - least <= within
        found[..., slots - 1 :] = whole & still & (True if above is None else least > above)
    return found


def greater_than(part: Values, whole: Values, both: Mask, by: int) -> Mask:
    """Return where a part is more than the whole, for example PM2.5 more than PM10: then both are suspect.

    Parameters
    ----------
    part, whole
        The same shape, in the same stored unit.
    both
        Where both are present.
    by
        What two instruments may differ by, in that unit.
    """
    return both & (part - whole > by)
