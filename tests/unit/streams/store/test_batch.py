"""What a run of messages asks of a store."""

from __future__ import annotations

import hashlib

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.deadletters import Refusal, decode_letter, encode_letter
from sensors.frames import encode_tick
from streams.results import RESULT_SCHEMA, ResultHead, decode_results, encode_results
from streams.store.batch import RAW_BYTES, Batch, Delivery, letter_of, read_deliveries
from streams.store.contract import EARLIEST_MS, LATEST_MS, NAME_BYTES, Rejected
from tests.unit.streams.store.samples import HEAD, batch, listed, row

NOW = 1_700_000_000_000


def delivery(value: bytes | None, partition: int = 0, offset: int = 0) -> Delivery:
    return Delivery(topic="results.air", partition=partition, offset=offset, value=value)


def read(*deliveries: Delivery, most_rows: int = 1_000) -> Batch:
    return read_deliveries(deliveries, most_rows, NOW)


def results(*sites: str, head: ResultHead = HEAD) -> bytes:
    return encode_results(head, batch(*[row(site=site) for site in sites]))


def test_no_messages_ask_for_nothing() -> None:
    assert read() == Batch(writes=(), ticks={}, letters=(), ends={})


def test_small_messages_of_one_head_are_put_together_in_order() -> None:
    found = read(delivery(results("S2", "S1")), delivery(results("S3"), partition=1), delivery(results("S1"), offset=1))
    [write] = found.writes
    assert write.head == HEAD
    assert write.rows.schema.equals(RESULT_SCHEMA, check_metadata=True)
    assert [cells["site"] for cells in listed(write.rows)] == ["S2", "S1", "S3", "S1"]


def test_heads_are_written_apart() -> None:
    other = ResultHead(kind="air", pack="pack-2")
    found = read(delivery(results("S1")), delivery(results("S2", head=other)), delivery(results("S3")))
    assert [(write.head, write.rows.num_rows) for write in found.writes] == [(HEAD, 2), (other, 1)]


def test_a_write_has_at_most_so_many_rows_unless_one_message_has_more() -> None:
    found = read(*[delivery(results(*"ab")) for _ in range(3)], delivery(results(*"abcdefg")), most_rows=5)
    assert [write.rows.num_rows for write in found.writes] == [4, 2, 7]


def test_more_names_than_an_index_can_count_are_written_apart() -> None:
    def of(first: int) -> bytes:
        return encode_results(HEAD, batch(*[row(factor=f"F{first + n}") for n in range(100)]))

    found = read(delivery(of(0)), delivery(of(100)))
    assert [write.rows.num_rows for write in found.writes] == [100, 100]


def test_the_greatest_tick_of_each_partition_is_noted() -> None:
    found = read(
        delivery(encode_tick(5)), delivery(encode_tick(9), 1), delivery(encode_tick(7)), delivery(encode_tick(6))
    )
    assert found.ticks == {("results.air", 0): 7, ("results.air", 1): 9}


def test_a_tick_before_1970_is_a_tick() -> None:
    assert read(delivery(encode_tick(-5))).ticks == {("results.air", 0): -5}


def test_the_offset_to_commit_is_the_one_after_the_last_even_of_what_cannot_be_read() -> None:
    found = read(delivery(results("S1"), 0, 41), delivery(b"junk", 0, 43), delivery(encode_tick(1), 3, 7))
    assert found.ends == {("results.air", 0): 44, ("results.air", 3): 8}


@pytest.mark.parametrize(
    "value",
    [
        encode_tick(LATEST_MS + 1),
        encode_tick(EARLIEST_MS - 1),
        encode_tick(2**64 - 1),
        results("S1", head=ResultHead(kind="x" * (NAME_BYTES + 1), pack="p")),
        results("S1", head=ResultHead(kind="air", pack="鉴" * NAME_BYTES)),
    ],
)
def test_what_no_store_could_ever_take_is_a_letter_and_holds_up_nothing(value: bytes) -> None:
    found = read(delivery(value))
    assert (found.writes, dict(found.ticks)) == ((), {})
    assert [letter.reason for letter in found.letters] == [Refusal.BAD_FRAME]


def test_a_head_as_long_as_names_may_be_is_written() -> None:
    [write] = read(delivery(results("S1", head=ResultHead(kind="x" * NAME_BYTES, pack="p")))).writes
    assert write.head.kind == "x" * NAME_BYTES


@pytest.mark.parametrize("value", [None, b"", b"junk", b"{}", b'{"at": "x"}', results("S1")[:-40], b"ARROW1"])
def test_what_cannot_be_read_becomes_a_letter_with_its_place_and_bytes(value: bytes | None) -> None:
    found = read(delivery(value, 2, 17), delivery(results("S1")))
    [letter] = found.letters
    assert (letter.reason, letter.where, letter.received_at) == (Refusal.BAD_FRAME, "results.air[2]@17", NOW)
    assert letter.raw == (value or b"")
    assert len(found.writes) == 1


def test_a_long_message_is_cut_in_its_letter_and_says_so() -> None:
    raw = b"x" * (RAW_BYTES + 1)
    [letter] = read(delivery(raw)).letters
    assert len(letter.raw) == RAW_BYTES
    assert hashlib.sha256(raw).hexdigest() in letter.detail
    assert decode_letter(encode_letter(letter)) == letter


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_flipped_bit_gives_a_letter_or_rows_and_never_an_error(place: int, bit: int) -> None:
    raw = bytearray(results("S1", "S2"))
    raw[place % len(raw)] ^= 1 << bit
    found = read(delivery(bytes(raw)))
    assert len(found.letters) + len(found.writes) == 1


def test_a_rejected_row_can_be_driven_again_from_its_letter() -> None:
    one = batch(row(site="S7", factor="O3", value=3))
    letter = letter_of(Rejected(row=one, why="because"), HEAD, NOW)
    assert (letter.reason, letter.site, letter.factor, letter.detail) == (Refusal.STORE_REFUSED, "S7", "O3", "because")
    again = decode_results(letter.raw)
    assert isinstance(again, tuple)
    assert (again[0], listed(again[1])) == (HEAD, listed(one))


def test_a_row_without_a_site_gives_a_letter_without_one() -> None:
    one = batch(row(site=None))
    assert letter_of(Rejected(row=one, why="site is missing"), HEAD, NOW).site == ""
    assert isinstance(one, pa.RecordBatch)
