"""Cases in the journal's database: a docket is loaded and kept within one turn."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from alerts.cases import tables as ct
from alerts.cases.deadlines import Tier
from alerts.cases.docket import Docket
from alerts.cases.life import MACHINE
from alerts.cases.record import Case, CaseStep, Member, Need, Occurrence, Party, Role, StepKind
from alerts.cases.states import CaseReason, CaseState, Verdict
from alerts.events import Fact
from alerts.journal import Turn
from alerts.signing import sign_events
from alerts.states import Act

_AT_ONCE: Final = 500
_ENUMS: Final[Mapping[str, type]] = {"state": CaseState, "verdict": Verdict, "need": Need}


def load(turn: Turn, *, events: Iterable[str] = (), keys: Iterable[str] = (), cases: Iterable[str] = ()) -> Docket:
    """Return a docket of the newest cases of events and of keys, and of cases by their id."""
    docket, found = Docket(), dict.fromkeys(cases)
    for some in _parts(sorted(set(events))):
        query = (
            sa.select(ct.member)
            .join(ct.case, ct.case.c.id == ct.member.c.case)
            .where(ct.member.c.event.in_(some))
            .order_by(ct.case.c.number)
        )
        for row in turn.connection.execute(query):
            docket.members[row.event] = member_of(row)
    found |= dict.fromkeys(member.case for member in docket.members.values())
    _load_cases(turn, docket, found)
    asked = set(keys) | {case.key for case in docket.cases.values()}
    newest = sa.select(sa.func.max(ct.case.c.number)).group_by(ct.case.c.key)
    for some in _parts(sorted(asked)):
        query = sa.select(ct.case).where(ct.case.c.number.in_(newest.where(ct.case.c.key.in_(some))))
        for row in turn.connection.execute(query):
            docket.cases[row.id] = case_of(row)
            docket.by_key[row.key] = row.id
    _load_parties(turn, docket)
    return docket


def load_occurrences(turn: Turn, docket: Docket, keys: Iterable[str], since: int) -> None:
    """Add to a docket when the incidents of these keys began, since an instant."""
    c = ct.occurrence.c
    for some in _parts(sorted(set(keys))):
        for row in turn.connection.execute(
            sa.select(ct.occurrence).where(c.key.in_(some), c.at >= since).order_by(c.at, c.case)
        ):
            one = Occurrence(case=row.case, key=row.key, factor=row.factor, at=row.at)
            docket.occurrences.setdefault(row.key, []).append(one)


def load_due(turn: Turn, now: int, most: int) -> Docket:
    """Return a docket of the cases whose escalation is due, the longest due first."""
    docket, c = Docket(), ct.case.c
    query = sa.select(ct.case).where(c.next_at <= now).order_by(c.next_at, c.number).limit(most)
    for row in turn.connection.execute(query):
        docket.cases[row.id] = case_of(row)
    return docket


def next_due(turn: Turn) -> int | None:
    """Return when the next escalation of any case is due; None when none is."""
    return turn.connection.execute(sa.select(sa.func.min(ct.case.c.next_at))).scalar()


def _load_cases(turn: Turn, docket: Docket, ids: Iterable[str]) -> None:
    for some in _parts(sorted(ids)):
        for row in turn.connection.execute(sa.select(ct.case).where(ct.case.c.id.in_(some))):
            docket.cases[row.id] = case_of(row)


def _load_parties(turn: Turn, docket: Docket) -> None:
    for some in _parts(sorted(docket.cases)):
        query = sa.select(ct.party).where(ct.party.c.case.in_(some)).order_by(ct.party.c.since, ct.party.c.party)
        for row in turn.connection.execute(query):
            docket.parties[row.case] = (*docket.parties.get(row.case, ()), party_of(row))


def save(turn: Turn, docket: Docket) -> None:
    """Write what changed: cases, steps, parties, memberships; then sign events in step with their cases."""
    numbered = list(zip(turn.next_numbers(len(docket.steps)), docket.steps, strict=True)) if docket.steps else []
    first: dict[str, int] = {}
    newest: dict[str, int] = {}
    for number, step in numbered:
        first.setdefault(step.case, number)
        newest[step.case] = number
    rows = []
    for case in sorted(docket.touched):
        known = docket.cases[case]
        known = replace(known, number=known.number or first[case], changed=newest.get(case, known.changed))
        docket.cases[case] = known
        rows.append(_case_row(known))
    turn.upsert(ct.case, rows)
    if numbered:
        steps = [_step_row(number, step, turn.wall_ms) for number, step in numbered]
        turn.connection.execute(sa.insert(ct.step), steps)
    _save_parties(turn, docket)
    turn.upsert(ct.member, [_member_row(member) for member in docket.joined.values()])
    turn.upsert(
        ct.occurrence, [{"case": one.case, "at": one.at, "key": one.key, "factor": one.factor} for one in docket.began]
    )
    _sign(turn, docket)


def _save_parties(turn: Turn, docket: Docket) -> None:
    for case in sorted(docket.met):
        turn.connection.execute(sa.delete(ct.party).where(ct.party.c.case == case))
        rows = [
            {
                "case": case, "party": party.id, "role": str(party.role), "since": party.since,
                "acknowledged_by": party.acknowledged_by, "acknowledged_at": party.acknowledged_at,
            }
            for party in docket.parties.get(case, ())
        ]  # fmt: skip
        if rows:
            turn.connection.execute(sa.insert(ct.party), rows)


def _sign(turn: Turn, docket: Docket) -> None:
    repeats: dict[str, list[str]] = {}
    for event in dict.fromkeys(docket.signed):
        repeats.setdefault(docket.members[event].case, []).append(event)
    for case, events in repeats.items():
        sign_events(turn, events, Act.ACKNOWLEDGE, author=MACHINE, at=turn.wall_ms, evidence={"case": case})
    for case, author, at in docket.sign_all:
        sign_events(turn, _events(turn, case), Act.ACKNOWLEDGE, author=author, at=at, evidence={"case": case})
    for case, author, at, note in docket.close_all:
        sign_events(turn, _events(turn, case), Act.CLOSE, author=author, at=at, note=note, evidence={"case": case})


def _events(turn: Turn, case: str) -> Sequence[str]:
    c = ct.member.c
    return tuple(turn.connection.execute(sa.select(c.event).where(c.case == case).order_by(c.at, c.event)).scalars())


def case_of(row: sa.Row[Any]) -> Case:
    """Return a row of the table of cases as a case."""
    values = dict(row._mapping)  # noqa: SLF001 - the row's own public name for it
    return Case(**{name: _ENUMS[name](value) if name in _ENUMS else value for name, value in values.items()})


def step_of(row: sa.Row[Any]) -> CaseStep:
    """Return a row of the history of cases as a step."""
    return CaseStep(
        number=row.number, case=row.case, kind=StepKind(row.kind), state=CaseState(row.state), author=row.author,
        at=row.at, noticed_at=row.noticed_at, code=CaseReason(row.code) if row.code else None, reason=row.reason,
        evidence=msgspec.json.decode(row.evidence), party=row.party, tier=Tier(row.tier), notify=row.notify,
    )  # fmt: skip


def party_of(row: sa.Row[Any]) -> Party:
    """Return a row of the table of parties as a party."""
    return Party(
        id=row.party, role=Role(row.role), since=row.since, acknowledged_by=row.acknowledged_by,
        acknowledged_at=row.acknowledged_at,
    )  # fmt: skip


def member_of(row: sa.Row[Any]) -> Member:
    """Return a row of the table of memberships as a member."""
    return Member(case=row.case, event=row.event, fact=Fact(row.fact), at=row.at, repeat=row.repeat, bears=row.bears)


def _case_row(case: Case) -> dict[str, Any]:
    names = [column.name for column in ct.case.columns]
    return {name: str(value) if name in _ENUMS else value for name in names for value in (getattr(case, name),)}


def _step_row(number: int, step: CaseStep, wall_ms: int) -> dict[str, Any]:
    return {
        "number": number, "case": step.case, "kind": str(step.kind), "state": str(step.state), "author": step.author,
        "at": step.at, "noticed_at": wall_ms, "code": "" if step.code is None else str(step.code),
        "reason": step.reason, "evidence": msgspec.json.encode(step.evidence).decode(), "party": step.party,
        "tier": str(step.tier), "notify": step.notify,
    }  # fmt: skip


def _member_row(member: Member) -> dict[str, Any]:
    return {
        "case": member.case, "event": member.event, "fact": str(member.fact), "at": member.at, "repeat": member.repeat,
        "bears": member.bears,
    }  # fmt: skip


def _parts(ids: Collection[str]) -> Iterator[Sequence[str]]:
    listed = tuple(ids)
    return (listed[place : place + _AT_ONCE] for place in range(0, len(listed), _AT_ONCE))
