"""Water through the first stage: order does not matter, and each class is what the table of the standard says."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sensors.clock import HOUR_MS
from sensors.kinds import load_kind
from streams.judging.judge import KindJudge
from streams.judging.registered import JudgingContext, evaluations_of
from streams.standards import load_standards
from tests.air_cases import T0, contents, final, run
from tests.kind_cases import Packet, cut, kind_judge, kind_site

KIND = load_kind("water")
EVALUATIONS = evaluations_of(KIND, JudgingContext(kind=KIND, standards=load_standards()))
SLOT = 4 * HOUR_MS
END = T0 + 54 * HOUR_MS
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
SITES = (
    kind_site(KIND, "river", SLOT, setting={"water": "river", "target": "II"}),
    kind_site(KIND, "lake", SLOT, setting={"water": "lake", "target": None}),
)
# GB 3838-2002 table 1, typed once more: least or greatest value of each class.
LIMITS: dict[str, list[int | str]] = {
    "CODMn": [2, 4, 6, 10, 15],
    "NH3-N": ["0.15", "0.5", 1, "1.5", 2],
    "TP river": ["0.02", "0.1", "0.2", "0.3", "0.4"],
    "TP lake": ["0.01", "0.025", "0.05", "0.1", "0.2"],
    "DO": ["7.5", 6, 5, 3, 2],
}
ITEMS = ("pH", "DO", "CODMn", "NH3-N", "TP")
Readings = dict[str, list[dict[str, str]]]
VALUES = {
    "pH": ["5.99", "6", "7.2", "9", "9.01"],
    "DO": ["1", "2", "3.5", "5", "6", "7.4999", "7.5", "12"],
    "CODMn": ["2", "2.01", "4", "6", "6.0001", "12", "16"],
    "NH3-N": ["0.15", "0.5", "0.50001", "1.2", "2.1"],
    "TP": ["0.01", "0.02", "0.025", "0.05", "0.1", "0.11", "0.3", "0.41"],
    "TN": ["0.2", "1.4", "3"],
    "flow": ["0", "12.5", "-3"],
}
reading = st.fixed_dictionaries({}, optional={name: st.sampled_from(texts) for name, texts in VALUES.items()})
log = st.fixed_dictionaries({site.id: st.lists(reading, min_size=6, max_size=6) for site in SITES})


def judge() -> KindJudge:
    return kind_judge(KIND, SITES, EVALUATIONS)


def packets(readings: Readings) -> list[Packet]:
    return [
        Packet(
            site=name,
            start=T0 + number * SLOT,
            period_ms=SLOT,
            values={item: int(Fraction(text) * 10 ** KIND.factors[item].digits) for item, text in cells.items()},
            flags={},
        )
        for name, slots in readings.items()
        for number, cells in enumerate(slots)
        if cells
    ]


def class_of(item: str, value: Fraction, body: str) -> int:
    """The best class whose limit the value keeps, as the table reads; 6 is worse than V."""
    if item == "pH":
        return 1 if 6 <= value <= 9 else 6
    limits = [Fraction(limit) for limit in LIMITS[f"TP {body}" if item == "TP" else item]]
    kept = [value >= limit if item == "DO" else value <= limit for limit in limits]
    return kept.index(True) + 1 if any(kept) else 6


@settings(max_examples=15, deadline=None, phases=PHASES)
@given(readings=log, order=st.integers(0, 10_000))
def test_each_live_class_is_that_of_the_worst_item_in_the_table(readings: Readings, order: int) -> None:
    table = final(run(judge(), cut(KIND, packets(readings), order, END)))
    said = {(key[0], row["start"]): row for key, row in table.items() if (key[1], key[2]) == ("class", "4h")}
    starts = sorted({start for _, start in said})
    for name, slots in readings.items():
        for number, cells in enumerate(slots):
            found = {item: class_of(item, Fraction(cells[item]), name) for item in ITEMS if item in cells}
            row = said[name, starts[number]]
            worst = max(found.values(), default=None)
            assert (row["value"], row["valid"]) == (worst, len(found))
            deciding = [item for item in ITEMS if worst is not None and found.get(item) == worst > 1]
            assert row["primary"] == ";".join(deciding)


@settings(max_examples=10, deadline=None, phases=PHASES)
@given(readings=log, order=st.integers(0, 10_000), other=st.integers(0, 10_000))
def test_order_cuts_and_repeats_do_not_change_what_is_said_of_water(readings: Readings, order: int, other: int) -> None:
    first, second = (contents(run(judge(), cut(KIND, packets(readings), seed, END))) for seed in (order, other))
    assert first == second


@settings(max_examples=10, deadline=None, phases=PHASES)
@given(readings=log)
def test_a_day_carries_what_its_slots_carry_or_says_that_too_few_are_covered(readings: Readings) -> None:
    table = final(run(judge(), cut(KIND, packets(readings), 1, END)))
    rows: dict[Any, Any] = {(key[0], row["start"]): row for key, row in table.items() if key[1] == "TN.flux"}
    for name, slots in readings.items():
        mine = [row for (site, _), row in rows.items() if site == name and row["valid"]]
        covered = [cells for cells in slots if cells.get("flow") == "0" or {"flow", "TN"} <= set(cells)]
        assert [row["valid"] for row in mine] == ([len(covered)] if covered else [])
        grams = sum(Fraction(cells.get("TN", 0)) * Fraction(cells["flow"]) * 14400 for cells in covered)
        for row in mine:
            assert row["value"] == (round(grams) if len(covered) >= 5 else None)


@pytest.mark.parametrize("name", [site.id for site in SITES])
def test_a_section_that_never_sends_has_no_class(name: str) -> None:
    table = final(run(judge(), cut(KIND, packets({"river": [{"pH": "7"}], "lake": []}), 1, END)))
    rows = [row for key, row in table.items() if key[0] == name and key[1] == "class"]
    assert all(row["value"] is None or name == "river" for row in rows)
