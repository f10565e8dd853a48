"""From an event to whoever is told of its case: the keeper of cases and the planner of notices on one steward."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts.cases.desk import CaseDesk
from alerts.cases.keeper import CaseKeeper
from alerts.cases.sharing import sharing_of
from alerts.cases.states import CaseAct
from alerts.events import Event
from alerts.steward import Steward
from alerts.subjects import Subject, subject_of
from tests.unit.alerts.cases.building import DAY_MS, POLICY, ask
from tests.unit.alerts.notices.planning import Office, payload


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    setup = made.setup

    def subject(event: Event) -> Subject:
        return subject_of(event, setup.rules, setup.registry, event.start)

    keeper = CaseKeeper(POLICY, subject, sharing_of(setup.people))
    made.steward = Steward(made.journal, [keeper, made.planner], made.clock)
    yield made
    made.journal.close()


def told(office: Office) -> set[tuple[str, str]]:
    """Return who is told of a step of a case, and of which kind of step."""
    return {(row.recipient, payload(row)["case"]["kind"]) for row in office.deliveries if row.kind == "case_step"}


def test_whoever_gets_a_case_handed_over_is_told_and_urged_when_he_is_late(office: Office) -> None:
    office.raised(priority=1)
    office.run(1000)
    desk = CaseDesk(office.journal, POLICY)
    (case,) = desk.cases().cases
    assert told(office) == set()  # that it is open, the event's own notice says
    for act in (CaseAct.ACKNOWLEDGE, CaseAct.VERIFY, CaseAct.HAND_OVER):
        desk.act(case.id, ask(act, office.clock.now, to="department:fire" if act is CaseAct.HAND_OVER else ""))
    office.run(1000)
    members = {one.id for one in office.setup.people.persons.values() if one.department == "fire"}
    assert members
    assert {(one, "handed_over") for one in members} <= told(office)
    sent = desk.case(case.id).deliveries
    assert {(row["recipient"], row["kind"]) for row in sent} >= {(one, "case_step") for one in members}
    assert "raised" in {row["kind"] for row in sent}  # the notices of its events stand there too
    assert not {"address", "payload"} & {name for row in sent for name in row}
    office.jump(2 * DAY_MS)
    assert {(one, "urged") for one in members} <= told(office)
