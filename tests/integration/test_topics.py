"""Topics on a real Kafka: created once, checked afterwards, and what mends them is named and mends them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from uuid import uuid4

import pytest
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewTopic

from jianhu.assembly import Assembly
from jianhu.settings import Settings
from sensors.errors import ConfigError, EdgeError
from streams.topics import Topics, create_topics, topic_settings
from tests.integration.running import records

pytestmark = [pytest.mark.integration, pytest.mark.kafka]
PARTITIONS = 3


@pytest.fixture
def topics() -> Topics:
    return Topics(prefix=f"topics-{uuid4().hex[:8]}")


def make(kafka: str, name: str, settings: Mapping[str, str], *, partitions: int = PARTITIONS) -> None:
    """Make a topic as somebody else would."""
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    given = {**topic_settings(), **settings}
    admin.create_topics([NewTopic(name, num_partitions=partitions, replication_factor=1, topic_configs=given)])
    admin.close()


def test_topics_are_created_once_and_are_as_they_should_be_afterwards(kafka: str, topics: Topics) -> None:
    names = topics.all("air")
    assert create_topics(kafka, names, partitions=PARTITIONS) == names
    assert create_topics(kafka, names, partitions=PARTITIONS) == ()
    assert records(kafka, names[0], PARTITIONS) == []


def test_only_what_is_missing_is_created(kafka: str, topics: Topics) -> None:
    names = topics.all("air")
    make(kafka, names[1], {})
    assert create_topics(kafka, names, partitions=PARTITIONS) == (names[0], *names[2:])


def test_no_topics_are_nothing_to_do(kafka: str) -> None:
    assert create_topics(kafka, (), partitions=PARTITIONS) == ()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"retention.ms": "604800000"}, "retention.ms is 604800000, must be 1209600000"),
        ({"cleanup.policy": "compact"}, "cleanup.policy is compact, must be delete"),
        ({"message.timestamp.type": "CreateTime"}, "message.timestamp.type is CreateTime, must be LogAppendTime"),
        ({"max.message.bytes": "1000", "retention.bytes": "5"}, "retention.bytes is 5, must be -1; max.message.bytes"),
    ],
)
def test_wrong_live_settings_are_refused_with_a_command_that_mends_them(
    kafka: str, topics: Topics, wrong: dict[str, str], told: str
) -> None:
    name = topics.readings("air")
    make(kafka, name, wrong)
    with pytest.raises(ConfigError, match=re.escape(told)) as error:
        create_topics(kafka, topics.all("air"), partitions=PARTITIONS)
    found = re.fullmatch(
        rf"run: kafka-configs\.sh --bootstrap-server {kafka} --alter --entity-type topics "
        rf"--entity-name {re.escape(name)} --add-config (?P<settings>\S+)",
        error.value.mend,
    )
    assert found is not None
    mends = dict(pair.split("=") for pair in found["settings"].split(","))
    assert mends == {key: topic_settings()[key] for key in wrong}
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs=mends)])
    admin.close()
    assert create_topics(kafka, topics.all("air"), partitions=PARTITIONS) == ()


@pytest.mark.parametrize("partitions", [PARTITIONS - 1, PARTITIONS + 1])
def test_another_number_of_partitions_is_refused_with_what_to_set(kafka: str, topics: Topics, partitions: int) -> None:
    make(kafka, topics.results("air"), {}, partitions=partitions)
    with pytest.raises(ConfigError, match=f"has {partitions} partitions, the settings say {PARTITIONS}") as error:
        create_topics(kafka, topics.all("air"), partitions=PARTITIONS)
    assert error.value.key == topics.results("air")
    assert f"JIANHU_PARTITIONS={partitions}" in error.value.mend


def test_what_kafka_refuses_is_an_error_of_ours(kafka: str) -> None:
    with pytest.raises(EdgeError, match="refused to create or describe topics"):
        create_topics(kafka, ("not a name",), partitions=PARTITIONS)


def test_topics_that_were_made_again_are_another_log(kafka: str, topics: Topics) -> None:
    def log_id() -> str:
        return Assembly(Settings(kafka=kafka, prefix=topics.prefix, partitions=PARTITIONS)).log_id

    with pytest.raises(EdgeError, match="create the topics with `jianhu topics`"):
        log_id()
    create_topics(kafka, topics.all("air"), partitions=PARTITIONS)
    first = log_id()
    assert first == log_id()
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    admin.delete_topics(list(topics.all("air")))
    admin.close()
    create_topics(kafka, topics.all("air"), partitions=PARTITIONS)
    assert log_id() != first
