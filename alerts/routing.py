"""Routing: who is told of an event, and why; by role, area, river, firm, rota, department and tier.

The *own* level of a site is the lowest rung of the ladder (park and township, district, city, province) on which an
authority owns it. There go first notices, with the firm, the officers on duty up to the district, and every department
that subscribed. Higher rungs are told when an event climbs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from alerts.people import OWNERS, SUPERVISORS, Department, Duty, People, Person, Role, Scope, Side, Tier
from alerts.rotas import Ground, on_duty
from alerts.subjects import Subject


class Hit(StrEnum):
    """What of a scope fitted."""

    SITE = "site"
    AREA = "area"
    ALL = "all"
    """The duty is about everything."""


class Gap(StrEnum):
    """What was looked for and not found."""

    OWNER = "owner"
    """Nobody owns the site at any tier: itself an alarm."""
    TIER = "tier"
    """Nobody on this rung; the next one was taken."""
    ROTA = "rota"
    """A rota that has nobody on duty now."""
    SIDE = "side"
    """Nobody on one side of a handover section."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Why somebody is told."""

    role: Role
    hit: Hit
    where: str
    """The site or area that fitted; empty for everything."""
    rota: str = ""
    ground: Ground | None = None
    """How the rota came to this person."""
    instead_of: str = ""
    side: Side | None = None
    bank: str = ""
    """The area on that side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Somebody who is to be told."""

    person: Person
    department: Department | None
    role: Role
    """The first of the reasons."""
    tier: Tier
    why: tuple[Why, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Something that was looked for and not found."""

    gap: Gap
    where: str
    """The site, tier, rota or area."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Who is told of one subject."""

    recipients: tuple[Recipient, ...]
    """Each person once, owners first."""
    departments: tuple[str, ...]
    """Departments of the recipients, each once: they acknowledge for themselves."""
    missing: tuple[Missing, ...]
    tier: Tier | None
    """The rung that was taken when one was asked for; it may be higher than asked."""

    @property
    def owned(self) -> bool:
        """Whether somebody owns the site."""
        return all(missing.gap is not Gap.OWNER for missing in self.missing)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where duties are looked for: the site itself, or the other side of a handover section."""

    areas: tuple[str, ...]
    side: Side | None = None
    bank: str = ""


def route(subject: Subject, people: People, at_ms: int, tier: Tier | None = None) -> Route:
    """Return who is told of a subject.

    Parameters
    ----------
    subject
        The event with its site and areas.
    people
        Everybody.
    at_ms
        Milliseconds UTC: rotas are asked for this instant.
    tier
        None: the own level, officers on duty and subscribers. Else this rung, or the next one above that has somebody.
    """
    search = _Search(subject, people, at_ms)
    found: list[Recipient] = []
    taken: Tier | None = None
    for place in _places(subject, people):
        here = search.matched(people.duties, place)
        some = _own(here) if tier is None else _rung(here, tier, search.missing)
        if place.side is not None and not some:
            search.missing.append(Missing(gap=Gap.SIDE, where=place.bank))
        if tier is not None and place.side is None and some:
            taken = some[0].tier
        found += some
    if tier is None:
        found += search.matched(people.subscriptions, _Place(subject.areas))
    owned = is_owned(subject, people)
    if not owned:
        search.missing.append(Missing(gap=Gap.OWNER, where=subject.event.key.site))
    if people.fallback is not None and (not found or (tier is None and not owned)):
        found += search.persons(people.fallback, Why(role=Role.FALLBACK, hit=Hit.ALL, where=""))
    told = _each_once(found)
    departments = tuple(dict.fromkeys(one.person.department for one in told))
    return Route(recipients=told, departments=departments, missing=tuple(dict.fromkeys(search.missing)), tier=taken)


def is_owned(subject: Subject, people: People) -> bool:
    """Return whether anybody owns the site at any tier, whatever a rota says now."""
    return any(
        duty.role in OWNERS and scope_hit(duty.scope, subject, subject.areas) is not None for duty in people.duties
    )


def holders(duty: Duty, people: People, at_ms: int) -> tuple[Recipient, ...]:
    """Return who holds a duty at an instant; nobody where its rota has nobody, or its persons are gone."""
    names = [name for name in duty.persons if name in people.persons]
    why = Why(role=duty.role, hit=Hit.ALL, where="")
    found = [(name, why) for name in names]
    if duty.rota in people.rotas:
        now = on_duty(people.rotas[duty.rota], at_ms)
        if now.person:
            shown = replace(why, rota=duty.rota, ground=now.ground, instead_of=now.instead_of)
            found.append((now.person, shown))
    return tuple(_recipient(people, name, reason) for name, reason in found)


def next_rung(tier: Tier) -> Tier | None:
    """Return the rung above; None at the top."""
    return next((one for one in Tier if one.rank == tier.rank + 1), None)


def scope_hit(scope: Scope, subject: Subject, areas: Sequence[str]) -> tuple[Hit, str] | None:
    """Return what of a scope fits a subject that lies in these areas, nearest first; None when it does not."""
    fits = (
        (not scope.kinds or subject.network in scope.kinds)
        and (not scope.classes or subject.labels.get("class", "") in scope.classes)
        and (not scope.priorities or subject.priority in scope.priorities)
        and (not scope.rules or subject.event.key.rule in scope.rules)
    )
    if not fits:
        return None
    site = subject.event.key.site
    if site in scope.sites:
        return Hit.SITE, site
    for area in areas:
        if area in scope.areas:
            return Hit.AREA, area
    return None if scope.sites or scope.areas else (Hit.ALL, "")


def _places(subject: Subject, people: People) -> Iterator[_Place]:
    """Yield the site's own place, then the sides of a handover section that it does not lie in."""
    yield _Place(subject.areas)
    for bank in people.handovers.get(subject.event.key.site, ()):
        if bank.area not in subject.areas:
            yield _Place(bank.areas, bank.side, bank.area)


class _Search:
    def __init__(self, subject: Subject, people: People, at_ms: int) -> None:
        self.missing: list[Missing] = []
        self._subject, self._people, self._at = subject, people, at_ms

    def matched(self, duties: Sequence[Duty], place: _Place) -> list[Recipient]:
        """Return the persons of all duties that fit a place, in the file's order."""
        found: list[Recipient] = []
        for duty in duties:
            hit = scope_hit(duty.scope, self._subject, place.areas)
            if hit is None or (place.side is not None and hit[0] is not Hit.AREA):
                continue
            why = Why(role=duty.role, hit=hit[0], where=hit[1], side=place.side, bank=place.bank)
            found += self.persons(duty, why)
        return found

    def persons(self, duty: Duty, why: Why) -> list[Recipient]:
        """Return who holds a duty now."""
        found = [_recipient(self._people, name, why) for name in duty.persons]
        if duty.rota:
            now = on_duty(self._people.rotas[duty.rota], self._at)
            if now.person:
                shown = replace(why, rota=duty.rota, ground=now.ground, instead_of=now.instead_of)
                found.append(_recipient(self._people, now.person, shown))
            else:
                self.missing.append(Missing(gap=Gap.ROTA, where=duty.rota))
        return found


def _recipient(people: People, name: str, why: Why) -> Recipient:
    person = people.persons[name]
    department = people.departments.get(person.department)
    return Recipient(person=person, department=department, role=why.role, tier=person.tier, why=(why,))


def _own(here: Sequence[Recipient]) -> list[Recipient]:
    """Return the lowest rung of owners, the firm, and officers on duty up to the district."""
    ranks = [one.tier.rank for one in here if one.role in SUPERVISORS]
    own = min(ranks, default=None)
    most = max(Tier.DISTRICT.rank, own or 0)
    return [
        one
        for one in here
        if (one.role in SUPERVISORS and one.tier.rank == own)
        or one.role is Role.FIRM
        or (one.role in {Role.DUTY, Role.FIRST_ASKED} and one.tier.rank <= most)
    ]


def _rung(here: Sequence[Recipient], tier: Tier, missing: list[Missing]) -> list[Recipient]:
    """Return everybody on a rung but firms; the next one above when it is empty."""
    for rung in sorted({one.rank: one for one in reversed(Tier) if one.rank >= tier.rank}.values(), key=_rank):
        some = [one for one in here if one.tier.rank == rung.rank and one.role is not Role.FIRM]
        if some:
            return some
        missing.append(Missing(gap=Gap.TIER, where=(tier if rung.rank == tier.rank else rung).value))
    return []


def _rank(tier: Tier) -> int:
    return tier.rank


def _each_once(found: Sequence[Recipient]) -> tuple[Recipient, ...]:
    told: dict[str, Recipient] = {}
    for one in found:
        held = told.get(one.person.id)
        told[one.person.id] = one if held is None else replace(held, why=(*held.why, *one.why))
    return tuple(told.values())
