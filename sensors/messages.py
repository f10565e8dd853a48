"""Messages of a Kafka consumer with the types they have once they came without an error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaError, Message

from sensors.errors import EdgeError

# The codes that begin with an underscore are librdkafka's own and public.
PASSING: Final = frozenset(
    {
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
        KafkaError._PARTITION_EOF,  # noqa: SLF001
        KafkaError._RESOLVE,  # noqa: SLF001
        KafkaError._TIMED_OUT,  # noqa: SLF001
        KafkaError._TRANSPORT,  # noqa: SLF001
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.REQUEST_TIMED_OUT,
    }
)
"""Errors after which librdkafka goes on by itself; `KafkaError.retriable` is false for each of them (measured)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One record of a topic."""

    topic: str
    partition: int
    offset: int
    value: bytes


def received(message: Message) -> Received | None:
    """Return a consumer's message, or None for an error that passes by itself.

    Raises
    ------
    EdgeError
        When the broker says something that does not pass.
    """
    error = message.error()
    if error is not None:
        if error.retriable() or error.code() in PASSING:
            return None
        raise EdgeError(f"{message.topic()}[{message.partition()}] at offset {message.offset()}: {error.str()}")
    return Received(
        topic=str(message.topic()),
        partition=int(message.partition() or 0),
        offset=int(message.offset() or 0),
        value=bytes(message.value() or b""),
    )
