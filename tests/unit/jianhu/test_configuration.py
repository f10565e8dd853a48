from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest

from jianhu.configuration import (
    STATE_FILE,
    State,
    configuration_files,
    forget_older,
    keep_good,
    read_state,
    seen,
    write_state,
)
from jianhu.settings import Settings
from sensors.errors import ConfigError

REAL = files("sensors").joinpath("data/beijing.yaml").read_text(encoding="utf-8")
MADE_UP = REAL.replace("synthetic: false", "synthetic: true").replace("- id: Changping", "- id: SYN-1").replace(
    "origin: document", "origin: synthetic", 2
).replace("origin: synthetic", "origin: document", 1)  # fmt: skip
"""The same region with one made-up site, the second."""
KIND = files("sensors").joinpath("data/kinds/noise.yaml").read_text(encoding="utf-8")


def lay(folder: Path, **contents: str) -> Settings:
    """Write files of a configuration, ``registry`` to registry.yaml and so on."""
    for name, text in contents.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return Settings(dir=folder)


@pytest.mark.parametrize(
    ("registry", "real", "problem"),
    [
        (None, True, "is not there"),
        (MADE_UP, True, "synthetic sites in a real system: \\['SYN-1'\\]"),
        ("", True, "Expected `object`"),
        ("sites: 3", False, "Expected"),
        (None, False, "is not there"),
    ],
    ids=["missing", "made-up-in-real", "empty", "wrong", "missing-simulated"],
)
def test_a_registry_that_cannot_be_used_is_told_by_the_file_that_people_edit(
    tmp_path: Path, registry: str | None, *, real: bool, problem: str
) -> None:
    settings = lay(tmp_path) if registry is None else lay(tmp_path, registry=registry)
    with pytest.raises(ConfigError, match=problem) as error:
        keep_good(settings, real=real)
    assert error.value.file == str(tmp_path / "registry.yaml")
    assert error.value.mend
    kept = tmp_path / ".configuration"
    assert not kept.exists() or list(kept.iterdir()) == []


@pytest.mark.parametrize(("registry", "real"), [(REAL, True), (REAL, False), (MADE_UP, False)])
def test_a_registry_of_the_right_origin_is_taken(tmp_path: Path, registry: str, *, real: bool) -> None:
    good = keep_good(lay(tmp_path, registry=registry), real=real)
    assert good.kinds == ("air",)
    assert good.settings.registry_path.read_text(encoding="utf-8") == registry


def test_wrong_rules_are_told_with_their_line_in_the_file_that_people_edit(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        keep_good(lay(tmp_path, registry=REAL, rules="rules:\n- 1\n"), real=True)
    assert error.value.file == str(tmp_path / "rules.yaml")
    assert str(tmp_path / ".configuration") not in str(error.value)


def test_all_that_is_wrong_is_told_at_once_each_with_the_file_that_people_edit(tmp_path: Path) -> None:
    settings = lay(tmp_path, registry=REAL, rules="rules:\n- 1\n", targets="targets: 3\n", permits="no: 1\n")
    with pytest.raises(ConfigError) as error:
        keep_good(settings, real=True)
    told = [error.value, *error.value.further]
    assert {Path(one.file).name for one in told} == {"permits.yaml", "targets.yaml", "rules.yaml"}
    assert {Path(one.file).parent for one in told} == {tmp_path}


def test_a_kind_file_that_asks_for_an_evaluation_that_nobody_made_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "kinds").mkdir()
    own = KIND.replace("kind: noise", "kind: din").replace("evaluations: [limits]", "evaluations: [loudness]")
    (tmp_path / "kinds" / "din.yaml").write_text(own, encoding="utf-8")
    with pytest.raises(ConfigError, match="loudness") as error:
        keep_good(lay(tmp_path, registry=REAL), real=True)
    assert error.value.file == str(tmp_path / "kinds" / "din.yaml")
    assert error.value.line == 1 + own.split("evaluations:")[0].count("\n")


def test_what_is_kept_stays_when_the_files_are_changed(tmp_path: Path) -> None:
    (tmp_path / "kinds").mkdir()
    (tmp_path / "kinds" / "din.yaml").write_text(KIND.replace("kind: noise", "kind: din"), encoding="utf-8")
    (tmp_path / "region.geojson").write_text("{}")
    good = keep_good(lay(tmp_path, registry=REAL), real=True)
    lay(tmp_path, registry="wrong")
    (tmp_path / "kinds" / "din.yaml").unlink()
    assert good.settings.registry_path.read_text(encoding="utf-8") == REAL
    assert sorted(path.name for path in good.folder.rglob("*.*")) == ["din.yaml", "region.geojson", "registry.yaml"]
    assert good.settings.kinds_dir == good.folder / "kinds"


def test_the_same_configuration_is_kept_once_and_another_beside_it(tmp_path: Path) -> None:
    settings = lay(tmp_path, registry=REAL)
    first, again = keep_good(settings, real=True), keep_good(settings, real=True)
    assert first.folder == again.folder
    second = keep_good(lay(tmp_path, registry=REAL + "\n"), real=True)
    assert second.mark != first.mark
    assert {path.name for path in (tmp_path / ".configuration").iterdir()} == {first.mark, second.mark}
    forget_older(settings, second.mark)
    assert [path.name for path in (tmp_path / ".configuration").iterdir()] == [second.mark]


def test_files_that_settings_name_elsewhere_are_kept_with_the_others(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "sites.yaml").write_text(REAL, encoding="utf-8")
    settings = replace(lay(tmp_path), registry=elsewhere / "sites.yaml")
    good = keep_good(settings, real=True)
    assert good.settings.registry_path == good.folder / "registry.yaml"
    (elsewhere / "sites.yaml").write_text("sites: 3")
    with pytest.raises(ConfigError) as error:
        keep_good(settings, real=True)
    assert error.value.file == str(elsewhere / "sites.yaml")


def test_a_change_is_seen_by_names_times_and_sizes_of_the_files(tmp_path: Path) -> None:
    settings = lay(tmp_path, registry=REAL)
    before = seen(settings)
    assert seen(settings) == before
    lay(tmp_path, rules="")
    assert len(seen(settings)) == len(before) + 1
    lay(tmp_path, registry=REAL + " ")
    (tmp_path / "rules.yaml").unlink()
    assert len(seen(settings)) == len(before)
    assert seen(settings) != before


def test_files_that_are_not_there_are_no_part_of_a_configuration(tmp_path: Path) -> None:
    assert configuration_files(Settings(dir=tmp_path)) == {}
    assert seen(Settings(dir=tmp_path / "nowhere")) == ()


def test_the_state_is_said_for_other_processes(tmp_path: Path) -> None:
    state = State(mark="m", since=1, refused="registry.yaml:3: wrong", refused_at=2)
    write_state(tmp_path, state)
    assert msgspec.json.decode((tmp_path / STATE_FILE).read_bytes(), type=State) == state
    assert read_state(tmp_path) == {"mark": "m", "since": 1, "refused": "registry.yaml:3: wrong", "refused_at": 2}
    assert read_state(tmp_path / "nowhere") == {}
