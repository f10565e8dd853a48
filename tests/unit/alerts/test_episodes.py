from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from alerts.bounds import Bound
from alerts.counting import Counting
from alerts.episodes import find_episodes, multiple_of, walk
from alerts.periods import Cadence
from alerts.verdicts import Verdict
from sensors.clock import HOUR_MS
from streams.results import Window
from tests.unit.alerts.building import DAY_0, HOUR_0, T0, point

HOURLY = Counting(cadence=Cadence.HOUR, raise_after=1, clear_after=1)
BOUND = Bound(value=75, digits=0, standard="", table="", clause="", edition="")


def spans(
    word: str, raise_after: int = 1, clear_after: int = 1, through: int | None = None
) -> list[tuple[int, int | None]]:
    """Return (first, end) of the episodes of a word: X over, ? unknown, . fine, blank pending."""
    points = [
        point(hour, Verdict.OVER if letter == "X" else Verdict.UNKNOWN)
        for hour, letter in enumerate(word)
        if letter in "X?"
    ]
    newest = len(word.rstrip()) - 1 if through is None else through
    counting = Counting(cadence=Cadence.HOUR, raise_after=raise_after, clear_after=clear_after)
    found = find_episodes(points, HOUR_0 + newest if word else None, counting)
    return [((e.start - T0) // HOUR_MS, None if e.end is None else (e.end - T0) // HOUR_MS) for e in found]


@pytest.mark.parametrize(
    ("word", "raise_after", "clear_after", "expected"),
    [
        ("", 1, 1, []),
        ("...", 1, 1, []),
        ("X", 1, 1, [(0, None)]),
        ("X.", 1, 1, [(0, 1)]),
        (".XX.", 1, 1, [(1, 3)]),
        ("X.X", 1, 1, [(0, 1), (2, None)]),
        ("X.X", 1, 2, [(0, None)]),
        ("X..X..", 1, 2, [(0, 1), (3, 4)]),
        ("X.X..", 1, 2, [(0, 3)]),
        ("X", 2, 1, []),
        ("XX", 2, 1, [(0, None)]),
        ("X.XX", 2, 1, [(2, None)]),
        ("?", 1, 1, []),
        ("?X", 1, 1, [(1, None)]),
        ("X?", 1, 1, [(0, None)]),
        ("X??.", 1, 1, [(0, 1)]),
        ("X?X.", 1, 1, [(0, 3)]),
        ("X?X", 2, 1, [(0, None)]),
        ("X?.X", 2, 1, []),
        ("X.?.", 1, 2, [(0, None)]),
        ("X.?..", 1, 2, [(0, 1)]),
    ],
)
def test_periods_over_raise_and_fine_ones_clear(
    word: str, raise_after: int, clear_after: int, expected: list[tuple[int, int | None]]
) -> None:
    assert spans(word, raise_after, clear_after) == expected


def test_periods_after_the_newest_settled_one_are_pending_and_clear_nothing() -> None:
    assert spans("X  X", through=0) == [(0, None)]
    assert spans("X. X", through=1) == [(0, 1), (3, None)]
    assert find_episodes([point(0), point(5)], None, HOURLY)[0].end is None


def test_fine_points_say_nothing_beyond_the_newest_settled_period() -> None:
    (episode,) = find_episodes([point(0), point(3, Verdict.OK)], HOUR_0, HOURLY)
    assert episode.end is None


def test_peak_is_the_greatest_value_and_the_earliest_of_equals() -> None:
    points = [point(0, value=80), point(1, value=95), point(2, value=95), point(3, value=None)]
    (episode,) = find_episodes(points, None, HOURLY)
    assert (episode.peak.start, episode.over) == (T0 + HOUR_MS, 4)


def test_a_peak_without_any_value_is_the_first_row() -> None:
    (episode,) = find_episodes([point(1, value=None), point(0, value=None)], None, HOURLY)
    assert episode.peak.start == T0


def test_values_of_other_digits_compare_by_size() -> None:
    points = [point(0, value=9), point(1, value=None)]
    finer = point(2, value=8, digits=1)
    (episode,) = find_episodes([*points, finer], None, HOURLY)
    assert episode.peak is finer


def test_an_episode_is_to_be_verified_while_all_its_periods_are() -> None:
    doubtful = [point(0, to_verify=True), point(1, to_verify=True)]
    assert find_episodes(doubtful, None, HOURLY)[0].to_verify
    assert not find_episodes([*doubtful, point(2)], None, HOURLY)[0].to_verify


def test_unknown_periods_within_are_counted_and_those_after_are_not() -> None:
    points = [point(0), point(1, Verdict.UNKNOWN), point(2), point(3, Verdict.UNKNOWN)]
    (episode,) = find_episodes(points, None, HOURLY)
    assert (episode.over, episode.unknown, episode.last) == (2, 1, T0 + 3 * HOUR_MS)


def test_one_8h_mean_over_makes_its_day_over_and_the_days_before_stay_what_they_are() -> None:
    daily = Counting(cadence=Cadence.DAY, raise_after=1, clear_after=1)
    early = [point(hour, window=Window.O3_8H, period=DAY_0, value=170 + hour) for hour in (9, 10)]
    (episode,) = find_episodes(early, DAY_0 - 1, daily)
    assert (episode.start, episode.end, episode.over) == (T0, None, 1)
    assert episode.peak.start == T0 + 10 * HOUR_MS
    (cleared,) = find_episodes(early, DAY_0 + 1, daily)
    assert cleared.end == T0 + 24 * HOUR_MS


def test_raised_by_is_the_row_of_the_period_that_was_enough() -> None:
    counting = Counting(cadence=Cadence.HOUR, raise_after=2, clear_after=1)
    (episode,) = find_episodes([point(0), point(1), point(2)], None, counting)
    assert episode.raised_by.start == T0 + HOUR_MS
    assert episode.raised_until == T0 + 2 * HOUR_MS


@pytest.mark.parametrize(
    ("other", "expected"),
    [({}, Fraction(5, 75)), ({"bound": None}, None), ({"value": None}, None), ({"level": 3}, None)],
)
def test_a_multiple_is_made_of_concentrations_only(other: dict[str, Any], expected: Fraction | None) -> None:
    made: dict[str, Any] = {"value": 80, "bound": BOUND} | other
    assert multiple_of(point(0, **made)) == expected


@pytest.mark.parametrize(
    ("word", "idle_from"),
    [("X", None), ("X?", None), ("X.", 2), ("X.?", 2), ("?", 0), ("?X.??", 3), ("X.X.", 4), ("..?.?", 2)],
)
def test_a_walk_tells_since_when_nothing_is_over(word: str, idle_from: int | None) -> None:
    points = [
        point(hour, Verdict.OVER if letter == "X" else Verdict.UNKNOWN)
        for hour, letter in enumerate(word)
        if letter in "X?"
    ]
    found = walk(points, HOUR_0 + len(word) - 1, HOURLY).idle_from
    assert (None if found is None else found - HOUR_0) == idle_from
