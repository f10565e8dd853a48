from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from sensors.clock import BEIJING, DAY_MS, MINUTE_MS, beijing, day_of, ms_of
from sensors.errors import ConfigError
from sensors.factors import load_factors
from sensors.yamlfile import parse_yaml
from simulators.stories import Named, Plot, StoryKind, load_script, parse_script, strength

MONDAY = ms_of(datetime(2026, 11, 16, tzinfo=BEIJING))
HEAD = "calibration: {gases: {SO2: 300}, first_hour: 0, hours: 5, zero_minutes: 8, span_minutes: 40}\nstories:\n"
STORY = "  - {id: a, name: {zh: 甲, en: A}, kind: front, every: 5, day: 0, at: '18:00', minutes: 60"


def plot(**changes: object) -> Plot:
    given: dict[str, object] = {
        "id": "a", "name": Named("甲", "A"), "kind": StoryKind.PLUME, "every": 5, "day": day_of(MONDAY) % 5,
        "at": "17:30", "minutes": 120, "sites": ("X", "Y", "Z"),
    }  # fmt: skip
    return Plot(**(given | changes))  # type: ignore[arg-type]


def test_a_story_begins_at_its_hour_of_the_beijing_day_and_comes_again() -> None:
    found = list(plot().starts(MONDAY, MONDAY + 10 * DAY_MS))
    assert [f"{beijing(start):%m-%d %H:%M}" for _, start in found] == ["11-16 17:30", "11-21 17:30"]
    assert found[1][0] == found[0][0] + 1


@pytest.mark.parametrize(
    ("first", "last", "times"),
    [
        (0, 17 * 60 + 30, 0),
        (0, 17 * 60 + 31, 1),
        (19 * 60 + 29, 1440, 1),
        (19 * 60 + 30, 1440, 0),
        (18 * 60, 18 * 60 + 1, 1),
    ],
)
def test_a_story_is_found_by_every_window_that_touches_it(first: int, last: int, times: int) -> None:
    found = list(plot().starts(MONDAY + first * MINUTE_MS, MONDAY + last * MINUTE_MS))
    assert len(found) == times


def test_a_story_longer_than_a_day_is_found_on_its_later_days() -> None:
    long = plot(minutes=3000)
    assert len(list(long.starts(MONDAY + 2 * DAY_MS, MONDAY + 2 * DAY_MS + MINUTE_MS))) == 1


def test_sites_take_turns_or_play_together() -> None:
    assert [plot(turn=True).sites_of(number) for number in (0, 1, 2, 3)] == [("X",), ("Y",), ("Z",), ("X",)]
    assert plot().sites_of(4) == ("X", "Y", "Z")


def test_a_story_rises_and_falls_inside_its_minutes_only() -> None:
    start = MONDAY // MINUTE_MS
    course = strength(MONDAY, plot(minutes=60, ramp=20), np.arange(start - 5, start + 65)[:, np.newaxis])[:, 0]
    assert course[:5].tolist() == [0.0] * 5
    assert course[-5:].tolist() == [0.0] * 5
    assert (course[5:65] > 0).all()
    assert course[30] == 1.0
    assert (np.diff(course[5:25]) > 0).all()
    assert (np.diff(course[46:65]) < 0).all()


def test_a_story_without_a_ramp_is_whole_from_its_first_minute_to_its_last() -> None:
    start = MONDAY // MINUTE_MS
    course = strength(MONDAY, plot(minutes=3, ramp=0), np.arange(start - 1, start + 4)[:, np.newaxis])[:, 0]
    assert course.tolist() == [0.0, 1.0, 1.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            HEAD + STORY.replace("day: 0", "day: 5") + "}\n",
            "x.yaml:3: stories.0.day: no day leaves 5 by 5; give 0 to 4",
        ),
        (HEAD + STORY + ", turn: true}\n", "x.yaml:3: stories.0.turn: no sites to take turns"),
        (HEAD + STORY + ", delay: 5}\n", "x.yaml:3: stories.0.delay: a front sends nothing later; take it out, or use"),
        (HEAD + STORY + ", expect: panic}\n", "x.yaml:3: stories.0.expect: Invalid enum value"),
        (HEAD + STORY + ", size: big}\n", "x.yaml:3: stories.0.size: Expected `float`"),
        (HEAD + STORY + ", colour: red}\n", "x.yaml:3: stories.0.colour: unknown key"),
        (HEAD + STORY.replace("18:00", "25:00") + "}\n", "x.yaml:3: stories.0.at: Expected `str` matching"),
        (HEAD + STORY.replace("front", "earthquake") + "}\n", "x.yaml:3: stories.0.kind: Invalid enum value"),
    ],
)
def test_a_wrong_script_is_refused_at_its_line(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_script(parse_yaml(text, "x.yaml"))
    assert str(caught.value).startswith(words)


def test_the_packaged_script_has_every_kind_of_story() -> None:
    script = load_script()
    assert {story.kind for story in script.stories} == set(StoryKind)
    assert len({story.id for story in script.stories}) == len(script.stories)


def test_the_packaged_script_marks_itself_as_made_up_and_calibrates_gases() -> None:
    script = load_script()
    assert set(script.calibration.gases) <= set(load_factors("air"))
    assert all(story.name.zh.endswith("（模拟）") and story.name.en.endswith("(simulated)") for story in script.stories)


def test_a_zero_check_leaves_its_hour_valid_and_a_span_check_does_not() -> None:
    calibration = load_script().calibration
    assert 60 - calibration.zero_minutes >= 45
    assert 60 - calibration.zero_minutes - calibration.span_minutes < 45


@pytest.mark.parametrize(
    ("first", "last", "times"), [(0, 1439, 0), (1439, 1440, 0), (1440, 1441, 1), (1441, 2880, 0), (0, 2880, 1)]
)
def test_packets_are_sent_again_once_when_the_delay_is_over(first: int, last: int, times: int) -> None:
    late = plot(kind=StoryKind.LATE, at="00:00", minutes=240, delay=1200)
    found = list(late.deliveries(MONDAY + first * MINUTE_MS, MONDAY + last * MINUTE_MS))
    assert found == [(day_of(MONDAY) // 5, MONDAY)] * times


def test_packets_are_sent_when_minutes_and_delay_are_over() -> None:
    assert plot(kind=StoryKind.LATE, minutes=60, delay=30).sent(MONDAY) == MONDAY + 90 * MINUTE_MS
