"""``jianhu up``: everything on this machine, in one process tree, on loopback.

The parts are the same commands that a cluster runs. This process holds the embedded broker and
watches over the others; when it is told to stop, the feeder stops first and the rest follows once
everything that was sent is stored.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from time import monotonic
from uuid import uuid4

import msgspec
from rich.console import Console as Screen

from jianhu.assembly import Assembly
from jianhu.broker import PARTITIONS, EmbeddedBroker
from jianhu.configuration import Good, State, forget_older, keep_good, seen, write_state
from jianhu.family import PARENT
from jianhu.parts import RUN_FILE, wall_ms
from jianhu.settings import Settings, environment_of
from sensors.errors import ConfigError
from sensors.publisher import lag_of
from simulators.layout import FOLDER, LAID_OUT, PACKAGE

ORIGIN_FILE = "origin"
WHOLE_PAST = 1_000_000
"""Ticks said again: on the embedded broker nothing of the last run is left, so all of it."""
GRACE_S = 120
STOP_S = 20.0
DRAIN_S = 30.0
STEADY_S = 20.0
PAUSE_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    """What the person asked for."""

    folder: Path
    real: bool
    speed: float
    port: int
    stop_after_s: float | None
    wall_clock: bool


@dataclass(slots=True, kw_only=True)
class _Child:
    """One part and the process that is it now."""

    command: str
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    ended: float | None = None
    """When it was first seen to have ended."""
    failures: int = 0

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own command, no shell
                [sys.executable, "-m", "jianhu", self.command],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started, self.ended = monotonic(), None

    def stop(self, wait_s: float) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(wait_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_S)


@dataclass(slots=True, kw_only=True)
class _Tree:
    """All children, feeder first."""

    screen: Screen
    children: list[_Child] = field(default_factory=list)

    def watch(self) -> None:
        """Start again what ended, more slowly each time it does so soon after a start."""
        for child in self.children:
            process = child.process
            if process is None or process.poll() is None:
                continue
            if child.ended is None:
                child.ended = monotonic()
                if child.ended - child.started > STEADY_S:
                    child.failures = 0
            if monotonic() - child.ended < pause_after(child.failures):
                continue
            child.failures += 1
            _say(self.screen, f"{child.command} ended with {process.returncode}; started again, see {child.log}")
            child.start()

    def restart(self, commands: Collection[str]) -> list[str]:
        """End some children, all at the same time, and start them again; return which."""
        chosen = [child for child in self.children if child.command in commands]
        _stop_all(chosen)
        for child in chosen:
            child.failures = 0
            child.start()
        return [child.command for child in chosen]

    def stop(self) -> None:
        """End all at the same time, and wait for each."""
        _stop_all(self.children)


def _stop_all(children: Sequence[_Child]) -> None:
    for child in children:
        if child.process is not None and child.process.poll() is None:
            child.process.send_signal(signal.SIGTERM)
    for child in children:
        child.stop(STOP_S)


def pause_after(failures: int) -> float:
    """Return how long to wait, in seconds, before a part is started that ended early so many times in a row."""
    return float(min(PAUSE_S, 2 ** min(failures, 10) - 1))


def _say(screen: Screen, text: str) -> None:
    """Print a line as it is: a folder's name is no markup."""
    screen.print(text, highlight=False, markup=False)


def _plain(text: str) -> str:
    """Return a text without anything that a terminal would act on."""
    return "".join(c if c.isprintable() else "?" for c in text)


def run_up(options: UpOptions, settings: Settings, screen: Screen) -> int:
    """Run the whole system until Ctrl-C, SIGTERM or the time given; return the exit code.

    Raises
    ------
    ConfigError
        When the folder is in use, belongs to the other origin, or its configuration is wrong.
    """
    folder = options.folder.absolute()
    with _only_one(folder):
        _prepare(folder, real=options.real)
        settings = _settings_of(options, settings, folder)
        keep_good(settings, real=options.real)
        _check_port(options.port)
        broker = EmbeddedBroker()
        settings = replace(settings, kafka=broker.bootstrap, log_id=f"embedded-{uuid4().hex[:12]}")
        Assembly(settings).archive.open_log(settings.log_id, settings.partitions)
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        try:
            return _run(_Run(options=options, settings=settings, broker=broker, screen=screen, stop=stop))
        finally:
            (folder / RUN_FILE).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One run of the tree."""

    options: UpOptions
    settings: Settings
    """Their configuration folder is the one that people edit."""
    broker: EmbeddedBroker
    screen: Screen
    stop: threading.Event


class _Configured:
    """The children with the last good configuration, and the watch over the files."""

    def __init__(self, run: _Run, tree: _Tree) -> None:
        self._run, self._tree = run, tree
        self._seen = self._looked = seen(run.settings)
        self._take(keep_good(run.settings, real=run.options.real))

    def _take(self, good: Good) -> None:
        """Let every child that starts from now on read a good configuration."""
        self.good = good
        parts = Assembly(good.settings)
        self._run.broker.make_topics(parts.topics.all(*good.kinds))
        environment = {**_clean(os.environ), **environment_of(good.settings), PARENT: str(os.getpid())}
        for child in self._tree.children:
            child.environment = environment
        _write_run_file(good.settings.dir / RUN_FILE, good.settings)
        self._state = State(mark=good.mark, since=wall_ms())
        write_state(good.settings.dir, self._state)

    def look(self) -> None:
        """Take changed files when they are good, and say what is wrong when they are not.

        They must be the same in two looks: an editor may be at the middle of them.
        """
        before, self._looked = self._looked, seen(self._run.settings)
        if self._looked == self._seen or self._looked != before:
            return
        self._seen = self._looked
        try:
            good = keep_good(self._run.settings, real=self._run.options.real)
        except ConfigError as error:
            self._refuse([str(one) for one in (error, *error.further)])
        except OSError as error:
            self._refuse([str(error)])
        else:
            self._change(good)

    def _refuse(self, reasons: Sequence[str]) -> None:
        for why in reasons:
            _say(self._run.screen, f"configuration not taken: {_plain(why)}")
        _say(self._run.screen, "going on with the last good configuration")
        self._state = msgspec.structs.replace(self._state, refused="\n".join(reasons), refused_at=wall_ms())
        write_state(self.good.settings.dir, self._state)

    def _change(self, good: Good) -> None:
        before = self.good
        if good.mark == before.mark:
            write_state(good.settings.dir, State(mark=good.mark, since=self._state.since))
            return
        self._take(good)
        parts = ["worker", "console", "watch", "steward"]
        if good.registry != before.registry:
            parts += ["simulate"]
        if good.kinds != before.kinds:
            parts += ["archive", "sink", "tick"]
        restarted = self._tree.restart(parts)
        forget_older(good.settings, good.mark)
        _say(self._run.screen, f"configuration taken; started again: {', '.join(restarted)}")


def _run(run: _Run) -> int:
    options, screen, folder = run.options, run.screen, run.settings.dir
    feeders = ["simulate"] if not options.real else ["tick"] if options.wall_clock else []
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    tree = _Tree(screen=screen)
    for command in (*feeders, "sink", "console", "worker", "archive", "watch", "steward"):
        tree.children.append(_Child(command=command, environment={}, log=logs / f"{command}.log"))
    configured = _Configured(run, tree)
    forget_older(run.settings, configured.good.mark)
    until = None if options.stop_after_s is None else monotonic() + options.stop_after_s
    try:
        for child in tree.children:
            child.start()
        _say(screen, f"jianhu: http://127.0.0.1:{run.settings.console_port}  ·  {folder}  ·  Ctrl-C stops")
        while not run.stop.wait(0.5):
            tree.watch()
            configured.look()
            if until is not None and monotonic() >= until:
                break
    finally:
        _say(screen, "stopping: what was sent is stored first")
        try:
            for child in tree.children[: len(feeders)]:
                child.stop(STOP_S)
            _drain(Assembly(configured.good.settings), stop=monotonic() + DRAIN_S)
        finally:
            tree.stop()
    _say(screen, "stopped")
    return 0


def _drain(parts: Assembly, *, stop: float) -> None:
    """Wait until every part has read what the topics hold."""
    for follower in parts.followers():
        while monotonic() < stop and lag_of(parts.kafka, follower.group, follower.topic, parts.settings.partitions):
            threading.Event().wait(0.2)


def _settings_of(options: UpOptions, settings: Settings, folder: Path) -> Settings:
    return replace(
        settings,
        dir=folder,
        partitions=PARTITIONS,
        console_host="127.0.0.1",
        console_port=options.port,
        speed=options.speed,
        grace_s=min(settings.grace_s, GRACE_S),
        archive_cut_s=20.0,
        say_again=WHOLE_PAST,
        lag_gate=True,
    )


def _clean(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith("JIANHU_")}


def _write_run_file(path: Path, settings: Settings) -> None:
    """Say to `jianhu feed` what runs here; tokens are among it, so that nobody else may read it."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"pid": os.getpid(), "environment": environment_of(settings)}, file)
    draft.replace(path)


def _prepare(folder: Path, *, real: bool) -> None:
    """Lay a new folder out, or check that an old one is of the same origin."""
    origin = "real" if real else "synthetic"
    path = folder / ORIGIN_FILE
    held = path.read_text().strip() if path.exists() else None
    if held not in (None, origin):
        raise ConfigError(
            file=str(path), line=None, key="", problem=f"the folder holds {held} data",
            mend="give another folder: synthetic sites never share a store with real ones",
        )  # fmt: skip
    path.write_text(origin + "\n")
    if not real:
        for name in LAID_OUT:
            _copy_once(PACKAGE, f"{FOLDER}/{name}", folder / name)
    _copy_once("alerts", "data/rules.yaml", folder / "rules.yaml")


def _copy_once(package: str, source: str, target: Path) -> None:
    """Lay a delivered file where people can edit it; what they edited stays."""
    if not target.exists():
        draft = target.with_name(f".{target.name}.new")
        draft.write_bytes(files(package).joinpath(source).read_bytes())
        draft.replace(target)


def _check_port(port: int) -> None:
    """Refuse a port that somebody else listens on, before anything starts.

    Raises
    ------
    ConfigError
        When it is taken.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as cause:
            raise ConfigError(
                file="command line", line=None, key="--port", problem=f"{port} is taken ({cause.strerror})",
                mend="give another port, for example --port 8421",
            ) from cause  # fmt: skip


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as cause:
            raise ConfigError(
                file=str(folder), line=None, key="", problem="another `jianhu up` runs on this folder",
                mend="stop it, or give another --dir",
            ) from cause  # fmt: skip
        yield
