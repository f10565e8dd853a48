"""Working state and power of firms: treatment follows production, and what flows follows treatment."""

from __future__ import annotations

import numpy as np

from sensors.registry import Site
from simulators.chance import Floats, Ints, Stream, bell, ease, smooth
from simulators.scene import Scene, column, keys_of
from simulators.weather import BEIJING_MINUTES

_HOUR = 60
_DAY_HOURS = 24
ROUND_THE_CLOCK = 3
"""Every so-manieth firm works in three shifts; the others from 06:00 to 22:00."""
IDLE = 0.02
"""Share of its power that a plant draws while it stands: light and pumps."""


def readings(scene: Scene, sites: tuple[Site, ...], minutes: Ints, period: int) -> dict[str, Floats]:
    """Return power [kW], flows [m³/h], bypass [%] and signal of treatment units, [T, E].

    The thresholds of each site's setting lie far from what it draws, so that nothing is said without a story.
    """
    middle, keys = minutes + period // 2, keys_of(sites)
    clock = (middle + BEIJING_MINUTES) / _HOUR % _DAY_HOURS
    shift = ease((clock - 5.75) / 0.25) * ease((22.25 - clock) / 0.25)
    runs = np.where(keys % ROUND_THE_CLOCK == 0, 1.0, shift)
    wander = 1.0 + 0.05 * smooth(scene.seed, Stream.OPERATION, keys, middle, 120)
    noise = 1.0 + 0.01 * bell(scene.seed, Stream.OPERATION + 1, keys, minutes)
    load = (IDLE + (1.0 - IDLE) * runs) * wander * noise
    sizes = {name: 4.0 * _setting(sites, f"{name}_on") for name in ("production", "treatment", "flow")}
    flow = sizes["flow"] * runs * wander
    found = {
        "production_power": sizes["production"] * load,
        "treatment_power": sizes["treatment"] * load,
        "flow": flow,
        "discharge": 0.98 * flow,
        "vent": np.zeros_like(flow),
        "treatment_run": np.rint(runs),
    }
    return scene.changed(sites, minutes, found)


def _setting(sites: tuple[Site, ...], name: str) -> Floats:
    return column([float(site.setting[name]) for site in sites])
