"""Areas: what travels from the first stage to the second, repartitioned by area.

A message of an areas topic is a batch of result rows as on the results topics, or a tick that names the
partition of the readings whose clock it is: the second stage's clock is the least of all of them.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
import pyarrow as pa

from sensors.errors import BadFrame
from sensors.frames import Tick
from streams.results import decode_results


class AreaTick(Tick, frozen=True):
    """The clock of one partition of the readings, as the second stage is told it."""

    source: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]


def encode_area_tick(at_ms: int, source: int) -> bytes:
    """Return a tick of a source partition as bytes for an areas topic."""
    return msgspec.json.encode(AreaTick(at=at_ms, source=source))


def decode_area(data: bytes) -> pa.RecordBatch | AreaTick:
    """Return the result rows of a message, or the tick when it is one.

    Raises
    ------
    BadFrame
        When it is neither, or of another schema version.
    """
    if data[:1] == b"{":
        try:
            return msgspec.json.decode(data, type=AreaTick)
        except (msgspec.DecodeError, UnicodeDecodeError) as cause:
            raise BadFrame(f"a tick of an areas topic that cannot be read: {cause}") from cause
    found = decode_results(data)
    if isinstance(found, Tick):
        raise BadFrame("a tick that does not name its partition")
    return found[1]
