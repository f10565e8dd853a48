"""The registry: which sites exist, of which class, where, and from when to when.

A YAML file (``data/registry.schema.json``) says it; dates are whole Beijing days, both inside.
A site that moves keeps its id and gets a second entry whose dates do not touch the first.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from sensors.areas import Area, Flow, closure, first_cycle
from sensors.clock import DAY_MS, HOUR_MS, MINUTE_MS, beijing, day_number, first_hour_of_day
from sensors.errors import Problems, UnknownName
from sensors.facts import FactType, check_setting
from sensors.kinds import Kind, kind_names, load_kind
from sensors.registryfile import AreaEntry, AreaType, FlowEntry, RegistryFile, SiteEntry, registry_schema
from sensors.yamlfile import Document, read_yaml

__all__ = [
    "Absence", "Area", "AreaType", "Flow", "Registry", "Site", "StationClass", "load_registry", "parse_registry",
    "registry_schema",
]  # fmt: skip

SYNTHETIC_CODE = "SYN-"
"""How the id of a site begins that no document names."""
SYNTHETIC_NAME = "（模拟）"
"""How the Chinese name of such a site ends."""


class StationClass(StrEnum):
    """What an air station stands for; the classes of every kind stand in its file."""

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
    station_class: str
    """One of the kind's classes."""
    lon: float
    """Degrees east."""
    lat: float
    """Degrees north."""
    county: str
    township: str
    zone: int
    """Function class of GB 3095: 1 or 2; 0 for kinds that have none."""
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
    areas: tuple[str, ...] = ()
    """Ids of the areas that it lies in: the direct ones first, then those above."""
    measures: tuple[str, ...] = ()
    """Factors for which it has an instrument; empty: all of its kind that are not optional."""
    setting: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What its kind asks of it beyond this (`sensors.kinds.Kind.facts`)."""

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
    areas: tuple[Area, ...] = ()
    flows: tuple[Flow, ...] = ()
    _by_id: dict[str, tuple[Site, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_id: dict[str, list[Site]] = {}
        for entry in self.sites:
            by_id.setdefault(entry.id, []).append(entry)
        object.__setattr__(self, "_by_id", {site: tuple(entries) for site, entries in by_id.items()})

    @property
    def kinds(self) -> tuple[str, ...]:
        """Names of the kinds that have a site, in order."""
        return tuple(sorted({entry.kind for entry in self.sites}))

    def entries(self, site: str) -> tuple[Site, ...]:
        """Return all entries of an id in order of time; empty when there are none."""
        return self._by_id.get(site, ())

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

    def area(self, area: str) -> Area:
        """Return an area.

        Raises
        ------
        UnknownName
            When there is none.
        """
        for found in self.areas:
            if found.id == area:
                return found
        raise UnknownName("the registry's areas", area)

    def members(self, area: str, kind: str, at_ms: int) -> tuple[Site, ...]:
        """Return the entries of a kind that lie in an area, at whatever depth, and hold at an instant."""
        return tuple(
            entry for entry in self.sites if entry.kind == kind and area in entry.areas and entry.holds_at(at_ms)
        )

    def upstream(self, site: str) -> tuple[Flow, ...]:
        """Return what flows to a site."""
        return tuple(flow for flow in self.flows if flow.downstream == site)

    def downstream(self, site: str) -> tuple[Flow, ...]:
        """Return where a site's water flows to."""
        return tuple(flow for flow in self.flows if flow.upstream == site)


_Path = tuple[str | int, ...]
PERIOD_MS: Final[Mapping[str, int]] = {
    "minute": MINUTE_MS, "10min": 10 * MINUTE_MS, "hour": HOUR_MS, "4h": 4 * HOUR_MS, "day": DAY_MS,
}  # fmt: skip
"""How a registry writes a site's period."""
_MEND: Final = "give what sensors/data/registry.schema.json allows"


def load_registry(path: Path) -> Registry:
    """Read a registry file; kinds of the user's own stand in the folder ``kinds`` beside it.

    Raises
    ------
    ConfigError
        When it is not there or wrong: with file, line, key, problem and what to do.
    """
    return parse_registry(read_yaml(path), path.parent / "kinds")


def parse_registry(document: Document, kinds: Path | None = None) -> Registry:
    """Return the registry that a document says.

    Parameters
    ----------
    document
        A registry file.
    kinds
        Folder of kind files beside the delivered ones; it need not be there.

    Raises
    ------
    ConfigError
        When a key is unknown, missing, of a wrong type or out of bounds; when dates end before they
        begin or two entries of one id overlap; when made-up and real sites are not told apart; when an
        area, site, kind or class is unknown; when areas or rivers run in a circle. What else is wrong
        stands in its ``further``.
    """
    problems = Problems()
    parts = {"sites": SiteEntry, "areas": AreaEntry, "flows": FlowEntry}
    file, places = document.read_parts(RegistryFile, parts, _MEND, problems)
    known = _Known(document, file, kinds)
    areas = _areas(known, places["areas"], problems)
    parents = {area.id: area.parent for area in areas}
    sites: list[tuple[int, Site]] = []
    for place, entry in zip(places["sites"], file.sites, strict=True):
        with problems.kept():
            sites.append((place, _site(known, entry, ("sites", place), parents)))
    sites.sort(key=lambda item: (item[1].id, item[1].start))
    for before, after in pairwise(sites):
        with problems.kept():
            _check_overlap(document, before, after)
    flows = _flows(known, places["flows"], problems)
    problems.raise_first()
    return Registry(
        region_zh=file.region.zh,
        region_en=file.region.en,
        synthetic=file.synthetic,
        sites=tuple(site for _, site in sites),
        outline=file.outline,
        areas=areas,
        flows=flows,
    )


class _Known:
    """What the entries of a file may name."""

    def __init__(self, document: Document, file: RegistryFile, kinds: Path | None) -> None:
        self.document, self.file = document, file
        self.sites = dict.fromkeys(self._ids("sites"))
        self.areas = dict.fromkeys(self._ids("areas"))
        self._folder = kinds
        self._kinds: dict[str, Kind] = {}

    def _ids(self, key: str) -> Iterator[str]:
        """Yield the ids in a list of the file, also those of entries that are wrong otherwise."""
        for entry in self.document.value.get(key, ()):
            if isinstance(entry, dict) and isinstance(entry.get("id"), str):
                yield entry["id"]

    def kind(self, name: str, path: _Path) -> Kind:
        if name not in self._kinds:
            try:
                self._kinds[name] = load_kind(name, self._folder)
            except UnknownName as cause:
                known = ", ".join(kind_names(self._folder))
                mend = f"name one of {known}, or write kinds/{name}.yaml beside the registry"
                raise self.document.error((*path, "kind"), f"no kind {name!r}", mend) from cause
        return self._kinds[name]


def _areas(known: _Known, places: tuple[int, ...], problems: Problems) -> tuple[Area, ...]:
    areas = known.file.areas
    ids = [area.id for area in areas]
    for count, (place, area) in enumerate(zip(places, areas, strict=True)):
        with problems.kept():
            _check_area(known, area, ("areas", place), ids[:count])
    cycle = first_cycle((area.id, area.parent) for area in areas if area.parent in ids)
    if not cycle:
        return tuple(
            Area(
                id=area.id,
                type=area.type,
                name_zh=area.name.zh,
                name_en=area.name.en,
                parent=area.parent,
                synthetic=area.origin == "synthetic",
                source=area.source,
            )
            for area in areas
        )
    with problems.kept():
        problem = f"areas lie in each other: {' > '.join(cycle)}"
        path = ("areas", places[ids.index(cycle[-2])], "parent")
        raise known.document.error(path, problem, "let the greatest of them have another parent, or null")
    return ()


def _check_area(known: _Known, area: AreaEntry, path: _Path, above: list[str]) -> None:
    if area.id in known.sites or area.id in above:
        what = "a site" if area.id in known.sites else "another area"
        raise known.document.error((*path, "id"), f"{area.id} is the id of {what}", "give each area an id of its own")
    if area.parent is not None and area.parent not in known.areas:
        mend = f"name one of {_some(known.areas)}, or null"
        raise known.document.error((*path, "parent"), f"no area {area.parent!r}", mend)
    _check_marking(known, area, path)


def _flows(known: _Known, places: tuple[int, ...], problems: Problems) -> tuple[Flow, ...]:
    document = known.document
    flows: dict[tuple[str, str], Flow] = {}
    lines: dict[tuple[str, str], _Path] = {}
    for place, entry in zip(places, known.file.flows, strict=True):
        reach = entry.upstream, entry.downstream
        with problems.kept():
            for key, site in zip(("from", "to"), reach, strict=True):
                if site not in known.sites:
                    problem = f"no site {site!r} in this registry"
                    raise document.error(("flows", place, key), problem, "register the site, or name another")
            if reach in flows:
                raise document.error(("flows", place), f"{' to '.join(reach)} is given already", "remove one")
            flows[reach] = Flow(upstream=entry.upstream, downstream=entry.downstream, hours=entry.hours)
            lines[reach] = ("flows", place, "to")
    cycle = first_cycle(flows)
    with problems.kept():
        if cycle:
            problem = f"the river runs in a circle: {' > '.join(cycle)}"
            raise document.error(lines[cycle[-2], cycle[-1]], problem, "remove or turn round one of these flows")
    return tuple(flows.values())


def _some(names: Collection[str]) -> str:
    shown = list(names)[:_SHOWN]
    return ", ".join(shown) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


_SHOWN: Final = 8
"""Names that an error lists."""


def _site(known: _Known, entry: SiteEntry, path: _Path, parents: Mapping[str, str | None]) -> Site:
    document = known.document
    _check_marking(known, entry, path)
    kind = known.kind(entry.kind, path)
    _check_named(known, entry, path, kind)
    start, end = _span(document, entry.start, entry.last, path)
    return Site(
        id=entry.id,
        kind=entry.kind,
        name_zh=entry.name.zh,
        name_en=entry.name.en,
        station_class=_station_class(document, entry, path, kind),
        lon=entry.lon,
        lat=entry.lat,
        county=entry.county,
        township=entry.township,
        zone=_zone(document, entry, path, kind),
        period_ms=_period_ms(document, entry, path, kind),
        synthetic=entry.origin == "synthetic",
        source=entry.source,
        start=start,
        end=end,
        not_in_plan=tuple(_absences(document, entry, path, kind)),
        assessment=entry.assessment,
        areas=closure(entry.areas, parents),
        measures=entry.measures,
        setting=check_setting(document, (*path, "setting"), entry.setting, kind),
    )


def _check_named(known: _Known, entry: SiteEntry, path: _Path, kind: Kind) -> None:
    """Check that the areas and sites that a site names are in the file."""
    for index, area in enumerate(entry.areas):
        if area not in known.areas:
            mend = f"name one of {_some(known.areas)}" if known.areas else "list it under areas at the top"
            raise known.document.error((*path, "areas", index), f"no area {area!r}", mend)
    for name, fact in kind.facts.items():
        other = entry.setting.get(name)
        if fact.type is FactType.SITE and isinstance(other, str) and other not in known.sites:
            problem = f"no site {other!r} in this registry"
            raise known.document.error((*path, "setting", name), problem, "register the site, or name another")


def _station_class(document: Document, entry: SiteEntry, path: _Path, kind: Kind) -> str:
    if entry.station_class not in kind.classes:
        problem = f"kind {kind.name} has no class {entry.station_class!r}"
        raise document.error((*path, "class"), problem, f"name one of {', '.join(kind.classes)}")
    return StationClass(entry.station_class) if entry.station_class in set(StationClass) else entry.station_class


def _zone(document: Document, entry: SiteEntry, path: _Path, kind: Kind) -> int:
    if kind.zoned and entry.zone is None:
        raise document.error((*path, "zone"), "missing", "add this key: 1 or 2, the function class of GB 3095")
    if entry.zone is not None and not kind.zoned:
        raise document.error((*path, "zone"), f"kind {kind.name} has no function class of air", "remove it")
    return entry.zone or 0


def _period_ms(document: Document, entry: SiteEntry, path: _Path, kind: Kind) -> int:
    def fits(period_ms: int) -> bool:
        return kind.fine_ms <= period_ms <= kind.slot_ms or (kind.own_days and period_ms == DAY_MS)

    if not fits(PERIOD_MS[entry.period]):
        problem = f"{entry.period} does not fit kind {kind.name}"
        raise document.error(
            (*path, "period"), problem, f"give {' or '.join(n for n, ms in PERIOD_MS.items() if fits(ms))}"
        )
    return PERIOD_MS[entry.period]


def _absences(document: Document, entry: SiteEntry, path: _Path, kind: Kind) -> Iterator[Absence]:
    """Yield what a site does not measure: what it says of dates, and all that it has no instrument for.

    Of what the index of air needs nothing is taken out of plan because ``measures`` leaves it out: that is an error.
    """
    for index, factor in enumerate(entry.measures):
        if factor not in kind.factors:
            problem = f"kind {entry.kind} has no factor {factor!r}"
            raise document.error((*path, "measures", index), problem, f"name one of {', '.join(kind.factors)}")
    always = _span(document, entry.start, entry.last, path)
    said = {absence.factor for absence in entry.not_in_plan}
    for factor in kind.factors if entry.measures else ():
        if factor not in entry.measures and _needs_author(kind, factor):
            if factor not in said:
                problem = f"{factor} is not among them, and the index of {kind.name} needs it or a word why not"
                mend = f"add it, or add not_in_plan with factor: {factor}, from, to, author and why"
                raise document.error((*path, "measures"), problem, mend)
        elif factor not in entry.measures:
            why = "not among what the site measures"
            yield Absence(factor=factor, start=always[0], end=always[1], author=entry.source, why=why)
    for index, absence in enumerate(entry.not_in_plan):
        here = (*path, "not_in_plan", index)
        if absence.factor not in kind.factors:
            problem = f"kind {entry.kind} has no factor {absence.factor!r}"
            raise document.error((*here, "factor"), problem, f"name one of {', '.join(kind.factors)}")
        start, end = _span(document, absence.start, absence.last, here)
        yield Absence(factor=absence.factor, start=start, end=end, author=absence.author, why=absence.why)


def _needs_author(kind: Kind, factor: str) -> bool:
    """Return whether only a dated entry with an author takes a factor out of plan: without it the index is of fewer."""
    return kind.zoned and not kind.factors[factor].optional


def _span(document: Document, first: dt.date, last: dt.date | None, path: _Path) -> tuple[int, int | None]:
    if last is not None and last < first:
        raise document.error((*path, "to"), f"{last} lies before {first}", "give the last day on which it holds")
    return _day_start(first), None if last is None else _day_start(last) + DAY_MS


def _day_start(day: dt.date) -> int:
    return first_hour_of_day(day_number(day)) * HOUR_MS


def _check_marking(known: _Known, entry: SiteEntry | AreaEntry, path: _Path) -> None:
    what = "site" if isinstance(entry, SiteEntry) else "area"
    marked = entry.id.startswith(SYNTHETIC_CODE) or entry.name.zh.endswith(SYNTHETIC_NAME)
    if (entry.origin == "synthetic") != marked:
        problem = f"origin {entry.origin} with id {entry.id} and name {entry.name.zh}"
        mend = f"a made-up {what}, and no other, has an id from {SYNTHETIC_CODE} or a name to {SYNTHETIC_NAME}"
        raise known.document.error((*path, "origin"), problem, mend)
    if marked and not known.file.synthetic:
        mend = f"set synthetic: true at the top, or take the {what} out: made-up and real {what}s share no store"
        raise known.document.error((*path, "origin"), f"a made-up {what} {entry.id} in a real region", mend)


def _check_overlap(document: Document, before: tuple[int, Site], after: tuple[int, Site]) -> None:
    (_, earlier), (index, later) = before, after
    if earlier.id != later.id or (earlier.end is not None and earlier.end <= later.start):
        return
    until = "without end" if earlier.end is None else f"to {beijing(earlier.end - DAY_MS):%Y-%m-%d}"
    problem = f"{later.id} holds already from {beijing(earlier.start):%Y-%m-%d} {until}"
    mend = "let the earlier entry end (to) on the day before this one begins, or give another id"
    raise document.error(("sites", index, "from"), problem, mend)
