"""The console of these tests: two sites, one over a limit, one silent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.dashboards.building import House, hour_of, house, over_limit


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as made:
        made.say(*hour_of("A", 0), *over_limit("A", 1))
        made.tick()
        yield made
