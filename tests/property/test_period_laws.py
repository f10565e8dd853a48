"""Laws of the second stage: order, cuts, duplicates and revisions out of order change nothing; it equals a batch."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sensors.clock import HOUR_MS
from sensors.kinds import Kind, load_kind
from sensors.registry import Site
from sensors.windows import Span
from streams.periods.calendar import day_date
from streams.periods.judge import PeriodJudge
from streams.periods.registered import PeriodContext
from streams.periods.statistics import percentile
from streams.standards import load_standards
from tests.discharge_cases import permits
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


MONTHS = [day_no(f"{year}-{month:02}-01") for year in (2024, 2025) for month in range(1, 13)][:16]
"""First days: a year and four months, so the last months look back on the first and are compared with them."""
STRETCHES = [*pairwise(MONTHS)]
CALIBRATED = """sites:
  - site: OUT
    calibrations: [{factor: COD, passed: 2024-02-15, author: x}, {factor: COD, passed: 2024-09-01, author: x}]
"""


def with_few_windows(name: str) -> Kind:
    """Return a kind with fewer windows, so a case takes less time."""
    kind, left_out = load_kind(name), (Span.RUNNING_YEAR, Span.QUARTER)
    return replace(kind, windows=tuple(w for w in kind.windows if w.span not in left_out))


WATER, OUTFALL = with_few_windows("water"), with_few_windows("outfall")
SECTION = replace(
    site("SEC", kind="water", areas=("R",), setting={"water": "river", "target": "III"}),
    station_class="river_section",
    period_ms=4 * HOUR_MS,
)
OUTLET = replace(site("OUT", kind="outfall", areas=("F",), setting={"use": "plant"}), station_class="plant")
KEPT = {"pH": 7.0, "DO": 8.0, "CODMn": 2.0, "TP": 0.05}


def section_days(month: int, ammonia: float | None, *, revision: int = 1) -> list[Row]:
    """Return the days of one month of the section, with one value of ammonia."""
    values: dict[str, float | None] = {**KEPT, "NH3-N": ammonia}
    return [
        day_row(WATER, "SEC", factor, day, value, revision=revision)
        for day in range(*STRETCHES[month])
        for factor, value in values.items()
    ]


def outlet_days(month: int, load: float | None, *, revision: int = 1) -> list[Row]:
    """Return the days of one month of the outlet: grams of COD a day."""
    stored = None if load is None else int(load)
    reason = "incomplete" if load is None else ""
    return [
        Row(
            site="OUT", factor="COD.load", window="24h", start=day_ms(day), value=stored, digits=3, reason=reason,
            revision=revision,
        )
        for day in range(*STRETCHES[month])
    ]  # fmt: skip


def lived(kind: Kind, member: Site, parts: Sequence[tuple[list[Row], int]], end: int) -> dict[Any, Any]:
    """Return what a judge says at last of parts that come one after the other, each followed by a tick."""
    places = registry([member], [area(member.areas[0], "river" if kind is WATER else "firm")])
    context = PeriodContext(kind=kind, standards=load_standards(), registry=places, permits=permits(CALIBRATED))
    made = PeriodJudge(partition=0, partitions=1, kind=kind, registry=places, context=context)
    said = []
    for rows, through in parts:
        made.fold(batch(rows))
        said.append(made.tick(after(through), 0))
    said.append(made.tick(after(end), 0))
    return contents(said)


@st.composite
def months_in_some_order(draw: st.DrawFn, worst: float) -> list[tuple[int, float | None, int]]:
    """Return months with a value each, some of them corrected, in the order in which they come."""
    values = st.one_of(st.none(), st.sampled_from([worst, worst / 5, worst / 20]))
    every = [(month, draw(values), 1) for month in range(len(STRETCHES))]
    again = draw(st.lists(st.sampled_from(range(len(STRETCHES))), unique=True, max_size=3))
    return draw(st.permutations([*every, *((month, draw(values), 2) for month in again)]))


def in_batches(parts: list[list[Row]], end: int, lag: int) -> list[tuple[list[Row], int]]:
    """Return four parts at a time, each with the newest day that is over by then: late or in time."""
    batches = [
        [row for rows in some for row in rows] for some in (parts[at : at + 4] for at in range(0, len(parts), 4))
    ]
    return [(rows, min(end, end - lag + number * 150)) for number, rows in enumerate(batches)]


@settings(FAST, max_examples=3)
@given(months=months_in_some_order(3.0), lag=st.integers(0, 400))
def test_late_months_of_water_change_all_that_looks_back_on_them(
    months: list[tuple[int, float | None, int]], lag: int
) -> None:
    parts = [section_days(month, value, revision=revision) for month, value, revision in months]
    end = MONTHS[-1] - 1
    once = lived(WATER, SECTION, [([row for rows in parts for row in rows], end)], end)
    cut = in_batches(parts, end, lag)
    assert lived(WATER, SECTION, cut, end) == once
    assert any(key[1] == "stability" for key in once)


@settings(FAST, max_examples=8)
@given(months=months_in_some_order(90_000), lag=st.integers(0, 400))
def test_late_months_of_loads_change_all_that_stands_in_by_them(
    months: list[tuple[int, float | None, int]], lag: int
) -> None:
    parts = [outlet_days(month, value, revision=revision) for month, value, revision in months]
    end = MONTHS[-1] - 1
    once = lived(OUTFALL, OUTLET, [([row for rows in parts for row in rows], end)], end)
    cut = in_batches(parts, end, lag)
    assert lived(OUTFALL, OUTLET, cut, end) == once
    assert any(key[:3] == ("F", "COD.load", "month") for key in once)


def test_one_bad_month_that_comes_a_year_late_is_seen_in_the_stability_of_every_month_after_it() -> None:
    end = MONTHS[-1] - 1
    early, rest = section_days(0, 3.0), [row for month in range(1, 15) for row in section_days(month, 0.1)]
    before = lived(WATER, SECTION, [(rest, end)], end)
    late = lived(WATER, SECTION, [(rest, end), (early, end)], end)
    months = {key[3] for key in late if key[1] == "stability" and late[key] != before.get(key)}
    assert months == {day_ms(first) for first in MONTHS[:12]}  # that of January 2025 begins with February 2024


def test_the_largest_load_before_a_calibration_stands_in_however_late_it_comes() -> None:
    end = MONTHS[-1] - 1
    early = outlet_days(0, 90_000)
    rest = [row for month in range(1, 15) for row in outlet_days(month, None if month == 2 else 10_000)]
    late = lived(OUTFALL, OUTLET, [(rest, end), (early, end)], end)
    march = next(row for key, row in late.items() if key[:4] == ("OUT", "COD.load", "month", day_ms(MONTHS[2])))
    assert day_date(MONTHS[2]).isoformat() == "2024-03-01"
    assert march[0] == 31 * 90_000  # the 30 days before 15 February hold the last half of January
