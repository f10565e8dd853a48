"""The desk: what the console asks of the alerts, and what people do there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from alerts import tables as t
from alerts.bounds import Bound
from alerts.covering import covered
from alerts.episodes import multiple_of
from alerts.events import Change, Event, Fact
from alerts.journal import Journal, event_of, tallies
from alerts.states import Act, Deed, State, WrongTransition, next_state
from alerts.tally import Tally
from alerts.verdicts import Point
from sensors.errors import JianhuError, UnknownName

MOST_AT_ONCE: Final = 500
NAME_LENGTH: Final = 200
NOTE_LENGTH: Final = 4000


class Part(StrEnum):
    """The two lists of open events."""

    NOW = "now"
    """What happens: it sounds and stays until it is acknowledged."""
    BACKFILLED = "backfilled"
    """补录: raised on old data; no sound, no place in "now"."""


class NotSigned(JianhuError):
    """An act without a named author, without a note where one is owed, or longer than the fields hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who did something, and when."""

    author: str
    at: int
    """Milliseconds UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An event as the console shows it."""

    event: Event
    noticed_at: int
    """Wall clock when it was raised, milliseconds UTC; ``event.raised_at`` is the tick."""
    acknowledged: Signature | None
    closed: Signature | None
    note: str
    """What was written at the closing; empty before."""
    number: int
    """Number of the step that raised it: the order of lists, and their cursor."""
    changed: int
    """Number of its newest step."""

    @property
    def id(self) -> str:
        """The id of the event."""
        return self.event.id

    @property
    def value(self) -> int | None:
        """The peak: fixed point with ``digits``; None for no data, or over the range without a value."""
        return self.event.peak.value

    @property
    def digits(self) -> int:
        """Digits after the point of ``value``."""
        return self.event.peak.digits

    @property
    def bound(self) -> Bound | None:
        """What the peak was held against."""
        return self.event.peak.bound

    @property
    def multiple(self) -> Fraction | None:
        """By how much the peak is over, as a part of the bound (超标倍数); None where none is made."""
        return multiple_of(self.event.peak)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryStep:
    """One step of an event's history."""

    number: int
    event: str
    revision: int
    kind: Change | Deed
    author: str
    at: int
    """The tick of the rule's steps, the time of people's acts; milliseconds UTC."""
    noticed_at: int
    reason: str
    evidence: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Why an event was raised: all that went into it, and what was done since."""

    alert: Alert
    raised_by: Point
    """The row that raised it: value, bound with standard, clause, edition or author, inputs, counts, flags."""
    peak: Point
    points: tuple[Point, ...]
    """The rows over or without a value between start and last, as known now; those revised to fine among them."""
    steps: tuple[HistoryStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which events a list shows; None or empty means any."""

    sites: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    states: tuple[State, ...] = ()
    facts: tuple[Fact, ...] = ()
    backfilled: bool | None = None
    start_ms: int | None = None
    """Only events that last beyond this."""
    end_ms: int | None = None
    """Only events that start before this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some events, newest first."""

    alerts: tuple[Alert, ...]
    cursor: int | None
    """Where the next page begins; None at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Steps since a cursor, oldest first, and the alerts that they are about as they stand now."""

    steps: tuple[HistoryStep, ...]
    alerts: tuple[Alert, ...]
    cursor: int
    """For the next question; as given when nothing changed."""


class Desk:
    """Questions and acts; every method is safe to call from any thread.

    All raise `sensors.errors.StoreError` when the database does not answer.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def open_events(self, part: Part = Part.NOW, limit: int = MOST_AT_ONCE) -> tuple[Alert, ...]:
        """Return what waits for somebody: not closed, not joined; unacknowledged first, then urgent, then newest.

        An event that a graver one covers waits with it (`alerts.covering`). An acknowledged event that was withdrawn
        waits for nobody and is left out.
        """
        c = t.event.c
        waits = (c.state == State.RAISED.value) | (c.fact != Fact.WITHDRAWN.value)
        query = sa.select(t.event).where(
            c.state != State.CLOSED.value, c.backfilled == (part is Part.BACKFILLED), c.fact != Fact.JOINED.value,
            waits, ~covered(),
        )  # fmt: skip
        raised_first = sa.case((c.state == State.RAISED.value, 0), else_=1)
        return self._alerts(query.order_by(raised_first, c.priority, c.number.desc()).limit(_bounded(limit)))

    def newest_raised(self, limit: int) -> tuple[str, ...]:
        """Return the ids of the newest events of "now" that nobody acknowledged, whatever their priority."""
        c = t.event.c
        query = sa.select(c.id).where(
            c.state == State.RAISED.value, c.backfilled.is_(False), c.fact != Fact.JOINED.value, ~covered()
        )
        with self._journal.reading() as connection:
            return tuple(connection.execute(query.order_by(c.number.desc()).limit(_bounded(limit))).scalars())

    def count_open(self, part: Part = Part.NOW) -> dict[State, int]:
        """Return how many events of `open_events` are in each state, without a limit."""
        c = t.event.c
        waits = (c.state == State.RAISED.value) | (c.fact != Fact.WITHDRAWN.value)
        query = (
            sa.select(c.state, sa.func.count())
            .where(c.backfilled == (part is Part.BACKFILLED), c.fact != Fact.JOINED.value, waits, ~covered())
            .group_by(c.state)
        )
        with self._journal.reading() as connection:
            found = {State(state): int(count) for state, count in connection.execute(query)}
        return {state: found.get(state, 0) for state in (State.RAISED, State.ACKNOWLEDGED)}

    def events(self, filters: Filters | None = None, limit: int = 100, cursor: int | None = None) -> Page:
        """Return a page of events, newest raised first, from a cursor on."""
        query = sa.select(t.event).where(*_conditions(filters or Filters()))
        if cursor is not None:
            query = query.where(t.event.c.number < cursor)
        count = _bounded(limit)
        found = self._alerts(query.order_by(t.event.c.number.desc()).limit(count + 1))
        more = len(found) > count
        return Page(alerts=found[:count], cursor=found[count - 1].number if more else None)

    def event(self, event_id: str) -> Alert:
        """Return one event.

        Raises
        ------
        UnknownName
            When there is none of this id.
        """
        found = self._alerts(sa.select(t.event).where(t.event.c.id == event_id))
        if not found:
            raise UnknownName("the alert journal", event_id)
        return found[0]

    def why(self, event_id: str) -> Why:
        """Return what went into an event, and its history.

        Raises
        ------
        UnknownName
            When there is none of this id.
        """
        alert = self.event(event_id)
        event, v = alert.event, t.verdict.c
        rows = (
            sa.select(v.point)
            .where(v.rule == event.key.rule, v.site == event.key.site, v.factor == event.key.factor)
            .where(v.start >= event.start, v.start < event.last)
            .order_by(v.start, v.window)
            .limit(MOST_AT_ONCE)
        )
        s = t.event_step.c
        with self._journal.reading() as connection:
            points = tuple(msgspec.json.decode(row.point, type=Point) for row in connection.execute(rows))
            found = connection.execute(sa.select(t.event_step).where(s.event == event_id).order_by(s.number))
            steps = tuple(step_of(row) for row in found)
        return Why(alert=alert, raised_by=event.raised_by, peak=event.peak, points=points, steps=steps)

    def tally(self, event: Event) -> Tally | None:
        """Return on how many days the series of an event was over, as known now; None for a rule without a tally."""
        with self._journal.reading() as connection:
            return tallies(connection, [event]).get(event.id)

    def newest_change(self) -> int:
        """Return the cursor of now, for `changes_since`."""
        with self._journal.reading() as connection:
            return int(connection.execute(sa.select(t.turn.c.number)).scalar_one())

    def changes_since(self, cursor: int, limit: int = MOST_AT_ONCE) -> Changes:
        """Return the steps after a cursor, oldest first, at most ``limit``; ask again until none come."""
        s = t.event_step.c
        query = sa.select(t.event_step).where(s.number > cursor).order_by(s.number).limit(_bounded(limit))
        with self._journal.reading() as connection:
            steps = tuple(step_of(row) for row in connection.execute(query))
        ids = sorted({step.event for step in steps})
        alerts = self._alerts(sa.select(t.event).where(t.event.c.id.in_(ids)).order_by(t.event.c.number)) if ids else ()
        return Changes(steps=steps, alerts=alerts, cursor=steps[-1].number if steps else cursor)

    def acknowledge(self, event_id: str, author: str, at: int) -> Alert:
        """Note that a named person has taken notice.

        Raises
        ------
        UnknownName
            When there is no such event.
        WrongTransition
            When it is acknowledged or closed already.
        NotSigned
            Without a name.
        """
        signed = {"acknowledged_by": _text(author, NAME_LENGTH, "a name"), "acknowledged_at": at}
        return self._act(event_id, Act.ACKNOWLEDGE, Deed.ACKNOWLEDGED, Signature(author=author.strip(), at=at), signed)

    def close(self, event_id: str, author: str, note: str, at: int) -> Alert:
        """End an acknowledged event, with a note of what was found or done.

        Raises
        ------
        UnknownName
            When there is no such event.
        WrongTransition
            When it is not acknowledged yet, or closed already.
        NotSigned
            Without a name or a note.
        """
        signed = {
            "closed_by": _text(author, NAME_LENGTH, "a name"),
            "closed_at": at,
            "note": _text(note, NOTE_LENGTH, "a note"),
        }
        return self._act(event_id, Act.CLOSE, Deed.CLOSED, Signature(author=author.strip(), at=at), signed)

    def _act(self, event_id: str, act: Act, deed: Deed, by: Signature, signed: dict[str, Any]) -> Alert:
        c = t.event.c
        with self._journal.writing() as turn:
            row = turn.connection.execute(sa.select(c.state, c.revision).where(c.id == event_id)).first()
            if row is None:
                raise UnknownName("the alert journal", event_id)
            moved = next_state(State(row.state), act)
            if not moved.allowed:
                raise WrongTransition(event_id, act, moved)
            (number,) = turn.next_numbers(1)
            values = {**signed, "state": moved.state.value, "changed": number}
            turn.connection.execute(sa.update(t.event).where(c.id == event_id).values(values))
            turn.add_step(
                {
                    "number": number,
                    "event": event_id,
                    "revision": row.revision,
                    "kind": deed.value,
                    "author": by.author,
                    "at": by.at,
                    "noticed_at": turn.wall_ms,
                    "reason": signed.get("note", moved.reason.value),
                    "evidence": "{}",
                }
            )
        return self.event(event_id)

    def _alerts(self, query: sa.Select[Any]) -> tuple[Alert, ...]:
        with self._journal.reading() as connection:
            return tuple(alert_of(row) for row in connection.execute(query))


def _text(text: str, most: int, what: str) -> str:
    stripped = text.strip()
    if not stripped or len(stripped) > most:
        raise NotSigned(f"an act needs {what}, at most {most} characters")
    return stripped


def _bounded(limit: int) -> int:
    return max(1, min(limit, MOST_AT_ONCE))


def _conditions(filters: Filters) -> Iterable[sa.ColumnElement[bool]]:
    c = t.event.c
    chosen: tuple[tuple[sa.ColumnElement[Any], Sequence[str]], ...] = (
        (c.site, filters.sites), (c.rule, filters.rules), (c.factor, filters.factors), (c.kind, filters.kinds),
        (c.state, [state.value for state in filters.states]), (c.fact, [fact.value for fact in filters.facts]),
    )  # fmt: skip
    yield from (column.in_(list(values)) for column, values in chosen if values)
    if filters.backfilled is not None:
        yield c.backfilled == filters.backfilled
    if filters.start_ms is not None:
        yield c.last > filters.start_ms
    if filters.end_ms is not None:
        yield c.start < filters.end_ms


def alert_of(row: sa.Row[Any]) -> Alert:
    """Return a row of the event table as the console shows it."""
    return Alert(
        event=event_of(row),
        noticed_at=row.noticed_at,
        acknowledged=_signature(row.acknowledged_by, row.acknowledged_at),
        closed=_signature(row.closed_by, row.closed_at),
        note=row.note or "",
        number=row.number,
        changed=row.changed,
    )


def _signature(author: str | None, at: int | None) -> Signature | None:
    return None if author is None or at is None else Signature(author=author, at=at)


def step_of(row: sa.Row[Any]) -> HistoryStep:
    """Return a row of the history as a step."""
    kind = Deed(row.kind) if row.kind in set(Deed) else Change(row.kind)
    return HistoryStep(
        number=row.number,
        event=row.event,
        revision=row.revision,
        kind=kind,
        author=row.author,
        at=row.at,
        noticed_at=row.noticed_at,
        reason=row.reason,
        evidence=msgspec.json.decode(row.evidence),
    )
