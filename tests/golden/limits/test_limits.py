"""Files of limits that people got wrong, each with the error they must be told."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensors.errors import ConfigError
from sensors.yamlfile import parse_yaml
from streams.discharge.limits import parse_limits

CASES = sorted(path.parent for path in Path(__file__).parent.glob("*/limits.yaml"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_wrong_file_of_limits_is_refused_with_file_line_key_problem_and_what_to_do(case: Path) -> None:
    text = (case / "limits.yaml").read_text(encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        parse_limits(parse_yaml(text, "limits.yaml"))
    assert f"{caught.value}\n" == (case / "error.txt").read_text(encoding="utf-8")


def test_there_are_cases() -> None:
    assert len(CASES) > 14
