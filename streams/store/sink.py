"""The sink: from the results topics into a store, in a consumer group of its own.

Write, then commit: what was not written comes again, and writing it again is harmless. While the
store is down the partitions are paused and the polling goes on, so that membership stays and no
other part of the system waits.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import Final, Literal, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from sensors.deadletters import DeadLetter, encode_letter
from sensors.errors import EdgeError
from sensors.partition import partition_of
from streams.store.batch import Batch, Delivery, Place, Write, letter_of, read_deliveries
from streams.store.contract import Clock, ResultStore

_log = logging.getLogger(__name__)
_FLUSH_S: Final = 10.0
_LOOK_S: Final = 0.2
"""How often a wait looks whether it must end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkSettings:
    """Where the sink reads and how much it takes at a time."""

    bootstrap: str
    results: Mapping[str, str]
    """Topics of results and of the judges' ticks → the kind of each."""
    deadletter: str
    """Topic of what cannot be read or stored."""
    group: str = "jianhu-sink"
    messages: int = 200
    """Messages taken at a time, at most."""
    rows: int = 20_000
    """Rows of one write, at most, unless one message has more."""
    gather_s: float = 0.2
    """How long messages are gathered for one write."""
    backoff_s: float = 0.2
    """First wait when the store or the dead letters are down; doubled each time."""
    backoff_most_s: float = 5.0
    session_ms: int = 10_000
    """A member that was killed holds its partitions for so long. The embedded broker needs more than 3 s."""
    client: Mapping[str, str | int] = field(default_factory=lambda: MappingProxyType({}))
    """Further settings of librdkafka for consumer and producer, for example of TLS."""


class SinkState(StrEnum):
    """What the sink is doing."""

    READING = "reading"
    WAITING = "waiting"
    """The store or the dead letters do not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkProgress:
    """What the sink has done since it started."""

    state: SinkState = SinkState.READING
    why: str = ""
    """Why it waits; empty when it does not."""
    messages: int = 0
    accepted: int = 0
    kept: int = 0
    letters: int = 0


class ResultConsumer(Protocol):
    """What the sink needs of confluent-kafka's consumer."""

    def consume(self, num_messages: int, timeout: float) -> list[Message]:
        """Return messages, waiting at most so many seconds."""

    def assignment(self) -> list[TopicPartition]:
        """Return the partitions that this member has now."""

    def assign(self, partitions: list[TopicPartition]) -> None:
        """Take partitions."""

    def pause(self, partitions: list[TopicPartition]) -> None:
        """Fetch nothing of these for now."""

    def resume(self, partitions: list[TopicPartition]) -> None:
        """Fetch them again."""

    def commit(self, *, offsets: list[TopicPartition], asynchronous: Literal[False]) -> list[TopicPartition]:
        """Commit offsets and return them, each with its own error or none."""


def run_sink(
    settings: SinkSettings,
    store: ResultStore,
    stop: threading.Event,
    on_progress: Callable[[SinkProgress], None] = lambda _: None,
) -> None:
    """Write results to the store until told to stop.

    Parameters
    ----------
    on_progress
        Called after each batch and whenever the sink begins to wait or goes on.

    Raises
    ------
    EdgeError
        When the broker refuses for good. A store that is down is waited for.
    """
    consumer = Consumer(_consumer_settings(settings))
    letters = LetterBox(settings)
    sink = Sink(settings, consumer=consumer, send_letters=letters.send, store=store, stop=stop, on_progress=on_progress)
    try:
        consumer.subscribe(list(settings.results), on_assign=lambda _, partitions: sink.on_assign(partitions))
        sink.run()
    finally:
        consumer.close()


def _consumer_settings(settings: SinkSettings) -> dict[str, str | int | bool]:
    return {
        "bootstrap.servers": settings.bootstrap,
        "group.id": settings.group,
        "group.protocol": "classic",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",
        "client.id": "jianhu-sink",
        "session.timeout.ms": settings.session_ms,
        "heartbeat.interval.ms": settings.session_ms // 3,
        **settings.client,
    }


class LetterBox:
    """Sends dead letters and waits until the broker has them."""

    def __init__(self, settings: SinkSettings) -> None:
        self._topic = settings.deadletter
        self._producer = Producer({"bootstrap.servers": settings.bootstrap, "acks": "all", **settings.client})

    def send(self, letters: Sequence[DeadLetter]) -> None:
        """Send letters.

        Raises
        ------
        EdgeError
            When the broker did not confirm every one; all may be sent again.
        """
        failures: list[KafkaError] = []

        def told(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                failures.append(error)

        try:
            count = self._partitions()
            for letter in letters:
                partition = partition_of(letter.site or letter.where, count)
                self._producer.produce(self._topic, encode_letter(letter), partition=partition, on_delivery=told)
            left = self._producer.flush(_FLUSH_S)
        except (KafkaException, BufferError) as cause:
            raise EdgeError(f"dead letters were not sent: {cause}") from cause
        if left or failures:
            raise EdgeError(f"{left + len(failures)} of {len(letters)} dead letters were not confirmed: {failures[:1]}")

    def _partitions(self) -> int:
        topic = self._producer.list_topics(self._topic, timeout=_FLUSH_S).topics[self._topic]
        if topic.error is not None or not topic.partitions:
            raise EdgeError(f"topic {self._topic!r} is not there: {topic.error}")
        return len(topic.partitions)


class Sink:
    """One member of the sink's group; `run_sink` puts it together.

    Parameters
    ----------
    send_letters
        Sends dead letters and returns when they are safe, or raises `EdgeError`.
    wall_ms
        The wall clock. [ms UTC]
    """

    def __init__(
        self,
        settings: SinkSettings,
        *,
        consumer: ResultConsumer,
        send_letters: Callable[[Sequence[DeadLetter]], None],
        store: ResultStore,
        stop: threading.Event,
        on_progress: Callable[[SinkProgress], None],
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._settings, self._consumer, self._store = settings, consumer, store
        self._send_letters, self._stop, self._tell, self._wall_ms = send_letters, stop, on_progress, wall_ms
        self._progress = SinkProgress()
        self._early: list[Message] = []

    def run(self) -> None:
        """Take messages until told to stop; what is taken but not written by then is not committed."""
        while not self._stop.is_set():
            messages, self._early = self._early, []
            messages += self._consumer.consume(self._settings.messages, self._settings.gather_s)
            deliveries = list(_deliveries(messages))
            if deliveries and self._do(read_deliveries(deliveries, self._settings.rows, self._wall_ms())):
                self._note(messages=self._progress.messages + len(deliveries))

    def on_assign(self, partitions: list[TopicPartition]) -> None:
        """Take partitions; what another member wrote meanwhile is not remembered here."""
        self._store.refresh()
        self._consumer.assign(partitions)
        if self._progress.state is SinkState.WAITING:
            self._consumer.pause(partitions)

    def _do(self, batch: Batch) -> bool:
        """Write, note ticks, send letters, commit; False when told to stop before all was done."""
        letters = list(batch.letters)
        for write in batch.writes:
            if not self._until_done(partial(self._write, write, letters)):
                return False
        if not self._until_done(partial(self._note_ticks, batch.ticks)):
            return False
        if not self._until_done(partial(self._send, letters)):
            return False
        self._commit(batch)
        return True

    def _write(self, write: Write, letters: list[DeadLetter]) -> None:
        report = self._store.write(write.rows, write.head)
        if report.conflicts:
            _log.warning("%d results met another content of their own revision; the greater stands", report.conflicts)
        letters += [letter_of(rejected, write.head, self._wall_ms()) for rejected in report.rejected]
        self._progress = replace(
            self._progress, accepted=self._progress.accepted + report.accepted, kept=self._progress.kept + report.kept
        )

    def _note_ticks(self, ticks: Mapping[Place, int]) -> None:
        wall = self._wall_ms()
        noted = [
            Clock(kind=self._settings.results[topic], partition=partition, at_ms=at, wall_ms=wall)
            for (topic, partition), at in ticks.items()
        ]
        if noted:
            self._store.note_ticks(noted)

    def _send(self, letters: Sequence[DeadLetter]) -> None:
        if letters:
            self._send_letters(letters)
            self._progress = replace(self._progress, letters=self._progress.letters + len(letters))

    def _until_done(self, step: Callable[[], None]) -> bool:
        """Try a step until it succeeds, paused and polling in between; False when told to stop."""
        wait_s = self._settings.backoff_s
        while True:
            try:
                step()
            except EdgeError as cause:
                self._pause(cause)
            else:
                self._go_on()
                return True
            if not self._wait(wait_s):
                return False
            wait_s = min(2 * wait_s, self._settings.backoff_most_s)

    def _pause(self, cause: EdgeError) -> None:
        if self._progress.state is SinkState.READING:
            _log.warning("waiting: %r", str(cause))
            self._consumer.pause(self._consumer.assignment())
        self._note(state=SinkState.WAITING, why=str(cause))

    def _go_on(self) -> None:
        if self._progress.state is SinkState.WAITING:
            _log.warning("going on after a wait")
            self._consumer.resume(self._consumer.assignment())
            self._note(state=SinkState.READING, why="")

    def _wait(self, seconds: float) -> bool:
        """Poll for so long, so that the group keeps this member; False when told to stop."""
        end = time.monotonic() + seconds
        while not self._stop.is_set():
            left = end - time.monotonic()
            if left <= 0:
                return True
            self._early += self._consumer.consume(self._settings.messages, min(left, _LOOK_S))
        return False

    def _commit(self, batch: Batch) -> None:
        mine = {(held.topic, held.partition) for held in self._consumer.assignment()}
        offsets = [TopicPartition(*place, end) for place, end in batch.ends.items() if place in mine]
        if not offsets:
            return
        try:
            refused = [
                str(done.error) for done in self._consumer.commit(offsets=offsets, asynchronous=False) if done.error
            ]
        except KafkaException as cause:
            refused = [str(cause)]
        if refused:
            _log.warning("offsets were not committed, so these results may come again: %s", "; ".join(refused))

    def _note(self, **changes: object) -> None:
        self._progress = replace(self._progress, **changes)  # type: ignore[arg-type]
        self._tell(self._progress)


def _deliveries(messages: Iterable[Message]) -> Iterable[Delivery]:
    for message in messages:
        error = message.error()
        if error is not None and error.fatal():
            raise EdgeError(f"the broker refused for good: {error}")
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        if error is not None or topic is None or partition is None or offset is None:
            _log.warning("the broker told of an error that passes: %s", error)
            continue
        yield Delivery(topic=topic, partition=partition, offset=offset, value=message.value())
