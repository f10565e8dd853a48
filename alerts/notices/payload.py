"""What messages are made of: values in words and as data, for templates; kept as JSON with each delivery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from alerts.episodes import multiple_of
from alerts.routing import Why
from alerts.subjects import Subject
from alerts.tally import Tally
from alerts.texts import Language, because, bound_shown, factor_name, peak_shown, title, window_name
from sensors.registry import Registry


class EventPart(msgspec.Struct, frozen=True, kw_only=True):
    """One event in a message. Texts end in ``_zh`` and ``_en``; times are milliseconds UTC."""

    id: str
    rule: str
    rule_zh: str
    rule_en: str
    rule_kind: str
    site: str
    site_zh: str
    site_en: str
    place_zh: str
    """County and township, or the areas above."""
    network: str
    factor: str
    factor_zh: str
    factor_en: str
    window: str
    window_zh: str
    window_en: str
    title_zh: str
    title_en: str
    because_zh: str
    """Value, limit with standard and clause, multiple, how complete."""
    because_en: str
    value_zh: str
    """The peak with its unit."""
    value_en: str
    limit_zh: str
    """What it was held against, with its unit; empty where it is nothing."""
    limit_en: str
    multiple: str
    """超标倍数 with two digits; empty where none is made."""
    standard: str
    table: str
    clause: str
    days_over: int | None
    """Days over among the last 30; None where days are not counted."""
    streak: int | None
    """Days over in a row."""
    start: int
    last: int
    end: int | None
    raised_at: int
    priority: int
    fact: str
    state: str
    hint: bool
    unconfirmed: bool
    to_verify: bool
    synthetic: bool
    drill: bool = False
    """Raised under a drill (演练)."""
    detail: str
    """What was seen, of an event about the system itself."""
    labels: Mapping[str, str]
    link: str
    """Path in the console."""


class CasePart(msgspec.Struct, frozen=True, kw_only=True):
    """A case, and the step of it of which the message tells."""

    id: str
    kind: str
    """`alerts.cases.record.StepKind`."""
    state: str
    author: str
    reason: str
    code: str
    at: int
    due_at: int | None
    party: str
    link: str
    about: str = ""
    """Of a response: its kind, `alerts.cases.responses.ResponseKind`."""
    level: int | None = None
    """Of a response: 1 to 4."""
    areas_zh: str = ""
    """Of a response: where."""
    areas_en: str = ""


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """A whole message as data."""

    kind: str
    priority: int
    synthetic: bool
    language: str
    """Of the recipient: ``zh`` or ``en``."""
    drill: bool = False
    """Whether all of it is a drill (演练)."""
    events: tuple[EventPart, ...]
    """The most urgent ones, at most the policy's ``listed``."""
    more: int = 0
    """So many events are not listed."""
    group: Mapping[str, str] = {}
    """Labels that all of them have."""
    case: CasePart | None = None
    tier: str = ""
    """Of an escalation: whom it climbed to."""
    unacknowledged_min: int | None = None
    """Of an escalation: for how long nobody acknowledged it."""
    why: tuple[Mapping[str, str], ...] = ()
    """Why this recipient is told: role, hit, where, rota, ground, instead_of, side, bank."""
    messages: tuple[Mapping[str, Any], ...] = ()
    """Of a digest: the payloads that it gathers."""


def event_part(subject: Subject, tally: Tally | None, registry: Registry) -> EventPart:
    """Return what a message says of an event, as it stands now."""
    event, rule, site = subject.event, subject.rule, subject.site
    peak = event.peak
    bound, multiple = peak.bound, multiple_of(peak)
    names = {area.id: (area.name_zh, area.name_en) for area in registry.areas}
    site_zh, site_en = (
        (site.name_zh, site.name_en) if site is not None else names.get(event.key.site, (event.key.site,) * 2)
    )
    place = [site.county, site.township] if site is not None else [names[one][0] for one in subject.areas[1:3]]
    zh, en = Language.ZH, Language.EN
    factor = event.key.factor
    is_standing = rule is None and event.window == ""
    reasons = ("", "") if is_standing else tuple(because(peak, event.kind, factor, one) for one in (zh, en))
    values = ("", "") if is_standing else (peak_shown(event, zh), peak_shown(event, en))
    return EventPart(
        id=event.id, rule=event.key.rule, rule_kind=event.kind.value, site=event.key.site, site_zh=site_zh,
        site_en=site_en, place_zh=" ".join(one for one in place if one), network=subject.network, factor=factor,
        rule_zh="" if rule is None else rule.name_zh, rule_en="" if rule is None else rule.name_en,
        factor_zh=factor_name(peak.network, factor, zh), factor_en=factor_name(peak.network, factor, en),
        window=event.window, window_zh=window_name(event.window, zh), window_en=window_name(event.window, en),
        title_zh=title(event, zh), title_en=title(event, en), because_zh=reasons[0], because_en=reasons[1],
        value_zh=values[0], value_en=values[1], limit_zh=bound_shown(event, zh), limit_en=bound_shown(event, en),
        multiple="" if multiple is None or multiple <= 0 else f"{float(multiple):.2f}",
        standard="" if bound is None else bound.standard, table="" if bound is None else bound.table,
        clause="" if bound is None else bound.clause,
        days_over=None if tally is None else tally.days, streak=None if tally is None else tally.streak,
        start=event.start, last=event.last, end=event.end, raised_at=event.raised_at, priority=event.priority,
        fact=event.fact.value, state=event.state.value, hint=event.hint, unconfirmed=event.unconfirmed,
        to_verify=event.to_verify, synthetic=subject.synthetic, drill=subject.drill,
        detail=peak.detail if is_standing else "", labels=subject.labels, link=f"/alerts/{event.id}",
    )  # fmt: skip


def why_parts(why: Sequence[Why]) -> tuple[Mapping[str, str], ...]:
    """Return reasons as data; empty ones are left out."""
    made = []
    for one in why:
        said = {
            "role": one.role.value, "hit": one.hit.value, "where": one.where, "rota": one.rota,
            "ground": one.ground.value if one.ground is not None else "", "instead_of": one.instead_of,
            "side": one.side.value if one.side is not None else "", "bank": one.bank,
        }  # fmt: skip
        made.append({name: text for name, text in said.items() if text})
    return tuple(made)
