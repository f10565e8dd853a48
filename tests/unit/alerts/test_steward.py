from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from alerts.events import Change
from alerts.journal import Journal, Turn, open_journal
from alerts.keeper import Keeper
from alerts.rules import Rules
from alerts.steward import Noted, Steward, StewardSettings, cursor_of, seen
from alerts.verdicts import Judge
from sensors.clock import HOUR_MS
from sensors.errors import StoreError
from tests.unit.alerts.building import T0, columns, judge, only, row

WALL = 1_700_000_000_000
_heard = sa.Table("test_heard", sa.MetaData(), sa.Column("number", sa.Integer), sa.Column("kind", sa.Text))
QUICK = StewardSettings(poll_s=0.0, retry_s=0.0, retry_most_s=0.0)


@dataclass
class Ear:
    """Writes down what it hears, in the transaction that it was given."""

    name: str = "ear"
    fails: int = 0
    due_at: int | None = None
    asked: list[int] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    before_end: Callable[[], None] = lambda: None

    def take(self, turn: Turn, steps: Sequence[Noted], now: int) -> None:
        assert now >= WALL
        turn.connection.execute(
            sa.insert(_heard), [{"number": one.step.number, "kind": f"{self.name} {one.step.kind}"} for one in steps]
        )
        self.batches.append(len(steps))
        self.before_end()
        if self.fails:
            self.fails -= 1
            raise RuntimeError(self.name)

    def due(self, turn: Turn, now: int) -> int | None:
        assert turn.wall_ms == WALL
        self.asked.append(now)
        return self.due_at


@dataclass
class Clock:
    now: int = WALL

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = open_journal(f"sqlite:///{tmp_path / 'alerts.db'}", lambda: WALL)
    with opened.writing() as turn:
        _heard.metadata.create_all(turn.connection)
    yield opened
    opened.close()


@cache
def known() -> tuple[Rules, Judge]:
    rules = only("pm25-1h")
    return rules, judge(rules)


def judged(journal: Journal, *values: int) -> None:
    """Judge hours, each in a message of its own: over 75 raises an event, two lower ones clear it."""
    rules, held = known()
    for hour, value in enumerate(values):
        with journal.writing() as turn:
            keeper = Keeper(held, rules)
            keeper.take(columns(row(hour=hour, value=value, at=T0 + (hour + 1) * HOUR_MS)), turn)
            keeper.save(turn)


def heard(journal: Journal) -> list[tuple[int, str]]:
    with journal.reading() as connection:
        return [(one.number, one.kind) for one in connection.execute(sa.select(_heard))]


def test_a_follower_gets_every_step_once_and_in_order(journal: Journal) -> None:
    judged(journal, 80, 10, 10, 80)
    steward = Steward(journal, [Ear()], Clock(), QUICK)
    taken = steward.once()
    numbers = [number for number, _ in heard(journal)]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == taken > 1
    assert heard(journal)[0][1] == f"ear {Change.RAISED}"
    assert steward.once() == 0
    assert Steward(journal, [Ear()], Clock(), QUICK).once() == 0
    assert len(heard(journal)) == taken


def test_a_follower_knows_the_event_of_each_step_as_it_stands_now(journal: Journal) -> None:
    judged(journal, 80, 90)
    got: list[Noted] = []

    class Keep(Ear):
        def take(self, turn: Turn, steps: Sequence[Noted], now: int) -> None:
            del turn, now
            got.extend(steps)

    Steward(journal, [Keep()], Clock(), QUICK).once()
    assert {one.event.id for one in got} == {one.step.event for one in got}
    assert {one.event.peak.value for one in got} == {9000}


def test_what_a_failing_follower_wrote_is_undone_with_its_cursor_and_done_again(journal: Journal) -> None:
    judged(journal, 80)
    steward = Steward(journal, [Ear(fails=1)], Clock(), QUICK)
    with pytest.raises(ExceptionGroup, match="followers failed"):
        steward.once()
    assert heard(journal) == []
    with journal.reading() as connection:
        assert cursor_of(connection, "ear") is None
    assert steward.once() == 1
    assert len(heard(journal)) == 1


def test_one_broken_follower_does_not_silence_the_others(journal: Journal) -> None:
    judged(journal, 80)
    steward = Steward(journal, [Ear(name="broken", fails=9), Ear(name="well")], Clock(), QUICK)
    with pytest.raises(ExceptionGroup) as told:
        steward.once()
    assert [str(one) for one in told.value.exceptions] == ["broken"]
    assert [kind for _, kind in heard(journal)] == ["well raised"]


def test_many_steps_are_taken_in_parts_of_a_bounded_size(journal: Journal) -> None:
    judged(journal, 80, 10, 10, 80, 10, 10, 80)
    ear = Ear()
    steward = Steward(journal, [ear], Clock(), StewardSettings(steps_at_once=2))
    total = 0
    while taken := steward.once():
        total += taken
    assert total == len(heard(journal)) == sum(ear.batches)
    assert max(ear.batches) == 2


def test_a_follower_is_woken_when_something_is_due_and_not_before(journal: Journal) -> None:
    ear, clock = Ear(due_at=WALL + 3_000), Clock()
    steward = Steward(journal, [ear], clock, StewardSettings(ask_again_s=60))
    for clock.now in (WALL, WALL + 1_000, WALL + 2_999):
        steward.once()
    assert ear.asked == [WALL]
    clock.now = WALL + 3_000
    ear.due_at = None
    steward.once()
    assert ear.asked == [WALL, WALL + 3_000]


def test_a_time_that_came_while_nobody_ran_is_due_at_the_next_start(journal: Journal) -> None:
    Steward(journal, [Ear(due_at=WALL + 1_000)], Clock(), QUICK).once()
    ear = Ear()
    Steward(journal, [ear], Clock(WALL + HOUR_MS), QUICK).once()
    assert ear.asked == [WALL + HOUR_MS]


@pytest.mark.parametrize("moved", [5_000, -1])
def test_a_follower_is_asked_again_after_a_while_and_when_the_clock_was_set_back(journal: Journal, moved: int) -> None:
    ear, clock = Ear(), Clock(WALL + 100)
    steward = Steward(journal, [ear], clock, StewardSettings(ask_again_s=5))
    steward.once()
    clock.now += moved
    steward.once()
    assert len(ear.asked) == 2


def test_every_turn_leaves_a_sign_of_life(journal: Journal) -> None:
    clock = Clock()
    steward = Steward(journal, [Ear()], clock, StewardSettings(ask_again_s=5))
    steward.once()
    clock.now += 7_000
    steward.once()
    with journal.reading() as connection:
        assert seen(connection, "ear") == WALL + 7_000
        assert seen(connection, "nobody") is None


def test_two_stewards_on_one_journal_do_each_step_once(journal: Journal) -> None:
    judged(journal, 80)
    stewards = [Steward(journal, [Ear()], Clock(), QUICK) for _ in range(2)]
    assert sorted(steward.once() for steward in stewards) == [0, 1]
    assert len(heard(journal)) == 1


def test_the_steward_waits_while_the_database_is_away_and_loses_nothing(journal: Journal) -> None:
    judged(journal, 80)
    stop = threading.Event()

    class Away:
        """A journal whose database is away for the first three questions."""

        left = 3

        def __getattr__(self, name: str) -> Any:
            if name == "reading" and self.left:
                self.left -= 1
                raise StoreError("the alert journal could not read: OperationalError")
            return getattr(journal, name)

    away: Any = Away()
    Steward(away, [Ear(before_end=stop.set)], Clock(), QUICK).run(stop)
    assert away.left == 0
    assert len(heard(journal)) == 1


def test_the_steward_ends_when_it_is_told_to(journal: Journal) -> None:
    stop = threading.Event()
    stop.set()
    ear = Ear()
    Steward(journal, [ear], Clock(), QUICK).run(stop)
    assert ear.asked == []
