from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from alerts.journal import Journal, open_journal
from alerts.notices.outbox import put
from alerts.notices.tables import delivery
from alerts.notify.channels import Answer, Message, Outcome
from alerts.notify.coverage import attempts_of, coverage_of_event, coverage_of_notice, measures
from alerts.notify.pauses import Delivered
from alerts.notify.receipts import Receipt, new_token, receive, receive_reported
from alerts.notify.remembered import MemoryChannel, take
from alerts.notify.tables import receipt
from sensors.errors import UnknownName
from tests.unit.alerts.notify.test_delivery import NOW, Clock, made

EVENT = "0123456789abcdef0123"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = open_journal(f"sqlite:///{tmp_path / 'alerts.db'}", lambda: NOW)
    yield opened
    opened.close()


def owe(journal: Journal, recipient: str, channel: str, **other: Any) -> str:
    row = {
        "notice": "n1", "recipient": recipient, "department": "epb", "channel": channel, "address": "x",
        "kind": "raised", "priority": 3, "subjects": f'{{"events": ["{EVENT}"]}}', "payload": "{}", "synthetic": False,
        "created_at": NOW, "due_at": NOW,
    }  # fmt: skip
    with journal.writing() as turn:
        put(turn, [{**row, **other}])
        found = turn.connection.execute(sa.select(delivery.c.id).order_by(delivery.c.order_key.desc()).limit(1))
        return str(found.scalar_one())


def test_one_channel_down_others_deliver_and_coverage_shows_the_gap(journal: Journal) -> None:
    down = MemoryChannel(lambda _: Answer(outcome=Outcome.RETRY, detail="HTTP 500"))
    owe(journal, "li", "mail")
    owe(journal, "li", "sms")
    owe(journal, "wang", "sms")
    made(journal, mail=MemoryChannel(), sms=down).once()
    with journal.reading() as connection:
        found = coverage_of_notice(connection, "n1")
        same = coverage_of_event(connection, EVENT)
    assert found == same
    assert (len(found.people), found.reached, found.received) == (2, 1, 0)
    li, wang = found.people
    assert (li.recipient, li.reached_at) == ("li", NOW)
    assert [(way.channel, way.state, way.error) for way in li.ways] == [
        ("mail", Delivered.SENT, ""), ("sms", Delivered.FAILED, "HTTP 500"),
    ]  # fmt: skip
    assert found.missing == (wang,)


def test_coverage_of_what_nobody_was_owed_is_empty(journal: Journal) -> None:
    owe(journal, "li", "mail")
    with journal.reading() as connection:
        assert coverage_of_notice(connection, "n2").people == ()
        assert coverage_of_event(connection, "0123").people == ()
        assert coverage_of_event(connection, '%"').people == ()


def test_no_count_is_cut_off_and_what_was_said_is_not_read(journal: Journal) -> None:
    rows = [f"p{number}" for number in range(10_500)]
    base = {
        "notice": "n1", "department": "epb", "channel": "mail", "address": "x", "kind": "raised", "priority": 3,
        "subjects": "{}", "payload": "{}", "synthetic": False, "created_at": NOW, "due_at": NOW, "state": "sent",
    }  # fmt: skip
    with journal.writing() as turn:
        many = [base | {"id": one, "recipient": one, "order_key": place} for place, one in enumerate(rows)]
        turn.connection.execute(sa.insert(delivery), many)
    with journal.reading() as connection:
        (mail,) = measures(connection, NOW, NOW + 1)
        assert (mail.owed, mail.reached) == (10_500, 10_500)
        assert coverage_of_notice(connection, "n1").reached == 0  # none says when it was sent


def test_how_each_channel_did_is_counted_with_its_delays(journal: Journal) -> None:
    clock = Clock()
    for number in range(10):
        owe(journal, f"p{number}", "mail", due_at=NOW - 1_000 * number, noticed_at=NOW - 70_000)
    owe(journal, "late", "sms", due_at=NOW + 1)
    owe(journal, "other", "mail", due_at=NOW - 3_600_000)
    made(journal, clock, mail=MemoryChannel()).once()
    with journal.reading() as connection:
        mail, sms = measures(connection, NOW - 9_000, NOW + 60_000)
    assert (mail.owed, mail.reached, mail.given_up, mail.waiting, mail.attempts) == (10, 10, 0, 0, 10)
    assert (mail.median_ms, mail.p99_ms, mail.whole_p99_ms) == (4_000, 9_000, 70_000)
    assert (sms.owed, sms.reached, sms.waiting, sms.median_ms) == (1, 0, 1, None)


def test_who_holds_the_token_has_the_message(journal: Journal) -> None:
    tokens: list[str] = []

    def say(message: Message) -> Answer:
        tokens.append(new_token(journal, message.delivery, NOW))
        return take(message)

    one = owe(journal, "li", "mail")
    made(journal, mail=MemoryChannel(say)).once()
    first = receive(journal, tokens[0], NOW + 60_000)
    assert (first.delivery, first.recipient, first.what, first.at) == (one, "li", Receipt.TAKEN, NOW + 60_000)
    again = receive(journal, tokens[0], NOW + 90_000)
    assert (again.what, again.at) == (Receipt.AGAIN, NOW + 60_000)
    with journal.reading() as connection:
        (person,) = coverage_of_notice(connection, "n1").people
        held = connection.execute(sa.select(receipt)).one()
        (attempt,) = attempts_of(connection, one)
    assert (person.reached_at, person.received_at) == (NOW, NOW + 60_000)
    assert tokens[0] not in tuple(held)
    assert (attempt["number"], attempt["outcome"]) == (1, "sent")


@pytest.mark.parametrize("token", ["", "x", "' OR 1=1 --", "a" * 10_000])
def test_what_is_no_token_of_ours_is_nobodys_receipt(journal: Journal, token: str) -> None:
    owe(journal, "li", "mail")
    new_token(journal, "someone", NOW)
    with pytest.raises(UnknownName, match="this token"):
        receive(journal, token, NOW)


def test_a_gateway_that_reports_later_is_heard(journal: Journal) -> None:
    owe(journal, "li", "sms")
    named = MemoryChannel(lambda _: Answer(outcome=Outcome.SENT, receipt="g-77"))
    made(journal, sms=named).once()
    assert receive_reported(journal, "mail", "g-77", NOW) == []
    assert receive_reported(journal, "sms", "", NOW) == []
    (got,) = receive_reported(journal, "sms", "g-77", NOW + 5)
    assert (got.recipient, got.what, got.at) == ("li", Receipt.TAKEN, NOW + 5)
