"""The production shape: read by a strict parser of the compose specification, and held to what the README promises."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from jianhu.cli import app
from jianhu.health import Part
from jianhu.settings import parse_settings

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
OURS = ("topics", "clock", "archive", "worker", "sink", "watch", "steward", "console")
NOT_ASKED = {"topics", "clock"}
"""They end by themselves, or have nothing that could be asked."""
SECRETS = {
    "JIANHU_INFLUX_TOKEN", "JIANHU_CONSOLE_TOKEN", "INFLUXDB_PASSWORD", "POSTGRES_PASSWORD", "GRAFANA_PASSWORD",
    "KAFKA_CLUSTER_ID",
}  # fmt: skip


def _filled(value: Any) -> Any:
    """Fill in variables as compose does, required ones with a path that serves for any."""
    match value:
        case dict():
            return {key: _filled(inner) for key, inner in value.items()}
        case list():
            return [_filled(inner) for inner in value]
        case str():
            return VARIABLE.sub(lambda found: found[3] if found[2] == "-" else "/0123456789abcdef", value)
        case _:
            return value


RAW: dict[str, Any] = yaml.safe_load(TEXT)
COMPOSE: dict[str, Any] = _filled(RAW)
SERVICES: dict[str, Any] = COMPOSE["services"]


def _parse(compose: dict[str, Any]) -> PyCompose:
    return PyCompose.from_yaml(yaml.safe_dump(compose, allow_unicode=True))


def test_the_file_follows_the_compose_specification() -> None:
    assert set(_parse(COMPOSE).service_names()) == set(SERVICES)


@pytest.mark.parametrize(
    ("key", "value"),
    [("imgae", "x"), ("ports", ["127.0.0.1:9094:x"]), ("restart", "sometimes"), ("depends_on", {"kafka": {"wait": 1}})],
)
def test_the_parser_is_strict_enough_to_find_a_slip(key: str, value: object) -> None:
    services = SERVICES | {"worker": SERVICES["worker"] | {key: value}}
    with pytest.raises(ValueError, match=f"worker.*{key}"):
        _parse(COMPOSE | {"services": services})


def test_every_part_of_jianhu_is_a_service_that_runs_its_own_command() -> None:
    expected = {name: [name] for name in OURS} | {"clock": ["tick"]}
    assert {name: SERVICES[name]["command"] for name in OURS} == expected


def test_every_command_of_a_service_exists() -> None:
    known = {
        command.name or (command.callback.__name__ if command.callback else "") for command in app.registered_commands
    }
    assert {SERVICES[name]["command"][0] for name in OURS} <= known


@pytest.mark.parametrize("name", sorted(set(OURS) - NOT_ASKED))
def test_the_health_of_each_part_is_asked_by_its_own_name(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"] == ["CMD", "python", "-m", "jianhu.health", name]
    assert Part(name)


def test_live_feeds_alone_start_the_clock() -> None:
    assert {name: SERVICES[name].get("profiles") for name in OURS if "profiles" in SERVICES[name]} == {
        "clock": ["live"]
    }


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_ports_are_published_on_the_loopback_address_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", sorted(set(SERVICES) - NOT_ASKED))
def test_every_lasting_service_says_when_it_is_healthy_and_comes_back(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", OURS)
def test_our_services_have_no_rights_that_they_do_not_need(name: str) -> None:
    service = SERVICES[name]
    assert (service["user"], service["read_only"], service["cap_drop"]) == ("10001:10001", True, ["ALL"])
    assert "no-new-privileges:true" in service["security_opt"]


@pytest.mark.parametrize("name", OURS)
def test_our_services_start_after_the_topics_are_there(name: str) -> None:
    before = SERVICES[name]["depends_on"]
    assert before["kafka"] == {"condition": "service_healthy"}
    assert name == "topics" or before["topics"] == {"condition": "service_completed_successfully"}


@pytest.mark.parametrize("name", OURS)
def test_jianhu_knows_every_setting_that_a_service_gives(name: str) -> None:
    settings = parse_settings(SERVICES[name]["environment"])
    assert (settings.kafka, settings.dir) == ("kafka:9092", Path("/var/lib/jianhu"))
    assert (settings.config_dir, settings.kind_names) == (Path("/etc/jianhu"), ())


def test_only_the_archive_writes_the_evidence() -> None:
    mounts = {name: [m for m in SERVICES[name].get("volumes", []) if m.startswith("archive:")] for name in OURS}
    writers = [name for name, found in mounts.items() if any(not mount.endswith(":ro") for mount in found)]
    assert writers == ["archive"]


def test_every_secret_must_be_given_and_has_no_default() -> None:
    required = {found[1] for found in VARIABLE.finditer(TEXT) if found[2] == "?"}
    assert SECRETS - required == set()
    for name, service in RAW["services"].items():
        for key, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|TOKEN|SECRET", key):
                assert ":?" in value, f"{name}: {key} has a value in the file"


def test_the_readme_makes_every_variable_that_must_be_given() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    required = {found[1] for found in VARIABLE.finditer(TEXT) if found[2] == "?"}
    assert [name for name in sorted(required) if name not in readme] == []


@pytest.mark.parametrize("name", sorted(set(SERVICES) - set(OURS)))
def test_images_of_others_are_pinned(name: str) -> None:
    image, _, tag = SERVICES[name]["image"].partition(":")
    assert image
    assert re.match(r"\d", tag)


def test_every_named_volume_is_declared_and_used() -> None:
    mounts = [mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])]
    assert {name for name in mounts if not name.startswith((".", "/"))} == set(COMPOSE["volumes"])


def test_folders_of_the_checkout_that_are_mounted_exist() -> None:
    mounts = [mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])]
    assert [name for name in mounts if name.startswith(".") and not (ROOT / name).is_dir()] == []
