"""Areas and rivers: what a site lies in, and what flows to what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from sensors.registryfile import AreaType


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A district, park, firm or basin, for which results are made of those of its sites."""

    id: str
    type: AreaType
    name_zh: str
    name_en: str
    parent: str | None
    """The area that it lies in; None at the top."""
    synthetic: bool
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Water runs from one site to another."""

    upstream: str
    downstream: str
    hours: float
    """Usual time of travel."""


def closure(direct: Sequence[str], parents: Mapping[str, str | None]) -> tuple[str, ...]:
    """Return areas with all that they lie in, each once: the direct ones first, then theirs, nearest first.

    Parameters
    ----------
    direct
        Ids of areas.
    parents
        Area → the one it lies in; without a cycle.
    """
    found = dict.fromkeys(direct)
    level = list(found)
    while level:
        level = [above for area in level if (above := parents.get(area)) is not None and above not in found]
        found.update(dict.fromkeys(level))
    return tuple(found)


def first_cycle(edges: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return a cycle of a directed graph as the way round, its first node again at the end; empty if there is none.

    Parameters
    ----------
    edges
        Pairs from, to.
    """
    before: dict[str, list[str]] = {}
    for tail, head in edges:
        before.setdefault(head, []).append(tail)
    try:
        TopologicalSorter(before).prepare()
    except CycleError as error:
        return tuple(error.args[1])
    return ()
