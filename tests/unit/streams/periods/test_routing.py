from __future__ import annotations

import pytest

from sensors.clock import HOUR_MS
from sensors.partition import partition_of
from sensors.registry import Registry
from streams.periods.routing import Router, is_day_window, route
from streams.periods.sets import counts_in
from tests.period_cases import Row, air, area, batch, day_ms, day_no, day_row, registry, site

AIR = air(evaluations=())
DAY = day_no("2026-06-01")
AREAS = (area("T", "township", "C"), area("C", "county", "P"), area("P", "city"))


def hour(name: str, window: str = "1h") -> Row:
    return Row(site=name, factor="O3", window=window, start=day_ms(DAY) + HOUR_MS, value=100)


def targets(rows: list[Row], made: Registry, partitions: int = 64) -> dict[str, set[int]]:
    """Return where the rows of each window go."""
    found: dict[str, set[int]] = {}
    for partition, part in route(batch(rows), AIR, made, partitions):
        for window in set(part.column("window").to_pylist()):
            found.setdefault(window, set()).add(partition)
    return found


@pytest.mark.parametrize(
    ("window", "day"),
    [("24h", True), ("24h_max", True), ("MDA8", True), ("24h_running", False), ("8h", False), ("month", False)],
)
def test_what_is_a_day(window: str, day: bool) -> None:  # noqa: FBT001  a case
    assert is_day_window(window) is day


def test_days_go_to_the_site_and_to_all_its_areas_and_hours_to_the_areas() -> None:
    made = registry([site("A", areas=("T", "C", "P"))], AREAS)
    found = targets([day_row(AIR, "A", "PM2.5", DAY, 20), hour("A")], made)
    areas = {partition_of(name, 64) for name in "TCP"}
    assert found == {"24h": {partition_of("A", 64), *areas}, "1h": areas}


def test_hours_go_only_to_areas_in_which_the_site_counts() -> None:
    made = registry([site("A", areas=("T", "C", "P"), assessment=False)], AREAS)
    found = targets([day_row(AIR, "A", "PM2.5", DAY, 20), hour("A")], made)
    assert found["1h"] == {partition_of("T", 64)}
    assert found["24h"] == {partition_of(name, 64) for name in "ATCP"}


def test_other_windows_and_unknown_sites_go_nowhere() -> None:
    made = registry([site("A", areas=("T",))], AREAS)
    assert targets([hour("A", "8h"), hour("A", "24h_running"), day_row(AIR, "Z", "PM2.5", DAY, 1)], made) == {}
    assert route(batch([]), AIR, made, 4) == []


def test_areas_are_those_of_the_day() -> None:
    moved = day_ms(DAY)
    made = registry([site("A", areas=("T",), end=moved), site("A", areas=("C",), start=moved)], AREAS)
    for day, name in ((DAY - 1, "T"), (DAY, "C")):
        found = targets([day_row(AIR, "A", "PM2.5", day, 20)], made)
        assert found == {"24h": {partition_of("A", 64), partition_of(name, 64)}}


def test_each_row_goes_once_to_a_partition_and_keeps_its_order() -> None:
    made = registry([site(name, areas=("T", "C", "P")) for name in "AB"], AREAS)
    rows = [day_row(AIR, name, f, DAY, 20) for name in "BA" for f in ("SO2", "PM2.5")]
    ((partition, part),) = route(batch(rows), AIR, made, 1)
    assert partition == 0
    assert part.num_rows == 4
    assert part.column("site").to_pylist() == ["B", "B", "A", "A"]


def test_a_router_is_made_once_for_many_batches() -> None:
    made = registry([site("A", areas=("T",))], AREAS)
    router = Router(AIR, made, 8)
    rows = batch([day_row(AIR, "A", "PM2.5", DAY, 20)])
    assert [p for p, _ in router.route(rows)] == [p for p, _ in route(rows, AIR, made, 8)]


@pytest.mark.parametrize(
    ("kind", "assessment", "area_type", "counts"),
    [
        ("air", True, "county", True),
        ("air", False, "county", False),
        ("air", False, "province", False),
        ("air", False, "township", True),
        ("air", False, "park", True),
        ("water", False, "city", True),
        ("voc", False, "firm", True),
    ],
)
def test_who_counts(kind: str, assessment: bool, area_type: str, counts: bool) -> None:  # noqa: FBT001  a case
    assert counts_in(site("A", kind=kind, assessment=assessment), area_type) is counts
