from __future__ import annotations

import os
import subprocess
import sys
from time import process_time

import pytest

from benchmarks import cost
from benchmarks.cost import CpuMeter, busy_seconds, cpu_seconds, machine, tree_seconds, wait_for_calm


def _burn(seconds: float) -> None:
    until = process_time() + seconds
    while process_time() < until:
        sum(range(1000))


def test_a_process_has_used_what_the_kernel_says() -> None:
    _burn(0.1)
    assert cpu_seconds(os.getpid()) == pytest.approx(process_time(), abs=0.1)


def test_a_process_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        cpu_seconds(2**22 + 1)


def test_a_command_with_brackets_and_spaces_in_its_name_is_read_right() -> None:
    name = "import ctypes; ctypes.CDLL(None).prctl(15, b'a) R 1 (b', 0, 0, 0); print('.', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", name], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.read(1)
        assert 0 <= cpu_seconds(child.pid) < 5
        child.communicate(b"\n")


def test_a_tree_counts_its_children() -> None:
    code = "import sys\nwhile sum(range(3_000_000)) < 0: pass\nprint('.', flush=True)\ninput()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.read(1)
        own, tree = cpu_seconds(os.getpid()), tree_seconds(os.getpid())
        child.communicate(b"\n")
    assert tree > own


def test_a_meter_gives_what_was_used_between_two_moments() -> None:
    meter = CpuMeter(pids={"me": 1}, _times=[10.0, 11.0, 13.0], _spent={"me": [5.0, 5.5, 6.5]})
    assert meter.between("me", 10.5, 12.0) == pytest.approx(0.75)
    assert meter.between("me", 0.0, 99.0) == pytest.approx(1.5)


def test_a_meter_notes_while_its_block_runs() -> None:
    with CpuMeter(pids={"me": os.getpid()}) as meter:
        meter.note()
        _burn(0.05)
        meter.note()
    assert meter.between("me", 0, 1e12) > 0


def test_all_cores_together_work_at_least_as_much_as_one_process() -> None:
    before = busy_seconds()
    _burn(0.1)
    assert busy_seconds() - before > 0


@pytest.mark.parametrize(("busy", "looks"), [([0.0, 0.1], 1), ([0.0, 3.0, 6.0, 6.1], 3)])
def test_calm_is_waited_for(busy: list[float], looks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    told = iter([busy[0], *(value for value in busy[1:] for _ in (0, 1))])
    pauses: list[float] = []
    monkeypatch.setattr(cost, "busy_seconds", lambda: next(told))
    monkeypatch.setattr(cost, "sleep", pauses.append)
    assert wait_for_calm(1000) < 0.2
    assert len(pauses) == looks


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    told = iter([0.0, 4.0])
    monkeypatch.setattr(cost, "busy_seconds", lambda: next(told))
    monkeypatch.setattr(cost, "sleep", lambda _: None)
    assert wait_for_calm(-1) == 2.0


def test_the_machine_is_told_in_one_line() -> None:
    assert machine().startswith(f"{os.cpu_count()} cores of ")
    assert "\n" not in machine()
