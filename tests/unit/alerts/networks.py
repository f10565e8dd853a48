"""Kinds of readings that tests of alerts judge, independent of those delivered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from alerts.rules import Rules, parse_rules
from sensors.kinds import Kind as Network
from sensors.kinds import load_kind, parse_kind
from sensors.yamlfile import parse_yaml
from tests.unit.alerts.building import row

WATER = """
kind: water
name: {zh: 地表水, en: surface water}
slot: 4h
fine: 4h
classes: [river_section, drinking_source]
factors:
  TP: {code: w21011, name: {zh: 总磷, en: phosphorus}, unit: mg/L, decimals: 3, low: 0, high: 100, units: {mg/L: 1}}
  biotox: {code: '', name: {zh: 生物毒性, en: toxicity}, unit: '%', decimals: 1, low: -99, high: 100, units: {'%': 1}}
windows: [{name: 4h}, {name: 24h}]
setting:
  target: {type: choice, choices: [I, II, III, IV, V], nullable: true}
"""
NOISE = """
kind: noise
name: {zh: 噪声, en: noise}
slot: 1h
fine: 1h
classes: [functional_zone]
factors:
  Leq: {code: '', name: {zh: 声级, en: L}, unit: dB(A), decimals: 1, low: 0, high: 99, form: energy, units: {dB(A): 1}}
windows: [{name: 1h}]
setting:
  zone: {type: choice, choices: ['0', '1', '2', '3', 4a, 4b], needed: true}
"""
ECOFLOW = """
kind: ecoflow
name: {zh: 生态流量, en: ecological flow}
slot: 1h
fine: 1h
classes: [cross_section]
factors:
  flow: {code: '', name: {zh: 流量, en: flow}, unit: m³/s, decimals: 2, low: 0, high: 99999, units: {m³/s: 1}}
windows: [{name: 1h}]
setting:
  minimum: {type: number, unit: m³/s, nullable: true}
"""
_OWN = {
    name: parse_kind(parse_yaml(text, f"{name}.yaml"))
    for name, text in {"water": WATER, "noise": NOISE, "ecoflow": ECOFLOW}.items()
}


def network_of(name: str) -> Network:
    """Return a kind of readings: the tests' own, else a delivered one."""
    return _OWN.get(name) or load_kind(name)


def rules(text: str, *ids: str) -> Rules:
    """Return rules of a text; with ids only those."""
    made = parse_rules(
        parse_yaml(f"kind: water\nbackfill_after_hours: 24\nrules:\n{text}", "rules.yaml"), None, network_of
    )
    return replace(made, rules=tuple(one for one in made.rules if not ids or one.id in ids))


def water_row(factor: str = "TP", slot: int = 0, value: int | None = 0, **other: Any) -> dict[str, Any]:
    """Return a row of a 4 h slot; ``value`` fixed point with 5 digits, ``slot`` counted from Beijing midnight."""
    made = row(factor, "4h", hour=4 * slot, edition="")
    made |= {"value": value, "digits": 5, "valid": 1, "expected": 1, "at": made["start"] + 5 * 3_600_000}
    return made | other


def class_row(level: int | None, slot: int = 0, **other: Any) -> dict[str, Any]:
    """Return a class of a 4 h slot, 1 to 6; None for no class."""
    return water_row("class", slot, level, digits=0, level=level, primary="TP" if level else "") | other
