"""I1: faults of the data open a data case and true peaks do not: a labelled fault library, from readings to events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from alerts.desk import Desk
from alerts.events import Event
from alerts.journal import open_journal
from alerts.keeper import Keeper
from alerts.rules import Kind, Rules, load_rules, parse_rules
from alerts.texts import Language, because, title
from alerts.verdicts import Judge
from sensors.clock import HOUR_MS
from sensors.errors import ConfigError
from sensors.flags import Mark
from sensors.kinds import load_kind
from sensors.registry import Registry, Site
from sensors.yamlfile import parse_yaml
from streams.standards import load_standards
from tests.air_cases import T0
from tests.kind_cases import Packet, kind_judge, kind_site, packet_frame
from tests.unit.alerts.building import columns, row, site

KIND = load_kind("outfall")
HOURS, ONSET = 72, 40
Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A labelled series: what is done to a usual one from `ONSET` on, and whether the data are at fault."""

    name: str
    fault: bool
    change: Mapping[str, Any]
    """Factor → what makes its hours of the usual hours."""


def usual(factor: str, seed: int) -> Values:
    """Return hours of an outlet that works: a daily course, a slow wander, and the noise of the instrument."""
    base = {"flow": 30.0, "COD": 35.0, "NH3-N": 2.0, "TP": 0.3, "TN": 11.0, "pH": 7.4}[factor]
    chance = np.random.default_rng(seed)
    hours = np.arange(HOURS)
    course = 1 + 0.1 * np.sin(2 * np.pi * hours / 24) + 0.03 * np.cumsum(chance.normal(0, 0.3, HOURS)) / 3
    made = base * course * (1 + 0.01 * chance.normal(0, 1, HOURS))
    return np.asarray(made if factor != "pH" else 7.4 + 0.05 * chance.normal(0, 1, HOURS))


def flat(values: Values) -> Values:
    return np.where(np.arange(HOURS) >= ONSET, values[ONSET], values)


def jump(to: float) -> Any:
    return lambda values: np.where(np.arange(HOURS) == ONSET + 4, to, values)


def plateau(by: float, rise: int, hold: int) -> Any:
    """Return a true peak: it rises over some hours, holds with the noise of the water, and falls again."""

    def change(values: Values) -> Values:
        after = np.arange(HOURS) - ONSET
        up, down = np.clip((after + 1) / rise, 0, 1), np.clip((rise + hold - after) / rise, 0, 1)
        return np.asarray(values + by * np.minimum(up, down) * (1 + 0.03 * np.sin(7 * after)))

    return change


def times(share: float) -> Any:
    return lambda values: np.where(np.arange(HOURS) >= ONSET, values * share, values)


def below(values: Values) -> Values:
    return np.where((np.arange(HOURS) >= ONSET) & (np.arange(HOURS) < ONSET + 6), -5.0, values)


LIBRARY = (
    # faults: flat, jump, out of range, negative, contradiction
    Case(name="flat COD", fault=True, change={"COD": flat}),
    Case(name="flat ammonia", fault=True, change={"NH3-N": flat}),
    Case(name="flat phosphorus", fault=True, change={"TP": flat}),
    Case(name="flat nitrogen", fault=True, change={"TN": flat}),
    Case(name="stuck flow", fault=True, change={"flow": flat}),
    Case(name="jump of COD", fault=True, change={"COD": jump(600)}),
    Case(name="jump of ammonia", fault=True, change={"NH3-N": jump(90)}),
    Case(name="jump of nitrogen", fault=True, change={"TN": jump(120)}),
    Case(name="jump of pH", fault=True, change={"pH": jump(13.2)}),
    Case(name="negative COD", fault=True, change={"COD": below}),
    Case(name="negative phosphorus", fault=True, change={"TP": below}),
    Case(name="ammonia over nitrogen", fault=True, change={"NH3-N": times(9)}),
    Case(name="nitrogen under ammonia", fault=True, change={"TN": times(0.1)}),
    # true peaks: what a spill, a failing plant or rain really does
    Case(name="spill of COD", fault=False, change={"COD": plateau(400, 6, 8)}),
    Case(name="slow rise of COD", fault=False, change={"COD": plateau(150, 12, 6)}),
    Case(name="ammonia fails", fault=False, change={"NH3-N": plateau(40, 6, 8), "TN": plateau(46, 6, 8)}),
    Case(name="phosphorus fails", fault=False, change={"TP": plateau(4, 5, 8)}),
    Case(name="nitrogen fails", fault=False, change={"TN": plateau(50, 6, 8)}),
    Case(name="rain thins", fault=False, change={"COD": times(0.6), "NH3-N": times(0.6), "TN": times(0.6)}),
    Case(name="more flow", fault=False, change={"flow": times(2.5)}),
    Case(name="acid batch", fault=False, change={"pH": plateau(-2.2, 4, 4)}),
    Case(name="everything at once", fault=False, change={"COD": plateau(300, 5, 8), "NH3-N": plateau(20, 5, 8),
                                                         "TN": plateau(25, 5, 8), "TP": plateau(3, 5, 8)}),
    Case(name="nothing", fault=False, change={}),
    Case(name="nothing else", fault=False, change={}),
)  # fmt: skip
SEEDS = range(3)


def outlet(name: str) -> Site:
    return kind_site(KIND, name, HOUR_MS, setting={"use": "firm"})


def packets(name: str, case: Case, seed: int) -> list[Packet]:
    made = {
        factor: usual(factor, 100 * seed + n) for n, factor in enumerate(("flow", "COD", "NH3-N", "TP", "TN", "pH"))
    }
    changed = {factor: case.change.get(factor, lambda values: values)(values) for factor, values in made.items()}
    found = []
    for hour in range(HOURS):
        values, flags = {}, {}
        for factor, column in changed.items():
            stored = round(float(column[hour]) * 10 ** KIND.factors[factor].digits)
            values[factor], flags[factor] = stored, "N"
        found.append(Packet(site=name, start=T0 + hour * HOUR_MS, period_ms=HOUR_MS, values=values, flags=flags))
    return found


def quality_rules() -> Rules:
    found = tuple(rule for rule in load_rules().rules if rule.id == "data-outfall")
    return Rules(rules=found, backfill_after_ms=10**13)


def events_of(rows: pa.Table, registry: Registry, rules: Rules) -> list[Event]:
    from alerts.columns import columns_of  # noqa: PLC0415 - beside its one use

    keeper = Keeper(Judge(rules, registry, load_standards()), rules)
    journal = open_journal("sqlite://", lambda: 0)
    with journal.writing() as turn:
        for batch in rows.unify_dictionaries().combine_chunks().to_batches():
            keeper.take(columns_of(batch, "pack", "outfall"), turn)
        keeper.save(turn)
    desk = Desk(journal)
    return [desk.event(name).event for name in dict.fromkeys(step.event for step in desk.changes_since(0).steps)]


@cache
def told() -> dict[tuple[str, int], list[Event]]:
    """Return the data cases that each labelled series of the library opens."""
    names = {f"{number:02d}-{seed}": (case, seed) for number, case in enumerate(LIBRARY) for seed in SEEDS}
    sites = tuple(outlet(name) for name in names)
    judge = kind_judge(KIND, sites)
    said = [judge.tick(T0)]
    every = [one for name, (case, seed) in names.items() for one in packets(name, case, seed)]
    for part in range(0, HOURS, 12):
        mine = [one for one in every if part <= (one.start - T0) // HOUR_MS < part + 12]
        judge.fold(packet_frame(KIND, mine))
        said.append(judge.tick(T0 + (part + 12) * HOUR_MS))
    said.append(judge.tick(T0 + (HOURS + 2) * HOUR_MS))
    rows = pa.Table.from_batches([one for one in said if one is not None])
    registry = Registry(region_zh="r", region_en="r", synthetic=True, sites=sites)
    found: dict[tuple[str, int], list[Event]] = {(case.name, seed): [] for case, seed in names.values()}
    for event in events_of(rows, registry, quality_rules()):
        case, seed = names[event.key.site]
        found[case.name, seed].append(event)
    return found


def share(*, fault: bool) -> float:
    mine = [bool(told()[case.name, seed]) for case in LIBRARY for seed in SEEDS if case.fault is fault]
    return sum(mine) / len(mine)


def test_faults_of_the_library_open_a_data_case() -> None:
    missed = [key for key, found in told().items() if not found and next(c for c in LIBRARY if c.name == key[0]).fault]
    assert share(fault=True) >= 0.95, missed


def test_true_peaks_of_the_library_open_none() -> None:
    wrong = {key: [e.key.factor for e in found] for key, found in told().items() if found}
    false = {key: factors for key, factors in wrong.items() if not next(c for c in LIBRARY if c.name == key[0]).fault}
    assert share(fault=False) <= 0.05, false


@pytest.mark.parametrize("case", [case for case in LIBRARY if case.fault], ids=lambda case: case.name)
def test_a_data_case_is_about_the_factor_that_failed(case: Case) -> None:
    for seed in SEEDS:
        factors = {event.key.factor for event in told()[case.name, seed]}
        assert set(case.change) & factors, factors


def test_a_data_case_is_an_early_warning_of_its_own_kind_and_never_an_exceedance() -> None:
    event = told()["flat COD", 0][0]
    assert (event.kind, event.priority) == (Kind.DATA_QUALITY, 4)
    for language in Language:
        words = f"{title(event, language)} {because(event.peak, event.kind, event.key.factor, language)}"
        assert "超标" not in words
        assert "over the limit" not in words
    assert "待溯源排查" in title(event)


POINT = site("O", kind="outfall", station_class="firm", zone=0, setting={"use": "firm"})


def judged(flags: int, value: int | None = 100) -> list[Event]:
    made = row("COD", "1h") | {"site": "O", "edition": "", "flags": flags, "value": value}
    made |= {"reason": "" if value is not None else "invalid"}
    given = quality_rules()
    keeper = Keeper(
        Judge(given, Registry(region_zh="", region_en="", synthetic=True, sites=(POINT,)), load_standards()), given
    )
    journal = open_journal("sqlite://", lambda: 0)
    with journal.writing() as turn:
        keeper.take(columns(made, network="outfall"), turn)
        keeper.save(turn)
    desk = Desk(journal)
    return [desk.event(step.event).event for step in desk.changes_since(0).steps]


@pytest.mark.parametrize(
    ("flags", "value", "opened"),
    [
        (0, 100, False),
        (Mark.SUSPECT, 100, True),
        (Mark.IMPOSSIBLE, 100, True),
        (Mark.IMPOSSIBLE, None, True),
        (Mark.DIFFERS, 100, True),
        (Mark.SUSPECT | Mark.UNFLAGGED, 100, False),  # no test said so: the device sent no flag
        (Mark.SUSPECT | Mark.COPIED, 100, False),
        (Mark.MAINTENANCE, None, False),
        (Mark.CALIBRATION, 100, False),
        (Mark.OVER_RANGE, 100, False),  # at least the range: an exceedance, not a fault
    ],
)
def test_marks_of_a_test_open_a_data_case_and_other_marks_do_not(
    flags: int, value: int | None, *, opened: bool
) -> None:
    assert bool(judged(int(flags), value)) is opened


def test_what_is_missing_opens_nothing() -> None:
    assert judged(0, None) == []


def test_every_delivered_kind_has_a_rule_for_its_data() -> None:
    kinds = {rule.network for rule in load_rules().rules if rule.kind is Kind.DATA_QUALITY}
    assert kinds == {"air", "water", "outfall", "voc", "operation", "ecoflow", "noise", "meteo"}
    assert all(rule.priority == 4 for rule in load_rules().rules if rule.kind is Kind.DATA_QUALITY)


def test_a_factor_that_the_kind_does_not_measure_is_refused() -> None:
    text = "kind: water\nbackfill_after_hours: 6\nrules:\n  - {id: d, kind: data_quality, factors: [TP, gold]}\n"
    with pytest.raises(ConfigError, match=r"rules.yaml:4: rules.0.factors.1: water measures no 'gold'"):
        parse_rules(parse_yaml(text, "rules.yaml"))
