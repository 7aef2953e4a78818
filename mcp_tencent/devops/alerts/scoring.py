"""How much a group of alerts matters: facts to four factors to a score of 0 to 100, with reasons (pure).

    score = w1·impact + w2·severity + w3·business importance + w4·time sensitivity

Each factor, 0 to 100, is a sum of points for facts, and never falls when trouble is worse in one fact. A fact
that is not known gives no points, but for the error ratio, for which the alarm's level stands in.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from mcp_tencent.devops.alerts.alert import GroupState
from mcp_tencent.devops.policy.model import Weights
from mcp_tencent.models.alarms import AlarmLevel

_LEVEL_WORDS = {AlarmLevel.INFO: "提示", AlarmLevel.WARN: "警告", AlarmLevel.CRITICAL: "严重"}
_LEVEL_POINTS = {AlarmLevel.INFO: 15.0, AlarmLevel.WARN: 45.0, AlarmLevel.CRITICAL: 75.0}
_ERRORS_BY_LEVEL = {AlarmLevel.INFO: 0.0, AlarmLevel.WARN: 0.10, AlarmLevel.CRITICAL: 0.25}
"""The share of errors that a level is taken for when nothing is known of it."""
_WORST_ERROR_RATIO = 0.5
"""When half of all requests fail, more hardly matters."""
_STATE_SHARE = {GroupState.OPEN: 1.0, GroupState.FLAPPING: 0.8, GroupState.RECOVERED: 0.5}
_STATE_URGENCY = {GroupState.OPEN: 60.0, GroupState.FLAPPING: 35.0, GroupState.RECOVERED: 5.0}
_FACTOR_WORDS = {
    "impact": "影响范围",
    "severity": "严重程度",
    "importance": "业务重要度",
    "urgency": "紧急程度",
}
_RECENT = timedelta(hours=2)
_HIGH = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreFacts:
    """What is known of a group, as far as it counts."""

    level: AlarmLevel
    """The worst."""
    state: GroupState
    active: timedelta
    """How long the symptom held in all."""
    alerts: int
    """Records in all, from 1."""
    alarms: int
    """Different alarms, from 1."""
    episodes: int
    """How often it began, from 1."""
    affected: int
    """Workloads and nodes at which it shows, and workloads that need them; 0 when none is known."""
    importance: float
    """Of the most important of them, 0 to 100."""
    important_name: str
    """What that one is called."""
    business_hours: bool
    """Whether it was going on while people used what runs."""
    quiet_for: timedelta
    """Since when the symptom is gone; 0 while it holds."""
    error_ratio: float | None = None
    """Share of log lines that are errors while it held, 0 to 1."""
    restarts: int | None = None
    """Of the containers at which it shows."""
    ready_ratio: float | None = None
    """Share of the wanted pods that are ready, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A fact that gave points to a factor."""

    factor: str
    """impact, severity, importance or urgency."""
    points: float
    text: str
    """In Chinese, fit to be spoken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """The four, each 0 to 100."""

    impact: float
    severity: float
    importance: float
    urgency: float

    def weighted(self, weights: Weights) -> float:
        """Return the score, 0 to 100."""
        total = (
            weights.impact * self.impact
            + weights.severity * self.severity
            + weights.importance * self.importance
            + weights.urgency * self.urgency
        )
        return min(_HIGH, max(0.0, total))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredAlert:
    """A score and how it came about."""

    score: float
    """0 to 100, to one decimal."""
    factors: Factors
    reasons: tuple[Reason, ...]
    """The weightiest first."""
    weights_version: str

    @property
    def spoken(self) -> str:
        """The score as people say it, of ten: 7.9分."""
        return f"{round(self.score / 10, 1):g}分"

    @property
    def because(self) -> str:
        """The three weightiest reasons in one phrase."""
        return "，".join(reason.text for reason in self.reasons[:3])


def score(facts: ScoreFacts, weights: Weights, *, weights_version: str) -> ScoredAlert:
    """Return the score of a group with its reasons."""
    reasons = [*_impact(facts), *_severity(facts), *_importance(facts), *_urgency(facts)]
    factors = Factors(
        **{
            factor: min(_HIGH, max(0.0, sum(one.points for one in reasons if one.factor == factor)))
            for factor in _FACTOR_WORDS
        }
    )
    shares = weights.model_dump()
    reasons.sort(key=lambda one: (-abs(one.points) * shares[one.factor], one.factor, one.text))
    return ScoredAlert(
        score=round(factors.weighted(weights), 1),
        factors=factors,
        reasons=tuple(reason for reason in reasons if reason.points),
        weights_version=weights_version,
    )


def factor_in_words(factor: str) -> str:
    """Return what a factor is called in Chinese."""
    return _FACTOR_WORDS[factor]


def level_in_words(level: AlarmLevel) -> str:
    """Return what a level is called in Chinese."""
    return _LEVEL_WORDS[level]


def duration_in_words(length: timedelta) -> str:
    """Return a length of time as people say it: 40分钟, 3小时, 2天."""
    minutes = int(length.total_seconds() // 60)
    if minutes < 60:
        return f"{max(1, minutes)}分钟"
    if minutes < 48 * 60:
        return f"{minutes / 60:.1f}".removesuffix(".0") + "小时"
    return f"{minutes // (24 * 60)}天"


def _impact(facts: ScoreFacts) -> Iterator[Reason]:
    share = _STATE_SHARE[facts.state]

    def reason(points: float, text: str) -> Reason:
        return Reason(factor="impact", points=points * share, text=text)

    if facts.affected:
        yield reason(
            min(55.0, 20.0 + 18.0 * math.log2(facts.affected)),
            f"影响{facts.affected}个服务" if facts.affected > 1 else "影响一个服务",
        )
    if facts.error_ratio is not None:
        points = 45.0 * min(1.0, facts.error_ratio / _WORST_ERROR_RATIO)
        yield reason(points, f"错误占日志的{facts.error_ratio * 100:.0f}%")
    else:
        guessed = _ERRORS_BY_LEVEL[facts.level]
        yield reason(45.0 * guessed / _WORST_ERROR_RATIO, "错误多少不详，按告警级别估计")
    if facts.ready_ratio is not None and facts.ready_ratio < 1.0:
        missing = 1.0 - facts.ready_ratio
        yield reason(30.0 * missing, f"{missing * 100:.0f}%的副本不可用")
    if facts.restarts:
        yield reason(min(20.0, 4.0 * facts.restarts), f"容器重启{facts.restarts}次")
    if facts.alarms > 1:
        yield reason(min(15.0, 5.0 * (facts.alarms - 1)), f"触发{facts.alarms}种告警")


def _severity(facts: ScoreFacts) -> Iterator[Reason]:
    def reason(points: float, text: str) -> Reason:
        return Reason(factor="severity", points=points, text=text)

    yield reason(_LEVEL_POINTS[facts.level], f"级别为{_LEVEL_WORDS[facts.level]}")
    hours = max(0.0, facts.active.total_seconds() / 3600)
    if hours > 0:
        yield reason(min(15.0, 5.0 * math.log2(1.0 + hours)), f"持续{duration_in_words(facts.active)}")
    if facts.episodes > 1:
        yield reason(min(10.0, 2.5 * (facts.episodes - 1)), f"反复出现{facts.episodes}次")
    if facts.alerts > 1:
        yield reason(min(8.0, 2.0 * math.log2(facts.alerts)), f"重复告警{facts.alerts}次")


def _importance(facts: ScoreFacts) -> Iterator[Reason]:
    whose = f"{facts.important_name}的" if facts.important_name else ""
    yield Reason(
        factor="importance", points=facts.importance, text=f"{whose}业务重要度{facts.importance:.0f}"
    )


def _urgency(facts: ScoreFacts) -> Iterator[Reason]:
    def reason(points: float, text: str) -> Reason:
        return Reason(factor="urgency", points=points, text=text)

    words = {
        GroupState.OPEN: "仍未恢复",
        GroupState.FLAPPING: "时好时坏",
        GroupState.RECOVERED: "已经恢复",
    }
    yield reason(_STATE_URGENCY[facts.state], words[facts.state])
    if facts.business_hours:
        yield reason(25.0, "发生在业务时段")
    if facts.quiet_for < _RECENT:
        yield reason(15.0 * (1.0 - facts.quiet_for / _RECENT), "刚刚还在发生")
