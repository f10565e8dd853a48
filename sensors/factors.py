"""The factor table: symbol, HJ 212 code, canonical unit, decimals, names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from sensors.errors import UnknownName

EXTRA_DIGITS = 2
"""A stored value is this much finer than the standard reports (design, "Numbers are integers")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One thing that is measured."""

    symbol: str
    """The short name used everywhere in jianhu, for example ``PM2.5``."""
    code: str
    """HJ 212 code."""
    name_zh: str
    name_en: str
    unit: str
    """Canonical unit."""
    decimals: int
    """Digits after the point that the standard reports."""
    low: Fraction
    high: Fraction
    """Physical bounds in the canonical unit, both inside."""
    units: Mapping[str, Fraction]
    """Accepted unit → factor to the canonical unit."""

    @property
    def digits(self) -> int:
        """Digits after the point of the stored integer."""
        return self.decimals + EXTRA_DIGITS

    @property
    def step(self) -> int:
        """Stored units in one unit of the standard's last digit."""
        return int(10**EXTRA_DIGITS)


def parse_factors(mapping: Mapping[str, Any]) -> dict[str, Factor]:
    """Return the factors of one kind, in the table's order, from its mapping."""
    return {
        symbol: Factor(
            symbol=symbol,
            code=row["code"],
            name_zh=row["name_zh"],
            name_en=row["name_en"],
            unit=row["unit"],
            decimals=row["decimals"],
            low=Fraction(str(row["low"])),
            high=Fraction(str(row["high"])),
            units={unit: Fraction(str(factor)) for unit, factor in row["units"].items()},
        )
        for symbol, row in mapping.items()
    }


@cache
def load_factors(kind: str) -> Mapping[str, Factor]:
    """Read the packaged factor table of a kind.

    Raises
    ------
    UnknownName
        When the table has no such kind.
    """
    table = yaml.safe_load(files("sensors").joinpath("data/factors.yaml").read_text(encoding="utf-8"))
    if kind not in table:
        raise UnknownName("the factor table", kind)
    return parse_factors(table[kind])
