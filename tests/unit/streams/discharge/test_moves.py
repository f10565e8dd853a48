"""D5: a park's sewage outlet, rain-water outlet and river: which of them moved first, and by how long."""

from __future__ import annotations

import numpy as np
import pytest

from sensors.clock import HOUR_MS
from streams.discharge.moves import Moved, MoveSettings, Role, Track, first_moves, linked_points
from tests.region_cases import NOVEMBER, shangyu

SINCE, HOURS = 100 * 24 * HOUR_MS, 24
UNTIL = SINCE + HOURS * HOUR_MS


def track(
    site: str, role: Role, spike: int | None, *, slot_h: int = 1, height: float = 20.0, missing: tuple[int, ...] = ()
) -> Track:
    """Return two usual days and a look in which the value jumps in hour ``spike``; missing hours are left out."""
    hours = np.arange(-48, HOURS, slot_h)
    usual = 4.0 + 0.1 * np.sin(hours)
    values = np.where((spike is not None) & (hours + slot_h > (spike or 0)), usual + height, usual)
    kept = ~np.isin(hours, missing)
    return Track(
        site=site, role=role, starts=(SINCE + hours * HOUR_MS)[kept], values=values[kept], slot_ms=slot_h * HOUR_MS
    )


def test_a_sewage_spike_reaches_rain_outlet_and_river_after_set_lags() -> None:
    order = first_moves(
        [track("R", Role.RIVER, 12, slot_h=4), track("S", Role.SEWAGE, 3), track("G", Role.RAIN, 6)], SINCE, UNTIL
    )
    assert [(one.site, one.role) for one in order.moves] == [("S", "sewage"), ("G", "rain"), ("R", "river")]
    assert (order.first, order.sure) == (("S",), True)
    sewage, rain, river = order.moves
    assert (sewage.after, sewage.by) == (SINCE + 3 * HOUR_MS, SINCE + 4 * HOUR_MS)
    assert order.lags == (("S", "G", 2 * HOUR_MS, 4 * HOUR_MS), ("S", "R", 8 * HOUR_MS, 13 * HOUR_MS))
    assert rain.usual == pytest.approx(4.0, abs=0.2)
    assert river.peak == pytest.approx(24.0, abs=0.2)


@pytest.mark.parametrize(("sewage", "rain", "first"), [(3, 9, "S"), (9, 3, "G")])
def test_whichever_moved_first_is_pointed_out(sewage: int, rain: int, first: str) -> None:
    order = first_moves([track("S", Role.SEWAGE, sewage), track("G", Role.RAIN, rain)], SINCE, UNTIL)
    assert (order.first, order.sure) == ((first,), True)


def test_within_one_slot_of_the_river_the_order_is_not_known() -> None:
    order = first_moves([track("S", Role.SEWAGE, 6), track("R", Role.RIVER, 5, slot_h=4)], SINCE, UNTIL)
    assert set(order.first) == {"S", "R"}
    assert not order.sure
    assert order.lags == ()


def test_missing_values_before_a_move_widen_its_time() -> None:
    gap = track("G", Role.RAIN, 6, missing=(2, 3, 4, 5))
    order = first_moves([track("S", Role.SEWAGE, 3), gap], SINCE, UNTIL)
    move = next(one for one in order.moves if one.site == "G")
    assert (move.after, move.by) == (SINCE + 2 * HOUR_MS, SINCE + 7 * HOUR_MS)
    assert not order.sure


def test_one_high_value_alone_is_no_move() -> None:
    one = track("S", Role.SEWAGE, None)
    one.values[48 + 5] = 90.0
    order = first_moves([one], SINCE, UNTIL)
    assert (order.moves[0].moved, order.first) == (Moved.STILL, ())


def test_a_move_in_the_last_slot_of_the_look_counts() -> None:
    assert first_moves([track("S", Role.SEWAGE, 23)], SINCE, UNTIL).first == ("S",)


def test_what_is_not_known_is_said_and_makes_nothing_sure() -> None:
    silent = track("G", Role.RAIN, None, missing=tuple(range(-48, HOURS)))
    young = track("R", Role.RIVER, 5, missing=tuple(range(-48, -4)))
    order = first_moves([track("S", Role.SEWAGE, 3), silent, young], SINCE, UNTIL)
    assert {one.site: one.moved for one in order.moves} == {
        "S": Moved.MOVED,
        "G": Moved.UNKNOWN,
        "R": Moved.UNKNOWN,
    }
    assert (order.first, order.sure) == (("S",), False)


def test_small_changes_and_falls_are_no_moves() -> None:
    for height in (1.5, -3.0):
        assert first_moves([track("S", Role.SEWAGE, 3, height=height)], SINCE, UNTIL).moves[0].moved is Moved.STILL
    assert first_moves([track("S", Role.SEWAGE, 3, height=2.5)], SINCE, UNTIL).first == ("S",)


def test_nothing_given_is_nothing_found() -> None:
    order = first_moves([], SINCE, UNTIL, MoveSettings())
    assert (order.moves, order.first, order.sure) == ((), (), False)


def test_the_points_of_a_park_are_its_outlets_and_what_they_run_into() -> None:
    found = dict(linked_points(shangyu(), "park-hzw", NOVEMBER))
    assert {site: role.value for site, role in found.items() if site in {"SYN-OS01", "SYN-OR01", "SYN-OR02"}} == {
        "SYN-OS01": "sewage", "SYN-OR01": "rain", "SYN-OR02": "rain",
    }  # fmt: skip
    assert Role.RIVER in found.values()
    assert linked_points(shangyu(), "nowhere", NOVEMBER) == ()
