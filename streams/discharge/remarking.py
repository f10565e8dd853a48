"""The evaluation ``marks``: what is remarkable about what an enterprise says of its plant, day by day.

A day's row counts the remarks (`streams.discharge.marks`); its detail names them with the state. It is a hint and never
a finding: it says nothing of a limit. Where no permit has a mark nothing is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sensors.clock import DAY_MS
from sensors.registry import Site
from streams.discharge.judgement import Level
from streams.discharge.loads import of_day
from streams.discharge.marks import Flows, Remark, Remarked, remarks, touched
from streams.discharge.permitfile import State
from streams.discharge.permits import Permits
from streams.judging.hashing import joined
from streams.judging.plan import Block, Output, Slots
from streams.judging.reasons import NOT_IN_PLAN, OK

FACTOR: Final = "marks"
_REMARKS: Final = tuple(Remark)
_STATES: Final = tuple(State)
_BITS: Final = len(_REMARKS)


class MarksEvaluation:
    """Says what is remarkable about the marks of enterprises.

    Parameters
    ----------
    permits
        They hold the marks.
    flow
        The factor that flows; empty where the kind has none, and no flow contradicts a mark then.
    least
        Stored units from which something flows.
    """

    name = "marks"
    editions = ("",)
    before = 0
    day_before = 0
    slot_outputs: tuple[Output, ...] = ()
    reach: tuple[int, ...] = ()

    def __init__(self, permits: Permits, *, flow: str, least: int) -> None:
        self._permits, self._flow, self._least = permits, flow, least
        any_mark = any(permit.marks for permit in permits.sites.values())
        output = Output(factor=FACTOR, window="24h", digits=0, tell=_told)
        self.day_outputs: tuple[Output, ...] = (output,) if any_mark else ()

    def slots(self, slots: Slots, begin: int, sites: tuple[Site, ...]) -> list[Block]:  # noqa: ARG002  the plan's form
        """Return nothing: marks are looked at by the day."""
        return []

    def day(
        self,
        slots: Slots,
        sites: tuple[Site, ...],
        means: Mapping[tuple[str, str], Block],  # noqa: ARG002  the plan's form
    ) -> list[Block]:
        """Return how many remarks the marks of the day give, of each site that has some."""
        if not self.day_outputs:
            return []
        part = slots.from_place(of_day(slots))
        found = [self._of_day(part, row, site) for row, site in enumerate(sites)]
        covered = np.array([[bool(each)] for each in found])
        codes = np.array([[_code(each)] for each in found], np.int64)
        count = np.array([[sum(len(one.remarks) for one in each)] for each in found], np.int64)
        excluded = np.array([[sum(one.excluded for one in each)] for each in found], np.int64)
        return [
            Block.of(
                value=count,
                present=covered,
                reason=np.where(covered, OK, NOT_IN_PLAN),
                valid=excluded,
                expected=np.where(covered, part.number.size, 0),
                detail=codes,
                level=np.where(covered, np.where(count > 0, Level.HINT, Level.WITHIN), Level.NOT_JUDGED),
                inputs=np.where(covered, joined(count, codes, excluded) | np.uint64(1), np.uint64(0)),
            )
        ]

    def _of_day(self, part: Slots, row: int, site: Site) -> list[Remarked]:
        """Return the marks of a site that cover some of a day, with what is to be said of each."""
        permit = self._permits.site(site.id)
        if not permit.marks:
            return []
        day = np.array([part.start[0]])
        every = remarks(permit.marks, self._flows(part, row))
        return [one for one in every if touched(one.mark, day, DAY_MS)[0]]

    def _flows(self, part: Slots, row: int) -> Flows:
        value, present = np.zeros(part.number.size, np.int64), np.zeros(part.number.size, np.bool_)
        if self._flow in part.factors:
            place = part.at(self._flow)
            value, present = part.value[row, place], part.present[row, place]
        return Flows(start=part.start, slot_ms=part.slot_ms, value=value, present=present, least=self._least)


def _code(found: list[Remarked]) -> int:
    """Return remarks and states of a day's marks as one number: a bit for each of either."""
    code = 0
    for one in found:
        for remark in one.remarks:
            code |= 1 << _REMARKS.index(remark)
        code |= 1 << (_BITS + _STATES.index(one.mark.state))
    return code


def _told(codes: NDArray[np.int64]) -> pa.Array:
    return pa.array([_text(int(code)) for code in codes], pa.utf8())


def _text(code: int) -> str:
    """Return what a day's code says: ``stopped: late; contradicted``."""
    states = ", ".join(state.value for bit, state in enumerate(_STATES) if code >> (_BITS + bit) & 1)
    said = "; ".join(remark.value for bit, remark in enumerate(_REMARKS) if code >> bit & 1)
    return f"{states}: {said}" if said else states
