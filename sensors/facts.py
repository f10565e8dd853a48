"""Facts: what a site's ``setting`` may say, by the file of its kind, and the check of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


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
    FACTORS = "factors"
    """A list of factors of the kind, each once."""
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
