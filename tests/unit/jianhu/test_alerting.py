"""``jianhu alerts`` over the journal of a small region."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from alerts.states import State
from jianhu import alerting, cli
from sensors.errors import ConfigError, StoreError
from tests.unit.dashboards.building import NASTY, House, hour_of, house, over_limit, site

ALARM = "\x1b[31m\x07"
"""What would colour a terminal and ring its bell."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    for name in os.environ:
        if name.startswith("JIANHU_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("JIANHU_ALERTS_URL", f"sqlite:///{tmp_path}/alerts.db")
    monkeypatch.setenv("JIANHU_DIR", str(tmp_path))
    with house(tmp_path) as made:
        made.say(*hour_of("A", 0), *over_limit("A", 1))
        yield made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["alerts", *arguments])


def told(*arguments: str) -> Any:
    found = run(*arguments, "--json")
    assert found.exit_code == 0, found.output
    return json.loads(found.output)


def first_id() -> str:
    return str(told("list")["alerts"][0]["id"])


@pytest.mark.usefixtures("home")
def test_list_says_what_waits_with_its_place_its_value_and_its_limit() -> None:
    found = run("list")
    assert found.exit_code == 0
    (line,) = [line for line in found.output.splitlines() if "NO2" in line]
    assert "  raised  11-21 01:00  A  NO2 1 h over the limit  230 µg/m³ / 200 µg/m³" in line


@pytest.mark.usefixtures("home")
def test_list_speaks_chinese_when_asked() -> None:
    assert "NO2 1小时超标" in run("list", "--language", "zh").output


@pytest.mark.usefixtures("home")
def test_names_of_sites_stand_beside_their_ids_where_the_registry_is(tmp_path: Path) -> None:
    (tmp_path / "registry.yaml").write_text(REGISTRY, encoding="utf-8")
    assert "  A Site  " in run("list").output
    assert "  A 站  " in run("list", "--language", "zh").output


def test_a_filter_searches_all_and_a_page_ends_in_the_cursor_of_the_next(home: House) -> None:
    home.say(*over_limit("B", 1))
    assert {alert["site"] for alert in told("list", "--site", "B")["alerts"]} == {"B"}
    assert told("list", "--rule", "no-such-rule") == {"alerts": [], "cursor": None}
    every = [alert["id"] for alert in told("list", "--all")["alerts"]]
    first = told("list", "--all", "--limit", "1")
    second = told("list", "--all", "--limit", "1", "--cursor", str(first["cursor"]))
    assert [first["alerts"][0]["id"], second["alerts"][0]["id"]] == every[:2]
    assert f"--cursor {first['cursor']}" in run("list", "--all", "--limit", "1").output


@pytest.mark.usefixtures("home")
def test_a_span_is_in_beijing_time() -> None:
    assert told("list", "--from", "2026-11-21T02:00:00")["alerts"] == []
    assert told("list", "--to", "2026-11-21T01:00:00")["alerts"] == []
    assert told("list", "--from", "2026-11-21T01:00:00", "--to", "2026-11-21T02:00:00")["alerts"] != []


@pytest.mark.usefixtures("home")
def test_show_says_the_clause_of_the_limit() -> None:
    shown = run("show", first_id()).output
    assert "GB 3095" in shown
    assert "2026-11-21 01:00:00" in shown


@pytest.mark.usefixtures("home")
def test_why_gives_inputs_rows_and_history() -> None:
    one = first_id()
    found = told("why", one)
    assert found["raised_by"]["inputs"] == "0000000000000007"
    assert [step["kind"] for step in found["steps"]] == ["raised"]
    assert found["points"][0]["value"] == 23_000
    text = run("why", one).output
    assert "inputs  0000000000000007 · pack pack" in text
    assert "system  raised" in text


@pytest.mark.usefixtures("home")
def test_why_gives_the_note_of_a_closing_as_it_was_written() -> None:
    one = first_id()
    assert run("ack", one, "--author", "张三").exit_code == 0
    assert run("close", one, "--author", "李四", "--note", "已通知企业停产").exit_code == 0
    text = run("why", one).output
    assert "张三  acknowledged  somebody took notice" in text
    assert "李四  closed  已通知企业停产" in text


def test_an_acknowledgement_is_kept_with_its_author(home: House) -> None:
    one = first_id()
    done = told("ack", one, "--author", "张三")
    assert done["refused"] == []
    assert done["done"][0]["acknowledged"]["author"] == "张三"
    assert home.desk.inner.event(one).event.state is State.ACKNOWLEDGED


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("arguments", [("ack", "x"), ("close", "x", "--note", "n"), ("close", "x", "--author", "a")])
def test_an_act_without_a_name_or_a_note_is_no_command(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


@pytest.mark.usefixtures("home")
def test_an_act_with_an_empty_name_is_refused() -> None:
    found = run("ack", first_id(), "--author", "  ")
    assert found.exit_code == alerting.EXIT_NOT_DONE
    assert "an act needs a name" in found.output


def test_of_several_acts_the_good_ones_are_done_and_the_others_told(home: House) -> None:
    one = first_id()
    found = run("ack", one, "no-such", "--author", "张三")
    assert found.exit_code == 1
    assert "no-such: the alert journal has no 'no-such'" in found.output
    assert home.desk.inner.event(one).event.state is State.ACKNOWLEDGED
    again = run("ack", one, "--author", "李四", "--json")
    assert again.exit_code == 1
    assert json.loads(again.output) == {"done": [], "refused": [{"id": one, "refused": "acknowledged already"}]}


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("command", ["show", "why"])
def test_an_unknown_id_ends_with_one_and_says_so(command: str) -> None:
    found = run(command, f"x{ALARM}")
    assert (found.exit_code, "\x1b" in found.output, "\x07" in found.output) == (1, False, False)
    assert "the alert journal has no" in found.output


def test_names_from_outside_reach_no_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIANHU_ALERTS_URL", f"sqlite:///{tmp_path}/alerts.db")
    monkeypatch.setenv("JIANHU_DIR", str(tmp_path))
    with house(tmp_path, site("A")) as made:
        made.say(*over_limit("A", 1))
        one = first_id()
        made.desk.inner.acknowledge(one, NASTY + ALARM, 1)
        for arguments in (("list",), ("show", one), ("why", one)):
            assert not {"\x1b", "\x07", "\u2028"} & set(run(*arguments).output)


def test_where_there_are_no_alerts_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JIANHU_ALERTS_URL", raising=False)
    found = run("list", "--dir", str(tmp_path))
    assert isinstance(found.exception, ConfigError)
    assert "there are no alerts here; name the folder of a `jianhu up`" in str(found.exception)
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_away_is_an_edge_and_no_empty_list(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JIANHU_ALERTS_URL", f"sqlite:///{tmp_path}/no/such/folder.db")
    assert isinstance(run("list").exception, StoreError)


def test_the_desk_is_read_only_when_it_is_asked_for() -> None:
    assert {"list", "show", "why", "ack", "close"} <= set(cli._AlertDesk(name="alerts")._all().commands)


REGISTRY = """
region: {zh: 某地, en: Somewhere}
synthetic: false
sites:
  - {id: A, name: {zh: 站, en: Site}, class: urban, lon: 116, lat: 39, county: 某区, zone: 2, period: hour,
     origin: document, source: a test, from: 2010-01-01}
"""
