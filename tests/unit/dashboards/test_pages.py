from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.flags import Mark
from tests.unit.dashboards.building import NASTY, SAME, T0, House, hour_of, house, over_limit, row, site

ALL = ("/", "/stations/A", "/stations/B", "/stations/A?w=day", "/stations/A?w=8h", "/stations/A?w=24h", "/alerts",
       "/alerts?tab=acknowledged", "/alerts?tab=closed", "/alerts?tab=backfilled", "/nowhere")  # fmt: skip


class Page(HTMLParser):
    """The tags of a page, and whether each is closed again."""

    VOID = frozenset({"meta", "link", "input", "br", "hr", "img"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.faults: list[str] = []
        self.text = ""
        self.feed(text)
        assert self.open == []
        assert self.faults == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser's
        self.ids += [value for name, value in attrs if name == "id" and value]

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def event_of(home: House, kind: str = "limit") -> str:
    found: str = next(alert.id for alert in home.desk.inner.open_events() if alert.event.kind == kind)
    return found


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("path", ALL)
def test_every_page_is_whole_and_names_no_id_twice(home: House, path: str, language: str) -> None:
    answer = home.client().get(path, params={"lang": language} | dict(re.findall(r"[?&](\w+)=(\w+)", path)))
    page = Page(answer.text)
    assert len(page.ids) == len(set(page.ids))
    assert answer.headers["content-language"] == language
    assert f'<html lang="{"zh-CN" if language == "zh" else "en"}"' in answer.text


@pytest.mark.parametrize("path", ALL)
def test_a_synthetic_region_says_so_on_every_page(home: House, path: str) -> None:
    assert "模拟数据" in home.client().get(path).text


def test_a_real_region_does_not(tmp_path: Path) -> None:
    with house(tmp_path, site("A", synthetic=False), synthetic=False) as made:
        made.say(*hour_of("A", 0))
        assert "模拟" not in made.client().get("/").text


def test_the_first_line_says_how_many_came_who_is_missing_and_how_many_are_over(home: House) -> None:
    first = re.search(r'<h1 id="first-line">(.*?)</h1>', home.client().get("/").text, re.DOTALL)
    assert first
    assert "".join(Page(first[1]).text.split()) == "本小时1/2，缺：B站；1站超标；1站轻度污染及以上"


def test_many_missing_sites_are_counted_behind_the_first_few(tmp_path: Path) -> None:
    with house(tmp_path, *(site(f"S{n:02d}") for n in range(12))) as made:
        made.say(*hour_of("S00", 1))
        text = made.client().get("/?lang=en").text
        assert "1/12" in text
        assert "and 5 more" in text


def test_the_map_and_the_list_hold_every_site_and_each_state_has_its_look(tmp_path: Path) -> None:
    with house(tmp_path, site("A"), site("B"), site("C"), site("D")) as made:
        made.say(*hour_of("A", 0, aqi=40), *hour_of("D", 0)[:-1], row("AQI", 60, 0, site="D"))
        made.say(row("O3", 90, 0, site="D", flags=int(Mark.SUSPECT), revision=2))
        made.say(
            row("O3", 90, 0, site="B"), row("NO2", None, 0, site="B", reason="invalid"), row("AQI", None, 0, site="B")
        )
        text = made.client().get("/").text
        for name, look in {"A": "lv1", "B": "na", "C": "off", "D": "lv2 suspect"}.items():
            mark = re.search(rf'<a id="mark-{name}".*?</a>', text, re.DOTALL)
            assert mark
            assert f'<circle class="{look}"' in mark[0]
            assert f'id="row-{name}"' in text


@pytest.mark.parametrize("name", [NASTY, '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "x" * 400, "站" * 400])
def test_a_name_from_outside_is_only_text(tmp_path: Path, name: str) -> None:
    with house(tmp_path, site("A", name_zh=name, name_en=name, township=name)) as made:
        made.say(*over_limit("A", 0))
        made.say(row("SO2", None, 0, reason="invalid", detail=name, revision=2))
        client = made.client()
        for path in ("/", "/stations/A", "/alerts", f"/alerts/{event_of(made)}", "/parts/ribbon"):
            text = client.get(path).text
            Page(text)
            assert "<script>alert" not in text
            assert "<img" not in text
            assert "49" not in name or name in text


def test_a_detail_of_a_result_is_only_text_in_table_and_data(home: House) -> None:
    home.say(row("SO2", None, 1, reason="invalid", detail=NASTY, revision=2))
    text = home.client().get("/stations/A").text
    Page(text)
    assert "<script>alert" not in text
    data = json.loads(re.search(r'id="station-data">(.*?)</script>', text, re.DOTALL)[1])  # type: ignore[index]
    (so2,) = (panel for panel in data["panels"] if panel["factor"] == "SO2")
    assert so2["points"][-1]["detail"] == NASTY


@pytest.mark.parametrize(
    "path", ["/stations/Z", "/stations/%3Cscript%3E", "/stations/..%2f..%2fetc", "/alerts/zzz", "/alerts/%00", "/x"]
)
def test_what_is_not_there_is_a_page_that_leads_back(home: House, path: str) -> None:
    answer = home.client().get(path)
    assert answer.status_code == 404
    assert 'href="/"' in answer.text
    assert "<script>" not in answer.text


def test_a_station_page_has_charts_a_strip_and_a_table_with_reasons(home: House) -> None:
    home.say(row("CO", None, 1, reason="calibrating", flags=int(Mark.CALIBRATION), revision=2))
    text = home.client().get("/stations/A").text
    assert text.count('class="chart"') == 6
    assert text.count("<li ") == 48
    assert "校准" in text
    assert "小时结束" in text
    assert 'title="校准期间，有效数据不足' in text


def test_a_range_that_cannot_be_read_shows_the_usual_one_and_says_so(home: House) -> None:
    text = home.client().get("/stations/A?from=yesterday").text
    assert "时间范围读不懂" in text
    assert 'class="chart"' in text


def test_a_range_in_the_address_is_kept_in_its_part(home: House) -> None:
    text = home.client().get("/stations/A?w=day&from=2026-11-01&to=2026-11-20").text
    assert 'hx-get="/parts/stations/A?w=day&amp;from=2026-11-01&amp;to=2026-11-20"' in text


def test_a_part_is_the_markup_that_its_page_holds(home: House) -> None:
    client = home.client()
    for path in ("overview", "stations/A", "alerts", f"alerts/{event_of(home)}"):
        whole = client.get("/" if path == "overview" else f"/{path}").text
        assert client.get(f"/parts/{path}").text.strip() in whole


def test_a_limit_alert_says_why_with_rule_clause_edition_inputs_and_steps(home: House) -> None:
    text = home.client().get(f"/alerts/{event_of(home)}").text
    for told in ("230 µg/m³", "limit-1h", "GB 3095-2026", "GB3095-2026-1", "0000000000000007", "触发", "系统", "60/60"):
        assert told in text


def test_the_desk_is_worked_without_scripts(home: House) -> None:
    client, event = home.client(), event_of(home)
    unsigned = client.post(f"/alerts/{event}/acknowledge", data={}, headers=SAME)
    assert unsigned.status_code == 422
    signed = client.post(f"/alerts/{event}/acknowledge", data={"author": " 张三 "}, headers=SAME)
    assert (signed.status_code, signed.headers["location"]) == (303, f"/alerts/{event}")
    assert "张三" in client.get(f"/alerts/{event}").text
    again = client.post(f"/alerts/{event}/acknowledge", data={"author": "李四"}, headers=SAME)
    assert again.status_code == 303
    assert home.desk.inner.event(event).acknowledged.author == "张三"
    assert client.post(f"/alerts/{event}/close", data={"note": " "}, headers=SAME).status_code == 422
    assert client.post(f"/alerts/{event}/close", data={"note": NASTY}, headers=SAME).status_code == 303
    text = client.get("/alerts?tab=closed").text
    assert event in text
    assert "<script>alert" not in client.get(f"/alerts/{event}").text


def test_an_acknowledgement_stands_in_its_own_list_at_once(home: House) -> None:
    client, event = home.client(), event_of(home)
    client.post(f"/alerts/{event}/acknowledge", data={"author": "张三"}, headers=SAME)
    assert f"event-{event}" not in client.get("/alerts").text
    assert f"event-{event}" in client.get("/alerts?tab=acknowledged").text


def test_backfilled_alerts_stand_apart_and_count_for_nothing_now(tmp_path: Path) -> None:
    with house(tmp_path) as made:
        late = T0 + 48 * HOUR_MS
        made.say(*(one | {"at": late} for one in over_limit("A", 0)))
        client = made.client()
        assert made.watch.snapshot.alerts.counts["open"] == 0
        assert "queue" not in client.get("/alerts").text.split("<main")[1]
        assert 'id="queue"' in client.get("/alerts?tab=backfilled").text
        assert "补录" in client.get("/alerts?tab=backfilled").text


def test_when_the_store_is_away_the_pages_keep_their_picture_and_say_how_old_it_is(home: House) -> None:
    client = home.client()
    before = client.get("/stations/A").text
    home.store.away = True
    home.wall += 5 * MINUTE_MS
    home.look()
    overview, station, never = client.get("/"), client.get("/stations/A"), client.get("/stations/B")
    assert [answer.status_code for answer in (overview, station, never)] == [200, 200, 200]
    assert "结果库读不到：以下为 5 分钟前的画面" in overview.text
    assert "1/2" in overview.text
    assert station.text.count('class="chart"') == before.count('class="chart"') == 6
    assert "恢复后自动显示" in never.text


def test_a_store_that_never_answered_is_no_fault(tmp_path: Path) -> None:
    with house(tmp_path) as made:
        made.store.away = made.desk.away = True
        client = made.client()
        for path in ("/", "/stations/A", "/alerts", "/alerts/abc"):
            answer = client.get(path)
            assert answer.status_code == 200
            assert "还读不到" in answer.text


def test_when_the_desk_is_away_the_list_stays_and_an_act_says_that_nothing_was_noted(home: House) -> None:
    client, event = home.client(), event_of(home)
    client.get("/alerts")
    home.desk.away = True
    home.wall += 3 * MINUTE_MS
    home.look()
    text = client.get("/alerts").text
    assert event in text
    assert "告警列表停在 3 分钟前" in text
    refused = client.post(f"/alerts/{event}/acknowledge", data={"author": "a"}, headers=SAME)
    assert refused.status_code == 503
    assert "签收没有记下" in refused.text


def test_a_pipeline_that_stands_still_is_called_silent_and_its_age_grows(home: House) -> None:
    client = home.client()
    assert "静默" not in client.get("/").text
    home.wall += 10 * MINUTE_MS
    home.look()
    text = client.get("/").text
    assert "数据流已静默 10 分钟" in text
    assert "1/2" in text


def test_an_empty_region_says_what_to_do(tmp_path: Path) -> None:
    with house(tmp_path) as made:
        text = made.client().get("/").text
        assert "尚未收到任何数据" in text
        assert "尚无小时数据" in text


def test_choices_are_remembered_in_cookies(home: House) -> None:
    client = home.client()
    client.get("/?lang=en&theme=dark&palette=safe")
    text = client.get("/").text
    assert '<html lang="en" data-theme="dark" data-palette="safe">' in text


def test_three_hundred_sites_are_one_page(tmp_path: Path) -> None:
    sites = [site(f"S{n:03d}", lon=120 + n % 20 / 20, lat=30 + n // 20 / 20) for n in range(300)]
    with house(tmp_path, *sites) as made:
        made.say(*(one for made_site in sites for one in hour_of(made_site.id, 0)))
        text = made.client().get("/").text
        assert text.count('class="mark"') == 300
        assert "300/300" in text
