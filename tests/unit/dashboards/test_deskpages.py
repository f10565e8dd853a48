"""The desk page: one ordered queue."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alerts.cases.states import CaseState
from alerts.queue import Queue
from dashboards.texts import load_catalogue
from sensors.clock import HOUR_MS
from sensors.errors import StoreError
from tests.unit.dashboards.building import NASTY, SAME, T0, House, hour_of, house, over_limit, row, site


@pytest.fixture
def desk(home: House) -> House:
    home.settle()
    home.wall = T0 + HOUR_MS  # the journal's own clock stands at T0: an hour of two is left
    return home


def shown(home: House, path: str = "/desk") -> str:
    answer = home.client().get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def items(page: str) -> list[str]:
    return re.findall(r'<li id="item-([0-9a-z]+)"', page)


def test_the_first_line_counts_everything_that_waits(desk: House) -> None:
    page = shown(desk)
    counts = desk.office.queue.counts(desk.wall)
    assert f"{counts.raised} 件待签收" in page.split('id="first-line"')[1].split("</h1>")[0]
    assert len(items(page)) == counts.raised + counts.in_hand


def test_every_page_counts_as_the_desk_does(desk: House) -> None:
    """An incident of several alerts is one thing to be done, in the bar as in the first line."""
    desk.say(*hour_of("A", 1, aqi=120, NO2=230, SO2=600), *over_limit("B", 1))
    desk.settle()
    raised = desk.office.queue.counts(desk.wall).raised
    assert raised < len(desk.desk.open_events(limit=100))
    page = shown(desk)
    assert f'id="open-count" >{raised}<' in page
    assert f"<strong>{raised} 件待签收</strong>" in page.split('id="line-open"')[1]
    assert f'"open":{raised},' in page.split('id="state">')[1]
    case = desk.office.cases.open_cases(desk.wall)[0]
    desk.client().post("/desk/acknowledge", data={"item": f"case:{case.id}", "author": "张三"}, headers=SAME)
    assert f'id="open-count" >{raised - 1}<' in shown(desk)


def test_a_case_shows_what_is_worst_what_is_next_and_how_long_is_left(desk: House) -> None:
    page = shown(desk)
    case = desk.office.cases.open_cases(desk.wall)[0]
    ours = page.split(f'id="item-{case.id}"')[1].split("</li>")[0]
    assert "A站" in ours
    assert "剩 60 分钟" in ours
    assert f'value="case:{case.id}"' in ours
    assert "签收" in ours
    desk.wall += 2 * HOUR_MS
    page = shown(desk)
    assert "超期 60 分钟" in page.split(f'id="item-{case.id}"')[1].split("</li>")[0]
    assert "1 件超期" in page.split('id="first-line"')[1].split("</h1>")[0]


def test_an_acknowledgement_moves_the_case_and_its_events(desk: House) -> None:
    case = desk.office.cases.open_cases(desk.wall)[0]
    answer = desk.client().post("/desk/acknowledge", data={"item": f"case:{case.id}", "author": "张三"}, headers=SAME)
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
    file = desk.office.cases.case(case.id)
    assert (file.case.state, file.case.acknowledged_by) == (CaseState.ACKNOWLEDGED, "张三")
    assert file.events[0].alert.acknowledged is not None
    page = shown(desk)
    assert "核实</a>" in page.split(f'id="item-{case.id}"')[1].split("</li>")[0]


def test_several_are_acknowledged_at_once_and_what_somebody_has_keeps_his_name(desk: House) -> None:
    desk.say(*over_limit("B", 1))
    desk.settle()
    every = [f"case:{case.id}" for case in desk.office.cases.open_cases(desk.wall)]
    assert len(every) == 2
    client = desk.client()
    client.post("/desk/acknowledge", data={"item": every[:1], "author": "张三"}, headers=SAME)
    answer = client.post(
        "/desk/acknowledge", data={"item": [*every, "case:nothing", "x"], "author": "李四"}, headers=SAME
    )
    assert answer.status_code == 303
    assert {case.acknowledged_by for case in desk.office.cases.open_cases(desk.wall)} == {"张三", "李四"}


def test_an_event_without_a_case_is_acknowledged_from_the_same_queue(home: House) -> None:
    loose = [item for item in home.office.queue.items(home.wall) if item.case is None]
    assert loose
    chosen = [f"event:{item.alert.id}" for item in loose]
    home.client().post("/desk/acknowledge", data={"item": chosen, "author": "张三"}, headers=SAME)
    assert not [item for item in home.office.queue.items(home.wall) if item.raised]


def test_nobody_acknowledges_without_a_name(desk: House) -> None:
    case = desk.office.cases.open_cases(desk.wall)[0]
    answer = desk.client().post("/desk/acknowledge", data={"item": f"case:{case.id}"}, headers=SAME)
    assert answer.status_code == 422
    assert desk.office.cases.case(case.id).case.state is CaseState.RAISED


def test_a_change_from_another_page_is_refused(desk: House) -> None:
    case = desk.office.cases.open_cases(desk.wall)[0]
    for headers in ({}, {"origin": "http://evil.example"}):
        answer = desk.client().post(
            "/desk/acknowledge", data={"item": f"case:{case.id}", "author": "x"}, headers=headers
        )
        assert answer.status_code == 403


@pytest.mark.parametrize(
    ("query", "some"),
    [("priority=1", False), ("kind=air", True), ("kind=nothing", True), ("state=raised", True), ("state=urged", False),
     ("late=1", False), ("site=A", True), ("site=nowhere", True), ("priority=7", True)],
)  # fmt: skip
def test_the_queue_is_narrowed_by_its_address_and_nonsense_narrows_nothing(desk: House, query: str, some: bool) -> None:  # noqa: FBT001
    page = shown(desk, f"/desk?{query}")
    assert bool(items(page)) is some
    if not some:
        assert load_catalogue("zh").text("desk.narrowed_nothing") in page


def test_the_part_is_the_same_markup_as_its_page(desk: House) -> None:
    page, part = shown(desk), shown(desk, "/parts/desk")
    assert part.strip() in page


def test_names_from_outside_are_text(tmp_path: Path) -> None:
    with house(tmp_path, site("A", name_zh=NASTY, name_en=NASTY)) as made:
        made.say(*over_limit("A", 1))
        made.tick()
        made.settle()
        page = shown(made)
        assert NASTY not in page
        assert "&lt;script&gt;alert(1)" in page


def test_the_desk_is_spoken_in_english(desk: House) -> None:
    page = shown(desk, "/desk?lang=en")
    assert "to acknowledge" in page
    assert not re.search("[\u4e00-\u9fff]", re.sub(r"(?s)<header.*?</header>|<title>.*?</title>", "", page))


def test_when_the_desk_is_away_the_last_queue_stands_and_says_so(desk: House, monkeypatch: pytest.MonkeyPatch) -> None:
    client = desk.client()
    before = items(client.get("/desk").text)

    def away(*_: object, **__: object) -> None:
        raise StoreError("away")

    monkeypatch.setattr(Queue, "items", away)
    desk.wall += 90_000
    page = client.get("/desk").text
    assert items(page) == before != []
    assert "告警库读不到" in page
    never = client.get("/desk?priority=1").text
    assert load_catalogue("zh").text("desk.narrowed_nothing") not in never, "what was never read is not empty"


def test_the_late_ones_outlive_the_desk_too(desk: House, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.wall += 2 * HOUR_MS
    client = desk.client()
    before = items(client.get("/desk?late=1").text)

    def away(*_: object, **__: object) -> None:
        raise StoreError("away")

    monkeypatch.setattr(Queue, "items", away)
    desk.wall += 90_000
    assert items(client.get("/desk?late=1").text) == before != []


def test_a_silent_site_waits_in_the_queue_too(desk: House) -> None:
    desk.say(row("AQI", None, 1, site="B", reason="silent"))
    desk.settle()
    assert "无数据（离线）" in shown(desk)


def test_a_synthetic_region_is_marked(desk: House) -> None:
    assert 'class="synthetic"' in shown(desk)


def test_without_an_office_there_is_no_desk_and_alerts_are_shown_as_before(tmp_path: Path) -> None:
    with house(tmp_path) as made:
        made.office = None  # type: ignore[assignment]
        made.app = made.open_console()
        client = made.client()
        assert client.get("/desk").status_code == 404
        assert 'href="/alerts"' in client.get("/").text
