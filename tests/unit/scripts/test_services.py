from __future__ import annotations

import stat
from pathlib import Path

import pytest

from scripts import places, services
from scripts.process import Process, ServiceError
from scripts.services import InfluxServer, KafkaNode, running


class Fake:
    """A server that refuses to start as often as it is told."""

    def __init__(self, home: Path, refusals: list[str]) -> None:
        self.home, self._refusals = home, refusals
        self.process = Process(name="fake", log=home / "log", command=["sh", "-c", "exec sleep 600"])

    def start(self) -> None:
        if self._refusals:
            raise ServiceError(self._refusals.pop())
        self.process.start(lambda: True)


def test_a_server_lives_in_a_folder_that_goes_with_it() -> None:
    with running(lambda home: Fake(home, [])) as server:
        assert server.process.running
        home = server.home
        assert home.is_dir()
    assert not server.process.running
    assert not home.exists()


def test_a_server_is_stopped_when_its_test_fails() -> None:
    with pytest.raises(ZeroDivisionError), running(lambda home: Fake(home, [])) as server:
        raise ZeroDivisionError
    assert not server.process.running


def test_a_server_whose_port_was_taken_is_made_again_elsewhere() -> None:
    homes: list[Path] = []
    refusals = ["port taken"]

    def make(home: Path) -> Fake:
        homes.append(home)
        return Fake(home, refusals)

    with running(make) as server:
        assert server.process.running
    assert len(set(homes)) == 2


def test_a_server_that_never_comes_up_fails_with_its_last_reason() -> None:
    refusals = ["third", "second", "first"]
    with pytest.raises(ServiceError, match="third"), running(lambda home: Fake(home, refusals)):
        pass  # pragma: no cover - it does not come up


def test_kafka_listens_on_loopback_only_and_makes_no_topic_by_itself(tmp_path: Path) -> None:
    node = KafkaNode(tmp_path, tmp_path / "lib", (19092, 19093))
    settings = dict(line.split("=", 1) for line in node._settings().splitlines())
    assert node.bootstrap == "127.0.0.1:19092"
    assert settings["listeners"] == "PLAINTEXT://127.0.0.1:19092,CONTROLLER://127.0.0.1:19093"
    assert settings["auto.create.topics.enable"] == "false"
    assert settings["log.dirs"].startswith(str(tmp_path))


def test_influxdb_listens_on_loopback_only_and_keeps_everything_in_its_folder(tmp_path: Path) -> None:
    server = InfluxServer(tmp_path, Path("influxd"), 18086, "a-token")
    assert server.access.url == "http://127.0.0.1:18086"
    paths = [text.partition("=")[2] for text in server.process.command if "-path=" in text]
    assert len(paths) == 3
    assert all(path.startswith(str(tmp_path)) for path in paths)


def test_every_influxdb_has_a_token_of_its_own(tmp_path: Path) -> None:
    tokens = {InfluxServer(tmp_path, Path("influxd")).access.token for _ in range(3)}
    assert len(tokens) == 3
    assert all(len(token) >= 32 for token in tokens)


def test_a_persons_influxdb_keeps_its_token_where_only_they_can_read_it(tmp_path: Path) -> None:
    home = tmp_path / "influxdb"
    assert services._kept_token(home) == services._kept_token(home)
    assert stat.S_IMODE((home / "token").stat().st_mode) == 0o600


def test_a_log_counts_only_from_this_start_on(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert not services._said(log, b"started", 0)
    log.write_bytes(b"started\n")
    assert services._said(log, b"started", 0)
    assert not services._said(log, b"started", log.stat().st_size)


def test_up_without_services_says_which_command_makes_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(places, "influxd", lambda: None)
    assert services.main(["up", "--dir", str(tmp_path)]) == 1
    assert "`make services` makes them" in capsys.readouterr().err


def test_nobody_answering_is_an_empty_answer() -> None:
    assert services._answer("http://127.0.0.1:1/health") == {}
