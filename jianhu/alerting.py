"""``jianhu alerts``: the alert desk on the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from alerts.desk import Alert, Desk, Filters, NotSigned, Part, Signature
from alerts.events import Fact
from alerts.journal import MACHINE, Journal, open_journal
from alerts.rules import Kind
from alerts.states import State, WrongTransition
from alerts.texts import Language, Priority, Word, because, bound_shown, peak_shown, title, word
from dashboards.events import alert_data
from dashboards.plain import why_data
from dashboards.render import alert_word, clock_label, row_label, short_time
from jianhu.assembly import Assembly
from jianhu.parts import is_running, running_settings, wall_ms
from jianhu.settings import parse_settings
from sensors.clock import BEIJING, ms_of
from sensors.errors import ConfigError, UnknownName
from sensors.factors import load_factors

EXIT_NOT_DONE: Final = 1
"""Something that was asked for is not there, or the state does not allow it; what could be done was done."""
_MOST: Final = 500
alerts_app = typer.Typer(no_args_is_help=True)
Folder = Annotated[Path | None, typer.Option("--dir", help="Folder of a `jianhu up`; else the settings say where.")]
Json = Annotated[bool, typer.Option("--json", help="Answer as JSON, one document, times in milliseconds UTC.")]
Tongue = Annotated[Language, typer.Option("--language", help="zh or en.")]
Author = Annotated[str, typer.Option("--author", help="Who does this; stands in the history for ever.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="Id of the alert.")]
Ids = Annotated[list[str], typer.Argument(metavar="ID…", help="Ids of alerts.")]
Note = Annotated[str, typer.Option("--note", help="What was found or done; stands in the history.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a command works with."""

    parts: Assembly
    journal: Journal
    desk: Desk
    language: Language

    def place(self, site: str) -> str:
        """Return a site's id with its name, where the registry is at hand and has it."""
        if not self.parts.settings.registry_path.exists():
            return site
        found = self.parts.registry.get(site)
        if found is None:
            return site
        return f"{site} {found.name_zh if self.language is Language.ZH else found.name_en or found.name_zh}"


@contextmanager
def opened(directory: Path | None, language: Language = Language.EN) -> Iterator[Work]:
    """Open the alert journal of a system, that of a running `jianhu up` by its folder.

    Raises
    ------
    ConfigError
        When there is no journal: reading makes none.
    StoreError
        When its database does not answer.
    """
    settings = parse_settings(os.environ)
    if directory is not None:
        running = is_running(directory)
        settings = running_settings(directory, settings) if running else replace(settings, dir=directory)
    file = settings.dir / "alerts.sqlite"
    if not settings.alerts_url and not file.exists():
        raise ConfigError(
            file=str(file), line=None, key="", problem="there are no alerts here",
            mend="name the folder of a `jianhu up` with --dir, or set JIANHU_ALERTS_URL",
        )  # fmt: skip
    journal = open_journal(settings.alerts_database, wall_ms)
    try:
        yield Work(parts=Assembly(settings), journal=journal, desk=Desk(journal), language=language)
    finally:
        journal.close()


def say(text: str) -> None:
    """Print a line without anything that a terminal would act on: names come from outside."""
    typer.echo("".join(letter if letter.isprintable() else "?" for letter in text))


def say_json(data: Any) -> None:
    """Print data as one JSON document."""
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2))


def decimals() -> Mapping[str, int]:
    """Return the digits after the point that the standard reports, by factor of air."""
    return {symbol: factor.decimals for symbol, factor in load_factors("air").items()}


@alerts_app.command(name="list")
def list_alerts(
    site: Annotated[list[str] | None, typer.Option(help="Only of these sites.")] = None,
    rule: Annotated[list[str] | None, typer.Option(help="Only of these rules.")] = None,
    factor: Annotated[list[str] | None, typer.Option(help="Only of these factors.")] = None,
    kind: Annotated[list[Kind] | None, typer.Option(help="Only of these kinds of rules.")] = None,
    state: Annotated[list[State] | None, typer.Option(help="Only in these states.")] = None,
    fact: Annotated[list[Fact] | None, typer.Option(help="Only with these facts.")] = None,
    since: Annotated[datetime | None, typer.Option("--from", help="Lasting beyond this, Beijing time.")] = None,
    until: Annotated[datetime | None, typer.Option("--to", help="Begun before this, Beijing time.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Closed ones too, newest first.")] = False,
    backfilled: Annotated[bool, typer.Option("--backfilled", help="Those raised on old data (补录).")] = False,
    limit: Annotated[int, typer.Option(min=1, max=_MOST)] = 100,
    cursor: Annotated[int | None, typer.Option(help="Where the page before ended.")] = None,
    directory: Folder = None,
    as_json: Json = False,
    language: Tongue = Language.EN,
) -> None:
    """List what waits for somebody: unacknowledged first, then urgent, then newest; or search all."""
    filters = Filters(
        sites=tuple(site or ()),
        rules=tuple(rule or ()),
        factors=tuple(factor or ()),
        kinds=tuple(kind or ()),
        states=tuple(state or ()),
        facts=tuple(fact or ()),
        backfilled=True if backfilled else None,
        start_ms=None if since is None else ms_of(since.replace(tzinfo=BEIJING)),
        end_ms=None if until is None else ms_of(until.replace(tzinfo=BEIJING)),
    )
    plain = filters == Filters(backfilled=filters.backfilled) and not every and cursor is None
    with opened(directory, language) as work:
        if plain:
            found = work.desk.open_events(Part.BACKFILLED if backfilled else Part.NOW, limit)
            following = None
        else:
            page = work.desk.events(filters, limit, cursor)
            found, following = page.alerts, page.cursor
        if as_json:
            say_json({"alerts": [alert_data(alert, decimals()) for alert in found], "cursor": following})
            return
        for alert in found:
            say(line_of(alert, work))
        if following is not None:
            say(f"… --cursor {following}")


def line_of(alert: Alert, work: Work) -> str:
    """Return an alert on one line: id, how pressing, state, since when, where, what, and by how much."""
    event, language = alert.event, work.language
    against = bound_shown(event, language)
    worth = "" if event.kind is Kind.NO_DATA else peak_shown(event, language) + (f" / {against}" if against else "")
    told = (
        event.id, word(Priority(event.priority), language), word(event.state, language), short_time(event.start),
        work.place(event.key.site), title(event, language), worth,
    )  # fmt: skip
    return "  ".join(part for part in told if part)


@alerts_app.command()
def show(alert_id: Id, directory: Folder = None, as_json: Json = False, language: Tongue = Language.EN) -> None:
    """Show one alert: what, where, since when, how far over, and who signed."""
    with opened(directory, language) as work:
        alert = _found(lambda: work.desk.event(alert_id))
        if as_json:
            say_json(alert_data(alert, decimals()))
            return
        for name, text in facts_of(alert, work):
            say(f"{name:>12}  {text}")


def facts_of(alert: Alert, work: Work) -> Iterator[tuple[str, str]]:
    """Yield what is known of an alert, named."""
    event, language = alert.event, work.language
    bound = alert.bound
    until = "" if event.end is None else clock_label(event.end)
    yield "id", event.id
    yield "site", work.place(event.key.site)
    yield "alert", title(event, language)
    yield "priority", word(Priority(event.priority), language)
    yield "state", f"{word(event.state, language)} · {word(event.fact, language)}"
    yield "span", f"{clock_label(event.start)} – {until}"
    yield "because", because(event.peak, event.kind, event.key.factor, language)
    if bound is not None and (bound.standard or bound.clause):
        yield "standard", " ".join(part for part in (bound.standard, bound.table, bound.clause, bound.edition) if part)
    yield "rule", event.key.rule
    for name, signed in (("acknowledged", alert.acknowledged), ("closed", alert.closed)):
        if signed is not None:
            yield name, _signed(signed)
    if alert.note:
        yield "note", alert.note


def _signed(signed: Signature) -> str:
    return f"{signed.author}, {clock_label(signed.at)}"


@alerts_app.command()
def why(alert_id: Id, directory: Folder = None, as_json: Json = False, language: Tongue = Language.EN) -> None:
    """Say why an alert was raised: each row with its inputs, limits with their clause, and the whole history."""
    with opened(directory, language) as work:
        found = _found(lambda: work.desk.why(alert_id))
        if as_json:
            say_json(why_data(found, decimals()))
            return
        event = found.alert.event
        for name, text in facts_of(found.alert, work):
            say(f"{name:>12}  {text}")
        said = because(found.raised_by, event.kind, event.key.factor, language)
        say(f"{'raised by':>12}  {row_label(found.raised_by)}  {said}")
        say(f"{'inputs':>12}  {found.raised_by.inputs} · pack {found.raised_by.pack}")
        for point in found.points:
            say(f"{'row':>12}  {row_label(point)}  {because(point, event.kind, event.key.factor, language)}")
        for step in found.steps:
            author = word(Word.MACHINE, language) if step.author == MACHINE else step.author
            reason = _reason(step.reason, language)
            say(f"{'step':>12}  {clock_label(step.at)}  {author}  {word(step.kind, language)}  {reason}".rstrip())


def _reason(reason: str, language: Language) -> str:
    """Return a step's reason: a word of ours where it is a code, else as the person wrote it."""
    try:
        return alert_word(reason, language) if reason else ""
    except ValueError:
        return reason


@alerts_app.command()
def ack(
    alert_ids: Ids, author: Author, directory: Folder = None, as_json: Json = False, language: Tongue = Language.EN
) -> None:
    """Acknowledge alerts: a named person has taken notice."""
    with opened(directory, language) as work:
        _act(alert_ids, lambda one: work.desk.acknowledge(one, author, wall_ms()), work, as_json=as_json)


@alerts_app.command()
def close(
    alert_ids: Ids,
    author: Author,
    note: Note,
    directory: Folder = None,
    as_json: Json = False,
    language: Tongue = Language.EN,
) -> None:
    """Close acknowledged alerts with a note of what was found or done."""
    with opened(directory, language) as work:
        _act(alert_ids, lambda one: work.desk.close(one, author, note, wall_ms()), work, as_json=as_json)


def _act(ids: Sequence[str], act: Callable[[str], Alert], work: Work, *, as_json: bool) -> None:
    """Do something to each alert, say what became of it, and end with 1 when any was refused."""
    done: list[Alert] = []
    refused: list[dict[str, str]] = []
    for one in ids:
        try:
            done.append(act(one))
        except (UnknownName, WrongTransition, NotSigned) as error:
            reason = word(error.reason, work.language) if isinstance(error, WrongTransition) else str(error)
            refused.append({"id": one, "refused": reason})
    if as_json:
        say_json({"done": [alert_data(alert, decimals()) for alert in done], "refused": refused})
    else:
        for alert in done:
            say(line_of(alert, work))
        for one_refused in refused:
            typer.echo(f"{clean(one_refused['id'])}: {clean(one_refused['refused'])}", err=True)
    if refused:
        raise typer.Exit(EXIT_NOT_DONE)


def clean(text: str) -> str:
    """Return a text without anything that a terminal would act on."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _found(ask: Callable[[], Any]) -> Any:
    """Return what a question gives; end with 1 when there is no such thing."""
    try:
        return ask()
    except UnknownName as error:
        typer.echo(clean(str(error)), err=True)
        raise typer.Exit(EXIT_NOT_DONE) from error
