"""No flow in dry weather, no sewage in rain: the table of truth, hour by hour."""

from __future__ import annotations

import numpy as np
import pytest

from sensors.errors import UnknownName
from streams.discharge.evaluation import dry_weather
from streams.discharge.judgement import Level
from streams.discharge.outlets import Outcome, load_dry_weather_rule, weather
from streams.judging.reasons import MISSING_ITEM, NOT_IN_PLAN, OK, SILENT, UNSET
from tests.discharge_cases import Column, context, means, site, slots

PERMIT = """
sites:
  - site: SYN-OUT-1
    limits: [{factor: COD, period: instantaneous, high: 50, unit: mg/L, from: 2020-01-01, source: park rule}]
"""
RAIN_OUTLET = site(use="rain")


def _said(columns: dict[str, Column], *, text: str = PERMIT, use: str = "rain") -> tuple[int, int, str]:
    """Return level, reason and detail of the last of 24 hours."""
    made = dry_weather(context(text))
    (block,) = made.slots(slots("2026-06-01", columns), 23, (site(use=use),))
    tell = made.slot_outputs[0].tell
    assert tell is not None
    return int(block.level[0, 0]), int(block.reason[0, 0]), tell(block.detail[0])[0].as_py()


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"rain": 0, "flow": 0}, (Level.WITHIN, OK, "")),
        ({"rain": 0, "flow": 5, "COD": 10}, (Level.FINDING, OK, "dry_flow")),
        ({"rain": 0, "flow": 5}, (Level.FINDING, OK, "dry_flow")),
        ({"rain": 2, "flow": 0}, (Level.WITHIN, OK, "")),
        ({"rain": 2, "flow": 5, "COD": 51}, (Level.HINT, OK, "polluted")),
        ({"rain": 2, "flow": 5, "COD": 50}, (Level.WITHIN, OK, "")),
        ({"rain": 2, "flow": 5}, (Level.NOT_JUDGED, MISSING_ITEM, "no_quality_known")),
        ({"flow": 5, "COD": 51}, (Level.NOT_JUDGED, MISSING_ITEM, "no_rain_known")),
        ({"flow": 0}, (Level.WITHIN, OK, "")),
        ({"rain": 0, "COD": 51}, (Level.NOT_JUDGED, SILENT, "no_flow_known")),
        ({}, (Level.NOT_JUDGED, SILENT, "no_flow_known")),
    ],
)
def test_the_table_of_truth(columns: dict[str, Column], said: tuple[int, int, str]) -> None:
    assert _said(columns) == said


HOURLY = PERMIT.replace("instantaneous", "hour_mean")
DAILY = """
sites:
  - site: SYN-OUT-1
    applies: [{standard: GB 4287-2012, column: direct, from: 2020-01-01, source: permit}]
"""


def test_only_a_limit_that_gives_a_finding_of_an_hour_makes_sewage_in_rain_a_finding() -> None:
    rain: dict[str, Column] = {"rain": 2, "flow": 5, "COD": 81}
    assert _said(rain, text=HOURLY) == (Level.FINDING, OK, "polluted")
    # A daily limit only hints at an hour, and what it hints at stays a hint.
    assert _said(rain, text=DAILY) == (Level.HINT, OK, "polluted")
    assert _said(rain | {"COD": 80}, text=DAILY) == (Level.WITHIN, OK, "")
    # Flow in dry weather is found whatever its quality.
    assert _said(rain | {"rain": 0}, text=DAILY) == (Level.FINDING, OK, "dry_flow")


@pytest.mark.parametrize(("text", "level"), [(HOURLY, Level.FINDING), (DAILY, Level.HINT)])
def test_a_day_is_as_grave_as_the_gravest_of_its_hours(text: str, level: Level) -> None:
    made = dry_weather(context(text))
    seen = slots("2026-06-01", {"rain": 2, "flow": 5, "COD": [81] * 3 + [10] * 21})
    (block,) = made.day(seen, (RAIN_OUTLET,), means({}))
    assert (int(block.value[0, 0]), int(block.level[0, 0])) == (3, level)


def test_what_is_polluted_is_unset_where_no_limit_says_so() -> None:
    assert _said({"rain": 2, "flow": 5, "COD": 900}, text="") == (Level.NOT_JUDGED, UNSET, "no_limit")
    assert _said({"rain": 0, "flow": 5}, text="") == (Level.FINDING, OK, "dry_flow")


def test_other_outlets_are_not_in_the_plan() -> None:
    assert _said({"rain": 0, "flow": 5}, use="sewage") == (Level.NOT_JUDGED, NOT_IN_PLAN, "not_in_plan")


def test_less_than_a_trickle_is_no_flow() -> None:
    assert _said({"rain": 0, "flow": "0.09"})[0] == Level.WITHIN
    assert _said({"rain": 0, "flow": "0.1"})[0] == Level.FINDING


def test_after_rain_a_pipe_may_drain_for_some_hours() -> None:
    hours = load_dry_weather_rule().dry_hours
    for ago, level in ((hours - 1, Level.WITHIN), (hours, Level.FINDING)):
        rain: list[float | str | None] = [0] * 24
        rain[23 - ago] = 3
        assert _said({"rain": rain, "flow": 5, "COD": 10})[0] == level


def test_one_hour_without_rain_data_makes_no_dry_hour_but_known_rain_is_rain() -> None:
    gap: list[float | str | None] = [0] * 24
    gap[20] = None
    assert _said({"rain": gap, "flow": 5})[2] == "no_rain_known"
    gap[22] = 3
    assert _said({"rain": gap, "flow": 5, "COD": 60})[2] == "polluted"


def test_before_enough_hours_are_known_nothing_is_dry() -> None:
    wet, dry = weather(np.zeros((1, 5), np.int64), np.ones((1, 5), np.bool_), 3, 1)
    assert wet.tolist() == [[False] * 5]
    assert dry.tolist() == [[False, False, True, True, True]]


def test_a_day_counts_its_hours_with_a_finding() -> None:
    made = dry_weather(context(PERMIT))
    assert made.day_before == load_dry_weather_rule().dry_hours - 1
    flow: Column = [0] * 30 + [5] * 3 + [0] * 2
    seen = slots("2026-05-31", {"rain": 0, "flow": flow}, first=13, hours=35)  # 11 h of context, then 2026-06-01
    (block,) = made.day(seen, (RAIN_OUTLET,), means({}))
    assert (int(block.value[0, 0]), int(block.level[0, 0])) == (3, Level.FINDING)
    assert (int(block.valid[0, 0]), int(block.expected[0, 0])) == (24, 24)


def test_a_day_without_a_known_hour_has_no_value() -> None:
    made = dry_weather(context(PERMIT))
    (block,) = made.day(slots("2026-06-01", {}), (RAIN_OUTLET,), means({}))
    assert (bool(block.present[0, 0]), int(block.reason[0, 0]), bool(block.due[0, 0])) == (False, SILENT, False)


def test_a_kind_without_rain_cannot_ask_for_it() -> None:
    with pytest.raises(UnknownName):
        dry_weather(context(kind="voc"))


def test_every_outcome_has_a_word() -> None:
    assert [outcome.name.lower() for outcome in Outcome][:2] == ["not_in_plan", "within"]
