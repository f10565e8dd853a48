"""Factors: what is measured, by which code, in which unit, how fine, and how its values become one of a longer time.

They stand in the kind's file, ``data/kinds/<kind>.yaml`` (`sensors.kinds`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Final

import msgspec

from sensors.errors import Problems, UnknownName
from sensors.yamlfile import Document, parse_yaml

EXTRA_DIGITS: Final = 2
"""A stored value is this much finer than the standard reports (design, "Numbers are integers")."""
INT32: Final = 2**31
"""A stored value lies below this, and above its negative."""


class Form(StrEnum):
    """How the values of a factor become one value of a longer time."""

    MEAN = "mean"
    """Arithmetic mean."""
    FLOW_WEIGHTED = "flow_weighted"
    """Mean weighted by the flow factor named in ``by`` (HJ 212-2017 annex D); without flow no value."""
    HYDROGEN_ION = "hydrogen_ion"
    """pH: minus the logarithm of the mean hydrogen-ion concentration."""
    VECTOR = "vector"
    """Direction in degrees, by unit vectors weighted with the speed factor named in ``by``."""
    COUNTER = "counter"
    """Cumulative count that may start again; the result is what was added."""
    SUM = "sum"
    """Sum of amounts, for example rain."""
    MAX = "max"
    """Greatest value."""
    ENERGY = "energy"
    """Level in decibel: mean of the energies (equivalent level)."""
    STATE = "state"
    """A state such as an open gate; the result is the last one."""


_SYMBOL: Final = re.compile(r"[A-Za-z][A-Za-z0-9._+-]{0,31}")
_RESERVED: Final = frozenset({"site", "start", "received", "correction", "other", "time"})
"""Columns of frames and files beside the factors."""
WEIGHTED: Final = frozenset({Form.FLOW_WEIGHTED, Form.VECTOR})
"""Forms that need another factor, named in ``by``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One thing that is measured."""

    symbol: str
    """The short name used everywhere in jianhu, for example ``PM2.5``."""
    code: str
    """HJ 212 code; empty when none is known."""
    name_zh: str
    name_en: str
    unit: str
    """Canonical unit; ``1`` for a number without one."""
    decimals: int
    """Digits after the point that the standard reports."""
    low: Fraction
    high: Fraction
    """Physical bounds in the canonical unit, both inside."""
    units: Mapping[str, Fraction]
    """Accepted unit → factor to the canonical unit."""
    form: Form = Form.MEAN
    by: str = ""
    """The flow or speed that weights it; empty for forms that need none."""
    extra: int = EXTRA_DIGITS
    """Stored digits beyond the standard's; 0 for counts."""
    also: tuple[str, ...] = ()
    """Other codes and words by which a file's header may name it."""
    optional: bool = False
    """Only some sites measure it: silence is a finding only where the site's ``measures`` lists it."""

    @property
    def digits(self) -> int:
        """Digits after the point of the stored integer."""
        return self.decimals + self.extra

    @property
    def step(self) -> int:
        """Stored units in one unit of the standard's last digit."""
        return int(10**self.extra)


Number = int | float | str
"""A number as a file writes it; a text may be a fraction such as ``1/1000``."""
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]


class Names(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A name in Chinese and in English, as a file writes it."""

    zh: Text
    en: Text


class FactorEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One factor, as the file of its kind writes it."""

    name: Names
    unit: Text
    decimals: Annotated[int, msgspec.Meta(ge=0, le=9)]
    low: Number
    high: Number
    units: Annotated[dict[str, Number], msgspec.Meta(min_length=1)]
    code: Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z][0-9A-Za-z]{5})?$")] = ""
    form: Form = Form.MEAN
    by: str = ""
    extra: Annotated[int, msgspec.Meta(ge=0, le=4)] = EXTRA_DIGITS
    also: tuple[Text, ...] = ()
    optional: bool = False


def parse_factors(document: Document, entries: Mapping[str, FactorEntry]) -> dict[str, Factor]:
    """Return the factors of one kind in the file's order.

    Raises
    ------
    ConfigError
        When bounds are upside down or do not fit the stored integer, when the canonical unit is not
        among the accepted ones or not 1, when ``by`` is missing or names no factor of the kind, or
        when two factors share a code.
    """
    codes: dict[str, str] = {}
    factors: dict[str, Factor] = {}
    problems = Problems()
    for symbol, entry in entries.items():
        with problems.kept():
            factors[symbol] = _factor(document, symbol, entry, ("factors", symbol))
            _check_by(document, entry, ("factors", symbol), entries)
            _check_words(document, symbol, entry, codes)
    problems.raise_first()
    return factors


def _check_words(document: Document, symbol: str, entry: FactorEntry, codes: dict[str, str]) -> None:
    path = ("factors", symbol)
    if _SYMBOL.fullmatch(symbol) is None or symbol in _RESERVED or symbol.endswith(".flag"):
        mend = "give letters, digits and . _ + -, up to 32, and none of " + ", ".join(sorted(_RESERVED))
        raise document.error(path, f"{symbol!r} is no name for a column", mend)
    for word in (entry.code, *entry.also):
        first = codes.setdefault(word, symbol) if word else symbol
        if first != symbol:
            raise document.error((*path, "code"), f"{word} is {first} already", "give each factor its own codes")


@cache
def packaged(kind: str) -> Document:
    """Return the file of a delivered kind.

    Raises
    ------
    UnknownName
        When no such kind is delivered.
    """
    found = files("sensors").joinpath(f"data/kinds/{kind}.yaml")
    if not kind.isidentifier() or not found.is_file():
        raise UnknownName("the folder of kinds", kind)
    return parse_yaml(found.read_text(encoding="utf-8"), f"{kind}.yaml")


@cache
def load_factors(kind: str) -> Mapping[str, Factor]:
    """Return the factors of a delivered kind in the file's order.

    Raises
    ------
    UnknownName
        When no such kind is delivered.
    """
    document = packaged(kind)
    return parse_factors(document, msgspec.convert(document.value["factors"], dict[str, FactorEntry]))


def exact(document: Document, path: tuple[str | int, ...], value: Any) -> Fraction:
    """Return a number of a file exactly.

    Raises
    ------
    ConfigError
        When it is none.
    """
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError) as cause:
        raise document.error(path, f"{value!r} is no number", "write 0.5, 12 or 1/1000") from cause


def _factor(document: Document, symbol: str, entry: FactorEntry, path: tuple[str | int, ...]) -> Factor:
    units = {unit: exact(document, (*path, "units", unit), scale) for unit, scale in entry.units.items()}
    low, high = (exact(document, (*path, name), getattr(entry, name)) for name in ("low", "high"))
    for unit, scale in units.items():
        if scale <= 0:
            raise document.error((*path, "units", unit), f"{scale} canonical units", "give a number above 0")
    if units.get(entry.unit) != 1:
        problem = f"the canonical unit {entry.unit!r} is not 1 among the accepted units"
        raise document.error((*path, "units"), problem, f"add {entry.unit}: 1")
    if low >= high:
        raise document.error((*path, "low"), f"{low} is not below high, {high}", "give bounds that leave room")
    bound = max(abs(low), abs(high)) * 10 ** (entry.decimals + entry.extra)
    if bound >= INT32:
        problem = f"±{max(abs(low), abs(high))} with {entry.decimals + entry.extra} stored digits passes 2147483647"
        mend = "give a nearer bound, a larger unit, or fewer extra digits"
        raise document.error((*path, "high" if abs(high) >= abs(low) else "low"), problem, mend)
    return Factor(
        symbol=symbol,
        code=entry.code,
        name_zh=entry.name.zh,
        name_en=entry.name.en,
        unit=entry.unit,
        decimals=entry.decimals,
        low=low,
        high=high,
        units=units,
        form=entry.form,
        by=entry.by,
        extra=entry.extra,
        also=entry.also,
        optional=entry.optional,
    )


def _check_by(
    document: Document, entry: FactorEntry, path: tuple[str | int, ...], entries: Mapping[str, FactorEntry]
) -> None:
    wanted = "the flow" if entry.form is Form.FLOW_WEIGHTED else "the speed"
    if entry.form in WEIGHTED and not entry.by:
        raise document.error((*path, "by"), f"the form {entry.form} without by", f"name {wanted} that weights it")
    if entry.form not in WEIGHTED and entry.by:
        raise document.error((*path, "by"), f"the form {entry.form} is not weighted", "remove by, or change the form")
    if entry.by and entry.by not in entries:
        problem = f"no factor {entry.by!r} in this kind"
        raise document.error((*path, "by"), problem, f"name {wanted}: one of {', '.join(entries)}")
