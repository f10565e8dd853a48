"""Law of the cells: whatever decimal text stands there, it is rounded half to even once, as an exact number."""

from __future__ import annotations

from fractions import Fraction

import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jianhu.calc.cells import Cell, read_cells
from sensors.factors import load_factors

LAW = settings(deadline=None)  # how long a case takes says nothing about it
FACTORS = load_factors("air")
SCALES = {"µg/m³": Fraction(1, 1000), "mg/m³": Fraction(1)}
WHOLE = st.integers(0, 999_999).map(str)
TAIL = st.text("0123456789", max_size=30)
TIES = st.sampled_from([".", ".5", ".05", ".15", ".4999", ".5000", ".0500"])
NEAR_TIE = st.tuples(WHOLE, TIES, st.text("0123456789", max_size=20)).map("".join)
PLAIN = st.tuples(WHOLE, TAIL).map(".".join)
ODD = st.tuples(st.integers(0, 9999).map(str), st.integers(-9, 1).map(lambda power: f"e{power}")).map("".join)
SIGNED = st.tuples(st.sampled_from(["+", "-"]), PLAIN).map("".join)
TEXTS = st.one_of(PLAIN, NEAR_TIE, ODD, SIGNED)


@LAW
@example(["+84950."], "CO")  # a tie at the standard's digit that is not one of the stored digits
@given(st.lists(TEXTS, min_size=1, max_size=20), st.sampled_from(["PM2.5", "O3", "CO"]))
def test_a_column_is_read_as_exact_numbers_are(texts: list[str], symbol: str) -> None:
    factor = FACTORS[symbol]
    for scale in SCALES.values() if symbol == "CO" else [Fraction(1)]:
        values, cells = read_cells(pa.array(texts), factor, scale)
        for text, value, cell in zip(texts, values.tolist(), cells.tolist(), strict=True):
            number = Fraction(text) * scale
            if factor.low <= number <= factor.high:
                assert cell == Cell.VALUE
                assert value == round(number * 10**factor.decimals) * factor.step
            else:
                assert cell in {Cell.BOUNDS, Cell.SENTINEL}
                assert value == 0
