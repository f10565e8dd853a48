"""The production store: InfluxDB 2.

InfluxDB takes whatever is written last and merges the fields of a point, so two things are done
here: what is held is asked before a write (and remembered), and where the held point has a field
that the new one lacks, it is deleted first. Deleting is slow and rare.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Final

import pyarrow as pa
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.dialect import Dialect
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from sensors.errors import StoreError
from streams.results import ResultHead
from streams.store.answers import (
    CLOCK_COLUMNS,
    LATEST_COLUMNS,
    RESULT_COLUMNS,
    clocks_in,
    latest_in,
    read_answer,
    records_in,
)
from streams.store.contract import (
    EARLIEST_MS,
    KEY_WIDTH,
    LATEST_MS,
    RECORD,
    Clock,
    Record,
    Rejected,
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
from streams.store.flux import clock_query, flux_time, latest_query, results_query
from streams.store.held import HeldUnits, Unit, near, unit_of, would_shine_through
from streams.store.lines import clock_line, lines_of, point_predicate
from streams.store.schema import Tag

LINES: Final = 5_000
"""Lines in one request, as InfluxDB recommends."""
REMEMBERED: Final = 200_000
"""Results that a process remembers at most, about 0.5 kB each."""
ASKED_SITES: Final = 100
"""Above so many sites a question does not name them."""
_TIMEOUT_MS: Final = 30_000
_BAD_POINT: Final = (400, 413, 422)
"""Answers that mean the points, not the server: some of them will never be taken."""
_KIND: Final = RECORD.index("kind")


class InfluxStore:
    """Results in a bucket of InfluxDB 2; safe to share between threads.

    Opening it asks nothing of the server. Other processes may write other sites; a process that
    takes a site over calls `refresh` first.

    Parameters
    ----------
    url, token, org, bucket
        Where, and by which right; the bucket keeps its points for ever.
    remembered
        Results that are remembered at most.
    """

    def __init__(self, *, url: str, token: str, org: str, bucket: str, remembered: int = REMEMBERED) -> None:
        self._client = InfluxDBClient(url=url, token=token, org=org, timeout=_TIMEOUT_MS)
        self._writes = self._client.write_api(write_options=SYNCHRONOUS)
        self._deletes = self._client.delete_api()
        self._queries = self._client.query_api()
        self._place = f"bucket {bucket!r} at {url}"
        self._org, self._bucket = org, bucket
        self._held = HeldUnits(remembered)
        self._ticks: dict[tuple[str, int], int] | None = None
        self._lock = Lock()

    def write(self, rows: pa.RecordBatch, head: ResultHead) -> WriteReport:
        """Take results; see `ResultStore.write`. A point that InfluxDB refuses loses no other."""
        good, rejected = sift(rows)
        distinct, conflicts = greatest(good, head)
        records = records_of(distinct, head)
        units = dict.fromkeys(map(unit_of, records))
        with self._lock:
            self._learn(self._held.use(units))
            try:
                report, refused = self._merge(distinct, records, head)
            except BaseException:
                self._held.forget(units)  # some of the points may be there, some may not
                raise
            self._held.forget({unit_of(records[place]) for place in refused})
            self._held.trim()
        bad = tuple(Rejected(row=distinct.slice(place, 1), why=why) for place, why in sorted(refused.items()))
        return WriteReport(
            accepted=report.accepted,
            kept=report.kept + good.num_rows - distinct.num_rows,
            rejected=rejected + bad,
            conflicts=report.conflicts + conflicts,
        )

    def _merge(
        self, rows: pa.RecordBatch, records: list[Record], head: ResultHead
    ) -> tuple[WriteReport, dict[int, str]]:
        """Write what outranks the held; return the count and, by place, what InfluxDB refused and why."""
        news: list[int] = []
        kept = conflicts = 0
        for place, record in enumerate(records):
            held = self._held.get(record)
            if held is None:
                news.append(place)
                continue
            conflicts += in_conflict(record, held)
            if outranks(record, held):
                news.append(place)
                if would_shine_through(held, record):
                    self._delete(held)
            else:
                kept += record != held
        lines = lines_of(rows.take(pa.array(news, pa.int64())), head) if news else []
        refused: dict[int, str] = {}
        for first in range(0, len(news), LINES):
            self._send(news[first : first + LINES], lines[first : first + LINES], refused)
        for place in news:
            if place not in refused:
                self._held.put(records[place])
        return WriteReport(accepted=len(records) - kept - len(refused), kept=kept, conflicts=conflicts), refused

    def _send(self, places: list[int], lines: list[str], refused: dict[int, str]) -> None:
        """Write lines; where InfluxDB refuses some, halve until the bad ones stand alone."""
        try:
            self._post(lines)
        except ApiException as cause:
            if cause.status not in _BAD_POINT:
                raise StoreError(f"{self._place}: writing: {_told(cause)}") from cause
            if len(places) == 1:
                refused[places[0]] = f"InfluxDB refused the point: {_told(cause)}"
                return
            middle = len(places) // 2
            self._send(places[:middle], lines[:middle], refused)
            self._send(places[middle:], lines[middle:], refused)

    def _post(self, lines: list[str]) -> None:
        try:
            body = "\n".join(lines).encode()
            self._writes.write(self._bucket, self._org, body, write_precision=WritePrecision.MS)  # type: ignore[arg-type]  # a str there
        except (HTTPError, OSError) as cause:
            raise StoreError(f"{self._place}: writing: {cause!r}") from cause

    def _delete(self, held: Record) -> None:
        site, factor, window, start, edition, kind = held[:KEY_WIDTH]
        predicate = point_predicate(site, kind, factor, window, edition)
        with self._asking("deleting"):
            self._deletes.delete(flux_time(start), flux_time(start), predicate, self._bucket, self._org)

    def _learn(self, units: list[Unit]) -> None:
        """Ask what is held of these units and remember it."""
        by_window: dict[str, list[Unit]] = {}
        for unit in units:
            by_window.setdefault(unit[1], []).append(unit)
        for window, asked in by_window.items():
            for group in near(asked):
                self._learn_group(window, group)

    def _learn_group(self, window: str, group: list[Unit]) -> None:
        found: dict[Unit, list[Record]] = {unit: [] for unit in group}
        sites = {site for site, _, _ in group}
        wanted = {Tag.PERIOD: [window]} | ({Tag.SITE: sorted(sites)} if len(sites) <= ASKED_SITES else {})
        for record in self._records(group[0][2], group[-1][2] + 1, wanted):
            if (records := found.get(unit_of(record))) is not None:
                records.append(record)
        for unit in group:
            self._held.learn(unit, found[unit])

    def series(self, site: str, factor: str, window: str, start_ms: int, end_ms: int) -> pa.Table:
        """Return one series; see `ResultStore.series`."""
        wanted = {Tag.SITE: [site], Tag.FACTOR: [factor], Tag.PERIOD: [window]}
        return table_of(self._records(start_ms, end_ms, wanted))

    def site_rows(
        self, site: str, start_ms: int, end_ms: int, windows: Sequence[str] = (), kind: str | None = None
    ) -> pa.Table:
        """Return a site's rows; see `ResultStore.site_rows`."""
        chosen = {Tag.SITE: [site]} | ({Tag.PERIOD: list(windows)} if windows else {})
        chosen |= {} if kind is None else {Tag.KIND: [kind]}
        return table_of(self._records(start_ms, end_ms, chosen))

    def slice(self, window: str, start_ms: int, kind: str | None = None) -> pa.Table:
        """Return one window of all sites; see `ResultStore.slice`."""
        chosen = {Tag.PERIOD: [window]} | ({} if kind is None else {Tag.KIND: [kind]})
        return table_of(self._records(start_ms, start_ms + 1, chosen))

    def latest(self, window: str) -> int | None:
        """Return the newest start; see `ResultStore.latest`."""
        return latest_in(self._ask(latest_query(self._bucket, window), LATEST_COLUMNS))

    def head_of(self, site: str, factor: str, window: str, start_ms: int, edition: str) -> ResultHead | None:
        """Return kind and pack of a result; see `ResultStore.head_of`."""
        wanted = {Tag.SITE: [site], Tag.FACTOR: [factor], Tag.PERIOD: [window], Tag.EDITION: [edition]}
        for record in self._records(start_ms, start_ms + 1, wanted):
            return ResultHead(kind=record[_KIND], pack=record[-1])
        return None

    def note_tick(self, kind: str, partition: int, at_ms: int, wall_ms: int) -> None:
        """Remember a tick; see `ResultStore.note_tick`."""
        with self._lock:
            if self._ticks is None:
                self._ticks = {(tick.kind, tick.partition): tick.at_ms for tick in self._noted()}
            if at_ms <= self._ticks.get((kind, partition), at_ms - 1):
                return
            with self._asking("noting a tick"):
                self._post([clock_line(kind, partition, at_ms, wall_ms)])
            self._ticks[kind, partition] = at_ms

    def note_ticks(self, ticks: Iterable[Clock]) -> None:
        """Remember ticks; see `ResultStore.note_ticks`."""
        for tick in ticks:
            self.note_tick(tick.kind, tick.partition, tick.at_ms, tick.wall_ms)

    def clock(self) -> Clock | None:
        """Return the slowest partition's tick; see `ResultStore.clock`."""
        return slowest(self._noted())

    def clocks(self) -> tuple[Clock, ...]:
        """Return the slowest partition's tick of each kind; see `ResultStore.clocks`."""
        return slowest_of_each(self._noted())

    def _noted(self) -> list[Clock]:
        return clocks_in(self._ask(clock_query(self._bucket), CLOCK_COLUMNS))

    def refresh(self) -> None:
        """Forget what is held; see `ResultStore.refresh`."""
        with self._lock:
            self._held.forget_all()
            self._ticks = None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()  # type: ignore[no-untyped-call]  # not typed there

    def _records(self, start_ms: int, end_ms: int, wanted: Mapping[Tag, Iterable[str]]) -> list[Record]:
        start_ms, end_ms = max(start_ms, EARLIEST_MS), min(end_ms, LATEST_MS + 1)
        if start_ms >= end_ms:
            return []
        table = self._ask(results_query(self._bucket, start_ms, end_ms, wanted), RESULT_COLUMNS)
        return records_in(table)

    def _ask(self, question: str, columns: Mapping[str, pa.DataType]) -> pa.Table:
        dialect = Dialect(header=True, annotations=[], delimiter=",")  # type: ignore[no-untyped-call]  # not typed there
        with self._asking("reading"):
            answer = self._queries.query_raw(question, dialect=dialect).data
        return read_answer(answer, columns)

    @contextmanager
    def _asking(self, doing: str) -> Iterator[None]:
        try:
            yield
        except ApiException as cause:
            raise StoreError(f"{self._place}: {doing}: {_told(cause)}") from cause
        except (HTTPError, OSError) as cause:
            raise StoreError(f"{self._place}: {doing}: {cause!r}") from cause


def _told(cause: ApiException) -> str:
    """Return status and message of a refusal, escaped: a message may quote the input."""
    body = cause.body if isinstance(cause.body, (str, bytes)) else b""
    return f"{cause.status} {cause.reason} {body[:300]!r}"
