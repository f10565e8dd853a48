"""The alert desk for programs."""

from __future__ import annotations

from typing import Any

import pytest

from dashboards.deskapi import is_event_id
from sensors.clock import HOUR_MS
from tests.unit.dashboards.building import NASTY, SAME, T0, House, over_limit, row


def limit_alert(home: House) -> str:
    return next(str(alert.id) for alert in home.desk.open_events() if alert.event.kind == "limit")


def asked(home: House, path: str) -> Any:
    answer = home.client().get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_events_are_listed_and_acknowledged(home: House) -> None:
    client, event = home.client(), limit_alert(home)
    listed = client.get("/api/v1/waiting").json()["alerts"]
    assert event in [one["id"] for one in listed]
    done = client.post(f"/api/v1/alerts/{event}/acknowledge", json={"author": "张三"}, headers=SAME)
    assert done.status_code == 200
    assert done.json()["acknowledged"] == {"author": "张三", "at": home.wall}
    assert event in [one["id"] for one in client.get("/api/v1/alerts?state=acknowledged").json()["alerts"]]
    assert home.watch.snapshot.alerts.counts["acknowledged"] == 1


def test_a_name_that_was_given_once_is_known(home: House) -> None:
    home.say(*(one | {"site": "B"} for one in [row("NO2", 230, 1)]))
    client = home.client()
    first, second = [alert.id for alert in home.desk.open_events() if alert.event.kind == "limit"]
    client.post(f"/api/v1/alerts/{first}/acknowledge", json={"author": "张三"}, headers=SAME)
    done = client.post(f"/api/v1/alerts/{second}/acknowledge", json={}, headers=SAME)
    assert done.json()["acknowledged"]["author"] == "张三"


@pytest.mark.parametrize("author", ["", "  ", "\n", "x" * 41])
def test_an_act_without_a_name_is_refused(home: House, author: str) -> None:
    event = limit_alert(home)
    done = home.client().post(f"/api/v1/alerts/{event}/acknowledge", json={"author": author}, headers=SAME)
    assert done.status_code == 422
    assert home.desk.event(event).acknowledged is None


def test_an_event_is_closed_with_a_note(home: House) -> None:
    client, event = home.client(), limit_alert(home)
    client.post(f"/api/v1/alerts/{event}/acknowledge", json={"author": "张三"}, headers=SAME)
    done = client.post(f"/api/v1/alerts/{event}/close", json={"author": "张三", "note": NASTY}, headers=SAME)
    assert (done.json()["state"], done.json()["note"]) == ("closed", NASTY.strip())
    assert done.headers["content-type"] == "application/json"


def test_the_desk_away_is_said_and_nothing_is_noted(home: House) -> None:
    client, event = home.client(), limit_alert(home)
    home.desk.away = True
    assert client.get("/api/v1/alerts?state=closed").status_code == 503
    done = client.post(f"/api/v1/alerts/{event}/acknowledge", json={"author": "a"}, headers=SAME)
    assert done.status_code == 503


def test_a_body_that_is_no_json_is_refused(home: House) -> None:
    event = limit_alert(home)
    headers = SAME | {"content-type": "application/json"}
    assert home.client().post(f"/api/v1/alerts/{event}/acknowledge", content=b"{", headers=headers).status_code == 422


@pytest.mark.parametrize(
    ("text", "possible"),
    [("b859d70263ef038ab3ff", True), ("", False), ("a/b", False), ("a\nb", False), ("x" * 81, False), ("站", False)],
)
def test_only_what_can_be_an_id_is_asked_for(text: str, possible: bool) -> None:  # noqa: FBT001
    assert is_event_id(text) is possible


@pytest.mark.parametrize(
    ("query", "sites"),
    [
        ("site=A", {"A"}),
        ("site=B&site=A", {"A", "B"}),
        ("rule=no-such", set()),
        ("factor=NO2&site=B", {"B"}),
        ("kind=no_data", set()),
        ("state=closed", set()),
        ("fact=withdrawn", set()),
        ("backfilled=true", set()),
        (f"from={T0 + 2 * HOUR_MS}", set()),
        (f"to={T0 + HOUR_MS}", set()),
        (f"from={T0 + HOUR_MS}&to={T0 + 2 * HOUR_MS}", {"A", "B"}),
    ],
)
def test_events_are_found_by_what_they_are_about(home: House, query: str, sites: set[str]) -> None:
    home.say(*over_limit("B", 1))
    assert {alert["site"] for alert in asked(home, f"alerts?{query}")["alerts"]} == sites


def test_a_cursor_goes_through_all_events_once(home: House) -> None:
    home.say(*over_limit("B", 1))
    every = [alert["id"] for alert in asked(home, "alerts")["alerts"]]
    found, cursor = [], ""
    while True:
        page = asked(home, f"alerts?limit=1{cursor}")
        found += [alert["id"] for alert in page["alerts"]]
        if page["cursor"] is None:
            break
        cursor = f"&cursor={page['cursor']}"
    assert found == every
    assert len(set(found)) == len(found) > 1


@pytest.mark.parametrize("query", ["kind=x", "state=x", "limit=0", "limit=501", "cursor=x", "from=x", "backfilled=7"])
def test_a_filter_that_means_nothing_is_refused(home: House, query: str) -> None:
    assert home.client().get(f"/api/v1/alerts?{query}").status_code == 422


def test_what_waits_is_in_the_order_in_which_it_is_to_be_done(home: House) -> None:
    home.say(*over_limit("B", 1))
    client, waiting = home.client(), asked(home, "waiting")["alerts"]
    client.post(f"/api/v1/alerts/{waiting[0]['id']}/acknowledge", json={"author": "张三"}, headers=SAME)
    after = asked(home, "waiting")["alerts"]
    assert after[-1]["id"] == waiting[0]["id"]
    assert [alert["id"] for alert in after] == [alert.id for alert in home.desk.inner.open_events()]


def test_why_gives_the_row_its_limit_and_the_history(home: House) -> None:
    event = limit_alert(home)
    found = asked(home, f"alerts/{event}/why")
    assert found["alert"] == asked(home, f"alerts/{event}")
    assert (found["raised_by"]["value"], found["raised_by"]["bound"]["standard"][:7]) == (23_000, "GB 3095")
    assert found["because"]["zh"].startswith("1小时，230 µg/m³，限值 200 µg/m³")
    assert [step["kind"] for step in found["steps"]] == ["raised"]
    assert found["steps"][0]["evidence"]["now"]["peak"]["value"] == 23_000


@pytest.mark.parametrize("path", ["alerts/nothing", "alerts/nothing/why", "alerts/%3Cb%3E", "alerts/%3Cb%3E/why"])
def test_an_event_that_does_not_exist_is_said(home: House, path: str) -> None:
    assert home.client().get(f"/api/v1/{path}").status_code == 404


def test_one_event_is_never_told_from_memory(home: House) -> None:
    client, event = home.client(), limit_alert(home)
    assert client.get(f"/api/v1/alerts/{event}").status_code == 200
    home.desk.away = True
    assert client.get(f"/api/v1/alerts/{event}").status_code == 503
