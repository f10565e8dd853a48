"""The console as people have it: in a browser, over files, live."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.registry import Registry, load_registry
from tests.integration.console_running import Desktop, browser, desktop, watched
from tests.region_cases import DATA, write_air_only
from tests.unit.dashboards.building import NASTY, T0, hour_of, over_limit, registry, row, site

pytestmark = [pytest.mark.integration, pytest.mark.chromium]

WALL = T0 + 2 * HOUR_MS + 5 * MINUTE_MS


@pytest.fixture(scope="module")
def window(chromium: Path) -> Iterator[Browser]:
    with browser(chromium) as started:
        yield started


@pytest.fixture
def page(window: Browser) -> Iterator[Page]:
    context = window.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
    context.set_default_timeout(20_000)
    made = context.new_page()
    yield made
    context.close()


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Desktop]:
    with desktop(tmp_path, registry(), WALL) as made:
        made.say(*hour_of("A", 0), *hour_of("B", 0), *hour_of("A", 1), *hour_of("B", 1))
        made.tick()
        yield made


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    return load_registry(write_air_only(tmp_path_factory.mktemp("region") / "registry.yaml"))


def test_the_map_and_the_list_have_every_station(tmp_path: Path, page: Page, region: Registry) -> None:
    complaints = watched(page)
    with desktop(tmp_path, region, WALL, geojson=DATA / "shangyu.geojson") as made:
        names = {found.id for found in region.at(T0 + HOUR_MS)}
        made.say(*(one for name in sorted(names) for one in hour_of(name, 1)))
        made.tick()
        page.goto(made.address)
        expect(page.locator("#map .mark")).to_have_count(len(names))
        expect(page.locator("table.stations tbody tr")).to_have_count(len(names))
        expect(page.locator("#map .land.district")).to_have_count(1)
        expect(page.locator("#first-line")).to_contain_text(f"{len(names)}/{len(names)}")
        page.locator("#find").fill("百官")
        expect(page.locator("table.stations tbody tr:visible")).to_have_count(
            sum("百官" in found.name_zh or "百官" in found.township for found in region.at(T0 + HOUR_MS))
        )
        page.locator("#mark-SYN-U01").click()
        expect(page).to_have_url(f"{made.address}/stations/SYN-U01")
        expect(page.locator(".chart canvas")).to_have_count(6)
    assert complaints == []


def test_an_alert_appears_without_reload_and_stays_until_somebody_signs(two: Desktop, page: Page) -> None:
    complaints = watched(page)
    page.goto(two.address)
    expect(page.locator("#first-line")).to_contain_text("2/2")
    page.evaluate("window.notReloaded = true")
    two.say(*(one | {"revision": 2} for one in over_limit("A", 1)))
    two.tick()

    expect(page.locator(".brief li")).not_to_have_count(0)
    expect(page.locator("#first-line")).to_contain_text("1 站超标")
    expect(page.locator("#line-open")).to_contain_text("A站")
    expect(page).to_have_title(re.compile("^●"))
    expect(page).to_have_title(re.compile("^区域总览"))
    assert page.evaluate("window.notReloaded") is True

    page.goto(f"{two.address}/alerts")
    items = page.locator("#queue .item")
    count = items.count()
    assert count >= 1
    page.keyboard.press("j")
    expect(items.first).to_be_focused()
    page.keyboard.press("a")
    expect(page.locator("#signature")).to_be_visible()
    page.keyboard.type("张三")
    page.keyboard.press("Enter")
    expect(items).to_have_count(count - 1)
    for left in range(count - 2, -1, -1):  # the name is asked for once
        items.first.focus()
        page.keyboard.press("a")
        expect(items).to_have_count(left)
    expect(page.locator("#line-open")).to_have_count(0)
    expect(page).to_have_title(re.compile("^告警"))

    two.stop()
    two.start()
    page.goto(f"{two.address}/alerts?tab=acknowledged")
    expect(page.locator("#queue .item")).to_have_count(count)
    expect(page.locator("#queue .item").first).to_contain_text("张三")
    assert [told for told in complaints if "ERR_" not in told] == []


def test_a_page_that_stays_open_finds_the_console_again_after_its_restart(two: Desktop, page: Page) -> None:
    page.goto(two.address)
    page.evaluate("window.notReloaded = true")
    two.stop()
    two.start()
    two.say(*(one | {"revision": 2} for one in over_limit("B", 1)))
    expect(page.locator("#first-line")).to_contain_text("1 站超标")
    assert page.evaluate("window.notReloaded") is True


def test_a_second_tab_hears_what_the_first_hears(two: Desktop, page: Page) -> None:
    page.goto(two.address)
    other = page.context.new_page()
    other.goto(f"{two.address}/alerts")
    two.say(*(one | {"revision": 2} for one in over_limit("A", 1)))
    expect(page.locator(".brief li")).not_to_have_count(0)
    expect(other.locator("#queue .item")).not_to_have_count(0)


def test_a_new_alert_sounds_once_and_not_when_muted(two: Desktop, page: Page) -> None:
    page.goto(two.address)
    sound = page.locator("#sound")
    sound.click()
    expect(sound).to_have_text("声音开")
    two.say(*(one | {"revision": 2} for one in over_limit("A", 1)))
    expect(sound).to_have_attribute("data-beeps", "1")
    sound.click()
    page.keyboard.type("张三")
    page.keyboard.press("Enter")
    expect(sound).to_have_text("已静音")
    expect(sound).to_have_attribute("title", re.compile("张三"))
    two.say(*(one | {"revision": 2} for one in over_limit("B", 1)))
    expect(page.locator("#line-open")).to_contain_text("4 件待签收")  # two of each; the line names the first two
    expect(sound).to_have_attribute("data-beeps", "1")


def test_a_store_that_goes_away_leaves_the_picture_and_comes_back(two: Desktop, page: Page) -> None:
    page.goto(two.address)
    two.store.away = True
    expect(page.locator("#line-store")).to_contain_text("结果库读不到")
    expect(page.locator("#map .mark")).to_have_count(2)
    two.store.away = False
    expect(page.locator("#line-store")).to_have_count(0)


def test_a_pipeline_that_falls_silent_is_said_without_reload(two: Desktop, page: Page) -> None:
    page.goto(two.address)
    two.wall += 10 * MINUTE_MS
    expect(page.locator("#line-silent")).to_contain_text("10 分钟")
    two.tick()
    expect(page.locator("#line-silent")).to_have_count(0)


def test_names_and_details_from_outside_run_nothing(tmp_path: Path, page: Page) -> None:
    evil = NASTY + "<img src=x onerror=\"document.title='taken'\">"
    complaints = watched(page)
    with desktop(tmp_path, registry(site("A", name_zh=evil, name_en=evil, township=evil)), WALL) as made:
        made.say(*over_limit("A", 1), row("SO2", None, 0, reason="invalid", detail=evil))
        made.tick()
        for path in ("/", "/stations/A", "/alerts"):
            page.goto(made.address + path)
            expect(page.locator("main")).to_contain_text("<script>alert(1)")
        page.locator("#queue .item .body").first.click()
        expect(page.locator("h1")).to_contain_text("<img src=x")
        page.goto(f"{made.address}/stations/A")
        chart = page.locator(".chart").nth(2)
        box = chart.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] - 14, box["y"] + 60)
        expect(chart.locator(".tip")).to_be_visible()
        assert "taken" not in page.title()
    assert complaints == []


@pytest.mark.parametrize("path", ["/", "/stations/A", "/stations/A?w=8h", "/stations/A?w=day", "/alerts", "/nowhere"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_phone_shows_every_page_in_one_column(two: Desktop, window: Browser, path: str, language: str) -> None:
    two.say(*(one | {"revision": 2} for one in over_limit("A", 1)), row("O3", 165, 9, window="8h"))
    context = window.new_context(viewport={"width": 390, "height": 844})
    try:
        made = context.new_page()
        complaints = watched(made)
        made.goto(f"{two.address}{path}{'&' if '?' in path else '?'}lang={language}")
        assert made.evaluate("document.documentElement.scrollWidth") <= 390
        assert [told for told in complaints if "404" not in told] == []
    finally:
        context.close()


def test_the_title_stands_still_for_those_who_ask_for_calm(two: Desktop, window: Browser) -> None:
    two.say(*(one | {"revision": 2} for one in over_limit("A", 1)))
    context = window.new_context(reduced_motion="reduce")
    try:
        made = context.new_page()
        made.goto(two.address)
        expect(made).to_have_title(re.compile("^●"))
        changes = made.evaluate(
            """() => new Promise((resolve) => {
                let count = 0;
                const titles = new MutationObserver(() => { count += !document.title.startsWith('●'); });
                titles.observe(document.querySelector('title'), {childList: true});
                let ticks = 0;
                const hand = new MutationObserver(() => { ticks += 1; if (ticks === 3) resolve(count); });
                hand.observe(document.querySelector('#now .hand'), {childList: true});
            })"""
        )
        assert changes == 0
    finally:
        context.close()


def test_without_scripts_the_pages_can_be_read_and_the_desk_worked(two: Desktop, window: Browser) -> None:
    two.say(*(one | {"revision": 2} for one in over_limit("A", 1)))
    context = window.new_context(java_script_enabled=False)
    try:
        made = context.new_page()
        made.goto(f"{two.address}/stations/A")
        expect(made.locator("table.values tbody tr")).to_have_count(48)
        made.goto(f"{two.address}/alerts")
        made.locator("#queue .item .body").first.click()
        made.locator("form.ack input[name=author]").fill("李四")
        made.locator("form.ack button").click()
        expect(made.locator(".steps")).to_contain_text("李四")
    finally:
        context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_focus_can_be_seen_everywhere(two: Desktop, page: Page, theme: str) -> None:
    page.goto(f"{two.address}/?theme={theme}")
    for _ in range(12):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            """() => {
                const style = getComputedStyle(document.activeElement);
                const circle = document.activeElement.querySelector?.('circle');
                return style.outlineStyle !== 'none' || (circle && getComputedStyle(circle).strokeWidth === '3px');
            }"""
        )
        assert seen
