"""A 64-bit hash of what went into a window, computed in columns.

It tells whether content changed; it is no proof against a forger (the ledger's chain is).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Hash = NDArray[np.uint64]

_A, _B = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_STEP = np.uint64(0x9E3779B97F4A7C15)


def mix(numbers: Hash) -> Hash:
    """Scramble each number (the finaliser of splitmix64, public domain, S. Vigna)."""
    mixed = (numbers ^ (numbers >> np.uint64(30))) * _A
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _B
    return mixed ^ (mixed >> np.uint64(31))


def placed(numbers: Hash, places: NDArray[np.int64]) -> Hash:
    """Scramble each number together with its place, so that sums of them know the order."""
    return mix(numbers + mix(places.astype(np.uint64) * _STEP + _STEP))


def joined(*columns: NDArray[np.generic]) -> Hash:
    """Return one hash for each position of equally shaped columns of integers."""
    total = np.zeros(columns[0].shape, dtype=np.uint64)
    for column in columns:
        numbers: Hash = column.astype(np.uint64 if column.dtype == np.uint64 else np.int64, copy=False).view(np.uint64)
        total = mix(total + _STEP + numbers)
    return total


def windowed(numbers: Hash, spans: NDArray[np.int64]) -> Hash:
    """Return for each position of the last axis the wrapped sum over the last ``spans`` positions.

    Positions that have fewer before them sum what is there.
    """
    total = np.zeros((*numbers.shape[:-1], numbers.shape[-1] + 1), dtype=np.uint64)
    np.cumsum(numbers, axis=-1, dtype=np.uint64, out=total[..., 1:])
    first = np.maximum(np.arange(1, total.shape[-1]) - spans, 0)
    sums: Hash = total[..., 1:] - total[..., first]
    return sums
