from __future__ import annotations

import json

import pytest

from sensors.deadletters import DeadLetter, Refusal, decode_letter, encode_letter
from sensors.errors import BadRecord

LETTER = DeadLetter(
    reason=Refusal.BAD_FILE,
    source="f",
    where="a.csv:2",
    detail="“no” <b>",
    raw=bytes(range(256)),
    site="A",
    factor="CO",
    received_at=1,
)


@pytest.mark.parametrize("reason", Refusal)
def test_a_letter_survives_the_way_through_its_bytes(reason: Refusal) -> None:
    letter = DeadLetter(reason=reason, source="s", where="w", detail="d", raw=b"\x00\xff")
    assert decode_letter(encode_letter(letter)) == letter
    assert decode_letter(encode_letter(LETTER)) == LETTER


def test_a_letter_is_json_on_one_line() -> None:
    data = encode_letter(LETTER)
    assert b"\n" not in data
    assert json.loads(data)["reason"] == "bad_file"


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b'{"raw\xff": 1}', b"[]", b"{}", b'{"raw": 1, "reason": "bad_file"}', b'{"raw": "a", "reason": ""}'],
)
def test_bytes_that_are_no_letter_are_an_error_that_names_itself(data: bytes) -> None:
    with pytest.raises(BadRecord, match="no dead letter"):
        decode_letter(data)
