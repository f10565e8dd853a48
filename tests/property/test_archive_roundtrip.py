from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.frames import Frame, Origin, Tick
from streams import archive as archive_module
from streams.archive import Archive, read_segment
from streams.judging.slots import keys_of
from streams.segments import OFFSET, joined, rows_of
from tests.packets import FACTORS, T0, Item, frame, message, packet, told

LOG, TOPIC = "log", "readings.air"
VALUES = st.none() | st.integers(0, 10**6)
FLAGS = st.none() | st.sampled_from([ord("N"), ord("C"), 0])
ROWS = st.builds(
    packet,
    site=st.sampled_from("ABC"),
    start=st.integers(0, 3).map(lambda hour: T0 + hour * HOUR_MS),
    value=VALUES,
    correction=st.integers(-1, 300),
    received=st.integers(T0, T0 + 10 * HOUR_MS),
    O3=VALUES,
    **{"O3.flag": FLAGS, "PM2.5.flag": FLAGS},
)
FRAMES = st.builds(
    lambda rows, more: frame(*rows, **more),
    st.lists(ROWS, max_size=5),
    st.fixed_dictionaries(
        {"period_ms": st.sampled_from([MINUTE_MS, HOUR_MS]), "origin": st.sampled_from(list(Origin))},
        optional={"synthetic": st.booleans()},
    ),
)
TICKS = st.integers(T0, T0 + 5 * HOUR_MS).map(Tick)
LOGS = st.lists(FRAMES | TICKS, min_size=1, max_size=25)
Slots = dict[tuple[Any, ...], int]


def slots(items: Iterable[Item]) -> list[Slots | int]:
    """Return the slots as they stand at each tick, and the ticks: what a judge sees of a log."""
    held: Slots = {}
    seen: list[Slots | int] = []
    for item in items:
        if isinstance(item, Tick):
            seen += [dict(held), item.at]
            continue
        keys = keys_of(item, dict.fromkeys(FACTORS))
        sites, starts = item.rows.column("site").to_pylist(), item.rows.column("start").cast(pa.int64()).to_pylist()
        for row, (site, start) in enumerate(zip(sites, starts, strict=True)):
            for place, factor in enumerate(FACTORS):
                where = (item.head.period_ms, site, start, factor)
                if keys[row, place] > held.get(where, 0):
                    held[where] = int(keys[row, place])
    return [*seen, held]


def pieces(log: list[Item], cuts: Iterator[int]) -> Iterator[tuple[int, list[Item]]]:
    begin = 0
    while begin < len(log):
        end = min(begin + next(cuts), len(log))
        yield begin, log[begin:end]
        begin = end


def write(archive: Archive, begin: int, items: list[Item]) -> None:
    rows = joined([rows_of("readings", begin + place, message(item)) for place, item in enumerate(items)])
    ticks = [item.at for item in items if isinstance(item, Tick)]
    held = archive.last_tick(TOPIC, 0) or 0
    archive.write(LOG, TOPIC, 0, rows, first=begin, last=begin + len(items) - 1, last_tick=max([held, *ticks]))


def read(archive: Archive) -> list[Item]:
    return [item for segment in archive.segments(TOPIC, 0) for item in archive.items(segment, None)]


def offsets(archive: Archive) -> list[int]:
    return [o for s in archive.segments(TOPIC, 0) for o in read_segment(s).column(OFFSET).to_pylist()]


def rows_at(log: list[Item]) -> list[int]:
    return [o for o, item in enumerate(log) for _ in range(item.rows.num_rows if isinstance(item, Frame) else 1)]


class Killed(BaseException):
    """Stands for SIGKILL: nothing after it is done."""


@contextmanager
def dying(after: int | None) -> Iterator[None]:
    """Let the process die before file operation number ``after``; no operation waits for a disk."""
    done = 0

    def counted(do: Callable[..., Any]) -> Callable[..., Any]:
        def operation(*given: Any, **more: Any) -> Any:
            nonlocal done
            done += 1
            if after is not None and done > after:
                raise Killed
            return do(*given, **more)

        return operation

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", counted(lambda _: None))
        for name in ("open", "replace", "unlink", "mkdir"):
            patch.setattr(Path, name, counted(getattr(Path, name)))
        patch.setattr(archive_module, "MERGE_AT", 3)
        yield


@given(LOGS, st.lists(st.integers(1, 6), min_size=25, max_size=25), st.sampled_from([0, 1]))
@settings(deadline=None, max_examples=40)
def test_a_log_through_the_archive_folds_to_the_same_slots_at_every_tick(
    log: list[Item], cuts: list[int], merges: int
) -> None:
    with tempfile.TemporaryDirectory() as folder, dying(None):
        archive = Archive(Path(folder))
        archive.open_log(LOG, 1)
        for begin, items in pieces(log, iter(cuts)):
            write(archive, begin, items)
            for _ in range(merges):
                archive.merge_small(LOG, TOPIC, 0)
        found = read(archive)
        assert sorted(map(str, told(found))) == sorted(map(str, told(log)))
        assert slots(found) == slots(log)
        assert offsets(archive) == rows_at(log)


@given(LOGS, st.lists(st.integers(1, 3), min_size=25, max_size=25), st.lists(st.integers(0, 40), max_size=4))
@settings(deadline=None, max_examples=60)
def test_a_writer_killed_at_any_file_operation_loses_and_doubles_nothing(
    log: list[Item], cuts: list[int], lives: list[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for after in [*lives, None]:
            with dying(after):
                try:
                    live(Archive(Path(folder)), log, cuts)
                except Killed:
                    continue
        with dying(None):
            archive = Archive(Path(folder))
            assert offsets(archive) == rows_at(log)
            assert slots(read(archive)) == slots(log)


def live(archive: Archive, log: list[Item], cuts: list[int]) -> None:
    """Do what the archiver does in one life: go on where the last whole segment ends."""
    archive.open_log(LOG, 1)
    archive.clear_drafts(LOG)
    begin = archive.end(LOG, TOPIC, 0) or 0
    for place, items in pieces(log[begin:], iter(cuts)):
        write(archive, begin + place, items)
        archive.merge_small(LOG, TOPIC, 0)
