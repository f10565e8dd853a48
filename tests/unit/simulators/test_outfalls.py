from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sensors.clock import BEIJING_OFFSET_MS, DAY_MS, HOUR_MS, MINUTE_MS
from simulators.chance import Ints
from simulators.outfalls import DRAIN_H, METER_DAYS, flow_at, readings, volume_at
from simulators.scene import Scene
from simulators.stories import Script, StoryKind, load_script
from tests.region_cases import JULY, NOVEMBER, shangyu

QUIET = Scene(registry=shangyu(), seed=1, script=Script(calibration=load_script().calibration, stories=()))
SITES = shangyu().of_kind("outfall")
LIMITS = {
    "plant": {"COD": 30.0, "NH3-N": 1.5, "TN": 15.0, "TP": 0.3},  # DB33/2169-2018
    "firm": {"COD": 200.0, "NH3-N": 20.0, "TN": 30.0, "TP": 1.5, "Sb": 0.10, "colour": 80.0},  # GB 4287 and the permits
    "sewage": {"COD": 500.0, "NH3-N": 35.0, "TP": 8.0},
    "rain": {"COD": 60.0, "NH3-N": 5.0, "TP": 0.5},
}


def told(*names: str) -> Scene:
    stories = tuple(plot for plot in load_script().stories if plot.id in names)
    return replace(QUIET, script=Script(calibration=load_script().calibration, stories=stories))


def tens(end: int, days: int = 10) -> Ints:
    first = (end - days * DAY_MS) // MINUTE_MS // 10 * 10
    return np.arange(first, first + days * 1440, 10, dtype=np.int64)[:, np.newaxis]


def of_use(use: str) -> list[int]:
    return [place for place, site in enumerate(SITES) if site.setting["use"] == use]


def number(name: str) -> int:
    return next(place for place, site in enumerate(SITES) if site.id == name)


@pytest.mark.parametrize("end", [JULY, NOVEMBER, NOVEMBER + 60 * DAY_MS])
def test_without_a_story_every_outlet_keeps_its_limits_also_in_rain(end: int) -> None:
    found = readings(told("front"), SITES, tens(end), 10)
    for use, limits in LIMITS.items():
        for factor, limit in limits.items():
            assert float(np.nanmax(found[factor][:, of_use(use)])) < limit, (use, factor)


def test_rain_water_outlets_run_in_rain_only_and_say_no_concentration_while_dry() -> None:
    scene = told("front")
    found, soaked = readings(scene, SITES, tens(NOVEMBER), 10), scene.soaked(tens(NOVEMBER) - 60, DRAIN_H)[:, 0]
    rain = of_use("rain")
    assert (found["flow"][soaked > 2][:, rain] > 1).all()
    assert (found["flow"][soaked == 0][:, rain] == 0).all()
    dry = found["flow"][:, rain] == 0
    assert np.isnan(found["COD"][:, rain][dry]).all()
    assert not np.isnan(found["COD"][:, rain][~dry]).any()
    assert 0.3 < dry.mean() < 0.99


def test_twelve_hours_after_the_rain_nothing_flows_that_is_not_let_out() -> None:
    scene, span = told("front", "stagnation"), tens(NOVEMBER, 20)
    fell = scene.weather(span + 5).rain[:, 0]
    dry = np.convolve(fell, np.ones(72))[: len(fell)] == 0.0
    dry[:72] = False
    assert dry.any()
    assert (readings(scene, SITES, span, 10)["flow"][dry][:, of_use("rain")] == 0.0).all()


def test_rain_raises_the_flow_of_plants_and_thins_it() -> None:
    span, plants = tens(NOVEMBER), of_use("plant")
    found, without = (readings(scene, SITES, span, 10) for scene in (told("front"), QUIET))
    wet = told("front").soaked(span, 10.0)[:, 0] - QUIET.soaked(span, 10.0)[:, 0] > 20
    assert wet.any()
    more, left = (found[name][wet][:, plants] / without[name][wet][:, plants] for name in ("flow", "COD"))
    assert 1.1 < more.min() <= more.max() < 2.0
    assert 0.7 < left.min() <= left.max() < 0.95


def test_plants_follow_the_day_of_the_town() -> None:
    flow, clock = readings(QUIET, SITES, tens(NOVEMBER), 10)["flow"][:, of_use("plant")], tens(NOVEMBER)[:, 0] // 60
    hour = (clock + 8) % 24
    assert flow[(hour >= 10) & (hour < 14)].mean() > 1.3 * flow[(hour >= 1) & (hour < 5)].mean()


def test_the_meter_adds_what_flows() -> None:
    span = tens(NOVEMBER, 3)
    found = readings(told("front", "plant_failure"), SITES, span, 10)
    added = np.diff(found["volume"], axis=0)
    flowed = found["flow"][1:] * 600 / 1000
    kept = added >= 0
    assert np.abs(added - flowed)[kept].max() < 0.05
    assert kept.mean() > 0.99


def test_a_meter_is_set_to_nothing_every_45_days_at_nine_and_at_no_other_time() -> None:
    first = (NOVEMBER - 100 * DAY_MS) // HOUR_MS * 60
    span = np.arange(first, first + 100 * 1440, 60, dtype=np.int64)[:, np.newaxis]
    volume = volume_at(QUIET, SITES, span)
    for place in of_use("plant"):
        back = np.flatnonzero(np.diff(volume[:, place]) < 0) + 1
        assert len(back) in {2, 3}
        assert set(np.diff(back)) == {METER_DAYS * 24}
        assert {int((m * MINUTE_MS + BEIJING_OFFSET_MS) % DAY_MS // HOUR_MS) for m in span[back, 0]} == {9}
        assert set(volume[back, place]) == {0.0}


def test_the_meter_reads_the_same_in_every_cut() -> None:
    span = tens(NOVEMBER, 2)
    whole = volume_at(told("front"), SITES, span)
    for cut in (1, 77, 200):
        assert np.array_equal(volume_at(told("front"), SITES, span[cut:]), whole[cut:])
        assert np.array_equal(volume_at(told("front"), SITES[:3], span[cut : cut + 5]), whole[cut : cut + 5, :3])


def test_flow_is_a_straight_line_between_the_hours() -> None:
    span = (NOVEMBER // MINUTE_MS + np.arange(61, dtype=np.int64))[:, np.newaxis]
    flow = flow_at(QUIET, SITES, span)
    assert np.allclose(flow[30], (flow[0] + flow[60]) / 2)
    assert np.allclose(flow[15], 0.75 * flow[0] + 0.25 * flow[60])


def test_a_discharge_in_dry_weather_flows_and_carries_what_the_story_says() -> None:
    scene = told("stagnation", "second_discharge")
    (one, *_) = scene.playing(NOVEMBER - 5 * DAY_MS, NOVEMBER, frozenset({StoryKind.DISCHARGE}))
    middle = (one.start // MINUTE_MS + one.plot.minutes // 2 // 10 * 10 + np.zeros(1, np.int64))[:, np.newaxis]
    found = readings(scene, SITES, middle, 10)
    here = number("SYN-OR05")
    assert found["rain"][0, here] == 0.0
    assert found["flow"][0, here] == pytest.approx(9.0)
    assert found["COD"][0, here] == pytest.approx(320.0, rel=0.15)
    assert found["NH3-N"][0, here] == pytest.approx(35.0, rel=0.15)
    others = [place for place in of_use("rain") if place != here]
    assert (found["flow"][0, others] == 0.0).all()


def test_sewage_in_rain_is_in_the_water_and_not_in_the_flow() -> None:
    scene, plain = told("front", "sewage_in_rain"), told("front")
    (one, *_) = scene.playing(NOVEMBER - 5 * DAY_MS, NOVEMBER, frozenset({StoryKind.SEWAGE}))
    middle = (one.start // MINUTE_MS + 300 // 10 * 10 + np.zeros(1, np.int64))[:, np.newaxis]
    found, without, here = (*(readings(s, SITES, middle, 10) for s in (scene, plain)), number("SYN-OR02"))
    assert found["flow"][0, here] == without["flow"][0, here] > 1.0
    assert found["COD"][0, here] - without["COD"][0, here] == pytest.approx(170.0, rel=0.12)


def test_no_time_has_no_outlet_and_no_outlet_no_time() -> None:
    assert readings(QUIET, SITES, tens(NOVEMBER)[:0], 10)["volume"].shape == (0, len(SITES))
    assert volume_at(QUIET, (), tens(NOVEMBER)).shape == (1440, 0)
