"""a48, a55, G2: n of m, hysteresis, keep firing and flaps, from the rules file to the journal."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pytest

from alerts.counting import Counting, Flap
from alerts.desk import Alert, Desk
from alerts.episodes import walk
from alerts.events import Change, Fact
from alerts.journal import open_journal
from alerts.keeper import Keeper
from alerts.periods import Cadence
from alerts.rules import Clear, Kind, Rule, parse_rules
from alerts.texts import title
from alerts.verdicts import Verdict
from sensors.clock import HOUR_MS
from sensors.yamlfile import parse_yaml
from tests.unit.alerts.building import HOUR_0, T0, columns, judge, point, row, rules_of, threshold

LETTERS = {"X": Verdict.OVER, "?": Verdict.UNKNOWN, "~": Verdict.BETWEEN}


def spans(word: str, counting: Counting, through: int | None = None) -> list[tuple[int, int | None]]:
    """Return (first, end) of the episodes of a word: X over, ~ between, ? unknown, . fine."""
    points = [point(hour, LETTERS[letter]) for hour, letter in enumerate(word) if letter in LETTERS]
    found = walk(points, HOUR_0 + (len(word) - 1 if through is None else through), counting).episodes
    return [((one.start - T0) // HOUR_MS, None if one.end is None else (one.end - T0) // HOUR_MS) for one in found]


def counted(**other: Any) -> Counting:
    made: dict[str, Any] = {"cadence": Cadence.HOUR, "raise_after": 1, "clear_after": 1}
    return Counting(**(made | other))


@pytest.mark.parametrize(
    ("word", "over", "of", "expected"),
    [
        ("X.X", 2, 3, [(0, None)]),
        ("X..X", 2, 3, []),
        ("X..XX", 2, 3, [(3, None)]),
        ("X?.?X", 2, 3, [(0, None)]),
        ("X~X", 2, 3, [(0, None)]),
        ("X.X", 2, 2, []),
        ("X.X.X", 3, 5, [(0, None)]),
        ("X.X..X.X", 2, 3, [(0, 3), (5, None)]),
    ],
)
def test_n_of_m_known_periods_over_raise_from_the_first_of_them(
    word: str, over: int, of: int, expected: list[tuple[int, int | None]]
) -> None:
    assert spans(word, counted(raise_after=over, raise_of=of)) == expected


@pytest.mark.parametrize(
    ("word", "hold", "expected"),
    [
        ("X.", 0, [(0, 1)]),
        ("X.", 2, [(0, None)]),
        ("X..", 2, [(0, 1)]),
        ("X.X..", 2, [(0, 3)]),
        ("X??", 2, [(0, None)]),
        ("X??.", 2, [(0, 1)]),
    ],
)
def test_an_event_is_kept_open_for_so_many_periods_after_the_last_one_over(
    word: str, hold: int, expected: list[tuple[int, int | None]]
) -> None:
    assert spans(word, counted(hold_for=hold)) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [("X~", [(0, None)]), ("X~X.", [(0, 3)]), ("X~.", [(0, 1)]), ("~X", [(1, None)]), ("X~~~~~~.X.", [(0, 1), (8, 9)])],
)
def test_between_clearing_point_and_limit_is_neither_over_nor_fine(
    word: str, expected: list[tuple[int, int | None]]
) -> None:
    assert spans(word, counted()) == expected


FLAP = Flap(more_than=2, within=6)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("X.X.", [(0, 1), (2, 3)]),
        ("X.X.X", [(0, None)]),
        ("X.X.X.", [(0, None)]),
        ("X.X.X......", [(0, 5)]),
        ("X.X.X.....X......", [(0, 11)]),
        ("X.X.X......X", [(0, 5), (11, None)]),
        ("X..X..X", [(0, 1), (3, 4), (6, None)]),
    ],
)
def test_more_than_k_crossings_in_m_periods_are_one_event_that_stays_open(
    word: str, expected: list[tuple[int, int | None]]
) -> None:
    assert spans(word, counted(flap=FLAP)) == expected


def test_a_flap_keeps_each_of_its_crossings() -> None:
    points = [point(hour, value=80 + hour) for hour in (0, 2, 4)]
    (episode,) = walk(points, HOUR_0 + 20, counted(flap=FLAP)).episodes
    assert episode.flapping
    assert [((one.start - T0) // HOUR_MS, (one.last - T0) // HOUR_MS) for one in episode.crossings] == [
        (0, 1), (2, 3), (4, 5),
    ]  # fmt: skip
    assert all(one.cleared for one in episode.crossings)
    assert (episode.over, episode.peak.start, episode.raised_by.start) == (3, T0 + 4 * HOUR_MS, T0)


def test_what_reaches_back_is_the_widest_of_all_counts() -> None:
    assert counted(raise_after=3, clear_after=2).reach == 2
    assert counted(raise_after=2, raise_of=5).reach == 5
    assert counted(hold_for=7).reach == 7
    assert counted(flap=Flap(more_than=3, within=24)).reach == 24


def played(rule: Rule, values: Sequence[int | None]) -> tuple[tuple[Alert, ...], list[Any]]:
    """Return the events of hourly values given one by one, and the kinds of their steps."""
    rules = rules_of(rule)
    journal, keeper = open_journal("sqlite://", lambda: 0), Keeper(judge(rules), rules)
    for hour, value in enumerate(values):
        with journal.writing() as turn:
            keeper.take(columns(row(hour=hour, value=value)), turn)
            keeper.save(turn)
        keeper.forget()
    desk = Desk(journal)
    found, steps = desk.events().alerts, [step.kind for step in desk.changes_since(0).steps]
    assert len(desk.open_events()) == sum(alert.event.fact is not Fact.JOINED for alert in found)
    journal.close()
    return found, steps


def test_a_value_around_its_limit_raises_once_and_is_cleared_only_well_below() -> None:
    found, steps = played(threshold(clear=Clear(share=Fraction(80, 100))), [80, 74, 76, 70, 59, 77])
    assert steps == [Change.RAISED, Change.CLEARED, Change.RAISED]
    _, without = played(threshold(), [80, 74, 76, 70, 59, 77])
    assert without.count(Change.RAISED) == 3
    assert {alert.event.peak.value for alert in found} == {8000, 7700}


def test_exactly_at_the_clearing_point_is_not_below_it() -> None:
    assert played(threshold(clear=Clear(value=Fraction(60))), [80, 60])[1] == [Change.RAISED]
    assert played(threshold(clear=Clear(value=Fraction(60))), [80, 59])[1] == [Change.RAISED, Change.CLEARED]


def test_of_a_flap_one_event_goes_on_with_every_crossing_and_nothing_is_lost() -> None:
    found, steps = played(threshold(flap=Flap(more_than=2, within=8)), [80, 10, 80, 10, 80, 10, 80, 10, 10])
    live = [alert for alert in found if alert.event.fact is not Fact.JOINED]
    assert [alert.event.fact for alert in live] == [Fact.GOING_ON]
    (event,) = (alert.event for alert in live)
    assert event.flapping
    assert [(one.start - T0) // HOUR_MS for one in event.crossings] == [0, 2, 4, 6]
    assert "频繁波动" in title(event)
    assert steps.count(Change.RAISED) == 2  # of the third crossing on nobody is told anew
    assert steps.count(Change.JOINED) == 1
    assert {alert.event.joined_to for alert in found if alert.event.fact is Fact.JOINED} == {event.id}


def test_a_flap_ends_when_it_is_calm_for_long() -> None:
    found, _ = played(threshold(flap=Flap(more_than=2, within=5)), [80, 10, 80, 10, 80, *[10] * 5])
    assert [(alert.event.fact, alert.event.end) for alert in found if alert.event.fact is not Fact.JOINED] == [
        (Fact.CLEARED, T0 + 5 * HOUR_MS)
    ]


def test_the_rules_file_says_how_it_is_counted() -> None:
    text = (
        "kind: air\nbackfill_after_hours: 6\nrules:\n"
        "  - {id: a, kind: threshold, factor: PM2.5, window: 1h, value: 75, unit: µg/m³, author: 张, why: 试,\n"
        "     raise_after: {over: 2, of: 3}, clear_after: 2, hold_for: 4, clear_below: {value: 0.06, unit: mg/m³},\n"
        "     flap: {more_than: 3, within: 24}}\n"
    )
    (rule,) = parse_rules(parse_yaml(text, "rules.yaml")).rules
    assert (rule.kind, rule.raise_after, rule.raise_of, rule.clear_after, rule.hold_for) == (Kind.THRESHOLD, 2, 3, 2, 4)
    assert (rule.clear, rule.flap) == (Clear(value=Fraction(60)), Flap(more_than=3, within=24))
