from __future__ import annotations

from itertools import pairwise

import pytest

from sensors.areas import closure, first_cycle

PARENTS = {"street": "county", "county": "city", "city": "province", "province": None, "park": "county", "firm": "park"}


@pytest.mark.parametrize(
    ("direct", "expected"),
    [
        ((), ()),
        (("province",), ("province",)),
        (("street",), ("street", "county", "city", "province")),
        (("firm", "street"), ("firm", "street", "park", "county", "city", "province")),
        (("county", "street"), ("county", "street", "city", "province")),
        (("street", "street"), ("street", "county", "city", "province")),
        (("elsewhere",), ("elsewhere",)),
    ],
)
def test_a_site_lies_in_its_areas_and_all_above_each_once(direct: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert closure(direct, PARENTS) == expected


@pytest.mark.parametrize(
    "edges",
    [
        [],
        [("a", "b")],
        [("a", "b"), ("b", "c"), ("a", "c")],
        [("a", "c"), ("b", "c"), ("c", "d"), ("c", "e"), ("d", "f"), ("e", "f")],
    ],
)
def test_a_river_that_parts_and_meets_again_is_no_circle(edges: list[tuple[str, str]]) -> None:
    assert first_cycle(edges) == ()


@pytest.mark.parametrize(
    "edges",
    [[("a", "a")], [("a", "b"), ("b", "a")], [("x", "a"), ("a", "b"), ("b", "c"), ("c", "a"), ("c", "y")]],
)
def test_a_circle_is_told_as_the_way_round(edges: list[tuple[str, str]]) -> None:
    way = first_cycle(edges)
    assert way[0] == way[-1]
    assert all(step in edges for step in pairwise(way))
    assert len(set(way)) == len(way) - 1
