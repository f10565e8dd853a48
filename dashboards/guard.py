"""The guard in front of every request: names, sessions, origins, and the headers of every answer.

Pure ASGI, so that streams pass through untouched.
"""

from __future__ import annotations

from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alerts.notify.receipts import PATH as RECEIPTS
from dashboards.session import SESSION_COOKIE, is_valid, token_matches
from dashboards.settings import ConsoleSettings, is_loopback

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = (
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
)
_OPEN: Final = frozenset({"/healthz", "/readyz", "/login"})
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Guard:
    """Lets a request through, or answers it itself."""

    def __init__(self, app: ASGIApp, *, settings: ConsoleSettings, wall: Callable[[], int]) -> None:
        self._app = app
        self._settings = settings
        self._wall = wall
        loopback = is_loopback(settings.host)
        self._hosts = frozenset(settings.allowed_hosts) | (_LOOPBACK_HOSTS | {settings.host} if loopback else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on; every answer gets the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS:
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if self._hosts and _bare(headers.get("host", "")) not in self._hosts:
            # a foreign name that resolves to this machine: DNS rebinding
            return PlainTextResponse("this console does not answer to that host name", status_code=421)
        bearer = self._bearer(headers)
        if self._settings.token and not bearer and not self._is_open(scope["path"]) and not self._session(headers):
            return _ask_in(scope, headers)
        by_token = scope["path"].startswith(RECEIPTS)  # whoever holds the token of a message may say that he has it
        if scope["method"] not in _READING and not bearer and not by_token and not _same_origin(headers):
            return PlainTextResponse("a change must come from a page of this console", status_code=403)
        return None

    @staticmethod
    def _is_open(path: str) -> bool:
        return path in _OPEN or path.startswith(("/static/", RECEIPTS))

    def _bearer(self, headers: Headers) -> bool:
        kind, _, given = headers.get("authorization", "").partition(" ")
        return (
            bool(self._settings.token) and kind.lower() == "bearer" and token_matches(given, self._settings.token or "")
        )

    def _session(self, headers: Headers) -> bool:
        cookies: SimpleCookie = SimpleCookie()
        try:
            cookies.load(headers.get("cookie", ""))
        except CookieError:
            return False
        held = cookies.get(SESSION_COOKIE)
        return held is not None and is_valid(held.value, self._settings.token or "", self._wall())


def _ask_in(scope: Scope, headers: Headers) -> Response:
    """Send a person to the login form and a program away."""
    if scope["method"] == "GET" and "text/html" in headers.get("accept", "") and "hx-request" not in headers:
        query = scope["query_string"].decode("latin-1")
        target = scope["path"] + (f"?{query}" if query else "")
        return RedirectResponse(f"/login?next={quote(target, safe='')}", status_code=303)
    return PlainTextResponse("a token is needed", status_code=401, headers={"www-authenticate": "Bearer"})


def _same_origin(headers: Headers) -> bool:
    """Say whether a change comes from a page of this console; what says neither is refused."""
    site = headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    origin = headers.get("origin")
    if origin is None:
        return site == "same-origin"
    return urlsplit(origin).netloc == headers.get("host", "")


def _bare(host: str) -> str:
    """Return a Host header without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def safe_next(target: str) -> str:
    """Return a path of this console to go to after the login; the root for anything else."""
    parts = urlsplit(target)
    plain = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if plain and not parts.scheme and not parts.netloc else "/"
