from __future__ import annotations

from typing import Any

import pytest

from dashboards.limits import limit_of
from dashboards.overview import TREND_HOURS, Overview, State, build_overview, shown_hour
from dashboards.rows import rows_of
from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.factors import load_factors
from sensors.flags import Mark
from sensors.registry import Site
from streams.results import AQI
from streams.standards import load_standards
from tests.unit.dashboards.building import T0, absence, hour_of, row, site, table

FACTORS = load_factors("air")
LIMITS = limit_of(load_standards())


def seen(*rows: dict[str, Any], sites: tuple[Site, ...] = (), hour: int = 0) -> Overview:
    found = rows_of(table(rows), lambda _: "HJ633-2026")
    hours: dict[int, list[Any]] = {}
    for one in found:
        if one.window == "1h":
            hours.setdefault(one.start, []).append(one)
    return build_overview(
        hour=T0 + hour * HOUR_MS,
        sites=sites or (site("A"),),
        factors=FACTORS,
        hours=hours,
        eights=[one for one in found if one.window == "8h" and one.start == T0 + hour * HOUR_MS],
        limit_of=LIMITS,
    )


def test_a_site_that_was_never_seen_is_missing() -> None:
    overview = seen(*hour_of("A", 0), sites=(site("B"), site("A")))
    assert overview.owed == 2
    assert [one.site.id for one in overview.missing] == ["B"]
    assert overview.missing[0].seen is None


def test_a_site_whose_rows_say_silent_is_missing_and_tells_when_it_was_seen() -> None:
    silent = [row(factor, None, 0, reason="silent") for factor in FACTORS] + [row(AQI, None, 0, reason="no_item")]
    (one,) = seen(*hour_of("A", -3), *silent).missing
    assert one.state is State.OFFLINE
    assert one.seen == T0 - 3 * HOUR_MS


def test_na_is_neither_offline_nor_a_number() -> None:
    rows = [*hour_of("A", 0)[:-1], row(AQI, None, 0, reason="missing_item")]
    rows[3] = row("NO2", None, 0, reason="calibrating")
    (one,) = seen(*rows).stations
    assert (one.state, one.aqi) == (State.NA, None)
    assert {cell.factor: cell.reason for cell in one.cells}["NO2"] == "calibrating"


def test_an_aqi_of_what_is_there_is_an_aqi() -> None:
    (one,) = seen(row(AQI, 130, 0, reason="missing_item", primary="O3;NO2")).stations
    assert (one.state, one.aqi, one.level, one.primary) == (State.VALUE, 130, 3, ("O3", "NO2"))


@pytest.mark.parametrize(("no2", "over"), [(200, ()), (201, (("NO2", "1h"),))])
def test_an_hour_is_over_its_hourly_limit_only_above_it(no2: int, over: tuple[tuple[str, str], ...]) -> None:
    (one,) = seen(*hour_of("A", 0, NO2=no2)).stations
    assert one.over == over


def test_fine_particles_have_no_hourly_limit_however_high() -> None:
    overview = seen(*hour_of("A", 0, aqi=480, PM25=480))
    assert overview.over == ()
    assert len(overview.polluted) == 1


@pytest.mark.parametrize(("ending", "over"), [(7, False), (8, True), (16, True), (24, True)])
def test_an_8_h_mean_over_the_limit_ends_the_day_from_08_to_24(ending: int, over: bool) -> None:  # noqa: FBT001
    hour = ending - 1
    (one,) = seen(row("O3", 161, hour, window="8h"), *hour_of("A", hour), hour=hour).stations
    assert (one.over == (("O3", "8h"),)) is over


def test_a_class_1_zone_has_its_own_limits() -> None:
    (one,) = seen(row("O3", 101, 9, window="8h"), *hour_of("A", 9), hour=9, sites=(site("A", zone=1),)).stations
    assert one.over == (("O3", "8h"),)


def test_a_factor_that_is_not_in_plan_is_no_gap() -> None:
    planned = site("A", not_in_plan=(absence("SO2"), absence("CO", end=T0)))
    (one,) = seen(row("O3", 80, 0), sites=(planned,)).stations
    reasons = {cell.factor: cell.reason for cell in one.cells}
    assert (reasons["SO2"], reasons["CO"], reasons["NO2"]) == ("not_in_plan", "silent", "silent")


def test_a_doubtful_value_stays_and_is_marked() -> None:
    (one,) = seen(row("O3", 80, 0, flags=int(Mark.SUSPECT)), row(AQI, 40, 0)).stations
    assert one.suspect
    assert next(cell for cell in one.cells if cell.factor == "O3").value == 8000


def test_the_trend_has_a_gap_where_there_is_no_index() -> None:
    (one,) = seen(row(AQI, 40, -23), row(AQI, 50, -1), row(AQI, 60, 0), row(AQI, None, -2)).stations
    assert len(one.trend) == TREND_HOURS
    assert one.trend[0] == 40
    assert one.trend[-3:] == (None, 50, 60)


def test_no_sites_owe_nothing() -> None:
    overview = build_overview(hour=T0, sites=(), factors=FACTORS, hours={}, eights=(), limit_of=LIMITS)
    assert (overview.owed, overview.missing, overview.over) == (0, (), ())


@pytest.mark.parametrize(
    ("latest", "at", "shown"),
    [
        (None, None, None),
        (T0, None, T0),
        (T0, T0 + HOUR_MS + 5 * MINUTE_MS, T0),
        (T0, T0 + 2 * HOUR_MS + 9 * MINUTE_MS, T0),
        (T0, T0 + 2 * HOUR_MS + 10 * MINUTE_MS, T0 + HOUR_MS),
        (T0 + HOUR_MS, T0 + 2 * HOUR_MS + MINUTE_MS, T0 + HOUR_MS),
        (None, T0 + HOUR_MS + 10 * MINUTE_MS, T0),
    ],
)
def test_the_shown_hour_is_the_newest_that_came_or_is_owed(
    latest: int | None, at: int | None, shown: int | None
) -> None:
    assert shown_hour(latest, at, 10 * MINUTE_MS) == shown
