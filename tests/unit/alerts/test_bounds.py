from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from alerts.bounds import Bound, gives, level_bound, limit_bound
from streams.standards import load_standards
from tests.unit.alerts.building import DAY_0

STANDARDS = load_standards()


@pytest.mark.parametrize(("digits", "expected"), [(2, 7500), (0, 75), (3, 75_000)])
def test_a_bound_is_the_same_in_any_digits(digits: int, expected: int) -> None:
    bound = Bound(value=7500, digits=2, standard="", table="", clause="", edition="")
    assert bound.at_digits(digits) == expected
    assert replace(bound, value=7550).at_digits(0) == Fraction(151, 2)


def test_a_limit_keeps_who_says_it() -> None:
    limit = STANDARDS.limit("PM2.5", "24h", 2, DAY_0)
    assert limit is not None
    bound = limit_bound(limit)
    assert (bound.value, bound.digits, bound.standard, bound.edition) == (6000, 2, "GB 3095-2026", "GB3095-2026-1")
    assert bound.table
    assert bound.clause


def test_a_level_begins_above_the_greatest_index_of_the_one_below() -> None:
    edition = STANDARDS.index_edition(DAY_0)
    assert [bound.value for level in range(2, 7) if (bound := level_bound(edition, level))] == [50, 100, 150, 200, 300]
    assert level_bound(edition, 7) is None


@pytest.mark.parametrize(
    ("factor", "window", "given"),
    [("SO2", "1h", True), ("PM2.5", "1h", False), ("PM2.5", "24h", True), ("O3", "MDA8", True), ("O3", "24h", False)],
)
def test_limits_are_given_for_the_windows_of_the_tables(factor: str, window: str, *, given: bool) -> None:
    assert gives(STANDARDS, factor, window) == given
