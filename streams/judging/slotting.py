"""Judging hours: minute slots and the sources' own hours become hour values with a reason.

A source's own hour is judged where it came; our mean of its minutes only where none came
(rulings, "Which number is judged"). Hours are rounded here, before any other mean (rounding chain).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensors.clock import HOUR_MS
from sensors.flags import Mark
from streams.judging import slots
from streams.judging.hashing import placed
from streams.judging.means import divide_half_even, round_to_step
from streams.judging.reasons import CALIBRATING, INCOMPLETE, INVALID, OK, SILENT
from streams.judging.state import MINUTES, RING_HOURS, AirState

_COMPUTED_SALT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HourBlock:
    """Hours of some sites, arrays [sites, factors]."""

    value: NDArray[np.int64]
    present: NDArray[np.bool_]
    valid: NDArray[np.int16]
    expected: NDArray[np.int16]
    reason: NDArray[np.uint8]
    marks: NDArray[np.uint16]
    inputs: NDArray[np.uint64]


def judge_hour(
    state: AirState, sites: NDArray[np.intp], hour: int, steps: NDArray[np.int64], needed: NDArray[np.int64]
) -> HourBlock:
    """Return one hour of some sites; a negative mean is no value (``IMPOSSIBLE``).

    Parameters
    ----------
    state
        The slots.
    sites
        Rows of the state to judge.
    hour
        Hour number.
    steps
        Per factor the stored units in the standard's last digit.
    needed
        Per factor the valid minutes that make an hour (`streams.standards.Completeness`).
    """
    own = _own_hours(state, sites, hour, steps)
    page = state.pages.get(hour)
    if page is None:
        return own
    made = _made_hours(state, sites, page, steps, needed)
    came = own.inputs != 0
    return HourBlock(**{name: np.where(came, getattr(own, name), getattr(made, name)) for name in HourBlock.__slots__})


def _own_hours(state: AirState, sites: NDArray[np.intp], hour: int, steps: NDArray[np.int64]) -> HourBlock:
    """Return the hours that sources sent as hours; ``inputs`` is 0 where none came."""
    keys = state.device[(hour % RING_HOURS) * len(state.sites) + sites]
    came, marks = keys != 0, slots.marks_of(keys)
    value = round_to_step(slots.values_of(keys), steps)
    present = _possible(slots.counts(keys), value, marks)
    reason = np.where(came, _why_invalid(marks), SILENT)
    content = placed(slots.content_of(keys), np.zeros_like(keys))
    return HourBlock(
        value=np.where(present, value, 0),
        present=present,
        valid=present.astype(np.int16),
        expected=np.where(came, 1, _owed_parts(state, sites)).astype(np.int16),
        reason=np.where(present, OK, reason).astype(np.uint8),
        marks=marks,
        inputs=np.where(came, content, np.uint64(0)),
    )


def _made_hours(
    state: AirState, sites: NDArray[np.intp], page: slots.Keys, steps: NDArray[np.int64], needed: NDArray[np.int64]
) -> HourBlock:
    """Return our means of minute slots."""
    whole = sites.size == len(state.sites)
    keys = page.reshape(MINUTES, len(state.sites), -1)
    keys = keys if whole else keys[:, sites]
    entering = slots.counts(keys)
    came = (keys != 0).sum(axis=0, dtype=np.int64)
    count = entering.sum(axis=0, dtype=np.int64)
    total = np.where(entering, slots.values_of(keys), 0).sum(axis=0)
    minutes = np.array([state.sites[i].period_ms // 60_000 for i in sites], np.int64)[:, None]
    marks = np.bitwise_or.reduce(slots.marks_of(keys), axis=0)
    value = divide_half_even(total, np.maximum(count, 1) * steps) * steps
    present = _possible((count * minutes >= needed) & (count > 0), value, marks)
    marks[came > 0] |= np.uint16(Mark.COMPUTED)
    places = np.arange(MINUTES, dtype=np.int64)[:, None, None] + _COMPUTED_SALT
    inputs = np.where(keys != 0, placed(slots.content_of(keys), places), np.uint64(0)).sum(axis=0, dtype=np.uint64)
    short = np.where(came * minutes >= needed, _why_invalid(marks), INCOMPLETE)
    reason = np.where(came == 0, SILENT, np.where(present, OK, short))
    return HourBlock(
        value=np.where(present, value, 0),
        present=present,
        valid=(count * minutes).astype(np.int16),
        expected=np.broadcast_to(_owed_parts(state, sites), count.shape).astype(np.int16),
        reason=reason.astype(np.uint8),
        marks=marks,
        inputs=inputs,
    )


def _owed_parts(state: AirState, sites: NDArray[np.intp]) -> NDArray[np.int64]:
    """Return how many parts make an hour of each site, [sites, 1]: its minutes, or the hour itself."""
    periods = np.array([state.sites[i].period_ms for i in sites], np.int64)[:, None]
    return np.where(periods < HOUR_MS, MINUTES, 1)


def _possible(enough: NDArray[np.bool_], value: NDArray[np.int64], marks: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Return which hours have a value, and mark in place those that would be negative."""
    negative = enough & (value < 0)
    marks[negative] |= np.uint16(Mark.IMPOSSIBLE)
    return enough & ~negative


def _why_invalid(marks: NDArray[np.uint16]) -> NDArray[np.int64]:
    calibrating = (marks & int(Mark.CALIBRATION)) != 0
    return np.where(calibrating, CALIBRATING, INVALID)


def keep(state: AirState, sites: NDArray[np.intp], hour: int, block: HourBlock) -> None:
    """Write judged hours into the ring."""
    place = hour % RING_HOURS
    for name in HourBlock.__slots__:
        getattr(state.hours, name)[sites, :, place] = getattr(block, name)
    state.dirty[place * len(state.sites) + sites] = False
