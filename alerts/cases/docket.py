"""The docket: the cases that one transaction is about, and what it changes of them; values only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from alerts.cases.life import Moved
from alerts.cases.record import Case, CaseStep, Member, Occurrence, Party


@dataclass(slots=True, kw_only=True)
class Docket:
    """Cases as loaded and as changed. It holds, of each key and each event asked for, the newest case."""

    cases: dict[str, Case] = field(default_factory=dict)
    parties: dict[str, tuple[Party, ...]] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    """Event → its membership in its newest case."""
    by_key: dict[str, str] = field(default_factory=dict)
    """Key of an incident → its newest case."""
    occurrences: dict[str, list[Occurrence]] = field(default_factory=dict)
    """Key of an incident → those of the policy's period."""
    steps: list[CaseStep] = field(default_factory=list)
    """New ones, in order."""
    touched: set[str] = field(default_factory=set)
    """Cases that changed."""
    met: set[str] = field(default_factory=set)
    """Cases of which the parties changed."""
    joined: dict[tuple[str, str], Member] = field(default_factory=dict)
    """Memberships that are new or changed."""
    began: list[Occurrence] = field(default_factory=list)
    signed: list[str] = field(default_factory=list)
    """Repeats that count as acknowledged with their case."""
    sign_all: list[tuple[str, str, int]] = field(default_factory=list)
    """Case, author and time: all of its events are acknowledged with it."""
    close_all: list[tuple[str, str, int, str]] = field(default_factory=list)
    """Case, author, time and note: all of its events are closed with it."""

    def of_event(self, event: str) -> Case | None:
        """Return the newest case of an event; None when it has none."""
        member = self.members.get(event)
        return None if member is None else self.cases[member.case]

    def of_key(self, key: str) -> Case | None:
        """Return the newest case of an incident; None when it has none."""
        case = self.by_key.get(key)
        return None if case is None else self.cases[case]

    def put(self, moved: Moved) -> None:
        """Note what became of a case."""
        case = moved.case
        self.cases[case.id] = case
        self.touched.add(case.id)
        self.steps.extend(moved.steps)

    def put_parties(self, case: str, parties: Sequence[Party]) -> None:
        """Note the parties of a case."""
        if tuple(parties) != self.parties.get(case, ()):
            self.parties[case] = tuple(parties)
            self.met.add(case)

    def join(self, member: Member) -> None:
        """Note that an event is a member of a case, or what became of it; the case's counts follow."""
        known = self.members.get(member.event)
        before = known if known is not None and known.case == member.case else None
        case = self.cases[member.case]
        self.cases[case.id] = replace(
            case,
            events=case.events + (before is None),
            live=case.live + member.live - (before is not None and before.live),
            going_on=case.going_on + member.goes_on - (before is not None and before.goes_on),
        )
        self.members[member.event] = member
        self.joined[member.case, member.event] = member
        self.touched.add(member.case)

    def begin(self, occurrence: Occurrence) -> None:
        """Note that an incident began or came back."""
        self.occurrences.setdefault(occurrence.key, []).append(occurrence)
        self.began.append(occurrence)

    def earlier(self, case: Case, since: int, *, same_factor: bool) -> tuple[Occurrence, ...]:
        """Return when the incident of a case began before, since an instant."""
        found: Iterable[Occurrence] = self.occurrences.get(case.key, ())
        return tuple(one for one in found if one.at >= since and (not same_factor or one.factor == case.factor))
