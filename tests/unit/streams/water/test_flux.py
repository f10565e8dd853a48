from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.water.flux import Growth, Mass, growth, kilograms, mass

SCALES = (10_000, 1000)
HOUR_S = 3600


def of(
    concentration: list[str | None], flow: list[str | None], closed: list[int] | None = None, slot_s: int = 14400
) -> Mass:
    c = np.array([[int(Fraction(value or 0) * SCALES[0]) for value in concentration]])
    q = np.array([[int(Fraction(value or 0) * SCALES[1]) for value in flow]])
    there = [np.array([[value is not None for value in row]]) for row in (concentration, flow)]
    shut = np.array([[bool(value) for value in closed or [0] * len(flow)]])
    return mass(c, there[0], q, there[1], shut, scales=SCALES, slot_s=slot_s)


def test_two_milligrams_in_a_hundred_cubic_metres_a_second_carry_17_28_tonnes_a_day() -> None:
    found = of(["2"] * 6, ["100"] * 6)
    assert kilograms(found.grams, 3).tolist() == [17_280_000]
    assert (found.covered.tolist(), found.closed.tolist(), found.slots) == ([6], [0], 6)
    assert of(["2"] * 24, ["100"] * 24, slot_s=HOUR_S).grams == found.grams


def test_a_gap_stays_a_gap_and_is_counted() -> None:
    found = of(["2", None, "2", "2", "2", "2"], ["100", "100", None, "100", "100", "100"])
    assert kilograms(found.grams, 0).tolist() == [17_280 * 4 // 6]
    assert found.covered.tolist() == [4]


def test_a_closed_gate_carries_nothing_whatever_is_missing() -> None:
    found = of(["2", None, "2"], ["100", None, "100"], [0, 1, 1])
    assert found.grams[0] == 2 * 100 * 14400
    assert (found.covered.tolist(), found.closed.tolist()) == ([3], [2])


def test_no_flow_carries_nothing_even_without_a_concentration() -> None:
    found = of([None, "2"], ["0", "10"])
    assert (found.grams[0], found.covered.tolist(), found.closed.tolist()) == (2 * 10 * 14400, [2], [1])


def test_water_that_runs_back_takes_its_load_back() -> None:
    assert of(["2", "2"], ["10", "-10"]).grams[0] == 0


def test_kilograms_are_rounded_half_to_even_once() -> None:
    grams = np.array([Fraction(500), Fraction(1500), Fraction(2500), Fraction(-1500)], dtype=object)
    assert kilograms(grams, 0).tolist() == [0, 2, 2, -2]


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)), min_size=1, max_size=24), st.integers(1, 23))
def test_a_day_is_the_sum_of_its_parts(cells: list[tuple[int, int]], cut: int) -> None:
    c, q = (np.array([[cell[k] for cell in cells]]) for k in (0, 1))
    here, shut = np.ones(c.shape, np.bool_), np.zeros(c.shape, np.bool_)

    def part(where: slice) -> Fraction:
        found = mass(
            c[:, where], here[:, where], q[:, where], here[:, where], shut[:, where], scales=SCALES, slot_s=HOUR_S
        )
        return Fraction(found.grams[0])

    assert part(slice(None, cut)) + part(slice(cut, None)) == part(slice(None))
    exact = sum(Fraction(a, SCALES[0]) * Fraction(b, SCALES[1]) * HOUR_S for a, b in cells)
    assert part(slice(None)) == exact


NONE = Fraction(0)


@pytest.mark.parametrize(
    ("now", "before", "found"),
    [(10, 10, Growth.HELD), (9, 10, Growth.HELD), (11, 10, Growth.GREW), (None, 10, Growth.NOT_COMPARABLE),
     (10, None, Growth.NOT_COMPARABLE)],
)  # fmt: skip
def test_zero_growth_is_met_by_no_more_than_before(now: int | None, before: int | None, found: Growth) -> None:
    assert growth(now, before, (NONE, NONE), Fraction(1, 4)) is found


def test_too_many_gaps_make_no_comparison() -> None:
    quarter, third = Fraction(1, 4), Fraction(1, 3)
    assert growth(9, 10, (quarter, NONE), quarter) is Growth.HELD
    assert growth(9, 10, (third, NONE), quarter) is Growth.NOT_COMPARABLE
    assert growth(9, 10, (NONE, third), quarter) is Growth.NOT_COMPARABLE
