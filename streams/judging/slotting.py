"""Judging slots: fine readings and the sources' own slots become slot values with a reason.

A source's own slot is judged where it came; ours of its finer readings only where none came
(rulings, "Which number is judged").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sensors.clock import MINUTE_MS
from sensors.factors import WEIGHTED, Form
from sensors.flags import Mark
from sensors.windows import Span, Statistic, WindowSpec
from streams.judging import packets, slots
from streams.judging.completeness import Completeness
from streams.judging.entries import Rows
from streams.judging.forms import formed, greatest, increments, least
from streams.judging.hashing import joined, placed
from streams.judging.means import divide_half_even, round_to_step
from streams.judging.reasons import CALIBRATING, INCOMPLETE, INVALID, OK, SILENT
from streams.judging.state import State

_COMPUTED_SALT = 1_000
_BLOCK = 65_536
"""Keys that are judged at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One slot of some sites: arrays [factors, sites], but ``packets`` [sites]."""

    value: NDArray[np.int64]
    present: NDArray[np.bool_]
    valid: NDArray[np.int16]
    expected: NDArray[np.int16]
    reason: NDArray[np.uint8]
    marks: NDArray[np.uint16]
    inputs: NDArray[np.uint64]
    low: NDArray[np.int64] | None
    high: NDArray[np.int64] | None
    packets: NDArray[np.int64]


class Slotting:
    """Judges the slots of one kind.

    Parameters
    ----------
    completeness
        What makes a slot valid.
    extremes
        Whether the least and greatest fine value of a slot are wanted.
    """

    def __init__(self, completeness: Completeness, *, extremes: bool) -> None:
        kind = completeness.kind
        factors = tuple(kind.factors.values())
        self._completeness, self._extremes, self._factors = completeness, extremes, factors
        self._places = {factor.symbol: place for place, factor in enumerate(factors)}
        self._steps = np.array([f.step if kind.round_slots else 1 for f in factors], np.int64)
        self._bounded = np.array([f.low >= 0 for f in factors])
        self._special = [(place, f) for place, f in enumerate(factors) if f.form is not Form.MEAN]
        self._specs = {f: slot_window(kind.windows, f) for f in kind.factors}

    def judge(self, state: State, sites: Rows, slot: int) -> Judged:
        """Return one slot of some sites; a negative value of what cannot be negative is none (``IMPOSSIBLE``)."""
        start = state.shape.grid.start_of(slot)
        periods = state.entries.period_at(sites, np.full(sites.size, start))
        whole = sites.size == state.count
        own_keys, page = state.own.get(slot), state.pages.get(slot)
        made = own = None
        if page is not None:
            cube = page.reshape(state.shape.grid.places, state.count, -1)
            made = self._in_blocks(state, cube if whole else cube[:, sites], periods, slot)
        if own_keys is not None or made is None:
            blank = np.zeros((sites.size, len(self._factors)), np.int64)
            own = self._of_own(state, blank if own_keys is None else own_keys[sites], periods)
        if own is None or made is None:
            return own or made  # type: ignore[return-value] # one of them was made
        return _chosen(own, made)

    def _of_own(self, state: State, keys: slots.Keys, periods: NDArray[np.int64]) -> Judged:
        """Return the slots that sources sent as such; ``inputs`` is 0 where none came."""
        grid = state.shape.grid
        came, marks, stored = keys != 0, slots.marks_of(keys), slots.values_of(keys)
        entering = slots.counts(keys)
        value = round_to_step(np.where(entering, stored, 0), self._steps)
        present = self._possible(entering, value, marks)
        content = placed(slots.content_of(keys), np.zeros_like(keys))
        low = high = None
        if self._extremes:
            low = high = np.where(present, stored, 0).T
        if any(f.form is Form.COUNTER for f in self._factors):
            counters = np.array([f.form is Form.COUNTER for f in self._factors])
            value = np.where(counters, 0, value)
        any_came = came.any(axis=1)
        due = np.where(any_came, 1, grid.slot_ms // periods)
        allowed = np.array([self._allowed(state, grid.slot_ms)])
        return Judged(
            value=np.where(present, value, 0).T,
            present=present.T,
            valid=present.T.astype(np.int16),
            expected=np.where(came, 1, _parts(state, periods)[:, None]).T.astype(np.int16),
            reason=np.where(present, OK, np.where(came, _why_invalid(marks), SILENT)).T.astype(np.uint8),
            marks=marks.T,
            inputs=np.where(came, content, np.uint64(0)).T,
            low=low,
            high=high,
            packets=packets.counted(keys[None], entering[None], due, allowed),
        )

    @staticmethod
    def _allowed(state: State, from_start_ms: int) -> int:
        """Return after how many minutes a packet is late that starts so long before its slot ends."""
        return (from_start_ms + state.shape.settings.grace_ms) // MINUTE_MS

    def _in_blocks(self, state: State, keys: slots.Keys, periods: NDArray[np.int64], slot: int) -> Judged:
        """Return what `_of_fine` does, a few sites at a time, so that their arrays stay in the processor's cache."""
        size = max(_BLOCK // (keys.shape[0] * keys.shape[2]), 1)
        blocks = [
            self._of_fine(state, keys[:, begin : begin + size], periods[begin : begin + size], slot)
            for begin in range(0, periods.size, size)
        ]
        return blocks[0] if len(blocks) == 1 else _beside(blocks)

    def _of_fine(self, state: State, keys: slots.Keys, periods: NDArray[np.int64], slot: int) -> Judged:
        """Return our values of fine readings ``[places, sites, factors]``."""
        grid = state.shape.grid
        entering = slots.counts(keys)
        stored = slots.values_of(keys)
        stored *= entering
        units = (periods // grid.fine_ms)[:, None]
        count = np.count_nonzero(entering, axis=0).astype(np.int64)
        total = stored.sum(axis=0)
        value = divide_half_even(total, np.maximum(count, 1) * self._steps) * self._steps
        has = count > 0
        why = np.full(has.shape, INCOMPLETE, np.uint8)
        inputs = self._hashes(keys)
        for place, factor in self._special:
            self._form(place, stored, entering, (value, has, count, why))
            if factor.form in WEIGHTED:
                by = inputs[:, self._places[factor.by]]
                inputs[:, place] = np.where(inputs[:, place] == 0, inputs[:, place], joined(inputs[:, place], by))
        needed = self._needed(grid.day_of(slot), np.full(periods.size, grid.places))
        came = np.count_nonzero(keys, axis=0)
        marks = slots.marks_over(keys)
        enough = count * units >= needed
        present = self._possible(enough & has, value, marks)
        marks[came > 0] |= np.uint16(Mark.COMPUTED)
        short = np.where(came * units >= needed, np.where(enough & ~has, why, _why_invalid(marks)), INCOMPLETE)
        low, high = self._least_greatest(stored, entering)
        to_end = (grid.places - np.arange(grid.places)) * grid.fine_ms
        return Judged(
            value=np.where(present, value, 0).T,
            present=present.T,
            valid=(count * units).T.astype(np.int16),
            expected=np.broadcast_to(_parts(state, periods), count.T.shape).astype(np.int16),
            reason=np.where(came == 0, SILENT, np.where(present, OK, short)).T.astype(np.uint8),
            marks=marks.T,
            inputs=inputs.T,
            low=low,
            high=high,
            packets=packets.counted(
                keys, entering, grid.slot_ms // periods, np.array([self._allowed(state, int(ms)) for ms in to_end])
            ),
        )

    def _form(
        self,
        place: int,
        stored: NDArray[np.int64],
        entering: NDArray[np.bool_],
        into: tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64], NDArray[np.uint8]],
    ) -> None:
        """Put the value of a factor that is no arithmetic mean in its place."""
        value, has, count, why = into
        factor = self._factors[place]
        if factor.form is Form.COUNTER:
            value[:, place] = increments(stored[..., place], entering[..., place])[0]
            return
        by = self._places.get(factor.by)
        found = formed(
            factor, stored[..., place], entering[..., place], step=int(self._steps[place]),
            weights=None if by is None else stored[..., by], weighed=None if by is None else entering[..., by],
        )  # fmt: skip
        value[:, place], has[:, place], count[:, place], why[:, place] = found.value, found.has, found.number, found.why

    def _least_greatest(
        self, stored: NDArray[np.int64], entering: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64] | None, NDArray[np.int64] | None]:
        """Return the least and greatest fine values [factors, sites], of counters the first and last."""
        if not self._extremes:
            return None, None
        some = entering.any(axis=0)
        low, high = np.where(some, least(stored, entering), 0), np.where(some, greatest(stored, entering), 0)
        for place, factor in self._special:
            if factor.form is Form.COUNTER:
                _, low[:, place], high[:, place] = increments(stored[..., place], entering[..., place])
        return low.T, high.T

    def _needed(self, day: int, expected: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the valid places that make a slot, [sites, factors]."""
        needed = np.ones((expected.size, len(self._factors)), np.int64)
        for place, (name, spec) in enumerate(self._specs.items()):
            if spec is not None:
                needed[:, place] = self._completeness.needed(spec, name, day, expected)
        return needed

    def _possible(
        self, enough: NDArray[np.bool_], value: NDArray[np.int64], marks: NDArray[np.uint16]
    ) -> NDArray[np.bool_]:
        """Return which slots have a value, and mark in place those that would be impossibly negative."""
        negative = enough & (value < 0) & self._bounded
        marks[negative] |= np.uint16(Mark.IMPOSSIBLE)
        possible: NDArray[np.bool_] = enough & ~negative
        return possible

    @staticmethod
    def _hashes(keys: slots.Keys) -> NDArray[np.uint64]:
        places = np.arange(keys.shape[0], dtype=np.int64)[:, None, None] + _COMPUTED_SALT
        contents = placed(slots.content_of(keys), places)
        contents *= keys != 0
        total: NDArray[np.uint64] = contents.sum(axis=0, dtype=np.uint64)
        return total


def _beside(blocks: Sequence[Judged]) -> Judged:
    """Return sites that were judged in blocks, one block after the other."""
    columns: dict[str, Any] = {}
    for f in fields(Judged):
        parts = [getattr(block, f.name) for block in blocks]
        columns[f.name] = None if parts[0] is None else np.concatenate(parts, axis=-1)
    return Judged(**columns)


def slot_window(windows: tuple[WindowSpec, ...], factor: str) -> WindowSpec | None:
    """Return the window of the slot itself for a factor, None where the kind has none."""
    found = (w for w in windows if w.span is Span.SLOT and w.statistic is Statistic.FORM and factor in w.factors)
    return next(found, None)


def _chosen(own: Judged, made: Judged) -> Judged:
    """Return the sources' own slots where they came, and ours elsewhere."""
    came = own.inputs != 0
    columns = {
        f.name: None if getattr(own, f.name) is None else np.where(came, getattr(own, f.name), getattr(made, f.name))
        for f in fields(Judged)
        if f.name != "packets"
    }
    return Judged(**columns, packets=np.where(came.any(axis=0), own.packets, made.packets))  # type: ignore[arg-type]


def _parts(state: State, periods: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many parts make a slot of each site: its places, or the slot itself."""
    grid = state.shape.grid
    return np.where(periods < grid.slot_ms, grid.places, 1)


def _why_invalid(marks: NDArray[np.uint16]) -> NDArray[np.int64]:
    calibrating = (marks & int(Mark.CALIBRATION)) != 0
    return np.where(calibrating, CALIBRATING, INVALID)


def keep(state: State, sites: Rows, slot: int, judged: Judged) -> None:
    """Write judged slots into the ring."""
    place = slot % state.shape.judged
    for f in fields(Judged):
        column = getattr(state.slots, f.name)
        if column is not None:
            column[place][..., sites] = getattr(judged, f.name)
    state.dirty[slot % state.shape.open, sites] = False
