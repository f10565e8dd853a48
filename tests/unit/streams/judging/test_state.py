from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.deadletters import Refusal
from sensors.frames import Frame
from streams.air.index import FACTORS
from streams.judging.entries import entries_of
from streams.judging.grid import Grid
from streams.judging.state import (
    JudgeSettings,
    Refused,
    Said,
    Shape,
    State,
    advance_rings,
    empty_state,
    fold,
    start_clock,
)
from tests.air_cases import AIR, CONTEXT, T0, Row, frame, row, site

HOUR = T0 // HOUR_MS
SITES = (site("A"), site("M", period_ms=MINUTE_MS))


SHAPE = Shape(
    kind=CONTEXT.kind,
    grid=Grid(slot_ms=HOUR_MS, fine_ms=MINUTE_MS),
    settings=JudgeSettings(),
    context=48,
    reach=24,
    slot_outputs=14,
    day_outputs=7,
    fine=(),
)
OPEN, JUDGED, SPOKEN, RING_DAYS = 99, 99, 76, 8
"""Three days and an hour are late, one is ahead, two hours are begun; a day more is read; and the days of these."""


def state(at: int | None = T0) -> State:
    made = empty_state(entries_of(SITES, AIR), SHAPE)
    if at is not None:
        start_clock(made, at)
    return made


def device(made: State, hour: int, name: str = "A") -> int:
    """Return the SO2 key of a site's own hour."""
    return 0 if hour not in made.own else int(made.own[hour]["AM".index(name), FACTORS.index("SO2")])


def reasons(refused: tuple[Refused, ...]) -> dict[Refusal, list[bool]]:
    return {r.reason: r.rows.tolist() for r in refused}


def at(start: int, name: str = "A") -> Row:
    return row(name, start, SO2=8)


def test_each_row_without_a_place_is_refused_with_its_reason_and_the_others_go_on() -> None:
    made = state(T0 + 100 * HOUR_MS)
    rows = [
        at(T0 + 100 * HOUR_MS), at(T0, "Z"), at(T0 + 28 * HOUR_MS), at(T0 + 27 * HOUR_MS),
        at(T0 + 124 * HOUR_MS), at(T0 + 125 * HOUR_MS), at(T0 + 99 * HOUR_MS + 1),
    ]  # fmt: skip
    assert reasons(fold(made, frame(rows))) == {
        Refusal.UNKNOWN_SITE: [False, True, False, False, False, False, False],
        Refusal.TOO_LATE: [False, False, False, True, False, False, False],
        Refusal.TOO_EARLY: [False, False, False, False, False, True, False],
        Refusal.IMPOSSIBLE_TIME: [False, False, False, False, False, False, True],
    }
    assert [bool(device(made, HOUR + h)) for h in (28, 27, 99, 100, 124, 125)] == [
        True, False, False, True, True, False,
    ]  # fmt: skip


def test_exactly_the_late_span_is_taken_and_a_millisecond_more_is_not() -> None:
    made = state(T0 + 72 * HOUR_MS)
    assert fold(made, frame([at(T0)])) == ()
    made.clock.at = T0 + 72 * HOUR_MS + 1
    assert reasons(fold(made, frame([at(T0)]))) == {Refusal.TOO_LATE: [True]}


def test_a_refusal_says_what_is_to_be_done() -> None:
    details = {r.reason: r.detail for r in fold(state(), frame([at(T0 - 100 * HOUR_MS), at(T0 + 100 * HOUR_MS)]))}
    assert "72 h" in details[Refusal.TOO_LATE]
    assert "recompute" in details[Refusal.TOO_LATE]
    assert "24 h" in details[Refusal.TOO_EARLY]


@pytest.mark.parametrize(
    ("name", "period_ms", "taken"),
    [("A", HOUR_MS, True), ("A", MINUTE_MS, False), ("M", MINUTE_MS, True), ("M", HOUR_MS, True), ("M", 60, False)],
)
def test_a_site_sends_in_its_own_period_or_whole_hours(name: str, period_ms: int, taken: bool) -> None:  # noqa: FBT001
    refused = fold(state(), frame([at(T0, name)], period_ms=period_ms))
    assert reasons(refused) == ({} if taken else {Refusal.UNKNOWN_PERIOD: [True]})


def test_an_interval_that_starts_between_whole_ones_would_count_twice_and_is_refused() -> None:
    made = state()
    refused = fold(made, frame([at(T0, "M"), at(T0 + 30_000, "M")], period_ms=MINUTE_MS))
    assert reasons(refused) == {Refusal.IMPOSSIBLE_TIME: [False, True]}
    assert np.count_nonzero(made.pages[HOUR]) == 1


def test_a_time_that_no_calendar_has_is_refused() -> None:
    far = 2**62 // HOUR_MS * HOUR_MS
    assert reasons(fold(state(), frame([at(far), at(-far), at(T0)]))) == {
        Refusal.TOO_EARLY: [True, False, False],
        Refusal.TOO_LATE: [False, True, False],
    }


def test_an_empty_frame_changes_nothing_and_starts_no_clock() -> None:
    made = state(None)
    assert fold(made, Frame(head=frame([at(T0)]).head, rows=frame([at(T0)]).rows.slice(0, 0))) == ()
    assert made.clock.at is None


def test_before_the_first_tick_the_clock_stands_at_the_earliest_reading_of_a_known_site() -> None:
    made = state(None)
    refused = fold(made, frame([at(T0 + HOUR_MS), at(T0), at(0, "Z")]))
    assert reasons(refused) == {Refusal.UNKNOWN_SITE: [False, False, True]}
    assert made.clock.at == T0


def test_strangers_alone_start_no_clock() -> None:
    made = state(None)
    assert reasons(fold(made, frame([at(0, "Z"), at(2**60, "Y")]))) == {Refusal.UNKNOWN_SITE: [True, True]}
    assert made.clock.at is None


def test_a_reading_makes_its_hour_of_its_site_to_be_judged_again_and_a_repeat_does_not() -> None:
    made = state()
    assert fold(made, frame([at(T0)])) == ()
    assert np.argwhere(made.dirty).tolist() == [[HOUR % OPEN, 0]]
    made.dirty[:] = False
    fold(made, frame([at(T0)]))
    assert not made.dirty.any()


def test_minutes_of_several_hours_in_one_frame_go_to_the_pages_of_their_hours() -> None:
    made = state()
    fold(made, frame([at(T0 + m * MINUTE_MS, "M") for m in (0, 59, 60, 125)], period_ms=MINUTE_MS))
    so2 = FACTORS.index("SO2")
    found = {hour - HOUR: np.flatnonzero(page[:, so2]).tolist() for hour, page in made.pages.items()}
    assert found == {0: [1, 119], 1: [1], 2: [11]}  # row = 2 sites * minute + site


def test_the_state_of_a_site_with_several_entries_has_one_row() -> None:
    entries = (replace(site("A"), end=T0), replace(site("A"), start=T0))
    made = empty_state(entries_of(entries, AIR), SHAPE)
    assert made.names.to_pylist() == ["A"]
    assert made.count == 1


def test_a_site_sends_in_the_period_of_the_entry_that_holds() -> None:
    entries = (replace(site("A", period_ms=MINUTE_MS), end=T0), replace(site("A", period_ms=5 * MINUTE_MS), start=T0))
    made = empty_state(entries_of(entries, AIR), SHAPE)
    start_clock(made, T0)
    rows = [at(T0 - 5 * MINUTE_MS), at(T0)]
    assert reasons(fold(made, frame(rows, period_ms=MINUTE_MS))) == {Refusal.UNKNOWN_PERIOD: [False, True]}
    assert reasons(fold(made, frame(rows, period_ms=5 * MINUTE_MS))) == {Refusal.UNKNOWN_PERIOD: [True, False]}


def test_what_was_folded_is_counted_and_so_is_what_changed_nothing() -> None:
    made = state()
    for rows in ([at(T0), at(T0 + HOUR_MS)], [at(T0)], [at(0, "Z")]):
        fold(made, frame(rows))
    assert (made.tally.packets, made.tally.repeated) == (3, 1)


def test_absence_is_a_finding_from_the_first_tick_on_and_late_data_are_whole_before_it() -> None:
    clock = state(T0 + 4 * MINUTE_MS).clock
    assert clock.owed_from == HOUR
    assert clock.closed_to == HOUR - 1  # 00:04 is within the grace of the hour before
    assert clock.whole_from == HOUR - 120


def test_the_rings_hold_what_may_be_asked_for() -> None:
    assert (SHAPE.open, SHAPE.judged, SHAPE.spoken, SHAPE.ring_days) == (OPEN, JUDGED, SPOKEN, RING_DAYS)


@pytest.mark.parametrize("step_h", [1, 7, 24, 75])
def test_a_place_of_the_ring_is_empty_when_its_next_hour_comes(step_h: int) -> None:
    made = state()
    fold(made, frame([at(T0)]))
    made.slots.value[HOUR % JUDGED] = 7
    made.said_slots.content[HOUR % SPOKEN] = 7
    for moved in range(step_h, JUDGED + step_h, step_h):
        advance_rings(made, T0 + moved * HOUR_MS)
    assert device(made, HOUR) == 0
    assert not made.dirty.any()
    assert not made.slots.value.any()
    assert not made.said_slots.content.any()


def test_a_place_is_held_as_long_as_its_hour_may_be_asked_for() -> None:
    made = state()
    made.slots.value[HOUR % JUDGED] = made.said_slots.content[HOUR % SPOKEN] = 7
    advance_rings(made, T0 + 75 * HOUR_MS)
    assert made.said_slots.content.any()
    advance_rings(made, T0 + 98 * HOUR_MS)
    assert not made.said_slots.content.any()
    assert made.slots.value.any()
    advance_rings(made, T0 + 99 * HOUR_MS)  # the hour 99 later takes the place
    assert not made.slots.value.any()


@pytest.mark.parametrize("days", [9, 30, 4000])
def test_a_jump_of_the_clock_empties_everything(days: int) -> None:
    made = state()
    fold(made, frame([at(T0), at(T0 + 24 * HOUR_MS)]))
    fold(made, frame([at(T0, "M")], period_ms=MINUTE_MS))
    advance_rings(made, T0 + days * 24 * HOUR_MS)
    assert made.own == {}
    assert not made.dirty.any()
    assert made.pages == {}
    assert made.clock.at == T0 + days * 24 * HOUR_MS


def test_readings_are_let_go_when_no_late_one_is_welcome_any_more() -> None:
    made = state()
    fold(made, frame([at(T0, "M")], period_ms=MINUTE_MS))
    fold(made, frame([at(T0)]))
    advance_rings(made, T0 + 73 * HOUR_MS)
    assert HOUR in made.pages
    assert HOUR in made.own
    advance_rings(made, T0 + 74 * HOUR_MS)
    assert HOUR not in made.pages
    assert HOUR not in made.own


@pytest.mark.parametrize("step_h", [1, 5, 24, 100])
def test_what_was_said_of_days_is_held_for_late_data_and_gone_when_its_place_comes_again(step_h: int) -> None:
    made = state()
    day = (HOUR + 8) // 24
    made.said_days.revision[day % RING_DAYS] = 3
    for moved in range(0, 97, step_h):
        advance_rings(made, T0 + moved * HOUR_MS)
        assert made.said_days.revision[day % RING_DAYS, 0, 0] == 3
    for moved in range(96, RING_DAYS * 24 + 1, step_h):
        advance_rings(made, T0 + moved * HOUR_MS)
    advance_rings(made, T0 + RING_DAYS * 24 * HOUR_MS)
    assert not made.said_days.revision.any()


def test_forgetting_frees_content_and_revision_of_its_places_only() -> None:
    said = Said.nothing(4, 2, 1)
    said.content[:] = 5
    said.revision[:] = 2
    said.forget(np.array([1, 3]))
    assert said.content[..., 0].tolist() == [[5, 5], [0, 0], [5, 5], [0, 0]]
    assert said.revision[..., 0].tolist() == [[2, 2], [0, 0], [2, 2], [0, 0]]
