"""Packets of one kind and period while they are being filled: times by sites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sensors.clock import MINUTE_MS
from sensors.factors import load_factors
from sensors.frames import frame_schema
from sensors.registry import Site
from simulators.chance import Floats, Ints, Stream, bits
from simulators.scene import keys_of

NORMAL, STANDSTILL = ord("N"), ord("F")
Flags = NDArray[np.uint8]


@dataclass(slots=True, kw_only=True)
class Sheet:
    """What devices are about to send; arrays are [T, E]."""

    kind: str
    sites: tuple[Site, ...]
    minutes: Ints
    """Minutes since 1970 at which the intervals begin, [T, 1], ascending."""
    period: int
    """Minutes of each interval."""
    values: dict[str, Floats]
    """Factor → value in the canonical unit; NaN where the device says that there is none."""
    flags: dict[str, Flags]
    """Factor → letter; 0 where nothing is said about the factor."""
    sent: NDArray[np.bool_]


def sheet_of(kind: str, sites: tuple[Site, ...], minutes: Ints, *, period: int, values: dict[str, Floats]) -> Sheet:
    """Return a sheet on which every device works.

    Parameters
    ----------
    values
        Factor → [T, E] in the canonical unit; a factor of the kind that is not named is not measured anywhere.
    """
    flags = {
        factor: np.where(np.isnan(column), np.uint8(STANDSTILL), np.uint8(NORMAL)) for factor, column in values.items()
    }
    sent = np.ones((len(minutes), len(sites)), dtype=np.bool_)
    return Sheet(kind=kind, sites=sites, minutes=minutes, period=period, values=values, flags=flags, sent=sent)


def rows_of(start_ms: int, end_ms: int | None, sheet: Sheet) -> slice:
    """Return the rows of a sheet whose interval begins in [start_ms, end_ms)."""
    minutes = sheet.minutes[:, 0]
    first = int(np.searchsorted(minutes, -(-start_ms // MINUTE_MS)))
    last = len(minutes) if end_ms is None else int(np.searchsorted(minutes, -(-end_ms // MINUTE_MS)))
    return slice(first, max(first, last))


def batch_of(
    sheet: Sheet, names: Sequence[str], seed: int, *, sent_ms: int | None = None, correction: int = 0
) -> pa.RecordBatch:
    """Return the packets of a sheet by time and then by site, in the frame schema of its kind.

    Parameters
    ----------
    names
        The dictionary of sites, sorted; all of the sheet's are in it.
    sent_ms
        When all of them are sent; None: each when its interval has ended.
    """
    kept = sheet.sent.ravel()
    starts = np.broadcast_to(sheet.minutes, sheet.sent.shape).ravel()[kept]
    latency = (bits(seed, Stream.LATENCY, keys_of(sheet.sites), sheet.minutes) % np.uint64(3500)).astype(np.int64)
    ended = (starts + sheet.period) * MINUTE_MS if sent_ms is None else np.full(len(starts), sent_ms, np.int64)
    place = {name: number for number, name in enumerate(names)}
    index = np.broadcast_to(np.array([place[site.id] for site in sheet.sites], np.int32), sheet.sent.shape)
    arrays = [
        pa.DictionaryArray.from_arrays(pa.array(index.ravel()[kept]), pa.array(names, pa.utf8())),
        pa.array(starts * MINUTE_MS).cast(pa.timestamp("ms", "UTC")),
        pa.array(ended + 500 + latency.ravel()[kept]).cast(pa.timestamp("ms", "UTC")),
        pa.array(np.full(len(starts), correction, dtype=np.int16)),
        pa.nulls(len(starts), pa.map_(pa.utf8(), pa.utf8())),
    ]
    factors = load_factors(sheet.kind)
    for symbol, factor in factors.items():
        if symbol not in sheet.values:
            arrays += [pa.nulls(len(starts), pa.int32()), pa.nulls(len(starts), pa.uint8())]
            continue
        flags, values = sheet.flags[symbol].ravel()[kept], sheet.values[symbol].ravel()[kept]
        none = (flags == 0) | np.isnan(values)
        scaled = np.rint(np.where(none, 0.0, values) * 10.0**factor.digits).astype(np.int32)
        arrays += [pa.array(scaled, mask=none), pa.array(flags, mask=flags == 0)]
    return pa.RecordBatch.from_arrays(arrays, schema=frame_schema(factors))
