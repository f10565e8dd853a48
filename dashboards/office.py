"""The office behind the desk pages: cases, silences, handovers and who is on duty, over one journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from alerts.cases.desk import CaseDesk
from alerts.cases.policy import CasePolicy
from alerts.cases.record import Case
from alerts.desk import Alert, Desk
from alerts.handover.book import Book
from alerts.handover.content import Content, OnDuty, OpenCase, RunningMark, RunningSilence
from alerts.handover.draft import Beside, draw_up
from alerts.journal import Journal
from alerts.notices.silencedesk import SilenceDesk
from alerts.notices.silences import SilenceState
from alerts.people import NOBODY, Duty, People, Role
from alerts.queue import Queue
from alerts.rotas import on_duty
from alerts.texts import Language, title
from sensors.registry import Registry

_CASES: Final = 200
_ON_DUTY: Final = (Role.DUTY, Role.FIRST_ASKED)


def _no_marks(_at_ms: int) -> tuple[RunningMark, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Everything that people do about alerts, asked of one journal."""

    journal: Journal
    desk: Desk
    cases: CaseDesk
    queue: Queue
    silences: SilenceDesk
    book: Book
    policy: CasePolicy
    people: People
    registry: Registry
    marks: Callable[[int], tuple[RunningMark, ...]]
    """What enterprises say of their plants at an instant."""

    def duty_at(self, at_ms: int) -> tuple[OnDuty, ...]:
        """Return who is on duty at an instant: those of every duty, each once."""
        fallback = () if self.people.fallback is None else (self.people.fallback,)
        found: dict[str, OnDuty] = {}
        for duty in (*(one for one in self.people.duties if one.role in _ON_DUTY), *fallback):
            for person, end in self._persons(duty, at_ms):
                found.setdefault(person, self._on_duty(person, duty, end))
        return tuple(found.values())

    def _persons(self, duty: Duty, at_ms: int) -> list[tuple[str, int | None]]:
        found: list[tuple[str, int | None]] = [(person, None) for person in duty.persons]
        rota = self.people.rotas.get(duty.rota)
        if rota is not None:
            now = on_duty(rota, at_ms)
            found += [(now.person, now.end)] if now.person else []
        return found

    def _on_duty(self, person: str, duty: Duty, end: int | None) -> OnDuty:
        known = self.people.persons.get(person)
        department = "" if known is None else known.department
        office = self.people.departments.get(department)
        return OnDuty(
            person=person,
            name=person if known is None else known.name_zh,
            department=department if office is None else office.name_zh,
            duty=duty.rota or duty.role.value,
            end=end,
        )

    def draft(self, at_ms: int, notes: str = "") -> Content:
        """Return what would be handed over at an instant.

        Raises
        ------
        StoreError
            When the database does not answer.
        """
        duty = self.duty_at(at_ms)
        ends = [one.end for one in duty if one.end is not None]
        cases = self.cases.open_cases(at_ms, limit=_CASES)
        counts = self.cases.count_open(at_ms)
        openers = self.queue.alerts(case.opened_by for case in cases)
        silences = self.silences.silences(at_ms)
        beside = Beside(
            on_duty=duty,
            next_duty=self.duty_at(min(ends)) if ends else (),
            cases=tuple(
                OpenCase(
                    id=case.id,
                    title_zh=_title(case, openers, self.registry, Language.ZH),
                    title_en=_title(case, openers, self.registry, Language.EN),
                    priority=case.priority,
                    state=case.state.value,
                    opened_at=case.opened_at,
                    due_at=case.due_at,
                    overdue=case.overdue(at_ms),
                )
                for case in cases
            ),
            cases_total=sum(count for state, count in counts.items() if state != "overdue"),
            silences=tuple(
                RunningSilence(
                    id=one.id,
                    matchers=", ".join(str(matcher) for matcher in one.matchers),
                    author=one.author,
                    reason=one.reason,
                    start=one.starts_at,
                    end=one.ends_at,
                )
                for one in silences
                if one.state(at_ms) is not SilenceState.EXPIRED
            ),
            marks=self.marks(at_ms),
        )
        return draw_up(self.desk, self.registry, at_ms, notes, beside)

    def party_name(self, party: str, language: Language) -> str:
        """Return the name of a party of a case: of an area, a department, or as somebody wrote it."""
        kind, _, name = party.partition(":")
        if kind == "area":
            return place_name(self.registry, name, language)
        if kind == "department" and (office := self.people.departments.get(name)) is not None:
            return office.name_zh if language is Language.ZH else office.name_en or office.name_zh
        return name or party

    def known_parties(self) -> tuple[str, ...]:
        """Return the parties to whom a case can be handed over: departments, then areas."""
        offices = [f"department:{name}" for name in self.people.departments]
        areas = [f"area:{area.id}" for area in self.registry.areas]
        return (*offices, *areas)


def office_of(
    journal: Journal,
    registry: Registry,
    policy: CasePolicy,
    *,
    people: People = NOBODY,
    marks: Callable[[int], tuple[RunningMark, ...]] = _no_marks,
    cases: CaseDesk | None = None,
) -> Office:
    """Return the office over a journal."""
    desk = cases or CaseDesk(journal, policy)
    return Office(
        journal=journal,
        desk=Desk(journal),
        cases=desk,
        queue=Queue(journal, desk),
        silences=SilenceDesk(journal),
        book=Book(journal),
        policy=policy,
        people=people,
        registry=registry,
        marks=marks,
    )


def place_name(registry: Registry, place: str, language: Language) -> str:
    """Return the name of a site or an area; its id when the registry has it no more."""
    found = registry.get(place) or next((area for area in registry.areas if area.id == place), None)
    if found is None:
        return place
    first, second = (found.name_zh, found.name_en) if language is Language.ZH else (found.name_en, found.name_zh)
    return str(first or second)


def _title(case: Case, openers: Mapping[str, Alert], registry: Registry, language: Language) -> str:
    place = place_name(registry, case.place, language)
    alert = openers.get(case.opened_by)
    return f"{place} {title(alert.event, language)}" if alert is not None else f"{place} {case.factor}"
