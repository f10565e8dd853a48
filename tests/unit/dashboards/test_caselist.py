"""The list of cases, those that were written off among them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alerts.cases.life import Ask
from alerts.cases.record import Case
from alerts.cases.states import CaseAct, Verdict
from dashboards import caselist
from dashboards.texts import load_catalogue
from sensors.clock import HOUR_MS
from tests.unit.dashboards.building import NASTY, T0, House, house, over_limit, site


@pytest.fixture
def desk(home: House) -> House:
    """Return a desk with one case open (B) and one written off (A)."""
    home.settle()
    home.say(*over_limit("B", 1))
    home.settle()
    home.wall = T0 + HOUR_MS
    of_a = next(case.id for case in home.office.cases.cases().cases if case.site == "A")
    for act, more in (
        (CaseAct.ACKNOWLEDGE, {}),
        (CaseAct.VERIFY, {"verdict": Verdict.DATA_FAULT}),
        (CaseAct.WRITE_OFF, {}),
    ):
        ask = Ask(act=act, author="张三", at=home.wall, note="仪器故障", **more)  # type: ignore[arg-type]
        home.office.cases.act(of_a, ask)
    return home


def listed(home: House, query: str = "") -> list[str]:
    """Return the sites of the cases that a list shows, in its order."""
    answer = home.client().get(f"/cases{query}")
    assert answer.status_code == 200, answer.text
    shown = re.findall(r'<tr id="case-([0-9a-z]+)"', answer.text)
    sites = {case.id: case.site for case in home.office.cases.cases().cases}
    return [sites[one] for one in shown]


@pytest.mark.parametrize(
    ("query", "sites"),
    [
        ("", ["B"]), ("?shelf=open", ["B"]), ("?shelf=written_off", ["A"]), ("?shelf=all", ["B", "A"]),
        ("?shelf=all&site=A", ["A"]), ("?shelf=all&site=nowhere", ["B", "A"]), ("?shelf=nothing&cursor=x", ["B"]),
        ("?shelf=all&cursor=1", []), (f"?shelf=all&cursor={'9' * 30}", ["B", "A"]),
    ],
)  # fmt: skip
def test_cases_are_listed_newest_first_and_nonsense_narrows_nothing(desk: House, query: str, sites: list[str]) -> None:
    assert listed(desk, query) == sites


def test_a_case_is_told_by_its_place_state_verdict_and_deadline(desk: House) -> None:
    page = desk.client().get("/cases?shelf=all").text
    closed, opened = (page.split(f'<tr id="case-{case.id}"')[1].split("</tr>")[0] for case in by_site(desk))
    assert "A站" in closed
    assert "已销号" in closed
    assert load_catalogue("zh").text("verdict.data_fault") in closed
    assert "剩" not in closed, "what was written off has no deadline"
    assert "待签收" in opened
    assert "剩 60 分钟" in opened


def by_site(home: House) -> list[Case]:
    return sorted(home.office.cases.cases().cases, key=lambda case: case.site)


def test_older_cases_are_one_link_away(desk: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caselist, "SHOWN", 1)
    page = desk.client().get("/cases?shelf=all").text
    (link,) = re.findall(r'href="/cases(\?shelf=all&cursor=[0-9]+)"', page)
    assert listed(desk, "?shelf=all") == ["B"]
    assert listed(desk, link) == ["A"]


def test_the_list_leads_on_and_the_tabs_lead_to_it(desk: House) -> None:
    page = desk.client().get("/cases?shelf=written_off").text
    case = next(case.id for case in desk.office.cases.cases().cases if case.site == "A")
    assert f'href="/cases/{case}"' in page
    assert '<a href="/cases" aria-current="page">案卷</a>' in page
    assert 'href="/cases"' in desk.client().get(f"/cases/{case}").text


def test_the_list_is_spoken_in_english(desk: House) -> None:
    page = desk.client().get("/cases?shelf=all&lang=en").text
    assert "Written off" in page
    assert not re.search("[\u4e00-\u9fff]", re.sub(r"(?s)<header.*?</header>|<title>.*?</title>", "", page))


def test_names_from_outside_are_text(tmp_path: Path) -> None:
    with house(tmp_path, site("A", name_zh=NASTY, name_en=NASTY)) as made:
        made.say(*over_limit("A", 1))
        made.settle()
        page = made.client().get("/cases?site=A").text
        assert NASTY not in page
        assert "&lt;script&gt;alert(1)" in page


def test_the_list_is_guarded(tmp_path: Path) -> None:
    with house(tmp_path, token="a-token-of-16-letters") as made:
        assert made.client().get("/cases").status_code == 401
