"""Receipts: whoever holds the token of a message says that he has it. The token is all that is asked for.

Opening the link alone says nothing: programs that look through mail open links, too.
"""

from __future__ import annotations

import re
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from alerts.notify.receipts import Received, receive
from dashboards.casepages import office_of
from dashboards.console import console_of
from sensors.errors import UnknownName

router = APIRouter(include_in_schema=False)
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{16,100}")


@router.get("/receipts/{token}")
def ask(request: Request, token: str) -> HTMLResponse:
    """Answer with the one button."""
    console = console_of(request)
    if _TOKEN.fullmatch(token) is None:
        return console.page(request, "receipt.html", status=404, token="", what="unknown")
    return console.page(request, "receipt.html", token=token, what="asked")


@router.post("/receipts/{token}")
async def take(request: Request, token: str) -> Response:
    """Note that the message is there; a second time changes nothing."""
    console = console_of(request)
    wants_json = "text/html" not in request.headers.get("accept", "")

    def do() -> Received | None:
        try:
            return receive(office_of(console).journal, token, console.wall())
        except UnknownName:
            return None

    if _TOKEN.fullmatch(token) is None:
        state, status, at = "unknown", 404, None
    else:
        done = await console.keeper.ask(do)
        state = "failed" if not done.fresh else "unknown" if done.value is None else "taken"
        status = {"failed": 503, "unknown": 404, "taken": 200}[state]
        at = done.value.at if done.value is not None else None
    if wants_json:
        return JSONResponse({"state": state, "at": at}, status_code=status)
    return console.page(request, "receipt.html", status=status, token="", what=state)
