from __future__ import annotations

from dataclasses import replace

import numpy as np

from sensors.clock import DAY_MS, MINUTE_MS
from simulators.chance import Ints
from simulators.scene import Scene
from simulators.stories import Script, load_script
from simulators.surroundings import ecoflow, meteo, noise
from tests.region_cases import JULY, NOVEMBER, shangyu

QUIET = Scene(registry=shangyu(), seed=1, script=Script(calibration=load_script().calibration, stories=()))
RAINY = replace(
    QUIET,
    script=Script(
        calibration=load_script().calibration, stories=tuple(p for p in load_script().stories if p.id == "front")
    ),
)
NIGHT = {"0": 40.0, "1": 45.0, "2": 50.0, "3": 55.0, "4a": 55.0, "4b": 60.0}
DAY = {"0": 50.0, "1": 55.0, "2": 60.0, "3": 65.0, "4a": 70.0, "4b": 70.0}
"""GB 3096-2008 table 1. [dB(A)]"""


def span(step: int, days: int = 5, end: int = NOVEMBER) -> Ints:
    first = (end - days * DAY_MS) // MINUTE_MS // 60 * 60
    return np.arange(first, first + days * 1440, step, dtype=np.int64)[:, np.newaxis]


def test_each_zone_keeps_its_limits_by_day_and_by_night_and_is_louder_by_day() -> None:
    sites = shangyu().of_kind("noise")
    found, hour = noise(QUIET, sites, span(1), 1), (span(1)[:, 0] // 60 + 8) % 24
    energy = 10 ** (found["Leq"] / 10)
    night = (hour >= 22) | (hour < 6)
    for place, site in enumerate(sites):
        by_day, by_night = (10 * np.log10(energy[when, place].mean()) for when in (~night, night))
        assert by_day < DAY[site.setting["zone"]]
        assert by_night < NIGHT[site.setting["zone"]]
        assert by_day > by_night + 5
    assert (found["Lmax"] > found["Leq"]).all()


def test_the_river_has_more_than_its_minimum_without_a_story_and_more_after_rain() -> None:
    sites = shangyu().of_kind("ecoflow")
    found, wet = ecoflow(RAINY, sites, span(10), 10), RAINY.soaked(span(10), 30.0)
    assert float(found["flow"].min()) > float(sites[0].setting["minimum"])
    assert found["flow"][wet > 20].mean() > 1.3 * found["flow"][wet < 2].mean()
    assert float(np.corrcoef(found["flow"][:, 0], found["level"][:, 0])[0, 1]) > 0.95


def test_weather_stations_see_the_one_weather_with_small_differences() -> None:
    sites = shangyu().of_kind("meteo")
    found, weather = meteo(RAINY, sites, span(1, end=JULY), 1), RAINY.weather(span(1, end=JULY))
    hills = next(place for place, site in enumerate(sites) if site.township == "岭南乡")
    assert found["temperature"][:, hills].mean() < found["temperature"].mean() - 1
    assert found["pressure"][:, hills].mean() < found["pressure"].mean()
    assert np.allclose(found["rain"].sum(axis=0), weather.rain.sum() / 60)
    assert float(np.corrcoef(found["wind_speed"][:, 0], weather.wind_speed[:, 0])[0, 1]) > 0.85
    assert 95 < float(found["pressure"].min()) < float(found["pressure"].max()) < 105
