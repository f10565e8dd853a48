from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from streams.water.rating import (
    Verdict,
    bay_verdict,
    by_shares,
    rating_of_class,
    rating_of_shares,
    reaches,
    shares,
    tier_results,
)
from tests.unit.streams.water.test_standards import RULES

TARGET = Fraction(95, 100)


def sections(**counts: int | None) -> dict[str, int | None]:
    """So many sections of each class: ``c2=3`` are three of class II, ``c0`` have none."""
    numbers = [int(name[1:]) or None for name, count in counts.items() for _ in range(count or 0)]
    return {f"s{at}": number for at, number in enumerate(numbers)}


def test_of_296_sections_281_do_not_reach_95_percent_and_282_do() -> None:
    missed, met = shares(sections(c2=281, c4=15)), shares(sections(c2=282, c4=14))
    assert (missed.total, missed.good, reaches(missed, TARGET)) == (296, 281, Verdict.MISSED)
    assert (met.total, met.good, reaches(met, TARGET)) == (296, 282, Verdict.MET)


def test_sections_without_data_stay_below_the_line_and_are_listed() -> None:
    found = shares({"a": 2, "b": None, "c": 5, "d": 6})
    assert (found.total, found.judged, found.without) == (4, 3, ("b",))
    assert found.share(found.good) == Fraction(1, 4)
    assert (found.fifth, found.worse) == (1, 1)


def test_shares_without_target_or_without_any_data_are_neither_met_nor_missed() -> None:
    assert reaches(shares({"a": 2}), None) is Verdict.UNSET
    assert reaches(shares({"a": None}), TARGET) is Verdict.NO_DATA
    assert reaches(shares({}), TARGET) is Verdict.NO_DATA


@pytest.mark.parametrize(("water_class", "rating"), [(1, 1), (2, 1), (3, 2), (4, 3), (5, 4), (6, 5)])
def test_a_section_is_rated_by_its_class(water_class: int, rating: int) -> None:
    assert rating_of_class(water_class, RULES) == rating


@pytest.mark.parametrize(
    ("counts", "rating"),
    [
        ({"c1": 9, "c4": 1}, 1),
        ({"c1": 90, "c6": 10}, 1),
        ({"c1": 89, "c6": 11}, 2),
        ({"c1": 75, "c6": 25}, 2),
        ({"c1": 74, "c4": 26}, 3),
        ({"c1": 70, "c4": 11, "c6": 19}, 3),
        ({"c1": 70, "c4": 10, "c6": 20}, 4),
        ({"c4": 61, "c6": 39}, 4),
        ({"c4": 60, "c6": 40}, 5),
        ({"c6": 10}, 5),
    ],
)
def test_a_basin_is_rated_by_its_shares(counts: dict[str, int | None], rating: int) -> None:
    assert rating_of_shares(shares(sections(**counts)), RULES) == rating


def test_a_basin_with_too_few_judged_sections_has_no_rating() -> None:
    assert rating_of_shares(shares(sections(c1=75, c0=25)), RULES) == 1
    assert rating_of_shares(shares(sections(c1=74, c0=26)), RULES) is None
    assert rating_of_shares(shares({}), RULES) is None


def test_shares_rate_from_five_sections_on() -> None:
    assert [by_shares(total, RULES) for total in (1, 4, 5, 22)] == [False, False, True, True]


def test_a_failed_township_source_lowers_only_its_tier() -> None:
    passes = {"a": True, "b": True, "t1": True, "t2": False, "t3": None, "k": True}
    tiers = {"a": "county", "b": "county", "t1": "township", "t2": "township", "t3": "township", "k": "thousand"}
    county, thousand, township = tier_results(passes, tiers, RULES)
    assert (county.total, county.passed, county.failed, county.verdict) == (2, 2, (), Verdict.MET)
    assert (thousand.total, thousand.verdict) == (1, Verdict.MET)
    assert (township.total, township.passed, township.failed, township.without) == (3, 1, ("t2",), ("t3",))
    assert township.verdict is Verdict.UNSET


def test_a_county_source_that_fails_misses_the_whole_tier() -> None:
    county, thousand, _ = tier_results({"a": True, "b": False}, {"a": "county", "b": "county"}, RULES)
    assert (county.failed, county.verdict) == (("b",), Verdict.MISSED)
    assert (thousand.total, thousand.verdict) == (0, Verdict.NO_DATA)


STEPS = replace(RULES.bay, steps={2023: Fraction("2.4"), 2024: Fraction("2.1")})


def test_nitrogen_at_a_bay_entry_goes_down_by_steps_to_two() -> None:
    means = {2022: "2.6", 2023: "2.4", 2024: "2.1", 2025: "1.9"}
    found = [bay_verdict(year, Fraction(means[year]), Fraction(means[year - 1]), STEPS) for year in (2023, 2024, 2025)]
    assert [(verdict.limit, verdict.verdict, verdict.declining) for verdict in found] == [
        (Fraction("2.4"), Verdict.MET, Verdict.MET),
        (Fraction("2.1"), Verdict.MET, Verdict.MET),
        (Fraction(2), Verdict.MET, Verdict.MET),
    ]


def test_a_year_over_its_step_or_above_the_year_before_misses() -> None:
    found = bay_verdict(2024, Fraction("2.5"), Fraction("2.4"), STEPS)
    assert (found.verdict, found.declining) == (Verdict.MISSED, Verdict.MISSED)


def test_a_year_without_a_step_is_unset_and_from_the_target_year_on_two_holds() -> None:
    assert bay_verdict(2024, Fraction("2.5"), None, RULES.bay).verdict is Verdict.UNSET
    assert bay_verdict(2024, Fraction("2.5"), None, RULES.bay).declining is Verdict.NO_DATA
    assert bay_verdict(2025, Fraction("2"), Fraction("1.9"), RULES.bay).verdict is Verdict.MET
    assert bay_verdict(2025, Fraction("2"), Fraction("1.9"), RULES.bay).declining is Verdict.MET
    assert bay_verdict(2026, Fraction("2.01"), Fraction("1.9"), RULES.bay).verdict is Verdict.MISSED


def test_a_year_without_data_says_so() -> None:
    assert bay_verdict(2025, None, Fraction(2), RULES.bay).verdict is Verdict.NO_DATA
