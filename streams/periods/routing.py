"""Where result rows go: to the partition of their site and to those of its areas."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sensors.kinds import Kind
from sensors.partition import partition_of
from sensors.registry import Registry, Site
from streams.periods.sets import counts_in
from streams.results import Window

_DAY: Final = re.compile(r"24h(?!_running)")


@cache
def is_day_window(window: str) -> bool:
    """Return whether a window is one natural day: ``24h``, ``24h_max``, ``MDA8``; not ``24h_running``."""
    return window == Window.MDA8 or _DAY.match(window) is not None


class Router:
    """Knows where the rows of each site go; made once for a registry.

    Parameters
    ----------
    kind
        Names the windows that areas need besides the days.
    registry
        Knows which areas a site belongs to, and when.
    partitions
        Count of partitions of ``areas.<kind>``; the same as of ``readings.<kind>``.
    """

    def __init__(self, kind: Kind, registry: Registry, partitions: int) -> None:
        self._windows = frozenset(kind.area_windows)
        self._partitions = partitions
        self._types = {area.id: area.type for area in registry.areas}
        self._sites: dict[str, list[_Entry]] = {}
        for site in registry.of_kind(kind.name):
            self._sites.setdefault(site.id, []).append(self._entry(site))

    def route(self, rows: pa.RecordBatch) -> list[tuple[int, pa.RecordBatch]]:
        """Return what of these results the second stage needs, with the partition that each part goes to.

        Day rows go to the partition of the site itself and to those of all areas in which it lies on that day
        (an area ranks those below it, whose sets may hold other sites than its own); rows of
        ``kind.area_windows`` only to the areas in which the site counts. Rows of sites that the registry does
        not know are left out.

        Parameters
        ----------
        rows
            Of `streams.results.RESULT_SCHEMA`, from the first stage.

        Returns
        -------
        list
            In the order of partitions; no empty batch. The rows keep their order.
        """
        day, other = self._wanted(rows)
        if not (day | other).any():
            return []
        target = self._targets(rows, day, other)
        return [(place, rows.filter(pa.array(mask))) for place, mask in enumerate(target) if mask.any()]

    def _wanted(self, rows: pa.RecordBatch) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which rows are of days, and which of other windows that areas need."""
        names = rows.column("window").dictionary.to_pylist()
        codes = rows.column("window").indices.to_numpy()
        day = np.array([is_day_window(name) for name in names], np.bool_)[codes]
        other = np.array([name in self._windows for name in names], np.bool_)[codes]
        return day, other & ~day

    def _targets(self, rows: pa.RecordBatch, day: NDArray[np.bool_], other: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which rows go to which partition, [partitions, rows]."""
        names = rows.column("site").dictionary.to_pylist()
        codes = rows.column("site").indices.to_numpy()
        starts = rows.column("start").cast(pa.int64()).to_numpy()
        known = [self._sites.get(name, []) for name in names]
        own = np.array([partition_of(name, self._partitions) for name in names])
        target = np.zeros((self._partitions, rows.num_rows), np.bool_)
        mine = day & np.array([bool(entries) for entries in known])[codes]
        target[own[codes[mine]], np.nonzero(mine)[0]] = True
        for number in range(max(map(len, known))):  # sites that moved have several entries
            held = [entries[number] if number < len(entries) else _NOWHERE for entries in known]
            first, end = np.array([e.start for e in held]), np.array([e.end for e in held])
            within = (starts >= first[codes]) & (starts < end[codes])
            target |= self._table([e.lies_in for e in held])[:, codes] & (day & within)
            target |= self._table([e.counts_in for e in held])[:, codes] & (other & within)
        return target

    def _table(self, places: Sequence[frozenset[int]]) -> NDArray[np.bool_]:
        table = np.zeros((self._partitions, len(places)), np.bool_)
        for number, partitions in enumerate(places):
            table[list(partitions), number] = True
        return table

    def _entry(self, site: Site) -> _Entry:
        counted = [area for area in site.areas if counts_in(site, self._types[area])]
        return _Entry(
            start=site.start,
            end=_FOR_EVER if site.end is None else site.end,
            lies_in=frozenset(partition_of(area, self._partitions) for area in site.areas),
            counts_in=frozenset(partition_of(area, self._partitions) for area in counted),
        )


def route(rows: pa.RecordBatch, kind: Kind, registry: Registry, partitions: int) -> list[tuple[int, pa.RecordBatch]]:
    """Return the parts of these results for each partition of the second stage, as `Router.route` does.

    Whoever routes batch after batch makes a `Router` once.
    """
    return Router(kind, registry, partitions).route(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """The time of one registry entry, and the partitions of its areas then."""

    start: int
    end: int
    lies_in: frozenset[int]
    counts_in: frozenset[int]


_FOR_EVER: Final = 2**62
_NOWHERE: Final = _Entry(start=0, end=0, lies_in=frozenset(), counts_in=frozenset())
