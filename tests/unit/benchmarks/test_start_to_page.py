from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from benchmarks import start_to_page
from benchmarks.start_to_page import HISTORY_H, ask, is_full, newest_closed
from scripts.process import free_ports
from sensors.clock import HOUR_MS, MINUTE_MS

HOUR = 500_000 * HOUR_MS


def _overview(start: int = HOUR, sites: int = 2) -> dict[str, Any]:
    return {"hour": {"start": start, "stations": [{"site": f"S{n}"} for n in range(sites)]}}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths asked for, of a console whose first site has 48 h and whose second has as many as `told`."""
    paths: list[str] = []

    def answer(_: int, path: str, **__: object) -> Any:
        paths.append(path)
        if path == "/":
            return "page"
        told = HISTORY_H if "site=S0" in path else _told["S1"]
        silent = [{"t": n} for n in range(HISTORY_H - told)]
        return {"index": [*silent, *({"t": n, "revision": 1} for n in range(told))]}

    monkeypatch.setattr(start_to_page, "ask", answer)
    return paths


_told = {"S1": HISTORY_H}


@pytest.mark.parametrize(
    ("now", "hour"),
    [(HOUR + HOUR_MS, -1), (HOUR + HOUR_MS + 2 * MINUTE_MS - 1, -1), (HOUR + HOUR_MS + 2 * MINUTE_MS, 0)],
)
def test_an_hour_is_closed_two_minutes_after_its_end(now: int, hour: int) -> None:
    assert newest_closed(now) == HOUR + hour * HOUR_MS


def test_a_page_is_full_when_every_site_has_48_hours(asked: list[str]) -> None:
    assert is_full(1, _overview(), HOUR)
    assert len(asked) == 3
    query = parse_qs(urlsplit(asked[0]).query)
    assert (query["site"], query["window"]) == (["S0"], ["1h"])


def test_a_site_with_an_hour_never_judged_is_waited_for(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_told, "S1", HISTORY_H - 1)
    assert not is_full(1, _overview(), HOUR)
    assert asked


@pytest.mark.parametrize(
    "overview", [{"hour": None}, _overview(start=HOUR - HOUR_MS), _overview(sites=0)], ids=["none", "older", "no site"]
)
def test_an_overview_without_the_newest_hour_is_not_full(asked: list[str], overview: dict[str, Any]) -> None:
    assert not is_full(1, overview, HOUR)
    assert asked == []


def test_nobody_answers_on_a_port_where_nobody_listens() -> None:
    assert ask(free_ports(1)[0], "/") is None
