"""Feeding: rows to the topics with ticks in their own time, behind the gate."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from time import monotonic, time

import pyarrow as pa

from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.deadletters import DeadLetter
from sensors.frames import Origin
from sensors.publisher import TICK_IDLE_S, Gate, Publisher

LETTERS = 500
LETTER_BYTES = 500_000


@dataclass(slots=True, kw_only=True)
class Feeder:
    """One source's way to the topics."""

    publisher: Publisher
    gate: Gate
    topic: str
    stop: threading.Event

    def hour(self, rows: pa.RecordBatch, end_ms: int, *, period_ms: int, origin: Origin = Origin.DEVICE) -> None:
        """Publish what belongs to a time that ends at ``end_ms``, then the tick, and wait for the readers."""
        self.publisher.publish(rows, period_ms=period_ms, origin=origin)
        self.publisher.tick(end_ms)
        self.publisher.flush()
        self.gate.wait(self.publisher, self.topic, self.stop)

    def refuse(self, letters: Sequence[DeadLetter]) -> None:
        """Send dead letters, a few at a time behind the gate: a broken file can have more than a broker holds."""
        begin = 0
        while begin < len(letters) and not self.stop.is_set():
            end, size = begin, 0
            while end < len(letters) and end - begin < LETTERS and size < LETTER_BYTES:
                size += len(letters[end].raw)
                end += 1
            self.publisher.refuse(letters[begin:end])
            self.publisher.flush()
            self.gate.wait(self.publisher, self.topic, self.stop)
            begin = end


PacketSource = Callable[[int, int], pa.RecordBatch]
"""Packets of minutes that start in [start, end), ms."""


def fill(feeder: Feeder, packets: PacketSource, start_ms: int, end_ms: int, on_hour: Callable[[int], None]) -> int:
    """Publish history hour by hour at full speed; return how far it came."""
    feeder.publisher.tick(start_ms)
    at = start_ms
    while at < end_ms and not feeder.stop.is_set():
        until = min(at + HOUR_MS, end_ms)
        feeder.hour(packets(at, until), until, period_ms=MINUTE_MS)
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
                feeder.hour(packets(begin, until), until if until < minute else now, period_ms=MINUTE_MS)
            sent, ticked = minute, monotonic()
            on_minute(minute)
        elif monotonic() - ticked >= TICK_IDLE_S:
            feeder.publisher.tick(now)
            feeder.publisher.flush()
            ticked = monotonic()
        feeder.stop.wait(min(1.0, max(0.02, MINUTE_MS / 1000 / speed / 5)))


def keep_ticking(feeder: Feeder) -> None:
    """Publish the wall clock's ticks and nothing else, for a system without a simulator."""
    while not feeder.stop.is_set():
        feeder.publisher.tick(int(time() * 1000))
        feeder.publisher.flush()
        feeder.gate.wait(feeder.publisher, feeder.topic, feeder.stop)
        feeder.stop.wait(TICK_IDLE_S)


def replay_rows(
    feeder: Feeder, blocks: Iterable[tuple[pa.RecordBatch, int]], *, period_ms: int, origin: Origin, settle_ms: int
) -> int:
    """Publish blocks of rows in the order in which they come; the clock is the greatest end so far.

    Parameters
    ----------
    blocks
        (rows, greatest end of their intervals, ms).
    settle_ms
        Once all is sent the clock moves on by this, so that the last hour and day are closed.

    Returns
    -------
    Rows published.
    """
    at, rows_sent = 0, 0
    for rows, end in blocks:
        if feeder.stop.is_set():
            return rows_sent
        if at == 0 and rows.num_rows:
            at = rows.column("start").cast(pa.int64()).to_numpy().min().item()
            feeder.publisher.tick(at)
        at = max(at, end)
        feeder.hour(rows, at, period_ms=period_ms, origin=origin)
        rows_sent += rows.num_rows
    if at:
        feeder.publisher.tick(at + settle_ms)
        feeder.publisher.flush()
    return rows_sent
