"""What people fill in: the fields of a form, as texts and times."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.datastructures import FormData

from sensors.clock import BEIJING_OFFSET_MS


def text_of(form: FormData, name: str) -> str:
    """Return a field without outer blanks; empty when it is missing or a file."""
    value = form.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def all_of(form: FormData, name: str) -> list[str]:
    """Return a field that may stand several times, in order; a file counts as empty."""
    return [value if isinstance(value, str) else "" for value in form.getlist(name)]


def moment_of(text: str) -> int:
    """Return a Beijing time as a form writes it, ``2026-11-22T18:00``, in milliseconds UTC.

    Raises
    ------
    ValueError
        When it is none, or names a zone of its own.
    """
    read = datetime.fromisoformat(text)
    if read.tzinfo is not None:
        raise ValueError(f"{text} names a zone; write Beijing time")
    return int(read.replace(tzinfo=UTC).timestamp() * 1000) - BEIJING_OFFSET_MS
