"""What the system raises about itself: names and priorities of standing events."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

SYSTEM: Final = "system"
"""The kind of readings of events that are about the system itself."""


class Standing(StrEnum):
    """What holds until it is mended; the value is the rule of its events."""

    NO_OWNER = "no-owner"
    """A registered site that nobody owns at any tier."""
    LINE_SILENT = "line-silent"
    """The sites of one line are silent together."""
    CHANNEL_AWAY = "channel-away"
    """A channel of notices takes nothing."""


PRIORITIES: Final[Mapping[Standing, int]] = {
    Standing.NO_OWNER: 3, Standing.LINE_SILENT: 3, Standing.CHANNEL_AWAY: 2,
}  # fmt: skip
_NAMES: Final[Mapping[str, tuple[str, str]]] = {
    Standing.NO_OWNER: ("站点无责任人", "site without an owner"),
    Standing.LINE_SILENT: ("传输链路中断", "line is silent"),
    Standing.CHANNEL_AWAY: ("通知渠道不通", "channel of notices is away"),
}


def standing_names(rule: str) -> tuple[str, str]:
    """Return what a standing event is called, in Chinese and English; its rule where nobody named it."""
    return _NAMES.get(rule, (rule, rule))
