from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from jianhu.calc.aqi import AUTO, CalcReport, calc_aqi, read_days
from jianhu.calc.items import Period
from jianhu.calc.times import Stamp
from sensors.errors import ConfigError, UnknownName
from sensors.layouts import Label
from streams.air.index import Profile
from streams.standards import calendar_date, load_standards

HOUR_HEADER = "time,site,PM2.5,PM10,SO2,NO2,CO,O3"
DAY_HEADER = "time,site,PM2.5,PM10,SO2,NO2,CO,O3_8h"
ADDED = ["IAQI_PM2.5", "IAQI_PM10", "IAQI_SO2", "IAQI_NO2", "IAQI_CO", "IAQI_O3", "AQI", "level", "primary",
         "edition", "reason"]  # fmt: skip


class Sheet:
    """A folder, a sheet in it, and what calc makes of it."""

    def __init__(self, folder: Path) -> None:
        self.source, self.target = folder / "in.csv", folder / "out.csv"

    def run(
        self,
        data: str | bytes,
        *,
        period: Period = Period.HOUR,
        edition: str = AUTO,
        profile: Profile = Profile.STANDARD,
        label: Label = Label.END,
    ) -> CalcReport:
        self.source.write_bytes(data.encode() if isinstance(data, str) else data)
        return calc_aqi(self.source, self.target, period=period, edition=edition, profile=profile, label=label)

    def rows(self) -> list[dict[str, str]]:
        with self.target.open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))


@pytest.fixture
def sheet(tmp_path: Path) -> Sheet:
    return Sheet(tmp_path)


def hour(sheet: Sheet, cells: str, time: str = "2026-06-01 08:00", **options: object) -> dict[str, str]:
    sheet.run(f"{HOUR_HEADER}\n{time},a,{cells}\n", **options)  # type: ignore[arg-type]
    return sheet.rows()[0]


def test_the_input_stands_first_in_its_own_order_and_text(sheet: Sheet) -> None:
    sheet.run('note,O3,time,CO,NO2,SO2,PM10,PM2.5,site\n"x, ""y""",60,2026-06-01 08:00, 0.40 ,20,10,30,020,柯桥\n')
    with sheet.target.open(encoding="utf-8", newline="") as stream:
        header, row = list(csv.reader(stream))
    assert header == ["note", "O3", "time", "CO", "NO2", "SO2", "PM10", "PM2.5", "site", *ADDED]
    assert row[:9] == ['x, "y"', "60", "2026-06-01 08:00", " 0.40 ", "20", "10", "30", "020", "柯桥"]
    assert row[9:] == ["29", "30", "4", "10", "4", "19", "30", "1", "", "HJ633-2026", ""]


def test_rows_keep_their_order_and_repeats_stay(sheet: Sheet) -> None:
    times = ["2026-06-01 08:00", "2025-06-01 08:00", "2026-06-01 08:00"]
    sheet.run("\n".join([HOUR_HEADER, *(f"{time},a,75,30,10,20,0.4,60" for time in times), ""]))
    assert [row["time"] for row in sheet.rows()] == times
    assert [row["AQI"] for row in sheet.rows()] == ["114", "100", "114"]


def test_the_hour_that_ends_at_midnight_belongs_to_the_edition_of_the_day_before(sheet: Sheet) -> None:
    times = ["2026-02-28 24:00", "2026-03-01 00:00", "2026-03-01 01:00"]
    text = "\n".join([HOUR_HEADER, *(f"{time},a,75,30,10,20,0.4,60" for time in times), ""])
    assert sheet.run(text).editions == {"HJ633-2012": 2, "HJ633-2026": 1}
    assert [row["AQI"] for row in sheet.rows()] == ["100", "100", "114"]
    sheet.run(text, label=Label.START)
    assert [row["edition"] for row in sheet.rows()] == ["HJ633-2026"] * 3


def test_days_take_the_edition_of_their_date_and_ozone_on_the_8_h_column(sheet: Sheet) -> None:
    days = ["2026-02-28", "2026-03-01"]
    sheet.run("\n".join([DAY_HEADER, *(f"{day},a,60,121,50,40,2,161" for day in days)]), period=Period.DAY)
    old, new = sheet.rows()
    assert [old[name] for name in ADDED] == [
        "82", "86", "50", "50", "50", "101", "101", "3", "O3", "HJ633-2012", "",
    ]  # fmt: skip
    assert [new[name] for name in ADDED] == [
        "100", "101", "50", "50", "50", "101", "101", "3", "PM10;O3", "HJ633-2026", "",
    ]  # fmt: skip


def test_an_edition_can_be_asked_for_all_rows(sheet: Sheet) -> None:
    assert hour(sheet, "75,30,10,20,0.4,60", edition="HJ633-2012")["AQI"] == "100"
    assert hour(sheet, "75,30,10,20,0.4,60", time="2015-06-01 08:00", edition="HJ633-2026")["AQI"] == "114"


def test_an_unknown_edition_is_an_error_and_nothing_is_written(sheet: Sheet) -> None:
    with pytest.raises(UnknownName, match="HJ633-2030"):
        hour(sheet, "75,30,10,20,0.4,60", edition="HJ633-2030")
    assert not sheet.target.exists()


@pytest.mark.parametrize(("pm25", "aqi", "level", "primary"), [(60, "NA", "NA", "NA"), (61, "101", "3", "PM2.5")])
def test_in_2026_a_missing_item_takes_the_index_away_up_to_100(
    sheet: Sheet, pm25: int, aqi: str, level: str, primary: str
) -> None:
    row = hour(sheet, f"{pm25},30,10,,0.4,60")
    assert (row["AQI"], row["level"], row["primary"]) == (aqi, level, primary)
    assert (row["IAQI_NO2"], row["IAQI_PM10"]) == ("NA", "30")
    assert row["reason"] == "missing_item: NO2: missing"


def test_in_2012_and_on_the_platform_the_rest_is_given(sheet: Sheet) -> None:
    assert hour(sheet, "20,30,10,,0.4,60", edition="HJ633-2012")["AQI"] == "30"
    assert hour(sheet, "20,30,10,,0.4,60", profile=Profile.PLATFORM)["AQI"] == "30"


def test_an_item_out_of_plan_is_marked_so_and_has_no_effect(sheet: Sheet) -> None:
    row = hour(sheet, "20,30,10,/,0.4,60")
    assert (row["IAQI_NO2"], row["AQI"], row["reason"]) == ("/", "30", "")


def test_a_row_of_nothing_names_everything(sheet: Sheet) -> None:
    row = hour(sheet, ",,,,,/")
    assert (row["AQI"], row["edition"]) == ("NA", "HJ633-2026")
    assert row["reason"] == "no_item: PM2.5: missing; PM10: missing; SO2: missing; NO2: missing; CO: missing"


def test_bad_cells_are_missing_items_that_the_reason_names(sheet: Sheet) -> None:
    report = sheet.run(f"{HOUR_HEADER}\n2026-06-01 08:00,a,-999,abc,-1,NaN,160,300\n")
    row = sheet.rows()[0]
    assert row["AQI"] == "150"
    assert row["reason"] == (
        "missing_item: PM2.5: a code for no value; PM10: not a number; SO2: outside physical bounds; "
        "NO2: missing; CO: outside physical bounds"
    )
    assert report.bad_cells == {"PM2.5": 1, "PM10": 1, "SO2": 1, "CO": 1}
    assert (report.rows, report.indexed, report.bad_times) == (1, 1, 0)
    assert report.pack == load_standards().pack


def test_the_report_is_one_line_that_names_what_could_not_be_used(sheet: Sheet) -> None:
    report = sheet.run(f"{HOUR_HEADER}\n2026-06-01 08:00,a,x,30,10,20,0.4,60\nx,a,x,30,10,20,0.4,60\n")
    assert str(report) == (
        "2 rows, 0 with an AQI; 1 by HJ633-2026; cells that could not be used: 2 in PM2.5; "
        f"times that could not be used: 1; standards pack {load_standards().pack}"
    )
    report = sheet.run(f"{HOUR_HEADER}\n")
    assert str(report) == f"0 rows, 0 with an AQI; standards pack {load_standards().pack}"


def test_over_the_table_has_no_index_in_2012_and_is_named(sheet: Sheet) -> None:
    row = hour(sheet, "20,30,801,20,0.4,60", edition="HJ633-2012")
    assert (row["IAQI_SO2"], row["AQI"], row["reason"]) == ("NA", "30", "missing_item: SO2: over the table")
    assert hour(sheet, "20,30,801,20,0.4,60")["AQI"] == "200"


def test_zero_is_a_measurement(sheet: Sheet) -> None:
    row = hour(sheet, "0,0,0,0,0,0")
    assert (row["IAQI_O3"], row["AQI"], row["level"], row["reason"]) == ("0", "1", "1", "")


@pytest.mark.parametrize(
    ("time", "reason"),
    [
        ("2026-02-30 08:00", "time: not a time"), ("", "time: not a time"), ("yesterday", "time: not a time"),
        ("2026-06-01 25:00", "time: not a time"), ("2026-06-01", "time: not a time"),
        ("2026-06-01 08:30", "time: not a whole hour"), ("2009-06-01 08:00", "time: no edition in force"),
    ],
)  # fmt: skip
def test_a_row_without_a_usable_time_has_no_index_and_says_why(sheet: Sheet, time: str, reason: str) -> None:
    row = hour(sheet, "20,30,10,20,0.4,60", time=time)
    assert (row["AQI"], row["IAQI_PM2.5"], row["edition"], row["reason"]) == ("NA", "NA", "", reason)


def test_a_bad_time_does_not_hinder_an_edition_that_was_asked_for(sheet: Sheet) -> None:
    row = hour(sheet, "20,30,10,20,0.4,60", time="?", edition="HJ633-2026")
    assert (row["AQI"], row["reason"]) == ("30", "time: not a time")


@pytest.mark.parametrize("name", ["CO(µg/m³)", "CO(μg/m3)", "CO (ug/m3)", "CO（µg/m³）"])
def test_the_header_may_name_the_unit_of_carbon_monoxide(sheet: Sheet, name: str) -> None:
    header = HOUR_HEADER.replace("CO", name)
    sheet.run(f"{header}\n2026-06-01 08:00,a,20,30,10,20,10050,60\n")
    assert sheet.rows()[0]["IAQI_CO"] == "100"
    assert sheet.rows()[0][name] == "10050"


def test_an_unknown_unit_is_refused(sheet: Sheet) -> None:
    with pytest.raises(ConfigError, match=r"in\.csv:1: CO\(ppm\): the unit 'ppm' is not known"):
        sheet.run(f"{HOUR_HEADER.replace('CO', 'CO(ppm)')}\n")


@pytest.mark.parametrize("lost", ["time", "site", "PM2.5", "O3"])
def test_a_missing_column_is_named(sheet: Sheet, lost: str) -> None:
    header = ",".join(name for name in HOUR_HEADER.split(",") if name != lost)
    with pytest.raises(ConfigError, match=rf"in\.csv:1: {lost}: the column is missing"):
        sheet.run(f"{header}\n")
    assert not sheet.target.exists()


def test_days_need_the_8_h_ozone_column(sheet: Sheet) -> None:
    with pytest.raises(ConfigError, match="O3_8h: the column is missing"):
        sheet.run(f"{HOUR_HEADER}\n", period=Period.DAY)


@pytest.mark.parametrize(
    ("extra", "problem"), [("CO(mg/m³)", "the header has CO and"), ("AQI", "twice"), ("time(end)", None)]
)
def test_a_column_that_could_be_mistaken_is_refused(sheet: Sheet, extra: str, problem: str | None) -> None:
    if problem is None:
        assert sheet.run(f"{HOUR_HEADER},{extra}\n").rows == 0
    else:
        with pytest.raises(ConfigError, match=problem):
            sheet.run(f"{HOUR_HEADER},{extra}\n")


def test_an_empty_file_is_an_error_and_a_header_alone_is_not(sheet: Sheet) -> None:
    with pytest.raises(ConfigError, match="the file is empty"):
        sheet.run("")
    report = sheet.run(f"{HOUR_HEADER}\n")
    assert (report.rows, report.indexed, report.editions, report.bad_cells) == (0, 0, {}, {})
    assert sheet.rows() == []


def test_a_row_that_lacks_a_cell_is_an_error_with_its_line_and_the_old_result_stays(sheet: Sheet) -> None:
    sheet.target.write_text("old", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"in\.csv:3: 7 cells under a header of 8"):
        sheet.run(f"{HOUR_HEADER}\n2026-06-01 08:00,a,20,30,10,20,0.4,60\n2026-06-01 09:00,a,20,30,10,20,0.4\n")
    assert sheet.target.read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize("encoding", ["gbk", "utf-8-sig"])
def test_a_sheet_from_a_chinese_spreadsheet_is_read(sheet: Sheet, encoding: str) -> None:
    text = f"{HOUR_HEADER},备注\r\n2026/6/1 8:00,柯桥,75,30,10,20,0.4,60,正常\r\n"
    sheet.run(text.encode(encoding))
    row = sheet.rows()[0]
    assert (row["site"], row["备注"], row["AQI"], row["edition"]) == ("柯桥", "正常", "114", "HJ633-2026")


def test_a_result_may_replace_its_own_input(sheet: Sheet) -> None:
    sheet.target = sheet.source
    sheet.run(f"{HOUR_HEADER}\n2026-06-01 08:00,a,75,30,10,20,0.4,60\n")
    assert sheet.rows()[0]["AQI"] == "114"


def days(texts: list[str], period: Period, label: Label = Label.END) -> list[str]:
    numbers, stamps = read_days(pa.array(texts), period, label)
    names = zip(numbers.tolist(), stamps.tolist(), strict=True)
    return [Stamp(stamp).name if stamp else calendar_date(day).isoformat() for day, stamp in names]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-01 00:00", "2026-02-28"), ("2026-03-01 01:00", "2026-03-01"), ("2026-02-28 24:00", "2026-02-28"),
        ("2026-03-01T00:00:00", "2026-02-28"), ("2026/3/1 0:00", "2026-02-28"), ("2026.03.01 00:00", "2026-02-28"),
        (" 2026-03-01 00:00 ", "2026-02-28"), ("2026-02-28T16:00Z", "2026-02-28"),
        ("2026-02-28 17:00:00Z", "2026-03-01"), ("2026-03-01T01:00+08:00", "2026-03-01"),
        ("2024-02-29 23:00", "2024-02-29"), ("2026-03-01 00:00:00.000", "2026-02-28"),
        ("2026-02-29 01:00", "NO_TIME"), ("2026-03/01 01:00", "NO_TIME"), ("2026-03-01 1:0", "NO_TIME"),
        ("2026-03-01 24:30", "NO_HOUR"), ("2026-03-01 00:60", "NO_TIME"), ("2026-03-0100", "NO_TIME"),
        ("0000-03-01 00:00", "NO_TIME"), ("2026-03-01 00:00+99:00", "NO_TIME"),
    ],
)  # fmt: skip
def test_an_hour_belongs_to_the_day_of_its_start(text: str, day: str) -> None:
    assert days([text], Period.HOUR) == [day]


def test_labels_of_the_start_need_no_step_back() -> None:
    assert days(["2026-03-01 00:00"], Period.HOUR, Label.START) == ["2026-03-01"]


def test_a_day_is_its_date_whatever_the_label() -> None:
    texts = ["2026-03-01", "2026/3/1", "2026-03-01 00:00:00", "2026-3-32", "1 March"]
    assert days(texts, Period.DAY) == ["2026-03-01"] * 3 + ["NO_TIME"] * 2


def test_every_row_of_a_long_mixed_sheet_is_judged_as_alone(sheet: Sheet) -> None:
    generator = np.random.default_rng(11)
    pool = ["", "/", "abc", "-999", "0", "12.5", "75", "160", "801", "2000"]
    lines = [
        f"{time},s,{','.join(generator.choice(pool, 6))}"
        for time in ["2026-02-28 23:00", "2026-03-01 00:00", "2026-03-01 01:00", "x"] * 60
    ]
    sheet.run("\n".join([HOUR_HEADER, *lines, ""]))
    whole = sheet.rows()
    for at in range(0, len(lines), 37):
        sheet.run("\n".join([HOUR_HEADER, lines[at], ""]))
        assert sheet.rows() == [whole[at]]
