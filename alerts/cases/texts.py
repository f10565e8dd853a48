"""What people read of cases and responses, in Chinese and English; see `alerts.texts`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from alerts.cases.deadlines import Tier
from alerts.cases.evidence import EvidenceKind, Lack
from alerts.cases.incidents import Opening
from alerts.cases.inspections import Origin, Outcome, TaskReason, TaskState
from alerts.cases.life import ActIncomplete
from alerts.cases.record import Need, Role, StepKind
from alerts.cases.responses import (
    Purpose,
    ResponseAct,
    ResponseIncomplete,
    ResponseKind,
    ResponseReason,
    ResponseState,
    WrongResponseAct,
)
from alerts.cases.states import CaseAct, CaseReason, CaseState, Verdict, WrongCaseAct
from alerts.texts import Language


class CaseWord(StrEnum):
    """Words that are no member of another enumeration."""

    CASE = "case"
    OVERDUE = "overdue"
    OVERDUE_SINCE = "overdue_since"
    DUE = "due"
    WITHDRAWN = "withdrawn"
    OCCURRENCE = "occurrence"
    REFUSED = "refused"
    LACKS = "lacks"
    DRILL = "drill"
    JOINT = "joint"


Key = (
    CaseWord | CaseState | CaseAct | Verdict | CaseReason | StepKind | Tier | Role | Need | Lack | EvidenceKind
    | Opening | Purpose | ResponseKind | ResponseState | ResponseAct | ResponseReason
    | Origin | TaskState | Outcome | TaskReason
)  # fmt: skip
_S, _A, _V, _R, _K = CaseState, CaseAct, Verdict, CaseReason, StepKind

_TEXTS: Final[tuple[tuple[Key, str, str], ...]] = (
    (CaseWord.CASE, "案件", "case"),
    (CaseWord.OVERDUE, "超期", "overdue"),
    (CaseWord.OVERDUE_SINCE, "超期 {span}", "overdue by {span}"),
    (CaseWord.DUE, "办理时限", "due"),
    (CaseWord.WITHDRAWN, "数据修订后已无超标", "nothing is left of it after a revision of the data"),
    (CaseWord.OCCURRENCE, "周期内第{number}次", "number {number} in the period"),
    (CaseWord.REFUSED, "不能{act}：{reason}", "cannot {act}: {reason}"),
    (CaseWord.LACKS, "不能{act}，缺少：{lack}", "cannot {act}, this is missing: {lack}"),
    (CaseWord.DRILL, "演练", "drill"),
    (CaseWord.JOINT, "联动", "joint"),
    (_S.RAISED, "待签收", "raised"),
    (_S.ACKNOWLEDGED, "已签收", "acknowledged"),
    (_S.VERIFIED, "已核实", "verified"),
    (_S.HANDED_OVER, "已移交", "handed over"),
    (_S.URGED, "督办中", "urged"),
    (_S.RECTIFIED, "已整改", "rectified"),
    (_S.REPORTED, "已上报", "reported"),
    (_S.WRITTEN_OFF, "已销号", "written off"),
    (_A.ACKNOWLEDGE, "签收", "acknowledge"),
    (_A.VERIFY, "核实", "verify"),
    (_A.HAND_OVER, "移交", "hand over"),
    (_A.URGE, "督办", "urge"),
    (_A.RECTIFY, "反馈整改", "rectify"),
    (_A.REPORT, "上报", "report"),
    (_A.WRITE_OFF, "销号", "write off"),
    (_A.REOPEN, "重新启动", "reopen"),
    (_A.NOTE, "补充记录", "add a note"),
    (_V.OPEN, "未核实", "not verified"),
    (_V.TRUE, "属实", "true"),
    (_V.DATA_FAULT, "数据异常", "data fault"),
    (_V.PLANNED, "计划内", "planned"),
    (_R.TAKEN_NOTICE, "已有人签收", "somebody took notice"),
    (_R.PARTY_TOOK_NOTICE, "一方已签收", "one party took notice"),
    (_R.FOUND_OUT, "已核实", "found out what it is"),
    (_R.FOUND_OTHERWISE, "改变了核实结论", "found to be otherwise"),
    (_R.GIVEN_TO, "已移交责任方", "given to whoever is to put it right"),
    (_R.SENT_BACK, "整改不到位，退回", "sent back: not enough was done"),
    (_R.NOT_IN_TIME, "未按时办理", "not done in time"),
    (_R.PUT_RIGHT, "责任方反馈已整改", "put right, says whoever was to do so"),
    (_R.TOLD, "已上报", "told to whoever asked"),
    (_R.FINISHED, "办结销号", "finished"),
    (_R.NOTHING_TO_DO, "无需整改，销号", "nothing to put right"),
    (_R.CAME_BACK, "复发，重新启动", "it came back"),
    (_R.ADDED, "已补充", "added"),
    (_R.ALREADY_ACKNOWLEDGED, "已签收过", "acknowledged already"),
    (_R.NOT_ACKNOWLEDGED, "尚未签收", "nobody has acknowledged it yet"),
    (_R.NOT_VERIFIED, "尚未核实", "nobody has verified it yet"),
    (_R.NOT_TRUE, "未核实为属实", "it was not found to be true"),
    (_R.NOT_HANDED_OVER, "尚未移交", "it was not handed over yet"),
    (_R.NOT_RECTIFIED, "尚未整改", "it was not put right yet"),
    (_R.NOT_REPORTED, "尚未上报", "it was not reported yet"),
    (_R.ALREADY_RECTIFIED, "已反馈整改", "put right already"),
    (_R.ALREADY_REPORTED, "已上报过", "reported already"),
    (_R.STILL_GOING_ON, "仍有告警未结束", "an alert of it still goes on"),
    (_R.ALREADY_WRITTEN_OFF, "已销号", "written off already"),
    (_R.NOT_WRITTEN_OFF, "尚未销号", "it is not written off"),
    (_K.OPENED, "立案", "opened"),
    (_K.EVENT_ADDED, "并入告警", "alert added"),
    (_K.EVENT_CLOSED, "一条告警已关闭", "an alert was closed"),
    (_K.WITHDRAWN, "告警全部撤销", "all alerts withdrawn"),
    (_K.RESTORED, "告警恢复成立", "alerts stand again"),
    (_K.CLEARED, "告警全部解除", "all alerts cleared"),
    (_K.WENT_ON, "告警继续", "an alert goes on"),
    (_K.PRIORITY_RAISED, "级别提高", "priority raised"),
    (_K.RECURRED, "重发复发", "recurred"),
    (_K.OVERDUE, "超期", "overdue"),
    (_K.REOPENED, "重新启动", "reopened"),
    (_K.ACKNOWLEDGED, "签收", "acknowledged"),
    (_K.PARTY_ACKNOWLEDGED, "一方签收", "acknowledged by a party"),
    (_K.VERIFIED, "核实", "verified"),
    (_K.HANDED_OVER, "移交", "handed over"),
    (_K.SENT_BACK, "退回整改", "sent back"),
    (_K.URGED, "督办", "urged"),
    (_K.RECTIFIED, "反馈整改", "rectified"),
    (_K.REPORTED, "上报", "reported"),
    (_K.WRITTEN_OFF, "销号", "written off"),
    (_K.NOTED, "补充记录", "noted"),
    (_K.INSPECTION, "现场检查", "inspection"),
    (_K.RESPONSE, "预警响应", "warning response"),
    (Tier.OWN, "承办方", "whoever it is with"),
    (Tier.PARK, "园区", "park"),
    (Tier.DISTRICT, "区县", "district"),
    (Tier.CITY, "市", "city"),
    (Tier.PROVINCE, "省", "province"),
    (Role.SIDE, "断面一方", "side of the section"),
    (Role.JOINT, "联合处置", "joint handling"),
    (Role.OWNER, "整改责任方", "is to put it right"),
    (Need.ANY, "任一方签收即可", "anybody's acknowledgement will do"),
    (Need.SIDES, "断面双方均须签收", "both sides of the section acknowledge"),
    (Need.ALL, "各方均须签收", "every party acknowledges"),
    (Lack.NAME, "姓名", "a name"),
    (Lack.NOTE, "说明", "a note"),
    (Lack.EVIDENCE, "佐证", "evidence"),
    (Lack.BAD_EVIDENCE, "有效的佐证（文件名与SHA-256）", "sound evidence (file name and SHA-256)"),
    (Lack.VERDICT, "核实结论", "a verdict"),
    (Lack.PARTY, "所代表或移交的单位", "the party that is meant"),
    (Lack.DEPARTMENT, "人员文件中登记的部门", "a department of the people file"),
    (Lack.LEVEL, "预案规定的级别", "a level of the plan"),
    (Lack.AREA, "区域", "an area"),
    (Lack.DUE, "晚于当前时间的时限", "a deadline that lies ahead"),
    (EvidenceKind.EVENT, "告警", "alert"),
    (EvidenceKind.FILE, "文件", "file"),
    (EvidenceKind.CASE, "案件", "case"),
    (EvidenceKind.LINK, "链接", "link"),
    (EvidenceKind.TEXT, "文字", "words"),
    (Opening.OPEN, "立案", "opens a case"),
    (Opening.JOIN, "并入在办案件", "joins an open case"),
    (Opening.IGNORE, "不立案", "opens none"),
    (Purpose.REAL, "实战", "real"),
    (Purpose.DRILL, "演练", "drill"),
    (ResponseKind.WARNING, "预警响应", "warning response"),
    (ResponseKind.HEAVY_POLLUTION, "重污染天气响应", "heavy-pollution response"),
    (ResponseKind.EMERGENCY, "突发环境事件应急", "emergency"),
    (ResponseState.STARTED, "已启动", "started"),
    (ResponseState.RESPONDING, "响应中", "responding"),
    (ResponseState.LIFTED, "已解除", "lifted"),
    (ResponseAct.START, "启动", "start"),
    (ResponseAct.RESPOND, "响应", "respond"),
    (ResponseAct.ADJUST, "调整", "adjust"),
    (ResponseAct.LIFT, "解除", "lift"),
    (ResponseAct.NOTE, "补充记录", "add a note"),
    (ResponseReason.STARTED, "已启动", "started"),
    (ResponseReason.FIRST_RESPONSE, "首次响应", "first response"),
    (ResponseReason.FURTHER_RESPONSE, "又一方响应", "a further response"),
    (ResponseReason.ADJUSTED, "已调整", "adjusted"),
    (ResponseReason.LIFTED, "已解除", "lifted"),
    (ResponseReason.ADDED, "已补充", "added"),
    (ResponseReason.NOT_STARTED, "尚未启动", "not started yet"),
    (ResponseReason.ALREADY_STARTED, "已启动过", "started already"),
    (ResponseReason.ALREADY_RESPONDED, "该方已响应", "this party has responded already"),
    (ResponseReason.ALREADY_LIFTED, "已解除", "lifted already"),
    (Origin.CASE, "案件检查", "for a case"),
    (Origin.RANDOM, "随机抽查", "drawn at random"),
    (TaskState.ORDERED, "待检查", "ordered"),
    (TaskState.DONE, "已反馈", "done"),
    (TaskState.CALLED_OFF, "已取消", "called off"),
    (Outcome.CLEAN, "未发现问题", "nothing found"),
    (Outcome.VIOLATION, "发现违法问题", "violation found"),
    (Outcome.DATA_FAULT, "数据异常", "data fault"),
    (TaskReason.ALREADY_DONE, "已反馈过结果", "it has a result already"),
    (TaskReason.ALREADY_CALLED_OFF, "已取消", "called off already"),
    (ResponseReason.NOTHING_NEW, "级别与区域均未变化", "neither level nor area is new"),
)  # fmt: skip
CATALOGUE: Final[Mapping[Language, Mapping[tuple[type, str], str]]] = MappingProxyType({
    Language.ZH: {(type(key), str(key)): zh for key, zh, _ in _TEXTS},
    Language.EN: {(type(key), str(key)): en for key, _, en in _TEXTS},
})  # fmt: skip
"""By the kind of key as well: members of two enumerations with one text count as equal."""


def case_word(key: Key, language: Language = Language.ZH) -> str:
    """Return the text of a key."""
    return CATALOGUE[language][type(key), str(key)]


def why_refused(
    refused: WrongCaseAct | WrongResponseAct | ActIncomplete | ResponseIncomplete, language: Language = Language.ZH
) -> str:
    """Return why an act was refused, for whoever did it."""
    act = case_word(refused.act, language)
    if isinstance(refused, ActIncomplete | ResponseIncomplete):
        return case_word(CaseWord.LACKS, language).format(act=act, lack=case_word(refused.lacks, language))
    return case_word(CaseWord.REFUSED, language).format(act=act, reason=case_word(refused.reason, language))


def response_title(kind: ResponseKind, purpose: Purpose, level_name: str, language: Language = Language.ZH) -> str:
    """Return the one line that names a response; a drill is marked."""
    told = f"{case_word(kind, language)} · {level_name}"
    return told if purpose is Purpose.REAL else f"【{case_word(CaseWord.DRILL, language)}】{told}"
