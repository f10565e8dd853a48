"""The one task that looks at the store and the desk, for all pages together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Final

import pyarrow as pa

from alerts.desk import Desk
from alerts.periods import Cadence
from alerts.rules import YEAR
from dashboards.events import Summary, summary_of
from dashboards.limits import edition_of, limit_of
from dashboards.media import Medium, build_medium, shown_slot
from dashboards.overview import TREND_HOURS, Overview, build_overview, shown_hour
from dashboards.rows import Row, rows_of
from dashboards.settings import ConsoleSettings
from sensors.clock import HOUR_MS, day_of, first_hour_of_day
from sensors.factors import Factor
from sensors.kinds import Kind
from sensors.registry import Registry
from sensors.windows import Span
from streams.results import Window
from streams.standards import Standards
from streams.store.contract import Clock, ResultStore

_log = logging.getLogger(__name__)
_BEAT_S: Final = 5.0
_PATIENCE_S: Final = 3.0
_STALLED_MS: Final = 15_000
_OLDER_EVERY: Final = 5
_SLOTS_BACK: Final = 3
"""Slots that a kind's picture goes back when the newest was not said yet."""
AIR: Final = "air"
_LEAP_MS: Final = 600_000
"""The stream's clock moves so far between two looks only while history is being filled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether a source answered at the last look."""

    ok: bool = False
    read_ms: int = 0
    """Wall time of its last good answer; 0 when it never gave one."""
    why: str = ""
    """Kind of the error, for people who run the system; no text of the outside world."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What was last known of everything."""

    clock: Clock | None = None
    overview: Overview | None = None
    media: tuple[Medium, ...] = ()
    """Every kind of readings but air, in its newest slot."""
    clocks: Mapping[str, int] = field(default_factory=dict)
    """Tick of each kind's slowest partition, milliseconds UTC."""
    overview_version: int = 0
    alerts: Summary = field(default_factory=Summary)
    alerts_version: int = 0
    store: Health = field(default_factory=Health)
    desk: Health = field(default_factory=Health)
    looked_ms: int = 0
    """Wall time of the last look."""

    def now(self, wall_ms: int, speed: float) -> int | None:
        """Return the time of the data now: the last tick, run on by the wall; None before the first tick."""
        if self.clock is None:
            return None
        return self.clock.at_ms + round(max(0, wall_ms - self.clock.wall_ms) * speed)

    def silent_ms(self, wall_ms: int) -> int:
        """Return the wall time since the last tick."""
        return 0 if self.clock is None else max(0, wall_ms - self.clock.wall_ms)

    def store_ok(self, wall_ms: int) -> bool:
        """Return whether the store answers; a look that hangs counts as no answer."""
        return self.store.ok and wall_ms - self.looked_ms < _STALLED_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slice:
    table: pa.Table
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A medium and the slices that it was made of."""

    medium: Medium
    made_of: tuple[object, ...]


_ORDER: Final = ("water", "outfall", "voc", "operation", "ecoflow", "noise", "meteo")


def _ordered(kinds: Mapping[str, Kind]) -> list[tuple[str, Kind]]:
    """Return kinds as the overview lists them: those delivered, then those of the user."""
    return sorted(kinds.items(), key=lambda item: _ORDER.index(item[0]) if item[0] in _ORDER else len(_ORDER))


class Watch:
    """Looks once in a while, keeps what it saw, and wakes those who wait for a change."""

    def __init__(
        self,
        *,
        store: ResultStore,
        desk: Desk,
        registry: Registry,
        standards: Standards,
        factors: Mapping[str, Factor],
        kinds: Mapping[str, Kind],
        settings: ConsoleSettings,
        wall: Callable[[], int],
        waiting: Callable[[], int] | None = None,
    ) -> None:
        self._store, self._desk, self._registry, self._factors = store, desk, registry, factors
        self._settings, self._wall, self._waiting = settings, wall, waiting
        self._kinds = {name: kind for name, kind in _ordered(kinds) if name != AIR}
        self._media: dict[str, _Seen] = {}
        self._media_slices: dict[tuple[str, str, int], _Slice] = {}
        self._media_turn = 0
        self._edition_of, self._limit_of = edition_of(standards), limit_of(standards)
        self._slices: dict[tuple[Window, int], _Slice] = {}
        self._made_of: tuple[int, ...] = ()
        self._turn = 0
        self._seen_at = 0
        self._changed = asyncio.Condition()
        self._looking = Lock()
        self._stopped = False
        self.snapshot = Snapshot()
        self.listeners = 0

    def look(self) -> Snapshot:
        """Look at the store and the desk now; what does not answer keeps its last picture."""
        if not self._looking.acquire(timeout=_PATIENCE_S):  # an earlier look hangs in a source
            return self.snapshot
        try:
            seen = self._look_at_desk(self._look_at_store(self.snapshot))
            self.snapshot = replace(seen, looked_ms=self._wall())
            return self.snapshot
        finally:
            self._looking.release()

    def _look_at_store(self, before: Snapshot) -> Snapshot:
        try:
            clock = self._store.clock()
            clocks = {one.kind: one.at_ms for one in self._store.clocks()}
            overview = self._look_at_air(clocks.get(AIR), only_air=not self._kinds)
            media = self._look_at_media(clocks)
        except Exception as error:  # noqa: BLE001 - whatever the store throws, the board keeps its old picture and says so
            if before.store.ok or not before.store.why:
                _log.warning("the store does not answer: %r", error)
            return replace(before, store=replace(before.store, ok=False, why=type(error).__name__))
        changed = overview != before.overview or media != before.media
        return replace(
            before,
            clock=clock,
            overview=overview,
            media=media,
            clocks=clocks,
            overview_version=before.overview_version + changed,
            store=Health(ok=True, read_ms=self._wall()),
        )

    def _look_at_air(self, at: int | None, *, only_air: bool) -> Overview | None:
        """Look at the newest hour; the newest that has rows counts where they can be of air alone."""
        latest = self._store.latest(Window.HOUR) if only_air or at is None else None
        if not only_air and at is None and not self._registry.of_kind(AIR):
            return None
        hour = shown_hour(latest, at, self._settings.owed_after_ms)
        return None if hour is None else self._overview(hour, hour if at is None else at)

    def _look_at_media(self, clocks: Mapping[str, int]) -> tuple[Medium, ...]:
        """Look at one kind in turn, and at every kind that was never seen or whose next slot is owed."""
        names = [name for name in self._kinds if name in clocks]
        self._media_turn += 1
        for place, name in enumerate(names):
            kind = self._kinds[name]
            start = shown_slot(clocks[name], kind.slot_ms, self._settings.owed_after_ms)
            held = self._media.get(name)
            if held is None or held.medium.start != start or self._media_turn % len(names) == place:
                self._media[name] = self._medium(kind, start, held)
        return tuple(self._media[name].medium for name in self._kinds if name in self._media)

    def _medium(self, kind: Kind, start: int, held: _Seen | None) -> _Seen:
        """Read the newest slot of a kind that has rows, the day before and the year so far."""
        window = next(spec.name for spec in kind.windows if spec.span is Span.SLOT)
        slot = self._media_slice(kind, window, start)
        for _ in range(_SLOTS_BACK):
            if slot.rows:
                break
            start -= kind.slot_ms  # it was not said yet
            slot = self._media_slice(kind, window, start)
        day = first_hour_of_day(day_of(start) - 1) * HOUR_MS
        year = Cadence(months=12)
        parts = (
            slot,
            self._media_slice(kind, Window.DAY, day),
            self._media_slice(kind, YEAR, year.start_ms(year.number(start))),
        )
        made_of = (start, *(id(part.rows) for part in parts))
        if held is not None and held.made_of == made_of:
            return held
        sites = [site for site in self._registry.at(start) if site.kind == kind.name]
        medium = build_medium(kind, start, sites, slot=parts[0].rows, day=parts[1].rows, year=parts[2].rows)
        return _Seen(medium=medium, made_of=made_of)

    def _media_slice(self, kind: Kind, window: str, start: int) -> _Slice:
        """Read a slice of a kind; when it says what it said before, the rows stay the very same objects."""
        table = self._store.slice(window, start, kind.name)
        held = self._media_slices.get((kind.name, window, start))
        if held is None or not held.table.equals(table):
            held = _Slice(table=table, rows=rows_of(table, lambda _: None))
            near = _SLOTS_BACK * kind.slot_ms
            self._media_slices = {
                key: one
                for key, one in self._media_slices.items()
                if key[:2] != (kind.name, window) or abs(key[2] - start) <= near
            } | {(kind.name, window, start): held}
        return held

    def _overview(self, hour: int, at: int) -> Overview:
        starts = [hour - HOUR_MS * back for back in range(TREND_HOURS)]
        self._turn += 1
        again = {hour}
        if at - self._seen_at > _LEAP_MS:  # history is being filled: any hour may have come since the last look
            again = set(starts)
        self._seen_at = at
        if self._turn % _OLDER_EVERY == 0:  # late data changes older hours too: one of them in turn
            again |= {starts[1], starts[self._turn // _OLDER_EVERY % TREND_HOURS]}
        for start in starts:
            if start in again or (Window.HOUR, start) not in self._slices:
                self._slices[Window.HOUR, start] = self._slice(Window.HOUR, start)
        self._slices[Window.O3_8H, hour] = self._slice(Window.O3_8H, hour)
        wanted = {(Window.HOUR, start) for start in starts} | {(Window.O3_8H, hour)}
        self._slices = {key: held for key, held in self._slices.items() if key in wanted}
        held = self.snapshot.overview
        made_of = (hour, *(id(self._slices[key].rows) for key in sorted(wanted)))
        if held is not None and made_of == self._made_of:
            return held
        overview = build_overview(
            hour=hour,
            sites=[site for site in self._registry.at(hour) if site.kind == "air"],
            factors=self._factors,
            hours={start: self._slices[Window.HOUR, start].rows for start in starts},
            eights=self._slices[Window.O3_8H, hour].rows,
            limit_of=self._limit_of,
        )
        self._made_of = made_of
        return overview

    def _slice(self, window: Window, start: int) -> _Slice:
        """Read a slice; when it says what it said before, the rows stay the very same objects."""
        table = self._store.slice(window, start, AIR)
        held = self._slices.get((window, start))
        if held is not None and held.table.equals(table):
            return held
        return _Slice(table=table, rows=rows_of(table, self._edition_of))

    def _look_at_desk(self, before: Snapshot) -> Snapshot:
        try:
            alerts = summary_of(self._desk, self._waiting)
        except Exception as error:  # noqa: BLE001 - see above
            if before.desk.ok or not before.desk.why:
                _log.warning("the alert desk does not answer: %r", error)
            return replace(before, desk=replace(before.desk, ok=False, why=type(error).__name__))
        changed = alerts != before.alerts
        return replace(
            before,
            alerts=alerts,
            alerts_version=before.alerts_version + changed,
            desk=Health(ok=True, read_ms=self._wall()),
        )

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            await asyncio.to_thread(self.look)
            async with self._changed:
                self._changed.notify_all()
            await asyncio.sleep(self._settings.poll_ms / 1000)

    async def look_soon(self) -> None:
        """Look at once, after a person changed something."""
        await asyncio.to_thread(self.look)
        async with self._changed:
            self._changed.notify_all()

    async def changes(self) -> AsyncIterator[Snapshot]:
        """Yield the snapshot now, whenever it says something new, and every few seconds as a sign of life."""
        self.listeners += 1
        try:
            told: tuple[object, ...] | None = None
            silent = 0.0
            while not self._stopped:
                snapshot = self.snapshot
                wall = self._wall()
                says = (
                    snapshot.overview_version,
                    snapshot.alerts_version,
                    snapshot.store_ok(wall),
                    snapshot.desk.ok,
                    snapshot.silent_ms(wall) > self._settings.silent_after_ms,
                )
                if says != told or silent >= _BEAT_S:
                    told, silent = says, 0.0
                    yield snapshot
                    if self._stopped:
                        return
                try:
                    async with self._changed:
                        await asyncio.wait_for(self._changed.wait(), _BEAT_S)
                    silent += self._settings.poll_ms / 1000
                except TimeoutError:
                    silent += _BEAT_S
        finally:
            self.listeners -= 1

    async def stop(self) -> None:
        """End every listener, so that the server can go down."""
        self._stopped = True
        async with self._changed:
            self._changed.notify_all()
