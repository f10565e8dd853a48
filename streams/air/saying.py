"""Saying: which windows changed since they were last said, as rows of results.

A revision is counted when the canonical content of a window changed at an evaluation (design,
"Two laws").
"""

from __future__ import annotations

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


def content(block: Block) -> Hash:
    """Return the canonical content of each window as a hash that is never 0."""
    hashes = joined(*(getattr(block, f.name) for f in fields(block) if f.name != "due"))
    return hashes | np.uint64(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """What the rows of one tick share."""

    names: pa.Array
    editions: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Which windows of which sites a block stands for."""

    what: Output
    said: Said
    """Changed by `changed`."""
    output: int
    """Which output of ``said``."""
    sites: NDArray[np.intp]
    """Rows of the state, one for each site position of the block."""
    places: NDArray[np.int64]
    """Places of the ring, one for each time position."""
    starts: NDArray[np.int64]
    """Starts of the windows, ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """Positions of a block that are to be said, with their revisions."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    revision: NDArray[np.int32]


def changed(spot: Spot, block: Block, due: NDArray[np.bool_]) -> Picked:
    """Note what is said now, and return what differs from before.

    Parameters
    ----------
    spot
        Its ``said`` is changed in place.
    block
        What was found.
    due
        Which windows are to be said at all.
    """
    new = content(block)
    held = spot.said.content[spot.sites[:, None], spot.output, spot.places[None, :]]
    rows, columns = np.nonzero(due & (new != held))
    where = (spot.sites[rows], spot.output, spot.places[columns])
    revision = spot.said.revision[where] + 1
    spot.said.revision[where] = revision
    spot.said.content[where] = new[rows, columns]
    return Picked(rows=rows, columns=columns, revision=revision)


def rows_of(speech: Speech, spot: Spot, block: Block, picked: Picked) -> pa.RecordBatch:
    """Return picked windows of a block as result rows."""
    rows, columns = picked.rows, picked.columns
    count = rows.size

    def of(name: str) -> NDArray[np.generic]:
        column: NDArray[np.generic] = getattr(block, name)[rows, columns]
        return column

    def constant(text: str) -> pa.DictionaryArray:
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int8)), pa.array([text], pa.utf8()))

    def or_null(name: str, kind: pa.DataType) -> pa.Array:
        numbers = of(name)
        return pa.array(numbers, mask=numbers == NO_NUMBER).cast(kind)

    columns_out = {
        "site": pa.DictionaryArray.from_arrays(pa.array(spot.sites[rows].astype(np.int32)), speech.names),
        "factor": constant(spot.what.factor),
        "window": constant(spot.what.window.value),
        "start": pa.array(spot.starts[columns]).cast(pa.timestamp("ms", "UTC")),
        "edition": pa.DictionaryArray.from_arrays(pa.array(of("edition")), pa.array(speech.editions, pa.utf8())),
        "value": pa.array(of("value"), mask=~of("present").astype(np.bool_)),
        "digits": pa.array(np.full(count, spot.what.digits, np.int8)),
        "valid": pa.array(of("valid")),
        "expected": pa.array(of("expected")),
        "reason": pa.DictionaryArray.from_arrays(
            pa.array(of("reason").astype(np.int8)), pa.array([r.value for r in REASONS], pa.utf8())
        ),
        "detail": _details(of("detail").astype(np.int64)),
        "flags": pa.array(of("marks").astype(np.int32)),
        "iaqi": or_null("iaqi", pa.int16()),
        "level": or_null("level", pa.int8()),
        "primary": _PRIMARIES.take(pa.array(of("primary"))),
        "revision": pa.array(picked.revision.astype(np.int32)),
        "inputs": pa.array(of("inputs")),
        "at": pa.array(np.full(count, speech.at, np.int64)).cast(pa.timestamp("ms", "UTC")),
    }
    return pa.RecordBatch.from_arrays([columns_out[f.name] for f in RESULT_SCHEMA], schema=RESULT_SCHEMA)


def _details(packed: NDArray[np.int64]) -> pa.Array:
    """Return the text of packed item states."""
    states = (packed[None, :] >> (ITEM_BITS * np.arange(len(FACTORS)))[:, None]) & ((1 << ITEM_BITS) - 1)
    return pa.array(missing_details(states.astype(np.uint8), FACTORS), pa.utf8())


def pack_states(states: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return item states ``[..., I, N]`` as one integer per position, `ITEM_BITS` each."""
    shifts = (ITEM_BITS * np.arange(states.shape[-2], dtype=np.int64))[:, None]
    packed: NDArray[np.int64] = (states.astype(np.int64) << shifts).sum(axis=-2)
    return packed
