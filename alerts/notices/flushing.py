"""Flushing: what the planner tells when time has come: groups, digests, climbs, steps of cases, held messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from alerts import tables as t
from alerts.cases import tables as ct
from alerts.cases.responses import Purpose, ResponseKind
from alerts.cases.sharing import meant_by
from alerts.desk import HistoryStep
from alerts.events import Change, Event
from alerts.journal import Turn, tallies
from alerts.notices import store
from alerts.notices import tables as n
from alerts.notices.escalation import Climb, Rise, Stop, rise, stop_of
from alerts.notices.grouping import Item, Look, Notice, look
from alerts.notices.mutes import By, Mutes, item_labels
from alerts.notices.outbox import HELD, WAITING, hash_of
from alerts.notices.payload import CasePart, EventPart, Payload, event_part
from alerts.notices.policy import Held, Policy
from alerts.notices.store import HeldGroup
from alerts.notices.telling import DIGEST, ESCALATION, REPEAT, Teller, To, What, tos
from alerts.people import Duty, People, Role, Scope, Tier
from alerts.routing import holders, route
from alerts.rulefile import AIR
from alerts.subjects import Subject, subject_of_site
from sensors.clock import MINUTE_MS
from sensors.registry import Registry

_GROUPS_AT_ONCE: Final = 300
_CLIMBS_AT_ONCE: Final = 200
_CASES_AT_ONCE: Final = 200
_MUTED_AGAIN_MS: Final = 10 * MINUTE_MS
"""A climb that is muted is looked at again after this."""
_ROTA: Final = "rota:"
_AREA: Final = "area:"
_OTHER: Final = "other:"
_RESPONSE: Final = "response"
RESPONSE_STEP: Final = "response_step"
SubjectOf = Callable[[Event, int], Subject]


@dataclass(frozen=True, slots=True)
class _Looked:
    """One group with what its look brought."""

    held: HeldGroup
    found: Look[By]


class Flusher:
    """Tells what is due, through a teller."""

    def __init__(
        self, policy: Policy, people: People, teller: Teller, subject_of: SubjectOf, registry: Registry
    ) -> None:
        self._policy, self._people, self._teller = policy, people, teller
        self._subject_of, self._registry = subject_of, registry

    def due(self, turn: Turn, now: int) -> bool:
        """Tell everything that is due at an instant; return whether more waits for the next turn."""
        _let_go(turn.connection, now)
        more = self._climbs(turn, now)
        more = self._cases(turn, now) or more
        more = self._responses(turn, now) or more
        more = self._groups(turn, now) or more
        self._digests(turn, now)
        return more

    def tell_step(self, turn: Turn, subject: Subject, step: HistoryStep, to: Sequence[To], now: int) -> list[str]:
        """Tell one step at once; return the ids of people who have no address."""
        kind = _kind([step.kind.value])
        parts = self._parts(turn, [subject.event], now)
        what = What(
            notice=hash_of(kind, step.number), kind=kind, priority=subject.priority, events=(subject.id,),
            steps=(step.number,), raised_at=step.at, noticed_at=step.noticed_at,
            payload=_payload(kind, subject.priority, parts, subject.synthetic),
        )  # fmt: skip
        return self._teller.tell(turn, what, to, now)

    def _groups(self, turn: Turn, now: int) -> bool:
        connection = turn.connection
        names = store.due_groups(connection, now, _GROUPS_AT_ONCE)
        if not names:
            return False
        held = store.load_groups(connection, names, None)
        groups = [one.group for one in held.values() if one.group is not None]
        items = {name: item.labels for group in groups for name, item in group.items.items()}
        mutes = Mutes(connection, self._policy, items, now)
        looked = []
        for one in (held[name] for name in names):
            if one.group is None:
                continue
            timing = self._policy.groupings[min(one.head.place, len(self._policy.groupings) - 1)].timing
            found = look(one.group, timing, now, lambda item: mutes.by(item.id, item.labels))
            one.touched |= set(one.group.items)
            looked.append(_Looked(one, found))
        self._tell_groups(turn, looked, now)
        for seen in looked:
            seen.held.group = seen.found.group
        store.save_groups(turn, held.values())
        return len(names) == _GROUPS_AT_ONCE

    def _tell_groups(self, turn: Turn, looked: Sequence[_Looked], now: int) -> None:
        muted = [
            (step, one.held.head.recipient, out.by.reason, out.by.by, out.item.id)
            for one in looked
            for out in one.found.muted
            for step in out.item.pending
        ]
        muted += [
            (step, one.held.head.recipient, reason, "", item.id)
            for one in looked
            for item, reason in one.found.dropped
            for step in item.pending
        ]
        telling = [(one.held, one.found.notice) for one in looked if one.found.notice is not None]
        listed = {held.head.id: self._listed(notice) for held, notice in telling}
        events = store.load_events(turn.connection, {item.id for items in listed.values() for item in items})
        parts = {part.id: part for part in self._parts(turn, list(events.values()), now)}
        kinds = store.step_kinds(turn.connection, {step for _, notice in telling for step in notice.steps})
        for held, notice in telling:
            what = self._what(
                held, notice, [parts[item.id] for item in listed[held.head.id] if item.id in parts], kinds, now
            )
            to = self._holders(held.head.recipient, now)
            lost = self._teller.tell(turn, what, to, now)
            recipient, steps = held.head.recipient, notice.steps
            if not to:
                muted += [(step, recipient, Held.NOBODY, "", "") for step in steps]
            elif len(lost) == len(to):
                muted += [(step, recipient, Held.NO_ADDRESS, "", "") for step in steps]
            else:
                store.release(turn, recipient, steps)
        store.note_muted(turn, muted)

    def _listed(self, notice: Notice) -> list[Item]:
        """Return the events that a message names, new ones and ends first, urgent ones before others."""
        fresh = [item for item in notice.firing if item.id in notice.fresh]
        told = [*fresh, *notice.resolved] or list(notice.firing)
        return sorted(told, key=lambda item: (item.labels.get("priority", ""), -item.mark))[: self._policy.listed]

    def _what(
        self,
        held: HeldGroup,
        notice: Notice,
        parts: Sequence[EventPart],
        kinds: Mapping[int, tuple[str, int, int]],
        now: int,
    ) -> What:
        fresh = [item for item in notice.firing if item.id in notice.fresh]
        told = [*fresh, *notice.resolved] or list(notice.firing)
        known = [kinds[step] for step in notice.steps if step in kinds]
        kind = REPEAT if notice.repeat else _kind([one for one, _, _ in known])
        priority = min((int(item.labels.get("priority", "3")) for item in told), default=3)
        synthetic = any(item.labels.get("synthetic") == "true" for item in told)
        payload = _payload(kind, priority, parts, synthetic)
        payload = msgspec.structs.replace(payload, more=len(told) - len(parts), group=dict(held.head.labels))
        said: tuple[Any, ...] = notice.steps or (*sorted(item.token for item in told), now)
        return What(
            notice=hash_of(kind, *said), kind=kind, priority=priority, events=tuple(item.id for item in told),
            steps=notice.steps, payload=payload, raised_at=min((at for _, at, _ in known), default=None),
            noticed_at=min((at for _, _, at in known), default=None),
        )  # fmt: skip

    def _holders(self, handle: str, now: int) -> list[To]:
        """Return who is behind a handle now; the fallback where nobody is."""
        if handle.startswith(_ROTA):
            duty = Duty(role=Role.DUTY, scope=Scope(), rota=handle.removeprefix(_ROTA))
        else:
            duty = Duty(role=Role.SUBSCRIBER, scope=Scope(), persons=(handle,))
        found = holders(duty, self._people, now)
        if not found and self._people.fallback is not None:
            found = holders(self._people.fallback, self._people, now)
        return tos(found)

    def _parts(self, turn: Turn, events: Sequence[Event], now: int) -> list[EventPart]:
        counted = tallies(turn.connection, events)
        return [event_part(self._subject_of(event, now), counted.get(event.id), self._registry) for event in events]

    def _climbs(self, turn: Turn, now: int) -> bool:
        connection = turn.connection
        due = store.due_climbs(connection, now, _CLIMBS_AT_ONCE)
        events = store.load_events(connection, {climb.event for climb, _ in due})
        subjects = {name: self._subject_of(event, now) for name, event in events.items()}
        labels = {name: item_labels(subject, self._policy) for name, subject in subjects.items()}
        mutes = Mutes(connection, self._policy, labels, now)
        moved = []
        for climb, priority in due:
            event, escalation = events.get(climb.event), self._policy.escalation(priority)
            stop = None if event is None else stop_of(event, escalation)
            if event is None or escalation is None or stop is not None:
                moved.append((_stopped(climb, stop), priority))
                continue
            subject = subjects[event.id]
            if not subject.urgent and mutes.by(event.id, labels[event.id]) is not None:
                moved.append((replace(climb, due_at=now + _MUTED_AGAIN_MS), priority))
                continue
            risen = rise(climb, escalation, now)
            moved.append((risen.climb, priority))
            if risen.tier is not None:
                self._escalate(turn, subject, risen, now)
        store.save_climbs(turn, moved)
        return len(due) == _CLIMBS_AT_ONCE

    def _escalate(self, turn: Turn, subject: Subject, risen: Rise, now: int) -> None:
        since, tier = risen.climb.since, risen.tier
        found = route(subject, self._people, now, tier)
        payload = _payload(ESCALATION, subject.priority, self._parts(turn, [subject.event], now), subject.synthetic)
        payload = msgspec.structs.replace(
            payload, tier=(found.tier or tier or Tier.DISTRICT).value, unacknowledged_min=(now - since) // MINUTE_MS
        )
        what = What(
            notice=hash_of(ESCALATION, subject.id, since, risen.climb.done), kind=ESCALATION, priority=subject.priority,
            events=(subject.id,), steps=(), payload=payload, noticed_at=since, raised_at=subject.event.raised_at,
        )  # fmt: skip
        to = tos(found.recipients)
        lost = self._teller.tell(turn, what, to, now)
        if len(lost) == len(to):
            newest = turn.connection.execute(
                sa.select(t.event.c.changed).where(t.event.c.id == subject.id)
            ).scalar_one()
            reason = Held.NO_ADDRESS if to else Held.NOBODY
            store.note_muted(
                turn, [(int(newest), one, reason, f"{ESCALATION}:{payload.tier}", subject.id) for one in lost or [""]]
            )

    def _cases(self, turn: Turn, now: int) -> bool:
        connection, s, c = turn.connection, ct.step.c, ct.case.c
        cursor, _ = store.read_mark(connection, "cases")
        query = sa.select(ct.step, *(column.label(f"case_{column.name}") for column in c)).join(ct.case, s.case == c.id)
        query = query.where(s.number > cursor, s.notify).order_by(s.number).limit(_CASES_AT_ONCE)
        rows = list(connection.execute(query))
        events = store.load_events(connection, {row.case_opened_by for row in rows})
        muted = []
        for row in rows:
            event = events.get(row.case_opened_by)
            if event is not None:
                muted += self._tell_case(turn, row, event, now)
        store.note_muted(turn, muted)
        if rows:
            store.write_mark(turn, "cases", int(rows[-1].number))
        return len(rows) == _CASES_AT_ONCE

    def _tell_case(self, turn: Turn, row: sa.Row[Any], event: Event, now: int) -> list[tuple[int, str, Held, str, str]]:
        subject = self._subject_of(event, now)
        tier = Tier(row.tier) if row.tier in set(Tier) else None
        said = msgspec.json.decode(row.evidence)
        meant = meant_by(said.get("to", ()), self._people)
        unknown = [one for one in said.get("to", ()) if not one.startswith(_AREA) and not meant_by([one], self._people)]
        routed = route(subject, self._people, now, tier).recipients
        to = tos(tuple({one.person.id: one for one in (*routed, *meant)}.values()))
        priority = int(row.case_priority)
        synthetic = subject.synthetic or row.case_synthetic
        payload = _payload("case_step", priority, self._parts(turn, [event], now), synthetic)
        areas = self._area_names(said.get("areas", ()))
        payload = msgspec.structs.replace(
            payload, tier=row.tier, drill=payload.drill or bool(said.get("drill")),
            case=CasePart(
                id=row.case, kind=_response_kind(said["act"]) if row.kind == _RESPONSE else row.kind,
                level=said.get("level"), areas_zh=areas[0], areas_en=areas[1],
                state=row.state, author=row.author, reason=row.reason, code=row.code, at=row.at,
                due_at=row.case_due_at, party=row.party, link=f"/cases/{row.case}",
            ),
        )  # fmt: skip
        what = What(
            notice=hash_of("case_step", row.number), kind="case_step", priority=priority, events=(event.id,),
            steps=(), case=row.case, payload=payload, raised_at=row.at, noticed_at=row.noticed_at,
        )  # fmt: skip
        lost = self._teller.tell(turn, what, to, now)
        reason = Held.NO_ADDRESS if to else Held.NOBODY
        return [
            *((int(row.number), one, reason, row.case, event.id) for one in (lost if to else [""])),
            *((int(row.number), one, Held.NOBODY, row.case, event.id) for one in unknown),
        ]

    def _responses(self, turn: Turn, now: int) -> bool:
        """Tell the steps of responses that are about no case; of the others their case's history tells."""
        connection, s, c = turn.connection, ct.response_step.c, ct.response.c
        cursor, _ = store.read_mark(connection, "responses")
        query = sa.select(ct.response_step, c.kind.label("about"), c.purpose, c.synthetic).join(
            ct.response, s.response == c.id
        )
        query = query.where(s.number > cursor, s.notify, c.case == "").order_by(s.number).limit(_CASES_AT_ONCE)
        rows = list(connection.execute(query))
        store.note_muted(turn, [one for row in rows for one in self._tell_response(turn, row, now)])
        if rows:
            store.write_mark(turn, "responses", int(rows[-1].number))
        return len(rows) == _CASES_AT_ONCE

    def _tell_response(self, turn: Turn, row: sa.Row[Any], now: int) -> list[tuple[int, str, Held, str, str]]:
        """Tell one step to whoever is told of events of its areas."""
        areas = msgspec.json.decode(row.evidence).get("areas", ())
        network = AIR if row.about == ResponseKind.HEAVY_POLLUTION.value else ""
        subjects = [subject_of_site(one, network, row.level, self._registry, now) for one in areas]
        found = [one for subject in subjects for one in route(subject, self._people, now).recipients]
        to = tos(tuple({one.person.id: one for one in found}.values()))
        names = self._area_names(areas)
        synthetic = row.synthetic or any(subject.synthetic for subject in subjects)
        payload = msgspec.structs.replace(
            _payload(RESPONSE_STEP, row.level, (), synthetic), drill=row.purpose == Purpose.DRILL.value,
            case=CasePart(
                id=row.response, kind=_response_kind(row.kind), state=row.state, author=row.author, reason=row.reason,
                code=row.code, at=row.at, due_at=None, party=row.party, link="", about=row.about, level=row.level,
                areas_zh=names[0], areas_en=names[1],
            ),
        )  # fmt: skip
        what = What(
            notice=hash_of(RESPONSE_STEP, row.number), kind=RESPONSE_STEP, priority=row.level, events=(), steps=(),
            payload=payload, raised_at=row.at, noticed_at=row.noticed_at,
        )  # fmt: skip
        lost = self._teller.tell(turn, what, to, now)
        reason = Held.NO_ADDRESS if to else Held.NOBODY
        return [(int(row.number), one, reason, row.response, "") for one in (lost if to else [""])]

    def _area_names(self, areas: Sequence[str]) -> tuple[str, str]:
        """Return how areas are called, in Chinese and English; a neighbour by what people wrote."""
        known = {area.id: area for area in self._registry.areas}
        named = [
            (known[one].name_zh, known[one].name_en) if one in known else (one.removeprefix(_OTHER),) * 2
            for one in areas
        ]
        return "、".join(zh for zh, _ in named), ", ".join(en for _, en in named)

    def _digests(self, turn: Turn, now: int) -> None:
        connection, c = turn.connection, n.gathered.c
        rows = list(connection.execute(sa.select(n.gathered).where(c.due_at <= now).order_by(c.at, c.notice)))
        lots: dict[tuple[str, str, int], list[sa.Row[Any]]] = {}
        for row in rows:
            lots.setdefault((row.recipient, row.digest, int(row.due_at)), []).append(row)
        for (recipient, digest, due_at), some in lots.items():
            what, to = _digest(recipient, digest, due_at, some), self._holders(recipient, now)
            lost = self._teller.tell(turn, what, to, now)
            if len(lost) == len(to):
                reason = Held.NO_ADDRESS if to else Held.NOBODY
                store.note_muted(turn, [(step, recipient, reason, digest, "") for step in what.steps])
        if rows:
            connection.execute(sa.delete(n.gathered).where(c.due_at <= now))


def _payload(kind: str, priority: int, parts: Sequence[EventPart], synthetic: bool) -> Payload:  # noqa: FBT001 - a fact
    drill = bool(parts) and all(part.drill for part in parts)
    return Payload(kind=kind, priority=priority, synthetic=synthetic, language="zh", events=tuple(parts), drill=drill)


def _response_kind(act: str) -> str:
    """Return what a step of a response is called in messages."""
    return f"{_RESPONSE}_{act}"


def _kind(kinds: Sequence[str]) -> str:
    """Return what a message is that tells steps of these kinds: the gravest of them."""
    found = set(kinds)
    if found & {Change.RAISED.value, Change.RAISED_AGAIN.value}:
        return Change.RAISED.value
    for change in (Change.WORSENED, Change.CONFIRMED, Change.CLEARED, Change.WITHDRAWN):
        if change.value in found:
            return change.value
    return Change.RAISED.value


def _stopped(climb: Climb, stop: Stop | None) -> Climb:
    return replace(climb, stopped=stop or Stop.AT_THE_TOP, due_at=None)


def _let_go(connection: sa.Connection, now: int) -> None:
    """Let messages go whose quiet hours are over."""
    d = n.delivery.c
    connection.execute(sa.update(n.delivery).where(d.state == HELD, d.due_at <= now).values(state=WAITING))


def _digest(recipient: str, digest: str, due_at: int, rows: Sequence[sa.Row[Any]]) -> What:
    said = [msgspec.json.decode(row.subjects) for row in rows]
    priority = min(int(row.priority) for row in rows)
    synthetic = any(row.synthetic for row in rows)
    payload = msgspec.structs.replace(
        _payload(DIGEST, priority, (), synthetic), messages=tuple(msgspec.json.decode(row.payload) for row in rows)
    )
    gathered = (row.notice for row in rows)  # after a clock that was set back a time comes twice
    return What(
        notice=hash_of(DIGEST, recipient, digest, due_at, *gathered), kind=DIGEST, priority=priority, payload=payload,
        events=tuple(dict.fromkeys(event for one in said for event in one["events"])),
        steps=tuple(dict.fromkeys(step for one in said for step in one["steps"])),
        raised_at=min((row.raised_at for row in rows if row.raised_at is not None), default=None),
        noticed_at=min((row.noticed_at for row in rows if row.noticed_at is not None), default=None),
    )  # fmt: skip
