from __future__ import annotations

from dataclasses import replace

import numpy as np

from sensors.clock import HOUR_MS, MINUTE_MS
from streams.judging.entries import entries_of
from tests.air_cases import AIR, T0, site
from tests.kind_cases import MILL, kind_of, kind_site

TIMES = T0 + np.arange(4) * HOUR_MS
MOVED = T0 + 2 * HOUR_MS
SITES = (
    site("C", absent=("SO2",)),
    replace(site("A"), end=MOVED),
    replace(site("A", period_ms=MINUTE_MS), start=MOVED, zone=1),
    replace(site("B"), start=T0 + HOUR_MS, end=MOVED),
)
MADE = entries_of(SITES, AIR)
ALL = np.arange(3)


def test_rows_are_ids_in_order_and_entries_are_in_order_of_time() -> None:
    assert MADE.ids == ("A", "B", "C")
    assert [len(entries) for entries in MADE.of_row] == [2, 1, 1]


def test_a_site_owes_while_an_entry_of_it_holds() -> None:
    owed = MADE.owed(ALL, TIMES)
    assert owed.T.tolist() == [[True] * 4, [False, True, False, False], [True] * 4]


def test_a_period_is_that_of_the_entry_that_began_last() -> None:
    assert MADE.period_at(np.array([0, 0, 1]), np.array([MOVED - 1, MOVED, 0])).tolist() == [
        HOUR_MS,
        MINUTE_MS,
        HOUR_MS,
    ]


def test_the_entry_in_force_is_the_one_that_holds_and_else_the_last() -> None:
    assert [s.zone for s in MADE.in_force(ALL, MOVED - 1)] == [2, 2, 2]
    assert MADE.in_force(np.array([0]), MOVED)[0].zone == 1
    assert MADE.in_force(np.array([1]), 0)[0].id == "B"


def test_what_is_not_in_plan_is_so_for_its_factor_and_its_time_only() -> None:
    planned = MADE.planned(ALL, TIMES, len(AIR))
    so2 = list(AIR).index("SO2")
    assert not planned[:, so2, 2].any()
    assert planned[:, so2, :2].all()
    assert planned.sum() == planned.size - TIMES.size
    assert entries_of(SITES[1:], AIR).planned(np.arange(2), TIMES, len(AIR)).all()


def test_the_silence_of_an_optional_factor_is_a_finding_only_where_the_site_measures_it() -> None:
    kind = kind_of(MILL)
    table = {name: replace(f, optional=name == "temp") for name, f in kind.factors.items()}
    sites = (kind_site(kind, "A", HOUR_MS), kind_site(kind, "B", HOUR_MS, measures=("temp", "pH")))
    expected = entries_of(sites, table).expected
    assert expected[list(table).index("temp")].tolist() == [False, True]
    assert expected[:, 1].sum() == 2
