"""What devices and links do to the truth: checks, faults, flat lines, silence, plans."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sensors.clock import MINUTE_MS
from sensors.registry import Site
from simulators.chance import Floats
from simulators.scene import Playing, keys_of
from simulators.sheet import Sheet, rows_of
from simulators.stories import Calibration, StoryKind
from simulators.weather import BEIJING_MINUTES, DAY_MINUTES

_HOUR = 60
LETTERS = {
    StoryKind.MAINTENANCE: "M",
    StoryKind.FAULT: "D",
    StoryKind.OVER_RANGE: "T",
    StoryKind.CALIBRATION: "C",
    StoryKind.STANDSTILL: "F",
}
"""Which letter a story of a device sends with its values."""
_UNSENT = frozenset({StoryKind.SILENCE, StoryKind.NEVER, StoryKind.LATE})
Look = Callable[[Playing], dict[str, Floats]]
"""What the sites of a story showed in its first interval, [1, E] each."""


def calibrate(sheet: Sheet, plan: Calibration) -> None:
    """Set the nightly checks of gas analysers: each gas in an hour of its own, the span check for one gas a night."""
    local = sheet.minutes + BEIJING_MINUTES
    day, hour, minute = local // DAY_MINUTES, local % DAY_MINUTES // _HOUR, local % _HOUR
    keys = keys_of(sheet.sites)
    for number, (gas, span) in enumerate(plan.gases.items()):
        mine = hour == plan.first_hour + (keys + number) % plan.hours
        zero = mine & (minute < plan.zero_minutes)
        turn = (keys + day) % len(plan.gases) == number
        spanned = mine & turn & (minute >= plan.zero_minutes) & (minute < plan.zero_minutes + plan.span_minutes)
        level = span + 0.002 * (sheet.values[gas] - span)
        sheet.values[gas] = np.where(zero, 0.002 * sheet.values[gas], np.where(spanned, level, sheet.values[gas]))
        sheet.flags[gas][zero | spanned] = ord("C")


def play(one: Playing, sheet: Sheet, look: Look) -> None:
    """Write what a story does to devices and links; what it does to the media is in the truth already."""
    plot = one.plot
    rows = rows_of(one.start, one.start + plot.minutes * MINUTE_MS, sheet)
    here = np.array([site.id in one.sites for site in sheet.sites], dtype=np.bool_)
    if rows.start == rows.stop or not here.any():
        return
    if plot.kind in _UNSENT:
        sheet.sent[rows, here] = False
    first = look(one) if plot.kind is StoryKind.FLAT else {}
    for factor, size in plot.factors.items():
        if plot.kind in {StoryKind.OVER_RANGE, StoryKind.SPIKE}:
            sheet.values[factor][rows, here] = size or plot.size
        if factor in first:
            sheet.values[factor][rows, here] = first[factor][0, here]
        if plot.kind in LETTERS:
            sheet.flags[factor][rows, here] = ord(LETTERS[plot.kind])


def hold_to_plan(site: Site, column: int, sheet: Sheet) -> None:
    """Send nothing outside an entry's dates, and nothing of a factor that is not in plan."""
    inside = rows_of(site.start, site.end, sheet)
    sheet.sent[: inside.start, column] = False
    sheet.sent[inside.stop :, column] = False
    for absence in site.not_in_plan:
        if absence.factor in sheet.flags:
            sheet.flags[absence.factor][rows_of(absence.start, absence.end, sheet), column] = 0
