from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from jianhu import cli
from jianhu.family import PARENT
from jianhu.up import UpOptions
from sensors.errors import ConfigError, EdgeError, JianhuError
from tests.embedded import Embedded

COMMANDS = [
    "up", "topics", "worker", "archive", "sink", "watch", "steward", "alerts", "console", "simulate", "tick", "feed",
    "check", "calc",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("JIANHU_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, list(arguments))


def test_without_a_command_the_commands_are_shown() -> None:
    found = run()
    assert [name for name in COMMANDS if name not in found.output] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_does(command: str) -> None:
    found = run(command, "--help")
    assert found.exit_code == 0
    assert "Usage" in found.output


@pytest.mark.parametrize(
    ("text", "seconds"), [("", None), ("60s", 60), ("5m", 300), ("2h", 7200), ("0s", 0), ("1.5m", 90), ("007s", 7)]
)
def test_a_duration_is_read(text: str, seconds: float | None) -> None:
    assert cli._seconds(text) == seconds


@pytest.mark.parametrize(
    "text", ["s", "60", "-5s", "nans", "infs", "1e9s", "5 m", "5d", "5M", "1_0s", "٣s", "1.s", "5m\n", "9999999999s"]
)
def test_what_is_no_duration_is_refused_with_how_to_write_it(text: str) -> None:
    found = run("up", "--for", text)
    assert found.exit_code == 2
    assert "60s, 5m or 2h" in found.output


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[UpOptions]:
    noted: list[UpOptions] = []

    def note(options: UpOptions, *_: object) -> int:
        noted.append(options)
        return 7

    monkeypatch.setattr("jianhu.up.run_up", note)
    return noted


def test_up_starts_the_simulated_region_in_a_folder_of_its_own(asked: list[UpOptions]) -> None:
    assert run("up").exit_code == 7
    assert asked == [
        UpOptions(folder=Path("jianhu-data"), real=False, speed=1.0, port=8420, stop_after_s=None, wall_clock=True)
    ]


def test_up_takes_a_real_folder_and_the_clock_of_its_data(asked: list[UpOptions], tmp_path: Path) -> None:
    run("up", "--real", str(tmp_path), "--data-clock", "--speed", "3", "--port", "1", "--for", "2m")
    assert asked == [UpOptions(folder=tmp_path, real=True, speed=3.0, port=1, stop_after_s=120.0, wall_clock=False)]


@pytest.mark.parametrize(
    "option", [("--speed", "0"), ("--port", "65536"), ("--port", "-1"), ("--port", "x"), ("--dirr", "x")]
)
def test_up_refuses_what_is_out_of_bounds(asked: list[UpOptions], option: tuple[str, str]) -> None:
    assert run("up", *option).exit_code == 2
    assert asked == []


@pytest.mark.parametrize("command", ["topics", "worker", "archive", "tick"])
def test_a_command_without_a_broker_says_what_to_set(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "_stop_on_signals", lambda: None)
    found = run(command)
    assert isinstance(found.exception, ConfigError)
    assert found.exception.key == "JIANHU_KAFKA"


def test_a_misspelt_setting_is_refused_by_every_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIANHU_KAFAK", "x")
    for command in ("topics", "check"):
        found = run(command)
        assert isinstance(found.exception, ConfigError)
        assert found.exception.key == "JIANHU_KAFAK"


def test_check_reads_everything_that_a_start_would_need(tmp_path: Path) -> None:
    from jianhu import up  # noqa: PLC0415

    up._prepare(tmp_path, real=False)
    found = run("check", "--dir", str(tmp_path))
    assert found.output == run("check", str(tmp_path)).output
    assert found.exit_code == 0
    told = dict(line.split(": ", 1) for line in found.output.splitlines() if ": " in line)
    assert re.fullmatch(r"[0-9]+ entries", told["registry"])
    assert told["kinds"] == "air, ecoflow, meteo, noise, operation, outfall, voc, water"
    assert told["standards"].startswith("pack ")
    assert int(told["rules"]) > 0
    assert found.output.endswith("The configuration is good.\n")


def test_check_of_an_empty_folder_names_the_file_that_is_missing(tmp_path: Path) -> None:
    found = run("check", "--dir", str(tmp_path))
    assert found.exit_code == cli.EXIT_WRONG == 1
    assert found.output.startswith(str(tmp_path / "registry.yaml"))


def test_check_tells_every_error_on_a_line_and_counts_them_in_both_languages(tmp_path: Path) -> None:
    wrong = REGISTRY.replace("zone: 2, period: hour", "zone: 3, period: week")
    (tmp_path / "registry.yaml").write_text(wrong + REGISTRY.partition("sites:\n")[2], encoding="utf-8")
    (tmp_path / "rules.yaml").write_text("rules: \n", encoding="utf-8")
    found = run("check", str(tmp_path), "--language", "zh")
    assert found.exit_code == 1
    assert found.output.splitlines()[-1] == "共 2 处错误。"
    assert [line.partition(": ")[0] for line in found.output.splitlines()[:-1]] == [
        f"{tmp_path / 'registry.yaml'}:5", f"{tmp_path / 'rules.yaml'}:1",
    ]  # fmt: skip


REGISTRY = """
region: {zh: 某地, en: Somewhere}
synthetic: false
sites:
  - {id: S1, name: {zh: 站, en: Site}, class: urban, lon: 116, lat: 39, county: 某区, zone: 2, period: hour,
     origin: document, source: a test, from: 2010-01-01}
"""


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Embedded:
    found = Embedded()
    (tmp_path / "registry.yaml").write_text(REGISTRY, encoding="utf-8")
    for name, value in (("KAFKA", found.bootstrap), ("PREFIX", "t"), ("DIR", str(tmp_path)), ("LOG_ID", "log")):
        monkeypatch.setenv(f"JIANHU_{name}", value)
    monkeypatch.setattr(cli, "_stop_on_signals", cli.threading.Event)  # type: ignore[attr-defined]
    return found


def test_feed_sends_a_file_and_says_how_much(broker: Embedded, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("time,site,PM2.5\n2016-12-20 08:00,S1,5\n2016-12-20 09:00,S1,6\n2016-12-20 09:00,S9,6\n")
    found = run("feed", str(path))
    assert found.exit_code == 0, found.output
    assert "sent 2 rows of 2 hours; 1 went to the dead letters" in found.output
    assert len(broker.records(broker.topics.deadletter)) == 1


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        (("--since", "2016-12-20T08:00:00"), 1),
        (("--until", "2016-12-20T08:00:00"), 1),
        (("--since", "2016-12-21"), 0),
        (("--until", "2016-12-20 07:00:00"), 0),
        ((), 2),
    ],
)
@pytest.mark.usefixtures("broker")
def test_feed_sends_the_hours_asked_for_in_beijing_time(tmp_path: Path, options: tuple[str, ...], rows: int) -> None:
    path = tmp_path / "in.csv"
    path.write_text("time,site,PM2.5\n2016-12-20 08:00,S1,5\n2016-12-20 09:00,S1,6\n")
    assert f"sent {rows} rows" in run("feed", str(path), *options).output


@pytest.mark.parametrize(
    "arguments", [(), ("nowhere.csv",), (".",), (__file__, "--format", "xls"), (__file__, "--since", "noon")]
)
def test_feed_refuses_what_it_cannot_send(arguments: tuple[str, ...]) -> None:
    assert run("feed", *arguments).exit_code == 2


def test_feed_into_a_folder_on_which_nothing_runs_says_what_to_start(tmp_path: Path) -> None:
    found = run("feed", __file__, "--dir", str(tmp_path))
    assert isinstance(found.exception, ConfigError)
    assert "jianhu up --dir" in found.exception.mend


def test_calc_gives_indices_of_a_file_and_says_how_many(tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("time,site,PM2.5,PM10,SO2,NO2,CO,O3\n2016-12-20 08:00,S1,75,150,50,40,2,160\n")
    found = run("calc", "aqi", str(source), "-o", str(target))
    assert found.exit_code == 0, found.output
    assert "S1" in target.read_text(encoding="utf-8")


@pytest.mark.parametrize("option", [("--period", "8h"), ("--profile", "mine"), ("--label", "middle")])
def test_calc_names_what_may_be_chosen(tmp_path: Path, option: tuple[str, str]) -> None:
    source = tmp_path / "in.csv"
    source.write_text("time,site\n")
    found = run("calc", "aqi", str(source), "-o", str(tmp_path / "out.csv"), *option)
    assert found.exit_code == 2
    assert f"{option[1]!r} is none of" in found.output


@pytest.fixture
def _ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jianhu.names.refuse_foreign_names", lambda: None)


@pytest.mark.usefixtures("_ours")
@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (ConfigError(file="f", line=3, key="k", problem="p", mend="m"), 2, "jianhu: f:3: k: p; m\n"),
        (EdgeError("the broker is gone"), 3, "jianhu: the broker is gone\n"),
        (JianhuError("[red]x[/] \x1b[2J\r\n\u202e"), 3, "jianhu: [red]x[/] ?[2J???\n"),
    ],
)
def test_an_error_of_ours_is_one_plain_line_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, code: int, told: str
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(cli, "app", fail)
    monkeypatch.setattr(cli, "screen", Console(stderr=True, width=200))
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == code
    assert capsys.readouterr().err == told


@pytest.mark.usefixtures("_ours")
def test_a_fault_that_is_not_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(RuntimeError, match="a bug"):
        cli.main()


@pytest.mark.usefixtures("_ours")
def test_a_parent_that_is_no_process_is_told_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(PARENT, "nobody")
    monkeypatch.setattr(sys, "argv", ["jianhu", "check"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == cli.EXIT_CONFIG
    assert "no process id" in capsys.readouterr().err
