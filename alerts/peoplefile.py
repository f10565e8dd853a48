"""The people file as it is written, and its reading: every name is held against the registry and the file itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from alerts.people import Bank, Branch, Department, Duty, People, Person, Role, Scope, Side, Tier
from alerts.rotas import DAY_MIN, Change, Leave, Rota, Shift, Swap, overlapping
from sensors.areas import closure
from sensors.clock import day_number
from sensors.errors import Problems
from sensors.factors import Names
from sensors.registry import SYNTHETIC_NAME, Registry
from sensors.registryfile import Id
from sensors.yamlfile import Document, read_yaml

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
_Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
_Time = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$")]
_Priority = Annotated[int, msgspec.Meta(ge=1, le=4)]
_Address = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
_Path = tuple[str | int, ...]
_SHOWN: Final = 8


class _Entry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What all parts of the file have in common: a key that nobody knows is an error."""


class DepartmentEntry(_Entry, frozen=True, kw_only=True):
    """One department."""

    id: Id
    branch: Branch
    name: Names


class PersonEntry(_Entry, frozen=True, kw_only=True):
    """One person."""

    id: Id
    name: Names
    department: Id
    tier: Tier
    language: Literal["zh", "en"] = "zh"
    addresses: dict[_Name, _Address]


class ShiftEntry(_Entry, frozen=True, kw_only=True):
    """One shift of the day, Beijing time."""

    start: _Time = msgspec.field(name="from")
    end: _Time = msgspec.field(name="to")


class SwapEntry(_Entry, frozen=True, kw_only=True):
    """One exception: somebody else takes a shift."""

    day: dt.date
    shift: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """From 1; left out: all of the day."""
    person: Id
    author: _Text
    why: _Text


class LeaveEntry(_Entry, frozen=True, kw_only=True):
    """One exception: somebody is away."""

    person: Id
    start: dt.date = msgspec.field(name="from")
    last: dt.date = msgspec.field(name="to")
    cover: Id | None = None
    author: _Text
    why: _Text


class RotaEntry(_Entry, frozen=True, kw_only=True):
    """One rota."""

    id: Id
    start: dt.date = msgspec.field(name="from")
    change: Change
    order: tuple[Id, ...]
    shifts: Annotated[tuple[ShiftEntry, ...], msgspec.Meta(min_length=1)]
    swaps: tuple[SwapEntry, ...] = ()
    leave: tuple[LeaveEntry, ...] = ()


class ScopeEntry(_Entry, frozen=True, kw_only=True):
    """What a duty or a subscription is about."""

    sites: tuple[Id, ...] = ()
    areas: tuple[Id, ...] = ()
    kinds: tuple[_Text, ...] = ()
    classes: tuple[_Text, ...] = ()
    priorities: tuple[_Priority, ...] = ()
    rules: tuple[_Text, ...] = ()


class DutyEntry(ScopeEntry, frozen=True, kw_only=True):
    """One duty."""

    role: Literal["grid_worker", "river_chief", "lake_chief", "firm", "bureau", "duty", "first_asked"]
    persons: tuple[Id, ...] = ()
    rota: Id | None = None


class SubscriptionEntry(ScopeEntry, frozen=True, kw_only=True):
    """What a department wants to be told of."""

    department: Id
    persons: tuple[Id, ...] = ()
    """Left out, without a rota: everybody of the department."""
    rota: Id | None = None


class FallbackEntry(_Entry, frozen=True, kw_only=True):
    """Who is told when nobody else is found."""

    persons: tuple[Id, ...] = ()
    rota: Id | None = None


class NeighbourEntry(_Entry, frozen=True, kw_only=True):
    """An area outside the registry: the other side of handover sections."""

    id: Id
    name: Names


class HandoverEntry(_Entry, frozen=True, kw_only=True):
    """The two sides of a handover section: areas of the registry or neighbours."""

    site: Id
    upstream: Id
    downstream: Id


class PeopleFile(_Entry, frozen=True, kw_only=True):
    """A whole people file."""

    synthetic: bool
    departments: Annotated[tuple[DepartmentEntry, ...], msgspec.Meta(min_length=1)]
    persons: Annotated[tuple[PersonEntry, ...], msgspec.Meta(min_length=1)]
    rotas: tuple[RotaEntry, ...] = ()
    neighbours: tuple[NeighbourEntry, ...] = ()
    handovers: tuple[HandoverEntry, ...] = ()
    duties: tuple[DutyEntry, ...] = ()
    subscriptions: tuple[SubscriptionEntry, ...] = ()
    fallback: FallbackEntry


_PARTS: Final[Mapping[str, type]] = {
    "departments": DepartmentEntry, "persons": PersonEntry, "rotas": RotaEntry, "neighbours": NeighbourEntry,
    "handovers": HandoverEntry, "duties": DutyEntry, "subscriptions": SubscriptionEntry,
}  # fmt: skip


def load_people(path: Path, registry: Registry | None, channels: Collection[str] | None = None) -> People:
    """Read a people file; without a registry its sites and areas are not checked, without channels its addresses.

    Raises
    ------
    ConfigError
        When it is not there or wrong: with file, line, key, problem and what to do.
    """
    return parse_people(read_yaml(path), registry, channels)


def parse_people(document: Document, registry: Registry | None, channels: Collection[str] | None = None) -> People:
    """Return the people that a document says.

    Parameters
    ----------
    document
        A people file.
    registry
        For its sites, areas and kinds; None: those are not checked.
    channels
        Names of the channels that there are; None: addresses are not checked.

    Raises
    ------
    ConfigError
        When a key is unknown, missing or of a wrong type; when a person, department, rota, site, area, kind or class
        is unknown; when a person has no address; when a rota has no persons or its shifts overlap; when made-up
        people are not marked. What else is wrong stands in its ``further``.
    """
    problems = Problems()
    mend = "give what docs and the delivered people.yaml show"
    file, places = document.read_parts(PeopleFile, _PARTS, mend, problems)
    reading = _Reading(document, file, registry, problems)
    reading.check_channels(places["persons"], channels)
    persons = reading.persons(places["persons"])
    rotas = reading.rotas(places["rotas"])
    made = People(
        departments=reading.departments(places["departments"]),
        persons=persons,
        rotas=rotas,
        duties=reading.duties(places["duties"]),
        subscriptions=reading.subscriptions(places["subscriptions"]),
        handovers=reading.handovers(places["handovers"]),
        fallback=reading.fallback(),
    )
    problems.raise_first()
    return made


class _Reading:
    """One file as it is read: what its entries may name, and where an error points at."""

    def __init__(self, document: Document, file: PeopleFile, registry: Registry | None, problems: Problems) -> None:
        self._document, self._file, self._registry, self._problems = document, file, registry, problems
        # ids of entries that are wrong otherwise are known all the same: one mistake, one error
        self._ids = {name: dict.fromkeys(_ids(document, name)) for name in ("departments", "persons", "rotas")}
        self._parents = {} if registry is None else {area.id: area.parent for area in registry.areas}
        neighbours = dict.fromkeys(_ids(document, "neighbours"))
        self._known: dict[str, Collection[str]] = dict(self._ids)
        if registry is not None:
            self._known |= {
                "sites": {site.id for site in registry.sites},
                "areas": {*self._parents, *neighbours},
                "kinds": set(registry.kinds),
                "classes": {str(site.station_class) for site in registry.sites},
            }

    def departments(self, places: Sequence[str | int]) -> dict[str, Department]:
        for place, entry in zip(places, self._file.departments, strict=True):
            with self._problems.kept():
                self._check_once("departments", place, entry.id)
        return {
            one.id: Department(id=one.id, branch=one.branch, name_zh=one.name.zh, name_en=one.name.en)
            for one in self._file.departments
        }

    def persons(self, places: Sequence[str | int]) -> dict[str, Person]:
        if self._registry is not None and self._registry.synthetic is not self._file.synthetic:
            told = "made-up people" if self._file.synthetic else "real people"
            what = "made-up" if self._registry.synthetic else "real"
            problem, mend = f"{told} in a {what} region", "keep made-up people and real ones apart"
            self._problems.found.append(self._document.error("synthetic", problem, mend))
        for place, entry in zip(places, self._file.persons, strict=True):
            path: _Path = ("persons", place)
            with self._problems.kept():
                self._check_once("persons", place, entry.id)
                self._check((*path, "department"), "departments", [entry.department])
                if not entry.addresses:
                    mend = "give at least one address: name of a channel, and where it reaches the person"
                    raise self._document.error((*path, "addresses"), f"{entry.id} has no address", mend)
                if self._file.synthetic and not entry.name.zh.endswith(SYNTHETIC_NAME):
                    mend = f"let it end in {SYNTHETIC_NAME}"
                    raise self._document.error((*path, "name"), "the name of a made-up person is not marked", mend)
        return {
            one.id: Person(
                id=one.id, name_zh=one.name.zh, name_en=one.name.en, department=one.department, tier=one.tier,
                addresses=dict(one.addresses), language=one.language,
            )
            for one in self._file.persons
        }  # fmt: skip

    def check_channels(self, places: Sequence[str | int], channels: Collection[str] | None) -> None:
        """Check that everybody's addresses are on channels that are there."""
        for place, entry in zip(places, self._file.persons, strict=True):
            for name in entry.addresses:
                if channels is not None and name not in channels:
                    with self._problems.kept():
                        mend = f"name one of {_some(channels)}, or add the channel to notices.yaml"
                        raise self._document.error(("persons", place, "addresses", name), f"no channel {name!r}", mend)

    def rotas(self, places: Sequence[str | int]) -> dict[str, Rota]:
        made: dict[str, Rota] = {}
        for place, entry in zip(places, self._file.rotas, strict=True):
            with self._problems.kept():
                self._check_once("rotas", place, entry.id)
                made[entry.id] = self._rota(entry, ("rotas", place))
        return made

    def _rota(self, entry: RotaEntry, path: _Path) -> Rota:
        if not entry.order:
            problem = f"rota {entry.id} has no persons"
            raise self._document.error((*path, "order"), problem, "name who takes turns, in order")
        self._check((*path, "order"), "persons", entry.order)
        shifts = tuple(Shift(start=_minutes(one.start), end=_minutes(one.end)) for one in entry.shifts)
        if (both := overlapping(shifts)) is not None:
            first, second = (f"{entry.shifts[one].start}-{entry.shifts[one].end}" for one in both)
            mend = "let a shift begin where the one before ends"
            raise self._document.error((*path, "shifts", both[1]), f"shifts {first} and {second} overlap", mend)
        return Rota(
            id=entry.id, order=entry.order, shifts=shifts, change=entry.change, first_day=day_number(entry.start),
            swaps=tuple(self._swap(one, entry, (*path, "swaps", at)) for at, one in enumerate(entry.swaps)),
            leave=tuple(self._leave(one, (*path, "leave", at)) for at, one in enumerate(entry.leave)),
        )  # fmt: skip

    def _swap(self, entry: SwapEntry, rota: RotaEntry, path: _Path) -> Swap:
        self._check((*path, "person"), "persons", [entry.person])
        if entry.shift is not None and entry.shift > len(rota.shifts):
            mend = f"name a shift from 1 to {len(rota.shifts)}"
            raise self._document.error((*path, "shift"), f"rota {rota.id} has no shift {entry.shift}", mend)
        shift = None if entry.shift is None else entry.shift - 1
        return Swap(day=day_number(entry.day), shift=shift, person=entry.person, author=entry.author, why=entry.why)

    def _leave(self, entry: LeaveEntry, path: _Path) -> Leave:
        self._check((*path, "person"), "persons", [entry.person])
        if entry.cover is not None:
            self._check((*path, "cover"), "persons", [entry.cover])
        if entry.last < entry.start:
            mend = "give the last day of the leave"
            raise self._document.error((*path, "to"), f"{entry.last} lies before {entry.start}", mend)
        return Leave(
            person=entry.person, first=day_number(entry.start), last=day_number(entry.last), cover=entry.cover or "",
            author=entry.author, why=entry.why,
        )  # fmt: skip

    def duties(self, places: Sequence[str | int]) -> tuple[Duty, ...]:
        made = []
        for place, entry in zip(places, self._file.duties, strict=True):
            with self._problems.kept():
                path: _Path = ("duties", place)
                self._check_held(entry.persons, entry.rota, path)
                scope = self._scope(entry, path)
                made.append(Duty(role=Role(entry.role), scope=scope, persons=entry.persons, rota=entry.rota or ""))
        return tuple(made)

    def subscriptions(self, places: Sequence[str | int]) -> tuple[Duty, ...]:
        made = []
        for place, entry in zip(places, self._file.subscriptions, strict=True):
            with self._problems.kept():
                path: _Path = ("subscriptions", place)
                self._check((*path, "department"), "departments", [entry.department])
                of_it = tuple(one.id for one in self._file.persons if one.department == entry.department)
                persons = entry.persons or (() if entry.rota else of_it)
                if not persons and entry.rota is None:
                    mend = "add a person of this department, or name persons or a rota here"
                    raise self._document.error(path, f"nobody works at {entry.department}", mend)
                self._check_held(persons, entry.rota, path)
                scope = self._scope(entry, path)
                role, rota = Role.SUBSCRIBER, entry.rota or ""
                made.append(Duty(role=role, scope=scope, persons=persons, rota=rota, department=entry.department))
        return tuple(made)

    def handovers(self, places: Sequence[str | int]) -> dict[str, tuple[Bank, ...]]:
        made: dict[str, tuple[Bank, ...]] = {}
        for place, entry in zip(places, self._file.handovers, strict=True):
            path: _Path = ("handovers", place)
            with self._problems.kept():
                self._check((*path, "site"), "sites", [entry.site])
                if entry.site in made:
                    mend = "remove one of the two"
                    raise self._document.error((*path, "site"), f"the sides of {entry.site} are given already", mend)
                sides = ((Side.UPSTREAM, entry.upstream), (Side.DOWNSTREAM, entry.downstream))
                for side, area in sides:
                    self._check((*path, side.value), "areas", [area])
                made[entry.site] = tuple(self._bank(side, area) for side, area in sides)
        return made

    def _bank(self, side: Side, area: str) -> Bank:
        areas = closure((area,), self._parents)
        names = {one.id: (one.name.zh, one.name.en) for one in self._file.neighbours}
        if self._registry is not None:
            names |= {one.id: (one.name_zh, one.name_en) for one in self._registry.areas}
        name_zh, name_en = names.get(area, (area, area))
        return Bank(side=side, area=area, areas=areas, name_zh=name_zh, name_en=name_en)

    def fallback(self) -> Duty:
        entry = self._file.fallback
        with self._problems.kept():
            self._check_held(entry.persons, entry.rota, ("fallback",))
        return Duty(role=Role.FALLBACK, scope=Scope(), persons=entry.persons, rota=entry.rota or "")

    def _scope(self, entry: ScopeEntry, path: _Path) -> Scope:
        for key in ("sites", "areas", "kinds", "classes"):
            self._check((*path, key), key, getattr(entry, key))
        return Scope(
            sites=frozenset(entry.sites), areas=frozenset(entry.areas), kinds=frozenset(entry.kinds),
            classes=frozenset(entry.classes), priorities=frozenset(entry.priorities), rules=frozenset(entry.rules),
        )  # fmt: skip

    def _check_held(self, persons: Sequence[str], rota: str | None, path: _Path) -> None:
        if not persons and rota is None:
            raise self._document.error(path, "nobody holds this", "name persons or a rota")
        self._check((*path, "persons"), "persons", persons)
        if rota is not None:
            self._check((*path, "rota"), "rotas", [rota])

    def _check(self, path: _Path, what: str, names: Sequence[str]) -> None:
        known = self._known.get(what)
        for at, name in enumerate(names):
            if known is not None and name not in known:
                key = path if isinstance(_at(self._document.value, path), str) else (*path, at)
                raise self._document.error(key, f"no {_SINGULAR[what]} {name!r}", f"name one of {_some(known)}")

    def _check_once(self, part: str, place: str | int, name: str) -> None:
        entries = self._document.value[part]
        if any(isinstance(one, dict) and one.get("id") == name for one in entries[: int(place)]):
            raise self._document.error((part, place, "id"), f"{name} is given already", "give each an id of its own")


_SINGULAR: Final = {
    "departments": "department", "persons": "person", "rotas": "rota", "sites": "site", "areas": "area",
    "kinds": "kind of readings", "classes": "class",
}  # fmt: skip


def _ids(document: Document, part: str) -> Sequence[str]:
    entries = document.value.get(part) if isinstance(document.value, dict) else None
    some = entries if isinstance(entries, list) else []
    return [one["id"] for one in some if isinstance(one, dict) and isinstance(one.get("id"), str)]


def _at(value: object, path: _Path) -> object:
    for step in path:
        value = value[step]  # type: ignore[index]  # what msgspec read has this path
    return value


def _some(names: Collection[str]) -> str:
    shown = sorted(names)[:_SHOWN]
    return ", ".join(shown) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _minutes(time: str) -> int:
    hours, minutes = time.split(":")
    return (int(hours) * 60 + int(minutes)) % DAY_MIN
