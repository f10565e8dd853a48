"""Flux: concentration times flow, integrated over time; a closed gate is zero, a gap stays a gap.

References
----------
.. [1] City and district plans ask for the flux of nitrogen and phosphorus into the bay and do not define
   it; this reading is the project's (facts, "Water networks").
"""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Mass(NamedTuple):
    """A mass over some slots, ``[...]``."""

    grams: NDArray[np.object_]
    """Exact: a Fraction per position; 0 where nothing was covered."""
    covered: Ints
    """Slots with a concentration and a flow, no flow at all, or a closed gate."""
    closed: Ints
    """Of those: slots that carried nothing."""
    slots: int
    """Slots there should be."""


class Growth(StrEnum):
    """What became of a mass from one period to the next (零增长)."""

    GREW = "grew"
    HELD = "held"
    """Not more than before: zero growth is met."""
    NOT_COMPARABLE = "not_comparable"
    """One of them has no value, or too many gaps."""


def mass(
    concentration: Ints,
    has_concentration: Flags,
    flow: Ints,
    has_flow: Flags,
    closed: Flags,
    *,
    scales: tuple[int, int],
    slot_s: int,
) -> Mass:
    """Return the mass that passed, and what of the time is covered.

    Parameters
    ----------
    concentration, flow
        ``[..., T]`` fixed point. [mg/L, m³/s]
    has_concentration, has_flow
        Which are valid.
    closed
        Slots in which the gate was closed throughout: they carry nothing, whatever is missing.
    scales
        Stored units in 1 mg/L and in 1 m³/s.
    slot_s
        Length of a slot. [s]

    Returns
    -------
    Mass
        ``[...]``. A flow against the direction counts as negative. Gaps are not filled.
    """
    still = closed | (has_flow & (flow == 0))
    moving = has_concentration & has_flow & ~still
    # 1 mg/L is 1 g/m³, so that the product is grams.
    products = np.where(moving, concentration * flow, 0).sum(axis=-1, dtype=np.int64)
    grams = products.astype(np.object_) * Fraction(slot_s, scales[0] * scales[1])
    covered = (moving | still).sum(axis=-1, dtype=np.int64)
    return Mass(grams, covered, still.sum(axis=-1, dtype=np.int64), concentration.shape[-1])


def kilograms(grams: NDArray[np.object_], digits: int) -> Ints:
    """Return grams as kilograms in fixed point, rounded half to even once."""
    fixed = [round(Fraction(value) * 10**digits / 1000) for value in grams.ravel()]
    return np.array(fixed, dtype=np.int64).reshape(grams.shape)


def growth(now: int | None, before: int | None, gaps: tuple[Fraction, Fraction], gap_at_most: Fraction) -> Growth:
    """Return whether a mass grew against the period before.

    Parameters
    ----------
    now, before
        Masses in the same unit; None where there is none.
    gaps
        Share of each period that is not covered.
    gap_at_most
        Above this a period is not compared.
    """
    if now is None or before is None or max(gaps) > gap_at_most:
        return Growth.NOT_COMPARABLE
    return Growth.GREW if now > before else Growth.HELD
