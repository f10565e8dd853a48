"""What people read of changes, rates, projections and late data, in Chinese and English; see `alerts.texts`.

A projection is named 预测 (projected) wherever it stands; nothing of it is told as measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from alerts.events import Change
from alerts.rules import Kind
from alerts.verdicts import Cause


class LookWord(StrEnum):
    """Words that are no member of another enumeration."""

    LEVEL_CHANGED = "level_changed"
    CLASS_CHANGED = "class_changed"
    FAST = "fast"
    WILL_BE_OVER = "will_be_over"
    WILL_REACH = "will_reach"
    WILL_RUN_OUT = "will_run_out"
    LATE = "late"
    LATE_PACKETS = "late_packets"
    BEFORE = "before"
    PROJECTED = "projected"
    FLAPPING = "flapping"
    DAYS_LEFT = "days_left"
    DATA_CASE = "data_case"


LookKey = LookWord | Kind | Cause | Change

ZH: Final[tuple[tuple[LookKey, str], ...]] = (
    (LookWord.LEVEL_CHANGED, "{window}AQI变差为{level}"),
    (LookWord.CLASS_CHANGED, "水质{window}变差为{level}"),
    (LookWord.FAST, "{factor} {window}变化过快"),
    (LookWord.WILL_BE_OVER, "预测：{factor} {window}将超标"),
    (LookWord.WILL_REACH, "预测：{factor} {window}将超管控值"),
    (LookWord.WILL_RUN_OUT, "预测：{factor} 年许可量将用完"),
    (LookWord.LATE, "数据迟到"),
    (LookWord.LATE_PACKETS, "迟到 {late} 包"),
    (LookWord.BEFORE, "此前 {bound}"),
    (LookWord.PROJECTED, "预测值 {number}（非实测）"),
    (LookWord.FLAPPING, "频繁波动"),
    (LookWord.DAYS_LEFT, "预计 {number} 天后用完"),
    (LookWord.DATA_CASE, "{factor} {window}数据异常，待溯源排查"),
    (Kind.DATA_QUALITY, "数据异常"),
    (Cause.SUSPECT, "自动检验存疑（恒值、突变、超常见范围、参数矛盾或不可能值）"),
    (Kind.LATE, "数据迟到"),
    (Kind.CHANGE, "级别突变"),
    (Kind.RATE, "变化率"),
    (Kind.PROJECTION, "预测"),
    (Kind.EXHAUSTION, "许可量预测"),
    (Cause.LATE, "数据包晚于规定时间到达"),
    (Cause.CHANGED, "与此前相比变化过大"),
    (Cause.PROJECTED, "按最近趋势预测"),
    (Cause.CERTAIN, "预测：即使其余时段为零也将超出"),
    (Change.WORSENED, "加重"),
)  # fmt: skip
EN: Final[tuple[tuple[LookKey, str], ...]] = (
    (LookWord.LEVEL_CHANGED, "{window} AQI worse, now {level}"),
    (LookWord.CLASS_CHANGED, "water worse, now {level}, {window}"),
    (LookWord.FAST, "{factor} {window} changes fast"),
    (LookWord.WILL_BE_OVER, "projected: {factor} {window} will be over the limit"),
    (LookWord.WILL_REACH, "projected: {factor} {window} will be over the threshold"),
    (LookWord.WILL_RUN_OUT, "projected: {factor}, the yearly permit will run out"),
    (LookWord.LATE, "late data"),
    (LookWord.LATE_PACKETS, "{late} packets late"),
    (LookWord.BEFORE, "before: {bound}"),
    (LookWord.PROJECTED, "projected {number} (not measured)"),
    (LookWord.FLAPPING, "flapping"),
    (LookWord.DAYS_LEFT, "{number} days until it is used up, as projected"),
    (LookWord.DATA_CASE, "{factor} {window}: data in doubt, to be traced"),
    (Kind.DATA_QUALITY, "data in doubt"),
    (Cause.SUSPECT, "an automatic test doubts it: flat, a jump, out of its usual range, contradicted or impossible"),
    (Kind.LATE, "late data"),
    (Kind.CHANGE, "change of level"),
    (Kind.RATE, "rate of change"),
    (Kind.PROJECTION, "projection"),
    (Kind.EXHAUSTION, "projection of a permit"),
    (Cause.LATE, "packets came later than they may"),
    (Cause.CHANGED, "too far from the value before"),
    (Cause.PROJECTED, "projected from the last hours"),
    (Cause.CERTAIN, "projected: over even if the rest were zero"),
    (Change.WORSENED, "worsened"),
)  # fmt: skip
HEADLINES: Final[Mapping[Kind, LookWord]] = MappingProxyType({
    Kind.DATA_QUALITY: LookWord.DATA_CASE,
    Kind.LATE: LookWord.LATE,
    Kind.CHANGE: LookWord.LEVEL_CHANGED,
    Kind.RATE: LookWord.FAST,
    Kind.PROJECTION: LookWord.WILL_BE_OVER,
    Kind.EXHAUSTION: LookWord.WILL_RUN_OUT,
})  # fmt: skip
