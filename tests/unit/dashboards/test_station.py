from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from dashboards.limits import limit_of
from dashboards.rows import rows_of
from dashboards.station import LONGEST_HOURS, Span, StationView, View, build_station, read_span, strip_labels
from sensors.clock import BEIJING, DAY_MS, HOUR_MS, ms_of
from sensors.factors import load_factors
from streams.results import AQI
from streams.standards import load_standards
from tests.unit.dashboards.building import T0, row, site, table


def at(year: int, month: int, day: int, hour: int = 0) -> int:
    return ms_of(dt.datetime(year, month, day, hour, tzinfo=BEIJING))


def view_of(view: View, span: Span, *rows: dict[str, Any], edition: str = "HJ633-2026") -> StationView:
    return build_station(
        site=site("A"),
        view=view,
        span=span,
        rows=rows_of(table([one | {"edition": edition} for one in rows]), lambda _: edition),
        factors=load_factors("air"),
        limit_of=limit_of(load_standards()),
    )


def hours(count: int, start: int = T0) -> Span:
    return Span(start=start, end=start + count * HOUR_MS, step=HOUR_MS)


def test_without_a_wish_a_page_shows_the_last_48_hours_or_30_days() -> None:
    newest = at(2026, 11, 21, 7)
    assert read_span(View.HOUR, "", "", newest) == Span(
        start=at(2026, 11, 19, 8), end=at(2026, 11, 21, 8), step=HOUR_MS
    )
    assert read_span(View.DAY, "", "", newest) == Span(start=at(2026, 10, 23), end=at(2026, 11, 22), step=DAY_MS)


@pytest.mark.parametrize(
    ("start", "end", "wanted"),
    [
        ("2026-11-19", "2026-11-20", (at(2026, 11, 19), at(2026, 11, 21))),
        ("2026-11-19T08:00", "2026-11-19T09:00", (at(2026, 11, 19, 8), at(2026, 11, 19, 9))),
        ("2026-11-19T08:30", "2026-11-19T09:30", (at(2026, 11, 19, 8), at(2026, 11, 19, 10))),
        ("2026-11-19T00:00+00:00", "2026-11-19T09:00", (at(2026, 11, 19, 8), at(2026, 11, 19, 9))),
    ],
)
def test_a_range_is_beijing_time_and_whole_hours(start: str, end: str, wanted: tuple[int, int]) -> None:
    span = read_span(View.HOUR, start, end, T0)
    assert (span.start, span.end) == wanted


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("soon", ""),
        ("0001-01-01", "0001-01-02"),
        ("9998-01-01", "9999-12-31"),
        ("", "2026-13-01"),
        ("2026-11-20", "2026-11-19"),
        ("2026-11-20T08:00", "2026-11-20T08:00"),
        ("9" * 5000, ""),
    ],
)
def test_a_range_that_is_none_is_refused(start: str, end: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_span(View.HOUR, start, end, at(2026, 11, 21))


def test_a_range_longer_than_a_page_keeps_its_end() -> None:
    span = read_span(View.HOUR, "2020-01-01", "2026-11-20", T0)
    assert span.cut
    assert span.end == at(2026, 11, 21)
    assert len(span.starts) == LONGEST_HOURS


def test_a_missing_hour_is_a_gap_and_not_joined() -> None:
    view = view_of(View.HOUR, hours(3), row("O3", 80, 0), row("O3", 90, 2))
    (panel,) = view.panels
    assert [point.row and point.row.value for point in panel.points] == [8000, None, 9000]


def test_a_chart_draws_a_limit_only_on_the_window_it_judges() -> None:
    rows = [row(factor, 10, 0) for factor in ("PM2.5", "NO2")] + [
        row("O3", 100, 0, window="8h"),
        row("O3", 100, 0, window="8h_platform"),
        row("PM2.5", 50, 0, window="24h_running"),
    ]
    drawn = {
        (panel.factor.symbol, str(panel.window)): bool(panel.limits)
        for view in (View.HOUR, View.EIGHT, View.RUNNING)
        for panel in view_of(view, hours(1), *rows).panels
    }
    assert drawn == {
        ("PM2.5", "1h"): False,
        ("NO2", "1h"): True,
        ("O3", "8h"): True,
        ("O3", "8h_platform"): False,
        ("PM2.5", "24h_running"): False,
    }


def test_days_carry_daily_means_the_mda8_and_the_daily_index() -> None:
    rows = [row("PM2.5", 61, 0, window="24h"), row("O3", 161, 0, window="MDA8"), row(AQI, 102, 0, window="24h")]
    view = view_of(View.DAY, Span(start=T0, end=T0 + DAY_MS, step=DAY_MS), *rows)
    assert [(panel.factor.symbol, panel.points[0].over) for panel in view.panels] == [("PM2.5", True), ("O3", True)]
    assert view.index[0].row is not None
    assert view.index[0].row.whole == 102


def test_a_limit_that_changes_within_the_span_is_two_lines() -> None:
    start = at(2026, 2, 27)
    span = Span(start=start, end=start + 4 * DAY_MS, step=DAY_MS)
    (panel,) = view_of(View.DAY, span, row("PM2.5", 65, start=start, window="24h")).panels
    assert [(line.limit.edition, line.start, line.end) for line in panel.limits] == [
        ("GB3095-2012", start, start + 2 * DAY_MS),
        ("GB3095-2026-1", start + 2 * DAY_MS, start + 4 * DAY_MS),
    ]


def test_no_rows_make_no_panel() -> None:
    view = view_of(View.HOUR, hours(2))
    assert view.panels == ()
    assert [point.row for point in view.index] == [None, None]


def test_a_strip_names_the_primary_where_it_changes_and_never_in_neighbouring_cells() -> None:
    primaries = ["", "O3", "O3", "NO2", "NO2", "O3", "", ""]
    rows = [row(AQI, 60, hour, primary=primary) for hour, primary in enumerate(primaries, start=9)]
    index = view_of(View.HOUR, hours(8, T0 + 9 * HOUR_MS), *rows).index
    assert strip_labels(index, HOUR_MS) == ["", "O3", "", "", "NO2", "", "", ""]


def test_a_strip_names_the_primary_again_each_morning() -> None:
    rows = [row(AQI, 60, hour, primary="O3") for hour in range(48)]
    labels = strip_labels(view_of(View.HOUR, hours(48), *rows).index, HOUR_MS)
    assert [place for place, label in enumerate(labels) if label] == [0, 24]
