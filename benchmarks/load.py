"""Filling the topics before a worker starts: the same packets, in the form that each side's users send."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaError, Message, Producer
from kafka.admin import KafkaAdminClient, NewTopic

from benchmarks.packets import MINUTES, START_MS, messages_of, packets, rows_of
from benchmarks.watching import BenchmarkError
from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.partition import partition_of
from sensors.publisher import Publisher, PublisherSettings
from streams.topics import Topics, create_topics, topic_settings

PARTITIONS: Final = 4
FRAME_MINUTES: Final = 15
"""So many minutes of all sites go in one frame a partition, then comes a tick: 15 000 packets of 1 000 sites."""
MARKER: Final = "marker-"
"""Sites whose first hour Quix closes at the second record of a partition, to tell when it began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a topic was filled with."""

    packets: int
    messages: int
    """Messages that carry packets: frames, or one a packet; ticks and markers are not counted."""


def end_ms(hours: int) -> int:
    """Return the tick that closes the last hour: its end and the five minutes that the judge waits."""
    return START_MS + hours * HOUR_MS + 5 * MINUTE_MS


def fill_frames(bootstrap: str, topics: Topics, sites: tuple[str, ...], hours: int, frame_minutes: int) -> Load:
    """Fill jianhu's topic with frames and ticks; the first record of a partition is a tick."""
    create_topics(bootstrap, topics.all("air"), partitions=PARTITIONS)
    publisher = Publisher(
        PublisherSettings(
            bootstrap=bootstrap,
            topic=topics.readings("air"),
            deadletter=topics.deadletter,
            partitions=PARTITIONS,
            kind="air",
            source="benchmark",
            synthetic=True,
        )
    )
    publisher.tick(START_MS)
    frames = 0
    for minute in range(0, hours * MINUTES, frame_minutes):
        frames += publisher.publish(rows_of(packets(sites, minute, frame_minutes)), period_ms=MINUTE_MS)
        publisher.tick(START_MS + (minute + frame_minutes) * MINUTE_MS)
    publisher.tick(end_ms(hours))
    publisher.flush()
    return Load(packets=hours * MINUTES * len(sites), messages=frames)


def markers() -> dict[int, str]:
    """Return for each partition a site name that lives there."""
    found: dict[int, str] = {}
    number = 0
    while len(found) < PARTITIONS:
        name = f"{MARKER}{number}"
        found.setdefault(partition_of(name, PARTITIONS), name)
        number += 1
    return found


def fill_messages(bootstrap: str, readings: str, results: str, sites: tuple[str, ...], hours: int) -> Load:
    """Fill Quix's topic with one JSON message a packet, stamped with the packet's time and keyed by its site.

    One minute more than the hours: it closes the last one.

    Raises
    ------
    BenchmarkError
        When the broker did not take a message.
    """
    _make_topics(bootstrap, readings, results)
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 20, "queue.buffering.max.messages": 500_000})
    failed: list[str] = []

    def note(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failed.append(error.str())

    def send(site: str, at: int, text: bytes) -> None:
        place = partition_of(site, PARTITIONS)
        producer.produce(readings, text, key=site, partition=place, timestamp=at, on_delivery=note)

    for name in markers().values():
        for hour in (2, 1):
            send(name, START_MS - hour * HOUR_MS, b'{"PM2.5":0}')
    count = 0
    for minute in range(hours * MINUTES + 1):
        for site, at, text in messages_of(packets(sites, minute, 1)):
            send(site, at, text)
            count += 1
        producer.poll(0)
    left = producer.flush(60)
    if left or failed:
        raise BenchmarkError(f"the broker did not take {left + len(failed)} messages: {failed[:3]}")
    return Load(packets=count, messages=count)


def _make_topics(bootstrap: str, readings: str, results: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap, client_id="benchmark")
    own_times = {"message.timestamp.type": "CreateTime", "retention.ms": "-1"}
    settings = {readings: own_times, results: topic_settings()}
    admin.create_topics(
        [
            NewTopic(name, num_partitions=PARTITIONS, replication_factor=1, topic_configs=given)
            for name, given in settings.items()
        ]
    )
    admin.close()


def bytes_on_disk(kafka_home: Path, topic: str) -> int:
    """Return the size of a topic's segments in a node's folder."""
    return sum(path.stat().st_size for path in kafka_home.glob(f"data/{topic}-[0-9]*/*.log"))
