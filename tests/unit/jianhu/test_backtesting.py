from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alerts.rules import Rules
from jianhu import cli
from jianhu.backtesting import Trial, compare, looks, play
from sensors.clock import DAY_MS, HOUR_MS
from sensors.kinds import load_kind
from streams.results import ResultHead
from streams.standards import load_standards
from streams.store.memory import MemoryStore
from streams.store.sqlite import SqliteStore
from tests.unit.alerts.building import PACK, T0, batch, only, registry, row, rules_of, threshold

STANDARDS = load_standards()
HOURS = [60, 80, 120, 60, 60, 80, 60]


def stored(store: MemoryStore | SqliteStore) -> MemoryStore | SqliteStore:
    store.write(
        batch(*[row(hour=hour, value=value) for hour, value in enumerate(HOURS)]), ResultHead(kind="air", pack=PACK)
    )
    return store


def events(rules: Rules) -> list[tuple[int, int]]:
    plan = looks([rules], load_kind, T0, T0 + DAY_MS)
    with Trial(rules, registry(), STANDARDS, load_kind) as trial:
        list(play(stored(MemoryStore()), plan, [trial]))
        return [((one.start - T0) // HOUR_MS, (one.last - T0) // HOUR_MS) for one in trial.events()]


def test_a_trial_raises_on_stored_results_what_the_watch_would_have_raised() -> None:
    assert events(only("pm25-1h")) == [(1, 3), (5, 6)]


def test_every_slice_that_a_rule_looks_at_is_planned_once_and_in_order() -> None:
    plan = looks([only("pm25-1h"), only("pm25-1h", "limit-o3-day")], load_kind, T0, T0 + DAY_MS)
    assert len(plan) == len(set(plan)) == 24 + 24 + 1
    assert [one.start for one in plan] == sorted(one.start for one in plan)
    assert {one.window for one in plan} == {"1h", "8h", "MDA8"}


def test_before_and_after_are_compared_by_rule_site_factor_and_time() -> None:
    before, after = only("pm25-1h"), rules_of(threshold(threshold=type(threshold().threshold or 0)(100)))
    plan = looks([before, after], load_kind, T0, T0 + DAY_MS)
    with (
        Trial(before, registry(), STANDARDS, load_kind) as now,
        Trial(after, registry(), STANDARDS, load_kind) as then,
    ):
        done = list(play(stored(MemoryStore()), plan, [now, then]))
        found = compare(now.events(), then.events())
    assert len(done) == len(plan)
    (line,) = found.rows
    assert (line.before, line.after, line.same, line.hours_before, line.hours_after) == (2, 1, 1, 3.0, 1.0)
    assert [(one.start - T0) // HOUR_MS for one in found.gone] == [5]
    assert found.new == ()
    assert found.total.before == 2


def test_nothing_against_nothing_is_nothing() -> None:
    found = compare((), ())
    assert (found.rows, found.total.before, found.gone, found.new) == ((), 0, (), ())


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """Return the folder of a system with a day of results, and rules of its own."""
    store = SqliteStore(tmp_path / "results.sqlite")
    stored(store)
    store.close()
    (tmp_path / "rules.yaml").write_text(
        "kind: air\nbackfill_after_hours: 6\nrules:\n  - {id: pm25-1h, kind: threshold, factor: PM2.5, window: 1h, "
        "value: 75, unit: µg/m³, author: 张, why: 试}\n",
        encoding="utf-8",
    )
    delivered = files("sensors").joinpath("data/beijing.yaml").read_text(encoding="utf-8")
    (tmp_path / "registry.yaml").write_text(delivered, encoding="utf-8")
    return tmp_path


def test_the_command_tells_what_both_sets_of_rules_raise_and_what_is_new(system: Path) -> None:
    other = system / "other.yaml"
    text = (system / "rules.yaml").read_text(encoding="utf-8")
    other.write_text(text.replace("value: 75", "value: 50"), encoding="utf-8")
    days = ["--from", "2026-12-13", "--to", "2026-12-13"]
    found = CliRunner().invoke(
        cli.app, ["rules", "backtest", *days, "--rules", str(other), "--dir", str(system), "--language", "zh"]
    )
    assert found.exit_code == 0, found.output
    rows = [line.split() for line in found.output.splitlines()]
    assert ["pm25-1h", "2", "1", "2", "3", "7"] in rows
    assert ["total", "2", "1", "2", "3", "7"] in rows


def test_a_last_day_before_the_first_is_refused(system: Path) -> None:
    found = CliRunner().invoke(
        cli.app, ["rules", "backtest", "--from", "2026-12-14", "--to", "2026-12-13", "--dir", str(system)]
    )
    assert found.exit_code != 0
    assert "--to" in str(found.exception)
