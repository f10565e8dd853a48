from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import jsonschema
import pytest

from sensors.clock import BEIJING, DAY_MS, HOUR_MS, MINUTE_MS, ms_of
from sensors.errors import ConfigError, UnknownName
from sensors.factors import load_factors
from sensors.registry import AreaType, Registry, StationClass, load_registry, parse_registry, registry_schema
from sensors.yamlfile import parse_yaml, read_yaml

ROOT = Path(__file__).parents[3]
BEIJING_FILE = ROOT / "sensors/data/beijing.yaml"
SHANGYU_FILE = ROOT / "simulators/data/shangyu/registry.yaml"
TEXT = """\
region: {zh: 上虞（模拟）, en: Shangyu (simulated)}
synthetic: true
outline: a.geojson
sites:
  - id: SYN-B
    name: {zh: 乙, en: B}
    class: clean_air
    lon: 121
    lat: 29.75
    county: 上虞区
    township: 岭南乡
    zone: 1
    period: minute
    origin: synthetic
    source: made for a test
    from: 2024-03-01
    not_in_plan:
      - {factor: CO, from: 2024-03-01, to: 2024-03-31, author: 甲, why: no analyser}
  - id: SYN-A
    name: {zh: 甲, en: A}
    class: urban
    lon: 120.9
    lat: 30.0
    county: 上虞区
    zone: 2
    period: hour
    origin: synthetic
    source: made for a test
    from: 2022-07-01
    assessment: true
  - id: SYN-A
    name: {zh: 甲, en: A}
    class: urban
    lon: 120.8
    lat: 30.0
    county: 上虞区
    zone: 2
    period: hour
    origin: synthetic
    source: made for a test
    from: 2020-01-01
    to: 2022-06-30
"""


def at(year: int, month: int, day: int, hour: int = 0) -> int:
    return ms_of(datetime(year, month, day, hour, tzinfo=BEIJING))


@pytest.fixture(name="registry")
def _registry() -> Registry:
    return parse_registry(parse_yaml(TEXT, "r.yaml"))


def test_entries_are_sorted_by_id_and_then_by_time(registry: Registry) -> None:
    assert [(site.id, site.lon) for site in registry.sites] == [("SYN-A", 120.8), ("SYN-A", 120.9), ("SYN-B", 121.0)]


def test_a_site_has_all_that_the_file_says(registry: Registry) -> None:
    site = registry.site("SYN-B")
    assert (site.kind, site.name_zh, site.name_en) == ("air", "乙", "B")
    assert site.station_class is StationClass.CLEAN_AIR
    assert (site.lat, site.county, site.township, site.zone) == (29.75, "上虞区", "岭南乡", 1)
    assert (site.period_ms, site.synthetic, site.assessment) == (MINUTE_MS, True, False)
    assert (site.start, site.end) == (at(2024, 3, 1), None)
    assert registry.site("SYN-A").period_ms == HOUR_MS
    assert (registry.region_zh, registry.region_en) == ("上虞（模拟）", "Shangyu (simulated)")
    assert (registry.synthetic, registry.outline) == (True, "a.geojson")


WITHOUT_CO = "    measures: [PM2.5, PM10, SO2, NO2, O3]\n"


def test_what_the_index_of_air_needs_leaves_the_plan_by_an_entry_with_an_author_only() -> None:
    text = TEXT.replace("    to: 2022-06-30\n", f"    to: 2022-06-30\n{WITHOUT_CO}")
    with pytest.raises(
        ConfigError, match=r"r.yaml:\d+: sites.2.measures: CO is not among them.*add not_in_plan"
    ) as told:
        parse_registry(parse_yaml(text, "r.yaml"))
    assert "author" in told.value.mend


def test_a_factor_that_an_author_took_out_of_plan_is_out_for_the_dates_that_stand_there() -> None:
    entry = "    not_in_plan: [{factor: CO, from: 2020-01-01, to: 2021-12-31, author: 甲, why: no analyser}]\n"
    text = TEXT.replace("    to: 2022-06-30\n", f"    to: 2022-06-30\n{WITHOUT_CO}{entry}")
    before, after = parse_registry(parse_yaml(text, "r.yaml")).entries("SYN-A")
    [absence] = before.not_in_plan
    assert (absence.factor, absence.author) == ("CO", "甲")
    assert (absence.start, absence.end) == (at(2020, 1, 1), at(2022, 1, 1))
    assert after.not_in_plan == ()


@pytest.mark.parametrize("path", [BEIJING_FILE, SHANGYU_FILE], ids=["beijing", "shangyu"])
def test_every_absence_of_the_delivered_air_sites_has_a_line_of_its_own(path: Path) -> None:
    assert all(not site.measures for site in load_registry(path).of_kind("air"))


def test_a_site_that_measures_what_its_kind_does_not_know_is_refused() -> None:
    text = TEXT.replace("    assessment: true\n", "    assessment: true\n    measures: [O3, PM1]\n")
    with pytest.raises(
        ConfigError, match=r"r.yaml:31: sites.1.measures.1: kind air has no factor 'PM1'; name one of PM2.5"
    ):
        parse_registry(parse_yaml(text, "r.yaml"))


def test_dates_are_beijing_days_and_the_last_one_is_inside(registry: Registry) -> None:
    absence = registry.site("SYN-B").not_in_plan[0]
    assert (absence.factor, absence.author, absence.why) == ("CO", "甲", "no analyser")
    assert (absence.start, absence.end) == (at(2024, 3, 1), at(2024, 4, 1))


def test_a_moved_site_has_the_entry_of_its_time(registry: Registry) -> None:
    assert registry.site("SYN-A", at(2022, 7, 1) - 1).lon == 120.8
    assert registry.site("SYN-A", at(2022, 7, 1)).lon == 120.9
    assert registry.site("SYN-A").lon == 120.9
    assert [site.lon for site in registry.entries("SYN-A")] == [120.8, 120.9]


def test_before_its_first_day_a_site_is_not_there(registry: Registry) -> None:
    assert registry.get("SYN-A", at(2019, 12, 31)) is None
    with pytest.raises(UnknownName, match="SYN-A"):
        registry.site("SYN-A", at(2019, 12, 31))


def test_an_unknown_name_is_an_error_and_never_another_site(registry: Registry) -> None:
    assert registry.get("SYN") is None
    assert registry.entries("SYN") == ()
    with pytest.raises(UnknownName, match="the registry has no 'SYN'"):
        registry.site("SYN")


def test_at_an_instant_each_id_has_one_entry(registry: Registry) -> None:
    assert [site.id for site in registry.at(at(2023, 1, 1))] == ["SYN-A"]
    assert [site.id for site in registry.at(at(2025, 1, 1))] == ["SYN-A", "SYN-B"]
    assert registry.at(at(2000, 1, 1)) == ()


def test_sites_are_found_by_kind(registry: Registry) -> None:
    assert registry.of_kind("air") == registry.sites
    assert registry.of_kind("water") == ()


def test_the_order_of_the_file_does_not_matter_to_overlaps() -> None:
    with pytest.raises(ConfigError, match="SYN-A holds already from 2020-01-01 to 2022-07-01"):
        parse_registry(parse_yaml(TEXT.replace("2022-06-30", "2022-07-01"), "r.yaml"))


def test_the_written_schema_is_the_one_that_is_enforced() -> None:
    written = json.loads((ROOT / "sensors/data/registry.schema.json").read_text(encoding="utf-8"))
    assert written == registry_schema()


@pytest.mark.parametrize("path", [BEIJING_FILE, SHANGYU_FILE], ids=lambda path: path.name)
def test_our_registries_keep_to_the_schema(path: Path) -> None:
    jsonschema.validate(read_yaml(path).value, registry_schema())


def test_the_beijing_registry_has_the_twelve_stations_of_the_record() -> None:
    registry = load_registry(BEIJING_FILE)
    assert [site.id for site in registry.sites] == [
        "Aotizhongxin", "Changping", "Dingling", "Dongsi", "Guanyuan", "Gucheng",
        "Huairou", "Nongzhanguan", "Shunyi", "Tiantan", "Wanliu", "Wanshouxigong",
    ]  # fmt: skip
    assert not registry.synthetic
    assert all(not site.synthetic and site.period_ms == HOUR_MS and site.zone == 2 for site in registry.sites)
    assert all("approximate" in site.source for site in registry.sites)
    assert all(site.holds_at(at(2013, 2, 28)) for site in registry.sites)


def test_a_registry_that_is_not_there_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml"):
        load_registry(tmp_path / "none.yaml")


RIVER = """\
region: {zh: 区（模拟）, en: Region (simulated)}
synthetic: true
areas:
  - {id: county, type: county, name: {zh: 县, en: County}, parent: city, origin: document, source: a document}
  - {id: city, type: city, name: {zh: 市, en: City}, origin: document, source: a document}
  - {id: SYN-R, type: river, name: {zh: 河（模拟）, en: River (simulated)}, origin: synthetic, source: a river}
flows:
  - {from: SYN-1, to: SYN-2, hours: 3.5}
  - {from: SYN-3, to: SYN-2, hours: 0}
sites:
"""
SECTION = """\
  - id: SYN-%s
    kind: water
    name: {zh: 断面（模拟）, en: Section (simulated)}
    class: river_section
    lon: 120.9
    lat: 30.0
    county: 上虞区
    areas: [%s]
    setting: {water: river, target: III, control: [county]}
    period: 4h
    origin: synthetic
    source: made for a test
    from: %s
"""


@pytest.fixture(name="river")
def _river() -> Registry:
    sites = SECTION % (1, "county, SYN-R", "2020-01-01") + SECTION % (2, "county", "2022-01-01")
    return parse_registry(parse_yaml(RIVER + sites + SECTION % (3, "", "2020-01-01"), "r.yaml"))


def test_a_site_of_another_kind_has_no_zone_and_its_own_setting(river: Registry) -> None:
    site = river.site("SYN-1")
    assert (site.kind, site.station_class, site.zone, site.period_ms) == ("water", "river_section", 0, 4 * HOUR_MS)
    assert dict(site.setting) == {"water": "river", "target": "III", "control": ("county",)}
    assert hash(site) == hash(site)


def test_a_site_lies_in_its_areas_and_in_those_above(river: Registry) -> None:
    assert [site.areas for site in river.sites] == [("county", "SYN-R", "city"), ("county", "city"), ()]
    assert (river.area("city").parent, river.area("county").parent) == (None, "city")
    assert (river.area("SYN-R").type, river.area("SYN-R").synthetic) == (AreaType.RIVER, True)
    with pytest.raises(UnknownName, match="the registry's areas has no 'town'"):
        river.area("town")


def test_a_site_that_says_what_it_measures_has_nothing_else_in_its_plan() -> None:
    """Of a kind whose index has no fixed items: out for as long as the entry holds."""
    text = (SECTION % (1, "", "2020-01-01")).replace("period: 4h", "period: 4h\n    measures: [pH, TP]")
    site = parse_registry(parse_yaml(RIVER.partition("areas:")[0] + "sites:\n" + text, "r.yaml")).sites[0]
    assert site.measures == ("pH", "TP")
    assert {absence.factor for absence in site.not_in_plan} == set(load_factors("water")) - {"pH", "TP"}
    assert all((absence.start, absence.end) == (site.start, None) for absence in site.not_in_plan)


def test_members_of_an_area_are_those_in_force(river: Registry) -> None:
    then, now = at(2021, 1, 1), at(2023, 1, 1)
    assert [site.id for site in river.members("city", "water", then)] == ["SYN-1"]
    assert [site.id for site in river.members("city", "water", now)] == ["SYN-1", "SYN-2"]
    assert [site.id for site in river.members("SYN-R", "water", now)] == ["SYN-1"]
    assert river.members("city", "air", now) == ()


def test_rivers_are_followed_both_ways(river: Registry) -> None:
    assert [(flow.upstream, flow.hours) for flow in river.upstream("SYN-2")] == [("SYN-1", 3.5), ("SYN-3", 0.0)]
    assert [flow.downstream for flow in river.downstream("SYN-1")] == ["SYN-2"]
    assert river.upstream("SYN-1") == river.downstream("SYN-2") == ()


def test_the_kinds_of_a_registry_are_those_of_its_sites(registry: Registry, river: Registry) -> None:
    assert (registry.kinds, river.kinds) == (("air",), ("water",))


@pytest.mark.parametrize(
    ("kind", "station_class", "period", "setting", "period_ms"),
    [
        ("outfall", "sewage", "day", "{use: sewage}", DAY_MS),
        ("outfall", "plant", "10min", "{use: plant}", 10 * MINUTE_MS),
        ("voc", "point", "minute", "{layer: boundary}", MINUTE_MS),
        ("noise", "functional_zone", "hour", "{zone: 4a}", HOUR_MS),
        ("ecoflow", "cross_section", "hour", "{minimum: null}", HOUR_MS),
        ("meteo", "weather_station", "10min", "{}", 10 * MINUTE_MS),
    ],
)
def test_sites_of_every_delivered_kind_are_taken(
    kind: str, station_class: str, period: str, setting: str, period_ms: int
) -> None:
    text = (SECTION % (1, "", "2020-01-01")).replace("kind: water", f"kind: {kind}")
    text = text.replace("river_section", station_class).replace("period: 4h", f"period: {period}")
    text = text.replace("{water: river, target: III, control: [county]}", setting)
    head = RIVER.partition("areas:")[0] + "sites:\n"
    assert parse_registry(parse_yaml(head + text, "r.yaml")).sites[0].period_ms == period_ms


def test_a_registry_of_many_sites_is_asked_without_a_walk_through_all() -> None:
    registry = parse_registry(parse_yaml(TEXT, "r.yaml"))
    again = Registry(
        region_zh="", region_en="", synthetic=True,
        sites=tuple(replace(registry.sites[0], id=f"SYN-{n}") for n in range(2000)),
    )  # fmt: skip
    assert all(again.entries(f"SYN-{n}")[0].id == f"SYN-{n}" for n in range(2000))
