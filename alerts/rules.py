"""Rules: what raises an alert, as dated data that people write in YAML.

Four kinds. A *limit* of a standard, on the window for which the edition gives it. A management
*threshold* (管控值) on any window that is judged, with an author. A *level* of the AQI. *No data* of a
registered site. Only a limit may be called 超标. Dates are whole Beijing days, both inside; rules of one
id whose dates do not touch are versions of one rule.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from importlib.resources import as_file, files
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final, Literal, assert_never

import msgspec

from alerts.bounds import gives
from sensors.clock import DAY_MS, HOUR_MS, first_hour_of_day
from sensors.errors import ConfigError
from sensors.factors import Factor, load_factors
from sensors.yamlfile import Document, read_yaml
from streams.results import AQI, Window
from streams.standards import Standards

_OZONE_WINDOWS: Final = ("8h", "MDA8")


class Kind(StrEnum):
    """What a rule looks at."""

    LIMIT = "limit"
    """The limit of a standard: 超标."""
    THRESHOLD = "threshold"
    """A management threshold with an author: 超管控值, never 超标."""
    LEVEL = "level"
    """A level of the AQI in force."""
    NO_DATA = "no_data"
    """A registered site that owes a period and sent nothing, one never seen too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One version of one rule."""

    id: str
    kind: Kind
    factors: tuple[str, ...]
    """What is judged; ``AQI`` for levels and for no data."""
    window: Window
    raise_after: int
    """Periods over, in a row, that raise; unknown periods between them neither count nor break the row."""
    clear_after: int
    """Known periods not over, in a row, that clear; an unknown period breaks the row."""
    start: int
    """Milliseconds UTC of the first data it judges."""
    end: int | None
    """Milliseconds UTC, no longer inside; None while it holds."""
    sites: frozenset[str] = frozenset()
    """Sites it is meant for; empty means all."""
    threshold: Fraction | None = None
    """For a threshold: the value in the canonical unit."""
    level: int | None = None
    """For a level: the lowest level that raises, 1 to 6."""
    author: str = ""
    """Who set a threshold."""
    why: str = ""
    """Why the author set it."""
    name_zh: str = ""
    name_en: str = ""

    def holds_at(self, ms: int) -> bool:
        """Return whether this version judges data that start at an instant."""
        return self.start <= ms and (self.end is None or ms < self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All rules of a kind of network."""

    rules: tuple[Rule, ...]
    backfill_after_ms: int
    """An event that is raised on data older than this is 补录: no sound, no message, no place in "now"."""

    def versions(self, rule_id: str) -> tuple[Rule, ...]:
        """Return all versions of a rule; empty when there is none."""
        return tuple(rule for rule in self.rules if rule.id == rule_id)


_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
_Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")]
_Count = Annotated[int, msgspec.Meta(ge=1, le=168)]


class NameEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A name in Chinese and in English, as the file writes it."""

    zh: _Text
    en: _Text


class _Entry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True, tag_field="kind"):
    id: _Id
    name: NameEntry | None = None
    start: dt.date | None = msgspec.field(name="from", default=None)
    last: dt.date | None = msgspec.field(name="to", default=None)
    raise_after: _Count = 1
    clear_after: _Count = 1
    sites: tuple[_Text, ...] = ()


class LimitEntry(_Entry, tag=Kind.LIMIT.value, frozen=True, kw_only=True):
    """A limit of a standard, as the file writes it; the value comes from the standard."""

    factors: Annotated[tuple[_Text, ...], msgspec.Meta(min_length=1)]
    window: Literal["1h", "24h", "MDA8"]


class ThresholdEntry(_Entry, tag=Kind.THRESHOLD.value, frozen=True, kw_only=True):
    """A management threshold, as the file writes it."""

    factor: _Text
    window: Literal["1h", "8h", "24h_running", "24h", "MDA8"]
    value: Annotated[int, msgspec.Meta(gt=0)] | Annotated[float, msgspec.Meta(gt=0)]
    unit: _Text
    author: _Text
    why: _Text


class LevelEntry(_Entry, tag=Kind.LEVEL.value, frozen=True, kw_only=True):
    """A level of the AQI, as the file writes it."""

    window: Literal["1h", "24h"]
    level: Annotated[int, msgspec.Meta(ge=2, le=6)]


class NoDataEntry(_Entry, tag=Kind.NO_DATA.value, frozen=True, kw_only=True):
    """No data, as the file writes it."""


Entry = LimitEntry | ThresholdEntry | LevelEntry | NoDataEntry


class RulesFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A whole rules file, as it is written."""

    kind: Literal["air"]
    backfill_after_hours: Annotated[int, msgspec.Meta(ge=1, le=8784)]
    rules: Annotated[tuple[Entry, ...], msgspec.Meta(min_length=1)]


def load_rules(path: Path | None = None, standards: Standards | None = None) -> Rules:
    """Read a rules file, by default the one that comes with the package.

    Raises
    ------
    ConfigError
        When it is not there or wrong: with file, line, key, problem and what to do.
    """
    if path is not None:
        return parse_rules(read_yaml(path), standards)
    with as_file(files("alerts").joinpath("data/rules.yaml")) as packaged:
        return parse_rules(read_yaml(packaged), standards)


def parse_rules(document: Document, standards: Standards | None = None) -> Rules:
    """Return the rules that a document says; with ``standards``, each limit rule must have one.

    Raises
    ------
    ConfigError
        When a key is unknown, missing, of a wrong type or out of bounds; when a factor, unit or window does
        not fit; when versions of one rule overlap or are of two kinds; when no standard gives the limit.
    """
    file = document.read_as(RulesFile)
    factors = load_factors(file.kind)
    rules = [_rule(_Reading(document, place, factors, standards), entry) for place, entry in enumerate(file.rules)]
    _check_versions(document, rules)
    return Rules(rules=tuple(rules), backfill_after_ms=file.backfill_after_hours * HOUR_MS)


@dataclass(frozen=True, slots=True)
class _Reading:
    """One rule as it is read: where an error points at, and what it may name."""

    document: Document
    index: int
    factors: Mapping[str, Factor]
    standards: Standards | None

    def error(self, key: str | tuple[str | int, ...], problem: str, mend: str) -> ConfigError:
        path = (key,) if isinstance(key, str) else key
        return self.document.error(("rules", self.index, *path), problem, mend)

    def factor(self, name: str, key: str | tuple[str | int, ...]) -> Factor:
        if name not in self.factors:
            raise self.error(key, f"no factor {name!r}", f"name one of {', '.join(self.factors)}")
        return self.factors[name]


def _rule(reading: _Reading, entry: Entry) -> Rule:
    start, end = _span(reading, entry)
    rule = Rule(
        id=entry.id,
        kind=Kind.NO_DATA,
        factors=(AQI,),
        window=Window.HOUR,
        raise_after=entry.raise_after,
        clear_after=entry.clear_after,
        start=start,
        end=end,
        sites=frozenset(entry.sites),
        name_zh=entry.name.zh if entry.name else "",
        name_en=entry.name.en if entry.name else "",
    )
    match entry:
        case LimitEntry():
            _check_limit(reading, entry)
            return replace(rule, kind=Kind.LIMIT, factors=entry.factors, window=Window(entry.window))
        case ThresholdEntry():
            value, window = _threshold(reading, entry), Window(entry.window)
            signed = replace(rule, author=entry.author, why=entry.why)
            return replace(signed, kind=Kind.THRESHOLD, factors=(entry.factor,), window=window, threshold=value)
        case LevelEntry():
            return replace(rule, kind=Kind.LEVEL, window=Window(entry.window), level=entry.level)
        case NoDataEntry():
            return rule
    assert_never(entry)


def _check_limit(reading: _Reading, entry: LimitEntry) -> None:
    for place, name in enumerate(entry.factors):
        reading.factor(name, ("factors", place))
        if reading.standards is not None and not gives(reading.standards, name, entry.window):
            mend = "name the window for which the standard has one, or write a threshold with an author"
            raise reading.error(("factors", place), f"no edition limits {name} on {entry.window}", mend)


def _threshold(reading: _Reading, entry: ThresholdEntry) -> Fraction:
    factor = reading.factor(entry.factor, "factor")
    if entry.window in _OZONE_WINDOWS and entry.factor != "O3":
        raise reading.error("window", f"{entry.window} is a window of O3 alone", "name 1h, 24h_running or 24h")
    if entry.unit not in factor.units:
        raise reading.error("unit", f"{entry.unit!r} is no unit of {entry.factor}", f"write it in {factor.unit}")
    if not math.isfinite(entry.value):
        raise reading.error("value", f"{entry.value} is no number", "give a number")
    return Fraction(str(entry.value)) * factor.units[entry.unit]


def _span(reading: _Reading, entry: Entry) -> tuple[int, int | None]:
    if entry.start is not None and entry.last is not None and entry.last < entry.start:
        mend = "give the last day on which it holds"
        raise reading.error("to", f"{entry.last} lies before {entry.start}", mend)
    start = 0 if entry.start is None else _day_start(entry.start)
    return start, None if entry.last is None else _day_start(entry.last) + DAY_MS


def _day_start(day: dt.date) -> int:
    return first_hour_of_day((day - dt.date(1970, 1, 1)).days) * HOUR_MS


def _check_versions(document: Document, rules: Sequence[Rule]) -> None:
    order = sorted(range(len(rules)), key=lambda index: (rules[index].id, rules[index].start))
    for before, after in pairwise(order):
        earlier, later = rules[before], rules[after]
        if earlier.id != later.id:
            continue
        if (earlier.kind, earlier.window) != (later.kind, later.window):
            problem = f"{later.id} is a {earlier.kind} on {earlier.window} before"
            raise document.error(("rules", after, "id"), problem, "give a rule of another kind or window another id")
        if earlier.end is None or earlier.end > later.start:
            mend = "end the earlier version (to) on the day before this one begins (from), or give another id"
            raise document.error(("rules", after, "id"), f"{later.id} holds already at that time", mend)
