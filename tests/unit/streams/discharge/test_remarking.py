"""What enterprises say of their plants, looked at day by day."""

from __future__ import annotations

from typing import Any

import pytest

from sensors.kinds import load_kind
from streams.discharge.evaluation import marks
from streams.discharge.judgement import Level
from streams.judging.reasons import NOT_IN_PLAN, OK
from tests.discharge_cases import context, site, slots

LINE = (
    "{state: %s, from: 2026-06-01T%s:00:00+08:00, to: 2026-06-01T%s:00:00+08:00, author: 甲,"
    " sent: 2026-06-01T%s:00:00+08:00}"
)


def permits(*lines: str) -> str:
    return "sites:\n  - site: A\n    marks:\n" + "".join(f"      - {line}\n" for line in lines)


def day_of(text: str, date: str = "2026-06-01", name: str = "A", **columns: Any) -> Any:
    evaluation = marks(context(text))
    (block,) = evaluation.day(slots(date, columns), (site(name, use="firm"),), {})
    output = evaluation.day_outputs[0]
    assert (output.factor, output.window) == ("marks", "24h")
    assert output.tell is not None
    told = output.tell(block.detail.ravel()).to_pylist()[0]
    return int(block.value[0, 0]), int(block.level[0, 0]), told, int(block.reason[0, 0]), bool(block.due[0, 0])


def test_a_mark_that_nothing_contradicts_gives_no_remark_and_no_event() -> None:
    assert day_of(permits(LINE % ("stopped", "08", "20", "08"))) == (0, Level.WITHIN, "stopped", OK, True)


def test_a_late_mark_is_a_hint_and_never_a_finding() -> None:
    found = day_of(permits(LINE % ("maintenance", "08", "20", "11")))
    assert found == (1, Level.HINT, "maintenance: late", OK, True)


@pytest.mark.parametrize(("flow", "remarks", "told"), [(10.0, 1, "stopped: contradicted"), (0.0, 0, "stopped")])
def test_moving_values_contradict_a_plant_that_is_said_to_stand_still(flow: float, remarks: int, told: str) -> None:
    found = day_of(permits(LINE % ("stopped", "08", "20", "08")), flow=flow)
    assert (found[0], found[2]) == (remarks, told)


def test_more_than_eight_marks_in_thirty_days_are_frequent() -> None:
    lines = [LINE % ("calibration", f"{hour:02}", f"{hour + 1:02}", f"{hour:02}") for hour in range(9)]
    assert day_of(permits(*lines))[:3] == (1, Level.HINT, "calibration: frequent")
    assert day_of(permits(*lines[:8]))[0] == 0


def test_a_day_or_site_without_a_mark_is_not_in_plan_and_owes_nothing() -> None:
    text = permits(LINE % ("stopped", "08", "20", "08"))
    for found in (day_of(text, date="2026-06-02"), day_of(text, name="B")):
        assert found[3:] == (NOT_IN_PLAN, False)


def test_where_no_permit_has_a_mark_nothing_is_said() -> None:
    evaluation = marks(context("sites: []\n"))
    assert evaluation.day_outputs == ()
    assert evaluation.day(slots("2026-06-01", {}), (site("A"),), {}) == []
    assert "marks" in load_kind("outfall").evaluations
