from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from alerts.rules import Kind, Rules, load_rules, parse_rules
from sensors.areas import Area
from sensors.errors import ConfigError
from sensors.kinds import kind_names, load_kind
from sensors.registryfile import AreaType
from sensors.yamlfile import parse_yaml
from streams.results import AQI, Window
from streams.standards import load_standards
from tests.unit.alerts.building import registry, site

HEAD = "kind: air\nbackfill_after_hours: 6\nrules:\n"


def parsed(text: str) -> Rules:
    return parse_rules(parse_yaml(HEAD + text, "rules.yaml"), load_standards())


def test_packaged_rules_are_taken_and_every_limit_is_one_that_a_standard_gives() -> None:
    rules = load_rules(standards=load_standards())
    # Noise reads what the packs judged; `zone` is left for rules of an office's own; `standing` is the system's.
    assert {rule.kind for rule in rules.rules} == set(Kind) - {Kind.ZONE, Kind.STANDING}
    assert rules.backfill_after_ms == 6 * 3_600_000


def test_packaged_limits_lie_on_the_windows_that_the_rulings_name() -> None:
    limits = {(f, rule.window) for rule in load_rules().rules if rule.kind is Kind.LIMIT for f in rule.factors}
    hourly = {(factor, Window.HOUR) for factor in ("SO2", "NO2", "CO", "O3")}
    daily = {(factor, Window.DAY) for factor in ("PM2.5", "PM10", "SO2", "NO2", "CO")}
    assert limits == hourly | daily | {("O3", Window.MDA8)}


def test_packaged_threshold_names_an_author_and_a_reason() -> None:
    (rule,) = load_rules().versions("pm25-1h")
    assert (rule.threshold, rule.author, rule.factors) == (Fraction(150), "默认配置", ("PM2.5",))
    assert rule.why
    assert rule.author_en.isascii()
    assert rule.why_en.isascii()


def test_every_delivered_threshold_names_its_author_in_both_languages() -> None:
    for rule in load_rules().rules:
        if rule.kind is Kind.THRESHOLD:
            assert rule.author
            assert rule.author_en


@pytest.mark.parametrize("network", kind_names())
def test_every_delivered_kind_of_readings_has_a_rule_for_no_data(network: str) -> None:
    found = [rule for rule in load_rules().rules if rule.network == network and rule.kind is Kind.NO_DATA]
    assert [rule.window for rule in found] == ["4h" if network == "water" else "1h"]


def test_drinking_water_comes_before_everything_else() -> None:
    rules = {rule.id: rule for rule in load_rules().rules}
    assert rules["source-biotox"].priority == rules["source-class"].priority == 1
    assert rules["source-biotox"].classes == {"drinking_source"}
    assert rules["water-v"].priority == 2


def test_noise_has_no_limits_of_its_own_beside_those_of_the_standard() -> None:
    """GB 3096 stands once, in the packs: the rule reads what was judged by it."""
    (rule,) = load_rules().versions("noise-zone")
    assert (rule.kind, rule.network, rule.windows, rule.zones) == (Kind.FINDING, "noise", frozenset({"1h"}), None)
    assert "limits" in load_kind("noise").evaluations


def test_rule_of_no_data_and_of_levels_looks_at_the_index() -> None:
    rules = {rule.id: rule for rule in load_rules().rules}
    assert rules["no-data"].factors == rules["aqi-moderate"].factors == (AQI,)
    assert (rules["aqi-moderate"].level, rules["aqi-heavy"].level) == (4, 5)


def test_a_threshold_in_another_unit_is_converted_exactly() -> None:
    rules = parsed(
        "  - {id: co, kind: threshold, factor: CO, window: 1h, value: 2500, unit: µg/m³, author: 张, why: 试}"
    )
    assert rules.rules[0].threshold == Fraction(5, 2)


def test_versions_of_a_rule_follow_each_other_by_date() -> None:
    rules = parsed(
        "  - {id: a, kind: level, window: 1h, level: 3, to: 2026-11-30}\n"
        "  - {id: a, kind: level, window: 1h, level: 4, from: 2026-12-01}\n"
    )
    early, late = rules.versions("a")
    assert early.end == late.start
    assert early.holds_at(late.start - 1)
    assert not early.holds_at(late.start)
    assert late.holds_at(late.start)


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("  - {id: a, kind: limit, factors: [PM2.5], window: 1h}", 4, "rules.0.factors.0"),
        ("  - {id: a, kind: limit, factors: [O3], window: 8h}", 4, "rules.0.window"),
        ("  - {id: a, kind: limit, factors: [O4], window: 1h}", 4, "rules.0.factors.0"),
        ("  - {id: a, kind: limit, factors: [], window: 1h}", 4, "rules.0.factors"),
        ("  - id: a\n    kind: threshold\n    factor: PM2.5\n    window: 1h\n    value: 7\n    unit: µg/m³\n    why: x",
         4, "rules.0.author"),
        ("  - {id: a, kind: threshold, factor: PM2.5, window: 8h, value: 7, unit: µg/m³, author: x, why: x}",
         4, "rules.0.window"),
        ("  - {id: a, kind: threshold, factor: PM2.5, window: 8h_platform, value: 7, unit: µg/m³, author: x, why: x}",
         4, "rules.0.window"),
        ("  - {id: a, kind: threshold, factor: PM2.5, window: 1h, value: 7, unit: ppb, author: x, why: x}",
         4, "rules.0.unit"),
        ("  - {id: a, kind: threshold, factor: PM2.5, window: 1h, value: 0, unit: µg/m³, author: x, why: x}",
         4, "rules.0.value"),
        ("  - {id: a, kind: threshold, factor: PM9, window: 1h, value: 1, unit: µg/m³, author: x, why: x}",
         4, "rules.0.factor"),
        ("  - {id: a, kind: level, window: 1h, level: 7}", 4, "rules.0.level"),
        ("  - {id: a, kind: level, window: 8h, level: 3}", 4, "rules.0.window"),
        ("  - {id: a, kind: level, window: 1h, level: 3, factors: [O3]}", 4, "rules.0.factors"),
        ("  - {id: a, kind: levle, window: 1h}", 4, "rules.0.kind"),
        ("  - {id: A b, kind: no_data}", 4, "rules.0.id"),
        ("  - {id: a, kind: no_data, raise_after: 0}", 4, "rules.0.raise_after"),
        ("  - {id: a, kind: no_data, from: 2026-02-02, to: 2026-02-01}", 4, "rules.0.to"),
        ("  - {id: a, kind: no_data}\n  - {id: a, kind: no_data, from: 2026-01-01}", 5, "rules.1.id"),
        ("  - {id: a, kind: no_data, to: 2026-01-01}\n  - {id: a, kind: level, window: 24h, level: 3}",
         5, "rules.1.id"),
        ("  - {id: a, kind: no_data, covers: [b]}\n  - {id: b, kind: no_data, covers: [a]}", 4, "rules.0.covers.0"),
        ("  - {id: a, network: water, kind: no_data, where: {cleared: [class_v, clas_v]}}", 4,
         "rules.0.where.cleared.1"),
        ("  - {id: a, network: outfall, kind: no_data, where: {gate: ['yes']}}", 4, "rules.0.where.gate.0"),
        ("  - {id: a, network: outfall, kind: finding, windows: [1h, 2h]}", 4, "rules.0.windows.1"),
        ("  - {id: a, network: outfall, kind: finding, windows: [1hh]}", 4, "rules.0.windows.0"),
        ("  - {id: a, network: outfall, kind: finding, windows: [1h], factors: [CODD.limit]}", 4, "rules.0.factors.0"),
        ("  - {id: a, network: outfall, kind: finding, windows: [1h], factors: [COD]}", 4, "rules.0.factors.0"),
        ("  - {id: a, network: outfall, kind: finding, windows: [1h], factors: [dry_wether]}", 4, "rules.0.factors.0"),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_refused_with_line_and_key(text: str, line: int, key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parsed(text)
    assert (refused.value.file, refused.value.line, refused.value.key) == ("rules.yaml", line, key)
    assert refused.value.mend


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("  - {id: a, kind: no_data, sites: [A, X]}", "rules.0.sites.1"),
        ("  - {id: a, kind: no_data, areas: [prak]}", "rules.0.areas.0"),
        ("  - {id: a, network: outfall, kind: no_data, sites: [A]}", "rules.0.sites.0"),
    ],
)
def test_a_site_or_area_that_the_registry_does_not_hold_is_refused(text: str, key: str) -> None:
    park = Area(id="park", type=AreaType.PARK, name_zh="园", name_en="park", parent=None, synthetic=True, source="test")
    known = replace(registry(site("A", areas=("park",))), areas=(park,))
    with pytest.raises(ConfigError) as refused:
        parse_rules(parse_yaml(HEAD + text, "rules.yaml"), load_standards(), registry=known)
    assert (refused.value.line, refused.value.key) == (4, key)
    good = HEAD + "  - {id: a, kind: no_data, sites: [A]}\n  - {id: b, kind: no_data, sites: [park], areas: [park]}"
    assert len(parse_rules(parse_yaml(good, "rules.yaml"), registry=known).rules) == 2
    assert len(parsed(text).rules) == 1


def test_a_limit_on_a_window_of_no_standard_is_refused_with_the_way_out() -> None:
    with pytest.raises(ConfigError, match="threshold with an author"):
        parsed("  - {id: a, kind: limit, factors: [PM2.5], window: 1h}")


def test_a_rules_file_is_read_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(HEAD + "  - {id: a, kind: no_data, raise_after: 3, sites: [S1]}\n", encoding="utf-8")
    (rule,) = load_rules(path).rules
    assert (rule.raise_after, rule.sites) == (3, frozenset({"S1"}))


def test_a_rules_file_that_is_not_there_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        load_rules(tmp_path / "none.yaml")
