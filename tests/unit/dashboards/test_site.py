from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from alerts.texts import Language
from dashboards.measures import Measure, measure_of
from dashboards.rows import rows_of
from dashboards.site import SiteView, build_site, read_periods, views_of, windows_of
from sensors.clock import DAY_MS, HOUR_MS
from sensors.flags import Mark
from sensors.kinds import Kind, load_kind
from sensors.registry import Site
from streams.discharge.applied import Verdict, Why
from streams.discharge.judgement import JudgementSaid, LimitSaid
from tests.unit.alerts.building import day_ms
from tests.unit.dashboards.building import T0, plain, section, site, table

SLOT = 4 * HOUR_MS
WATER, OUTFALL = load_kind("water"), load_kind("outfall")
PLANT = site("P", kind="outfall", station_class="plant", setting={"use": "plant"})


def named(kind: Kind, symbol: str, digits: int) -> Measure:
    return measure_of(kind, symbol, digits, lambda _language, name: name)


def view(made: list[dict[str, Any]], window: str = "4h", where: Site | None = None, final_until: int = 0) -> SiteView:
    found = where or section("W")
    kind = load_kind(found.kind)
    periods = read_periods(window, kind, "2026-11-21", "2026-11-21", T0)
    return build_site(
        site=found, kind=kind, view=window, periods=periods, rows=rows_of(table(made), lambda _: None),
        measure_of=named, final_until=final_until,
    )  # fmt: skip


def test_the_views_of_a_kind_are_its_windows_without_their_statistics() -> None:
    assert views_of(OUTFALL)[:3] == ("10min", "1h", "24h")
    assert windows_of(OUTFALL, "24h") == ("24h", "24h_min", "24h_max")
    assert views_of(WATER)[0] == "1h"


@pytest.mark.parametrize(
    ("window", "step", "count"), [("10min", 600_000, 144), ("1h", HOUR_MS, 24), ("4h", SLOT, 6), ("24h", DAY_MS, 1)]
)
def test_a_day_holds_as_many_periods_as_its_window_has(window: str, step: int, count: int) -> None:
    periods = read_periods(window, WATER, "2026-11-21", "2026-11-21", T0)
    assert (periods.starts[0], len(periods.starts), periods.step) == (T0, count, step)
    assert periods.end == T0 + DAY_MS


def test_months_are_those_of_the_calendar_up_to_the_one_that_runs() -> None:
    periods = read_periods("month", WATER, "2026-01-01", "", T0)
    assert len(periods.starts) == 11
    assert (periods.starts[1], periods.end) == (day_ms(date(2026, 2, 1)), day_ms(date(2026, 12, 1)))


@pytest.mark.parametrize(("start", "end"), [("2026-11-22", "2026-11-21"), ("tomorrow", ""), ("", "1066-10-14")])
def test_a_span_that_is_none_is_refused(start: str, end: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        read_periods("4h", WATER, start, end, T0)


def test_more_than_a_page_shows_is_cut_to_its_end() -> None:
    periods = read_periods("1h", WATER, "2020-01-01", "2026-11-21", T0)
    assert periods.cut
    assert (len(periods.starts), periods.end) == (800, T0 + DAY_MS)


def test_a_period_without_a_row_is_a_gap() -> None:
    (chart,) = view([plain("W", "EC", 5, "4h", T0 + SLOT)]).charts
    assert [point.row is None for point in chart.points] == [True, False, True, True, True, True]


def test_a_period_is_final_when_no_late_data_can_reach_it_and_it_is_over() -> None:
    made = [plain("W", "EC", 5, "4h", T0 + SLOT * n) for n in range(3)]
    made[1]["flags"] = int(Mark.OPEN)
    (chart,) = view(made, final_until=T0 + 2 * SLOT).charts
    assert [point.final for point in chart.points[:3]] == [True, False, False]


def test_the_class_is_a_strip_and_no_chart() -> None:
    seen = view([plain("W", "class", 2, "4h", T0, level=2), plain("W", "EC", 5, "4h", T0)])
    assert [chart.measure.symbol for chart in seen.charts] == ["EC"]
    assert [row.level if row else None for row in seen.classes[:2]] == [2, None]


def test_the_limit_of_the_target_class_is_drawn_on_the_windows_that_are_classed_alone() -> None:
    """GB 3838-2002 table 1, class III: ammonia nitrogen 1.0 mg/L; pH 6 to 9; dissolved oxygen 5 mg/L."""
    made = [plain("W", name, 5, "4h", T0) for name in ("NH3-N", "pH", "DO", "EC")]
    lines = {chart.measure.symbol: [line.value for line in chart.lines] for chart in view(made).charts}
    assert lines == {"NH3-N": ["1"], "pH": ["6", "9"], "DO": ["5"], "EC": []}
    (hourly,) = view([plain("W", "pH", 5, "1h", T0)], "1h").charts
    assert hourly.lines == ()


def test_a_section_without_a_target_has_no_line() -> None:
    unset = section("W", setting={"water": "river", "target": None})
    (chart,) = view([plain("W", "NH3-N", 5, "4h", T0)], where=unset).charts
    assert chart.lines == ()


def judged(value: int, level: int, hour: int, high: str) -> list[dict[str, Any]]:
    said = LimitSaid(
        standard="GB 18918-2002", table="1", column="1A", period="day", low=None, high=high, unit="mg/L",
        verdict=Verdict.HINT, why=Why.SHORTER, confidence="confirmed",
    )  # fmt: skip
    detail = msgspec.json.encode(JudgementSaid(limits=(said,), decides=0)).decode()
    start = T0 + hour * HOUR_MS
    return [
        plain("P", "COD", value, "1h", start),
        plain("P", "COD.limit", value, "1h", start, level=level, detail=detail),
    ]


def test_a_limit_is_drawn_over_the_hours_that_it_was_held_against() -> None:
    made = [*judged(1000, 0, 0, "50"), *judged(6000, 3, 1, "50"), *judged(6000, 3, 2, "40")]
    seen = view(made, "1h", PLANT)
    (chart,) = seen.charts
    assert [(line.value, line.start, line.end, line.hint) for line in chart.lines] == [
        ("50", T0, T0 + 2 * HOUR_MS, True), ("40", T0 + 2 * HOUR_MS, T0 + 3 * HOUR_MS, True),
    ]  # fmt: skip
    assert [point.judged for point in chart.points[:3]] == [0, 3, 3]
    assert seen.judged[:4] == (0, 3, 3, -1)


def test_a_factor_that_no_device_ever_sent_is_left_out_unless_nothing_came_at_all() -> None:
    silent = plain("W", "Cu", None, "4h", T0, reason="silent")
    assert [chart.measure.symbol for chart in view([silent, plain("W", "EC", 5, "4h", T0)]).charts] == ["EC"]
    assert [chart.measure.symbol for chart in view([silent]).charts] == ["Cu"]


def test_what_is_not_in_plan_is_left_out() -> None:
    assert view([plain("W", "Cu", None, "4h", T0, reason="not_in_plan")]).charts == ()


def test_names_come_in_both_languages() -> None:
    (chart,) = view([plain("W", "EC", 5, "4h", T0)]).charts
    assert (chart.measure.name(Language.ZH), chart.measure.name(Language.EN)) == ("电导率", "conductivity")
