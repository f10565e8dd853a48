from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from alerts.counting import Counting
from alerts.episodes import Episode, find_episodes
from alerts.events import Change, Changed, Event, Fact, Moment, event_id, match
from alerts.periods import Cadence
from alerts.states import State
from alerts.verdicts import SeriesKey, Verdict
from sensors.clock import HOUR_MS
from tests.unit.alerts.building import HOUR_0, T0, point, threshold

KEY = SeriesKey("pm25-1h", "A", "PM2.5")
COUNTING = Counting(cadence=Cadence.HOUR, raise_after=1, clear_after=1)
AGE = 6 * HOUR_MS


def episodes(word: str) -> tuple[Episode, ...]:
    """Return the episodes of a word: X over 80, Y over 99, ! over 80 in doubt, ? unknown, anything else fine."""
    values = {"X": 80, "Y": 99, "!": 80}
    points = [
        point(hour, Verdict.OVER if letter in values else Verdict.UNKNOWN, values.get(letter), to_verify=letter == "!")
        for hour, letter in enumerate(word)
        if letter in "XY!?"
    ]
    return find_episodes(points, HOUR_0 + len(word) - 1, COUNTING)


def moment(hour: int = 1) -> Moment:
    return Moment(key=KEY, rule=threshold(), tick=T0 + hour * HOUR_MS, backfill_after_ms=AGE)


def evolve(words: Sequence[str], start_hour: int = 1) -> tuple[dict[str, Event], list[tuple[Changed, ...]]]:
    """Return the events after each word was seen, one tick an hour, and what changed at each."""
    held: dict[str, Event] = {}
    history = []
    for step, word in enumerate(words):
        changes = match(episodes(word), tuple(held.values()), moment(start_hour + step))
        held |= {changed.event.id: changed.event for changed in changes}
        history.append(changes)
    return held, history


def kinds(changes: Sequence[Changed]) -> list[Change | None]:
    return [changed.change for changed in changes]


def test_a_first_episode_raises_an_event_dated_by_the_tick() -> None:
    held, _ = evolve(["X"])
    (event,) = held.values()
    assert event.id == event_id(KEY, T0)
    assert (event.state, event.fact, event.raised_at, event.revision) == (
        State.RAISED, Fact.GOING_ON, T0 + HOUR_MS, 1,
    )  # fmt: skip
    assert not event.backfilled


def test_an_episode_that_goes_on_is_no_revision() -> None:
    held, history = evolve(["X", "XX"])
    (event,) = held.values()
    assert kinds(history[1]) == [None]
    assert (event.last, event.revision) == (T0 + 2 * HOUR_MS, 1)


def test_a_greater_peak_is_a_revision_and_a_clear_is_one() -> None:
    held, history = evolve(["X", "XY", "XY."])
    (event,) = held.values()
    assert [kinds(changes) for changes in history] == [[Change.RAISED], [Change.REVISED], [Change.CLEARED]]
    assert (event.revision, event.fact, event.end) == (3, Fact.CLEARED, T0 + 2 * HOUR_MS)


def test_the_same_again_changes_nothing() -> None:
    _, history = evolve(["XX.X.", "XX.X."])
    assert history[1] == ()


def test_two_crossings_with_a_gap_stay_two() -> None:
    held, _ = evolve(["X", "X.X", "X.XX"])
    assert [event.fact for event in held.values()] == [Fact.CLEARED, Fact.GOING_ON]


def test_a_moved_start_keeps_the_id_of_the_start_as_first_raised() -> None:
    held, history = evolve([".XX", "XXX"])
    (event,) = held.values()
    assert kinds(history[1]) == [Change.REVISED]
    assert (event.id, event.start) == (event_id(KEY, T0 + HOUR_MS), T0)


def test_one_episode_over_two_events_goes_on_as_the_earlier() -> None:
    held, history = evolve(["X.X", "XXX"])
    early, late = (held[event_id(KEY, T0 + hour * HOUR_MS)] for hour in (0, 2))
    assert sorted(kinds(history[1]), key=str) == [Change.JOINED, Change.WENT_ON]
    assert (late.fact, late.joined_to, early.fact) == (Fact.JOINED, early.id, Fact.GOING_ON)


def test_joined_events_part_again_under_their_old_ids() -> None:
    held, history = evolve(["X.X", "XXX", "X.X"])
    assert {event.fact for event in held.values()} == {Fact.CLEARED, Fact.GOING_ON}
    assert len(held) == 2
    assert Change.PARTED in kinds(history[2])
    assert Change.RAISED not in kinds(history[2])


def test_of_a_split_the_earlier_part_keeps_the_event() -> None:
    held, history = evolve(["XXX", "X.X"])
    first = held[event_id(KEY, T0)]
    assert (first.end, first.fact) == (T0 + HOUR_MS, Fact.CLEARED)
    assert sorted(kinds(history[1]), key=str) == [Change.CLEARED, Change.RAISED]


def test_nothing_left_is_withdrawn_and_comes_back_under_its_id() -> None:
    held, history = evolve(["X", ".", "X"])
    (event,) = held.values()
    assert [kinds(changes) for changes in history] == [[Change.RAISED], [Change.WITHDRAWN], [Change.RAISED_AGAIN]]
    assert (event.fact, event.revision, event.raised_at) == (Fact.GOING_ON, 3, T0 + 3 * HOUR_MS)


@pytest.mark.parametrize("state", State)
def test_an_event_raised_again_calls_for_attention_again(state: State) -> None:
    held, _ = evolve(["X", "."])
    (gone,) = (replace(event, state=state) for event in held.values())
    (back,) = match(episodes("X"), [gone], moment())
    assert back.event.state is State.RAISED


@pytest.mark.parametrize("state", State)
def test_a_revision_leaves_the_state_to_people(state: State) -> None:
    held, _ = evolve(["X"])
    (event,) = (replace(event, state=state) for event in held.values())
    (after,) = match(episodes("XY"), [event], moment())
    assert (after.change, after.event.state) == (Change.REVISED, state)


def test_an_event_joined_to_one_that_is_withdrawn_is_withdrawn_too() -> None:
    held, _ = evolve(["X.X", "XXX", "..."])
    assert {event.fact for event in held.values()} == {Fact.WITHDRAWN}


def test_an_event_that_covers_a_later_part_goes_on_with_that_part() -> None:
    held, _ = evolve(["X...XXXX", "XXXXXX.X"])
    early, late = (held[event_id(KEY, T0 + hour * HOUR_MS)] for hour in (0, 4))
    assert (early.start, early.last) == (T0, T0 + 6 * HOUR_MS)
    assert (late.start, late.fact) == (T0 + 7 * HOUR_MS, Fact.GOING_ON)


def test_an_id_that_an_older_event_has_is_not_given_twice() -> None:
    held, _ = evolve([".X", "XX.", "X.X", "X..", "X...", "XXXX", "X..X"])
    assert len({event.id for event in held.values()}) == len(held)
    moved, _ = evolve(["..X", "XXX", "X.X"])
    assert len(moved) == 2
    assert event_id(KEY, T0, 1) != event_id(KEY, T0)


@pytest.mark.parametrize(("hour", "backfilled"), [(7, False), (8, True)])
def test_events_on_data_older_than_the_set_age_are_backfilled(hour: int, *, backfilled: bool) -> None:
    (raised,) = match(episodes("X"), [], moment(hour))
    assert raised.event.backfilled == backfilled


def test_doubt_that_goes_is_a_revision() -> None:
    held, history = evolve(["!", "!X"])
    (event,) = held.values()
    assert history[0][0].event.to_verify
    assert (kinds(history[1]), event.to_verify) == ([Change.REVISED], False)


def test_an_unknown_period_changes_nothing() -> None:
    _, history = evolve(["X", "X?", "X??"])
    assert history[1:] == [(), ()]


def test_other_rules_sites_factors_and_starts_have_other_ids() -> None:
    keys = [KEY, KEY._replace(rule="x"), KEY._replace(site="B"), KEY._replace(factor="O3")]
    assert len({event_id(key, start) for key in keys for start in (T0, T0 + 1)}) == 8
    assert event_id(SeriesKey("a", "bc", "d"), 1) != event_id(SeriesKey("ab", "c", "d"), 1)
