"""What every store promises, asked of each of them."""

from __future__ import annotations

from itertools import permutations, product
from typing import Any

import pyarrow as pa
import pytest

from sensors.clock import HOUR_MS
from streams.results import RESULT_SCHEMA, ResultHead
from streams.store.contract import (
    EARLIEST_MS,
    LATEST_MS,
    NAME_BYTES,
    TEXT_BYTES,
    Clock,
    ResultStore,
    WriteReport,
    greatest,
    outranks,
    records_of,
    sift,
    table_of,
)
from tests.unit.streams.store.samples import EDITION, HEAD, HOUR, T0, batch, listed, numbered, row

EVERYTHING = (EARLIEST_MS, LATEST_MS)
AWKWARD = [
    "S1",
    "a b",
    "a,b=c",
    'he said "no"',
    "back\\slash\\",
    "line\nbreak\r\ttab",
    "100%",
    "%0A",
    "",
    "鉴湖",
    "${r.site}",
    '") |> drop() //',
    "' OR 1=1 --",
    "$x",
    "nul\x00",
    "#hash",
    "_site",
    "😀",
]


def held(store: ResultStore, site: str = "S1") -> list[dict[str, Any]]:
    return listed(store.site_rows(site, *EVERYTHING))


def test_an_empty_store_answers_with_nothing(store: ResultStore) -> None:
    for table in (
        store.series("S1", "PM2.5", HOUR, *EVERYTHING),
        store.site_rows("S1", *EVERYTHING),
        store.slice(HOUR, T0),
    ):
        assert table.schema.equals(RESULT_SCHEMA)
        assert table.num_rows == 0
    assert store.latest(HOUR) is None
    assert store.clock() is None
    assert store.head_of("S1", "PM2.5", HOUR, T0, EDITION) is None


def test_an_empty_write_changes_nothing(store: ResultStore) -> None:
    assert store.write(batch(), HEAD) == WriteReport()
    assert held(store) == []


def test_a_row_comes_back_with_every_column_as_it_was(store: ResultStore) -> None:
    full = row(
        value=-(2**62) - 1, iaqi=77, level=2, primary="PM2.5;O3", detail="why", reason="incomplete", flags=2**31 - 1,
        inputs=2**64 - 1, revision=2**31 - 1, valid=0, expected=32767, digits=12, at=T0 + 1,
    )  # fmt: skip
    assert store.write(batch(full), HEAD) == WriteReport(accepted=1)
    table = store.slice(HOUR, T0)
    assert table.schema.equals(RESULT_SCHEMA)
    assert listed(table) == [full]


@pytest.mark.parametrize("value", [0, 1, -1, None, 2**53 + 1, 2**63 - 1, -(2**63)])
def test_a_value_is_exact_and_zero_is_not_nothing(store: ResultStore, value: int | None) -> None:
    store.write(batch(row(value=value)), HEAD)
    assert held(store)[0]["value"] == value


@pytest.mark.parametrize("inputs", [0, 1, 2**63 - 1, 2**63, 2**64 - 1])
def test_a_hash_of_inputs_is_exact(store: ResultStore, inputs: int) -> None:
    store.write(batch(row(inputs=inputs)), HEAD)
    assert held(store)[0]["inputs"] == inputs


def test_the_same_row_again_is_harmless(store: ResultStore) -> None:
    rows = batch(row(value=100), row(site="S2", value=7))
    assert store.write(rows, HEAD) == WriteReport(accepted=2)
    assert store.write(rows, HEAD) == WriteReport(accepted=2)
    assert [cells["value"] for cells in listed(store.slice(HOUR, T0))] == [100, 7]


def test_a_greater_revision_takes_the_place(store: ResultStore) -> None:
    store.write(batch(row(value=100)), HEAD)
    assert store.write(batch(row(value=50, revision=2)), HEAD) == WriteReport(accepted=1)
    assert held(store) == [row(value=50, revision=2)]


def test_a_lower_revision_is_kept_out_and_counted(store: ResultStore) -> None:
    store.write(batch(row(value=100, revision=3)), HEAD)
    late = batch(row(value=1, revision=2, at=T0 + 99 * HOUR_MS), row(site="S2", value=1))
    assert store.write(late, HEAD) == WriteReport(accepted=1, kept=1)
    assert held(store) == [row(value=100, revision=3)]


@pytest.mark.parametrize(
    ("lesser", "greater"),
    [
        ({"value": 9, "at": T0}, {"value": 1, "at": T0 + 1}),
        ({"value": 1}, {"value": 2}),
        ({"value": None}, {"value": -5}),
        ({"value": None, "valid": 60}, {"value": -(2**63), "valid": 0}),
        ({"value": 1, "valid": 9}, {"value": 1, "valid": 10}),
        ({"reason": ""}, {"reason": "silent"}),
        ({"detail": "Z"}, {"detail": "a"}),
        ({"detail": "\uffff"}, {"detail": "\U0001f600"}),
        ({"iaqi": None}, {"iaqi": 0}),
        ({"level": 1}, {"level": 2}),
        ({"inputs": 2**63}, {"inputs": 1}),
    ],
)
def test_of_two_contents_of_one_revision_the_greater_stands(
    store: ResultStore, lesser: dict[str, Any], greater: dict[str, Any]
) -> None:
    first, second = (
        batch(row(site="S1", **lesser), row(site="S2", **greater)),
        batch(row(site="S1", **greater), row(site="S2", **lesser)),
    )
    store.write(first, HEAD)
    report = store.write(second, HEAD)
    assert (report.accepted, report.kept) == (1, 1)
    assert report.conflicts == 2
    assert held(store, "S1") == [row(site="S1", **greater)]
    assert held(store, "S2") == [row(site="S2", **greater)]


def test_a_later_tick_of_the_same_content_is_no_conflict(store: ResultStore) -> None:
    store.write(batch(row(at=T0)), HEAD)
    assert store.write(batch(row(at=T0 + 1)), HEAD) == WriteReport(accepted=1)
    assert held(store) == [row(at=T0 + 1)]


def test_one_batch_may_hold_a_key_many_times_in_any_order(store: ResultStore) -> None:
    rows = [row(value=10, revision=1), row(value=30, revision=3), row(value=20, revision=2), row(value=30, revision=3)]
    assert store.write(batch(*rows), HEAD) == WriteReport(accepted=1, kept=3)
    assert held(store) == [row(value=30, revision=3)]


def test_no_value_takes_the_older_number_and_its_index_away(store: ResultStore) -> None:
    store.write(batch(row(value=100, iaqi=8, level=1)), HEAD)
    nothing = row(revision=2, reason="incomplete", valid=10)
    assert store.write(batch(nothing), HEAD) == WriteReport(accepted=1)
    assert held(store) == [nothing]
    assert listed(store.slice(HOUR, T0)) == [nothing]


def test_taking_one_number_away_leaves_the_neighbours(store: ResultStore) -> None:
    neighbours = [
        row(site="S2", value=1), row(site="S1x", value=2), row(factor="PM10", value=3), row(window="8h", value=4),
        row(edition="HJ633-2026", value=5), row(start=T0 + 1, value=6), row(start=T0 - 1, value=7),
        row(factor="AQI", value=8),
    ]  # fmt: skip
    store.write(batch(row(value=100), *neighbours), HEAD)
    store.write(batch(row(revision=2, reason="silent")), HEAD)
    everything = [cells for site in ("S1", "S1x", "S2") for cells in held(store, site)]
    assert sorted(cells["value"] for cells in everything if cells["value"] is not None) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [cells["reason"] for cells in everything if cells["value"] is None] == ["silent"]


def _states() -> list[dict[str, Any]]:
    return numbered([row(value=100, iaqi=20), row(reason="incomplete"), row(value=70, iaqi=15)])


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_value_then_none_then_value_is_the_same_in_any_order(store: ResultStore, order: tuple[int, ...]) -> None:
    states = _states()
    for index in order:
        for _ in range(2):
            store.write(batch(states[index]), HEAD)
    assert held(store) == [states[-1]]


def test_each_state_redelivered_after_every_other_gives_the_same_table(store: ResultStore) -> None:
    for number, deliveries in enumerate(product(range(3), repeat=3)):
        states = [{**cells, "start": T0 + number * HOUR_MS} for cells in _states()]
        for index in deliveries:
            store.write(batch(states[index]), HEAD)
        expected = states[max(deliveries)]
        assert listed(store.slice(HOUR, T0 + number * HOUR_MS)) == [expected]


def test_value_then_none_ends_without_a_number_however_it_is_redelivered(store: ResultStore) -> None:
    value, nothing = numbered([row(value=100), row(reason="invalid")])
    for cells in (value, value, nothing, nothing, value, nothing, value):
        store.write(batch(cells), HEAD)
    assert held(store) == [nothing]


def test_editions_of_one_window_stand_side_by_side(store: ResultStore) -> None:
    rows = [row(factor="AQI", edition=name, value=n) for n, name in enumerate(["HJ633-2012", "HJ633-2026", ""])]
    store.write(batch(*rows), HEAD)
    assert listed(store.series("S1", "AQI", HOUR, *EVERYTHING)) == [rows[2], rows[0], rows[1]]


def test_a_series_is_sorted_by_start_and_leaves_out_the_end(store: ResultStore) -> None:
    rows = [row(start=T0 + n * HOUR_MS, value=n) for n in range(5)]
    store.write(batch(*reversed(rows)), HEAD)
    store.write(batch(row(factor="PM10"), row(window="8h"), row(site="S2")), HEAD)
    assert listed(store.series("S1", "PM2.5", HOUR, T0 + HOUR_MS, T0 + 4 * HOUR_MS)) == rows[1:4]
    assert listed(store.series("S1", "PM2.5", HOUR, T0 + HOUR_MS, T0 + HOUR_MS)) == []


def test_a_site_is_told_with_all_its_factors_and_windows_sorted_by_key(store: ResultStore) -> None:
    rows = [row(factor=f, window=w, start=T0 + n) for f in ("AQI", "O3", "PM2.5") for w in ("1h", "8h") for n in (0, 1)]
    store.write(batch(*reversed(rows), row(site="S2")), HEAD)
    assert held(store) == rows
    assert listed(store.site_rows("S1", T0 + 1, T0 + 2)) == [cells for cells in rows if cells["start"] == T0 + 1]


def test_a_slice_has_all_sites_and_factors_of_one_window(store: ResultStore) -> None:
    rows = [row(site=s, factor=f) for s in ("S1", "S2") for f in ("AQI", "O3")]
    store.write(batch(*rows, row(window="8h"), row(start=T0 + HOUR_MS)), HEAD)
    assert listed(store.slice(HOUR, T0)) == rows


def test_the_latest_start_is_told_per_window_and_an_old_row_does_not_move_it(store: ResultStore) -> None:
    store.write(batch(row(start=T0 + HOUR_MS), row(window="8h", start=T0 + 5 * HOUR_MS)), HEAD)
    store.write(batch(row(start=T0), row(start=T0 - 9999 * HOUR_MS, factor="AQI")), HEAD)
    assert store.latest(HOUR) == T0 + HOUR_MS
    assert store.latest("8h") == T0 + 5 * HOUR_MS
    assert store.latest("MDA8") is None
    store.write(batch(row(start=T0 + 2 * HOUR_MS, factor="AQI")), HEAD)
    assert store.latest(HOUR) == T0 + 2 * HOUR_MS


def test_the_kind_and_the_pack_of_a_result_can_be_asked(store: ResultStore) -> None:
    store.write(batch(row()), ResultHead(kind="air", pack="p1"))
    assert store.head_of("S1", "PM2.5", HOUR, T0, EDITION) == ResultHead(kind="air", pack="p1")
    store.write(batch(row(revision=2)), ResultHead(kind="air", pack="p0"))
    assert store.head_of("S1", "PM2.5", HOUR, T0, EDITION) == ResultHead(kind="air", pack="p0")
    assert store.head_of("S1", "PM2.5", HOUR, T0, "other") is None
    assert store.head_of("nobody", "PM2.5", HOUR, T0, EDITION) is None


def test_results_of_two_kinds_that_share_site_factor_and_window_stand_side_by_side(store: ResultStore) -> None:
    rivers, outfalls = row(site="county", factor="NH3-N", value=5), row(site="county", factor="NH3-N", value=6)
    store.write(batch(rivers), ResultHead(kind="water", pack="p"))
    later = outfalls | {"revision": 2}
    store.write(batch(later), ResultHead(kind="outfall", pack="p"))
    assert store.write(batch(rivers), ResultHead(kind="water", pack="p")) == WriteReport(accepted=1)
    assert listed(store.slice(HOUR, T0, "water")) == [rivers]
    assert listed(store.slice(HOUR, T0, "outfall")) == [later]


def test_of_equal_contents_under_two_packs_the_greater_name_stands(store: ResultStore) -> None:
    for pack in ("p2", "p1"):
        store.write(batch(row()), ResultHead(kind="air", pack=pack))
    assert store.head_of("S1", "PM2.5", HOUR, T0, EDITION) == ResultHead(kind="air", pack="p2")


@pytest.mark.parametrize("text", AWKWARD)
def test_awkward_names_and_texts_come_back_and_touch_nothing_else(store: ResultStore, text: str) -> None:
    bystander = row(site="bystander", value=1)
    awkward = row(
        site=text, factor=text, window=text, edition=text, reason=text, detail=text, primary=text, value=100, iaqi=3
    )
    store.write(batch(bystander, awkward), ResultHead(kind=text, pack=text))
    assert listed(store.series(text, text, text, *EVERYTHING)) == [awkward]
    assert listed(store.slice(text, T0)) == [awkward]
    assert store.latest(text) == T0
    assert store.head_of(text, text, text, T0, text) == ResultHead(kind=text, pack=text)
    nothing = {**awkward, "value": None, "iaqi": None, "revision": 2}
    store.write(batch(nothing), ResultHead(kind=text, pack=text))
    assert held(store, text) == [nothing]
    assert held(store, "bystander") == [bystander]


def test_rows_that_no_store_can_hold_are_rejected_and_the_others_stand(store: ResultStore) -> None:
    bad = [
        row(site=None),
        row(revision=None),
        row(start=LATEST_MS + 1),
        row(start=EARLIEST_MS - 1),
        row(at=2**62),
        row(site="鉴" * NAME_BYTES),
        row(detail="x" * (TEXT_BYTES + 1)),
    ]
    good = [row(site="S2", value=2), row(start=LATEST_MS), row(start=EARLIEST_MS)]
    report = store.write(batch(good[0], *bad, *good[1:]), HEAD)
    assert (report.accepted, report.kept) == (3, 0)
    assert [rejected.why for rejected in report.rejected] == [
        "site is missing",
        "revision is missing",
        "start is outside of what a store can hold",
        "start is outside of what a store can hold",
        "at is outside of what a store can hold",
        f"site is longer than {NAME_BYTES} bytes",
        f"detail is longer than {TEXT_BYTES} bytes",
    ]
    assert [listed(rejected.row) for rejected in report.rejected] == [[cells] for cells in bad]
    assert listed(store.slice(HOUR, T0)) == [good[0]]
    assert listed(store.series("S1", "PM2.5", HOUR, EARLIEST_MS, LATEST_MS)) == [good[2]]
    assert listed(store.slice(HOUR, LATEST_MS)) == [good[1]]


def test_other_columns_are_refused(store: ResultStore) -> None:
    with pytest.raises(ValueError, match="not those of a result"):
        store.write(batch(row()).select(["site"]), HEAD)


def test_the_clock_is_the_slowest_partitions_greatest_tick(store: ResultStore) -> None:
    store.note_tick("air", 0, 1_000, 5)
    assert store.clock() == Clock(kind="air", at_ms=1_000, wall_ms=5, partition=0)
    store.note_tick("air", 1, 900, 6)
    assert store.clock() == Clock(kind="air", at_ms=900, wall_ms=6, partition=1)
    store.note_tick("air", 1, 2_000, 7)
    assert store.clock() == Clock(kind="air", at_ms=1_000, wall_ms=5, partition=0)


def test_a_tick_that_is_not_greater_changes_nothing(store: ResultStore) -> None:
    store.note_tick("air", 0, 1_000, 5)
    store.note_tick("air", 0, 1_000, 6)
    store.note_tick("air", 0, 999, 7)
    assert store.clock() == Clock(kind="air", at_ms=1_000, wall_ms=5, partition=0)


def test_a_kind_that_lags_is_told_beside_one_that_does_not(store: ResultStore) -> None:
    assert store.clocks() == ()
    store.note_tick("water", 0, 500, 1)
    for partition, at in ((0, 1_000), (1, 900)):
        store.note_tick("air", partition, at, 2)
    lagging = Clock(kind="water", at_ms=500, wall_ms=1, partition=0)
    assert store.clocks() == (Clock(kind="air", at_ms=900, wall_ms=2, partition=1), lagging)
    assert store.clock() == lagging


def test_many_ticks_are_noted_as_each_alone(store: ResultStore) -> None:
    newer, older = (Clock(kind="air", at_ms=at, wall_ms=at + 1, partition=0) for at in (9, 5))
    other = Clock(kind="voc", at_ms=7, wall_ms=8, partition=3)
    store.note_ticks([newer, other, older])
    store.note_ticks([])
    assert store.clocks() == (newer, other)


def test_a_fresh_look_changes_nothing(store: ResultStore) -> None:
    store.write(batch(row(value=100, revision=2)), HEAD)
    store.refresh()
    assert store.write(batch(row(value=1)), HEAD) == WriteReport(kept=1)
    store.refresh()
    assert store.write(batch(row(revision=3)), HEAD) == WriteReport(accepted=1)
    assert held(store) == [row(revision=3)]


def test_records_outrank_by_revision_then_tick_then_content() -> None:
    first, later, next_revision = (
        records_of(batch(cells), HEAD)[0]
        for cells in (row(value=9), row(value=1, at=T0 + 2 * HOUR_MS), row(revision=2, at=0))
    )
    assert outranks(later, first)
    assert outranks(next_revision, later)
    assert not outranks(first, first)


def test_records_and_tables_are_the_same_rows() -> None:
    rows = batch(row(site="S2", value=3), row(inputs=0, iaqi=2))
    table = table_of(records_of(rows, HEAD))
    assert listed(table) == [row(inputs=0, iaqi=2), row(site="S2", value=3)]


def test_a_batch_without_doubles_is_left_as_it_is() -> None:
    rows = batch(row(), row(site="S2"))
    assert greatest(rows, HEAD)[0] is rows
    assert sift(rows)[0] is rows


def test_a_sliced_batch_is_read_from_its_own_rows_only(store: ResultStore) -> None:
    rows = batch(row(site="S1"), row(site="S2", value=4), row(site="S3"))
    store.write(rows.slice(1, 1), HEAD)
    assert listed(store.slice(HOUR, T0)) == [row(site="S2", value=4)]
    assert isinstance(rows, pa.RecordBatch)


def test_a_dictionary_with_doubles_or_nulls_deceives_no_store(store: ResultStore) -> None:
    rows = batch(row(value=1), row(value=2, revision=2), row(value=3))
    names = pa.array(["S1", "S1", None, "unused"])
    site = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2], pa.int32()), names)
    report = store.write(rows.set_column(0, RESULT_SCHEMA.field("site"), site), HEAD)
    assert (report.accepted, report.kept) == (1, 1)
    assert [rejected.why for rejected in report.rejected] == ["site is missing"]
    assert held(store) == [row(value=2, revision=2)]


def test_a_slice_of_one_kind_of_readings_leaves_the_others_out(store: ResultStore) -> None:
    store.write(batch(row(site="S1")), HEAD)
    store.write(batch(row(site="W1")), ResultHead(kind="water", pack="p"))
    assert [one["site"] for one in listed(store.slice(HOUR, T0))] == ["S1", "W1"]
    assert [one["site"] for one in listed(store.slice(HOUR, T0, "water"))] == ["W1"]
    assert store.slice(HOUR, T0, "soil' OR 1=1 --").num_rows == 0


def test_rows_of_a_site_can_be_asked_for_some_windows_alone(store: ResultStore) -> None:
    store.write(batch(*[row(window=window) for window in (HOUR, "24h", "year")]), HEAD)
    asked = [listed(store.site_rows("S1", *EVERYTHING, windows)) for windows in (["24h", "year"], [HOUR], ["no"], [])]
    assert [[one["window"] for one in rows] for rows in asked] == [["24h", "year"], [HOUR], [], [HOUR, "24h", "year"]]


def test_rows_of_an_area_can_be_asked_for_one_kind_of_readings(store: ResultStore) -> None:
    store.write(batch(row(site="park", factor="good_share")), HEAD)
    store.write(batch(row(site="park", factor="class")), ResultHead(kind="water", pack="p"))
    assert [one["factor"] for one in listed(store.site_rows("park", *EVERYTHING, (HOUR,), "water"))] == ["class"]
    assert [one["factor"] for one in listed(store.site_rows("park", *EVERYTHING, kind="water"))] == ["class"]
    assert store.site_rows("park", *EVERYTHING).num_rows == 2
