"""What people read of alerts, in Chinese and English.

超标 is said only of a limit of a standard; a management threshold is a 管控值. Texts hold names that people
or devices gave; whoever writes HTML escapes them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from enum import IntEnum, StrEnum
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from alerts.against import late_of
from alerts.combined import table_text
from alerts.derived import derived_factors
from alerts.episodes import multiple_of
from alerts.events import Change, Event, Fact
from alerts.looktexts import EN as LOOKS_EN
from alerts.looktexts import HEADLINES as LOOK_HEADLINES
from alerts.looktexts import ZH as LOOKS_ZH
from alerts.looktexts import LookWord
from alerts.rulefile import AIR
from alerts.rules import OVER_TARGET, WATER_CLASS, Kind
from alerts.standings import standing_names
from alerts.states import Deed, State, StepReason
from alerts.verdicts import Cause, Point
from sensors.errors import UnknownName
from sensors.factors import Factor
from sensors.kinds import load_kind
from streams.discharge.applied import Why
from streams.results import AQI


class Language(StrEnum):
    """Languages of the catalogue; Chinese is the default."""

    ZH = "zh"
    EN = "en"


class Word(StrEnum):
    """Words that are no member of another enumeration."""

    TO_VERIFY = "to_verify"
    BACKFILLED = "backfilled"
    OVER_LIMIT = "over_limit"
    OVER_THRESHOLD = "over_threshold"
    OVER_RANGE = "over_range"
    LEVEL_REACHED = "level_reached"
    SILENT = "silent"
    LIMIT = "limit"
    ABOVE = "above"
    THRESHOLD = "threshold"
    SET_BY = "set_by"
    HINT_ABOVE = "hint_above"
    MULTIPLE = "multiple"
    VALID_OF = "valid_of"
    NO_VALUE = "no_value"
    MACHINE = "machine"
    HINT = "hint"
    UNCONFIRMED = "unconfirmed"
    CLASS_REACHED = "class_reached"
    WORSE_THAN_TARGET = "worse_than_target"
    NEAR_LIMIT = "near_limit"
    QUOTA_USED = "quota_used"
    BELOW_MINIMUM = "below_minimum"
    TARGET = "target"
    NOT_ABOVE = "not_above"
    MINIMUM = "minimum"
    ZONE_LIMIT = "zone_limit"
    DECIDING = "deciding"
    OVER_ITEMS = "over_items"
    DRY_FLOW = "dry_flow"
    POLLUTED = "polluted"
    TABLE = "table"
    FOUND = "found"
    QUOTA_LEFT = "quota_left"
    LEFT = "left"


class Priority(IntEnum):
    """How pressing an event is; members are the numbers of rules."""

    URGENT = 1
    """Drinking water, toxic gas: before everything else."""
    SEVERE = 2
    ORDINARY = 3
    EARLY = 4
    """Nothing is over yet."""


Key = Word | Kind | State | Fact | Change | Deed | StepReason | Cause | Priority | Why | LookWord

_ZH: Final[tuple[tuple[Key, str], ...]] = (
    (Word.TO_VERIFY, "待核实"),
    (Word.BACKFILLED, "补录"),
    (Word.OVER_LIMIT, "{factor} {window}超标"),
    (Word.OVER_THRESHOLD, "{factor} {window}超管控值"),
    (Word.OVER_RANGE, "{factor} {window}超量程"),
    (Word.LEVEL_REACHED, "{window}AQI达到{level}"),
    (Word.SILENT, "无数据（离线）"),
    (Word.LIMIT, "限值 {bound}（{standard} 表{table}，{clause}；{edition}）"),
    (Word.ABOVE, "高于 {bound}（{standard}）"),
    (Word.THRESHOLD, "管控值 {bound}"),
    (Word.SET_BY, "设定：{author}；{why}"),
    (Word.HINT_ABOVE, "{factor} {window}高于限值"),
    (Word.MULTIPLE, "超标 {multiple} 倍"),
    (Word.VALID_OF, "有效 {valid}/{expected}"),
    (Word.NO_VALUE, "无数值"),
    (Word.MACHINE, "系统"),
    (Word.HINT, "提示"),
    (Word.UNCONFIRMED, "待复测"),
    (Word.CLASS_REACHED, "水质{window}为{level}"),
    (Word.WORSE_THAN_TARGET, "，劣于目标"),
    (Word.NEAR_LIMIT, "{factor} {window}接近限值"),
    (Word.QUOTA_USED, "{factor} 年许可量已用 {share}"),
    (Word.BELOW_MINIMUM, "{factor} {window}低于下限"),
    (Word.TARGET, "目标 {bound}（{standard}）"),
    (Word.NOT_ABOVE, "劣于 {bound}（{standard}）"),
    (Word.MINIMUM, "下限 {bound}"),
    (Word.ZONE_LIMIT, "限值 {bound}（{cited}）"),
    (Word.DRY_FLOW, "晴天排水"),
    (Word.POLLUTED, "雨天排污"),
    (Word.TABLE, "表{table}"),
    (Word.FOUND, "排放异常"),
    (Word.LEFT, "年许可余量 {number} kg"),
    (Word.QUOTA_LEFT, "提醒线：已用 {clause}，即余量 {bound} kg"),
    (Why.WRITTEN_FOR, "按限值规定的时段判定"),
    (Why.DECIDED, "经署名认定"),
    (Why.SHORTER, "取值时段短于限值规定的时段"),
    (Why.AUTOMATIC, "限值针对手工瞬时样"),
    (Why.PROXY, "以其他指标代替"),
    (Why.METHOD, "监测方法与限值不符"),
    (Why.BASIS, "计量基准未知"),
    (Why.NOT_DETECTABLE, "限值为不得检出"),
    (Why.UNIT, "单位无法换算"),
    (Why.NO_TEMPERATURE, "缺水温"),
    (Word.DECIDING, "定类项目 {items}"),
    (Word.OVER_ITEMS, "超标倍数 {items}"),
    (Priority.URGENT, "紧急"),
    (Priority.SEVERE, "严重"),
    (Priority.ORDINARY, "一般"),
    (Priority.EARLY, "预警"),
    (Kind.LIMIT, "标准限值"),
    (Kind.THRESHOLD, "管控值"),
    (Kind.LEVEL, "空气质量级别"),
    (Kind.CLASS, "水质类别"),
    (Kind.FINDING, "排放限值"),
    (Kind.QUOTA, "许可排放量"),
    (Kind.MINIMUM, "下限"),
    (Kind.ZONE, "功能区限值"),
    (Kind.NO_DATA, "无数据"),
    (Kind.STANDING, "系统事件"),
    (State.RAISED, "待签收"),
    (State.ACKNOWLEDGED, "已签收"),
    (State.CLOSED, "已关闭"),
    (Fact.GOING_ON, "持续中"),
    (Fact.CLEARED, "已解除"),
    (Fact.JOINED, "已并入"),
    (Fact.WITHDRAWN, "已撤回"),
    (Change.RAISED, "触发"),
    (Change.REVISED, "修订"),
    (Change.CLEARED, "解除"),
    (Change.WENT_ON, "继续"),
    (Change.JOINED, "并入"),
    (Change.PARTED, "分出"),
    (Change.WITHDRAWN, "撤回"),
    (Change.RAISED_AGAIN, "再次触发"),
    (Change.CONFIRMED, "复测确认"),
    (Deed.ACKNOWLEDGED, "签收"),
    (Deed.CLOSED, "关闭"),
    (StepReason.TAKEN_NOTICE, "有人签收"),
    (StepReason.ENDED_BY_PERSON, "有人关闭"),
    (StepReason.FOUND_AGAIN, "修订后的数据再次超出"),
    (StepReason.ALREADY_ACKNOWLEDGED, "已经签收过"),
    (StepReason.NOT_ACKNOWLEDGED, "请先签收，再关闭"),
    (StepReason.ALREADY_CLOSED, "已经关闭"),
    (Cause.NONE, "未超出"),
    (Cause.VALUE, "数值超出"),
    (Cause.OVER_RANGE, "设备超量程，至少为量程上限"),
    (Cause.SILENT, "应报未报"),
)  # fmt: skip
_EN: Final[tuple[tuple[Key, str], ...]] = (
    (Word.TO_VERIFY, "to be verified"),
    (Word.BACKFILLED, "backfilled"),
    (Word.OVER_LIMIT, "{factor} {window} over the limit"),
    (Word.OVER_THRESHOLD, "{factor} {window} over the threshold"),
    (Word.OVER_RANGE, "{factor} {window} over the device's range"),
    (Word.LEVEL_REACHED, "{window} AQI at {level}"),
    (Word.SILENT, "no data (offline)"),
    (Word.LIMIT, "limit {bound} ({standard} table {table}, {clause}; {edition})"),
    (Word.ABOVE, "above {bound} ({standard})"),
    (Word.THRESHOLD, "management threshold {bound}"),
    (Word.SET_BY, "set by {author}; {why}"),
    (Word.HINT_ABOVE, "{factor} {window} above the limit's value"),
    (Word.MULTIPLE, "{multiple} times over"),
    (Word.VALID_OF, "{valid} of {expected} valid"),
    (Word.NO_VALUE, "no value"),
    (Word.MACHINE, "system"),
    (Word.HINT, "hint"),
    (Word.UNCONFIRMED, "to be re-measured"),
    (Word.CLASS_REACHED, "water of {level}, {window}"),
    (Word.WORSE_THAN_TARGET, ", worse than its target"),
    (Word.NEAR_LIMIT, "{factor} {window} near its limit"),
    (Word.QUOTA_USED, "{factor}: {share} of the yearly permit used"),
    (Word.BELOW_MINIMUM, "{factor} {window} below its minimum"),
    (Word.TARGET, "target {bound} ({standard})"),
    (Word.NOT_ABOVE, "worse than {bound} ({standard})"),
    (Word.MINIMUM, "minimum {bound}"),
    (Word.ZONE_LIMIT, "limit {bound} ({cited})"),
    (Word.DRY_FLOW, "flow in dry weather"),
    (Word.POLLUTED, "sewage in rain"),
    (Word.TABLE, "table {table}"),
    (Word.FOUND, "unusual discharge"),
    (Word.LEFT, "{number} kg left of the year's permit"),
    (Word.QUOTA_LEFT, "raised at {clause} used, {bound} kg left"),
    (Why.WRITTEN_FOR, "the period that the limit is written for"),
    (Why.DECIDED, "decided by a named person"),
    (Why.SHORTER, "taken over a shorter time than the limit is written for"),
    (Why.AUTOMATIC, "the limit is written for a grab sample"),
    (Why.PROXY, "another factor stands in"),
    (Why.METHOD, "measured by another method than the limit's"),
    (Why.BASIS, "on an unknown basis"),
    (Why.NOT_DETECTABLE, "nothing may be found"),
    (Why.UNIT, "the unit cannot be converted"),
    (Why.NO_TEMPERATURE, "the water temperature is missing"),
    (Word.DECIDING, "decided by {items}"),
    (Word.OVER_ITEMS, "multiples over {items}"),
    (Priority.URGENT, "urgent"),
    (Priority.SEVERE, "severe"),
    (Priority.ORDINARY, "ordinary"),
    (Priority.EARLY, "early warning"),
    (Kind.LIMIT, "limit of a standard"),
    (Kind.THRESHOLD, "management threshold"),
    (Kind.LEVEL, "air quality level"),
    (Kind.CLASS, "class of water quality"),
    (Kind.FINDING, "limit of discharge"),
    (Kind.QUOTA, "permitted load"),
    (Kind.MINIMUM, "minimum"),
    (Kind.ZONE, "limit by zone"),
    (Kind.NO_DATA, "no data"),
    (Kind.STANDING, "about the system"),
    (State.RAISED, "raised"),
    (State.ACKNOWLEDGED, "acknowledged"),
    (State.CLOSED, "closed"),
    (Fact.GOING_ON, "going on"),
    (Fact.CLEARED, "cleared"),
    (Fact.JOINED, "joined"),
    (Fact.WITHDRAWN, "withdrawn"),
    (Change.RAISED, "raised"),
    (Change.REVISED, "revised"),
    (Change.CLEARED, "cleared"),
    (Change.WENT_ON, "went on"),
    (Change.JOINED, "joined"),
    (Change.PARTED, "parted"),
    (Change.WITHDRAWN, "withdrawn"),
    (Change.RAISED_AGAIN, "raised again"),
    (Change.CONFIRMED, "confirmed"),
    (Deed.ACKNOWLEDGED, "acknowledged"),
    (Deed.CLOSED, "closed"),
    (StepReason.TAKEN_NOTICE, "somebody took notice"),
    (StepReason.ENDED_BY_PERSON, "somebody closed it"),
    (StepReason.FOUND_AGAIN, "revised data are over again"),
    (StepReason.ALREADY_ACKNOWLEDGED, "acknowledged already"),
    (StepReason.NOT_ACKNOWLEDGED, "acknowledge it first, then close it"),
    (StepReason.ALREADY_CLOSED, "closed already"),
    (Cause.NONE, "not over"),
    (Cause.VALUE, "the value is over"),
    (Cause.OVER_RANGE, "a device was over its range: at least the range"),
    (Cause.SILENT, "owed and not sent"),
)  # fmt: skip
_LEVELS: Final[Mapping[Language, tuple[str, ...]]] = MappingProxyType({
    Language.ZH: (
        "一级（优）", "二级（良）", "三级（轻度污染）", "四级（中度污染）", "五级（重度污染）", "六级（严重污染）",
    ),
    Language.EN: (
        "level 1 (excellent)", "level 2 (good)", "level 3 (lightly polluted)", "level 4 (moderately polluted)",
        "level 5 (heavily polluted)", "level 6 (severely polluted)",
    ),
})  # fmt: skip
"""Names of HJ 633, both editions; tested against the standards' own."""
CATALOGUE: Final[Mapping[Language, Mapping[tuple[type, str], str]]] = MappingProxyType({
    Language.ZH: {(type(key), str(key.value)): text for key, text in (*_ZH, *LOOKS_ZH)},
    Language.EN: {(type(key), str(key.value)): text for key, text in (*_EN, *LOOKS_EN)},
})  # fmt: skip
"""By the kind of key as well: members of two enumerations with one text count as equal."""
_WINDOWS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({
    "8h": ("8小时滑动平均", "running 8 h"),
    "8h_platform": ("8小时平均（平台口径）", "8 h (platform)"),
    "24h_running": ("24小时滑动平均", "running 24 h"),
    "24h": ("日均", "daily mean"),
    "MDA8": ("日最大8小时", "daily maximum 8 h"),
    "1h_max": ("小时最大", "hourly maximum"),
    "1h_min": ("小时最小", "hourly minimum"),
    "24h_max": ("日最大", "daily maximum"),
    "24h_min": ("日最小", "daily minimum"),
    "24h_sum": ("日累计", "daily sum"),
    "month": ("月", "month"),
    "quarter": ("季度", "quarter"),
    "year": ("年", "year"),
    "running_year": ("滚动年", "running year"),
})  # fmt: skip
_PLAIN: Final = re.compile(r"([1-9][0-9]{0,3})(min|h)")
_UNITS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({"min": ("分钟", " min"), "h": ("小时", " h")})
CLASSES: Final = ("Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ", "Ⅴ", "劣Ⅴ")
"""Classes of water quality as the national platform writes them, by level from 1."""
_WORST: Final = len(CLASSES)
_MULTIPLE_STEP: Final = Decimal("0.01")
_HEADLINES: Final[Mapping[Kind, Word | LookWord]] = MappingProxyType({
    **LOOK_HEADLINES,
    Kind.LIMIT: Word.OVER_LIMIT,
    Kind.THRESHOLD: Word.OVER_THRESHOLD,
    Kind.LEVEL: Word.LEVEL_REACHED,
    Kind.CLASS: Word.CLASS_REACHED,
    Kind.FINDING: Word.OVER_LIMIT,
    Kind.QUOTA: Word.QUOTA_USED,
    Kind.MINIMUM: Word.BELOW_MINIMUM,
    Kind.ZONE: Word.OVER_LIMIT,
    Kind.NO_DATA: Word.SILENT,
})  # fmt: skip
_AGAINST: Final[Mapping[Kind, Word | LookWord]] = MappingProxyType({
    Kind.LIMIT: Word.LIMIT,
    Kind.PROJECTION: Word.LIMIT,
    Kind.ZONE: Word.ZONE_LIMIT,
    Kind.FINDING: Word.ZONE_LIMIT,
    Kind.MINIMUM: Word.MINIMUM,
    Kind.CLASS: Word.NOT_ABOVE,
    Kind.QUOTA: Word.QUOTA_LEFT,
    Kind.CHANGE: LookWord.BEFORE,
    Kind.RATE: LookWord.BEFORE,
})  # fmt: skip
_SIGNED: Final = frozenset({Kind.RATE, Kind.PROJECTION, Kind.MINIMUM})
"""Kinds of rules of which a bound may have an author: the rule's, or that of a mode."""
_OUTCOMES: Final[Mapping[str, Word]] = MappingProxyType({"dry_flow": Word.DRY_FLOW, "polluted": Word.POLLUTED})
_NAMED: Final = frozenset({Kind.LIMIT, Kind.FINDING})
"""Kinds of rules of which a multiple is told."""


def word(key: Key, language: Language = Language.ZH) -> str:
    """Return the text of a key."""
    return CATALOGUE[language][type(key), str(key.value)]


def window_name(window: str, language: Language = Language.ZH) -> str:
    """Return the name of a window; as it is written where nobody named it."""
    place = 0 if language is Language.ZH else 1
    if window in _WINDOWS:
        return _WINDOWS[window][place]
    plain = _PLAIN.fullmatch(window)
    return plain[1] + _UNITS[plain[2]][place] if plain else window


def level_name(level: int, language: Language = Language.ZH) -> str:
    """Return the name of an AQI level, 1 to 6."""
    return _LEVELS[language][level - 1]


def class_name(level: int, language: Language = Language.ZH) -> str:
    """Return the name of a class of water quality, 1 to 6."""
    if language is Language.ZH:
        return f"{CLASSES[level - 1]}类"
    return "worse than class Ⅴ" if level == _WORST else f"class {CLASSES[level - 1]}"


def title(event: Event, language: Language = Language.ZH) -> str:
    """Return the one line that names an event, without the site: ``O3 1小时超标 · 待核实``."""
    if event.kind is Kind.STANDING:
        return standing_names(event.key.rule)[0 if language is Language.ZH else 1]
    level = event.peak.level or event.raised_by.level or 1
    named = class_name if _is_class(event.kind, event.key.factor) else level_name
    told = word(_headline(event), language).format(
        factor=factor_name(event.peak.network, event.key.factor, language),
        window=window_name(event.window, language),
        level=named(level, language),
        share=event.peak.bound.clause if event.peak.bound is not None else "",
    )
    if event.kind is Kind.CLASS and event.key.factor == OVER_TARGET:
        told += word(Word.WORSE_THAN_TARGET, language)
    marks: list[tuple[Word | LookWord, bool]] = [
        (Word.HINT, event.hint),
        (Word.UNCONFIRMED, event.unconfirmed),
        (Word.TO_VERIFY, event.to_verify),
        (Word.BACKFILLED, event.backfilled),
        (LookWord.FLAPPING, event.flapping),
    ]
    return " · ".join([told, *(word(mark, language) for mark, holds in marks if holds)])


def _is_class(kind: Kind, factor: str) -> bool:
    return kind is Kind.CLASS or (kind is Kind.CHANGE and factor == WATER_CLASS)


def because(point: Point, kind: Kind, factor: str, language: Language = Language.ZH) -> str:
    """Return why a row is over: value, what it was held against and on whose word, by how much, how complete.

    Numbers are shown with the digits that the standard reports, rounded half to even.
    """
    parts = [window_name(point.window, language), _value(point, kind, factor, language)]
    if point.cause is not Cause.VALUE:
        parts.append(word(point.cause, language))
    if point.bound is not None and kind is not Kind.NO_DATA:
        parts.append(_held_against(point, kind, factor, language))
    multiple = multiple_of(point)
    if multiple is not None and multiple > 0 and kind in _NAMED and not point.hint:
        parts.append(word(Word.MULTIPLE, language).format(multiple=_rounded(multiple, _MULTIPLE_STEP)))
    if kind is Kind.CLASS:
        parts += _items(point, language)
    if point.bound is not None and point.bound.why:
        parts.append(
            f"{word(Word.HINT, language)}{': ' if language is Language.EN else '：'}{_why(point.bound.why, language)}"
        )
    if kind is not Kind.NO_DATA and point.expected:
        parts.append(word(Word.VALID_OF, language).format(valid=point.valid, expected=point.expected))
    return (", " if language is Language.EN else "，").join(parts)


def shown(value: int | None, digits: int, factor: str, language: Language = Language.ZH, network: str = AIR) -> str:
    """Return a fixed-point value with its unit, in the digits that the standard reports."""
    if value is None:
        return word(Word.NO_VALUE, language)
    known = _factor(network, factor)
    if known is None:
        number = _rounded(Fraction(value, 10**digits), Decimal(1).scaleb(-digits) if factor != AQI else Decimal(1))
        return f"AQI {number}" if factor == AQI else str(number)
    number = _rounded(Fraction(value, 10**digits), Decimal(1).scaleb(-known.decimals))
    return f"{number} {known.unit}" if known.unit != "1" else str(number)


def factor_name(network: str, factor: str, language: Language = Language.ZH) -> str:
    """Return a factor as titles name it: a chemical symbol as it is, what has none by its name."""
    known = _factor(network, factor)
    if known is None or factor[:1].isupper() or factor[1:2].isupper():
        return factor
    return known.name_zh if language is Language.ZH else known.name_en


def bound_shown(event: Event, language: Language = Language.ZH) -> str:
    """Return what the peak of an event was held against: a class by its name, a value with its unit; else empty."""
    bound, peak = event.peak.bound, event.peak
    if bound is None or event.kind in {Kind.LEVEL, Kind.NO_DATA}:
        return ""
    if event.kind is Kind.CLASS:
        return class_name(bound.value, language)
    if event.kind is Kind.QUOTA:
        return f"{shown(bound.value, bound.digits, '', language)} kg"
    return shown(bound.value, bound.digits, event.key.factor, language, peak.network)


def peak_shown(event: Event, language: Language = Language.ZH) -> str:
    """Return the peak of an event as `because` tells it: a class by its name, a value with its unit."""
    return _value(event.peak, event.kind, event.key.factor, language)


def _value(point: Point, kind: Kind, factor: str, language: Language) -> str:
    if _is_class(kind, factor) and point.level is not None:
        return class_name(point.level, language)
    if kind in LOOK_HEADLINES:
        return _look_value(point, kind, factor, language)
    if kind is Kind.FINDING and point.bound is None and point.detail in _OUTCOMES:
        factor = "flow"
    told = table_text(point.network, factor, point.detail)[language is Language.EN] if kind is Kind.FINDING else ""
    if told:
        return told
    if kind is Kind.QUOTA and point.value is not None:  # of a year with too many gaps nothing is said to be left
        return word(Word.LEFT, language).format(number=shown(point.value, point.digits, "", language))
    return shown(point.value, point.digits, factor, language, point.network)


def _look_value(point: Point, kind: Kind, factor: str, language: Language) -> str:
    if kind is Kind.CHANGE and point.level is not None:
        return level_name(point.level, language)
    if kind is Kind.LATE:
        return word(LookWord.LATE_PACKETS, language).format(late=late_of(point.detail))
    if kind is Kind.EXHAUSTION and point.value is not None:
        return word(LookWord.DAYS_LEFT, language).format(number=shown(point.value, point.digits, "", language))
    told = shown(point.value, point.digits, factor, language, point.network)
    return told if kind is not Kind.PROJECTION else word(LookWord.PROJECTED, language).format(number=told)


def _why(code: str, language: Language) -> str:
    return word(Why(code), language) if code in tuple(Why) else code


def _items(point: Point, language: Language) -> list[str]:
    """Return the items that decide a class, and how far they are over, as the detail of the row names them."""
    comma = "、" if language is Language.ZH else ", "
    over = [part for part in point.detail.split("; ") if part and not part.startswith("missing:")]
    told = ((Word.DECIDING, [item for item in point.primary.split(";") if item]), (Word.OVER_ITEMS, over))
    return [word(key, language).format(items=comma.join(items)) for key, items in told if items]


def _factor(network: str, factor: str) -> Factor | None:
    try:
        kind = load_kind(network)
    except UnknownName:
        return None
    return kind.factors.get(factor) or derived_factors(kind).get(factor)


def _headline(event: Event) -> Word | LookWord:
    peak = event.peak
    if _is_class(event.kind, event.key.factor) and event.kind is Kind.CHANGE:
        return LookWord.CLASS_CHANGED
    if event.kind is Kind.PROJECTION and peak.bound is not None and peak.bound.author:
        return LookWord.WILL_REACH
    if peak.cause is Cause.OVER_RANGE:
        return Word.OVER_RANGE
    if event.kind is Kind.FINDING and peak.bound is None:
        return _OUTCOMES.get(peak.detail, Word.FOUND)
    if event.kind is Kind.FINDING and not _is_over(peak):
        return Word.NEAR_LIMIT
    found = _HEADLINES[event.kind]
    return Word.HINT_ABOVE if event.hint and found is Word.OVER_LIMIT else found  # a hint is no finding of 超标


def _is_over(point: Point) -> bool:
    if point.bound is None or point.value is None:
        return False
    against = point.bound.at_digits(point.digits)
    return point.value < against if point.bound.below else point.value > against


def _held_against(point: Point, kind: Kind, factor: str, language: Language) -> str:
    bound = point.bound
    if bound is None:
        return ""
    english = language is Language.EN
    named = "" if kind is Kind.QUOTA else factor
    against = shown(bound.value, bound.digits, named, language, point.network)
    if _is_class(kind, factor):
        against = class_name(bound.value, language)
    elif kind is Kind.CHANGE:
        against = level_name(bound.value, language)
    cited = {"standard": bound.standard, "table": bound.table, "clause": bound.clause, "edition": bound.edition}
    comma = ", " if english else "，"
    table = word(Word.TABLE, language).format(table=bound.table) if bound.table else ""
    cited["cited"] = comma.join(part for part in (f"{bound.standard} {table}".strip(), bound.clause) if part)
    if kind is Kind.THRESHOLD or (kind in _SIGNED and bound.author):
        author = bound.author_en if english and bound.author_en else bound.author
        why = bound.clause_en if english and bound.clause_en else bound.clause
        signed = word(Word.SET_BY, language).format(author=author, why=why)
        named_so = LookWord.BEFORE if kind is Kind.RATE else Word.THRESHOLD
        return f"{word(named_so, language).format(bound=against)} ({signed})"
    told = Word.TARGET if kind is Kind.CLASS and factor == OVER_TARGET else _AGAINST.get(kind, Word.ABOVE)
    return word(told, language).format(bound=against, **cited)


def _rounded(number: Fraction, step: Decimal) -> Decimal:
    exact = Decimal(number.numerator) / Decimal(number.denominator)
    return exact.quantize(step, rounding=ROUND_HALF_EVEN)
