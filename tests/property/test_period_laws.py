"""Laws of the second stage: order, cuts, duplicates and revisions out of order change nothing; it equals a batch."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from streams.periods.statistics import percentile
from tests.period_cases import (
    Row,
    after,
    air,
    area,
    batch,
    contents,
    day_ms,
    day_no,
    day_row,
    final,
    judge,
    registry,
    site,
)

AIR = air(evaluations=())
WHOLE = air()
FIRST = day_no("2024-11-20")
DAYS = 50
SITES = ("A", "B", "D")
REGISTRY = registry([site(name, areas=("C",)) for name in SITES], [area("C", "county")])


FAST = settings(deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))  # a case is long: no shrinking


def _order(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  an order, no secret


@st.composite
def rows_of_days(draw: st.DrawFn) -> list[Row]:
    """Return revisions of days of three sites over the turn of a year."""
    cells = draw(
        st.lists(
            st.tuples(
                st.sampled_from(SITES), st.sampled_from(["PM2.5", "O3"]), st.integers(0, DAYS - 1), st.integers(1, 3)
            ),
            unique=True, max_size=60,
        )
    )  # fmt: skip
    return [
        day_row(AIR, name, factor, FIRST + day, draw(st.one_of(st.none(), st.integers(0, 400))), revision=revision)
        for name, factor, day, revision in cells
    ]


def played(rows: list[Row], order: random.Random, cuts: int, *, ticks: bool, kind: Any = AIR) -> list[Any]:
    """Return what is said of rows in some order and cut, some of them twice."""
    shuffled = [*rows, *order.sample(rows, len(rows) // 2)]
    order.shuffle(shuffled)
    made, said = judge(REGISTRY, kind), []
    size = max(1, len(shuffled) // cuts)
    for number, begin in enumerate(range(0, len(shuffled), size)):
        made.fold(batch(shuffled[begin : begin + size]))
        if ticks:
            said.append(made.tick(after(FIRST + DAYS * min(number, cuts) // cuts), 0))
    said.append(made.tick(after(FIRST + DAYS), 0))
    return said


@settings(FAST, max_examples=12)
@given(rows=rows_of_days(), seed=st.integers(0, 2**32), cuts=st.integers(1, 6))
def test_order_cuts_duplicates_and_ticks_do_not_matter(rows: list[Row], seed: int, cuts: int) -> None:
    once = contents(played(rows, _order(1), 1, ticks=False))
    assert contents(played(rows, _order(seed), cuts, ticks=True)) == once


@settings(FAST, max_examples=3)
@given(rows=rows_of_days(), seed=st.integers(0, 2**32))
def test_the_same_holds_of_what_evaluations_say(rows: list[Row], seed: int) -> None:
    once = contents(played(rows, _order(1), 1, ticks=False, kind=WHOLE))
    assert contents(played(rows, _order(seed), 4, ticks=True, kind=WHOLE)) == once


@settings(FAST, max_examples=4)
@given(rows=rows_of_days(), seed=st.integers(0, 2**32))
def test_the_same_log_gives_the_same_bytes(rows: list[Row], seed: int) -> None:
    first, second = (
        [b if b is None else b.serialize().to_pybytes() for b in played(rows, _order(seed), 5, ticks=True)]
        for _ in range(2)
    )
    assert first == second


def reference(rows: list[Row]) -> dict[tuple[str, str, int], float | None]:
    """Return the months of sites as pandas makes them: name, factor, day number of the first → mean or None."""
    table = pd.DataFrame(
        [(r.site, r.factor, (r.start + 8 * 3_600_000) // 86_400_000, r.revision, r.value) for r in rows],
        columns=["site", "factor", "day", "revision", "value"],
    )
    newest = table.sort_values("revision").drop_duplicates(["site", "factor", "day"], keep="last").copy()
    newest["date"] = pd.to_datetime(newest["day"], unit="D")
    found: dict[tuple[str, str, int], float | None] = {}
    for (name, factor, month), group in newest.groupby(["site", "factor", newest["date"].dt.to_period("M")]):
        least = 25 if month.month == 2 else 27
        due = min(month.days_in_month, FIRST + DAYS - day_no(str(month.start_time.date())) + 1)
        needed = -(-least * due // month.days_in_month)
        values = group["value"].dropna()
        key = (name, factor, day_no(str(month.start_time.date())))
        found[key] = None if len(values) < max(1, needed) else float(values.mean())
    return found


@settings(FAST, max_examples=6)
@given(seed=st.integers(0, 2**32), holes=st.integers(0, 8))
def test_the_stream_equals_a_batch_by_pandas(seed: int, holes: int) -> None:
    order = _order(seed)
    rows = []
    for name in SITES:
        for day in range(DAYS + 1):
            value = None if order.random() < holes / 60 else order.randint(0, 300)
            rows.append(day_row(AIR, name, "PM2.5", FIRST + day, value))
            if order.random() < 0.1:
                rows.append(day_row(AIR, name, "PM2.5", FIRST + day, order.randint(0, 300), revision=2))
    said = final(played(rows, order, 4, ticks=True))
    expected = reference(rows)
    months = {(*key[:2], key[3]): row for key, row in said.items() if key[2] == "month" and key[0] in SITES}
    assert {(a, b, day_ms(c)) for a, b, c in expected} == set(months)
    for (name, factor, day), mean in expected.items():
        row = months[name, factor, day_ms(day)]
        if mean is None:
            assert row["value"] is None
        else:
            assert row["value"] is not None
            assert abs(row["value"] - mean) <= 50  # rounded to whole µg/m³


@given(
    values=st.lists(st.integers(0, 100_000), min_size=1, max_size=40),
    share=st.sampled_from([Fraction(90, 100), Fraction(95, 100), Fraction(98, 100), Fraction(1, 2)]),
)
def test_a_percentile_is_numpys_linear_one(values: list[int], share: Fraction) -> None:
    numbers = np.array([values], np.int64) * 100
    found = percentile(numbers, np.ones_like(numbers, np.bool_), share)
    assert abs(int(found.value[0]) - float(np.percentile(numbers[0], float(share) * 100))) <= 1
