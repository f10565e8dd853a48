"""Rule tests: series of results in YAML, and the events that must follow from them; `jianhu rules test`.

A file names its rules (else those delivered), the sites, and tests: each with series of values and the events that
are expected, no more and no less. What differs is told line by line.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from importlib.resources import as_file, files
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import pyarrow as pa

from alerts.columns import columns_of
from alerts.derived import derived_factors
from alerts.desk import Alert, Desk
from alerts.events import Fact
from alerts.journal import open_journal
from alerts.keeper import Keeper
from alerts.modes import NO_MODES, Modes, load_modes
from alerts.periods import Cadence
from alerts.rules import OVER_TARGET, WATER_CLASS, NetworkOf, Rules, load_rules
from alerts.texts import title
from alerts.verdicts import Judge
from sensors.clock import BEIJING, HOUR_MS, MINUTE_MS, beijing, day_of, ms_of
from sensors.errors import Problems, UnknownName
from sensors.kinds import load_kind
from sensors.registry import Registry, Site
from sensors.yamlfile import Document, read_yaml
from streams.discharge.limiting import SUFFIX
from streams.discharge.periods import EXHAUSTION, QUOTA
from streams.results import AQI, PACKETS, RESULT_SCHEMA
from streams.standards import Standards, load_standards

DELIVERED: Final = "rule-tests.yaml"
_MEND: Final = "write a test as those delivered are written: alerts/data/rule-tests.yaml"
_ITEM: Final = re.compile(
    r"(?P<first>_|-?[0-9]+(?:\.[0-9]+)?)(?P<step>[+-][0-9]+(?:\.[0-9]+)?)?(?:x(?P<count>[1-9][0-9]{0,3}))?"
)
_TIME: Final = "%Y-%m-%dT%H:%M"
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
_Time = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$")]


class SiteEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A site of the tests."""

    id: _Text
    kind: _Text = "air"
    station_class: str = msgspec.field(name="class", default="")
    zone: int = 0
    areas: tuple[_Text, ...] = ()
    setting: dict[str, Any] = {}


class SeriesEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Results of one factor of a site: value after value, from a Beijing time on."""

    site: _Text
    factor: _Text
    window: _Text = "1h"
    start: _Time = msgspec.field(name="from")
    values: str = ""
    """``80``, ``_`` (no value), ``80x3`` (three of it), ``80+10x3`` (80, 90, 100)."""
    levels: str = ""
    """Likewise: of an index, a class or a judgement."""
    reason: str = "incomplete"
    """Why there is no value."""
    detail: str = ""
    revision: Annotated[int, msgspec.Meta(ge=1)] = 1
    later_hours: Annotated[int, msgspec.Meta(ge=0)] = 0
    """So long after the others it became known."""


class ExpectedEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True, omit_defaults=True):
    """An event that must follow; what is left out is not looked at."""

    rule: _Text
    site: _Text
    start: _Time = msgspec.field(name="from")
    factor: str | msgspec.UnsetType = msgspec.UNSET
    end: str | msgspec.UnsetType = msgspec.field(name="to", default=msgspec.UNSET)
    """Beijing time; ``going on`` while it has none."""
    fact: Fact | msgspec.UnsetType = msgspec.UNSET
    peak: str | msgspec.UnsetType = msgspec.UNSET
    priority: int | msgspec.UnsetType = msgspec.UNSET
    flapping: bool | msgspec.UnsetType = msgspec.UNSET
    unconfirmed: bool | msgspec.UnsetType = msgspec.UNSET
    recurrence: int | msgspec.UnsetType = msgspec.UNSET
    title: str | msgspec.UnsetType = msgspec.UNSET


class TestEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One test."""

    name: _Text
    only: tuple[_Text, ...] = ()
    """Rules that take part; empty: all."""
    input: Annotated[tuple[SeriesEntry, ...], msgspec.Meta(min_length=1)]
    expect: tuple[ExpectedEntry, ...] = ()


class TestsFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A whole file of tests."""

    rules: str = ""
    """File of the rules, beside this one; empty for those delivered."""
    modes: str = ""
    sites: Annotated[tuple[SiteEntry, ...], msgspec.Meta(min_length=1)]
    tests: Annotated[tuple[TestEntry, ...], msgspec.Meta(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one test gave."""

    name: str
    line: int
    missing: tuple[str, ...]
    """Events that were expected and did not follow."""
    surplus: tuple[str, ...]
    """Events that followed and were not expected."""

    @property
    def good(self) -> bool:
        """Whether everything was as expected."""
        return not self.missing and not self.surplus

    def told(self) -> str:
        """Return the difference as people read it: ``-`` what was expected, ``+`` what followed instead."""
        lines = [*(f"  - {text}" for text in self.missing), *(f"  + {text}" for text in self.surplus)]
        return "\n".join([f"FAILED line {self.line}: {self.name}", *lines]) if lines else f"ok      {self.name}"


def run_delivered() -> tuple[Outcome, ...]:
    """Run the tests of the delivered rules."""
    with as_file(files("alerts").joinpath(f"data/{DELIVERED}")) as path:
        return run_file(path)


def run_file(
    path: Path, rules_path: Path | None = None, network_of: NetworkOf = load_kind, modes: Modes = NO_MODES
) -> tuple[Outcome, ...]:
    """Run all tests of a file.

    Parameters
    ----------
    path
        The file.
    rules_path
        Rules in the place of those that it names.
    network_of
        Gives the kinds of readings.
    modes
        Modes that hold where the file names none of its own.

    Raises
    ------
    ConfigError
        When the file, or the rules or modes that it names, are wrong; with file, line, key and what to do.
    """
    document = read_yaml(path)
    file = document.read_as(TestsFile, _MEND)
    standards = load_standards()
    chosen = rules_path or (path.parent / file.rules if file.rules else None)
    held = load_modes(path.parent / file.modes) if file.modes else modes
    bench = Bench(
        rules=load_rules(chosen, standards, network_of, held), modes=held, standards=standards,
        registry=_registry(file.sites), network_of=network_of,
    )  # fmt: skip
    _check(document, file, bench)
    return tuple(
        _outcome(document, place, test, bench.alerts(test, document, place)) for place, test in enumerate(file.tests)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What all tests of a file share."""

    rules: Rules
    modes: Modes
    standards: Standards
    registry: Registry
    network_of: NetworkOf

    def alerts(self, test: TestEntry, document: Document, place: int) -> tuple[Alert, ...]:
        """Return the events that follow from the results of a test, those joined to others left out."""
        rules = self.rules
        if test.only:
            rules = replace(rules, rules=tuple(rule for rule in rules.rules if rule.id in test.only))
        rows: list[tuple[int, str, dict[str, Any]]] = []
        for number, series in enumerate(test.input):
            rows += self._rows(series, document, (*_path(place), "input", number))
        journal = open_journal("sqlite://", lambda: 0)
        keeper = Keeper(Judge(rules, self.registry, self.standards, self.network_of, self.modes), rules)
        try:
            with journal.writing() as turn:
                for (_, network), some in groupby(sorted(rows, key=itemgetter(0, 1)), key=itemgetter(0, 1)):
                    keeper.take(columns_of(batch_of([row for *_, row in some]), "test", network), turn)
                keeper.save(turn)
            found = Desk(journal).events(limit=500).alerts
        finally:
            journal.close()
        order = (one for one in found if one.event.fact is not Fact.JOINED)
        return tuple(sorted(order, key=lambda one: (one.event.start, one.event.key)))

    def _rows(
        self, series: SeriesEntry, document: Document, path: tuple[str | int, ...]
    ) -> Iterator[tuple[int, str, dict[str, Any]]]:
        site = self.registry.site(series.site)
        network = self.network_of(site.kind)
        cadence = Cadence.of(series.window, network.slot_ms)
        values = _numbers(series.values, document, (*path, "values"))
        levels = _numbers(series.levels, document, (*path, "levels"))
        if not values and not levels:
            raise document.error(path, "has neither values nor levels", "give one of them")
        factor = network.factors.get(series.factor)
        digits = max([0 if factor is None else factor.decimals, *(_digits(one) for one in values if one is not None)])
        first = cadence.number(_ms(series.start, document, (*path, "from")))
        for place in range(max(len(values), len(levels))):
            value = values[place] if place < len(values) else None
            level = levels[place] if place < len(levels) else None
            number = value if values else level
            start = cadence.start_ms(first + place)
            at = cadence.end_ms(first + place) + MINUTE_MS + series.later_hours * HOUR_MS
            yield at, site.kind, {
                "site": series.site, "factor": series.factor, "window": series.window, "start": start,
                "edition": self._edition(site.kind, series.factor, start),
                "value": None if number is None else int(number.scaleb(digits)), "digits": digits,
                "valid": 0 if number is None else 1, "expected": 1, "reason": series.reason if number is None else "",
                "detail": series.detail, "flags": 0, "iaqi": None, "level": None if level is None else int(level),
                "primary": "", "revision": series.revision, "inputs": 0, "at": at,
            }  # fmt: skip

    def _edition(self, kind: str, factor: str, start: int) -> str:
        if kind != "air" or factor != AQI:
            return ""
        held = [one for one in self.standards.index_editions if one.start_day <= day_of(start)]
        return held[-1].name if held else ""


def batch_of(rows: Sequence[Mapping[str, Any]]) -> pa.RecordBatch:
    """Return result rows as a batch of `RESULT_SCHEMA`."""
    arrays = []
    for field in RESULT_SCHEMA:
        values = [row[field.name] for row in rows]
        if pa.types.is_dictionary(field.type):
            arrays.append(pa.array(values, pa.utf8()).dictionary_encode().cast(field.type))
        else:
            arrays.append(pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=RESULT_SCHEMA)


def _found(alert: Alert) -> dict[str, Any]:
    event = alert.event
    peak = None if event.peak.value is None else str(Decimal(event.peak.value).scaleb(-event.peak.digits))
    return {
        "rule": event.key.rule, "site": event.key.site, "from": _clock(event.start), "factor": event.key.factor,
        "to": "going on" if event.end is None else _clock(event.end), "fact": event.fact.value, "peak": peak,
        "priority": event.priority, "flapping": event.flapping, "unconfirmed": event.unconfirmed,
        "recurrence": event.recurrence, "title": title(event),
    }  # fmt: skip


def _outcome(document: Document, place: int, test: TestEntry, found: Sequence[Alert]) -> Outcome:
    left, missing = list(found), []
    for expected in test.expect:
        wanted = msgspec.to_builtins(expected)
        same = next((one for one in left if _fits(wanted, _found(one))), None)
        if same is None:
            missing.append(_line(wanted))
        else:
            left.remove(same)
    surplus = tuple(_line(_found(one)) for one in left)
    return Outcome(name=test.name, line=document.line_of(_path(place)) or 0, missing=tuple(missing), surplus=surplus)


def _fits(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    return all(found[name] == value for name, value in wanted.items())


def _line(told: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in told.items())


def _registry(sites: Sequence[SiteEntry]) -> Registry:
    made = (
        Site(
            id=one.id, kind=one.kind, name_zh=one.id, name_en=one.id, station_class=one.station_class, lon=0.0, lat=0.0,
            county="", township="", zone=one.zone or (2 if one.kind == "air" else 0), period_ms=HOUR_MS, synthetic=True,
            source="a rule test", start=0, end=None, not_in_plan=(), assessment=True, areas=one.areas,
            setting=one.setting,
        )
        for one in sites
    )  # fmt: skip
    return Registry(region_zh="测试", region_en="test", synthetic=True, sites=tuple(made))


def _check(document: Document, file: TestsFile, bench: Bench) -> None:
    """Refuse names that nothing bears: a test of them would say nothing."""
    problems = Problems()
    rules, sites = {rule.id for rule in bench.rules.rules}, {site.id for site in file.sites}
    for place, entry in enumerate(file.sites):
        with problems.kept():
            _check_kind(document, place, entry.kind, bench)
    kinds = {site.id: site.kind for site in file.sites}
    for place, test in enumerate(file.tests):
        for number, series in enumerate(test.input):
            with problems.kept():
                _check_factor(document, (*_path(place), "input", number, "factor"), series, kinds, bench)
        named: list[tuple[tuple[str | int, ...], str, set[str], str]]
        named = [(("only", number), name, rules, "rule") for number, name in enumerate(test.only)]
        named += [(("input", number, "site"), one.site, sites, "site") for number, one in enumerate(test.input)]
        named += [(("expect", number, "rule"), one.rule, rules, "rule") for number, one in enumerate(test.expect)]
        named += [(("expect", number, "site"), one.site, sites, "site") for number, one in enumerate(test.expect)]
        for key, name, known, what in named:
            with problems.kept():
                if name not in known:
                    mend = f"name one of {', '.join(sorted(known))}"
                    raise document.error((*_path(place), *key), f"no {what} {name!r}", mend)
    problems.raise_first()


def _check_kind(document: Document, place: int, name: str, bench: Bench) -> None:
    try:
        bench.network_of(name)
    except UnknownName as cause:
        mend = "name a kind of readings that is delivered, or one of the folder kinds/"
        raise document.error(("sites", place, "kind"), f"no kind of readings {name!r}", mend) from cause


def _check_factor(
    document: Document, path: tuple[str | int, ...], series: SeriesEntry, kinds: Mapping[str, str], bench: Bench
) -> None:
    """Refuse results that the kind does not have: a test of them that expects nothing is always good."""
    try:
        kind = bench.network_of(kinds[series.site])
    except (KeyError, UnknownName):  # told by itself
        return
    known = [*kind.factors, *derived_factors(kind), *kind.evaluations, AQI, PACKETS, WATER_CLASS, OVER_TARGET]
    name = series.factor
    for suffix in (SUFFIX, QUOTA, EXHAUSTION):
        name = name.removesuffix(suffix)
    if name not in known:
        raise document.error(path, f"{kind.name} has no results {series.factor!r}", f"name one of {', '.join(known)}")


def _path(place: int) -> tuple[str | int, ...]:
    return ("tests", place)


def _numbers(text: str, document: Document, path: tuple[str | int, ...]) -> list[Decimal | None]:
    found: list[Decimal | None] = []
    for word in text.split():
        item = _ITEM.fullmatch(word)
        if item is None:
            raise document.error(path, f"{word!r} is no value", "write 80, _, 80x3 or 80+10x3")
        count = int(item["count"] or 1)
        if item["first"] == "_":
            found += [None] * count
            continue
        first, step = Decimal(item["first"]), Decimal(item["step"] or 0)
        found += [first + step * number for number in range(count)]
    return found


def _digits(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _ms(text: str, document: Document, path: tuple[str | int, ...]) -> int:
    try:
        return ms_of(dt.datetime.strptime(text, _TIME).replace(tzinfo=BEIJING))
    except ValueError as cause:
        raise document.error(path, f"{text} is no time", "write it as 2026-12-13T08:00") from cause


def _clock(ms: int) -> str:
    return beijing(ms).strftime(_TIME)
