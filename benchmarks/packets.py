"""The packets of the benchmark: every site each minute, any cut of time the same, and what they must give.

Values come from a hash of site, factor and minute, so that feeding needs no memory. In one of fifty
hours of a site's factor a third of the minutes is missing, which leaves it below the 45 that an hour
needs; one value in a hundred is missing besides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.factors import EXTRA_DIGITS
from sensors.frames import CORRECTION, OTHER, RECEIVED, SITE, START, flag_column, frame_schema
from streams.air.index import FACTORS
from streams.judging.hashing import mix

START_MS: Final = 1_795_104_000_000
"""2026-11-20 00:00 in Beijing."""
MINUTES: Final = 60
MINUTES_NEEDED: Final = 45
STEP: Final = 10**EXTRA_DIGITS
"""Stored units in one unit of the standard's last digit."""
_HIGHEST: Final = np.array([18_000, 26_000, 9_000, 16_000, 4_200, 30_000], np.int64)
"""Per factor the top of the hourly levels, stored units."""

Hour = tuple[str, int]
"""Site, and the hour's start in ms."""
Mean = tuple[int | None, ...]
"""Of the six factors, in units of the standard's last digit; None below 45 valid minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packets:
    """Packets minute by minute, in each minute site by site."""

    sites: tuple[str, ...]
    start: NDArray[np.int64]
    """ms, [packets]."""
    values: NDArray[np.int64]
    """Stored units, [packets, 6]."""
    said: NDArray[np.bool_]
    """Whether there is a value, [packets, 6]."""


def site_names(count: int) -> tuple[str, ...]:
    """Return the ids of so many sites."""
    return tuple(f"SYN-B{n:05d}" for n in range(count))


def registry_text(sites: tuple[str, ...]) -> str:
    """Return a registry file in which every site owes a packet a minute."""
    head = "region: {zh: 测速（模拟）, en: benchmark (simulated)}\nsynthetic: true\nsites:\n"
    return head + "".join(
        f"  - {{id: {site}, name: {{zh: 测速站{site}（模拟）, en: {site}}}, class: urban, lon: 120.8, lat: 30.0,"
        f" county: 上虞区, township: 百官街道, zone: 2, period: minute, origin: synthetic, source: benchmark,"
        " from: 2021-01-01, assessment: true}\n"
        for site in sites
    )


def packets(sites: tuple[str, ...], first_minute: int, minutes: int) -> Packets:
    """Return the packets of some minutes, counted from `START_MS`."""
    minute = np.arange(first_minute, first_minute + minutes, dtype=np.int64)[:, None, None]
    site = np.arange(len(sites), dtype=np.int64)[:, None]
    factor = np.arange(len(FACTORS), dtype=np.int64)
    of_hour = _chance(minute // MINUTES, site, factor)
    of_minute = _chance(minute + 1_000_000, site, factor)
    level = of_hour % _HIGHEST.astype(np.uint64)
    values = (level.astype(np.int64) * (80 + (of_minute % np.uint64(41)).astype(np.int64))) // 100
    thin = of_hour >> np.uint64(32)
    gone = (thin % np.uint64(50) == 0) & ((minute + site) % 3 == 0)
    gone |= of_minute >> np.uint64(32) < np.uint64(2**32 // 100)
    shape = (minutes * len(sites), len(FACTORS))
    return Packets(
        sites=sites,
        start=np.repeat(START_MS + minute.ravel() * MINUTE_MS, len(sites)),
        values=values.reshape(shape),
        said=~gone.reshape(shape),
    )


def _chance(time: NDArray[np.int64], site: NDArray[np.int64], factor: NDArray[np.int64]) -> NDArray[np.uint64]:
    return mix(((time * 100_000 + site) * len(FACTORS) + factor).astype(np.uint64))


def rows_of(packets: Packets) -> pa.RecordBatch:
    """Return packets as rows of a frame; each was received a second after its minute."""
    count = packets.start.size
    index = np.tile(np.arange(len(packets.sites), dtype=np.int32), count // len(packets.sites))
    columns = {
        SITE: pa.DictionaryArray.from_arrays(pa.array(index), pa.array(packets.sites, pa.utf8())),
        START: pa.array(packets.start).cast(pa.timestamp("ms", "UTC")),
        RECEIVED: pa.array(packets.start + MINUTE_MS + 1_000).cast(pa.timestamp("ms", "UTC")),
        CORRECTION: pa.array(np.zeros(count, np.int16)),
        OTHER: pa.nulls(count, pa.map_(pa.utf8(), pa.utf8())),
    }
    normal = np.full(count, ord("N"), np.uint8)
    for f, factor in enumerate(FACTORS):
        gone = ~packets.said[:, f]
        columns[factor] = pa.array(packets.values[:, f].astype(np.int32), mask=gone)
        columns[flag_column(factor)] = pa.array(normal, mask=gone)
    schema = frame_schema(FACTORS)
    return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)


def messages_of(packets: Packets) -> Iterator[tuple[str, int, bytes]]:
    """Yield packets one by one as people send them: site, time in ms, JSON text."""
    count = len(packets.sites)
    values, said, starts = packets.values.tolist(), packets.said.tolist(), packets.start.tolist()
    for at, start in enumerate(starts):
        site = packets.sites[at % count]
        given = {factor: values[at][f] for f, factor in enumerate(FACTORS) if said[at][f]}
        yield site, start, json.dumps({"site": site, "start": start, **given}, separators=(",", ":")).encode()


def true_means(sites: tuple[str, ...], hours: int) -> dict[Hour, Mean]:
    """Return every hourly mean in fractions, rounded half to even: what both must give."""
    means: dict[Hour, Mean] = {}
    for hour in range(hours):
        made = packets(sites, hour * MINUTES, MINUTES)
        shape = (MINUTES, len(sites), len(FACTORS))
        said = made.said.reshape(shape)
        counts = said.sum(axis=0).tolist()
        sums = np.where(said, made.values.reshape(shape), 0).sum(axis=0).tolist()
        for s, site in enumerate(sites):
            means[site, START_MS + hour * HOUR_MS] = tuple(
                round(Fraction(total, n * STEP)) if n >= MINUTES_NEEDED else None
                for total, n in zip(sums[s], counts[s], strict=True)
            )
    return means
