"""The hot state of one partition's sites: a pure fold of its records.

Fine readings are pages by slot, kept as long as a late one is welcome, and so are the slots and days that
sources sent whole; judged slots and what was last said of each window are rings indexed by slot or day number.
Rings have time on the first axis and sites on the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sensors.clock import DAY_MS, HOUR_MS, MINUTE_MS
from sensors.deadletters import Refusal
from sensors.factors import Form
from sensors.frames import SITE, START, Frame
from sensors.kinds import Kind
from sensors.windows import Span, Statistic
from streams.judging.entries import Entries
from streams.judging.grid import Grid
from streams.judging.slots import Keys, fold_unique, keys_of, times_of

_TABLES: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeSettings:
    """How a stream waits and what it welcomes."""

    grace_ms: int = 5 * MINUTE_MS
    """A slot is closed this long after its end, by the partition's clock."""
    late_h: int = 72
    """Readings older than this go to the dead letters, to be driven again by a recompute."""
    ahead_h: int = 24
    """Readings further ahead of the clock than this go to the dead letters."""
    fine_grace_ms: int = 30_000
    """A window shorter than a slot is closed this long after its end."""
    day_tolerance: Fraction = Fraction(1, 10)
    """A source's own day value may differ from ours by this share of ours, and by one step at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Rows of a frame that were not folded."""

    reason: Refusal
    detail: str
    rows: NDArray[np.bool_]


@dataclass(slots=True, kw_only=True)
class Ring:
    """Judged slots: arrays [ring, factors, sites], but ``packets`` and ``arrived`` [ring, sites]."""

    value: NDArray[np.int64]
    """Of a counter what was added between its first and last reading in the slot."""
    present: NDArray[np.bool_]
    valid: NDArray[np.int16]
    expected: NDArray[np.int16]
    reason: NDArray[np.uint8]
    marks: NDArray[np.uint16]
    inputs: NDArray[np.uint64]
    low: NDArray[np.int64] | None
    """Least valid fine value, of a counter its first reading; None where no window asks for it."""
    high: NDArray[np.int64] | None
    """Greatest, of a counter its last."""
    packets: NDArray[np.int64]
    """Counts of packets, packed (`streams.judging.packets`)."""
    suspect: NDArray[np.bool_] | None
    """A test of quality holds the slot suspect; None where the kind has no tests."""

    @property
    def columns(self) -> tuple[NDArray[np.generic], ...]:
        """All arrays that are there."""
        found = (getattr(self, name) for name in self.__slots__)
        return tuple(column for column in found if column is not None)


def empty_ring(length: int, factors: int, sites: int, *, extremes: bool, tested: bool) -> Ring:
    """Return a ring in which nothing was judged, with the columns that the kind asks for."""
    shape = (length, factors, sites)
    return Ring(
        value=np.zeros(shape, np.int64),
        present=np.zeros(shape, np.bool_),
        valid=np.zeros(shape, np.int16),
        expected=np.zeros(shape, np.int16),
        reason=np.zeros(shape, np.uint8),
        marks=np.zeros(shape, np.uint16),
        inputs=np.zeros(shape, np.uint64),
        low=np.zeros(shape, np.int64) if extremes else None,
        high=np.zeros(shape, np.int64) if extremes else None,
        packets=np.zeros((length, sites), np.int64),
        suspect=np.zeros(shape, np.bool_) if tested else None,
    )


@dataclass(slots=True, kw_only=True)
class Said:
    """What was last emitted of each window: arrays [ring, outputs, sites]."""

    content: NDArray[np.uint64]
    revision: NDArray[np.int32]

    @classmethod
    def nothing(cls, ring: int, outputs: int, sites: int) -> Said:
        """Return a ring in which nothing was said."""
        shape = (ring, outputs, sites)
        return cls(content=np.zeros(shape, np.uint64), revision=np.zeros(shape, np.int32))

    def forget(self, places: NDArray[np.intp]) -> None:
        """Make places of the ring free for new windows."""
        self.content[places] = 0
        self.revision[places] = 0


@dataclass(slots=True, kw_only=True)
class FineWindows:
    """Windows of one slot that are shorter than it, of one length."""

    touched: NDArray[np.bool_]
    """[windows, sites]: an input changed since the window was last judged."""
    said: Said
    """[windows, factors, sites]."""


@dataclass(slots=True, kw_only=True)
class Clock:
    """The partition's clock and what follows from it, in slot numbers."""

    at: int | None = None
    """The greatest tick, ms; None before the first record."""
    closed_to: int = 0
    """Slots before this one are closed."""
    owed_from: int = 0
    """From this slot on absence is a finding: the first tick's slot."""
    whole_from: int = 0
    """From this slot on the state holds every input; earlier windows are not said again."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was folded since the state was made; for the watch over the stream, in no result."""

    packets: int = 0
    repeated: int = 0
    """Packets that changed nothing: what they said was there, or something weightier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What sizes a state."""

    kind: Kind
    grid: Grid
    settings: JudgeSettings
    context: int
    """Slots before a late one that a state must have seen, to say what it says of it."""
    reach: int
    """Slots before a late one that its dependents read."""
    slot_outputs: int
    day_outputs: int
    fine: tuple[tuple[int, int], ...]
    """Of each fine length: the places of a window, and how many factors are said of it."""

    @property
    def late(self) -> int:
        """Slots that are still open to late readings."""
        return self.grid.slots_in(self.settings.late_h) + 1

    @property
    def open(self) -> int:
        """Slots that readings may touch: late and ahead, and the two that are begun."""
        return self.late + self.grid.slots_in(self.settings.ahead_h) + 2

    @property
    def judged(self) -> int:
        """Judged slots that are kept: the late ones and what their dependents reach back to, and the one now."""
        return self.late + self.reach + 2

    @property
    def spoken(self) -> int:
        """Slots of which is kept what was last said: the late ones, and the one now."""
        return self.late + 3

    @property
    def ring_days(self) -> int:
        """Days of the ring: those that readings may touch, begun ones too, and tomorrow."""
        return -(-self.open // self.grid.per_day) + 3

    @property
    def extremes(self) -> bool:
        """Whether least and greatest fine values are kept: a window asks for them, or a counter needs them."""
        asked = any(
            w.statistic in {Statistic.MAX, Statistic.MIN} and w.span in {Span.SLOT, Span.DAY, Span.RUNNING}
            for w in self.kind.windows
        )
        return asked or any(f.form is Form.COUNTER for f in self.kind.factors.values())


@dataclass(slots=True, kw_only=True)
class State:
    """Everything that one partition's sites need; built by `empty_state`, changed by `fold`."""

    shape: Shape
    entries: Entries
    names: pa.Array
    tables: dict[tuple[object, ...], NDArray[np.int64]] = field(default_factory=dict)
    """Dictionary of names in a frame → rows: a source sends the same one again and again."""
    clock: Clock = field(default_factory=Clock)
    tally: Tally = field(default_factory=Tally)
    pages: dict[int, Keys] = field(default_factory=dict)
    """Slot → keys of fine readings, shape [places * sites, factors], row = place * sites + site."""
    own: dict[int, Keys] = field(default_factory=dict)
    """Slot → keys of slots that sources sent whole, shape [sites, factors]."""
    own_days: dict[int, Keys] = field(default_factory=dict)
    """Day → keys of days that sources sent whole, shape [sites, factors]."""
    fine: dict[int, tuple[FineWindows, ...]] = field(default_factory=dict)
    """Slot → its fine windows, one of each length of the shape."""
    dirty: NDArray[np.bool_]
    """[open slots, sites]: an input changed since the slot was last judged."""
    dirty_days: NDArray[np.bool_]
    """[days, sites]: a day of the source's own changed since the day was last said."""
    slots: Ring
    said_slots: Said
    said_days: Said
    head: int = 0
    """The slot after the one that the clock stands in."""

    @property
    def count(self) -> int:
        """Number of sites."""
        return len(self.entries.ids)


def empty_state(entries: Entries, shape: Shape) -> State:
    """Return the state of a partition of which no record was folded."""
    count = len(entries.ids)
    return State(
        shape=shape,
        entries=entries,
        names=pa.array(entries.ids, pa.utf8()),
        dirty=np.zeros((shape.open, count), np.bool_),
        dirty_days=np.zeros((shape.ring_days, count), np.bool_),
        slots=empty_ring(
            shape.judged,
            len(shape.kind.factors),
            count,
            extremes=shape.extremes,
            tested=bool(shape.kind.quality),
        ),
        said_slots=Said.nothing(shape.spoken, shape.slot_outputs, count),
        said_days=Said.nothing(shape.ring_days, shape.day_outputs, count),
    )


def fold(state: State, frame: Frame) -> tuple[Refused, ...]:
    """Fold a frame into the slots; return the rows that have no place, each with a reason.

    Nothing is judged or said here: that happens at a tick. Before the first tick the clock stands at the
    earliest reading of the first frame.
    """
    rows = frame.rows
    if rows.num_rows == 0:
        return ()
    start = times_of(rows, START)
    site = _site_rows(state, rows)
    if state.clock.at is None and (site >= 0).any():
        start_clock(state, int(start[site >= 0].min()))
    refused = _refusals(state, frame.head.period_ms, site, start)
    keys = keys_of(frame, state.shape.kind.factors)
    if refused:
        usable = ~np.logical_or.reduce([r.rows for r in refused])
        keys, start, site = keys[usable], start[usable], site[usable]
    period = frame.head.period_ms
    into = (
        _fold_days
        if _is_day(state.shape, period)
        else _fold_slots
        if period == state.shape.grid.slot_ms
        else _fold_fine
    )
    state.tally.packets += site.size
    if site.size:
        state.tally.repeated += site.size - into(state, site, start, keys)
    return refused


def _site_rows(state: State, rows: pa.RecordBatch) -> NDArray[np.int64]:
    """Return the state's row of each packet's site; -1 where the partition has no such site."""
    column = rows.column(SITE)
    names = column.dictionary
    mark = (len(names), names.offset, *(None if part is None else part.to_pybytes() for part in names.buffers()))
    table = state.tables.get(mark)
    if table is None:
        if len(state.tables) >= _TABLES:
            state.tables.clear()
        known = pc.index_in(names, value_set=state.names).fill_null(-1)
        table = state.tables[mark] = known.to_numpy(zero_copy_only=False).astype(np.int64)
    rows_of_sites: NDArray[np.int64] = table[column.indices.to_numpy(zero_copy_only=False)]
    return rows_of_sites


def _refusals(state: State, period: int, site: NDArray[np.int64], start: NDArray[np.int64]) -> tuple[Refused, ...]:
    """Return the reasons why rows have no place; a row stands in one of them at most."""
    shape, settings = state.shape, state.shape.settings
    now = 0 if state.clock.at is None else state.clock.at  # without a clock every site is unknown
    if _all_fit(state, period, site, start, now):
        return ()
    unknown = site < 0
    misfit = ~unknown & ~_welcome(state, period, site, start)
    oblique = ~unknown & ~misfit & (_phase(shape, period, start) != 0)
    fitting = ~(unknown | misfit | oblique)
    last = start + (DAY_MS - shape.grid.slot_ms if _is_day(shape, period) else 0)  # a day is as late as its last slot
    late = fitting & (last < now - settings.late_h * HOUR_MS)
    early = fitting & (start > now + settings.ahead_h * HOUR_MS)
    cases = (
        (Refusal.UNKNOWN_SITE, "no such site in this partition", unknown),
        (Refusal.UNKNOWN_PERIOD, f"the registry gives these sites another period than {period} ms", misfit),
        (Refusal.IMPOSSIBLE_TIME, f"the interval starts between whole {period} ms; check the sender's clock", oblique),
        (Refusal.TOO_LATE, f"more than {settings.late_h} h before the partition's clock; recompute the period", late),
        (
            Refusal.TOO_EARLY,
            f"more than {settings.ahead_h} h ahead of the partition's clock; check the sender's",
            early,
        ),
    )
    return tuple(Refused(reason=reason, detail=detail, rows=rows) for reason, detail, rows in cases if rows.any())


def _all_fit(state: State, period: int, site: NDArray[np.int64], start: NDArray[np.int64], now: int) -> bool:
    """Return whether no row of a frame is refused: the cheap answer to the common question."""
    settings = state.shape.settings
    return bool(
        site.min() >= 0
        and start.min() >= now - settings.late_h * HOUR_MS
        and start.max() <= now + settings.ahead_h * HOUR_MS
        and not _phase(state.shape, period, start).any()
        and _welcome(state, period, site, start).all()
    )


def _welcome(state: State, period: int, site: NDArray[np.int64], start: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which rows may come in a period: whole slots always, days where the kind has them, else the site's own."""
    grid = state.shape.grid
    if period == grid.slot_ms or (period == DAY_MS and state.shape.kind.own_days):
        return np.ones(site.size, np.bool_)
    if period < grid.fine_ms or period % grid.fine_ms or grid.slot_ms % period:
        return np.zeros(site.size, np.bool_)
    if not state.count:
        return np.zeros(site.size, np.bool_)
    fits: NDArray[np.bool_] = state.entries.period_at(np.maximum(site, 0), start) == period
    return fits


def _phase(shape: Shape, period: int, start: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how long after a whole period each interval starts."""
    if _is_day(shape, period):
        return (start - shape.grid.day_start(0)) % DAY_MS
    return (start + shape.grid.offset) % period


def _is_day(shape: Shape, period: int) -> bool:
    """Return whether a period is that of days beside shorter slots."""
    return period == DAY_MS != shape.grid.slot_ms


def _fold_days(state: State, site: NDArray[np.int64], start: NDArray[np.int64], keys: Keys) -> int:
    days = (start - state.shape.grid.day_start(0)) // DAY_MS
    return _fold_whole(state.own_days, state.dirty_days, days, site, keys)


def _fold_slots(state: State, site: NDArray[np.int64], start: NDArray[np.int64], keys: Keys) -> int:
    return _fold_whole(state.own, state.dirty, state.shape.grid.slot_of(start), site, keys)


def _fold_whole(
    pages: dict[int, Keys], dirty: NDArray[np.bool_], numbers: NDArray[np.int64], site: NDArray[np.int64], keys: Keys
) -> int:
    """Fold readings of whole slots or days; return how many changed something."""
    total = 0
    several = _different(numbers)
    for number in several:
        page = pages.get(number)
        if page is None:
            page = pages[number] = np.zeros((dirty.shape[1], keys.shape[1]), np.int64)
        mine = slice(None) if len(several) == 1 else numbers == number
        changed = fold_unique(page, site[mine], keys[mine])
        dirty[number % len(dirty), site[mine][changed]] = True
        total += int(np.count_nonzero(changed))
    return total


def _fold_fine(state: State, site: NDArray[np.int64], start: NDArray[np.int64], keys: Keys) -> int:
    grid, count, total = state.shape.grid, state.count, 0
    slots = grid.slot_of(start)
    places = (start - grid.start_of(slots)) // grid.fine_ms
    several = _different(slots)
    for slot in several:
        page = state.pages.get(slot)
        if page is None:
            page = state.pages[slot] = np.zeros((grid.places * count, keys.shape[1]), np.int64)
        mine = slice(None) if len(several) == 1 else slots == slot
        changed = fold_unique(page, places[mine] * count + site[mine], keys[mine])
        sites = site[mine][changed]
        state.dirty[slot % state.shape.open, sites] = True
        for windows, (length, _) in zip(_fine_of(state, slot), state.shape.fine, strict=True):
            windows.touched[places[mine][changed] // length, sites] = True
        total += int(np.count_nonzero(changed))
    return total


def _fine_of(state: State, slot: int) -> tuple[FineWindows, ...]:
    """Return the fine windows of a slot, made when its first reading comes."""
    if slot not in state.fine and state.shape.fine:
        places = state.shape.grid.places
        state.fine[slot] = tuple(
            FineWindows(
                touched=np.zeros((places // length, state.count), np.bool_),
                said=Said.nothing(places // length, factors, state.count),
            )
            for length, factors in state.shape.fine
        )
    return state.fine.get(slot, ())


def _different(numbers: NDArray[np.int64]) -> Sequence[int]:
    """Return the different numbers; most frames hold one."""
    least = int(numbers.min())
    return [least] if least == int(numbers.max()) else np.unique(numbers).tolist()


def start_clock(state: State, at: int) -> None:
    """Set the clock for the first time and lay the rings round it."""
    shape, slot = state.shape, state.shape.grid.slot_of(at)
    state.clock.at = at
    state.clock.owed_from = slot
    state.clock.whole_from = slot - shape.grid.slots_in(shape.settings.late_h) - shape.context
    state.clock.closed_to = shape.grid.slot_of(at - shape.settings.grace_ms)
    state.head = slot + 1


def oldest_open(state: State, at: int) -> int:
    """Return the oldest slot that is open to late readings when the clock stands at ``at``."""
    return state.shape.grid.slot_of(at) - state.shape.late


def advance_rings(state: State, at: int) -> None:
    """Move the clock to ``at``, not before it, and free the places of the rings that the new slots and days take."""
    shape, grid = state.shape, state.shape.grid
    was, head, ahead = state.head, grid.slot_of(at) + 1, grid.slots_in(shape.settings.ahead_h)
    if head > was:
        touched = np.arange(max(was, head - shape.open), head, dtype=np.int64) + ahead
        state.dirty[touched % shape.open] = False
        for column in state.slots.columns:
            column[_places(was, head, shape.judged)] = 0
        state.said_slots.forget(_places(was, head, shape.spoken))
        days = np.unique(grid.day_of(touched) + 1)[-shape.ring_days :] % shape.ring_days
        state.dirty_days[days] = False
        state.said_days.forget(days)
    state.head = head
    state.clock.at = at
    _let_go(state, oldest_open(state, at))


def _places(first: int, stop: int, length: int) -> NDArray[np.intp]:
    """Return the places of a ring that slots from ``first`` until before ``stop`` take."""
    return np.arange(max(first, stop - length), stop, dtype=np.intp) % length


def _let_go(state: State, oldest: int) -> None:
    """Drop the pages of slots and days before the oldest that is open."""
    day = state.shape.grid.day_of(oldest)
    for pages, first in ((state.pages, oldest), (state.own, oldest), (state.fine, oldest), (state.own_days, day)):
        for number in [number for number in pages if number < first]:
            del pages[number]
