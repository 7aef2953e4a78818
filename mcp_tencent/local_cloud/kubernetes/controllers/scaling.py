"""The arithmetic of horizontal autoscaling. Pure.

Algorithm: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_TOLERANCE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class PodLoad:
    """One pod of the scaled workload."""

    usage: float | None
    """In the resource's unit; None when not measured yet."""
    request: float
    ready: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What one metric asks for."""

    replicas: int
    utilization_percent: int | None
    average: float
    """Mean usage of a measured pod."""


def propose(
    pods: Sequence[PodLoad], current: int, *, target_percent: float | None, target_average: float | None
) -> Proposal | None:
    """Return what a metric asks for; None when no pod is measured (or none requests any)."""
    measured = [pod for pod in pods if pod.usage is not None and pod.ready]
    if not measured:
        return None
    usage = sum(pod.usage or 0.0 for pod in measured)
    requests = sum(pod.request for pod in measured)
    average = usage / len(measured)
    percent = int(100 * usage / requests) if requests else None
    if target_percent is not None:
        if percent is None:
            return None
        ratio = percent / target_percent
    else:
        ratio = average / target_average if target_average else 1.0
    replicas = current
    if abs(ratio - 1) > _TOLERANCE:
        replicas = _with_unmeasured(pods, measured, ratio, current)
    return Proposal(replicas=replicas, utilization_percent=percent, average=average)


def _with_unmeasured(pods: Sequence[PodLoad], measured: Sequence[PodLoad], ratio: float, current: int) -> int:
    """Pods that are not ready count as idle when growing; they do not count when shrinking."""
    if ratio > 1 and len(measured) < len(pods):
        damped = ratio * len(measured) / len(pods)
        return current if damped <= 1 + _TOLERANCE else max(math.ceil(damped * len(pods)), current)
    return math.ceil(ratio * len(measured))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What bounds a decision."""

    lowest: int
    highest: int
    stabilization: timedelta = timedelta(minutes=5)
    """How long a smaller size must have been enough before it is taken."""


def decide(
    current: int, wanted: int, limits: Limits, past: Sequence[tuple[datetime, int]], now: datetime
) -> tuple[int, str]:
    """Return the size to take now, and what limited it.

    The limit is TooManyReplicas, TooFewReplicas, ScaleUpLimit, ScaleDownStabilized or empty.

    Args:
        current: pods wanted until now.
        wanted: what the metrics ask for.
        limits: the autoscaler's bounds.
        past: earlier recommendations (instant, replicas).
        now: the instant of the decision.
    """
    recent = [replicas for at, replicas in past if at > now - limits.stabilization]
    size, reason = wanted, ""
    if wanted < current:
        size = min(max([wanted, *recent]), current)
        reason = "ScaleDownStabilized" if size > wanted else ""
    ceiling = max(2 * current, current + 4)
    if size > ceiling:
        size, reason = ceiling, "ScaleUpLimit"
    if size > limits.highest:
        return limits.highest, "TooManyReplicas"
    if size < limits.lowest:
        return limits.lowest, "TooFewReplicas"
    return size, reason
