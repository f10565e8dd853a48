from __future__ import annotations

from typing import Any

import pytest

from dashboards.settings import ConsoleSettings, is_loopback
from sensors.errors import ConfigError

TOKEN = "0123456789abcdef"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "localhost", "LOCALHOST", "::1", "[::1]"])
def test_the_machine_itself_needs_no_token(host: str) -> None:
    assert is_loopback(host)
    assert ConsoleSettings(host=host).token is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "console.example", "", "127.0.0.1.example"])  # noqa: S104 - nothing listens here
def test_an_address_that_others_reach_needs_a_token(host: str) -> None:
    with pytest.raises(ConfigError, match="can be reached from other machines"):
        ConsoleSettings(host=host)
    assert ConsoleSettings(host=host, token=TOKEN).host == host


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"token": "short"}, "console.token"),
        ({"port": 70_000}, "console.port"),
        ({"port": -1}, "console.port"),
        ({"speed": 0.0}, "console.speed"),
        ({"poll_ms": 0}, "console.poll_ms"),
        ({"silent_after_ms": 0}, "console.silent_after_ms"),
        ({"owed_after_ms": -5}, "console.owed_after_ms"),
        ({"listeners": 0}, "console.listeners"),
    ],
)
def test_a_setting_out_of_bounds_is_named(wrong: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError) as told:
        ConsoleSettings(**wrong)
    assert told.value.key == key
    assert told.value.mend


def test_the_token_is_not_shown_when_settings_are_printed() -> None:
    assert TOKEN not in repr(ConsoleSettings(token=TOKEN))
