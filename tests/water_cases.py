"""Slots and sites of water for tests: readings by factor, one text per slot."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from types import SimpleNamespace
from typing import cast

import numpy as np

from sensors.kinds import Kind, load_kind
from sensors.registry import Absence, Site
from sensors.windows import Span
from streams.judging.means import divide_half_even
from streams.judging.plan import Block, Output, Slots
from streams.judging.reasons import SILENT
from streams.periods.plan import DayValues, Period, PeriodMeans, Series
from streams.standards import day_number

SLOT_MS = 4 * 3_600_000


def kind() -> Kind:
    return load_kind("water")


def section(
    name: str = "a",
    *,
    station_class: str = "river_section",
    assessment: bool = False,
    not_in_plan: tuple[Absence, ...] = (),
    **setting: object,
) -> Site:
    """A site of which only the setting, the class and the assessment count."""
    told = {"water": "river", "target": "III", **setting}
    return cast(
        "Site",
        SimpleNamespace(
            id=name, station_class=station_class, assessment=assessment, setting=told, not_in_plan=not_in_plan
        ),
    )


def slots(*sites: dict[str, str], day: int = 20_000, count: int = 6) -> Slots:
    """Readings of each site: factor → texts of its slots divided by blanks, ``-`` for none; one text holds for all."""
    factors = kind().factors
    names = tuple(factors)
    shape = (len(sites), len(names), count)
    value, present = np.zeros(shape, np.int64), np.zeros(shape, np.bool_)
    for at, readings in enumerate(sites):
        for name, text in readings.items():
            texts = text.split() * (1 if " " in text else count)
            for slot, cell in enumerate(texts):
                if cell != "-":
                    value[at, names.index(name), slot] = int(Fraction(cell) * 10 ** factors[name].digits)
                    present[at, names.index(name), slot] = True
    number = np.arange(count, dtype=np.int64)
    return Slots(
        value=value,
        present=present,
        valid=present.astype(np.int16),
        expected=np.ones(shape, np.int16),
        reason=np.where(present, 0, SILENT).astype(np.uint8),
        marks=np.zeros(shape, np.int32),
        inputs=present.astype(np.uint64) * (value.astype(np.uint64) + np.uint64(7)),
        planned=np.ones(shape, np.bool_),
        low=value,
        high=value,
        number=number,
        day=day + number // 6,
        start=number * SLOT_MS,
        slot_ms=SLOT_MS,
        factors=names,
        steps=tuple(factor.step for factor in factors.values()),
    )


def day_means(given: Slots) -> dict[tuple[str, str], Block]:
    """The arithmetic day means of slots, as the judge would hand them on; pH must not move within the day."""
    found = {}
    for at, name in enumerate(given.factors):
        there = given.present[:, at]
        count = there.sum(axis=1)
        mean = np.where(count > 0, given.value[:, at].sum(axis=1) // np.maximum(count, 1), 0)
        found[name, "24h"] = Block.of(
            value=mean[:, None],
            present=(count > 0)[:, None],
            reason=np.where(count > 0, 0, SILENT)[:, None],
            inputs=given.inputs[:, at].sum(axis=1, dtype=np.uint64)[:, None],
        )
    return found


def detail(output: Output, block: Block) -> list[list[str]]:
    """Return the detail texts of a block, [sites][times]."""
    assert output.tell is not None
    flat = output.tell(block.detail.ravel()).to_pylist()
    width = block.detail.shape[1]
    return [flat[row * width : (row + 1) * width] for row in range(block.detail.shape[0])]


def named(output: Output, bits: int) -> list[str]:
    """Return the names of a block's primary bits."""
    return [name for at, name in enumerate(output.primaries) if bits >> at & 1]


class Days:
    """Day values of sections, as the second stage holds them; arithmetic means from three quarters of the days on."""

    def __init__(self, factors: tuple[str, ...] | None = None) -> None:
        self._digits = {name: factor.digits for name, factor in kind().factors.items()}
        self._factors = factors or tuple(self._digits)
        self._held: dict[tuple[str, str], dict[int, int]] = {}

    def put(self, member: str, first: int, last: int, **values: str) -> None:
        """Hold the same values on all days from ``first`` to ``last``."""
        for name, text in values.items():
            factor = {"NH3_N": "NH3-N", "TN_flux": "TN.flux"}.get(name, name)
            fixed = int(Fraction(text) * 10 ** self._digits.get(factor, 3))
            self._held.setdefault((member, factor), {}).update(dict.fromkeys(range(first, last + 1), fixed))

    def days(self, members: Sequence[str], series: Series, first_day: int, last_day: int) -> DayValues:
        span = range(first_day, last_day + 1)
        value, present = np.zeros((len(members), len(span)), np.int64), np.zeros((len(members), len(span)), np.bool_)
        for row, member in enumerate(members):
            held = self._held.get((member, series.factor), {})
            for column, day in enumerate(span):
                if day in held:
                    value[row, column], present[row, column] = held[day], True
        reason = np.where(present, 0, SILENT).astype(np.uint8)
        return DayValues(first_day=first_day, value=value, present=present, reason=reason, came=present)

    def means(self, members: Sequence[str], period: Period, factors: Sequence[str] | None = None) -> PeriodMeans:
        wanted = self._factors if factors is None else tuple(factors)
        shape = (len(members), len(wanted))
        value, count = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for at, factor in enumerate(wanted):
            found = self.days(members, Series(factor, "24h"), period.first_day, period.through_day)
            count[:, at] = found.present.sum(axis=1)
            value[:, at] = divide_half_even(found.value.sum(axis=1), np.maximum(count[:, at], 1))
        present = (count > 0) & (4 * count >= 3 * period.due)
        return PeriodMeans(
            period=period,
            members=tuple(members),
            factors=wanted,
            digits=tuple(self._digits[factor] for factor in wanted),
            value=np.where(present, value, 0),
            present=present,
            valid=count,
            expected=np.full(shape, period.due),
            reason=np.where(present, 0, SILENT).astype(np.uint8),
            past=self,
        )


def day(text: str) -> int:
    """Return the day number of a date."""
    return day_number(date.fromisoformat(text))


def year(number: int, through: str | None = None) -> Period:
    last = day(f"{number}-12-31")
    through_day = last if through is None else day(through)
    first = day(f"{number}-01-01")
    return Period(window="year", span=Span.YEAR, first_day=first, last_day=last, through_day=through_day)


def month(text: str) -> Period:
    first = day(f"{text}-01")
    last = first + monthrange(*map(int, text.split("-")))[1] - 1
    return Period(window="month", span=Span.MONTH, first_day=first, last_day=last, through_day=last)
