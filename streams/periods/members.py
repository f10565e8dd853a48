"""The members of one partition: its sites and areas, and the sites and areas that these are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensors.areas import Area
from sensors.clock import BEIJING_OFFSET_MS, DAY_MS, day_of
from sensors.kinds import Kind
from sensors.partition import partition_of
from sensors.registry import Registry, Site
from streams.periods.sets import counts_in

_FOR_EVER = 10**7


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The registry entries of an area's sites: arrays [entries]."""

    row: NDArray[np.intp]
    first_day: NDArray[np.int64]
    last_day: NDArray[np.int64]
    counts: NDArray[np.bool_]
    """Whether the site counts in the area, or only lies in it."""

    @property
    def rows(self) -> NDArray[np.intp]:
        """The sites that count at some time, each once."""
        return np.unique(self.row[self.counts])

    def set_on(self, rows: NDArray[np.intp], days: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which of these sites count on which days, [rows, days]."""
        row, first, last = self.row[self.counts], self.first_day[self.counts], self.last_day[self.counts]
        order = np.argsort(rows)
        place = np.searchsorted(rows, row, sorter=order)
        known = place < rows.size
        known[known] = rows[order[place[known]]] == row[known]
        counted = np.zeros((rows.size, days.size), np.bool_)
        at = order[place[known]]
        np.logical_or.at(counted, at, (days >= first[known, None]) & (days <= last[known, None]))
        return counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """Rows of the pages of one partition: sites by id, then areas by id."""

    names: tuple[str, ...]
    site_count: int
    areas: tuple[Area, ...]
    """In the order of their rows, which begin at `site_count`."""
    reach: tuple[Reach, ...]
    """One for each area."""
    said: NDArray[np.bool_]
    """Which members this partition speaks of; the others are only what areas are made of, [members]."""
    sources: tuple[frozenset[int], ...]
    """Per member the partitions of the first stage that its values come from."""
    lies_in: NDArray[np.bool_]
    """Whether a site lies in an area at some time, [areas, sites]."""

    def row_of_area(self, place: int) -> int:
        """Return the row of an area."""
        return self.site_count + place

    def children(self, area: str) -> tuple[str, ...]:
        """Return the ids of the areas directly below one."""
        return tuple(below.id for below in self.areas if below.parent == area)


def members_of(partition: int, partitions: int, kind: Kind, registry: Registry) -> Members:
    """Return the members of a partition."""
    entries = registry.of_kind(kind.name)
    areas = _areas(partition, partitions, entries, registry)
    own = {site.id for site in entries if partition_of(site.id, partitions) == partition}
    wanted = own | {site.id for site in entries if any(area.id in site.areas for area in areas)}
    sites = sorted(wanted)
    row = {name: place for place, name in enumerate(sites)}
    held = [site for site in entries if site.id in row]
    lies_in = np.zeros((len(areas), len(sites)), np.bool_)
    for place, area in enumerate(areas):
        lies_in[place, [row[site.id] for site in held if area.id in site.areas]] = True
    origin = [frozenset({partition_of(name, partitions)}) for name in sites]
    return Members(
        names=(*sites, *(area.id for area in areas)),
        site_count=len(sites),
        areas=areas,
        reach=tuple(_reach(area, held, row) for area in areas),
        said=np.array(
            [name in own for name in sites] + [partition_of(area.id, partitions) == partition for area in areas],
            np.bool_,
        ),
        sources=(*origin, *(frozenset().union(*(origin[r] for r in np.nonzero(line)[0])) for line in lies_in)),
        lies_in=lies_in,
    )


def _areas(partition: int, partitions: int, entries: Sequence[Site], registry: Registry) -> tuple[Area, ...]:
    """Return the areas of a partition with those directly below them, as far as they hold a site of the kind."""
    filled = {area for site in entries for area in site.areas}
    own = {area.id for area in registry.areas if partition_of(area.id, partitions) == partition}
    found = [area for area in registry.areas if area.id in filled and (area.id in own or area.parent in own)]
    return tuple(sorted(found, key=lambda area: area.id))


def _reach(area: Area, held: Sequence[Site], row: dict[str, int]) -> Reach:
    inside = [site for site in held if area.id in site.areas]
    return Reach(
        row=np.array([row[site.id] for site in inside], np.intp),
        first_day=np.array([day_of(site.start) for site in inside], np.int64),
        last_day=np.array([_FOR_EVER if site.end is None else day_of(site.end - 1) for site in inside], np.int64),
        counts=np.array([counts_in(site, area.type) for site in inside], np.bool_),
    )


def site_on(registry: Registry, name: str, day: int) -> Site:
    """Return the entry of a site on a day, or its newest."""
    return registry.get(name, day * DAY_MS - BEIJING_OFFSET_MS) or registry.site(name)


class Clocks:
    """The clock of each member: the least of the newest ticks of the partitions that its values come from.

    So a partition that is silent delays its own sites and their areas, and nobody else; and a reading's own time
    never closes anything.
    """

    def __init__(self, members: Members, grace_ms: int) -> None:
        self._grace_ms = grace_ms
        sources = members.sources
        self._rows = {some: np.array([s == some for s in sources], np.bool_).nonzero()[0] for some in set(sources)}
        self._newest: dict[int, int] = {}
        self.at: NDArray[np.int64] = np.full(len(members.names), _UNKNOWN, np.int64)
        """ms per member; far in the past before all its sources have ticked."""
        self.through: NDArray[np.int64] = np.full(len(members.names), _UNKNOWN, np.int64)
        """Per member the newest day that is over, with the grace."""

    def advance(self, source: int, at: int) -> NDArray[np.int64]:
        """Take a tick of a source partition; return per member the newest day that was over before."""
        before = self.through.copy()
        if self._newest.get(source, _UNKNOWN) >= at:
            return before
        self._newest[source] = at
        for sources, rows in self._rows.items():
            if source in sources:
                self.at[rows] = min(self._newest.get(other, _UNKNOWN) for other in sources)
        known = self.at != _UNKNOWN
        self.through[known] = (self.at[known] - self._grace_ms + BEIJING_OFFSET_MS) // DAY_MS - 1
        return before


_UNKNOWN = -(2**62)
