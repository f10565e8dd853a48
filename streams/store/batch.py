"""What a run of messages from the results topics asks of a store; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import pyarrow as pa

from sensors.deadletters import DeadLetter, Refusal
from sensors.errors import BadFrame
from sensors.frames import Tick
from streams.results import ResultHead, decode_results, encode_results
from streams.store.contract import EARLIEST_MS, LATEST_MS, NAME_BYTES, Rejected

SOURCE: Final = "results"
"""Who a letter of the sink says it is from."""
RAW_BYTES: Final = 512 * 1024
"""So much of a message goes into a letter: one longer than the topic takes would hold up all."""


Place: TypeAlias = tuple[str, int]
"""Topic and partition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message of a results topic."""

    topic: str
    partition: int
    offset: int
    value: bytes | None

    @property
    def where(self) -> str:
        """Return the place of the message as a letter names it."""
        return f"{self.topic}[{self.partition}]@{self.offset}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Rows of one head that go to the store together."""

    head: ResultHead
    rows: pa.RecordBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a run of messages asks for, in the order in which it must be done: rows, ticks, letters."""

    writes: tuple[Write, ...]
    ticks: Mapping[Place, int]
    """Greatest tick by topic and partition."""
    letters: tuple[DeadLetter, ...]
    ends: Mapping[Place, int]
    """By topic and partition, the offset to commit when all is done."""


def read_deliveries(deliveries: Iterable[Delivery], most_rows: int, received_ms: int) -> Batch:
    """Return what the messages ask for; one that cannot be read becomes a dead letter.

    Parameters
    ----------
    most_rows
        Rows of one write, unless a single message has more.
    received_ms
        When they were read, for the letters. [ms UTC]
    """
    rows: dict[tuple[str, str], list[pa.RecordBatch]] = {}
    heads: dict[tuple[str, str], ResultHead] = {}
    ticks: dict[Place, int] = {}
    letters: list[DeadLetter] = []
    ends: dict[Place, int] = {}
    for delivery in deliveries:
        place = (delivery.topic, delivery.partition)
        ends[place] = max(delivery.offset + 1, ends.get(place, 0))
        try:
            found = _checked(decode_results(delivery.value or b""))
        except BadFrame as cause:
            letters.append(_unread(delivery, str(cause), received_ms))
            continue
        if isinstance(found, Tick):
            ticks[place] = max(found.at, ticks.get(place, found.at))
            continue
        head, batch = found
        heads[head.kind, head.pack] = head
        rows.setdefault((head.kind, head.pack), []).append(batch.replace_schema_metadata(None))
    writes = tuple(
        Write(head=heads[name], rows=joined) for name, batches in rows.items() for joined in _join(batches, most_rows)
    )
    return Batch(writes=writes, ticks=ticks, letters=tuple(letters), ends=ends)


def _checked(found: tuple[ResultHead, pa.RecordBatch] | Tick) -> tuple[ResultHead, pa.RecordBatch] | Tick:
    """Refuse what would make every store fail again and again."""
    if isinstance(found, Tick):
        if not EARLIEST_MS <= found.at <= LATEST_MS:
            raise BadFrame(f"a tick at {found.at} ms is outside of what a store can hold")
    elif max(len(found[0].kind.encode()), len(found[0].pack.encode())) > NAME_BYTES:
        raise BadFrame(f"kind or pack is longer than {NAME_BYTES} bytes")
    return found


def letter_of(rejected: Rejected, head: ResultHead, received_ms: int) -> DeadLetter:
    """Return the dead letter of a row that the store will never take; its raw bytes can be driven again."""
    cells = {name: rejected.row.column(name)[0].as_py() or "" for name in ("site", "factor")}
    return DeadLetter(
        reason=Refusal.STORE_REFUSED,
        source=SOURCE,
        where="store",
        detail=rejected.why,
        raw=encode_results(head, rejected.row),
        received_at=received_ms,
        **cells,
    )


def _unread(delivery: Delivery, why: str, received_ms: int) -> DeadLetter:
    raw = delivery.value or b""
    if len(raw) > RAW_BYTES:
        digest = hashlib.sha256(raw).hexdigest()
        why = f"{why}; these are the first {RAW_BYTES} of {len(raw)} bytes with SHA-256 {digest}"
    return DeadLetter(
        reason=Refusal.BAD_FRAME,
        source=SOURCE,
        where=delivery.where,
        detail=why,
        raw=raw[:RAW_BYTES],
        received_at=received_ms,
    )


def _join(batches: Sequence[pa.RecordBatch], most_rows: int) -> Iterable[pa.RecordBatch]:
    """Put small batches together, in order, to at most so many rows each."""
    group: list[pa.RecordBatch] = []
    for batch in batches:
        if group and sum(one.num_rows for one in group) + batch.num_rows > most_rows:
            yield from _one(group)
            group = []
        group.append(batch)
    if group:
        yield from _one(group)


def _one(batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    if len(batches) == 1:
        return batches
    try:
        table = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()
    except pa.ArrowInvalid:  # together they have more names than the dictionary's index can count
        return batches
    return list(table.to_batches())
