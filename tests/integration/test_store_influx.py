"""What the InfluxDB store promises beside the contract: its points, its refusals, its server gone."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS

from scripts.services import InfluxAccess, InfluxServer
from sensors.errors import StoreError
from streams.results import ResultHead
from streams.store.contract import Clock, WriteReport
from streams.store.influx import InfluxStore
from streams.store.schema import Field, Measurement, Tag
from tests.unit.streams.store.samples import HEAD, HOUR, T0, batch, listed, numbered, row

pytestmark = [pytest.mark.integration, pytest.mark.influx]


@pytest.fixture
def access(influx: InfluxAccess) -> InfluxAccess:
    """Access to a bucket of the test's own."""
    made = InfluxAccess(url=influx.url, token=influx.token, org=influx.org, bucket=f"influx-{uuid.uuid4().hex}")
    with InfluxDBClient(url=made.url, token=made.token, org=made.org) as client:
        client.buckets_api().create_bucket(bucket_name=made.bucket, org=made.org)
    return made


def store_of(access: InfluxAccess, **others: Any) -> InfluxStore:
    return InfluxStore(url=access.url, token=access.token, org=access.org, bucket=access.bucket, **others)


@pytest.fixture
def store(access: InfluxAccess) -> Iterator[InfluxStore]:
    with closing(store_of(access)) as store:
        yield store


def points(access: InfluxAccess) -> list[dict[str, Any]]:
    """Return every point as a board would see it: measurement, tags and the fields that are there."""
    question = (
        f'from(bucket: "{access.bucket}") |> range(start: 1900-01-01T00:00:00Z) '
        '|> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")'
    )
    with InfluxDBClient(url=access.url, token=access.token, org=access.org) as client:
        records = [record.values for table in client.query_api().query(question) for record in table.records]
    dull = {"result", "table", "_start", "_stop", "_time", "record"}
    return [{key: value for key, value in cells.items() if key not in dull and value is not None} for cells in records]


@contextmanager
def raw_writer(access: InfluxAccess) -> Iterator[Any]:
    with InfluxDBClient(url=access.url, token=access.token, org=access.org) as client:
        writes = client.write_api(write_options=SYNCHRONOUS)
        yield lambda line: writes.write(access.bucket, access.org, line, write_precision="ms")


def test_a_board_finds_every_field_of_a_point(access: InfluxAccess, store: InfluxStore) -> None:
    index = row(factor="AQI", value=7700, iaqi=77, level=2, primary="O3", flags=1, revision=3)
    store.write(batch({**index, "reason": "missing_item", "detail": "CO: silent"}), HEAD)
    assert points(access) == [
        {
            "_measurement": Measurement.INDEX, Tag.SITE: "S1", Tag.KIND: "air", Tag.FACTOR: "AQI", Tag.PERIOD: HOUR,
            Tag.EDITION: "HJ633-2012", Field.VALUE: 77.0, Field.FIXED: 7700, Field.VALID: 1, Field.VALID_COUNT: 60,
            Field.EXPECTED: 60, Field.REASON: "missing_item", Field.DETAIL: "CO: silent", Field.FLAGS: 1,
            Field.IAQI: 77, Field.LEVEL: 2,
            Field.PRIMARY: "O3", Field.REVISION: 3,
        }
    ]  # fmt: skip


def test_no_old_number_shines_through_a_point_without_one(access: InfluxAccess, store: InfluxStore) -> None:
    value, nothing, again = numbered([row(value=3500, iaqi=50), row(reason="incomplete", valid=3), row(value=3600)])
    for cells in (value, value, nothing, nothing, value):
        store.write(batch(cells), HEAD)
    [point] = points(access)
    assert (point[Field.VALID], point[Field.REASON], point[Field.VALID_COUNT]) == (0, "incomplete", 3)
    assert not {Field.VALUE, Field.FIXED, Field.IAQI} & point.keys()
    for cells in (again, nothing, again):
        store.write(batch(cells), HEAD)
    [point] = points(access)
    assert (point[Field.VALUE], point[Field.VALID]) == (36.0, 1)
    assert Field.IAQI not in point


def test_a_new_process_takes_an_old_number_away_too(access: InfluxAccess, store: InfluxStore) -> None:
    store.write(batch(row(value=3500, iaqi=50)), HEAD)
    with closing(store_of(access)) as other:
        assert other.write(batch(row(revision=2, reason="silent")), HEAD) == WriteReport(accepted=1)
        assert other.write(batch(row(value=3500)), HEAD) == WriteReport(kept=1)
    [point] = points(access)
    assert Field.VALUE not in point


def test_two_kinds_of_one_site_are_two_points(access: InfluxAccess, store: InfluxStore) -> None:
    store.write(batch(row(value=1)), HEAD)
    store.write(batch(row(value=2, revision=2)), ResultHead(kind="voc", pack="p"))
    found = {(point[Tag.KIND], point[Field.FIXED]) for point in points(access)}
    assert found == {("air", 1), ("voc", 2)}


def test_one_bad_point_loses_no_other(access: InfluxAccess) -> None:
    with raw_writer(access) as write:
        # Fields of a point of this name are of other types from now on, in this shard.
        write(f'index,site=x {Field.REVISION}="text" {T0}')
    rows = [row(site=f"S{n:03d}", value=n, factor="AQI" if n in {7, 50} else "O3") for n in range(101)]
    with closing(store_of(access)) as store:
        report = store.write(batch(*rows), HEAD)
        assert (report.accepted, report.kept) == (99, 0)
        assert [listed(rejected.row) for rejected in report.rejected] == [[rows[7]], [rows[50]]]
        assert all("field type conflict" in rejected.why for rejected in report.rejected)
        found = [cells for cells in listed(store.slice(HOUR, T0)) if cells["factor"] == "O3"]
        assert found == [cells for cells in rows if cells["factor"] == "O3"]


def test_the_guard_holds_when_next_to_nothing_is_remembered(access: InfluxAccess) -> None:
    with closing(store_of(access, remembered=1)) as store:
        rows = [row(site=f"S{n}", start=T0 + n * 10**9, value=n, revision=2) for n in range(10)]
        store.write(batch(*rows), HEAD)
        older = batch(*[{**cells, "revision": 1, "value": 99} for cells in rows])
        assert store.write(older, HEAD) == WriteReport(kept=10)
        assert listed(store.series("S3", "PM2.5", HOUR, 0, 2**62)) == [rows[3]]


def test_many_sites_are_asked_for_in_one_question(access: InfluxAccess, store: InfluxStore) -> None:
    rows = [row(site=f"S{n:03d}", value=n, revision=2) for n in range(150)]
    assert store.write(batch(*rows), HEAD).accepted == 150
    with closing(store_of(access)) as other:
        older = batch(*[{**cells, "revision": 1} for cells in rows])
        assert other.write(older, HEAD) == WriteReport(kept=150)


def test_a_member_that_takes_a_site_over_looks_afresh(access: InfluxAccess, store: InfluxStore) -> None:
    store.write(batch(row(value=1)), HEAD)
    store.note_tick("air", 0, 10, 1)
    with closing(store_of(access)) as other:
        other.write(batch(row(value=3, revision=3)), HEAD)
        other.note_tick("air", 0, 30, 3)
    store.refresh()
    assert store.write(batch(row(value=2, revision=2)), HEAD) == WriteReport(kept=1)
    store.note_tick("air", 0, 20, 2)
    assert store.clock() == Clock(kind="air", at_ms=30, wall_ms=3, partition=0)


def test_a_bucket_that_is_not_there_is_a_store_error_and_names_no_secret(influx: InfluxAccess) -> None:
    gone = InfluxAccess(url=influx.url, token=influx.token, org=influx.org, bucket="gone")
    with closing(store_of(gone)) as store, pytest.raises(StoreError, match="gone") as told:
        store.write(batch(row()), HEAD)
    assert influx.token not in f"{told.value} {told.value.__cause__}"


def test_a_wrong_token_is_a_store_error(influx: InfluxAccess) -> None:
    wrong = InfluxAccess(url=influx.url, token="wrong", org=influx.org, bucket=influx.bucket)
    with closing(store_of(wrong)) as store, pytest.raises(StoreError, match="401"):
        store.write(batch(row()), HEAD)


def test_a_server_that_goes_away_is_a_store_error_and_nothing_is_lost_when_it_is_back(own_influx: InfluxServer) -> None:
    value, nothing = numbered([row(value=3500, iaqi=50), row(reason="silent")])
    with closing(store_of(own_influx.access)) as store:
        store.write(batch(value), HEAD)
        own_influx.process.kill()
        for ask in (
            lambda: store.write(batch(nothing), HEAD),
            lambda: store.slice(HOUR, T0),
            lambda: store.latest(HOUR),
            lambda: store.note_tick("air", 0, 1, 1),
            store.clock,
        ):
            with pytest.raises(StoreError):
                ask()
        own_influx.start()
        assert store.write(batch(nothing), HEAD) == WriteReport(accepted=1)
        assert store.write(batch(value), HEAD) == WriteReport(kept=1)
        store.note_tick("air", 0, 1, 1)
        assert listed(store.slice(HOUR, T0)) == [nothing]
    [point] = [cells for cells in points(own_influx.access) if cells["_measurement"] != Measurement.CLOCK]
    assert Field.VALUE not in point
