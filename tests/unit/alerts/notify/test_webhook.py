from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from alerts.notify.channels import Outcome
from alerts.notify.posting import NoReply, post, retry_after_ms
from alerts.notify.signing import NONCE, SIGNATURE, TIMESTAMP, TOLERANCE_MS, Check, check, sign
from alerts.notify.webhook import IDEMPOTENCY, Webhook
from tests.collectors import Collector, Said, web_collector
from tests.unit.alerts.notify.building import NOW, message


@pytest.fixture
def collector() -> Iterator[Collector]:
    with web_collector() as made:
        yield made


def hook(collector: Collector, timeout_s: float = 5.0) -> Webhook:
    nonces = count()
    return Webhook(f"{collector.url}/hook?a=1", "secret", timeout_s, lambda: NOW, lambda: f"n{next(nonces)}")


def test_a_message_arrives_whole_with_a_key_by_which_repeats_are_dropped(collector: Collector) -> None:
    assert hook(collector).send(message()).outcome is Outcome.SENT
    (asked,) = collector.asked
    assert (asked.method, asked.path, asked.headers[IDEMPOTENCY.lower()]) == ("POST", "/hook?a=1", "d1")
    assert asked.json["text"] == "甲站 PM2.5 80 µg/m³，限值 75"
    assert asked.json["payload"]["events"][0]["id"] == "e1"


def test_the_receiver_can_tell_that_we_sent_it_and_that_it_is_no_replay(collector: Collector) -> None:
    sender = hook(collector)
    sender.send(message())
    sender.send(message())
    first, second = collector.asked
    assert check("secret", first.body, first.headers, NOW) is Check.GENUINE
    assert check("secret", first.body, first.headers, NOW + TOLERANCE_MS) is Check.GENUINE
    assert check("secret", first.body, first.headers, NOW + TOLERANCE_MS + 1) is Check.OLD
    assert check("other", first.body, first.headers, NOW) is Check.FORGED
    assert check("secret", first.body + b" ", first.headers, NOW) is Check.FORGED
    assert first.headers[NONCE.lower()] != second.headers[NONCE.lower()]


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [(TIMESTAMP, "yesterday", Check.UNSIGNED), (TIMESTAMP, str(NOW + 1), Check.FORGED), (NONCE, "", Check.UNSIGNED),
     (NONCE, "other", Check.FORGED), (SIGNATURE, "v0=00", Check.UNSIGNED), (SIGNATURE, "v1=00", Check.FORGED),
     (SIGNATURE, "v1=ä", Check.FORGED)],
)  # fmt: skip
def test_a_changed_header_is_found(name: str, value: str, found: Check) -> None:
    headers = sign("secret", b"body", NOW, "n1")
    assert check("secret", b"body", headers, NOW) is Check.GENUINE
    assert check("secret", b"body", headers | {name: value}, NOW) is found


def test_the_signature_is_hmac_sha256_over_time_nonce_and_body() -> None:
    # printf '1.n.{}' | openssl dgst -sha256 -hmac key
    assert sign("key", b"{}", 1, "n")[SIGNATURE] == (
        "v1=74efa39107f3a0fc6ae9793f4dff3f6890cd3f8ebcd6f29416c3f994d51afb23"
    )


@pytest.mark.parametrize(
    ("said", "outcome", "wait_ms"),
    [(Said(status=204, body=b""), Outcome.SENT, None), (Said(status=429), Outcome.RETRY, None),
     (Said(status=429, headers={"Retry-After": "120"}), Outcome.RETRY, 120_000),
     (Said(status=500), Outcome.RETRY, None),
     (Said(status=503, headers={"Retry-After": "x"}), Outcome.RETRY, None), (Said(status=404), Outcome.REFUSED, None),
     (Said(status=302, headers={"Location": "http://127.0.0.1:1/"}), Outcome.REFUSED, None)],
)  # fmt: skip
def test_what_the_server_answers_decides_what_follows(
    collector: Collector, said: Said, outcome: Outcome, wait_ms: int | None
) -> None:
    collector.answers(said)
    answer = hook(collector).send(message())
    assert (answer.outcome, answer.wait_ms) == (outcome, wait_ms)
    assert len(collector.asked) == 1


@pytest.mark.parametrize(
    ("body", "outcome", "receipt"),
    [(b'{"receipt": "r-1"}', Outcome.SENT, "r-1"),
     (b'{"receipt": "r\\n-1", "received": true}', Outcome.RECEIVED, "r -1"),
     (b"[]", Outcome.SENT, ""), (b"ok", Outcome.SENT, ""), (b"", Outcome.SENT, "")],
)  # fmt: skip
def test_a_server_may_give_a_receipt(collector: Collector, body: bytes, outcome: Outcome, receipt: str) -> None:
    collector.answers(Said(body=body))
    answer = hook(collector).send(message())
    assert (answer.outcome, answer.receipt) == (outcome, receipt)


@pytest.mark.parametrize("said", [Said(never=True), Said(drops=True)])
def test_a_server_that_never_ends_its_answer_is_left_at_the_limit(collector: Collector, said: Said) -> None:
    collector.answers(said)
    answer = hook(collector, timeout_s=0.15).send(message())
    assert answer.outcome is Outcome.RETRY
    assert "within 0.15 s" in answer.detail


def test_a_server_that_is_not_there_is_tried_again_later() -> None:
    answer = Webhook("http://127.0.0.1:1/", "s", 1.0, lambda: NOW, lambda: "n").send(message())
    assert answer.outcome is Outcome.RETRY
    with pytest.raises(NoReply, match="ConnectionRefusedError"):
        post("http://127.0.0.1:1/", b"", {}, 1.0)


@pytest.mark.parametrize(
    ("text", "wait"),
    [("0", 0), ("7", 7_000), (" 7 ", 7_000), ("-1", None), ("", None), ("soon", None), ("1" * 30, 86_400_000),
     ("Tue, 14 Nov 2023 22:15:20 GMT", 120_000), ("Tue, 14 Nov 2023 22:00:00 GMT", 0)],
)  # fmt: skip
def test_retry_after_is_read_in_seconds_and_as_a_date(text: str, wait: int | None) -> None:
    assert retry_after_ms(text, NOW) == wait  # NOW is 14 November 2023, 22:13:20


def test_what_the_server_says_reaches_the_log_as_one_printable_line(collector: Collector) -> None:
    collector.answers(Said(status=400, body=b"no\r\nsuch\x1b[31m place" + b"\xff" * 2_000))
    detail: Any = hook(collector).send(message()).detail
    assert detail.isprintable()
    assert detail.startswith("HTTP 400 no such [31m place")
    assert len(detail) <= 300
