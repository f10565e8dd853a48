"""Outfalls of the simulated region: plants follow their inflow, rain raises and thins it, rain-water outlets need it.

Flow is made of hourly knots with straight lines between them, so its integral, the meter's volume,
is exact. All numbers here are made up; without a story they stay below the limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sensors.clock import HOUR_MS
from sensors.registry import Site
from simulators.chance import Floats, Ints, Stream, bell, key_of, smooth
from simulators.scene import Scene, column, keys_of, noisy, present
from simulators.stories import StoryKind, strength
from simulators.weather import BEIJING_MINUTES, Weather

METER_DAYS = 45
"""A volume meter is set to 0 after so many days, at 09:00 of a day of its own."""
_METER_HOUR = 9
_HOUR, _DAY_HOURS = 60, 24
_LITRES = 3600
DRY_MM = 0.5
"""Less rain than this that still counts makes no run-off: a pipe has drained some hours after the rain."""
DRAIN_H = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Water:
    """Usual flow and concentrations of a use."""

    flow: float
    """Of an outlet of middle size on a dry day. [L/s]"""
    levels: Mapping[str, float]
    """[mg/L; colour in dilutions]"""
    swing: float
    """How far the flow goes up and down with the hour."""
    wet: float
    """How far rain raises the flow: share for each mm that still counts."""


USES: Mapping[str, Water] = {
    "plant": Water(
        flow=520.0, swing=0.28, wet=0.010,
        levels={"COD": 17.0, "NH3-N": 0.45, "TP": 0.13, "TN": 7.6, "SS": 5.0},
    ),
    "sewage": Water(
        flow=70.0, swing=0.35, wet=0.012,
        levels={"COD": 210.0, "NH3-N": 17.0, "TP": 2.4, "TN": 30.0},
    ),
    "firm": Water(
        flow=9.0, swing=0.45, wet=0.0,
        levels={"COD": 95.0, "NH3-N": 6.0, "TP": 0.55, "TN": 13.0, "SS": 32.0, "colour": 24.0, "Sb": 0.022},
    ),
    "rain": Water(flow=22.0, swing=0.0, wet=0.0, levels={"COD": 26.0, "NH3-N": 0.7, "TP": 0.14}),
}  # fmt: skip
_LEVELS = ("COD", "NH3-N", "TP", "TN", "SS", "colour", "Sb")


def readings(scene: Scene, sites: tuple[Site, ...], minutes: Ints, period: int) -> dict[str, Floats]:
    """Return what the outlets show [T, E]; no concentration where nothing flows (NaN)."""
    middle = minutes + period // 2
    weather = scene.weather(middle)
    flow = flow_at(scene, sites, middle)
    true = scene.changed(sites, minutes, _levels(scene, sites, middle, weather, flow))
    shown = noisy(true, minutes, sites, stream=Stream.OUTFALL, seed=scene.seed, share=0.025)
    shown["wtemp"] = 15.0 + 8.0 * weather.summer + 0.0 * flow
    acid = smooth(scene.seed, Stream.OUTFALL_SITE, keys_of(sites), minutes, 300)
    shown["pH"] = 7.3 + 0.25 * acid + 0.02 * bell(scene.seed, Stream.OUTFALL + 10, keys_of(sites), minutes)
    dry = flow <= 0.0
    shown = {factor: np.where(dry, np.nan, values) for factor, values in shown.items()}
    shown["flow"] = flow
    shown["volume"] = volume_at(scene, sites, minutes + period)
    shown["rain"] = weather.rain * period / _HOUR + 0.0 * flow
    return shown


def flow_at(scene: Scene, sites: tuple[Site, ...], minutes: Ints) -> Floats:
    """Return the flow at minutes [T, 1]: a straight line between the knots of the hours [L/s]."""
    if not len(minutes):
        return np.zeros((0, len(sites)))
    first, last = int(minutes[0, 0]) // _HOUR, int(minutes[-1, 0]) // _HOUR + 1
    knots = _knots(scene, sites, np.arange(first, last + 1, dtype=np.int64)[:, np.newaxis])
    place, share = minutes[:, 0] // _HOUR - first, (minutes % _HOUR) / _HOUR
    return np.asarray(knots[place] + (knots[place + 1] - knots[place]) * share)


def volume_at(scene: Scene, sites: tuple[Site, ...], minutes: Ints) -> Floats:
    """Return what each outlet's meter reads at minutes [T, 1]: litres since it was set, as cubic metres."""
    if not len(minutes) or not sites:
        return np.zeros((len(minutes), len(sites)))
    hour = minutes // _HOUR
    set_at = _meter_set(hour, keys_of(sites))
    first, last = int(set_at.min()), int(hour[-1, 0]) + 1
    knots = _knots(scene, sites, np.arange(first, last + 1, dtype=np.int64)[:, np.newaxis])
    whole = np.rint((knots[:-1] + knots[1:]) / 2.0 * _LITRES).astype(np.int64)
    total = np.concatenate([np.zeros((1, len(sites)), dtype=np.int64), np.cumsum(whole, axis=0)])
    place, share = hour[:, 0] - first, (minutes % _HOUR) / _HOUR
    before, after = knots[place], knots[place + 1]
    part = np.rint((before * share + (after - before) * share * share / 2.0) * _LITRES).astype(np.int64)
    litres = total[place] - np.take_along_axis(total, set_at - first, axis=0) + part
    return np.asarray(litres / 1000.0)


def _meter_set(hours: Ints, keys: Ints) -> Ints:
    """Return the hour since 1970 at which each meter was last set to 0, [T, E]."""
    since = hours + BEIJING_MINUTES // _HOUR - _METER_HOUR
    day = since // _DAY_HOURS
    last = day - (day + keys) % METER_DAYS
    return np.asarray(last * _DAY_HOURS + _METER_HOUR - BEIJING_MINUTES // _HOUR)


def _knots(scene: Scene, sites: tuple[Site, ...], hours: Ints) -> Floats:
    """Return the flow at the full hours [K, 1] [L/s]."""
    minutes = hours * _HOUR
    use = [USES[site.setting["use"]] for site in sites]
    keys = keys_of(sites)
    size = column([one.flow for one in use]) * (0.5 + (keys % 83) / 82.0)
    clock = (minutes + BEIJING_MINUTES) / _HOUR % _DAY_HOURS
    day = np.cos(2.0 * np.pi * (clock - 13.0) / 24.0) + 0.35 * np.cos(4.0 * np.pi * (clock - 10.0) / 24.0)
    wander = 1.0 + 0.06 * smooth(scene.seed, Stream.OUTFALL_WATER, keys, minutes, 360)
    fell = minutes - _HOUR  # what has fallen when the hour begins: nothing runs before the rain
    soaked = scene.soaked(fell, 10.0)
    flow = size * (1.0 + column([one.swing for one in use]) * day) * wander
    flow = np.clip(flow, 0.05 * size, None) * (1.0 + column([one.wet for one in use]) * soaked)
    runs = size * np.clip(scene.soaked(fell, DRAIN_H) - DRY_MM, 0.0, None) / 4.0
    rain_water = column([float(site.setting["use"] == "rain") for site in sites]) > 0
    return np.asarray(np.where(rain_water, runs, flow) + _discharged(scene, sites, minutes))


def _discharged(scene: Scene, sites: tuple[Site, ...], minutes: Ints) -> Floats:
    """Return the flow of what is let out and is no rain [L/s]."""
    total = np.zeros((len(minutes), len(sites)))
    if len(minutes):
        first, last = int(minutes[0, 0]) // _HOUR * HOUR_MS, (int(minutes[-1, 0]) // _HOUR + 1) * HOUR_MS
        for one in scene.playing(first, last, frozenset({StoryKind.DISCHARGE})):
            here = present(sites, one.sites)
            total += one.plot.size * strength(one.start, one.plot, minutes) * here
    return total


def _levels(scene: Scene, sites: tuple[Site, ...], minutes: Ints, weather: Weather, flow: Floats) -> dict[str, Floats]:
    """Return concentrations before any upset: rain thins, winter slows the plants, what is let out mixes in."""
    use = [USES[site.setting["use"]] for site in sites]
    keys, soaked = keys_of(sites), scene.soaked(minutes, 10.0)
    thinned = 1.0 / (1.0 + 0.6 * column([one.wet for one in use]) * soaked)
    cold = 1.0 + 0.8 * (1.0 - weather.summer) * column([float(site.setting["use"] == "plant") for site in sites])
    foreign = _foreign(scene, sites, minutes)
    share = np.clip(foreign.pop("flow") / np.maximum(flow, 1e-9), 0.0, 1.0)
    found = {}
    for number, factor in enumerate(_LEVELS):
        usual = column([one.levels.get(factor, 0.0) for one in use]) * (0.8 + 0.4 * _own(sites, factor))
        wander = np.exp(0.12 * smooth(scene.seed, Stream.OUTFALL + 20 + number, keys, minutes, 240))
        level = usual * wander * thinned * (cold if factor == "NH3-N" else 1.0)
        found[factor] = level * (1.0 - share) + foreign.get(factor, 0.0) * share
    return found


def _foreign(scene: Scene, sites: tuple[Site, ...], minutes: Ints) -> dict[str, Floats]:
    """Return flow [L/s] and concentrations of what is let out at the moment."""
    shape = (len(minutes), len(sites))
    found = {factor: np.zeros(shape) for factor in ("flow", *_LEVELS)}
    if len(minutes):
        knots = np.concatenate([minutes // _HOUR * _HOUR, minutes // _HOUR * _HOUR + _HOUR], axis=1)
        first, last = int(knots[0, 0]) * 60_000, (int(knots[-1, 1]) + 1) * 60_000
        for one in scene.playing(first, last, frozenset({StoryKind.DISCHARGE})):
            here = present(sites, one.sites)
            course = strength(one.start, one.plot, knots)
            slope = (minutes % _HOUR) / _HOUR
            let_out = one.plot.size * (course[:, :1] + (course[:, 1:] - course[:, :1]) * slope) * here
            found["flow"] += let_out
            for factor, size in one.plot.factors.items():
                found[factor] = np.where(let_out > 0, size, found[factor])
    return found


def _own(sites: tuple[Site, ...], factor: str) -> Floats:
    """Return where each outlet lies between low and high of its use: 0 to 1."""
    return column([key_of(f"{site.id} {factor}") % 79 / 78.0 for site in sites])
