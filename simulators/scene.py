"""The scene that all media share: one weather, one script, one river graph, one chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np

from sensors.clock import MINUTE_MS
from sensors.registry import Registry, Site
from simulators.chance import Floats, Ints, bell, key_of
from simulators.stories import CHANGING, Plot, Script, StoryKind, strength
from simulators.weather import Weather, weather_at

_HOUR = 60
SOAK_HOURS = 72
"""Rain that fell longer ago is forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Playing:
    """One time of a plot."""

    plot: Plot
    start: int
    """Milliseconds UTC."""
    sites: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What every medium is made from."""

    registry: Registry
    seed: int
    script: Script

    def weather(self, minutes: Ints) -> Weather:
        """Return the weather of minutes since 1970 [T, 1], ascending."""
        return weather_at(minutes, self.seed, self.script)

    def rain(self, hours: Ints) -> Floats:
        """Return the rain of hours since 1970 [T, 1] at their middle [mm/h]."""
        return self.weather(hours * _HOUR + _HOUR // 2).rain

    def soaked(self, minutes: Ints, decay_h: float) -> Floats:
        """Return the rain that still counts at minutes [T, 1]: what fell ``decay_h`` ago counts by a third [mm].

        Taken by hours and kept over each hour, so it is the same in every cut.
        """
        hours = minutes // _HOUR
        if not len(hours):
            return np.zeros(hours.shape)
        first, last = int(hours[0, 0]), int(hours[-1, 0])
        rain = self.rain(np.arange(first - SOAK_HOURS, last + 1, dtype=np.int64)[:, np.newaxis])
        total, size = np.zeros((last - first + 1, 1)), last - first + 1
        for back in range(SOAK_HOURS):
            total += np.exp(-back / decay_h) * rain[SOAK_HOURS - back : SOAK_HOURS - back + size]
        return np.asarray(total[hours[:, 0] - first])

    def playing(self, start_ms: int, end_ms: int, kinds: AbstractSet[StoryKind] | None = None) -> Iterator[Playing]:
        """Yield what plays inside [start_ms, end_ms); a story of sites that the registry lacks does not happen."""
        for plot in self.script.stories:
            if kinds is None or plot.kind in kinds:
                for number, start in plot.starts(start_ms, end_ms):
                    chosen = self.known(plot.sites_of(number))
                    if chosen or not plot.sites:
                        yield Playing(plot=plot, start=start, sites=chosen)

    def known(self, sites: Sequence[str]) -> tuple[str, ...]:
        """Return those of the sites that the registry has."""
        return tuple(site for site in sites if self.registry.entries(site))

    def changed(self, sites: Sequence[Site], minutes: Ints, true: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return the truth [T, E] as stories change it at their sites."""
        found = dict(true)
        if not len(minutes):
            return found
        for one in self.playing(*bounds(minutes), CHANGING):
            here = present(sites, one.sites)
            if here.any():
                course = strength(one.start, one.plot, minutes) * here
                for factor, size in one.plot.factors.items():
                    change = -found[factor] * size if one.plot.kind is StoryKind.DROUGHT else size
                    found[factor] = np.where(
                        course > 0.0, np.maximum(found[factor] + change * course, 0.0), found[factor]
                    )
        return found


def bounds(minutes: Ints) -> tuple[int, int]:
    """Return first and last millisecond (no longer inside) of minutes [T, 1]; nothing for none."""
    return (int(minutes[0, 0]) * MINUTE_MS, (int(minutes[-1, 0]) + 1) * MINUTE_MS) if len(minutes) else (0, 0)


def present(sites: Sequence[Site], chosen: Sequence[str]) -> Floats:
    """Return 1 for each site that is chosen, else 0: [1, E]."""
    return np.array([[float(site.id in chosen) for site in sites]]).reshape(1, len(sites))


def keys_of(sites: Sequence[Site]) -> Ints:
    """Return the chance keys of sites, [1, E]."""
    return np.array([key_of(site.id) for site in sites], dtype=np.int64).reshape(1, len(sites))


def column(values: Sequence[float]) -> Floats:
    """Return one number per site as [1, E]."""
    return np.array(values, dtype=np.float64).reshape(1, len(values))


def noisy(
    true: Mapping[str, Floats], minutes: Ints, sites: Sequence[Site], *, stream: int, seed: int, share: float
) -> dict[str, Floats]:
    """Return what devices make of the truth: ``share`` of noise on each factor, never below zero."""
    keys = keys_of(sites)
    return {
        factor: np.clip(values * (1.0 + share * bell(seed, stream + number, keys, minutes)), 0.0, None)
        for number, (factor, values) in enumerate(true.items())
    }
