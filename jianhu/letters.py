"""``jianhu letters``: input that could not be used, listed, and driven again where a mended configuration takes it.

Letters stand in the archive, and the newest in the broker. What goes again goes through the normal publisher
and is judged as if it had just come: what was taken already changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import pyarrow.compute as pc

from jianhu.assembly import Assembly
from jianhu.feeding import Feeder, Packets
from sensors.clock import beijing
from sensors.deadletters import DeadLetter, Refusal, decode_letter
from sensors.errors import BadFrame, BadRecord
from sensors.frames import SITE, START, Frame, decode
from sensors.registry import Registry
from streams.history import end_offset, first_offset, read_records
from streams.segments import RAW

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
    return "".join(c if c.isprintable() else "?" for c in "  ".join((*cells, letter.detail)))


def counts_of(letters: Iterable[DeadLetter]) -> list[str]:
    """Return how many letters there are of each reason and site, most first."""
    found = Counter((str(letter.reason), letter.site or "-") for letter in letters)
    return [f"{count:>8}  {reason}  {site}" for (reason, site), count in found.most_common()]


def again(letters: Iterable[DeadLetter], registry: Registry, kinds: Iterable[str]) -> Iterator[Packets]:
    """Yield the readings of letters that can be used now.

    Those are frames of a reason in `AGAIN` and a kind that the system carries; of their rows those whose site
    the registry knows at their time with their period.
    """
    carried = set(kinds)
    for letter in letters:
        frame = _frame_in(letter) if letter.reason in AGAIN else None
        if frame is None or frame.head.kind not in carried:
            continue
        starts = pc.cast(frame.rows.column(START), "int64").to_pylist()
        known = [
            _takes(registry, frame, site, start)
            for site, start in zip(frame.rows.column(SITE).to_pylist(), starts, strict=True)
        ]
        rows = frame.rows.filter(known)
        if rows.num_rows:
            head = frame.head
            yield Packets(kind=head.kind, period_ms=head.period_ms, rows=rows, origin=head.origin)


def _takes(registry: Registry, frame: Frame, site: str, start: int) -> bool:
    entry = registry.get(site, start)
    return entry is not None and entry.kind == frame.head.kind


def _frame_in(letter: DeadLetter) -> Frame | None:
    try:
        item = decode(letter.raw)
    except BadFrame:
        return None  # a row of a file, or bytes that nobody can read
    return item if isinstance(item, Frame) else None


def drive(feeder: Feeder, packets: Iterable[Packets]) -> int:
    """Publish readings again, behind the gate and without a tick; return how many rows."""
    rows = 0
    for part in packets:
        if feeder.stop.is_set():
            break
        publisher = feeder.publishers[part.kind]
        publisher.publish(part.rows, period_ms=part.period_ms, origin=part.origin)
        publisher.flush()
        feeder.wait()
        rows += part.rows.num_rows
    return rows
