"""Delivery: takes what is due from the queue, tries its channel, and writes down what came of it.

At least once. A message is claimed before the attempt and marked after it, so a kill repeats at most the
messages that were in flight: `in_flight_most`. A receiver that takes a message and does not say so gets it
again, too; each attempt carries the delivery's id, by which repeats can be dropped.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from threading import Event as Flag
from typing import Any, Final, Protocol, Self

from alerts.journal import Journal, Turn
from alerts.notify.channels import Answer, Channel, Message, Outcome
from alerts.notify.pauses import REACHED, Delivered, Patience, after
from alerts.notify.queue import Delivery, Lane, Tried, claim, head, heads, mark
from alerts.steward import sign_of_life
from sensors.errors import JianhuError, StoreError

log = logging.getLogger(__name__)
NAME: Final = "delivery"
"""Under which it leaves signs of life."""
_MS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A channel with what is asked of it."""

    channel: Channel
    local: bool
    """Whether it stays on this machine: synthetic messages go no other way."""
    at_once: int = 4
    """Most messages in flight, of different recipients."""
    urgent_at_once: int = 2
    """So many more, for urgent ones alone."""
    timeout_s: float = 10.0
    """Limit of one attempt."""
    per_minute: int = 0
    """Most attempts in a minute; urgent ones do not wait for it. 0: as many as come."""
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """How often delivery looks, and how it behaves when the database is away."""

    poll_s: float = 0.5
    alive_s: float = 5.0
    """A sign of life is left so often."""
    lane_at_once: int = 20
    """So many messages of one recipient are sent before others get their turn."""
    retry_s: float = 1.0
    retry_most_s: float = 30.0


class Unreachable(Protocol):
    """Is told of channels that fail for good, and of those that work again; see `alerts.standing`."""

    def lost(self, turn: Turn, name: str, reason: str, now: int) -> None:
        """Take note that a message was given up.

        Parameters
        ----------
        turn
            The transaction that writes it down.
        name
            The channel; or ``channel:recipient``, where this one was refused.
        reason
            What the channel said last.
        now
            Milliseconds UTC.
        """
        ...

    def found(self, turn: Turn, name: str, now: int) -> None:
        """Take note that a message was taken; told once after each start and after each loss."""
        ...


class BadMessage(JianhuError):
    """A row of which no message can be made."""


def in_flight_most(routes: Mapping[str, Route]) -> int:
    """Return how many messages can be in flight: as many a kill repeats at most."""
    return sum(route.at_once + route.urgent_at_once for route in routes.values())


class Deliverer:
    """The loop over the queue.

    Parameters
    ----------
    journal
        Where the queue is.
    routes
        Name of a channel → the channel.
    message_of
        Makes a message of a row; raises `BadMessage` when it cannot.
    unreachable
        Is told of trouble, in the transaction that writes it down.
    wall_ms
        The wall clock, milliseconds UTC.
    settings
        Pauses and sizes.
    """

    def __init__(
        self,
        journal: Journal,
        routes: Mapping[str, Route],
        *,
        message_of: Callable[[Any], Message],
        unreachable: Unreachable,
        wall_ms: Callable[[], int],
        settings: DeliverySettings | None = None,
    ) -> None:
        self._journal, self._routes, self._message_of = journal, dict(routes), message_of
        self._unreachable, self._wall_ms, self._settings = unreachable, wall_ms, settings or DeliverySettings()
        self._busy: dict[Lane, Future[None]] = {}
        self._quiet_until: dict[str, int] = {}
        self._paced_until: dict[str, int] = {}
        self._well: frozenset[str] = frozenset()
        self._alive_at: int | None = None

    def run(self, stop: Flag) -> None:
        """Go on until told to stop; what is in flight then is waited for."""
        wait = self._settings.retry_s
        with ExitStack() as stack:
            pools = {name: stack.enter_context(_Pool(name, route)) for name, route in self._routes.items()}
            while not stop.is_set():
                try:
                    started = self._look(pools, stop)
                except StoreError as cause:
                    log.warning("%s; next attempt in %.0f s", cause, wait)
                    stop.wait(wait)
                    wait = min(wait * 2, self._settings.retry_most_s)
                    continue
                wait = self._settings.retry_s
                if not started:
                    stop.wait(self._settings.poll_s)

    def once(self) -> int:
        """Try what is due now, one after the other; return how many attempts were made.

        Raises
        ------
        StoreError
            When the database does not answer.
        """
        done = 0
        self._stay_alive()
        while made := sum(self.deliver(one) for one in self._due() if self._may_go(one)):
            done += made
        return done

    def deliver(self, one: Delivery, stop: Flag | None = None) -> bool:
        """Claim, try and mark one message; return whether it was still there.

        Raises
        ------
        StoreError
            When the database does not take the claim. While it does not take the mark, that is tried again.
        """
        route, began = self._routes.get(one.lane.channel), self._wall_ms()
        lease_ms = _lease_ms(route)
        with self._journal.noting() as turn:
            if not claim(turn.connection, one, began, lease_ms):
                return False
        patience = route.patience if route is not None else Patience()
        answer = self._try(one, route)
        now = self._wall_ms()
        then = after(_bounded(answer, one.lane, patience), one.attempts + 1, one.due_at, now, patience)
        if answer.wait_ms:
            quiet = self._quiet_until.get(one.lane.channel, 0)
            self._quiet_until[one.lane.channel] = max(quiet, now + answer.wait_ms)
        tried = Tried(answer=answer, then=then, began=began, ended=now)
        self._until_written(lambda: self._mark(one, tried), stop)
        return True

    def _look(self, pools: Mapping[str, _Pool], stop: Flag) -> int:
        self._stay_alive()
        started = 0
        for one in self._due():
            pool = pools.get(one.lane.channel)
            if pool is None:
                started += self.deliver(one, stop)
            elif pool.has_room(one.lane) and self._may_go(one):
                self._busy[one.lane] = pool.start(one.lane, self._lane, one, stop)
                started += 1
        return started

    def _due(self) -> list[Delivery]:
        now = self._wall_ms()
        for lane, held in list(self._busy.items()):
            if held.done():
                del self._busy[lane]
                held.result()  # a fault of ours ends the loop, loudly
        with self._journal.reading() as connection:
            found = heads(connection, now, self._busy)
        return [one for one in found if one.lane.urgent or self._quiet_until.get(one.lane.channel, 0) <= now]

    def _may_go(self, one: Delivery) -> bool:
        """Keep a channel's pace; what is urgent goes beside it."""
        route = self._routes.get(one.lane.channel)
        if route is None or not route.per_minute or one.lane.urgent:
            return True
        now = self._wall_ms()
        if now < self._paced_until.get(one.lane.channel, 0):
            return False
        self._paced_until[one.lane.channel] = now + 60 * _MS // route.per_minute
        return True

    def _lane(self, one: Delivery, stop: Flag) -> None:
        """Send some messages of one lane in their order, until one fails."""
        following: Delivery | None = one
        for _ in range(self._settings.lane_at_once):
            if following is None or stop.is_set():
                return
            try:
                if not self.deliver(following, stop):
                    return
                now = self._wall_ms()
                if not one.lane.urgent and self._quiet_until.get(one.lane.channel, 0) > now:
                    return
                with self._journal.reading() as connection:
                    following = head(connection, one.lane, now)
                if following is not None and not self._may_go(following):
                    return
            except StoreError as cause:
                log.warning("%s: %s", one.lane.channel, cause)
                return

    def _try(self, one: Delivery, route: Route | None) -> Answer:
        """Return what the channel says; a fault of ours is an answer too, and told in the log."""
        if route is None:
            return Answer(outcome=Outcome.REFUSED, detail=f"there is no channel {one.lane.channel!r} any more")
        if one.row.synthetic and not route.local:
            return Answer(outcome=Outcome.REFUSED, detail="made of synthetic data: it does not leave this machine")
        try:
            return route.channel.send(self._message_of(one.row))
        except BadMessage as cause:
            return Answer(outcome=Outcome.REFUSED, detail=str(cause))
        except Exception as fault:  # one broken channel must not silence the others; the attempt is written down
            log.exception("channel %s failed", one.lane.channel)
            return Answer(outcome=Outcome.RETRY, detail=f"a fault of the channel: {type(fault).__name__}")

    def _mark(self, one: Delivery, tried: Tried) -> None:
        """Write an attempt down; say which channel or recipient is lost, or, once after each loss and start, is not."""
        state, names = tried.then.state, (one.lane.channel, f"{one.lane.channel}:{one.lane.recipient}")
        if state is Delivered.GIVEN_UP:
            lost = [names[tried.answer.outcome is Outcome.REFUSED]]
            found: list[str] = []
        else:
            lost, found = [], [name for name in names if state in REACHED and name not in self._well]
        with self._journal.writing() if lost or found else self._journal.noting() as turn:
            mark(turn.connection, one, tried)
            for name in lost:
                self._unreachable.lost(turn, name, tried.answer.detail, tried.ended)
            for name in found:
                self._unreachable.found(turn, name, tried.ended)
        self._well = (self._well | set(found)) - set(lost)

    def _until_written(self, work: Callable[[], None], stop: Flag | None) -> None:
        """Do not forget what was sent because the database is away for a while."""
        wait = self._settings.retry_s
        while True:
            try:
                work()
            except StoreError as cause:
                if stop is None or stop.is_set():
                    raise
                log.warning("%s; next attempt in %.0f s", cause, wait)
                stop.wait(wait)
                wait = min(wait * 2, self._settings.retry_most_s)
            else:
                return

    def _stay_alive(self) -> None:
        now = self._wall_ms()
        if self._alive_at is None or not 0 <= now - self._alive_at < self._settings.alive_s * _MS:
            with self._journal.noting() as turn:
                sign_of_life(turn, NAME)
            self._alive_at = now


class _Pool:
    """Threads of one channel; some of them for urgent messages alone."""

    def __init__(self, name: str, route: Route) -> None:
        self._most, self._ordinary = route.at_once + route.urgent_at_once, route.at_once
        self._running: list[tuple[bool, Future[None]]] = []
        self._threads = ThreadPoolExecutor(self._most, thread_name_prefix=f"channel-{name}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

    def has_room(self, lane: Lane) -> bool:
        """Return whether a thread is free; ordinary messages leave some to the urgent ones."""
        self._running = [(urgent, one) for urgent, one in self._running if not one.done()]
        ordinary = sum(not urgent for urgent, _ in self._running)
        return len(self._running) < self._most and (lane.urgent or ordinary < self._ordinary)

    def start(self, lane: Lane, work: Callable[..., None], *arguments: object) -> Future[None]:
        """Start work in a free thread."""
        future = self._threads.submit(work, *arguments)
        self._running.append((lane.urgent, future))
        return future


def _bounded(answer: Answer, lane: Lane, patience: Patience) -> Answer:
    """Return an answer with the pause that it asks for; what is urgent waits no longer than after any failure."""
    if not lane.urgent or not answer.wait_ms:
        return answer
    return replace(answer, wait_ms=min(answer.wait_ms, round(patience.most_s * _MS)))


def _lease_ms(route: Route | None) -> int:
    """Return how long nobody else tries: a channel of several steps may take its limit at each of them."""
    return round(((3 * route.timeout_s if route is not None else 0) + 5) * _MS)
