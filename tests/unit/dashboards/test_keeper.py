from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from dashboards import keeper as module
from dashboards.keeper import Keeper, Kept
from sensors.errors import StoreError


def asked(*reads: tuple[str, Callable[[], Any]], threads: int = 8) -> list[Kept[Any]]:
    """Return what a new keeper says to reads one after another; its wall clock counts them."""
    count = iter(range(1, 100))
    keeper = Keeper(lambda: next(count), threads)

    async def run() -> list[Kept[Any]]:
        return [await keeper.read(key, ask) for key, ask in reads]

    try:
        return asyncio.run(run())
    finally:
        keeper.close()


def fail() -> Any:
    raise StoreError("away")


def test_an_answer_is_fresh() -> None:
    assert asked(("a", lambda: 5)) == [Kept(value=5, read_ms=1, fresh=True)]


def test_when_a_source_fails_its_last_answer_stands_with_its_age() -> None:
    assert asked(("a", lambda: 5), ("a", fail))[1] == Kept(value=5, read_ms=1, fresh=False)


def test_what_never_was_read_is_nothing_and_no_error() -> None:
    assert asked(("a", lambda: 5), ("b", fail))[1] == Kept(value=None, read_ms=0, fresh=False)


def test_only_the_newest_answers_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_HELD", 2)
    told = asked(("a", lambda: 1), ("b", lambda: 2), ("c", lambda: 3), ("a", fail), ("b", fail))
    assert [kept.value for kept in told[3:]] == [None, 2]


def test_a_source_that_hangs_does_not_hold_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE_S", 0.05)
    gate = threading.Event()
    try:
        told = asked(("a", lambda: 5), ("a", gate.wait), ("a", lambda: 6), threads=1)
    finally:
        gate.set()
    assert told[1] == Kept(value=5, read_ms=1, fresh=False)
    assert told[2].fresh is False


def test_an_act_is_not_remembered() -> None:
    keeper = Keeper(lambda: 1)

    async def run() -> tuple[Kept[int], Kept[int]]:
        return await keeper.ask(lambda: 5), await keeper.ask(fail)

    try:
        done, failed = asyncio.run(run())
    finally:
        keeper.close()
    assert (done.value, done.fresh) == (5, True)
    assert (failed.value, failed.fresh) == (None, False)
