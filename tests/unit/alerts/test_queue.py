"""The one queue of the desk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from alerts.cases.desk import CaseFilters
from alerts.cases.states import CaseAct, CaseState
from alerts.events import Change, Changed
from alerts.queue import Counts, Item, Queue
from tests.unit.alerts.cases.building import DAY_MS, HOUR_MS, MINUTE_MS, Town, event


@pytest.fixture
def town() -> Iterator[Town]:
    made = Town()
    yield made
    made.close()


def queue(town: Town) -> Queue:
    return Queue(town.journal, town.desk)


def told(town: Town, filters: CaseFilters | None = None) -> list[tuple[str, bool]]:
    """Return the sites of the queue in order, and whether a case stands there."""
    found = queue(town).items(town.now, filters)
    return [(item.alert.event.key.site, item.case is not None) for item in found]


def first_case(town: Town) -> str:
    case = queue(town).items(town.now)[0].case
    assert case is not None
    return case.id


def test_an_empty_desk_has_nothing_to_do(town: Town) -> None:
    assert told(town) == []
    assert queue(town).counts(town.now) == Counts()


def test_a_case_stands_once_for_all_of_its_events(town: Town) -> None:
    for hour in range(0, 12, 3):
        town.raise_event("A", hour=hour)
    assert told(town) == [("A", True)]
    (item,) = queue(town).items(town.now)
    assert item.case is not None
    assert item.case.events == 4


def test_an_event_that_opens_no_case_stands_for_itself(town: Town) -> None:
    town.raise_event("A", hint=True)
    town.raise_event("B", priority=4)
    assert sorted(told(town)) == [("A", False), ("B", False)]


def test_an_event_that_a_graver_one_covers_waits_with_it(town: Town) -> None:
    town.raise_event("A", rule="pm25-1h", priority=4, hint=True)
    town.raise_event("A", rule="limit-1h", priority=4, hint=True, covers=("pm25-1h",))
    assert [item.alert.event.key.rule for item in queue(town).items(town.now)] == ["limit-1h"]
    assert queue(town).counts(town.now).raised == 1


def test_an_event_that_no_steward_has_seen_is_in_the_queue_already(town: Town) -> None:
    town.change(Changed(event=event("A"), change=Change.RAISED, before=None))
    assert told(town) == [("A", False)]
    town.settle()
    assert told(town) == [("A", True)]


def test_urgent_then_unacknowledged_then_overdue_then_the_newest(town: Town) -> None:
    town.raise_event("A")
    overdue = first_case(town)
    town.act(overdue, CaseAct.ACKNOWLEDGE)
    town.later(3 * DAY_MS)
    town.raise_event("B")
    town.act(next(i.case.id for i in queue(town).items(town.now) if i.case and i.case.site == "B"), CaseAct.ACKNOWLEDGE)
    town.raise_event("V1", priority=3)
    town.raise_event("S", priority=1)
    assert [site for site, _ in told(town)] == ["S", "V1", "A", "B"]
    counts = queue(town).counts(town.now)
    assert (counts.raised, counts.urgent, counts.overdue, counts.in_hand) == (2, 1, 1, 2)


def test_an_urgent_case_that_somebody_has_stays_before_the_others(town: Town) -> None:
    town.raise_event("S", priority=1)
    town.act(first_case(town), CaseAct.ACKNOWLEDGE)
    town.raise_event("A")
    assert [site for site, _ in told(town)] == ["S", "A"]


def test_where_not_all_fit_the_most_pressing_are_those_that_stay(town: Town) -> None:
    town.raise_event("A", priority=2)
    town.later(MINUTE_MS)
    for site in ("B", "V1"):
        town.raise_event(site)
        town.act(
            next(i.case.id for i in queue(town).items(town.now) if i.case and i.case.site == site), CaseAct.ACKNOWLEDGE
        )
    town.raise_event("O", priority=3)
    every = queue(town).items(town.now)
    assert [item.alert.event.key.site for item in every] == ["A", "O", "V1", "B"]
    for some in range(1, 4):
        assert queue(town).items(town.now, limit=some) == every[:some]
    assert [case.id for case in town.desk.open_cases(town.now)] == [item.case.id for item in every if item.case]


def test_of_the_overdue_the_longest_comes_first(town: Town) -> None:
    town.raise_event("A")
    town.later(10 * MINUTE_MS)
    town.raise_event("B")
    assert [site for site, _ in told(town)] == ["B", "A"], "the newest first while both have time"
    town.later(DAY_MS)
    assert [site for site, _ in told(town)] == ["A", "B"], "and the longest overdue when they have none"


def test_a_case_that_was_written_off_and_its_events_leave_the_queue(town: Town) -> None:
    town.raise_event("A")
    case = first_case(town)
    for act in (CaseAct.ACKNOWLEDGE, CaseAct.VERIFY, CaseAct.HAND_OVER, CaseAct.RECTIFY, CaseAct.REPORT):
        town.act(case, act)
    assert len(told(town)) == 1
    moved = town.desk.case(case).case
    assert moved.state is CaseState.REPORTED


def test_ten_thousand_repeats_push_nobody_out(town: Town) -> None:
    """The form with 300 events; those of the full figures are in the long run."""
    town.raise_event("B")
    for hour in range(300):
        made = event("A", hour=3 * hour)
        town.change(Changed(event=made, change=Change.RAISED, before=None))
    town.settle()
    assert sorted(told(town)) == [("A", True), ("B", True)]
    assert len(queue(town).items(town.now, limit=2)) == 2


def test_backfilled_events_are_no_work_of_now(town: Town) -> None:
    town.raise_event("A", backfilled=True)
    assert told(town) == []


@pytest.mark.parametrize(
    ("filters", "sites"),
    [
        (CaseFilters(priorities=(1,)), {"S"}),
        (CaseFilters(priorities=(4,)), {"B"}),
        (CaseFilters(sites=("A", "B")), {"A", "B"}),
        (CaseFilters(states=(CaseState.RAISED,)), {"A", "S"}),
        (CaseFilters(states=(CaseState.URGED,)), set()),
        (CaseFilters(networks=("voc",)), set()),
        (CaseFilters(), {"A", "B", "S"}),
    ],
)
def test_the_queue_can_be_narrowed(town: Town, filters: CaseFilters, sites: set[str]) -> None:
    town.raise_event("A", priority=3)
    town.raise_event("B", priority=4)
    town.raise_event("S", priority=1)
    assert {site for site, _ in told(town, filters)} == sites


def test_what_is_due_and_late_is_the_cases(town: Town) -> None:
    town.raise_event("A")
    (item,) = queue(town).items(town.now)
    assert item.due_at == town.now + 2 * HOUR_MS
    assert not item.overdue(town.now)
    assert item.overdue(town.now + 2 * HOUR_MS)
    loose = Item(alert=item.alert)
    assert (loose.due_at, loose.overdue(town.now + DAY_MS), loose.number) == (None, False, item.alert.number)
