from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest

from sensors.clock import BEIJING, HOUR_MS, MINUTE_MS, hour_ending, ms_of
from sensors.deadletters import DeadLetter, Refusal
from sensors.factors import load_factors
from sensors.frames import frame_schema
from sensors.intake import Delivery, Taken, TextBlock, take
from sensors.layouts import CSV, PRSA, Copies, Label, Layout
from sensors.registry import Registry, parse_registry
from sensors.yamlfile import parse_yaml

FACTORS = load_factors("air")
RECEIVED = ms_of(datetime(2016, 12, 31, tzinfo=BEIJING))
DELIVERY = Delivery(source="test", received_ms=RECEIVED)
SITE = """
  - id: {id}
    name: {{zh: 站, en: station}}
    class: urban
    lon: 116.4
    lat: 39.9
    county: 东城区
    zone: 2
    period: hour
    origin: document
    source: made for a test
    from: {start}
    {more}
"""


def registry() -> Registry:
    sites = SITE.format(id="A", start="2013-01-01", more="to: 2016-12-24")
    sites += SITE.format(id="B", start="2016-01-01", more="")
    sites += SITE.format(id="A", start="2016-12-27", more="")
    return parse_registry(parse_yaml("region: {zh: 区, en: region}\nsynthetic: false\nsites:" + sites, "r.yaml"))


def block(columns: Mapping[str, Sequence[str | None]], number: int = 0) -> TextBlock:
    table = pa.table({name: pa.array(cells, pa.utf8()) for name, cells in columns.items()})
    return TextBlock(file="a.csv", columns=table, lines=np.arange(len(table)) + 2, number=number)


def taken(columns: Mapping[str, Sequence[str | None]], layout: Layout = CSV, number: int = 0) -> Taken:
    return take(block(columns, number), layout, registry=registry(), factors=FACTORS, delivery=DELIVERY)


def one(column: str, text: str, layout: Layout = CSV) -> tuple[int | None, int | None, tuple[DeadLetter, ...]]:
    """Return value, flag and letters of one cell, beside a good one of another factor."""
    other = "NO2" if column.startswith(("CO", "O3", "PM", "SO2")) else "SO2"
    found = taken({"time": ["2016-12-20 08:00"], "site": ["B"], column: [text], other: ["7"]}, layout)
    assert found.rows.column(other).to_pylist() == [700], "the rest of the row goes on"
    factor = re.split(r"[(\[（]", column)[0].strip()
    return found.rows.column(factor)[0].as_py(), found.rows.column(f"{factor}.flag")[0].as_py(), found.letters


def starts(found: Taken) -> list[str]:
    return [hour_ending(ms) for ms in found.rows.column("start").cast(pa.int64()).to_pylist()]


def test_a_good_row_is_fixed_point_with_the_start_of_its_interval() -> None:
    found = taken({"time": ["2016-12-20 08:00"], "site": ["A"], "PM2.5": ["35.5"], "CO": ["1.2"]})
    assert found.letters == ()
    assert found.rows.schema == frame_schema(FACTORS)
    row = found.rows.to_pylist()[0]
    assert (row["PM2.5"], row["PM2.5.flag"], row["CO"], row["O3"], row["O3.flag"]) == (3550, 0, 1200, None, None)
    assert row["site"] == "A"
    assert row["start"] == datetime(2016, 12, 20, 7, tzinfo=BEIJING)
    assert row["received"] == datetime(2016, 12, 31, tzinfo=BEIJING)
    assert (row["correction"], row["other"]) == (0, None)


def test_a_label_at_the_start_is_taken_as_the_start() -> None:
    found = taken({"time": ["2016-12-20 08:00"], "site": ["A"], "SO2": ["1"]}, Layout(label=Label.START))
    assert found.rows.column("start")[0].as_py() == datetime(2016, 12, 20, 8, tzinfo=BEIJING)


def test_hour_zero_and_hour_24_are_the_last_hour_of_the_day_before() -> None:
    found = taken({"time": ["2016-12-21 00:00", "2016-12-20 24:00"], "site": ["A", "A"], "SO2": ["1", "1"]})
    assert starts(found) == ["2016-12-21 00:00"] * 2


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        ("PM2.5", "0", 0),
        ("PM2.5", "0.005", 0),
        ("PM2.5", "0.015", 2),
        ("PM2.5", "0.0150000000000000000001", 2),
        ("PM2.5", "0.0050000000000000000001", 1),
        ("PM2.5", "1e1", 1000),
        ("PM2.5", " 7 ", 700),
        ("PM2.5", "+7.", 700),
        ("CO", "0.3", 300),
        ("CO", "150", 150_000),
        ("CO(µg/m³)", "300", 300),
        ("CO (ug/m3)", "300", 300),
        ("CO（μg/m3）", "300.5", 300),
        ("CO[mg/m^3]", "0.3", 300),
        ("PM10(mg/m3)", "0.15", 15_000),
    ],
)
def test_decimal_text_becomes_an_exact_integer_in_the_canonical_unit(column: str, text: str, value: int) -> None:
    assert one(column, text) == (value, 0, ())


@pytest.mark.parametrize("text", ["", "NA", "-", "null"])
def test_no_value_is_null_without_flag_and_without_letter(text: str) -> None:
    assert one("PM2.5", text) == (None, None, ())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("broken", Refusal.NOT_A_NUMBER),
        ("NaN", Refusal.NOT_A_NUMBER),
        ("inf", Refusal.NOT_A_NUMBER),
        ("-Infinity", Refusal.NOT_A_NUMBER),
        ("1e400", Refusal.NOT_A_NUMBER),
        ("1e999999999", Refusal.NOT_A_NUMBER),
        ("1,5", Refusal.NOT_A_NUMBER),
        ("0x1f", Refusal.NOT_A_NUMBER),
        ("1_000", Refusal.NOT_A_NUMBER),
        ("１２", Refusal.NOT_A_NUMBER),
        ("9" * 500, Refusal.NOT_A_NUMBER),
        ("1e99", Refusal.IMPOSSIBLE_VALUE),
        ("-999", Refusal.IMPOSSIBLE_VALUE),
        ("-9999.0", Refusal.IMPOSSIBLE_VALUE),
        ("-99999", Refusal.IMPOSSIBLE_VALUE),
        ("-0.01", Refusal.IMPOSSIBLE_VALUE),
        ("10000.01", Refusal.IMPOSSIBLE_VALUE),
    ],
)
def test_a_cell_that_is_no_measurement_costs_only_its_own_value(text: str, reason: Refusal) -> None:
    value, flag, letters = one("PM2.5", text)
    assert (value, flag) == (None, ord("X"))
    assert [letter.reason for letter in letters] == [reason]
    letter = letters[0]
    assert (letter.where, letter.site, letter.factor) == ("a.csv:2", "B", "PM2.5")
    assert (letter.source, letter.received_at) == ("test", RECEIVED)
    assert json.loads(letter.raw)["PM2.5"] == text


def test_carbon_monoxide_over_150_is_refused_and_not_guessed_to_be_micrograms() -> None:
    value, flag, letters = one("CO", "300")
    assert (value, flag, [letter.reason for letter in letters]) == (None, ord("X"), [Refusal.IMPOSSIBLE_VALUE])
    assert "check its unit" in letters[0].detail


def test_an_unknown_unit_refuses_the_column_once_and_keeps_its_values() -> None:
    columns = {"time": ["2016-12-20 08:00"] * 2, "site": ["A", "B"], "CO(ppm)": ["1.5", ""], "SO2": ["1", "2"]}
    found = taken(columns)
    assert [(letter.reason, letter.where, letter.factor) for letter in found.letters] == [
        (Refusal.UNKNOWN_UNIT, "a.csv", "CO(ppm)")
    ]
    assert found.rows.column("CO").null_count == 2
    assert found.rows.column("other").to_pylist() == [[("CO(ppm)", "1.5")], []]
    assert found.rows.column("SO2").to_pylist() == [100, 200]


def test_an_unknown_column_gets_one_letter_in_its_file_and_its_values_stay_with_their_rows() -> None:
    columns = {
        "time": ["2016-12-20 08:00", "broken", "2016-12-20 10:00"],
        "site": ["A"] * 3, "Sb": ["1", "2", ""], "note": ["x", "y", "z"], "SO2": ["1", "2", "3"],
    }  # fmt: skip
    found = taken(columns)
    assert [letter.factor for letter in found.letters if letter.reason is Refusal.UNKNOWN_COLUMN] == ["Sb", "note"]
    assert found.rows.column("other").to_pylist() == [[("Sb", "1"), ("note", "x")], [("note", "z")]]
    assert [letter.reason for letter in taken(columns, number=1).letters] == [Refusal.IMPOSSIBLE_TIME]


def test_a_second_column_of_a_factor_is_kept_aside_and_told() -> None:
    found = taken({"time": ["2016-12-20 08:00"], "site": ["A"], "SO2": ["1"], "a21026": ["2"]})
    assert found.rows.column("SO2").to_pylist() == [100]
    assert [(letter.reason, letter.factor) for letter in found.letters] == [(Refusal.UNKNOWN_COLUMN, "a21026")]
    assert found.rows.column("other").to_pylist() == [[("a21026", "2")]]


def test_a_factor_may_be_named_by_its_code_or_by_the_layout() -> None:
    columns = {"time": ["2016-12-20 08:00"], "site": ["A"], "a34004": ["1"], "臭氧": ["2"]}
    found = taken(columns, Layout(names={"臭氧": "O3"}))
    assert found.letters == ()
    assert (found.rows.column("PM2.5").to_pylist(), found.rows.column("O3").to_pylist()) == ([100], [200])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1970-01-01 08:00", "the site began on 2013-01-01"),
        ("2099-01-01 00:00", "ends after it was received"),
        ("2016-12-31 01:00", "ends after it was received"),
        ("2016-02-30 08:00", "no time"),
        ("2016-12-20 08:30", "no time on a whole interval"),
        ("2016-12-20", "no time"),
        ("20/12/2016 08:00", "no time"),
        ("2016-12-20 24:30", "no time"),
        ("9999-12-31 24:00", "no time"),
        ("0000-12-31 08:00", "no time"),
        ("yesterday", "no time"),
        ("", "no time"),
    ],
)
def test_a_time_that_cannot_be_costs_only_its_own_row(text: str, words: str) -> None:
    found = taken({"time": [text, "2016-12-20 08:00"], "site": ["A", "A"], "SO2": ["1", "2"]})
    assert [(letter.reason, letter.where) for letter in found.letters] == [(Refusal.IMPOSSIBLE_TIME, "a.csv:2")]
    assert words in found.letters[0].detail
    assert found.rows.column("SO2").to_pylist() == [200]


def test_a_clock_that_runs_ten_minutes_fast_is_still_believed() -> None:
    layout = Layout(period_ms=MINUTE_MS)
    times = ["2016-12-31 00:10", "2016-12-31 00:11"]
    found = taken({"time": times, "site": ["B", "B"], "SO2": ["1", "2"]}, layout)
    assert found.rows.column("SO2").to_pylist() == [100]
    assert [letter.reason for letter in found.letters] == [Refusal.IMPOSSIBLE_TIME]


def test_a_time_with_an_offset_keeps_its_offset() -> None:
    times = ["2016-12-20 08:00", "2016-12-20T00:00:00Z", "2016-12-20T01:00+01:00"]
    found = taken({"time": times, "site": ["A"] * 3, "SO2": ["1"] * 3})
    assert starts(found) == ["2016-12-20 08:00"] * 3


def test_an_unregistered_site_costs_its_rows_and_the_letter_says_so() -> None:
    found = taken({"time": ["2016-12-20 08:00"] * 2, "site": ["Z", "A"], "SO2": ["1", "2"]})
    assert [(letter.reason, letter.site) for letter in found.letters] == [(Refusal.UNKNOWN_SITE, "Z")]
    assert json.loads(found.letters[0].raw) == {"time": "2016-12-20 08:00", "site": "Z", "SO2": "1"}
    assert found.rows.column("site").to_pylist() == ["A"]


def test_a_site_is_unknown_in_the_days_that_none_of_its_entries_holds() -> None:
    times = ["2016-12-25 00:00", "2016-12-25 01:00", "2016-12-27 00:00", "2016-12-27 01:00"]
    found = taken({"time": times, "site": ["A"] * 4, "SO2": ["1", "2", "3", "4"]})
    assert found.rows.column("SO2").to_pylist() == [100, 400]
    assert [letter.reason for letter in found.letters] == [Refusal.UNKNOWN_SITE] * 2


def test_repeated_rows_and_rows_out_of_order_pass_as_they_came() -> None:
    times = ["2016-12-20 09:00", "2016-12-20 08:00", "2016-12-20 08:00"]
    found = taken({"time": times, "site": ["A"] * 3, "SO2": ["3", "1", "1"]})
    assert found.letters == ()
    assert starts(found) == times


def test_flags_travel_beside_their_values_and_unknown_ones_are_unflagged() -> None:
    columns = {
        "time": ["2016-12-20 08:00"] * 6, "site": ["A"] * 6,
        "O3": ["1", "2", "", "", "-999", "-999"], "O3.flag": ["N", "calibrating", "B", "", "D", "N"],
    }  # fmt: skip
    found = taken(columns)
    assert found.rows.column("O3").to_pylist() == [100, 200, None, None, None, None]
    assert found.rows.column("O3.flag").to_pylist() == [ord("N"), 0, ord("B"), None, ord("D"), ord("X")]
    assert {letter.reason for letter in found.letters} == {Refusal.IMPOSSIBLE_VALUE}


def test_over_range_stays_over_range_when_its_value_cannot_be_used() -> None:
    columns = {"time": ["2016-12-20 08:00"], "site": ["A"], "O3": ["99999"], "O3.flag": ["T"]}
    assert taken(columns).rows.column("O3.flag").to_pylist() == [ord("T")]


def test_the_source_counts_its_own_corrections() -> None:
    columns = {"time": ["2016-12-20 08:00"] * 3, "site": ["A"] * 3, "correction": ["2", "", "new"], "SO2": ["1"] * 3}
    found = taken(columns)
    assert found.rows.column("correction").to_pylist() == [2, 0, 0]
    assert [(letter.reason, letter.factor) for letter in found.letters] == [(Refusal.NOT_A_NUMBER, "correction")]


def prsa(hour: str, **values: str) -> dict[str, list[str]]:
    base = {"No": "1", "year": "2016", "month": "12", "day": "20", "hour": hour, "TEMP": "-0.7", "station": "A"}
    return {name: [text] for name, text in (base | values).items()}


def test_the_beijing_record_has_hours_labelled_by_their_end_and_carbon_monoxide_in_micrograms() -> None:
    found = taken(prsa("0", CO="300", SO2="NA"), PRSA)
    assert found.letters == ()
    assert starts(found) == ["2016-12-20 00:00"]
    assert found.rows.column("CO").to_pylist() == [300]
    assert found.rows.column("SO2.flag").to_pylist() == [None]


def test_coarse_dust_equal_to_fine_dust_is_copied_in_the_beijing_record_only() -> None:
    values = {"PM2.5": "15", "PM10": "15"}
    assert taken(prsa("8", **values), PRSA).rows.column("PM10.flag").to_pylist() == [ord("K")]
    assert taken(prsa("8", **values), PRSA).rows.column("PM2.5.flag").to_pylist() == [0]
    assert taken(prsa("8", **(values | {"PM10": "16"})), PRSA).rows.column("PM10.flag").to_pylist() == [0]
    measured = Layout(site="station", time=PRSA.time, ignored=PRSA.ignored, copies=Copies.MEASURED)
    assert taken(prsa("8", **values), measured).rows.column("PM10.flag").to_pylist() == [0]


@pytest.mark.parametrize(("part", "text"), [("month", "13"), ("day", "32"), ("hour", "25"), ("year", "x"), ("day", "")])
def test_parts_that_make_no_date_are_an_impossible_time(part: str, text: str) -> None:
    found = taken(prsa("8") | {part: [text]}, PRSA)
    assert found.rows.num_rows == 0
    assert [letter.reason for letter in found.letters] == [Refusal.IMPOSSIBLE_TIME]


def test_a_leap_day_is_a_date() -> None:
    found = taken(prsa("1") | {"month": ["2"], "day": ["29"]}, PRSA)
    assert starts(found) == ["2016-02-29 01:00"]


def test_a_table_without_a_time_column_is_refused_with_all_its_rows_kept() -> None:
    found = taken({"when": ["2016-12-20 08:00"], "site": ["A"], "SO2": ["1"]})
    assert found.rows.num_rows == 0
    assert found.rows.schema == frame_schema(FACTORS)
    assert [(letter.reason, letter.where) for letter in found.letters] == [(Refusal.BAD_FILE, "a.csv:2")]
    assert "lacks time" in found.letters[0].detail


def test_no_rows_give_no_rows() -> None:
    found = taken({"time": [], "site": [], "SO2": [], "Sb": []})
    assert found.rows.num_rows == 0
    assert [letter.reason for letter in found.letters] == [Refusal.UNKNOWN_COLUMN]


def test_the_interval_is_an_hour_where_nothing_else_is_said() -> None:
    assert CSV.period_ms == HOUR_MS
