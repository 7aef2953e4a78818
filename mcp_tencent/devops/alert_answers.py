"""What the alert tools answer, and the sentences to it (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from mcp_tencent.basic.cluster_answers import Answer, Line, ListAnswer
from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.devops.alerts.alert import GroupState
from mcp_tencent.devops.alerts.desk import AlertReport, ScoredGroup
from mcp_tencent.devops.alerts.feedback import Verdict
from mcp_tencent.devops.alerts.reading import Unread
from mcp_tencent.devops.alerts.scoring import factor_in_words, level_in_words
from mcp_tencent.devops.alerts.weights import FACTORS, WeightVersion

_PERIODS = {"yesterday": "昨天", "today": "今天"}
_STATES = {GroupState.OPEN: "还没恢复", GroupState.FLAPPING: "时好时坏", GroupState.RECOVERED: "已经恢复"}
_VERDICTS = {Verdict.IMPORTANT: "重要", Verdict.UNIMPORTANT: "不重要", Verdict.FALSE_ALARM: "误报"}
_NAMES_SHOWN = 5
_REASONS_SHOWN = 3


class AlertLine(Line):
    """A group of alerts with one root cause."""

    id: str
    fingerprint: str = Field(description="The same for the same trouble on another day.")
    title: str = Field(description="Who and what, Chinese.")
    score: float = Field(description="0 to 100.")
    spoken_score: str = Field(description="Of ten, as people say it, e.g. 7.9分.")
    priority: str = Field(description="P0, P1 or P2.")
    level: str = Field(description="The worst of its alerts: info, warn or critical.")
    state: GroupState
    cluster: str
    namespace: str
    kind: str = Field(description="Deployment, StatefulSet or DaemonSet; empty when it is not known.")
    workload: str = Field(description="Where the cause shows; empty when it is not known.")
    node: str
    alerts: int = Field(description="Records in the group.")
    muted: int = Field(description="Those of them that only follow from the cause.")
    affected: list[str] = Field(description="Workloads and nodes at which it shows.")
    began_at: str
    last_at: str
    because: list[str] = Field(description="The weightiest reasons for the score, Chinese.")
    factors: dict[str, float] = Field(description="What the score is made of, each 0 to 100.")


class UnreadLine(Line):
    """What could not be read."""

    what: str
    why: str = Field(description="Chinese.")


class AlertsAnswer(ListAnswer):
    """Groups of alerts, worst first."""

    alerts: list[AlertLine]
    records: int = Field(description="Alert records in all, before grouping.")
    groups: int = Field(description="Groups in all, before min_score.")
    unread: list[UnreadLine] = Field(description="Places and clusters that did not answer.")
    policy_version: str
    weights_version: str
    weights: dict[str, float] = Field(description="Share of each factor in the scores; together 1.")


class FactorLine(Line):
    """One factor of a score."""

    factor: str
    value: float = Field(description="0 to 100.")
    weight: float
    contribution: float = Field(description="What it gives to the score.")
    reasons: list[str] = Field(description="Facts and the points that each gave, Chinese.")


class ScoreAnswer(Answer):
    """How a score came about."""

    alert: AlertLine
    factors: list[FactorLine]
    attempts: int = Field(description="How often healing may be tried at such a score.")
    manner: str
    weights_version: str
    learnt: list[str] = Field(description="The latest changes of the weights and why, Chinese.")
    policy_version: str


class FeedbackAnswer(Answer):
    """What became of feedback."""

    dry_run: bool
    alert: str
    title: str
    verdict: Verdict
    weights_before: dict[str, float]
    weights_after: dict[str, float]
    weights_version: str


def title_of(one: ScoredGroup) -> str:
    """Return who and what: 订单服务错误率过高, or 订单服务：Pod 不足 where the alarm does not say whose."""
    alarm = one.group.alarm_names[0]
    own = next(
        (alert.record.alarm_name for alert in one.group.alerts if alert.subject == one.group.subject),
        alarm,
    )
    return own if own.startswith(one.name) else f"{one.name}：{own}"


def alert_line(desk: BasicDesk, one: ScoredGroup) -> AlertLine:
    """Return a group as it is shown."""
    group = one.group
    return AlertLine(
        id=group.id,
        fingerprint=group.fingerprint,
        title=title_of(one),
        score=one.scored.score,
        spoken_score=one.scored.spoken,
        priority=one.priority,
        level=group.level.name.lower(),
        state=group.state,
        cluster=group.subject.cluster_id,
        namespace=group.subject.namespace,
        kind=one.kind or "",
        workload=group.subject.workload,
        node=group.subject.node,
        alerts=len(group.alerts),
        muted=len(group.muted),
        affected=list(one.affected[:_NAMES_SHOWN]),
        began_at=desk.told(group.raised_at) or "",
        last_at=desk.told(group.ended_at) or "",
        because=[reason.text for reason in one.scored.reasons[:_REASONS_SHOWN]],
        factors={factor: round(getattr(one.scored.factors, factor), 1) for factor in FACTORS},
    )


def alerts_summary(period: str, report: AlertReport, shown: Sequence[ScoredGroup], min_score: float) -> str:
    """Say how many there were, how many are left, and the worst."""
    when = _PERIODS.get(period.strip().lower(), "这段时间")
    gaps = gaps_in_words(report.unread)
    if not report.groups:
        return f"{when}没有告警。{gaps}"
    sentences = [f"{when}共{report.alerts}条告警，合并成{len(report.groups)}组"]
    unsolved = sum(one.group.state is not GroupState.RECOVERED for one in report.groups)
    sentences[0] += f"，{unsolved}组还没恢复。" if unsolved else "，都已经恢复。"
    if not shown:
        return f"{sentences[0]}没有{min_score / 10:g}分以上的。{gaps}"
    worst = shown[0]
    sentences.append(f"最要紧的是{title_of(worst)}，{worst.scored.spoken}，{worst.scored.because}。")
    if len(shown) > 1:
        sentences.append(f"其次是{'、'.join(f'{title_of(one)}{one.scored.spoken}' for one in shown[1:3])}。")
    return "".join(sentences) + gaps


def gaps_in_words(unread: Sequence[Unread]) -> str:
    """Say what could not be read; empty when everything could."""
    if not unread:
        return ""
    first = unread[0]
    more = f"，还有{len(unread) - 1}处" if len(unread) > 1 else ""
    return f"另外，{first.what}读不到：{first.spoken}{more}。"


def unread_lines(unread: Sequence[Unread]) -> list[UnreadLine]:
    """Return what could not be read, as it is shown."""
    return [UnreadLine(what=one.what, why=one.spoken) for one in unread[:10]]


def score_answer(
    desk: BasicDesk, report: AlertReport, one: ScoredGroup, learnt: Sequence[str]
) -> ScoreAnswer:
    """Return how the score of a group came about."""
    weights = report.weights.weights.model_dump()
    tier = report.policy.policy.tier(one.scored.score)
    lines = []
    for factor in FACTORS:
        value = getattr(one.scored.factors, factor)
        lines.append(
            FactorLine(
                factor=factor,
                value=round(value, 1),
                weight=weights[factor],
                contribution=round(value * weights[factor], 1),
                reasons=[
                    f"{reason.text}（{reason.points:+.0f}）"
                    for reason in one.scored.reasons
                    if reason.factor == factor
                ],
            )
        )
    parts = "，".join(
        f"{factor_in_words(line.factor)}{line.value:.0f}"
        for line in sorted(lines, key=lambda x: -x.contribution)
    )
    state = _STATES[one.group.state]
    return ScoreAnswer(
        summary=(
            f"{title_of(one)}是{one.scored.spoken}，级别{level_in_words(one.group.level)}，{state}。"
            f"{parts}。主要因为{one.scored.because}。"
        ),
        alert=alert_line(desk, one),
        factors=lines,
        attempts=tier.attempts,
        manner=tier.manner,
        weights_version=report.weights.version,
        learnt=list(learnt),
        policy_version=report.policy.version,
    )


def feedback_summary(
    title: str, verdict: Verdict, before: WeightVersion, after: WeightVersion, *, dry_run: bool
) -> str:
    """Say that feedback was taken and what it changes."""
    begin = "试运行：会记下" if dry_run else "记下了，"
    changed = after.weights != before.weights
    rest = "评分权重会随之微调。" if changed else "评分权重不变。"
    return f"{begin}{title}{_VERDICTS[verdict]}，{rest}"
