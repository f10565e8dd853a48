"""``jianhu alerts`` beyond single alerts: cases, silences, routes, messages and shift handovers."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
import typer

from alerts.cases.evidence import Evidence, EvidenceKind
from alerts.cases.life import ActIncomplete, Ask
from alerts.cases.record import Case
from alerts.cases.states import CaseAct, Verdict, WrongCaseAct
from alerts.cases.texts import case_word, why_refused
from alerts.desk import NotSigned
from alerts.handover.book import Handover, NotTaken
from alerts.notices.matchers import BadMatcher
from alerts.notices.silencedesk import Wish
from alerts.notices.silences import BadSilence, Silence
from alerts.people import Tier
from alerts.routing import Recipient, route
from alerts.subjects import subject_of_site
from alerts.texts import Language
from dashboards.office import Office
from dashboards.plain import case_data, file_data, handover_data, silence_data
from dashboards.render import clock_label
from dashboards.texts import load_catalogue
from jianhu.alerting import (
    EXIT_NOT_DONE,
    Author,
    Folder,
    Json,
    Note,
    Tongue,
    Work,
    alerts_app,
    clean,
    decimals,
    opened,
    say,
    say_json,
)
from jianhu.parts import load_alert_people, office_over, wall_ms
from sensors.clock import BEIJING, HOUR_MS, ms_of
from sensors.errors import UnknownName

CaseId = Annotated[str, typer.Argument(metavar="CASE", help="Id of the case, or of one of its alerts.")]
Party = Annotated[str, typer.Option("--party", help="For whom: area:…, department:… or other:…; empty: the desk.")]
Due = Annotated[datetime | None, typer.Option("--due", help="Until when, Beijing time; else as the policy says.")]
Files = Annotated[
    list[str] | None,
    typer.Option("--evidence", help="kind:value, for a file file:name:sha256; may stand several times."),
]
_REFUSED: Final = (WrongCaseAct, ActIncomplete, UnknownName, NotSigned, NotTaken, BadMatcher, BadSilence)


def office_of(work: Work) -> Office:
    """Return the office over the journal that a command opened."""
    return office_over(work.parts, work.journal)


def _case_of(office: Office, name: str) -> str:
    """Return the id of a case, found by its own or by one of its events."""
    found = office.cases.of_event(name)
    return name if found is None else found.id


def _act(work: Work, name: str, ask: Ask, *, as_json: bool) -> None:
    office = office_of(work)
    try:
        after = office.cases.act(_case_of(office, name), ask)
    except (WrongCaseAct, ActIncomplete) as error:
        _refuse(why_refused(error, work.language), as_json=as_json)
    except UnknownName as error:
        _refuse(str(error), as_json=as_json)
    else:
        if as_json:
            say_json(case_data(after, wall_ms()))
        else:
            say(line_of(after, office, work.language))


def _refuse(why: str, *, as_json: bool) -> None:
    if as_json:
        say_json({"refused": why})
    else:
        typer.echo(clean(why), err=True)
    raise typer.Exit(EXIT_NOT_DONE)


def line_of(case: Case, office: Office, language: Language) -> str:
    """Return a case on one line: id, state, verdict, place, owner, deadline."""
    due = "" if case.due_at is None else f"{clock_label(case.due_at)}"
    owner = office.party_name(case.owner, language) if case.owner else ""
    told = (
        case.id, case_word(case.state, language), case_word(case.verdict, language), case.place, case.rule, owner, due,
    )  # fmt: skip
    return "  ".join(part for part in told if part)


def evidence_of(texts: Iterable[str]) -> tuple[Evidence, ...]:
    """Return what ``kind:value`` and ``file:name:sha256`` say.

    Raises
    ------
    typer.BadParameter
        When a kind is unknown.
    """
    found = []
    for text in texts:
        kind, _, value = text.partition(":")
        if kind not in tuple(EvidenceKind) or not value:
            raise typer.BadParameter(f"{text!r}: write kind:value, kind one of {', '.join(EvidenceKind)}")
        name, _, digest = value.rpartition(":") if kind == EvidenceKind.FILE else (value, "", "")
        found.append(Evidence(kind=EvidenceKind(kind), value=name or value, sha256=digest if name else ""))
    return tuple(found)


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else ms_of(moment.replace(tzinfo=BEIJING))


@alerts_app.command()
def case(name: CaseId, directory: Folder = None, as_json: Json = False, language: Tongue = Language.EN) -> None:
    """Show the file of a case: state, deadline, parties, history and what may be done with it."""
    with opened(directory, language) as work:
        office = office_of(work)
        try:
            file = office.cases.case(_case_of(office, name))
        except UnknownName as error:
            _refuse(str(error), as_json=as_json)
            return
        if as_json:
            say_json(file_data(file, wall_ms(), decimals()))
            return
        say(line_of(file.case, office, language))
        for party in file.parties:
            signed = party.acknowledged_by or "–"
            say(f"{'party':>12}  {office.party_name(party.id, language)}  {case_word(party.role, language)}  {signed}")
        for step in file.steps:
            done = f"{step.author}  {case_word(step.kind, language)}  {step.reason}".rstrip()
            say(f"{'step':>12}  {clock_label(step.at)}  {done}")
        say(f"{'may be done':>12}  {', '.join(case_word(act, language) for act in file.acts)}")


@alerts_app.command()
def verify(
    name: CaseId,
    author: Author,
    note: Note,
    verdict: Annotated[Verdict, typer.Option("--verdict", help="What it was found to be.")],
    evidence: Files = None,
    directory: Folder = None,
    as_json: Json = False,
    language: Tongue = Language.EN,
) -> None:
    """Say what a case was found to be: true, data_fault or planned."""
    pieces = evidence_of(evidence or ())
    ask = Ask(act=CaseAct.VERIFY, author=author, at=wall_ms(), note=note, verdict=verdict, evidence=pieces)
    with opened(directory, language) as work:
        _act(work, name, ask, as_json=as_json)


@alerts_app.command(name="hand-over")
def hand_over(
    name: CaseId,
    author: Author,
    note: Note,
    to: Annotated[str, typer.Option("--to", help="area:…, department:…, or anybody by name.")],
    due: Due = None,
    directory: Folder = None,
    as_json: Json = False,
    language: Tongue = Language.EN,
) -> None:
    """Give a case to who is to put it right; also back to him, when that was not enough."""
    known = to.partition(":")[0] in {"area", "department", "other"}
    ask = Ask(
        act=CaseAct.HAND_OVER,
        author=author,
        at=wall_ms(),
        note=note,
        to=to if known else f"other:{to}",
        due_at=_ms(due),
    )
    with opened(directory, language) as work:
        _act(work, name, ask, as_json=as_json)


@alerts_app.command()
def urge(
    name: CaseId,
    author: Author,
    note: Note,
    due: Due = None,
    directory: Folder = None,
    as_json: Json = False,
    language: Tongue = Language.EN,
) -> None:
    """Urge who was to put it right and did not in time."""
    ask = Ask(act=CaseAct.URGE, author=author, at=wall_ms(), note=note, due_at=_ms(due))
    with opened(directory, language) as work:
        _act(work, name, ask, as_json=as_json)


def _plain(act: CaseAct, told: str) -> Any:
    """Return the command of an act that brings a note and evidence."""

    def command(
        name: CaseId,
        author: Author,
        note: Note = "",
        evidence: Files = None,
        party: Party = "",
        directory: Folder = None,
        as_json: Json = False,
        language: Tongue = Language.EN,
    ) -> None:
        pieces = evidence_of(evidence or ())
        ask = Ask(act=act, author=author, at=wall_ms(), note=note, evidence=pieces, party=party)
        with opened(directory, language) as work:
            _act(work, name, ask, as_json=as_json)

    command.__doc__ = told
    return command


for _act_of, _help in (
    (CaseAct.RECTIFY, "Note that a case was put right, with evidence."),
    (CaseAct.REPORT, "Note that what was found and done was reported."),
    (CaseAct.WRITE_OFF, "Write a case off (销号); its alerts are closed with it."),
    (CaseAct.REOPEN, "Open a case again that was written off."),
    (CaseAct.NOTE, "Add a note or evidence to a case; its state stays."),
    (CaseAct.ACKNOWLEDGE, "Acknowledge a case for one of its parties, or for the desk; its alerts with it."),
):
    _name = "take-notice" if _act_of is CaseAct.ACKNOWLEDGE else str(_act_of).replace("_", "-")
    alerts_app.command(name=_name)(_plain(_act_of, _help))


@alerts_app.command()
def cases(directory: Folder = None, as_json: Json = False, language: Tongue = Language.EN) -> None:
    """List the open cases in the order of the desk: urgent first, then what nobody has, then what is overdue."""
    with opened(directory, language) as work:
        office, now = office_of(work), wall_ms()
        found = office.cases.open_cases(now, limit=500)
        if as_json:
            say_json([case_data(one, now) for one in found])
            return
        for one in found:
            say(line_of(one, office, language))


@alerts_app.command(name="route")
def route_command(
    site: Annotated[str, typer.Argument(metavar="SITE", help="Id of a site of the registry.")],
    priority: Annotated[int, typer.Option(min=1, max=4, help="Of the alert.")] = 3,
    tier: Annotated[Tier | None, typer.Option(help="The rung that it climbed to; else the site's own level.")] = None,
    at: Annotated[datetime | None, typer.Option("--at", help="When, Beijing time; else now.")] = None,
    directory: Folder = None,
    as_json: Json = False,
    language: Tongue = Language.EN,
) -> None:
    """Say who would be told of an alert of a site, and why; 1 when nobody owns it."""
    with opened(directory, language) as work:
        registry, people = work.parts.registry, load_alert_people(work.parts)
        found = registry.get(site)
        if found is None:
            _refuse(f"the registry has no {site!r}", as_json=as_json)
            return
        moment = _ms(at) or wall_ms()
        way = route(subject_of_site(site, found.kind, priority, registry, moment), people, moment, tier)
        if as_json:
            say_json(msgspec.to_builtins(way))
        else:
            for one in way.recipients:
                say(_told(one, language))
            for lost in way.missing:
                say(f"missing: {lost.gap} {lost.where}")
        if not way.owned or not way.recipients:
            raise typer.Exit(EXIT_NOT_DONE)


def _told(one: Recipient, language: Language) -> str:
    name = one.person.name_zh if language is Language.ZH else one.person.name_en or one.person.name_zh
    office = "" if one.department is None else one.department.name_zh
    why = "; ".join(
        " ".join(part for part in (str(w.role), str(w.hit), w.where, w.rota and f"rota {w.rota}") if part)
        for w in one.why
    )
    return "  ".join(
        part for part in (one.person.id, name, office, str(one.tier), ", ".join(one.person.addresses), why) if part
    )


@alerts_app.command()
def silence(
    matchers: Annotated[list[str], typer.Argument(metavar="MATCHER…", help='Like site="A"; all must fit.')],
    author: Author,
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
    hours: Annotated[float, typer.Option("--hours", min=0.01, max=2160, help="For how long.")] = 4,
    directory: Folder = None,
    as_json: Json = False,
) -> None:
    """Mute messages that fit; what is urgent is never muted."""
    now = wall_ms()
    wish = Wish(
        matchers=tuple(matchers), author=author, reason=reason, starts_at=now, ends_at=now + round(hours * HOUR_MS)
    )
    with opened(directory) as work:
        try:
            _say_silence(office_of(work).silences.add(wish, now), as_json=as_json)
        except _REFUSED as error:
            _refuse(str(error), as_json=as_json)


@alerts_app.command()
def silences(directory: Folder = None, as_json: Json = False) -> None:
    """List the silences that have not ended."""
    with opened(directory) as work:
        now = wall_ms()
        found = office_of(work).silences.silences(now)
        if as_json:
            say_json([silence_data(one, now) for one in found])
            return
        for one in found:
            _say_silence(one, as_json=False)


@alerts_app.command()
def expire(
    silence_id: Annotated[str, typer.Argument(metavar="SILENCE")],
    author: Author,
    reason: Annotated[str, typer.Option("--reason", help="Why it ends early.")],
    directory: Folder = None,
    as_json: Json = False,
) -> None:
    """End a silence before its time; it stays on the list."""
    with opened(directory) as work:
        try:
            _say_silence(office_of(work).silences.expire(silence_id, author, reason, wall_ms()), as_json=as_json)
        except _REFUSED as error:
            _refuse(str(error), as_json=as_json)


def _say_silence(one: Silence, *, as_json: bool) -> None:
    now = wall_ms()
    if as_json:
        say_json(silence_data(one, now))
        return
    matchers = " ".join(str(matcher) for matcher in one.matchers)
    say(f"{one.id}  {one.state(now)}  {matchers}  {one.author}: {one.reason}  until {clock_label(one.ends_at)}")


@alerts_app.command()
def preview(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="raised, cleared, digest, case_step, …")],
    directory: Folder = None,
    language: Tongue = Language.ZH,
) -> None:
    """Show a message as it would be sent; nothing is sent and nothing is written."""
    from alerts.notify.trials import render_preview  # noqa: PLC0415
    from alerts.notify.wording import Wording  # noqa: PLC0415
    from jianhu.stewarding import console_address, load_alert_sending  # noqa: PLC0415

    with opened(directory, language) as work:
        sending = load_alert_sending(work.parts)
        wording = Wording(sending.templates, console_address(work.parts.settings, sending), None)
        try:
            message = render_preview(
                wording, kind, wall_ms(), language=language.value, synthetic=work.parts.registry.synthetic
            )
        except UnknownName as error:
            _refuse(str(error), as_json=False)
            return
        say(message.subject)
        for line in message.text.splitlines():
            say(line)


@alerts_app.command(name="test-send")
def send_test(
    channel: Annotated[str, typer.Argument(help="Name of a channel of notices.yaml.")],
    address: Annotated[str, typer.Argument(help="To whom, as the channel writes it.")],
    directory: Folder = None,
    as_json: Json = False,
    language: Tongue = Language.ZH,
) -> None:
    """Send a marked test message right now, beside the queue, and say what the channel said."""
    from alerts.notify.channels import Outcome  # noqa: PLC0415
    from alerts.notify.making import make_routes  # noqa: PLC0415
    from alerts.notify.trials import send_trial  # noqa: PLC0415
    from alerts.notify.wording import Wording  # noqa: PLC0415
    from jianhu.stewarding import console_address, load_alert_sending  # noqa: PLC0415

    with opened(directory, language) as work:
        sending, settings = load_alert_sending(work.parts), work.parts.settings
        routes = make_routes(sending.channels, settings.dir, os.environ, wall_ms)
        wording = Wording(sending.templates, console_address(settings, sending), None)
        try:
            trial = send_trial(
                routes, wording, channel, address, wall_ms(), language=language.value,
                synthetic=work.parts.registry.synthetic,
            )  # fmt: skip
        except UnknownName as error:
            _refuse(str(error), as_json=as_json)
            return
        if as_json:
            say_json({"outcome": trial.answer.outcome, "detail": trial.answer.detail})
        else:
            say(f"{trial.answer.outcome}  {trial.answer.detail}")
        if trial.answer.outcome not in {Outcome.SENT, Outcome.RECEIVED}:
            raise typer.Exit(EXIT_NOT_DONE)


@alerts_app.command(name="shift")
def shift(directory: Folder = None, as_json: Json = False, language: Tongue = Language.EN) -> None:
    """Show how it stands for a handover of the shift (交接班), and the handover that waits for a signature."""
    with opened(directory, language) as work:
        office = office_of(work)
        content, newest = office.draft(wall_ms()), office.book.newest()
        waits = newest if newest is not None and newest.taking is None else None
        if as_json:
            waiting = None if waits is None else handover_data(waits)
            say_json({"now": msgspec.to_builtins(content), "waiting": waiting})
            return
        words = load_catalogue(language)
        say(words.text("handover.counts", waiting=content.waiting, in_hand=content.in_hand))
        for name, count in (
            ("cases", content.cases_total), ("silent", len(content.silent)), ("silences", len(content.silences)),
            ("marks", len(content.marks)),
        ):  # fmt: skip
            say(f"{words.text(f'handover.{name}')}: {count}")
        if waits is not None:
            say(f"{words.text('handover.waiting_for')}: {waits.number} {waits.giving.author}")


@alerts_app.command(name="shift-give")
def shift_give(author: Author, note: Note = "", directory: Folder = None, as_json: Json = False) -> None:
    """Freeze how it stands with a note, and sign it as the person who goes."""
    with opened(directory) as work:
        office, now = office_of(work), wall_ms()
        try:
            _say_handover(office.book.give(office.draft(now, note), author, now), as_json=as_json)
        except _REFUSED as error:
            _refuse(str(error), as_json=as_json)


@alerts_app.command(name="shift-take")
def shift_take(
    number: Annotated[int, typer.Argument(help="Of the handover.")],
    author: Author,
    note: Note = "",
    directory: Folder = None,
    as_json: Json = False,
) -> None:
    """Sign a handover as the person who comes, with a remark where something is not as it is told."""
    with opened(directory) as work:
        try:
            _say_handover(office_of(work).book.take(number, author, wall_ms(), note), as_json=as_json)
        except _REFUSED as error:
            _refuse(str(error), as_json=as_json)


def _say_handover(one: Handover, *, as_json: bool) -> None:
    if as_json:
        say_json(handover_data(one))
        return
    taken = "" if one.taking is None else f" → {one.taking.author}"
    say(f"{one.number}  {clock_label(one.content.at)}  {one.giving.author}{taken}  {one.proof}  {one.sealed}")
