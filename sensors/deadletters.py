"""Dead letters: input that could not be used, kept with the reason so that nothing is lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import msgspec

from sensors.errors import BadRecord

RAW_BYTES: Final = 1_000_000
"""More of the input than this does not go into a letter: as base64 it must fit into a message of 2 MiB."""
DETAIL_CHARACTERS: Final = 2_000


class Refusal(StrEnum):
    """Why input was not used."""

    UNKNOWN_SITE = "unknown_site"
    """The registry holds no such site at that time."""
    UNKNOWN_UNIT = "unknown_unit"
    """The unit cannot be converted to the factor's own without a guess."""
    UNKNOWN_COLUMN = "unknown_column"
    """A column that is no factor of the kind; its values are kept in the letter."""
    NOT_A_NUMBER = "not_a_number"
    """Text, NaN or an infinity where a number belongs."""
    IMPOSSIBLE_VALUE = "impossible_value"
    """A number that the physical bounds of the factor exclude, or a device's sentinel."""
    IMPOSSIBLE_TIME = "impossible_time"
    """A time that cannot be read, lies in the future, or before the site existed."""
    TOO_LATE = "too_late"
    """Older than the live span: to be driven again by a recompute."""
    TOO_EARLY = "too_early"
    """Further ahead of the partition's clock than a day."""
    UNKNOWN_PERIOD = "unknown_period"
    """The readings cover another length of time than the registry gives for the site."""
    BAD_FRAME = "bad_frame"
    """Bytes that are neither a frame nor a tick."""
    BAD_FILE = "bad_file"
    """A file, or a part of it, that cannot be read."""
    STORE_REFUSED = "store_refused"
    """A result that the store will never take, however often it is offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One refused piece of input."""

    reason: Refusal
    source: str
    """Who sent it: a feed's or gateway's name."""
    where: str
    """File and line, or topic, partition and offset."""
    detail: str
    """What was found, and what to do."""
    raw: bytes
    """The input itself, as it came."""
    site: str = ""
    factor: str = ""
    received_at: int = 0
    """Milliseconds UTC."""


def encode_letter(letter: DeadLetter) -> bytes:
    """Return a dead letter as JSON; raw bytes are base64.

    What is longer than a message can carry is cut, and ``detail`` says so.
    """
    detail = letter.detail
    if len(detail) > DETAIL_CHARACTERS:
        detail = f"{detail[:DETAIL_CHARACTERS]}… (cut)"
    if len(letter.raw) > RAW_BYTES:
        detail = f"{detail}; the first {RAW_BYTES} of {len(letter.raw)} bytes are kept here"
    return msgspec.json.encode(replace(letter, raw=letter.raw[:RAW_BYTES], detail=detail))


def decode_letter(data: bytes) -> DeadLetter:
    """Return the dead letter that `encode_letter` wrote.

    Raises
    ------
    BadRecord
        When the bytes are no dead letter.
    """
    try:
        return msgspec.json.decode(data, type=DeadLetter)
    except (msgspec.DecodeError, UnicodeDecodeError) as cause:
        raise BadRecord(f"bytes that are no dead letter: {cause}") from cause
