from __future__ import annotations

import pytest

from alerts.periods import Cadence
from sensors.clock import DAY_MS, HOUR_MS
from streams.results import Window
from tests.unit.alerts.building import DAY_0, HOUR_0, T0


@pytest.mark.parametrize(
    ("window", "cadence"),
    [("1h", Cadence.HOUR), ("8h", Cadence.HOUR), ("24h_running", Cadence.HOUR), ("24h", Cadence.DAY),
     ("MDA8", Cadence.DAY)],
)  # fmt: skip
def test_running_windows_step_by_the_hour_and_day_windows_by_the_day(window: str, cadence: Cadence) -> None:
    assert Cadence.of(Window(window)) is cadence


def test_a_day_is_a_beijing_day() -> None:
    assert Cadence.DAY.number(T0) == Cadence.DAY.number(T0 + DAY_MS - 1) == DAY_0
    assert Cadence.DAY.number(T0 - 1) == DAY_0 - 1
    assert (Cadence.DAY.start_ms(DAY_0), Cadence.DAY.end_ms(DAY_0)) == (T0, T0 + DAY_MS)


def test_an_hour_starts_and_ends_on_the_hour() -> None:
    assert Cadence.HOUR.number(T0 + 1) == HOUR_0
    assert Cadence.HOUR.end_ms(HOUR_0) == T0 + HOUR_MS
    assert (Cadence.HOUR.length_ms, Cadence.DAY.length_ms) == (HOUR_MS, DAY_MS)
