"""Topics: their names, their settings, and what to do when the live ones differ.

Created by kafka-python before any worker joins, because a worker ignores a topic that is not
there for good (measured).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from time import monotonic
from typing import Any

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from sensors.errors import ConfigError, EdgeError

RETENTION_DAYS = 14
MAX_MESSAGE_BYTES = 2 * 1024 * 1024
READY_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """The names of all topics, behind an optional prefix that separates name spaces."""

    prefix: str = ""

    def _named(self, name: str) -> str:
        return f"{self.prefix}.{name}" if self.prefix else name

    def readings(self, kind: str) -> str:
        """Return the topic of a kind's frames and ticks."""
        return self._named(f"readings.{kind}")

    def results(self, kind: str) -> str:
        """Return the topic of a kind's results and of the judge's ticks."""
        return self._named(f"results.{kind}")

    def areas(self, kind: str) -> str:
        """Return the topic of a kind's day rows, sent to the partitions of the sites' areas, for the second stage."""
        return self._named(f"areas.{kind}")

    @property
    def deadletter(self) -> str:
        """The topic of input that could not be used."""
        return self._named("deadletter")

    def group(self, part: str) -> str:
        """Return the consumer group of a part of the system, for example ``judge`` or ``sink``."""
        return self._named(f"jianhu-{part}")

    def of_kind(self, kind: str) -> tuple[str, ...]:
        """Return the topics that a kind has for itself."""
        return (self.readings(kind), self.areas(kind), self.results(kind))

    def all(self, *kinds: str) -> tuple[str, ...]:
        """Return every topic that these kinds need; the dead letters are shared."""
        return (*(topic for kind in kinds for topic in self.of_kind(kind)), self.deadletter)


def topic_settings() -> dict[str, str]:
    """Return the settings that every topic of ours has.

    ``LogAppendTime``: Kafka 4 refuses a record stamped ahead, and old stamps would age out history.
    """
    return {
        "message.timestamp.type": "LogAppendTime",
        "retention.ms": str(RETENTION_DAYS * 86_400_000),
        "retention.bytes": "-1",
        "cleanup.policy": "delete",
        "max.message.bytes": str(MAX_MESSAGE_BYTES),
    }


def create_topics(bootstrap: str, topics: tuple[str, ...], *, partitions: int, replicas: int = 1) -> tuple[str, ...]:
    """Create the topics that are missing, check the others, and return the names created.

    Raises
    ------
    ConfigError
        When a live topic has other settings or another partition count; it names the command that mends it.
    EdgeError
        When the broker refuses, or a new topic has no leaders in time.
    """
    try:
        admin = KafkaAdminClient(bootstrap_servers=bootstrap, client_id="jianhu-topics")
        with closing(admin):
            return _create(admin, bootstrap, topics, partitions, replicas)
    except KafkaError as cause:
        raise EdgeError(f"the broker at {bootstrap} refused to create or describe topics: {cause}") from cause


def _create(
    admin: KafkaAdminClient, bootstrap: str, topics: tuple[str, ...], partitions: int, replicas: int
) -> tuple[str, ...]:
    created = tuple(topic for topic in topics if _make(admin, topic, partitions, replicas))
    _await(admin, created, partitions)
    held = [topic for topic in topics if topic not in created]
    for topic in held:
        _check(bootstrap, topic, _live_settings(admin, topic), topic_settings())
    for described in admin.describe_topics(held) if held else []:
        count = len(described["partitions"])
        if count != partitions:
            raise ConfigError(
                file="kafka",
                line=None,
                key=str(described.get("name") or described.get("topic")),
                problem=f"has {count} partitions, the settings say {partitions}",
                mend=f"set JIANHU_PARTITIONS={count}, or drain the topic and make it again",
            )
    return created


def _make(admin: KafkaAdminClient, topic: str, partitions: int, replicas: int) -> bool:
    """Create a topic; return false when it was there already."""
    wanted = NewTopic(topic, num_partitions=partitions, replication_factor=replicas, topic_configs=topic_settings())
    try:
        admin.create_topics([wanted])
    except TopicAlreadyExistsError:
        return False
    return True


def _await(admin: KafkaAdminClient, created: tuple[str, ...], partitions: int) -> None:
    """Wait until new topics can be used: Kafka answers that they are created before it knows them."""
    until, pause = monotonic() + READY_S, threading.Event()
    while created and not all(_ready(topic, partitions) for topic in admin.describe_topics(list(created))):
        if monotonic() > until:
            raise EdgeError(
                f"{', '.join(created)}: created, but without leaders after {READY_S:.0f} s; see the brokers"
            )
        pause.wait(0.1)


def _ready(topic: Mapping[str, Any], partitions: int) -> bool:
    leaders = [partition["leader_id"] for partition in topic["partitions"]]
    return not topic["error_code"] and len(leaders) == partitions and min(leaders) >= 0


def _live_settings(admin: KafkaAdminClient, topic: str) -> Mapping[str, str]:
    answer = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    return _flatten(answer, topic)


def _flatten(answer: object, topic: str) -> Mapping[str, str]:
    """Return name → value of the one resource in kafka-python's answer."""
    for responses in answer.values() if isinstance(answer, dict) else [answer]:
        if isinstance(responses, dict):
            found = responses.get(topic, responses)
            return {name: str(entry["value"] if isinstance(entry, dict) else entry) for name, entry in found.items()}
    raise EdgeError(f"settings of topic {topic} came in a form that is not known: {type(answer).__name__}")


def _check(bootstrap: str, topic: str, live: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    wrong = {name: value for name, value in wanted.items() if live.get(name) != value}
    if wrong:
        command = ",".join(f"{name}={value}" for name, value in wrong.items())
        raise ConfigError(
            file="kafka",
            line=None,
            key=topic,
            problem="; ".join(f"{name} is {live.get(name)}, must be {value}" for name, value in wrong.items()),
            mend=f"run: kafka-configs.sh --bootstrap-server {bootstrap} --alter --entity-type topics "
            f"--entity-name {topic} --add-config {command}",
        )
