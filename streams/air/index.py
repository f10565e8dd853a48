"""The air quality index: IAQI, AQI, level and primary pollutants, in exact integers.

All arrays have the items on the axis before the last, ``[..., I, N]``, in the order of the
edition's items; real-time and daily index differ only in their items.

References
----------
.. [1] HJ 633-2012, 4.2 (formula), 4.4 (AQI, primary), 6.2 (rounding up).
.. [2] HJ 633-2026, 4.2.2 to 4.2.6, table 3, 4.3.1, 5.3.1, 5.3.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sensors.factors import EXTRA_DIGITS
from streams.judging.means import Ints, divide_half_even
from streams.judging.reasons import INVALID, MISSING_ITEM, NO_ITEM, NOT_IN_PLAN, OK, OVER_TABLE, REASONS, States
from streams.results import Reason
from streams.standards import Breakpoints, IndexEdition, Item, OverTable

FACTORS: Final = ("PM2.5", "PM10", "SO2", "NO2", "CO", "O3")
"""The items of the index, in the order in which primaries are listed."""
AVERAGED: Final = FACTORS[:5]
"""Those with a 24 h mean; O3 has its 8 h windows instead."""
ITEM_BITS: Final = 5
"""Bits of one item's reason code where the six are packed."""
NA: Final = -1
"""An IAQI or AQI that is not given."""
_STEP: Final = 10**EXTRA_DIGITS
_TOP: Final = 500


class Profile(StrEnum):
    """By which rule an index with a missing item is published."""

    STANDARD = "standard"
    """The edition's own rule."""
    PLATFORM = "platform"
    """The AQI of what is there, as the national platform publishes it; for comparison."""


@dataclass(frozen=True, slots=True, eq=False)
class IndexTable:
    """Breakpoint columns of the items of one index, unrolled to one index per last digit."""

    items: tuple[Item, ...]
    lookup: NDArray[np.int16]
    """``[I, K]``: the IAQI of concentration k; the last column stands for all above; `NA` where there is none."""


class Index(NamedTuple):
    """An index per position, all of shape ``[..., N]``."""

    aqi: NDArray[np.int16]
    """`NA` where it is not given."""
    level: NDArray[np.int8]
    """1 to 6; 0 where there is no AQI."""
    primary: NDArray[np.uint8]
    """Bit i: item i is primary. All that share the largest IAQI are, where the AQI is over 50."""
    reason: States
    """``OK``; ``MISSING_ITEM`` with or without an AQI; ``NO_ITEM``; ``NOT_IN_PLAN`` when no item is in plan."""
    missing: NDArray[np.uint8]
    """Bit i: item i is in plan and has no IAQI."""


def iaqi_of(column: Breakpoints, concentration: int) -> int:
    """Return the IAQI of one concentration, `NA` where the column gives none.

    Parameters
    ----------
    column
        A column of the breakpoint table.
    concentration
        Fixed point at the column's digits, not negative. [µg/m³; CO mg/m³]
    """
    points, indices = column.concentrations, column.indices
    if concentration > points[-1]:
        return NA if column.over is OverTable.NONE else indices[-1]
    high = max(1, next(k for k, point in enumerate(points) if concentration <= point))
    rise, run = indices[high] - indices[high - 1], points[high] - points[high - 1]
    # Ceiling of a rational in whole numbers: binary fractions go wrong beside whole indices.
    return indices[high - 1] - (-rise * (concentration - points[high - 1]) // run)


@cache
def real_time_table(edition: IndexEdition) -> IndexTable:
    """Return the table of the real-time index of an edition."""
    return _table(edition.real_time)


@cache
def daily_table(edition: IndexEdition) -> IndexTable:
    """Return the table of the daily index of an edition."""
    return _table(edition.daily)


def iaqi(values: Ints, state: States, table: IndexTable) -> tuple[NDArray[np.int16], States]:
    """Return the IAQI of each item, and its state.

    Parameters
    ----------
    values
        ``[..., I, N]``, fixed point at the factors' digits; rounded half to even to the standard's
        last digit here, which leaves rounded values as they are. [µg/m³; CO mg/m³]
    state
        ``[..., I, N]`` reason codes: 0 where the value is valid. Others give `NA` and stay.
    table
        From `real_time_table` or `daily_table`.

    Returns
    -------
    tuple
        IAQI, and the state with ``OVER_TABLE`` where the edition has no IAQI for so high a value
        and ``INVALID`` where a value is negative.
    """
    units = divide_half_even(values, _STEP)
    width = table.lookup.shape[1]
    offset = np.arange(len(table.items), dtype=np.int64)[:, None] * width
    result = table.lookup.ravel()[np.clip(units, 0, width - 1) + offset]
    valid = state == OK
    negative = valid & (units < 0)
    state_out = np.where(negative, INVALID, state).astype(np.uint8)
    state_out[valid & ~negative & (result == NA)] = OVER_TABLE
    return np.where(state_out == OK, result, np.int16(NA)), state_out


def combine(
    iaqis: NDArray[np.int16], state: States, edition: IndexEdition, profile: Profile = Profile.STANDARD
) -> Index:
    """Return the AQI, level and primary pollutants of the items.

    Parameters
    ----------
    iaqis, state
        ``[..., I, N]``, as `iaqi` returns them. Items not in plan are left out without effect; any
        other state but OK is a missing item.
    edition
        Its rule decides whether the AQI of the rest is published (2026: only above 100).
    profile
        ``PLATFORM`` publishes the AQI of what is there in every edition.
    """
    valid = state == OK
    missing = ~valid & (state != NOT_IN_PLAN)
    none_valid, any_missing = ~valid.any(axis=-2), missing.any(axis=-2)
    largest = np.where(valid, iaqis, np.int16(NA)).max(axis=-2)
    aqi = np.where(none_valid, np.int16(NA), np.maximum(largest, np.int16(edition.index_min)))
    if edition.rest_over is not None and profile is Profile.STANDARD:
        aqi = np.where(any_missing & (aqi <= edition.rest_over), np.int16(NA), aqi)
    primary = valid & (iaqis == aqi[..., None, :]) & (aqi > edition.primary_over)[..., None, :]
    reason = np.where(any_missing, MISSING_ITEM, OK)
    reason[none_valid] = np.where(any_missing[none_valid], NO_ITEM, NOT_IN_PLAN)
    return Index(
        aqi=aqi,
        level=_level_lookup(edition)[aqi],
        primary=_bits(primary),
        reason=reason.astype(np.uint8),
        missing=_bits(missing),
    )


@cache
def primary_names(symbols: tuple[str, ...]) -> tuple[str, ...]:
    """Return for each bitmask of items their symbols joined by ``;``."""
    return tuple(
        ";".join(symbol for bit, symbol in enumerate(symbols) if mask >> bit & 1) for mask in range(1 << len(symbols))
    )


def missing_details(state: States, symbols: Sequence[str]) -> NDArray[np.object_]:
    """Return a text per position that names each missing item and why: ``NO2: calibrating; CO: silent``.

    Parameters
    ----------
    state
        ``[..., I, N]`` reason codes.
    symbols
        The items' symbols.

    Returns
    -------
    NDArray
        ``[..., N]`` of str; empty where nothing is missing. Items not in plan are not named.
    """
    return name_states(state, symbols, ["" if reason is Reason.NOT_IN_PLAN else reason.value for reason in REASONS])


def name_states(state: States, symbols: Sequence[str], words: Sequence[str]) -> NDArray[np.object_]:
    """Return a text per position that names each item with its state's word; an empty word names nothing.

    Parameters
    ----------
    state
        ``[..., I, N]`` positions in ``words``.
    symbols
        The items' symbols, I of them.
    words
        A word per state.
    """
    weights = len(words) ** np.arange(len(symbols), dtype=np.int64)
    keys, place = np.unique((state * weights[:, None]).sum(axis=-2), return_inverse=True)
    texts = np.empty(len(keys), dtype=np.object_)
    for at, key in enumerate(keys):
        named = zip(symbols, (words[int(c)] for c in (key // weights) % len(words)), strict=True)
        texts[at] = "; ".join(f"{symbol}: {word}" for symbol, word in named if word)
    return texts[place]


def pack_states(states: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return item states ``[..., I, N]`` as one integer per position, `ITEM_BITS` each."""
    shifts = (ITEM_BITS * np.arange(states.shape[-2], dtype=np.int64))[:, None]
    packed: NDArray[np.int64] = (states.astype(np.int64) << shifts).sum(axis=-2)
    return packed


def tell_states(packed: NDArray[np.int64]) -> pa.Array:
    """Return the text of item states that `pack_states` packed."""
    states = (packed[None, :] >> (ITEM_BITS * np.arange(len(FACTORS)))[:, None]) & ((1 << ITEM_BITS) - 1)
    return pa.array(missing_details(states.astype(np.uint8), FACTORS), pa.utf8())


def _table(items: tuple[Item, ...]) -> IndexTable:
    width = 2 + max(item.breakpoints.concentrations[-1] // _STEP for item in items)
    lookup = np.stack([_iaqis(item.breakpoints, np.arange(width, dtype=np.int64) * _STEP) for item in items])
    lookup.flags.writeable = False
    return IndexTable(items, lookup)


def _iaqis(column: Breakpoints, concentrations: Ints) -> NDArray[np.int16]:
    """Return what `iaqi_of` returns, of many concentrations at once."""
    points, indices = np.array(column.concentrations, np.int64), np.array(column.indices, np.int64)
    high = np.clip(np.searchsorted(points, concentrations), 1, len(points) - 1)
    rise, run = indices[high] - indices[high - 1], points[high] - points[high - 1]
    found = indices[high - 1] - (-rise * (concentrations - points[high - 1]) // run)
    over = NA if column.over is OverTable.NONE else int(indices[-1])
    return np.where(concentrations > points[-1], over, found).astype(np.int16)


@cache
def _level_lookup(edition: IndexEdition) -> NDArray[np.int8]:
    # One place more than the index has: position -1 (NA) is its last, and has level 0.
    lookup = np.zeros(_TOP + 2, dtype=np.int8)
    for level in edition.levels:
        lookup[level.start : level.end + 1] = level.level
    return lookup


def _bits(flags: NDArray[np.bool_]) -> NDArray[np.uint8]:
    weights = (1 << np.arange(flags.shape[-2], dtype=np.uint8))[:, None]
    bits: NDArray[np.uint8] = np.where(flags, weights, 0).sum(axis=-2, dtype=np.uint8)
    return bits
