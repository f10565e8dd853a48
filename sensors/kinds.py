"""Kinds: what a network of sites measures and how it is judged, as data.

A kind is a YAML file (``data/kinds/<name>.yaml`` of this package, or ``kinds/<name>.yaml`` of a
configuration folder): factors, cadence, windows, completeness, evaluations, quality tests, facts of
a site's ``setting``, seasons. A new kind needs no code.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, TypeVar

from sensors.errors import Problems, UnknownName
from sensors.factors import Factor, FactorEntry, Form, packaged, parse_factors
from sensors.facts import Fact, FactType
from sensors.kindfile import (
    PERIOD_MS,
    FactEntry,
    KindFile,
    SeasonEntry,
    TestEntry,
    WindowEntry,
    kind_schema,
)
from sensors.kindparts import DayRange, Periods, QualityTest, Season, fact_of, season_of, test_of, window_of
from sensors.tablefile import TableEntry
from sensors.tables import TruthTable, table_of
from sensors.windows import Confidence, Needs, Span, Statistic, WindowSpec
from sensors.yamlfile import Document, Parts, read_yaml

__all__ = [
    "Confidence", "DayRange", "Fact", "FactType", "Form", "Kind", "Needs", "QualityTest", "Season", "Span", "Statistic",
    "WindowSpec", "kind_names", "kind_schema", "load_kind", "parse_kind",
]  # fmt: skip

_Path = tuple[str | int, ...]
_Entry = TypeVar("_Entry")
_Part = TypeVar("_Part")
_MEND: Final = "give what sensors/data/kind.schema.json allows"
COMBINATION: Final = "combination"
"""The evaluation that reads a kind's tables (`streams.combining`)."""
_PARTS: Final[Mapping[str, Any]] = {
    "factors": FactorEntry, "windows": WindowEntry, "quality": TestEntry, "setting": FactEntry, "seasons": SeasonEntry,
    "tables": TableEntry,
}  # fmt: skip


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
    tables: tuple[TruthTable, ...]
    """What the evaluation ``combination`` says of each slot."""

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
    if kind.name in kind_names():
        _check_kept(document, kind, _load_packaged(kind.name))
    return kind


def _check_kept(document: Document, kind: Kind, delivered: Kind) -> None:
    """Check that a file in place of a delivered kind keeps what stored values mean."""
    for symbol, factor in delivered.factors.items():
        own = kind.factors.get(symbol)
        if own is None or (own.unit, own.digits) != (factor.unit, factor.digits):
            problem = f"the delivered kind {kind.name} has {symbol} in {factor.unit} with {factor.digits} stored digits"
            raise document.error(("factors", symbol), problem, "keep its unit and digits, or give the kind a new name")


@lru_cache(maxsize=64)
def _load_packaged(name: str) -> Kind:
    return parse_kind(packaged(name))


def parse_kind(
    document: Document,
    evaluations: Collection[str] | None = None,
    period_evaluations: Collection[str] | None = None,
) -> Kind:
    """Return the kind that a document says.

    Parameters
    ----------
    document
        A kind file.
    evaluations, period_evaluations
        Names of the evaluations of each stage that exist; None leaves them unchecked.

    Raises
    ------
    ConfigError
        When a key is unknown, missing or of a wrong type, or when something that it names (a window,
        factor, unit, season, test, evaluation) does not exist.
    """
    problems = Problems()
    file, places = document.read_parts(KindFile, _PARTS, _MEND, problems)
    periods = Periods(slot_ms=PERIOD_MS[file.slot], fine_ms=PERIOD_MS[file.fine])
    if periods.slot_ms % periods.fine_ms:
        with problems.kept():
            raise document.error("fine", f"{file.fine} does not divide the slot {file.slot}", "give a period that does")
    factors: Mapping[str, Factor] = {}
    with problems.kept():
        factors = parse_factors(document, file.factors)
    reading = _Reading(document=document, file=file, places=places, periods=periods, factors=factors, problems=problems)
    kind = _kind_of(reading)
    _check(reading, kind)
    for key, names, known in (
        ("evaluations", file.evaluations, evaluations),
        ("period_evaluations", file.period_evaluations, period_evaluations),
    ):
        with problems.kept():
            _check_known(document, key, names, names if known is None else sorted(known))
    problems.raise_first()
    return kind


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """A kind file that is being read, and what was found wrong with it until now."""

    document: Document
    file: KindFile
    places: Parts
    periods: Periods
    factors: Mapping[str, Factor]
    """Those that are right: none where one is wrong."""
    problems: Problems

    @property
    def symbols(self) -> Mapping[str, object]:
        """Return the factors that the file names, right or wrong."""
        named: Mapping[str, object] = self.document.value["factors"]
        return named

    @property
    def whole(self) -> bool:
        """Tell whether all factors are right; where not, what rests on them would be told twice."""
        return len(self.factors) == len(self.symbols)

    def each(self, key: str, entries: Sequence[_Entry], made_of: Callable[[_Entry, _Path], _Part]) -> tuple[_Part, ...]:
        """Return what is made of the entries of a key; problems are kept, and cost their entry only."""
        made = []
        for place, entry in zip(self.places[key], entries, strict=False):
            with self.problems.kept():
                made.append(made_of(entry, (key, place)))
        return tuple(made)


def _kind_of(reading: _Reading) -> Kind:
    """Return the kind of what is right in a file."""
    document, file, factors = reading.document, reading.file, reading.factors
    periods = reading.periods
    settings = tuple(file.setting.values())
    kind = Kind(
        name=file.kind,
        name_zh=file.name.zh,
        name_en=file.name.en,
        slot_ms=periods.slot_ms,
        fine_ms=periods.fine_ms,
        round_slots=file.round_slots,
        zoned=file.zoned,
        own_days=file.own_days,
        classes=file.classes,
        factors=factors,
        windows=reading.each(
            "windows",
            file.windows,
            lambda entry, path: window_of(document, entry, path, periods, reading.symbols),
        ),
        evaluations=file.evaluations,
        period_evaluations=file.period_evaluations,
        area_windows=file.area_windows,
        quality=reading.each(
            "quality",
            file.quality if reading.whole else (),
            lambda entry, path: test_of(document, entry, path, factors),
        ),
        facts={
            f.name: f for f in reading.each("setting", settings, lambda entry, path: fact_of(document, entry, path))
        },
        seasons=reading.each("seasons", file.seasons, lambda entry, path: season_of(document, entry, path)),
        tables=(),
    )
    if not reading.whole or len(kind.facts) < len(file.setting):
        return kind
    made = reading.each("tables", file.tables, lambda entry, path: table_of(document, entry, path, factors, kind.facts))
    return replace(kind, tables=made)


def _check(reading: _Reading, kind: Kind) -> None:
    """Check what spans several keys of the file."""
    document, problems = reading.document, reading.problems
    with problems.kept():
        _check_tables(document, reading.file)
    with problems.kept():
        _check_windows(document, reading.file, reading.places["windows"])
    with problems.kept():
        _check_names(document, kind)


def _check_names(document: Document, kind: Kind) -> None:
    """Check what refers to another part of the file, and what must not stand twice."""
    windows = [str(entry.get("name")) for entry in document.value["windows"] if isinstance(entry, dict)]
    _check_known(document, "area_windows", kind.area_windows, dict.fromkeys(windows))
    _check_known(document, "classes", kind.classes, dict.fromkeys(kind.classes))


def _check_tables(document: Document, file: KindFile) -> None:
    """Check that each table has an id of its own, and that somebody reads them."""
    ids = [table.id for table in file.tables]
    for place, name in enumerate(ids):
        if name in ids[:place]:
            raise document.error(("tables", place, "id"), f"{name} is given twice", "give another id")
    given = bool(document.value.get("tables"))
    if given != (COMBINATION in file.evaluations):
        problem = "tables that nothing reads" if given else f"{COMBINATION} without tables"
        mend = f"give both tables and the evaluation {COMBINATION}, or neither"
        raise document.error("tables" if given else "evaluations", problem, mend)


def _check_windows(document: Document, file: KindFile, places: tuple[int, ...]) -> None:
    """Check that seasons are there, and that no window of a factor stands twice."""
    seasons = [season.id for season in file.seasons]
    for index, season in enumerate(seasons):
        if season in seasons[:index]:
            raise document.error(("seasons", index, "id"), f"{season!r} is given twice", "give another id")
    seen: dict[tuple[str, str], int] = {}
    for place, window in zip(places, file.windows, strict=True):
        path = ("windows", place, "name")
        season = window.name.removeprefix("season.").partition("_")[0]
        if window.name.startswith("season.") and season not in seasons:
            mend = f"add it to seasons, or name one of {', '.join(seasons)}" if seasons else "add it to seasons"
            raise document.error(path, f"no season {season!r} in this kind", mend)
        for factor in file.factors if window.factors is None else window.factors:
            first = seen.setdefault((window.name, factor), place)
            if first != place:
                problem = f"{window.name} of {factor} stands already in line {document.line_of(('windows', first))}"
                raise document.error(path, problem, "remove one, or name other factors")


_NOUNS: Final = {
    "area_windows": "window", "evaluations": "evaluation", "period_evaluations": "evaluation", "classes": "class",
}  # fmt: skip


def _check_known(document: Document, key: str, names: tuple[str, ...], known: Collection[str]) -> None:
    for index, name in enumerate(names):
        if name not in known:
            problem = f"no {_NOUNS[key]} {name!r}"
            raise document.error((key, index), problem, f"name one of {', '.join(known)}")
        if name in names[:index]:
            raise document.error((key, index), f"{name} is named twice", "remove one")
