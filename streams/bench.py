"""The bench of a worker: the states of its partitions, and what each record makes of them.

Everything a record leads to has left with an acknowledgement before `Bench.take` returns; the caller
may then acknowledge the record itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from sensors.deadletters import RAW_BYTES, DeadLetter, Refusal, encode_letter
from sensors.errors import BadFrame
from sensors.frames import Frame, FrameHead, Tick, decode, encode_frame, encode_tick
from streams.air.state import Refused
from streams.history import History
from streams.results import ResultHead, encode_results

RESULT_ROWS = 4_000
FORWARD_MS = 10_000
SAY_AGAIN_TICKS = 1_000
log = logging.getLogger(__name__)


class Judge(Protocol):
    """One partition's judge: a pure fold with a clock of its own."""

    span_ms: int
    """How far back a state must be folded to be complete."""

    def fold(self, frame: Frame) -> tuple[Refused, ...]:
        """Take readings; return the rows that have no place."""
        ...

    def tick(self, at: int) -> pa.RecordBatch | None:
        """Move the clock; return the results that are new or changed, None when there are none."""
        ...

    def begin_late(self) -> None:
        """Say before the first record that it is not the first of the log."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """One message that must leave."""

    topic: str
    partition: int
    data: bytes


Send = Callable[[list[Outbound]], Awaitable[None]]
"""Returns when the broker has acknowledged all of them."""


@dataclass(slots=True, kw_only=True)
class Held:
    """A partition whose state is held."""

    judge: Judge
    folded: int
    """Greatest offset folded."""
    forwarded: int = 0
    """Last tick passed on to the results topic."""


@dataclass(slots=True, kw_only=True)
class Bench:
    """All partitions of one worker."""

    readings: str
    results: str
    deadletter: str
    head: ResultHead
    make_judge: Callable[[int], Judge]
    """Partition → a judge with an empty state."""
    history: History
    send: Send
    say_again: int = SAY_AGAIN_TICKS
    """Results of so many last ticks of the past are sent again when a state is filled."""
    held: dict[int, Held] = field(default_factory=dict)

    def keep_only(self, partitions: Iterable[int]) -> None:
        """Drop the states of partitions that went to another worker."""
        for partition in set(self.held) - set(partitions):
            del self.held[partition]

    async def take(self, partition: int, offset: int, data: bytes) -> None:
        """Fold one record and send what follows from it; a record taken before does nothing."""
        held = self.held.get(partition)
        if held is not None and offset <= held.folded:
            return
        if held is None or offset != held.folded + 1:
            held = await self._fill(partition, offset)
        if messages := self._follow(held, partition, offset, data):
            await self.send(messages)
        held.folded = offset

    async def _fill(self, partition: int, offset: int) -> Held:
        """Fold the past of a partition, and send the results of its last ticks again."""
        held, again = await asyncio.to_thread(self._fold_past, partition, offset)
        await self.send(again)
        self.held[partition] = held
        return held

    def _fold_past(self, partition: int, offset: int) -> tuple[Held, list[Outbound]]:
        held = Held(judge=self.make_judge(partition), folded=offset - 1)
        past = self.history.before(partition, offset, span_ms=held.judge.span_ms)
        if not past.whole:
            held.judge.begin_late()
        again: deque[list[Outbound]] = deque(maxlen=self.say_again)
        for item in past.items:
            if isinstance(item, Frame):
                held.judge.fold(item)
            else:
                again.append(self._tick(held, partition, item))
        log.info("partition %d: state filled up to offset %d", partition, offset)
        return held, [message for messages in again for message in messages]

    def _follow(self, held: Held, partition: int, offset: int, data: bytes) -> list[Outbound]:
        """Return what must leave because of one record."""
        where = f"{self.readings}[{partition}]@{offset}"
        try:
            item = decode(data)
        except BadFrame as cause:
            letter = DeadLetter(reason=Refusal.BAD_FRAME, source="", where=where, detail=str(cause), raw=data)
            return [self._letter(partition, letter)]
        if isinstance(item, Tick):
            return self._tick(held, partition, item)
        return [
            self._letter(partition, letter)
            for refused in held.judge.fold(item)
            for letter in _letters_of(item.head, item.rows.filter(pa.array(refused.rows)), refused, where)
        ]

    def _tick(self, held: Held, partition: int, tick: Tick) -> list[Outbound]:
        rows = held.judge.tick(tick.at)
        parts = [] if rows is None else [rows.slice(at, RESULT_ROWS) for at in range(0, rows.num_rows, RESULT_ROWS)]
        messages = [
            Outbound(topic=self.results, partition=partition, data=encode_results(self.head, part)) for part in parts
        ]
        if messages or tick.at - held.forwarded >= FORWARD_MS:
            messages.append(Outbound(topic=self.results, partition=partition, data=encode_tick(tick.at)))
            held.forwarded = tick.at
        return messages

    def _letter(self, partition: int, letter: DeadLetter) -> Outbound:
        return Outbound(topic=self.deadletter, partition=partition, data=encode_letter(letter))


def _letters_of(head: FrameHead, rows: pa.RecordBatch, refused: Refused, where: str) -> Iterator[DeadLetter]:
    """Yield refused rows as frames that can be driven again, in as many letters as they need."""
    raw = encode_frame(Frame(head=head, rows=rows))
    if len(raw) > RAW_BYTES and rows.num_rows > 1:
        half = rows.num_rows // 2
        yield from _letters_of(head, rows.slice(0, half), refused, where)
        yield from _letters_of(head, rows.slice(half), refused, where)
        return
    yield DeadLetter(
        reason=refused.reason,
        source=head.source,
        where=where,
        detail=refused.detail,
        raw=raw,
        site=str(rows.column("site")[0].as_py()),
    )
