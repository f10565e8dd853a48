"""The archive's writing side: follows every topic and cuts what came into segments.

One writer, by a lock on the log's folder. It assigns itself all partitions without joining a group and
goes on from the end of its last whole segment; it commits how far it has read only so that feeders see it.
"""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

import pyarrow as pa
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from sensors.errors import EdgeError
from sensors.messages import Received, received
from streams.archive import Archive
from streams.segments import TICK, joined, rows_of

CUT_ROWS = 50_000
CUT_BYTES = 1_500_000
BATCH = 500
WAIT_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiverSettings:
    """What the archive follows, and how it cuts."""

    bootstrap: str
    group: str
    log_id: str
    topics: tuple[str, ...]
    partitions: int
    cut_s: float = 60.0
    """A segment is cut at this age at the latest."""


@dataclass(slots=True)
class _Draft:
    """What came of one partition since its last segment."""

    tables: list[pa.Table] = field(default_factory=list)
    rows: int = 0
    size: int = 0
    since: float = 0.0
    last_tick: int = 0
    first: int = 0
    end: int = 0


def run_archive(
    settings: ArchiverSettings,
    archive: Archive,
    stop: threading.Event,
    on_progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Follow the topics until ``stop`` is set, then cut what is left.

    Parameters
    ----------
    settings
        What to follow.
    archive
        Where the segments go.
    stop
        Ends the run after everything that came is on disk.
    on_progress
        Called with the number of rows of each segment written.

    Raises
    ------
    EdgeError
        When another writer holds the folder, the broker does not answer, or what it holds does not continue the
        archive.
    ConfigError
        When the archive was begun with another number of partitions.
    """
    archive.open_log(settings.log_id, settings.partitions)
    with _only_writer(archive, settings.log_id):
        archive.clear_drafts(settings.log_id)
        said = _Said()
        consumer = Consumer(
            {
                "bootstrap.servers": settings.bootstrap,
                "group.id": settings.group,
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "on_commit": said.answered,
            }
        )
        try:
            drafts = _begin(consumer, settings, archive)
            while not stop.is_set():
                _take(consumer, drafts, settings, archive, on_progress)
                said.say(consumer, drafts)
            for _ in range(3):  # what the feeders sent before they stopped
                _take(consumer, drafts, settings, archive, on_progress)
                said.say(consumer, drafts)
            for place in drafts:
                _cut(place, drafts, settings, archive, on_progress)
        finally:
            consumer.close()


Place = tuple[str, int]


class _Said:
    """How far the broker was told that the archive has read; what it did not take is said again."""

    def __init__(self) -> None:
        self._told: dict[Place, int] = {}
        self._waiting = False

    def say(self, consumer: Consumer, drafts: Mapping[Place, _Draft]) -> None:
        """Commit what is new without waiting for the answer; nothing while one is on its way."""
        news = [TopicPartition(*place, one.end) for place, one in drafts.items() if one.end > self._told.get(place, 0)]
        if news and not self._waiting:
            self._waiting = True
            consumer.commit(offsets=news, asynchronous=True)

    def answered(self, error: KafkaError | None, places: Sequence[TopicPartition]) -> None:
        """Note what the broker took; called from within the consumer."""
        self._waiting = False
        if error is None:
            self._told |= {(str(one.topic), int(one.partition)): int(one.offset) for one in places if one.error is None}


def _begin(consumer: Consumer, settings: ArchiverSettings, archive: Archive) -> dict[Place, _Draft]:
    """Assign every partition at the end of its archive; return an empty draft for each."""
    drafts: dict[Place, _Draft] = {}
    starts = []
    for topic in settings.topics:
        for partition in range(settings.partitions):
            low, high = _ends(consumer, topic, partition)
            end = archive.end(settings.log_id, topic, partition)
            start = low if end is None else end
            if start < low:
                raise EdgeError(
                    f"{topic}[{partition}]: the broker forgot offsets {start} to {low - 1} before they were archived; "
                    "what is left can only go to another log: give a new JIANHU_LOG_ID"
                )
            if start > high:
                raise EdgeError(
                    f"{topic}[{partition}]: the archive of {settings.log_id} ends at {start}, the broker at {high}: "
                    "it holds another log: give a new JIANHU_LOG_ID, or none"
                )
            starts.append(TopicPartition(topic, partition, start))
            drafts[topic, partition] = _Draft(
                first=start, end=start, last_tick=archive.last_tick(topic, partition) or 0
            )
    consumer.assign(starts)
    return drafts


def _ends(consumer: Consumer, topic: str, partition: int) -> tuple[int, int]:
    """Return the first offset that the broker holds and the next that it will give."""
    try:
        ends: tuple[int, int] = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=30)
    except KafkaException as cause:
        raise EdgeError(
            f"{topic}[{partition}]: {cause}; `jianhu topics` creates topics or says what is wrong"
        ) from cause
    return ends


def _take(
    consumer: Consumer,
    drafts: dict[Place, _Draft],
    settings: ArchiverSettings,
    archive: Archive,
    on_progress: Callable[[int], None],
) -> None:
    """Read what is there, and cut the drafts that are large or old enough."""
    for record in (received(message) for message in consumer.consume(BATCH, timeout=WAIT_S)):
        if record is None or record.offset < drafts[record.topic, record.partition].end:
            continue
        place = (record.topic, record.partition)
        _note(drafts[place], record)
        if drafts[place].rows >= CUT_ROWS or drafts[place].size >= CUT_BYTES:
            _cut(place, drafts, settings, archive, on_progress)
    for place, draft in drafts.items():
        if draft.tables and monotonic() - draft.since >= settings.cut_s:
            _cut(place, drafts, settings, archive, on_progress)


def _note(draft: _Draft, record: Received) -> None:
    table = rows_of(_kind_of(record.topic), record.offset, record.value)
    if not draft.tables:
        draft.since = monotonic()
    draft.tables.append(table)
    draft.rows += table.num_rows
    draft.size += len(record.value)
    draft.end = record.offset + 1
    if TICK in table.schema.names:
        draft.last_tick = max(draft.last_tick, table.column(TICK).cast(pa.int64())[0].as_py())


def _cut(
    place: Place,
    drafts: dict[Place, _Draft],
    settings: ArchiverSettings,
    archive: Archive,
    on_progress: Callable[[int], None],
) -> None:
    draft = drafts[place]
    if not draft.tables:
        return
    rows = joined(draft.tables)
    archive.write(settings.log_id, *place, rows, first=draft.first, last=draft.end - 1, last_tick=draft.last_tick)
    archive.merge_small(settings.log_id, *place)
    drafts[place] = _Draft(first=draft.end, end=draft.end, last_tick=draft.last_tick)
    on_progress(rows.num_rows)


def _kind_of(topic: str) -> str:
    """Return ``readings``, ``results``, ``areas`` or ``deadletter`` from a topic's name, which may have a prefix."""
    parts = topic.split(".")
    return parts[-2] if len(parts) > 1 and parts[-2] in {"readings", "results", "areas"} else parts[-1]


@contextmanager
def _only_writer(archive: Archive, log_id: str) -> Iterator[None]:
    with (archive.root / log_id / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as cause:
            raise EdgeError(f"another archive writer holds {archive.root / log_id}; stop that one first") from cause
        yield
