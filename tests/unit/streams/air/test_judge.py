from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest

from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.deadletters import Refusal
from sensors.flags import Mark
from sensors.frames import Frame, Tick
from sensors.partition import partition_of
from sensors.registry import Absence, Site
from streams.air.index import FACTORS
from streams.judging.judge import KindJudge
from streams.judging.registered import judge_of
from streams.judging.state import JudgeSettings
from streams.results import CONTENT_COLUMNS
from tests.air_cases import (
    ALL,
    CONTEXT,
    T0,
    Row,
    contents,
    final,
    frame,
    hourly_log,
    hours,
    judge,
    one,
    random_rows,
    records,
    row,
    run,
    site,
)

GRACE = 5 * MINUTE_MS
DAY = 24 * HOUR_MS
MARCH = 1_772_294_400_000
"""2026-03-01 00:00 in Beijing."""
HOURLY, DAILY = 15, 7
"""Rows of one site in an hour and in a day."""
A = (site("A"),)
Log = list[Frame | Tick]


def ended(hour: int, begin: int = T0) -> Tick:
    """Return the tick that closes the first ``hour`` hours."""
    return Tick(begin + hour * HOUR_MS + GRACE)


def spoken(batches: list[pa.RecordBatch]) -> Counter[tuple[str, str]]:
    """Return how many rows were said of each (factor, window)."""
    return Counter((r["factor"], r["window"]) for r in records(batches))


def starts(batches: list[pa.RecordBatch], factor: str, window: str) -> list[int]:
    """Return the starts of what was said of one window, in hours from T0."""
    return sorted(
        (r["start"] - T0) // HOUR_MS for r in records(batches) if (r["factor"], r["window"]) == (factor, window)
    )


def filled(count_h: int, sites: tuple[Site, ...] = A) -> KindJudge:
    """Return a judge that took and said whole hours of all sites."""
    made = judge(sites)
    run(made, hourly_log([r for s in sites for r in hours(s.id, count_h, **ALL)], until=ended(count_h).at))
    return made


def test_an_hour_is_said_once_its_grace_has_passed_and_not_before() -> None:
    made = judge(A)
    assert run(made, [Tick(T0), frame(hours("A", 1, **ALL)), Tick(T0 + HOUR_MS + GRACE - 1)]) == []
    said = run(made, [Tick(T0 + HOUR_MS + GRACE)])
    assert len(records(said)) == HOURLY
    assert {r["at"] for r in records(said)} == {T0 + HOUR_MS + GRACE}
    assert run(made, [Tick(T0 + HOUR_MS + GRACE + 1)]) == []


def test_a_day_is_said_with_its_last_hour_and_not_before() -> None:
    made = filled(23)
    run(made, [frame(hours("A", 1, begin=T0 + 23 * HOUR_MS, **ALL))])
    assert run(made, [Tick(T0 + DAY + GRACE - 1)]) == []
    said = run(made, [Tick(T0 + DAY + GRACE)])
    assert sum(spoken(said).values()) == HOURLY + DAILY
    assert one(said, "PM2.5", "24h", T0)["value"] == 3000
    assert one(said, "O3", "MDA8", T0)["value"] == 9000
    assert one(said, "AQI", "24h", T0)["value"] == 50


def test_a_site_never_seen_is_silent_every_hour_it_owes() -> None:
    said = run(judge(A), [Tick(T0), *(ended(h) for h in range(1, 4))])
    found = final(said)
    assert len(found) == 3 * HOURLY
    assert {(r["value"], r["reason"], r["valid"]) for r in found.values()} == {(None, "silent", 0)}
    assert starts(said, "AQI", "1h") == [0, 1, 2]
    assert one(said, "AQI", "1h", T0)["detail"] == "; ".join(f"{f}: silent" for f in FACTORS)


def test_a_site_whose_entry_begins_tomorrow_owes_nothing_today() -> None:
    said = run(judge([site("A", start=T0 + DAY)]), [Tick(T0), *(ended(h) for h in range(1, 27))])
    assert {(r["start"] - T0) // HOUR_MS for r in records(said)} == {24, 25}


def test_a_site_whose_entry_has_ended_owes_nothing_more_and_what_it_sends_is_said() -> None:
    made = judge([replace(site("A"), end=T0 + HOUR_MS)])
    said = run(made, [Tick(T0), ended(1), ended(2)])
    assert {r["start"] for r in records(said)} == {T0}
    said = run(made, [frame([row("A", T0 + HOUR_MS, SO2=8)]), ended(3)])
    assert spoken(said)["SO2", "1h"] == 1
    assert spoken(said)["NO2", "1h"] == 0


def test_nothing_is_owed_from_before_the_first_tick() -> None:
    assert run(judge(A), [Tick(T0 + HOUR_MS)]) == []
    said = run(judge(A), [Tick(T0 + HOUR_MS), ended(2)])
    assert starts(said, "AQI", "1h") == [1]


def test_data_of_before_the_first_tick_are_judged_all_the_same() -> None:
    said = run(judge(A), [Tick(T0), frame(hours("A", 3, begin=T0 - 40 * HOUR_MS, **ALL)), Tick(T0 + 1)])
    assert starts(said, "SO2", "1h") == [-40, -39, -38]
    assert {key[0] for key in final(said)} == {"A"}


def test_a_late_reading_of_one_gas_judges_its_windows_again_and_nothing_else() -> None:
    made = filled(60)
    said = run(made, [frame([row("A", T0 + 12 * HOUR_MS, SO2=80, correction=1)]), Tick(T0 + 60 * HOUR_MS + GRACE + 1)])
    assert spoken(said) == {
        ("SO2", "1h"): 1, ("AQI", "1h"): 1, ("SO2", "24h_running"): 24, ("SO2", "24h"): 1, ("AQI", "24h"): 1,
    }  # fmt: skip
    assert starts(said, "SO2", "24h_running") == list(range(12, 36))
    assert {r["revision"] for r in records(said)} == {2}
    at = {key[1:4]: r["value"] for key, r in ((k, r) for k, r in _last(said).items())}
    assert at["SO2", "1h", T0 + 12 * HOUR_MS] == 8000
    assert at["SO2", "24h", T0] == 1100  # (23 * 8 + 80) / 24 = 11


def _last(batches: list[pa.RecordBatch]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return rows by site, factor, window and start, whatever their revision."""
    return {(r["site"], r["factor"], r["window"], r["start"]): r for r in records(batches)}


def test_a_late_ozone_reading_of_midday_judges_eight_windows_of_each_kind_and_the_day() -> None:
    made = filled(60)
    said = run(made, [frame([row("A", T0 + 12 * HOUR_MS, O3=170, correction=1)]), Tick(T0 + 60 * HOUR_MS + GRACE + 1)])
    assert spoken(said) == {
        ("O3", "1h"): 1, ("AQI", "1h"): 1, ("O3", "8h"): 8, ("O3", "8h_platform"): 8, ("O3", "MDA8"): 1,
        ("AQI", "24h"): 1,
    }  # fmt: skip
    assert _last(said)["A", "O3", "MDA8", T0]["value"] == 10_000  # (7 * 90 + 170) / 8


def test_a_late_ozone_reading_of_the_evening_reaches_over_midnight_but_not_into_the_next_day() -> None:
    made = filled(60)
    said = run(made, [frame([row("A", T0 + 20 * HOUR_MS, O3=170, correction=1)]), Tick(T0 + 60 * HOUR_MS + GRACE + 1)])
    assert starts(said, "O3", "8h") == list(range(20, 28))
    assert starts(said, "O3", "8h_platform") == list(range(20, 24))
    assert starts(said, "O3", "MDA8") == starts(said, "AQI", "24h") == [0]
    assert sum(spoken(said).values()) == 2 + 8 + 4 + 2


def test_a_late_packet_of_everything_48_h_old_judges_exactly_what_depends_on_it() -> None:
    rows = [r for r in hours("A", 60, **ALL) if r.start != T0 + 12 * HOUR_MS]
    made = judge(A)
    run(made, hourly_log(rows, until=ended(60).at))
    said = run(made, [frame([row("A", T0 + 12 * HOUR_MS, **ALL)]), Tick(T0 + 60 * HOUR_MS + GRACE + 1)])
    assert sum(spoken(said).values()) == 7 + 8 + 8 + 5 * 24 + 7 + 1  # and the accounting of its hour
    assert {r["site"] for r in records(said)} == {"A"}
    assert {r["revision"] for r in records(said)} == {2}


def test_a_reading_as_late_as_may_be_judges_whole_windows() -> None:
    made = filled(72)
    said = run(made, [frame([row("A", T0, PM25=60, correction=1)]), Tick(T0 + 72 * HOUR_MS + GRACE + 1)])
    assert spoken(said)["PM2.5", "1h"] == 0  # 5 minutes too late
    made = filled(71)
    said = run(made, [frame([row("A", T0, PM25=60, correction=1)]), Tick(T0 + 71 * HOUR_MS + GRACE + 1)])
    assert _last(said)["A", "PM2.5", "24h", T0]["value"] == 3100  # (23 * 30 + 60) / 24 = 31.25
    assert starts(said, "PM2.5", "24h_running") == list(range(24))


def test_a_value_that_goes_and_comes_back_makes_three_revisions() -> None:
    made = judge(A)
    told = []
    for at, (flag, value, correction) in enumerate([("N", 8, 0), ("D", 8, 1), ("N", 9, 2)]):
        again = row("A", T0, SO2=value, flags=flag, correction=correction)
        said = run(made, [Tick(T0), frame([again]), Tick(T0 + HOUR_MS + GRACE + at)])
        found = _last(said)["A", "SO2", "1h", T0]
        told.append((found["revision"], found["value"], found["reason"], found["flags"]))
    assert told == [(1, 800, "", 0), (2, None, "invalid", Mark.FAULT), (3, 900, "", 0)]


def test_a_repeat_changes_nothing_and_is_no_revision() -> None:
    made = filled(30)
    repeated = hours("A", 30, **ALL)
    assert run(made, [frame(repeated), frame(repeated[::-1]), Tick(T0 + 30 * HOUR_MS + GRACE + 1)]) == []


def test_the_same_content_received_again_later_is_no_revision() -> None:
    made = filled(2)
    again = row("A", T0, received=T0 + 2 * HOUR_MS, **ALL)
    said = records(run(made, [frame([again]), Tick(T0 + 2 * HOUR_MS + GRACE + 1)]))
    assert [(r["factor"], r["detail"]) for r in said] == [("packets", "late 1")]  # of the accounting alone


@pytest.mark.parametrize(
    ("first", "second", "value"),
    [
        ({"SO2": 9}, {"SO2": 7, "correction": 1}, 700),
        ({"SO2": 7, "correction": 1}, {"SO2": 9}, 700),
        ({"SO2": 9, "received": T0 + HOUR_MS}, {"SO2": 7, "received": T0 + HOUR_MS + MINUTE_MS}, 700),
        ({"SO2": 7, "received": T0 + HOUR_MS + MINUTE_MS}, {"SO2": 9, "received": T0 + HOUR_MS}, 700),
        ({"SO2": 7, "correction": 1}, {"SO2": 9, "received": T0 + 9 * HOUR_MS}, 700),
        ({"SO2": 7}, {"SO2": 9}, 900),
        ({"SO2": 9}, {"SO2": 7}, 900),
    ],
    ids=[
        "correction",
        "correction first",
        "receipt",
        "receipt first",
        "correction before receipt",
        "value",
        "value first",
    ],
)
def test_of_two_readings_of_one_slot_the_same_wins_in_any_order(
    first: dict[str, Any], second: dict[str, Any], value: int
) -> None:
    said = run(judge(A), [Tick(T0), frame([row("A", T0, **first)]), frame([row("A", T0, **second)]), ended(1)])
    assert one(said, "SO2", "1h", T0)["value"] == value


def test_an_item_not_in_plan_is_said_as_such_and_misses_in_no_index() -> None:
    values = {f: v for f, v in ALL.items() if f != "SO2"}
    said = run(judge([site("A", absent=("SO2",))]), hourly_log(hours("A", 24, **values), until=ended(24).at))
    found = final(said)
    assert {r["reason"] for key, r in found.items() if key[1] == "SO2"} == {"not_in_plan"}
    told = ("value", "valid", "expected", "reason", "detail")
    assert {tuple(r[t] for t in told) for key, r in found.items() if key[1] == "AQI"} == {(50, 5, 5, "", "")}


def test_an_absence_ends_with_the_entry_that_gave_it() -> None:
    gone = Absence(factor="SO2", start=0, end=None, author="test", why="test")
    entries = [replace(site("A"), end=T0 + HOUR_MS, not_in_plan=(gone,)), site("A", start=T0 + HOUR_MS)]
    said = run(judge(entries), [Tick(T0), ended(2)])
    assert [one(said, "SO2", "1h", T0 + h * HOUR_MS)["reason"] for h in (0, 1)] == ["not_in_plan", "silent"]


def test_the_edition_changes_at_midnight_of_the_first_of_march_in_beijing() -> None:
    begin = MARCH - 30 * HOUR_MS
    rows = hours("A", 60, begin=begin, **{**ALL, "PM25": 70})
    found = final(run(judge(A), hourly_log(rows, until=ended(60, begin).at)))
    found = {key: r for key, r in found.items() if key[1] != "packets"}
    editions = {key[1:4]: key[4] for key in found}
    aqi = {key[2:4]: r["value"] for key, r in found.items() if key[1] == "AQI"}
    assert {key[4] for key in found if key[2] not in {"24h", "MDA8"} and key[3] < MARCH} == {"HJ633-2012"}
    assert {key[4] for key in found if key[2] not in {"24h", "MDA8"} and key[3] >= MARCH} == {"HJ633-2026"}
    assert (aqi["1h", MARCH - HOUR_MS], aqi["1h", MARCH]) == (94, 110)
    assert (aqi["24h", MARCH - DAY], aqi["24h", MARCH]) == (94, 110)
    assert editions["O3", "MDA8", MARCH - DAY] == editions["AQI", "24h", MARCH - DAY] == "HJ633-2012"
    assert editions["O3", "MDA8", MARCH] == editions["AQI", "24h", MARCH] == "HJ633-2026"
    assert editions["PM2.5", "24h_running", MARCH] == editions["O3", "8h", MARCH] == "HJ633-2026"
    assert len(editions) == len(found)  # each window in one edition only


@pytest.mark.parametrize(("pm25", "value", "primary"), [(30, None, ""), (200, 250, "PM2.5")])
def test_with_an_item_missing_2026_publishes_only_what_is_above_100(pm25: int, value: int | None, primary: str) -> None:
    (good,) = hours("A", 1, **{**ALL, "PM25": pm25})
    sent = replace(good, flags=tuple("D" if f == "NO2" else "N" for f in FACTORS))
    said = run(judge(A), [Tick(T0), frame([sent]), ended(1)])
    found = one(said, "AQI", "1h", T0)
    assert (found["value"], found["primary"], found["reason"]) == (value, primary, "missing_item")
    assert (found["detail"], found["valid"], found["expected"]) == ("NO2: invalid", 5, 6)
    assert found["flags"] == Mark.FAULT
    assert one(said, "PM2.5", "1h", T0)["iaqi"] == (43 if value is None else 250)


@pytest.mark.parametrize(("zone", "value"), [(1, 12_000), (2, None)])
def test_a_short_day_of_ozone_is_published_over_the_limit_of_its_zone(zone: int, value: int | None) -> None:
    rows = hours("A", 18, **{**ALL, "O3": 120})
    said = run(judge([site("A", zone=zone)]), hourly_log(rows, until=ended(24).at))
    found = one(said, "O3", "MDA8", T0)
    assert (found["value"], found["valid"], found["reason"]) == (value, 13, "" if value else "incomplete")


def test_no_number_stands_beside_a_reason_for_none() -> None:
    sites = (site("A"), site("B", period_ms=15 * MINUTE_MS), site("C", absent=("SO2",)))
    rows = random_rows(3, sites, 40)
    log: Log = [Tick(T0)]
    for one_site in sites:
        log.append(
            frame([r for r in rows if r.site == one_site.id and r.start < T0 + DAY], period_ms=one_site.period_ms)
        )
    found = final(run(judge(sites), [*log, ended(24), ended(30)]))
    assert {r["reason"] for r in found.values() if r["value"] is not None} <= {"", "missing_item", "not_in_plan"}
    assert {r["reason"] for r in found.values() if r["value"] is None}.isdisjoint({"", "over_table"})
    assert len({r["reason"] for r in found.values()}) >= 6


def test_marks_of_an_hour_reach_every_window_that_it_enters() -> None:
    rows = hours("A", 24, **ALL)
    rows[10] = row("A", T0 + 10 * HOUR_MS, flags=None, **ALL)
    found = final(run(judge(A), hourly_log(rows, until=ended(24).at)))
    touched = {key[1:4] for key, r in found.items() if r["flags"] == Mark.UNFLAGGED | Mark.SUSPECT}
    assert {(f, "1h", T0 + 10 * HOUR_MS) for f in (*FACTORS, "AQI")} <= touched
    assert {(f, "24h", T0) for f in (*FACTORS[:5], "AQI")} <= touched
    assert ("O3", "MDA8", T0) in touched
    assert {r["flags"] for r in found.values()} == {0, Mark.UNFLAGGED | Mark.SUSPECT}
    assert ("O3", "8h", T0 + 17 * HOUR_MS) in touched
    assert ("O3", "8h", T0 + 18 * HOUR_MS) not in touched


def test_refused_rows_have_reasons_and_the_rest_of_the_frame_is_judged() -> None:
    made = judge(A)
    run(made, [Tick(T0), Tick(T0 + 80 * HOUR_MS)])
    now = T0 + 80 * HOUR_MS
    rows = [row("A", T0, **ALL), row("A", now, **ALL), row("A", now + 25 * HOUR_MS, **ALL), row("X", now, **ALL)]
    refused = {r.reason: r.rows.tolist() for r in made.fold(frame(rows))}
    assert refused == {
        Refusal.TOO_LATE: [True, False, False, False],
        Refusal.TOO_EARLY: [False, False, True, False],
        Refusal.UNKNOWN_SITE: [False, False, False, True],
    }
    said = run(made, [Tick(now + HOUR_MS + GRACE)])
    assert one(said, "SO2", "1h", now)["value"] == 800


def test_a_reading_of_tomorrow_waits_for_its_hour() -> None:
    made = judge(A)
    assert run(made, [Tick(T0), frame([row("A", T0 + DAY, **ALL)]), Tick(T0 + 1)]) == []
    said = run(made, [ended(h) for h in range(1, 26)])
    assert one(said, "SO2", "1h", T0 + DAY)["value"] == 800
    assert one(said, "SO2", "1h", T0 + 23 * HOUR_MS)["reason"] == "silent"
    assert one(said, "SO2", "24h", T0)["reason"] == "silent"


def test_after_eight_days_nothing_of_the_old_shines_through() -> None:
    old, fresh = judge(A), judge(A)
    run(old, hourly_log(hours("A", 30, **ALL), until=ended(30).at))
    ticks = [ended(h) for h in range(31, 300)]
    late = 8 * 24 + 12
    whole = contents(run(old, ticks[: late - 30]))  # one window is said once: the revisions begin with 1
    assert {c[CONTENT_COLUMNS.index("reason")] for key, c in whole.items() if key[3] >= T0 + 54 * HOUR_MS} == {"silent"}
    rows = frame(hours("A", 30, begin=T0 + late * HOUR_MS, **{**ALL, "SO2": 20}))
    rows = Frame(head=rows.head, rows=rows.rows.slice(0, 24))
    tail = [Tick(t.at) for t in ticks[late - 30 :]]
    mine = run(old, [rows, *tail])
    theirs = run(fresh, [Tick(T0 + late * HOUR_MS), rows, *tail])
    assert contents(mine) == contents(theirs)
    assert {r["revision"] for r in final(mine).values()} == {1}


def test_what_had_come_is_judged_before_the_clock_jumps_thirty_days() -> None:
    made = judge(A)
    run(made, [Tick(T0), frame(hours("A", 24, **ALL))])
    said = run(made, [Tick(T0 + 30 * DAY)])
    found = final(said)
    assert one(said, "SO2", "1h", T0 + 23 * HOUR_MS)["value"] == 800
    assert one(said, "SO2", "24h", T0)["value"] == 800
    assert {r["at"] for r in found.values()} == {T0 + 30 * DAY}
    later = {key[3] for key, r in found.items() if key[2] == "1h" and r["value"] is None}
    assert {r["reason"] for key, r in found.items() if key[3] >= T0 + 60 * HOUR_MS} == {"silent"}
    assert min(later) == T0 + 24 * HOUR_MS
    assert [b - a for a, b in pairwise(sorted(later)) if b - a != HOUR_MS] == [30 * DAY - (73 + 48 - 1) * HOUR_MS]
    after = run(made, [frame([row("A", T0 + 30 * DAY, SO2=9)]), Tick(T0 + 30 * DAY + HOUR_MS + GRACE)])
    assert one(after, "SO2", "1h", T0 + 30 * DAY)["value"] == 900
    assert made.fold(frame([row("A", T0, SO2=9)]))[0].reason is Refusal.TOO_LATE


@pytest.mark.parametrize("gap_h", [2, 48, 72])
def test_a_tick_that_comes_late_says_every_hour_between(gap_h: int) -> None:
    made = filled(3)
    said = run(made, [ended(3 + gap_h)])
    assert starts(said, "AQI", "1h") == list(range(3, 3 + gap_h))


def test_a_tick_that_goes_back_moves_nothing_but_what_changed_is_said() -> None:
    made = filled(10)
    assert run(made, [Tick(T0), Tick(T0 - 9 * DAY), Tick(0)]) == []
    said = run(made, [frame([row("A", T0, SO2=80, correction=1)]), Tick(T0)])
    assert {r["at"] for r in records(said)} == {ended(10).at + MINUTE_MS}  # the latest tick of the log
    assert spoken(said)["SO2", "1h"] == 1
    assert made.fold(frame([row("A", T0 - 65 * HOUR_MS, SO2=8)]))[0].reason is Refusal.TOO_LATE


def test_a_first_tick_of_zero_does_not_stop_the_clock_for_ever() -> None:
    made = judge([site("A", start=T0)])
    said = run(made, [Tick(0), Tick(T0), frame([row("A", T0, SO2=8)]), ended(1)])
    assert one(said, "SO2", "1h", T0)["value"] == 800


def test_frames_before_the_first_tick_are_taken() -> None:
    said = run(judge(A), [frame(hours("A", 1, **ALL)), ended(1)])
    assert one(said, "SO2", "1h", T0)["value"] == 800
    assert len(records(said)) == HOURLY


def test_an_empty_frame_changes_nothing() -> None:
    made = filled(2)
    whole = frame(hours("A", 1, **ALL))
    assert made.fold(Frame(head=whole.head, rows=whole.rows.slice(0, 0))) == ()
    assert run(made, [Tick(T0 + 2 * HOUR_MS + GRACE + 1)]) == []


def test_a_frame_without_a_factor_leaves_it_silent_and_one_with_a_strange_factor_is_judged_without_it() -> None:
    whole = frame(hours("A", 1, **ALL))
    narrow = whole.rows.drop_columns(["SO2", "SO2.flag"])
    strange = narrow.append_column("NOx", whole.rows.column("SO2")).append_column(
        "NOx.flag", whole.rows.column("SO2.flag")
    )
    said = run(judge(A), [Tick(T0), Frame(head=whole.head, rows=strange), ended(1)])
    assert one(said, "SO2", "1h", T0)["reason"] == "silent"
    assert one(said, "NO2", "1h", T0)["value"] == 3500
    assert {key[1] for key in final(said)} == {*FACTORS, "AQI", "packets"}


def test_a_partition_without_sites_has_a_clock_and_nothing_to_say() -> None:
    made = judge([])
    assert run(made, [Tick(T0), ended(30), Tick(T0 + 90 * DAY), Tick(T0)]) == []
    refused = made.fold(frame(hours("A", 2, **ALL)))
    assert [(r.reason, r.rows.tolist()) for r in refused] == [(Refusal.UNKNOWN_SITE, [True, True])]


def test_a_judge_holds_the_air_sites_of_its_own_partition_only() -> None:
    sites = [*(site(f"S{n}") for n in range(20)), replace(site("W"), kind="water")]
    found = set()
    for partition in range(4):
        made = judge_of(sites, CONTEXT, partition=partition, partitions=4, settings=JudgeSettings())
        mine = {key[0] for key in final(run(made, [Tick(T0), ended(1)]))}
        assert {partition_of(name, 4) for name in mine} == {partition}
        found |= mine
    assert found == {f"S{n}" for n in range(20)}


def test_a_life_that_begins_late_says_only_what_it_knows_whole() -> None:
    made = judge(A)
    made.begin_late()
    said = run(made, hourly_log(hours("A", 80, **ALL), until=ended(80).at))
    assert min(starts(said, "SO2", "1h")) == 25  # a reading may have come a day ahead of its hour
    assert min(starts(said, "O3", "8h")) == 32
    assert min(starts(said, "SO2", "24h_running")) == 48
    assert starts(said, "SO2", "24h") == [48]
    assert {r["reason"] for r in records(said)} == {""}


def test_a_life_that_begins_with_a_late_reading_takes_its_clock_from_the_first_tick() -> None:
    rows = hours("A", 100, **ALL)
    log = hourly_log(rows, until=ended(100).at)
    late = frame([replace(rows[0], correction=1), *rows[70:72]])
    whole, part = judge(A), judge(A)
    part.begin_late()
    at = next(i for i, item in enumerate(log) if isinstance(item, Tick) and item.at >= T0 + 72 * HOUR_MS)
    run(whole, log[:at])
    expected = run(whole, [late, *log[at:]])
    found = run(part, [late, *log[at:]])
    assert {r["start"] for r in records(found)} >= {T0 + 97 * HOUR_MS}
    said = _last(expected)
    assert all(r == said[key] for key, r in _last(found).items())


def test_rows_of_one_tick_come_as_one_batch() -> None:
    made = filled(23)
    rows: list[Row] = hours("A", 1, begin=T0 + 23 * HOUR_MS, **ALL)
    made.fold(frame(rows))
    said = made.tick(ended(24).at)
    assert isinstance(said, pa.RecordBatch)
    assert said.num_rows == HOURLY + DAILY
