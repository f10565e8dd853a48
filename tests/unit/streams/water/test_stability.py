from __future__ import annotations

from fractions import Fraction

import pytest

from streams.water.stability import Month, steadiness, watched
from tests.unit.streams.water.test_standards import RULES

RULE = RULES.stability


def months(*classes: int | None) -> list[Month]:
    """Months of 30 days, the first ending on day 30."""
    return [Month(last_day=30 * (at + 1), water_class=found) for at, found in enumerate(classes)]


def test_a_section_that_never_moves_and_never_fails_has_100() -> None:
    found = steadiness(months(*[2] * 12), 3, RULE)
    assert (found.index, found.digits, found.passed, found.months) == (1000, 1, 12, 12)
    assert (found.fluctuation, found.days_since_fail, found.failed) == (Fraction(0), None, ())
    assert found.formula == "stability-1"


def test_failing_months_and_jumps_lower_it_by_the_formula() -> None:
    """Nine of twelve pass; 6 steps of 1 over 11 months: 100 x 3/4 x (1 - 6/11/5) = 66.8."""
    found = steadiness(months(3, 3, 4, 3, 3, 4, 3, 3, 4, 3, 3, 3), 3, RULE)
    assert found.fluctuation == Fraction(6, 11)
    assert (found.passed, found.failed) == (9, (90, 180, 270))
    assert found.index == 668
    assert found.days_since_fail == 90


def test_only_the_last_twelve_months_count() -> None:
    assert steadiness(months(6, *[2] * 12), 3, RULE).index == 1000


def test_months_without_a_class_are_neither_passed_nor_failed() -> None:
    found = steadiness(months(2, None, 2, None, 2, 2, 2, 2), 3, RULE)
    assert (found.months, found.passed, found.index) == (6, 6, 1000)
    assert steadiness(months(2, None, 2, None, 2, 2, 2), 3, RULE).index is None


def test_without_a_target_there_is_no_index_and_no_failure() -> None:
    found = steadiness(months(*[4] * 12), None, RULE)
    assert (found.index, found.failed, found.fluctuation) == (None, (), Fraction(0))


def test_nothing_is_said_of_nothing() -> None:
    found = steadiness([], 3, RULE)
    assert (found.index, found.months, found.fluctuation, found.days_since_fail) == (None, 0, None, None)


@pytest.mark.parametrize("fails", [1, 3])
def test_a_section_whose_year_passes_while_months_fail_is_watched(fails: int) -> None:
    year = months(*[2] * (12 - fails), *[4] * fails)
    assert watched(3, year, 3) == tuple(30 * (at + 1) for at in range(12 - fails, 12))


def test_a_year_that_fails_or_has_no_class_or_target_is_not_on_the_watch_list() -> None:
    year = months(2, 4)
    assert watched(4, year, 3) == watched(None, year, 3) == watched(3, year, None) == ()
    assert watched(3, months(2, None, 3), 3) == ()
