"""The script against the packets: what must be noticed can be seen in them, and nothing happens at a real name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from sensors.clock import DAY_MS, HOUR_MS, MINUTE_MS, beijing
from simulators.region import MEDIA, Region
from simulators.stories import Expect, Script, Story, StoryKind, load_script
from simulators.voc import firm_of
from tests.region_cases import CYCLE, JULY, NOVEMBER, at, flags, packets, region, shangyu, texts, values

SPAN = 7 * DAY_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a story must make visible in the middle of its time."""

    kind: str
    factor: str
    low: float
    """At least this, somewhere among its sites; `below`: at most."""
    below: bool = False


# limits: GB 3095 1 h; GB 14554 and GB 16297 at the boundary; GB 37822 A.1; GB 3838 class V; GB 18918 table 4; GB 4287;
# GB 3096; the rest a drill's own
TRUTH = {
    "straw_fire": Seen(kind="air", factor="PM2.5", low=150),
    "night_release": Seen(kind="air", factor="SO2", low=500),
    "corridor_rush": Seen(kind="air", factor="NO2", low=200),
    "boiler_start": Seen(kind="air", factor="NO2", low=200),
    "odour_night": Seen(kind="voc", factor="H2S", low=0.06),
    "open_air_leak": Seen(kind="voc", factor="NMHC", low=20),
    "boundary_release": Seen(kind="voc", factor="NMHC", low=4),
    "spill": Seen(kind="water", factor="NH3-N", low=2.0),
    "poisoned_source": Seen(kind="water", factor="biotox", low=50),
    "bay_nitrogen": Seen(kind="water", factor="TN", low=2.0),
    "algal_bloom": Seen(kind="water", factor="Chla", low=60),
    "plant_failure": Seen(kind="outfall", factor="NH3-N", low=10),
    "dry_discharge": Seen(kind="outfall", factor="flow", low=10),
    "second_discharge": Seen(kind="outfall", factor="flow", low=7),
    "sewage_in_rain": Seen(kind="outfall", factor="COD", low=100),
    "dye_works": Seen(kind="outfall", factor="Sb", low=0.1),
    "night_works": Seen(kind="noise", factor="Leq", low=55),
    "low_flow": Seen(kind="ecoflow", factor="flow", low=12.0, below=True),
    "treatment_stands": Seen(kind="operation", factor="treatment_power", low=5, below=True),
    "treatment_idles": Seen(kind="operation", factor="flow", low=6, below=True),
    "flow_no_power": Seen(kind="operation", factor="treatment_power", low=3, below=True),
    "bypass_opened": Seen(kind="operation", factor="vent", low=50),
    "bypass_used": Seen(kind="operation", factor="flow", low=800, below=True),
}


@cache
def sent(kind: str, end: int) -> pa.RecordBatch:
    """Return what was sent; of VOCs only the firms that have a story, because one sends the same without the others."""
    if kind != "voc":
        return packets(kind, end, SPAN)
    named = {site for plot in load_script().stories for site in plot.sites}
    firms = {firm_of(site) for site in shangyu().of_kind("voc") if site.id in named}
    few = tuple(site for site in shangyu().of_kind("voc") if firm_of(site) in firms)
    return Region(registry=replace(shangyu(), sites=few)).packets(kind, end - SPAN, end)


def told(start: int, end: int) -> tuple[Story, ...]:
    return region().stories(start, end)


@pytest.mark.parametrize("end", [NOVEMBER, JULY], ids=["November", "July"])
@pytest.mark.parametrize("name", TRUTH)
def test_what_must_be_noticed_can_be_seen_in_the_packets(name: str, end: int) -> None:
    seen, played = TRUTH[name], [story for story in told(end - SPAN, end) if story.id == name]
    whole = [story for story in played if end - SPAN < story.start and story.end + 8 * HOUR_MS < end]
    assert whole
    batch = sent(seen.kind, end)
    for story in whole:
        here = at(batch, story.sites, story.start, story.end) & (flags(batch, seen.factor) == ord("N"))
        found = values(batch, seen.factor, seen.kind)[here]
        assert len(found)
        assert (found.min() < seen.low) if seen.below else (found.max() > seen.low)


def test_the_truth_knows_every_story_of_a_medium_that_deserves_an_alert() -> None:
    weather = {StoryKind.STAGNATION, StoryKind.SUNSHINE, StoryKind.OVER_RANGE}
    told_of = {plot.id for plot in load_script().stories if plot.expect is Expect.ALERT and plot.kind not in weather}
    assert told_of == set(TRUTH)


def test_a_device_that_fails_deserves_no_alert_but_over_range_may() -> None:
    quiet = {StoryKind.MAINTENANCE, StoryKind.CALIBRATION, StoryKind.STANDSTILL, StoryKind.FAULT, StoryKind.SPIKE}
    for plot in load_script().stories:
        if plot.kind in quiet | {StoryKind.FLAT, StoryKind.SILENCE, StoryKind.NEVER}:
            assert plot.expect is not Expect.ALERT, plot.id


@pytest.mark.parametrize("kind", ["voc", "water", "outfall", "noise", "ecoflow", "operation"])
def test_any_48_hours_of_a_medium_hold_a_story_that_deserves_an_alert(kind: str) -> None:
    own = {site.id for site in shangyu().of_kind(kind)}
    for first in range(NOVEMBER - CYCLE, NOVEMBER, 6 * HOUR_MS):
        found = [
            story for story in told(first, first + 48 * HOUR_MS)
            if story.expect is Expect.ALERT and story.sites and set(story.sites) <= own
        ]  # fmt: skip
        assert found, f"{beijing(first)}"


def test_two_things_happen_at_once_in_different_places() -> None:
    found = {story.id: story for story in told(NOVEMBER - CYCLE, NOVEMBER)}
    odour, discharge = found["odour_night"], found["second_discharge"]
    assert max(odour.start, discharge.start) < min(odour.end, discharge.end)
    assert {odour.expect, discharge.expect} == {Expect.ALERT}


def test_the_odour_night_is_calm() -> None:
    odour = next(story for story in told(NOVEMBER - CYCLE, NOVEMBER) if story.id == "odour_night")
    weather = region().weather(odour.start, odour.end)
    assert float(weather.wind_speed.max()) < 1.5
    assert float(weather.rain.max()) == 0.0


@pytest.mark.parametrize("name", ["dry_discharge", "second_discharge"])
@pytest.mark.parametrize("end", [NOVEMBER, JULY])
def test_a_dry_weather_discharge_ends_after_twelve_dry_hours(name: str, end: int) -> None:
    for story in told(end - 20 * DAY_MS, end):
        if story.id == name:
            assert float(region().weather(story.end - 13 * HOUR_MS, story.end - HOUR_MS).rain.sum()) / 60 < 0.1


def test_sewage_comes_in_rain() -> None:
    story = next(story for story in told(NOVEMBER - CYCLE, NOVEMBER) if story.id == "sewage_in_rain")
    assert float(region().weather(story.start, story.end).rain.mean()) > 2.0


@pytest.mark.parametrize("kind", MEDIA)
def test_without_its_script_a_real_name_sends_the_same(kind: str) -> None:
    """Weather is no story of a site: it is kept."""
    weather = tuple(
        plot for plot in load_script().stories
        if plot.kind in {StoryKind.STAGNATION, StoryKind.SUNSHINE, StoryKind.FRONT}
    )  # fmt: skip
    plain = Region(registry=shangyu(), script=Script(calibration=load_script().calibration, stories=weather))
    real = [site.id for site in shangyu().of_kind(kind) if not site.synthetic]
    if real:
        one, other = (r.packets(kind, NOVEMBER - 3 * DAY_MS, NOVEMBER) for r in (region(), plain))
        mine, theirs = (batch.filter(np.isin(texts(batch), real)) for batch in (one, other))
        assert mine.equals(theirs)
        assert set(flags(mine, load_first(kind))) == {ord("N")}


def load_first(kind: str) -> str:
    return {"water": "NH3-N", "outfall": "COD"}[kind]


@pytest.mark.parametrize("end", [NOVEMBER, JULY, NOVEMBER + 60 * DAY_MS], ids=["November", "July", "January"])
def test_nothing_at_a_real_name_is_ever_over_a_limit(end: int) -> None:
    """GB 3838 class III (source: II for a lake), TN of the bay entries 2 mg/L, DB33/2169 table 1."""
    limits = {
        "plant-shangyu": ("outfall", {"COD": 40.0, "NH3-N": 2.0, "TN": 12.0, "TP": 0.3}),
        "erhaozha": ("water", {"CODMn": 6.0, "NH3-N": 1.0, "TP": 0.2, "TN": 2.0}),
        "dazha": ("water", {"CODMn": 6.0, "NH3-N": 1.0, "TP": 0.2, "TN": 2.0}),
        "tangpu": ("water", {"CODMn": 4.0, "NH3-N": 0.5, "TP": 0.025, "TN": 1.0, "biotox": 20.0}),
    }
    assert set(limits) == {site.id for site in shangyu().sites if not site.synthetic}
    for name, (kind, most) in limits.items():
        batch = packets(kind, end, 20 * DAY_MS)
        mine = texts(batch) == name
        for factor, limit in most.items():
            found = values(batch, factor, kind)[mine]
            assert float(np.nanmax(found)) < limit, (name, factor)
        if kind == "water":
            assert float(np.nanmin(values(batch, "DO", kind)[mine])) > 5.0


def test_a_spill_tells_when_it_arrives_and_late_packets_when_they_are_sent() -> None:
    found = told(NOVEMBER - 12 * DAY_MS, NOVEMBER)
    spill = next(story for story in found if story.id == "spill" and story.sites == ("SYN-WA14",))
    assert [(one.site, (one.start - spill.start) // HOUR_MS) for one in spill.arrivals] == [
        ("SYN-WA14", 0), ("SYN-WA15", 8), ("SYN-WA16", 18), ("SYN-WH02", 23),
    ]  # fmt: skip
    assert all(one.end - one.start == 480 * MINUTE_MS for one in spill.arrivals)
    late = next(story for story in found if story.id == "late_air")
    assert late.sent == late.end + 1080 * MINUTE_MS
    assert next(story for story in found if story.id == "front").sent is None


def test_suspect_values_look_normal() -> None:
    batch = packets("water", NOVEMBER, SPAN)
    flat = next(story for story in told(NOVEMBER - SPAN, NOVEMBER - DAY_MS) if story.id == "section_flat")
    here = at(batch, flat.sites, flat.start, flat.end)
    assert len(set(values(batch, "NH3-N", "water")[here])) == 1
    assert set(flags(batch, "NH3-N")[here]) == {ord("N")}
    assert len(set(values(batch, "TP", "water")[here])) > 3
