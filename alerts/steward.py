"""The steward: gives each step of the history to its followers, exactly once, and wakes them when something is due.

A follower's cursor moves in the transaction that holds what the follower wrote. What a kill or a fault
undoes is undone whole, and done again; a time that came while nobody ran is due at the next start.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event as Flag
from typing import Final, Protocol

import sqlalchemy as sa

from alerts import tables as t
from alerts.desk import HistoryStep, step_of
from alerts.events import Event
from alerts.journal import Journal, Turn, event_of
from sensors.errors import StoreError

log = logging.getLogger(__name__)
_MS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """One step, and the event that it is of."""

    step: HistoryStep
    event: Event
    """As it stands now, which may be later than the step."""


class Follower(Protocol):
    """One that acts on the history. It keeps nothing in memory that the database does not give it again."""

    @property
    def name(self) -> str:
        """Key of its cursor; never changes."""
        ...

    def take(self, turn: Turn, steps: Sequence[Noted], now: int) -> None:
        """Take new steps, oldest first. What is written through the turn is kept together with the cursor.

        Parameters
        ----------
        turn
            The open transaction.
        steps
            At least one; each is given exactly once over all starts, as far as effects go.
        now
            Wall clock, milliseconds UTC.
        """
        ...

    def due(self, turn: Turn, now: int) -> int | None:
        """Do everything that is due; return when the next thing is, milliseconds UTC, or None when nothing waits."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StewardSettings:
    """How often the steward looks, and how it behaves when the database is away."""

    poll_s: float = 0.5
    """Pause between two looks when nothing is new."""
    steps_at_once: int = 500
    """Most steps in one transaction."""
    ask_again_s: float = 5.0
    """A follower is asked so often what is due, whatever it said: people may have changed it."""
    retry_s: float = 1.0
    """First wait when the database is away; doubled up to ``retry_most_s``."""
    retry_most_s: float = 30.0


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is known since a follower's last turn."""

    at: int
    number: int | None
    """The newest step of then; None when more waits."""
    due: int | None


class Steward:
    """The loop over all followers of one journal.

    Parameters
    ----------
    journal
        Where steps come from, and cursors stand. Several stewards may work on one: they take turns.
    followers
        In the order in which they get their turns.
    wall_ms
        The wall clock, milliseconds UTC.
    settings
        Pauses and sizes.
    """

    def __init__(
        self,
        journal: Journal,
        followers: Sequence[Follower],
        wall_ms: Callable[[], int],
        settings: StewardSettings | None = None,
    ) -> None:
        self._journal, self._followers, self._wall_ms = journal, tuple(followers), wall_ms
        self._settings = settings or StewardSettings()
        self._asked: dict[str, _Asked] = {}

    def run(self, stop: Flag) -> None:
        """Go on until told to stop; while the database is away, wait.

        Raises
        ------
        ExceptionGroup
            What followers raised, once every other follower has had its turn.
        """
        wait = self._settings.retry_s
        while not stop.is_set():
            try:
                taken = self.once()
            except StoreError as cause:
                log.warning("%s; next attempt in %.0f s", cause, wait)
                stop.wait(wait)
                wait = min(wait * 2, self._settings.retry_most_s)
                continue
            wait = self._settings.retry_s
            if not taken:
                stop.wait(self._settings.poll_s)

    def once(self) -> int:
        """Give every follower what is new or due; return how many steps were taken.

        Raises
        ------
        StoreError
            When the database does not answer; what was not committed is done again next time.
        ExceptionGroup
            What followers raised, once every other follower has had its turn.
        """
        newest, taken = self._newest(), 0
        faults: list[Exception] = []
        for follower in self._followers:
            if not self._is_owed(follower.name, newest):
                continue
            try:
                taken += self._turn(follower, newest)
            except StoreError:
                raise
            except Exception as fault:  # raised below: one broken follower must not silence the others
                log.exception("follower %s failed", follower.name)
                faults.append(fault)
        if faults:
            raise ExceptionGroup("followers failed", faults)
        return taken

    def _newest(self) -> int:
        with self._journal.reading() as connection:
            return int(connection.execute(sa.select(t.turn.c.number)).scalar_one())

    def _is_owed(self, name: str, newest: int) -> bool:
        asked, now = self._asked.get(name), self._wall_ms()
        if asked is None or asked.number != newest or (asked.due is not None and asked.due <= now):
            return True
        return not asked.at <= now < asked.at + self._settings.ask_again_s * _MS  # before it: the clock was set back

    def _turn(self, follower: Follower, newest: int) -> int:
        now = self._wall_ms()
        with self._journal.writing() as turn:
            cursor = cursor_of(turn.connection, follower.name)
            steps = _steps_after(turn.connection, cursor or 0, self._settings.steps_at_once)
            if steps:
                follower.take(turn, steps, now)
            due = follower.due(turn, now)
            _move(turn.connection, follower.name, cursor, steps[-1].step.number if steps else cursor or 0, now)
        more = len(steps) == self._settings.steps_at_once
        self._asked[follower.name] = _Asked(at=now, number=None if more else newest, due=due)
        return len(steps)


def cursor_of(connection: sa.Connection, name: str) -> int | None:
    """Return the number of the newest step that a follower took; None for one never seen."""
    return connection.execute(sa.select(t.follower.c.number).where(t.follower.c.name == name)).scalar()


def seen(connection: sa.Connection, name: str) -> int | None:
    """Return when a follower had its last turn, milliseconds UTC; None for one never seen."""
    return connection.execute(sa.select(t.follower.c.seen_at).where(t.follower.c.name == name)).scalar()


def sign_of_life(turn: Turn, name: str) -> None:
    """Note that a part that follows no steps is alive; several may leave it at once."""
    turn.upsert(t.follower, [{"name": name, "number": 0, "seen_at": turn.wall_ms}])


def _steps_after(connection: sa.Connection, cursor: int, limit: int) -> tuple[Noted, ...]:
    s = t.event_step.c
    found = connection.execute(sa.select(t.event_step).where(s.number > cursor).order_by(s.number).limit(limit))
    steps = [step_of(row) for row in found]
    ids = sorted({step.event for step in steps})
    rows = connection.execute(sa.select(t.event).where(t.event.c.id.in_(ids))) if ids else ()
    events = {row.id: event_of(row) for row in rows}
    return tuple(Noted(step=step, event=events[step.event]) for step in steps)


def _move(connection: sa.Connection, name: str, before: int | None, number: int, now: int) -> None:
    values = {"number": number, "seen_at": now}
    if before is None:
        connection.execute(sa.insert(t.follower).values(name=name, **values))
    else:
        connection.execute(sa.update(t.follower).where(t.follower.c.name == name).values(**values))
