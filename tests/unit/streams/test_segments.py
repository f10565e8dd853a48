from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.frames import Frame, Origin, Tick, encode_tick, flag_column
from streams.areas import AreaTick, encode_area_tick
from streams.results import RESULT_SCHEMA, ResultHead, encode_results
from streams.segments import OFFSET, RAW, TICK, area_items_of, items_of, joined, rows_of
from tests.packets import T0, Item, batch, frame, message, packet, told
from tests.unit.streams.store import samples


def archived(*items: Item, first: int = 0) -> pa.Table:
    return joined([rows_of("readings", first + number, message(item)) for number, item in enumerate(items)])


def kept(*messages: tuple[str, bytes]) -> pa.Table:
    return joined([rows_of(kind, number, data) for number, (kind, data) in enumerate(messages)])


def through_parquet(table: pa.Table) -> pa.Table:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return pq.read_table(sink, read_dictionary=["site"])


A, B, C = (frame(packet(name, value=place)) for place, name in enumerate("ABC"))
EMPTY = frame()


@pytest.mark.parametrize(
    "items",
    [
        [A],
        [Tick(T0)],
        [EMPTY],
        [EMPTY, Tick(T0)],
        [Tick(T0), Tick(T0)],
        [A, A],
        [A, Tick(T0), B],
        [Tick(T0 + 1), A, B, Tick(T0), C],
        [frame(packet("A"), packet("B", value=None), packet("A"))],
        [frame(packet("A", other=[("Sb", "1")])), frame(packet("A", other=None))],
    ],
)
def test_a_log_comes_back_from_its_rows_as_it_was_said(items: list[Item]) -> None:
    table = archived(*items)
    assert told(items_of(table)) == told(items)
    assert told(items_of(through_parquet(table))) == told(items)


def test_no_rows_are_no_items() -> None:
    assert list(items_of(archived(A, Tick(T0)).slice(0, 0))) == []


def test_every_row_keeps_the_offset_of_its_message() -> None:
    table = archived(frame(packet("A"), packet("B")), Tick(T0), C, first=7)
    assert table.column(OFFSET).to_pylist() == [7, 7, 8, 9]


def test_frames_between_two_ticks_come_back_as_one() -> None:
    found = list(items_of(archived(A, B, Tick(T0), C)))
    assert [type(item) for item in found] == [Frame, Tick, Frame]
    assert [item.rows.num_rows for item in found if isinstance(item, Frame)] == [2, 1]


@pytest.mark.parametrize(
    "more",
    [{"kind": "water"}, {"period_ms": MINUTE_MS}, {"origin": Origin.PERSON}, {"synthetic": True}],
)
def test_frames_of_another_kind_period_origin_or_marking_are_not_mixed(more: dict[str, Any]) -> None:
    other = frame(packet("B"), **more)
    found = [item for item in items_of(archived(A, other, C)) if isinstance(item, Frame)]
    assert [item.head for item in found] == [A.head, other.head]
    assert sorted(map(str, told(found))) == sorted(map(str, told([A, other, C])))


def test_a_frame_that_comes_back_has_the_columns_of_a_frame() -> None:
    [found] = items_of(through_parquet(archived(Tick(T0), A)).slice(1))
    assert isinstance(found, Frame)
    assert found.rows.schema.names == A.rows.schema.names
    assert [field.type for field in found.rows.schema] == [field.type for field in A.rows.schema]


def test_a_factor_that_only_one_frame_has_says_nothing_in_the_other() -> None:
    more = frame(
        {"site": "B", "start": T0, "received": T0, "correction": 0, "other": None, "CO": 5, flag_column("CO"): 78},
        factors=["CO"],
    )
    [found] = items_of(archived(A, more))
    assert isinstance(found, Frame)
    assert found.rows.column("CO").to_pylist() == [None, 5]
    assert found.rows.column("PM2.5").to_pylist() == [0, None]
    assert found.rows.column(flag_column("PM2.5")).to_pylist() == [78, None]


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"nobody reads this", b'{"at": "noon"}', b'{"at": 1480000000000000}', b'{"at": 10000000000000000000}'],
)
def test_bytes_that_nobody_can_read_are_kept_and_not_yielded(data: bytes) -> None:
    table = joined(
        [rows_of("readings", 0, message(A)), rows_of("readings", 1, data), rows_of("readings", 2, message(B))]
    )
    assert table.column(RAW).to_pylist() == [None, data, None]
    assert told(items_of(table)) == told([A, B])


def test_raw_bytes_that_this_program_can_read_are_yielded_in_their_place() -> None:
    table = joined(
        [rows_of("readings", 0, message(A)), rows_of("other", 1, message(B)), rows_of("readings", 2, message(C))]
    )
    assert told(items_of(table)) == told([A, B, C])


@pytest.mark.parametrize("name", [OFFSET, TICK, RAW, "kind", "source"])
def test_a_frame_whose_factor_has_a_name_of_the_archive_is_kept_whole(name: str) -> None:
    odd = {"site": "A", "start": T0, "received": T0, "correction": 0, "other": None, name: 5, flag_column(name): 78}
    said = frame(odd, factors=[name])
    table = rows_of("readings", 3, message(said))
    assert table.schema.names == [OFFSET, RAW]
    assert told(items_of(table)) == told([said])


@pytest.mark.parametrize("at", [0, -1, T0, 8 * 10**12])
def test_a_tick_of_any_moment_is_a_row(at: int) -> None:
    table = rows_of("results", 3, encode_tick(at))
    assert table.schema.names == [OFFSET, TICK]
    assert list(items_of(table)) == [Tick(at)]


def test_results_are_kept_in_columns_with_text_for_dictionaries() -> None:
    rows = samples.batch(samples.row(), samples.row(site="S2", value=7))
    table = rows_of("results", 4, encode_results(ResultHead(kind="air", pack="p"), rows))
    assert table.column(OFFSET).to_pylist() == [4, 4]
    assert samples.listed(table.drop_columns([OFFSET])) == samples.listed(rows)
    assert not any(pa.types.is_dictionary(field.type) for field in table.schema)


def test_what_is_neither_readings_nor_results_is_kept_as_it_came() -> None:
    assert rows_of("deadletter", 2, b"{}").to_pylist() == [{OFFSET: 2, RAW: b"{}"}]


def test_readings_on_a_results_topic_are_kept_as_they_came() -> None:
    assert rows_of("results", 2, message(A)).schema.names == [OFFSET, RAW]


def test_a_table_without_any_frame_yields_none() -> None:
    assert list(items_of(joined([rows_of("readings", 0, b"x")]))) == []


def test_large_frames_keep_their_order_and_repeats() -> None:
    rows = [packet(f"S{number % 7}", T0 + number // 7 * HOUR_MS, number) for number in range(500)]
    said = frame(*rows, *rows[:3])
    assert told(items_of(through_parquet(archived(Tick(T0), said, Tick(T0 + HOUR_MS))))) == told(
        [Tick(T0), said, Tick(T0 + HOUR_MS)]
    )
    assert batch(*rows).num_rows == 500


def area_log(*messages: bytes) -> pa.Table:
    return kept(*[("areas", data) for data in messages])


FIRST, SECOND = samples.batch(samples.row(), samples.row(site="S2", value=7)), samples.batch(samples.row(site="S3"))


def test_a_log_of_areas_comes_back_with_the_rows_between_two_ticks_together() -> None:
    first, second = (encode_results(samples.HEAD, rows) for rows in (FIRST, SECOND))
    table = area_log(first, second, encode_area_tick(T0, 3), encode_area_tick(T0, 0), first, b"nonsense", second)
    for rows in (table, through_parquet(table)):
        found = list(area_items_of(rows))
        assert [item if isinstance(item, AreaTick) else samples.listed(item) for item in found] == [
            [*samples.listed(FIRST), *samples.listed(SECOND)],
            AreaTick(at=T0, source=3),
            AreaTick(at=T0, source=0),
            samples.listed(FIRST),
            samples.listed(SECOND),
        ]
        assert all(isinstance(item, AreaTick) or item.schema.equals(RESULT_SCHEMA) for item in found)


@pytest.mark.parametrize("messages", [[], [encode_area_tick(T0, 1)], [b""]], ids=["none", "a-tick", "nonsense"])
def test_a_log_of_areas_without_rows_has_none(messages: list[bytes]) -> None:
    table = area_log(*messages, encode_area_tick(T0, 2))
    assert [item for item in area_items_of(table) if not isinstance(item, AreaTick)] == []
