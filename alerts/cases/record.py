"""A case, its parties and its steps, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from alerts.cases.deadlines import Tier
from alerts.cases.states import CaseReason, CaseState, Verdict
from alerts.events import Fact


class Need(StrEnum):
    """Whose acknowledgement a case needs."""

    ANY = "any"
    """Anybody's."""
    SIDES = "sides"
    """That of both sides of the section, each for itself."""
    ALL = "all"
    """Every party's, each for itself."""


class Role(StrEnum):
    """Why somebody is a party."""

    SIDE = "side"
    """One side of a handover section."""
    JOINT = "joint"
    """A department that handles it with others (联合处置)."""
    OWNER = "owner"
    """It was handed over to him."""


class StepKind(StrEnum):
    """What a step of a case's history is."""

    OPENED = "opened"
    EVENT_ADDED = "event_added"
    EVENT_CLOSED = "event_closed"
    """A person closed one of its events."""
    WITHDRAWN = "withdrawn"
    """Nothing is left of its events."""
    RESTORED = "restored"
    """Something is left of them after all."""
    CLEARED = "cleared"
    """All of its events have an end."""
    WENT_ON = "went_on"
    PRIORITY_RAISED = "priority_raised"
    RECURRED = "recurred"
    """The same incident again within the policy's period (重发复发); linked to the earlier ones."""
    OVERDUE = "overdue"
    REOPENED = "reopened"
    ACKNOWLEDGED = "acknowledged"
    PARTY_ACKNOWLEDGED = "party_acknowledged"
    VERIFIED = "verified"
    HANDED_OVER = "handed_over"
    SENT_BACK = "sent_back"
    URGED = "urged"
    RECTIFIED = "rectified"
    REPORTED = "reported"
    WRITTEN_OFF = "written_off"
    NOTED = "noted"
    INSPECTION = "inspection"
    """An inspection was ordered, or brought its result."""
    RESPONSE = "response"
    """A warning response to it was started, answered, adjusted or lifted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case as it stands. Times are milliseconds UTC of the wall clock."""

    id: str
    """Hash of the incident's key and the event that opened it; never changes."""
    key: str
    """Of the incident: see `alerts.cases.incidents`."""
    network: str
    place: str
    """Id of the site or area that the incident is about."""
    site: str
    """Of the event that opened it."""
    rule: str
    factor: str
    kind: str
    """Of the rule."""
    synthetic: bool
    priority: int
    """1 urgent to 4 early warning; only ever raised."""
    need: Need
    opened_at: int
    opened_by: str
    """The event."""
    state: CaseState = CaseState.RAISED
    verdict: Verdict = Verdict.OPEN
    live: int = 0
    """How many of the events that it rests on are neither withdrawn nor joined to another one."""
    going_on: int = 0
    """How many of them have no end yet."""
    events: int = 0
    occurrence: int = 1
    """Which one it is of its incident in the policy's period."""
    reopened: int = 0
    entered_at: int
    """Since when it is in its state."""
    due_at: int | None = None
    """Until when it is to leave it; None only when it is written off."""
    rungs: int = 0
    """How many steps of the overdue escalation were taken."""
    next_at: int | None = None
    """When the next one is."""
    acknowledged_by: str = ""
    acknowledged_at: int | None = None
    owner: str = ""
    """The party that is to put it right; empty before the handover."""
    written_off_at: int | None = None
    number: int = 0
    """Of the step that opened it; 0 before it is kept."""
    changed: int = 0
    """Of its newest step."""

    @property
    def withdrawn(self) -> bool:
        """Whether nothing is left of the events that it rests on."""
        return self.events > 0 and self.live == 0

    @property
    def open(self) -> bool:
        """Whether it waits for somebody."""
        return self.state is not CaseState.WRITTEN_OFF

    def overdue(self, now: int) -> bool:
        """Return whether it should have left its state before now."""
        return self.due_at is not None and self.due_at <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Somebody who is to acknowledge a case for himself."""

    id: str
    """``area:<id>``, ``department:<id>``, or ``other:<name>`` of whom nobody registered."""
    role: Role
    since: int
    acknowledged_by: str = ""
    acknowledged_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An event of a case."""

    case: str
    event: str
    fact: Fact
    at: int
    """Wall clock when it joined."""
    repeat: bool
    """Whether it came while the case was open already."""
    bears: bool = True
    """Whether the case rests on it: it could have opened one; a hint or an early warning only stands beside it."""

    @property
    def live(self) -> bool:
        """Whether the case rests on it, and it is an event of its own still."""
        return self.bears and self.fact in {Fact.GOING_ON, Fact.CLEARED}

    @property
    def goes_on(self) -> bool:
        """Whether the case rests on it, and it has no end yet."""
        return self.bears and self.fact is Fact.GOING_ON


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStep:
    """One step of a case's history; it has its number once it is kept."""

    case: str
    kind: StepKind
    state: CaseState
    """After it."""
    author: str
    at: int
    """When it was done, or was due; milliseconds UTC."""
    code: CaseReason | None = None
    reason: str = ""
    """In the author's words; else the text of ``code``."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    party: str = ""
    tier: Tier = Tier.OWN
    """Who is to be told, when ``notify``."""
    notify: bool = False
    number: int = 0
    noticed_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """That an incident began, or came back."""

    case: str
    key: str
    factor: str
    at: int
