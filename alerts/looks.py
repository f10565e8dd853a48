"""Looks: values judged with their neighbours: a change of level, a rate, a projection; of what is known alone.

Every value of such a rule is kept; what it says is found again whenever one of them changes. A projection is marked
so (`Cause.PROJECTED`, `Cause.CERTAIN`) and stands on the window that it projects; its value was never measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Final

from alerts.bounds import Bound
from alerts.rules import Direction, Form, Kind, Look, Rule
from alerts.verdicts import Cause, Point, Verdict
from sensors.clock import BEIJING_OFFSET_H, DAY_HOURS, HOUR_MS

VALID_HOURS: Final = 20
"""Hours without which a day has no mean (HJ 663-2013); one that cannot come to them any more is not projected."""


def judge_with_neighbours(point: Point, kept: Mapping[int, Point], rule: Rule) -> Point | None:
    """Return a kept value as it is judged beside its neighbours; None when it is fine.

    Parameters
    ----------
    point
        The value.
    kept
        All values of the series that are known, by period; at least those of ``rule.look.back`` periods before.
    rule
        The rule; a value of which a neighbour is missing that it is held against is unknown.
    """
    look = rule.look
    if look is None:
        return point
    if rule.kind is Kind.CHANGE:
        return _change(point, kept, look)
    if rule.kind is Kind.RATE:
        return _rate(point, kept, rule, look)
    return _projection(point, kept, look)


def _change(point: Point, kept: Mapping[int, Point], look: Look) -> Point | None:
    """Hold a level or class against the valid one before, at most ``back`` periods away."""
    before = next((kept[one] for one in range(point.period - 1, point.period - look.back - 1, -1) if one in kept), None)
    if before is None or before.level is None or point.level is None:
        return replace(point, verdict=Verdict.UNKNOWN)
    if look.by is None or point.level - before.level < look.by:
        return None
    bound, doubted = _before(before.level, 0), point.to_verify or before.to_verify
    return replace(point, bound=bound, verdict=Verdict.OVER, cause=Cause.CHANGED, to_verify=doubted)


def _rate(point: Point, kept: Mapping[int, Point], rule: Rule, look: Look) -> Point | None:
    """Hold a value against the one ``back`` periods before."""
    before = kept.get(point.period - look.back)
    if before is None or before.value is None or point.value is None:
        return replace(point, verdict=Verdict.UNKNOWN)
    was, now = _number(before), _number(point)
    if look.by is None and not was:  # no share of nothing can be formed
        return replace(point, verdict=Verdict.UNKNOWN)
    most = look.by if look.by is not None else (look.share or 0) * abs(was)
    moved = now - was
    if {Direction.UP: moved, Direction.DOWN: -moved, Direction.EITHER: abs(moved)}[look.direction] <= most:
        return None
    bound = replace(
        _before(before.value, before.digits), below=moved < 0, author=rule.author, author_en=rule.author_en,
        clause=rule.why, clause_en=rule.why_en,
    )  # fmt: skip
    doubted = point.to_verify or before.to_verify
    return replace(point, bound=bound, verdict=Verdict.OVER, cause=Cause.CHANGED, to_verify=doubted)


def _before(value: int, digits: int) -> Bound:
    return Bound(value=value, digits=digits, standard="", table="", clause="", edition="", ranged=True)


def _projection(point: Point, kept: Mapping[int, Point], look: Look) -> Point | None:
    """Project the day's mean, or the hours ahead, as they look at the end of an hour."""
    trend = look.form is Form.TREND
    number = _trend(point, kept, look) if trend else _day(point, kept, look)
    if number is None and trend:  # a gap in the last hours ends no projection
        return replace(point, verdict=Verdict.UNKNOWN)
    if number is None or point.bound is None:
        return None
    value = round(number * 10**point.digits)
    if value <= point.bound.at_digits(point.digits):
        return None
    cause = Cause.CERTAIN if look.form is Form.CERTAIN else Cause.PROJECTED
    return replace(point, value=value, window=look.projects, verdict=Verdict.OVER, cause=cause)


def _day(point: Point, kept: Mapping[int, Point], look: Look) -> Fraction | None:
    """Return the mean of the day: its hours known, and for a prone one the last of them going on.

    HJ 663 takes the mean of the valid hours; with nothing more than zeros, and no hour missing, it is least.
    """
    hour = (point.start // HOUR_MS + BEIJING_OFFSET_H) % DAY_HOURS
    left = DAY_HOURS - 1 - hour
    known = [kept[one] for one in range(point.period - hour, point.period + 1) if one in kept]
    if len(known) < look.least or len(known) + left < VALID_HOURS:
        return None
    total = sum((_number(one) for one in known), start=Fraction(0))
    if look.form is Form.CERTAIN:
        return total / DAY_HOURS
    last = known[-look.ahead :]
    goes_on = sum((_number(one) for one in last), start=Fraction(0)) / len(last)
    return (total + goes_on * left) / (len(known) + left)


def _trend(point: Point, kept: Mapping[int, Point], look: Look) -> Fraction | None:
    """Return where the straight line through the last hours comes to; None where one of them is missing."""
    places = range(point.period - look.back + 1, point.period + 1)
    if any(one not in kept for one in places):
        return None
    return _number(point) + _slope([_number(kept[one]) for one in places]) * look.ahead


def _slope(values: Sequence[Fraction]) -> Fraction:
    """Return the slope of the line of least squares, a step."""
    middle = Fraction(len(values) - 1, 2)
    mean = sum(values, start=Fraction(0)) / len(values)
    upper = sum(((place - middle) * (value - mean) for place, value in enumerate(values)), start=Fraction(0))
    return upper / sum(((place - middle) ** 2 for place in range(len(values))), start=Fraction(0))


def _number(point: Point) -> Fraction:
    return Fraction(point.value or 0, 10**point.digits)
