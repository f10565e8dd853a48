"""Silences: what people muted, with author, reason and an end; never deleted, only expired.

What is urgent (priority 1) is never muted. Otherwise as Alertmanager 0.25: all matchers must fit, and a silence holds
from its start to just before its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from alerts.notices.matchers import Matcher, match
from alerts.subjects import URGENT
from sensors.clock import DAY_MS
from sensors.errors import JianhuError

LONGEST_MS: Final = 90 * DAY_MS
"""A silence that nobody renews ends."""


class SilenceState(StrEnum):
    """Where a silence stands."""

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"


class SilenceFault(StrEnum):
    """What is wrong with a silence."""

    NO_TIME = "no_time"
    TOO_LONG = "too_long"
    EVERYTHING = "everything"
    URGENT = "urgent"
    ENDED = "ended"


class BadSilence(JianhuError):
    """A silence that cannot be: without an end, without a matcher, or one that could mute nothing or everything."""

    def __init__(self, fault: SilenceFault, text: str) -> None:
        self.fault = fault
        super().__init__(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """One silence."""

    id: str
    matchers: tuple[Matcher, ...]
    author: str
    reason: str
    created_at: int
    """Milliseconds UTC, as all times."""
    starts_at: int
    ends_at: int
    """The first instant at which it no longer holds."""
    expired_by: str = ""
    """Who ended it before its time."""
    expired_why: str = ""

    def state(self, now: int) -> SilenceState:
        """Return where it stands at an instant."""
        if now >= self.ends_at:
            return SilenceState.EXPIRED
        return SilenceState.PENDING if now < self.starts_at else SilenceState.ACTIVE


def silencing(silences: Iterable[Silence], labels: Mapping[str, str], now: int) -> Silence | None:
    """Return the silence that mutes these labels at an instant, the one that ends last; None when none does."""
    if labels.get("priority") == str(URGENT):
        return None
    held = [one for one in silences if one.state(now) is SilenceState.ACTIVE and match(one.matchers, labels)]
    return max(held, key=lambda one: (one.ends_at, one.id), default=None)


def check_silence(silence: Silence, now: int) -> None:
    """Check a silence that somebody wants to make.

    Raises
    ------
    BadSilence
        When it has no matcher that asks for something, no time, or can only be about what is urgent.
    """
    if silence.ends_at <= silence.starts_at or silence.ends_at <= now:
        raise BadSilence(SilenceFault.NO_TIME, "a silence ends after it starts, and not in the past")
    if silence.ends_at - max(silence.starts_at, now) > LONGEST_MS:
        raise BadSilence(SilenceFault.TOO_LONG, f"a silence lasts {LONGEST_MS // DAY_MS} days at most; renew it then")
    if all(one.holds({}) for one in silence.matchers):
        raise BadSilence(
            SilenceFault.EVERYTHING,
            "a silence needs a matcher that does not fit an empty label, or it mutes everything",
        )
    about = [one for one in silence.matchers if one.name == "priority"]
    if about and not any(match(about, {"priority": str(level)}) for level in (2, 3, 4)):
        raise BadSilence(SilenceFault.URGENT, "what is urgent (priority 1) is never muted")


def expire(silence: Silence, author: str, why: str, now: int) -> Silence:
    """Return a silence ended at an instant; one that has not begun never begins."""
    if silence.state(now) is SilenceState.EXPIRED:
        raise BadSilence(SilenceFault.ENDED, f"silence {silence.id} has ended already")
    starts = min(silence.starts_at, now)
    return replace(silence, starts_at=starts, ends_at=now, expired_by=author, expired_why=why)


def in_order(silences: Sequence[Silence], now: int) -> tuple[Silence, ...]:
    """Return silences as a list shows them: active, pending, expired; each by its end."""
    order = {SilenceState.ACTIVE: 0, SilenceState.PENDING: 1, SilenceState.EXPIRED: 2}
    return tuple(sorted(silences, key=lambda one: (order[one.state(now)], one.ends_at, one.id)))
