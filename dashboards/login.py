"""The login form of a console that other machines can reach."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboards.console import console_of
from dashboards.guard import safe_next
from dashboards.session import LASTS_MS, SESSION_COOKIE, issue, token_matches

router = APIRouter(include_in_schema=False)


@router.get("/login")
def form(request: Request) -> Response:
    """Answer with the form; where no token is set there is nothing to log in to."""
    if not console_of(request).settings.token:
        return RedirectResponse("/", status_code=303)
    target = safe_next(request.query_params.get("next", "/"))
    return console_of(request).page(request, "login.html", target=target, problem="")


@router.post("/login")
def enter(request: Request, token: Annotated[str, Form()] = "", target: Annotated[str, Form()] = "/") -> Response:
    """Exchange the token for a session; wrong ones are slowed down."""
    console = console_of(request)
    now, right = console.wall(), console.settings.token
    if not right:
        return RedirectResponse("/", status_code=303)
    if console.guesses.too_many(now):
        return console.page(request, "login.html", status=429, target=safe_next(target), problem="login.slow")
    if not token_matches(token, right):
        console.guesses.note_wrong(now)
        return console.page(request, "login.html", status=401, target=safe_next(target), problem="login.wrong")
    response = RedirectResponse(safe_next(target), status_code=303)
    response.set_cookie(
        SESSION_COOKIE,
        issue(right, now),
        max_age=LASTS_MS // 1000,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


@router.post("/logout")
def leave() -> Response:
    """Forget the session of this browser."""
    response = RedirectResponse("/login", status_code=303)
    response.delete_cookie(SESSION_COOKIE)
    return response
