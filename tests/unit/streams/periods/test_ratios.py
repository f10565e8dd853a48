from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.periods.comparing import change_percent, half_even
from streams.periods.ratios import Ratios, same, whole

NUMBERS = st.one_of(st.none(), st.fractions(-(10**15), 10**15, max_denominator=400), st.just(Fraction(2**40, 3)))


def ratios(numbers: list[Fraction | None]) -> Ratios:
    known = [Fraction(0) if number is None else number for number in numbers]
    return Ratios(
        np.array([number.numerator for number in known], np.int64),
        np.array([number.denominator for number in known], np.int64),
        np.array([number is not None for number in numbers], np.bool_),
    )


def test_numbers_are_rounded_half_to_even_and_none_is_zero() -> None:
    found = ratios([Fraction(5, 1000), Fraction(15, 1000), Fraction(-5, 1000), None])
    assert found.fixed(2).tolist() == [0, 2, 0, 0]
    assert found.fractions() == [Fraction(1, 200), Fraction(3, 200), Fraction(-1, 200), None]


def test_a_change_needs_both_numbers_and_an_earlier_one_that_is_not_zero() -> None:
    now, before = (
        ratios([Fraction(27), Fraction(27), None, Fraction(1)]),
        ratios([Fraction(30), None, Fraction(1), Fraction(0)]),
    )
    assert now.change(before).fractions() == [Fraction(-10), None, None, None]
    assert now.minus(before).fractions() == [Fraction(-3), None, None, Fraction(1)]


@given(pairs=st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=6))
def test_columns_say_what_fractions_say_however_large_they_are(
    pairs: list[tuple[Fraction | None, Fraction | None]],
) -> None:
    now, before = ratios([a for a, _ in pairs]), ratios([b for _, b in pairs])
    change = now.change(before)
    expected = [change_percent(a, b) for a, b in pairs]
    assert change.fractions() == expected
    shown = [0 if number is None else half_even(number, 2) for number in expected]
    if max(map(abs, shown)) < 2**62:
        assert change.fixed(2).tolist() == shown


def test_one_number_may_stand_for_all_and_whole_numbers_are_ratios() -> None:
    assert same(Fraction(7, 2), 2).fractions() == [Fraction(7, 2)] * 2
    assert whole(np.array([3, 4]), np.array([True, False])).fractions() == [Fraction(3), None]
