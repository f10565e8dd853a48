"""Cases against databases: a restart in every state, several keepers at once, kills over a day of incidents."""

from __future__ import annotations

import os
import random
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
import sqlalchemy as sa

from alerts import tables as t
from alerts.cases import tables as ct
from alerts.cases.record import StepKind
from alerts.cases.states import CaseAct, CaseState
from alerts.events import Change, Changed, Fact
from alerts.queue import Counts, Queue
from tests.unit.alerts.cases.building import HOUR_MS, MINUTE_MS, POLICY, Town, event
from tests.unit.alerts.cases.test_incidents import raised

pytestmark = pytest.mark.integration
SOAK = "JIANHU_SOAK" in os.environ
LIFE = (
    (CaseAct.ACKNOWLEDGE, CaseState.ACKNOWLEDGED), (CaseAct.VERIFY, CaseState.VERIFIED),
    (CaseAct.HAND_OVER, CaseState.HANDED_OVER), (CaseAct.URGE, CaseState.URGED),
    (CaseAct.RECTIFY, CaseState.RECTIFIED), (CaseAct.REPORT, CaseState.REPORTED),
    (CaseAct.WRITE_OFF, CaseState.WRITTEN_OFF), (CaseAct.REOPEN, CaseState.RAISED),
)  # fmt: skip
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'alerts.db'}"
        return
    address = request.getfixturevalue("postgres")
    yield address
    engine = sa.create_engine(address)
    t.metadata.drop_all(engine)
    engine.dispose()


def anew(town: Town) -> Town:
    """Return everything started again over the same database, by new connections."""
    town.close()
    after = Town(town.url)
    after.now = town.now
    return after


def test_a_case_goes_on_after_a_restart_in_every_state(url: str) -> None:
    town = Town(url)
    first = town.raise_event()
    (case,) = town.desk.cases().cases
    town.become(first, Change.CLEARED, Fact.CLEARED)
    for act, state in LIFE:
        before = town.desk.case(case.id)
        town = anew(town)
        assert town.desk.case(case.id) == before
        assert town.act(case.id, act).state is state
        town.settle()
    file = town.desk.case(case.id)
    assert (file.case.reopened, file.case.events) == (1, 1)
    assert [step.kind for step in file.steps if step.author == "王芳"] == [
        StepKind.ACKNOWLEDGED, StepKind.VERIFIED, StepKind.HANDED_OVER, StepKind.URGED, StepKind.RECTIFIED,
        StepKind.REPORTED, StepKind.WRITTEN_OFF, StepKind.REOPENED,
    ]  # fmt: skip
    town.close()


def test_the_one_queue_is_ordered_and_counted_in_both_databases(url: str) -> None:
    town = Town(url)
    queue = Queue(town.journal, town.desk)
    assert (queue.items(town.now), queue.counts(town.now)) == ((), Counts())
    town.raise_event("A")
    (case,) = town.desk.cases().cases
    town.act(case.id, CaseAct.ACKNOWLEDGE)
    town.later(3 * 24 * HOUR_MS)
    town.raise_event("V1", priority=3)
    town.raise_event("S", priority=1)
    assert [item.alert.event.key.site for item in queue.items(town.now)] == ["S", "V1", "A"]
    assert queue.counts(town.now) == Counts(raised=2, urgent=1, overdue=1, in_hand=1)
    town.close()


def test_lists_recurrence_parties_and_deadlines_are_the_same_in_both_databases(url: str) -> None:
    town = Town(url)
    town.sides, town.departments = ("shengzhou",), ("water",)
    town.raise_event("H", "water-target", factor="over_target")
    town.later(3 * HOUR_MS)
    town.raise_event("S", "source-class", factor="class")
    town.raise_event("A")
    town.later(MINUTE_MS)
    queue = town.desk.open_cases(town.now)
    assert [case.site for case in queue] == ["S", "H", "A"]
    assert town.desk.count_open(town.now)["overdue"] == 1
    assert [party.id for party in town.desk.case(queue[1].id).parties] == [
        "area:county-1", "area:shengzhou", "department:water",
    ]  # fmt: skip
    assert town.desk.black_list(town.now) == ()
    town.close()


def test_two_keepers_over_one_database_double_nothing(url: str) -> None:
    town, other = Town(url), Town(url)
    for hour in range(0, 40, 2):
        town.change(raised("A", hour), raised("B", hour))
        town.steward.once()
        other.steward.once()
    town.settle()
    other.settle()
    assert [case.events for case in town.desk.cases().cases] == [20, 20]
    for one in (town, other):
        one.close()


def test_two_incidents_and_ten_thousand_repeats_make_two_files(url: str) -> None:
    repeats = 10_000 if SOAK else 600
    town = Town(url)
    town.change(raised("A", 0), raised("B", 0))
    town.settle()
    first, second = town.desk.cases().cases
    town.act(first.id, CaseAct.ACKNOWLEDGE)
    for start in range(0, repeats, 500):
        hours = range(start + 1, min(start + 500, repeats) + 1)
        town.change(*(raised("A" if hour % 2 else "B", 2 * hour) for hour in hours))
        town.settle()
    cases = town.desk.cases().cases
    assert {case.id for case in cases} == {first.id, second.id}
    assert sum(case.events for case in cases) == repeats + 2
    source = town.raise_event("S", "source-class", factor="class")
    assert town.desk.open_cases(town.now)[0].opened_by == source.id
    assert town.desk.case(first.id).more_events > 0
    town.close()


RUNNER = """
import os, sys, time
from pathlib import Path
from tests.unit.alerts.cases.building import Town
while child := os.fork():
    print(child, flush=True)
    os.waitpid(child, 0)
town = Town(sys.argv[1])
while True:
    town.now = int(Path(sys.argv[2]).read_text())
    town.steward.once()
    time.sleep(0.001)
"""
"""A parent that starts the steward with the keeper of cases, on the clock of the test, and starts it again."""
PLACES = {"A": ("pm25-1h", "PM2.5"), "B": ("pm25-1h", "PM2.5"), "S": ("source-class", "class")}


def test_over_a_day_of_incidents_under_kill_9_no_event_is_missed_no_case_doubled_and_timers_go_on(
    tmp_path: Path,
) -> None:
    seed = secrets.randbits(32)
    chance = random.Random(seed)  # noqa: S311 - no secret: said when the test fails
    events, kills = (600, 300) if SOAK else (120, 40)
    clock, url = tmp_path / "clock", f"sqlite:///{tmp_path / 'alerts.db'}"
    town, made = Town(url), []
    began, moments = town.now, set(chance.sample(range(events), kills))
    clock.write_text(str(began))
    with _Runner(url, clock) as runner:
        for number in range(events):
            place = chance.choice(sorted(PLACES)) if number >= len(PLACES) else sorted(PLACES)[number]
            rule, factor = PLACES[place]
            town.now = began + number * 24 * HOUR_MS // events
            _set(clock, town.now)
            made.append(event(place, rule, hour=2 * number, factor=factor))
            town.change(Changed(event=made[-1], change=Change.RAISED, before=None))
            if number in moments:
                time.sleep(chance.uniform(0, 0.05))
                runner.kill()
        ended = began + 30 * HOUR_MS
        _set(clock, ended)
        _until_done(url, len(made), ended)
    town.close()
    after = Town(url)
    _check(after, [one.id for one in made], ended, seed)
    after.close()


class _Runner:
    """A process that is killed and started again."""

    def __init__(self, url: str, clock: Path) -> None:
        self._command = [sys.executable, "-c", RUNNER, url, str(clock)]

    def __enter__(self) -> Self:
        self._parent = subprocess.Popen(
            self._command, cwd=ROOT, env=os.environ | {"PYTHONPATH": "."}, stdout=subprocess.PIPE, text=True
        )
        self._wait_for_child()
        return self

    def __exit__(self, *_: object) -> None:
        self._parent.kill()  # first: it would start another
        self._parent.wait()
        os.kill(self._child, signal.SIGKILL)
        assert self._parent.stdout is not None
        self._parent.stdout.close()

    def kill(self) -> None:
        """Kill it with -9, wherever it is; its parent starts it again."""
        os.kill(self._child, signal.SIGKILL)
        self._wait_for_child()

    def _wait_for_child(self) -> None:
        assert self._parent.stdout is not None
        self._child = int(self._parent.stdout.readline())


def _set(clock: Path, now: int) -> None:
    fresh = clock.with_suffix(".new")
    fresh.write_text(str(now))
    fresh.replace(clock)


def _until_done(url: str, events: int, now: int) -> None:
    """Wait until every event is in a case and nothing is due any more."""
    engine, limit = sa.create_engine(url), time.monotonic() + 60
    members = sa.select(sa.func.count()).select_from(ct.member)
    late = sa.select(sa.func.count()).select_from(ct.case).where(ct.case.c.next_at <= now)
    while True:
        with engine.connect() as connection:
            taken, due = connection.execute(members).scalar_one(), connection.execute(late).scalar_one()
        if taken >= events and not due:
            engine.dispose()
            return
        assert time.monotonic() < limit, f"{taken} of {events} events are in a case, {due} cases are due"
        time.sleep(0.05)


def _check(town: Town, events: list[str], now: int, seed: int) -> None:
    cases = town.desk.cases().cases
    with town.journal.reading() as connection:
        members = connection.execute(sa.select(ct.member.c.event)).scalars().all()
        steps = connection.execute(sa.select(ct.step.c.case, ct.step.c.kind, ct.step.c.at)).all()
    assert sorted(members) == sorted(events), seed  # none missed, none in two cases
    assert [case.key for case in sorted(cases, key=lambda one: one.key)] == [
        "air::site:A", "air::site:B", "water::site:S",
    ], seed  # fmt: skip
    assert [kind for _, kind, _ in steps].count(StepKind.OPENED) == 3, seed
    assert [kind for _, kind, _ in steps].count(StepKind.EVENT_ADDED) == len(events) - 3, seed
    for case in cases:  # every step of the ladder once, dated by when it was due
        told = [at for which, kind, at in steps if which == case.id and kind == StepKind.OVERDUE]
        assert case.due_at is not None
        rungs = (case.due_at + rung.after_ms for rung in POLICY.deadlines[case.priority].ladder)
        assert told[:5] == [at for at in rungs if at <= now], seed
