"""``jianhu letters``: input that could not be used, listed, and driven again where a mended configuration takes it.

Letters stand in the archive, and the newest in the broker. What goes again goes through the normal publisher
and is judged as if it had just come: what was taken already changes nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from jianhu.assembly import Assembly
from jianhu.feeding import Feeder, Packets
from sensors.clock import BEIJING_OFFSET_MS, DAY_MS, HOUR_MS, beijing
from sensors.deadletters import DeadLetter, Refusal, decode_letter
from sensors.errors import BadFrame, BadRecord
from sensors.frames import RECEIVED, SITE, START, Frame, FrameHead, decode
from sensors.kinds import Kind
from sensors.partition import partition_of
from sensors.registry import Registry
from streams.history import end_offset, first_offset, read_records
from streams.judging.state import JudgeSettings
from streams.segments import RAW

DRIVEN_FILE: Final = "letters-driven"
"""In the data folder: what was driven again. Who takes it away can drive all again."""
AGAIN: Final = frozenset(
    {Refusal.UNKNOWN_SITE, Refusal.UNKNOWN_PERIOD, Refusal.TOO_EARLY, Refusal.IMPOSSIBLE_TIME, Refusal.UNKNOWN_COLUMN}
)
"""Reasons that a changed configuration, or time, can do away with. What came too late is for `jianhu recompute`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which letters are asked for; what is not named does not count."""

    reason: Refusal | None = None
    site: str = ""
    start_ms: int | None = None
    end_ms: int | None = None
    """Received in [start, end); letters of a judge, which has no clock, bear no time and are then left out."""

    def holds(self, letter: DeadLetter) -> bool:
        """Return whether a letter is one of them."""
        received = letter.received_at
        return (
            self.reason in (None, letter.reason)
            and self.site in ("", letter.site)
            and (self.start_ms is None or received >= max(self.start_ms, 1))
            and (self.end_ms is None or 0 < received < self.end_ms)
        )


def letters_of(parts: Assembly, wanted: Wanted) -> Iterator[DeadLetter]:
    """Yield the letters of the archive and then those of the broker, partition by partition.

    Raises
    ------
    EdgeError
        When the archive cannot be read, or a broker that is set does not answer.
    """
    topic = parts.topics.deadletter
    for partition in range(parts.settings.partitions):
        archived = None
        for segment in parts.archive.segments(topic, partition):
            rows = parts.archive.rows(segment, None)
            yield from _readable(rows.column(RAW).drop_null().to_pylist(), wanted)
            archived = segment.last + 1 if segment.log_id == parts.settings.log_id else archived
        if parts.settings.kafka:
            yield from _readable(_tail(parts, partition, archived), wanted)


def _tail(parts: Assembly, partition: int, archived: int | None) -> Iterator[bytes]:
    """Yield what the broker holds of a partition and the archive does not."""
    topic, log_id = parts.topics.deadletter, parts.log_id
    start = parts.archive.end(log_id, topic, partition) if archived is None else archived
    if start is None:
        start = first_offset(parts.kafka, topic, partition)
    end = end_offset(parts.kafka, topic, partition)
    if start < end:
        yield from (value for _, value in read_records(parts.kafka, topic, partition, start, end))


def _readable(values: Iterable[bytes], wanted: Wanted) -> Iterator[DeadLetter]:
    for value in values:
        try:
            letter = decode_letter(value)
        except BadRecord:
            continue  # something else wrote to the topic; it stays in the archive as it came
        if wanted.holds(letter):
            yield letter


def line_of(letter: DeadLetter) -> str:
    """Return a letter in one line that a terminal only prints."""
    received = f"{beijing(letter.received_at):%Y-%m-%d %H:%M}" if letter.received_at else "-"
    cells = (received, letter.reason, letter.site or "-", letter.factor or "-", letter.source or "-", letter.where)
    return _printable("  ".join((*cells, letter.detail)))


def _printable(text: str) -> str:
    """Return untrusted text without what moves a terminal's cursor or begins a line."""
    return "".join(c if c.isprintable() else "?" for c in text)


def counts_of(letters: Iterable[DeadLetter]) -> list[str]:
    """Return how many letters there are of each reason and site, most first."""
    found = Counter((str(letter.reason), letter.site or "-") for letter in letters)
    return [_printable(f"{count:>8}  {reason}  {site}") for (reason, site), count in found.most_common()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """What the judges take now, by registry, kinds and clocks."""

    registry: Registry
    kinds: Mapping[str, Kind]
    """Those that the system carries."""
    clock_of: Callable[[str, str], int | None]
    """Kind and site → clock of the partition, ms; None where it has none yet: its judge takes nothing."""
    settings: JudgeSettings = field(default_factory=JudgeSettings)

    def takes(self, head: FrameHead, site: str, start: int) -> bool:
        """Return whether the judge would take a reading of a site in a period that starts at an instant."""
        kind, entry, clock = self.kinds.get(head.kind), self.registry.get(site, start), self.clock_of(head.kind, site)
        if kind is None or entry is None or entry.kind != kind.name or clock is None:
            return False
        days = head.period_ms == DAY_MS != kind.slot_ms
        last = start + (DAY_MS - kind.slot_ms if days else 0)
        oldest, newest = clock - self.settings.late_h * HOUR_MS, clock + self.settings.ahead_h * HOUR_MS
        return (
            _is_period(kind, head.period_ms, entry.period_ms)
            and (start + BEIJING_OFFSET_MS) % head.period_ms == 0
            and oldest <= last
            and start <= newest
        )


def _is_period(kind: Kind, period_ms: int, own_ms: int) -> bool:
    """Return whether a site may send in a period: whole slots always, days where the kind has them, else its own."""
    if period_ms == kind.slot_ms or (period_ms == DAY_MS and kind.own_days):
        return True
    divides = period_ms >= kind.fine_ms and period_ms % kind.fine_ms == 0 and kind.slot_ms % period_ms == 0
    return divides and period_ms == own_ms


def welcome_of(parts: Assembly) -> Welcome:
    """Return what the judges of a system take now; their clocks as far as the archive has followed them."""

    @cache
    def clock(kind: str, partition: int) -> int | None:
        return parts.archive.last_tick(parts.topics.readings(kind), partition)

    return Welcome(
        registry=parts.registry,
        kinds={name: parts.kind(name) for name in parts.kinds},
        clock_of=lambda kind, site: clock(kind, partition_of(site, parts.settings.partitions)),
    )


class Driven:
    """The readings that were driven again, in a file of one digest a line: a letter that comes back is known by them.

    Parameters
    ----------
    path
        The file; it need not be there. Without it all that is welcome goes again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = set(path.read_text(encoding="ascii").split()) if path.exists() else set()

    def is_new(self, digest: str) -> bool:
        """Return whether a reading was not driven yet, nor found new before in this run."""
        new = digest not in self._known
        self._known.add(digest)
        return new

    def keep(self, digests: Sequence[str]) -> None:
        """Write down what the broker has."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="ascii") as file:
            file.writelines(f"{digest}\n" for digest in digests)


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Readings that go again, and the digest of each."""

    packets: Packets
    digests: tuple[str, ...]


def again(letters: Iterable[DeadLetter], welcome: Welcome, driven: Driven) -> Iterator[Again]:
    """Yield the readings of letters that can be used now and were not driven before.

    Those are frames of a reason in `AGAIN` and a kind that the system carries; of their rows those that the judge
    takes now: of a site that the registry knows at their time, in a period of that site and in its phase, neither
    too late nor too early by the clock. What the judge would refuse again stays the letter that it is.
    """
    for letter in letters:
        frame = _frame_in(letter) if letter.reason in AGAIN else None
        if frame is None:
            continue
        starts = pc.cast(frame.rows.column(START), "int64").to_pylist()
        sites = frame.rows.column(SITE).to_pylist()
        taken = [welcome.takes(frame.head, site, start) for site, start in zip(sites, starts, strict=True)]
        rows = frame.rows.filter(taken)
        digests = _digests(frame.head, rows)
        new = [driven.is_new(digest) for digest in digests]
        if any(new):
            head = frame.head
            rows = rows.filter(new)
            yield Again(
                packets=Packets(kind=head.kind, period_ms=head.period_ms, rows=rows, origin=head.origin),
                digests=tuple(digest for digest, is_new in zip(digests, new, strict=True) if is_new),
            )


def _digests(head: FrameHead, rows: pa.RecordBatch) -> list[str]:
    """Return what tells each reading from every other, whoever carried it and whenever it was received."""
    kept = rows.drop_columns([RECEIVED])
    said = (head.kind, head.period_ms, str(head.origin))
    return [hashlib.sha256(repr((said, sorted(row.items()))).encode()).hexdigest()[:32] for row in kept.to_pylist()]


def _frame_in(letter: DeadLetter) -> Frame | None:
    try:
        item = decode(letter.raw)
    except BadFrame:
        return None  # a row of a file, or bytes that nobody can read
    return item if isinstance(item, Frame) else None


def drive(feeder: Feeder, packets: Iterable[Again], driven: Driven) -> int:
    """Publish readings again, behind the gate and without a tick; return how many rows.

    What the broker has is written down at once: a run that is ended goes on where it was.
    """
    rows = 0
    for found in packets:
        if feeder.stop.is_set():
            break
        part = found.packets
        publisher = feeder.publishers[part.kind]
        publisher.publish(part.rows, period_ms=part.period_ms, origin=part.origin)
        publisher.flush()
        driven.keep(found.digests)
        feeder.wait()
        rows += part.rows.num_rows
    return rows
