"""The commands of ``jianhu calc`` beside ``aqi``: what they take, say and refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from jianhu.cli import app

WATER = "断面名称,监测时间,pH,溶解氧,高锰酸盐指数,氨氮,总磷\n甲,04-05 08:00,7,8,7,0.1,0.05\n"
LAKE = "Chla,TP,TN,SD,CODMn\n10,0.05,1.0,1.0,4.0\n"


@pytest.mark.parametrize(
    ("command", "text", "said"),
    [
        (("class",), WATER, "live class, 5 of 21 items, river limits"),
        (("class", "--water", "lake", "--profile", "evaluation"), WATER, "class of period means"),
        (("tli",), LAKE, "1 rows, 1 with a trophic index; 1 中营养"),
    ],
)
def test_a_command_writes_its_table_and_says_what_it_made(
    tmp_path: Path, command: tuple[str, ...], text: str, said: str
) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(text, encoding="utf-8")
    found = CliRunner().invoke(app, ["calc", command[0], str(source), "-o", str(target), *command[1:]])
    assert found.exit_code == 0, found.output
    assert said in found.output
    assert target.read_text(encoding="utf-8").startswith(text.split("\n", maxsplit=1)[0])


@pytest.mark.parametrize("option", [("--water", "pond"), ("--profile", "mine")])
def test_class_names_what_may_be_chosen(tmp_path: Path, option: tuple[str, str]) -> None:
    source = tmp_path / "in.csv"
    source.write_text(WATER, encoding="utf-8")
    found = CliRunner().invoke(app, ["calc", "class", str(source), "-o", str(tmp_path / "out.csv"), *option])
    assert found.exit_code == 2
    assert f"{option[1]!r} is none of" in found.output
