"""The language between faults and what shows them: how a pod behaves, and how a workload fares.

Faults decide; the Kubernetes imitation, the log generators and the metrics only obey. So one fault shows in
pods, logs, metrics and alarms alike, and its cure shows in all of them as well.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

KubernetesObject = dict[str, Any]
"""An object of the Kubernetes API as JSON: stored as clients send it, so it stays untyped inside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerExit:
    """How and when a running container ends by itself."""

    after_seconds: float
    """Counted from the container's start; already past means at once."""
    code: int
    reason: str
    """As the kubelet says it: Error, OOMKilled, Completed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodBehaviour:
    """What the kubelet would see of a pod's container under the present circumstances."""

    image_error: str | None = None
    """None when the image can be pulled; else the registry's message (the pod hangs in ImagePullBackOff)."""
    config_error: str | None = None
    """None when the container can be created; else the message of CreateContainerConfigError."""
    ready_after_seconds: float | None = 5.0
    """From container start until the readiness probe succeeds; None when it never does."""
    exit: ContainerExit | None = None
    """None when the container runs on."""
    cpu_millicores: float = 50.0
    memory_bytes: float = 128 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPattern:
    """One kind of log line and how often it comes."""

    template: str
    """Text with {slots} that the generator fills: {order_id}, {ip}, {latency_ms}, {user_id}, {uuid}, …"""
    level: str
    """DEBUG, INFO, WARN or ERROR; indexed as the field `level`."""
    per_minute: float
    """Mean lines a minute over the whole workload at season factor 1."""
    fields: tuple[tuple[str, str], ...] = ()
    """Further indexed fields (name, template), e.g. ("status", "503")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How a workload fares over a stretch of time: the generators and metrics read nothing else."""

    traffic: float = 1.0
    """Factor on the workload's normal request rate."""
    error_ratio: float = 0.0
    """Share of requests that fail, 0 to 1."""
    latency: float = 1.0
    """Factor on the normal latency."""
    cpu: float = 1.0
    """Factor on the normal CPU use of a pod."""
    memory: float = 1.0
    """Factor on the normal memory use of a pod, at the start of the stretch."""
    memory_growth_per_hour: float = 0.0
    """Added to `memory` for every hour of the stretch: a leak."""
    ready_ratio: float = 1.0
    """Share of the wanted pods that is ready, 0 to 1: with no pod, a workload writes no log lines."""
    pending_ratio: float = 0.0
    """Share of the existing pods whose container has never started, 0 to 1: a rollout that hangs."""
    pods: tuple[str, ...] = ()
    """Names of the running pods: log lines name one of them."""
    patterns: tuple[LogPattern, ...] = ()
    """Lines that come on top of the workload's normal ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A condition and the time for which it held: [start, end)."""

    start: datetime
    end: datetime
    condition: Condition


@dataclass(slots=True)
class Timeline:
    """The piecewise constant history of one workload's condition. Append-only: the past never changes."""

    _starts: list[datetime] = field(default_factory=list)
    _conditions: list[Condition] = field(default_factory=list)

    def record(self, at: datetime, condition: Condition) -> None:
        """Let `condition` hold from `at` on; a second record of the same instant replaces the first."""
        if self._starts and at < self._starts[-1]:
            raise ValueError(f"the past is settled: cannot record at {at} after {self._starts[-1]}")
        if self._conditions and self._conditions[-1] == condition:
            return
        if self._starts and self._starts[-1] == at:
            self._conditions[-1] = condition
            return
        self._starts.append(at)
        self._conditions.append(condition)

    def stretches(self, start: datetime, end: datetime) -> list[Stretch]:
        """Return what held within [start, end), cut to it, oldest first; nothing before the first record."""
        first = max(bisect_right(self._starts, start) - 1, 0)
        found: list[Stretch] = []
        for index in range(first, bisect_left(self._starts, end)):
            until = self._starts[index + 1] if index + 1 < len(self._starts) else end
            begin = max(self._starts[index], start)
            found.append(Stretch(start=begin, end=min(until, end), condition=self._conditions[index]))
        return found

    def at(self, instant: datetime) -> Condition | None:
        """Return what holds at `instant`, or None before the first record."""
        index = bisect_right(self._starts, instant) - 1
        return self._conditions[index] if index >= 0 else None


class PodBehaviours(Protocol):
    """Answers how a pod behaves now. Asked at container start and again when the world says so."""

    def behaviour(self, pod: KubernetesObject) -> PodBehaviour:
        """Return the behaviour of `pod` (a full v1 Pod; its node is in spec.nodeName)."""
        ...
