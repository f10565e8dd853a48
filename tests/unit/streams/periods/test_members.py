from __future__ import annotations

import numpy as np

from sensors.clock import MINUTE_MS
from streams.periods.members import Clocks, Reach, members_of, site_on
from tests.period_cases import air, area, day_ms, day_no, registry, site

AIR = air(evaluations=())
DAY = day_no("2026-06-01")
AREAS = (area("T", "township", "C"), area("C", "county", "P"), area("P", "city"), area("E", "city"))


def test_a_partition_holds_its_sites_its_areas_and_what_these_are_made_of() -> None:
    made = registry([site(name, areas=("T", "C", "P")) for name in ("S1", "S2", "S3")], AREAS)
    for partition in range(4):
        found = members_of(partition, 4, AIR, made)
        said = {name for name, mine in zip(found.names, found.said, strict=True) if mine}
        below = {a.id for a in AREAS if a.parent in said}
        assert {a.id for a in found.areas} == (said & {"T", "C", "P"}) | below
        if found.areas:
            assert found.names[: found.site_count] == ("S1", "S2", "S3")


def test_an_area_without_a_site_of_the_kind_is_not_held() -> None:
    made = registry([site("S1", areas=("T",)), site("W", kind="water", areas=("E",))], AREAS)
    assert [a.id for a in members_of(0, 1, AIR, made).areas] == ["T"]


def test_the_set_of_an_area_is_dated() -> None:
    made = registry([site("S1", areas=("C",), end=day_ms(DAY)), site("S2", areas=("C",), start=day_ms(DAY))], AREAS)
    reach = members_of(0, 1, AIR, made).reach[0]
    assert reach.set_on(reach.rows, np.array([DAY - 1, DAY])).tolist() == [[True, False], [False, True]]


def test_a_site_with_several_entries_counts_on_the_days_of_each_and_others_are_passed_over() -> None:
    # entries of the sites 7, 2 (twice) and 5, one of which never counts; asked in another order, with one unknown
    reach = Reach(
        row=np.array([7, 2, 2, 5]),
        first_day=np.array([0, 10, 30, 0]),
        last_day=np.array([15, 20, 40, 99]),
        counts=np.array([True, True, True, False]),
    )
    found = reach.set_on(np.array([9, 7, 5, 2]), np.array([5, 15, 25, 35]))
    assert found.tolist() == [[False] * 4, [True, True, False, False], [False] * 4, [False, True, False, True]]
    assert reach.set_on(np.array([], np.intp), np.array([5])).shape == (0, 1)


def test_children_are_the_areas_directly_below() -> None:
    made = registry([site("S1", areas=("T", "C", "P"))], AREAS)
    found = members_of(0, 1, AIR, made)
    assert (found.children("P"), found.children("C"), found.children("T")) == (("C",), ("T",), ())


def test_a_clock_waits_for_all_its_sources_and_never_goes_back() -> None:
    names = [f"S{n}" for n in range(6)]
    made = registry([site(name, areas=("C",)) for name in names], AREAS)
    found = next(m for p in range(2) if (m := members_of(p, 2, AIR, made)).areas)
    clocks, county = Clocks(found, 5 * MINUTE_MS), found.row_of_area(0)
    at = day_ms(DAY + 1) + 5 * MINUTE_MS
    clocks.advance(0, at)
    assert clocks.at[county] < 0
    clocks.advance(1, at - 1)
    assert (clocks.at[county], clocks.through[county]) == (at - 1, DAY - 1)
    clocks.advance(1, at)
    assert clocks.through[county] == DAY
    clocks.advance(1, at - 10)
    assert clocks.at[county] == at


def test_a_site_is_known_by_the_entry_of_the_day() -> None:
    made = registry([site("S1", end=day_ms(DAY)), site("S1", areas=("C",), start=day_ms(DAY))], AREAS)
    assert site_on(made, "S1", DAY - 1).areas == ()
    assert site_on(made, "S1", DAY).areas == ("C",)
