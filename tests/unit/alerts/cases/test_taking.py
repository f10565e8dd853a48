"""What a step of an event does to the cases, as tables over values alone: no database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from alerts.cases.docket import Docket
from alerts.cases.life import act
from alerts.cases.record import Case, Need, Role, StepKind
from alerts.cases.states import CaseAct, CaseState, Verdict
from alerts.cases.taking import Happened, Taking, case_id
from alerts.events import Change, Event, Fact
from alerts.states import Deed, State
from alerts.subjects import subject_of
from tests.unit.alerts.cases.building import DAY_MS, MINUTE_MS, NOW, POLICY, RULES, ask, event, sites

C, F, K, S = Change, Fact, StepKind, CaseState
REGISTRY = sites()


class Book:
    """A docket and what takes steps into it."""

    def __init__(self, **policy: Any) -> None:
        self.docket = Docket()
        self.policy = replace(POLICY, **policy)
        self.taking = Taking(self.docket, self.policy)
        self.at, self.number = NOW, 0

    def take(self, made: Event, change: Change | Deed = C.RAISED, author: str = "李", **other: Any) -> None:
        self.number += 1
        self.at += MINUTE_MS
        about = subject_of(replace(made, **other), RULES, REGISTRY, NOW)
        self.taking.take(Happened(about=about, change=change, number=self.number, author=author, at=self.at))

    def kinds(self) -> list[StepKind]:
        found = [step.kind for step in self.docket.steps]
        self.docket.steps.clear()
        return found

    @property
    def only(self) -> Case:
        (case,) = self.docket.cases.values()
        return case

    def act(self, what: CaseAct, **other: Any) -> None:
        parties = self.docket.parties.get(self.only.id, ())
        self.docket.put(act(self.only, parties, ask(what, self.at, **other), self.policy))

    def write_off(self) -> None:
        for what in (CaseAct.ACKNOWLEDGE, CaseAct.VERIFY):
            self.act(what, **({"verdict": Verdict.PLANNED} if what is CaseAct.VERIFY else {}))
        self.act(CaseAct.WRITE_OFF)
        self.kinds()


@pytest.mark.parametrize(
    ("change", "other", "opens"),
    [
        (C.RAISED, {}, True),
        (C.RAISED_AGAIN, {}, True),
        (C.REVISED, {}, True),
        (C.CONFIRMED, {}, True),
        (C.REVISED, {"state": State.CLOSED}, False),
        (C.RAISED_AGAIN, {"state": State.CLOSED}, True),
        (C.CLEARED, {"fact": F.CLEARED}, False),
        (C.WITHDRAWN, {"fact": F.WITHDRAWN}, False),
        (C.JOINED, {"fact": F.JOINED}, False),
        (C.RAISED, {"hint": True}, False),
        (C.RAISED, {"unconfirmed": True}, False),
        (C.RAISED, {"backfilled": True}, False),
        (C.RAISED, {"priority": 4}, False),
        (Deed.ACKNOWLEDGED, {}, False),
        (Deed.CLOSED, {}, False),
    ],
)
def test_which_steps_of_an_event_without_a_case_open_one(
    change: Change | Deed, other: dict[str, Any], *, opens: bool
) -> None:
    book = Book()
    book.take(event(), change, **other)
    assert len(book.docket.cases) == opens
    assert book.kinds() == ([K.OPENED] if opens else [])


@pytest.mark.parametrize(
    ("steps", "told", "counts"),
    [
        ([(C.CLEARED, F.CLEARED)], [K.CLEARED], (1, 0)),
        ([(C.WITHDRAWN, F.WITHDRAWN)], [K.WITHDRAWN], (0, 0)),
        ([(C.CLEARED, F.CLEARED), (C.WENT_ON, F.GOING_ON)], [K.CLEARED, K.WENT_ON], (1, 1)),
        ([(C.WITHDRAWN, F.WITHDRAWN), (C.RAISED_AGAIN, F.GOING_ON)], [K.WITHDRAWN, K.RESTORED], (1, 1)),
        ([(C.REVISED, F.GOING_ON)], [], (1, 1)),
        ([(Deed.CLOSED, F.GOING_ON)], [K.EVENT_CLOSED], (1, 1)),
    ],
)
def test_what_becomes_of_its_event_is_told_of_the_case_as_a_whole(
    steps: list[tuple[Change | Deed, Fact]], told: list[StepKind], counts: tuple[int, int]
) -> None:
    book = Book()
    book.take(event())
    book.kinds()
    for change, fact in steps:
        book.take(event(), change, fact=fact)
    assert book.kinds() == told
    assert (book.only.live, book.only.going_on) == counts


def test_one_of_two_events_that_ends_ends_nothing() -> None:
    book = Book()
    book.take(event())
    book.take(event(hour=5))
    assert book.kinds() == [K.OPENED, K.EVENT_ADDED]
    book.take(event(), C.CLEARED, fact=F.CLEARED)
    assert book.kinds() == []
    book.take(event(hour=5), C.CLEARED, fact=F.CLEARED)
    assert book.kinds() == [K.CLEARED]


@pytest.mark.parametrize("site", ["B", "S"])
def test_of_another_site_is_another_case(site: str) -> None:
    book = Book()
    book.take(event())
    book.take(event(site))
    assert len(book.docket.cases) == 2


@pytest.mark.parametrize(
    ("state", "priority", "signed"), [(S.RAISED, 3, False), (S.ACKNOWLEDGED, 3, True), (S.ACKNOWLEDGED, 2, False)]
)
def test_a_repeat_counts_as_acknowledged_with_its_case_unless_it_is_graver(
    state: CaseState, priority: int, *, signed: bool
) -> None:
    book = Book()
    book.take(event(priority=3))
    if state is S.ACKNOWLEDGED:
        book.act(CaseAct.ACKNOWLEDGE)
    repeat = event(hour=5, priority=priority)
    book.take(repeat)
    assert book.docket.signed == ([repeat.id] if signed else [])
    assert book.only.priority == priority
    assert (K.PRIORITY_RAISED in book.kinds()) is (priority == 2)


@pytest.mark.parametrize(("hint", "priority", "then"), [(True, 1, 3), (False, 1, 1), (False, 4, 3)])
def test_a_case_is_as_urgent_as_what_could_have_opened_it(*, hint: bool, priority: int, then: int) -> None:
    book = Book()
    book.take(event(priority=3))
    book.take(event(hour=5, priority=priority, hint=hint))
    assert book.only.priority == then


@pytest.mark.parametrize(
    ("days", "own", "cases"), [(29, False, 1), (31, False, 2), (29, True, 1), (31, True, 2)]
)  # fmt: skip
def test_a_relapse_opens_the_case_again_and_later_it_is_a_new_one(days: int, cases: int, *, own: bool) -> None:
    book = Book()
    book.take(event())
    book.write_off()
    book.at += days * DAY_MS
    if own:
        book.take(event(), C.WENT_ON)
    else:
        book.take(event(hour=5))
    assert len(book.docket.cases) == cases
    told = book.kinds()
    assert told[0] is (K.REOPENED if cases == 1 else K.OPENED)
    assert (K.EVENT_ADDED in told) is (cases == 1 and not own)
    newest = book.docket.of_key(next(iter(book.docket.by_key)))
    assert newest is not None
    assert (newest.state, newest.occurrence) == (S.RAISED, 2)


def test_what_ends_after_the_case_was_written_off_is_noted_and_told_to_nobody() -> None:
    book = Book()
    book.take(event())
    book.write_off()
    book.take(event(), C.CLEARED, fact=F.CLEARED)
    assert book.kinds() == []
    assert (book.only.state, book.only.going_on) == (S.WRITTEN_OFF, 0)


def test_the_third_time_within_the_period_is_pressing_and_names_the_others() -> None:
    book = Book(relapse_ms=0)
    for hour in (0, 5, 10):
        book.take(event(hour=hour, priority=3))
        newest = book.docket.of_key(next(iter(book.docket.by_key)))
        assert newest is not None
        if hour < 10:
            for what in (ask(CaseAct.ACKNOWLEDGE, book.at), ask(CaseAct.VERIFY, book.at, verdict=Verdict.PLANNED),
                         ask(CaseAct.WRITE_OFF, book.at)):  # fmt: skip
                newest = act(newest, (), what, book.policy).case
            book.docket.cases[newest.id] = newest
    assert newest is not None
    assert (newest.occurrence, newest.priority) == (3, 2)
    (step,) = [one for one in book.docket.steps if one.kind is K.RECURRED]
    assert (len(step.evidence["earlier"]), step.evidence["priority"]) == (2, [3, 2])


@pytest.mark.parametrize(("need", "taken"), [(Need.ANY, True), (Need.SIDES, False)])
def test_who_acknowledges_an_event_acknowledges_its_case_where_anybody_may(need: Need, *, taken: bool) -> None:
    book = Book()
    book.take(event())
    book.docket.cases[book.only.id] = replace(book.only, need=need)
    if need is Need.SIDES:
        parties = Taking(Docket(), book.policy, lambda _about, _at: [("area:up", Role.SIDE)])
        about = subject_of(event(), RULES, REGISTRY, NOW)
        what = Happened(about=about, change=C.RAISED, number=1, author="x", at=NOW)
        book.docket.put_parties(book.only.id, tuple(parties._parties(what)))
    book.take(event(), Deed.ACKNOWLEDGED)
    assert (book.only.state is S.ACKNOWLEDGED) is taken
    assert bool(book.docket.sign_all) is taken


def test_a_case_s_id_says_incident_event_and_step() -> None:
    assert case_id("k", "e", 1) == case_id("k", "e", 1)
    assert len({case_id("k", "e", 1), case_id("k", "e", 2), case_id("k", "f", 1), case_id("l", "e", 1)}) == 4
