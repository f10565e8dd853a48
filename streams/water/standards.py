"""The water pack: limits of the classes, the rules of evaluation and the trophic index as dated data.

Limits stay exact fractions in the standard's unit; `streams.water.classes` brings them to the fixed
point of whoever asks. All days are Beijing day numbers (`sensors.clock`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Final, Protocol, TypeVar

import yaml

from sensors.errors import ConfigError, UnknownName
from streams.standards import day_number, pack_hash

PACK_FILES: Final = ("gb3838.yaml", "water_evaluation.yaml", "tli.yaml")
"""The files of the water pack, in `streams/data`."""
CLASSES: Final = 5
"""Classes that a limit table has; the number after the last is worse than V."""
WORSE: Final = 6
"""劣Ⅴ."""
_SOURCED: Final = frozenset({"confirmed", "single_source", "not_seen"})


class Rule(StrEnum):
    """How a limit is to be read."""

    AT_MOST = "at_most"
    AT_LEAST = "at_least"
    RANGE = "range"
    """Inside both ends is class I, outside is worse than V."""


class Body(StrEnum):
    """Which limits of phosphorus and nitrogen hold; a registry setting."""

    RIVER = "river"
    LAKE = "lake"
    """Lakes and reservoirs."""


class Profile(StrEnum):
    """By which rules values are classed."""

    PLATFORM = "platform"
    """As the national real-time platform: five items, unrounded values, what is missing left out."""
    EVALUATION = "evaluation"
    """Of a period's means, rounded once to the evaluation decimals; every item of the method that was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemLimits:
    """One row of GB 3838-2002 table 1 or 2."""

    factor: str
    rule: Rule
    unit: str
    river: tuple[Fraction, ...]
    """Class I to V; two ends of a range; empty where rivers have no limit."""
    lake: tuple[Fraction, ...]

    def of(self, body: Body) -> tuple[Fraction, ...]:
        """Return the limits of a kind of water."""
        return self.river if body is Body.RIVER else self.lake


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassLimits:
    """One edition of GB 3838."""

    name: str
    standard: str
    start_day: int
    end_day: int | None
    items: Mapping[str, ItemLimits]
    """Table 1, in its order."""
    source_items: Mapping[str, ItemLimits]
    """Table 2: one limit each, for drinking sources."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileRule:
    """The items of a profile."""

    items: tuple[str, ...]
    rounded: bool
    of: int
    """Items that the evaluation method has: "live class, 5 of 21 items"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingName:
    """One of the five words for water."""

    rating: int
    name_zh: str
    name_en: str
    colour_zh: str
    colour_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SharesRow:
    """One row of the table that rates a river or basin."""

    rating: int
    good_at_least: Fraction | None
    worse_below: Fraction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stability:
    """The settings of a stability formula."""

    name: str
    months: int
    at_least: int
    digits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BayEntry:
    """The nitrogen target at the bay's entries."""

    factor: str
    limit: Fraction
    by_year: int
    steps: Mapping[int, Fraction]
    """Year → interim target; years that are not here are unset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A tier of drinking sources and the share of them that is to pass."""

    tier: str
    name_zh: str
    name_en: str
    share: Fraction | None
    """None: no number was set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FluxRule:
    """What is integrated, and from what share of a day on a mass is said."""

    factors: tuple[str, ...]
    flow: str
    gate: str
    at_least: Fraction
    digits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One edition of the evaluation method, with our settings where it says nothing."""

    name: str
    standard: str
    start_day: int
    end_day: int | None
    profiles: Mapping[Profile, ProfileRule]
    period_least: tuple[str, ...]
    """Items without which, where the section measures them by plan, a period has no class."""
    apart: tuple[str, ...]
    decimals: Mapping[str, int]
    multiples_over: int
    no_multiples: tuple[str, ...]
    multiple_digits: int
    main_first: tuple[str, ...]
    main_count: int
    class_texts: tuple[str, ...]
    """By class 1 to 6: Ⅰ … 劣Ⅴ."""
    class_ratings: tuple[int, ...]
    ratings: tuple[RatingName, ...]
    by_shares_from: int
    shares: tuple[SharesRow, ...]
    area_share: Fraction
    stability: Stability
    bay: BayEntry
    source_class: int
    tiers: tuple[Tier, ...]
    flux: FluxRule
    growth_gap: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class TrophicItem:
    """One parameter of the trophic index: 10 x (a + b ln c)."""

    factor: str
    unit: str
    a: float
    b: float
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrophicGrade:
    """One grade; the first whose bound holds."""

    grade: int
    below: float | None
    up_to: float | None
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trophic:
    """One edition of the trophic index."""

    name: str
    standard: str
    start_day: int
    end_day: int | None
    digits: int
    items: tuple[TrophicItem, ...]
    grades: tuple[TrophicGrade, ...]


class _Dated(Protocol):
    @property
    def start_day(self) -> int: ...
    @property
    def end_day(self) -> int | None: ...


DatedT = TypeVar("DatedT", bound=_Dated)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaterStandards:
    """The water pack: every edition, oldest first."""

    pack: str
    """First 16 hex digits of the SHA-256 of the canonical content."""
    limits: tuple[ClassLimits, ...]
    evaluations: tuple[Evaluation, ...]
    trophic: tuple[Trophic, ...]

    def limits_at(self, day: int) -> ClassLimits:
        """Return the limits in force on a Beijing day.

        Raises
        ------
        UnknownName
            When none were.
        """
        return _need(self.limits, day, "the editions of GB 3838")

    def evaluation_at(self, day: int) -> Evaluation:
        """Return the evaluation rules in force on a Beijing day.

        Raises
        ------
        UnknownName
            When none were.
        """
        return _need(self.evaluations, day, "the editions of the evaluation method")

    def trophic_at(self, day: int) -> Trophic:
        """Return the trophic index in force on a Beijing day.

        Raises
        ------
        UnknownName
            When none was.
        """
        return _need(self.trophic, day, "the editions of the trophic index")


def parse_water_standards(pack: Mapping[str, Mapping[str, Any]]) -> WaterStandards:
    """Return the standards from the mappings of `PACK_FILES`.

    Raises
    ------
    ConfigError
        When a file misses a key, has a value of the wrong kind, limits that do not descend, or
        editions that overlap or leave a gap.
    """
    limits, evaluation, trophic = PACK_FILES
    return WaterStandards(
        pack=pack_hash(pack),
        limits=_editions(pack, limits, _class_limits),
        evaluations=_editions(pack, evaluation, _evaluation),
        trophic=_editions(pack, trophic, _trophic),
    )


@cache
def load_water_standards() -> WaterStandards:
    """Read the packaged water standards.

    Raises
    ------
    ConfigError
        When a file of the pack is wrong.
    """
    folder = files("streams").joinpath("data")
    return parse_water_standards(
        {name: yaml.safe_load(folder.joinpath(name).read_text(encoding="utf-8")) for name in PACK_FILES}
    )


def _need(editions: Sequence[DatedT], day: int, table: str) -> DatedT:
    for edition in reversed(editions):
        if edition.start_day <= day and (edition.end_day is None or day <= edition.end_day):
            return edition
    raise UnknownName(table, f"day {day}")


def _editions(
    pack: Mapping[str, Mapping[str, Any]], name: str, parse: Callable[[Mapping[str, Any]], DatedT]
) -> tuple[DatedT, ...]:
    try:
        editions = tuple(parse(row) for row in pack[name]["editions"])
        for earlier, later in pairwise(editions):
            _check(earlier.end_day is not None and earlier.end_day + 1 == later.start_day, "editions with a gap")
    except (KeyError, TypeError, ValueError) as cause:
        problem = f"cannot be read: {type(cause).__name__} {cause}"
        mend = "compare it with the file as delivered"
        raise ConfigError(file=name, line=None, key="editions", problem=problem, mend=mend) from cause
    return editions


def _check(holds: bool, problem: str) -> None:  # noqa: FBT001  an assertion
    if not holds:
        raise ValueError(problem)


def _span(row: Mapping[str, Any]) -> tuple[int, int | None]:
    return day_number(row["from"]), None if row["to"] is None else day_number(row["to"])


def _exact(value: float | str) -> Fraction:
    return Fraction(str(value))


def _share(value: float | None) -> Fraction | None:
    return None if value is None else _exact(value)


def _class_limits(row: Mapping[str, Any]) -> ClassLimits:
    start, end = _span(row)
    _check({row[part]["confidence"] for part in ("classes", "source_items")} <= _SOURCED, "a confidence word")
    return ClassLimits(
        name=row["name"],
        standard=row["standard"],
        start_day=start,
        end_day=end,
        items={item["factor"]: _item(item, CLASSES) for item in row["classes"]["rows"]},
        source_items={item["factor"]: _item(item | {"at": [item["at"]]}, 1) for item in row["source_items"]["rows"]},
    )


def _item(row: Mapping[str, Any], count: int) -> ItemLimits:
    rule = Rule(row["rule"])
    river, lake = (tuple(map(_exact, row.get(body, row.get("at")) or ())) for body in Body)
    for limits in (river, lake):
        _check(len(limits) in {0, 2 if rule is Rule.RANGE else count}, f"{row['factor']} has {len(limits)} limits")
        falling = rule is Rule.AT_LEAST
        _check(all((a >= b) if falling else (a <= b) for a, b in pairwise(limits)), f"order of {row['factor']}")
    return ItemLimits(factor=row["factor"], rule=rule, unit=row["unit"], river=river, lake=lake)


def _evaluation(row: Mapping[str, Any]) -> Evaluation:
    start, end = _span(row)
    ratings, stability, flux = row["ratings"], row["stability"], row["flux"]
    _check([item["class"] for item in ratings["rows"]] == list(range(1, WORSE + 1)), "classes 1 to 6")
    return Evaluation(
        name=row["name"],
        standard=row["standard"],
        start_day=start,
        end_day=end,
        profiles={
            Profile(name): ProfileRule(items=tuple(rule["items"]), rounded=rule["rounded"], of=rule["of"])
            for name, rule in row["profiles"].items()
        },
        period_least=tuple(row["period_least"]["items"]),
        apart=tuple(row["apart"]["items"]),
        decimals=dict(row["decimals"]["rows"]),
        multiples_over=row["multiples"]["over"],
        no_multiples=tuple(row["multiples"]["none_for"]),
        multiple_digits=row["multiples"]["digits"]["value"],
        main_first=tuple(row["main_pollutants"]["first"]),
        main_count=row["main_pollutants"]["count"],
        class_texts=tuple(item["text"] for item in ratings["rows"]),
        class_ratings=tuple(item["rating"] for item in ratings["rows"]),
        ratings=tuple(RatingName(**name) for name in ratings["names"]),
        by_shares_from=row["shares"]["by_shares_from"]["value"],
        shares=tuple(_shares_row(item) for item in row["shares"]["rows"]),
        area_share=_exact(row["area_share"]["value"]),
        stability=Stability(**{name: stability[name] for name in Stability.__slots__}),
        bay=_bay(row["bay_entry"]),
        source_class=row["sources"]["class"],
        tiers=tuple(Tier(**{**tier, "share": _share(tier["share"])}) for tier in row["sources"]["tiers"]),
        flux=FluxRule(
            factors=tuple(flux["factors"]),
            flow=flux["flow"],
            gate=flux["gate"],
            at_least=_exact(flux["at_least"]),
            digits=flux["digits"],
        ),
        growth_gap=_exact(row["zero_growth"]["gap_at_most"]),
    )


def _shares_row(row: Mapping[str, Any]) -> SharesRow:
    return SharesRow(
        rating=row["rating"],
        good_at_least=_share(row.get("good_at_least")),
        worse_below=_share(row.get("worse_below")),
    )


def _bay(row: Mapping[str, Any]) -> BayEntry:
    return BayEntry(
        factor=row["factor"],
        limit=_exact(row["limit"]),
        by_year=row["by"].year,
        steps={int(year): _exact(value) for year, value in row["steps"].items()},
    )


def _trophic(row: Mapping[str, Any]) -> Trophic:
    start, end = _span(row)
    return Trophic(
        name=row["name"],
        standard=row["standard"],
        start_day=start,
        end_day=end,
        digits=row["digits"],
        items=tuple(TrophicItem(**{name: item[name] for name in TrophicItem.__slots__}) for item in row["items"]),
        grades=tuple(TrophicGrade(**{"below": None, "up_to": None, **grade}) for grade in row["grades"]),
    )
