"""Delivery through real channels to receivers that answer 200, 429, 500, slowly and never."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa

from alerts.journal import Journal, Turn, open_journal
from alerts.notices.outbox import put
from alerts.notices.tables import delivery
from alerts.notify.channels import Channel, Message
from alerts.notify.delivery import Deliverer, DeliverySettings, Route, in_flight_most
from alerts.notify.pauses import OPEN, Patience
from alerts.notify.signing import Check, check
from alerts.notify.webhook import IDEMPOTENCY, Webhook
from tests.collectors import Said, mail_collector, web_collector
from tests.integration.running import wait_for
from tests.unit.alerts.notify.test_apprised import mail

pytestmark = pytest.mark.integration
TIMEOUT_S: Final = 0.3
QUICK: Final = Patience(first_s=0.05, most_s=0.1)
PEOPLE: Final = tuple(f"p{number}" for number in range(6))
EACH: Final = 8


def _wall() -> int:
    return int(time.time() * 1_000)


def _message(row: Any) -> Message:
    return Message(
        delivery=row.id, notice=row.notice, kind=row.kind, priority=row.priority, recipient=row.recipient,
        department=row.department, address=row.address, subject=row.notice, text=row.notice, html="",
        synthetic=row.synthetic, created_at=row.created_at, payload={},
    )  # fmt: skip


class _Told:
    """Nobody is told of lost channels here."""

    def lost(self, turn: Turn, name: str, reason: str, now: int) -> None:
        raise AssertionError((turn, name, reason, now))

    def found(self, turn: Turn, name: str, now: int) -> None:
        del turn, name, now


def _owe(journal: Journal, channel: str, recipient: str, *notices: str, priority: int = 3) -> None:
    now = _wall()
    row = {
        "recipient": recipient, "department": "epb", "channel": channel, "address": f"{recipient}@example.test",
        "kind": "raised", "priority": priority, "subjects": "{}", "payload": "{}", "synthetic": True, "created_at": now,
        "due_at": now,
    }  # fmt: skip
    with journal.writing() as turn:
        put(turn, [{**row, "notice": notice} for notice in notices])


def _route(channel: Channel, **other: Any) -> Route:
    return Route(channel=channel, local=True, timeout_s=TIMEOUT_S, patience=QUICK, **other)


@contextmanager
def _delivering(journal: Journal, routes: dict[str, Route]) -> Iterator[None]:
    stop = threading.Event()
    settings = DeliverySettings(poll_s=0.02)
    made = Deliverer(journal, routes, message_of=_message, unreachable=_Told(), wall_ms=_wall, settings=settings)
    thread = threading.Thread(target=made.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = open_journal(f"sqlite:///{tmp_path / 'alerts.sqlite'}", _wall)
    yield opened
    opened.close()


def _left(journal: Journal, channel: str) -> int:
    c = delivery.c
    query = sa.select(sa.func.count()).where(c.channel == channel, c.state.in_([state.value for state in OPEN]))
    with journal.reading() as connection:
        return int(connection.execute(query).scalar_one())


def test_order_is_kept_over_429_500_slow_and_silent_answers_while_other_channels_go_on(journal: Journal) -> None:
    chance = random.Random(7)  # noqa: S311 - no secret
    said = [Said()] * 8 + [
        Said(status=429, headers={"Retry-After": "0"}),
        Said(status=500),
        Said(drops=True),
        Said(never=True),
    ]
    with web_collector() as web, mail_collector() as box, mail_collector() as silent:
        web.answer = lambda _: chance.choice(said)
        silent.silent = True
        hook = Webhook(f"{web.url}/hook", "shared", TIMEOUT_S, _wall, lambda: "nonce")
        routes = {"hook": _route(hook), "mail": _route(mail(box)), "silent": _route(mail(silent, TIMEOUT_S))}
        for person in PEOPLE:
            for channel in routes:
                _owe(journal, channel, person, *[f"{person}-{number:02}" for number in range(EACH)])
        with _delivering(journal, routes):
            wait_for("the channels that work", lambda: _left(journal, "hook") == _left(journal, "mail") == 0, 120)
        assert _left(journal, "silent") == len(PEOPLE) * EACH
        wanted = {person: [f"{person}-{number:02}" for number in range(EACH)] for person in PEOPLE}
        taken = [a for a, s in zip(web.asked, web.said, strict=True) if s.status == 200 and not s.drops and not s.never]
        for person, texts in wanted.items():
            assert [one.json["text"] for one in taken if one.json["recipient"] == person] == texts
            mails = [
                one.get_content().strip() for one, to in zip(box.mails, box.to, strict=True) if to.startswith(person)
            ]
            assert [text.splitlines()[-1] for text in mails] == texts
    assert {check("shared", one.body, one.headers, _wall()) for one in web.asked} == {Check.GENUINE}
    assert len({one.headers[IDEMPOTENCY.lower()] for one in web.asked}) == len(PEOPLE) * EACH


def test_an_urgent_message_overtakes_ten_thousand_that_wait(journal: Journal) -> None:
    with web_collector() as web:
        web.answer = lambda _: Said()
        hook = Webhook(f"{web.url}/hook", "shared", 5.0, _wall, lambda: "nonce")
        routes = {"hook": _route(hook)}
        for person in PEOPLE:
            _owe(journal, "hook", person, *[f"{person}-{number}" for number in range(10_000 // len(PEOPLE) + 1)])
        with _delivering(journal, routes):
            wait_for("the flood to flow", lambda: len(web.asked) > 20, 60)
            _owe(journal, "hook", "p3", "toxic", priority=1)
            before = len(web.asked)
            wait_for("the urgent one", lambda: any(one.json["text"] == "toxic" for one in web.asked), 60)
        place = next(number for number, one in enumerate(web.asked) if one.json["text"] == "toxic")
    # what was in flight, and what went while the queue was looked at once: a small part of one lane's turn
    assert place - before <= 20 * in_flight_most(routes)
    assert _left(journal, "hook") > 9_000
