"""Reading a results topic while it grows, and holding what came against the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Final

from confluent_kafka import Consumer, TopicPartition

from benchmarks.packets import Hour, Mean
from sensors.messages import received

PATIENCE_S: Final = 300.0


class BenchmarkError(Exception):
    """The benchmark cannot say anything: a side gave other results, or none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a results topic."""

    partition: int
    key: bytes | None
    value: bytes
    at: float
    """When the broker appended it, seconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Hourly results of one side."""

    means: Mapping[Hour, Mean]
    indices: Mapping[Hour, int | None]


def collect(
    bootstrap: str, topic: str, partitions: int, *, whole: Callable[[Message], bool], alive: Callable[[], bool]
) -> list[Message]:
    """Return all messages of a topic, read as they come, up to the one at which ``whole`` is true.

    Raises
    ------
    BenchmarkError
        When nothing came for `PATIENCE_S`, or whoever should write is not ``alive``.
    """
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": f"{topic}-watch", "enable.auto.commit": False})
    reader.assign([TopicPartition(topic, p, 0) for p in range(partitions)])
    found: list[Message] = []
    until = monotonic() + PATIENCE_S
    try:
        while monotonic() < until:
            for raw in reader.consume(500, timeout=0.2):
                record = received(raw)
                if record is None:
                    continue
                key, until = raw.key(), monotonic() + PATIENCE_S
                found.append(
                    Message(partition=record.partition, key=key, value=record.value, at=raw.timestamp()[1] / 1000)
                )
                if whole(found[-1]):
                    return found
            if not alive():
                raise BenchmarkError(f"whoever writes {topic} ended after {len(found)} messages")
    finally:
        reader.close()
    raise BenchmarkError(f"nothing new on {topic} for {PATIENCE_S:.0f} s; {len(found)} messages came")


def check(side: str, said: Said, means: Mapping[Hour, Mean], indices: Mapping[Hour, int | None] | None = None) -> None:
    """Hold the results of a side against the true means and, where given, against another side's indices.

    Raises
    ------
    BenchmarkError
        When an hour is missing, too many, or different; the first few are named.
    """
    _same(f"{side}: hourly means", said.means, means)
    if indices is not None:
        _same(f"{side}: indices", said.indices, indices)


def _same(what: str, found: Mapping[Hour, object], expected: Mapping[Hour, object]) -> None:
    wrong = [key for key in expected if key not in found or found[key] != expected[key]]
    extra = [key for key in found if key not in expected]
    if wrong or extra:
        told = "; ".join(f"{key}: {found.get(key)} instead of {expected.get(key)}" for key in (wrong + extra)[:5])
        raise BenchmarkError(f"{what}: {len(wrong)} of {len(expected)} differ, {len(extra)} too many: {told}")
