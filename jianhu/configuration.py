"""The configuration of a running system: checked as a whole, and kept as the last good one.

The parts read a copy that was found good, never the files that somebody edits: a file that is wrong
changes nothing, and a part that ends and starts again while it is wrong comes back as it was.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from jianhu.assembly import Assembly
from jianhu.settings import Settings
from sensors.errors import ConfigError, Problems, UnknownName

STATE_FILE: Final = "configuration.json"
_KEPT: Final = ".configuration"


class State(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What runs, and why it is not what stands in the files; ``configuration.json`` of the system's folder."""

    mark: str
    """Of the configuration that runs."""
    since: int
    """When it was taken, ms UTC."""
    refused: str = ""
    """What is wrong with the files as they are now: file, line, key, what to do. Empty when they run."""
    refused_at: int = 0
    """When that was found, ms UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Good:
    """A configuration that was found good, and where it is kept."""

    mark: str
    settings: Settings
    """Those of the parts: the configuration folder is the kept one."""
    kinds: tuple[str, ...]
    registry: bytes

    @property
    def folder(self) -> Path:
        """Where it is kept."""
        return self.settings.config_dir


def configuration_files(settings: Settings) -> Mapping[str, Path]:
    """Return the files of a configuration by the names under which they are kept; those that are there."""
    beside = settings.registry_path.parent
    found = {
        "registry.yaml": settings.registry_path,
        "rules.yaml": settings.rules_path,
        "permits.yaml": settings.permits_path,
        "targets.yaml": settings.targets_path,
        "modes.yaml": settings.modes_path,
        "gates.yaml": settings.gates_path,
        "people.yaml": settings.people_path,
        "cases.yaml": settings.cases_path,
        "notices.yaml": settings.notices_path,
        **{path.name: path for path in sorted(beside.glob("*.geojson"))},
        **{f"kinds/{path.name}": path for path in sorted(settings.kinds_dir.glob("*.yaml"))},
    }
    return {name: path for name, path in found.items() if path.is_file()}


def seen(settings: Settings) -> tuple[tuple[str, int, int], ...]:
    """Return what tells, without reading them, whether the files were changed: name, time and size of each."""
    return tuple(_seen(configuration_files(settings)))


def _seen(files: Mapping[str, Path]) -> Iterator[tuple[str, int, int]]:
    for name, path in files.items():
        try:
            stat = path.stat()
        except FileNotFoundError:
            continue  # taken away since it was listed; the next look finds it changed
        yield name, stat.st_mtime_ns, stat.st_size


def load_all(parts: Assembly) -> None:
    """Read everything that a start would read.

    Raises
    ------
    ConfigError
        When something is wrong: with file, line, key and what to do, and all that was found in ``further``.
    """
    # it knows this module's callers
    from jianhu.parts import (  # noqa: PLC0415
        load_alert_cases,
        load_alert_modes,
        load_alert_people,
        load_alert_rules,
        load_rule_of_gates,
    )
    from jianhu.stewarding import load_alert_notices, load_alert_sending  # noqa: PLC0415

    _ = parts.kinds  # without a registry nothing else can be read
    problems = Problems()
    for read in (
        lambda: parts.permits,
        lambda: parts.targets,
        lambda: load_alert_rules(parts),
        lambda: load_alert_modes(parts),
        lambda: load_rule_of_gates(parts),
        lambda: load_alert_people(parts),
        lambda: load_alert_cases(parts),
        lambda: load_alert_notices(parts),
        lambda: load_alert_sending(parts),
    ):
        with problems.kept():
            read()
    problems.raise_first()
    try:
        parts.check_judging()
    except UnknownName as cause:
        raise ConfigError(
            file=str(parts.settings.config_dir), line=None, key="", problem=str(cause), mend="correct the name"
        ) from cause


def keep_good(settings: Settings, *, real: bool) -> Good:
    """Check the configuration as it is now, and keep a copy of it.

    Parameters
    ----------
    settings
        Those of the system; its configuration folder is the one that people edit.
    real
        Whether synthetic sites are refused.

    Raises
    ------
    ConfigError
        When it is wrong; names the file that people edit, not the copy.
    """
    files = configuration_files(settings)
    if "registry.yaml" not in files:
        raise ConfigError(
            file=str(settings.registry_path), line=None, key="", problem="is not there",
            mend="write the registry of your sites there; `sensors/data/beijing.yaml` is an example",
        )  # fmt: skip
    contents = {name: path.read_bytes() for name, path in files.items()}
    mark = _mark(contents)
    kept = settings.dir / _KEPT
    draft = kept / f".{mark}"
    shutil.rmtree(draft, ignore_errors=True)
    for name, content in contents.items():
        (draft / name).parent.mkdir(parents=True, exist_ok=True)
        (draft / name).write_bytes(content)
    try:
        parts = Assembly(replace(settings, config=draft, registry=None, rules=None))
        _refuse_synthetic(parts, real=real)
        load_all(parts)
    except ConfigError as error:
        shutil.rmtree(draft)
        raise _of_the_live_file(error, draft, files) from error
    if not (kept / mark).exists():
        draft.rename(kept / mark)
    shutil.rmtree(draft, ignore_errors=True)
    good = replace(settings, config=kept / mark, registry=None, rules=None)
    return Good(mark=mark, settings=good, kinds=parts.kinds, registry=contents["registry.yaml"])


def forget_older(settings: Settings, *marks: str) -> None:
    """Delete the kept configurations but those of these marks."""
    for folder in (settings.dir / _KEPT).iterdir():
        if folder.name not in marks:
            shutil.rmtree(folder)


def read_state(folder: Path) -> dict[str, object]:
    """Return what `write_state` wrote last, for people; empty where nobody wrote anything."""
    path = folder / STATE_FILE
    try:
        state = msgspec.json.decode(path.read_bytes(), type=State)
    except FileNotFoundError:
        return {}
    return msgspec.to_builtins(state)  # type: ignore[no-any-return]


def write_state(folder: Path, state: State) -> None:
    """Say for other processes what runs."""
    draft = folder / f".{STATE_FILE}.new"
    draft.write_bytes(msgspec.json.encode(state))
    draft.replace(folder / STATE_FILE)


def _mark(contents: Mapping[str, bytes]) -> str:
    whole = hashlib.sha256()
    for name, content in contents.items():
        whole.update(f"{name}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()[:16]


def _refuse_synthetic(parts: Assembly, *, real: bool) -> None:
    made_up = [site.id for site in parts.registry.sites if site.synthetic]
    if real and (parts.registry.synthetic or made_up):
        raise ConfigError(
            file=str(parts.settings.registry_path), line=None, key="synthetic",
            problem=f"synthetic sites in a real system: {made_up[:5]}",
            mend="take them out: synthetic sites never share a store with real ones",
        )  # fmt: skip


def _of_the_live_file(error: ConfigError, draft: Path, files: Mapping[str, Path]) -> ConfigError:
    """Return an error about a copy as one about the file that it was copied from."""
    live = {str(draft / name): str(path) for name, path in files.items()}
    told = ConfigError(
        file=live.get(error.file, error.file.replace(str(draft), str(files["registry.yaml"].parent))),
        line=error.line, key=error.key, problem=error.problem, mend=error.mend,
    )  # fmt: skip
    told.further = tuple(_of_the_live_file(one, draft, files) for one in error.further)
    return told
