"""One rule as it is read: what it may name, and where an error about it points at."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from alerts.derived import derived_factors
from alerts.modes import ModeKind, Modes
from alerts.rulefile import AIR
from alerts.seasons import Season
from sensors.clock import HOUR_MS
from sensors.errors import ConfigError
from sensors.factors import Factor
from sensors.facts import FactType
from sensors.kinds import Kind as Network
from sensors.registry import Registry
from sensors.windows import Span
from sensors.yamlfile import Document
from streams.discharge.limiting import SUFFIX
from streams.results import Window
from streams.standards import Standards

_AIR_WINDOWS = ("1h", "8h", "24h_running", "24h", "MDA8")


@dataclass(frozen=True, slots=True)
class Reading:
    """One rule of a file."""

    document: Document
    index: int
    network: Network
    standards: Standards | None
    modes: Modes | None
    seasons: Mapping[str, Season]
    registry: Registry | None = None

    def error(self, key: str | tuple[str | int, ...], problem: str, mend: str) -> ConfigError:
        """Return the error that points at a key of the rule."""
        path = (key,) if isinstance(key, str) else key
        return self.document.error(("rules", self.index, *path), problem, mend)

    def factor(self, name: str, key: str | tuple[str | int, ...]) -> Factor:
        """Return a factor of the kind of readings, measured or made by an evaluation."""
        factors = self._factors
        if name not in factors:
            raise self.error(key, f"no factor {name!r}", f"name one of {', '.join(factors)}")
        return factors[name]

    def window(self, name: str) -> str:
        """Return a window that the kind of readings has."""
        return self._window(name, "window", ())

    def windows(self, names: Sequence[str]) -> str:
        """Return the first of the windows of judgements, which all must be there; a day is judged of every kind."""
        for place, name in enumerate(names):
            self._window(name, ("windows", place), (Window.DAY.value,))
        return names[0]

    def _window(self, name: str, key: str | tuple[str | int, ...], judged: Sequence[str]) -> str:
        air = _AIR_WINDOWS if self.network.name == AIR else ()
        known = tuple(dict.fromkeys((*air, *(spec.name for spec in self.network.windows), *judged)))
        if name not in known:
            problem = f"{self.network.name} has no window {name!r} that is judged"
            raise self.error(key, problem, f"name one of {', '.join(known)}")
        return name

    def check_judged(self, names: Sequence[str]) -> None:
        """Refuse what no evaluation of the kind judges: limits of factors, its tables and indices, its outcomes."""
        made = [*derived_factors(self.network), *self.network.evaluations]
        for place, name in enumerate(names):
            limited = name.endswith(SUFFIX) and name.removesuffix(SUFFIX) in self._factors
            if name not in made and not limited:
                mend = f"name a factor with {SUFFIX} behind it, or one of {', '.join(made)}"
                raise self.error(("factors", place), f"{self.network.name} has no judgement {name!r}", mend)

    def amount(self, value: float, unit: str | None, symbol: str, key: str = "") -> Fraction:
        """Return a value of a factor in its canonical unit."""
        factor, path = self._factors[symbol], (key,) if key else ()
        if unit is None or unit not in factor.units:
            mend = f"write it in {factor.unit}"
            raise self.error((*path, "unit"), f"{unit!r} is no unit of {symbol}", mend)
        if not math.isfinite(value):
            raise self.error((*path, "value"), f"{value} is no number", "give a number")
        return Fraction(str(value)) * factor.units[unit]

    def check_setting(self, name: str, key: str = "setting") -> None:
        """Refuse a setting that sites of the kind do not have."""
        if name not in self.network.facts:
            mend = f"name one of {', '.join(self.network.facts)}"
            raise self.error(key, f"sites of {self.network.name} have no setting {name!r}", mend)

    def check_choices(self, name: str, values: Sequence[str]) -> None:
        """Refuse what a setting never says: a rule for it would judge nothing."""
        fact = self.network.facts[name]
        choices = ("true", "false") if fact.type is FactType.FLAG else fact.choices
        for place, value in enumerate(values if choices else ()):
            if value not in choices:
                mend = f"name some of {', '.join(choices)}"
                raise self.error(("where", name, place), f"{name} is never {value!r}", mend)

    def check_places(self, sites: Sequence[str], areas: Sequence[str]) -> None:
        """Refuse sites and areas that the registry does not hold; a quota is of an area too."""
        if self.registry is None:
            return
        known_areas = {area.id for area in self.registry.areas}
        known_sites = {site.id for site in self.registry.of_kind(self.network.name)} | known_areas
        for key, names, known in (("sites", sites, known_sites), ("areas", areas, known_areas)):
            for place, name in enumerate(names):
                if name not in known:
                    problem = f"the registry has no {key.removesuffix('s')} {name!r} of {self.network.name}"
                    raise self.error((key, place), problem, f"name one of the registry's {key}, as it writes them")

    def season(self, name: str) -> Season:
        """Return a season of the file."""
        if name not in self.seasons:
            mend = f"name one of {', '.join(self.seasons)}" if self.seasons else "write it under seasons first"
            raise self.error("season", f"no season {name!r}", mend)
        return self.seasons[name]

    def mode(self, name: str) -> str:
        """Return the name of a mode, or of a kind of modes."""
        kinds = [kind.value for kind in ModeKind]
        if self.modes is not None and name not in kinds and not self.modes.named(name):
            known = ", ".join([*kinds, *sorted(mode.id for mode in self.modes.modes)])
            raise self.error("mode", f"no mode {name!r}", f"name one of {known}")
        return name

    @property
    def slot(self) -> str:
        """Name of the slot's window."""
        return next(
            (spec.name for spec in self.network.windows if spec.span is Span.SLOT),
            f"{self.network.slot_ms // HOUR_MS}h",
        )

    @property
    def _factors(self) -> dict[str, Factor]:
        return {**self.network.factors, **derived_factors(self.network)}
