"""Cases, silences and handovers for programs; every act is signed, as on the pages."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import JSONResponse
from starlette.requests import Request
from starlette.responses import Response

from alerts.cases.desk import CaseFilters
from alerts.cases.evidence import Evidence, EvidenceKind, Lack
from alerts.cases.life import Ask
from alerts.cases.record import Case
from alerts.cases.states import CaseAct, CaseReason, CaseState, Verdict
from alerts.desk import MOST_AT_ONCE
from alerts.notify.coverage import Coverage, Measure, coverage_of_event, measures
from dashboards.api import head
from dashboards.casepages import act_now, office_of, read_case
from dashboards.console import console_of
from dashboards.deskapi import Names, is_event_id
from dashboards.keeper import Kept
from dashboards.plain import case_data, file_data, handover_data, silence_data
from dashboards.visitor import clean_author, remember_author, visitor_of
from sensors.clock import HOUR_MS

router = APIRouter(prefix="/api/v1")
_AWAY: Final = "the alert desk does not answer"
_NONE: Final = "there is no such case"


class Reference(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One piece of evidence."""

    kind: EvidenceKind
    value: str
    sha256: str = ""


class Act(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What is done with a case: the body of a POST."""

    act: CaseAct
    author: str = ""
    note: str = ""
    evidence: list[Reference] = []
    party: str = ""
    verdict: Verdict | None = None
    to: str = ""
    due_at: int | None = None
    """Milliseconds UTC."""


@router.get("/cases")
async def cases(  # noqa: PLR0917 - FastAPI reads the parameters of a question from here
    request: Request,
    state: Annotated[list[CaseState] | None, Query()] = None,
    verdict: Annotated[list[Verdict] | None, Query()] = None,
    priority: Annotated[list[int] | None, Query()] = None,
    network: Names = None,
    place: Names = None,
    site: Names = None,
    party: Names = None,
    overdue: Annotated[bool, Query()] = False,  # noqa: FBT002 - a question in the address
    limit: Annotated[int, Query(ge=1, le=MOST_AT_ONCE)] = 100,
    cursor: int | None = None,
) -> Any:
    """Answer with cases, newest first; a cursor leads to the next page."""
    console, office = console_of(request), office_of(console_of(request))
    now = console.wall()
    filters = CaseFilters(
        states=tuple(state or ()),
        verdicts=tuple(verdict or ()),
        priorities=tuple(priority or ()),
        networks=tuple(network or ()),
        places=tuple(place or ()),
        sites=tuple(site or ()),
        parties=tuple(party or ()),
        overdue_at=now if overdue else None,
    )
    kept = await console.keeper.ask(lambda: office.cases.cases(filters, limit, cursor))
    page = _known(kept)
    return head(request) | {"cases": [case_data(case, now) for case in page.cases], "cursor": page.cursor}


@router.get("/cases/{case_id}")
async def case(request: Request, case_id: str) -> Any:
    """Answer with the whole file of a case."""
    console = console_of(request)
    if not is_event_id(case_id):
        raise HTTPException(404, _NONE)
    kept = await read_case(console, case_id)
    if not kept.fresh:
        raise HTTPException(503, _AWAY)
    if kept.value is None:
        raise HTTPException(404, _NONE)
    return file_data(kept.value, console.wall(), console.decimals)


@router.post("/cases/{case_id}/acts")
async def act(request: Request, case_id: str) -> Response:
    """Do something with a case; 409 when its state refuses, 422 when the act lacks something."""
    console = console_of(request)
    try:
        asked = msgspec.json.decode(await request.body(), type=Act)
    except msgspec.DecodeError as cause:
        raise HTTPException(422, str(cause)) from cause
    name = clean_author(asked.author) or visitor_of(request).author
    if not is_event_id(case_id):
        raise HTTPException(404, _NONE)
    ask = Ask(
        act=asked.act, author=name, at=console.wall(), note=asked.note, party=asked.party, verdict=asked.verdict,
        to=asked.to, due_at=asked.due_at,
        evidence=tuple(Evidence(kind=one.kind, value=one.value, sha256=one.sha256) for one in asked.evidence),
    )  # fmt: skip
    done = await act_now(console, case_id, ask)
    if not done.fresh:
        raise HTTPException(503, _AWAY)
    match done.value:
        case Case() as moved:
            response = JSONResponse(case_data(moved, console.wall()))
            remember_author(response, name)
            return response
        case Lack() as lack:
            return JSONResponse({"detail": f"the act lacks: {lack}", "lacks": lack}, status_code=422)
        case CaseReason() as reason:
            return JSONResponse({"detail": f"refused: {reason}", "reason": reason}, status_code=409)
        case _:
            raise HTTPException(404, _NONE)


@router.get("/silences")
async def silences(request: Request) -> Any:
    """Answer with the silences that have not ended."""
    console, office = console_of(request), office_of(console_of(request))
    now = console.wall()
    kept = await console.keeper.ask(lambda: office.silences.silences(now))
    return head(request) | {"silences": [silence_data(one, now) for one in _known(kept)]}


@router.get("/coverage")
async def coverage(request: Request, hours: Annotated[int, Query(ge=1, le=8784)] = 24) -> Any:
    """Answer with how each channel did in the last hours: owed, taken, known to be there, given up, delays."""
    console, office = console_of(request), office_of(console_of(request))
    end = console.wall()

    def ask() -> tuple[Measure, ...]:
        with office.journal.reading() as connection:
            return measures(connection, end - hours * HOUR_MS, end)

    found = _known(await console.keeper.ask(ask))
    return head(request) | {"hours": hours, "channels": [msgspec.to_builtins(one) for one in found]}


@router.get("/alerts/{event_id}/coverage")
async def coverage_of(request: Request, event_id: str) -> Any:
    """Answer with who should have been told of an event, who was, when and by which channel."""
    office = office_of(console_of(request))

    def ask() -> Coverage:
        with office.journal.reading() as connection:
            return coverage_of_event(connection, event_id)

    found: Coverage = _known(await console_of(request).keeper.ask(ask))
    return {
        "owed": len(found.people),
        "reached": found.reached,
        "received": found.received,
        "missing": [one.recipient for one in found.missing],
        "people": [msgspec.to_builtins(one) for one in found.people],
    }


@router.get("/handovers")
async def handovers(
    request: Request, limit: Annotated[int, Query(ge=1, le=200)] = 50, cursor: int | None = None
) -> Any:
    """Answer with shift handovers as they were signed, newest first."""
    office = office_of(console_of(request))
    kept = await console_of(request).keeper.ask(lambda: office.book.handovers(limit, cursor))
    shelf = _known(kept)
    found = [handover_data(one) for one in shelf.handovers]
    return head(request) | {"handovers": found, "cursor": shelf.cursor}


def _known(kept: Kept[Any]) -> Any:
    if not kept.fresh:
        raise HTTPException(503, _AWAY)
    return kept.value
