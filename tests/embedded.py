"""The embedded broker with topics of its own, for tests that need one and no Java."""

from __future__ import annotations

from dataclasses import dataclass, field

from confluent_kafka import Consumer, Producer, TopicPartition

from jianhu.broker import EmbeddedBroker
from sensors.publisher import Publisher, PublisherSettings
from streams.topics import Topics

PARTITIONS = 4
FORGOTTEN = 12
"""So many records of `LARGE` bytes make the embedded broker forget its first ones."""
LARGE = 900_000


@dataclass(slots=True)
class Embedded:
    """A broker that lives as long as this object."""

    broker: EmbeddedBroker = field(default_factory=EmbeddedBroker)
    topics: Topics = field(default_factory=lambda: Topics(prefix="t"))

    def __post_init__(self) -> None:
        self.broker.make_topics(self.topics.all("air"))

    @property
    def bootstrap(self) -> str:
        """The address."""
        return self.broker.bootstrap

    @property
    def readings(self) -> str:
        """The readings topic."""
        return self.topics.readings("air")

    def send(self, *values: bytes, topic: str = "", partition: int = 0) -> None:
        """Write records and wait until the broker has them."""
        producer = Producer({"bootstrap.servers": self.bootstrap, "linger.ms": 0})
        for value in values:
            producer.produce(topic or self.readings, value, partition=partition)
        assert producer.flush(30) == 0

    def publisher(self, partitions: int = PARTITIONS, topic: str = "") -> Publisher:
        """Return a publisher to the topics, by default to the readings of air."""
        return Publisher(
            PublisherSettings(
                bootstrap=self.bootstrap,
                topic=topic or self.readings,
                deadletter=self.topics.deadletter,
                partitions=partitions,
                kind="air",
                source="test",
            )
        )

    def records(self, topic: str = "") -> list[tuple[int, bytes]]:
        """Return (partition, value) of everything on a topic, by partition and offset."""
        topic = topic or self.readings
        consumer = self._consumer("tests-reader")
        try:
            places = [TopicPartition(topic, p, 0) for p in range(PARTITIONS)]
            ends = [consumer.get_watermark_offsets(place, timeout=30)[1] for place in places]
            consumer.assign(places)
            found = list[tuple[int, int, bytes]]()
            while len(found) < sum(ends):
                for message in consumer.consume(sum(ends) - len(found), timeout=5):
                    assert message.error() is None
                    place = int(message.partition() or 0), int(message.offset() or 0)
                    found.append((place[0], place[1], bytes(message.value() or b"")))
        finally:
            consumer.close()
        return [(partition, value) for partition, _, value in sorted(found)]

    def commit(self, group: str, offsets: dict[int, int], topic: str = "") -> None:
        """Say for a group how far it has read."""
        consumer = self._consumer(group)
        try:
            places = [TopicPartition(topic or self.readings, p, offset) for p, offset in offsets.items()]
            consumer.commit(offsets=places, asynchronous=False)
        finally:
            consumer.close()

    def committed(self, group: str, topic: str = "") -> list[int]:
        """Return how far a group has read each partition; a negative number where it never said."""
        consumer = self._consumer(group)
        try:
            places = [TopicPartition(topic or self.readings, p) for p in range(PARTITIONS)]
            return [place.offset for place in consumer.committed(places, timeout=30)]
        finally:
            consumer.close()

    def _consumer(self, group: str) -> Consumer:
        return Consumer({"bootstrap.servers": self.bootstrap, "group.id": group, "enable.auto.commit": False})
