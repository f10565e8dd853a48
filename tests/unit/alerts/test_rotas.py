"""Who is on duty: by Beijing time, with swaps and leave."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from alerts.rotas import Change, Ground, Leave, OnDuty, Rota, Shift, Swap, on_duty, overlapping
from sensors.clock import BEIJING, day_number, ms_of

DAY_1 = day_number(dt.date(2026, 11, 2))
"""A Monday."""
DAY_AND_NIGHT = (Shift(start=510, end=1230), Shift(start=1230, end=510))
"""08:30 to 20:30, and 20:30 to 08:30 of the next day."""


def rota(**other: object) -> Rota:
    made = Rota(
        id="duty", order=("a", "b", "c"), shifts=DAY_AND_NIGHT, change=Change.SHIFT, first_day=DAY_1,
    )  # fmt: skip
    return replace(made, **other)  # type: ignore[arg-type]


def at(day: int, hour: int, minute: int = 0) -> int:
    return ms_of(dt.datetime(2026, 11, day, hour, minute, tzinfo=BEIJING))


def who(one: Rota, day: int, hour: int, minute: int = 0) -> str:
    return on_duty(one, at(day, hour, minute)).person


def test_the_order_moves_on_with_each_shift() -> None:
    assert [who(rota(), 2, 9), who(rota(), 2, 21), who(rota(), 3, 9), who(rota(), 3, 21)] == ["a", "b", "c", "a"]


def test_the_order_can_move_on_each_day_or_week() -> None:
    daily = rota(change=Change.DAY)
    assert [who(daily, 2, 9), who(daily, 2, 21), who(daily, 3, 9)] == ["a", "a", "b"]
    weekly = rota(change=Change.WEEK)
    assert [who(weekly, 2, 9), who(weekly, 8, 21), who(weekly, 9, 9)] == ["a", "a", "b"]


def test_a_night_shift_belongs_to_the_day_on_which_it_began() -> None:
    assert who(rota(), 3, 3) == who(rota(), 2, 21) == "b"


@pytest.mark.parametrize(("minute", "person"), [(29, "b"), (30, "c")])
def test_a_shift_begins_on_its_minute_of_beijing_time(minute: int, person: str) -> None:
    assert who(rota(), 3, 8, minute) == person


def test_the_answer_names_the_shift() -> None:
    assert on_duty(rota(), at(3, 3)) == OnDuty(person="b", ground=Ground.TURN, start=at(2, 20, 30), end=at(3, 8, 30))


def test_a_swap_puts_somebody_else_into_one_shift() -> None:
    swapped = rota(swaps=(Swap(day=DAY_1, shift=1, person="c", author="x", why="y"),))
    assert [who(swapped, 2, 9), who(swapped, 2, 21), who(swapped, 3, 9)] == ["a", "c", "c"]
    found = on_duty(swapped, at(2, 21))
    assert (found.ground, found.instead_of) == (Ground.SWAP, "b")


def test_a_swap_without_a_shift_is_for_the_whole_day() -> None:
    swapped = rota(swaps=(Swap(day=DAY_1, shift=None, person="c", author="x", why="y"),))
    assert [who(swapped, 2, 9), who(swapped, 2, 21)] == ["c", "c"]


def test_the_next_in_the_order_covers_for_somebody_on_leave() -> None:
    away = rota(leave=(Leave(person="a", first=DAY_1, last=DAY_1, cover="", author="x", why="y"),))
    found = on_duty(away, at(2, 9))
    assert (found.person, found.ground, found.instead_of) == ("b", Ground.COVER, "a")


def test_a_named_cover_goes_before_the_order() -> None:
    away = rota(leave=(Leave(person="a", first=DAY_1, last=DAY_1, cover="z", author="x", why="y"),))
    assert who(away, 2, 9) == "z"


def test_a_cover_who_is_away_too_covers_nothing() -> None:
    leave = (
        Leave(person="a", first=DAY_1, last=DAY_1, cover="b", author="x", why="y"),
        Leave(person="b", first=DAY_1, last=DAY_1, cover="", author="x", why="y"),
    )
    assert who(rota(leave=leave), 2, 9) == "c"


def test_nobody_is_on_duty_when_all_are_on_leave() -> None:
    leave = tuple(Leave(person=one, first=DAY_1, last=DAY_1, cover="", author="x", why="y") for one in "abc")
    found = on_duty(rota(leave=leave), at(2, 9))
    assert (found.person, found.ground) == ("", Ground.ALL_ON_LEAVE)


def test_nobody_is_on_duty_before_the_first_day_or_between_shifts() -> None:
    assert on_duty(rota(), at(1, 9)).ground is Ground.NOT_BEGUN
    office = rota(shifts=(Shift(start=540, end=1020),))
    assert on_duty(office, at(3, 18)).ground is Ground.NO_SHIFT
    assert who(office, 3, 10) == "b"


def test_a_rota_of_one_person_and_one_whole_day_always_has_that_person() -> None:
    alone = rota(order=("a",), shifts=(Shift(start=0, end=0),))
    assert {who(alone, day, hour) for day in (2, 9) for hour in range(24)} == {"a"}


@pytest.mark.parametrize(
    ("shifts", "both"),
    [
        ((), None),
        ((Shift(start=0, end=0),), None),
        (DAY_AND_NIGHT, None),
        ((Shift(start=510, end=1230), Shift(start=1229, end=510)), (0, 1)),
        ((Shift(start=1230, end=511), Shift(start=510, end=1230)), (0, 1)),
        ((Shift(start=0, end=0), Shift(start=60, end=120)), (0, 1)),
        ((Shift(start=60, end=120), Shift(start=60, end=120)), (0, 1)),
    ],
)
def test_shifts_overlap_where_they_share_a_minute(shifts: tuple[Shift, ...], both: tuple[int, int] | None) -> None:
    assert overlapping(shifts) == both
