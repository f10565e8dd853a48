"""Bounds: what a value was held against, and on whose word."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from streams.standards import IndexEdition, Limit, Standards


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What a value is held against; a value *over* it raises, an equal one does not."""

    value: int
    """Fixed point: ``value / 10**digits`` in the factor's canonical unit, or an AQI."""
    digits: int
    standard: str
    """The standard, for example ``GB 3095-2026``; empty for a management threshold."""
    table: str
    """Table of the standard; empty when none is named."""
    clause: str
    """Clause of the standard; for a threshold the reason that its author gives."""
    edition: str
    """The dated set of limits or the index edition; empty for a management threshold."""
    author: str = ""
    """Who set a management threshold; empty for a standard."""
    author_en: str = ""
    """The author as English texts name it; empty where no translation was given."""
    clause_en: str = ""
    """The clause or reason in English, likewise."""
    why: str = ""
    """Why a judgement is worth no more than a hint, see `streams.discharge.applied.Why`; else empty."""
    ranged: bool = False
    """Whether it is an end of a range, of which no multiple is made."""
    below: bool = False
    """Whether a value *below* it raises, and an equal one does not: a minimum."""

    def at_digits(self, digits: int) -> Fraction:
        """Return the bound in units of ``10**-digits``."""
        if digits >= self.digits:
            return Fraction(self.value * 10 ** (digits - self.digits))
        return Fraction(self.value, 10 ** (self.digits - digits))


def limit_bound(limit: Limit) -> Bound:
    """Return a limit of a standard as a bound."""
    return Bound(
        value=limit.value,
        digits=limit.digits,
        standard=limit.standard,
        table=limit.table,
        clause=limit.clause,
        edition=limit.edition,
    )


def level_bound(edition: IndexEdition, level: int) -> Bound | None:
    """Return the greatest AQI that is not yet of a level; None when the edition has no such level."""
    found = next((step for step in edition.levels if step.level == level), None)
    if found is None:
        return None
    return Bound(value=found.start - 1, digits=0, standard=edition.standard, table="", clause="", edition=edition.name)


def gives(standards: Standards, factor: str, window: str, first: int | None = None, last: int | None = None) -> bool:
    """Return whether an edition holds a limit for a factor and window in any zone, on any day of a span.

    Parameters
    ----------
    first, last
        Beijing days, both inside; None for no bound.
    """
    return any(
        (held, judged) == (factor, window)
        for edition in standards.limit_editions
        if (last is None or edition.start_day <= last)
        and (first is None or edition.end_day is None or first <= edition.end_day)
        for held, judged, _ in edition.cells
    )
