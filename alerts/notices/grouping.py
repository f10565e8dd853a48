"""Groups of events that are told together, with the timing of Alertmanager 0.25; values in, values out.

A group waits ``group_wait`` after its first event, looks at itself each ``group_interval`` from then on, and tells
when an event is new, when one is over, or when the same was told longer than ``repeat_interval`` ago. What is muted
is left out at each look, so that it is told when the mute ends.

Beyond Alertmanager, because here every step is accounted for: an event remembers the steps that nobody was told of
yet; one that came and went before the first notice is told all the same where the timing says so (`Brief.TELL`), unless
it was muted; what everybody acknowledged is not repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Generic, TypeVar

from alerts.notices.policy import Brief, Held, Timing

EMPTY_MS: Final = 30_000
"""A group without events is forgotten after this (Alertmanager looks each 30 s)."""
ByT = TypeVar("ByT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One event in a group."""

    id: str
    mark: int
    """Number of the step that raised it last; raised again or confirmed, it is told as new."""
    firing: bool
    since: int
    """When it was raised, milliseconds UTC on the wall clock."""
    labels: Mapping[str, str] = field(hash=False)
    pending: tuple[int, ...] = ()
    """Numbers of steps that were not told yet."""
    acknowledged: bool = False
    was_muted: bool = False
    """Whether an earlier look left it out, so that its steps are accounted for."""

    @property
    def token(self) -> str:
        """What a notice remembers of it."""
        return f"{self.id}.{self.mark}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the last notice of a group said."""

    at: int
    firing: frozenset[str]
    """Tokens of items."""
    resolved: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One group of one recipient."""

    items: Mapping[str, Item] = field(hash=False)
    next_look: int
    flushed: bool
    """Whether it has looked at itself since it was made."""
    told: Told | None = None
    empty_since: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a group tells."""

    firing: tuple[Item, ...]
    """All that go on, those first that were not told before."""
    fresh: frozenset[str]
    """Ids of those that were not told before."""
    resolved: tuple[Item, ...]
    """Those that are over."""

    @property
    def repeat(self) -> bool:
        """Whether it says nothing new."""
        return not self.fresh and not self.resolved

    @property
    def steps(self) -> tuple[int, ...]:
        """Numbers of the steps that it tells."""
        return tuple(sorted({step for item in (*self.firing, *self.resolved) for step in item.pending}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Muted(Generic[ByT]):
    """An event that a look left out, and by what."""

    item: Item
    by: ByT


@dataclass(frozen=True, slots=True, kw_only=True)
class Look(Generic[ByT]):
    """What one look at a group brought."""

    group: Group | None
    """None: it is empty for so long that it is forgotten; what it told last is forgotten with it."""
    notice: Notice | None
    muted: tuple[Muted[ByT], ...]
    dropped: tuple[tuple[Item, Held], ...]
    """Events of which steps are not told, now or later."""


def put(group: Group | None, item: Item, timing: Timing, now: int) -> Group:
    """Return a group with an event added, or brought up to date.

    Parameters
    ----------
    group
        None for one that is not there; ``items`` may be a part of it, as long as the event is in it.
    item
        The event as it is now; steps that it has not told before are added to those it holds.
    timing
        Of the grouping.
    now
        Milliseconds UTC.
    """
    if group is None or _is_forgotten(group, now):
        told = None if group is None else group.told
        group = Group(items={}, next_look=now + timing.group_wait, flushed=False, told=told)
    held = group.items.get(item.id)
    if held is not None:
        pending = tuple(dict.fromkeys((*held.pending, *item.pending)))
        item = replace(item, pending=pending, was_muted=held.was_muted)
    items = {**group.items, item.id: item}
    at = group.next_look
    if not group.flushed and item.since + timing.group_wait < now:
        at = now  # its wait is over already
    return replace(group, items=items, next_look=min(at, group.next_look), empty_since=None)


def look(group: Group, timing: Timing, now: int, muted_by: Callable[[Item], ByT | None]) -> Look[ByT]:
    """Look at a group whose time has come.

    Parameters
    ----------
    group
        With all its events.
    timing
        Of the grouping.
    now
        Milliseconds UTC, at or after ``group.next_look``.
    muted_by
        Gives what mutes an event; None for nothing.
    """
    if not group.items:
        since = now if group.empty_since is None else group.empty_since
        left = replace(group, next_look=now + timing.group_interval, empty_since=since)
        return Look(group=None if _is_forgotten(left, now) else left, notice=None, muted=(), dropped=())
    muted = tuple(Muted(item=item, by=by) for item in group.items.values() if (by := muted_by(item)) is not None)
    out = {one.item.id for one in muted}
    unmuted = [item for item in group.items.values() if item.id not in out]
    past = {item.id for item in unmuted if _went_untold(item, group.told, timing)}
    shown = [item for item in unmuted if item.id not in past]
    notice = _notice(shown, group.told, timing, now)
    told = group.told if notice is None else _told(shown, now)
    untold = unmuted if notice is None else [item for item in unmuted if item.id in past]
    dropped = tuple(_dropped(untold, group.told))
    items = {
        item.id: replace(item, was_muted=True) if item.id in out else replace(item, pending=(), was_muted=False)
        for item in group.items.values()
        if item.firing
    }
    left = Group(
        items=items, next_look=now + timing.group_interval, flushed=True, told=told,
        empty_since=None if items else now,
    )  # fmt: skip
    return Look(group=left, notice=notice, muted=muted, dropped=dropped)


def _went_untold(item: Item, told: Told | None, timing: Timing) -> bool:
    """Return whether an event is over that nobody was told of, because it was muted: its end is no news either."""
    is_known = told is not None and item.token in told.firing
    return timing.brief is Brief.TELL and item.was_muted and not item.firing and not is_known


def _is_forgotten(group: Group, now: int) -> bool:
    return group.empty_since is not None and now - group.empty_since >= EMPTY_MS


def _notice(items: Sequence[Item], told: Told | None, timing: Timing, now: int) -> Notice | None:
    firing = [item for item in items if item.firing]
    resolved = [item for item in items if not item.firing]
    if not _is_owed(firing, resolved, told, timing, now):
        return None
    known = frozenset() if told is None else told.firing
    fresh = frozenset(item.id for item in firing if item.token not in known)
    return Notice(
        firing=tuple(sorted(firing, key=lambda item: (item.id not in fresh, item.mark))),
        fresh=fresh,
        resolved=tuple(sorted(resolved, key=lambda item: item.mark)),
    )


def _is_owed(firing: Sequence[Item], resolved: Sequence[Item], told: Told | None, timing: Timing, now: int) -> bool:
    """Decide as Alertmanager's deduplication does, in its order; `Brief.TELL` comes first."""
    if timing.brief is Brief.TELL and any(item.pending for item in resolved):
        return True
    if told is None:
        return bool(firing)
    if not {item.token for item in firing} <= told.firing:
        return True
    if not firing:
        return bool(resolved) and bool(told.firing)
    if not {item.token for item in resolved} <= told.resolved:
        return True
    return told.at < now - timing.repeat_interval and any(not item.acknowledged for item in firing)


def _told(items: Sequence[Item], now: int) -> Told:
    return Told(
        at=now,
        firing=frozenset(item.token for item in items if item.firing),
        resolved=frozenset(item.token for item in items if not item.firing),
    )


def _dropped(items: Sequence[Item], told: Told | None) -> list[tuple[Item, Held]]:
    """Return the events whose steps nobody will be told of, because the group had nothing to say."""
    known = frozenset() if told is None else told.firing
    return [
        (item, Held.NOTHING_NEW if item.firing or item.token in known else Held.BRIEF) for item in items if item.pending
    ]
