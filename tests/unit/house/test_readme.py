"""What the README and the decisions say is there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "changelog.d").glob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
SECTIONS = ["Objective", "Overview", "Is / Is not", "Prior art", "Open questions"]
KINDS = {"values", "security", "added", "changed", "fixed", "removed"}


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link and "…" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_make_command_that_is_named_exists() -> None:
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", README, re.MULTILINE)) <= _targets()


def test_the_two_commands_stand_in_the_readme_in_order() -> None:
    assert 0 < README.index("\nmake run\n") < README.index("\nmake test\n")


def test_every_folder_that_is_named_exists() -> None:
    named = set(re.findall(r"`([a-z]+)/[a-z_/.]*`", README))
    assert [name for name in named if not (ROOT / name).is_dir()] == []


def test_make_help_tells_what_each_target_does() -> None:
    told = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("run", "test", "check", "services", "bench", "soak"):
        assert re.search(rf"^make {target}\s+\w", told, re.MULTILINE)


def test_ci_runs_what_the_readme_says_and_requires_every_service() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert {"make services", "make test", "export JIANHU_REQUIRE_SERVICES=1", "set -euo pipefail"} <= set(lines)


def _decisions() -> list[Path]:
    return sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))


@pytest.mark.parametrize("page", [ROOT / "docs/decisions/TEMPLATE.md", *_decisions()], ids=lambda page: page.name)
def test_a_decision_has_the_five_sections(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS
    assert re.search(r"^Status: (proposed|accepted|replaced)", text, re.MULTILINE)


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(page.name[:4]) for page in _decisions()] == list(range(1, len(_decisions()) + 1))


def test_every_change_is_of_a_known_kind() -> None:
    fragments = [path.stem for path in (ROOT / "changelog.d").glob("*.md") if path.name != "README.md"]
    assert [name for name in fragments if name.partition("-")[0] not in KINDS] == []
