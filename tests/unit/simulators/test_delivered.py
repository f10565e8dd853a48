"""The delivered region: its sizes, what is real in it and what is made up, and that all its files fit together."""

from __future__ import annotations

import itertools
import json
from collections import Counter

import pytest

from sensors.areas import Area, first_cycle
from sensors.kinds import load_kind
from sensors.registry import Site, StationClass
from simulators.layout import FOLDER, LAID_OUT
from simulators.rivers import Rivers
from simulators.stories import StoryKind, load_script
from streams.discharge.permits import load_permits
from streams.periods.targets import load_targets
from tests.region_cases import DATA, NOVEMBER, shangyu

DOCUMENTED = {"erhaozha": "二号闸", "dazha": "曹娥江大闸闸前", "tangpu": "汤浦水库", "plant-shangyu": "上虞污水处理厂"}
DOCUMENTS = ("上虞十四五", "两山方案", "示范市规划", "绍兴气候规划", "浙江十四五")


def now(kind: str) -> list[Site]:
    return [site for site in shangyu().at(NOVEMBER) if site.kind == kind]


def controlled(word: str) -> list[Site]:
    return [site for site in now("water") if word in site.setting["control"]]


def test_there_are_57_automatic_stations_42_of_air_and_15_of_water() -> None:
    water = [site for site in now("water") if "57 automatic stations" in site.source]
    assert (len(now("air")), len(water)) == (42, 15)
    assert {site.id for site in controlled("handover")} <= {site.id for site in water}
    assert {site.id for site in controlled("source")} <= {site.id for site in water}


def test_the_air_stations_are_of_seven_classes_and_four_are_clean_air_stations() -> None:
    count = Counter(site.station_class for site in now("air"))
    assert set(count) == set(StationClass)
    assert (count[StationClass.CLEAN_AIR], count[StationClass.TOWNSHIP]) == (4, 20)


def test_192_points_stand_at_17_firms_in_layers() -> None:
    points = now("voc")
    firms = Counter(site.areas[1] for site in points)
    assert (len(points), len(firms)) == (192, 17)
    assert {shangyu().area(firm).type.value for firm in firms} == {"firm"}
    for firm in firms:
        layers = {site.setting["layer"] for site in points if firm in site.areas}
        assert layers >= {"workshop", "warehouse", "boundary"}


def test_22_sections_are_assessed_5_hand_over_and_4_are_sources_with_biotoxicity() -> None:
    assert len([site for site in now("water") if site.assessment]) == 22
    assert len(controlled("handover")) == 5
    sources = controlled("source")
    assert len(sources) == 4
    for source in sources:
        assert source.station_class == "drinking_source"
        assert "biotox" not in {absence.factor for absence in source.not_in_plan}


def test_every_class_of_every_kind_but_none_besides_stands_in_the_region() -> None:
    for kind in ("air", "voc", "water", "outfall", "noise", "ecoflow", "meteo", "operation"):
        assert {site.station_class for site in now(kind)} == set(load_kind(kind).classes)


def test_each_of_three_parks_has_sewage_rain_water_and_a_river_beside_it() -> None:
    parks = [area.id for area in shangyu().areas if area.type == "park"]
    assert len(parks) == 3
    rivers = set()
    for park in parks:
        uses = [site.setting["use"] for site in now("outfall") if park in site.areas]
        assert uses.count("rain") == 2
        assert "sewage" in uses
        rivers |= {site.setting["receives"] for site in now("outfall") if park in site.areas} - {None}
    assert {"SYN-WP01", "SYN-WP02", "SYN-WP03"} <= rivers


def test_noise_is_heard_in_every_zone() -> None:
    assert {site.setting["zone"] for site in now("noise")} == {"0", "1", "2", "3", "4a", "4b"}


def test_what_is_made_up_is_marked_and_what_a_document_names_keeps_its_name() -> None:
    assert shangyu().synthetic
    entries: list[Site | Area] = [*shangyu().sites, *shangyu().areas]
    for one in entries:
        assert any(word in one.source for word in DOCUMENTS), one.id
        if one.synthetic:
            assert one.id.startswith("SYN-")
            assert one.name_zh.endswith("（模拟）")
            assert one.name_en.endswith("(simulated)")
        else:
            assert "模拟" not in one.name_zh
    assert {site.id: site.name_zh for site in shangyu().sites if not site.synthetic} == DOCUMENTED


def test_no_class_target_is_invented_for_a_section_with_a_real_name() -> None:
    assert {shangyu().site(name).setting["target"] for name in ("erhaozha", "dazha", "tangpu")} == {None}


def test_every_firm_is_made_up() -> None:
    assert all(area.synthetic for area in shangyu().areas if area.type == "firm")


def test_stories_happen_at_made_up_sites_only_and_a_spill_never_comes_to_a_real_name() -> None:
    rivers = Rivers.of((flow.upstream, flow.downstream, flow.hours) for flow in shangyu().flows)
    for plot in load_script().stories:
        touched = set(plot.sites)
        if plot.kind is StoryKind.SPILL:
            touched |= {site for origin in plot.sites for site in rivers.reached(origin)}
        assert touched.isdisjoint(DOCUMENTED)
        assert all(shangyu().site(site).synthetic for site in touched)


def test_stories_name_factors_that_their_sites_measure() -> None:
    for plot in load_script().stories:
        for name in plot.sites:
            site = shangyu().site(name)
            measured = set(load_kind(site.kind).factors) - {absence.factor for absence in site.not_in_plan}
            assert set(plot.factors) <= measured, plot.id


def test_rivers_run_without_a_circle_and_the_main_river_reaches_its_sluice() -> None:
    assert first_cycle((flow.upstream, flow.downstream) for flow in shangyu().flows) == ()
    rivers = Rivers.of((flow.upstream, flow.downstream, flow.hours) for flow in shangyu().flows)
    assert rivers.reached("SYN-WH01")["dazha"] == 3 + 8 + 12 + 9 + 10 + 6
    assert rivers.reached("SYN-WA14") == {"SYN-WA14": 0, "SYN-WA15": 8, "SYN-WA16": 18, "SYN-WH02": 23}
    for flow in shangyu().flows:
        assert shangyu().site(flow.upstream).kind == shangyu().site(flow.downstream).kind == "water"


def test_townships_lie_in_the_county_the_city_and_the_province() -> None:
    assert sum(area.type == "township" for area in shangyu().areas) == 20
    assert shangyu().site("SYN-U01").areas == ("t-baiguan", "shangyu", "shaoxing", "zhejiang")
    assert shangyu().site("SYN-V0101").areas[:2] == ("t-gaibei", "SYN-F01")
    assert {"park-hzw", "shangyu", "zhejiang"} <= set(shangyu().site("SYN-V0101").areas)
    assert {"river-caoe", "basin-caoe"} <= set(shangyu().site("SYN-WA01").areas)


def test_sites_lie_inside_the_made_up_outline_inside_the_real_box() -> None:
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
    hills = [site.lat for site in now("air") if site.station_class == StationClass.CLEAN_AIR]
    park = [site.lat for site in now("air") if site.id in {"SYN-D01", "SYN-D02", "SYN-D03"}]
    assert max(hills) + 0.2 < min(park)
    assert all(site.zone == (1 if site.station_class == StationClass.CLEAN_AIR else 2) for site in now("air"))


def test_permits_and_targets_fit_the_registry() -> None:
    assert load_permits(DATA / "permits.yaml", shangyu())
    targets = load_targets(DATA / "targets.yaml", {area.id for area in shangyu().areas})
    assert {row.document for row in targets.rows} <= set(DOCUMENTS)
    assert any(row.assigned for row in targets.rows)
    assert any(row.regression for row in targets.rows)


@pytest.mark.parametrize("name", LAID_OUT)
def test_every_file_that_is_laid_out_is_there(name: str) -> None:
    assert (DATA.parents[2] / "simulators" / FOLDER / name).is_file()
