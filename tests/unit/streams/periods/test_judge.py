from __future__ import annotations

from dataclasses import replace

import pytest

from sensors.clock import DAY_MS, HOUR_MS
from sensors.flags import Mark
from sensors.kinds import Kind, load_kind
from sensors.partition import partition_of
from tests.period_cases import (
    Row,
    after,
    air,
    area,
    batch,
    contents,
    day_ms,
    day_no,
    day_row,
    final,
    judge,
    one,
    records,
    registry,
    site,
    year_of_days,
)

AIR = air(evaluations=())


def month(value: float = 30, skip: tuple[str, ...] = ()) -> list[Row]:
    return year_of_days(AIR, "A", "2025-06-01", "2025-06-30", {"PM2.5": value}, skip=skip)


def test_a_month_is_the_mean_of_its_days() -> None:
    made = judge(registry([site("A")]), AIR)
    days = [day_row(AIR, "A", "PM2.5", day_no(f"2025-06-{n:02}"), n) for n in range(1, 31)]
    made.fold(batch(days))
    row = one([made.tick(after(day_no("2025-06-30")), 0)], "A", "PM2.5", "month", "2025-06-01")
    # 1 + … + 30 = 465, 15.5 µg/m³, half to even 16
    assert (row["value"], row["digits"], row["valid"], row["expected"]) == (1600, 2, 30, 30)
    assert (row["reason"], row["flags"], row["revision"]) == ("", 0, 1)


def test_a_month_below_completeness_has_a_reason_and_no_number() -> None:
    short = ("2025-06-01", "2025-06-02", "2025-06-03", "2025-06-04")
    made = judge(registry([site("A")]), AIR)
    made.fold(batch(month(skip=short)))
    row = one([made.tick(after(day_no("2025-06-30")), 0)], "A", "PM2.5", "month", "2025-06-01")
    assert (row["value"], row["valid"], row["expected"], row["reason"]) == (None, 26, 30, "incomplete")


@pytest.mark.parametrize(("reason", "said"), [("silent", "silent"), ("not_in_plan", "not_in_plan"), ("", "incomplete")])
def test_a_month_without_values_says_why(reason: str, said: str) -> None:
    made = judge(registry([site("A")]), AIR)
    made.fold(batch([day_row(AIR, "A", "SO2", day_no("2025-06-01"), None, reason=reason)]))
    row = one([made.tick(after(day_no("2025-06-01")), 0)], "A", "SO2", "month", "2025-06-01")
    assert (row["value"], row["reason"]) == (None, said)


def test_nothing_is_said_of_a_factor_of_which_no_day_came() -> None:
    made = judge(registry([site("A")]), AIR)
    made.fold(batch(month()))
    assert {r["factor"] for r in records([made.tick(after(day_no("2025-06-30")), 0)])} == {"PM2.5"}


def test_what_is_said_of_a_period_that_is_not_over_is_marked_open() -> None:
    made = judge(registry([site("A")]), AIR)
    made.fold(batch(month()))
    said = [made.tick(after(day_no("2025-06-30")), 0)]
    assert one(said, "A", "PM2.5", "month", "2025-06-01")["flags"] == 0
    assert one(said, "A", "PM2.5", "quarter", "2025-04-01")["flags"] == 0
    assert one(said, "A", "PM2.5", "year", "2025-01-01")["flags"] == Mark.OPEN


def test_a_period_becomes_final_when_its_last_day_is_over_even_if_no_row_came() -> None:
    made = judge(registry([site("A")]), AIR)
    days = [day_row(AIR, "A", "PM2.5", day_no(f"2025-06-{n:02}"), 20) for n in range(1, 30)]
    made.fold(batch(days))
    said = [made.tick(after(day_no("2025-06-29")), 0)]
    assert one(said, "A", "PM2.5", "month", "2025-06-01")["flags"] == Mark.OPEN
    said.append(made.tick(after(day_no("2025-06-30")), 0))
    row = one(said, "A", "PM2.5", "month", "2025-06-01")
    assert (row["value"], row["valid"], row["expected"], row["flags"], row["revision"]) == (2000, 29, 30, 0, 2)


def test_the_day_is_over_only_after_the_grace() -> None:
    made = judge(registry([site("A")]), AIR)
    day = day_no("2025-06-01")
    made.fold(batch([day_row(AIR, "A", "PM2.5", day, 20)]))
    assert made.tick(after(day) - 1, 0) is None
    assert one([made.tick(after(day), 0)], "A", "PM2.5", "month", "2025-06-01")["value"] == 2000


def test_a_future_day_closes_nothing_and_waits() -> None:
    made = judge(registry([site("A")]), AIR)
    made.fold(batch([day_row(AIR, "A", "PM2.5", day_no("2031-06-01"), 99), *month()]))
    said = [made.tick(after(day_no("2025-06-15")), 0)]
    row = one(said, "A", "PM2.5", "month", "2025-06-01")
    assert (row["valid"], row["expected"], row["flags"]) == (15, 15, Mark.OPEN)
    assert not [r for r in records(said) if r["start"] > day_ms(day_no("2026-01-01"))]
    said.append(made.tick(after(day_no("2031-06-01")), 0))
    assert one(said, "A", "PM2.5", "month", "2031-06-01")["expected"] == 1


def test_the_running_year_is_said_for_every_day_that_is_over() -> None:
    made = judge(registry([site("A")]), AIR)
    made.fold(batch(year_of_days(AIR, "A", "2024-01-01", "2025-01-02", {"PM2.5": 30})))
    said = [made.tick(after(day_no("2025-01-02")), 0)]
    found = final(said)
    for day, valid in (("2024-12-31", 366), ("2025-01-02", 366), ("2024-12-30", 365)):
        row = found["A", "PM2.5", "running_year", day_ms(day_no(day)), ""]
        assert (row["value"], row["valid"], row["expected"], row["flags"]) == (3000, valid, 366, 0)
    early = found["A", "PM2.5", "running_year", day_ms(day_no("2024-11-01")), ""]
    assert (early["value"], early["reason"]) == (None, "incomplete")


def test_the_running_year_that_ends_with_december_equals_the_calendar_year() -> None:
    made = judge(registry([site("A")]), AIR)
    days = [
        day_row(AIR, "A", "PM2.5", day, 10 + (day * 7) % 50)
        for day in range(day_no("2023-01-01"), day_no("2023-12-31") + 1)
    ]
    made.fold(batch(days))
    said = [made.tick(after(day_no("2023-12-31")), 0)]
    running = one(said, "A", "PM2.5", "running_year", "2023-12-31")
    year = one(said, "A", "PM2.5", "year", "2023-01-01")
    assert (running["value"], running["valid"], running["inputs"]) == (year["value"], year["valid"], year["inputs"])


def test_percentiles_of_a_year_are_of_its_days() -> None:
    made = judge(registry([site("A")]), AIR)
    first = day_no("2023-01-01")
    made.fold(batch([day_row(AIR, "A", "SO2", first + n, n + 1) for n in range(365)]))
    row = one([made.tick(after(day_no("2023-12-31")), 0)], "A", "SO2", "year_p98", "2023-01-01")
    # k = 1 + 364 × 0.98 = 357.72, so 357.72 µg/m³, rounded 358
    assert row["value"] == 35800


def test_ozone_periods_are_made_of_the_daily_maxima_of_8_hours() -> None:
    made = judge(registry([site("A")]), AIR)
    made.fold(
        batch(
            [day_row(AIR, "A", "O3", day_no(f"2025-06-{n:02}"), 150) for n in range(1, 31)]
            + [day_row(AIR, "A", "O3", day_no(f"2025-06-{n:02}"), 10, window="24h") for n in range(1, 31)]
        )
    )
    assert one([made.tick(after(day_no("2025-06-30")), 0)], "A", "O3", "month", "2025-06-01")["value"] == 15000


def test_a_revised_day_is_counted_once_and_an_older_revision_changes_nothing() -> None:
    made = judge(registry([site("A")]), AIR)
    made.fold(batch(month(30)))
    last = after(day_no("2025-06-30"))
    said = [made.tick(last, 0)]
    made.fold(batch([day_row(AIR, "A", "PM2.5", day_no("2025-06-10"), 330, revision=3)]))
    said.append(made.tick(last + 1, 0))
    row = one(said, "A", "PM2.5", "month", "2025-06-01")
    assert (row["value"], row["revision"]) == (4000, 2)
    made.fold(batch([day_row(AIR, "A", "PM2.5", day_no("2025-06-10"), 30, revision=2)]))
    assert made.tick(last + 2, 0) is None


def test_a_withdrawn_day_takes_the_number_away() -> None:
    made = judge(registry([site("A")]), AIR)
    made.fold(batch(month(30, skip=("2025-06-01", "2025-06-02", "2025-06-03"))))
    last = after(day_no("2025-06-30"))
    said = [made.tick(last, 0)]
    assert one(said, "A", "PM2.5", "month", "2025-06-01")["value"] == 3000
    made.fold(batch([day_row(AIR, "A", "PM2.5", day_no("2025-06-10"), None, revision=2)]))
    said.append(made.tick(last + 1, 0))
    row = one(said, "A", "PM2.5", "month", "2025-06-01")
    assert (row["value"], row["reason"], row["revision"]) == (None, "incomplete", 2)


def test_the_same_rows_again_say_nothing() -> None:
    made = judge(registry([site("A")]), AIR)
    made.fold(batch(month()))
    last = after(day_no("2025-06-30"))
    assert made.tick(last, 0) is not None
    made.fold(batch(month()))
    assert made.tick(last + 1, 0) is None


def test_a_late_day_touches_its_own_periods_and_no_others() -> None:
    made = judge(registry([site("A")]), AIR)
    made.fold(batch(year_of_days(AIR, "A", "2025-01-01", "2025-08-31", {"PM2.5": 30, "SO2": 9})))
    last = after(day_no("2025-08-31"))
    made.tick(last, 0)
    made.fold(batch([day_row(AIR, "A", "PM2.5", day_no("2025-08-29"), 90, revision=2)]))
    said = records([made.tick(last + 1, 0)])
    assert {r["factor"] for r in said} == {"PM2.5"}
    assert {(r["window"], r["start"]) for r in said if r["window"] != "running_year"} == {
        ("month", day_ms(day_no("2025-08-01"))),
        ("quarter", day_ms(day_no("2025-07-01"))),
        ("year", day_ms(day_no("2025-01-01"))),
        ("year_p95", day_ms(day_no("2025-01-01"))),
    }
    assert [r["start"] for r in said if r["window"] == "running_year"] == [
        day_ms(day_no(day)) for day in ("2025-08-29", "2025-08-30", "2025-08-31")
    ]


def test_one_tick_of_a_long_feed_says_the_same_as_many() -> None:
    rows = year_of_days(AIR, "A", "2025-01-01", "2025-03-31", {"PM2.5": 30, "O3": 120})
    at_once = judge(registry([site("A")]), AIR)
    at_once.fold(batch(rows))
    day_by_day = judge(registry([site("A")]), AIR)
    said = []
    for day in range(day_no("2025-01-01"), day_no("2025-03-31") + 1):
        day_by_day.fold(batch([r for r in rows if r.start == day_ms(day)]))
        said.append(day_by_day.tick(after(day), 0))
    assert contents(said) == contents([at_once.tick(after(day_no("2025-03-31")), 0)])


def test_a_tick_that_goes_back_moves_nothing() -> None:
    made = judge(registry([site("A")]), AIR)
    made.fold(batch(month()))
    made.tick(after(day_no("2025-06-30")), 0)
    assert made.tick(after(day_no("2025-06-01")), 0) is None


def test_a_silent_partition_delays_its_own_sites_only() -> None:
    names = [f"S{n}" for n in range(8)]
    by_source = {partition_of(name, 2): name for name in names}
    sites = [site(name, areas=("C",)) for name in names]
    made = registry(sites, [area("C", "county")])
    day = day_no("2025-06-01")
    rows = batch([day_row(AIR, name, "PM2.5", day, 20) for name in names])
    judges = [judge(made, AIR, partition=p, partitions=2) for p in (0, 1)]
    for each in judges:
        each.fold(rows)
    said = {r["site"] for each in judges for r in records([each.tick(after(day), 1)])}
    assert by_source[1] in said
    assert by_source[0] not in said
    assert "C" not in said  # it waits for both
    said = {r["site"] for each in judges for r in records([each.tick(after(day), 0)])}
    assert {by_source[0], "C"} <= said
    assert by_source[1] not in said


def test_every_member_is_said_by_one_partition() -> None:
    sites = [site(f"S{n}", areas=("T", "C", "P")) for n in range(6)]
    made = registry(sites, [area("T", "township", "C"), area("C", "county", "P"), area("P", "city")])
    day = day_no("2025-06-01")
    rows = batch([day_row(AIR, s.id, "PM2.5", day, 20) for s in sites])
    keys = []
    for partition in range(3):
        each = judge(made, AIR, partition=partition, partitions=3)
        each.fold(rows)
        for source in range(3):
            keys += [
                (r["site"], r["factor"], r["window"], r["start"]) for r in records([each.tick(after(day), source)])
            ]
    assert len(keys) == len(set(keys))
    assert {key[0] for key in keys} == {*(s.id for s in sites), "T", "C", "P"}


def test_rows_of_unknown_sites_and_of_other_windows_are_left_out() -> None:
    made = judge(registry([site("A")]), AIR)
    day = day_no("2025-06-01")
    made.fold(
        batch(
            [
                day_row(AIR, "Z", "PM2.5", day, 20),
                day_row(AIR, "A", "PM2.5", day, 20, window="24h_running"),
                day_row(AIR, "A", "PM2.5", day, 20, window="8h"),
            ]
        )
    )
    assert made.tick(after(day), 0) is None


def test_marks_of_the_days_are_united() -> None:
    made = judge(registry([site("A")]), AIR)
    day = day_no("2025-06-01")
    rows = [
        day_row(AIR, "A", "PM2.5", day, 20, flags=int(Mark.SUSPECT)),
        day_row(AIR, "A", "PM2.5", day + 1, 20, flags=int(Mark.OVER_RANGE)),
    ]
    made.fold(batch(rows))
    row = one([made.tick(after(day + 1), 0)], "A", "PM2.5", "month", "2025-06-01")
    assert row["flags"] == Mark.SUSPECT | Mark.OVER_RANGE | Mark.OPEN


def test_the_least_counts_of_a_kind_hold_by_their_date() -> None:
    voc = replace(load_kind("voc"), period_evaluations=(), evaluations=())
    made = judge(registry([site("A", kind="voc")]), voc)
    days = range(day_no("2025-06-01"), day_no("2025-06-23") + 1)
    made.fold(batch([day_row(voc, "A", "NMHC", day, 1.5) for day in days]))
    row = one([made.tick(after(day_no("2025-06-30")), 0)], "A", "NMHC", "month", "2025-06-01")
    assert (row["value"], row["valid"], row["expected"]) == (15 * 10 ** (row["digits"] - 1), 23, 30)


def test_flow_weighted_months_weigh_each_day_with_its_flow() -> None:
    outfall = replace(load_kind("outfall"), period_evaluations=(), evaluations=())
    made = judge(registry([site("A", kind="outfall")]), outfall)
    rows = []
    for n in range(1, 31):
        day = day_no(f"2025-06-{n:02}")
        rows += [
            day_row(outfall, "A", "COD", day, 40 if n <= 10 else 20),
            day_row(outfall, "A", "flow", day, 30 if n <= 10 else 10),
            day_row(outfall, "A", "rain", day, 1.5),
        ]
    made.fold(batch(rows))
    said = [made.tick(after(day_no("2025-06-30")), 0)]
    row = one(said, "A", "COD", "month", "2025-06-01")
    # (10 × 40 × 30 + 20 × 20 × 10) / (10 × 30 + 20 × 10) = 32
    assert row["value"] == 32 * 10 ** row["digits"]
    rain = one(said, "A", "rain", "month", "2025-06-01")
    assert rain["value"] == 45 * 10 ** rain["digits"]


@pytest.mark.parametrize(
    "names",
    [("outfall", "COD", "flow", "no_flow"), ("voc", "wind_dir", "wind_speed", "calm")],
)
@pytest.mark.parametrize(("known", "given", "valid"), [(30, 20, 30), (30, 0, 30), (20, 10, 20)])
def test_days_that_weigh_nothing_are_known_days(
    names: tuple[str, str, str, str], known: int, given: int, valid: int
) -> None:
    kind, factor, by, reason = names
    found = with_month(kind, factor)
    made = judge(registry([site("A", kind=kind)]), found)
    rows = []
    for n, day in enumerate(range(day_no("2025-06-01"), day_no("2025-07-01"))):
        why = "" if n < given else reason if n < known else "incomplete"
        rows.append(day_row(found, "A", factor, day, 40 if n < given else None, reason=why))
        rows.append(day_row(found, "A", by, day, 10 if n < given else 0))
    made.fold(batch(rows))
    row = one([made.tick(after(day_no("2025-06-30")), 0)], "A", factor, "month", "2025-06-01")
    # three quarters of 30 days are 23
    expected = (None, "incomplete") if known < 23 else (None, reason) if not given else (40 * 10 ** row["digits"], "")
    assert (row["value"], row["reason"], row["valid"]) == (*expected, valid)


def test_a_day_without_flow_is_no_known_day_of_what_is_not_weighed() -> None:
    outfall = with_month("outfall", "wtemp")
    made = judge(registry([site("A", kind="outfall")]), outfall)
    days = range(day_no("2025-06-01"), day_no("2025-07-01"))
    made.fold(batch([day_row(outfall, "A", "wtemp", day, None, reason="no_flow") for day in days]))
    row = one([made.tick(after(day_no("2025-06-30")), 0)], "A", "wtemp", "month", "2025-06-01")
    assert (row["value"], row["reason"], row["valid"]) == (None, "incomplete", 0)


def with_month(name: str, factor: str) -> Kind:
    """Return a kind without evaluations, with a month of one factor that needs three quarters of its days."""
    kind = load_kind(name)
    month = next(window for window in kind.windows if window.name == "month")
    needs = next(window for window in load_kind("voc").windows if window.name == "month").needs
    windows = (*(w for w in kind.windows if w.name == "24h"), replace(month, factors=(factor,), needs=needs))
    return replace(kind, windows=windows, period_evaluations=(), evaluations=())


def test_a_year_of_days_takes_at_most_a_hundred_kilobytes_a_site() -> None:
    made = judge(registry([site(f"S{n}") for n in range(10)]), AIR)
    values = {"PM2.5": 30.0, "PM10": 50, "SO2": 6, "NO2": 20, "CO": 0.6, "O3": 120}
    for n in range(10):
        made.fold(batch(year_of_days(AIR, f"S{n}", "2025-01-01", "2025-12-31", values)))
    made.tick(after(day_no("2025-12-31")), 0)
    assert made.nbytes / 10 < 100_000


def test_hours_are_not_days() -> None:
    made = judge(registry([site("A")]), AIR)
    start = day_ms(day_no("2025-06-01"))
    made.fold(
        batch([Row(site="A", factor="PM2.5", window="1h", start=start + h * HOUR_MS, value=100) for h in range(24)])
    )
    assert made.tick(start + 2 * DAY_MS, 0) is None
