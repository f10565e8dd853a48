from __future__ import annotations

import numpy as np
import pytest

from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.factors import load_factors
from sensors.frames import frame_schema
from simulators.sheet import Sheet, batch_of, rows_of, sheet_of
from tests.region_cases import NOVEMBER, flags, shangyu, texts, times, values

SITES = shangyu().entries("SYN-OR01") + shangyu().entries("SYN-OR02")
FIRST = NOVEMBER // MINUTE_MS


def sheet() -> Sheet:
    minutes = FIRST + 10 * np.arange(3, dtype=np.int64)[:, np.newaxis]
    cod = np.array([[1.0, 2.0], [np.nan, 3.04], [5.0, 6.0]])
    return sheet_of("outfall", SITES, minutes, period=10, values={"COD": cod})


def test_a_value_that_cannot_be_is_no_value_with_a_flag() -> None:
    batch = batch_of(sheet(), ["SYN-OR01", "SYN-OR02"], 1)
    assert batch.schema == frame_schema(load_factors("outfall"))
    assert batch.column("COD").null_count == 1
    assert flags(batch, "COD").tolist() == [ord(letter) for letter in "NNFNNN"]
    assert np.nan_to_num(values(batch, "COD", "outfall")).tolist() == [1.0, 2.0, 0.0, 3.04, 5.0, 6.0]


def test_a_factor_that_is_not_said_has_neither_value_nor_flag() -> None:
    batch = batch_of(sheet(), ["SYN-OR01", "SYN-OR02"], 1)
    assert batch.column("TN").null_count == batch.column("TN.flag").null_count == 6


def test_rows_come_by_time_and_site_and_are_received_after_their_interval() -> None:
    batch = batch_of(sheet(), ["SYN-OR01", "SYN-OR02"], 1)
    assert texts(batch).tolist() == ["SYN-OR01", "SYN-OR02"] * 3
    delay = times(batch, "received") - times(batch) - 10 * MINUTE_MS
    assert 500 <= delay.min() <= delay.max() < 4000


def test_what_is_not_sent_has_no_row() -> None:
    made = sheet()
    made.sent[1] = False
    batch = batch_of(made, ["SYN-OR01", "SYN-OR02"], 1)
    assert times(batch).tolist() == [NOVEMBER] * 2 + [NOVEMBER + 20 * MINUTE_MS] * 2


def test_packets_of_a_later_time_are_received_then_with_their_correction() -> None:
    batch = batch_of(sheet(), ["A", "SYN-OR01", "SYN-OR02"], 1, sent_ms=NOVEMBER + HOUR_MS, correction=1)
    assert set(times(batch, "received") // MINUTE_MS) == {FIRST + 60}
    assert set(batch.column("correction").to_pylist()) == {1}
    assert batch.column("site").dictionary.to_pylist() == ["A", "SYN-OR01", "SYN-OR02"]


@pytest.mark.parametrize(
    ("start", "end", "rows"), [(0, None, [0, 3]), (0, 10, [0, 1]), (1, 20, [1, 2]), (25, None, [3, 3]), (20, 5, [2, 2])]
)
def test_rows_are_found_by_the_beginning_of_their_interval(start: int, end: int | None, rows: list[int]) -> None:
    found = rows_of(NOVEMBER + start * MINUTE_MS, None if end is None else NOVEMBER + end * MINUTE_MS, sheet())
    assert [found.start, found.stop] == rows
