"""The simulated region: minute packets of every station for any time, past or to come.

A packet is a function of seed, station and minute, so ``packets(a, c)`` is ``packets(a, b)`` and
then ``packets(b, c)``, whatever the cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sensors.clock import MINUTE_MS
from sensors.factors import load_factors
from sensors.frames import frame_schema
from sensors.registry import Registry, Site
from simulators.air import AIR_FACTORS, Places, air_at, measured, places_of
from simulators.chance import Floats, Ints, Stream, bits, key_of
from simulators.stories import Plot, Script, Story, StoryKind, load_script, strength
from simulators.weather import BEIJING_MINUTES, DAY_MINUTES, Weather, weather_at

SEED = 20_200_101
"""The region's own chance where no other is asked for."""
_HOUR_MINUTES = 60
_LETTER = {StoryKind.MAINTENANCE: "M", StoryKind.FAULT: "D", StoryKind.OVER_RANGE: "T"}
_NORMAL, _CALIBRATION = ord("N"), ord("C")
Flags = NDArray[np.uint8]


@dataclass(slots=True, kw_only=True)
class _Sheet:
    """Minutes by stations while they are being filled: [T, E] each."""

    start_ms: int
    end_ms: int
    minutes: Ints
    values: dict[str, Floats]
    flags: dict[str, Flags]
    sent: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A region that does not exist."""

    registry: Registry
    """Its air stations that send by the minute; a moved station is several entries of one id."""
    seed: int = SEED
    script: Script = field(default_factory=load_script)

    def packets(self, start_ms: int, end_ms: int) -> pa.RecordBatch:
        """Return the packets of all stations whose minute begins in [start_ms, end_ms).

        Returns
        -------
        pa.RecordBatch
            `sensors.frames.frame_schema` of the air factors, by minute and then by site. A silent
            station has no rows; every value has a flag; a factor that is not in plan has neither.
        """
        sites, places = self._stations(), self._places()
        sheet = self._sheet(start_ms, end_ms, places)
        self._calibrate(sheet, places)
        for plot, start, chosen in self._playing(start_ms, end_ms):
            _play(plot, start, np.array([site.id in chosen for site in sites], dtype=np.bool_), sheet)
        for column, site in enumerate(sites):
            _hold_to_plan(site, column, sheet)
        return self._batch(sheet, sites, places)

    def stories(self, start_ms: int, end_ms: int) -> tuple[Story, ...]:
        """Return the known truth: what is made to happen in [start_ms, end_ms), by start and id.

        The nightly calibrations are not among them. A story of stations that the registry lacks does not happen.
        """
        found = [
            Story(
                id=plot.id,
                kind=plot.kind,
                name_zh=plot.name.zh,
                name_en=plot.name.en,
                sites=chosen,
                factors=tuple(plot.factors),
                start=start,
                end=start + plot.minutes * MINUTE_MS,
            )
            for plot, start, chosen in self._playing(start_ms, end_ms)
        ]
        return tuple(sorted(found, key=lambda story: (story.start, story.id)))

    def weather(self, start_ms: int, end_ms: int) -> Weather:
        """Return the weather of the minutes that begin in [start_ms, end_ms)."""
        return weather_at(_minutes(start_ms, end_ms), self.seed, self.script)

    def _stations(self) -> tuple[Site, ...]:
        return tuple(site for site in self.registry.of_kind("air") if site.period_ms == MINUTE_MS)

    def _places(self) -> Places:
        sites = self._stations()
        return places_of([site.station_class for site in sites], [key_of(site.id) for site in sites])

    def _playing(self, start_ms: int, end_ms: int) -> Iterator[tuple[Plot, int, tuple[str, ...]]]:
        known = {site.id for site in self._stations()}
        for plot in self.script.stories:
            for number, start in plot.starts(start_ms, end_ms):
                chosen = tuple(site for site in plot.sites_of(number) if site in known)
                if chosen or not plot.sites:
                    yield plot, start, chosen

    def _sheet(self, start_ms: int, end_ms: int, places: Places) -> _Sheet:
        minutes = _minutes(start_ms, end_ms)
        true = air_at(minutes, weather_at(minutes, self.seed, self.script), places, self.seed)
        for plot, start, chosen in self._playing(start_ms, end_ms):
            if plot.kind is StoryKind.PLUME:
                here = np.array([[site.id in chosen for site in self._stations()]])
                course = strength(start, plot, minutes) * here
                for factor, size in plot.factors.items():
                    true[factor] = true[factor] + size * course
        values = {
            factor: measured(true[factor], number, minutes, places, self.seed)
            for number, factor in enumerate(AIR_FACTORS)
        }
        # one sampler sees both, so its noise on PM10 must not bring it below PM2.5
        values["PM10"] = np.maximum(values["PM10"], values["PM2.5"] + 1.0)
        shape = true["PM2.5"].shape
        flags = {factor: np.full(shape, _NORMAL, dtype=np.uint8) for factor in AIR_FACTORS}
        sent = np.ones(shape, dtype=np.bool_)
        return _Sheet(start_ms=start_ms, end_ms=end_ms, minutes=minutes, values=values, flags=flags, sent=sent)

    def _calibrate(self, sheet: _Sheet, places: Places) -> None:
        """Set the nightly checks: each gas in an hour of its own, the span check for one gas a night."""
        plan = self.script.calibration
        local = sheet.minutes + BEIJING_MINUTES
        day, hour = local // DAY_MINUTES, local % DAY_MINUTES // _HOUR_MINUTES
        minute = local % _HOUR_MINUTES
        for number, (gas, span) in enumerate(plan.gases.items()):
            mine = hour == plan.first_hour + (places.keys + number) % plan.hours
            zero = mine & (minute < plan.zero_minutes)
            turn = (places.keys + day) % len(plan.gases) == number
            spanned = mine & turn & (minute >= plan.zero_minutes) & (minute < plan.zero_minutes + plan.span_minutes)
            level = span + 0.002 * (sheet.values[gas] - span)
            sheet.values[gas] = np.where(zero, 0.002 * sheet.values[gas], np.where(spanned, level, sheet.values[gas]))
            sheet.flags[gas][zero | spanned] = _CALIBRATION

    def _batch(self, sheet: _Sheet, sites: tuple[Site, ...], places: Places) -> pa.RecordBatch:
        kept = sheet.sent.ravel()
        minutes = np.broadcast_to(sheet.minutes, sheet.sent.shape).ravel()[kept]
        latency = (bits(self.seed, Stream.LATENCY, places.keys, sheet.minutes) % np.uint64(3500)).astype(np.int64)
        received = (minutes + 1) * MINUTE_MS + 500 + latency.ravel()[kept]
        names = sorted({site.id for site in sites})
        index = np.broadcast_to(np.array([names.index(site.id) for site in sites], np.int32), sheet.sent.shape)
        arrays = [
            pa.DictionaryArray.from_arrays(pa.array(index.ravel()[kept]), pa.array(names, pa.utf8())),
            pa.array(minutes * MINUTE_MS).cast(pa.timestamp("ms", "UTC")),
            pa.array(received).cast(pa.timestamp("ms", "UTC")),
            pa.array(np.zeros(len(minutes), dtype=np.int16)),
            pa.nulls(len(minutes), pa.map_(pa.utf8(), pa.utf8())),
        ]
        for symbol, factor in load_factors("air").items():
            flags = sheet.flags[symbol].ravel()[kept]
            scaled = np.rint(sheet.values[symbol].ravel()[kept] * 10.0**factor.digits).astype(np.int32)
            arrays += [pa.array(scaled, mask=flags == 0), pa.array(flags, mask=flags == 0)]
        return pa.RecordBatch.from_arrays(arrays, schema=frame_schema(load_factors("air")))


def _minutes(start_ms: int, end_ms: int) -> Ints:
    return np.arange(-(-start_ms // MINUTE_MS), -(-end_ms // MINUTE_MS), dtype=np.int64)[:, np.newaxis]


def _rows(start_ms: int, end_ms: int | None, sheet: _Sheet) -> slice:
    """Return the rows of the sheet whose minute begins in [start_ms, end_ms)."""
    last = len(sheet.minutes)
    if last == 0:
        return slice(0, 0)
    first = int(sheet.minutes[0, 0])
    end = last if end_ms is None else -(-end_ms // MINUTE_MS) - first
    return slice(min(max(-(-start_ms // MINUTE_MS) - first, 0), last), min(max(end, 0), last))


def _play(plot: Plot, start: int, here: NDArray[np.bool_], sheet: _Sheet) -> None:
    """Write what a story does to devices and links; the weather and the plumes are in the truth already."""
    rows = _rows(start, start + plot.minutes * MINUTE_MS, sheet)
    match plot.kind:
        case StoryKind.SILENCE | StoryKind.NEVER:
            sheet.sent[rows, here] = False
        case StoryKind.MAINTENANCE | StoryKind.FAULT:
            for factor in plot.factors:
                sheet.flags[factor][rows, here] = ord(_LETTER[plot.kind])
        case StoryKind.OVER_RANGE:
            for factor in plot.factors:
                sheet.values[factor][rows, here] = plot.size
                sheet.flags[factor][rows, here] = ord(_LETTER[plot.kind])
        case StoryKind.SPIKE:
            for factor in plot.factors:
                sheet.values[factor][rows, here] = plot.size
        case StoryKind.STAGNATION | StoryKind.SUNSHINE | StoryKind.FRONT | StoryKind.PLUME:
            pass


def _hold_to_plan(site: Site, column: int, sheet: _Sheet) -> None:
    """Send nothing outside an entry's dates, and nothing of a factor that is not in plan."""
    inside = _rows(site.start, site.end, sheet)
    sheet.sent[: inside.start, column] = False
    sheet.sent[inside.stop :, column] = False
    for absence in site.not_in_plan:
        sheet.flags[absence.factor][_rows(absence.start, absence.end, sheet), column] = 0
