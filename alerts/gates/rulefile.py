"""The rule of rain gates as data: ``gates.yaml`` of the configuration, else the one delivered."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Final

import msgspec

from alerts.gates.machine import GateRule
from sensors.clock import MINUTE_MS
from sensors.errors import Problems
from sensors.factors import Factor, Number, Text, exact
from sensors.kinds import Kind, load_kind
from sensors.windows import Confidence
from sensors.yamlfile import Document, read_yaml

NETWORK: Final = "outfall"
"""The kind of readings of which outlets have gates."""
RAIN: Final = "rain"
_MEND: Final = "give retain_minutes, dry_minutes, fresh_minutes, rain, factors, source, confidence"
_Minutes = Annotated[int, msgspec.Meta(ge=1, le=1440)]


class AmountEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A number with its unit, as the file writes it."""

    value: Number
    unit: Text


class PassEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What one factor must keep to, as the file writes it."""

    value: Number
    unit: Text
    source: Text
    confidence: Confidence


class GatesFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A whole file, as it is written."""

    retain_minutes: Annotated[int, msgspec.Meta(ge=15, le=1440)]
    dry_minutes: _Minutes
    fresh_minutes: _Minutes
    rain: AmountEntry
    factors: Annotated[dict[Text, PassEntry], msgspec.Meta(min_length=1)]
    source: Text
    confidence: Confidence


def load_gate_rule(path: Path | None = None, kind: Kind | None = None) -> GateRule:
    """Read the rule of rain gates, by default the delivered one.

    Raises
    ------
    ConfigError
        As `parse_gate_rule`.
    """
    if path is not None:
        return parse_gate_rule(read_yaml(path), kind)
    with as_file(files("alerts").joinpath("data/gates.yaml")) as packaged:
        return parse_gate_rule(read_yaml(packaged), kind)


def parse_gate_rule(document: Document, kind: Kind | None = None) -> GateRule:
    """Return the rule that a document says.

    Parameters
    ----------
    document
        A file of rain gates.
    kind
        The kind of outfalls; by default the delivered one.

    Raises
    ------
    ConfigError
        When a key is unknown, missing or of a wrong type; when fewer than 15 minutes would be retained; when a factor
        or unit is unknown, or a number is none or not above 0.
    """
    file = document.read_as(GatesFile, _MEND)
    factors = (kind or load_kind(NETWORK)).factors
    problems = Problems()
    limits = {}
    for symbol, entry in file.factors.items():
        with problems.kept():
            if symbol not in factors or symbol == RAIN:
                mend = f"name one of {', '.join(one for one in factors if one != RAIN)}"
                raise document.error(("factors", symbol), f"no factor {symbol!r} of outfalls that can pass", mend)
            limits[symbol] = _amount(document, ("factors", symbol), entry, factors[symbol])
    with problems.kept():
        rain = _amount(document, ("rain",), file.rain, factors[RAIN])
    problems.raise_first()
    return GateRule(
        limits=limits, retain_ms=file.retain_minutes * MINUTE_MS, rain_mm=rain, dry_ms=file.dry_minutes * MINUTE_MS,
        fresh_ms=file.fresh_minutes * MINUTE_MS,
    )  # fmt: skip


def _amount(document: Document, path: tuple[str, ...], entry: AmountEntry | PassEntry, factor: Factor) -> Fraction:
    units: Mapping[str, Fraction] = factor.units
    if entry.unit not in units:
        mend = f"write it in one of {', '.join(units)}"
        raise document.error((*path, "unit"), f"{entry.unit!r} is no unit of {factor.symbol}", mend)
    value = exact(document, (*path, "value"), entry.value)
    if value <= 0:
        raise document.error((*path, "value"), f"{entry.value} is not above 0", "give a number above 0")
    return value * units[entry.unit]
