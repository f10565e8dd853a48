from __future__ import annotations

import copy
from datetime import date
from fractions import Fraction
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
import yaml

from sensors.clock import day_of, first_hour_of_day
from sensors.errors import ConfigError, UnknownName
from sensors.factors import load_factors
from streams.results import Window
from streams.standards import (
    PACK_FILES,
    Confidence,
    Limit,
    OverTable,
    Standards,
    calendar_date,
    day_number,
    load_standards,
    pack_hash,
    parse_standards,
)

LAST_2012, FIRST_2026 = day_number(date(2026, 2, 28)), day_number(date(2026, 3, 1))
LAST_STEP_1, FIRST_STEP_2 = day_number(date(2030, 12, 31)), day_number(date(2031, 1, 1))

# Typed from tables 1 and 2 of GB 3095-2012 and GB 3095-2026: factor, window, then class 1 and class 2 of each edition.
LIMITS = """
SO2   annual  20    60     20    60     20    20
SO2   24h     50    150    50    150    50    50
SO2   1h      150   500    150   500    150   150
NO2   annual  40    40     40    40     30    30
NO2   24h     80    80     80    80     50    50
NO2   1h      200   200    200   200    200   200
CO    24h     4     4      4     4      4     4
CO    1h      10    10     10    10     10    10
O3    MDA8    100   160    100   160    100   160
O3    1h      160   200    160   200    160   200
PM10  annual  40    70     40    60     20    50
PM10  24h     50    150    50    120    50    100
PM2.5 annual  15    35     15    30     10    25
PM2.5 24h     35    75     35    60     25    50
TSP   annual  80    200    80    200    80    200
TSP   24h     120   300    120   300    120   300
NOx   annual  50    50     50    50     40    40
NOx   24h     100   100    100   100    70    70
NOx   1h      250   250    250   250    250   250
Pb    annual  0.5   0.5    0.5   0.5    0.5   0.5
Pb    quarter 1     1      1     1      1     1
BaP   annual  0.001 0.001  0.001 0.001  0.001 0.001
BaP   24h     0.0025 0.0025 0.0025 0.0025 0.0025 0.0025
"""
ROWS = [line.split() for line in LIMITS.split("\n") if line]

# Typed from table 1 of HJ 633-2012; 2026 differs in two cells.
BREAKPOINTS_2012 = {
    ("SO2", "24h"): [0, 50, 150, 475, 800, 1600, 2100, 2620],
    ("SO2", "1h"): [0, 150, 500, 650, 800],
    ("NO2", "24h"): [0, 40, 80, 180, 280, 565, 750, 940],
    ("NO2", "1h"): [0, 100, 200, 700, 1200, 2340, 3090, 3840],
    ("PM10", "24h"): [0, 50, 150, 250, 350, 420, 500, 600],
    ("CO", "24h"): [0, 2, 4, 14, 24, 36, 48, 60],
    ("CO", "1h"): [0, 5, 10, 35, 60, 90, 120, 150],
    ("O3", "1h"): [0, 160, 200, 300, 400, 800, 1000, 1200],
    ("O3", "8h"): [0, 100, 160, 215, 265, 800],
    ("PM2.5", "24h"): [0, 35, 75, 115, 150, 250, 350, 500],
}
BREAKPOINTS_2026 = BREAKPOINTS_2012 | {
    ("PM10", "24h"): [0, 50, 120, 250, 350, 420, 500, 600],
    ("PM2.5", "24h"): [0, 35, 60, 115, 150, 250, 350, 500],
}
IAQI = (0, 50, 100, 150, 200, 300, 400, 500)


@pytest.fixture(scope="module")
def standards() -> Standards:
    return load_standards()


@pytest.fixture
def pack() -> dict[str, Any]:
    folder = files("streams").joinpath("data")
    return {name: yaml.safe_load(folder.joinpath(name).read_text(encoding="utf-8")) for name in PACK_FILES}


def quantity(limit: Limit | None) -> Fraction:
    assert limit is not None
    return limit.quantity


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1]}")
def test_every_limit_is_that_of_the_table_on_both_sides_of_each_edition_day(
    standards: Standards, row: list[str]
) -> None:
    factor, window, *cells = row
    days = [LAST_2012, LAST_2012, FIRST_2026, LAST_STEP_1, FIRST_STEP_2, FIRST_STEP_2 + 5000]
    expected = [Fraction(cell) for cell in cells]
    zones = [1, 2, 1, 2, 1, 2]
    assert [quantity(standards.limit(factor, window, z, d)) for z, d in zip(zones, days, strict=True)] == expected


def test_no_edition_has_a_limit_that_the_tables_do_not_have(standards: Standards) -> None:
    for edition in standards.limit_editions:
        assert len(edition.limits) == 2 * len(ROWS)
        assert {(limit.factor, limit.window) for limit in edition.limits} == {(row[0], row[1]) for row in ROWS}


def test_a_limit_says_where_it_stands_and_how_sure_it_is(standards: Standards) -> None:
    limit = standards.limit("PM2.5", "24h", 2, FIRST_2026)
    assert limit is not None
    assert (limit.edition, limit.standard, limit.table, limit.clause) == (
        "GB3095-2026-1", "GB 3095-2026", "1", "4.2, 4.4",
    )  # fmt: skip
    assert (limit.value, limit.digits, limit.unit) == (6000, 2, "µg/m³")
    assert (limit.start_day, limit.end_day) == (FIRST_2026, LAST_STEP_1)
    assert limit.confidence is Confidence.CONFIRMED


def test_limits_of_measured_factors_have_the_digits_of_their_readings(standards: Standards) -> None:
    factors = load_factors("air")
    for edition in standards.limit_editions:
        for limit in edition.limits:
            if limit.factor in factors:
                assert limit.digits == factors[limit.factor].digits
                assert limit.unit == factors[limit.factor].unit


@pytest.mark.parametrize("window", [Window.HOUR, Window.RUNNING_24H, Window.O3_8H])
def test_particles_have_no_limit_but_that_of_the_natural_day(standards: Standards, window: Window) -> None:
    assert standards.limit("PM2.5", window, 2, FIRST_2026) is None
    assert standards.limit("PM10", window, 1, FIRST_2026) is None


def test_an_ozone_running_mean_is_held_against_the_limit_of_the_largest_one(standards: Standards) -> None:
    limit = standards.limit("O3", Window.O3_8H, 2, FIRST_2026)
    assert limit is standards.limit("O3", Window.MDA8, 2, FIRST_2026)
    assert limit is not None
    assert limit.window == "MDA8"


def test_the_platforms_running_mean_is_never_judged(standards: Standards) -> None:
    assert standards.limit("O3", Window.O3_8H_PLATFORM, 2, FIRST_2026) is None


def test_there_is_no_limit_for_an_unknown_zone_factor_or_before_the_first_edition(standards: Standards) -> None:
    assert standards.limit("PM2.5", "24h", 3, FIRST_2026) is None
    assert standards.limit("Xe", "24h", 2, FIRST_2026) is None
    assert standards.limit("PM2.5", "24h", 2, day_number(date(2012, 12, 31))) is None


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2013, 1, 1), "GB3095-2012"),
        (date(2026, 2, 28), "GB3095-2012"),
        (date(2026, 3, 1), "GB3095-2026-1"),
        (date(2030, 12, 31), "GB3095-2026-1"),
        (date(2031, 1, 1), "GB3095-2026-2"),
        (date(2050, 1, 1), "GB3095-2026-2"),
    ],
)
def test_limits_are_chosen_by_the_day_of_the_data(standards: Standards, day: date, name: str) -> None:
    assert standards.limits_at(day_number(day)).name == name


def test_before_the_first_edition_there_is_none_and_the_error_names_the_day(standards: Standards) -> None:
    with pytest.raises(UnknownName, match="2012-12-31"):
        standards.limits_at(day_number(date(2012, 12, 31)))
    with pytest.raises(UnknownName, match="2012-12-31"):
        standards.index_edition(day_number(date(2012, 12, 31)))


@pytest.mark.parametrize("number", [1_772_294_400_000, 492_304])
def test_milliseconds_and_hour_numbers_are_refused_where_a_day_is_asked(standards: Standards, number: int) -> None:
    with pytest.raises(ValueError, match="no day number"):
        standards.limit("PM2.5", "24h", 2, number)


@pytest.mark.parametrize(
    ("edition", "table"), [("HJ633-2012", BREAKPOINTS_2012), ("HJ633-2026", BREAKPOINTS_2026)], ids=["2012", "2026"]
)
def test_breakpoints_are_those_of_the_table(
    standards: Standards, edition: str, table: dict[tuple[str, str], list[int]]
) -> None:
    columns = standards.index_named(edition).breakpoints
    assert {(c.factor, c.window): [Fraction(v, 10**c.digits) for v in c.concentrations] for c in columns} == table
    assert all(column.indices == IAQI[: len(column.concentrations)] for column in columns)


def test_only_the_first_edition_gives_no_index_over_800(standards: Standards) -> None:
    def silent(edition: str) -> set[tuple[str, str]]:
        columns = standards.index_named(edition).breakpoints
        return {(c.factor, c.window) for c in columns if c.over is OverTable.NONE}

    assert silent("HJ633-2012") == {("SO2", "1h"), ("O3", "8h")}
    assert silent("HJ633-2026") == set()


@pytest.mark.parametrize("edition", ["HJ633-2012", "HJ633-2026"])
def test_the_items_are_six_hours_or_five_days_and_the_ozone_maximum_in_table_order(
    standards: Standards, edition: str
) -> None:
    found = standards.index_named(edition)
    order = tuple(load_factors("air"))
    assert tuple(item.factor for item in found.real_time) == tuple(item.factor for item in found.daily) == order
    assert {item.window for item in found.real_time} == {Window.HOUR}
    assert [item.breakpoints.window for item in found.real_time] == ["24h", "24h", "1h", "1h", "1h", "1h"]
    assert [item.window for item in found.daily] == [Window.DAY] * 5 + [Window.MDA8]
    assert [item.breakpoints.window for item in found.daily] == ["24h"] * 5 + ["8h"]


def test_rules_that_differ_between_the_editions(standards: Standards) -> None:
    old, new = standards.index_named("HJ633-2012"), standards.index_named("HJ633-2026")
    assert (old.rest_over, new.rest_over) == (None, 100)
    assert (old.index_min, new.index_min) == (0, 1)
    assert (old.exceeding_over, new.exceeding_over) == (100, None)
    assert old.primary_over == new.primary_over == 50
    assert old.levels == new.levels


def test_the_six_levels_cover_every_index_once(standards: Standards) -> None:
    levels = standards.index_named("HJ633-2026").levels
    assert [level.name_zh for level in levels] == ["优", "良", "轻度污染", "中度污染", "重度污染", "严重污染"]
    assert [level.rgb for level in levels] == ["#00E400", "#FFFF00", "#FF7E00", "#FF0000", "#99004C", "#7E0023"]
    assert [n for level in levels for n in range(level.start, level.end + 1)] == list(range(501))


def test_an_index_edition_is_found_by_name_or_not_at_all(standards: Standards) -> None:
    assert standards.index_named("HJ633-2012").standard == "HJ 633-2012"
    with pytest.raises(UnknownName, match="HJ633-2099"):
        standards.index_named("HJ633-2099")


def test_days_are_grouped_by_edition_and_days_before_all_are_left_out(standards: Standards) -> None:
    days = np.array([LAST_2012, FIRST_2026, day_number(date(2001, 1, 1)), LAST_2012 - 1], dtype=np.int64)
    groups = {edition.name: mask.tolist() for edition, mask in standards.index_groups(days)}
    assert groups == {"HJ633-2012": [True, False, False, True], "HJ633-2026": [False, True, False, False]}
    assert [edition.name for edition, _ in standards.index_groups(days[:1])] == ["HJ633-2012"]
    assert list(standards.index_groups(days[:0])) == []


def test_the_edition_changes_at_beijing_midnight_and_not_at_that_of_utc(standards: Standards) -> None:
    first_hour = int(first_hour_of_day(FIRST_2026))
    assert standards.index_edition(day_of(first_hour * 3_600_000)).name == "HJ633-2026"
    assert standards.index_edition(day_of(first_hour * 3_600_000 - 1)).name == "HJ633-2012"


def test_least_counts_are_those_of_the_standard_and_unseen_ones_are_marked(standards: Standards) -> None:
    old, new = standards.completeness(LAST_2012), standards.completeness(FIRST_2026)
    for found in (old, new):
        assert (found.hour_minutes, found.o3_8h_hours, found.day_hours, found.mda8_windows) == (45, 6, 20, 14)
        assert found.mda8_fewer_if_over
    assert "mda8_windows" in new.not_seen
    assert "mda8_windows" not in old.not_seen
    assert standards.completeness(0) is old


def test_the_pack_has_a_hash_of_its_content_that_moves_with_any_cell(pack: dict[str, Any]) -> None:
    standards = parse_standards(pack, load_factors("air"))
    assert standards.pack == load_standards().pack == pack_hash(pack)
    assert len(standards.pack) == 16
    changed = copy.deepcopy(pack)
    changed["gb3095.yaml"]["editions"][0]["tables"][0]["rows"][0]["at"][1] = 61
    assert parse_standards(changed, load_factors("air")).pack != standards.pack


def test_the_order_of_keys_does_not_move_the_hash(pack: dict[str, Any]) -> None:
    turned = {name: dict(reversed(list(content.items()))) for name, content in reversed(list(pack.items()))}
    assert pack_hash(turned) == pack_hash(pack)


def test_days_and_dates_are_inverse() -> None:
    assert day_number(date(1970, 1, 1)) == 0
    assert calendar_date(FIRST_2026) == date(2026, 3, 1)


def _lose(pack: dict[str, Any], name: str) -> None:
    del pack[name]["editions"][0]["name"]


def _gap(pack: dict[str, Any], name: str) -> None:
    pack[name]["editions"][0]["to"] = date(2026, 2, 27)


def _open_end(pack: dict[str, Any], name: str) -> None:
    pack[name]["editions"][0]["to"] = None


@pytest.mark.parametrize("name", PACK_FILES)
@pytest.mark.parametrize("damage", [_lose, _gap, _open_end])
def test_a_damaged_file_is_named(pack: dict[str, Any], name: str, damage: Any) -> None:
    damage(pack, name)
    with pytest.raises(ConfigError, match=name):
        parse_standards(pack, load_factors("air"))


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("unit", "mg/m³", "factor table"),
        ("at", [20.001, 60], "finer than 2 digits"),
        ("at", ["a lot", 60], "a lot"),
    ],
)
def test_a_limit_in_another_unit_or_too_fine_is_refused(
    pack: dict[str, Any], key: str, value: object, problem: str
) -> None:
    pack["gb3095.yaml"]["editions"][0]["tables"][0]["rows"][0][key] = value
    with pytest.raises(ConfigError, match=problem):
        parse_standards(pack, load_factors("air"))


def test_breakpoints_that_do_not_ascend_are_refused(pack: dict[str, Any]) -> None:
    pack["hj633.yaml"]["editions"][1]["breakpoints"]["columns"][0]["at"][2] = 50
    with pytest.raises(ConfigError, match="do not ascend"):
        parse_standards(pack, load_factors("air"))
