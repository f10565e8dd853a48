"""The pack of results names what they were judged by: each file that a kind reads, and no other."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from jianhu.assembly import Assembly
from jianhu.judging import KindStages
from jianhu.packs import READS, pack_of, reader_of
from jianhu.settings import Settings
from sensors.kinds import Kind, load_kind
from streams.judging import registered
from streams.periods import registered as of_periods
from tests.unit.jianhu import test_judging

KINDS = ("air", "ecoflow", "meteo", "noise", "operation", "outfall", "voc", "water")
READ_BY = {
    "gb3095.yaml": "air", "hj633.yaml": "air", "hj663.yaml": "air",
    "gb3838.yaml": "water", "water_evaluation.yaml": "water", "tli.yaml": "water",
    "gb18918.yaml": "outfall", "db33_2169.yaml": "outfall", "gb4287.yaml": "outfall", "gb8978.yaml": "outfall",
    "hj356.yaml": "outfall", "dry_weather.yaml": "outfall",
    "gb37822.yaml": "voc", "gb16297.yaml": "voc", "gb14554.yaml": "voc", "voc_indices.yaml": "voc",
    "permits.yaml": "noise outfall voc",
    "targets.yaml": "air water",
    "periods.yaml": " ".join(KINDS),
    "gb3096.yaml": "noise",
    "targets_zhejiang.yaml": "",  # a file to be copied: what holds is the configuration's own
} | {f"kinds/{kind}.yaml": kind for kind in KINDS}  # fmt: skip
"""Which delivered kinds read a file."""


def kind_of(name: str) -> Kind:
    """A delivered kind; noise holds limits in any case."""
    kind = load_kind(name)
    return replace(kind, evaluations=("limits",)) if name == "noise" else kind


def packs(folder: Path, changed: str = "", more: str = "changed: true\n") -> dict[str, str]:
    delivered = reader_of(Settings(dir=folder))
    return {
        kind: pack_of(kind_of(kind), lambda name: delivered(name) + (more if name == changed else "")) for kind in KINDS
    }


@pytest.mark.parametrize("name", READ_BY)
def test_a_changed_file_changes_the_packs_of_exactly_the_kinds_that_read_it(name: str, tmp_path: Path) -> None:
    before, after = packs(tmp_path), packs(tmp_path, name)
    assert {kind for kind in KINDS if before[kind] != after[kind]} == set(READ_BY[name].split())
    assert len(set(before.values())) == len(KINDS)


def test_every_file_of_standards_and_every_evaluation_is_accounted_for() -> None:
    delivered = {file.name for file in files("streams").joinpath("data").iterdir() if file.name.endswith(".yaml")}
    assert delivered <= set(READ_BY)
    assert set(READS) == set(registered.MAKERS) | set(of_periods.MAKERS)


def test_a_comment_changes_no_pack(tmp_path: Path) -> None:
    for name in READ_BY:
        assert packs(tmp_path) == packs(tmp_path, name, "# a note\n")


def test_a_kind_without_evaluations_reads_its_file_and_the_rules_of_periods(tmp_path: Path) -> None:
    asked: list[str] = []

    def read(name: str) -> str:
        asked.append(name)
        return reader_of(Settings(dir=tmp_path))(name)

    pack_of(load_kind("ecoflow"), read)
    assert asked == ["kinds/ecoflow.yaml", "periods.yaml"]


def test_the_configurations_own_files_count(tmp_path: Path) -> None:
    before = packs(tmp_path)
    for name, kinds in (("permits.yaml", {"noise", "outfall", "voc"}), ("targets.yaml", {"air", "water"})):
        delivered = files("simulators").joinpath("data", "shangyu", name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(delivered, encoding="utf-8")
        after = packs(tmp_path)
        assert {kind for kind in KINDS if before[kind] != after[kind]} == kinds
        before = after


def test_both_stages_say_the_pack_of_their_kind(tmp_path: Path) -> None:
    (tmp_path / "kinds").mkdir()
    path = tmp_path / "kinds" / "hum.yaml"
    (tmp_path / "registry.yaml").write_text(test_judging.REGISTRY, encoding="utf-8")
    heads = []
    for text in (test_judging.KIND, test_judging.KIND.replace("at_least: 20", "at_least: 18")):
        path.write_text(text, encoding="utf-8")
        parts = Assembly(Settings(dir=tmp_path, partitions=1, grace_s=60))
        stages = KindStages(parts, "hum")
        [first] = {stage.way.head for stage in (stages.first(0), stages.second(0))}
        assert first.pack == pack_of(parts.kind("hum"), reader_of(parts.settings)) != parts.standards.pack
        heads.append(first)
    assert heads[0] != heads[1]
