"""Modes held against the rules: what a mode tightens must be there, and must not be loosened."""

from __future__ import annotations

from fractions import Fraction

from alerts.derived import derived_factors
from alerts.modes import Mode, Modes
from alerts.rules import Kind, NetworkOf, Rule, Rules
from sensors.errors import Problems
from sensors.kinds import load_kind
from sensors.yamlfile import Document


def check_modes(document: Document, modes: Modes, rules: Rules, network_of: NetworkOf = load_kind) -> None:
    """Check the thresholds of modes against the rules that they name.

    Parameters
    ----------
    document
        The file that `alerts.modes.parse_modes` made the modes of.
    modes, rules
        What was read.
    network_of
        Gives the kinds of readings that the rules name.

    Raises
    ------
    ConfigError
        When a rule is unknown or has no management threshold, a unit does not fit, or a threshold is looser.
    """
    problems = Problems()
    for place, mode in enumerate(modes.modes):
        for name in mode.thresholds:
            with problems.kept():
                _check(document, ("modes", place, "thresholds", name), mode, rules, network_of)
    problems.raise_first()


def _check(document: Document, path: tuple[str | int, ...], mode: Mode, rules: Rules, network_of: NetworkOf) -> None:
    name = str(path[-1])
    versions = [rule for rule in rules.versions(name) if rule.kind is Kind.THRESHOLD]
    if not versions:
        held = sorted({rule.id for rule in rules.rules if rule.kind is Kind.THRESHOLD})
        mend = f"name one of {', '.join(held)}" if held else "write a rule of the kind threshold first"
        raise document.error(path, f"no rule {name!r} with a threshold", mend)
    own = mode.thresholds[name]
    for rule in versions:
        symbol, unit, units = _units(rule, network_of)
        if own.unit not in units:
            raise document.error((*path, "unit"), f"{own.unit!r} is no unit of {symbol}", f"write it in {unit}")
        if rule.threshold is not None and own.value * units[own.unit] > rule.threshold:
            problem = f"{float(own.value):g} {own.unit} is looser than the rule's own"
            raise document.error((*path, "value"), problem, "give a smaller one, or change the rule")


def _units(rule: Rule, network_of: NetworkOf) -> tuple[str, str, dict[str, Fraction]]:
    kind = network_of(rule.network)
    factor = {**kind.factors, **derived_factors(kind)}[rule.factors[0]]
    return factor.symbol, factor.unit, dict(factor.units)
