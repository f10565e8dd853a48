"""What goes to other programs: an Alertmanager, Grafana, a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alerts.notify.alertmanager import Alertmanager, alerts_of
from alerts.notify.annotations import Annotations
from alerts.notify.channels import Outcome, is_loopback, plain
from alerts.notify.filed import FileChannel
from tests.collectors import Asked, Collector, Said, web_collector
from tests.unit.alerts.notify.building import EVENT, NOW, message

HOUR_MS = 3_600_000


@pytest.fixture
def web() -> Iterator[Collector]:
    with web_collector() as made:
        yield made


def event(**other: Any) -> dict[str, Any]:
    return {**EVENT, **other}


def test_an_event_becomes_an_alert_that_is_the_same_over_its_life() -> None:
    (first,) = alerts_of(message(), NOW, hold_ms=HOUR_MS)
    over = message(
        kind="cleared", payload={"events": [event(end=NOW - HOUR_MS, labels={**EVENT["labels"], "state": "closed"})]}
    )
    (last,) = alerts_of(over, NOW, hold_ms=HOUR_MS)
    assert first["labels"] == last["labels"] == {
        "alertname": "pm25-1h", "event": "e1", "site": "A", "network": "air", "county": "sy",
    }  # fmt: skip
    assert (first["startsAt"], first["endsAt"]) == ("2023-11-14T20:13:20.000Z", "2023-11-14T23:13:20.000Z")
    assert (last["startsAt"], last["endsAt"]) == ("2023-11-14T20:13:20.000Z", "2023-11-14T21:13:20.000Z")
    assert first["generatorURL"] == "http://127.0.0.1:8420/events/e1"
    assert first["annotations"]["description"] == "甲站 PM2.5 80 µg/m³，限值 75"


def test_a_withdrawn_event_ends_now_and_a_synthetic_one_says_so() -> None:
    (gone,) = alerts_of(message(kind="withdrawn", synthetic=True), NOW)
    assert gone["endsAt"] == "2023-11-14T22:13:20.000Z"
    assert gone["labels"]["synthetic"] == "true"


def test_labels_have_names_that_an_alertmanager_takes() -> None:
    (made,) = alerts_of(message(payload={"events": [event(labels={"a-b.c": "x", "empty": ""})]}), NOW)
    assert made["labels"] == {"a_b_c": "x", "alertname": "pm25-1h", "event": "e1"}


def test_alerts_are_posted_to_the_second_interface(web: Collector) -> None:
    channel = Alertmanager(f"{web.url}/", 2.0, lambda: NOW)
    assert channel.send(message()).outcome is Outcome.SENT
    assert (web.asked[0].method, web.asked[0].path) == ("POST", "/api/v2/alerts")
    assert [alert["labels"]["event"] for alert in web.asked[0].json] == ["e1"]
    assert channel.send(message(payload={})).detail == "no events"
    web.answers(Said(status=500))
    assert channel.send(message()).outcome is Outcome.RETRY
    assert Alertmanager("http://127.0.0.1:1", 1.0, lambda: NOW).send(message()).outcome is Outcome.RETRY


class Grafana:
    """As much of Grafana's annotations as the channel uses."""

    def __init__(self) -> None:
        self.held: dict[int, dict[str, Any]] = {}
        self.seen: list[str] = []

    def __call__(self, asked: Asked) -> Said:
        self.seen.append(f"{asked.method} {asked.path.partition('?')[0]}")
        assert asked.headers["authorization"] == "Bearer token"
        if asked.method == "GET":
            found = [{"id": key, **one} for key, one in self.held.items() if "event%3Ae1" in asked.path]
            return Said(body=json.dumps(found).encode())
        place = int(asked.path.rpartition("/")[2]) if asked.method == "PUT" else len(self.held) + 1
        self.held[place] = self.held.get(place, {}) | asked.json
        return Said(body=json.dumps({"id": place}).encode())


def test_an_event_has_one_annotation_from_start_to_end_however_often_it_is_told(web: Collector) -> None:
    web.answer = grafana = Grafana()
    channel = Annotations(f"{web.url}/grafana", "token", 2.0, lambda: NOW)
    for told in (message(), message(kind="repeat"), message(payload={"events": [event(end=NOW - HOUR_MS)]})):
        assert channel.send(told).outcome is Outcome.SENT
    ((_, held),) = grafana.held.items()
    assert (held["time"], held["timeEnd"]) == (NOW - 2 * HOUR_MS, NOW - HOUR_MS)
    assert held["tags"] == [
        "jianhu", "event:e1", "rule:pm25-1h", "site:A", "factor:PM2.5", "fact:going_on", "priority:3",
    ]  # fmt: skip
    assert grafana.seen[:2] == ["GET /grafana/api/annotations", "POST /grafana/api/annotations"]
    assert grafana.seen[-1] == "PUT /grafana/api/annotations/1"


@pytest.mark.parametrize(
    ("said", "outcome"),
    [(Said(status=500, body=b'{"message": "x"}'), Outcome.RETRY), (Said(status=401), Outcome.RETRY),
     (Said(status=429), Outcome.RETRY), (Said(status=400), Outcome.REFUSED), (Said(status=422), Outcome.REFUSED),
     (Said(body=b"<html>"), Outcome.RETRY), (Said(never=True), Outcome.RETRY)],
)  # fmt: skip
def test_what_grafana_answers_decides_what_follows(web: Collector, said: Said, outcome: Outcome) -> None:
    web.answers(said)
    assert Annotations(web.url, "token", 0.2, lambda: NOW).send(message()).outcome is outcome


def test_the_file_holds_one_line_a_message_even_after_a_torn_one(tmp_path: Path) -> None:
    path = tmp_path / "sent" / "messages.jsonl"
    channel = FileChannel(path)
    assert channel.send(message(text="a\nb", synthetic=True)).outcome is Outcome.SENT
    with path.open("ab") as file:
        file.write(b'{"torn')
    channel.send(message(delivery="d2"))
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[1] == '{"torn'
    told = [json.loads(lines[0]), json.loads(lines[2])]
    assert [(one["delivery"], one["synthetic"]) for one in told] == [("d1", True), ("d2", False)]
    assert path.stat().st_mode & 0o077 == 0


def test_a_file_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert FileChannel(tmp_path / "file" / "x.jsonl").send(message()).outcome is Outcome.RETRY


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.9", "localhost", "LOCALHOST.", "::1", "[::1]"])
def test_this_machine_is_known_by_its_numbers_and_its_name(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "10.0.0.1", "127.0.0.1.example.test", "localhost.example.test", "0.0.0.0"])  # noqa: S104
def test_every_other_host_is_outside(host: str) -> None:
    assert not is_loopback(host)


def test_a_text_from_outside_becomes_one_printable_line() -> None:
    assert plain(" a\r\nb\t\x1b[0m\u202e c ") == "a b [0m c"
    assert plain("x" * 400, 5) == "xxxx…"
    assert plain("") == ""
