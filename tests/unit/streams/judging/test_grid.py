from __future__ import annotations

import pytest

from sensors.clock import DAY_MS, HOUR_MS, MINUTE_MS
from streams.judging.grid import Grid
from tests.air_cases import T0

LENGTHS = [HOUR_MS, 2 * HOUR_MS, 3 * HOUR_MS, 4 * HOUR_MS, 6 * HOUR_MS, 12 * HOUR_MS, DAY_MS]


@pytest.mark.parametrize("slot_ms", LENGTHS)
def test_every_beijing_day_begins_with_a_slot_and_is_whole_slots(slot_ms: int) -> None:
    grid = Grid(slot_ms=slot_ms, fine_ms=HOUR_MS)
    first = grid.slot_of(T0)
    assert grid.start_of(first) == T0
    assert grid.first_of_day(grid.day_of(first)) == first
    assert grid.day_start(grid.day_of(first)) == T0
    assert grid.slot_of(T0 - 1) == first - 1
    assert grid.day_of(first - 1) == grid.day_of(first) - 1
    assert grid.slot_of(T0 + DAY_MS) == first + grid.per_day


def test_hours_are_numbered_as_everywhere_else() -> None:
    assert Grid(slot_ms=HOUR_MS, fine_ms=MINUTE_MS).slot_of(T0) == T0 // HOUR_MS


def test_places_are_the_finest_readings_of_a_slot() -> None:
    assert Grid(slot_ms=4 * HOUR_MS, fine_ms=HOUR_MS).places == 4
    assert Grid(slot_ms=HOUR_MS, fine_ms=MINUTE_MS).places == 60


def test_a_begun_slot_counts_among_those_that_hold_hours() -> None:
    assert Grid(slot_ms=4 * HOUR_MS, fine_ms=HOUR_MS).slots_in(73) == 19
