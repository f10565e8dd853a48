"""Saying: which windows changed since they were last said, as rows of results.

A revision is counted when the canonical content of a window changed at an evaluation (design,
"Two laws").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.judging.hashing import Hash, joined
from streams.judging.plan import CONTENT, NO_NUMBER, Block, Output
from streams.judging.reasons import REASONS
from streams.judging.state import Said
from streams.results import RESULT_SCHEMA


def stacked(blocks: Sequence[Block]) -> dict[str, NDArray[np.generic]]:
    """Return the columns of blocks of the same sites and times as arrays [times, outputs, sites]."""
    return {name: np.stack([getattr(block, name).T for block in blocks], axis=1) for name in CONTENT}


def content(columns: Mapping[str, NDArray[np.generic]]) -> Hash:
    """Return the canonical content of each window as a hash that is never 0."""
    return joined(*(columns[name] for name in CONTENT)) | np.uint64(1)


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
        Which windows are to be said at all, [times, outputs, sites].
    """
    columns = stacked(blocks)
    new = content(columns)
    where = np.ix_(spot.places, np.arange(len(blocks)), spot.sites)
    picked = np.nonzero(due & (new != spot.said.content[where]))
    times, outputs, sites = picked
    place = (spot.places[times], outputs, spot.sites[sites])
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
    times, outputs, sites = picked
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
        "window": named(outputs, [output.window for output in spot.outputs]),
        "start": pa.array(spot.starts[times]).cast(pa.timestamp("ms", "UTC")),
        "edition": named(columns["edition"], speech.editions),
        "value": pa.array(columns["value"], mask=~columns["present"].astype(np.bool_)),
        "digits": pa.array(digits[outputs]),
        "valid": pa.array(columns["valid"]),
        "expected": pa.array(columns["expected"]),
        "reason": named(columns["reason"], [reason.value for reason in REASONS]),
        "detail": _details(spot.outputs, outputs, columns["detail"].astype(np.int64)),
        "flags": pa.array(columns["marks"].astype(np.int32)),
        "iaqi": or_null("iaqi", pa.int16()),
        "level": or_null("level", pa.int8()),
        "primary": _primaries(spot.outputs, outputs, columns["primary"].astype(np.uint64)),
        "revision": pa.array(revision.astype(np.int32)),
        "inputs": pa.array(columns["inputs"]),
        "at": pa.array(np.full(count, speech.at, np.int64)).cast(pa.timestamp("ms", "UTC")),
    }
    return pa.RecordBatch.from_arrays([made[f.name] for f in RESULT_SCHEMA], schema=RESULT_SCHEMA)


def _details(outputs: Sequence[Output], of: NDArray[np.intp], codes: NDArray[np.int64]) -> pa.Array:
    """Return each row's text of its detail code, told by the row's output."""
    texts = np.full(of.size, "", np.object_)
    for place, output in enumerate(outputs):
        if output.tell is not None and (mine := of == place).any():
            different, number = np.unique(codes[mine], return_inverse=True)
            texts[mine] = np.array(output.tell(different).to_pylist(), np.object_)[number]
    return pa.array(texts, pa.utf8())


def _primaries(outputs: Sequence[Output], of: NDArray[np.intp], bits: NDArray[np.uint64]) -> pa.Array:
    """Return each row's names of its bits, joined by ``;``."""
    texts = np.full(of.size, "", np.object_)
    for place in np.unique(of[bits != 0]):
        mine = of == place
        different, number = np.unique(bits[mine], return_inverse=True)
        names = [joined_names(outputs[place].primaries, int(mask)) for mask in different]
        texts[mine] = np.array(names, np.object_)[number]
    return pa.array(texts, pa.utf8())


def joined_names(names: Sequence[str], bits: int) -> str:
    """Return the names whose bit is set, joined by ``;``."""
    return ";".join(name for bit, name in enumerate(names) if bits >> bit & 1)
