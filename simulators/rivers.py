"""The rivers as a graph: how long water takes from one point to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush

FADING_H = 60.0
"""A spill is down to a third after so many hours of travel; made up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rivers:
    """Points and the hours of flow between them; without circles."""

    down: Mapping[str, tuple[tuple[str, float], ...]]
    """Point → next points downstream and the hours to them."""

    heads: Mapping[str, tuple[str, float]]
    """Point → the point farthest upstream whose water comes by, and the hours from there; itself and 0 for a head."""
    longest: float
    """Hours from the farthest head to its mouth."""

    @staticmethod
    def of(flows: Iterable[tuple[str, str, float]]) -> Rivers:
        """Return the graph of (from, to, hours)."""
        down: dict[str, tuple[tuple[str, float], ...]] = {}
        for above, below, hours in flows:
            down[above] = (*down.get(above, ()), (below, hours))
            down.setdefault(below, ())
        heads = {site: (site, 0.0) for site in down}
        for above in sorted(down):
            for site, hours in _reached(down, above).items():
                heads[site] = max(heads[site], (above, hours), key=lambda one: (one[1], one[0]))
        return Rivers(down=down, heads=heads, longest=max((hours for _, hours in heads.values()), default=0.0))

    def reached(self, site: str) -> dict[str, float]:
        """Return every point that water from here reaches and after how many hours first: itself after 0."""
        return _reached(self.down, site)

    def head(self, site: str) -> tuple[str, float]:
        """Return the point farthest upstream whose water comes by here, and its hours; itself where there is none."""
        return self.heads.get(site, (site, 0.0))


def _reached(down: Mapping[str, tuple[tuple[str, float], ...]], site: str) -> dict[str, float]:
    found: dict[str, float] = {}
    waiting = [(0.0, site)]
    while waiting:
        hours, here = heappop(waiting)
        if here not in found:
            found[here] = hours
            for below, more in down.get(here, ()):
                heappush(waiting, (hours + more, below))
    return found
