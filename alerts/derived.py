"""Factors that evaluations make, with unit and digits, so that rules and texts can name them like measured ones."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from sensors.factors import Factor
from sensors.kinds import Kind
from streams.discharge.indices import load_indices

_HIGHEST = Fraction(10**12)


def derived_factors(kind: Kind) -> Mapping[str, Factor]:
    """Return the indices and tables that the evaluations of a kind say, by name."""
    indices = {
        version.index: Factor(
            symbol=version.index, code="", name_zh=version.title_zh, name_en=version.title_en, unit=version.unit,
            decimals=version.digits, low=Fraction(0), high=_HIGHEST, units={version.unit: Fraction(1)}, extra=0,
        )
        for version in load_indices()
        if version.index in kind.evaluations
    }  # fmt: skip
    tables = {
        table.id: Factor(
            symbol=table.id, code="", name_zh=table.name_zh, name_en=table.name_en, unit="1", decimals=0,
            low=Fraction(0), high=_HIGHEST, units={"1": Fraction(1)}, extra=0,
        )
        for table in kind.tables
    }  # fmt: skip
    return indices | tables
