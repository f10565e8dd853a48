"""Recall: what the log holds of some sites and days, read from archive and broker without the rest.

A Parquet segment knows the least and greatest start in each of its parts, so that most of the archive is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sensors.errors import EdgeError
from sensors.frames import SITE, START, Frame
from streams.archive import Archive, Segment
from streams.history import end_offset, first_offset, read_records
from streams.results import RESULT_SCHEMA
from streams.segments import OFFSET, items_of, joined, rows_of

_TIME: Final = pa.timestamp("ms", "UTC")
_BATCH: Final = 500
"""Messages of the broker's tail that are turned into rows together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows are recalled."""

    sites: frozenset[str] | None
    """None means every site."""
    start_ms: int
    """Inside."""
    stop_ms: int
    """No longer inside."""

    def of(self, table: pa.Table) -> pa.Table:
        """Return those of the rows that are wanted; rows without a site are not."""
        if SITE not in table.schema.names:
            return table.slice(0, 0)
        starts = table.column(START)
        mine = pc.and_(
            pc.greater_equal(starts, pa.scalar(self.start_ms, _TIME)), pc.less(starts, pa.scalar(self.stop_ms, _TIME))
        )
        if self.sites is not None:
            mine = pc.and_(mine, pc.is_in(table.column(SITE).cast(pa.utf8()), pa.array(sorted(self.sites), pa.utf8())))
        return table.filter(mine)


class Recall:
    """The archive and the broker's tail of one log, looked up by site and time.

    Parameters
    ----------
    archive
        Read side of the archive.
    bootstrap
        The broker.
    log_id
        Name of the broker's current log.
    """

    def __init__(self, archive: Archive, *, bootstrap: str, log_id: str) -> None:
        self._archive, self._bootstrap, self._log_id = archive, bootstrap, log_id

    def readings(self, topic: str, partition: int, stop: int, wanted: Wanted) -> Iterator[Frame]:
        """Yield the wanted readings of a partition that lie before offset ``stop`` of the current log.

        Raises
        ------
        EdgeError
            When the archive has a hole, or the broker does not answer.
        """
        for table in self._tables("readings", topic, partition, stop, wanted):
            yield from (item for item in items_of(table) if isinstance(item, Frame))

    def results(self, topic: str, partition: int, wanted: Wanted) -> pa.Table:
        """Return every revision of the wanted windows of a partition's results up to now; columns of `RESULT_SCHEMA`.

        Raises
        ------
        EdgeError
            When the archive has a hole, or the broker does not answer.
        """
        stop = end_offset(self._bootstrap, topic, partition)
        found = [table.select(RESULT_SCHEMA.names) for table in self._tables("results", topic, partition, stop, wanted)]
        if not found:
            return RESULT_SCHEMA.empty_table()
        return joined(found)

    def _tables(self, kind: str, topic: str, partition: int, stop: int, wanted: Wanted) -> Iterator[pa.Table]:
        archived: int | None = None
        for segment in self._archive.segments(topic, partition):
            mine = segment.log_id == self._log_id
            if mine and segment.first >= stop:
                break
            table = self._part(segment, stop if mine else None, wanted)
            if table.num_rows:
                yield table
            archived = segment.last + 1 if mine else archived
        begin = first_offset(self._bootstrap, topic, partition) if archived is None else archived
        if begin < stop:
            yield from self._tail(kind, topic, partition, (begin, stop), wanted)

    def _part(self, segment: Segment, stop: int | None, wanted: Wanted) -> pa.Table:
        """Return the wanted rows of a segment, reading only those parts of the file that can hold any."""
        bounds = [(START, ">=", pa.scalar(wanted.start_ms, _TIME)), (START, "<", pa.scalar(wanted.stop_ms, _TIME))]
        try:
            schema = pq.read_schema(segment.path)
            if START not in schema.names:
                return schema.empty_table()  # nothing but ticks
            table = pq.read_table(segment.path, partitioning=None, filters=bounds)
        except FileNotFoundError:  # merged away since it was listed
            table = self._archive.rows(segment, stop)
        except (OSError, pa.ArrowInvalid) as cause:
            raise EdgeError(f"archive segment {segment.path} cannot be read: {cause}") from cause
        if stop is not None:
            table = table.filter(pc.less(table.column(OFFSET), stop))
        return wanted.of(table)

    def _tail(self, kind: str, topic: str, partition: int, span: tuple[int, int], wanted: Wanted) -> Iterator[pa.Table]:
        rows: list[pa.Table] = []
        for offset, data in read_records(self._bootstrap, topic, partition, *span):
            rows.append(rows_of(kind, offset, data))
            if len(rows) == _BATCH:
                yield wanted.of(joined(rows))
                rows = []
        if rows:
            yield wanted.of(joined(rows))
