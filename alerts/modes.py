"""Modes: a named time and place with tighter thresholds, that ends by itself.

*guarantee* (重大活动保障), *emergency* (应急) and *drill* (演练). ``modes.yaml`` of the configuration says them; where
there is no such file there are none. A mode is asked at the time of the data, never at that of the clock, so that the
same data judged again meet the same thresholds, and those of before return by themselves when it ends. Only
management thresholds and minimums are tightened: a limit of a standard is nobody's to change.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Final

import msgspec

from alerts.rulefile import NameEntry, Text
from sensors.clock import DAY_MS, ms_of
from sensors.errors import Problems
from sensors.factors import Number, exact
from sensors.yamlfile import Document, read_yaml

LONGEST_MS: Final = 366 * DAY_MS
"""What holds longer is a rule."""
_MEND: Final = "give id, kind, name, areas, from, to, share, thresholds, author, why"
_Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")]
_Moment = Annotated[dt.datetime, msgspec.Meta(tz=True)]
_Path = tuple[str | int, ...]


class ModeKind(StrEnum):
    """What a mode is for."""

    GUARANTEE = "guarantee"
    """重大活动保障."""
    EMERGENCY = "emergency"
    """应急."""
    DRILL = "drill"
    """演练: on the same path as an emergency, and marked so to the last message."""


class Side(StrEnum):
    """On which side of its threshold a value raises."""

    ABOVE = "above"
    BELOW = "below"
    """A minimum."""


class ModeThresholdEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One tighter threshold, as the file writes it."""

    value: Number
    unit: Text


class ModeEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One mode, as the file writes it."""

    id: _Id
    kind: ModeKind
    name: NameEntry
    areas: tuple[Text, ...] = ()
    start: _Moment = msgspec.field(name="from")
    end: _Moment = msgspec.field(name="to")
    share: Number = 1
    thresholds: dict[Text, ModeThresholdEntry] = {}
    author: Text
    why: Text


class ModesFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A whole file of modes, as it is written."""

    modes: tuple[ModeEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeThreshold:
    """A threshold that stands in the place of a rule's own."""

    value: Fraction
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """One mode."""

    id: str
    kind: ModeKind
    name_zh: str
    name_en: str
    areas: frozenset[str]
    """Areas in which it holds, with all that lies in them; empty: everywhere."""
    start: int
    """Milliseconds UTC."""
    end: int
    """Milliseconds UTC, no longer inside."""
    share: Fraction
    """Of every threshold that may be tightened, above 0 and at most 1; a minimum is divided by it."""
    thresholds: Mapping[str, ModeThreshold]
    """Rule → threshold in its place."""
    author: str
    why: str

    def holds(self, areas: Collection[str], at_ms: int) -> bool:
        """Return whether it holds at an instant for a site that lies in these areas (all, those above too)."""
        return self.start <= at_ms < self.end and (not self.areas or not self.areas.isdisjoint(areas))

    def threshold(
        self, rule: str, usual: Fraction, units: Mapping[str, Fraction], *, side: Side = Side.ABOVE
    ) -> Fraction:
        """Return the threshold of a rule under this mode, in the canonical unit, never looser than the usual one.

        Parameters
        ----------
        rule
            Id of a rule with a management threshold or a minimum; limits of standards are not to be asked for.
        usual
            Its own threshold or the site's minimum, in the canonical unit.
        units
            Accepted unit → canonical units, of the factor.
        side
            On which side of it a value raises.
        """
        tighter = [usual * self.share if side is Side.ABOVE else usual / self.share]
        own = self.thresholds.get(rule)
        if own is not None:
            tighter.append(own.value * units[own.unit])
        return min(usual, *tighter) if side is Side.ABOVE else max(usual, *tighter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Modes:
    """All modes of a system."""

    modes: tuple[Mode, ...] = ()

    def named(self, name: str) -> tuple[Mode, ...]:
        """Return the modes of an id or of a kind; empty where there is none."""
        return tuple(mode for mode in self.modes if name in {mode.id, mode.kind.value})

    def holding(self, areas: Collection[str], at_ms: int) -> tuple[Mode, ...]:
        """Return the modes that hold for a site that lies in these areas, in the order of the file."""
        return tuple(mode for mode in self.modes if mode.holds(areas, at_ms))

    def holds(self, name: str, areas: Collection[str], at_ms: int) -> bool:
        """Return whether a mode of an id or kind holds for a site that lies in these areas."""
        return any(mode.holds(areas, at_ms) for mode in self.named(name))

    def drill(self, areas: Collection[str], at_ms: int) -> bool:
        """Return whether what is raised there is to be marked 演练: a drill holds, and no emergency."""
        kinds = {mode.kind for mode in self.holding(areas, at_ms)}
        return ModeKind.DRILL in kinds and ModeKind.EMERGENCY not in kinds

    def threshold(
        self,
        rule: str,
        usual: Fraction,
        units: Mapping[str, Fraction],
        areas: Collection[str],
        at_ms: int,
        *,
        side: Side = Side.ABOVE,
    ) -> tuple[Fraction, Mode | None]:
        """Return the tightest threshold in force and the mode that gives it; the usual one and None without a mode.

        As `Mode.threshold`, for a site that lies in these areas and data of this time.
        """
        best: tuple[Fraction, Mode | None] = (usual, None)
        for mode in self.holding(areas, at_ms):
            value = mode.threshold(rule, usual, units, side=side)
            if value < best[0] if side is Side.ABOVE else value > best[0]:
                best = (value, mode)
        return best

    def changes(self, first_ms: int, stop_ms: int) -> tuple[int, ...]:
        """Return when modes begin or end from ``first_ms`` on and before ``stop_ms``, in order."""
        times = {time for mode in self.modes for time in (mode.start, mode.end)}
        return tuple(sorted(time for time in times if first_ms <= time < stop_ms))


NO_MODES: Final = Modes()


def load_modes(path: Path | None, *, areas: Collection[str] | None = None) -> Modes:
    """Read ``modes.yaml``; without a path there are no modes.

    Raises
    ------
    ConfigError
        As `parse_modes`.
    """
    return NO_MODES if path is None else parse_modes(read_yaml(path), areas=areas)


def parse_modes(document: Document, *, areas: Collection[str] | None = None) -> Modes:
    """Return the modes that a document says; `alerts.modechecks` holds them against the rules.

    Parameters
    ----------
    document
        A file of modes.
    areas
        Ids of areas that exist; None leaves them unchecked.

    Raises
    ------
    ConfigError
        When a key is unknown, missing or of a wrong type; when an id stands twice; when a mode ends before it
        begins, or holds for more than a year; when a share is not above 0 and at most 1; when an area is unknown.
    """
    problems = Problems()
    file, places = document.read_parts(ModesFile, {"modes": ModeEntry}, _MEND, problems)
    modes: list[Mode] = []
    for place, entry in zip(places["modes"], file.modes, strict=True):
        with problems.kept():
            mode = _mode(document, entry, ("modes", place))
            if mode.id in {one.id for one in modes}:
                raise document.error(("modes", place, "id"), f"{mode.id} is given twice", "give another id")
            _check_areas(document, entry, ("modes", place), areas)
            modes.append(mode)
    problems.raise_first()
    return Modes(modes=tuple(modes))


def _mode(document: Document, entry: ModeEntry, path: _Path) -> Mode:
    start, end = ms_of(entry.start), ms_of(entry.end)
    if end <= start:
        raise document.error((*path, "to"), f"{entry.end} is not after {entry.start}", "give the time at which it ends")
    if end - start > LONGEST_MS:
        raise document.error((*path, "to"), "holds for more than a year", "end it earlier, or write a rule")
    share = exact(document, (*path, "share"), entry.share)
    if not 0 < share <= 1:
        raise document.error((*path, "share"), f"a share of {entry.share}", "give one above 0, at most 1: 0.8 for 80 %")
    return Mode(
        id=entry.id, kind=entry.kind, name_zh=entry.name.zh, name_en=entry.name.en, areas=frozenset(entry.areas),
        start=start, end=end, share=share, author=entry.author, why=entry.why,
        thresholds={
            rule: ModeThreshold(value=exact(document, (*path, "thresholds", rule, "value"), one.value), unit=one.unit)
            for rule, one in entry.thresholds.items()
        },
    )  # fmt: skip


def _check_areas(document: Document, entry: ModeEntry, path: _Path, areas: Collection[str] | None) -> None:
    for place, area in enumerate(entry.areas if areas is not None else ()):
        if area not in (areas or ()):
            raise document.error((*path, "areas", place), f"no area {area!r}", "name an area of the registry")
