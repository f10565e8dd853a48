"""Targets: what a plan promises of an area, with direction, kind, base, year, definition and place in its document.

A configuration's ``targets.yaml`` says them (``data/targets.schema.json``). A plan may promise a number, a word
(kept stable, basically eliminated), or what was assigned from above and never put into a number: that is *unset*, and
counts neither as met nor as missed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import msgspec

from sensors.errors import Problems
from sensors.factors import Names, Number, Text, exact
from sensors.yamlfile import Document, read_yaml

_MEND: Final = "give what streams/data/targets.schema.json allows"


class Direction(StrEnum):
    """What a target asks of a value."""

    AT_MOST = "<="
    AT_LEAST = ">="
    BELOW = "<"
    ABOVE = ">"
    EQUAL = "="
    NOT_LOWER = "not_lower"
    """不降低, 不减少: at least the base."""
    STABLE = "stable"
    """保持稳定: within ``tolerance`` of the base; without a tolerance a person says so."""
    RISING = "rising"
    """稳定提高: each year above the one before."""
    ELIMINATED = "eliminated"
    """全面消除: none."""
    BASICALLY_ELIMINATED = "basically_eliminated"
    """基本消除: none is met; of a few a person says so."""
    YES = "yes"
    """Done or not done: 1 or 0."""


_COMPARE: Final[Mapping[Direction, Callable[[Fraction, Fraction], bool]]] = {
    Direction.AT_MOST: operator.le,
    Direction.AT_LEAST: operator.ge,
    Direction.BELOW: operator.lt,
    Direction.ABOVE: operator.gt,
    Direction.EQUAL: operator.eq,
}
NUMERIC: Final = frozenset(_COMPARE)
"""Directions that need a number, or to be assigned."""
_LOWER_IS_BETTER: Final = frozenset({Direction.AT_MOST, Direction.BELOW})


class Nature(StrEnum):
    """How binding a target is."""

    BINDING = "binding"
    """约束性."""
    EXPECTED = "expected"
    """预期性."""
    NONE = "none"
    """The document has no such column."""


class Standing(StrEnum):
    """How a value stands to a target."""

    MET = "met"
    MISSED = "missed"
    UNSET = "unset"
    """The target, or the base that it refers to, was never put into a number."""
    JUDGED = "judged_by_a_person"
    """The target is a word that no number decides."""
    NO_VALUE = "no_value"
    """Nothing to hold against it."""


class FigureEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A published figure, as the file writes it."""

    value: Number | None = None
    values: tuple[Number, ...] = ()
    year: int | None = None
    basis: str = ""
    definition: str = ""
    document: str = ""
    place: str = ""
    estimated: bool = False
    derived: bool = False


class DocumentEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A document, as the file writes it."""

    id: Text
    title: Text
    note: str = ""


class TargetEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One target, as the file writes it."""

    id: Text
    region: Text
    area: str | None = None
    indicator: Names
    measure: str = ""
    unit: Text
    nature: Nature
    direction: Direction
    assigned: bool = False
    value: Number | None = None
    values: tuple[Number, ...] = ()
    by_region: dict[Text, Number] = {}
    tolerance: Number | None = None
    year: int | None = None
    bases: tuple[FigureEntry, ...] = ()
    published: tuple[FigureEntry, ...] = ()
    definition: str = ""
    document: Text
    place: str = ""


class TargetFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A whole file of targets, as it is written."""

    documents: tuple[DocumentEntry, ...]
    targets: tuple[TargetEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A value that a document gives; of several that disagree all are kept."""

    value: Fraction | None
    values: tuple[Fraction, ...]
    """Of an indicator of several parts; else empty."""
    year: int | None
    basis: str
    """What it is of, where that is not one year, for example ``mean 2016-2020``."""
    definition: str
    """口径: how it was counted."""
    document: str
    place: str
    estimated: bool
    derived: bool
    """Arithmetic on what a document says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One promise of a plan."""

    id: str
    region: str
    area: str | None
    """Of the registry; None where it has none."""
    indicator_zh: str
    indicator_en: str
    measure: str
    """What is held against it, for example ``PM2.5`` or ``good_share``; empty where nothing here measures it."""
    unit: str
    nature: Nature
    direction: Direction
    assigned: bool
    """完成下达任务: the number was to come from above and is not in the document."""
    value: Fraction | None
    values: tuple[Fraction, ...]
    by_region: Mapping[str, Fraction]
    """Region → number; ``*`` for all others."""
    tolerance: Fraction | None
    year: int | None
    bases: tuple[Figure, ...]
    published: tuple[Figure, ...]
    definition: str
    document: str
    place: str

    @property
    def base(self) -> Fraction | None:
        """The base: that of the newest single year; of none, the last one given; None where none is."""
        years = [figure for figure in self.bases if figure.value is not None and figure.year is not None]
        given = [figure for figure in self.bases if figure.value is not None]
        newest = max(years, key=lambda figure: figure.year or 0, default=given[-1] if given else None)
        return None if newest is None else newest.value

    @property
    def regression(self) -> bool:
        """Whether it is looser than its base, so that it could be met by getting worse."""
        if self.base is None or self.value is None or self.direction not in NUMERIC - {Direction.EQUAL}:
            return False
        return self.value > self.base if self.direction in _LOWER_IS_BETTER else self.value < self.base

    def figures(self, year: int) -> tuple[Figure, ...]:
        """Return everything that was published for a year, each with its definition."""
        return tuple(figure for figure in (*self.bases, *self.published) if figure.year == year)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A value held against a target."""

    standing: Standing
    gap: Fraction | None
    """Value minus target; None where the target is no number."""
    regression: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """All targets of a configuration."""

    rows: tuple[Target, ...] = ()
    documents: Mapping[str, str] | None = None
    """Short name → title."""

    def of(self, areas: Iterable[str], measure: str) -> tuple[Target, ...]:
        """Return the targets of a measure: those of the first of these areas that has any."""
        for area in areas:
            found = tuple(row for row in self.rows if row.area == area and row.measure == measure)
            if found:
                return found
        return ()


NO_TARGETS: Final = Targets()
"""None given."""


def judge_target(
    target: Target,
    value: Fraction | None,
    *,
    region: str = "",
    parts: tuple[Fraction, ...] = (),
    before: Fraction | None = None,
) -> Judged:
    """Hold a value against a target.

    Parameters
    ----------
    target
        What is asked.
    value
        In the target's unit; None where there is none.
    region
        For targets that differ by region.
    parts
        For targets of several parts: all must be reached.
    before
        The year before, for `Direction.RISING`.
    """
    asked = target.by_region.get(region, target.by_region.get("*", target.value))
    if target.values:
        return _judged_parts(target, parts)
    gap = None if value is None or asked is None else value - asked
    standing = Standing.NO_VALUE if value is None else _standing(target, value, asked, before)
    if target.assigned and asked is None:
        standing = Standing.UNSET
    return Judged(standing=standing, gap=gap, regression=target.regression)


def _standing(  # noqa: PLR0911  one answer for each direction
    target: Target, value: Fraction, asked: Fraction | None, before: Fraction | None
) -> Standing:
    if target.direction in NUMERIC:
        return Standing.UNSET if asked is None else _met(_COMPARE[target.direction](value, asked))
    base = target.base
    match target.direction:
        case Direction.RISING:
            return Standing.UNSET if before is None else _met(value > before)
        case Direction.NOT_LOWER:
            return Standing.UNSET if base is None else _met(value >= base)
        case Direction.STABLE:
            if target.tolerance is None:
                return Standing.JUDGED
            return Standing.UNSET if base is None else _met(abs(value - base) <= target.tolerance)
        case Direction.BASICALLY_ELIMINATED:
            return Standing.MET if value == 0 else Standing.JUDGED
        case Direction.ELIMINATED:
            return _met(value == 0)
        case _:
            return _met(value == 1)


def _judged_parts(target: Target, parts: tuple[Fraction, ...]) -> Judged:
    if len(parts) != len(target.values):
        return Judged(standing=Standing.NO_VALUE, gap=None, regression=False)
    every = [_standing(target, part, asked, None) for part, asked in zip(parts, target.values, strict=True)]
    return Judged(standing=_met(all(one is Standing.MET for one in every)), gap=None, regression=False)


def _met(met: bool) -> Standing:  # noqa: FBT001  the answer of a comparison
    return Standing.MET if met else Standing.MISSED


def load_targets(path: Path, areas: Collection[str] | None = None) -> Targets:
    """Read a file of targets.

    Parameters
    ----------
    path
        ``targets.yaml`` of a configuration.
    areas
        Ids that the registry knows; None leaves them unchecked.

    Raises
    ------
    ConfigError
        When it is not there or wrong: with file, line, key, problem and what to do.
    """
    return parse_targets(read_yaml(path), areas)


def parse_targets(document: Document, areas: Collection[str] | None = None) -> Targets:
    """Return the targets that a document says.

    Raises
    ------
    ConfigError
        When a key is unknown, missing or of a wrong type; when an id stands twice, a document or area is unknown, a
        direction lacks the number that it needs, or has one that it cannot use. All that is wrong is looked at: the
        first is raised, with the others in ``further``.
    """
    file = document.read_as(TargetFile, mend=_MEND)
    problems = Problems()
    titles = {entry.id: entry.title for entry in file.documents}
    seen: dict[str, int] = {}
    rows = []
    for index, entry in enumerate(file.targets):
        path = ("targets", index)
        with problems.kept():
            _check(document, entry, path, titles)
            first = seen.setdefault(entry.id, index)
            if first != index:
                problem = f"{entry.id} stands already in line {document.line_of(('targets', first))}"
                raise document.error((*path, "id"), problem, "give another id")
            if areas is not None and entry.area is not None and entry.area not in areas:
                problem = f"the registry has no area {entry.area!r}"
                raise document.error((*path, "area"), problem, "name one of its areas, or leave the key out")
            rows.append(_target(document, entry, path))
    problems.raise_first()
    return Targets(rows=tuple(rows), documents=titles)


def targets_schema() -> dict[str, Any]:
    """Return the JSON schema of a file of targets; ``data/targets.schema.json`` is this, written down."""
    (reference,), parts = msgspec.json.schema_components([TargetFile], ref_template="#/$defs/{name}")
    schema: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "jianhu targets"}
    written: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(schema | reference | {"$defs": parts}))
    return written


def _check(document: Document, entry: TargetEntry, path: tuple[str | int, ...], titles: Mapping[str, str]) -> None:
    """Check what a target says against itself."""
    given = {"value": entry.value is not None, "values": bool(entry.values), "by_region": bool(entry.by_region)}
    numbers = [name for name, there in given.items() if there]
    if entry.direction in NUMERIC and not numbers and not entry.assigned:
        problem = f"the direction {entry.direction} without a number"
        mend = "give value, values or by_region; or assigned: true where the number was to come from above"
        raise document.error((*path, "direction"), problem, mend)
    if entry.direction not in NUMERIC and numbers:
        problem = f"{numbers[0]} with the direction {entry.direction}"
        raise document.error((*path, numbers[0]), problem, "remove the number, or write <=, >=, <, > or =")
    if entry.assigned and numbers:
        raise document.error((*path, "assigned"), f"assigned, and {numbers[0]} given", "give one of the two")
    if len(numbers) > 1:
        raise document.error((*path, numbers[1]), f"{' and '.join(numbers)}", "give one of them")
    for name in (entry.document, *(figure.document for figure in (*entry.bases, *entry.published))):
        if name and name not in titles:
            problem = f"no document {name!r}"
            raise document.error((*path, "document"), problem, f"name one of {', '.join(titles)}, or add it")


def _target(document: Document, entry: TargetEntry, path: tuple[str | int, ...]) -> Target:
    def number(key: str, value: Number | None) -> Fraction | None:
        return None if value is None else _number(document, (*path, key), value, entry.unit)

    return Target(
        id=entry.id,
        region=entry.region,
        area=entry.area,
        indicator_zh=entry.indicator.zh,
        indicator_en=entry.indicator.en,
        measure=entry.measure,
        unit=entry.unit,
        nature=entry.nature,
        direction=entry.direction,
        assigned=entry.assigned,
        value=number("value", entry.value),
        values=tuple(exact(document, (*path, "values"), value) for value in entry.values),
        by_region={name: exact(document, (*path, "by_region", name), v) for name, v in entry.by_region.items()},
        tolerance=number("tolerance", entry.tolerance),
        year=entry.year,
        bases=tuple(_figure(document, f, (*path, "bases", i), entry) for i, f in enumerate(entry.bases)),
        published=tuple(_figure(document, f, (*path, "published", i), entry) for i, f in enumerate(entry.published)),
        definition=entry.definition,
        document=entry.document,
        place=entry.place,
    )


def _number(document: Document, path: tuple[str | int, ...], value: Number, unit: str) -> Fraction:
    found = exact(document, path, value)
    if unit == "%" and abs(found) > 100:  # noqa: PLR2004  percent
        raise document.error(path, f"{value} %", "give percent between -100 and 100, or another unit")
    return found


def _figure(document: Document, entry: FigureEntry, path: tuple[str | int, ...], target: TargetEntry) -> Figure:
    if entry.value is None and not entry.values:
        raise document.error(path, "a figure without a value", "give value or values, or remove it")
    return Figure(
        value=None if entry.value is None else exact(document, (*path, "value"), entry.value),
        values=tuple(exact(document, (*path, "values"), value) for value in entry.values),
        year=entry.year,
        basis=entry.basis,
        definition=entry.definition,
        document=entry.document or target.document,
        place=entry.place,
        estimated=entry.estimated,
        derived=entry.derived,
    )
