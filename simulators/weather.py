"""Weather of the simulated region, minute by minute: seasons, days, episodes and chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sensors.clock import DAY_MS, MINUTE_MS
from simulators.chance import Floats, Ints, Stream, smooth
from simulators.stories import Script, StoryKind, strength

DAY_MINUTES = DAY_MS // MINUTE_MS
BEIJING_MINUTES = 8 * 60
YEAR_DAYS = 365.2425
COLDEST_DAY = 20
"""Day of the year at which the season turns: 20 January."""
_ALONE: Ints = np.zeros((1, 1), dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """Columns [T, 1], one row a minute."""

    hour: Floats
    """Hour of the Beijing day with its fraction."""
    weekend: Floats
    """1 on Saturday and Sunday, else 0."""
    summer: Floats
    """0 in the depth of winter to 1 in the height of summer."""
    sun: Floats
    """Strength of the sun with the lag of the afternoon, 0 to 1."""
    stagnation: Floats
    """0 to 1."""
    sunshine: Floats
    """How far ozone formation is favoured, 0 to 1."""
    rain: Floats
    """[mm/h]."""
    wind_speed: Floats
    """[m/s]."""
    wind_from: Floats
    """Direction from which it blows. [degrees clockwise from north]"""
    mixing_height: Floats
    """[m]."""
    temperature: Floats
    """[°C]."""
    humidity: Floats
    """[%]."""
    pressure: Floats
    """[hPa]."""


def weather_at(minutes: Ints, seed: int, script: Script) -> Weather:
    """Return the weather of minutes since 1970 [T, 1], ascending by one."""
    local = minutes + BEIJING_MINUTES
    hour = (local % DAY_MINUTES) / 60.0
    day = local // DAY_MINUTES
    summer = 0.5 - 0.5 * np.cos(2.0 * np.pi * (local / DAY_MINUTES - COLDEST_DAY) / YEAR_DAYS)
    episode = _episodes(minutes, script)
    stagnation, sunshine, front = (
        episode(kind) for kind in (StoryKind.STAGNATION, StoryKind.SUNSHINE, StoryKind.FRONT)
    )
    shower = np.clip(smooth(seed, Stream.SHOWER, _ALONE, minutes, 540) - 0.7, 0.0, 0.3) * 10.0
    rain = 5.0 * front + shower * (1.0 - stagnation) * (1.0 - sunshine)
    arc = np.clip(np.sin(np.pi * (hour - 7.5) / (11.5 + 2.0 * summer)), 0.0, 1.0) * (hour > 7.5)  # noqa: PLR2004  sunrise with its lag
    sun = arc**1.3 * (0.65 + 0.35 * summer) * (1.0 - 0.6 * np.clip(rain / 5.0, 0.0, 1.0))
    gust = smooth(seed, Stream.WIND, _ALONE, minutes, 360) + 0.3 * smooth(seed, Stream.WIND, _ALONE, minutes, 20)
    speed = np.clip((2.6 + 0.9 * gust + 0.6 * sun) * (1.0 - 0.75 * stagnation) * (1.0 + 1.2 * front), 0.2, None)
    temperature = 18.4 + 11.5 * (2.0 * summer - 1.0) + 7.0 * (sun - 0.3) - 4.0 * front
    temperature += 2.0 * smooth(seed, Stream.HEAT, _ALONE, minutes, 1440)
    return Weather(
        hour=hour,
        weekend=((day + 3) % 7 >= 5).astype(np.float64),  # noqa: PLR2004  1970-01-01 was a Thursday
        summer=summer,
        sun=sun,
        stagnation=stagnation,
        sunshine=sunshine,
        rain=rain,
        wind_speed=speed,
        wind_from=_direction(minutes, seed, hour, summer, front),
        mixing_height=(190.0 + (520.0 + 520.0 * summer) * sun) * (1.0 - 0.45 * stagnation) * (1.0 + 0.8 * front),
        temperature=temperature,
        humidity=np.clip(78.0 - 28.0 * sun + 12.0 * front + 2.0 * rain, 20.0, 100.0),
        pressure=1026.0 - 20.0 * summer + 6.0 * front + 4.0 * smooth(seed, Stream.PRESSURE, _ALONE, minutes, 2160),
    )


def _episodes(minutes: Ints, script: Script) -> Callable[[StoryKind], Floats]:
    bounds = (int(minutes[0, 0]) * MINUTE_MS, (int(minutes[-1, 0]) + 1) * MINUTE_MS) if len(minutes) else (0, 0)

    def of(kind: StoryKind) -> Floats:
        total = np.zeros(minutes.shape)
        for plot in script.stories:
            if plot.kind is kind:
                for _, start in plot.starts(*bounds):
                    total += plot.size * strength(start, plot, minutes)
        return np.clip(total, 0.0, 1.0)

    return of


def _direction(minutes: Ints, seed: int, hour: Floats, summer: Floats, front: Floats) -> Floats:
    """Return north-west in winter and after a front, south-east in summer, and a breeze from the bay by day."""
    swing = 50.0 * smooth(seed, Stream.DIRECTION, _ALONE, minutes, 480)
    season = np.deg2rad(315.0 - 180.0 * summer * (1.0 - front) + swing)
    breeze = 0.5 * np.cos(2.0 * np.pi * (hour - 14.0) / 24.0)
    north, east = np.cos(season) + breeze, np.sin(season)
    return np.asarray(np.rad2deg(np.arctan2(east, north)) % 360.0)
