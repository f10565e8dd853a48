"""Sites, permits and judged slots of outfalls and VOCs points, written as people would say them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from sensors.clock import day_number, day_of_hour, first_hour_of_day
from sensors.kinds import Kind, load_kind
from sensors.registry import Site
from sensors.windows import Span
from sensors.yamlfile import parse_yaml
from streams.discharge.applied import LimitBook
from streams.discharge.limits import load_limits
from streams.discharge.permits import Permits, parse_permits
from streams.judging.plan import Block, Slots
from streams.judging.reasons import OK, SILENT
from streams.judging.registered import JudgingContext
from streams.standards import load_standards

HOUR_MS = 3_600_000
Column = Sequence[float | str | None] | float | str | None
"""One value for each hour, or one for all; None is missing."""


def day(text: str) -> int:
    """Return the Beijing day number of a date."""
    return day_number(dt.date.fromisoformat(text))


def site(name: str = "SYN-OUT-1", kind: str = "outfall", areas: tuple[str, ...] = (), **setting: Any) -> Site:
    """Return a registry entry that holds always."""
    return Site(
        id=name,
        kind=kind,
        name_zh="排口（模拟）",
        name_en="outlet",
        station_class="sewage" if kind == "outfall" else "point",
        lon=120.9,
        lat=30.0,
        county="上虞区",
        township="",
        zone=0,
        period_ms=600_000,
        synthetic=True,
        source="made for a test",
        start=0,
        end=None,
        not_in_plan=(),
        assessment=False,
        areas=areas,
        setting=setting,
    )


def permits(text: str) -> Permits:
    """Return the permits that a YAML text says."""
    return parse_permits(parse_yaml(text, "permits.yaml"), load_limits())


def book(text: str = "", kind: str = "outfall") -> LimitBook:
    """Return the limits of a kind with the permits of a YAML text."""
    found = permits(text) if text else Permits()
    return LimitBook(kind=kind, factors=load_kind(kind).factors, pack=load_limits(), permits=found)


def context(text: str = "", kind: str = "outfall") -> JudgingContext:
    """Return what an evaluation of a kind is made from."""
    found = permits(text) if text else Permits()
    return JudgingContext(kind=load_kind(kind), standards=load_standards(), permits=found)


def stored(kind: Kind, factor: str, value: float | str) -> int:
    """Return a number as the integer that is kept of it."""
    number = Fraction(str(value)) * 10 ** kind.factors[factor].digits
    assert number.denominator == 1, (factor, value)
    return int(number)


def slots(
    date: str,
    columns: Mapping[str, Column],
    *,
    kind: str = "outfall",
    hours: int = 24,
    first: int = 0,
    low: Mapping[str, Column] | None = None,
    high: Mapping[str, Column] | None = None,
) -> Slots:
    """Return the hours of one site from 00:00 (or hour ``first``) of a Beijing day on."""
    found = load_kind(kind)
    factors = tuple(found.factors)
    value, present = np.zeros((1, len(factors), hours), np.int64), np.zeros((1, len(factors), hours), np.bool_)
    for place, factor in enumerate(factors):
        _fill(found, factor, columns.get(factor), value[0, place], present[0, place])
    ends = []
    for given in (low, high):
        end = value.copy()
        for factor, column in (given or {}).items():
            place = factors.index(factor)
            _fill(found, factor, column, end[0, place], np.zeros(hours, np.bool_))
        ends.append(end)
    number = first_hour_of_day(day(date)) + first + np.arange(hours, dtype=np.int64)
    inputs = np.where(present, (value + 7).astype(np.uint64), np.uint64(0))
    shape = value.shape
    return Slots(
        value=value,
        present=present,
        valid=np.where(present, 60, 0).astype(np.int16),
        expected=np.full(shape, 60, np.int16),
        reason=np.where(present, OK, SILENT).astype(np.uint8),
        marks=np.zeros(shape, np.int32),
        inputs=inputs,
        planned=np.ones(shape, np.bool_),
        low=ends[0],
        high=ends[1],
        number=number,
        day=day_of_hour(number),
        start=number * HOUR_MS,
        slot_ms=HOUR_MS,
        factors=factors,
        steps=tuple(factor.step for factor in found.factors.values()),
    )


def _fill(kind: Kind, factor: str, column: Column, value: Any, present: Any) -> None:
    cells = [column] * len(value) if column is None or isinstance(column, int | float | str) else list(column)
    assert len(cells) == len(value)
    for place, cell in enumerate(cells):
        if cell is not None:
            value[place], present[place] = stored(kind, factor, cell), True


def means(given: Mapping[tuple[str, str], float | str | None], kind: str = "outfall") -> dict[tuple[str, str], Block]:
    """Return the day windows of one site; those that are not given have no value."""
    found = load_kind(kind)
    made: dict[tuple[str, str], Block] = {}
    for window in found.of_span(Span.DAY):
        for factor in window.factors:
            value = given.get((factor, window.name))
            there = value is not None
            made[factor, window.name] = Block.of(
                value=[[0 if value is None else stored(found, factor, value)]],
                present=[[there]],
                reason=[[OK if there else SILENT]],
                inputs=[[5 if there else 0]],
                valid=24 if there else 0,
                expected=24,
            )
    return made
