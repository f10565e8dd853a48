"""Alerts on what the limits of discharge say: findings, hints, early warnings, outcomes of rain-water outlets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
import pytest

from alerts.desk import Alert, Desk
from alerts.events import NOTIFIED, Change
from alerts.journal import open_journal
from alerts.keeper import Keeper
from alerts.rules import Rules, load_rules
from alerts.texts import Language, because, title
from alerts.verdicts import Judge, Point, Verdict
from sensors.flags import Mark
from streams.discharge.applied import Verdict as Worth
from streams.discharge.applied import Why
from streams.discharge.judgement import JudgementSaid, LimitSaid
from streams.standards import load_standards
from tests.unit.alerts.building import T0, columns, day_ms, registry, row, site

PLANT = site("A", kind="outfall", station_class="plant", setting={"use": "plant"})
BOUNDARY = site("P", kind="voc", station_class="point", setting={"layer": "boundary"})
WORKSHOP = site("W", kind="voc", station_class="point", setting={"layer": "workshop"})
HOUR = 3_600_000


def rules(*ids: str) -> Rules:
    """Return some of the delivered rules."""
    found = load_rules()
    return Rules(rules=tuple(one for one in found.rules if one.id in ids), backfill_after_ms=found.backfill_after_ms)


def detail(high: str | None = "50", low: str | None = None, why: Why = Why.WRITTEN_FOR, excluded: str = "") -> str:
    """Return the detail of a judged row with one limit that decides."""
    worth = Worth.FINDING if why is Why.WRITTEN_FOR else Worth.HINT
    said = LimitSaid(
        standard="GB 18918-2002", table="1", column="1A", period="day", low=low, high=high, unit="mg/L",
        verdict=worth, why=why, confidence="confirmed",
    )  # fmt: skip
    decides = None if excluded else 0
    return msgspec.json.encode(JudgementSaid(limits=(said,), decides=decides, excluded=excluded)).decode()


def limit_row(value: int | None, level: int | None, window: str = "24h", **other: Any) -> dict[str, Any]:
    """Return a judged COD; ``value`` in mg/L."""
    made = row("COD.limit", window, edition="", level=level, detail=detail())
    made |= {
        "value": None if value is None else value * 1000,
        "digits": 3,
        "at": made["start"] + (25 if window.startswith("24h") else 2) * HOUR,
    }
    return made | other


def points(given: Rules, *rows: dict[str, Any], network: str = "outfall") -> list[Point]:
    judge = Judge(given, registry(PLANT, BOUNDARY, WORKSHOP), load_standards())
    parts = judge.judge(columns(*rows, network=network))
    return [part.point(index) for part in parts for index in range(len(part.rows))]


def alerts_after(given: Rules, *messages: Sequence[dict[str, Any]]) -> tuple[tuple[Alert, ...], list[str]]:
    judge = Judge(given, registry(PLANT, BOUNDARY, WORKSHOP), load_standards())
    keeper, journal = Keeper(judge, given), open_journal("sqlite://", lambda: 0)
    for rows in messages:
        with journal.writing() as turn:
            keeper.take(columns(*rows, network="outfall"), turn)
            keeper.save(turn)
    desk = Desk(journal)
    found = desk.events().alerts, [step.kind.value for step in desk.changes_since(0).steps]
    journal.close()
    return found


@pytest.mark.parametrize(
    ("level", "verdict", "hint"),
    [(0, Verdict.OK, False), (1, Verdict.OK, False), (2, Verdict.OK, False), (3, Verdict.OVER, True),
     (4, Verdict.OVER, False)],
)  # fmt: skip
def test_a_finding_and_a_hint_raise_and_a_warning_does_not(level: int, verdict: Verdict, *, hint: bool) -> None:
    found = points(rules("discharge-day"), limit_row(60, level))
    if level in {1, 2}:
        assert [point.verdict for point in found] == [Verdict.OK]
        return
    assert [(point.verdict, point.hint) for point in found] == [(verdict, hint)]


def test_a_finding_names_value_limit_standard_and_multiple() -> None:
    (alert,), _ = alerts_after(rules("discharge-day"), [limit_row(60, 4)])
    event = alert.event
    assert (event.key.factor, event.priority, event.hint) == ("COD", 2, False)
    assert title(event) == "COD 日均超标"
    assert because(event.peak, event.kind, "COD") == (
        "日均，60.0 mg/L，限值 50.0 mg/L（GB 18918-2002 表1，1A），超标 0.20 倍，有效 60/60"
    )


def test_a_hint_is_marked_and_says_why_it_is_no_finding() -> None:
    hour = limit_row(60, 3, "1h", detail=detail(why=Why.SHORTER))
    (alert,), _ = alerts_after(rules("discharge-hour"), [hour])
    assert title(alert.event) == "COD 1小时高于限值 · 提示"
    assert title(alert.event, Language.EN) == "COD 1 h above the limit's value · hint"
    told = because(alert.event.peak, alert.event.kind, "COD", Language.EN)
    assert "hint: taken over a shorter time than the limit is written for" in told
    assert told.isascii()
    assert "超标" not in because(alert.event.peak, alert.event.kind, "COD")
    assert "times over" not in told


@pytest.mark.parametrize("level", [1, 2])
def test_80_and_90_per_cent_of_a_limit_are_an_early_warning_of_the_lowest_level(level: int) -> None:
    (alert,), _ = alerts_after(rules("discharge-day", "discharge-near"), [limit_row(45, level)])
    assert (alert.event.key.rule, alert.event.priority) == ("discharge-near", 4)
    assert title(alert.event) == "COD 日均接近限值"
    assert "超标" not in because(alert.event.peak, alert.event.kind, "COD")


def test_what_is_over_a_limit_is_no_early_warning_as_well() -> None:
    (point,) = points(rules("discharge-near"), limit_row(60, 4))
    assert point.verdict is Verdict.UNKNOWN


def test_the_lower_end_of_a_range_is_told_without_a_multiple() -> None:
    acid = row("pH.limit", "24h_min", edition="", level=4, detail=detail(high="9", low="6"))
    (point,) = points(rules("discharge-day"), acid | {"value": 50_000, "digits": 4})
    assert point.bound is not None
    assert (point.bound.below, point.verdict) == (True, Verdict.OVER)
    assert "倍" not in because(point, rules("discharge-day").rules[0].kind, "pH")


def test_a_limit_in_another_unit_is_brought_to_that_of_the_factor() -> None:
    said = detail(high="50000").replace("mg/L", "µg/L")
    (point,) = points(rules("discharge-day"), limit_row(60, 4, detail=said))
    assert point.bound is not None
    assert (point.bound.value, point.bound.digits) == (50_000, 3)


def test_a_row_that_was_held_against_nothing_says_nothing() -> None:
    assert points(rules("discharge-day"), limit_row(60, None, detail="")) == []
    assert points(rules("discharge-day"), limit_row(None, None, detail="", reason="silent")) == []


def test_an_excluded_value_neither_raises_nor_clears() -> None:
    stopped = limit_row(60, None, detail=detail(excluded="stopped"), reason="not_judged")
    (point,) = points(rules("discharge-day"), stopped)
    assert point.verdict is Verdict.UNKNOWN


def test_a_meter_over_its_range_raises_within_its_hour_whatever_the_judgement() -> None:
    hour = limit_row(None, None, "1h", reason="invalid", flags=int(Mark.OVER_RANGE))
    (alert,), _ = alerts_after(rules("discharge-hour"), [hour])
    assert title(alert.event) == "COD 1小时超量程 · 待核实"


def test_recomputed_results_withdraw_a_finding_and_a_worse_one_revises_it() -> None:
    first = [limit_row(60, 4)]
    mended = [limit_row(40, 0, revision=2, at=T0 + 80 * HOUR)]
    (alert,), steps = alerts_after(rules("discharge-day"), first, mended)
    assert (alert.event.fact, steps) == ("withdrawn", ["raised", "withdrawn"])
    worse = [limit_row(90, 4, revision=2, at=T0 + 80 * HOUR)]
    (alert,), steps = alerts_after(rules("discharge-day"), first, worse)
    assert (alert.value, steps) == (90_000, ["raised", "revised"])


def test_a_hint_that_a_later_row_makes_a_finding_loses_its_mark() -> None:
    first = [limit_row(60, 3, detail=detail(why=Why.METHOD))]
    decided = [limit_row(60, 4, revision=2, at=T0 + 80 * HOUR)]
    (alert,), steps = alerts_after(rules("discharge-day"), first, decided)
    assert (alert.event.hint, steps) == (False, ["raised", "revised"])


def test_remarks_on_an_enterprises_marks_raise_an_event_and_a_mark_without_one_raises_none() -> None:
    found = row("marks", "24h", edition="", level=3, detail="stopped: contradicted", value=1)
    (alert,), steps = alerts_after(rules("enterprise-marks"), [found])
    assert (alert.event.hint, alert.event.priority, steps) == (True, 3, ["raised"])
    fine = row("marks", "24h", edition="", level=0, value=0, detail="stopped")
    assert [point.verdict for point in points(rules("enterprise-marks"), fine)] == [Verdict.OK]


@pytest.mark.parametrize(("outcome", "named"), [("dry_flow", "晴天排水"), ("polluted", "雨天排污")])
def test_flow_in_dry_weather_and_sewage_in_rain_are_named(outcome: str, named: str) -> None:
    found = row("dry_weather", "1h", edition="", level=4, detail=outcome) | {"value": 500, "digits": 4}
    (alert,), _ = alerts_after(rules("dry-weather"), [found])
    assert (title(alert.event), alert.event.priority) == (named, 2)


def test_a_rain_water_outlet_without_flow_is_fine_and_other_outlets_are_not_meant() -> None:
    fine = row("dry_weather", "1h", edition="", level=0, value=0)
    other = row("dry_weather", "1h", hour=1, edition="", value=None, reason="not_in_plan")
    unknown = row("dry_weather", "1h", hour=2, edition="", value=None, reason="missing_item", detail="no_rain_known")
    found = points(rules("dry-weather"), fine, other, unknown)
    assert [point.verdict for point in found] == [Verdict.OK, Verdict.UNKNOWN]


def test_the_odour_index_is_held_against_a_threshold_with_an_author_and_never_called_a_limit() -> None:
    index = row("odour_index", "1h", edition="odour-sum-1", site="P") | {"value": 6250, "digits": 2}
    (point,) = points(rules("odour-index"), index, index | {"site": "W"}, network="voc")
    assert point.verdict is Verdict.OVER
    told = because(point, rules("odour-index").rules[0].kind, "odour_index")
    assert "62.50" in told
    assert "管控值 50.00" in told
    assert "超标" not in told


def quota_row(used: int, quota: int = 10_000, **other: Any) -> dict[str, Any]:
    """Return what is left of a year's quota; both in kg."""
    told = {"standing": "open", "quota_g": quota * 1000, "used_g": used * 1000, "percent": "0"}
    made = row(
        "COD.quota", "year", edition="", start=day_ms(date(2026, 1, 1)), detail=msgspec.json.encode(told).decode()
    )
    return made | {"value": (quota - used) * 1000, "digits": 3, "flags": int(Mark.OPEN), "at": T0} | other


@pytest.mark.parametrize(
    ("used", "raised"),
    [
        (7_999, []),
        (8_000, [(4, "80 %")]),
        (9_000, [(3, "90 %")]),
        (10_000, [(3, "90 %")]),
        (10_001, [(2, "100 %")]),
        (10_500, [(2, "100 %")]),
    ],
)
def test_80_90_and_100_per_cent_of_a_yearly_quota_raise_one_event_while_the_year_is_open(
    used: int, raised: list[tuple[int, str]]
) -> None:
    found, _ = alerts_after(rules("quota"), [quota_row(used)])
    told = [(alert.event.priority, alert.bound.clause if alert.bound is not None else "") for alert in found]
    assert told == raised


def test_a_quota_that_is_used_up_step_by_step_is_one_event_that_worsens_and_each_step_is_told() -> None:
    grows = [
        [quota_row(used, revision=place, at=T0 + place * HOUR)]
        for place, used in enumerate((8_000, 8_500, 9_500, 10_001), 1)
    ]
    (alert,), steps = alerts_after(rules("quota"), *grows)
    assert steps == [Change.RAISED, Change.REVISED, Change.WORSENED, Change.WORSENED]
    assert alert.event.priority == 2
    assert Change.WORSENED in NOTIFIED


def test_a_quota_of_nothing_of_which_nothing_is_used_raises_nothing() -> None:
    given = rules("quota")
    assert alerts_after(given, [quota_row(0, quota=0)])[0] == ()
    assert {point.verdict for point in points(given, quota_row(1, quota=0))} == {Verdict.OVER}


def test_of_a_year_with_gaps_what_is_known_to_be_used_may_raise_and_else_nothing_is_known() -> None:
    given = rules("quota")
    found = [
        point.verdict
        for used in (7_000, 9_000)
        for point in points(given, quota_row(used, value=None, reason="incomplete"))
    ]
    assert found == [Verdict.UNKNOWN, Verdict.OVER]


def test_a_quota_raised_by_what_is_known_of_a_year_with_gaps_names_no_rest() -> None:
    (alert,), _ = alerts_after(rules("quota"), [quota_row(9_000, value=None, reason="incomplete")])
    told = because(alert.event.peak, alert.event.kind, "COD", Language.EN)
    assert told.startswith("year, no value, raised at 90 % used")


def test_a_quota_that_was_never_set_is_not_judged() -> None:
    unset = quota_row(0, value=None, reason="unset", detail='{"standing":"unset","used_g":0,"source":"s"}')
    assert points(rules("quota"), unset) == []


def test_noise_over_the_limit_of_its_zone_is_a_hint_by_what_was_judged() -> None:
    loud = limit_row(46, 3, "1h", factor="Leq.limit", site="N", detail=detail("45", why=Why.SHORTER))
    (point,) = points(rules("noise-zone"), loud, network="noise")
    assert (point.verdict, point.hint) == (Verdict.OVER, True)
    quiet = limit_row(45, 0, "1h", factor="Leq.limit", site="N", detail=detail("45", why=Why.SHORTER))
    assert [one.verdict for one in points(rules("noise-zone"), quiet, network="noise")] == [Verdict.OK]


def test_a_quota_names_what_is_left_and_where_it_was_raised() -> None:
    (alert,), _ = alerts_after(rules("quota"), [quota_row(8_500)])
    assert title(alert.event) == "COD 年许可量已用 80 %"
    told = because(alert.event.peak, alert.event.kind, "COD", Language.EN)
    assert "1500.000 kg left of the year's permit" in told
    assert "raised at 80 % used, 2000.000 kg left" in told


def test_recomputed_loads_withdraw_a_quota_alert() -> None:
    mended = quota_row(7_000, revision=2, at=T0 + HOUR)
    (alert,), steps = alerts_after(rules("quota"), [quota_row(8_500)], [mended])
    assert (alert.event.fact, steps) == ("withdrawn", ["raised", "withdrawn"])
