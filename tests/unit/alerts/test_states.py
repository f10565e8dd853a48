from __future__ import annotations

import itertools

import pytest

from alerts.states import Act, State, StepReason, WrongTransition, next_state


@pytest.mark.parametrize(("state", "act"), list(itertools.product(State, Act)))
def test_every_act_in_every_state_has_an_answer_with_a_reason(state: State, act: Act) -> None:
    moved = next_state(state, act)
    assert moved.reason in StepReason
    assert moved.allowed or moved.state is state


def test_the_way_is_raised_acknowledged_closed() -> None:
    acknowledged = next_state(State.RAISED, Act.ACKNOWLEDGE)
    assert (acknowledged.state, acknowledged.allowed) == (State.ACKNOWLEDGED, True)
    closed = next_state(acknowledged.state, Act.CLOSE)
    assert (closed.state, closed.allowed) == (State.CLOSED, True)


@pytest.mark.parametrize(
    ("state", "act", "reason"),
    [
        (State.RAISED, Act.CLOSE, StepReason.NOT_ACKNOWLEDGED),
        (State.ACKNOWLEDGED, Act.ACKNOWLEDGE, StepReason.ALREADY_ACKNOWLEDGED),
        (State.CLOSED, Act.ACKNOWLEDGE, StepReason.ALREADY_CLOSED),
        (State.CLOSED, Act.CLOSE, StepReason.ALREADY_CLOSED),
    ],
)
def test_a_refused_act_leaves_the_state_and_says_why(state: State, act: Act, reason: StepReason) -> None:
    refused = next_state(state, act)
    assert (refused.state, refused.allowed, refused.reason) == (state, False, reason)
    assert reason in str(WrongTransition("e", act, refused))


@pytest.mark.parametrize("state", State)
def test_an_episode_found_again_calls_for_attention_again(state: State) -> None:
    assert next_state(state, Act.RAISE_AGAIN).state is State.RAISED
