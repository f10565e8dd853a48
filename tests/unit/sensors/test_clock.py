from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from sensors.clock import (
    BEIJING,
    DAY_MS,
    HOUR_MS,
    beijing,
    day_of,
    day_of_hour,
    first_hour_of_day,
    hour_ending,
    hour_of,
    moment_of,
    ms_of,
)

KABUL = timezone(timedelta(hours=4, minutes=30))


def test_a_moment_of_any_zone_is_the_same_milliseconds() -> None:
    assert ms_of(datetime(2016, 12, 20, 8, tzinfo=BEIJING)) == ms_of(datetime(2016, 12, 20, 4, 30, tzinfo=KABUL))
    assert ms_of(datetime(1970, 1, 1, tzinfo=UTC)) == 0


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="has no zone"):
        ms_of(datetime(2016, 12, 20, 8))  # noqa: DTZ001  the point of the test


@pytest.mark.parametrize("ms", [0, -1, 1, 999, 1_482_192_000_123, -DAY_MS, 253_370_000_000_000])
def test_milliseconds_survive_the_way_there_and_back(ms: int) -> None:
    assert ms_of(moment_of(ms)) == ms
    assert ms_of(beijing(ms)) == ms


def test_the_beijing_day_begins_at_16_utc() -> None:
    midnight = ms_of(datetime(2016, 12, 20, tzinfo=BEIJING))
    assert day_of(midnight) - day_of(midnight - 1) == 1
    assert day_of(0) == 0
    assert day_of(-8 * HOUR_MS - 1) == -1


def test_a_day_holds_its_24_hours() -> None:
    day = day_of(ms_of(datetime(2024, 2, 29, 12, tzinfo=BEIJING)))
    first = first_hour_of_day(day)
    assert beijing(first * HOUR_MS) == datetime(2024, 2, 29, tzinfo=BEIJING)
    hours = np.arange(first - 1, first + 25)
    assert [int(value) - day for value in np.asarray(day_of_hour(hours))] == [-1, *[0] * 24, 1]


def test_an_hour_has_a_number_before_1970_too() -> None:
    assert (hour_of(HOUR_MS), hour_of(HOUR_MS - 1), hour_of(-1)) == (1, 0, -1)


def test_an_air_hour_is_labelled_by_its_end_and_the_last_one_by_midnight_of_the_next_day() -> None:
    assert hour_ending(ms_of(datetime(2016, 12, 20, 7, tzinfo=BEIJING))) == "2016-12-20 08:00"
    assert hour_ending(ms_of(datetime(2016, 12, 20, 23, tzinfo=BEIJING))) == "2016-12-21 00:00"
