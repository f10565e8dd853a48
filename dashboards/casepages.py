"""The file of a case on one page, with the forms of what may be done with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from alerts.cases.casefile import CaseFile
from alerts.cases.evidence import Evidence, EvidenceKind, Lack
from alerts.cases.life import ActIncomplete, Ask
from alerts.cases.record import Case, CaseStep, Need, Party
from alerts.cases.states import CaseAct, CaseReason, CaseState, Verdict, WrongCaseAct
from alerts.desk import HistoryStep, Why
from alerts.journal import MACHINE
from dashboards.casechart import case_chart
from dashboards.console import Console, catalogue_of, console_of
from dashboards.deskapi import is_event_id
from dashboards.forms import all_of, moment_of, text_of
from dashboards.keeper import Kept
from dashboards.office import Office
from dashboards.render import island
from dashboards.visitor import clean_author, remember_author, visitor_of
from sensors.errors import UnknownName

router = APIRouter(include_in_schema=False)
_PRIMARY: Final[Mapping[CaseState, tuple[CaseAct, ...]]] = {
    CaseState.RAISED: (CaseAct.ACKNOWLEDGE,),
    CaseState.ACKNOWLEDGED: (CaseAct.VERIFY,),
    CaseState.VERIFIED: (CaseAct.HAND_OVER, CaseAct.WRITE_OFF),
    CaseState.HANDED_OVER: (CaseAct.RECTIFY,),
    CaseState.URGED: (CaseAct.RECTIFY,),
    CaseState.RECTIFIED: (CaseAct.REPORT,),
    CaseState.REPORTED: (CaseAct.WRITE_OFF,),
    CaseState.WRITTEN_OFF: (),
}
"""What a case waits for in each state, the usual first."""
LIFE: Final = (
    CaseState.RAISED, CaseState.ACKNOWLEDGED, CaseState.VERIFIED, CaseState.HANDED_OVER, CaseState.RECTIFIED,
    CaseState.REPORTED, CaseState.WRITTEN_OFF,
)  # fmt: skip
"""The way of a case; urged stands where handed over does."""


def office_of(console: Console) -> Office:
    """Return the office; the routes of the desk are there only with one."""
    assert console.office is not None  # noqa: S101 - see dashboards.app
    return console.office


def next_act(case: Case, acts: Iterable[CaseAct] = tuple(CaseAct)) -> CaseAct | None:
    """Return what a case waits for; None when nothing of it may be done."""
    allowed = set(acts)
    if case.state is CaseState.VERIFIED and case.verdict in {Verdict.DATA_FAULT, Verdict.PLANNED}:
        return CaseAct.WRITE_OFF
    return next((act for act in _PRIMARY[case.state] if act in allowed), None)


def signs_at_once(case: Case) -> bool:
    """Return whether one name is enough: where every party signs for itself, the file asks for whom."""
    return case.need is Need.ANY


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a case's history: of the case, or of one of its events."""

    number: int
    step: CaseStep | HistoryStep
    about: str
    """``case``, or the id of the event."""

    @property
    def of_case(self) -> bool:
        """Whether it is a step of the case."""
        return isinstance(self.step, CaseStep)

    @property
    def by_machine(self) -> bool:
        """Whether no person did it."""
        return self.step.author == MACHINE


def history_of(file: CaseFile) -> tuple[Entry, ...]:
    """Return the steps of a case and of its events as one history, newest first."""
    entries = [Entry(number=step.number, step=step, about="case") for step in file.steps]
    entries += [Entry(number=step.number, step=step, about=why.alert.id) for why in file.events for step in why.steps]
    return tuple(sorted(entries, key=lambda entry: entry.number, reverse=True))


def lead_of(file: CaseFile) -> Why | None:
    """Return the event that names a case: the one that opened it, or else the most pressing of those that are told."""
    opener = next((why for why in file.events if why.alert.id == file.case.opened_by), None)
    return opener or min(file.events, key=lambda why: why.alert.event.priority, default=None)


@router.get("/cases/{case_id}")
async def case(request: Request, case_id: str) -> HTMLResponse:
    """Answer with the file of a case."""
    return await _case(request, case_id, "case.html")


@router.get("/parts/cases/{case_id}")
async def case_part(request: Request, case_id: str) -> HTMLResponse:
    """Answer with the changing part of a case's file."""
    return await _case(request, case_id, "_case.html")


async def read_case(console: Console, case_id: str) -> Kept[CaseFile | None]:
    """Return the file of a case, or how it looked when the desk last answered; None when there is none."""
    office = office_of(console)

    def ask() -> CaseFile | None:
        try:
            return office.cases.case(case_id)
        except UnknownName:
            return None

    return await console.keeper.read(("case", case_id), ask)


async def _case(request: Request, case_id: str, template: str, lack: str = "", status: int = 200) -> HTMLResponse:
    console, office = console_of(request), office_of(console_of(request))
    if not is_event_id(case_id):
        return console.page(request, "lost.html", status=404, what="case.not_found")
    kept = await read_case(console, case_id)
    file = kept.value
    if kept.fresh and file is None:
        return console.page(request, "lost.html", status=404, what="case.not_found")
    language = visitor_of(request).language
    lead = None if file is None else lead_of(file)
    chart = None if file is None else await case_chart(console, lead, file.events, catalogue_of(request))
    first = None if file is None else next_act(file.case, file.acts)
    return console.page(
        request,
        template,
        status=status,
        case_id=case_id,
        kept=kept,
        file=file,
        lead=lead,
        history=() if file is None else history_of(file),
        life=LIFE,
        island=None if chart is None else island(chart),
        panel=None if chart is None else chart["panels"][0],
        acts=() if file is None else _in_order(file.acts, first),
        first=first,
        owed=office.policy.owed,
        parties=office.known_parties(),
        party=lambda one: office.party_name(one, language),
        evidence_kinds=tuple(EvidenceKind),
        verdicts=tuple(one for one in Verdict if one is not Verdict.OPEN),
        waiting=() if file is None else _unsigned(file.parties),
        people=office.people.persons,
        lack=lack,
    )


def _in_order(acts: Sequence[CaseAct], first: CaseAct | None) -> tuple[CaseAct, ...]:
    return tuple(sorted(acts, key=lambda act: (act is not first, list(CaseAct).index(act))))


def _unsigned(parties: Iterable[Party]) -> tuple[Party, ...]:
    return tuple(party for party in parties if party.acknowledged_at is None)


@router.post("/cases/{case_id}")
async def act_on_case(request: Request, case_id: str) -> Response:
    """Do something with a case from one of the forms of its file."""
    console, form = console_of(request), await request.form()
    name = clean_author(text_of(form, "author")) or visitor_of(request).author
    if not is_event_id(case_id) or text_of(form, "act") not in tuple(CaseAct):
        return console.page(request, "lost.html", status=404, what="case.not_found")
    try:
        asked = ask_of(form, name, console.wall())
    except ValueError:
        return await _refused(request, case_id, Lack.DUE)
    done = await act_now(console, case_id, asked)
    if not done.fresh:
        return console.page(request, "lost.html", status=503, what="banner.desk_silent")
    if isinstance(done.value, Case):
        response = RedirectResponse(f"/cases/{done.value.id}", status_code=303)
        remember_author(response, name)
        return response
    return await _refused(request, case_id, done.value)


async def _refused(request: Request, case_id: str, why: Lack | CaseReason | None) -> Response:
    words = catalogue_of(request)
    match why:
        case Lack():
            return await _case(
                request, case_id, "case.html", lack=words.text("case.lacks", lack=words.text(f"lack.{why}")), status=422
            )
        case CaseReason():
            return await _case(request, case_id, "case.html", lack=words.text(f"case_reason.{why}"), status=409)
        case _:
            return console_of(request).page(request, "lost.html", status=404, what="case.not_found")


async def act_now(console: Console, case_id: str, ask: Ask) -> Kept[Case | Lack | CaseReason | None]:
    """Do something with a case: the case after it, what the act lacks, why it is refused, or None for no such case."""

    def do() -> Case | Lack | CaseReason | None:
        try:
            return office_of(console).cases.act(case_id, ask)
        except ActIncomplete as error:
            return error.lacks
        except WrongCaseAct as error:
            return error.reason
        except UnknownName:
            return None

    done = await console.keeper.ask(do)
    await console.watch.look_soon()
    return done


def ask_of(form: FormData, author: str, now: int) -> Ask:
    """Return the act that a form says.

    Raises
    ------
    ValueError
        When a deadline is no time.
    """
    given = [all_of(form, name) for name in ("kind", "value", "sha256")]
    pieces = [
        Evidence(kind=EvidenceKind(kind), value=value.strip(), sha256=sha256.strip().lower())
        for kind, value, sha256 in zip(*given, strict=False)
        if value.strip() and kind in tuple(EvidenceKind)
    ]
    verdict, due = text_of(form, "verdict"), text_of(form, "due")
    return Ask(
        act=CaseAct(text_of(form, "act")),
        author=author,
        at=now,
        note=text_of(form, "note"),
        evidence=tuple(pieces),
        party=text_of(form, "party"),
        verdict=Verdict(verdict) if verdict in tuple(Verdict) else None,
        to=_party(text_of(form, "to")),
        due_at=moment_of(due) if due else None,
    )


def _party(text: str) -> str:
    """Return whom a form names: one of ours by its id, anybody else as ``other:``."""
    known = text.partition(":")[0] in {"area", "department", "other"}
    return text if known or not text else f"other:{text}"
