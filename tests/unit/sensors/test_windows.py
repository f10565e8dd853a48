from __future__ import annotations

from fractions import Fraction

import pytest

from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.windows import Span, Statistic, parse_window

HOURLY, FOUR_HOURLY = (HOUR_MS, MINUTE_MS), (4 * HOUR_MS, HOUR_MS)


@pytest.mark.parametrize(
    ("name", "kind", "span", "length", "statistic", "percentile", "season"),
    [
        ("1min", HOURLY, Span.FINE, 1, Statistic.FORM, None, ""),
        ("10min", HOURLY, Span.FINE, 10, Statistic.FORM, None, ""),
        ("1h", HOURLY, Span.SLOT, 1, Statistic.FORM, None, ""),
        ("1h_max", HOURLY, Span.SLOT, 1, Statistic.MAX, None, ""),
        ("1h_min", HOURLY, Span.SLOT, 1, Statistic.MIN, None, ""),
        ("8h", HOURLY, Span.RUNNING, 8, Statistic.FORM, None, ""),
        ("24h_running", HOURLY, Span.RUNNING, 24, Statistic.FORM, None, ""),
        ("48h", HOURLY, Span.RUNNING, 48, Statistic.FORM, None, ""),
        ("24h", HOURLY, Span.DAY, 1, Statistic.FORM, None, ""),
        ("24h_sum", HOURLY, Span.DAY, 1, Statistic.SUM, None, ""),
        ("24h_count", HOURLY, Span.DAY, 1, Statistic.COUNT, None, ""),
        ("1h", FOUR_HOURLY, Span.FINE, 60, Statistic.FORM, None, ""),
        ("2h", FOUR_HOURLY, Span.FINE, 120, Statistic.FORM, None, ""),
        ("4h", FOUR_HOURLY, Span.SLOT, 1, Statistic.FORM, None, ""),
        ("8h", FOUR_HOURLY, Span.RUNNING, 2, Statistic.FORM, None, ""),
        ("24h_running", FOUR_HOURLY, Span.RUNNING, 6, Statistic.FORM, None, ""),
        ("month", HOURLY, Span.MONTH, 1, Statistic.FORM, None, ""),
        ("quarter_max", HOURLY, Span.QUARTER, 1, Statistic.MAX, None, ""),
        ("year_p98", HOURLY, Span.YEAR, 1, Statistic.PERCENTILE, Fraction(98, 100), ""),
        ("running_year", HOURLY, Span.RUNNING_YEAR, 1, Statistic.FORM, None, ""),
        ("running_year_p5", HOURLY, Span.RUNNING_YEAR, 1, Statistic.PERCENTILE, Fraction(5, 100), ""),
        ("season.o3", HOURLY, Span.SEASON, 1, Statistic.FORM, None, "o3"),
        ("season.wet-1_p90", HOURLY, Span.SEASON, 1, Statistic.PERCENTILE, Fraction(9, 10), "wet-1"),
    ],
)
def test_the_name_of_a_window_says_what_it_is(  # noqa: PLR0917  a table's columns
    name: str,
    kind: tuple[int, int],
    span: Span,
    length: int,
    statistic: Statistic,
    percentile: Fraction | None,
    season: str,
) -> None:
    assert parse_window(name, *kind) == (span, length, statistic, percentile, season)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("", HOURLY), ("hour", HOURLY), ("0min", HOURLY), ("7min", HOURLY), ("60min_", HOURLY), ("1H", HOURLY),
        ("1h_running", HOURLY), ("10min_running", HOURLY), ("8h_running", HOURLY), ("01h", HOURLY), ("1h ", HOURLY),
        ("24h_p98", HOURLY), ("1h_p50", HOURLY), ("year_p0", HOURLY), ("year_p100", HOURLY), ("year_mean", HOURLY),
        ("season", HOURLY), ("season.", HOURLY), ("season.O3", HOURLY), ("week", HOURLY), ("MDA8", HOURLY),
        ("6h", FOUR_HOURLY), ("3h", FOUR_HOURLY), ("10min", FOUR_HOURLY), ("1min", (HOUR_MS, HOUR_MS)),
        ("5min", (HOUR_MS, 10 * MINUTE_MS)),
    ],
)  # fmt: skip
def test_a_name_that_says_no_window_of_the_kind_is_refused(name: str, kind: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"window|fits|percentile"):
        parse_window(name, *kind)
