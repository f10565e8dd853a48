"""``jianhu rules``: what holds on a day, tests of rules, and what other rules would have raised."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from alerts.texts import Language, Priority, title, window_name, word
from jianhu.assembly import Assembly
from jianhu.parts import is_running, load_alert_modes, load_alert_rules, running_settings, wall_ms
from jianhu.settings import Settings, parse_settings
from sensors.clock import BEIJING, DAY_MS, beijing, day_of, ms_of
from sensors.errors import ConfigError

if TYPE_CHECKING:
    from alerts.rules import Rule, Rules
    from jianhu.backtesting import Comparison
    from jianhu.ruletesting import Outcome

EXIT_WRONG: Final = 1
"""A test of a rule failed."""
_SHOWN: Final = 20
"""Events that a back-test names one by one."""
rules_app = typer.Typer(no_args_is_help=True)
Folder = Annotated[Path | None, typer.Option("--dir", help="Folder of a `jianhu up`; else the settings say where.")]
RulesFile = Annotated[
    Path | None, typer.Option("--rules", exists=True, dir_okay=False, help="Rules of this file in their place.")
]
Tongue = Annotated[Language, typer.Option("--language", help="zh or en.")]


@rules_app.command(name="test")
def run_tests(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE…", help="Files of tests; none: those delivered.")
    ] = None,
    rules: RulesFile = None,
    directory: Folder = None,
) -> None:
    """Run tests of rules: series of results, and the events that must follow. Exit code 1 when one fails.

    Kinds of readings, and the modes of a file that names none, are those of the configuration.
    """
    from alerts.modes import load_modes  # noqa: PLC0415
    from jianhu.ruletesting import run_delivered, run_file  # noqa: PLC0415

    outcomes: list[Outcome] = []
    parts = Assembly(_settings(directory))
    held = parts.settings.modes_path
    modes = load_modes(held if files and held.exists() else None)  # areas are those of the tests
    for path in files or ():
        typer.echo(f"{path}:")
        found = run_file(path, rules, parts.kind, modes)
        outcomes += found
        for outcome in found:
            typer.echo(outcome.told())
    if not files:
        outcomes += run_delivered()
        for outcome in outcomes:
            typer.echo(outcome.told())
    failed = sum(not outcome.good for outcome in outcomes)
    typer.echo(f"{len(outcomes) - failed} of {len(outcomes)} tests are good")
    if failed:
        raise typer.Exit(EXIT_WRONG)


@rules_app.command(name="list")
def list_command(
    day: Annotated[
        datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="Beijing day; without it today.")
    ] = None,
    network: Annotated[str, typer.Option("--kind", help="Only of this kind of readings.")] = "",
    directory: Folder = None,
    rules: RulesFile = None,
    language: Tongue = Language.EN,
) -> None:
    """Show the rules that hold on a day, with the seasons of that day and what is controlled in them."""
    parts = Assembly(_settings(directory))
    at = wall_ms() if day is None else ms_of(day.replace(tzinfo=BEIJING))
    held = _rules(parts, rules)
    zh = language is Language.ZH
    for season in (one for one in held.seasons if one.holds(day_of(at))):
        named = season.name_zh if zh else season.name_en
        typer.echo(f"{named}: {', '.join(season.factors)}; {'、'.join(season.trades)} ({season.confidence})")
    table = Table("id", "kind", "of", "window", "factors", "raises after", "priority", "when", "where", box=None)
    for rule in (one for one in held.at(at) if not network or one.network == network):
        table.add_row(*_row(rule, language))
    Console(width=200).print(table)


@rules_app.command()
def backtest(
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First Beijing day.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last Beijing day.")],
    rules: RulesFile = None,
    directory: Folder = None,
    language: Tongue = Language.EN,
) -> None:
    """Say what rules would have raised on the stored results of past days, beside the rules in force."""
    from jianhu.backtesting import Trial, compare, looks, play  # noqa: PLC0415
    from streams.store.sqlite import Access  # noqa: PLC0415

    if last < first:
        raise ConfigError(
            file="command line", line=None, key="--to", problem="lies before --from", mend="give the last day"
        )
    parts = Assembly(_settings(directory))
    start, end = (ms_of(moment.replace(tzinfo=BEIJING)) for moment in (first, last))
    both = (load_alert_rules(parts), _rules(parts, rules))
    plan = looks(both, parts.kind, start, end + DAY_MS)
    shared = (parts.registry, parts.standards, parts.kind, load_alert_modes(parts))
    store = parts.store(Access.READ)
    try:
        with Trial(both[0], *shared) as now, Trial(both[1], *shared) as then, _progress() as bars:
            bar = bars.add_task("judged", total=len(plan))
            for _ in play(store, plan, (now, then)):
                bars.advance(bar)
            _tell(compare(now.events(), then.events()), language)
    finally:
        store.close()


def _settings(directory: Path | None) -> Settings:
    settings = parse_settings(os.environ)
    if directory is None:
        return settings
    return running_settings(directory, settings) if is_running(directory) else replace(settings, dir=directory)


def _rules(parts: Assembly, path: Path | None) -> Rules:
    """Return the rules of a file, else those in force."""
    from alerts.rules import load_rules  # noqa: PLC0415

    if path is None:
        return load_alert_rules(parts)
    registry = parts.registry if parts.settings.registry_path.exists() else None
    return load_rules(path, parts.standards, parts.kind, load_alert_modes(parts), registry)


def _row(rule: Rule, language: Language) -> Sequence[str]:
    after = f"{rule.raise_after} of {rule.raise_of}" if rule.raise_of else str(rule.raise_after)
    when = [rule.season.id if rule.season is not None else "", rule.mode]
    where = [*rule.sites, *rule.areas, *rule.classes, *(str(one) for one in rule.function_classes)]
    where += [f"{name}: {'/'.join(sorted(values))}" for name, values in rule.where.items()]
    named = rule.name_zh if language is Language.ZH else rule.name_en
    factors = ", ".join(rule.factors) or "*"
    return (
        f"{rule.id} {named}".strip(), word(rule.kind, language), rule.network, window_name(rule.told_window, language),
        factors, after, word(Priority(rule.priority), language), " ".join(one for one in when if one),
        ", ".join(sorted(where)),
    )  # fmt: skip


def _tell(found: Comparison, language: Language) -> None:
    table = Table("rule", "events now", "events then", "of both", "hours now", "hours then", box=None)
    for row in (*found.rows, found.total):
        table.add_row(
            row.rule or "total", str(row.before), str(row.after), str(row.same), f"{row.hours_before:.0f}",
            f"{row.hours_after:.0f}",
        )  # fmt: skip
    Console(width=160).print(table)
    for named, events in (("no more", found.gone), ("new", found.new)):
        for event in events[:_SHOWN]:
            start = beijing(event.start).strftime("%Y-%m-%d %H:%M")
            typer.echo(f"{named}: {start} {event.key.site} {event.key.rule} {title(event, language)}")
        if len(events) > _SHOWN:
            typer.echo(f"{named}: {len(events) - _SHOWN} others")


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
