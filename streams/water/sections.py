"""The classes of sections over a period, from the means of their items.

References
----------
.. [1] Rulings, "Water", profile ``evaluation``: the class of the period's mean concentrations, rounded once at
   the end, never a vote or a mean of classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sensors.clock import BEIJING_OFFSET_MS, DAY_MS
from sensors.factors import Factor
from sensors.registry import Site
from streams.judging.forms import formed
from streams.judging.means import divide_half_even
from streams.judging.reasons import MISSING_ITEM, NO_ITEM, NOT_IN_PLAN, OK
from streams.periods.plan import Period, PeriodMeans, Series
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
from streams.water.classing import body_of, target_of
from streams.water.standards import Body, ClassLimits, Evaluation, Profile, WaterStandards
from streams.water.telling import times_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What holds for a period: the editions of its last day."""

    limits: ClassLimits
    rules: Evaluation

    @property
    def edition(self) -> str:
        """How results name limits and profile together."""
        return f"{self.limits.name}-{Profile.EVALUATION}"


def rules_of(standards: WaterStandards, day: int) -> Rules | None:
    """Return the editions in force on a day; None before the first."""
    if day < standards.limits[0].start_day or day < standards.evaluations[0].start_day:
        return None
    return Rules(limits=standards.limits_at(day), rules=standards.evaluation_at(day))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sections:
    """Classes of sections: arrays [M] of members, [M, I] of their items."""

    members: tuple[str, ...]
    items: tuple[str, ...]
    """Items of the profile that the kind has."""
    values: Ints
    """Rounded to the evaluation decimals."""
    classes: Classes
    planned: NDArray[np.bool_]
    """Whether the member measures the item by plan."""
    needed: NDArray[np.bool_]
    """[M, items of `Evaluation.period_least`]: without them the member has no class."""
    worst: Classes
    """Of what there is, be it enough for a class or not."""
    counted: NDArray[np.int16]
    body: NDArray[np.intp]
    target: Ints
    table: ClassTable
    rules: Rules

    def class_of(self, place: int) -> int | None:
        """Return the class of a member; None where it has none, or too few items for one."""
        return None if self.lacking(place) else int(self.worst[place]) or None

    def fails(self, place: int, limit: int) -> bool:
        """Return whether an item of a member is over a class, however few were measured: more could not mend it."""
        return bool(self.worst[place] > limit)

    def lacking(self, place: int) -> list[str]:
        """Return the items for want of which a member has no class."""
        there = {item for item, found in zip(self.items, self.classes[place], strict=True) if found}
        least = self.rules.rules.period_least
        return [item for item, needs in zip(least, self.needed[place], strict=True) if needs and item not in there]

    def deciding(self, place: int) -> str:
        """Return the deciding items of a member; none at class I, or without a class."""
        worst = self.class_of(place) or 0
        return ";".join(
            item for item, found in zip(self.items, self.classes[place], strict=True) if found == worst and worst > 1
        )

    def over(self, place: int, limit: int) -> list[str]:
        """Return the items of a member over a class, main pollutants first; each with its multiple where it has one."""
        one = slice(place, place + 1)
        values, classes = self.values[one, :, None], self.classes[one, :, None]
        rules = self.rules.rules
        over = np.array([limit])
        times = multiples(values, classes, self.table, self.body[one], over=over, digits=rules.multiple_digits)
        order = main_items(classes, times, self.items, rules, over)[0, :, 0]
        return [self._named(at, int(times[0, at, 0])) for at in order.tolist() if at >= 0]

    def _named(self, item: int, times: int) -> str:
        name, rules = self.items[item], self.rules.rules
        return name if name in rules.no_multiples else f"{name} {times_text(times // 10**rules.multiple_digits)}"

    def missing(self, place: int) -> list[str]:
        """Return the items of the live profile that a member should have a class in and has none."""
        live = self.rules.rules.profiles[Profile.PLATFORM].items
        lacks = (self.classes[place] == 0) & self.planned[place]
        without = {item for item, missing in zip(self.items, lacks, strict=True) if missing and item in live}
        without = (without - set(self.rules.rules.period_least)) | set(self.lacking(place))
        return [item for item in dict.fromkeys((*live, *self.items)) if item in without]

    def reason(self, place: int) -> int:
        """Return the reason code beside, or in place of, a member's class."""
        if not self.worst[place]:
            return NO_ITEM
        return MISSING_ITEM if self.missing(place) else OK

    def detail(self, place: int, limit: int) -> str:
        """Return what is over a class and what is missing as text."""
        missing = self.missing(place)
        return "; ".join([*self.over(place, limit), *([f"missing: {', '.join(missing)}"] if missing else [])])


@cache
def _table(limits: ClassLimits, items: tuple[str, ...], digits: tuple[int, ...]) -> ClassTable:
    return class_table(limits, items, [10**places for places in digits])


def sections(means: PeriodMeans, sites: Sequence[Site], rules: Rules, items: Sequence[str] | None = None) -> Sections:
    """Return the classes of the members of a period's means.

    Parameters
    ----------
    means
        Of a period.
    sites
        Their registry entries: kind of water and target.
    rules
        Limits and method.
    items
        What is judged; by default the items of the evaluation method that the kind has.
    """
    body = np.array([body_of(site) for site in sites], dtype=np.intp)
    target = np.array([target_of(site) for site in sites], dtype=np.int64)
    wanted = rules.rules.profiles[Profile.EVALUATION].items if items is None else items
    held = tuple(item for item in wanted if item in means.factors)
    needed = least_items(means.period, sites, means.factors, rules) if items is None else None
    return classed(means, body, target, rules, held, needed)


def least_items(period: Period, sites: Sequence[Site], factors: Sequence[str], rules: Rules) -> NDArray[np.bool_]:
    """Return which of the least items each site measures by plan on some day that is over, [sites, least items]."""
    begin = period.first_day * DAY_MS - BEIJING_OFFSET_MS
    end = (max(period.through_day, period.first_day) + 1) * DAY_MS - BEIJING_OFFSET_MS
    absent = [
        {entry.factor for entry in site.not_in_plan if entry.start <= begin and (entry.end is None or entry.end >= end)}
        for site in sites
    ]
    least = rules.rules.period_least
    needed = [[item in factors and item not in without for item in least] for without in absent]
    return np.array(needed, np.bool_).reshape(len(sites), len(least))


def classed(  # noqa: PLR0917  what a table of sections is made of
    means: PeriodMeans,
    body: ArrayLike,
    target: ArrayLike,
    rules: Rules,
    items: tuple[str, ...],
    needed: NDArray[np.bool_] | None = None,
) -> Sections:
    """Return the classes of members whose kind of water and target are given; without ``needed`` one item is enough."""
    members, least = len(means.members), rules.rules.period_least
    needed = np.zeros((members, len(least)), np.bool_) if needed is None else needed.copy()
    for place, item in enumerate(least):
        if item in means.factors:
            needed[:, place] &= means.reason[:, means.at(item)] != NOT_IN_PLAN
    at = [means.at(item) for item in items]
    digits = tuple(means.digits[place] for place in at)
    table = _table(rules.limits, items, digits)
    decimals = [rules.rules.decimals.get(item, places) for item, places in zip(items, digits, strict=True)]
    values = rounded(means.value[:, at, None], [10**places for places in digits], decimals)
    classes = item_classes(values, means.present[:, at, None], table, body)
    found = judge(classes)
    return Sections(
        members=means.members,
        items=items,
        values=values[..., 0],
        classes=classes[..., 0],
        planned=means.reason[:, at] != NOT_IN_PLAN,
        needed=needed,
        worst=found.worst[..., 0],
        counted=found.counted[..., 0],
        body=np.broadcast_to(np.asarray(body, dtype=np.intp), members),
        target=np.broadcast_to(np.asarray(target, dtype=np.int64), members),
        table=table,
        rules=rules,
    )


def together(means: PeriodMeans, name: str, keep: NDArray[np.bool_], ph: Factor | None) -> PeriodMeans:
    """Return the arithmetic mean of each item over some sections as one member; of ``ph`` by hydrogen ions.

    References
    ----------
    .. [1] 环办〔2011〕22号: with fewer than five sections the means of the items are rated.
    """
    count = (means.present & keep[:, None]).sum(axis=0)
    there = count > 0
    total = np.where(means.present & keep[:, None], means.value, 0).sum(axis=0)
    value = np.where(there, divide_half_even(total, np.maximum(count, 1)), 0)
    if ph is not None and ph.symbol in means.factors:
        place = means.at(ph.symbol)
        ok = means.present[:, place] & keep
        value[place] = formed(ph, means.value[:, place], ok, step=1).value
    return PeriodMeans(
        period=means.period,
        members=(name,),
        factors=means.factors,
        digits=means.digits,
        value=value[None],
        present=there[None],
        valid=count[None],
        expected=np.broadcast_to(keep.sum(), count.shape)[None],
        reason=np.where(there, OK, NO_ITEM)[None].astype(np.uint8),
        past=means.past,
    )


def day_means(means: PeriodMeans) -> PeriodMeans:
    """Return the means of a single day: what the first stage said of it."""
    day = means.period.first_day
    found = [means.past.days(means.members, Series(factor, "24h"), day, day) for factor in means.factors]
    columns = {name: np.stack([getattr(part, name)[:, 0] for part in found], axis=1) for name in ("value", "present")}
    return replace(
        means,
        value=columns["value"],
        present=columns["present"],
        valid=columns["present"].astype(np.int64),
        expected=np.ones(columns["value"].shape, np.int64),
        reason=np.stack([part.reason[:, 0] for part in found], axis=1),
    )


def main_body(sites: Sequence[Site]) -> int:
    """Return the place in `BODIES` by which several sections are judged together: lakes only if all are."""
    return BODIES.index(Body.LAKE if sites and all(BODIES[body_of(s)] is Body.LAKE for s in sites) else Body.RIVER)
