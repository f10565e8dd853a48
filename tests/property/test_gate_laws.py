"""Laws of the rain gate: it never opens with a failing, missing or old value, in whatever order things come."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.gates.keeper import decode_state, encode_state
from alerts.gates.machine import GateState, Reading, Ruling, Why, add, decide
from tests.unit.alerts.gates.test_machine import RULE, STEP

MOST = 60


@st.composite
def _readings(draw: st.DrawFn) -> list[Reading]:
    """Return windows of everything: mostly rain and values that pass, so that the gate opens now and then."""
    found = []
    for number in range(draw(st.integers(0, MOST - 6)), MOST):
        for factor, good, bad in (("rain", 1, 0), ("COD", 30, 41), ("NH3-N", 1, 3), ("TP", 0, 1)):
            value = draw(st.sampled_from([good] * 12 + [bad, None, "nothing"]))
            if value == "nothing":
                continue
            found.append(
                Reading(
                    factor=factor, start=number * STEP, end=(number + 1) * STEP,
                    value=None if value is None else Fraction(value), doubtful=draw(st.integers(0, 19)) == 0,
                )
            )  # fmt: skip
    return found


_NOW = st.integers((MOST - 4) * STEP, (MOST + 3) * STEP)


@settings(max_examples=150, deadline=None)
@given(readings=_readings(), now=_NOW)
def test_a_gate_never_opens_with_a_failing_missing_or_old_value(readings: list[Reading], now: int) -> None:
    decision = decide(add(GateState(), readings, "rain", RULE), RULE, now)
    if decision.ruling is Ruling.REFUSE:
        assert decision.why is not Why.PASSED
        return
    for factor, limit in RULE.limits.items():
        mine = [one for one in readings if one.factor == factor]
        newest = max(mine, key=lambda one: one.start)
        assert newest.value is not None
        assert newest.value <= limit
        assert not newest.doubtful
        assert 0 <= now - newest.end <= RULE.fresh_ms
    wet = [one for one in readings if one.factor == "rain" and one.value and one.end <= now]
    assert wet
    assert now - min(one.end for one in wet) >= RULE.retain_ms
    assert any(now - one.end <= RULE.fresh_ms for one in readings if one.factor == "rain" and one.value is not None)


@settings(max_examples=60, deadline=None)
@given(readings=_readings(), now=_NOW, data=st.data())
def test_the_order_and_the_cuts_of_what_comes_do_not_matter(
    readings: list[Reading], now: int, data: st.DataObject
) -> None:
    mixed = data.draw(st.permutations(readings))
    cut = data.draw(st.integers(0, len(readings)))
    whole = add(GateState(), readings, "rain", RULE)
    parts = add(add(GateState(), mixed[:cut], "rain", RULE), mixed[cut:], "rain", RULE)
    again = add(parts, mixed, "rain", RULE)
    assert decide(whole, RULE, now) == decide(parts, RULE, now) == decide(again, RULE, now)


@settings(max_examples=30, deadline=None)
@given(readings=_readings())
def test_a_state_is_read_back_as_it_was_kept(readings: list[Reading]) -> None:
    state = add(GateState(), readings, "rain", RULE)
    assert decode_state(encode_state(state)) == state
