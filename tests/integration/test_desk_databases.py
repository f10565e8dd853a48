"""What the desk asks is answered alike by both databases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from alerts import tables as t
from alerts.cases.desk import CaseFilters
from alerts.cases.inspectiondesk import InspectionDesk
from alerts.cases.responsedesk import ResponseDesk
from alerts.cases.states import CaseAct, CaseState
from alerts.desk import Desk, Filters, Part
from alerts.gates.desk import decisions
from alerts.handover.book import Book
from alerts.handover.content import Content
from alerts.notices.silencedesk import SilenceDesk
from alerts.notify.coverage import coverage_of_event, measures
from alerts.queue import Queue
from tests.unit.alerts.cases.building import HOUR_MS, POLICY, Town

pytestmark = pytest.mark.integration


@pytest.fixture
def towns(tmp_path: Path, postgres: str) -> Iterator[tuple[Town, Town]]:
    towns = (Town(f"sqlite:///{tmp_path / 'alerts.db'}"), Town(postgres))
    yield towns
    for town in towns:
        town.close()
    engine = sa.create_engine(postgres)
    t.metadata.drop_all(engine)
    engine.dispose()


def _happen(town: Town) -> None:
    """Two incidents, one of them in hand; a hint; a shift that was handed over."""
    town.raise_event("A")
    town.later(HOUR_MS)
    town.raise_event("S", "source-class", factor="class")
    town.raise_event("B", hint=True)
    (case,) = town.desk.cases(CaseFilters(sites=("A",))).cases
    town.act(case.id, CaseAct.ACKNOWLEDGE)
    book = Book(town.journal)
    given = book.give(Content(at=town.now, region_zh="试区", region_en="Test", synthetic=True), "张三", town.now)
    book.take(given.number, "李四", town.now + 1)


def _answers(town: Town) -> Mapping[str, Any]:
    """Ask everything that a page or a command asks."""
    desk, queue, now = Desk(town.journal), Queue(town.journal, town.desk), town.now
    (case,) = town.desk.cases(CaseFilters(sites=("A",))).cases
    event = case.opened_by
    with town.journal.reading() as connection:
        told = {
            "coverage": coverage_of_event(connection, event),
            "measures": measures(connection, 0, now + 1),
        }
    return told | {
        "gates": decisions(town.journal),
        "queue": queue.items(now),
        "queue of one state": queue.items(now, CaseFilters(states=(CaseState.RAISED,), overdue_at=now)),
        "counts": queue.counts(now),
        "open": [desk.open_events(part) for part in Part],
        "count open": [desk.count_open(part) for part in Part],
        "newest": desk.newest_raised(5),
        "events": desk.events(Filters(sites=("A", "S"), start_ms=0, end_ms=now), 1),
        "why": desk.why(event),
        "tally": desk.tally(desk.event(event).event),
        "changes": desk.changes_since(0),
        "cases": [town.desk.open_cases(now), town.desk.count_open(now), town.desk.of_event(event)],
        "file": town.desk.case(case.id),
        "black list": town.desk.black_list(now),
        "steps": town.desk.steps_since(0),
        "responses": ResponseDesk(town.journal, POLICY).responses(),
        "inspections": InspectionDesk(town.journal, POLICY).tasks(),
        "true cases": InspectionDesk(town.journal, POLICY).true_cases(0),
        "silences": SilenceDesk(town.journal).silences(now, since=0),
        "handovers": Book(town.journal).handovers(),
    }


def test_every_question_of_the_desk_is_answered_alike_by_both_databases(towns: tuple[Town, Town]) -> None:
    for town in towns:
        _happen(town)
    small, great = (_answers(town) for town in towns)
    assert {name for name in small if small[name] != great[name]} == set()
    assert (small["counts"].raised, small["counts"].urgent, small["counts"].in_hand) == (2, 1, 1)
