"""What each step of an event's history does to the cases: opens one, joins one, brings one back, says what became."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from alerts.cases.docket import Docket
from alerts.cases.evidence import Evidence, EvidenceKind
from alerts.cases.incidents import Incident, Opening, incident_of, opening_of
from alerts.cases.life import MACHINE, Ask, Moved, act, pressed, reopen, tell, timed, waited_for
from alerts.cases.policy import CasePolicy, Owed, Repeats
from alerts.cases.record import Case, CaseStep, Member, Occurrence, Party, Role, StepKind
from alerts.cases.states import CaseAct, CaseState
from alerts.events import Change, Fact
from alerts.grades import OFTEN
from alerts.states import Deed, State
from alerts.subjects import Subject

Sharing = Callable[[Subject, int], Iterable[tuple[str, Role]]]
"""Gives who shares a case which an event opens at an instant: parties and why they are."""
_BACK: Final = frozenset({Change.RAISED_AGAIN, Change.WENT_ON, Change.PARTED})
"""Changes by which an event comes back; of a case that was written off, a relapse."""
_GONE: Final = frozenset({Change.CLEARED, Change.WITHDRAWN, Change.JOINED})


def alone(_about: Subject, _at: int) -> Iterable[tuple[str, Role]]:
    """Give nobody: where no people are known."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One step of an event's history."""

    about: Subject
    """The event as it was after the step, as far as the history says."""
    change: Change | Deed
    number: int
    author: str
    at: int
    """Wall clock, milliseconds UTC: when it was noticed; of acts of people, their time."""
    note: str = ""

    @property
    def event(self) -> str:
        """The id of the event."""
        return self.about.event.id

    @property
    def fact(self) -> Fact:
        """What had become of the event."""
        return self.about.event.fact


class Taking:
    """Steps of events, taken into a docket by a policy."""

    def __init__(self, docket: Docket, policy: CasePolicy, sharing: Sharing = alone) -> None:
        self._docket, self._policy, self._sharing = docket, policy, sharing

    def take(self, what: Happened) -> None:
        """Do what one step does."""
        case = self._docket.of_event(what.event)
        match what.change:
            case Deed.ACKNOWLEDGED:
                if case is not None:
                    self._acknowledge(case, what)
            case Deed.CLOSED:
                if case is not None and case.open:
                    self._tell(case, StepKind.EVENT_CLOSED, what)
            case change if case is not None:
                if change in _BACK and not case.open:
                    self._come_back(case, what)
                else:
                    self._note(case, what)
            case change if change not in _GONE:
                self._consider(what)

    def open(self, what: Happened, author: str, note: str) -> Case:
        """Open a case of an event, or join it to the one of its incident, because a person says so."""
        incident = incident_of(what.about, self._policy.keys)
        current = self._docket.of_key(incident.key)
        if current is not None and current.open:
            return self._join(current, what, Opening.OPEN)
        return self._open(incident, what, author=author, note=note)

    def _consider(self, what: Happened) -> None:
        """Let an event that has no case open or join one."""
        again = what.change not in {Change.RAISED, Change.RAISED_AGAIN}
        if again and what.about.event.state is State.CLOSED:
            return  # a person has ended it
        opening = opening_of(what.about, self._policy.openings)
        if opening is Opening.IGNORE:
            return
        incident = incident_of(what.about, self._policy.keys)
        current = self._docket.of_key(incident.key)
        if current is not None and current.open:
            self._join(current, what, opening)
        elif opening is Opening.OPEN and current is not None and self._is_relapse(current, what.at):
            self._reopen(current, what)
        elif opening is Opening.OPEN:
            self._open(incident, what)

    def _is_relapse(self, case: Case, at: int) -> bool:
        return case.written_off_at is not None and at - case.written_off_at <= self._policy.relapse_ms

    def _come_back(self, case: Case, what: Happened) -> None:
        """Take an event of a case that was written off and comes back itself."""
        current = self._docket.of_key(case.key) or case
        if current.open:
            self._join(current, what, Opening.OPEN)
        elif self._is_relapse(current, what.at):
            self._reopen(current, what)
        else:
            incident = Incident(key=case.key, network=case.network, place=case.place)
            self._open(incident, what)

    def _open(self, incident: Incident, what: Happened, author: str = "", note: str = "") -> Case:
        event, policy = what.about.event, self._policy
        case = Case(
            id=case_id(incident.key, event.id, what.number), key=incident.key, network=incident.network,
            place=incident.place, site=event.key.site, rule=event.key.rule, factor=event.key.factor,
            kind=str(event.kind), synthetic=what.about.synthetic, priority=event.priority,
            need=policy.need_of(what.about), opened_at=what.at, opened_by=event.id, entered_at=what.at,
        )  # fmt: skip
        case = timed(case, policy.due_at(case.state, case.priority, what.at), policy)
        case, recurred = self._recur(case, what)
        opened = tell(
            case, StepKind.OPENED, policy, at=what.at, evidence={"event": event.id}, author=author or MACHINE,
            reason=note,
        )  # fmt: skip
        self._docket.put(Moved(case=case, parties=(), steps=(opened, *recurred)))
        self._docket.by_key[case.key] = case.id
        self._docket.put_parties(case.id, tuple(self._parties(what)))
        self._docket.join(Member(case=case.id, event=event.id, fact=what.fact, at=what.at, repeat=False))
        return self._docket.cases[case.id]

    def _parties(self, what: Happened) -> Iterable[Party]:
        seen = set()
        named = self._sharing(what.about, what.at)
        for party, role in (*self._policy.parties_of(what.about), *named):
            if party not in seen:
                seen.add(party)
                yield Party(id=party, role=role, since=what.at)

    def _reopen(self, case: Case, what: Happened) -> None:
        moved = reopen(case, self._docket.parties.get(case.id, ()), what.event, what.at, self._policy)
        after, recurred = self._recur(moved.case, what)
        self._docket.put(replace(moved, case=after, steps=(*moved.steps, *recurred)))
        self._docket.put_parties(case.id, moved.parties)
        self._join(after, what, Opening.OPEN)

    def _recur(self, case: Case, what: Happened) -> tuple[Case, tuple[CaseStep, ...]]:
        """Count an incident that begins; from the policy's occurrence on it is pressing, and linked to the others.

        An event that its rule made more pressing for coming often does not count twice.
        """
        rule, policy, at = self._policy.recurrence, self._policy, what.at
        earlier = self._docket.earlier(case, at - rule.period_ms, same_factor=rule.same_factor)
        self._docket.begin(Occurrence(case=case.id, key=case.key, factor=case.factor, at=at))
        case = replace(case, occurrence=len(earlier) + 1)
        if case.occurrence < rule.count:
            return case, ()
        before = case.priority
        if case.priority > rule.highest and what.about.event.recurrence < OFTEN:
            case = pressed(case, case.priority - 1, at, policy)
        evidence = {
            "earlier": list(dict.fromkeys(one.case for one in earlier)), "occurrence": case.occurrence,
            "priority": [before, case.priority],
        }  # fmt: skip
        return case, (tell(case, StepKind.RECURRED, policy, at=at, tier=rule.tier, evidence=evidence),)

    def _join(self, case: Case, what: Happened, opening: Opening) -> Case:
        """Let an event join an open case: its incident repeats."""
        event, before = what.about.event, case
        known = self._docket.members.get(event.id)
        repeat = before.state is not CaseState.RAISED or before.events > 0
        bears = opening is Opening.OPEN
        self._docket.join(Member(case=case.id, event=event.id, fact=what.fact, at=what.at, repeat=repeat, bears=bears))
        if known is None or known.case != case.id:
            self._tell(self._docket.cases[case.id], StepKind.EVENT_ADDED, what)
        if before.withdrawn and not self._docket.cases[case.id].withdrawn:
            self._tell(self._docket.cases[case.id], StepKind.RESTORED, what)
        taken = case.state is not CaseState.RAISED and event.priority >= case.priority
        if taken and self._policy.repeats is Repeats.SIGN and event.state is State.RAISED:
            self._docket.signed.append(event.id)
        self._press(case.id, what, opening)
        return self._docket.cases[case.id]

    def _press(self, case_id: str, what: Happened, opening: Opening) -> None:
        """Let a case be as urgent as an event of it that could have opened it."""
        case, priority = self._docket.cases[case_id], what.about.event.priority
        if opening is Opening.OPEN and priority < case.priority:
            after = pressed(case, priority, what.at, self._policy)
            self._docket.put(Moved(case=after, parties=(), steps=()))
            self._tell(after, StepKind.PRIORITY_RAISED, what)

    def _note(self, case: Case, what: Happened) -> None:
        """Note what became of an event of a case."""
        member = self._docket.members[what.event]
        opening = opening_of(what.about, self._policy.openings)
        after = replace(member, fact=what.fact, bears=member.bears or opening is Opening.OPEN)
        if after != member:
            self._docket.join(after)
            self._tell_facts(case, what)
        if case.open:
            self._press(case.id, what, opening)

    def _tell_facts(self, case: Case, what: Happened) -> None:
        """Tell what a changed fact of one event makes of its case as a whole."""
        after = self._docket.cases[case.id]
        if not after.open:
            return
        if after.withdrawn != case.withdrawn:
            self._tell(after, StepKind.WITHDRAWN if after.withdrawn else StepKind.RESTORED, what)
        elif not after.withdrawn and (after.going_on == 0) != (case.going_on == 0):
            self._tell(after, StepKind.WENT_ON if after.going_on else StepKind.CLEARED, what)

    def _acknowledge(self, case: Case, what: Happened) -> None:
        """Let a person who acknowledged an event have acknowledged its case, where anybody may."""
        parties = self._docket.parties.get(case.id, ())
        if case.state is not CaseState.RAISED or waited_for(case, parties):
            return
        reference = Evidence(kind=EvidenceKind.EVENT, value=what.event)
        ask = Ask(act=CaseAct.ACKNOWLEDGE, author=what.author, at=what.at, evidence=(reference,))
        self._docket.put(act(case, parties, ask, self._policy, owed=Owed()))
        self._docket.sign_all.append((case.id, what.author, what.at))

    def _tell(self, case: Case, kind: StepKind, what: Happened) -> None:
        author, note = (what.author, what.note) if kind is StepKind.EVENT_CLOSED else (MACHINE, "")
        evidence = {"event": what.event}
        step = tell(case, kind, self._policy, at=what.at, evidence=evidence, author=author, reason=note)
        self._docket.put(Moved(case=case, parties=(), steps=(step,)))


def case_id(key: str, event: str, number: int) -> str:
    """Return the id of a case that a step of an event opens."""
    return hashlib.sha256("\x1f".join((key, event, str(number))).encode()).hexdigest()[:20]
