"""The keeper of cases: follows the history of events, and lets the overdue escalation go on.

It keeps nothing in memory: each turn loads the cases that it is about. Times of escalation are absolute and stand in
the rows, so they go on after a kill; what came due meanwhile is done at the next start, dated by when it was due.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from alerts.cases.incidents import incident_of
from alerts.cases.life import overdue
from alerts.cases.policy import CasePolicy
from alerts.cases.store import load, load_due, load_occurrences, next_due, save
from alerts.cases.taking import Happened, Sharing, Taking, alone
from alerts.events import Event, Fact
from alerts.journal import MACHINE, Turn
from alerts.states import Deed
from alerts.steward import Noted
from alerts.subjects import Subject

NAME: Final = "cases"
"""Key of the keeper's cursor."""
_DUE_AT_ONCE: Final = 500
"""After a long stop many are; others want their turn at the journal in between."""
SubjectOf = Callable[[Event], Subject]
"""Gives what the rules and the registry know of an event."""


class CaseKeeper:
    """The follower that keeps the cases.

    Parameters
    ----------
    policy
        What opens a case, deadlines and the rest.
    subject_of
        What is known of an event.
    sharing
        Who shares a case which an event opens, beside the parties that the policy names.
    """

    def __init__(self, policy: CasePolicy, subject_of: SubjectOf, sharing: Sharing = alone) -> None:
        self._policy, self._subject_of, self._sharing = policy, subject_of, sharing

    @property
    def name(self) -> str:
        """Key of its cursor."""
        return NAME

    def take(self, turn: Turn, steps: Sequence[Noted], now: int) -> None:  # noqa: ARG002 - the follower's form
        """Take new steps of events, oldest first.

        Raises
        ------
        StoreError
            When the database does not take it.
        """
        happened = tuple(self._happened(steps))
        if not happened:
            return
        keys = {incident_of(one.about, self._policy.keys).key for one in happened}
        docket = load(turn, events={one.event for one in happened}, keys=keys)
        known = keys | {case.key for case in docket.cases.values()}
        load_occurrences(turn, docket, known, min(one.at for one in happened) - self._policy.recurrence.period_ms)
        taking = Taking(docket, self._policy, self._sharing)
        for one in happened:
            taking.take(one)
        save(turn, docket)

    def due(self, turn: Turn, now: int) -> int | None:
        """Take steps of the overdue escalation that are due, so many in one turn; return when the next one is.

        Raises
        ------
        StoreError
            When the database does not take it.
        """
        docket = load_due(turn, now, _DUE_AT_ONCE)
        for case in tuple(docket.cases.values()):
            docket.put(overdue(case, self._policy, now))
        save(turn, docket)
        return next_due(turn)

    def _happened(self, steps: Sequence[Noted]) -> Iterator[Happened]:
        """Give the steps of the rule, and those of people that are no answer to an act on a case."""
        for noted in steps:
            step = noted.step
            act = isinstance(step.kind, Deed)
            if act and ("case" in step.evidence or step.author == MACHINE):
                continue
            yield Happened(
                about=self._subject_of(_as_of(noted)), change=step.kind, number=step.number, author=step.author,
                at=step.at if act else step.noticed_at, note=step.reason,
            )  # fmt: skip


def _as_of(noted: Noted) -> Event:
    """Return an event as it was after a step, as far as the step says."""
    said = noted.step.evidence.get("now")
    if not isinstance(said, dict):
        return noted.event
    marks = {
        name: said[name] for name in ("to_verify", "backfilled", "hint", "unconfirmed", "priority") if name in said
    }
    fact = Fact(said.get("fact", noted.event.fact))
    return replace(noted.event, fact=fact, **marks)
