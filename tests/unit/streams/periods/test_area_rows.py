from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.kinds import load_kind
from sensors.registry import Registry
from tests.period_cases import (
    Row,
    after,
    air,
    area,
    batch,
    day_ms,
    day_no,
    day_row,
    final,
    judge,
    one,
    records,
    registry,
    site,
)

AIR = air(evaluations=())
DAY = day_no("2026-06-01")
SIX = {"PM2.5": 30.0, "PM10": 50.0, "SO2": 6.0, "NO2": 20.0, "CO": 0.6, "O3": 120.0}
AREAS = (area("T", "township", "C"), area("C", "county", "P"), area("P", "city", "Z"), area("Z", "province"))
NAMES = ("S1", "S2", "S3", "S4")


def places(**more: dict[str, Any]) -> Registry:
    return registry([site(name, areas=("T", "C", "P", "Z"), **more.get(name, {})) for name in NAMES], AREAS)


def day_of(values: dict[str, float | None], factor: str = "PM2.5", *, day: int = DAY) -> pa.RecordBatch:
    return batch([day_row(AIR, name, factor, day, value) for name, value in values.items()])


def said_of(made: Registry, rows: pa.RecordBatch, *, day: int = DAY) -> list[pa.RecordBatch | None]:
    each = judge(made, AIR)
    each.fold(rows)
    return [each.tick(after(day), 0)]


def test_a_station_rolls_up_to_township_county_city_and_province() -> None:
    said = said_of(places(), day_of({"S1": 10, "S2": 20, "S3": 30, "S4": 41}))
    for name in ("T", "C", "P", "Z"):
        row = one(said, name, "PM2.5", "24h", "2026-06-01")
        # 101 / 4 = 25.25, whole µg/m³
        assert (row["value"], row["digits"], row["valid"], row["expected"], row["reason"]) == (2500, 2, 4, 4, "")


@pytest.mark.parametrize(
    ("valid", "value", "reason"), [(4, 2000, ""), (3, 2000, ""), (2, None, "too_few_sites"), (1, None, "too_few_sites")]
)
def test_fewer_than_three_quarters_of_the_set_make_no_value(valid: int, value: int | None, reason: str) -> None:
    given: dict[str, float | None] = {name: 20.0 if n < valid else None for n, name in enumerate(NAMES)}
    row = one(said_of(places(), day_of(given)), "C", "PM2.5", "24h", "2026-06-01")
    assert (row["value"], row["valid"], row["expected"], row["reason"]) == (value, valid, 4, reason)


def test_a_site_of_which_no_row_came_counts_among_the_expected() -> None:
    row = one(said_of(places(), day_of({"S1": 20, "S2": 20})), "C", "PM2.5", "24h", "2026-06-01")
    assert (row["value"], row["valid"], row["expected"], row["reason"]) == (None, 2, 4, "too_few_sites")


def test_a_site_that_does_not_measure_a_factor_by_plan_is_not_expected() -> None:
    rows = [day_row(AIR, name, "PM2.5", DAY, 20) for name in NAMES[:3]]
    rows.append(day_row(AIR, "S4", "PM2.5", DAY, None, reason="not_in_plan"))
    row = one(said_of(places(), batch(rows)), "C", "PM2.5", "24h", "2026-06-01")
    assert (row["value"], row["valid"], row["expected"]) == (2000, 3, 3)


def test_nothing_is_said_of_an_area_of_which_nothing_came() -> None:
    assert said_of(places(), day_of({})) == [None]


def test_county_and_city_are_told_by_assessment_stations_and_a_township_by_all() -> None:
    made = places(S4={"assessment": False})
    said = said_of(made, day_of({"S1": 20, "S2": 20, "S3": 20, "S4": 100}))
    assert one(said, "C", "PM2.5", "24h", "2026-06-01")["value"] == 2000
    assert one(said, "C", "PM2.5", "24h", "2026-06-01")["expected"] == 3
    township = one(said, "T", "PM2.5", "24h", "2026-06-01")
    assert (township["value"], township["expected"]) == (4000, 4)


def test_the_set_is_that_of_the_day() -> None:
    made = registry(
        [
            site("S1", areas=("C",)),
            site("S2", areas=("C",), end=day_ms(DAY)),
            site("S3", areas=("C",), start=day_ms(DAY)),
        ],
        [area("C", "county")],
    )
    each = judge(made, AIR)
    for day in (DAY - 1, DAY):
        each.fold(day_of({"S1": 10, "S2": 20, "S3": 40}, day=day))
    said = [each.tick(after(DAY), 0)]
    assert one(said, "C", "PM2.5", "24h", "2026-05-31")["value"] == 1500  # S1 and S2
    assert one(said, "C", "PM2.5", "24h", "2026-06-01")["value"] == 2500  # S1 and S3; half to even of 25


def test_the_index_of_an_area_is_that_of_its_mean_concentrations_and_no_mean_of_indices() -> None:
    rows = [
        day_row(AIR, name, factor, DAY, {"PM2.5": 10.0 if name in {"S1", "S2"} else 150.0}.get(factor, value))
        for name in NAMES
        for factor, value in SIX.items()
    ]
    said = said_of(places(), batch(rows))
    mean = one(said, "C", "PM2.5", "24h", "2026-06-01")
    assert (mean["value"], mean["iaqi"], mean["edition"]) == (8000, 119, "HJ633-2026")  # 100 + 50 × 20 / 55, up
    index = one(said, "C", "AQI", "24h", "2026-06-01")
    # the indices would be 67 (O3) and 200, their mean 134
    assert (index["value"], index["level"], index["primary"], index["reason"]) == (119, 3, "PM2.5", "")


def test_an_area_with_an_item_missing_has_no_index_in_2026_and_says_which() -> None:
    rows = [day_row(AIR, name, f, DAY, v) for name in NAMES for f, v in SIX.items() if f != "NO2"]
    index = one(said_of(places(), batch(rows)), "C", "AQI", "24h", "2026-06-01")
    assert (index["value"], index["reason"], index["detail"]) == (None, "missing_item", "NO2: too_few_sites")


def test_a_day_before_march_2026_has_the_old_edition() -> None:
    rows = [day_row(AIR, name, f, day_no("2026-02-28"), v) for name in NAMES for f, v in SIX.items()]
    index = one(said_of(places(), batch(rows), day=day_no("2026-02-28")), "C", "AQI", "24h", "2026-02-28")
    assert (index["edition"], index["value"]) == ("HJ633-2012", 67)


def hour_rows(values: dict[str, dict[str, float]], hour: int, *, revision: int = 1, day: int = DAY) -> pa.RecordBatch:
    return batch(
        [
            Row(
                site=name, factor=factor, window="1h", start=day_ms(day) + hour * HOUR_MS,
                value=round(value * 10 ** AIR.factors[factor].digits), revision=revision,
            )
            for name, given in values.items()
            for factor, value in given.items()
        ]
    )  # fmt: skip


def test_an_areas_hour_is_the_mean_of_its_sites_with_the_real_time_index() -> None:
    each = judge(places(), AIR)
    given = {name: SIX | {"O3": 100.0 + 10 * n} for n, name in enumerate(NAMES)}
    each.fold(hour_rows(given, 10))
    end = day_ms(DAY) + 11 * HOUR_MS
    assert each.tick(end + 5 * MINUTE_MS - 1, 0) is None
    said = final([each.tick(end + 5 * MINUTE_MS, 0)])
    row = said["C", "O3", "1h", end - HOUR_MS, "HJ633-2026"]
    assert (row["value"], row["valid"], row["expected"], row["iaqi"]) == (11500, 4, 4, 36)  # 50 × 115 / 160, up
    assert said["C", "AQI", "1h", end - HOUR_MS, "HJ633-2026"]["value"] == 50  # PM10 50


def test_a_late_hour_makes_its_area_hour_again() -> None:
    each = judge(places(), AIR)
    each.fold(hour_rows({name: {"O3": 100.0} for name in NAMES[:2]}, 10))
    end = day_ms(DAY) + 11 * HOUR_MS + 5 * MINUTE_MS
    said = [each.tick(end, 0)]
    each.fold(hour_rows({name: {"O3": 160.0} for name in NAMES[2:]}, 10))
    said.append(each.tick(end + 1, 0))
    row = final(said)["C", "O3", "1h", end - HOUR_MS - 5 * MINUTE_MS, "HJ633-2026"]
    assert (row["value"], row["revision"]) == (13000, 2)


def test_an_hour_older_than_those_kept_is_counted_and_makes_nothing() -> None:
    each = judge(places(), AIR)
    each.fold(hour_rows({name: {"O3": 100.0} for name in NAMES}, 10))
    each.tick(after(DAY), 0)
    assert each.fold(hour_rows({"S1": {"O3": 1.0}}, 10, day=DAY - 20)) == 1
    assert each.tick(after(DAY) + 1, 0) is None


def test_joint_hours_are_those_over_both_thresholds() -> None:
    each = judge(places(), air())
    low, both = {"PM2.5": 80.0, "O3": 150.0}, {"PM2.5": 80.0, "O3": 170.0}
    for hour in range(24):
        each.fold(hour_rows(dict.fromkeys(NAMES, both if hour in {13, 14, 15} else low), hour))
    each.fold(day_of(dict.fromkeys(NAMES, 80.0)))
    said = [each.tick(after(DAY), 0)]
    row = one(said, "C", "joint_hours", "month", "2026-06-01")
    assert (row["value"], row["valid"]) == (3, 1)


def test_areas_have_long_windows_of_their_own_days() -> None:
    each = judge(places(), AIR)
    for n in range(30):
        each.fold(day_of({name: 10.0 + n + 4 * k for k, name in enumerate(NAMES)}, day=DAY + n))
    said = [each.tick(after(DAY + 29), 0)]
    # days 16 … 45: mean 30.5, half to even 30
    row = one(said, "C", "PM2.5", "month", "2026-06-01")
    assert (row["value"], row["valid"], row["expected"]) == (3000, 30, 30)


def test_firms_and_parks_of_other_kinds_have_mean_and_greatest_with_its_point() -> None:
    voc = replace(load_kind("voc"), period_evaluations=(), evaluations=())
    points = [site(f"V{n}", kind="voc", areas=("F", "K"), assessment=False) for n in range(4)]
    each = judge(registry(points, [area("F", "firm", "K"), area("K", "park")]), voc)
    each.fold(batch([day_row(voc, f"V{n}", "NMHC", DAY, (1.0, 2.0, 6.0, 3.0)[n]) for n in range(4)]))
    said = [each.tick(after(DAY), 0)]
    for name in ("F", "K"):
        mean, top = one(said, name, "NMHC", "24h", "2026-06-01"), one(said, name, "NMHC", "24h.max", "2026-06-01")
        assert mean["value"] == 3 * 10 ** mean["digits"]
        assert (top["value"], top["primary"]) == (6 * 10 ** top["digits"], "V2")


def test_factors_of_an_area_are_made_together_and_stay_apart() -> None:
    voc = replace(load_kind("voc"), period_evaluations=(), evaluations=())
    points = [site(f"V{n}", kind="voc", areas=("K",)) for n in range(4)]
    each = judge(registry(points, [area("K", "park")]), voc)
    values = {"NMHC": (1.0, 2.0, 6.0, 3.0), "styrene": (4.0, None, 2.0, 0.0), "H2S": (8.0, None, None, 1.0)}
    for window, start in (("24h", day_ms(DAY)), ("1h", day_ms(DAY) + 5 * HOUR_MS)):
        rows = [
            replace(day_row(voc, f"V{n}", name, DAY, value), window=window, start=start)
            for name, column in values.items()
            for n, value in enumerate(column)
        ]
        each.fold(batch(rows))
    found = {key[1:3]: row for key, row in final([each.tick(after(DAY), 0)]).items() if key[0] == "K"}
    for window in ("24h", "1h"):
        said = {name: (found[name, window], found[name, f"{window}.max"]) for name in values}
        units = {name: 10 ** mean["digits"] for name, (mean, _) in said.items()}
        assert [mean["value"] for mean, _ in said.values()] == [3 * units["NMHC"], 2 * units["styrene"], None]
        assert [(top["value"], top["primary"]) for _, top in said.values()] == [
            (6 * units["NMHC"], "V2"), (4 * units["styrene"], "V0"), (None, ""),
        ]  # fmt: skip
        assert [(mean["valid"], mean["expected"]) for mean, _ in said.values()] == [(4, 4), (3, 4), (2, 4)]
        assert said["H2S"][0]["reason"] == said["H2S"][1]["reason"] == "too_few_sites"


def test_hours_of_an_area_of_another_partition_are_not_made() -> None:
    voc = replace(load_kind("voc"), period_evaluations=(), evaluations=())
    made = registry([site("V", kind="voc", areas=("F", "K"))], [area("F", "firm", "K"), area("K", "park")])
    start = day_ms(DAY) + 5 * HOUR_MS
    said = []
    for partition in range(8):
        each = judge(made, voc, partition=partition, partitions=8)
        each.fold(batch([replace(day_row(voc, "V", "NMHC", DAY, 2.0), window="1h", start=start)]))
        said += [row for source in range(8) for row in records([each.tick(after(DAY), source)])]
    hours = [row["site"] for row in said if row["window"] == "1h"]
    assert sorted(hours) == ["F", "K"]


def test_a_total_needs_every_outfall() -> None:
    outfall = replace(load_kind("outfall"), period_evaluations=(), evaluations=())
    made = registry([site(f"W{n}", kind="outfall", areas=("K",)) for n in range(4)], [area("K", "park")])
    each = judge(made, outfall)
    rows = [day_row(outfall, f"W{n}", "volume", DAY + d, 100.0) for n in range(4) for d in (0, 1) if (n, d) != (3, 1)]
    each.fold(batch(rows))
    said = [each.tick(after(DAY + 1), 0)]
    assert one(said, "K", "volume", "24h", "2026-06-01")["value"] == 400 * 10 ** outfall.factors["volume"].digits
    assert one(said, "K", "volume", "24h", "2026-06-02")["reason"] == "too_few_sites"


@pytest.mark.parametrize(
    "names",
    [("outfall", "COD", "flow", "no_flow"), ("voc", "wind_dir", "wind_speed", "calm")],
)
@pytest.mark.parametrize(("given", "still"), [(1, 3), (0, 4), (1, 0), (0, 2)])
def test_a_site_that_weighs_nothing_is_known(names: tuple[str, str, str, str], given: int, still: int) -> None:
    kind, factor, by, reason = names
    found = replace(load_kind(kind), period_evaluations=(), evaluations=())
    each = judge(registry([site(f"W{n}", kind=kind, areas=("K",)) for n in range(4)], [area("K", "park")]), found)
    rows = []
    for n in range(4):
        why = "" if n < given else reason if n < given + still else "incomplete"
        rows.append(day_row(found, f"W{n}", factor, DAY, 40 if n < given else None, reason=why))
        rows.append(day_row(found, f"W{n}", by, DAY, 10 if n < given else 0))
    each.fold(batch(rows))
    row = one([each.tick(after(DAY), 0)], "K", factor, "24h", "2026-06-01")
    enough = given + still >= 3  # three quarters of four
    expected = (None, "too_few_sites") if not enough else (40 * 10 ** row["digits"], "") if given else (None, reason)
    assert (row["value"], row["reason"], row["valid"]) == (*expected, given + still)


def test_a_revised_day_of_one_site_revises_all_its_areas_up_to_the_year() -> None:
    each = judge(places(), AIR)
    each.fold(day_of(dict.fromkeys(NAMES, 20.0)))
    said = [each.tick(after(DAY), 0)]
    each.fold(batch([day_row(AIR, "S1", "PM2.5", DAY, 60, revision=2)]))
    again = each.tick(after(DAY) + 1, 0)
    said.append(again)
    found = {(r["site"], r["window"]) for r in records([again])}
    windows = {"24h", "month", "running_year", "quarter", "year", "year_p95"}
    assert {("C", w) for w in windows} <= found
    assert {("Z", w) for w in windows} <= found
    assert one(said, "C", "PM2.5", "24h", "2026-06-01")["value"] == 3000
    assert {name for name, _ in found} == {"S1", "T", "C", "P", "Z"}


def test_a_day_that_is_judged_again_two_years_on_makes_the_days_and_long_windows_of_its_areas_again() -> None:
    # what `jianhu recompute` says of an old day: rows of hours and of the day, each with the next revision
    each, month = judge(places(), air(running=False)), range(DAY, DAY + 30)
    said = []
    for day in month:
        each.fold(day_of(dict.fromkeys(NAMES, 20.0), day=day))
    said += [each.tick(after(month[-1]), 0), each.tick(after(DAY + 2 * 365), 0)]
    assert one(said, "C", "PM2.5", "month", "2026-06-01")["value"] == 2000
    hours_too_old = each.fold(hour_rows({"S1": {"PM2.5": 620.0}}, 10))
    each.fold(batch([day_row(AIR, name, "PM2.5", DAY, 620, revision=2) for name in NAMES]))
    again = each.tick(after(DAY + 2 * 365) + 1, 0)
    said.append(again)
    assert hours_too_old == 1
    of_county = {(r["factor"], r["window"]): r for r in records([again]) if r["site"] == "C" and not r["edition"]}
    assert one(said, "C", "PM2.5", "24h", "2026-06-01")["value"] == 62000
    # (29 × 20 + 620) / 30 = 40; a quarter and a year of 30 days have no value, but are said again
    assert of_county["PM2.5", "month"]["value"] == 4000
    assert {("PM2.5", "quarter"), ("PM2.5", "year"), ("PM2.5.over_days", "month")} <= set(of_county)
    assert of_county["PM2.5.over_days", "month"]["detail"] == "1 of 1"  # the other days have no index
    assert not [r for r in records([again]) if r["window"] == "1h"]


def test_a_park_counts_its_points_over_a_limit_and_names_them() -> None:
    voc = replace(load_kind("voc"), period_evaluations=(), evaluations=())
    made = registry([site(f"V{n}", kind="voc", areas=("K",)) for n in range(4)], [area("K", "park")])
    each = judge(made, voc)
    # within, early warning, hint, finding
    rows = [
        Row(site=f"V{n}", factor="NMHC.limit", window="24h", start=day_ms(DAY), value=100, level=level)
        for n, level in enumerate((0, 2, 3, 4))
    ]
    each.fold(batch(rows))
    said = [each.tick(after(DAY), 0)]
    row = one(said, "K", "NMHC.limit", "24h.over", "2026-06-01")
    assert (row["value"], row["valid"], row["expected"], row["primary"]) == (2, 4, 4, "V2;V3")
    each.fold(batch([replace(rows[3], level=None, revision=2)]))
    said.append(each.tick(after(DAY) + 1, 0))
    row = one(said, "K", "NMHC.limit", "24h.over", "2026-06-01")
    assert (row["value"], row["valid"], row["expected"], row["primary"], row["revision"]) == (1, 3, 4, "V2", 2)


def test_an_area_of_which_nothing_is_held_against_a_limit_has_no_count() -> None:
    voc = replace(load_kind("voc"), period_evaluations=(), evaluations=())
    each = judge(registry([site("V0", kind="voc", areas=("K",))], [area("K", "park")]), voc)
    each.fold(batch([Row(site="V0", factor="NMHC.limit", window="24h", start=day_ms(DAY), value=100)]))
    row = one([each.tick(after(DAY), 0)], "K", "NMHC.limit", "24h.over", "2026-06-01")
    assert (row["value"], row["valid"], row["expected"], row["reason"]) == (None, 0, 1, "unset")
