"""The console's own figures for Prometheus, made when they are asked for."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge

from dashboards.watch import Snapshot


def gauges(snapshot: Snapshot, wall_ms: int, speed: float, listeners: int) -> CollectorRegistry:
    """Return the figures of a snapshot; what is not known is left out."""
    held = CollectorRegistry()
    figures: dict[str, tuple[str, float]] = {
        "jianhu_console_store_up": ("Whether the result store answers.", snapshot.store_ok(wall_ms)),
        "jianhu_console_desk_up": ("Whether the alert desk answers.", snapshot.desk.ok),
        "jianhu_console_listeners": ("Pages that listen for changes.", listeners),
        "jianhu_console_open_events": ("Alerts that nobody acknowledged.", snapshot.alerts.counts.get("open", 0)),
    }
    if snapshot.clock is not None:
        seconds = snapshot.silent_ms(wall_ms) / 1000
        figures["jianhu_console_tick_age_seconds"] = ("Wall time since the stream's last tick.", seconds)
    if snapshot.overview is not None:
        figures["jianhu_console_sites_owed"] = ("Sites that owe the shown hour.", snapshot.overview.owed)
        figures["jianhu_console_sites_missing"] = ("Sites that sent nothing.", len(snapshot.overview.missing))
        now = snapshot.now(wall_ms, speed)
        if now is not None:
            age = (now - snapshot.overview.hour) / 1000
            figures["jianhu_console_data_age_seconds"] = ("Data time since the start of the shown hour.", age)
    for name, (told, value) in figures.items():
        Gauge(name, told, registry=held).set(value)
    return held
