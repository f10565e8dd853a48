"""What ``jianhu check`` does: read a whole configuration, and tell everything that is wrong with it.

A start stops at the first error (`jianhu.configuration`); here each file is read for itself, so that one
look shows all that is to be mended.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from alerts.texts import Language
from jianhu.settings import Settings
from sensors.errors import ConfigError, JianhuError
from sensors.kinds import Kind, kind_names, load_kind, parse_kind
from sensors.registry import Registry, load_registry
from sensors.yamlfile import read_yaml
from streams.standards import load_standards

if TYPE_CHECKING:
    from alerts.rules import Rules

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found in a configuration."""

    problems: tuple[ConfigError, ...]
    """In the order of files and lines, each once; empty when a start would work."""
    counts: Mapping[str, str]
    """What is there, by the keys of the catalogue `_WORDS`."""

    def summary(self, language: Language) -> str:
        """Return in words what is there, one line each."""
        words = _WORDS[language]
        return "\n".join(f"{words[key]}: {count}" for key, count in self.counts.items())

    def verdict(self, language: Language) -> str:
        """Return in one line how many errors there are."""
        words = _WORDS[language]
        return words["wrong"].format(count=len(self.problems)) if self.problems else words["good"]


_WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    Language.ZH: {
        "registry": "登记", "areas": "区域", "flows": "河段", "kinds": "类型", "standards": "标准", "rules": "规则",
        "permits": "许可", "targets": "目标", "modes": "模式", "people": "人员", "cases": "案件",
        "channels": "渠道",
        "good": "配置无误，可以启动。", "wrong": "共 {count} 处错误。",
    },
    Language.EN: {
        "registry": "registry", "areas": "areas", "flows": "flows", "kinds": "kinds", "standards": "standards",
        "rules": "rules", "permits": "permits", "targets": "targets", "modes": "modes", "people": "people",
        "cases": "cases", "channels": "channels",
        "good": "The configuration is good.", "wrong": "Errors: {count}.",
    },
}  # fmt: skip


def check_configuration(settings: Settings) -> Report:
    """Return everything that is wrong with the files of a configuration, and what is there.

    Parameters
    ----------
    settings
        Say where registry, rules, permits, targets and kinds stand; the last three need not be there.
    """
    found = _Findings()
    kinds = _kinds(settings, found)
    registry = found.of(lambda: load_registry(settings.registry_path))
    if registry is not None:
        found.counts["registry"] = f"{len(registry.sites)} entries"
        found.counts["areas"] = str(len(registry.areas))
        found.counts["flows"] = str(len(registry.flows))
        found.counts["kinds"] = ", ".join(registry.kinds)
    standards = load_standards()
    found.counts["standards"] = f"pack {standards.pack}"
    rules = found.of(lambda: _rules(settings, registry))
    found.counts["rules"] = str(len(rules.rules)) if rules is not None else "-"
    _permits(settings, registry, kinds, found)
    _targets(settings, registry, found)
    _modes(settings, registry, rules, found)
    _gates(settings, kinds, found)
    _people(settings, registry, _notices(settings, registry, found), found)
    _cases(settings, rules, found)
    if not found.problems:
        found.of(lambda: _start(settings))
    return Report(problems=tuple(found.problems.values()), counts=found.counts)


class _Findings:
    def __init__(self) -> None:
        self.problems: dict[str, ConfigError] = {}
        self.counts: dict[str, str] = {}

    def of(self, load: Callable[[], T]) -> T | None:
        """Return what a loader gives; None when it cannot, and its errors are kept."""
        try:
            return load()
        except ConfigError as error:
            self.problems |= {str(each): each for each in (error, *error.further)}
        return None


def _kinds(settings: Settings, found: _Findings) -> dict[str, Kind]:
    """Return all kinds that can be read, by name."""
    from streams.judging.registered import MAKERS  # noqa: PLC0415 - only where it is judged
    from streams.periods.registered import MAKERS as PERIOD_MAKERS  # noqa: PLC0415

    folder = settings.kinds_dir
    for path in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
        found.of(partial(_own_kind, path, tuple(MAKERS), tuple(PERIOD_MAKERS)))
    kinds = {name: found.of(partial(load_kind, name, folder)) for name in kind_names(folder)}
    return {name: kind for name, kind in kinds.items() if kind is not None}


def _own_kind(path: Path, evaluations: tuple[str, ...], period_evaluations: tuple[str, ...]) -> Kind:
    return parse_kind(read_yaml(path), evaluations, period_evaluations)


def _rules(settings: Settings, registry: Registry | None) -> Rules:
    from alerts.modes import load_modes  # noqa: PLC0415 - the console's own imports are slow
    from alerts.rules import load_rules  # noqa: PLC0415

    path, modes_path = settings.rules_path, settings.modes_path
    modes = load_modes(modes_path if modes_path.exists() else None)
    network_of = partial(load_kind, folder=settings.kinds_dir)
    return load_rules(path if path.exists() else None, load_standards(), network_of, modes, registry)


def _permits(settings: Settings, registry: Registry | None, kinds: Mapping[str, Kind], found: _Findings) -> None:
    from streams.discharge.permits import load_permits  # noqa: PLC0415

    path = settings.permits_path
    if path.exists():
        permits = found.of(lambda: load_permits(path, registry, kinds))
        found.counts["permits"] = "-" if permits is None else str(len(permits.sites) + len(permits.areas))


def _targets(settings: Settings, registry: Registry | None, found: _Findings) -> None:
    from streams.periods.targets import load_targets  # noqa: PLC0415

    path = settings.targets_path
    if path.exists():
        areas = None if registry is None else [area.id for area in registry.areas]
        targets = found.of(lambda: load_targets(path, areas))
        found.counts["targets"] = "-" if targets is None else str(len(targets.rows))


def _modes(settings: Settings, registry: Registry | None, rules: Rules | None, found: _Findings) -> None:
    from alerts.modechecks import check_modes  # noqa: PLC0415
    from alerts.modes import parse_modes  # noqa: PLC0415

    path = settings.modes_path
    document = found.of(lambda: read_yaml(path)) if path.exists() else None
    if document is not None:
        areas = None if registry is None else [area.id for area in registry.areas]
        modes = found.of(lambda: parse_modes(document, areas=areas))
        found.counts["modes"] = "-" if modes is None else str(len(modes.modes))
        if modes is not None and rules is not None:
            network_of = partial(load_kind, folder=settings.kinds_dir)
            found.of(lambda: check_modes(document, modes, rules, network_of))


def _gates(settings: Settings, kinds: Mapping[str, Kind], found: _Findings) -> None:
    from alerts.gates.rulefile import NETWORK, load_gate_rule  # noqa: PLC0415

    path = settings.gates_path
    if path.exists():
        found.of(lambda: load_gate_rule(path, kinds.get(NETWORK)))


def _cases(settings: Settings, rules: Rules | None, found: _Findings) -> None:
    from alerts.cases.policyfile import Known, load_case_policy  # noqa: PLC0415

    path = settings.cases_path
    if path.exists():
        known = None
        if rules is not None:
            networks = frozenset(kind_names(settings.kinds_dir))
            known = Known(rules=frozenset(rule.id for rule in rules.rules), networks=networks)
        policy = found.of(lambda: load_case_policy(path, known))
        found.counts["cases"] = "-" if policy is None else "cases.yaml"


def _people(settings: Settings, registry: Registry | None, channels: Collection[str] | None, found: _Findings) -> None:
    from alerts.peoplefile import load_people  # noqa: PLC0415

    path = settings.people_path
    if path.exists():
        people = found.of(lambda: load_people(path, registry, channels))
        found.counts["people"] = "-" if people is None else str(len(people.persons))


def _notices(settings: Settings, registry: Registry | None, found: _Findings) -> Collection[str] | None:
    """Read how people are told, and connect to each channel: a start would go on without one that is down.

    Returns the names of the channels; None when they cannot be read.
    """
    from alerts.notices.policyfile import load_notice_policy  # noqa: PLC0415
    from alerts.notify.sendingfile import load_sending  # noqa: PLC0415

    path = settings.notices_path
    if not path.exists():
        return tuple(load_sending(None, synthetic=False).channels)
    synthetic = registry is not None and registry.synthetic
    found.of(lambda: load_notice_policy(path))
    sending = found.of(lambda: load_sending(path, synthetic=synthetic, reach=True))
    found.counts["channels"] = "-" if sending is None else ", ".join(sending.channels)
    return None if sending is None else tuple(sending.channels)


def _start(settings: Settings) -> None:
    """Read everything as a start does, for what only shows when it is put together."""
    from jianhu.assembly import Assembly  # noqa: PLC0415
    from jianhu.configuration import load_all  # noqa: PLC0415

    try:
        load_all(Assembly(settings))
    except ConfigError:
        raise
    except JianhuError as cause:
        raise ConfigError(
            file=str(settings.config_dir), line=None, key="", problem=str(cause), mend="correct what it names"
        ) from cause
