from __future__ import annotations

from simulators.rivers import Rivers

NET = Rivers.of([("A", "B", 3.0), ("B", "C", 4.0), ("X", "B", 9.0), ("A", "D", 1.0), ("D", "C", 2.0)])


def test_water_reaches_every_point_below_after_the_hours_of_the_fastest_way() -> None:
    assert NET.reached("A") == {"A": 0, "D": 1, "B": 3, "C": 3}
    assert NET.reached("X") == {"X": 0, "B": 9, "C": 13}


def test_the_mouth_reaches_itself_only() -> None:
    assert NET.reached("C") == {"C": 0}


def test_a_point_of_no_river_reaches_itself_and_is_its_own_head() -> None:
    assert NET.reached("lake") == {"lake": 0}
    assert NET.head("lake") == ("lake", 0.0)


def test_the_head_is_the_farthest_point_upstream() -> None:
    assert NET.head("C") == ("X", 13.0)
    assert NET.head("B") == ("X", 9.0)
    assert NET.head("D") == ("A", 1.0)
    assert NET.head("A") == ("A", 0.0)


def test_the_longest_way_is_from_the_farthest_head_to_its_mouth() -> None:
    assert NET.longest == 13.0
    assert Rivers.of([]).longest == 0.0
