"""The judge of one partition's sites of one kind: folds frames, and at a tick says what is new or changed.

It knows no broker, no clock but the log's, and no file; the same records give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sensors.clock import DAY_HOURS, HOUR_MS
from sensors.frames import Frame
from sensors.kinds import Kind
from sensors.partition import partition_of
from sensors.registry import Site
from sensors.windows import Span, Statistic
from streams.judging import packets
from streams.judging.completeness import Completeness
from streams.judging.entries import Rows, entries_of
from streams.judging.grid import Grid
from streams.judging.plan import Block, Evaluation, Output, Slots
from streams.judging.reasons import SILENT
from streams.judging.saying import Speech, Spot, say
from streams.judging.sequence import Sequencer
from streams.judging.slotting import Slotting, keep
from streams.judging.state import (
    JudgeSettings,
    Refused,
    Shape,
    Tally,
    advance_rings,
    empty_state,
    fold,
    oldest_open,
    start_clock,
)
from streams.judging.windows import asked, fine, judged_days, lengths, of_day, of_slot, running
from streams.standards import Standards

_BEYOND: Final = 2**40
"""Slots that no state reaches back to: what needs them is never said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one voice says of a slot or day: the kind's own windows, or an evaluation's."""

    outputs: tuple[Output, ...]
    kept: tuple[int, ...]
    """Which of them are said; an evaluation may say a window in the place of the kind."""
    reach: tuple[int, ...]
    """Slots that each of them reaches back to."""
    editions: NDArray[np.int8]
    """The place among the judge's editions of each of the voice's own."""


class KindJudge:
    """Judges the sites of one kind and partition.

    Parameters
    ----------
    sites
        Registry entries; those of other partitions and kinds are left out.
    partition, partitions
        Which partition, of how many.
    kind
        Slots, factors, windows and quality tests.
    evaluations
        From `streams.judging.registered.evaluations_of`. One that has an output of the same factor and window as
        the kind says it in the kind's place.
    standards
        Holds the dated counts that the kind's windows name by ``rule``.
    settings
        How long to wait and what to welcome.
    """

    def __init__(
        self,
        sites: Iterable[Site],
        *,
        partition: int,
        partitions: int,
        kind: Kind,
        evaluations: Sequence[Evaluation],
        standards: Standards,
        settings: JudgeSettings,
    ) -> None:
        mine = [s for s in sites if s.kind == kind.name and partition_of(s.id, partitions) == partition]
        grid = Grid(slot_ms=kind.slot_ms, fine_ms=kind.fine_ms)
        self._kind, self._grid, self._settings = kind, grid, settings
        self._evaluations, self._completeness = tuple(evaluations), Completeness(kind=kind, standards=standards)
        self._sequencer = Sequencer(kind, grid)
        self._slot_windows = asked(kind, Span.SLOT)
        self._running_windows = asked(kind, Span.RUNNING)
        self._day_windows = asked(kind, Span.DAY)
        self._fine_windows = tuple(lengths(kind))
        self._editions = tuple(dict.fromkeys([e for v in self._evaluations for e in v.editions if e] + [""]))
        self._slot_parts = self._parts_of_slots()
        self._day_parts = self._parts_of_days()
        longest = max((w.spec.length - 1 for w in self._running_windows), default=0)
        self._before = max([longest, *(e.before for e in self._evaluations)])
        self._day_before = max([0, *(e.day_before for e in self._evaluations)])
        behind = self._sequencer.before
        reach = behind + max(self._before, grid.per_day + self._day_before) + self._sequencer.ahead
        shape = Shape(
            kind=kind,
            grid=grid,
            settings=settings,
            context=max(2 * grid.per_day, reach),
            reach=reach,
            slot_outputs=sum(len(part.kept) for part in self._slot_parts),
            day_outputs=sum(len(part.kept) for part in self._day_parts),
            fine=tuple((w[0].spec.length * 60_000 // grid.fine_ms, len(w)) for w in self._fine_windows),
        )
        self._slotting = Slotting(self._completeness, extremes=shape.extremes)
        self._state = empty_state(entries_of(mine, kind.factors), shape)
        self._late = False
        context_h = -(-shape.context * grid.slot_ms // HOUR_MS)
        self.span_ms = (settings.late_h + context_h + settings.ahead_h + 2) * HOUR_MS

    @property
    def tally(self) -> Tally:
        """What was folded in this life; in no result."""
        return self._state.tally

    def begin_late(self) -> None:
        """Say before the first record that it is not the first of the log.

        Windows that may reach back before it are then folded but not said: an earlier life said them.
        """
        self._late = True  # until the first tick

    def fold(self, frame: Frame) -> tuple[Refused, ...]:
        """Take readings; return the rows that have no place."""
        if self._late:  # before the first tick: of slots that this life will not say, and they must not set the clock
            return ()
        return fold(self._state, frame)

    def tick(self, at: int) -> pa.RecordBatch | None:
        """Move the clock to ``at``, close slots and days, and return the results that are new or changed.

        None when there are none. A tick that is not later than one before moves nothing, but what changed is said.
        When the clock jumps by more than the late span, what had come is closed first with its days; of the
        slots after that, in which nothing came, only those of the late span before ``at`` are said.
        """
        state, clock, settings = self._state, self._state.clock, self._settings
        if clock.at is None:
            start_clock(state, at)
        was = at if clock.at is None else clock.at
        if self._late:
            clock.whole_from = clock.owed_from = self._grid.slot_of(was) + self._grid.slots_in(settings.ahead_h) + 1
            self._late = False
        now = max(at, was)
        if not state.count:
            clock.at = now
            return None
        speech = Speech(names=state.names, editions=self._editions, at=now)
        said: list[pa.RecordBatch] = []
        if now - was > settings.late_h * HOUR_MS:
            said += self._move(speech, was + (settings.ahead_h + DAY_HOURS) * HOUR_MS + settings.grace_ms)
        said += self._move(speech, now)
        return _joined(said)

    def _move(self, speech: Speech, now: int) -> list[pa.RecordBatch]:
        """Move the clock to ``now``, and say what changed and what is closed by it."""
        state, clock = self._state, self._state.clock
        advance_rings(state, now)
        before = clock.closed_to
        clock.closed_to = max(before, self._grid.slot_of(now - self._settings.grace_ms))
        oldest = oldest_open(state, now)
        said = [batch for slot in sorted(state.fine) for batch in self._say_fine(speech, slot, now)]
        days = self._say_touched(speech, said, oldest, before)
        if clock.closed_to > before:
            everyone = np.arange(state.count)
            first = max(before, oldest)
            for slot in range(first, clock.closed_to):
                keep(state, everyone, slot, self._slotting.judge(state, everyone, slot))
            doubted = self._sequencer.test(state, everyone, first, clock.closed_to, clock.closed_to)
            begin = max(first - self._sequencer.ahead, oldest)
            if doubted.size and begin < first:
                said += self._say_range(speech, doubted, begin, first)
                _add_days(days, range(self._grid.day_of(begin), self._grid.day_of(first)), doubted)
            said += self._say_range(speech, everyone, first, clock.closed_to)
            _add_days(days, range(self._grid.day_of(first), self._grid.day_of(clock.closed_to)), everyone)
        for day in sorted(days):
            said += self._say_day(speech, days[day], day)
        return said

    def _say_touched(self, speech: Speech, said: list[pa.RecordBatch], oldest: int, stop: int) -> dict[int, Rows]:
        """Judge closed slots again whose inputs changed, say what depends on them, and return the days that do."""
        state, grid = self._state, self._grid
        days: dict[int, Rows] = {}
        numbers = np.arange(oldest, stop)
        dirty = state.dirty[numbers % state.shape.open] if numbers.size else np.zeros((0, state.count), np.bool_)
        changed = numbers[dirty.any(axis=1)]
        if changed.size:
            sites = np.flatnonzero(dirty.any(axis=0))
            for slot, row in zip(changed.tolist(), dirty[changed - oldest], strict=True):
                mine = np.flatnonzero(row)
                keep(state, mine, slot, self._slotting.judge(state, mine, slot))
            first, last = int(changed[0]), int(changed[-1])
            begin = max(first - self._sequencer.ahead, oldest)
            self._sequencer.test(state, sites, first, last + 1, stop)
            end = last + self._sequencer.before
            said += self._say_range(speech, sites, begin, min(end + self._before + 1, stop))
            final = min(grid.day_of(end + self._day_before), grid.day_of(stop) - 1)
            _add_days(days, range(grid.day_of(begin), final + 1), sites)
        for day in range(grid.day_of(oldest), grid.day_of(stop)):
            fresh = state.dirty_days[day % state.shape.ring_days]
            if fresh.any():
                _add_days(days, range(day, day + 1), np.flatnonzero(fresh))
        return days

    def _say_range(self, speech: Speech, sites: Rows, first: int, stop: int) -> list[pa.RecordBatch]:
        """Return what is new of a range of slots; each is said by the registry's entries of its own time."""
        grid = self._grid
        changes = self._state.entries.changes(grid.start_of(first), grid.start_of(stop))
        bounds = [first, *(grid.slot_of(ms) for ms in changes), stop]
        return [self._say_slots(speech, sites, a, b) for a, b in pairwise(bounds) if a < b]

    def _say_slots(self, speech: Speech, sites: Rows, first: int, stop: int) -> pa.RecordBatch:
        """Return what is new of the slots from ``first`` until before ``stop``, and note it."""
        slots = self._sequencer.slots(self._state, sites, first - self._before, stop)
        numbers = slots.number[self._before :]
        in_force = self._state.entries.in_force(sites, int(slots.start[-1]))
        blocks: list[Sequence[Block | None]] = [self._own_slots(slots, sites)]
        for evaluation in self._evaluations:
            part = slots.from_place(self._before - evaluation.before)
            blocks.append(evaluation.slots(part, evaluation.before, in_force))
        outputs, chosen, reach = self._chosen(self._slot_parts, blocks, (sites.size, numbers.size))
        whole = numbers[:, None] - reach >= self._state.clock.whole_from
        owed = self._owes_slots(sites, slots.start[self._before :])
        due = np.stack([block.due.T for block in chosen], axis=1) | (owed[:, None] & self._expected(outputs, sites))
        spot = Spot(
            outputs=outputs,
            said=self._state.said_slots,
            sites=sites,
            places=numbers % self._state.shape.spoken,
            starts=slots.start[self._before :],
        )
        return say(speech, spot, chosen, due & whole[..., None])

    def _own_slots(self, slots: Slots, sites: Rows) -> list[Block | None]:
        """Return the kind's own windows of slots, None for those that an evaluation says, and their accounting."""
        begin = self._before
        places = slots.number[begin:] % self._state.shape.judged
        kept, first = set(self._slot_parts[0].kept), len(self._slot_windows)
        return [
            *(of_slot(w, slots, begin) if i in kept else None for i, w in enumerate(self._slot_windows)),
            *(
                running(w, slots, begin, self._completeness) if i in kept else None
                for i, w in enumerate(self._running_windows, first)
            ),
            packets.block(self._state.slots.packets[places][:, sites].T),
        ]

    def _say_day(self, speech: Speech, sites: Rows, day: int) -> list[pa.RecordBatch]:
        state, grid = self._state, self._grid
        begin = grid.first_of_day(day)
        state.dirty_days[day % state.shape.ring_days, sites] = False
        if begin - self._sequencer.before < state.clock.whole_from or not state.shape.day_outputs:
            return []
        slots = self._sequencer.slots(state, sites, begin - self._day_before, begin + grid.per_day)
        own = self._own_days(slots, sites, day)
        means = {(w.factor.symbol, w.spec.name): block for w, block in zip(self._day_windows, own, strict=True)}
        in_force = state.entries.in_force(sites, grid.day_start(day))
        blocks: list[Sequence[Block | None]] = [own]
        for evaluation in self._evaluations:
            part = slots.from_place(self._day_before - evaluation.day_before)
            blocks.append(evaluation.day(part, in_force, means))
        outputs, chosen, reach = self._chosen(self._day_parts, blocks, (sites.size, 1))
        owed = self._owes(sites, slots.start[-1:])
        due = np.stack([block.due.T for block in chosen], axis=1) | (owed[:, None] & self._expected(outputs, sites))
        spot = Spot(
            outputs=outputs,
            said=state.said_days,
            sites=sites,
            places=np.array([day % state.shape.ring_days]),
            starts=np.array([grid.day_start(day)]),
        )
        return [say(speech, spot, chosen, due & (begin - reach >= state.clock.whole_from)[None, :, None])]

    def _own_days(self, slots: Slots, sites: Rows, day: int) -> list[Block]:
        """Return the kind's own day windows, the sources' own days in the place of ours."""
        blocks = [of_day(window, slots, self._completeness) for window in self._day_windows]
        keys = self._state.own_days.get(day)
        if keys is None:
            return blocks
        return [
            judged_days(block, window, keys[sites], self._settings.day_tolerance)
            if window.spec.statistic is Statistic.FORM
            else block
            for block, window in zip(blocks, self._day_windows, strict=True)
        ]

    def _say_fine(self, speech: Speech, slot: int, now: int) -> Iterator[pa.RecordBatch]:
        """Yield what is new of the windows within a slot that are over."""
        state, start = self._state, self._grid.start_of(slot)
        for windows, held in zip(self._fine_windows, state.fine[slot], strict=True):
            length_ms = windows[0].spec.length * 60_000
            over = (now - self._settings.fine_grace_ms - start) // length_ms
            touched = held.touched[: max(over, 0)]
            if slot < state.clock.whole_from or not touched.any():
                continue
            sites, places = np.flatnonzero(touched.any(axis=0)), np.flatnonzero(touched.any(axis=1))
            blocks = fine(windows, state, slot, sites, self._completeness)
            picked = [_at(block, places) for block in blocks]
            spot = Spot(
                outputs=tuple(window.output for window in windows),
                said=held.said,
                sites=sites,
                places=places,
                starts=start + places * length_ms,
            )
            touched[:] = False
            yield say(speech, spot, picked, np.stack([block.due.T for block in picked], axis=1))

    def _chosen(
        self, parts: Sequence[Part], blocks: Sequence[Sequence[Block | None]], shape: tuple[int, int]
    ) -> tuple[tuple[Output, ...], list[Block], NDArray[np.int64]]:
        """Return what is said, in the order of the outputs: outputs, blocks and how far each reaches back.

        An evaluation may give fewer blocks than it has outputs: the last are then not said.
        """
        outputs: list[Output] = []
        chosen: list[Block] = []
        reach: list[int] = []
        for part, found in zip(parts, blocks, strict=True):
            for place in part.kept:
                outputs.append(part.outputs[place])
                block = found[place] if place < len(found) else None
                if block is not None:
                    reach.append(part.reach[place])
                    chosen.append(replace(block, edition=part.editions[block.edition]))
                else:
                    reach.append(_BEYOND)
                    chosen.append(_nothing(shape))
        return tuple(outputs), chosen, np.array(reach, np.int64)

    def _parts_of_slots(self) -> tuple[Part, ...]:
        behind = self._sequencer.before
        own = [(w.output, behind) for w in self._slot_windows]
        own += [(w.output, behind + w.spec.length - 1) for w in self._running_windows]
        own.append((packets.output(slot_name(self._kind)), 0))
        return self._parts(
            own,
            [[(o, behind + r) for o, r in zip(e.slot_outputs, e.reach, strict=True)] for e in self._evaluations],
        )

    def _parts_of_days(self) -> tuple[Part, ...]:
        behind = self._sequencer.before
        own = [(w.output, behind) for w in self._day_windows]
        return self._parts(own, [[(o, behind + e.day_before) for o in e.day_outputs] for e in self._evaluations])

    def _parts(
        self, own: Sequence[tuple[Output, int]], theirs: Sequence[Sequence[tuple[Output, int]]]
    ) -> tuple[Part, ...]:
        taken = {(output.factor, output.window) for voice in theirs for output, _ in voice}
        kept = tuple(p for p, (output, _) in enumerate(own) if (output.factor, output.window) not in taken)
        none = np.array([len(self._editions) - 1], np.int8)
        voices = [Part(outputs=tuple(o for o, _ in own), kept=kept, reach=tuple(r for _, r in own), editions=none)]
        for evaluation, said in zip(self._evaluations, theirs, strict=True):
            voices.append(
                Part(
                    outputs=tuple(o for o, _ in said),
                    kept=tuple(range(len(said))),
                    reach=tuple(r for _, r in said),
                    editions=np.array([self._editions.index(e) for e in evaluation.editions], np.int8),
                )
            )
        return tuple(voices)

    def _expected(self, outputs: Sequence[Output], sites: Rows) -> NDArray[np.bool_]:
        """Return of which outputs silence is a finding, [outputs, sites]."""
        expected, places = self._state.entries.expected, list(self._kind.factors)
        everywhere = np.ones(expected.shape[1], np.bool_)
        rows = [expected[places.index(o.factor)] if o.factor in places else everywhere for o in outputs]
        return np.stack(rows)[:, sites]

    def _owes(self, sites: Rows, starts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which sites owe which slots, [slots, sites]: the registry has them, and the log had begun."""
        begun = self._grid.slot_of(starts) >= self._state.clock.owed_from
        return self._state.entries.owed(sites, starts) & begun[:, None]

    def _owes_slots(self, sites: Rows, starts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which sites owe which slots; those that send days only owe none."""
        daily = self._state.entries.period_at(sites, np.full(sites.size, int(starts[-1]))) > self._grid.slot_ms
        return self._owes(sites, starts) & ~daily


def slot_name(kind: Kind) -> str:
    """Return the name of the kind's slot as a window, for example ``4h``."""
    named = (w.name for w in kind.windows if w.span is Span.SLOT and w.statistic is Statistic.FORM)
    return next(named, f"{kind.slot_ms // HOUR_MS}h")


def _add_days(days: dict[int, Rows], more: range, sites: Rows) -> None:
    """Note that sites are to be said of more days."""
    for day in more:
        days[day] = np.union1d(sites, days[day]) if day in days else sites


def _at(block: Block, places: NDArray[np.intp]) -> Block:
    """Return some times of a block."""
    return Block(**{name: getattr(block, name)[:, places] for name in Block.__slots__})


def _nothing(shape: tuple[int, int]) -> Block:
    """Return a block [sites, times] of which nothing is due."""
    return replace(
        Block.of(value=np.zeros(shape), present=False, reason=SILENT, inputs=0), due=np.zeros(shape, np.bool_)
    )


def _joined(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch | None:
    """Return batches as one, or None when they hold no row."""
    full = [batch for batch in batches if batch.num_rows]
    if not full:
        return None
    return pa.Table.from_batches(full).unify_dictionaries().combine_chunks().to_batches()[0]
