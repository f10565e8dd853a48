"""Server processes that never outlive whoever started them.

Each runs in a process group of its own and is killed by the kernel when its starter dies
(``PR_SET_PDEATHSIG``), at the interpreter's exit, and when its block ends.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_PAUSE_S: Final = 0.05
_TAIL: Final = 30
_PORTS: Final = range(15_000, 32_000)
"""Below Linux's range for outgoing connections, so that none of those takes a port between choice and use."""

# Run between fork and the server: leave root, ask for a signal when the parent dies, become the server. A process of
# its own instead of `preexec_fn`, which is not safe beside threads. Changing user clears the signal: hence the order.
_LAUNCHER: Final = """
import ctypes, os, sys
parent, user, group = (int(text) for text in sys.argv[1:4])
if user >= 0:
    os.setgroups([]); os.setgid(group); os.setuid(user)
ctypes.CDLL(None, use_errno=True).prctl(1, 9, 0, 0, 0)
if os.getppid() != parent:
    sys.exit('the starter is gone')
os.execvp(sys.argv[4], sys.argv[4:])
"""


class ServiceError(Exception):
    """A server that did not start or stop as it should; the text carries the end of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The user and group a server runs as."""

    user: int
    group: int


def free_ports(count: int) -> tuple[int, ...]:
    """Return loopback ports that nobody listens on."""
    chosen: list[int] = []
    for port in random.SystemRandom().sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        chosen.append(port)
        if len(chosen) == count:
            return tuple(chosen)
    raise ServiceError("no free port on the loopback address")


@dataclass(slots=True, kw_only=True)
class Process:
    """One server process, started, stopped, killed and started again with the same command."""

    name: str
    command: Sequence[str]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    owner: Owner | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    _child: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Tell whether the process lives."""
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self) -> int:
        """Return the process id.

        Raises
        ------
        ServiceError
            When it does not run.
        """
        if self._child is None:
            raise ServiceError(f"{self.name} does not run")
        return self._child.pid

    def start(self, ready: Callable[[], bool], timeout_s: float = 60) -> None:
        """Start the server and wait until ``ready`` says so.

        Raises
        ------
        ServiceError
            When it ends before that, or is not ready in time.
        """
        if self.running:
            raise ServiceError(f"{self.name} runs already")
        user, group = (self.owner.user, self.owner.group) if self.owner else (-1, -1)
        launch = [sys.executable, "-S", "-c", _LAUNCHER, str(os.getpid()), str(user), str(group)]
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [*launch, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.env},
                start_new_session=True,
            )
        _RUNNING.append(self)
        self.wait_for(ready, timeout_s)

    def wait_for(self, ready: Callable[[], bool], timeout_s: float = 60) -> None:
        """Wait until ``ready`` says so, while the server runs.

        Raises
        ------
        ServiceError
            When the server ends before that, or it takes too long; the server does not run then.
        """
        until = time.monotonic() + timeout_s
        while not ready():
            if not self.running:
                self.kill()
                raise ServiceError(f"{self.name} ended before it was ready:\n{self.tail()}")
            if time.monotonic() > until:
                self.kill()
                raise ServiceError(f"{self.name} was not ready after {timeout_s:.0f} s:\n{self.tail()}")
            time.sleep(_PAUSE_S)

    def stop(self, timeout_s: float = 20) -> int | None:
        """Ask the server to end, and end it when it does not; nothing when it does not run.

        Returns
        -------
        Its exit code; None when it had to be killed, or did not run.
        """
        code = None
        if self._child is not None and self.running:
            self._child.send_signal(self.stop_signal)
            try:
                code = self._child.wait(timeout_s)
            except subprocess.TimeoutExpired:
                print(f"{self.name} did not stop in {timeout_s:.0f} s and is killed", file=sys.stderr)
        self.kill()
        return code

    def kill(self) -> None:
        """End the server and its children at once (SIGKILL), and collect it; nothing when it does not run."""
        if self._child is None:
            return
        with contextlib.suppress(ProcessLookupError):  # the whole group is gone already
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        self._child = None
        _RUNNING.remove(self)

    def tail(self) -> str:
        """Return the end of the server's log."""
        if not self.log.is_file():
            return "(no log)"
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL:])


_RUNNING: Final[list[Process]] = []


@atexit.register
def _reap() -> None:
    while _RUNNING:
        _RUNNING[-1].kill()
