from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from dashboards.app import create_console
from sensors.clock import DAY_MS, HOUR_MS
from sensors.kinds import parse_kind
from sensors.yamlfile import parse_yaml
from streams.standards import load_standards
from tests.unit.alerts.building import day_ms
from tests.unit.dashboards.building import NASTY, T0, House, area, hour_of, house, plain, registry, section, site

CLOCK = T0 + 4 * HOUR_MS + 20 * 60_000
AREAS = (area("top", "city"), area("mid", "county", "top"))


@pytest.fixture
def water(tmp_path: Path) -> Iterator[House]:
    with house(
        tmp_path,
        site("A", areas=("mid", "top")),
        section("W", areas=("mid", "top")),
        section("N", name_zh=NASTY),
        areas=AREAS,
    ) as made:
        made.wall = CLOCK
        made.say(*hour_of("A", 3))
        made.say(
            plain("W", "NH3-N", 12000, "4h", T0, digits=4),
            plain("W", "class", 4, "4h", T0, digits=0, level=4, primary="NH3-N"),
            plain("W", "over_target", 1, "4h", T0, digits=0, level=4, primary="NH3-N"),
            kind="water",
        )
        made.tick(CLOCK, "air")
        made.tick(CLOCK, "water")
        yield made


def test_every_kind_has_a_line_that_says_how_many_came_and_which_are_missing(water: House) -> None:
    page = water.client().get("/").text
    line = page.split('id="glance-water"')[1].split("</li>")[0]
    assert "1/2" in line
    assert "1 处劣于目标" in line
    assert 'href="/sites/N"' in line
    assert "2026-11-21 00:00–04:00" in line


def test_a_section_stands_with_class_items_and_target(water: House) -> None:
    row = water.client().get("/").text.split('id="spot-W"')[1].split("</tr>")[0]
    assert "wq4" in row
    assert "Ⅳ" in row
    assert "劣于目标" in row
    assert "1.200" in row


def test_the_page_of_a_section_shows_its_strip_its_target_and_that_all_is_provisional(water: House) -> None:
    page = water.client().get("/sites/W?from=2026-11-21&to=2026-11-21").text
    assert 'class="cell wq4"' in page
    assert "目标" in page
    assert "仍可被迟到数据修订" in page
    assert '"value":"1.200"' in page
    assert "模拟数据" in page


def test_the_page_of_an_air_station_stays_where_it_was(water: House) -> None:
    answer = water.client().get("/sites/A")
    assert (answer.status_code, answer.headers["location"]) == (303, "/stations/A")


@pytest.mark.parametrize("path", ["/sites/none", "/areas/none", "/sites/%00", "/areas/<script>"])
def test_what_is_not_registered_is_not_found(water: House, path: str) -> None:
    assert water.client().get(path).status_code == 404


@pytest.mark.parametrize("path", ["/", "/sites/N", "/sites/W?w=year", "/sites/W?w=nonsense&from=x", "/areas/mid"])
def test_no_name_becomes_markup(water: House, path: str) -> None:
    answer = water.client().get(path)
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text


def test_an_area_says_how_many_counted_and_how_targets_stand(water: House) -> None:
    year = day_ms(date(2026, 1, 1))
    water.say(
        plain("mid", "good_share", 9500, "year", year, valid=300, expected=324, flags=1024),
        plain("mid", "PM2.5.target", -150, "year", year, detail="missed;regression", level=0, edition="plan"),
        plain("mid", "O3.target", None, "year", year, detail="unset", reason="unset", edition="plan"),
        plain("mid", "SO2", None, "year", year, reason="incomplete", valid=3, expected=324),
    )
    page = water.client().get("/areas/mid").text
    assert "优良率" in page
    assert "95.00" in page
    assert "300/324" in page
    assert "未达目标" in page
    assert "目标劣于基准（倒退）" in page
    assert "目标未设定" in page
    assert "暂定" in page
    assert "数据不足：" in page
    assert 'href="/areas/top"' in page
    assert 'href="/sites/W"' in page


def test_an_area_without_rows_says_so(water: House) -> None:
    assert "还没有统计结果" in water.client().get("/areas/top").text


def test_a_store_that_is_away_leaves_the_last_page_of_a_site_with_its_age(water: House) -> None:
    client = water.client()
    path = "/sites/W?from=2026-11-21&to=2026-11-21"
    client.get(path)
    water.store.away = True
    page = client.get(path).text
    assert "结果库读不到" in page
    assert 'class="cell wq4"' in page


def test_a_region_without_air_stations_has_an_overview_too(tmp_path: Path) -> None:
    with house(tmp_path, section("W")) as made:
        made.wall = CLOCK
        made.say(plain("W", "TP", 5, "4h", T0), kind="water")
        made.tick(CLOCK, "water")
        page = made.client().get("/").text
    assert 'id="glance-water"' in page
    assert "尚无小时数据" not in page


def test_a_kind_whose_newest_slot_was_not_said_yet_shows_the_one_before(water: House) -> None:
    water.wall = CLOCK + 4 * HOUR_MS
    water.tick(water.wall, "water")
    line = water.client().get("/").text.split('id="glance-water"')[1].split("</li>")[0]
    assert "2026-11-21 00:00–04:00" in line
    water.wall = T0 + 2 * DAY_MS
    water.tick(water.wall, "water")
    water.look()
    assert "0/2" in water.client().get("/").text.split('id="glance-water"')[1].split("</li>")[0]


def test_pages_are_in_english_too(water: House) -> None:
    page = water.client().get("/sites/W?lang=en").text
    assert "Target class: III" in page
    assert "provisional" in page
    assert "1 worse than target" in water.client().get("/?lang=en").text


SOIL = """
kind: soil
name: {zh: 土壤, en: soil}
slot: 1h
fine: 1h
classes: [plot]
factors:
  moisture: {code: '', name: {zh: 含水率, en: moisture}, unit: '%', decimals: 1, low: 0, high: 100, units: {'%': 1}}
windows: [{name: 1h}]
"""


def test_a_kind_of_the_users_own_is_shown_from_its_file_alone(tmp_path: Path) -> None:
    soil = parse_kind(parse_yaml(SOIL, "soil.yaml"))
    plot = site("P", kind="soil", station_class="plot", zone=0)
    with house(tmp_path, site("A")) as made:
        made.registry = registry(plot)
        made.wall = CLOCK
        app = create_console(
            made.store, made.desk, made.registry, load_standards(), made.settings,  # type: ignore[arg-type]
            wall=lambda: made.wall, kind_of=lambda _: soil,
        )  # fmt: skip
        made.app.state.console.keeper.close()
        made.app = app
        made.say(plain("P", "moisture", 2150, "1h", T0 + 3 * HOUR_MS), kind="soil")
        made.tick(CLOCK, "soil")
        page = made.client().get("/").text
        assert "土壤" in page.split('id="glance-soil"')[1]
        assert "21.5" in page.split('id="spot-P"')[1].split("</tr>")[0]
        assert "含水率" in made.client().get("/sites/P").text


def test_an_alert_of_a_section_names_its_slot_and_leads_to_its_page(water: House) -> None:
    event = next(one for one in water.desk.open_events() if one.event.key.rule == "water-target")
    page = water.client().get(f"/alerts/{event.id}").text
    assert "2026-11-21 00:00–04:00" in page
    assert 'href="/sites/W?w=4h&amp;from=2026-11-19T00%3A00' in page
    assert "目标 Ⅲ类" in page
    assert "待复测" in page


def test_the_list_of_alerts_shows_classes_by_name_and_how_pressing_they_are(water: House) -> None:
    page = water.client().get("/alerts").text
    assert "Ⅳ类" in page
    assert "应不劣于 Ⅲ类" in page


def test_the_old_address_of_a_station_leads_to_the_site_of_another_kind(water: House) -> None:
    answer = water.client().get("/stations/W")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sites/W")
