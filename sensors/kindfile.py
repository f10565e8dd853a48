"""The form of a kind file: what may stand in it, before anything is checked against anything else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec

from sensors.clock import HOUR_MS, MINUTE_MS
from sensors.factors import FactorEntry, Names, Number, Text
from sensors.facts import FactType
from sensors.tablefile import TableEntry
from sensors.windows import Confidence

_MONTH_DAY: Final = r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
Slot = Literal["1h", "4h"]
Fine = Literal["1min", "5min", "10min", "30min", "1h", "4h"]
PERIOD_MS: Final[Mapping[str, int]] = {
    "1min": MINUTE_MS,
    "5min": 5 * MINUTE_MS,
    "10min": 10 * MINUTE_MS,
    "30min": 30 * MINUTE_MS,
    "1h": HOUR_MS,
    "4h": 4 * HOUR_MS,
}
_Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
_Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
_Counts = Annotated[int, msgspec.Meta(ge=1, le=100_000)]


class NeedsEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What makes a window valid, as the file writes it."""

    source: Text
    confidence: Confidence
    start: dt.date | None = msgspec.field(name="from", default=None)
    at_least: _Counts | None = None
    share: Number | None = None
    rule: _Name | None = None


class WindowEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One window, as the file writes it."""

    name: Text
    factors: tuple[str, ...] | None = None
    needs: tuple[NeedsEntry, ...] = ()
    step: Literal["factor", "none"] = "factor"
    of: Text | None = None


class TestEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One quality test, as the file writes it."""

    test: Text
    factors: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    source: Text
    numbers: dict[str, Number] = {}


class FactEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One fact of a site's setting, as the file writes it."""

    type: FactType
    choices: tuple[str, ...] = ()
    needed: bool = False
    nullable: bool = False
    unit: str = ""
    low: Number | None = None
    high: Number | None = None


class RangeEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Days of every year, as the file writes them."""

    first: Annotated[str, msgspec.Meta(pattern=_MONTH_DAY)] = msgspec.field(name="from")
    last: Annotated[str, msgspec.Meta(pattern=_MONTH_DAY)] = msgspec.field(name="to")


class SeasonEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One season, as the file writes it."""

    id: _Id
    name: Names
    days: Annotated[tuple[RangeEntry, ...], msgspec.Meta(min_length=1)]
    author: Text
    source: Text
    confidence: Confidence


class KindFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A whole kind file, as it is written."""

    kind: _Name
    name: Names
    slot: Slot
    fine: Fine
    classes: Annotated[tuple[_Name, ...], msgspec.Meta(min_length=1)]
    factors: Annotated[dict[str, FactorEntry], msgspec.Meta(min_length=1)]
    windows: Annotated[tuple[WindowEntry, ...], msgspec.Meta(min_length=1)]
    round_slots: bool = False
    own_days: bool = False
    zoned: bool = False
    evaluations: tuple[_Name, ...] = ()
    period_evaluations: tuple[_Name, ...] = ()
    area_windows: tuple[str, ...] = ()
    quality: tuple[TestEntry, ...] = ()
    setting: dict[_Name, FactEntry] = {}
    seasons: tuple[SeasonEntry, ...] = ()
    tables: tuple[TableEntry, ...] = ()


def kind_schema() -> dict[str, Any]:
    """Return the JSON schema of a kind file; ``data/kind.schema.json`` is this, written down."""
    (reference,), parts = msgspec.json.schema_components([KindFile], ref_template="#/$defs/{name}")
    schema: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "jianhu kind"}
    written: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(schema | reference | {"$defs": parts}))
    return written
