"""Quiet hours and digests: until when a message waits."""

from __future__ import annotations

import datetime as dt

import pytest

from alerts.cases.deadlines import Calendar
from alerts.notices.digest import gather
from alerts.notices.policy import Days, Digest, Quiet, Whom
from alerts.notices.quiet import Hold, hold
from alerts.people import Person, Tier
from sensors.clock import BEIJING, day_number, ms_of

CALENDAR = Calendar(
    holidays=frozenset({day_number(dt.date(2026, 10, 1))}), working=frozenset({day_number(dt.date(2026, 10, 10))})
)
"""1 October 2026 is a Thursday off, 10 October a Saturday that is worked."""
NIGHT = Quiet(id="night", start=22 * 60, end=7 * 60, days=Days.ALL, whom=Whom(priorities=frozenset({2, 3, 4})))
MORNING = Digest(id="morning", at=(510, 1020), days=Days.ALL, whom=Whom(priorities=frozenset({4})))
PERSON = Person(
    id="p", name_zh="p", name_en="p", department="d", tier=Tier.TOWNSHIP, addresses={"local": "p"}, language="zh"
)


def at(day: int, hour: int, minute: int = 0, month: int = 10) -> int:
    return ms_of(dt.datetime(2026, month, day, hour, minute, tzinfo=BEIJING))


def held(*quiets: Quiet, now: int, priority: int = 3, person: Person = PERSON) -> Hold | None:
    return hold(quiets or (NIGHT,), person, priority, now, CALENDAR)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (at(5, 21, 59), None), (at(5, 22), at(6, 7)), (at(5, 23, 59), at(6, 7)), (at(6, 0), at(6, 7)),
        (at(6, 6, 59), at(6, 7)), (at(6, 7), None),
    ],
)  # fmt: skip
def test_a_message_in_quiet_hours_is_held_until_their_end(now: int, until: int | None) -> None:
    found = held(now=now)
    assert (None if found is None else found.until) == until
    assert found is None or found.by == "night"


def test_what_is_urgent_is_never_held() -> None:
    anybody = Quiet(id="all", start=0, end=0, days=Days.ALL, whom=Whom())
    assert held(anybody, now=at(5, 12), priority=2) is not None
    assert held(anybody, now=at(5, 12), priority=1) is None


@pytest.mark.parametrize(
    ("days", "day", "is_held"),
    [
        (Days.WORK_DAYS, 1, False), (Days.DAYS_OFF, 1, True), (Days.WORK_DAYS, 10, True), (Days.DAYS_OFF, 10, False),
        (Days.DAYS_OFF, 11, True), (Days.WORK_DAYS, 12, True), (Days.ALL, 11, True),
    ],
)  # fmt: skip
def test_quiet_hours_follow_the_offices_calendar(days: Days, day: int, is_held: object) -> None:
    noon = Quiet(id="noon", start=720, end=780, days=days, whom=Whom())
    assert (held(noon, now=at(day, 12, 30)) is not None) is is_held


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin() -> None:
    nights_off = Quiet(id="off", start=22 * 60, end=7 * 60, days=Days.DAYS_OFF, whom=Whom())
    assert held(nights_off, now=at(2, 3)) is not None  # the night of Thursday 1 October, a holiday
    assert held(nights_off, now=at(1, 3)) is None  # the night of Wednesday


def test_hours_that_follow_on_one_another_are_one_hold() -> None:
    weekend = Quiet(id="weekend", start=7 * 60, end=22 * 60, days=Days.DAYS_OFF, whom=Whom())
    found = held(NIGHT, weekend, now=at(16, 23))  # a Friday
    assert found == Hold(until=at(19, 7), by="night")


def test_hours_that_never_end_are_bounded() -> None:
    always = Quiet(id="always", start=0, end=0, days=Days.ALL, whom=Whom())
    found = held(always, now=at(5, 12))
    assert found is not None
    assert found.until > at(6, 0)


def test_quiet_hours_can_be_for_some_people_alone() -> None:
    chiefs = Quiet(id="chiefs", start=0, end=0, days=Days.ALL, whom=Whom(tiers=frozenset({Tier.CITY})))
    named = Quiet(id="named", start=0, end=0, days=Days.ALL, whom=Whom(persons=frozenset({"p"})))
    assert held(chiefs, now=at(5, 12)) is None
    assert held(named, now=at(5, 12)) is not None


@pytest.mark.parametrize(
    ("now", "until"),
    [(at(5, 8, 29), at(5, 8, 30)), (at(5, 8, 30), at(5, 17)), (at(5, 17, 1), at(6, 8, 30))],
)
def test_a_message_of_little_urgency_goes_with_the_next_digest(now: int, until: int) -> None:
    assert gather([MORNING], PERSON, 4, now, CALENDAR) == Hold(until=until, by="morning")


def test_what_no_digest_is_for_goes_by_itself() -> None:
    assert gather([MORNING], PERSON, 3, at(5, 8), CALENDAR) is None
    assert gather([], PERSON, 4, at(5, 8), CALENDAR) is None


def test_what_is_urgent_goes_by_itself() -> None:
    everything = Digest(id="all", at=(0,), days=Days.ALL, whom=Whom())
    assert gather([everything], PERSON, 1, at(5, 8), CALENDAR) is None
    assert gather([everything], PERSON, 2, at(5, 8), CALENDAR) is not None


def test_a_digest_of_work_days_waits_over_days_off() -> None:
    office = Digest(id="office", at=(510,), days=Days.WORK_DAYS, whom=Whom())
    found = gather([office], PERSON, 4, at(16, 9), CALENDAR)  # a Friday
    assert found == Hold(until=at(19, 8, 30), by="office")
