"""Laws of episodes and events: order, cuts and repeats do not matter; every episode has one event."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import series as series_module
from alerts.counting import Counting
from alerts.episodes import find_episodes
from alerts.events import Event, Fact, Moment, match
from alerts.journal import open_journal
from alerts.keeper import Keeper
from alerts.periods import Cadence
from alerts.verdicts import SeriesKey, Verdict
from sensors.clock import HOUR_MS
from tests.unit.alerts.building import HOUR_0, T0, columns, judge, point, row, rules_of, threshold

WORDS = st.text(alphabet="X?.", max_size=30)
COUNTS = st.integers(1, 3)
KEY = SeriesKey("pm25-1h", "A", "PM2.5")
Spans = list[tuple[int, int | None]]


def episodes_of(word: str, order: Sequence[int], counting: Counting) -> Spans:
    points = [
        point(hour, Verdict.OVER if word[hour] == "X" else Verdict.UNKNOWN) for hour in order if word[hour] != "."
    ]
    found = find_episodes(points, HOUR_0 + len(word) - 1, counting)
    return [(hours(episode.start), None if episode.end is None else hours(episode.end)) for episode in found]


def hours(ms: int) -> int:
    return (ms - T0) // HOUR_MS


def by_hand(word: str, raise_after: int, clear_after: int) -> Spans:
    """Return the episodes as a person would count them, letter by letter."""
    found: Spans = []
    begun: list[int] = []
    raised, fine = False, 0
    for hour, letter in enumerate(word):
        if letter == "X":
            begun.append(hour)
            fine = 0
            raised = raised or len(begun) >= raise_after
        elif letter == "?":
            fine = 0
        elif raised:
            fine += 1
            if fine >= clear_after:
                found.append((begun[0], begun[-1] + 1))
                begun, raised, fine = [], False, 0
        else:
            begun = []
    return [*found, (begun[0], None)] if raised else found


@settings(deadline=None)
@given(word=WORDS, raise_after=COUNTS, clear_after=COUNTS, data=st.data())
def test_episodes_are_those_counted_by_hand_in_any_order(
    word: str, raise_after: int, clear_after: int, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(word))))
    counting = Counting(cadence=Cadence.HOUR, raise_after=raise_after, clear_after=clear_after)
    assert episodes_of(word, order, counting) == by_hand(word, raise_after, clear_after)


@settings(deadline=None)
@given(words=st.lists(WORDS, min_size=1, max_size=6))
def test_after_any_revisions_each_episode_has_exactly_one_live_event_and_ids_stay(words: list[str]) -> None:
    counting = Counting(cadence=Cadence.HOUR, raise_after=1, clear_after=1)
    held: dict[str, Event] = {}
    for tick, word in enumerate(words):
        points = [
            point(hour, Verdict.OVER if letter == "X" else Verdict.UNKNOWN)
            for hour, letter in enumerate(word)
            if letter != "."
        ]
        episodes = find_episodes(points, HOUR_0 + len(word) - 1, counting)
        moment = Moment(key=KEY, rule=threshold(), tick=T0 + tick, backfill_after_ms=HOUR_MS)
        before = set(held)
        held |= {changed.event.id: changed.event for changed in match(episodes, tuple(held.values()), moment)}
        live = [event for event in held.values() if event.fact in {Fact.GOING_ON, Fact.CLEARED}]
        assert before <= set(held)
        assert sorted((event.start, event.last) for event in live) == [(one.start, one.last) for one in episodes]
        assert all(held[event.joined_to].fact is not Fact.WITHDRAWN for event in held.values() if event.joined_to)
        assert match(episodes, tuple(held.values()), moment) == ()


Arrival = tuple[int, int, int | None]
"""Hour, revision, value."""
ARRIVALS = st.dictionaries(
    st.tuples(st.integers(0, 12), st.integers(1, 3)), st.sampled_from([10, 80, 95, None]), min_size=1, max_size=25
)


@settings(deadline=None, max_examples=60)  # each example makes a database
@given(arrivals=ARRIVALS, raise_after=COUNTS, clear_after=COUNTS, data=st.data())
def test_any_order_cuts_repeats_and_restarts_give_the_same_live_events(
    arrivals: dict[tuple[int, int], int | None], raise_after: int, clear_after: int, data: st.DataObject
) -> None:
    through = max(hour for hour, _ in arrivals)
    newest = {hour: value for (hour, _), value in sorted(arrivals.items())}
    letters = {10: ".", 80: "X", 95: "X", None: "?"}
    word = "".join(letters[newest.get(hour, 10)] for hour in range(through + 1))
    order = data.draw(st.permutations([*arrivals, *list(arrivals)[:3]]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(series_module, "POINTS_WALKED", data.draw(st.sampled_from([0, 100])))
        patch.setattr(series_module, "PERIODS_HELD", data.draw(st.integers(0, 3)))
        found = play(order, arrivals, threshold(raise_after=raise_after, clear_after=clear_after), data)
    assert found == by_hand(word, raise_after, clear_after)


def play(
    order: Sequence[tuple[int, int]], arrivals: dict[tuple[int, int], int | None], rule: object, data: st.DataObject
) -> Spans:
    """Send rows in an order, with cuts, saves and forgetting drawn; return the spans of the live events."""
    rules = rules_of(rule)  # type: ignore[arg-type]
    journal = open_journal("sqlite://", lambda: 0)
    keeper = Keeper(judge(rules), rules, first_reach=data.draw(st.sampled_from([1, 2, 72])))
    left = list(order)
    while left:
        cut = data.draw(st.integers(1, len(left)))
        rows = [row(hour=hour, value=arrivals[hour, revision], revision=revision) for hour, revision in left[:cut]]
        left = left[cut:]
        with journal.writing() as turn:
            keeper.take(columns(*rows), turn)
            keeper.save(turn)
        if data.draw(st.booleans()):
            keeper.forget()
    with journal.writing() as turn:
        (series,) = turn.load({KEY: 0}, 0)
    journal.close()
    live = [event for event in series.events.values() if event.fact in {Fact.GOING_ON, Fact.CLEARED}]
    spans = [(hours(event.start), None if event.end is None else hours(event.end)) for event in live]
    return sorted(spans, key=lambda span: span[0])


@pytest.mark.parametrize("word", ["", ".", "?", "X", "X?X", "..XX..", "?X.?X"])
def test_the_count_by_hand_agrees_on_the_small_words(word: str) -> None:
    counting = Counting(cadence=Cadence.HOUR, raise_after=1, clear_after=1)
    assert episodes_of(word, range(len(word)), counting) == by_hand(word, 1, 1)
