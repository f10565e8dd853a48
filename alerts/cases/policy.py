"""The policy of cases, as values: what opens one, how incidents are told apart, deadlines, parties, recurrence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from alerts.cases.deadlines import Calendar, Deadlines, Tier
from alerts.cases.incidents import KeyRow, OpeningRow, Selector
from alerts.cases.record import Need, Role, StepKind
from alerts.cases.responses import ResponseKind, ResponsePolicy
from alerts.cases.states import CaseAct, CaseState
from alerts.subjects import Subject


class Repeats(StrEnum):
    """What becomes of a repeat: an event that joins a case which somebody acknowledged already."""

    SIGN = "sign"
    """It counts as acknowledged with its case, when it is not more urgent."""
    LEAVE = "leave"
    """A person acknowledges each one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedRow:
    """Whose acknowledgement the cases of a selector need."""

    events: Selector
    need: Need


class PartySource(StrEnum):
    """Where a party's name stands."""

    AREA = "area"
    """The site's area of this type."""
    DEPARTMENT = "department"
    """The name itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyRow:
    """Who is a party of the cases of a selector."""

    events: Selector
    source: PartySource
    name: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """When an incident that comes again is a matter of its own (重发复发)."""

    period_ms: int
    count: int
    """From which occurrence in the period on its priority is raised by one."""
    same_factor: bool
    """Whether only occurrences of the same factor count."""
    highest: int
    """The most urgent priority that it may bring."""
    tier: Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """What an act must bring."""

    note: bool = False
    evidence: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BlackList:
    """When a place is proposed for the black-list (黑名单)."""

    period_ms: int
    points: Mapping[StepKind, int]
    """Kind of step → points."""
    listed_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePolicy:
    """All that an office decides about its cases."""

    openings: tuple[OpeningRow, ...]
    keys: tuple[KeyRow, ...]
    needs: tuple[NeedRow, ...]
    parties: tuple[PartyRow, ...]
    repeats: Repeats
    relapse_ms: int
    """An event of a case that was written off so short a time ago opens it again."""
    recurrence: Recurrence
    deadlines: Mapping[int, Deadlines]
    """By priority, 1 to 4."""
    owed: Mapping[CaseAct, Owed]
    notify: Mapping[StepKind, Tier]
    """Steps of which people are told, and whom."""
    black_list: BlackList
    calendar: Calendar
    may_go_on: frozenset[str]
    """Kinds of rules of which a case may be written off while an event goes on, as a used-up quota does all year."""

    responses: Mapping[ResponseKind, ResponsePolicy]

    def due_at(self, state: CaseState, priority: int, since: int) -> int | None:
        """Return until when a state is to be left; None for what is written off."""
        lapse = self.deadlines[priority].due.get(state)
        return None if lapse is None else lapse.after(since, self.calendar)

    def need_of(self, about: Subject) -> Need:
        """Return whose acknowledgement a case needs that an event opens; anybody's where no row says."""
        return next((row.need for row in self.needs if row.events.takes(about)), Need.ANY)

    def parties_of(self, about: Subject) -> Iterator[tuple[str, Role]]:
        """Give the parties of a case that an event opens, each once."""
        seen = set()
        for row in self.parties:
            found = _party(row, about) if row.events.takes(about) else ""
            if found and found not in seen:
                seen.add(found)
                yield found, row.role


def _party(row: PartyRow, about: Subject) -> str:
    """Return a party's id; empty when the registry does not say."""
    match row.source:
        case PartySource.AREA:
            area = about.labels.get(row.name, "")
            return f"area:{area}" if area else ""
        case PartySource.DEPARTMENT:
            return f"department:{row.name}"
