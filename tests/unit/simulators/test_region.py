from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from sensors.clock import BEIJING, DAY_MS, HOUR_MS, MINUTE_MS, beijing, day_of, ms_of
from sensors.factors import load_factors
from sensors.flags import in_mean_table
from sensors.frames import frame_schema
from sensors.registry import Registry, StationClass, load_registry
from simulators.region import Region
from simulators.stories import Story, StoryKind

DATA = Path(__file__).parents[3] / "simulators/data"
NOVEMBER = ms_of(datetime(2026, 11, 21, 16, tzinfo=BEIJING))
JULY = ms_of(datetime(2026, 7, 21, 9, tzinfo=BEIJING))
JUNE = ms_of(datetime(2026, 6, 29, 19, tzinfo=BEIJING))
CYCLE = 10 * DAY_MS


@cache
def shangyu() -> Registry:
    return load_registry(DATA / "shangyu.yaml")


@cache
def region() -> Region:
    return Region(registry=shangyu())


@cache
def packets(end: int) -> pa.RecordBatch:
    return region().packets(end - CYCLE, end)


def texts(batch: pa.RecordBatch) -> NDArray[np.str_]:
    column = batch.column("site")
    return np.asarray(np.array(column.dictionary.to_pylist())[column.indices.to_numpy()])


def minutes(batch: pa.RecordBatch, column: str = "start") -> NDArray[np.int64]:
    return np.asarray(batch.column(column).cast(pa.int64()).to_numpy())


def flags(batch: pa.RecordBatch, factor: str) -> NDArray[np.uint8]:
    return np.asarray(batch.column(f"{factor}.flag").fill_null(0).to_numpy())


def values(batch: pa.RecordBatch, factor: str) -> NDArray[np.float64]:
    return np.asarray(batch.column(factor).fill_null(0).to_numpy() / 10 ** load_factors("air")[factor].digits)


def hour_means(end: int, factor: str) -> NDArray[np.float64]:
    """Return the hour means [site, hour] of a cycle; NaN with fewer than 45 values that may be used."""
    batch = packets(end)
    names, site = np.unique(texts(batch), return_inverse=True)
    hour = minutes(batch) // HOUR_MS - (end - CYCLE) // HOUR_MS
    cell = site * (CYCLE // HOUR_MS) + hour
    usable = in_mean_table()[flags(batch, factor)] & batch.column(factor).is_valid().to_numpy(zero_copy_only=False)
    size = len(names) * CYCLE // HOUR_MS
    count = np.bincount(cell[usable], minlength=size)
    total = np.bincount(cell[usable], values(batch, factor)[usable], minlength=size)
    return np.asarray(np.where(count >= 45, total / np.maximum(count, 1), np.nan).reshape(len(names), -1))


def during(story: Story, batch: pa.RecordBatch) -> NDArray[np.bool_]:
    start = minutes(batch)
    return np.asarray((start >= story.start) & (start < story.end) & np.isin(texts(batch), story.sites))


def stories(kind: StoryKind) -> list[Story]:
    found = [story for story in region().stories(NOVEMBER - CYCLE, NOVEMBER) if story.kind is kind]
    assert found, "the packaged script tells such a story in every ten days"
    return found


def test_the_region_has_about_forty_stations_of_every_class() -> None:
    sites = shangyu().at(NOVEMBER)
    assert len(sites) == 42
    count = {kind: sum(1 for site in sites if site.station_class is kind) for kind in StationClass}
    assert all(count.values())
    assert (count[StationClass.CLEAN_AIR], count[StationClass.TOWNSHIP]) == (4, 20)


def test_everything_made_up_is_marked_and_says_what_it_stands_for() -> None:
    assert shangyu().synthetic
    for site in shangyu().sites:
        assert site.synthetic
        assert site.id.startswith("SYN-")
        assert site.name_zh.endswith("（模拟）")
        assert any(word in site.source for word in ("上虞十四五", "两山方案", "浙江十四五"))


def test_stations_lie_inside_the_made_up_outline_inside_the_real_box() -> None:
    outline = json.loads((DATA / "shangyu.geojson").read_text(encoding="utf-8"))
    west, south, east, north = outline["bbox"]
    ring = next(f for f in outline["features"] if f["properties"]["kind"] == "district")["geometry"]["coordinates"][0]
    assert ring[0] == ring[-1]
    assert all(west <= lon <= east and south <= lat <= north for lon, lat in ring)
    for site in shangyu().sites:
        crossed = [
            (y1 > site.lat) != (y2 > site.lat) and site.lon < (x2 - x1) * (site.lat - y1) / (y2 - y1) + x1
            for (x1, y1), (x2, y2) in itertools.pairwise(ring)
        ]
        assert sum(crossed) % 2 == 1, site.id


def test_the_outline_is_marked_and_its_river_flows_north_into_the_bay() -> None:
    outline = json.loads((DATA / "shangyu.geojson").read_text(encoding="utf-8"))
    features = {feature["properties"]["kind"]: feature for feature in outline["features"]}
    assert set(features) == {"district", "coast", "river", "park"}
    assert outline["synthetic"]
    assert all(
        f["properties"]["synthetic"] and f["properties"]["name_zh"].endswith("（模拟）") for f in features.values()
    )
    river, coast = features["river"]["geometry"]["coordinates"], features["coast"]["geometry"]["coordinates"]
    assert river[0][1] < river[-1][1]
    assert river[-1] in coast


def test_hills_lie_in_the_south_and_the_park_in_the_north() -> None:
    hills = [site.lat for site in shangyu().sites if site.station_class is StationClass.CLEAN_AIR]
    park = [site.lat for site in shangyu().sites if site.id in {"SYN-D01", "SYN-D02", "SYN-D03"}]
    assert max(hills) + 0.2 < min(park)
    assert all(site.zone == (1 if site.station_class is StationClass.CLEAN_AIR else 2) for site in shangyu().sites)


def test_a_day_of_the_region_has_the_frame_schema_and_a_packet_a_minute_and_station() -> None:
    batch = region().packets(NOVEMBER - DAY_MS, NOVEMBER)
    assert batch.schema == frame_schema(load_factors("air"))
    batch.validate(full=True)
    assert 41 * 1440 * 0.97 < batch.num_rows <= 41 * 1440


def test_rows_come_by_minute_and_then_by_site_and_none_comes_twice() -> None:
    batch = packets(NOVEMBER)
    order = minutes(batch) * 1000 + batch.column("site").indices.to_numpy()
    assert (np.diff(order) > 0).all()
    sites = batch.column("site").dictionary.to_pylist()
    assert sites == sorted(sites)


def test_packets_are_received_some_seconds_after_their_minute_ended() -> None:
    batch = packets(NOVEMBER)
    delay = minutes(batch, "received") - minutes(batch) - MINUTE_MS
    assert 0 < delay.min() < delay.max() < 5000


@pytest.mark.parametrize("cut", [1, MINUTE_MS, 7 * HOUR_MS + 13 * MINUTE_MS, DAY_MS - 1])
def test_packets_do_not_depend_on_the_cut(cut: int) -> None:
    start = NOVEMBER - DAY_MS
    whole = region().packets(start, NOVEMBER)
    parts = [region().packets(start, start + cut), region().packets(start + cut, NOVEMBER)]
    assert pa.Table.from_batches(parts).combine_chunks().to_batches()[0].equals(whole)


@pytest.mark.parametrize("span", [0, 1, -DAY_MS])
def test_no_time_has_no_packets(span: int) -> None:
    start = NOVEMBER + 1
    batch = region().packets(start, start + span)
    assert batch.num_rows == 0
    assert batch.schema == frame_schema(load_factors("air"))


def test_a_registry_without_stations_by_the_minute_sends_nothing() -> None:
    beijing_only = Region(registry=load_registry(DATA.parents[1] / "sensors/data/beijing.yaml"))
    assert beijing_only.packets(NOVEMBER, NOVEMBER + HOUR_MS).num_rows == 0


def test_another_seed_is_another_air_and_the_same_seed_the_same() -> None:
    one, again, two = (Region(registry=shangyu(), seed=seed).packets(JULY, JULY + HOUR_MS) for seed in (1, 1, 2))
    assert one.equals(again)
    assert not one.column("O3").equals(two.column("O3"))


def test_a_station_sends_the_same_when_others_are_taken_away() -> None:
    alone = replace(shangyu(), sites=shangyu().entries("SYN-U02"))
    few = Region(registry=alone).packets(JULY, JULY + HOUR_MS)
    all_of_them = region().packets(JULY, JULY + HOUR_MS)
    mine = all_of_them.filter(pa.array(texts(all_of_them) == "SYN-U02"))
    assert few.drop_columns(["site"]).equals(mine.drop_columns(["site"]))


def test_every_value_has_a_flag_and_normal_is_said_and_not_left_out() -> None:
    batch = packets(NOVEMBER)
    for factor in load_factors("air"):
        assert batch.column(factor).is_valid().equals(batch.column(f"{factor}.flag").is_valid())
        assert 0.9 < (flags(batch, factor) == ord("N")).mean() < 1.0


def test_a_factor_that_is_not_in_plan_is_never_sent() -> None:
    batch = packets(NOVEMBER)
    without = {(site.id, absence.factor) for site in shangyu().sites for absence in site.not_in_plan}
    assert without == {("SYN-L04", "SO2"), ("SYN-P02", "PM10")}
    for site, factor in without:
        mine = texts(batch) == site
        assert mine.any()
        assert not flags(batch, factor)[mine].any()


def test_a_registered_station_that_is_not_on_line_never_sends() -> None:
    (never,) = {site for story in stories(StoryKind.NEVER) for site in story.sites}
    assert shangyu().site(never)
    assert never not in texts(packets(NOVEMBER))


def test_a_moved_station_sends_once_a_minute_before_and_after_its_move() -> None:
    move = shangyu().entries("SYN-L02")[1].start
    batch = region().packets(move - HOUR_MS, move + HOUR_MS)
    assert (texts(batch) == "SYN-L02").sum() == 120


def test_before_its_first_day_no_station_sends() -> None:
    assert region().packets(0, HOUR_MS).num_rows == 0
    early = ms_of(datetime(2019, 6, 1, tzinfo=BEIJING))
    assert set(texts(region().packets(early, early + HOUR_MS))) == {"SYN-C01", "SYN-C02", "SYN-C03", "SYN-C04"}


def test_each_gas_has_its_nightly_checks_and_only_the_span_check_takes_its_hour() -> None:
    batch = packets(NOVEMBER)
    mine = texts(batch) == "SYN-U01"
    local = (minutes(batch)[mine] + 8 * HOUR_MS) // MINUTE_MS
    spanned = 0
    for gas in ("SO2", "NO2", "CO", "O3"):
        checked = flags(batch, gas)[mine] == ord("C")
        assert set((local[checked] % 1440) // 60) <= set(range(5))
        for night in np.unique(local // 1440)[1:-1]:
            count = int((checked & (local // 1440 == night)).sum())
            assert count in {8, 48}
            spanned += count == 48
    assert spanned == 9
    assert not (flags(batch, "PM2.5") == ord("C")).any()


def test_stations_take_turns_with_their_checks() -> None:
    batch = packets(NOVEMBER)
    checked = flags(batch, "SO2") == ord("C")
    hours = (minutes(batch)[checked] + 8 * HOUR_MS) % DAY_MS // HOUR_MS
    assert set(hours) == set(range(5))


@pytest.mark.parametrize(
    ("kind", "letter"), [(StoryKind.MAINTENANCE, "M"), (StoryKind.FAULT, "D"), (StoryKind.OVER_RANGE, "T")]
)
def test_what_happens_to_a_device_is_flagged_and_only_then(kind: StoryKind, letter: str) -> None:
    batch = packets(NOVEMBER)
    for factor in load_factors("air"):
        told = np.zeros(batch.num_rows, dtype=np.bool_)
        for story in stories(kind):
            told |= during(story, batch) & (factor in story.factors)
        assert np.array_equal(flags(batch, factor) == ord(letter), told)


def test_a_silent_station_has_no_packets_and_its_neighbours_have() -> None:
    batch = packets(NOVEMBER)
    for story in stories(StoryKind.SILENCE):
        assert not during(story, batch).any()
    assert (texts(batch) == "SYN-T16").any()


def test_over_range_stands_at_the_range() -> None:
    batch = packets(NOVEMBER)
    (story, *_) = stories(StoryKind.OVER_RANGE)
    assert set(values(batch, "SO2")[during(story, batch)]) == {1430.0}


def test_a_spike_is_one_minute_that_looks_normal() -> None:
    batch = packets(NOVEMBER)
    (story, *_) = stories(StoryKind.SPIKE)
    here = during(story, batch)
    assert (values(batch, "PM2.5")[here].tolist(), flags(batch, "PM2.5")[here].tolist()) == ([985.0], [ord("N")])


def test_a_plume_is_seen_at_its_stations_and_nowhere_else() -> None:
    fire = next(story for story in stories(StoryKind.PLUME) if story.id == "straw_fire")
    batch = packets(NOVEMBER)
    start = minutes(batch)
    middle = (start >= fire.start + 120 * MINUTE_MS) & (start < fire.start + 200 * MINUTE_MS)
    here = middle & np.isin(texts(batch), fire.sites)
    assert values(batch, "PM2.5")[here].mean() > 150
    assert values(batch, "PM2.5")[middle & ~here].mean() < 60
    assert (values(batch, "PM10")[here] > values(batch, "PM2.5")[here]).all()


def test_stories_are_told_in_order_and_only_when_they_touch_the_time() -> None:
    told = region().stories(NOVEMBER - DAY_MS, NOVEMBER)
    assert [story.start for story in told] == sorted(story.start for story in told)
    assert all(story.end > NOVEMBER - DAY_MS and story.start < NOVEMBER for story in told)
    assert region().stories(NOVEMBER, NOVEMBER) == ()


def test_a_story_of_a_station_that_the_registry_lacks_does_not_happen() -> None:
    alone = Region(registry=replace(shangyu(), sites=shangyu().entries("SYN-U02")))
    assert {story.kind for story in alone.stories(NOVEMBER - CYCLE, NOVEMBER)} == {
        StoryKind.STAGNATION, StoryKind.SUNSHINE, StoryKind.FRONT,
    }  # fmt: skip


@pytest.mark.parametrize("end", [NOVEMBER, JULY, JUNE], ids=["November", "July", "June"])
def test_any_48_hours_hold_a_story_that_deserves_an_alert(end: int) -> None:
    over = np.zeros(CYCLE // HOUR_MS, dtype=np.bool_)
    for factor, level in (("PM2.5", 115.0), ("O3", 200.0), ("SO2", 150.0), ("NO2", 200.0)):
        over |= (np.nan_to_num(hour_means(end, factor)) > level).any(axis=0)
    for first in range(len(over) - 48 + 1):
        assert over[first : first + 48].any(), f"{beijing(end - CYCLE + first * HOUR_MS)}"


def test_november_has_a_day_of_fine_dust_over_the_daily_limit_at_the_urban_stations() -> None:
    first = (day_of(NOVEMBER - CYCLE) + 1) * 24 - 8 - (NOVEMBER - CYCLE) // HOUR_MS
    names = np.unique(texts(packets(NOVEMBER)))
    urban = hour_means(NOVEMBER, "PM2.5")[np.char.startswith(names, "SYN-U")]
    days = np.nanmean(urban[:, first : first + 9 * 24].reshape(len(urban), 9, 24), axis=2)
    assert (days.max(axis=1) > 75).all()
    assert (days.min(axis=1) < 35).all()
