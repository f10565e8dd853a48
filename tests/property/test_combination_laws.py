"""Laws of combined rules: what is unknown never accuses, and the judge says the same of a log however it is cut."""

from __future__ import annotations

from itertools import product

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sensors.clock import HOUR_MS
from sensors.kinds import Kind
from sensors.tables import TableOutcome, Truth, TruthTable
from streams.combining.evaluation import CombinationEvaluation
from streams.results import ResultHead, encode_results
from tests.air_cases import T0, contents, run
from tests.kind_cases import cut, kind_judge, kind_of, kind_site, random_packets
from tests.unit.sensors.test_tables import KIND, TABLE

PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
END = T0 + 30 * HOUR_MS
LOOKS_BACK = KIND + TABLE.replace("at_least: 0.5 L/s", "on: 20 L/s, off: 10 L/s, within: 3")


def _kinds() -> list[Kind]:
    return [kind_of(LOOKS_BACK), kind_of(KIND + TABLE)]


TABLES = [table for kind in _kinds() for table in kind.tables]


@given(table=st.sampled_from(TABLES), data=st.data())
def test_more_knowledge_never_turns_a_decided_cell_into_another(table: TruthTable, data: st.DataObject) -> None:
    truths = tuple(data.draw(st.sampled_from(Truth)) for _ in table.conditions)
    outcome = table.outcomes[table.cell(truths)]
    choices = [(Truth.NO, Truth.YES) if one is Truth.UNKNOWN else (one,) for one in truths]
    completed = {table.outcomes[table.cell(each)] for each in product(*choices)}
    assert completed == {outcome} if outcome is not TableOutcome.UNKNOWN else len(completed) > 1


@settings(max_examples=3, deadline=None, phases=PHASES)
@given(seed=st.integers(0, 10_000), order=st.integers(0, 10_000), other=st.integers(0, 10_000))
def test_combined_rules_converge_whatever_the_order_and_the_cuts(seed: int, order: int, other: int) -> None:
    kind = kind_of(LOOKS_BACK)
    sites = tuple(kind_site(kind, name, kind.fine_ms, setting={"power_on": 15.0}) for name in "ABC")
    packets = random_packets(kind, sites[:2], seed, 12)
    found = [
        contents(run(kind_judge(kind, sites, (CombinationEvaluation(kind),)), cut(kind, packets, one, END)))
        for one in (order, other)
    ]
    assert found[0] == found[1]
    rows = {key: row for key, row in found[0].items() if key[1] == "idle"}
    assert {key[0] for key in rows} == {"A", "B", "C"}


@settings(max_examples=1, deadline=None, phases=PHASES)
@given(seed=st.integers(0, 10_000), order=st.integers(0, 10_000))
def test_combined_rules_judged_twice_say_the_same_bytes(seed: int, order: int) -> None:
    kind = kind_of(LOOKS_BACK)
    sites = tuple(kind_site(kind, name, kind.fine_ms, setting={"power_on": 15.0}) for name in "AB")
    log = cut(kind, random_packets(kind, sites, seed, 12), order, END)
    head = ResultHead(kind=kind.name, pack="pack")
    said = [
        [encode_results(head, rows) for rows in run(kind_judge(kind, sites, (CombinationEvaluation(kind),)), log)]
        for _ in range(2)
    ]
    assert said[0] == said[1]
