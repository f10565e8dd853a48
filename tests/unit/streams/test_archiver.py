from __future__ import annotations

import fcntl
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError, TopicPartition

from sensors.errors import ConfigError, EdgeError
from sensors.frames import Tick
from streams import archiver
from streams.archive import Archive, read_segment
from streams.archiver import ArchiverSettings, run_archive
from streams.areas import encode_area_tick
from streams.results import encode_results
from streams.segments import OFFSET, RAW, TICK, TICK_SOURCE
from tests.embedded import FORGOTTEN, LARGE, Embedded
from tests.packets import T0, frame, message, packet, told
from tests.unit.streams.store import samples

A, B = message(frame(packet("A"))), message(frame(packet("B")))


@pytest.fixture(autouse=True)
def _wait_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archiver, "WAIT_S", 0.05)


@pytest.fixture
def broker() -> Embedded:
    return Embedded()


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


def settings(broker: Embedded, **more: Any) -> ArchiverSettings:
    given = ArchiverSettings(
        bootstrap=broker.bootstrap,
        group="t.jianhu-archive",
        log_id="log-1",
        topics=broker.topics.all("air"),
        partitions=4,
        cut_s=0.01,
    )
    return replace(given, **more)


def follow(asked: ArchiverSettings, archive: Archive, segments: int) -> None:
    """Run the archive until it has written so many segments."""
    stop, written = threading.Event(), list[int]()

    def progress(rows: int) -> None:
        written.append(rows)
        if len(written) >= segments:
            stop.set()

    if segments == 0:
        stop.set()
    run_archive(asked, archive, stop, progress)


class Reached(threading.Event):
    """Is set once the archive has said that it read so far."""

    def __init__(self, broker: Embedded, offset: int) -> None:
        super().__init__()
        self._broker, self._offset = broker, offset

    def is_set(self) -> bool:
        return self._broker.committed("t.jianhu-archive")[0] >= self._offset


def offsets(archive: Archive, topic: str, partition: int = 0) -> list[int]:
    return [o for s in archive.segments(topic, partition) for o in read_segment(s).column(OFFSET).to_pylist()]


def test_empty_topics_leave_no_segment(broker: Embedded, archive: Archive) -> None:
    follow(settings(broker), archive, 0)
    assert archive.logs() == ("log-1",)
    assert archive.segments(broker.readings, 0) == []


def test_what_came_is_cut_when_the_run_is_told_to_stop(broker: Embedded, archive: Archive) -> None:
    broker.send(A, message(Tick(T0)), B)
    run_archive(settings(broker, cut_s=10_000), archive, Reached(broker, 3))
    [segment] = archive.segments(broker.readings, 0)
    assert (segment.first, segment.last, segment.last_tick) == (0, 2, T0)
    assert told(archive.items(segment, None)) == told([frame(packet("A")), Tick(T0), frame(packet("B"))])


def test_every_topic_is_kept_in_its_own_form(broker: Embedded, archive: Archive) -> None:
    broker.send(A)
    broker.send(encode_results(samples.HEAD, samples.batch(samples.row())), topic=broker.topics.results("air"))
    broker.send(encode_area_tick(T0, 2), topic=broker.topics.areas("air"))
    broker.send(b"{}", topic=broker.topics.deadletter)
    follow(settings(broker), archive, 4)
    kept = {t: read_segment(archive.segments(t, 0)[0]).schema.names for t in broker.topics.all("air")}
    assert "PM2.5" in kept[broker.readings]
    assert "revision" in kept[broker.topics.results("air")]
    assert kept[broker.topics.areas("air")] == [OFFSET, TICK, TICK_SOURCE]
    assert kept[broker.topics.deadletter] == [OFFSET, RAW]


def test_a_second_run_goes_on_where_the_first_ended(broker: Embedded, archive: Archive) -> None:
    for values in ((A, B), (A,), (B, A, A)):
        broker.send(*values)
        follow(settings(broker), archive, 1)
    assert [(s.first, s.last) for s in archive.segments(broker.readings, 0)] == [(0, 1), (2, 2), (3, 5)]
    assert offsets(archive, broker.readings) == list(range(6))


def test_the_greatest_tick_is_carried_on_into_segments_without_a_later_one(broker: Embedded, archive: Archive) -> None:
    for values in ((Tick(T0 + 5), Tick(T0)), (Tick(T0 + 1),)):
        broker.send(*map(message, values))
        follow(settings(broker), archive, 1)
    assert [s.last_tick for s in archive.segments(broker.readings, 0)] == [T0 + 5, T0 + 5]


@pytest.mark.parametrize(("name", "limit"), [("CUT_ROWS", 2), ("CUT_BYTES", 1)])
def test_a_draft_is_cut_by_rows_or_by_bytes_before_its_age(
    broker: Embedded, archive: Archive, monkeypatch: pytest.MonkeyPatch, name: str, limit: int
) -> None:
    monkeypatch.setattr(archiver, name, limit)
    broker.send(A, B, A, B)
    follow(settings(broker, cut_s=10_000), archive, 2)
    assert len(archive.segments(broker.readings, 0)) >= 2
    assert offsets(archive, broker.readings) == list(range(4))


@pytest.mark.parametrize("poison", [b"", b"{", b'{"at": 1e99}', b'{"at": 99999999999999999999}', b"ARROW1"])
def test_bytes_that_nobody_can_read_do_not_stop_it(broker: Embedded, archive: Archive, poison: bytes) -> None:
    broker.send(A, poison, B)
    follow(settings(broker), archive, 1)
    assert offsets(archive, broker.readings) == [0, 1, 2]
    [segment] = archive.segments(broker.readings, 0)
    assert read_segment(segment).column(RAW).to_pylist() == [None, poison, None]


def test_the_last_moment_that_is_a_tick_is_archived_once(broker: Embedded, archive: Archive) -> None:
    broker.send(message(Tick(8 * 10**12)))
    follow(settings(broker), archive, 1)
    follow(settings(broker), archive, 0)
    assert offsets(archive, broker.readings) == [0]
    assert read_segment(archive.segments(broker.readings, 0)[0]).schema.names == [OFFSET, TICK]


def test_feeders_see_how_far_it_has_read(broker: Embedded, archive: Archive) -> None:
    broker.send(A, partition=3)
    broker.send(A, B)
    run_archive(settings(broker), archive, Reached(broker, 2))
    found = broker.committed("t.jianhu-archive")
    assert found[0] == 2
    assert max(found[1:3]) <= 0 <= found[3]


def test_a_second_writer_is_refused(broker: Embedded, archive: Archive) -> None:
    archive.open_log("log-1", 4)
    with (archive.root / "log-1" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(EdgeError, match="another archive writer holds"):
            follow(settings(broker), archive, 0)
    follow(settings(broker), archive, 0)


def test_what_the_broker_forgot_before_it_was_archived_is_told(broker: Embedded, archive: Archive) -> None:
    broker.send(A)
    follow(settings(broker), archive, 1)
    broker.send(*[b"x" * LARGE] * FORGOTTEN)
    with pytest.raises(EdgeError, match="the broker forgot offsets 1 to"):
        follow(settings(broker), archive, 0)


def test_a_log_that_begins_in_the_middle_is_archived_from_there(broker: Embedded, archive: Archive) -> None:
    broker.send(*[b"x" * LARGE] * FORGOTTEN)
    run_archive(settings(broker), archive, Reached(broker, FORGOTTEN))
    found = offsets(archive, broker.readings)
    assert found[0] > 0
    assert found == list(range(found[0], FORGOTTEN))


def test_a_broker_that_ends_before_the_archive_is_another_log(archive: Archive) -> None:
    former, later = Embedded(), Embedded()
    former.send(A, B)
    follow(settings(former), archive, 1)
    with pytest.raises(EdgeError, match="it holds another log"):
        follow(settings(later), archive, 0)


def test_topics_that_are_not_there_are_told_with_what_creates_them(broker: Embedded, archive: Archive) -> None:
    with pytest.raises(EdgeError, match="jianhu topics"):
        follow(settings(broker, partitions=5), archive, 0)


def test_another_number_of_partitions_is_refused(broker: Embedded, archive: Archive) -> None:
    archive.open_log("log-0", 8)
    with pytest.raises(ConfigError, match="JIANHU_PARTITIONS=8"):
        follow(settings(broker), archive, 0)


def test_drafts_of_a_killed_writer_are_cleared_at_the_start(broker: Embedded, archive: Archive) -> None:
    broker.send(A)
    follow(settings(broker), archive, 1)
    draft = archive.segments(broker.readings, 0)[0].path.with_name(".half.parquet.4711")
    draft.touch()
    follow(settings(broker), archive, 0)
    assert not draft.exists()


@pytest.mark.parametrize(
    ("topic", "kind"),
    [
        ("readings.air", "readings"),
        ("results.air", "results"),
        ("x.readings.air", "readings"),
        ("a.b.results.water", "results"),
        ("deadletter", "deadletter"),
        ("x.deadletter", "deadletter"),
        ("readings", "readings"),
    ],
)
def test_the_form_of_a_topic_is_read_from_its_name(topic: str, kind: str) -> None:
    assert archiver._kind_of(topic) == kind


class Refusing:
    """A consumer whose broker refuses the first commits."""

    def __init__(self, said: archiver._Said, refusals: int) -> None:
        self._said, self._left, self.commits = said, refusals, list[list[tuple[str, int, int]]]()
        self._last: list[TopicPartition] = []

    def commit(self, *, offsets: list[TopicPartition], asynchronous: bool) -> None:
        assert asynchronous
        self._last = offsets
        self.commits.append([(one.topic, one.partition, one.offset) for one in offsets])

    def answer(self) -> None:
        error = KafkaError(KafkaError.COORDINATOR_NOT_AVAILABLE) if self._left else None
        self._left = max(self._left - 1, 0)
        self._said.answered(error, self._last)


def test_what_the_broker_did_not_take_is_told_again_until_it_does() -> None:
    said = archiver._Said()
    consumer, drafts = Refusing(said, refusals=1), {("readings.air", 0): archiver._Draft(end=7)}
    for _ in range(4):
        said.say(consumer, drafts)  # type: ignore[arg-type]
        said.say(consumer, drafts)  # type: ignore[arg-type] # one is on its way already
        consumer.answer()
    assert consumer.commits == [[("readings.air", 0, 7)], [("readings.air", 0, 7)]]


def test_only_what_is_new_is_told() -> None:
    said = archiver._Said()
    consumer = Refusing(said, refusals=0)
    for end in (0, 3, 3, 5):
        said.say(consumer, {("readings.air", 0): archiver._Draft(end=end)})  # type: ignore[arg-type]
        consumer.answer()
    assert consumer.commits == [[("readings.air", 0, 3)], [("readings.air", 0, 5)]]
