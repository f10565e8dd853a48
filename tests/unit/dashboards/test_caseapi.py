"""Cases, silences and handovers for programs."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from httpx import Response

from alerts.cases.states import CaseState
from alerts.notices.silencedesk import Wish
from alerts.notices.tables import delivery
from sensors.clock import HOUR_MS
from tests.unit.dashboards.building import SAME, T0, House, over_limit


@pytest.fixture
def desk(home: House) -> House:
    home.say(*over_limit("B", 1))
    home.settle()
    home.wall = T0 + HOUR_MS
    return home


def case_of(home: House) -> str:
    return home.office.cases.open_cases(home.wall)[0].id


def asked(home: House, path: str) -> Any:
    answer = home.client().get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def act(home: House, case: str, **body: Any) -> Response:
    return home.client().post(f"/api/v1/cases/{case}/acts", json={"author": "张三"} | body, headers=SAME)


@pytest.mark.parametrize(
    ("query", "sites"),
    [("", {"A", "B"}), ("site=A", {"A"}), ("place=B", {"B"}), ("state=raised", {"A", "B"}), ("state=urged", set()),
     ("verdict=true", set()), ("priority=1", set()), ("network=air", {"A", "B"}), ("network=voc", set()),
     ("party=area:x", set()), ("overdue=true", set())],
)  # fmt: skip
def test_cases_are_found_by_what_they_are_about(desk: House, query: str, sites: set[str]) -> None:
    assert {case["site"] for case in asked(desk, f"cases?{query}")["cases"]} == sites


def test_a_cursor_goes_through_all_cases(desk: House) -> None:
    first = asked(desk, "cases?limit=1")
    second = asked(desk, f"cases?limit=1&cursor={first['cursor']}")
    assert {first["cases"][0]["site"], second["cases"][0]["site"]} == {"A", "B"}
    assert second["cursor"] is None


def test_the_whole_file_is_one_document(desk: House) -> None:
    found = asked(desk, f"cases/{case_of(desk)}")
    assert found["case"]["state_told"] == {"zh": "待签收", "en": "raised"}
    assert found["case"]["overdue"] is False
    assert "acknowledge" in found["acts"]
    assert found["steps"][0]["kind"] == "opened"
    assert found["events"][0]["raised_by"]["inputs"] == "0000000000000007"
    assert found["deliveries"] == []


def test_a_case_moves_by_signed_acts_with_evidence(desk: House) -> None:
    case = case_of(desk)
    assert act(desk, case, act="acknowledge").json()["state"] == "acknowledged"
    sent = [{"kind": "link", "value": "https://example.test/video/7"}]
    done = act(desk, case, act="verify", verdict="true", note="现场核实", evidence=sent)
    assert (done.status_code, done.json()["verdict"]) == (200, "true")
    last = desk.office.cases.case(case).steps[-1]
    assert (last.author, last.reason, last.evidence["references"]) == ("张三", "现场核实", sent)


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"act": "verify", "verdict": "true", "note": "x"}, 409, {"reason": "not_acknowledged"}),
        ({"act": "acknowledge", "author": ""}, 422, {"lacks": "name"}),
        ({"act": "explode"}, 422, {}),
        ({"act": "acknowledge", "colour": "red"}, 422, {}),
        (
            {"act": "note", "note": "x", "evidence": [{"kind": "file", "value": "a", "sha256": "1"}]},
            422,
            {"lacks": "bad_evidence"},
        ),
    ],
)
def test_what_cannot_be_done_says_why_and_does_nothing(
    desk: House, body: dict[str, Any], status: int, told: dict[str, str]
) -> None:
    case = case_of(desk)
    done = act(desk, case, **body)
    assert done.status_code == status
    assert told.items() <= done.json().items()
    assert desk.office.cases.case(case).case.state is CaseState.RAISED


@pytest.mark.parametrize("path", ["nothing", "%3Cb%3E"])
def test_a_case_that_does_not_exist_is_said(desk: House, path: str) -> None:
    assert desk.client().get(f"/api/v1/cases/{path}").status_code == 404
    assert act(desk, path, act="acknowledge").status_code == 404


def test_no_page_of_elsewhere_acts(desk: House) -> None:
    case = case_of(desk)
    done = desk.client().post(f"/api/v1/cases/{case}/acts", json={"act": "acknowledge", "author": "x"})
    assert done.status_code == 403


def test_silences_and_handovers_are_told(desk: House) -> None:
    wish = Wish(matchers=('site="A"',), author="张三", reason="换滤膜", starts_at=0, ends_at=desk.wall + HOUR_MS)
    desk.office.silences.add(wish, desk.wall)
    (silence,) = asked(desk, "silences")["silences"]
    assert (silence["matchers"], silence["state"], silence["author"]) == (['site="A"'], "active", "张三")
    number = desk.office.book.give(desk.office.draft(desk.wall, "盯住 A 站"), "张三", desk.wall).number
    (handover,) = asked(desk, "handovers")["handovers"]
    assert (handover["number"], handover["content"]["notes"], handover["taking"]) == (number, "盯住 A 站", None)
    assert (handover["giving"]["author"], handover["proof"]) == ("张三", "sound")


def test_coverage_says_who_should_have_it_and_who_has(desk: House) -> None:
    event = desk.office.cases.open_cases(desk.wall)[0].opened_by
    row = {
        "notice": "n", "department": "d", "address": "x", "kind": "raised", "priority": 1, "payload": "{}",
        "subjects": f'{{"events": ["{event}"]}}', "synthetic": True, "created_at": T0, "due_at": T0, "attempts": 1,
    }  # fmt: skip
    sent = {"id": "1", "recipient": "p1", "channel": "mail", "state": "sent", "sent_at": T0 + 5, "order_key": 1}
    lost = {"id": "2", "recipient": "p2", "channel": "robot", "state": "given_up", "sent_at": None, "order_key": 2}
    with desk.journal.writing() as turn:
        turn.connection.execute(sa.insert(delivery), [row | sent, row | lost])
    found = asked(desk, f"alerts/{event}/coverage")
    assert (found["owed"], found["reached"], found["received"], found["missing"]) == (2, 1, 0, ["p2"])
    channels = {one["channel"]: one for one in asked(desk, "coverage?hours=2")["channels"]}
    assert (channels["mail"]["reached"], channels["robot"]["given_up"]) == (1, 1)
    assert asked(desk, "alerts/nothing/coverage")["owed"] == 0
