"""The bench of a worker: the states of one topic's partitions, and what each record makes of them.

Everything a record leads to has left with an acknowledgement before `Bench.take` returns; the caller
may then acknowledge the record itself. What a record says is the matter of a `Stage`: the same bench
carries readings to results, and day rows to the results of areas.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from sensors.deadletters import DeadLetter, Refusal, encode_letter
from sensors.errors import BadFrame
from sensors.frames import Recompute, is_request, request_of
from streams.history import History
from streams.segments import Form

SAY_AGAIN_TICKS = 1_000
log = logging.getLogger(__name__)
ItemT = TypeVar("ItemT")
ItemT_contra = TypeVar("ItemT_contra", contravariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """One message that must leave."""

    topic: str
    partition: int
    data: bytes


Send = Callable[[list[Outbound]], Awaitable[None]]
"""Returns when the broker has acknowledged all of them."""


class Stage(Protocol[ItemT_contra]):
    """One partition's state: a pure fold of what its topic carries, with a clock of its own."""

    @property
    def span_ms(self) -> int:
        """How far back a state must be folded to be complete."""

    def take(self, item: ItemT_contra, where: str) -> list[Outbound]:
        """Fold one item of the log and return what must leave because of it.

        Parameters
        ----------
        where
            Topic, partition and offset, for dead letters.
        """

    def begin_late(self) -> None:
        """Say before the first item that it is not the first of the log."""


@dataclass(slots=True, kw_only=True)
class Held(Generic[ItemT]):
    """A partition whose state is held."""

    stage: Stage[ItemT]
    folded: int
    """Greatest offset folded."""


Answer = Callable[[Stage[ItemT], int, int, Recompute], list[Outbound]]
"""Stage, partition, offset and a request to judge the past again → what must leave because of it; may take seconds."""


@dataclass(slots=True, kw_only=True)
class Bench(Generic[ItemT]):
    """All partitions of one topic that a worker has."""

    topic: str
    deadletter: str
    form: Form[ItemT]
    make_stage: Callable[[int], Stage[ItemT]]
    """Partition → a stage with an empty state."""
    history: History[ItemT]
    send: Send
    answer: Answer[ItemT] | None = None
    """What is done for a request; None where a topic takes none."""
    say_again: int = SAY_AGAIN_TICKS
    """What the last so many items of the past that said something said is sent again when a state is filled."""
    held: dict[int, Held[ItemT]] = field(default_factory=dict)

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
        if self.answer is not None and is_request(data):
            # In a thread: the worker must go on telling the broker that it lives.
            messages = await asyncio.to_thread(self._serve, self.answer, held, partition, offset, data)
        else:
            messages = self._follow(held, partition, offset, data)
        if messages:
            await self.send(messages)
        held.folded = offset

    async def _fill(self, partition: int, offset: int) -> Held[ItemT]:
        """Fold the past of a partition, and send what its last items said again."""
        held, again = await asyncio.to_thread(self._fold_past, partition, offset)
        await self.send(again)
        self.held[partition] = held
        return held

    def _fold_past(self, partition: int, offset: int) -> tuple[Held[ItemT], list[Outbound]]:
        held = Held(stage=self.make_stage(partition), folded=offset - 1)
        past = self.history.before(partition, offset, span_ms=held.stage.span_ms)
        if not past.whole:
            held.stage.begin_late()
        again: deque[list[Outbound]] = deque(maxlen=self.say_again)
        for item in past.items:
            said = held.stage.take(item, f"{self.topic}[{partition}]@<{offset}")
            if said := [message for message in said if message.topic != self.deadletter]:
                again.append(said)
        log.info("%s[%d]: state filled up to offset %d", self.topic, partition, offset)
        return held, [message for messages in again for message in messages]

    def _follow(self, held: Held[ItemT], partition: int, offset: int, data: bytes) -> list[Outbound]:
        """Return what must leave because of one record."""
        try:
            item = self.form.decode(data)
        except BadFrame as cause:
            return [self._unreadable(partition, offset, data, cause)]
        return held.stage.take(item, self._where(partition, offset))

    def _serve(
        self, answer: Answer[ItemT], held: Held[ItemT], partition: int, offset: int, data: bytes
    ) -> list[Outbound]:
        """Return what must leave because of a request."""
        try:
            request = request_of(data)
        except BadFrame as cause:
            return [self._unreadable(partition, offset, data, cause)]
        return answer(held.stage, partition, offset, request)

    def _where(self, partition: int, offset: int) -> str:
        return f"{self.topic}[{partition}]@{offset}"

    def _unreadable(self, partition: int, offset: int, data: bytes, cause: BadFrame) -> Outbound:
        where = self._where(partition, offset)
        letter = DeadLetter(reason=Refusal.BAD_FRAME, source="", where=where, detail=str(cause), raw=data)
        return Outbound(topic=self.deadletter, partition=partition, data=encode_letter(letter))
