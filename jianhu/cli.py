"""The command line: ``jianhu --help``."""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
import threading
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from typer.core import TyperGroup
from typer.main import get_group

from jianhu.settings import parse_settings
from sensors.clock import BEIJING, ms_of
from sensors.errors import ConfigError, EdgeError, JianhuError

# Each command imports what it runs: a console needs no Faust, a calculation no Kafka.
if TYPE_CHECKING:
    from jianhu.assembly import Assembly

ChoiceT = TypeVar("ChoiceT", bound=StrEnum)
_HELP = "jianhu 鉴湖: what environmental monitors send, judged by the standards of its day. Start with `jianhu up`."
EXIT_WRONG = 1
"""What was to be checked is wrong."""
EXIT_CONFIG = 2
EXIT_EDGE = 3
app = typer.Typer(no_args_is_help=True, add_completion=True, pretty_exceptions_enable=False, help=_HELP)
calc_app = typer.Typer(no_args_is_help=True, help="Calculate from files, without Kafka.")
app.add_typer(calc_app, name="calc")


class _AlertDesk(TyperGroup):
    """The commands of `jianhu.alerting`, read only when one of them is asked for: they bring the console's words."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands."""
        return self._all().list_commands(ctx)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command by its name."""
        return self._all().get_command(ctx, cmd_name)

    def _all(self) -> TyperGroup:
        import jianhu.casework  # noqa: F401, PLC0415 - its commands join those of alerting
        from jianhu.alerting import alerts_app  # noqa: PLC0415

        return get_group(alerts_app)


app.add_typer(
    typer.Typer(
        cls=_AlertDesk,
        no_args_is_help=True,
        help="The alert desk: list, explain, sign. Exit codes: 0 done, 1 not there or not allowed now, 2 wrong command "
        "or configuration, 3 something does not answer.",
    ),
    name="alerts",
)


class _Rules(_AlertDesk):
    """The commands of `jianhu.ruling`, likewise."""

    def _all(self) -> TyperGroup:
        from jianhu.ruling import rules_app  # noqa: PLC0415

        return get_group(rules_app)


app.add_typer(
    typer.Typer(cls=_Rules, no_args_is_help=True, help="Rules of alerts: list them, test them, try others on history."),
    name="rules",
)
screen = Console(stderr=True)


def _assembly() -> Assembly:
    from jianhu.assembly import Assembly  # noqa: PLC0415

    return Assembly(parse_settings(os.environ))


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)


def _stop_on_signals() -> threading.Event:
    """Return an event that SIGINT and SIGTERM set."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


@app.command()
def up(
    directory: Annotated[Path, typer.Option("--dir", help="Where data and configuration live.")] = Path("jianhu-data"),
    real: Annotated[
        Path | None,
        typer.Option("--real", help="A folder with registry.yaml of a real region: no simulator, own store."),
    ] = None,
    speed: Annotated[float, typer.Option(min=0.01, help="Seconds of simulated data in a second.")] = 1.0,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the console on loopback.")] = 8420,
    duration: Annotated[str, typer.Option("--for", help="Stop by itself after a time, for example 60s or 5m.")] = "",
    wall_clock: Annotated[
        bool,
        typer.Option("--wall-clock/--data-clock", help="With --real: ticks from this machine, or only from feeds."),
    ] = True,
) -> None:
    """Start everything on this machine: broker, feeder, worker, archive, sink, watch, steward and console."""
    from jianhu.up import UpOptions, run_up  # noqa: PLC0415

    options = UpOptions(
        folder=real if real is not None else directory,
        real=real is not None,
        speed=speed,
        port=port,
        stop_after_s=_seconds(duration),
        wall_clock=wall_clock,
    )
    raise typer.Exit(run_up(options, parse_settings(os.environ), screen))


@app.command()
def topics() -> None:
    """Create the topics on a Kafka broker, or check their settings."""
    from streams.topics import create_topics  # noqa: PLC0415

    parts = _assembly()
    bootstrap, names = parts.kafka, parts.topics.all(*parts.kinds)
    created = create_topics(bootstrap, names, partitions=parts.settings.partitions)
    for name in names:
        typer.echo(f"{name}: {'created' if name in created else 'as it should be'}")


@app.command()
def worker() -> None:
    """Judge readings: a Faust worker of the group ``jianhu-judge``."""
    from jianhu.parts import run_worker  # noqa: PLC0415

    run_worker(_assembly())


@app.command()
def archive() -> None:
    """Keep everything that goes over the topics in Parquet segments."""
    from streams.archiver import run_archive  # noqa: PLC0415

    _log_to_stderr()
    parts = _assembly()
    run_archive(parts.archiver(), parts.archive, _stop_on_signals())


@app.command()
def sink() -> None:
    """Write results to the store."""
    from jianhu.parts import run_store_sink  # noqa: PLC0415

    _log_to_stderr()
    run_store_sink(_assembly(), _stop_on_signals())


@app.command()
def watch() -> None:
    """Hold results against the rules, and keep the events."""
    from jianhu.parts import run_alert_watch  # noqa: PLC0415

    _log_to_stderr()
    run_alert_watch(_assembly(), _stop_on_signals())


@app.command()
def steward() -> None:
    """Keep cases and their deadlines, and tell people what they are owed."""
    from jianhu.stewarding import run_steward  # noqa: PLC0415

    _log_to_stderr()
    run_steward(_assembly(), _stop_on_signals())


@app.command()
def console() -> None:
    """Serve the web console."""
    from jianhu.parts import run_console  # noqa: PLC0415

    _log_to_stderr()
    _stop_on_signals()  # uvicorn, once it has stopped, raises the signal again: it must not end us before all is closed
    run_console(_assembly())


@app.command()
def simulate() -> None:
    """Feed the simulated region: 48 h of history at full speed, then live."""
    from jianhu.parts import run_simulation  # noqa: PLC0415

    _log_to_stderr()
    run_simulation(_assembly(), _stop_on_signals())


@app.command(name="tick")
def tick_command() -> None:
    """Keep the stream's clock with this machine's, for a system without a simulator."""
    from jianhu.feeding import keep_ticking  # noqa: PLC0415
    from jianhu.parts import feeder_of  # noqa: PLC0415

    _log_to_stderr()
    keep_ticking(feeder_of(_assembly(), "clock", synthetic=False, stop=_stop_on_signals()))


@app.command()
def recompute(
    kind: Annotated[str, typer.Argument(help="Kind of the readings, for example air.")],
    author: Annotated[str, typer.Option(help="Who asks; stands in the log.")],
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First Beijing day.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last Beijing day.")] = None,
    why: Annotated[str, typer.Option(help="Reason; stands in the log.")] = "",
    site: Annotated[list[str] | None, typer.Option(help="Only these sites; by default all of the kind.")] = None,
    late: Annotated[bool, typer.Option("--late", help="The sites and days of which readings came too late.")] = False,
    directory: Annotated[Path | None, typer.Option("--dir", help="Folder of a running `jianhu up`.")] = None,
) -> None:
    """Judge past days again from all readings of the log; what differs becomes the next revision."""
    from jianhu.assembly import Assembly  # noqa: PLC0415
    from jianhu.parts import running_settings, wall_ms  # noqa: PLC0415
    from jianhu.recomputing import Wish, ask, late_wishes, plan  # noqa: PLC0415

    settings = parse_settings(os.environ)
    parts = Assembly(settings if directory is None else running_settings(directory, settings))
    name = f"recompute-{wall_ms()}"
    if late:
        wishes = tuple(late_wishes(parts, kind, author, name))
    elif first is None or last is None or not why:
        raise ConfigError(
            file="command line", line=None, key="--from", problem="which days, and why?",
            mend="give --from, --to and --why, or --late",
        )  # fmt: skip
    else:
        days = {"first": first.date(), "last": last.date()}
        wishes = (Wish(kind=kind, sites=tuple(site or ()), author=author, why=why, name=name, **days),)
    stop = _stop_on_signals()
    with _progress() as bars:
        for wish in wishes:
            found, whose = plan(wish, parts), ", ".join(wish.sites) or kind
            if not found:
                bars.console.print(f"{whose}: late readings still change these days; ask again later", markup=False)
            bar = bars.add_task(whose, total=len(found))
            for done in ask(wish, found, parts, stop):
                bars.update(bar, advance=1)
                bars.console.print(f"{whose}: judged again up to {done.last}", markup=False)


@app.command()
def feed(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Files to send, plain or .gz.")],
    form: Annotated[str, typer.Option("--format", help="prsa or csv.")] = "csv",
    directory: Annotated[Path | None, typer.Option("--dir", help="Folder of a running `jianhu up`.")] = None,
    since: Annotated[datetime | None, typer.Option(help="First hour, Beijing time.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Up to this hour, Beijing time.")] = None,
) -> None:
    """Send real files through Kafka in the order of their times; a second start goes on where it was."""
    from jianhu.assembly import Assembly  # noqa: PLC0415
    from jianhu.filefeed import FeedPlan, Format, feed_files  # noqa: PLC0415
    from jianhu.parts import feeder_of, running_settings  # noqa: PLC0415
    from sensors.factors import load_factors  # noqa: PLC0415

    chosen = _one_of(Format, form)
    settings = parse_settings(os.environ)
    parts = Assembly(settings if directory is None else running_settings(directory, settings))
    plan = FeedPlan(
        files=tuple(files),
        format=chosen,
        source=f"feed-{chosen}",
        registry=parts.registry,
        factors={kind: load_factors(kind) for kind in parts.kinds},
        memory=parts.settings.dir / "feeds",
        settle_ms=parts.settings.grace_s * 1000,
        durable_to={kind: parts.resume_at(kind, 0) for kind in parts.kinds} if parts.settings.lag_gate else None,
        start_ms=None if since is None else ms_of(since.replace(tzinfo=BEIJING)),
        end_ms=None if until is None else ms_of(until.replace(tzinfo=BEIJING)),
    )
    with _progress() as bars:
        reading, sending = bars.add_task("read rows", total=None), bars.add_task("send hours", total=None)
        report = feed_files(
            plan,
            feeder_of(parts, plan.source, synthetic=False, stop=_stop_on_signals()),
            on_read=lambda rows: bars.advance(reading, rows),
            on_hours=lambda done, every: bars.update(sending, completed=done, total=every),
        )
    if report.resumed_at is not None:
        typer.echo("went on where an earlier feed of these files was stopped")
    typer.echo(f"sent {report.rows} rows of {report.hours} hours; {report.refused} went to the dead letters")


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
        console=screen,
    )  # fmt: skip


@calc_app.command(name="aqi")
def calc_aqi_command(
    source: Annotated[Path, typer.Argument(metavar="IN.csv", exists=True, dir_okay=False)],
    target: Annotated[Path, typer.Option("-o", "--output", metavar="OUT.csv")],
    period: Annotated[str, typer.Option(help="1h or 24h.")] = "1h",
    edition: Annotated[str, typer.Option(help="auto, HJ633-2012 or HJ633-2026.")] = "auto",
    profile: Annotated[str, typer.Option(help="standard or platform.")] = "standard",
    label: Annotated[str, typer.Option(help="Which end of the hour `time` names: end or start.")] = "end",
) -> None:
    """IAQI, AQI, level and primary pollutants of a CSV file.

    Columns: time, site, PM2.5, PM10, SO2, NO2, CO, O3 (for 24h O3_8h in place of O3, and time is the date);
    µg/m³, CO mg/m³; empty = missing, / = not in plan.
    """
    from jianhu.calc.aqi import calc_aqi  # noqa: PLC0415
    from jianhu.calc.items import Period  # noqa: PLC0415
    from sensors.layouts import Label  # noqa: PLC0415
    from streams.air.index import Profile  # noqa: PLC0415

    report = calc_aqi(
        source,
        target,
        period=_one_of(Period, period),
        edition=edition,
        profile=_one_of(Profile, profile),
        label=_one_of(Label, label),
    )
    typer.echo(str(report))


@calc_app.command(name="class")
def calc_class_command(
    source: Annotated[Path, typer.Argument(metavar="IN.csv", exists=True, dir_okay=False)],
    target: Annotated[Path, typer.Option("-o", "--output", metavar="OUT.csv")],
    water: Annotated[str, typer.Option(help="Whose limits: river or lake.")] = "river",
    profile: Annotated[str, typer.Option(help="platform or evaluation.")] = "platform",
) -> None:
    """Water quality class Ⅰ to 劣Ⅴ of a CSV file, with deciding items and multiples over class Ⅲ.

    Columns as the national platform publishes them (断面名称, 监测时间, pH, 溶解氧, 高锰酸盐指数, 氨氮, 总磷, …) or
    English names, units in brackets. platform: five items, unrounded. evaluation: rows are means of periods.
    """
    from jianhu.calc.water import calc_class  # noqa: PLC0415
    from streams.water.standards import Body, Profile  # noqa: PLC0415

    report = calc_class(source, target, body=_one_of(Body, water), profile=_one_of(Profile, profile))
    typer.echo(str(report))


@calc_app.command(name="tli")
def calc_tli_command(
    source: Annotated[Path, typer.Argument(metavar="IN.csv", exists=True, dir_okay=False)],
    target: Annotated[Path, typer.Option("-o", "--output", metavar="OUT.csv")],
) -> None:
    """Trophic level index and grade of lakes and reservoirs in a CSV file.

    Columns: chlorophyll a (叶绿素a, mg/m³ unless a unit stands behind), TP, TN, CODMn (mg/L), transparency (透明度, m).
    """
    from jianhu.calc.tli import calc_tli  # noqa: PLC0415

    typer.echo(str(calc_tli(source, target)))


@calc_app.command(name="daily")
def calc_daily_command(
    source: Annotated[Path, typer.Argument(metavar="IN.csv", exists=True, dir_okay=False)],
    target: Annotated[Path, typer.Option("-o", "--output", metavar="OUT.csv")],
    edition: Annotated[str, typer.Option(help="auto, HJ633-2012 or HJ633-2026.")] = "auto",
    profile: Annotated[str, typer.Option(help="standard or platform.")] = "standard",
    label: Annotated[str, typer.Option(help="Which end of the hour `time` names: end or start.")] = "end",
    zone: Annotated[int, typer.Option(min=1, max=2, help="Class of the zone, whose ozone limit counts.")] = 2,
) -> None:
    """Days of a CSV file of hours: 24 h means, O3 1 h maximum, MDA8, IAQIs, AQI, level, primary pollutants, counts.

    Columns as for `aqi`; what comes out can go into `aqi --period 24h` again.
    """
    from jianhu.calc.daily import calc_daily  # noqa: PLC0415
    from sensors.layouts import Label  # noqa: PLC0415
    from streams.air.index import Profile  # noqa: PLC0415

    report = calc_daily(
        source, target, label=_one_of(Label, label), edition=edition, profile=_one_of(Profile, profile), zone=zone
    )
    typer.echo(str(report))


@calc_app.command(name="load")
def calc_load_command(
    source: Annotated[Path, typer.Argument(metavar="IN.csv", exists=True, dir_okay=False)],
    target: Annotated[Path, typer.Option("-o", "--output", metavar="OUT.csv")],
    every: Annotated[str, typer.Option(help="Length of a row's interval: 1min to 24h.")] = "1h",
    label: Annotated[str, typer.Option(help="Which end of its interval `time` names: end or start.")] = "start",
    totals: Annotated[Path | None, typer.Option(metavar="TOTALS.csv", help="Write totals by site there.")] = None,
    by: Annotated[str, typer.Option(help="Totals by hour or day.")] = "day",
) -> None:
    """Volume and mass of each row of a CSV file of flows and concentrations, and totals by hour or day.

    Columns: time, flow (流量, L/s unless a unit stands behind: flow(m³/h)), COD, NH3-N, TP, TN, … (mg/L), site where
    there are several. A row without flow lets nothing out. A day needs three quarters of its rows (HJ 356).
    """
    from jianhu.calc.load import By, Every, LoadRequest, calc_load  # noqa: PLC0415
    from sensors.layouts import Label  # noqa: PLC0415

    request = LoadRequest(every=_one_of(Every, every), label=_one_of(Label, label), totals=totals, by=_one_of(By, by))
    typer.echo(str(calc_load(source, target, request)))


@app.command()
def check(
    folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="Folder of the configuration.")] = None,
    directory: Annotated[Path | None, typer.Option("--dir", help="The same, as other commands name it.")] = None,
    language: Annotated[str, typer.Option(help="zh or en.")] = "en",
) -> None:
    """Read registry, rules, permits, targets and kinds, and tell everything that is wrong with them.

    Each error names file, line, key and what to write instead; with any, the exit code is 1.
    """
    from alerts.texts import Language  # noqa: PLC0415
    from jianhu.checking import check_configuration  # noqa: PLC0415

    settings, chosen, said = parse_settings(os.environ), folder or directory, _one_of(Language, language)
    if chosen is not None:
        settings = replace(settings, dir=chosen, config=None, registry=None, rules=None)
    report = check_configuration(settings)
    for problem in report.problems:
        typer.echo(_printable(problem), err=True)
    if report.problems:
        typer.echo(report.verdict(said), err=True)
        raise typer.Exit(EXIT_WRONG)
    typer.echo(report.summary(said))
    typer.echo(report.verdict(said))


@app.command()
def letters(
    reason: Annotated[str, typer.Option(help="Only of this reason, for example unknown_site.")] = "",
    site: Annotated[str, typer.Option(help="Only of this site.")] = "",
    since: Annotated[datetime | None, typer.Option(help="Received from then on, Beijing time.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Received before then, Beijing time.")] = None,
    directory: Annotated[Path | None, typer.Option("--dir", help="Folder of a `jianhu up`.")] = None,
    count: Annotated[bool, typer.Option("--count", help="Only how many there are of each reason and site.")] = False,
    drive_again: Annotated[
        bool, typer.Option("--again", help="Send those again that the registry takes as it is now.")
    ] = False,
) -> None:
    """List input that could not be used, or send it again; what came too late is for `jianhu recompute --late`."""
    from jianhu.assembly import Assembly  # noqa: PLC0415
    from jianhu.letters import (  # noqa: PLC0415
        DRIVEN_FILE,
        Driven,
        Wanted,
        again,
        counts_of,
        drive,
        letters_of,
        line_of,
        welcome_of,
    )  # fmt: skip
    from jianhu.parts import feeder_of, is_running, running_settings  # noqa: PLC0415
    from sensors.deadletters import Refusal  # noqa: PLC0415

    settings = parse_settings(os.environ)
    if directory is not None:
        running = drive_again or is_running(directory)
        settings = running_settings(directory, settings) if running else replace(settings, dir=directory)
    parts = Assembly(settings)
    wanted = Wanted(
        reason=_one_of(Refusal, reason) if reason else None,
        site=site,
        start_ms=None if since is None else ms_of(since.replace(tzinfo=BEIJING)),
        end_ms=None if until is None else ms_of(until.replace(tzinfo=BEIJING)),
    )
    found = letters_of(parts, wanted)
    if drive_again:
        feeder = feeder_of(parts, "again", synthetic=parts.registry.synthetic, stop=_stop_on_signals())
        driven = Driven(settings.dir / DRIVEN_FILE)
        rows = drive(feeder, again(found, welcome_of(parts), driven), driven)
        typer.echo(f"sent {rows} rows again; what is no use yet, or was sent again before, stays a letter")
        return
    for line in counts_of(found) if count else map(line_of, found):
        typer.echo(line)


def _one_of(kind: type[ChoiceT], text: str) -> ChoiceT:
    try:
        return kind(text)
    except ValueError as cause:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(kind)}") from cause


_UNITS = {"s": 1, "m": 60, "h": 3600}
_DURATION = re.compile(r"(?P<number>[0-9]{1,9}(\.[0-9]{1,9})?)(?P<unit>[smh])")


def _seconds(text: str) -> float | None:
    """Return a duration such as ``60s``, ``5m`` or ``2h`` in seconds; None when the text is empty."""
    if not text:
        return None
    found = _DURATION.fullmatch(text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is no duration; write 60s, 5m or 2h")
    return float(found["number"]) * _UNITS[found["unit"]]


def main() -> None:
    """Run the command line; errors of ours are one line on the screen and an exit code."""
    from jianhu.family import end_with_parent  # noqa: PLC0415
    from jianhu.names import refuse_foreign_names  # noqa: PLC0415

    try:
        end_with_parent(os.environ)
        refuse_foreign_names()
        app()
    except ConfigError as error:
        for one in (error, *error.further):
            screen.print(f"[bold red]jianhu:[/] {_plain(one)}", highlight=False)
        sys.exit(EXIT_CONFIG)
    except (EdgeError, JianhuError) as error:
        screen.print(f"[bold red]jianhu:[/] {_plain(error)}", highlight=False)
        sys.exit(EXIT_EDGE)


def _plain(error: Exception) -> str:
    """Return an error's text without anything that a terminal or Rich would act on."""
    from rich.markup import escape  # noqa: PLC0415

    return escape(_printable(error))


def _printable(error: Exception) -> str:
    return "".join(c if c.isprintable() else "?" for c in str(error))
