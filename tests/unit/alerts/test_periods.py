from __future__ import annotations

from datetime import date

import pytest

from alerts.periods import Cadence
from sensors.clock import DAY_MS, HOUR_MS, MINUTE_MS
from streams.results import Window
from tests.unit.alerts.building import DAY_0, HOUR_0, T0, day_ms


@pytest.mark.parametrize(
    ("window", "cadence"),
    [("1h", Cadence.HOUR), ("8h", Cadence.HOUR), ("24h_running", Cadence.HOUR), ("24h", Cadence.DAY),
     ("MDA8", Cadence.DAY)],
)  # fmt: skip
def test_running_windows_step_by_the_hour_and_day_windows_by_the_day(window: str, cadence: Cadence) -> None:
    assert Cadence.of(Window(window)) is cadence


@pytest.mark.parametrize("window", ["24h_min", "24h_max", "24h_sum"])
def test_extremes_and_sums_of_a_day_step_by_the_day(window: str) -> None:
    assert Cadence.of(window) is Cadence.DAY


@pytest.mark.parametrize("window", ["1h_max", "1h_min", "1h_count"])
def test_extremes_of_an_hour_step_by_the_hour(window: str) -> None:
    assert Cadence.of(window) is Cadence.HOUR


@pytest.mark.parametrize(
    ("window", "length_ms"), [("1min", MINUTE_MS), ("10min", 10 * MINUTE_MS), ("4h", 4 * HOUR_MS), ("2h", 2 * HOUR_MS)]
)
def test_windows_of_a_fixed_length_step_by_it(window: str, length_ms: int) -> None:
    assert Cadence.of(window).length_ms == length_ms


def test_a_running_window_steps_by_the_slot_of_its_kind() -> None:
    assert Cadence.of("24h_running", 4 * HOUR_MS) == Cadence.of("4h")


def test_four_hours_lie_on_the_beijing_day() -> None:
    four = Cadence.of("4h")
    assert four.start_ms(four.number(T0)) == T0
    assert four.number(T0 - 1) == four.number(T0) - 1
    assert four.end_ms(four.number(T0)) == T0 + 4 * HOUR_MS


@pytest.mark.parametrize(
    ("window", "first", "end"),
    [("month", date(2026, 12, 1), date(2027, 1, 1)), ("quarter", date(2026, 10, 1), date(2027, 1, 1)),
     ("year", date(2026, 1, 1), date(2027, 1, 1)), ("year_p95", date(2026, 1, 1), date(2027, 1, 1)),
     ("running_year", date(2026, 12, 1), date(2027, 1, 1)), ("season.summer", date(2026, 1, 1), date(2027, 1, 1))],
)  # fmt: skip
def test_calendar_periods_are_those_of_the_beijing_calendar(window: str, first: date, end: date) -> None:
    cadence = Cadence.of(window)
    number = cadence.number(T0)
    assert (cadence.start_ms(number), cadence.end_ms(number)) == (day_ms(first), day_ms(end))
    assert cadence.number(day_ms(first) - 1) == number - 1


def test_a_day_is_a_beijing_day() -> None:
    assert Cadence.DAY.number(T0) == Cadence.DAY.number(T0 + DAY_MS - 1) == DAY_0
    assert Cadence.DAY.number(T0 - 1) == DAY_0 - 1
    assert (Cadence.DAY.start_ms(DAY_0), Cadence.DAY.end_ms(DAY_0)) == (T0, T0 + DAY_MS)


def test_an_hour_starts_and_ends_on_the_hour() -> None:
    assert Cadence.HOUR.number(T0 + 1) == HOUR_0
    assert Cadence.HOUR.end_ms(HOUR_0) == T0 + HOUR_MS
    assert (Cadence.HOUR.length_ms, Cadence.DAY.length_ms) == (HOUR_MS, DAY_MS)
