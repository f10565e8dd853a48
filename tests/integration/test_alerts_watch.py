"""The watch against brokers and databases: redelivery, kills between transactions, outages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any

import pytest
import sqlalchemy as sa
from confluent_kafka import Consumer, Producer, TopicPartition

from alerts import journal as journals
from alerts import tables as t
from alerts.desk import Desk
from alerts.journal import Journal, open_journal
from alerts.watch import Progress, WatchSettings, run_alerts
from sensors.deadletters import Refusal, decode_letter
from sensors.errors import EdgeError, StoreError
from sensors.frames import encode_tick
from streams.standards import load_standards
from streams.topics import create_topics
from tests.unit.alerts.building import T0, message, only, registry, row

pytestmark = pytest.mark.integration
LIMIT_S = 60.0


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    """The embedded broker: librdkafka's own, for as long as this producer lives."""
    producer = Producer({"bootstrap.servers": "embedded:1", "test.mock.num.brokers": 1})
    found = producer.list_topics(timeout=10).brokers.values()
    yield ",".join(f"{one.host}:{one.port}" for one in found)
    producer.flush(10)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'alerts.db'}"
        return
    address = request.getfixturevalue("postgres")
    yield address
    engine = sa.create_engine(address)
    t.metadata.drop_all(engine)
    engine.dispose()


@pytest.fixture
def journal(url: str) -> Iterator[Journal]:
    with closing(open_journal(url, lambda: 7)) as opened:
        yield opened


def settings(broker: str, topic: str, **other: Any) -> WatchSettings:
    made: dict[str, Any] = {
        "bootstrap": broker, "topics": (topic,), "group": f"{topic}-group", "deadletter": f"{topic}-letters",
            "poll_s": 0.1, "retry_s": 0.01}  # fmt: skip
    return WatchSettings(**(made | other))


def send(broker: str, topic: str, *messages: bytes, partition: int = 0) -> None:
    producer = Producer({"bootstrap.servers": broker})
    for data in messages:
        producer.produce(topic, data, partition=partition)
    assert producer.flush(LIMIT_S) == 0


class Enough(Exception):
    """Raised within a watch where a test kills it."""


def watch(
    chosen: WatchSettings, journal: Journal, until: Callable[[Progress], bool], log_id: str = "log"
) -> list[Progress]:
    """Run a watch in this thread until a report satisfies a test."""
    stop, seen = Flag(), []

    def note(progress: Progress) -> None:
        seen.append(progress)
        if until(progress):
            stop.set()

    run_alerts(
        chosen, log_id=log_id, journal=journal, rules=only("pm25-1h"), registry=registry(),
        standards=load_standards(), stop=stop, on_progress=note,
    )  # fmt: skip
    return seen


def reached(offset: int, partition: int = 0) -> Callable[[Progress], bool]:
    return lambda progress: any(found[1] == partition and at >= offset for found, at in progress.offsets.items())


def history(journal: Journal) -> list[tuple[Any, ...]]:
    s = t.event_step.c
    with journal.reading() as connection:
        return [
            tuple(one) for one in connection.execute(sa.select(s.event, s.kind, s.at, s.revision).order_by(s.number))
        ]


def spikes(hours: int) -> list[bytes]:
    """Return one message an hour: over in even hours, fine in odd ones."""
    return [message(row(hour=hour, value=80 if hour % 2 == 0 else 10)) for hour in range(hours)]


def test_results_become_events_and_the_group_is_told_how_far(broker: str, journal: Journal, request: Any) -> None:
    topic = f"plain-{request.node.callspec.id}"
    send(broker, topic, *spikes(5), encode_tick(T0))
    seen = watch(settings(broker, topic), journal, reached(6))
    assert [kind for _, kind, _, _ in history(journal)] == ["raised", "cleared", "raised", "cleared", "raised"]
    assert sum(progress.steps for progress in seen) == 5
    with closing(Consumer({"bootstrap.servers": broker, "group.id": f"{topic}-group"})) as other:
        (told,) = other.committed([TopicPartition(topic, 0)], timeout=10)
    assert told.offset == 6


def test_a_second_watch_goes_on_where_the_database_says(broker: str, journal: Journal, request: Any) -> None:
    topic = f"again-{request.node.callspec.id}"
    send(broker, topic, *spikes(3))
    watch(settings(broker, topic), journal, reached(3))
    before = history(journal)
    send(broker, topic, message(row(hour=3, value=10)))
    seen = watch(settings(broker, topic), journal, reached(4))
    assert sum(progress.messages for progress in seen) == 1
    assert history(journal)[: len(before)] == before
    assert [kind for _, kind, _, _ in history(journal)[len(before) :]] == ["cleared"]


def test_a_new_log_is_read_from_its_beginning_and_repeats_are_harmless(
    broker: str, journal: Journal, request: Any
) -> None:
    topic = f"log-{request.node.callspec.id}"
    send(broker, topic, *spikes(4))
    watch(settings(broker, topic), journal, reached(4), log_id="one")
    before = history(journal)
    seen = watch(settings(broker, topic), journal, reached(4), log_id="two")
    assert sum(progress.messages for progress in seen) == 4
    assert history(journal) == before


@pytest.mark.parametrize("moment", ["before the commit", "after the commit"])
@pytest.mark.parametrize("after", range(4))
def test_a_kill_between_transactions_loses_and_doubles_nothing(
    broker: str, journal: Journal, request: Any, moment: str, after: int
) -> None:
    topic = f"kill-{request.node.callspec.id.replace(' ', '-')}"
    send(broker, topic, *spikes(6))
    killed = _Killed(journal, after, before_commit=moment == "before the commit")
    with pytest.raises(Enough):
        watch(settings(broker, topic, messages_at_once=1), killed, lambda _: False)
    watch(settings(broker, topic, messages_at_once=1), journal, reached(6))
    assert [(kind, revision) for _, kind, _, revision in history(journal)] == [
        ("raised", 1), ("cleared", 2), ("raised", 1), ("cleared", 2), ("raised", 1), ("cleared", 2),
    ]  # fmt: skip


class _Killed(Journal):
    """A journal whose user dies at the n-th transaction that takes messages."""

    def __init__(self, real: Journal, after: int, *, before_commit: bool) -> None:
        super().__init__(real._engine, real._wall)
        self._left, self._before_commit = after + 1, before_commit

    @contextmanager
    def writing(self) -> Iterator[journals.Turn]:
        with super().writing() as turn:
            yield turn
            self._left -= 1
            if self._left < 0 and self._before_commit:
                raise Enough
        if self._left < 0:
            raise Enough


class _Away(Journal):
    """A journal whose database is away for some attempts."""

    def __init__(self, real: Journal, attempts: Sequence[bool]) -> None:
        super().__init__(real._engine, real._wall)
        self._attempts = list(attempts)

    @contextmanager
    def writing(self) -> Iterator[journals.Turn]:
        there = self._attempts.pop(0) if self._attempts else True
        with super().writing() as turn:
            yield turn
            if not there:
                raise StoreError("the database went away")


def test_a_database_that_is_away_holds_up_and_loses_nothing(broker: str, journal: Journal, request: Any) -> None:
    topic = f"away-{request.node.callspec.id}"
    send(broker, topic, *spikes(4))
    away = _Away(journal, [False, True, False, False, True, False])
    seen = watch(settings(broker, topic, messages_at_once=1), away, reached(4))
    assert sum(progress.waiting_for_database for progress in seen) == 4
    assert [kind for _, kind, _, _ in history(journal)] == ["raised", "cleared", "raised", "cleared"]


def test_a_watch_that_waits_for_the_database_can_be_stopped(broker: str, journal: Journal, request: Any) -> None:
    topic = f"stop-{request.node.callspec.id}"
    send(broker, topic, *spikes(1))
    away = _Away(journal, [True, *[False] * 50])
    watch(settings(broker, topic), away, lambda progress: progress.waiting_for_database)
    assert history(journal) == []


def test_a_message_that_cannot_be_read_becomes_a_dead_letter(broker: str, journal: Journal, request: Any) -> None:
    topic = f"bad-{request.node.callspec.id}"
    send(broker, topic, b"no arrow at all", *spikes(1))
    seen = watch(settings(broker, topic), journal, reached(2))
    assert sum(progress.refused for progress in seen) == 1
    assert [kind for _, kind, _, _ in history(journal)] == ["raised"]
    (letter,) = [decode_letter(data) for data in _read_all(broker, f"{topic}-letters", 1)]
    assert (letter.reason, letter.raw, letter.where) == (Refusal.BAD_FRAME, b"no arrow at all", f"{topic} 0 0")


def test_many_may_open_a_new_journal_at_once(url: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        opened = list(pool.map(lambda _: open_journal(url, lambda: 0), range(6)))
    for one in opened:
        assert Desk(one).newest_change() == 0
        one.close()


def test_a_journal_is_opened_beside_one_that_writes(postgres: str) -> None:
    """Even making an index that is there locks its table: two such waits would be a deadlock."""
    open_journal(postgres, lambda: 0).close()
    engine = sa.create_engine(postgres)
    with engine.begin() as writer, ThreadPoolExecutor(1) as pool:
        for table in t.metadata.sorted_tables:
            writer.execute(sa.text(f"lock table {table.name} in row exclusive mode"))
        writer.execute(sa.text("set local idle_in_transaction_session_timeout = 20000"))  # a wait must not be for ever
        pool.submit(_make_tables_again, postgres).result(10)
    engine.dispose()


def _make_tables_again(url: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        journals._make_tables(connection)
    engine.dispose()


def _read_all(broker: str, topic: str, count: int) -> list[bytes]:
    with closing(Consumer({"bootstrap.servers": broker, "group.id": "reader", "auto.offset.reset": "earliest"})) as one:
        partitions = one.list_topics(topic, timeout=10).topics[topic].partitions
        one.assign([TopicPartition(topic, number, 0) for number in partitions])
        return [found.value() or b"" for found in one.consume(count, LIMIT_S)]


def test_all_partitions_are_taken(broker: str, journal: Journal, request: Any) -> None:
    topic = f"parts-{request.node.callspec.id}"
    for partition in range(4):
        send(broker, topic, message(row(site=f"S{partition}", value=80)), partition=partition)
    watch(settings(broker, topic), journal, _all_of({0, 1, 2, 3}))
    assert len({event for event, _, _, _ in history(journal)}) == 4


def _all_of(partitions: set[int]) -> Callable[[Progress], bool]:
    return lambda progress: {partition for _, partition in progress.offsets} >= partitions


def test_a_desk_and_a_watch_write_side_by_side(broker: str, journal: Journal, request: Any) -> None:
    topic = f"desk-{request.node.callspec.id}"
    send(broker, topic, *[message(row(hour=hour * 2, value=80)) for hour in range(20)])
    watch(settings(broker, topic), journal, reached(20))
    desk = Desk(journal)
    waiting = [alert.id for alert in desk.open_events()]
    send(broker, topic, *[message(row(hour=100 + hour * 2, value=80)) for hour in range(20)])
    acting = Thread(target=lambda: [desk.acknowledge(one, "张三", 1) for one in waiting])
    acting.start()
    watch(settings(broker, topic, messages_at_once=1), journal, reached(40))
    acting.join(LIMIT_S)
    assert all(desk.event(one).acknowledged is not None for one in waiting)
    numbers = [step.number for step in desk.changes_since(0).steps]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.kafka
def test_a_real_broker_is_watched_the_same_way(kafka: str, tmp_path: Path) -> None:
    create_topics(kafka, ("alerts.results.air", "alerts.deadletter"), partitions=2)
    chosen = settings(kafka, "alerts.results.air", deadletter="alerts.deadletter")
    send(kafka, "alerts.results.air", *spikes(3), b"{bad", partition=1)
    with closing(open_journal(f"sqlite:///{tmp_path / 'alerts.db'}", lambda: 7)) as journal:
        watch(chosen, journal, reached(4, partition=1))
        assert [kind for _, kind, _, _ in history(journal)] == ["raised", "cleared", "raised"]
    assert len(_read_all(kafka, "alerts.deadletter", 1)) == 1


@pytest.mark.kafka
def test_a_topic_that_is_not_there_ends_the_watch(kafka: str, tmp_path: Path) -> None:
    with closing(open_journal(f"sqlite:///{tmp_path / 'alerts.db'}", lambda: 7)) as journal, pytest.raises(EdgeError):
        watch(settings(kafka, "alerts.nowhere"), journal, lambda _: True)


def test_topics_of_two_kinds_are_watched_together_and_each_goes_on_from_its_own_offset(
    broker: str, journal: Journal, request: pytest.FixtureRequest
) -> None:
    name = f"two-{request.node.callspec.id}"
    air, water = f"{name}.air", f"{name}.water"
    for topic in (air, water):
        send(broker, topic, *spikes(2))
    both = settings(broker, name, topics=(air, water))
    watch(both, journal, lambda progress: progress.offsets.get((air, 0)) == progress.offsets.get((water, 0)) == 2)
    send(broker, water, *spikes(1))
    seen = watch(both, journal, lambda progress: progress.offsets.get((water, 0), 0) >= 3)
    assert sum(progress.messages for progress in seen) == 1
    with journal.writing() as turn:
        assert (turn.offsets("log", air), turn.offsets("log", water)) == ({0: 2}, {0: 3})
