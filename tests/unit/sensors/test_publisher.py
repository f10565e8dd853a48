from __future__ import annotations

import threading
from collections.abc import Callable
from typing import cast

import numpy as np
import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from sensors import publisher as publisher_module
from sensors.clock import HOUR_MS
from sensors.deadletters import DeadLetter, Refusal, decode_letter
from sensors.errors import EdgeError
from sensors.frames import Frame, Origin, Tick, decode
from sensors.partition import partition_of
from sensors.publisher import (
    FRAME_BYTES,
    FRAME_ROWS,
    Follower,
    Gate,
    Publisher,
    PublisherSettings,
    lag_of,
    split_by_partition,
)
from tests.embedded import PARTITIONS, Embedded
from tests.packets import T0, batch, packet

SITES = [f"S{number}" for number in range(10)]
EVERYWHERE = batch(*[packet(site, value=place) for place, site in enumerate(SITES)])


@pytest.fixture
def broker() -> Embedded:
    return Embedded()


def frames(broker: Embedded) -> list[tuple[int, Frame]]:
    said = [(partition, decode(value)) for partition, value in broker.records()]
    return [(partition, item) for partition, item in said if isinstance(item, Frame)]


def test_the_rows_of_a_partition_name_only_its_own_sites() -> None:
    for partition, mine in split_by_partition(EVERYWHERE, 4):
        names = mine.column("site").dictionary.to_pylist()
        assert names == [site for site in SITES if partition_of(site, 4) == partition]
        assert mine.schema.equals(EVERYWHERE.schema)


@pytest.mark.parametrize("count", [1, 4, 64])
def test_every_row_goes_to_the_partition_of_its_site_once_and_in_order(count: int) -> None:
    rows = batch(*[packet(site, T0 + hour * HOUR_MS) for hour in range(3) for site in SITES])
    parts = split_by_partition(rows, count)
    assert sum(mine.num_rows for _, mine in parts) == rows.num_rows
    for partition, mine in parts:
        assert {partition_of(site, count) for site in mine.column("site").to_pylist()} == {partition}
        assert mine.column("start").is_valid().to_pylist() == sorted(mine.column("start").is_valid().to_pylist())
        assert mine.column("start").to_pylist() == sorted(mine.column("start").to_pylist())


def test_no_rows_go_nowhere(broker: Embedded) -> None:
    assert split_by_partition(batch(), 4) == []
    publisher = broker.publisher()
    assert publisher.publish(batch(), period_ms=HOUR_MS) == 0
    publisher.flush()
    assert broker.records() == []


def test_rows_arrive_in_one_frame_for_each_partition(broker: Embedded) -> None:
    publisher = broker.publisher()
    sent = publisher.publish(EVERYWHERE, period_ms=HOUR_MS, origin=Origin.REPORTED)
    publisher.flush()
    found = frames(broker)
    assert sent == len(found) == len({partition for partition, _ in found})
    assert {frame.head.origin for _, frame in found} == {Origin.REPORTED}
    assert {(f.head.kind, f.head.period_ms, f.head.source, f.head.synthetic) for _, f in found} == {
        ("air", HOUR_MS, "test", False)
    }
    assert sorted(row["PM2.5"] for _, frame in found for row in frame.rows.to_pylist()) == list(range(10))


def test_frames_of_a_source_are_numbered_on(broker: Embedded) -> None:
    settings = PublisherSettings(
        bootstrap=broker.bootstrap, topic=broker.readings, deadletter=broker.topics.deadletter, partitions=4,
        kind="air", source="gateway", synthetic=True,
    )  # fmt: skip
    publisher = Publisher(settings, first_sequence=7)
    sent = sum(publisher.publish(EVERYWHERE, period_ms=HOUR_MS) for _ in range(2))
    publisher.flush()
    found = frames(broker)
    assert sorted(frame.head.sequence for _, frame in found) == list(range(7, 7 + sent))
    assert all(frame.head.synthetic for _, frame in found)


@pytest.mark.parametrize("count", [FRAME_ROWS - 1, FRAME_ROWS, FRAME_ROWS + 1, 2 * FRAME_ROWS])
def test_a_frame_holds_so_many_rows_at_most(broker: Embedded, count: int) -> None:
    publisher = broker.publisher()
    rows = batch(*[packet("S1", T0 + number) for number in range(count)])
    assert publisher.publish(rows, period_ms=HOUR_MS) == -(-count // FRAME_ROWS)
    publisher.flush()
    found = [row for _, frame in frames(broker) for row in frame.rows.column("start").to_pylist()]
    assert found == rows.column("start").to_pylist()


def test_rows_that_are_too_large_for_one_frame_go_in_several(broker: Embedded) -> None:
    noise = np.random.default_rng(1).bytes(FRAME_BYTES // 4).hex()
    publisher = broker.publisher()
    rows = batch(*[packet("S1", value=number, other=[("k", f"{number}{noise}")]) for number in range(9)])
    assert publisher.publish(rows, period_ms=HOUR_MS) > 2
    publisher.flush()
    assert [row["PM2.5"] for _, frame in frames(broker) for row in frame.rows.to_pylist()] == list(range(9))
    assert sorted(frame.head.sequence for _, frame in frames(broker)) == list(range(len(frames(broker))))


def test_a_row_that_no_message_can_carry_is_an_error_of_ours(broker: Embedded) -> None:
    noise = np.random.default_rng(1).bytes(2 * 1024 * 1024).hex()
    with pytest.raises(EdgeError, match=r"cannot go to t\.readings\.air"):
        broker.publisher().publish(batch(packet(other=[("k", noise)])), period_ms=HOUR_MS)


def test_a_tick_goes_to_every_partition(broker: Embedded) -> None:
    publisher = broker.publisher()
    publisher.tick(T0)
    publisher.flush()
    assert [(partition, decode(value)) for partition, value in broker.records()] == [(p, Tick(T0)) for p in range(4)]


@pytest.mark.parametrize("site", ["", "S1", "站点"])
def test_refused_input_goes_to_the_dead_letters(broker: Embedded, site: str) -> None:
    letter = DeadLetter(
        reason=Refusal.UNKNOWN_SITE, source="test", where="a.csv:2", detail="no site", raw=b"\xff", site=site
    )
    publisher = broker.publisher()
    publisher.refuse([])
    publisher.refuse([letter, letter])
    publisher.flush()
    found = broker.records(broker.topics.deadletter)
    assert [(partition, decode_letter(value)) for partition, value in found] == [(partition_of(site, 4), letter)] * 2
    assert all(not sent for sent in publisher.sent)


def test_what_was_sent_is_noted_with_offset_and_size(broker: Embedded) -> None:
    publisher = broker.publisher()
    publisher.tick(T0)
    publisher.tick(T0 + 1)
    publisher.flush()
    size = len(broker.records()[0][1])
    assert [list(sent) for sent in publisher.sent] == [[(0, size), (1, size)]] * 4


def test_a_record_that_the_broker_does_not_take_is_told(broker: Embedded) -> None:
    publisher = broker.publisher(partitions=PARTITIONS + 1)
    publisher.tick(T0)
    with pytest.raises(EdgeError, match=r"did not take 1 records: t\.readings\.air\[4\]: .*; send them again"):
        publisher.flush()


def test_a_group_that_read_nothing_lacks_everything(broker: Embedded) -> None:
    assert lag_of(broker.bootstrap, "g", broker.readings, 4) == 0
    broker.send(b"a", b"b")
    broker.send(b"c", partition=3)
    assert lag_of(broker.bootstrap, "g", broker.readings, 4) == 3


@pytest.mark.parametrize(("offsets", "lag"), [({0: 0}, 3), ({0: 2}, 1), ({0: 2, 3: 1}, 0)])
def test_a_group_lacks_what_lies_after_its_offsets(broker: Embedded, offsets: dict[int, int], lag: int) -> None:
    broker.send(b"a", b"b")
    broker.send(b"c", partition=3)
    broker.commit("g", offsets)
    assert lag_of(broker.bootstrap, "g", broker.readings, 4) == lag


def test_a_lag_of_a_topic_that_is_not_there_is_an_error_of_ours(broker: Embedded) -> None:
    with pytest.raises(EdgeError, match="how far g has read"):
        lag_of(broker.bootstrap, "g", broker.readings, PARTITIONS + 1)


class Waits(threading.Event):
    """Counts how often the gate waits, and lets something happen at each."""

    def __init__(self, then: Callable[[int], None] = lambda _: None) -> None:
        super().__init__()
        self.count, self._then = 0, then

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.count += 1
        self._then(self.count)
        return self.is_set()


def gate(broker: Embedded, *followers: tuple[str, str], max_bytes: int = 10_000, max_records: int = 2) -> Gate:
    named = [Follower(group=group, topic=topic, max_records=max_records) for group, topic in followers]
    return Gate(broker.bootstrap, named, partitions=4, max_bytes=max_bytes)


def fill(publisher: Publisher, records: int) -> None:
    """Send so many records of several kilobytes to the partition of one site."""
    rows = batch(*[packet("S1", T0 + number * 977 * number, value=number * 7919 % 100_000) for number in range(500)])
    for _ in range(records):
        publisher.publish(rows, period_ms=HOUR_MS)
    publisher.flush()


HERE = partition_of("S1", 4)


def test_the_gate_is_open_when_nothing_was_sent(broker: Embedded) -> None:
    waits, closing = Waits(), gate(broker, ("a", broker.readings), ("b", broker.readings))
    closing.wait([broker.publisher()], waits)
    closing.close()
    assert waits.count == 0


@pytest.mark.parametrize("followers", [["a"], ["a", "b"]])
def test_the_gate_holds_until_the_slowest_reader_is_near_enough(broker: Embedded, followers: list[str]) -> None:
    publisher = broker.publisher()
    fill(publisher, 20)

    def read(count: int) -> None:
        broker.commit(followers[(count - 1) % len(followers)], {HERE: 20})

    waits = Waits(read)
    gate(broker, *[(name, broker.readings) for name in followers]).wait([publisher], waits)
    assert waits.count == len(followers)
    assert not publisher.sent[HERE]


def test_what_every_reader_has_read_is_forgotten(broker: Embedded) -> None:
    publisher = broker.publisher()
    fill(publisher, 20)
    broker.commit("a", {HERE: 19})
    broker.commit("b", {HERE: 15})
    most = sum(size for _, size in publisher.sent[HERE])
    gate(broker, ("a", broker.readings), ("b", broker.readings), max_bytes=most).wait([publisher])
    assert [offset for offset, _ in publisher.sent[HERE]] == [15, 16, 17, 18, 19]


@pytest.mark.parametrize(("records", "waits_for"), [(0, 0), (2, 0), (3, 1)])
def test_the_gate_holds_while_records_of_another_topic_are_unread(
    broker: Embedded, records: int, waits_for: int
) -> None:
    results = broker.topics.results("air")
    broker.send(*[b"x"] * records, topic=results, partition=1)
    waits = Waits(lambda _: broker.commit("b", {1: 1}, results))
    gate(broker, ("a", broker.readings), ("b", results)).wait([broker.publisher()], waits)
    assert waits.count == waits_for


def test_one_group_may_follow_two_topics(broker: Embedded) -> None:
    results = broker.topics.results("air")
    broker.send(*[b"x"] * 3, topic=results)
    waits = Waits(lambda _: broker.commit("a", {0: 3}, results))
    gate(broker, ("a", broker.readings), ("a", results)).wait([broker.publisher()], waits)
    assert waits.count == 1


def test_publishers_of_several_kinds_wait_for_the_readers_of_each(broker: Embedded) -> None:
    other = "t.readings.water"
    broker.broker.make_topics((other,))
    air, water = broker.publisher(), broker.publisher(topic=other)
    fill(air, 20)
    fill(water, 20)
    reads = [lambda: broker.commit("a", {HERE: 20}), lambda: broker.commit("a", {HERE: 20}, other)]
    waits = Waits(lambda count: reads[count - 1]())
    gate(broker, ("a", broker.readings), ("a", other)).wait([air, water], waits)
    assert waits.count == 2


def test_the_gate_lets_go_when_told_to_stop(broker: Embedded) -> None:
    publisher = broker.publisher()
    fill(publisher, 20)
    stop = threading.Event()
    stop.set()
    gate(broker, ("a", broker.readings), ("b", broker.readings)).wait([publisher], stop)


def test_a_reader_that_stands_still_is_named(broker: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(range(0, 10_000, 100))
    monkeypatch.setattr(publisher_module, "monotonic", lambda: float(next(moments)))
    results = broker.topics.results("air")
    broker.send(*[b"x"] * 3, topic=results)
    closing = gate(broker, ("a", broker.readings), ("slow", results))
    with pytest.raises(EdgeError, match=r"no progress for 180 s: slow is at 0 of 3 on t\.results\.air\[0\]"):
        closing.wait([broker.publisher()], Waits())


def test_a_reader_that_moves_on_slowly_is_waited_for(broker: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(range(0, 100_000, 100))
    monkeypatch.setattr(publisher_module, "monotonic", lambda: float(next(moments)))
    results = broker.topics.results("air")
    broker.send(*[b"x"] * 9, topic=results)
    waits = Waits(lambda count: broker.commit("slow", {0: count}, results))
    gate(broker, ("a", broker.readings), ("slow", results)).wait([broker.publisher()], waits)
    assert waits.count == 7


PLACES = [("t", 0), ("t", 1)]


class Moving:
    """A reader whose coordinator answers so many times that it is not the one."""

    def __init__(self, code: int, times: int) -> None:
        self.code, self.left, self.asked = code, times, 0

    def committed(self, places: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        self.asked += 1
        assert timeout > 0
        if self.left:
            self.left -= 1
            raise KafkaException(KafkaError(self.code))
        return [TopicPartition(place.topic, place.partition, 7) for place in places]


def test_a_coordinator_that_moves_is_asked_again() -> None:
    reader = Moving(KafkaError.NOT_COORDINATOR, 1)
    assert publisher_module._reached(cast("Consumer", reader), PLACES) == {("t", 0): 7, ("t", 1): 7}
    assert reader.asked == 2


def test_another_error_of_the_coordinator_is_told_at_once() -> None:
    reader = Moving(KafkaError.GROUP_AUTHORIZATION_FAILED, 1)
    with pytest.raises(KafkaException):
        publisher_module._reached(cast("Consumer", reader), PLACES)
    assert reader.asked == 1
