"""Laws of the index, for both editions and both periods."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sensors.factors import load_factors
from streams.air import index
from streams.air.index import NA, IndexTable, Profile, combine, iaqi
from streams.judging.reasons import REASONS, code
from streams.results import Reason
from streams.standards import Breakpoints, IndexEdition, OverTable, load_standards

LAW = settings(deadline=None)  # how long a case takes says nothing about it
SYMBOLS = tuple(load_factors("air"))
EDITIONS = [load_standards().index_named(name) for name in ("HJ633-2012", "HJ633-2026")]
TABLES = [(e, table(e)) for e in EDITIONS for table in (index.real_time_table, index.daily_table)]
CONCENTRATIONS = st.lists(st.integers(0, 500_000), min_size=6, max_size=6)
STATES = st.lists(st.sampled_from([r for r in Reason if r is not Reason.OVER_TABLE]), min_size=6, max_size=6)


def codes(reasons: list[Reason]) -> NDArray[np.uint8]:
    return np.array([[code(reason)] for reason in reasons], dtype=np.uint8)


def formula(column: Breakpoints, concentration: int) -> int:
    """HJ 633 formula (1) in fractions, written as the text writes it."""
    points = [Fraction(point) for point in column.concentrations]
    value = Fraction(round(Fraction(concentration, 100)) * 100)
    if value > points[-1]:
        return NA if column.over is OverTable.NONE else column.indices[-1]
    high = max(1, next(k for k, point in enumerate(points) if value <= point))
    bp_low, bp_high = points[high - 1], points[high]
    iaqi_low, iaqi_high = column.indices[high - 1], column.indices[high]
    return math.ceil(Fraction(iaqi_high - iaqi_low) / (bp_high - bp_low) * (value - bp_low) + iaqi_low)


@LAW
@given(st.sampled_from(TABLES), CONCENTRATIONS)
def test_the_index_is_the_formula_in_fractions(chosen: tuple[IndexEdition, IndexTable], values: list[int]) -> None:
    _, table = chosen
    found, _ = iaqi(np.array(values)[:, None], codes([Reason.OK] * 6), table)
    expected = [formula(item.breakpoints, value) for item, value in zip(table.items, values, strict=True)]
    assert found[:, 0].tolist() == expected


@LAW
@given(st.sampled_from(TABLES), CONCENTRATIONS, st.integers(0, 100_000))
def test_more_pollution_is_never_a_lower_index(
    chosen: tuple[IndexEdition, IndexTable], values: list[int], more: int
) -> None:
    _, table = chosen
    both = np.array([values, [value + more for value in values]]).T
    found, _ = iaqi(both, np.repeat(codes([Reason.OK] * 6), 2, axis=1), table)
    given_ = (found != NA).all(axis=1)
    assert (found[given_, 0] <= found[given_, 1]).all()
    assert ((found[:, 1] != NA) <= (found[:, 0] != NA)).all()


@LAW
@given(st.sampled_from(TABLES), CONCENTRATIONS, STATES, st.sampled_from(Profile))
def test_the_aqi_is_the_largest_of_its_parts_or_not_given(
    chosen: tuple[IndexEdition, IndexTable], values: list[int], states: list[Reason], profile: Profile
) -> None:
    edition, table = chosen
    iaqis, state = iaqi(np.array(values)[:, None], codes(states), table)
    found = combine(iaqis, state, edition, profile)
    parts = [int(part) for part in iaqis[:, 0] if part != NA]
    aqi = int(found.aqi[0])
    if aqi == NA:
        assert not parts or (edition.rest_over == 100 and max(parts) <= 100 and found.missing[0])
        assert found.level[0] == found.primary[0] == 0
    else:
        assert aqi == max(edition.index_min, *parts)
        assert edition.levels[found.level[0] - 1].start <= aqi <= edition.levels[found.level[0] - 1].end
    primary = [bool(found.primary[0] >> bit & 1) for bit in range(6)]
    assert primary == [aqi > 50 and int(part) == aqi for part in iaqis[:, 0]]


@LAW
@given(st.sampled_from(TABLES), CONCENTRATIONS, STATES)
def test_what_is_missing_is_what_has_no_index_though_in_plan(
    chosen: tuple[IndexEdition, IndexTable], values: list[int], states: list[Reason]
) -> None:
    edition, table = chosen
    iaqis, state = iaqi(np.array(values)[:, None], codes(states), table)
    found = combine(iaqis, state, edition)
    reasons = [REASONS[code] for code in state[:, 0]]
    missing = [reason not in {Reason.OK, Reason.NOT_IN_PLAN} for reason in reasons]
    assert [bool(found.missing[0] >> bit & 1) for bit in range(6)] == missing
    assert (iaqis[:, 0] == NA).tolist() == [reason is not Reason.OK for reason in reasons]
    texts = index.missing_details(state, SYMBOLS)[0].split("; ")
    assert [text.split(": ")[0] for text in texts if text] == [s for s, m in zip(SYMBOLS, missing, strict=True) if m]


@LAW
@given(st.sampled_from(TABLES), CONCENTRATIONS, st.integers(0, 5))
def test_an_item_out_of_plan_changes_nothing_but_its_own_part(
    chosen: tuple[IndexEdition, IndexTable], values: list[int], out: int
) -> None:
    edition, table = chosen
    states = [Reason.NOT_IN_PLAN if at == out else Reason.OK for at in range(6)]
    low = [0 if at == out else value for at, value in enumerate(values)]
    without = combine(*iaqi(np.array(values)[:, None], codes(states), table), edition)
    clean = combine(*iaqi(np.array(low)[:, None], codes([Reason.OK] * 6), table), edition)
    assert [without.reason[0], without.missing[0]] == [clean.reason[0], clean.missing[0]]
    assert without.aqi[0] == clean.aqi[0] or without.aqi[0] == NA == clean.aqi[0]
