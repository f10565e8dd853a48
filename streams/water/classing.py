"""The classes of slots and days of many sections at once, and what is over their own targets.

References
----------
.. [1] GB 3838-2002, 5.1: the worst item decides. 环办〔2011〕22号: items, rounding, multiples, main pollutants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensors.registry import Site
from streams.judging.hashing import joined
from streams.judging.plan import Block, Output, Slots
from streams.judging.reasons import MISSING_ITEM, NO_ITEM, NOT_IN_PLAN, OK, SILENT, UNSET, States
from streams.water.classes import (
    BODIES,
    Classes,
    ClassTable,
    Ints,
    bits,
    class_table,
    item_classes,
    judge,
    main_items,
    multiples,
    rounded,
)
from streams.water.standards import Body, ClassLimits, Evaluation, Profile, WaterStandards
from streams.water.telling import pack_details, tell_items

CLASS: Final = "class"
"""Factor of a section's class: 1 to 5, 6 = worse than V."""
OVER_TARGET: Final = "over_target"
"""Factor of how many items are over the section's own target: of a 4 h slot it asks to measure again."""
TARGETS: Final = ("I", "II", "III", "IV", "V")
"""How the registry writes a target; the place and one more is the class."""
NOT_ROUNDED: Final = 9
"""Decimals of an item that is not rounded."""


def target_of(site: Site) -> int:
    """Return a site's target class, 0 where none was set."""
    target = site.setting.get("target")
    return TARGETS.index(target) + 1 if target in TARGETS else 0


def body_of(site: Site) -> int:
    """Return the place of a site's kind of water in `BODIES`: a river where the registry does not say."""
    return BODIES.index(Body(site.setting.get("water", Body.RIVER)))


def edition_name(limits: ClassLimits, profile: Profile) -> str:
    """Return how results name the limits and the profile together."""
    return f"{limits.name}-{profile}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    """What one edition asks of a profile's items that the kind has."""

    place: int
    """Of the edition and profile among the evaluation's editions."""
    first_day: int
    last_day: int | None
    rules: Evaluation
    items: tuple[str, ...]
    scales: tuple[int, ...]
    table: ClassTable
    core: NDArray[np.bool_]
    """Items of the platform's profile: one that is missing is said."""

    @property
    def judged(self) -> int:
        """How many of the items enter the class; those that stand apart follow."""
        return len(self.items) - sum(item in self.rules.apart for item in self.items)


class WaterClass:
    """Classes: of a slot as the platform does, of a day by the evaluation method; and what is over the target."""

    name: Final = "water_class"
    before: Final = 0
    day_before: Final = 0

    def __init__(self, standards: WaterStandards, digits: Mapping[str, int], slot_window: str) -> None:
        self._standards, self._digits = standards, digits
        self.editions = (*(edition_name(e, profile) for profile in Profile for e in standards.limits), "")
        live, daily = (self._items(profile) for profile in (Profile.PLATFORM, Profile.EVALUATION))
        self._apart = tuple(item for item in standards.evaluations[-1].apart if item in digits)
        self._rules = {profile: tuple(self._rules_of(profile)) for profile in Profile}
        # What stands apart is said of days and longer: a slot's class of it would decide nothing.
        self.slot_outputs = _class_outputs(slot_window, live, ())
        self.reach = (0,) * len(self.slot_outputs)
        self.day_outputs = _class_outputs("24h", daily, self._apart)

    def slots(self, slots: Slots, begin: int, sites: tuple[Site, ...]) -> list[Block]:
        """Return the class and the items over the target of each slot."""
        part = slots.from_place(begin)
        at = {factor: part.at(factor) for factor in self._digits}
        cells = {
            factor: _Cells(
                value=part.value[:, place],
                present=part.present[:, place],
                reason=part.states()[:, place],
                marks=part.marks[:, place],
                inputs=part.inputs[:, place],
            )
            for factor, place in at.items()
        }
        return self._said(cells, part.day, sites, Profile.PLATFORM)[: len(self.slot_outputs)]

    def day(self, slots: Slots, sites: tuple[Site, ...], means: Mapping[tuple[str, str], Block]) -> list[Block]:
        """Return the same of the day and what stands apart, from its means rounded to the evaluation decimals."""
        cells = {
            factor: _Cells(
                value=means[factor, "24h"].value,
                present=means[factor, "24h"].present,
                reason=means[factor, "24h"].reason,
                marks=means[factor, "24h"].marks,
                inputs=means[factor, "24h"].inputs,
            )
            for factor in self._digits
            if (factor, "24h") in means
        }
        return self._said(cells, slots.day[-1:], sites, Profile.EVALUATION)

    def _items(self, profile: Profile) -> tuple[str, ...]:
        return tuple(item for item in self._standards.evaluations[-1].profiles[profile].items if item in self._digits)

    def _rules_of(self, profile: Profile) -> list[_Rules]:
        items = (*self._items(profile), *self._apart)
        scales = tuple(10 ** self._digits[item] for item in items)
        found = []
        for limits in self._standards.limits:
            rules = self._standards.evaluation_at(limits.start_day)
            live = rules.profiles[Profile.PLATFORM].items
            found.append(
                _Rules(
                    place=self.editions.index(edition_name(limits, profile)),
                    first_day=limits.start_day,
                    last_day=limits.end_day,
                    rules=rules,
                    items=items,
                    scales=scales,
                    table=class_table(limits, items, scales),
                    core=np.array([item in live for item in items]),
                )
            )
        return found

    def _said(
        self, cells: Mapping[str, _Cells], days: NDArray[np.int64], sites: tuple[Site, ...], profile: Profile
    ) -> list[Block]:
        items = (*self._items(profile), *self._apart)
        stacked = _stacked([cells.get(item) for item in items], (len(sites), days.size))
        body = np.array([body_of(site) for site in sites], dtype=np.intp)
        target = np.array([target_of(site) for site in sites], dtype=np.int64)
        found = _Found.empty(stacked.value.shape, len(self.editions) - 1)
        for rules in self._rules[profile]:
            inside = days >= rules.first_day
            if rules.last_day is not None:
                inside &= days <= rules.last_day
            if inside.any():
                found.put(
                    inside,
                    rules.place,
                    _classed(stacked, mask=inside, rules=rules, body=body, target=target, profile=profile),
                )
        newest = self._rules[profile][-1]
        return _blocks(found, stacked, target, newest, of=newest.rules.profiles[profile].of)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cells:
    """Values of one factor, [sites, times]; or of many, [sites, items, times]."""

    value: Ints
    present: NDArray[np.bool_]
    reason: States
    marks: NDArray[np.integer]
    inputs: NDArray[np.uint64]


@dataclass(slots=True, kw_only=True)
class _Found:
    """Classes and multiples that are filled edition by edition."""

    classes: Classes
    over_third: Ints
    """Details of what is over class III, [sites, times]."""
    over_target: Ints
    edition: NDArray[np.int8]

    @classmethod
    def empty(cls, shape: tuple[int, ...], none: int) -> _Found:
        few = (shape[0], shape[-1])
        return cls(
            classes=np.zeros(shape, np.int8),
            over_third=np.zeros(few, np.int64),
            over_target=np.zeros(few, np.int64),
            edition=np.full(few, none, np.int8),
        )

    def put(self, mask: NDArray[np.bool_], place: int, part: tuple[Classes, Ints, Ints]) -> None:
        self.classes[..., mask], self.over_third[:, mask], self.over_target[:, mask] = part
        self.edition[:, mask] = place


def _class_outputs(window: str, items: tuple[str, ...], apart: tuple[str, ...]) -> tuple[Output, ...]:
    tell = tell_items(items)
    return (
        Output(factor=CLASS, window=window, digits=0, tell=tell, primaries=items),
        Output(factor=OVER_TARGET, window=window, digits=0, tell=tell, primaries=items),
        *(Output(factor=f"{CLASS}.{item}", window=window, digits=0) for item in apart),
    )


def _stacked(cells: Sequence[_Cells | None], shape: tuple[int, int]) -> _Cells:
    """Return the cells of the items on an axis of their own; an item that has none was never planned."""
    none = _Cells(
        value=np.zeros(shape, np.int64),
        present=np.zeros(shape, np.bool_),
        reason=np.full(shape, NOT_IN_PLAN, np.uint8),
        marks=np.zeros(shape, np.int32),
        inputs=np.zeros(shape, np.uint64),
    )
    return _Cells(
        **{name: np.stack([getattr(cell or none, name) for cell in cells], axis=1) for name in _Cells.__slots__}
    )


def _classed(
    cells: _Cells,
    *,
    mask: NDArray[np.bool_],
    rules: _Rules,
    body: NDArray[np.intp],
    target: Ints,
    profile: Profile,
) -> tuple[Classes, Ints, Ints]:
    """Return the classes of all items, and what is over class III and over the target, as details."""
    value, present = cells.value[..., mask], cells.present[..., mask]
    if rules.rules.profiles[profile].rounded:
        value = rounded(value, rules.scales, [rules.rules.decimals.get(item, NOT_ROUNDED) for item in rules.items])
    classes = item_classes(value, present, rules.table, body)
    judged = rules.judged
    missing = _missing(classes[:, :judged], cells.reason[:, :judged][..., mask], rules)
    third = np.full(body.shape, rules.rules.multiples_over)
    details = [
        _details(value[:, :judged], classes[:, :judged], missing, rules, body=body, over=over)
        for over in (third, target)
    ]
    return classes, details[0], details[1]


def _missing(classes: Classes, states: States, rules: _Rules) -> NDArray[np.bool_]:
    """Return which items of the live profile should have a class and have none; not those out of plan."""
    missing: NDArray[np.bool_] = (classes == 0) & rules.core[: rules.judged, None] & (states != NOT_IN_PLAN)
    return missing


def _details(
    value: Ints, classes: Classes, missing: NDArray[np.bool_], rules: _Rules, *, body: NDArray[np.intp], over: Ints
) -> Ints:
    items = rules.items[: classes.shape[1]]
    table = rules.table.part(items)
    times = multiples(value, classes, table, body, over=over, digits=rules.rules.multiple_digits)
    order = main_items(classes, times, items, rules.rules, over)[:, : rules.rules.main_count]
    counted = np.array([item not in rules.rules.no_multiples for item in items])
    return pack_details(order, times // 10**rules.rules.multiple_digits, counted, missing)


def _blocks(found: _Found, cells: _Cells, target: Ints, rules: _Rules, *, of: int) -> list[Block]:
    """Return the class, what is over the target, and the items that stand apart."""
    judged = rules.judged
    section = judge(found.classes[:, :judged])
    states = cells.reason[:, :judged]
    some = section.worst > 0
    lacking = _missing(found.classes[:, :judged], states, rules).any(axis=1)
    unplanned = (states == NOT_IN_PLAN).all(axis=1)
    silent = np.isin(states, (SILENT, NOT_IN_PLAN)).all(axis=1)
    none = np.where(unplanned, NOT_IN_PLAN, np.where(silent, SILENT, NO_ITEM))
    reason = np.where(some, np.where(lacking, MISSING_ITEM, OK), none)
    came = (cells.inputs[:, :judged] != 0).any(axis=1)
    inputs = np.where(came, joined(*np.moveaxis(cells.inputs[:, :judged], 1, 0)), np.uint64(0))
    shared = {
        "valid": section.counted,
        "expected": of,
        "marks": np.bitwise_or.reduce(cells.marks[:, :judged], axis=1),
        "inputs": inputs,
        "edition": found.edition,
        "due": came,
    }
    level = np.where(some, section.worst, -1)
    wanted = np.broadcast_to(target[:, None], some.shape)
    over = (found.classes[:, :judged] > target[:, None, None]) & (target > 0)[:, None, None]
    return [
        Block.of(
            value=section.worst, present=some, reason=reason, level=level, primary=section.deciding,
            detail=found.over_third, **shared,
        ),
        Block.of(
            value=over.sum(axis=1), present=some & (wanted > 0), reason=np.where(wanted > 0, reason, UNSET),
            level=level, primary=bits(over), detail=found.over_target, **shared,
        ),
        *(_apart(found, cells, place) for place in range(judged, found.classes.shape[1])),
    ]  # fmt: skip


def _apart(found: _Found, cells: _Cells, place: int) -> Block:
    """Return the class of an item that enters no class of a section; a river has none for nitrogen."""
    classes, present = found.classes[:, place], cells.present[:, place]
    limited = classes > 0
    return Block.of(
        value=classes,
        present=limited,
        valid=limited,
        expected=1,
        reason=np.where(limited, OK, np.where(present, NOT_IN_PLAN, cells.reason[:, place])),
        level=np.where(limited, classes, -1),
        marks=cells.marks[:, place],
        inputs=cells.inputs[:, place],
        edition=found.edition,
        due=limited,
    )
