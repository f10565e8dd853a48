"""How the files of tests are shared out to workers (``pytest -n 2``): whole files, and one heavy tree at a time."""

from __future__ import annotations

from typing import Final

import pytest
from xdist.scheduler import LoadScopeScheduling

HEAVY: Final = frozenset(
    f"tests/integration/test_{name}.py" for name in ("beijing", "compose_commands", "kill", "recompute", "up")
)
"""Each of these starts a whole system, which keeps two cores busy: one worker runs them, one after another."""


def share_of(nodeid: str) -> str:
    """Return the name of the share that a test belongs to: its file, so that a module's fixtures are made once."""
    path = nodeid.split("::", 1)[0]
    return "heavy" if path in HEAVY else path


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # it comes without types
    """Give each worker one share after another, in the order in which the tests were collected."""

    def _split_scope(self, nodeid: str) -> str:
        return share_of(nodeid)


def services_first(items: list[pytest.Item]) -> None:
    """Bring heavy tests to the front, then those of services and slow ones: what lasts long must not begin last.

    Among themselves they stay in their random order.
    """

    def rank(item: pytest.Item) -> tuple[bool, bool]:
        long = "integration" in item.keywords or "slow" in item.keywords
        return share_of(item.nodeid) != "heavy", not long

    items.sort(key=rank)
