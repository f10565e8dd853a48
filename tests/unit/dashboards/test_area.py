from __future__ import annotations

from typing import Any

from dashboards.area import build_area, stretches_of
from dashboards.measures import Measure, measure_of
from dashboards.media import build_medium
from dashboards.rows import Row, rows_of
from sensors.clock import DAY_MS
from sensors.flags import Mark
from sensors.kinds import Kind, load_kind
from tests.unit.dashboards.building import T0, area, plain, section, table

KINDS = {name: load_kind(name) for name in ("air", "water")}


def named(kind: Kind, symbol: str, digits: int) -> Measure:
    return measure_of(kind, symbol, digits, lambda _language, name: name)


def rows(*made: dict[str, Any]) -> list[Row]:
    return rows_of(table(made), lambda _: None)


def test_only_the_newest_period_of_each_window_is_shown_shortest_first() -> None:
    said = rows(
        plain("a", "SO2", 1, "year", T0), plain("a", "SO2", 2, "24h", T0), plain("a", "SO2", 3, "24h", T0 + DAY_MS)
    )
    found = stretches_of({"air": said}, KINDS, named)
    assert [(one.window, one.start, one.said[0].row.value) for one in found] == [
        ("24h", T0 + DAY_MS, 3), ("year", T0, 1),
    ]  # fmt: skip


def test_what_sums_an_area_up_stands_before_its_factors_and_what_is_made_of_them_last() -> None:
    said = rows(*[plain("a", name, 1, "year", T0) for name in ("PM2.5.over_days", "O3", "good_share", "PM2.5")])
    (stretch,) = stretches_of({"air": said}, KINDS, named)
    assert [one.row.factor for one in stretch.said] == ["good_share", "PM2.5", "O3", "PM2.5.over_days"]


def test_a_percentile_stands_in_the_year_it_is_of() -> None:
    (stretch,) = stretches_of({"air": rows(plain("a", "O3", 1, "year_p90", T0))}, KINDS, named)
    assert (stretch.window, stretch.said[0].row.window) == ("year", "year_p90")


def test_measures_without_a_value_are_listed_apart_but_for_targets_and_what_was_never_set() -> None:
    said = rows(
        plain("a", "SO2", None, "year", T0, reason="incomplete"),
        plain("a", "O3.target", None, "year", T0, reason="incomplete", detail="no_value"),
        plain("a", "bad_days_left", None, "year", T0, reason="unset"),
    )
    (stretch,) = stretches_of({"air": said}, KINDS, named)
    assert [one.row.factor for one in stretch.lacking] == ["SO2"]
    assert {one.row.factor for one in stretch.said} == {"O3.target", "bad_days_left"}


def test_a_period_that_is_not_over_is_provisional() -> None:
    said = rows(plain("a", "SO2", 1, "month", T0, flags=int(Mark.OPEN)))
    assert stretches_of({"air": said}, KINDS, named)[0].provisional


def test_an_area_knows_what_lies_above_below_and_in_it() -> None:
    areas = {one.id: one for one in (area("top", "city"), area("mid", "county", "top"), area("low", "township", "mid"))}
    sites = [section("W", areas=("low", "mid", "top")), section("V", areas=("top",))]
    medium = build_medium(KINDS["water"], T0, sites, slot=[])
    view = build_area(areas["mid"], areas, stretches=(), stations=(), media=[medium])
    assert [one.id for one in view.parents] == ["top"]
    assert [one.id for one in view.children] == ["low"]
    assert [spot.site.id for spot in view.spots["water"]] == ["W"]
