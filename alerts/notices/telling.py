"""Telling: makes of a message for a person the deliveries that are owed: at once, after quiet hours, or in a digest."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from alerts.journal import Turn
from alerts.notices import tables as n
from alerts.notices.digest import gather
from alerts.notices.outbox import HELD, WAITING, put
from alerts.notices.payload import Payload, why_parts
from alerts.notices.policy import Policy, Reach
from alerts.notices.quiet import WorkDays, hold
from alerts.people import People, Person
from alerts.routing import Recipient, Why
from alerts.subjects import URGENT

ESCALATION: Final = "escalation"
DIGEST: Final = "digest"
REPEAT: Final = "repeat"


@dataclass(frozen=True, slots=True, kw_only=True)
class What:
    """A message, before it is somebody's."""

    notice: str
    """Hash of what it says: the same for all recipients."""
    kind: str
    priority: int
    events: tuple[str, ...]
    steps: tuple[int, ...]
    payload: Payload
    case: str = ""
    raised_at: int | None = None
    """Tick of the earliest step that it tells."""
    noticed_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class To:
    """Somebody, and why."""

    person: Person
    why: tuple[Why, ...]


def tos(recipients: Sequence[Recipient]) -> list[To]:
    """Return the recipients of a route."""
    return [To(person=one.person, why=one.why) for one in recipients]


class Teller:
    """Writes what people are owed.

    Parameters
    ----------
    policy, people
        Of this system.
    calendar
        Of the office.
    channels
        Names of the channels that there are; None: all that people name.
    """

    def __init__(
        self, policy: Policy, people: People, calendar: WorkDays, channels: Collection[str] | None = None
    ) -> None:
        self._policy, self._people, self._calendar = policy, people, calendar
        self._channels = None if channels is None else frozenset(channels)

    def tell(self, turn: Turn, what: What, to: Sequence[To], now: int) -> list[str]:
        """Write a message to some people; return the ids of those who have no address on any channel."""
        rows: list[dict[str, Any]] = []
        gathered: list[dict[str, Any]] = []
        lost: list[str] = []
        for one in to:
            addresses = self._addresses(one.person, what.priority)
            if not addresses:
                lost.append(one.person.id)
                continue
            row = self._row(what, one)
            wait = None if what.kind in {ESCALATION, DIGEST} else self._gathered(one.person, what, now)
            if wait is not None and what.kind == REPEAT:
                continue  # a digest says once what was and is
            if wait is not None:
                gathered.append(_gathered_row(row, wait.by, wait.until, now))
                continue
            rows += [row | {"channel": channel, "address": address} for channel, address in addresses]
        put(turn, [self._timed(row, now) for row in rows])
        turn.add_missing(n.gathered, gathered)
        return lost

    def _gathered(self, person: Person, what: What, now: int) -> Any:
        return gather(self._policy.digests, person, what.priority, now, self._calendar)

    def _timed(self, row: dict[str, Any], now: int) -> dict[str, Any]:
        person, due, state, by = self._people.persons[row["recipient"]], now, WAITING, ""
        held = None
        if row["kind"] != DIGEST and row["priority"] > URGENT:
            held = hold(self._policy.quiets, person, row["priority"], now, self._calendar)
        if held is not None:
            due, state, by = held.until, HELD, held.by
        return row | {"created_at": now, "due_at": due, "state": state, "held_by": by}

    def _row(self, what: What, one: To) -> dict[str, Any]:
        payload = msgspec.structs.replace(what.payload, language=one.person.language, why=why_parts(one.why))
        subjects = {"events": what.events, "steps": what.steps, "case": what.case}
        return {
            "notice": what.notice, "recipient": one.person.id, "department": one.person.department, "kind": what.kind,
            "priority": what.priority, "subjects": msgspec.json.encode(subjects).decode(),
            "payload": msgspec.json.encode(payload).decode(), "synthetic": what.payload.synthetic,
            "raised_at": what.raised_at, "noticed_at": what.noticed_at,
        }  # fmt: skip

    def _addresses(self, person: Person, priority: int) -> list[tuple[str, str]]:
        """Return channel and address, the preferred one first, of the channels that there are."""
        found = [
            (channel, address)
            for channel, address in person.addresses.items()
            if self._channels is None or channel in self._channels
        ]
        return found if self._policy.reach.get(priority, Reach.FIRST) is Reach.ALL else found[:1]


def _gathered_row(row: dict[str, Any], digest: str, due_at: int, now: int) -> dict[str, Any]:
    kept = ("notice", "recipient", "priority", "kind", "subjects", "payload", "synthetic", "raised_at", "noticed_at")
    return {name: row[name] for name in kept} | {"digest": digest, "due_at": due_at, "at": now}
