from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from dashboards.app import create_console, wall_ms
from dashboards.settings import ConsoleSettings
from sensors.errors import ConfigError
from streams.standards import load_standards
from tests.unit.dashboards.building import House, house


def test_making_a_console_reads_nothing(tmp_path: Path) -> None:
    with house(tmp_path) as made:
        made.store.away = made.desk.away = True
        app = made.open_console()
        assert app.state.console.watch.snapshot.looked_ms == 0
        app.state.console.keeper.close()


def test_an_outline_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    with house(tmp_path) as made, pytest.raises(ConfigError, match=r"none\.geojson"):
        create_console(
            made.store,
            made.desk,  # type: ignore[arg-type]
            made.registry,
            load_standards(),
            ConsoleSettings(geojson=tmp_path / "none.geojson"),
        )


def test_between_start_and_end_somebody_looks(home: House) -> None:
    async def live() -> int:
        async with home.app.router.lifespan_context(home.app):
            async for snapshot in home.watch.changes():
                if snapshot.store.ok:
                    break
        return int(home.watch.snapshot.looked_ms)

    assert asyncio.run(live()) == home.wall


def test_an_outline_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "region.geojson"
    path.write_text('{"type":"Polygon","coordinates":[[[120,29],[121,29],[121,31],[120,29]]]}', encoding="utf-8")
    with house(tmp_path, geojson=path) as made:
        made.tick(made.wall + 10**8)
        text = made.client().get("/").text
        assert 'class="land district"' in text
        assert 'class="frame"' not in text


def test_static_files_are_asked_for_by_content_and_nothing_outside_is_given(home: House) -> None:
    client = home.client()
    assert client.get("/static/console.css").status_code == 200
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/none.js", "/static/"):
        assert client.get(path).status_code == 404


def test_the_wall_clock_is_in_milliseconds() -> None:
    assert wall_ms() > 1_700_000_000_000
