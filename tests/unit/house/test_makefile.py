"""The task file on machines that lack something."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def _make(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["/usr/bin/env", "make", "--silent", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "JIANHU_"))}
    environment |= {"PATH": str(path), "HOME": str(path), "JIANHU_CACHE": str(path / "cache")}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A PATH with make and a shell, and no more."""
    for name in ("make", "bash", "sh", "env"):
        (tmp_path / name).symlink_to(_where(name))
    return tmp_path


def _where(name: str) -> str:
    return subprocess.run(
        ["/bin/sh", "-c", f"command -v {name}"], capture_output=True, text=True, check=True
    ).stdout.strip()


def _python(folder: Path, name: str, code: int) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\nexit {code}\n", encoding="utf-8")
    program.chmod(0o755)


def test_without_python_it_says_which_is_needed(bare: Path) -> None:
    done = _make(bare, "services")
    assert done.returncode != 0
    assert "jianhu needs Python 3.11 or newer; none was found in PATH" in done.stderr


def test_an_older_python_is_passed_over(bare: Path) -> None:
    _python(bare, "python3", 1)
    assert "jianhu needs Python 3.11 or newer" in _make(bare, "services").stderr
    _python(bare, "python3.12", 0)
    assert _make(bare, "services").returncode == 0


def test_a_python_can_be_named(bare: Path) -> None:
    _python(bare, "mine", 0)
    assert _make(bare, "services", f"PYTHON={bare / 'mine'}").returncode == 0
