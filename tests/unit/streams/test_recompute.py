"""Past days judged again: which days may be asked for, what is said, and as which revision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from sensors.clock import DAY_MS, HOUR_MS
from sensors.frames import Frame, FrameHead, Recompute, frame_schema
from streams.recompute import (
    AFTER_DAYS,
    BEFORE_DAYS,
    day_start_ms,
    judged_again,
    last_settled_day,
    newest,
    revised,
    slices,
    span_ms,
)
from streams.results import RESULT_SCHEMA

DAY = 20_000
T0 = day_start_ms(DAY)
AT = T0 + 30 * DAY_MS
REQUEST = Recompute(id="r", sites=(), first_day=DAY, last_day=DAY + 1, author="a", why="w")


def row(start: int = T0, **changes: Any) -> dict[str, Any]:
    return {
        "site": "S", "factor": "PM2.5", "window": "1h", "start": start, "edition": "", "value": 3_500, "digits": 2,
        "valid": 60, "expected": 60, "reason": "", "detail": "", "flags": 0, "iaqi": 50, "level": None, "primary": "",
        "revision": 1, "inputs": 2**63 + 5, "at": start + HOUR_MS,
    } | changes  # fmt: skip


def batch(*rows: dict[str, Any]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(list(rows), schema=RESULT_SCHEMA)


def table(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_batches([batch(*rows)])


def frame(*starts: int) -> Frame:
    blank = {"site": "S", "received": 0, "correction": 0, "other": None, "CO": 1, "CO.flag": 78}
    rows = pa.RecordBatch.from_pylist([{**blank, "start": start} for start in starts], schema=frame_schema(["CO"]))
    return Frame(head=FrameHead(kind="air", period_ms=60_000, source="s", sequence=1), rows=rows)


class Recorder:
    """A judge that says at each tick how many readings it was given, stamped with the day that ends."""

    def __init__(self) -> None:
        self.ticks: list[int] = []
        self.taken: list[int] = []

    def fold(self, frame: Frame) -> Sequence[object]:
        self.taken += frame.rows.column("start").cast(pa.int64()).to_pylist()
        return ()

    def tick(self, at: int) -> pa.RecordBatch | None:
        self.ticks.append(at)
        if len(self.ticks) == 1:
            return None
        return batch(row(at - DAY_MS - 300_000, value=len(self.taken)))


@pytest.mark.parametrize(
    ("clock", "last"),
    [
        (T0 + 3 * DAY_MS, DAY - 2),  # the late span reaches the day's first moment: the day before may still be touched
        (T0 + 3 * DAY_MS - 1, DAY - 3),
        (T0 + 4 * DAY_MS, DAY - 1),
    ],
)
def test_only_days_that_the_live_judge_and_its_running_windows_left_behind_are_settled(clock: int, last: int) -> None:
    assert last_settled_day(clock, 72) == last


@pytest.mark.parametrize(
    ("first", "last", "days", "expected"),
    [
        (1, 1, 5, ((1, 1),)),
        (1, 5, 5, ((1, 5),)),
        (1, 6, 5, ((1, 5), (6, 6))),
        (2, 1, 5, ()),
    ],
)
def test_a_span_is_cut_into_slices(first: int, last: int, days: int, expected: tuple[tuple[int, int], ...]) -> None:
    assert slices(first, last, days) == expected


def test_readings_are_needed_from_days_before_to_a_day_after() -> None:
    assert span_ms(REQUEST) == (T0 - BEFORE_DAYS * DAY_MS, T0 + (2 + AFTER_DAYS) * DAY_MS)


def test_the_judge_lives_through_the_days_in_order_whatever_order_readings_have() -> None:
    judge = Recorder()
    begin, end = span_ms(REQUEST)
    frames = [frame(T0 + DAY_MS, begin), frame(begin - 1, T0, end - 1, end), frame(T0)]
    judged_again(judge, frames, REQUEST, grace_ms=300_000)
    assert judge.taken == [begin, T0, T0, T0 + DAY_MS, end - 1]
    assert judge.ticks == [begin, *(day + DAY_MS + 300_000 for day in range(begin, end, DAY_MS))]


def test_windows_before_the_days_are_not_said_and_those_that_reach_back_to_them_are() -> None:
    said = judged_again(Recorder(), [], REQUEST, grace_ms=300_000)
    starts = [rows.column("start")[0].value for rows in said]
    assert starts == [T0, T0 + DAY_MS, T0 + 2 * DAY_MS]


def test_an_equal_window_is_not_said_again() -> None:
    assert revised([batch(row(revision=1, at=AT))], table(row(revision=4)), AT) is None


def test_nothing_made_says_nothing() -> None:
    assert revised([], table(row()), AT) is None


@pytest.mark.parametrize(
    "change",
    [
        {"value": 3_600},
        {"value": None, "reason": "incomplete"},
        {"iaqi": None},
        {"level": 2},
        {"inputs": 1},
        {"flags": 1},
        {"detail": "x"},
    ],
)
def test_any_other_content_is_the_next_revision(change: dict[str, Any]) -> None:
    said = revised([batch(row(**change))], table(row(revision=2), row(revision=3), row(revision=1)), AT)
    assert said is not None
    assert said.to_pylist() == batch(row(revision=4, at=AT, **change)).to_pylist()


def test_a_window_that_nobody_said_begins_at_revision_one() -> None:
    said = revised([batch(row(), row(T0 + HOUR_MS))], table(row()), AT)
    assert said is not None
    assert said.to_pylist() == batch(row(T0 + HOUR_MS, at=AT)).to_pylist()


def test_it_is_compared_with_the_greatest_revision_that_stands() -> None:
    held = table(row(revision=1, value=1), row(revision=2, value=3_500))
    assert revised([batch(row())], held, AT) is None
    assert revised([batch(row(value=1))], held, AT) is not None


def test_of_a_window_judged_twice_the_last_counts() -> None:
    made = [batch(row(value=1, revision=1)), batch(row(value=2, revision=2))]
    said = revised(made, table(row(value=9)), AT)
    assert said is not None
    assert said.column("value").to_pylist() == [2]


def test_the_rows_come_in_the_order_of_their_keys_whatever_order_they_were_made_in() -> None:
    rows = [row(site=site, start=T0 + hour * HOUR_MS) for site in "BA" for hour in (2, 0, 1)]
    one = revised([batch(*rows)], table(), AT)
    other = revised([batch(each) for each in reversed(rows)], table(), AT)
    assert one is not None
    assert other is not None
    assert one.to_pylist() == other.to_pylist()
    assert [(r["site"], r["start"]) for r in one.to_pylist()] == sorted(
        (r["site"], r["start"]) for r in one.to_pylist()
    )


def test_the_newest_of_no_rows_is_no_row() -> None:
    assert newest(table()).num_rows == 0
