"""What a process remembers of the results that InfluxDB holds."""

from __future__ import annotations

from typing import Any

import pytest

from sensors.clock import HOUR_MS
from streams.results import ResultHead
from streams.store.contract import Record, records_of
from streams.store.held import GAP_MS, HeldUnits, near, unit_of, would_shine_through
from tests.unit.streams.store.samples import HEAD, T0, batch, row


def record(head: ResultHead = HEAD, **cells: Any) -> Record:
    return records_of(batch(row(**cells)), head)[0]


def test_a_unit_is_a_site_a_window_and_a_start() -> None:
    assert unit_of(record(site="S9", window="8h", factor="O3")) == ("S9", "8h", T0)


def test_a_known_unit_tells_what_is_held_and_what_is_not() -> None:
    held = HeldUnits(10)
    one, other = record(value=1), record(factor="O3")
    held.learn(unit_of(one), [one])
    assert unit_of(one) in held
    assert held.get(record(value=2)) == one
    assert held.get(other) is None
    held.put(other)
    assert held.get(other) == other


def test_what_was_not_used_for_longest_is_forgotten_first() -> None:
    records = [record(site=f"S{n}") for n in range(3)]
    held = HeldUnits(4)
    for one in records[:2]:
        held.learn(unit_of(one), [one])
    assert held.use([unit_of(records[0])]) == []
    held.learn(unit_of(records[2]), [records[2]])
    held.trim()
    assert [unit_of(one) in held for one in records] == [True, False, True]
    assert held.use([unit_of(one) for one in records]) == [unit_of(records[1])]


def test_putting_over_a_held_record_does_not_fill_the_memory() -> None:
    held = HeldUnits(2)
    held.learn(unit_of(record()), [record()])
    for revision in range(100):
        held.put(record(revision=revision))
    held.trim()
    assert unit_of(record()) in held
    held.put(record(factor="O3"))
    held.trim()
    assert unit_of(record()) not in held


def test_learning_again_replaces_and_forgetting_twice_is_no_matter() -> None:
    held = HeldUnits(2)
    for _ in range(5):
        held.learn(unit_of(record()), [record()])
    held.trim()
    assert unit_of(record()) in held
    held.forget([unit_of(record()), unit_of(record())])
    assert unit_of(record()) not in held
    held.learn(unit_of(record()), [])
    held.forget_all()
    assert unit_of(record()) not in held


@pytest.mark.parametrize(
    ("held", "new", "shines"),
    [
        ({"value": 1}, {"value": None}, True),
        ({"value": 0}, {"value": None}, True),
        ({"value": None}, {"value": 1}, False),
        ({"value": None}, {"value": None}, False),
        ({"value": 1}, {"value": 2}, False),
        ({"value": 1, "iaqi": 3}, {"value": 2}, True),
        ({"value": 1, "level": 3}, {"value": 2}, True),
    ],
)
def test_an_old_number_shines_through_only_where_the_new_point_has_none(
    held: dict[str, Any], new: dict[str, Any], *, shines: bool
) -> None:
    assert would_shine_through(record(**held), record(**new)) is shines


def test_units_are_asked_for_together_unless_a_long_gap_lies_between() -> None:
    units = [("S", "1h", start) for start in (HOUR_MS, 0, GAP_MS + HOUR_MS, 2 * GAP_MS + HOUR_MS + 1)]
    assert list(near(units)) == [[units[1], units[0], units[2]], [units[3]]]
    assert list(near([])) == []
