"""The policy's file: what it gives, and what it says of every mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerts.cases.deadlines import Lapse, Tier
from alerts.cases.incidents import Opening
from alerts.cases.policy import CasePolicy, PartySource, Repeats
from alerts.cases.policyfile import Known, load_case_policy
from alerts.cases.record import Need, StepKind
from alerts.cases.responses import ResponseKind
from alerts.cases.states import CaseAct, CaseState
from sensors.clock import DAY_MS, HOUR_MS, MINUTE_MS
from sensors.errors import ConfigError
from tests.unit.alerts.cases.building import POLICY

KNOWN = Known(rules=frozenset({"pm25-1h"}), networks=frozenset({"air", "water"}))


def read(tmp_path: Path, text: str) -> CasePolicy:
    path = tmp_path / "cases.yaml"
    path.write_text(text, encoding="utf-8")
    return load_case_policy(path, KNOWN)


def test_the_delivered_policy_has_a_deadline_for_every_state_of_every_priority() -> None:
    states = set(CaseState) - {CaseState.WRITTEN_OFF}
    assert {priority: set(each.due) for priority, each in POLICY.deadlines.items()} == dict.fromkeys(
        (1, 2, 3, 4), states
    )
    first = POLICY.deadlines[1]
    assert first.due[CaseState.RAISED] == Lapse(ms=15 * MINUTE_MS)
    assert first.due[CaseState.REPORTED] == Lapse(work_days=5)
    assert [rung.tier for rung in first.ladder] == [Tier.OWN, Tier.PARK, Tier.DISTRICT, Tier.CITY, Tier.PROVINCE]


def test_the_delivered_policy_says_what_acts_owe_and_whom_to_tell() -> None:
    assert POLICY.owed[CaseAct.RECTIFY].note
    assert POLICY.owed[CaseAct.RECTIFY].evidence
    assert CaseAct.ACKNOWLEDGE not in POLICY.owed
    assert POLICY.notify[StepKind.RECURRED] is Tier.DISTRICT
    assert StepKind.OPENED not in POLICY.notify
    assert set(POLICY.responses) == set(ResponseKind)
    assert (POLICY.relapse_ms, POLICY.repeats) == (30 * DAY_MS, Repeats.SIGN)
    assert [row.need for row in POLICY.needs] == [Need.SIDES, Need.ANY]
    assert [row.source for row in POLICY.parties] == [PartySource.AREA]
    assert len(POLICY.calendar.holidays) == 3 + 9 + 3 + 5 + 3 + 3 + 7
    assert len(POLICY.calendar.working) == 6


def test_an_office_s_file_stands_over_the_delivered_one_key_by_key(tmp_path: Path) -> None:
    made = read(tmp_path, "relapse: 12h\nopenings:\n  - {rules: [pm25-1h], then: ignore}\n")
    assert made.relapse_ms == 12 * HOUR_MS
    assert [row.then for row in made.openings] == [Opening.IGNORE]
    assert made.deadlines == POLICY.deadlines
    assert read(tmp_path, "") == POLICY


ROWS = "{priority: %s, due: {%s}, ladder: [%s], repeat: %s}"
DUE = "raised: 1h, acknowledged: 1h, verified: 1h, handed_over: 1h, urged: 1h, rectified: 1h, reported: 1wd"
RUNG = "{after: 0min, tier: own}"


def deadlines(*rows: str) -> str:
    return "deadlines:\n" + "".join(f"  - {row}\n" for row in rows)


GOOD = [ROWS % (priority, DUE, RUNG, "1d") for priority in (1, 2, 3, 4)]


def test_deadlines_of_an_office_are_read(tmp_path: Path) -> None:
    made = read(tmp_path, deadlines(*GOOD))
    assert made.deadlines[4].due[CaseState.RAISED] == Lapse(ms=HOUR_MS)


@pytest.mark.parametrize(
    ("text", "line", "key", "problem"),
    [
        ("relaps: 1d\n", 1, "relaps", "unknown key"),
        ("relapse: 1 day\n", 1, "relapse", "no span"),
        ("relapse: 3wd\n", 1, "relapse", "work days"),
        ("repeats: perhaps\n", 1, "repeats", "perhaps"),
        ("openings:\n  - {kinds: [tea], then: open}\n", 2, "openings.0.kinds", "tea"),
        ("openings:\n  - {networks: [sea], then: open}\n", 2, "openings.0.networks", "'sea'"),
        ("openings:\n  - {rules: [pm25], then: open}\n", 2, "openings.0.rules", "'pm25'"),
        ("openings:\n  - {kinds: [limit]}\n", 2, "openings.0.then", "missing"),
        ("incidents:\n  - {by: street}\n", 2, "incidents.0.by", "street"),
        ("parties:\n  - {role: side}\n", 2, "parties.0", "in one way"),
        ("parties:\n  - {role: side, area: county, department: x}\n", 2, "parties.0", "in one way"),
        ("owed: {verify: [money]}\n", 1, "owed", "money"),
        ("notify: {nothing: own}\n", 1, "notify", "nothing"),
        (deadlines(*GOOD[:3]), 1, "deadlines", "priority 4"),
        (deadlines(*GOOD, GOOD[0]), 6, "deadlines.4.priority", "twice"),
        (deadlines(*GOOD[:3], ROWS % (4, "raised: 1h", RUNG, "1d")), 5, "deadlines.3.due", "acknowledged"),
        (deadlines(*GOOD[:3], ROWS % (4, DUE.replace("1wd", "0wd"), RUNG, "1d")), 5, "deadlines.3.due", "0wd"),
        (deadlines(*GOOD[:3], ROWS % (4, f"{DUE}, written_off: 1h", RUNG, "1d")), 5, "deadlines.3.due", "write-off"),
        (deadlines(*GOOD[:3], ROWS % (4, DUE, f"{RUNG}, {RUNG}", "1d")), 5, "deadlines.3.ladder", "back in time"),
        (deadlines(*GOOD[:3], ROWS % (4, DUE, RUNG, "0min")), 5, "deadlines.3.repeat", "no pause"),
        ("responses: []\n", 1, "responses", "no row of warning"),
    ],
)
def test_a_mistake_is_told_with_line_key_and_problem(
    tmp_path: Path, text: str, line: int, key: str, problem: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert (caught.value.line, problem in caught.value.problem) == (line, True), caught.value
    assert caught.value.key.startswith(key)


CALENDAR = 'calendar: {source: x, confidence: confirmed, closes: "%s", holidays: [%s], working: [%s]}\n'


@pytest.mark.parametrize(
    ("closes", "holidays", "working", "key"),
    [
        ("25:00", "", "", "calendar.closes"),
        ("00:00", "", "", "calendar.closes"),
        ("17:30", "2026-13-01", "", "calendar.holidays.0"),
        ("17:30", "2026-10-07/2026-10-01", "", "calendar.holidays.0"),
        ("17:30", "2026-10-01", "2026-10-01", "calendar.working"),
    ],
)
def test_a_calendar_that_cannot_be_is_told(tmp_path: Path, closes: str, holidays: str, working: str, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, CALENDAR % (closes, holidays, working))
    assert (caught.value.key, caught.value.line) == (key, 1)


def test_a_calendar_may_close_at_midnight(tmp_path: Path) -> None:
    assert read(tmp_path, CALENDAR % ("24:00", "", "")).calendar.closes_ms == DAY_MS
