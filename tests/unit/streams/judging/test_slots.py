from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.flags import FLAG_USES, Mark
from sensors.frames import Frame, Origin
from streams.air.index import FACTORS
from streams.judging import slots
from tests.air_cases import AIR, T0, Row, frame, row

SO2 = FACTORS.index("SO2")


def key(one: Row, origin: Origin = Origin.DEVICE) -> int:
    """Return the SO2 key of one packet."""
    return int(slots.keys_of(frame([one], origin=origin), AIR)[0, SO2])


def so2(value: float = 8, **more: object) -> Row:
    return row("A", T0, SO2=value, **more)  # type: ignore[arg-type]


def flagged(letter: str | None, value: int | None = 800) -> Row:
    values = tuple(value if f == "SO2" else None for f in FACTORS)
    return Row(site="A", start=T0, values=values, flags=tuple(letter if f == "SO2" else None for f in FACTORS))


def array(*keys: int) -> slots.Keys:
    return np.array(keys, dtype=np.int64)


def test_origin_comes_before_correction_correction_before_receipt_and_receipt_before_value() -> None:
    late, early = T0 + 90 * MINUTE_MS, T0 + 60 * MINUTE_MS
    rising = [
        key(so2(9, received=early)),
        key(so2(8, received=late)),
        key(so2(9, received=late)),
        key(so2(7, received=early, correction=1)),
        key(so2(6, received=early), Origin.REPORTED),
        key(so2(5, received=early), Origin.LABORATORY),
        key(so2(4, received=early), Origin.PERSON),
    ]
    assert rising == sorted(set(rising))


def test_receipt_is_told_apart_to_the_minute_only() -> None:
    assert key(so2(received=T0 + HOUR_MS)) == key(so2(received=T0 + HOUR_MS + MINUTE_MS - 1))
    assert key(so2(received=T0 + HOUR_MS)) < key(so2(received=T0 + HOUR_MS + MINUTE_MS))


@pytest.mark.parametrize(
    ("given", "counted"),
    [
        ({"received": T0 - HOUR_MS}, {"received": T0}),
        ({"received": T0 + 10_000 * HOUR_MS}, {"received": T0 + 8191 * MINUTE_MS}),
        ({"correction": -5}, {"correction": 0}),
        ({"correction": 9999}, {"correction": 255}),
    ],
    ids=["received before it began", "received a year later", "negative correction", "correction over 255"],
)
def test_what_does_not_fit_into_a_key_counts_as_the_nearest_that_does(
    given: dict[str, int], counted: dict[str, int]
) -> None:
    assert key(so2(**given)) == key(so2(**counted))


@pytest.mark.parametrize("value", [0, 1, -1, 2**31 - 1, -(2**31) + 1])
def test_a_value_comes_out_of_its_key_as_it_went_in(value: int) -> None:
    made = array(key(flagged("N", value)))
    assert slots.values_of(made)[0] == value
    assert slots.has_value(made)[0]
    assert made[0] > 0


def test_zero_is_a_measurement_and_null_is_none() -> None:
    assert slots.counts(array(key(flagged("N", 0))))[0]
    assert key(flagged(None, None)) == 0


@pytest.mark.parametrize("begin", [0, 1, 7, 8, 13])
def test_a_part_of_a_frame_gives_the_keys_of_its_own_rows(begin: int) -> None:
    chance = np.random.default_rng(begin)
    given = [
        flagged(*chance.choice(np.array([["N", 800], ["C", None], [None, 0], [None, None]], dtype=object)))
        for _ in range(30)
    ]
    whole = frame(given)
    part = Frame(head=whole.head, rows=whole.rows.slice(begin, 11))
    assert slots.keys_of(part, AIR)[:, SO2].tolist() == [key(one) for one in given[begin : begin + 11]]


def test_what_lies_in_memory_under_a_null_does_not_count() -> None:
    made = frame([flagged("N", 800)])
    place = made.rows.schema.get_field_index("SO2")
    gone = pa.Array.from_buffers(pa.int32(), 1, [pa.py_buffer(b"\0"), pa.array([777], pa.int32()).buffers()[1]])
    rows = made.rows.set_column(place, made.rows.schema.field(place), gone)
    assert slots.keys_of(Frame(head=made.head, rows=rows), AIR)[0, SO2] == key(flagged("N", None))


def test_a_flag_without_a_value_is_kept_as_a_reason_and_counts_nothing() -> None:
    made = array(key(flagged("C", None)))
    assert made[0] != 0
    assert not slots.has_value(made)[0]
    assert not slots.counts(made)[0]
    assert slots.marks_of(made)[0] == Mark.CALIBRATION


@pytest.mark.parametrize("use", FLAG_USES, ids=lambda use: use.letter)
def test_each_flag_enters_the_mean_or_leaves_its_mark_by_the_table(use: object) -> None:
    letter, in_mean, mark = use.letter, use.in_mean, use.mark  # type: ignore[attr-defined]
    made = array(key(flagged(letter)))
    assert slots.counts(made)[0] == in_mean
    assert slots.marks_of(made)[0] == mark


@pytest.mark.parametrize("letter", [None, "?", "n", "\x01"])
def test_no_flag_or_an_unknown_one_stays_in_the_mean_and_is_suspect(letter: str | None) -> None:
    made = array(key(flagged(letter)))
    assert slots.counts(made)[0]
    assert slots.marks_of(made)[0] == Mark.UNFLAGGED | Mark.SUSPECT


def test_an_empty_slot_has_no_value_no_mark_and_counts_nothing() -> None:
    empty = array(0)
    assert not slots.has_value(empty)[0]
    assert not slots.counts(empty)[0]
    assert slots.marks_of(empty)[0] == 0


def test_a_factor_that_the_frame_lacks_says_nothing_and_one_too_many_is_passed_over() -> None:
    whole = frame([row("A", T0, SO2=8, O3=90)])
    narrow = Frame(head=whole.head, rows=whole.rows.drop_columns(["O3", "O3.flag"]))
    keys = slots.keys_of(narrow, AIR)[0]
    assert [bool(k) for k in keys] == [False, False, True, False, False, False]
    assert slots.keys_of(whole, {"O3": AIR["O3"]}).shape == (1, 1)


def test_content_is_everything_but_the_time_of_receipt() -> None:
    def content(one: Row, origin: Origin = Origin.DEVICE) -> int:
        return int(slots.content_of(array(key(one, origin)))[0])

    base = content(so2(received=T0 + HOUR_MS))
    assert content(so2(received=T0 + 2 * HOUR_MS)) == base
    others = {
        content(so2(9, received=T0)), content(so2(correction=1)), content(flagged("C")), content(so2(), Origin.PERSON),
    }  # fmt: skip
    assert base not in others
    assert len(others) == 4


def test_folding_keeps_the_greatest_of_each_slot_and_tells_which_rows_were_new() -> None:
    target = np.array([[5, 5], [0, 0], [7, 7]], dtype=np.int64)
    changed = slots.fold_unique(target, np.array([0, 2]), np.array([[4, 6], [7, 7]], dtype=np.int64))
    assert target.tolist() == [[5, 6], [0, 0], [7, 7]]
    assert changed.tolist() == [True, False]


def test_rows_of_one_slot_in_one_frame_are_folded_all() -> None:
    target = np.zeros((2, 1), dtype=np.int64)
    index = np.array([1, 1, 0, 1])
    changed = slots.fold_unique(target, index, np.array([[3], [9], [1], [2]], dtype=np.int64))
    assert target.tolist() == [[1], [9]]
    assert changed.tolist() == [True] * 4
    assert not slots.fold_unique(target, index, np.array([[3], [9], [1], [2]], dtype=np.int64)).any()


def test_slots_in_any_order_are_folded_alike() -> None:
    keys = np.arange(8, dtype=np.int64)[:, None] + 1
    upward, mixed = np.zeros((8, 1), dtype=np.int64), np.zeros((8, 1), dtype=np.int64)
    order = np.array([3, 0, 7, 1, 6, 2, 5, 4])
    slots.fold_unique(upward, np.arange(8), keys)
    slots.fold_unique(mixed, order, keys[order])
    assert (upward == mixed).all()


def test_nothing_folds_into_nothing() -> None:
    target = np.zeros((2, 1), dtype=np.int64)
    assert slots.fold_unique(target, np.zeros(0, np.intp), np.zeros((0, 1), np.int64)).size == 0
