"""A12 and the looks at neighbours: change of level, rate of change, projections, late data, quotas that run out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import msgspec
import pytest

from alerts.desk import Alert, Desk
from alerts.events import Change, Fact
from alerts.journal import open_journal
from alerts.keeper import Keeper
from alerts.looks import judge_with_neighbours
from alerts.rules import Direction, Form, Kind, Look, Rule, Rules, load_rules
from alerts.texts import Language, because, title
from alerts.verdicts import Cause, Judge, Verdict
from sensors.clock import HOUR_MS
from sensors.flags import Mark
from streams.standards import load_standards
from tests.unit.alerts.building import T0, columns, day_ms, point, registry, row, rules_of, site, threshold

STANDARDS = load_standards()
RAMP = [40 + 5 * hour for hour in range(24)]


def rate(**other: Any) -> Rule:
    look: dict[str, Any] = {"back": 3, "by": Fraction(50)} | other
    return threshold(kind=Kind.RATE, threshold=None, look=Look(**look))


def change(by: int = 2, within: int = 3) -> Rule:
    return threshold(kind=Kind.CHANGE, threshold=None, factors=("AQI",), look=Look(back=within, by=Fraction(by)))


def delivered(*ids: str) -> Rules:
    found = load_rules()
    return replace(found, rules=tuple(rule for rule in found.rules if rule.id in ids))


def verdicts(rule: Rule, values: Sequence[int | None], **other: Any) -> str:
    """Return what each hour says: X over, ? unknown, . fine."""
    points = [
        point(hour, Verdict.UNKNOWN if value is None else Verdict.KEPT, value, level=value, **other)
        for hour, value in enumerate(values)
    ]
    kept = {one.period: one for one in points if one.verdict is Verdict.KEPT}
    found = [judge_with_neighbours(one, kept, rule) if one.verdict is Verdict.KEPT else one for one in points]
    return "".join("." if one is None else {Verdict.OVER: "X", Verdict.UNKNOWN: "?"}[one.verdict] for one in found)


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([1, 3], "?X"),
        ([1, 2, 3], "?.."),
        ([3, 1], "?."),
        ([1, None, 3], "??X"),
        ([1, None, None, None, 3], "?????"),
        ([1, 3, 3], "?X."),
        ([2], "?"),
        ([], ""),
    ],
)
def test_a_level_is_held_against_the_valid_one_before(levels: list[int | None], expected: str) -> None:
    assert verdicts(change(), levels) == expected


@pytest.mark.parametrize(
    ("values", "direction", "expected"),
    [
        ([10, 20, 30, 60, 80], Direction.UP, "???.X"),
        ([10, 20, 30, 61], Direction.UP, "???X"),
        ([10, 20, None, 61], Direction.UP, "???X"),
        ([None, 20, 30, 200], Direction.UP, "????"),
        ([100, 20, 30, 10], Direction.UP, "???."),
        ([100, 20, 30, 10], Direction.DOWN, "???X"),
        ([100, 20, 30, 10], Direction.EITHER, "???X"),
        ([10, 20, 30, 80], Direction.EITHER, "???X"),
    ],
)
def test_a_value_is_held_against_the_one_k_periods_before(
    values: list[int | None], direction: Direction, expected: str
) -> None:
    assert verdicts(rate(direction=direction), values) == expected


@pytest.mark.parametrize(("value", "expected"), [(149, "?."), (150, "?."), (151, "?X")])
def test_a_share_of_the_value_before_is_a_rate_too(value: int, expected: str) -> None:
    assert verdicts(rate(back=1, by=None, share=Fraction(1, 2)), [100, value]) == expected


def played(rules: Rules, values: Sequence[int | None], **other: Any) -> tuple[tuple[Alert, ...], list[Any]]:
    """Return the events of hourly values from midnight on given one by one, and the kinds of their steps."""
    made: dict[str, Any] = {"digits": 0} | other
    keeper = Keeper(Judge(rules, registry(site()), STANDARDS), rules)
    journal = open_journal("sqlite://", lambda: 0)
    for hour, value in enumerate(values):
        with journal.writing() as turn:
            keeper.take(columns(row(hour=hour) | made | {"value": value}), turn)
            keeper.save(turn)
        keeper.forget()
    desk = Desk(journal)
    found = desk.events().alerts, [step.kind for step in desk.changes_since(0).steps]
    journal.close()
    return found


def test_a_rising_ramp_warns_before_the_day_is_over_its_limit_and_a_flat_day_does_not() -> None:
    (alert,), _ = played(delivered("pm25-day-prone"), RAMP)
    # 40, 45, … 75: eight hours known, the last four (mean 67.5) go on for sixteen: (460 + 16 x 67.5) / 24 = 64.17 > 60
    assert (alert.event.start - T0) // HOUR_MS == 7
    (first,) = played(delivered("pm25-day-prone"), RAMP[:8])[0]
    assert first.event.raised_by.value == 64
    measured = next(hour for hour in range(24) if sum(RAMP[: hour + 1]) > 60 * 24)
    assert measured > 7
    assert played(delivered("pm25-day-prone", "pm25-day-certain"), [50] * 24)[0] == ()


def test_a_day_is_certain_once_its_hours_over_24_are_over_the_limit() -> None:
    (alert,), _ = played(delivered("pm25-day-certain"), [200] * 24)
    # 7 x 200 / 24 = 58.3 rounds to 58; 8 x 200 / 24 = 66.7
    assert (alert.event.start - T0) // HOUR_MS == 7
    assert alert.event.raised_by.cause is Cause.CERTAIN
    exact, _ = played(delivered("pm25-day-certain"), [200] * 7 + [40] + [0] * 16)
    assert exact == ()  # 1440 / 24 = 60 is not over 60


@pytest.mark.parametrize(("missing", "raised"), [(4, 1), (5, 0)])
def test_a_day_that_can_have_no_mean_any_more_is_not_projected(missing: int, raised: int) -> None:
    found, _ = played(delivered("pm25-day-certain"), [*[None] * missing, *[200] * (24 - missing)])
    assert len(found) == raised


def test_the_next_day_begins_anew_and_clears_the_projection() -> None:
    (alert,), steps = played(delivered("pm25-day-certain"), [*[200] * 24, 10, 10])
    assert steps[-1] is Change.CLEARED
    assert (alert.event.fact, alert.event.end) == (Fact.CLEARED, T0 + 24 * HOUR_MS)


def test_a_projection_is_named_so_and_its_value_is_never_told_as_measured() -> None:
    (alert,), _ = played(delivered("pm25-day-prone"), RAMP)
    event = alert.event
    assert title(event) == "预测：PM2.5 日均将超标"
    assert title(event, Language.EN) == "projected: PM2.5 daily mean will be over the limit"
    assert "非实测" in because(event.peak, event.kind, "PM2.5")
    assert "not measured" in because(event.peak, event.kind, "PM2.5", Language.EN)
    assert event.priority == 4


def test_ozone_that_rises_is_told_hours_ahead_in_its_season_and_flat_ozone_is_not() -> None:
    first = day_ms(date(2026, 7, 1)) + 8 * HOUR_MS
    rules = delivered("o3-prone")
    found = []
    for values in ([80, 100, 130, 160, 150, 140], [120] * 6, [150, 140, 130, 120, 110, 100]):
        keeper, journal = Keeper(Judge(rules, registry(), STANDARDS), rules), open_journal("sqlite://", lambda: 0)
        rows = [
            row("O3", start=first + hour * HOUR_MS, edition="", digits=0) | {"value": value}
            for hour, value in enumerate(values)
        ]
        with journal.writing() as turn:
            keeper.take(columns(*rows), turn)
            keeper.save(turn)
        found.append([(alert.event.start - first) // HOUR_MS for alert in Desk(journal).events().alerts])
        journal.close()
    # 80, 100, 130 rise by 25 an hour: 130 + 75 = 205 > 200, while the limit itself is never crossed
    assert found == [[2], [], []]


@pytest.mark.parametrize(
    ("values", "expected"), [([10, None, 30], "???"), ([10, 20], "??"), ([10, 20, 30, None, 40], "??.??")]
)
def test_a_trend_needs_each_of_its_hours(values: list[int | None], expected: str) -> None:
    rule = threshold(kind=Kind.PROJECTION, look=Look(back=3, form=Form.TREND, ahead=3, least=3, projects="1h"))
    assert verdicts(rule, values) == expected


def test_a_gap_in_the_last_hours_does_not_clear_a_projection() -> None:
    first = day_ms(date(2026, 7, 1)) + 8 * HOUR_MS
    rules = delivered("o3-prone")
    keeper, journal = Keeper(Judge(rules, registry(), STANDARDS), rules), open_journal("sqlite://", lambda: 0)
    for hour, value in enumerate([80, 110, 140, None, 170, 190]):
        with journal.writing() as turn:
            keeper.take(columns(row("O3", start=first + hour * HOUR_MS, edition="", digits=0) | {"value": value}), turn)
            keeper.save(turn)
    (alert,) = Desk(journal).events().alerts
    journal.close()
    assert ((alert.event.start - first) // HOUR_MS, alert.event.fact) == (2, Fact.GOING_ON)


def test_no_share_is_formed_of_nothing() -> None:
    assert verdicts(rate(back=1, by=None, share=Fraction(1, 2)), [0, 3, 9]) == "??X"
    assert verdicts(rate(back=1, by=Fraction(2), share=None), [0, 3]) == "?X"


@pytest.mark.parametrize("rule", [rate(back=1), change()])
def test_a_change_from_a_doubtful_value_is_to_be_verified(rule: Rule) -> None:
    for doubted in (False, True):
        before = point(0, Verdict.KEPT, 1, level=1, to_verify=doubted)
        now = point(1, Verdict.KEPT, 90, level=3)
        said = judge_with_neighbours(now, {before.period: before, now.period: now}, rule)
        assert said is not None
        assert (said.verdict, said.to_verify) == (Verdict.OVER, doubted)


def test_a_correction_takes_a_projection_back() -> None:
    rules = delivered("pm25-day-certain")
    keeper, journal = Keeper(Judge(rules, registry(), STANDARDS), rules), open_journal("sqlite://", lambda: 0)
    for rows in (
        [row(hour=hour, digits=0) | {"value": 200} for hour in range(9)],
        [row(hour=hour, digits=0, revision=2, at=T0 + 20 * HOUR_MS) | {"value": 20} for hour in range(9)],
    ):
        with journal.writing() as turn:
            keeper.take(columns(*rows), turn)
            keeper.save(turn)
    (alert,) = Desk(journal).events().alerts
    journal.close()
    assert alert.event.fact is Fact.WITHDRAWN


def packets(hour: int, detail: str, value: int | None = 60) -> dict[str, Any]:
    made = row("packets", hour=hour, site="O", edition="", detail=detail, digits=0)
    return made | {"value": value, "reason": "" if value is not None else "silent"}


@pytest.mark.parametrize(
    ("detail", "value", "expected"),
    [
        ("late 10; missing 3", 50, Verdict.OVER),
        ("missing 3; late 12", 50, Verdict.OVER),
        ("late 9", 50, Verdict.OK),
        ("", 60, Verdict.OK),
        ("missing 60", None, Verdict.UNKNOWN),
    ],
)
def test_packets_that_came_later_than_they_may_are_late(detail: str, value: int | None, expected: Verdict) -> None:
    judge = Judge(delivered("late-outfall"), registry(site("O", kind="outfall", station_class="plant")), STANDARDS)
    (part,) = judge.judge(columns(packets(0, detail, value), network="outfall"))
    assert part.verdicts.tolist() == [expected]
    if expected is Verdict.OVER:
        assert part.point(0).cause is Cause.LATE


def exhaustion(outlook: str, days: int | None) -> dict[str, Any]:
    told = msgspec.json.encode({"outlook": outlook, "date": "2026-12-20", "method": "m"}).decode()
    made = row("COD.exhaustion", "year", site="O", edition="", start=day_ms(date(2026, 1, 1)), detail=told, digits=0)
    return made | {"value": days, "flags": int(Mark.OPEN)}


@pytest.mark.parametrize(
    ("outlook", "days", "expected"),
    [
        ("on", 59, Verdict.OVER),
        ("on", 60, Verdict.OVER),
        ("on", 61, Verdict.OK),
        ("used_up", None, Verdict.OVER),
        ("not_this_year", None, Verdict.OK),
        ("unknown", None, Verdict.UNKNOWN),
    ],
)
def test_a_quota_that_will_run_out_is_told_as_projected(outlook: str, days: int | None, expected: Verdict) -> None:
    judge = Judge(delivered("quota-runs-out"), registry(site("O", kind="outfall", station_class="plant")), STANDARDS)
    (part,) = judge.judge(columns(exhaustion(outlook, days), network="outfall"))
    assert (part.key.factor, part.verdicts.tolist()) == ("COD", [expected])
    if expected is Verdict.OVER:
        assert part.point(0).cause is Cause.PROJECTED


def test_no_data_of_a_site_that_was_never_seen_is_raised_from_what_the_registry_owes() -> None:
    silent = row("AQI", hour=0, value=None, reason="silent", at=T0 + 2 * HOUR_MS)
    judge = Judge(delivered("no-data"), registry(site()), STANDARDS)
    (part,) = judge.judge(columns(silent))
    assert part.verdicts.tolist() == [Verdict.OVER]


def test_the_next_hours_of_a_series_cut_anywhere_say_the_same() -> None:
    values: list[int | None] = [10, 30, None, 90, 95, 20, 20, 90, 160, 40]
    rules = rules_of(rate())
    whole, _ = played(rules, values)
    keeper, journal = (
        Keeper(Judge(rules, registry(), STANDARDS), rules, first_reach=1),
        open_journal("sqlite://", lambda: 0),
    )
    for hour in (9, 0, 4, 3, 8, 1, 7, 2, 6, 5):
        with journal.writing() as turn:
            keeper.take(columns(row(hour=hour, digits=0) | {"value": values[hour]}), turn)
            keeper.save(turn)
        keeper.forget()
    live = [one.event for one in Desk(journal).events().alerts if one.event.fact in {Fact.GOING_ON, Fact.CLEARED}]
    journal.close()
    expected = sorted((one.event.start, one.event.end) for one in whole)
    assert sorted((event.start, event.end) for event in live) == expected
