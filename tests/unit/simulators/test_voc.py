from __future__ import annotations

from dataclasses import replace

import numpy as np

from sensors.clock import DAY_MS, MINUTE_MS
from simulators.chance import Floats, Ints
from simulators.scene import Scene
from simulators.stories import Script, load_script
from simulators.voc import LAYERS, SHARES, firm_of, readings
from tests.region_cases import JULY, shangyu

QUIET = Scene(registry=shangyu(), seed=1, script=Script(calibration=load_script().calibration, stories=()))
STILL = replace(
    QUIET,
    script=Script(
        calibration=load_script().calibration,
        stories=tuple(plot for plot in load_script().stories if plot.id == "stagnation"),
    ),
)
SITES = shangyu().of_kind("voc")
LIMITS = {"NMHC": 4.0, "H2S": 0.06, "NH3": 1.5, "CH3SH": 0.007, "styrene": 5.0}
"""GB 16297 table 2 and GB 14554 table 1 grade 2, at the boundary. [mg/m³]"""


def span(days: int = 5) -> Ints:
    first = (JULY - days * DAY_MS) // MINUTE_MS
    return np.arange(first, first + days * 1440, 5, dtype=np.int64)[:, np.newaxis]


def of_layer(name: str) -> list[int]:
    return [number for number, site in enumerate(SITES) if site.setting["layer"] == name]


def shown(scene: Scene = QUIET) -> dict[str, Floats]:
    return readings(scene, SITES, span(), 1)


def test_workshops_have_most_and_the_boundary_least() -> None:
    organic = shown()["NMHC"]
    means = [float(organic[:, of_layer(name)].mean()) for name in ("workshop", "warehouse", "plant_open", "boundary")]
    assert means == sorted(means, reverse=True)
    assert set(LAYERS) == {site.setting["layer"] for site in SITES}


def test_without_a_story_nothing_at_a_boundary_is_over_a_limit_not_even_in_stagnant_air() -> None:
    for scene in (QUIET, STILL):
        found = shown(scene)
        for factor, limit in LIMITS.items():
            assert float(found[factor][:, of_layer("boundary")].max()) < limit, factor
        assert float(found["NMHC"][:, of_layer("plant_open")].max()) < 6.0


def test_wind_thins_outside_far_more_than_inside() -> None:
    found, wind = shown(), QUIET.weather(span()).wind_speed[:, 0]
    calm, windy = wind < np.quantile(wind, 0.2), wind > np.quantile(wind, 0.8)
    ratio = {
        name: found["NMHC"][calm][:, of_layer(name)].mean() / found["NMHC"][windy][:, of_layer(name)].mean()
        for name in ("boundary", "workshop")
    }
    assert ratio["boundary"] > 1.2 * ratio["workshop"]


def test_the_boundary_downwind_has_more_than_the_one_upwind() -> None:
    found, weather = shown()["NMHC"], QUIET.weather(span())
    north, south = (
        [n for n, site in enumerate(SITES) if site.name_zh.endswith(f"{side}厂界（模拟）")] for side in "北南"
    )
    from_south = np.abs((weather.wind_from[:, 0] - 180.0 + 180.0) % 360.0 - 180.0) < 40.0
    assert from_south.any()
    assert found[from_south][:, north].mean() > 1.5 * found[from_south][:, south].mean()


def test_the_working_day_has_more_than_the_night_inside() -> None:
    found, hour = shown()["NMHC"][:, of_layer("workshop")], QUIET.weather(span()).hour[:, 0]
    assert found[np.abs(hour - 14) < 3].mean() > 1.2 * found[hour < 4].mean()


def test_a_point_shows_the_same_when_other_firms_or_its_neighbours_are_not_asked() -> None:
    few = SITES[20:22]
    alone = readings(QUIET, few, span(1), 1)
    for factor, values in readings(QUIET, SITES, span(1), 1).items():
        assert np.array_equal(alone[factor], values[:, 20:22]), factor


def test_firms_differ_in_what_they_use_and_not_in_how_much_of_it_is_hydrocarbon() -> None:
    found = shown()
    assert set(SHARES) | {"wind_speed", "wind_dir"} == set(found)
    benzene = found["benzene"].mean(axis=0) / found["NMHC"].mean(axis=0)
    by_firm = {firm_of(site): benzene[number] for number, site in enumerate(SITES)}
    assert len(by_firm) == 17
    assert max(by_firm.values()) > 1.5 * min(by_firm.values())
    assert np.allclose(found["TVOC"].mean(axis=0) / found["NMHC"].mean(axis=0), 1.25, atol=0.02)


def test_the_firms_masts_turn_with_the_one_wind() -> None:
    found, weather = shown(), QUIET.weather(span())
    apart = (found["wind_dir"] - weather.wind_from + 180.0) % 360.0 - 180.0
    assert float(np.abs(apart).max()) < 25.0
    assert float(np.corrcoef(found["wind_speed"][:, 0], weather.wind_speed[:, 0])[0, 1]) > 0.75
