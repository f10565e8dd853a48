"""Warning responses: started, answered, adjusted and lifted by people (启动 → 响应 → 解除)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from alerts.cases import responses as r
from alerts.cases.responsedesk import ResponseDesk, ResponseFile
from alerts.cases.texts import why_refused
from dashboards.casepages import office_of
from dashboards.console import Console, console_of
from dashboards.deskapi import is_event_id
from dashboards.forms import text_of
from dashboards.visitor import clean_author, remember_author, visitor_of
from sensors.errors import UnknownName

router = APIRouter(include_in_schema=False)
SHOWN: Final = 30
"""Responses on the page: the severest and newest."""
_ACTS: Final = (r.ResponseAct.RESPOND, r.ResponseAct.ADJUST, r.ResponseAct.LIFT, r.ResponseAct.NOTE)


def desk_of(console: Console) -> ResponseDesk:
    """Return the desk of responses."""
    office = office_of(console)
    return ResponseDesk(office.journal, office.policy)


def may_do(response: r.Response) -> tuple[r.ResponseAct, ...]:
    """Return what may be done with a response; one that is lifted takes notes alone."""
    return tuple(act for act in _ACTS if r.next_response(response.state, act).allowed)


@router.get("/responses")
async def responses(request: Request) -> HTMLResponse:
    """Answer with the responses that run, then those that were lifted, and the form of a new one."""
    return await _responses(request)


async def _responses(request: Request, why: str = "", status: int = 200) -> HTMLResponse:
    console, office = console_of(request), office_of(console_of(request))
    language, case = visitor_of(request).language, request.query_params.get("case", "")
    case = case if is_event_id(case) else ""

    def ask() -> tuple[ResponseFile, ...]:
        desk = desk_of(console)
        running = (r.ResponseState.STARTED, r.ResponseState.RESPONDING)
        found = (*desk.responses(running, case, SHOWN), *desk.responses((r.ResponseState.LIFTED,), case, SHOWN))
        return tuple(desk.response(one.id) for one in found[:SHOWN])

    kept = await console.keeper.read(("responses", case), ask)
    return console.page(
        request,
        "responses.html",
        status=status,
        kept=kept,
        files=kept.value or (),
        case=case,
        policies=office.policy.responses,
        purposes=tuple(r.Purpose),
        parties=office.known_parties(),
        party=lambda one: office.party_name(one, language),
        place_of=lambda one: office.party_name(one if ":" in one else f"area:{one}", language),
        may_do=may_do,
        why=why,
    )


@router.post("/responses")
async def start(request: Request) -> Response:
    """Start a response, about a case or on its own."""
    console, form = console_of(request), await request.form()
    kind, purpose = text_of(form, "response_kind"), text_of(form, "purpose")
    if kind not in tuple(r.ResponseKind) or purpose not in tuple(r.Purpose):
        return console.page(request, "lost.html", status=404, what="error.not_found")
    ask = ask_of(form, r.ResponseAct.START, _name(request, form), console.wall())
    synthetic = console.registry.synthetic
    return await _try(
        request,
        lambda: desk_of(console).start(
            r.ResponseKind(kind), ask, purpose=r.Purpose(purpose), synthetic=synthetic, case=text_of(form, "case")
        ),
        ask.author,
    )


@router.post("/responses/{response_id}")
async def act(request: Request, response_id: str) -> Response:
    """Respond to, adjust, lift or note a response."""
    console, form = console_of(request), await request.form()
    what = text_of(form, "act")
    if not is_event_id(response_id) or what not in _ACTS:
        return console.page(request, "lost.html", status=404, what="error.not_found")
    ask = ask_of(form, r.ResponseAct(what), _name(request, form), console.wall())
    return await _try(request, lambda: desk_of(console).act(response_id, ask), ask.author)


def ask_of(form: FormData, what: r.ResponseAct, author: str, now: int) -> r.ResponseAsk:
    """Return the act that a form says; areas stand on lines of their own."""
    level = text_of(form, "level")
    areas = (line.strip().removeprefix("area:") for line in text_of(form, "areas").splitlines())
    return r.ResponseAsk(
        act=what, author=author, at=now, note=text_of(form, "note"), party=text_of(form, "party"),
        level=int(level) if level in {"1", "2", "3", "4"} else None, areas=tuple(filter(None, areas)),
    )  # fmt: skip


def _name(request: Request, form: FormData) -> str:
    return clean_author(text_of(form, "author")) or visitor_of(request).author


async def _try(request: Request, do: Callable[[], Any], name: str) -> Response:
    console, language = console_of(request), visitor_of(request).language

    def ask() -> str | None:
        try:
            do()
        except (r.WrongResponseAct, r.ResponseIncomplete) as error:
            return why_refused(error, language)
        except UnknownName:
            return None
        return ""

    done = await console.keeper.ask(ask)
    if not done.fresh:
        return console.page(request, "lost.html", status=503, what="banner.desk_silent")
    if done.value is None:
        return console.page(request, "lost.html", status=404, what="error.not_found")
    if done.value:
        return await _responses(request, why=done.value, status=422)
    await console.watch.look_soon()
    response = RedirectResponse("/responses", status_code=303)
    remember_author(response, name)
    return response
