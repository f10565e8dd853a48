"""Rules: what raises an alert, as dated data that people write in YAML; each judges one kind of readings.

Only a *limit* of a standard or permit is called 超标; a management *threshold* (管控值) has an author. Dates are
whole Beijing days, both inside; rules of one id whose dates do not touch are versions of one rule.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from importlib.resources import as_file, files
from itertools import pairwise
from pathlib import Path
from typing import Final, assert_never

from alerts.bounds import gives
from alerts.derived import derived_factors
from alerts.periods import Cadence
from alerts.rulefile import (
    AIR,
    ClassEntry,
    CommonEntry,
    Entry,
    FindingEntry,
    LevelEntry,
    LimitEntry,
    MinimumEntry,
    NameEntry,
    NoDataEntry,
    QuotaEntry,
    RulesFile,
    ThresholdEntry,
    ZoneEntry,
)
from sensors.clock import DAY_MS, HOUR_MS, first_hour_of_day
from sensors.errors import ConfigError, UnknownName
from sensors.factors import Factor
from sensors.kinds import Kind as Network
from sensors.kinds import load_kind
from sensors.windows import Span
from sensors.yamlfile import Document, read_yaml
from streams.results import AQI
from streams.standards import Standards

ANY_FACTOR: Final = "*"
"""The factor of series that are about a site as a whole."""
WATER_CLASS: Final = "class"
OVER_TARGET: Final = "over_target"
"""The factor names of rows of a class, and of what is over the site's own target."""
YEAR: Final = "year"
_OZONE_WINDOWS: Final = ("8h", "MDA8")
_AIR_WINDOWS: Final = ("1h", "8h", "24h_running", "24h", "MDA8")
NetworkOf = Callable[[str], Network]
"""Gives a kind of readings by its name, or raises `UnknownName`."""


class Kind(StrEnum):
    """What a rule looks at."""

    LIMIT = "limit"
    """The limit of an air standard: 超标."""
    THRESHOLD = "threshold"
    """A management threshold with an author: 超管控值, never 超标."""
    LEVEL = "level"
    """A level of the AQI in force."""
    CLASS = "class"
    """A class of water quality: worse than the site's own target, or a given one or worse."""
    FINDING = "finding"
    """What the limits of discharge say: 超标, as finding or hint, or near a limit (预警)."""
    QUOTA = "quota"
    """A share of the yearly quota that is used up."""
    MINIMUM = "minimum"
    """Below a minimum of the site's setting, for example the ecological flow."""
    ZONE = "zone"
    """A limit by the zone of a site and by day and night: noise."""
    NO_DATA = "no_data"
    """A registered site that owes a period and sent nothing, one never seen too."""


class Reach(StrEnum):
    """How far a finding went."""

    OVER = "over"
    NEAR = "near"
    """80 or 90 % of a limit: 预警, a level of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneLimits:
    """Limits by zone for day and night, with the standard that gives them."""

    setting: str
    """Entry of the site's setting that holds its zone."""
    day: Mapping[str, Fraction]
    night: Mapping[str, Fraction]
    standard: str
    table: str
    clause: str
    hint: bool
    """Whether the window is not the one for which the limits are written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One version of one rule."""

    id: str
    kind: Kind
    factors: tuple[str, ...]
    """What is judged; ``AQI`` for levels and for no data of air; empty where every factor is."""
    window: str
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
    """For a threshold: the value in the canonical unit; for a quota the share of it."""
    level: int | None = None
    """For a level or class: the lowest that raises, 1 to 6."""
    author: str = ""
    """Who set a threshold."""
    why: str = ""
    """Why the author set it."""
    name_zh: str = ""
    name_en: str = ""
    network: str = AIR
    """The kind of readings that it judges."""
    classes: frozenset[str] = frozenset()
    """Station classes it is meant for; empty means all."""
    where: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Entries of a site's setting → what they must be one of, for example the layer of a VOCs point."""
    priority: int = 3
    """1 urgent, 2 severe, 3 ordinary, 4 early warning."""
    confirm_after: int = 1
    """Periods over that make it certain; before it is to be re-measured (待复测)."""
    setting: str = ""
    """For a minimum: the entry of the site's setting; for a class ``target``, or empty when `level` is meant."""
    zones: ZoneLimits | None = None
    reach: Reach = Reach.OVER
    windows: frozenset[str] = frozenset()
    """For findings: the windows it looks at, all of one length."""
    author_en: str = ""
    why_en: str = ""
    slot_ms: int = HOUR_MS
    """Slot of the kind of readings."""
    backfill_after_ms: int | None = None
    """Its own age of 补录; None for the file's."""
    cadence: Cadence = field(init=False, default=Cadence.HOUR)

    def __post_init__(self) -> None:
        object.__setattr__(self, "cadence", Cadence.of(self.window, self.slot_ms))

    @property
    def judges_slots(self) -> bool:
        """Whether its window is a slot or finer, so that a device over its range raises at once."""
        return Cadence.is_mean(self.window) and self.cadence.length_ms <= self.slot_ms

    def holds_at(self, ms: int) -> bool:
        """Return whether this version judges data that start at an instant."""
        return self.start <= ms and (self.end is None or ms < self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All rules of a system."""

    rules: tuple[Rule, ...]
    backfill_after_ms: int
    """An event that is raised on data older than this is 补录: no sound, no message, no place in "now"."""

    def versions(self, rule_id: str) -> tuple[Rule, ...]:
        """Return all versions of a rule; empty when there is none."""
        return tuple(rule for rule in self.rules if rule.id == rule_id)


def load_rules(
    path: Path | None = None, standards: Standards | None = None, network_of: NetworkOf = load_kind
) -> Rules:
    """Read a rules file, by default the one that comes with the package.

    Raises
    ------
    ConfigError
        When it is not there or wrong: with file, line, key, problem and what to do.
    """
    if path is not None:
        return parse_rules(read_yaml(path), standards, network_of)
    with as_file(files("alerts").joinpath("data/rules.yaml")) as packaged:
        return parse_rules(read_yaml(packaged), standards, network_of)


def parse_rules(document: Document, standards: Standards | None = None, network_of: NetworkOf = load_kind) -> Rules:
    """Return the rules that a document says; with ``standards``, each limit rule must have one.

    Raises
    ------
    ConfigError
        When a key is unknown, missing, of a wrong type or out of bounds; when a kind of readings, factor, unit
        or window does not fit; when versions of one rule overlap or are of two kinds; when no standard gives
        the limit.
    """
    file = document.read_as(RulesFile)
    rules = []
    for place, entry in enumerate(file.rules):
        network = _network(document, place, entry.network or file.kind, network_of)
        rules.append(_rule(_Reading(document, place, network, standards), entry))
    _check_versions(document, rules)
    return Rules(rules=tuple(rules), backfill_after_ms=file.backfill_after_hours * HOUR_MS)


def _network(document: Document, place: int, name: str, network_of: NetworkOf) -> Network:
    try:
        return network_of(name)
    except UnknownName as cause:
        mend = "name a kind of readings that is delivered, or one of the folder kinds/"
        raise document.error(("rules", place, "network"), f"no kind of readings {name!r}", mend) from cause


@dataclass(frozen=True, slots=True)
class _Reading:
    """One rule as it is read: where an error points at, and what it may name."""

    document: Document
    index: int
    network: Network
    standards: Standards | None

    def error(self, key: str | tuple[str | int, ...], problem: str, mend: str) -> ConfigError:
        path = (key,) if isinstance(key, str) else key
        return self.document.error(("rules", self.index, *path), problem, mend)

    def factor(self, name: str, key: str | tuple[str | int, ...]) -> Factor:
        factors = {**self.network.factors, **derived_factors(self.network)}
        if name not in factors:
            raise self.error(key, f"no factor {name!r}", f"name one of {', '.join(factors)}")
        return factors[name]

    def window(self, name: str, derived: Sequence[str] = ()) -> str:
        """Return a window that the kind of readings has."""
        air = _AIR_WINDOWS if self.network.name == AIR else ()
        known = tuple(dict.fromkeys((*air, *(spec.name for spec in self.network.windows), *derived)))
        if name not in known:
            problem = f"{self.network.name} has no window {name!r} that is judged"
            raise self.error("window", problem, f"name one of {', '.join(known)}")
        return name

    @property
    def slot(self) -> str:
        """Name of the slot's window."""
        return next(
            (spec.name for spec in self.network.windows if spec.span is Span.SLOT),
            f"{self.network.slot_ms // HOUR_MS}h",
        )


def _rule(reading: _Reading, entry: Entry) -> Rule:
    rule = _common(reading, entry)
    match entry:
        case LimitEntry():
            _check_limit(reading, entry)
            made = replace(rule, kind=Kind.LIMIT, factors=entry.factors, window=entry.window)
        case ThresholdEntry():
            made = _threshold(reading, entry, rule)
        case LevelEntry():
            made = replace(rule, kind=Kind.LEVEL, factors=(AQI,), window=entry.window, level=entry.level)
        case ClassEntry():
            made = _class(reading, entry, rule)
        case FindingEntry():
            made = _finding(reading, entry, rule)
        case QuotaEntry():
            made = replace(rule, kind=Kind.QUOTA, window=YEAR, threshold=Fraction(entry.percent, 100))
        case MinimumEntry():
            factor, window = reading.factor(entry.factor, "factor"), reading.window(entry.window)
            _check_setting(reading, entry.setting)
            made = replace(rule, kind=Kind.MINIMUM, factors=(factor.symbol,), window=window, setting=entry.setting)
        case ZoneEntry():
            made = _zone(reading, entry, rule)
        case NoDataEntry():
            made = replace(rule, factors=(AQI if reading.network.name == AIR else ANY_FACTOR,))
        case _:
            assert_never(entry)
    return made


def _common(reading: _Reading, entry: CommonEntry) -> Rule:
    start, end = _span(reading, entry)
    network = reading.network
    for name in entry.where:
        _check_setting(reading, name, "where")
    for place, name in enumerate(entry.classes):
        if name not in network.classes:
            mend = f"name one of {', '.join(network.classes)}"
            raise reading.error(("classes", place), f"{network.name} has no class {name!r}", mend)
    return Rule(
        id=entry.id,
        kind=Kind.NO_DATA,
        factors=(),
        window=reading.slot,
        raise_after=entry.raise_after,
        clear_after=entry.clear_after,
        confirm_after=entry.confirm_after,
        start=start,
        end=end,
        sites=frozenset(entry.sites),
        name_zh=entry.name.zh if entry.name else "",
        name_en=entry.name.en if entry.name else "",
        network=network.name,
        classes=frozenset(entry.classes),
        where={name: frozenset(values) for name, values in entry.where.items()},
        priority=entry.priority,
        slot_ms=network.slot_ms,
        backfill_after_ms=None if entry.backfill_after_hours is None else entry.backfill_after_hours * HOUR_MS,
    )


def _check_limit(reading: _Reading, entry: LimitEntry) -> None:
    for place, name in enumerate(entry.factors):
        reading.factor(name, ("factors", place))
        if reading.standards is not None and not gives(reading.standards, name, entry.window):
            mend = "name the window for which the standard has one, or write a threshold with an author"
            raise reading.error(("factors", place), f"no edition limits {name} on {entry.window}", mend)


def _threshold(reading: _Reading, entry: ThresholdEntry, rule: Rule) -> Rule:
    factor = reading.factor(entry.factor, "factor")
    if reading.network.name == AIR and entry.window in _OZONE_WINDOWS and entry.factor != "O3":
        raise reading.error("window", f"{entry.window} is a window of O3 alone", "name 1h, 24h_running or 24h")
    window = reading.window(entry.window)
    if entry.unit not in factor.units:
        raise reading.error("unit", f"{entry.unit!r} is no unit of {entry.factor}", f"write it in {factor.unit}")
    if not math.isfinite(entry.value):
        raise reading.error("value", f"{entry.value} is no number", "give a number")
    (author, author_en), (why, why_en) = _both(entry.author), _both(entry.why)
    return replace(
        rule, kind=Kind.THRESHOLD, factors=(entry.factor,), window=window, author=author, author_en=author_en,
        why=why, why_en=why_en, threshold=Fraction(str(entry.value)) * factor.units[entry.unit],
    )  # fmt: skip


def _both(text: str | NameEntry) -> tuple[str, str]:
    return (text, "") if isinstance(text, str) else (text.zh, text.en)


def _class(reading: _Reading, entry: ClassEntry, rule: Rule) -> Rule:
    window = reading.window(entry.window)
    if (entry.level is None) == (entry.against is None):
        mend = "give level: 5 for class V or worse, or against: target"
        raise reading.error("level", "a class rule has either a level or a target", mend)
    if entry.against is not None:
        _check_setting(reading, entry.against)
    factor = WATER_CLASS if entry.against is None else OVER_TARGET
    setting = entry.against or ""
    return replace(rule, kind=Kind.CLASS, factors=(factor,), window=window, level=entry.level, setting=setting)


def _finding(reading: _Reading, entry: FindingEntry, rule: Rule) -> Rule:
    first = reading.window(entry.windows[0], entry.windows)
    if len({Cadence.of(window, rule.slot_ms) for window in entry.windows}) > 1:
        mend = "give hours and days rules of their own"
        raise reading.error("windows", f"{', '.join(entry.windows)} are not of one length", mend)
    reach = Reach(entry.reach)
    windows = frozenset(entry.windows)
    return replace(rule, kind=Kind.FINDING, factors=entry.factors, window=first, reach=reach, windows=windows)


def _zone(reading: _Reading, entry: ZoneEntry, rule: Rule) -> Rule:
    factor, window = reading.factor(entry.factor, "factor"), reading.window(entry.window)
    _check_setting(reading, entry.setting)
    if set(entry.day) != set(entry.night):
        raise reading.error("night", "names other zones than day", "give every zone a limit by day and by night")
    zones = ZoneLimits(
        setting=entry.setting,
        day={zone: Fraction(str(value)) for zone, value in entry.day.items()},
        night={zone: Fraction(str(value)) for zone, value in entry.night.items()},
        standard=entry.standard,
        table=entry.table,
        clause=entry.clause,
        hint=entry.hint,
    )
    return replace(rule, kind=Kind.ZONE, factors=(factor.symbol,), window=window, zones=zones)


def _check_setting(reading: _Reading, name: str, key: str = "setting") -> None:
    if name not in reading.network.facts:
        mend = f"name one of {', '.join(reading.network.facts)}"
        raise reading.error(key, f"sites of {reading.network.name} have no setting {name!r}", mend)


def _span(reading: _Reading, entry: CommonEntry) -> tuple[int, int | None]:
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
        told = (earlier.network, earlier.kind, earlier.window)
        if told != (later.network, later.kind, later.window):
            problem = f"{later.id} is a {earlier.kind} of {earlier.network} on {earlier.window} before"
            raise document.error(("rules", after, "id"), problem, "give a rule of another kind or window another id")
        if earlier.end is None or earlier.end > later.start:
            mend = "end the earlier version (to) on the day before this one begins (from), or give another id"
            raise document.error(("rules", after, "id"), f"{later.id} holds already at that time", mend)
