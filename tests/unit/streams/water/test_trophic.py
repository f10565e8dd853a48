from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from sensors.errors import UnknownName
from streams.water.standards import load_water_standards
from streams.water.trophic import TrophicIndex, grades, trophic_index, unit_factor

RULE = load_water_standards().trophic[0]
DIGITS = 4
ORDER = ("Chla", "TP", "TN", "SD", "CODMn")


def index(*values: str) -> TrophicIndex:
    fixed = np.array([[int(Fraction(value or "0") * 10**DIGITS)] for value in values])
    present = np.array([[value != ""] for value in values])
    return trophic_index(fixed, present, [10**-DIGITS] * len(ORDER), RULE)


def test_the_published_vector_comes_out() -> None:
    """Facts, standards 4.4: chlorophyll 10 mg/m³, TP 0.05, TN 1.0, transparency 1.0 m, CODMn 4.0."""
    found = index("10", "0.05", "1.0", "1.0", "4.0")
    assert tuple(item.factor for item in RULE.items) == ORDER
    assert found.singles[:, 0].tolist() == [5001, 4571, 5453, 5118, 3798]
    assert found.value.tolist() == [4802]
    assert grades(found, RULE).tolist() == [2]


@pytest.mark.parametrize("gap", range(5))
def test_a_missing_item_or_one_of_0_leaves_no_index(gap: int) -> None:
    for text in ("", "0"):
        values = ["10", "0.05", "1.0", "1.0", "4.0"]
        values[gap] = text
        found = index(*values)
        assert (found.value[0], found.present[0], grades(found, RULE)[0]) == (0, False, 0)
        assert found.usable[:, 0].tolist() == [at != gap for at in range(5)]


@pytest.mark.parametrize(
    ("value", "grade"),
    [(0, 1), (2999, 1), (3000, 2), (5000, 2), (5001, 3), (6000, 3), (6001, 4), (7000, 4), (7001, 5), (9999, 5)],
)
def test_grades_begin_and_end_where_the_text_says(value: int, grade: int) -> None:
    none = np.zeros((5, 1), np.int64)
    assert grades(TrophicIndex(np.array([value]), np.array([True]), none, none > 0), RULE).tolist() == [grade]


def test_the_weights_are_the_squares_of_the_correlations_and_make_one() -> None:
    r = {"Chla": 1.0, "TP": 0.84, "TN": 0.82, "SD": -0.83, "CODMn": 0.83}
    total = sum(value**2 for value in r.values())
    for item in RULE.items:
        assert item.weight == pytest.approx(r[item.factor] ** 2 / total, abs=5e-5)
    assert sum(item.weight for item in RULE.items) == pytest.approx(1)


def test_units_are_brought_to_those_of_the_formula() -> None:
    assert unit_factor("mg/m³", "mg/L") == 1000
    assert unit_factor("mg/m³", "µg/L") == 1
    assert unit_factor("m", "cm") == 0.01
    with pytest.raises(UnknownName, match="inch"):
        unit_factor("m", "inch")
