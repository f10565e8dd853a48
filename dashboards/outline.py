"""The region's outline and the places of its sites on a plain picture."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sensors.errors import ConfigError
from sensors.registry import Site

WIDTH: Final = 1000
"""Width of the picture in its own units."""
_TALLEST: Final = 1250
_LOWEST: Final = 520
_MARGIN: Final = 46
_LEAST_EXTENT: Final = (0.04, 0.02)
_ROUNDS: Final = 80
_LARGEST_FILE: Final = 8 * 1024 * 1024
_LONLAT: Final = 2

KINDS: Final = ("district", "coast", "river", "park", "line")
"""What a shape can be; each has its own line on the map."""

Points: TypeAlias = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A ring or a line in degrees of longitude and latitude."""

    kind: str
    closed: bool
    points: Points
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A shape on the picture, as SVG path data."""

    kind: str
    path: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a site's mark stands, and where the site itself is."""

    site: str
    x: float
    y: float
    true_x: float
    true_y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A map without a background service."""

    width: int
    height: int
    radius: float
    """Of a site's mark."""
    shapes: tuple[Drawn, ...]
    places: Mapping[str, Place]


def load_outline(path: Path) -> list[Shape]:
    """Read the shapes of a GeoJSON file: polygons and lines in degrees of longitude and latitude.

    Raises
    ------
    ConfigError
        When the file cannot be read or is not GeoJSON.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise _wrong(path, "is larger than 8 MB", "simplify the outline")
        return shapes_of(json.loads(path.read_text(encoding="utf-8")))
    except (
        OSError,
        UnicodeDecodeError,
        json.JSONDecodeError,
        LookupError,
        AttributeError,
        TypeError,
        ValueError,
        RecursionError,
    ) as cause:
        raise _wrong(path, f"cannot be read as GeoJSON: {cause}", "give a FeatureCollection of polygons") from cause


def _wrong(path: Path, problem: str, mend: str) -> ConfigError:
    return ConfigError(file=str(path), line=None, key="", problem=problem, mend=mend)


def shapes_of(geojson: Mapping[str, Any], kind: str = "district", name: tuple[str, str] = ("", "")) -> list[Shape]:
    """Return every ring and line of a GeoJSON object; points are left out.

    A feature's ``kind`` (district, coast, river, park) and ``name_zh``, ``name_en`` go with its shapes;
    a kind that is not known is drawn as a plain line.

    Raises
    ------
    ValueError, LookupError, AttributeError, TypeError
        When it is not GeoJSON, or a coordinate is no place on earth.
    """
    match geojson["type"]:
        case "FeatureCollection":
            return [shape for feature in geojson["features"] for shape in shapes_of(feature)]
        case "Feature":
            told = geojson.get("properties") or {}
            kind = told.get("kind", "district")
            name = (str(told.get("name_zh", "")), str(told.get("name_en", "")))
            return (
                shapes_of(geojson["geometry"], kind if kind in KINDS else "line", name) if geojson["geometry"] else []
            )
        case "GeometryCollection":
            return [shape for geometry in geojson["geometries"] for shape in shapes_of(geometry, kind, name)]
        case "Point" | "MultiPoint":
            return []
        case "Polygon" | "MultiLineString" | "MultiPolygon" | "LineString":
            closed = geojson["type"].endswith("Polygon")
            return [
                Shape(kind=kind, closed=closed, points=points, name_zh=name[0], name_en=name[1])
                for points in _nested(geojson["coordinates"])
            ]
        case other:
            raise ValueError(f"{other!r} is no GeoJSON type")


def _nested(coordinates: Any) -> list[Points]:
    """Return the point lists of coordinates of any depth."""
    if not isinstance(coordinates, list):
        raise TypeError(f"{coordinates!r} is no list of points")
    if not coordinates:
        return []
    if isinstance(coordinates[0][0], int | float):
        return [_points(coordinates)]
    return [points for part in coordinates for points in _nested(part)]


def _points(coordinates: Sequence[Sequence[float]]) -> Points:
    points = tuple((float(point[0]), float(point[1])) for point in coordinates)
    if not all(math.isfinite(lon) and abs(lon) <= 180 and abs(lat) <= 90 for lon, lat in points):  # noqa: PLR2004 - degrees
        raise ValueError("a coordinate is no longitude and latitude")
    return points


def draw(shapes: Sequence[Shape], sites: Iterable[Site]) -> Picture:
    """Return the picture of a region: outlines, and marks that do not cover each other.

    Longitudes are shortened by the cosine of the middle latitude; a mark that had to give way
    keeps its true place, so that a line can join the two.
    """
    sites = sorted(sites, key=lambda site: site.id)
    spots = np.array([(site.lon, site.lat) for site in sites], dtype=np.float64).reshape(-1, _LONLAT)
    corners = [np.array(shape.points, dtype=np.float64) for shape in shapes]
    everything = np.concatenate([*corners, spots]) if corners or len(spots) else np.array([[0.0, 0.0]])
    low, high = everything.min(axis=0), everything.max(axis=0)
    shrink = math.cos(math.radians(float(low[1] + high[1]) / 2))
    extent = np.maximum((high - low) * (shrink, 1.0), _LEAST_EXTENT)
    scale = min((WIDTH - 2 * _MARGIN) / extent[0], (_TALLEST - 2 * _MARGIN) / extent[1])
    height = max(_LOWEST, round(float(extent[1]) * scale) + 2 * _MARGIN)
    centre = np.array([WIDTH / 2, height / 2])
    middle = (low + high) / 2

    def project(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((points - middle) * (shrink * scale, -scale) + centre, dtype=np.float64)

    radius = _radius(len(sites))
    true = project(spots)
    shown = _apart(true, radius, height)
    return Picture(
        width=WIDTH,
        height=height,
        radius=radius,
        shapes=tuple(
            Drawn(
                kind=shape.kind,
                path=_path(project(points), closed=shape.closed),
                name_zh=shape.name_zh,
                name_en=shape.name_en,
            )
            for shape, points in zip(shapes, corners, strict=True)
        ),
        places={
            site.id: Place(
                site=site.id,
                x=round(float(at[0]), 1),
                y=round(float(at[1]), 1),
                true_x=round(float(was[0]), 1),
                true_y=round(float(was[1]), 1),
            )
            for site, at, was in zip(sites, shown, true, strict=True)
        },
    )


def _radius(count: int) -> float:
    """Return a radius at which the marks cover a seventh of the picture at most."""
    return round(min(26.0, max(10.0, math.sqrt(0.14 * WIDTH * 900 / math.pi / max(1, count)))), 1)


def _apart(true: NDArray[np.float64], radius: float, height: int) -> NDArray[np.float64]:
    """Push marks off each other, the same way every time; marks on one spot fan out by their order."""
    count = len(true)
    if count < 2:  # noqa: PLR2004 - one mark covers none
        return true
    turn = np.arange(count) * 2.399963
    at = true + 0.01 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    least = 2 * radius + 3
    for _ in range(_ROUNDS):
        apart = at[:, None, :] - at[None, :, :]
        distance = np.sqrt((apart**2).sum(axis=2))
        np.fill_diagonal(distance, np.inf)
        push = np.clip(least - distance, 0, None) / 2
        if not push.any():
            break
        at = at + (apart / distance[:, :, None] * push[:, :, None]).sum(axis=1)
        at = np.clip(at, radius + 2, (WIDTH - radius - 2, height - radius - 2))
    return at


def _path(points: NDArray[np.float64], *, closed: bool) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + ("Z" if closed else "")
