from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from scripts import process
from scripts.process import Process, ServiceError, free_ports


def _server(folder: Path, script: str) -> Process:
    return Process(name="a server", log=folder / "log", command=["sh", "-c", script])


def _said(server: Process, word: str) -> bool:
    return server.log.exists() and word in server.log.read_text(encoding="utf-8")


def test_a_server_is_started_when_it_says_so_and_stopped_with_its_children(tmp_path: Path) -> None:
    server = _server(tmp_path, "sleep 600 & echo ready $!; wait")
    server.start(lambda: _said(server, "ready"))
    child = int(server.log.read_text(encoding="utf-8").split()[1])
    watched = os.pidfd_open(child)
    server.stop()
    assert not server.running
    assert _ends(watched)
    os.close(watched)


def _ends(watched: int) -> bool:
    """Tell whether a process that is being killed ends; a descriptor of it becomes readable then."""
    return bool(select.select([watched], [], [], 30)[0])


def test_a_server_that_ends_while_starting_says_why(tmp_path: Path) -> None:
    server = _server(tmp_path, "echo no such disk; exit 3")
    with pytest.raises(ServiceError, match="a server ended before it was ready:\nno such disk"):
        server.start(lambda: False)
    assert not server.running


def test_a_server_that_is_never_ready_is_killed(tmp_path: Path) -> None:
    server = _server(tmp_path, "exec sleep 600")
    with pytest.raises(ServiceError, match="was not ready after 0 s"):
        server.start(lambda: False, timeout_s=0)
    assert not server.running


def test_a_server_that_does_not_listen_to_the_stop_is_killed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = _server(tmp_path, "trap '' TERM; echo ready; while :; do sleep 600; done")
    server.start(lambda: _said(server, "ready"))
    assert server.stop(timeout_s=0) is None
    assert not server.running
    assert "did not stop in 0 s and is killed" in capsys.readouterr().err


STARTER = """
import pathlib, sys
from scripts.process import Process
home = pathlib.Path(sys.argv[1])
server = Process(name='a server', log=home / 'log', command=['sh', '-c', 'echo ready; exec sleep 600'])
server.start(lambda: server.log.exists() and 'ready' in server.log.read_text())
print(server.pid, flush=True)
sys.stdin.read()
"""


def test_a_server_dies_with_a_starter_that_was_killed(tmp_path: Path) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path)],
        cwd=Path(__file__).resolve().parents[3], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with starter:
        assert starter.stdout is not None
        watched = os.pidfd_open(int(starter.stdout.readline()))
        starter.kill()
        assert _ends(watched)
    os.close(watched)


def test_a_server_starts_again_after_a_kill(tmp_path: Path) -> None:
    server = _server(tmp_path, "echo ready; exec sleep 600")
    for words in ("ready\n", "ready\nready\n"):
        server.start(partial(_said, server, words))
        server.kill()
    assert not server.running


def test_a_server_that_stops_by_itself_gives_its_exit_code(tmp_path: Path) -> None:
    server = _server(tmp_path, "trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done")
    server.start(lambda: _said(server, "ready"))
    assert server.stop() == 7


def test_a_server_is_not_started_twice(tmp_path: Path) -> None:
    server = _server(tmp_path, "exec sleep 600")
    server.start(lambda: True)
    try:
        with pytest.raises(ServiceError, match="runs already"):
            server.start(lambda: True)
    finally:
        server.kill()


def test_stopping_and_killing_what_does_not_run_is_nothing(tmp_path: Path) -> None:
    server = _server(tmp_path, "true")
    server.stop()
    server.kill()
    assert (server.running, server.tail()) == (False, "(no log)")
    with pytest.raises(ServiceError, match="does not run"):
        _ = server.pid


def test_everything_that_still_runs_is_killed_at_exit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running: list[Process] = []
    monkeypatch.setattr(process, "_RUNNING", running)
    servers = [_server(tmp_path, "exec sleep 600") for _ in range(2)]
    for server in servers:
        server.start(lambda: True)
    process._reap()
    assert [server.running for server in servers] == [False, False]
    assert running == []


def test_a_server_killed_by_another_is_seen_to_be_gone(tmp_path: Path) -> None:
    server = _server(tmp_path, "echo ready; exec sleep 600")
    server.start(lambda: _said(server, "ready"))
    os.kill(server.pid, signal.SIGKILL)
    os.waitid(os.P_PID, server.pid, os.WEXITED | os.WNOWAIT)
    assert not server.running
    server.kill()


def test_free_ports_differ_and_can_be_listened_on() -> None:
    ports = free_ports(3)
    assert len(set(ports)) == 3
    for port in ports:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", port))


def test_a_port_that_is_taken_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        monkeypatch.setattr(process, "_PORTS", range(port, port + 1))
        with pytest.raises(ServiceError, match="no free port"):
            free_ports(1)
