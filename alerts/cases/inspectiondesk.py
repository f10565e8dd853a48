"""The desk of inspections: tasks are ordered or drawn, and a result ends them; cases are told in their history."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import sqlalchemy as sa

from alerts.cases import tables as ct
from alerts.cases.evidence import Evidence, EvidenceKind, Lack
from alerts.cases.inspections import Origin, Outcome, Task, TaskIncomplete, TaskState, draw, ended, ordered
from alerts.cases.life import Moved, tell
from alerts.cases.policy import CasePolicy
from alerts.cases.record import StepKind
from alerts.cases.states import Verdict
from alerts.cases.store import load, save
from alerts.desk import MOST_AT_ONCE
from alerts.journal import Journal, Turn
from sensors.errors import UnknownName

_SEED_LENGTH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Who orders inspections, when, why and until when."""

    author: str
    at: int
    note: str
    due_at: int


class InspectionDesk:
    """Orders and results of inspections.

    Every method raises `sensors.errors.StoreError` when the database does not answer.
    """

    def __init__(self, journal: Journal, policy: CasePolicy) -> None:
        self._journal, self._policy = journal, policy

    def order(self, case_id: str, order: Order) -> Task:
        """Order an inspection of the site of a case.

        Raises
        ------
        UnknownName
            When there is no such case.
        TaskIncomplete
            Without a name, a note, or a deadline that lies ahead.
        """
        with self._journal.writing() as turn:
            docket = load(turn, cases=[case_id])
            if case_id not in docket.cases:
                raise UnknownName("the cases", case_id)
            task = _task(order, docket.cases[case_id].site, Origin.CASE, f"{case_id}\x1f{order.at}", case=case_id)
            return self._keep(turn, ordered(task), told=True)

    def draw(self, weights: Mapping[str, int], count: int, seed: str, order: Order) -> tuple[Task, ...]:
        """Draw a list of sites to be inspected, and order it; the same seed and weights draw the same sites.

        A list that was ordered already with this seed is returned as it is.

        Raises
        ------
        ValueError
            For a weight out of bounds.
        TaskIncomplete
            Without a seed, a name, a note, or a deadline that lies ahead.
        """
        if not 0 < len(seed) <= _SEED_LENGTH:
            raise TaskIncomplete(Lack.NAME)
        with self._journal.writing() as turn:
            known = turn.connection.execute(
                sa.select(ct.inspection).where(ct.inspection.c.seed == seed).order_by(ct.inspection.c.number)
            )
            held = tuple(_task_of(row) for row in known)
            if held:
                return held
            tasks = [
                replace(_task(order, site, Origin.RANDOM, seed), seed=seed, weight=weights[site])
                for site in draw(weights, count, seed)
            ]
            return tuple(self._keep(turn, ordered(task), told=False) for task in tasks)

    def end(
        self, task_id: str, outcome: Outcome | None, *, author: str, at: int, result: str,
        evidence: tuple[Evidence, ...] = (),
    ) -> Task:  # fmt: skip
        """End a task with its result, or call it off (None).

        Raises
        ------
        UnknownName
            When there is no such task.
        WrongTaskAct
            When it has ended already.
        TaskIncomplete
            Without a name or words, or with unsound evidence.
        """
        with self._journal.writing() as turn:
            row = turn.connection.execute(sa.select(ct.inspection).where(ct.inspection.c.id == task_id)).first()
            if row is None:
                raise UnknownName("the inspections", task_id)
            after = ended(_task_of(row), outcome=outcome, author=author, at=at, result=result, evidence=evidence)
            return self._keep(turn, after, told=True, number=row.number)

    def tasks(self, *, state: TaskState | None = None, case: str = "", limit: int = 100) -> tuple[Task, ...]:
        """Return tasks, the earliest due first."""
        c = ct.inspection.c
        query = sa.select(ct.inspection).order_by(c.due_at, c.number).limit(max(1, min(limit, MOST_AT_ONCE)))
        if state is not None:
            query = query.where(c.state == state.value)
        if case:
            query = query.where(c.case == case)
        with self._journal.reading() as connection:
            return tuple(_task_of(row) for row in connection.execute(query))

    def true_cases(self, since: int) -> dict[str, int]:
        """Return how many true cases each site has had since an instant, for its weight in a draw."""
        c = ct.case.c
        query = sa.select(c.site, sa.func.count()).where(c.opened_at >= since, c.verdict == Verdict.TRUE.value)
        with self._journal.reading() as connection:
            return {site: int(count) for site, count in connection.execute(query.group_by(c.site))}

    def _keep(self, turn: Turn, task: Task, *, told: bool, number: int | None = None) -> Task:
        (changed,) = turn.next_numbers(1)
        evidence = msgspec.json.encode([piece.told() for piece in task.evidence]).decode()
        row = {name: getattr(task, name) for name in _PLAIN} | {
            "number": changed if number is None else number, "changed": changed, "origin": str(task.origin),
            "state": str(task.state), "outcome": None if task.outcome is None else str(task.outcome),
            "evidence": evidence,
        }  # fmt: skip
        turn.upsert(ct.inspection, [row])
        if told and task.case:
            self._tell_case(turn, task)
        return task

    def _tell_case(self, turn: Turn, task: Task) -> None:
        docket = load(turn, cases=[task.case])
        case, over = docket.cases[task.case], task.state is not TaskState.ORDERED
        step = tell(
            case, StepKind.INSPECTION, self._policy, at=(task.ended_at or 0) if over else task.ordered_at,
            author=task.ended_by if over else task.ordered_by, reason=task.result if over else task.note,
            evidence={
                "inspection": task.id, "state": str(task.state),
                **({"outcome": str(task.outcome)} if task.outcome else {}),
                **({"references": [piece.told() for piece in task.evidence]} if task.evidence else {}),
            },
        )  # fmt: skip
        docket.put(Moved(case=case, parties=(), steps=(step,)))
        save(turn, docket)


_PLAIN = (
    "id", "site", "case", "seed", "weight", "ordered_by", "ordered_at", "note", "due_at", "ended_by", "ended_at",
    "result",
)  # fmt: skip


def _task(order: Order, site: str, origin: Origin, stem: str, case: str = "") -> Task:
    made = hashlib.sha256(f"{stem}\x1f{site}".encode()).hexdigest()[:20]
    return Task(
        id=made, origin=origin, site=site, case=case, ordered_by=order.author, ordered_at=order.at, note=order.note,
        due_at=order.due_at,
    )  # fmt: skip


def _task_of(row: sa.Row[Any]) -> Task:
    told = msgspec.json.decode(row.evidence)
    evidence = tuple(
        Evidence(kind=EvidenceKind(one["kind"]), value=one["value"], sha256=one.get("sha256", "")) for one in told
    )
    return Task(
        **{name: getattr(row, name) for name in _PLAIN}, origin=Origin(row.origin), state=TaskState(row.state),
        outcome=None if row.outcome is None else Outcome(row.outcome), evidence=evidence,
    )  # fmt: skip
