"""What a process remembers of the results that InfluxDB holds, and what a new result does to them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from sensors.clock import HOUR_MS
from streams.store.contract import KEY_WIDTH, RECORD, Record

Unit: TypeAlias = tuple[str, str, int]
"""Site, window and start: what is asked for, and remembered, as one."""
GAP_MS: Final = 48 * HOUR_MS
"""Starts of one window that are no further apart are asked for in one question."""
_MAY_BE_NOTHING: Final = tuple(RECORD.index(name) for name in ("value", "iaqi", "level"))


def unit_of(record: Record) -> Unit:
    """Return the unit that a record belongs to."""
    return (record[0], record[2], record[3])


class HeldUnits:
    """The records of the units that were asked for lately; each unit is known in full or not at all.

    Parameters
    ----------
    limit
        How many records and units are remembered after `trim`; the unit learnt first goes first.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._units: OrderedDict[Unit, dict[Record, Record]] = OrderedDict()
        self._size = 0

    def __contains__(self, unit: Unit) -> bool:
        return unit in self._units

    def learn(self, unit: Unit, records: Iterable[Record]) -> None:
        """Remember a unit with everything that is held of it."""
        self.forget([unit])
        self._units[unit] = {record[:KEY_WIDTH]: record for record in records}
        self._size += 1 + len(self._units[unit])

    def get(self, record: Record) -> Record | None:
        """Return what is held under a record's key; its unit must be known."""
        return self._units[unit_of(record)].get(record[:KEY_WIDTH])

    def put(self, record: Record) -> None:
        """Remember a record in place of the held one; its unit must be known."""
        records = self._units[unit_of(record)]
        self._size += record[:KEY_WIDTH] not in records
        records[record[:KEY_WIDTH]] = record

    def forget(self, units: Iterable[Unit]) -> None:
        """Forget units; unknown ones are no matter."""
        for unit in units:
            records = self._units.pop(unit, None)
            self._size -= 0 if records is None else 1 + len(records)

    def forget_all(self) -> None:
        """Forget everything."""
        self._units.clear()
        self._size = 0

    def use(self, units: Iterable[Unit]) -> list[Unit]:
        """Mark known units as used just now, and return the unknown ones."""
        unknown = []
        for unit in units:
            if unit in self._units:
                self._units.move_to_end(unit)
            else:
                unknown.append(unit)
        return unknown

    def trim(self) -> None:
        """Forget what was not used for longest, down to the limit."""
        while self._size > self._limit:
            self.forget([next(iter(self._units))])


def would_shine_through(held: Record, record: Record) -> bool:
    """Say whether the held point would leave something standing when the new one is written over it."""
    return any(held[place] is not None and record[place] is None for place in _MAY_BE_NOTHING)


def near(units: Iterable[Unit]) -> Iterator[list[Unit]]:
    """Part units into groups, sorted by start, within which no gap is longer than `GAP_MS`."""
    group: list[Unit] = []
    for unit in sorted(units, key=lambda unit: unit[2]):
        if group and unit[2] - group[-1][2] > GAP_MS:
            yield group
            group = []
        group.append(unit)
    if group:
        yield group
