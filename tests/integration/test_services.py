"""The fixtures give services that work, and nothing of them outlives its starter."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import sqlalchemy
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS

from scripts.services import InfluxAccess, InfluxServer, KafkaNode

pytestmark = pytest.mark.integration


def _create(bootstrap: str, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})  # it must outlive the answer
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(timeout=30)


def _send(bootstrap: str, topic: str, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": bootstrap})
    producer.produce(topic, value, partition=0)
    assert producer.flush(30) == 0


def _receive(bootstrap: str, topic: str) -> bytes:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": topic, "auto.offset.reset": "earliest"})
    try:
        consumer.subscribe([topic])
        message = consumer.poll(30)
        assert message is not None
        value = message.value()
        assert isinstance(value, bytes)
        return value
    finally:
        consumer.close()


def _count(access: InfluxAccess) -> int:
    with InfluxDBClient(access.url, access.token, org=access.org) as client:
        found = client.query_api().query(f'from(bucket: "{access.bucket}") |> range(start: 0) |> count()')
        return sum(record.get_value() for table in found for record in table.records)


def _write(access: InfluxAccess, line: str) -> None:
    with InfluxDBClient(access.url, access.token, org=access.org) as client:
        client.write_api(write_options=SYNCHRONOUS).write(access.bucket, record=line)


@pytest.mark.kafka
def test_a_message_sent_to_kafka_comes_back(kafka: str) -> None:
    _create(kafka, "house.echo")
    _send(kafka, "house.echo", b"one")
    assert _receive(kafka, "house.echo") == b"one"


@pytest.mark.kafka
def test_a_kafka_node_that_is_killed_comes_back_with_what_it_had(own_kafka: KafkaNode) -> None:
    _create(own_kafka.bootstrap, "house.kept")
    _send(own_kafka.bootstrap, "house.kept", b"kept")
    own_kafka.process.kill()
    own_kafka.start()
    assert _receive(own_kafka.bootstrap, "house.kept") == b"kept"


@pytest.mark.influx
def test_a_point_written_to_influxdb_can_be_asked_for(influx: InfluxAccess) -> None:
    with InfluxDBClient(influx.url, influx.token, org=influx.org) as client:
        client.buckets_api().create_bucket(bucket_name="house")
    own = InfluxAccess(url=influx.url, token=influx.token, org=influx.org, bucket="house")
    _write(own, "window,site=a value=1i 1767225600000000000")
    assert _count(own) == 1


@pytest.mark.influx
def test_an_influxdb_that_is_killed_comes_back_with_its_token_and_points(own_influx: InfluxServer) -> None:
    _write(own_influx.access, "window,site=a value=1i 1767225600000000000")
    own_influx.process.kill()
    own_influx.start()
    assert _count(own_influx.access) == 1


def test_postgresql_answers_and_does_not_run_as_root(postgres: str) -> None:
    engine = sqlalchemy.create_engine(postgres)
    with engine.connect() as connection:
        assert connection.execute(sqlalchemy.text("select current_user")).scalar_one() == "jianhu"
    engine.dispose()


@pytest.mark.chromium
def test_chromium_tells_its_version(chromium: Path) -> None:
    told = subprocess.run([chromium, "--version"], capture_output=True, text=True, check=True)
    assert told.stdout.startswith("Chromium")
