"""Messages of a Kafka consumer with the types they have once they came without an error."""

from __future__ import annotations

from dataclasses import dataclass

from confluent_kafka import Message

from sensors.errors import EdgeError


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
        if error.retriable():
            return None
        raise EdgeError(f"{message.topic()}[{message.partition()}] at offset {message.offset()}: {error.str()}")
    return Received(
        topic=str(message.topic()),
        partition=int(message.partition() or 0),
        offset=int(message.offset() or 0),
        value=bytes(message.value() or b""),
    )
