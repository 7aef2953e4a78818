"""Tells from measurements before and after an act whether it helped (pure).

Looks are taken one after the other; each finds the workload well, unwell, or cannot tell. It is healed when
all looks but `failure_limit` find it well. A look that cannot tell counts as failed. A look at which nothing
was written cannot tell of errors, unless there had been none before the act either: then the trouble was
another one, and a small service that is silent for two minutes at night is no trouble.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import sqrt

from mcp_tencent.models.changes import RolloutState


class Verdict(StrEnum):
    """What came of an act."""

    HEALED = "healed"
    BETTER = "better"
    """Clearly less trouble than before, but not none."""
    NOT_BETTER = "not_better"
    WORSE = "worse"
    INCONCLUSIVE = "inconclusive"
    """It cannot be told; whoever decides treats it as failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCount:
    """What a workload wrote within [start, end)."""

    start: datetime
    end: datetime
    lines: int
    errors: int

    @property
    def share(self) -> float | None:
        """Errors of all lines, 0 to 1; None when it wrote nothing, which tells nothing."""
        return self.errors / self.lines if self.lines else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PodHealth:
    """How the pods of a workload are at one moment."""

    rollout: RolloutState
    wanted: int
    ready: int
    ended: int
    """Containers that have ended by themselves with an error since the act."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """How often it is looked, and how strictly.

    Args:
        interval: Each look counts the errors of so long a time.
        count: Looks that are wanted.
        failure_limit: So many of them may fail.
        settle: How long after the act the first look begins, for pods to start and caches to fill.
        calm_share: A share of errors up to this is nobody's trouble, 0 to 1.
        better: An error share of at most so much of the one before is clearly better, 0 to 1.
        worse: One of so many times the one before is worse.
    """

    interval: timedelta = timedelta(minutes=2)
    count: int = 3
    failure_limit: int = 0
    settle: timedelta = timedelta(minutes=1)
    calm_share: float = 0.02
    better: float = 0.5
    worse: float = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Whether an act helped, and what shows it."""

    verdict: Verdict
    reasons: tuple[str, ...]
    """In Chinese, fit to be spoken."""
    looks_good: int
    looks_failed: int
    looks_unknown: int
    share_before: float | None
    share_after: float | None


def verify(
    *,
    usual_share: float,
    before: ErrorCount | None,
    after: Sequence[ErrorCount],
    pods: PodHealth,
    ready_before: int | None = None,
    looks: Looks,
) -> Verification:
    """Compare what was before an act with what came after it.

    Args:
        usual_share: Errors of all lines when nothing is the matter, 0 to 1.
        before: Right before the act; None when it could not be read.
        after: One for each look, oldest first; fewer than wanted when it is too early, or logs are unread.
        pods: Now.
        ready_before: Pods that were ready before the act; None when nobody looked.
        looks: How strictly.
    """
    # What was usual may have been a trouble as well, so it buys only so much leniency.
    limit = max(looks.calm_share, min(2 * usual_share, 3 * looks.calm_share))
    without_errors = before is not None and before.lines > 0 and _calm(before, limit)
    silence_is_calm = without_errors and any(count.lines for count in after)
    known = [count for count in after if count.lines or silence_is_calm]
    good = sum(_calm(count, limit) for count in known)
    unknown = max(0, looks.count - len(known))
    failed = len(known) - good
    after_share = _together(after)
    before_share = before.share if before is not None else None
    verdict, reasons = _verdict(
        pods, ready_before, before_share, after_share, failed=failed, unknown=unknown, looks=looks
    )
    return Verification(
        verdict=verdict,
        reasons=tuple(reasons),
        looks_good=good,
        looks_failed=failed,
        looks_unknown=unknown,
        share_before=before_share,
        share_after=after_share,
    )


def _verdict(
    pods: PodHealth,
    ready_before: int | None,
    before: float | None,
    after: float | None,
    *,
    failed: int,
    unknown: int,
    looks: Looks,
) -> tuple[Verdict, list[str]]:
    trouble = _pod_trouble(pods)
    reasons = [*trouble, *_share_words(before, after)]
    if _worse(pods, ready_before, before, after, looks):
        return Verdict.WORSE, reasons or ["就绪的副本比之前少了"]
    if trouble:
        waiting = pods.rollout is RolloutState.PROGRESSING and not pods.ended
        return (Verdict.INCONCLUSIVE if waiting else Verdict.NOT_BETTER), reasons
    if failed + unknown <= looks.failure_limit:
        return Verdict.HEALED, reasons or ["错误回到平时的水平，副本全部就绪"]
    if after is None:
        return Verdict.INCONCLUSIVE, [*reasons, "读不到动作之后的日志，判断不了"]
    if failed <= looks.failure_limit:
        return Verdict.INCONCLUSIVE, [*reasons, "观察的时间还不够"]
    if before is not None and after <= before * looks.better:
        return Verdict.BETTER, reasons
    if before is None:
        return Verdict.INCONCLUSIVE, [*reasons, "读不到动作之前的日志，没法比较"]
    return Verdict.NOT_BETTER, reasons


def _calm(count: ErrorCount, limit: float) -> bool:
    """Tell whether a look has no more errors than `limit` allows, give or take chance (two deviations)."""
    allowed = limit * count.lines
    return count.errors <= allowed + 2 * sqrt(allowed)


def _pod_trouble(pods: PodHealth) -> list[str]:
    found = []
    if pods.rollout is RolloutState.GONE:
        found.append("工作负载已经不在了")
    elif pods.rollout is RolloutState.FAILED:
        found.append("发布失败")
    if pods.ready < pods.wanted:
        found.append(f"{pods.ready}/{pods.wanted}个副本就绪")
    elif pods.rollout is RolloutState.PROGRESSING:
        found.append("发布还没有完成")
    if pods.ended:
        found.append(f"动作之后有{pods.ended}个容器异常退出")
    return found


def _worse(
    pods: PodHealth, ready_before: int | None, before: float | None, after: float | None, looks: Looks
) -> bool:
    if pods.rollout is RolloutState.GONE:
        return True
    fewer = ready_before is not None and pods.ready < min(ready_before, pods.wanted)
    if fewer and pods.rollout is not RolloutState.PROGRESSING:
        return True
    if before is None or after is None:
        return False
    return after > before * looks.worse and after - before > looks.calm_share


def _together(counts: Sequence[ErrorCount]) -> float | None:
    lines = sum(count.lines for count in counts)
    return sum(count.errors for count in counts) / lines if lines else None


def _share_words(before: float | None, after: float | None) -> list[str]:
    if after is None:
        return []
    if before is None:
        return [f"现在错误占日志的{_percent(after)}"]
    return [f"错误占日志的比例从{_percent(before)}到{_percent(after)}"]


def _percent(share: float) -> str:
    return f"{share * 100:.1f}%"
