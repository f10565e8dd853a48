"""Volumes and loads by hand: flow x time, load = concentration x volume, days by HJ 356."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from sensors.errors import UnknownName
from sensors.kinds import load_kind
from streams.discharge.evaluation import loads
from streams.discharge.loads import Units, day_loads, litres_of, milligrams_of
from streams.judging.means import divide_exact
from streams.judging.plan import Block
from streams.judging.reasons import INCOMPLETE, NOT_IN_PLAN, SILENT
from tests.discharge_cases import Column, context, means, site, slots


def _slots(columns: dict[str, Column]) -> dict[str, Block]:
    made = loads(context())
    blocks = made.slots(slots("2026-06-01", columns), 0, (site(),))
    return {output.factor: block for output, block in zip(made.slot_outputs, blocks, strict=True)}


def _day(columns: dict[str, Column]) -> dict[str, Block]:
    made = loads(context())
    blocks = made.day(slots("2026-06-01", columns), (site(),), means({}))
    return {output.factor: block for output, block in zip(made.day_outputs, blocks, strict=True)}


def _one(block: Block) -> int | None:
    return int(block.value[0, 0]) if block.present[0, 0] else None


def test_an_hour_of_10_litres_a_second_at_50_mg_is_36_m3_and_1800_g() -> None:
    found = _slots({"flow": 10, "COD": 50, "TN": "7.5"})
    assert _one(found["flow.volume"]) == 36_000
    assert _one(found["COD.load"]) == 1_800
    assert _one(found["TN.load"]) == 270


def test_a_day_sums_its_hours() -> None:
    found = _day({"flow": 10, "COD": 50})
    assert _one(found["flow.volume"]) == 864_000
    assert _one(found["COD.load"]) == 43_200
    assert int(found["COD.load"].valid[0, 0]) == 24


def test_a_day_is_weighted_by_flow_and_not_the_mean_of_its_hours() -> None:
    # 12 h of 10 L/s at 20 mg/L and 12 h of 30 L/s at 60 mg/L: 432 m³ x 20 + 1296 m³ x 60 = 8.64 + 77.76 kg.
    flow: Column = [10] * 12 + [30] * 12
    cod: Column = [20] * 12 + [60] * 12
    assert _one(_day({"flow": flow, "COD": cod})["COD.load"]) == 86_400


def test_a_still_hour_lets_nothing_out_and_is_known() -> None:
    found = _slots({"flow": 0})
    assert (_one(found["flow.volume"]), _one(found["COD.load"])) == (0, 0)
    day = _day({"flow": 0})
    assert (_one(day["flow.volume"]), _one(day["COD.load"]), int(day["COD.load"].valid[0, 0])) == (0, 0, 24)


def test_without_flow_known_there_is_no_load() -> None:
    found = _slots({"COD": 50})
    assert _one(found["COD.load"]) is None
    assert int(found["COD.load"].reason[0, 0]) == SILENT


def test_without_concentration_a_flowing_hour_has_a_volume_and_no_load() -> None:
    found = _slots({"flow": 10})
    assert (_one(found["flow.volume"]), _one(found["COD.load"])) == (36_000, None)


@pytest.mark.parametrize(("known", "grams"), [(18, 43_200), (17, None)])
def test_a_day_is_effective_with_three_quarters_of_its_hours_and_takes_its_mean_for_the_rest(
    known: int, grams: int | None
) -> None:
    # The mean of the hours that are known, 50 mg/L, times the volume of all 24 hours.
    cod: Column = [50] * known + [None] * (24 - known)
    found = _day({"flow": 10, "COD": cod})["COD.load"]
    assert _one(found) == grams
    assert int(found.valid[0, 0]) == known
    if grams is None:
        assert int(found.reason[0, 0]) == INCOMPLETE


@pytest.mark.parametrize(
    ("hours", "litres", "detail"),
    [(24, 864_000, ""), (23, 828_000, "lower bound, 23/24"), (18, 648_000, "lower bound, 18/24"), (17, None, "")],
)
def test_a_day_with_hours_of_flow_missing_says_that_its_sum_is_a_lower_bound(
    hours: int, litres: int | None, detail: str
) -> None:
    made = loads(context())
    columns: dict[str, Column] = {"flow": [10] * hours + [None] * (24 - hours), "COD": 50}
    blocks = made.day(slots("2026-06-01", columns), (site(),), means({}))
    found = {output.factor: (output, block) for output, block in zip(made.day_outputs, blocks, strict=True)}
    for factor, value in (("flow.volume", litres), ("COD.load", None if litres is None else litres // 20)):
        output, block = found[factor]
        assert output.tell is not None
        assert (_one(block), output.tell(block.detail[0])[0].as_py()) == (value, detail)


def test_a_day_with_concentrations_missing_says_that_its_load_is_by_their_mean() -> None:
    made = loads(context())
    blocks = made.day(slots("2026-06-01", {"flow": 10, "COD": [50] * 20 + [None] * 4}), (site(),), means({}))
    found = {output.factor: (output, block) for output, block in zip(made.day_outputs, blocks, strict=True)}
    output, block = found["COD.load"]
    assert output.tell is not None
    assert (_one(block), output.tell(block.detail[0])[0].as_py()) == (43_200, "effective mean, 20/24")


def test_still_hours_count_as_known_for_the_day() -> None:
    # Six hours flow without a concentration in one of them: 23 of 24 are known.
    flow: Column = [10] * 6 + [0] * 18
    cod: Column = [50] * 5 + [None] * 19
    found = _day({"flow": flow, "COD": cod})["COD.load"]
    assert (_one(found), int(found.valid[0, 0])) == (10_800, 23)


def test_of_a_silent_day_nothing_is_said_but_why() -> None:
    found = _day({})["COD.load"]
    assert (_one(found), int(found.reason[0, 0]), bool(found.due[0, 0])) == (None, SILENT, False)


def test_the_largest_flow_and_concentration_do_not_overflow() -> None:
    # 100 000 L/s at 100 000 mg/L for a day: 8.64e9 L x 100 g = 8.64e11 g.
    found = _day({"flow": 100_000, "COD": 100_000})
    assert _one(found["COD.load"]) == 864_000_000_000


def test_each_hour_is_rounded_once_half_to_even() -> None:
    # 0.01 L/s x 3600 s x 12.5 mg/L = 450 mg = 0.45 g -> 0; x 13.8889 would be 0.5 g.
    assert _one(_slots({"flow": "0.01", "COD": "12.5"})["COD.load"]) == 0
    # 1 L/s x 3600 s x 0.625 mg/L = 2250 mg = 2.25 g -> 2.
    assert _one(_slots({"flow": 1, "COD": "0.625"})["COD.load"]) == 2
    halves = divide_exact(np.array([1, 3, 5, -1, -3], object), np.array([2, 2, 2, 2, 2], object))
    assert halves.tolist() == [0, 2, 2, 0, -2]


def test_units_of_other_kinds_are_brought_to_litres_and_milligrams() -> None:
    flow, cod = load_kind("outfall").factors["flow"], load_kind("outfall").factors["COD"]
    assert litres_of(flow) == Fraction(1, 10**flow.digits)
    assert milligrams_of(cod) == Fraction(1, 10**cod.digits)
    with pytest.raises(UnknownName):
        litres_of(cod)
    with pytest.raises(UnknownName):
        milligrams_of(flow)


def test_mass_of_waste_gas_is_made_by_the_same_arithmetic() -> None:
    # 2 m³/s at 50 mg/m³ for a day: 2 x 86 400 x 50 mg = 8640 g.
    stack = Units(litres=Fraction(1000), milligrams=Fraction(1, 1000), seconds=3600)
    there = np.ones((1, 24), np.bool_)
    found = day_loads(np.full((1, 24), 2), there, np.full((1, 24), 50), there, stack)
    assert found.grams.tolist() == [8_640]


def test_an_outlet_that_does_not_measure_a_factor_has_no_load_of_it_even_without_flow() -> None:
    made = loads(context())
    seen = slots("2026-06-01", {"flow": 0, "COD": 5})
    planned = seen.planned.copy()
    planned[:, seen.at("TN")] = False
    seen = replace(seen, planned=planned)
    for outputs, blocks in (
        (made.slot_outputs, made.slots(seen, 0, (site(),))),
        (made.day_outputs, made.day(seen, (site(),), means({}))),
    ):
        found = {output.factor: block for output, block in zip(outputs, blocks, strict=True)}
        assert (_one(found["COD.load"]), _one(found["TN.load"])) == (0, None)
        assert int(found["TN.load"].reason[0, 0]) == NOT_IN_PLAN
