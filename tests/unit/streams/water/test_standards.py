from __future__ import annotations

import copy
from datetime import date
from fractions import Fraction
from importlib.resources import files
from typing import Any

import pytest
import yaml

from sensors.errors import ConfigError, UnknownName
from streams.standards import day_number
from streams.water.standards import PACK_FILES, Body, Profile, load_water_standards, parse_water_standards

# Typed from GB 3838-2002 table 1: item, then the limits of class I to V.
TABLE_1 = """
DO              7.5     6      5      3      2
CODMn           2       4      6      10     15
COD             15      15     20     30     40
BOD5            3       3      4      6      10
NH3-N           0.15    0.5    1.0    1.5    2.0
Cu              0.01    1.0    1.0    1.0    1.0
Zn              0.05    1.0    1.0    2.0    2.0
fluoride        1.0     1.0    1.0    1.5    1.5
Se              0.01    0.01   0.01   0.02   0.02
As              0.05    0.05   0.05   0.1    0.1
Hg              0.00005 0.00005 0.0001 0.001 0.001
Cd              0.001   0.005  0.005  0.005  0.01
Cr6             0.01    0.05   0.05   0.05   0.1
Pb              0.01    0.01   0.05   0.05   0.1
cyanide         0.005   0.05   0.2    0.2    0.2
volatile_phenol 0.002   0.002  0.005  0.01   0.1
petroleum       0.05    0.05   0.05   0.5    1.0
LAS             0.2     0.2    0.2    0.3    0.3
sulfide         0.05    0.1    0.2    0.5    1.0
faecal_coliform 200     2000   10000  20000  40000
"""
ROWS = [line.split() for line in TABLE_1.strip().split("\n")]
LIMITS = load_water_standards().limits[0]
RULES = load_water_standards().evaluations[0]


def exact(*texts: str) -> tuple[Fraction, ...]:
    return tuple(map(Fraction, texts))


def pack() -> dict[str, Any]:
    folder = files("streams").joinpath("data")
    return {name: yaml.safe_load(folder.joinpath(name).read_text(encoding="utf-8")) for name in PACK_FILES}


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_every_limit_of_table_1_is_the_printed_one_in_rivers_and_lakes(row: list[str]) -> None:
    item = LIMITS.items[row[0]]
    assert item.of(Body.RIVER) == item.of(Body.LAKE) == exact(*row[1:])


def test_phosphorus_and_nitrogen_have_limits_of_their_own_in_lakes() -> None:
    assert LIMITS.items["TP"].river == exact("0.02", "0.1", "0.2", "0.3", "0.4")
    assert LIMITS.items["TP"].lake == exact("0.01", "0.025", "0.05", "0.1", "0.2")
    assert LIMITS.items["TN"].lake == exact("0.2", "0.5", "1.0", "1.5", "2.0")
    assert LIMITS.items["TN"].river == ()


def test_table_1_has_every_item_once_and_ph_is_a_range() -> None:
    assert set(LIMITS.items) == {row[0] for row in ROWS} | {"pH", "TP", "TN"}
    assert LIMITS.items["pH"].river == exact("6", "9")


def test_table_2_has_the_five_items_of_drinking_sources() -> None:
    assert {name: item.river for name, item in LIMITS.source_items.items()} == {
        "sulfate": exact("250"), "chloride": exact("250"), "nitrate": exact("10"),
        "Fe": exact("0.3"), "Mn": exact("0.1"),
    }  # fmt: skip


def test_the_method_judges_21_items_and_neither_nitrogen_coliforms_nor_temperature() -> None:
    items = RULES.profiles[Profile.EVALUATION].items
    assert len(items) == len(set(items)) == 21
    assert not {"TN", "faecal_coliform", "wtemp"} & set(items)
    assert set(items) <= set(LIMITS.items)
    assert RULES.profiles[Profile.PLATFORM].items == ("pH", "DO", "CODMn", "NH3-N", "TP")


def test_every_judged_item_has_its_evaluation_decimals() -> None:
    assert set(RULES.profiles[Profile.EVALUATION].items) <= set(RULES.decimals)
    assert (RULES.decimals["pH"], RULES.decimals["TP"], RULES.decimals["Hg"]) == (0, 3, 5)


def test_the_edition_is_that_of_the_day_and_none_before_the_first() -> None:
    standards = load_water_standards()
    first = day_number(date(2002, 6, 1))
    assert standards.limits_at(first).name == "GB3838-2002"
    with pytest.raises(UnknownName, match="GB 3838"):
        standards.limits_at(first - 1)


def test_the_pack_names_its_content() -> None:
    changed = pack()
    assert parse_water_standards(changed).pack == load_water_standards().pack
    changed["tli.yaml"]["editions"][0]["digits"] = 3
    assert parse_water_standards(changed).pack != load_water_standards().pack


@pytest.mark.parametrize(
    ("file", "path", "value"),
    [
        ("gb3838.yaml", ("classes", "rows", 2, "at"), [2, 4, 3, 10, 15]),
        ("gb3838.yaml", ("classes", "rows", 1, "at"), [7.5, 6, 5, 3]),
        ("gb3838.yaml", ("classes", "rows", 1, "rule"), "about"),
        ("gb3838.yaml", ("classes", "confidence"), "sure"),
        ("water_evaluation.yaml", ("ratings", "rows", 0, "class"), 2),
        ("water_evaluation.yaml", ("profiles",), {"guess": {}}),
        ("tli.yaml", ("items", 0), {"factor": "Chla"}),
    ],
)
def test_a_pack_that_cannot_be_right_names_its_file(file: str, path: tuple[Any, ...], value: Any) -> None:
    changed = copy.deepcopy(pack())
    place = changed[file]["editions"][0]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(ConfigError, match=file):
        parse_water_standards(changed)


def test_editions_must_follow_day_by_day() -> None:
    changed = pack()
    changed["gb3838.yaml"]["editions"] *= 2
    with pytest.raises(ConfigError, match="gap"):
        parse_water_standards(changed)
