from __future__ import annotations

import asyncio
from pathlib import Path

from dashboards.watch import Snapshot
from sensors.clock import HOUR_MS, MINUTE_MS
from streams.store.contract import Clock
from tests.unit.dashboards.building import T0, House, hour_of, house, over_limit, row


def test_a_look_sees_the_newest_hour_and_the_alerts(home: House) -> None:
    snapshot = home.watch.look()
    assert snapshot.overview is not None
    assert snapshot.overview.hour == T0 + HOUR_MS
    assert [station.site.id for station in snapshot.overview.missing] == ["B"]
    assert snapshot.store.ok
    assert snapshot.desk.ok
    assert {alert.event.kind for alert in snapshot.alerts.open} >= {"limit"}


def test_versions_count_what_changed_and_nothing_else(home: House) -> None:
    first = home.watch.look()
    home.tick(home.wall + 1000)
    second = home.watch.look()
    assert (second.overview_version, second.alerts_version) == (first.overview_version, first.alerts_version)
    home.say(*hour_of("B", 1))
    third = home.watch.look()
    assert third.overview_version == second.overview_version + 1


def test_late_data_of_an_older_hour_is_seen_after_a_while(home: House) -> None:
    home.look()
    home.say(*hour_of("B", -20, aqi=77))
    for _ in range(24 * 5 + 5):
        snapshot = home.watch.look()
    trend = next(one.trend for one in snapshot.overview.stations if one.site.id == "B")
    assert 77 in trend


def test_an_unchanged_slice_makes_no_new_overview(home: House) -> None:
    assert home.watch.look().overview is home.watch.look().overview


def test_when_the_store_is_away_the_old_picture_stays(home: House) -> None:
    seen = home.watch.look()
    home.store.away = True
    home.wall += MINUTE_MS
    after = home.watch.look()
    assert after.overview == seen.overview
    assert after.clock == seen.clock
    assert not after.store.ok
    assert after.store.read_ms == seen.store.read_ms
    assert after.store.why == "StoreError"
    home.store.away = False
    assert home.watch.look().store.ok


def test_when_the_desk_is_away_the_hour_goes_on(home: House) -> None:
    home.look()
    home.desk.away = True
    home.say(*hour_of("B", 1))
    after = home.watch.look()
    assert not after.desk.ok
    assert after.alerts.open
    assert after.overview is not None
    assert after.overview.missing == ()


def test_an_empty_store_shows_nothing_yet(tmp_path: Path) -> None:
    with house(tmp_path) as made:
        snapshot = made.watch.look()
        assert (snapshot.overview, snapshot.clock, snapshot.store.ok) == (None, None, True)


def test_a_clock_without_rows_shows_the_hour_that_is_owed(tmp_path: Path) -> None:
    with house(tmp_path) as made:
        made.tick()
        snapshot = made.watch.look()
        assert snapshot.overview is None or snapshot.overview.missing == snapshot.overview.stations
        made.tick(T0 + 3 * HOUR_MS)
        overview = made.watch.look().overview
        assert overview is not None
        assert len(overview.missing) == overview.owed == 2


def test_a_site_that_is_closed_owes_nothing(tmp_path: Path) -> None:
    from tests.unit.dashboards.building import site  # noqa: PLC0415

    with house(tmp_path, site("A"), site("B", end=T0)) as made:
        made.say(*hour_of("A", 1))
        overview = made.watch.look().overview
        assert overview is not None
        assert overview.owed == 1


def test_now_runs_on_with_the_wall_at_the_clocks_speed() -> None:
    snapshot = Snapshot(clock=Clock(kind="air", at_ms=T0, wall_ms=5_000, partition=0))
    assert snapshot.now(7_000, 1.0) == T0 + 2_000
    assert snapshot.now(7_000, 60.0) == T0 + 120_000
    assert snapshot.now(4_000, 1.0) == T0
    assert snapshot.silent_ms(7_000) == 2_000
    assert Snapshot().now(7_000, 1.0) is None
    assert Snapshot().silent_ms(7_000) == 0


def test_a_look_that_hangs_counts_as_a_store_that_is_away(home: House) -> None:
    snapshot = home.watch.look()
    assert snapshot.store_ok(home.wall + 14_000)
    assert not snapshot.store_ok(home.wall + 16_000)


def test_a_listener_hears_the_state_at_once_and_then_each_change(home: House) -> None:
    async def listen() -> list[Snapshot]:
        home.look()
        stream = home.watch.changes()
        heard = [await anext(stream)]
        assert home.watch.listeners == 1
        waiting = asyncio.create_task(anext(stream))
        await asyncio.sleep(0)
        home.say(row("O3", 90, 1, site="B"))
        await home.watch.look_soon()
        heard.append(await waiting)
        await stream.aclose()
        return heard

    first, second = asyncio.run(listen())
    assert second.overview_version > first.overview_version
    assert home.watch.listeners == 0


def test_stopping_ends_every_listener(home: House) -> None:
    async def listen() -> list[Snapshot]:
        home.look()
        heard = []
        async for snapshot in home.watch.changes():
            heard.append(snapshot)
            await home.watch.stop()
        return heard

    assert len(asyncio.run(listen())) == 1


def test_an_event_that_is_acknowledged_changes_the_alerts(home: House) -> None:
    before = home.watch.look()
    home.desk.inner.acknowledge(before.alerts.open[0].id, "张三", home.wall)
    after = home.watch.look()
    assert after.alerts_version == before.alerts_version + 1
    assert after.alerts.counts["open"] == before.alerts.counts["open"] - 1


def test_a_second_site_over_the_limit_is_a_second_alert(home: House) -> None:
    before = home.watch.look().alerts.counts["open"]
    home.say(*over_limit("B", 1))
    assert home.watch.look().alerts.counts["open"] > before
