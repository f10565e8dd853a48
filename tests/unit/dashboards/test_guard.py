from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.guard import HEADERS, safe_next
from tests.unit.dashboards.building import NASTY, ORIGIN, SAME, House, hour_of, house

TOKEN = "0123456789-token"
PAGES = ("/", "/stations/A", "/alerts", "/alerts?tab=closed", "/parts/overview", "/api/v1/overview", "/api/v1/stations",
         "/api/v1/series?site=A", "/api/v1/alerts", "/version", "/metrics", "/live", "/nowhere")  # fmt: skip
PUBLIC = "http://console.example:8420"


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path, host="0.0.0.0", token=TOKEN) as made:  # noqa: S104 - nothing listens here
        made.say(*hour_of("A", 0))
        made.tick()
        yield made


@pytest.mark.parametrize(
    "path", ["/", "/stations/A", "/alerts", "/nowhere", "/api/v1/overview", "/healthz", "/static/console.css"]
)
def test_every_answer_carries_the_headers(home: House, path: str) -> None:
    answer = home.client().get(path)
    for name, value in HEADERS:
        assert answer.headers[name] == value
    assert "cache-control" in answer.headers


def test_the_policy_allows_no_inline_script_and_no_other_host() -> None:
    policy = dict(HEADERS)["content-security-policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


def test_a_fault_of_ours_is_plain_and_carries_the_headers(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(NASTY)

    client = home.client(faults=False)
    monkeypatch.setattr("dashboards.pages.ranked", fail)
    answer = client.get("/")
    assert answer.status_code == 500
    assert NASTY not in answer.text
    assert answer.headers["content-security-policy"] == dict(HEADERS)["content-security-policy"]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8420", "127.0.0.1.evil.example", "", "localhost.evil", "a@b@c", "[::1"]
)
def test_a_foreign_name_that_resolves_to_this_machine_is_not_answered(home: House, host: str) -> None:
    answer = home.client().get("/", headers={"host": host})
    assert answer.status_code == 421
    assert "试区" not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1:8420", "localhost:1", "LOCALHOST", "[::1]:8420", "127.0.0.1"])
def test_the_machines_own_names_are_answered(home: House, host: str) -> None:
    assert home.client().get("/healthz", headers={"host": host}).status_code == 200


def test_a_further_name_is_answered_when_it_is_allowed(tmp_path: Path) -> None:
    with house(tmp_path, allowed_hosts=("wall.example",)) as made:
        assert made.client().get("/healthz", headers={"host": "wall.example:8420"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": ORIGIN, "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
    ],
)
@pytest.mark.parametrize(
    "path", ["/api/v1/alerts/x/acknowledge", "/alerts/x/acknowledge", "/alerts/x/close", "/login", "/logout"]
)
def test_a_change_that_does_not_come_from_our_own_page_is_refused(
    home: House, path: str, headers: dict[str, str]
) -> None:
    assert home.client().post(path, headers=headers).status_code == 403


@pytest.mark.parametrize("headers", [SAME, {"sec-fetch-site": "same-origin"}, SAME | {"sec-fetch-site": "same-origin"}])
def test_a_change_from_our_own_page_goes_through(home: House, headers: dict[str, str]) -> None:
    assert home.client().post("/api/v1/alerts/x/acknowledge", json={"author": "a"}, headers=headers).status_code == 404


@pytest.mark.parametrize("path", PAGES)
def test_without_a_session_nothing_is_shown(guarded: House, path: str) -> None:
    answer = guarded.client(PUBLIC).get(path)
    assert answer.status_code == 401
    assert "试区" not in answer.text
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_person_is_sent_to_the_form_and_comes_back_to_the_page(guarded: House) -> None:
    client = guarded.client(PUBLIC)
    sent = client.get("/stations/A?w=8h", headers={"accept": "text/html"})
    assert (sent.status_code, sent.headers["location"]) == (303, "/login?next=%2Fstations%2FA%3Fw%3D8h")
    form = client.get(sent.headers["location"])
    assert form.status_code == 200
    assert 'value="/stations/A?w=8h"' in form.text
    entered = client.post("/login", data={"token": TOKEN, "target": "/stations/A?w=8h"}, headers={"origin": PUBLIC})
    assert (entered.status_code, entered.headers["location"]) == (303, "/stations/A?w=8h")
    assert client.get("/stations/A?w=8h").status_code == 200


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(guarded: House) -> None:
    entered = guarded.client(PUBLIC).post("/login", data={"token": TOKEN}, headers={"origin": PUBLIC})
    cookie = entered.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert TOKEN not in cookie


def test_over_https_the_cookie_is_secure(guarded: House) -> None:
    secure = PUBLIC.replace("http:", "https:")
    entered = guarded.client(secure).post("/login", data={"token": TOKEN}, headers={"origin": secure})
    assert "Secure" in entered.headers["set-cookie"]


def test_a_wrong_token_is_refused_and_guessing_is_slowed(guarded: House) -> None:
    client = guarded.client(PUBLIC)
    tries = [
        client.post("/login", data={"token": f"wrong{n}"}, headers={"origin": PUBLIC}).status_code for n in range(12)
    ]
    assert tries[:10] == [401] * 10
    assert tries[10:] == [429, 429]
    assert client.post("/login", data={"token": TOKEN}, headers={"origin": PUBLIC}).status_code == 429


def test_logging_out_ends_the_session(guarded: House) -> None:
    client = guarded.client(PUBLIC)
    client.post("/login", data={"token": TOKEN}, headers={"origin": PUBLIC})
    assert client.post("/logout", headers={"origin": PUBLIC}).status_code == 303
    assert client.get("/").status_code == 401


def test_a_session_ends_by_the_clock(guarded: House) -> None:
    client = guarded.client(PUBLIC)
    client.post("/login", data={"token": TOKEN}, headers={"origin": PUBLIC})
    guarded.wall += 13 * 3_600_000
    assert client.get("/").status_code == 401


def test_a_program_comes_with_the_token(guarded: House) -> None:
    client = guarded.client(PUBLIC)
    assert client.get("/api/v1/overview", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert client.get("/metrics", headers={"authorization": f"bearer {TOKEN}"}).status_code == 200
    for wrong in (f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN[:-1]}"):
        assert client.get("/api/v1/overview", headers={"authorization": wrong}).status_code == 401
    told = client.post(
        "/api/v1/alerts/x/acknowledge", json={"author": "a"}, headers={"authorization": f"Bearer {TOKEN}"}
    )
    assert told.status_code == 404


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/login", "/static/console.css"])
def test_what_tells_nothing_is_open(guarded: House, path: str) -> None:
    assert guarded.client(PUBLIC).get(path).status_code == 200


def test_a_damaged_cookie_is_no_session_and_no_fault(guarded: House) -> None:
    for cookie in ("jianhu_session", "jianhu_session=", 'jianhu_session="', "\\;=;", "jianhu_session=1.2.3"):
        assert guarded.client(PUBLIC).get("/", headers={"cookie": cookie}).status_code == 401


@pytest.mark.parametrize(
    "target",
    [
        "http://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "",
        "evil",
        "/a\r\nset-cookie: x=1",
        "/\t/evil",
    ],
)
def test_after_the_login_nobody_is_sent_elsewhere(target: str) -> None:
    assert safe_next(target) == "/"


@given(st.text(max_size=50))
def test_whatever_is_asked_for_next_stays_here(target: str) -> None:
    assert re.match(r"/(?![/\\])|/$", safe_next(target))


def test_a_path_of_ours_is_kept() -> None:
    assert safe_next("/stations/A?w=8h&from=2026-11-20T08:00") == "/stations/A?w=8h&from=2026-11-20T08:00"


def test_a_console_without_a_token_has_no_login(home: House) -> None:
    client = home.client()
    assert client.get("/login").headers["location"] == "/"
    assert client.post("/login", data={"token": "x"}, headers=SAME).headers["location"] == "/"
