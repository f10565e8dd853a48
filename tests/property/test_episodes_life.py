"""The life of events against a model: arrivals, revisions, people, restarts and repeats in any sequence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from alerts.desk import Alert, Desk, Part
from alerts.events import Change, Fact
from alerts.journal import Journal, open_journal
from alerts.keeper import Keeper
from alerts.states import Act, Deed, State, WrongTransition, next_state
from tests.unit.alerts.building import HOUR_0, T0, columns, judge, only, row

HOURS = 10
VALUES = st.sampled_from([10, 80, 95, None])
RULES = only("pm25-1h")


class EventLife(RuleBasedStateMachine):
    """The journal, beside a model of plain dictionaries."""

    journal: Journal

    @initialize()
    def begin(self) -> None:
        self.journal = open_journal("sqlite://", lambda: 0)
        self.keeper = Keeper(judge(RULES), RULES, first_reach=1)
        self.desk = Desk(self.journal)
        self.newest: dict[int, tuple[int, int | None]] = {}
        self.sent: list[list[dict[str, Any]]] = []
        self.states: dict[str, State] = {}
        self.ids: set[str] = set()
        self.clock = T0
        self.seen = 0

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self.journal.close()

    def _send(self, rows: list[dict[str, Any]]) -> int:
        with self.journal.writing() as turn:
            self.keeper.take(columns(*rows), turn)
            return self.keeper.save(turn)

    def _lose(self, one: dict[str, Any]) -> None:
        with self.journal.writing() as turn:
            self.keeper.take(columns(one), turn)
            self.keeper.save(turn)
            raise InterruptedError

    @rule(hours=st.dictionaries(st.integers(0, HOURS - 1), VALUES, min_size=1, max_size=4))
    def results_come(self, hours: dict[int, int | None]) -> None:
        self.clock += 60_000
        rows = []
        for hour, value in hours.items():
            revision = self.newest.get(hour, (0, None))[0] + 1
            self.newest[hour] = (revision, value)
            rows.append(row(hour=hour, value=value, revision=revision, at=self.clock))
        self.sent.append(rows)
        self._send(rows)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def results_come_again(self, data: st.DataObject) -> None:
        assert self._send(data.draw(st.sampled_from(self.sent))) == 0

    @rule()
    def the_watch_starts_again(self) -> None:
        self.keeper.forget()
        self.keeper = Keeper(judge(RULES), RULES, first_reach=2)

    @precondition(lambda self: self.newest)
    @rule(hour=st.integers(0, HOURS - 1))
    def a_transaction_is_lost(self, hour: int) -> None:
        before = self.desk.newest_change()
        with pytest.raises(InterruptedError):
            self._lose(row(hour=hour, value=99, revision=99, at=self.clock))
        self.keeper.forget()
        assert self.desk.newest_change() == before

    @precondition(lambda self: self.states)
    @rule(data=st.data(), act=st.sampled_from([Act.ACKNOWLEDGE, Act.CLOSE]))
    def a_person_acts(self, data: st.DataObject, act: Act) -> None:
        event_id = data.draw(st.sampled_from(sorted(self.states)))
        expected = next_state(self.states[event_id], act)
        if expected.allowed:
            self._act(event_id, act)
            self.states[event_id] = expected.state
        else:
            with pytest.raises(WrongTransition) as refused:
                self._act(event_id, act)
            assert refused.value.reason is expected.reason

    def _act(self, event_id: str, act: Act) -> None:
        if act is Act.ACKNOWLEDGE:
            self.desk.acknowledge(event_id, "张三", self.clock)
        else:
            self.desk.close(event_id, "张三", "已核实", self.clock)

    @invariant()
    def states_are_those_of_the_model(self) -> None:
        if not hasattr(self, "journal"):
            return
        told = self.desk.changes_since(self.seen)
        for step in told.steps:
            if step.kind in {Change.RAISED, Change.RAISED_AGAIN}:
                self.states[step.event] = State.RAISED
        self.seen = told.cursor
        alerts = self.desk.events().alerts
        assert {alert.id: alert.event.state for alert in alerts} == self.states
        assert self.ids <= set(self.states)
        self.ids = set(self.states)

    @invariant()
    def live_events_are_the_stretches_over(self) -> None:
        if not hasattr(self, "journal"):
            return
        live = [alert for alert in self.desk.events().alerts if alert.event.fact in {Fact.GOING_ON, Fact.CLEARED}]
        assert sorted((alert.event.start, alert.event.last) for alert in live) == self._stretches()

    def _stretches(self) -> list[tuple[int, int]]:
        found: list[list[int]] = []
        open_now = False
        for hour in range(max(self.newest, default=-1) + 1):
            value = self.newest.get(hour, (0, 10))[1]
            if value is None:
                continue
            if value <= 75:
                open_now = False
            elif open_now:
                found[-1][1] = hour + 1
            else:
                found.append([hour, hour + 1])
                open_now = True
        return [((HOUR_0 + first) * 3_600_000, (HOUR_0 + last) * 3_600_000) for first, last in found]

    @invariant()
    def every_event_has_one_history(self) -> None:
        if not hasattr(self, "journal"):
            return
        for alert in self.desk.events().alerts:
            kinds = [step.kind for step in self.desk.why(alert.id).steps]
            assert kinds.count(Change.RAISED) == 1
            assert kinds[0] is Change.RAISED
            assert sum(kind is Deed.CLOSED for kind in kinds) <= sum(kind is Deed.ACKNOWLEDGED for kind in kinds)

    @invariant()
    def what_waits_is_open_and_unjoined(self) -> None:
        if not hasattr(self, "journal"):
            return
        waiting: tuple[Alert, ...] = sum((self.desk.open_events(part) for part in Part), ())
        for alert in waiting:
            assert alert.event.state is not State.CLOSED
            assert alert.event.fact is not Fact.JOINED


EventLife.TestCase.settings = settings(deadline=None, max_examples=25, stateful_step_count=20)
TestEventLife = EventLife.TestCase
