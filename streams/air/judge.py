"""The judge of one partition's air sites: folds frames, and at a tick says what is new or changed.

It knows no broker, no clock but the log's, and no file; the same records give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sensors.clock import DAY_HOURS, HOUR_MS, day_of_hour, first_hour_of_day
from sensors.factors import Factor
from sensors.frames import Frame
from sensors.partition import partition_of
from sensors.registry import Site
from streams.air.index import AVERAGED, FACTORS, tell_states
from streams.air.windows import BEFORE, O3, day_blocks, hour_blocks, running_blocks
from streams.judging.plan import Output, Slots
from streams.judging.saying import Speech, Spot, say
from streams.judging.slotting import judge_hour, keep
from streams.judging.state import (
    RING_DAYS,
    RING_HOURS,
    JudgeSettings,
    Refused,
    advance_rings,
    empty_state,
    fold,
    start_clock,
)
from streams.results import AQI, Window
from streams.standards import Standards

Sites = NDArray[np.intp]
_REACH: Mapping[str, int] = {Window.O3_8H: 7, Window.O3_8H_PLATFORM: 7, Window.RUNNING_24H: 23}
"""Hours before the newest that a window reaches back to."""


class AirJudge:
    """Judges the air sites of one partition.

    Parameters
    ----------
    sites
        Registry entries; those of other partitions are left out.
    partition, partitions
        Which partition, of how many.
    factors
        The factor table of air.
    standards
        The air pack.
    settings
        How long to wait and what to welcome.
    """

    def __init__(
        self,
        sites: Iterable[Site],
        *,
        partition: int,
        partitions: int,
        factors: Mapping[str, Factor],
        standards: Standards,
        settings: JudgeSettings,
    ) -> None:
        mine = [s for s in sites if s.kind == "air" and partition_of(s.id, partitions) == partition]
        self._factors = {name: factors[name] for name in FACTORS}
        self._standards, self._settings = standards, settings
        self._hour_outputs, self._day_outputs = _hour_outputs(self._factors), _day_outputs(self._factors)
        self._state = empty_state(
            mine, self._factors, settings, hour_outputs=len(self._hour_outputs), day_outputs=len(self._day_outputs)
        )
        self._entries = _entries(mine, self._state.sites)
        self._steps = tuple(f.step for f in self._factors.values())
        self._particles = np.array([name.startswith("PM") for name in FACTORS])
        self._editions = (*(e.name for e in standards.index_editions), "")
        self._late = False
        self.span_ms = (settings.late_h + settings.context_h + settings.ahead_h + 2) * HOUR_MS

    def begin_late(self) -> None:
        """Say before the first record that it is not the first of the log.

        Windows that may reach back before it are then folded but not said: an earlier life said them.
        """
        self._late = True  # until the first tick

    def fold(self, frame: Frame) -> tuple[Refused, ...]:
        """Take readings; return the rows that have no place."""
        if self._late:  # before the first tick: of hours that this life will not say, and they must not set the clock
            return ()
        return fold(self._state, frame)

    def tick(self, at: int) -> pa.RecordBatch | None:
        """Move the clock to ``at``, close hours and days, and return the results that are new or changed.

        None when there are none. A tick that is not later than one before moves nothing, but what changed is said.
        When the clock jumps by more than the late span, what had come is closed first with its days; of the
        hours after that, in which nothing came, only those of the late span before ``at`` are said.
        """
        clock, settings = self._state.clock, self._settings
        if clock.at is None:
            start_clock(self._state, at)
        was = at if clock.at is None else clock.at
        if self._late:
            clock.whole_from = clock.owed_from = was // HOUR_MS + settings.ahead_h + 1
            self._late = False
        now = max(at, was)
        if not self._state.sites:
            clock.at = now
            return None
        speech = Speech(names=self._state.names, editions=self._editions, at=now)
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
        clock.closed_to = max(before, (now - self._settings.grace_ms) // HOUR_MS)
        oldest = now // HOUR_MS - self._settings.late_h - 1
        said: list[pa.RecordBatch] = []
        touched = self._touched(oldest, before)
        if touched is not None:
            sites, first = touched
            said += self._say(speech, sites, first, before)
        if clock.closed_to > before:
            said += self._say(speech, np.arange(len(state.sites)), max(before, oldest), clock.closed_to)
        return said

    def _touched(self, oldest: int, closed_to: int) -> tuple[Sites, int] | None:
        """Return the sites with changed inputs in closed hours, and the first such hour."""
        if oldest >= closed_to:
            return None
        count = len(self._state.sites)
        hours = np.arange(oldest, closed_to)
        dirty = self._state.dirty.reshape(RING_HOURS, count)[hours % RING_HOURS]
        if not dirty.any():
            return None
        return np.flatnonzero(dirty.any(axis=0)), int(hours[dirty.any(axis=1)][0])

    def _say(self, speech: Speech, sites: Sites, first: int, stop: int) -> list[pa.RecordBatch]:
        """Judge the hours from ``first`` until before ``stop`` again, with all that depends on them, for some sites."""
        for hour in range(first, stop):
            self._judge(sites, hour)
        said = [self._say_hours(speech, sites, first, stop)]
        last_day = day_of_hour(stop)  # the day that holds the hour ``stop`` is still open
        for day in range(day_of_hour(first), last_day):
            said += self._say_day(speech, sites, day)
        return said

    def _judge(self, sites: Sites, hour: int) -> None:
        counts = self._standards.completeness(day_of_hour(hour))
        needed = np.where(self._particles, counts.particle_hour_minutes, counts.hour_minutes)
        steps = np.array(self._steps, np.int64)
        keep(self._state, sites, hour, judge_hour(self._state, sites, hour, steps, needed))

    def _say_hours(self, speech: Speech, sites: Sites, first: int, stop: int) -> pa.RecordBatch:
        hours = self._hours(sites, first - BEFORE, stop)
        blocks = [
            *hour_blocks(hours, self._standards, BEFORE),
            *running_blocks(hours, self._standards, BEFORE),
        ]
        numbers = hours.number[BEFORE:]
        reach = np.array([_REACH.get(output.window, 0) for output in self._hour_outputs])
        whole = numbers - reach[:, None] >= self._state.clock.whole_from
        due = np.stack([block.due for block in blocks], axis=1) | self._owed(sites, numbers)[:, None]
        spot = Spot(
            outputs=self._hour_outputs,
            said=self._state.said_hours,
            sites=sites,
            places=numbers % RING_HOURS,
            starts=numbers * HOUR_MS,
        )
        return say(speech, spot, blocks, due & whole)

    def _say_day(self, speech: Speech, sites: Sites, day: int) -> list[pa.RecordBatch]:
        begin = first_hour_of_day(day)
        if begin < self._state.clock.whole_from:
            return []
        hours = self._hours(sites, begin, begin + DAY_HOURS)
        # Before the first edition there is no daily index, so there may be one block less than outputs.
        blocks = day_blocks(hours, self._standards, self._mda8_limits(sites, begin))
        owed = self._owed(sites, np.array([begin + DAY_HOURS - 1]))
        spot = Spot(
            outputs=self._day_outputs[: len(blocks)],
            said=self._state.said_days,
            sites=sites,
            places=np.array([day % RING_DAYS]),
            starts=np.array([begin * HOUR_MS]),
        )
        return [say(speech, spot, blocks, np.stack([block.due for block in blocks], axis=1) | owed[:, None])]

    def _hours(self, sites: Sites, first: int, stop: int) -> Slots:
        """Return judged hours from the ring; those not closed yet count as absent."""
        numbers = np.arange(first, stop, dtype=np.int64)
        ring, where = self._state.hours, (sites[:, None, None], np.arange(len(FACTORS))[:, None], numbers % RING_HOURS)
        days = day_of_hour(numbers)
        return Slots(
            value=ring.value[where],
            present=ring.present[where],
            valid=ring.valid[where],
            expected=ring.expected[where],
            reason=ring.reason[where],
            marks=ring.marks[where],
            inputs=ring.inputs[where],
            planned=self._planned(sites, numbers),
            low=ring.value[where],
            high=ring.value[where],
            number=numbers,
            day=days,
            start=numbers * HOUR_MS,
            slot_ms=HOUR_MS,
            factors=FACTORS,
            steps=self._steps,
        )

    def _planned(self, sites: Sites, hours: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return whether each site measures each factor by plan, [sites, factors, hours]."""
        planned = np.ones((sites.size, len(FACTORS), hours.size), np.bool_)
        starts = hours * HOUR_MS
        for row, site in enumerate(sites):
            for entry in self._entries[site]:
                held = _within(starts, entry.start, entry.end)
                for absence in entry.not_in_plan:
                    gone = held & _within(starts, absence.start, absence.end)
                    planned[row, FACTORS.index(absence.factor), gone] = False
        return planned

    def _owed(self, sites: Sites, hours: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which sites owe which hours: the registry has them, and the log had begun."""
        owed = np.zeros((sites.size, hours.size), np.bool_)
        starts = hours * HOUR_MS
        for row, site in enumerate(sites):
            for entry in self._entries[site]:
                owed[row] |= _within(starts, entry.start, entry.end)
        return owed & (hours >= self._state.clock.owed_from)

    def _mda8_limits(self, sites: Sites, hour: int) -> NDArray[np.int64]:
        """Return the MDA8 limit of each site's zone on a day; none in force is out of reach."""
        limits = np.full(sites.size, np.iinfo(np.int64).max, np.int64)
        day = day_of_hour(hour)
        for row, site in enumerate(sites):
            entry = next((e for e in self._entries[site] if e.holds_at(hour * HOUR_MS)), self._entries[site][-1])
            limit = self._standards.limit(FACTORS[O3], Window.MDA8, entry.zone, day)
            if limit is not None:
                limits[row] = limit.value
        return limits


def _within(times: NDArray[np.int64], start: int, end: int | None) -> NDArray[np.bool_]:
    """Return which times lie in [start, end); without an end, which are not before the start."""
    held = times >= start
    return held if end is None else held & (times < end)


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch | None:
    """Return batches as one, or None when they hold no row."""
    full = [batch for batch in batches if batch.num_rows]
    if not full:
        return None
    return pa.Table.from_batches(full).unify_dictionaries().combine_chunks().to_batches()[0]


def _entries(entries: Sequence[Site], rows: Sequence[Site]) -> tuple[tuple[Site, ...], ...]:
    return tuple(tuple(e for e in entries if e.id == row.id) for row in rows)


def _hour_outputs(factors: Mapping[str, Factor]) -> tuple[Output, ...]:
    def of(factor: str, window: Window) -> Output:
        return Output(factor=factor, window=window, digits=factors[factor].digits)

    return (
        *(of(factor, Window.HOUR) for factor in FACTORS),
        Output(factor=AQI, window=Window.HOUR, digits=0, tell=tell_states, primaries=FACTORS),
        of("O3", Window.O3_8H),
        of("O3", Window.O3_8H_PLATFORM),
        *(of(factor, Window.RUNNING_24H) for factor in AVERAGED),
    )


def _day_outputs(factors: Mapping[str, Factor]) -> tuple[Output, ...]:
    windows = [(f, Window.MDA8 if f == "O3" else Window.DAY) for f in FACTORS]
    return (
        *(Output(factor=f, window=w, digits=factors[f].digits) for f, w in windows),
        Output(factor=AQI, window=Window.DAY, digits=0, tell=tell_states, primaries=FACTORS),
    )
