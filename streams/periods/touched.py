"""Which days of which members changed and are to be made again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streams.periods.calendar import LEAP, day_of_year, year_first, years_of

Days = NDArray[np.int64]


class Touched:
    """Days of members, kept until they are over by the member's clock.

    Parameters
    ----------
    members
        Rows of the pages.
    """

    def __init__(self, members: int) -> None:
        self._members = members
        self._years: dict[int, NDArray[np.bool_]] = {}

    def __bool__(self) -> bool:
        return bool(self._years)

    def mark(self, members: NDArray[np.intp] | Days, days: Days) -> None:
        """Note days of members, pair by pair."""
        years = years_of(days)
        for year in np.unique(years).tolist():
            mine = years == year
            self._year(year)[members[mine], days[mine] - year_first(year)] = True

    def mark_span(self, members: NDArray[np.intp], first: int, last: int) -> None:
        """Note all days from ``first`` to ``last``, both inside, of all these members."""
        for year in range(int(years_of(np.array([first]))[0]), int(years_of(np.array([last]))[0]) + 1):
            low, high = max(first, year_first(year)), min(last, year_first(year + 1) - 1)
            self._year(year)[np.ix_(members, np.arange(day_of_year(low), day_of_year(high) + 1))] = True

    def take(self, through: Days) -> tuple[NDArray[np.intp], Days]:
        """Return the pairs of member and day that are over, and forget them.

        Parameters
        ----------
        through
            Per member the newest day that is over.

        Returns
        -------
        tuple
            Members and days, ordered by day, then member.
        """
        members, days = [np.zeros(0, np.intp)], [np.zeros(0, np.int64)]
        for year in sorted(self._years):
            noted = self._years[year]
            over = noted & (year_first(year) + np.arange(LEAP) <= through[:, None])
            place, row = np.nonzero(over.T)
            members.append(row)
            days.append(year_first(year) + place.astype(np.int64))
            noted &= ~over
            if not noted.any():
                del self._years[year]
        return np.concatenate(members), np.concatenate(days)

    def _year(self, year: int) -> NDArray[np.bool_]:
        noted = self._years.get(year)
        if noted is None:
            noted = self._years[year] = np.zeros((self._members, LEAP), np.bool_)
        return noted
