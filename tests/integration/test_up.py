"""``jianhu up`` as a new user starts it: embedded broker, SQLite, console; stopped, killed and started again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from scripts.process import free_ports
from sensors.clock import HOUR_MS
from sensors.registry import load_registry
from streams.store.sqlite import Access, SqliteStore
from tests.integration.running import ROOT, system, wait_for

pytestmark = [pytest.mark.integration, pytest.mark.slow]
OWED = 42
PAGE_S = 240
"""A first page takes half a minute on an idle machine."""
KINDS = ("air", "ecoflow", "meteo", "noise", "operation", "outfall", "voc", "water")
REGISTRY = ROOT / "simulators" / "data" / "shangyu" / "registry.yaml"
HISTORY_H = 48


def _asked(port: int, path: str) -> Any:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return json.loads(answer.read())
    except OSError:
        return None


def _full(port: int) -> bool:
    """Tell whether the page shows a whole newest hour and a day of trend of a station that always sends."""
    overview = _asked(port, "/api/v1/overview")
    hour = (overview or {}).get("hour")
    if not hour or hour["owed"] != OWED or hour["came"] < OWED - 3:
        return False
    return all(value is not None for s in hour["stations"] if s["site"] == "SYN-D01" for value in s["trend"][-20:])


def _newest(port: int) -> int:
    """Return the start of the hour that the page shows; 0 when it shows none."""
    hour = (_asked(port, "/api/v1/overview") or {}).get("hour")
    return int(hour["start"]) if hour else 0


def _table(folder: Path, start_ms: int) -> dict[Any, Any]:
    """Return what is said of the hours that begin then: sites and areas of every kind."""
    store = SqliteStore(folder / "results.sqlite", Access.READ)
    try:
        rows = [(kind, row) for kind in KINDS for row in store.slice("1h", start_ms, kind).to_pylist()]
    finally:
        store.close()
    return {
        (kind, row["site"], row["factor"]): (row["value"], row["reason"], row["valid"], row["inputs"])
        for kind, row in rows
    }


def _told_of(folder: Path) -> set[str]:
    """Return the sites of which people were told by the channel that stays on this machine; every message is marked."""
    path = folder / "notices" / "messages.jsonl"
    if not path.exists():
        return set()
    *whole, _torn = path.read_text(encoding="utf-8").split("\n")
    messages = [json.loads(line) for line in whole]
    assert all(one["synthetic"] and "模拟数据" in one["subject"] for one in messages)
    return {event["site"] for one in messages for event in one["payload"]["events"]}


def _whole(table: dict[Any, Any]) -> bool:
    """Tell whether an hour of air is there: of all stations six factors, index and count of packets, and the county."""
    air = {(site, factor) for kind, site, factor in table if kind == "air"}
    return sum(site in _stations() for site, _ in air) == OWED * 8 and ("shangyu", "AQI") in air


@cache
def _stations() -> frozenset[str]:
    return frozenset(site.id for site in load_registry(REGISTRY).sites if site.kind == "air")


def _areas_whole(folder: Path, hour: int) -> bool:
    """Look at three hours, and not again at once: looking takes CPU from those who are looked at."""
    time.sleep(2)
    return all(_whole(_table(folder, hour - h * HOUR_MS)) for h in (1, 20, 39))


def _said_of_files(port: int) -> str | None:
    """Return what the console says is wrong with the files; None when it does not answer."""
    state = _asked(port, "/api/v1/configuration")
    return None if state is None else str(state.get("refused", ""))


def _children(folder: Path) -> list[int]:
    """Return the processes that work on a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                environment = (entry / "environ").read_bytes()
            except OSError:
                continue
            if f"JIANHU_DIR={folder}".encode() in environment.split(b"\0"):
                found.append(int(entry.name))
    return found


def test_a_region_lives_is_stopped_is_killed_and_goes_on(tmp_path: Path) -> None:
    folder, port = tmp_path / "data", free_ports(1)[0]
    command = ("up", "--dir", str(folder), "--port", str(port))
    with system({}, tmp_path / "logs") as made:
        first = made.start(*command)
        wait_for(f"the page\n{made.told()}", lambda: _full(port), PAGE_S)
        # The page is full long before the history is: an hour of yesterday would reach back to before it began.
        newest = int(time.time() * 1000) // HOUR_MS * HOUR_MS - 2 * HOUR_MS
        wait_for("the newest hour", lambda: _newest(port) >= newest, PAGE_S)
        hour = _newest(port)
        wait_for("the areas", lambda: _areas_whole(folder, hour), 2 * PAGE_S)
        before = {h: _table(folder, hour - h * HOUR_MS) for h in range(1, 40)}
        assert [h for h, table in before.items() if not _whole(table)] == []
        assert {kind for kind, *_ in before[9]} >= set(KINDS) - {"water"}  # whose hours are few
        assert before[1]["air", "SYN-T19", "AQI"][:2] == (None, "silent")
        no_data = [e["site"] for e in _asked(port, "/api/v1/waiting?limit=500")["alerts"] if e["rule"] == "no-data"]
        assert "SYN-T19" in no_data

        registry = (folder / "registry.yaml").read_text(encoding="utf-8")
        (folder / "registry.yaml").write_text(registry.replace("class: urban", "class: urbane", 1), encoding="utf-8")
        wait_for("the fault to be told", lambda: "urbane" in (_said_of_files(port) or ""), 60)
        (folder / "registry.yaml").write_text(registry + "\n# mended\n", encoding="utf-8")
        wait_for(f"the new configuration\n{made.told()}", lambda: _said_of_files(port) == "", 90)
        wait_for(f"the page with the new configuration\n{made.told()}", lambda: _full(port), PAGE_S)
        first.send_signal(signal.SIGINT)
        assert first.wait(90) == 0
        assert _children(folder) == []

        second = made.start(*command)
        wait_for(f"the page again\n{made.told()}", lambda: _full(port), PAGE_S)
        assert {h: _table(folder, hour - h * HOUR_MS) for h in before} == before
        events = {e["id"] for e in _asked(port, "/api/v1/waiting?limit=500")["alerts"]}
        made.kill(second)
        wait_for("the children to end with their parent", lambda: not _children(folder), 60)

        third = made.start(*command, "--for", "60s")
        wait_for(f"the page after a kill\n{made.told()}", lambda: _full(port), PAGE_S)
        assert {h: _table(folder, hour - h * HOUR_MS) for h in before} == before
        assert events <= {e["id"] for e in _asked(port, "/api/v1/waiting?limit=500")["alerts"]}
        assert third.wait(120) == 0


def test_a_real_region_takes_files_and_refuses_what_is_synthetic(tmp_path: Path) -> None:
    folder, port = tmp_path / "beijing", free_ports(1)[0]
    folder.mkdir()
    shutil.copy(ROOT / "simulators" / "data" / "shangyu" / "registry.yaml", folder / "registry.yaml")
    real = ("up", "--real", str(folder), "--port", str(port), "--data-clock")
    refused = _run(*real)
    assert refused.returncode == 2
    assert "synthetic sites in a real system" in refused.stderr
    shutil.copy(ROOT / "sensors" / "data" / "beijing.yaml", folder / "registry.yaml")
    data = ROOT / "tests" / "data" / "beijing" / "PRSA_Tiantan_2016-12.csv.gz"
    with system({}, tmp_path / "logs") as made:
        up = made.start(*real)
        wait_for(f"the console\n{made.told()}", lambda: _asked(port, "/version") is not None, 60)
        mixed = _run("up", "--dir", str(folder))
        assert mixed.returncode == 2
        assert "another `jianhu up` runs on this folder" in mixed.stderr
        fed = _run("feed", "--dir", str(folder), "--format", "prsa", "--until", "2016-12-03", str(data))
        assert fed.returncode == 0, fed.stderr
        assert "sent 96 rows of 96 hours" in fed.stdout, fed.stdout
        last = 1_480_690_800_000  # the last hour of 2 December 2016 in Beijing
        wait_for(f"the results\n{made.told()}", lambda: _has_row(folder, last, "Tiantan", "PM2.5"), 90)
        row = _table(folder, last)["air", "Tiantan", "PM2.5"]
        assert row[0] is not None
        up.send_signal(signal.SIGTERM)
        assert up.wait(90) == 0
    crossed = _run("up", "--dir", str(folder))
    assert crossed.returncode == 2
    assert "holds real data" in crossed.stderr


def _has_row(folder: Path, start_ms: int, site: str, factor: str) -> bool:
    return (folder / "results.sqlite").exists() and ("air", site, factor) in _table(folder, start_ms)


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("JIANHU_")}
    return subprocess.run(
        [sys.executable, "-m", "jianhu", *command],
        cwd=ROOT,
        env={**clean, "COLUMNS": "500"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
