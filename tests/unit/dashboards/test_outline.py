from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.outline import WIDTH, draw, load_outline, shapes_of
from sensors.errors import ConfigError
from tests.unit.dashboards.building import site

SQUARE = [[120.0, 30.0], [121.0, 30.0], [121.0, 31.0], [120.0, 31.0], [120.0, 30.0]]


def feature(kind: str, geometry: dict[str, Any], **told: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"kind": kind, **told}, "geometry": geometry}


@pytest.mark.parametrize(
    ("geometry", "count"),
    [
        ({"type": "Polygon", "coordinates": [SQUARE, SQUARE]}, 2),
        ({"type": "MultiPolygon", "coordinates": [[SQUARE], [SQUARE, SQUARE]]}, 3),
        ({"type": "LineString", "coordinates": SQUARE}, 1),
        ({"type": "MultiLineString", "coordinates": [SQUARE, SQUARE]}, 2),
        ({"type": "Point", "coordinates": [120, 30]}, 0),
        ({"type": "Polygon", "coordinates": []}, 0),
        ({"type": "GeometryCollection", "geometries": [{"type": "LineString", "coordinates": SQUARE}]}, 1),
        ({"type": "FeatureCollection", "features": []}, 0),
        ({"type": "Feature", "properties": None, "geometry": None}, 0),
    ],
)
def test_every_ring_and_line_is_a_shape(geometry: dict[str, Any], count: int) -> None:
    assert len(shapes_of(geometry)) == count


def test_a_shape_knows_its_kind_and_name_and_whether_it_closes() -> None:
    (river,) = shapes_of(feature("river", {"type": "LineString", "coordinates": SQUARE}, name_zh="江", name_en="River"))
    assert (river.kind, river.closed, river.name_zh, river.name_en) == ("river", False, "江", "River")
    (other,) = shapes_of(feature("<b>", {"type": "Polygon", "coordinates": [SQUARE]}))
    assert (other.kind, other.closed) == ("line", True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"type": "Topology"}',
        '{"type": "Polygon"}',
        '{"type":"LineString","coordinates":[[200,10],[1,2]]}',
        '{"type":"LineString","coordinates":[["a","b"]]}',
        '{"type":"LineString","coordinates":[[NaN,1],[1,2]]}',
        '{"type":"LineString","coordinates":' + "[" * 5000 + "]" * 5000 + "}",
        "\udcff",
    ],
)
def test_a_file_that_is_no_geojson_is_named_with_what_to_do(tmp_path: Path, text: str) -> None:
    path = tmp_path / "region.geojson"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError) as told:
        load_outline(path)
    assert str(path) in str(told.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.geojson"):
        load_outline(tmp_path / "none.geojson")


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "region.geojson"
    path.write_text(json.dumps({"type": "Polygon", "coordinates": [SQUARE]}), encoding="utf-8")
    assert load_outline(path)[0].points[1] == (121.0, 30.0)


def test_north_is_up_and_a_degree_of_longitude_is_shorter() -> None:
    picture = draw([], [site("A", lon=120, lat=30), site("B", lon=121, lat=31)])
    a, b = picture.places["A"], picture.places["B"]
    assert b.true_y < a.true_y
    assert b.true_x > a.true_x
    assert (b.true_x - a.true_x) / (a.true_y - b.true_y) == pytest.approx(math.cos(math.radians(30.5)), rel=0.01)


def test_one_site_stands_in_the_middle_of_a_plain_picture() -> None:
    picture = draw([], [site("A")])
    assert picture.shapes == ()
    assert (picture.places["A"].x, picture.places["A"].y) == (WIDTH / 2, picture.height / 2)


def test_no_site_and_no_outline_is_an_empty_picture() -> None:
    assert draw([], []).places == {}


def test_marks_on_one_spot_part_and_keep_their_true_place() -> None:
    picture = draw([], [site(name) for name in "ABCDE"])
    places = list(picture.places.values())
    assert len({(place.true_x, place.true_y) for place in places}) == 1
    for one, other in itertools.combinations(places, 2):
        assert math.hypot(one.x - other.x, one.y - other.y) > 1.8 * picture.radius


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(119, 122), st.floats(28, 31)), min_size=1, max_size=60))
def test_every_mark_is_inside_and_drawing_is_repeatable(spots: list[tuple[float, float]]) -> None:
    sites = [site(f"S{place}", lon=lon, lat=lat) for place, (lon, lat) in enumerate(spots)]
    picture = draw([], sites)
    assert picture == draw([], list(reversed(sites)))
    for place in picture.places.values():
        assert 0 <= place.x <= picture.width
        assert 0 <= place.y <= picture.height
