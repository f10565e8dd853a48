"""The locked dependencies fit pyproject.toml, are hashed, and name no host."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from jianhu.names import PACKAGES

ROOT = Path(__file__).resolve().parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = ("requirements.lock", "requirements-dev.lock")
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _pins(name: str) -> dict[str, str]:
    return {canonicalize_name(found[1]): found[2] for found in PINNED.finditer(_text(name))}


def _wanted(*extras: str) -> list[Requirement]:
    texts = PROJECT["dependencies"] + [text for extra in extras for text in PROJECT["optional-dependencies"][extra]]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize(
    ("lock", "extras"), [("requirements.lock", ["build"]), ("requirements-dev.lock", ["build", "dev"])]
)
def test_a_lock_holds_every_dependency_at_a_version_that_fits(lock: str, extras: list[str]) -> None:
    pins = _pins(lock)
    wrong = [
        str(need)
        for need in _wanted(*extras)
        if not need.specifier.contains(pins.get(canonicalize_name(need.name), ""))
    ]
    assert wrong == [], "`make lock` resolves them again"


def test_the_tests_run_with_the_versions_that_people_run() -> None:
    run, dev = (_pins(name) for name in LOCKS)
    assert {name: (version, dev.get(name)) for name, version in run.items() if dev.get(name) != version} == {}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_hashed(lock: str) -> None:
    blocks = re.split(r"\n(?=[A-Za-z0-9])", _text(lock).strip())
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host(lock: str) -> None:
    assert re.findall(r"\w+://\S+|--\w*index\S*|--find-links\S*|--trusted-host\S*", _text(lock)) == []


def test_no_dependency_brings_a_package_with_a_name_of_ours() -> None:
    owners = packages_distributions()
    assert {name: set(owners.get(name, ["jianhu"])) for name in PACKAGES} == {name: {"jianhu"} for name in PACKAGES}
