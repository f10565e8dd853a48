from __future__ import annotations

import datetime as dt

import pytest

from dashboards.limits import edition_of, limit_of, over
from sensors.clock import BEIJING, ms_of
from streams.standards import load_standards

STANDARDS = load_standards()


def at(year: int, month: int, day: int) -> int:
    return ms_of(dt.datetime(year, month, day, tzinfo=BEIJING))


@pytest.mark.parametrize(
    ("day", "standard", "value"),
    [(at(2026, 2, 28), "GB 3095-2012", 75), (at(2026, 3, 1), "GB 3095-2026", 60), (at(2031, 1, 1), "GB 3095-2026", 50)],
)
def test_a_limit_is_that_of_the_day_of_the_data(day: int, standard: str, value: int) -> None:
    limit = limit_of(STANDARDS)(day, "PM2.5", "24h", 2)
    assert limit is not None
    assert limit.standard == standard
    assert limit.quantity == value


@pytest.mark.parametrize(
    ("factor", "window"), [("PM2.5", "1h"), ("PM10", "1h"), ("PM2.5", "24h_running"), ("O3", "8h_platform")]
)
def test_a_window_that_no_limit_is_written_for_has_none(factor: str, window: str) -> None:
    assert limit_of(STANDARDS)(at(2026, 11, 21), factor, window, 2) is None


def test_the_edition_is_that_of_the_day_and_nothing_before_the_first() -> None:
    find = edition_of(STANDARDS)
    assert (find(at(2026, 2, 28)), find(at(2026, 3, 1))) == ("HJ633-2012", "HJ633-2026")
    assert find(at(2001, 1, 1)) is None


def test_equal_to_the_limit_is_not_over() -> None:
    limit = limit_of(STANDARDS)(at(2026, 11, 21), "NO2", "1h", 2)
    assert limit is not None
    assert not over(200, 0, limit)
    assert over(20_001, 2, limit)
    assert not over(None, 2, limit)
    assert not over(999_999, 0, None)
