"""Event facts: joined, split and withdrawn as a table; priority, recurrence, tally, covering; a49, a57, a58, G2, G5."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from alerts.covering import covers
from alerts.desk import Alert, Desk
from alerts.episodes import find_episodes
from alerts.events import Change, Event, Fact, Moment, match, recurring
from alerts.journal import Journal, open_journal
from alerts.keeper import Keeper
from alerts.rules import Grade, Rule, Rules, load_rules
from alerts.series import counting_of
from alerts.states import State
from alerts.tally import tally
from alerts.verdicts import SeriesKey, Verdict
from sensors.clock import DAY_MS, HOUR_MS
from tests.unit.alerts.building import HOUR_0, T0, columns, judge, point, row, rules_of, threshold

KEY = SeriesKey("pm25-1h", "A", "PM2.5")
GOING, CLEARED, JOINED, WITHDRAWN = Fact.GOING_ON, Fact.CLEARED, Fact.JOINED, Fact.WITHDRAWN


def told(words: Sequence[str], rule: Rule | None = None) -> list[tuple[int, Fact, int, int | None, list[str]]]:
    """Return of each event, by its first start: that start, its fact, start, end, and all that was done to it."""
    chosen = rule or threshold()
    held: dict[str, Event] = {}
    first: dict[str, int] = {}
    done: dict[str, list[str]] = {}
    for tick, word in enumerate(words):
        points = [
            point(hour, Verdict.OVER if letter == "X" else Verdict.UNKNOWN)
            for hour, letter in enumerate(word)
            if letter in "X?"
        ]
        found = find_episodes(points, HOUR_0 + len(word) - 1, counting_of(chosen))
        moment = Moment(key=KEY, rule=chosen, tick=T0 + tick, backfill_after_ms=1000 * HOUR_MS)
        for changed in match(found, tuple(held.values()), moment):
            event = changed.event
            held[event.id] = event
            first.setdefault(event.id, (event.start - T0) // HOUR_MS)
            if changed.change is not None:
                done.setdefault(event.id, []).append(changed.change.value)
    order = sorted(held.values(), key=lambda event: first[event.id])
    return [
        (
            first[event.id], event.fact, (event.start - T0) // HOUR_MS,
            None if event.end is None else (event.end - T0) // HOUR_MS, done[event.id],
        )
        for event in order
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["X"], [(0, GOING, 0, None, ["raised"])]),
        (["X."], [(0, CLEARED, 0, 1, ["raised"])]),
        (["X", "X."], [(0, CLEARED, 0, 1, ["raised", "cleared"])]),
        (["X.", "XX"], [(0, GOING, 0, None, ["raised", "went_on"])]),
        (["X.X"], [(0, CLEARED, 0, 1, ["raised"]), (2, GOING, 2, None, ["raised"])]),
        (["X.X", "XXX"], [(0, GOING, 0, None, ["raised", "went_on"]), (2, JOINED, 2, None, ["raised", "joined"])]),
        (["X.X.", "X?X."], [(0, CLEARED, 0, 3, ["raised", "revised"]), (2, JOINED, 2, 3, ["raised", "joined"])]),
        (["XXX", "X.X"], [(0, CLEARED, 0, 1, ["raised", "cleared"]), (2, GOING, 2, None, ["raised"])]),
        (
            ["X.X", "XXX", "X.X"],
            [
                (0, CLEARED, 0, 1, ["raised", "went_on", "cleared"]),
                (2, GOING, 2, None, ["raised", "joined", "parted"]),
            ],
        ),
        (["X", "."], [(0, WITHDRAWN, 0, None, ["raised", "withdrawn"])]),
        (["X.", ".."], [(0, WITHDRAWN, 0, 1, ["raised", "withdrawn"])]),
        (["X", ".", "X"], [(0, GOING, 0, None, ["raised", "withdrawn", "raised_again"])]),
        (["X", ".X"], [(0, WITHDRAWN, 0, None, ["raised", "withdrawn"]), (1, GOING, 1, None, ["raised"])]),
        (["XX", ".X"], [(0, GOING, 1, None, ["raised", "revised"])]),
        ([".X", "XX"], [(1, GOING, 0, None, ["raised", "revised"])]),
        (["X", "?"], [(0, WITHDRAWN, 0, None, ["raised", "withdrawn"])]),
        (["X", "X?"], [(0, GOING, 0, None, ["raised"])]),
    ],
)
def test_what_becomes_of_events_when_their_episodes_change(words: list[str], expected: list[Any]) -> None:
    assert told(words) == expected


def played(journal: Journal, rules: Rules, messages: Sequence[Sequence[dict[str, Any]]]) -> Desk:
    for message in messages:
        keeper = Keeper(judge(rules), rules)
        with journal.writing() as turn:
            keeper.take(columns(*message), turn)
            keeper.save(turn)
    return Desk(journal)


@pytest.fixture
def journal() -> Any:
    made = open_journal("sqlite://", lambda: 0)
    yield made
    made.close()


def by_start(desk: Desk) -> list[Alert]:
    return sorted(desk.events().alerts, key=lambda alert: alert.event.start)


GRADED = threshold(grades=(Grade(priority=2, multiple=Fraction(1)), Grade(priority=1, periods=3, multiple=Fraction(1))))


def test_a_priority_grows_with_how_far_and_how_long_and_each_step_is_told(journal: Journal) -> None:
    hours = [[row(hour=hour, value=value)] for hour, value in enumerate((80, 150, 160, 90))]
    desk = played(journal, rules_of(GRADED), hours)
    (alert,) = by_start(desk)
    kinds = [step.kind for step in desk.why(alert.id).steps]
    # 150 is the bound once over (multiple 1); the third hour over makes it urgent
    assert kinds == [Change.RAISED, Change.WORSENED, Change.WORSENED]
    assert alert.event.priority == 1


def test_an_event_that_goes_on_and_is_graver_is_told_though_it_was_cleared(journal: Journal) -> None:
    late = row(hour=1, value=160, revision=2, at=T0 + 5 * HOUR_MS)
    desk = played(journal, rules_of(GRADED), [[row(hour=0, value=80)], [row(hour=1, value=10)], [late]])
    (alert,) = by_start(desk)
    steps = desk.why(alert.id).steps
    assert [step.kind for step in steps] == [Change.RAISED, Change.CLEARED, Change.WENT_ON, Change.WORSENED]
    assert [step.revision for step in steps] == [1, 2, 3, 4]
    assert (alert.event.fact, alert.event.priority, alert.event.revision) == (Fact.GOING_ON, 2, 4)


def test_corrected_data_take_a_grade_back(journal: Journal) -> None:
    hours = [[row(hour=0, value=160)], [row(hour=0, value=80, revision=2, at=T0 + 5 * HOUR_MS)]]
    (alert,) = by_start(played(journal, rules_of(GRADED), hours))
    assert (alert.event.priority, alert.event.revision) == (3, 2)


def test_the_third_event_of_a_series_in_90_days_is_linked_and_more_pressing(journal: Journal) -> None:
    rule = threshold(recurs_within_ms=90 * DAY_MS)
    days = [[row(hour=24 * day, value=80), row(hour=24 * day + 1, value=10)] for day in (0, 30, 60, 200)]
    events = [alert.event for alert in by_start(played(journal, rules_of(rule), days))]
    assert [event.recurrence for event in events] == [1, 2, 3, 1]
    assert [event.recurs for event in events] == ["", events[0].id, events[1].id, ""]
    assert [event.priority for event in events] == [3, 3, 2, 3]


def test_events_saved_together_are_linked_like_those_saved_alone(journal: Journal) -> None:
    rule = threshold(recurs_within_ms=90 * DAY_MS)
    rules = rules_of(rule)
    keeper = Keeper(judge(rules), rules)
    with journal.writing() as turn:
        for day in (0, 30, 60):
            keeper.take(columns(row(hour=24 * day, value=80), row(hour=24 * day + 1, value=10)), turn)
        keeper.save(turn)
    assert [alert.event.recurrence for alert in by_start(Desk(journal))] == [1, 2, 3]


def test_a_withdrawn_event_is_nothing_that_recurs(journal: Journal) -> None:
    rule = threshold(recurs_within_ms=90 * DAY_MS)
    mended = row(hour=0, value=10, revision=2, at=T0 + 9 * HOUR_MS)
    again = row(hour=48, value=80)
    events = by_start(played(journal, rules_of(rule), [[row(hour=0, value=80)], [mended], [again]]))
    assert [(alert.event.fact, alert.event.recurrence) for alert in events] == [(WITHDRAWN, 1), (GOING, 1)]


def test_nothing_is_more_pressing_than_urgent() -> None:
    (event,) = (
        changed.event
        for changed in match(
            find_episodes([point(0)], None, counting_of(threshold())),
            (),
            Moment(key=KEY, rule=threshold(priority=1), tick=T0, backfill_after_ms=HOUR_MS),
        )
    )
    assert recurring(event, {"a": 1, "b": 2}).priority == 1
    assert recurring(event, {}) is event


@pytest.mark.parametrize(
    ("starts", "days", "streak"),
    [
        ([], 0, 0),
        ([0], 1, 1),
        ([0, -1, -2], 3, 3),
        ([0, -2], 2, 1),
        ([-1], 1, 0),
        ([0, -29], 2, 1),
        ([0, -30], 1, 1),
        (range(-40, 1), 30, 41),
        ([0, 1, 2], 1, 1),
    ],
)
def test_days_over_in_30_and_days_in_a_row_end_with_the_last_day_over(
    starts: Sequence[int], days: int, streak: int
) -> None:
    found = tally((T0 + day * DAY_MS for day in starts), T0 + HOUR_MS)
    assert (found.days, found.streak) == (days, streak)


def test_two_hours_of_one_beijing_day_are_one_day() -> None:
    assert tally([T0, T0 + 23 * HOUR_MS], T0 + DAY_MS).days == 1
    assert tally([T0, T0 + 24 * HOUR_MS], T0 + 25 * HOUR_MS).days == 2


def test_the_tally_of_an_event_is_what_is_known_now_and_revised_with_the_data(journal: Journal) -> None:
    rules = rules_of(threshold())
    days = [[row(hour=24 * day, value=80), row(hour=24 * day + 1, value=10)] for day in (0, 1, 2)]
    desk = played(journal, rules, days)
    newest = by_start(desk)[-1].event
    counted = desk.tally(newest)
    assert counted is not None
    assert (counted.days, counted.streak) == (3, 3)
    played(journal, rules, [[row(hour=24, value=10, revision=2, at=T0 + 90 * HOUR_MS)]])
    mended = desk.tally(newest)
    assert mended is not None
    assert (mended.days, mended.streak) == (2, 1)


def test_an_event_lasts_from_its_start_to_its_end_or_as_far_as_it_goes(journal: Journal) -> None:
    (alert,) = by_start(played(journal, rules_of(threshold()), [[row(hour=hour, value=80) for hour in range(3)]]))
    assert alert.event.duration_ms == 3 * HOUR_MS


PAIR = rules_of(
    threshold(id="grave", covers=frozenset({"slight"}), priority=2),
    threshold(id="slight", threshold=Fraction(50)),
)  # fmt: skip


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize(
    ("values", "waiting"),
    [
        ([60], {"slight"}),
        ([80], {"grave"}),
        ([60, 80], {"grave"}),
        ([60, 80, 60], {"grave", "slight"}),
        ([80, 10], {"grave"}),
        ([80, 10, 60], {"grave", "slight"}),
    ],
)
def test_a_lesser_event_waits_with_the_graver_one_while_that_holds(
    journal: Journal, values: list[int], waiting: set[str], order: tuple[int, int]
) -> None:
    rules = replace(PAIR, rules=tuple(PAIR.rules[place] for place in order))
    desk = played(journal, rules, [[row(hour=hour, value=value)] for hour, value in enumerate(values)])
    assert {alert.event.key.rule for alert in desk.open_events()} == waiting
    assert desk.count_open()[State.RAISED] == len(desk.open_events()) == len(desk.newest_raised(10))
    events = [alert.event for alert in desk.events().alerts]
    hidden = {lesser.key.rule for lesser in events for graver in events if covers(graver, lesser)}
    shown = {event.key.rule for event in events if not any(covers(other, event) for other in events)}
    assert shown == waiting
    assert hidden <= {"slight"}


def test_an_event_of_another_site_or_factor_covers_nothing() -> None:
    (grave,) = (
        changed.event
        for changed in match(
            find_episodes([point(0)], None, counting_of(threshold())), (),
            Moment(key=SeriesKey("grave", "A", "class"), rule=PAIR.rules[0], tick=T0, backfill_after_ms=HOUR_MS),
        )
    )  # fmt: skip
    slight = replace(grave, key=SeriesKey("slight", "A", "over_target"), covers=())
    assert covers(grave, slight)  # a class and what is over a target are one matter
    assert not covers(grave, replace(slight, key=SeriesKey("slight", "B", "over_target")))
    assert not covers(grave, replace(slight, key=SeriesKey("slight", "A", "TP")))
    assert not covers(replace(grave, fact=Fact.WITHDRAWN), slight)
    assert not covers(slight, grave)


def test_delivered_rules_let_the_graver_one_carry_and_toxic_gas_and_sources_come_first() -> None:
    rules = {rule.id: rule for rule in load_rules().rules}
    assert rules["water-v"].covers == {"water-target", "water-drop"}
    assert rules["source-class"].covers == {"water-v", "water-target", "water-drop"}
    assert rules["toxic-gas"].priority == rules["source-biotox"].priority == 1
    assert set(rules["toxic-gas"].factors) == {"H2S.limit", "NH3.limit"}
    assert all(rules[lesser].priority >= rule.priority for rule in rules.values() for lesser in rule.covers)
