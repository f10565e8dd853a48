from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from sensors.clock import DAY_MS, HOUR_MS, MINUTE_MS, beijing, day_of
from sensors.factors import load_factors
from sensors.flags import in_mean_table
from sensors.frames import frame_schema
from sensors.kinds import kind_names
from sensors.registry import load_registry
from simulators.region import MEDIA, Region
from simulators.stories import RESENDING, Story, StoryKind
from tests.region_cases import (
    CYCLE,
    DATA,
    JULY,
    JUNE,
    NOVEMBER,
    at,
    flags,
    packets,
    region,
    shangyu,
    texts,
    times,
)
from tests.region_cases import values as values_of


def values(batch: pa.RecordBatch, factor: str) -> NDArray[np.float64]:
    return np.nan_to_num(values_of(batch, factor, "air"))


def air(end: int) -> pa.RecordBatch:
    return packets("air", end)


def hour_means(end: int, factor: str) -> NDArray[np.float64]:
    """Return the hour means [site, hour] of a cycle; NaN with fewer than 45 values that may be used."""
    batch = air(end)
    names, site = np.unique(texts(batch), return_inverse=True)
    hour = times(batch) // HOUR_MS - (end - CYCLE) // HOUR_MS
    cell = site * (CYCLE // HOUR_MS) + hour
    usable = in_mean_table()[flags(batch, factor)] & batch.column(factor).is_valid().to_numpy(zero_copy_only=False)
    size = len(names) * CYCLE // HOUR_MS
    count = np.bincount(cell[usable], minlength=size)
    total = np.bincount(cell[usable], values(batch, factor)[usable], minlength=size)
    return np.asarray(np.where(count >= 45, total / np.maximum(count, 1), np.nan).reshape(len(names), -1))


def during(story: Story, batch: pa.RecordBatch) -> NDArray[np.bool_]:
    return at(batch, story.sites, story.start, story.end)


def in_time(batch: pa.RecordBatch) -> NDArray[np.bool_]:
    """Return which rows are sent as their interval ends."""
    return np.asarray(times(batch, "received") - times(batch) < 2 * MINUTE_MS)


@cache
def told() -> tuple[Story, ...]:
    """Return the stories of a cycle that befall the air."""
    stations = {site.id for site in shangyu().of_kind("air")}
    found = region().stories(NOVEMBER - CYCLE, NOVEMBER)
    return tuple(story for story in found if not story.sites or set(story.sites) <= stations)


def stories(kind: StoryKind) -> list[Story]:
    found = [story for story in told() if story.kind is kind]
    assert found, "the packaged script tells such a story in every ten days"
    return found


def test_a_day_of_the_region_has_the_frame_schema_and_a_packet_a_minute_and_station() -> None:
    batch = region().packets("air", NOVEMBER - DAY_MS, NOVEMBER)
    assert batch.schema == frame_schema(load_factors("air"))
    batch.validate(full=True)
    assert 41 * 1440 * 0.97 < in_time(batch).sum() <= 41 * 1440


def test_every_kind_has_a_medium_and_the_region_has_sites_of_each() -> None:
    assert set(MEDIA) == set(kind_names()) == set(region().kinds())


@pytest.mark.parametrize("kind", MEDIA)
def test_packets_of_every_kind_have_its_schema_and_are_whole(kind: str) -> None:
    batch = packets(kind, NOVEMBER, 2 * DAY_MS)
    assert batch.schema == frame_schema(load_factors(kind))
    batch.validate(full=True)
    assert set(texts(batch)) >= {site.id for site in shangyu().of_kind(kind)} - {"SYN-T19"}


@pytest.mark.parametrize("kind", MEDIA)
def test_values_lie_inside_what_can_be(kind: str) -> None:
    batch = packets(kind, JULY, 2 * DAY_MS)
    for symbol, factor in load_factors(kind).items():
        found = values_of(batch, symbol, kind)
        found = found[~np.isnan(found)]
        assert not ((found < float(factor.low)) | (found > float(factor.high))).any(), symbol


@pytest.mark.parametrize("kind", MEDIA)
def test_a_factor_without_an_instrument_is_never_sent_and_every_value_has_a_flag(kind: str) -> None:
    batch = packets(kind, NOVEMBER, 2 * DAY_MS)
    names = texts(batch)
    for symbol in load_factors(kind):
        owners = [site.id for site in shangyu().of_kind(kind) if symbol not in {one.factor for one in site.not_in_plan}]
        said = flags(batch, symbol) > 0
        assert not said[~np.isin(names, owners)].any(), symbol
        assert not (batch.column(symbol).is_valid().to_numpy(zero_copy_only=False) & ~said).any(), symbol


@pytest.mark.parametrize("kind", MEDIA)
def test_rows_come_by_sending_interval_and_site_and_a_packet_belongs_to_an_interval_of_its_period(kind: str) -> None:
    batch = packets(kind, NOVEMBER, 2 * DAY_MS)
    place = np.array(batch.column("site").indices.to_numpy())
    keys = list(
        zip((times(batch, "received") // MINUTE_MS).tolist(), times(batch).tolist(), place.tolist(), strict=True)
    )
    assert keys == sorted(keys)
    sites = batch.column("site").dictionary.to_pylist()
    assert sites == sorted(sites)
    period = {site.id: site.period_ms for site in shangyu().of_kind(kind)}
    assert ((times(batch) + 8 * HOUR_MS) % np.array([period[name] for name in texts(batch)]) == 0).all()


@pytest.mark.parametrize("kind", MEDIA)
def test_a_packet_comes_some_seconds_after_its_interval_or_when_its_story_says(kind: str) -> None:
    batch = packets(kind, NOVEMBER, 2 * DAY_MS)
    period = {site.id: site.period_ms for site in shangyu().of_kind(kind)}
    delay = times(batch, "received") - times(batch) - np.array([period[name] for name in texts(batch)])
    assert delay.min() > 0
    late = delay >= 5000
    assert delay.max() < 72 * HOUR_MS
    allowed = {site for story in stories_of(RESENDING) for site in story.sites}
    assert set(texts(batch)[late]) <= allowed


def stories_of(kinds: frozenset[StoryKind]) -> list[Story]:
    return [story for story in region().stories(NOVEMBER - CYCLE - 4 * DAY_MS, NOVEMBER) if story.kind in kinds]


@pytest.mark.parametrize("kind", ["air", "water", "outfall"])
def test_late_packets_come_once_and_all_at_the_time_that_the_story_tells(kind: str) -> None:
    batch, late = packets(kind, NOVEMBER), [s for s in stories_of(frozenset({StoryKind.LATE})) if s.sent is not None]
    own = {site.id for site in shangyu().of_kind(kind)}
    seen = [s for s in late if set(s.sites) <= own and s.start >= NOVEMBER - CYCLE and (s.sent or 0) < NOVEMBER]
    assert seen
    for story in seen:
        here = during(story, batch)
        assert here.any()
        assert set(times(batch, "received")[here] // MINUTE_MS) == {(story.sent or 0) // MINUTE_MS + 1}
        begun = list(zip(texts(batch)[here], times(batch)[here], strict=True))
        assert len(begun) == len(set(begun))


@pytest.mark.parametrize("kind", ["air", "outfall"])
def test_duplicates_are_the_same_packet_again(kind: str) -> None:
    batch = packets(kind, NOVEMBER)
    own = {site.id for site in shangyu().of_kind(kind)}
    twice = [s for s in stories_of(frozenset({StoryKind.DUPLICATE})) if set(s.sites) <= own]
    table = pa.Table.from_batches([batch]).drop_columns(["received", "other"])
    for story in [s for s in twice if s.start >= NOVEMBER - CYCLE and (s.sent or 0) < NOVEMBER - HOUR_MS]:
        here = table.filter(pa.array(during(story, batch))).sort_by("start").to_pylist()
        assert here[::2] == here[1::2]
        assert here


@pytest.mark.parametrize(("kind", "factor", "ratio"), [("air", "SO2", 0.5), ("water", "TP", 0.8)])
def test_a_correction_is_a_later_packet_with_another_value(kind: str, factor: str, ratio: float) -> None:
    batch = packets(kind, NOVEMBER)
    later = batch.column("correction").to_numpy() == 1
    assert later.any()
    first = dict(
        zip(
            zip(texts(batch)[~later], times(batch)[~later], strict=True),
            values_of(batch, factor, kind)[~later],
            strict=True,
        )
    )
    for site, start, value in zip(
        texts(batch)[later], times(batch)[later], values_of(batch, factor, kind)[later], strict=True
    ):
        if start >= NOVEMBER - CYCLE:
            assert value == pytest.approx(ratio * first[site, start], abs=0.01)


@pytest.mark.parametrize("cut", [1, MINUTE_MS, 7 * HOUR_MS + 13 * MINUTE_MS, DAY_MS - 1])
def test_packets_do_not_depend_on_the_cut(cut: int) -> None:
    start = NOVEMBER - DAY_MS
    whole = region().packets("air", start, NOVEMBER)
    parts = [region().packets("air", start, start + cut), region().packets("air", start + cut, NOVEMBER)]
    assert pa.Table.from_batches(parts).combine_chunks().to_batches()[0].equals(whole)


@pytest.mark.parametrize("span", [0, 1, -DAY_MS])
def test_no_time_has_no_packets(span: int) -> None:
    start = NOVEMBER + 1
    batch = region().packets("air", start, start + span)
    assert batch.num_rows == 0
    assert batch.schema == frame_schema(load_factors("air"))


def test_stations_by_the_hour_send_by_the_hour_without_nightly_checks() -> None:
    beijing_only = Region(registry=load_registry(DATA.parents[2] / "sensors/data/beijing.yaml"))
    assert beijing_only.periods("air") == (HOUR_MS,)
    batch = beijing_only.packets("air", NOVEMBER, NOVEMBER + DAY_MS)
    assert batch.num_rows == 12 * 24
    assert not (flags(batch, "SO2") == ord("C")).any()


def test_a_kind_of_which_there_are_no_sites_sends_nothing() -> None:
    beijing_only = Region(registry=load_registry(DATA.parents[2] / "sensors/data/beijing.yaml"))
    assert beijing_only.kinds() == ("air",)
    assert beijing_only.packets("water", NOVEMBER, NOVEMBER + DAY_MS).num_rows == 0


def test_packets_of_each_period_are_the_packets_of_all() -> None:
    start = NOVEMBER - DAY_MS
    whole = region().packets("water", start, NOVEMBER)
    parts = [region().packets("water", start, NOVEMBER, period) for period in region().periods("water")]
    assert len(parts) == 2
    assert sorted(str(row) for part in parts for row in part.to_pylist()) == sorted(
        str(row) for row in whole.to_pylist()
    )


def test_another_seed_is_another_air_and_the_same_seed_the_same() -> None:
    one, again, two = (Region(registry=shangyu(), seed=seed).packets("air", JULY, JULY + HOUR_MS) for seed in (1, 1, 2))
    assert one.equals(again)
    assert not one.column("O3").equals(two.column("O3"))


def test_a_station_sends_the_same_when_others_are_taken_away() -> None:
    alone = replace(shangyu(), sites=shangyu().entries("SYN-U02"))
    few = Region(registry=alone).packets("air", JULY, JULY + HOUR_MS)
    all_of_them = region().packets("air", JULY, JULY + HOUR_MS)
    mine = all_of_them.filter(pa.array(texts(all_of_them) == "SYN-U02"))
    assert few.drop_columns(["site"]).equals(mine.drop_columns(["site"]))


def test_every_value_has_a_flag_and_normal_is_said_and_not_left_out() -> None:
    batch = air(NOVEMBER)
    for factor in load_factors("air"):
        assert batch.column(factor).is_valid().equals(batch.column(f"{factor}.flag").is_valid())
        assert 0.9 < (flags(batch, factor) == ord("N")).mean() < 1.0


def test_a_factor_that_is_not_in_plan_is_never_sent() -> None:
    batch = air(NOVEMBER)
    without = {(site.id, absence.factor) for site in shangyu().of_kind("air") for absence in site.not_in_plan}
    assert without == {("SYN-L04", "SO2"), ("SYN-P02", "PM10")}
    for site, factor in without:
        mine = texts(batch) == site
        assert mine.any()
        assert not flags(batch, factor)[mine].any()


def test_a_registered_station_that_is_not_on_line_never_sends() -> None:
    (never,) = {site for story in stories(StoryKind.NEVER) for site in story.sites}
    assert shangyu().site(never)
    assert never not in texts(air(NOVEMBER))


def test_a_moved_station_sends_once_a_minute_before_and_after_its_move() -> None:
    move = shangyu().entries("SYN-L02")[1].start
    batch = region().packets("air", move - HOUR_MS, move + HOUR_MS)
    assert (texts(batch) == "SYN-L02").sum() == 120


@pytest.mark.parametrize("kind", MEDIA)
def test_no_site_sends_outside_its_dates(kind: str) -> None:
    assert region().packets(kind, 0, DAY_MS).num_rows == 0
    by_id = {site.id: min(s.start for s in shangyu().entries(site.id)) for site in shangyu().of_kind(kind)}
    for begin in sorted(set(by_id.values())):
        batch = region().packets(kind, begin - 4 * HOUR_MS, begin + 4 * HOUR_MS)
        assert all(times(batch) >= np.array([by_id[name] for name in texts(batch)]))
        new = [name for name, first in by_id.items() if first == begin]
        assert np.isin(texts(batch), new).any()


def test_each_gas_has_its_nightly_checks_and_only_the_span_check_takes_its_hour() -> None:
    batch = air(NOVEMBER)
    mine = texts(batch) == "SYN-U01"
    local = (times(batch)[mine] + 8 * HOUR_MS) // MINUTE_MS
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
    batch = air(NOVEMBER)
    checked = flags(batch, "SO2") == ord("C")
    hours = (times(batch)[checked] + 8 * HOUR_MS) % DAY_MS // HOUR_MS
    assert set(hours) == set(range(5))


@pytest.mark.parametrize(
    ("kind", "letter"), [(StoryKind.MAINTENANCE, "M"), (StoryKind.FAULT, "D"), (StoryKind.OVER_RANGE, "T")]
)
def test_what_happens_to_a_device_is_flagged_and_only_then(kind: StoryKind, letter: str) -> None:
    batch = air(NOVEMBER)
    for factor in load_factors("air"):
        meant = np.zeros(batch.num_rows, dtype=np.bool_)
        for story in stories(kind):
            meant |= during(story, batch) & (factor in story.factors)
        assert np.array_equal(flags(batch, factor) == ord(letter), meant)


def test_a_silent_station_has_no_packets_and_its_neighbours_have() -> None:
    batch = air(NOVEMBER)
    for story in stories(StoryKind.SILENCE):
        assert not during(story, batch).any()
    assert (texts(batch) == "SYN-T16").any()


def test_over_range_stands_at_the_range() -> None:
    batch = air(NOVEMBER)
    (story, *_) = stories(StoryKind.OVER_RANGE)
    assert set(values(batch, "SO2")[during(story, batch)]) == {1430.0}


def test_a_spike_is_one_minute_that_looks_normal() -> None:
    batch = air(NOVEMBER)
    (story, *_) = stories(StoryKind.SPIKE)
    here = during(story, batch)
    assert (values(batch, "PM2.5")[here].tolist(), flags(batch, "PM2.5")[here].tolist()) == ([985.0], [ord("N")])


def test_a_plume_is_seen_at_its_stations_and_nowhere_else() -> None:
    fire = next(story for story in stories(StoryKind.PLUME) if story.id == "straw_fire")
    batch = air(NOVEMBER)
    start = times(batch)
    middle = (start >= fire.start + 120 * MINUTE_MS) & (start < fire.start + 200 * MINUTE_MS)
    here = middle & np.isin(texts(batch), fire.sites)
    assert values(batch, "PM2.5")[here].mean() > 150
    assert values(batch, "PM2.5")[middle & ~here].mean() < 60
    assert (values(batch, "PM10")[here] > values(batch, "PM2.5")[here]).all()


def test_stories_are_told_in_order_and_only_when_they_touch_the_time() -> None:
    found = region().stories(NOVEMBER - DAY_MS, NOVEMBER)
    assert [story.start for story in found] == sorted(story.start for story in found)
    assert all(story.end > NOVEMBER - DAY_MS and story.start < NOVEMBER for story in found)
    assert region().stories(NOVEMBER, NOVEMBER) == ()


def test_a_story_of_a_station_that_the_registry_lacks_does_not_happen() -> None:
    alone = Region(registry=replace(shangyu(), sites=shangyu().entries("SYN-U02")))
    assert {story.kind for story in alone.stories(NOVEMBER - CYCLE, NOVEMBER)} == {
        StoryKind.STAGNATION, StoryKind.SUNSHINE, StoryKind.FRONT,
    }  # fmt: skip


@pytest.mark.parametrize("end", [NOVEMBER, JULY, JUNE], ids=["November", "July", "June"])
def test_any_48_hours_of_the_air_hold_a_story_that_deserves_an_alert(end: int) -> None:
    over = np.zeros(CYCLE // HOUR_MS, dtype=np.bool_)
    for factor, level in (("PM2.5", 115.0), ("O3", 200.0), ("SO2", 150.0), ("NO2", 200.0)):
        over |= (np.nan_to_num(hour_means(end, factor)) > level).any(axis=0)
    for first in range(len(over) - 48 + 1):
        assert over[first : first + 48].any(), f"{beijing(end - CYCLE + first * HOUR_MS)}"


def test_november_has_a_day_of_fine_dust_over_the_daily_limit_at_the_urban_stations() -> None:
    first = (day_of(NOVEMBER - CYCLE) + 1) * 24 - 8 - (NOVEMBER - CYCLE) // HOUR_MS
    names = np.unique(texts(air(NOVEMBER)))
    urban = hour_means(NOVEMBER, "PM2.5")[np.char.startswith(names, "SYN-U")]
    days = np.nanmean(urban[:, first : first + 9 * 24].reshape(len(urban), 9, 24), axis=2)
    assert (days.max(axis=1) > 75).all()
    assert (days.min(axis=1) < 35).all()
