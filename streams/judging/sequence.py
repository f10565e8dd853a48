"""Sequences: judged slots in a row, with what only a row can show.

That is what counters added from slot to slot, and what the tests of quality hold suspect.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sensors.factors import Form
from sensors.flags import Mark
from sensors.kinds import Kind
from sensors.quality import reach_of, suspects
from streams.judging.entries import Rows
from streams.judging.forms import grown
from streams.judging.grid import Grid
from streams.judging.means import Flags, Ints
from streams.judging.plan import Slots
from streams.judging.reasons import INCOMPLETE
from streams.judging.state import State

Cell = TypeVar("Cell", bound=np.generic)


class Sequencer:
    """Makes sequences of the judged slots of one kind.

    A counter's slot is what was added since the last reading before it, if that is not older than a day.
    """

    def __init__(self, kind: Kind, grid: Grid) -> None:
        self._factors, self._grid = tuple(kind.factors), grid
        self._steps = tuple(f.step for f in kind.factors.values())
        self._counters = [place for place, f in enumerate(kind.factors.values()) if f.form is Form.COUNTER]
        self._kind, self._tests = kind, reach_of(kind)
        self._bridge = grid.per_day if self._counters else 0
        self.before = self._bridge + self._tests.before
        """Slots that a slot of the sequence may depend on, before it."""
        self.ahead = self._tests.after
        """And after it."""

    def slots(self, state: State, sites: Rows, first: int, stop: int) -> Slots:
        """Return the judged slots from ``first`` until before ``stop``; those never judged count as absent."""
        grid, ring = self._grid, state.slots
        begin = self._bridge
        numbers = np.arange(first - begin, stop, dtype=np.int64)
        places = numbers % state.shape.judged
        starts = grid.start_of(numbers)
        whole = sites.size == state.count

        def row(column: NDArray[Cell]) -> NDArray[Cell]:
            return (
                column[places] if whole else column[places[:, None, None], np.arange(column.shape[1])[:, None], sites]
            )

        value, present, reason = row(ring.value), row(ring.present), row(ring.reason)
        valid = row(ring.valid)
        low = high = value
        if ring.low is not None and ring.high is not None:
            low, high = row(ring.low), row(ring.high)
        units = np.zeros(0, np.int64)
        if self._counters:
            rows = np.broadcast_to(sites, (starts.size, sites.size))
            units = state.entries.period_at(rows, np.broadcast_to(starts[:, None], rows.shape)) // grid.fine_ms
        for place in self._counters:
            value[:, place], known = self._added(value[:, place], low[:, place], high[:, place], valid[:, place] > 0)
            unknown = present[:, place] & ~known & (valid[:, place] <= units)  # one reading and none before it
            present[:, place] &= ~unknown
            value[:, place] = np.where(present[:, place], value[:, place], 0)
            reason[:, place] = np.where(unknown, INCOMPLETE, reason[:, place])
        marks = row(ring.marks)
        if ring.suspect is not None:
            marks = marks | np.where(row(ring.suspect), np.uint16(Mark.SUSPECT), np.uint16(0))
        planned = state.entries.planned(sites, starts, len(self._factors))

        def cut(column: NDArray[Cell]) -> NDArray[Cell]:
            return column.transpose(2, 1, 0)[..., begin:]

        return Slots(
            value=cut(value),
            present=cut(present),
            valid=cut(valid),
            expected=cut(row(ring.expected)),
            reason=cut(reason),
            marks=cut(marks),
            inputs=cut(row(ring.inputs)),
            low=cut(low),
            high=cut(high),
            planned=cut(planned),
            number=numbers[begin:],
            day=grid.day_of(numbers)[begin:],
            start=starts[begin:],
            slot_ms=grid.slot_ms,
            factors=self._factors,
            steps=self._steps,
        )

    def test(self, state: State, sites: Rows, first: int, stop: int, known_to: int) -> Rows:
        """Run the tests of quality where slots from ``first`` until before ``stop`` were judged, and keep the verdicts.

        Parameters
        ----------
        state
            Changed: its ring holds the verdicts.
        sites
            Rows whose slots were judged.
        first, stop
            The slots that were judged.
        known_to
            Slots before this one are judged.

        Returns
        -------
        numpy.ndarray
            Rows of which a slot before ``first`` has another verdict than it had.
        """
        ring = state.slots
        if ring.suspect is None:
            return sites[:0]
        begin, end = first - self._tests.after, min(stop + self._tests.before, known_to)
        slots = self.slots(state, sites, begin - self._tests.before, min(end + self._tests.after, known_to))
        found = suspects(self._kind, slots.value, slots.present)[..., self._tests.before :][..., : end - begin]
        where = (
            np.arange(begin, end)[:, None, None] % state.shape.judged,
            np.arange(len(self._factors))[:, None],
            sites,
        )
        verdicts = found.transpose(2, 1, 0)
        changed = (ring.suspect[where] != verdicts)[: self._tests.after].any(axis=(0, 1))
        ring.suspect[where] = verdicts
        doubted: Rows = sites[changed]
        return doubted

    def _added(self, within: Ints, first: Ints, last: Ints, came: Flags) -> tuple[Ints, Flags]:
        """Return what a counter added in each slot and since the reading before it, and whether there was one.

        Parameters
        ----------
        within
            What it added between the first and last reading in each slot, [slots, sites].
        first, last, came
            These readings, and where there are any.
        """
        added, known = within.copy(), np.zeros(within.shape, np.bool_)
        held, seen = np.zeros(within.shape[1:], np.int64), np.full(within.shape[1:], -self._bridge - 1)
        for slot in range(within.shape[0]):
            known[slot] = came[slot] & (slot - seen <= self._bridge)
            added[slot] += np.where(known[slot], grown(held, first[slot]), 0)
            held = np.where(came[slot], last[slot], held)
            seen = np.where(came[slot], slot, seen)
        return added, known
