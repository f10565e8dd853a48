"""How tests are shared out to workers, and that a run of two says and refuses what a run of one does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.sharing import HEAVY, services_first, share_of

ROOT = Path(__file__).resolve().parents[3]
ASKING = """
import pytest

pytestmark = pytest.mark.integration

@pytest.mark.parametrize("number", range(3))
def test_something_with_a_browser(chromium, number): ...

def test_something_else(): ...
"""


def _run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a file of tests, with the fixtures and the conftest of these, where no service can be found."""
    (folder / "test_asking.py").write_text(ASKING, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = integration: asks for a service\n", encoding="utf-8")
    plugins = [word for name in ("xdist", "tests.conftest", "no:cacheprovider") for word in ("-p", name)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "JIANHU_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *arguments],
        cwd=folder,
        env=kept | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT), "PATH": str(folder)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_file_is_one_share() -> None:
    assert share_of("tests/unit/a/test_b.py::test_c[d::e]") == "tests/unit/a/test_b.py"


def test_all_heavy_trees_are_one_share_and_are_there() -> None:
    assert [path for path in sorted(HEAVY) if not (ROOT / path).is_file()] == []
    assert {share_of(f"{path}::test_a") for path in HEAVY} == {"heavy"}


def test_heavy_trees_come_first_then_what_lasts_long_and_the_rest_keeps_its_order() -> None:
    class Item:
        def __init__(self, nodeid: str, *keywords: str) -> None:
            self.nodeid, self.keywords = nodeid, keywords

    heavy = min(HEAVY)
    names = ["u2", "i2", f"{heavy}::t", "u1", "s", "i1"]
    items = [Item(name, {"i": "integration", "s": "slow"}.get(name[0], "")) for name in names]
    services_first(items)  # type: ignore[arg-type]  # all that is asked of an item
    assert [item.nodeid for item in items] == [f"{heavy}::t", "i2", "s", "i1", "u2", "u1"]


def test_what_workers_could_not_run_is_said_at_the_end(tmp_path: Path) -> None:
    done = _run(tmp_path, "-n", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed, 3 skipped" in done.stdout
    assert "   3 tests: Chromium is not on this machine" in done.stdout


def test_a_missing_service_fails_in_a_worker_too_where_services_are_required(tmp_path: Path) -> None:
    done = _run(tmp_path, "-n", "1", JIANHU_REQUIRE_SERVICES="1")
    assert done.returncode == 1
    assert "1 passed, 3 errors" in done.stdout
    assert "Chromium is not on this machine" in done.stdout
