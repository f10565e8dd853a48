"""Where and when a rule judges: areas, function classes, modes (G12) and their end."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from alerts.desk import Desk
from alerts.events import Fact
from alerts.journal import open_journal
from alerts.keeper import Keeper
from alerts.modes import Mode, ModeKind, Modes
from alerts.rules import Rule
from alerts.verdicts import Judge, Verdict
from sensors.clock import HOUR_MS
from streams.standards import load_standards
from tests.unit.alerts.building import T0, columns, registry, row, rules_of, site, threshold

STANDARDS = load_standards()
SITES = registry(site("A", areas=("park", "city"), zone=2), site("B", areas=("city",), zone=1))


def mode(share: str = "1", areas: tuple[str, ...] = ("park",), **other: Any) -> Mode:
    made: dict[str, Any] = {
        "id": "games", "kind": ModeKind.GUARANTEE, "name_zh": "亚运会", "name_en": "games", "areas": frozenset(areas),
        "start": T0 + 2 * HOUR_MS, "end": T0 + 4 * HOUR_MS, "share": Fraction(share), "thresholds": {},
        "author": "局长", "why": "保障",
    }  # fmt: skip
    return Mode(**(made | other))


def said(rule: Rule, modes: Modes | None = None, value: int = 60, hours: int = 6) -> dict[str, str]:
    """Return what each hour of each site says under a rule: X over, . fine; blank where it does not judge."""
    rows = [row(site=name, hour=hour, value=value) for name in "AB" for hour in range(hours)]
    found = {name: [" "] * hours for name in "AB"}
    judge = Judge(rules_of(rule), SITES, STANDARDS, modes=modes or Modes())
    for part in judge.judge(columns(*rows)):
        for start, verdict in zip(part.starts.tolist(), part.verdicts.tolist(), strict=True):
            found[part.key.site][(start - T0) // HOUR_MS] = "X" if verdict == Verdict.OVER else "."
    return {name: "".join(letters) for name, letters in found.items()}


def test_a_rule_judges_the_sites_of_its_areas_with_all_that_lies_in_them() -> None:
    assert said(threshold(areas=frozenset({"park"})), value=80) == {"A": "XXXXXX", "B": "      "}
    assert said(threshold(areas=frozenset({"city"})), value=80) == {"A": "XXXXXX", "B": "XXXXXX"}


def test_a_rule_judges_the_function_classes_it_is_meant_for() -> None:
    assert said(threshold(function_classes=frozenset({1})), value=80) == {"A": "      ", "B": "XXXXXX"}


@pytest.mark.parametrize(
    ("said_by_site", "meant"), [(True, True), (False, False), (["true", "x"], True), ("true", True), (None, False)]
)
def test_a_rule_judges_where_the_setting_says_so_in_the_words_of_the_file(said_by_site: object, meant: object) -> None:
    sites = registry(site("A", setting={} if said_by_site is None else {"gate": said_by_site}))
    rule = threshold(where={"gate": frozenset({"true", "None"})})
    found = list(Judge(rules_of(rule), sites, STANDARDS).judge(columns(row(value=80))))
    assert bool(found) is meant


@pytest.mark.parametrize("later", [{"sites": frozenset({"B"})}, {"factors": ("PM10",)}])
def test_what_a_later_version_of_a_rule_leaves_out_is_cleared(later: dict[str, Any]) -> None:
    change = T0 + 2 * HOUR_MS
    rules = rules_of(threshold(end=change), threshold(start=change, **later))
    keeper, journal = Keeper(Judge(rules, SITES, STANDARDS), rules), open_journal("sqlite://", lambda: 0)
    with journal.writing() as turn:
        for hour in range(4):
            keeper.take(columns(*(row(site=name, hour=hour, value=80) for name in "AB")), turn)
        keeper.save(turn)
    facts = {alert.event.key.site: (alert.event.fact, alert.event.end) for alert in Desk(journal).events().alerts}
    journal.close()
    assert facts["A"] == (Fact.CLEARED, change)
    assert facts["B"] == ((Fact.GOING_ON, None) if "sites" in later else (Fact.CLEARED, change))


def test_in_guarantee_mode_thresholds_are_tighter_in_its_area_and_return_by_themselves_at_its_end() -> None:
    tighter = Modes(modes=(mode("0.5"),))  # 75 → 37.5
    assert said(threshold(), tighter) == {"A": "..XX..", "B": "......"}
    assert said(threshold()) == {"A": "......", "B": "......"}


def test_a_bound_under_a_mode_names_who_set_the_mode_and_why() -> None:
    judge = Judge(rules_of(threshold()), SITES, STANDARDS, modes=Modes(modes=(mode("0.5"),)))
    (part,) = judge.judge(columns(row(hour=2, value=60)))
    bound = part.point(0).bound
    assert bound is not None
    assert (bound.author, bound.clause) == ("局长", "亚运会：保障")
    assert bound.at_digits(1) == 375


@pytest.mark.parametrize("named", ["games", "guarantee"])
def test_a_rule_of_a_mode_judges_only_in_its_time_and_area_and_is_fine_after_it(named: str) -> None:
    found = said(threshold(mode=named), Modes(modes=(mode(),)), value=80)
    assert found == {"A": "..XX..", "B": "......"}


def test_an_event_of_a_mode_is_cleared_when_the_mode_ends() -> None:
    rules = rules_of(threshold(mode="games"))
    judge = Judge(rules, SITES, STANDARDS, modes=Modes(modes=(mode(),)))
    journal, keeper = open_journal("sqlite://", lambda: 0), Keeper(judge, rules)
    with journal.writing() as turn:
        for hour in range(5):
            keeper.take(columns(row(hour=hour, value=80)), turn)
        keeper.save(turn)
    (alert,) = Desk(journal).events().alerts
    journal.close()
    assert (alert.event.fact, alert.event.start, alert.event.end) == (
        Fact.CLEARED, T0 + 2 * HOUR_MS, T0 + 4 * HOUR_MS,
    )  # fmt: skip


def test_without_the_mode_a_rule_of_it_judges_nothing_over() -> None:
    assert said(threshold(mode="games"), value=80) == {"A": "......", "B": "......"}


def test_when_a_rule_is_followed_by_its_next_version_no_hour_is_fine_between_them() -> None:
    first = threshold(end=T0 + 3 * HOUR_MS)
    judge = Judge(rules_of(first, threshold(start=T0 + 3 * HOUR_MS)), SITES, STANDARDS)
    rows = [row(hour=hour, value=80) for hour in range(6)]
    found = [verdict for part in judge.judge(columns(*rows)) for verdict in part.verdicts.tolist()]
    assert found == [Verdict.OVER] * 6
