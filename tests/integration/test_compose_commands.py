"""The production shape without containers: each service's own command, with its environment, against real services.

Read from docker-compose.yml: command and environment of every service of ours. Only host names, ports, secrets and
paths are put in other words, as a container engine does by its network and mounts.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import pytest
import sqlalchemy
import yaml
from influxdb_client.client.influxdb_client import InfluxDBClient

from alerts.desk import Part as Waiting
from dashboards.station import View
from jianhu.health import Part
from scripts.process import Process, ServiceError, free_ports
from scripts.services import InfluxAccess
from sensors.clock import BEIJING, ms_of
from streams.store.influx import InfluxStore

pytestmark = [pytest.mark.integration, pytest.mark.kafka, pytest.mark.influx]

ROOT: Final = Path(__file__).resolve().parents[2]
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
VARIABLE: Final = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
LASTING: Final = ("archive", "worker", "sink", "watch", "steward", "console")
TOKEN: Final = "a-token-of-this-test-alone"
PREFIX: Final = "compose"
BUCKET: Final = "compose"
SITE: Final = "Dongsi"
FIRST: Final = datetime(2015, 1, 10, 9, tzinfo=BEIJING)
"""End of the first hour that is sent."""
NO2: Final = (110, 120, 250, 130, 120, 110)
"""µg/m³; the third is over the hourly limit of 200."""
WAIT_S: Final = 90
GRACE_S: Final = 30
"""The compose file's stop_grace_period."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What the services meet in place of the compose network."""

    kafka: str
    influx: InfluxAccess
    alerts_url: str
    console_port: int
    home: Path

    def environment(self, name: str) -> dict[str, str]:
        """Return a service's environment as the compose file gives it, in this machine's words."""
        given = COMPOSE["services"][name]["environment"]
        found = {key: VARIABLE.sub(self._value, str(value)) for key, value in given.items()}
        words = {"kafka:9092": self.kafka, "http://influxdb:8086": self.influx.url, "0.0.0.0": "127.0.0.1"}  # noqa: S104
        words |= {"/var/lib/jianhu": str(self._folder(name)), "/etc/jianhu": str(self.home / "config")}
        for key, value in found.items():
            for container, machine in words.items():
                found[key] = found[key].replace(container, machine) if container in value else found[key]
        own = {"JIANHU_ALERTS_URL": self.alerts_url, "JIANHU_CONSOLE_PORT": str(self.console_port)}
        own |= {"JIANHU_INFLUX_BUCKET": BUCKET}
        return found | {key: value for key, value in own.items() if key in found} | {"JIANHU_PREFIX": PREFIX}

    def _value(self, variable: re.Match[str]) -> str:
        secrets = {"JIANHU_INFLUX_TOKEN": self.influx.token, "JIANHU_CONSOLE_TOKEN": TOKEN}
        return secrets.get(variable[1], variable[3] if variable[2] == "-" else "secret")

    def _folder(self, name: str) -> Path:
        """Return a container's own folder, in which the archive is the one volume that all share."""
        folder = self.home / name
        if not folder.exists():
            folder.mkdir()
            (self.home / "archive").mkdir(exist_ok=True)
            (folder / "archive").symlink_to(self.home / "archive")
        return folder

    def run(self, name: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end as a container of a service would."""
        return subprocess.run(
            [*_ours(command[0]), *command[1:]], cwd=self.home, env=_bare() | self.environment(name),
            capture_output=True, text=True, check=False, timeout=WAIT_S,
        )  # fmt: skip


def _ours(program: str) -> list[str]:
    return [sys.executable] if program == "python" else [str(Path(sys.executable).with_name(program))]


def _bare() -> dict[str, str]:
    """Return an environment without any setting of this machine's."""
    return {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


@pytest.fixture(scope="module")
def alerts_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database of this test's own on PostgreSQL, or on SQLite where that is not there."""
    try:
        server = sqlalchemy.make_url(request.getfixturevalue("postgres"))
    except pytest.skip.Exception:
        return f"sqlite:///{tmp_path_factory.mktemp('alerts') / 'alerts.sqlite'}"
    engine = sqlalchemy.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("create database compose"))
    engine.dispose()
    return server.set(database="compose").render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def outside(kafka: str, influx: InfluxAccess, alerts_url: str, tmp_path_factory: pytest.TempPathFactory) -> Outside:
    """Kafka, InfluxDB and a database, with a folder of configuration."""
    home = tmp_path_factory.mktemp("compose")
    (home / "config").mkdir()
    shutil.copy(ROOT / "sensors" / "data" / "beijing.yaml", home / "config" / "registry.yaml")
    with InfluxDBClient(influx.url, influx.token, org=influx.org) as client:
        client.buckets_api().create_bucket(bucket_name=BUCKET)
    port = free_ports(1)[0]
    return Outside(kafka=kafka, influx=influx, alerts_url=alerts_url, console_port=port, home=home)


@pytest.fixture(scope="module")
def system(outside: Outside) -> Iterator[Mapping[str, Process]]:
    """Every lasting service, started after the topics, and six hours of one site on their way through it."""
    topics = outside.run("topics", "jianhu", *COMPOSE["services"]["topics"]["command"])
    assert topics.returncode == 0, topics.stdout + topics.stderr
    processes = {name: _process(outside, name) for name in LASTING}
    try:
        for process in processes.values():
            process.start(lambda: True)
        fed = outside.run("worker", "jianhu", "feed", str(_file(outside.home)), "--format", "csv")
        assert fed.returncode == 0, fed.stdout + fed.stderr
        assert "sent 6 rows of 6 hours; 0 went to the dead letters" in fed.stdout
        yield processes
        codes = {name: process.stop(GRACE_S) for name, process in processes.items()}
        assert codes == dict.fromkeys(LASTING, 0), "a service did not end by itself when it was asked to"
    finally:
        for process in processes.values():
            process.kill()


def _process(outside: Outside, name: str) -> Process:
    command = [*_ours("jianhu"), *COMPOSE["services"][name]["command"]]
    given = [f"{key}={value}" for key, value in (_bare() | outside.environment(name)).items()]
    return Process(name=name, command=["env", "-i", *given, *command], log=outside.home / f"{name}.log")


def _file(home: Path) -> Path:
    path = home / "hours.csv"
    with path.open("w", encoding="utf-8", newline="") as text:
        rows = csv.writer(text)
        rows.writerow(["time", "site", "PM2.5", "PM10", "SO2", "NO2", "CO", "O3"])
        for number, no2 in enumerate(NO2):
            end = FIRST + timedelta(hours=number)
            rows.writerow([f"{end:%Y-%m-%d %H:%M}", SITE, 35 + number, 70, 8, no2, "0.8", 60])
    return path


def _become_healthy(system: Mapping[str, Process], outside: Outside, name: str) -> None:
    """Wait until a service's own health check ends well; its last words are told when it never does."""
    said = [""]

    def healthy() -> bool:
        done = outside.run(name, *COMPOSE["services"][name]["healthcheck"]["test"][1:])
        said.append(done.stdout + done.stderr)
        return done.returncode == 0

    try:
        system[name].wait_for(healthy, WAIT_S)
    except ServiceError as cause:
        pytest.fail(f"{cause}\nits health check said: {said[-1]}")


def _ask(outside: Outside, path: str, token: str = TOKEN) -> Any:
    request = urllib.request.Request(f"http://127.0.0.1:{outside.console_port}{path}")
    request.add_header("authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=WAIT_S) as answer:  # noqa: S310 - likewise
        return json.load(answer)


def _series(outside: Outside) -> list[str]:
    """Return the NO2 values that the console shows, as it writes them."""
    span = {"site": SITE, "window": View.HOUR, "from": "2015-01-10T08:00", "to": "2015-01-10T14:00"}
    panels = _ask(outside, f"/api/v1/series?{urlencode(span)}")["panels"]
    points = [panel["points"] for panel in panels if (panel["factor"], panel["window"]) == ("NO2", "1h")]
    return [point["value"] for point in points[0] if point["value"] is not None] if points else []


@pytest.mark.parametrize("name", LASTING)
def test_a_service_started_by_its_own_command_becomes_healthy(
    name: str, system: Mapping[str, Process], outside: Outside
) -> None:
    _become_healthy(system, outside, name)
    assert system[name].running


def test_a_reading_that_is_fed_comes_out_in_influxdb(system: Mapping[str, Process], outside: Outside) -> None:
    access = outside.influx
    store = InfluxStore(url=access.url, token=access.token, org=access.org, bucket=BUCKET)
    start = ms_of(FIRST) - 3_600_000

    def values() -> list[int | None]:
        rows = store.series(SITE, "NO2", "1h", start, start + 6 * 3_600_000)
        digits: list[int] = rows.column("digits").to_pylist()
        return [value // 10**place for value, place in zip(rows.column("value").to_pylist(), digits, strict=True)]

    try:
        system["sink"].wait_for(lambda: values() == list(NO2), WAIT_S)
    finally:
        store.close()


def test_a_reading_that_is_fed_comes_out_on_the_console(system: Mapping[str, Process], outside: Outside) -> None:
    _become_healthy(system, outside, Part.CONSOLE)
    system["console"].wait_for(lambda: _series(outside) == [str(value) for value in NO2], WAIT_S)


def test_an_hour_over_the_limit_becomes_an_event_that_the_console_lists(
    system: Mapping[str, Process], outside: Outside
) -> None:
    _become_healthy(system, outside, Part.CONSOLE)

    def raised() -> set[tuple[str, str]]:
        tabs = [_ask(outside, f"/api/v1/waiting?part={part}")["alerts"] for part in Waiting]
        return {(event["site"], event["rule"]) for events in tabs for event in events}

    system["watch"].wait_for(lambda: (SITE, "limit-1h") in raised(), WAIT_S)


def test_the_console_wants_the_token_of_its_environment(system: Mapping[str, Process], outside: Outside) -> None:
    _become_healthy(system, outside, Part.CONSOLE)
    with pytest.raises(urllib.error.HTTPError, match="401") as refused:
        _ask(outside, "/api/v1/overview", "another-token-altogether")
    refused.value.close()
