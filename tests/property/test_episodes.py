"""Laws of episodes and events: order, cuts and repeats do not matter; every episode has one event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import series as series_module
from alerts.counting import Counting, Flap
from alerts.episodes import find_episodes
from alerts.events import Event, Fact, Moment, match
from alerts.journal import open_journal
from alerts.keeper import Keeper
from alerts.periods import Cadence
from alerts.rules import Clear
from alerts.verdicts import SeriesKey, Verdict
from sensors.clock import HOUR_MS
from tests.unit.alerts.building import HOUR_0, T0, columns, judge, point, row, rules_of, threshold

WORDS = st.text(alphabet="X?.", max_size=30)
COUNTS = st.integers(1, 3)
KEY = SeriesKey("pm25-1h", "A", "PM2.5")
Spans = list[tuple[int, int | None]]


VERDICTS = {"X": Verdict.OVER, "?": Verdict.UNKNOWN, "~": Verdict.BETWEEN}


def episodes_of(word: str, order: Sequence[int], counting: Counting) -> Spans:
    points = [point(hour, VERDICTS[word[hour]]) for hour in order if word[hour] != "."]
    found = find_episodes(points, HOUR_0 + len(word) - 1, counting)
    return [(hours(episode.start), None if episode.end is None else hours(episode.end)) for episode in found]


def hours(ms: int) -> int:
    return (ms - T0) // HOUR_MS


def by_hand(word: str, raise_after: int, clear_after: int, of: int = 0, hold: int = 0) -> Spans:
    """Return the episodes as a person would count them, letter by letter; ``of`` known ones are looked at to raise."""
    found: Spans = []
    known: list[int] = []  # hours of which something is known since the last clear
    raised: list[int] = []  # hours over of what is open
    fine = 0
    for hour, letter in enumerate(word):
        if letter == "?":
            fine = 0
            continue
        known.append(hour)
        if letter == "X" and raised:
            raised.append(hour)
        elif not raised:
            over = [one for one in known[-max(of, raise_after) :] if word[one] == "X"]
            raised = over if len(over) >= raise_after else []
        fine = fine + 1 if letter == "." else 0
        if raised and fine >= clear_after and hour - raised[-1] >= hold:
            found.append((raised[0], raised[-1] + 1))
            known, raised, fine = [], [], 0
    return [*found, (raised[0], None)] if raised else found


def flaps_by_hand(spans: Spans, more_than: int, within: int, through: int) -> Spans:
    """Return crossings with those of a flap as one, found by looking at each crossing's neighbours."""
    groups: list[list[tuple[int, int | None]]] = []
    for span in spans:
        if groups and len(groups[-1]) > 1 and span[0] - (groups[-1][-1][1] or 0) < within:
            groups[-1].append(span)
            continue
        groups.append([span])
        if len(groups) > more_than and span[0] - groups[-more_than - 1][0][0] < within:
            groups = [*groups[: -more_than - 1], [one for group in groups[-more_than - 1 :] for one in group]]
    found: Spans = []
    for group in groups:
        end = group[-1][1]
        still = end is None or (len(group) > 1 and through - end + 1 < within)
        found.append((group[0][0], None if still else end))
    return found


@settings(deadline=None)
@given(
    word=st.text(alphabet="X?.~", max_size=30),
    raise_after=COUNTS,
    clear_after=COUNTS,
    wider=st.integers(0, 3),
    hold=st.integers(0, 4),
    data=st.data(),
)
def test_n_of_m_hysteresis_and_holding_are_those_counted_by_hand_in_any_order(  # noqa: PLR0917
    word: str, raise_after: int, clear_after: int, wider: int, hold: int, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(word))))
    of = raise_after + wider if wider else 0
    counting = Counting(
        cadence=Cadence.HOUR, raise_after=raise_after, clear_after=clear_after, raise_of=of, hold_for=hold
    )
    assert episodes_of(word, order, counting) == by_hand(word, raise_after, clear_after, of, hold)


@settings(deadline=None)
@given(word=st.text(alphabet="XX..?", max_size=40), more_than=COUNTS, within=st.integers(2, 10), data=st.data())
def test_a_flap_is_one_episode_of_all_its_crossings_in_any_order(
    word: str, more_than: int, within: int, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(word))))
    plain = Counting(cadence=Cadence.HOUR, raise_after=1, clear_after=1)
    counting = replace(plain, flap=Flap(more_than=more_than, within=within))
    crossings = by_hand(word, 1, 1)
    assert episodes_of(word, order, counting) == flaps_by_hand(crossings, more_than, within, len(word) - 1)
    points = [point(hour, VERDICTS[letter]) for hour, letter in enumerate(word) if letter != "."]
    found = find_episodes(points, HOUR_0 + len(word) - 1, counting)
    kept = [(hours(one.start), hours(one.last)) for episode in found for one in episode.crossings or (episode,)]
    assert kept == [(start, end if end is not None else word.rindex("X") + 1) for start, end in crossings]


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
CLEAR = Clear(share=Fraction(80, 100))
ARRIVALS = st.dictionaries(
    st.tuples(st.integers(0, 12), st.integers(1, 3)), st.sampled_from([10, 70, 80, 95, None]), min_size=1, max_size=25
)


@settings(deadline=None, max_examples=60)  # each example makes a database
@given(arrivals=ARRIVALS, raise_after=COUNTS, clear_after=COUNTS, data=st.data())
def test_any_order_cuts_repeats_and_restarts_give_the_same_live_events(
    arrivals: dict[tuple[int, int], int | None], raise_after: int, clear_after: int, data: st.DataObject
) -> None:
    through = max(hour for hour, _ in arrivals)
    newest = {hour: value for (hour, _), value in sorted(arrivals.items())}
    letters = {10: ".", 70: "~", 80: "X", 95: "X", None: "?"}
    word = "".join(letters[newest.get(hour, 10)] for hour in range(through + 1))
    order = data.draw(st.permutations([*arrivals, *list(arrivals)[:3]]))
    wider, hold = data.draw(st.integers(0, 2)), data.draw(st.integers(0, 2))
    of = raise_after + wider if wider else 0
    flap = data.draw(st.sampled_from([None, Flap(more_than=1, within=4)]))
    rule = threshold(
        raise_after=raise_after, clear_after=clear_after, raise_of=of, hold_for=hold, flap=flap, clear=CLEAR
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(series_module, "POINTS_WALKED", data.draw(st.sampled_from([0, 100])))
        patch.setattr(series_module, "PERIODS_HELD", data.draw(st.integers(0, 3)))
        found = play(order, arrivals, rule, data)
    crossings = by_hand(word, raise_after, clear_after, of, hold)
    assert found == (crossings if flap is None else flaps_by_hand(crossings, 1, 4, through))


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


def test_a_late_row_finds_what_lies_as_far_back_as_the_counting_reaches() -> None:
    rule = threshold(raise_after=1, clear_after=2)
    keeper = Keeper(judge(rules_of(rule)), rules_of(rule), first_reach=1)
    journal = open_journal("sqlite://", lambda: 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(series_module, "POINTS_WALKED", 0)
        patch.setattr(series_module, "PERIODS_HELD", 0)
        for hours_and_values in (((3, 80), (6, 70), (11, 10)), ((5, 80),)):
            with journal.writing() as turn:
                keeper.take(columns(*(row(hour=hour, value=value) for hour, value in hours_and_values)), turn)
                keeper.save(turn)
    with journal.writing() as turn:
        (series,) = turn.load({KEY: 0}, 0)
    journal.close()
    live = [event for event in series.events.values() if event.fact is Fact.CLEARED]
    assert [(hours(event.start), hours(event.end or 0)) for event in live] == [(3, 6)]
