"""The archive: everything that went over the topics, in Parquet segments that are never changed.

``<root>/<log id>/<topic>/<partition>/<first>-<last>-<last tick>.parquet``. A segment is written
whole under another name, synced and then renamed, so what is there is whole. Small neighbours are
merged into one segment later; a reader passes over a segment that another one covers.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sensors.errors import ConfigError, EdgeError
from sensors.frames import SITE, Frame, Tick
from streams.segments import OFFSET, items_of

_NAME: Final = re.compile(r"(\d{20})-(\d{20})-(\d{14})\.parquet")
_SAFE: Final = re.compile(r"[A-Za-z0-9._-]{1,200}")
SMALL_ROWS: Final = 50_000
"""A segment under this size may be merged with its neighbours."""
MERGE_AT: Final = 24
"""So many small neighbours are merged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One file of the archive."""

    log_id: str
    path: Path
    first: int
    last: int
    last_tick: int
    """Greatest tick up to its end, ms; 0 when there was none."""


class Archive:
    """The archive under a folder; reading needs no lock.

    Parameters
    ----------
    root
        The archive's folder; made by `open_log`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def logs(self) -> tuple[str, ...]:
        """Return the names of all logs in the order in which they were begun."""
        heads = [(json.loads(p.read_text())["order"], p.parent.name) for p in self.root.glob("*/log.json")]
        return tuple(name for _, name in sorted(heads))

    def open_log(self, log_id: str, partitions: int) -> None:
        """Begin a log, or go on with it.

        Raises
        ------
        ConfigError
            When the archive was begun with another number of partitions: sites would change their partition.
        """
        folder = self._folder(log_id)
        for path in self.root.glob("*/log.json"):
            held = json.loads(path.read_text())["partitions"]
            if held != partitions:
                raise ConfigError(
                    file=str(path),
                    line=None,
                    key="partitions",
                    problem=f"the archive has {held} partitions, the settings say {partitions}",
                    mend=f"set JIANHU_PARTITIONS={held}, or begin with an empty folder",
                )
        if not (folder / "log.json").exists():
            folder.mkdir(parents=True, exist_ok=True)
            head = {"id": log_id, "order": len(self.logs()) + 1, "partitions": partitions}
            _write_whole(folder / "log.json", json.dumps(head).encode())

    def segments(self, topic: str, partition: int, log_id: str | None = None) -> list[Segment]:
        """Return the segments of a partition in the order of the log; covered ones are left out."""
        found: list[Segment] = []
        for log in self.logs() if log_id is None else (log_id,):
            found += _uncovered(self._listed(log, topic, partition))
        return found

    def _listed(self, log: str, topic: str, partition: int) -> Iterator[Segment]:
        for path in (self._folder(log) / topic / str(partition)).glob("*.parquet"):
            match = _NAME.fullmatch(path.name)
            if match:
                first, last, tick = (int(part) for part in match.groups())
                yield Segment(log_id=log, path=path, first=first, last=last, last_tick=tick)

    def end(self, log_id: str, topic: str, partition: int) -> int | None:
        """Return the offset after the last archived one of a log, or None when nothing is archived."""
        held = self.segments(topic, partition, log_id)
        return held[-1].last + 1 if held else None

    def last_tick(self, topic: str, partition: int) -> int | None:
        """Return the greatest tick archived of a partition, over all logs."""
        return max((s.last_tick for s in self.segments(topic, partition)), default=None)

    def items(self, segment: Segment, stop: int | None) -> Iterator[Frame | Tick]:
        """Yield the frames and ticks of a readings segment that lie before offset ``stop``."""
        table = read_segment(segment)
        if stop is not None and segment.last >= stop:
            table = table.filter(pc.less(table.column(OFFSET), stop))
        yield from items_of(table)

    def write(
        self, log_id: str, topic: str, partition: int, rows: pa.Table, *, first: int, last: int, last_tick: int
    ) -> Segment:
        """Write the rows of offsets ``first`` to ``last`` as the next segment, synced before it gets its name.

        Raises
        ------
        EdgeError
            When the offsets do not follow the last segment.
        """
        end = self.end(log_id, topic, partition)
        if end is not None and first != end:
            raise EdgeError(f"{topic}[{partition}]: a segment from {first} cannot follow one that ends before {end}")
        return self._store(log_id, topic, partition, rows, first=first, last=last, last_tick=last_tick)

    def _store(
        self, log_id: str, topic: str, partition: int, rows: pa.Table, *, first: int, last: int, last_tick: int
    ) -> Segment:
        folder = self._folder(log_id) / topic / str(partition)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{first:020d}-{last:020d}-{last_tick:014d}.parquet"
        sink = pa.BufferOutputStream()
        pq.write_table(rows, sink, compression="zstd", use_dictionary=True)
        _write_whole(path, sink.getvalue().to_pybytes())
        return Segment(log_id=log_id, path=path, first=first, last=last, last_tick=last_tick)

    def merge_small(self, log_id: str, topic: str, partition: int) -> Segment | None:
        """Merge the small segments at the end of a partition when there are many; return the new one.

        What was merged is deleted at the next merge, so that a reader who just listed it can still open it.
        """
        held = self.segments(topic, partition, log_id)
        small: list[Segment] = []
        for segment in reversed(held):
            if pq.read_metadata(segment.path).num_rows >= SMALL_ROWS:
                break
            small.insert(0, segment)
        if len(small) < MERGE_AT:
            return None
        standing = {segment.path for segment in held}
        for segment in list(self._listed(log_id, topic, partition)):
            if segment.path not in standing:
                segment.path.unlink()
        rows = pa.concat_tables([read_segment(s) for s in small], promote_options="permissive")
        last_tick = max(s.last_tick for s in small)
        first, last = small[0].first, small[-1].last
        return self._store(log_id, topic, partition, rows, first=first, last=last, last_tick=last_tick)

    def _folder(self, log_id: str) -> Path:
        if not _SAFE.fullmatch(log_id):
            raise EdgeError(f"a log id may hold letters, digits, '.', '_' and '-' only, not {log_id!r}")
        return self.root / log_id


def read_segment(segment: Segment) -> pa.Table:
    """Return the rows of a segment.

    Raises
    ------
    EdgeError
        When the file cannot be read.
    """
    try:
        return pq.read_table(segment.path, partitioning=None, read_dictionary=[SITE])
    except (OSError, pa.ArrowInvalid) as cause:
        raise EdgeError(f"archive segment {segment.path} cannot be read: {cause}") from cause


def _uncovered(segments: Iterator[Segment]) -> list[Segment]:
    """Return segments in order without those that a larger one covers (a merge was cut short)."""
    kept: list[Segment] = []
    for segment in sorted(segments, key=lambda s: (s.first, -s.last)):
        if not kept or segment.last > kept[-1].last:
            kept.append(segment)
    return kept


def _write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all, whatever is killed."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
