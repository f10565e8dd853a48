"""Which of a park's linked points moved first: its sewage outlets, its rain-water outlets, the rivers they run into.

A point *moves* in the first slot of a look whose value lies above what was usual before the look, and stays there for
the slots after it. When it moved is known only to lie between the end of its last quiet slot and the end of its first
moved one, longer where values are missing. One point moved before another when these times do not overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensors.clock import HOUR_MS
from sensors.registry import Registry

SCALED_MAD: Final = 1.4826
"""Median absolute deviation → standard deviation of normal values."""


class Role(StrEnum):
    """What a point of a park is."""

    SEWAGE = "sewage"
    RAIN = "rain"
    RIVER = "river"


class Moved(StrEnum):
    """What a point did in the look."""

    MOVED = "moved"
    STILL = "still"
    UNKNOWN = "unknown"
    """Too little was known before the look, or nothing in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """Slots of one factor at one point, by start; a slot without a value is left out."""

    site: str
    role: Role
    starts: NDArray[np.int64]
    """Milliseconds UTC, ascending, each once."""
    values: NDArray[np.float64]
    slot_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What one point did, and when."""

    site: str
    role: Role
    moved: Moved
    after: int | None = None
    """It moved after this: the end of its last quiet slot, ms UTC."""
    by: int | None = None
    """And by this: the end of its first moved slot."""
    usual: float | None = None
    peak: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveSettings:
    """What counts as a move; settings of this project."""

    usual_ms: int = 48 * HOUR_MS
    """How long before the look is usual."""
    least_usual: int = 6
    """So many slots must be known of it."""
    deviations: float = 5.0
    """Above the median by so many scaled deviations,"""
    share: float = 0.5
    """and by so much of the median."""
    hold: int = 2
    """So many known slots in a row, or all that are left in the look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is known of the order of moves."""

    moves: tuple[Move, ...]
    """Those that moved by time, then the others."""
    first: tuple[str, ...]
    """Sites of which none is known to have moved after another: one where the order is sure, else several."""
    sure: bool
    """Whether one alone moved first, and no point is unknown."""
    lags: tuple[tuple[str, str, int, int], ...]
    """From the first to each of the others: site, site, least and most milliseconds between their moves."""


def linked_points(registry: Registry, park: str, at_ms: int, kind: str = "outfall") -> tuple[tuple[str, Role], ...]:
    """Return the points of a park: its outlets by their use, and what they run into, each once."""
    found: dict[str, Role] = {}
    outlets = registry.members(park, kind, at_ms)
    for site in outlets:
        use = site.setting.get("use")
        if use in {Role.SEWAGE.value, Role.RAIN.value}:
            found[site.id] = Role(str(use))
    for site in outlets:
        receiver = site.setting.get("receives")
        if site.id in found and receiver is not None:
            found.setdefault(str(receiver), Role.RIVER)
    return tuple(found.items())


def first_moves(tracks: Sequence[Track], since: int, until: int, settings: MoveSettings | None = None) -> Order:
    """Return which of some points moved first in [since, until).

    Parameters
    ----------
    tracks
        Slots of one factor, each track with what was usual before ``since``; slots may differ in length.
    since, until
        The look, ms UTC.
    settings
        What counts as a move.
    """
    chosen = settings or MoveSettings()
    moves = [_move(track, since, until, chosen) for track in tracks]
    moved = sorted((one for one in moves if one.moved is Moved.MOVED), key=lambda one: (one.by, one.after, one.site))
    others = sorted((one for one in moves if one.moved is not Moved.MOVED), key=lambda one: (one.moved, one.site))
    first = [one for one in moved if not any(_before(other, one) for other in moved)]
    unknown = any(one.moved is Moved.UNKNOWN for one in moves)
    lead = first[0] if len(first) == 1 else None
    return Order(
        moves=(*moved, *others),
        first=tuple(one.site for one in first),
        sure=lead is not None and not unknown,
        lags=() if lead is None else tuple(_lag(lead, one) for one in moved if one is not lead),
    )


def _before(one: Move, other: Move) -> bool:
    return one.by is not None and other.after is not None and one.by <= other.after


def _lag(one: Move, other: Move) -> tuple[str, str, int, int]:
    times = (one.after or 0, one.by or 0, other.after or 0, other.by or 0)
    return one.site, other.site, max(0, times[2] - times[1]), times[3] - times[0]


def _move(track: Track, since: int, until: int, settings: MoveSettings) -> Move:
    before = (track.starts >= since - settings.usual_ms) & (track.starts + track.slot_ms <= since)
    look = (track.starts + track.slot_ms > since) & (track.starts < until)
    usual = track.values[before]
    if usual.size < settings.least_usual or not look.any():
        return Move(site=track.site, role=track.role, moved=Moved.UNKNOWN)
    median = float(np.median(usual))
    spread = SCALED_MAD * float(np.median(np.abs(usual - median)))
    bar = median + max(settings.deviations * spread, settings.share * abs(median))
    starts, values = track.starts[look], track.values[look]
    place = _first_held(values > bar, settings.hold)
    if place is None:
        return Move(site=track.site, role=track.role, moved=Moved.STILL, usual=median, peak=float(values.max()))
    quiet = starts[place - 1] if place else track.starts[before][-1]
    return Move(
        site=track.site, role=track.role, moved=Moved.MOVED, after=int(quiet) + track.slot_ms,
        by=int(starts[place]) + track.slot_ms, usual=median, peak=float(values[place:].max()),
    )  # fmt: skip


def _first_held(over: NDArray[np.bool_], hold: int) -> int | None:
    """Return the first place from which ``hold`` places are over, or all that are left."""
    return next((int(place) for place in np.flatnonzero(over) if over[place : place + hold].all()), None)
