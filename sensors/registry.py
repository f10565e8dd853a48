"""The registry: which sites exist, of which class, where, and from when to when.

A YAML file (``data/registry.schema.json``) says it; dates are whole Beijing days, both inside.
A site that moves keeps its id and gets a second entry whose dates do not touch the first.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from sensors.clock import DAY_MS, HOUR_MS, MINUTE_MS, beijing, first_hour_of_day
from sensors.errors import UnknownName
from sensors.factors import load_factors
from sensors.yamlfile import Document, read_yaml

SYNTHETIC_CODE = "SYN-"
"""How the id of a site begins that no document names."""
SYNTHETIC_NAME = "（模拟）"
"""How the Chinese name of such a site ends."""


class StationClass(StrEnum):
    """What a station stands for."""

    URBAN = "urban"
    """城市环境空气质量监测站."""
    TOWNSHIP = "township"
    """乡镇环境空气自动监测站."""
    DEVELOPMENT_ZONE = "development_zone"
    """开发区环境空气自动监测站."""
    CLEAN_AIR = "clean_air"
    """“清新空气”自动站."""
    LOGISTICS = "logistics"
    """主要物流通道环境空气监测站."""
    PHOTOCHEMICAL = "photochemical"
    """光化学污染监测站."""
    BACKGROUND = "background"
    """对照点、背景点."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """A factor that a site does not measure by plan (``/``): dated and signed, never inferred."""

    factor: str
    start: int
    """Milliseconds UTC."""
    end: int | None
    """Milliseconds UTC, no longer inside; None while it lasts."""
    author: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One entry of the registry: a site for the time in which all of this holds."""

    id: str
    kind: str
    """The kind of its readings, for example ``air``."""
    name_zh: str
    name_en: str
    station_class: StationClass
    lon: float
    """Degrees east."""
    lat: float
    """Degrees north."""
    county: str
    township: str
    zone: int
    """Function class of GB 3095: 1 or 2."""
    period_ms: int
    """How often it owes a packet, and the length of each reading's interval."""
    synthetic: bool
    source: str
    """The document, or for a synthetic site the fact that it stands for."""
    start: int
    """Milliseconds UTC."""
    end: int | None
    """Milliseconds UTC, no longer inside; None while it lasts."""
    not_in_plan: tuple[Absence, ...]
    assessment: bool
    """Whether it counts in the area's statistics (评价点位)."""

    def holds_at(self, ms: int) -> bool:
        """Return whether this entry is in force at an instant."""
        return self.start <= ms and (self.end is None or ms < self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """All entries of a region, by id and then by time."""

    region_zh: str
    region_en: str
    synthetic: bool
    """Whether anything in it is made up; then 模拟数据 stands on every page."""
    sites: tuple[Site, ...]
    outline: str = ""
    """GeoJSON file of the region beside the registry; empty when there is none."""

    def entries(self, site: str) -> tuple[Site, ...]:
        """Return all entries of an id in order of time; empty when there are none."""
        return tuple(entry for entry in self.sites if entry.id == site)

    def get(self, site: str, at_ms: int | None = None) -> Site | None:
        """Return the entry of an id that holds at ``at_ms``, by default its newest; None when there is none."""
        found = [entry for entry in self.entries(site) if at_ms is None or entry.holds_at(at_ms)]
        return found[-1] if found else None

    def site(self, site: str, at_ms: int | None = None) -> Site:
        """Return the entry of an id that holds at ``at_ms``, by default its newest.

        Raises
        ------
        UnknownName
            When there is none.
        """
        found = self.get(site, at_ms)
        if found is None:
            raise UnknownName("the registry", site)
        return found

    def of_kind(self, kind: str) -> tuple[Site, ...]:
        """Return the entries of a kind."""
        return tuple(entry for entry in self.sites if entry.kind == kind)

    def at(self, ms: int) -> tuple[Site, ...]:
        """Return the entries in force at an instant: at most one of an id."""
        return tuple(entry for entry in self.sites if entry.holds_at(ms))


_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
_Id = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class Names(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A name in Chinese and in English, as the file writes it."""

    zh: _Text
    en: _Text


class AbsenceEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One entry of ``not_in_plan``, as the file writes it."""

    factor: _Text
    start: dt.date = msgspec.field(name="from")
    last: dt.date | None = msgspec.field(name="to", default=None)
    author: _Text
    why: _Text


class SiteEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One site, as the file writes it."""

    id: _Id
    kind: _Text = "air"
    name: Names
    station_class: StationClass = msgspec.field(name="class")
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    county: _Text
    township: str = ""
    zone: Literal[1, 2]
    period: Literal["minute", "hour"]
    origin: Literal["document", "synthetic"]
    source: _Text
    start: dt.date = msgspec.field(name="from")
    last: dt.date | None = msgspec.field(name="to", default=None)
    assessment: bool = False
    not_in_plan: tuple[AbsenceEntry, ...] = ()


class RegistryFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A whole registry file, as it is written."""

    region: Names
    synthetic: bool
    outline: Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z0-9_-]+\.geojson)?$")] = ""
    sites: Annotated[tuple[SiteEntry, ...], msgspec.Meta(min_length=1)]


def load_registry(path: Path) -> Registry:
    """Read a registry file.

    Raises
    ------
    ConfigError
        When it is not there or wrong: with file, line, key, problem and what to do.
    """
    return parse_registry(read_yaml(path))


def parse_registry(document: Document) -> Registry:
    """Return the registry that a document says.

    Raises
    ------
    ConfigError
        When a key is unknown, missing, of a wrong type or out of bounds; when dates end before they
        begin or two entries of one id overlap; when made-up and real sites are not told apart.
    """
    file = document.read_as(RegistryFile, mend="give what sensors/data/registry.schema.json allows")
    sites = [_site(document, entry, ("sites", index), file) for index, entry in enumerate(file.sites)]
    order = sorted(range(len(sites)), key=lambda index: (sites[index].id, sites[index].start))
    for before, after in pairwise(order):
        _check_overlap(document, (before, sites[before]), (after, sites[after]))
    return Registry(
        region_zh=file.region.zh,
        region_en=file.region.en,
        synthetic=file.synthetic,
        sites=tuple(sites[index] for index in order),
        outline=file.outline,
    )


def registry_schema() -> dict[str, Any]:
    """Return the JSON schema of a registry file; ``data/registry.schema.json`` is this, written down."""
    (reference,), parts = msgspec.json.schema_components([RegistryFile], ref_template="#/$defs/{name}")
    schema: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "jianhu registry"}
    written: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(schema | reference | {"$defs": parts}))
    return written


def _site(document: Document, entry: SiteEntry, path: tuple[str | int, ...], file: RegistryFile) -> Site:
    _check_marking(document, entry, path, file)
    start, end = _span(document, entry.start, entry.last, path)
    return Site(
        id=entry.id,
        kind=entry.kind,
        name_zh=entry.name.zh,
        name_en=entry.name.en,
        station_class=entry.station_class,
        lon=entry.lon,
        lat=entry.lat,
        county=entry.county,
        township=entry.township,
        zone=entry.zone,
        period_ms=MINUTE_MS if entry.period == "minute" else HOUR_MS,
        synthetic=entry.origin == "synthetic",
        source=entry.source,
        start=start,
        end=end,
        not_in_plan=tuple(_absences(document, entry, path)),
        assessment=entry.assessment,
    )


def _absences(document: Document, entry: SiteEntry, path: tuple[str | int, ...]) -> Iterator[Absence]:
    try:
        factors = load_factors(entry.kind)
    except UnknownName as cause:
        raise document.error((*path, "kind"), f"no kind {entry.kind!r}", "name a kind of the factor table") from cause
    for index, absence in enumerate(entry.not_in_plan):
        here = (*path, "not_in_plan", index)
        if absence.factor not in factors:
            problem = f"kind {entry.kind} has no factor {absence.factor!r}"
            raise document.error((*here, "factor"), problem, f"name one of {', '.join(factors)}")
        start, end = _span(document, absence.start, absence.last, here)
        yield Absence(factor=absence.factor, start=start, end=end, author=absence.author, why=absence.why)


def _span(
    document: Document, first: dt.date, last: dt.date | None, path: tuple[str | int, ...]
) -> tuple[int, int | None]:
    if last is not None and last < first:
        raise document.error((*path, "to"), f"{last} lies before {first}", "give the last day on which it holds")
    return _day_start(first), None if last is None else _day_start(last) + DAY_MS


def _day_start(day: dt.date) -> int:
    return first_hour_of_day((day - dt.date(1970, 1, 1)).days) * HOUR_MS


def _check_marking(document: Document, entry: SiteEntry, path: tuple[str | int, ...], file: RegistryFile) -> None:
    marked = entry.id.startswith(SYNTHETIC_CODE) or entry.name.zh.endswith(SYNTHETIC_NAME)
    if (entry.origin == "synthetic") != marked:
        problem = f"origin {entry.origin} with id {entry.id} and name {entry.name.zh}"
        mend = f"a made-up site, and no other, has an id from {SYNTHETIC_CODE} or a name to {SYNTHETIC_NAME}"
        raise document.error((*path, "origin"), problem, mend)
    if marked and not file.synthetic:
        mend = "set synthetic: true at the top, or take the site out: made-up and real sites share no store"
        raise document.error((*path, "origin"), f"a made-up site {entry.id} in a real region", mend)


def _check_overlap(document: Document, before: tuple[int, Site], after: tuple[int, Site]) -> None:
    (_, earlier), (index, later) = before, after
    if earlier.id != later.id or (earlier.end is not None and earlier.end <= later.start):
        return
    until = "without end" if earlier.end is None else f"to {beijing(earlier.end - DAY_MS):%Y-%m-%d}"
    problem = f"{later.id} holds already from {beijing(earlier.start):%Y-%m-%d} {until}"
    mend = "let the earlier entry end (to) on the day before this one begins, or give another id"
    raise document.error(("sites", index, "from"), problem, mend)
