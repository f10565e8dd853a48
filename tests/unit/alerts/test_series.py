from __future__ import annotations

from alerts.events import Fact, Moment
from alerts.series import PERIODS_HELD, POINTS_WALKED, Series
from alerts.verdicts import SeriesKey, Verdict
from tests.unit.alerts.building import HOUR_0, columns, judge, only, point, row, threshold

KEY = SeriesKey("pm25-1h", "A", "PM2.5")
RULES = only("pm25-1h")
MOMENT = Moment(key=KEY, rule=RULES.rules[0], tick=0, backfill_after_ms=RULES.backfill_after_ms)


def empty(floor: int = 0) -> Series:
    return Series(key=KEY, floor=floor, through=None, points={}, events={})


def feed(series: Series, *rows: dict[str, object]) -> None:
    for part in judge(RULES).judge(columns(*rows)):
        series.take(part)


def test_fine_rows_leave_no_points_and_settle_their_periods() -> None:
    series = empty()
    feed(series, row(hour=0, value=10), row(hour=3, value=10))
    assert (series.points, series.through) == ({}, HOUR_0 + 3)
    assert series.evaluate(MOMENT) == ()


def test_a_fine_row_that_was_revised_is_kept_against_older_revisions() -> None:
    series = empty()
    feed(series, row(value=10, revision=2))
    feed(series, row(value=80, revision=1))
    assert [kept.verdict for kept in series.points.values()] == [Verdict.OK]


def test_rows_near_the_floor_need_more_than_is_held() -> None:
    series = empty(floor=HOUR_0)
    (near,) = judge(RULES).judge(columns(row(hour=0)))
    (far,) = judge(RULES).judge(columns(row(hour=1)))
    assert not series.reaches(near)
    assert series.reaches(far)


def test_a_cut_is_clean_where_fine_periods_were_settled() -> None:
    series = empty(floor=HOUR_0)
    one, two = threshold(clear_after=1), threshold(clear_after=2)
    assert not series.is_clean(one)
    series.through = HOUR_0
    assert series.is_clean(one)
    assert not series.is_clean(two)
    over = point(0)
    series.points[over.start, over.window] = over
    assert not series.is_clean(one)


def test_a_long_series_lets_go_what_is_over_and_keeps_what_goes_on() -> None:
    series = empty()
    many = POINTS_WALKED + 1
    feed(series, *[row(hour=2 * hour, value=80) for hour in range(many)])
    changes = series.evaluate(MOMENT)
    assert len(changes) == many
    assert HOUR_0 + 2 * (many - 1) - PERIODS_HELD - 1 <= series.floor <= HOUR_0 + 2 * (many - 1) - PERIODS_HELD
    assert len(series.points) < many
    assert [event for event in series.events.values() if event.fact is Fact.GOING_ON]
    assert len(series.fresh_points) == many


def test_a_series_that_is_over_all_the_time_lets_nothing_go() -> None:
    series = empty()
    feed(series, *[row(hour=hour, value=80) for hour in range(3 * POINTS_WALKED)])
    series.evaluate(MOMENT)
    assert len(series.points) == 3 * POINTS_WALKED


def test_a_site_that_is_silent_for_long_is_let_go_while_nothing_is_over() -> None:
    series = empty()
    feed(series, *[row(hour=hour, value=None, reason="silent") for hour in range(3 * POINTS_WALKED)])
    series.evaluate(MOMENT)
    assert len(series.points) == PERIODS_HELD + 1
