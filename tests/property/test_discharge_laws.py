"""Laws of discharge: the strictest limit decides, means lie between their parts, sums do not mind how they are cut."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.windows import Confidence
from streams.discharge.applied import AppliedLimit, Verdict, Why
from streams.discharge.judgement import Level, decider_within, judge, level_of, levels, read_detail, say, thresholds
from streams.discharge.limitfile import Period
from streams.discharge.limits import Limit
from streams.discharge.loads import Units, day_loads
from streams.discharge.outlets import FOUND, Hours, Outcome, outcomes
from streams.discharge.quotas import Outlook, balance, project, used_up_at
from streams.judging.means import divide_exact

DIGITS = 2
_VERDICTS = st.sampled_from(list(Verdict))


@st.composite
def _limits(draw: st.DrawFn) -> AppliedLimit:
    high = Fraction(draw(st.integers(0, 100_000)), draw(st.sampled_from([1, 3, 10, 100, 1000])))
    low = draw(st.sampled_from([None, None, high / 2]))
    limit = Limit(
        standard="GB 1", table="1", clause="", column="A", factor="COD", period=Period.DAILY_MEAN, low=low, high=high,
        unit="mg/L", start_day=0, end_day=None, source="made for a test", confidence=Confidence.NOT_SEEN,
        proportional=draw(st.booleans()),
    )  # fmt: skip
    return AppliedLimit(limit=limit, verdict=draw(_VERDICTS), why=Why.WRITTEN_FOR, low=low, high=high)


_SETS = st.lists(_limits(), max_size=4)
_VALUES = st.integers(0, 10_000_000)


@given(_SETS, _limits(), _VALUES)
def test_one_more_limit_never_lowers_the_level(limits: list[AppliedLimit], more: AppliedLimit, value: int) -> None:
    number = Fraction(value, 10**DIGITS)
    assert judge(number, [*limits, more]).level >= judge(number, limits).level


@given(_SETS, _VALUES, _VALUES)
def test_a_greater_value_is_never_judged_milder_by_greatest_values(
    limits: list[AppliedLimit], one: int, other: int
) -> None:
    tops = [limit for limit in limits if limit.low is None]
    small, large = sorted((Fraction(one, 10**DIGITS), Fraction(other, 10**DIGITS)))
    assert judge(large, tops).level >= judge(small, tops).level


@given(st.lists(_limits(), min_size=1, max_size=4), _VALUES)
def test_what_decides_gives_the_level_and_is_the_strictest_that_does(limits: list[AppliedLimit], value: int) -> None:
    number = Fraction(value, 10**DIGITS)
    judged = judge(number, limits)
    if judged.decides is None:
        assert {level_of(number, one) for one in limits} == {Level.NOT_JUDGED}
        return
    decides = limits[judged.decides]
    assert level_of(number, decides) is judged.level
    rivals = [one.high for one in limits if level_of(number, one) is judged.level and one.high is not None]
    assert decides.high == min(rivals)


@given(_SETS, st.permutations(range(4)), _VALUES)
def test_the_order_of_limits_does_not_matter(limits: list[AppliedLimit], order: list[int], value: int) -> None:
    number = Fraction(value, 10**DIGITS)
    mixed = [limits[place] for place in order if place < len(limits)]
    one, other = judge(number, limits), judge(number, mixed)
    assert (one.level, one.multiple) == (other.level, other.multiple)


@given(_SETS, st.lists(_VALUES, min_size=1, max_size=8))
def test_columns_are_judged_as_their_values_are(limits: list[AppliedLimit], values: list[int]) -> None:
    row = np.array(thresholds(limits, DIGITS), np.int64)
    column = levels(np.array(values, np.int64), np.broadcast_to(row, (len(values), row.size)))
    assert column.tolist() == [int(judge(Fraction(value, 10**DIGITS), limits).level) for value in values]


@given(_SETS, _VALUES)
def test_a_judgement_is_read_back_as_it_was_said(limits: list[AppliedLimit], value: int) -> None:
    judged = judge(Fraction(value, 10**DIGITS), limits)
    said = read_detail(say(limits, judged))
    assert (said.decides, len(said.limits)) == (judged.decides, len(limits))
    assert [one.verdict for one in said.limits] == [one.verdict for one in limits]


_HOURS = st.lists(
    st.tuples(st.integers(0, 10**7), st.integers(0, 10**7), st.booleans(), st.booleans()), min_size=1, max_size=24
)
_UNITS = Units(litres=Fraction(1, 10**4), milligrams=Fraction(1, 10**3), seconds=3600)


def _day(hours: list[tuple[int, int, bool, bool]]) -> tuple[int, int]:
    flow, conc, has_flow, has_conc = (np.array([column]) for column in zip(*hours, strict=True))
    made = day_loads(flow, has_flow, conc, has_conc, _UNITS)
    return int(made.litres[0]), int(made.grams[0])


@given(_HOURS)
def test_a_flow_weighted_mean_lies_between_its_least_and_its_greatest(
    hours: list[tuple[int, int, bool, bool]],
) -> None:
    litres, grams = _day(hours)
    known = [conc for flow, conc, has_flow, has_conc in hours if has_flow and has_conc and flow > 0]
    if not known or not litres:
        assert grams == 0
        return
    # mg/L = grams x 1000 / litres; each of the two was rounded by half a unit at most.
    slack = Fraction(1000, litres) + Fraction(max(known), 10**3) / litres
    assert Fraction(min(known), 10**3) - slack <= Fraction(grams * 1000, litres) <= Fraction(max(known), 10**3) + slack


@given(_HOURS)
def test_the_order_of_hours_does_not_matter_to_a_day(hours: list[tuple[int, int, bool, bool]]) -> None:
    assert _day(hours) == _day(hours[::-1])


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(0, 10**6)), min_size=1, max_size=24), st.integers(0, 24))
def test_a_complete_day_is_the_sum_of_its_parts(pairs: list[tuple[int, int]], cut: int) -> None:
    hours = [(flow, conc, True, True) for flow, conc in pairs]
    parts = [part for part in (hours[:cut], hours[cut:]) if part]
    whole, summed = _day(hours), [sum(numbers) for numbers in zip(*map(_day, parts), strict=True)]
    assert all(abs(one - other) <= 1 for one, other in zip(whole, summed, strict=True))


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**12))
def test_quotients_are_rounded_half_to_even_once(numerator: int, denominator: int) -> None:
    bounded = numerator % (denominator * 10**6)
    found = divide_exact(np.array([bounded], object), np.array([denominator], object))
    assert found.tolist() == [round(Fraction(bounded, denominator))]


_LOADS = st.lists(st.integers(0, 10**6), max_size=40)


@given(_LOADS, st.integers(0, 10**7), st.integers(0, 40))
def test_a_quota_is_used_up_at_the_same_hour_however_the_loads_are_cut(loads: list[int], quota: int, cut: int) -> None:
    first, rest = loads[:cut], loads[cut:]
    found = used_up_at(first, quota)
    if found is None:
        later = used_up_at(rest, quota, sum(first))
        found = None if later is None or sum(first) > quota else later + len(first)
    assert found == used_up_at(loads, quota)


@given(_LOADS, st.integers(1, 10**7))
def test_the_balance_is_below_zero_from_the_hour_on_which_the_quota_is_used_up(loads: list[int], quota: int) -> None:
    place = used_up_at(loads, quota)
    for at, total in enumerate(itertools.accumulate(loads)):
        left = balance(total, quota).left
        assert left is not None
        assert (left < 0) == (place is not None and at >= place)


@given(st.lists(st.one_of(st.none(), st.integers(0, 10**6)), max_size=60), st.integers(1, 10**8))
@settings(max_examples=200)
def test_a_projected_day_is_the_first_on_which_the_mean_of_days_passes_the_quota(
    loads: list[int | None], quota: int
) -> None:
    found = project(loads, 0, 364, quota)
    if found.outlook is not Outlook.ON:
        return
    assert found.day is not None
    known = [load for load in loads if load is not None][-30:]
    mean, used = Fraction(sum(known), len(known)), sum(load or 0 for load in loads)
    ahead = found.day - (len(loads) - 1)
    assert used + ahead * mean > quota >= used + (ahead - 1) * mean


_FLAGS = st.lists(st.booleans(), min_size=9, max_size=9)


@given(_FLAGS)
def test_nothing_is_found_without_a_known_flow_and_a_known_weather(flags: list[bool]) -> None:
    outlet, wet, dry, flow_known, flows, limited, measured, polluted, hinted = flags
    dry = dry and not wet
    said = (outlet, wet, dry, flow_known, flows, limited, measured, polluted, hinted)
    shaped = (np.array([[flag]]) for flag in said)
    names = ("outlet", "wet", "dry", "flow_known", "flows", "limited", "measured", "polluted", "hinted")
    found = Outcome(int(outcomes(Hours(**dict(zip(names, shaped, strict=True))))[0, 0]))
    expected = (
        Outcome.DRY_FLOW if outlet and flow_known and flows and dry
        else Outcome.POLLUTED if outlet and flow_known and flows and wet and polluted
        else Outcome.POLLUTED_HINT if outlet and flow_known and flows and wet and hinted
        else None
    )  # fmt: skip
    assert (found if found in FOUND else None) == expected


@given(st.lists(_limits(), min_size=1, max_size=4), _VALUES)
def test_what_decides_a_value_that_is_over_nothing_follows_from_its_level(
    limits: list[AppliedLimit], value: int
) -> None:
    judged = judge(Fraction(value, 10**DIGITS), limits)
    if judged.level < Level.HINT:
        assert decider_within(limits, judged.level) == judged.decides
