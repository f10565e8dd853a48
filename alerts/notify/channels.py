"""Channels: what a message is, what a channel answers, and which of them stay on this machine."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

SUBJECT_LENGTH: Final = 200
DETAIL_LENGTH: Final = 300
_LOOPBACK_NAMES: Final = frozenset({"localhost", "ip6-localhost"})


class Outcome(StrEnum):
    """What became of one attempt."""

    SENT = "sent"
    """The channel took it."""
    RECEIVED = "received"
    """The channel says that the receiver has it."""
    RETRY = "retry"
    """Not now: away, busy, slow, or a fault of the other side."""
    REFUSED = "refused"
    """Never: the same message would be refused again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a channel answered one attempt."""

    outcome: Outcome
    detail: str = ""
    """Why not, for people; from outside, so only printable and short (see `plain`)."""
    receipt: str = ""
    """What the channel calls the message; empty when it says nothing."""
    wait_ms: int | None = None
    """How long the channel asks to be left alone (Retry-After); None when it does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to one recipient, in words."""

    delivery: str
    """Id of the delivery: the same at each attempt, so that a receiver can drop repeats."""
    notice: str
    kind: str
    """raised, cleared, withdrawn, confirmed, repeat, digest, escalation, case_step, response_step, test."""
    priority: int
    """1 urgent to 4 early warning."""
    recipient: str
    department: str
    address: str
    subject: str
    """One printable line."""
    text: str
    html: str
    """The same with markup; every name in it is escaped. Empty where no template gives one."""
    synthetic: bool
    created_at: int
    """Milliseconds UTC."""
    payload: Mapping[str, Any]
    """What the texts were made of, as data."""
    receipt_url: str = ""
    """Where the receiver can say that it has the message; empty when nothing is reachable."""


class Channel(Protocol):
    """One way out. Safe to use from several threads at once."""

    def send(self, message: Message) -> Answer:
        """Try once, within the channel's time limit; what goes wrong outside is an answer, never raised."""
        ...


def plain(text: str, most: int = DETAIL_LENGTH) -> str:
    """Return a text from outside as one printable line of bounded length."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * most]).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine: by its number, or by a name that always means it."""
    bare = host.strip("[]").rstrip(".").lower()
    if bare in _LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False
