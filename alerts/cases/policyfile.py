"""The file of the cases' policy: ``cases.yaml``, read over what comes with the package."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from alerts.cases.deadlines import Calendar, Deadlines, Lapse, Rung, Tier
from alerts.cases.incidents import SYSTEM, KeyRow, Opening, OpeningRow, Selector
from alerts.cases.policy import (
    BlackList,
    CasePolicy,
    NeedRow,
    Owed,
    PartyRow,
    PartySource,
    Recurrence,
    Repeats,
)
from alerts.cases.record import Need, Role, StepKind
from alerts.cases.responses import Condition, PlantList, ResponseKind, ResponseLevel, ResponsePolicy
from alerts.cases.states import CaseAct, CaseState
from alerts.rules import Kind
from sensors.clock import DAY_MS, HOUR_MS, MINUTE_MS, day_number
from sensors.registryfile import AreaType
from sensors.yamlfile import Document, KeyPath, read_yaml

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Priority = Annotated[int, msgspec.Meta(ge=1, le=4)]
_Confidence = Literal["confirmed", "single_source", "not_seen"]
_SPAN: Final = re.compile(r"(0|[1-9][0-9]{0,4})(min|h|d|wd)")
_UNIT_MS: Final[Mapping[str, int]] = {"min": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}
_TIME: Final = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])")
_WRITE_SPAN: Final = "write for example 30min, 2h, 5d or 3wd"
_PRIORITIES: Final = (1, 2, 3, 4)
_SITE: Final = "site"


class _Entry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A part of the file."""


class _SelectorEntry(_Entry, kw_only=True, frozen=True, forbid_unknown_fields=True):
    networks: tuple[_Name, ...] = ()
    kinds: tuple[Kind, ...] = ()
    rules: tuple[_Name, ...] = ()
    factors: tuple[_Name, ...] = ()
    classes: tuple[_Name, ...] = ()
    control: tuple[_Name, ...] = ()
    priorities: tuple[_Priority, ...] = ()
    backfilled: bool | None = None
    hint: bool | None = None
    unconfirmed: bool | None = None


class _OpeningEntry(_SelectorEntry, kw_only=True, frozen=True, forbid_unknown_fields=True):
    then: Opening


class _KeyEntry(_SelectorEntry, kw_only=True, frozen=True, forbid_unknown_fields=True):
    by: _Name
    theme: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_]{0,32}$")] = ""


class _NeedEntry(_SelectorEntry, kw_only=True, frozen=True, forbid_unknown_fields=True):
    need: Need


class _PartyEntry(_SelectorEntry, kw_only=True, frozen=True, forbid_unknown_fields=True):
    role: Role
    area: AreaType | None = None
    department: _Name = ""


class _RecurrenceEntry(_Entry, kw_only=True, frozen=True, forbid_unknown_fields=True):
    within: str
    count: Annotated[int, msgspec.Meta(ge=2, le=100)]
    same_factor: bool
    highest: _Priority
    tier: Tier


class _RungEntry(_Entry, kw_only=True, frozen=True, forbid_unknown_fields=True):
    after: str
    tier: Tier


class _DeadlineEntry(_Entry, kw_only=True, frozen=True, forbid_unknown_fields=True):
    priority: _Priority
    due: dict[CaseState, str]
    ladder: Annotated[tuple[_RungEntry, ...], msgspec.Meta(min_length=1)]
    repeat: str


class _BlackListEntry(_Entry, kw_only=True, frozen=True, forbid_unknown_fields=True):
    within: str
    points: dict[StepKind, Annotated[int, msgspec.Meta(ge=0, le=100)]]
    listed_at: Annotated[int, msgspec.Meta(ge=1)]


class _CalendarEntry(_Entry, kw_only=True, frozen=True, forbid_unknown_fields=True):
    source: _Text
    confidence: _Confidence
    closes: str
    holidays: tuple[str, ...]
    working: tuple[str, ...]


class _ConditionEntry(_Entry, kw_only=True, frozen=True, forbid_unknown_fields=True):
    above: Annotated[int, msgspec.Meta(ge=50, le=500)]
    days: Annotated[int, msgspec.Meta(ge=1, le=30)]


class _LevelEntry(_Entry, kw_only=True, frozen=True, forbid_unknown_fields=True):
    level: _Priority
    zh: _Text
    en: _Text
    starts: tuple[Annotated[tuple[_ConditionEntry, ...], msgspec.Meta(min_length=1)], ...] = ()
    measures: tuple[_Text, ...] = ()


class _ListEntry(_Entry, kw_only=True, frozen=True, forbid_unknown_fields=True):
    id: _Name
    version: _Name
    members: tuple[_Name, ...]


class _ResponseEntry(_Entry, kw_only=True, frozen=True, forbid_unknown_fields=True):
    kind: ResponseKind
    source: _Text
    confidence: _Confidence
    levels: Annotated[tuple[_LevelEntry, ...], msgspec.Meta(min_length=1)]
    lists: tuple[_ListEntry, ...] = ()
    contacts: tuple[_Text, ...] = ()
    plan: tuple[_Text, ...] = ()
    lift_days: Annotated[int, msgspec.Meta(ge=1, le=30)] = 2


class _SourceEntry(_Entry, kw_only=True, frozen=True, forbid_unknown_fields=True):
    zh: _Text
    en: _Text


class _File(_Entry, kw_only=True, frozen=True, forbid_unknown_fields=True):
    source: _SourceEntry | _Text
    confidence: _Confidence
    openings: tuple[_OpeningEntry, ...]
    incidents: tuple[_KeyEntry, ...]
    acknowledge: tuple[_NeedEntry, ...]
    parties: tuple[_PartyEntry, ...]
    repeats: Repeats
    relapse: str
    recurrence: _RecurrenceEntry
    deadlines: tuple[_DeadlineEntry, ...]
    owed: dict[CaseAct, tuple[Literal["note", "evidence"], ...]]
    notify: dict[StepKind, Tier]
    black_list: _BlackListEntry
    may_go_on: tuple[Kind, ...]
    calendar: _CalendarEntry
    responses: tuple[_ResponseEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Names that a policy may use; a row that names another one would never take anything."""

    rules: frozenset[str]
    networks: frozenset[str]


def load_case_policy(path: Path | None = None, known: Known | None = None) -> CasePolicy:
    """Read the policy: that of the package, and over it, key by key, a file of the office.

    Parameters
    ----------
    path
        The office's file; None: what comes with the package alone.
    known
        Names of rules and kinds of readings, by which the office's rows are checked.

    Raises
    ------
    ConfigError
        When the file is not there or wrong: with file, line, key, problem and what to do.
    """
    with as_file(files("alerts").joinpath("data/cases.yaml")) as packaged:
        delivered = read_yaml(packaged)
    if path is None:
        return parse_case_policy(delivered)
    return parse_case_policy(read_yaml(path), delivered, known)


def parse_case_policy(document: Document, delivered: Document | None = None, known: Known | None = None) -> CasePolicy:
    """Return the policy that a document says; what it leaves out is as ``delivered``.

    Raises
    ------
    ConfigError
        When a key is unknown, missing, of a wrong type or out of bounds; when a span, date or time cannot be
        read; when a row names an unknown rule or kind of readings; when a priority has no deadlines or two, a state
        none, or a ladder goes back in time; when a kind of response has no row or two.
    """
    whole = document
    if delivered is not None and isinstance(document.value, dict | None):
        value = {**delivered.value, **(document.value or {})}
        whole = Document(value=value, name=document.name, lines=document.lines)
    return _Reading(whole, known).policy()


class _Reading:
    """One file as it is read."""

    def __init__(self, document: Document, known: Known | None) -> None:
        self._document = document
        self._file = document.read_as(_File)
        if known is not None:
            self._check_names(known)

    def _check_names(self, known: Known) -> None:
        file = self._file
        parts = {
            "openings": file.openings, "incidents": file.incidents, "acknowledge": file.acknowledge,
            "parties": file.parties,
        }  # fmt: skip
        for part, rows in parts.items():
            if part not in self._document.lines:
                continue  # as delivered, for regions of all kinds
            for place, row in enumerate(rows):
                for name, names, allowed in (
                    ("rules", row.rules, known.rules),
                    ("networks", row.networks, known.networks | {SYSTEM}),
                ):
                    unknown = sorted(set(names) - allowed)
                    if unknown:
                        mend = f"name one of {', '.join(sorted(allowed))}"
                        raise self._document.error((part, place, name), f"nothing is called {unknown[0]!r}", mend)

    def policy(self) -> CasePolicy:
        file, black = self._file, self._file.black_list
        return CasePolicy(
            openings=tuple(OpeningRow(events=_selector(row), then=row.then) for row in file.openings),
            keys=tuple(self._key(place, row) for place, row in enumerate(file.incidents)),
            needs=tuple(NeedRow(events=_selector(row), need=row.need) for row in file.acknowledge),
            parties=tuple(self._party(place, row) for place, row in enumerate(file.parties)),
            repeats=file.repeats,
            relapse_ms=self._wall(("relapse",), file.relapse),
            recurrence=Recurrence(
                period_ms=self._wall(("recurrence", "within"), file.recurrence.within),
                count=file.recurrence.count, same_factor=file.recurrence.same_factor,
                highest=file.recurrence.highest, tier=file.recurrence.tier,
            ),
            deadlines=self._deadlines(),
            owed={act: Owed(note="note" in what, evidence="evidence" in what) for act, what in file.owed.items()},
            notify=file.notify,
            black_list=BlackList(
                period_ms=self._wall(("black_list", "within"), black.within),
                points=black.points, listed_at=black.listed_at,
            ),
            calendar=self._calendar(),
            responses=self._responses(),
            may_go_on=frozenset(str(kind) for kind in file.may_go_on),
        )  # fmt: skip

    def _key(self, place: int, row: _KeyEntry) -> KeyRow:
        known = (_SITE, *(str(area) for area in AreaType))
        if row.by not in known:
            raise self._document.error(
                ("incidents", place, "by"), f"no type of area {row.by!r}", f"write one of {', '.join(known)}"
            )
        return KeyRow(events=_selector(row), by=row.by, theme=row.theme)

    def _party(self, place: int, row: _PartyEntry) -> PartyRow:
        named = [
            (source, str(name)) for source, name in zip(PartySource, (row.area, row.department), strict=True) if name
        ]
        if len(named) != 1:
            raise self._document.error(("parties", place), "a party is named in one way", "write area or department")
        return PartyRow(events=_selector(row), source=named[0][0], name=named[0][1], role=row.role)

    def _deadlines(self) -> dict[int, Deadlines]:
        found: dict[int, Deadlines] = {}
        for place, row in enumerate(self._file.deadlines):
            path = ("deadlines", place)
            if row.priority in found:
                raise self._document.error((*path, "priority"), f"priority {row.priority} twice", "write one row of it")
            found[row.priority] = self._of_priority(path, row)
        missing = [priority for priority in _PRIORITIES if priority not in found]
        if missing:
            raise self._document.error("deadlines", f"no row of priority {missing[0]}", "write one row of each, 1 to 4")
        return found

    def _of_priority(self, path: tuple[str | int, ...], row: _DeadlineEntry) -> Deadlines:
        owed: list[CaseState] = [state for state in CaseState if state is not CaseState.WRITTEN_OFF]
        for state in row.due:
            if state not in owed:
                raise self._document.error((*path, "due", state), "nothing is due after the write-off", "remove it")
        for state in owed:
            if state not in row.due:
                raise self._document.error((*path, "due"), f"no span for {state}", "write one for each state")
        due: dict[CaseState, Lapse] = {state: self._lapse((*path, "due", state), row.due[state]) for state in owed}
        ladder = tuple(
            Rung(after_ms=self._wall((*path, "ladder", step, "after"), rung.after), tier=rung.tier)
            for step, rung in enumerate(row.ladder)
        )
        if [rung.after_ms for rung in ladder] != sorted({rung.after_ms for rung in ladder}):
            raise self._document.error((*path, "ladder"), "its steps go back in time", "write them in order of time")
        repeat = self._wall((*path, "repeat"), row.repeat)
        if repeat < MINUTE_MS:
            raise self._document.error((*path, "repeat"), f"{row.repeat} is no pause", "write at least 1min")
        return Deadlines(due=due, ladder=ladder, repeat_ms=repeat)

    def _responses(self) -> dict[ResponseKind, ResponsePolicy]:
        found: dict[ResponseKind, ResponsePolicy] = {}
        for place, row in enumerate(self._file.responses):
            levels = {
                one.level: ResponseLevel(
                    level=one.level, name_zh=one.zh, name_en=one.en, measures=one.measures,
                    starts=tuple(
                        tuple(Condition(above=each.above, days=each.days) for each in start) for start in one.starts
                    ),
                )
                for one in row.levels
            }  # fmt: skip
            if row.kind in found:
                raise self._document.error(("responses", place, "kind"), f"{row.kind} twice", "write one row of it")
            if len(levels) < len(row.levels):
                raise self._document.error(("responses", place, "levels"), "a level twice", "write each level once")
            found[row.kind] = ResponsePolicy(
                kind=row.kind, levels=levels, contacts=row.contacts, plan=row.plan, lift_days=row.lift_days,
                lists=tuple(PlantList(id=one.id, version=one.version, members=one.members) for one in row.lists),
            )  # fmt: skip
        missing = [kind for kind in ResponseKind if kind not in found]
        if missing:
            raise self._document.error("responses", f"no row of {missing[0]}", "write one row of each kind")
        return found

    def _calendar(self) -> Calendar:
        entry = self._file.calendar
        closes = _TIME.fullmatch(entry.closes)
        closes_ms = 0 if closes is None else int(closes[1]) * HOUR_MS + int(closes[2]) * MINUTE_MS
        if not 0 < closes_ms <= DAY_MS:
            raise self._document.error(("calendar", "closes"), f"no time {entry.closes!r}", 'write for example "17:30"')
        holidays, working = frozenset(self._days("holidays")), frozenset(self._days("working"))
        both = sorted(holidays & working)
        if both:
            day = dt.date(1970, 1, 1) + dt.timedelta(days=both[0])
            raise self._document.error(("calendar", "working"), f"{day} is a holiday too", "write it in one list")
        return Calendar(holidays=holidays, working=working, closes_ms=closes_ms)

    def _days(self, key: Literal["holidays", "working"]) -> Iterator[int]:
        for place, text in enumerate(getattr(self._file.calendar, key)):
            first, _, last = text.partition("/")
            try:
                start, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last or first)
            except ValueError as cause:
                raise self._document.error(
                    ("calendar", key, place), f"no day {text!r}", "write 2026-10-01 or 2026-10-01/2026-10-07"
                ) from cause
            if not dt.timedelta(0) <= end - start <= dt.timedelta(days=366):
                raise self._document.error(("calendar", key, place), f"no span of days {text!r}", "write it forwards")
            yield from range(day_number(start), day_number(end) + 1)

    def _lapse(self, path: KeyPath, text: str) -> Lapse:
        found = _SPAN.fullmatch(text)
        if found is None or text == "0wd":
            raise self._document.error(path, f"no span {text!r}", _WRITE_SPAN)
        if found[2] == "wd":
            return Lapse(work_days=int(found[1]))
        return Lapse(ms=int(found[1]) * _UNIT_MS[found[2]])

    def _wall(self, path: KeyPath, text: str) -> int:
        lapse = self._lapse(path, text)
        if lapse.work_days:
            raise self._document.error(path, f"{text!r} is in work days", "write wall time here: min, h or d")
        return lapse.ms


def _selector(row: _SelectorEntry) -> Selector:
    sets: dict[str, Any] = {
        name: frozenset(getattr(row, name))
        for name in ("networks", "rules", "factors", "classes", "control", "priorities")
    }
    return Selector(
        kinds=frozenset(str(kind) for kind in row.kinds), backfilled=row.backfilled, hint=row.hint,
        unconfirmed=row.unconfirmed, **sets,
    )  # fmt: skip
