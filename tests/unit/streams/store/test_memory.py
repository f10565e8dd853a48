"""What the memory twin promises beside the contract."""

from __future__ import annotations

from streams.store.memory import MemoryStore
from tests.unit.streams.store.samples import HEAD, HOUR, T0, batch, listed, row


def test_two_memory_stores_share_nothing() -> None:
    first, second = MemoryStore(), MemoryStore()
    first.write(batch(row()), HEAD)
    first.note_tick("air", 0, 1, 1)
    assert second.slice(HOUR, T0).num_rows == 0
    assert second.clock() is None


def test_a_table_once_read_does_not_change_with_later_writes() -> None:
    store = MemoryStore()
    store.write(batch(row(value=1)), HEAD)
    before = store.slice(HOUR, T0)
    store.write(batch(row(value=2, revision=2)), HEAD)
    assert listed(before) == [row(value=1)]


def test_what_was_held_is_still_there_after_closing() -> None:
    store = MemoryStore()
    store.write(batch(row(value=1)), HEAD)
    store.close()
    assert store.latest(HOUR) == T0
