"""The list of cases: open ones, and those that were written off."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from alerts.cases.desk import CaseFilters
from alerts.cases.states import CaseState
from dashboards.casepages import office_of
from dashboards.console import console_of
from dashboards.visitor import visitor_of

router = APIRouter(include_in_schema=False)
SHOWN: Final = 50
"""Cases on a page."""
_DIGITS: Final = 18
"""Of a cursor at most: what fits 64 bits."""


class Shelf(StrEnum):
    """Which cases a list shows."""

    OPEN = "open"
    WRITTEN_OFF = "written_off"
    ALL = "all"


_STATES: Final = {
    Shelf.OPEN: tuple(state for state in CaseState if state is not CaseState.WRITTEN_OFF),
    Shelf.WRITTEN_OFF: (CaseState.WRITTEN_OFF,),
    Shelf.ALL: (),
}


@router.get("/cases")
async def cases(request: Request) -> HTMLResponse:
    """Answer with cases, newest first; a site of the address narrows them to its own."""
    console, office = console_of(request), office_of(console_of(request))
    query = request.query_params
    shelf = Shelf(query["shelf"]) if query.get("shelf") in tuple(Shelf) else Shelf.OPEN
    cursor = query.get("cursor", "")
    before = int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) <= _DIGITS else None
    site = console.site(query.get("site", ""))
    filters = CaseFilters(states=_STATES[shelf], sites=() if site is None else (site.id,))
    kept = await console.keeper.read(("cases", filters, before), lambda: office.cases.cases(filters, SHOWN, before))
    opened = () if kept.value is None else tuple(case.opened_by for case in kept.value.cases)
    openers = await console.keeper.read(("openers", opened), lambda: office.queue.alerts(opened))
    return console.page(
        request,
        "cases.html",
        kept=kept,
        page=kept.value,
        openers=openers.value or {},
        shelf=shelf,
        shelves=tuple(Shelf),
        site=site,
        party=lambda one: office.party_name(one, visitor_of(request).language),
    )
