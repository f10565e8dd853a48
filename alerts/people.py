"""People: departments, persons and their addresses, duties, rotas and what departments subscribe to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from alerts.rotas import Rota


class Tier(StrEnum):
    """The level at which somebody works, in the order in which an alert climbs."""

    PARK = "park"
    TOWNSHIP = "township"
    DISTRICT = "district"
    CITY = "city"
    PROVINCE = "province"

    @property
    def rank(self) -> int:
        """Height on the ladder: park and township stand on the ground side by side (区–乡镇街道–园区)."""
        return _RANKS[self]


_RANKS: Final[Mapping[Tier, int]] = {
    Tier.PARK: 0, Tier.TOWNSHIP: 0, Tier.DISTRICT: 1, Tier.CITY: 2, Tier.PROVINCE: 3,
}  # fmt: skip


class Role(StrEnum):
    """As what somebody is told."""

    GRID_WORKER = "grid_worker"
    """网格员 of a township or park."""
    RIVER_CHIEF = "river_chief"
    """河长."""
    LAKE_CHIEF = "lake_chief"
    """湖长."""
    FIRM = "firm"
    """The one whom the firm named."""
    BUREAU = "bureau"
    """The officer of the bureau in charge."""
    DUTY = "duty"
    """值班."""
    FIRST_ASKED = "first_asked"
    """首问负责: stays in charge until somebody takes over."""
    SUBSCRIBER = "subscriber"
    """The department subscribed to it."""
    ASSIGNED = "assigned"
    """A case is with his department: it was handed over, sent back or urged."""
    FALLBACK = "fallback"
    """Nobody else was found."""


OWNERS: Final = frozenset({Role.GRID_WORKER, Role.RIVER_CHIEF, Role.LAKE_CHIEF, Role.FIRM, Role.BUREAU})
"""Roles that own a site; duty officers answer for everything and for nothing in particular."""
SUPERVISORS: Final = OWNERS - {Role.FIRM}
"""Owners on the side of the authorities, who make the ladder of tiers."""


class Branch(StrEnum):
    """What a department is; the eight of joint handling (应急, 公安, 消防, 水利, 交通, 城建, 气象, 生态环境)."""

    ECOLOGY = "ecology"
    EMERGENCY = "emergency"
    POLICE = "police"
    FIRE = "fire"
    WATER = "water"
    TRANSPORT = "transport"
    CONSTRUCTION = "construction"
    WEATHER = "weather"
    GOVERNMENT = "government"
    """A township, a district, the office of river chiefs."""
    PARK = "park"
    FIRM = "firm"
    UTILITY = "utility"
    """Waterworks, water company."""
    OTHER = "other"


class Side(StrEnum):
    """On which side of a handover section somebody stands."""

    UPSTREAM = "upstream"
    DOWNSTREAM = "downstream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """An office."""

    id: str
    branch: Branch
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who can be told."""

    id: str
    name_zh: str
    name_en: str
    department: str
    tier: Tier
    addresses: Mapping[str, str] = field(hash=False)
    """Name of a channel → address there; at least one."""
    language: str
    """``zh`` or ``en``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a duty or subscription is about.

    Sites and areas: any one of them, or everything when none is named. The rest must all fit; empty means any.
    """

    sites: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    priorities: frozenset[int] = frozenset()
    rules: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Who answers for what."""

    role: Role
    scope: Scope
    persons: tuple[str, ...] = ()
    rota: str = ""
    department: str = ""
    """Of a subscription: the department that subscribed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """One side of a handover section."""

    side: Side
    area: str
    """Of the registry, or a neighbour."""
    areas: tuple[str, ...]
    """The area and those above it."""
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Everybody of a system."""

    departments: Mapping[str, Department] = field(default_factory=dict, hash=False)
    persons: Mapping[str, Person] = field(default_factory=dict, hash=False)
    rotas: Mapping[str, Rota] = field(default_factory=dict, hash=False)
    duties: tuple[Duty, ...] = ()
    subscriptions: tuple[Duty, ...] = ()
    handovers: Mapping[str, tuple[Bank, ...]] = field(default_factory=dict, hash=False)
    """Site → its two sides."""
    fallback: Duty | None = None
    """Who is told when nobody else is found; None only where there is no people file."""


NOBODY: Final = People()
"""A system without a people file: nobody is told, and the desk is all there is."""
