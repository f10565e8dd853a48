"""``jianhu calc class``: a table of water readings in, the same table with its classes out.

The columns are those of the national water platform (省份, 流域, 断面名称, 监测时间, 水质类别, 水温, pH, 溶解氧, …) or
English names; what is no item is kept as it is. Rows are worked on piece by piece.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from jianhu.calc.cells import CELL_WORDS, Cell
from jianhu.calc.headers import Column, factor_columns, refuse_taken
from jianhu.calc.items import bad_cells_text
from jianhu.calc.numbers import SCALE, read_exact
from jianhu.sheet import open_sheet, write_pieces
from sensors.factors import load_factors
from streams.water.classes import (
    BODIES,
    Classes,
    ClassTable,
    Ints,
    class_table,
    item_classes,
    judge,
    main_items,
    multiples,
    rounded,
)
from streams.water.standards import Body, Evaluation, Profile, load_water_standards
from streams.water.telling import times_text

NA: Final = "NA"
"""What stands for a class that is not given."""
ADDED: Final = ("class", "items", "deciding", "multiples", "reason")
USABLE: Final = (Cell.VALUE, Cell.BELOW)
_SHARE_BITS: Final = 48
"""A multiple in hundredths stays far below this."""


@dataclass(slots=True, kw_only=True)
class ClassReport:
    """What a run made, for the person who started it."""

    profile: Profile
    body: Body
    items: int
    of: int
    pack: str
    rows: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    bad_cells: Counter[str] = field(default_factory=Counter)
    """Column → cells with text that is neither a usable number nor empty."""

    def __str__(self) -> str:
        """Return the report as one line for the screen."""
        classed = sum(count for name, count in self.classes.items() if name != NA)
        spread = ", ".join(f"{count} {name}" for name, count in sorted(self.classes.items()) if name != NA)
        kind = "live class" if self.profile is Profile.PLATFORM else "class of period means"
        parts = [
            f"{self.rows} rows, {classed} with a class",
            spread,
            f"{kind}, {self.items} of {self.of} items, {self.body} limits",
            bad_cells_text(self.bad_cells),
            f"standards pack {self.pack}",
        ]
        return "; ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    columns: Mapping[str, Column]
    rules: Evaluation
    profile: Profile
    body: int
    table: ClassTable

    @property
    def items(self) -> tuple[str, ...]:
        return self.table.items


def calc_class(in_path: Path, out_path: Path, *, body: Body, profile: Profile) -> ClassReport:
    """Write a table of water readings again, with class, items counted, deciding items, multiples and reason.

    Parameters
    ----------
    in_path
        CSV with columns for pH, DO, CODMn, NH3-N and TP by symbol, Chinese or English name or code; units in
        brackets, else canonical (mg/L). Other items of GB 3838 count in `Profile.EVALUATION`. UTF-8 or GBK.
    out_path
        Replaced only when everything went well.
    body
        Whose limits hold for all rows.
    profile
        `Profile.PLATFORM`: unrounded values, five items. `Profile.EVALUATION`: each row holds a period's
        means, which are rounded to the evaluation decimals; all items that the table has.

    Raises
    ------
    ConfigError
        When the file is empty, no table, or lacks a column.
    EdgeError
        When a file cannot be read or written.
    """
    standards, factors = load_water_standards(), load_factors("water")
    rules, limits = standards.evaluations[-1], standards.limits[-1]
    sheet = open_sheet(in_path)
    wanted = {item: factors[item] for item in rules.profiles[profile].items}
    needed = rules.profiles[Profile.PLATFORM].items
    columns = factor_columns(sheet.names, wanted, str(in_path), needed=needed, line=sheet.header_line)
    refuse_taken(sheet.names, ADDED, str(in_path), sheet.header_line)
    job = _Job(
        columns=columns,
        rules=rules,
        profile=profile,
        body=BODIES.index(body),
        table=class_table(limits, tuple(columns), [SCALE] * len(columns)),
    )
    of = rules.profiles[profile].of
    report = ClassReport(profile=profile, body=body, items=len(columns), of=of, pack=standards.pack)
    write_pieces(out_path, _judged(sheet.pieces(), job, report))
    return report


def _judged(pieces: Iterator[pa.Table], job: _Job, report: ClassReport) -> Iterator[dict[str, pa.Array]]:
    for piece in pieces:
        kept = {name: piece[name].combine_chunks() for name in piece.column_names}
        read = [read_exact(kept[column.name], column.factor, column.scale) for column in job.columns.values()]
        values, cells = np.stack([values for values, _ in read]), np.stack([cells for _, cells in read])
        added = _texts(values, cells, job)
        report.rows += piece.num_rows
        for count in pc.value_counts(added["class"]).to_pylist():
            report.classes[count["values"]] += count["counts"]
        for column, row in zip(job.columns.values(), cells, strict=True):
            bad = int(np.isin(row, (Cell.NO_NUMBER, Cell.SENTINEL, Cell.BOUNDS)).sum())
            if bad:
                report.bad_cells[column.name] += bad
        yield kept | added


def classes_of(values: Ints, cells: NDArray[np.uint8], job: _Job) -> tuple[Ints, Classes]:
    """Return the values as they are judged, and the class of each item ``[I, N]``."""
    if job.rules.profiles[job.profile].rounded:
        values = rounded(values, [SCALE] * len(job.items), [job.rules.decimals[item] for item in job.items])
    return values, item_classes(values, np.isin(cells, USABLE), job.table, job.body)


def _texts(values: Ints, cells: NDArray[np.uint8], job: _Job) -> dict[str, pa.Array]:
    """Return the added columns in their order."""
    values, classes = classes_of(values, cells, job)
    section = judge(classes)
    words = [column.word for column in job.columns.values()]
    named = pa.array([NA, *job.rules.class_texts])
    of = job.rules.profiles[job.profile].of
    counts = pa.array([f"{count}/{of}" for count in range(of + 1)])
    return {
        "class": named.take(pa.array(section.worst)),
        "items": counts.take(pa.array(section.counted)),
        "deciding": distinct_texts(section.deciding[None], lambda bits: _names(int(bits[0]), words)),
        "multiples": _multiples(values, classes, words, job),
        "reason": distinct_texts(cells, lambda states: _reason(states, words)),
    }


def _multiples(values: Ints, classes: Classes, words: Sequence[str], job: _Job) -> pa.Array:
    """Return per row what is over class III and by how much: ``总磷 0.40; 溶解氧``."""
    rules = job.rules
    over = rules.multiples_over
    rows = np.flatnonzero((classes > over).any(axis=0))
    if not rows.size:
        return pa.array([""] * classes.shape[1], pa.utf8())
    few = classes[:, rows]
    times = multiples(values[:, rows], few, job.table, job.body, over=over, digits=rules.multiple_digits)
    order = main_items(few, times, job.items, rules, over)
    shown = times // 10**rules.multiple_digits
    told = [item not in rules.no_multiples for item in job.items]
    parts = []
    for places in order[(order >= 0).any(axis=1)]:
        share = np.take_along_axis(shown, np.maximum(places, 0)[None], 0)[0]
        # -1 for nobody; else the item above, its multiple below.
        keys, at = np.unique(np.where(places >= 0, (places << _SHARE_BITS) | share, -1), return_inverse=True)
        parts.append(pa.array([_over(int(key), words, told) for key in keys], pa.utf8()).take(pa.array(at)))
    joined = pc.binary_join_element_wise(*parts, "; ", null_handling="skip")
    place = np.full(classes.shape[1], rows.size, np.int64)
    place[rows] = np.arange(rows.size)
    return pa.concat_arrays([joined, pa.array([""], joined.type)]).take(pa.array(place))


def _over(key: int, words: Sequence[str], told: Sequence[bool]) -> str | None:
    """Return an item with its multiple; None for nobody."""
    if key < 0:
        return None
    item, share = key >> _SHARE_BITS, key & ((1 << _SHARE_BITS) - 1)
    return f"{words[item]} {times_text(share)}" if told[item] else words[item]


def _names(bits: int, words: Sequence[str]) -> str:
    return ";".join(word for place, word in enumerate(words) if bits >> place & 1)


def _reason(states: NDArray[np.uint8], words: Sequence[str]) -> str:
    return "; ".join(
        f"{word}: {CELL_WORDS[state]}" for word, state in zip(words, states.tolist(), strict=True) if CELL_WORDS[state]
    )


def distinct_texts(rows: NDArray[Any], tell: Callable[[NDArray[Any]], str]) -> pa.Array:
    """Return a text per column of ``rows``, told once for each that is different."""
    base = int(rows.max(initial=0)) + 1
    if base ** len(rows) < 1 << 62:
        weights = np.array([base**k for k in range(len(rows))], np.int64)
        keys = weights @ rows.astype(np.int64)
        _, first, place = np.unique(keys, return_index=True, return_inverse=True)
        different = rows[:, first]
    else:
        different, place = np.unique(rows, axis=1, return_inverse=True)
    texts = [tell(different[:, at]) for at in range(different.shape[1])]
    return pa.array(texts, pa.utf8()).take(pa.array(place.ravel()))
