"""One HTTP request with a time limit for all of it: a server that answers by drops is a server that does not answer."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import SplitResult, urlsplit

from alerts.notify.channels import Answer, Outcome, plain

LONGEST: Final = 65_536
"""Bytes of an answer that are read."""
_LATER: Final = frozenset({408, 409, 421, 423, 425, 429})
"""Statuses under 500 after which the same request may be taken."""
_LONGEST_WAIT_MS: Final = 24 * 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a server said."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


class NoReply(Exception):
    """No server was reached, or it did not answer within the limit; the text says which."""


def post(url: str, body: bytes, headers: Mapping[str, str], timeout_s: float, *, method: str = "POST") -> Reply:
    """Send one request and read the answer; redirects are not followed.

    Parameters
    ----------
    url
        ``http`` or ``https``; certificates are checked.
    body, headers
        What to send. A header's value must be one printable line.
    timeout_s
        Limit for connecting, sending and the whole answer together. [s]

    Raises
    ------
    NoReply
        When nothing came within the limit.
    """
    parts = urlsplit(url)
    connection = _connection(parts, timeout_s)
    late, held = threading.Event(), list[socket.socket]()

    def cut() -> None:
        late.set()
        for one in held:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    watch = threading.Timer(timeout_s, cut)
    watch.daemon = True
    watch.start()
    try:
        connection.connect()
        held.append(connection.sock)  # the connection forgets it when the server will close
        connection.request(method, _target(parts), body=body, headers=dict(headers))
        answer = connection.getresponse()
        read = answer.read(LONGEST)
        if late.is_set():
            raise NoReply(f"no whole answer within {timeout_s:g} s")
        return Reply(
            status=answer.status, headers={name.lower(): value for name, value in answer.getheaders()}, body=read
        )
    except TimeoutError as cause:
        raise NoReply(f"no answer within {timeout_s:g} s") from cause
    except (OSError, http.client.HTTPException) as cause:
        told = f"no answer within {timeout_s:g} s" if late.is_set() else plain(f"{type(cause).__name__}: {cause}")
        raise NoReply(told) from cause
    finally:
        watch.cancel()
        connection.close()


def answer_of(reply: Reply, now_ms: int) -> Answer:
    """Return what a status means: 2xx sent; 429 and 5xx later; everything else never."""
    if 200 <= reply.status < 300:  # noqa: PLR2004 - the class of success
        return Answer(outcome=Outcome.SENT)
    detail = plain(f"HTTP {reply.status} {reply.body[:1000].decode('utf-8', 'replace')}")
    if reply.status in _LATER or reply.status >= 500:  # noqa: PLR2004 - the class of the server's faults
        wait = retry_after_ms(reply.headers.get("retry-after", ""), now_ms)
        return Answer(outcome=Outcome.RETRY, detail=detail, wait_ms=wait)
    return Answer(outcome=Outcome.REFUSED, detail=detail)


def retry_after_ms(text: str, now_ms: int) -> int | None:
    """Return how long ``Retry-After`` asks to wait, seconds or a date; None when it says nothing that can be read.

    References
    ----------
    .. [1] RFC 9110, 10.2.3.
    """
    stripped = text.strip()
    if stripped.isascii() and stripped.isdigit():
        return min(int(stripped[:9]) * 1000, _LONGEST_WAIT_MS)
    try:
        at = parsedate_to_datetime(stripped)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    wait = round((at - datetime.fromtimestamp(now_ms / 1000, UTC)).total_seconds() * 1000)
    return max(0, min(wait, _LONGEST_WAIT_MS))


def _connection(parts: SplitResult, timeout_s: float) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "https":
        return http.client.HTTPSConnection(host, parts.port, timeout=timeout_s, context=ssl.create_default_context())
    return http.client.HTTPConnection(host, parts.port, timeout=timeout_s)


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
