from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.errors import BadFrame
from sensors.frames import Frame, FrameHead, Tick, decode, encode_frame, encode_tick, frame_schema

HEAD = FrameHead(kind="air", period_ms=3_600_000, source="s", sequence=1)
INT32 = st.integers(-(2**31), 2**31 - 1)
TIMES = st.integers(-(2**53), 2**53)
ROW = st.fixed_dictionaries(
    {
        "site": st.text(min_size=1, max_size=8),
        "start": TIMES,
        "received": TIMES,
        "correction": st.integers(-(2**15), 2**15 - 1),
        "other": st.none() | st.lists(st.tuples(st.text(max_size=4), st.text(max_size=4)), max_size=3),
        "O3": st.none() | INT32,
        "O3.flag": st.none() | st.integers(0, 255),
    }
)

LAW = settings(deadline=None)  # how long a case takes says nothing about it


def batch(found: list[dict[str, object]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(found, schema=frame_schema(["O3"]))


@LAW
@given(st.lists(ROW, max_size=20), st.sampled_from(["lz4", "zstd", None]))
def test_decode_undoes_encode(found: list[dict[str, object]], compression: str | None) -> None:
    frame = Frame(head=HEAD, rows=batch(found))
    back = decode(encode_frame(frame, compression))  # type: ignore[arg-type]
    assert isinstance(back, Frame)
    assert back.head == HEAD
    assert back.rows.equals(frame.rows)


@LAW
@given(st.integers(-8_000_000_000_000, 8_000_000_000_000))
def test_a_tick_keeps_every_instant(at: int) -> None:
    assert decode(encode_tick(at)) == Tick(at)


@LAW
@given(st.binary(max_size=400))
def test_any_bytes_are_a_frame_a_tick_or_refused(data: bytes) -> None:
    try:
        found = decode(data)
    except BadFrame:
        return
    assert isinstance(found, Frame | Tick)


@LAW
@given(st.data())
def test_a_damaged_frame_is_refused_or_still_a_sound_frame(data: st.DataObject) -> None:
    rows = batch(
        [
            {"site": "a", "start": 1, "received": 2, "correction": 0, "other": [("x", "y")], "O3": 5, "O3.flag": 78},
            {"site": "b", "start": 1, "received": 2, "correction": 0, "other": None, "O3": None, "O3.flag": None},
        ]
    )
    whole = bytearray(encode_frame(Frame(head=HEAD, rows=rows), data.draw(st.sampled_from(["lz4", None]))))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = decode(bytes(whole))
    except BadFrame:
        return
    if isinstance(found, Frame):
        found.rows.validate(full=True)
        texts = found.rows.drop_columns(["start", "received"])  # an instant may be beyond what Python's dates hold
        assert len(texts.to_pylist()) == found.rows.num_rows
