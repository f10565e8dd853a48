"""The life of an event: raised, acknowledged, closed; one table, every answer with its reason.

That an event was withdrawn or joined is a *fact* about its episode beside the state: people still
acknowledge and close it. Only people acknowledge and close; only the rule raises, and raises again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from sensors.errors import JianhuError


class State(StrEnum):
    """Where an event stands, in the order of its life."""

    RAISED = "raised"
    """Nobody has taken notice yet: it sounds and stays."""
    ACKNOWLEDGED = "acknowledged"
    """A named person has."""
    CLOSED = "closed"
    """A named person has ended it, with a note."""


class Act(StrEnum):
    """What moves an event."""

    ACKNOWLEDGE = "acknowledge"
    CLOSE = "close"
    RAISE_AGAIN = "raise_again"
    """The rule finds a withdrawn episode after all."""


class Deed(StrEnum):
    """Steps that people make; those of the rule are `alerts.events.Change`."""

    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class StepReason(StrEnum):
    """Why a state followed, or why it did not."""

    TAKEN_NOTICE = "taken_notice"
    ENDED_BY_PERSON = "ended_by_person"
    FOUND_AGAIN = "found_again"
    ALREADY_ACKNOWLEDGED = "already_acknowledged"
    NOT_ACKNOWLEDGED = "not_acknowledged"
    """An event is acknowledged before it is closed."""
    ALREADY_CLOSED = "already_closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextState:
    """A state and why."""

    state: State
    reason: StepReason
    allowed: bool
    """Whether the act took place; when not, ``state`` is the one before."""


_TABLE: Final[Mapping[tuple[State, Act], tuple[State, StepReason]]] = MappingProxyType({
    (State.RAISED, Act.ACKNOWLEDGE): (State.ACKNOWLEDGED, StepReason.TAKEN_NOTICE),
    (State.ACKNOWLEDGED, Act.CLOSE): (State.CLOSED, StepReason.ENDED_BY_PERSON),
    (State.RAISED, Act.RAISE_AGAIN): (State.RAISED, StepReason.FOUND_AGAIN),
    (State.ACKNOWLEDGED, Act.RAISE_AGAIN): (State.RAISED, StepReason.FOUND_AGAIN),
    (State.CLOSED, Act.RAISE_AGAIN): (State.RAISED, StepReason.FOUND_AGAIN),
})  # fmt: skip
_REFUSED: Final[Mapping[tuple[State, Act], StepReason]] = MappingProxyType({
    (State.ACKNOWLEDGED, Act.ACKNOWLEDGE): StepReason.ALREADY_ACKNOWLEDGED,
    (State.CLOSED, Act.ACKNOWLEDGE): StepReason.ALREADY_CLOSED,
    (State.RAISED, Act.CLOSE): StepReason.NOT_ACKNOWLEDGED,
    (State.CLOSED, Act.CLOSE): StepReason.ALREADY_CLOSED,
})  # fmt: skip


class WrongTransition(JianhuError):
    """An act that the state of an event does not allow."""

    def __init__(self, event: str, act: Act, refused: NextState) -> None:
        self.event, self.act, self.state, self.reason = event, act, refused.state, refused.reason
        super().__init__(f"{act} of event {event} in state {refused.state}: {refused.reason}")


def next_state(state: State, act: Act) -> NextState:
    """Return what an act makes of a state, and the reason, also when it is refused."""
    moved = _TABLE.get((state, act))
    if moved is not None:
        return NextState(state=moved[0], reason=moved[1], allowed=True)
    return NextState(state=state, reason=_REFUSED[state, act], allowed=False)
