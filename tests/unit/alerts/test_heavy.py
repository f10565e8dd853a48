"""G10: observed runs against the starts of a plan: a hint, never an announcement; thresholds can be lowered."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pyarrow as pa
import pytest

from alerts.cases.policyfile import load_case_policy
from alerts.cases.responses import PlantList, ResponseKind, ResponsePolicy
from alerts.heavy import Cause, ObservedDay, hint_data, hint_of, observed_days
from sensors.flags import Mark
from streams.results import AQI
from streams.standards import load_standards
from tests.unit.alerts.building import DAY_0, batch, row

POLICY = load_case_policy().responses[ResponseKind.HEAVY_POLLUTION]
STANDARDS = load_standards()


def days(*values: int | None, primary: str = "PM2.5") -> list[ObservedDay]:
    return [ObservedDay(day=DAY_0 + n, aqi=aqi, primary=(primary,)) for n, aqi in enumerate(values)]


# 环大气〔2024〕6号: yellow > 200 a day or > 150 for 48 h; orange > 200 for 48 h or > 150 for 72 h; red > 200 for 72 h
# and > 300 for 24 h
@pytest.mark.parametrize(
    ("values", "level"),
    [
        ((), None),
        ((90, 150, 150), None),
        ((90, 151), None),
        ((90, 201), 3),
        ((151, 151), 3),
        ((201, 201), 2),
        ((151, 151, 151), 2),
        ((160, 201, 160), 2),
        ((201, 201, 201), 2),
        ((201, 201, 301), 1),
        ((301, 201, 201), 1),
        ((301, 301), 2),
    ],
)
def test_an_observed_run_would_meet_the_start_of_a_level(values: tuple[int, ...], level: int | None) -> None:
    assert hint_of("shangyu", days(*values), POLICY).proposal.level == level


@pytest.mark.parametrize(
    ("values", "run", "may_be_longer"),
    [
        ((301, 301, 100), 0, False),
        ((201, None, 160), 1, True),
        ((201, 100, 160), 1, False),
        ((201, 201, None), 0, False),
    ],
)
def test_only_the_run_that_reaches_the_newest_day_counts_and_what_is_not_known_ends_it(
    values: tuple[int | None, ...], run: int, *, may_be_longer: bool
) -> None:
    hint = hint_of("shangyu", days(*values), POLICY)
    assert (len(hint.run), hint.unknown_before) == (run, may_be_longer)
    assert hint.proposal.level is None


def lowered(policy: ResponsePolicy, by: int) -> ResponsePolicy:
    levels = {
        name: replace(
            level, starts=tuple(tuple(replace(one, above=one.above - by) for one in row) for row in level.starts)
        )
        for name, level in policy.levels.items()
    }
    return replace(policy, levels=levels)


def test_an_office_may_lower_the_thresholds_and_the_same_days_then_meet_more() -> None:
    found = days(130, 130)
    assert hint_of("shangyu", found, POLICY).proposal.level is None
    assert hint_of("shangyu", found, lowered(POLICY, 25)).proposal.level == 3
    for values in itertools.product((100, 160, 210, 310), repeat=3):
        levels = [hint_of("a", days(*values), policy).proposal.level or 9 for policy in (POLICY, lowered(POLICY, 25))]
        assert levels[1] <= levels[0], values


def test_the_hint_ends_by_itself_when_the_air_is_better() -> None:
    series = days(120, 160, 210, 220, 310, 140)
    told = [hint_of("shangyu", series[: count + 1], POLICY).proposal.level for count in range(len(series))]
    assert told == [None, None, 3, 2, 1, None]


def test_a_hint_says_that_it_is_none_but_a_hint_and_names_its_lists_by_version() -> None:
    policy = replace(POLICY, lists=(PlantList(id="building-sites", version="2026-11", members=("SYN-F01",)),))
    told = hint_data(hint_of("shangyu", days(210, 220), policy), policy)
    assert (told["hint"], told["announcement"]) == (True, False)
    assert (told["would_meet"]["level"], told["would_meet"]["zh"]) == (2, "橙色")
    assert told["lists"] == [{"id": "building-sites", "version": "2026-11"}]
    assert hint_data(hint_of("shangyu", days(80), policy), policy)["would_meet"] is None


def test_cuts_by_colour_are_for_particles_and_the_cause_is_said() -> None:
    assert hint_of("a", days(210), POLICY).cause is Cause.PM25
    assert hint_of("a", days(210, primary="O3"), POLICY).cause is Cause.OTHER
    unknown = [ObservedDay(day=DAY_0, aqi=210)]
    assert hint_of("a", unknown, POLICY).cause is hint_of("a", days(80), POLICY).cause is Cause.UNKNOWN


def test_days_are_read_in_the_edition_in_force_and_those_that_are_open_or_missing_are_not_known() -> None:
    made = {"site": "shangyu", "digits": 0, "primary": "PM2.5;PM10"}
    rows = batch(
        row(AQI, "24h", 0, 210) | made,
        row(AQI, "24h", 0, 90) | made | {"edition": "HJ633-2012"},
        row(AQI, "24h", 24, None) | made | {"reason": "incomplete"},
        row(AQI, "24h", 72, 250) | made | {"flags": int(Mark.OPEN)},
    )
    found = observed_days(pa.Table.from_batches([rows]), STANDARDS, DAY_0 + 3, 5)
    assert [one.aqi for one in found] == [None, 210, None, None, None]
    assert found[1].primary == ("PM2.5", "PM10")
    assert [one.day for one in found] == list(range(DAY_0 - 1, DAY_0 + 4))
