"""What people read of alerts, in Chinese and English.

超标 is said only of a limit of a standard; a management threshold is a 管控值. Texts hold names that people
or devices gave; whoever writes HTML escapes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType
from typing import Final, assert_never

from alerts.episodes import multiple_of
from alerts.events import Change, Event, Fact
from alerts.rules import Kind
from alerts.states import Deed, State, StepReason
from alerts.verdicts import Cause, Point
from sensors.factors import Factor, load_factors
from streams.results import Window


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
    MULTIPLE = "multiple"
    VALID_OF = "valid_of"
    NO_VALUE = "no_value"
    MACHINE = "machine"


Key = Word | Kind | State | Fact | Change | Deed | StepReason | Cause | Window

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
    (Word.MULTIPLE, "超标 {multiple} 倍"),
    (Word.VALID_OF, "有效 {valid}/{expected}"),
    (Word.NO_VALUE, "无数值"),
    (Word.MACHINE, "系统"),
    (Kind.LIMIT, "标准限值"),
    (Kind.THRESHOLD, "管控值"),
    (Kind.LEVEL, "空气质量级别"),
    (Kind.NO_DATA, "无数据"),
    (State.RAISED, "待确认"),
    (State.ACKNOWLEDGED, "已确认"),
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
    (Deed.ACKNOWLEDGED, "确认"),
    (Deed.CLOSED, "关闭"),
    (StepReason.TAKEN_NOTICE, "有人确认"),
    (StepReason.ENDED_BY_PERSON, "有人关闭"),
    (StepReason.FOUND_AGAIN, "修订后的数据再次超出"),
    (StepReason.ALREADY_ACKNOWLEDGED, "已经确认过"),
    (StepReason.NOT_ACKNOWLEDGED, "请先确认，再关闭"),
    (StepReason.ALREADY_CLOSED, "已经关闭"),
    (Cause.NONE, "未超出"),
    (Cause.VALUE, "数值超出"),
    (Cause.OVER_RANGE, "设备超量程，至少为量程上限"),
    (Cause.SILENT, "应报未报"),
    (Window.HOUR, "1小时"),
    (Window.O3_8H, "8小时滑动平均"),
    (Window.O3_8H_PLATFORM, "8小时平均（平台口径）"),
    (Window.RUNNING_24H, "24小时滑动平均"),
    (Window.DAY, "日均"),
    (Window.MDA8, "日最大8小时"),
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
    (Word.MULTIPLE, "{multiple} times over"),
    (Word.VALID_OF, "{valid} of {expected} valid"),
    (Word.NO_VALUE, "no value"),
    (Word.MACHINE, "system"),
    (Kind.LIMIT, "limit of a standard"),
    (Kind.THRESHOLD, "management threshold"),
    (Kind.LEVEL, "air quality level"),
    (Kind.NO_DATA, "no data"),
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
    (Window.HOUR, "1 h"),
    (Window.O3_8H, "running 8 h"),
    (Window.O3_8H_PLATFORM, "8 h (platform)"),
    (Window.RUNNING_24H, "running 24 h"),
    (Window.DAY, "daily mean"),
    (Window.MDA8, "daily maximum 8 h"),
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
    Language.ZH: {(type(key), key.value): text for key, text in _ZH},
    Language.EN: {(type(key), key.value): text for key, text in _EN},
})  # fmt: skip
"""By the kind of key as well: members of two enumerations with one text count as equal."""
_MULTIPLE_STEP: Final = Decimal("0.01")


def word(key: Key, language: Language = Language.ZH) -> str:
    """Return the text of a key."""
    return CATALOGUE[language][type(key), key.value]


def level_name(level: int, language: Language = Language.ZH) -> str:
    """Return the name of an AQI level, 1 to 6."""
    return _LEVELS[language][level - 1]


def title(event: Event, language: Language = Language.ZH) -> str:
    """Return the one line that names an event, without the site: ``O3 1小时超标 · 待核实``."""
    told = word(_headline(event), language).format(
        factor=event.key.factor,
        window=word(event.window, language),
        level=level_name(event.peak.level or event.raised_by.level or 1, language),
    )
    marks = [(Word.TO_VERIFY, event.to_verify), (Word.BACKFILLED, event.backfilled)]
    return " · ".join([told, *(word(mark, language) for mark, holds in marks if holds)])


def because(point: Point, kind: Kind, factor: str, language: Language = Language.ZH) -> str:
    """Return why a row is over: value, what it was held against and on whose word, by how much, how complete.

    Numbers are shown with the digits that the standard reports, rounded half to even.
    """
    parts = [word(point.window, language), shown(point.value, point.digits, factor, language)]
    if point.cause is not Cause.VALUE:
        parts.append(word(point.cause, language))
    if point.bound is not None and kind is not Kind.NO_DATA:
        parts.append(_held_against(point, kind, factor, language))
    multiple = multiple_of(point)
    if multiple is not None and multiple > 0 and kind is Kind.LIMIT:
        parts.append(word(Word.MULTIPLE, language).format(multiple=_rounded(multiple, _MULTIPLE_STEP)))
    if kind is not Kind.NO_DATA:
        parts.append(word(Word.VALID_OF, language).format(valid=point.valid, expected=point.expected))
    return (", " if language is Language.EN else "，").join(parts)


def shown(value: int | None, digits: int, factor: str, language: Language = Language.ZH) -> str:
    """Return a fixed-point value with its unit, in the digits that the standard reports."""
    if value is None:
        return word(Word.NO_VALUE, language)
    known: Factor | None = load_factors("air").get(factor)
    step = Decimal(1).scaleb(-known.decimals) if known else Decimal(1)
    number = _rounded(Fraction(value, 10**digits), step)
    return f"{number} {known.unit}" if known else f"AQI {number}"


def _headline(event: Event) -> Word:
    if event.peak.cause is Cause.OVER_RANGE:
        return Word.OVER_RANGE
    match event.kind:
        case Kind.LIMIT:
            return Word.OVER_LIMIT
        case Kind.THRESHOLD:
            return Word.OVER_THRESHOLD
        case Kind.LEVEL:
            return Word.LEVEL_REACHED
        case Kind.NO_DATA:
            return Word.SILENT
    assert_never(event.kind)


def _held_against(point: Point, kind: Kind, factor: str, language: Language) -> str:
    bound = point.bound
    if bound is None:
        return ""
    against = shown(bound.value, bound.digits, factor, language)
    if kind is not Kind.THRESHOLD:
        told = word(Word.LIMIT if kind is Kind.LIMIT else Word.ABOVE, language)
        cited = {"standard": bound.standard, "table": bound.table, "clause": bound.clause, "edition": bound.edition}
        return told.format(bound=against, **cited)
    signed = word(Word.SET_BY, language).format(author=bound.author, why=bound.clause)
    return f"{word(Word.THRESHOLD, language).format(bound=against)} ({signed})"


def _rounded(number: Fraction, step: Decimal) -> Decimal:
    exact = Decimal(number.numerator) / Decimal(number.denominator)
    return exact.quantize(step, rounding=ROUND_HALF_EVEN)
