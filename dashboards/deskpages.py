"""The desk: what must be done next, in one ordered queue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from alerts.cases.desk import CaseFilters
from alerts.cases.life import ActIncomplete, Ask
from alerts.cases.states import CaseAct, CaseState, WrongCaseAct
from dashboards.casepages import next_act, office_of, signs_at_once
from dashboards.console import Console, console_of
from dashboards.deskapi import is_event_id
from dashboards.events import acknowledged
from dashboards.forms import text_of
from dashboards.visitor import clean_author, remember_author, visitor_of
from sensors.errors import UnknownName

router = APIRouter(include_in_schema=False)
SHOWN: Final = 200
"""Things that the queue shows; its counts are of all."""


@router.get("/desk")
async def desk(request: Request) -> HTMLResponse:
    """Answer with what must be done next."""
    return await _desk(request, "desk.html")


@router.get("/parts/desk")
async def desk_part(request: Request) -> HTMLResponse:
    """Answer with the changing part of the desk."""
    return await _desk(request, "_desk.html")


async def _desk(request: Request, template: str, **more: Any) -> HTMLResponse:
    console, office = console_of(request), office_of(console_of(request))
    filters, now = filters_of(request), console.wall()
    asked = replace(filters, overdue_at=0 if filters.overdue_at is not None else None)  # the same question at any time
    kept = await console.keeper.read(("queue", asked), lambda: office.queue.items(now, filters, SHOWN))
    counts = await console.keeper.read(("counts",), lambda: office.queue.counts(now))
    return console.page(
        request,
        template,
        kept=kept,
        items=kept.value or (),
        counts=counts.value,
        shown=SHOWN,
        networks=console.registry.kinds,
        kinds=console.kinds,
        chosen=chosen_of(request),
        narrowed=filters_of(request) != CaseFilters(),
        next_act=next_act,
        signs_at_once=signs_at_once,
        query=request.url.query,
        **more,
    )


def filters_of(request: Request) -> CaseFilters:
    """Return what the address narrows the queue to; what it says wrongly counts as not said."""
    chosen, console = chosen_of(request), console_of(request)
    place = request.query_params.get("site", "")
    return CaseFilters(
        priorities=(int(chosen["priority"]),) if chosen["priority"] else (),
        networks=(chosen["kind"],) if chosen["kind"] else (),
        states=(CaseState(chosen["state"]),) if chosen["state"] else (),
        sites=(place,) if console.site(place) else (),
        overdue_at=console.wall() if chosen["late"] else None,
    )


def chosen_of(request: Request) -> dict[str, str]:
    """Return the choices of the queue's address, each one of the possible ones or empty."""
    query, console = request.query_params, console_of(request)
    possible = {
        "priority": ("1", "2", "3", "4"), "kind": tuple(console.registry.kinds), "state": tuple(CaseState),
        "late": ("1",),
    }  # fmt: skip
    return {name: query[name] if query.get(name) in allowed else "" for name, allowed in possible.items()}


@router.post("/desk/acknowledge")
async def acknowledge(request: Request) -> Response:
    """Acknowledge some things of the queue at once, each on its own; what is refused stays."""
    console, form = console_of(request), await request.form()
    name = clean_author(text_of(form, "author")) or visitor_of(request).author
    if not name:
        return console.page(request, "lost.html", status=422, what="alerts.name_bad")
    chosen = [one for one in map(str, form.getlist("item")) if is_event_id(one.partition(":")[2])]
    done = await console.keeper.ask(lambda: _sign_all(console, chosen[:SHOWN], name))
    await console.watch.look_soon()
    if not done.fresh:
        return console.page(request, "lost.html", status=503, what="banner.desk_silent")
    response = RedirectResponse("/desk", status_code=303)
    remember_author(response, name)
    return response


def _sign_all(console: Console, items: Iterable[str], name: str) -> None:
    for one in items:
        _sign(console, one, name)


def _sign(console: Console, item: str, name: str) -> None:
    """Acknowledge one thing; one that somebody else had first keeps the first name."""
    what, _, one = item.partition(":")
    if what == "event":
        acknowledged(console.desk, one, name, console.wall())
        return
    try:
        office_of(console).cases.act(one, Ask(act=CaseAct.ACKNOWLEDGE, author=name, at=console.wall()))
    except (WrongCaseAct, ActIncomplete, UnknownName):
        return
