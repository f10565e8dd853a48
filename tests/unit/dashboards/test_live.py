from __future__ import annotations

import asyncio
import json
from pathlib import Path

from dashboards.console import Console
from dashboards.live import _lines
from tests.unit.dashboards.building import House, house, over_limit


def heard(home: House, count: int) -> list[str]:
    console: Console = home.app.state.console

    async def listen() -> list[str]:
        home.look()
        stream = _lines(console)
        lines = [await anext(stream) for _ in range(count)]
        await stream.aclose()  # type: ignore[attr-defined]
        return lines

    return asyncio.run(listen())


def test_a_listener_is_told_the_state_at_once(home: House) -> None:
    retry, first = heard(home, 2)
    assert retry == "retry: 3000\n\n"
    assert first.startswith("event: state\ndata: {")
    state = json.loads(first.split("data: ", 1)[1])
    assert state["open"] == len(state["newest"]) > 0
    assert (state["store"], state["desk"], state["silent"]) == (True, True, False)
    assert (state["at"], state["noted"], state["speed"]) == (home.wall, home.wall, 1.0)


def test_a_new_alert_is_among_the_newest(home: House) -> None:
    before = json.loads(heard(home, 2)[1].split("data: ", 1)[1])
    home.say(*over_limit("B", 1))
    after = json.loads(heard(home, 2)[1].split("data: ", 1)[1])
    assert set(after["newest"]) > set(before["newest"])
    assert after["alerts"] > before["alerts"]


def test_an_event_is_one_line_of_data(home: House) -> None:
    assert all(line.endswith("\n\n") and line.strip().count("\n") <= 1 for line in heard(home, 2))


def test_a_listener_that_goes_is_forgotten(home: House) -> None:
    heard(home, 2)
    assert home.watch.listeners == 0


def test_too_many_listeners_are_asked_to_come_back(tmp_path: Path) -> None:
    with house(tmp_path, listeners=1) as made:
        client = made.client()
        made.watch.listeners = 1
        answer = client.get("/live")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
