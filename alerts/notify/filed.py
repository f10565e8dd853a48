"""The file channel: one JSON line a message, on this machine. What a synthetic region may always use."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import msgspec

from alerts.notify.channels import Answer, Message, Outcome, plain
from alerts.notify.webhook import body_of


class FileChannel:
    """A file that only grows.

    Parameters
    ----------
    path
        The file; its folder is made when it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, message: Message) -> Answer:
        """Add one line and wait until the disk has it; a line that a kill left torn is ended first."""
        line = msgspec.json.encode(body_of(message)) + b"\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if file.seek(0, os.SEEK_END) and _last_byte(file.fileno(), file.tell()) != b"\n":
                    line = b"\n" + line
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as cause:
            return Answer(outcome=Outcome.RETRY, detail=plain(f"{type(cause).__name__}: {cause.strerror}"))
        return Answer(outcome=Outcome.SENT)


def _last_byte(handle: int, end: int) -> bytes:
    return os.pread(handle, 1, end - 1)
