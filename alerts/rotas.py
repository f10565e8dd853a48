"""Rotas: who is on duty at an instant, by Beijing time, with swaps and leave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Final

from sensors.clock import HOUR_MS, MINUTE_MS, day_of, first_hour_of_day

DAY_MIN: Final = 1440


class Change(StrEnum):
    """How often the order of a rota moves on by one person."""

    SHIFT = "shift"
    DAY = "day"
    WEEK = "week"


class Ground(StrEnum):
    """Why somebody is, or nobody is, on duty."""

    TURN = "turn"
    """It is this person's turn in the order."""
    SWAP = "swap"
    """A named change of this one shift."""
    COVER = "cover"
    """The one whose turn it is has leave."""
    NO_SHIFT = "no_shift"
    """The rota has no shift at that time of day."""
    NOT_BEGUN = "not_begun"
    ALL_ON_LEAVE = "all_on_leave"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A part of the day, minutes after midnight in Beijing; one that ends at or before its start ends next day."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """Minutes; a shift that ends where it begins lasts a day."""
        return (self.end - self.start) % DAY_MIN or DAY_MIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """Somebody else takes one shift of one day."""

    day: int
    """Beijing day number on which the shift begins."""
    shift: int | None
    """Its place in the rota from 0; None for all shifts of the day."""
    person: str
    author: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Somebody is away on whole days."""

    person: str
    first: int
    """Beijing day number."""
    last: int
    """Likewise, inside."""
    cover: str
    """Who takes the shifts; empty: the next in the order who is there."""
    author: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rota:
    """Persons who take turns."""

    id: str
    order: tuple[str, ...]
    shifts: tuple[Shift, ...]
    change: Change
    first_day: int
    """Beijing day number on which the first of the order begins; nobody is on duty before."""
    swaps: tuple[Swap, ...] = ()
    leave: tuple[Leave, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDuty:
    """Who is on duty, and why."""

    person: str
    """Empty for nobody."""
    ground: Ground
    start: int = 0
    """Of the shift, milliseconds UTC; 0 without a shift."""
    end: int = 0
    instead_of: str = ""
    """Whose turn it would be, where somebody else stands in."""


def on_duty(rota: Rota, at_ms: int) -> OnDuty:
    """Return who has the shift that holds an instant; nobody, with the reason, when there is none."""
    found = _shift_at(rota, at_ms)
    if found is None:
        return OnDuty(person="", ground=Ground.NO_SHIFT)
    day, place = found
    shift = rota.shifts[place]
    start = _midnight(day) + shift.start * MINUTE_MS
    end = start + shift.length * MINUTE_MS
    if day < rota.first_day:
        return OnDuty(person="", ground=Ground.NOT_BEGUN, start=start, end=end)
    turn = _turn(rota, day, place)
    person, ground = _who(rota, turn, day, place)
    due = rota.order[turn % len(rota.order)]
    instead = due if ground in {Ground.SWAP, Ground.COVER, Ground.ALL_ON_LEAVE} and person != due else ""
    return OnDuty(person=person, ground=ground, start=start, end=end, instead_of=instead)


def overlapping(shifts: Sequence[Shift]) -> tuple[int, int] | None:
    """Return the places of the first two shifts that share a minute of the day; None when none do."""
    for (one, first), (two, second) in combinations(enumerate(shifts), 2):
        apart = (second.start - first.start) % DAY_MIN
        if apart < first.length or DAY_MIN - apart < second.length:
            return one, two
    return None


def _shift_at(rota: Rota, at_ms: int) -> tuple[int, int] | None:
    """Return the day on which the shift began, and its place."""
    today = day_of(at_ms)
    for day in (today, today - 1):
        into = (at_ms - _midnight(day)) // MINUTE_MS
        for place, shift in enumerate(rota.shifts):
            if shift.start <= into < shift.start + shift.length:
                return day, place
    return None


def _turn(rota: Rota, day: int, place: int) -> int:
    since = day - rota.first_day
    match rota.change:
        case Change.SHIFT:
            return since * len(rota.shifts) + place
        case Change.DAY:
            return since
        case Change.WEEK:
            return since // 7


def _who(rota: Rota, turn: int, day: int, place: int) -> tuple[str, Ground]:
    for swap in rota.swaps:
        if swap.day == day and swap.shift in {None, place}:
            return swap.person, Ground.SWAP
    for ahead in range(len(rota.order)):
        person = rota.order[(turn + ahead) % len(rota.order)]
        away = next(_leave_of(rota, person, day), None)
        if away is None:
            return person, Ground.TURN if ahead == 0 else Ground.COVER
        if away.cover and next(_leave_of(rota, away.cover, day), None) is None:
            return away.cover, Ground.COVER
    return "", Ground.ALL_ON_LEAVE


def _leave_of(rota: Rota, person: str, day: int) -> Iterator[Leave]:
    return (leave for leave in rota.leave if leave.person == person and leave.first <= day <= leave.last)


def _midnight(day: int) -> int:
    return first_hour_of_day(day) * HOUR_MS
