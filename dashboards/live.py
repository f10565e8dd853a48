"""Server-sent events: one line whenever something changed, and a sign of life in between."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from dashboards.console import Console, console_of, state_of

router = APIRouter(include_in_schema=False)


@router.get("/live")
async def live(request: Request) -> Response:
    """Answer with a stream that never ends; too many at once are asked to come back."""
    console = console_of(request)
    if console.watch.listeners >= console.settings.listeners:
        return PlainTextResponse("too many pages listen", status_code=503, headers={"retry-after": "30"})
    headers = {"x-accel-buffering": "no"}
    return StreamingResponse(_lines(console), media_type="text/event-stream", headers=headers)


async def _lines(console: Console) -> AsyncIterator[str]:
    yield "retry: 3000\n\n"
    async for snapshot in console.watch.changes():
        data = json.dumps(state_of(console, snapshot, console.wall()), separators=(",", ":"))
        yield f"event: state\ndata: {data}\n\n"
