from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from sensors.factors import load_factors
from streams.air import index
from streams.air.index import NA, Index, Profile, combine, iaqi, missing_details, name_states, primary_names
from streams.judging.reasons import REASONS, code
from streams.results import Reason
from streams.standards import IndexEdition, load_standards

FACTORS = load_factors("air")
SYMBOLS = tuple(FACTORS)
OLD, NEW = (load_standards().index_named(name) for name in ("HJ633-2012", "HJ633-2026"))
EDITIONS = {"2012": OLD, "2026": NEW}
CLEAN = {"PM2.5": 20, "PM10": 30, "SO2": 10, "NO2": 20, "CO": 0.4, "O3": 60}

# standards.md 2.4, computed there with exact fractions.
VECTORS = """
2012 PM2.5 24h 75 100
2026 PM2.5 24h 75 114
2026 PM2.5 24h 60 100
2026 PM2.5 24h 60.5 100
2026 PM2.5 24h 61.5 102
2026 PM2.5 24h 36 52
2012 PM10 24h 121 86
2026 PM10 24h 121 101
2026 O3 8h 161 101
2026 O3 8h 801 300
2026 SO2 1h 801 200
2026 CO 24h 4.05 100
2026 CO 24h 4.15 101
2026 NO2 1h 201 101
2026 PM2.5 24h 501 500
"""


def fixed(symbol: str, value: float | str) -> int:
    scaled = Fraction(str(value)) * 10 ** FACTORS[symbol].digits
    assert scaled.denominator == 1
    return int(scaled)


def column(
    values: Mapping[str, float], states: Mapping[str, Reason] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return values and states of one position, ``[6, 1]``; a symbol that is not named is silent."""
    numbers = [[fixed(symbol, values.get(symbol, 0))] for symbol in SYMBOLS]
    reasons = [(states or {}).get(symbol, Reason.OK if symbol in values else Reason.SILENT) for symbol in SYMBOLS]
    return np.array(numbers), np.array([[code(reason)] for reason in reasons], dtype=np.uint8)


def judged(
    edition: IndexEdition,
    values: Mapping[str, float],
    states: Mapping[str, Reason] | None = None,
    profile: Profile = Profile.STANDARD,
) -> Index:
    return combine(*iaqi(*column(values, states), index.real_time_table(edition)), edition, profile)


def without(*symbols: str) -> dict[str, float]:
    return {symbol: value for symbol, value in CLEAN.items() if symbol not in symbols}


@pytest.mark.parametrize("line", VECTORS.split("\n")[1:-1])
def test_an_index_is_that_of_the_worked_example(line: str) -> None:
    edition, symbol, window, concentration, expected = line.split()
    tables = (index.real_time_table(EDITIONS[edition]), index.daily_table(EDITIONS[edition]))
    at = SYMBOLS.index(symbol)
    fitting = [table for table in tables if table.items[at].breakpoints.window == window]
    assert fitting
    for table in fitting:
        found, _ = iaqi(*column({symbol: concentration}), table)  # type: ignore[dict-item]  # decimal text
        assert found[at, 0] == int(expected)


@pytest.mark.parametrize("edition", EDITIONS.values(), ids=EDITIONS)
def test_each_breakpoint_has_exactly_its_index(edition: IndexEdition) -> None:
    for column_ in edition.breakpoints:
        assert [index.iaqi_of(column_, c) for c in column_.concentrations] == list(column_.indices)


@pytest.mark.parametrize("edition", EDITIONS.values(), ids=EDITIONS)
def test_one_last_digit_over_a_breakpoint_is_in_the_next_band(edition: IndexEdition) -> None:
    for column_ in edition.breakpoints:
        pairs = list(zip(column_.concentrations[:-1], column_.indices[:-1], strict=True))
        assert all(index.iaqi_of(column_, concentration + 100) > start for concentration, start in pairs)


@pytest.mark.parametrize("edition", EDITIONS.values(), ids=EDITIONS)
def test_the_unrolled_table_is_the_formula_at_every_last_digit(edition: IndexEdition) -> None:
    for table in (index.real_time_table(edition), index.daily_table(edition)):
        for at, item in enumerate(table.items):
            units = np.arange(item.breakpoints.concentrations[-1] // 100 + 3)
            values = np.zeros((6, len(units)), dtype=np.int64)
            values[at] = units * 100
            found, _ = iaqi(values, np.zeros(values.shape, dtype=np.uint8), table)
            assert found[at].tolist() == [index.iaqi_of(item.breakpoints, int(unit) * 100) for unit in units]


@pytest.mark.parametrize(
    ("symbol", "value", "expected"),
    [("PM2.5", 9999, 500), ("PM10", 601, 500), ("NO2", 3841, 500), ("CO", 150.1, 500), ("O3", 1201, 500)],
)
def test_over_the_last_breakpoint_the_index_stays_at_500(symbol: str, value: float, expected: int) -> None:
    for edition in EDITIONS.values():
        found, _ = iaqi(*column({symbol: value}), index.real_time_table(edition))
        assert found[SYMBOLS.index(symbol), 0] == expected


def test_sulfur_dioxide_over_800_has_no_hourly_index_in_2012_and_200_in_2026() -> None:
    at = SYMBOLS.index("SO2")
    found, state = iaqi(*column({"SO2": 801}), index.real_time_table(OLD))
    assert (found[at, 0], REASONS[state[at, 0]]) == (NA, Reason.OVER_TABLE)
    found, state = iaqi(*column({"SO2": 801}), index.real_time_table(NEW))
    assert (found[at, 0], REASONS[state[at, 0]]) == (200, Reason.OK)
    assert iaqi(*column({"SO2": 800}), index.real_time_table(OLD))[0][at, 0] == 200


def test_ozone_over_800_has_no_daily_index_in_2012_and_300_in_2026() -> None:
    at = SYMBOLS.index("O3")
    found, state = iaqi(*column({"O3": 801}), index.daily_table(OLD))
    assert (found[at, 0], REASONS[state[at, 0]]) == (NA, Reason.OVER_TABLE)
    assert iaqi(*column({"O3": 801}), index.daily_table(NEW))[0][at, 0] == 300


def test_sulfur_dioxide_over_800_in_2012_leaves_the_index_of_the_rest_and_is_named() -> None:
    found = judged(OLD, CLEAN | {"SO2": 801})
    assert found.aqi.tolist() == [30]
    assert REASONS[found.reason[0]] is Reason.MISSING_ITEM
    assert found.missing.tolist() == [1 << SYMBOLS.index("SO2")]


def test_a_concentration_is_rounded_half_to_even_before_the_formula() -> None:
    values = np.zeros((6, 2), dtype=np.int64)
    values[0] = [6050, 6150]
    found, _ = iaqi(values, np.zeros((6, 2), dtype=np.uint8), index.real_time_table(NEW))
    assert found[0].tolist() == [100, 102]


def test_a_negative_value_is_invalid_and_not_clean_air() -> None:
    values, state = column(CLEAN)
    values[0] = -600
    found, states = iaqi(values, state, index.real_time_table(NEW))
    assert found[0, 0] == NA
    assert REASONS[states[0, 0]] is Reason.INVALID


def test_the_state_of_an_item_that_is_not_valid_stays_and_inputs_are_untouched() -> None:
    values, state = column(without("NO2"), {"NO2": Reason.CALIBRATING})
    before = values.copy(), state.copy()
    found, states = iaqi(values, state, index.real_time_table(NEW))
    assert found[SYMBOLS.index("NO2"), 0] == NA
    assert REASONS[states[SYMBOLS.index("NO2"), 0]] is Reason.CALIBRATING
    combine(found, states, NEW)
    assert (values == before[0]).all()
    assert (state == before[1]).all()


def test_the_index_is_the_largest_and_its_item_is_primary() -> None:
    found = judged(NEW, CLEAN | {"PM2.5": 75})
    assert (found.aqi[0], found.level[0]) == (114, 3)
    assert primary_names(SYMBOLS)[found.primary[0]] == "PM2.5"
    assert REASONS[found.reason[0]] is Reason.OK
    assert found.missing[0] == 0


def test_tied_items_are_all_primary() -> None:
    found = judged(NEW, CLEAN | {"PM2.5": 150, "PM10": 350, "SO2": 800})
    assert found.aqi.tolist() == [200]
    assert primary_names(SYMBOLS)[found.primary[0]] == "PM2.5;PM10;SO2"


def test_ties_are_compared_on_the_rounded_index() -> None:
    # PM2.5 52 gives 84 exactly by 2026; PM10 97 gives 83.57, rounded up to 84.
    found = judged(NEW, CLEAN | {"PM2.5": 52, "PM10": 97})
    assert found.aqi.tolist() == [84]
    assert primary_names(SYMBOLS)[found.primary[0]] == "PM2.5;PM10"


@pytest.mark.parametrize(("pm10", "primary"), [(50, ""), (51, "PM10")])
def test_there_is_no_primary_item_up_to_50(pm10: int, primary: str) -> None:
    assert primary_names(SYMBOLS)[judged(NEW, CLEAN | {"PM10": pm10}).primary[0]] == primary


@pytest.mark.parametrize(
    ("aqi", "level"),
    [(0, 1), (50, 1), (51, 2), (100, 2), (101, 3), (150, 3), (151, 4), (200, 4), (201, 5), (300, 5), (301, 6)],
)
def test_levels_begin_one_over_the_round_numbers(aqi: int, level: int) -> None:
    iaqis = np.full((6, 1), aqi, dtype=np.int16)
    assert combine(iaqis, np.zeros((6, 1), dtype=np.uint8), OLD).level.tolist() == [level]


def test_an_index_of_nothing_but_zeros_is_0_in_2012_and_1_in_2026() -> None:
    zeros = dict.fromkeys(SYMBOLS, 0.0)
    assert judged(OLD, zeros).aqi.tolist() == [0]
    assert judged(NEW, zeros).aqi.tolist() == [1]
    assert judged(OLD, zeros).level.tolist() == judged(NEW, zeros).level.tolist() == [1]
    assert iaqi(*column(zeros), index.real_time_table(NEW))[0].max() == 0


def test_in_2012_the_rest_is_published_when_an_item_is_missing() -> None:
    found = judged(OLD, without("NO2"))
    assert found.aqi.tolist() == [30]
    assert REASONS[found.reason[0]] is Reason.MISSING_ITEM
    assert found.missing.tolist() == [1 << SYMBOLS.index("NO2")]


@pytest.mark.parametrize(("pm25", "aqi"), [(60, NA), (61, 101)])
def test_in_2026_the_rest_is_published_only_over_100(pm25: int, aqi: int) -> None:
    found = judged(NEW, without("NO2") | {"PM2.5": pm25})
    assert found.aqi.tolist() == [aqi]
    assert REASONS[found.reason[0]] is Reason.MISSING_ITEM
    assert primary_names(SYMBOLS)[found.primary[0]] == ("" if aqi == NA else "PM2.5")
    assert found.level.tolist() == [0 if aqi == NA else 3]


def test_the_platform_publishes_what_is_there_in_every_edition() -> None:
    found = judged(NEW, without("NO2"), profile=Profile.PLATFORM)
    assert found.aqi.tolist() == [30]
    assert REASONS[found.reason[0]] is Reason.MISSING_ITEM


@pytest.mark.parametrize("edition", EDITIONS.values(), ids=EDITIONS)
@pytest.mark.parametrize("profile", Profile)
def test_an_item_that_is_not_in_plan_has_no_effect(edition: IndexEdition, profile: Profile) -> None:
    found = judged(edition, without("NO2"), {"NO2": Reason.NOT_IN_PLAN}, profile)
    assert found.aqi.tolist() == [30]
    assert REASONS[found.reason[0]] is Reason.OK
    assert found.missing.tolist() == [0]


@pytest.mark.parametrize("edition", EDITIONS.values(), ids=EDITIONS)
@pytest.mark.parametrize("profile", Profile)
def test_no_valid_item_is_no_index(edition: IndexEdition, profile: Profile) -> None:
    found = judged(edition, {}, {"CO": Reason.NOT_IN_PLAN}, profile)
    assert found.aqi.tolist() == [NA]
    assert found.level.tolist() == [0]
    assert REASONS[found.reason[0]] is Reason.NO_ITEM


def test_nothing_in_plan_is_said_as_such() -> None:
    found = judged(NEW, {}, dict.fromkeys(SYMBOLS, Reason.NOT_IN_PLAN))
    assert found.aqi.tolist() == [NA]
    assert REASONS[found.reason[0]] is Reason.NOT_IN_PLAN


def test_many_sites_and_hours_are_judged_as_each_alone() -> None:
    generator = np.random.default_rng(3)
    values = generator.integers(0, 1000, (4, 6, 30)) * 100
    state = np.where(generator.random((4, 6, 30)) < 0.1, code(Reason.SILENT), 0).astype(np.uint8)
    table = index.real_time_table(NEW)
    whole = combine(*iaqi(values, state, table), NEW)
    for site in range(4):
        for hour in range(30):
            part = slice(hour, hour + 1)
            one = combine(*iaqi(values[site, :, part], state[site, :, part], table), NEW)
            assert [field[site, hour] for field in whole] == [field[0] for field in one]


def test_an_empty_block_is_judged_to_an_empty_index() -> None:
    empty = np.zeros((2, 6, 0), dtype=np.int64)
    found = combine(*iaqi(empty, empty.astype(np.uint8), index.real_time_table(NEW)), NEW)
    assert found.aqi.shape == found.primary.shape == (2, 0)


def test_the_text_names_each_missing_item_and_why_but_not_those_out_of_plan() -> None:
    states = {"NO2": Reason.CALIBRATING, "CO": Reason.NOT_IN_PLAN, "O3": Reason.SILENT}
    _, state = column(without("NO2", "CO", "O3"), states)
    both = np.concatenate([state, np.zeros_like(state)], axis=1)
    assert missing_details(both, SYMBOLS).tolist() == ["NO2: calibrating; O3: silent", ""]


def test_states_can_be_named_in_any_words() -> None:
    assert name_states(np.array([[1], [0]], dtype=np.uint8), ("a", "b"), ("", "bad")).tolist() == ["a: bad"]


def test_masks_are_named_in_the_order_of_the_items() -> None:
    names = primary_names(("a", "b", "c"))
    assert names == ("", "a", "b", "a;b", "c", "a;c", "b;c", "a;b;c")
