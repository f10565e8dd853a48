"""Which column of a sheet is which factor: by symbol, name in two languages or HJ 212 code, with or without unit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from jianhu.sheet import wrong_sheet
from sensors.factors import Factor
from sensors.layouts import plain_unit

_BRACKETS: Final = re.compile(r"[(\[（【]\s*([^)\]）】]*?)\s*[)\]）】]")
_MORE_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "wtemp": ("temperature", "water_temp"),
    "pH": ("pH值",),
    "CODMn": ("permanganate", "KMnO4", "IMn"),
    "NH3-N": ("NH4-N", "氨氮NH3-N", "ammonia"),
    "TP": ("总磷P",),
    "TN": ("总氮N",),
    "Chla": ("叶绿素", "叶绿素α", "chl_a", "chlorophyll"),
    "SD": ("secchi",),
    "Cr6": ("铬(六价)", "铬（六价）", "Cr(VI)", "CrVI"),
    "volatile_phenol": ("挥发性酚",),
    "LAS": ("阴离子表面活性剂LAS",),
    "faecal_coliform": ("粪大肠菌群数",),
    "fluoride": ("氟化物F-",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a sheet that holds a factor."""

    name: str
    """The header as it stands."""
    word: str
    """The header without brackets: what people call the item in their table."""
    factor: Factor
    scale: Fraction
    """Canonical units in one unit of the column."""


def factor_columns(
    names: Sequence[str], factors: Mapping[str, Factor], file: str, *, needed: Sequence[str], line: int = 1
) -> dict[str, Column]:
    """Return the columns of those factors that a sheet has, by symbol, in the order of the factors.

    Parameters
    ----------
    names
        The header.
    factors
        What is looked for.
    file, line
        The sheet and its header's line, for errors.
    needed
        Symbols without which the sheet is of no use.

    Raises
    ------
    ConfigError
        When a factor has two columns, a needed one has none, or a unit is not known.
    """
    by_word = {_key(word): symbol for symbol, factor in factors.items() for word in _words(factor)}
    found: dict[str, Column] = {}
    for name in names:
        word = _BRACKETS.sub("", name).strip()
        symbol = by_word.get(_key(word)) or by_word.get(_key(name))
        if symbol is None:
            continue
        if symbol in found:
            problem = f"the header has {found[symbol].name} and {name}"
            raise wrong_sheet(file, line, symbol, problem, "leave one of them, or rename it")
        factor = factors[symbol]
        found[symbol] = Column(name=name, word=word, factor=factor, scale=_scale(name, factor, file, line))
    lacking = [f"{symbol} ({factors[symbol].name_zh})" for symbol in needed if symbol not in found]
    if lacking:
        mend = f"name it in the header; it has {', '.join(names)}"
        raise wrong_sheet(file, line, ", ".join(lacking), "the column is missing", mend)
    return {symbol: found[symbol] for symbol in factors if symbol in found}


def refuse_taken(names: Sequence[str], added: Sequence[str], file: str, line: int = 1) -> None:
    """Refuse a sheet that has a column which the result adds.

    Raises
    ------
    ConfigError
        When it has.
    """
    taken = [name for name in added if name in names]
    if taken:
        problem = "the result would have this column twice"
        raise wrong_sheet(file, line, ", ".join(taken), problem, "rename it in the input")


def _words(factor: Factor) -> tuple[str, ...]:
    words = (factor.symbol, factor.name_zh, factor.name_en, factor.code, *_MORE_WORDS.get(factor.symbol, ()))
    return tuple(word for word in words if word)


def _key(word: str) -> str:
    return re.sub(r"[\s_\-]", "", word).casefold()


def _scale(name: str, factor: Factor, file: str, line: int) -> Fraction:
    units = {_unit_key(unit): scale for unit, scale in factor.units.items()}
    own = {_key(word) for word in _words(factor)}
    for text in _BRACKETS.findall(name):
        if _unit_key(text) in units:
            return units[_unit_key(text)]
        # 氨氮(NH3-N) names the item again, 总磷(以P计) the element.
        if text and not {_key(text), _key(name)} & own and not text.startswith("以"):
            mend = f"use one of {', '.join(factor.units)}"
            raise wrong_sheet(file, line, name, f"the unit {text!r} is not known", mend)
    return Fraction(1)


def _unit_key(unit: str) -> str:
    return re.sub(r"^[uU](?=[gS])", "µ", plain_unit(unit)).replace("·", "").casefold()
