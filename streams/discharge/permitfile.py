"""The form of ``permits.yaml``: what may stand in it, before it is held against standards and registry."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec

from sensors.factors import Text
from streams.discharge.limitfile import Period

Moment = Annotated[dt.datetime, msgspec.Meta(tz=True)]
"""With its offset: ``2026-03-01T08:00:00+08:00``."""
_Id = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
_Amount = Annotated[float, msgspec.Meta(ge=0)] | None


class State(StrEnum):
    """What an enterprise says of its plant or device."""

    STOPPED = "stopped"
    """The plant stands still."""
    START_UP = "start_up"
    SHUT_DOWN = "shut_down"
    ACCIDENT = "accident"
    MAINTENANCE = "maintenance"
    DEVICE_FAULT = "device_fault"
    CALIBRATION = "calibration"


class AppliesEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A standard that binds the site over a span of days."""

    standard: Text
    column: str = ""
    """Empty where the standard has one only."""
    trade: str = ""
    built: dt.date | None = None
    """The plant's own date, as the standard counts it: construction, or approval of the impact report."""
    start: dt.date = msgspec.field(name="from")
    last: dt.date | None = msgspec.field(name="to", default=None)
    source: Text


class OwnLimitEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A limit of the permit itself, or of a firm's own rule."""

    factor: Text
    period: Period
    low: float | int | None = None
    high: float | int | None = None
    unit: Text
    start: dt.date = msgspec.field(name="from")
    last: dt.date | None = msgspec.field(name="to", default=None)
    source: Text


class QuotaEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What may be let out in a year."""

    factor: Text
    year: Annotated[int, msgspec.Meta(ge=1990, le=2100)]
    tonnes: _Amount
    """null: assigned from above, not yet set."""
    source: Text


class CutEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A cut over several years against a base year."""

    factor: Text
    base_year: Annotated[int, msgspec.Meta(ge=1990, le=2100)]
    base_tonnes: _Amount
    year: Annotated[int, msgspec.Meta(ge=1990, le=2100)]
    """The year by which it is to be reached."""
    percent: Annotated[float, msgspec.Meta(ge=0, le=100)] | None
    """null: assigned from above, not yet set."""
    source: Text


class MarkEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What the enterprise says of a span of time, and on what evidence."""

    state: State
    start: Moment = msgspec.field(name="from")
    end: Moment = msgspec.field(name="to")
    author: Text
    sent: Moment
    evidence: str = ""


class CalibrationEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A calibration that was passed (HJ 356: what substitution looks back from)."""

    factor: Text
    passed: dt.date
    author: Text


class SampleEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Manual samples of one day, which go first outside normal operation."""

    factor: Text
    day: dt.date
    values: Annotated[tuple[float | int, ...], msgspec.Meta(min_length=1)]
    unit: Text
    author: Text
    evidence: str = ""


class _Holder(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    applies: tuple[AppliesEntry, ...] = ()
    limits: tuple[OwnLimitEntry, ...] = ()
    quotas: tuple[QuotaEntry, ...] = ()
    cuts: tuple[CutEntry, ...] = ()


class SiteEntry(_Holder, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One site."""

    site: _Id
    marks: tuple[MarkEntry, ...] = ()
    calibrations: tuple[CalibrationEntry, ...] = ()
    samples: tuple[SampleEntry, ...] = ()


class AreaEntry(_Holder, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A firm, park or other area: what it has binds every site in it; its quotas are its own."""

    area: _Id


class DecisionEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A named person's decision that an automatic hour counts as what a table is written for."""

    standard: Text
    table: Text
    hour_is: Literal["finding"]
    start: dt.date = msgspec.field(name="from")
    last: dt.date | None = msgspec.field(name="to", default=None)
    author: Text
    why: Text


class PermitFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A whole file of permits, as it is written."""

    sites: tuple[SiteEntry, ...] = ()
    areas: tuple[AreaEntry, ...] = ()
    decisions: tuple[DecisionEntry, ...] = ()


def permit_schema() -> dict[str, Any]:
    """Return the JSON schema of a permit file; ``data/permits.schema.json`` is this, written down."""
    (reference,), parts = msgspec.json.schema_components([PermitFile], ref_template="#/$defs/{name}")
    schema: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "jianhu permits"}
    written: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(schema | reference | {"$defs": parts}))
    return written
