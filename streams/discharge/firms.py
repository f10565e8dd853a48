"""The period evaluation ``firm_indices``: indices of VOCs by firm and park, and the firms of a park in their order.

====================  ==================================================================
factor                value
====================  ==================================================================
``OFP``               of an area: the mean of its points' days; each version for itself
``OFP.rank``          of a firm: its place among the firms of its park, the greatest first
====================  ==================================================================

and the same of ``odour_index``; by day, month and year. A point counts with three quarters of its days, an area with
three quarters of its points: settings of this project. Means are of point values; nothing is added up over points.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

import numpy as np

from sensors.registry import Site
from sensors.windows import Span
from streams.discharge.indices import IndexVersion, load_indices, rank
from streams.judging.reasons import OK, TOO_FEW_SITES
from streams.periods.plan import AreaView, Period, PeriodMeans, PeriodRow
from streams.periods.registered import PeriodContext

RANK: Final = ".rank"
SHARE: Final = Fraction(3, 4)
"""Of days a point needs, and of points an area."""
_PARK: Final = "park"


def firm_indices(context: PeriodContext) -> FirmIndices:
    """Return the period evaluation of the indices that the kind has."""
    names = {name.lower() for name in context.kind.evaluations}
    return FirmIndices(tuple(version for version in load_indices() if version.index.lower() in names))


class FirmIndices:
    """Indices of areas and ranks of firms.

    Parameters
    ----------
    versions
        Of all indices, as they stand in the editions of the first stage's rows.
    """

    name = "firm_indices"
    spans = frozenset({Span.DAY, Span.MONTH, Span.YEAR})

    def __init__(self, versions: Sequence[IndexVersion]) -> None:
        self._versions = tuple(versions)

    def site(self, period: Period, means: PeriodMeans, sites: tuple[Site, ...]) -> list[PeriodRow]:  # noqa: ARG002  the plan's form
        """Return nothing: days of points are the first stage's."""
        return []

    def area(self, period: Period, members: PeriodMeans, area: AreaView, sites: tuple[Site, ...]) -> list[PeriodRow]:
        """Return the indices of an area; of a park also the places of the firms in it."""
        rows: list[PeriodRow] = []
        firms = members.children.members if members.children is not None and area.type == _PARK else ()
        for version in self._versions:
            points = _points(members, version)
            if not any(point is not None for point in points):
                continue
            rows.append(_area_row(period, area.id, version, points))
            rows += _ranks(period, version, points, sites, firms)
        return rows


def _points(members: PeriodMeans, version: IndexVersion) -> list[Fraction | None]:
    """Return the mean of each point's days, in stored units; None where too few are known."""
    days = members.days(version.index, "24h", version.version)
    due = days.value.shape[1]
    sums = np.where(days.present, days.value, 0).sum(axis=1).tolist()
    counts = days.present.sum(axis=1).tolist()
    return [
        Fraction(total, count) if count and count >= SHARE * due else None
        for total, count in zip(sums, counts, strict=True)
    ]


def _mean(points: Sequence[Fraction | None]) -> tuple[Fraction | None, int]:
    """Return the mean of points, and how many counted; None where too few did."""
    known = [point for point in points if point is not None]
    enough = bool(known) and len(known) >= SHARE * len(points)
    return (sum(known, Fraction(0)) / len(known) if enough else None), len(known)


def _area_row(period: Period, area: str, version: IndexVersion, points: Sequence[Fraction | None]) -> PeriodRow:
    mean, counted = _mean(points)
    return PeriodRow(
        site=area,
        factor=version.index,
        window=period.window,
        start_day=period.start_day,
        value=None if mean is None else round(mean),
        digits=version.digits,
        valid=counted,
        expected=len(points),
        reason=OK if mean is not None else TOO_FEW_SITES,
        edition=version.version,
    )


def _ranks(
    period: Period,
    version: IndexVersion,
    points: Sequence[Fraction | None],
    sites: Sequence[Site],
    firms: Sequence[str],
) -> Iterator[PeriodRow]:
    found = {
        firm: _mean([point for point, site in zip(points, sites, strict=True) if firm in site.areas]) for firm in firms
    }
    totals = {firm: mean for firm, (mean, _) in found.items() if mean is not None}
    for place, firm, _ in rank(totals):
        yield PeriodRow(
            site=firm,
            factor=version.index + RANK,
            window=period.window,
            start_day=period.start_day,
            value=place,
            digits=0,
            valid=found[firm][1],
            expected=len(totals),
            reason=OK,
            edition=version.version,
        )
