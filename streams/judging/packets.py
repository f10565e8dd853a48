"""Accounting: of each slot and site, how many packets were due and came, and why those without a value have none.

``expected = valid + calibrating + invalid + missing``; late ones are among those that came.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sensors.flags import Mark
from streams.judging import slots
from streams.judging.hashing import joined
from streams.judging.plan import Block, Output
from streams.judging.reasons import OK, SILENT
from streams.results import PACKETS

Packed = NDArray[np.int64]
_FIELDS: Final = ("expected", "received", "valid", "late", "calibrating")
_BITS: Final = 12
_MASK: Final = (1 << _BITS) - 1


def counted(
    keys: slots.Keys, entering: NDArray[np.bool_], due: NDArray[np.int64], allowed: NDArray[np.int64]
) -> Packed:
    """Return the packed counts of some sites.

    Parameters
    ----------
    keys
        Keys of a slot ``[places, sites, factors]``.
    entering
        Which of them may enter a mean.
    due
        Packets due, ``[sites]``.
    allowed
        Minutes after the start of each place from which on a packet is late, ``[places]``.
    """
    packet = keys.max(axis=2)
    came, valid = packet != 0, entering.any(axis=2)
    late = came & (slots.delays_of(packet) > allowed[:, None])
    empty = came & ~valid
    calibrating = np.zeros(due.size, np.int64)
    if empty.any():
        marked = (slots.marks_of(keys) & np.uint16(Mark.CALIBRATION)).any(axis=2)
        calibrating = np.count_nonzero(empty & marked, axis=0)
    columns = (due, *(np.count_nonzero(part, axis=0) for part in (came, valid, late)), calibrating)
    packed = np.zeros(due.size, np.int64)
    for place, column in enumerate(columns):
        packed |= np.minimum(column, _MASK).astype(np.int64) << (place * _BITS)
    return packed


def count_of(packed: Packed, name: str) -> NDArray[np.int64]:
    """Return one of the packed counts."""
    return (packed >> (_FIELDS.index(name) * _BITS)) & _MASK


def tell(packed: Packed) -> pa.Array:
    """Return texts that name what is not as it should be: ``late 2; missing 3; calibrating 1; invalid 4``."""
    expected, received, valid, late, calibrating = (count_of(packed, name) for name in _FIELDS)
    named = {
        "late": late,
        "missing": np.maximum(expected - received, 0),
        "calibrating": calibrating,
        "invalid": received - valid - calibrating,
    }
    texts = [
        "; ".join(f"{name} {column[place]}" for name, column in named.items() if column[place] > 0)
        for place in range(packed.size)
    ]
    return pa.array(texts, pa.utf8())


def output(window: str) -> Output:
    """Return the output of a slot's accounting."""
    return Output(factor=PACKETS, window=window, digits=0, tell=tell)


def block(packed: Packed) -> Block:
    """Return the accounting of slots, ``[sites, times]``; where no packet came there is no number."""
    received = count_of(packed, "received")
    came = received > 0
    return Block.of(
        value=received,
        present=came,
        valid=count_of(packed, "valid"),
        expected=count_of(packed, "expected"),
        reason=np.where(came, OK, SILENT),
        detail=packed,
        inputs=np.where(came, joined(packed), np.uint64(0)),
    )
