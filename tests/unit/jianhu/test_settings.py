from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from jianhu.settings import FOREIGN, Settings, StoreKind, environment_of, parse_settings
from sensors.errors import ConfigError


def test_an_empty_environment_gives_the_defaults() -> None:
    assert parse_settings({}) == Settings()


def test_variables_of_others_are_passed_over() -> None:
    assert parse_settings({"PATH": "/bin", "jianhu_kafka": "x", "XJIANHU_KAFKA": "x", "": ""}) == Settings()


@pytest.mark.parametrize("variable", sorted(FOREIGN))
def test_variables_of_tests_and_scripts_are_no_settings(variable: str) -> None:
    assert parse_settings({variable: "whatever"}) == Settings()


@pytest.mark.parametrize(
    "variable", ["JIANHU_", "JIANHU_KAFKAA", "JIANHU_kafka ", "JIANHU_TOPICS", "JIANHU_REGISTRY_PATH"]
)
def test_an_unknown_variable_with_our_prefix_is_refused_with_those_that_are_known(variable: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_settings({variable: "x"})
    assert error.value.key == variable
    assert "JIANHU_KAFKA, JIANHU_LOG_ID, JIANHU_DIR" in error.value.mend


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("KAFKA", "a:1,b:2", "a:1,b:2"),
        ("KAFKA", "", ""),
        ("DIR", "/x y/数据", Path("/x y/数据")),
        ("STORE", "influx", StoreKind.INFLUX),
        ("PARTITIONS", "1", 1),
        ("PARTITIONS", "10000", 10_000),
        ("GRACE_S", "0", 0),
        ("SAY_AGAIN", "0", 0),
        ("CONSOLE_PORT", "65535", 65_535),
        ("SPEED", "0.5", 0.5),
        ("ARCHIVE_CUT_S", "1e-3", 0.001),
        ("LAG_GATE", "1", True),
        ("LAG_GATE", "TRUE", True),
        ("LAG_GATE", "false", False),
        ("LAG_GATE", "0", False),
        ("REGISTRY", "r.yaml", Path("r.yaml")),
        ("REGISTRY", "", None),
        ("RULES", "", None),
        ("PREFIX", "bureau-1.test_x", "bureau-1.test_x"),
        ("LOG_ID", "a" * 100, "a" * 100),
    ],
)
def test_a_variable_is_read_as_its_type(variable: str, text: str, value: object) -> None:
    found = parse_settings({f"JIANHU_{variable}": text})
    assert getattr(found, variable.lower()) == value


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("PARTITIONS", ""),
        ("PARTITIONS", "four"),
        ("PARTITIONS", "4.0"),
        ("PARTITIONS", "0"),
        ("PARTITIONS", "-1"),
        ("PARTITIONS", "10001"),
        ("GRACE_S", "-1"),
        ("SAY_AGAIN", "-1"),
        ("CONSOLE_PORT", "-1"),
        ("CONSOLE_PORT", "65536"),
        ("SPEED", "0"),
        ("SPEED", "-1"),
        ("SPEED", "nan"),
        ("SPEED", "inf"),
        ("SPEED", "fast"),
        ("ARCHIVE_CUT_S", "0"),
        ("ARCHIVE_CUT_S", "nan"),
        ("LAG_GATE", "yes"),
        ("LAG_GATE", ""),
        ("STORE", "Influx"),
        ("STORE", ""),
        ("PREFIX", "../x"),
        ("PREFIX", ".x"),
        ("PREFIX", "a b"),
        ("PREFIX", "a;rm -rf"),
        ("PREFIX", "a\n"),
        ("PREFIX", "a" * 101),
        ("LOG_ID", ".."),
        ("LOG_ID", "a/b"),
        ("LOG_ID", "日志"),
    ],
)
def test_a_value_of_another_type_or_out_of_bounds_is_refused_by_name(variable: str, text: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_settings({f"JIANHU_{variable}": text})
    assert error.value.key == f"JIANHU_{variable}"
    assert error.value.mend


FULL = Settings(
    kafka="a:1", log_id="log", dir=Path("/d"), store=StoreKind.INFLUX, influx_url="http://i:1", influx_token="t1",
    influx_org="o", influx_bucket="b", alerts_url="postgresql://u:p@h/d", prefix="x", partitions=2,
    config=Path("c"), kinds="air",
    registry=Path("r"), rules=Path("u"), console_host="0.0.0.0", console_port=1, console_token="t2",  # noqa: S104
    console_allowed_hosts="a,b", grace_s=1, speed=2.5, archive_cut_s=0.1, say_again=7, lag_gate=True,
)  # fmt: skip


@pytest.mark.parametrize("settings", [Settings(), FULL], ids=["defaults", "all"])
def test_a_child_reads_the_same_settings_from_the_environment_it_is_given(settings: Settings) -> None:
    assert parse_settings(environment_of(settings)) == settings


def test_every_setting_differs_from_its_default_in_the_test_above() -> None:
    assert [f.name for f in fields(Settings) if getattr(FULL, f.name) == getattr(Settings(), f.name)] == []


def test_secrets_do_not_stand_in_a_representation() -> None:
    told = repr(FULL)
    assert not [secret for secret in ("t1", "t2", "u:p@h") if secret in told]


def test_a_configuration_folder_may_lie_apart_from_the_data() -> None:
    apart = Settings(dir=Path("/d"), config=Path("/c"))
    assert (apart.registry_path, apart.rules_path) == (Path("/c/registry.yaml"), Path("/c/rules.yaml"))
    assert (apart.permits_path, apart.targets_path) == (Path("/c/permits.yaml"), Path("/c/targets.yaml"))
    assert (apart.kinds_dir, apart.archive_dir) == (Path("/c/kinds"), Path("/d/archive"))


@pytest.mark.parametrize(
    ("text", "names"), [("", ()), ("air", ("air",)), ("water, air,", ("air", "water")), (",", ()), ("a,a", ("a",))]
)
def test_kinds_are_named_with_commas(text: str, names: tuple[str, ...]) -> None:
    assert Settings(kinds=text).kind_names == names


def test_files_lie_in_the_folder_unless_they_are_named() -> None:
    plain = Settings(dir=Path("/d"))
    assert (plain.registry_path, plain.rules_path) == (Path("/d/registry.yaml"), Path("/d/rules.yaml"))
    assert (plain.results_file, plain.archive_dir) == (Path("/d/results.sqlite"), Path("/d/archive"))
    assert (plain.permits_path, plain.targets_path) == (Path("/d/permits.yaml"), Path("/d/targets.yaml"))
    assert plain.kinds_dir == Path("/d/kinds")
    assert plain.people_path == Path("/d/people.yaml")
    assert plain.alerts_database == "sqlite:////d/alerts.sqlite"
    assert (FULL.registry_path, FULL.rules_path, FULL.alerts_database) == (
        Path("r"), Path("u"), "postgresql://u:p@h/d",
    )  # fmt: skip


def test_a_relative_folder_is_made_absolute_for_the_journal() -> None:
    assert Settings(dir=Path("d")).alerts_database == f"sqlite:///{Path('d/alerts.sqlite').absolute()}"


def test_topics_are_those_of_the_name_space() -> None:
    assert FULL.topics.readings("air") == "x.readings.air"
    assert Settings().topics.readings("air") == "readings.air"
