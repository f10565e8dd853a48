"""``jianhu alerts`` on cases, silences, routes and handovers, over a small configured region."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from alerts.cases.states import CaseState
from jianhu import cli
from tests.unit.dashboards.building import House, hour_of, house, over_limit, site

REGISTRY = """
region: {zh: 某地, en: Somewhere}
synthetic: true
sites:
  - {id: A, name: {zh: 站（模拟）, en: Site (simulated)}, class: urban, lon: 116, lat: 39, county: 某区,
     zone: 2, period: hour, origin: synthetic, source: a test, from: 2010-01-01}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    for name in os.environ:
        if name.startswith("JIANHU_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("JIANHU_ALERTS_URL", f"sqlite:///{tmp_path}/alerts.db")
    monkeypatch.setenv("JIANHU_DIR", str(tmp_path))
    (tmp_path / "registry.yaml").write_text(REGISTRY, encoding="utf-8")
    with house(tmp_path, site("A")) as made:
        made.say(*hour_of("A", 0), *over_limit("A", 1))
        made.settle()
        yield made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["alerts", *arguments])


def told(*arguments: str, code: int = 0) -> Any:
    found = run(*arguments, "--json")
    assert found.exit_code == code, (found.output, found.exception)
    return json.loads(found.output)


def case_of(home: House) -> str:
    return home.office.cases.open_cases(home.wall)[0].id


def test_open_cases_are_listed_and_one_is_shown_with_what_may_be_done(home: House) -> None:
    case = case_of(home)
    assert run("cases").output.startswith(f"{case}  raised  not verified  A")
    shown = run("case", case, "--language", "zh").output
    assert "立案" in shown
    assert "签收" in shown
    assert told("case", case)["case"]["id"] == case


def test_a_case_goes_its_way_from_the_command_line(home: House) -> None:
    case, by = case_of(home), ("--author", "张三")
    assert told("take-notice", case, *by)["state"] == "acknowledged"
    assert told("verify", case, *by, "--note", "核实", "--verdict", "true")["verdict"] == "true"
    given = told("hand-over", case, *by, "--note", "限期", "--to", "某公司", "--due", "2036-11-22T18:00:00")
    assert (given["owner"], given["due_at"]) == ("other:某公司", 2_110_960_800_000)
    assert told("urge", case, *by, "--note", "催办")["state"] == "urged"
    evidence = ("--evidence", f"file:a.jpg:{'a' * 64}", "--evidence", "text:工单 7")
    assert told("rectify", case, *by, "--note", "已改", *evidence)["state"] == "rectified"
    assert told("report", case, *by, "--note", "已报")["state"] == "reported"
    steps = home.office.cases.case(case).steps
    assert [one["kind"] for one in steps[-2].evidence["references"]] == ["file", "text"]
    assert {step.author for step in steps if step.author != "jianhu"} == {"张三"}


def test_a_case_is_found_by_one_of_its_alerts(home: House) -> None:
    event = home.office.cases.open_cases(home.wall)[0].opened_by
    assert told("take-notice", event, "--author", "张三")["id"] == case_of(home)


def test_an_act_that_the_state_refuses_ends_with_one_and_says_why(home: House) -> None:
    case = case_of(home)
    refused = run("verify", case, "--author", "张三", "--note", "x", "--verdict", "true", "--language", "zh")
    assert (refused.exit_code, "不能核实：尚未签收" in refused.output) == (1, True)
    assert told("write-off", case, "--author", "张三", "--note", "x", code=1)["refused"]
    assert told("note", "nothing", "--author", "张三", "--note", "x", code=1)["refused"]
    assert home.office.cases.case(case).case.state is CaseState.RAISED


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "c", "--note", "x", "--verdict", "true"),
        ("verify", "c", "--author", "a", "--note", "x", "--verdict", "maybe"),
        ("hand-over", "c", "--author", "a", "--note", "x"),
        ("rectify", "c", "--author", "a", "--evidence", "nonsense"),
        ("silence", 'site="A"', "--author", "a"),
        ("shift-give",),
    ],
)
def test_an_act_without_what_it_needs_is_no_command(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_a_silence_is_set_listed_and_ended(home: House) -> None:
    made = told("silence", 'site="A"', "--author", "张三", "--reason", "换滤膜", "--hours", "1")
    assert (made["state"], made["matchers"]) == ("active", ['site="A"'])
    assert "换滤膜" in run("silences").output
    again = told("silence", 'site="B"', "--author", "张三", "--reason", "换泵", "--hours", "2")
    assert [one["id"] for one in told("silences")] == [made["id"], again["id"]], "one document, however many there are"
    assert told("expire", again["id"], "--author", "李四", "--reason", "误设")["state"] == "expired"
    assert told("expire", made["id"], "--author", "李四", "--reason", "已换完")["expired_by"] == "李四"
    assert run("silences").output == ""
    assert told("silences") == []
    assert told("silence", 'priority="1"', "--author", "a", "--reason", "x", code=1)["refused"]
    assert home.office.silences is not None


@pytest.mark.usefixtures("home")
def test_a_site_that_nobody_owns_ends_with_one_and_names_the_gap() -> None:
    found = run("route", "A")
    assert found.exit_code == 1
    assert "missing: owner" in found.output
    assert run("route", "nowhere").exit_code == 1


@pytest.mark.usefixtures("home")
def test_a_message_is_previewed_and_nothing_is_written() -> None:
    shown = run("preview", "raised")
    assert shown.exit_code == 0, shown.exception
    assert "模拟" in shown.output
    assert run("preview", "nonsense").exit_code == 1


@pytest.mark.usefixtures("home")
def test_a_test_message_to_a_channel_that_does_not_exist_is_refused() -> None:
    assert run("test-send", "nowhere", "x").exit_code == 1


def test_a_shift_is_handed_over_and_signed_by_both(home: House) -> None:
    assert "to acknowledge" in run("shift").output
    given = told("shift-give", "--author", "张三", "--note", "盯住 A 站")
    assert told("shift")["waiting"]["number"] == given["number"]
    assert told("shift-take", str(given["number"]), "--author", "张三", code=1)["refused"]
    taken = told("shift-take", str(given["number"]), "--author", "李四")
    assert (taken["taking"]["author"], taken["proof"]) == ("李四", "sound")
    assert told("shift")["waiting"] is None
    assert told("shift-take", "999", "--author", "李四", code=1)["refused"]
    assert home.office.book.handover(given["number"]).content.notes == "盯住 A 站"
