"""Facts: what a site's ``setting`` may say, by the file of its kind, and the check of it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any, Protocol

from sensors.yamlfile import Document


class FactType(StrEnum):
    """What one entry of a site's ``setting`` is."""

    CHOICE = "choice"
    CHOICES = "choices"
    """A list of choices, each once."""
    FLAG = "flag"
    """true or false."""
    NUMBER = "number"
    SITE = "site"
    """The id of a site of the same registry."""
    TEXT = "text"
    """Words for people, such as the owner's name or the permit's number."""
    BY_FACTOR = "by_factor"
    """Factor → choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One entry that a site's ``setting`` may or must have."""

    name: str
    type: FactType
    choices: tuple[str, ...]
    needed: bool
    nullable: bool
    """Whether null is allowed, for what was never set."""
    unit: str
    """Of a number; else empty."""
    low: Fraction | None
    high: Fraction | None


class Asking(Protocol):
    """A kind, as far as its facts go."""

    @property
    def facts(self) -> Mapping[str, Fact]:
        """What a site may or must say."""

    @property
    def factors(self) -> Collection[str]:
        """Symbols of its factors."""


def check_setting(
    document: Document,
    path: tuple[str | int, ...],
    setting: Mapping[str, Any],
    kind: Asking,
) -> dict[str, Any]:
    """Return a site's ``setting`` as its kind's facts allow it.

    A choice is text, also where the file writes a plain number; a list is a tuple; a number is a float. What is
    not given is not there; null stays None.

    Parameters
    ----------
    document, path
        The registry's file, and where the setting stands in it.
    setting
        What stands there.
    kind
        Gives the facts, and the factors that they may name.

    Raises
    ------
    ConfigError
        When an entry is unknown, missing, of a wrong type, or out of bounds.
    """
    facts, factors = kind.facts, kind.factors
    for name, fact in facts.items():
        if fact.needed and name not in setting:
            raise document.error((*path, name), "missing", f"add this key: {_wanted(fact)}")
    checked: dict[str, Any] = {}
    for name, value in setting.items():
        if name not in facts:
            mend = f"give only {', '.join(facts)}" if facts else "remove it: this kind asks for no setting"
            raise document.error((*path, name), "unknown key", mend)
        fact = facts[name]
        try:
            checked[name] = None if value is None and fact.nullable else _checked(fact, value, factors)
        except ValueError as cause:
            problem = f"{fact.type} {value!r}"
            raise document.error((*path, name), problem, f"give {_wanted(fact)}") from cause
    return checked


def _checked(fact: Fact, value: Any, factors: Collection[str]) -> Any:
    """Return a value as its fact wants it; ValueError when it does not."""
    match fact.type:
        case FactType.CHOICE:
            return _one_of(value, fact.choices)
        case FactType.CHOICES:
            return _each_once(value, fact.choices)
        case FactType.BY_FACTOR if isinstance(value, dict):
            return {_one_of(factor, factors): _one_of(choice, fact.choices) for factor, choice in value.items()}
        case FactType.FLAG if isinstance(value, bool):
            return value
        case FactType.NUMBER if isinstance(value, int | float) and not isinstance(value, bool):
            return _in_bounds(fact, value)
        case FactType.SITE | FactType.TEXT if isinstance(value, str) and value.strip():
            return value
        case _:
            raise ValueError(value)


def _one_of(value: Any, choices: Collection[str]) -> str:
    if isinstance(value, str | int) and not isinstance(value, bool) and str(value) in choices:
        return str(value)
    raise ValueError(value)


def _each_once(value: Any, choices: Collection[str]) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(value)  # noqa: TRY004  told by the caller in one form
    found = tuple(_one_of(item, choices) for item in value)
    if len(set(found)) < len(found):
        raise ValueError(value)
    return found


def _in_bounds(fact: Fact, value: float) -> float:
    if (
        not math.isfinite(value)
        or (fact.low is not None and value < fact.low)
        or (fact.high is not None and value > fact.high)
    ):
        raise ValueError(value)
    return float(value)


def _wanted(fact: Fact) -> str:
    """Return in words what a fact takes."""
    match fact.type:
        case FactType.CHOICE:
            words = f"one of {', '.join(fact.choices)}"
        case FactType.CHOICES:
            words = f"a list of {', '.join(fact.choices)}, each once"
        case FactType.BY_FACTOR:
            words = f"a mapping of factor to one of {', '.join(fact.choices)}"
        case FactType.FLAG:
            words = "true or false"
        case FactType.NUMBER:
            bounds = [f"{word} {bound}" for word, bound in (("from", fact.low), ("to", fact.high)) if bound is not None]
            words = " ".join(["a number in", fact.unit, *bounds])
        case FactType.SITE:
            words = "the id of a site of this registry"
        case FactType.TEXT:
            words = "a text"
    return f"{words}, or null" if fact.nullable else words
