"""Fixtures of the real services: skipped with a reason where one is not there, failed where it must be.

Session fixtures share one server: tests keep apart by topic prefix, bucket or database. Tests that
stop, kill or fill a server take the ``own_…`` fixtures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn, TypeVar

import pytest

from scripts import places
from scripts.services import InfluxAccess, InfluxServer, KafkaNode, PostgresServer, running

FoundT = TypeVar("FoundT")


def _absent(name: str) -> NoReturn:
    told = f"{name} is not on this machine; `make services` makes it where the tool chain is there"
    if places.required():
        pytest.fail(f"{told} ({places.REQUIRE}=1)", pytrace=False)
    pytest.skip(told)


def _needed(name: str, find: Callable[[], FoundT | None]) -> FoundT:
    found = find()
    if found is None:
        _absent(name)
    return found


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """The bootstrap address of a Kafka node; topics must be created, with a prefix of the test's own."""
    lib = _needed("Kafka", places.kafka_lib)
    with running(lambda home: KafkaNode(home, lib)) as node:
        yield node.bootstrap


@pytest.fixture
def own_kafka() -> Iterator[KafkaNode]:
    """A Kafka node that the test may stop, kill and start again."""
    lib = _needed("Kafka", places.kafka_lib)
    with running(lambda home: KafkaNode(home, lib)) as node:
        yield node


@pytest.fixture(scope="session")
def influx() -> Iterator[InfluxAccess]:
    """Address, token, organisation and bucket of an InfluxDB; a test that needs it empty makes its own bucket."""
    program = _needed("InfluxDB", places.influxd)
    with running(lambda home: InfluxServer(home, program)) as server:
        yield server.access


@pytest.fixture
def own_influx() -> Iterator[InfluxServer]:
    """An InfluxDB that the test may stop, kill and start again."""
    program = _needed("InfluxDB", places.influxd)
    with running(lambda home: InfluxServer(home, program)) as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The SQLAlchemy URL of a PostgreSQL database; tests keep apart by schema or drop what they make."""
    programs = _needed("PostgreSQL", places.postgres_bin)
    with running(lambda home: PostgresServer(home, programs)) as server:
        yield server.url


@pytest.fixture(scope="session")
def alertmanager() -> Path:
    """The path of the Alertmanager server; a test starts one with a configuration of its own."""
    return _needed("Alertmanager", places.alertmanager)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The path of Chromium, for a driver's launch options."""
    return _needed("Chromium", places.chromium)
