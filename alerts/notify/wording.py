"""Wording: what a delivery's data become in words, in the recipient's language."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from alerts.cases.responses import ResponseKind
from alerts.cases.texts import case_word
from alerts.notices.payload import CasePart, EventPart, Payload
from alerts.notify.channels import Message, plain
from alerts.notify.delivery import BadMessage
from alerts.notify.templates import EVENT_FIELDS, LANGUAGES, BadTemplate, Templates
from alerts.rules import Kind
from alerts.texts import Language, Priority, word
from sensors.clock import beijing

_ZH: Final = "zh"
_NO_EVENT: Final = dict.fromkeys(EVENT_FIELDS, "")
_MARKS: Final[Mapping[str, str]] = {"zh": "【模拟数据】", "en": "[Synthetic data] "}
_DRILLS: Final[Mapping[str, str]] = {"zh": "【演练】", "en": "[Drill] "}
_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "raised": ("新报警", "New alert"),
    "cleared": ("报警解除", "Cleared"),
    "withdrawn": ("报警撤回", "Withdrawn"),
    "confirmed": ("复测确认", "Confirmed"),
    "worsened": ("报警加重", "Worsened"),
    "repeat": ("仍在持续", "Still going on"),
    "digest": ("报警汇总", "Digest"),
    "escalation": ("逾时未签收，升级", "Escalated: not acknowledged"),
    "case_step": ("案件进展", "Case"),
    "response_step": ("响应进展", "Response"),
    "test": ("试发", "Test"),
}
_NAMED: Final = frozenset({Kind.LIMIT.value, Kind.FINDING.value})
"""Kinds of rules of which a multiple is told: nothing else is called 超标, and no hint is."""
_TIERS: Final[Mapping[str, tuple[str, str]]] = {
    "park": ("园区", "the park"),
    "township": ("乡镇（街道）", "the township"),
    "district": ("区", "the district"),
    "city": ("市", "the city"),
    "province": ("省", "the province"),
}
_STEPS: Final[Mapping[str, tuple[str, str]]] = {
    "opened": ("立案", "opened"),
    "event_added": ("并入新报警", "another event joined"),
    "event_closed": ("报警已关闭", "an event was closed"),
    "withdrawn": ("报警已撤回", "withdrawn"),
    "restored": ("报警恢复", "restored"),
    "cleared": ("报警全部解除", "all events are over"),
    "went_on": ("报警再次持续", "goes on again"),
    "priority_raised": ("级别提高", "priority raised"),
    "recurred": ("重发复发", "recurred"),
    "overdue": ("逾期", "overdue"),
    "reopened": ("重新立案", "reopened"),
    "acknowledged": ("已签收", "acknowledged"),
    "party_acknowledged": ("相关方已签收", "a party acknowledged"),
    "verified": ("已核实", "verified"),
    "handed_over": ("已交办", "handed over"),
    "sent_back": ("退回", "sent back"),
    "urged": ("督办", "urged"),
    "rectified": ("已整改", "rectified"),
    "reported": ("已反馈", "reported"),
    "written_off": ("已销号", "written off"),
    "noted": ("备注", "note"),
    "inspection": ("现场检查", "inspection"),
    "response_start": ("启动响应", "response started"),
    "response_respond": ("已响应", "responded"),
    "response_adjust": ("响应调整", "response adjusted"),
    "response_lift": ("解除响应", "response lifted"),
}
_ESCALATED: Final = (
    "已 {minutes} 分钟无人签收，现升级至{tier}。",
    "Nobody acknowledged for {minutes} minutes; now {tier} is told.",
)
_LEVEL: Final = ("级别 {level}", "level {level}")
_DUE: Final = ("办理期限 {at}", "due {at}")


class Wording:
    """Makes messages of rows of the queue.

    Parameters
    ----------
    templates
        The words.
    console
        Where the console is reached by people, for links, for example ``http://127.0.0.1:8420``; empty: no links.
    token
        Gives a token for a delivery, by which its receipt is taken; None: no receipts are asked for.
    """

    def __init__(self, templates: Templates, console: str = "", token: Callable[[str], str] | None = None) -> None:
        self._templates, self._console, self._token = templates, console.rstrip("/"), token

    def message_of(self, row: Any) -> Message:
        """Return the message of a row of ``alert_delivery``.

        Raises
        ------
        BadMessage
            When its data cannot be read, or no template takes them.
        StoreError
            When a token is wanted and the database does not answer.
        """
        try:
            payload = msgspec.json.decode(row.payload, type=Payload)
        except msgspec.MsgspecError as cause:
            raise BadMessage(plain(f"its data cannot be read: {cause}")) from cause
        wants = self._token is not None and bool(self._console)
        url = f"{self._console}/receipts/{self._token(row.id)}" if wants and self._token is not None else ""
        fields = self.fields(payload, row.kind, synthetic=bool(row.synthetic)) | {
            "recipient": row.recipient, "recipient_name": row.recipient, "department": row.department,
            "receipt_url": url,
        }  # fmt: skip
        try:
            said = self._templates.render(row.kind, _language(payload), fields)
        except BadTemplate as cause:
            raise BadMessage(f"template {row.kind}, {cause}") from cause
        return Message(
            delivery=row.id, notice=row.notice, kind=row.kind, priority=row.priority, recipient=row.recipient,
            department=row.department, address=row.address, subject=said.subject, text=said.text, html=said.html,
            synthetic=bool(row.synthetic), created_at=row.created_at, payload=self._data(payload), receipt_url=url,
        )  # fmt: skip

    def fields(self, payload: Payload, kind: str, *, synthetic: bool) -> dict[str, Any]:
        """Return the values that a template may name, all but those of the recipient."""
        language = _language(payload)
        parts = list(_parts(payload))
        drill = payload.drill or (bool(parts) and all(part.drill for part in parts))
        events = [self._event(part, language, "" if drill else _drill(part, language)) for part in parts]
        gathered = _gathered(payload)
        more = payload.more + sum(one.more for one in gathered)
        case = payload.case
        return {
            "events": events,
            "first": events[0] if events else _NO_EVENT,
            "count": len(events) + more,
            "more": str(more or ""),
            "kind": kind,
            "kind_name": _of(_KINDS, kind, language),
            "priority": str(payload.priority),
            "priority_name": word(Priority(payload.priority), Language(language)),
            "mark": (_MARKS[language] if synthetic or payload.synthetic else "") + (_DRILLS[language] if drill else ""),
            "synthetic": synthetic or payload.synthetic,
            "case": "" if case is None else case.id,
            "step": "" if case is None else _of(_STEPS, case.kind, language),
            "author": "" if case is None else case.author,
            "link": "" if case is None else self._link(case.link),
            "tier": _of(_TIERS, payload.tier, language),
            "note": "\n".join(note for one in (payload, *gathered) if (note := _note(one, language))),
        }

    def _event(self, part: EventPart, language: str, mark: str) -> dict[str, str]:
        chinese = language == _ZH
        table = f"表{part.table}" if chinese else f"table {part.table}"
        return {
            "id": part.id,
            "rule": (part.rule_zh if chinese else part.rule_en) or part.rule,
            "site": part.site,
            "site_name": part.site_zh if chinese else part.site_en,
            "areas": part.place_zh if chinese else "",
            "title": mark + _title(part, language),
            "because": part.because_zh if chinese else part.because_en,
            "factor": part.factor_zh if chinese else part.factor_en,
            "value": (part.value_zh if chinese else part.value_en) or part.detail,
            "limit": part.limit_zh if chinese else part.limit_en,
            "multiple": part.multiple if part.rule_kind in _NAMED and not part.hint else "",
            "clause": " ".join(one for one in (part.standard, part.table and table, part.clause) if one),
            "days_over": _number(part.days_over),
            "streak": _number(part.streak),
            "start": _time(part.start),
            "end": "" if part.end is None else _time(part.end),
            "fact": part.fact,
            "state": part.state,
            "priority": str(part.priority),
            "link": self._link(part.link),
        }

    def _data(self, payload: Payload) -> dict[str, Any]:
        """Return the data as channels give them on: with whole links, and a title in the recipient's language."""
        language = _language(payload)
        made: dict[str, Any] = msgspec.to_builtins(payload)
        made["events"] = [
            msgspec.to_builtins(part)
            | {"title": _drill(part, language) + _title(part, language), "link": self._link(part.link)}
            for part in _parts(payload)
        ]
        made.pop("messages", None)
        return made

    def _link(self, path: str) -> str:
        return f"{self._console}{path}" if self._console and path.startswith("/") else ""


def _parts(payload: Payload) -> Iterator[EventPart]:
    """Yield the events of a message, those of a digest's messages among them, each once and as it stood last."""
    found: dict[str, EventPart] = {}
    for part in (*payload.events, *(part for one in _gathered(payload) for part in one.events)):
        found[part.id] = part
    yield from sorted(found.values(), key=lambda part: part.priority) if payload.messages else found.values()


def _gathered(payload: Payload) -> list[Payload]:
    """Return the messages that a digest gathers."""
    return [msgspec.convert(one, Payload) for one in payload.messages]


def _note(payload: Payload, language: str) -> str:
    said, place = [], 0 if language == _ZH else 1
    if payload.unacknowledged_min is not None:
        tier = _of(_TIERS, payload.tier, language)
        said.append(_ESCALATED[place].format(minutes=payload.unacknowledged_min, tier=tier))
    if payload.case is not None:
        said += _case_note(payload.case, place, language)
    return "\n".join(said)


def _case_note(case: CasePart, place: int, language: str) -> list[str]:
    about = case_word(ResponseKind(case.about), Language(language)) if case.about else ""
    level = "" if case.level is None else _LEVEL[place].format(level=case.level)
    areas = case.areas_zh if language == _ZH else case.areas_en
    step = _of(_STEPS, case.kind, language)
    signed = " · ".join(one for one in (about, step, level, areas, case.author, case.party, case.reason) if one)
    due = [] if case.due_at is None else [_DUE[place].format(at=_time(case.due_at))]
    return ([signed] if signed else []) + due


def _title(part: EventPart, language: str) -> str:
    return part.title_zh if language == _ZH else part.title_en


def _drill(part: EventPart, language: str) -> str:
    return _DRILLS[language] if part.drill else ""


def _language(payload: Payload) -> str:
    return payload.language if payload.language in LANGUAGES else _ZH


def _of(names: Mapping[str, tuple[str, str]], key: str, language: str) -> str:
    return names.get(key, (key, key))[0 if language == _ZH else 1]


def _number(count: int | None) -> str:
    return "" if count is None else str(count)


def _time(at_ms: int) -> str:
    at: datetime = beijing(at_ms)
    return at.strftime("%Y-%m-%d %H:%M")
