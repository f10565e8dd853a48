from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from alerts import tables as t
from alerts.journal import Journal, open_journal
from alerts.standing import raise_standing
from alerts.standings import Standing
from alerts.steward import seen, sign_of_life
from jianhu import health
from jianhu.assembly import Assembly
from jianhu.checking import check_configuration
from jianhu.configuration import configuration_files
from jianhu.health import Part
from jianhu.parts import wall_ms
from jianhu.settings import Settings
from jianhu.stewarding import (
    LIVES,
    Unreachable,
    console_address,
    load_alert_sending,
    run_steward,
    run_together,
)
from sensors.errors import ConfigError, EdgeError

ROOT = Path(__file__).resolve().parents[3]
SYNTHETIC = ROOT / "simulators" / "data" / "shangyu"
REAL = ROOT / "sensors" / "data" / "beijing.yaml"
MAIL = "channels:\n  mail:\n    email: {host: smtp.example.test, from: a@example.test}\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A folder with a real registry."""
    shutil.copy(REAL, tmp_path / "registry.yaml")
    return Settings(dir=tmp_path)


@pytest.fixture
def journal(settings: Settings) -> Iterator[Journal]:
    opened = open_journal(settings.alerts_database, wall_ms)
    yield opened
    opened.close()


def write(settings: Settings, text: str) -> Assembly:
    settings.notices_path.write_text(text, encoding="utf-8")
    return Assembly(settings)


def test_without_a_notices_file_messages_go_to_a_file(settings: Settings) -> None:
    sending = load_alert_sending(Assembly(settings))
    assert list(sending.channels) == ["file"]
    assert console_address(settings, sending) == "http://127.0.0.1:8420"
    assert console_address(replace(settings, console_host="0.0.0.0"), sending) == ""  # noqa: S104


def test_the_notices_file_names_channels_words_and_the_console(settings: Settings) -> None:
    text = MAIL + "console: https://jianhu.example.test/\ntemplates:\n  test:\n    zh: {subject: 自己的话}\n"
    sending = load_alert_sending(write(settings, text))
    assert list(sending.channels) == ["file", "mail"]
    assert sending.templates.words("test", "zh").subject == "自己的话"
    assert console_address(settings, sending) == "https://jianhu.example.test"


def test_a_synthetic_region_with_a_real_channel_does_not_start(settings: Settings) -> None:
    shutil.copy(SYNTHETIC / "registry.yaml", settings.registry_path)
    with pytest.raises(ConfigError, match="nothing synthetic leaves by a real channel") as caught:
        load_alert_sending(write(settings, MAIL))
    assert (Path(caught.value.file).name, caught.value.line, caught.value.key) == (
        "notices.yaml", 3, "channels.mail.email",
    )  # fmt: skip


def test_check_tells_channels_and_templates_with_file_line_and_key(settings: Settings) -> None:
    write(settings, "templates:\n  raised:\n    zh: {text: '{{ limt }}'}\nchannels:\n  a: {file: {nam: x}}\n")
    found = check_configuration(settings).problems
    assert [(Path(one.file).name, one.line, one.key) for one in found] == [
        ("notices.yaml", 3, "templates.raised.zh.text"), ("notices.yaml", 5, "channels.a.file.nam"),
    ]  # fmt: skip


def test_check_tells_a_channel_that_cannot_be_reached(settings: Settings) -> None:
    write(settings, "channels:\n  am:\n    alertmanager:\n      url: http://127.0.0.1:1\n")
    (found,) = check_configuration(settings).problems
    assert (found.line, found.key) == (4, "channels.am.alertmanager.url")
    assert "cannot be reached" in found.problem


def test_the_notices_file_is_one_of_those_that_are_watched(settings: Settings) -> None:
    write(settings, "channels: {}\n")
    assert "notices.yaml" in configuration_files(settings)


def test_a_lost_channel_is_one_event_until_it_works_again(journal: Journal) -> None:
    told = Unreachable()
    for name in ("mail", "mail", "sms"):
        with journal.writing() as turn:
            told.lost(turn, name, "HTTP 500", 1_000)
    with journal.writing() as turn:
        told.found(turn, "mail", 2_000)
        told.found(turn, "mail", 3_000)
    with journal.reading() as connection:
        rows = connection.execute(sa.select(t.event.c.site, t.event.c.rule, t.event.c.fact).order_by(t.event.c.number))
        assert [tuple(row) for row in rows] == [
            ("mail", Standing.CHANNEL_AWAY.value, "cleared"), ("sms", Standing.CHANNEL_AWAY.value, "going_on"),
        ]  # fmt: skip


def test_the_name_of_a_lost_recipient_fits_the_table(journal: Journal) -> None:
    name = "mail:" + "x" * 100
    with journal.writing() as turn:
        Unreachable().lost(turn, name, "no", 1_000)
        Unreachable().found(turn, name, 2_000)
    with journal.reading() as connection:
        (row,) = connection.execute(sa.select(t.event.c.site, t.event.c.fact))
    assert (len(row.site), row.fact) == (64, "cleared")


def test_the_process_leaves_signs_of_life_and_is_well(settings: Settings, journal: Journal) -> None:
    with pytest.raises(EdgeError, match="no sign of life for 60 s from: cases, notices, delivery"):
        health.check(Part.STEWARD, settings)
    stop = threading.Event()
    thread = threading.Thread(target=run_steward, args=(Assembly(settings), stop))
    thread.start()

    def alive() -> bool:
        with journal.reading() as connection:
            return all(seen(connection, name) is not None for name in LIVES)

    while thread.is_alive() and not alive():
        stop.wait(0.01)
    stop.set()
    thread.join(20)
    assert not thread.is_alive()
    health.check(Part.STEWARD, settings)


def test_a_steward_that_stands_still_is_not_well(settings: Settings, journal: Journal) -> None:
    old = open_journal(settings.alerts_database, lambda: wall_ms() - 61_000)
    with old.writing() as turn:
        for name in LIVES:
            sign_of_life(turn, name)
    old.close()
    with journal.writing() as turn:
        sign_of_life(turn, "cases")
    with pytest.raises(EdgeError, match="from: notices, delivery"):
        health.check(Part.STEWARD, settings)


def test_it_tells_of_an_event_by_the_file_that_is_always_there(settings: Settings, journal: Journal) -> None:
    """Everything put together: an event about the system reaches the duty officer of the people file."""
    shutil.copy(SYNTHETIC / "registry.yaml", settings.registry_path)
    shutil.copy(SYNTHETIC / "people.yaml", settings.people_path)
    settings.notices_path.write_text(
        "grouping:\n  - {match: [], group_by: [rule], group_wait: 1s, group_interval: 5m, repeat_interval: 4h}\n",
        encoding="utf-8",
    )
    with journal.writing() as turn:
        raise_standing(turn, Standing.CHANNEL_AWAY, "mail", "HTTP 500", wall_ms() - 60_000)
    stop = threading.Event()
    thread = threading.Thread(target=run_steward, args=(Assembly(settings), stop))
    thread.start()
    path = settings.dir / "notices" / "messages.jsonl"
    while thread.is_alive() and not (path.exists() and "HTTP 500" in path.read_text(encoding="utf-8")):
        stop.wait(0.05)
    stop.set()
    thread.join(20)
    assert "模拟数据" in path.read_text(encoding="utf-8")


def test_when_one_thread_fails_the_other_ends_and_the_fault_is_told(caplog: pytest.LogCaptureFixture) -> None:
    stop = threading.Event()

    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup, match="the steward failed") as caught:
        run_together([fail, lambda: assert_true(stop.wait(20))], stop)
    assert [type(one) for one in caught.value.exceptions] == [ZeroDivisionError]
    assert "ended" in caplog.text


def assert_true(held: bool) -> None:  # noqa: FBT001 - what a wait returns
    assert held
