"""The rules file as it is written: one record for each form of rule; `alerts.rules` gives them their meaning."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

import msgspec

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
_Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")]
_Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
_Window = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.]{0,15}$")]
_Count = Annotated[int, msgspec.Meta(ge=1, le=168)]
_Level = Annotated[int, msgspec.Meta(ge=2, le=6)]
_Above0 = Annotated[int, msgspec.Meta(gt=0)] | Annotated[float, msgspec.Meta(gt=0)]
AIR: Literal["air"] = "air"


class NameEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A text in Chinese and in English."""

    zh: Text
    en: Text


class CommonEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True, tag_field="kind"):
    """What every rule may say."""

    id: _Id
    network: _Name = ""
    """The kind of readings; empty for the file's own."""
    name: NameEntry | None = None
    start: dt.date | None = msgspec.field(name="from", default=None)
    last: dt.date | None = msgspec.field(name="to", default=None)
    raise_after: _Count = 1
    clear_after: _Count = 1
    confirm_after: _Count = 1
    sites: tuple[Text, ...] = ()
    classes: tuple[_Name, ...] = ()
    where: dict[_Name, tuple[Text, ...]] = {}
    priority: Annotated[int, msgspec.Meta(ge=1, le=4)] = 3
    backfill_after_hours: Annotated[int, msgspec.Meta(ge=1, le=8784)] | None = None


class LimitEntry(CommonEntry, tag="limit", frozen=True, kw_only=True):
    """A limit of the air standards; the value comes from the standard."""

    factors: Annotated[tuple[Text, ...], msgspec.Meta(min_length=1)]
    window: Literal["1h", "24h", "MDA8"]


class ThresholdEntry(CommonEntry, tag="threshold", frozen=True, kw_only=True):
    """A management threshold."""

    factor: Text
    window: _Window
    value: _Above0
    unit: Text
    author: Text | NameEntry
    why: Text | NameEntry


class LevelEntry(CommonEntry, tag="level", frozen=True, kw_only=True):
    """A level of the AQI."""

    window: Literal["1h", "24h"]
    level: _Level


class ClassEntry(CommonEntry, tag="class", frozen=True, kw_only=True):
    """A class of water quality: worse than the site's own target, or this level or worse."""

    window: _Window
    against: Literal["target"] | None = None
    level: _Level | None = None


class FindingEntry(CommonEntry, tag="finding", frozen=True, kw_only=True):
    """What the limits of discharge say: over, or so near."""

    reach: Literal["over", "near"] = "over"
    windows: Annotated[tuple[_Window, ...], msgspec.Meta(min_length=1)]
    factors: tuple[Text, ...] = ()
    """Names of what is judged otherwise than by a limit, for example ``dry_weather``; empty: what has a limit."""


class QuotaEntry(CommonEntry, tag="quota", frozen=True, kw_only=True):
    """A share of the yearly quota that is used up."""

    percent: Annotated[int, msgspec.Meta(ge=1, le=200)]


class MinimumEntry(CommonEntry, tag="minimum", frozen=True, kw_only=True):
    """A value below a minimum that the site's setting holds."""

    factor: Text
    window: _Window
    setting: _Name


class ZoneEntry(CommonEntry, tag="zone", frozen=True, kw_only=True):
    """Limits by the zone of a site and by day and night, with the standard that gives them."""

    factor: Text
    window: _Window
    setting: _Name
    standard: Text
    table: Text
    clause: Text
    source: Text
    confidence: Literal["confirmed", "single_source", "not_seen"]
    day: dict[Text, _Above0]
    night: dict[Text, _Above0]
    hint: bool


class NoDataEntry(CommonEntry, tag="no_data", frozen=True, kw_only=True):
    """No data."""


Entry = (
    LimitEntry | ThresholdEntry | LevelEntry | ClassEntry | FindingEntry | QuotaEntry | MinimumEntry | ZoneEntry
    | NoDataEntry
)  # fmt: skip


class RulesFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A whole rules file, as it is written."""

    kind: _Name
    """The kind of readings of rules that name none."""
    backfill_after_hours: Annotated[int, msgspec.Meta(ge=1, le=8784)]
    rules: Annotated[tuple[Entry, ...], msgspec.Meta(min_length=1)]
