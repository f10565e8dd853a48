"""The simulated region: packets of every network for any time, past or to come.

A packet is a function of seed, site and time, so ``packets(kind, a, c)`` is ``packets(kind, a, b)``
and then ``packets(kind, b, c)``, whatever the cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from sensors.clock import MINUTE_MS
from sensors.factors import load_factors
from sensors.frames import frame_schema
from sensors.registry import Registry, Site
from simulators import air, devices, operation, outfalls, surroundings, voc, water
from simulators.chance import Floats, Ints
from simulators.scene import Playing, Scene
from simulators.sheet import Sheet, batch_of, sheet_of
from simulators.stories import RESENDING, Arrival, Script, Story, StoryKind, load_script
from simulators.weather import BEIJING_MINUTES, Weather

SEED = 20_200_101
"""The region's own chance where no other is asked for."""
Sites = tuple[Site, ...]


Readings = Callable[[Scene, Sites, Ints, int], dict[str, Floats]]
"""What devices show in intervals that begin at minutes [T, 1] and last so many minutes: factor → [T, E]."""
MEDIA: Mapping[str, Readings] = {
    "air": air.readings,
    "voc": voc.readings,
    "water": water.readings,
    "outfall": outfalls.readings,
    "noise": surroundings.noise,
    "ecoflow": surroundings.ecoflow,
    "meteo": surroundings.meteo,
    "operation": operation.readings,
}
"""The kinds that can be simulated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A region that does not exist."""

    registry: Registry
    """Its sites; a moved site is several entries of one id."""
    seed: int = SEED
    script: Script = field(default_factory=load_script)

    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of which the registry has sites and the simulator a medium."""
        return tuple(kind for kind in MEDIA if self.registry.of_kind(kind))

    def periods(self, kind: str) -> tuple[int, ...]:
        """Return the periods at which sites of a kind send, shortest first [ms]."""
        return tuple(sorted({site.period_ms for site in self.registry.of_kind(kind)}))

    def packets(self, kind: str, start_ms: int, end_ms: int, period_ms: int | None = None) -> pa.RecordBatch:
        """Return the packets that are sent in [start_ms, end_ms).

        A packet is sent in the last minute of its interval: a minute's packet when its minute begins
        to end, an hour's at minute 59. Late packets, duplicates and corrections come when their story
        says.

        Parameters
        ----------
        period_ms
            Only of sites with this period; None: of all, which one frame can hold only if all have one.

        Returns
        -------
        pa.RecordBatch
            `sensors.frames.frame_schema` of the kind's factors, by time of sending, of interval, and
            then by site. A silent site has no rows; every value has a flag; a factor that is not
            measured or not in plan has neither; one that cannot be measured now has only a flag.
        """
        periods = self.periods(kind) if period_ms is None else (period_ms,)
        found = [batch for period in periods for batch in self._sent(kind, period // MINUTE_MS, start_ms, end_ms)]
        filled = [batch for batch in found if batch.num_rows]
        if len(filled) > 1:
            return _in_order(filled)
        return filled[0] if filled else pa.RecordBatch.from_pylist([], schema=frame_schema(load_factors(kind)))

    def stories(self, start_ms: int, end_ms: int) -> tuple[Story, ...]:
        """Return the known truth: what is made to happen in [start_ms, end_ms), by start and id.

        The nightly calibrations are not among them. A story of sites that the registry lacks does not happen.
        """
        found = [self._story(one) for one in self._scene().playing(start_ms, end_ms)]
        return tuple(sorted(found, key=lambda story: (story.start, story.id)))

    def weather(self, start_ms: int, end_ms: int) -> Weather:
        """Return the weather of the minutes that begin in [start_ms, end_ms)."""
        return self._scene().weather(_starts(start_ms, end_ms, 1))

    def _scene(self) -> Scene:
        return Scene(registry=self.registry, seed=self.seed, script=self.script)

    def _story(self, one: Playing) -> Story:
        plot, times = one.plot, []
        if plot.kind is StoryKind.SPILL:
            rivers = water.rivers_of(self._scene())
            times = [arrival for site in one.sites for arrival in water.arrivals(rivers, site, one.start)]
        length = plot.minutes * MINUTE_MS
        return Story(
            id=plot.id,
            kind=plot.kind,
            name_zh=plot.name.zh,
            name_en=plot.name.en,
            sites=one.sites,
            factors=tuple(plot.factors),
            start=one.start,
            end=one.start + length,
            expect=plot.expect,
            arrivals=tuple(Arrival(site=site, start=ms, end=ms + length, share=share) for site, ms, share in times),
            sent=plot.sent(one.start) if plot.kind in RESENDING else None,
        )

    def _sites(self, kind: str, period: int) -> Sites:
        return tuple(site for site in self.registry.of_kind(kind) if site.period_ms == period * MINUTE_MS)

    def _sent(self, kind: str, period: int, start_ms: int, end_ms: int) -> Iterator[pa.RecordBatch]:
        """Yield what is sent when its interval ends, and then what stories send late or again."""
        sites, before = self._sites(kind, period), (period - 1) * MINUTE_MS
        minutes = _starts(start_ms - before, end_ms - before, period)
        if sites and len(minutes):
            yield batch_of(self._sheet(kind, sites, minutes, period), self._names(kind), self.seed)
        scene = self._scene()
        for plot in self.script.stories:
            if plot.kind in RESENDING:
                for number, begin in plot.deliveries(start_ms, end_ms):
                    chosen = plot.sites_of(number)
                    own = tuple(site for site in sites if site.id in chosen)
                    if own:
                        one = Playing(plot=plot, start=begin, sites=scene.known(chosen))
                        yield self._again(kind, own, period, one)

    def _again(self, kind: str, sites: Sites, period: int, one: Playing) -> pa.RecordBatch:
        plot, end = one.plot, one.start + one.plot.minutes * MINUTE_MS
        sheet = self._sheet(kind, sites, _starts(one.start, end, period), period, late=plot.kind is StoryKind.LATE)
        if plot.kind is StoryKind.CORRECTION:
            for factor, ratio in plot.factors.items():
                sheet.values[factor] = sheet.values[factor] * ratio
        correction = int(plot.kind is StoryKind.CORRECTION)
        sent_ms = plot.sent(one.start) + MINUTE_MS
        return batch_of(sheet, self._names(kind), self.seed, sent_ms=sent_ms, correction=correction)

    def _names(self, kind: str) -> list[str]:
        return sorted({site.id for site in self.registry.of_kind(kind)})

    def _sheet(self, kind: str, sites: Sites, minutes: Ints, period: int, *, late: bool = False) -> Sheet:
        scene = self._scene()
        sheet = self._plain(scene, kind, sites, minutes, period)
        if kind == "air" and period == 1:
            devices.calibrate(sheet, self.script.calibration)
        first, last = (int(minutes[0, 0]), int(minutes[-1, 0]) + period) if len(minutes) else (0, 0)

        def look(one: Playing) -> dict[str, Floats]:
            at = _starts(one.start, one.start + period * MINUTE_MS, period)
            return self._plain(scene, kind, sites, at, period).values

        for one in scene.playing(first * MINUTE_MS, last * MINUTE_MS):
            if not (late and one.plot.kind is StoryKind.LATE):
                devices.play(one, sheet, look)
        for column, site in enumerate(sites):
            devices.hold_to_plan(site, column, sheet)
        return sheet

    def _plain(self, scene: Scene, kind: str, sites: Sites, minutes: Ints, period: int) -> Sheet:
        shape = (len(minutes), len(sites))
        shown = MEDIA[kind](scene, sites, minutes, period)
        values = {factor: np.array(np.broadcast_to(column, shape)) for factor, column in shown.items()}
        return sheet_of(kind, sites, minutes, period=period, values=values)


def _starts(start_ms: int, end_ms: int, period: int) -> Ints:
    """Return the minutes [T, 1] in [start_ms, end_ms) at which an interval of the Beijing day begins."""
    first, last = -(-start_ms // MINUTE_MS), -(-end_ms // MINUTE_MS)
    first += -(first + BEIJING_MINUTES) % period
    return np.arange(first, last, period, dtype=np.int64)[:, np.newaxis]


def _in_order(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    """Return batches of one dictionary of sites as one, by minute of sending, of interval, and then by site."""
    whole = pa.Table.from_batches(batches).combine_chunks().to_batches()[0]
    sent = whole.column("received").cast(pa.int64()).to_numpy() // MINUTE_MS
    start = whole.column("start").cast(pa.int64()).to_numpy()
    return whole.take(pa.array(np.lexsort((whole.column("site").indices.to_numpy(), start, sent))))
