"""Questions in Flux: what comes from outside stays a literal."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.store.contract import EARLIEST_MS, LATEST_MS
from streams.store.flux import clock_query, flux_string, flux_time, latest_query, results_query
from streams.store.schema import Tag

_LITERAL = re.compile(r'"(?:[^"\\\x00-\x1f$]|\\"|\\x24)*"')


@given(st.text())
def test_a_string_is_one_literal_without_interpolation(text: str) -> None:
    assert _LITERAL.fullmatch(flux_string(text))


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("S1", '"S1"'),
        ('") |> drop() //', '"\\") |> drop() //"'),
        ("${r.site}", '"\\x24{r.site}"'),
        ('\\") or true //', '"%5C\\") or true //"'),
        ("a\nb", '"a%0Ab"'),
        ("", '"%"'),
    ],
)
def test_injections_are_names_and_nothing_else(text: str, literal: str) -> None:
    assert flux_string(text) == literal


@pytest.mark.parametrize("hostile", ['x") |> to(bucket: "other") //', "${die}", '\\"', '"))'])
def test_no_question_can_be_broken_out_of(hostile: str) -> None:
    calm = results_query("b", 0, 1, {Tag.SITE: ["calm"], Tag.PERIOD: ["calm"]})
    wild = results_query("b", 0, 1, {Tag.SITE: [hostile], Tag.PERIOD: [hostile]})
    assert _LITERAL.sub("", wild) == _LITERAL.sub("", calm)
    assert _LITERAL.sub("", latest_query(hostile, hostile)).count("|>") == latest_query("b", "1h").count("|>")
    assert clock_query(hostile).startswith("from(bucket: " + flux_string(hostile).replace("%5C", "\\\\"))


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (1_480_000_000_001, "2016-11-24T15:06:40.001Z"),
        (EARLIEST_MS, "1677-09-21T00:13:43.146Z"),
        (LATEST_MS + 1, "2262-04-11T23:46:16.855Z"),
        (2**63, "2262-04-11T23:46:16.855Z"),
        (-(2**63), "1677-09-21T00:13:43.146Z"),
    ],
)
def test_a_time_is_a_literal_within_what_influxdb_can_tell(ms: int, text: str) -> None:
    assert flux_time(ms) == text


def test_several_names_of_one_tag_are_alternatives() -> None:
    asked = results_query("b", 0, 1, {Tag.SITE: ["a", "b"]})
    assert '|> filter(fn: (r) => r.site == "a" or r.site == "b")' in asked
