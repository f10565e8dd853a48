"""Double control beside its precursors: rows of an area of two kinds, brought together where they are shown.

No stage joins the topics of two kinds (docs/decisions/0007), so what VOCs did stands beside what PM2.5, ozone and NO2
did (双控双减) only here. It is said as found, and judged by nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, NamedTuple

from sensors.clock import BEIJING_OFFSET_MS, DAY_MS
from streams.judging.reasons import INCOMPLETE, OK, SILENT
from streams.periods.calendar import day_date
from streams.periods.comparing import change_percent

VOCS: Final = ("NMHC", "TVOC")
"""What stands for VOCs, the first one that the area has."""


class AreaRow(NamedTuple):
    """One result of an area over a period; of several revisions the newest."""

    site: str
    """The area's id."""
    factor: str
    window: str
    start: int
    """ms."""
    value: int | None
    digits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Precursor:
    """What one precursor did on the year."""

    factor: str
    """Empty where the area has none."""
    change: Fraction | None
    """Percent of the same period of the year before."""
    reason: int
    """Code of `streams.judging.reasons`; `SILENT` where there are no rows of it at all."""


def vocs_beside(control: AreaRow, rows: Iterable[AreaRow], factors: Sequence[str] = VOCS) -> Precursor:
    """Return what VOCs did in the area and period of a double control.

    Parameters
    ----------
    control
        The row ``double_control`` of kind ``air``.
    rows
        Of kind ``voc``, of any areas, windows and times; those of the control's area, window and period count, and
        those of a year before. The values are means over the area's sites.
    factors
        What stands for VOCs, in order of preference.
    """
    mine = [row for row in rows if (row.site, row.window) == (control.site, control.window)]
    for factor in factors:
        values = {_day(row.start): row for row in mine if row.factor == factor}
        now, before = values.get(_day(control.start)), values.get(_day(control.start, years=-1))
        if now is not None:
            change = change_percent(_number(now), None if before is None else _number(before))
            return Precursor(factor=factor, change=change, reason=INCOMPLETE if change is None else OK)
    return Precursor(factor="", change=None, reason=SILENT)


def _day(start: int, years: int = 0) -> tuple[int, int, int]:
    """Return the Beijing date of a start, some years later."""
    here = day_date((start + BEIJING_OFFSET_MS) // DAY_MS)
    return here.year + years, here.month, here.day


def _number(row: AreaRow) -> Fraction | None:
    return None if row.value is None else Fraction(row.value, 10**row.digits)
