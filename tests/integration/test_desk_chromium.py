"""The desk as duty officers have it: in a browser, by keyboard and by thumb, live."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from sensors.clock import HOUR_MS, MINUTE_MS
from tests.integration.console_running import Desktop, browser, desktop, watched
from tests.unit.dashboards.building import T0, hour_of, over_limit, registry

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
        made.say(*hour_of("A", 0), *hour_of("B", 0), *over_limit("A", 1), *over_limit("B", 1))
        made.tick()
        made.settle()
        yield made


def test_the_queue_is_worked_by_keyboard_and_several_are_signed_at_once(two: Desktop, page: Page) -> None:
    complaints = watched(page)
    page.goto(f"{two.address}/desk")
    boxes = page.locator("#queue input[type=checkbox]")
    count = boxes.count()
    assert count >= 2
    for place in range(count):
        page.keyboard.press("j")
        expect(page.locator("#queue .item").nth(place)).to_be_focused()
        page.keyboard.press("x")
        expect(page.locator("#bulk")).to_contain_text(f"已选 {place + 1} 件")
    page.keyboard.press("A")
    expect(page.locator("#signature")).to_be_visible()
    page.keyboard.type("张三")
    page.keyboard.press("Enter")
    expect(boxes).to_have_count(0)
    expect(page.locator("#first-line")).to_contain_text(f"0 件待签收，{count} 件在办")
    expect(page.locator("#queue .item").first).to_contain_text("张三")
    assert complaints == []


def test_a_case_is_led_on_from_its_file_and_the_page_says_what_is_missing(two: Desktop, page: Page) -> None:
    complaints = watched(page)
    page.goto(f"{two.address}/desk")
    page.locator("#queue .item .body").first.click()
    expect(page.locator(".chart canvas").first).to_be_visible()
    page.locator("#act-acknowledge input[name=author]").fill("李四")
    page.locator("#act-acknowledge button").click()
    expect(page.locator(".life .here")).to_have_text("已签收")
    page.locator("#act-verify input[value=true]").check()
    page.locator("#act-verify textarea").fill("现场核实")
    page.locator("#act-verify input[type=file]").set_input_files(
        {"name": "现场.jpg", "mimeType": "image/jpeg", "buffer": b"photo"}
    )
    expect(page.locator("#act-verify input[name=sha256]")).to_have_value(re.compile("^[0-9a-f]{64}$"))
    page.locator("#act-verify button").click()
    expect(page.locator(".life .here")).to_have_text("已核实")
    expect(page.locator(".history")).to_contain_text("现场.jpg")
    expect(page.locator(".history")).to_contain_text("李四")
    assert complaints == []


def test_what_somebody_types_is_not_taken_away_by_a_new_alert(two: Desktop, page: Page) -> None:
    page.goto(f"{two.address}/desk")
    page.locator("#queue .item .body").first.click()
    page.locator("#act-note summary").click()
    page.locator("#act-note textarea").fill("正在写")
    two.say(*(one | {"revision": 2} for one in over_limit("B", 0)))
    expect(page.locator("#line-open")).to_be_visible()
    page.wait_for_function("() => Number(document.getElementById('open-count').textContent) > 0")
    expect(page.locator("#act-note textarea")).to_have_value("正在写")


def test_a_page_that_waited_for_somebody_who_typed_is_renewed_when_he_gives_up(two: Desktop, page: Page) -> None:
    page.goto(f"{two.address}/desk")
    page.locator("#queue .item .body").first.click()
    page.locator("#act-note summary").click()
    page.locator("#act-note textarea").fill("正在写")
    name = page.url.rsplit("/", 1)[1]
    page.evaluate(
        "async (id) => { await fetch(`/api/v1/cases/${id}/acts`, {method: 'POST', body: "
        "JSON.stringify({act: 'acknowledge', author: '王五'})}); }",
        name,
    )
    expect(page.locator("#open-count")).to_have_text("1")
    expect(page.locator(".life .here")).to_have_text("待签收")
    page.locator("#act-note textarea").fill("")
    expect(page.locator(".life .here")).to_have_text("已签收")


def test_what_was_chosen_stays_chosen_when_the_lines_above_the_page_change(two: Desktop, page: Page) -> None:
    page.goto(f"{two.address}/desk")
    page.locator("#queue input[type=checkbox]").first.check()
    page.evaluate(
        "new Promise((done) => { document.addEventListener('htmx:after:swap', () => done(true), {once: true});"
        "document.getElementById('ribbon').dispatchEvent(new CustomEvent('jianhu:ribbon')); })"
    )
    expect(page.locator("#queue input[type=checkbox]").first).to_be_checked()
    expect(page.locator("#bulk")).to_contain_text("已选 1 件")


def test_an_act_that_is_refused_says_why_and_leaves_what_was_written(two: Desktop, page: Page) -> None:
    page.goto(f"{two.address}/handover")
    page.evaluate("document.querySelector(\"form[action='/handover'] input[name=author]\").maxLength = 99")
    page.locator("form[action='/handover'] input[name=author]").fill("很长的名字" * 10)
    page.locator("form[action='/handover'] textarea").fill("盯住 A 站")
    page.locator("form[action='/handover'] button").click()
    expect(page.locator("#line-failed")).to_contain_text("姓名")
    expect(page.locator("form[action='/handover'] textarea")).to_have_value("盯住 A 站")


def test_a_shift_is_handed_over_in_the_browser(two: Desktop, page: Page) -> None:
    complaints = watched(page)
    page.goto(f"{two.address}/handover")
    page.locator("form[action='/handover'] input[name=author]").fill("张三")
    page.locator("form[action='/handover'] textarea").fill("盯住 A 站")
    page.locator("form[action='/handover'] button").click()
    expect(page).to_have_url(re.compile("/handover/[0-9]+$"))
    page.locator("input[name=author]").first.fill("李四")
    page.get_by_role("button", name="签字接班").click()
    expect(page.locator(".signatures")).to_contain_text("李四")
    expect(page.locator("#proof")).to_contain_text("封存完好")
    assert complaints == []


@pytest.mark.parametrize("path", ["/desk", "case", "/cases", "/responses", "/silences", "/handover"])
def test_a_phone_shows_every_page_of_the_desk_in_one_column(two: Desktop, window: Browser, path: str) -> None:
    context = window.new_context(viewport={"width": 390, "height": 844})
    try:
        made = context.new_page()
        complaints = watched(made)
        made.goto(f"{two.address}/desk")
        if path == "case":
            path = str(made.locator("#queue .item .body").first.get_attribute("href"))
        for language in ("zh", "en"):
            made.goto(f"{two.address}{path}?lang={language}")
            assert made.evaluate("document.documentElement.scrollWidth") <= 390
        assert complaints == []
    finally:
        context.close()
