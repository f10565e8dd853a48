"""What is installed is what stands in the checkout: every module and every data file, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from jianhu.names import PACKAGES

ROOT = Path(__file__).resolve().parents[3]
NOT_INSTALLED = ("README.md",)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy of the checkout, without asking the network."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run(
        [*command, "--wheel-dir", str(target), str(source)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return next(target.glob("jianhu-*.whl"))


def _in_checkout() -> set[str]:
    files = (path for name in PACKAGES for path in (ROOT / name).rglob("*") if path.is_file())
    kept = (path for path in files if "__pycache__" not in path.parts and path.name not in NOT_INSTALLED)
    return {path.relative_to(ROOT).as_posix() for path in kept}


def test_the_wheel_holds_every_module_and_data_file(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        held = {name for name in opened.namelist() if ".dist-info/" not in name}
    assert held - _in_checkout() == set()
    assert _in_checkout() - held == set(), "tool.setuptools.package-data leaves something out"


def test_the_wheel_brings_the_command_and_refuses_to_be_published(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        files = {name.rpartition("/")[2]: name for name in opened.namelist() if ".dist-info/" in name}
        metadata = opened.read(files["METADATA"]).decode()
        commands = opened.read(files["entry_points.txt"]).decode()
    assert "Classifier: Private :: Do Not Upload" in metadata
    assert "jianhu = jianhu.cli:main" in commands


def test_the_image_copies_every_package_and_ignores_none() -> None:
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    context = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert [name for name in PACKAGES if f"COPY {name} {name}" not in image or f"!{name}" not in context] == []


def test_the_image_installs_from_the_lock_with_hashes_and_does_not_run_as_root() -> None:
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "--require-hashes -r requirements.lock" in image
    assert [line for line in image.splitlines() if line.startswith("USER ")] == ["USER 10001:10001"]
