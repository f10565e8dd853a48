"""Rules: what raises an alert, as dated data that people write in YAML; each judges one kind of readings.

Only a *limit* of a standard or permit is called 超标; a management *threshold* (管控值) has an author. Dates are
whole Beijing days, both inside; rules of one id whose dates do not touch are versions of one rule.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from importlib.resources import as_file, files
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from alerts.bounds import gives
from alerts.counting import Flap
from alerts.modes import Modes
from alerts.periods import Cadence
from alerts.rulefile import (
    AIR,
    ChangeEntry,
    ClassEntry,
    CommonEntry,
    Entry,
    ExhaustionEntry,
    FindingEntry,
    GradeEntry,
    LateEntry,
    LevelEntry,
    LimitEntry,
    MinimumEntry,
    NameEntry,
    NoDataEntry,
    OverOf,
    ProjectionEntry,
    QualityEntry,
    QuotaEntry,
    RateEntry,
    RulesFile,
    SeasonEntry,
    ThresholdEntry,
    ZoneEntry,
)
from alerts.rulereading import Reading
from alerts.rulerecords import (
    ANY_FACTOR,
    OVER_TARGET,
    WATER_CLASS,
    YEAR,
    Clear,
    Direction,
    Form,
    Grade,
    Kind,
    Look,
    Reach,
    Rule,
    Rules,
    ZoneLimits,
)
from alerts.seasons import parse_seasons
from sensors.clock import DAY_MS, HOUR_MS, day_number, first_hour_of_day
from sensors.errors import Problems, UnknownName
from sensors.kinds import Kind as Network
from sensors.kinds import load_kind
from sensors.registry import Registry
from sensors.yamlfile import Document, read_yaml
from streams.results import AQI, PACKETS, Window
from streams.standards import Standards

__all__ = [
    "ANY_FACTOR", "OVER_TARGET", "WATER_CLASS", "YEAR", "Clear", "Direction", "Form", "Grade", "Kind", "Look",
    "NetworkOf", "Reach", "Rule", "Rules", "ZoneLimits", "load_rules", "parse_rules",
]  # fmt: skip

_OZONE_WINDOWS: Final = ("8h", "MDA8")
_OF_VALUES: Final = frozenset({Kind.LIMIT, Kind.THRESHOLD, Kind.MINIMUM, Kind.ZONE})
"""Kinds of rules that hold a value against a bound, from which it can come back by a share."""
_SHARES_OF_FINDINGS: Final = frozenset({Fraction(80, 100), Fraction(90, 100)})
"""Levels below a limit that judgements tell (80, 90 %)."""
_MEND: Final = "give a value of the kind asked for"
_PARTS: Final[Mapping[str, Any]] = {"rules": Entry, "seasons": SeasonEntry}
_HOURS_BEFORE: Final = 23
"""Hours of a day before its last."""
_GRADED: Final = frozenset({Kind.LIMIT, Kind.FINDING})
NetworkOf = Callable[[str], Network]
"""Gives a kind of readings by its name, or raises `UnknownName`."""


def load_rules(
    path: Path | None = None,
    standards: Standards | None = None,
    network_of: NetworkOf = load_kind,
    modes: Modes | None = None,
    registry: Registry | None = None,
) -> Rules:
    """Read a rules file, by default the one that comes with the package; see `parse_rules`.

    Raises
    ------
    ConfigError
        When it is not there or wrong: with file, line, key, problem and what to do.
    """
    if path is not None:
        return parse_rules(read_yaml(path), standards, network_of, modes, registry)
    with as_file(files("alerts").joinpath("data/rules.yaml")) as packaged:
        return parse_rules(read_yaml(packaged), standards, network_of, modes, registry)


def parse_rules(
    document: Document,
    standards: Standards | None = None,
    network_of: NetworkOf = load_kind,
    modes: Modes | None = None,
    registry: Registry | None = None,
) -> Rules:
    """Return the rules that a document says.

    Parameters
    ----------
    document
        A rules file.
    standards
        With them, each rule of a limit must have one at its dates.
    network_of
        Gives the kinds of readings that rules name.
    modes
        With them, each mode that a rule names must be one of them, or a kind of modes.
    registry
        With it, the sites and areas that a rule names must stand in it.

    Raises
    ------
    ConfigError
        When a key is unknown, missing, of a wrong type or out of bounds; when a kind of readings, factor, unit,
        window, season, mode, site or area does not fit; when versions of one rule overlap or are of two kinds; when no
        standard gives the limit. All that is wrong stands in ``further``.
    """
    problems = Problems()
    file, places = document.read_parts(RulesFile, _PARTS, _MEND, problems)
    seasons = parse_seasons(document, file.seasons, problems)
    rules: list[Rule] = []
    good: list[int] = []
    for place, entry in zip(map(int, places["rules"]), file.rules, strict=True):
        with problems.kept():
            network = _network(document, place, entry.network or file.kind, network_of)
            rules.append(_rule(Reading(document, place, network, standards, modes, seasons, registry), entry))
            good.append(place)
    with problems.kept():
        _check_versions(document, rules, good)
    if not problems.found:
        with problems.kept():
            _check_covers(document, file, rules)
    problems.raise_first()
    return Rules(
        rules=tuple(rules), backfill_after_ms=file.backfill_after_hours * HOUR_MS, seasons=tuple(seasons.values())
    )


def _network(document: Document, place: int, name: str, network_of: NetworkOf) -> Network:
    try:
        return network_of(name)
    except UnknownName as cause:
        mend = "name a kind of readings that is delivered, or one of the folder kinds/"
        raise document.error(("rules", place, "network"), f"no kind of readings {name!r}", mend) from cause


def _rule(reading: Reading, entry: Entry) -> Rule:
    rule = _common(reading, entry)
    return _counted(reading, entry, _MAKERS[type(entry)](reading, entry, rule))


def _common(reading: Reading, entry: CommonEntry) -> Rule:
    start, end = _span(reading, entry)
    network = reading.network
    for name, values in entry.where.items():
        reading.check_setting(name, "where")
        reading.check_choices(name, values)
    reading.check_places(entry.sites, entry.areas)
    for place, name in enumerate(entry.classes):
        if name not in network.classes:
            mend = f"name one of {', '.join(network.classes)}"
            raise reading.error(("classes", place), f"{network.name} has no class {name!r}", mend)
    if entry.function_classes and network.name != AIR:
        mend = "name the setting that holds it under where"
        raise reading.error("function_classes", f"sites of {network.name} have no function class", mend)
    after = entry.raise_after
    return Rule(
        id=entry.id,
        kind=Kind.NO_DATA,
        factors=(),
        window=reading.slot,
        raise_after=after.over if isinstance(after, OverOf) else after,
        raise_of=after.of if isinstance(after, OverOf) else 0,
        clear_after=entry.clear_after,
        confirm_after=entry.confirm_after,
        hold_for=entry.hold_for,
        flap=None if entry.flap is None else Flap(more_than=entry.flap.more_than, within=entry.flap.within),
        start=start,
        end=end,
        season=None if entry.season is None else reading.season(entry.season),
        mode="" if entry.mode is None else reading.mode(entry.mode),
        sites=frozenset(entry.sites),
        areas=frozenset(entry.areas),
        function_classes=frozenset(entry.function_classes),
        name_zh=entry.name.zh if entry.name else "",
        name_en=entry.name.en if entry.name else "",
        network=network.name,
        classes=frozenset(entry.classes),
        where={name: frozenset(values) for name, values in entry.where.items()},
        priority=entry.priority,
        slot_ms=network.slot_ms,
        backfill_after_ms=None if entry.backfill_after_hours is None else entry.backfill_after_hours * HOUR_MS,
        covers=frozenset(entry.covers),
        recurs_within_ms=(entry.recurs_within_days or 0) * DAY_MS,
    )


def _counted(reading: Reading, entry: CommonEntry, rule: Rule) -> Rule:
    """Return a rule with how it comes back and how its priority grows, which its kind must bear."""
    if 0 < rule.raise_of < rule.raise_after:
        mend = "give of: at least as many periods as over:"
        raise reading.error("raise_after", f"{rule.raise_after} of {rule.raise_of} cannot be", mend)
    grades = tuple(_grade(reading, place, grade, rule) for place, grade in enumerate(entry.grades))
    return replace(rule, clear=_clear(reading, entry, rule), grades=grades)


def _clear(reading: Reading, entry: CommonEntry, rule: Rule) -> Clear | None:
    given = entry.clear_below
    if given is None:
        return None
    if (given.percent is None) == (given.value is None):
        raise reading.error("clear_below", "has either a percent or a value", "give one of them")
    share = None if given.percent is None else Fraction(str(given.percent)) / 100
    if rule.kind is Kind.FINDING and rule.reach is Reach.OVER:
        if share not in _SHARES_OF_FINDINGS:
            raise reading.error("clear_below", "a judgement tells of 80 and 90 % alone", "give percent: 80 or 90")
        return Clear(share=share)
    if rule.kind not in _OF_VALUES:
        mend = "leave it out, or count with clear_after and hold_for"
        raise reading.error("clear_below", f"a rule of {rule.kind} holds no value against a bound", mend)
    if share is not None and (share > 1) is not (rule.kind is Kind.MINIMUM):
        mend = "give less than 100 % of an upper bound, more than 100 % of a minimum"
        raise reading.error(("clear_below", "percent"), f"{given.percent} % does not come back from it", mend)
    if given.value is None:
        return Clear(share=share)
    if len(rule.factors) != 1:
        raise reading.error(("clear_below", "value"), "is of one factor", "give a percent, or rules of their own")
    value = reading.amount(given.value, given.unit, rule.factors[0], "clear_below")
    if rule.threshold is not None and value > rule.threshold:
        raise reading.error(("clear_below", "value"), f"{given.value} lies over the threshold", "give a smaller one")
    return Clear(value=value)


def _grade(reading: Reading, place: int, entry: GradeEntry, rule: Rule) -> Grade:
    if entry.multiple is None and entry.periods is None and entry.percent is None:
        raise reading.error(("grades", place), "does not say from when on", "give multiple, periods or percent")
    if entry.percent is not None and rule.kind is not Kind.QUOTA:
        raise reading.error(("grades", place, "percent"), "is a share of a quota", "give multiple or periods")
    if entry.multiple is not None and rule.kind not in _GRADED | _OF_VALUES - {Kind.MINIMUM}:
        raise reading.error(("grades", place, "multiple"), f"of {rule.kind} none is made", "give periods")
    return Grade(
        priority=entry.priority,
        share=None if entry.percent is None else Fraction(entry.percent, 100),
        multiple=None if entry.multiple is None else Fraction(str(entry.multiple)),
        periods=entry.periods or 0,
    )


def _limit(reading: Reading, entry: LimitEntry, rule: Rule) -> Rule:
    for place, name in enumerate(entry.factors):
        reading.factor(name, ("factors", place))
        _check_given(reading, entry, name, entry.window, ("factors", place))
    return replace(rule, kind=Kind.LIMIT, factors=entry.factors, window=entry.window)


def _check_given(
    reading: Reading, entry: CommonEntry, factor: str, window: str, key: str | tuple[str | int, ...]
) -> None:
    """Refuse a limit that no edition gives while the rule holds."""
    if reading.standards is None:
        return
    mend = "name the window for which the standard has one, or write a threshold with an author"
    if not gives(reading.standards, factor, window):
        raise reading.error(key, f"no edition limits {factor} on {window}", mend)
    days = (None if day is None else day_number(day) for day in (entry.start, entry.last))
    if not gives(reading.standards, factor, window, *days):
        span = " to ".join(str(day) for day in (entry.start, entry.last) if day is not None)
        raise reading.error(key, f"no edition of that time ({span}) limits {factor} on {window}", mend)


def _threshold(reading: Reading, entry: ThresholdEntry, rule: Rule) -> Rule:
    factor = reading.factor(entry.factor, "factor")
    if reading.network.name == AIR and entry.window in _OZONE_WINDOWS and entry.factor != "O3":
        raise reading.error("window", f"{entry.window} is a window of O3 alone", "name 1h, 24h_running or 24h")
    window = reading.window(entry.window)
    value = reading.amount(entry.value, entry.unit, factor.symbol)
    made = replace(rule, kind=Kind.THRESHOLD, factors=(entry.factor,), window=window, threshold=value)
    return _signed(made, entry.author, entry.why)


def _level(_reading: Reading, entry: LevelEntry, rule: Rule) -> Rule:
    return replace(rule, kind=Kind.LEVEL, factors=(AQI,), window=entry.window, level=entry.level)


def _quota(_reading: Reading, entry: QuotaEntry, rule: Rule) -> Rule:
    return replace(rule, kind=Kind.QUOTA, window=YEAR, threshold=Fraction(entry.percent, 100))


def _exhaustion(_reading: Reading, entry: ExhaustionEntry, rule: Rule) -> Rule:
    days = None if entry.within_days is None else Fraction(entry.within_days)
    return replace(rule, kind=Kind.EXHAUSTION, window=YEAR, threshold=days)


def _minimum(reading: Reading, entry: MinimumEntry, rule: Rule) -> Rule:
    factor, window = reading.factor(entry.factor, "factor"), reading.window(entry.window)
    reading.check_setting(entry.setting)
    return replace(rule, kind=Kind.MINIMUM, factors=(factor.symbol,), window=window, setting=entry.setting)


def _no_data(reading: Reading, _entry: NoDataEntry, rule: Rule) -> Rule:
    return replace(rule, factors=(AQI if reading.network.name == AIR else ANY_FACTOR,))


def _quality(reading: Reading, entry: QualityEntry, rule: Rule) -> Rule:
    for place, name in enumerate(entry.factors):
        if name not in reading.network.factors:
            mend = f"name one of {', '.join(reading.network.factors)}"
            raise reading.error(("factors", place), f"{reading.network.name} measures no {name!r}", mend)
    return replace(rule, kind=Kind.DATA_QUALITY, factors=entry.factors or tuple(reading.network.factors))


def _late(_reading: Reading, entry: LateEntry, rule: Rule) -> Rule:
    return replace(rule, kind=Kind.LATE, factors=(PACKETS,), threshold=Fraction(entry.packets))


def _both(text: str | NameEntry) -> tuple[str, str]:
    return (text, "") if isinstance(text, str) else (text.zh, text.en)


def _class(reading: Reading, entry: ClassEntry, rule: Rule) -> Rule:
    window = reading.window(entry.window)
    if (entry.level is None) == (entry.against is None):
        mend = "give level: 5 for class V or worse, or against: target"
        raise reading.error("level", "a class rule has either a level or a target", mend)
    if entry.against is not None:
        reading.check_setting(entry.against)
    factor = WATER_CLASS if entry.against is None else OVER_TARGET
    setting = entry.against or ""
    return replace(rule, kind=Kind.CLASS, factors=(factor,), window=window, level=entry.level, setting=setting)


def _finding(reading: Reading, entry: FindingEntry, rule: Rule) -> Rule:
    first = reading.windows(entry.windows)
    reading.check_judged(entry.factors)
    if len({Cadence.of(window, rule.slot_ms) for window in entry.windows}) > 1:
        mend = "give hours and days rules of their own"
        raise reading.error("windows", f"{', '.join(entry.windows)} are not of one length", mend)
    reach = Reach(entry.reach)
    windows = frozenset(entry.windows)
    return replace(rule, kind=Kind.FINDING, factors=entry.factors, window=first, reach=reach, windows=windows)


def _zone(reading: Reading, entry: ZoneEntry, rule: Rule) -> Rule:
    factor, window = reading.factor(entry.factor, "factor"), reading.window(entry.window)
    reading.check_setting(entry.setting)
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


def _change(reading: Reading, entry: ChangeEntry, rule: Rule) -> Rule:
    window = reading.window(entry.window)
    factor = AQI if reading.network.name == AIR else WATER_CLASS
    look = Look(back=entry.within, by=Fraction(entry.worse_by))
    return replace(rule, kind=Kind.CHANGE, factors=(factor,), window=window, look=look)


def _rate(reading: Reading, entry: RateEntry, rule: Rule) -> Rule:
    factor, window = reading.factor(entry.factor, "factor"), reading.window(entry.window)
    if (entry.value is None) == (entry.percent is None):
        raise reading.error("value", "a rate has either a value or a percent", "give one of them")
    by = None if entry.value is None else reading.amount(entry.value, entry.unit, factor.symbol)
    share = None if entry.percent is None else Fraction(str(entry.percent)) / 100
    look = Look(back=entry.against, by=by, share=share, direction=Direction(entry.direction))
    made = replace(rule, kind=Kind.RATE, factors=(factor.symbol,), window=window, look=look)
    return _signed(made, entry.author, entry.why)


def _projection(reading: Reading, entry: ProjectionEntry, rule: Rule) -> Rule:
    factor, form = reading.factor(entry.factor, "factor"), Form(entry.form)
    projects = Window.HOUR if form is Form.TREND else Window.DAY
    if rule.slot_ms != HOUR_MS:
        raise reading.error("form", f"{reading.network.name} has no hourly values", "give a kind that has")
    back = entry.hours if form is Form.TREND else _HOURS_BEFORE
    look = Look(
        back=back, form=form, ahead=entry.ahead if form is Form.TREND else entry.hours, projects=projects.value,
        least={Form.CERTAIN: 1, Form.PRONE: entry.least, Form.TREND: entry.hours}[form],
    )  # fmt: skip
    made = replace(rule, kind=Kind.PROJECTION, factors=(factor.symbol,), window=Window.HOUR.value, look=look)
    if entry.value is None:
        if reading.network.name != AIR:
            raise reading.error("value", "a standard's limit is known of air alone", "give value, unit, author and why")
        _check_given(reading, entry, factor.symbol, projects.value, "factor")
        return made
    if entry.author is None or entry.why is None:
        raise reading.error("author", "a threshold has an author and a reason", "give author and why")
    value = reading.amount(entry.value, entry.unit, factor.symbol)
    return _signed(replace(made, threshold=value), entry.author, entry.why)


def _signed(rule: Rule, said_by: str | NameEntry, reason: str | NameEntry) -> Rule:
    (author, author_en), (why, why_en) = _both(said_by), _both(reason)
    return replace(rule, author=author, author_en=author_en, why=why, why_en=why_en)


_MAKERS: Final[Mapping[type, Callable[[Reading, Any, Rule], Rule]]] = {
    LimitEntry: _limit, ThresholdEntry: _threshold, LevelEntry: _level, ClassEntry: _class, FindingEntry: _finding,
    QuotaEntry: _quota, ExhaustionEntry: _exhaustion, MinimumEntry: _minimum, ZoneEntry: _zone,
    NoDataEntry: _no_data, LateEntry: _late, ChangeEntry: _change, RateEntry: _rate, ProjectionEntry: _projection,
    QualityEntry: _quality,
}  # fmt: skip
"""What makes a rule of each form of entry; `Entry` names them all (tested)."""


def _span(reading: Reading, entry: CommonEntry) -> tuple[int, int | None]:
    if entry.start is not None and entry.last is not None and entry.last < entry.start:
        mend = "give the last day on which it holds"
        raise reading.error("to", f"{entry.last} lies before {entry.start}", mend)
    start = 0 if entry.start is None else _day_start(entry.start)
    return start, None if entry.last is None else _day_start(entry.last) + DAY_MS


def _day_start(day: dt.date) -> int:
    return first_hour_of_day((day - dt.date(1970, 1, 1)).days) * HOUR_MS


def _check_versions(document: Document, rules: Sequence[Rule], places: Sequence[int]) -> None:
    order = sorted(range(len(rules)), key=lambda index: (rules[index].id, rules[index].start))
    for before, after in pairwise(order):
        earlier, later, place = rules[before], rules[after], places[after]
        if earlier.id != later.id:
            continue
        told = (earlier.network, earlier.kind, earlier.window)
        if told != (later.network, later.kind, later.window):
            problem = f"{later.id} is a {earlier.kind} of {earlier.network} on {earlier.window} before"
            raise document.error(("rules", place, "id"), problem, "give a rule of another kind or window another id")
        if earlier.end is None or earlier.end > later.start:
            mend = "end the earlier version (to) on the day before this one begins (from), or give another id"
            raise document.error(("rules", place, "id"), f"{later.id} holds already at that time", mend)


def _check_covers(document: Document, file: RulesFile, rules: Sequence[Rule]) -> None:
    networks = {rule.id: rule.network for rule in rules}
    names = {entry.id for entry in file.rules}
    for place, entry in enumerate(file.rules):
        for index, name in enumerate(entry.covers):
            key = ("rules", place, "covers", index)
            if name not in names:
                raise document.error(key, f"no rule {name!r}", "name another rule of this file")
            if name == entry.id or networks.get(name, "") != networks.get(entry.id, ""):
                mend = "name another rule of the same kind of readings"
                raise document.error(key, f"{entry.id} cannot cover {name}", mend)
    _check_rounds(document, file)


def _check_rounds(document: Document, file: RulesFile) -> None:
    """Refuse rules that cover one another in a round: their events would wait with each other, unseen."""
    named: dict[str, set[str]] = {}
    for entry in file.rules:
        named.setdefault(entry.id, set()).update(entry.covers)
    for place, entry in enumerate(file.rules):
        for index, name in enumerate(entry.covers):
            if entry.id in _reached(name, named):
                mend = "let the graver of the two cover the other one alone"
                raise document.error(("rules", place, "covers", index), f"{name} covers {entry.id} already", mend)


def _reached(name: str, named: Mapping[str, set[str]]) -> set[str]:
    """Return all that a rule covers, and what that covers in turn."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        new = named[waiting.pop()] - found
        found |= new
        waiting += new
    return found
