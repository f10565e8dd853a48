"""Answers of InfluxDB, whole, empty, broken off and foreign."""

from __future__ import annotations

import pyarrow as pa
import pytest

from sensors.errors import StoreError
from streams.store.answers import CLOCK_COLUMNS, LATEST_COLUMNS, RESULT_COLUMNS, latest_in, read_answer, records_in
from streams.store.contract import table_of
from tests.unit.streams.store.samples import T0, listed, row

HEADER = b",result,table,_start,_stop,_time,_value,_field,_measurement,edition,factor,kind,period,site\r\n"
POINT = b",_result,0,1970-01-01T00:00:00Z,2100-01-01T00:00:00Z,%s,%s,record,window,HJ633-2012,PM2.5,air,1h,S1\r\n"


def answer(*records: bytes, time: bytes = b"2016-11-24T15:00:00Z") -> bytes:
    return HEADER + b"".join(POINT % (time, record) for record in records) + b"\r\n"


def test_an_empty_answer_is_an_empty_table() -> None:
    for empty in (b"", b"\r\n", b"\r\n\r\n"):
        assert records_in(read_answer(empty, RESULT_COLUMNS)) == []
        assert latest_in(read_answer(empty, LATEST_COLUMNS)) is None
        assert read_answer(empty, CLOCK_COLUMNS).num_rows == 0


def test_a_record_is_read_cell_by_cell() -> None:
    raw = answer(b"2\t7\t-3525\t2\t60\t61\tsilent\ta%0Ab\t3\t\t\tO3\t18446744073709551615\tp%25")
    table = table_of(records_in(read_answer(raw, RESULT_COLUMNS)))
    assert listed(table) == [
        row(
            start=T0, value=-3525, valid=60, expected=61, reason="silent", detail="a\nb", flags=3, primary="O3",
            inputs=2**64 - 1, revision=2, at=7,
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        (b"2016-11-24T15:00:00.5Z", T0 + 500),
        (b"2016-11-24T15:00:00.05Z", T0 + 50),
        (b"2016-11-24T15:00:00.001Z", T0 + 1),
    ],
)
def test_parts_of_a_second_are_read_in_any_length(text: bytes, ms: int) -> None:
    assert latest_in(read_answer(b",result,table,_time\r\n,_result,0," + text + b"\r\n", LATEST_COLUMNS)) == ms


@pytest.mark.parametrize(
    "raw",
    [
        b",error,reference\r\n,out of memory,897\r\n",
        b"error,reference\r\nout of memory,897\r\n",
        answer(b"x", time=b"yesterday"),
        HEADER + b",_result,0\r\n",
    ],
)
def test_an_answer_that_breaks_off_or_cannot_be_read_is_a_store_error(raw: bytes) -> None:
    with pytest.raises(StoreError):
        read_answer(raw, RESULT_COLUMNS)


@pytest.mark.parametrize("record", [b"", b"1\t2", b"\t" * 20, b"x" + b"\t" * 13])
def test_a_record_that_is_not_ours_is_a_store_error(record: bytes) -> None:
    with pytest.raises(StoreError, match="not one of ours"):
        records_in(read_answer(answer(record), RESULT_COLUMNS))


def test_a_tag_that_no_point_has_is_read_as_nothing() -> None:
    table = read_answer(b",result,table,_time\r\n,_result,0,2016-11-24T15:00:00Z\r\n", RESULT_COLUMNS)
    assert table.column("site").null_count == 1
    assert table.schema.field("_time").type == pa.timestamp("ms", "UTC")
