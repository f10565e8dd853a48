from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest

from alerts.notify.channels import Outcome
from alerts.notify.sms import Form, Gateway, Sms, filled, places_of
from tests.collectors import Collector, Said, web_collector
from tests.unit.alerts.notify.building import NOW, message


@pytest.fixture
def web() -> Iterator[Collector]:
    with web_collector() as made:
        yield made


def gateway(web: Collector, **other: Any) -> Gateway:
    made: dict[str, Any] = {
        "url": f"{web.url}/sms",
        "body": {"to": "{address}", "code": "{template}", "params": {"site": "{payload.site}", "text": "{text}"}},
    }
    return Gateway(**(made | other))


def sms(web: Collector, **other: Any) -> Sms:
    return Sms(gateway(web, **other), "s3cret", 2.0, lambda: NOW)


def test_a_message_is_written_as_the_gateway_wants_it(web: Collector) -> None:
    sent = sms(web, headers={"Authorization": "Bearer {secret}"}, templates={"raised": "SMS_1", "default": "SMS_0"})
    sent.send(message(address="13800000000", payload={"site": "甲站", "count": 3}))
    sent.send(message(kind="digest"))
    first, second = web.asked
    assert first.headers["authorization"] == "Bearer s3cret"
    assert first.json == {
        "to": "13800000000", "code": "SMS_1", "params": {"site": "甲站", "text": "甲站 PM2.5 80 µg/m³，限值 75"},
    }  # fmt: skip
    assert second.json["code"] == "SMS_0"
    assert second.json["params"]["site"] == ""


def test_no_value_becomes_a_key_a_quotation_mark_or_a_place(web: Collector) -> None:
    wicked = '"}, {"to": "{secret}\r\nX: y'
    sms(web, headers={"X-Id": "{delivery}"}).send(message(text=wicked, delivery="d\r\nX: y"))
    (asked,) = web.asked
    assert asked.json["params"]["text"] == wicked
    assert asked.headers["x-id"] == "d X: y"
    assert "x" not in asked.headers


def test_a_form_holds_the_same(web: Collector) -> None:
    sms(web, form=Form.FORM).send(message(text="a&b=c"))
    fields = parse_qs(web.asked[0].body.decode(), keep_blank_values=True)
    assert fields["to"] == ["li@example.test"]
    assert fields["params"] == ['{"site":"","text":"a&b=c"}']


def test_a_long_text_is_cut(web: Collector) -> None:
    sms(web, longest=10).send(message(text="0123456789X"))
    assert web.asked[0].json["params"]["text"] == "012345678…"


@pytest.mark.parametrize(
    ("said", "outcome", "receipt"),
    [(Said(body=b'{"Code": "OK", "Data": {"Id": 77}}'), Outcome.SENT, "77"),
     (Said(body=b'{"Code": "LIMIT"}'), Outcome.RETRY, ""),
     (Said(body=b'{"Code": "NO_SUCH_TEMPLATE"}'), Outcome.REFUSED, ""),
     (Said(body=b"{}"), Outcome.REFUSED, ""), (Said(body=b"<html>"), Outcome.RETRY, ""),
     (Said(status=429), Outcome.RETRY, ""), (Said(status=500), Outcome.RETRY, ""),
     (Said(status=401), Outcome.REFUSED, "")],
)  # fmt: skip
def test_the_code_in_the_answer_decides(web: Collector, said: Said, outcome: Outcome, receipt: str) -> None:
    web.answers(said)
    reading = {"accepted_field": "Code", "accepted_values": ("OK",), "later_values": ("LIMIT",)}
    answer = sms(web, receipt_field="Data.Id", **reading).send(message())
    assert (answer.outcome, answer.receipt) == (outcome, receipt)


def test_a_gateway_without_codes_is_judged_by_its_status(web: Collector) -> None:
    web.answers(Said(body=b"whatever"))
    assert sms(web).send(message()).outcome is Outcome.SENT
    nowhere = Sms(Gateway(url="http://127.0.0.1:1/", body={}), "", 1.0, lambda: NOW)
    assert nowhere.send(message()).outcome is Outcome.RETRY


def test_a_date_to_wait_for_counts_from_now_however_old_the_message_is(web: Collector) -> None:
    web.answers(Said(status=503, headers={"Retry-After": "Tue, 14 Nov 2023 22:14:20 GMT"}))
    assert sms(web).send(message(created_at=NOW - 9 * 3_600_000)).wait_ms == 60_000


def test_places_are_found_and_filled_at_every_depth() -> None:
    body = {"a": ["{x}", 1, {"b": "{y} {x}"}], "c": None, "d": "{ not one }"}
    assert sorted(places_of(body)) == ["x", "x", "y"]
    assert filled(body, {"x": "1"}) == {"a": ["1", 1, {"b": " 1"}], "c": None, "d": "{ not one }"}
