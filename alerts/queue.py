"""The one queue of the desk: open cases, and events that no open case holds, the most pressing first.

However many events one incident has, its case is one place in the queue: nobody's incident is pushed out of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from alerts import tables as t
from alerts.cases import tables as ct
from alerts.cases.desk import CaseDesk, CaseFilters
from alerts.cases.record import Case
from alerts.cases.states import CaseState
from alerts.covering import covered
from alerts.desk import MOST_AT_ONCE, Alert, alert_of
from alerts.events import Fact
from alerts.journal import Journal
from alerts.states import State
from alerts.subjects import URGENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing to be done."""

    alert: Alert
    """The event; of a case the one that opened it."""
    case: Case | None = None

    @property
    def priority(self) -> int:
        """1 urgent to 4 early warning."""
        return self.alert.event.priority if self.case is None else self.case.priority

    @property
    def urgent(self) -> bool:
        """Whether it goes before everything."""
        return self.priority <= URGENT

    @property
    def raised(self) -> bool:
        """Whether nobody has taken notice yet."""
        if self.case is None:
            return self.alert.event.state is State.RAISED
        return self.case.state is CaseState.RAISED

    @property
    def due_at(self) -> int | None:
        """Until when it is to be moved on; an event without a case has no deadline."""
        return None if self.case is None else self.case.due_at

    def overdue(self, now: int) -> bool:
        """Return whether it should have been moved on before now."""
        return self.case is not None and self.case.overdue(now)

    @property
    def number(self) -> int:
        """Of the step that began it."""
        return self.alert.number if self.case is None else self.case.number


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many things wait, whatever a page shows of them."""

    raised: int = 0
    """Nobody has taken notice: cases, and events that no open case holds."""
    urgent: int = 0
    """Of them the urgent ones."""
    overdue: int = 0
    """Open cases past their deadline."""
    in_hand: int = 0
    """Somebody has them."""


def pressing(item: Item, now: int) -> tuple[Any, ...]:
    """Return the key of the queue's order.

    Urgent first; then what nobody has taken notice of; then what is overdue, the longest first; then by priority, and
    the newest first.
    """
    late = item.overdue(now)
    return (not item.urgent, not item.raised, not late, item.due_at if late else 0, item.priority, -item.number)


_LOOSE_STATES: Final = (State.RAISED.value, State.ACKNOWLEDGED.value)


class Queue:
    """Asks for the queue; safe to call from any thread.

    All raise `sensors.errors.StoreError` when the database does not answer.
    """

    def __init__(self, journal: Journal, cases: CaseDesk) -> None:
        self._journal, self._cases = journal, cases

    def items(self, now: int, filters: CaseFilters | None = None, limit: int = 200) -> tuple[Item, ...]:
        """Return what waits, the most pressing first.

        Filters by state, verdict and party are about cases alone: with one, no event without a case is shown.
        """
        chosen = filters or CaseFilters()
        cases = self._cases.open_cases(now, chosen, limit)
        alerts = self.alerts(case.opened_by for case in cases)
        found = [Item(alert=alerts[case.opened_by], case=case) for case in cases if case.opened_by in alerts]
        if not (chosen.states or chosen.verdicts or chosen.parties or chosen.overdue_at is not None):
            found += [Item(alert=alert) for alert in self._loose(chosen, limit)]
        return tuple(sorted(found, key=lambda item: pressing(item, now))[:limit])

    def alerts(self, ids: Iterable[str]) -> Mapping[str, Alert]:
        """Return some events by id."""
        wanted = sorted(set(ids))
        with self._journal.reading() as connection:
            rows = connection.execute(sa.select(t.event).where(t.event.c.id.in_(wanted))).all() if wanted else ()
        return {row.id: alert_of(row) for row in rows}

    def counts(self, now: int) -> Counts:
        """Return how many things wait in all."""
        c, e = ct.case.c, t.event.c
        late = _number_of(c.due_at <= now)
        cases = sa.select(*_tallies(c.state == CaseState.RAISED.value, c.priority <= URGENT), late)
        loose = sa.select(*_tallies(e.state == State.RAISED.value, e.priority <= URGENT), sa.literal(0))
        with self._journal.reading() as connection:
            held = connection.execute(cases.where(c.state != CaseState.WRITTEN_OFF.value)).one()
            free = connection.execute(loose.where(*_is_loose())).one()
        raised, urgent, in_hand, overdue = (
            int(one or 0) + int(other or 0) for one, other in zip(held, free, strict=True)
        )
        return Counts(raised=raised, urgent=urgent, overdue=overdue, in_hand=in_hand)

    def _loose(self, filters: CaseFilters, limit: int) -> list[Alert]:
        """Return the events that no open case holds: hints, early warnings, and what no steward has seen yet."""
        c = t.event.c
        conditions = list(_is_loose())
        if filters.priorities:
            conditions.append(c.priority.in_(list(filters.priorities)))
        if filters.sites or filters.places:
            conditions.append(c.site.in_([*filters.sites, *filters.places]))
        raised_first = sa.case((c.state == State.RAISED.value, 0), else_=1)
        query = sa.select(t.event).where(*conditions).order_by(raised_first, c.priority, c.number.desc())
        with self._journal.reading() as connection:
            rows = connection.execute(query.limit(min(limit, MOST_AT_ONCE))).all()
        found = [alert_of(row) for row in rows]
        return [alert for alert in found if not filters.networks or alert.event.peak.network in filters.networks]


def _number_of(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    """Return how many rows meet a condition; null over no rows."""
    return sa.func.sum(sa.case((condition, 1), else_=0))


def _tallies(raised: sa.ColumnElement[bool], urgent: sa.ColumnElement[bool]) -> tuple[sa.ColumnElement[int], ...]:
    """Return how many wait, how many of these press, and how many are in hand.

    Sums, no groups: PostgreSQL does not know two expressions for the same when each has parameters of its own.
    """
    return _number_of(raised), _number_of(raised & urgent), _number_of(~raised)


def _is_loose() -> Iterable[sa.ColumnElement[bool]]:
    c = t.event.c
    yield c.state.in_(_LOOSE_STATES)
    yield c.backfilled.is_(False)
    yield c.fact != Fact.JOINED.value
    yield (c.state == State.RAISED.value) | (c.fact != Fact.WITHDRAWN.value)
    yield ~covered()
    held = (
        sa.select(sa.literal(1))
        .select_from(ct.member.join(ct.case, ct.member.c.case == ct.case.c.id))
        .where(ct.member.c.event == c.id, ct.case.c.state != CaseState.WRITTEN_OFF.value)
        .correlate(t.event)
    )
    yield ~held.exists()
