"""D7: the rain-gate interlock: first rain retained, open only when all pass on fresh data, refuse on anything else."""

from __future__ import annotations

from fractions import Fraction

import pytest

from alerts.gates.machine import GateRule, GateState, Reading, Ruling, Why, add, decide
from sensors.clock import HOUR_MS, MINUTE_MS

STEP = 10 * MINUTE_MS
RULE = GateRule(
    limits={"COD": Fraction(40), "NH3-N": Fraction(2), "TP": Fraction(2, 5)}, retain_ms=15 * MINUTE_MS,
    rain_mm=Fraction(1, 10), dry_ms=6 * HOUR_MS, fresh_ms=20 * MINUTE_MS,
)  # fmt: skip
GOOD = {"COD": 30.0, "NH3-N": 1.5, "TP": 0.2}


def window(factor: str, number: int, value: float | None, *, doubtful: bool = False, revision: int = 1) -> Reading:
    """Return the n-th window of ten minutes."""
    return Reading(
        factor=factor, start=number * STEP, end=(number + 1) * STEP, doubtful=doubtful, revision=revision,
        value=None if value is None else Fraction(str(value)),
    )  # fmt: skip


def rain(*fell: float | None) -> list[Reading]:
    return [window("rain", number, value) for number, value in enumerate(fell)]


def values(number: int, **changed: float | None) -> list[Reading]:
    named = {name.replace("NH3N", "NH3-N"): value for name, value in changed.items()}
    return [window(factor, number, value) for factor, value in (GOOD | named).items()]


def state(*readings: Reading) -> GateState:
    return add(GateState(), readings, "rain", RULE)


RAINY = (0, 0, 1.2, 2.0, 1.0, 0.5)
"""It rains in the third window for the first time: 00:20 to 00:30."""
NOW = 6 * STEP
"""At the end of the last window of `RAINY`, 30 minutes after the first wet one ended."""


def test_after_the_first_rain_the_gate_may_open_when_all_pass_on_fresh_data() -> None:
    decision = decide(state(*rain(*RAINY), *values(5)), RULE, NOW)
    assert (decision.ruling, decision.why, decision.rain_since) == (Ruling.ALLOW, Why.PASSED, 3 * STEP)
    assert [one.factor for one in decision.findings] == ["COD", "NH3-N", "TP"]


@pytest.mark.parametrize(("minutes", "ruling"), [(0, Ruling.REFUSE), (14, Ruling.REFUSE), (15, Ruling.ALLOW)])
def test_the_first_15_minutes_of_rain_are_retained(minutes: int, ruling: Ruling) -> None:
    now = 3 * STEP + minutes * MINUTE_MS
    decision = decide(state(*rain(0, 0, 1.2), *values(2)), RULE, now)
    assert decision.ruling is ruling
    assert decision.why is (Why.FIRST_RAIN if ruling is Ruling.REFUSE else Why.PASSED)


@pytest.mark.parametrize(
    ("readings", "why"),
    [
        (values(5, COD=40.1), Why.FAILED),
        (values(5, NH3N=2.01), Why.FAILED),
        (values(5, TP=0.41), Why.FAILED),
        (values(5, TP=None), Why.MISSING),
        (values(5)[:2], Why.MISSING),
        ([], Why.MISSING),
        (values(2), Why.STALE),
        ([*values(5)[:2], window("TP", 3, 0.2)], Why.PASSED),  # its window ended 20 minutes ago
        ([*values(5)[:2], window("TP", 2, 0.2)], Why.STALE),
        ([*values(5)[:2], window("TP", 6, 0.2)], Why.STALE),  # dated after now
        ([*values(5)[:2], window("TP", 5, 0.2, doubtful=True)], Why.DOUBTFUL),
        ([*values(5), window("TP", 5, 0.5, revision=2)], Why.FAILED),
        ([*values(4), window("TP", 5, None)], Why.MISSING),  # the newest counts, not the newest that is there
        (values(5, COD=40, NH3N=2, TP=0.4), Why.PASSED),  # equal to its limit passes
    ],
)
def test_any_failing_missing_or_stale_value_refuses(readings: list[Reading], why: Why) -> None:
    decision = decide(state(*rain(*RAINY), *readings), RULE, NOW)
    assert decision.why is why
    assert (decision.ruling is Ruling.ALLOW) == (why is Why.PASSED)


@pytest.mark.parametrize(
    ("fell", "now", "why"),
    [
        ((), NOW, Why.NO_RAIN_DATA),
        ((0, 0, 0, 0, 0, 0), NOW, Why.DRY),
        ((0, 0, 0, 0, 0, 0.09), NOW, Why.DRY),
        ((1, 1, 1), NOW, Why.NO_RAIN_DATA),  # known until 30 minutes ago
        ((1, 1, 1, None, None, None), NOW, Why.NO_RAIN_DATA),
        ((1, None, None, None, 1, 1), NOW, Why.FIRST_RAIN),  # the first of it may have fallen unseen
        ((1, None, None, 1, 1, 1), NOW, Why.PASSED),
    ],
)
def test_what_is_not_known_of_the_rain_refuses(fell: tuple[float | None, ...], now: int, why: Why) -> None:
    assert decide(state(*rain(*fell), *values(5)), RULE, now).why is why


def test_rain_after_long_dryness_is_new_and_its_first_minutes_are_retained_again() -> None:
    fell = [1.0, 1.0, *[0.0] * 36, 1.0]
    now = 39 * STEP
    assert decide(state(*rain(*fell), *values(38)), RULE, now).why is Why.FIRST_RAIN
    shorter = [1.0, 1.0, *[0.0] * 35, 1.0]
    assert decide(state(*rain(*shorter), *values(37)), RULE, 38 * STEP).why is Why.PASSED


def test_doubted_rain_is_not_known_and_starts_no_retention() -> None:
    spike = [window("rain", 0, 5.0, doubtful=True), *rain(0, 0, 0, 0, 1.2)[1:]]
    assert decide(state(*spike, *values(4)), RULE, 5 * STEP).why is Why.FIRST_RAIN
    doubted = [window("rain", number, 1.0, doubtful=True) for number in range(6)]
    assert decide(state(*doubted, *values(5)), RULE, NOW).why is Why.NO_RAIN_DATA


def test_runoff_after_the_rain_may_leave_until_it_has_been_dry_for_long() -> None:
    fell = [1.0, 1.0, 1.0, *[0.0] * 40]
    known = state(*rain(*fell), *values(38), *values(37))
    assert decide(known, RULE, 38 * STEP).why is Why.STALE
    for number, why in ((30, Why.PASSED), (38, Why.DRY)):
        assert decide(state(*rain(*fell[: number + 1]), *values(number)), RULE, (number + 1) * STEP).why is why


def test_of_several_reasons_the_first_is_told_and_all_stand_in_the_findings() -> None:
    decision = decide(state(*rain(*RAINY), *values(5, COD=90, TP=None)), RULE, NOW)
    assert decision.why is Why.FAILED
    assert [one.why for one in decision.findings] == [Why.FAILED, Why.PASSED, Why.MISSING]


def test_without_a_list_of_factors_nothing_opens() -> None:
    rule = GateRule(limits={}, retain_ms=0, rain_mm=Fraction(1, 10), dry_ms=HOUR_MS, fresh_ms=HOUR_MS)
    assert decide(add(GateState(), rain(*RAINY), "rain", rule), rule, NOW).ruling is Ruling.REFUSE


def test_a_state_without_readings_refuses() -> None:
    assert decide(GateState(), RULE, 0).ruling is Ruling.REFUSE


def test_rain_is_forgotten_when_no_question_looks_back_at_it() -> None:
    many = state(*rain(*[1.0] * 1000))
    assert len(many.rain) < 60
    assert decide(many, RULE, 1000 * STEP).rain_since is not None
