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
    "load": ("kg", 1),
    "volume": ("m³", 0),
    "flux": ("kg", 1),
    "quota": ("kg", 1),
    "exhaustion": ("d", 0),
    "cut": ("%", 2),
    "yoy": ("%", 2),
    "base": ("%", 2),
    "good_share": ("%", 2),
    "share_good": ("%", 2),
    "share_V": ("%", 2),
    "share_worse_V": ("%", 2),
}
"""What a measure ends with → unit and digits that pages show."""
_BEFORE: Final = ("rank", "broken")
"""What stands before the measure that it is about."""
_OF_SITE: Final = "volume"
"""What is of a whole site, whatever factor it is made of."""
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
    head, _, rest = symbol.partition(".")
    if head in _BEFORE and rest:
        return _made_of(kind, symbol, (head, rest), digits, words)
    base, _, end = symbol.rpartition(".")
    if end == LIMIT[1:] and base in kind.factors:
        return _of_factor(kind.factors[base], symbol)
    return _made_of(kind, symbol, (base, end), digits, words)


def _made_of(
    kind: Kind, symbol: str, parts: tuple[str, str], digits: int, words: Callable[[Language, str], str]
) -> Measure:
    """Return what is made of a factor or of another measure, named by both; a volume is that of the site."""

    def named(language: Language, joint: str) -> str:
        first, last = parts
        if first in _BEFORE:
            told = [words(language, first), measure_of(kind, last, digits, words).name(language)]
        elif first and last != _OF_SITE:
            told = [measure_of(kind, first, digits, words).name(language), words(language, last)]
        else:
            told = [words(language, last)]
        return joint.join(told)

    unit, decimals = _MADE.get(parts[1], ("", min(digits, _MOST_DECIMALS)))
    return Measure(
        symbol=symbol, name_zh=named(Language.ZH, ""), name_en=named(Language.EN, " "), unit=unit, decimals=decimals
    )


def _of_factor(factor: Factor, symbol: str) -> Measure:
    unit = "" if factor.unit == "1" else factor.unit
    return Measure(symbol=symbol, name_zh=factor.name_zh, name_en=factor.name_en, unit=unit, decimals=factor.decimals)
