"""``jianhu calc tli``: a table of lakes in, the same table with the trophic level index out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from jianhu.calc.cells import CELL_WORDS, Cell
from jianhu.calc.headers import Column, factor_columns, refuse_taken
from jianhu.calc.items import bad_cells_text
from jianhu.calc.numbers import SCALE, read_exact
from jianhu.calc.water import NA, USABLE, distinct_texts
from jianhu.sheet import open_sheet, write_pieces
from sensors.factors import load_factors
from streams.water.standards import Trophic, load_water_standards
from streams.water.trophic import grades, trophic_index, unit_factor

TLI: Final = "TLI"
ADDED_AFTER: Final = (TLI, "grade", "grade_en", "reason")


@dataclass(slots=True, kw_only=True)
class TrophicReport:
    """What a run made, for the person who started it."""

    pack: str
    rows: int = 0
    grades: Counter[str] = field(default_factory=Counter)
    bad_cells: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        """Return the report as one line for the screen."""
        indexed = sum(count for name, count in self.grades.items() if name != NA)
        spread = ", ".join(f"{count} {name}" for name, count in sorted(self.grades.items()) if name != NA)
        parts = [
            f"{self.rows} rows, {indexed} with a trophic index",
            spread,
            bad_cells_text(self.bad_cells),
            f"standards pack {self.pack}",
        ]
        return "; ".join(part for part in parts if part)


def calc_tli(in_path: Path, out_path: Path) -> TrophicReport:
    """Write a table of lakes again, with each single index, TLI, grade in two languages and reason.

    Parameters
    ----------
    in_path
        CSV with columns for chlorophyll a (mg/m³ unless the header names a unit), TP, TN, CODMn (mg/L) and
        transparency (m), by symbol, Chinese or English name or code; other columns are kept. UTF-8 or GBK.
    out_path
        Replaced only when everything went well.

    Raises
    ------
    ConfigError
        When the file is empty, no table, or lacks a column.
    EdgeError
        When a file cannot be read or written.

    References
    ----------
    .. [1] 湖泊（水库）富营养化评价方法及分级技术规定, see `streams.water.trophic`.
    """
    standards, factors = load_water_standards(), load_factors("water")
    rule = standards.trophic[-1]
    sheet = open_sheet(in_path)
    items = [item.factor for item in rule.items]
    wanted = {item: factors[item] for item in items}
    columns = factor_columns(sheet.names, wanted, str(in_path), needed=items, line=sheet.header_line)
    refuse_taken(sheet.names, [*(f"{TLI}_{item}" for item in items), *ADDED_AFTER], str(in_path), sheet.header_line)
    report = TrophicReport(pack=standards.pack)
    write_pieces(out_path, _indexed(sheet.pieces(), columns, rule, report))
    return report


def _indexed(
    pieces: Iterator[pa.Table], columns: Mapping[str, Column], rule: Trophic, report: TrophicReport
) -> Iterator[dict[str, pa.Array]]:
    units = [unit_factor(item.unit, columns[item.factor].factor.unit) / SCALE for item in rule.items]
    for piece in pieces:
        kept = {name: piece[name].combine_chunks() for name in piece.column_names}
        read = [read_exact(kept[column.name], column.factor, column.scale) for column in columns.values()]
        values, cells = np.stack([values for values, _ in read]), np.stack([cells for _, cells in read])
        index = trophic_index(values, np.isin(cells, USABLE), units, rule)
        named = pa.array([NA, *(grade.name_zh for grade in rule.grades)])
        grade = pa.array(grades(index, rule))
        added = {
            f"{TLI}_{item.factor}": _numbers(index.singles[at], index.usable[at], rule.digits)
            for at, item in enumerate(rule.items)
        }
        added[TLI] = _numbers(index.value, index.present, rule.digits)
        added["grade"] = named.take(grade)
        added["grade_en"] = pa.array([NA, *(grade.name_en for grade in rule.grades)]).take(grade)
        added["reason"] = _reasons(cells, index.usable, [column.word for column in columns.values()])
        report.rows += piece.num_rows
        report.grades.update(added["grade"].to_pylist())
        for column, row in zip(columns.values(), cells, strict=True):
            report.bad_cells += Counter(
                {column.name: int(np.isin(row, (Cell.NO_NUMBER, Cell.SENTINEL, Cell.BOUNDS)).sum())}
            )
        yield kept | added


def _numbers(values: NDArray[np.int64], present: NDArray[np.bool_], digits: int) -> pa.Array:
    texts = [f"{value / 10**digits:.{digits}f}" if there else NA for value, there in zip(values, present, strict=True)]
    return pa.array(texts, pa.utf8())


def _reasons(cells: NDArray[np.uint8], usable: NDArray[np.bool_], words: Sequence[str]) -> pa.Array:
    # A value of 0 has no logarithm.
    zero = np.isin(cells, USABLE) & ~usable
    states = np.where(zero, len(CELL_WORDS), cells)
    told = (*CELL_WORDS, "not above 0")
    return distinct_texts(
        states, lambda row: "; ".join(f"{w}: {told[s]}" for w, s in zip(words, row.tolist(), strict=True) if told[s])
    )
