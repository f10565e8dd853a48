from __future__ import annotations

import fcntl
import io
import json
import os
import socket
import stat
import subprocess
import sys
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from confluent_kafka import KafkaException
from rich.console import Console

from jianhu import up
from jianhu.assembly import AREA_RECORDS, Assembly
from jianhu.broker import PARTITIONS, EmbeddedBroker
from jianhu.configuration import STATE_FILE, State
from jianhu.parts import RUN_FILE, running_settings
from jianhu.settings import Settings
from jianhu.up import PAUSE_S, STEADY_S, UpOptions, pause_after
from sensors.errors import ConfigError, EdgeError
from streams.segments import rows_of

REAL = files("sensors").joinpath("data/beijing.yaml").read_text(encoding="utf-8")
MADE_UP = files("simulators").joinpath("data/shangyu/registry.yaml").read_text(encoding="utf-8")


def options(folder: Path, *, real: bool = False) -> UpOptions:
    return UpOptions(folder=folder, real=real, speed=2.0, port=8421, stop_after_s=None, wall_clock=True)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (1, 1), (2, 3), (3, 7), (4, 15), (5, PAUSE_S), (10**6, PAUSE_S)]
)
def test_a_part_that_ends_again_and_again_is_started_more_slowly(failures: int, seconds: float) -> None:
    assert pause_after(failures) == seconds


class Child(up._Child):
    """A part whose process is a number; starting it only counts."""

    def start(self) -> None:
        self.process, self.started, self.ended = _Process(), CLOCK.now, None  # type: ignore[assignment]


class _Process:
    returncode: int | None = None

    def poll(self) -> int | None:
        return self.returncode


class Clock:
    now = 1_000.0


CLOCK = Clock()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    CLOCK.now = 1_000.0
    monkeypatch.setattr(up, "monotonic", lambda: CLOCK.now)
    return CLOCK


def tree_of(folder: Path) -> tuple[up._Tree, Child, io.StringIO]:
    child = Child(command="sink", environment={}, log=folder / "[red]sink[/].log")
    told = io.StringIO()
    child.start()
    return up._Tree(screen=Console(file=told, width=1000), children=[child]), child, told


def end(child: Child, code: int = 1) -> None:
    assert child.process is not None
    child.process.returncode = code


def test_a_part_that_runs_is_left_alone(clock: Clock, tmp_path: Path) -> None:
    tree, child, told = tree_of(tmp_path)
    running = child.process
    clock.now += 1e9
    tree.watch()
    assert child.process is running
    assert told.getvalue() == ""


def test_a_part_that_ended_is_started_again_at_once_and_told_with_its_log(clock: Clock, tmp_path: Path) -> None:
    tree, child, told = tree_of(tmp_path)
    end(child, 70)
    tree.watch()
    assert child.process is not None
    assert child.process.poll() is None
    assert f"sink ended with 70; started again, see {tmp_path / '[red]sink[/].log'}" in told.getvalue()
    assert clock.now == 1_000.0


def test_a_part_that_ends_at_once_is_started_after_growing_pauses_that_stay(clock: Clock, tmp_path: Path) -> None:
    tree, child, _ = tree_of(tmp_path)
    pauses = []
    for _ in range(8):
        end(child)
        ended, begun = clock.now, child.started
        tree.watch()
        while child.process is not None and child.process.poll() is not None:
            clock.now += 0.5
            tree.watch()
        assert child.started >= begun
        pauses.append(clock.now - ended)
    assert pauses == [0, 1, 3, 7, 15, PAUSE_S, PAUSE_S, PAUSE_S]


def test_a_part_that_ran_steadily_before_it_ended_is_started_at_once(clock: Clock, tmp_path: Path) -> None:
    tree, child, _ = tree_of(tmp_path)
    child.failures = 5
    clock.now += STEADY_S + 1
    end(child)
    tree.watch()
    assert child.process is not None
    assert child.process.poll() is None
    assert child.failures == 1


def test_only_the_named_parts_are_started_again_and_begin_with_a_clean_record(clock: Clock, tmp_path: Path) -> None:
    tree, sink, told = tree_of(tmp_path)
    worker = Child(command="worker", environment={}, log=tmp_path / "log", failures=4)
    worker.start()
    tree.children.append(worker)
    held, worker_before = sink.process, worker.process
    end(worker)
    assert tree.restart(["worker", "console"]) == ["worker"]
    assert sink.process is held
    assert worker.process is not worker_before
    assert worker.failures == 0
    assert told.getvalue() == ""
    assert clock.now == 1_000.0


def test_a_process_is_stopped_and_stopping_it_twice_does_nothing(tmp_path: Path) -> None:
    child = up._Child(command="sink", environment={}, log=tmp_path / "log")
    child.stop(1.0)
    with subprocess.Popen(
        [sys.executable, "-c", "import signal; print(1, flush=True); signal.pause()"], stdout=-1
    ) as ran:
        assert ran.stdout is not None
        ran.stdout.readline()
        child.process = ran
        up._Tree(screen=Console(file=io.StringIO()), children=[child]).stop()
        assert ran.returncode == -15
        child.stop(1.0)


def test_a_process_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    deaf = "import signal; signal.signal(15, signal.SIG_IGN); print(1, flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE) as ran:
        assert ran.stdout is not None
        ran.stdout.readline()
        up._Child(command="x", environment={}, log=tmp_path / "log", process=ran).stop(0.01)
        assert ran.returncode == -9


def test_a_new_folder_gets_what_people_may_edit(tmp_path: Path) -> None:
    up._prepare(tmp_path, real=False)
    region = {path.name for path in files("simulators").joinpath("data/shangyu").iterdir()}
    assert {path.name for path in tmp_path.iterdir()} == {*region - {"stories.yaml"}, "origin", "rules.yaml"}
    assert (tmp_path / "registry.yaml").read_text(encoding="utf-8") == MADE_UP
    assert (tmp_path / "origin").read_text() == "synthetic\n"


def test_what_people_edited_stays(tmp_path: Path) -> None:
    up._prepare(tmp_path, real=False)
    for name in ("registry.yaml", "rules.yaml"):
        (tmp_path / name).write_text("mine")
    up._prepare(tmp_path, real=False)
    assert {(tmp_path / name).read_text() for name in ("registry.yaml", "rules.yaml")} == {"mine"}


def test_a_real_folder_gets_no_made_up_sites(tmp_path: Path) -> None:
    up._prepare(tmp_path, real=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["origin", "rules.yaml"]


@pytest.mark.parametrize("first_real", [True, False])
def test_a_folder_of_the_other_origin_is_refused_and_left_as_it_is(tmp_path: Path, *, first_real: bool) -> None:
    up._prepare(tmp_path, real=first_real)
    held = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ConfigError, match="the folder holds"):
        up._prepare(tmp_path, real=not first_real)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == held


def test_a_second_run_on_a_folder_is_refused_and_a_later_one_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    with up._only_one(folder), pytest.raises(ConfigError, match="another `jianhu up` runs"), up._only_one(folder):
        pass
    with up._only_one(folder), (folder / ".lock").open() as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_the_parts_get_the_settings_of_one_machine(tmp_path: Path) -> None:
    found = up._settings_of(options(tmp_path), Settings(partitions=9, grace_s=1_000, console_host="0.0.0.0"), tmp_path)  # noqa: S104
    assert (found.partitions, found.console_host, found.console_port) == (PARTITIONS, "127.0.0.1", 8421)
    assert (found.dir, found.speed, found.lag_gate, found.grace_s) == (tmp_path, 2.0, True, up.GRACE_S)
    assert up._settings_of(options(tmp_path), Settings(grace_s=5), tmp_path).grace_s == 5


def test_a_child_gets_no_setting_but_those_it_is_given() -> None:
    assert up._clean({"PATH": "x", "JIANHU_KAFKA": "y", "JIANHU_PARENT": "1", "jianhu": "z"}) == {
        "PATH": "x",
        "jianhu": "z",
    }


def test_what_runs_is_told_to_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(kafka="127.0.0.1:1", dir=tmp_path, influx_token="secret", speed=3.0)
    path = tmp_path / RUN_FILE
    path.write_text("of an earlier run")
    path.chmod(0o644)
    up._write_run_file(path, settings)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["pid"] == os.getpid()
    assert running_settings(tmp_path, Settings(speed=1.0)) == replace(settings, speed=1.0)


@pytest.mark.parametrize("text", [None, "", "{", "{}", '{"pid": 999999999, "environment": {}}', '{"pid": "x"}', "[]"])
def test_a_folder_on_which_nothing_runs_is_told_with_what_to_start(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / RUN_FILE).write_text(text)
    with pytest.raises(ConfigError, match="no `jianhu up` runs on this folder"):
        running_settings(tmp_path, Settings())


def assembly_of(folder: Path, **more: Any) -> Assembly:
    """Return the parts of a system with air sites."""
    (folder / "registry.yaml").write_text(REAL, encoding="utf-8")
    return Assembly(Settings(dir=folder, **more))


def test_a_feeder_waits_for_every_reader_of_every_topic_on_the_embedded_broker(tmp_path: Path) -> None:
    followers = assembly_of(tmp_path, prefix="x").followers()
    assert [(follower.group, follower.topic) for follower in followers] == [
        ("x.jianhu-judge", "x.readings.air"),
        ("x.jianhu-judge", "x.areas.air"),
        ("x.jianhu-archive", "x.readings.air"),
        ("x.jianhu-archive", "x.areas.air"),
        ("x.jianhu-archive", "x.results.air"),
        ("x.jianhu-archive", "x.deadletter"),
        ("x.jianhu-sink", "x.results.air"),
        ("x.jianhu-alerts", "x.results.air"),
    ]
    assert {f.topic for f in followers if f.max_records == AREA_RECORDS} == {"x.areas.air"}


def test_every_kind_of_the_registry_has_its_topics_and_followers(tmp_path: Path) -> None:
    parts = assembly_of(tmp_path, kafka="h:1", log_id="mine")
    sites = parts.registry.sites
    parts.registry = replace(parts.registry, sites=(*sites, replace(sites[0], id="W1", kind="water")))
    assert parts.kinds == ("air", "water")
    followed = {follower.topic for follower in parts.followers()}
    assert followed == set(parts.topics.all("air", "water"))
    assert set(parts.archiver().topics) == followed


def test_the_settings_may_name_some_of_the_kinds(tmp_path: Path) -> None:
    parts = assembly_of(tmp_path, kinds="air ,")
    sites = parts.registry.sites
    parts.registry = replace(parts.registry, sites=(*sites, replace(sites[0], id="W1", kind="water")))
    assert parts.kinds == ("air",)


def test_a_kind_without_sites_cannot_be_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"JIANHU_KINDS: air1, wine: no sites of this kind .*; name some of air"):
        _ = assembly_of(tmp_path, kinds="wine,air1").kinds


def test_draining_ends_when_everything_is_read_or_time_is_up(clock: Clock, tmp_path: Path) -> None:
    broker = EmbeddedBroker()
    parts = assembly_of(tmp_path, kafka=broker.bootstrap, partitions=PARTITIONS)
    broker.make_topics(parts.topics.all("air"))
    up._drain(parts, stop=clock.now + 1)
    publisher = parts.publisher("s", "air", synthetic=True)
    publisher.tick(1)
    publisher.flush()
    up._drain(parts, stop=clock.now)


def test_the_embedded_broker_has_the_topics_it_is_asked_for() -> None:
    broker = EmbeddedBroker()
    broker.make_topics(())
    broker.make_topics(("a", "a"))
    assert broker.bootstrap.startswith("127.0.0.1:")


def test_a_command_without_a_broker_says_what_to_set() -> None:
    with pytest.raises(ConfigError, match="JIANHU_KAFKA: is not set; give the address"):
        _ = Assembly(Settings()).kafka


@pytest.mark.parametrize("fault", [TimeoutError(), KafkaException("no such topic")])
def test_a_log_without_its_topic_says_what_makes_it(monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    answer = Future[object]()
    answer.set_exception(fault)
    client = SimpleNamespace(describe_topics=lambda _: {"deadletter": answer})
    monkeypatch.setattr("jianhu.assembly.AdminClient", lambda _: client)
    with pytest.raises(
        EdgeError, match=r"(h:1 did not answer|no such topic).*; create the topics with `jianhu topics`"
    ):
        _ = Assembly(Settings(kafka="h:1")).log_id


def test_a_log_that_is_named_needs_no_broker() -> None:
    assert Assembly(Settings(log_id="mine")).log_id == "mine"


@pytest.mark.parametrize(
    ("ticks", "expected"),
    [([], 5), ([None, 7_200_000], 5), ([7_200_000, 3_700_000], 3_600_000), ([0, 0], 0)],
    ids=["nothing", "one-partition", "the-slower", "no-tick"],
)
def test_a_feeder_goes_on_at_the_hour_that_every_partition_has_archived(
    tmp_path: Path, ticks: list[int | None], expected: int
) -> None:
    parts = Assembly(Settings(dir=tmp_path, partitions=2))
    parts.archive.open_log("log", 2)
    for partition, tick in enumerate(ticks):
        if tick is not None:
            rows = rows_of("readings", 0, b"")
            parts.archive.write("log", "readings.air", partition, rows, first=0, last=0, last_tick=tick)
    assert parts.resume_at("air", 5) == expected


def test_a_port_that_somebody_listens_on_is_told_before_anything_starts() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=r"--port: .* is taken .*; give another port"):
            up._check_port(port)
    up._check_port(port)  # free again: nothing is raised


@dataclass(slots=True)
class Running:
    """A system whose parts are numbers, and its configuration."""

    folder: Path
    told: io.StringIO = field(default_factory=io.StringIO)
    topics: list[str] = field(default_factory=list)
    tree: up._Tree = field(init=False)
    configured: up._Configured = field(init=False)

    def __post_init__(self) -> None:
        screen = Console(file=self.told, width=1000)
        commands = ("simulate", "sink", "console", "worker", "archive", "watch", "steward")
        children: list[up._Child] = [Child(command=c, environment={}, log=self.folder / c) for c in commands]
        for child in children:
            child.start()
        self.tree = up._Tree(screen=screen, children=children)
        (self.folder / "registry.yaml").write_text(REAL, encoding="utf-8")
        broker = cast("EmbeddedBroker", SimpleNamespace(make_topics=self.topics.extend))
        run = up._Run(
            options=options(self.folder), settings=Settings(dir=self.folder), broker=broker, screen=screen,
            stop=threading.Event(),
        )  # fmt: skip
        self.configured = up._Configured(run, self.tree)

    def write(self, name: str, text: str) -> None:
        """Write a file of the configuration, and let it be found in two looks."""
        (self.folder / name).write_text(text, encoding="utf-8")
        for process in self.processes().values():
            process.returncode = -15  # what is stopped now has ended
        self.configured.look()
        self.configured.look()

    def processes(self) -> dict[str, _Process]:
        return {child.command: cast("_Process", child.process) for child in self.tree.children}

    def state(self) -> State:
        return msgspec.json.decode((self.folder / STATE_FILE).read_bytes(), type=State)


def test_parts_read_the_kept_configuration_and_not_the_files(tmp_path: Path) -> None:
    running = Running(tmp_path)
    folder = running.configured.good.folder
    assert folder.parent == tmp_path / ".configuration"
    assert {child.environment["JIANHU_CONFIG"] for child in running.tree.children} == {str(folder)}
    assert running_settings(tmp_path, Settings()).registry_path == folder / "registry.yaml"
    assert running.state().refused == ""
    assert set(running.topics) == {"readings.air", "areas.air", "results.air", "deadletter"}


def test_a_file_that_is_wrong_is_told_with_its_line_and_changes_nothing(tmp_path: Path) -> None:
    running = Running(tmp_path)
    before, good = running.processes(), running.configured.good
    running.write("registry.yaml", REAL.replace("class: urban", "class: urbane", 1))
    assert running.processes() == before
    assert running.configured.good is good
    assert f"configuration not taken: {tmp_path / 'registry.yaml'}:9: sites.0.class" in running.told.getvalue()
    assert "going on with the last good configuration" in running.told.getvalue()
    assert running.state().refused.startswith(f"{tmp_path / 'registry.yaml'}:9")
    running.write("registry.yaml", REAL)
    assert running.processes() == before
    assert running.state().refused == ""


def test_a_good_change_starts_what_reads_it_again(tmp_path: Path) -> None:
    running = Running(tmp_path)
    before, first = running.processes(), running.configured.good
    running.write("rules.yaml", files("alerts").joinpath("data/rules.yaml").read_text(encoding="utf-8"))
    again = {command for command, process in running.processes().items() if process is not before[command]}
    assert again == {"worker", "console", "watch", "steward"}
    assert "configuration taken; started again: console, worker, watch, steward" in running.told.getvalue()
    assert {child.environment["JIANHU_CONFIG"] for child in running.tree.children} != {str(first.folder)}
    assert running.state().mark == running.configured.good.mark
    assert not first.folder.exists()


def test_a_changed_registry_starts_the_feeder_again_too(tmp_path: Path) -> None:
    running = Running(tmp_path)
    before = running.processes()
    running.write("registry.yaml", REAL.replace("zone: 2", "zone: 1", 1))
    again = {command for command, process in running.processes().items() if process is not before[command]}
    assert again == {"simulate", "worker", "console", "watch", "steward"}


def test_a_file_that_is_being_written_is_waited_for(tmp_path: Path) -> None:
    running = Running(tmp_path)
    before = running.configured.good
    (tmp_path / "registry.yaml").write_text("half of")
    running.configured.look()
    (tmp_path / "registry.yaml").write_text("half of a registry")
    running.configured.look()
    assert running.told.getvalue() == ""
    running.configured.look()
    assert running.configured.good is before
    assert running.told.getvalue().count("configuration not taken") == 1
    running.configured.look()
    assert running.told.getvalue().count("configuration not taken") == 1
