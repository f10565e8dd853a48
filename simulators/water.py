"""Water of the simulated rivers, lakes, sources and sluices: season, sun, rain, tide, and what comes down.

No model of a river: curves of the right size and company. All numbers here are made up; without a
story a section stays inside its target class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.registry import Site
from simulators.chance import Floats, Ints, Stream, bell, key_of, smooth
from simulators.rivers import FADING_H, Rivers
from simulators.scene import Scene, bounds, column, keys_of, noisy
from simulators.stories import StoryKind, strength
from simulators.weather import Weather

TIDE_MINUTES = 745.2
"""Half a lunar day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """Usual concentrations of a body of water [mg/L]."""

    organic: float
    ammonia: float
    phosphorus: float
    nitrogen: float


_CLEAN, _PLAIN = (
    Body(organic=2.2, ammonia=0.16, phosphorus=0.043, nitrogen=1.5),
    Body(organic=3.4, ammonia=0.42, phosphorus=0.095, nitrogen=1.6),
)
_LAKE_CLEAN, _LAKE = (
    Body(organic=1.9, ammonia=0.06, phosphorus=0.013, nitrogen=0.42),
    Body(organic=3.2, ammonia=0.22, phosphorus=0.030, nitrogen=0.80),
)


def body_of(site: Site) -> Body:
    """Return the usual water of a site: hills and sources clean, plain and bay less so."""
    if site.setting["water"] == "lake":
        return _LAKE_CLEAN if site.station_class == "drinking_source" else _LAKE
    return _CLEAN if site.setting["target"] in {"I", "II"} else _PLAIN


def rivers_of(scene: Scene) -> Rivers:
    """Return the river graph of a registry."""
    return _rivers(tuple((flow.upstream, flow.downstream, float(flow.hours)) for flow in scene.registry.flows))


@lru_cache(maxsize=8)
def _rivers(flows: tuple[tuple[str, str, float], ...]) -> Rivers:
    return Rivers.of(flows)


def readings(scene: Scene, sites: tuple[Site, ...], minutes: Ints, period: int) -> dict[str, Floats]:
    """Return what the sections show [T, E], in the kind's canonical units."""
    middle = minutes + period // 2
    weather, rivers = scene.weather(middle), rivers_of(scene)
    dissolved = _dissolved(scene, sites, middle, weather, rivers)
    true = dissolved | _physics(scene, sites, middle, weather) | _moving(scene, sites, middle)
    true["biotox"] = 4.0 + 2.5 * bell(scene.seed, Stream.WATER_SITE + 3, keys_of(sites), minutes)
    true = _with_spills(scene, sites, middle, rivers, scene.changed(sites, minutes, true))
    shown = {factor: true[factor] for factor in dissolved}
    return true | noisy(shown, minutes, sites, stream=Stream.WATER, seed=scene.seed, share=0.02)


def _dissolved(
    scene: Scene, sites: tuple[Site, ...], minutes: Ints, weather: Weather, rivers: Rivers
) -> dict[str, Floats]:
    body = [body_of(site) for site in sites]
    wet = np.clip(scene.soaked(minutes, 18.0) / 25.0, 0.0, 1.0)
    comes = np.exp(0.14 * _from_above(scene, sites, minutes, rivers))
    cold, warm = 1.0 - weather.summer, weather.summer
    lake = column([float(site.setting["water"] == "lake") for site in sites])
    runoff = wet * (1.0 - 0.7 * lake)
    algae = (2.0 + 7.0 * warm * (1.0 - 0.3 * runoff)) * column([4.0 * one.phosphorus / 0.05 for one in body]) * comes
    return {
        "EC": (210.0 + 260.0 * column([one.organic / 3.4 for one in body])) * (1.0 - 0.25 * runoff) * comes**0.5,
        "NTU": (6.0 + 70.0 * runoff) * comes,
        "CODMn": column([one.organic for one in body]) * (1.0 + 0.25 * runoff) * comes,
        "NH3-N": column([one.ammonia for one in body]) * (0.85 + 0.4 * cold) * (1.0 + 0.3 * runoff) * comes,
        "TP": column([one.phosphorus for one in body]) * (1.0 + 0.5 * runoff) * comes,
        "TN": column([one.nitrogen for one in body]) * (0.82 + 0.25 * cold) * (1.0 + 0.05 * runoff) * comes**0.5,
        "Chla": algae,
        "algae": 1.2e6 * algae / 4.0,
        "SD": 2.6 / (1.0 + 0.08 * algae + 0.4 * runoff),
    }


def _from_above(scene: Scene, sites: tuple[Site, ...], minutes: Ints, rivers: Rivers) -> Floats:
    """Return a slow change between -1 and 1 that begins at the head of each river and comes down with the water."""
    curves = np.zeros((len(minutes), len(sites)))
    for number, site in enumerate(sites):
        head, hours = rivers.head(site.id)
        key = np.array([[key_of(head)]], dtype=np.int64)
        curves[:, number] = smooth(scene.seed, Stream.RIVER, key, minutes - round(hours * 60), 1440)[:, 0]
    return curves


def _physics(scene: Scene, sites: tuple[Site, ...], minutes: Ints, weather: Weather) -> dict[str, Floats]:
    offset = smooth(scene.seed, Stream.WATER_SITE, keys_of(sites), minutes, 2880)
    lake = column([float(site.setting["water"] == "lake") for site in sites])
    hills = column([0.05 if body_of(site) in {_CLEAN, _LAKE_CLEAN} else 0.0 for site in sites])
    season = 18.0 + 9.5 * (2.0 * weather.summer - 1.0) + 1.0 * weather.sun
    temperature = season + 0.7 * offset - 20.0 * hills
    saturation = 468.0 / (31.6 + temperature)
    oxygen = saturation * (0.87 + hills + (0.07 + 0.05 * lake) * weather.sun + 0.02 * offset)
    acid = 7.35 + 0.3 * weather.sun * (0.6 + lake) + 0.1 * offset
    acid = acid + 0.02 * bell(scene.seed, Stream.WATER_SITE + 2, keys_of(sites), minutes)
    return {"wtemp": temperature, "DO": oxygen, "pH": acid}


def _moving(scene: Scene, sites: tuple[Site, ...], minutes: Ints) -> dict[str, Floats]:
    """Return flow, level and gates: sluices open at low tide."""
    wet = scene.soaked(minutes, 24.0)
    keys = keys_of(sites)
    size = 4.0 + (keys % 61) / 2.0
    gated = column([float(bool(site.setting.get("gate"))) for site in sites]) > 0
    low = np.cos(2.0 * np.pi * (minutes / TIDE_MINUTES)) < -0.2  # noqa: PLR2004  the lower two fifths of the tide
    swell = 1.0 + 0.12 * smooth(scene.seed, Stream.WATER_SITE + 1, keys, minutes, 600)
    river = size * swell * (1.0 + 0.06 * wet)
    flow = np.where(gated, np.where(low, 2.4 * river, 0.0), river)
    opening = np.where(low, 60.0 + 0.0 * river, 0.0 * river)
    return {"flow": flow, "level": 2.0 + 0.02 * river + 0.4 * gated * (~low), "gate": opening}


def _with_spills(
    scene: Scene, sites: tuple[Site, ...], minutes: Ints, rivers: Rivers, true: Mapping[str, Floats]
) -> dict[str, Floats]:
    """Return the truth with spills that pass: later and thinner downstream."""
    found = {factor: np.array(np.broadcast_to(values, (len(minutes), len(sites)))) for factor, values in true.items()}
    if not len(minutes):
        return found
    first, last = bounds(minutes)
    for one in scene.playing(first - round(rivers.longest * HOUR_MS), last, frozenset({StoryKind.SPILL})):
        times = {site: (ms, share) for origin in one.sites for site, ms, share in arrivals(rivers, origin, one.start)}
        for number, site in enumerate(sites):
            if site.id in times:
                start, share = times[site.id]
                course = share * strength(start, one.plot, minutes)[:, 0]
                for factor, size in one.plot.factors.items():
                    found[factor][:, number] = np.maximum(found[factor][:, number] + size * course, 0.0)
    return found


def arrivals(rivers: Rivers, origin: str, start_ms: int) -> tuple[tuple[str, int, float], ...]:
    """Return section, time of the front [ms UTC] and share of a spill, its own section first."""
    return tuple(
        (site, start_ms + round(hours * 60) * MINUTE_MS, float(np.exp(-hours / FADING_H)))
        for site, hours in rivers.reached(origin).items()
    )
