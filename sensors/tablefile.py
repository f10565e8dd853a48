"""The form of a truth table in a kind file: what may stand in it, before anything is checked against anything else."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from sensors.factors import Names, Number, Text

MOST_CONDITIONS = 6
"""A table with more is many tables: it has 3⁶ cells already."""
_Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
_Slots = Annotated[int, msgspec.Meta(ge=1, le=72)]


class FromSetting(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A threshold that the site's setting gives."""

    setting: _Name


Threshold = Number | FromSetting
"""A number with its unit behind it, or what the site's setting gives."""


class ConditionEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One condition, as the file writes it: one comparison of a factor, or an entry of the site's setting."""

    factor: Text | None = None
    at_least: Threshold | None = None
    at_most: Threshold | None = None
    above: Threshold | None = None
    below: Threshold | None = None
    between: tuple[Threshold, Threshold] | None = None
    on: Threshold | None = None
    off: Threshold | None = None
    setting: _Name | None = None
    one_of: tuple[Text, ...] = ()
    within: _Slots = 1
    throughout: _Slots = 1


class RowEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One row, as the file writes it; a condition that it does not name may be anything."""

    when: dict[_Name, Literal["yes", "no", "unknown"]] = {}
    outcome: Literal["fine", "suspicion", "finding", "unknown"]
    text: Names | None = None


class TableEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A whole table, as the file writes it."""

    id: _Name
    name: Names
    where: dict[_Name, tuple[Text, ...]] = {}
    conditions: Annotated[dict[_Name, ConditionEntry], msgspec.Meta(min_length=1, max_length=MOST_CONDITIONS)]
    rows: Annotated[tuple[RowEntry, ...], msgspec.Meta(min_length=1)]
    source: Text
