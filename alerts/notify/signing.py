"""Signatures of our webhook: who receives it can tell that we sent it, when, and that it is no replay."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

TIMESTAMP: Final = "X-Jianhu-Timestamp"
NONCE: Final = "X-Jianhu-Nonce"
SIGNATURE: Final = "X-Jianhu-Signature"
_VERSION: Final = "v1"
TOLERANCE_MS: Final = 5 * 60_000
"""How far the clocks of both sides may differ, and how long a receiver keeps nonces."""


class Check(StrEnum):
    """What a receiver finds."""

    GENUINE = "genuine"
    UNSIGNED = "unsigned"
    """A header is missing or cannot be read."""
    FORGED = "forged"
    """Another secret, or another body."""
    OLD = "old"
    """Signed too long ago, or in the future: a replay, or a clock that is wrong."""


def sign(secret: str, body: bytes, at_ms: int, nonce: str) -> dict[str, str]:
    """Return the headers that sign a body: HMAC-SHA256 over ``timestamp.nonce.body``.

    Parameters
    ----------
    secret
        Shared with the receiver.
    body
        As sent.
    at_ms
        Now, milliseconds UTC.
    nonce
        New for every attempt; letters and digits.
    """
    return {TIMESTAMP: str(at_ms), NONCE: nonce, SIGNATURE: f"{_VERSION}={_digest(secret, body, str(at_ms), nonce)}"}


def check(secret: str, body: bytes, headers: Mapping[str, str], now_ms: int) -> Check:
    """Return whether a message is ours; a receiver besides refuses a nonce that it has seen within the tolerance."""
    held = {name.lower(): value for name, value in headers.items()}
    at, nonce, given = (held.get(name.lower(), "") for name in (TIMESTAMP, NONCE, SIGNATURE))
    if not (at.isascii() and at.isdigit() and nonce and given.startswith(f"{_VERSION}=")):
        return Check.UNSIGNED
    expected = f"{_VERSION}={_digest(secret, body, at, nonce)}"
    if not hmac.compare_digest(expected.encode(), given.encode()):
        return Check.FORGED
    return Check.GENUINE if abs(now_ms - int(at)) <= TOLERANCE_MS else Check.OLD


def _digest(secret: str, body: bytes, at: str, nonce: str) -> str:
    return hmac.new(secret.encode(), f"{at}.{nonce}.".encode() + body, hashlib.sha256).hexdigest()
