"""The life of cases against a model: acts of people, what becomes of events, time and restarts in any order."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from alerts.cases.life import ActIncomplete
from alerts.cases.record import Case, StepKind
from alerts.cases.states import CaseAct, CaseState, Verdict, WrongCaseAct
from alerts.events import Change, Event, Fact
from alerts.states import State
from tests.unit.alerts.cases.building import DAY_MS, HOUR_MS, Town
from tests.unit.alerts.cases.test_states import ALLOWED

S, A, V = CaseState, CaseAct, Verdict
AFTER = {
    (A.ACKNOWLEDGE): S.ACKNOWLEDGED, A.VERIFY: S.VERIFIED, A.HAND_OVER: S.HANDED_OVER, A.URGE: S.URGED,
    A.RECTIFY: S.RECTIFIED, A.REPORT: S.REPORTED, A.WRITE_OFF: S.WRITTEN_OFF, A.REOPEN: S.RAISED,
}  # fmt: skip
BECOMES = {
    Fact.GOING_ON: [(Change.CLEARED, Fact.CLEARED), (Change.WITHDRAWN, Fact.WITHDRAWN)],
    Fact.CLEARED: [(Change.WENT_ON, Fact.GOING_ON), (Change.WITHDRAWN, Fact.WITHDRAWN)],
    Fact.WITHDRAWN: [(Change.RAISED_AGAIN, Fact.GOING_ON)],
}


class CaseLife(RuleBasedStateMachine):
    """One incident beside a model of plain values; the relapse of a case never ends here."""

    @initialize()
    def begin(self) -> None:
        self.town = Town()
        self.facts: list[Event] = []
        self.state = S.RAISED
        self.verdict = V.OPEN
        self.reopened = 0
        self.refused = self.moved = 0
        self.hour = 0
        self.event_comes()

    def teardown(self) -> None:
        if hasattr(self, "town"):
            self.town.close()

    @property
    def case(self) -> Case:
        (found,) = self.town.desk.cases().cases
        return found

    @property
    def withdrawn(self) -> bool:
        return all(one.fact is Fact.WITHDRAWN for one in self.facts)

    def _may(self, act: CaseAct) -> bool:
        if act is A.WRITE_OFF:
            if self.withdrawn and self.state in {S.ACKNOWLEDGED, S.VERIFIED, S.HANDED_OVER, S.URGED, S.RECTIFIED}:
                return True
            if self.state is S.VERIFIED:
                return self.verdict in {V.DATA_FAULT, V.PLANNED}
            return self.state is S.REPORTED and all(one.fact is not Fact.GOING_ON for one in self.facts)
        if act is A.HAND_OVER and self.state is S.VERIFIED:
            return self.verdict is V.TRUE
        return act in ALLOWED[self.state] | {A.NOTE}

    @rule()
    def event_comes(self) -> None:
        self.hour += 3
        self.facts.append(self.town.raise_event("A", hour=self.hour))
        if self.state is S.WRITTEN_OFF:
            self.state, self.verdict, self.reopened = S.RAISED, V.OPEN, self.reopened + 1

    @rule(data=st.data())
    def something_becomes_of_an_event(self, data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(self.facts) - 1))
        before = self.facts[place]
        change, fact = data.draw(st.sampled_from(BECOMES[before.fact]))
        if self.state is S.WRITTEN_OFF and change in {Change.WENT_ON, Change.RAISED_AGAIN}:
            self.state, self.verdict, self.reopened = S.RAISED, V.OPEN, self.reopened + 1
        self.facts[place] = self.town.become(before, change, fact)

    @rule(act=st.sampled_from(A), verdict=st.sampled_from([V.TRUE, V.TRUE, V.DATA_FAULT, V.PLANNED]))
    def somebody_acts(self, act: CaseAct, verdict: Verdict) -> None:
        other: dict[str, Any] = {"verdict": verdict} if act is A.VERIFY else {}
        if not self._may(act):
            before = self._history()
            try:
                self.town.act(self.case.id, act, **other)
            except WrongCaseAct as refused:
                assert refused.state is self.state  # noqa: PT017
                assert self._history() == before
                self.refused += 1
                return
            raise AssertionError((self.state, act))
        empty = act is A.WRITE_OFF and self.withdrawn and self.verdict is not V.PLANNED
        self.town.act(self.case.id, act, **other)
        self.state = AFTER.get(act, self.state)
        if act is A.VERIFY:
            self.verdict = verdict
        if empty and not (self.state is S.WRITTEN_OFF and self.verdict is V.TRUE and self._was_reported()):
            self.verdict = V.DATA_FAULT
        if act is A.REOPEN:
            self.verdict, self.reopened = V.OPEN, self.reopened + 1

    def _was_reported(self) -> bool:
        steps = self.town.desk.case(self.case.id).steps
        return steps[-1].code is not None and steps[-1].code.value == "finished"

    @rule(missing=st.sampled_from(["author", "note"]))
    def somebody_acts_without_what_he_owes(self, missing: str) -> None:
        before = self._history()
        try:
            self.town.act(self.case.id, A.NOTE, **{missing: "  "})
        except ActIncomplete:
            assert self._history() == before
            return
        raise AssertionError(missing)

    @precondition(lambda self: self.facts)
    @rule(data=st.data())
    def somebody_acknowledges_an_event(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sampled_from(self.facts))
        if self.town.events.event(chosen.id).event.state is not State.RAISED:
            return
        self.town.events.acknowledge(chosen.id, "李强", self.town.now)
        self.town.settle()
        if self.state is S.RAISED:
            self.state = S.ACKNOWLEDGED

    @rule(ms=st.sampled_from([HOUR_MS, DAY_MS]))
    def time_goes_by(self, ms: int) -> None:
        self.town.later(ms)
        due = self.case.due_at
        if self.state is S.HANDED_OVER and due is not None and due <= self.town.now:
            self.state = S.URGED

    @rule()
    def everything_starts_again(self) -> None:
        self.town.start()

    def _history(self) -> list[int]:
        return [step.number for step in self.town.desk.case(self.case.id).steps]

    @invariant()
    def the_case_is_what_the_model_says(self) -> None:
        if not hasattr(self, "town"):
            return
        case = self.case
        assert (case.state, case.verdict, case.reopened) == (self.state, self.verdict, self.reopened)
        assert (case.withdrawn, case.events) == (self.withdrawn, len(self.facts))
        assert case.going_on == sum(one.fact is Fact.GOING_ON for one in self.facts)
        assert (case.due_at is None) == (case.state is S.WRITTEN_OFF)
        assert case.next_at is None or case.next_at > self.town.now

    @invariant()
    def the_history_tells_the_state(self) -> None:
        if not hasattr(self, "town"):
            return
        steps = self.town.desk.case(self.case.id).steps
        assert steps[0].kind is StepKind.OPENED
        assert steps[-1].state is self.state
        assert [step.number for step in steps] == sorted({step.number for step in steps})
        assert all(step.author for step in steps)

    @invariant()
    def no_event_waits_in_a_case_that_does_not(self) -> None:
        if not hasattr(self, "town") or self.state is not S.WRITTEN_OFF:
            return
        states = {self.town.events.event(one.id).event.state for one in self.facts}
        assert states == {State.CLOSED}


TestCaseLife = CaseLife.TestCase
TestCaseLife.settings = settings(max_examples=12, stateful_step_count=25, deadline=None)
