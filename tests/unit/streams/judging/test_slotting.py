from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.flags import Mark
from sensors.frames import Frame, Origin, Tick
from streams.air.index import FACTORS
from streams.judging.registered import judge_of
from streams.judging.state import JudgeSettings
from streams.standards import load_standards
from tests.air_cases import ALL, CONTEXT, T0, Row, final, frame, hours, judge, one, row, run, site

CLOSED = Tick(T0 + HOUR_MS + 5 * MINUTE_MS)
MINUTELY = (site("A", period_ms=MINUTE_MS),)
QUARTER = 15 * MINUTE_MS


def minutes(*parts: tuple[int, float, str | None], factor: str = "SO2", begin: int = T0) -> list[Row]:
    """Return minute packets: (how many, value, flag) one part after the other."""
    each = [(value, flag) for count, value, flag in parts for _ in range(count)]
    named: list[dict[str, Any]] = [{factor.replace(".", ""): value, "flags": flag} for value, flag in each]
    return [row("A", begin + i * MINUTE_MS, **more) for i, more in enumerate(named)]


def hour_of(rows: list[Row], factor: str = "SO2", period_ms: int = MINUTE_MS) -> dict[str, Any]:
    made = judge([site("A", period_ms=period_ms)])
    return one(run(made, [Tick(T0), frame(rows, period_ms=period_ms), CLOSED]), factor, "1h", T0)


def own_hour(rows: list[Row], factor: str = "SO2") -> dict[str, Any]:
    return one(run(judge([site("A")]), [Tick(T0), frame(rows), CLOSED]), factor, "1h", T0)


def test_forty_five_valid_minutes_make_an_hour() -> None:
    found = hour_of(minutes((45, 10, "N")))
    assert (found["value"], found["digits"], found["valid"], found["expected"]) == (1000, 2, 45, 60)
    assert (found["reason"], found["flags"]) == ("", Mark.COMPUTED)


@pytest.mark.parametrize("factor", ["PM2.5", "SO2"])
def test_forty_four_minutes_do_not(factor: str) -> None:
    found = hour_of(minutes((44, 10, "N"), factor=factor), factor)
    assert (found["value"], found["valid"], found["reason"]) == (None, 44, "incomplete")


@pytest.mark.parametrize(
    ("letter", "reason", "mark"),
    [
        ("C", "calibrating", Mark.CALIBRATION),
        ("D", "invalid", Mark.FAULT),
        ("B", "invalid", Mark.FAULT),
        ("M", "invalid", Mark.MAINTENANCE),
        ("S", "invalid", Mark.MANUAL),
        ("T", "invalid", Mark.OVER_RANGE),
        ("X", "invalid", Mark.IMPOSSIBLE),
    ],
)
def test_what_a_flag_takes_from_an_hour_is_named_by_it(letter: str, reason: str, mark: Mark) -> None:
    found = hour_of(minutes((44, 10, "N"), (16, 10, letter)))
    assert (found["value"], found["valid"], found["reason"]) == (None, 44, reason)
    assert found["flags"] == mark | Mark.COMPUTED


def test_an_hour_with_enough_valid_minutes_stands_beside_its_calibration() -> None:
    found = hour_of(minutes((45, 10, "N"), (15, 999, "C")))
    assert (found["value"], found["reason"]) == (1000, "")
    assert found["flags"] == Mark.CALIBRATION | Mark.COMPUTED


def test_too_few_minutes_of_which_a_flag_took_some_are_incomplete_all_the_same() -> None:
    assert hour_of(minutes((20, 10, "N"), (10, 10, "C")))["reason"] == "incomplete"


def test_a_flag_without_a_value_counts_as_having_come() -> None:
    nothing = Row(site="A", start=T0, values=(None,) * 6, flags=("C",) * 6)
    found = hour_of([replace(nothing, start=T0 + i * MINUTE_MS) for i in range(60)])
    assert (found["value"], found["valid"], found["reason"]) == (None, 0, "calibrating")


@pytest.mark.parametrize(
    ("factor", "low", "high", "value"),
    [("SO2", 10, 11, 1000), ("SO2", 11, 12, 1200), ("CO", 0.8, 0.9, 800), ("CO", 0.9, 1.0, 1000)],
)
def test_the_mean_is_rounded_half_to_even_at_the_standards_digit(
    factor: str, low: float, high: float, value: int
) -> None:
    assert hour_of(minutes((30, low, "N"), (30, high, "N"), factor=factor), factor)["value"] == value


@pytest.mark.parametrize(("sent", "value"), [(10.5, 1000), (11.5, 1200), (10.51, 1100), (0.5, 0), (0, 0)])
def test_an_hour_of_the_source_is_rounded_as_well(sent: float, value: int) -> None:
    found = own_hour([row("A", T0, SO2=sent)])
    assert (found["value"], found["valid"], found["expected"], found["flags"]) == (value, 1, 1, 0)


@pytest.mark.parametrize(("count", "value", "valid"), [(4, 1000, 60), (3, 1000, 45), (2, None, 30)])
def test_three_of_four_quarters_of_an_hour_are_forty_five_minutes(count: int, value: int | None, valid: int) -> None:
    rows = [row("A", T0 + i * QUARTER, SO2=10) for i in range(count)]
    found = hour_of(rows, period_ms=QUARTER)
    assert (found["value"], found["valid"], found["expected"]) == (value, valid, 60)


def test_the_hour_of_the_source_is_judged_where_both_came() -> None:
    log: list[Frame | Tick] = [
        Tick(T0),
        frame(minutes((60, 10, "N")), period_ms=MINUTE_MS),
        frame([row("A", T0, SO2=20)]),
        CLOSED,
    ]
    found = one(run(judge(MINUTELY), log), "SO2", "1h", T0)
    assert (found["value"], found["expected"], found["flags"]) == (2000, 1, 0)


def test_an_hour_of_the_source_that_comes_later_is_a_revision() -> None:
    log: list[Frame | Tick] = [
        Tick(T0), frame(minutes((60, 10, "N")), period_ms=MINUTE_MS), CLOSED,
        frame([row("A", T0, SO2=20)]), Tick(CLOSED.at + 1),
    ]  # fmt: skip
    found = one(run(judge(MINUTELY), log), "SO2", "1h", T0)
    assert (found["value"], found["revision"]) == (2000, 2)


def test_a_faulty_hour_of_the_source_is_no_value_and_our_mean_does_not_stand_in() -> None:
    log: list[Frame | Tick] = [
        Tick(T0), frame(minutes((60, 10, "N")), period_ms=MINUTE_MS), frame([row("A", T0, SO2=20, flags="D")]), CLOSED,
    ]  # fmt: skip
    found = one(run(judge(MINUTELY), log), "SO2", "1h", T0)
    assert (found["value"], found["valid"], found["reason"]) == (None, 0, "invalid")
    assert found["flags"] == Mark.FAULT


def test_a_source_that_sends_one_factor_as_an_hour_has_the_others_made_of_minutes() -> None:
    both = [row("A", T0 + i * MINUTE_MS, SO2=10, NO2=30) for i in range(60)]
    said = run(judge(MINUTELY), [Tick(T0), frame(both, period_ms=MINUTE_MS), frame([row("A", T0, SO2=20)]), CLOSED])
    assert one(said, "SO2", "1h", T0)["value"] == 2000
    assert one(said, "NO2", "1h", T0)["value"] == 3000


def test_an_hour_in_which_nothing_came_is_silent_and_owes_what_the_registry_says() -> None:
    said = run(judge([*MINUTELY, site("H")]), [Tick(T0), CLOSED])
    found = [one(said, "SO2", "1h", T0, name) for name in ("A", "H")]
    assert [(r["value"], r["valid"], r["expected"], r["reason"]) for r in found] == [
        (None, 0, 60, "silent"),
        (None, 0, 1, "silent"),
    ]


@pytest.mark.parametrize("sent", [-1, -0.6])
def test_a_negative_hour_of_the_source_is_impossible_and_no_value(sent: float) -> None:
    found = own_hour([row("A", T0, SO2=sent)])
    assert (found["value"], found["valid"], found["reason"], found["flags"]) == (None, 0, "invalid", Mark.IMPOSSIBLE)


@pytest.mark.parametrize("sent", [-0.5, -0.4])
def test_noise_below_zero_that_rounds_to_zero_is_zero(sent: float) -> None:
    assert own_hour([row("A", T0, SO2=sent)])["value"] == 0


def test_negative_minutes_enter_the_mean_and_a_negative_mean_is_no_value() -> None:
    assert hour_of(minutes((30, -2, "N"), (30, 4, "N")))["value"] == 100
    found = hour_of(minutes((60, -2, "N")))
    assert (found["value"], found["valid"], found["reason"]) == (None, 60, "invalid")
    assert found["flags"] == Mark.IMPOSSIBLE | Mark.COMPUTED


def test_marks_of_all_minutes_are_joined() -> None:
    found = hour_of(minutes((45, 10, "N"), (5, 10, None), (5, 10, "K"), (5, 10, "T")))
    assert found["value"] == 1000
    assert found["flags"] == Mark.COMPUTED | Mark.UNFLAGGED | Mark.SUSPECT | Mark.COPIED | Mark.OVER_RANGE


def test_minutes_of_one_site_do_not_reach_another() -> None:
    sites = [site(name, period_ms=MINUTE_MS) for name in "ABC"]
    rows = [replace(r, site=name) for name, v in (("A", 10), ("C", 30)) for r in minutes((60, v, "N"))]
    said = run(judge(sites), [Tick(T0), frame(rows, period_ms=MINUTE_MS), CLOSED])
    assert [one(said, "SO2", "1h", T0, name)["value"] for name in "ABC"] == [1000, None, 3000]


def test_a_late_minute_of_one_site_judges_that_site_only() -> None:
    sites = [site(name, period_ms=MINUTE_MS) for name in "ABC"]
    rows = [replace(r, site=name) for name, v in (("A", 10), ("C", 30)) for r in minutes((44, v, "N"))]
    late = frame([row("C", T0 + 50 * MINUTE_MS, SO2=30)], period_ms=MINUTE_MS)
    made = judge(sites)
    run(made, [Tick(T0), frame(rows, period_ms=MINUTE_MS), CLOSED])
    again = run(made, [late, Tick(CLOSED.at + 1)])
    assert {key[0] for key in ((r["site"],) for batch in again for r in batch.to_pylist())} == {"C"}


def test_the_minutes_that_an_hour_needs_are_those_of_its_days_edition() -> None:
    march = 1_772_294_400_000  # 2026-03-01 00:00 in Beijing
    standards = load_standards()
    old, new = standards.completeness_editions
    changed = replace(
        standards,
        completeness_editions=(replace(old, hour_minutes=30), replace(new, particle_hour_minutes=50)),
    )
    made = judge_of(MINUTELY, replace(CONTEXT, standards=changed), partition=0, partitions=1, settings=JudgeSettings())
    rows = [
        row("A", start + i * MINUTE_MS, PM25=10, SO2=10)
        for start in (march - HOUR_MS, march)
        for i in range(45 if start == march else 30)
    ]
    said = run(made, [Tick(march - HOUR_MS), frame(rows, period_ms=MINUTE_MS), Tick(march + HOUR_MS + 5 * MINUTE_MS)])
    assert [one(said, f, "1h", march - HOUR_MS)["value"] for f in ("PM2.5", "SO2")] == [None, 1000]
    assert [one(said, f, "1h", march)["value"] for f in ("PM2.5", "SO2")] == [None, 1000]


def test_what_a_platform_published_goes_before_the_device_and_a_persons_act_before_both() -> None:
    sent = [(Origin.DEVICE, 10), (Origin.PERSON, 12), (Origin.REPORTED, 11)]
    log: list[Frame | Tick] = [Tick(T0), *(frame([row("A", T0, SO2=v)], origin=o) for o, v in sent), CLOSED]
    assert one(run(judge([site("A")]), log), "SO2", "1h", T0)["value"] == 1200


def test_every_factor_of_an_hour_is_judged_by_itself() -> None:
    said = run(judge([site("A")]), [Tick(T0), frame(hours("A", 1, **ALL)), CLOSED])
    values = {key[1]: found["value"] for key, found in final(said).items() if key[2] == "1h" and key[1] != "packets"}
    assert values == {"PM2.5": 3000, "PM10": 5000, "SO2": 800, "NO2": 3500, "CO": 800, "O3": 9000, "AQI": 50}
    assert all(isinstance(batch, pa.RecordBatch) for batch in said)
    assert [f for f in FACTORS if f not in values] == []
