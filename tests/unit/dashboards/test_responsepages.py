"""Warning responses on the console: 启动 → 响应 → 解除."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from httpx import Response

from alerts.cases.responsedesk import ResponseDesk
from alerts.cases.responses import Purpose, ResponseState
from sensors.clock import HOUR_MS, MINUTE_MS
from tests.unit.dashboards.building import NASTY, SAME, T0, House, house

START = {
    "response_kind": "warning", "purpose": "real", "level": "2", "areas": "area:park-1\nother:邻区",
    "note": "下风向超标",
}  # fmt: skip


@pytest.fixture
def desk(home: House) -> House:
    home.settle()
    home.wall = T0 + HOUR_MS
    return home


def post(home: House, path: str, **fields: Any) -> Response:
    return home.client().post(path, data={"author": "张三"} | fields, headers=SAME)


def started(home: House, **fields: Any) -> str:
    assert post(home, "/responses", **(START | fields)).status_code == 303
    made: str = responses(home)[0].id
    return made


def responses(home: House) -> Any:
    return ResponseDesk(home.journal, home.office.policy).responses()


def page(home: House, query: str = "") -> str:
    answer = home.client().get(f"/responses{query}")
    assert answer.status_code == 200, answer.text
    return answer.text


def test_a_response_is_started_answered_and_lifted_and_each_act_is_signed(desk: House) -> None:
    assert "没有进行中的响应" in page(desk)
    one = started(desk)
    shown = page(desk)
    for told in ("已启动", "尚未响应", "邻区", "张三", "下风向超标"):
        assert told in shown
    desk.wall += 5 * MINUTE_MS
    assert post(desk, f"/responses/{one}", act="respond", party="other:甲厂", author="李四").status_code == 303
    shown = page(desk)
    assert "响应中" in shown
    assert "李四" in shown
    assert "甲厂" in shown
    assert "(5 分钟)" in shown
    assert post(desk, f"/responses/{one}", act="lift", note="连续两小时达标").status_code == 303
    (response,) = responses(desk)
    assert (response.state, response.lifted_by) == (ResponseState.LIFTED, "张三")
    shown = page(desk)
    assert "连续两小时达标" in shown
    assert 'name="act" value="lift"' not in shown, "one that is lifted takes notes alone"
    assert 'name="act" value="note"' in shown


def test_a_response_to_a_case_stands_in_its_file(desk: House) -> None:
    case = desk.office.cases.open_cases(desk.wall)[0].id
    assert f'name="case" value="{case}"' in page(desk, f"?case={case}")
    one = started(desk, case=case)
    file = desk.client().get(f"/cases/{case}").text
    assert f'href="/responses?case={case}#response-{one}"' in file
    assert "已启动" in file
    started(desk, response_kind="emergency")
    assert page(desk, f"?case={case}").count('id="response-') == 1
    assert page(desk).count('id="response-') == 2


def test_a_drill_is_marked(desk: House) -> None:
    started(desk, purpose="drill")
    assert responses(desk)[0].purpose is Purpose.DRILL
    assert '<span class="synthetic">演练</span>' in page(desk)


@pytest.mark.parametrize(
    "wrong", [{"note": ""}, {"areas": ""}, {"level": "9"}, {"author": ""}, {"areas": "x" * 300}],
)  # fmt: skip
def test_a_start_that_lacks_something_says_so_and_starts_nothing(desk: House, wrong: dict[str, str]) -> None:
    answer = post(desk, "/responses", **(START | wrong))
    assert answer.status_code == 422
    assert re.search("[\u4e00-\u9fff]", answer.text.split('id="lack">')[1].split("</p>")[0])
    assert responses(desk) == ()


def test_what_its_state_does_not_allow_is_refused_with_the_reason(desk: House) -> None:
    one = started(desk)
    assert post(desk, f"/responses/{one}", act="adjust", level="2", note="x").status_code == 422
    assert post(desk, f"/responses/{one}", act="adjust", level="1", note="加重").status_code == 303
    assert responses(desk)[0].level == 1
    post(desk, f"/responses/{one}", act="lift", note="结束")
    again = post(desk, f"/responses/{one}", act="respond")
    assert again.status_code == 422
    assert "已解除" in again.text.split('id="lack">')[1].split("</p>")[0]


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/responses/nothing", {"act": "lift", "note": "x"}),
        ("/responses/nothing", {"act": "start"}),
        ("/responses", START | {"response_kind": "x"}),
        ("/responses", START | {"purpose": "x"}),
        ("/responses", START | {"case": "nothing"}),
    ],
)
def test_what_does_not_exist_is_not_found(desk: House, path: str, fields: dict[str, str]) -> None:
    assert post(desk, path, **fields).status_code == 404
    assert responses(desk) == ()


def test_what_people_write_is_text(desk: House) -> None:
    started(desk, note=NASTY, areas=f"other:{NASTY[:40]}", author=NASTY[:30])
    shown = page(desk)
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(1)" in shown


def test_nothing_is_done_from_elsewhere(desk: House) -> None:
    assert desk.client().post("/responses", data=START | {"author": "x"}).status_code == 403
    assert responses(desk) == ()


def test_nothing_is_shown_or_done_without_the_token(tmp_path: Path) -> None:
    with house(tmp_path, token="a-token-of-16-letters") as made:
        assert made.client().get("/responses").status_code == 401
        assert made.client().post("/responses", data=START, headers=SAME).status_code == 401


def test_the_page_is_spoken_in_english(desk: House) -> None:
    started(desk, note="wind", areas="other:next")
    english = re.sub(r"(?s)<header.*?</header>|<title>.*?</title>|<datalist.*?</datalist>", "", page(desk, "?lang=en"))
    said = re.findall("[\u4e00-\u9fff]+", english.replace("张三", ""))
    assert not said, said
