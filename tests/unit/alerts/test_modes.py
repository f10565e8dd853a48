"""G12: guarantee, emergency and drill: a named area and period, tighter thresholds, an automatic end."""

from __future__ import annotations

from fractions import Fraction

import pytest

from alerts.modechecks import check_modes
from alerts.modes import NO_MODES, ModeKind, Modes, Side, load_modes, parse_modes
from alerts.rules import load_rules
from sensors.errors import ConfigError
from sensors.yamlfile import parse_yaml

GUARANTEE = """
modes:
  - id: games-2026
    kind: guarantee
    name: {zh: 运动会保障（模拟）, en: games (simulated)}
    areas: [shangyu]
    from: "2026-11-20T08:00:00+08:00"
    to: "2026-11-22T20:00:00+08:00"
    share: 0.8
    thresholds: {pm25-1h: {value: 100, unit: µg/m³}}
    author: 生态环境局（模拟）
    why: 重大活动
"""
START = 1_795_132_800_000
"""2026-11-20 08:00 in Beijing, 00:00 UTC."""
END = START + 60 * 3_600_000
UNITS = {"µg/m³": Fraction(1), "mg/m³": Fraction(1000)}


def modes(text: str = GUARANTEE) -> Modes:
    return parse_modes(parse_yaml(text, "modes.yaml"))


def entry(**other: str) -> str:
    fields = {
        "id": "m", "kind": "guarantee", "name": "{zh: 甲, en: a}", "from": '"2026-11-20T08:00:00+08:00"',
        "to": '"2026-11-22T20:00:00+08:00"', "author": "a", "why": "w",
    }  # fmt: skip
    return "\n  - " + "\n    ".join(f"{key}: {value}" for key, value in (fields | other).items())


def test_a_mode_holds_in_its_area_from_its_begin_until_before_its_end() -> None:
    (mode,) = modes().modes
    assert (mode.start, mode.end) == (START, END)
    times = (START - 1, START, END - 1, END)
    assert [mode.holds(("u", "shangyu"), at) for at in times] == [False, True, True, False]
    assert not mode.holds(("yuecheng",), START)
    assert not mode.holds((), START)


def test_a_mode_without_areas_holds_everywhere() -> None:
    (mode,) = modes(f"modes:{entry()}").modes
    assert mode.holds((), START)
    assert mode.holds(("anywhere",), START)


def test_thresholds_return_by_themselves_at_the_end() -> None:
    found, areas = modes(), ("shangyu",)
    held = [found.threshold("pm25-1h", Fraction(150), UNITS, areas, at) for at in (START - 1, START, END - 1, END)]
    assert [value for value, _ in held] == [150, 100, 100, 150]
    assert [mode.id if mode else "" for _, mode in held] == ["", "games-2026", "games-2026", ""]


def test_a_share_tightens_every_threshold_that_is_not_named_and_a_minimum_upwards() -> None:
    found, areas = modes(), ("shangyu",)
    assert found.threshold("odour-index", Fraction(50), {"1": Fraction(1)}, areas, START)[0] == 40
    raised = found.threshold("ecoflow-minimum", Fraction(8), {}, areas, START, side=Side.BELOW)
    assert raised[0] == 10


def test_no_mode_ever_loosens_a_threshold() -> None:
    found, areas = modes(), ("shangyu",)
    assert found.threshold("pm25-1h", Fraction(60), UNITS, areas, START)[0] == 48  # the share; 100 would be looser


def test_of_two_modes_at_once_the_tightest_threshold_holds() -> None:
    found = modes(f"modes:{entry(id='a', share='0.9')}{entry(id='b', kind='emergency', share='0.5')}")
    value, mode = found.threshold("x", Fraction(100), {}, (), START)
    assert (value, mode.id if mode else "") == (Fraction(50), "b")


def test_a_threshold_in_another_unit_is_held_in_the_canonical_one() -> None:
    found = modes(f"modes:{entry(thresholds='{pm25-1h: {value: 0.1, unit: mg/m³}}')}")
    assert found.threshold("pm25-1h", Fraction(150), UNITS, (), START)[0] == 100


def test_rules_ask_for_a_mode_by_its_kind_or_by_its_id() -> None:
    found = modes()
    for name in ("guarantee", "games-2026"):
        assert found.holds(name, ("shangyu",), START)
    assert not found.holds("emergency", ("shangyu",), START)
    assert not found.holds("games-2026", ("shangyu",), END)


def test_what_a_drill_raises_is_marked_unless_an_emergency_holds_as_well() -> None:
    drill = entry(id="d", kind="drill")
    assert modes(f"modes:{drill}").drill((), START)
    assert not modes(f"modes:{drill}").drill((), END)
    assert not modes(f"modes:{drill}{entry(id='e', kind='emergency')}").drill((), START)
    assert not modes().drill(("shangyu",), START)


def test_begins_and_ends_are_told_in_order() -> None:
    assert modes().changes(0, 2**50) == (START, END)
    assert modes().changes(START + 1, END) == ()


def test_without_a_file_there_are_no_modes() -> None:
    assert load_modes(None) is NO_MODES
    assert NO_MODES.threshold("x", Fraction(3), {}, (), 0) == (Fraction(3), None)


def test_modes_are_read_in_the_order_of_the_file_with_author_and_reason() -> None:
    (mode,) = modes().modes
    assert (mode.kind, mode.author, mode.why, mode.name_zh) == (
        ModeKind.GUARANTEE,
        "生态环境局（模拟）",
        "重大活动",
        "运动会保障（模拟）",
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (entry(to='"2026-11-20T08:00:00+08:00"'), "modes.0.to"),
        (entry(to='"2028-01-01T00:00:00+08:00"'), "more than a year"),
        (entry(to='"2026-11-22T20:00:00"'), "modes.0.to"),
        (entry(share="0"), "modes.0.share"),
        (entry(share="1.2"), "modes.0.share"),
        (entry(kind="party"), "modes.0.kind"),
        (entry(until="x"), "modes.0.until: unknown key"),
        (entry() + entry(), "modes.1.id: m is given twice"),
        (entry(areas="[atlantis]"), "modes.0.areas.0: no area 'atlantis'"),
    ],
)
def test_a_wrong_mode_is_refused_with_file_line_and_key(text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=r"modes.yaml:\d+: ") as caught:
        parse_modes(parse_yaml(f"modes:{text}", "modes.yaml"), areas=["shangyu"])
    assert told in str(caught.value)


def test_a_mode_without_an_end_is_refused() -> None:
    text = f"modes:{entry()}".replace('    to: "2026-11-22T20:00:00+08:00"\n', "")
    with pytest.raises(ConfigError, match="to: missing"):
        modes(text)


@pytest.mark.parametrize(
    ("thresholds", "told"),
    [
        ("{pm25: {value: 100, unit: µg/m³}}", "no rule 'pm25' with a threshold; name one of odour-index, pm25-1h"),
        ("{limit-1h: {value: 100, unit: µg/m³}}", "no rule 'limit-1h' with a threshold"),
        ("{pm25-1h: {value: 100, unit: m}}", "'m' is no unit of PM2.5"),
        ("{pm25-1h: {value: 0.2, unit: mg/m³}}", "0.2 mg/m³ is looser than the rule's own"),
    ],
)
def test_a_threshold_that_fits_no_rule_is_refused(thresholds: str, told: str) -> None:
    document = parse_yaml(f"modes:{entry(thresholds=thresholds)}", "modes.yaml")
    with pytest.raises(ConfigError, match=r"modes.yaml:\d+: ") as caught:
        check_modes(document, parse_modes(document), load_rules())
    assert told in str(caught.value)


def test_thresholds_that_fit_the_delivered_rules_are_taken() -> None:
    document = parse_yaml(GUARANTEE, "modes.yaml")
    check_modes(document, parse_modes(document), load_rules())
