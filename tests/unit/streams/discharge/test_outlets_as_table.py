"""D6: no flow in dry weather, no sewage in rain: the evaluation against a truth table of the same conditions.

It stays an evaluation of its own: whether a flow is polluted is no comparison with a number but a judgement by all
limits that bind the outlet, and its rows tell apart five reasons for not knowing. Where both decide they agree; the
table decides one cell more: polluted water that flows is a finding in any weather; the evaluation waits for the rain.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from sensors.tables import TableOutcome, Truth, TruthTable
from streams.discharge.outlets import FOUND, Hours, Outcome, outcomes
from tests.kind_cases import kind_of

TABLE = """
kind: outlet
name: {zh: 排口, en: outlet}
slot: 1h
fine: 10min
classes: [rain_water]
factors:
  rain: {name: {zh: 雨, en: rain}, unit: mm, decimals: 1, low: 0, high: 500, form: sum, units: {mm: 1}}
  flow: {name: {zh: 流量, en: flow}, unit: L/s, decimals: 2, low: 0, high: 9000, units: {L/s: 1}}
  over: {name: {zh: 超标, en: over}, unit: "1", decimals: 0, low: 0, high: 4, form: state, extra: 0, units: {"1": 1}}
windows: [{name: 1h}, {name: 24h}]
evaluations: [combination]
tables:
  - id: dry_or_polluted
    name: {zh: 晴雨排放, en: dry-weather flow}
    source: 上虞十四五
    conditions:
      rain: {factor: rain, at_least: 0.1 mm, within: 12}
      flows: {factor: flow, at_least: 0.1 L/s}
      polluted: {factor: over, at_least: 3 1}
      found: {factor: over, at_least: 4 1}
    rows:
      - {when: {flows: no}, outcome: fine}
      - {when: {flows: yes, rain: no}, outcome: finding, text: {zh: 晴天排水, en: flow in dry weather}}
      - {when: {flows: yes, rain: yes, polluted: no}, outcome: fine}
      - {when: {flows: yes, rain: yes, polluted: yes, found: no}, outcome: suspicion}
      - {when: {flows: yes, rain: yes, polluted: yes, found: yes}, outcome: finding}
"""
N, Y, U = Truth
QUALITY = {"clean": (N, N), "hinted": (Y, N), "polluted": (Y, Y), "unknown": (U, U)}


def table() -> TruthTable:
    return kind_of(TABLE).tables[0]


def said(rain: Truth, flow: Truth, quality: str) -> Outcome:
    """Return what the evaluation says of one hour."""

    def one(*, holds: bool) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
        return np.array([[holds]])

    hours = Hours(
        outlet=one(holds=True), wet=one(holds=rain is Y), dry=one(holds=rain is N), flow_known=one(holds=flow is not U),
        flows=one(holds=flow is Y), limited=one(holds=True), measured=one(holds=quality != "unknown"),
        polluted=one(holds=quality == "polluted"), hinted=one(holds=quality == "hinted"),
    )  # fmt: skip
    return Outcome(int(outcomes(hours)[0, 0]))


@pytest.mark.parametrize(("rain", "flow", "quality"), list(product(Truth, Truth, QUALITY)))
def test_the_table_and_the_evaluation_say_the_same_of_every_cell(rain: Truth, flow: Truth, quality: str) -> None:
    polluted, found = QUALITY[quality]
    outcome, _ = table().decide({"rain": rain, "flows": flow, "polluted": polluted, "found": found})
    judged = said(rain, flow, quality)
    if outcome is TableOutcome.FINE:
        assert judged in {Outcome.WITHIN, Outcome.NO_FLOW_KNOWN}
    elif outcome is TableOutcome.UNKNOWN:
        assert judged not in {Outcome.WITHIN, *FOUND}
    else:
        assert judged in FOUND or (judged, quality) == (Outcome.NO_RAIN_KNOWN, "polluted")
        assert (outcome is TableOutcome.SUSPICION) == (judged is Outcome.POLLUTED_HINT)


def test_the_evaluation_finds_nothing_that_the_table_does_not() -> None:
    for rain, flow, quality in product(Truth, Truth, QUALITY):
        if said(rain, flow, quality) in FOUND:
            polluted, found = QUALITY[quality]
            outcome, _ = table().decide({"rain": rain, "flows": flow, "polluted": polluted, "found": found})
            assert outcome in {TableOutcome.FINDING, TableOutcome.SUSPICION}
