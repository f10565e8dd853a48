from __future__ import annotations

from pathlib import Path

import pytest

from jianhu import names
from jianhu.names import PACKAGES, foreign_owners, packages_elsewhere, refuse_foreign_names
from sensors.errors import ConfigError

OURS = {name: ["jianhu"] for name in PACKAGES}
HOME = Path("/srv/jianhu")


def test_this_environment_is_ours() -> None:
    refuse_foreign_names()


@pytest.mark.parametrize(
    ("owners", "expected"),
    [
        ({}, []),
        (OURS, []),
        (OURS | {"sensors": ["jianhu", "jianhu"]}, []),
        (OURS | {"sensors": ["Jianhu"]}, []),
        (OURS | {"numpy": ["numpy"]}, []),
        (OURS | {"sensors": ["PySensors"]}, [("sensors", "PySensors")]),
        (OURS | {"sensors": ["jianhu", "PySensors"]}, [("sensors", "PySensors")]),
        ({"alerts": ["b", "a"], "streams": ["c"]}, [("streams", "c"), ("alerts", "a"), ("alerts", "b")]),
    ],
    ids=["nobody", "ours", "twice-installed", "other-case", "unrelated", "another", "shared", "several"],
)
def test_a_package_claimed_by_another_distribution_is_named(
    owners: dict[str, list[str]], expected: list[tuple[str, str]]
) -> None:
    assert foreign_owners(owners) == expected


def test_packages_of_one_folder_are_accepted() -> None:
    assert packages_elsewhere(HOME, [("sensors", HOME / "sensors"), ("jianhu", HOME / "jianhu")]) == []


def test_a_package_from_another_folder_or_from_nowhere_is_named() -> None:
    other = Path("/home/somebody/sensors")
    found = [("sensors", other), ("streams", None), ("jianhu", HOME / "jianhu")]
    assert packages_elsewhere(HOME, found) == [("sensors", other), ("streams", None)]


def test_the_refusal_names_the_package_its_owner_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "packages_distributions", lambda: OURS | {"alerts": ["alerts-py"]})
    with pytest.raises(ConfigError, match=r"alerts \(of alerts-py\); give jianhu an environment of its own"):
        refuse_foreign_names()


def test_a_package_that_shadows_ours_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = names._found
    monkeypatch.setattr(names, "_found", lambda name: tmp_path / name if name == "streams" else found(name))
    with pytest.raises(ConfigError, match="not all packages of jianhu come from here: streams from "):
        refuse_foreign_names()


def test_every_package_of_ours_is_found_beside_this_one() -> None:
    home = Path(names.__file__).resolve().parents[1]
    assert {names._found(name) for name in PACKAGES} == {home / name for name in PACKAGES}


def test_a_package_that_does_not_exist_is_not_found() -> None:
    assert names._found("jianhu_that_does_not_exist") is None
