from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.session import LASTS_MS, Guesses, is_valid, issue, token_matches

TOKEN = "a-token-of-some-length"
NOW = 1_800_000_000_000


def test_a_session_lasts_a_shift_and_then_ends() -> None:
    cookie = issue(TOKEN, NOW)
    assert is_valid(cookie, TOKEN, NOW)
    assert is_valid(cookie, TOKEN, NOW + LASTS_MS - 1)
    assert not is_valid(cookie, TOKEN, NOW + LASTS_MS)


def test_a_changed_token_ends_every_session() -> None:
    assert not is_valid(issue(TOKEN, NOW), TOKEN + "x", NOW)


def test_a_cookie_tells_nothing_of_the_token() -> None:
    assert TOKEN not in issue(TOKEN, NOW)


@given(st.text(max_size=200))
def test_no_made_up_cookie_opens_anything(cookie: str) -> None:
    assert not is_valid(cookie, TOKEN, NOW)


@given(st.integers(0, 200), st.characters())
def test_a_cookie_changed_anywhere_is_refused(place: int, letter: str) -> None:
    cookie = issue(TOKEN, NOW)
    place %= len(cookie)
    changed = cookie[:place] + letter + cookie[place + 1 :]
    assert changed == cookie or not is_valid(changed, TOKEN, NOW)


@pytest.mark.parametrize("given_token", ["", TOKEN[:-1], TOKEN + " ", TOKEN.upper(), "令牌", "\udcff"])
def test_only_the_token_is_the_token(given_token: str) -> None:
    assert token_matches(TOKEN, TOKEN)
    assert not token_matches(given_token, TOKEN)


def test_guessing_is_slowed_for_a_minute() -> None:
    guesses = Guesses()
    for place in range(10):
        assert not guesses.too_many(NOW + place)
        guesses.note_wrong(NOW + place)
    assert guesses.too_many(NOW + 10)
    assert guesses.too_many(NOW + 59_999)
    assert not guesses.too_many(NOW + 60_000)
