"""Escalation: an event that nobody acknowledges climbs from tier to tier, by the clock; values in, values out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from alerts.events import Event, Fact
from alerts.notices.policy import Escalation
from alerts.people import Tier
from alerts.states import State


class Stop(StrEnum):
    """Why an event climbs no further."""

    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"
    OVER = "over"
    """Cleared; the policy lets such events be."""
    WITHDRAWN = "withdrawn"
    JOINED = "joined"
    AT_THE_TOP = "at_the_top"
    """All stages are done, and all repeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """Where an event stands on its way up."""

    event: str
    since: int
    """When it was raised, milliseconds UTC on the wall clock."""
    done: int = 0
    """Stages and repeats that are done."""
    due_at: int | None = None
    """When the next one is; None when there is none."""
    stopped: Stop | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rise:
    """What is due of an event's climb."""

    climb: Climb
    """As it stands after that."""
    tier: Tier | None
    """Who is to be told now; None when nobody is."""
    again: bool
    """Whether that tier was told before."""


def begin(escalation: Escalation | None, event: str, since: int) -> Climb | None:
    """Return the climb of an event just raised; None when its priority does not climb."""
    if escalation is None or not escalation.stages:
        return None
    return Climb(event=event, since=since, due_at=since + escalation.stages[0].after)


def stop_of(event: Event, escalation: Escalation | None) -> Stop | None:
    """Return why an event is not to climb any further; None when it is."""
    match event.state:
        case State.ACKNOWLEDGED:
            return Stop.ACKNOWLEDGED
        case State.CLOSED:
            return Stop.CLOSED
        case State.RAISED:
            pass
    match event.fact:
        case Fact.WITHDRAWN:
            return Stop.WITHDRAWN
        case Fact.JOINED:
            return Stop.JOINED
        case Fact.CLEARED:
            return None if escalation is not None and escalation.after_end else Stop.OVER
        case Fact.GOING_ON:
            return None


def rise(climb: Climb, escalation: Escalation, now: int) -> Rise:
    """Return what is due of a climb at an instant; several stages that are due at once are one, the highest."""
    if climb.stopped is not None or climb.due_at is None or climb.due_at > now:
        return Rise(climb=climb, tier=None, again=False)
    done, last = climb.done, len(escalation.stages)
    due: int | None = climb.due_at
    tier = escalation.stages[min(done, last - 1)].tier
    again = done >= last
    while due is not None and due <= now:
        tier = escalation.stages[min(done, last - 1)].tier
        again = again and done >= last
        done += 1
        due = _due(escalation, climb.since, done, now)
    stopped = Stop.AT_THE_TOP if due is None else None
    after = Climb(event=climb.event, since=climb.since, done=done, due_at=due, stopped=stopped)
    return Rise(climb=after, tier=tier, again=again)


def _due(escalation: Escalation, since: int, done: int, now: int) -> int | None:
    """Return when the stage or repeat after so many is; None when there is none."""
    last = len(escalation.stages)
    if done < last:
        return since + escalation.stages[done].after
    if escalation.repeat is None or done - last >= escalation.times:
        return None
    return now + escalation.repeat


def resume(climb: Climb, escalation: Escalation, now: int) -> Climb:
    """Return a stopped climb that goes on, because its event does after all; nothing that was told is told again."""
    due = _due(escalation, climb.since, climb.done, now)
    stopped = Stop.AT_THE_TOP if due is None else None
    due = None if due is None else max(due, now)
    return Climb(event=climb.event, since=climb.since, done=climb.done, due_at=due, stopped=stopped)
