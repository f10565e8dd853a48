from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from jianhu import cli
from jianhu.ruletesting import run_delivered, run_file
from sensors.errors import ConfigError

RULES = """
kind: air
backfill_after_hours: 6
rules:
  - {id: pm, kind: threshold, factor: PM2.5, window: 1h, value: 75, unit: µg/m³, author: 张, why: 试}
"""
HEAD = "rules: rules.yaml\nsites: [{id: A, zone: 2}]\ntests:\n"
GOOD = (
    HEAD + "  - name: over\n"
    '    input: [{site: A, factor: PM2.5, from: 2026-12-13T00:00, values: "70 80x2 _ 70"}]\n'
    "    expect: [{rule: pm, site: A, from: 2026-12-13T01:00, to: 2026-12-13T03:00, peak: '80'}]\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "tests.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_tests_of_the_delivered_rules_are_good() -> None:
    outcomes = run_delivered()
    assert [outcome.told() for outcome in outcomes if not outcome.good] == []
    assert len(outcomes) > 5


def test_a_series_of_values_gives_the_expected_events(folder: Path) -> None:
    (outcome,) = run_file(write(folder, GOOD))
    assert (outcome.good, outcome.told()) == (True, "ok      over")


def test_what_differs_is_told_with_line_what_was_expected_and_what_followed(folder: Path) -> None:
    (outcome,) = run_file(write(folder, GOOD.replace("peak: '80'", "peak: '90'")))
    failed, expected, found = outcome.told().splitlines()
    assert failed == "FAILED line 4: over"
    assert expected == "  - rule: pm, site: A, from: 2026-12-13T01:00, to: 2026-12-13T03:00, peak: 90"
    assert found.startswith("  + rule: pm, site: A, from: 2026-12-13T01:00, factor: PM2.5, to: 2026-12-13T03:00, ")
    assert "peak: 80" in found


def test_an_event_that_nobody_expected_fails_the_test(folder: Path) -> None:
    (outcome,) = run_file(write(folder, GOOD.partition("    expect")[0]))
    assert (outcome.missing, len(outcome.surplus)) == ((), 1)


def test_a_later_revision_withdraws_an_event(folder: Path) -> None:
    text = (
        HEAD + "  - name: mended\n    input:\n"
        '      - {site: A, factor: PM2.5, from: 2026-12-13T00:00, values: "80 70"}\n'
        '      - {site: A, factor: PM2.5, from: 2026-12-13T00:00, values: "60", revision: 2, later_hours: 5}\n'
        "    expect: [{rule: pm, site: A, from: 2026-12-13T00:00, fact: withdrawn}]\n"
    )
    (outcome,) = run_file(write(folder, text))
    assert outcome.good, outcome.told()


def test_values_rise_by_steps_and_repeat(folder: Path) -> None:
    text = GOOD.replace('"70 80x2 _ 70"', '"70+5x3 70"').replace("from: 2026-12-13T01:00", "from: 2026-12-13T02:00")
    (outcome,) = run_file(write(folder, text))
    assert outcome.good, outcome.told()


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("rule: pm,", "rule: pn,", "tests.0.expect.0.rule"),
        ("[{site: A, factor", "[{site: B, factor", "tests.0.input.0.site"),
        ("80x2", "80y2", "tests.0.input.0.values"),
        ("id: A, zone: 2", "id: A, kind: aer", "sites.0.kind"),
        ("from: 2026-12-13T00:00", "from: 2026-12-13", "tests.0.input.0.from"),
        ("from: 2026-12-13T00:00", "from: 2026-13-13T00:00", "tests.0.input.0.from"),
        ("factor: PM2.5", "factor: PM25", "tests.0.input.0.factor"),
        ("name: over", "nam: over", "tests.0.nam"),
        ("tests:\n", "tets:\n", "tets"),
    ],
)
def test_a_wrong_test_is_refused_with_file_line_and_key(folder: Path, old: str, new: str, key: str) -> None:
    path = write(folder, GOOD.replace(old, new))
    with pytest.raises(ConfigError) as refused:
        run_file(path)
    assert (refused.value.file, refused.value.key) == (str(path), key)
    assert refused.value.line
    assert refused.value.mend


def test_the_command_ends_with_1_when_a_test_fails_and_shows_the_difference(folder: Path) -> None:
    good, bad = write(folder, GOOD), folder / "bad.yaml"
    bad.write_text(GOOD.replace("'80'", "'90'"), encoding="utf-8")
    found = CliRunner().invoke(cli.app, ["rules", "test", str(good), str(bad)])
    assert found.exit_code == 1
    assert "1 of 2 tests are good" in found.output
    assert "FAILED line 4: over" in found.output
    assert CliRunner().invoke(cli.app, ["rules", "test", str(good)]).exit_code == 0


def test_other_rules_can_be_put_in_the_place_of_those_a_file_names(folder: Path) -> None:
    other = folder / "other.yaml"
    other.write_text(RULES.replace("value: 75", "value: 85"), encoding="utf-8")
    found = CliRunner().invoke(cli.app, ["rules", "test", str(write(folder, GOOD)), "--rules", str(other)])
    assert found.exit_code == 1


MODES = """
modes:
  - {id: games, kind: guarantee, name: {zh: 保障, en: games}, from: 2026-12-13T00:00:00+08:00,
     to: 2026-12-14T00:00:00+08:00, share: 0.5, author: 局长, why: 保障}
"""


def test_modes_of_the_configuration_hold_where_a_file_names_none(folder: Path) -> None:
    (folder / "modes.yaml").write_text(MODES, encoding="utf-8")
    path = write(folder, GOOD)  # under half the threshold the first hour is over too
    assert CliRunner().invoke(cli.app, ["rules", "test", str(path)]).exit_code == 0
    found = CliRunner().invoke(cli.app, ["rules", "test", str(path), "--dir", str(folder)])
    assert (found.exit_code, "from: 2026-12-13T00:00" in found.output) == (1, True)


def test_the_list_shows_what_holds_on_a_day_and_the_seasons_with_their_trades(tmp_path: Path) -> None:
    winter = CliRunner().invoke(cli.app, ["rules", "list", "--on", "2026-12-13", "--dir", str(tmp_path)])
    summer = CliRunner().invoke(cli.app, ["rules", "list", "--on", "2026-07-01", "--dir", str(tmp_path)])
    assert (winter.exit_code, summer.exit_code) == (0, 0)
    assert ("pm25-day-prone" in winter.output, "o3-prone" in winter.output) == (True, False)
    assert ("pm25-day-prone" in summer.output, "o3-prone" in summer.output) == (False, True)
    assert "建材" in winter.output
    assert "印染" in summer.output
