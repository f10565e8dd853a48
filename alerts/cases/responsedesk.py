"""The desk of responses: people start, answer, adjust and lift them; each act is journalled as it happens."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import sqlalchemy as sa

from alerts.cases import tables as ct
from alerts.cases.evidence import Lack
from alerts.cases.life import Moved, tell
from alerts.cases.policy import CasePolicy
from alerts.cases.record import StepKind
from alerts.cases.responses import (
    Purpose,
    Response,
    ResponseAct,
    ResponseAsk,
    ResponseIncomplete,
    ResponseKind,
    ResponseReason,
    ResponseState,
    ResponseStep,
    Start,
    respond,
    start,
)
from alerts.cases.store import load, save
from alerts.desk import MOST_AT_ONCE
from alerts.journal import Journal, Turn
from sensors.errors import UnknownName

_ENUMS = {"kind": ResponseKind, "purpose": Purpose, "state": ResponseState}
_JSON = ("areas", "attached")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFile:
    """One response and its history, oldest first."""

    response: Response
    steps: tuple[ResponseStep, ...]

    @property
    def response_ms(self) -> dict[str, int]:
        """Party → time from the start to its own response; the empty one is the desk."""
        began = self.response.started_at
        return {step.party: step.at - began for step in self.steps if step.kind is ResponseAct.RESPOND}


class ResponseDesk:
    """Questions to the responses, and acts of people.

    Every method raises `sensors.errors.StoreError` when the database does not answer.
    """

    def __init__(self, journal: Journal, policy: CasePolicy) -> None:
        self._journal, self._policy = journal, policy

    def start(
        self, kind: ResponseKind, ask: ResponseAsk, *, purpose: Purpose = Purpose.REAL, synthetic: bool, case: str = ""
    ) -> Response:
        """Start a response (启动), about a case or on its own; a drill is marked in every step.

        Raises
        ------
        ResponseIncomplete
            Without a name, a reason, a level of the policy or an area.
        UnknownName
            When there is no such case.
        """
        with self._journal.writing() as turn:
            if case and turn.connection.execute(sa.select(ct.case.c.id).where(ct.case.c.id == case)).first() is None:
                raise UnknownName("the cases", case)
            if ask.act is not ResponseAct.START:
                raise ResponseIncomplete(ask.act, Lack.LEVEL)
            (number,) = turn.next_numbers(1)
            made = hashlib.sha256(f"{kind}\x1f{ask.at}\x1f{number}".encode()).hexdigest()[:20]
            what = Start(id=made, kind=kind, purpose=purpose, synthetic=synthetic, case=case)
            response, step = start(what, ask, self._policy.responses[kind])
            return _save(turn, replace(response, number=number), step, number, self._policy)

    def act(self, response_id: str, ask: ResponseAsk) -> Response:
        """Respond to, adjust, lift or note a response.

        Raises
        ------
        UnknownName
            When there is none of this id.
        WrongResponseAct
            When its state does not allow it; says why.
        ResponseIncomplete
            Without a name, a reason, or a level of the policy.
        """
        with self._journal.writing() as turn:
            row = turn.connection.execute(_one(response_id)).first()
            if row is None:
                raise UnknownName("the responses", response_id)
            response, s = _response(row), ct.response_step.c
            answered = sa.select(s.party).where(s.response == response_id, s.kind == ResponseAct.RESPOND.value)
            parties = tuple(turn.connection.execute(answered).scalars())
            after, step = respond(response, parties, ask, self._policy.responses[response.kind])
            (number,) = turn.next_numbers(1)
            return _save(turn, after, step, number, self._policy)

    def response(self, response_id: str) -> ResponseFile:
        """Return a response and its history.

        Raises
        ------
        UnknownName
            When there is none of this id.
        """
        s = ct.response_step.c
        history = sa.select(ct.response_step).where(s.response == response_id).order_by(s.number)
        with self._journal.reading() as connection:
            row = connection.execute(_one(response_id)).first()
            if row is None:
                raise UnknownName("the responses", response_id)
            steps = tuple(_step_of(found) for found in connection.execute(history))
        return ResponseFile(response=_response(row), steps=steps)

    def responses(
        self, states: tuple[ResponseState, ...] = (), case: str = "", limit: int = 100
    ) -> tuple[Response, ...]:
        """Return responses, those of a case when one is named; the severest level first, then the newest."""
        c = ct.response.c
        query = sa.select(ct.response).order_by(c.level, c.number.desc()).limit(max(1, min(limit, MOST_AT_ONCE)))
        if states:
            query = query.where(c.state.in_([state.value for state in states]))
        if case:
            query = query.where(c.case == case)
        with self._journal.reading() as connection:
            return tuple(_response(row) for row in connection.execute(query))


def _one(response_id: str) -> sa.Select[Any]:
    return sa.select(ct.response).where(ct.response.c.id == response_id)


def _save(turn: Turn, response: Response, step: ResponseStep, number: int, policy: CasePolicy) -> Response:
    response = replace(response, changed=number)
    values = {
        name: msgspec.json.encode(value).decode() if name in _JSON else str(value) if name in _ENUMS else value
        for name in (column.name for column in ct.response.columns)
        for value in (getattr(response, name),)
    }
    turn.upsert(ct.response, [values])
    row = {
        "number": number, "response": step.response, "kind": str(step.kind), "state": str(step.state),
        "level": step.level, "author": step.author, "at": step.at, "noticed_at": turn.wall_ms, "code": str(step.code),
        "reason": step.reason, "party": step.party, "evidence": msgspec.json.encode(step.evidence).decode(),
        "notify": step.notify,
    }  # fmt: skip
    turn.connection.execute(sa.insert(ct.response_step), [row])
    if response.case:
        _tell_case(turn, response, step, policy)
    return response


def _tell_case(turn: Turn, response: Response, step: ResponseStep, policy: CasePolicy) -> None:
    """Let the history of a case say what was done in a response to it, so that its people are told."""
    docket = load(turn, cases=[response.case])
    evidence = {"response": response.id, "act": str(step.kind), "level": response.level, "areas": list(response.areas)}
    if response.purpose is Purpose.DRILL:
        evidence["drill"] = True
    case = docket.cases[response.case]
    told = tell(
        case, StepKind.RESPONSE, policy, at=step.at, author=step.author, reason=step.reason, party=step.party,
        evidence=evidence,
    )  # fmt: skip
    docket.put(Moved(case=case, parties=(), steps=(replace(told, notify=told.notify and step.notify),)))
    save(turn, docket)


def _response(row: sa.Row[Any]) -> Response:
    values = dict(row._mapping)  # noqa: SLF001 - the row's own public name for it
    made = {name: _ENUMS[name](value) if name in _ENUMS else value for name, value in values.items()}
    areas, attached = (msgspec.json.decode(values[name]) for name in _JSON)
    return Response(**(made | {"areas": tuple(areas), "attached": attached}))


def _step_of(row: sa.Row[Any]) -> ResponseStep:
    return ResponseStep(
        number=row.number, response=row.response, kind=ResponseAct(row.kind), state=ResponseState(row.state),
        level=row.level, author=row.author, at=row.at, noticed_at=row.noticed_at, code=ResponseReason(row.code),
        reason=row.reason, party=row.party, evidence=msgspec.json.decode(row.evidence), notify=row.notify,
    )  # fmt: skip
