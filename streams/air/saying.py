"""Saying: which windows changed since they were last said, as rows of results.

A revision is counted when the canonical content of a window changed at an evaluation (design,
"Two laws").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.air.hashing import Hash, joined
from streams.air.index import REASONS, missing_details, primary_names
from streams.air.state import Said
from streams.results import RESULT_SCHEMA, Window

FACTORS: Final = ("PM2.5", "PM10", "SO2", "NO2", "CO", "O3")
"""Order of the factor axis in all air arrays; the order in which primaries are listed."""
AVERAGED: Final = ("PM2.5", "PM10", "SO2", "NO2", "CO")
"""Factors with a 24 h mean; O3 has its 8 h windows instead."""
ITEM_BITS: Final = 4
"""Bits of one item's reason code where the six are packed."""
_PRIMARIES: Final = pa.array(primary_names(FACTORS), pa.utf8())
NO_NUMBER: Final = -1
"""Stands in integer columns where there is no IAQI or level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One window of one factor that is said for every hour or day."""

    factor: str
    window: Window
    digits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What was found for some sites and times: arrays [sites, times] of one output."""

    value: NDArray[np.int64]
    present: NDArray[np.bool_]
    valid: NDArray[np.int16]
    expected: NDArray[np.int16]
    reason: NDArray[np.uint8]
    detail: NDArray[np.int64]
    """Reason codes of the six items, `ITEM_BITS` each, where an index misses one; else 0."""
    marks: NDArray[np.uint16]
    iaqi: NDArray[np.int16]
    level: NDArray[np.int8]
    primary: NDArray[np.uint8]
    """Bit i: factor i of `FACTORS`."""
    inputs: Hash
    edition: NDArray[np.int8]
    """Place of the index edition in the judge's list."""
    due: NDArray[np.bool_]
    """Some input came, so the window is said even where nothing is owed."""


_CONTENT: Final = tuple(f.name for f in fields(Block) if f.name != "due")


def stacked(blocks: Sequence[Block]) -> dict[str, NDArray[np.generic]]:
    """Return the columns of blocks of the same sites and times as arrays [sites, outputs, times]."""
    return {f.name: np.stack([getattr(block, f.name) for block in blocks], axis=1) for f in fields(Block)}


def content(columns: Mapping[str, NDArray[np.generic]]) -> Hash:
    """Return the canonical content of each window as a hash that is never 0."""
    return joined(*(columns[name] for name in _CONTENT)) | np.uint64(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """What the rows of one tick share."""

    names: pa.Array
    editions: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Which windows of which sites are spoken of."""

    outputs: tuple[Output, ...]
    said: Said
    """Changed by `say`."""
    sites: NDArray[np.intp]
    """Rows of the state."""
    places: NDArray[np.int64]
    """Places of the ring, one for each time."""
    starts: NDArray[np.int64]
    """Starts of the windows, ms."""


def say(speech: Speech, spot: Spot, blocks: Sequence[Block], due: NDArray[np.bool_]) -> pa.RecordBatch:
    """Return the windows that differ from what was last said of them, as result rows, and note them.

    Parameters
    ----------
    blocks
        One for each output of ``spot``.
    due
        Which windows are to be said at all, [sites, outputs, times].
    """
    columns = stacked(blocks)
    new = content(columns)
    where = np.ix_(spot.sites, np.arange(len(blocks)), spot.places)
    picked = np.nonzero(due & (new != spot.said.content[where]))
    sites, outputs, times = picked
    place = (spot.sites[sites], outputs, spot.places[times])
    revision = spot.said.revision[place] + 1
    spot.said.revision[place] = revision
    spot.said.content[place] = new[picked]
    return _rows(speech, spot, {name: column[picked] for name, column in columns.items()}, picked, revision)


def _rows(
    speech: Speech,
    spot: Spot,
    columns: Mapping[str, NDArray[np.generic]],
    picked: tuple[NDArray[np.intp], ...],
    revision: NDArray[np.int32],
) -> pa.RecordBatch:
    sites, outputs, times = picked
    count = sites.size

    def named(codes: NDArray[np.generic], names: Sequence[str]) -> pa.DictionaryArray:
        place = {name: number for number, name in enumerate(dict.fromkeys(names))}  # outputs share factors and windows
        different = np.array([place[name] for name in names], np.int8)
        return pa.DictionaryArray.from_arrays(
            pa.array(different[codes.astype(np.intp)]), pa.array(list(place), pa.utf8())
        )

    def or_null(name: str, kind: pa.DataType) -> pa.Array:
        numbers = columns[name]
        return pa.array(numbers, mask=numbers == NO_NUMBER).cast(kind)

    digits = np.array([output.digits for output in spot.outputs], np.int8)
    made = {
        "site": pa.DictionaryArray.from_arrays(pa.array(spot.sites[sites].astype(np.int32)), speech.names),
        "factor": named(outputs, [output.factor for output in spot.outputs]),
        "window": named(outputs, [output.window.value for output in spot.outputs]),
        "start": pa.array(spot.starts[times]).cast(pa.timestamp("ms", "UTC")),
        "edition": named(columns["edition"], speech.editions),
        "value": pa.array(columns["value"], mask=~columns["present"].astype(np.bool_)),
        "digits": pa.array(digits[outputs]),
        "valid": pa.array(columns["valid"]),
        "expected": pa.array(columns["expected"]),
        "reason": named(columns["reason"], [reason.value for reason in REASONS]),
        "detail": _details(columns["detail"].astype(np.int64)),
        "flags": pa.array(columns["marks"].astype(np.int32)),
        "iaqi": or_null("iaqi", pa.int16()),
        "level": or_null("level", pa.int8()),
        "primary": _PRIMARIES.take(pa.array(columns["primary"])),
        "revision": pa.array(revision.astype(np.int32)),
        "inputs": pa.array(columns["inputs"]),
        "at": pa.array(np.full(count, speech.at, np.int64)).cast(pa.timestamp("ms", "UTC")),
    }
    return pa.RecordBatch.from_arrays([made[f.name] for f in RESULT_SCHEMA], schema=RESULT_SCHEMA)


def _details(packed: NDArray[np.int64]) -> pa.Array:
    """Return the text of packed item states."""
    states = (packed[None, :] >> (ITEM_BITS * np.arange(len(FACTORS)))[:, None]) & ((1 << ITEM_BITS) - 1)
    return pa.array(missing_details(states.astype(np.uint8), FACTORS), pa.utf8())


def pack_states(states: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return item states ``[..., I, N]`` as one integer per position, `ITEM_BITS` each."""
    shifts = (ITEM_BITS * np.arange(states.shape[-2], dtype=np.int64))[:, None]
    packed: NDArray[np.int64] = (states.astype(np.int64) << shifts).sum(axis=-2)
    return packed
