"""The desk of cases: what the console asks of them, and what people do there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from alerts import tables as t
from alerts.cases import tables as ct
from alerts.cases.casefile import CaseFile
from alerts.cases.evidence import Lack
from alerts.cases.incidents import incident_of
from alerts.cases.keeper import SubjectOf
from alerts.cases.life import ActIncomplete, Ask, act, allowed_acts, checked
from alerts.cases.policy import CasePolicy, Owed
from alerts.cases.record import Case, CaseStep
from alerts.cases.responsedesk import ResponseDesk
from alerts.cases.states import CaseAct, CaseState, Verdict
from alerts.cases.store import case_of, load, load_occurrences, party_of, save, step_of
from alerts.cases.taking import Happened, Sharing, Taking, alone
from alerts.desk import MOST_AT_ONCE, Desk
from alerts.events import Change
from alerts.journal import Journal, event_of
from alerts.notices import tables as nt
from sensors.errors import UnknownName

FILE_EVENTS: Final = 50
"""Most events of which a file tells everything: the one that opened it, and the newest."""
_LEDGER: Final = "the cases"
_DEPARTMENT: Final = "department:"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilters:
    """Which cases a list shows; empty means any."""

    states: tuple[CaseState, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    priorities: tuple[int, ...] = ()
    networks: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    parties: tuple[str, ...] = ()
    """Cases of which one of these is a party."""
    overdue_at: int | None = None
    """Only cases that are overdue at this instant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """Some cases, newest first."""

    cases: tuple[Case, ...]
    cursor: int | None
    """What to ask for to go on; None at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """A place that is proposed for the black-list (黑名单); a person decides."""

    place: str
    network: str
    points: int
    counts: Mapping[str, int]
    """Kind of step → how often in the policy's period."""
    listed: bool
    """Whether it has as many points as the policy asks."""


class CaseDesk:
    """Questions to the cases, and acts of people, which are journalled as they happen.

    Every method raises `sensors.errors.StoreError` when the database does not answer.

    Parameters
    ----------
    journal
        The database of alerts.
    policy
        Deadlines, and what each act must bring.
    subject_of
        What is known of an event; only `open` needs it.
    sharing
        As of `alerts.cases.keeper.CaseKeeper`.
    departments
        To which a case may be handed over; None: to all that people name.
    """

    def __init__(
        self,
        journal: Journal,
        policy: CasePolicy,
        subject_of: SubjectOf | None = None,
        sharing: Sharing = alone,
        departments: Collection[str] | None = None,
    ) -> None:
        self._journal, self._policy, self._subject_of = journal, policy, subject_of
        self._sharing, self._departments = sharing, departments
        self._events, self._responses = Desk(journal), ResponseDesk(journal, policy)

    def open_cases(self, now: int, filters: CaseFilters | None = None, limit: int = 100) -> tuple[Case, ...]:
        """Return the queue: what waits for somebody, the most pressing first.

        Urgent cases (priority 1: drinking-water sources, toxic gas) come first, then those of which nobody has taken
        notice, then those that are overdue, the longest overdue first, then by priority, and the newest: the order of
        `alerts.queue.pressing`.
        """
        c = ct.case.c
        late = sa.case((c.due_at <= now, 0), else_=1)
        urgent = sa.case((c.priority == 1, 0), else_=1)
        taken = sa.case((c.state == CaseState.RAISED.value, 0), else_=1)
        order = (urgent, taken, late, sa.case((c.due_at <= now, c.due_at), else_=0), c.priority, c.number.desc())
        conditions = (c.state != CaseState.WRITTEN_OFF.value, *_conditions(filters or CaseFilters()))
        return self._cases(sa.select(ct.case).where(*conditions).order_by(*order).limit(_bounded(limit)))

    def count_open(self, now: int) -> dict[str, int]:
        """Return how many cases are open in each state, and under ``overdue`` how many are overdue."""
        c = ct.case.c
        query = sa.select(c.state, sa.func.count(), sa.func.sum(sa.case((c.due_at <= now, 1), else_=0)))
        with self._journal.reading() as connection:
            rows = connection.execute(query.where(c.state != CaseState.WRITTEN_OFF.value).group_by(c.state)).all()
        found = {state: int(count) for state, count, _ in rows}
        counts = {str(state): found.get(state, 0) for state in CaseState if state is not CaseState.WRITTEN_OFF}
        return counts | {"overdue": sum(int(late) for _, _, late in rows)}

    def cases(self, filters: CaseFilters | None = None, limit: int = 100, cursor: int | None = None) -> CasePage:
        """Return a page of all cases, newest first, from a cursor on."""
        query = sa.select(ct.case).where(*_conditions(filters or CaseFilters()))
        if cursor is not None:
            query = query.where(ct.case.c.number < cursor)
        count = _bounded(limit)
        found = self._cases(query.order_by(ct.case.c.number.desc()).limit(count + 1))
        return CasePage(cases=found[:count], cursor=found[count - 1].number if len(found) > count else None)

    def of_event(self, event_id: str) -> Case | None:
        """Return the newest case of an event; None when it has none."""
        query = sa.select(ct.case).join(ct.member, ct.member.c.case == ct.case.c.id)
        found = self._cases(query.where(ct.member.c.event == event_id).order_by(ct.case.c.number.desc()).limit(1))
        return found[0] if found else None

    def case(self, case_id: str) -> CaseFile:
        """Return the file of a case.

        Raises
        ------
        UnknownName
            When there is none of this id.
        """
        with self._journal.reading() as connection:
            row = connection.execute(sa.select(ct.case).where(ct.case.c.id == case_id)).first()
            if row is None:
                raise UnknownName(_LEDGER, case_id)
            case = case_of(row)
            s, p = ct.step.c, ct.party.c
            steps = tuple(
                step_of(found)
                for found in connection.execute(sa.select(ct.step).where(s.case == case_id).order_by(s.number))
            )
            parties = tuple(
                party_of(found)
                for found in connection.execute(sa.select(ct.party).where(p.case == case_id).order_by(p.since, p.party))
            )
            events = self._file_events(connection, case)
        earlier = sa.select(ct.case).where(ct.case.c.key == case.key, ct.case.c.number < case.number)
        told = tuple(self._events.why(event) for event in events)
        since = min((one.alert.noticed_at for one in told), default=case.opened_at)
        return CaseFile(
            case=case, steps=steps, parties=parties, events=told,
            more_events=case.events - len(events), acts=allowed_acts(case, parties, self._policy),
            earlier=self._cases(earlier.order_by(ct.case.c.number.desc()).limit(MOST_AT_ONCE)),
            deliveries=tuple(self._deliveries(case_id, events, since)),
            responses=tuple(self._responses.response(one.id) for one in self._responses.responses(case=case_id)),
        )  # fmt: skip

    def steps_since(self, cursor: int, limit: int = MOST_AT_ONCE) -> tuple[CaseStep, ...]:
        """Return the steps of all cases after a cursor, oldest first; their numbers are those of the whole journal."""
        s = ct.step.c
        query = sa.select(ct.step).where(s.number > cursor).order_by(s.number).limit(_bounded(limit))
        with self._journal.reading() as connection:
            return tuple(step_of(row) for row in connection.execute(query))

    def act(self, case_id: str, ask: Ask) -> Case:
        """Do something with a case; its events are acknowledged and closed in step with it.

        Raises
        ------
        UnknownName
            When there is no such case.
        WrongCaseAct
            When its state does not allow it; says why.
        ActIncomplete
            Without a name, or without the note, evidence, verdict or party that the act must bring; when it hands
            over to a department that nobody knows.
        """
        named = ask.to.removeprefix(_DEPARTMENT)
        if self._departments is not None and named != ask.to and named not in self._departments:
            raise ActIncomplete(ask.act, Lack.DEPARTMENT)
        with self._journal.writing() as turn:
            docket = load(turn, cases=[case_id])
            if case_id not in docket.cases:
                raise UnknownName(_LEDGER, case_id)
            before = docket.cases[case_id]
            moved = act(before, docket.parties.get(case_id, ()), ask, self._policy)
            docket.put(moved)
            docket.put_parties(case_id, moved.parties)
            after = moved.case
            if ask.act is CaseAct.ACKNOWLEDGE and after.state is not before.state:
                docket.sign_all.append((case_id, ask.author.strip(), ask.at))
            if ask.act is CaseAct.WRITE_OFF:
                docket.close_all.append((case_id, ask.author.strip(), ask.at, ask.note.strip()))
            save(turn, docket)
            return docket.cases[case_id]

    def open(self, event_id: str, author: str, note: str, at: int) -> Case:
        """Open a case of an event for which the policy opens none, or join it to the case of its incident.

        Raises
        ------
        UnknownName
            When there is no such event.
        ActIncomplete
            Without a name or a note.
        RuntimeError
            When this desk was made without ``subject_of``.
        """
        if self._subject_of is None:
            raise RuntimeError("a desk that opens cases is made with what is known of events")
        signed = checked(Ask(act=CaseAct.NOTE, author=author, at=at, note=note), Owed(note=True))
        with self._journal.writing() as turn:
            row = turn.connection.execute(sa.select(t.event).where(t.event.c.id == event_id)).first()
            if row is None:
                raise UnknownName("the alert journal", event_id)
            about = self._subject_of(event_of(row))
            what = Happened(about=about, change=Change.RAISED, number=row.changed, author=signed.author, at=at)
            docket = load(turn, events=[event_id], keys=[incident_of(about, self._policy.keys).key])
            current = docket.of_event(event_id)
            if current is not None and current.open:
                return current
            load_occurrences(turn, docket, docket.by_key, at - self._policy.recurrence.period_ms)
            made = Taking(docket, self._policy, self._sharing).open(what, signed.author, signed.note)
            save(turn, docket)
            return docket.cases[made.id]

    def black_list(self, now: int) -> tuple[Proposed, ...]:
        """Return the places with points for the black-list in the policy's period, the most points first.

        Cases that were found to be data faults or planned do not count.
        """
        rule, s, c = self._policy.black_list, ct.step.c, ct.case.c
        query = (
            sa.select(c.place, c.network, s.kind, sa.func.count())
            .join(ct.case, c.id == s.case)
            .where(s.kind.in_([str(kind) for kind in rule.points]), s.at >= now - rule.period_ms)
            .where(c.verdict.in_([Verdict.OPEN.value, Verdict.TRUE.value]))
            .group_by(c.place, c.network, s.kind)
        )
        with self._journal.reading() as connection:
            rows = connection.execute(query).all()
        counts: dict[tuple[str, str], dict[str, int]] = {}
        for place, network, kind, count in rows:
            counts.setdefault((place, network), {})[kind] = int(count)
        worth = {str(kind): points for kind, points in rule.points.items()}
        found = []
        for (place, network), each in counts.items():
            points = sum(worth[kind] * count for kind, count in each.items())
            listed = points >= rule.listed_at
            found.append(Proposed(place=place, network=network, points=points, counts=each, listed=listed))
        return tuple(sorted(found, key=lambda one: (-one.points, one.network, one.place)))

    def _file_events(self, connection: sa.Connection, case: Case) -> tuple[str, ...]:
        """Return the event that opened a case and the newest of the others, oldest first."""
        m = ct.member.c
        others = sa.select(m.event, m.at).where(m.case == case.id, m.event != case.opened_by)
        newest = connection.execute(others.order_by(m.at.desc(), m.event).limit(FILE_EVENTS - 1)).all()
        return (case.opened_by, *(row.event for row in sorted(newest, key=lambda row: (row.at, row.event))))

    def _deliveries(self, case_id: str, events: Sequence[str], since: int) -> Iterator[Mapping[str, Any]]:
        """Give the messages about a case and its events; an address is nobody's business here."""
        d = nt.delivery.c
        shown = [column for column in nt.delivery.columns if column.name not in {"address", "payload"}]
        about = sa.or_(*(d.subjects.contains(f'"{one}"', autoescape=True) for one in (case_id, *events)))
        query = sa.select(*shown).where(d.created_at >= since, about).order_by(d.order_key)
        with self._journal.reading() as connection:
            for row in connection.execute(query.limit(MOST_AT_ONCE)):
                yield dict(row._mapping)  # noqa: SLF001 - the row's own public name for it

    def _cases(self, query: sa.Select[Any]) -> tuple[Case, ...]:
        with self._journal.reading() as connection:
            return tuple(case_of(row) for row in connection.execute(query))


def _bounded(limit: int) -> int:
    return max(1, min(limit, MOST_AT_ONCE))


def _conditions(filters: CaseFilters) -> Iterator[sa.ColumnElement[bool]]:
    c = ct.case.c
    chosen = (
        (c.state, [state.value for state in filters.states]), (c.verdict, [one.value for one in filters.verdicts]),
        (c.priority, filters.priorities), (c.network, filters.networks), (c.place, filters.places),
        (c.site, filters.sites),
    )  # fmt: skip
    yield from (column.in_(list(values)) for column, values in chosen if values)
    if filters.parties:
        yield c.id.in_(sa.select(ct.party.c.case).where(ct.party.c.party.in_(list(filters.parties))))
    if filters.overdue_at is not None:
        yield c.due_at <= filters.overdue_at
