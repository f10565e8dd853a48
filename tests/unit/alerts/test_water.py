"""Water, noise and ecological flow by the same machinery: classes, minima, zones, silence of a site."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from alerts.desk import Alert, Desk
from alerts.journal import open_journal
from alerts.keeper import Keeper
from alerts.rules import Rules
from alerts.states import State
from alerts.texts import Language, because, title
from alerts.verdicts import Cause, Judge, Point, Verdict
from sensors.errors import ConfigError
from sensors.flags import Mark
from streams.standards import load_standards
from tests.unit.alerts.building import T0, columns, registry, row, site
from tests.unit.alerts.networks import class_row, network_of, rules, water_row

RIVER = site("A", kind="water", station_class="river_section", setting={"target": "III"})
UNSET = site("B", kind="water", station_class="drinking_source", setting={"target": None})
TARGET = "  - {id: target, kind: class, window: 4h, against: target, confirm_after: 2}\n"
SOURCES = "  - {id: source, kind: class, window: 4h, level: 4, classes: [drinking_source], priority: 1}\n"
FLOW = "  - {id: flow, network: ecoflow, kind: minimum, factor: flow, window: 1h, setting: minimum}\n"
ZONES = (
    "  - {id: zones, network: noise, kind: zone, factor: Leq, window: 1h, setting: zone, standard: GB 3096-2008,\n"
    "     table: '1', clause: '5', source: s, confidence: confirmed, hint: true, day: {'1': 55}, night: {'1': 45}}\n"
)
BAD = "  - {id: bad, kind: class, window: 4h, level: 5, priority: 2, confirm_after: 2}\n"
TOXIC = (
    "  - {id: toxic, kind: threshold, factor: biotox, window: 4h, value: 20, unit: '%', priority: 1,\n"
    "     author: {zh: 默认配置, en: default}, why: {zh: 试, en: for the test}}\n"
)
NIGHT_LESS = (
    "  - {id: a, network: noise, kind: zone, factor: Leq, window: 1h, setting: zone, standard: s, table: t,\n"
    "     clause: c, source: s, confidence: confirmed, hint: true, day: {'1': 55}, night: {'2': 45}}"
)
SILENCE = "  - {id: silence, kind: no_data}\n"


SITES = (
    RIVER,
    UNSET,
    site("F", kind="ecoflow", station_class="cross_section", setting={"minimum": 2.5}),
    site("G", kind="ecoflow", station_class="cross_section", setting={"minimum": None}),
    site("N", kind="noise", station_class="functional_zone", setting={"zone": "1"}),
)


def judge_of(given: Rules) -> Judge:
    return Judge(given, registry(*SITES), load_standards(), network_of)


def points(given: Rules, *rows: dict[str, Any], network: str = "water") -> list[Point]:
    parts = judge_of(given).judge(columns(*rows, network=network))
    return [part.point(index) for part in parts for index in range(len(part.rows))]


def alerts_after(given: Rules, *messages: Sequence[dict[str, Any]]) -> tuple[tuple[Alert, ...], list[str]]:
    """Return the events that messages make one after the other, and all their steps."""
    keeper, journal = Keeper(judge_of(given), given), open_journal("sqlite://", lambda: 0)
    for rows in messages:
        with journal.writing() as turn:
            keeper.take(columns(*rows, network="water"), turn)
            keeper.save(turn)
    desk = Desk(journal)
    found = desk.events().alerts, [step.kind.value for step in desk.changes_since(0).steps]
    journal.close()
    return found


@pytest.mark.parametrize(
    ("level", "verdict"), [(4, Verdict.OK), (5, Verdict.OVER), (6, Verdict.OVER), (None, Verdict.UNKNOWN)]
)
def test_class_five_or_worse_is_over_and_no_class_is_unknown(level: int | None, verdict: Verdict) -> None:
    (point,) = points(rules(BAD), class_row(level))
    assert point.verdict is verdict


def test_rows_of_another_kind_of_readings_are_not_judged() -> None:
    assert points(rules(BAD), class_row(6), network="air") == []


def test_a_first_single_value_is_to_be_remeasured_and_the_next_valid_one_confirms_it() -> None:
    first = [class_row(6, slot=0)]
    (alert,), steps = alerts_after(rules(BAD), first)
    assert (alert.event.unconfirmed, alert.event.priority, steps) == (True, 2, ["raised"])
    assert title(alert.event) == "水质4小时为劣Ⅴ类 · 待复测"
    assert title(alert.event, Language.EN) == "water of worse than class Ⅴ, 4 h · to be re-measured"
    (alert,), steps = alerts_after(rules(BAD), first, [class_row(None, slot=1)], [class_row(5, slot=2)])
    assert (alert.event.unconfirmed, steps) == (False, ["raised", "confirmed"])


def test_a_single_value_that_the_next_one_does_not_bear_out_clears_unconfirmed() -> None:
    (alert,), steps = alerts_after(rules(BAD), [class_row(6, slot=0)], [class_row(3, slot=1)])
    assert (alert.event.unconfirmed, steps) == (True, ["raised", "cleared"])


def test_late_data_that_make_the_class_better_withdraw_the_alert_and_worse_data_bring_it_back() -> None:
    late = class_row(3, slot=0, revision=2, at=T0 + 30 * 3_600_000)
    (alert,), steps = alerts_after(rules(BAD), [class_row(6, slot=0)], [class_row(2, slot=1)], [late])
    assert (alert.event.fact, steps) == ("withdrawn", ["raised", "cleared", "withdrawn"])
    again = class_row(5, slot=0, revision=3, at=T0 + 31 * 3_600_000)
    (alert,), steps = alerts_after(rules(BAD), [class_row(6, slot=0)], [class_row(2, slot=1)], [late], [again])
    assert (alert.event.fact, alert.event.state, steps[-1]) == ("cleared", State.RAISED, "raised_again")


def test_why_a_class_was_raised_names_the_class_the_bound_and_the_deciding_items() -> None:
    (point,) = points(rules(BAD), class_row(6))
    (alert,), _ = alerts_after(rules(BAD), [class_row(6)])
    assert because(point, alert.event.kind, "class") == "4小时，劣Ⅴ类，劣于 Ⅳ类（GB 3838-2002），定类项目 TP，有效 1/1"
    assert because(point, alert.event.kind, "class", Language.EN) == (
        "4 h, worse than class Ⅴ, worse than class Ⅳ (GB 3838-2002), decided by TP, 1 of 1 valid"
    )


def test_a_device_over_its_range_raises_at_once_whatever_the_class() -> None:
    (point,) = points(rules(BAD), class_row(3, flags=int(Mark.OVER_RANGE)))
    assert (point.verdict, point.cause, point.to_verify) == (Verdict.OVER, Cause.OVER_RANGE, True)


def test_a_provisional_period_raises_nothing() -> None:
    assert points(rules(BAD), class_row(6, flags=int(Mark.OPEN))) == []


def test_urgent_alerts_stand_before_newer_ones() -> None:
    given = rules(BAD + TOXIC)
    keeper, journal = Keeper(judge_of(given), given), open_journal("sqlite://", lambda: 0)
    with journal.writing() as turn:
        keeper.take(columns(water_row("biotox", value=2_500_000), network="water"), turn)
        keeper.take(columns(class_row(6, slot=1), network="water"), turn)
        keeper.save(turn)
    desk = Desk(journal)
    assert [alert.event.key.rule for alert in desk.open_events()] == ["toxic", "bad"]
    newest = [desk.event(one).event.key.rule for one in desk.newest_raised(5)]
    journal.close()
    assert newest == ["bad", "toxic"]


def test_english_texts_name_the_author_in_english_where_a_translation_is_given() -> None:
    (point,) = points(rules(TOXIC), water_row("biotox", value=2_500_000))
    (alert,), _ = alerts_after(rules(TOXIC), [water_row("biotox", value=2_500_000)])
    told = because(point, alert.event.kind, "biotox", Language.EN)
    assert "set by default; for the test" in told
    assert told.isascii()
    assert "设定：默认配置；试" in because(point, alert.event.kind, "biotox")


def test_a_site_has_no_data_when_every_factor_of_its_plan_is_silent() -> None:
    silent: dict[str, Any] = {"value": None, "reason": "silent"}
    absent: dict[str, Any] = {"value": None, "reason": "not_in_plan"}
    given = rules(SILENCE)
    (point,) = points(given, water_row("TP", **silent), water_row("biotox", **absent))
    assert (point.verdict, point.cause) == (Verdict.OVER, Cause.SILENT)
    (point,) = points(given, water_row("TP", **silent), water_row("biotox"))
    assert point.verdict is Verdict.OK


def test_no_data_counts_the_slots_of_the_kind_and_late_data_of_one_factor_end_it() -> None:
    silent: dict[str, Any] = {"value": None, "reason": "silent"}
    missing = [water_row("TP", **silent), water_row("biotox", **silent)]
    (alert,), _ = alerts_after(rules(SILENCE), missing)
    assert (alert.event.start, alert.event.last - alert.event.start) == (T0, 4 * 3_600_000)
    late = [water_row("biotox", revision=2, at=T0 + 9 * 3_600_000)]
    (alert,), steps = alerts_after(rules(SILENCE), missing, late)
    assert (alert.event.fact, steps) == ("withdrawn", ["raised", "withdrawn"])


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("  - {id: a, kind: class, window: 1h, level: 5}", "rules.0.window"),
        ("  - {id: a, kind: class, window: 4h}", "rules.0.level"),
        ("  - {id: a, kind: class, window: 4h, level: 5, against: target}", "rules.0.level"),
        ("  - {id: a, kind: minimum, factor: TP, window: 4h, setting: minimum}", "rules.0.setting"),
        ("  - {id: a, network: soil, kind: no_data}", "rules.0.network"),
        ("  - {id: a, kind: no_data, classes: [urban]}", "rules.0.classes.0"),
        ("  - {id: a, kind: no_data, priority: 5}", "rules.0.priority"),
        ("  - {id: a, kind: threshold, factor: COD, window: 4h, value: 1, unit: mg/L, author: x, why: x}",
         "rules.0.factor"),
        (NIGHT_LESS, "rules.0.night"),
    ],
)  # fmt: skip
def test_a_rule_that_does_not_fit_its_kind_of_readings_is_refused_with_its_key(text: str, key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        rules(text)
    assert refused.value.key == key
    assert refused.value.line in {4, 5}
    assert refused.value.mend


def test_one_system_judges_air_and_water_side_by_side() -> None:
    given = rules(BAD + "  - {id: heavy, network: air, kind: level, window: 1h, level: 5}\n")
    heavy = row("AQI", value=250, level=5)
    assert [point.network for point in points(given, heavy, network="air")] == ["air"]
    assert [point.network for point in points(given, class_row(6))] == ["water"]


def over_target(level: int, slot: int = 0, **other: Any) -> dict[str, Any]:
    """Return a row of what is over the site's own target."""
    return class_row(level, slot, factor="over_target", value=1, primary="TP", detail="TP 0.40") | other


def test_a_class_worse_than_the_sections_own_target_is_over_and_without_a_target_nothing_is_judged() -> None:
    found = points(rules(TARGET), over_target(3), over_target(4, 1), over_target(6, site="B"))
    assert [point.verdict for point in found] == [Verdict.OK, Verdict.OVER]
    (alert,), _ = alerts_after(rules(TARGET), [over_target(4)])
    assert title(alert.event) == "水质4小时为Ⅳ类，劣于目标 · 待复测"
    assert because(alert.event.peak, alert.event.kind, "over_target", Language.EN) == (
        "4 h, class Ⅳ, target class Ⅲ (GB 3838-2002), decided by TP, multiples over TP 0.40, 1 of 1 valid"
    )


def test_a_rule_for_drinking_water_sources_leaves_other_sections_alone() -> None:
    found = points(rules(SOURCES), class_row(5), class_row(4, site="B"))
    assert [point.verdict for point in found] == [Verdict.OVER]


def flow_row(value: int, hour: int = 0, **other: Any) -> dict[str, Any]:
    return row("flow", "1h", hour=hour, edition="", site="F") | {"value": value, "digits": 4} | other


@pytest.mark.parametrize(("value", "verdict"), [(25_000, Verdict.OK), (24_999, Verdict.OVER), (25_001, Verdict.OK)])
def test_flow_is_short_only_below_the_minimum_of_the_site(value: int, verdict: Verdict) -> None:
    (point,) = points(rules(FLOW), flow_row(value), network="ecoflow")
    assert point.verdict is verdict


def test_a_site_whose_minimum_was_never_set_is_not_judged() -> None:
    assert points(rules(FLOW), flow_row(0, site="G"), network="ecoflow") == []


def test_the_peak_of_too_little_flow_is_the_least() -> None:
    given = rules(FLOW)
    keeper, journal = Keeper(judge_of(given), given), open_journal("sqlite://", lambda: 0)
    with journal.writing() as turn:
        keeper.take(columns(*[flow_row(v, h) for h, v in enumerate((24_000, 10_000, 20_000))], network="ecoflow"), turn)
        keeper.save(turn)
    (alert,) = Desk(journal).open_events()
    journal.close()
    assert alert.value == 10_000
    assert title(alert.event) == "流量 1小时低于下限"
    assert because(alert.event.peak, alert.event.kind, "flow") == "1小时，1.00 m³/s，下限 2.50 m³/s，有效 60/60"


@pytest.mark.parametrize(
    ("hour", "value", "verdict"),
    [
        (6, 5500, Verdict.OK),
        (6, 5501, Verdict.OVER),
        (21, 5000, Verdict.OK),
        (22, 5000, Verdict.OVER),
        (5, 4501, Verdict.OVER),
    ],
)
def test_noise_is_held_against_the_limit_of_its_zone_by_day_and_by_night(
    hour: int, value: int, verdict: Verdict
) -> None:
    made = row("Leq", "1h", hour=hour, edition="", site="N") | {"value": value, "digits": 2}
    (point,) = points(rules(ZONES), made, network="noise")
    assert (point.verdict, point.hint) == (verdict, True)
