"""Who may import whom: the contract of pyproject.toml holds, and covers every module."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
JUDGED = ("sensors", "streams", "alerts", "simulators")
"""The folders whose modules are each either core or edge."""


def _contract(name: str) -> dict[str, Any]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: dict[str, Any] = next(
        contract for contract in settings["tool"]["importlinter"]["contracts"] if contract["id"] == name
    )
    return found


def _modules() -> list[str]:
    paths = [path for folder in JUDGED for path in sorted((ROOT / folder).rglob("*.py")) if path.name != "__init__.py"]
    return [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths]


def _covers(patterns: list[str], module: str) -> bool:
    return any(fnmatchcase(module, pattern.replace(".**", ".*")) for pattern in patterns)


def test_every_contract_is_kept() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("module", _modules())
def test_a_module_is_either_core_or_edge(module: str) -> None:
    pure = _contract("pure")
    core, edge = _covers(pure["source_modules"], module), _covers(pure["forbidden_modules"], module)
    assert core != edge, (
        f"{module} must stand in exactly one list of the contract 'pure' in pyproject.toml: source_modules when it "
        "takes values and gives values, forbidden_modules when it talks to something"
    )


def test_the_lists_name_only_modules_that_exist() -> None:
    pure, modules = _contract("pure"), _modules()
    ours = [
        name for key in ("source_modules", "forbidden_modules") for name in pure[key] if name.split(".")[0] in JUDGED
    ]
    assert [name for name in ours if not any(_covers([name], module) for module in modules)] == []


def test_importing_every_package_has_no_effect(tmp_path: Path) -> None:
    modules = [module for module in _modules() if not module.endswith("__main__")]
    program = "\n".join(["import sys, threading", *(f"import {module}" for module in modules)])
    program += "\nassert threading.active_count() == 1, threading.enumerate()\n"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
