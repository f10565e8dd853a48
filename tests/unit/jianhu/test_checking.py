from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from alerts.texts import Language
from jianhu.checking import Report, check_configuration
from jianhu.settings import Settings
from sensors.registry import load_registry

REGISTRY = """\
region: {zh: 某地, en: Somewhere}
synthetic: false
areas:
  - {id: park, type: park, name: {zh: 园区, en: Park}, origin: document, source: a test}
sites:
  - {id: S1, kind: tank, name: {zh: 罐, en: Tank}, class: tank, lon: 120, lat: 30, county: 某区, areas: [park],
     period: hour, origin: document, source: a test, from: 2020-01-01, setting: {depth: 3}}
"""
KIND = """\
kind: tank
name: {zh: 罐, en: tank}
slot: 1h
fine: 1h
classes: [tank]
factors:
  a: {name: {zh: 甲, en: a}, unit: mg/L, decimals: 1, low: 0, high: 100, units: {mg/L: 1}}
windows: [{name: 1h}, {name: 24h}]
setting: {depth: {type: number, unit: m}}
"""


def checked(folder: Path, **files: str) -> Report:
    for name, text in ({"registry": REGISTRY, "tank": KIND} | files).items():
        path = folder / ("kinds" if name == "tank" else "") / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return check_configuration(Settings(dir=folder))


def told(report: Report) -> list[tuple[str, int | None, str]]:
    return [(Path(error.file).name, error.line, error.key) for error in report.problems]


def test_a_good_folder_has_no_problem_and_a_summary_in_both_languages(tmp_path: Path) -> None:
    report = checked(tmp_path)
    assert told(report) == []
    assert report.summary(Language.EN).splitlines()[:4] == [
        "registry: 1 entries",
        "areas: 1",
        "flows: 0",
        "kinds: tank",
    ]
    assert report.summary(Language.ZH).splitlines()[3] == "类型: tank"
    assert report.verdict(Language.ZH) == "配置无误，可以启动。"


@pytest.mark.parametrize(
    ("file", "old", "new", "place"),
    [
        ("tank", "{name: 24h}", "{name: daily}", ("tank.yaml", 8, "windows.1.name")),
        ("tank", "unit: m}", "low: 0}", ("tank.yaml", 9, "setting.depth.unit")),
        ("tank", "windows:", "evaluations: [magic]\nwindows:", ("tank.yaml", 8, "evaluations.0")),
        ("tank", "windows:", "period_evaluations: [air_index]\nwindows:", ("tank.yaml", 8, "period_evaluations.0")),
        ("registry", "areas: [park]", "areas: [park, town]", ("registry.yaml", 6, "sites.0.areas.1")),
        ("registry", "depth: 3", "depth: deep", ("registry.yaml", 7, "sites.0.setting.depth")),
        ("registry", "kind: tank", "kind: pond", ("registry.yaml", 6, "sites.0.kind")),
        ("registry", "sites:", "flows: [{from: S1, to: S1, hours: 1}]\nsites:", ("registry.yaml", 5, "flows.0.to")),
    ],
)
def test_a_wrong_file_is_named_with_line_and_key(
    file: str, old: str, new: str, place: tuple[str, int, str], tmp_path: Path
) -> None:
    text = {"registry": REGISTRY, "tank": KIND}[file]
    assert old in text
    report = checked(tmp_path, **{file: text.replace(old, new, 1)})
    assert told(report) == [place]
    assert all(error.mend for error in report.problems)


def test_errors_of_several_files_are_told_together_and_each_once(tmp_path: Path) -> None:
    # The kind is wrong, so that each of its sites would say so again; the rules are wrong beside it.
    again = REGISTRY.replace("id: S1", "id: S2").partition("sites:\n")[2]
    report = checked(
        tmp_path,
        registry=REGISTRY + again,
        tank=KIND.replace("{name: 24h}", "{name: daily}").replace("low: 0", "low: none"),
        rules="rules: 3\n",
        targets="rows: 3\n",
        permits="sites: 3\n",
    )
    files = [file for file, _, _ in told(report)]
    assert files.count("tank.yaml") == 2
    assert {"rules.yaml", "targets.yaml", "permits.yaml"} <= set(files)
    assert len(set(map(str, report.problems))) == len(report.problems)
    assert report.verdict(Language.EN) == f"Errors: {len(report.problems)}."


def test_a_target_without_direction_is_told_with_what_to_give(tmp_path: Path) -> None:
    report = checked(
        tmp_path,
        targets=(
            "documents: [{id: plan, title: 规划}]\n"
            "targets:\n  - {id: t1, region: 园区, area: park, measure: a, unit: mg/L,\n"
            "     indicator: {zh: 浓度, en: value}, nature: binding, value: 25, year: 2030, document: plan}\n"
        ),
    )
    assert told(report) == [("targets.yaml", 3, "targets.0.direction")]


def test_what_only_shows_when_all_is_put_together_is_told_as_well(tmp_path: Path) -> None:
    # An evaluation that needs factors which this kind does not have cannot be made for it.
    report = checked(tmp_path, tank=KIND.replace("windows:", "evaluations: [air_index]\nwindows:"))
    assert ["PM2.5, PM10, SO2, NO2, CO, O3" in error.problem for error in report.problems] == [True]


def test_without_any_file_the_registry_is_missed(tmp_path: Path) -> None:
    assert told(check_configuration(Settings(dir=tmp_path))) == [("registry.yaml", None, "")]


REGION = Path(__file__).parents[3] / "simulators/data/shangyu"


@pytest.fixture(name="region")
def _region(tmp_path: Path) -> Path:
    folder = tmp_path / "region"
    shutil.copytree(REGION, folder)
    return folder


def mutate(path: Path, old: str, new: str) -> int:
    """Replace a text once, and return its line."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_the_delivered_region_is_good(region: Path) -> None:
    assert told(check_configuration(Settings(dir=region))) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "key", "mend"),
    [
        # a limit without unit
        ("permits.yaml", "high: 35, unit: mg/L", "high: 35", "unit", "add this key"),
        # overlapping validity of a site
        ("registry.yaml", "\nsites:\n", "\nsites:\n{site}", "from", "let the earlier entry end"),
        # a cycle in the river graph
        ("registry.yaml", "\nflows:\n", "\nflows:\n  - {{from: {down}, to: {up}, hours: 1}}\n", "to", "turn round one"),
        # a target without direction
        ("targets.yaml", "nature: binding, direction: <=, value: 25", "nature: binding, value: 25", "direction", "add"),
    ],
    ids=["unit", "overlap", "cycle", "direction"],
)  # fmt: skip
def test_what_the_office_may_get_wrong_is_named(  # noqa: PLR0917  a table's columns
    file: str, old: str, new: str, key: str, mend: str, region: Path
) -> None:
    flow = load_registry(region / "registry.yaml").flows[0]
    entry = (
        "  - {id: SYN-U01, kind: air, class: urban, name: {zh: 站（模拟）, en: Site}, lon: 120, lat: 30, county: 区,\n"
        "     zone: 2, period: minute, origin: synthetic, source: a test, from: 2020-01-01}\n"
    )
    mutate(
        region / file,
        old,
        new.replace("{site}", entry) if "{site}" in new else new.format(down=flow.downstream, up=flow.upstream),
    )
    found = check_configuration(Settings(dir=region)).problems
    assert [(Path(error.file).name, error.key.rpartition(".")[2]) for error in found] == [(file, key)]
    assert mend in found[0].mend
    assert found[0].line


MODE = """\
modes:
  - {id: drill-1, kind: drill, name: {zh: 演练, en: drill}, areas: [park], from: "2026-11-20T08:00:00+08:00",
     to: "2026-11-21T08:00:00+08:00", thresholds: {pm25-1h: {value: 100, unit: µg/m³}}, author: a, why: w}
"""


def test_modes_are_counted_and_held_against_areas_and_rules(tmp_path: Path) -> None:
    report = checked(tmp_path, modes=MODE)
    assert (told(report), report.counts["modes"]) == ([], "1")


@pytest.mark.parametrize(
    ("good", "bad", "key"),
    [
        ("[park]", "[atlantis]", "modes.0.areas.0"),
        ("pm25-1h", "pm25", "modes.0.thresholds.pm25"),
        ("value: 100", "value: 200", "modes.0.thresholds.pm25-1h.value"),
        ("kind: drill", "kind: party", "modes.0.kind"),
    ],
)
def test_a_wrong_mode_is_told_with_file_line_and_key(tmp_path: Path, good: str, bad: str, key: str) -> None:
    report = checked(tmp_path, modes=MODE.replace(good, bad))
    assert [(file, told_key) for file, _, told_key in told(report)] == [("modes.yaml", key)]
    assert report.problems[0].line is not None


PEOPLE = """\
synthetic: false
departments: [{id: eco, branch: ecology, name: {zh: 分局, en: bureau}}]
persons: [{id: li, name: {zh: 李, en: Li}, department: eco, tier: district, addresses: {file: li}}]
duties: [{role: bureau, areas: [park], kinds: [tank], persons: [li]}]
fallback: {persons: [li]}
"""


def test_people_are_counted_and_held_against_the_registry(tmp_path: Path) -> None:
    report = checked(tmp_path, people=PEOPLE)
    assert (told(report), report.counts["people"]) == ([], "1")


@pytest.mark.parametrize(
    ("good", "bad", "place"),
    [
        ("areas: [park]", "areas: [town]", ("people.yaml", 4, "duties.0.areas.0")),
        ("kinds: [tank]", "kinds: [tea]", ("people.yaml", 4, "duties.0.kinds.0")),
        ("{file: li}", "{}", ("people.yaml", 3, "persons.0.addresses")),
        ("{file: li}", "{mail: li}", ("people.yaml", 3, "persons.0.addresses.mail")),
        ("fallback: {persons: [li]}", "fallback: {persons: [wu]}", ("people.yaml", 5, "fallback.persons.0")),
        ("fallback: {persons: [li]}", "", ("people.yaml", 1, "fallback")),
    ],
)
def test_wrong_people_are_told_with_file_line_and_key(
    tmp_path: Path, good: str, bad: str, place: tuple[str, int, str]
) -> None:
    assert told(checked(tmp_path, people=PEOPLE.replace(good, bad))) == [place]


def test_the_policy_of_cases_is_held_against_rules_and_kinds(tmp_path: Path) -> None:
    good = "relapse: 14d\nopenings:\n  - {rules: [pm25-1h], then: open}\n  - {then: ignore}\n"
    report = checked(tmp_path, cases=good)
    assert (told(report), report.counts["cases"]) == ([], "cases.yaml")
    assert told(checked(tmp_path, cases=good.replace("14d", "14 days"))) == [("cases.yaml", 1, "relapse")]
    wrong = told(checked(tmp_path, cases=good.replace("pm25-1h", "pm25")))
    assert wrong == [("cases.yaml", 3, "openings.0.rules")]


def test_a_wrong_rule_of_rain_gates_is_told_with_file_line_and_key(tmp_path: Path) -> None:
    delivered = Path(__file__).parents[3] / "alerts/data/gates.yaml"
    text = delivered.read_text(encoding="utf-8")
    assert told(checked(tmp_path, gates=text)) == []
    (problem,) = checked(tmp_path, gates=text.replace("retain_minutes: 15", "retain_minutes: 5")).problems
    assert (Path(problem.file).name, problem.key) == ("gates.yaml", "retain_minutes")
    assert problem.line is not None
