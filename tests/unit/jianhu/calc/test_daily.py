from __future__ import annotations

import csv
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from jianhu.calc.daily import DailyReport, calc_daily
from sensors.errors import ConfigError, UnknownName
from sensors.layouts import Label
from streams.air.index import Profile

HEADER = "time,site,PM2.5,PM10,SO2,NO2,CO,O3"
BEGIN = datetime(2016, 12, 20)  # noqa: DTZ001  a label as people write it


class Table:
    def __init__(self, folder: Path) -> None:
        self.source, self.target = folder / "in.csv", folder / "out.csv"

    def run(
        self,
        lines: list[str],
        *,
        header: str = HEADER,
        label: Label = Label.END,
        edition: str = "auto",
        profile: Profile = Profile.STANDARD,
        zone: int = 2,
    ) -> DailyReport:
        self.source.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
        return calc_daily(self.source, self.target, label=label, edition=edition, profile=profile, zone=zone)

    def rows(self) -> list[dict[str, str]]:
        with self.target.open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table(tmp_path)


def hours(cells: str, count: int = 24, first: int = 1, site: str = "a") -> list[str]:
    """Hours of 20 December 2016, labelled by their end: the last one carries 00:00 of the 21st."""
    stamps = (BEGIN + timedelta(hours=first + at) for at in range(count))
    return [f"{stamp:%Y-%m-%d %H:%M},{site},{cells}" for stamp in stamps]


def test_a_day_has_every_daily_statistic(table: Table) -> None:
    lines = hours("75,150,50,40,2,100", 23) + hours("75,150,50,40,2,260", 1, first=24)
    report = table.run(lines)
    (row,) = table.rows()
    # The last 8 h mean: (7 x 100 + 260) / 8 = 120.
    assert row == {
        "time": "2016-12-20", "site": "a", "PM2.5": "75", "PM10": "150", "SO2": "50", "NO2": "40", "CO": "2.0",
        "O3_1h_max": "260", "O3_8h": "120", "PM2.5_hours": "24", "PM10_hours": "24", "SO2_hours": "24",
        "NO2_hours": "24", "CO_hours": "24", "O3_hours": "24", "O3_8h_windows": "17", "IAQI_PM2.5": "100",
        "IAQI_PM10": "100", "IAQI_SO2": "50", "IAQI_NO2": "50", "IAQI_CO": "50", "IAQI_O3": "67", "AQI": "100",
        "level": "2", "primary": "PM2.5;PM10", "edition": "HJ633-2012", "reason": "",
    }  # fmt: skip
    assert str(report).startswith("24 rows, 1 days, 1 with an AQI; standards pack")


def test_what_comes_out_goes_into_the_index_of_days_again(table: Table, tmp_path: Path) -> None:
    from jianhu.calc.aqi import added_names, calc_aqi  # noqa: PLC0415  only here
    from jianhu.calc.items import Period  # noqa: PLC0415  only here

    table.run(hours("61,121,50,40,2,170"))
    (row,) = table.rows()
    kept = [name for name in row if name not in added_names()]
    again = tmp_path / "again.csv"
    again.write_text(f"{','.join(kept)}\n{','.join(row[name] for name in kept)}\n", encoding="utf-8")
    calc_aqi(again, again, period=Period.DAY, edition="auto", profile=Profile.STANDARD, label=Label.END)
    with again.open(encoding="utf-8", newline="") as stream:
        (second,) = csv.DictReader(stream)
    assert {name: second[name] for name in added_names()} == {name: row[name] for name in added_names()}


def test_hours_are_rounded_before_the_mean_and_the_mean_half_to_even(table: Table) -> None:
    """10.5 and 11.4 become 10 and 11, whose mean 10.5 becomes 10; the mean of the cells themselves would be 11."""
    table.run(hours("10.5,2.5,0,0,0.25,0", 12) + hours("11.4,2.5,1,0,0.35,0", 12, first=13))
    (row,) = table.rows()
    assert (row["PM2.5"], row["PM10"], row["SO2"], row["CO"]) == ("10", "2", "0", "0.3")


@pytest.mark.parametrize(
    ("count", "mean", "reason"), [(20, "75", ""), (19, "", "missing_item: PM2.5: too few valid values")]
)
def test_a_day_needs_twenty_hours(table: Table, count: int, mean: str, reason: str) -> None:
    table.run(hours("75,150,50,40,2,100", count) + hours("--,150,50,40,2,100", 24 - count, first=count + 1))
    (row,) = table.rows()
    assert (row["PM2.5"], row["PM2.5_hours"], row["reason"]) == (mean, str(count), reason)
    assert row["AQI"] == "100"


def test_ozone_needs_fourteen_8_h_means_or_fewer_over_the_limit_of_the_zone(table: Table) -> None:
    # Hours 11 to 24: 14 hours, whose 8 h means of at least 6 hours end 16:00 to 24:00: nine.
    table.run(hours("75,150,50,40,2,150", 14, first=11))
    (row,) = table.rows()
    assert (row["O3_8h"], row["O3_8h_windows"], row["O3_1h_max"]) == ("", "9", "150")
    table.run(hours("75,150,50,40,2,150", 14, first=11), zone=1)
    assert table.rows()[0]["O3_8h"] == "150"
    table.run(hours("75,150,50,40,2,161", 14, first=11))
    assert table.rows()[0]["O3_8h"] == "161"


def test_midnight_is_hour_24_of_the_day_before_unless_labels_are_starts(table: Table) -> None:
    table.run(hours("75,150,50,40,2,100"))
    assert [row["time"] for row in table.rows()] == ["2016-12-20"]
    table.run(hours("75,150,50,40,2,100"), label=Label.START)
    assert [(row["time"], row["PM2.5_hours"]) for row in table.rows()] == [("2016-12-20", "23"), ("2016-12-21", "1")]


def test_order_and_repeats_of_rows_change_nothing_and_the_later_of_two_holds(table: Table) -> None:
    lines = hours("75,150,50,40,2,100") + hours("35,50,20,30,1,80", site="b")
    table.run(lines)
    straight = table.target.read_bytes()
    mixed = [*reversed(lines), *lines[:7]]
    # "a" must come first: sites stand in the order in which the file names them.
    report = table.run([lines[0], *mixed])
    assert table.target.read_bytes() == straight
    assert report.repeated == 8
    table.run([*lines, lines[0].replace("75,150", "99,150")])
    assert table.rows()[0]["PM2.5"] == "76"  # (23 x 75 + 99) / 24


def test_days_are_judged_by_the_edition_of_their_date_or_the_one_asked_for(table: Table) -> None:
    old = hours("60,120,50,40,2,100")
    new = [line.replace("2016-12-2", "2026-12-2") for line in old]
    table.run(old + new)
    assert [(row["edition"], row["IAQI_PM10"]) for row in table.rows()] == [("HJ633-2012", "85"), ("HJ633-2026", "100")]
    table.run(old, edition="HJ633-2026")
    assert table.rows()[0]["IAQI_PM10"] == "100"
    with pytest.raises(UnknownName):
        table.run(old, edition="HJ633-2099")


def test_in_2026_a_missing_item_takes_the_index_away_and_a_planned_absence_does_not(table: Table) -> None:
    def new(cells: str) -> dict[str, str]:
        table.run([line.replace("2016-12-2", "2026-12-2") for line in hours(cells)])
        return table.rows()[0]

    row = new("30,50,50,40,,100")
    assert (row["AQI"], row["CO"], row["reason"]) == ("NA", "", "missing_item: CO: missing")
    row = new("30,50,50,40,/,100")
    assert (row["AQI"], row["IAQI_CO"], row["reason"]) == ("50", "/", "")


def test_cells_and_times_that_cannot_be_used_are_left_out_and_counted(table: Table) -> None:
    lines = hours("75,150,50,40,2,100", 23)
    report = table.run(
        [*lines, "2016-12-21 00:00,a,-999,x,50,40,200,100", "someday,a,1,1,1,1,1,1", "2016-12-20 08:30,a,1,1,1,1,1,1"]
    )
    (row,) = table.rows()
    assert [row[f"{name}_hours"] for name in ("PM2.5", "PM10", "CO", "O3")] == ["23", "23", "23", "24"]
    assert report.bad_times == 2
    assert dict(report.bad_cells) == {"PM2.5": 1, "PM10": 1, "CO": 1}
    assert "times that could not be used: 2" in str(report)


def test_a_unit_in_the_header_and_gbk_are_read(table: Table) -> None:
    text = "\r\n".join([HEADER.replace("CO", "CO(μg/m³)"), *hours("75,150,50,40,2000,100", site="柯桥"), ""])
    table.source.write_bytes(text.replace("μ", "u").replace("³", "3").encode("gbk"))
    calc_daily(table.source, table.target, label=Label.END)
    (row,) = table.rows()
    assert (row["site"], row["CO"]) == ("柯桥", "2.0")


def test_a_header_alone_gives_no_days(table: Table) -> None:
    assert table.run([]).days == 0
    assert table.rows() == []


@pytest.mark.parametrize("header", ["time,site,PM2.5", HEADER.replace("O3", "O3(ppm)"), "", HEADER + ",O3(µg/m³)"])
def test_a_sheet_without_its_columns_is_refused(table: Table, header: str) -> None:
    with pytest.raises(ConfigError):
        table.run([], header=header)
    assert not table.target.exists()


def test_many_days_are_worked_on_in_pieces(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        f"{BEGIN + timedelta(hours=at + 1):%Y-%m-%d %H:%M},{site},{30 + at // 24},50,20,30,1,80"
        for site in "ab"
        for at in range(24 * 5)
    ]
    table.run(lines)
    whole = table.target.read_bytes()
    monkeypatch.setattr("jianhu.calc.daily._CHUNK", 3)
    monkeypatch.setattr("jianhu.sheet._PIECE_BYTES", 500)
    monkeypatch.setattr("jianhu.sheet._BLOCK_BYTES", 100)
    table.run(lines)
    assert table.target.read_bytes() == whole
    assert [row["PM2.5"] for row in table.rows()] == ["30", "31", "32", "33", "34"] * 2
