"""Indices of VOCs of firms and parks, and the order of the firms of a park."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sensors.kinds import load_kind
from sensors.registry import Registry
from sensors.windows import Span
from streams.discharge.firms import FirmIndices, firm_indices
from streams.discharge.indices import load_indices
from streams.judging.reasons import OK, SILENT, TOO_FEW_SITES
from streams.periods.plan import DayValues, Period, PeriodMeans, PeriodRow, Series
from streams.periods.registered import PeriodContext, period_evaluations_of
from streams.standards import load_standards
from tests.discharge_cases import day, site

FIRST = day("2026-06-01")
DAY = Period(window="24h", span=Span.DAY, first_day=FIRST, last_day=FIRST, through_day=FIRST)
WEEK = Period(window="month", span=Span.MONTH, first_day=FIRST, last_day=FIRST + 29, through_day=FIRST + 3)
Held = Mapping[str, Sequence[int | None]]


@dataclass(frozen=True)
class _Past:
    held: Held

    def days(self, members: Sequence[str], series: Series, first_day: int, last_day: int) -> DayValues:
        count = last_day - first_day + 1
        value, present = np.zeros((len(members), count), np.int64), np.zeros((len(members), count), np.bool_)
        for row, member in enumerate(members):
            for place, cell in enumerate(self.held.get(member, ())[:count]):
                if cell is not None and series == Series("OFP", "24h", "MIR-2010"):
                    value[row, place], present[row, place] = cell, True
        reason = np.where(present, OK, SILENT).astype(np.uint8)
        return DayValues(first_day=first_day, value=value, present=present, reason=reason, came=present)

    def means(
        self,
        members: Sequence[str],
        period: Period,
        factors: Sequence[str] | None = None,  # noqa: ARG002  the form of the plan
    ) -> PeriodMeans:
        nothing = np.zeros((len(members), 0), np.int64)
        return PeriodMeans(
            period=period, members=tuple(members), factors=(), digits=(), value=nothing, present=nothing > 0,
            valid=nothing, expected=nothing, reason=nothing.astype(np.uint8), past=self,
        )  # fmt: skip


@dataclass(frozen=True)
class _Area:
    id: str
    type: str


def _said(
    held: Held, firms: Mapping[str, str], *, area: _Area, period: Period = DAY
) -> dict[tuple[str, str], PeriodRow]:
    past = _Past(held)
    sites = tuple(site(point, kind="voc", areas=(firm, "PARK")) for point, firm in firms.items())
    children = past.means(sorted(set(firms.values())), period) if area.type == "park" else None
    members = replace(past.means([one.id for one in sites], period), children=children)
    rows = FirmIndices(load_indices()).area(period, members, area, sites)
    return {(row.site, row.factor): row for row in rows}


FIRMS = {"P1": "A", "P2": "A", "P3": "B", "P4": "C"}
PARK = _Area("PARK", "park")


def test_three_firms_of_a_park_are_ranked_by_the_means_of_their_points() -> None:
    # A: (1000 + 3000) / 2 = 2000, B: 2500, C: 2000; the park is the mean of its four points.
    found = _said({"P1": [1000], "P2": [3000], "P3": [2500], "P4": [2000]}, FIRMS, area=PARK)
    assert {firm: found[firm, "OFP.rank"].value for firm in "ABC"} == {"B": 1, "A": 2, "C": 2}
    park = found["PARK", "OFP"]
    assert (park.value, park.digits, park.valid, park.expected, park.edition) == (2125, 1, 4, 4, "MIR-2010")
    assert found["A", "OFP.rank"].expected == 3


def test_a_firm_has_its_mean_and_no_order() -> None:
    found = _said({"P1": [1000], "P2": [3000]}, {"P1": "A", "P2": "A"}, area=_Area("A", "firm"))
    assert {key: row.value for key, row in found.items()} == {("A", "OFP"): 2000}


def test_too_few_points_make_no_value_and_no_place() -> None:
    found = _said({"P1": [1000], "P3": [2500], "P4": [2000]}, FIRMS, area=PARK)
    assert found["PARK", "OFP"].value == 1833  # three of four points: (1000 + 2500 + 2000) / 3
    assert ("A", "OFP.rank") not in found
    lone = _said({"P1": [1000]}, FIRMS, area=PARK)["PARK", "OFP"]
    assert (lone.value, lone.reason, lone.valid, lone.expected) == (None, TOO_FEW_SITES, 1, 4)


def test_a_point_counts_with_three_quarters_of_its_days() -> None:
    held: Held = {"P1": [100, 200, 300, None], "P2": [900, None, None, 900]}
    found = _said(held, {"P1": "A", "P2": "A"}, area=_Area("A", "firm"), period=WEEK)
    assert (found["A", "OFP"].value, found["A", "OFP"].valid) == (None, 1)
    alone = _said(held, {"P1": "A"}, area=_Area("A", "firm"), period=WEEK)
    assert alone["A", "OFP"].value == 200


def test_where_nothing_came_nothing_is_said() -> None:
    assert _said({}, FIRMS, area=PARK) == {}


def test_the_kind_asks_for_it_by_name() -> None:
    kind = load_kind("voc")
    registry = Registry(region_zh="区", region_en="Region", synthetic=True, sites=())
    context = PeriodContext(kind=kind, standards=load_standards(), registry=registry)
    (made,) = period_evaluations_of(kind, context)
    assert made.name == "firm_indices"
    assert made.site(DAY, _Past({}).means((), DAY), ()) == []
    assert {version.index for version in firm_indices(context)._versions} == {"OFP", "odour_index"}
