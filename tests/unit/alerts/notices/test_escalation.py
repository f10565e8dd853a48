"""Escalation by unacknowledged time: G2, by the clock."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from alerts.events import Fact
from alerts.notices.escalation import Climb, Rise, Stop, begin, rise, stop_of
from alerts.notices.policy import Escalation, Stage
from alerts.people import Tier
from alerts.states import State
from sensors.clock import MINUTE_MS
from tests.unit.alerts.notices.building import event

T = 1_800_000_000_000
LADDER = Escalation(
    priorities=frozenset({1, 2}),
    stages=(
        Stage(after=5 * MINUTE_MS, tier=Tier.DISTRICT), Stage(after=15 * MINUTE_MS, tier=Tier.CITY),
        Stage(after=30 * MINUTE_MS, tier=Tier.PROVINCE),
    ),
    repeat=20 * MINUTE_MS, times=2, after_end=False,
)  # fmt: skip


def climb(**other: object) -> Climb:
    made = begin(LADDER, "e", T)
    assert made is not None
    return replace(made, **other)  # type: ignore[arg-type]


def test_an_event_climbs_from_tier_to_tier_by_the_clock_and_is_repeated_at_the_top() -> None:
    """G2, escalation by clock."""
    told = []
    now = climb()
    for minute in range(120):
        found = rise(now, LADDER, T + minute * MINUTE_MS)
        if found.tier is not None:
            told.append((minute, found.tier, found.again))
        now = found.climb
    assert told == [
        (5, Tier.DISTRICT, False), (15, Tier.CITY, False), (30, Tier.PROVINCE, False), (50, Tier.PROVINCE, True),
        (70, Tier.PROVINCE, True),
    ]  # fmt: skip
    assert now.stopped is Stop.AT_THE_TOP


def test_nothing_is_due_before_its_time() -> None:
    assert rise(climb(), LADDER, T + 5 * MINUTE_MS - 1) == Rise(climb=climb(), tier=None, again=False)


def test_stages_that_were_due_while_nobody_ran_are_one() -> None:
    found = rise(climb(), LADDER, T + 40 * MINUTE_MS)
    assert (found.tier, found.again, found.climb.done) == (Tier.PROVINCE, False, 3)
    assert found.climb.due_at == T + 60 * MINUTE_MS


def test_a_ladder_without_repeats_stops_at_the_top() -> None:
    once = replace(LADDER, repeat=None)
    found = rise(climb(done=2, due_at=T), once, T)
    assert (found.tier, found.climb.stopped, found.climb.due_at) == (Tier.PROVINCE, Stop.AT_THE_TOP, None)


def test_a_stopped_climb_tells_nobody() -> None:
    assert rise(climb(stopped=Stop.ACKNOWLEDGED), LADDER, T + 99 * MINUTE_MS).tier is None


def test_a_priority_that_does_not_climb_has_no_climb() -> None:
    assert begin(None, "e", T) is None


@pytest.mark.parametrize(
    ("other", "stop"),
    [
        ({}, None),
        ({"state": State.ACKNOWLEDGED}, Stop.ACKNOWLEDGED),
        ({"state": State.CLOSED}, Stop.CLOSED),
        ({"fact": Fact.CLEARED}, Stop.OVER),
        ({"fact": Fact.WITHDRAWN}, Stop.WITHDRAWN),
        ({"fact": Fact.JOINED}, Stop.JOINED),
        ({"fact": Fact.CLEARED, "state": State.ACKNOWLEDGED}, Stop.ACKNOWLEDGED),
    ],
)
def test_an_event_climbs_until_it_is_acknowledged_or_over(other: dict[str, Any], stop: Stop | None) -> None:
    assert stop_of(event(**other), LADDER) is stop


def test_an_event_that_is_over_climbs_on_where_the_policy_says_so() -> None:
    assert stop_of(event(fact=Fact.CLEARED), replace(LADDER, after_end=True)) is None
