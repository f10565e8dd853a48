"""History: the log of a partition read from its beginning, wherever its parts lie.

Archive segments of earlier logs first, then this log's segments, then Kafka for the tail that is
not archived yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from confluent_kafka import Consumer, KafkaException, TopicPartition

from sensors.errors import BadFrame, EdgeError
from sensors.messages import received
from streams.archive import Archive, Segment
from streams.segments import Form

READ_TIMEOUT_S = 30.0
ItemT = TypeVar("ItemT")
ItemT_co = TypeVar("ItemT_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past(Generic[ItemT_co]):
    """What a partition's log says before some offset."""

    items: Iterator[ItemT_co]
    """In order; one with rows may stand for several records cut together."""
    whole: bool
    """The items begin with the first record ever, not later."""


class History(Protocol[ItemT_co]):
    """Where a partition's state comes from."""

    def before(self, partition: int, stop: int, *, span_ms: int) -> Past[ItemT_co]:
        """Return what the log of a partition says before offset ``stop`` of the current log.

        Parameters
        ----------
        partition
            Partition number, the same in all logs.
        stop
            First offset of the current log that is not wanted.
        span_ms
            Segments that end longer than this before the clock at ``stop`` may be left out.
        """
        ...


class LogHistory(Generic[ItemT]):
    """The archive and the broker's tail as one log.

    Parameters
    ----------
    archive
        Read side of the archive.
    bootstrap
        The broker.
    topic
        The topic.
    log_id
        Name of the broker's current log.
    form
        What the topic carries, for example `streams.segments.READINGS`.
    """

    def __init__(self, archive: Archive, *, bootstrap: str, topic: str, log_id: str, form: Form[ItemT]) -> None:
        self._archive, self._bootstrap, self._topic, self._log_id = archive, bootstrap, topic, log_id
        self._form = form

    def before(self, partition: int, stop: int, *, span_ms: int) -> Past[ItemT]:
        """See `History`.

        Raises
        ------
        EdgeError
            When the archive has a hole, or the broker does not answer.
        """
        listed = self._archive.segments(self._topic, partition)
        segments = [s for s in listed if s.log_id != self._log_id or s.first < stop]
        # The clock at ``stop`` is at least the last tick of what lies wholly before it; a later one must not count,
        # or a worker that was away for long would begin without its past.
        clock = max((s.last_tick for s in segments if s.log_id != self._log_id or s.last < stop), default=0)
        keep = next((i for i, s in enumerate(segments) if s.last_tick >= clock - span_ms), 0)
        # One more that holds a tick: a past that began after a gap in the clock would not be known whole for a day.
        keep = max(keep - 1, 0)
        while keep and segments[keep - 1].last_tick == segments[keep].last_tick:
            keep -= 1
        whole = keep == 0 and self._first(segments, partition) == 0
        return Past(items=self._items(segments[keep:], partition, stop), whole=whole)

    def _first(self, segments: list[Segment], partition: int) -> int:
        """Return the first offset of the current log that can still be had."""
        held = next((s.first for s in segments if s.log_id == self._log_id), None)
        return first_offset(self._bootstrap, self._topic, partition) if held is None else held

    def _items(self, segments: list[Segment], partition: int, stop: int) -> Iterator[ItemT]:
        archived: int | None = None
        for segment in segments:
            mine = segment.log_id == self._log_id
            yield from self._form.items(self._archive.rows(segment, stop if mine else None))
            archived = segment.last + 1 if mine else None
        if archived is None or archived < stop:
            yield from self._tail(partition, archived, stop)

    def _tail(self, partition: int, start: int | None, stop: int) -> Iterator[ItemT]:
        for _, data in read_records(self._bootstrap, self._topic, partition, start, stop):
            try:
                yield self._form.decode(data)
            except BadFrame:
                continue  # the agent that met it first sent it to the dead letters; it holds nothing to fold


def read_records(
    bootstrap: str, topic: str, partition: int, start: int | None, stop: int
) -> Iterator[tuple[int, bytes]]:
    """Yield (offset, value) of a partition's records from ``start`` until before ``stop``.

    Without a ``start`` it begins with the oldest record that the broker holds.

    Raises
    ------
    EdgeError
        When the broker does not hold ``start`` any more, does not answer, or stays silent.
    """
    consumer = _reader(bootstrap)
    try:
        low, _ = _watermarks(consumer, topic, partition)
        start = low if start is None else start
        if low > start:
            raise EdgeError(
                f"{topic}[{partition}]: offsets {start} to {low - 1} are neither archived nor in the broker"
            )
        consumer.assign([TopicPartition(topic, partition, start)])
        position = start
        while position < stop:
            message = consumer.poll(READ_TIMEOUT_S)
            if message is None:
                raise EdgeError(f"{topic}[{partition}]: the broker was silent for {READ_TIMEOUT_S} s at {position}")
            record = received(message)
            if record is None:
                continue
            position = record.offset + 1
            if record.offset < stop:
                yield record.offset, record.value
    finally:
        consumer.close()


def first_offset(bootstrap: str, topic: str, partition: int) -> int:
    """Return the oldest offset of a partition that the broker still holds.

    Raises
    ------
    EdgeError
        When the broker does not answer, or has no such partition.
    """
    return _offsets(bootstrap, topic, partition)[0]


def end_offset(bootstrap: str, topic: str, partition: int) -> int:
    """Return the offset after the newest record of a partition.

    Raises
    ------
    EdgeError
        When the broker does not answer, or has no such partition.
    """
    return _offsets(bootstrap, topic, partition)[1]


def _offsets(bootstrap: str, topic: str, partition: int) -> tuple[int, int]:
    consumer = _reader(bootstrap)
    try:
        return _watermarks(consumer, topic, partition)
    finally:
        consumer.close()


def _reader(bootstrap: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "jianhu-history-reader",  # never joined and never committed
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "fetch.message.max.bytes": 4 * 1024 * 1024,
        }
    )


def _watermarks(consumer: Consumer, topic: str, partition: int) -> tuple[int, int]:
    try:
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=READ_TIMEOUT_S)
    except KafkaException as cause:
        raise EdgeError(f"{topic}[{partition}] cannot be read: {cause}") from cause
    return int(low), int(high)
