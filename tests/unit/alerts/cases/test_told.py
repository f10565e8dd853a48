"""From an event to whoever is told of its case: the keeper of cases and the planner of notices on one steward."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts.cases import keeper
from alerts.cases.desk import CaseDesk
from alerts.cases.evidence import Lack
from alerts.cases.keeper import CaseKeeper
from alerts.cases.life import ActIncomplete
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

    cases = CaseKeeper(POLICY, subject, sharing_of(setup.people))
    made.steward = Steward(made.journal, [cases, made.planner], made.clock)
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


def test_a_handover_to_a_department_that_nobody_knows_is_refused_where_people_are_known(office: Office) -> None:
    office.raised(priority=1)
    office.run(1000)
    desk = CaseDesk(office.journal, POLICY, departments=office.setup.people.departments)
    (case,) = desk.cases().cases
    for act in (CaseAct.ACKNOWLEDGE, CaseAct.VERIFY):
        desk.act(case.id, ask(act, office.clock.now))
    with pytest.raises(ActIncomplete) as told_why:
        desk.act(case.id, ask(CaseAct.HAND_OVER, office.clock.now, to="department:fier"))
    assert told_why.value.lacks is Lack.DEPARTMENT
    assert desk.act(case.id, ask(CaseAct.HAND_OVER, office.clock.now, to="other:社区")).owner == "other:社区"
    assert desk.act(case.id, ask(CaseAct.HAND_OVER, office.clock.now, to="department:fire")).owner == "department:fire"


@pytest.mark.parametrize("to", ["department:fier", "other:社区"])
def test_a_handover_that_nobody_can_be_told_of_is_accounted_for(office: Office, to: str) -> None:
    office.raised(priority=1)
    office.run(1000)
    desk = CaseDesk(office.journal, POLICY)
    (case,) = desk.cases().cases
    for act in (CaseAct.ACKNOWLEDGE, CaseAct.VERIFY, CaseAct.HAND_OVER):
        desk.act(case.id, ask(act, office.clock.now, to=to if act is CaseAct.HAND_OVER else ""))
    office.run(1000)
    assert [(row.recipient, row.reason, row.by) for row in office.muted] == [(to, "nobody", case.id)]


def test_after_a_long_stop_the_keeper_of_cases_leaves_others_their_turn(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "_DUE_AT_ONCE", 1)
    for site in ("A", "B"):
        office.raised(at=site)
    office.run(1000)
    office.clock.now += DAY_MS
    office.steward.once()
    late = CaseDesk(office.journal, POLICY)
    assert sorted(case.rungs > 0 for case in late.cases().cases) == [False, True]
    office.steward.once()  # nothing new has come: what is due is enough to be asked again
    assert all(case.rungs > 0 for case in late.cases().cases)
