"""The memory twin of the stores: for tests and for trying out; nothing survives the process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from threading import Lock

import pyarrow as pa

from streams.results import ResultHead
from streams.store.contract import (
    KEY_WIDTH,
    RECORD,
    Clock,
    Record,
    WriteReport,
    greatest,
    in_conflict,
    outranks,
    records_of,
    sift,
    slowest,
    slowest_of_each,
    table_of,
)

_KIND, _PACK = RECORD.index("kind"), RECORD.index("pack")


class MemoryStore:
    """Results in a dictionary; safe to share between threads."""

    def __init__(self) -> None:
        self._held: dict[Record, Record] = {}
        self._ticks: dict[tuple[str, int], Clock] = {}
        self._lock = Lock()

    def write(self, rows: pa.RecordBatch, head: ResultHead) -> WriteReport:
        """Take results; see `ResultStore.write`."""
        good, rejected = sift(rows)
        distinct, conflicts = greatest(good, head)
        kept = good.num_rows - distinct.num_rows
        with self._lock:
            for record in records_of(distinct, head):
                held = self._held.setdefault(record[:KEY_WIDTH], record)
                conflicts += in_conflict(record, held)
                if outranks(record, held):
                    self._held[record[:KEY_WIDTH]] = record
                else:
                    kept += record != held
        return WriteReport(accepted=good.num_rows - kept, kept=kept, rejected=rejected, conflicts=conflicts)

    def series(self, site: str, factor: str, window: str, start_ms: int, end_ms: int) -> pa.Table:
        """Return one series; see `ResultStore.series`."""
        return self._where(lambda key: key[:3] == (site, factor, window) and start_ms <= key[3] < end_ms)

    def site_rows(
        self, site: str, start_ms: int, end_ms: int, windows: Sequence[str] = (), kind: str | None = None
    ) -> pa.Table:
        """Return a site's rows; see `ResultStore.site_rows`."""
        return self._where(
            lambda key: key[0] == site and start_ms <= key[3] < end_ms and (not windows or key[2] in windows), kind
        )

    def slice(self, window: str, start_ms: int, kind: str | None = None) -> pa.Table:
        """Return one window of all sites; see `ResultStore.slice`."""
        return self._where(lambda key: key[2] == window and key[3] == start_ms, kind)

    def _where(self, wanted: Callable[[Record], bool], kind: str | None = None) -> pa.Table:
        with self._lock:
            found = [record for key, record in self._held.items() if wanted(key)]
        return table_of([record for record in found if kind in (None, record[_KIND])])

    def latest(self, window: str) -> int | None:
        """Return the newest start; see `ResultStore.latest`."""
        with self._lock:
            return max((key[3] for key in self._held if key[2] == window), default=None)

    def head_of(self, site: str, factor: str, window: str, start_ms: int, edition: str) -> ResultHead | None:
        """Return kind and pack of a result; see `ResultStore.head_of`."""
        with self._lock:
            key = (site, factor, window, start_ms, edition)
            record = next((held for held in self._held.values() if held[: len(key)] == key), None)
        return None if record is None else ResultHead(kind=record[_KIND], pack=record[_PACK])

    def note_tick(self, kind: str, partition: int, at_ms: int, wall_ms: int) -> None:
        """Remember a tick; see `ResultStore.note_tick`."""
        with self._lock:
            noted = self._ticks.get((kind, partition))
            if noted is None or at_ms > noted.at_ms:
                self._ticks[kind, partition] = Clock(kind=kind, at_ms=at_ms, wall_ms=wall_ms, partition=partition)

    def note_ticks(self, ticks: Iterable[Clock]) -> None:
        """Remember ticks; see `ResultStore.note_ticks`."""
        for tick in ticks:
            self.note_tick(tick.kind, tick.partition, tick.at_ms, tick.wall_ms)

    def clock(self) -> Clock | None:
        """Return the slowest partition's tick; see `ResultStore.clock`."""
        with self._lock:
            return slowest(self._ticks.values())

    def clocks(self) -> tuple[Clock, ...]:
        """Return the slowest partition's tick of each kind; see `ResultStore.clocks`."""
        with self._lock:
            return slowest_of_each(self._ticks.values())

    def refresh(self) -> None:
        """Do nothing: no other process can write here."""

    def close(self) -> None:
        """Do nothing; what is held goes with the object."""
