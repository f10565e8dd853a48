"""The one table of a case's states: what is allowed, and why the rest is not."""

from __future__ import annotations

from itertools import product

import pytest

from alerts.cases.states import TABLE, CaseAct, CaseReason, CaseState, Standing, Verdict, next_case_state

S, A, R, V = CaseState, CaseAct, CaseReason, Verdict
LIFE = [
    (S.RAISED, A.ACKNOWLEDGE, S.ACKNOWLEDGED),
    (S.ACKNOWLEDGED, A.VERIFY, S.VERIFIED),
    (S.VERIFIED, A.HAND_OVER, S.HANDED_OVER),
    (S.HANDED_OVER, A.URGE, S.URGED),
    (S.URGED, A.RECTIFY, S.RECTIFIED),
    (S.RECTIFIED, A.REPORT, S.REPORTED),
    (S.REPORTED, A.WRITE_OFF, S.WRITTEN_OFF),
    (S.WRITTEN_OFF, A.REOPEN, S.RAISED),
]


def standing(
    verdict: Verdict = V.TRUE, *, withdrawn: bool = False, enough: bool = True, ended: bool = True
) -> Standing:
    return Standing(verdict=verdict, withdrawn=withdrawn, acknowledged_enough=enough, ended=ended)


@pytest.mark.parametrize(("state", "act", "then"), LIFE)
def test_a_case_runs_raised_acknowledged_verified_handed_over_urged_rectified_reported_written_off_reopened(
    state: CaseState, act: CaseAct, then: CaseState
) -> None:
    found = next_case_state(state, act, standing())
    assert (found.allowed, found.state) == (True, then)


def test_every_state_is_reached_and_left() -> None:
    assert {row[1] for rows in TABLE.values() for row in rows} == set(S)
    assert {state for state, act in TABLE if act is not A.NOTE} == set(S)


ALLOWED = {
    S.RAISED: {A.ACKNOWLEDGE},
    S.ACKNOWLEDGED: {A.VERIFY},
    S.VERIFIED: {A.VERIFY, A.HAND_OVER},
    S.HANDED_OVER: {A.VERIFY, A.HAND_OVER, A.URGE, A.RECTIFY},
    S.URGED: {A.VERIFY, A.HAND_OVER, A.URGE, A.RECTIFY},
    S.RECTIFIED: {A.HAND_OVER, A.REPORT},
    S.REPORTED: {A.HAND_OVER, A.WRITE_OFF},
    S.WRITTEN_OFF: {A.REOPEN},
}
"""Of a true case of which nothing was withdrawn and nothing goes on."""


@pytest.mark.parametrize(("state", "act"), list(product(S, A)))
def test_of_a_true_case_only_these_acts_are_allowed_and_every_other_has_a_reason(
    state: CaseState, act: CaseAct
) -> None:
    found = next_case_state(state, act, standing())
    assert found.allowed == (act in ALLOWED[state] | {A.NOTE})
    if not found.allowed:
        assert found.state is state
        assert found.reason.value.startswith(("not_", "already_"))


@pytest.mark.parametrize("verdict", [V.DATA_FAULT, V.PLANNED])
def test_what_is_no_true_case_is_written_off_at_once_and_not_handed_over(verdict: Verdict) -> None:
    off = next_case_state(S.VERIFIED, A.WRITE_OFF, standing(verdict))
    assert (off.allowed, off.state, off.reason) == (True, S.WRITTEN_OFF, R.NOTHING_TO_DO)
    over = next_case_state(S.VERIFIED, A.HAND_OVER, standing(verdict))
    assert (over.allowed, over.reason) == (False, R.NOT_TRUE)


@pytest.mark.parametrize("state", [S.ACKNOWLEDGED, S.VERIFIED, S.HANDED_OVER, S.URGED, S.RECTIFIED])
def test_a_case_of_which_nothing_is_left_may_be_written_off_from_any_state_that_somebody_has_seen(
    state: CaseState,
) -> None:
    assert next_case_state(state, A.WRITE_OFF, standing(withdrawn=True)).state is S.WRITTEN_OFF
    assert not next_case_state(state, A.WRITE_OFF, standing()).allowed


def test_an_unseen_case_is_not_written_off_even_when_nothing_is_left_of_it() -> None:
    found = next_case_state(S.RAISED, A.WRITE_OFF, standing(V.OPEN, withdrawn=True))
    assert (found.allowed, found.reason) == (False, R.NOT_ACKNOWLEDGED)


def test_a_case_is_not_written_off_while_one_of_its_events_goes_on() -> None:
    found = next_case_state(S.REPORTED, A.WRITE_OFF, standing(ended=False))
    assert (found.allowed, found.reason) == (False, R.STILL_GOING_ON)


def test_one_acknowledgement_of_several_does_not_move_the_case() -> None:
    found = next_case_state(S.RAISED, A.ACKNOWLEDGE, standing(V.OPEN, enough=False))
    assert (found.allowed, found.state, found.reason) == (True, S.RAISED, R.PARTY_TOOK_NOTICE)


def test_what_was_rectified_or_reported_is_sent_back_when_it_was_not_enough() -> None:
    for state in (S.RECTIFIED, S.REPORTED):
        found = next_case_state(state, A.HAND_OVER, standing())
        assert (found.state, found.reason) == (S.HANDED_OVER, R.SENT_BACK)


def test_a_verdict_may_be_changed_until_the_case_is_rectified() -> None:
    for state in (S.VERIFIED, S.HANDED_OVER, S.URGED):
        found = next_case_state(state, A.VERIFY, standing())
        assert (found.state, found.reason) == (S.VERIFIED, R.FOUND_OTHERWISE)
    assert next_case_state(S.RECTIFIED, A.VERIFY, standing()).reason is R.ALREADY_RECTIFIED
