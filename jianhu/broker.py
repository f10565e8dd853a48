"""The embedded broker: librdkafka's own, in this process, for as long as it is held.

It forgets after about 5 MB a partition and at its end; what lasts is the archive.
"""

from __future__ import annotations

from confluent_kafka import KafkaException, Producer

from sensors.errors import EdgeError

PARTITIONS = 4
"""Topics appear by themselves with this many."""


class EmbeddedBroker:
    """A broker on loopback that lives as long as this object.

    Raises
    ------
    EdgeError
        When it does not start.
    """

    def __init__(self) -> None:
        self._producer = Producer({"bootstrap.servers": "unused:1", "test.mock.num.brokers": 1, "log_level": 3})
        try:
            brokers = self._producer.list_topics(timeout=10).brokers
        except KafkaException as cause:
            raise EdgeError(f"the embedded broker did not start: {cause}") from cause
        if not brokers:
            raise EdgeError("the embedded broker did not start")
        first = next(iter(brokers.values()))
        self.bootstrap = f"{first.host}:{first.port}"

    def make_topics(self, topics: tuple[str, ...]) -> None:
        """Make the topics be there before anybody joins."""
        for topic in topics:
            self._producer.list_topics(topic, timeout=10)
