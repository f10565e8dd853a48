from __future__ import annotations

from typing import Any

import pytest

from sensors.errors import ConfigError
from sensors.facts import check_setting
from sensors.kinds import Kind, load_kind, parse_kind
from sensors.yamlfile import parse_yaml

KIND = """\
kind: tank
name: {zh: 罐, en: tank}
slot: 1h
fine: 1h
classes: [tank]
factors:
  a: {name: {zh: 甲, en: a}, unit: mg/L, decimals: 0, low: 0, high: 9, units: {mg/L: 1}}
windows: [{name: 1h}]
setting:
  zone: {type: choice, choices: ["0", "1", 4a], needed: true}
  uses: {type: choices, choices: [mill, town]}
  open: {type: flag}
  least: {type: number, unit: m, low: 0, high: 10, nullable: true}
  below: {type: site, nullable: true}
  owner: {type: text}
  method: {type: by_factor, choices: [PID, FID]}
"""
DOCUMENT = parse_yaml("sites: []", "registry.yaml")


@pytest.fixture(name="tank")
def _tank() -> Kind:
    return parse_kind(parse_yaml(KIND, "tank.yaml"))


def checked(kind: Kind, **setting: Any) -> dict[str, Any]:
    return check_setting(DOCUMENT, ("sites", 0, "setting"), {"zone": "0"} | setting, kind)


@pytest.mark.parametrize(
    ("name", "given", "held"),
    [
        ("zone", 1, "1"), ("zone", "4a", "4a"), ("uses", [], ()), ("uses", ["town", "mill"], ("town", "mill")),
        ("open", False, False), ("least", 0, 0.0), ("least", 10, 10.0), ("least", 2.5, 2.5), ("least", None, None),
        ("below", "SYN-1", "SYN-1"), ("below", None, None), ("owner", "环保站", "环保站"), ("method", {}, {}),
        ("method", {"a": "PID"}, {"a": "PID"}),
    ],
)  # fmt: skip
def test_what_a_fact_allows_is_held(tank: Kind, name: str, given: object, held: object) -> None:
    assert checked(tank, **{name: given})[name] == held


@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [
        ("zone", "2", "one of 0, 1, 4a"), ("zone", True, "one of 0"), ("zone", None, "one of 0"),
        ("zone", [1], "one of"),
        ("uses", "mill", "a list of mill, town, each once"), ("uses", ["mill", "mill"], "a list of"),
        ("uses", ["port"], "a list of"), ("open", 1, "true or false"), ("open", "yes", "true or false"),
        ("open", None, "true or false"), ("least", -1, "a number in m from 0 to 10, or null"),
        ("least", 11, "a number"),
        ("least", True, "a number"), ("least", "2 m", "a number"), ("least", float("nan"), "a number"),
        ("below", 3, "the id of a site"), ("below", "", "the id of a site"), ("owner", "  ", "a text"),
        ("owner", None, "a text"), ("method", "PID", "a mapping of factor to one of PID, FID"),
        ("method", {"b": "PID"}, "a mapping"), ("method", {"a": "GC"}, "a mapping"),
    ],
)  # fmt: skip
def test_what_it_does_not_allow_is_told_with_what_it_does(tank: Kind, name: str, given: object, wanted: str) -> None:
    with pytest.raises(ConfigError) as caught:
        checked(tank, **{name: given})
    assert caught.value.key == f"sites.0.setting.{name}"
    assert caught.value.mend.startswith(f"give {wanted}")


def test_what_is_not_given_is_not_there(tank: Kind) -> None:
    assert checked(tank) == {"zone": "0"}


def test_a_needed_fact_must_be_there(tank: Kind) -> None:
    with pytest.raises(ConfigError, match=r"sites\.0\.setting\.zone: missing; add this key: one of 0, 1, 4a"):
        check_setting(DOCUMENT, ("sites", 0, "setting"), {}, tank)


def test_a_kind_without_facts_takes_no_setting() -> None:
    with pytest.raises(ConfigError, match="unknown key; remove it: this kind asks for no setting"):
        check_setting(DOCUMENT, ("sites", 0, "setting"), {"zone": 1}, load_kind("air"))


@pytest.mark.parametrize(
    ("kind", "setting"),
    [
        ("water", {"water": "lake", "target": None, "control": ["source", "county"], "gate": True}),
        ("outfall", {"use": "firm", "receives": None, "permit": None, "sector": "印染", "rectification": "under_way"}),
        ("voc", {"layer": "boundary", "method": {"NMHC": "GC-FID", "TVOC": "PID"}, "basis": "unknown"}),
        ("noise", {"zone": 3}),
        ("ecoflow", {"minimum": None}),
        ("ecoflow", {"minimum": 1.5}),
    ],
)
def test_the_settings_of_delivered_kinds_are_taken(kind: str, setting: dict[str, Any]) -> None:
    assert set(check_setting(DOCUMENT, (), setting, load_kind(kind))) == set(setting)
