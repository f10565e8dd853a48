"""Silences: with author, reason and an end; what is urgent is never muted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alerts.desk import NotSigned
from alerts.journal import Journal, open_journal
from alerts.notices.matchers import BadMatcher, parse_matcher
from alerts.notices.silencedesk import SilenceDesk, Wish, load_silences
from alerts.notices.silences import BadSilence, Silence, SilenceState, check_silence, expire, in_order, silencing
from sensors.clock import DAY_MS, HOUR_MS
from sensors.errors import UnknownName

NOW = 1_800_000_000_000


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = open_journal(f"sqlite:///{tmp_path / 'alerts.sqlite'}", lambda: NOW)
    yield made
    made.close()


def silence(*matchers: str, **other: object) -> Silence:
    made = Silence(
        id="s", matchers=tuple(parse_matcher(one) for one in matchers or ('site="A"',)), author="x", reason="y",
        created_at=NOW, starts_at=NOW, ends_at=NOW + HOUR_MS,
    )  # fmt: skip
    return replace(made, **other)  # type: ignore[arg-type]


def wish(**other: object) -> Wish:
    made = Wish(matchers=('site="A"',), author="李", reason="检修", starts_at=NOW, ends_at=NOW + HOUR_MS)
    return replace(made, **other)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (NOW - 1, SilenceState.PENDING), (NOW, SilenceState.ACTIVE), (NOW + HOUR_MS - 1, SilenceState.ACTIVE),
        (NOW + HOUR_MS, SilenceState.EXPIRED),
    ],
)  # fmt: skip
def test_a_silence_holds_from_its_start_to_just_before_its_end(now: int, state: SilenceState) -> None:
    assert silence().state(now) is state
    assert (silencing([silence()], {"site": "A"}, now) is not None) is (state is SilenceState.ACTIVE)


def test_a_silence_mutes_what_fits_all_its_matchers() -> None:
    one = silence('site="A"', 'rule=~"no-data.*"')
    assert silencing([one], {"site": "A", "rule": "no-data-voc"}, NOW) is one
    assert silencing([one], {"site": "A", "rule": "pm25-1h"}, NOW) is None


def test_what_is_urgent_is_never_muted() -> None:
    assert silencing([silence()], {"site": "A", "priority": "2"}, NOW) is not None
    assert silencing([silence()], {"site": "A", "priority": "1"}, NOW) is None


def test_of_several_silences_the_one_that_ends_last_is_named() -> None:
    longer = silence(id="t", ends_at=NOW + 2 * HOUR_MS)
    assert silencing([silence(), longer], {"site": "A"}, NOW) is longer


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        ({"ends_at": NOW}, "ends after it starts"),
        ({"starts_at": NOW - 9, "ends_at": NOW - 1}, "ends after it starts"),
        ({"ends_at": NOW + 91 * DAY_MS}, "90 days at most"),
        ({"matchers": ()}, "mutes everything"),
        ({"matchers": (parse_matcher('site=~".*"'),)}, "mutes everything"),
        ({"matchers": (parse_matcher('site="A"'), parse_matcher('priority="1"'))}, "never muted"),
        ({"matchers": (parse_matcher('site="A"'), parse_matcher('priority!~"[234]"'))}, "never muted"),
    ],
)
def test_a_silence_that_cannot_be_is_refused(other: dict[str, object], problem: str) -> None:
    with pytest.raises(BadSilence, match=problem):
        check_silence(silence(**other), NOW)


def test_a_silence_is_expired_with_author_and_reason_and_stays() -> None:
    ended = expire(silence(), "王", "修好了", NOW + 1)
    assert (ended.ends_at, ended.expired_by, ended.expired_why) == (NOW + 1, "王", "修好了")
    with pytest.raises(BadSilence, match="ended already"):
        expire(ended, "王", "again", NOW + 2)


def test_a_silence_that_has_not_begun_never_begins_once_it_is_expired() -> None:
    ended = expire(silence(starts_at=NOW + 9), "王", "no", NOW)
    assert {ended.state(at) for at in (NOW, NOW + 9, NOW + HOUR_MS)} == {SilenceState.EXPIRED}


def test_active_silences_stand_before_pending_and_expired_ones() -> None:
    active, pending = silence(id="a"), silence(id="p", starts_at=NOW + 1)
    expired = silence(id="e", ends_at=NOW - 1)
    assert in_order([expired, pending, active], NOW) == (active, pending, expired)


def test_silences_are_kept_in_the_journal(journal: Journal) -> None:
    desk = SilenceDesk(journal)
    made = desk.add(wish(), NOW)
    assert desk.silences(NOW) == (made,)
    assert desk.silence(made.id) == made
    with journal.reading() as connection:
        assert list(load_silences(connection, NOW)) == [made]
    ended = desk.expire(made.id, "王", "修好了", NOW + 1)
    assert desk.silences(NOW + 1) == ()
    assert desk.silences(NOW + 1, since=0) == (ended,)


def test_the_same_wish_twice_is_one_silence(journal: Journal) -> None:
    desk = SilenceDesk(journal)
    assert desk.add(wish(), NOW) == desk.add(wish(), NOW)
    assert len(desk.silences(NOW)) == 1


def test_a_silence_cannot_begin_in_the_past(journal: Journal) -> None:
    assert SilenceDesk(journal).add(wish(starts_at=0), NOW).starts_at == NOW


@pytest.mark.parametrize("other", [{"author": " "}, {"reason": ""}, {"reason": "x" * 4001}])
def test_a_silence_is_signed_and_has_a_reason(journal: Journal, other: dict[str, object]) -> None:
    with pytest.raises(NotSigned):
        SilenceDesk(journal).add(wish(**other), NOW)


def test_a_silence_names_labels_that_exist(journal: Journal) -> None:
    with pytest.raises(BadMatcher, match="no label 'sight'"):
        SilenceDesk(journal).add(wish(matchers=('sight="A"',)), NOW)


def test_a_silence_that_nobody_made_is_unknown(journal: Journal) -> None:
    with pytest.raises(UnknownName):
        SilenceDesk(journal).silence("none")
    with pytest.raises(UnknownName):
        SilenceDesk(journal).expire("none", "王", "x", NOW)
