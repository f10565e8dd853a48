"""The grid of a kind: how instants fall into slots, places within a slot, and Beijing days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sensors.clock import BEIJING_OFFSET_MS, DAY_MS, HOUR_MS

NumberT = TypeVar("NumberT", int, NDArray[np.int64])
"""One instant, slot or day number, or many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Slots of one length, whole numbers of which make a Beijing day."""

    slot_ms: int
    fine_ms: int
    """Finest period of readings; divides the slot."""

    @property
    def places(self) -> int:
        """Places of a slot: the finest readings it can hold."""
        return self.slot_ms // self.fine_ms

    @property
    def per_day(self) -> int:
        """Slots of a day."""
        return DAY_MS // self.slot_ms

    @property
    def offset(self) -> int:
        """Milliseconds by which the first slot begins before 1970-01-01 UTC, so that days begin with a slot."""
        return BEIJING_OFFSET_MS % self.slot_ms

    def slot_of(self, ms: NumberT) -> NumberT:
        """Return the number of the slot that holds an instant."""
        return (ms + self.offset) // self.slot_ms

    def start_of(self, slot: NumberT) -> NumberT:
        """Return the start of a slot, ms."""
        return slot * self.slot_ms - self.offset

    def day_of(self, slot: NumberT) -> NumberT:
        """Return the Beijing day of a slot."""
        return (self.start_of(slot) + BEIJING_OFFSET_MS) // DAY_MS

    def first_of_day(self, day: NumberT) -> NumberT:
        """Return the first slot of a Beijing day."""
        return self.slot_of(self.day_start(day))

    def day_start(self, day: NumberT) -> NumberT:
        """Return the start of a Beijing day, ms."""
        return day * DAY_MS - BEIJING_OFFSET_MS

    def slots_in(self, hours: int) -> int:
        """Return how many slots hold so many hours; a begun one counts."""
        return -(-hours * HOUR_MS // self.slot_ms)
