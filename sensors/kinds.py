"""Kinds: what a network of sites measures and how it is judged, as data.

A kind is a YAML file (``data/kinds/<name>.yaml`` of this package, or ``kinds/<name>.yaml`` of a
configuration folder): factors, cadence, windows, completeness, evaluations, quality tests, facts of
a site's ``setting``, seasons. A new kind needs no code.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from sensors.clock import day_number
from sensors.errors import UnknownName
from sensors.factors import Factor, Form, exact, packaged, parse_factors
from sensors.facts import Fact, FactType
from sensors.kindfile import (
    PERIOD_MS,
    FactEntry,
    KindFile,
    NeedsEntry,
    SeasonEntry,
    TestEntry,
    WindowEntry,
    kind_schema,
)
from sensors.windows import LONG, Confidence, Needs, Span, Statistic, WindowSpec, parse_window
from sensors.yamlfile import Document, read_yaml

__all__ = [
    "Confidence", "DayRange", "Fact", "FactType", "Form", "Kind", "Needs", "QualityTest", "Season", "Span", "Statistic",
    "WindowSpec", "kind_names", "kind_schema", "load_kind", "parse_kind",
]  # fmt: skip

_Path = tuple[str | int, ...]


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
class Kind:
    """What a network of sites measures and how it is judged."""

    name: str
    name_zh: str
    name_en: str
    slot_ms: int
    """Base window, aligned to the Beijing day."""
    fine_ms: int
    """Finest period of readings; `slot_ms` where there is none finer."""
    round_slots: bool
    """Whether slots are rounded to the reported digit before any other mean is taken of them."""
    zoned: bool
    """Whether its sites have a function class of GB 3095 (`sensors.registry.Site.zone`)."""
    own_days: bool
    """Whether sources may send day values of their own."""
    classes: tuple[str, ...]
    factors: Mapping[str, Factor]
    windows: tuple[WindowSpec, ...]
    evaluations: tuple[str, ...]
    """Of the first stage, by name (`streams.judging.registered`)."""
    period_evaluations: tuple[str, ...]
    """Of the second stage: months, years, areas."""
    area_windows: tuple[str, ...]
    """Windows of sites that go to the second stage besides the days."""
    quality: tuple[QualityTest, ...]
    facts: Mapping[str, Fact]
    seasons: tuple[Season, ...]

    def window(self, name: str) -> WindowSpec:
        """Return the window of a name.

        Raises
        ------
        UnknownName
            When the kind has none.
        """
        for window in self.windows:
            if window.name == name:
                return window
        raise UnknownName(f"the kind {self.name}", name)

    def of_span(self, span: Span) -> tuple[WindowSpec, ...]:
        """Return the windows of a span in the file's order."""
        return tuple(window for window in self.windows if window.span is span)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Test:
    """What a quality test is written with."""

    quantities: tuple[str, ...]
    """Numbers with the unit of the factors."""
    counts: tuple[str, ...]
    """Numbers of slots."""
    factors: int | None
    """How many it compares; None for any number, each tested alone."""


TESTS: Final[Mapping[str, _Test]] = {
    "gross_range": _Test(quantities=("low", "high"), counts=(), factors=None),
    "spike": _Test(quantities=("height",), counts=(), factors=None),
    "rate_of_change": _Test(quantities=("per_slot",), counts=(), factors=None),
    "flat_line": _Test(quantities=("within",), counts=("slots",), factors=None),
    "greater_than": _Test(quantities=("by",), counts=(), factors=2),
}
"""The quality tests (`sensors.quality`), as a kind file writes them."""


def load_kind(name: str, folder: Path | None = None) -> Kind:
    """Return a kind by its name.

    Parameters
    ----------
    name
        For example ``water``.
    folder
        Folder of kind files (``kinds`` of a configuration); a file there goes before a delivered one.

    Raises
    ------
    UnknownName
        When there is none.
    ConfigError
        When its file is wrong.
    """
    own = None if folder is None else folder / f"{name}.yaml"
    if own is not None and name.isidentifier() and own.is_file():
        return _load_own(own, own.stat().st_mtime_ns)
    return _load_packaged(name)


def kind_names(folder: Path | None = None) -> tuple[str, ...]:
    """Return the names of all kinds, delivered and of a folder of kind files, in order."""
    delivered = {file.name.removesuffix(".yaml") for file in files("sensors").joinpath("data/kinds").iterdir()}
    own = set() if folder is None or not folder.is_dir() else {path.stem for path in folder.glob("*.yaml")}
    return tuple(sorted(delivered | own))


@lru_cache(maxsize=64)
def _load_own(path: Path, _changed_ns: int) -> Kind:
    document = read_yaml(path)
    kind = parse_kind(document)
    if kind.name != path.stem:
        raise document.error("kind", f"{kind.name!r} in a file called {path.name}", f"name the file {kind.name}.yaml")
    return kind


@lru_cache(maxsize=64)
def _load_packaged(name: str) -> Kind:
    return parse_kind(packaged(name))


def parse_kind(document: Document, evaluations: Collection[str] | None = None) -> Kind:
    """Return the kind that a document says.

    Parameters
    ----------
    document
        A kind file.
    evaluations
        Names of the evaluations that exist; None leaves them unchecked.

    Raises
    ------
    ConfigError
        When a key is unknown, missing or of a wrong type, or when something that it names (a window,
        factor, unit, season, test, evaluation) does not exist.
    """
    file = document.read_as(KindFile, mend="give what sensors/data/kind.schema.json allows")
    slot_ms, fine_ms = PERIOD_MS[file.slot], PERIOD_MS[file.fine]
    if slot_ms % fine_ms:
        raise document.error("fine", f"{file.fine} does not divide the slot {file.slot}", "give a period that does")
    factors = parse_factors(document, file.factors)
    seasons = tuple(_season(entry) for entry in file.seasons)
    kind = Kind(
        name=file.kind,
        name_zh=file.name.zh,
        name_en=file.name.en,
        slot_ms=slot_ms,
        fine_ms=fine_ms,
        round_slots=file.round_slots,
        zoned=file.zoned,
        own_days=file.own_days,
        classes=file.classes,
        factors=factors,
        windows=tuple(
            _window(document, entry, ("windows", index), file, factors) for index, entry in enumerate(file.windows)
        ),
        evaluations=file.evaluations,
        period_evaluations=file.period_evaluations,
        area_windows=file.area_windows,
        quality=tuple(_test(document, entry, ("quality", index), factors) for index, entry in enumerate(file.quality)),
        facts={name: _fact(document, name, entry) for name, entry in file.setting.items()},
        seasons=seasons,
    )
    _check_names(document, kind, evaluations)
    return kind


def _window(
    document: Document, entry: WindowEntry, path: _Path, file: KindFile, factors: Mapping[str, Factor]
) -> WindowSpec:
    try:
        span, length, statistic, percentile, season = parse_window(
            entry.name, PERIOD_MS[file.slot], PERIOD_MS[file.fine]
        )
    except ValueError as cause:
        mend = f"name one of {file.slot}, 24h, month, quarter, year, running_year, season.<id>; _max, _min, _sum, _p98"
        raise document.error((*path, "name"), f"unknown window {entry.name!r}: {cause}", mend) from cause
    if entry.of and span not in LONG:
        raise document.error((*path, "of"), f"{entry.name} is not made of days", "remove it")
    names = tuple(factors) if entry.factors is None else entry.factors
    _check_factors(document, names, (*path, "factors"), factors)
    needs = tuple(_needs(document, item, (*path, "needs", index)) for index, item in enumerate(entry.needs))
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


def _needs(document: Document, entry: NeedsEntry, path: _Path) -> Needs:
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


def _test(document: Document, entry: TestEntry, path: _Path, factors: Mapping[str, Factor]) -> QualityTest:
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
        if name not in wanted:
            raise document.error(here, "unknown key", f"give {', '.join(wanted)}")
        if name in form.counts:
            numbers[name] = exact(document, here, value)
            if numbers[name].denominator != 1 or numbers[name] < 1:
                raise document.error(here, f"{value!r} slots", "give a whole number from 1")
        else:
            numbers[name] = _quantity(document, here, value, [factors[symbol] for symbol in entry.factors])
    return QualityTest(test=entry.test, factors=entry.factors, numbers=numbers, source=entry.source)


def _quantity(document: Document, path: _Path, value: object, factors: list[Factor]) -> Fraction:
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


def _fact(document: Document, name: str, entry: FactEntry) -> Fact:
    path = ("setting", name)
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
        name=name,
        type=entry.type,
        choices=entry.choices,
        needed=entry.needed,
        nullable=entry.nullable,
        unit=entry.unit,
        low=None if entry.low is None else exact(document, (*path, "low"), entry.low),
        high=None if entry.high is None else exact(document, (*path, "high"), entry.high),
    )


def _season(entry: SeasonEntry) -> Season:
    def month_day(text: str) -> tuple[int, int]:
        return int(text[:2]), int(text[3:])

    return Season(
        id=entry.id,
        name_zh=entry.name.zh,
        name_en=entry.name.en,
        ranges=tuple(DayRange(first=month_day(days.first), last=month_day(days.last)) for days in entry.days),
        author=entry.author,
        source=entry.source,
        confidence=entry.confidence,
    )


def _check_factors(document: Document, names: tuple[str, ...], path: _Path, factors: Mapping[str, Factor]) -> None:
    for index, name in enumerate(names):
        if name not in factors:
            problem = f"no factor {name!r} in this kind"
            raise document.error((*path, index), problem, f"name one of {', '.join(factors)}")
        if name in names[:index]:
            raise document.error((*path, index), f"{name} is named twice", "remove one")


def _check_names(document: Document, kind: Kind, evaluations: Collection[str] | None) -> None:
    """Check what refers to another part of the file, and what must not stand twice."""
    _check_windows(document, kind)
    _check_known(document, "area_windows", kind.area_windows, {window.name: None for window in kind.windows})
    for key in ("evaluations", "period_evaluations"):
        names: tuple[str, ...] = getattr(kind, key)
        _check_known(document, key, names, dict.fromkeys(names if evaluations is None else sorted(evaluations)))
    _check_known(document, "classes", kind.classes, dict.fromkeys(kind.classes))


def _check_windows(document: Document, kind: Kind) -> None:
    seasons = [season.id for season in kind.seasons]
    for index, season in enumerate(seasons):
        if season in seasons[:index]:
            raise document.error(("seasons", index, "id"), f"{season!r} is given twice", "give another id")
    seen: dict[tuple[str, str], int] = {}
    for index, window in enumerate(kind.windows):
        path = ("windows", index, "name")
        if window.season and window.season not in seasons:
            problem = f"no season {window.season!r} in this kind"
            raise document.error(path, problem, f"add it to seasons, or name one of {', '.join(seasons)}")
        for factor in window.factors:
            first = seen.setdefault((window.name, factor), index)
            if first != index:
                problem = f"{window.name} of {factor} stands already in line {document.line_of(('windows', first))}"
                raise document.error(path, problem, "remove one, or name other factors")


def _check_known(document: Document, key: str, names: tuple[str, ...], known: Mapping[str, None]) -> None:
    for index, name in enumerate(names):
        if name not in known:
            problem = f"nothing is called {name!r} here"
            raise document.error((key, index), problem, f"name one of {', '.join(known) or 'nothing: leave it out'}")
        if name in names[:index]:
            raise document.error((key, index), f"{name} is named twice", "remove one")
