"""The file of a case: everything on one page, and the forms of what may be done."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import pytest
from httpx import Response

from alerts.cases.evidence import Evidence, EvidenceKind
from alerts.cases.life import Ask
from alerts.cases.states import CaseAct, CaseState, Verdict
from dashboards.casepages import next_act
from sensors.clock import HOUR_MS
from tests.unit.dashboards.building import NASTY, SAME, T0, House

SHA = hashlib.sha256(b"photo").hexdigest()


@pytest.fixture
def desk(home: House) -> House:
    home.settle()
    home.wall = T0 + HOUR_MS
    return home


def case_of(home: House) -> str:
    return home.office.cases.open_cases(home.wall)[0].id


def page(home: House, case: str, query: str = "") -> str:
    answer = home.client().get(f"/cases/{case}{query}")
    assert answer.status_code == 200, answer.text
    return answer.text


def post(home: House, case: str, act: str, **fields: Any) -> Response:
    return home.client().post(f"/cases/{case}", data={"act": act, "author": "张三", **fields}, headers=SAME)


def walk(home: House, case: str, until: CaseState) -> None:
    """Lead a case to a state by its forms."""
    steps: list[tuple[CaseState, dict[str, Any]]] = [
        (CaseState.ACKNOWLEDGED, {"act": "acknowledge"}),
        (CaseState.VERIFIED, {"act": "verify", "verdict": "true", "note": "现场核实"}),
        (CaseState.HANDED_OVER, {"act": "hand_over", "to": "某某公司", "note": "限期整改"}),
        (
            CaseState.RECTIFIED,
            {"act": "rectify", "note": "已停产检修", "kind": "text", "value": "工单 7", "sha256": ""},
        ),
        (CaseState.REPORTED, {"act": "report", "note": "已报市局"}),
    ]
    for state, fields in steps:
        act = fields.pop("act")
        assert post(home, case, act, **fields).status_code == 303, state
        assert home.office.cases.case(case).case.state is state
        if state is until:
            return


def test_the_file_says_everything_from_the_first_reading_on(desk: House) -> None:
    shown = page(desk, case_of(desk))
    assert "A站" in shown.split("<h1>")[1]
    assert "1小时，230 µg/m³，限值 200 µg/m³（GB 3095-2026" in shown
    assert 'class="here" aria-current="step">待签收' in shown
    assert "剩 60 分钟" in shown
    assert "下一步：签收" in shown
    assert "<b>立案</b>" in shown
    assert "尚未发出通知" in shown
    assert 'class="synthetic"' in shown


def test_the_picture_has_the_readings_the_limit_and_the_span_of_the_event(desk: House) -> None:
    shown = page(desk, case_of(desk))
    data = json.loads(shown.split('id="station-data">')[1].split("</script>")[0])
    (panel,) = data["panels"]
    assert (panel["factor"], panel["window"], panel["limits"][0]["value"]) == ("NO2", "1h", "200")
    hour = next(point for point in panel["points"] if point["value"] == "230")
    assert panel["spans"] == [{"from": hour["t"], "to": hour["t"]}]
    assert len(panel["points"]) == 25, "twelve hours before and after"


def test_a_case_goes_its_whole_way_by_the_forms(desk: House) -> None:
    case = case_of(desk)
    walk(desk, case, CaseState.REPORTED)
    shown = page(desk, case)
    for word in ("现场核实", "属实", "→ 某某公司", "已停产检修", "工单 7", "已报市局"):
        assert word in shown
    refused = post(desk, case, "write_off", note="达标")
    assert refused.status_code == 409
    assert 'id="lack">仍有告警未结束' in refused.text


@pytest.mark.parametrize(
    ("until", "first"),
    [
        (CaseState.RAISED, "acknowledge"),
        (CaseState.ACKNOWLEDGED, "verify"),
        (CaseState.VERIFIED, "hand_over"),
        (CaseState.HANDED_OVER, "rectify"),
        (CaseState.RECTIFIED, "report"),
    ],
)
def test_every_state_opens_the_form_of_what_comes_next_and_offers_what_is_allowed(
    desk: House, until: CaseState, first: str
) -> None:
    case = case_of(desk)
    if until is not CaseState.RAISED:
        walk(desk, case, until)
    shown = page(desk, case)
    offered = re.findall(r'<details class="act" (open)? ?id="act-([a-z_]+)"', shown)
    assert offered[0] == ("open", first)
    assert {name for _, name in offered} == {str(act) for act in desk.office.cases.case(case).acts}
    assert [name for opened, name in offered if opened] == [first]


@pytest.mark.parametrize(
    ("fields", "lack"),
    [
        ({"act": "verify", "note": "x"}, "还缺：核实结论"),
        ({"act": "verify", "verdict": "true"}, "还缺：说明"),
        ({"act": "verify", "verdict": "nonsense", "note": "x"}, "还缺：核实结论"),
        ({"act": "hand_over", "to": "x", "note": "x"}, "尚未核实"),
        ({"act": "note", "note": "x", "kind": "file", "value": "a.jpg", "sha256": "12"}, "还缺：有效的佐证"),
    ],
)
def test_what_a_form_lacks_is_said_on_the_page_and_nothing_is_done(
    desk: House, fields: dict[str, str], lack: str
) -> None:
    case = case_of(desk)
    walk(desk, case, CaseState.ACKNOWLEDGED)
    before = desk.office.cases.case(case).steps
    answer = post(desk, case, **fields)
    assert answer.status_code in {409, 422}
    assert lack in answer.text.split('id="lack">')[1].split("</p>")[0]
    assert desk.office.cases.case(case).steps == before


@pytest.mark.parametrize("due", ["tomorrow", "2026-11-22T18:00+08:00", "2020-01-01T00:00"])
def test_a_deadline_is_a_beijing_time_to_come(desk: House, due: str) -> None:
    case = case_of(desk)
    walk(desk, case, CaseState.VERIFIED)
    answer = post(desk, case, "hand_over", to="某某公司", note="限期", due=due)
    assert answer.status_code == 422
    assert "还缺：晚于当前时间的时限" in answer.text


def test_a_handover_sets_a_deadline_of_its_own_and_names_whom(desk: House) -> None:
    case = case_of(desk)
    walk(desk, case, CaseState.VERIFIED)
    post(desk, case, "hand_over", to="某某公司", note="限期", due="2026-11-22T18:00")
    held = desk.office.cases.case(case).case
    assert held.owner == "other:某某公司"
    assert held.due_at == T0 + 42 * HOUR_MS
    assert "期限 11-22 18:00" in page(desk, case)


def test_evidence_by_file_keeps_its_name_and_its_hash(desk: House) -> None:
    case = case_of(desk)
    walk(desk, case, CaseState.ACKNOWLEDGED)
    sent = {"kind": ["file", "event"], "value": ["现场.jpg", "abc"], "sha256": [SHA.upper(), ""]}
    assert post(desk, case, "note", note="见图", **sent).status_code == 303
    kept = desk.office.cases.case(case).steps[-1].evidence["references"]
    assert kept == [{"kind": "file", "value": "现场.jpg", "sha256": SHA}, {"kind": "event", "value": "abc"}]
    shown = page(desk, case)
    assert f'<code title="{SHA}">{SHA[:12]}…</code>' in shown
    assert 'href="/alerts/abc"' in shown


def test_words_of_people_are_text_wherever_they_stand(desk: House) -> None:
    case = case_of(desk)
    walk(desk, case, CaseState.ACKNOWLEDGED)
    ask = Ask(
        act=CaseAct.NOTE, author=NASTY.replace("\u2028", ""), at=desk.wall, note=NASTY,
        evidence=(Evidence(kind=EvidenceKind.LINK, value="javascript:alert(1)"),),
    )  # fmt: skip
    desk.office.cases.act(case, ask)
    desk.office.cases.act(case, Ask(act=CaseAct.VERIFY, author="a", at=desk.wall, note="n", verdict=Verdict.TRUE))
    post(desk, case, "hand_over", to=NASTY.replace("\u2028", "")[:90], note="n")
    shown = page(desk, case)
    assert "<script>alert(1)</script>" not in shown
    assert 'href="javascript' not in shown
    assert "&lt;script&gt;alert(1)" in shown


@pytest.mark.parametrize("path", ["/cases/nothing", "/parts/cases/nothing", "/cases/%3Cb%3E"])
def test_a_case_that_does_not_exist_is_said(desk: House, path: str) -> None:
    answer = desk.client().get(path)
    assert answer.status_code == 404
    assert "没有这份案卷" in answer.text


@pytest.mark.parametrize(("case", "act"), [("nothing", "acknowledge"), ("%3Cb%3E", "note"), (None, "explode")])
def test_an_act_that_cannot_be_is_no_page(desk: House, case: str | None, act: str) -> None:
    assert post(desk, case or case_of(desk), act, note="x").status_code == 404


def test_nobody_acts_without_a_name_or_from_elsewhere(desk: House) -> None:
    case = case_of(desk)
    assert desk.client().post(f"/cases/{case}", data={"act": "acknowledge"}, headers=SAME).status_code == 422
    assert desk.client().post(f"/cases/{case}", data={"act": "acknowledge", "author": "x"}).status_code == 403
    assert desk.office.cases.case(case).case.state is CaseState.RAISED


def test_the_part_is_the_same_markup_as_its_page_in_both_languages(desk: House) -> None:
    case = case_of(desk)
    for language in ("zh", "en"):
        whole = page(desk, case, f"?lang={language}")
        part = desk.client().get(f"/parts/cases/{case}?lang={language}").text
        assert part.strip() in whole
    english = re.sub(r"(?s)<header.*?</header>|<title>.*?</title>|<datalist.*?</datalist>", "", whole)
    assert not re.search("[\u4e00-\u9fff]", english)


def test_an_event_leads_to_its_case(desk: House) -> None:
    case = desk.office.cases.open_cases(desk.wall)[0]
    shown = desk.client().get(f"/alerts/{case.opened_by}").text
    assert f'href="/cases/{case.id}"' in shown


@pytest.mark.parametrize("verdict", [Verdict.DATA_FAULT, Verdict.PLANNED])
def test_what_was_no_true_case_waits_for_its_write_off(desk: House, verdict: Verdict) -> None:
    case = case_of(desk)
    walk(desk, case, CaseState.ACKNOWLEDGED)
    post(desk, case, "verify", verdict=str(verdict), note="仪器故障")
    assert next_act(desk.office.cases.case(case).case) is CaseAct.WRITE_OFF
    assert post(desk, case, "write_off", note="无需处置").status_code == 303
    assert "已销号；同一事由再次发生时自动重开" in page(desk, case)
