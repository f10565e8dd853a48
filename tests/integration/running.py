"""The system's own commands as processes, and what came out of their topics."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from confluent_kafka import Consumer, TopicPartition

from sensors.frames import Frame, Tick, decode
from sensors.publisher import lag_of
from streams.history import read_records
from streams.judging.judge import KindJudge
from streams.results import CONTENT_COLUMNS, KEY_COLUMNS, PACKETS, decode_results
from streams.topics import Topics

Table = dict[tuple[Any, ...], tuple[Any, ...]]
ROOT = Path(__file__).parents[2]


@dataclass(slots=True)
class System:
    """Processes of one system; all are dead after the test."""

    environment: Mapping[str, str]
    logs: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start ``jianhu <command>``; its output goes to a file in the log folder."""
        number = len(self.processes)
        with (self.logs / f"{number}-{command[0]}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "jianhu", *command],
                env={**os.environ, **self.environment, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.logs,
            )
        self.processes.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill -9."""
        process.send_signal(signal.SIGKILL)
        process.wait(10)

    def told(self) -> str:
        """Return the end of every process's output, for a failing test."""
        parts = [f"--- {p.name}\n{p.read_text(errors='replace')[-3000:]}" for p in sorted(self.logs.glob("*.log"))]
        return "\n".join(parts)


@contextmanager
def system(environment: Mapping[str, str], logs: Path) -> Iterator[System]:
    """Give a system whose processes end with the block."""
    logs.mkdir(parents=True, exist_ok=True)
    made = System(environment=environment, logs=logs)
    try:
        yield made
    finally:
        for process in made.processes:
            with suppress(ProcessLookupError):
                process.kill()
            process.wait(20)


def records(bootstrap: str, topic: str, partitions: int) -> list[tuple[int, int, bytes]]:
    """Return (partition, offset, value) of everything that a topic holds."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "tests-watermarks"})
    try:
        ends = [consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=20)[1] for p in range(partitions)]
    finally:
        consumer.close()
    return [
        (p, o, v) for p, end in enumerate(ends) for o, v in (read_records(bootstrap, topic, p, 0, end) if end else ())
    ]


def table_of(batches: list[pa.RecordBatch]) -> Table:
    """Return the final table: of each window the content of its greatest revision."""
    final: dict[tuple[Any, ...], tuple[int, tuple[Any, ...]]] = {}
    for batch in batches:
        columns = {name: batch.column(name).to_pylist() for name in (*KEY_COLUMNS, *CONTENT_COLUMNS, "revision")}
        for i in range(batch.num_rows):
            key = tuple(columns[name][i] for name in KEY_COLUMNS)
            said = (columns["revision"][i], tuple(columns[name][i] for name in CONTENT_COLUMNS))
            held = final.get(key)
            assert held is None or held[0] != said[0] or held == said, (
                f"revision {said[0]} of {key} was said in two ways"
            )
            if held is None or said[0] > held[0]:
                final[key] = said
    return {key: content for key, (_, content) in final.items()}


FIRST_STAGE: Final = frozenset({"1h", "8h", "8h_platform", "24h_running", "24h", "MDA8"})
"""The windows of air that the first stage says; longer ones are the second stage's."""


def first_stage(table: Table) -> Table:
    """Return what the first stage said of the air of sites, without the accounts of when packets came."""
    return {key: content for key, content in table.items() if key[2] in FIRST_STAGE and key[1] != PACKETS}


def said_on(bootstrap: str, topics: Topics, partitions: int) -> Table:
    """Return the final table of what went over the results topic, of both stages."""
    answers = (decode_results(value) for _, _, value in records(bootstrap, topics.results("air"), partitions))
    return table_of([answer[1] for answer in answers if not isinstance(answer, Tick)])


def judged_alone(log: list[tuple[int, int, bytes]], judges: Mapping[int, KindJudge]) -> list[pa.RecordBatch]:
    """Return every result that judges make of a log, in this process and without a broker."""
    said: list[pa.RecordBatch] = []
    for partition, _, value in log:
        item = decode(value)
        if isinstance(item, Frame):
            judges[partition].fold(item)
        elif (rows := judges[partition].tick(item.at)) is not None:
            said.append(rows)
    return said


def has_read_all(bootstrap: str, group: str, topic: str, partitions: int) -> bool:
    """Tell whether a group has read everything that a topic holds."""
    return lag_of(bootstrap, group, topic, partitions) == 0


def wait_for(what: str | Callable[[], str], met: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Wait until ``met()`` is true; fail with ``what`` when it never is."""
    until = time.monotonic() + timeout_s
    while not met():
        assert time.monotonic() < until, f"waited {timeout_s} s for {what if isinstance(what, str) else what()}"
        time.sleep(0.1)
