"""The sink against a real Kafka: shared partitions, and a member that is killed."""

from __future__ import annotations

import subprocess
import sys
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from sensors.clock import HOUR_MS
from sensors.frames import encode_tick
from sensors.partition import partition_of
from streams.results import encode_results
from streams.store.memory import MemoryStore
from streams.store.sink import SinkSettings
from streams.store.sqlite import SqliteStore
from streams.topics import Topics, create_topics
from tests.integration.sinks import PATIENCE_S, Watch, sinking
from tests.unit.streams.store.samples import HEAD, HOUR, T0, batch, listed, row

pytestmark = [pytest.mark.integration, pytest.mark.kafka]
PARTITIONS = 4
_MEMBER = """
import sys, threading
from pathlib import Path
from streams.store.sink import SinkSettings, run_sink
from streams.store.sqlite import SqliteStore
bootstrap, results, deadletter, group, path = sys.argv[1:]
settings = SinkSettings(
    bootstrap=bootstrap, results={results: "air"}, deadletter=deadletter, group=group, session_ms=6_000, messages=5
)
run_sink(settings, SqliteStore(Path(path)), threading.Event(), lambda seen: print(seen.messages, flush=True))
"""


@pytest.fixture
def settings(kafka: str) -> SinkSettings:
    topics = Topics(prefix=f"sink-{uuid.uuid4().hex[:8]}")
    create_topics(kafka, topics.all("air"), partitions=PARTITIONS)
    return SinkSettings(
        bootstrap=kafka,
        results={topics.results("air"): "air"},
        deadletter=topics.deadletter,
        group=topics.group("sink"),
        session_ms=6_000,
        backoff_s=0.01,
    )


def topic_of(settings: SinkSettings) -> str:
    """Return the one topic that the sink of these tests reads."""
    (topic,) = settings.results
    return topic


def send(settings: SinkSettings, rows: list[dict[str, Any]], tick: int) -> None:
    """Send each row as a message of its own, then a tick to every partition."""
    producer = Producer({"bootstrap.servers": settings.bootstrap, "acks": "all"})
    for cells in rows:
        partition = partition_of(cells["site"], PARTITIONS)
        producer.produce(topic_of(settings), encode_results(HEAD, batch(cells)), partition=partition)
    for partition in range(PARTITIONS):
        producer.produce(topic_of(settings), encode_tick(tick), partition=partition)
    assert producer.flush(PATIENCE_S) == 0


def test_results_ticks_and_junk_reach_store_and_dead_letters(settings: SinkSettings) -> None:
    rows = [row(site=f"S{n:02d}", value=n) for n in range(30)]
    send(settings, rows, T0)
    junk = Producer({"bootstrap.servers": settings.bootstrap})
    junk.produce(topic_of(settings), b"junk", partition=0)
    assert junk.flush(PATIENCE_S) == 0
    store = MemoryStore()
    with sinking(settings, store) as watch:
        seen = watch.until(lambda seen: seen.messages == 30 + PARTITIONS + 1)
    assert (seen.accepted, seen.letters) == (30, 1)
    assert listed(store.slice(HOUR, T0)) == rows
    assert store.clock() is not None
    with sinking(settings, store) as watch:
        send(settings, [row(site="S00", value=100, revision=2)], T0 + 1)
        assert watch.until(lambda seen: seen.messages == 1 + PARTITIONS).accepted == 1


def _member(settings: SinkSettings, path: Path) -> subprocess.Popen[str]:
    arguments = [settings.bootstrap, topic_of(settings), settings.deadletter, settings.group, str(path)]
    return subprocess.Popen([sys.executable, "-c", _MEMBER, *arguments], stdout=subprocess.PIPE, text=True)


def test_a_member_killed_in_the_middle_loses_nothing_and_counts_nothing_twice(
    settings: SinkSettings, tmp_path: Path
) -> None:
    path = tmp_path / "results.db"
    states = [row(site=f"S{n % 20:02d}", start=T0 + n // 20 * HOUR_MS, value=n) for n in range(400)]
    newer = [{**cells, "revision": 2, "value": None, "reason": "invalid"} for cells in states[::7]]
    send(settings, states + newer, T0)
    with _member(settings, path) as killed:
        assert killed.stdout is not None
        assert int(killed.stdout.readline()) > 0
        killed.kill()
    watch = Watch()
    last = [row(site=f"S{n:02d}", window="8h") for n in range(20)]  # each behind everything else of its partition
    with closing(SqliteStore(path)) as store, sinking(settings, store, watch):
        send(settings, last, T0 + 1)
        watch.until(lambda _: store.slice("8h", T0).num_rows == len(last))
        expected = {(cells["site"], cells["start"]): cells for cells in states + newer}
        for hour in range(20):
            start = T0 + hour * HOUR_MS
            assert listed(store.slice(HOUR, start)) == [expected[f"S{n:02d}", start] for n in range(20)]


def test_two_members_share_the_partitions(settings: SinkSettings) -> None:
    store, watch = MemoryStore(), Watch()
    rows = [row(site=f"S{n:02d}", value=n) for n in range(60)]
    with sinking(settings, store, watch), sinking(settings, store, watch):
        send(settings, rows, T0)
        watch.until_stored(60, lambda: store.slice(HOUR, T0).num_rows)
    assert listed(store.slice(HOUR, T0)) == rows
