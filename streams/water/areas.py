"""What the evaluation method says of an area: shares, rating, drinking sources, masses into the bay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Final

import numpy as np

from sensors.kinds import Kind
from sensors.registry import Site
from sensors.windows import Span
from streams.judging.reasons import NO_ITEM, OK, TOO_FEW_SITES, UNSET
from streams.periods.plan import AreaView, PeriodMeans, PeriodRow
from streams.periods.targets import Standing, Targets, judge_target
from streams.water.classes import class_table, item_classes
from streams.water.masses import Amount, Masses, flux_rows, masses, year_before
from streams.water.rating import Shares, TierResult, by_shares, rating_of_class, rating_of_shares, shares, tier_results
from streams.water.rows import Teller
from streams.water.sections import Rules, Sections, classed, main_body, sections, together

SHARE_GOOD: Final = "share_good"
"""Per cent of the registry's sections of class I to III."""
SHARE_FIFTH: Final = "share_V"
SHARE_WORSE: Final = "share_worse_V"
RATING: Final = "rating"
"""1 (excellent) to 5 (heavy pollution) of a river, basin or other area."""
SOURCES: Final = "source_pass"
"""Factors of the share of drinking sources that pass begin so: ``source_pass.county``."""
SOURCE_CLASS: Final = "drinking_source"
BAY_ENTRY: Final = "bay_entry"
BAY_NITROGEN: Final = "TN.bay_entry"
"""Factor of the year's nitrogen of a bay entry against its step; of an area the greatest of its entries."""
TARGET: Final = "target"
"""Factors of the distance to a target of ``targets.yaml`` end so; the edition names the target."""
PERCENT_DIGITS: Final = 2


class Areas:
    """Areas of one kind."""

    def __init__(self, kind: Kind, targets: Targets) -> None:
        self._ph, self._targets = kind.factors.get("pH"), targets

    def rows(self, say: Teller, members: PeriodMeans, area: AreaView, sites: tuple[Site, ...]) -> list[PeriodRow]:
        """Return the rows of an area over the period of ``say``."""
        found = sections(members, sites, say.rules)
        places = counted(sites)
        rows: list[PeriodRow] = []
        held: dict[str, Fraction | None] = {}
        if places:
            spread = shares({found.members[place]: found.class_of(place) for place in places})
            rows += _shares(say, area.id, spread)
            held |= {factor: percent(count, spread) for factor, count in _counts(spread)}
            if by_shares(spread.total, say.rules.rules):
                rating = rating_of_shares(spread, say.rules.rules)
                rows.append(_rating(say, area.id, spread, rating, "by the shares of its sections"))
            else:
                rows.append(self._by_means(say, members, area.id, sites, spread))
        for tier in _tiers(say, found, _over_table_2(members, say.rules), sites):
            rows.append(_tier_row(say, area.id, tier))
            if tier.tier == say.rules.rules.tiers[0]:
                held[SOURCES] = Fraction(100 * tier.passed, tier.total) if tier.total > len(tier.without) else None
        if say.period.span is not Span.DAY:
            rows += _into_the_bay(say, area.id, members, sites)
        if say.period.span is Span.YEAR:
            rows += _bay_nitrogen(say, area.id, members, sites, held)
            rows += self._against_targets(say, area.id, held)
        return rows

    def _against_targets(self, say: Teller, area: str, held: Mapping[str, Fraction | None]) -> Iterator[PeriodRow]:
        """Yield the distance of a year's figures to the targets that name them."""
        for measure, value in held.items():
            for target in self._targets.of((area,), measure):
                judged = judge_target(target, value)
                words = [judged.standing.value, *(["regression"] if judged.regression else [])]
                gap = judged.gap
                yield say.row(
                    area, f"{measure}.{TARGET}", value=None if gap is None else round(gap * 10**PERCENT_DIGITS),
                    digits=PERCENT_DIGITS, valid=int(value is not None), expected=1,
                    reason={Standing.UNSET: UNSET, Standing.NO_VALUE: NO_ITEM}.get(judged.standing, OK),
                    detail=";".join(words), level={Standing.MET: 1, Standing.MISSED: 0}.get(judged.standing),
                    edition=target.id,
                )  # fmt: skip

    def _by_means(
        self, say: Teller, members: PeriodMeans, area: str, sites: Sequence[Site], spread: Shares
    ) -> PeriodRow:
        """Return the rating of few sections: that of the means of their items."""
        places = counted(sites)
        keep = np.zeros(len(sites), np.bool_)
        keep[places] = True
        mean = together(members, area, keep, self._ph)
        body = np.array([main_body([sites[place] for place in places])])
        wanted = sections(members, sites, say.rules).items
        one = classed(mean, body, np.zeros(1, np.int64), say.rules, wanted)
        enough = Fraction(spread.judged, spread.total) >= say.rules.rules.area_share
        worst = one.class_of(0) if enough else None
        rating = None if worst is None else rating_of_class(worst, say.rules.rules)
        deciding = "" if worst is None else one.deciding(0)
        return _rating(say, area, spread, rating, "by the means of its sections", deciding)


def counted(sites: Sequence[Site]) -> list[int]:
    """Return the places of the sections that shares are of: those assessed, or all where none is; no sources."""
    places = [place for place, site in enumerate(sites) if site.station_class != SOURCE_CLASS]
    assessed = [place for place in places if sites[place].assessment]
    return assessed or places


def is_bay_entry(site: Site) -> bool:
    """Tell whether a section is an entry into the bay, by its class or its control levels."""
    return BAY_ENTRY in site.setting.get("control", ()) or site.station_class == BAY_ENTRY


def _rating(  # noqa: PLR0917  a row of its own
    say: Teller, area: str, spread: Shares, rating: int | None, how: str, primary: str = ""
) -> PeriodRow:
    return say.row(
        area, RATING, value=rating, valid=spread.judged, expected=spread.total, level=rating, detail=how,
        primary=primary, reason=OK if rating else TOO_FEW_SITES if spread.judged else NO_ITEM,
    )  # fmt: skip


def percent(count: int, spread: Shares) -> Fraction | None:
    """Return a count as per cent of the whole registry; None where no section was judged."""
    return Fraction(100 * count, spread.total) if spread.judged else None


def _counts(spread: Shares) -> tuple[tuple[str, int], ...]:
    return (SHARE_GOOD, spread.good), (SHARE_FIFTH, spread.fifth), (SHARE_WORSE, spread.worse)


def _fixed(share: Fraction | None) -> int | None:
    return None if share is None else round(share * 10**PERCENT_DIGITS)


def _shares(say: Teller, area: str, spread: Shares) -> Iterator[PeriodRow]:
    """Yield the shares, each with the whole registry below the line and those without a class listed."""
    lacking = f"; without a class: {', '.join(spread.without)}" if spread.without else ""
    for factor, count in _counts(spread):
        yield say.row(
            area, factor, value=_fixed(percent(count, spread)), digits=PERCENT_DIGITS,
            valid=spread.judged, expected=spread.total, reason=OK if spread.judged else NO_ITEM,
            detail=f"{count} of {spread.total}{lacking}",
        )  # fmt: skip


def _tiers(say: Teller, found: Sections, over: Sequence[bool], sites: Sequence[Site]) -> list[TierResult]:
    """Return the pass rates of the tiers of drinking sources that the area has."""
    limit = say.rules.rules.source_class
    passes: dict[str, bool | None] = {}
    tiers: dict[str, str] = {}
    for place, site in enumerate(sites):
        if site.station_class == SOURCE_CLASS:
            worst = found.class_of(place)
            failed = over[place] or found.fails(place, limit)
            passes[site.id] = False if failed else None if worst is None else True
            tiers[site.id] = str(site.setting.get("tier") or say.rules.rules.tiers[0].tier)
    return [tier for tier in tier_results(passes, tiers, say.rules.rules) if tier.total]


def _over_table_2(members: PeriodMeans, rules: Rules) -> list[bool]:
    """Return which members are over a limit of table 2 in what they measure."""
    items = [item for item in rules.limits.source_items if item in members.factors]
    at = [members.at(item) for item in items]
    table = class_table(rules.limits, items, [10 ** members.digits[place] for place in at])
    classes = item_classes(members.value[:, at, None], members.present[:, at, None], table, 0)
    return [bool(row.any()) for row in classes > 1]


def _tier_row(say: Teller, area: str, tier: TierResult) -> PeriodRow:
    judged = tier.total - len(tier.without)
    told = [
        f"{tier.verdict}: {tier.passed} of {tier.total}",
        f"failed: {', '.join(tier.failed)}" if tier.failed else "",
        f"without a class: {', '.join(tier.without)}" if tier.without else "",
    ]
    return say.row(
        area, f"{SOURCES}.{tier.tier.tier}", value=_fixed(Fraction(100 * tier.passed, tier.total)) if judged else None,
        digits=PERCENT_DIGITS, valid=judged, expected=tier.total, reason=OK if judged else NO_ITEM,
        detail="; ".join(part for part in told if part),
    )  # fmt: skip


def _into_the_bay(say: Teller, area: str, members: PeriodMeans, sites: Sequence[Site]) -> Iterator[PeriodRow]:
    """Yield the masses that an area's entries carry into the bay, together."""
    places = [place for place, site in enumerate(sites) if is_bay_entry(site)]
    for factor in say.rules.rules.flux.factors if places else ():
        now, before = (masses(members, factor, period) for period in (say.period, year_before(say.period)))
        if any(now.came[place] for place in places):
            yield from flux_rows(say, area, factor, _summed(now, places), _summed(before, places))


def _summed(found: Masses, places: Sequence[int]) -> Amount:
    """Return the masses of some members as one; every day of each of them is due."""
    parts = [found.at(place) for place in places]
    return Amount(
        total=sum(part.total for part in parts),
        days=sum(part.days for part in parts),
        due=sum(part.due for part in parts),
    )


def evaluated(means: PeriodMeans, member: int, place: int, rules: Rules) -> Fraction | None:
    """Return the mean of a member's item, rounded to its evaluation decimals; None where there is none."""
    if not means.present[member, place]:
        return None
    exact = Fraction(int(means.value[member, place]), 10 ** means.digits[place])
    decimals = rules.rules.decimals.get(means.factors[place], means.digits[place])
    return Fraction(round(exact * 10**decimals), 10**decimals)


def _bay_nitrogen(
    say: Teller, area: str, members: PeriodMeans, sites: Sequence[Site], held: dict[str, Fraction | None]
) -> Iterator[PeriodRow]:
    """Yield the greatest of the entries' nitrogen, which is what "every entry at most 2 mg/L" asks about."""
    factor = say.rules.rules.bay.factor
    places = [at for at, site in enumerate(sites) if is_bay_entry(site)]
    if not places or factor not in members.factors:
        return
    item = members.at(factor)
    found = {sites[at].id: evaluated(members, at, item, say.rules) for at in places}
    there = {name: value for name, value in found.items() if value is not None}
    greatest = max(there.values()) if len(there) == len(found) else None
    held[BAY_NITROGEN] = greatest
    lacking = [name for name, value in found.items() if value is None]
    digits = members.digits[item]
    yield say.row(
        area, BAY_NITROGEN, value=None if greatest is None else round(greatest * 10**digits), digits=digits,
        valid=len(there), expected=len(found), reason=OK if greatest is not None else TOO_FEW_SITES,
        detail="; ".join([
            ", ".join(f"{name} {float(value):g}" for name, value in there.items()),
            *([f"without data: {', '.join(lacking)}"] if lacking else []),
        ]).removeprefix("; "),
    )  # fmt: skip
