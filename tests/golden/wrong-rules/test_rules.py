"""Rules files that people got wrong, each with all the errors they must be told."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerts.modes import NO_MODES
from alerts.rules import parse_rules
from sensors.errors import ConfigError
from sensors.yamlfile import parse_yaml
from streams.standards import load_standards

CASES = sorted(path.parent for path in Path(__file__).parent.glob("*/rules.yaml"))
STANDARDS = load_standards()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_wrong_rules_file_is_refused_with_file_line_key_problem_and_what_to_do(case: Path) -> None:
    text = (case / "rules.yaml").read_text(encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        parse_rules(parse_yaml(text, "rules.yaml"), STANDARDS, modes=NO_MODES)
    told = "".join(f"{one}\n" for one in (caught.value, *caught.value.further))
    assert told == (case / "error.txt").read_text(encoding="utf-8")


def test_there_are_cases() -> None:
    assert len(CASES) > 15
