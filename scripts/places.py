"""Where real services are kept on this machine, which versions, and whether they are there.

Everything lives outside the checkout, in ``$JIANHU_CACHE`` or ``~/.cache/jianhu``, so that a fresh
clone finds what an earlier one has built. A folder's name carries the version and the revision of
the recipe; it appears only when complete.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

KAFKA_VERSION: Final = "4.1.0"
INFLUX_VERSION: Final = "2.7.12"
_RECIPE: Final = 1
"""To be raised when a recipe changes what it makes."""
REQUIRE: Final = "JIANHU_REQUIRE_SERVICES"
_POSTGRES_ROOT: Final = Path("/usr/lib/postgresql")


def required() -> bool:
    """Tell whether a missing service is an error here, as it is in CI."""
    return os.environ.get(REQUIRE, "") == "1"


def cache() -> Path:
    """Return the folder that holds what was built; it need not exist."""
    given = os.environ.get("JIANHU_CACHE")
    return Path(given) if given else Path.home() / ".cache" / "jianhu"


def kafka_home() -> Path:
    """Return the folder of Kafka's jars."""
    return cache() / f"kafka-{KAFKA_VERSION}-r{_RECIPE}"


def influx_home() -> Path:
    """Return the folder of the InfluxDB server."""
    return cache() / f"influxdb-{INFLUX_VERSION}-r{_RECIPE}"


def kafka_lib() -> Path | None:
    """Return the folder of Kafka's jars when Kafka can be started, else None."""
    lib = kafka_home() / "lib"
    return lib if lib.is_dir() and shutil.which("java") else None


def influxd() -> Path | None:
    """Return the InfluxDB server, or None where it has not been built."""
    program = influx_home() / "influxd"
    return program if program.is_file() else None


def chromium() -> Path | None:
    """Return Chromium, or None where it is not installed."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    return Path(found) if found else None


def postgres_bin() -> Path | None:
    """Return the folder of PostgreSQL's server programs, or None where it is not installed."""
    found = sorted(_POSTGRES_ROOT.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


def alertmanager() -> Path | None:
    """Return the Alertmanager server, or None where it is not installed."""
    found = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    return Path(found) if found else None
