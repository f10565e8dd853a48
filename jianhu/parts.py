"""The parts of the system as they run: each in a process of its own, on a laptop as in a cluster."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any

from jianhu.assembly import Assembly
from jianhu.configuration import read_state
from jianhu.feeding import Feeder, Packets, fill, live
from jianhu.settings import Settings, parse_settings
from sensors.clock import HOUR_MS, MINUTE_MS, beijing
from sensors.errors import ConfigError
from sensors.kinds import kind_names
from sensors.yamlfile import read_yaml

if TYPE_CHECKING:
    from alerts.cases.policy import CasePolicy
    from alerts.gates.keeper import GateKeeper
    from alerts.gates.machine import GateRule
    from alerts.journal import Journal
    from alerts.modes import Modes
    from alerts.people import People
    from alerts.rules import Rules
    from dashboards.office import Office

MOST_HISTORY_H = 48
HISTORY_H: Mapping[str, int] = {"voc": 12}
"""Hours of history that a new simulated system is filled with, where fewer than `MOST_HISTORY_H`: a park's 192 points
make two thirds of all results, and a first page should not wait for them."""
RUN_FILE = "run.json"
log = logging.getLogger(__name__)


def wall_ms() -> int:
    """Return the wall clock in milliseconds UTC."""
    return int(time() * 1000)


def run_worker(parts: Assembly) -> None:
    """Join the judges' group as a Faust worker; returns when told to stop."""
    import faust  # noqa: PLC0415 - takes a second to import, and only the worker needs it

    from streams.app import WorkerSettings, create_app  # noqa: PLC0415

    settings = WorkerSettings(
        bootstrap=parts.kafka,
        group=parts.topics.group("judge"),
        partitions=parts.settings.partitions,
        folder=parts.settings.dir / "faust",
    )
    app = create_app(settings, parts.benches)
    faust.Worker(app, loglevel="info", redirect_stdouts=False).execute_from_commandline()


def run_store_sink(parts: Assembly, stop: threading.Event) -> None:
    """Write results to the store until told to stop."""
    from streams.store.sink import SinkSettings, run_sink  # noqa: PLC0415

    store = parts.store()
    try:
        run_sink(
            SinkSettings(
                bootstrap=parts.kafka,
                group=parts.topics.group("sink"),
                results={parts.topics.results(kind): kind for kind in parts.kinds},
                deadletter=parts.topics.deadletter,
            ),
            store,
            stop,
        )
    finally:
        store.close()


def load_alert_rules(parts: Assembly) -> Rules:
    """Return the rules of this system: its own file when there is one, else those delivered."""
    from alerts.modes import load_modes  # noqa: PLC0415
    from alerts.rules import load_rules  # noqa: PLC0415

    path, modes_path = parts.settings.rules_path, parts.settings.modes_path
    modes = load_modes(modes_path if modes_path.exists() else None)
    if not path.exists():  # those delivered name no sites or areas
        return load_rules(None, parts.standards, parts.kind, modes)
    return load_rules(path, parts.standards, parts.kind, modes, parts.registry)


def load_alert_modes(parts: Assembly) -> Modes:
    """Return the modes of this system, held against its rules; none when it has no file of them."""
    from alerts.modechecks import check_modes  # noqa: PLC0415
    from alerts.modes import NO_MODES, parse_modes  # noqa: PLC0415

    path = parts.settings.modes_path
    if not path.exists():
        return NO_MODES
    document = read_yaml(path)
    modes = parse_modes(document, areas={area.id for area in parts.registry.areas})
    check_modes(document, modes, load_alert_rules(parts), parts.kind)
    return modes


def load_alert_cases(parts: Assembly) -> CasePolicy:
    """Return the policy of cases: what is delivered, and over it the office's own file when there is one."""
    from alerts.cases.policyfile import Known, load_case_policy  # noqa: PLC0415

    path = parts.settings.cases_path
    if not path.exists():
        return load_case_policy()
    rules = frozenset(rule.id for rule in load_alert_rules(parts).rules)
    return load_case_policy(path, Known(rules=rules, networks=frozenset(kind_names(parts.settings.kinds_dir))))


def load_alert_people(parts: Assembly) -> People:
    """Return the people of this system; nobody when it has no file of them."""
    from alerts.people import NOBODY  # noqa: PLC0415
    from alerts.peoplefile import load_people  # noqa: PLC0415

    path = parts.settings.people_path
    return load_people(path, parts.registry) if path.exists() else NOBODY


def load_rule_of_gates(parts: Assembly) -> GateRule:
    """Return when rain gates may open: by the system's own file when there is one, else as delivered."""
    from alerts.gates.rulefile import load_gate_rule  # noqa: PLC0415

    path = parts.settings.gates_path
    return load_gate_rule(path if path.exists() else None, parts.kind("outfall"))


def gate_keeper(parts: Assembly) -> GateKeeper:
    """Return what decides about the rain gates of this system."""
    from alerts.gates.keeper import GateKeeper  # noqa: PLC0415

    return GateKeeper(parts.registry, load_rule_of_gates(parts))


def run_alert_watch(parts: Assembly, stop: threading.Event) -> None:
    """Hold results against the rules until told to stop."""
    from alerts.journal import open_journal  # noqa: PLC0415
    from alerts.watch import WatchSettings, run_alerts  # noqa: PLC0415

    journal = open_journal(parts.settings.alerts_database, wall_ms)
    try:
        run_alerts(
            WatchSettings(
                bootstrap=parts.kafka,
                topics=tuple(parts.topics.results(kind) for kind in parts.kinds),
                group=parts.topics.group("alerts"),
                gated=(parts.topics.results("outfall"),),
                deadletter=parts.topics.deadletter,
            ),
            log_id=parts.log_id,
            journal=journal,
            rules=load_alert_rules(parts),
            registry=parts.registry,
            standards=parts.standards,
            stop=stop,
            on_progress=lambda _: None,
            network_of=parts.kind,
            modes=load_alert_modes(parts),
            gates=gate_keeper(parts),
        )
    finally:
        journal.close()


def office_over(parts: Assembly, journal: Journal) -> Office:
    """Return what people do about alerts: cases, silences, handovers, over one journal."""
    from alerts.cases.desk import CaseDesk  # noqa: PLC0415
    from alerts.cases.sharing import sharing_of  # noqa: PLC0415
    from alerts.handover.draft import running_marks  # noqa: PLC0415
    from alerts.people import NOBODY  # noqa: PLC0415
    from alerts.subjects import subject_of  # noqa: PLC0415
    from dashboards.office import office_of  # noqa: PLC0415

    rules, registry, permits = load_alert_rules(parts), parts.registry, parts.permits
    policy, people = load_alert_cases(parts), load_alert_people(parts)
    holders = {} if permits is None else {**permits.sites, **permits.areas}
    return office_of(
        journal,
        registry,
        policy,
        people=people,
        marks=lambda at: running_marks(holders, registry, at),
        cases=CaseDesk(
            journal,
            policy,
            lambda event: subject_of(event, rules, registry, wall_ms()),
            sharing_of(people),
            None if people == NOBODY else people.departments,
        ),
    )


def run_console(parts: Assembly) -> None:
    """Serve the console until told to stop."""
    from alerts.desk import Desk  # noqa: PLC0415
    from alerts.journal import open_journal  # noqa: PLC0415
    from dashboards.app import create_console  # noqa: PLC0415
    from dashboards.server import serve  # noqa: PLC0415
    from dashboards.settings import ConsoleSettings  # noqa: PLC0415
    from streams.store.sqlite import Access  # noqa: PLC0415

    settings = parts.settings
    outline = settings.registry_path.parent / parts.registry.outline
    chosen = ConsoleSettings(
        host=settings.console_host,
        port=settings.console_port,
        token=settings.console_token or None,
        allowed_hosts=tuple(name for name in settings.console_allowed_hosts.split(",") if name),
        geojson=outline if parts.registry.outline and outline.is_file() else None,
        speed=settings.speed,
        owed_after_ms=settings.grace_s * 1000,
        version=version("jianhu"),
    )
    store = parts.store(Access.READ)
    journal = open_journal(settings.alerts_database, wall_ms)
    try:
        app = create_console(
            store, Desk(journal), parts.registry, parts.standards, chosen, kind_of=parts.kind,
            office=office_over(parts, journal),
        )  # fmt: skip
        app.add_api_route("/api/v1/configuration", lambda: read_state(settings.dir), methods=["GET"])
        serve(app, chosen)
    finally:
        journal.close()
        store.close()


def feeder_of(parts: Assembly, source: str, *, synthetic: bool, stop: threading.Event) -> Feeder:
    """Return a source's way to the topics of all kinds."""
    gate = parts.gate()
    publishers = {kind: parts.publisher(source, kind, synthetic=synthetic) for kind in parts.kinds}
    return Feeder(publishers=publishers, gate=gate, stop=stop)


def run_simulation(parts: Assembly, stop: threading.Event) -> None:
    """Feed the simulated region: what is missing of 48 h of history at full speed, then live."""
    from simulators.region import Region  # noqa: PLC0415

    region = Region(registry=parts.registry)

    def packets(kinds: Collection[str], start: int, end: int) -> Iterator[Packets]:
        for kind in (name for name in region.kinds() if name in kinds):
            for period_ms in region.periods(kind):
                rows = region.packets(kind, start, end, period_ms)
                yield Packets(kind=kind, period_ms=period_ms, rows=rows)

    feeder = feeder_of(parts, "simulator", synthetic=True, stop=stop)
    now = int(time() * 1000) // MINUTE_MS * MINUTE_MS
    starts = {
        kind: max(parts.resume_at(kind, 0), (now // HOUR_MS - HISTORY_H.get(kind, MOST_HISTORY_H)) * HOUR_MS)
        for kind in parts.kinds
    }
    at = now
    for begin, end, kinds in phases(starts, now):
        log.info("history of %s from %s", ", ".join(kinds), beijing(begin).isoformat())
        at = fill(
            feeder.of(kinds), partial(packets, kinds), begin, end, lambda hour: log.info("filled to %s", beijing(hour))
        )
    log.info("live from %s", beijing(at).isoformat())
    live(feeder, partial(packets, parts.kinds), at, parts.settings.speed, lambda _: None)


def phases(starts: Mapping[str, int], now_ms: int) -> list[tuple[int, int, tuple[str, ...]]]:
    """Part the time that is to be filled: begin, end, and the kinds whose history lies in it; all reach to the end.

    A kind that begins later has no ticks before, or its sites would be called silent for a time that nobody sends.
    """
    latest = max(now_ms, *starts.values())
    cuts = sorted({*starts.values(), latest})
    return [
        (begin, end, tuple(kind for kind, start in starts.items() if start <= begin)) for begin, end in pairwise(cuts)
    ]


def is_running(folder: Path) -> bool:
    """Return whether a `jianhu up` says that it runs on a folder."""
    return (folder / RUN_FILE).exists()


def running_settings(folder: Path, settings: Settings) -> Settings:
    """Return the settings of the `jianhu up` that runs on a folder.

    Raises
    ------
    ConfigError
        When none runs there.
    """
    path = folder / RUN_FILE
    try:
        running: Mapping[str, Any] = json.loads(path.read_text())
        os.kill(int(running["pid"]), 0)
    except (OSError, ValueError, KeyError, TypeError) as cause:
        raise ConfigError(
            file=str(path), line=None, key="", problem="no `jianhu up` runs on this folder",
            mend=f"start `jianhu up --dir {folder}` first",
        ) from cause  # fmt: skip
    return replace(parse_settings(running["environment"]), speed=settings.speed)
