from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, Message

from sensors.errors import EdgeError
from sensors.messages import PASSING, Received, received


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a consumer gives, as far as `received` looks at it."""

    fault: KafkaError | None = None
    data: bytes | None = b"x"
    place: tuple[str | None, int | None, int | None] = ("t", 2, 7)

    def error(self) -> KafkaError | None:
        return self.fault

    def topic(self) -> str | None:
        return self.place[0]

    def partition(self) -> int | None:
        return self.place[1]

    def offset(self) -> int | None:
        return self.place[2]

    def value(self) -> bytes | None:
        return self.data


def read(**told: Any) -> Received | None:
    return received(cast("Message", Told(**told)))


@pytest.mark.parametrize("data", [b"", b"x", b"\x00" * 1000])
def test_a_message_comes_with_its_place_and_bytes(data: bytes) -> None:
    assert read(data=data) == Received(topic="t", partition=2, offset=7, value=data)


def test_a_message_without_a_value_has_no_bytes() -> None:
    found = read(data=None)
    assert found is not None
    assert found.value == b""


def test_the_first_message_of_the_first_partition_keeps_its_place() -> None:
    assert read(place=("t", 0, 0)) == Received(topic="t", partition=0, offset=0, value=b"x")


@pytest.mark.parametrize("code", sorted(PASSING))
def test_an_error_that_passes_by_itself_is_no_message(code: int) -> None:
    assert read(fault=KafkaError(code)) is None


def test_an_error_that_the_client_calls_retriable_is_no_message() -> None:
    assert read(fault=KafkaError(KafkaError.UNKNOWN, "try again", retriable=True)) is None


@pytest.mark.parametrize(
    "code",
    [
        KafkaError._AUTO_OFFSET_RESET,
        KafkaError.OFFSET_OUT_OF_RANGE,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError._MAX_POLL_EXCEEDED,
    ],
)
def test_an_error_that_stays_names_topic_partition_and_offset(code: int) -> None:
    with pytest.raises(EdgeError, match=r"t\[2\] at offset 7: "):
        read(fault=KafkaError(code))
