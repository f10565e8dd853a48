"""Inspection tasks: ordered for a case, or drawn at random from weighted sites so that anybody can draw them again.

A draw is a lottery: each site has as many lots as its weight, each lot a number that follows from the seed, and lots
are drawn from the smallest on. No float, no state of a generator: the same seed and sites give the same list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from alerts.cases.evidence import EVIDENCE_MOST, NAME_LENGTH, NOTE_LENGTH, Evidence, Lack
from sensors.errors import JianhuError

WEIGHT_MOST = 1000


class Origin(StrEnum):
    """Why a task exists."""

    CASE = "case"
    RANDOM = "random"
    """随机抽查."""


class TaskState(StrEnum):
    """Where a task stands."""

    ORDERED = "ordered"
    DONE = "done"
    """A result came back, from the console or another platform."""
    CALLED_OFF = "called_off"


class Outcome(StrEnum):
    """What an inspection found."""

    CLEAN = "clean"
    VIOLATION = "violation"
    DATA_FAULT = "data_fault"


class TaskReason(StrEnum):
    """Why an act on a task was refused."""

    ALREADY_DONE = "already_done"
    ALREADY_CALLED_OFF = "already_called_off"


class WrongTaskAct(JianhuError):
    """A result or a call-off of a task that has ended."""

    def __init__(self, task: str, state: TaskState) -> None:
        done = state is TaskState.DONE
        self.task, self.reason = task, TaskReason.ALREADY_DONE if done else TaskReason.ALREADY_CALLED_OFF
        super().__init__(f"inspection {task}: {self.reason}")


class TaskIncomplete(JianhuError):
    """An order or a result without what it must bring."""

    def __init__(self, lacks: Lack) -> None:
        self.lacks = lacks
        super().__init__(f"an inspection lacks: {lacks}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One inspection task. Times are milliseconds UTC of the wall clock."""

    id: str
    origin: Origin
    site: str
    case: str = ""
    seed: str = ""
    """Of a draw: with the list of weights it gives the same list again."""
    weight: int = 0
    ordered_by: str
    ordered_at: int
    note: str
    due_at: int
    state: TaskState = TaskState.ORDERED
    outcome: Outcome | None = None
    ended_by: str = ""
    ended_at: int | None = None
    result: str = ""
    evidence: tuple[Evidence, ...] = ()


def draw(weights: Mapping[str, int], count: int, seed: str) -> tuple[str, ...]:
    """Return so many sites, drawn without replacement; fewer when there are fewer.

    Parameters
    ----------
    weights
        Site → its lots, 0 (never drawn) to `WEIGHT_MOST`; the order does not matter.
    count
        How many.
    seed
        Any text, to be written down with the list.

    Raises
    ------
    ValueError
        For a weight out of bounds.
    """
    for site, weight in weights.items():
        if not 0 <= weight <= WEIGHT_MOST:
            raise ValueError(f"{site}: weight {weight} is not 0 to {WEIGHT_MOST}")
    best = {site: min(_lot(seed, site, lot) for lot in range(weight)) for site, weight in weights.items() if weight}
    return tuple(sorted(best, key=lambda site: (best[site], site))[: max(0, count)])


def _lot(seed: str, site: str, lot: int) -> bytes:
    return hashlib.sha256("\x1f".join((seed, site, str(lot))).encode()).digest()


def weights_of(sites: Iterable[str], cases: Mapping[str, int], listed: Iterable[str]) -> dict[str, int]:
    """Return the lots of sites: one each, one more for each true case in the period, five more on the black-list.

    Parameters
    ----------
    sites
        Those that may be drawn.
    cases
        Site → its true cases in the period.
    listed
        Sites of places that are proposed for the black-list.
    """
    marked = frozenset(listed)
    return {site: min(WEIGHT_MOST, 1 + cases.get(site, 0) + 5 * (site in marked)) for site in sites}


def ordered(task: Task) -> Task:
    """Return a task as somebody orders it.

    Raises
    ------
    TaskIncomplete
        Without a name, a note, or a deadline that lies ahead.
    """
    task = replace(task, ordered_by=task.ordered_by.strip(), note=task.note.strip())
    _signed(task.ordered_by, task.note)
    if task.due_at <= task.ordered_at:
        raise TaskIncomplete(Lack.DUE)
    return task


def ended(
    task: Task, *, outcome: Outcome | None, author: str, at: int, result: str, evidence: tuple[Evidence, ...] = ()
) -> Task:
    """Return a task with its result, or called off (``outcome`` None).

    Raises
    ------
    WrongTaskAct
        When it has ended already; a result that comes twice changes nothing.
    TaskIncomplete
        Without a name or words, or with unsound evidence.
    """
    if task.state is not TaskState.ORDERED:
        raise WrongTaskAct(task.id, task.state)
    author, result = author.strip(), result.strip()
    _signed(author, result)
    if len(evidence) > EVIDENCE_MOST or not all(piece.sound for piece in evidence):
        raise TaskIncomplete(Lack.BAD_EVIDENCE)
    state = TaskState.CALLED_OFF if outcome is None else TaskState.DONE
    return replace(
        task, state=state, outcome=outcome, ended_by=author, ended_at=at, result=result, evidence=evidence
    )  # fmt: skip


def _signed(author: str, words: str) -> None:
    if not 0 < len(author) <= NAME_LENGTH:
        raise TaskIncomplete(Lack.NAME)
    if not 0 < len(words) <= NOTE_LENGTH:
        raise TaskIncomplete(Lack.NOTE)
