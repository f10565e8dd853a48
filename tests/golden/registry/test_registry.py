"""Registries that people got wrong, each with every error they must be told."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensors.errors import ConfigError
from sensors.registry import parse_registry
from sensors.yamlfile import parse_yaml

CASES = sorted(path.parent for path in Path(__file__).parent.glob("*/registry.yaml"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_wrong_registry_is_refused_with_file_line_key_problem_and_what_to_do(case: Path) -> None:
    text = (case / "registry.yaml").read_text(encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        parse_registry(parse_yaml(text, "registry.yaml"))
    told = "".join(f"{error}\n" for error in (caught.value, *caught.value.further))
    assert told == (case / "error.txt").read_text(encoding="utf-8")


def test_there_are_cases() -> None:
    assert len(CASES) > 20
