from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from alerts.verdicts import Cause, Point, Verdict
from sensors.clock import DAY_MS, HOUR_MS
from sensors.flags import Mark
from sensors.registry import Registry
from tests.unit.alerts.building import (
    DAY_0,
    HOUR_0,
    T0,
    columns,
    day_ms,
    judge,
    only,
    registry,
    row,
    rules_of,
    site,
    threshold,
)


def verdicts(rule_id: str, *rows: dict[str, Any], sites: Registry | None = None) -> list[Verdict]:
    """Return the verdicts of one rule in the order of the judged rows."""
    return [Verdict(int(one)) for part in judge(only(rule_id), sites).judge(columns(*rows)) for one in part.verdicts]


def first(rule_id: str, *rows: dict[str, Any], sites: Registry | None = None) -> Point:
    return next(judge(only(rule_id), sites).judge(columns(*rows))).point(0)


@pytest.mark.parametrize(("value", "verdict"), [(499, Verdict.OK), (500, Verdict.OK), (501, Verdict.OVER)])
def test_a_value_is_over_only_above_the_limit(value: int, verdict: Verdict) -> None:
    assert verdicts("limit-1h", row("SO2", value=value)) == [verdict]


def test_the_limit_is_that_of_the_sites_zone() -> None:
    sites = registry(site("A", zone=1), site("B", zone=2))
    assert verdicts("limit-1h", row("O3", value=170), row("O3", value=170, site="B"), sites=sites) == [
        Verdict.OVER,
        Verdict.OK,
    ]


@pytest.mark.parametrize(
    ("day", "edition", "verdict", "named"),
    [
        (date(2026, 2, 28), "HJ633-2012", Verdict.OK, None),
        (date(2026, 3, 1), "HJ633-2026", Verdict.OVER, "GB3095-2026-1"),
        (date(2030, 12, 31), "HJ633-2026", Verdict.OVER, "GB3095-2026-1"),
        (date(2031, 1, 1), "HJ633-2026", Verdict.OVER, "GB3095-2026-2"),
    ],
)
def test_the_limit_is_that_of_the_edition_in_force_at_the_time_of_the_data(
    day: date, edition: str, verdict: Verdict, named: str | None
) -> None:
    point = first("limit-24h", row("PM2.5", "24h", value=65, start=day_ms(day), edition=edition))
    assert point.verdict is verdict
    assert point.bound is not None
    assert named is None or point.bound.edition == named


def test_rows_of_an_edition_that_is_not_in_force_are_left_out() -> None:
    assert verdicts("limit-1h", row("SO2", value=900, edition="HJ633-2012")) == []


def test_before_the_first_edition_there_is_no_limit_but_thresholds_hold() -> None:
    old = row("PM2.5", "1h", value=200, start=day_ms(date(2012, 5, 1)), edition="HJ633-2012")
    assert verdicts("pm25-1h", old) == [Verdict.OVER]
    assert verdicts("limit-24h", old | {"window": "24h"}) == []


def test_particles_of_an_hour_meet_no_limit() -> None:
    assert verdicts("limit-1h", row("PM2.5", value=900)) == []
    assert verdicts("limit-24h", row("PM2.5", value=900)) == []


def test_comparison_windows_are_never_judged() -> None:
    rows = [row("O3", window, value=900) for window in ("8h_platform", "24h_running")]
    assert verdicts("limit-o3-day", *rows) == []


@pytest.mark.parametrize(("hour", "judged"), [(6, False), (7, True), (23, True), (24, False)])
def test_an_8h_mean_judges_its_day_only_where_it_ends_from_8_to_24(hour: int, *, judged: bool) -> None:
    found = list(judge(only("limit-o3-day")).judge(columns(row("O3", "8h", hour=hour, value=200))))
    assert bool(found) == judged
    if judged:
        assert found[0].early
        assert found[0].point(0).period == DAY_0


def test_a_row_without_value_is_unknown() -> None:
    assert verdicts("limit-1h", row("O3", value=None, reason="incomplete")) == [Verdict.UNKNOWN]
    assert verdicts("aqi-light", row("AQI", value=None, reason="missing_item")) == [Verdict.UNKNOWN]


def test_a_factor_that_is_not_in_plan_is_owed_by_nobody() -> None:
    assert verdicts("limit-1h", row("O3", value=None, reason="not_in_plan")) == [Verdict.OK]


def test_over_range_is_over_and_to_be_verified_even_without_a_value() -> None:
    point = first("limit-1h", row("SO2", value=None, reason="invalid", flags=int(Mark.OVER_RANGE)))
    assert (point.verdict, point.cause, point.to_verify) == (Verdict.OVER, Cause.OVER_RANGE, True)
    day = row("SO2", "24h", value=10, flags=int(Mark.OVER_RANGE))
    assert verdicts("limit-24h", day) == [Verdict.OK]


@pytest.mark.parametrize(
    ("mark", "to_verify"),
    [(Mark.SUSPECT, True), (Mark.UNFLAGGED, True), (Mark.COPIED | Mark.SUSPECT, True), (Mark.CALIBRATION, False)],
)
def test_suspect_and_unflagged_inputs_are_to_be_verified(mark: Mark, *, to_verify: bool) -> None:
    assert first("limit-1h", row("O3", value=300, flags=int(mark))).to_verify == to_verify


@pytest.mark.parametrize(("level", "verdict"), [(2, Verdict.OK), (3, Verdict.OVER), (6, Verdict.OVER)])
def test_a_level_rule_looks_at_the_level(level: int, verdict: Verdict) -> None:
    assert verdicts("aqi-light", row("AQI", value=120, level=level)) == [verdict]


def test_a_level_names_the_edition_and_the_greatest_index_below_it() -> None:
    bound = first("aqi-heavy", row("AQI", value=250, level=5)).bound
    assert bound is not None
    assert (bound.value, bound.digits, bound.edition) == (200, 0, "HJ633-2026")


def test_no_data_is_an_index_row_that_is_silent() -> None:
    rows = [row("AQI", value=None, reason="silent"), row("AQI", hour=1, value=None, reason="no_item"),
            row("AQI", hour=2, value=50, level=1)]  # fmt: skip
    assert verdicts("no-data", *rows) == [Verdict.OVER, Verdict.OK, Verdict.OK]
    assert first("no-data", *rows).cause is Cause.SILENT


def test_a_threshold_carries_its_author_and_no_standard() -> None:
    bound = first("pm25-1h", row(value=76)).bound
    assert bound is not None
    assert (bound.value, bound.digits, bound.author, bound.standard) == (7500, 2, "默认配置", "")


def test_a_threshold_finer_than_the_table_is_kept_exactly() -> None:
    rule = threshold(threshold=Fraction("75.005"))
    found = next(judge(rules_of(rule)).judge(columns(row(value=75), row(hour=1, value=None) | {"value": 7501})))
    assert found.verdicts.tolist() == [Verdict.OK, Verdict.OVER]


def test_a_rule_judges_its_sites_and_its_dates_only() -> None:
    named = threshold(sites=frozenset({"B"}), start=T0 + HOUR_MS, end=T0 + 2 * HOUR_MS)
    rows = [row(value=99, hour=h, site=s) for s in "AB" for h in range(3)]
    found = list(judge(rules_of(named), registry(site("A"), site("B"))).judge(columns(*rows)))
    told = [(part.key.site, part.starts.tolist(), part.verdicts.tolist()) for part in found]
    # after its last day everything is fine for it, so that what is open is cleared
    assert told == [("B", [T0 + HOUR_MS], [Verdict.OVER]), ("B", [T0 + 2 * HOUR_MS], [Verdict.OK])]


def test_a_site_that_the_registry_does_not_hold_meets_no_limit() -> None:
    assert verdicts("limit-1h", row("SO2", value=900, site="stranger")) == []


def test_an_empty_batch_says_nothing() -> None:
    assert verdicts("limit-1h") == []


def test_rows_come_series_by_series_with_their_own_verdicts() -> None:
    rows = [
        row("PM2.5", hour=h, site=s, value=v) for h, s, v in [(0, "B", 80), (0, "A", 10), (1, "B", 10), (1, "A", 99)]
    ]
    found = list(judge(only("pm25-1h"), registry(site("A"), site("B"))).judge(columns(*rows)))
    seen = {part.key.site: dict(zip(part.starts.tolist(), part.verdicts.tolist(), strict=True)) for part in found}
    assert seen == {"A": {T0: 0, T0 + HOUR_MS: 2}, "B": {T0: 2, T0 + HOUR_MS: 0}}


def test_a_point_carries_all_that_why_needs() -> None:
    point = first("limit-1h", row("CO", value=12, valid=50, revision=3, inputs=255, detail="x", reason="", at=5))
    assert (point.value, point.digits, point.valid, point.expected) == (12_000, 3, 50, 60)
    assert (point.revision, point.inputs, point.detail, point.at) == (3, "00000000000000ff", "x", 5)
    assert (point.pack, point.edition, point.period) == ("pack", "HJ633-2026", HOUR_0)
    assert point.bound is not None
    assert (point.bound.standard, point.bound.table) == ("GB 3095-2026", "1")


def test_a_zone_that_changes_changes_the_limit_from_that_day() -> None:
    moved = [replace(site(zone=2), end=T0), replace(site(zone=1), start=T0)]
    rows = [row("O3", value=170, hour=h) for h in (-1, 0)]
    assert verdicts("limit-1h", *rows, sites=registry(*moved)) == [Verdict.OK, Verdict.OVER]


def test_a_day_row_belongs_to_its_day() -> None:
    point = first("limit-24h", row("PM2.5", "24h", value=99))
    assert (point.period, point.start) == (DAY_0, T0)
    assert first("limit-24h", row("PM2.5", "24h", value=99, start=T0 + DAY_MS)).period == DAY_0 + 1
