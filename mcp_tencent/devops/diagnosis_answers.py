"""What the tools that look for causes answer, and their words (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field, JsonValue

from mcp_tencent.basic.cluster_answers import Answer, Line
from mcp_tencent.basic.paging import cut
from mcp_tencent.devops.diagnosis.causes import CAUSE_NAMES, Cause, CauseKind, Help, Prospect, Sign
from mcp_tencent.devops.diagnosis.picture import Picture, WorkloadChange, spoken_length
from mcp_tencent.devops.diagnosis.ranking import Diagnosis
from mcp_tencent.devops.incidents import Rung

MOST_CAUSES = 3
MOST_SIGNS = 4
MOST_CHANGES = 4
SURE = 0.75
LIKELY = 0.45

RUNG_NAMES = {
    Rung.RESTART: "重启",
    Rung.SCALE: "扩容",
    Rung.ROLL_BACK: "回滚",
    Rung.ISOLATE: "隔离",
    Rung.RESTORE: "恢复备份点",
    Rung.HAND_OVER: "交给人处理",
}
QUIET = frozenset({CauseKind.NOTHING_WRONG, CauseKind.ALREADY_RECOVERED, CauseKind.UNUSUAL_LOGS})
"""Findings that need no act."""


class SignLine(Line):
    """A piece of evidence."""

    text: str = Field(description="Chinese.")
    weight: float = Field(description="How much it counts, 0 to 1; negative: it speaks against the cause.")


class ProspectLine(Line):
    """What a rung of the ladder would do."""

    rung: str = Field(description="restart, scale, roll_back, isolate, restore or hand_over.")
    help: str = Field(description="helps, may_help, cannot_help or worsens.")
    why: str = Field(description="Chinese.")


class CauseLine(Line):
    """Something that may be the matter."""

    kind: str
    name: str = Field(description="Chinese.")
    confidence: float = Field(description="0 to 1.")
    culprit: str = Field(
        description="The dependency, neighbour or node to blame; empty: the workload itself."
    )
    evidence: list[SignLine]


class ChangeLine(Line):
    """Something that somebody changed."""

    kind: str = Field(description="release, restart or configuration.")
    what: str = Field(description="Chinese.")
    at: str


class DiagnosisAnswer(Answer):
    """What is likely the matter with a workload, and what would help."""

    cluster: str
    namespace: str
    kind: str
    workload: str
    troubled: bool = Field(description="Whether something is the matter at this moment.")
    since: str | None = Field(description="When the trouble that goes on began; null: none, or not known.")
    error_share: float = Field(description="Errors of all its log lines in the trouble, 0 to 1.")
    replicas_ready: int
    replicas_wanted: int
    restarts: int
    causes: list[CauseLine] = Field(description="Most likely first.")
    prospects: list[ProspectLine] = Field(description="For the first cause, in the order of the ladder.")
    changes: list[ChangeLine] = Field(description="Latest first.")
    gaps: list[str] = Field(description="What could not be looked at, Chinese.")


class StepLine(Line):
    """A rung of the ladder for this trouble."""

    rung: str
    help: str = Field(description="helps, may_help, cannot_help or worsens.")
    why: str = Field(description="Chinese.")
    tool: str | None = Field(description="The tool that climbs it; null when it should not be climbed.")
    arguments: dict[str, JsonValue] = Field(description="What to call the tool with.")
    kind: str = Field(
        default="", description="Deployment, StatefulSet or DaemonSet: of what is acted on, e.g. a neighbour."
    )
    name: str = Field(default="", description="How people call what is acted on.")


class PlanAnswer(Answer):
    """Which rungs of the ladder would help, in order."""

    cluster: str
    namespace: str
    workload: str
    incident: str | None
    cause: str
    culprit: str = Field(
        default="", description="The dependency, neighbour or node to blame; empty: the workload itself."
    )
    confidence: float
    steps: list[StepLine]
    first_step: str | None = Field(description="The rung to begin with; null: nothing to do by itself.")
    changed_at: list[str] = Field(
        default_factory=list, description="When it was released or configured lately, latest first."
    )
    gaps: list[str]


class VerificationAnswer(Answer):
    """Whether an act helped."""

    cluster: str
    namespace: str
    workload: str
    verdict: str = Field(description="healed, better, not_better, worse or inconclusive.")
    reasons: list[str] = Field(description="Chinese.")
    error_share_before: float | None
    error_share_after: float | None
    looks_good: int
    looks_failed: int
    looks_unknown: int


def cause_line(cause: Cause) -> CauseLine:
    """Return a cause as an answer shows it."""
    return CauseLine(
        kind=cause.kind.value,
        name=CAUSE_NAMES[cause.kind],
        confidence=round(cause.confidence, 2),
        culprit=cause.culprit,
        evidence=[_sign_line(sign) for sign in cause.signs[:MOST_SIGNS]],
    )


def prospect_line(prospect: Prospect) -> ProspectLine:
    """Return what a rung would do as an answer shows it."""
    return ProspectLine(rung=prospect.rung.value, help=prospect.help.value, why=prospect.why)


def change_line(change: WorkloadChange, at: str) -> ChangeLine:
    """Return a change as an answer shows it."""
    return ChangeLine(kind=change.kind.value, what=change.what, at=at)


def _sign_line(sign: Sign) -> SignLine:
    return SignLine(text=cut(sign.text, 120), weight=round(sign.weight, 2))


def diagnosis_summary(diagnosis: Diagnosis, preface: str) -> str:
    """Say what is likely the matter, why, and what would help, in one breath."""
    picture, first = diagnosis.picture, diagnosis.first
    alias = picture.evidence.alias
    reason = first.signs[0].text if first.signs else "证据不足"
    if first.kind in QUIET:
        return f"{preface}{alias}：{CAUSE_NAMES[first.kind]}，{reason}。"
    if first.kind is CauseKind.UNKNOWN:
        return f"{preface}{alias}还没有找到原因：{reason}，建议请负责人看一下。"
    useless = [RUNG_NAMES[p.rung] for p in first.prospects if p.help is Help.WORSENS]
    advice = _advice(first.prospects)
    warning = f"，不要{useless[0]}" if useless else ""
    return (
        f"{preface}{alias}{certainty(first)}{_named(first)}：{reason}{_since(picture)}。{advice}{warning}。"
    )


def _advice(prospects: Sequence[Prospect]) -> str:
    for help_, words in ((Help.HELPS, "建议"), (Help.MAY_HELP, "可以先试")):
        for prospect in prospects:
            if prospect.help is help_ and prospect.rung is not Rung.HAND_OVER:
                return f"{words}{RUNG_NAMES[prospect.rung]}{prospect.target}"
    told = next((p.why for p in prospects if p.rung is Rung.HAND_OVER and p.help is Help.HELPS), "")
    return told or "没有能自动处理的办法，请负责人看一下"


def certainty(cause: Cause) -> str:
    """Return how sure a cause is, in words that lead up to it."""
    if cause.confidence >= SURE:
        return "应该是"
    return "很可能是" if cause.confidence >= LIKELY else "也许是"


def _named(cause: Cause) -> str:
    return f"{CAUSE_NAMES[cause.kind]}（{cause.culprit}）" if cause.culprit else CAUSE_NAMES[cause.kind]


def _since(picture: Picture) -> str:
    onset = picture.onset
    return "" if onset is None else f"，已经{spoken_length(picture.evidence.at - onset)}"


def plan_summary(alias: str, cause: Cause, steps: Sequence[StepLine]) -> str:
    """Say which rungs to climb, and which not."""
    climb = [RUNG_NAMES[Rung(step.rung)] for step in steps if step.tool is not None]
    never = [RUNG_NAMES[Rung(step.rung)] for step in steps if step.help == Help.WORSENS]
    head = f"{alias}{certainty(cause)}{_named(cause)}"
    if cause.kind in QUIET:
        return f"{alias}：{CAUSE_NAMES[cause.kind]}，不用处理。"
    if cause.kind is CauseKind.UNKNOWN:
        head = f"{alias}还没有找到原因"
    order = f"可以依次试{'、'.join(climb)}" if climb else "没有能自动处理的办法，要交给负责人"
    return f"{head}，{order}{f'，不要{never[0]}' if never else ''}。"


_VERDICTS = {
    "healed": "已经恢复",
    "better": "有好转，但还没有完全恢复",
    "not_better": "没有好转",
    "worse": "变得更糟",
    "inconclusive": "还判断不了",
}


def verification_summary(alias: str, verdict: str, reasons: Sequence[str]) -> str:
    """Say what came of an act."""
    why = f"：{'，'.join(reasons[:2])}" if reasons else ""
    return f"{alias}{_VERDICTS[verdict]}{why}。"
