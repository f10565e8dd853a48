"""Incidents: which events belong to one case, and which events make one.

An incident has a *key*: what it is about (a theme of the policy), the network, and the place, which is the site or an
area that it lies in, for example its firm. Two events of one key are one incident; of two keys they never are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from alerts.subjects import Subject

SYSTEM: Final = "system"
"""Network of events that are about this system itself: of no rule and no site that anybody knows."""
_SITE: Final = "site"


class Opening(StrEnum):
    """What an event does."""

    OPEN = "open"
    """It opens a case, unless its incident has one."""
    JOIN = "join"
    """It joins the open case of its incident, and opens none."""
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """Which events a row of the policy is about; what is empty or None takes all."""

    networks: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()
    factors: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    control: frozenset[str] = frozenset()
    """Entries of a section's setting ``control``, one of which it must have."""
    priorities: frozenset[int] = frozenset()
    backfilled: bool | None = None
    hint: bool | None = None
    unconfirmed: bool | None = None

    def takes(self, about: Subject) -> bool:
        """Return whether an event is meant."""
        event = about.event
        return (
            (not self.networks or (about.network or SYSTEM) in self.networks)
            and (not self.kinds or str(event.kind) in self.kinds)
            and (not self.rules or event.key.rule in self.rules)
            and (not self.factors or event.key.factor in self.factors)
            and (not self.classes or (about.site is not None and str(about.site.station_class) in self.classes))
            and (not self.control or bool(self.control & control_of(about)))
            and (not self.priorities or event.priority in self.priorities)
            and (self.backfilled is None or event.backfilled == self.backfilled)
            and (self.hint is None or event.hint == self.hint)
            and (self.unconfirmed is None or event.unconfirmed == self.unconfirmed)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningRow:
    """What the events of a selector do."""

    events: Selector
    then: Opening


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """How the incidents of a selector are told apart."""

    events: Selector
    by: str
    """``site``, or a type of area; of a site that lies in none of this type, the site."""
    theme: str = ""
    """What it is about; keeps, for example, silence apart from pollution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Which incident an event is part of."""

    key: str
    network: str
    place: str
    """Id of the site or area."""


def control_of(about: Subject) -> frozenset[str]:
    """Return a section's entries of ``control``; empty for other sites."""
    found = () if about.site is None else about.site.setting.get("control", ())
    return frozenset(str(one) for one in found)


def opening_of(about: Subject, rows: Sequence[OpeningRow]) -> Opening:
    """Return what an event does: the first row that takes it says; without one it is ignored."""
    return next((row.then for row in rows if row.events.takes(about)), Opening.IGNORE)


def incident_of(about: Subject, rows: Sequence[KeyRow]) -> Incident:
    """Return the incident of an event: the first row that takes it says; without one, its site and network."""
    row = next((row for row in rows if row.events.takes(about)), KeyRow(events=Selector(), by=_SITE))
    area = "" if row.by == _SITE else about.labels.get(row.by, "")
    by, place = (row.by, area) if area else (_SITE, about.event.key.site)
    network = about.network or SYSTEM
    return Incident(key=f"{network}:{row.theme}:{by}:{place}", network=network, place=place)
