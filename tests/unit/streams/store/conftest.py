"""The stores that the contract is held against."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.store.contract import ResultStore
from streams.store.memory import MemoryStore
from streams.store.sqlite import SqliteStore


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ResultStore]:
    made: ResultStore
    match request.param:
        case "memory":
            made = MemoryStore()
        case _:
            made = SqliteStore(tmp_path / "results.db")
    yield made
    made.close()
