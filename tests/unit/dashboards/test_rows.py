from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.rows import Row, by_factor, marks_of, rows_of, written
from sensors.flags import Mark
from tests.unit.dashboards.building import row, table


def one(**other: object) -> Row:
    return rows_of(table([row(**other)]), lambda _: "HJ633-2026")[0]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "digits", "decimals", "text"),
    [
        (None, 2, 0, ""),
        (0, 2, 0, "0"),
        (3500, 2, 0, "35"),
        (3550, 2, 0, "36"),
        (3450, 2, 0, "34"),
        (3451, 2, 0, "35"),
        (805, 3, 1, "0.8"),
        (850, 3, 1, "0.8"),
        (950, 3, 1, "1.0"),
        (-50, 2, 1, "-0.5"),
        (-5, 2, 1, "0.0"),
        (7, 0, 2, "7.00"),
        (99_999, 3, 1, "100.0"),
    ],
)
def test_a_number_is_written_with_the_digits_of_the_standard(
    value: int | None, digits: int, decimals: int, text: str
) -> None:
    assert written(value, digits, decimals) == text


@given(value=st.integers(-(10**9), 10**9), digits=st.integers(0, 5))
def test_all_digits_give_the_number_back(value: int, digits: int) -> None:
    assert round(float(written(value, digits, digits)) * 10**digits) == value


def test_rows_of_another_edition_are_for_comparison_and_left_out() -> None:
    both = table([row(value=10), row(value=10, edition="HJ633-2012")])
    assert [found.edition for found in rows_of(both, lambda _: "HJ633-2012")] == ["HJ633-2012"]


def test_before_the_first_edition_every_row_stays() -> None:
    assert len(rows_of(table([row(value=10, edition="")]), lambda _: None)) == 1


def test_an_empty_table_has_no_rows() -> None:
    assert rows_of(table([]), lambda _: "HJ633-2026") == []


def test_times_are_milliseconds() -> None:
    made = row(value=10)
    found = one(value=10)
    assert (found.start, found.at) == (made["start"], made["at"])


def test_marks_are_named_in_the_order_of_their_bits() -> None:
    assert marks_of(int(Mark.CALIBRATION | Mark.SUSPECT)) == ("SUSPECT", "CALIBRATION")
    assert marks_of(0) == ()


def test_only_the_mark_makes_a_row_suspect() -> None:
    assert one(value=10, flags=int(Mark.SUSPECT)).suspect
    assert not one(value=10, flags=int(Mark.CALIBRATION)).suspect


@pytest.mark.parametrize(
    ("value", "reason", "came"),
    [
        (0, "", True),
        (None, "silent", False),
        (None, "calibrating", True),
        (None, "not_in_plan", False),
        (None, "no_item", True),
    ],
)
def test_a_row_says_whether_anything_came(value: int | None, reason: str, came: bool) -> None:  # noqa: FBT001
    assert one(value=value, reason=reason).came is came


def test_an_index_is_a_whole_number() -> None:
    assert one(factor="AQI", value=87).whole == 87
    assert one(factor="AQI", value=None).whole is None


def test_rows_are_found_by_site_and_factor() -> None:
    rows = rows_of(table([row("SO2", 5), row("O3", 90), row("O3", 91, site="B")]), lambda _: "HJ633-2026")
    assert {key: sorted(value) for key, value in by_factor(rows).items()} == {"A": ["O3", "SO2"], "B": ["O3"]}
