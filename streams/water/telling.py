"""Details of water results as numbers, and as the texts that they stand for.

A class's detail names the main pollutants with their multiples, and what of the five items is missing:
``NH3-N 0.40; DO; missing: TP``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Ints = NDArray[np.int64]
_NAME_BITS: Final = 5
_TIMES_BITS: Final = 13
_PART_BITS: Final = _NAME_BITS + _TIMES_BITS
_PARTS: Final = 3
_MOST: Final = (1 << _TIMES_BITS) - 1
MISSING_ITEMS: Final = 63 - _PARTS * _PART_BITS
"""Of so many items, the first, a detail can say that they are missing."""


def pack_details(order: Ints, times: Ints, counted: NDArray[np.bool_], missing: NDArray[np.bool_]) -> Ints:
    """Return what is over and what is missing as one number per position.

    Parameters
    ----------
    order
        ``[S, P, N]``: places of the items to name, -1 where there are no more; the first three are kept.
    times
        ``[S, I, N]``: multiples in hundredths.
    counted
        ``[I]``: items that have a multiple at all.
    missing
        ``[S, I, N]``: items that should be there; only the first `MISSING_ITEMS` can be told.
    """
    packed = np.zeros((order.shape[0], order.shape[-1]), dtype=np.int64)
    for place in range(min(order.shape[1], _PARTS)):
        item = order[:, place]
        at = np.maximum(item, 0)
        found = np.take_along_axis(times, at[:, None], axis=1)[:, 0]
        share = np.where(counted[at], np.minimum(found + 1, _MOST), 0)
        packed |= np.where(item >= 0, (share << _NAME_BITS) | (item + 1), 0) << (place * _PART_BITS)
    for place in range(min(missing.shape[1], MISSING_ITEMS)):
        packed |= missing[:, place].astype(np.int64) << (_PARTS * _PART_BITS + place)
    return packed


def tell_items(items: tuple[str, ...]) -> Callable[[Ints], pa.Array]:
    """Return what turns numbers of `pack_details` into texts."""

    def tell(codes: Ints) -> pa.Array:
        distinct, place = np.unique(codes, return_inverse=True)
        return pa.array([_text(int(code), items) for code in distinct], pa.utf8()).take(pa.array(place))

    return tell


def tell_gaps(codes: Ints) -> pa.Array:
    """Return the share of a day that is not covered as text: ``gaps 16.6 %``; thousandths in."""
    distinct, place = np.unique(codes, return_inverse=True)
    texts = [f"gaps {int(code) // 10}.{int(code) % 10} %" if code else "" for code in distinct]
    return pa.array(texts, pa.utf8()).take(pa.array(place))


def times_text(hundredths: int) -> str:
    """Return a multiple as text; a small one is not shown as none."""
    if hundredths == 0:
        return "<0.01"
    return f"{hundredths // 100}.{hundredths % 100:02}"


def _text(code: int, items: tuple[str, ...]) -> str:
    parts = []
    for place in range(_PARTS):
        part = code >> (place * _PART_BITS)
        item, times = part & ((1 << _NAME_BITS) - 1), (part >> _NAME_BITS) & _MOST
        if item:
            sign = ">" if times == _MOST else ""
            parts.append(items[item - 1] + (f" {sign}{times_text(times - 1)}" if times else ""))
    missing = code >> (_PARTS * _PART_BITS)
    lacking = [item for at, item in enumerate(items[:MISSING_ITEMS]) if missing >> at & 1]
    if lacking:
        parts.append(f"missing: {', '.join(lacking)}")
    return "; ".join(parts)
