from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from sensors.flags import Mark
from sensors.registry import Registry
from sensors.yamlfile import parse_yaml
from streams.periods.targets import NO_TARGETS, Targets, parse_targets
from tests.period_cases import Row, after, air, area, batch, day_ms, day_no, day_row, final, judge, one, registry, site

AIR = air(running=False)
GOOD = {"PM2.5": 30.0, "PM10": 50.0, "SO2": 6.0, "NO2": 20.0, "CO": 0.6, "O3": 90.0}
Said = list[pa.RecordBatch | None]


def county(*names: str) -> Registry:
    return registry([site(name, areas=("C",)) for name in names or ("A",)], [area("C", "county")])


def days(name: str, first: str, last: str, **special: Any) -> list[Row]:
    """Return six good items a day; ``special`` maps a date, its dashes as underscores, to other values or None."""
    given = {day_no(key[1:].replace("_", "-")): value for key, value in special.items()}
    rows = []
    for day in range(day_no(first), day_no(last) + 1):
        values: dict[str, float | None] = {**GOOD, **(given.get(day, {}) or {})}
        for factor, value in values.items():
            rows.append(day_row(AIR, name, factor, day, None if given.get(day, {}) is None else value))
    return rows


def year(name: str, number: int, bad: int = 0, missing: int = 0, value: dict[str, float] | None = None) -> list[Row]:
    """Return a year of which the first days of each month are bad (PM2.5 80) and the last not valid."""
    first, last = day_no(f"{number}-01-01"), day_no(f"{number}-12-31")
    rows = []
    for day in range(first, last + 1):
        from_start, to_end = day - first, last - day
        for factor, good in (value or GOOD).items():
            shown: float | None = 80.0 if factor == "PM2.5" and from_start < bad else good
            rows.append(day_row(AIR, name, factor, day, None if to_end < missing else shown))
    return rows


def targets(text: str) -> Targets:
    head = "documents: [{id: plan, title: a plan}]\ntargets:\n"
    common = "region: C, area: C, indicator: {zh: 甲, en: a}, nature: none, document: plan"
    lines = "".join(f"  - {{{common}, {line}}}\n" for line in text.splitlines())
    return parse_targets(parse_yaml(head + lines, "targets.yaml"))


def played(rows: list[Row], last: str, *, made: Registry | None = None, plan: Targets = NO_TARGETS) -> Said:
    each = judge(made or county(), AIR, targets=plan)
    each.fold(batch(rows))
    return [each.tick(after(day_no(last)), 0)]


def test_the_share_of_good_days_is_over_valid_days() -> None:
    said = played(year("A", 2025, bad=20, missing=4), "2025-12-31")
    own = final(said)["A", "good_share", "year", day_ms(day_no("2025-01-01")), ""]
    # 341 good of 361 valid: 94.46 %
    assert (own["value"], own["digits"], own["valid"], own["expected"]) == (9446, 2, 361, 365)


@pytest.mark.parametrize(("missing", "good"), [(4, 341), (5, None)])
def test_days_are_counted_where_there_is_a_share_and_nowhere_else(missing: int, good: int | None) -> None:
    # the last five days of December are missing, 26 remain: below the month's 27, so the year is not complete
    said = played(year("A", 2025, bad=20, missing=missing), "2025-12-31")
    share = final(said)["A", "good_share", "year", day_ms(day_no("2025-01-01")), ""]
    assert (share["value"] is None) == (good is None)
    counts = {"good_days": good, "days_1": good, "days_2": 0, "days_3": 20, "PM2.5.over_days": 20, "O3.over_days": 0}
    for name, count in counts.items():
        row = one(said, "A", name, "year", "2025-01-01")
        expected = (None, "incomplete") if good is None else (count, "")
        assert (row["value"], row["reason"], row["valid"]) == (*expected, 365 - missing)


def test_what_was_counted_of_a_year_that_is_not_complete_is_told_beside_it() -> None:
    rows = days("A", "2025-01-01", "2025-01-31", d2025_01_20={"PM2.5": 160.0})
    plan = targets('id: g, unit: "%", direction: ">=", value: 95, measure: good_share')
    said = played(rows, "2025-02-20", plan=plan)
    told = {name: one(said, "C", name, "year", "2025-01-01") for name in ("good_days", "broken.heavy", "bad_days_left")}
    assert {row["value"] for row in told.values()} == {None}
    assert told["good_days"]["detail"] == "30 of 31"
    assert told["broken.heavy"]["detail"] == "2025-01-20"
    assert told["bad_days_left"]["detail"].startswith("1 of ")


def test_of_a_month_without_a_valid_day_nothing_is_counted() -> None:
    rows = [row for day in range(1, 31) for row in days("A", f"2026-04-{day:02}", f"2026-04-{day:02}")]
    rows = [replace(row, value=None, reason="incomplete") for row in rows]
    found = final(played(rows, "2026-04-30"))
    counted = [row for key, row in found.items() if key[2] == "month" and ("days" in key[1] or key[1] == "good_share")]
    assert {(row["value"], row["valid"], row["reason"]) for row in counted} == {(None, 0, "incomplete")}
    assert len(counted) == 2 * 12  # of site and county: the share, good days, six levels, days over and primary of two


@pytest.mark.parametrize(
    ("number", "direction", "share", "allowed"),
    [(2025, ">=", 95, 18), (2024, ">=", 95, 18), (2025, ">", 96, 14), (2024, ">", 96, 14)],
)
def test_the_budget_of_a_whole_year(number: int, direction: str, share: int, allowed: int) -> None:
    # > 96 % of 365 are at least 351 good days, of 366 at least 352; ≥ 95 % leave 18 bad ones in both
    plan = targets(f'id: g, unit: "%", direction: "{direction}", value: {share}, measure: good_share')
    said = played(year("A", number, bad=4), f"{number}-12-31", plan=plan)
    row = one(said, "C", "bad_days_left", "year", f"{number}-01-01")
    assert (row["value"], row["detail"]) == (allowed - 4, f"4 of {allowed}")


def test_the_budget_of_a_year_that_is_not_over_counts_the_days_to_come_as_valid() -> None:
    plan = targets('id: g, unit: "%", direction: ">=", value: 95, measure: good_share')
    rows = days("A", "2025-01-01", "2025-03-31", d2025_01_05={"PM2.5": 80.0}, d2025_02_05=None)
    row = one(played(rows, "2025-03-31", plan=plan), "C", "bad_days_left", "year", "2025-01-01")
    # 89 valid + 275 to come = 364: ceil(345.8) = 346 good, 18 may be bad, one was
    assert (row["value"], row["valid"], row["expected"], row["flags"]) == (17, 89, 90, Mark.OPEN)


def test_an_overdrawn_budget_is_below_zero() -> None:
    plan = targets('id: g, unit: "%", direction: ">=", value: 95, measure: good_share')
    assert (
        one(played(year("A", 2025, bad=20), "2025-12-31", plan=plan), "C", "bad_days_left", "year", "2025-01-01")[
            "value"
        ]
        == -2
    )


@pytest.mark.parametrize(
    "plan", [NO_TARGETS, targets('id: g, unit: "%", direction: ">=", assigned: true, measure: good_share')]
)
def test_a_budget_without_a_number_is_unset(plan: Targets) -> None:
    row = one(
        played(days("A", "2025-01-01", "2025-01-31"), "2025-01-31", plan=plan),
        "C",
        "bad_days_left",
        "year",
        "2025-01-01",
    )
    assert (row["value"], row["reason"]) == (None, "unset")


def test_a_heavy_day_breaks_the_promise_and_is_named() -> None:
    rows = days("A", "2025-01-01", "2025-01-31", d2025_01_20={"PM2.5": 160.0}, d2025_01_10={"PM2.5": 120.0})
    said = played(rows, "2025-01-31")
    moderate = one(said, "C", "broken.moderate", "year", "2025-01-01")
    heavy = one(said, "C", "broken.heavy", "year", "2025-01-01")
    assert (moderate["value"], moderate["detail"]) == (2, "2025-01-10; 2025-01-20")
    assert (heavy["value"], heavy["detail"]) == (1, "2025-01-20")


def test_a_day_without_an_index_is_not_valid() -> None:
    # from March 2026 a missing item leaves the day without an AQI, unless it is over 100
    third = day_ms(day_no("2026-06-03"))
    rows = [r for r in days("A", "2026-06-01", "2026-06-30") if not (r.factor == "NO2" and r.start < third)]
    row = next(
        r for k, r in final(played(rows, "2026-06-30")).items() if k[:3] == ("A", "good_share", "month") and k[4] == ""
    )
    assert (row["value"], row["valid"], row["expected"]) == (10000, 28, 30)


def test_items_over_their_limit_and_primary_are_counted() -> None:
    rows = days("A", "2025-06-01", "2025-06-30", d2025_06_03={"O3": 170.0}, d2025_06_04={"O3": 120.0, "PM2.5": 80.0})
    said = played(rows, "2025-06-30")
    assert one(said, "A", "O3.over_days", "month", "2025-06-01")["value"] == 1
    assert one(said, "A", "PM2.5.over_days", "month", "2025-06-01")["value"] == 1
    assert one(said, "A", "O3.primary_days", "month", "2025-06-01")["value"] == 1
    assert one(said, "A", "PM2.5.primary_days", "month", "2025-06-01")["value"] == 1


def test_the_composite_index_in_both_forms() -> None:
    values = {"PM2.5": 35.0, "PM10": 70.0, "SO2": 6.0, "NO2": 20.0, "CO": 1.0, "O3": 160.0}
    found = final(played(year("A", 2025, value=values), "2025-12-31"))
    rows = {k[4]: r for k, r in found.items() if k[:3] == ("A", "composite", "year")}
    # 35/35 + 70/70 + 6/60 + 20/40 + 1/4 + 160/160
    assert rows["HJ663-2013"]["value"] == 385
    assert rows["HJ663-2013"]["primary"] == "PM2.5;PM10;O3"
    # 3 × 35/30 + 70/60 + 6/60 + 2 × 20/40 + 1/4 + 2 × 160/160 = 3.5 + 1.1667 + 0.1 + 1 + 0.25 + 2
    assert rows["HJ663-2026"]["value"] == 802
    assert rows["HJ663-2026"]["primary"] == "PM2.5"
    assert rows["HJ663-2026"]["detail"].startswith("PM2.5 3.50; PM10 1.17")


def test_after_2030_the_2026_form_is_unset_with_its_reason_and_nobody_is_ranked_by_it() -> None:
    made = registry(
        [site("A", areas=("C", "P"))], [area("C", "county", "P"), area("P", "city")],
    )  # fmt: skip
    found = final(played(year("A", 2031), "2031-12-31", made=made))
    rows = {k[4]: r for k, r in found.items() if k[:3] == ("A", "composite", "year")}
    assert (rows["HJ663-2026"]["value"], rows["HJ663-2026"]["reason"]) == (None, "unset")
    assert rows["HJ663-2026"]["detail"] == "no limits after 2030-12-31"
    assert rows["HJ663-2013"]["value"] is not None
    assert {k[4] for k in found if k[1] == "rank.composite"} == {"HJ663-2013"}


def test_a_composite_index_with_an_item_missing_names_it() -> None:
    rows = [r for r in days("A", "2025-06-01", "2025-06-30") if r.factor != "CO"]
    found = final(played(rows, "2025-06-30"))
    for k, r in found.items():
        if k[:3] == ("A", "composite", "month"):
            assert (r["value"], r["reason"], r["detail"], r["valid"]) == (None, "missing_item", "CO", 5)


def test_the_year_is_compared_with_the_same_days_of_the_year_before() -> None:
    rows = days("A", "2024-01-01", "2024-12-31", d2024_11_11={"PM2.5": 400.0})
    rows += [replace(r, value=2700) if r.factor == "PM2.5" else r for r in days("A", "2025-01-01", "2025-06-30")]
    said = played(rows, "2025-06-30")
    row = one(said, "A", "PM2.5.yoy", "year", "2025-01-01")
    assert (row["value"], row["digits"], row["flags"]) == (-1000, 2, Mark.OPEN)  # 27 after 30: −10 %


def test_a_late_day_of_last_year_changes_this_years_comparison() -> None:
    each = judge(county(), AIR)
    each.fold(batch(year("A", 2024) + year("A", 2025)))
    last = after(day_no("2025-12-31"))
    said = [each.tick(last, 0)]
    assert one(said, "A", "PM2.5.yoy", "year", "2025-01-01")["value"] == 0
    each.fold(batch([day_row(AIR, "A", "PM2.5", day_no("2024-05-05"), 396, revision=2)]))
    said.append(each.tick(last + 1, 0))
    row = one(said, "A", "PM2.5.yoy", "year", "2025-01-01")
    # 30 + 366/366 = 31: 30 after 31 is −3.23 %
    assert (row["value"], row["revision"]) == (-323, 2)


def test_2026_is_judged_by_two_editions_and_again_by_one() -> None:
    # PM2.5 70: AQI 94 until February, 110 from March
    rows = year("A", 2026, value={**GOOD, "PM2.5": 70.0})
    found = final(played(rows, "2026-12-31"))
    shares = {k[4]: r["value"] for k, r in found.items() if k[:3] == ("A", "good_share", "year")}
    # 59 of 365 days are good by their own edition: 16.16 %
    assert shares == {"": 1616, "HJ633-2012": 10000, "HJ633-2026": 0}


def test_distance_to_the_target_and_to_the_base() -> None:
    plan = targets(
        'id: pm, unit: µg/m³, direction: "<=", value: 29, measure: PM2.5, '
        "bases: [{value: 56, year: 2015}, {value: 28, year: 2020}]\n"
        'id: tight, unit: µg/m³, direction: "<=", value: 25, measure: PM2.5\n'
        'id: none, unit: µg/m³, direction: "<=", assigned: true, measure: PM2.5, bases: [{value: 25, year: 2020}]'
    )
    rows = year("A", 2025, value={**GOOD, "PM2.5": 28.0})
    found = {
        k[4]: r
        for k, r in final(played(rows, "2025-12-31", plan=plan)).items()
        if k[:3] == ("C", "PM2.5.target", "year")
    }
    assert (found["pm"]["value"], found["pm"]["detail"], found["pm"]["level"]) == (-100, "met;regression", 1)
    assert (found["tight"]["value"], found["tight"]["detail"], found["tight"]["level"]) == (300, "missed", 0)
    assert (found["none"]["value"], found["none"]["detail"], found["none"]["level"]) == (None, "unset", None)
    assert found["none"]["reason"] == "unset"
    base = {
        k[4]: r for k, r in final(played(rows, "2025-12-31", plan=plan)).items() if k[:3] == ("C", "PM2.5.base", "year")
    }
    assert base["pm"]["value"] == 0
    assert base["none"]["value"] == 1200  # 28 after 25
    assert (base["tight"]["value"], base["tight"]["reason"]) == (None, "unset")


@pytest.mark.parametrize(
    ("fine", "ozone", "count"), [(27.0, 80.0, 2), (27.0, 95.0, 1), (33.0, 80.0, 1), (33.0, 95.0, 0)]
)
def test_double_control_counts_what_falls(fine: float, ozone: float, count: int) -> None:
    rows = year("A", 2024) + year("A", 2025, value={**GOOD, "PM2.5": fine, "O3": ozone})
    row = one(played(rows, "2025-12-31"), "C", "double_control", "year", "2025-01-01")
    assert row["value"] == count
    assert row["detail"].startswith(f"PM2.5 {'-' if fine < 30 else ''}10.00 %; O3 ")


def test_double_control_without_the_year_before_is_not_known() -> None:
    row = one(played(year("A", 2025), "2025-12-31"), "C", "double_control", "year", "2025-01-01")
    gap = "VOCs: not joined across kinds; NO2 stands for NOx"
    assert (row["value"], row["detail"]) == (None, f"PM2.5 ? %; O3 ? %; NO2 ? %; {gap}")


def test_the_trend_of_ozone_needs_three_years() -> None:
    rows = []
    said = []
    for number, ozone in ((2022, 150.0), (2023, 158.0), (2024, 160.0), (2025, 130.0)):
        rows += year("A", number, value={**GOOD, "O3": ozone})
        said.append(one(played(rows, f"{number}-12-31"), "C", "O3.trend", "year", f"{number}-01-01"))
    assert [(r["value"], r["detail"], r["valid"]) for r in said] == [
        (None, "too_few_years", 1),
        (None, "too_few_years", 2),
        (500, "not_curbed", 3),  # 150, 158, 160: (160 − 150) / 2
        (-580, "curbed", 4),  # (−1.5 × 150 − 0.5 × 158 + 0.5 × 160 + 1.5 × 130) / 5
    ]


def test_counties_are_ranked_with_ties_and_missing_ones() -> None:
    made = registry(
        [site(name, areas=(f"C{name}", "P")) for name in "ABDE"],
        [*(area(f"C{name}", "county", "P") for name in "ABDE"), area("P", "city")],
    )
    rows = []
    for name, fine in (("A", 30.0), ("B", 25.0), ("D", 25.0)):
        rows += year(name, 2025, value={**GOOD, "PM2.5": fine})
    rows += days("E", "2025-01-01", "2025-01-20")
    found = final(played(rows, "2025-12-31", made=made))
    ranked = {k[0]: r for k, r in found.items() if k[1:3] == ("rank.PM2.5", "year")}
    assert {name: row["value"] for name, row in ranked.items()} == {"CA": 3, "CB": 1, "CD": 1, "CE": None}
    assert {(row["valid"], row["expected"]) for row in ranked.values()} == {(3, 4)}
    assert ranked["CE"]["reason"] == "incomplete"


def test_a_site_without_an_item_by_plan_has_an_index_of_the_others() -> None:
    made = registry([site("A", areas=("C",), absent=("CO",))], [area("C", "county")])
    rows = [r for r in days("A", "2026-06-01", "2026-06-30") if r.factor != "CO"]
    for name in ("A", "C"):
        row = next(
            r
            for k, r in final(played(rows, "2026-06-30", made=made)).items()
            if k[:3] == (name, "good_share", "month") and k[4] == ""
        )
        assert (row["value"], row["valid"]) == (10000, 30)


@pytest.mark.parametrize(
    ("number", "edition", "gap", "within"), [(2025, "GB3095-2012", -300, 1), (2026, "GB3095-2026-1", 200, 0)]
)
def test_a_year_is_held_against_the_limits_of_its_last_day(number: int, edition: str, gap: int, within: int) -> None:
    # PM2.5 of 32: within 35 in 2025, over 30 in 2026, whose first two months were under the old edition
    found = final(played(year("A", number, value={**GOOD, "PM2.5": 32.0}), f"{number}-12-31"))
    rows = {k[4]: r for k, r in found.items() if k[:3] == ("C", "PM2.5.year_limit", "year")}
    assert set(rows) == {edition}
    assert (rows[edition]["value"], rows[edition]["level"]) == (gap, within)
    ozone = next(r for k, r in found.items() if k[:3] == ("C", "O3.year_limit", "year"))
    assert (ozone["value"], ozone["detail"]) == (-7000, "160 µg/m³")
