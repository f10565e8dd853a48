"""The form of a registry file: what may stand in it, before anything is checked against anything else."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec

from sensors.factors import Names, Text

Id = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class AreaType(StrEnum):
    """What an area is."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    TOWNSHIP = "township"
    PARK = "park"
    """园区."""
    CLUSTER = "cluster"
    """Firms of one trade, for example 柯桥纺织后整理."""
    FIRM = "firm"
    BASIN = "basin"
    RIVER = "river"


class AbsenceEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One entry of ``not_in_plan``, as the file writes it."""

    factor: Text
    start: dt.date = msgspec.field(name="from")
    last: dt.date | None = msgspec.field(name="to", default=None)
    author: Text
    why: Text


class SiteEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One site, as the file writes it."""

    id: Id
    kind: Text = "air"
    name: Names
    station_class: Text = msgspec.field(name="class")
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    county: Text
    township: str = ""
    areas: tuple[Id, ...] = ()
    zone: Literal[1, 2] | None = None
    period: Literal["minute", "10min", "hour", "4h", "day"]
    setting: dict[str, Any] = {}
    origin: Literal["document", "synthetic"]
    source: Text
    start: dt.date = msgspec.field(name="from")
    last: dt.date | None = msgspec.field(name="to", default=None)
    assessment: bool = False
    measures: tuple[Text, ...] = ()
    """Factors for which it has an instrument; empty: all of its kind. An air site's others need an entry below."""
    not_in_plan: tuple[AbsenceEntry, ...] = ()


class AreaEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One area, as the file writes it."""

    id: Id
    type: AreaType
    name: Names
    parent: Id | None = None
    origin: Literal["document", "synthetic"]
    source: Text


class FlowEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One reach of a river, as the file writes it."""

    upstream: Id = msgspec.field(name="from")
    downstream: Id = msgspec.field(name="to")
    hours: Annotated[float, msgspec.Meta(ge=0, le=10_000)]


class RegistryFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A whole registry file, as it is written."""

    region: Names
    synthetic: bool
    outline: Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z0-9_-]+\.geojson)?$")] = ""
    sites: Annotated[tuple[SiteEntry, ...], msgspec.Meta(min_length=1)]
    areas: tuple[AreaEntry, ...] = ()
    flows: tuple[FlowEntry, ...] = ()


def registry_schema() -> dict[str, Any]:
    """Return the JSON schema of a registry file; ``data/registry.schema.json`` is this, written down."""
    (reference,), parts = msgspec.json.schema_components([RegistryFile], ref_template="#/$defs/{name}")
    schema: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "jianhu registry"}
    written: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(schema | reference | {"$defs": parts}))
    return written
