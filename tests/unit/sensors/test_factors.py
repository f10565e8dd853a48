from __future__ import annotations

from fractions import Fraction

import pytest

from sensors.errors import UnknownName
from sensors.factors import load_factors

INT32 = 2**31


def test_the_air_factors_stand_in_the_order_of_the_table() -> None:
    assert list(load_factors("air")) == ["PM2.5", "PM10", "SO2", "NO2", "CO", "O3"]


@pytest.mark.parametrize(
    ("symbol", "code", "unit", "decimals", "digits"),
    [
        ("PM2.5", "a34004", "µg/m³", 0, 2),
        ("PM10", "a34002", "µg/m³", 0, 2),
        ("SO2", "a21026", "µg/m³", 0, 2),
        ("NO2", "a21004", "µg/m³", 0, 2),
        ("CO", "a21005", "mg/m³", 1, 3),
        ("O3", "a05024", "µg/m³", 0, 2),
    ],
)
def test_each_factor_has_code_unit_and_digits(symbol: str, code: str, unit: str, decimals: int, digits: int) -> None:
    factor = load_factors("air")[symbol]
    assert (factor.symbol, factor.code, factor.unit) == (symbol, code, unit)
    assert (factor.decimals, factor.digits, factor.step) == (decimals, digits, 100)


def test_every_possible_value_fits_the_stored_integer() -> None:
    for factor in load_factors("air").values():
        assert 0 <= factor.low < factor.high
        assert factor.high * 10**factor.digits < INT32


def test_units_are_exact_fractions_and_the_canonical_one_is_among_them() -> None:
    for factor in load_factors("air").values():
        assert factor.units[factor.unit] == 1
    assert load_factors("air")["CO"].units["µg/m³"] == Fraction(1, 1000)


def test_a_unit_is_written_with_the_micro_sign_and_not_with_the_greek_letter() -> None:
    assert all("μ" not in unit for factor in load_factors("air").values() for unit in factor.units)


def test_carbon_monoxide_over_150_is_out_of_bounds() -> None:
    assert load_factors("air")["CO"].high == 150


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(UnknownName, match="'odour'"):
        load_factors("odour")
