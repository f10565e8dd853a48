"""What a result row is about, in words: name, unit and digits of a factor, measured or made of measured ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from alerts.derived import derived_factors
from alerts.texts import Language
from sensors.factors import Factor
from sensors.kinds import Kind

LIMIT: Final = ".limit"
"""Follows a factor in the names of values that were held against limits (`streams.discharge.limiting`)."""
_MADE: Final[Mapping[str, tuple[str, int]]] = {
    ".load": ("kg", 1),
    ".volume": ("m³", 0),
    ".flux": ("kg", 1),
}
"""What follows a factor in the names of sums → unit and digits that pages show."""
_MOST_DECIMALS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One thing that results are about."""

    symbol: str
    """The factor of the rows."""
    name_zh: str
    name_en: str
    unit: str
    """Empty for a number without one."""
    decimals: int
    """Digits after the point that pages show."""

    def name(self, language: Language) -> str:
        """Return the name in a language."""
        return self.name_zh if language is Language.ZH else self.name_en


def measure_of(kind: Kind, symbol: str, digits: int, words: Callable[[Language, str], str]) -> Measure:
    """Return what rows of a factor are about.

    Parameters
    ----------
    symbol
        The factor of the rows.
    digits
        Of their values; shown as they are, at most two, where nobody said better.
    words
        Gives the name of what evaluations make: a key ``measure.…`` of the catalogue, or the symbol itself.
    """
    known = kind.factors.get(symbol) or derived_factors(kind).get(symbol)
    if known is not None:
        return _of_factor(known, symbol)
    base, dot, end = symbol.rpartition(".")
    factor = kind.factors.get(base)
    if factor is not None and dot + end == LIMIT:
        return _of_factor(factor, symbol)
    zh, en = (words(language, end if factor is not None else symbol) for language in (Language.ZH, Language.EN))
    if factor is None or dot + end not in _MADE:
        return Measure(symbol=symbol, name_zh=zh, name_en=en, unit="", decimals=min(digits, _MOST_DECIMALS))
    unit, decimals = _MADE[dot + end]
    named = factor if end != "volume" else None
    return Measure(
        symbol=symbol,
        name_zh=f"{factor.name_zh}{zh}" if named else zh,
        name_en=f"{factor.name_en} {en}" if named else en,
        unit=unit,
        decimals=decimals,
    )


def _of_factor(factor: Factor, symbol: str) -> Measure:
    unit = "" if factor.unit == "1" else factor.unit
    return Measure(symbol=symbol, name_zh=factor.name_zh, name_en=factor.name_en, unit=unit, decimals=factor.decimals)
