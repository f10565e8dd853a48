"""Our packages have generic names: make sure that they are ours before anything is started."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from sensors.errors import ConfigError

DISTRIBUTION: Final = "jianhu"
PACKAGES: Final = ("sensors", "streams", "alerts", "dashboards", "simulators", "jianhu")


def refuse_foreign_names() -> None:
    """Refuse to run in an environment where one of our package names means something else.

    Raises
    ------
    ConfigError
        When another distribution owns one of the names, or a package would be imported from another place than this
        one; it names the package and what to do.
    """
    foreign = foreign_owners(packages_distributions())
    if foreign:
        owners = ", ".join(f"{name} (of {owner})" for name, owner in foreign)
        raise ConfigError(
            file="the Python environment",
            line=None,
            key="",
            problem=f"another distribution owns package names of jianhu: {owners}",
            mend="give jianhu an environment of its own (`make run` makes one)",
        )
    home = Path(__file__).resolve().parents[1]
    strangers = packages_elsewhere(home, [(name, _found(name)) for name in PACKAGES])
    if strangers:
        places = ", ".join(f"{name} from {place or 'nowhere'}" for name, place in strangers)
        raise ConfigError(
            file=str(home),
            line=None,
            key="",
            problem=f"not all packages of jianhu come from here: {places}",
            mend="take the other folder out of PYTHONPATH, or install jianhu again",
        )


def foreign_owners(owners: Mapping[str, Iterable[str]]) -> list[tuple[str, str]]:
    """Return the packages of ours that another distribution claims, with its name.

    Parameters
    ----------
    owners
        Distributions by the top-level package they bring; a package that nobody claims (a bare checkout) is ours.
    """
    return [
        (package, owner)
        for package in PACKAGES
        for owner in sorted(set(owners.get(package, ())))
        if owner.lower() != DISTRIBUTION
    ]


def packages_elsewhere(home: Path, found: Sequence[tuple[str, Path | None]]) -> list[tuple[str, Path | None]]:
    """Return the packages that would not be imported from ``home``; None stands for one that is not found at all."""
    return [(name, place) for name, place in found if place is None or place.resolve().parent != home]


def _found(package: str) -> Path | None:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent
