"""What a flag does to a value: one table per kind, and the marks a result carries.

Source: HJ 212-2017 table 8 for the letters; the use in means is this project's ruling
(rulings, "Flags"), because the text does not give it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

UNFLAGGED = 0
"""No flag, or one that nobody knows: stays in the mean and is suspect, never ``N``."""


class Mark(IntFlag):
    """What a window's inputs carried; a result's ``flags`` is the union."""

    SUSPECT = 1
    """An automatic test or a missing flag casts doubt; alerts say 待核实."""
    UNFLAGGED = 2
    """At least one input came without a flag."""
    CALIBRATION = 4
    """At least one input was left out because of a calibration (C)."""
    MAINTENANCE = 8
    """At least one input was left out for maintenance (M) or standstill (F)."""
    FAULT = 16
    """At least one input was left out for a device or link fault (D, B)."""
    OVER_RANGE = 32
    """At least one input was over the device's range (T): the truth is at least the range."""
    MANUAL = 64
    """At least one input was set by hand (S) and is not judged."""
    IMPOSSIBLE = 128
    """At least one input was physically impossible and left out."""
    COPIED = 256
    """PM10 equals PM2.5 where PM10 was withheld: no evidence of PM10."""
    COMPUTED = 512
    """The hour is our own mean of finer data; without this mark it is the device's own."""
    OPEN = 1024
    """The period is not over: provisional."""
    DIFFERS = 2048
    """The source's own value is judged, and ours of its finer data differs by more than the tolerance."""
    SUBSTITUTED = 4096
    """A missing input was replaced by a rule; ``detail`` names the method."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagUse:
    """How one flag is used."""

    letter: str
    in_mean: bool
    may_alert: bool
    mark: Mark
    name_zh: str
    name_en: str


FLAG_USES: tuple[FlagUse, ...] = (
    FlagUse(letter="N", in_mean=True, may_alert=True, mark=Mark(0), name_zh="正常", name_en="normal"),
    FlagUse(
        letter="F", in_mean=False, may_alert=False, mark=Mark.MAINTENANCE, name_zh="停运", name_en="out of service"
    ),
    FlagUse(letter="M", in_mean=False, may_alert=False, mark=Mark.MAINTENANCE, name_zh="维护", name_en="maintenance"),
    FlagUse(letter="S", in_mean=False, may_alert=False, mark=Mark.MANUAL, name_zh="手工输入", name_en="set by hand"),
    FlagUse(letter="D", in_mean=False, may_alert=False, mark=Mark.FAULT, name_zh="故障", name_en="device fault"),
    FlagUse(letter="C", in_mean=False, may_alert=False, mark=Mark.CALIBRATION, name_zh="校准", name_en="calibration"),
    FlagUse(letter="T", in_mean=False, may_alert=True, mark=Mark.OVER_RANGE, name_zh="超量程", name_en="over range"),
    FlagUse(
        letter="B", in_mean=False, may_alert=False, mark=Mark.FAULT, name_zh="通讯中断", name_en="no link to the logger"
    ),
    FlagUse(
        letter="X",
        in_mean=False,
        may_alert=False,
        mark=Mark.IMPOSSIBLE,
        name_zh="不可能值",
        name_en="physically impossible",
    ),
    FlagUse(
        letter="K",
        in_mean=True,
        may_alert=True,
        mark=Mark.COPIED | Mark.SUSPECT,
        name_zh="复制值",
        name_en="copied from PM2.5",
    ),
)
"""``X`` and ``K`` are our own: the intake adds them, devices do not send them."""


def in_mean_table() -> NDArray[np.bool_]:
    """Return a look-up of 256: whether a value with this flag byte may enter a mean.

    Unknown bytes are unflagged and stay in (rulings, "Flags").
    """
    table = np.ones(256, dtype=np.bool_)
    for use in FLAG_USES:
        table[ord(use.letter)] = use.in_mean
    return table


def mark_table() -> NDArray[np.uint16]:
    """Return a look-up of 256: the marks that a flag byte leaves on a window."""
    table = np.full(256, int(Mark.UNFLAGGED | Mark.SUSPECT), dtype=np.uint16)
    for use in FLAG_USES:
        table[ord(use.letter)] = int(use.mark)
    return table
