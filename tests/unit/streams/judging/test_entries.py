from __future__ import annotations

import pytest

from sensors.factors import load_factors
from sensors.registry import parse_registry
from sensors.yamlfile import parse_yaml
from streams.judging.entries import entries_of

REGISTRY = """\
region: {zh: 区, en: Region}
synthetic: false
sites:
  - {id: S, kind: water, name: {zh: 断面, en: Section}, class: river_section, lon: 120, lat: 30, county: 某区,
     setting: {water: river}, period: 4h, origin: document, source: a test, from: 2020-01-01%s}
"""


@pytest.mark.parametrize(
    ("measures", "expected"),
    [
        ("", {"wtemp", "pH", "DO", "EC", "NTU", "CODMn", "NH3-N", "TP", "TN"}),
        (", measures: [pH, TP, Cu]", {"pH", "TP", "Cu"}),
    ],
)
def test_silence_is_a_finding_of_what_a_site_measures_or_of_what_is_usual(measures: str, expected: set[str]) -> None:
    registry = parse_registry(parse_yaml(REGISTRY % measures, "registry.yaml"))
    factors = load_factors("water")
    entries = entries_of(registry.sites, factors)
    found = {symbol for symbol, owed in zip(factors, entries.expected[:, 0], strict=True) if owed}
    assert found == expected
