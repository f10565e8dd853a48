"""Laws of delivery: whatever channels answer, each message is taken once, in the order of its recipient."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.journal import Turn, open_journal
from alerts.notices.outbox import put
from alerts.notify.channels import Answer, Message, Outcome
from alerts.notify.delivery import Deliverer, Route
from alerts.notify.pauses import Delivered, Patience, after, pause_ms
from alerts.notify.remembered import MemoryChannel
from tests.unit.alerts.notify.test_delivery import NOW, Told, message_of, rows

HOUR_MS = 3_600_000
outcomes = st.lists(st.sampled_from([Outcome.SENT, Outcome.RETRY, Outcome.RECEIVED]), max_size=40)
owed = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from(["mail", "sms"]), st.sampled_from([1, 3])), min_size=1, max_size=12
)


@dataclass
class Clock:
    now: int = NOW

    def __call__(self) -> int:
        return self.now


@dataclass
class Script:
    """Answers as it is told, then takes everything; kills the sender after some attempts."""

    said: list[Outcome]
    kills: set[int] = field(default_factory=set)
    count: int = 0

    def __call__(self, message: Message) -> Answer:
        del message
        self.count += 1
        if self.count in self.kills:
            raise _KilledError
        return Answer(outcome=self.said.pop(0) if self.said else Outcome.SENT)


class _KilledError(BaseException):
    pass


class _Quiet(Told):
    def lost(self, turn: Turn, name: str, reason: str, now: int) -> None:
        del turn, name, reason, now

    def found(self, turn: Turn, name: str, now: int) -> None:
        del turn, name, now


@given(owed=owed, said=outcomes, kills=st.sets(st.integers(1, 12), max_size=3))
@settings(max_examples=25, deadline=None)
def test_each_message_is_taken_in_the_order_of_its_recipient_over_failures_and_kills(
    owed: list[tuple[str, str, int]], said: list[Outcome], kills: set[int]
) -> None:
    journal, clock = open_journal("sqlite://", lambda: NOW), Clock()
    script = Script(list(said), kills)
    channels = {name: MemoryChannel(script) for name in ("mail", "sms")}
    try:
        for number, (person, channel, priority) in enumerate(owed):
            _owe(journal, f"{number:02}", person, channel, priority)
        for _ in range(200):
            routes = {name: Route(channel=one, local=True) for name, one in channels.items()}
            made = Deliverer(journal, routes, message_of=message_of, unreachable=_Quiet(), wall_ms=clock)
            with suppress(_KilledError):
                made.once()
            if all(row.state in {"sent", "received"} for row in rows(journal).values()):
                break
            clock.now += 60_000
        for name, held in channels.items():
            for person in "ab":
                for urgent in (True, False):
                    mine = [
                        f"{number:02}" for number, (to, by, priority) in enumerate(owed)
                        if (to, by, priority <= 1) == (person, name, urgent)
                    ]  # fmt: skip
                    got = [m.notice for m in held.taken if m.recipient == person and (m.priority <= 1) is urgent]
                    assert got == mine
    finally:
        journal.close()


def _owe(journal: Any, notice: str, recipient: str, channel: str, priority: int) -> None:
    row = {
        "notice": notice, "recipient": recipient, "department": "epb", "channel": channel, "address": "x",
        "kind": "raised", "priority": priority, "subjects": "{}", "payload": "{}", "synthetic": False,
        "created_at": NOW, "due_at": NOW,
    }  # fmt: skip
    with journal.writing() as turn:
        put(turn, [row])


patiences = st.builds(Patience, first_s=st.floats(0.1, 60), most_s=st.floats(60, 3_600), give_up_h=st.floats(0.1, 48))


@given(patience=patiences, attempts=st.integers(1, 10_000))
def test_pauses_never_shrink_and_never_pass_their_bound(patience: Patience, attempts: int) -> None:
    assert pause_ms(attempts, patience) <= pause_ms(attempts + 1, patience) <= round(patience.most_s * 1_000)


@given(
    patience=patiences,
    attempts=st.integers(1, 50),
    age=st.integers(0, 72 * HOUR_MS),
    wait=st.none() | st.integers(0, HOUR_MS),
)
def test_nothing_waits_beyond_its_give_up_age_and_nothing_is_tried_at_once(
    patience: Patience, attempts: int, age: int, wait: int | None
) -> None:
    last = NOW + round(patience.give_up_h * HOUR_MS)
    then = after(Answer(outcome=Outcome.RETRY, wait_ms=wait), attempts, NOW, NOW + age, patience)
    if NOW + age >= last:
        assert then.state is Delivered.GIVEN_UP
    else:
        assert then.at is not None
        assert NOW + age < then.at <= last
        assert then.at == last or then.at - (NOW + age) >= max(pause_ms(attempts, patience), wait or 0)
