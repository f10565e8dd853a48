from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from streams.water.classes import BODIES, class_table, item_classes, judge, main_items, multiples, rounded
from streams.water.standards import Body, Profile, load_water_standards
from tests.unit.streams.water.test_standards import LIMITS, ROWS, RULES

ITEMS = tuple(LIMITS.items)
DIGITS = 7
SCALE = 10**DIGITS
TABLE = class_table(LIMITS, ITEMS, [SCALE] * len(ITEMS))
RIVER, LAKE = BODIES.index(Body.RIVER), BODIES.index(Body.LAKE)


def fixed(text: str | Fraction) -> int:
    return int(Fraction(text) * SCALE)


def classes(readings: dict[str, str], body: int = RIVER) -> dict[str, int]:
    values = np.array([[fixed(readings.get(item, "0"))] for item in ITEMS])
    present = np.array([[item in readings] for item in ITEMS])
    found = item_classes(values, present, TABLE, body)
    return {item: int(found[at, 0]) for at, item in enumerate(ITEMS) if item in readings}


@pytest.mark.parametrize("row", [row for row in ROWS if row[0] != "DO"], ids=lambda row: row[0])
def test_a_value_on_a_limit_has_the_best_class_of_that_limit_and_above_it_the_next(row: list[str]) -> None:
    name, *limits = row
    for limit in limits:
        best = limits.index(limit) + 1
        assert classes({name: limit}) == {name: best}
        above = str(Fraction(limit) + Fraction(1, SCALE))
        assert classes({name: above}) == {name: max(k for k in range(5) if limits[k] == limit) + 2}


@pytest.mark.parametrize(
    ("oxygen", "found"),
    [("7.5", 1), ("7.4999999", 2), ("6", 2), ("5.99", 3), ("5", 3), ("3", 4), ("2", 5), ("1.9999999", 6), ("0", 6)],
)
def test_oxygen_is_judged_from_above(oxygen: str, found: int) -> None:
    assert classes({"DO": oxygen}) == {"DO": found}


@pytest.mark.parametrize(("ph", "found"), [("6", 1), ("9", 1), ("7.2", 1), ("5.9999999", 6), ("9.0000001", 6)])
def test_ph_is_inside_its_range_or_worse_than_v(ph: str, found: int) -> None:
    assert classes({"pH": ph}) == {"pH": found}


def test_phosphorus_is_judged_by_the_kind_of_water_and_nitrogen_in_lakes_only() -> None:
    assert classes({"TP": "0.05", "TN": "1.2"}, RIVER) == {"TP": 2, "TN": 0}
    assert classes({"TP": "0.05", "TN": "1.2"}, LAKE) == {"TP": 3, "TN": 4}


def test_each_site_is_judged_by_its_own_kind_of_water() -> None:
    table = TABLE.part(["TP"])
    values = np.full((2, 1, 3), fixed("0.05"))
    found = item_classes(values, np.ones(values.shape, np.bool_), table, np.array([RIVER, LAKE]))
    assert found.tolist() == [[[2, 2, 2]], [[3, 3, 3]]]


def test_what_is_missing_has_no_class_and_is_left_out() -> None:
    judged = judge(np.array([[0, 0], [2, 0], [3, 0]], np.int8))
    assert judged.worst.tolist() == [3, 0]
    assert judged.counted.tolist() == [2, 0]
    assert judged.deciding.tolist() == [0b100, 0]


def test_all_items_of_the_worst_class_decide_and_none_at_class_i() -> None:
    judged = judge(np.array([[4, 1], [4, 1], [2, 1]], np.int8))
    assert judged.deciding.tolist() == [0b011, 0]


def test_a_limit_finer_than_the_values_splits_them_as_it_stands() -> None:
    coarse = class_table(LIMITS, ["TP", "DO"], [100, 1])  # 0.025 and 7.5 lie between stored values
    values = np.array([[2, 3], [7, 8]])
    found = item_classes(values, np.ones(values.shape, np.bool_), coarse, LAKE)
    assert found.tolist() == [[2, 3], [2, 1]]


@pytest.mark.parametrize(
    ("item", "value", "shown"),
    [
        ("CODMn", "6.05", "6.0"),
        ("CODMn", "6.15", "6.2"),
        ("CODMn", "6.0500001", "6.1"),
        ("pH", "8.5", "8"),
        ("pH", "9.5", "10"),
        ("NH3-N", "0.004", "0.004"),
        ("NH3-N", "0.0047", "0.005"),
        ("TP", "0.0005", "0.0005"),
        ("TP", "0.00044", "0.0004"),
        ("TP", "0.0015", "0.002"),
        ("Hg", "0.000001", "0.000001"),
        ("TP", "0", "0"),
    ],
)
def test_values_are_rounded_once_half_to_even_and_keep_one_figure(item: str, value: str, shown: str) -> None:
    found = rounded(np.array([[fixed(value)]]), [SCALE], [RULES.decimals[item]])
    assert found.tolist() == [[fixed(shown)]]


def times(readings: dict[str, str], over: int, body: int = RIVER) -> dict[str, str]:
    values = np.array([[fixed(readings.get(item, "0"))] for item in ITEMS])
    present = np.array([[item in readings] for item in ITEMS])
    found = item_classes(values, present, TABLE, body)
    result = multiples(values, found, TABLE, body, over=over, digits=2)
    return {item: f"{int(result[at, 0]) / 10000:g}" for at, item in enumerate(ITEMS) if item in readings}


def test_multiples_are_over_the_limit_of_class_iii_and_none_for_ph_and_oxygen() -> None:
    assert times({"CODMn": "9", "NH3-N": "1.0", "TP": "0.35", "DO": "1", "pH": "9.5"}, 3) == {
        "CODMn": "0.5", "NH3-N": "0", "TP": "0.75", "DO": "0", "pH": "0",
    }  # fmt: skip


def test_multiples_over_the_sections_own_target_are_another_figure() -> None:
    assert times({"CODMn": "9"}, 2) == {"CODMn": "1.25"}
    assert times({"TP": "0.06"}, 3, LAKE) == {"TP": "0.2"}


def test_a_small_multiple_keeps_one_figure() -> None:
    assert times({"CODMn": "6.01"}, 3) == {"CODMn": "0.002"}


def test_no_target_gives_no_multiple() -> None:
    assert times({"CODMn": "9"}, 0) == {"CODMn": "0"}


def order(found: dict[str, int], over: dict[str, int]) -> list[str]:
    names = tuple(found)
    codes = np.array([[value] for value in found.values()], np.int8)
    shares = np.array([[over.get(name, 0)] for name in names])
    places = main_items(codes, shares, names, RULES, 3)[:, 0]
    return [names[place] for place in places if place >= 0]


def test_main_pollutants_come_by_class_and_then_by_multiple() -> None:
    found = {"CODMn": 4, "COD": 5, "NH3-N": 5, "TP": 4, "BOD5": 3}
    assert order(found, {"CODMn": 20, "COD": 30, "NH3-N": 40, "TP": 10}) == ["NH3-N", "COD", "CODMn", "TP"]


def test_cyanide_and_heavy_metals_come_first() -> None:
    assert order({"COD": 6, "Pb": 4, "cyanide": 4}, {"COD": 90, "Pb": 10, "cyanide": 5}) == ["Pb", "cyanide", "COD"]


def test_nothing_over_names_nothing() -> None:
    assert order({"COD": 3, "TP": 1}, {}) == []


def reference(name: str, value: Fraction, body: Body) -> int:
    """The class of one value, as the standard's table reads: the first column that holds."""
    limits = LIMITS.items[name].of(body)
    if not limits:
        return 0
    if name == "pH":
        return 1 if limits[0] <= value <= limits[1] else 6
    holds = [value >= limit if name == "DO" else value <= limit for limit in limits]
    return holds.index(True) + 1 if any(holds) else 6


@given(
    st.lists(
        st.tuples(st.sampled_from(ITEMS), st.integers(0, 50 * SCALE), st.sampled_from(tuple(Body))),
        min_size=1,
        max_size=30,
    )
)
def test_the_columns_say_what_one_value_at_a_time_says(cells: list[tuple[str, int, Body]]) -> None:
    for name, value, body in cells:
        row: NDArray[np.int64] = np.array([[value]])
        table = TABLE.part([name])
        found = item_classes(row, np.ones((1, 1), np.bool_), table, BODIES.index(body))
        assert found[0, 0] == reference(name, Fraction(value, SCALE), body)


@given(st.sampled_from(ITEMS), st.integers(0, 50 * SCALE), st.integers(0, 10 * SCALE))
def test_more_of_a_pollutant_never_makes_a_better_class(name: str, value: int, more: int) -> None:
    pair = np.array([[value, value + more]])
    first, second = item_classes(pair, np.ones(pair.shape, np.bool_), TABLE.part([name]), LAKE)[0]
    if name == "DO":
        assert second <= first
    elif name != "pH":
        assert second >= first


def test_the_platform_profile_is_part_of_the_evaluation_profile() -> None:
    rules = load_water_standards().evaluations[0]
    assert set(rules.profiles[Profile.PLATFORM].items) <= set(rules.profiles[Profile.EVALUATION].items)
