"""How many packets a second jianhu takes through a real Kafka, beside Quix Streams in the same run.

``python -m benchmarks stream``. Both get the same packets and must give the same hourly means and
indices, or the benchmark fails.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.core import CoreCost, run_core
from benchmarks.cost import machine, wait_for_calm
from benchmarks.load import FRAME_MINUTES
from benchmarks.packets import site_names, true_means
from benchmarks.report import comparison, core_lines, table
from benchmarks.sides import Flink, Place, Run, run_flink, run_jianhu, run_quix
from benchmarks.watching import BenchmarkError, check
from scripts import places
from scripts.services import KafkaNode, running

RESULTS: Final = Path(__file__).parent / "results"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("--sites", type=int, default=1_000)
    parser.add_argument("--hours", type=int, default=24, help="hours of minutes for jianhu")
    parser.add_argument("--quix-hours", type=int, default=4, help="the first so many of them for Quix Streams")
    parser.add_argument(
        "--frame-minutes", type=int, default=FRAME_MINUTES, choices=[1, 2, 5, 10, 15], help="in a frame"
    )
    parser.add_argument("--runs", type=int, default=3, help="runs of each side, in turn")
    parser.add_argument("--calm", type=float, default=0.0, metavar="S", help="wait so long for an idle machine")
    parser.add_argument("--quix-python", type=Path, default=places.cache() / "bench-venv" / "bin" / "python")
    parser.add_argument("--flink", type=Path, default=places.cache() / "flink", help="folder of PyFlink and its jar")
    parser.add_argument("--write", action="store_true", help=f"keep the table in {RESULTS.name}/")


def run(given: argparse.Namespace) -> int:
    """Measure, print, and write the table; return the exit code.

    Raises
    ------
    BenchmarkError
        When a side does not give the right results, or something that is needed is not there.
    """
    lib = places.kafka_lib()
    if lib is None or not given.quix_python.exists():
        raise BenchmarkError("Kafka or the environment of Quix Streams is not there; `make bench` makes both")
    if given.quix_hours > given.hours:
        raise BenchmarkError("the other sides get the first hours of those that jianhu gets, not more")
    sites = site_names(given.sites)
    with running(lambda home: KafkaNode(home, lib)) as node, TemporaryDirectory(prefix="jianhu-bench-") as folder:
        flink = _flink(given.flink)
        place = Place(node=node, folder=Path(folder), sites=sites, quix_python=given.quix_python, flink=flink)
        sides = _measure(place, given)
    costs = _measure_core(sites, given)
    text = "\n".join(_report(given, sides, costs)) + "\n"
    print(text)
    if given.write:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-stream.md").write_text(text, encoding="utf-8")
    return 0


def _flink(home: Path) -> Flink | None:
    """Return PyFlink and its connector in a folder; None, and a line, when they are not there."""
    jars = sorted(home.glob("flink-sql-connector-kafka-*.jar"))
    python = home / "venv" / "bin" / "python"
    if not jars or not python.exists():
        print(f"Flink is left out: it is not in {home}; `make bench-flink` makes it", flush=True)
        return None
    return Flink(python=python, jar=jars[-1])


def _measure(place: Place, given: argparse.Namespace) -> list[list[Run]]:
    """Return the runs of jianhu, of Quix Streams with and without changelog, and of Flink SQL, all checked."""
    truth = true_means(place.sites, given.hours)
    part = true_means(place.sites, given.quix_hours)
    others: list[Callable[[], Run]] = [
        lambda: run_quix(place, given.quix_hours, changelog=True),
        lambda: run_quix(place, given.quix_hours, changelog=False),
    ]
    if (flink := place.flink) is not None:
        others.append(lambda: run_flink(place, given.quix_hours, flink))
    sides: list[list[Run]] = [[] for _ in range(1 + len(others))]
    for _ in range(given.runs):
        wait_for_calm(given.calm)
        sides[0].append(run_jianhu(place, given.hours, given.frame_minutes))
        _tell(sides[0][-1])
        ours = sides[0][-1].said
        check("jianhu", ours, truth)
        for runs, other in zip(sides[1:], others, strict=True):
            wait_for_calm(given.calm)
            runs.append(other())
            _tell(runs[-1])
            check(runs[-1].side, runs[-1].said, part, {hour: ours.indices[hour] for hour in part})
    return sides


def _tell(done: Run) -> None:
    print(f"{done.side}: {done.span_s:.1f} s, {done.per_worker:,.0f} packets a CPU second, results equal", flush=True)


def _measure_core(sites: tuple[str, ...], given: argparse.Namespace) -> list[CoreCost]:
    wait_for_calm(given.calm)
    return [run_core(sites, min(given.hours, 12), given.frame_minutes) for _ in range(given.runs)]


def _report(given: argparse.Namespace, sides: list[list[Run]], costs: list[CoreCost]) -> Iterator[str]:
    yield f"# Packets a second through Kafka, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    yield ""
    yield f"Machine: {machine()}."
    yield f"Software: {_software(given.quix_python)}."
    yield (
        f"Compared: {given.sites:,} sites x 6 factors, a packet a minute; jianhu got {given.hours} h in frames of "
        f"{given.frame_minutes} minutes with a tick after each, "
        f"the others the first {given.quix_hours} h of them as JSON, one packet a message; 4 partitions, one worker "
        "process each, one Kafka node, topics filled before the worker starts. Both means and indices were equal to "
        f"each other and to the true ones. {given.runs} runs in turn: median (least … greatest)."
    )
    yield (
        "jianhu judges 8 h, running 24 h and daily windows, flags and revisions besides; the others hours and AQI. "
        "Flink: state in memory without checkpoints, parallelism 1; CPU is that of Python and the JVM together."
    )
    yield ""
    yield from table(sides)
    yield ""
    for theirs in sides[1:]:
        yield from comparison(sides[0], theirs)
    yield ""
    yield "The judge alone, in one process without Kafka and Faust, on the same frames:"
    yield ""
    yield from core_lines(costs)


def _software(quix_python: Path) -> str:
    asked = (
        "import importlib.metadata as m; print(*(f'{n} {m.version(n)}' for n in ('quixstreams', 'confluent-kafka')))"
    )
    theirs = subprocess.run([str(quix_python), "-c", asked], capture_output=True, text=True, check=True)  # noqa: S603
    names = ("faust-streaming", "pyarrow", "numpy")
    ours = ", ".join(f"{name} {version(name)}" for name in names)
    return f"Python {platform.python_version()}, {ours}; {theirs.stdout.strip()}; Kafka {places.KAFKA_VERSION}"
