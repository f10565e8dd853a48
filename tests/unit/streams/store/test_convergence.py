"""The law of the stores: any order, cut and repetition of writes gives the same table in each of them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.results import ResultHead
from streams.store.contract import EARLIEST_MS, LATEST_MS, ResultStore
from streams.store.memory import MemoryStore
from streams.store.sqlite import SqliteStore
from tests.unit.streams.store.samples import T0, batch, listed, row

_SITES = ("S1", "S2")
ROWS = st.builds(
    row,
    site=st.sampled_from(_SITES),
    start=st.sampled_from([T0, T0 + 1]),
    edition=st.sampled_from(["", "e"]),
    value=st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(0, 2),
    iaqi=st.none() | st.integers(0, 2),
    level=st.none() | st.integers(1, 6),
    reason=st.sampled_from(["", "silent", "invalid"]),
    detail=st.sampled_from(["", "a", "é", "\uffff", "\U0001f600"]),
    revision=st.integers(1, 3),
    at=st.integers(0, 2),
    inputs=st.integers(0, 2**64 - 1) | st.integers(0, 1),
)
HEADS = st.builds(ResultHead, kind=st.sampled_from(["air", "voc"]), pack=st.sampled_from(["p1", "p2"]))
WRITES = st.lists(st.tuples(st.lists(ROWS, max_size=5), HEADS), max_size=8)


def everything(store: ResultStore) -> list[Any]:
    asked = [(site, kind) for site in _SITES for kind in ("air", "voc")]
    return [(kind, listed(store.site_rows(site, EARLIEST_MS, LATEST_MS, kind=kind))) for site, kind in asked]


@settings(max_examples=80, deadline=None)
@given(writes=WRITES)
def test_sqlite_reports_and_holds_what_memory_does_after_every_write(writes: list[Any]) -> None:
    with TemporaryDirectory() as folder, closing(SqliteStore(Path(folder) / "r.db")) as file:
        memory = MemoryStore()
        for rows, head in writes:
            assert file.write(batch(*rows), head) == memory.write(batch(*rows), head)
        assert everything(file) == everything(memory)


@settings(max_examples=80, deadline=None)
@given(writes=WRITES, data=st.data())
def test_order_cuts_and_repetition_do_not_matter(writes: list[Any], data: st.DataObject) -> None:
    once, shuffled = MemoryStore(), MemoryStore()
    for rows, head in writes:
        once.write(batch(*rows), head)
    singles = [(cells, head) for rows, head in writes for cells in rows]
    for cells, head in data.draw(st.permutations(singles + singles[::2])):
        shuffled.write(batch(cells), head)
    assert everything(shuffled) == everything(once)


@settings(max_examples=80, deadline=None)
@given(writes=WRITES)
def test_every_row_is_accepted_kept_or_rejected(writes: list[Any]) -> None:
    store = MemoryStore()
    for rows, head in writes:
        report = store.write(batch(*rows), head)
        assert report.accepted + report.kept + len(report.rejected) == len(rows)
