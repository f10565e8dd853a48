from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sensors.flags import Mark
from streams.air.index import FACTORS, ITEM_BITS
from streams.air.windows import BEFORE, day_blocks, hour_blocks, running_blocks
from streams.judging.plan import Block, Slots
from streams.judging.reasons import REASONS, code
from streams.results import Reason
from streams.standards import load_standards
from tests.air_cases import AIR, T0

STANDARDS = load_standards()
MIDNIGHT = T0 // 3_600_000
MARCH = 1_772_294_400_000 // 3_600_000
"""2026-03-01 00:00 in Beijing, when the editions change."""
STEPS = tuple(AIR[f].step for f in FACTORS)
VALUES = {"PM2.5": 30, "PM10": 50, "SO2": 8, "NO2": 35, "CO": 0.8, "O3": 90}
OUTPUTS = (*FACTORS, "AQI")
RUNNING = ("8h", "8h_platform", *FACTORS[:5])


def hours(first: int, count: int, changed: Mapping[str, Sequence[float | None] | float | None] | None = None) -> Slots:
    """Return one site's hours: `VALUES` unless told otherwise, one for all hours or one for each; None is silent."""
    given: dict[str, Any] = {**VALUES, **(changed or {})}
    rows = [v if isinstance(v, Sequence) else [v] * count for v in (given[f] for f in FACTORS)]
    present = np.array([[v is not None for v in r] for r in rows])[None]
    scale = [10 ** AIR[f].digits for f in FACTORS]
    value = np.array([[round((v or 0) * s) for v in r] for r, s in zip(rows, scale, strict=True)], np.int64)[None]
    number = np.arange(first, first + count, dtype=np.int64)
    return Slots(
        value=value,
        present=present,
        valid=present.astype(np.int16),
        expected=np.ones(present.shape, np.int16),
        reason=np.where(present, code(Reason.OK), code(Reason.SILENT)).astype(np.uint8),
        marks=np.zeros(present.shape, np.uint16),
        inputs=np.where(present, np.arange(1, present.size + 1).reshape(present.shape), 0).astype(np.uint64),
        planned=np.ones(present.shape, np.bool_),
        number=number,
        day=(number + 8) // 24,
        low=value,
        high=value,
        start=number * 3_600_000,
        slot_ms=3_600_000,
        factors=FACTORS,
        steps=STEPS,
    )


def given(block: Block, at: int = 0, site: int = 0) -> tuple[float | None, int, str]:
    """Return value (in whole steps), count of valid inputs and reason of one window."""
    value = int(block.value[site, at]) if block.present[site, at] else None
    return value, int(block.valid[site, at]), REASONS[block.reason[site, at]].value


def now(made: Slots) -> dict[str, Block]:
    """Return the blocks of the newest hour by output."""
    blocks = hour_blocks(made, STANDARDS, made.number.size - 1)
    return dict(zip(OUTPUTS, blocks, strict=True))


def running(made: Slots, begin: int | None = None) -> dict[str, Block]:
    blocks = running_blocks(made, STANDARDS, made.number.size - 1 if begin is None else begin)
    return dict(zip(RUNNING, blocks, strict=True))


def whole_day(made: Slots, limit: int = 16_000) -> dict[str, Block]:
    blocks = day_blocks(made, STANDARDS, np.array([limit], np.int64))
    return dict(zip(OUTPUTS, blocks, strict=True))


def missing(block: Block) -> list[str]:
    return [REASONS[int(block.detail[0, 0]) >> (ITEM_BITS * i) & 31].value for i in range(6)]


def test_the_real_time_index_is_the_greatest_of_the_six() -> None:
    found = now(hours(MIDNIGHT, 1, {"NO2": 150}))
    assert [int(found[f].iaqi[0, 0]) for f in FACTORS] == [43, 50, 3, 75, 8, 29]
    assert given(found["AQI"]) == (75, 6, "")
    assert (found["AQI"].level[0, 0], found["AQI"].primary[0, 0]) == (2, 1 << FACTORS.index("NO2"))


def test_the_edition_of_an_hour_is_that_of_its_own_start() -> None:
    made = hours(MARCH - 1, 2, {"PM2.5": 70})
    blocks = hour_blocks(made, STANDARDS, 0)
    # 2012: 75 is 100, so 50/40 * 35 + 50 = 93.75; 2026: 60 is 100, so 50/55 * 10 + 100 = 109.1.
    assert blocks[0].iaqi[0].tolist() == [94, 110]
    assert blocks[-1].value[0].tolist() == [94, 110]
    assert blocks[-1].edition[0].tolist() == [0, 1]


def test_over_eight_hundred_the_edition_of_2012_gives_no_index_and_that_of_2026_the_last() -> None:
    old, new = (now(hours(first, 1, {"SO2": 900})) for first in (MARCH - 1, MARCH))
    assert given(old["SO2"]) == (90_000, 1, "over_table")
    assert old["SO2"].iaqi[0, 0] == -1
    assert given(old["AQI"]) == (50, 5, "missing_item")
    assert missing(old["AQI"]) == ["", "", "over_table", "", "", ""]
    assert given(new["SO2"]) == (90_000, 1, "")
    assert given(new["AQI"]) == (200, 6, "")


@pytest.mark.parametrize(
    ("first", "pm25", "value"),
    [(MARCH - 1, 30, 50), (MARCH, 30, None), (MARCH, 60, None), (MARCH, 61, 101), (MARCH, 200, 250)],
    ids=["2012 publishes the rest", "2026 does not at 50", "nor at 100", "but at 101", "and above"],
)
def test_with_an_item_missing_the_rest_is_published_by_the_editions_rule(
    first: int, pm25: int, value: int | None
) -> None:
    found = now(hours(first, 1, {"PM2.5": pm25, "NO2": None}))["AQI"]
    assert given(found) == (value, 5, "missing_item")
    assert missing(found) == ["", "", "", "silent", "", ""]
    assert (found.level[0, 0] == -1) == (value is None)


def test_an_hour_without_anything_is_silent_and_one_with_invalid_items_has_no_item() -> None:
    silent = hours(MIDNIGHT, 1, dict.fromkeys(FACTORS))
    assert given(now(silent)["AQI"]) == (None, 0, "silent")
    reason = silent.reason.copy()
    reason[0, 0] = code(Reason.CALIBRATING)
    found = now(replace(silent, reason=reason))["AQI"]
    assert given(found) == (None, 0, "no_item")
    assert missing(found) == ["calibrating", *["silent"] * 5]


def test_an_item_not_in_plan_is_left_out_of_the_index_and_says_so_itself() -> None:
    made = hours(MIDNIGHT, 1, {"SO2": None})
    planned = made.planned.copy()
    planned[0, FACTORS.index("SO2")] = False
    found = now(replace(made, planned=planned))
    assert given(found["SO2"]) == (None, 0, "not_in_plan")
    assert given(found["AQI"]) == (50, 5, "")
    assert (found["AQI"].expected[0, 0], found["AQI"].detail[0, 0]) == (5, 0)


def test_an_hour_that_was_never_judged_counts_as_silent() -> None:
    made = hours(MIDNIGHT, 1, {"SO2": None})
    assert (replace(made, reason=np.zeros_like(made.reason)).states() == made.states()).all()


def test_before_the_first_edition_hours_have_values_and_no_index() -> None:
    none = replace(STANDARDS, index_editions=())
    found = dict(zip(OUTPUTS, hour_blocks(hours(MIDNIGHT, 1), none, 0), strict=True))
    assert given(found["PM2.5"]) == (3_000, 1, "")
    assert found["PM2.5"].iaqi[0, 0] == -1
    assert not found["AQI"].present[0, 0]
    assert len(day_blocks(hours(MIDNIGHT, 24), none, np.array([0]))) == 6


def test_eight_hours_of_ozone_cross_midnight_and_the_platforms_begin_again_there() -> None:
    made = hours(MIDNIGHT - 8, 12, {"O3": [10] * 8 + [20] * 4})
    found = running(made, 0)
    assert found["8h"].value[0].tolist() == [0] * 5 + [1000] * 3 + [1100, 1200, 1400, 1500]  # 90/8, 100/8, 110/8, 120/8
    assert found["8h"].valid[0].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8, 8]
    assert found["8h"].expected[0].tolist() == [8] * 12
    assert found["8h_platform"].value[0, 8:].tolist() == [2000] * 4
    assert found["8h_platform"].valid[0, 8:].tolist() == [1, 2, 3, 4]
    assert found["8h_platform"].expected[0].tolist() == [8] * 8 + [1, 2, 3, 4]


def test_the_platforms_window_knows_nothing_of_the_day_before() -> None:
    plain, other = hours(MIDNIGHT - 8, 10), hours(MIDNIGHT - 8, 10)
    other.inputs[0, FACTORS.index("O3"), 7] = 12345
    other.marks[0, FACTORS.index("O3"), 7] = Mark.UNFLAGGED
    a, b = running(plain, 0), running(other, 0)
    differing = {name: np.flatnonzero(a[name].inputs[0] != b[name].inputs[0]).tolist() for name in RUNNING}
    assert differing == {"8h": [7, 8, 9], "8h_platform": [7], **{name: [] for name in RUNNING[2:]}}
    assert b["8h_platform"].marks[0].tolist() == [0] * 7 + [Mark.UNFLAGGED, 0, 0]
    assert b["8h"].marks[0].tolist() == [0] * 7 + [Mark.UNFLAGGED] * 3


def test_the_first_hour_of_a_day_without_ozone_is_silent_for_the_platform_and_short_for_the_eight_hours() -> None:
    found = running(hours(MIDNIGHT - 5, 6, {"O3": [10] * 5 + [None]}))
    assert given(found["8h"]) == (None, 5, "incomplete")
    assert given(found["8h_platform"]) == (None, 0, "silent")
    assert (found["8h"].due[0, 0], found["8h_platform"].due[0, 0]) == (True, False)


@pytest.mark.parametrize(("absent", "value"), [(2, 1000), (3, None)])
def test_six_of_eight_hours_make_a_window(absent: int, value: int | None) -> None:
    found = running(hours(MIDNIGHT, 8, {"O3": [None] * absent + [10] * (8 - absent)}))
    assert given(found["8h"]) == (value, 8 - absent, "" if value else "incomplete")
    assert given(found["8h_platform"]) == (1000, 8 - absent, "")


@pytest.mark.parametrize(("absent", "value"), [(4, 800), (5, None)])
def test_twenty_of_twenty_four_hours_make_a_running_day(absent: int, value: int | None) -> None:
    found = running(hours(MIDNIGHT + 5, 24, {"SO2": [None] * absent + [8] * (24 - absent)}))
    assert given(found["SO2"]) == (value, 24 - absent, "" if value else "incomplete")


def test_a_running_window_has_the_edition_of_its_newest_hour() -> None:
    found = running(hours(MARCH - 23, 25), 22)
    assert all(block.edition[0].tolist() == [0, 1, 1] for block in found.values())


def test_the_hours_that_a_running_window_needs_are_those_of_its_newest_hours_day() -> None:
    old, new = STANDARDS.completeness_editions
    stricter = replace(STANDARDS, completeness_editions=(old, replace(new, o3_8h_hours=8, running_24h_hours=24)))
    made = hours(MARCH - 24, 25, {"O3": [90] * 20 + [None] + [90] * 4, "SO2": [None] + [8] * 23 + [None]})
    blocks = dict(zip(RUNNING, running_blocks(made, stricter, BEFORE), strict=True))
    assert blocks["8h"].present[0].tolist() == [True, False]
    assert blocks["SO2"].present[0].tolist() == [True, False]


def test_a_running_window_in_which_nothing_came_is_silent_or_not_in_plan() -> None:
    made = hours(MIDNIGHT, 24, dict.fromkeys(FACTORS))
    assert {given(block) for block in running(made).values()} == {(None, 0, "silent")}
    unplanned = replace(made, planned=np.zeros_like(made.planned))
    assert {given(block) for block in running(unplanned).values()} == {(None, 0, "not_in_plan")}


def test_a_day_is_the_mean_of_its_hours_rounded_half_to_even() -> None:
    found = whole_day(hours(MIDNIGHT, 24, {"SO2": [10, 11] * 12, "NO2": [11, 12] * 12, "CO": [0.8, 0.9] * 12}))
    assert given(found["SO2"]) == (1000, 24, "")
    assert given(found["NO2"]) == (1200, 24, "")
    assert given(found["CO"]) == (800, 24, "")


@pytest.mark.parametrize(("absent", "value"), [(4, 800), (5, None)])
def test_twenty_hours_make_a_day(absent: int, value: int | None) -> None:
    found = whole_day(hours(MIDNIGHT, 24, {"SO2": [None] * absent + [8] * (24 - absent)}))
    assert given(found["SO2"]) == (value, 24 - absent, "" if value else "incomplete")
    assert found["SO2"].iaqi[0, 0] == (8 if value else -1)


def test_the_daily_index_takes_five_day_means_and_the_largest_eight_hours() -> None:
    found = whole_day(hours(MIDNIGHT, 24, {"O3": [90] * 16 + [190] * 8}))
    assert given(found["O3"]) == (19_000, 17, "")
    assert found["O3"].expected[0, 0] == 17
    # O3 8 h: 160 is 100, 215 is 150, so 50/55 * 30 + 100 = 127.3; SO2 on 0 to 50: 8; NO2 on 0 to 40: 43.75.
    assert [int(found[f].iaqi[0, 0]) for f in FACTORS] == [43, 50, 8, 44, 20, 128]
    assert given(found["AQI"]) == (128, 6, "")
    assert (found["AQI"].level[0, 0], found["AQI"].primary[0, 0]) == (3, 1 << FACTORS.index("O3"))


def test_windows_that_begin_the_day_before_are_not_of_the_days_largest() -> None:
    made = hours(MIDNIGHT, 24, {"O3": [100] * 7 + [10] * 17})
    assert given(whole_day(made)["O3"])[0] == 8_900  # 710 / 8 = 88.75, the window that ends at 08:00


@pytest.mark.parametrize(
    ("present_h", "o3", "limit", "value", "windows"),
    [
        (19, 90, 16_000, 9_000, 14),
        (18, 160, 16_000, None, 13),
        (18, 161, 16_000, 16_100, 13),
        (18, 120, 10_000, 12_000, 13),
        (18, 100, 10_000, None, 13),
        (6, 161, 16_000, 16_100, 1),
        (5, 161, 16_000, None, 0),
    ],
    ids=["14", "13 at the limit", "13 over zone 2", "13 over zone 1", "13 at zone 1", "one over", "none"],
)
def test_fewer_than_fourteen_windows_count_only_over_the_limit_of_the_zone(
    present_h: int, o3: int, limit: int, value: int | None, windows: int
) -> None:
    found = whole_day(hours(MIDNIGHT, 24, {"O3": [o3] * present_h + [None] * (24 - present_h)}), limit)["O3"]
    assert given(found) == (value, windows, "" if value else "incomplete")


def test_a_day_without_that_rule_needs_its_fourteen_windows() -> None:
    _, new = STANDARDS.completeness_editions
    strict = replace(STANDARDS, completeness_editions=(replace(new, mda8_fewer_if_over=False),))
    made = hours(MIDNIGHT, 24, {"O3": [200] * 18 + [None] * 6})
    assert given(day_blocks(made, strict, np.array([0]))[5]) == (None, 13, "incomplete")


def test_the_limit_is_each_sites_own() -> None:
    made = hours(MIDNIGHT, 24, {"O3": [120] * 18 + [None] * 6})
    arrays = ("value", "present", "valid", "expected", "reason", "marks", "inputs", "planned")
    twice: dict[str, Any] = {name: np.concatenate([getattr(made, name)] * 2) for name in arrays}
    both = replace(made, **twice)
    found = day_blocks(both, STANDARDS, np.array([10_000, 16_000]))[5]
    assert [given(found, site=s)[0] for s in (0, 1)] == [12_000, None]


def test_a_silent_day_is_silent_and_a_day_of_an_item_not_in_plan_is_not_in_plan() -> None:
    made = hours(MIDNIGHT, 24, dict.fromkeys(FACTORS))
    assert {given(block) for block in whole_day(made).values()} == {(None, 0, "silent")}
    found = whole_day(replace(made, planned=np.zeros_like(made.planned)))
    assert {given(block) for block in found.values()} == {(None, 0, "not_in_plan")}
    assert not any(block.due.any() for block in found.values())


def test_marks_of_a_day_are_those_of_all_its_hours() -> None:
    made = hours(MIDNIGHT, 24)
    made.marks[0, 0, 3], made.marks[0, 0, 20], made.marks[0, 1, 5] = Mark.FAULT, Mark.COMPUTED, Mark.SUSPECT
    found = whole_day(made)
    assert found["PM2.5"].marks[0, 0] == Mark.FAULT | Mark.COMPUTED
    assert found["PM10"].marks[0, 0] == Mark.SUSPECT
    assert found["AQI"].marks[0, 0] == Mark.FAULT | Mark.COMPUTED | Mark.SUSPECT


def test_the_edition_of_a_day_is_that_of_its_date() -> None:
    old, new = (whole_day(hours(first, 24, {"PM2.5": 70})) for first in (MARCH - 24, MARCH))
    assert (given(old["AQI"])[0], given(new["AQI"])[0]) == (94, 110)
    assert (old["AQI"].edition[0, 0], new["AQI"].edition[0, 0]) == (0, 1)
