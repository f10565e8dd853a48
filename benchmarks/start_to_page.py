"""How long from ``jianhu up`` in an empty folder to an overview that is full of 48 h.

Full is: the overview shows the newest hour that is closed by the wall clock, every site has a word
of it, and each site's series reaches 48 h back. The aim is 30 s.
"""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic, sleep, time
from typing import Any, Final
from urllib.parse import urlencode

from benchmarks.cost import machine, tree_seconds, wait_for_calm
from benchmarks.watching import BenchmarkError
from scripts.process import free_ports
from sensors.clock import HOUR_MS

AIM_S: Final = 30.0
HISTORY_H: Final = 48
PATIENCE_S: Final = 180.0
_BEIJING: Final = timedelta(hours=8)
_GRACE_MS: Final = 120_000
_STOP_S: Final = 90.0
_OK: Final = 200
_LOOK_S: Final = 0.5
"""More often would cost the console what is measured."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--calm", type=float, default=0.0, metavar="S", help="wait so long for an idle machine")


def run(given: argparse.Namespace) -> int:
    """Measure and print; return 0 when the median is within the aim."""
    print(machine())
    times = []
    for _ in range(given.runs):
        busy = wait_for_calm(given.calm)
        found = start_once()
        times.append(found.full_s)
        print(
            f"first page {found.first_s:.1f} s, full of {HISTORY_H} h {found.full_s:.1f} s, "
            f"{found.cpu_s:.1f} s of CPU; {busy:.1f} cores busy before",
            flush=True,
        )
    print(f"median {median(times):.1f} s, aim {AIM_S:.0f} s")
    return int(median(times) > AIM_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One start: seconds since ``jianhu up`` was called."""

    first_s: float
    """To the first answer of the console."""
    full_s: float
    """To the full page."""
    cpu_s: float
    """CPU seconds of all its processes until then."""


def start_once() -> Start:
    """Start everything once in an empty folder, wait for the full page, and stop it.

    Raises
    ------
    BenchmarkError
        When it ends, or is not full in time.
    """
    with TemporaryDirectory(prefix="jianhu-page-", ignore_cleanup_errors=True) as folder:
        port, began = free_ports(1)[0], monotonic()
        closed = newest_closed(int(time() * 1000))
        command = [sys.executable, "-m", "jianhu", "up", "--dir", folder, "--port", str(port)]
        up = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
        try:
            first = 0.0
            while monotonic() - began < PATIENCE_S:
                overview = ask(port, "/api/v1/overview")
                first = first or (monotonic() - began if overview else 0.0)
                if overview and is_full(port, overview, closed):
                    return Start(first_s=first, full_s=monotonic() - began, cpu_s=tree_seconds(up.pid))
                if up.poll() is not None:
                    raise BenchmarkError(f"`jianhu up` ended with {up.returncode}")
                sleep(_LOOK_S)
            raise BenchmarkError(f"not full after {PATIENCE_S:.0f} s; logs: {_logs(Path(folder))}")
        finally:
            up.terminate()
            up.wait(_STOP_S)


def newest_closed(now_ms: int) -> int:
    """Return the start of the newest hour that is closed at this wall time."""
    return ((now_ms - _GRACE_MS) // HOUR_MS - 1) * HOUR_MS


def is_full(port: int, overview: dict[str, Any], closed: int) -> bool:
    """Tell whether the overview shows the hour ``closed`` or a later one, and every site 48 h up to it."""
    hour = overview["hour"]
    if hour is None or hour["start"] < closed or not hour["stations"]:
        return False
    query = {"from": _beijing(hour["start"] - (HISTORY_H - 1) * HOUR_MS), "to": _beijing(hour["start"] + HOUR_MS)}
    for station in hour["stations"]:
        series = ask(port, "/api/v1/series?" + urlencode({"site": station["site"], "window": "1h", **query}))
        if series is None or sum("revision" in point for point in series["index"]) < HISTORY_H:
            return False
    return ask(port, "/", text=True) is not None


def ask(port: int, path: str, *, text: bool = False) -> Any:
    """Return what a local page answers as data, or as text; None while it does not answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    except OSError:
        return None
    finally:
        connection.close()
    if answer.status != _OK:
        return None
    return body.decode() if text else json.loads(body)


def _beijing(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC) + _BEIJING:%Y-%m-%dT%H:%M}"


def _logs(folder: Path) -> str:
    return "\n".join(path.read_text(errors="replace")[-500:] for path in sorted((folder / "logs").glob("*.log")))
