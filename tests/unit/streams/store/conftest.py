"""The stores that the contract is held against."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from influxdb_client.client.influxdb_client import InfluxDBClient

from scripts.services import InfluxAccess
from streams.store.contract import ResultStore
from streams.store.influx import InfluxStore
from streams.store.memory import MemoryStore
from streams.store.sqlite import SqliteStore


@pytest.fixture
def influx_store(influx: InfluxAccess) -> Iterator[InfluxStore]:
    """A store on a bucket of its own."""
    bucket = f"store-{uuid.uuid4().hex}"
    with InfluxDBClient(url=influx.url, token=influx.token, org=influx.org) as client:
        client.buckets_api().create_bucket(bucket_name=bucket, org=influx.org)
    with closing(InfluxStore(url=influx.url, token=influx.token, org=influx.org, bucket=bucket)) as store:
        yield store


@pytest.fixture(
    params=["memory", "sqlite", pytest.param("influx", marks=[pytest.mark.integration, pytest.mark.influx])]
)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ResultStore]:
    made: ResultStore
    match request.param:
        case "memory":
            made = MemoryStore()
        case "sqlite":
            made = SqliteStore(tmp_path / "results.db")
        case _:
            made = request.getfixturevalue("influx_store")
    yield made
    made.close()
