"""The alert desk for programs: events with their reasons, and what people do to them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, HTTPException, Query
from fastapi.responses import JSONResponse
from starlette.requests import Request
from starlette.responses import Response

from alerts.desk import MOST_AT_ONCE, NOTE_LENGTH, Alert, Filters, Part
from alerts.events import Fact
from alerts.rules import Kind
from alerts.states import State
from dashboards.api import head
from dashboards.console import Console, console_of
from dashboards.events import acknowledged, alert_data, closed
from dashboards.keeper import Kept
from dashboards.parkmoves import moves_data, moves_of
from dashboards.plain import why_data
from dashboards.visitor import clean_author, remember_author, visitor_of
from sensors.errors import UnknownName

router = APIRouter(prefix="/api/v1")
_EVENT_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,80}")
Names = Annotated[list[str] | None, Query()]


def is_event_id(text: str) -> bool:
    """Return whether a text of an address can be the id of an event."""
    return _EVENT_ID.fullmatch(text) is not None


@router.get("/alerts")
async def alerts(  # noqa: PLR0917 - FastAPI reads the parameters of a question from here
    request: Request,
    site: Names = None,
    rule: Names = None,
    factor: Names = None,
    kind: Annotated[list[Kind] | None, Query()] = None,
    state: Annotated[list[State] | None, Query()] = None,
    fact: Annotated[list[Fact] | None, Query()] = None,
    backfilled: Annotated[bool | None, Query()] = None,
    start: Annotated[int | None, Query(alias="from", description="only those that last beyond this, ms UTC")] = None,
    end: Annotated[int | None, Query(alias="to", description="only those that begin before this, ms UTC")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_AT_ONCE)] = 200,
    cursor: int | None = None,
) -> Any:
    """Answer with events, newest raised first; a cursor leads to the next page. See /waiting for what must be done."""
    console = console_of(request)
    filters = Filters(
        sites=tuple(site or ()),
        rules=tuple(rule or ()),
        factors=tuple(factor or ()),
        kinds=tuple(kind or ()),
        states=tuple(state or ()),
        facts=tuple(fact or ()),
        backfilled=backfilled,
        start_ms=start,
        end_ms=end,
    )
    key = ("alerts", filters, limit, cursor)
    kept = await console.keeper.read(key, lambda: console.desk.events(filters, limit, cursor))
    page = _known(kept)
    found = [alert_data(alert, console.decimals) for alert in page.alerts]
    return head(request) | {"fresh": kept.fresh, "read": kept.read_ms, "alerts": found, "cursor": page.cursor}


@router.get("/waiting")
async def waiting(
    request: Request, part: Part = Part.NOW, limit: Annotated[int, Query(ge=1, le=MOST_AT_ONCE)] = 200
) -> Any:
    """Answer with the events that wait for somebody: unacknowledged first, then urgent, then newest."""
    console = console_of(request)
    kept = await console.keeper.read(("waiting", part, limit), lambda: console.desk.open_events(part, limit))
    found = [alert_data(alert, console.decimals) for alert in _known(kept)]
    return head(request) | {"fresh": kept.fresh, "read": kept.read_ms, "alerts": found}


@router.get("/alerts/{event_id}")
async def alert(request: Request, event_id: str) -> Any:
    """Answer with one event."""
    console = console_of(request)
    return alert_data((await _why(console, event_id)).alert, console.decimals)


@router.get("/alerts/{event_id}/why")
async def why(request: Request, event_id: str) -> Any:
    """Answer with all that went into an event, and its history."""
    console = console_of(request)
    return why_data(await _why(console, event_id), console.decimals)


@router.get("/alerts/{event_id}/moves")
async def moves(request: Request, event_id: str) -> Any:
    """Answer with which of a park's points moved first around an event; null where the site is none of a park's."""
    console = console_of(request)
    event = (await _why(console, event_id)).alert.event
    kept = await console.keeper.read(
        ("moves", event_id), lambda: moves_of(console.store, console.registry, lambda name: console.kinds[name], event)
    )
    return {"fresh": kept.fresh, "moves": None if kept.value is None else moves_data(kept.value)}


async def _why(console: Console, event_id: str) -> Any:
    def ask() -> Any:
        try:
            return console.desk.why(event_id)
        except UnknownName:
            return None

    if not is_event_id(event_id):
        raise HTTPException(404, "there is no such event")
    kept = await console.keeper.ask(ask)
    if not kept.fresh:
        raise HTTPException(503, "the alert desk does not answer")
    if kept.value is None:
        raise HTTPException(404, "there is no such event")
    return kept.value


def _known(kept: Kept[Any]) -> Any:
    if kept.value is None:
        raise HTTPException(503, "the alert desk does not answer")
    return kept.value


@router.post("/alerts/{event_id}/acknowledge")
async def acknowledge(request: Request, event_id: str, author: Annotated[str, Body(embed=True)] = "") -> Response:
    """Acknowledge an event; the name is that of the body, or the one this browser gave before."""
    name = clean_author(author) or visitor_of(request).author
    return _answer(request, await acknowledge_event(console_of(request), event_id, name), name)


@router.post("/alerts/{event_id}/close")
async def close(
    request: Request,
    event_id: str,
    note: Annotated[str, Body()],
    author: Annotated[str, Body()] = "",
) -> Response:
    """Close an acknowledged event with a note."""
    name = clean_author(author) or visitor_of(request).author
    return _answer(request, await close_event(console_of(request), event_id, name, note), name)


def _answer(request: Request, done: Kept[Alert | None], name: str) -> Response:
    if not name:
        raise HTTPException(422, "an act is signed: give author, at most 40 letters")
    if not done.fresh:
        raise HTTPException(503, "the alert desk does not answer")
    if done.value is None:
        raise HTTPException(404, "there is no such event")
    response = JSONResponse(alert_data(done.value, console_of(request).decimals))
    remember_author(response, name)
    return response


_NO_EVENT: Final[Kept[Alert | None]] = Kept(value=None, read_ms=0, fresh=True)


async def acknowledge_event(console: Console, event_id: str, author: str) -> Kept[Alert | None]:
    """Acknowledge an event and look at once at what that changed; without a name nothing is done."""
    if not is_event_id(event_id) or not author:
        return _NO_EVENT
    done = await console.keeper.ask(lambda: acknowledged(console.desk, event_id, author, console.wall()))
    await console.watch.look_soon()
    return done


async def close_event(console: Console, event_id: str, author: str, note: str) -> Kept[Alert | None]:
    """Close an event and look at once at what that changed; without a name or a note nothing is done."""
    if not is_event_id(event_id) or not author or not note.strip() or len(note) > NOTE_LENGTH:
        return _NO_EVENT
    done = await console.keeper.ask(lambda: closed(console.desk, event_id, author, note, console.wall()))
    await console.watch.look_soon()
    return done
