"""Settings of the whole system, from ``JIANHU_*`` variables; read once, by the command line.

An unknown variable with our prefix is an error: a misspelt name must not be ignored for years.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from sensors.errors import ConfigError
from streams.topics import Topics

PREFIX: Final = "JIANHU_"
_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
"""What may name topics, groups and folders."""
_PARTITIONS: Final = range(1, 10_001)
_PORTS: Final = range(65_536)
FOREIGN: Final = frozenset(
    {"JIANHU_REQUIRE_SERVICES", "JIANHU_CACHE", "JIANHU_SHARED_DATA", "JIANHU_SOAK", "JIANHU_PARENT"}
)
"""Variables of the tests, of the scripts and of the process tree, which are no settings."""


class StoreKind(StrEnum):
    """Where results are kept."""

    SQLITE = "sqlite"
    INFLUX = "influx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that a command needs to know of its surroundings."""

    kafka: str = ""
    """Bootstrap address, ``host:port``; ``jianhu up`` sets it for its children."""
    log_id: str = ""
    """Name of the broker's log; empty asks the broker, the embedded one gets a new one at each start."""
    dir: Path = Path("jianhu-data")
    """Where data and configuration live."""
    store: StoreKind = StoreKind.SQLITE
    """Where results are kept."""
    influx_url: str = "http://127.0.0.1:8086"
    influx_token: str = field(default="", repr=False)
    influx_org: str = "jianhu"
    influx_bucket: str = "jianhu"
    alerts_url: str = field(default="", repr=False)
    """SQLAlchemy URL of the alert journal; empty is a SQLite file in ``dir``."""
    prefix: str = ""
    """Name space of topics and groups."""
    partitions: int = 4
    """Partitions of every topic; fixed once the archive has begun."""
    config: Path | None = None
    """Configuration folder; by default ``dir``: registry.yaml, rules.yaml, and, where there are such, permits.yaml,
    targets.yaml and kinds/*.yaml."""
    registry: Path | None = None
    """Registry file; by default ``registry.yaml`` in the configuration folder."""
    rules: Path | None = None
    """Rules file; by default ``rules.yaml`` in the configuration folder."""
    kinds: str = ""
    """Kinds that this system carries, separated by commas; empty: those that have sites in the registry."""
    console_host: str = "127.0.0.1"
    console_port: int = 8420
    console_token: str = field(default="", repr=False)
    console_allowed_hosts: str = ""
    """Names that the console answers to, separated by commas."""
    grace_s: int = 300
    """An hour is closed so long after its end."""
    speed: float = 1.0
    """Seconds of data in a second of the wall clock, for simulated data."""
    archive_cut_s: float = 60.0
    """The archive cuts a segment at this age at the latest."""
    say_again: int = 1_000
    """A worker that takes a partition over sends the results of so many last ticks again."""
    lag_gate: bool = False
    """Whether feeders wait for the slowest reader of all, as the embedded broker needs."""

    @property
    def topics(self) -> Topics:
        """The topics in this name space."""
        return Topics(prefix=self.prefix)

    @property
    def config_dir(self) -> Path:
        """The configuration folder."""
        return self.config or self.dir

    @property
    def registry_path(self) -> Path:
        """The registry file."""
        return self.registry or self.config_dir / "registry.yaml"

    @property
    def rules_path(self) -> Path:
        """The rules file."""
        return self.rules or self.config_dir / "rules.yaml"

    @property
    def permits_path(self) -> Path:
        """The permits of outfalls and sources; need not be there."""
        return self.config_dir / "permits.yaml"

    @property
    def targets_path(self) -> Path:
        """The targets of areas; need not be there."""
        return self.config_dir / "targets.yaml"

    @property
    def modes_path(self) -> Path:
        """The modes (guarantee, emergency, drill); need not be there."""
        return self.config_dir / "modes.yaml"

    @property
    def cases_path(self) -> Path:
        """What an office decides about its cases; need not be there."""
        return self.config_dir / "cases.yaml"

    @property
    def people_path(self) -> Path:
        """The people who are told, with their rotas and duties; need not be there."""
        return self.config_dir / "people.yaml"

    @property
    def notices_path(self) -> Path:
        """How, by which channels and in which words people are told; need not be there."""
        return self.config_dir / "notices.yaml"

    @property
    def gates_path(self) -> Path:
        """When rain gates may open; need not be there."""
        return self.config_dir / "gates.yaml"

    @property
    def kinds_dir(self) -> Path:
        """The folder of the user's own kind files, beside the registry; need not be there."""
        return self.registry_path.parent / "kinds"

    @property
    def kind_names(self) -> tuple[str, ...]:
        """The kinds that were named; empty when those of the registry are meant."""
        return tuple(sorted({name.strip() for name in self.kinds.split(",") if name.strip()}))

    @property
    def alerts_database(self) -> str:
        """SQLAlchemy URL of the alert journal."""
        return self.alerts_url or f"sqlite:///{(self.dir / 'alerts.sqlite').absolute()}"

    @property
    def results_file(self) -> Path:
        """The embedded store's file."""
        return self.dir / "results.sqlite"

    @property
    def archive_dir(self) -> Path:
        """The archive's folder."""
        return self.dir / "archive"


def parse_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings of an environment; variables without our prefix are passed over.

    Raises
    ------
    ConfigError
        When a variable with our prefix is unknown or its value has another type or is out of bounds.
    """
    known = {f.name: f for f in fields(Settings)}
    given: dict[str, Any] = {}
    for variable, text in environment.items():
        if not variable.startswith(PREFIX) or variable in FOREIGN:
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name not in known:
            raise _wrong(
                variable, "is no setting of jianhu", f"known are {', '.join(PREFIX + n.upper() for n in known)}"
            )
        given[name] = _parsed(variable, text, str(known[name].type))
    settings = Settings(**given)
    for name, held, bounds in _bounds(settings):
        if not held:
            raise _wrong(PREFIX + name.upper(), f"is {getattr(settings, name)!r}", bounds)
    return settings


def _bounds(settings: Settings) -> Iterator[tuple[str, bool, str]]:
    """Yield name, whether its bounds are kept, and what they are."""
    yield "partitions", settings.partitions in _PARTITIONS, "use 1 to 10000"
    yield "console_port", settings.console_port in _PORTS, "use 0 to 65535"
    for name, whole in (("grace_s", settings.grace_s), ("say_again", settings.say_again)):
        yield name, whole >= 0, "use 0 or more"
    for name, seconds in (("speed", settings.speed), ("archive_cut_s", settings.archive_cut_s)):
        yield name, math.isfinite(seconds) and seconds > 0, "use a number over 0"
    for name, text in (("prefix", settings.prefix), ("log_id", settings.log_id)):
        allowed = not text or _NAME.fullmatch(text) is not None
        yield name, allowed, "use at most 100 letters, digits, '.', '_' and '-', beginning with no '.'"


def _parsed(variable: str, text: str, kind: str) -> object:
    try:
        match kind:
            case "int":
                return int(text)
            case "float":
                return float(text)
            case "bool":
                return {"1": True, "true": True, "0": False, "false": False}[text.lower()]
            case "Path" | "Path | None":
                return Path(text) if text or kind == "Path" else None
            case "StoreKind":
                return StoreKind(text)
            case _:
                return text
    except (ValueError, KeyError) as cause:
        raise _wrong(variable, f"{text!r} is no {kind}", "correct the value") from cause


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the variables from which `parse_settings` makes the same settings, for a child process."""
    pairs = ((f.name, getattr(settings, f.name)) for f in fields(Settings))
    return {PREFIX + name.upper(): str(value) for name, value in pairs if value is not None}


def _wrong(variable: str, problem: str, mend: str) -> ConfigError:
    return ConfigError(file="environment", line=None, key=variable, problem=problem, mend=mend)
