"""A child of ``jianhu up`` ends when its parent is gone, however that came about."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping
from typing import Final

from sensors.errors import ConfigError

PARENT: Final = "JIANHU_PARENT"
LOOK_S: Final = 1.0
PATIENCE_S: Final = 15.0


def end_with_parent(environment: Mapping[str, str]) -> None:
    """Watch the parent named in the environment, if any, from a thread of its own.

    Raises
    ------
    ConfigError
        When what is named there is no process id.
    """
    named = environment.get(PARENT)
    if named is None:
        return
    if not (named.isascii() and named.isdigit()):
        raise ConfigError(
            file="environment", line=None, key=PARENT, problem=f"{named!r} is no process id",
            mend="take the variable away; `jianhu up` sets it for its children",
        )  # fmt: skip
    threading.Thread(target=_watch, args=(int(named),), name="parent", daemon=True).start()


def _watch(parent: int) -> None:
    pause = threading.Event()
    while os.getppid() == parent:
        pause.wait(LOOK_S)
    os.kill(os.getpid(), signal.SIGTERM)
    pause.wait(PATIENCE_S)
    os._exit(1)  # the parent was killed and took the broker with it: nothing is left to wait for
