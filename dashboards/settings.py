"""Settings of the console, checked before anything listens."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from sensors.errors import ConfigError

_LOOPBACK_NAMES = frozenset({"localhost", "ip6-localhost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSettings:
    """How the console listens, what it trusts and when it calls data old.

    Raises
    ------
    ConfigError
        When it would be reachable from other machines without a token, or a number is out of bounds.
    """

    host: str = "127.0.0.1"
    """Address to listen on; anything but loopback needs a token."""
    port: int = 8420
    """TCP port, 0 for any free one."""
    token: str | None = field(default=None, repr=False)
    """Shared secret of at least 16 characters that opens the console; never logged."""
    allowed_hosts: tuple[str, ...] = ()
    """Further names the console answers to, without port; on loopback only its own names are answered otherwise."""
    geojson: Path | None = None
    """Outline of the region as GeoJSON in longitude and latitude; without it the points stand on a plain frame."""
    speed: float = 1.0
    """How many seconds of data pass in a second of the wall clock, for a simulated clock."""
    owed_after_ms: int = 600_000
    """How long after its end an hour is owed by every site; then a silent site is missing."""
    late_ms: int = 259_200_000
    """How long late data are taken live: a window is final when its kind's clock is so far past its end."""
    silent_after_ms: int = 180_000
    """Wall time without a tick after which the pipeline is called silent."""
    poll_ms: int = 1_000
    """How often the one shared task looks at the store and the desk."""
    listeners: int = 200
    """How many pages may listen for changes at once."""
    version: str = "0"
    """What ``/version`` answers."""

    def __post_init__(self) -> None:
        if not is_loopback(self.host) and not self.token:
            raise _wrong("host", f"{self.host} can be reached from other machines", "set console.token, or 127.0.0.1")
        if self.token is not None and len(self.token) < _SHORTEST_TOKEN:
            raise _wrong("token", "is too short", f"use at least {_SHORTEST_TOKEN} random characters")
        if not 0 <= self.port <= _LAST_PORT:
            raise _wrong("port", f"{self.port} is no port", f"use 0 to {_LAST_PORT}")
        if self.speed <= 0:
            raise _wrong("speed", f"{self.speed} does not go forward", "use a number above 0")
        for name in ("owed_after_ms", "late_ms", "silent_after_ms", "poll_ms", "listeners"):
            if getattr(self, name) < 1:
                raise _wrong(name, f"{getattr(self, name)} is not positive", "use 1 or more")


_SHORTEST_TOKEN = 16
_LAST_PORT = 65_535


def _wrong(key: str, problem: str, mend: str) -> ConfigError:
    return ConfigError(file="settings", line=None, key=f"console.{key}", problem=problem, mend=mend)


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine alone; a name that is not known is not."""
    bare = host.strip("[]").lower()
    if bare in _LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False
