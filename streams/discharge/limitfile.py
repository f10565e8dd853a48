"""The form of a file of limits: what may stand in it, before rows are held against each other."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated

import msgspec

from sensors.factors import Names, Text
from sensors.windows import Confidence


class Period(StrEnum):
    """The time that a limit is written for."""

    DAILY_MEAN = "daily_mean"
    """Mean of a natural day, weighted by flow where something flows."""
    INSTANTANEOUS = "instantaneous"
    """A single grab sample (GB 18918 table 4): no automatic value is one, so it only hints."""
    HOUR_MEAN = "hour_mean"
    ANY_VALUE = "any_value"
    """Any single value (GB 37822): held against the greatest fine value of the hour."""
    HIGHEST_BOUNDARY_POINT = "highest_boundary_point"
    """The highest point outside the boundary: any point over it shows that the highest is."""
    DAY_LEVEL = "day_level"
    """Equivalent sound level of 06:00 to 22:00."""
    NIGHT_LEVEL = "night_level"
    NIGHT_BURST = "night_burst"
    """Greatest level of the night."""


class Temperature(StrEnum):
    """Under which water temperature a limit holds."""

    ANY = "any"
    OVER_12 = "over_12"
    """Over 12 °C."""
    TO_12 = "to_12"
    """12 °C and below."""


Cell = float | int | Annotated[str, msgspec.Meta(pattern="^not_detectable$")] | tuple[float | int, float | int] | None
"""A greatest value, [least, greatest], ``not_detectable``, or null where a column has no limit."""
_MonthDay = Annotated[str, msgspec.Meta(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]


class LimitRow(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One factor of a table; what it leaves out is the table's."""

    factor: Text
    unit: Text
    at: Annotated[tuple[Cell, ...], msgspec.Meta(min_length=1)]
    temperature: Temperature = Temperature.ANY
    season: str = ""
    outside: str = ""
    trades: tuple[str, ...] = ()
    place: tuple[str, ...] = ()
    built_from: dt.date | None = None
    built_to: dt.date | None = None
    start: dt.date | None = msgspec.field(name="from", default=None)
    last: dt.date | None = msgspec.field(name="to", default=None)
    source: str = ""


class LimitTable(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One table, or the part of it that holds for one period and one age of plant."""

    table: Text
    clause: Text
    period: Period
    start: dt.date = msgspec.field(name="from")
    last: dt.date | None = msgspec.field(name="to", default=None)
    confidence: Confidence
    source: Text
    columns: tuple[Text, ...] = ()
    """Of the file's columns, those that its rows have; all where it names none."""
    hints: tuple[Text, ...] = ()
    """Shorter windows that may hint at this limit."""
    place: tuple[str, ...] = ()
    built_from: dt.date | None = None
    built_to: dt.date | None = None
    rows: Annotated[tuple[LimitRow, ...], msgspec.Meta(min_length=1)]


class SeasonRow(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Part of every year, both days inside."""

    start: _MonthDay = msgspec.field(name="from")
    last: _MonthDay = msgspec.field(name="to")


class LimitFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """All limits of one standard."""

    standard: Text
    title: Names
    kinds: Annotated[tuple[Text, ...], msgspec.Meta(min_length=1)]
    columns: Annotated[tuple[Text, ...], msgspec.Meta(min_length=1)]
    aliases: dict[str, str] = {}
    """Other names of columns, for what the text sends to another column."""
    trades: tuple[Text, ...] = ()
    """Names of trades whose rows differ; the first is that of everybody else."""
    seasons: dict[str, SeasonRow] = {}
    column_setting: str = ""
    """The entry of a site's setting that names its column; then no permit is needed."""
    proportional: bool = True
    """Whether shares and multiples of a limit mean anything; they do not for decibel."""
    proxies: dict[str, tuple[str, ...]] = {}
    """Factor of a limit → factors that may only hint at it."""
    methods: dict[str, tuple[str, ...]] = {}
    """Factor → methods whose values are held against its limit; others only hint."""
    bases: dict[str, tuple[str, ...]] = {}
    """Factor → bases (as carbon) on which its limit is written; a value on another is shown and not judged."""
    tables: Annotated[tuple[LimitTable, ...], msgspec.Meta(min_length=1)]
