"""Cumulated totals against quotas and cuts, by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from streams.discharge.judgement import Level
from streams.discharge.permits import Cut
from streams.discharge.quotas import METHOD, Outlook, Standing, balance, project, reached, used_up_at
from tests.discharge_cases import day

FIRST, LAST = day("2026-01-01"), day("2026-12-31")


@pytest.mark.parametrize(
    ("used", "left", "level", "standing"),
    [
        (0, 1000, Level.WITHIN, Standing.WITHIN),
        (799, 201, Level.WITHIN, Standing.WITHIN),
        (800, 200, Level.WARNING_80, Standing.WITHIN),
        (900, 100, Level.WARNING_90, Standing.WITHIN),
        (1000, 0, Level.WARNING_90, Standing.WITHIN),
        (1001, -1, Level.FINDING, Standing.USED_UP),
    ],
)
def test_a_total_is_within_its_quota_until_it_passes_it(used: int, left: int, level: Level, standing: Standing) -> None:
    found = balance(used, 1000)
    assert (found.left, found.level, found.standing) == (left, level, standing)
    assert found.share == Fraction(used, 1000)


def test_a_quota_not_yet_set_is_unset_and_not_0_percent() -> None:
    found = balance(500, None)
    assert (found.standing, found.left, found.share, found.level) == (Standing.UNSET, None, None, Level.NOT_JUDGED)


def test_a_quota_of_nothing_is_passed_by_the_first_gram() -> None:
    assert balance(0, 0).level is Level.WITHIN
    assert balance(1, 0).standing is Standing.USED_UP


def test_clean_but_heavy_discharge_uses_the_quota_up_at_the_right_hour() -> None:
    # 1000 L/s at 10 mg/L is 36 kg an hour: of 1 t the 28th hour (place 27) is the first over it, 28 x 36 = 1008.
    assert used_up_at([36_000] * 48, 1_000_000) == 27
    assert used_up_at([36_000] * 48, 1_000_000, before=900_000) == 2
    assert used_up_at([36_000] * 27, 1_000_000) is None
    assert used_up_at([], 10) is None


def test_a_total_that_equals_its_quota_has_not_used_it_up() -> None:
    assert used_up_at([5, 5], 10) is None
    assert used_up_at([5, 5, 1], 10) == 2


def test_the_day_of_exhaustion_follows_from_the_mean_of_the_days_that_were() -> None:
    # 10 g a day for 90 days: 900 of 2000 g; 1100 g more last 110 days, the 111th passes it: day 201 of the year.
    found = project([10] * 90, FIRST, LAST, 2000)
    assert (found.outlook, found.day, found.method) == (Outlook.ON, FIRST + 200, METHOD)
    assert found.date == "2026-07-20"


def test_only_the_last_thirty_known_days_make_the_mean() -> None:
    # 60 days of 100 g, then 30 of 10 g: 6300 of 7000 g used; 700 g at 10 g a day last 70 days, the 71st passes it.
    assert project([100] * 60 + [10] * 30, FIRST, LAST, 7000).day == FIRST + 89 + 71
    gaps = [100] * 60 + [10, None] * 30
    assert project(gaps, FIRST, LAST, 7000).day == FIRST + 119 + 71


def test_a_quota_that_lasts_the_year_has_no_day() -> None:
    assert project([1] * 90, FIRST, LAST, 2000).outlook is Outlook.NOT_THIS_YEAR
    assert project([0] * 90, FIRST, LAST, 2000).outlook is Outlook.NOT_THIS_YEAR
    assert project([None] * 90, FIRST, LAST, 2000) == project([], FIRST, LAST, 2000)
    assert project([], FIRST, LAST, 2000).outlook is Outlook.UNKNOWN


def test_the_last_day_of_the_year_still_counts() -> None:
    # After 364 days of 10 g the next day passes 3640 g exactly when the quota is 3649.
    assert project([10] * 364, FIRST, LAST, 3649).day == LAST
    assert project([10] * 364, FIRST, LAST, 3650).outlook is Outlook.NOT_THIS_YEAR


def test_what_was_used_up_has_the_day_on_which_it_was() -> None:
    found = project([10] * 90, FIRST, LAST, 100)
    assert (found.outlook, found.day) == (Outlook.USED_UP, FIRST + 10)


def _cut(base: int | None, share: str | None) -> Cut:
    return Cut(
        factor="COD",
        base_year=2020,
        base_grams=base,
        year=2025,
        share=None if share is None else Fraction(share),
        source="made for a test",
    )


def test_a_cut_is_held_against_the_base_year() -> None:
    assert reached(900, _cut(1000, "1/10")) == (Fraction(1, 10), Level.WITHIN)
    assert reached(901, _cut(1000, "1/10")) == (Fraction(99, 1000), Level.FINDING)
    assert reached(1100, _cut(1000, "1/10")) == (Fraction(-1, 10), Level.FINDING)


def test_a_cut_that_was_not_set_is_not_judged() -> None:
    assert reached(900, _cut(1000, None)) == (Fraction(1, 10), Level.NOT_JUDGED)
    assert reached(900, _cut(None, "1/10")) == (None, Level.NOT_JUDGED)
    assert reached(900, _cut(0, "1/10")) == (None, Level.NOT_JUDGED)
