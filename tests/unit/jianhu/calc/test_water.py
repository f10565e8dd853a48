from __future__ import annotations

import csv
import tracemalloc
from pathlib import Path

import pytest

from jianhu.calc.water import ADDED, ClassReport, calc_class
from sensors.errors import ConfigError, EdgeError
from streams.water.standards import Body, Profile

HEADER = "省份,流域,断面名称,监测时间,水质类别,水温,pH,溶解氧,电导率,浊度,高锰酸盐指数,氨氮,总磷,总氮"
FIVE = ("pH", "溶解氧", "高锰酸盐指数", "氨氮", "总磷")
FRONT = "浙江省,钱塘江流域,某断面,04-05 08:00,Ⅱ,18.1"


class Table:
    def __init__(self, folder: Path) -> None:
        self.source, self.target = folder / "in.csv", folder / "out.csv"

    def run(self, data: str | bytes, body: Body = Body.RIVER, profile: Profile = Profile.PLATFORM) -> ClassReport:
        self.source.write_bytes(data.encode() if isinstance(data, str) else data)
        return calc_class(self.source, self.target, body=body, profile=profile)

    def rows(self) -> list[dict[str, str]]:
        with self.target.open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    def one(self, items: str, body: Body = Body.RIVER, profile: Profile = Profile.PLATFORM) -> list[str]:
        """Judge pH, DO, EC, NTU, CODMn, NH3-N, TP, TN."""
        self.run(f"{HEADER}\n{FRONT},{items}\n", body, profile)
        (row,) = self.rows()
        return [row[name] for name in ADDED]


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table(tmp_path)


def test_a_row_of_the_platform_gets_its_class_and_keeps_its_cells(table: Table) -> None:
    cells = "7.5,8.0,300,12,3.0,0.30,0.060,2.5"
    report = table.run(f"{HEADER}\n{FRONT},{cells}\n")
    (row,) = table.rows()
    assert list(row) == [*HEADER.split(","), *ADDED]
    assert list(row.values())[:14] == [*FRONT.split(","), *cells.split(",")]
    assert [row[name] for name in ADDED] == ["Ⅱ", "5/21", "高锰酸盐指数;氨氮;总磷", "", ""]
    assert "live class, 5 of 21 items" in str(report)
    assert (report.rows, dict(report.classes)) == (1, {"Ⅱ": 1})


@pytest.mark.parametrize(
    ("items", "found"),
    [
        ("7,8,,,2,0.15,0.02,9", ["Ⅰ", "5/21", "", "", ""]),
        ("7,7.4999,,,2,0.15,0.02,9", ["Ⅱ", "5/21", "溶解氧", "", ""]),
        ("7,8,,,6.0000000001,0.15,0.02,9", ["Ⅳ", "5/21", "高锰酸盐指数", "高锰酸盐指数 <0.01", ""]),
        ("7,8,,,6,0.15,0.25,9", ["Ⅳ", "5/21", "总磷", "总磷 0.25", ""]),
        ("7,2.5,,,9,1.6,0.02,9", ["Ⅴ", "5/21", "溶解氧;氨氮", "氨氮 0.60; 溶解氧; 高锰酸盐指数 0.50", ""]),
        ("9.01,8,,,2,0.15,0.02,9", ["劣Ⅴ", "5/21", "pH", "pH", ""]),
        ("7,8,,,2,--,0.02,9", ["Ⅰ", "4/21", "", "", "氨氮: missing"]),
        ("7,8,,,2,-999,x,9", ["Ⅰ", "3/21", "", "", "氨氮: a code for no value; 总磷: not a number"]),
        ("15,8,,,2,0.1,0.02,9", ["Ⅰ", "4/21", "", "", "pH: outside physical bounds"]),
        ("7,8,,,2,0.3L,0.02,9", ["Ⅰ", "5/21", "", "", "氨氮: below detection, half of the limit taken"]),
        ("*,*,,,*,--,-,9", ["NA", "0/21", "", "", "; ".join(f"{item}: missing" for item in FIVE)]),
    ],
)  # fmt: skip
def test_the_live_class_is_that_of_the_worst_of_five_unrounded_items(
    table: Table, items: str, found: list[str]
) -> None:
    assert table.one(items) == found


def test_lakes_have_their_own_phosphorus(table: Table) -> None:
    assert table.one("7,8,,,2,0.15,0.05,9")[:3] == ["Ⅱ", "5/21", "总磷"]
    assert table.one("7,8,,,2,0.15,0.05,9", Body.LAKE)[:3] == ["Ⅲ", "5/21", "总磷"]


def test_the_evaluation_rounds_period_means_and_counts_every_item(table: Table) -> None:
    assert table.one("7,8,,,6.04,1.004,0.2004,9")[0] == "Ⅳ"
    assert table.one("7,8,,,6.04,1.004,0.2004,9", profile=Profile.EVALUATION)[0] == "Ⅲ"
    table.run("pH,DO,CODMn,NH3-N,TP,Pb,Hg,氟化物\n7,8,2,0.1,0.02,0.06,0.00004,1.1\n", profile=Profile.EVALUATION)
    (row,) = table.rows()
    assert [row[name] for name in ADDED] == ["Ⅴ", "8/21", "Pb", "Pb 0.20; 氟化物 0.10", ""]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gbk"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_sheet_from_a_spreadsheet_is_read(table: Table, encoding: str, ends: str) -> None:
    text = ends.join([HEADER, f"{FRONT},7,8,,,2,0.15,0.02,9", ""])
    table.run(text.encode(encoding))
    assert [row["class"] for row in table.rows()] == ["Ⅰ"]
    assert table.rows()[0]["断面名称"] == "某断面"


@pytest.mark.parametrize(
    ("data", "word"),
    [("", "empty"), ("a,b\n1,2\n", "溶解氧"), (HEADER.replace("总磷", "磷") + "\n", "总磷"), ("\xff\xfe\x00", "text"),
     (f"{HEADER},class\n", "class"), (f"{HEADER}\n1,2\n", "cells"), (HEADER.replace("氨氮", "氨氮(ppm)"), "ppm")],
)  # fmt: skip
def test_what_is_no_such_table_is_an_error_and_nothing_is_written(table: Table, data: str, word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        table.run(data.encode("latin-1") if "\xff" in data else data)
    assert not table.target.exists()


def test_a_header_alone_gives_a_header(table: Table) -> None:
    assert table.run(HEADER + "\n").rows == 0
    assert table.target.read_text(encoding="utf-8").strip() == f"{HEADER},{','.join(ADDED)}"


def test_a_file_that_cannot_be_written_is_an_edge_error(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text(f"{HEADER}\n{FRONT},7,8,,,2,0.15,0.02,9\n", encoding="utf-8")
    with pytest.raises(EdgeError):
        calc_class(source, tmp_path / "none" / "out.csv", body=Body.RIVER, profile=Profile.PLATFORM)


def test_bad_cells_are_counted_by_column(table: Table) -> None:
    report = table.run(f"{HEADER}\n{FRONT},x,8,,,2,-999,0.02,9\n{FRONT},y,8,,,2,0.1,0.02,9\n")
    assert dict(report.bad_cells) == {"pH": 2, "氨氮": 1}
    assert "2 in pH, 1 in 氨氮" in str(report)


def test_a_huge_file_is_worked_on_in_pieces(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jianhu.sheet._BLOCK_BYTES", 1 << 15)
    monkeypatch.setattr("jianhu.sheet._PIECE_BYTES", 1 << 16)
    lines = (f"{FRONT},7,8,,,{2 + at % 7},0.15,0.02,9\n" for at in range(40_000))
    with table.source.open("w", encoding="utf-8") as sink:
        sink.write(f"{HEADER}\n")
        sink.writelines(lines)
    calc_class(table.source, table.target, body=Body.RIVER, profile=Profile.PLATFORM)  # what is read once is read
    tracemalloc.start()
    try:
        report = calc_class(table.source, table.target, body=Body.RIVER, profile=Profile.PLATFORM)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert report.rows == 40_000
    assert peak < table.source.stat().st_size / 2
    assert [row["class"] for row in table.rows()[:7]] == ["Ⅰ", "Ⅱ", "Ⅱ", "Ⅲ", "Ⅲ", "Ⅳ", "Ⅳ"]
