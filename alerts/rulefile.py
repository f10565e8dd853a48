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
_MonthDay = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{2}-[0-9]{2}$")]
AIR: Literal["air"] = "air"


class NameEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A text in Chinese and in English."""

    zh: Text
    en: Text


class OverOf(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """So many periods over of so many known ones."""

    over: _Count
    of: _Count


class ClearEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """From where on a value is fine again: a share of the bound, or a value."""

    percent: _Above0 | None = None
    value: _Above0 | None = None
    unit: Text | None = None


class FlapEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """More raises than this within so many periods are one event."""

    more_than: Annotated[int, msgspec.Meta(ge=1, le=20)]
    within: _Count


class GradeEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A priority from a point on."""

    priority: Annotated[int, msgspec.Meta(ge=1, le=4)]
    multiple: _Above0 | None = None
    periods: _Count | None = None
    percent: Annotated[int, msgspec.Meta(ge=1, le=200)] | None = None


class CommonEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True, tag_field="kind"):
    """What every rule may say."""

    id: _Id
    network: _Name = ""
    """The kind of readings; empty for the file's own."""
    name: NameEntry | None = None
    start: dt.date | None = msgspec.field(name="from", default=None)
    last: dt.date | None = msgspec.field(name="to", default=None)
    raise_after: _Count | OverOf = 1
    clear_after: _Count = 1
    confirm_after: _Count = 1
    sites: tuple[Text, ...] = ()
    classes: tuple[_Name, ...] = ()
    where: dict[_Name, tuple[Text, ...]] = {}
    priority: Annotated[int, msgspec.Meta(ge=1, le=4)] = 3
    backfill_after_hours: Annotated[int, msgspec.Meta(ge=1, le=8784)] | None = None
    hold_for: Annotated[int, msgspec.Meta(ge=0, le=168)] = 0
    clear_below: ClearEntry | None = None
    flap: FlapEntry | None = None
    season: _Id | None = None
    areas: tuple[Text, ...] = ()
    function_classes: tuple[Literal[1, 2], ...] = ()
    mode: Text | None = None
    covers: tuple[_Id, ...] = ()
    recurs_within_days: Annotated[int, msgspec.Meta(ge=1, le=366)] | None = None
    grades: tuple[GradeEntry, ...] = ()


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
    """A share of the yearly quota that is used up; further shares stand in ``grades``."""

    percent: Annotated[int, msgspec.Meta(ge=1, le=200)]


class ExhaustionEntry(CommonEntry, tag="exhaustion", frozen=True, kw_only=True):
    """A yearly quota that will run out within the year."""

    within_days: Annotated[int, msgspec.Meta(ge=1, le=366)] | None = None
    """Only when it runs out within so many days."""


class LateEntry(CommonEntry, tag="late", frozen=True, kw_only=True):
    """Packets that came later than they may."""

    packets: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1
    """So many late packets of a period."""


class ChangeEntry(CommonEntry, tag="change", frozen=True, kw_only=True):
    """A level of the AQI or a class of water that is worse than the valid one before."""

    window: _Window
    worse_by: Annotated[int, msgspec.Meta(ge=1, le=5)]
    within: Annotated[int, msgspec.Meta(ge=1, le=72)] = 6
    """Periods back in which the valid one before is looked for."""


class RateEntry(CommonEntry, tag="rate", frozen=True, kw_only=True):
    """A value against the one so many periods before."""

    factor: Text
    window: _Window
    against: Annotated[int, msgspec.Meta(ge=1, le=72)]
    """Periods before."""
    value: _Above0 | None = None
    unit: Text | None = None
    percent: _Above0 | None = None
    direction: Literal["up", "down", "either"] = "up"
    author: Text | NameEntry
    why: Text | NameEntry


class ProjectionEntry(CommonEntry, tag="projection", frozen=True, kw_only=True):
    """What a day's mean, or the next hours, will be."""

    factor: Text
    form: Literal["certain", "prone", "trend"]
    hours: Annotated[int, msgspec.Meta(ge=2, le=12)] = 3
    """Last hours that go on (prone) or are drawn out (trend)."""
    ahead: Annotated[int, msgspec.Meta(ge=1, le=12)] = 3
    """Hours that a trend is drawn out."""
    least: Annotated[int, msgspec.Meta(ge=1, le=24)] = 6
    """Known hours of the day without which nothing is projected (prone)."""
    value: _Above0 | None = None
    """A management threshold in the place of the limit of a standard, with its unit, author and why."""
    unit: Text | None = None
    author: Text | NameEntry | None = None
    why: Text | NameEntry | None = None


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


class QualityEntry(CommonEntry, tag="data_quality", frozen=True, kw_only=True):
    """What automatic tests hold suspect: a data case, never an exceedance."""

    factors: tuple[Text, ...] = ()
    """Empty: all that the kind measures."""


Entry = (
    LimitEntry | ThresholdEntry | LevelEntry | ClassEntry | FindingEntry | QuotaEntry | MinimumEntry | ZoneEntry
    | NoDataEntry | ExhaustionEntry | LateEntry | ChangeEntry | RateEntry | ProjectionEntry | QualityEntry
)  # fmt: skip


class SpanEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Days of every year, both inside, written as month and day."""

    start: _MonthDay = msgspec.field(name="from")
    last: _MonthDay = msgspec.field(name="to")


class SeasonEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A season of control."""

    name: NameEntry
    spans: Annotated[tuple[SpanEntry, ...], msgspec.Meta(min_length=1)]
    factors: tuple[Text, ...] = ()
    trades: tuple[Text, ...] = ()
    source: Text
    confidence: Literal["confirmed", "single_source", "not_seen"]


class RulesFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A whole rules file, as it is written."""

    kind: _Name
    """The kind of readings of rules that name none."""
    backfill_after_hours: Annotated[int, msgspec.Meta(ge=1, le=8784)]
    seasons: dict[_Id, SeasonEntry] = {}
    rules: Annotated[tuple[Entry, ...], msgspec.Meta(min_length=1)]
