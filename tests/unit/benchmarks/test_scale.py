from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.core import held_bytes, run_core
from benchmarks.packets import MINUTES, site_names
from benchmarks.scale import LEAST_HOURS, ROUND, hours_for, minutes_for


@pytest.mark.parametrize(
    ("sites", "packets", "hours"), [(100, 6_000_000, 1_000), (100, 6_001, 2), (100_000, 1, LEAST_HOURS)]
)
def test_every_number_of_sites_gets_at_least_the_packets_asked_for(sites: int, packets: int, hours: int) -> None:
    assert hours_for(sites, packets) == hours
    assert hours * sites * MINUTES >= packets


@pytest.mark.parametrize(
    ("sites", "minutes"), [(1, 60), (100, 60), (1_000, 15), (1_001, 12), (10_000, 1), (100_000, 1)]
)
def test_ticks_come_after_about_as_many_packets_and_divide_the_hour(sites: int, minutes: int) -> None:
    assert minutes_for(sites) == minutes
    assert MINUTES % minutes == 0
    assert minutes == 1 or minutes * sites <= ROUND


@dataclass(slots=True)
class Part:
    numbers: NDArray[np.int64]
    more: list[object] = field(default_factory=list)


Part.__module__ = "streams.somewhere"


def test_arrays_are_counted_once_wherever_they_are_held() -> None:
    one = np.zeros(10, np.int64)
    assert held_bytes(Part(one)) == 80
    assert held_bytes(Part(one, [one, {"x": one}, (Part(one[:2]),)])) == 80
    assert held_bytes(Part(one, [np.zeros(3, np.uint8)])) == 83
    assert held_bytes([1, "text", None, Part]) == 0


def test_the_state_of_judges_is_known_after_a_run() -> None:
    few, more = (run_core(site_names(count), 1).held for count in (4, 8))
    assert 0 < few < more
