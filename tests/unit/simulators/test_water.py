from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sensors.clock import DAY_MS, HOUR_MS, MINUTE_MS
from sensors.registry import Site
from simulators.chance import Floats, Ints
from simulators.scene import Scene
from simulators.stories import Script, StoryKind, load_script
from simulators.water import arrivals, readings, rivers_of
from tests.region_cases import JULY, NOVEMBER, shangyu

QUIET = Scene(registry=shangyu(), seed=1, script=Script(calibration=load_script().calibration, stories=()))
SITES = shangyu().of_kind("water")
LIMITS = {
    "II": {"CODMn": 4.0, "NH3-N": 0.5, "TP": 0.1},
    "III": {"CODMn": 6.0, "NH3-N": 1.0, "TP": 0.2},
}
"""GB 3838 table 1, rivers. [mg/L]"""
LAKES = {"II": {"CODMn": 4.0, "NH3-N": 0.5, "TP": 0.025}, "III": {"CODMn": 6.0, "NH3-N": 1.0, "TP": 0.05}}
OXYGEN = {"II": 6.0, "III": 5.0}


def told(*names: str) -> Scene:
    stories = tuple(plot for plot in load_script().stories if plot.id in names)
    return replace(QUIET, script=Script(calibration=load_script().calibration, stories=stories))


def hours(end: int, days: int = 20) -> Ints:
    first = (end - days * DAY_MS) // MINUTE_MS // 60 * 60
    return np.arange(first, first + days * 1440, 60, dtype=np.int64)[:, np.newaxis]


def number(name: str) -> int:
    return next(place for place, site in enumerate(SITES) if site.id == name)


def classed(site: Site) -> str:
    """Return the class to keep; the bay and whatever has no target: III."""
    return site.setting["target"] or "III"


@pytest.mark.parametrize("end", [JULY, NOVEMBER, NOVEMBER + 60 * DAY_MS])
def test_without_a_story_every_section_keeps_its_class_also_in_rain(end: int) -> None:
    found = readings(told("front"), SITES, hours(end), 60)
    for place, site in enumerate(SITES):
        limits = (LAKES if site.setting["water"] == "lake" else LIMITS)[classed(site)]
        for factor, limit in limits.items():
            assert float(found[factor][:, place].max()) <= limit, (site.id, factor)
        assert float(found["DO"][:, place].min()) >= OXYGEN[classed(site)], site.id
        assert 6.5 < float(found["pH"][:, place].min()) < float(found["pH"][:, place].max()) < 8.5
        if site.station_class == "bay_entry":
            assert float(found["TN"][:, place].max()) < 2.0, site.id


def test_rain_brings_phosphorus_and_mud_into_rivers() -> None:
    scene = told("front")
    found, wet = readings(scene, SITES, hours(NOVEMBER), 60), scene.soaked(hours(NOVEMBER), 18.0)[:, 0]
    river = [place for place, site in enumerate(SITES) if site.station_class == "river_section"]
    for factor, times in (("TP", 1.25), ("NTU", 3.0)):
        assert found[factor][wet > 20][:, river].mean() > times * found[factor][wet < 2][:, river].mean()
    assert found["flow"][wet > 20][:, river].mean() > 1.5 * found["flow"][wet < 2][:, river].mean()


def test_oxygen_and_acidity_rise_in_the_afternoon() -> None:
    found, weather = readings(QUIET, SITES, hours(JULY), 60), QUIET.weather(hours(JULY) + 30)
    noon, night = weather.sun[:, 0] > 0.6, weather.sun[:, 0] == 0
    for factor, more in (("DO", 0.3), ("pH", 0.1)):
        assert found[factor][noon].mean() > found[factor][night].mean() + more


def test_the_cold_season_has_more_oxygen_and_more_nitrogen_than_the_warm_one() -> None:
    cold, warm = (readings(QUIET, SITES, hours(end), 60) for end in (NOVEMBER + 60 * DAY_MS, JULY))
    for factor in ("DO", "TN", "NH3-N"):
        assert cold[factor].mean() > 1.15 * warm[factor].mean()
    assert warm["Chla"].mean() > 2 * cold["Chla"].mean()


def test_what_happens_upstream_is_seen_downstream_after_the_hours_of_travel() -> None:
    found = readings(QUIET, SITES, hours(NOVEMBER, 40), 60)["CODMn"]
    upper, lower = found[:, number("SYN-WA14")], found[:, number("SYN-WA16")]
    at_once = float(np.corrcoef(upper, lower)[0, 1])
    later = float(np.corrcoef(upper[:-18], lower[18:])[0, 1])
    assert later > at_once


def test_sluices_open_at_low_tide_and_nothing_flows_while_they_are_shut() -> None:
    found = readings(QUIET, SITES, hours(NOVEMBER), 60)
    for place, site in enumerate(SITES):
        shut = found["gate"][:, place] == 0
        if site.setting["gate"]:
            assert 0.4 < shut.mean() < 0.8
            assert (found["flow"][shut, place] == 0).all()
            assert (found["flow"][~shut, place] > 0).all()
        else:
            assert (found["flow"][:, place] > 0).all()


def spill() -> tuple[Scene, dict[str, tuple[int, float]], int]:
    scene = told("spill")
    one = next(
        one
        for one in scene.playing(NOVEMBER - 12 * DAY_MS, NOVEMBER, frozenset({StoryKind.SPILL}))
        if one.sites == ("SYN-WA14",)
    )
    found = arrivals(rivers_of(scene), "SYN-WA14", one.start)
    return scene, {site: (ms, share) for site, ms, share in found}, one.plot.minutes


def test_the_peak_of_a_spill_reaches_each_section_at_its_travel_time_and_ever_thinner() -> None:
    scene, passed, length = spill()
    assert list(passed) == ["SYN-WA14", "SYN-WA15", "SYN-WA16", "SYN-WH02"]
    begin = passed["SYN-WA14"][0]
    assert [(ms - begin) // HOUR_MS for ms, _ in passed.values()] == [0, 8, 18, 23]
    first = begin // MINUTE_MS - 24 * 60
    fine = np.arange(first, first + 72 * 60, 10, dtype=np.int64)[:, np.newaxis]
    more = readings(scene, SITES, fine, 10)["NH3-N"] - readings(QUIET, SITES, fine, 10)["NH3-N"]
    peaks = []
    for site, (ms, share) in passed.items():
        curve: Floats = more[:, number(site)]
        high = fine[curve > 0.9 * curve.max(), 0] * MINUTE_MS
        middle = ms + length * MINUTE_MS // 2
        assert abs(int(np.median(high)) - middle) <= 20 * MINUTE_MS, site
        assert float(curve.max()) == pytest.approx(4.2 * share, rel=0.12)
        assert float(np.abs(curve[(fine[:, 0] + 10) * MINUTE_MS <= ms]).max()) < 0.01
        peaks.append(float(curve.max()))
    assert peaks == sorted(peaks, reverse=True)


def test_a_spill_is_seen_nowhere_but_downstream() -> None:
    scene, passed, _ = spill()
    span = hours(NOVEMBER, 12)
    for factor in ("NH3-N", "DO", "EC"):
        more = np.abs(readings(scene, SITES, span, 60)[factor] - readings(QUIET, SITES, span, 60)[factor])
        untouched = [place for place, site in enumerate(SITES) if site.id.startswith("SYN-WA0") or not site.synthetic]
        assert float(more[:, untouched].max()) == 0.0
        assert float(more[:, number("SYN-WH02")].max()) > 0.0
    assert "dazha" not in passed


def test_no_time_has_no_water() -> None:
    assert readings(told("spill", "front"), SITES, hours(NOVEMBER)[:0], 60)["TP"].shape == (0, len(SITES))
