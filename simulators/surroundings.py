"""The small networks: noise of the zones, flow of a brook, and the weather as stations see it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sensors.registry import Site
from simulators.chance import Floats, Ints, Stream, bell, ease, smooth
from simulators.scene import Scene, column, keys_of

_HOUR = 60
ZONES: Mapping[str, tuple[float, float]] = {
    "0": (45.0, 35.5), "1": (50.0, 40.5), "2": (54.0, 45.0), "3": (59.0, 49.5), "4a": (64.0, 50.0), "4b": (63.0, 54.0),
}  # fmt: skip
"""Zone of GB 3096 → usual level by day and by night; made up, some dB below the limits. [dB(A)]"""
BROOK_FLOW = 19.0
"""Usual flow of the ecological-flow section. [m³/s]"""


def noise(scene: Scene, sites: tuple[Site, ...], minutes: Ints, period: int) -> dict[str, Floats]:
    """Return what the noise points hear [T, E]: loud by day, quiet from 22:00 to 06:00 [dB(A)]."""
    hour = scene.weather(minutes + period // 2).hour
    by_day, by_night = (column([ZONES[str(site.setting["zone"])][part] for site in sites]) for part in (0, 1))
    awake = ease((hour - 5.7) / 0.8) * ease((22.0 - hour) / 0.8)
    keys = keys_of(sites)
    street = 1.5 * smooth(scene.seed, Stream.STREET, keys, minutes, 30) + 0.5 * bell(
        scene.seed, Stream.NOISE, keys, minutes
    )
    found = scene.changed(sites, minutes, {"Leq": by_night + (by_day - by_night) * awake + street})
    peak = 7.0 + 2.0 * np.abs(bell(scene.seed, Stream.NOISE + 1, keys, minutes))
    return found | {"Lmax": found["Leq"] + peak}


def ecoflow(scene: Scene, sites: tuple[Site, ...], minutes: Ints, period: int) -> dict[str, Floats]:
    """Return flow [m³/s] and level [m] of ecological-flow sections, [T, E]."""
    middle = minutes + period // 2
    swell = 1.0 + 0.12 * smooth(scene.seed, Stream.BROOK, keys_of(sites), middle, 1440)
    flow = BROOK_FLOW * swell * (1.0 + 0.04 * scene.soaked(middle, 30.0))
    found = scene.changed(sites, minutes, {"flow": flow})
    return found | {"level": 0.9 + 0.35 * np.sqrt(found["flow"])}


def meteo(scene: Scene, sites: tuple[Site, ...], minutes: Ints, period: int) -> dict[str, Floats]:
    """Return what weather stations show [T, E]: the one weather with small differences of place.

    Pressure in kPa, rain in mm of the interval.
    """
    weather = scene.weather(minutes + period // 2)
    keys = keys_of(sites)
    local = smooth(scene.seed, Stream.STATION, keys, minutes, 120)
    hills = column([2.5 if site.lat < 29.85 else 0.0 for site in sites])  # noqa: PLR2004  the hills of the south
    gust = 1.0 + 0.1 * bell(scene.seed, Stream.STATION + 1, keys, minutes)
    turned = weather.wind_from + 8.0 * bell(scene.seed, Stream.STATION + 2, keys, minutes)
    shape = np.zeros((len(minutes), len(sites)))
    return scene.changed(
        sites, minutes,
        {
            "wind_speed": np.clip(weather.wind_speed * gust * (1.0 + 0.1 * local), 0.0, None),
            "wind_dir": np.asarray(turned % 360.0),
            "temperature": weather.temperature + 0.6 * local - hills,
            "humidity": np.clip(weather.humidity + 3.0 * local, 10.0, 100.0),
            "pressure": (weather.pressure - 12.0 * hills) / 10.0 + shape,
            "rain": weather.rain * period / _HOUR + shape,
        },
    )  # fmt: skip
