"""The two stages of a worker: readings to results, and day rows of sites to the results of their areas.

A stage folds one partition of its topic and answers with messages; it knows no broker and no clock but the log's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from sensors.deadletters import RAW_BYTES, DeadLetter, encode_letter
from sensors.frames import Frame, FrameHead, Tick, encode_frame, encode_tick
from streams.areas import AreaTick, encode_area_tick
from streams.bench import Outbound
from streams.judging.state import Refused
from streams.results import ResultHead, encode_results

RESULT_ROWS = 4_000
FORWARD_MS = 10_000
"""A tick of the readings is passed on to the results at least so often."""
AREAS_FORWARD_MS = 60_000
"""And to the areas, where every partition must hear of every other one's clock."""
ENDLESS_MS = 10**15
"""A span that leaves nothing of a log out."""
Router = Callable[[pa.RecordBatch], list[tuple[int, pa.RecordBatch]]]
"""Results → (partition of the areas topic, the rows that go there)."""


class Judge(Protocol):
    """One partition's judge of readings: a pure fold with a clock of its own."""

    span_ms: int
    """How far back a state must be folded to be complete."""

    def fold(self, frame: Frame) -> tuple[Refused, ...]:
        """Take readings; return the rows that have no place."""

    def tick(self, at: int) -> pa.RecordBatch | None:
        """Move the clock; return the results that are new or changed, None when there are none."""

    def begin_late(self) -> None:
        """Say before the first record that it is not the first of the log."""


class AreaJudge(Protocol):
    """One partition's judge of periods and areas."""

    def fold(self, rows: pa.RecordBatch) -> object:
        """Take rows of the first stage."""

    def tick(self, at: int, source: int) -> pa.RecordBatch | None:
        """Move a source's clock; return the results that are new or changed, None when there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where the messages of a partition go."""

    partition: int
    partitions: int
    results: str
    areas: str
    deadletter: str
    head: ResultHead


def _results(way: Way, topic: str, partition: int, rows: pa.RecordBatch | None) -> list[Outbound]:
    if rows is None:
        return []
    return [
        Outbound(topic=topic, partition=partition, data=encode_results(way.head, rows.slice(at, RESULT_ROWS)))
        for at in range(0, rows.num_rows, RESULT_ROWS)
    ]


@dataclass(slots=True, kw_only=True)
class JudgeStage:
    """The first stage: frames and ticks of readings."""

    way: Way
    judge: Judge
    route: Router | None
    """None when the kind has no second stage."""
    forwarded: int = 0
    """Last tick passed on to the results topic."""
    told: int = 0
    """Last tick passed on to the areas topic."""
    clock: int | None = None
    """Greatest tick; None before the first."""

    @property
    def span_ms(self) -> int:
        """See `Stage`."""
        return self.judge.span_ms

    def begin_late(self) -> None:
        """See `Stage`."""
        self.judge.begin_late()

    def take(self, item: Frame | Tick, where: str) -> list[Outbound]:
        """Fold a frame, or move the clock; results leave first, then what the areas are told."""
        if isinstance(item, Tick):
            self.clock = item.at if self.clock is None else max(self.clock, item.at)
            rows = self.judge.tick(item.at)
            return [*self._say(item, rows), *self._tell_areas(item, rows)]
        return [
            Outbound(topic=self.way.deadletter, partition=self.way.partition, data=encode_letter(letter))
            for refused in self.judge.fold(item)
            for letter in _letters_of(item.head, item.rows.filter(pa.array(refused.rows)), refused, where)
        ]

    def say_past(self, rows: pa.RecordBatch) -> list[Outbound]:
        """Return results of days long past as messages, to the results and to the areas.

        Raises
        ------
        ValueError
            Before the first tick: there is no clock by which they could be said.
        """
        if self.clock is None:
            raise ValueError("nothing can be said before the first tick")
        said = _results(self.way, self.way.results, self.way.partition, rows)
        return [*said, *self._tell_areas(Tick(self.clock), rows)]

    def _say(self, tick: Tick, rows: pa.RecordBatch | None) -> list[Outbound]:
        way = self.way
        messages = _results(way, way.results, way.partition, rows)
        if messages or tick.at - self.forwarded >= FORWARD_MS:
            messages.append(Outbound(topic=way.results, partition=way.partition, data=encode_tick(tick.at)))
            self.forwarded = tick.at
        return messages

    def _tell_areas(self, tick: Tick, rows: pa.RecordBatch | None) -> list[Outbound]:
        """Send rows to the areas that want them, then the clock to every partition of the areas."""
        if self.route is None:
            return []
        way = self.way
        routed = [] if rows is None else self.route(rows)
        messages = [message for partition, part in routed for message in _results(way, way.areas, partition, part)]
        if messages or tick.at - self.told >= AREAS_FORWARD_MS:
            data = encode_area_tick(tick.at, way.partition)
            messages += [Outbound(topic=way.areas, partition=p, data=data) for p in range(way.partitions)]
            self.told = tick.at
        return messages


@dataclass(slots=True, kw_only=True)
class AreaStage:
    """The second stage: day rows of sites by area, and the clocks of all partitions of the readings."""

    way: Way
    judge: AreaJudge
    span_ms: int = ENDLESS_MS
    """Its past is the whole topic: a year is made of all of its days."""

    def begin_late(self) -> None:
        """Do nothing: periods whose days are not all there say how many are."""

    def take(self, item: pa.RecordBatch | AreaTick, where: str) -> list[Outbound]:  # noqa: ARG002 - nothing is refused
        """Fold rows, or move the clock of their source; what changed goes to the results, without a tick."""
        if isinstance(item, AreaTick):
            return _results(self.way, self.way.results, self.way.partition, self.judge.tick(item.at, item.source))
        self.judge.fold(item)
        return []


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
