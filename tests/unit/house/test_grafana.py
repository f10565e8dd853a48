"""Grafana's provisioning files: their form, and that they fit the compose file. No Grafana was there to read them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "dashboards" / "grafana" / "provisioning"
GRAFANA: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"][
    "grafana"
]


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return found


def test_the_data_source_speaks_flux_to_the_influxdb_of_the_environment() -> None:
    source = _read("datasources/influxdb.yaml")["datasources"][0]
    assert (source["type"], source["uid"], source["jsonData"]["version"]) == ("influxdb", "jianhu-influxdb", "Flux")
    assert "token" in source["secureJsonData"]
    assert "token" not in source["jsonData"]


def test_every_variable_of_the_data_source_is_given_to_grafana() -> None:
    text = (FOLDER / "datasources" / "influxdb.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$(JIANHU_\w+)", text)) <= set(GRAFANA["environment"])


def test_boards_are_looked_for_where_they_are_mounted_and_cannot_be_edited_by_hand() -> None:
    provider = _read("dashboards/boards.yaml")["providers"][0]
    mounted = [mount.split(":")[1] for mount in GRAFANA["volumes"]]
    assert provider["options"]["path"] in mounted
    assert provider["allowUiUpdates"] is False


def test_the_folders_have_the_names_that_grafana_reads() -> None:
    assert {path.name for path in FOLDER.iterdir()} <= {"datasources", "dashboards", "alerting", "plugins"}
    assert all(_read(str(path.relative_to(FOLDER)))["apiVersion"] == 1 for path in FOLDER.rglob("*.yaml"))
