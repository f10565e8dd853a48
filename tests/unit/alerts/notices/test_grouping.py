"""Groups: waits, intervals and repeats as Alertmanager 0.25 has them, and every step accounted for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerts.notices.grouping import EMPTY_MS, Group, Item, Look, Notice, look, put
from alerts.notices.policy import Brief, Held, Timing

S = 1000
TIMING = Timing(group_wait=30 * S, group_interval=300 * S, repeat_interval=14_400 * S, brief=Brief.DROP)
TELLING = replace(TIMING, brief=Brief.TELL)
T = 1_800_000_000_000


def item(name: str = "a", *, mark: int = 1, firing: bool = True, since: int = T, pending: tuple[int, ...] = ()) -> Item:
    return Item(id=name, mark=mark, firing=firing, since=since, labels={}, pending=pending or (mark,))


def unmuted(_: Item) -> str | None:
    return None


def looked(group: Group | None, now: int, timing: Timing = TIMING, muted: frozenset[str] = frozenset()) -> Look[str]:
    assert group is not None
    assert group.next_look <= now
    return look(group, timing, now, lambda one: "s" if one.id in muted else None)


def told(found: Look[str]) -> Notice:
    assert found.notice is not None
    return found.notice


def after_first(*items: Item) -> Group:
    """Return a group that has told of these."""
    group = None
    for one in items:
        group = put(group, one, TIMING, T)
    left = looked(group, T + 30 * S).group
    assert left is not None
    return left


def test_a_group_waits_for_more_before_its_first_notice() -> None:
    group = put(put(None, item("a"), TIMING, T), item("b", mark=2), TIMING, T + 10 * S)
    assert group.next_look == T + 30 * S
    notice = told(looked(group, T + 30 * S))
    assert [one.id for one in notice.firing] == ["a", "b"]
    assert notice.steps == (1, 2)
    assert not notice.repeat


def test_an_event_whose_wait_is_over_already_is_told_at_once() -> None:
    group = put(None, item(since=T - 31 * S), TIMING, T)
    assert group.next_look == T
    assert put(None, item(since=T - 30 * S), TIMING, T).next_look == T + 30 * S


def test_a_further_event_is_told_at_the_next_interval() -> None:
    group = put(after_first(item("a")), item("b", mark=2), TIMING, T + 40 * S)
    assert group.next_look == T + 330 * S
    notice = told(looked(group, T + 330 * S))
    assert (set(notice.fresh), [one.id for one in notice.firing]) == ({"b"}, ["b", "a"])
    assert notice.steps == (2,)


def test_nothing_new_is_not_told_before_the_repeat_interval() -> None:
    group: Group | None = after_first(item("a"))
    notices = []
    for count in range(1, 50):
        found = looked(group, T + (30 + 300 * count) * S)
        notices += [count] if found.notice is not None else []
        group = found.group
    assert notices == [49]  # the first look that is more than 4 h after the notice


def test_a_repeat_says_so() -> None:
    found = looked(after_first(item("a")), T + 14_431 * S)
    assert told(found).repeat


def test_what_somebody_acknowledged_is_not_repeated() -> None:
    group = put(
        after_first(item("a")), replace(item("a", pending=()), acknowledged=True, pending=()), TIMING, T + 60 * S
    )
    assert looked(group, T + 20_000 * S).notice is None


def test_an_event_that_is_over_is_told_and_leaves() -> None:
    group = put(after_first(item("a")), item("a", firing=False, pending=(5,)), TIMING, T + 60 * S)
    found = looked(group, T + 330 * S)
    notice = told(found)
    assert ([one.id for one in notice.resolved], notice.firing, notice.steps) == (["a"], (), (5,))
    assert found.group is not None
    assert found.group.items == {}


def test_an_event_that_came_and_went_in_one_wait_is_dropped_as_alertmanager_does() -> None:
    group = put(put(None, item("a"), TIMING, T), item("a", firing=False, pending=(2,)), TIMING, T + S)
    found = looked(group, T + 30 * S)
    assert found.notice is None
    assert [(one.id, one.pending, why) for one, why in found.dropped] == [("a", (1, 2), Held.BRIEF)]


def test_an_event_that_came_and_went_in_one_wait_is_told_where_the_timing_says_so() -> None:
    group = put(put(None, item("a"), TELLING, T), item("a", firing=False, pending=(2,)), TELLING, T + S)
    notice = told(looked(group, T + 30 * S, TELLING))
    assert (notice.steps, [one.id for one in notice.resolved]) == ((1, 2), ["a"])


def test_an_event_raised_again_is_told_as_new() -> None:
    group = put(after_first(item("a")), item("a", mark=7), TIMING, T + 60 * S)
    notice = told(looked(group, T + 330 * S))
    assert (set(notice.fresh), notice.steps) == ({"a"}, (7,))


def test_a_step_that_says_nothing_new_is_accounted_for() -> None:
    group = put(after_first(item("a")), item("a", pending=(9,)), TIMING, T + 60 * S)
    found = looked(group, T + 330 * S)
    assert found.notice is None
    assert [(one.pending, why) for one, why in found.dropped] == [((9,), Held.NOTHING_NEW)]
    assert found.group is not None
    assert found.group.items["a"].pending == ()


def test_what_is_muted_is_left_out_and_told_when_the_mute_ends() -> None:
    group = put(put(None, item("a"), TIMING, T), item("b", mark=2), TIMING, T)
    first = looked(group, T + 30 * S, muted=frozenset({"b"}))
    assert [one.id for one in told(first).firing] == ["a"]
    assert [(one.item.id, one.by) for one in first.muted] == [("b", "s")]
    second = looked(first.group, T + 330 * S)
    assert (set(told(second).fresh), told(second).steps) == ({"b"}, (2,))


def test_a_group_that_is_muted_as_a_whole_tells_nothing_and_forgets_nothing() -> None:
    first = looked(put(None, item("a"), TIMING, T), T + 30 * S, muted=frozenset({"a"}))
    assert first.notice is None
    assert first.dropped == ()
    assert told(looked(first.group, T + 330 * S)).steps == (1,)


def test_the_end_of_a_muted_event_is_muted_with_it() -> None:
    group = put(after_first(item("a")), item("a", firing=False, pending=(5,)), TIMING, T + 60 * S)
    found = looked(group, T + 330 * S, muted=frozenset({"a"}))
    assert found.notice is None
    assert [one.item.pending for one in found.muted] == [(5,)]
    assert found.group is not None
    assert found.group.items == {}


def test_an_event_that_was_muted_all_its_life_is_not_told_when_the_mute_ends_with_it() -> None:
    group = put(put(None, item("a"), TELLING, T), item("b", mark=2), TELLING, T)
    group = put(
        looked(group, T + 30 * S, TELLING, frozenset({"a"})).group, item("a", firing=False, pending=(5,)), TELLING,
        T + 60 * S,
    )  # fmt: skip
    found = looked(group, T + 330 * S, TELLING)
    assert found.notice is None
    assert [(one.pending, why) for one, why in found.dropped] == [((1, 5), Held.BRIEF)]


def test_an_event_that_was_told_before_it_was_muted_is_told_when_it_ends_unmuted() -> None:
    first = looked(put(None, item("a"), TELLING, T), T + 30 * S, TELLING).group
    second = looked(first, T + 330 * S, TELLING, frozenset({"a"})).group
    group = put(second, item("a", firing=False, pending=(5,)), TELLING, T + 400 * S)
    assert told(looked(group, T + 630 * S, TELLING)).steps == (5,)


def test_an_empty_group_looks_on_for_half_a_minute_and_is_then_forgotten() -> None:
    quick = replace(TIMING, group_wait=S, group_interval=10 * S)
    group = put(None, item("a"), quick, T)
    group = put(looked(group, T + S, quick).group, item("a", firing=False, pending=(2,)), quick, T + 2 * S)
    empty = looked(group, T + 11 * S, quick).group
    assert empty is not None
    assert put(empty, item("b", mark=3), quick, T + 12 * S).next_look == T + 21 * S
    assert looked(empty, T + 21 * S, quick).group is not None
    assert looked(empty, T + 11 * S + EMPTY_MS, quick).group is None
    late = put(empty, item("b", mark=3, since=T + 60 * S), quick, T + 60 * S)
    assert (late.next_look, late.flushed, late.told) == (T + 61 * S, False, empty.told)


@pytest.mark.parametrize("count", [1, 2, 100])
def test_repeats_of_one_incident_are_one_notice(count: int) -> None:
    group = None
    for number in range(count):
        group = put(group, item(f"e{number}", mark=number), TIMING, T + number)
    assert len(told(looked(group, T + 30 * S)).firing) == count
