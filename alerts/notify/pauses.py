"""When a message is tried again, and when nobody tries any more."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from alerts.notify.channels import Answer, Outcome

_MS: Final = 1000
_HOUR_MS: Final = 3_600_000


class Delivered(StrEnum):
    """Where a delivery stands; the states of ``alert_delivery``."""

    WAITING = "waiting"
    HELD = "held"
    """Not yet: quiet hours. The planner lets it go."""
    SENDING = "sending"
    """Somebody tries right now; another may when the lease has ended."""
    FAILED = "failed"
    """Tried, and to be tried again."""
    SENT = "sent"
    RECEIVED = "received"
    GIVEN_UP = "given_up"


OPEN: Final = (Delivered.WAITING, Delivered.FAILED, Delivered.SENDING)
"""States of what is still to be sent."""
REACHED: Final = (Delivered.SENT, Delivered.RECEIVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a channel is tried."""

    first_s: float = 5.0
    """Pause after the first failure; doubled after each further one."""
    most_s: float = 900.0
    give_up_h: float = 24.0
    """Nobody tries any more so long after a message was due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """What becomes of a delivery after an attempt."""

    state: Delivered
    at: int | None
    """When it is tried again, milliseconds UTC; None when it is not."""


def pause_ms(attempts: int, patience: Patience) -> int:
    """Return the pause after so many failed attempts, from 1; growing, and bounded."""
    doubled = patience.first_s * 2.0 ** min(attempts - 1, 30)
    return round(min(doubled, patience.most_s) * _MS)


def after(answer: Answer, attempts: int, due_at: int, now: int, patience: Patience) -> Next:
    """Return what follows from an answer.

    Parameters
    ----------
    answer
        Of the channel.
    attempts
        Made so far, this one among them.
    due_at
        When the message was to go; its age counts from then. Milliseconds UTC.
    now
        Milliseconds UTC.
    patience
        Of the channel. A channel that asks for a longer pause gets it, but no more age.
    """
    match answer.outcome:
        case Outcome.SENT:
            return Next(state=Delivered.SENT, at=None)
        case Outcome.RECEIVED:
            return Next(state=Delivered.RECEIVED, at=None)
        case Outcome.REFUSED:
            return Next(state=Delivered.GIVEN_UP, at=None)
        case Outcome.RETRY:
            last = due_at + round(patience.give_up_h * _HOUR_MS)
            if now >= last:
                return Next(state=Delivered.GIVEN_UP, at=None)
            wanted = now + max(pause_ms(attempts, patience), answer.wait_ms or 0)
            return Next(state=Delivered.FAILED, at=min(wanted, last))  # the last attempt is made at the give-up age
