from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from alerts.journal import Journal, Turn, open_journal
from alerts.notices.outbox import put
from alerts.notices.tables import delivery
from alerts.notify.channels import Answer, Message, Outcome
from alerts.notify.delivery import BadMessage, Deliverer, DeliverySettings, Route, in_flight_most
from alerts.notify.pauses import Patience
from alerts.notify.remembered import MemoryChannel, take
from alerts.notify.tables import attempt
from alerts.steward import seen
from sensors.errors import StoreError

NOW = 1_700_000_000_000
QUICK = DeliverySettings(poll_s=0.001, retry_s=0.001, retry_most_s=0.001)
BUSY = Answer(outcome=Outcome.RETRY, detail="HTTP 500")


@dataclass
class Clock:
    now: int = NOW

    def __call__(self) -> int:
        return self.now


@dataclass
class Told:
    """Writes down which channels were lost and found."""

    said: list[tuple[str, str]] = field(default_factory=list)

    def lost(self, turn: Turn, name: str, reason: str, now: int) -> None:
        assert turn.wall_ms == NOW <= now
        self.said.append((name, reason))

    def found(self, turn: Turn, name: str, now: int) -> None:
        assert turn.wall_ms == NOW <= now
        self.said.append((name, "found"))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = open_journal(f"sqlite:///{tmp_path / 'alerts.db'}", lambda: NOW)
    yield opened
    opened.close()


def owe(journal: Journal, *notices: str, recipient: str = "li", channel: str = "mail", **other: Any) -> None:
    """Owe messages; the name of a notice is its text."""
    row = {
        "recipient": recipient, "department": "epb", "channel": channel, "address": "li@example.test",
        "kind": "raised", "priority": 3, "subjects": "{}", "payload": "{}", "synthetic": False, "created_at": NOW,
        "due_at": NOW,
    }  # fmt: skip
    with journal.writing() as turn:
        put(turn, [{**row, "notice": notice, **other} for notice in notices])


def message_of(row: Any) -> Message:
    if row.notice == "broken":
        raise BadMessage("nothing can be made of it")
    return Message(
        delivery=row.id, notice=row.notice, kind=row.kind, priority=row.priority, recipient=row.recipient,
        department=row.department, address=row.address, subject=row.notice, text=row.notice, html="",
        synthetic=row.synthetic, created_at=row.created_at, payload={},
    )  # fmt: skip


def made(
    journal: Journal, clock: Clock | None = None, told: Told | None = None, **channels: MemoryChannel | Route
) -> Deliverer:
    routes = {name: one if isinstance(one, Route) else Route(channel=one, local=True) for name, one in channels.items()}
    return Deliverer(
        journal, routes, message_of=message_of, unreachable=told or Told(), wall_ms=clock or Clock(), settings=QUICK
    )


def rows(journal: Journal) -> dict[str, Any]:
    with journal.reading() as connection:
        return {row.notice: row for row in connection.execute(sa.select(delivery))}


def sent(channel: MemoryChannel) -> list[str]:
    return [message.notice for message in channel.taken]


def first_times(count: int, then: Callable[[Message], Answer] = take, answer: Answer = BUSY) -> Callable[..., Answer]:
    left = [count]

    def say(message: Message) -> Answer:
        left[0] -= 1
        return answer if left[0] >= 0 else then(message)

    return say


def test_a_message_goes_out_once_and_is_marked_sent(journal: Journal) -> None:
    mail = MemoryChannel()
    owe(journal, "a")
    deliverer = made(journal, mail=mail)
    assert deliverer.once() == 1
    assert deliverer.once() == 0
    assert sent(mail) == ["a"]
    row = rows(journal)["a"]
    assert (row.state, row.attempts, row.sent_at, row.leased_until) == ("sent", 1, NOW, None)


def test_nothing_goes_before_it_is_due_nor_while_it_is_held(journal: Journal) -> None:
    mail, clock = MemoryChannel(), Clock()
    owe(journal, "later", due_at=NOW + 1_000)
    owe(journal, "quiet", state="held")
    deliverer = made(journal, clock, mail=mail)
    assert deliverer.once() == 0
    clock.now += 1_000
    assert deliverer.once() == 1
    assert sent(mail) == ["later"]


def test_what_is_urgent_overtakes_everything_to_the_same_recipient(journal: Journal) -> None:
    mail = MemoryChannel()
    owe(journal, *[f"old-{number}" for number in range(5)])
    owe(journal, "toxic", priority=1)
    made(journal, mail=mail).once()
    assert sent(mail)[0] == "toxic"
    assert sent(mail)[1:] == [f"old-{number}" for number in range(5)]


def test_retries_keep_the_order_of_a_recipient(journal: Journal) -> None:
    mail, clock = MemoryChannel(first_times(3)), Clock()
    owe(journal, "a", "b", "c")
    deliverer = made(journal, clock, mail=mail)
    for _ in range(5):
        deliverer.once()
        clock.now += 3_600_000
    assert sent(mail) == ["a", "b", "c"]
    assert [message.notice for message in mail.tried] == ["a", "a", "a", "a", "b", "c"]


def test_one_failing_recipient_or_channel_holds_up_no_other(journal: Journal) -> None:
    mail = MemoryChannel(lambda message: BUSY if message.recipient == "li" else take(message))
    sms, down = MemoryChannel(), MemoryChannel(lambda _: BUSY)
    owe(journal, "to-li")
    owe(journal, "to-wang", recipient="wang")
    owe(journal, "by-sms", channel="sms")
    owe(journal, "by-bot", channel="bot")
    made(journal, mail=mail, sms=sms, bot=down).once()
    assert (sent(mail), sent(sms)) == (["to-wang"], ["by-sms"])
    assert {name: row.state for name, row in rows(journal).items()} == {
        "to-li": "failed", "to-wang": "sent", "by-sms": "sent", "by-bot": "failed",
    }  # fmt: skip


def test_an_urgent_message_does_not_wait_for_an_earlier_one_that_pauses(journal: Journal) -> None:
    mail = MemoryChannel(lambda message: BUSY if message.notice == "a" else take(message))
    owe(journal, "a", "b")
    deliverer = made(journal, mail=mail)
    deliverer.once()
    owe(journal, "toxic", priority=1)
    deliverer.once()
    assert sent(mail) == ["toxic"]


def test_pauses_grow_from_attempt_to_attempt(journal: Journal) -> None:
    mail, clock = MemoryChannel(lambda _: BUSY), Clock()
    owe(journal, "a")
    route = Route(channel=mail, local=True, patience=Patience(first_s=5, most_s=60))
    deliverer = made(journal, clock, mail=route)
    pauses = []
    for _ in range(6):
        deliverer.once()
        row = rows(journal)["a"]
        pauses.append((row.next_at - clock.now) // 1_000)
        clock.now = row.next_at - 1
        assert deliverer.once() == 0
        clock.now = row.next_at
    assert pauses == [5, 10, 20, 40, 60, 60]


def test_a_channel_that_asks_for_a_pause_is_left_alone_by_every_recipient(journal: Journal) -> None:
    asked = Answer(outcome=Outcome.RETRY, detail="HTTP 429", wait_ms=120_000)
    mail, clock = MemoryChannel(first_times(1, answer=asked)), Clock()
    owe(journal, "a")
    owe(journal, "b", recipient="wang")
    deliverer = made(journal, clock, mail=Route(channel=mail, local=True, at_once=1, urgent_at_once=0))
    deliverer.once()
    first = len(mail.tried)
    clock.now += 119_999
    assert deliverer.once() == 0
    clock.now += 1
    deliverer.once()
    assert first <= 2
    assert sorted(sent(mail)) == ["a", "b"]


def test_a_channel_that_asks_for_a_long_pause_holds_up_nothing_urgent(journal: Journal) -> None:
    asked = Answer(outcome=Outcome.RETRY, detail="HTTP 429", wait_ms=24 * 3_600_000)
    mail, clock = MemoryChannel(first_times(2, answer=asked)), Clock()
    owe(journal, "ordinary")
    deliverer = made(journal, clock, mail=mail)
    deliverer.once()
    owe(journal, "urgent", priority=1)
    assert deliverer.once() == 1  # it is tried, and refused for a while too
    clock.now += round(Patience().most_s * 1000)
    assert deliverer.once() == 1
    assert sent(mail) == ["urgent"]


def test_a_message_that_is_too_old_is_given_up_after_a_last_attempt_and_that_is_told(journal: Journal) -> None:
    mail, clock, told = MemoryChannel(lambda _: BUSY), Clock(), Told()
    owe(journal, "a", "b")
    route = Route(channel=mail, local=True, patience=Patience(first_s=1_800, most_s=3_600, give_up_h=1))
    deliverer = made(journal, clock, told, mail=route)
    for clock.now in range(NOW, NOW + 3_600_001, 600_000):
        deliverer.once()
    found = rows(journal)
    assert (found["a"].state, found["a"].error, found["a"].attempts) == ("given_up", "HTTP 500", 3)
    assert told.said[0] == ("mail", "HTTP 500")


def test_a_refused_message_is_given_up_at_once_and_lets_the_next_one_pass(journal: Journal) -> None:
    no = Answer(outcome=Outcome.REFUSED, detail="HTTP 404 no such person")
    mail, told = MemoryChannel(lambda message: no if message.notice == "a" else take(message)), Told()
    owe(journal, "a", "b")
    made(journal, told=told, mail=mail).once()
    assert {name: row.state for name, row in rows(journal).items()} == {"a": "given_up", "b": "sent"}
    assert told.said == [("mail:li", "HTTP 404 no such person"), ("mail", "found"), ("mail:li", "found")]


def test_that_a_channel_works_is_told_once_and_again_after_each_loss(journal: Journal) -> None:
    no = Answer(outcome=Outcome.REFUSED, detail="no")
    mail, told = MemoryChannel(lambda message: no if message.notice == "c" else take(message)), Told()
    owe(journal, "a", "b", "c", "d", "e")
    made(journal, told=told, mail=mail).once()
    assert told.said == [("mail", "found"), ("mail:li", "found"), ("mail:li", "no"), ("mail:li", "found")]


def test_nothing_synthetic_leaves_by_a_real_channel(journal: Journal) -> None:
    outside, inside = MemoryChannel(), MemoryChannel()
    owe(journal, "made-up", synthetic=True)
    owe(journal, "to-file", synthetic=True, channel="file")
    owe(journal, "real")
    made(journal, mail=Route(channel=outside, local=False), file=inside).once()
    assert (sent(outside), sent(inside)) == (["real"], ["to-file"])
    row = rows(journal)["made-up"]
    assert (row.state, "synthetic" in row.error) == ("given_up", True)


@pytest.mark.parametrize(
    ("notice", "channel", "said"),
    [("broken", "mail", "nothing can be made of it"), ("a", "gone", "there is no channel 'gone' any more")],
)
def test_what_can_never_be_sent_is_given_up_with_its_reason(
    journal: Journal, notice: str, channel: str, said: str
) -> None:
    owe(journal, notice, channel=channel)
    made(journal, mail=MemoryChannel()).once()
    row = rows(journal)[notice]
    assert (row.state, row.error) == ("given_up", said)


def test_a_fault_of_a_channel_is_an_attempt_that_failed(journal: Journal, caplog: pytest.LogCaptureFixture) -> None:
    def fault(_: Message) -> Answer:
        raise ZeroDivisionError

    owe(journal, "a")
    owe(journal, "b", channel="sms")
    sms = MemoryChannel()
    made(journal, mail=MemoryChannel(fault), sms=sms).once()
    assert rows(journal)["a"].state == "failed"
    assert rows(journal)["a"].error == "a fault of the channel: ZeroDivisionError"
    assert sent(sms) == ["b"]
    assert "channel mail failed" in caplog.text


def test_every_attempt_is_kept(journal: Journal) -> None:
    clock = Clock()
    owe(journal, "a")
    deliverer = made(journal, clock, mail=MemoryChannel(first_times(1)))
    deliverer.once()
    clock.now += 5_000
    deliverer.once()
    with journal.reading() as connection:
        found = list(connection.execute(sa.select(attempt).order_by(attempt.c.number)))
    assert [(one.number, one.at, one.outcome, one.detail) for one in found] == [
        (1, NOW, "retry", "HTTP 500"), (2, NOW + 5_000, "sent", ""),
    ]  # fmt: skip


class _KilledError(BaseException):
    """What a kill is to the code: nothing after it runs."""


def test_a_kill_between_sending_and_marking_repeats_that_message_alone(journal: Journal) -> None:
    mail, clock = MemoryChannel(), Clock()

    def die(message: Message) -> Answer:
        if message.notice == "b":
            mail.taken.append(message)
            raise _KilledError
        return take(message)

    owe(journal, "a", "b", "c")
    mail.answer = die
    with pytest.raises(_KilledError):
        made(journal, clock, mail=mail).once()
    mail.answer = take
    after = made(journal, clock, mail=mail)
    assert after.once() == 0  # the lease of the killed one still runs, and order is kept
    clock.now += 60_000
    after.once()
    assert sent(mail) == ["a", "b", "b", "c"]
    first, second = (message.delivery for message in mail.taken if message.notice == "b")
    assert first == second


def test_two_deliverers_on_one_queue_send_each_message_once(journal: Journal) -> None:
    mail = MemoryChannel()
    owe(journal, *[str(number) for number in range(30)])
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(made(journal, mail=mail).once) for _ in range(2)]:
            done.result()
    made(journal, mail=mail).once()
    assert sent(mail) == [str(number) for number in range(30)]


def test_a_receipt_that_comes_before_the_mark_stands(journal: Journal) -> None:
    def quick(message: Message) -> Answer:
        with journal.noting() as turn:
            turn.connection.execute(
                sa.update(delivery).where(delivery.c.id == message.delivery).values(state="received", received_at=NOW)
            )
        return take(message)

    owe(journal, "a")
    made(journal, mail=MemoryChannel(quick)).once()
    row = rows(journal)["a"]
    assert (row.state, row.sent_at, row.received_at) == ("received", NOW, NOW)


def test_a_channel_keeps_its_pace_and_lets_what_is_urgent_pass(journal: Journal) -> None:
    bot, clock = MemoryChannel(), Clock()
    owe(journal, "a", "b", "c")
    deliverer = made(journal, clock, mail=Route(channel=bot, local=True, per_minute=20))
    deliverer.once()
    owe(journal, "toxic", priority=1)
    deliverer.once()
    assert sent(bot) == ["a", "toxic"]
    clock.now += 3_000
    deliverer.once()
    assert sent(bot) == ["a", "toxic", "b"]


def test_the_loop_sends_everything_in_order_and_leaves_a_sign_of_life(journal: Journal) -> None:
    stop, clock = threading.Event(), Clock()
    people = [f"p{number}" for number in range(6)]
    for person in people:
        owe(journal, *[f"{person}-{number}" for number in range(8)], recipient=person)

    def last(message: Message) -> Answer:
        if len(mail.taken) == 47:
            stop.set()
        return take(message)

    mail = MemoryChannel(last)
    made(journal, clock, mail=Route(channel=mail, local=True, at_once=1, urgent_at_once=0)).run(stop)
    for person in people:
        assert [one for one in sent(mail) if one.startswith(person)] == [f"{person}-{number}" for number in range(8)]
    with journal.reading() as connection:
        assert seen(connection, "delivery") == NOW


def test_hung_recipients_leave_room_for_what_is_urgent(journal: Journal) -> None:
    stop, release = threading.Event(), threading.Event()

    def hang(message: Message) -> Answer:
        if message.priority > 1:
            release.wait(20)
        else:
            release.set()
            stop.set()
        return take(message)

    mail = MemoryChannel(hang)
    for number in range(5):
        owe(journal, f"slow-{number}", recipient=f"p{number}")
    owe(journal, "toxic", recipient="p9", priority=1)
    made(journal, mail=Route(channel=mail, local=True, at_once=2, urgent_at_once=1)).run(stop)
    assert sent(mail)[0] == "toxic"


def test_the_bound_on_repeats_is_what_can_be_in_flight() -> None:
    one = Route(channel=MemoryChannel(), local=True, at_once=4, urgent_at_once=2)
    two = Route(channel=MemoryChannel(), local=True, at_once=1, urgent_at_once=0)
    assert in_flight_most({"mail": one, "sms": two}) == 7
    assert in_flight_most({}) == 0


def test_while_the_database_is_away_what_was_sent_is_not_forgotten(journal: Journal) -> None:
    stop = threading.Event()

    class Flaky:
        """A journal that fails each third transaction for a while."""

        left, calls = 4, 0

        def __getattr__(self, name: str) -> Any:
            if name in {"reading", "noting", "writing"} and self.left:
                self.calls += 1
                if self.calls % 3 == 0:
                    self.left -= 1
                    raise StoreError("away")
            return getattr(journal, name)

    def last(message: Message) -> Answer:
        if message.notice == "c":
            stop.set()
        return take(message)

    owe(journal, "a", "b", "c")
    mail, flaky = MemoryChannel(last), Flaky()
    deliverer = Deliverer(
        flaky,  # type: ignore[arg-type]  # stands for a journal
        {"mail": Route(channel=mail, local=True)},
        message_of=message_of, unreachable=Told(), wall_ms=Clock(), settings=QUICK,
    )  # fmt: skip
    deliverer.run(stop)
    assert sent(mail) == ["a", "b", "c"]
    assert {row.attempts for row in rows(journal).values()} == {1}
