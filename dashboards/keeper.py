"""Reads that outlive their source: the last good answer stands until a new one comes."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")
_log = logging.getLogger(__name__)
_PATIENCE_S: Final = 5.0
_HELD: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept(Generic[T]):
    """An answer, and whether it is of now."""

    value: T | None
    """None when there never was one."""
    read_ms: int
    """Wall time at which it was read, milliseconds UTC."""
    fresh: bool


class Keeper:
    """Runs reads in threads of its own and remembers what they said."""

    def __init__(self, wall: Callable[[], int], threads: int = 8) -> None:
        self._wall = wall
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="console-read")
        self._held: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._running = 0
        self._threads = threads

    async def read(self, key: Hashable, ask: Callable[[], T]) -> Kept[T]:
        """Return what ``ask`` says, or what it said last when it fails or takes too long."""
        said = await self.ask(ask)
        if not said.fresh:
            value, read_ms = self._held.get(key, (None, 0))
            return Kept(value=value, read_ms=read_ms, fresh=False)
        self._held[key] = (said.value, said.read_ms)
        self._held.move_to_end(key)
        if len(self._held) > _HELD:
            self._held.popitem(last=False)
        return said

    async def ask(self, ask: Callable[[], T]) -> Kept[T]:
        """Return what ``ask`` says, or nothing when it fails or takes too long; nothing is remembered."""
        if self._running >= self._threads:  # all hang in a source that does not answer
            return Kept(value=None, read_ms=0, fresh=False)
        self._running += 1
        future = self._pool.submit(ask)
        future.add_done_callback(self._done)
        try:
            value = await asyncio.wait_for(asyncio.wrap_future(future), _PATIENCE_S)
        except Exception as error:  # noqa: BLE001 - whatever a source throws, the page keeps its old picture and says so
            _log.warning("a source did not answer: %r", error)
            return Kept(value=None, read_ms=0, fresh=False)
        return Kept(value=value, read_ms=self._wall(), fresh=True)

    def _done(self, _future: object) -> None:
        self._running -= 1

    def close(self) -> None:
        """Let go of the threads without waiting for a read that hangs."""
        self._pool.shutdown(wait=False, cancel_futures=True)
