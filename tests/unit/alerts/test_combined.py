"""D10 in alerts: a suspicion of working state is an event of its own, said in words, and never 超标."""

from __future__ import annotations

from typing import Any

import pytest

from alerts.combined import table_text
from alerts.desk import Desk
from alerts.journal import open_journal
from alerts.keeper import Keeper
from alerts.rules import Rules, load_rules
from alerts.texts import because, title
from alerts.verdicts import Judge
from streams.discharge.judgement import Level
from streams.standards import load_standards
from tests.unit.alerts.building import columns, registry, row, site

UNIT = site("U", kind="operation", station_class="water_treatment", zone=0, setting={"medium": "water"})
SUSPECT, FINE = "row=3;production=yes;treatment=no", "row=2;production=yes;treatment=yes"


def said(hour: int, value: int | None, **other: Any) -> dict[str, Any]:
    level = {0: Level.WITHIN, 1: Level.HINT, None: None}[value]
    made = {"site": "U", "edition": "", "digits": 0, "level": level, "detail": SUSPECT if value else FINE}
    return row("treatment_off", "1h", hour) | made | {"value": value} | other


def judged(*rows: dict[str, Any]) -> Desk:
    rules = Rules(
        rules=tuple(rule for rule in load_rules().rules if rule.network == "operation"), backfill_after_ms=10**12
    )
    keeper = Keeper(Judge(rules, registry(UNIT), load_standards()), rules)
    journal = open_journal("sqlite://", lambda: 0)
    with journal.writing() as turn:
        keeper.take(columns(*rows, network="operation"), turn)
        keeper.save(turn)
    return Desk(journal)


def test_production_on_with_treatment_off_raises_one_suspicion_that_is_no_exceedance() -> None:
    desk = judged(said(0, 0), said(1, 1), said(2, 1))
    (step,) = desk.changes_since(0).steps[:1]
    event = desk.event(step.event).event
    assert (event.key.rule, event.key.factor, event.peak.hint) == ("operation", "treatment_off", True)
    told = f"{title(event)} {because(event.peak, event.kind, event.key.factor)}"
    assert "超标" not in told
    assert "生产设施用电、治污设施未用电" in told


def test_what_is_unknown_raises_nothing_and_clears_nothing() -> None:
    unknown = {"reason": "missing_item", "level": None, "detail": "production=yes;treatment=unknown"}
    assert judged(said(0, None, **unknown), said(1, None, **unknown)).changes_since(0).steps == ()
    steps = judged(said(0, 1), said(1, None, **unknown), said(2, 1)).changes_since(0).steps
    assert len({step.event for step in steps}) == 1


@pytest.mark.parametrize(
    ("factor", "detail", "told"),
    [
        ("treatment_off", SUSPECT, "production draws power, treatment draws none"),
        ("treatment_off", FINE, "production runs while treatment stands"),
        ("treatment_off", "production=unknown;treatment=no", "production runs while treatment stands"),
        ("treatment_off", "row=9;production=yes", "production runs while treatment stands"),
        ("treatment_off", "", ""),
        ("treatment_off", "[]", ""),
        ("flow", SUSPECT, ""),
    ],
)
def test_a_row_of_a_table_is_told_in_its_own_words(factor: str, detail: str, told: str) -> None:
    assert table_text("operation", factor, detail)[1] == told
    assert table_text("nothing", factor, detail) == ("", "")
