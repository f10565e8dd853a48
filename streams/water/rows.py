"""Rows of periods of water: what they share."""

from __future__ import annotations

from dataclasses import dataclass

from streams.judging.reasons import OK
from streams.periods.plan import Period, PeriodRow
from streams.water.sections import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """Makes the rows of one period under one set of rules."""

    period: Period
    rules: Rules

    def row(
        self,
        site: str,
        factor: str,
        *,
        value: int | None,
        valid: int,
        expected: int,
        digits: int = 0,
        reason: int = OK,
        detail: str = "",
        level: int | None = None,
        primary: str = "",
        edition: str | None = None,
    ) -> PeriodRow:
        """Return a row of a site or area; without ``edition`` that of the rules."""
        return PeriodRow(
            site=site,
            factor=factor,
            window=self.period.window,
            start_day=self.period.start_day,
            value=value,
            digits=digits,
            valid=valid,
            expected=expected,
            reason=reason,
            detail=detail,
            level=level,
            primary=primary,
            edition=self.rules.edition if edition is None else edition,
        )
