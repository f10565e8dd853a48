from __future__ import annotations

import os
from pathlib import Path

import pytest

from scripts import places, prepare
from scripts.prepare import Step, StepFailed


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and no duty to have services."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("JIANHU_CACHE", str(folder))
    monkeypatch.delenv("JIANHU_REQUIRE_SERVICES", raising=False)
    return folder


class Bench:
    """A service whose making is counted and may fail."""

    def __init__(self, home: Path, failure: Exception | None = None) -> None:
        self.home, self.failure, self.made = home, failure, 0

    def ready(self) -> Path | None:
        return self.home if self.home.exists() else None

    def make(self) -> None:
        self.made += 1
        if self.failure:
            raise self.failure
        self.home.mkdir(parents=True)

    def step(self, *tools: str) -> Step:
        return Step(name="bench", what="a bench", ready=self.ready, make=self.make, tools=tools)


def test_a_service_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "bench")
    assert [prepare.prepare(bench.step("sh")) for _ in range(2)] == [None, None]
    assert bench.made == 1


def test_a_service_that_is_there_needs_no_tool_chain(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    assert prepare.prepare(bench.step("no-such-tool")) is None


def test_without_its_tool_chain_nothing_is_tried_and_the_tools_are_named(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "bench")
    assert prepare.prepare(bench.step("sh", "no-such-tool")) == (
        "bench: not made, no-such-tool not found on this machine"
    )
    assert bench.made == 0


def test_a_step_that_fails_is_told_with_its_reason(tmp_path: Path) -> None:
    assert prepare.prepare(Bench(tmp_path / "bench", StepFailed("no disk")).step()) == "bench: no disk"


def test_a_step_that_leaves_nothing_is_told() -> None:
    step = Step(name="bench", what="", ready=lambda: None, make=lambda: None, tools=())
    assert prepare.prepare(step) == "bench: made, but it is not to be found"


@pytest.mark.parametrize(("required", "code"), [("1", 1), ("0", 0), ("", 0)])
def test_a_missing_service_is_an_error_only_where_services_are_required(
    required: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JIANHU_REQUIRE_SERVICES", required)
    monkeypatch.setattr(prepare, "STEPS", (Bench(tmp_path / "bench").step("no-such-tool"),))
    assert prepare.main([]) == code
    told = capsys.readouterr().err
    assert "no-such-tool not found" in told
    assert ("going on without" in told) == (code == 0)


def test_one_missing_service_does_not_keep_the_next_from_being_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = Bench(tmp_path / "second")
    monkeypatch.setattr(prepare, "STEPS", (Bench(tmp_path / "first").step("no-such-tool"), second.step()))
    prepare.main([])
    assert second.made == 1


def test_a_service_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert prepare.main(["mysql"]) == 2
    assert "no such service: mysql" in capsys.readouterr().err


def test_a_folder_appears_only_when_it_is_complete(cache: Path) -> None:
    home = cache / "thing-1"
    with prepare._building(home) as work:
        (work / "file").write_text("whole", encoding="utf-8")
        assert not home.exists()
    assert (home / "file").read_text(encoding="utf-8") == "whole"
    assert [path.name for path in cache.iterdir()] == ["thing-1"]


def test_a_build_that_fails_leaves_nothing_behind(cache: Path) -> None:
    with pytest.raises(StepFailed):
        _build_half(cache / "thing-1")
    assert list(cache.iterdir()) == []


def _build_half(home: Path) -> None:
    with prepare._building(home) as work:
        (work / "half").touch()
        raise StepFailed("no disk")


def test_a_broken_folder_is_replaced(cache: Path) -> None:
    home = cache / "thing-1"
    (home / "old").mkdir(parents=True)
    with prepare._building(home) as work:
        (work / "new").touch()
    assert [path.name for path in home.iterdir()] == ["new"]


def test_a_failed_command_is_told_with_the_end_of_what_it_printed(tmp_path: Path) -> None:
    command = ["sh", "-c", "seq 100; echo no such module >&2; exit 3"]
    with pytest.raises(StepFailed, match=r"(?s)sh -c .* ended with 3:.*100\n.*no such module") as told:
        prepare._run(command, cwd=tmp_path)
    assert "\n    1\n" not in str(told.value)


def test_the_module_of_our_own_keeps_what_the_released_one_replaces(tmp_path: Path) -> None:
    source = tmp_path / "released"
    (source / "cmd" / "influxd").mkdir(parents=True)
    (source / "cmd" / "influxd" / "main.go").write_text("package main\n", encoding="utf-8")
    (source / "go.sum").write_text("sums\n", encoding="utf-8")
    go_mod = tmp_path / "released.mod"
    go_mod.write_text("module github.com/influxdata/influxdb/v2\n\ngo 1.22\n\nreplace a => b v1\n", encoding="utf-8")
    work = tmp_path / "work"
    work.mkdir()
    prepare._write_module(work, go_mod, source)
    lines = (work / "go.mod").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "module jianhu/influxd"
    assert {"replace a => b v1", f"require github.com/influxdata/influxdb/v2 v{places.INFLUX_VERSION}"} <= set(lines)
    assert os.access(work / "rustc-wrapper", os.X_OK)


def test_nobody_but_root_is_asked_to_install_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(StepFailed, match="only root can install packages; run: apt-get install chromium"):
        prepare._install("chromium")


def test_the_cache_lies_outside_the_checkout_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("JIANHU_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert places.cache() == tmp_path / ".cache" / "jianhu"


def test_a_half_made_folder_is_not_taken_for_a_service() -> None:
    places.influx_home().mkdir(parents=True)
    places.kafka_home().mkdir(parents=True)
    assert (places.influxd(), places.kafka_lib()) == (None, None)
