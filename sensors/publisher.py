"""The publisher: rows become frames on the partitions of their sites, and ticks keep the clock.

A gate holds it back while a reader is far behind, because the embedded broker forgets what is
older than about 5 MB, read or not.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import monotonic

import numpy as np
import pyarrow as pa
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from sensors.deadletters import DeadLetter, encode_letter
from sensors.errors import EdgeError
from sensors.frames import SITE, Frame, FrameHead, Origin, encode_frame, encode_tick
from sensors.messages import received
from sensors.partition import partition_of

FRAME_ROWS = 4_000
FRAME_BYTES = 512 * 1024
"""A frame of several rows that would be larger goes in two."""
TICK_IDLE_S = 10.0
STUCK_S = 180.0
COORDINATOR_S = 30.0
_MOVING = frozenset(
    {
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.NOT_COORDINATOR,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublisherSettings:
    """Where a source publishes, and under which name."""

    bootstrap: str
    topic: str
    deadletter: str
    partitions: int
    kind: str
    source: str
    synthetic: bool = False


class Publisher:
    """Publishes readings and ticks of one source; not for several threads at once.

    Parameters
    ----------
    settings
        Where to.
    first_sequence
        The source's next frame number.
    """

    def __init__(self, settings: PublisherSettings, *, first_sequence: int = 0) -> None:
        self._settings = settings
        self._sequence = first_sequence
        self._failed: list[str] = []
        self.sent: list[deque[tuple[int, int]]] = [deque() for _ in range(settings.partitions)]
        """Per partition the (offset, bytes) of records, oldest first, for the gate."""
        self._producer = Producer(
            {
                "bootstrap.servers": settings.bootstrap,
                "acks": "all",
                "linger.ms": 5,
                "message.max.bytes": 2 * 1024 * 1024,
                "queue.buffering.max.kbytes": 65_536,
            }
        )

    def publish(self, rows: pa.RecordBatch, *, period_ms: int, origin: Origin = Origin.DEVICE) -> int:
        """Send rows of the kind's frame schema, in frames of at most `FRAME_ROWS`; return how many frames.

        Raises
        ------
        EdgeError
            When one row alone is more than the broker takes.
        """
        begun = self._sequence
        for partition, mine in split_by_partition(rows, self._settings.partitions):
            for begin in range(0, mine.num_rows, FRAME_ROWS):
                self._send_rows(partition, mine.slice(begin, FRAME_ROWS), period_ms, origin)
        return self._sequence - begun

    def _send_rows(self, partition: int, rows: pa.RecordBatch, period_ms: int, origin: Origin) -> None:
        head = FrameHead(
            kind=self._settings.kind,
            period_ms=period_ms,
            source=self._settings.source,
            sequence=self._sequence,
            origin=origin,
            synthetic=self._settings.synthetic,
        )
        data = encode_frame(Frame(head=head, rows=rows))
        if len(data) > FRAME_BYTES and rows.num_rows > 1:
            half = rows.num_rows // 2
            self._send_rows(partition, rows.slice(0, half), period_ms, origin)
            self._send_rows(partition, rows.slice(half), period_ms, origin)
            return
        self._send(self._settings.topic, partition, data)
        self._sequence += 1

    def tick(self, at_ms: int) -> None:
        """Send the clock to every partition."""
        data = encode_tick(at_ms)
        for partition in range(self._settings.partitions):
            self._send(self._settings.topic, partition, data)

    def refuse(self, letters: Iterable[DeadLetter]) -> None:
        """Send input that could not be used to the dead letters."""
        for letter in letters:
            self._send(
                self._settings.deadletter, partition_of(letter.site, self._settings.partitions), encode_letter(letter)
            )

    def flush(self) -> None:
        """Wait until the broker has everything.

        Raises
        ------
        EdgeError
            When the broker did not take a record.
        """
        left = self._producer.flush(30)
        if left or self._failed:
            raise EdgeError(
                f"the broker at {self._settings.bootstrap} did not take {left + len(self._failed)} records"
                f"{': ' if self._failed else ''}{'; '.join(self._failed[:3])}; send them again once it answers"
            )

    def _send(self, topic: str, partition: int, data: bytes) -> None:
        note = self._note if topic == self._settings.topic else self._note_failure
        while True:
            try:
                self._producer.produce(topic, value=data, partition=partition, on_delivery=note)
            except BufferError:  # the local queue is full: let it drain
                self._producer.poll(0.2)
            except KafkaException as cause:
                raise EdgeError(f"{len(data)} bytes cannot go to {topic}[{partition}]: {cause}") from cause
            else:
                self._producer.poll(0)
                return

    def _note(self, error: KafkaError | None, message: Message) -> None:
        self._note_failure(error, message)
        if error is None:
            record = received(message)
            if record is not None:
                self.sent[record.partition].append((record.offset, len(record.value)))

    def _note_failure(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failed.append(f"{message.topic()}[{message.partition()}]: {error.str()}")


def split_by_partition(rows: pa.RecordBatch, count: int) -> list[tuple[int, pa.RecordBatch]]:
    """Return (partition, its rows) for every partition that has some; order within one is kept."""
    column = rows.column(SITE)
    table = np.array([partition_of(site, count) for site in column.dictionary.to_pylist()], np.int64)
    partition = table[column.indices.to_numpy(zero_copy_only=False)]
    return [(int(p), rows.filter(pa.array(partition == p))) for p in np.unique(partition)]


def lag_of(bootstrap: str, group: str, topic: str, partitions: int) -> int:
    """Return how many records of a topic a group has not read; a group that read nothing lacks them all.

    Raises
    ------
    EdgeError
        When the broker does not answer.
    """
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False})
    try:
        return sum(_end_of(reader, topic, p) - done for p, done in _reached(reader, topic, partitions))
    except KafkaException as cause:
        raise EdgeError(f"the broker at {bootstrap} does not say how far {group} has read {topic}: {cause}") from cause
    finally:
        reader.close()


def _reached(reader: Consumer, topic: str, partitions: int) -> list[tuple[int, int]]:
    """Return (partition, next offset that the reader's group will read).

    A coordinator that is moving or loading, as it is when a group is first met, is asked again.
    """
    until = monotonic() + COORDINATOR_S
    while True:
        try:
            places = reader.committed([TopicPartition(topic, p) for p in range(partitions)], timeout=COORDINATOR_S)
        except KafkaException as cause:
            if cause.args[0].code() not in _MOVING or monotonic() > until:
                raise
            threading.Event().wait(0.2)
        else:
            return [(place.partition, max(place.offset, 0)) for place in places]


def _end_of(reader: Consumer, topic: str, partition: int) -> int:
    """Return the offset that the next record will get."""
    return int(reader.get_watermark_offsets(TopicPartition(topic, partition), timeout=30)[1])


class Gate:
    """Holds a publisher back while a follower is more than ``max_bytes`` or ``max_records`` behind.

    Parameters
    ----------
    bootstrap
        The broker.
    followers
        (group, topic) pairs that must keep up; their committed offsets tell how far they are.
    partitions
        Partitions of each topic.
    max_bytes
        Bytes of the publisher's own topic that may be unread.
    max_records
        Records of another topic that may be unread.
    """

    def __init__(
        self,
        bootstrap: str,
        followers: Sequence[tuple[str, str]],
        *,
        partitions: int,
        max_bytes: int = 3_000_000,
        max_records: int = 60,
    ) -> None:
        self._followers, self._partitions = followers, partitions
        self._max_bytes, self._max_records = max_bytes, max_records
        self._readers = {
            group: Consumer({"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False})
            for group in dict.fromkeys(group for group, _ in followers)
        }

    def wait(self, publisher: Publisher, topic: str, stop: threading.Event | None = None) -> None:
        """Return when every follower is near enough, or when ``stop`` is set.

        Raises
        ------
        EdgeError
            When a follower made no progress for `STUCK_S`: its name is in the text. When the broker does not answer.
        """
        pause = stop or threading.Event()
        last, since = "", monotonic()
        while (behind := self._behind(publisher, topic)) and not pause.is_set():
            if behind != last:
                last, since = behind, monotonic()
            if monotonic() - since > STUCK_S:
                raise EdgeError(f"no progress for {STUCK_S:.0f} s: {behind}; see why that part does not read")
            pause.wait(0.05)

    def _behind(self, publisher: Publisher, topic: str) -> str:
        """Return which follower is too far behind, with its place; empty when none is."""
        try:
            return self._look(publisher, topic)
        except KafkaException as cause:
            raise EdgeError(f"the broker does not say how far readers of {topic} are: {cause}") from cause

    def _look(self, publisher: Publisher, topic: str) -> str:
        if sum(size for sent in publisher.sent for _, size in sent) < self._max_bytes // 2 and len(self._followers) < 2:  # noqa: PLR2004
            return ""
        read: dict[int, int] = {}
        for group, followed in self._followers:
            for partition, done in _reached(self._readers[group], followed, self._partitions):
                if followed == topic:
                    read[partition] = min(read.get(partition, done), done)
                elif (high := _end_of(self._readers[group], followed, partition)) - done > self._max_records:
                    return f"{group} is at {done} of {high} on {followed}[{partition}]"
        for partition, done in read.items():
            sent = publisher.sent[partition]
            while sent and sent[0][0] < done:
                sent.popleft()
            if sum(size for _, size in sent) > self._max_bytes:
                return f"readers are at {done} of {sent[-1][0]} on {topic}[{partition}]"
        return ""

    def close(self) -> None:
        """Let go of the broker."""
        for reader in self._readers.values():
            reader.close()
