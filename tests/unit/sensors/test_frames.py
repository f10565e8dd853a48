from __future__ import annotations

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from sensors.errors import BadFrame
from sensors.factors import load_factors
from sensors.frames import (
    Frame,
    FrameHead,
    Origin,
    Recompute,
    Tick,
    decode,
    decode_batch,
    encode_frame,
    encode_recompute,
    encode_tick,
    flag_column,
    frame_schema,
    is_request,
    request_of,
)

HEAD = FrameHead(kind="air", period_ms=60_000, source="gateway", sequence=7, synthetic=True)
FACTORS = ["PM2.5", "CO"]
REQUEST = Recompute(
    id="2026-late", sites=("S1", "S2"), first_day=20_000, last_day=20_001, author="王工", why="late data"
)


def rows(count: int = 2) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(
        [
            {
                "site": f"S{number}", "start": number, "received": number + 1, "correction": 0,
                "other": [("Sb", "1")], "PM2.5": 100 * number, "PM2.5.flag": ord("N"), "CO": None, "CO.flag": None,
            }
            for number in range(count)
        ],
        schema=frame_schema(FACTORS),
    )  # fmt: skip


def message(batch: pa.RecordBatch, metadata: dict[bytes, bytes], times: int = 1) -> bytes:
    sink = pa.BufferOutputStream()
    batch = batch.replace_schema_metadata(metadata)
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        for _ in range(times):
            writer.write_batch(batch)
    return bytes(sink.getvalue().to_pybytes())


def good_head() -> dict[bytes, bytes]:
    return {b"jianhu.frame": msgspec.json.encode(HEAD)}


@pytest.mark.parametrize("compression", ["lz4", "zstd", None])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_frame_survives_the_way_through_its_bytes(compression: str | None, count: int) -> None:
    found = decode(encode_frame(Frame(head=HEAD, rows=rows(count)), compression))  # type: ignore[arg-type]
    assert isinstance(found, Frame)
    assert found.head == HEAD
    assert found.rows.to_pylist() == rows(count).to_pylist()


def test_the_head_says_who_made_the_values() -> None:
    found = decode(encode_frame(Frame(head=msgspec.structs.replace(HEAD, origin=Origin.PERSON), rows=rows())))
    assert isinstance(found, Frame)
    assert found.head.origin is Origin.PERSON
    assert Origin.DEVICE < Origin.REPORTED < Origin.LABORATORY < Origin.PERSON


def test_a_frame_of_all_air_factors_has_value_and_flag_columns_in_their_order() -> None:
    schema = frame_schema(load_factors("air"))
    assert schema.names[:5] == ["site", "start", "received", "correction", "other"]
    assert schema.names[5:9] == ["PM2.5", "PM2.5.flag", "PM10", "PM10.flag"]
    assert schema.field("O3").type == pa.int32()
    assert schema.field(flag_column("O3")).type == pa.uint8()


@pytest.mark.parametrize("at", [0, -1, 1_482_192_000_000])
def test_a_tick_survives_the_way_through_its_bytes(at: int) -> None:
    assert decode(encode_tick(at)) == Tick(at)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"rubbish",
        b"{",
        b"{}",
        b'{"at": "now"}',
        b'{"at": 1.5}',
        b'{"at": 1482192000000000}',  # microseconds: no day of the standards
        b'{"at\xff": 1}',
        b"\x00" * 64,
        b"\xff\xff\xff\xff\x10\x00\x00\x00",
    ],
)
def test_bytes_that_are_neither_frame_nor_tick_are_refused(data: bytes) -> None:
    with pytest.raises(BadFrame):
        decode(data)


def test_a_frame_that_breaks_off_is_refused_at_every_length() -> None:
    data = encode_frame(Frame(head=HEAD, rows=rows()))
    for length in range(0, len(data) - 8, 7):
        with pytest.raises(BadFrame):
            decode(data[:length])


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({}, "readable head"),
        ({b"jianhu.frame": b"{"}, "readable head"),
        ({b"jianhu.frame": b'{"kind": "air"}'}, "readable head"),
        ({b"jianhu.frame": msgspec.json.encode(msgspec.structs.replace(HEAD, period_ms=0))}, "readable head"),
        ({b"jianhu.frame": msgspec.json.encode(HEAD).replace(b"air", b"\xff")}, "readable head"),
        ({b"jianhu.frame": msgspec.json.encode(msgspec.structs.replace(HEAD, version=2))}, "schema version 2"),
    ],
)
def test_a_frame_without_a_head_of_this_version_is_refused(metadata: dict[bytes, bytes], words: str) -> None:
    with pytest.raises(BadFrame, match=words):
        decode(message(rows(), metadata))


@pytest.mark.parametrize("times", [0, 2])
def test_a_message_is_one_whole_batch(times: int) -> None:
    with pytest.raises(BadFrame, match="instead of 1"):
        decode(message(rows(), good_head(), times))


@pytest.mark.parametrize("name", ["site", "start", "received", "correction", "other", "PM2.5", "PM2.5.flag"])
def test_a_frame_without_one_of_its_columns_is_refused(name: str) -> None:
    with pytest.raises(BadFrame, match="columns"):
        decode(message(rows().drop_columns([name]), good_head()))


def test_a_column_of_another_type_is_refused() -> None:
    batch = rows()
    place = batch.schema.get_field_index("PM2.5")
    wide = batch.set_column(place, "PM2.5", batch.column("PM2.5").cast(pa.float64()))
    with pytest.raises(BadFrame, match="other types"):
        decode(message(wide, good_head()))


def test_a_row_without_a_site_is_refused() -> None:
    batch = rows()
    nobody = pa.DictionaryArray.from_arrays(pa.array([0, None], pa.int32()), pa.array(["S0"]))
    with pytest.raises(BadFrame, match="1 nulls"):
        decode(message(batch.set_column(0, batch.schema.field(0), nobody), good_head()))


def test_a_site_index_beyond_its_dictionary_is_refused() -> None:
    batch = rows()
    indices = pa.array(np.array([0, 9], dtype=np.int32))
    stray = pa.DictionaryArray.from_arrays(indices, pa.array(["S0"]), safe=False)
    with pytest.raises(BadFrame):
        decode(message(batch.set_column(0, batch.schema.field(0), stray), good_head()))


def test_a_column_name_that_is_no_text_is_refused() -> None:
    data = message(rows(), good_head())
    with pytest.raises(BadFrame):
        decode(data.replace(b"correction", b"correct\xffon"))


def test_metadata_and_batch_can_be_read_apart() -> None:
    metadata, batch = decode_batch(encode_frame(Frame(head=HEAD, rows=rows())))
    assert b"jianhu.frame" in metadata
    assert batch.num_rows == 2


def test_a_request_to_recompute_comes_back_as_it_was_sent() -> None:
    data = encode_recompute(REQUEST)
    assert is_request(data)
    assert request_of(data) == REQUEST


@pytest.mark.parametrize("data", [encode_tick(0), b"", b"not json", b'{"other": 1}'])
def test_other_messages_are_no_requests(data: bytes) -> None:
    assert not is_request(data)
    with pytest.raises(BadFrame, match="request to recompute"):
        request_of(data)


@pytest.mark.parametrize(
    "data",
    [
        b'{"recompute": 1}',
        b'{"recompute":{"id":"x"}}',
        encode_recompute(REQUEST).replace(b"20000", b"900000"),
        encode_recompute(REQUEST)[:-1] + b',"more":1}',
        encode_recompute(REQUEST).replace(b"late data", b"\xff\xfe"),
    ],
)
def test_a_damaged_request_is_refused(data: bytes) -> None:
    with pytest.raises(BadFrame, match="request to recompute"):
        request_of(data)


def test_a_request_is_no_reading() -> None:
    with pytest.raises(BadFrame):
        decode(encode_recompute(REQUEST))
