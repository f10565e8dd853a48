"""What a row of a truth table says in words: the text of the row that decided."""

from __future__ import annotations

from sensors.errors import BadRecord, UnknownName
from sensors.kinds import load_kind
from sensors.tables import NO_ROW, TruthTable
from streams.combining.details import read_told


def table_text(network: str, factor: str, detail: str) -> tuple[str, str]:
    """Return what a table says of its conditions, in Chinese and in English; its name where no row decides alone.

    Two empty texts where the factor is no table of the kind, or the detail is not of a table.
    """
    table = _table(network, factor)
    if table is None or not detail:
        return "", ""
    try:
        place = read_told(detail).row
    except BadRecord:
        return "", ""
    if place == NO_ROW or place >= len(table.rows) or not table.rows[place].text_zh:
        return table.name_zh, table.name_en
    return table.rows[place].text_zh, table.rows[place].text_en


def _table(network: str, factor: str) -> TruthTable | None:
    try:
        kind = load_kind(network)
    except UnknownName:
        return None
    return next((one for one in kind.tables if one.id == factor), None)
