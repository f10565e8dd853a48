"""The hot state of one partition's air sites: a pure fold of its records.

Minute slots are pages by hour, kept as long as a late minute is welcome; hours, days and what was
last said of each window are rings indexed by hour or day number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sensors.clock import HOUR_MS, MINUTE_MS, day_of_hour
from sensors.deadletters import Refusal
from sensors.factors import Factor
from sensors.frames import SITE, START, Frame
from sensors.registry import Site
from streams.judging.slots import Keys, fold_unique, keys_of

RING_HOURS: Final = 192
RING_DAYS: Final = 12
MINUTES: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeSettings:
    """How the air stream waits and what it welcomes."""

    grace_ms: int = 5 * MINUTE_MS
    """An hour is closed this long after its end, by the partition's clock."""
    late_h: int = 72
    """Readings older than this go to the dead letters, to be driven again by a recompute."""
    ahead_h: int = 24
    """Readings further ahead of the clock than this go to the dead letters."""

    @property
    def context_h(self) -> int:
        """Hours before a late reading that its dependents reach back to: a day and a running day."""
        return 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Rows of a frame that were not folded."""

    reason: Refusal
    detail: str
    rows: NDArray[np.bool_]


@dataclass(slots=True, kw_only=True)
class HourRing:
    """Judged hours: arrays [sites, factors, RING_HOURS]."""

    value: NDArray[np.int64]
    present: NDArray[np.bool_]
    valid: NDArray[np.int16]
    expected: NDArray[np.int16]
    reason: NDArray[np.uint8]
    marks: NDArray[np.uint16]
    inputs: NDArray[np.uint64]


@dataclass(slots=True, kw_only=True)
class Said:
    """What was last emitted of each window: arrays [sites, outputs, ring]."""

    content: NDArray[np.uint64]
    revision: NDArray[np.int32]

    @classmethod
    def nothing(cls, sites: int, outputs: int, ring: int) -> Said:
        """Return a ring in which nothing was said."""
        shape = (sites, outputs, ring)
        return cls(content=np.zeros(shape, np.uint64), revision=np.zeros(shape, np.int32))

    def forget(self, places: NDArray[np.intp]) -> None:
        """Make places of the ring free for new windows."""
        self.content[..., places] = 0
        self.revision[..., places] = 0


def _hour_ring(sites: int, factors: int) -> HourRing:
    shape = (sites, factors, RING_HOURS)
    return HourRing(
        value=np.zeros(shape, np.int64),
        present=np.zeros(shape, np.bool_),
        valid=np.zeros(shape, np.int16),
        expected=np.zeros(shape, np.int16),
        reason=np.zeros(shape, np.uint8),
        marks=np.zeros(shape, np.uint16),
        inputs=np.zeros(shape, np.uint64),
    )


@dataclass(slots=True, kw_only=True)
class Clock:
    """The partition's clock and what follows from it, in hour numbers."""

    at: int | None = None
    """The greatest tick, ms; None before the first record."""
    closed_to: int = 0
    """Hours before this one are closed."""
    owed_from: int = 0
    """From this hour on absence is a finding: the first tick's hour."""
    whole_from: int = 0
    """From this hour on the state holds every input; earlier windows are not said again."""


@dataclass(slots=True, kw_only=True)
class AirState:
    """Everything that one partition's air sites need; built by `empty_state`, changed by `fold`."""

    sites: tuple[Site, ...]
    factors: Mapping[str, Factor]
    settings: JudgeSettings
    names: pa.Array
    clock: Clock = field(default_factory=Clock)
    pages: dict[int, Keys] = field(default_factory=dict)
    """Hour number → minute keys, shape [60 * sites, factors], row = minute * sites + site."""
    device: Keys
    """Keys of hours that sources sent as hours, shape [RING_HOURS * sites, factors]."""
    dirty: NDArray[np.bool_]
    """Shape [RING_HOURS * sites]: an input changed since the hour was last judged."""
    hours: HourRing
    said_hours: Said
    said_days: Said
    head_hour: int = 0
    """First hour that the rings do not hold yet."""


def empty_state(
    sites: Sequence[Site],
    factors: Mapping[str, Factor],
    settings: JudgeSettings,
    *,
    hour_outputs: int,
    day_outputs: int,
) -> AirState:
    """Return the state of a partition of which no record was folded.

    Several validity entries of one id share a row; their periods must not differ.
    """
    ids = sorted({site.id for site in sites})
    count = len(ids)
    return AirState(
        sites=tuple(next(s for s in sites if s.id == name) for name in ids),
        factors=factors,
        settings=settings,
        names=pa.array(ids, pa.utf8()),
        device=np.zeros((RING_HOURS * count, len(factors)), np.int64),
        dirty=np.zeros(RING_HOURS * count, np.bool_),
        hours=_hour_ring(count, len(factors)),
        said_hours=Said.nothing(count, hour_outputs, RING_HOURS),
        said_days=Said.nothing(count, day_outputs, RING_DAYS),
    )


def fold(state: AirState, frame: Frame) -> tuple[Refused, ...]:
    """Fold a frame into the slots; return the rows that have no place, each with a reason.

    Nothing is judged or said here: that happens at a tick. Before the first tick the clock stands at the
    earliest reading of the first frame.
    """
    rows = frame.rows
    if rows.num_rows == 0:
        return ()
    start = rows.column(START).cast(pa.int64()).to_numpy()
    site = _site_rows(state, rows)
    if state.clock.at is None and (site >= 0).any():
        start_clock(state, int(start[site >= 0].min()))
    refused = _refusals(state, frame, site, start)
    usable = ~np.logical_or.reduce([r.rows for r in refused]) if refused else np.ones(start.size, np.bool_)
    keys = keys_of(frame, state.factors)
    if not usable.all():
        keys, start, site = keys[usable], start[usable], site[usable]
    if frame.head.period_ms == HOUR_MS:
        _fold_hours(state, site, start // HOUR_MS, keys)
    else:
        _fold_minutes(state, site, start, keys)
    return refused


def _site_rows(state: AirState, rows: pa.RecordBatch) -> NDArray[np.int64]:
    """Return the state's row of each packet's site; -1 where the partition has no such site."""
    column = rows.column(SITE)
    known = pc.index_in(column.dictionary, value_set=state.names).fill_null(-1)
    table: NDArray[np.int64] = known.to_numpy(zero_copy_only=False).astype(np.int64)
    rows_of_sites: NDArray[np.int64] = table[column.indices.to_numpy(zero_copy_only=False)]
    return rows_of_sites


def _refusals(state: AirState, frame: Frame, site: NDArray[np.int64], start: NDArray[np.int64]) -> tuple[Refused, ...]:
    """Return the reasons why rows have no place; a row stands in one of them at most."""
    settings, period = state.settings, frame.head.period_ms
    now = 0 if state.clock.at is None else state.clock.at  # without a clock every site is unknown
    periods = np.array([s.period_ms for s in state.sites], np.int64)
    unknown = site < 0
    misfit = ~unknown & (period != HOUR_MS) & (periods[site] != period if periods.size else True)
    oblique = ~unknown & ~misfit & (start % period != 0)
    fitting = ~(unknown | misfit | oblique)
    late = fitting & (start < now - settings.late_h * HOUR_MS)
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


def _fold_hours(state: AirState, site: NDArray[np.int64], hour: NDArray[np.int64], keys: Keys) -> None:
    index = (hour % RING_HOURS) * len(state.sites) + site
    changed = fold_unique(state.device, index, keys)
    state.dirty[index[changed]] = True


def _fold_minutes(state: AirState, site: NDArray[np.int64], start: NDArray[np.int64], keys: Keys) -> None:
    count = len(state.sites)
    hours = start // HOUR_MS
    row = (start % HOUR_MS) // MINUTE_MS * count + site
    one_hour = hours.size > 0 and hours.min() == hours.max()
    for hour in hours[:1] if one_hour else np.unique(hours):
        page = state.pages.get(int(hour))
        if page is None:
            page = state.pages[int(hour)] = np.zeros((MINUTES * count, len(state.factors)), np.int64)
        mine = slice(None) if one_hour else hours == hour
        changed = fold_unique(page, row[mine], keys[mine])
        state.dirty[(int(hour) % RING_HOURS) * count + site[mine][changed]] = True


def start_clock(state: AirState, at: int) -> None:
    """Set the clock for the first time and lay the rings round it."""
    settings, hour = state.settings, at // HOUR_MS
    state.clock.at = at
    state.clock.owed_from = hour
    state.clock.whole_from = hour - settings.late_h - settings.context_h
    state.clock.closed_to = (at - settings.grace_ms) // HOUR_MS
    state.head_hour = hour + settings.ahead_h + 1


def advance_rings(state: AirState, at: int) -> None:
    """Move the clock to ``at``, not before it, and free the places of the rings that the new hours and days take."""
    head = at // HOUR_MS + state.settings.ahead_h + 1
    fresh = np.arange(max(state.head_hour, head - RING_HOURS), head, dtype=np.int64)
    if fresh.size:
        _free_hours(state, fresh % RING_HOURS)
        days = np.unique(day_of_hour(fresh) + 1)
        state.said_days.forget(days[-RING_DAYS:] % RING_DAYS)
    state.head_hour = head
    state.clock.at = at
    oldest = at // HOUR_MS - state.settings.late_h - 1
    for hour in [hour for hour in state.pages if hour < oldest]:
        del state.pages[hour]


def _free_hours(state: AirState, places: NDArray[np.int64]) -> None:
    count = len(state.sites)
    rows = (places[:, None] * count + np.arange(count)).ravel()
    state.device[rows] = 0
    state.dirty[rows] = False
    ring = state.hours
    for column in (ring.value, ring.present, ring.valid, ring.expected, ring.reason, ring.marks, ring.inputs):
        column[..., places] = 0
    state.said_hours.forget(places)
