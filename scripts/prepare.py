"""Make the real services ready that the integration tests use: ``make services``.

Each step says what it does, is skipped when its result is there, builds in a folder of its own and
appears by one rename. A machine without the tool chain is told what is missing and goes on; with
``JIANHU_REQUIRE_SERVICES=1`` that is an error. Only the standard library is used, so that it runs
before anything is installed.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a file, before anything is installed

from scripts import places

_PKG_CONFIG: Final = "github.com/influxdata/pkg-config@v0.2.7"
_INFLUX_MODULE: Final = "github.com/influxdata/influxdb/v2"
_COPY_GOAL: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_POM: Final = f"""<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>jianhu</groupId><artifactId>kafka</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{places.KAFKA_VERSION}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
"""
_TAIL: Final = 40
"""Lines of a failed command's output that are shown."""


class StepFailed(Exception):
    """A step could not be carried out; the text says why and what would mend it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One service to make ready."""

    name: str
    what: str
    ready: Callable[[], Path | None]
    make: Callable[[], None]
    tools: tuple[str, ...]
    """Programs without which ``make`` cannot run."""


def _run(command: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """Run a command; return its output.

    Raises
    ------
    StepFailed
        When it ends with an error; carries the end of what it printed.
    """
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        tail = "\n    ".join((done.stdout + done.stderr).splitlines()[-_TAIL:])
        raise StepFailed(f"{' '.join(command[:3])} … ended with {done.returncode}:\n    {tail}")
    return done.stdout


@contextmanager
def _building(home: Path) -> Iterator[Path]:
    """Give an empty folder that becomes ``home`` by one rename when the block ends well."""
    home.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{home.name}-", dir=home.parent))
    try:
        yield work
        work.chmod(0o755)
        if home.exists():  # a broken one: complete folders are not built again
            shutil.rmtree(home)
        work.rename(home)
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _one_at_a_time(cache: Path) -> Iterator[None]:
    """Hold the cache's lock: two checkouts must not build the same thing at once."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make_kafka() -> None:
    with _building(places.kafka_home()) as work:
        (work / "pom.xml").write_text(_POM, encoding="utf-8")
        _run(
            ["mvn", "-B", "-q", "-C", _COPY_GOAL, "-DincludeScope=runtime", f"-DoutputDirectory={work / 'lib'}"],
            cwd=work,
        )
        if not any((work / "lib").glob(f"kafka_2.13-{places.KAFKA_VERSION}.jar")):
            raise StepFailed("Maven ended well but left no Kafka jar")


def _make_influxdb() -> None:
    """Build influxd from a module of our own: the released one has a ``replace`` and cannot be installed directly."""
    with _building(places.influx_home()) as home, tempfile.TemporaryDirectory(prefix="jianhu-influxd-") as scratch:
        work = Path(scratch)
        _run(["go", "install", _PKG_CONFIG], cwd=work, env={"GOBIN": str(work / "bin")})
        told = _run(["go", "mod", "download", "-json", f"{_INFLUX_MODULE}@v{places.INFLUX_VERSION}"], cwd=work)
        module = json.loads(told)
        _write_module(work, Path(module["GoMod"]), Path(module["Dir"]))
        command = ["go", "build", "-tags", "sqlite_foreign_keys sqlite_json"]
        command += ["-ldflags", f"-s -w -X main.version=v{places.INFLUX_VERSION}", "-o", str(home / "influxd"), "."]
        _run(command, cwd=work, env=_build_environment(work))


def _write_module(work: Path, go_mod: Path, source: Path) -> None:
    lines = go_mod.read_text(encoding="utf-8").splitlines()
    lines = ["module jianhu/influxd" if line.startswith("module ") else line for line in lines]
    lines.append(f"require {_INFLUX_MODULE} v{places.INFLUX_VERSION}")
    (work / "go.mod").write_text("\n".join(lines) + "\n", encoding="utf-8")
    shutil.copyfile(source / "go.sum", work / "go.sum")
    shutil.copyfile(source / "cmd" / "influxd" / "main.go", work / "main.go")
    # The query engine's Rust part turns the warnings of newer compilers into errors, and RUSTFLAGS does not reach it.
    wrapper = work / "rustc-wrapper"
    wrapper.write_text('#!/bin/sh\nexec "$@" --cap-lints warn\n', encoding="utf-8")
    wrapper.chmod(0o755)


def _build_environment(work: Path) -> dict[str, str]:
    """Return the variables of the build: a stand-in for pkg-config first in PATH builds the Rust part."""
    env = {
        "PATH": f"{work / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "RUSTC_WRAPPER": str(work / "rustc-wrapper"),
        "GOFLAGS": "-mod=mod",
        "CGO_ENABLED": "1",
    }
    if shutil.which("rustup"):  # the Rust part pins an older tool chain, which need not be installed
        env["RUSTUP_TOOLCHAIN"] = _run(["rustup", "show", "active-toolchain"], cwd=work).split()[0]
    return env


def _install(*packages: str) -> None:
    """Install Debian packages.

    Raises
    ------
    StepFailed
        When this is no Debian, or we are not root.
    """
    if os.geteuid() != 0:
        raise StepFailed(f"only root can install packages; run: apt-get install {' '.join(packages)}")
    here, env = Path("/"), {"DEBIAN_FRONTEND": "noninteractive"}
    wait = ["-q", "-o", "DPkg::Lock::Timeout=300"]
    _run(["apt-get", "update", *wait], cwd=here, env=env)
    _run(["apt-get", "install", "-y", "--no-install-recommends", *wait, *packages], cwd=here, env=env)


def _fonts() -> Path | None:
    """Return a Chinese font, or None: without one a screenshot shows boxes."""
    roots = (Path("/usr/share/fonts"), Path.home() / ".fonts", Path.home() / ".local/share/fonts")
    return next((font for root in roots for font in root.rglob("NotoSansCJK*")), None)


def _browser() -> Path | None:
    return places.chromium() if _fonts() else None


STEPS: Final = (
    Step(
        name="kafka", what=f"Kafka {places.KAFKA_VERSION}: jars by Maven, some 10 s",
        ready=places.kafka_lib, make=_make_kafka, tools=("java", "mvn"),
    ),
    Step(
        name="chromium", what="Chromium and Chinese fonts: Debian packages, under a minute",
        ready=_browser, make=lambda: _install("chromium", "fonts-noto-cjk"), tools=("apt-get",),
    ),
    Step(
        name="postgresql", what="PostgreSQL: Debian package, under a minute",
        ready=places.postgres_bin, make=lambda: _install("postgresql"), tools=("apt-get",),
    ),
    Step(
        name="alertmanager", what="Alertmanager: Debian package, some seconds",
        ready=places.alertmanager, make=lambda: _install("prometheus-alertmanager"), tools=("apt-get",),
    ),
    Step(
        name="influxdb", what=f"InfluxDB {places.INFLUX_VERSION}: built with Go and Rust, some 5 minutes",
        ready=places.influxd, make=_make_influxdb, tools=("go", "cargo", "rustc", "gcc", "pkg-config"),
    ),
)  # fmt: skip


def prepare(step: Step) -> str | None:
    """Make one service ready; return what is wrong, or None when it is there."""
    if found := step.ready():
        print(f"services: {step.name}: there ({found})")
        return None
    missing = [tool for tool in step.tools if shutil.which(tool) is None]
    if missing:
        return f"{step.name}: not made, {', '.join(missing)} not found on this machine"
    print(f"services: {step.name}: making {step.what} …", flush=True)
    began = time.monotonic()
    try:
        step.make()
    except (StepFailed, OSError) as cause:
        return f"{step.name}: {cause}"
    if not step.ready():
        return f"{step.name}: made, but it is not to be found"
    print(f"services: {step.name}: ready after {time.monotonic() - began:.0f} s", flush=True)
    return None


def main(names: Sequence[str]) -> int:
    """Make the named services ready, or all; return the exit code."""
    unknown = set(names) - {step.name for step in STEPS}
    if unknown:
        print(f"services: no such service: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    with _one_at_a_time(places.cache()):
        wrong = [told for step in STEPS if not names or step.name in names if (told := prepare(step))]
    for told in wrong:
        print(f"services: {told}", file=sys.stderr)
    if wrong and not places.required():
        print("services: going on without; tests that need them are skipped and say so", file=sys.stderr)
    return 1 if wrong and places.required() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
