"""Journals of unit tests need not outlive the machine: without this each commit waits for the disk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from alerts import journal


@pytest.fixture(scope="session", autouse=True)
def quick_journals() -> Iterator[None]:
    """Let SQLite leave it to the system when a commit reaches the disk; everything else is as in service."""
    prepare = journal._prepare_sqlite

    def quick(connection: Any, record: object) -> None:
        prepare(connection, record)
        connection.execute("PRAGMA synchronous=OFF")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(journal, "_prepare_sqlite", quick)
        yield
