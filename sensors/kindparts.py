"""Parts of a kind: windows, quality tests, facts and seasons, from the entries of its file."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from sensors.clock import DAY_MS, HOUR_MS, MINUTE_MS, day_number
from sensors.factors import Factor, exact
from sensors.facts import Fact, FactType
from sensors.kindfile import FactEntry, NeedsEntry, SeasonEntry, TestEntry, WindowEntry
from sensors.windows import LONG, Confidence, Needs, Span, WindowSpec, parse_window
from sensors.yamlfile import Document

Path = tuple[str | int, ...]
SLOT_RULES: Final = (
    "hour_minutes", "particle_hour_minutes", "o3_8h_hours", "running_24h_hours", "day_hours", "mda8_windows",
)  # fmt: skip
"""Dated counts of the pack hj663 for windows up to a day."""
DAY_RULES: Final = ("month_days", "year_days")
"""Dated counts of days for longer windows."""
_LEAP_YEAR: Final = 2024


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityTest:
    """One automatic test; it only ever marks suspect."""

    test: str
    factors: tuple[str, ...]
    numbers: Mapping[str, Fraction]
    """In the canonical unit of ``factors[0]``, or plain counts of slots."""
    source: str
    """Whose numbers they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRange:
    """Days of every year, both inside; runs over the new year where the last is before the first."""

    first: tuple[int, int]
    """Month and day."""
    last: tuple[int, int]

    def contains(self, month: int, day: int) -> bool:
        """Return whether a day of the year lies in the range."""
        here = (month, day)
        if self.first <= self.last:
            return self.first <= here <= self.last
        return here >= self.first or here <= self.last


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """Part of the year in which something is watched; two may overlap."""

    id: str
    name_zh: str
    name_en: str
    ranges: tuple[DayRange, ...]
    author: str
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """The base window of a kind and the finest period of its readings."""

    slot_ms: int
    fine_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Test:
    """What a quality test is written with."""

    quantities: tuple[str, ...]
    """Numbers with the unit of the factors."""
    counts: tuple[str, ...]
    """Numbers of slots."""
    factors: int | None
    """How many it compares; None for any number, each tested alone."""
    optional: tuple[str, ...] = ()
    """Quantities that may be left out."""


TESTS: Final[Mapping[str, _Test]] = {
    "gross_range": _Test(quantities=("low", "high"), counts=(), factors=None),
    "spike": _Test(quantities=("height",), counts=(), factors=None),
    "rate_of_change": _Test(quantities=("per_slot",), counts=(), factors=None),
    "flat_line": _Test(quantities=("within",), counts=("slots",), factors=None, optional=("above",)),
    "greater_than": _Test(quantities=("by",), counts=(), factors=2),
}
"""The quality tests (`sensors.quality`), as a kind file writes them."""


def window_of(
    document: Document, entry: WindowEntry, path: Path, periods: Periods, factors: Collection[str]
) -> WindowSpec:
    """Return the window that an entry of ``windows`` says; `sensors.windows` reads its name.

    Parameters
    ----------
    document, path
        Where the entry stands, for errors.
    entry
        As the file writes it.
    periods
        Slot and finest period of the kind.
    factors
        Symbols of the kind's factors; all of them where the entry names none.

    Raises
    ------
    ConfigError
        When the window, a factor or the completeness cannot be.
    """
    try:
        span, length, statistic, percentile, season = parse_window(entry.name, periods.slot_ms, periods.fine_ms)
    except ValueError as cause:
        slot = f"{periods.slot_ms // HOUR_MS}h"
        mend = f"name one of {slot}, 24h, month, quarter, year, running_year, season.<id>, with _max, _min, _sum, _p98"
        raise document.error((*path, "name"), f"unknown window {entry.name!r}: {cause}", mend) from cause
    if entry.of and span not in LONG:
        raise document.error((*path, "of"), f"{entry.name} is not made of days", "remove it")
    names = tuple(factors) if entry.factors is None else entry.factors
    _check_factors(document, names, (*path, "factors"), factors)
    needs = tuple(_needs(document, item, (*path, "needs", index)) for index, item in enumerate(entry.needs))
    most, rules = _most(span, length, periods), DAY_RULES if span in LONG else SLOT_RULES
    for index, item in enumerate(needs):
        if item.rule and item.rule not in rules:
            problem = f"no rule {item.rule!r} for {entry.name}"
            raise document.error((*path, "needs", index, "rule"), problem, f"name one of {', '.join(rules)}")
        if item.at_least is not None and item.at_least > most:
            problem = f"at least {item.at_least}, where {entry.name} holds at most {most}"
            raise document.error((*path, "needs", index, "at_least"), problem, f"give 1 to {most}")
    days = [-(10**9) if item.start_day is None else item.start_day for item in needs]
    if days != sorted(set(days)):
        raise document.error((*path, "needs"), "dates out of order or twice", "order them by from, the oldest first")
    return WindowSpec(
        name=entry.name,
        span=span,
        length=length,
        statistic=statistic,
        percentile=percentile,
        factors=names,
        needs=needs,
        step=entry.step,
        season=season,
        of=(entry.of or "24h") if span in LONG else "",
    )


def _most(span: Span, length: int, periods: Periods) -> int:
    """Return how many values of the next shorter time a window can hold."""
    match span:
        case Span.FINE:
            return length * MINUTE_MS // periods.fine_ms
        case Span.SLOT:
            return periods.slot_ms // periods.fine_ms
        case Span.RUNNING:
            return length
        case Span.DAY:
            return DAY_MS // periods.slot_ms
        case Span.MONTH | Span.QUARTER:
            return 31 if span is Span.MONTH else 92
        case Span.YEAR | Span.RUNNING_YEAR | Span.SEASON:
            return 366


def _needs(document: Document, entry: NeedsEntry, path: Path) -> Needs:
    given = [name for name in ("at_least", "share", "rule") if getattr(entry, name) is not None]
    if len(given) != 1:
        problem = f"{' and '.join(given) or 'none'} of at_least, share, rule"
        raise document.error(path, problem, "give exactly one: a count, a share such as 0.75, or a row of the pack")
    share = None if entry.share is None else exact(document, (*path, "share"), entry.share)
    if share is not None and not 0 < share <= 1:
        raise document.error(
            (*path, "share"), f"a share of {entry.share}", "give one above 0, at most 1: 0.75 for 75 %"
        )
    return Needs(
        start_day=None if entry.start is None else day_number(entry.start),
        at_least=entry.at_least,
        share=share,
        rule=entry.rule or "",
        source=entry.source,
        confidence=entry.confidence,
    )


def test_of(document: Document, entry: TestEntry, path: Path, factors: Mapping[str, Factor]) -> QualityTest:
    """Return the quality test that an entry of ``quality`` says.

    Raises
    ------
    ConfigError
        When the test, a factor or a number is unknown, missing, or without a unit.
    """
    form = TESTS.get(entry.test)
    if form is None:
        problem = f"unknown quality test {entry.test!r}"
        raise document.error((*path, "test"), problem, f"name one of {', '.join(TESTS)}")
    _check_factors(document, entry.factors, (*path, "factors"), factors)
    if form.factors is not None and len(entry.factors) != form.factors:
        problem = f"{len(entry.factors)} factors for {entry.test}"
        raise document.error((*path, "factors"), problem, f"name exactly {form.factors}")
    wanted = (*form.quantities, *form.counts)
    for name in wanted:
        if name not in entry.numbers:
            raise document.error((*path, "numbers", name), "missing", "add this key")
    numbers: dict[str, Fraction] = {}
    for name, value in entry.numbers.items():
        here = (*path, "numbers", name)
        if name not in wanted and name not in form.optional:
            raise document.error(here, "unknown key", f"give {', '.join((*wanted, *form.optional))}")
        if name in form.counts:
            numbers[name] = exact(document, here, value)
            if numbers[name].denominator != 1 or numbers[name] < 1:
                raise document.error(here, f"{value!r} slots", "give a whole number from 1")
        else:
            numbers[name] = _quantity(document, here, value, [factors[symbol] for symbol in entry.factors])
    return QualityTest(test=entry.test, factors=entry.factors, numbers=numbers, source=entry.source)


def _quantity(document: Document, path: Path, value: object, factors: list[Factor]) -> Fraction:
    """Return a number with its unit in the canonical unit of all these factors."""
    number, _, unit = str(value).strip().partition(" ")
    if not unit:
        known = ", ".join(factors[0].units)
        raise document.error(path, f"{value!r} without a unit", f"write the unit behind the number: one of {known}")
    found = {(factor.unit, factor.units.get(unit)) for factor in factors}
    if len(found) != 1 or None in {scale for _, scale in found}:
        symbols = ", ".join(factor.symbol for factor in factors)
        problem = f"{unit!r} is not one accepted unit of {symbols} alike"
        raise document.error(path, problem, "give a unit that all of them have, or write a test for each")
    return exact(document, path, number) * (factors[0].units[unit])


def fact_of(document: Document, entry: FactEntry, path: Path) -> Fact:
    """Return the fact that an entry of ``setting`` says.

    Raises
    ------
    ConfigError
        When choices or unit do not go with its type.
    """
    chosen = entry.type in {FactType.CHOICE, FactType.CHOICES, FactType.BY_FACTOR}
    if chosen != bool(entry.choices):
        problem = f"the type {entry.type} with {len(entry.choices)} choices"
        raise document.error((*path, "choices"), problem, "give choices to a choice, and to nothing else")
    if (entry.type is FactType.NUMBER) != bool(entry.unit):
        raise document.error(
            (*path, "unit"),
            f"the type {entry.type} with unit {entry.unit!r}",
            "give every number, and nothing else, a unit",
        )
    return Fact(
        name=str(path[-1]),
        type=entry.type,
        choices=entry.choices,
        needed=entry.needed,
        nullable=entry.nullable,
        unit=entry.unit,
        low=None if entry.low is None else exact(document, (*path, "low"), entry.low),
        high=None if entry.high is None else exact(document, (*path, "high"), entry.high),
    )


def season_of(document: Document, entry: SeasonEntry, path: Path) -> Season:
    """Return the season that an entry of ``seasons`` says.

    Raises
    ------
    ConfigError
        When a day is in no year.
    """

    def month_day(text: str, index: int, key: str) -> tuple[int, int]:
        month, day = int(text[:2]), int(text[3:])
        if day > monthrange(_LEAP_YEAR, month)[1]:
            raise document.error((*path, "days", index, key), f"{text} is no day", "give month-day, such as 03-31")
        return month, day

    return Season(
        id=entry.id,
        name_zh=entry.name.zh,
        name_en=entry.name.en,
        ranges=tuple(
            DayRange(first=month_day(days.first, index, "from"), last=month_day(days.last, index, "to"))
            for index, days in enumerate(entry.days)
        ),
        author=entry.author,
        source=entry.source,
        confidence=entry.confidence,
    )


def _check_factors(document: Document, names: tuple[str, ...], path: Path, factors: Collection[str]) -> None:
    for index, name in enumerate(names):
        if name not in factors:
            problem = f"no factor {name!r} in this kind"
            raise document.error((*path, index), problem, f"name one of {', '.join(factors)}")
        if name in names[:index]:
            raise document.error((*path, index), f"{name} is named twice", "remove one")
