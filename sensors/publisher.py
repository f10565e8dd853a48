"""The publisher: rows become frames on the partitions of their sites, and ticks keep the clock.

A gate holds it back while a reader is far behind, because the embedded broker forgets what is
older than about 5 MB, read or not.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

import numpy as np
import pyarrow as pa
from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from sensors.deadletters import DeadLetter, encode_letter
from sensors.errors import EdgeError
from sensors.frames import SITE, Frame, FrameHead, Origin, Recompute, encode_frame, encode_recompute, encode_tick
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

    @property
    def topic(self) -> str:
        """The topic of its readings and ticks."""
        return self._settings.topic

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

    def ask(self, partition: int, request: Recompute) -> None:
        """Ask the judge of a partition to judge past days again."""
        self._send(self._settings.topic, partition, encode_recompute(request))

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
    return [(int(p), _with_own_names(rows.filter(pa.array(partition == p)))) for p in np.unique(partition)]


def _with_own_names(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Return rows whose dictionary of sites holds only the sites of these rows, not those of all partitions."""
    column = rows.column(SITE)
    codes = column.indices.to_numpy(zero_copy_only=False)
    used = np.zeros(len(column.dictionary), np.bool_)
    used[codes] = True
    names = column.dictionary.take(pa.array(np.flatnonzero(used)))
    place = (np.cumsum(used) - 1).astype(np.int32)
    mine = pa.DictionaryArray.from_arrays(pa.array(place[codes]), names)
    return rows.set_column(rows.schema.get_field_index(SITE), rows.schema.field(SITE), mine)


def lag_of(bootstrap: str, group: str, topic: str, partitions: int) -> int:
    """Return how many records of a topic a group has not read; a group that read nothing lacks them all.

    Raises
    ------
    EdgeError
        When the broker does not answer.
    """
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False})
    places = [(topic, p) for p in range(partitions)]
    try:
        done, ends = _reached(reader, places), _ends_of(reader, places)
        return sum(ends[place] - done[place] for place in places)
    except KafkaException as cause:
        raise EdgeError(f"the broker at {bootstrap} does not say how far {group} has read {topic}: {cause}") from cause
    finally:
        reader.close()


def has_read(bootstrap: str, group: str, topic: str, offsets: Mapping[int, int]) -> bool:
    """Tell whether a group has read the record at each of these offsets (partition → offset), and said so.

    Raises
    ------
    EdgeError
        When the broker does not answer.
    """
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False})
    try:
        done = _reached(reader, [(topic, partition) for partition in offsets])
        return all(done[topic, partition] > offset for partition, offset in offsets.items())
    except KafkaException as cause:
        raise EdgeError(f"the broker at {bootstrap} does not say how far {group} has read {topic}: {cause}") from cause
    finally:
        reader.close()


Place = tuple[str, int]
"""Topic and partition."""


def _reached(reader: Consumer, places: Sequence[Place]) -> dict[Place, int]:
    """Return the next offset that the reader's group will read of each place.

    A coordinator that is moving or loading, as it is when a group is first met, is asked again.
    """
    until = monotonic() + COORDINATOR_S
    while True:
        try:
            found = reader.committed([TopicPartition(*place) for place in places], timeout=COORDINATOR_S)
        except KafkaException as cause:
            if cause.args[0].code() not in _MOVING or monotonic() > until:
                raise
            threading.Event().wait(0.2)
        else:
            return {(str(one.topic), int(one.partition)): max(int(one.offset), 0) for one in found}


def _ends_of(reader: Consumer, places: Sequence[Place]) -> dict[Place, int]:
    """Return the offset that the next record of each place will get, by one question for all."""
    if not places:
        return {}
    found = reader.offsets_for_times([TopicPartition(*place, OFFSET_END) for place in places], timeout=COORDINATOR_S)
    for one in found:
        if one.error is not None:
            raise KafkaException(one.error)
    return {(str(one.topic), int(one.partition)): int(one.offset) for one in found}


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """A part of the system that reads a topic and must keep up."""

    group: str
    topic: str
    max_records: int = 60
    """So many may be unread, unless the topic is a publisher's own: there bytes count."""


class Gate:
    """Holds publishers back while a follower is too far behind.

    Parameters
    ----------
    bootstrap
        The broker.
    followers
        Who must keep up; their committed offsets tell how far they are.
    partitions
        Partitions of each topic.
    max_bytes
        Bytes of a partition of a publisher's own topic that may be unread.
    """

    def __init__(
        self, bootstrap: str, followers: Sequence[Follower], *, partitions: int, max_bytes: int = 3_000_000
    ) -> None:
        self._followers, self._partitions, self._max_bytes = followers, partitions, max_bytes
        self._readers = {
            group: Consumer({"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False})
            for group in dict.fromkeys(follower.group for follower in followers)
        }

    def wait(self, publishers: Sequence[Publisher], stop: threading.Event | None = None) -> None:
        """Return when every follower is near enough, or when ``stop`` is set.

        Raises
        ------
        EdgeError
            When a follower made no progress for `STUCK_S`: its name is in the text. When the broker does not answer.
        """
        pause = stop or threading.Event()
        last, since = "", monotonic()
        while (behind := self._behind(publishers)) and not pause.is_set():
            if behind != last:
                last, since = behind, monotonic()
            if monotonic() - since > STUCK_S:
                raise EdgeError(f"no progress for {STUCK_S:.0f} s: {behind}; see why that part does not read")
            pause.wait(0.05)

    def _behind(self, publishers: Sequence[Publisher]) -> str:
        """Return which follower is too far behind, with its place; empty when none is."""
        own = {publisher.topic: publisher for publisher in publishers}
        try:
            return self._look(own)
        except KafkaException as cause:
            raise EdgeError(f"the broker does not say how far readers of {', '.join(own)} are: {cause}") from cause

    def _look(self, own: Mapping[str, Publisher]) -> str:
        unread = max((size for p in own.values() for size in _unread(p)), default=0)
        others = [follower for follower in self._followers if follower.topic not in own]
        if not others and unread < self._max_bytes // 2:
            return ""
        done = {group: self._done(group) for group in self._readers}
        return self._others_behind(others, done) or self._own_behind(own, done)

    def _done(self, group: str) -> dict[Place, int]:
        topics = [follower.topic for follower in self._followers if follower.group == group]
        return _reached(self._readers[group], [(topic, p) for topic in topics for p in range(self._partitions)])

    def _others_behind(self, others: Sequence[Follower], done: Mapping[str, Mapping[Place, int]]) -> str:
        topics = dict.fromkeys(follower.topic for follower in others)
        places = [(topic, p) for topic in topics for p in range(self._partitions)]
        ends = _ends_of(next(iter(self._readers.values())), places) if places else {}
        for follower in others:
            for partition in range(self._partitions):
                place = (follower.topic, partition)
                if ends[place] - done[follower.group][place] > follower.max_records:
                    at = done[follower.group][place]
                    return f"{follower.group} is at {at} of {ends[place]} on {follower.topic}[{partition}]"
        return ""

    def _own_behind(self, own: Mapping[str, Publisher], done: Mapping[str, Mapping[Place, int]]) -> str:
        behind = ""
        for topic, publisher in own.items():
            groups = [follower.group for follower in self._followers if follower.topic == topic]
            for partition, sent in enumerate(publisher.sent):
                read = min((done[group][topic, partition] for group in groups), default=sent[-1][0] + 1 if sent else 0)
                while sent and sent[0][0] < read:
                    sent.popleft()
                if sum(size for _, size in sent) > self._max_bytes:
                    behind = f"readers are at {read} of {sent[-1][0]} on {topic}[{partition}]"
        return behind

    def close(self) -> None:
        """Let go of the broker."""
        for reader in self._readers.values():
            reader.close()


def _unread(publisher: Publisher) -> Iterator[int]:
    """Yield per partition the bytes of which it is not known that they were read."""
    for sent in publisher.sent:
        yield sum(size for _, size in sent)
