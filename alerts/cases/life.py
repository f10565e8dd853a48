"""What happens to one case: acts of people, what becomes of its events, and time. Values in, values out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from alerts.cases.deadlines import Tier
from alerts.cases.evidence import EVIDENCE_MOST, NAME_LENGTH, NOTE_LENGTH, PARTY_LENGTH, Evidence, Lack
from alerts.cases.policy import CasePolicy, Owed
from alerts.cases.record import Case, CaseStep, Need, Party, Role, StepKind
from alerts.cases.states import (
    AFTER_ACKNOWLEDGEMENT,
    CaseAct,
    CaseReason,
    CaseState,
    NextCaseState,
    Standing,
    Verdict,
    WrongCaseAct,
    next_case_state,
)
from sensors.errors import JianhuError

MACHINE: Final = "jianhu"
"""Author of what no person did."""
_PARTY: Final = re.compile(r"(?:area|department|other):[^\x00-\x1f\x7f]{1,100}")


class ActIncomplete(JianhuError):
    """An act without what it must bring."""

    def __init__(self, act: CaseAct, lacks: Lack) -> None:
        self.act, self.lacks = act, lacks
        super().__init__(f"{act} of a case lacks: {lacks}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What somebody does with a case."""

    act: CaseAct
    author: str
    at: int
    """Milliseconds UTC."""
    note: str = ""
    evidence: tuple[Evidence, ...] = ()
    party: str = ""
    """For whom he acknowledges, rectifies or notes; empty: for the desk."""
    verdict: Verdict | None = None
    """Of `CaseAct.VERIFY`."""
    to: str = ""
    """Of `CaseAct.HAND_OVER`: the party that is to put it right."""
    due_at: int | None = None
    """Of `CaseAct.HAND_OVER` and `CaseAct.URGE`: until when; None: as the policy says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A case after something happened, and the steps that tell it."""

    case: Case
    parties: tuple[Party, ...]
    steps: tuple[CaseStep, ...]


_KINDS: Final[Mapping[CaseAct, StepKind]] = MappingProxyType({
    CaseAct.ACKNOWLEDGE: StepKind.ACKNOWLEDGED, CaseAct.VERIFY: StepKind.VERIFIED,
    CaseAct.HAND_OVER: StepKind.HANDED_OVER, CaseAct.URGE: StepKind.URGED, CaseAct.RECTIFY: StepKind.RECTIFIED,
    CaseAct.REPORT: StepKind.REPORTED, CaseAct.WRITE_OFF: StepKind.WRITTEN_OFF, CaseAct.REOPEN: StepKind.REOPENED,
    CaseAct.NOTE: StepKind.NOTED,
})  # fmt: skip
_BY_REASON: Final[Mapping[CaseReason, StepKind]] = MappingProxyType({
    CaseReason.PARTY_TOOK_NOTICE: StepKind.PARTY_ACKNOWLEDGED,
    CaseReason.SENT_BACK: StepKind.SENT_BACK,
})  # fmt: skip


def allowed_acts(case: Case, parties: Sequence[Party], policy: CasePolicy) -> tuple[CaseAct, ...]:
    """Return what may be done with a case now; a party that has not acknowledged may still do so."""
    waiting = any(party.acknowledged_at is None for party in parties)
    standing = _standing(case, policy)
    found = {act for act in CaseAct if next_case_state(case.state, act, standing).allowed}
    if waiting and case.state in AFTER_ACKNOWLEDGEMENT:
        found.add(CaseAct.ACKNOWLEDGE)
    return tuple(act for act in CaseAct if act in found)


def act(case: Case, parties: Sequence[Party], ask: Ask, policy: CasePolicy, owed: Owed | None = None) -> Moved:
    """Return a case after an act, which must bring what the policy says, or ``owed``.

    Raises
    ------
    WrongCaseAct
        When its state does not allow it; says why.
    ActIncomplete
        Without a name, or without the note, evidence, verdict or party that the act must bring.
    """
    if ask.act is CaseAct.ACKNOWLEDGE:
        moved, signed = _acknowledge(case, tuple(parties), ask, policy)
    else:
        moved, signed = next_case_state(case.state, ask.act, _standing(case, policy)), tuple(parties)
    if not moved.allowed:
        raise WrongCaseAct(case.id, ask.act, moved)
    ask = checked(ask, policy.owed.get(ask.act, Owed()) if owed is None else owed)
    after = _enter(_say(case, ask, moved), moved.state, ask, policy)
    if ask.act is CaseAct.HAND_OVER:
        signed = _with_owner(signed, ask)
    if ask.act is CaseAct.REOPEN:
        signed = _unsigned(signed, ask.at)
    step = _step(after, ask, moved, policy)
    return Moved(case=after, parties=signed, steps=(step,))


def waited_for(case: Case, parties: Sequence[Party]) -> tuple[Party, ...]:
    """Return the parties whose acknowledgement a case needs; none where anybody's will do."""
    match case.need:
        case Need.ANY:
            return ()
        case Need.SIDES:
            return tuple(party for party in parties if party.role is Role.SIDE)
        case Need.ALL:
            return tuple(parties)


def _standing(case: Case, policy: CasePolicy, *, enough: bool = True) -> Standing:
    ended = case.going_on == 0 or case.kind in policy.may_go_on
    return Standing(verdict=case.verdict, withdrawn=case.withdrawn, acknowledged_enough=enough, ended=ended)


def _acknowledge(
    case: Case, parties: tuple[Party, ...], ask: Ask, policy: CasePolicy
) -> tuple[NextCaseState, tuple[Party, ...]]:
    """Return the state after an acknowledgement, and who has signed then."""
    named = next((party for party in parties if party.id == ask.party), None)
    if ask.party and named is None:
        raise ActIncomplete(ask.act, Lack.PARTY)
    if named is not None and named.acknowledged_at is not None:
        again = NextCaseState(state=case.state, reason=CaseReason.ALREADY_ACKNOWLEDGED, allowed=False)
        return again, parties
    signed = tuple(
        replace(party, acknowledged_by=ask.author, acknowledged_at=ask.at) if party is named else party
        for party in parties
    )
    if named is not None and case.state in AFTER_ACKNOWLEDGEMENT:
        return NextCaseState(state=case.state, reason=CaseReason.PARTY_TOOK_NOTICE, allowed=True), signed
    if named is None and case.state is CaseState.RAISED and waited_for(case, parties):
        raise ActIncomplete(ask.act, Lack.PARTY)
    enough = all(party.acknowledged_at is not None for party in waited_for(case, signed))
    return next_case_state(case.state, ask.act, _standing(case, policy, enough=enough)), signed


def checked(ask: Ask, owed: Owed) -> Ask:
    """Return an act with its name and note stripped.

    Raises
    ------
    ActIncomplete
        When it lacks what it must bring.
    """
    ask = replace(ask, author=ask.author.strip(), note=ask.note.strip())
    if not 0 < len(ask.author) <= NAME_LENGTH:
        raise ActIncomplete(ask.act, Lack.NAME)
    if len(ask.note) > NOTE_LENGTH or (owed.note and not ask.note):
        raise ActIncomplete(ask.act, Lack.NOTE)
    if len(ask.evidence) > EVIDENCE_MOST or not all(piece.sound for piece in ask.evidence):
        raise ActIncomplete(ask.act, Lack.BAD_EVIDENCE)
    if owed.evidence and not ask.evidence:
        raise ActIncomplete(ask.act, Lack.EVIDENCE)
    if ask.act is CaseAct.VERIFY and ask.verdict in {None, Verdict.OPEN}:
        raise ActIncomplete(ask.act, Lack.VERDICT)
    if len(ask.party) > PARTY_LENGTH or (ask.party and not ask.party.isprintable()):
        raise ActIncomplete(ask.act, Lack.PARTY)
    if ask.act is CaseAct.HAND_OVER and _PARTY.fullmatch(ask.to) is None:
        raise ActIncomplete(ask.act, Lack.PARTY)
    if ask.due_at is not None and ask.due_at <= ask.at:
        raise ActIncomplete(ask.act, Lack.DUE)
    return ask


def _say(case: Case, ask: Ask, moved: NextCaseState) -> Case:
    """Return a case with what an act says of it, before it enters its state."""
    match ask.act:
        case CaseAct.ACKNOWLEDGE if moved.state is CaseState.ACKNOWLEDGED:
            return replace(case, acknowledged_by=ask.author, acknowledged_at=ask.at)
        case CaseAct.VERIFY:
            return replace(case, verdict=ask.verdict or case.verdict)
        case CaseAct.HAND_OVER:
            return replace(case, owner=ask.to)
        case CaseAct.WRITE_OFF:
            empty = moved.reason is CaseReason.NOTHING_TO_DO and case.verdict is not Verdict.PLANNED
            verdict = Verdict.DATA_FAULT if empty else case.verdict
            return replace(case, written_off_at=ask.at, verdict=verdict)
        case CaseAct.REOPEN:
            return _again(case)
        case _:
            return case


def _again(case: Case) -> Case:
    return replace(
        case, verdict=Verdict.OPEN, acknowledged_by="", acknowledged_at=None, owner="", written_off_at=None,
        reopened=case.reopened + 1,
    )  # fmt: skip


def _enter(case: Case, state: CaseState, ask: Ask, policy: CasePolicy) -> Case:
    """Return a case in a state, with the deadline of that state when it is new or the act brings one."""
    if state is case.state and ask.act in {CaseAct.NOTE, CaseAct.ACKNOWLEDGE, CaseAct.VERIFY}:
        return case
    case = replace(case, state=state, entered_at=ask.at if state is not case.state else case.entered_at)
    if ask.due_at is not None and ask.act in {CaseAct.HAND_OVER, CaseAct.URGE}:
        return timed(case, ask.due_at, policy)
    return timed(case, policy.due_at(state, case.priority, ask.at), policy)


def timed(case: Case, due_at: int | None, policy: CasePolicy) -> Case:
    """Return a case with a deadline, and the ladder of its escalation from the beginning."""
    first = policy.deadlines[case.priority].rung(0).after_ms
    return replace(case, due_at=due_at, rungs=0, next_at=None if due_at is None else due_at + first)


def _with_owner(parties: tuple[Party, ...], ask: Ask) -> tuple[Party, ...]:
    """Return the parties with the one that is to put it right, who has yet to sign for it."""
    owner = Party(id=ask.to, role=Role.OWNER, since=ask.at)
    return (*(party for party in parties if party.id != ask.to), owner)


def _step(case: Case, ask: Ask, moved: NextCaseState, policy: CasePolicy) -> CaseStep:
    kind = _BY_REASON.get(moved.reason, _KINDS[ask.act])
    facts: dict[str, Any] = {
        "verdict": str(case.verdict) if ask.act in {CaseAct.VERIFY, CaseAct.WRITE_OFF} else "",
        "to": [ask.to] if ask.to else [case.owner] if case.owner and kind is StepKind.URGED else [],
        "due_at": case.due_at if ask.act in {CaseAct.HAND_OVER, CaseAct.URGE} else None,
        "references": [piece.told() for piece in ask.evidence],
    }
    return tell(
        case, kind, policy, author=ask.author, at=ask.at, code=moved.reason, reason=ask.note, party=ask.party,
        evidence={name: value for name, value in facts.items() if value},
    )  # fmt: skip


def tell(
    case: Case, kind: StepKind, policy: CasePolicy, *, at: int, tier: Tier | None = None, **other: Any
) -> CaseStep:
    """Return a step of a case, to be told to people where the policy says so."""
    wanted = policy.notify.get(kind)
    return CaseStep(
        case=case.id, kind=kind, state=case.state, at=at, notify=wanted is not None,
        tier=tier or wanted or Tier.OWN, **({"author": MACHINE} | other),
    )  # fmt: skip


def reopen(case: Case, parties: Sequence[Party], event: str, at: int, policy: CasePolicy) -> Moved:
    """Return a case that was written off, raised again by a new event of its incident; everybody signs anew."""
    ask = Ask(act=CaseAct.REOPEN, author=MACHINE, at=at)
    moved = next_case_state(case.state, ask.act, _standing(case, policy))
    if not moved.allowed:
        raise WrongCaseAct(case.id, ask.act, moved)
    after = _enter(_again(case), moved.state, ask, policy)
    step = tell(after, StepKind.REOPENED, policy, at=at, code=moved.reason, evidence={"event": event})
    return Moved(case=after, parties=_unsigned(parties, at), steps=(step,))


def _unsigned(parties: Sequence[Party], at: int) -> tuple[Party, ...]:
    """Return the parties of a case that comes back: nobody has signed, and nobody is to put it right yet."""
    return tuple(
        replace(party, acknowledged_by="", acknowledged_at=None, since=at)
        for party in parties
        if party.role is not Role.OWNER
    )


def pressed(case: Case, priority: int, at: int, policy: CasePolicy) -> Case:
    """Return a case with a more urgent priority: its deadline is the earlier of the two."""
    if priority >= case.priority:
        return case
    case = replace(case, priority=priority)
    due = policy.due_at(case.state, priority, at)
    if due is None or case.due_at is None or case.rungs:
        return case
    return timed(case, min(due, case.due_at), policy)


def overdue(case: Case, policy: CasePolicy, now: int) -> Moved:
    """Return a case after all steps of its escalation that are due, each dated by when it was.

    A case that was handed over is urged by the first of them (督办). Of repeats of the last step that were missed
    while nobody ran, only the newest is told.
    """
    deadlines, due_at, steps = policy.deadlines[case.priority], case.due_at, []
    while case.next_at is not None and due_at is not None and case.next_at <= now:
        number = deadlines.newest_rung(case.rungs, now - due_at)
        rung = deadlines.rung(number)
        urged = case.state is CaseState.HANDED_OVER
        if urged:
            case = replace(case, state=CaseState.URGED)
        case = replace(case, rungs=number + 1, next_at=due_at + deadlines.rung(number + 1).after_ms)
        evidence = {"due_at": due_at, "rung": number + 1, "to": [case.owner] if case.owner else []}
        kind = StepKind.URGED if urged else StepKind.OVERDUE
        steps.append(
            tell(
                case, kind, policy, at=due_at + rung.after_ms, tier=rung.tier, code=CaseReason.NOT_IN_TIME,
                evidence=evidence,
            )
        )  # fmt: skip
    return Moved(case=case, parties=(), steps=tuple(steps))
