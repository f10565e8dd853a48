"""Feeding: rows to the topics with ticks in their own time, behind the gate."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic, time

import pyarrow as pa

from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.deadletters import DeadLetter
from sensors.frames import Origin
from sensors.publisher import TICK_IDLE_S, Gate, Publisher

LETTERS = 500
LETTER_BYTES = 500_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Packets:
    """Rows of one kind whose readings cover the same length of time."""

    kind: str
    period_ms: int
    rows: pa.RecordBatch
    origin: Origin = Origin.DEVICE


@dataclass(slots=True, kw_only=True)
class Feeder:
    """One source's way to the topics of its kinds."""

    publishers: Mapping[str, Publisher]
    """By kind."""
    gate: Gate
    stop: threading.Event

    def send(self, packets: Iterable[Packets], end_ms: int) -> None:
        """Publish what belongs to a time that ends at ``end_ms``, then the ticks, and wait for the readers."""
        for part in packets:
            if part.rows.num_rows:
                self.publishers[part.kind].publish(part.rows, period_ms=part.period_ms, origin=part.origin)
        self.tick(end_ms)
        self.wait()

    def tick(self, at_ms: int) -> None:
        """Send the clock to every partition of every kind, and wait until the broker has all that was sent."""
        for publisher in self.publishers.values():
            publisher.tick(at_ms)
        for publisher in self.publishers.values():
            publisher.flush()

    def wait(self) -> None:
        """Wait until the readers are near enough."""
        self.gate.wait(tuple(self.publishers.values()), self.stop)

    def of(self, kinds: Iterable[str]) -> Feeder:
        """Return the way to the topics of some of its kinds; the clocks of the others stay as they are."""
        return replace(self, publishers={kind: self.publishers[kind] for kind in kinds})

    def refuse(self, letters: Sequence[DeadLetter]) -> None:
        """Send dead letters, a few at a time behind the gate: a broken file can have more than a broker holds."""
        publisher = next(iter(self.publishers.values()))
        begin = 0
        while begin < len(letters) and not self.stop.is_set():
            end, size = begin, 0
            while end < len(letters) and end - begin < LETTERS and size < LETTER_BYTES:
                size += len(letters[end].raw)
                end += 1
            publisher.refuse(letters[begin:end])
            publisher.flush()
            self.wait()
            begin = end


PacketSource = Callable[[int, int], Iterable[Packets]]
"""Packets of intervals that start in [start, end), ms."""


def fill(feeder: Feeder, packets: PacketSource, start_ms: int, end_ms: int, on_hour: Callable[[int], None]) -> int:
    """Publish history hour by hour at full speed; return how far it came."""
    feeder.tick(start_ms)
    at = start_ms
    while at < end_ms and not feeder.stop.is_set():
        until = min(at + HOUR_MS, end_ms)
        feeder.send(packets(at, until), until)
        at = until
        on_hour(at)
    return at


def live(feeder: Feeder, packets: PacketSource, start_ms: int, speed: float, on_minute: Callable[[int], None]) -> None:
    """Publish minutes as they end until told to stop, with a tick every ten seconds at least.

    The simulated clock begins at ``start_ms``, or at the wall's time when that is later, and runs ``speed``
    times as fast as the wall's; what lies between ``start_ms`` and its beginning is sent first.
    """
    begun, sent, ticked = monotonic(), start_ms // MINUTE_MS * MINUTE_MS, 0.0
    first = max(start_ms, int(time() * 1000))
    while not feeder.stop.is_set():
        now = first + int((monotonic() - begun) * 1000 * speed)
        minute = now // MINUTE_MS * MINUTE_MS
        if minute > sent:
            for begin in range(sent, minute, HOUR_MS):
                if feeder.stop.is_set():
                    return
                until = min(begin + HOUR_MS, minute)
                feeder.send(packets(begin, until), until if until < minute else now)
            sent, ticked = minute, monotonic()
            on_minute(minute)
        elif monotonic() - ticked >= TICK_IDLE_S:
            feeder.tick(now)
            ticked = monotonic()
        feeder.stop.wait(min(1.0, max(0.02, MINUTE_MS / 1000 / speed / 5)))


def keep_ticking(feeder: Feeder) -> None:
    """Publish the wall clock's ticks and nothing else, for a system without a simulator."""
    while not feeder.stop.is_set():
        feeder.tick(int(time() * 1000))
        feeder.wait()
        feeder.stop.wait(TICK_IDLE_S)


def replay_rows(feeder: Feeder, blocks: Iterable[tuple[Sequence[Packets], int]], *, settle_ms: int) -> int:
    """Publish blocks of rows in the order in which they come; the clock is the greatest end so far.

    Parameters
    ----------
    blocks
        (packets, greatest end of their intervals, ms).
    settle_ms
        Once all is sent the clock moves on by this, so that the last hour and day are closed.

    Returns
    -------
    Rows published.
    """
    at, rows_sent = 0, 0
    for packets, end in blocks:
        if feeder.stop.is_set():
            return rows_sent
        starts = [part.rows.column("start").cast(pa.int64()).to_numpy().min() for part in packets if part.rows.num_rows]
        if at == 0 and starts:
            at = int(min(starts))
            feeder.tick(at)
        at = max(at, end)
        feeder.send(packets, at)
        rows_sent += sum(part.rows.num_rows for part in packets)
    if at:
        feeder.tick(at + settle_ms)
    return rows_sent
