"""VOCs and odour of the simulated firms: workshops and warehouses inside, open air and boundary outside.

Curves of the right size and company, no dispersion model. All numbers here are made up; without a
story they stay below the limits of GB 37822, GB 16297 and GB 14554.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sensors.registry import Site
from simulators.chance import Floats, Ints, Stream, bell, key_of, smooth
from simulators.scene import Scene, column, keys_of, noisy
from simulators.weather import Weather

ORGANICS = ("NMHC", "TVOC", "benzene", "toluene", "xylene", "styrene")
ODOURS = ("H2S", "NH3", "CH3SH")
SHARES: Mapping[str, float] = {
    "NMHC": 1.0, "TVOC": 1.25, "benzene": 0.01, "toluene": 0.08, "xylene": 0.05, "styrene": 0.02,
    "H2S": 0.006, "NH3": 0.12, "CH3SH": 0.0004,
}  # fmt: skip
"""Of the non-methane hydrocarbons, mass by mass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """How a place of a firm differs."""

    level: float
    """Non-methane hydrocarbons on a fair working day. [mg/m³]"""
    open_air: float
    """How far wind and mixing height act: 0 inside, 1 at the boundary."""
    beside: float
    """How far it matters on which side of the firm the point lies."""


LAYERS: Mapping[str, Layer] = {
    "workshop": Layer(level=8.0, open_air=0.1, beside=0.0),
    "warehouse": Layer(level=3.0, open_air=0.15, beside=0.0),
    "plant_open": Layer(level=0.9, open_air=1.0, beside=0.0),
    "boundary": Layer(level=0.35, open_air=1.0, beside=0.7),
}


def readings(scene: Scene, sites: tuple[Site, ...], minutes: Ints, period: int) -> dict[str, Floats]:
    """Return what the points show [T, E], in mg/m³, m/s and degrees."""
    middle = minutes + period // 2
    weather = scene.weather(middle)
    organic = _organic(scene, sites, middle, weather)
    true = {factor: organic * share * _taste(sites, factor) for factor, share in SHARES.items()}
    shown = noisy(scene.changed(sites, minutes, true), minutes, sites, stream=Stream.VOC, seed=scene.seed, share=0.03)
    return shown | _mast(scene, sites, middle, weather)


def firm_of(site: Site) -> str:
    """Return the firm that a point belongs to: the first of its areas, because an area's parents follow it."""
    return next((area for area in site.areas if area.startswith("SYN-F")), site.id)


def _organic(scene: Scene, sites: tuple[Site, ...], minutes: Ints, weather: Weather) -> Floats:
    layers = [LAYERS[site.setting["layer"]] for site in sites]
    level, outside = column([one.level for one in layers]), column([one.open_air for one in layers])
    firms = np.array([[key_of(firm_of(site)) for site in sites]], dtype=np.int64).reshape(1, len(sites))
    unique, place = np.unique(firms[0], return_inverse=True)
    curves = smooth(scene.seed, Stream.VOC_FIRM, unique[np.newaxis, :], minutes, 150)
    batches = np.exp(0.25 * curves)[:, place] * (0.7 + 0.6 * (firms % 97) / 96.0)
    shift = 0.7 + 0.3 * np.clip(1.6 * np.cos(2.0 * np.pi * (weather.hour - 14.0) / 24.0), -1.0, 1.0)
    deep = (600.0 / weather.mixing_height) ** 0.35
    thin = np.clip(deep * (2.6 / (weather.wind_speed + 0.4)) ** 0.5, 0.5, 2.4)
    local = np.exp(0.1 * smooth(scene.seed, Stream.VOC_POINT, keys_of(sites), minutes, 45))
    weight = column([one.beside for one in layers])
    towards = np.cos(np.deg2rad(weather.wind_from + 180.0) - column(_bearings(scene, sites)))
    return np.asarray(level * batches * shift * thin**outside * local * (1.0 + weight * towards))


def _bearings(scene: Scene, sites: tuple[Site, ...]) -> list[float]:
    """Return where each point lies from the middle of its firm's points, clockwise from north [rad]."""
    own: dict[str, list[Site]] = {}
    for site in scene.registry.of_kind("voc"):
        own.setdefault(firm_of(site), []).append(site)
    middles = {
        firm: (float(np.mean([one.lon for one in group])), float(np.mean([one.lat for one in group])))
        for firm, group in own.items()
    }
    return [
        float(np.arctan2(site.lon - middles[firm_of(site)][0], site.lat - middles[firm_of(site)][1])) for site in sites
    ]


def _taste(sites: tuple[Site, ...], factor: str) -> Floats:
    """Return how much of a factor each firm has, against the usual of 1."""
    if factor in ORGANICS[:2]:
        return column([1.0 for _ in sites])
    return column([0.6 + 0.8 * (key_of(f"{firm_of(site)} {factor}") % 89) / 88.0 for site in sites])


def _mast(scene: Scene, sites: tuple[Site, ...], minutes: Ints, weather: Weather) -> dict[str, Floats]:
    keys = keys_of(sites)
    speed = weather.wind_speed * (1.0 + 0.08 * bell(scene.seed, Stream.MAST, keys, minutes))
    turned = weather.wind_from + 6.0 * bell(scene.seed, Stream.MAST + 1, keys, minutes)
    return {"wind_speed": np.clip(speed, 0.0, None), "wind_dir": np.asarray(turned % 360.0)}
