from __future__ import annotations

from typing import Any

import pytest

from dashboards.media import build_medium, firms_of, shown_slot
from dashboards.overview import State
from dashboards.rows import Row, rows_of
from sensors.clock import HOUR_MS
from sensors.kinds import load_kind
from sensors.registry import Site
from tests.unit.dashboards.building import T0, area, plain, section, site, table

WATER, VOC, ECOFLOW = (load_kind(name) for name in ("water", "voc", "ecoflow"))


def rows(*made: dict[str, Any]) -> list[Row]:
    return rows_of(table(made), lambda _: None)


def class_row(name: str, level: int | None, **other: Any) -> dict[str, Any]:
    return plain(name, "class", level, "4h", T0, level=level, digits=0) | other


def point(name: str, layer: str, *areas: str) -> Site:
    return site(name, kind="voc", station_class="point", setting={"layer": layer}, areas=areas)


def judged(name: str, level: int | None, value: int = 300) -> dict[str, Any]:
    return plain(name, "NMHC.limit", value, "1h", T0, level=level, digits=3)


def test_a_site_without_rows_is_missing_also_if_it_was_never_seen() -> None:
    medium = build_medium(WATER, T0, [section("A"), section("B")], slot=rows(plain("A", "TP", 5, "4h", T0)))
    assert [(spot.site.id, spot.state) for spot in medium.spots] == [("A", State.VALUE), ("B", State.OFFLINE)]
    assert (medium.owed, [spot.site.id for spot in medium.missing]) == (2, ["B"])


def test_a_site_whose_values_are_all_invalid_came_and_has_no_value() -> None:
    said = rows(plain("A", "TP", None, "4h", T0, reason="invalid"), plain("A", "TN", None, "4h", T0, reason="silent"))
    (spot,) = build_medium(WATER, T0, [section("A")], slot=said).spots
    assert spot.state is State.NA


def test_what_is_not_in_plan_neither_comes_nor_lacks() -> None:
    said = rows(plain("A", "TP", None, "4h", T0, reason="not_in_plan"))
    assert build_medium(WATER, T0, [section("A")], slot=said).spots[0].state is State.OFFLINE


def test_sections_over_their_target_stand_first_and_are_counted_like_those_of_class_v() -> None:
    said = rows(
        plain("A", "TP", 1, "4h", T0), class_row("A", 2),
        plain("B", "TP", 9, "4h", T0), class_row("B", 6),
        class_row("B", 6, factor="over_target", value=1, primary="TP"),
    )  # fmt: skip
    medium = build_medium(WATER, T0, [section("A"), section("B")], slot=said)
    assert [spot.site.id for spot in medium.spots] == ["B", "A"]
    assert [(len(medium.over_target), len(medium.fifth))] == [(1, 1)]
    assert medium.spots[0].over_target == ("TP",)


@pytest.mark.parametrize(("value", "short"), [(249, True), (250, False), (None, False)])
def test_flow_below_the_minimum_of_the_setting_is_short(value: int | None, *, short: bool) -> None:
    cross = site("F", kind="ecoflow", station_class="cross_section", setting={"minimum": 2.5})
    (spot,) = build_medium(ECOFLOW, T0, [cross], slot=rows(plain("F", "flow", value, "1h", T0))).spots
    assert spot.short is short


def test_the_gravest_judgement_of_a_site_counts_it_once() -> None:
    said = rows(judged("A", 3), judged("B", 4), judged("C", 1), judged("D", None))
    medium = build_medium(VOC, T0, [point(name, "boundary") for name in "ABCD"], slot=said)
    assert [(spot.site.id, spot.judged) for spot in medium.spots] == [("B", 4), ("A", 3), ("C", 1), ("D", -1)]
    assert [len(medium.judged(4)), len(medium.judged(3)), len(medium.near)] == [1, 1, 1]


def test_only_factors_that_somebody_measures_are_columns() -> None:
    said = rows(plain("A", "TP", 1, "4h", T0), plain("A", "Cu", None, "4h", T0, reason="silent"))
    assert build_medium(WATER, T0, [section("A")], slot=said).columns == ("TP",)


def test_points_are_grouped_by_firm_and_the_worst_of_each_layer_is_shown() -> None:
    areas = {one.id: one for one in (area("f1", "firm", "p1"), area("p1", "park"))}
    spots = [point("A", "boundary", "f1", "p1"), point("B", "boundary", "f1", "p1"), point("C", "workshop", "p1")]
    said = rows(*[plain(name, "NMHC", value, "1h", T0) for name, value in (("A", 100), ("B", 300), ("C", 900))],
                judged("A", 4))  # fmt: skip
    firms = {
        firm.area.id if firm.area else "": firm for firm in firms_of(build_medium(VOC, T0, spots, slot=said), areas)
    }
    assert set(firms) == {"f1", "p1"}
    assert firms["f1"].layers["boundary"].spot.site.id == "A"
    assert (firms["f1"].points, firms["f1"].judged, firms["p1"].layers["workshop"].row.value) == (2, 4, 900)


@pytest.mark.parametrize(
    ("clock", "start"), [(T0 + 4 * HOUR_MS, T0 - 4 * HOUR_MS), (T0 + 4 * HOUR_MS + 600_000, T0), (T0 + 8 * HOUR_MS, T0)]
)
def test_a_slot_of_four_hours_is_owed_only_when_it_is_over(clock: int, start: int) -> None:
    """A section is not late after two hours of a slot."""
    assert shown_slot(clock, 4 * HOUR_MS, 600_000) == start
