"""Kinds that stand nowhere in the code: a file each, and their readings go from text to frames and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import jsonschema
import numpy as np
import pyarrow as pa
import pytest

from sensors.clock import BEIJING, DAY_MS, HOUR_MS, ms_of
from sensors.deadletters import Refusal
from sensors.errors import ConfigError, UnknownName
from sensors.frames import OTHER, Frame, FrameHead, decode, encode_frame
from sensors.intake import Delivery, Taken, TextBlock, take
from sensors.kinds import Kind, kind_names, kind_schema, load_kind
from sensors.layouts import Label, Layout
from sensors.registry import Registry, load_registry
from sensors.yamlfile import read_yaml

GREENHOUSE = """\
kind: greenhouse
name: {zh: 温室气体, en: greenhouse gases}
slot: 1h
fine: 1min
classes: [tower]
factors:
  CO2: {name: {zh: 二氧化碳, en: carbon dioxide}, unit: ppm, decimals: 2, low: 200, high: 5000,
        units: {ppm: 1, ppb: 1/1000}}
  CH4: {name: {zh: 甲烷, en: methane}, unit: ppb, decimals: 1, low: 500, high: 50000, units: {ppb: 1, ppm: 1000}}
windows:
  - {name: 1h, needs: [{share: 0.75, source: a test, confidence: not_seen}]}
  - {name: 24h, needs: [{at_least: 18, source: a test, confidence: not_seen}]}
  - {name: 24h_max, factors: [CH4]}
quality:
  - {test: rate_of_change, factors: [CO2], numbers: {per_slot: 100000 ppb}, source: a test}
setting:
  height: {type: number, unit: m, low: 0, high: 300, needed: true}
"""
SITE = """\
  - id: SYN-{id}
    kind: {kind}
    name: {{zh: 塔（模拟）, en: Tower (simulated)}}
    class: {station_class}
    lon: 120.9
    lat: 30.0
    county: 上虞区
    setting: {setting}
    period: hour
    origin: synthetic
    source: made for a test
    from: 2020-01-01
"""
LAYOUT = Layout(label=Label.START)
DELIVERY = Delivery(source="test", received_ms=ms_of(datetime(2026, 6, 2, tzinfo=BEIJING)))


def folder(path: Path, kind: str, text: str, site: str) -> Registry:
    (path / "kinds").mkdir()
    (path / "kinds" / f"{kind}.yaml").write_text(text, encoding="utf-8")
    head = "region: {zh: 区（模拟）, en: Region (simulated)}\nsynthetic: true\nsites:\n"
    (path / "registry.yaml").write_text(head + site, encoding="utf-8")
    return load_registry(path / "registry.yaml")


def taken(kind: Kind, registry: Registry, site: str, columns: Mapping[str, str], layout: Layout = LAYOUT) -> Taken:
    cells = {"time": "2026-06-01 08:00", "site": site, **columns}
    table = pa.table({name: pa.array([text]) for name, text in cells.items()})
    block = TextBlock(file="f.csv", columns=table, lines=np.array([2], np.int64))
    return take(block, layout, registry=registry, factors=kind.factors, delivery=DELIVERY)


@pytest.fixture(name="tower")
def _tower(tmp_path: Path) -> tuple[Kind, Registry]:
    site = SITE.format(id="T1", kind="greenhouse", station_class="tower", setting="{height: 80}")
    registry = folder(tmp_path, "greenhouse", GREENHOUSE, site)
    return load_kind("greenhouse", tmp_path / "kinds"), registry


def test_a_file_beside_the_registry_is_a_kind(tower: tuple[Kind, Registry], tmp_path: Path) -> None:
    kind, registry = tower
    assert "greenhouse" in kind_names(tmp_path / "kinds")
    assert "greenhouse" not in kind_names()
    assert registry.kinds == ("greenhouse",)
    assert dict(registry.site("SYN-T1").setting) == {"height": 80.0}
    assert (kind.slot_ms, kind.fine_ms, kind.window("24h_max").factors) == (HOUR_MS, 60_000, ("CH4",))
    assert kind.quality[0].numbers == {"per_slot": 100}
    jsonschema.validate(read_yaml(tmp_path / "kinds/greenhouse.yaml").value, kind_schema())


def test_without_its_file_the_same_registry_is_refused(tmp_path: Path) -> None:
    site = SITE.format(id="T1", kind="greenhouse", station_class="tower", setting="{height: 80}")
    with pytest.raises(ConfigError, match=r"no kind 'greenhouse'; name one of .*kinds/greenhouse\.yaml"):
        folder(tmp_path, "other", GREENHOUSE.replace("kind: greenhouse", "kind: other"), site)


def test_its_readings_become_frames_in_its_own_units(tower: tuple[Kind, Registry]) -> None:
    kind, registry = tower
    found = taken(kind, registry, "SYN-T1", {"CO2": "421.55", "CH4(ppm)": "1.9346"})
    assert found.letters == ()
    head = FrameHead(kind=kind.name, period_ms=HOUR_MS, source="test", sequence=1, synthetic=True)
    frame = decode(encode_frame(Frame(head=head, rows=found.rows)))
    assert isinstance(frame, Frame)
    assert frame.rows.equals(found.rows)
    assert frame.rows.column("CO2").to_pylist() == [4_215_500]
    assert frame.rows.column("CH4").to_pylist() == [1_934_600]


def test_a_factor_that_the_kind_does_not_know_is_kept_raw_and_told(tower: tuple[Kind, Registry]) -> None:
    kind, registry = tower
    found = taken(kind, registry, "SYN-T1", {"CO2": "421.5", "N2O": "331.2"})
    assert found.rows.column(OTHER).to_pylist() == [[("N2O", "331.2")]]
    assert [letter.reason for letter in found.letters] == [Refusal.UNKNOWN_COLUMN]


def wide_kind(count: int) -> str:
    names = [f"S{number:03}" for number in range(count)]
    rows = "".join(
        f"  {name}: {{name: {{zh: 组分{name}, en: species {name}}}, unit: µg/m³, decimals: 2, low: 0, high: 100000, "
        "units: {µg/m³: 1}}\n"
        for name in names
    )
    return (
        "kind: species\nname: {zh: 组分, en: species}\nslot: 1h\nfine: 1h\nclasses: [photochemical]\n"
        f"factors:\n{rows}windows: [{{name: 1h}}]\n"
    )


@pytest.mark.parametrize("count", [60, 120])
def test_a_record_of_a_hundred_species_is_taken_sent_and_read_back(count: int, tmp_path: Path) -> None:
    site = SITE.format(id="P1", kind="species", station_class="photochemical", setting="{}")
    registry = folder(tmp_path, "species", wide_kind(count), site)
    kind = load_kind("species", tmp_path / "kinds")
    values = {name: f"{place}.25" for place, name in enumerate(kind.factors)}
    found = taken(kind, registry, "SYN-P1", values)
    assert found.letters == ()
    head = FrameHead(kind="species", period_ms=HOUR_MS, source="test", sequence=1)
    frame = decode(encode_frame(Frame(head=head, rows=found.rows)))
    assert isinstance(frame, Frame)
    assert [frame.rows.column(name)[0].as_py() for name in kind.factors] == [n * 10_000 + 2500 for n in range(count)]


def test_water_is_taken_by_symbol_code_other_code_and_chinese_name(tmp_path: Path) -> None:
    site = SITE.format(id="W1", kind="water", station_class="river_section", setting="{water: river}")
    registry = folder(tmp_path, "unused", GREENHOUSE.replace("kind: greenhouse", "kind: unused"), site)
    kind = load_kind("water")
    columns = {
        "NH3-N": "0.512",
        "w21011(mg/l)": "0.1",
        "w20119(ug/L)": "5",
        "溶解氧（mg/L）": "7.8",
        "电导率(uS/cm)": "310",
    }
    found = taken(kind, registry, "SYN-W1", columns)
    assert found.letters == ()
    row = {name: found.rows.column(name)[0].as_py() for name in ("NH3-N", "TP", "As", "DO", "EC")}
    assert row == {"NH3-N": 51_200, "TP": 10_000, "As": 50_000, "DO": 78_000, "EC": 310_000}


@pytest.mark.parametrize(
    ("period_ms", "good", "bad"),
    [(4 * HOUR_MS, "2026-06-01 04:00", "2026-06-01 06:00"), (DAY_MS, "2026-06-01 00:00", "2026-06-01 08:00")],
)
def test_longer_periods_begin_on_the_beijing_day(period_ms: int, good: str, bad: str, tmp_path: Path) -> None:
    site = SITE.format(id="W1", kind="water", station_class="river_section", setting="{water: river}")
    registry = folder(tmp_path, "unused", GREENHOUSE.replace("kind: greenhouse", "kind: unused"), site)
    layout = Layout(label=Label.START, period_ms=period_ms)
    water = load_kind("water")
    assert taken(water, registry, "SYN-W1", {"time": good, "TP": "0.1"}, layout).rows.num_rows == 1
    refused = taken(water, registry, "SYN-W1", {"time": bad, "TP": "0.1"}, layout)
    assert [letter.reason for letter in refused.letters] == [Refusal.IMPOSSIBLE_TIME]


def test_a_file_in_place_of_a_delivered_kind_may_change_its_rules_and_not_its_numbers(tmp_path: Path) -> None:
    delivered = Path(__file__).parents[3] / "sensors/data/kinds/water.yaml"
    text = delivered.read_text(encoding="utf-8")
    (tmp_path / "water.yaml").write_text(text.replace("at_least: 4", "at_least: 6"), encoding="utf-8")
    needs = load_kind("water", tmp_path).window("24h").needs_on(20_000)
    assert needs is not None
    assert needs.at_least == 6
    digits = text.replace(
        "unit: mg/L, decimals: 3, low: 0, high: 1000, units", "unit: mg/L, decimals: 2, low: 0, high: 1000, units"
    )
    (tmp_path / "water.yaml").write_text(digits, encoding="utf-8")
    with pytest.raises(ConfigError, match="the delivered kind water has NH3-N in mg/L with 5 stored digits"):
        load_kind("water", tmp_path)


def test_a_file_must_be_called_as_its_kind(tmp_path: Path) -> None:
    (tmp_path / "ghg.yaml").write_text(GREENHOUSE, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"name the file greenhouse\.yaml"):
        load_kind("ghg", tmp_path)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "greenhouse.yaml"
    path.write_text(GREENHOUSE, encoding="utf-8")
    assert load_kind("greenhouse", tmp_path).classes == ("tower",)
    path.write_text(GREENHOUSE.replace("[tower]", "[mast, tower]"), encoding="utf-8")
    assert load_kind("greenhouse", tmp_path).classes == ("mast", "tower")


@pytest.mark.parametrize("name", ["soil", "../air", "", "kinds/air", "Air"])
def test_an_unknown_kind_is_an_error_whatever_its_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownName):
        load_kind(name, tmp_path)
