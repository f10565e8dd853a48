"""What tests of alerts are made of: sites, result rows, rules and points."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from alerts.columns import Columns, columns_of
from alerts.rules import Rule, Rules, load_rules
from alerts.verdicts import Cause, Judge, Point, Verdict
from sensors.clock import HOUR_MS, first_hour_of_day
from sensors.registry import Registry, Site
from streams.results import AQI, RESULT_SCHEMA, ResultHead, encode_results
from streams.standards import day_number, load_standards

PACK = "pack"
DIGITS = {"CO": 3, AQI: 0}
DAY_0 = 20_800
"""A Beijing day under the editions of 2026: 2026-12-13."""
HOUR_0 = first_hour_of_day(DAY_0)
T0 = HOUR_0 * HOUR_MS

RULES_FILE = Path(__file__).parents[2] / "data" / "rules.yaml"


def day_ms(date: Any) -> int:
    return first_hour_of_day(day_number(date)) * HOUR_MS


def site(name: str = "A", zone: int = 2, **other: Any) -> Site:
    made: dict[str, Any] = {
        "id": name, "kind": "air", "name_zh": name, "name_en": name, "station_class": "urban", "lon": 120.0,
        "lat": 30.0, "county": "c", "township": "t", "zone": zone, "period_ms": 60_000,
        "synthetic": True, "source": "test",
        "start": 0, "end": None, "not_in_plan": (), "assessment": True,
    }  # fmt: skip
    return Site(**(made | other))


def registry(*sites: Site) -> Registry:
    return Registry(region_zh="r", region_en="r", synthetic=True, sites=sites or (site(),))


def row(
    factor: str = "PM2.5", window: str = "1h", hour: int = 0, value: int | None = 0, **other: Any
) -> dict[str, Any]:
    """Return a result row; ``value`` in whole canonical units, ``hour`` counted from `HOUR_0`."""
    digits = DIGITS.get(factor, 2)
    start = T0 + hour * HOUR_MS
    made = {
        "site": "A", "factor": factor, "window": window, "start": start, "edition": "HJ633-2026",
        "value": None if value is None else value * 10**digits, "digits": digits, "valid": 60, "expected": 60,
        "reason": "", "detail": "", "flags": 0, "iaqi": None, "level": None, "primary": "", "revision": 1,
        "inputs": 7, "at": start + HOUR_MS + 60_000,
    }  # fmt: skip
    return made | other


def batch(*rows: dict[str, Any]) -> pa.RecordBatch:
    arrays = []
    for field in RESULT_SCHEMA:
        values = [one[field.name] for one in rows]
        if pa.types.is_dictionary(field.type):
            arrays.append(pa.array(values, pa.utf8()).dictionary_encode().cast(field.type))
        else:
            arrays.append(pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=RESULT_SCHEMA)


def columns(*rows: dict[str, Any], network: str = "air") -> Columns:
    return columns_of(batch(*rows), PACK, network)


def message(*rows: dict[str, Any], network: str = "air") -> bytes:
    return encode_results(ResultHead(kind=network, pack=PACK), batch(*rows))


def threshold(**other: Any) -> Rule:
    """Return the tests' rule PM2.5 1 h > 75, changed as wished."""
    return replace(only("pm25-1h").rules[0], **other)


def only(*ids: str) -> Rules:
    """Return some of the packaged rules."""
    rules = load_rules(RULES_FILE)
    return replace(rules, rules=tuple(rule for rule in rules.rules if rule.id in ids))


def rules_of(*rules: Rule) -> Rules:
    return replace(load_rules(RULES_FILE), rules=rules)


def judge(rules: Rules, sites: Registry | None = None) -> Judge:
    return Judge(rules, sites or registry(), load_standards())


def point(hour: int, verdict: Verdict = Verdict.OVER, value: int | None = 80, **other: Any) -> Point:
    """Return a point of hour ``hour`` counted from `HOUR_0`."""
    made: dict[str, Any] = {
        "window": "1h", "start": T0 + hour * HOUR_MS, "period": HOUR_0 + hour, "verdict": verdict,
        "cause": Cause.VALUE if verdict is Verdict.OVER else Cause.NONE, "to_verify": False, "revision": 1,
        "at": T0 + (hour + 1) * HOUR_MS, "value": None if value is None else value * 100, "digits": 2, "bound": None,
        "level": None, "edition": "HJ633-2026", "valid": 60, "expected": 60, "reason": "", "detail": "", "flags": 0,
        "inputs": "07", "pack": PACK,
    }  # fmt: skip
    return Point(**(made | other))
