"""Air of the simulated region: six pollutants that hang together as they do outside.

No model of chemistry: curves that give the right company (PM2.5 inside PM10, NO2 with the rush
hours, ozone eaten by NO2 at night) and the right size. All numbers here are made up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sensors.registry import Site, StationClass
from simulators.chance import Floats, Ints, Stream, bell, key_of, smooth
from simulators.scene import Scene
from simulators.weather import Weather

AIR_FACTORS = ("PM2.5", "PM10", "SO2", "NO2", "CO", "O3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What stands round a station, against an urban one of 1."""

    dust: float
    traffic: float
    industry: float
    ozone: float
    particles: float


SURROUNDINGS: Mapping[StationClass, Surroundings] = {
    StationClass.URBAN: Surroundings(dust=1.0, traffic=1.0, industry=1.0, ozone=1.0, particles=1.0),
    StationClass.TOWNSHIP: Surroundings(dust=0.9, traffic=0.6, industry=0.8, ozone=1.05, particles=0.95),
    StationClass.DEVELOPMENT_ZONE: Surroundings(dust=1.5, traffic=1.1, industry=2.2, ozone=1.12, particles=1.1),
    StationClass.CLEAN_AIR: Surroundings(dust=0.4, traffic=0.25, industry=0.5, ozone=1.05, particles=0.6),
    StationClass.LOGISTICS: Surroundings(dust=1.6, traffic=1.9, industry=1.0, ozone=0.92, particles=1.1),
    StationClass.PHOTOCHEMICAL: Surroundings(dust=0.9, traffic=0.7, industry=1.4, ozone=1.2, particles=0.95),
    StationClass.BACKGROUND: Surroundings(dust=0.6, traffic=0.3, industry=0.7, ozone=1.08, particles=0.8),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Columns [1, E], one for each station."""

    keys: Ints
    dust: Floats
    traffic: Floats
    industry: Floats
    ozone: Floats
    particles: Floats


def readings(scene: Scene, sites: tuple[Site, ...], minutes: Ints, period: int) -> dict[str, Floats]:
    """Return what the analysers show [T, E] at minutes [T, 1], in canonical units."""
    places = places_of([site.station_class for site in sites], [key_of(site.id) for site in sites])
    middle = minutes + period // 2
    true = scene.changed(sites, minutes, air_at(middle, scene.weather(middle), places, scene.seed))
    shown = {
        factor: measured(true[factor], number, minutes, places, scene.seed) for number, factor in enumerate(AIR_FACTORS)
    }
    # one sampler sees both, so its noise on PM10 must not bring it below PM2.5
    return shown | {"PM10": np.maximum(shown["PM10"], shown["PM2.5"] + 1.0)}


def places_of(classes: Sequence[str], keys: Sequence[int]) -> Places:
    """Return the surroundings of stations as columns."""
    found = [SURROUNDINGS[StationClass(station_class)] for station_class in classes]
    columns = {
        name: np.array([[getattr(one, name) for one in found]], dtype=np.float64) for name in Surroundings.__slots__
    }
    return Places(keys=np.array([keys], dtype=np.int64), **columns)


def air_at(minutes: Ints, weather: Weather, places: Places, seed: int) -> dict[str, Floats]:
    """Return the true concentrations [T, E] of minutes [T, 1], in canonical units, before any story."""
    thin = _dilution(weather)
    wander = 0.16 * smooth(seed, Stream.REGION, np.zeros((1, 1), dtype=np.int64), minutes, 360)
    local = np.exp(wander + 0.14 * smooth(seed, Stream.SITE, places.keys, minutes, 90))
    winter = 1.0 - weather.summer
    washed = 1.0 - 0.6 * np.clip(weather.rain / 5.0, 0.0, 1.0)
    gather = 1.0 + weather.stagnation * (0.5 + 1.1 * winter)
    fine = (9.0 + 13.0 * winter) * thin * gather * washed * places.particles * local
    rush = _rush(weather)
    dry = 1.0 + 0.4 * smooth(seed, Stream.COARSE, places.keys, minutes, 180)
    coarse = places.dust * (9.0 + 12.0 * rush) * dry * washed + 0.15 * fine
    nitrogen = (9.0 + 9.0 * winter) * places.traffic * thin * (0.6 + 0.8 * rush) * (1.0 + 0.5 * weather.stagnation)
    nitrogen = nitrogen * (1.0 - 0.3 * weather.sun) * local
    return {
        "PM2.5": fine,
        "PM10": fine + coarse,
        "SO2": (3.5 + 2.0 * winter) * (0.5 + 0.5 * places.industry) * np.sqrt(thin) * local,
        "NO2": nitrogen,
        "CO": 0.32 + 0.0045 * fine + 0.0035 * nitrogen,
        "O3": _ozone(minutes, weather, places, nitrogen, seed),
    }


def _dilution(weather: Weather) -> Floats:
    """Return how much the air holds back against a fair day of 1: shallow and still is more."""
    depth = (600.0 / weather.mixing_height) ** 0.35
    drift = (2.6 / (weather.wind_speed + 0.4)) ** 0.45
    return np.asarray(np.clip(depth * drift, 0.5, 2.6))


def _rush(weather: Weather) -> Floats:
    morning, evening = ((weather.hour - 7.8) / 1.4) ** 2, ((weather.hour - 17.9) / 1.8) ** 2
    daytime = 0.35 * np.exp(-(((weather.hour - 13.0) / 5.0) ** 4))
    return np.asarray((np.exp(-morning) + np.exp(-evening) + daytime) * (1.0 - 0.25 * weather.weekend))


def _ozone(minutes: Ints, weather: Weather, places: Places, nitrogen: Floats, seed: int) -> Floats:
    ground = (42.0 + 18.0 * weather.summer) * (0.75 + 0.25 * places.ozone)
    made = weather.sun * (45.0 + 60.0 * weather.summer) * places.ozone * (1.0 + 0.55 * weather.sunshine)
    eaten = 0.6 * nitrogen * (1.0 - 0.6 * weather.sun)
    drift = 1.0 + 0.06 * smooth(seed, Stream.OZONE, places.keys, minutes, 120)
    return np.asarray(np.clip((ground + made) * drift - eaten, 3.0, None))


def measured(true: Floats, factor: int, minutes: Ints, places: Places, seed: int) -> Floats:
    """Return what an analyser makes of the truth: 2.5 % noise and a little more, never below zero."""
    noise = bell(seed, Stream.PARTICLES + factor, places.keys, minutes)
    return np.asarray(np.clip(true * (1.0 + 0.025 * noise), 0.0, None))
