from __future__ import annotations

import datetime as dt

import pytest

from sensors.kinds import load_kind
from sensors.windows import Span
from streams.periods.calendar import (
    Bounds,
    Calendar,
    day_date,
    in_february,
    month_length,
    months_of,
    running_first,
    shifted,
)
from streams.periods.plan import Period
from tests.period_cases import day_no

MONTH = Calendar(window="month", span=Span.MONTH)
QUARTER = Calendar(window="quarter", span=Span.QUARTER)
YEAR = Calendar(window="year", span=Span.YEAR)
RUNNING = Calendar(window="running_year", span=Span.RUNNING_YEAR)
NEVER = day_no("2100-01-01")


def season(name: str) -> Calendar:
    found = next(s for s in load_kind("air").seasons if s.id == name)
    return Calendar(window=f"season.{name}", span=Span.SEASON, season=found)


def dates(bounds: Bounds) -> tuple[str, str]:
    return day_date(bounds.first).isoformat(), day_date(bounds.last).isoformat()


@pytest.mark.parametrize(
    ("calendar", "day", "first", "last", "slot"),
    [
        (MONTH, "2024-02-29", "2024-02-01", "2024-02-29", 1),
        (MONTH, "2023-02-01", "2023-02-01", "2023-02-28", 1),
        (MONTH, "2023-12-31", "2023-12-01", "2023-12-31", 11),
        (QUARTER, "2024-03-31", "2024-01-01", "2024-03-31", 0),
        (QUARTER, "2024-10-01", "2024-10-01", "2024-12-31", 3),
        (YEAR, "2024-07-01", "2024-01-01", "2024-12-31", 0),
    ],
)
def test_a_day_lies_in_its_calendar_period(calendar: Calendar, day: str, first: str, last: str, slot: int) -> None:
    (found,) = calendar.holding([day_no(day)], NEVER)
    assert (*dates(found), found.slot) == (first, last, slot)


def test_a_season_over_the_new_year_bears_the_year_in_which_it_begins() -> None:
    (january,) = season("pm").holding([day_no("2025-01-15")], NEVER)
    (october,) = season("pm").holding([day_no("2025-10-01")], NEVER)
    assert (*dates(january), january.year) == ("2024-10-01", "2025-03-31", 2024)
    assert (*dates(october), october.year) == ("2025-10-01", "2026-03-31", 2025)
    assert season("pm").holding([day_no("2025-07-01")], NEVER) == []


def test_autumn_lies_in_both_seasons() -> None:
    day = [day_no("2025-10-31")]
    assert dates(season("pm").holding(day, NEVER)[0])[0] == "2025-10-01"
    assert dates(season("o3").holding(day, NEVER)[0]) == ("2025-04-01", "2025-10-31")


@pytest.mark.parametrize(
    ("last", "first", "length"),
    [
        ("2023-12-31", "2023-01-01", 365),
        ("2024-12-31", "2024-01-01", 366),
        ("2024-02-29", "2023-03-01", 366),
        ("2024-02-28", "2023-03-01", 365),
        ("2025-02-28", "2024-02-29", 366),
        ("2025-03-01", "2024-03-02", 365),
    ],
)
def test_a_running_year_begins_the_day_after_the_same_date_a_year_before(last: str, first: str, length: int) -> None:
    found = running_first(day_no(last))
    assert day_date(found).isoformat() == first
    assert day_no(last) - found + 1 == length


def test_a_day_touches_every_running_year_that_is_over_and_holds_it() -> None:
    day = day_no("2025-03-10")
    found = RUNNING.holding([day], day + 3)
    assert [b.last for b in found] == [day, day + 1, day + 2, day + 3]
    assert all(b.first <= day <= b.last for b in found)
    assert len(RUNNING.holding([day], NEVER)) == 365
    assert RUNNING.holding([day], day - 1) == []


def test_a_period_is_open_until_its_last_day_is_over() -> None:
    (bounds,) = MONTH.holding([day_no("2025-03-10")], NEVER)
    before, at_end = MONTH.period(bounds, day_no("2025-03-30")), MONTH.period(bounds, day_no("2025-03-31"))
    assert before.open
    assert before.due == 30
    assert not at_end.open
    assert at_end.due == at_end.length == 31
    assert MONTH.period(bounds, day_no("2025-02-10")).due == 0


def test_a_running_year_is_stamped_with_its_newest_day_and_others_with_their_first() -> None:
    (running,) = RUNNING.holding([day_no("2025-03-10")], day_no("2025-03-10"))
    (month,) = MONTH.holding([day_no("2025-03-10")], NEVER)
    assert RUNNING.period(running, NEVER).start_day == day_no("2025-03-10")
    assert MONTH.period(month, NEVER).start_day == day_no("2025-03-01")


def period(first: str, last: str, through: str) -> Period:
    return Period(
        window="x", span=Span.SEASON, first_day=day_no(first), last_day=day_no(last), through_day=day_no(through)
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("2024-02-01", "2024-02-29", "2024-02-29"), ("2023-02-01", "2023-02-28", "2023-02-28")),
        (("2025-02-01", "2025-02-28", "2025-02-28"), ("2024-02-01", "2024-02-29", "2024-02-29")),
        (("2025-01-01", "2025-12-31", "2025-06-30"), ("2024-01-01", "2024-12-31", "2024-06-30")),
        (("2024-10-01", "2025-03-31", "2024-11-05"), ("2023-10-01", "2024-03-31", "2023-11-05")),
    ],
)
def test_the_year_before_is_the_same_period_as_far_as_it_had_come(
    given: tuple[str, str, str], expected: tuple[str, str, str]
) -> None:
    assert shifted(period(*given), -1) == period(*expected)


def test_the_same_period_of_later_years_has_begun_or_is_not_named() -> None:
    (bounds,) = YEAR.holding([day_no("2022-05-05")], NEVER)
    later = list(YEAR.later(bounds, day_no("2024-01-01")))
    assert [dates(b)[0] for b in later] == ["2023-01-01", "2024-01-01"]
    (winter,) = season("pm").holding([day_no("2023-01-05")], NEVER)
    assert [dates(b)[0] for b in season("pm").later(winter, day_no("2024-09-30"))] == ["2023-10-01"]
    (running,) = RUNNING.holding([day_no("2022-05-05")], day_no("2022-05-05"))
    assert list(RUNNING.later(running, NEVER)) == []


def test_days_know_their_months() -> None:
    assert months_of(day_no("2023-12-30"), day_no("2024-02-01")).tolist() == [0, 0, *[1] * 31, 2]
    assert month_length(day_no("2024-02-10")) == 29
    assert in_february(day_no("2024-02-29"))
    assert not in_february(day_no("2024-03-01"))


@pytest.mark.parametrize("year", range(1996, 2034))
def test_every_day_of_a_year_has_one_place(year: int) -> None:
    days = [
        (dt.date(year, 1, 1) - dt.date(1970, 1, 1)).days + n
        for n in range((dt.date(year, 12, 31) - dt.date(year, 1, 1)).days + 1)
    ]
    months = MONTH.holding(days, NEVER)
    assert sum(b.last - b.first + 1 for b in months) == len(days)
    assert [b.slot for b in months] == list(range(12))


def test_the_periods_that_follow_begin_within_so_many_days_and_not_after_the_clock() -> None:
    (march,) = MONTH.holding([day_no("2024-03-10")], NEVER)
    follow = [dates(b)[0] for b in MONTH.following(march, 61, NEVER)]
    assert follow == ["2024-04-01", "2024-05-01"]  # the 1st of June is 62 days after the 31st of March
    assert [dates(b)[0] for b in MONTH.following(march, 10**6, day_no("2024-05-01"))] == ["2024-04-01", "2024-05-01"]
    assert list(MONTH.following(march, 0, NEVER)) == []
    (running,) = RUNNING.holding([day_no("2022-05-05")], day_no("2022-05-05"))
    assert list(RUNNING.following(running, 100, NEVER)) == []


def test_a_season_is_followed_by_its_next_ranges() -> None:
    (winter,) = season("pm").holding([day_no("2023-01-05")], NEVER)
    assert [dates(b)[0] for b in season("pm").following(winter, 10**6, day_no("2024-09-30"))] == ["2023-10-01"]
