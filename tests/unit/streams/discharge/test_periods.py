"""The period evaluation ``load_period``: totals, quotas and cuts of sites, firms and parks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
import pytest

from sensors.flags import Mark
from sensors.kinds import load_kind
from sensors.registry import Site
from sensors.windows import Span
from streams.discharge.judgement import Level
from streams.discharge.periods import LoadPeriod, counts
from streams.judging.reasons import INCOMPLETE, NOT_IN_PLAN, NOT_JUDGED, OK, SILENT, UNSET
from streams.periods.plan import DayValues, Period, PeriodMeans, PeriodRow, Series
from tests.discharge_cases import day, permits, site

ONE, TWO, RAIN = site("SYN-OUT-1", use="firm"), site("SYN-OUT-2", use="firm"), site("SYN-OUT-3", use="rain")


@dataclass(frozen=True)
class _Past:
    """Day values of members by hand: (member, factor) → first day and grams or litres, None where missing."""

    held: Mapping[tuple[str, str], tuple[int, Sequence[int | None]]]

    def days(self, members: Sequence[str], series: Series, first_day: int, last_day: int) -> DayValues:
        count = last_day - first_day + 1
        value, present = np.zeros((len(members), count), np.int64), np.zeros((len(members), count), np.bool_)
        for row, member in enumerate(members):
            start, cells = self.held.get((member, series.factor), (0, ()))
            for place, cell in enumerate(cells, start=start - first_day):
                if cell is not None and 0 <= place < count:
                    value[row, place], present[row, place] = cell, True
        reason = np.where(present, OK, SILENT).astype(np.uint8)
        return DayValues(first_day=first_day, value=value, present=present, reason=reason, came=present)

    def means(self, members: Sequence[str], period: Period, factors: Sequence[str] | None = None) -> PeriodMeans:
        del factors
        nothing = np.zeros((len(members), 0), np.int64)
        return PeriodMeans(
            period=period,
            members=tuple(members),
            factors=(),
            digits=(),
            value=nothing,
            present=nothing > 0,
            valid=nothing,
            expected=nothing,
            reason=nothing.astype(np.uint8),
            past=self,
        )


@dataclass(frozen=True)
class _Area:
    id: str
    type: str = "firm"


def _year(through: str, last: str = "2026-12-31") -> Period:
    return Period(
        window="year",
        span=Span.YEAR,
        first_day=day(f"{last[:4]}-01-01"),
        last_day=day(last),
        through_day=day(through),
    )


def _rows(rows: list[PeriodRow]) -> dict[tuple[str, str], PeriodRow]:
    found = {(row.site, row.factor): row for row in rows}
    assert len(found) == len(rows)
    return found


def _site(
    text: str, period: Period, held: Mapping[tuple[str, str], tuple[int, Sequence[int | None]]], sites: tuple[Site, ...]
) -> dict[tuple[str, str], PeriodRow]:
    made = LoadPeriod(load_kind("outfall").factors, permits(text or "sites: []"))
    return _rows(made.site(period, _Past(held).means([one.id for one in sites], period), sites))


def _area(
    text: str, period: Period, held: Mapping[tuple[str, str], tuple[int, Sequence[int | None]]], sites: tuple[Site, ...]
) -> dict[tuple[str, str], PeriodRow]:
    made = LoadPeriod(load_kind("outfall").factors, permits(text or "sites: []"))
    return _rows(made.area(period, _Past(held).means([one.id for one in sites], period), _Area("FIRM-1"), sites))


def _detail(row: PeriodRow) -> dict[str, object]:
    told: dict[str, object] = msgspec.json.decode(row.detail)
    return told


QUOTA = """
sites:
  - site: SYN-OUT-1
    quotas:
      - {factor: COD, year: 2026, tonnes: 0.5, source: permit}
      - {factor: TN, year: 2026, tonnes: null, source: assigned from above}
areas:
  - area: FIRM-1
    quotas: [{factor: COD, year: 2026, tonnes: 1, source: permit}]
    cuts: [{factor: COD, base_year: 2020, base_tonnes: 4, year: 2026, percent: 10, source: plan}]
"""
JANUARY = day("2026-01-01")


def test_a_year_so_far_has_its_total_its_balance_and_the_day_of_its_exhaustion() -> None:
    # 20 days of 10 kg: 200 of 500 kg, 300 kg left; the 31st day from now passes it: 2026-02-20.
    found = _site(QUOTA, _year("2026-01-20"), {("SYN-OUT-1", "COD.load"): (JANUARY, [10_000] * 20)}, (ONE,))
    total, quota, end = (found["SYN-OUT-1", f"COD.{name}"] for name in ("load", "quota", "exhaustion"))
    assert (total.value, total.digits, total.valid, total.expected, total.reason) == (200_000, 3, 20, 20, OK)
    assert (quota.value, quota.level, quota.reason) == (300_000, Level.WITHIN, OK)
    assert _detail(quota) == {
        "standing": "within", "quota_g": 500_000, "used_g": 200_000, "percent": "40.0", "source": "permit"
    }  # fmt: skip
    assert (end.value, _detail(end)["date"]) == (31, "2026-02-20")
    assert _detail(end)["method"] == "mean_of_last_30_known_days"
    assert (total.window, total.start_day) == ("year", JANUARY)


def test_a_quota_that_was_not_set_is_unset_beside_its_total() -> None:
    found = _site(QUOTA, _year("2026-01-20"), {("SYN-OUT-1", "TN.load"): (JANUARY, [1000] * 20)}, (ONE,))
    row = found["SYN-OUT-1", "TN.quota"]
    assert (row.value, row.reason, row.level) == (None, UNSET, None)
    assert found["SYN-OUT-1", "TN.load"].value == 20_000
    assert ("SYN-OUT-1", "TN.exhaustion") not in found
    assert ("SYN-OUT-1", "TP.quota") not in found


def test_a_quota_that_is_passed_is_a_finding_with_its_day() -> None:
    found = _site(QUOTA, _year("2026-01-20"), {("SYN-OUT-1", "COD.load"): (JANUARY, [100_000] * 20)}, (ONE,))
    quota, end = found["SYN-OUT-1", "COD.quota"], found["SYN-OUT-1", "COD.exhaustion"]
    assert (quota.value, quota.level) == (-1_500_000, Level.FINDING)
    # The sixth day, 600 kg, is the first over 500 kg: fourteen days ago.
    assert (end.value, _detail(end)["date"], _detail(end)["outlook"]) == (-14, "2026-01-06", "used_up")


def test_a_quota_that_lasts_has_no_day_and_says_so() -> None:
    found = _site(QUOTA, _year("2026-01-20"), {("SYN-OUT-1", "COD.load"): (JANUARY, [100] * 20)}, (ONE,))
    end = found["SYN-OUT-1", "COD.exhaustion"]
    assert (end.value, end.reason, _detail(end)["outlook"]) == (None, NOT_JUDGED, "not_this_year")


def test_months_have_totals_and_no_balance() -> None:
    month = Period(
        window="month", span=Span.MONTH, first_day=JANUARY, last_day=day("2026-01-31"), through_day=day("2026-01-31")
    )
    found = _site(QUOTA, month, {("SYN-OUT-1", "COD.load"): (JANUARY, [1000] * 31)}, (ONE,))
    assert found["SYN-OUT-1", "COD.load"].value == 31_000
    assert all(not factor.endswith((".quota", ".exhaustion")) for _, factor in found)


def test_a_total_with_unknown_days_is_a_lower_bound_with_its_reason() -> None:
    cells: list[int | None] = [1000] * 8 + [None] * 2
    found = _site("", _year("2026-01-10"), {("SYN-OUT-1", "COD.load"): (JANUARY, cells)}, (ONE,))
    row = found["SYN-OUT-1", "COD.load"]
    assert (row.value, row.valid, row.expected, row.reason) == (8000, 8, 10, INCOMPLETE)
    assert (row.flags, _detail(row)) == (0, {"lower_bound": "8/10"})
    silent = found["SYN-OUT-1", "TN.load"]
    assert (silent.value, silent.reason) == (None, SILENT)


def test_a_gap_is_filled_by_the_largest_day_before_the_last_calibration_and_marked() -> None:
    text = "sites: [{site: SYN-OUT-1, calibrations: [{factor: COD, passed: 2026-01-01, author: 乙}]}]"
    held = {
        # December before the calibration had 3000 g on one day; January has a gap on its second day.
        ("SYN-OUT-1", "COD.load"): (day("2025-12-30"), [2000, 3000, 1000, None, 1000]),
    }
    found = _site(text, _year("2026-01-03"), held, (ONE,))
    row = found["SYN-OUT-1", "COD.load"]
    assert (row.value, row.valid, row.reason, row.flags) == (5000, 3, OK, int(Mark.SUBSTITUTED))
    assert _detail(row) == {"measured": 2, "largest_of_30_before_calibration": 1}


def test_volumes_are_never_filled() -> None:
    text = "sites: [{site: SYN-OUT-1, calibrations: [{factor: COD, passed: 2026-01-01, author: 乙}]}]"
    held = {("SYN-OUT-1", "flow.volume"): (day("2025-12-30"), [2000, 3000, 1000, None, 1000])}
    row = _site(text, _year("2026-01-03"), held, (ONE,))["SYN-OUT-1", "flow.volume"]
    assert (row.value, row.valid, row.expected, row.reason) == (None, 2, 3, INCOMPLETE)


def test_a_firm_sums_its_outlets_but_those_for_rain_and_counts_them() -> None:
    held = {
        ("SYN-OUT-1", "COD.load"): (JANUARY, [10_000] * 20),
        ("SYN-OUT-2", "COD.load"): (JANUARY, [20_000] * 20),
        ("SYN-OUT-3", "COD.load"): (JANUARY, [70_000] * 20),
    }
    found = _area(QUOTA, _year("2026-01-20"), held, (ONE, TWO, RAIN))
    total, quota = found["FIRM-1", "COD.load"], found["FIRM-1", "COD.quota"]
    assert (total.value, total.valid, total.expected) == (600_000, 2, 2)
    assert (quota.value, quota.level) == (400_000, Level.WITHIN)
    # 30 kg a day: the 14th day from now passes 1 t.
    assert _detail(found["FIRM-1", "COD.exhaustion"])["date"] == "2026-02-03"


def test_an_outlet_into_a_plant_of_the_same_park_is_not_counted_twice() -> None:
    plant = site("SYN-PLANT", use="plant", receives="SYN-RIVER")
    firm = site("SYN-FIRM", use="firm", receives="SYN-PLANT")
    assert counts((plant, firm, RAIN)) == [True, False, False]
    assert counts((firm,)) == [True]
    assert _area("", _year("2026-01-20"), {}, (RAIN,)) == {}


def test_an_outlet_with_a_gap_leaves_its_firm_incomplete() -> None:
    held: dict[tuple[str, str], tuple[int, Sequence[int | None]]] = {
        ("SYN-OUT-1", "COD.load"): (JANUARY, [10] * 20),
        ("SYN-OUT-2", "COD.load"): (JANUARY, [20] * 19),
    }
    total = _area(QUOTA, _year("2026-01-20"), held, (ONE, TWO))["FIRM-1", "COD.load"]
    assert (total.value, total.valid, total.expected, total.reason) == (580, 1, 2, INCOMPLETE)


def test_a_closed_year_is_held_against_the_cut_and_an_open_one_is_not() -> None:
    held = {("SYN-OUT-1", "COD.load"): (JANUARY, [10_000] * 365)}
    assert ("FIRM-1", "COD.cut") not in _area(QUOTA, _year("2026-12-30"), held, (ONE,))
    row = _area(QUOTA, _year("2026-12-31"), held, (ONE,))["FIRM-1", "COD.cut"]
    # 3650 kg is 8.75 % below 4 t; 10 % was promised.
    assert (row.value, row.digits, row.level) == (875, 2, Level.FINDING)
    assert _detail(row) == {"base_year": 2020, "by": 2026, "percent": "10.0", "source": "plan"}


def test_a_cut_without_a_number_is_unset_and_shows_what_was_reached() -> None:
    text = QUOTA.replace("percent: 10", "percent: null")
    held = {("SYN-OUT-1", "COD.load"): (JANUARY, [10_000] * 365)}
    row = _area(text, _year("2026-12-31"), held, (ONE,))["FIRM-1", "COD.cut"]
    assert (row.value, row.reason, row.level) == (875, UNSET, None)


@pytest.mark.parametrize(("days", "value"), [(1, None), (22, None), (23, 23_000), (29, 29_000)])
def test_a_month_below_its_share_of_days_shows_no_total(days: int, value: int | None) -> None:
    month = Period(window="month", span=Span.MONTH, first_day=JANUARY, last_day=JANUARY + 29, through_day=JANUARY + 29)
    cells: list[int | None] = [1000] * days + [None] * (30 - days)
    found = _site(
        "", month, {("SYN-OUT-1", factor): (JANUARY, cells) for factor in ("COD.load", "flow.volume")}, (ONE,)
    )
    for factor in ("COD.load", "flow.volume"):
        row = found["SYN-OUT-1", factor]
        assert (row.value, row.valid, row.expected, row.reason) == (value, days, 30, INCOMPLETE)
        assert row.detail == ("" if value is None else f'{{"lower_bound":"{days}/30"}}')


def test_a_quota_with_too_few_days_says_what_is_known_to_be_used_and_nothing_of_what_is_left() -> None:
    cells: list[int | None] = [1000] * 5 + [None] * 15
    found = _site(QUOTA, _year("2026-01-20"), {("SYN-OUT-1", "COD.load"): (JANUARY, cells)}, (ONE,))
    quota, end = found["SYN-OUT-1", "COD.quota"], found["SYN-OUT-1", "COD.exhaustion"]
    assert (quota.value, quota.level, quota.reason) == (None, None, INCOMPLETE)
    assert (_detail(quota)["used_g"], _detail(quota)["lower_bound"]) == (5000, "5/20")
    assert (end.value, end.reason, _detail(end)["outlook"]) == (None, INCOMPLETE, "unknown")


def test_what_is_known_of_a_year_with_gaps_proves_that_a_quota_is_used_up() -> None:
    cells: list[int | None] = [200_000] * 5 + [None] * 15
    found = _site(QUOTA, _year("2026-01-20"), {("SYN-OUT-1", "COD.load"): (JANUARY, cells)}, (ONE,))
    quota, end = found["SYN-OUT-1", "COD.quota"], found["SYN-OUT-1", "COD.exhaustion"]
    assert (quota.value, quota.level) == (None, Level.FINDING)
    assert (end.value, _detail(end)["outlook"]) == (None, "used_up")


def test_a_cut_of_a_year_with_too_few_days_has_no_number() -> None:
    held = {("SYN-OUT-1", "COD.load"): (JANUARY, [10_000] * 30)}
    row = _area(QUOTA, _year("2026-12-31"), held, (ONE,))["FIRM-1", "COD.cut"]
    assert (row.value, row.level, row.reason, _detail(row)["lower_bound"]) == (None, None, INCOMPLETE, "30/365")


def test_an_area_with_half_of_its_outlets_unknown_has_no_total() -> None:
    held: dict[tuple[str, str], tuple[int, Sequence[int | None]]] = {("SYN-OUT-1", "COD.load"): (JANUARY, [10] * 20)}
    total = _area(QUOTA, _year("2026-01-20"), held, (ONE, TWO))["FIRM-1", "COD.load"]
    assert (total.value, total.valid, total.expected, total.reason) == (None, 1, 2, INCOMPLETE)


def test_an_outlet_that_does_not_measure_a_factor_is_no_gap_in_its_area() -> None:
    @dataclass(frozen=True)
    class _Planned(_Past):
        def days(self, members: Sequence[str], series: Series, first_day: int, last_day: int) -> DayValues:
            found = _Past.days(self, members, series, first_day, last_day)
            reason = found.reason.copy()
            reason[[place for place, member in enumerate(members) if member == "SYN-OUT-2"]] = NOT_IN_PLAN
            return replace(found, reason=reason)

    past = _Planned({("SYN-OUT-1", "Sb.load"): (JANUARY, [10] * 20)})
    period, sites = _year("2026-01-20"), (ONE, TWO)
    members = past.means([one.id for one in sites], period)
    made = LoadPeriod(load_kind("outfall").factors, permits("sites: []"))
    total = _rows(made.area(period, members, _Area("FIRM-1"), sites))["FIRM-1", "Sb.load"]
    assert (total.value, total.valid, total.expected, total.reason) == (200, 1, 1, OK)
