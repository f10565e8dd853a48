"""The life of a case: one explicit table, every answer with its reason.

Raised, acknowledged, verified, handed over, urged, rectified, reported, written off (销号); raised again on relapse.
What decides beside the state is a *guard*: what the case was found to be, whether its events still stand, whether
all who must have acknowledged it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from sensors.errors import JianhuError


class CaseState(StrEnum):
    """Where a case stands, in the order of its life."""

    RAISED = "raised"
    """Nobody has taken notice yet."""
    ACKNOWLEDGED = "acknowledged"
    VERIFIED = "verified"
    """Somebody has found out what it is: see `Verdict`."""
    HANDED_OVER = "handed_over"
    """Somebody is to put it right (移交、交办)."""
    URGED = "urged"
    """It was not put right in time, and he was told so (督办)."""
    RECTIFIED = "rectified"
    """He says that it is put right (整改)."""
    REPORTED = "reported"
    """What was found and done went to whoever asked (报送)."""
    WRITTEN_OFF = "written_off"
    """销号."""


class CaseAct(StrEnum):
    """What moves a case."""

    ACKNOWLEDGE = "acknowledge"
    VERIFY = "verify"
    HAND_OVER = "hand_over"
    """Also back to whoever was to put it right, when that was not enough."""
    URGE = "urge"
    RECTIFY = "rectify"
    REPORT = "report"
    WRITE_OFF = "write_off"
    REOPEN = "reopen"
    """It comes back: by a new event of the same incident, or by a person."""
    NOTE = "note"
    """Evidence or a remark; moves nothing."""


class Verdict(StrEnum):
    """What a case was found to be."""

    OPEN = "open"
    """Nobody has said yet."""
    TRUE = "true"
    """属实."""
    DATA_FAULT = "data_fault"
    """数据异常: the device, the line or the data were wrong."""
    PLANNED = "planned"
    """计划内: maintenance, calibration, a drill, what was announced."""


class CaseReason(StrEnum):
    """Why a state followed, or why it did not."""

    TAKEN_NOTICE = "taken_notice"
    PARTY_TOOK_NOTICE = "party_took_notice"
    """One of several; the case waits for the others, or was acknowledged before."""
    FOUND_OUT = "found_out"
    FOUND_OTHERWISE = "found_otherwise"
    GIVEN_TO = "given_to"
    SENT_BACK = "sent_back"
    """What was done was not enough (整改不到位)."""
    NOT_IN_TIME = "not_in_time"
    PUT_RIGHT = "put_right"
    TOLD = "told"
    FINISHED = "finished"
    NOTHING_TO_DO = "nothing_to_do"
    """It was no true case, or nothing is left of its events."""
    CAME_BACK = "came_back"
    ADDED = "added"
    # refused
    ALREADY_ACKNOWLEDGED = "already_acknowledged"
    NOT_ACKNOWLEDGED = "not_acknowledged"
    NOT_VERIFIED = "not_verified"
    NOT_TRUE = "not_true"
    """Only a true case is handed over."""
    NOT_HANDED_OVER = "not_handed_over"
    NOT_RECTIFIED = "not_rectified"
    NOT_REPORTED = "not_reported"
    ALREADY_RECTIFIED = "already_rectified"
    ALREADY_REPORTED = "already_reported"
    STILL_GOING_ON = "still_going_on"
    """One of its events has no end yet."""
    ALREADY_WRITTEN_OFF = "already_written_off"
    NOT_WRITTEN_OFF = "not_written_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What decides beside the state."""

    verdict: Verdict
    withdrawn: bool
    """Whether nothing is left of its events."""
    acknowledged_enough: bool
    """Whether, with this act, all have acknowledged who must."""
    ended: bool
    """Whether all of its events have an end, or need none."""


class Guard(StrEnum):
    """When a row of the table holds."""

    ALWAYS = "always"
    ENOUGH = "enough"
    """All have acknowledged who must."""
    TRUE = "true"
    NOT_TRUE = "not_true"
    """Found to be a data fault or planned."""
    ENDED = "ended"
    """None of its events goes on."""
    EMPTY = "empty"
    """Nothing is left of its events."""

    def holds(self, standing: Standing) -> bool:
        """Return whether it holds."""
        match self:
            case Guard.ALWAYS:
                return True
            case Guard.ENOUGH:
                return standing.acknowledged_enough
            case Guard.TRUE:
                return standing.verdict is Verdict.TRUE
            case Guard.NOT_TRUE:
                return standing.verdict in {Verdict.DATA_FAULT, Verdict.PLANNED}
            case Guard.ENDED:
                return standing.ended
            case Guard.EMPTY:
                return standing.withdrawn


@dataclass(frozen=True, slots=True, kw_only=True)
class NextCaseState:
    """A state and why."""

    state: CaseState
    reason: CaseReason
    allowed: bool
    """Whether the act took place; when not, ``state`` is the one before."""


_Row = tuple[Guard, CaseState, CaseReason]
_S, _A, _G, _R = CaseState, CaseAct, Guard, CaseReason
_VERIFIED_AGAIN: Final[tuple[_Row, ...]] = ((_G.ALWAYS, _S.VERIFIED, _R.FOUND_OTHERWISE),)
_EMPTY: Final[tuple[_Row, ...]] = ((_G.EMPTY, _S.WRITTEN_OFF, _R.NOTHING_TO_DO),)
TABLE: Final[Mapping[tuple[CaseState, CaseAct], tuple[_Row, ...]]] = MappingProxyType({
    (_S.RAISED, _A.ACKNOWLEDGE): (
        (_G.ENOUGH, _S.ACKNOWLEDGED, _R.TAKEN_NOTICE), (_G.ALWAYS, _S.RAISED, _R.PARTY_TOOK_NOTICE),
    ),
    (_S.ACKNOWLEDGED, _A.VERIFY): ((_G.ALWAYS, _S.VERIFIED, _R.FOUND_OUT),),
    (_S.ACKNOWLEDGED, _A.WRITE_OFF): _EMPTY,
    (_S.VERIFIED, _A.VERIFY): _VERIFIED_AGAIN,
    (_S.VERIFIED, _A.HAND_OVER): ((_G.TRUE, _S.HANDED_OVER, _R.GIVEN_TO),),
    (_S.VERIFIED, _A.WRITE_OFF): ((_G.NOT_TRUE, _S.WRITTEN_OFF, _R.NOTHING_TO_DO), *_EMPTY),
    (_S.HANDED_OVER, _A.VERIFY): _VERIFIED_AGAIN,
    (_S.HANDED_OVER, _A.HAND_OVER): ((_G.ALWAYS, _S.HANDED_OVER, _R.GIVEN_TO),),
    (_S.HANDED_OVER, _A.URGE): ((_G.ALWAYS, _S.URGED, _R.NOT_IN_TIME),),
    (_S.HANDED_OVER, _A.RECTIFY): ((_G.ALWAYS, _S.RECTIFIED, _R.PUT_RIGHT),),
    (_S.HANDED_OVER, _A.WRITE_OFF): _EMPTY,
    (_S.URGED, _A.VERIFY): _VERIFIED_AGAIN,
    (_S.URGED, _A.HAND_OVER): ((_G.ALWAYS, _S.HANDED_OVER, _R.GIVEN_TO),),
    (_S.URGED, _A.URGE): ((_G.ALWAYS, _S.URGED, _R.NOT_IN_TIME),),
    (_S.URGED, _A.RECTIFY): ((_G.ALWAYS, _S.RECTIFIED, _R.PUT_RIGHT),),
    (_S.URGED, _A.WRITE_OFF): _EMPTY,
    (_S.RECTIFIED, _A.HAND_OVER): ((_G.ALWAYS, _S.HANDED_OVER, _R.SENT_BACK),),
    (_S.RECTIFIED, _A.REPORT): ((_G.ALWAYS, _S.REPORTED, _R.TOLD),),
    (_S.RECTIFIED, _A.WRITE_OFF): _EMPTY,
    (_S.REPORTED, _A.HAND_OVER): ((_G.ALWAYS, _S.HANDED_OVER, _R.SENT_BACK),),
    (_S.REPORTED, _A.WRITE_OFF): ((_G.ENDED, _S.WRITTEN_OFF, _R.FINISHED),),
    (_S.WRITTEN_OFF, _A.REOPEN): ((_G.ALWAYS, _S.RAISED, _R.CAME_BACK),),
    **{(state, _A.NOTE): ((_G.ALWAYS, state, _R.ADDED),) for state in CaseState},
})  # fmt: skip
"""State and act → rows; the first whose guard holds is taken, and without one the act is refused."""
_REFUSED: Final[Mapping[CaseState, CaseReason]] = MappingProxyType({
    _S.RAISED: _R.NOT_ACKNOWLEDGED,
    _S.ACKNOWLEDGED: _R.NOT_VERIFIED,
    _S.VERIFIED: _R.NOT_HANDED_OVER,
    _S.HANDED_OVER: _R.NOT_RECTIFIED,
    _S.URGED: _R.NOT_RECTIFIED,
    _S.RECTIFIED: _R.NOT_REPORTED,
    _S.REPORTED: _R.ALREADY_REPORTED,
    _S.WRITTEN_OFF: _R.ALREADY_WRITTEN_OFF,
})  # fmt: skip
"""Why an act is refused in a state, but for those that `_REFUSED_ACTS` names."""
_REFUSED_ACTS: Final[Mapping[tuple[CaseState, CaseAct], CaseReason]] = MappingProxyType({
    **{(state, _A.REOPEN): _R.NOT_WRITTEN_OFF for state in CaseState},
    **{(state, _A.ACKNOWLEDGE): _R.ALREADY_ACKNOWLEDGED for state in CaseState if state is not _S.WRITTEN_OFF},
    (_S.VERIFIED, _A.HAND_OVER): _R.NOT_TRUE,
    (_S.REPORTED, _A.WRITE_OFF): _R.STILL_GOING_ON,
    (_S.RECTIFIED, _A.VERIFY): _R.ALREADY_RECTIFIED,
    (_S.RECTIFIED, _A.URGE): _R.ALREADY_RECTIFIED,
    (_S.RECTIFIED, _A.RECTIFY): _R.ALREADY_RECTIFIED,
})  # fmt: skip
AFTER_ACKNOWLEDGEMENT: Final = frozenset(CaseState) - {_S.RAISED, _S.WRITTEN_OFF}
"""States in which a further party may still acknowledge, without moving the case."""


class WrongCaseAct(JianhuError):
    """An act that the state of a case does not allow."""

    def __init__(self, case: str, act: CaseAct, refused: NextCaseState) -> None:
        self.case, self.act, self.state, self.reason = case, act, refused.state, refused.reason
        super().__init__(f"{act} of case {case} in state {refused.state}: {refused.reason}")


def next_case_state(state: CaseState, act: CaseAct, standing: Standing) -> NextCaseState:
    """Return what an act makes of a state, and the reason, also when it is refused."""
    for guard, moved, reason in TABLE.get((state, act), ()):
        if guard.holds(standing):
            return NextCaseState(state=moved, reason=reason, allowed=True)
    refused = _REFUSED_ACTS.get((state, act), _REFUSED[state])
    return NextCaseState(state=state, reason=refused, allowed=False)
