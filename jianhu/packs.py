"""Packs: which files decide what a kind's two stages say, and one short hash of them for its results.

A difference between two results of the same readings can be put down to a standard or a setting only if their packs
differ, and a change of a file changes the packs of those kinds alone that read it. The registry is no part of a pack:
it is dated itself, and changes with every instrument.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import yaml

from jianhu.settings import Settings
from sensors.kinds import Kind
from streams import standards
from streams.discharge import limits
from streams.periods.rules import MONTH_DAYS, YEAR_DAYS
from streams.water import standards as water

PERIODS: Final = "periods.yaml"
"""Read for every kind: completeness of long windows, and the share of sites that an area needs."""
PERMITS: Final = "permits.yaml"
TARGETS: Final = "targets.yaml"
_LIMITS: Final = (*limits.PACK_FILES, PERMITS)
READS: Final[Mapping[str, tuple[str, ...]]] = {
    "air_index": standards.PACK_FILES,
    "water_class": water.PACK_FILES,
    "trophic": water.PACK_FILES,
    "flux": water.PACK_FILES,
    "limits": _LIMITS,
    "loads": ("hj356.yaml",),
    "dry_weather": ("dry_weather.yaml", *_LIMITS),
    "marks": ("dry_weather.yaml", PERMITS),
    "combination": (),  # its tables stand in the kind file
    "odour_index": ("voc_indices.yaml",),
    "ofp": ("voc_indices.yaml",),
    "air_year": (*standards.PACK_FILES, TARGETS),
    "water_period": (*water.PACK_FILES, TARGETS),
    "load_period": ("hj356.yaml", PERMITS),
    "firm_indices": ("voc_indices.yaml",),
}
"""Evaluation of either stage → the files that it reads; of the limits those that name the kind."""
_COUNTS: Final = "hj663.yaml"
"""What the windows of any kind mean by the name of a count (``rule``), but for those of long windows."""
_LONG: Final = {"", MONTH_DAYS, YEAR_DAYS}

Reader = Callable[[str], str]
"""Name of a file → its text; empty where there is none. A kind's own file is called ``kinds/<name>.yaml``."""


def pack_of(kind: Kind, read: Reader) -> str:
    """Return the first 16 hex digits of the SHA-256 of what decides a kind's results; comments do not count.

    Parameters
    ----------
    kind
        Names its evaluations; one that nobody knows reads nothing, and is refused where it is made.
    read
        Texts of the files.
    """
    names = {f"kinds/{kind.name}.yaml", PERIODS}
    names |= {name for made in (*kind.evaluations, *kind.period_evaluations) for name in READS.get(made, ())}
    if any(needs.rule not in _LONG for window in kind.windows for needs in window.needs):
        names.add(_COUNTS)
    kept = [(name, text) for name in sorted(names) if (text := _content(read(name), _for(name, kind)))]
    return hashlib.sha256(repr(kept).encode()).hexdigest()[:16]


def reader_of(settings: Settings) -> Reader:
    """Return what reads the files of a system: its configuration's own, else those delivered."""

    def read(name: str) -> str:
        if name in own:
            return _text(own[name])
        folder, _, file = name.rpartition("/")
        return (
            _text(settings.kinds_dir / file) or _delivered("sensors", name) if folder else _delivered("streams", name)
        )

    own = {PERMITS: settings.permits_path, TARGETS: settings.targets_path}

    return read


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _delivered(package: str, name: str) -> str:
    found = files(package).joinpath("data", name)
    return found.read_text(encoding="utf-8") if found.is_file() else ""


def _for(name: str, kind: Kind) -> str:
    """Return the kind that a file must name; empty where every kind that reads it is meant."""
    return kind.name if name in limits.PACK_FILES else ""


@lru_cache(maxsize=256)
def _content(text: str, kind: str) -> str:
    """Return what a file says; empty if it is for other kinds."""
    said = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  every word stays text, whatever a reader makes of it
    return "" if kind and kind not in said["kinds"] else repr(said)
