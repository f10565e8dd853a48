"""The fixtures give services that work, and nothing of them outlives its starter."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS

from scripts.process import Process
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


def test_a_server_dies_with_a_starter_that_was_killed(tmp_path: Path) -> None:
    pipe = tmp_path / "alive"
    os.mkfifo(pipe)
    program = (
        "import os, pathlib, sys\n"
        "from scripts.process import Process\n"
        "home = pathlib.Path(sys.argv[1])\n"
        "server = Process(name='a server', log=home / 'log', command=['tail', '-f', str(home / 'alive')])\n"
        "server.start(lambda: True)\n"
        "print(server.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    root = Path(__file__).resolve().parents[2]
    starter = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with starter:
        assert starter.stdout is not None
        server = int(starter.stdout.readline())
        with pipe.open("wb", buffering=0) as end:  # opens when the server reads it
            starter.send_signal(signal.SIGKILL)
            starter.wait(10)
            _write_until_nobody_reads(end.fileno())
    with pytest.raises(ProcessLookupError):
        _signal_unless_collected(server)


def _write_until_nobody_reads(pipe: int) -> None:
    with pytest.raises(BrokenPipeError):
        _write_for_ever(pipe)


def _write_for_ever(pipe: int) -> None:
    while True:
        os.write(pipe, b"\0" * 65536)


def _signal_unless_collected(server: int) -> None:
    """Raise ProcessLookupError when the process is gone, or dead and not yet collected by its adopter."""
    state = Path(f"/proc/{server}/stat")
    if not state.exists() or state.read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z":
        raise ProcessLookupError(server)
    os.kill(server, 0)


def test_a_server_that_ends_while_starting_says_why(tmp_path: Path) -> None:
    server = Process(name="a server", log=tmp_path / "log", command=["sh", "-c", "echo no such disk; exit 3"])
    with pytest.raises(Exception, match="ended while starting:\nno such disk"):
        server.start(lambda: False)
    assert not server.running
