from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sensors.clock import DAY_MS, HOUR_MS
from sensors.registry import Absence, Site
from sensors.yamlfile import parse_yaml
from streams.judging.reasons import REASONS
from streams.periods.plan import Period, PeriodRow
from streams.periods.targets import parse_targets
from streams.results import Reason
from streams.water.periods import WaterPeriod
from streams.water.standards import load_water_standards
from tests.water_cases import Days, day, kind, month, section, year

GOOD = {"pH": "7.5", "DO": "8", "CODMn": "3", "NH3_N": "0.3", "TP": "0.06"}
JUDGE = WaterPeriod(kind(), load_water_standards())
Y24 = ("2024-01-01", "2024-12-31")


def held(**sites: dict[str, str]) -> Days:
    """Sections with the same values on all days of 2024."""
    days = Days()
    for name, values in sites.items():
        days.put(name, day(Y24[0]), day(Y24[1]), **values)
    return days


def said(days: Days, period: Period, *sites: Site) -> dict[str, PeriodRow]:
    """Rows of the first site, by factor."""
    rows = JUDGE.site(period, days.means([site.id for site in sites], period), sites)
    assert all(row.window == period.window and row.start_day == period.start_day for row in rows)
    return {row.factor: row for row in rows if row.site == sites[0].id}


def area(days: Days, period: Period, *sites: Site) -> dict[str, PeriodRow]:
    members = days.means([site.id for site in sites], period)
    rows = JUDGE.area(period, members, SimpleNamespace(id="river", type="river"), sites)
    assert {row.site for row in rows} <= {"river"}
    return {row.factor: row for row in rows}


def reason(row: PeriodRow) -> Reason:
    return REASONS[row.reason]


def test_a_year_is_classed_by_its_rounded_means() -> None:
    days = held(a=GOOD | {"NH3_N": "1.004", "CODMn": "9", "DO": "2.5"})
    row = said(days, year(2024), section())["class"]
    assert (row.value, row.level, row.primary, row.detail) == (5, 5, "DO", "DO; CODMn 0.50")
    assert (row.valid, row.expected, row.edition, reason(row)) == (5, 21, "GB3838-2002-evaluation", Reason.OK)


def test_a_mean_is_no_vote_of_months() -> None:
    """Eleven months of class II and one of class V with the mean 0.118: class III."""
    days = held(a=GOOD)
    days.put("a", day("2024-07-01"), day("2024-07-31"), TP="0.75")
    assert said(days, year(2024), section())["class"].value == 3
    assert said(days, month("2024-07"), section())["class"].value == 6
    assert said(days, month("2024-06"), section())["class"].value == 2


def test_what_is_over_the_sections_own_target_is_told_apart() -> None:
    row = said(held(a=GOOD | {"TP": "0.15", "CODMn": "5"}), year(2024), section(target="II"))["over_target"]
    assert (row.value, row.level, row.primary, row.detail) == (2, 3, "TP;CODMn", "TP 0.50; CODMn 0.25")
    unset = said(held(a=GOOD), year(2024), section(target=None))["over_target"]
    assert (unset.value, reason(unset)) == (None, Reason.UNSET)


def test_a_section_without_data_has_no_class_and_one_with_a_gap_names_it() -> None:
    row = said(held(a={"wtemp": "20"}), year(2024), section())["class"]
    assert (row.value, reason(row)) == (None, Reason.NO_ITEM)
    row = said(held(a={"pH": "7", "DO": "8", "CODMn": "3", "NH3_N": "0.3"}), year(2024), section())["class"]
    assert (row.value, row.level, row.primary) == (None, None, "")
    assert (reason(row), row.detail) == (Reason.MISSING_ITEM, "missing: TP")


def unplanned(*factors: str, last: str | None = None) -> tuple[Absence, ...]:
    """Absences from 2020 on."""
    begin, end = (None if text is None else day(text) * DAY_MS - 8 * HOUR_MS for text in ("2020-01-01", last))
    return tuple(Absence(factor=name, start=begin or 0, end=end, author="x", why="y") for name in factors)


def test_what_a_section_does_not_measure_by_plan_is_not_asked_of_its_class() -> None:
    days = held(a={"pH": "7", "DO": "8", "CODMn": "3", "NH3_N": "0.3"})
    row = said(days, year(2024), section(not_in_plan=unplanned("TP")))["class"]
    assert (row.value, row.valid, row.detail) == (2, 4, "")
    # Measured by plan from December on: the year lacks it.
    row = said(days, year(2024), section(not_in_plan=unplanned("TP", last="2024-12-01")))["class"]
    assert (row.value, reason(row), row.detail) == (None, Reason.MISSING_ITEM, "missing: TP")


def test_one_good_item_makes_neither_section_nor_area_excellent() -> None:
    days = held(**{name: {"pH": "7"} for name in "abcde"})
    sites = [section(name) for name in "abcde"]
    row = said(days, year(2024), *sites)["class"]
    assert (row.value, reason(row), row.detail) == (None, Reason.MISSING_ITEM, "missing: DO, CODMn, NH3-N, TP")
    rows = area(days, year(2024), *sites)
    assert (rows["share_good"].value, rows["share_good"].detail) == (None, "0 of 5; without a class: a, b, c, d, e")
    assert (rows["rating"].value, reason(rows["rating"])) == (None, Reason.NO_ITEM)
    days.put("a", day(Y24[0]), day(Y24[1]), **GOOD)
    rows = area(days, year(2024), *sites)
    assert (rows["share_good"].value, rows["share_good"].detail) == (2000, "1 of 5; without a class: b, c, d, e")
    assert (rows["rating"].value, reason(rows["rating"])) == (None, Reason.TOO_FEW_SITES)


def test_months_of_one_item_are_neither_steady_nor_on_the_watch_list() -> None:
    days = held(a={"pH": "7"})
    steady = said(days, month("2024-12"), section())["stability"]
    assert (steady.value, steady.valid, reason(steady)) == (None, 0, Reason.INCOMPLETE)
    watch = said(days, year(2024), section())["watch"]
    assert (watch.value, watch.valid, watch.expected, reason(watch)) == (None, 0, 12, Reason.NO_ITEM)
    over = said(days, year(2024), section())["over_target"]
    assert (over.value, reason(over)) == (None, Reason.MISSING_ITEM)
    # A year that passes, with two months of one item: those are no months that passed.
    days = held(a=GOOD)
    holes = Days()
    holes.put("a", day("2024-01-01"), day("2024-12-31"), pH="7")
    holes.put("a", day("2024-03-01"), day("2024-12-31"), **GOOD)
    assert said(holes, year(2024), section())["watch"].valid == 10
    assert said(holes, month("2024-12"), section())["stability"].valid == 10
    assert said(days, year(2024), section())["watch"].valid == 12


def test_a_source_fails_by_one_item_and_passes_only_by_all() -> None:
    days = held(a={"pH": "7"}, b={"pH": "7", "TP": "0.5"})
    rows = area(days, year(2024), source("a", "county"), source("b", "county"))
    assert rows["source_pass.county"].detail == "missed: 0 of 2; failed: b; without a class: a"


def test_a_lakes_nitrogen_and_trophic_index_stand_apart() -> None:
    lake = {"Chla": "10", "TP": "0.05", "TN": "1", "SD": "1", "CODMn": "4", "pH": "7", "DO": "8", "NH3_N": "0.1"}
    rows = said(held(a=lake), year(2024), section(water="lake"))
    assert (rows["class"].value, rows["class.TN"].value) == (3, 3)
    assert (rows["TLI"].value, rows["TLI"].level, rows["TLI"].digits) == (4802, 2, 2)
    assert "TLI" not in said(held(a=lake), year(2024), section())
    short = said(held(a={name: text for name, text in lake.items() if name != "SD"}), year(2024), section(water="lake"))
    assert (short["TLI"].value, short["TLI"].detail, reason(short["TLI"])) == (None, "missing: SD", Reason.MISSING_ITEM)


def failing(*months: int) -> Days:
    days = held(a=GOOD)
    for number in months:
        days.put("a", month(f"2024-{number:02}").first_day, month(f"2024-{number:02}").last_day, CODMn="7")
    return days


def test_the_watch_list_shows_months_that_fail_although_the_year_passes() -> None:
    rows = said(failing(3, 7, 8), year(2024), section())
    assert rows["class"].value == 2
    assert (rows["watch"].value, rows["watch"].detail) == (3, "2024-03, 2024-07, 2024-08")
    assert (rows["watch"].valid, rows["watch"].expected) == (12, 12)
    assert said(held(a=GOOD), year(2024), section())["watch"].value == 0
    assert said(failing(*range(1, 13)), year(2024), section())["watch"].value == 0


def test_an_open_year_watches_the_months_so_far() -> None:
    row = said(failing(2, 7), year(2024, through="2024-05-10"), section())["watch"]
    assert (row.value, row.detail, row.expected) == (1, "2024-02", 5)


def test_the_stability_of_a_section_is_that_of_its_last_twelve_months() -> None:
    """Ten of twelve months pass; II, IV, II, IV, II: four steps of 2 over eleven: 100 x 10/12 x (1 - 8/11/5) = 71.2."""
    row = said(failing(3, 7), month("2024-12"), section())["stability"]
    assert (row.value, row.digits, row.valid, row.expected, row.edition) == (712, 1, 12, 12, "stability-1")
    assert row.detail == "passed 10 of 12; fluctuation 0.73; 153 days since the last failed month"
    early = said(failing(3), month("2024-04"), section())["stability"]
    assert (early.value, reason(early), early.valid) == (None, Reason.INCOMPLETE, 4)
    assert reason(said(failing(3), month("2024-12"), section(target=None))["stability"]) is Reason.UNSET


def bay(days: Days, number: int, through: str | None = None) -> PeriodRow:
    return said(days, year(number, through), section(control=["bay_entry"], gate=True))["TN.bay_entry"]


def test_nitrogen_at_a_bay_entry_is_held_against_two_from_2025_on() -> None:
    days = Days()
    for number, value in ((2023, "2.4"), (2024, "2.1"), (2025, "2.004"), (2026, "2.2")):
        days.put("a", day(f"{number}-01-01"), day(f"{number}-12-31"), TN=value)
    assert [bay(days, number).detail for number in (2023, 2024, 2025, 2026)] == [
        "unset: step unset; declining: no_data",
        "unset: step unset; declining: met",
        "met: step 2 mg/L; declining: met",
        "missed: step 2 mg/L; declining: missed",
    ]
    assert (bay(days, 2025).value, bay(days, 2025).digits) == (20_000, 4)
    assert reason(bay(days, 2022)) is Reason.SILENT
    assert "TN.bay_entry" not in said(days, year(2025), section())


def flux(days: Days, period: Period) -> dict[str, PeriodRow]:
    return said(days, period, section())


def test_masses_are_summed_over_the_days_and_gaps_are_shown() -> None:
    days = Days()
    days.put("a", day("2024-06-01"), day("2024-06-30"), TN_flux="17280")
    row = flux(days, month("2024-06"))["TN.flux"]
    assert (row.value, row.digits, row.valid, row.expected, row.detail) == (30 * 17_280_000, 3, 30, 30, "")
    assert "TN.flux.growth" not in flux(days, month("2024-06"))
    short = Days()
    short.put("a", day("2024-06-01"), day("2024-06-24"), TN_flux="17280")
    row = flux(short, month("2024-06"))["TN.flux"]
    assert (row.value, row.valid, row.detail) == (24 * 17_280_000, 24, "gaps 20.0 %")
    short.put("a", day("2024-07-01"), day("2024-07-20"), TN_flux="17280")
    row = flux(short, month("2024-07"))["TN.flux"]
    assert (row.value, reason(row), row.detail) == (None, Reason.INCOMPLETE, "gaps 35.5 %")


def test_zero_growth_is_checked_against_the_same_days_of_the_year_before() -> None:
    days = Days()
    days.put("a", day("2024-01-01"), day("2024-12-31"), TN_flux="10")
    days.put("a", day("2025-01-01"), day("2025-06-30"), TN_flux="11")
    row = flux(days, year(2025, through="2025-06-30"))["TN.flux.growth"]
    # 181 days of 2025 against the 182 of leap year 2024 up to 30 June.
    assert (row.value, row.detail) == ((181 * 11 - 182 * 10) * 1000, "grew")
    days.put("a", day("2025-01-01"), day("2025-06-30"), TN_flux="10")
    assert flux(days, year(2025, through="2025-06-30"))["TN.flux.growth"].detail == "held"


def test_a_short_year_before_is_not_comparable() -> None:
    days = Days()
    days.put("a", day("2024-01-01"), day("2024-03-01"), TN_flux="10")
    days.put("a", day("2025-01-01"), day("2025-12-31"), TN_flux="9")
    row = flux(days, year(2025))["TN.flux.growth"]
    assert (row.value, row.detail, reason(row)) == (None, "not_comparable", Reason.INCOMPLETE)


def many(**counts: int) -> tuple[Days, tuple[Site, ...]]:
    """Sections of a year by class: ``c2=3`` are three of class II, ``c0`` have no data."""
    phosphorus = {"c1": "0.02", "c2": "0.1", "c3": "0.2", "c4": "0.3", "c5": "0.4", "c6": "0.5"}
    days, sites = Days(("pH", "DO", "CODMn", "NH3-N", "TP")), []
    for name, count in counts.items():
        for number in range(count):
            site = section(f"{name}-{number}", assessment=True)
            sites.append(site)
            if name != "c0":
                last = day("2024-01-31")
                days.put(site.id, day("2024-01-01"), last, pH="7", DO="8", CODMn="2", NH3_N="0.1", TP=phosphorus[name])
    return days, tuple(sites)


def test_281_of_296_sections_are_below_95_percent_and_282_above() -> None:
    days, sites = many(c2=281, c4=15)
    rows = area(days, month("2024-01"), *sites)
    assert (rows["share_good"].value, rows["share_good"].detail) == (9493, "281 of 296")
    days, sites = many(c2=282, c4=10, c5=3, c6=1)
    rows = area(days, month("2024-01"), *sites)
    assert (rows["share_good"].value, rows["share_good"].digits) == (9527, 2)
    assert (rows["share_V"].detail, rows["share_worse_V"].detail) == ("3 of 296", "1 of 296")
    assert (rows["share_good"].valid, rows["share_good"].expected) == (296, 296)


def test_sections_without_data_stay_in_the_denominator_and_are_listed() -> None:
    days, sites = many(c2=4, c0=1)
    rows = area(days, month("2024-01"), *sites)
    assert (rows["share_good"].value, rows["share_good"].detail) == (8000, "4 of 5; without a class: c0-0")
    assert (rows["rating"].value, rows["rating"].valid, rows["rating"].expected) == (1, 4, 5)
    days, sites = many(c2=3, c0=2)
    rows = area(days, month("2024-01"), *sites)
    assert (rows["rating"].value, reason(rows["rating"])) == (None, Reason.TOO_FEW_SITES)
    days, sites = many(c0=2)
    rows = area(days, month("2024-01"), *sites)
    assert (rows["share_good"].value, reason(rows["share_good"])) == (None, Reason.NO_ITEM)


def test_five_sections_are_rated_by_shares_and_four_by_their_means() -> None:
    days, sites = many(c1=4, c6=1)
    assert (area(days, month("2024-01"), *sites)["rating"].value) == 2
    days, sites = many(c1=3, c6=1)
    row = area(days, month("2024-01"), *sites)["rating"]
    # (3 x 0.02 + 0.5) / 4 = 0.14: class III
    assert (row.value, row.primary, row.detail) == (2, "TP", "by the means of its sections")


def test_the_mean_of_ph_over_sections_is_that_of_hydrogen_ions() -> None:
    days, sites = many(c1=2)
    days.put("c1-0", day("2024-01-01"), day("2024-01-31"), pH="5.5")
    days.put("c1-1", day("2024-01-01"), day("2024-01-31"), pH="8.5")
    # -log10((10**-5.5 + 10**-8.5) / 2) = 5.80: rounds to 6, while the mean of the values would be 7.
    assert area(days, month("2024-01"), *sites)["rating"].value == 1
    days.put("c1-0", day("2024-01-01"), day("2024-01-31"), pH="5.1")
    assert area(days, month("2024-01"), *sites)["rating"].value == 5


def test_only_assessed_sections_count_and_all_where_none_is_assessed() -> None:
    days, sites = many(c2=1, c6=1)
    poor = section("c6-0")
    assert area(days, month("2024-01"), sites[0], poor)["share_good"].detail == "1 of 1"
    assert area(days, month("2024-01"), section("c2-0"), poor)["share_good"].detail == "1 of 2"


def source(name: str, tier: str | None) -> Site:
    return section(name, station_class="drinking_source", tier=tier, target=None)


def test_a_failed_township_source_lowers_only_its_tier() -> None:
    days = held(a=GOOD, b=GOOD | {"TP": "0.3"}, c=GOOD)
    rows = area(days, year(2024), source("a", None), source("b", "township"), source("c", "thousand"))
    assert (rows["source_pass.county"].value, rows["source_pass.county"].detail) == (10_000, "met: 1 of 1")
    assert (rows["source_pass.township"].value, rows["source_pass.township"].detail) == (0, "unset: 0 of 1; failed: b")
    assert rows["source_pass.thousand"].value == 10_000
    assert "share_good" not in rows


@pytest.mark.parametrize(
    ("values", "detail"),
    [({"sulfate": "250"}, "met: 1 of 1"), ({"sulfate": "250.01"}, "missed: 0 of 1; failed: a"),
     ({"Fe": "0.31"}, "missed: 0 of 1; failed: a")],
)  # fmt: skip
def test_the_extra_items_of_sources_count_where_they_are_measured(values: dict[str, str], detail: str) -> None:
    assert area(held(a=GOOD | values), year(2024), source("a", "county"))["source_pass.county"].detail == detail


def test_what_the_entries_carry_into_the_bay_is_summed_for_the_area() -> None:
    days = Days()
    for name in ("a", "b"):
        days.put(name, day("2024-01-01"), day("2024-12-31"), TN_flux="10")
    days.put("c", day("2024-01-01"), day("2024-12-31"), TN_flux="99")
    entries = [section(name, station_class="bay_entry") for name in "ab"]
    row = area(days, year(2024), *entries, section("c"))["TN.flux"]
    assert (row.value, row.valid, row.expected) == (2 * 366 * 10_000, 732, 732)


TARGETS = """
documents: [{id: plan, title: a plan}]
targets:
  - {id: good, region: r, area: river, indicator: {zh: 甲, en: a}, measure: share_good, unit: "%", nature: none,
     direction: ">=", value: 95, year: 2025, document: plan}
  - {id: open, region: r, area: river, indicator: {zh: 乙, en: b}, measure: share_V, unit: "%", nature: none,
     direction: "=", assigned: true, year: 2025, document: plan}
  - {id: sources, region: r, area: river, indicator: {zh: 丙, en: c}, measure: source_pass, unit: "%", nature: none,
     direction: "=", value: 100, year: 2025, document: plan}
  - {id: bay, region: r, area: river, indicator: {zh: 丁, en: d}, measure: TN.bay_entry, unit: mg/L, nature: none,
     direction: "<=", value: 2, year: 2025, document: plan}
"""


def test_a_year_is_held_against_the_targets_that_name_its_figures() -> None:
    targets = parse_targets(parse_yaml(TARGETS, "targets.yaml"))
    judged = WaterPeriod(kind(), load_water_standards(), targets)
    days = held(a=GOOD | {"TN": "2.2"}, b=GOOD | {"TP": "0.25", "TN": "1.5"}, s=GOOD)
    sites = (section("a", control=["bay_entry"]), section("b", control=["bay_entry"]), source("s", "county"))
    members = days.means("abs", year(2024))
    rows = {
        row.factor: row for row in judged.area(year(2024), members, SimpleNamespace(id="river", type="river"), sites)
    }
    good, bay_row = rows["share_good.target"], rows["TN.bay_entry.target"]
    assert (good.value, good.level, good.detail, good.edition) == (-4500, 0, "missed", "good")
    assert (rows["share_V.target"].value, reason(rows["share_V.target"])) == (None, Reason.UNSET)
    assert (rows["source_pass.target"].value, rows["source_pass.target"].level) == (0, 1)
    assert (rows["TN.bay_entry"].value, rows["TN.bay_entry"].detail) == (22_000, "a 2.2, b 1.5")
    assert (bay_row.value, bay_row.level, bay_row.detail) == (20, 0, "missed")


def test_without_data_an_area_neither_meets_nor_misses_a_target() -> None:
    targets = parse_targets(parse_yaml(TARGETS, "targets.yaml"))
    judged = WaterPeriod(kind(), load_water_standards(), targets)
    days = held(a=GOOD | {"TN": "1.9"})
    sites = (section("b"), section("a", control=["bay_entry"]), section("c", control=["bay_entry"]))
    found = judged.area(year(2024), days.means("bac", year(2024)), SimpleNamespace(id="river", type="river"), sites)
    rows = {row.factor: row for row in found}
    assert (rows["TN.bay_entry"].value, rows["TN.bay_entry"].detail) == (None, "a 1.9; without data: c")
    assert (rows["TN.bay_entry.target"].level, reason(rows["TN.bay_entry.target"])) == (None, Reason.NO_ITEM)


@pytest.mark.parametrize("call", [JUDGE.site, JUDGE.area])
def test_before_the_standard_and_without_sites_nothing_is_said(call: Any) -> None:
    days, old = held(a=GOOD), year(1990)
    extra = () if call == JUDGE.site else (SimpleNamespace(id="x", type="river"),)
    assert list(call(old, days.means(["a"], old), *extra, (section(),))) == []
    assert list(call(year(2024), days.means([], year(2024)), *extra, ())) == []
