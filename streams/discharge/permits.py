"""Permits: what a site or firm is held to, what it may let out in a year, and what it says of itself.

``permits.yaml`` (``data/permits.schema.json``) says it. Dates are Beijing days, both inside. Nothing
set is a state of its own: no entry is no limit and no quota, and is shown as *unset*, never as 0.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Final

from sensors.clock import day_number, ms_of
from sensors.errors import UnknownName
from sensors.kinds import Kind
from sensors.registry import Registry
from sensors.windows import Confidence
from sensors.yamlfile import Document, read_yaml
from streams.discharge.limits import Limit, LimitPack, load_limits
from streams.discharge.permitfile import (
    AppliesEntry,
    AreaEntry,
    OwnLimitEntry,
    PermitFile,
    SiteEntry,
    State,
)

OWN: Final = "permit"
"""The name under which a permit's own limits stand where others name a standard."""
_Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A standard that binds a holder over a span of days."""

    standard: str
    column: str
    """As the standard names it, aliases resolved."""
    trade: str
    built: dt.date | None
    start_day: int
    end_day: int | None

    def holds_on(self, day: int) -> bool:
        """Return whether it binds on a Beijing day."""
        return self.start_day <= day and (self.end_day is None or day <= self.end_day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What may be let out in a year."""

    factor: str
    year: int
    grams: int | None
    """None: assigned from above, not yet set."""
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A cut over several years against a base year."""

    factor: str
    base_year: int
    base_grams: int | None
    year: int
    share: Fraction | None
    """None: assigned from above, not yet set."""
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterpriseMark:
    """What the enterprise says of a span of time."""

    state: State
    start: int
    """Milliseconds UTC."""
    end: int
    """Milliseconds UTC, no longer inside."""
    author: str
    sent: int
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Manual samples of one day."""

    factor: str
    day: int
    values: tuple[Fraction, ...]
    unit: str
    author: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """What is known of one site or area."""

    id: str
    applies: tuple[Applied, ...] = ()
    limits: tuple[Limit, ...] = ()
    """Of the permit itself; ``standard`` is `OWN`."""
    quotas: tuple[Quota, ...] = ()
    cuts: tuple[Cut, ...] = ()
    marks: tuple[EnterpriseMark, ...] = ()
    calibrations: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Factor → days of passed calibrations, in order."""
    samples: tuple[Sample, ...] = ()

    def quota(self, factor: str, year: int) -> Quota | None:
        """Return the quota of a factor and year; None where nobody assigned one."""
        return next((found for found in self.quotas if (found.factor, found.year) == (factor, year)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A named person's decision that an hour counts as what a table is written for."""

    standard: str
    table: str
    start_day: int
    end_day: int | None
    author: str
    why: str

    def holds_on(self, day: int) -> bool:
        """Return whether it is in force on a Beijing day."""
        return self.start_day <= day and (self.end_day is None or day <= self.end_day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Permits:
    """All permits of a region; without a file, `Permits()`."""

    sites: Mapping[str, Holder] = field(default_factory=dict)
    areas: Mapping[str, Holder] = field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()

    def site(self, site: str) -> Holder:
        """Return what is known of a site; an empty holder where nothing is."""
        return self.sites.get(site) or Holder(id=site)

    def area(self, area: str) -> Holder:
        """Return what is known of an area; an empty holder where nothing is."""
        return self.areas.get(area) or Holder(id=area)

    def holders(self, site: str, areas: Iterable[str]) -> tuple[Holder, ...]:
        """Return the site's own holder and those of its areas, where something is known."""
        found = (self.sites.get(site), *(self.areas.get(area) for area in areas))
        return tuple(holder for holder in found if holder is not None)


def load_permits(path: Path, registry: Registry | None = None, kinds: Mapping[str, Kind] | None = None) -> Permits:
    """Read a file of permits.

    Parameters
    ----------
    path
        ``permits.yaml``.
    registry
        The sites and areas that may be named; None leaves them unchecked.
    kinds
        The kinds of the registry's sites by name; of others, factors and units are unchecked.

    Raises
    ------
    ConfigError
        When it is not there or wrong: with file, line, key, problem and what to do.
    """
    return parse_permits(read_yaml(path), load_limits(), registry, kinds)


def parse_permits(
    document: Document,
    pack: LimitPack,
    registry: Registry | None = None,
    kinds: Mapping[str, Kind] | None = None,
) -> Permits:
    """Return the permits that a document says.

    Raises
    ------
    ConfigError
        When a key is unknown, missing or of a wrong type; when a standard, column, trade, site, area,
        factor or unit does not exist; when a standard asks for the plant's date and there is none;
        when something ends before it begins, or two entries hold for the same thing at the same time.
    """
    file = document.read_as(PermitFile, mend="give what streams/data/permits.schema.json allows")
    sites: dict[str, Holder] = {}
    for index, entry in enumerate(file.sites):
        path: _Path = ("sites", index)
        _check_new(document, sites, entry.site, (*path, "site"))
        if registry is not None:
            _check_site(document, entry, path, registry, kinds or {})
        sites[entry.site] = _site_holder(document, entry, path, pack)
    areas: dict[str, Holder] = {}
    for index, area in enumerate(file.areas):
        path = ("areas", index)
        _check_new(document, areas, area.area, (*path, "area"))
        if registry is not None and area.area not in {known.id for known in registry.areas}:
            raise document.error((*path, "area"), f"no area {area.area!r}", "name an area of registry.yaml")
        if kinds:
            every = {name: None for kind in kinds.values() for name in kind.factors}
            _check_factors(document, area, path, every)
        areas[area.area] = _holder(document, area.area, area, path, pack)
    return Permits(sites=sites, areas=areas, decisions=tuple(_decisions(document, file, pack)))


def _check_new(document: Document, held: Mapping[str, Holder], name: str, path: _Path) -> None:
    if name in held:
        raise document.error(path, f"{name} has an entry already", "put everything into one entry")


def _check_site(
    document: Document, entry: SiteEntry, path: _Path, registry: Registry, kinds: Mapping[str, Kind]
) -> None:
    site = registry.get(entry.site)
    if site is None:
        raise document.error((*path, "site"), f"no site {entry.site!r}", "name a site of registry.yaml")
    kind = kinds.get(site.kind)
    if kind is None:
        return
    for index, limit in enumerate(entry.limits):
        _check_own(document, limit, (*path, "limits", index), kind)
    _check_factors(document, entry, path, kind.factors)


def _check_factors(
    document: Document, entry: SiteEntry | AreaEntry, path: _Path, factors: Mapping[str, object]
) -> None:
    """Check that what is to be held against measured factors names some: a misspelt one would never be met."""
    parts = {"quotas": [one.factor for one in entry.quotas], "cuts": [one.factor for one in entry.cuts]}
    if isinstance(entry, SiteEntry):
        parts["calibrations"] = [one.factor for one in entry.calibrations]
        parts["samples"] = [one.factor for one in entry.samples]
    for key, names in parts.items():
        for index, name in enumerate(names):
            if name not in factors:
                mend = f"name one of {', '.join(factors)}"
                raise document.error((*path, key, index, "factor"), f"nothing measures {name!r}", mend)


def _check_own(document: Document, limit: OwnLimitEntry, path: _Path, kind: Kind) -> None:
    factor = kind.factors.get(limit.factor)
    if factor is None:
        problem = f"kind {kind.name} has no factor {limit.factor!r}"
        raise document.error((*path, "factor"), problem, f"name one of {', '.join(kind.factors)}")
    if limit.unit not in factor.units:
        problem = f"{limit.factor} is not measured in {limit.unit}"
        raise document.error((*path, "unit"), problem, f"name one of {', '.join(factor.units)}")


def _site_holder(document: Document, entry: SiteEntry, path: _Path, pack: LimitPack) -> Holder:
    held = _holder(document, entry.site, entry, path, pack)
    calibrations: dict[str, list[int]] = {}
    for item in entry.calibrations:
        calibrations.setdefault(item.factor, []).append(day_number(item.passed))
    return Holder(
        id=held.id,
        applies=held.applies,
        limits=held.limits,
        quotas=held.quotas,
        cuts=held.cuts,
        marks=tuple(_marks(document, entry, path)),
        calibrations={factor: tuple(sorted(days)) for factor, days in calibrations.items()},
        samples=tuple(
            Sample(
                factor=item.factor,
                day=day_number(item.day),
                values=tuple(Fraction(str(value)) for value in item.values),
                unit=item.unit,
                author=item.author,
                evidence=item.evidence,
            )
            for item in entry.samples
        ),
    )


def _holder(document: Document, name: str, entry: SiteEntry | AreaEntry, path: _Path, pack: LimitPack) -> Holder:
    applies = [_applied(document, item, (*path, "applies", at), pack) for at, item in enumerate(entry.applies)]
    _check_apart(document, [(one.standard, one.start_day, one.end_day) for one in applies], (*path, "applies"))
    limits = [_own(document, item, (*path, "limits", at)) for at, item in enumerate(entry.limits)]
    _check_apart(document, [(f"{o.factor} {o.period}", o.start_day, o.end_day) for o in limits], (*path, "limits"))
    quotas = [_quota(item.factor, item.year, item.tonnes, item.source) for item in entry.quotas]
    _check_once(document, [(one.factor, one.year) for one in quotas], (*path, "quotas"))
    cuts = [
        Cut(
            factor=item.factor,
            base_year=item.base_year,
            base_grams=_grams(item.base_tonnes),
            year=item.year,
            share=None if item.percent is None else Fraction(str(item.percent)) / 100,
            source=item.source,
        )
        for item in entry.cuts
    ]
    _check_once(document, [(one.factor, one.year) for one in cuts], (*path, "cuts"))
    return Holder(id=name, applies=tuple(applies), limits=tuple(limits), quotas=tuple(quotas), cuts=tuple(cuts))


def _applied(document: Document, entry: AppliesEntry, path: _Path, pack: LimitPack) -> Applied:
    try:
        found = pack.of(entry.standard)
    except UnknownName as cause:
        problem = f"no limits of {entry.standard!r}"
        raise document.error((*path, "standard"), problem, f"name one of {', '.join(pack.sets)}") from cause
    try:
        column = found.column(entry.column)
    except UnknownName as cause:
        problem = f"{entry.standard} has no column {entry.column!r}"
        mend = f"name one of {', '.join((*found.columns, *found.aliases))}"
        raise document.error((*path, "column"), problem, mend) from cause
    if entry.trade and entry.trade not in found.trades:
        mend = f"name one of {', '.join(found.trades)}" if found.trades else "leave it out"
        raise document.error((*path, "trade"), f"{entry.standard} has no trade {entry.trade!r}", mend)
    start, end = _span(document, entry.start, entry.last, path)
    if entry.built is None and found.asks_built(column, start):
        problem = f"{entry.standard} has limits by the plant's date, and there is none"
        raise document.error((*path, "built"), problem, "give the day on which the plant was built or approved")
    return Applied(
        standard=entry.standard,
        column=column,
        trade=entry.trade or (found.trades[0] if found.trades else ""),
        built=entry.built,
        start_day=start,
        end_day=end,
    )


def _own(document: Document, entry: OwnLimitEntry, path: _Path) -> Limit:
    if entry.low is None and entry.high is None:
        raise document.error(path, "a limit without a number", "give high, or low and high")
    if entry.low is not None and entry.high is not None and entry.low > entry.high:
        raise document.error((*path, "low"), f"{entry.low} is over high {entry.high}", "give the least value as low")
    start, end = _span(document, entry.start, entry.last, path)
    return Limit(
        standard=OWN,
        table="",
        clause="",
        column="",
        factor=entry.factor,
        period=entry.period,
        low=None if entry.low is None else Fraction(str(entry.low)),
        high=None if entry.high is None else Fraction(str(entry.high)),
        unit=entry.unit,
        start_day=start,
        end_day=end,
        source=entry.source,
        confidence=Confidence.CONFIRMED,
    )


def _decisions(document: Document, file: PermitFile, pack: LimitPack) -> Iterator[Decision]:
    for index, entry in enumerate(file.decisions):
        path: _Path = ("decisions", index)
        tables = {limit.table for limit in pack.sets[entry.standard].limits} if entry.standard in pack.sets else set()
        if entry.table not in tables:
            problem = f"{entry.standard} has no table {entry.table!r}"
            mend = f"name one of {', '.join(sorted(tables)) or ', '.join(pack.sets)}"
            raise document.error((*path, "table"), problem, mend)
        start, end = _span(document, entry.start, entry.last, path)
        yield Decision(
            standard=entry.standard,
            table=entry.table,
            start_day=start,
            end_day=end,
            author=entry.author,
            why=entry.why,
        )


def _marks(document: Document, entry: SiteEntry, path: _Path) -> Iterator[EnterpriseMark]:
    for index, item in enumerate(entry.marks):
        if item.end <= item.start:
            raise document.error((*path, "marks", index, "to"), f"{item.end} is not after {item.start}", "give a later")
        yield EnterpriseMark(
            state=item.state,
            start=ms_of(item.start),
            end=ms_of(item.end),
            author=item.author,
            sent=ms_of(item.sent),
            evidence=item.evidence,
        )


def _quota(factor: str, year: int, tonnes: float | None, source: str) -> Quota:
    return Quota(factor=factor, year=year, grams=_grams(tonnes), source=source)


def _grams(tonnes: float | None) -> int | None:
    return None if tonnes is None else round(Fraction(str(tonnes)) * 1_000_000)


def _check_apart(document: Document, spans: list[tuple[str, int, int | None]], path: _Path) -> None:
    for (one, a), (other, b) in combinations(enumerate(spans), 2):
        ends = [span[2] for span in (a, b) if span[2] is not None]
        if a[0] == b[0] and all(max(a[1], b[1]) <= end for end in ends):
            line = document.line_of((*path, one))
            mend = "let one end (to) on the day before the other begins (from)"
            raise document.error((*path, other), f"{a[0]} holds already, by line {line}", mend)


def _check_once(document: Document, keys: list[tuple[str, int]], path: _Path) -> None:
    for (_, a), (other, b) in combinations(enumerate(keys), 2):
        if a == b:
            raise document.error((*path, other), f"{a[0]} of {a[1]} is given twice", "leave one of them")


def _span(document: Document, first: dt.date, last: dt.date | None, path: _Path) -> tuple[int, int | None]:
    if last is not None and last < first:
        raise document.error((*path, "to"), f"{last} lies before {first}", "give the last day on which it holds")
    return day_number(first), None if last is None else day_number(last)
