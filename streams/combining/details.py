"""The detail of a table's row: which row decided, and what each condition was; written here and read back here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sensors.errors import BadRecord
from sensors.tables import NO_ROW, Truth, TruthTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a detail says."""

    row: int
    """Place of the deciding row in the table; `NO_ROW` where none decides alone."""
    truths: Mapping[str, Truth]
    """Condition → what it was, in the table's order."""


def told(table: TruthTable, cell: int) -> str:
    """Return the detail of a cell, for example ``row=3;production=yes;treatment=no``."""
    row = table.deciding[cell]
    names = [one.name for one in table.conditions]
    parts = [f"{name}={truth.name.lower()}" for name, truth in zip(names, table.truths(cell), strict=True)]
    return ";".join([*([] if row == NO_ROW else [f"row={row + 1}"]), *parts])


def read_told(detail: str) -> Told:
    """Return what a detail says.

    Raises
    ------
    BadRecord
        When it is not of this form.
    """
    parts = dict(part.partition("=")[::2] for part in detail.split(";"))
    try:
        row = int(parts.pop("row", "0")) - 1
        return Told(row=row, truths={name: Truth[value.upper()] for name, value in parts.items()})
    except (KeyError, ValueError) as cause:
        raise BadRecord(f"no detail of a truth table: {detail[:80]!r}") from cause
