"""A sink in a thread, and a watch on what it does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from streams.store.contract import ResultStore
from streams.store.sink import SinkProgress, SinkSettings, run_sink

PATIENCE_S = 30


class Watch:
    """Sees the progress of sinks and waits for a moment of it."""

    def __init__(self) -> None:
        self._seen: dict[str, SinkProgress] = {}
        self._changed = threading.Condition()

    def of(self, name: str) -> Callable[[SinkProgress], None]:
        def told(progress: SinkProgress) -> None:
            with self._changed:
                self._seen[name] = progress
                self._changed.notify_all()

        return told

    def until(self, wanted: Callable[[SinkProgress], bool]) -> SinkProgress:
        """Wait until one sink's progress is as wanted."""
        with self._changed:
            assert self._changed.wait_for(lambda: any(map(wanted, self._seen.values())), PATIENCE_S), self._seen
            return next(filter(wanted, self._seen.values()))

    def until_stored(self, count: int, stored: Callable[[], int]) -> None:
        """Wait until a store holds so many rows; a sum of what sinks accepted would count redelivered rows twice."""
        with self._changed:
            assert self._changed.wait_for(lambda: stored() >= count, PATIENCE_S), self._seen


@contextmanager
def sinking(settings: SinkSettings, store: ResultStore, watch: Watch | None = None) -> Iterator[Watch]:
    """Run a sink in a thread; it has ended when the block is left."""
    stop, watch = threading.Event(), watch or Watch()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            run_sink(settings, store, stop, watch.of(str(id(stop))))
        except BaseException as cause:  # noqa: BLE001 - told below, in the test's own thread
            failures.append(cause)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield watch
    finally:
        stop.set()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
        assert not failures, failures
