"""The sink's order of work, against a consumer that keeps a diary."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from sensors.deadletters import DeadLetter, Refusal
from sensors.errors import EdgeError, StoreError
from sensors.frames import encode_tick
from streams.results import ResultHead, encode_results
from streams.store.contract import Clock, WriteReport
from streams.store.memory import MemoryStore
from streams.store.sink import Sink, SinkProgress, SinkSettings, SinkState
from tests.unit.streams.store.samples import HEAD, HOUR, T0, batch, listed, row

TOPIC = "results.air"
SETTINGS = SinkSettings(
    bootstrap="nowhere", results={TOPIC: "water"}, deadletter="deadletter", gather_s=0, backoff_s=0, backoff_most_s=0
)


class Post:
    """A message as confluent-kafka gives it."""

    def __init__(
        self, value: bytes | None, partition: int = 0, offset: int = 0, error: KafkaError | None = None
    ) -> None:
        self._cells = (value, partition, offset, error)

    def topic(self) -> str:
        return TOPIC

    def value(self) -> bytes | None:
        return self._cells[0]

    def partition(self) -> int:
        return self._cells[1]

    def offset(self) -> int:
        return self._cells[2]

    def error(self) -> KafkaError | None:
        return self._cells[3]


class Diary:
    """A consumer that gives out rounds of messages and writes down what is asked of it."""

    def __init__(self, stop: threading.Event, *rounds: Sequence[Post], partitions: int = 2) -> None:
        self.rounds = list(rounds)
        self.entries: list[Any] = []
        self.mine = [TopicPartition(TOPIC, n) for n in range(partitions)]
        self.refuse_commit: KafkaException | None = None
        self._stop = stop
        self._paused = False

    def consume(self, num_messages: int, timeout: float) -> list[Any]:
        assert num_messages > 0
        assert timeout >= 0
        if not self.rounds:
            if not self._paused:
                self._stop.set()
            return []
        return list(self.rounds.pop(0))

    def assignment(self) -> list[TopicPartition]:
        return self.mine

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.entries.append(("assign", [part.partition for part in partitions]))

    def pause(self, partitions: list[TopicPartition]) -> None:
        self._paused = True
        self.entries.append(("pause", [part.partition for part in partitions]))

    def resume(self, partitions: list[TopicPartition]) -> None:
        self._paused = False
        self.entries.append(("resume", [part.partition for part in partitions]))

    def commit(self, *, offsets: list[TopicPartition], asynchronous: bool) -> list[TopicPartition]:
        assert not asynchronous
        self.entries.append(("commit", {part.partition: part.offset for part in offsets}))
        if self.refuse_commit:
            raise self.refuse_commit
        return offsets


class Faltering(MemoryStore):
    """A store that is down for the first so many attempts, and writes in the consumer's diary."""

    def __init__(self, diary: Diary, failures: int = 0) -> None:
        super().__init__()
        self.diary, self.failures, self.refreshed = diary, failures, 0

    def write(self, rows: Any, head: ResultHead) -> WriteReport:
        self._try("write")
        return super().write(rows, head)

    def note_tick(self, kind: str, partition: int, at_ms: int, wall_ms: int) -> None:
        self._try("tick")
        super().note_tick(kind, partition, at_ms, wall_ms)

    def refresh(self) -> None:
        self.refreshed += 1

    def _try(self, what: str) -> None:
        if self.failures:
            self.failures -= 1
            self.diary.entries.append("down")
            raise StoreError("the store is down")
        self.diary.entries.append(what)


def results(*sites: str | None) -> bytes:
    return encode_results(HEAD, batch(*[row(site=site) for site in sites]))


class Scene:
    """A sink, its diary, its store, its letters and its progress."""

    def __init__(
        self, *rounds: Sequence[Post], failures: int = 0, letter_failures: int = 0, backoff_s: float = 0
    ) -> None:
        self.stop = threading.Event()
        self.diary = Diary(self.stop, *rounds)
        self.store = Faltering(self.diary, failures)
        self.letters: list[DeadLetter] = []
        self.progress: list[SinkProgress] = []
        self.letter_failures = letter_failures
        self.on_progress: Callable[[SinkProgress], None] = self.progress.append
        self.sink = Sink(
            replace(SETTINGS, backoff_s=backoff_s),
            consumer=self.diary,
            send_letters=self.send,
            store=self.store,
            stop=self.stop,
            on_progress=lambda progress: self.on_progress(progress),  # noqa: PLW0108 - a test may put another in its place
            wall_ms=lambda: 77,
        )

    def send(self, letters: Sequence[DeadLetter]) -> None:
        if self.letter_failures:
            self.letter_failures -= 1
            raise EdgeError("no broker")
        self.diary.entries.append("letters")
        self.letters += letters

    def run(self) -> Scene:
        self.sink.run()
        return self


def test_rows_are_written_then_ticks_noted_then_offsets_committed() -> None:
    scene = Scene([Post(results("S1"), 0, 4), Post(encode_tick(9), 0, 5), Post(results("S2"), 1, 7)]).run()
    assert scene.diary.entries == ["write", "tick", ("commit", {0: 6, 1: 8})]
    assert [cells["site"] for cells in listed(scene.store.slice(HOUR, T0))] == ["S1", "S2"]
    assert scene.store.clock() == Clock(kind="water", at_ms=9, wall_ms=77, partition=0)
    assert scene.progress == [SinkProgress(messages=3, accepted=2)]


def test_nothing_to_do_commits_nothing() -> None:
    assert Scene([], []).run().diary.entries == []


def test_a_bad_message_is_a_letter_that_is_safe_before_the_commit() -> None:
    scene = Scene([Post(b"junk", 1, 3), Post(results("S1"), 1, 4)]).run()
    assert scene.diary.entries == ["write", "letters", ("commit", {1: 5})]
    assert [(letter.reason, letter.where) for letter in scene.letters] == [(Refusal.BAD_FRAME, "results.air[1]@3")]
    assert scene.progress[-1].letters == 1


def test_rows_that_the_store_rejects_are_letters_and_the_others_stand() -> None:
    scene = Scene([Post(results("S1", None, "S2"))]).run()
    assert scene.diary.entries == ["write", "letters", ("commit", {0: 1})]
    assert [letter.reason for letter in scene.letters] == [Refusal.STORE_REFUSED]
    assert scene.store.slice(HOUR, T0).num_rows == 2


def test_while_the_store_is_down_it_pauses_once_polls_and_goes_on_without_loss() -> None:
    scene = Scene([Post(results("S1"), 0, 4)], failures=3).run()
    assert scene.diary.entries == [
        "down", ("pause", [0, 1]), "down", "down", "write", ("resume", [0, 1]), ("commit", {0: 5}),
    ]  # fmt: skip
    states = [(seen.state, seen.why) for seen in scene.progress]
    assert states == [(SinkState.WAITING, "the store is down")] * 3 + [(SinkState.READING, "")] * 2


def test_letters_that_cannot_be_sent_are_waited_for_and_nothing_is_counted_twice() -> None:
    scene = Scene([Post(results("S1", None)), Post(b"junk", 0, 1)], letter_failures=2).run()
    assert scene.diary.entries == ["write", ("pause", [0, 1]), "letters", ("resume", [0, 1]), ("commit", {0: 2})]
    assert len(scene.letters) == 2
    assert scene.progress[-1] == SinkProgress(messages=2, accepted=1, letters=2)


def test_told_to_stop_while_the_store_is_down_it_leaves_without_a_commit() -> None:
    scene = Scene([Post(results("S1"))], failures=10**6)
    scene.on_progress = lambda _: scene.stop.set()
    scene.run()
    assert scene.diary.entries == ["down", ("pause", [0, 1])]


def test_messages_that_come_while_it_waits_are_taken_next() -> None:
    scene = Scene([Post(results("S1"), 0, 0)], [Post(results("S2"), 0, 1)], failures=1, backoff_s=0.001).run()
    assert [entry for entry in scene.diary.entries if entry[0] == "commit"] == [("commit", {0: 1}), ("commit", {0: 2})]
    assert scene.store.slice(HOUR, T0).num_rows == 2


def test_offsets_of_partitions_that_went_to_others_are_not_committed() -> None:
    scene = Scene([Post(results("S1"), 0, 4), Post(results("S2"), 5, 9)], [Post(results("S3"), 5, 10)]).run()
    assert scene.diary.entries == ["write", ("commit", {0: 5}), "write"]
    assert scene.store.slice(HOUR, T0).num_rows == 3


def test_a_commit_that_fails_is_told_and_not_fatal(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene([Post(results("S1"))], [Post(results("S2"), 0, 1)])
    scene.diary.refuse_commit = KafkaException(KafkaError(KafkaError.ILLEGAL_GENERATION))
    with caplog.at_level(logging.WARNING):
        scene.run()
    assert scene.store.slice(HOUR, T0).num_rows == 2
    assert "may come again" in caplog.text


def test_new_partitions_are_taken_with_a_fresh_look_at_the_store() -> None:
    scene = Scene()
    scene.sink.on_assign([TopicPartition(TOPIC, 3)])
    assert scene.store.refreshed == 1
    assert scene.diary.entries == [("assign", [3])]


def test_new_partitions_that_come_while_it_waits_are_paused_too() -> None:
    scene = Scene([Post(results("S1"))], failures=1)
    scene.on_progress = lambda seen: scene.sink.on_assign([TopicPartition(TOPIC, 3)]) if seen.why else None
    scene.run()
    assert scene.diary.entries[:4] == ["down", ("pause", [0, 1]), ("assign", [3]), ("pause", [3])]


def test_an_error_that_passes_is_told_and_a_fatal_one_ends_the_sink(caplog: pytest.LogCaptureFixture) -> None:
    passing = Post(None, error=KafkaError(KafkaError._TRANSPORT))
    with caplog.at_level(logging.WARNING):
        scene = Scene([passing, Post(results("S1"), 0, 1)]).run()
    assert "passes" in caplog.text
    assert scene.diary.entries == ["write", ("commit", {0: 2})]
    with pytest.raises(EdgeError, match="for good"):
        Scene([Post(None, error=KafkaError(KafkaError._FATAL, "fenced", fatal=True))]).run()


def test_an_error_that_nobody_foresaw_is_not_swallowed() -> None:
    scene = Scene([Post(results("S1"))])
    scene.on_progress = lambda _: (_ for _ in ()).throw(RuntimeError("a bug"))
    with pytest.raises(RuntimeError, match="a bug"):
        scene.run()


def test_conflicts_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    rows = [encode_results(HEAD, batch(row(value=n))) for n in (1, 2)]
    with caplog.at_level(logging.WARNING):
        Scene([Post(rows[0])], [Post(rows[1], 0, 1)]).run()
    assert "1 results met another content" in caplog.text
