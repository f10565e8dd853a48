"""The console over real sockets and files: its stream of changes, its restart, its end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sensors.clock import HOUR_MS, MINUTE_MS
from tests.integration.console_running import Desktop, desktop
from tests.unit.dashboards.building import T0, hour_of, over_limit, registry

pytestmark = pytest.mark.integration

WALL = T0 + 2 * HOUR_MS + 5 * MINUTE_MS


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Desktop]:
    with desktop(tmp_path, registry(), WALL) as made:
        made.say(*hour_of("A", 1), *hour_of("B", 1))
        made.tick()
        yield made


def states(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    """Yield the states that a stream tells."""
    for line in answer.iter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


def test_a_new_alert_is_told_over_the_stream(two: Desktop) -> None:
    with httpx.stream("GET", f"{two.address}/live", timeout=20) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = states(answer)
        assert next(state for state in told if state["store"] and state["overview"])["open"] == 0
        two.say(*(one | {"revision": 2} for one in over_limit("A", 1)))
        state = next(state for state in told if state["open"])
    events = httpx.get(f"{two.address}/api/v1/waiting").json()["alerts"]
    assert [event["id"] for event in events] == state["newest"]


def test_open_streams_do_not_hold_up_the_end(two: Desktop) -> None:
    with httpx.stream("GET", f"{two.address}/live", timeout=20) as answer:
        told = states(answer)
        next(told)
        two.stop()  # fails when the server has not ended within its time
        for _ in told:
            pass
    two.start()
    assert httpx.get(f"{two.address}/healthz").status_code == 200


def test_what_was_signed_is_there_after_a_restart(two: Desktop) -> None:
    two.say(*(one | {"revision": 2} for one in over_limit("A", 1)))
    event = httpx.get(f"{two.address}/api/v1/waiting").json()["alerts"][0]["id"]
    headers = {"origin": two.address}
    done = httpx.post(f"{two.address}/api/v1/alerts/{event}/acknowledge", json={"author": "张三"}, headers=headers)
    assert done.json()["acknowledged"]["author"] == "张三"
    two.stop()
    two.start()
    found = httpx.get(f"{two.address}/api/v1/alerts?state=acknowledged").json()["alerts"]
    assert [one["acknowledged"]["author"] for one in found if one["id"] == event] == ["张三"]


def test_a_restarted_console_shows_the_same_hour(two: Desktop) -> None:
    def hour() -> Any:
        with httpx.stream("GET", f"{two.address}/live", timeout=20) as answer:
            next(state for state in states(answer) if state["overview"])
        return httpx.get(f"{two.address}/api/v1/overview").json()["hour"]

    before = hour()
    assert before["came"] == 2
    two.stop()
    two.start()
    assert hour() == before


def test_it_becomes_ready_once_it_has_looked(two: Desktop) -> None:
    with httpx.stream("GET", f"{two.address}/live", timeout=20) as answer:
        next(state for state in states(answer) if state["store"] and state["desk"])
    assert httpx.get(f"{two.address}/readyz").text == "ready\n"


def test_no_answer_names_the_server(two: Desktop) -> None:
    assert "server" not in httpx.get(two.address).headers


def test_a_guarded_console_asks_every_stream_for_its_token(tmp_path: Path) -> None:
    token = "0123456789-token"
    with desktop(tmp_path, registry(), WALL, token=token) as made:
        assert httpx.get(f"{made.address}/live").status_code == 401
        headers = {"authorization": f"Bearer {token}"}
        with httpx.stream("GET", f"{made.address}/live", headers=headers, timeout=20) as answer:
            assert answer.status_code == 200
            assert next(states(answer))["open"] == 0
