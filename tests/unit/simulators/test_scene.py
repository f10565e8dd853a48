from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sensors.clock import DAY_MS, HOUR_MS, MINUTE_MS
from simulators.chance import Ints
from simulators.scene import Scene, bounds, column, keys_of, noisy, present
from simulators.stories import Script, StoryKind, load_script
from tests.region_cases import NOVEMBER, shangyu

SCENE = Scene(registry=shangyu(), seed=1, script=load_script())
SITES = shangyu().entries("SYN-U01") + shangyu().entries("SYN-D02")


def minutes(length: int, step: int = 1, start: int = NOVEMBER) -> Ints:
    first = start // MINUTE_MS
    return np.arange(first, first + length, step, dtype=np.int64)[:, np.newaxis]


def scripted(*names: str) -> Scene:
    found = tuple(plot for plot in load_script().stories if plot.id in names)
    return replace(SCENE, script=Script(calibration=load_script().calibration, stories=found))


def test_rain_that_fell_is_forgotten_by_a_third_in_its_time_and_is_the_same_in_every_cut() -> None:
    scene = scripted("front")
    span = minutes(5 * 1440, 60)
    whole, rain = scene.soaked(span, 10.0), scene.rain(span // 60)
    assert np.array_equal(scene.soaked(span[37:], 10.0), whole[37:])
    end = int(np.flatnonzero(rain[:, 0] > 1.0)[-1])
    if end + 10 < len(whole) and rain[end + 1 : end + 11].max() == 0.0:
        assert whole[end + 10, 0] / whole[end, 0] < np.exp(-0.9)
    assert (whole >= rain - 1e-12).all()


def test_no_time_is_not_soaked() -> None:
    assert SCENE.soaked(minutes(0), 10.0).shape == (0, 1)


def test_a_story_is_found_by_its_kind_and_only_with_sites_that_are_registered() -> None:
    found = list(SCENE.playing(NOVEMBER - 5 * DAY_MS, NOVEMBER, frozenset({StoryKind.SPILL})))
    assert {one.plot.id for one in found} == {"spill"}
    few = replace(SCENE, registry=replace(shangyu(), sites=SITES))
    kinds = {one.plot.kind for one in few.playing(NOVEMBER - 5 * DAY_MS, NOVEMBER)}
    assert StoryKind.SPILL not in kinds
    assert StoryKind.FRONT in kinds


def test_a_story_adds_at_its_sites_and_leaves_the_others() -> None:
    scene = scripted("night_release")
    (one, *_) = scene.playing(NOVEMBER - 5 * DAY_MS, NOVEMBER)
    middle = minutes(1, start=one.start + 100 * MINUTE_MS)
    found = scene.changed(SITES, middle, {"SO2": np.full((1, 2), 5.0)})
    assert found["SO2"].tolist() == [[5.0, 625.0]]


def test_a_drought_leaves_a_share() -> None:
    scene = scripted("low_flow")
    (one, *_) = scene.playing(NOVEMBER - 5 * DAY_MS, NOVEMBER)
    middle = minutes(1, start=one.start + 6 * HOUR_MS)
    found = scene.changed(shangyu().entries("SYN-E01"), middle, {"flow": np.full((1, 1), 20.0)})
    assert found["flow"].tolist() == [[pytest.approx(3.0)]]


def test_what_is_taken_away_leaves_nothing_below_zero() -> None:
    scene = scripted("algal_bloom")
    (one, *_) = scene.playing(NOVEMBER - 5 * DAY_MS, NOVEMBER)
    middle = minutes(1, start=one.start + 24 * HOUR_MS)
    lake = {name: np.full((1, 1), 0.3) for name in ("Chla", "algae", "DO", "SD", "TP")}
    found = scene.changed(shangyu().entries("SYN-WL02"), middle, lake)
    assert found["SD"].tolist() == [[0.0]]
    assert found["Chla"].tolist() == [[65.3]]


def test_helpers_make_columns_of_sites() -> None:
    assert present(SITES, ["SYN-D02"]).tolist() == [[0.0, 1.0]]
    assert column([1.0, 2.0]).shape == keys_of(SITES).shape == (1, 2)
    assert present((), ["A"]).shape == keys_of(()).shape == (1, 0)
    assert bounds(minutes(0)) == (0, 0)
    assert bounds(minutes(2)) == (NOVEMBER, NOVEMBER + 2 * MINUTE_MS)


def test_devices_are_noisy_by_a_share_and_never_below_zero() -> None:
    true = {"a": np.full((2000, 2), 10.0), "b": np.zeros((2000, 2))}
    shown = noisy(true, minutes(2000), SITES, stream=500, seed=1, share=0.05)
    assert abs(float(shown["a"].std()) - 0.5) < 0.05
    assert float(shown["b"].max()) == 0.0
