"""Chance without a state: every number is a function of seed, stream, key and count.

So a packet is the same however the time is cut, and no order of calls matters. The mixer is
SplitMix64 (Steele, Lea and Flood, 2014), which passes the usual tests on counters.
"""

from __future__ import annotations

import zlib
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Stream(IntEnum):
    """Which independent sequence a number is taken from."""

    WIND = 1
    SHOWER = 2
    HEAT = 3
    DIRECTION = 4
    PRESSURE = 5
    REGION = 6
    SITE = 7
    COARSE = 8
    LATENCY = 9
    OZONE = 10
    VOC_FIRM = 11
    VOC_POINT = 12
    RIVER = 13
    OUTFALL_SITE = 14
    OUTFALL_WATER = 15
    STREET = 16
    BROOK = 17
    PARTICLES = 20
    """Noise of the air analysers, from here on one per factor; so the others below."""
    VOC = 40
    MAST = 60
    WATER = 80
    WATER_SITE = 110
    OUTFALL = 120
    NOISE = 140
    STATION = 150
    OPERATION = 160


def key_of(name: str) -> int:
    """Return the number by which a site draws its chance: it stays when other sites come and go."""
    return zlib.crc32(name.encode())


def bits(seed: int, stream: int, keys: Ints, counts: Ints) -> NDArray[np.uint64]:
    """Return 64 random bits for each key and count; the two are broadcast against each other."""
    start = np.array([(seed * 0x9E3779B97F4A7C15 + stream * 0xD1B54A32D192ED03) % 2**64], dtype=np.uint64)
    keyed = _mix(start + keys.astype(np.uint64) * np.uint64(0x8CB92BA72F3D8DD7))
    return _mix(keyed + counts.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))


def _mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def bell(seed: int, stream: int, keys: Ints, counts: Ints) -> Floats:
    """Return noise of mean 0 and standard deviation 1 between -3.5 and 3.5: the sum of four uniform numbers."""
    random = bits(seed, stream, keys, counts)
    total = sum((random >> np.uint64(shift) & np.uint64(0xFFFF)).astype(np.float64) for shift in (0, 16, 32, 48))
    return np.asarray((total / 65535.0 - 2.0) * np.sqrt(3.0))


def smooth(seed: int, stream: int, keys: Ints, minutes: Ints, knot: int) -> Floats:
    """Return noise between -1 and 1 that bends once in ``knot`` minutes.

    Parameters
    ----------
    keys
        [1, K], one independent curve each.
    minutes
        [T, 1], minutes since 1970, ascending by one or equal.

    Returns
    -------
    NDArray
        [T, K].
    """
    place = minutes[:, 0] // knot
    first, last = (int(place[0]), int(place[-1])) if len(place) else (0, 0)
    knots = np.arange(first, last + 2, dtype=np.int64)[:, np.newaxis]
    heights = (bits(seed, stream, keys, knots) >> np.uint64(11)).astype(np.float64) / 2.0**52 - 1.0
    between = ease((minutes % knot) / knot)
    here, there = heights[place - first], heights[place - first + 1]
    return np.asarray(here + (there - here) * between)


def ease(share: Floats) -> Floats:
    """Return a soft step: 0 at and below 0, 1 at and above 1."""
    share = np.clip(share, 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share))
