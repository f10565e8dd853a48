"""Kind files that people got wrong, each with every error that they must be told."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensors.errors import ConfigError
from sensors.kinds import parse_kind
from sensors.yamlfile import parse_yaml

CASES = sorted(path.parent for path in Path(__file__).parent.glob("*/kind.yaml"))
EVALUATIONS = ("combination", "limits", "water_class")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_wrong_kind_is_refused_with_file_line_key_problem_and_what_to_do(case: Path) -> None:
    text = (case / "kind.yaml").read_text(encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        parse_kind(parse_yaml(text, "kind.yaml"), EVALUATIONS)
    told = "".join(f"{error}\n" for error in (caught.value, *caught.value.further))
    assert told == (case / "error.txt").read_text(encoding="utf-8")


def test_there_are_cases() -> None:
    assert len(CASES) > 20
