"""Warning response: 启动 → 响应 → 解除, for a warning, a heavy-pollution episode, an emergency, and drills of each.

A response is started by a named person, never by a rule: what observed or forecast values would meet is a
`Proposal`, and stays one. A drill (演练) takes the same path and is marked in every step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from alerts.cases.evidence import EVIDENCE_MOST, NAME_LENGTH, NOTE_LENGTH, PARTY_LENGTH, Evidence, Lack
from sensors.errors import JianhuError


class ResponseKind(StrEnum):
    """What is responded to."""

    WARNING = "warning"
    """预警."""
    HEAVY_POLLUTION = "heavy_pollution"
    """重污染天气."""
    EMERGENCY = "emergency"
    """突发环境事件应急."""


class ResponseState(StrEnum):
    """Where a response stands."""

    STARTED = "started"
    """启动: nobody has said yet that he acts."""
    RESPONDING = "responding"
    """响应."""
    LIFTED = "lifted"
    """解除."""


class ResponseAct(StrEnum):
    """What moves a response."""

    START = "start"
    RESPOND = "respond"
    ADJUST = "adjust"
    """Another level, or another area."""
    LIFT = "lift"
    NOTE = "note"


class ResponseReason(StrEnum):
    """Why a state followed, or why it did not."""

    STARTED = "started"
    FIRST_RESPONSE = "first_response"
    FURTHER_RESPONSE = "further_response"
    ADJUSTED = "adjusted"
    LIFTED = "lifted"
    ADDED = "added"
    # refused
    NOT_STARTED = "not_started"
    ALREADY_STARTED = "already_started"
    ALREADY_RESPONDED = "already_responded"
    ALREADY_LIFTED = "already_lifted"
    NOTHING_NEW = "nothing_new"
    """An adjustment to what holds already."""


class Purpose(StrEnum):
    """Whether it is meant."""

    REAL = "real"
    DRILL = "drill"
    """演练."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextResponse:
    """A state and why."""

    state: ResponseState | None
    """None before the start."""
    reason: ResponseReason
    allowed: bool


_S, _A, _R = ResponseState, ResponseAct, ResponseReason
_TABLE: Final[Mapping[tuple[ResponseState | None, ResponseAct], tuple[ResponseState, ResponseReason]]] = (
    MappingProxyType({
        (None, _A.START): (_S.STARTED, _R.STARTED),
        (_S.STARTED, _A.RESPOND): (_S.RESPONDING, _R.FIRST_RESPONSE),
        (_S.STARTED, _A.ADJUST): (_S.STARTED, _R.ADJUSTED),
        (_S.STARTED, _A.LIFT): (_S.LIFTED, _R.LIFTED),
        (_S.RESPONDING, _A.RESPOND): (_S.RESPONDING, _R.FURTHER_RESPONSE),
        (_S.RESPONDING, _A.ADJUST): (_S.RESPONDING, _R.ADJUSTED),
        (_S.RESPONDING, _A.LIFT): (_S.LIFTED, _R.LIFTED),
        **{(state, _A.NOTE): (state, _R.ADDED) for state in ResponseState},
    })
)  # fmt: skip


def next_response(state: ResponseState | None, act: ResponseAct) -> NextResponse:
    """Return what an act makes of a state, None before the start; and the reason, also when it is refused."""
    moved = _TABLE.get((state, act))
    if moved is not None:
        return NextResponse(state=moved[0], reason=moved[1], allowed=True)
    reason = _R.NOT_STARTED if state is None else _R.ALREADY_LIFTED if state is _S.LIFTED else _R.ALREADY_STARTED
    return NextResponse(state=state, reason=reason, allowed=False)


class WrongResponseAct(JianhuError):
    """An act that the state of a response does not allow."""

    def __init__(self, response: str, act: ResponseAct, refused: NextResponse) -> None:
        self.response, self.act, self.state, self.reason = response, act, refused.state, refused.reason
        super().__init__(f"{act} of response {response or '(new)'} in state {refused.state}: {refused.reason}")


class ResponseIncomplete(JianhuError):
    """An act without what it must bring."""

    def __init__(self, act: ResponseAct, lacks: Lack) -> None:
        self.act, self.lacks = act, lacks
        super().__init__(f"{act} of a response lacks: {lacks}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One response as it stands. Times are milliseconds UTC of the wall clock."""

    id: str
    kind: ResponseKind
    purpose: Purpose
    synthetic: bool
    level: int
    """1 (red) to 4 (blue)."""
    areas: tuple[str, ...]
    """Ids of areas, neighbours' names with ``other:`` before them: one response of several is joint (联动)."""
    case: str
    """The case that it is about; empty when there is none."""
    state: ResponseState
    started_at: int
    started_by: str
    responded_at: int | None = None
    responded_by: str = ""
    lifted_at: int | None = None
    lifted_by: str = ""
    attached: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Measures, contacts, plan and lists of its level as the policy had them when it was started or adjusted."""
    number: int = 0
    changed: int = 0

    @property
    def response_ms(self) -> int | None:
        """Time from the start to the first response (响应时间); None while nobody has responded."""
        return None if self.responded_at is None else self.responded_at - self.started_at


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseStep:
    """One step of a response's history; it has its number once it is kept."""

    response: str
    kind: ResponseAct
    state: ResponseState
    """After it."""
    level: int
    author: str
    at: int
    code: ResponseReason
    reason: str
    party: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    notify: bool = True
    number: int = 0
    noticed_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseAsk:
    """What somebody does with a response."""

    act: ResponseAct
    author: str
    at: int
    note: str = ""
    """Why; every act but a response owes it."""
    evidence: tuple[Evidence, ...] = ()
    party: str = ""
    """Of `ResponseAct.RESPOND`: for whom; each party responds for itself, once."""
    level: int | None = None
    areas: tuple[str, ...] = ()
    """Of a start: at least one; of an adjustment, empty: as before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition of a start: daily AQI above a value on so many days in a row."""

    above: int
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseLevel:
    """What a policy says of one level."""

    level: int
    name_zh: str
    name_en: str
    starts: tuple[tuple[Condition, ...], ...] = ()
    """Any of these rows, and all conditions of a row."""
    measures: tuple[str, ...] = ()
    """What is to be done, by industry where the plan says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantList:
    """One version of a list of plants or sites to which measures apply."""

    id: str
    version: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponsePolicy:
    """What an office decides about one kind of response."""

    kind: ResponseKind
    levels: Mapping[int, ResponseLevel]
    lists: tuple[PlantList, ...] = ()
    contacts: tuple[str, ...] = ()
    """Who is called, as it is to be shown."""
    plan: tuple[str, ...] = ()
    """Texts or references of the plan."""
    lift_days: int = 2
    """So many days known to stay below every start of a level, and it may be lifted."""

    def attachment(self, level: int) -> dict[str, Any]:
        """Return what is attached to a response of a level; empty parts are left out."""
        parts: dict[str, Any] = {
            "measures": list(self.levels[level].measures),
            "contacts": list(self.contacts),
            "plan": list(self.plan),
            "lists": [{"id": one.id, "version": one.version, "members": list(one.members)} for one in self.lists],
        }
        return {name: part for name, part in parts.items() if part}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a series of daily AQI would meet; a hint, never an announcement."""

    level: int | None
    """The severest level whose start it meets; None for none."""
    condition: tuple[Condition, ...] = ()
    unknown: int = 0
    """Days of the series that are not known: they meet nothing and end nothing."""


def proposal_of(days: Sequence[int | None], policy: ResponsePolicy) -> Proposal:
    """Return the severest level whose start a series of daily AQI meets.

    Parameters
    ----------
    days
        Daily AQI in order, observed or forecast; None for a day that is not known, which breaks a run.
    policy
        Its levels; an office may lower their thresholds.
    """
    unknown = sum(day is None for day in days)
    for level in sorted(policy.levels):
        for row in policy.levels[level].starts:
            if all(_longest(days, one.above) >= one.days for one in row):
                return Proposal(level=level, condition=row, unknown=unknown)
    return Proposal(level=None, unknown=unknown)


def may_lift(coming: Sequence[int | None], level: int, policy: ResponsePolicy) -> bool:
    """Return whether the coming days are known to stay below the start of a level and of those above it."""
    ahead = coming[: policy.lift_days]
    if len(ahead) < policy.lift_days:
        return False
    values = [one.above for name, each in policy.levels.items() if name <= level for row in each.starts for one in row]
    return bool(values) and all(day is not None and day <= min(values) for day in ahead)


def _longest(days: Sequence[int | None], above: int) -> int:
    longest = run = 0
    for day in days:
        run = run + 1 if day is not None and day > above else 0
        longest = max(longest, run)
    return longest


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a start says beside the act itself."""

    id: str
    kind: ResponseKind
    purpose: Purpose
    synthetic: bool
    case: str = ""


def start(what: Start, ask: ResponseAsk, policy: ResponsePolicy) -> tuple[Response, ResponseStep]:
    """Return a response that somebody starts.

    Raises
    ------
    ResponseIncomplete
        Without a name, a reason, a level of the policy or an area.
    """
    ask = _checked(ask, policy)
    if ask.level is None or not ask.areas:
        raise ResponseIncomplete(ask.act, Lack.LEVEL if ask.level is None else Lack.AREA)
    response = Response(
        id=what.id, kind=what.kind, purpose=what.purpose, synthetic=what.synthetic, level=ask.level, areas=ask.areas,
        case=what.case, state=ResponseState.STARTED, started_at=ask.at, started_by=ask.author,
        attached=policy.attachment(ask.level),
    )  # fmt: skip
    return response, _step(response, ask, ResponseReason.STARTED)


def respond(
    response: Response, responded: Sequence[str], ask: ResponseAsk, policy: ResponsePolicy
) -> tuple[Response, ResponseStep]:
    """Return a response after an act.

    Parameters
    ----------
    response
        As it stands.
    responded
        The parties that have responded already; the empty one is the desk.
    ask
        The act.
    policy
        Of its kind.

    Raises
    ------
    WrongResponseAct
        When its state does not allow it; says why.
    ResponseIncomplete
        Without a name, a reason, or a level of the policy.
    """
    moved = next_response(response.state, ask.act)
    if moved.allowed and ask.act is ResponseAct.RESPOND and ask.party in responded:
        moved = NextResponse(state=response.state, reason=ResponseReason.ALREADY_RESPONDED, allowed=False)
    after = _adjusted(response, ask)
    if moved.allowed and ask.act is ResponseAct.ADJUST and after == response:
        moved = NextResponse(state=response.state, reason=ResponseReason.NOTHING_NEW, allowed=False)
    if not moved.allowed or moved.state is None:
        raise WrongResponseAct(response.id, ask.act, moved)
    ask = _checked(ask, policy)
    if after != response:
        after = replace(after, attached=policy.attachment(after.level))
    if moved.reason is ResponseReason.FIRST_RESPONSE:
        after = replace(after, responded_at=ask.at, responded_by=ask.author)
    if ask.act is ResponseAct.LIFT:
        after = replace(after, lifted_at=ask.at, lifted_by=ask.author)
    after = replace(after, state=moved.state)
    return after, _step(after, ask, moved.reason)


def _adjusted(response: Response, ask: ResponseAsk) -> Response:
    if ask.act is not ResponseAct.ADJUST:
        return response
    return replace(response, level=ask.level or response.level, areas=ask.areas or response.areas)


def _checked(ask: ResponseAsk, policy: ResponsePolicy) -> ResponseAsk:
    ask = replace(ask, author=ask.author.strip(), note=ask.note.strip())
    if not 0 < len(ask.author) <= NAME_LENGTH:
        raise ResponseIncomplete(ask.act, Lack.NAME)
    if len(ask.note) > NOTE_LENGTH or (ask.act is not ResponseAct.RESPOND and not ask.note):
        raise ResponseIncomplete(ask.act, Lack.NOTE)
    if len(ask.party) > PARTY_LENGTH or (ask.party and not ask.party.isprintable()):
        raise ResponseIncomplete(ask.act, Lack.PARTY)
    if len(ask.evidence) > EVIDENCE_MOST or not all(piece.sound for piece in ask.evidence):
        raise ResponseIncomplete(ask.act, Lack.BAD_EVIDENCE)
    if ask.level is not None and ask.level not in policy.levels:
        raise ResponseIncomplete(ask.act, Lack.LEVEL)
    if any(not 0 < len(area) <= NAME_LENGTH for area in ask.areas):
        raise ResponseIncomplete(ask.act, Lack.AREA)
    return ask


def _step(response: Response, ask: ResponseAsk, reason: ResponseReason) -> ResponseStep:
    facts: dict[str, Any] = {
        "areas": list(response.areas),
        "references": [piece.told() for piece in ask.evidence],
        "attached": dict(response.attached) if ask.act in {ResponseAct.START, ResponseAct.ADJUST} else {},
        "drill": response.purpose is Purpose.DRILL,
    }
    return ResponseStep(
        response=response.id, kind=ask.act, state=response.state, level=response.level, author=ask.author, at=ask.at,
        code=reason, reason=ask.note, party=ask.party, evidence={name: fact for name, fact in facts.items() if fact},
        notify=ask.act is not ResponseAct.NOTE,
    )  # fmt: skip
