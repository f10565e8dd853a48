"""Truth tables: conditions that are yes, no or unknown, and what each combination of them means, as data of a kind.

A table is read in full when the file is read: each of the 3ⁿ cells of its n conditions has one outcome.

- A cell without an unknown condition must be met by exactly one row; none, or two, is an error of the file.
- A cell with unknown conditions has the outcome that all its completions share; where they differ it is *unknown*.
- A row that names ``unknown`` itself can only say *unknown*, with a text of its own: a sensor that failed is never a
  suspicion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from fractions import Fraction
from itertools import product
from typing import Final

from sensors.errors import ConfigError
from sensors.factors import Factor, exact
from sensors.facts import Fact, FactType
from sensors.tablefile import ConditionEntry, FromSetting, RowEntry, TableEntry, Threshold
from sensors.yamlfile import Document

Path = tuple[str | int, ...]
NO_ROW: Final = -1
"""Stands for the row of a cell whose outcome several rows share, or that is unknown."""


class Truth(IntEnum):
    """What a condition is; the digits of a cell's number to the base of three."""

    NO = 0
    YES = 1
    UNKNOWN = 2


class TableOutcome(StrEnum):
    """What a cell means."""

    FINE = "fine"
    SUSPICION = "suspicion"
    """Somebody should look; it proves nothing (提示)."""
    FINDING = "finding"
    UNKNOWN = "unknown"
    """Not decided by what is known: raises nothing and clears nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Between which thresholds a value makes a condition true; each is a number in the canonical unit, or a setting."""

    low: Fraction | str | None = None
    """None: no lower end."""
    high: Fraction | str | None = None
    low_inside: bool = True
    high_inside: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition of a table."""

    name: str
    factor: str
    """Empty for an entry of the site's setting."""
    yes: Bounds
    no: Bounds | None
    """Where it is false; None: wherever it is not true. What lies between the two is unknown."""
    setting: str = ""
    one_of: frozenset[str] = frozenset()
    """For an entry of the setting: of which it must be one; what the site does not say is unknown."""
    within: int = 1
    """True when it was in any of so many slots up to and with the newest."""
    throughout: int = 1
    """True when it was in all of so many slots up to and with the newest."""

    @property
    def slots(self) -> int:
        """How many slots it looks at."""
        return max(self.within, self.throughout)

    @property
    def settings(self) -> tuple[str, ...]:
        """The entries of the site's setting that it asks for."""
        ends = [end for bounds in (self.yes, self.no) if bounds is not None for end in (bounds.low, bounds.high)]
        named = [end for end in ends if isinstance(end, str)]
        return tuple(dict.fromkeys([self.setting, *named] if self.setting else named))


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One row of a table."""

    when: Mapping[str, Truth]
    outcome: TableOutcome
    text_zh: str
    text_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthTable:
    """One table of a kind."""

    id: str
    """The factor of its result rows."""
    name_zh: str
    name_en: str
    where: Mapping[str, frozenset[str]]
    """Entries of a site's setting → what they must be one of; other sites are not meant."""
    conditions: tuple[Condition, ...]
    rows: tuple[TableRow, ...]
    source: str
    outcomes: tuple[TableOutcome, ...]
    """Of each cell, by `cell`."""
    deciding: tuple[int, ...]
    """Of each cell the row that says its outcome, or `NO_ROW`."""

    @property
    def factors(self) -> tuple[str, ...]:
        """The factors that its conditions look at, each once."""
        return tuple(dict.fromkeys(one.factor for one in self.conditions if one.factor))

    def cell(self, truths: Sequence[Truth]) -> int:
        """Return the number of the cell in which the conditions are as given, in their order."""
        return sum(int(truth) * 3**place for place, truth in enumerate(truths))

    def truths(self, cell: int) -> tuple[Truth, ...]:
        """Return what the conditions are in a cell."""
        return tuple(Truth(cell // 3**place % 3) for place in range(len(self.conditions)))

    def decide(self, given: Mapping[str, Truth]) -> tuple[TableOutcome, int]:
        """Return the outcome and the deciding row (or `NO_ROW`) of conditions by name; those left out are unknown."""
        cell = self.cell([given.get(one.name, Truth.UNKNOWN) for one in self.conditions])
        return self.outcomes[cell], self.deciding[cell]


def table_of(
    document: Document, entry: TableEntry, path: Path, factors: Mapping[str, Factor], facts: Mapping[str, Fact]
) -> TruthTable:
    """Return the table that an entry of ``tables`` says, with the outcome of each of its cells.

    Parameters
    ----------
    document, path
        Where the entry stands, for errors.
    entry
        As the file writes it.
    factors, facts
        Those of the kind, that conditions may name.

    Raises
    ------
    ConfigError
        When a factor, setting, unit or condition does not exist or fit; when a cell without an unknown condition is
        met by no row or by two; when a row that names unknown says more than unknown, or is met by no cell alone.
    """
    if entry.id in factors:
        raise document.error((*path, "id"), f"{entry.id} is a factor of this kind", "give the table another id")
    for name, values in entry.where.items():
        _check_choice(document, (*path, "where", name), name, values, facts)
    reading = _Reading(document, path, factors, facts)
    conditions = tuple(reading.condition(name, one) for name, one in entry.conditions.items())
    rows = tuple(_row(document, (*path, "rows", place), one, entry) for place, one in enumerate(entry.rows))
    outcomes, deciding = _cells(document, path, [one.name for one in conditions], rows)
    return TruthTable(
        id=entry.id, name_zh=entry.name.zh, name_en=entry.name.en, conditions=conditions, rows=rows,
        where={name: frozenset(values) for name, values in entry.where.items()}, source=entry.source,
        outcomes=outcomes, deciding=deciding,
    )  # fmt: skip


def _row(document: Document, path: Path, entry: RowEntry, table: TableEntry) -> TableRow:
    for name in entry.when:
        if name not in table.conditions:
            mend = f"name one of {', '.join(table.conditions)}"
            raise document.error((*path, "when", name), f"no condition {name!r} in this table", mend)
    if "unknown" in entry.when.values() and entry.outcome != "unknown":
        problem = f"{entry.outcome} where something is unknown"
        raise document.error((*path, "outcome"), problem, "say unknown: what failed to be measured proves nothing")
    if "unknown" not in entry.when.values() and entry.outcome == "unknown":
        mend = "say fine, suspicion or finding, or name in when what is unknown"
        raise document.error((*path, "outcome"), "unknown where everything is known", mend)
    return TableRow(
        when={name: Truth[value.upper()] for name, value in entry.when.items()},
        outcome=TableOutcome(entry.outcome),
        text_zh=entry.text.zh if entry.text else "",
        text_en=entry.text.en if entry.text else "",
    )


def _cells(
    document: Document, path: Path, names: Sequence[str], rows: Sequence[TableRow]
) -> tuple[tuple[TableOutcome, ...], tuple[int, ...]]:
    """Return outcome and deciding row of each cell, in the order of `TruthTable.cell`."""
    known: dict[tuple[Truth, ...], int] = {}
    for truths in product((Truth.NO, Truth.YES), repeat=len(names)):
        met = [place for place, row in enumerate(rows) if _meets(row, names, truths)]
        told = ", ".join(f"{name} {truth.name.lower()}" for name, truth in zip(names, truths, strict=True))
        if not met:
            raise document.error((*path, "rows"), f"no row says what {told} means", "add a row for it")
        if len(met) > 1:
            problem = f"{told} is said by row {met[0] + 1} already"
            raise document.error((*path, "rows", met[1]), problem, "name more conditions, so that one row is left")
        known[truths] = met[0]
    used = set(known.values())
    outcomes, deciding = [], []
    for cell in range(3 ** len(names)):
        truths = tuple(Truth(cell // 3**place % 3) for place in range(len(names)))
        outcome, row = _of_cell(document, path, (names, rows, known), truths)
        used.add(row)
        outcomes.append(outcome)
        deciding.append(row)
    for place in range(len(rows)):
        if place not in used:
            raise document.error((*path, "rows", place), "is met by no cell", "remove it, or name fewer conditions")
    return tuple(outcomes), tuple(deciding)


def _of_cell(
    document: Document,
    path: Path,
    table: tuple[Sequence[str], Sequence[TableRow], Mapping[tuple[Truth, ...], int]],
    truths: tuple[Truth, ...],
) -> tuple[TableOutcome, int]:
    names, rows, known = table
    choices = [(Truth.NO, Truth.YES) if truth is Truth.UNKNOWN else (truth,) for truth in truths]
    met = {known[each] for each in product(*choices)}
    found = {rows[place].outcome for place in met}
    if len(found) == 1:
        return found.pop(), met.pop() if len(met) == 1 else NO_ROW
    told = [
        place for place, row in enumerate(rows) if row.outcome is TableOutcome.UNKNOWN and _meets(row, names, truths)
    ]
    if len(told) > 1:
        what = ", ".join(f"{name} {truth.name.lower()}" for name, truth in zip(names, truths, strict=True))
        problem = f"{what} is said by row {told[0] + 1} already"
        raise document.error((*path, "rows", told[1]), problem, "name more conditions, so that one row is left")
    return TableOutcome.UNKNOWN, told[0] if told else NO_ROW


def _meets(row: TableRow, names: Sequence[str], truths: Sequence[Truth]) -> bool:
    return all(row.when.get(name, truth) is truth for name, truth in zip(names, truths, strict=True))


@dataclass(frozen=True, slots=True)
class _Reading:
    """One table as it is read: where an error points at, and what it may name."""

    document: Document
    path: Path
    factors: Mapping[str, Factor]
    facts: Mapping[str, Fact]

    def condition(self, name: str, entry: ConditionEntry) -> Condition:
        path = (*self.path, "conditions", name)
        if entry.within > 1 and entry.throughout > 1:
            raise self._error((*path, "throughout"), "within and throughout at once", "give one of them")
        given = [key for key in _COMPARISONS if getattr(entry, key) is not None]
        if entry.setting is not None:
            if entry.factor is not None or given or not entry.one_of or max(entry.within, entry.throughout) > 1:
                mend = "give setting with one_of alone, or a factor with one comparison"
                raise self._error(path, "a setting with something else", mend)
            _check_choice(self.document, (*path, "one_of"), entry.setting, entry.one_of, self.facts)
            return Condition(
                name=name, factor="", yes=Bounds(), no=None, setting=entry.setting, one_of=frozenset(entry.one_of)
            )
        if entry.factor is None or entry.one_of:
            raise self._error(path, "no factor", "give a factor with one comparison, or setting with one_of")
        if entry.factor not in self.factors:
            mend = f"name one of {', '.join(self.factors)}"
            raise self._error((*path, "factor"), f"no factor {entry.factor!r} in this kind", mend)
        if len(given) != 1 and given != ["on", "off"]:
            mend = f"give one of {', '.join(_COMPARISONS[:-2])}, or on and off"
            raise self._error(path, f"{' and '.join(given) or 'no comparison'}", mend)
        if given in (["on"], ["off"]):
            raise self._error(path, f"{given[0]} alone", "give on and off, or at_least")
        yes, no = self._bounds(entry, path, given[0])
        return Condition(
            name=name, factor=entry.factor, yes=yes, no=no, within=entry.within, throughout=entry.throughout
        )

    def _bounds(self, entry: ConditionEntry, path: Path, key: str) -> tuple[Bounds, Bounds | None]:
        factor = self.factors[str(entry.factor)]

        def of(value: Threshold, *steps: str | int) -> Fraction | str:
            return self._threshold(value, (*path, *steps), factor)

        match key:
            case "between":
                low, high = entry.between or (0, 0)
                yes = Bounds(low=of(low, key, 0), high=of(high, key, 1))
                self._check_order(yes.low, yes.high, (*path, key))
                return yes, None
            case "on":
                on, off = of(entry.on or 0, "on"), of(entry.off or 0, "off")
                self._check_order(off, on, (*path, "off"))
                return Bounds(low=on), Bounds(high=off, high_inside=off != on)
            case "at_least" | "above":
                return Bounds(low=of(getattr(entry, key), key), low_inside=key == "at_least"), None
            case _:
                return Bounds(high=of(getattr(entry, key), key), high_inside=key == "at_most"), None

    def _check_order(self, low: Fraction | str | None, high: Fraction | str | None, path: Path) -> None:
        if isinstance(low, Fraction) and isinstance(high, Fraction) and low > high:
            raise self._error(
                path, f"{float(low):g} is above {float(high):g}", "give the lower one first; off below on"
            )

    def _threshold(self, value: Threshold, path: Path, factor: Factor) -> Fraction | str:
        if isinstance(value, FromSetting):
            fact = self.facts.get(value.setting)
            numbers = [name for name, one in self.facts.items() if one.type is FactType.NUMBER]
            if fact is None or fact.type is not FactType.NUMBER:
                mend = f"name one of {', '.join(numbers)}" if numbers else "add a number to setting"
                raise self._error((*path, "setting"), f"no number {value.setting!r} in this kind's setting", mend)
            if factor.units.get(fact.unit) != 1:
                mend = f"give the setting in {factor.unit}"
                raise self._error(
                    (*path, "setting"), f"{value.setting} is in {fact.unit}, {factor.symbol} is not", mend
                )
            return value.setting
        number, _, unit = str(value).strip().partition(" ")
        if unit not in factor.units:
            mend = f"write the unit behind the number: one of {', '.join(factor.units)}"
            raise self._error(path, f"{value!r} without a unit of {factor.symbol}", mend)
        return exact(self.document, path, number) * factor.units[unit]

    def _error(self, path: Path, problem: str, mend: str) -> ConfigError:
        return self.document.error(path, problem, mend)


_COMPARISONS: Final = ("at_least", "at_most", "above", "below", "between", "on", "off")


def _check_choice(document: Document, path: Path, name: str, values: Sequence[str], facts: Mapping[str, Fact]) -> None:
    fact = facts.get(name)
    if fact is None or fact.type is not FactType.CHOICE:
        choices = [one for one, each in facts.items() if each.type is FactType.CHOICE]
        mend = f"name one of {', '.join(choices)}" if choices else "add a choice to setting"
        raise document.error(path, f"no choice {name!r} in this kind's setting", mend)
    for value in values:
        if value not in fact.choices:
            raise document.error(path, f"{name} is never {value!r}", f"name some of {', '.join(fact.choices)}")
