"""Results as line protocol, and texts in the form in which InfluxDB holds them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.results import ResultHead
from streams.store.lines import clock_line, decode_text, encode_name, encode_text, lines_of, point_predicate
from tests.unit.streams.store.samples import HEAD, T0, batch, row


def test_a_result_is_one_line_with_every_field() -> None:
    cells = row(value=3525, iaqi=50, level=1, primary="O3", revision=2, inputs=2**64 - 1, flags=3, at=T0 + 5)
    [line] = lines_of(batch(cells), HEAD)
    assert line == (
        "window,kind=air,site=S1,factor=PM2.5,period=1h,edition=HJ633-2012 valid=1i,value=35.25,fixed=3525i,"
        'valid_count=60i,expected=60i,reason="",detail="",flags=3i,iaqi=50i,level=1i,primary="O3",revision=2i,'
        f'record="2\t{T0 + 5}\t3525\t2\t60\t60\t\t\t3\t50\t1\tO3\t18446744073709551615\tpack-1" {T0}'
    )


def test_without_a_value_the_point_says_so_and_has_no_number() -> None:
    [line] = lines_of(batch(row(reason="silent", valid=0)), HEAD)
    assert " valid=0i,valid_count=0i," in line
    assert 'reason="silent"' in line
    for absent in (",value=", ",fixed=", ",iaqi=", ",level="):
        assert absent not in line


def test_an_index_goes_to_its_own_measurement() -> None:
    lines = lines_of(batch(row(factor="AQI"), row(factor="O3")), HEAD)
    assert [line.partition(",")[0] for line in lines] == ["index", "window"]


def test_no_rows_are_no_lines() -> None:
    assert lines_of(batch(), HEAD) == []


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(0, 2, "0"), (-5, 1, "-0.5"), (1, 3, "0.001"), (123456, 3, "123.456"), (7, 0, "7"), (10**17, 2, "1e+15")],
)
def test_the_float_is_the_fixed_number_in_its_unit(value: int, digits: int, text: str) -> None:
    [line] = lines_of(batch(row(value=value, digits=digits)), HEAD)
    written = line.split(",value=")[1].partition(",")[0]
    assert float(written) == float(text)
    assert f",fixed={value}i," in line


def test_names_cannot_leave_their_place() -> None:
    bad = 'a b,c=d"e\\\nwindow,site=x value=1 1'
    [line] = lines_of(batch(row(site=bad, detail=bad, edition="")), ResultHead(kind=bad, pack=bad))
    assert "\n" not in line
    assert "\\\\" not in line
    tag = 'a\\ b\\,c\\=d"e%5C%0Awindow\\,site\\=x\\ value\\=1\\ 1'
    assert line.startswith(f"window,kind={tag},site={tag},factor=")
    assert ",edition=% " in line
    assert 'detail="a b,c=d\\"e%5C%0Awindow,site=x value=1 1"' in line


@given(st.text())
def test_a_text_comes_back_and_holds_nothing_that_line_protocol_minds(text: str) -> None:
    assert decode_text(encode_text(text)) == text
    assert decode_text(encode_name(text)) == text
    assert encode_name(text)
    assert not {"\\", "\n", "\r", "\t", "\x00"} & set(encode_name(text))


@given(st.text(), st.text())
def test_two_names_are_never_held_as_one(first: str, second: str) -> None:
    assert (encode_name(first) == encode_name(second)) == (first == second)


def test_ordinary_names_are_held_as_they_are() -> None:
    for name in ("330602001A", "PM2.5", "鉴湖 站", "HJ633-2026", "a;b"):
        assert encode_name(name) == name


def test_a_tick_is_one_line_at_time_0() -> None:
    assert clock_line("air", 3, 10, 20) == "clock,kind=air,partition=3 at=10i,wall=20i 0"


def test_a_predicate_names_exactly_one_series() -> None:
    told = point_predicate('S" OR site="S2', "air", "AQI", "1h", "")
    assert told == (
        '_measurement="index" AND site="S\\" OR site=\\"S2" AND kind="air" AND factor="AQI" AND period="1h" '
        'AND edition="%"'
    )
