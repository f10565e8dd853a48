"""Silences and shift handovers on the console."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from httpx import Response

from alerts.handover import tables as ht
from alerts.people import Department, Duty, People, Person, Role, Scope, Tier
from alerts.rotas import Change, Rota, Shift
from sensors.clock import HOUR_MS, day_of
from tests.unit.dashboards.building import NASTY, SAME, T0, House, hour_of, house, over_limit, row


def person(name: str) -> Person:
    return Person(
        id=name,
        name_zh=f"{name}某",
        name_en=name,
        department="d",
        tier=Tier.CITY,
        addresses={"desk": name},
        language="zh",
    )


PEOPLE = People(
    departments={"d": Department(id="d", branch="ecology", name_zh="监测中心", name_en="Centre")},  # type: ignore[arg-type]
    persons={name: person(name) for name in ("甲", "乙")},
    rotas={
        "r": Rota(
            id="值班", order=("甲", "乙"), shifts=(Shift(start=0, end=720), Shift(start=720, end=0)),
            change=Change.SHIFT, first_day=day_of(T0),
        )
    },
    duties=(Duty(role=Role.DUTY, scope=Scope(), rota="r"),),
)  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path, people=PEOPLE) as made:
        made.say(*hour_of("A", 0), *over_limit("A", 1), row("AQI", None, 1, site="B", reason="silent"))
        made.tick()
        made.settle()
        made.wall = T0 + HOUR_MS
        yield made


def post(home: House, path: str, **fields: Any) -> Response:
    return home.client().post(path, data={"author": "张三", **fields}, headers=SAME)


def get(home: House, path: str) -> str:
    answer = home.client().get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.split("<main")[1].split("</main>", maxsplit=1)[0]))


# --- silences -----------------------------------------------------------------------------------------------


def test_a_silence_is_set_with_author_reason_and_end(desk: House) -> None:
    assert "没有进行中的静默" in get(desk, "/silences")
    done = post(desk, "/silences", matchers='site="A"\nfactor=~"NO.*"', reason="换滤膜", hours="4")
    assert (done.status_code, done.headers["location"]) == (303, "/silences")
    (held,) = desk.office.silences.silences(desk.wall)
    assert [str(one) for one in held.matchers] == ['site="A"', 'factor=~"NO.*"']
    assert (held.author, held.reason, held.ends_at) == ("张三", "换滤膜", desk.wall + 4 * HOUR_MS)
    shown = words(get(desk, "/silences"))
    assert "进行中" in shown
    assert "换滤膜" in shown
    assert "剩 4 小时" in shown


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"matchers": "nonsense", "reason": "x", "hours": "1"}, "“nonsense”不能用作匹配条件"),
        ({"matchers": 'colour="red"', "reason": "x", "hours": "1"}, "“colour=&#34;red&#34;”不能用作匹配条件"),
        ({"matchers": "", "reason": "x", "hours": "1"}, "否则会静默全部"),
        ({"matchers": 'priority="1"', "reason": "x", "hours": "1"}, "紧急（1 级）告警从不静默"),
        ({"matchers": 'site="A"', "reason": "", "hours": "1"}, "请填写姓名和原因"),
        ({"matchers": 'site="A"', "reason": "x", "hours": "x"}, "最长 90 天"),
        ({"matchers": 'site="A"', "reason": "x", "hours": "9999"}, "最长 90 天"),
        ({"matchers": 'site="A"', "reason": "x", "hours": "1", "author": ""}, "请填写姓名和原因"),
    ],
)
def test_what_is_wrong_with_a_silence_is_said_and_nothing_is_muted(
    desk: House, fields: dict[str, str], told: str
) -> None:
    done = post(desk, "/silences", **fields)
    assert done.status_code == 422
    assert told in done.text.split('id="lack">')[1].split("</p>")[0]
    assert desk.office.silences.silences(desk.wall) == ()


def test_what_is_wrong_with_a_silence_is_said_in_the_language_of_the_page(desk: House) -> None:
    wrong = {"matchers": 'site=~"(a+)+"', "reason": "x", "hours": "1"}
    for language, told in (("zh", "正则中的重复最多三处"), ("en", "at most three repeats")):
        lack = post(desk, f"/silences?lang={language}", **wrong).text.split('id="lack">')[1].split("</p>")[0]
        assert told in lack
        assert bool(re.search("[\u4e00-\u9fff]", lack)) is (language == "zh")
        assert "site=~&#34;(a+)+&#34;" in lack


def test_a_silence_ends_early_by_name_and_reason_and_stays_on_the_list(desk: House) -> None:
    post(desk, "/silences", matchers='site="A"', reason="换滤膜", hours="4")
    (held,) = desk.office.silences.silences(desk.wall)
    assert post(desk, f"/silences/{held.id}/expire", why="", author="李四").status_code == 422
    assert post(desk, f"/silences/{held.id}/expire", why="已换完", author="李四").status_code == 303
    assert desk.office.silences.silences(desk.wall + 1) == ()
    shown = words(get(desk, "/silences"))
    assert "由 李四 提前结束：已换完" in shown
    assert post(desk, f"/silences/{held.id}/expire", why="又", author="李四").status_code == 422
    assert post(desk, "/silences/nothing/expire", why="x").status_code == 422


def test_the_form_of_a_silence_begins_with_the_site_that_it_was_asked_for(desk: House) -> None:
    assert "site=&#34;A&#34;" in get(desk, "/silences?site=A")
    assert NASTY not in get(desk, f"/silences?site={NASTY}")


# --- handover -----------------------------------------------------------------------------------------------


def test_the_draft_says_who_is_on_duty_what_is_open_and_what_is_silent(desk: House) -> None:
    post(desk, "/silences", matchers='site="A"', reason="换滤膜", hours="4")
    shown = words(get(desk, "/handover"))
    assert "甲某 监测中心" in shown
    assert "下一班 乙某" in shown
    assert "A站 NO2 1小时超标" in shown
    assert re.search("无数据站点 1 B站", shown)
    assert "换滤膜 · 张三" in shown
    assert "还没有交接班记录" in shown


def test_a_handover_is_frozen_signed_by_both_and_read_for_ever(desk: House) -> None:
    given = post(desk, "/handover", notes="夜里盯住 A 站", author="甲某")
    address = given.headers["location"]
    assert re.fullmatch("/handover/[0-9]+", address)
    assert "等待接班签字" in get(desk, "/handover")
    before = words(get(desk, address))
    for word in ("甲某", "夜里盯住 A 站", "A站 NO2 1小时超标", "封存完好"):
        assert word in before
    taken = post(desk, f"{address}/take", author="乙某", remark="B 站已恢复")
    assert taken.status_code == 303
    desk.say(*over_limit("B", 1))
    desk.wall += 10 * HOUR_MS
    after = words(get(desk, address))
    assert "乙某" in after
    assert "B 站已恢复" in after
    assert "B站 NO2 1小时超标" not in after, "what came later is not part of what was signed"
    assert "等待接班签字" not in get(desk, "/handover")
    assert f'href="{address}"' in get(desk, "/handover")


@pytest.mark.parametrize(
    ("author", "status", "told"), [("甲某", 409, "不能是同一人"), ("", 422, "姓名"), ("乙某", 303, "")]
)
def test_who_goes_does_not_take_over_from_himself(desk: House, author: str, status: int, told: str) -> None:
    address = post(desk, "/handover", author="甲某").headers["location"]
    done = post(desk, f"{address}/take", author=author)
    assert done.status_code == status
    assert told in done.text


def test_a_signed_handover_cannot_be_changed_nor_signed_again(desk: House) -> None:
    address = post(desk, "/handover", notes="一", author="甲某").headers["location"]
    post(desk, f"{address}/take", author="乙某")
    again = post(desk, f"{address}/take", author="丙某", remark="改写")
    assert again.status_code == 409
    assert "已经有人接班签字" in again.text
    assert "改写" not in words(get(desk, address))
    with desk.journal.writing() as turn:
        turn.connection.execute(sa.update(ht.signature).where(ht.signature.c.side == "taking").values(author="丙某"))
    assert "与签字时不一致" in get(desk, address)
    assert "与签字时不一致" in get(desk, "/handover")


def test_a_newer_handover_stands_in_place_of_one_that_nobody_took(desk: House) -> None:
    first = post(desk, "/handover", notes="一", author="甲某").headers["location"]
    second = post(desk, "/handover", notes="二", author="甲某").headers["location"]
    assert "已被后来的记录替代" in get(desk, first)
    assert post(desk, f"{first}/take", author="乙某").status_code == 409
    assert post(desk, f"{second}/take", author="乙某").status_code == 303


def test_notes_are_text(desk: House) -> None:
    address = post(desk, "/handover", notes=NASTY, author="甲某").headers["location"]
    post(desk, f"{address}/take", author="乙某", remark=NASTY)
    shown = get(desk, address)
    assert NASTY not in shown
    assert shown.count("&lt;script&gt;alert(1)") == 2


@pytest.mark.parametrize("path", ["/handover/7", "/handover/x", "/handover/99999999999999999999", "/handover/-1"])
def test_a_handover_that_does_not_exist_is_said(desk: House, path: str) -> None:
    assert desk.client().get(path).status_code == 404
    assert post(desk, f"{path}/take").status_code == 404


def test_nothing_is_signed_from_elsewhere_or_without_a_name(desk: House) -> None:
    assert desk.client().post("/handover", data={"author": "x"}).status_code == 403
    assert desk.client().post("/silences", data={"author": "x"}).status_code == 403
    assert desk.client().post("/handover", data={"author": " "}, headers=SAME).status_code == 422
    assert desk.office.book.newest() is None


@pytest.mark.parametrize("path", ["/silences", "/handover"])
def test_the_pages_are_spoken_in_english(desk: House, path: str) -> None:
    english = re.sub("[甲乙]某?|监测中心|值班", "", words(get(desk, f"{path}?lang=en")))
    assert not re.search("[\u4e00-\u9fff]", english)


def test_a_token_guards_every_page_of_the_desk(tmp_path: Path) -> None:
    with house(tmp_path, token="a-token-of-16-letters") as made:
        client = made.client()
        for path in ("/desk", "/silences", "/handover", "/cases/x", "/handover/1"):
            assert client.get(path).status_code == 401
        assert client.post("/handover", data={"author": "x"}, headers=SAME).status_code == 401
