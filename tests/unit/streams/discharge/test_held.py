"""Limits of many sites as arrays: the same as limit by limit, made once, and new where something changes."""

from __future__ import annotations

import numpy as np
import pytest

from sensors.registry import Site
from streams.discharge.applied import Warmth, When, limits_for
from streams.discharge.held import NIGHTS, PROFILE_BITS, HeldLimits
from streams.discharge.judgement import thresholds
from streams.judging.reasons import NO_TEMPERATURE, NOT_JUDGED, UNSET
from tests.discharge_cases import book, day, site

TEXT = """
sites:
  - site: SYN-OUT-3
    limits: [{factor: COD, period: daily_mean, high: 30, unit: mg/L, from: 2026-06-10, to: 2026-06-20, source: permit}]
areas:
  - area: PLANT-1
    applies:
      - {standard: GB 18918-2002, column: 1A, built: 2004-01-01, from: 2010-01-01, to: 2026-06-14, source: permit}
      - {standard: GB 18918-2002, column: 1B, built: 2004-01-01, from: 2026-06-15, source: permit}
      - {standard: DB33/2169-2018, built: 2004-01-01, from: 2019-01-01, source: permit}
"""
PAIRS = (("COD", "1h"), ("COD", "24h"), ("NH3-N", "1h"), ("NH3-N", "24h"), ("TP", "24h"), ("pH", "1h_max"))
SITES = tuple(site(f"SYN-OUT-{number}", areas=("PLANT-1",)) for number in range(1, 4))
DATES = (
    "2025-10-31", "2025-11-01", "2026-02-28", "2026-03-01", "2026-06-09", "2026-06-10", "2026-06-15", "2026-06-21",
    "2028-01-01",
)  # fmt: skip


def _table() -> HeldLimits:
    return HeldLimits(book(TEXT), PAIRS)


@pytest.mark.parametrize("warmth", list(Warmth))
def test_every_cell_holds_what_is_said_limit_by_limit(warmth: Warmth) -> None:
    table, held = _table(), book(TEXT)
    days = np.array([day(date) for date in DATES])
    cells = table.cells(SITES, days)
    case = np.full_like(cells, warmth * NIGHTS)
    for output, (factor, window) in enumerate(PAIRS):
        rows, codes = table.rows(output, cells, case), table.profiles(output, cells, case)
        for row, found in enumerate(SITES):
            for place, number in enumerate(days.tolist()):
                limits = limits_for(held, found, factor, window, When(day=number, warmth=warmth))
                assert rows[row, place].tolist() == list(thresholds(limits, held.factors[factor].digits))
                assert table.limits_of(int(codes[row, place])) == limits


def test_sites_of_one_firm_share_a_cell_and_one_with_a_permit_of_its_own_does_not() -> None:
    cells = _table().cells(SITES, np.array([day("2026-06-12")]))
    assert cells[0, 0] == cells[1, 0]
    assert cells[2, 0] != cells[0, 0]


def test_a_cell_lasts_as_long_as_nothing_changes() -> None:
    numbers = np.array([day(f"2026-06-{date:02d}") for date in range(1, 29)])
    first, _, own = _table().cells(SITES, numbers)
    changes = [int(date) + 1 for date in np.flatnonzero(np.diff(first)) + 1]
    assert changes == [15]  # the column changes
    assert [int(date) + 1 for date in np.flatnonzero(np.diff(own)) + 1] == [10, 15, 21]


def test_days_may_be_asked_again_in_any_order() -> None:
    table, numbers = _table(), np.array([day(date) for date in DATES])
    once = table.cells(SITES, numbers)
    assert table.cells(SITES[::-1], numbers[::-1]).tolist() == once[::-1, ::-1].tolist()


def test_a_site_whose_setting_changes_gets_other_limits_under_the_same_id() -> None:
    table = HeldLimits(book(kind="noise"), (("Leq", "1h"),))

    def held(entry: Site) -> int:
        cells = table.cells((entry,), np.array([day("2026-06-01")]))
        return int(table.rows(0, cells, np.zeros_like(cells))[0, 0, 2])

    assert held(site("N", kind="noise", zone="1")) == 55_000
    assert held(site("N", kind="noise", zone="4a")) == 70_000


def test_a_profile_says_why_nothing_may_be_judged() -> None:
    table = _table()
    lone = site("SYN-OUT-9")
    cells = table.cells((SITES[0], lone), np.array([day("2026-06-01")]))
    unknown = np.full_like(cells, Warmth.UNKNOWN * NIGHTS)
    why = {pair: table.profiles(output, cells, unknown)[:, 0] >> PROFILE_BITS for output, pair in enumerate(PAIRS)}
    assert why["NH3-N", "1h"].tolist() == [NO_TEMPERATURE, UNSET]
    assert why["COD", "1h"].tolist() == [NOT_JUDGED, UNSET]  # asked only where a level is missing
