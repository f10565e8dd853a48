from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sensors.clock import DAY_MS, MINUTE_MS, day_of
from sensors.registry import Absence
from simulators import devices
from simulators.chance import Floats
from simulators.scene import Playing
from simulators.sheet import Sheet, sheet_of
from simulators.stories import Named, Plot, StoryKind, load_script
from tests.region_cases import NOVEMBER, shangyu

SITES = shangyu().entries("SYN-U01") + shangyu().entries("SYN-U02")
FIRST = NOVEMBER // MINUTE_MS


def sheet(length: int = 20) -> Sheet:
    minutes = FIRST + np.arange(length, dtype=np.int64)[:, np.newaxis]
    level = np.arange(length, dtype=np.float64)[:, np.newaxis] + np.array([[10.0, 50.0]])
    values = {factor: level.copy() for factor in ("SO2", "NO2", "CO", "O3", "PM2.5", "PM10")}
    return sheet_of("air", SITES, minutes, period=1, values=values)


def story(kind: StoryKind, **changes: object) -> Playing:
    given: dict[str, object] = {
        "id": "a", "name": Named("甲", "A"), "kind": kind, "every": 1, "day": 0, "at": "16:05", "minutes": 10,
        "sites": ("SYN-U01",), "factors": {"SO2": 0.0},
    }  # fmt: skip
    plot = Plot(**(given | changes))  # type: ignore[arg-type]
    return Playing(plot=plot, start=NOVEMBER + 5 * MINUTE_MS, sites=plot.sites)


def look(one: Playing) -> dict[str, Floats]:
    assert one.start == NOVEMBER + 5 * MINUTE_MS
    return {"SO2": np.array([[7.0, 8.0]])}


@pytest.mark.parametrize(
    ("kind", "letter"),
    [
        (StoryKind.MAINTENANCE, "M"),
        (StoryKind.FAULT, "D"),
        (StoryKind.CALIBRATION, "C"),
        (StoryKind.STANDSTILL, "F"),
        (StoryKind.OVER_RANGE, "T"),
    ],
)
def test_a_story_of_a_device_flags_its_factor_at_its_site_for_its_minutes(kind: StoryKind, letter: str) -> None:
    made = sheet()
    devices.play(story(kind, size=99.0), made, look)
    assert made.flags["SO2"][:, 0].tolist() == [ord("N")] * 5 + [ord(letter)] * 10 + [ord("N")] * 5
    assert set(made.flags["SO2"][:, 1]) == set(made.flags["NO2"][:, 0]) == {ord("N")}
    stood = made.values["SO2"][5:15, 0].tolist()
    assert stood == ([99.0] * 10 if kind is StoryKind.OVER_RANGE else [15.0 + n for n in range(10)])


@pytest.mark.parametrize(("own", "size", "found"), [(5.0, 99.0, 5.0), (0.0, 99.0, 99.0)])
def test_a_device_stands_at_its_factors_value_or_at_the_storys(own: float, size: float, found: float) -> None:
    made = sheet()
    devices.play(story(StoryKind.SPIKE, size=size, factors={"SO2": own}), made, look)
    assert set(made.values["SO2"][5:15, 0]) == {found}
    assert set(made.flags["SO2"].ravel()) == {ord("N")}


def test_a_flat_line_stands_where_it_was_when_it_began_and_looks_normal() -> None:
    made = sheet()
    devices.play(story(StoryKind.FLAT), made, look)
    assert made.values["SO2"][:, 0].tolist() == [
        10.0,
        11.0,
        12.0,
        13.0,
        14.0,
        *[7.0] * 10,
        25.0,
        26.0,
        27.0,
        28.0,
        29.0,
    ]
    assert made.values["NO2"][5, 0] == 15.0
    assert set(made.flags["SO2"].ravel()) == {ord("N")}


@pytest.mark.parametrize("kind", [StoryKind.SILENCE, StoryKind.NEVER, StoryKind.LATE])
def test_what_is_silent_or_late_is_not_sent_in_time(kind: StoryKind) -> None:
    made = sheet()
    devices.play(story(kind), made, look)
    assert made.sent[:, 0].tolist() == [True] * 5 + [False] * 10 + [True] * 5
    assert made.sent[:, 1].all()


@pytest.mark.parametrize("kind", [StoryKind.PLUME, StoryKind.FRONT, StoryKind.SPILL, StoryKind.DUPLICATE])
def test_what_happens_in_a_medium_or_again_leaves_the_devices_alone(kind: StoryKind) -> None:
    made, plain = sheet(), sheet()
    devices.play(story(kind), made, look)
    assert np.array_equal(made.values["SO2"], plain.values["SO2"])
    assert made.sent.all()


def test_a_story_of_others_or_of_another_time_does_nothing() -> None:
    for changed in ({"sites": ("SYN-U03",)}, {"minutes": 1}):
        made = sheet(4)
        devices.play(story(StoryKind.FAULT, **changed), made, look)
        assert set(made.flags["SO2"].ravel()) == {ord("N")}


def test_outside_its_dates_a_site_sends_nothing() -> None:
    site = replace(SITES[0], start=NOVEMBER + 3 * MINUTE_MS, end=NOVEMBER + 8 * MINUTE_MS)
    made = sheet()
    devices.hold_to_plan(site, 0, made)
    assert made.sent[:, 0].tolist() == [False] * 3 + [True] * 5 + [False] * 12
    assert made.sent[:, 1].all()


def test_a_factor_that_is_not_in_plan_is_not_said_for_as_long_as_that_holds() -> None:
    absence = Absence(factor="O3", start=NOVEMBER + 2 * MINUTE_MS, end=NOVEMBER + 4 * MINUTE_MS, author="甲", why="-")
    made = sheet(6)
    devices.hold_to_plan(replace(SITES[0], not_in_plan=(absence,)), 0, made)
    assert made.flags["O3"][:, 0].tolist() == [ord("N")] * 2 + [0] * 2 + [ord("N")] * 2
    assert made.sent.all()


def test_a_span_check_shows_the_span_gas_and_a_zero_check_next_to_nothing() -> None:
    plan = load_script().calibration
    midnight = day_of(NOVEMBER) * DAY_MS - 8 * 60 * MINUTE_MS
    minutes = midnight // MINUTE_MS + np.arange(4 * 1440, dtype=np.int64)[:, np.newaxis]
    values = {gas: np.full((4 * 1440, 2), 20.0) for gas in plan.gases}
    made = sheet_of("air", SITES, minutes, period=1, values=values)
    devices.calibrate(made, plan)
    for gas, span in plan.gases.items():
        checked = made.flags[gas][:, 0] == ord("C")
        levels = made.values[gas][checked, 0]
        assert (levels < 0.1).sum() == 4 * plan.zero_minutes
        assert (np.abs(levels - span) < 2.0).sum() == plan.span_minutes
