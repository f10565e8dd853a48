"""Sessions of the console: a signed cookie instead of the token itself."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import deque
from typing import Final

SESSION_COOKIE: Final = "jianhu_session"
LASTS_MS: Final = 12 * 3_600_000
"""How long a session lasts: a shift and its hand-over."""
_GUESSES: Final = 10
_GUESS_WINDOW_MS: Final = 60_000


def token_matches(given: str, token: str) -> bool:
    """Return whether a given token is the right one, in a time that tells nothing about it."""
    return hmac.compare_digest(_digest(given), _digest(token))


def issue(token: str, now_ms: int) -> str:
    """Return the cookie of a new session: end, nonce and a signature made with the token."""
    body = f"{now_ms + LASTS_MS}.{secrets.token_urlsafe(12)}"
    return f"{body}.{_sign(body, token)}"


def is_valid(cookie: str, token: str, now_ms: int) -> bool:
    """Return whether a cookie was issued with this token and has not ended; a changed token ends all."""
    body, _, signature = cookie.rpartition(".")
    if not hmac.compare_digest(_sign(body, token).encode(), signature.encode("utf-8", "replace")):
        return False
    return int(body.partition(".")[0]) > now_ms


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _sign(body: str, token: str) -> str:
    return hmac.new(_digest("jianhu session " + token), body.encode(), hashlib.sha256).hexdigest()


class Guesses:
    """Slows the guessing of a token: so many wrong ones a minute, from anybody."""

    def __init__(self) -> None:
        self._wrong: deque[int] = deque()

    def too_many(self, now_ms: int) -> bool:
        """Return whether nobody may try at the moment."""
        while self._wrong and self._wrong[0] <= now_ms - _GUESS_WINDOW_MS:
            self._wrong.popleft()
        return len(self._wrong) >= _GUESSES

    def note_wrong(self, now_ms: int) -> None:
        """Remember a wrong token."""
        self._wrong.append(now_ms)
