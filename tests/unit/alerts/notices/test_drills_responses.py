"""Drills are marked to the last message and never mixed with what is meant; responses without a case are told."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from alerts.cases.policyfile import load_case_policy
from alerts.cases.responsedesk import ResponseDesk
from alerts.cases.responses import Purpose, ResponseAct, ResponseAsk, ResponseKind
from alerts.events import Change
from alerts.modes import Mode, ModeKind, Modes
from alerts.notices.payload import event_part
from alerts.notify.wording import Wording
from alerts.people import NOBODY
from alerts.subjects import subject_of
from tests.unit.alerts.building import T0
from tests.unit.alerts.notices.building import event, region, rules, subject
from tests.unit.alerts.notices.planning import START, H, M, Office, S, make_blank, payload, subjects
from tests.unit.alerts.notify.test_templates import delivered

KIND = ResponseKind.HEAVY_POLLUTION


def modes(*kinds: ModeKind, areas: tuple[str, ...] = ("t-a",), start: int = T0 - H, end: int = T0 + H) -> Modes:
    return Modes(
        modes=tuple(
            Mode(
                id=kind.value, kind=kind, name_zh="甲", name_en="a", areas=frozenset(areas), start=start, end=end,
                share=Fraction(1), thresholds={}, author="x", why="y",
            )
            for kind in kinds
        )
    )  # fmt: skip


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    make_blank(tmp_path.parent)
    made = Office(tmp_path)
    yield made
    made.journal.close()


def said(act: ResponseAct, at: int, **other: Any) -> ResponseAsk:
    return ResponseAsk(act=act, author="赵敏", at=at, note="会商决定", **other)


def wording() -> Wording:
    return Wording(delivered())


@pytest.mark.parametrize(
    ("held", "drill"),
    [
        (modes(), False),
        (modes(ModeKind.DRILL), True),
        (modes(ModeKind.DRILL, ModeKind.EMERGENCY), False),
        (modes(ModeKind.GUARANTEE), False),
        (modes(ModeKind.DRILL, areas=("t-b",)), False),
        (modes(ModeKind.DRILL, start=T0 + 1, end=T0 + H), False),
    ],
)
def test_an_event_is_a_drill_by_the_time_and_place_of_its_data(held: Modes, *, drill: bool) -> None:
    found = subject_of(event(), rules(), region(), T0 + 30 * H, held)
    assert (found.drill, found.labels.get("drill")) == (drill, "true" if drill else None)
    assert event_part(found, None, region()).drill is drill


def test_a_drill_and_what_is_meant_are_never_one_message(office: Office) -> None:
    office.start(modes=modes(ModeKind.DRILL))
    office.raised()
    office.run(31 * S)
    office.start(modes=modes())
    office.raised(factor="NO2")
    office.run(10 * M)
    first, second = office.told_rows()
    assert [payload(row)["drill"] for row in (first, second)] == [True, False]
    assert not set(subjects(first)["events"]) & set(subjects(second)["events"])
    told = wording().message_of(first)
    assert told.subject.startswith("【演练】")
    assert "【演练】" in told.text
    assert "演练" not in wording().message_of(second).subject


def test_in_a_digest_each_drill_is_marked_and_nothing_else(office: Office) -> None:
    office.start(modes=modes(ModeKind.DRILL))
    office.raised(priority=4)
    office.raised(priority=4, at="B")
    office.run(M)
    office.jump(6 * H)
    rows = {row.recipient: row for row in office.deliveries if row.kind == "digest"}
    both = wording().message_of(rows["duty-1"])
    assert not both.subject.startswith("【演练】")
    assert both.text.count("【演练】") == 1
    assert wording().message_of(rows["grid-a"]).subject.startswith("【演练】")


def test_a_response_without_a_case_is_told_to_those_of_its_areas(office: Office) -> None:
    desk = ResponseDesk(office.journal, load_case_policy())
    made = desk.start(KIND, said(ResponseAct.START, START, level=3, areas=("t-a", "other:邻县")), synthetic=False)
    desk.act(made.id, said(ResponseAct.NOTE, START + 1))
    desk.act(made.id, said(ResponseAct.LIFT, START + 2))
    office.run(M)
    first, second = office.told_rows("grid-a")
    assert (first.kind, first.priority, first.state) == ("response_step", 3, "waiting")
    message = wording().message_of(first)
    assert message.subject == "响应进展：启动响应"
    assert "重污染天气响应 · 启动响应 · 级别 3 · t-a、邻县 · 赵敏 · 会商决定" in message.text
    assert wording().message_of(second).subject == "响应进展：解除响应"
    assert office.told_rows("grid-b") == []
    office.start()
    office.run(M)
    assert len(office.told_rows("grid-a")) == 2


def test_a_drill_of_a_response_is_marked(office: Office) -> None:
    desk = ResponseDesk(office.journal, load_case_policy())
    ask = said(ResponseAct.START, START, level=3, areas=("t-a",))
    desk.start(KIND, ask, purpose=Purpose.DRILL, synthetic=True)
    office.run()
    (row,) = office.told_rows("grid-a")
    assert row.synthetic
    assert wording().message_of(row).subject == "【模拟数据】【演练】响应进展：启动响应"


def test_a_response_that_nobody_can_be_told_of_is_accounted_for(office: Office) -> None:
    office.start(people=NOBODY)
    desk = ResponseDesk(office.journal, load_case_policy())
    made = desk.start(KIND, said(ResponseAct.START, START, level=3, areas=("t-a",)), synthetic=False)
    office.run()
    assert [(row.recipient, row.reason, row.by) for row in office.muted] == [("", "nobody", made.id)]


def test_an_escalation_and_a_digest_that_reach_nobody_are_accounted_for(office: Office) -> None:
    office.raised(priority=4)
    office.raised(priority=1, at="B")
    office.run(M)
    office.start(channels=("none",))
    office.jump(6 * H)
    found = {(row.by, row.reason) for row in office.muted}
    assert {("evening", "no_address"), ("escalation:city", "no_address")} <= found


def test_a_digest_after_the_clock_was_set_back_is_not_taken_for_the_one_before(office: Office) -> None:
    office.raised(priority=4)
    office.run(M)
    office.jump(6 * H)
    office.clock.now -= 3 * H
    office.raised(priority=4, at="B")
    office.run(10 * M)
    office.jump(3 * H)
    sent = [row for row in office.told_rows("duty-1") if row.kind == "digest"]
    assert len(sent) == 2
    assert len({event for row in sent for event in subjects(row)["events"]}) == 2


def test_a_digest_tells_an_event_as_it_stood_last(office: Office) -> None:
    made = office.raised(priority=4)
    office.run(10 * M)
    office.cleared(made)
    office.run(10 * M)
    assert [row.kind for row in office.gathered if row.recipient == "grid-a"] == [Change.RAISED, Change.CLEARED]
    office.jump(6 * H)
    (row,) = [row for row in office.told_rows() if row.kind == "digest"]
    assert [one["fact"] for one in wording().message_of(row).payload["events"]] == ["cleared"]


def test_the_labels_of_a_subject_name_no_drill_without_modes() -> None:
    assert not subject().drill
