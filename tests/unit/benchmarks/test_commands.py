from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from benchmarks.__main__ import COMMANDS, main
from benchmarks.packets import site_names
from scripts import places

ROOT = Path(__file__).resolve().parents[3]


def test_every_command_tells_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    for name in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            main([name, "--help"])
        assert ended.value.code == 0
        assert f"python -m benchmarks {name}" in capsys.readouterr().out


def test_what_is_not_there_is_told_in_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "kafka_lib", lambda: None)
    assert main(["stream"]) == 1
    assert "`make bench` makes both" in capsys.readouterr().err


def test_the_other_side_never_gets_hours_that_ours_does_not_get(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(places, "kafka_lib", lambda: tmp_path)
    assert main(["stream", "--hours", "2", "--quix-hours", "3", "--quix-python", str(tmp_path)]) == 1
    assert "not more" in capsys.readouterr().err


def test_the_lock_of_the_other_side_is_hashed_and_fits_its_group() -> None:
    text = (ROOT / "requirements-bench.lock").read_text(encoding="utf-8")
    pins = dict(re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", text, re.MULTILINE))
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    for need in map(Requirement, groups["bench"]):
        assert need.specifier.contains(pins[need.name])
    blocks = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert "://" not in text


def test_sites_are_told_apart_by_name() -> None:
    assert len(set(site_names(1_000))) == 1_000
