"""What tests of notices are made of: events, subjects and a region of two parks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from alerts.events import Event, Fact, event_id
from alerts.rules import Kind, Rules
from alerts.states import State
from alerts.subjects import Subject, subject_of
from alerts.verdicts import SeriesKey
from sensors.registry import Area, AreaType, Registry
from tests.unit.alerts.building import T0, only, point, site

AREAS = (
    ("zj", AreaType.PROVINCE, None), ("sx", AreaType.CITY, "zj"), ("sy", AreaType.COUNTY, "sx"),
    ("t-a", AreaType.TOWNSHIP, "sy"), ("t-b", AreaType.TOWNSHIP, "sy"), ("park", AreaType.PARK, "sy"),
    ("firm-1", AreaType.FIRM, "park"), ("firm-2", AreaType.FIRM, "park"),
    ("basin", AreaType.BASIN, None), ("river", AreaType.RIVER, "basin"),
)  # fmt: skip
PLACES = {
    "A": ("t-a", "sy", "sx", "zj"),
    "B": ("t-b", "sy", "sx", "zj"),
    "P1": ("t-a", "firm-1", "sy", "park", "sx", "zj"),
    "P2": ("t-a", "firm-1", "sy", "park", "sx", "zj"),
    "P3": ("t-a", "firm-2", "sy", "park", "sx", "zj"),
    "W": ("t-b", "river", "sy", "basin", "sx", "zj"),
}


def area(name: str, kind: AreaType, parent: str | None, **other: Any) -> Area:
    made: dict[str, Any] = {
        "id": name, "type": kind, "name_zh": name, "name_en": name, "parent": parent, "synthetic": False,
        "source": "test",
    }  # fmt: skip
    return Area(**(made | other))


def region(**other: Any) -> Registry:
    """Return sites A and B in two townships, three points of two firms in a park, and W at a river."""
    kinds = {"P1": ("voc", "point"), "P2": ("voc", "point"), "P3": ("voc", "point"), "W": ("water", "river_section")}
    sites = []
    for name, areas in PLACES.items():
        kind, station_class = kinds.get(name, ("air", "urban"))
        sites.append(site(name, areas=areas, kind=kind, station_class=station_class, synthetic=False))
    made: dict[str, Any] = {
        "region_zh": "r", "region_en": "r", "synthetic": False, "sites": tuple(sites),
        "areas": tuple(area(*row) for row in AREAS),
    }  # fmt: skip
    return Registry(**(made | other))


def event(rule: str = "pm25-1h", at: str = "A", factor: str = "PM2.5", start: int = T0, **other: Any) -> Event:
    key = SeriesKey(rule, at, factor)
    made: dict[str, Any] = {
        "id": event_id(key, start), "key": key, "kind": Kind.THRESHOLD, "window": "1h", "start": start,
        "last": start + 3_600_000, "end": None, "raised_at": start + 3_660_000, "raised_by": point(0), "peak": point(0),
        "to_verify": False, "backfilled": False, "fact": Fact.GOING_ON, "fact_at": start + 3_660_000, "joined_to": "",
        "state": State.RAISED, "revision": 1, "priority": 3,
    }  # fmt: skip
    return Event(**(made | other))


def rules() -> Rules:
    return only("pm25-1h")


def subject(registry: Registry | None = None, **other: Any) -> Subject:
    return subject_of(event(**other), rules(), registry or region(), T0)


def labelled(event_id: str = "e1", **labels: str) -> Subject:
    """Return a subject of these labels, for matchers."""
    made = subject()
    return replace(made, event=replace(made.event, id=event_id), labels={"event": event_id, **labels})
