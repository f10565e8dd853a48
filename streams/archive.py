"""The archive: everything that went over the topics, in Parquet segments that are never changed.

``<root>/<log id>/<topic>/<partition>/<first>-<last>-<last tick>.parquet``. A segment is written
whole under another name, synced and then renamed, so what is there is whole. Small neighbours are
merged into one segment later; a reader passes over a segment that another one covers.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sensors.errors import ConfigError, EdgeError
from sensors.frames import SITE, Frame, Tick
from streams.segments import OFFSET, items_of

_NAME: Final = re.compile(r"(\d{20})-(\d{20})-(\d{14,19})\.parquet", re.ASCII)
_SAFE: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}")
_LOOKS: Final = 3
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
        """Return the names of all logs in the order in which they were begun.

        Raises
        ------
        EdgeError
            When the head of a log cannot be read.
        """
        return tuple(path.parent.name for path, _ in self._heads())

    def _heads(self) -> list[tuple[Path, _Head]]:
        heads = [(path, _read_head(path)) for path in self.root.glob("*/log.json")]
        return sorted(heads, key=lambda found: (found[1].order, found[0].parent.name))

    def open_log(self, log_id: str, partitions: int) -> None:
        """Begin a log, or go on with it.

        Raises
        ------
        ConfigError
            When the archive was begun with another number of partitions: sites would change their partition.
        EdgeError
            When the id cannot be the name of a folder.
        """
        folder = self._folder(log_id)
        heads = self._heads()
        for path, head in heads:
            held = head.partitions
            if held != partitions:
                raise ConfigError(
                    file=str(path),
                    line=None,
                    key="partitions",
                    problem=f"the archive has {held} partitions, the settings say {partitions}",
                    mend=f"set JIANHU_PARTITIONS={held}, or begin with an empty folder",
                )
        if not (folder / "log.json").exists():
            _make_folder(folder)
            order = max((head.order for _, head in heads), default=0) + 1
            head = _Head(id=log_id, order=order, partitions=partitions)
            _write_whole(folder / "log.json", msgspec.json.encode(head))

    def segments(self, topic: str, partition: int, log_id: str | None = None) -> list[Segment]:
        """Return the segments of a partition in the order of the log; covered ones are left out.

        Raises
        ------
        EdgeError
            When the segments of a log do not follow one another: a file is missing, or was put there.
        """
        found: list[Segment] = []
        for log in self.logs() if log_id is None else (log_id,):
            found += self._chain(log, topic, partition)
        return found

    def _chain(self, log: str, topic: str, partition: int) -> list[Segment]:
        for _ in range(_LOOKS):  # a listing may miss a file that is made while it goes on
            chain = _uncovered(self._listed(log, topic, partition))
            broken = [f"{b.path} does not follow {a.path.name}" for a, b in pairwise(chain) if b.first != a.last + 1]
            if not broken:
                return chain
        raise EdgeError(f"the archive has a hole or a file too many: {broken[0]}; put the folder back from a copy")

    def _listed(self, log: str, topic: str, partition: int) -> Iterator[Segment]:
        for path in self._place(log, topic, partition).glob("*.parquet"):
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
        """Yield the frames and ticks of a readings segment that lie before offset ``stop``.

        Raises
        ------
        EdgeError
            When the file cannot be read. One that was merged away since it was listed is read from the larger one.
        """
        yield from items_of(self.rows(segment, stop))

    def rows(self, segment: Segment, stop: int | None) -> pa.Table:
        """Return the rows of a segment that lie before offset ``stop``.

        Raises
        ------
        EdgeError
            When the file cannot be read. One that was merged away since it was listed is read from the larger one.
        """
        table = self._rows(segment)
        if stop is not None and segment.last >= stop:
            table = table.filter(pc.less(table.column(OFFSET), stop))
        return table

    def _rows(self, segment: Segment) -> pa.Table:
        try:
            return read_segment(segment)
        except EdgeError:
            cover = next(
                (s for s in self._standing(segment) if s.first <= segment.first <= segment.last <= s.last), None
            )
            if segment.path.exists() or cover is None:
                raise
        offsets = (rows := read_segment(cover)).column(OFFSET)
        return rows.filter(pc.and_(pc.greater_equal(offsets, segment.first), pc.less_equal(offsets, segment.last)))

    def _standing(self, segment: Segment) -> list[Segment]:
        """Return the segments that stand where one stood."""
        folder = segment.path.parent
        return self._chain(segment.log_id, folder.parent.name, int(folder.name))

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
        folder = self._place(log_id, topic, partition)
        _make_folder(folder)
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

    def clear_drafts(self, log_id: str) -> None:
        """Delete what a killed writer left unfinished; only for the one writer of a log."""
        for draft in self._folder(log_id).rglob(".*.parquet.*"):
            draft.unlink()

    def _folder(self, log_id: str) -> Path:
        return self.root / _safe(log_id, "a log id")

    def _place(self, log_id: str, topic: str, partition: int) -> Path:
        return self._folder(log_id) / _safe(topic, "a topic") / str(partition)


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    """What ``log.json`` says."""

    id: str
    order: int
    partitions: int


def _read_head(path: Path) -> _Head:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Head)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as cause:
        raise EdgeError(f"{path} cannot be read: {cause}; put it back from a copy") from cause


def _safe(name: str, what: str) -> str:
    if not _SAFE.fullmatch(name):
        raise EdgeError(f"{what} may hold letters, digits, '.', '_' and '-' only, and not begin with '.': {name!r}")
    return name


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
    _sync_folder(path.parent)


def _make_folder(path: Path) -> None:
    """Make a folder with those above it, so that it outlives a power cut."""
    if not path.is_dir():
        _make_folder(path.parent)
        path.mkdir(exist_ok=True)
        _sync_folder(path.parent)


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
