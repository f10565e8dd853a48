"""Silences, and the handover of the shift: drawn up, signed by both, kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from alerts.desk import NotSigned
from alerts.handover.book import Handover, NotTaken
from alerts.handover.content import Proof
from alerts.notices.matchers import LABELS, BadMatcher, check_labels, parse_matcher
from alerts.notices.silencedesk import Wish
from alerts.notices.silences import LONGEST_MS, BadSilence
from dashboards.casepages import office_of
from dashboards.console import Console, catalogue_of, console_of
from dashboards.deskapi import is_event_id
from dashboards.forms import text_of
from dashboards.visitor import clean_author, remember_author, visitor_of
from sensors.clock import DAY_MS, HOUR_MS
from sensors.errors import UnknownName

router = APIRouter(include_in_schema=False)
HOURS: Final = (1, 2, 4, 8, 12, 24, 72, 168)
"""For how long a silence can be asked for on its page."""
_PAST: Final = 7 * DAY_MS
_LISTED: Final = 30


@router.get("/silences")
async def silences(request: Request) -> HTMLResponse:
    """Answer with the silences, and the form of a new one."""
    return await _silences(request)


async def _silences(request: Request, why: str = "", status: int = 200) -> HTMLResponse:
    console, office = console_of(request), office_of(console_of(request))
    now = console.wall()
    kept = await console.keeper.read(("silences",), lambda: office.silences.silences(now, since=now - _PAST))
    site = console.site(request.query_params.get("site", ""))
    return console.page(
        request,
        "silences.html",
        status=status,
        kept=kept,
        silences=kept.value or (),
        labels=sorted(LABELS),
        hours=HOURS,
        about="" if site is None else f'site="{site.id}"',
        why=why,
    )


@router.post("/silences")
async def silence(request: Request) -> Response:
    """Silence what fits, from the form."""
    console, form = console_of(request), await request.form()
    name = clean_author(text_of(form, "author")) or visitor_of(request).author
    hours, now = text_of(form, "hours"), console.wall()
    lasts = int(hours) * HOUR_MS if hours.isascii() and hours.isdigit() and len(hours) < 5 else LONGEST_MS + 1  # noqa: PLR2004 - digits of hours
    wish = Wish(
        matchers=tuple(filter(None, (line.strip() for line in text_of(form, "matchers").splitlines()))),
        author=name,
        reason=text_of(form, "reason"),
        starts_at=now,
        ends_at=now + lasts,
    )
    return await _try(request, lambda: office_of(console).silences.add(wish, now), name, wish.matchers)


@router.post("/silences/{silence_id}/expire")
async def expire(request: Request, silence_id: str) -> Response:
    """End a silence before its time."""
    console, form = console_of(request), await request.form()
    name = clean_author(text_of(form, "author")) or visitor_of(request).author
    if not is_event_id(silence_id):
        return console.page(request, "lost.html", status=404, what="error.not_found")
    why, now = text_of(form, "why"), console.wall()
    return await _try(request, lambda: office_of(console).silences.expire(silence_id, name, why, now), name)


async def _try(request: Request, do: Any, name: str, matchers: Iterable[str] = ()) -> Response:
    """Do something with a silence; what speaks against it is said on the page."""
    console = console_of(request)

    def ask() -> tuple[str, Mapping[str, object]] | None:
        try:
            do()
        except (BadMatcher, BadSilence, NotSigned, UnknownName) as error:
            return _fault(error, matchers)
        return None

    done = await console.keeper.ask(ask)
    if not done.fresh:
        return console.page(request, "lost.html", status=503, what="banner.desk_silent")
    if done.value is not None:
        key, values = done.value
        return await _silences(request, why=catalogue_of(request).text(key, **values), status=422)
    await console.watch.look_soon()
    response = RedirectResponse("/silences", status_code=303)
    remember_author(response, name)
    return response


def _fault(
    error: BadMatcher | BadSilence | NotSigned | UnknownName, matchers: Iterable[str]
) -> tuple[str, Mapping[str, object]]:
    """Return the text that says what speaks against a silence, and what stands in it."""
    match error:
        case BadSilence():
            return f"silence_fault.{error.fault}", {"days": LONGEST_MS // DAY_MS}
        case BadMatcher():
            return "silence.bad_matcher", {"text": next((one for one in matchers if not _is_matcher(one)), "")}
        case NotSigned():
            return "silence.not_signed", {}
        case _:
            return "silence.unknown", {}


def _is_matcher(text: str) -> bool:
    try:
        check_labels([parse_matcher(text)])
    except BadMatcher:
        return False
    return True


@router.get("/handover")
async def handover(request: Request) -> HTMLResponse:
    """Answer with how it stands now, the handover that waits for a signature, and the earlier ones."""
    console, office = console_of(request), office_of(console_of(request))
    now = console.wall()
    draft = await console.keeper.read(("draft",), lambda: office.draft(now))
    cursor = request.query_params.get("cursor", "")
    before = int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < 19 else None  # noqa: PLR2004 - 64 bits
    past = await console.keeper.read(("handovers", before), lambda: office.book.handovers(_LISTED, before))
    newest = past.value.handovers[0] if past.value and past.value.handovers and before is None else None
    return console.page(
        request,
        "handover.html",
        kept=draft,
        content=draft.value,
        shelf=past.value,
        waiting=newest if newest is not None and newest.taking is None else None,
        sound=Proof.SOUND,
    )


@router.post("/handover")
async def give(request: Request) -> Response:
    """Freeze how it stands now with the notes, and sign it as the person who goes."""
    console, form = console_of(request), await request.form()
    name = clean_author(text_of(form, "author")) or visitor_of(request).author
    if not name:
        return console.page(request, "lost.html", status=422, what="alerts.name_bad")
    office, now = office_of(console), console.wall()

    def do() -> Handover | str:
        try:
            return office.book.give(office.draft(now, text_of(form, "notes")), name, now)
        except NotSigned as error:
            return str(error)

    return _paper(request, await console.keeper.ask(do), name)


@router.get("/handover/{number}")
async def paper(request: Request, number: str) -> HTMLResponse:
    """Answer with one handover as it was signed."""
    return await _show(request, number)


@router.post("/handover/{number}/take")
async def take(request: Request, number: str) -> Response:
    """Sign as the person who comes."""
    console, form = console_of(request), await request.form()
    name = clean_author(text_of(form, "author")) or visitor_of(request).author
    if not name:
        return console.page(request, "lost.html", status=422, what="alerts.name_bad")
    if not _is_number(number):
        return console.page(request, "lost.html", status=404, what="handover.not_found")

    def do() -> Handover | str | None:
        try:
            return office_of(console).book.take(int(number), name, console.wall(), text_of(form, "remark"))
        except NotTaken as error:
            return f"handover.refused_{error.reason}"
        except NotSigned as error:
            return str(error)
        except UnknownName:
            return None

    done = await console.keeper.ask(do)
    if done.fresh and isinstance(done.value, str) and done.value.startswith("handover."):
        return await _show(request, number, lack=done.value, status=409)
    return _paper(request, done, name)


def _paper(request: Request, done: Any, name: str) -> Response:
    console = console_of(request)
    if not done.fresh:
        return console.page(request, "lost.html", status=503, what="banner.desk_silent")
    if done.value is None:
        return console.page(request, "lost.html", status=404, what="handover.not_found")
    if isinstance(done.value, str):
        return console.page(request, "lost.html", status=422, what="alerts.close_bad")
    response = RedirectResponse(f"/handover/{done.value.number}", status_code=303)
    remember_author(response, name)
    return response


async def _show(request: Request, number: str, lack: str = "", status: int = 200) -> HTMLResponse:
    console = console_of(request)
    if not _is_number(number):
        return console.page(request, "lost.html", status=404, what="handover.not_found")
    kept = await console.keeper.read(("handover", number), lambda: _find(console, int(number)))
    if kept.value is None:
        what = "handover.not_found" if kept.fresh else "banner.desk_silent"
        return console.page(request, "lost.html", status=404 if kept.fresh else 503, what=what)
    found, newest = kept.value
    waits = found.taking is None and newest
    return console.page(
        request, "paper.html", status=status, handover=found, content=found.content, waits=waits, lack=lack, kept=kept
    )


def _find(console: Console, number: int) -> tuple[Handover, bool] | None:
    """Return a handover, and whether it is the newest."""
    book = office_of(console).book
    try:
        found = book.handover(number)
    except UnknownName:
        return None
    newest = book.newest()
    return found, newest is not None and newest.number == number


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19  # noqa: PLR2004 - what fits 64 bits
