"""Watching processes: how much CPU each has used at which moment, read from the kernel."""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep, time
from types import TracebackType
from typing import Final, Self

import numpy as np

_PAUSE_S: Final = 0.02
_LOOK_S: Final = 2.0
_CALM_CORES: Final = 0.2
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_USER: Final = 11
"""Place of user time among the fields after the command's name; system time is the next (proc(5))."""


def cpu_seconds(pid: int) -> float:
    """Return user and system seconds of a process and all its threads.

    Raises
    ------
    FileNotFoundError
        When there is no such process.
    """
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return (int(fields[_USER]) + int(fields[_USER + 1])) / _TICKS


def tree_seconds(pid: int) -> float:
    """Return the CPU seconds of a process and of its living descendants."""
    total = cpu_seconds(pid)
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # the thread or a child ended meanwhile
            for child in (task / "children").read_text(encoding="ascii").split():
                total += tree_seconds(int(child))
    return total


@dataclass(slots=True, kw_only=True)
class CpuMeter:
    """Notes the CPU seconds of processes every 20 ms while its block runs."""

    pids: Mapping[str, int]
    read: Callable[[int], float] = cpu_seconds
    """What is noted of a process: its own CPU seconds, or with `tree_seconds` its descendants' too."""
    _times: list[float] = field(default_factory=list)
    _spent: dict[str, list[float]] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._spent = {name: [] for name in self.pids}
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            self.note()
            self._stop.wait(_PAUSE_S)

    def note(self) -> None:
        """Read every process once."""
        now = {name: self.read(pid) for name, pid in self.pids.items()}
        self._times.append(time())
        for name, seconds in now.items():
            self._spent[name].append(seconds)

    def between(self, name: str, begin_s: float, end_s: float) -> float:
        """Return the CPU seconds of a process between two moments of the wall clock, seconds since 1970."""
        first, last = np.interp([begin_s, end_s], self._times, self._spent[name])
        return float(last - first)


def machine() -> str:
    """Say which machine this is: cores, processor, memory, kernel."""
    processor = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("model name"):
            processor = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores of {processor}, {memory:.0f} GiB, Linux {platform.release()}"


def busy_seconds() -> float:
    """Return the CPU seconds that all cores together have worked since the machine started."""
    fields = [int(text) for text in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]]
    idle, waiting = fields[3], fields[4]
    return (sum(fields) - idle - waiting) / _TICKS


def wait_for_calm(patience_s: float) -> float:
    """Wait until the machine is nearly idle or patience ends; return how many cores were busy in the last look."""
    until = monotonic() + patience_s
    while True:
        before = busy_seconds()
        sleep(_LOOK_S)
        busy = (busy_seconds() - before) / _LOOK_S
        if busy < _CALM_CORES or monotonic() > until:
            return busy
