"""How a file's columns are to be read: which is the site, which the time, in which unit, by which label."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from sensors.clock import HOUR_MS
from sensors.frames import CORRECTION


class Label(StrEnum):
    """Which end of its interval a time names."""

    START = "start"
    """As HJ 212 stamps its data."""
    END = "end"
    """As the national platform labels its hours."""


class Copies(StrEnum):
    """What PM10 equal to PM2.5 means in a source."""

    MEASURED = "measured"
    """A coincidence of two measurements."""
    COPIED = "copied"
    """PM2.5 written where PM10 was withheld: flag ``K`` (rulings, "Air")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The columns of one kind of file."""

    site: str = "site"
    """Column of the site's id."""
    time: tuple[str, ...] = ("time",)
    """One column of ISO text, or four: year, month, day, hour."""
    label: Label = Label.END
    period_ms: int = HOUR_MS
    """Length of each reading's interval."""
    units: Mapping[str, str] = field(default_factory=dict)
    """Unit of a column that is not in the factor's canonical unit; a unit in the header goes before."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Column → factor symbol, where the header uses another word than the symbol or the HJ 212 code."""
    ignored: frozenset[str] = frozenset()
    """Columns that are known and not wanted."""
    missing: frozenset[str] = frozenset({"NA", "NULL", "null", "-", "--", "—"})
    """Texts that say "no value", beside the empty one."""
    correction: str = CORRECTION
    """Column of the source's own correction number; it need not be there."""
    copies: Copies = Copies.MEASURED


CSV: Final = Layout()
"""``time, site, <factors>``, hours labelled by their end in Beijing time, canonical units."""
PRSA: Final = Layout(
    site="station",
    time=("year", "month", "day", "hour"),
    label=Label.END,
    units={"CO": "µg/m³"},
    ignored=frozenset({"No", "TEMP", "PRES", "DEWP", "RAIN", "wd", "WSPM"}),
    copies=Copies.COPIED,
)
"""Beijing's record 2013-2017, UCI data set 501: local hour 0-23 is the hour's end, CO in µg/m³."""

_WITH_UNIT: Final = re.compile(
    r"(?P<name>[^(\[（]+?)\s*[(\[（]\s*(?P<unit>(?:[^()\[\]（）]|\([^()]*\))+?)\s*[)\]）]"  # a unit may be dB(A)
)


def split_unit(column: str) -> tuple[str, str | None]:
    """Return a header's name and the unit it names in brackets: ``CO (mg/m3)`` → ``CO``, ``mg/m³``."""
    found = _WITH_UNIT.fullmatch(column)
    return (found["name"], plain_unit(found["unit"])) if found else (column, None)


def plain_unit(unit: str) -> str:
    """Return a unit in the kinds' spelling: micro sign µ, superscript ³, litre L; unknown words as they are."""
    spelled = unit.replace("μ", "µ").replace("^3", "3").replace("m3", "m³")
    return re.sub(r"(?<=/)l$", "L", re.sub(r"^[uU](?=[gS]/)", "µ", spelled))
