from __future__ import annotations

import os
import signal
import threading

import pytest

from jianhu import family
from jianhu.family import PARENT, end_with_parent
from sensors.errors import ConfigError


def watchers() -> int:
    return sum(thread.name == "parent" for thread in threading.enumerate())


class Pause:
    """An event that never waits; the parent goes away after so many looks."""

    def __init__(self) -> None:
        self.waited: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)


@pytest.mark.parametrize("looks", [0, 1, 3])
def test_a_child_is_ended_and_then_killed_once_its_parent_is_gone(monkeypatch: pytest.MonkeyPatch, looks: int) -> None:
    pause, parents, done = Pause(), iter([4711] * looks + [1]), list[tuple[int, int]]()
    monkeypatch.setattr(family.threading, "Event", lambda: pause)  # type: ignore[attr-defined]
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    monkeypatch.setattr(os, "kill", lambda pid, number: done.append((pid, number)))
    monkeypatch.setattr(os, "_exit", lambda code: done.append((0, code)))
    family._watch(4711)
    assert done == [(os.getpid(), signal.SIGTERM), (0, 1)]
    assert pause.waited == [family.LOOK_S] * looks + [family.PATIENCE_S]


def test_without_a_parent_nothing_is_watched() -> None:
    before = watchers()
    end_with_parent({})
    assert watchers() == before


def test_a_named_parent_is_watched_from_a_thread_that_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = threading.Event()
    watched: list[tuple[int, bool]] = []

    def watch(parent: int) -> None:
        watched.append((parent, threading.current_thread().daemon))
        seen.set()

    monkeypatch.setattr(family, "_watch", watch)
    end_with_parent({PARENT: "4711"})
    assert seen.wait(30)
    assert watched == [(4711, True)]


@pytest.mark.parametrize("named", ["", "x", "-1", "1.0", " 1", "٣", "1\n"])
def test_what_is_no_process_id_is_refused(named: str) -> None:
    with pytest.raises(ConfigError, match="no process id"):
        end_with_parent({PARENT: named})
