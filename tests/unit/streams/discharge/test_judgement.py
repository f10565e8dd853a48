"""Judging: levels, early warning, multiples, the limit that decides, and what is told of it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from streams.discharge.applied import AppliedLimit, Verdict, When, Why, limits_for
from streams.discharge.judgement import FAR, Level, judge, levels, read_detail, say, thresholds
from tests.discharge_cases import book, day, site

DYE = """
sites:
  - site: SYN-OUT-1
    applies: [{standard: GB 4287-2012, column: direct, from: 2020-01-01, source: permit}]
    limits:
      - {factor: COD, period: daily_mean, high: 60, unit: mg/L, from: 2020-01-01, source: permit}
      - {factor: COD, period: instantaneous, high: 100, unit: mg/L, from: 2020-01-01, source: permit}
"""


def _limits(factor: str, window: str) -> tuple[AppliedLimit, ...]:
    return limits_for(book(DYE), site(), factor, window, When(day=day("2026-06-01")))


@pytest.mark.parametrize(
    ("value", "level"),
    [
        ("0", Level.WITHIN),
        ("47.9", Level.WITHIN),
        ("48", Level.WARNING_80),
        ("53.9", Level.WARNING_80),
        ("54", Level.WARNING_90),
        ("60", Level.WARNING_90),
        ("60.1", Level.FINDING),
    ],
)
def test_a_daily_mean_is_warned_at_80_and_90_percent_of_the_strictest_limit(value: str, level: Level) -> None:
    judged = judge(Fraction(value), _limits("COD", "24h"))
    assert judged.level is level
    assert judged.decides == 1


def test_a_value_over_both_limits_is_decided_by_the_strictest_with_its_multiple() -> None:
    judged = judge(Fraction(90), _limits("COD", "24h"))
    assert (judged.level, judged.decides, judged.multiple) == (Level.FINDING, 1, Fraction(1, 2))


def test_an_hour_hints_at_the_daily_limit_of_its_trade_before_the_permits_instantaneous_one() -> None:
    limits = _limits("COD", "1h")
    assert [(one.high, one.why) for one in limits] == [
        (Fraction(80), Why.SHORTER),
        (Fraction(100), Why.AUTOMATIC),
    ]
    assert judge(Fraction(85), limits).level is Level.HINT
    assert judge(Fraction(85), limits).decides == 0
    assert judge(Fraction(120), limits).decides == 0


@pytest.mark.parametrize(
    ("value", "level"),
    [("5.99", Level.FINDING), ("6", Level.WITHIN), ("8.9", Level.WITHIN), ("9", Level.WITHIN), ("9.01", Level.FINDING)],
)
def test_a_range_has_two_ends_and_neither_warning_nor_multiple(value: str, level: Level) -> None:
    judged = judge(Fraction(value), _limits("pH", "24h_min"))
    assert (judged.level, judged.multiple) == (level, None)


def test_without_a_limit_nothing_is_judged() -> None:
    judged = judge(Fraction(90), ())
    assert (judged.level, judged.decides, judged.multiple) == (Level.NOT_JUDGED, None, None)
    assert thresholds((), 2) == (FAR, -FAR, FAR, -FAR, FAR, FAR)


def test_of_two_equally_strict_limits_the_one_with_a_multiple_decides_in_any_order() -> None:
    (daily,) = [one for one in _limits("COD", "24h") if one.high == 60]
    bare = replace(daily, limit=replace(daily.limit, proportional=False))
    assert judge(Fraction(90), [bare, daily]).multiple == judge(Fraction(90), [daily, bare]).multiple == Fraction(1, 2)


def test_limits_that_are_only_shown_judge_nothing() -> None:
    shown = tuple(
        AppliedLimit(limit=one.limit, verdict=Verdict.SHOWN, why=Why.BASIS, low=one.low, high=one.high)
        for one in _limits("COD", "24h")
    )
    assert judge(Fraction(900), shown).level is Level.NOT_JUDGED
    assert thresholds(shown, 2) == (FAR, -FAR, FAR, -FAR, FAR, FAR)


def test_thresholds_are_whole_numbers_of_the_stored_digits() -> None:
    # 60 mg/L at three digits: over from 60001 on; 80 % is 48 000, 90 % is 54 000.
    assert thresholds(_limits("COD", "24h"), 3) == (60_000, -FAR, FAR, -FAR, 48_000, 54_000)
    assert thresholds(_limits("pH", "24h_min"), 4) == (90_000, 60_000, FAR, -FAR, FAR, FAR)


def test_a_column_is_judged_as_each_of_its_values() -> None:
    row = np.array(thresholds(_limits("COD", "24h"), 3))
    values = np.array([0, 47_999, 48_000, 54_000, 60_000, 60_001])
    assert levels(values, np.broadcast_to(row, (6, 6))).tolist() == [0, 0, 1, 2, 2, 4]
    nothing = np.array(thresholds((), 3))
    assert levels(values, np.broadcast_to(nothing, (6, 6))).tolist() == [-1] * 6


def test_what_is_told_can_be_read_back() -> None:
    limits = _limits("COD", "24h")
    said = read_detail(say(limits, judge(Fraction(90), limits)))
    assert (said.decides, said.multiple, said.excluded) == (1, "0.50", "")
    assert [(one.standard, one.table, one.column, one.high, one.unit) for one in said.limits] == [
        ("GB 4287-2012", "2", "direct", "80", "mg/L"),
        ("permit", "", "", "60", "mg/L"),
    ]
    assert [one.verdict for one in said.limits] == [Verdict.FINDING, Verdict.FINDING]
    assert read_detail("").limits == ()


def test_a_limit_is_told_as_it_is_written() -> None:
    limits = limits_for(
        book(DYE.replace("COD, period: daily_mean, high: 60", "COD, period: daily_mean, high: 0.00003")),
        site(), "COD", "24h", When(day=day("2026-06-01")),
    )  # fmt: skip
    assert [one.high for one in read_detail(say(limits, judge(Fraction(0), limits))).limits] == ["80", "0.00003"]


def test_decibel_have_neither_a_share_nor_a_multiple() -> None:
    zone = site("SYN-N-1", kind="noise", zone="1")
    limits = limits_for(book(kind="noise"), zone, "Leq", "1h", When(day=day("2026-06-01")))
    assert [one.high for one in limits] == [55]
    assert judge(Fraction(54), limits).level is Level.WITHIN
    assert (judge(Fraction(66), limits).level, judge(Fraction(66), limits).multiple) == (Level.HINT, None)
    assert thresholds(limits, 1) == (FAR, -FAR, 550, -FAR, FAR, FAR)
