from __future__ import annotations

import csv
from pathlib import Path

import pytest

from jianhu.calc.tli import TrophicReport, calc_tli
from sensors.errors import ConfigError

ADDED = ["TLI_Chla", "TLI_TP", "TLI_TN", "TLI_SD", "TLI_CODMn", "TLI", "grade", "grade_en", "reason"]


def run(folder: Path, text: str) -> tuple[TrophicReport, list[dict[str, str]]]:
    source, target = folder / "in.csv", folder / "out.csv"
    source.write_text(text, encoding="utf-8")
    report = calc_tli(source, target)
    with target.open(encoding="utf-8", newline="") as stream:
        return report, list(csv.DictReader(stream))


def test_the_published_vector_comes_out(tmp_path: Path) -> None:
    report, (row,) = run(tmp_path, "湖库,叶绿素a,总磷,总氮,透明度,高锰酸盐指数\n长诏水库,10,0.05,1.0,1.0,4.0\n")
    assert row["湖库"] == "长诏水库"
    assert [row[name] for name in ADDED] == [
        "50.01", "45.71", "54.53", "51.18", "37.98", "48.02", "中营养", "mesotrophic", "",
    ]  # fmt: skip
    assert (report.rows, dict(report.grades)) == (1, {"中营养": 1})


def test_units_in_the_header_are_brought_to_those_of_the_formula(tmp_path: Path) -> None:
    _, (row,) = run(tmp_path, "Chla(mg/L),TP(µg/L),TN,SD(cm),CODMn\n0.010,50,1.0,100,4.0\n")
    assert row["TLI"] == "48.02"


@pytest.mark.parametrize(
    ("cells", "reason"),
    [("10,0.05,1.0,,4.0", "SD: missing"), ("10,0,1.0,1.0,x", "TP: not above 0; CODMn: not a number")],
)
def test_without_an_item_there_is_no_index_but_the_single_ones(tmp_path: Path, cells: str, reason: str) -> None:
    report, (row,) = run(tmp_path, f"Chla,TP,TN,SD,CODMn\n{cells}\n")
    assert (row["TLI"], row["grade"], row["grade_en"], row["reason"]) == ("NA", "NA", "NA", reason)
    assert (row["TLI_Chla"], row["TLI_TN"]) == ("50.01", "54.53")
    assert "0 with a trophic index" in str(report)


def test_a_sheet_without_transparency_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="透明度"):
        run(tmp_path, "Chla,TP,TN,CODMn\n10,0.05,1.0,4.0\n")
