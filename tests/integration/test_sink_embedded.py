"""The sink against librdkafka's embedded broker: no service is needed."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from sensors.deadletters import DeadLetter, Refusal, decode_letter
from sensors.errors import StoreError
from sensors.frames import encode_tick
from sensors.partition import partition_of
from streams.results import ResultHead, encode_results
from streams.store.contract import WriteReport
from streams.store.memory import MemoryStore
from streams.store.sink import SinkProgress, SinkSettings, SinkState
from streams.store.sqlite import SqliteStore
from tests.integration.sinks import PATIENCE_S, Watch, sinking
from tests.unit.streams.store.samples import HEAD, HOUR, T0, batch, listed, row

pytestmark = pytest.mark.integration
PARTITIONS = 4
RESULTS, LETTERS, GROUP = "t.results.air", "t.deadletter", "t.jianhu-sink"


class Broker:
    """The embedded broker; it lives as long as its producer."""

    def __init__(self) -> None:
        self.producer = Producer({"bootstrap.servers": "x:1", "test.mock.num.brokers": 1})
        [broker] = self.producer.list_topics(timeout=PATIENCE_S).brokers.values()
        self.bootstrap = f"{broker.host}:{broker.port}"
        for topic in (RESULTS, LETTERS):
            assert len(self.producer.list_topics(topic, timeout=PATIENCE_S).topics[topic].partitions) == PARTITIONS

    def send(self, partition: int, *values: bytes) -> None:
        for value in values:
            self.producer.produce(RESULTS, value, partition=partition)
        assert self.producer.flush(PATIENCE_S) == 0

    def send_rows(self, *rows: dict[str, Any]) -> None:
        for cells in rows:
            self.send(partition_of(cells["site"], PARTITIONS), encode_results(HEAD, batch(cells)))

    def settings(self) -> SinkSettings:
        return SinkSettings(
            bootstrap=self.bootstrap,
            results={RESULTS: "air"},
            deadletter=LETTERS,
            group=GROUP,
            backoff_s=0.01,
            gather_s=0.05,
            session_ms=6_000,
        )

    def committed(self) -> int:
        """Return how many messages the group has committed."""
        asked = [TopicPartition(RESULTS, n) for n in range(PARTITIONS)]
        watcher = Consumer({"bootstrap.servers": self.bootstrap, "group.id": GROUP, "enable.auto.commit": False})
        try:
            return sum(max(told.offset, 0) for told in watcher.committed(asked, timeout=PATIENCE_S))
        finally:
            watcher.close()

    def letters(self, count: int) -> list[DeadLetter]:
        reader = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "reader", "auto.offset.reset": "earliest"})
        try:
            reader.assign([TopicPartition(LETTERS, n, 0) for n in range(PARTITIONS)])
            found: list[DeadLetter] = []
            while len(found) < count:
                [message] = reader.consume(1, PATIENCE_S)
                found.append(decode_letter(message.value() or b""))
            return found
        finally:
            reader.close()


@pytest.fixture
def broker() -> Broker:
    return Broker()


class Switched(MemoryStore):
    """A store that can be taken down."""

    def __init__(self) -> None:
        super().__init__()
        self.down = threading.Event()

    def write(self, rows: Any, head: ResultHead) -> WriteReport:
        if self.down.is_set():
            raise StoreError("taken down")
        return super().write(rows, head)


def test_results_and_ticks_of_all_partitions_reach_the_store(broker: Broker, tmp_path: Path) -> None:
    rows = [row(site=f"S{n:02d}", value=n) for n in range(20)]
    broker.send_rows(*rows)
    for partition in range(PARTITIONS):
        broker.send(partition, encode_tick(T0 + partition))
    store = SqliteStore(tmp_path / "results.db")
    with sinking(broker.settings(), store) as watch:
        watch.until(lambda seen: seen.messages == 24)
    assert listed(store.slice(HOUR, T0)) == rows
    clock = store.clock()
    assert clock is not None
    assert (clock.at_ms, clock.partition) == (T0, 0)
    assert broker.committed() == 24
    store.close()


def test_a_second_run_goes_on_where_the_first_left_off(broker: Broker) -> None:
    broker.send_rows(row(site="S1", value=1))
    store = MemoryStore()
    with sinking(broker.settings(), store) as watch:
        watch.until(lambda seen: seen.messages == 1)
    broker.send_rows(row(site="S2", value=2))
    with sinking(broker.settings(), store) as watch:
        assert watch.until(lambda seen: seen.messages == 1) == SinkProgress(messages=1, accepted=1)
    assert store.slice(HOUR, T0).num_rows == 2


def test_what_cannot_be_read_or_stored_is_a_dead_letter_and_nothing_stops(broker: Broker) -> None:
    broker.send(1, b"junk", encode_results(HEAD, batch(row(site=None, detail="no site"))))
    broker.send_rows(row(site="S1", value=1))
    store = MemoryStore()
    with sinking(broker.settings(), store) as watch:
        watch.until(lambda seen: seen.messages == 3)
    letters = {letter.reason: letter for letter in broker.letters(2)}
    assert letters[Refusal.BAD_FRAME].raw == b"junk"
    assert letters[Refusal.BAD_FRAME].where == f"{RESULTS}[1]@0"
    assert letters[Refusal.STORE_REFUSED].detail == "site is missing"
    assert store.slice(HOUR, T0).num_rows == 1
    assert broker.committed() == 3


def test_a_store_that_goes_down_and_comes_back_loses_nothing(broker: Broker) -> None:
    store = Switched()
    broker.send_rows(*[row(site=f"S{n}", value=1) for n in range(8)])
    with sinking(broker.settings(), store) as watch:
        watch.until(lambda seen: seen.messages == 8)
        store.down.set()
        broker.send_rows(*[row(site=f"S{n}", value=2, revision=2) for n in range(8)])
        assert watch.until(lambda seen: seen.state is SinkState.WAITING).why == "taken down"
        assert broker.committed() == 8
        broker.send_rows(*[row(site=f"S{n}", value=3, revision=3) for n in range(8)])
        store.down.clear()
        watch.until(lambda seen: seen.messages == 24)
    assert {cells["value"] for cells in listed(store.slice(HOUR, T0))} == {3}
    assert broker.committed() == 24


def test_what_was_taken_but_not_written_comes_again_to_the_next(broker: Broker) -> None:
    store = Switched()
    store.down.set()
    broker.send_rows(row(site="S1", value=1))
    with sinking(broker.settings(), store) as watch:
        watch.until(lambda seen: seen.state is SinkState.WAITING)
    assert broker.committed() == 0
    store.down.clear()
    with sinking(broker.settings(), store) as watch:
        watch.until(lambda seen: seen.accepted == 1)
    assert listed(store.slice(HOUR, T0)) == [row(site="S1", value=1)]


def test_two_members_share_the_partitions_and_the_store(broker: Broker, tmp_path: Path) -> None:
    watch = Watch()
    rows = [row(site=f"S{n:02d}", value=n) for n in range(40)]
    with (
        closing(SqliteStore(tmp_path / "results.db")) as first,
        closing(SqliteStore(tmp_path / "results.db")) as second,
    ):
        with sinking(broker.settings(), first, watch), sinking(broker.settings(), second, watch):
            broker.send_rows(*rows)
            watch.until_stored(40, lambda: first.slice(HOUR, T0).num_rows)
        assert listed(first.slice(HOUR, T0)) == rows
        assert listed(second.slice(HOUR, T0)) == rows
