"""Who would be told of a site's events and why, in Chinese and English: what ``jianhu alerts route SITE`` says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from alerts.people import People, Role, Side, Tier
from alerts.rotas import Ground
from alerts.routing import Gap, Hit, Missing, Recipient, Route, Why, route
from alerts.subjects import subject_of_site
from alerts.texts import Language
from sensors.errors import UnknownName
from sensors.registry import Registry

_Both = tuple[str, str]
_NAMES: Final[Mapping[StrEnum, _Both]] = {
    Role.GRID_WORKER: ("网格员", "grid worker"),
    Role.RIVER_CHIEF: ("河长", "river chief"),
    Role.LAKE_CHIEF: ("湖长", "lake chief"),
    Role.FIRM: ("企业负责人", "firm"),
    Role.BUREAU: ("主管部门", "bureau"),
    Role.DUTY: ("值班", "on duty"),
    Role.FIRST_ASKED: ("首问负责", "first asked"),
    Role.SUBSCRIBER: ("订阅部门", "subscriber"),
    Role.ASSIGNED: ("承办单位", "assigned"),
    Role.FALLBACK: ("兜底值班", "fallback"),
    Tier.PARK: ("园区", "park"),
    Tier.TOWNSHIP: ("乡镇街道", "township"),
    Tier.DISTRICT: ("区", "district"),
    Tier.CITY: ("市", "city"),
    Tier.PROVINCE: ("省", "province"),
    Ground.TURN: ("轮值", "in turn"),
    Ground.SWAP: ("换班", "swapped"),
    Ground.COVER: ("代班", "covering"),
    Ground.NO_SHIFT: ("无班次", "no shift"),
    Ground.NOT_BEGUN: ("尚未开始", "not begun"),
    Ground.ALL_ON_LEAVE: ("全部请假", "all on leave"),
    Side.UPSTREAM: ("上游", "upstream"),
    Side.DOWNSTREAM: ("下游", "downstream"),
}
_HITS: Final[Mapping[Hit, _Both]] = {
    Hit.SITE: ("负责站点 {where}", "in charge of the site {where}"),
    Hit.AREA: ("负责区域 {where}", "in charge of {where}"),
    Hit.ALL: ("负责全部", "in charge of everything"),
}
_GAPS: Final[Mapping[Gap, _Both]] = {
    Gap.OWNER: ("没有责任人：{where}", "nobody owns {where}"),
    Gap.TIER: ("{where}一级没有人，转上一级", "nobody at the level {where}: the next one is told"),
    Gap.ROTA: ("值班表 {where} 此刻无人", "rota {where} has nobody now"),
    Gap.SIDE: ("交接断面的 {where} 一侧没有人", "nobody on the side {where} of the handover section"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteReport:
    """Who would be told of an event at a site."""

    site: str
    name: str
    """Of the site or area, in the language asked for."""
    route: Route
    lines: tuple[str, ...]
    """One for each person with the reasons, then what is missing."""


def route_report(
    site: str,
    people: People,
    registry: Registry,
    at_ms: int,
    *,
    priority: int = 3,
    network: str = "",
    tier: Tier | None = None,
    language: Language = Language.ZH,
) -> RouteReport:
    """Return who would be told of an event of a site or area at an instant, and why.

    Parameters
    ----------
    site
        Id of a site or an area.
    people, registry
        Of this system.
    at_ms
        Milliseconds UTC.
    priority
        Of the event that is thought of, 1 to 4.
    network
        The kind of readings; empty: the site's own.
    tier
        None: first notices; else whom it would climb to.
    language
        Of the lines.

    Raises
    ------
    UnknownName
        When neither a site nor an area has this id.
    """
    entry = registry.get(site, at_ms) or registry.get(site)
    names = (entry.name_zh, entry.name_en) if entry is not None else _area_names(registry, site)
    if names is None:
        raise UnknownName("the registry", site)
    found = route(subject_of_site(site, network, priority, registry, at_ms), people, at_ms, tier)
    lines = explain(found, registry, people, language)
    return RouteReport(site=site, name=names[_place(language)], route=found, lines=lines)


def explain(found: Route, registry: Registry, people: People, language: Language = Language.ZH) -> tuple[str, ...]:
    """Return in words who is told and why, one line a person, then what is missing."""
    words = _Words(registry, people, language)
    return (*(words.recipient(one) for one in found.recipients), *(words.missing(one) for one in found.missing))


def route_name(one: Role | Tier | Side | Ground, language: Language = Language.ZH) -> str:
    """Return what a role, tier, side or ground is called."""
    return _NAMES[one][_place(language)]


class _Words:
    def __init__(self, registry: Registry, people: People, language: Language) -> None:
        self._registry, self._people, self._at = registry, people, _place(language)
        self._colon, self._stop = ("：", "；") if language is Language.ZH else (": ", "; ")

    def recipient(self, one: Recipient) -> str:
        person, department = one.person, one.department
        office = "" if department is None else (department.name_zh, department.name_en)[self._at]
        head = f"{(person.name_zh, person.name_en)[self._at]} ({office}, {_NAMES[one.tier][self._at]})"
        return head + self._colon + self._stop.join(self._why(why) for why in one.why)

    def missing(self, one: Missing) -> str:
        where = _NAMES[Tier(one.where)][self._at] if one.gap is Gap.TIER else self._name(one.where)
        return _GAPS[one.gap][self._at].format(where=where)

    def _why(self, why: Why) -> str:
        parts = [_NAMES[why.role][self._at], _HITS[why.hit][self._at].format(where=self._name(why.where))]
        if why.side is not None:
            parts.append(_NAMES[why.side][self._at])
        if why.rota and why.ground is not None:
            instead = self._people.persons.get(why.instead_of)
            stands = "" if instead is None else f" ← {(instead.name_zh, instead.name_en)[self._at]}"
            parts.append(f"{why.rota} {_NAMES[why.ground][self._at]}{stands}")
        return ", ".join(parts)

    def _name(self, where: str) -> str:
        """Return the name of a site, area, neighbour or rota; its id where it has none."""
        site = self._registry.get(where)
        if site is not None:
            return (site.name_zh, site.name_en)[self._at]
        names = _area_names(self._registry, where)
        banks = (bank for sides in self._people.handovers.values() for bank in sides if bank.area == where)
        neighbour = next(((bank.name_zh, bank.name_en) for bank in banks), None)
        found = names or neighbour
        return where if found is None else found[self._at]


def _area_names(registry: Registry, area: str) -> _Both | None:
    return next(((one.name_zh, one.name_en) for one in registry.areas if one.id == area), None)


def _place(language: Language) -> int:
    return 0 if language is Language.ZH else 1
