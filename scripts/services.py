"""Start and stop real Kafka, InfluxDB, PostgreSQL and Alertmanager on loopback ports, each in a folder of its own.

``python scripts/services.py up`` starts Kafka and InfluxDB in the foreground for people; the
integration tests' fixtures use the classes.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import pwd
import secrets
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Protocol, TypeVar

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a file

from scripts import places
from scripts.process import Owner, Process, ServiceError, free_ports

_STARTED: Final = b"Kafka Server started"
_HEAP_MB: Final = 512
_TRIES: Final = 3
"""A free port may be taken by somebody else before the server has it."""


class Server(Protocol):
    """What every service here can do."""

    process: Process

    def start(self) -> None:
        """Start it, or start it again with the data and ports that it had."""


# --- Kafka ---------------------------------------------------------------------------------------


class KafkaNode:
    """One KRaft node that is broker and controller.

    Topics are not created by being asked for: a program that forgets to create them must fail here too.
    """

    def __init__(self, home: Path, lib: Path, ports: tuple[int, int] | None = None) -> None:
        self.home = home
        self.port, self._controller = ports or free_ports(2)
        self._lib = lib
        self.process = Process(
            name="Kafka",
            command=self._java(f"-Xmx{_HEAP_MB}m", "kafka.Kafka", str(self._properties)),
            log=home / "kafka.log",
        )

    @property
    def bootstrap(self) -> str:
        """Return the address for clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def _properties(self) -> Path:
        return self.home / "server.properties"

    def _java(self, heap: str, main: str, *arguments: str) -> list[str]:
        # One collector thread and the first compiler only: it shares two cores with the tests.
        tuning = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"]
        return ["java", heap, *tuning, "-cp", f"{self._lib}/*", main, *arguments]

    def start(self) -> None:
        """Start the node; its folder is formatted the first time.

        Raises
        ------
        ServiceError
            When it cannot be formatted or does not come up.
        """
        if not (self.home / "data").exists():
            self._format()
        # Only what this start writes counts: an earlier start has said the same into the same log.
        skip = self.process.log.stat().st_size if self.process.log.exists() else 0
        self.process.start(lambda: _said(self.process.log, _STARTED, skip))

    def _format(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self._properties.write_text(self._settings(), encoding="utf-8")
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        command = self._java("-Xmx128m", "kafka.tools.StorageTool", "format", "-t", cluster, "-c")
        done = subprocess.run([*command, str(self._properties)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServiceError(f"Kafka's folder could not be formatted:\n{done.stdout}{done.stderr}")

    def _settings(self) -> str:
        client, controller = f"127.0.0.1:{self.port}", f"127.0.0.1:{self._controller}"
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{controller}",
            "listeners": f"PLAINTEXT://{client},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{client}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(self.home / "data"),
            "num.partitions": "4",
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "4",
            "group.initial.rebalance.delay.ms": "0",
        }
        return "".join(f"{key}={value}\n" for key, value in settings.items())


def _said(log: Path, words: bytes, skip: int) -> bool:
    if not log.exists():
        return False
    with log.open("rb") as text:
        text.seek(skip)
        return words in text.read()


# --- InfluxDB ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class InfluxAccess:
    """What a client of InfluxDB needs."""

    url: str
    token: str
    org: str
    bucket: str


class InfluxServer:
    """InfluxDB 2 with an organisation, a bucket without retention, and a token."""

    def __init__(self, home: Path, program: Path, port: int | None = None, token: str | None = None) -> None:
        self.home = home
        address = f"127.0.0.1:{port or free_ports(1)[0]}"
        self.access = InfluxAccess(
            url=f"http://{address}", token=token or secrets.token_urlsafe(32), org="jianhu", bucket="jianhu"
        )
        paths = [f"--{name}-path={home / name}" for name in ("bolt", "engine", "sqlite")]
        self.process = Process(
            name="InfluxDB",
            command=[str(program), f"--http-bind-address={address}", *paths, "--reporting-disabled"],
            log=home / "influxdb.log",
            env={"INFLUXD_CONFIG_PATH": str(home)},
        )

    def start(self) -> None:
        """Start the server; it is set up the first time.

        Raises
        ------
        ServiceError
            When it does not come up or refuses the set-up.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        self.process.start(lambda: _answer(f"{self.access.url}/health").get("status") == "pass")
        if _answer(f"{self.access.url}/api/v2/setup").get("allowed"):
            self._set_up()

    def _set_up(self) -> None:
        wanted = {
            "username": "jianhu",
            "password": secrets.token_urlsafe(24),  # nobody logs in here: the token is what is used
            "org": self.access.org,
            "bucket": self.access.bucket,
            "token": self.access.token,
            "retentionPeriodSeconds": 0,
        }
        if not _answer(f"{self.access.url}/api/v2/setup", wanted).get("auth"):
            raise ServiceError(f"InfluxDB was not set up:\n{self.process.tail()}")


def _answer(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a local server's JSON answer; an empty one while there is none."""
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=data), timeout=5) as answer:  # noqa: S310 - ours
            found = json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


# --- PostgreSQL ----------------------------------------------------------------------------------


class PostgresServer:
    """PostgreSQL with one user and one database, both called jianhu; it never runs as root."""

    def __init__(self, home: Path, programs: Path) -> None:
        self.home = home
        self.port = free_ports(1)[0]
        self._programs = programs
        self._password = secrets.token_urlsafe(16)
        self._owner = _server_user()
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        settings = [text for key, value in options.items() for text in ("-c", f"{key}={value}")]
        self.process = Process(
            name="PostgreSQL",
            command=[str(programs / "postgres"), "-D", str(home / "data"), "-p", str(self.port), *settings],
            log=home / "postgres.log",
            owner=self._owner,
            stop_signal=signal.SIGINT,  # its "fast" stop: does not wait for clients
        )

    @property
    def url(self) -> str:
        """Return the SQLAlchemy URL."""
        return f"postgresql+psycopg://jianhu:{self._password}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start the server; its folder is made the first time.

        Raises
        ------
        ServiceError
            When it cannot be made or does not come up.
        """
        if not (self.home / "data").exists():
            self._initialise()
        skip = self.process.log.stat().st_size if self.process.log.exists() else 0
        self.process.start(lambda: _said(self.process.log, b"ready to accept connections", skip))

    def _initialise(self) -> None:
        secret = self.home / "password"
        secret.write_text(self._password, encoding="utf-8")
        identity: dict[str, Any] = {}
        if self._owner:
            identity = {"user": self._owner.user, "group": self._owner.group, "extra_groups": []}
            for path in (self.home, secret):
                os.chown(path, self._owner.user, self._owner.group)
        command = [str(self._programs / "initdb"), "-D", str(self.home / "data"), "-U", "jianhu", "--no-sync"]
        command += ["-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--locale=C.UTF-8"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.home, **identity)
        secret.unlink()
        if done.returncode:
            raise ServiceError(f"PostgreSQL's folder could not be made:\n{done.stdout}{done.stderr}")


def _server_user() -> Owner | None:
    """Return the user for PostgreSQL when we are root, which it refuses to run as."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("postgres")
    return Owner(user=entry.pw_uid, group=entry.pw_gid)


# --- Alertmanager --------------------------------------------------------------------------------


class AlertmanagerServer:
    """One Alertmanager, without others beside it.

    Parameters
    ----------
    home
        Folder of its data.
    program
        The server.
    config
        Its configuration file's text.
    """

    def __init__(self, home: Path, program: Path, config: str) -> None:
        self.home, self._config = home, config
        address = f"127.0.0.1:{free_ports(1)[0]}"
        self.url = f"http://{address}"
        self.process = Process(
            name="Alertmanager",
            command=[
                str(program), f"--config.file={home / 'alertmanager.yml'}", f"--storage.path={home / 'data'}",
                f"--web.listen-address={address}", "--cluster.listen-address=",
            ],
            log=home / "alertmanager.log",
        )  # fmt: skip

    def start(self) -> None:
        """Start the server.

        Raises
        ------
        ServiceError
            When it does not come up, for example because it does not like its configuration.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "alertmanager.yml").write_text(self._config, encoding="utf-8")
        self.process.start(lambda: _answer(f"{self.url}/api/v2/status").get("versionInfo") is not None)


# --- for tests and people ------------------------------------------------------------------------

ServerT = TypeVar("ServerT", bound=Server)


@contextmanager
def running(make: Callable[[Path], ServerT]) -> Iterator[ServerT]:
    """Give a started server in an empty folder of its own; at the end it is stopped and the folder removed.

    Raises
    ------
    ServiceError
        When it does not come up after a few tries, each with other ports.
    """
    with ExitStack() as stack:
        yield _started(make, stack)


def _started(make: Callable[[Path], ServerT], stack: ExitStack) -> ServerT:
    for left in reversed(range(_TRIES)):
        home = stack.enter_context(TemporaryDirectory(prefix="jianhu-", ignore_cleanup_errors=True))
        server = make(Path(home))
        stack.callback(server.process.stop)
        try:
            server.start()
        except ServiceError:
            if not left:
                raise
        else:
            return server
    raise AssertionError("unreachable: the last try returns or raises")


def _kept_token(home: Path) -> str:
    """Return the token of an InfluxDB folder that people use, made the first time."""
    path = home / "token"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32), encoding="utf-8")
    return path.read_text(encoding="utf-8")


def up(home: Path, kafka_port: int, influx_port: int) -> int:
    """Run Kafka and InfluxDB until interrupted; what they hold stays in ``home``; return the exit code."""
    lib, influxd = places.kafka_lib(), places.influxd()
    if lib is None or influxd is None:
        print("Kafka or InfluxDB is not there; `make services` makes them", file=sys.stderr)
        return 1
    token = _kept_token(home / "influxdb")
    influx = InfluxServer(home / "influxdb", influxd, influx_port, token)
    servers: list[Server] = [KafkaNode(home / "kafka", lib, (kafka_port, kafka_port + 1)), influx]
    wake = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: wake.set())
    with ExitStack() as stack:
        for server in servers:
            stack.callback(server.process.stop)
            server.start()
        _tell(kafka_port, influx.access)
        while not wake.wait(1):
            if gone := [server.process for server in servers if not server.process.running]:
                print(f"{gone[0].name} ended:\n{gone[0].tail()}", file=sys.stderr)
                return 1
    return 0


def _tell(kafka_port: int, influx: InfluxAccess) -> None:
    settings = {
        "JIANHU_KAFKA": f"127.0.0.1:{kafka_port}",
        "JIANHU_STORE": "influx",
        "JIANHU_INFLUX_URL": influx.url,
        "JIANHU_INFLUX_TOKEN": influx.token,
        "JIANHU_INFLUX_ORG": influx.org,
        "JIANHU_INFLUX_BUCKET": influx.bucket,
    }
    print("".join(f"export {name}={value}\n" for name, value in settings.items()))
    print("Kafka and InfluxDB run; Ctrl-C stops them.", flush=True)


def main(arguments: Sequence[str]) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(description="Kafka and InfluxDB on this machine, for trying things out.")
    parser.add_argument("command", choices=["up"])
    parser.add_argument("--dir", type=Path, default=Path("var/services"), help="where their data stays")
    parser.add_argument("--kafka-port", type=int, default=9092, help="the port above it is taken too")
    parser.add_argument("--influx-port", type=int, default=8086)
    given = parser.parse_args(arguments)
    try:
        return up(given.dir.resolve(), given.kafka_port, given.influx_port)
    except ServiceError as cause:
        print(cause, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
