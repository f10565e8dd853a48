from __future__ import annotations

import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jianhu.calc.load import By, Every, LoadReport, LoadRequest, calc_load
from jianhu.cli import app
from sensors.errors import ConfigError
from sensors.layouts import Label

HOURS = LoadRequest(every=Every.HOUR, label=Label.START)


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def run(folder: Path, text: str, request: LoadRequest = HOURS) -> tuple[LoadReport, list[dict[str, str]]]:
    source, target = folder / "in.csv", folder / "out.csv"
    source.write_text(text, encoding="utf-8")
    report = calc_load(source, target, request)
    return report, _read(target)


def totals(
    folder: Path, text: str, *, every: Every = Every.HOUR, by: By = By.DAY, label: Label = Label.START
) -> list[dict[str, str]]:
    path = folder / "totals.csv"
    run(folder, text, LoadRequest(every=every, label=label, totals=path, by=by))
    return _read(path)


def _day(rows: list[str], head: str = "time,flow,COD") -> str:
    return "\n".join([head, *(f"2026-06-01 {hour:02d}:00,{row}" for hour, row in enumerate(rows))]) + "\n"


def test_an_hour_of_10_litres_a_second_at_50_mg_is_36_m3_and_1_8_kg(tmp_path: Path) -> None:
    report, (row,) = run(tmp_path, "time,flow,COD,NH3-N,note\n2026-06-01 00:00,10,50,2.5,kept\n")
    assert list(row) == ["time", "flow", "COD", "NH3-N", "note", "volume_m3", "COD_kg", "NH3-N_kg", "reason"]
    assert (row["volume_m3"], row["COD_kg"], row["NH3-N_kg"], row["reason"]) == ("36.000", "1.800000", "0.090000", "")
    assert row["note"] == "kept"
    assert (report.rows, dict(report.loads)) == (1, {"COD": 1, "NH3-N": 1})


@pytest.mark.parametrize(
    "header", ["time,flow(m³/h),COD(g/L)", "监测时间,流量(m3/h),化学需氧量(g/L)", "time,w00000（m³/h）,w01018（g/L）"]
)
def test_units_and_chinese_names_in_the_header_are_understood(tmp_path: Path, header: str) -> None:
    _, (row,) = run(tmp_path, f"{header}\n2026-06-01 00:00,36,0.05\n")
    assert (row["volume_m3"], row["COD_kg"]) == ("36.000", "1.800000")


def test_the_length_of_the_interval_makes_the_volume(tmp_path: Path) -> None:
    request = LoadRequest(every=Every.TEN_MINUTES, label=Label.START)
    _, (row,) = run(tmp_path, "time,flow,COD\n2026-06-01 00:10,10,50\n", request)
    assert (row["volume_m3"], row["COD_kg"]) == ("6.000", "0.300000")
    assert [every.ms for every in Every] == [60_000 * n for n in (1, 5, 10, 30, 60, 120, 240, 1440)]


def test_a_still_row_lets_nothing_out_whatever_its_concentration(tmp_path: Path) -> None:
    _, rows = run(tmp_path, "time,flow,COD\n2026-06-01 00:00,0,\n2026-06-01 01:00,0,90\n")
    assert [(row["volume_m3"], row["COD_kg"], row["reason"]) for row in rows] == [("0.000", "0.000000", "")] * 2


@pytest.mark.parametrize(
    ("cells", "volume", "mass", "reason"),
    [
        ("10,", "36.000", "NA", "COD: missing"),
        (",50", "NA", "NA", "flow: missing"),
        ("10,x", "36.000", "NA", "COD: not a number"),
        ("10,-9999", "36.000", "NA", "COD: a code for no value"),
        ("-3,50", "NA", "NA", "flow: outside physical bounds"),
        ("x,y", "NA", "NA", "flow: not a number; COD: not a number"),
        ("10,4L", "36.000", "0.072000", ""),
    ],
)
def test_a_cell_that_cannot_be_used_is_named(tmp_path: Path, cells: str, volume: str, mass: str, reason: str) -> None:
    _, (row,) = run(tmp_path, f"time,flow,COD\n2026-06-01 00:00,{cells}\n")
    assert (row["volume_m3"], row["COD_kg"], row["reason"]) == (volume, mass, reason)


def test_bad_cells_and_times_are_counted_for_the_screen(tmp_path: Path) -> None:
    text = "time,flow,COD\n2026-06-01 00:00,10,x\nyesterday,10,50\n2026-06-01 00:00,10,50\n"
    report, rows = run(tmp_path, text)
    assert [row["reason"] for row in rows] == [
        "COD: not a number",
        "time: not a time",
        "time: given twice, not counted",
    ]
    assert rows[1]["COD_kg"] == "1.800000"
    assert str(report) == (
        "3 rows; 2 with a mass of COD; cells that could not be used: 1 in COD; times that could not be used: 1; "
        "rows given twice: 1"
    )


def test_a_day_is_weighted_by_flow(tmp_path: Path) -> None:
    # 432 m³ at 20 mg/L and 1296 m³ at 60 mg/L: 86.4 kg in 1728 m³, a mean of 50 mg/L.
    (row,) = totals(tmp_path, _day(["10,20"] * 12 + ["30,60"] * 12))
    assert row == {
        "start": "2026-06-01",
        "volume_m3": "1728.000",
        "rows": "24 of 24",
        "COD_kg": "86.400000",
        "COD_mean": "50.0000",
        "COD_rows": "24 of 24",
    }


@pytest.mark.parametrize(("known", "mass", "mean"), [(18, "43.200000", "50.0000"), (17, "NA", "NA"), (0, "NA", "NA")])
def test_a_day_needs_three_quarters_of_its_rows_and_takes_their_mean_for_the_rest(
    tmp_path: Path, known: int, mass: str, mean: str
) -> None:
    (row,) = totals(tmp_path, _day(["10,50"] * known + ["10,"] * (24 - known)))
    assert (row["COD_kg"], row["COD_mean"], row["COD_rows"]) == (mass, mean, f"{known} of 24")
    assert row["volume_m3"] == "864.000"


@pytest.mark.parametrize(("known", "volume"), [(18, "648.000"), (17, "NA"), (1, "NA")])
def test_a_day_with_too_few_rows_has_no_volume(tmp_path: Path, known: int, volume: str) -> None:
    (row,) = totals(tmp_path, _day(["10,50"] * known))
    assert (row["volume_m3"], row["rows"], row["COD_kg"] == "NA") == (volume, f"{known} of 24", volume == "NA")


def test_a_still_day_has_a_mass_of_0_and_no_mean(tmp_path: Path) -> None:
    (row,) = totals(tmp_path, _day(["0,"] * 24))
    assert (row["COD_kg"], row["COD_mean"], row["rows"]) == ("0.000000", "NA", "24 of 24")


def test_an_hour_is_made_of_the_ten_minutes_that_there_are(tmp_path: Path) -> None:
    text = "time,flow,COD\n2026-06-01 00:10,10,50\n2026-06-01 00:20,30,70\n2026-06-01 01:10,10,50\n"
    rows = totals(tmp_path, text, every=Every.TEN_MINUTES, by=By.HOUR)
    assert [(row["start"], row["volume_m3"], row["COD_kg"], row["COD_mean"], row["rows"]) for row in rows] == [
        ("2026-06-01 00:00", "24.000", "1.560000", "65.0000", "2 of 6"),
        ("2026-06-01 01:00", "6.000", "0.300000", "50.0000", "1 of 6"),
    ]


def test_a_time_that_names_the_end_belongs_to_the_interval_before(tmp_path: Path) -> None:
    text = "time,flow,COD\n2026-06-01 00:10,10,50\n2026-06-01 01:00,10,50\n"
    rows = totals(tmp_path, text, every=Every.TEN_MINUTES, by=By.HOUR, label=Label.END)
    assert [(row["start"], row["rows"]) for row in rows] == [("2026-06-01 00:00", "2 of 6")]
    hours = totals(tmp_path, "time,flow,COD\n2026-06-02 00:00,10,50\n", label=Label.END)
    assert [row["start"] for row in hours] == ["2026-06-01"]
    days = totals(tmp_path, "time,flow,COD\n2026-06-02,10,50\n", every=Every.DAY, label=Label.END)
    assert [(row["start"], row["COD_kg"]) for row in days] == [("2026-06-02", "43.200000")]


def test_sites_have_totals_of_their_own_in_order(tmp_path: Path) -> None:
    text = "time,site,flow,COD\n2026-06-02,B,10,50\n2026-06-01,B,10,50\n2026-06-01,A,10,50\n2026-06-01,A,10,50\n"
    rows = totals(tmp_path, text, every=Every.DAY)
    assert [(row["site"], row["start"], row["volume_m3"]) for row in rows] == [
        ("A", "2026-06-01", "864.000"),
        ("B", "2026-06-01", "864.000"),
        ("B", "2026-06-02", "864.000"),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("time,COD\n2026-06-01 00:00,5\n", "flow"),
        ("time,flow\n2026-06-01 00:00,5\n", "no concentration"),
        ("flow,COD\n1,5\n", "time"),
        ("time,flow,COD,COD_kg\n2026-06-01 00:00,5,5,5\n", "twice"),
        ("time,flow(furlong),COD\n2026-06-01 00:00,5,5\n", "furlong"),
        ("time,flow,COD\n2026-06-01 00:00,5\n", "2 cells"),
        ("", "empty"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_and_nothing_is_written(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        run(tmp_path, text)
    assert not (tmp_path / "out.csv").exists()


def test_totals_may_not_be_shorter_than_the_rows(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="totals by hour"):
        totals(tmp_path, "time,flow,COD\n2026-06-01,5,5\n", every=Every.DAY, by=By.HOUR)


def test_a_table_without_rows_stays_one(tmp_path: Path) -> None:
    report, rows = run(tmp_path, "time,flow,COD\n")
    assert (report.rows, rows) == (0, [])


def test_small_masses_are_not_lost_in_rounding(tmp_path: Path) -> None:
    # 5 L/s x 3600 s x 0.001 mg/L of antimony is 18 mg.
    _, (row,) = run(tmp_path, "time,flow,Sb\n2026-06-01 00:00,5,0.001\n")
    assert row["Sb_kg"] == "0.000018"


def test_the_command_says_what_it_made(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text(_day(["10,50"] * 24), encoding="utf-8")
    out, day = tmp_path / "out.csv", tmp_path / "day.csv"
    done = CliRunner().invoke(app, ["calc", "load", str(source), "-o", str(out), "--totals", str(day)])
    assert (done.exit_code, done.stdout.strip()) == (0, "24 rows; 24 with a mass of COD; 1 totals")
    assert _read(day)[0]["COD_kg"] == "43.200000"
