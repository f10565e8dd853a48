"""The planner's state in SQL: groups, their events, sources of inhibition, climbs and what waits for a digest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from alerts import tables as t
from alerts.events import Event
from alerts.journal import Turn, event_of
from alerts.notices import tables as n
from alerts.notices.escalation import Climb, Stop
from alerts.notices.grouping import Group, Item, Told
from alerts.notices.inhibition import Source
from alerts.notices.policy import Held

_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Which group it is."""

    id: str
    recipient: str
    place: int
    labels: Mapping[str, str]


@dataclass(slots=True, kw_only=True)
class HeldGroup:
    """A group as the planner works on it."""

    head: Head
    group: Group | None
    touched: set[str] = field(default_factory=set)
    """Events whose rows are to be written."""


def load_groups(
    connection: sa.Connection, ids: Collection[str], events: Collection[str] | None
) -> dict[str, HeldGroup]:
    """Return groups by id, with these of their events, or all of them."""
    found: dict[str, HeldGroup] = {}
    for some in _parts(sorted(ids)):
        items: dict[str, dict[str, Item]] = {}
        g, i = n.group.c, n.item.c
        query = sa.select(n.item).where(i.group.in_(some))
        for rows in [query] if events is None else [query.where(i.event.in_(part)) for part in _parts(sorted(events))]:
            for row in connection.execute(rows):
                items.setdefault(row.group, {})[row.event] = _item(row)
        for row in connection.execute(sa.select(n.group).where(g.id.in_(some))):
            head = Head(id=row.id, recipient=row.recipient, place=row.place, labels=_labels(row.labels))
            found[row.id] = HeldGroup(head=head, group=_group(row, items.get(row.id, {})))
    return found


def groups_of(connection: sa.Connection, events: Collection[str]) -> dict[str, list[str]]:
    """Return event → ids of the groups that hold it."""
    found: dict[str, list[str]] = {}
    i = n.item.c
    for some in _parts(sorted(events)):
        for row in connection.execute(sa.select(i.event, i.group).where(i.event.in_(some)).order_by(i.group)):
            found.setdefault(row.event, []).append(row.group)
    return found


def due_groups(connection: sa.Connection, now: int, limit: int) -> list[str]:
    """Return the ids of groups whose time has come, the longest overdue first."""
    g = n.group.c
    query = sa.select(g.id).where(g.next_look <= now).order_by(g.next_look, g.id).limit(limit)
    return list(connection.execute(query).scalars())


def save_groups(turn: Turn, groups: Iterable[HeldGroup]) -> None:
    """Write groups with the events that were touched; those that are gone are deleted."""
    heads, items, gone, left = [], [], [], []
    for one in groups:
        if one.group is None:
            gone.append(one.head.id)
            continue
        heads.append(_group_row(one.head, one.group))
        for event in sorted(one.touched):
            item = one.group.items.get(event)
            if item is None:
                left.append({"b_group": one.head.id, "b_event": event})
            else:
                items.append(_item_row(one.head.id, item))
    turn.upsert(n.group, heads)
    turn.upsert(n.item, items)
    c = n.item.c
    if left:
        where = (c.group == sa.bindparam("b_group"), c.event == sa.bindparam("b_event"))
        turn.connection.execute(sa.delete(n.item).where(*where), left)
    for some in _parts(gone):
        turn.connection.execute(sa.delete(n.item).where(c.group.in_(some)))
        turn.connection.execute(sa.delete(n.group).where(n.group.c.id.in_(some)))


def move_sources(turn: Turn, events: Collection[str], sources: Iterable[Source]) -> None:
    """Write of which rules some events are sources now."""
    for some in _parts(sorted(events)):
        turn.connection.execute(sa.delete(n.source).where(n.source.c.event.in_(some)))
    turn.upsert(
        n.source,
        [
            {"inhibition": one.inhibition, "event": one.event, "key": one.key[:400], "two_sided": one.two_sided}
            for one in sources
        ],
    )


def forget_sources(connection: sa.Connection) -> None:
    """Forget all sources: the policy is another one."""
    connection.execute(sa.delete(n.source))


def sources(connection: sa.Connection, inhibition: str, key: str) -> Sequence[Source]:
    """Return the sources of a rule with these values of its equal labels, the oldest event's id first."""
    c = n.source.c
    query = sa.select(n.source).where(c.inhibition == inhibition, c.key == key[:400]).order_by(c.event).limit(20)
    return [
        Source(inhibition=row.inhibition, key=row.key, event=row.event, two_sided=row.two_sided)
        for row in connection.execute(query)
    ]


def note_muted(turn: Turn, rows: Iterable[tuple[int, str, Held, str, str]]) -> None:
    """Note which steps somebody was not told of: step, recipient, reason, by what, event; noted once."""
    made = {
        (step, recipient, reason.value): {
            "step": step, "recipient": recipient[:64], "reason": reason.value, "by": by[:200], "event": event,
            "at": turn.wall_ms, "released_at": None,
        }
        for step, recipient, reason, by, event in rows
    }  # fmt: skip
    turn.add_missing(n.muted, list(made.values()))


def release(turn: Turn, recipient: str, steps: Sequence[int]) -> None:
    """Note that somebody was told of steps after all that were muted before."""
    c = n.muted.c
    for some in _parts(steps):
        where = (c.recipient == recipient[:64], c.step.in_(some), c.released_at.is_(None))
        turn.connection.execute(sa.update(n.muted).where(*where).values(released_at=turn.wall_ms))


def load_events(connection: sa.Connection, ids: Collection[str]) -> dict[str, Event]:
    """Return events by id."""
    found: dict[str, Event] = {}
    for some in _parts(sorted(ids)):
        for row in connection.execute(sa.select(t.event).where(t.event.c.id.in_(some))):
            found[row.id] = event_of(row)
    return found


def step_kinds(connection: sa.Connection, numbers: Collection[int]) -> dict[int, tuple[str, int, int]]:
    """Return number of a step → its kind, tick, and when it was noticed."""
    s = t.event_step.c
    found = {}
    for some in _parts(sorted(numbers)):
        for row in connection.execute(sa.select(s.number, s.kind, s.at, s.noticed_at).where(s.number.in_(some))):
            found[int(row.number)] = (str(row.kind), int(row.at), int(row.noticed_at))
    return found


def save_climbs(turn: Turn, climbs: Iterable[tuple[Climb, int]]) -> None:
    """Write climbs, each with the priority of its event."""
    turn.upsert(
        n.climb,
        [
            {
                "event": one.event, "priority": priority, "since": one.since, "done": one.done, "due_at": one.due_at,
                "stopped": "" if one.stopped is None else one.stopped.value,
            }
            for one, priority in climbs
        ],
    )  # fmt: skip


def load_climbs(connection: sa.Connection, events: Collection[str]) -> dict[str, tuple[Climb, int]]:
    """Return event → its climb and priority."""
    found = {}
    for some in _parts(sorted(events)):
        for row in connection.execute(sa.select(n.climb).where(n.climb.c.event.in_(some))):
            found[row.event] = (_climb(row), int(row.priority))
    return found


def due_climbs(connection: sa.Connection, now: int, limit: int) -> list[tuple[Climb, int]]:
    """Return climbs whose next rung is due, urgent ones first."""
    c = n.climb.c
    query = sa.select(n.climb).where(c.due_at <= now).order_by(c.priority, c.due_at, c.event).limit(limit)
    return [(_climb(row), int(row.priority)) for row in connection.execute(query)]


def read_mark(connection: sa.Connection, name: str) -> tuple[int, str]:
    """Return a mark of the planner; 0 and empty when it is not there."""
    row = connection.execute(sa.select(n.mark).where(n.mark.c.name == name)).first()
    return (0, "") if row is None else (int(row.number), str(row.text))


def write_mark(turn: Turn, name: str, number: int, text: str = "") -> None:
    """Write a mark of the planner."""
    turn.upsert(n.mark, [{"name": name, "number": number, "text": text}])


def next_due(connection: sa.Connection) -> int | None:
    """Return when the next group, digest, climb or held message is due; None when nothing waits."""
    d = n.delivery.c
    asked = (
        sa.select(sa.func.min(n.group.c.next_look)),
        sa.select(sa.func.min(n.gathered.c.due_at)),
        sa.select(sa.func.min(n.climb.c.due_at)),
        sa.select(sa.func.min(d.due_at)).where(d.state == "held"),
    )
    found = [at for query in asked if (at := connection.execute(query).scalar()) is not None]
    return min(found, default=None)


def _parts(names: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (names[place : place + _AT_ONCE] for place in range(0, len(names), _AT_ONCE))


def _labels(text: str) -> dict[str, str]:
    return msgspec.json.decode(text, type=dict[str, str])


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _group(row: sa.Row[Any], items: Mapping[str, Item]) -> Group:
    told = None
    if row.told_at is not None:
        firing, resolved = (
            frozenset(msgspec.json.decode(one, type=list[str])) for one in (row.told_firing, row.told_resolved)
        )
        told = Told(at=int(row.told_at), firing=firing, resolved=resolved)
    return Group(
        items=dict(items),
        next_look=int(row.next_look),
        flushed=bool(row.flushed),
        told=told,
        empty_since=row.empty_since,
    )


def _group_row(head: Head, group: Group) -> dict[str, Any]:
    told = group.told
    return {
        "id": head.id, "recipient": head.recipient, "place": head.place, "labels": _json(head.labels),
        "next_look": group.next_look, "flushed": group.flushed, "empty_since": group.empty_since,
        "told_at": None if told is None else told.at,
        "told_firing": _json([] if told is None else sorted(told.firing)),
        "told_resolved": _json([] if told is None else sorted(told.resolved)),
    }  # fmt: skip


def _item(row: sa.Row[Any]) -> Item:
    return Item(
        id=row.event, mark=int(row.mark), firing=bool(row.firing), since=int(row.since), labels=_labels(row.labels),
        pending=tuple(msgspec.json.decode(row.pending, type=list[int])), acknowledged=bool(row.acknowledged),
        was_muted=bool(row.was_muted),
    )  # fmt: skip


def _item_row(group: str, item: Item) -> dict[str, Any]:
    return {
        "group": group, "event": item.id, "mark": item.mark, "firing": item.firing, "since": item.since,
        "acknowledged": item.acknowledged, "was_muted": item.was_muted, "labels": _json(item.labels),
        "pending": _json(item.pending),
    }  # fmt: skip


def _climb(row: sa.Row[Any]) -> Climb:
    stopped = Stop(row.stopped) if row.stopped else None
    return Climb(event=row.event, since=int(row.since), done=int(row.done), due_at=row.due_at, stopped=stopped)
